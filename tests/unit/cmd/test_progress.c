/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is shown of progress.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "cmd/progress.h"

static const char *text_of(enum progress_how how, const char *what, bool bytes,
			   uint64_t done, uint64_t total, uint64_t elapsed_ms)
{
	static char text[PROGRESS_TEXT_BYTES];
	struct progress p = { .how = how, .what = what, .bytes = bytes };

	progress_text(&p, done, total, elapsed_ms, text);
	return text;
}

Test(progress_text, a_line_counts_blocks)
{
	cr_expect_str_eq(text_of(PROGRESS_LINES, "", false, 1, 3, 0),
			 "1 of 3 blocks, 33%");
}

Test(progress_text, bytes_have_units)
{
	cr_expect_str_eq(text_of(PROGRESS_LINES, "plan", true, 3 << 20,
				 12 << 20, 500),
			 "plan: 3 MiB of 12 MiB, 25%");
}

Test(progress_text, after_a_second_there_is_a_rate_and_time_left)
{
	cr_expect_str_eq(text_of(PROGRESS_LINES, "write", false, 100, 1000,
				 10000),
			 "write: 100 of 1000 blocks, 10%, 10 blocks/s, 1:30 left");
	cr_expect_str_eq(text_of(PROGRESS_LINES, "plan", true, 1 << 20,
				 (uint64_t)2 << 40, 1000),
			 "plan: 1 MiB of 2 TiB, 0%, 1 MiB/s, 582:32:31 left");
}

Test(progress_text, the_rate_is_of_what_was_done_since)
{
	struct progress p = { .how = PROGRESS_LINES, .what = "",
			      .began_at = 900 };
	char text[PROGRESS_TEXT_BYTES];

	progress_text(&p, 1000, 1200, 10000, text);
	cr_expect_str_eq(text, "1000 of 1200 blocks, 83%, 10 blocks/s, 0:20 left");
	progress_text(&p, 900, 1200, 10000, text);
	cr_expect_str_eq(text, "900 of 1200 blocks, 75%");
}

Test(progress_text, at_the_end_no_time_is_left)
{
	cr_expect_str_eq(text_of(PROGRESS_LINES, "", false, 8, 8, 2000),
			 "8 of 8 blocks, 100%, 4 blocks/s");
}

Test(progress_text, nothing_of_nothing_is_all)
{
	cr_expect_str_eq(text_of(PROGRESS_LINES, "", false, 0, 0, 2000),
			 "0 of 0 blocks, 100%");
}

Test(progress_text, the_bar_is_as_long_as_the_share)
{
	cr_expect_str_eq(text_of(PROGRESS_BAR, "check", false, 1, 2, 0),
			 "check [###############...............] 50%");
	cr_expect_str_eq(text_of(PROGRESS_BAR, "", false, 2, 2, 0),
			 "[##############################] 100%");
}

Test(progress_text, huge_counts_do_not_overflow)
{
	const char *text = text_of(PROGRESS_LINES, "", true, UINT64_MAX / 2,
				   UINT64_MAX, 1000);

	cr_expect(strstr(text, ", 50%, "), "%s", text);
}
