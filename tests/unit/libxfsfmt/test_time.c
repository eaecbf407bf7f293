/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The C library's gmtime_r() and timegm() are the other implementation here;
 * the raw stamps come from images, as the comments say.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#include "libxfsfmt/time.h"

static void same_date(int64_t sec)
{
	struct xfs_date d = xfs_date_from(sec);
	time_t t = (time_t)sec;
	struct tm tm;

	if ((int64_t)t != sec)	/* a 32-bit C library cannot say */
		return;
	cr_assert_not_null(gmtime_r(&t, &tm));
	cr_assert(d.year == tm.tm_year + 1900L && d.month == tm.tm_mon + 1 &&
		  d.day == tm.tm_mday && d.hour == tm.tm_hour &&
		  d.minute == tm.tm_min && d.second == tm.tm_sec,
		  "%lld", (long long)sec);
}

Test(xfs_date_from, agrees_with_gmtime_on_every_day_of_both_formats)
{
	/* 1901 to 2486, the last second of each day and the first */
	for (int64_t sec = -2147483648; sec < 16299260426; sec += 86400) {
		same_date(sec - sec % 86400);
		same_date(sec - sec % 86400 - 1);
	}
}

Test(xfs_date_from, agrees_with_gmtime_far_away)
{
	for (int64_t sec = 1; sec < INT64_C(1) << 55; sec = sec * 3 + 1) {
		same_date(sec);
		same_date(-sec);
	}
}

Test(xfs_date_from, takes_any_number)
{
	cr_assert_eq(xfs_date_from(INT64_MAX).month, 12);
	cr_assert_eq(xfs_date_from(INT64_MIN).year, -292277022657);
}

/*
 * core.mtime of inode 128 of tests/images/linux618/fsstress.img.zst:
 * xfs_db -r -c 'inode 128' -c 'type text' (offset 0x28), and -c print says
 * Sat Nov 21 07:03:50 2026, 194648446.
 */
Test(xfs_time_bigtime, gives_the_time_xfs_db_prints)
{
	static const uint8_t raw[8] = { 0x36, 0xb7, 0x62, 0x7a,
					0xc3, 0xad, 0xf5, 0x7e };
	struct xfs_time t = xfs_time_bigtime(get_be64(raw));
	char text[XFS_TIME_CHARS];

	cr_assert_eq(xfs_time_text(text, &t), 30);
	cr_assert_str_eq(text, "2026-11-21T07:03:50.194648446Z");
}

Test(xfs_time_bigtime, covers_its_whole_range)
{
	struct xfs_time first = xfs_time_bigtime(0);
	struct xfs_time last = xfs_time_bigtime(UINT64_MAX);
	char text[XFS_TIME_CHARS];

	xfs_time_text(text, &first);
	cr_assert_str_eq(text, "1901-12-13T20:45:52.000000000Z");
	xfs_time_text(text, &last);
	cr_assert_str_eq(text, "2486-07-02T20:20:25.709551615Z");
}

Test(xfs_time_legacy, is_signed_and_follows_the_order)
{
	static const uint8_t be[8] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1 };
	static const uint8_t le[8] = { 0, 0, 0, 0x80, 1, 0, 0, 0 };
	struct xfs_time t = xfs_time_legacy(be, XFS_BE);

	cr_assert(t.sec == -1 && t.nsec == 1);
	t = xfs_time_legacy(le, XFS_LE);
	cr_assert(t.sec == -2147483648 && t.nsec == 1);
}

Test(xfs_time_text, has_room_for_the_longest)
{
	struct xfs_time t = { INT64_MIN, UINT32_MAX };
	char text[XFS_TIME_CHARS];

	cr_assert_lt(xfs_time_text(text, &t), sizeof(text));
	cr_assert_str_eq(text, "-292277022657-01-27T08:29:52.4294967295Z");
}

Test(xfs_time_dqtimer, counts_in_fours_when_big)
{
	cr_assert_eq(xfs_time_dqtimer(0xffffffffu, false), 0xffffffffu);
	cr_assert_eq(xfs_time_dqtimer(0xffffffffu, true), 0x3fffffffcu);
}

Test(xfs_time_value, is_the_inverse_of_both_readers)
{
	static const struct xfs_time times[] = {
		{ 0, 0 }, { -1, 999999999 }, { 1795267926, 11001000 },
		{ INT32_MIN, 1 }, { INT32_MAX, 999999999 },
	};
	struct xfs_time t;
	uint8_t raw[8];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		put_be64(raw, xfs_time_value(&times[i], false));
		t = xfs_time_legacy(raw, XFS_BE);
		cr_assert(t.sec == times[i].sec && t.nsec == times[i].nsec);
		t = xfs_time_bigtime(xfs_time_value(&times[i], true));
		cr_assert(t.sec == times[i].sec && t.nsec == times[i].nsec);
	}
	/* mkfs.xfs wrote this */
	cr_assert_eq(xfs_time_value(&times[2], true), 0x36b777aabe89b8a8);
}

Test(xfs_time_value, takes_the_nearest_of_times_out_of_range)
{
	struct xfs_time t = { .sec = INT64_MIN };

	cr_assert_eq(xfs_time_value(&t, true), 0);
	cr_assert_eq(xfs_time_value(&t, false), (uint64_t)0x80000000 << 32);
	t.sec = INT64_MAX;
	cr_assert_eq(xfs_time_bigtime(xfs_time_value(&t, true)).sec, 16299260424);
	cr_assert_eq(xfs_time_value(&t, false),
		     (uint64_t)INT32_MAX << 32 | 999999999);
}
