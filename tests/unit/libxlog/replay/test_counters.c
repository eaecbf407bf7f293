/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The superblock at the end: counters of groups and of realtime bitmaps.
 */
#include "libxfsfmt/dir.h"
#include "libxfsfmt/rt.h"
#include "tests/lib/minifs.h"

enum { BITMAP = 600, GROUP_WORDS = (4096 - 48) / 4 };

static struct minireplay *m;
static uint8_t raw[512];

static uint64_t field(const char *name)
{
	const struct xfs_field *f = xfs_sb_fields;

	while (f->name && strcmp(f->name, name))
		f++;
	cr_assert_not_null(f->name);
	return xfs_field_value(f, raw, 0, XFS_BE);
}

static void begin(bool v5)
{
	m = mini_new(v5, 12);
	m->r.geom.lazycount = true;
	m->opts.order = XLOG_ORDER_LE;
	fs_groups(m);
	memset(raw, 0x11, sizeof(raw));
}

static void setup(void)
{
	begin(true);
}

static void teardown(void)
{
	mini_free(m);
}

static void refuses(const char *why)
{
	cr_expect_eq(replay_superblock(&m->r, raw), -EUCLEAN);
	assert_said(&m->said, why);
}

TestSuite(replay_superblock, .init = setup, .fini = teardown);

Test(replay_superblock, sums_of_all_groups)
{
	fs_agf_at(m, 0, "agf_freeblks", 1000);
	fs_agf_at(m, 1, "agf_flcount", 20);
	fs_agf_at(m, 2, "agf_btreeblks", 3);
	fs_agf_at(m, 3, "agf_freeblks", 500);
	fs_agi_at(m, 0, "agi_count", 0, 64);
	fs_agi_at(m, 3, "agi_count", 0, 128);
	fs_agi_at(m, 3, "agi_freecount", 0, 5);
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_fdblocks"), 1523);
	cr_expect_eq(field("sb_icount"), 192);
	cr_expect_eq(field("sb_ifree"), 5);
	assert_silent(&m->said);
}

/* Nothing else is changed. */
Test(replay_superblock, leaves_the_rest)
{
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	for (unsigned int i = 0; i < sizeof(raw); i++)
		cr_expect(raw[i] == 0x11 || (i >= 128 && i < 152) ||
			  i == 223, "byte %u", i);
}

Test(replay_superblock, kept_up_counters_are_left)
{
	m->r.geom.lazycount = false;
	fs_agf_at(m, 0, "agf_seqno", 5);
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_fdblocks"), 0x1111111111111111);
}

Test(replay_superblock, more_free_than_there_is)
{
	m->r.geom.dblocks = 3 * MINI_GROUP_BLOCKS + 100;
	fs_groups(m);
	for (uint32_t ag = 0; ag < 4; ag++) {
		fs_agf_at(m, ag, "agf_freeblks", ag < 3 ? 1024 : 96);
		fs_agf_at(m, ag, "agf_flcount", 1);
	}
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_fdblocks"), 3 * 1024 + 100);
	fs_agf_at(m, 3, "agf_flcount", 2);
	refuses("the groups have 3173 free blocks, the filesystem 3172 blocks");
}

Test(replay_superblock, damaged_group)
{
	fs_agi_at(m, 1, "agi_freecount", 0, 1);
	refuses("AGI of group 1: more free inodes than inodes");
	fs_agf_at(m, 1, "agf_length", 1);
	refuses("AGF of group 1: length is not that of the group");
}

Test(replay_superblock, log_features_not_in_use)
{
	put_be32(raw + 220, XFS_SB_LOG_INCOMPAT_XATTRS | 0x40);
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_features_log_incompat"), 0x40);
}

Test(replay_superblock, quota_inodes_that_never_were)
{
	memset(raw, 0, sizeof(raw));
	put_be64(raw + 168, 133);
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_uquotino"), UINT64_MAX);
	cr_expect_eq(field("sb_gquotino"), 133);
	cr_expect_eq(field("sb_pquotino"), UINT64_MAX);
	memset(raw, 0, sizeof(raw));
	m->r.geom.metadir = true;
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_uquotino"), 0);
	cr_expect_eq(field("sb_gquotino"), 0);
	cr_expect_eq(field("sb_pquotino"), 0);
}

Test(replay_superblock, version_4)
{
	mini_free(m);
	begin(false);
	memset(raw, 0, sizeof(raw));
	put_be32(raw + 220, 1);
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_uquotino"), UINT64_MAX);
	cr_expect_eq(field("sb_gquotino"), UINT64_MAX);
	cr_expect_eq(field("sb_pquotino"), 0);
	cr_expect_eq(field("sb_features_log_incompat"), 1);
}

/* --- the realtime bitmap --- */

/* Of @rextents, in blocks 70 and 71; all bits of the first are set. */
static void bitmap(uint64_t rextents)
{
	m->r.geom.rblocks = m->r.sb.sb_rextents = rextents;
	m->r.sb.sb_rextsize = 1;
	m->r.sb.sb_rbmino = BITMAP;
	memset(minifs_raw, 0xff, 4096);
	mini_write(m, 70 * 8, minifs_raw, 4096);
	fs_inode(m, BITMAP, 0100000);
	fs_extent(m, 0, 0, 70, 2);
	fs_put_inode(m, BITMAP);
}

Test(replay_superblock, realtime_bits)
{
	bitmap(2 * 32768);
	minifs_raw[0] = 0x80;
	mini_write(m, 71 * 8, minifs_raw, 1);
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_frextents"), 32769);
}

/* Bits behind the last extent do not count: which these are, order says. */
Test(replay_superblock, realtime_bits_behind_the_end)
{
	static const uint8_t word[] = { 0x0f, 0x00, 0x00, 0xff };

	bitmap(32768 + 4);
	mini_write(m, 71 * 8, word, sizeof(word));
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_frextents"), 32768 + 4);
	m->opts.order = XLOG_ORDER_BE;
	mini_write(m, 71 * 8, (const uint8_t[]){ 0xff, 0, 0, 0x03 }, 4);
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_frextents"), 32768 + 2);
}

/* The order is that of the records, if nobody says otherwise. */
Test(replay_superblock, realtime_order_of_the_log)
{
	uint8_t head[BB_SIZE] = { 0 };

	bitmap(4);
	mini_write(m, 70 * 8, (const uint8_t[]){ 0x01, 0, 0, 0x03 }, 4);
	m->log.dev = m->log.fs;
	m->log.nbb = 8;
	m->opts.order = XLOG_ORDER_AUTO;
	m->res.bounds.last_record = xlog_lsn(1, 6);
	put_be32(head, 0xfeedbabe);
	put_be32(head + 300, 1);
	mini_write(m, 6, head, sizeof(head));
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_frextents"), 1);
	put_be32(head + 300, 2);
	mini_write(m, 6, head, sizeof(head));
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_frextents"), 2);
}

Test(replay_superblock, realtime_bitmap_with_a_hole)
{
	bitmap(2 * 32768);
	fs_inode(m, BITMAP, 0100000);
	fs_extent(m, 0, 0, 70, 1);
	fs_put_inode(m, BITMAP);
	refuses("realtime bitmap, inode 600: too short");
	fs_extent(m, 1, 2, 71, 1);
	fs_put_inode(m, BITMAP);
	refuses("realtime bitmap, inode 600: has a hole");
}

/* A file longer than the bitmap, as it may be before it has grown. */
Test(replay_superblock, realtime_bitmap_with_more_blocks)
{
	bitmap(100);
	fs_inode(m, BITMAP, 0100000);
	fs_extent(m, 0, 0, 70, 1);
	fs_extent(m, 1, 5, 71, 1);
	fs_put_inode(m, BITMAP);
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_frextents"), 100);
}

Test(replay_superblock, zoned_has_no_bitmap)
{
	m->r.geom.rblocks = 1000;
	m->r.geom.metadir = m->r.geom.zoned = true;
	cr_assert_eq(replay_superblock(&m->r, raw), 0);
	cr_expect_eq(field("sb_frextents"), 0x1111111111111111);
}

/*
 * Two groups; the first needs a block and a bit of another, the second has 90
 * extents of two blocks.
 */
static void groups(void)
{
	static const uint8_t root[] = "\1\0\0\0\2\x58\10\0\x60rtgroups\2\0\0\2\x59";
	static const uint8_t dir[] = "\2\0\0\0\2\x58\10\0\x60" "1.bitmap\1\0\0\2\x5b"
				     "\10\0\x80" "0.bitmap\1\0\0\2\x5a";
	struct xfs_geom *g = &m->r.geom;

	g->metadir = g->ftype = true;
	g->rgcount = 2;
	g->rgblocks = 2 * (GROUP_WORDS * 32 + 1);
	g->rblocks = g->rgblocks + 180;
	m->r.sb.sb_rextsize = 2;
	m->r.sb.sb_metadirino = 600;
	for (unsigned int i = 0; i < 2; i++) {
		fs_inode(m, 600 + i, 0040755);
		minifs_raw[5] = XFS_DINODE_FMT_LOCAL;
		put_be64(minifs_raw + 56, (i ? sizeof(dir) : sizeof(root)) - 1);
		memcpy(minifs_raw + 176, i ? dir : root,
		       (i ? sizeof(dir) : sizeof(root)) - 1);
		fs_put_inode(m, 600 + i);
		fs_inode(m, 602 + i, 0100000);
		put_be16(minifs_raw + 6, XFS_METAFILE_RTBITMAP);
		put_be16(minifs_raw + 20, (uint16_t)i);
		put_be64(minifs_raw + 120, XFS_DIFLAG2_METADATA);
		fs_extent(m, 0, 0, i ? 72 : 70, i ? 1 : 2);
		fs_put_inode(m, 602 + i);
	}
}

static void group_block(uint32_t fsb, uint32_t magic, uint8_t fill)
{
	memset(minifs_raw, fill, 4096);
	memset(minifs_raw, 0, 48);
	put_be32(minifs_raw, magic);
	put_be64(minifs_raw + 16, fsb * 8);
	fs_copy_uuid(m, minifs_raw + 32);
	fs_put(m, fsb * 8, 4096, XFS_RTBUF_CRC_OFF);
}

Test(replay_superblock, bitmaps_of_realtime_groups)
{
	groups();
	group_block(70, XFS_RTBITMAP_MAGIC, 0xff);
	group_block(71, XFS_RTBITMAP_MAGIC, 0x01);
	group_block(72, XFS_RTBITMAP_MAGIC, 0x11);
	cr_assert_eq(replay_superblock(&m->r, raw), 0, "%s", m->said.text);
	/* of the 90 bits 64 are in whole words, and 26 in a part of one */
	cr_expect_eq(field("sb_frextents"), GROUP_WORDS * 32 + 1 + 16 + 7);
}

Test(replay_superblock, damaged_bitmap_of_a_group)
{
	groups();
	group_block(70, XFS_RTBITMAP_MAGIC, 0xff);
	group_block(71, XFS_RTSUMMARY_MAGIC, 0);
	refuses("realtime bitmap, inode 602: bad magic");
	group_block(71, XFS_RTBITMAP_MAGIC, 0);
	minifs_raw[100]++;
	mini_write(m, 71 * 8, minifs_raw, 4096);
	refuses("realtime bitmap, inode 602: wrong checksum");
}
