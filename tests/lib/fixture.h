/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes for unit tests that other programs wrote: tests/fixtures.
 */
#ifndef TESTS_LIB_FIXTURE_H
#define TESTS_LIB_FIXTURE_H

#include <criterion/criterion.h>
#include <stdint.h>
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

/*
 * All of the fixture @name in an allocation of exactly its length, so that the
 * address sanitizer sees a read past the end; free() it.
 */
static inline uint8_t *fixture_new(const char *name, size_t *len)
{
	const char *dir = getenv("FIXTURES");
	char path[512];
	uint8_t *data;
	long end;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "tests/fixtures",
		 name);
	f = fopen(path, "rb");
	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fseek(f, 0, SEEK_END), 0);
	end = ftell(f);
	cr_assert_gt(end, 0, "%s is empty", path);
	fclose(f);
	*len = (size_t)end;
	data = malloc(*len);
	cr_assert_not_null(data);
	fixture_load(name, data, *len);
	return data;
}

#endif
