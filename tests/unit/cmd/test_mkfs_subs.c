/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sub-options: names, units, what excludes each other. What is wrong ends the
 * process with status 16.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/mkfs_subs.h"

static struct mkfs_subs s;

/* "-d size=1g,agcount=4" as the command line gives it. */
static void take(const char *option)
{
	char *list = strdup(option + 3);

	cr_assert_not_null(list);
	subs_take(&s, option[1], list);	/* for the life of @s */
}

static void finish(const char *option)
{
	take(option);
	subs_finish(&s);
}

Test(subs_take, keeps_what_was_given)
{
	take("-l logdev=/dev/sdb,file");
	take("-d size=1g");
	cr_assert_str_eq(s.text[L_LOGDEV], "/dev/sdb");
	cr_assert_str_eq(s.text[L_FILE], "");
	cr_assert(subs_given(&s, D_SIZE));
	cr_assert_not(subs_given(&s, L_SIZE));
	cr_assert_not(subs_given(&s, B_SIZE));
}

Test(subs_take, leaves_what_follows_the_first_equals_sign)
{
	take("-l logdev=/dev/disk/by-label/a=b");
	cr_assert_str_eq(s.text[L_LOGDEV], "/dev/disk/by-label/a=b");
}

Test(subs_take, refuses_unknown_names, .exit_code = CMD_USAGE)
{
	take("-d nothing=1");
}

Test(subs_take, refuses_names_without_letters, .exit_code = CMD_USAGE)
{
	take("-b ");
}

Test(subs_take, refuses_what_is_not_supported, .exit_code = CMD_USAGE)
{
	take("-i projid32bit");
}

Test(subs_take, refuses_parts_of_such_names, .exit_code = CMD_USAGE)
{
	take("-i attr align");
}

Test(subs_take, refuses_the_same_twice, .exit_code = CMD_USAGE)
{
	take("-d size=1g");
	take("-d agcount=4,size=1g");
}

Test(subs_take, wants_values, .exit_code = CMD_USAGE)
{
	take("-d size");
}

Test(subs_finish, counts_in_units_given_later)
{
	take("-d size=100000b,agsize=40000b");
	take("-l size=200000s");
	take("-s size=4k");
	finish("-b size=16k");
	cr_assert_eq(s.number[D_SIZE], UINT64_C(100000) << 14);
	cr_assert_eq(s.number[D_AGSIZE], UINT64_C(40000) << 14);
	cr_assert_eq(s.number[L_SIZE], UINT64_C(200000) << 12);
}

Test(subs_finish, counts_in_units_that_nobody_gave)
{
	take("-d size=65536B");
	finish("-l size=0100000S");
	cr_assert_eq(s.number[D_SIZE], 65536 * 4096);
	cr_assert_eq(s.number[L_SIZE], 32768 * 512);
}

Test(subs_finish, takes_the_last_digit_for_a_digit)
{
	finish("-d size=0x200000b");
	cr_assert_eq(s.number[D_SIZE], 0x200000b);
}

Test(subs_finish, knows_flags)
{
	take("-m finobt,rmapbt=0,reflink=1,bigtime=");
	finish("-d noalign=0");
	cr_assert_eq(s.number[M_FINOBT], 1);
	cr_assert_eq(s.number[M_RMAPBT], 0);
	cr_assert(subs_given(&s, M_RMAPBT));
	cr_assert_eq(s.number[M_REFLINK], 1);
	cr_assert_eq(s.number[M_BIGTIME], 1);
	cr_assert_eq(s.number[D_NOALIGN], 0);
}

/* Each is wrong by itself. */
#define REFUSES(name, option) \
	Test(subs_finish, refuses_##name, .exit_code = CMD_USAGE) \
	{ \
		finish(option); \
	}

REFUSES(too_small, "-d size=15m")
REFUSES(too_large, "-d size=9223372036854775808")
REFUSES(no_unit, "-d size=1gb")
REFUSES(overflow, "-d size=99999999999999999999b")
REFUSES(overflow_of_units, "-d size=36028797018963968s")
REFUSES(a_unit_alone, "-d size=b")
REFUSES(units_of_counts, "-d agcount=4k")
REFUSES(units_of_units, "-b size=8s")
REFUSES(no_power_of_2, "-b size=3000")
REFUSES(version_4, "-m crc=0")
REFUSES(what_version_4_has, "-n ftype=0")
REFUSES(half_a_stripe, "-d su=64k")
REFUSES(the_other_half, "-d swidth=8")
REFUSES(two_kinds_of_stripe, "-d su=4k,swidth=8")
REFUSES(two_places_of_the_log, "-l internal,logdev=a")
REFUSES(two_names_of_one_thing, "-s size=512,sectsize=512")

Test(subs_allow, lets_through_what_it_may)
{
	static const enum mkfs_sub allowed[] = { L_SIZE, M_UUID, SUBS };

	take("-l size=64m");
	subs_allow(&s, allowed, "--log-only");
}

Test(subs_allow, refuses_the_rest, .exit_code = CMD_USAGE)
{
	static const enum mkfs_sub allowed[] = { L_SIZE, M_UUID, SUBS };

	take("-l size=64m,agnum=1");
	subs_allow(&s, allowed, "--log-only");
}
