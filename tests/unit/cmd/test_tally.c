/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counts by key.
 */
#include <criterion/criterion.h>

#include "cmd/tally.h"

Test(tally_add, adds_up_by_key)
{
	struct tally t = { .rows = NULL };

	cr_assert_eq(tally_add(&t, 7, 1, 2, 100), 0);
	cr_assert_eq(tally_add(&t, 0, 1, 1, 10), 0);
	cr_assert_eq(tally_add(&t, 7, 2, 3, 200), 0);
	cr_assert_eq(tally_add(&t, 9, 0, 3, 200), 0, "nothing is no row");
	tally_sort(&t, true);
	cr_assert_eq(t.used, 2);
	cr_expect_eq(t.rows[0].key, 0);
	cr_expect_eq(t.rows[1].key, 7);
	cr_expect_eq(t.rows[1].n, 3);
	cr_expect_eq(t.rows[1].regions, 5);
	cr_expect_eq(t.rows[1].bytes, 300);
	tally_fini(&t);
}

Test(tally_add, grows)
{
	enum { KEYS = 100000 };
	struct tally t = { .rows = NULL };

	for (uint64_t i = 0; i < 3 * KEYS; i++)
		cr_assert_eq(tally_add(&t, (i % KEYS) << 32, 1, 0, 1), 0);
	cr_assert_eq(t.used, KEYS);
	tally_sort(&t, true);
	for (uint64_t i = 0; i < KEYS; i++)
		cr_assert(t.rows[i].key == i << 32 && t.rows[i].n == 3);
	tally_fini(&t);
}

Test(tally_sort, puts_large_counts_first_and_equal_ones_by_key)
{
	struct tally t = { .rows = NULL };

	cr_assert_eq(tally_add(&t, 5, 1, 0, 0), 0);
	cr_assert_eq(tally_add(&t, 9, 2, 0, 0), 0);
	cr_assert_eq(tally_add(&t, 3, 1, 0, 0), 0);
	tally_sort(&t, false);
	cr_expect_eq(t.rows[0].key, 9);
	cr_expect_eq(t.rows[1].key, 3);
	cr_expect_eq(t.rows[2].key, 5);
	tally_fini(&t);
}

Test(tally_sort, bears_an_empty_one)
{
	struct tally t = { .rows = NULL };

	tally_sort(&t, false);
	cr_expect_eq(t.used, 0);
	tally_fini(&t);
}
