/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocks and inodes of which a write that was cut off has left a part new and
 * a part old: what can be put together from the log is healed, what cannot is
 * refused, and what Linux replays without looking is counted.
 */
#include "libxfsfmt/crc32c.h"
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = 8,
	CHUNK = 128,
	INODE = 1024,
	CRC_OFF = 52,
};

static struct testfs *fs;
static xfs_daddr_t at;
static uint8_t old[BLOCK], final[BLOCK], image[BLOCK];
static xfs_lsn_t first, second;

static void open_fs(void)
{
	fs = testfs_open("linux618/never");
	at = testfs_free(fs, 0);
}

static void open_isize1024(void)
{
	fs = testfs_open("linux618/isize1024");
	testfs_erase_log(fs);
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(torn_block, .init = open_fs, .fini = close_fs);
TestSuite(torn_inode, .init = open_isize1024, .fini = close_fs);

/* --- blocks --- */

static void log_chunk(struct testcp *cp, uint32_t chunk, uint8_t fill)
{
	testfs_block(fs, image, at, 7, fill);
	testcp_buf(cp, &(struct testbuf){ .daddr = at, .len_bb = BLOCK_BB,
					  .image = image, .first = chunk,
					  .chunks = 1 });
}

/* What replay makes of the block that is @old. */
static void replay_block(void)
{
	testfs_poke(fs, at, old, BLOCK);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at, final, BLOCK);
}

/*
 * An old block; two checkpoints that change sectors 2 and 6, and sectors 2 and
 * 5; the block as it is after both.
 */
static void two_checkpoints(void)
{
	struct testcp *cp = testcp_new(fs);

	log_chunk(cp, 8, 0x22);
	log_chunk(cp, 24, 0x22);
	first = testcp_write(cp);
	cp = testcp_new(fs);
	log_chunk(cp, 9, 0x33);
	log_chunk(cp, 20, 0x33);
	second = testcp_write(cp);
	testfs_block(fs, old, at, 1, 0x11);
	replay_block();
	cr_assert_eq(testfs_block_lsn(fs, at), second);
}

/* The sectors in @mask of the block as it should be, the others old. */
static void tear(unsigned int mask, const uint8_t *new)
{
	uint8_t b[BLOCK];

	for (unsigned int i = 0; i < BLOCK_BB; i++)
		memcpy(b + i * BB_SIZE,
		       (mask & 1u << i ? new : old) + i * BB_SIZE, BB_SIZE);
	testfs_poke(fs, at, b, BLOCK);
}

static void expect_final(void)
{
	uint8_t found[BLOCK];

	testfs_peek(fs, at, found, BLOCK);
	cr_expect_arr_eq(found, final, BLOCK);
}

Test(torn_block, is_healed_wherever_it_was_torn)
{
	two_checkpoints();
	/* the header is new: sector 0 arrived */
	for (unsigned int mask = 1; mask < 256; mask += 2) {
		struct xlog_recover_result res;
		bool whole;

		tear(mask, final);
		whole = testfs_block_sound(fs, at);
		testfs_replay(fs, NULL, &res);
		expect_final();
		cr_expect_eq(res.healed, whole ? 0 : 1, "mask %x", mask);
		cr_expect_eq(res.bad_crc, 0);
	}
	cr_expect(testfs_said(fs, "block.torn"));
}

Test(torn_block, with_an_old_header_is_replayed_and_counted)
{
	two_checkpoints();
	for (unsigned int mask = 2; mask < 256; mask += 2) {
		struct xlog_recover_result res;
		bool whole;

		tear(mask, final);
		whole = testfs_block_sound(fs, at);
		testfs_replay(fs, NULL, &res);
		expect_final();
		cr_expect_eq(res.bad_crc, whole ? 0 : 1, "mask %x", mask);
		cr_expect_eq(res.healed, 0);
	}
	cr_expect(testfs_said(fs, "block.crc"));
}

Test(torn_block, of_a_state_in_the_middle_is_healed_and_goes_on)
{
	struct xlog_recover_options stop = { .stop_lsn = XLOG_LSN_NONE,
					     .stop_count = 1 };
	struct xlog_recover_result res;
	uint8_t middle[BLOCK];

	two_checkpoints();
	testfs_poke(fs, at, old, BLOCK);
	testfs_replay(fs, &stop, NULL);
	testfs_peek(fs, at, middle, BLOCK);
	cr_assert_eq(testfs_block_lsn(fs, at), first);
	tear(1, middle);
	testfs_replay(fs, NULL, &res);
	expect_final();
	cr_expect_eq(res.healed, 1);
}

/*
 * It was written back when the first of two checkpoints was durable; a second
 * write, after the other, was cut off before its header. What the log still has
 * of the first says nothing new then.
 */
Test(torn_block, with_an_older_header_than_its_contents_is_replayed_as_Linux_does)
{
	struct xlog_recover_options stop = { .stop_lsn = XLOG_LSN_NONE,
					     .stop_count = 1 };

	two_checkpoints();
	testfs_poke(fs, at, old, BLOCK);
	testfs_replay(fs, &stop, NULL);
	testfs_peek(fs, at, old, BLOCK);
	cr_assert_eq(testfs_block_lsn(fs, at), first);
	for (unsigned int mask = 2; mask < 256; mask += 2) {
		struct xlog_recover_result res;
		bool whole;

		tear(mask, final);
		whole = testfs_block_sound(fs, at);
		testfs_replay(fs, NULL, &res);
		expect_final();
		cr_expect_eq(res.bad_crc, whole ? 0 : 1, "mask %x", mask);
		cr_expect_eq(res.healed, 0);
	}
}

/*
 * Of a block that is new what was never in use is zero and not logged; on disk
 * lies what was there before.
 */
Test(torn_block, that_was_made_anew_is_healed)
{
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;

	log_chunk(cp, 0, 0x22);
	log_chunk(cp, 9, 0x22);
	first = testcp_write(cp);
	testfs_block(fs, old, at, 1, 0x11);
	testfs_block(fs, final, at, 7, 0x22);
	memset(final + CHUNK, 0, 8 * CHUNK);
	memset(final + 10 * CHUNK, 0, BLOCK - 10 * CHUNK);
	put_be64(final + 24, first);
	put_le32(final + CRC_OFF, xfs_crc_block(final, BLOCK, CRC_OFF));
	for (unsigned int mask = 1; mask < 255; mask += 2) {
		tear(mask, final);
		testfs_replay(fs, NULL, &res);
		expect_final();
		cr_expect_eq(res.healed, 1, "mask %x", mask);
	}
}

Test(torn_block, of_checkpoints_that_share_their_lsn_is_healed)
{
	struct testcp *a = testcp_new(fs), *b = testcp_new(fs);
	struct xlog_recover_result res;

	testcp_start(a);
	testcp_start(b);
	log_chunk(a, 8, 0x22);
	log_chunk(a, 9, 0x22);
	log_chunk(b, 9, 0x33);
	testcp_body(a);
	testcp_commit(a);
	testfs_record(fs);
	testcp_body(b);
	testcp_commit(b);
	testfs_record(fs);
	testfs_block(fs, old, at, 1, 0x11);
	replay_block();
	tear(1, final);
	testfs_replay(fs, NULL, &res);
	expect_final();
	cr_expect_eq(res.healed, 1);
}

Test(torn_block, that_the_log_does_not_explain_is_refused)
{
	two_checkpoints();
	tear(1, final);
	/* one bit that no item covers */
	final[3000] ^= 0x10;
	tear(255, final);
	testfs_refuses(fs, -EBADMSG, "does not lead to the right one");
}

Test(torn_block, with_a_wrong_bit_in_a_logged_part_is_healed)
{
	struct xlog_recover_result res;
	uint8_t flipped[BLOCK];

	two_checkpoints();
	memcpy(flipped, final, BLOCK);
	flipped[8 * CHUNK + 5] ^= 0x10;
	tear(255, flipped);
	testfs_replay(fs, NULL, &res);
	expect_final();
	cr_expect_eq(res.healed, 1);
}

Test(torn_block, that_is_newer_than_all_of_the_log_is_refused)
{
	two_checkpoints();
	put_be64(final + 24, second + 1);
	tear(255, final);
	testfs_refuses(fs, -EBADMSG, "wrong checksum");
}

Test(torn_block, whose_last_items_are_not_its_lsn_is_refused)
{
	/* written between the two, by a checkpoint that the log has not */
	two_checkpoints();
	put_be64(final + 24, first + 1);
	tear(255, final);
	testfs_refuses(fs, -EBADMSG, "wrong checksum");
}

Test(torn_block, wrong_and_older_than_the_log_is_replayed_and_counted)
{
	struct xlog_recover_result res;

	two_checkpoints();
	old[3000] ^= 0x10;
	final[3000] ^= 0x10;
	put_le32(final + CRC_OFF, xfs_crc_block(final, BLOCK, CRC_OFF));
	testfs_poke(fs, at, old, BLOCK);
	testfs_replay(fs, NULL, &res);
	expect_final();
	cr_expect_eq(res.bad_crc, 1);
	cr_expect_eq(res.healed, 0);
}

/* --- inodes: 1024 bytes, two sectors --- */

static const xfs_ino_t ino = 64 + 20;
static uint8_t before[INODE], after[INODE], found[INODE];

/* A symbolic link of 700 bytes, which reaches into the second sector. */
static void make_link(uint8_t *raw, xfs_lsn_t lsn, char fill)
{
	testfs_file(fs, raw, ino, lsn, 700);
	put_be16(raw + 2, 0120777);
	raw[5] = XFS_DINODE_FMT_LOCAL;
	memset(raw + 176, fill, 700);
	testfs_inode_sum(fs, raw);
}

static xfs_lsn_t write_link(char fill)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t raw[INODE];

	make_link(raw, 7, fill);
	testcp_inode(cp, &(struct testinode){
		.ino = ino, .raw = raw, .fields = XFS_ILOG_DDATA,
		.dfork = raw + 176, .dfork_bytes = 700 });
	return testcp_write(cp);
}

/* The inode buffer that changes the list pointer of the inode. */
static xfs_lsn_t write_unlinked(xfs_agino_t next)
{
	struct testfs_inode i = testfs_inode(fs, ino);
	struct testcp *cp = testcp_new(fs);
	size_t len = (size_t)i.len_bb * BB_SIZE;
	uint8_t *buf = calloc(1, len);

	cr_assert_not_null(buf);
	testfs_peek(fs, i.daddr, buf, len);
	put_be32(buf + i.boffset + 96, next);
	testcp_buf(cp, &(struct testbuf){
		.daddr = i.daddr, .len_bb = i.len_bb, .image = buf,
		.first = (i.boffset + 96) / CHUNK, .chunks = 1,
		.flags = XFS_BLF_INODE_BUF |
			 XFS_BLFT_DINO << XFS_BLF_TYPE_SHIFT });
	free(buf);
	return testcp_write(cp);
}

/* Old on disk, replayed: what it should be. */
static void replay_inode(void)
{
	make_link(before, 1, 'a');
	testfs_inode_poke(fs, ino, before);
	testfs_replay(fs, NULL, NULL);
	testfs_inode_peek(fs, ino, after);
}

/* The first sector of @new, the second of @before. */
static void tear_inode(const uint8_t *new)
{
	uint8_t raw[INODE];

	memcpy(raw, new, BB_SIZE);
	memcpy(raw + BB_SIZE, before + BB_SIZE, INODE - BB_SIZE);
	testfs_inode_poke(fs, ino, raw);
}

static void expect_healed(void)
{
	struct xlog_recover_result res;

	testfs_replay(fs, NULL, &res);
	testfs_inode_peek(fs, ino, found);
	cr_expect_arr_eq(found, after, INODE);
	cr_expect_eq(res.healed, 1);
	cr_expect_eq(res.bad_crc, 0);
	cr_expect(testfs_said(fs, "inode.torn"));
}

Test(torn_inode, is_healed)
{
	write_link('b');
	write_link('c');
	replay_inode();
	tear_inode(after);
	expect_healed();
}

Test(torn_inode, of_a_state_in_the_middle_is_healed_and_goes_on)
{
	struct xlog_recover_options stop = { .stop_lsn = XLOG_LSN_NONE,
					     .stop_count = 1 };
	uint8_t middle[INODE];

	write_link('b');
	write_link('c');
	replay_inode();
	testfs_inode_poke(fs, ino, before);
	testfs_replay(fs, &stop, NULL);
	testfs_inode_peek(fs, ino, middle);
	tear_inode(middle);
	expect_healed();
}

Test(torn_inode, with_an_old_core_is_replayed_and_counted)
{
	struct xlog_recover_result res;
	uint8_t raw[INODE];

	write_link('b');
	replay_inode();
	memcpy(raw, before, BB_SIZE);
	memcpy(raw + BB_SIZE, after + BB_SIZE, INODE - BB_SIZE);
	testfs_inode_poke(fs, ino, raw);
	testfs_replay(fs, NULL, &res);
	testfs_inode_peek(fs, ino, found);
	cr_expect_arr_eq(found, after, INODE);
	cr_expect_eq(res.bad_crc, 1);
	cr_expect(testfs_said(fs, "inode.crc"));
}

Test(torn_inode, that_the_log_does_not_explain_is_refused)
{
	write_link('b');
	replay_inode();
	after[INODE - 1] ^= 1;
	testfs_inode_poke(fs, ino, after);
	testfs_refuses(fs, -EBADMSG, "the log does not explain it");
}

Test(torn_inode, that_is_newer_than_the_log_is_refused)
{
	xfs_lsn_t lsn = write_link('b');

	replay_inode();
	put_be64(after + 112, lsn + 1);
	testfs_inode_poke(fs, ino, after);
	testfs_refuses(fs, -EBADMSG, "the log does not explain it");
}

Test(torn_inode, is_healed_before_its_list_pointer_changes)
{
	struct xlog_recover_options stop = { .stop_lsn = XLOG_LSN_NONE,
					     .stop_count = 1 };
	uint8_t middle[INODE];

	/* the disk has the first of the two, torn */
	write_link('b');
	write_unlinked(70);
	replay_inode();
	cr_assert_eq(get_be32(after + 96), 70);
	testfs_inode_poke(fs, ino, before);
	testfs_replay(fs, &stop, NULL);
	testfs_inode_peek(fs, ino, middle);
	tear_inode(middle);
	expect_healed();
}

Test(torn_inode, is_healed_after_its_list_pointer_changed)
{
	/* the checksum on disk is of both, the LSN is of the first */
	write_link('b');
	write_unlinked(70);
	replay_inode();
	tear_inode(after);
	expect_healed();
}

Test(torn_inode, is_healed_between_changes_of_its_list_pointer)
{
	struct xlog_recover_options stop = { .stop_lsn = XLOG_LSN_NONE,
					     .stop_count = 2 };
	uint8_t middle[INODE];

	write_link('b');
	write_unlinked(70);
	write_unlinked(71);
	write_link('c');
	replay_inode();
	testfs_inode_poke(fs, ino, before);
	testfs_replay(fs, &stop, NULL);
	testfs_inode_peek(fs, ino, middle);
	cr_assert_eq(get_be32(middle + 96), 70);
	tear_inode(middle);
	expect_healed();
}

Test(torn_inode, of_which_the_log_has_only_the_list_pointer_is_counted)
{
	struct xlog_recover_result res;

	write_unlinked(70);
	make_link(before, 1, 'a');
	before[INODE - 1] ^= 1;
	testfs_inode_poke(fs, ino, before);
	testfs_replay(fs, NULL, &res);
	testfs_inode_peek(fs, ino, found);
	cr_expect_eq(get_be32(found + 96), 70);
	cr_expect(xfs_crc_ok(found, INODE, 100));
	cr_expect_eq(res.bad_crc, 1);
	cr_expect_not(testfs_said(fs, "inode 0"));
}

/* --- too many of them --- */

TestSuite(torn_many, .init = open_fs, .fini = close_fs);

Test(torn_many, are_bounded)
{
	enum { COUNT = ((1 << 20) / 8 / 112 / 32 + 1) * 32, SIZE = 512 };
	struct xlog_recover_options opts = { .stop_lsn = XLOG_LSN_NONE,
					     .max_memory_bytes = 1 << 20 };
	const struct xfs_geom *g = &fs->log->geom;
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;
	uint8_t raw[SIZE];
	xfs_ino_t base;

	cr_assert_eq(g->inodesize, SIZE);
	base = xfs_ino_make(g, xfs_daddr_agno(g, at), xfs_daddr_agbno(g, at) <<
			   g->inopblog);
	for (unsigned int i = 0; i < COUNT; i++) {
		testfs_file(fs, raw, base + i, 1, 5);
		testcp_inode(cp, &(struct testinode){ .ino = base + i,
						      .raw = raw });
		raw[XFS_DINODE_CRC_OFF] ^= 1;
		testfs_inode_poke(fs, base + i, raw);
	}
	testcp_write(cp);
	testfs_mark(fs);
	cr_expect_eq(xlog_recover(fs->log, &opts, &res), -ENOMEM);
	cr_expect(testfs_said(fs, "can keep track of"), "%s", fs->reports);
	cr_expect(testfs_untouched(fs));
	/* with more memory it is only odd */
	opts.max_memory_bytes *= 4;
	testfs_replay(fs, &opts, &res);
	cr_expect_eq(res.bad_crc, COUNT);
}
