/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sets of numbers, compared with an array of flags.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "libxlog/dev/unitset.h"

enum { MANY = 4096 };

Test(unitset, of_zero_bytes_is_empty)
{
	struct unitset set = { .slots = NULL };
	uint64_t at = 5;

	cr_assert_not(unitset_has(&set, 0));
	cr_assert_not(unitset_has_any(&set, 0, UINT32_MAX));
	cr_assert_eq(unitset_missing(&set, &at, 8), 3);
	cr_assert_eq(at, 5);
	unitset_fini(&set);
}

Test(unitset, holds_what_was_put_in_and_counts_it_once)
{
	static bool flags[MANY];
	struct unitset set;
	uint64_t n = 0, seed = 1;

	unitset_init(&set);
	for (int i = 0; i < 200; i++) {
		uint64_t unit, count;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		unit = (seed >> 33) % MANY;
		count = (seed >> 50) % 100 + 1;
		if (count > MANY - unit)
			count = MANY - unit;
		cr_assert_eq(unitset_add(&set, unit, count), 0);
		for (uint64_t u = unit; u < unit + count; u++) {
			n += !flags[u];
			flags[u] = true;
		}
	}
	cr_assert_eq(set.count, n);
	for (uint64_t u = 0; u < MANY; u++)
		cr_assert_eq(unitset_has(&set, u), flags[u]);
	unitset_fini(&set);
}

Test(unitset, finds_the_runs_that_are_missing)
{
	struct unitset set;
	uint64_t at = 0;

	unitset_init(&set);
	cr_assert_eq(unitset_add(&set, 3, 60), 0);
	cr_assert_eq(unitset_add(&set, 70, 130), 0);
	cr_assert_eq(unitset_missing(&set, &at, 300), 3);
	cr_assert_eq(at, 0);
	at = 3;
	cr_assert_eq(unitset_missing(&set, &at, 300), 7);
	cr_assert_eq(at, 63);
	at = 70;
	cr_assert_eq(unitset_missing(&set, &at, 300), 100);
	cr_assert_eq(at, 200);
	at = 70;
	cr_assert_eq(unitset_missing(&set, &at, 200), 0);
	cr_assert(unitset_has_any(&set, 0, 4));
	cr_assert_not(unitset_has_any(&set, 63, 7));
	cr_assert(unitset_has_any(&set, 63, 8));
	unitset_fini(&set);
}

Test(unitset, holds_the_largest_numbers)
{
	struct unitset set;

	unitset_init(&set);
	cr_assert_eq(unitset_add(&set, UINT64_MAX - 64, 64), 0);
	cr_assert(unitset_has(&set, UINT64_MAX - 1));
	cr_assert_not(unitset_has(&set, UINT64_MAX));
	cr_assert_not(unitset_has(&set, 0));
	unitset_fini(&set);
}

Test(unitset, gives_its_words_in_order)
{
	struct unitset_word *words;
	struct unitset set;
	size_t count;

	unitset_init(&set);
	words = unitset_sorted(&set, &count);
	cr_assert_not_null(words);
	cr_assert_eq(count, 0);
	free(words);
	for (uint64_t u = 1000; u; u--)
		cr_assert_eq(unitset_add(&set, u * 6400, 1), 0);
	words = unitset_sorted(&set, &count);
	cr_assert_eq(count, 1000);
	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(words[i].key, (i + 1) * 100);
		cr_assert_eq(words[i].bits, 1);
	}
	free(words);
	unitset_fini(&set);
}

struct walked {
	uint64_t	units[8];
	size_t		n, last;
};

static int see(void *ctx, uint64_t unit)
{
	struct walked *w = ctx;

	w->units[w->n++] = unit;
	return w->n == w->last ? -7 : 0;
}

Test(unitset, gives_its_numbers_in_order_until_told_to_stop)
{
	static const uint64_t in[] = { UINT64_MAX - 1, 64, 3, 127, 0 };
	static const uint64_t out[] = { 0, 3, 64, 127, UINT64_MAX - 1 };
	struct walked all = { .last = 0 }, two = { .last = 2 };
	struct unitset_word *words;
	struct unitset set;
	size_t count;

	unitset_init(&set);
	cr_assert_eq(unitset_bytes(&set), 0);
	for (size_t i = 0; i < 5; i++)
		cr_assert_eq(unitset_add(&set, in[i], 1), 0);
	cr_assert_geq(unitset_bytes(&set), 3 * sizeof(struct unitset_word));
	words = unitset_sorted(&set, &count);
	cr_assert_not_null(words);
	cr_assert_eq(unitset_walk(words, count, see, &all), 0);
	cr_assert_eq(all.n, 5);
	cr_assert_arr_eq(all.units, out, sizeof(out));
	cr_assert_eq(unitset_walk(words, count, see, &two), -7);
	cr_assert_eq(two.n, 2);
	cr_assert_eq(unitset_walk(words, 0, see, &two), 0);
	free(words);
	unitset_fini(&set);
}
