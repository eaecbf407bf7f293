/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "libxlog/obs/hist.h"

Test(hist, every_value_is_in_the_bucket_that_holds_it)
{
	uint64_t below = 0;

	for (unsigned int b = 0; b < HIST_BUCKETS; b++) {
		uint64_t max = hist_bucket_max(b);

		cr_assert(b == 0 || max > below, "bucket %u", b);
		cr_assert_eq(hist_bucket_of(max), b);
		if (max != UINT64_MAX)
			cr_assert_eq(hist_bucket_of(max + 1), b + 1);
		below = max;
	}
	cr_assert_eq(below, UINT64_MAX);
}

Test(hist, is_within_a_sixteenth)
{
	for (uint64_t v = 1; v < UINT64_MAX / 3; v *= 3) {
		uint64_t max = hist_bucket_max(hist_bucket_of(v));

		cr_assert(max >= v && max - v <= v / 16, "%llu: %llu",
			  (unsigned long long)v, (unsigned long long)max);
	}
}

Test(hist, keeps_the_largest)
{
	static struct hist h;

	hist_add(&h, 1000);
	hist_add(&h, 1000000);
	hist_add(&h, 1001);
	cr_assert_eq(h.max, 1000000);
	cr_assert_eq(h.bucket[hist_bucket_of(1000)], 2);
}

Test(hist_add_shared, counts_as_hist_add_does)
{
	static const uint64_t values[] = { 7, 0, 900, 900, UINT64_MAX, 3 };
	static struct hist one, shared;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		hist_add(&one, values[i]);
		hist_add_shared(&shared, values[i]);
		cr_assert_eq(atomic_load(&shared.max), atomic_load(&one.max));
	}
	for (unsigned int b = 0; b < HIST_BUCKETS; b++)
		cr_assert_eq(atomic_load(&shared.bucket[b]),
			     atomic_load(&one.bucket[b]));
}
