/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arguments of the command line.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "cmd/cmd.h"

static void number(const char *s, uint64_t expected)
{
	uint64_t v = ~expected;

	cr_expect(cmd_parse_u64(s, &v), "%s", s);
	cr_expect_eq(v, expected, "%s", s);
}

Test(cmd_parse_u64, takes_three_bases)
{
	number("0", 0);
	number("42", 42);
	number("052", 42);
	number("0x2a", 42);
	number("0xFFFFFFFFFFFFFFFF", UINT64_MAX);
	number("18446744073709551615", UINT64_MAX);
}

Test(cmd_parse_u64, takes_nothing_else)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "1k",
		"0x", "08", "1.5", "18446744073709551616", "x", NULL };
	uint64_t v = 7;

	for (int i = 0; bad[i]; i++)
		cr_expect_not(cmd_parse_u64(bad[i], &v), "%s", bad[i]);
	cr_expect_eq(v, 7, "written in spite of the failure");
}

static void size(const char *s, uint64_t expected)
{
	uint64_t v = ~expected;

	cr_expect(cmd_parse_size(s, &v), "%s", s);
	cr_expect_eq(v, expected, "%s", s);
}

Test(cmd_parse_size, takes_suffixes)
{
	size("7", 7);
	size("7s", 7 * 512);
	size("1k", 1024);
	size("1M", 1 << 20);
	size("2g", UINT64_C(2) << 30);
	size("3t", UINT64_C(3) << 40);
	size("1p", UINT64_C(1) << 50);
	size("15E", UINT64_C(15) << 60);
	size("0x10k", 16384);
}

Test(cmd_parse_size, does_not_overflow)
{
	uint64_t v;

	cr_expect_not(cmd_parse_size("16e", &v));
	cr_expect_not(cmd_parse_size("18446744073709551615s", &v));
	cr_expect_not(cmd_parse_size("1kk", &v));
	cr_expect_not(cmd_parse_size("1b", &v));
	cr_expect_not(cmd_parse_size("k", &v));
	cr_expect_not(cmd_parse_size("-1", &v));
}

Test(cmd_parse_lsn, takes_both_halves_and_bounds_them)
{
	xlog_lsn_t v = 0;

	cr_expect(cmd_parse_lsn("3:0x80", &v));
	cr_expect_eq(v, xlog_lsn(3, 128));
	cr_expect(cmd_parse_lsn("4294967295:4294967295", &v));
	cr_expect_not(cmd_parse_lsn("4294967296:0", &v));
	cr_expect_not(cmd_parse_lsn("0:4294967296", &v));
	cr_expect_not(cmd_parse_lsn("1", &v));
	cr_expect_not(cmd_parse_lsn(":", &v));
	cr_expect_not(cmd_parse_lsn("1:2:3", &v));
}

Test(cmd_parse_seconds, takes_minutes)
{
	uint64_t v = 0;

	cr_expect(cmd_parse_seconds("30", &v) && v == 30);
	cr_expect(cmd_parse_seconds("30s", &v) && v == 30);
	cr_expect(cmd_parse_seconds("5m", &v) && v == 300);
	cr_expect_not(cmd_parse_seconds("0", &v));
	cr_expect_not(cmd_parse_seconds("5h", &v));
	cr_expect_not(cmd_parse_seconds("5ms", &v));
}

Test(cmd_exit_of, follows_fsck)
{
	cr_expect_eq(cmd_exit_of(0), 0);
	cr_expect_eq(cmd_exit_of(-EUCLEAN), 4);
	cr_expect_eq(cmd_exit_of(-EBADMSG), 4);
	cr_expect_eq(cmd_exit_of(-EOPNOTSUPP), 4);
	cr_expect_eq(cmd_exit_of(-EBUSY), 4);
	cr_expect_eq(cmd_exit_of(-ENOTEMPTY), 4);
	cr_expect_eq(cmd_exit_of(-ESTALE), 4);
	cr_expect_eq(cmd_exit_of(-EXDEV), 4);
	cr_expect_eq(cmd_exit_of(-EIO), 8);
	cr_expect_eq(cmd_exit_of(-ENOENT), 8);
	cr_expect_eq(cmd_exit_of(-EMEDIUMTYPE), 8);
	cr_expect_eq(cmd_exit_of(-ERANGE), 16);
	cr_expect_eq(cmd_exit_of(-ECANCELED), 32);
	cr_expect_eq(cmd_exit_of(-EINTR), 32);
}
