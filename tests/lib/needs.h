/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A test that needs what not every machine has skips itself with the reason;
 * where XLOG_REQUIRE_ALL is set that is a failure, so that it runs somewhere.
 */
#ifndef TESTS_LIB_NEEDS_H
#define TESTS_LIB_NEEDS_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

static inline void needs(bool there, const char *what)
{
	const char *all = getenv("XLOG_REQUIRE_ALL");

	if (there)
		return;
	cr_assert(!all || !all[0], "needs %s, and XLOG_REQUIRE_ALL is set",
		  what);
	cr_skip_test("needs %s", what);
}

/* Writers look there for who else uses a device, and warn where they cannot. */
static inline void needs_sysfs(void)
{
	needs(!access("/sys/block", R_OK), "sysfs on /sys");
}

#endif
