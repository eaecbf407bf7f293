/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BUF items of quota blocks: new blocks of records, each with its own LSN.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/dquot.h"
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = 8,
	CHUNK = 128,
	SLOT = 136,
	QFLAGS_OFF = 176,
	ACCT = 0x49,			/* user, group and project */
};

static struct testfs *fs;
static xfs_daddr_t at;
static uint8_t image[BLOCK], found[BLOCK];

static const uint16_t user = XFS_BLF_UDQUOT_BUF |
			     XFS_BLFT_UDQUOT << XFS_BLF_TYPE_SHIFT;
static const uint16_t proj = XFS_BLF_PDQUOT_BUF |
			     XFS_BLFT_PDQUOT << XFS_BLF_TYPE_SHIFT;
static const uint16_t group = XFS_BLF_GDQUOT_BUF |
			      XFS_BLFT_GDQUOT << XFS_BLF_TYPE_SHIFT;

/* Quota of these types is counted. */
static void counted(uint16_t qflags)
{
	uint8_t raw[BB_SIZE];

	testfs_peek(fs, 0, raw, sizeof(raw));
	put_be16(raw + QFLAGS_OFF, qflags);
	put_le32(raw + 224, xfs_crc_block(raw, sizeof(raw), 224));
	testfs_poke(fs, 0, raw, sizeof(raw));
	testfs_reload(fs);
}

static void open_fs(void)
{
	fs = testfs_open("linux618/never");
	at = testfs_free(fs, 0);
	counted(ACCT);
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(replay_dquot_buf, .init = open_fs, .fini = close_fs);

/* A block of new records of @type, from number @id. */
static void make_block(uint8_t type, uint32_t id)
{
	memset(image, 0, sizeof(image));
	for (uint32_t i = 0; i < BLOCK / SLOT; i++) {
		uint8_t *p = image + (size_t)i * SLOT;

		put_be16(p, 0x4451);
		p[2] = 1;
		p[3] = type;
		put_be32(p + 4, id + i);
		memcpy(p + 120, fs->log->geom.meta_uuid, 16);
		put_le32(p + 108, xfs_crc_block(p, SLOT, 108));
	}
}

static void write_block(uint16_t flags)
{
	struct testcp *cp = testcp_new(fs);

	testcp_buf(cp, &(struct testbuf){ .daddr = at, .len_bb = BLOCK_BB,
					  .image = image, .flags = flags });
	testcp_write(cp);
}

static bool is_replayed(uint16_t flags, uint8_t type)
{
	static const uint8_t zeros[BLOCK];

	testfs_poke(fs, at, zeros, BLOCK);
	make_block(type, 100);
	write_block(flags);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at, found, BLOCK);
	cr_assert(!memcmp(found, image, BLOCK) ||
		  !memcmp(found, zeros, BLOCK));
	return !memcmp(found, image, BLOCK);
}

Test(replay_dquot_buf, is_copied_as_it_is)
{
	cr_expect(is_replayed(user, XFS_DQTYPE_USER));
}

Test(replay_dquot_buf, of_a_type_that_is_not_counted_is_left_alone)
{
	counted(0x40);
	cr_expect_not(is_replayed(user, XFS_DQTYPE_USER));
}

Test(replay_dquot_buf, of_projects)
{
	counted(0x08);
	cr_expect(is_replayed(proj, XFS_DQTYPE_PROJ));
}

Test(replay_dquot_buf, of_groups)
{
	counted(0x40);
	cr_expect(is_replayed(group, XFS_DQTYPE_GROUP));
}

Test(replay_dquot_buf, of_groups_where_only_users_are_counted)
{
	counted(0x01);
	cr_expect_not(is_replayed(group, XFS_DQTYPE_GROUP));
}

Test(replay_dquot_buf, replaces_whatever_lies_there)
{
	xfs_daddr_t other = testfs_free(fs, 1);
	struct testcp *cp = testcp_new(fs);

	/* a block of another kind and a later LSN is not asked */
	testfs_block(fs, image, other, 7, 5);
	testcp_buf(cp, &(struct testbuf){ .daddr = other, .len_bb = BLOCK_BB,
					  .image = image });
	testcp_write(cp);
	make_block(XFS_DQTYPE_USER, 100);
	write_block(user);
	testfs_block(fs, found, at, fs->lsn - 1, 9);
	testfs_poke(fs, at, found, BLOCK);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at, found, BLOCK);
	cr_expect_arr_eq(found, image, BLOCK);
}

/* The first chunk, and @second from chunk 17 on, where record 16 begins. */
static void log_pieces(const uint8_t *second)
{
	const uint32_t map[1] = { 1 | 1u << 17 };
	struct testcp *cp = testcp_new(fs);

	testcp_buf_raw(cp, &(struct testbuf){ .daddr = at,
					      .len_bb = BLOCK_BB,
					      .flags = user },
		       map, 1, image, CHUNK);
	put_le16((uint8_t *)(uintptr_t)cp->regions[0].data + 2, 3);
	testcp_region(cp, second, CHUNK);
	testcp_write(cp);
}

Test(replay_dquot_buf, a_piece_that_is_no_record_is_left_out)
{
	uint8_t second[CHUNK];

	make_block(XFS_DQTYPE_USER, 100);
	testfs_poke(fs, at, image, BLOCK);
	memcpy(second, image + 17 * CHUNK, CHUNK);
	second[0] = 'X';
	/* the same once more, so that what is there stays sound */
	log_pieces(second);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at, found, BLOCK);
	cr_expect_arr_eq(found, image, BLOCK);
	cr_expect(testfs_said(fs, "item.dquot"));
}

Test(replay_dquot_buf, a_piece_that_is_a_record_is_taken)
{
	uint8_t want[BLOCK];

	/* all of record 16 but the end of its UUID, which is there already */
	make_block(XFS_DQTYPE_USER, 100);
	testfs_poke(fs, at, image, BLOCK);
	memcpy(want, image, BLOCK);
	put_be64(want + 16 * SLOT + 40, 77);	/* blocks in use */
	put_le32(want + 16 * SLOT + 108,
		 xfs_crc_block(want + 16 * SLOT, SLOT, 108));
	log_pieces(want + 17 * CHUNK);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at, found, BLOCK);
	cr_expect_arr_eq(found, want, BLOCK);
	cr_expect_not(testfs_said(fs, "item.dquot"));
}

Test(replay_dquot_buf, a_block_that_does_not_become_sound_is_refused)
{
	make_block(XFS_DQTYPE_USER, 100);
	image[5 * SLOT + 30] ^= 1;		/* under the checksum */
	write_block(user);
	testfs_refuses(fs, -EUCLEAN, "dquot");
}
