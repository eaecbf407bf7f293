/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/lib/testlog.h"
#include "tests/lib/testfind.h"

TestSuite(find_window, .fini = end);

/*
 * Any subset of the blocks of the newest writes may be missing after a crash;
 * what stands there then is the lap before. The log ends before the first
 * record that is not whole, whatever came after it.
 */
static void lose_blocks(uint32_t lap_bb, uint32_t end_block, unsigned int seed)
{
	uint32_t nrec = 8, first_lost = UINT32_MAX;
	static uint8_t old[8 * 63 * BB_SIZE];
	uint32_t start;

	testlog_init(&t, lap_bb, 2);
	fill_to(3, end_block, 20);
	start = (t.block + lap_bb - nrec * 63) % lap_bb;
	testlog_fini(&t);
	/* what was there one lap earlier */
	testlog_init(&t, lap_bb, 2);
	fill_to(3, end_block - nrec * 63, 20);
	for (uint32_t i = 0; i < nrec * 63; i++)
		testlog_peek(&t, (start + i) % lap_bb, old + i * BB_SIZE, 1);
	fill_to(3, end_block, 20);
	srand(seed);
	for (uint32_t i = 0; i < nrec * 63; i++) {
		if (rand() % 200)
			continue;
		testlog_poke(&t, (start + i) % lap_bb, 0, old + i * BB_SIZE,
			     BB_SIZE);
		if (first_lost == UINT32_MAX)
			first_lost = i;
	}
	find();
	if (first_lost == UINT32_MAX)
		assert_lsn(bounds.head, 3, t.block);
	else
		cr_assert_eq(xlog_lsn_block(bounds.head),
			     (start + first_lost / 63 * 63) % lap_bb,
			     "seed %u: head %u, first block lost %u\n%s", seed,
			     xlog_lsn_block(bounds.head),
			     (start + first_lost) % lap_bb, t.reports);
	cr_assert_str_empty(bounds.refused, "seed %u: %s", seed,
			    bounds.refused);
}

Test(find_window, ends_before_the_first_record_that_lost_a_block)
{
	for (unsigned int seed = 1; seed <= 60; seed++) {
		lose_blocks(63 * 400, 200 * 63, seed);
		if (seed < 60)
			testlog_fini(&t);
	}
}

Test(find_window, reads_at_most_8_mib_of_any_log)
{
	/* 2 GiB, sparse in memory */
	uint32_t nbb = 4u << 20;
	uint64_t before;

	testlog_init(&t, nbb, 2);
	t.size_bytes = XLOG_MAX_RECORD_BYTES;
	t.cycle = 7;
	t.block = nbb - 3 * 512 - 77;
	for (int i = 0; i < 9; i++)
		testlog_append(&t, 504, xfs_lsn_make(7, nbb - 3 * 512 - 77));
	before = xlog_bytes_read(&t.log);
	cr_assert_eq(xlog_find(&t.log, XLOG_FIND_QUICK, &bounds), 0);
	cr_assert_leq(xlog_bytes_read(&t.log) - before, 8u << 20);
	/* and of one that is noise: a lap everywhere, headers nowhere */
	for (uint32_t i = 0; i < 8192; i++)
		testlog_poke(&t, i, 0, "\0\0\0\11", 4);
	before = xlog_bytes_read(&t.log);
	cr_assert_eq(xlog_find(&t.log, XLOG_FIND_QUICK, &bounds), 0);
	cr_assert_leq(xlog_bytes_read(&t.log) - before, 8u << 20);
}

Test(find_window, reads_at_most_8_mib_where_every_record_behind_the_tail_is_bad)
{
	uint32_t nbb = 63 * 1000, tail;
	uint64_t before;

	testlog_init(&t, nbb, 2);
	t.size_bytes = XLOG_MAX_RECORD_BYTES;
	/* the head right before the tail, and around it headers only */
	tail = 30000;
	for (uint32_t i = 0; i < 4000; i++)
		testlog_put(&t, &(struct testrec){ .cycle = 1,
			.block = tail + i, .len_bytes = 62 * BB_SIZE });
	for (uint32_t i = tail + 4000; i < nbb; i++)
		testlog_poke(&t, i, 0, "\0\0\0\1", 4);
	for (uint32_t i = 0; i < tail - 8 * 40; i++)
		testlog_poke(&t, i, 0, "\0\0\0\2", 4);
	t.cycle = 2;
	t.block = tail - 8 * 40;
	for (int i = 0; i < 8; i++)
		testlog_append(&t, 32, xfs_lsn_make(1, tail + 1));
	cr_assert_eq(t.block, tail);
	before = xlog_bytes_read(&t.log);
	cr_assert_eq(xlog_find(&t.log, XLOG_FIND_QUICK, &bounds), 0);
	cr_assert_leq(xlog_bytes_read(&t.log) - before, 8u << 20, "%llu",
		      (unsigned long long)xlog_bytes_read(&t.log) - before);
	cr_assert(bounds.refused[0]);
}

Test(find_window, tells_of_a_tail_behind_the_newest_record)
{
	testlog_init(&t, NBB, 2);
	fill_to(1, 5000, 20);
	/* where the head will be: a mount finds nothing to do */
	testlog_append(&t, 10, xfs_lsn_make(1, t.block + 11));
	find();
	cr_assert_eq(bounds.state, XLOG_CLEAN);
	cr_assert(testlog_said(&t, "lies behind that record"));
}

Test(find_window, tells_of_a_tail_inside_a_record)
{
	testlog_init(&t, NBB, 2);
	fill_to(1, 5000, 20);
	testlog_append(&t, 10, xfs_lsn_make(1, 63 * 10 + 1));
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	assert_lsn(bounds.tail, 1, 63 * 11);
	cr_assert(testlog_said(&t, "0 log.tail no record at the tail, block 631: a mount begins at 693"), "%s", t.reports);
}

Test(find_window, tells_that_a_log_without_its_first_block_is_not_empty)
{
	static const uint8_t zero[BB_SIZE];

	testlog_init(&t, NBB, 2);
	fill_to(1, 5000, 20);
	testlog_poke(&t, 0, 0, zero, BB_SIZE);
	find();
	cr_assert_eq(bounds.state, XLOG_EMPTY);
	cr_assert(testlog_said(&t, "0 log.head the first block was never"));
	testlog_fini(&t);

	testlog_init(&t, NBB, 2);
	testlog_poke(&t, NBB - 1, 0, "\0\0\0\1", 4);
	find();
	cr_assert(testlog_said(&t, "0 log.head the first block was never"));
}

/* A dirty log of a filesystem of version 5 with this superblock. */
static void find_gated(const struct xfs_sb *sb, const char *refused)
{
	testlog_fini(&t);
	testlog_init(&t, NBB, 2);
	t.log.info.sb_version = 5;
	t.log.sb = *sb;
	fill_to(1, 5000, 20);
	find();
	cr_assert_eq(bounds.state, XLOG_DIRTY);
	cr_assert_str_eq(bounds.refused, refused);
}

Test(find_window, refuses_what_the_superblock_says_is_not_to_be_mounted)
{
	const uint32_t repair = XFS_SB_INCOMPAT_NEEDSREPAIR;

	find_gated(&(struct xfs_sb){ .sb_features_incompat = 3 }, "");
	find_gated(&(struct xfs_sb){ .sb_features_incompat = 0x80000003 },
		   "unknown incompatible features 0x80000000");
	find_gated(&(struct xfs_sb){ .sb_features_incompat = repair },
		   "the filesystem is marked as needing repair");
	find_gated(&(struct xfs_sb){ .sb_features_log_incompat = 6 },
		   "unknown incompatible log features 0x6");
	find_gated(&(struct xfs_sb){ .sb_inprogress = 1 },
		   "the filesystem is marked as being made or copied");
	find_gated(&(struct xfs_sb){ .sb_lsn = xfs_lsn_make(7, 8) },
		   "the superblock is newer (LSN 7:8) than the log");
}
