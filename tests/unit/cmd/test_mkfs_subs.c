/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sub-options: names, units, what excludes each other. What is wrong ends the
 * process with status 16.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Each of these is wrong, alone. */
static const char *const wrong[] = {
	"-d size=15m", "-d size=9223372036854775808", "-d size=1gb",
	"-d size=99999999999999999999b", "-d size=36028797018963968s",
	"-d size=b", "-d agcount=4k", "-i size=1k", "-b size=3000",
	"-b size=8s", "-s size=1b", "-i maxpct=101", "-l sunit=513",
	"-l cycle=2147483648", "-m crc=0", "-n ftype=0", "-l version=1",
	"-l lazy-count=0", "-d su=64k", "-d swidth=8", "-d su=4k,swidth=8",
	"-l internal,logdev=a", "-s size=512,sectsize=512",
};

Test(subs_finish, refuses_what_is_wrong)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			close(STDERR_FILENO);
			finish(wrong[i]);
			_exit(0);
		}
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_expect(WIFEXITED(status) &&
			  WEXITSTATUS(status) == CMD_USAGE, "%s", wrong[i]);
	}
}

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
