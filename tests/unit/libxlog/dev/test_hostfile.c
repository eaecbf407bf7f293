/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions to the file below a stack of devices.
 */
#include "libxlog/dev/hostfile.h"
#include "tests/lib/memdev.h"
#include "tests/lib/scratch.h"

enum { SIZE = 1 << 20 };

static struct scratch dir;
static struct reports said;
static struct dev *window;
static char path[PATH_MAX + 256];

/* The second half of a file that is a hole but for its first byte. */
static void begin(void)
{
	const struct sink sink = reports_sink(&said);
	struct dev *dev;

	scratch_init(&dir);
	snprintf(path, sizeof(path), "%s", scratch_file(&dir, "f", "x", 1));
	cr_assert_eq(truncate(path, SIZE), 0);
	cr_assert_eq(dev_open_file(path, DEV_WRITE, &sink, &dev), 0);
	cr_assert_eq(dev_open_window(dev, SIZE / 2, 0, &window), 0);
}

static void end(void)
{
	dev_close(window);
	scratch_fini(&dir);
}

TestSuite(hostfile, .init = begin, .fini = end);

static blkcnt_t blocks(void)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_blocks;
}

Test(hostfile, is_found_below_a_window)
{
	struct dev *none = memdev_zeros(SIZE, NULL);
	uint64_t start;
	int fd;

	cr_assert(dev_find_file(window, &fd, &start));
	cr_assert_eq(start, SIZE / 2);
	cr_assert_not(dev_find_file(none, &fd, &start));
	cr_assert(dev_is_as_long(none));
	cr_assert_eq(dev_reserve(none, 0, SIZE), 0);
	dev_close(none);
}

Test(hostfile, is_seen_to_be_longer_than_it_was)
{
	cr_assert(dev_is_as_long(window));
	cr_assert_eq(truncate(path, SIZE + 1), 0);
	cr_assert_not(dev_is_as_long(window));
}

Test(hostfile, has_space_where_it_is_reserved)
{
	blkcnt_t before = blocks();
	uint8_t raw[512];

	cr_assert_eq(dev_reserve(window, 4096, SIZE / 4), 0);
	cr_expect_geq(blocks() - before, SIZE / 4 / 512);
	cr_assert_eq(dev_read(window, 4096, raw, sizeof(raw)), 0);
	cr_assert(dev_is_zero(raw, sizeof(raw)));
	cr_assert(dev_is_as_long(window));
}

Test(hostfile, is_not_changed_where_it_has_space)
{
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct dev *dev;
	struct stat st;

	cr_assert_eq(dev_open_file(path, DEV_WRITE | DEV_LOCK_NONE, NULL, &dev),
		     0);
	cr_assert_eq(utimensat(AT_FDCWD, path, old, 0), 0);
	cr_assert_eq(dev_reserve(dev, 0, 1), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mtime, 1000);
	dev_close(dev);
}
