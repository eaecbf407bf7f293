/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes for unit tests that other programs wrote: tests/fixtures.
 */
#ifndef TESTS_LIB_FIXTURE_H
#define TESTS_LIB_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Read all of the fixture @name, "sb/v4rt.sb"; at least @len bytes of it. */
static inline void fixture_load(const char *name, void *buf, size_t len)
{
	const char *dir = getenv("FIXTURES");
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "tests/fixtures",
		 name);
	f = fopen(path, "rb");
	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fread(buf, 1, len, f), len, "%s is too short", path);
	fclose(f);
}

#endif
