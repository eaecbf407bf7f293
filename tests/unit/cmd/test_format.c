/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers and times as text. Expected dates are those of date(1), as in
 *	date -u -d @4102444800 +%FT%TZ
 */
#include <criterion/criterion.h>

#include "cmd/format.h"

#define SAYS(call, expected) do {					\
	char p[FORMAT_BYTES + 1], *end = (call);			\
									\
	*end = '\0';							\
	cr_expect_str_eq(p, expected);					\
} while (0)

static struct format_day day;

Test(format_uint, has_all_digits_and_no_more)
{
	SAYS(format_uint(p, 0), "0");
	SAYS(format_uint(p, 9), "9");
	SAYS(format_uint(p, 10), "10");
	SAYS(format_uint(p, 99), "99");
	SAYS(format_uint(p, 100), "100");
	SAYS(format_uint(p, 1234567), "1234567");
	SAYS(format_uint(p, UINT64_MAX), "18446744073709551615");
}

Test(format_sint, reaches_both_ends)
{
	SAYS(format_sint(p, 0), "0");
	SAYS(format_sint(p, -1), "-1");
	SAYS(format_sint(p, INT64_MAX), "9223372036854775807");
	SAYS(format_sint(p, INT64_MIN), "-9223372036854775808");
}

Test(format_hex, pads_to_the_digits_asked_for)
{
	SAYS(format_hex(p, 0, 0), "0x0");
	SAYS(format_hex(p, 0x1f, 0), "0x1f");
	SAYS(format_hex(p, 0x1f, 8), "0x0000001f");
	SAYS(format_hex(p, 0x123456789, 8), "0x123456789");
	SAYS(format_hex(p, UINT64_MAX, 99), "0xffffffffffffffff");
}

Test(format_octal, begins_with_a_zero)
{
	SAYS(format_octal(p, 0), "0");
	SAYS(format_octal(p, 0100644), "0100644");
	SAYS(format_octal(p, UINT64_MAX), "01777777777777777777777");
}

Test(format_lsn, is_cycle_and_block)
{
	SAYS(format_lsn(p, UINT64_C(3) << 32 | 128), "3:128");
	SAYS(format_lsn(p, 0), "0:0");
	SAYS(format_lsn(p, UINT64_MAX), "none");
	SAYS(format_lsn(p, UINT64_MAX - 1), "4294967295:4294967294");
}

Test(format_uuid, has_four_dashes)
{
	static const uint8_t uuid[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa,
					  0xb, 0xc, 0xd, 0xe, 0xff };

	SAYS(format_uuid(p, uuid), "00010203-0405-0607-0809-0a0b0c0d0eff");
}

Test(format_size, never_rounds_up)
{
	SAYS(format_size(p, 0), "0 B");
	SAYS(format_size(p, 1023), "1023 B");
	SAYS(format_size(p, 1024), "1 KiB");
	SAYS(format_size(p, 17920), "17.5 KiB");
	SAYS(format_size(p, (1 << 20) - 1), "1023.9 KiB");
	SAYS(format_size(p, 1 << 20), "1 MiB");
	SAYS(format_size(p, UINT64_MAX), "15.9 EiB");
}

Test(format_time, is_a_date_in_utc)
{
	SAYS(format_time(p, 1795228694, 123456789, false, &day),
	     "2026-11-21T02:38:14.123456789Z");
	SAYS(format_time(p, 0, 0, false, &day),
	     "1970-01-01T00:00:00.000000000Z");
	SAYS(format_time(p, -1, 1, false, &day),
	     "1969-12-31T23:59:59.000000001Z");
	SAYS(format_time(p, 951782400, 0, false, &day),
	     "2000-02-29T00:00:00.000000000Z");
	SAYS(format_time(p, 4102444800, 0, false, &day),
	     "2100-01-01T00:00:00.000000000Z");
	/* both ends of bigtime */
	SAYS(format_time(p, INT32_MIN, 0, false, &day),
	     "1901-12-13T20:45:52.000000000Z");
	SAYS(format_time(p, 16299260425, 709551615, false, &day),
	     "2486-07-02T20:20:25.709551615Z");
}

Test(format_time, remembers_no_wrong_day)
{
	SAYS(format_time(p, 86399, 0, false, &day),
	     "1970-01-01T23:59:59.000000000Z");
	SAYS(format_time(p, 86400, 0, false, &day),
	     "1970-01-02T00:00:00.000000000Z");
	SAYS(format_time(p, INT64_MAX, 0, false, &day),
	     "9223372036854775807.000000000");
	SAYS(format_time(p, 86399, 0, false, &day),
	     "1970-01-01T23:59:59.000000000Z");
}

Test(format_time, is_seconds_when_asked_for)
{
	SAYS(format_time(p, 12, 5, true, &day), "12.000000005");
	SAYS(format_time(p, -1, 0, true, &day), "-1.000000000");
	SAYS(format_time(p, -1, 250000000, true, &day), "-0.750000000");
	SAYS(format_time(p, -2, 250000000, true, &day), "-1.750000000");
}

Test(format_time, shows_impossible_nanoseconds_as_they_are)
{
	SAYS(format_time(p, 12, 1000000000, false, &day), "12+1000000000ns");
	SAYS(format_time(p, -12, UINT32_MAX, false, &day), "-12+4294967295ns");
}
