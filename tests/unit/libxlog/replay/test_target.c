/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of buffers: which are live, which items count, where they lie.
 */
#include "libxlog/replay/replay.h"
#include "tests/lib/testfs.h"

static struct target_table *tt;

static void make(void)
{
	tt = targets_new(1 << 20);
	cr_assert_not_null(tt);
}

static void drop(void)
{
	targets_free(tt);
}

TestSuite(targets, .init = make, .fini = drop);

static void add(uint64_t daddr, uint32_t len_bb, uint32_t seq)
{
	cr_assert_eq(targets_add(tt, daddr, len_bb, seq), 0);
}

static void cancel(uint64_t daddr, uint32_t len_bb, uint32_t seq)
{
	cr_assert_eq(targets_cancel(tt, daddr, len_bb, seq), 0);
}

static void sort(void)
{
	cr_assert_eq(targets_sort(tt), 0);
}

Test(targets, are_numbered_in_the_order_of_the_disk)
{
	add(80, 8, 1);
	add(8, 16, 2);
	add(8, 8, 3);
	add(UINT64_MAX / 512, 8, 3);
	sort();
	cr_expect_eq(targets_count(tt), 4);
	cr_expect_eq(targets_find(tt, 8, 8), 0);
	cr_expect_eq(targets_find(tt, 8, 16), 1);
	cr_expect_eq(targets_find(tt, 80, 8), 2);
	cr_expect_eq(targets_find(tt, UINT64_MAX / 512, 8), 3);
	cr_expect_eq(targets_find(tt, 80, 16), -1);
	cr_expect_eq(targets_find(tt, 88, 8), -1);
	cr_expect_eq(targets_at(tt, 1).daddr, 8);
	cr_expect_eq(targets_at(tt, 1).len_bb, 16);
}

Test(targets, a_buffer_is_there_once)
{
	add(8, 8, 1);
	add(8, 8, 1);
	add(8, 8, 2);
	sort();
	cr_expect_eq(targets_count(tt), 1);
}

Test(targets, items_up_to_the_last_cancel_do_not_count)
{
	add(8, 8, 1);
	cancel(8, 8, 2);
	add(8, 8, 3);
	cancel(8, 8, 4);
	add(8, 8, 5);
	sort();
	cr_expect(targets_cancelled(tt, 8, 8, 1));
	cr_expect(targets_cancelled(tt, 8, 8, 3));
	cr_expect(targets_cancelled(tt, 8, 8, 4));
	cr_expect_not(targets_cancelled(tt, 8, 8, 5));
	cr_expect_not(targets_cancelled(tt, 8, 16, 1));
	cr_expect_not(targets_cancelled(tt, 16, 8, 1));
	cr_expect_eq(targets_find(tt, 8, 8), 0);
}

Test(targets, one_that_is_cancelled_last_is_not_live)
{
	add(8, 8, 1);
	cancel(8, 8, 1);
	add(16, 8, 1);
	cancel(16, 8, 2);
	cancel(24, 8, 1);
	add(32, 8, 1);
	sort();
	cr_expect_eq(targets_count(tt), 1);
	cr_expect_eq(targets_at(tt, 0).daddr, 32);
	cr_expect_eq(targets_find(tt, 8, 8), -1);
	cr_expect_eq(targets_find(tt, 24, 8), -1);
}

Test(targets, a_cancel_logged_before_the_item_of_its_checkpoint_counts)
{
	cancel(8, 8, 3);
	add(8, 8, 3);
	sort();
	cr_expect_eq(targets_count(tt), 0);
	cr_expect(targets_cancelled(tt, 8, 8, 3));
}

Test(targets, many_are_kept_apart)
{
	enum { MANY = 8000 };

	for (uint32_t i = 0; i < MANY; i++)
		add((uint64_t)(MANY - i) * 8, 8, i + 1);
	for (uint32_t i = 0; i < MANY; i += 2)
		cancel((uint64_t)(MANY - i) * 8, 8, MANY + 1);
	sort();
	cr_expect_eq(targets_count(tt), MANY / 2);
	for (uint32_t i = 0; i < MANY; i++) {
		uint64_t daddr = (uint64_t)(MANY - i) * 8;
		ssize_t n = targets_find(tt, daddr, 8);

		cr_assert_eq(n >= 0, i % 2, "%u", i);
		if (n >= 0)
			cr_assert_eq(targets_at(tt, (size_t)n).daddr, daddr);
	}
	cr_expect_leq(targets_bytes(tt), 1 << 20);
}

Test(targets, more_than_memory_allows_are_refused)
{
	uint64_t n = 0;
	int rc = 0;

	while (!rc && n < 1000000)
		rc = targets_add(tt, 8 * n++, 8, 1);
	cr_expect_eq(rc, -E2BIG);
	cr_expect_leq(targets_bytes(tt), 1 << 20);
	/* and those that were there still are */
	sort();
	cr_expect_eq(targets_count(tt), n - 1);
	cr_expect_leq(targets_bytes(tt), 1 << 20);
}

Test(targets, the_order_takes_memory_too)
{
	targets_free(tt);
	tt = targets_new(25 * 1024);
	cr_assert_not_null(tt);
	for (uint64_t n = 0; n < 700; n++)
		add(8 * n, 8, 1);
	cr_expect_eq(targets_sort(tt), -E2BIG);
}

Test(targets, from_is_the_first_that_reaches_a_place)
{
	add(0, 128, 1);
	add(100, 8, 1);
	add(120, 16, 1);
	add(200, 8, 1);
	sort();
	cr_expect_eq(targets_from(tt, 0), 0);
	cr_expect_eq(targets_from(tt, 127), 0);
	cr_expect_eq(targets_from(tt, 128), 2);
	cr_expect_eq(targets_from(tt, 135), 2);
	cr_expect_eq(targets_from(tt, 136), 3);
	cr_expect_eq(targets_from(tt, 207), 3);
	cr_expect_eq(targets_from(tt, 208), 4);
	cr_expect_eq(targets_from(tt, UINT64_MAX), 4);
}

Test(targets, none)
{
	sort();
	cr_expect_eq(targets_count(tt), 0);
	cr_expect_eq(targets_find(tt, 0, 8), -1);
	cr_expect_eq(targets_from(tt, 0), 0);
	cr_expect_not(targets_cancelled(tt, 0, 8, 1));
}
