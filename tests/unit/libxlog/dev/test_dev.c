/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/lib/memdev.h"

enum { SIZE = 10000 };

static struct reports said;
static uint8_t buf[2 * SIZE];

static struct dev *pattern_dev(void)
{
	struct sink sink = reports_sink(&said);

	return memdev_pattern(SIZE, &sink);
}

Test(dev_read, gives_the_bytes_and_counts_them)
{
	struct dev *dev = pattern_dev();

	cr_assert_eq(dev_read(dev, 17, buf, 100), 0);
	cr_assert(pattern_holds(buf, 17, 100));
	cr_assert_eq(dev_read(dev, SIZE - 1, buf, 1), 0);
	cr_assert_eq(atomic_load(&dev->bytes_read), 101);
	cr_assert_eq(atomic_load(&dev->bytes_written), SIZE);
	assert_silent(&said);
	dev_close(dev);
}

Test(dev_read, refuses_what_does_not_lie_inside)
{
	static const struct { uint64_t off; size_t len; } bad[] = {
		{ SIZE, 1 },
		{ SIZE - 1, 2 },
		{ 0, SIZE + 1 },
		{ SIZE + 1, 0 },
		{ UINT64_MAX, 1 },
		{ UINT64_MAX - 3, 100 },	/* the sum wraps */
		{ 5, SIZE_MAX - 2 },
	};
	struct dev *dev = pattern_dev();
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(dev_read(dev, bad[i].off, buf, bad[i].len),
			     -EINVAL, "case %zu", i);
		assert_said(&said, "there are only 10000");
	}
	cr_assert_eq(atomic_load(&dev->bytes_read), 0);
	dev_close(dev);
}

Test(dev_read, of_nothing_at_the_end_is_fine)
{
	struct dev *dev = pattern_dev();

	cr_assert_eq(dev_read(dev, SIZE, NULL, 0), 0);
	dev_close(dev);
}

Test(dev_write, refuses_what_does_not_lie_inside)
{
	struct dev *dev = pattern_dev();

	cr_assert_eq(dev_write(dev, SIZE - 1, buf, 2), -EINVAL);
	assert_said(&said, "write of 2 bytes at byte 9999");
	cr_assert_eq(dev_zero(dev, UINT64_MAX, 2), -EINVAL);
	assert_said(&said, "zeroing of 2 bytes");
	cr_assert_eq(dev_discard(dev, 0, SIZE + 1), -EINVAL);
	assert_said(&said, "discard of 10001 bytes");
	cr_assert_eq(dev_read(dev, SIZE - 1, buf, 1), 0);
	cr_assert(pattern_holds(buf, SIZE - 1, 1));
	dev_close(dev);
}

Test(dev_write, to_a_device_that_is_not_writable_is_erofs)
{
	struct watch *w = watch_open(pattern_dev());

	w->dev.writable = false;
	cr_assert_eq(dev_write(&w->dev, 0, buf, 1), -EROFS);
	assert_said(&said, "opened for reading only");
	cr_assert_eq(dev_zero(&w->dev, 0, 1), -EROFS);
	assert_said(&said, "opened for reading only");
	cr_assert_eq(dev_discard(&w->dev, 0, 1), -EROFS);
	assert_said(&said, "opened for reading only");
	cr_assert_eq(dev_flush(&w->dev), 0);
	cr_assert_eq(w->writes + w->flushes, 0);
	dev_close(&w->dev);
}

Test(dev_write, that_fails_is_not_counted)
{
	struct watch *w = watch_open(pattern_dev());

	w->bad_write_start = w->bad_read_start = 4096;
	w->bad_write_end = w->bad_read_end = 4097;
	cr_assert_eq(dev_write(&w->dev, 4000, buf, 200), -EIO);
	assert_said(&said, "bad sector");
	cr_assert_eq(dev_read(&w->dev, 4000, buf, 200), -EIO);
	assert_said(&said, "bad sector");
	cr_assert_eq(atomic_load(&w->dev.bytes_written), 0);
	cr_assert_eq(atomic_load(&w->dev.bytes_read), 0);
	dev_close(&w->dev);
}

Test(dev_discard, says_when_there_is_no_such_thing)
{
	struct watch *w = watch_open(pattern_dev());

	cr_assert_eq(dev_discard(&w->dev, 0, SIZE), -EOPNOTSUPP);
	assert_silent(&said);
	dev_close(&w->dev);
}

Test(dev_zero, writes_zeros_where_there_is_no_shorter_way)
{
	struct sink sink = reports_sink(&said);
	const uint64_t size = 3 * DEV_IO_BYTES;
	struct watch *w = watch_open(memdev_pattern(size, &sink));
	uint8_t *all = malloc(size);

	cr_assert_eq(dev_zero(&w->dev, 100, size - 200), 0);
	cr_assert_eq(w->writes, 3);
	cr_assert_eq(dev_read(&w->dev, 0, all, size), 0);
	cr_assert(pattern_holds(all, 0, 100));
	cr_assert(dev_is_zero(all + 100, size - 200));
	cr_assert(pattern_holds(all + size - 100, size - 100, 100));
	free(all);
	dev_close(&w->dev);
}

Test(dev_close, accepts_null)
{
	dev_close(NULL);
}

Test(dev_is_zero, looks_at_every_byte)
{
	uint8_t bytes[70] = { 0 };
	size_t i;

	cr_assert(dev_is_zero(bytes, 0));
	for (i = 0; i < sizeof(bytes); i++) {
		bytes[i] = 1;
		cr_assert(dev_is_zero(bytes, i));
		cr_assert_not(dev_is_zero(bytes, i + 1));
		cr_assert_not(dev_is_zero(bytes, sizeof(bytes)));
		bytes[i] = 0;
	}
	cr_assert(dev_is_zero(bytes, sizeof(bytes)));
}
