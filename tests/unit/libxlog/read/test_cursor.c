/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "tests/lib/testlog.h"

enum { NBB = 20000 };

static struct testlog t;
static struct xlog_cursor *cur;
static struct xlog_record rec;

static void begin(void)
{
	testlog_init(&t, NBB, 2);
}

static void end(void)
{
	xlog_cursor_close(cur);
	testlog_fini(&t);
}

TestSuite(cursor, .init = begin, .fini = end);

static void open_cursor(enum xlog_walk walk, uint32_t from, uint32_t to)
{
	xlog_cursor_close(cur);
	cr_assert_eq(xlog_cursor_open(&t.log, walk, from, to, &cur), 0);
}

Test(cursor, gives_records_with_their_own_words_back)
{
	testlog_append(&t, 62, 0);
	testlog_append(&t, 5, 0);
	open_cursor(XLOG_WALK_LOG, 0, t.block);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(rec.block, 0);
	cr_assert_eq(rec.bb, 63);
	cr_assert_eq(rec.crc, XLOG_CRC_OK);
	for (uint32_t i = 0; i < rec.len_bytes; i++)
		cr_assert_eq(rec.data[i], (uint8_t)(31 + i));
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(rec.block, 63);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 0);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 0);
}

Test(cursor, gives_a_record_that_wraps_the_end_in_one_piece)
{
	for (uint32_t cut = 1; cut <= 62; cut++) {
		t.cycle = 4;
		t.block = NBB - cut;
		testlog_append(&t, 62, 0);
		open_cursor(XLOG_WALK_LOG, NBB - cut, t.block);
		cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
		cr_assert_eq(rec.crc, XLOG_CRC_OK);
		for (uint32_t i = 0; i < rec.len_bytes; i++)
			cr_assert_eq(rec.data[i],
				     (uint8_t)((NBB - cut) * 7 + 4 * 31 + i));
		cr_assert_eq(xlog_cursor_next(cur, &rec), 0);
	}
}

Test(cursor, gives_a_record_whose_header_blocks_wrap)
{
	t.size_bytes = XLOG_MAX_RECORD_BYTES;
	for (uint32_t cut = 1; cut < 8; cut++) {
		t.cycle = 4;
		t.block = NBB - cut;
		testlog_append(&t, 300, 0);
		open_cursor(XLOG_WALK_LOG, NBB - cut, t.block);
		cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
		cr_assert_eq(rec.header_bb, 8);
		cr_assert_eq(rec.crc, XLOG_CRC_OK);
		cr_assert_eq(rec.data[299 * BB_SIZE],
			     (uint8_t)((NBB - cut) * 7 + 4 * 31));
	}
}

Test(cursor, walks_the_whole_log_over_its_end)
{
	uint32_t n = 0, bb = 0;
	int rc;

	for (t.cycle = 1; t.cycle < 3 || t.block < 9000;)
		testlog_append(&t, 62, 0);
	/* from the first record behind the head, all around */
	open_cursor(XLOG_WALK_PHYSICAL, t.block, NBB);
	do
		cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	while (rec.extent != XLOG_RECORD);
	open_cursor(XLOG_WALK_LOG, rec.block, t.block);
	for (; (rc = xlog_cursor_next(cur, &rec)) == 1; n++) {
		cr_assert_eq(rec.crc, XLOG_CRC_OK);
		bb += rec.bb;
	}
	cr_assert_eq(rc, 0, "%s", t.reports);
	cr_assert_eq(bb, n * 63);
	cr_assert_gt(n, NBB / 63 - 3);
}

Test(cursor, ends_at_a_record_with_a_wrong_checksum)
{
	testlog_append(&t, 62, 0);
	testlog_append(&t, 62, 0);
	testlog_append(&t, 62, 0);
	testlog_poke(&t, 63 + 9, 77, "?", 1);
	open_cursor(XLOG_WALK_LOG, 0, t.block);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(xlog_cursor_next(cur, &rec), -EBADMSG);
	cr_assert_eq(rec.block, 63);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 0);
	cr_assert(testlog_said(&t, "checksum"));
}

Test(cursor, resync_gives_a_record_with_a_wrong_checksum_and_says_so)
{
	testlog_append(&t, 62, 0);
	testlog_append(&t, 62, 0);
	testlog_poke(&t, 9, 77, "?", 1);
	open_cursor(XLOG_WALK_LOG_RESYNC, 0, t.block);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(rec.crc, XLOG_CRC_BAD);
	cr_assert(testlog_said(&t, "checksum"));
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(rec.crc, XLOG_CRC_OK);
}

Test(cursor, resync_goes_on_behind_a_header_that_is_none)
{
	testlog_append(&t, 62, 0);
	testlog_append(&t, 62, 0);
	testlog_append(&t, 62, 0);
	testlog_poke(&t, 63, 0, "....", 4);
	open_cursor(XLOG_WALK_LOG_RESYNC, 0, t.block);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(xlog_cursor_next(cur, &rec), -EUCLEAN);
	cr_assert_eq(rec.block, 63);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(rec.block, 126);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 0);
}

static void lie(uint32_t off, uint32_t value)
{
	uint8_t b[4];

	testlog_append(&t, 62, 0);
	testlog_append(&t, 62, 0);
	put_be32(b, value);
	testlog_poke(&t, 0, off, b, 4);
	open_cursor(XLOG_WALK_LOG, 0, t.block);
	cr_assert_lt(xlog_cursor_next(cur, &rec), 0);
	cr_assert_eq(rec.block, 0);
}

Test(cursor, refuses_a_payload_of_zero_bytes)
{
	lie(12, 0);
}

Test(cursor, refuses_a_payload_beyond_the_head)
{
	lie(12, 200 * BB_SIZE);
}

Test(cursor, refuses_a_payload_of_4_gib)
{
	lie(12, UINT32_MAX);
}

Test(cursor, refuses_a_payload_larger_than_its_buffer)
{
	lie(320, 16384);
}

Test(cursor, refuses_a_buffer_size_of_4_gib)
{
	lie(320, UINT32_MAX);
}

Test(cursor, refuses_an_unknown_version)
{
	lie(8, 4);
}

Test(cursor, refuses_version_zero)
{
	lie(8, 0);
}

Test(cursor, accounts_for_every_block_of_a_physical_walk)
{
	uint32_t bb = 0, seen[5] = { 0 };
	int rc;

	for (int i = 0; i < 50; i++)
		testlog_append(&t, 62, 0);
	testlog_poke(&t, 630, 0, "\0\0\0\1", 4);	/* header gone */
	testlog_poke(&t, 1260 + 5, 0, "\0\0\0\7", 4);	/* block replaced */
	testlog_fillers(&t, 0, 4000, 300, 0);
	open_cursor(XLOG_WALK_PHYSICAL, 0, NBB);
	while ((rc = xlog_cursor_next(cur, &rec)) == 1) {
		cr_assert_eq(rec.block, bb);
		bb += rec.bb;
		seen[rec.extent]++;
	}
	cr_assert_eq(rc, 0);
	cr_assert_eq(bb, NBB);
	cr_assert_eq(seen[XLOG_RECORD], 48);
	cr_assert_eq(seen[XLOG_PARTIAL], 1);
	cr_assert_eq(seen[XLOG_FILLER], 1);
	cr_assert_eq(seen[XLOG_ZERO], 2);
	cr_assert_geq(seen[XLOG_STRAY], 2);
}

Test(cursor, accepts_the_checksum_of_a_32_bit_writer)
{
	uint8_t h[BB_SIZE], crc[4];
	uint8_t blocks[5 * BB_SIZE];

	testlog_append(&t, 5, 0);
	testlog_peek(&t, 0, h, 1);
	testlog_peek(&t, 1, blocks, 5);
	put_le32(crc, xlog_rec_crc(h, XLOG_HEADER_CRC_BYTES_I386, 1, blocks,
				   sizeof(blocks), true));
	testlog_poke(&t, 0, 32, crc, 4);
	open_cursor(XLOG_WALK_LOG, 0, t.block);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(rec.crc, XLOG_CRC_OTHER_SIZE);
}

Test(cursor, takes_a_version_1_payload_that_ends_inside_a_block)
{
	testlog_fini(&t);
	testlog_init(&t, NBB, 1);
	testlog_put(&t, &(struct testrec){ .cycle = 1, .block = 0,
		.len_bytes = 20, .num_ops = 1 });
	testlog_put(&t, &(struct testrec){ .cycle = 1, .block = 2,
		.len_bytes = 700, .num_ops = 1 });
	open_cursor(XLOG_WALK_LOG, 0, 5);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(rec.bb, 2);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_eq(rec.bb, 3);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 0);
}

Test(cursor, refuses_a_range_outside_the_log)
{
	struct xlog_cursor *c;

	cr_assert_eq(xlog_cursor_open(&t.log, XLOG_WALK_LOG, NBB, 0, &c),
		     -EINVAL);
	cr_assert_eq(xlog_cursor_open(&t.log, XLOG_WALK_PHYSICAL, 5, 4, &c),
		     -EINVAL);
}

Test(cursor, says_that_a_record_is_not_where_its_header_says)
{
	uint8_t lsn[8];

	testlog_append(&t, 5, 0);
	testlog_append(&t, 5, 0);
	put_be64(lsn, xfs_lsn_make(1, 7));
	testlog_poke(&t, 6, 16, lsn, sizeof(lsn));
	open_cursor(XLOG_WALK_LOG_RESYNC, 0, t.block);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert_str_empty(t.reports);
	cr_assert_eq(xlog_cursor_next(cur, &rec), 1);
	cr_assert(testlog_said(&t, "log.lsn block 6: the record there says that it is 1:7"));
}
