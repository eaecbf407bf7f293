/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/lib/testlog.h"
#include "tests/lib/testfind.h"

TestSuite(find, .fini = end);

Test(find, calls_a_log_of_zeros_empty)
{
	testlog_init(&t, NBB, 2);
	find();
	cr_assert_eq(bounds.state, XLOG_EMPTY);
	assert_lsn(bounds.head, 1, 0);
}

Test(find, takes_a_fresh_unmount_record_for_clean)
{
	testlog_init(&t, NBB, 2);
	testlog_unmount(&t, xfs_lsn_make(1, 0));
	find();
	cr_assert_eq(bounds.state, XLOG_CLEAN);
	assert_lsn(bounds.head, 1, 2);
	assert_lsn(bounds.tail, 1, 2);
	assert_lsn(bounds.last_record, 1, 0);
}

Test(find, does_not_take_fillers_ahead_of_the_head_for_records)
{
	testlog_init(&t, NBB, 2);
	testlog_unmount(&t, xfs_lsn_make(1, 0));
	testlog_fillers(&t, 0, 2, 4096, xfs_lsn_make(1, 0));
	find();
	cr_assert_eq(bounds.state, XLOG_CLEAN);
	assert_lsn(bounds.head, 1, 2);
}

Test(find, ends_a_first_lap_at_the_first_unwritten_block)
{
	testlog_init(&t, NBB, 2);
	fill_to(1, 5000, 20);
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	assert_lsn(bounds.head, 1, t.block);
	assert_lsn(bounds.tail, 1, t.block - 21 * 63);
	cr_assert_str_empty(bounds.refused);
}

Test(find, goes_back_to_a_hole_in_the_first_lap)
{
	static const uint8_t zero[BB_SIZE];

	testlog_init(&t, NBB, 2);
	fill_to(1, 5000, 20);
	/* the middle of the third record from the end never got there */
	testlog_poke(&t, t.block - 3 * 63 + 30, 0, zero, BB_SIZE);
	find();
	assert_lsn(bounds.head, 1, t.block - 3 * 63);
	cr_assert(testlog_said(&t, "a hole in the newest writes"));
}

Test(find, finds_the_head_where_the_lap_changes)
{
	testlog_init(&t, NBB, 2);
	fill_to(3, 7000, 20);
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	assert_lsn(bounds.head, 3, t.block);
	assert_lsn(bounds.tail, 3, t.block - 21 * 63);
}

Test(find, finds_a_tail_in_the_lap_before)
{
	testlog_init(&t, NBB, 2);
	fill_to(3, 300, 20);
	find();
	assert_lsn(bounds.head, 3, t.block);
	assert_lsn(bounds.tail, 2, t.block + NBB - 21 * 63);
}

Test(find, finds_head_zero_when_a_lap_has_just_ended)
{
	testlog_init(&t, 63 * 400, 2);
	fill_to(2, 0, 20);
	cr_assert_eq(t.block, 0);
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	assert_lsn(bounds.head, 2, 0);
	assert_lsn(bounds.tail, 1, 63 * 400 - 21 * 63);
}

Test(find, goes_back_to_a_hole_before_the_physical_end)
{
	uint8_t old[63 * BB_SIZE];

	testlog_init(&t, 63 * 400, 2);
	fill_to(2, 0, 20);
	testlog_peek(&t, 63 * 398, old, 63);
	fill_to(3, 0, 20);
	/* of the last but one record of lap 2, nothing arrived */
	for (uint32_t i = 0; i < 63; i++)
		testlog_poke(&t, 63 * 398 + i, 0, old + i * BB_SIZE, BB_SIZE);
	find();
	assert_lsn(bounds.head, 2, 63 * 398);
	cr_assert(testlog_said(&t, "ends at block 25074, not at 25200"));
}

Test(find, goes_back_over_the_physical_end_to_a_hole)
{
	uint8_t old[63 * BB_SIZE];

	testlog_init(&t, 63 * 400, 2);
	fill_to(2, 0, 20);
	testlog_peek(&t, 63 * 399, old, 63);
	fill_to(3, 3 * 63, 20);
	for (uint32_t i = 0; i < 63; i++)
		testlog_poke(&t, 63 * 399 + i, 0, old + i * BB_SIZE, BB_SIZE);
	find();
	assert_lsn(bounds.head, 2, 63 * 399);
}

Test(find, takes_a_last_record_that_wraps_the_end)
{
	testlog_init(&t, NBB, 2);
	fill_to(2, 1, 20);
	cr_assert_gt(t.block, 0);
	cr_assert_lt(t.block, 63);
	find();
	assert_lsn(bounds.head, 2, t.block);
	cr_assert_str_empty(bounds.refused, "%s", bounds.refused);
}

Test(find, drops_a_wrapping_record_whose_end_did_not_arrive)
{
	uint8_t old[BB_SIZE];
	uint32_t start;

	testlog_init(&t, NBB, 2);
	fill_to(2, 0, 20);		/* lap 1 is written, lap 2 begins */
	start = t.prev;
	fill_to(2, NBB - 64, 20);
	testlog_peek(&t, 0, old, 1);
	start = t.block;
	fill_to(3, 1, 20);
	testlog_poke(&t, 0, 0, old, BB_SIZE);
	find();
	assert_lsn(bounds.head, 2, start);
}

Test(find, drops_a_last_record_that_is_longer_than_its_blocks)
{
	uint8_t len[4];
	uint32_t head;

	testlog_init(&t, NBB, 2);
	fill_to(1, 5000, 20);
	head = t.prev;
	put_be32(len, 60 * BB_SIZE);
	testlog_poke(&t, head, 12, len, 4);
	find();
	assert_lsn(bounds.head, 1, head);
	cr_assert(testlog_said(&t, "torn write"));
}

Test(find, cuts_a_record_with_a_wrong_checksum_off_the_end)
{
	uint32_t head;

	testlog_init(&t, NBB, 2);
	fill_to(2, 9000, 20);
	head = t.prev;
	testlog_poke(&t, head + 40, 100, "?", 1);
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	assert_lsn(bounds.head, 2, head);
	cr_assert_eq(bounds.torn_block, head);
	cr_assert_str_empty(bounds.refused);
	cr_assert(testlog_said(&t, "torn write"));
}

Test(find, cuts_the_log_before_the_oldest_torn_record_of_eight)
{
	testlog_init(&t, NBB, 2);
	fill_to(2, 9000, 20);
	testlog_poke(&t, t.block - 8 * 63 + 5, 100, "?", 1);
	find();
	assert_lsn(bounds.head, 2, t.block - 8 * 63);
	cr_assert_str_empty(bounds.refused);
}

Test(find, refuses_damage_further_back_than_eight_records)
{
	testlog_init(&t, NBB, 2);
	fill_to(2, 9000, 20);
	testlog_poke(&t, t.block - 9 * 63 + 5, 100, "?", 1);
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	assert_lsn(bounds.head, 2, t.block);
	cr_assert(strstr(bounds.refused, "damaged record"), "%s",
		  bounds.refused);
}

Test(find, finds_a_log_clean_again_when_what_was_torn_followed_an_unmount)
{
	xfs_lsn_t um;

	testlog_init(&t, NBB, 2);
	fill_to(1, 3000, 20);
	um = testlog_unmount(&t, xfs_lsn_make(t.cycle, t.prev));
	testlog_append(&t, 10, um);
	testlog_poke(&t, t.prev + 4, 9, "?", 1);
	find();
	cr_assert_eq(bounds.state, XLOG_CLEAN);
	assert_lsn(bounds.head, 1, t.prev);
}

/* What is left when the record at the tail itself is torn is older still. */
Test(find, goes_back_behind_the_tail_when_its_record_is_torn)
{
	xfs_lsn_t a;

	testlog_init(&t, NBB, 2);
	fill_to(2, 9000, 20);
	a = xfs_lsn_make(t.cycle, t.block);
	testlog_append(&t, 10, a);
	testlog_append(&t, 10, a);
	testlog_poke(&t, xfs_lsn_block(a) + 4, 9, "?", 1);
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	assert_lsn(bounds.head, 2, xfs_lsn_block(a));
	assert_lsn(bounds.tail, 2, xfs_lsn_block(a) - 21 * 63);
	cr_assert_eq(bounds.torn_block, xfs_lsn_block(a));
	cr_assert_str_empty(bounds.refused, "%s", bounds.refused);
}

Test(find, does_not_call_a_log_clean_that_has_no_sound_record)
{
	testlog_init(&t, NBB, 2);
	fill_to(2, 9000, 20);
	/* a tail inside the last record but one: all behind it is the last */
	testlog_append(&t, 62, xfs_lsn_make(2, t.prev + 1));
	testlog_poke(&t, t.prev + 5, 100, "?", 1);
	find();
	cr_assert_neq(bounds.state, XLOG_CLEAN);
	cr_assert(strstr(bounds.refused, "no sound record"), "%s",
		  bounds.refused);
}

/* Linux takes block 0 for "none" and gives up. */
Test(find, refuses_a_torn_record_at_block_zero)
{
	testlog_init(&t, 63 * 400, 2);
	fill_to(3, 63, 20);
	testlog_poke(&t, 5, 100, "?", 1);
	find();
	cr_assert_eq(bounds.torn_block, 0);
	assert_lsn(bounds.head, 3, 0);
	cr_assert(strstr(bounds.refused, "block 0"), "%s", bounds.refused);
}

/* The tail is looked at before the log is found clean behind a torn write. */
Test(find, refuses_damage_before_an_unmount_that_something_torn_followed)
{
	xfs_lsn_t um;
	uint32_t tail;

	testlog_init(&t, NBB, 2);
	fill_to(1, 3000, 20);
	tail = t.block - 12 * 63;
	um = testlog_unmount(&t, xfs_lsn_make(t.cycle, tail));
	testlog_append(&t, 10, um);
	testlog_poke(&t, t.prev + 4, 9, "?", 1);
	testlog_poke(&t, tail + 70, 9, "?", 1);
	find();
	cr_assert_eq(bounds.state, XLOG_CLEAN);
	assert_lsn(bounds.head, 1, t.prev);
	cr_assert(strstr(bounds.refused, "damaged record"), "%s",
		  bounds.refused);
}

Test(find, refuses_a_record_of_another_filesystem_anywhere_to_be_replayed)
{
	struct testrec r = { .len_bytes = 62 * BB_SIZE, .num_ops = 2,
			     .foreign_uuid = true };

	testlog_init(&t, NBB, 2);
	fill_to(2, 9000, 20);
	r.cycle = t.cycle;
	r.block = t.block - 15 * 63;
	r.tail = xfs_lsn_make(t.cycle, r.block - 63);
	testlog_put(&t, &r);
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	cr_assert(strstr(bounds.refused, "UUID"), "%s", bounds.refused);
}

Test(find, moves_a_tail_that_the_head_was_overwriting)
{
	uint32_t tail;

	/* the head stands right before the tail, a lap later */
	testlog_init(&t, 63 * 100, 2);
	fill_to(2, 50 * 63, 0);
	t.prev = 49 * 63;
	tail = 52 * 63;
	testlog_append(&t, 62, xfs_lsn_make(1, tail));
	testlog_poke(&t, tail + 3, 50, "?", 1);
	find();
	cr_assert_str_empty(bounds.refused, "%s", bounds.refused);
	assert_lsn(bounds.tail, 1, tail + 63);
	cr_assert(testlog_said(&t, "being overwritten"));
	cr_assert_eq(xlog_find(&t.log, XLOG_FIND_QUICK, &bounds), 0);
	assert_lsn(bounds.tail, 1, tail + 63);
}

Test(find, sees_a_damaged_tail_record_in_quick_mode_too)
{
	testlog_init(&t, NBB, 2);
	fill_to(2, 9000, 20);
	testlog_poke(&t, t.block - 21 * 63 + 5, 100, "?", 1);
	cr_assert_eq(xlog_find(&t.log, XLOG_FIND_QUICK, &bounds), 0);
	cr_assert(strstr(bounds.refused, "damaged record"));
}

Test(find, refuses_a_tail_that_lies_ahead_of_the_head)
{
	testlog_init(&t, NBB, 2);
	fill_to(2, 9000, 20);
	testlog_append(&t, 10, xfs_lsn_make(2, t.block + 500));
	find();
	cr_assert(bounds.refused[0]);
}

Test(find, refuses_a_log_of_another_filesystem)
{
	testlog_init(&t, NBB, 2);
	fill_to(1, 3000, 5);
	testlog_put(&t, &(struct testrec){ .cycle = 1, .block = t.block,
		.len_bytes = 512, .num_ops = 1, .foreign_uuid = true,
		.tail = xfs_lsn_make(1, t.prev) });
	find();
	cr_assert(strstr(bounds.refused, "UUID"));
}

Test(find, notes_a_foreign_byte_order_as_a_refusal_of_a_sound_log)
{
	testlog_init(&t, NBB, 2);
	testlog_put(&t, &(struct testrec){ .cycle = 1, .block = 0,
		.len_bytes = 512, .num_ops = 2, .fmt = XLOG_FMT_LINUX_BE,
		.tail = xfs_lsn_make(1, 0) });
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	cr_assert(strstr(bounds.refused, "byte order"));
}

Test(find, accepts_a_record_without_checksum_at_the_head_of_version_4_only)
{
	struct testrec r = { .cycle = 1, .len_bytes = 512, .num_ops = 2,
			     .no_crc = true, .tail = xfs_lsn_make(1, 0) };

	testlog_init(&t, NBB, 2);
	testlog_put(&t, &r);
	t.log.info.sb_version = 4;
	find();
	cr_assert_str_empty(bounds.refused);
	t.log.info.sb_version = 5;
	find();
	cr_assert(strstr(bounds.refused, "without a checksum"));
}

Test(find, reads_a_version_1_log)
{
	testlog_init(&t, NBB, 1);
	fill_to(2, 4000, 20);
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	assert_lsn(bounds.head, 2, t.block);
	assert_lsn(bounds.tail, 2, t.block - 21 * 63);
}

Test(find, looks_back_over_512_blocks_only_in_a_version_1_log)
{
	uint8_t old[63 * BB_SIZE];

	testlog_init(&t, 63 * 400, 1);
	fill_to(2, 50 * 63, 20);
	testlog_peek(&t, 60 * 63, old, 63);
	fill_to(2, 100 * 63, 20);
	for (uint32_t i = 0; i < 63; i++)
		testlog_poke(&t, 60 * 63 + i, 0, old + i * BB_SIZE, BB_SIZE);
	find();
	/* 40 records back: no outstanding write, so the head stays */
	assert_lsn(bounds.head, 2, t.block);
}

Test(find, reads_records_with_eight_header_blocks)
{
	testlog_init(&t, NBB, 2);
	t.size_bytes = XLOG_MAX_RECORD_BYTES;
	for (int i = 0; i < 60; i++)
		testlog_append(&t, 504, i < 4 ? xfs_lsn_make(1, 0) :
			       xfs_lsn_make(t.cycle, t.prev));
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	assert_lsn(bounds.head, t.cycle, t.block);
	cr_assert_str_empty(bounds.refused, "%s", bounds.refused);
}

Test(find, has_no_head_where_no_record_is)
{
	uint8_t b[4];

	testlog_init(&t, NBB, 2);
	for (uint32_t i = 0; i < NBB; i++) {
		put_be32(b, i < 5000 ? 3 : 2);
		testlog_poke(&t, i, 0, b, 4);
	}
	find();
	cr_assert_eq(bounds.state, XLOG_CORRUPT);
	cr_assert(bounds.refused[0]);
	cr_assert_eq(bounds.head, XLOG_LSN_NONE);
}

Test(find, has_an_end_on_noise)
{
	testlog_init(&t, 4096, 2);
	for (unsigned int seed = 1; seed < 40; seed++) {
		srand(seed);
		for (uint32_t i = 0; i < 4096; i++) {
			uint8_t b[BB_SIZE];
			uint32_t word = rand() % 4 ? (uint32_t)rand() % 4 :
					XLOG_MAGIC;

			for (int k = 0; k < BB_SIZE; k++)
				b[k] = (uint8_t)(rand() % 8 ? 0 : rand());
			put_be32(b, word);
			testlog_poke(&t, i, 0, b, BB_SIZE);
		}
		t.reports[0] = 0;
		find();
		if (bounds.state == XLOG_CORRUPT)
			cr_assert(bounds.refused[0]);
		else
			cr_assert_lt(xlog_lsn_block(bounds.head), 4096);
	}
}
