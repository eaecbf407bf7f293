/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a file to a log: what is said of files that are too short for what
 * their superblock promises.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "libxlog/xlog.h"
#include "tests/lib/fixture.h"
#include "tests/lib/scratch.h"

enum { SECTOR = 512 };

static struct scratch dir;
static char said[1024];
static int reports;

static void take_report(void *ctx, const struct xlog_report *r)
{
	(void)ctx;
	snprintf(said, sizeof(said), "%s", r->text);
	reports++;
}

static void begin(void)
{
	scratch_init(&dir);
}

static void end(void)
{
	scratch_fini(&dir);
}

TestSuite(open, .init = begin, .fini = end);

/* A version 4 superblock, which has no checksum, with sectors of 4 KiB. */
static void make_sb(uint8_t *raw)
{
	fixture_load("sb/v4rt.sb", raw, SECTOR);
	raw[102] = 0x10;
	raw[103] = 0;
	raw[121] = 12;
}

static int open_bytes(const void *bytes, size_t len,
		      struct xlog_open_options *opts)
{
	struct xlog *log;
	int rc;

	opts->report = take_report;
	rc = xlog_open(scratch_file(&dir, "image", bytes, len), opts, &log);
	if (!rc)
		xlog_close(log);
	return rc;
}

Test(open, refuses_a_file_shorter_than_its_superblock)
{
	struct xlog_open_options opts = { .report = NULL };
	uint8_t raw[SECTOR];

	make_sb(raw);
	cr_assert_eq(open_bytes(raw, sizeof(raw), &opts), -EUCLEAN, "%s", said);
	cr_assert(strstr(said, "cut short"), "%s", said);
	cr_assert_eq(reports, 1);
}

Test(open, refuses_a_superblock_handed_in_that_is_shorter_than_its_sector)
{
	struct xlog_open_options opts = { .report = NULL };
	uint8_t *raw = malloc(SECTOR);

	cr_assert_not_null(raw);
	make_sb(raw);
	opts.superblock = raw;
	opts.superblock_bytes = SECTOR;
	cr_assert_eq(open_bytes(raw, SECTOR, &opts), -EUCLEAN, "%s", said);
	cr_assert(strstr(said, "cut short"), "%s", said);
	cr_assert_eq(reports, 1);
	free(raw);
}

Test(open, says_that_an_external_log_needs_its_device)
{
	struct xlog_open_options opts = { .report = NULL };
	uint8_t raw[SECTOR];

	fixture_load("sb/v4rt.sb", raw, SECTOR);
	cr_assert_eq(open_bytes(raw, sizeof(raw), &opts), -EINVAL, "%s", said);
	cr_assert(strstr(said, "--logdev"), "%s", said);
	cr_assert_eq(reports, 1);
}
