/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BUF items: which of them count, and what becomes of the block. Each test
 * writes checkpoints to a log, replays it, and looks at the blocks.
 */
#include "libxfsfmt/crc32c.h"
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = 8,
	BODY = 1024,			/* byte of a block behind its header */
	CHUNK = 128,
	BODY_CHUNK = BODY / CHUNK,
};

static struct testfs *fs;
static xfs_daddr_t at;			/* of the block the tests play with */
static uint8_t image[BLOCK];

static void open_v5(void)
{
	fs = testfs_open("linux618/never");
	at = testfs_free(fs, 0);
}

static void open_v4(void)
{
	fs = testfs_open("other/v4-noflush");
	testfs_erase_log(fs);
	at = testfs_free(fs, 0);
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(replay_buf, .init = open_v5, .fini = close_fs);
TestSuite(replay_buf_v4, .init = open_v4, .fini = close_fs);

/* What lies at @daddr before replay: a block of that LSN, full of @fill. */
static void on_disk(xfs_daddr_t daddr, xfs_lsn_t lsn, uint8_t fill)
{
	testfs_block(fs, image, daddr, lsn, fill);
	testfs_poke(fs, daddr, image, BLOCK);
}

/* All of a block full of @fill. The LSN in the log is an old one. */
static void log_all(struct testcp *cp, xfs_daddr_t daddr, uint8_t fill)
{
	testfs_block(fs, image, daddr, 7, fill);
	testcp_buf(cp, &(struct testbuf){ .daddr = daddr, .len_bb = BLOCK_BB,
					  .image = image });
}

/* Chunk @chunk of it. */
static void log_chunk(struct testcp *cp, xfs_daddr_t daddr, uint32_t chunk,
		      uint8_t fill)
{
	testfs_block(fs, image, daddr, 7, fill);
	testcp_buf(cp, &(struct testbuf){ .daddr = daddr, .len_bb = BLOCK_BB,
					  .image = image, .first = chunk,
					  .chunks = 1 });
}

static xfs_lsn_t write_all(xfs_daddr_t daddr, uint8_t fill)
{
	struct testcp *cp = testcp_new(fs);

	log_all(cp, daddr, fill);
	return testcp_write(cp);
}

static xfs_lsn_t write_chunk(xfs_daddr_t daddr, uint32_t chunk, uint8_t fill)
{
	struct testcp *cp = testcp_new(fs);

	log_chunk(cp, daddr, chunk, fill);
	return testcp_write(cp);
}

static xfs_lsn_t write_cancel(xfs_daddr_t daddr, uint32_t len_bb)
{
	struct testcp *cp = testcp_new(fs);

	testcp_cancel(cp, daddr, len_bb);
	return testcp_write(cp);
}

/* The LSN that the next record will have. */
static xfs_lsn_t next_lsn(void)
{
	struct xlog_bounds b;

	cr_assert_eq(xlog_find(fs->log, 0, &b), 0);
	return b.head;
}

/* --- the LSN rule --- */

Test(replay_buf, applies_to_an_older_block_and_stamps_it)
{
	struct xlog_recover_result res;
	xfs_lsn_t lsn;

	on_disk(at, next_lsn() - 1, 0x11);
	lsn = write_all(at, 0x22);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_block_lsn(fs, at), lsn);
	cr_expect(testfs_block_sound(fs, at));
	cr_expect_eq(res.buffers, 1);
	cr_expect_eq(res.newer, 0);
	cr_expect_eq(res.changed, 1);
	cr_expect(res.wrote);
}

Test(replay_buf, does_not_apply_to_a_block_of_the_same_lsn)
{
	struct xlog_recover_result res;
	xfs_lsn_t lsn = next_lsn();

	on_disk(at, lsn, 0x11);
	cr_assert_eq(write_all(at, 0x22), lsn);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x11);
	cr_expect_eq(testfs_block_lsn(fs, at), lsn);
	cr_expect_eq(res.buffers, 0);
	cr_expect_eq(res.newer, 1);
	cr_expect_eq(res.changed, 0);
}

Test(replay_buf, does_not_apply_to_a_newer_block)
{
	struct xlog_recover_result res;
	xfs_lsn_t lsn = write_all(at, 0x22);

	write_all(testfs_free(fs, 1), 0x33);
	on_disk(at, lsn + 1, 0x11);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x11);
	cr_expect_eq(testfs_block_lsn(fs, at), lsn + 1);
	cr_expect_eq(res.newer, 1);
}

Test(replay_buf, what_the_block_had_before_counts_not_what_replay_gave_it)
{
	struct testcp *a = testcp_new(fs), *b = testcp_new(fs);
	struct xlog_recover_result res;
	xfs_lsn_t lsn;

	/* two checkpoints of one LSN: their STARTs share a record */
	on_disk(at, next_lsn() - 1, 0x11);
	testcp_start(a);
	testcp_start(b);
	log_chunk(a, at, BODY_CHUNK, 0x22);
	log_chunk(a, at, BODY_CHUNK + 1, 0x22);
	log_chunk(b, at, BODY_CHUNK + 1, 0x33);
	log_chunk(b, at, BODY_CHUNK + 2, 0x33);
	testcp_body(a);
	testcp_commit(a);
	lsn = testfs_record(fs);
	testcp_body(b);
	testcp_commit(b);
	testfs_record(fs);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x33);
	cr_expect_eq(testfs_byte(fs, at, BODY + 2 * CHUNK), 0x33);
	cr_expect_eq(testfs_byte(fs, at, BODY + 3 * CHUNK), 0x11);
	cr_expect_eq(testfs_block_lsn(fs, at), lsn);
	cr_expect_eq(res.buffers, 4);
	cr_expect_eq(res.checkpoints, 2);
}

Test(replay_buf, stamps_the_lsn_of_start_not_of_commit)
{
	struct testcp *cp = testcp_new(fs);
	xfs_lsn_t start;

	on_disk(at, 1, 0x11);
	log_all(cp, at, 0x22);
	testcp_start(cp);
	start = testfs_record(fs);
	testcp_body(cp);
	testfs_record(fs);
	testcp_commit(cp);
	testfs_record(fs);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_block_lsn(fs, at), start);
}

Test(replay_buf, stamps_once_with_the_highest_lsn_applied)
{
	struct xlog_recover_result res;
	xfs_lsn_t last;

	on_disk(at, 1, 0x11);
	write_chunk(at, BODY_CHUNK, 0x22);
	last = write_chunk(at, BODY_CHUNK + 1, 0x33);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x33);
	cr_expect_eq(testfs_block_lsn(fs, at), last);
	cr_expect(testfs_block_sound(fs, at));
	cr_expect_eq(res.buffers, 2);
	cr_expect_eq(res.changed, 1);
}

Test(replay_buf, only_the_newer_of_two_items_applies)
{
	struct xlog_recover_result res;
	xfs_lsn_t first = write_chunk(at, BODY_CHUNK, 0x22);

	write_chunk(at, BODY_CHUNK + 1, 0x33);
	on_disk(at, first, 0x11);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x11);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x33);
	cr_expect_eq(res.buffers, 1);
	cr_expect_eq(res.newer, 1);
}

Test(replay_buf, a_block_of_another_filesystem_is_overwritten)
{
	xfs_lsn_t lsn = write_all(at, 0x22);

	testfs_block(fs, image, at, lsn + 100, 0x11);
	image[32] ^= 1;
	put_le32(image + 52, 0);
	testfs_poke(fs, at, image, BLOCK);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_block_lsn(fs, at), lsn);
}

Test(replay_buf, an_lsn_of_zero_or_none_is_no_lsn)
{
	xfs_daddr_t other = testfs_free(fs, 1);

	on_disk(at, 0, 0x11);
	on_disk(other, XFS_NULL_LSN, 0x11);
	write_all(at, 0x22);
	write_all(other, 0x22);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_byte(fs, other, BODY), 0x22);
}

Test(replay_buf, a_block_of_no_kind_is_overwritten)
{
	xfs_lsn_t lsn = write_all(at, 0x22);

	testfs_block(fs, image, at, lsn + 100, 0x11);
	image[0] = 'Z';
	testfs_poke(fs, at, image, BLOCK);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_block_lsn(fs, at), lsn);
}

Test(replay_buf, bytes_that_were_not_logged_stay)
{
	on_disk(at, 1, 0x11);
	write_chunk(at, BODY_CHUNK, 0x22);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, at, BODY - 1), 0x11);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK - 1), 0x22);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x11);
	cr_expect_eq(testfs_byte(fs, at, BLOCK - 1), 0x11);
}

Test(replay_buf, big_endian_items_are_the_same)
{
	struct xlog_recover_result res;
	struct testcp *cp;
	xfs_lsn_t lsn;

	fs->order = XFS_BE;
	cp = testcp_new(fs);
	on_disk(at, 1, 0x11);
	log_chunk(cp, at, BODY_CHUNK, 0x22);
	testcp_cancel(cp, testfs_free(fs, 1), BLOCK_BB);
	lsn = testcp_write(cp);
	write_all(testfs_free(fs, 2), 0x33);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_block_lsn(fs, at), lsn);
	cr_expect_eq(testfs_byte(fs, testfs_free(fs, 2), BODY), 0x33);
	cr_expect_eq(res.buffers, 2);
}

/* --- what a block is --- */

Test(replay_buf, a_block_of_another_kind_than_logged_gets_no_stamp)
{
	struct testcp *cp = testcp_new(fs);

	on_disk(at, 1, 0x11);
	testfs_block(fs, image, at, 7, 0x22);
	testcp_buf(cp, &(struct testbuf){
		.daddr = at, .len_bb = BLOCK_BB, .image = image,
		.flags = XFS_BLFT_DIR_DATA << XFS_BLF_TYPE_SHIFT });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_block_lsn(fs, at), 7);
	cr_expect(testfs_said(fs, "block.type"));
}

Test(replay_buf, refuses_to_leave_a_block_that_is_not_sound)
{
	struct testcp *cp = testcp_new(fs);

	/* it says that it lies elsewhere */
	on_disk(at, 1, 0x11);
	testfs_block(fs, image, at + 8, 7, 0x22);
	testcp_buf(cp, &(struct testbuf){ .daddr = at, .len_bb = BLOCK_BB,
					  .image = image });
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "btree block of another place");
}

Test(replay_buf, refuses_a_newer_block_that_is_not_sound)
{
	xfs_lsn_t lsn = write_all(at, 0x22);

	write_all(testfs_free(fs, 1), 0x33);
	testfs_block(fs, image, at, lsn + 1, 0x11);
	put_be32(image + 8, 0x7fffffff);	/* sibling */
	put_le32(image + 52, 0);
	testfs_poke(fs, at, image, BLOCK);
	/* the checksum is right, or it would count as torn */
	testfs_block(fs, image, at, lsn + 1, 0x11);
	put_be16(image + 6, 9999);		/* records */
	put_le32(image + 52, xfs_crc_block(image, BLOCK, 52));
	testfs_poke(fs, at, image, BLOCK);
	testfs_refuses(fs, -EUCLEAN, "more records than it has room for");
}

Test(replay_buf, a_newer_block_of_another_kind_is_only_told_of)
{
	struct testcp *cp = testcp_new(fs);

	on_disk(at, next_lsn(), 0x11);
	testfs_block(fs, image, at, 7, 0x22);
	testcp_buf(cp, &(struct testbuf){
		.daddr = at, .len_bb = BLOCK_BB, .image = image,
		.flags = XFS_BLFT_AGF << XFS_BLF_TYPE_SHIFT });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x11);
	cr_expect(testfs_said(fs, "not of the kind the log says (5)"));
}

Test(replay_buf, refuses_a_block_that_is_newer_than_the_log)
{
	/* Linux does, too: it would skip what the log has for the block */
	write_all(at, 0x22);
	on_disk(at, next_lsn(), 0x11);
	testfs_replay(fs, NULL, NULL);
	on_disk(at, next_lsn() + 1, 0x11);
	testfs_refuses(fs, -EUCLEAN, "newer than the log");
}

Test(replay_buf, a_bitmap_block_without_header_is_copied_as_it_is)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t found[BLOCK];

	/* on disk, and in the log, it happens to look like another block */
	on_disk(at, next_lsn() + 100, 0x11);
	testfs_block(fs, image, at, 7, 0x22);
	testcp_buf(cp, &(struct testbuf){
		.daddr = at, .len_bb = BLOCK_BB, .image = image,
		.flags = XFS_BLFT_RTBITMAP << XFS_BLF_TYPE_SHIFT });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at, found, BLOCK);
	cr_expect_arr_eq(found, image, BLOCK);
}

Test(replay_buf, not_even_if_it_begins_like_one_with_a_header)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t found[BLOCK];

	memset(image, 0x22, BLOCK);
	memcpy(image, "BMPZ", 4);
	testcp_buf(cp, &(struct testbuf){
		.daddr = at, .len_bb = BLOCK_BB, .image = image,
		.flags = XFS_BLFT_RTBITMAP << XFS_BLF_TYPE_SHIFT });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at, found, BLOCK);
	cr_expect_arr_eq(found, image, BLOCK);
}

/* --- cancellation --- */

Test(replay_buf, what_was_logged_before_a_cancel_does_not_count)
{
	struct xlog_recover_result res;

	on_disk(at, 1, 0x11);
	write_all(at, 0x22);
	write_cancel(at, BLOCK_BB);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x11);
	cr_expect_eq(testfs_block_lsn(fs, at), 1);
	cr_expect_eq(res.changed, 0);
}

Test(replay_buf, what_is_logged_after_a_cancel_counts)
{
	struct xlog_recover_result res;

	on_disk(at, 1, 0x11);
	write_chunk(at, BODY_CHUNK, 0x22);
	write_cancel(at, BLOCK_BB);
	write_chunk(at, BODY_CHUNK + 1, 0x33);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x11);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x33);
	cr_expect_eq(res.cancelled, 1);
	cr_expect_eq(res.buffers, 1);
}

Test(replay_buf, the_last_of_several_cancels_decides)
{
	on_disk(at, 1, 0x11);
	write_cancel(at, BLOCK_BB);
	write_chunk(at, BODY_CHUNK, 0x22);
	write_cancel(at, BLOCK_BB);
	write_chunk(at, BODY_CHUNK + 1, 0x33);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x11);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x33);
}

Test(replay_buf, a_cancel_counts_for_all_of_its_checkpoint)
{
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;

	on_disk(at, 1, 0x11);
	testcp_cancel(cp, at, BLOCK_BB);
	log_all(cp, at, 0x22);		/* behind it, in the log */
	testcp_write(cp);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x11);
	cr_expect_eq(res.changed, 0);
}

Test(replay_buf, a_cancel_of_another_length_is_of_another_buffer)
{
	on_disk(at, 1, 0x11);
	write_all(at, 0x22);
	write_cancel(at, 2 * BLOCK_BB);
	write_cancel(at, 1);
	write_cancel(at + 1, BLOCK_BB);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
}

Test(replay_buf, a_cancel_without_commit_does_not_count)
{
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;

	on_disk(at, 1, 0x11);
	write_all(at, 0x22);
	testcp_start(cp);
	testcp_cancel(cp, at, BLOCK_BB);
	testcp_body(cp);
	testcp_drop(cp);
	testfs_record(fs);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(res.uncommitted, 1);
	cr_expect_eq(res.checkpoints, 1);
}

Test(replay_buf, a_checkpoint_over_many_records_applies)
{
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;
	xfs_lsn_t lsn;

	for (unsigned int i = 0; i < 40; i++)
		log_all(cp, testfs_free(fs, i), (uint8_t)(0x40 + i));
	lsn = testcp_write(cp);
	testfs_replay(fs, NULL, &res);
	cr_expect_gt(res.records, 4);
	for (unsigned int i = 0; i < 40; i++) {
		cr_expect_eq(testfs_byte(fs, testfs_free(fs, i), BODY),
			     0x40 + i);
		cr_expect_eq(testfs_block_lsn(fs, testfs_free(fs, i)), lsn);
	}
	cr_expect_eq(res.buffers, 40);
}

/* --- version 4 --- */

Test(replay_buf_v4, everything_applies_and_nothing_is_stamped)
{
	struct xlog_recover_result res;
	uint8_t found[BLOCK];

	on_disk(at, 0, 0x11);
	write_all(at, 0x22);
	write_chunk(at, BODY_CHUNK, 0x33);
	testfs_replay(fs, NULL, &res);
	testfs_peek(fs, at, found, BLOCK);
	testfs_block(fs, image, at, 0, 0x22);
	memset(image + BODY, 0x33, CHUNK);
	cr_expect_arr_eq(found, image, BLOCK);
	cr_expect_eq(res.buffers, 2);
	cr_expect_eq(res.newer, 0);
}

Test(replay_buf_v4, a_symbolic_link_may_begin_with_any_text)
{
	static const char *const texts[] = { "XSLM/x", "IN", "XAGF", "DQ" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct testcp *cp = testcp_new(fs);

		memset(image, 'a', BLOCK);
		memcpy(image, texts[i], strlen(texts[i]));
		testcp_buf(cp, &(struct testbuf){
			.daddr = testfs_free(fs, (unsigned int)i),
			.len_bb = BLOCK_BB, .image = image, .chunks = 4,
			.flags = XFS_BLFT_SYMLINK << XFS_BLF_TYPE_SHIFT });
		testcp_write(cp);
	}
	testfs_replay(fs, NULL, NULL);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_eq(testfs_byte(fs, testfs_free(fs, (unsigned int)i),
					 0), texts[i][0]);
}

Test(replay_buf_v4, kinds_are_not_guessed_where_the_log_does_not_name_them)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t found[BLOCK];

	/* kernels before 3.10 do not say what a buffer is */
	memset(image, 'a', BLOCK);
	memcpy(image, "IN", 2);
	testcp_buf(cp, &(struct testbuf){
		.daddr = at, .len_bb = BLOCK_BB, .image = image,
		.flags = 0x400 });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at, found, BLOCK);
	cr_expect_arr_eq(found, image, BLOCK);
}
