/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Batches on files, through each engine, and on other devices. What engines
 * do when the kernel misbehaves is shown in test_batch_engines.c.
 */
#include "libxlog/dev/batch_priv.h"
#include "tests/lib/memdev.h"
#include "tests/lib/needs.h"
#include "tests/lib/scratch.h"

enum {
	BB = 512,
	MIB = 1 << 20,
	SIZE = 8 * MIB + 700,		/* no whole number of anything */
	IOS = 12000,
};

static struct scratch scratch;
static struct reports said;
static struct sink sink;
static uint8_t *bytes;			/* SIZE, and what was read there */

static void setup(void)
{
	scratch_init(&scratch);
	sink = reports_sink(&said);
	bytes = malloc(SIZE);
	cr_assert_not_null(bytes);
}

static void teardown(void)
{
	batch_force(BATCH_ANY);
	free(bytes);
	scratch_fini(&scratch);
}

TestSuite(dev_read_batch, .init = setup, .fini = teardown);
TestSuite(dev_write_batch, .init = setup, .fini = teardown);

/* The pattern in a file; @bytes are zero afterwards. */
static struct dev *open_file(unsigned int flags)
{
	struct dev *dev;
	const char *path;

	pattern_fill(bytes, 0, SIZE);
	path = scratch_file(&scratch, "file", bytes, SIZE);
	memset(bytes, 0, SIZE);
	cr_assert_eq(dev_open_file(path, flags | DEV_LOCK_NONE, &sink, &dev),
		     0);
	memset(&said, 0, sizeof(said));	/* of what cannot be seen in use */
	return dev;
}

/*
 * Each of them in turn, for what must be so through every engine. A machine
 * without io_uring leaves that out, and says so.
 */
static const enum batch_engine engines[] = { BATCH_THREADS, BATCH_URING };

#define for_each_engine(i)						\
	for (i = 0; i < 2 && use_engine(engines[i]); i++)

static bool use_engine(enum batch_engine engine)
{
	char byte[2];
	struct dev_io two[] = { { 0, byte, 1 }, { BB, byte + 1, 1 } };
	struct dev *dev;
	int rc;

	cr_assert_eq(dev_open_file("/proc/self/exe", 0, NULL, &dev), 0);
	batch_force(engine);
	rc = dev_read_batch(dev, two, 2);
	dev_close(dev);
	needs(rc != -ENOSYS, "io_uring");
	cr_assert_eq(rc, 0);
	return true;
}

/* Every second sector, each into its place in @bytes. */
static size_t every_second(struct dev_io *ios)
{
	size_t i;

	for (i = 0; i < SIZE / (2 * BB); i++)
		ios[i] = (struct dev_io){ i * 2 * BB, bytes + i * 2 * BB, BB };
	return i;
}

Test(dev_read_batch, reads_thousands_of_sectors)
{
	struct dev_io *ios = calloc(IOS, sizeof(*ios));
	struct dev *dev = open_file(0);
	size_t engine, n, i;

	cr_assert_not_null(ios);
	for_each_engine(engine) {
		memset(bytes, 0, SIZE);
		n = every_second(ios);
		cr_assert_gt(n, 8000);
		cr_assert_eq(dev_read_batch(dev, ios, n), 0);
		for (i = 0; i < n; i++) {
			cr_assert(pattern_holds(ios[i].buf, ios[i].off_bytes,
						BB), "sector %zu", i);
			cr_assert(dev_is_zero(bytes + ios[i].off_bytes + BB,
					      BB), "behind sector %zu", i);
		}
	}
	assert_silent(&said);
	dev_close(dev);
	free(ios);
}

/* 256 bytes every 700: more than 10,000, none of them aligned. */
static size_t small_ios(struct dev_io *ios, uint8_t *from)
{
	size_t i;

	for (i = 0; i < SIZE / 700 && i < IOS; i++)
		ios[i] = (struct dev_io){ i * 700 + 3, from + i * 700 + 3,
					  256 };
	return i;
}

Test(dev_write_batch, writes_thousands_of_small_pieces)
{
	struct dev_io *ios = calloc(IOS, sizeof(*ios));
	struct dev *dev = open_file(DEV_WRITE);
	size_t n, i, at;

	cr_assert_not_null(ios);
	n = small_ios(ios, bytes);
	cr_assert_gt(n, 10000);
	cr_assert_eq(dev_write_batch(dev, ios, n), 0);
	cr_assert_eq(dev_flush(dev), 0);
	memset(bytes, 0xff, SIZE);
	cr_assert_eq(dev_read(dev, 0, bytes, SIZE), 0);
	for (i = 0; i < n; i++) {
		at = i * 700;
		cr_assert(pattern_holds(bytes + at, at, 3));
		cr_assert(dev_is_zero(bytes + at + 3, 256), "piece %zu", i);
		at += 259;
		cr_assert(pattern_holds(bytes + at, at, 700 - 259),
			  "behind piece %zu", i);
	}
	dev_close(dev);
	free(ios);
}

Test(dev_read_batch, cuts_what_is_longer_than_a_transfer)
{
	struct dev_io ios[] = {
		{ 1, bytes + 1, 3 * MIB + 5 },
		{ 4 * MIB, bytes + 4 * MIB, MIB },
		{ 6 * MIB, bytes + 6 * MIB, SIZE - 6 * MIB },
	};
	struct dev *dev = open_file(0);
	size_t engine, i;

	for_each_engine(engine) {
		memset(bytes, 0, SIZE);
		cr_assert_eq(dev_read_batch(dev, ios, 3), 0);
		for (i = 0; i < 3; i++)
			cr_assert(pattern_holds(ios[i].buf, ios[i].off_bytes,
						ios[i].len));
		cr_assert(dev_is_zero(bytes, 1));
		cr_assert(dev_is_zero(bytes + 3 * MIB + 6, MIB - 6));
		cr_assert(dev_is_zero(bytes + 5 * MIB, MIB));
	}
	dev_close(dev);
}

Test(dev_read_batch, puts_neighbours_together)
{
	struct watch *w = watch_open(memdev_pattern(3 * MIB, &sink));
	struct dev_io ios[] = {
		{ 0, bytes, 100 },
		{ 100, bytes + 100, 200 },
		{ 300, bytes + 300, 0 },
		{ 300, bytes + 300, 12 },
		{ 312, bytes + 313, 10 },	/* elsewhere in memory */
		{ 330, bytes + 323, 10 },	/* elsewhere on the device */
		{ 1000, bytes + 1000, MIB - 10 },
		{ MIB + 990, bytes + MIB + 990, 10 },
		{ MIB + 1000, bytes + MIB + 1000, 10 },	/* one too many */
	};
	static const struct watch_io want[] = {
		{ 0, 312 }, { 312, 10 }, { 330, 10 }, { 1000, MIB },
		{ MIB + 1000, 10 },
	};
	size_t i;

	cr_assert_eq(dev_read_batch(&w->dev, ios, 9), 0);
	cr_assert_eq(w->reads, 5);
	for (i = 0; i < 5; i++) {
		cr_assert_eq(w->read[i].off_bytes, want[i].off_bytes,
			     "read %zu", i);
		cr_assert_eq(w->read[i].len, want[i].len, "read %zu", i);
	}
	for (i = 0; i < 9; i++)
		cr_assert(pattern_holds(ios[i].buf, ios[i].off_bytes,
					ios[i].len));
	dev_close(&w->dev);
}

Test(dev_read_batch, does_not_cut_a_block_to_fill_a_transfer)
{
	struct watch *w = watch_open(memdev_pattern(3 * MIB, &sink));
	struct dev_io ios[] = {
		{ 0, bytes, 600000 },
		{ 600000, bytes + 600000, 600000 },
	};

	cr_assert_eq(dev_read_batch(&w->dev, ios, 2), 0);
	cr_assert_eq(w->reads, 2);
	cr_assert_eq(w->read[0].len, 600000);
	cr_assert_eq(w->read[1].off_bytes, 600000);
	dev_close(&w->dev);
}

/* With O_NONBLOCK, io_uring says EAGAIN where others wait for a disk. */
Test(dev_read_batch, has_a_descriptor_that_waits)
{
	struct dev *dev = open_file(DEV_WRITE);
	struct dev_map map;

	cr_assert(dev->ops->map(dev, true, &map));
	cr_assert_eq(fcntl(map.fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE),
		     O_RDWR);
	dev_close(dev);
}

Test(dev_read_batch, of_nothing_is_done)
{
	struct dev_io none = { SIZE, NULL, 0 };
	struct dev *dev = open_file(0);

	cr_assert_eq(dev_read_batch(dev, NULL, 0), 0);
	cr_assert_eq(dev_read_batch(dev, &none, 1), 0);
	cr_assert_eq(dev->bytes_read, 0);
	dev_close(dev);
}

Test(dev_read_batch, goes_through_windows_with_their_offsets)
{
	struct dev *dev = open_file(0), *outer, *inner;
	struct dev_io ios[] = {
		{ 0, bytes, 1000 },
		{ 2000, bytes + 2000, 1000 },
		{ 5 * MIB - 10, bytes + 5 * MIB - 10, 10 },
	};
	size_t engine, i;

	cr_assert_eq(dev_open_window(dev, 1000, 0, &outer), 0);
	cr_assert_eq(dev_open_window(outer, 24, 5 * MIB, &inner), 0);
	for_each_engine(engine) {
		memset(bytes, 0, SIZE);
		cr_assert_eq(dev_read_batch(inner, ios, 3), 0);
		for (i = 0; i < 3; i++)
			cr_assert(pattern_holds(ios[i].buf,
						ios[i].off_bytes + 1024,
						ios[i].len));
	}
	/* Counted at each level, as by dev_read(). */
	cr_assert_eq(inner->bytes_read, 2 * 2010);
	cr_assert_eq(outer->bytes_read, 2 * 2010);
	cr_assert_eq(dev->bytes_read, 2 * 2010);
	cr_assert_eq(dev->bytes_written, 0);
	dev_close(inner);
}

Test(dev_write_batch, goes_through_windows_with_their_offsets)
{
	struct dev *dev = open_file(DEV_WRITE), *win;
	struct dev_io ios[] = {
		{ 0, bytes, 1000 }, { 2000, bytes + 2000, 1000 },
	};
	uint8_t *at = bytes + 3 * MIB + 1;

	cr_assert_eq(dev_open_window(dev, 3 * MIB + 1, 3000, &win), 0);
	cr_assert_eq(dev_write_batch(win, ios, 2), 0);
	cr_assert_eq(win->bytes_written, 2000);
	cr_assert_eq(dev->bytes_written, 2000);
	cr_assert_eq(dev_read(dev, 0, bytes, SIZE), 0);
	cr_assert(pattern_holds(bytes, 0, 3 * MIB + 1));
	cr_assert(dev_is_zero(at, 1000));
	cr_assert(pattern_holds(at + 1000, 3 * MIB + 1001, 1000));
	cr_assert(dev_is_zero(at + 2000, 1000));
	cr_assert(pattern_holds(at + 3000, 3 * MIB + 3001,
				SIZE - (3 * MIB + 3001)));
	dev_close(win);
}

Test(dev_write_batch, over_an_overlay_leaves_the_file_alone)
{
	struct dev *file = open_file(0), *dev, *win;
	struct dev_io ios[] = {
		{ 10, bytes, 5000 }, { 9000, bytes, 5000 },
	};
	struct dev_io back[] = {
		{ 0, bytes + MIB, 6000 }, { 8000, bytes + MIB + 8000, 7000 },
	};

	cr_assert_eq(dev_open_overlay(file, 0, NULL, &dev), 0);
	cr_assert_eq(dev_open_window(dev, 500, 0, &win), 0);
	cr_assert_eq(dev_write_batch(win, ios, 2), 0);
	cr_assert_eq(dev_read_batch(win, back, 2), 0);
	cr_assert(pattern_holds(bytes + MIB, 500, 10));
	cr_assert(dev_is_zero(bytes + MIB + 10, 5000));
	cr_assert(pattern_holds(bytes + MIB + 5010, 5510, 990));
	cr_assert(dev_is_zero(bytes + MIB + 9000, 5000));
	cr_assert_eq(win->bytes_written, 10000);
	cr_assert_eq(dev->bytes_written, 10000);
	cr_assert_eq(file->bytes_written, 0);
	cr_assert_eq(win->bytes_read, 13000);
	cr_assert_eq(dev->bytes_read, 13000);
	cr_assert_eq(dev_read(file, 0, bytes, SIZE), 0);
	cr_assert(pattern_holds(bytes, 0, SIZE));
	dev_close(win);
}

Test(dev_write_batch, does_nothing_if_one_lies_outside)
{
	struct dev *dev = open_file(DEV_WRITE);
	struct dev_io ios[] = {
		{ 0, bytes, 1000 }, { SIZE - 10, bytes, 11 },
	};
	struct dev_io wraps[] = {
		{ 0, bytes, 1000 }, { UINT64_MAX - 10, bytes, 100 },
	};

	cr_assert_eq(dev_write_batch(dev, ios, 2), -EINVAL);
	assert_said(&said, "write of 11 bytes at byte 8389298");
	cr_assert_eq(dev_write_batch(dev, wraps, 2), -EINVAL);
	assert_said(&said, "there are only");
	cr_assert_eq(dev_read(dev, 0, bytes, SIZE), 0);
	cr_assert(pattern_holds(bytes, 0, SIZE));
	cr_assert_eq(dev->bytes_written, 0);
	dev_close(dev);
}

Test(dev_write_batch, is_refused_by_a_reader)
{
	struct dev *dev = open_file(0), *win;
	struct dev_io ios[] = { { 0, bytes, 10 }, { 20, bytes, 10 } };

	cr_assert_eq(dev_write_batch(dev, ios, 2), -EROFS);
	assert_said(&said, "opened for reading only");
	/* Also if only a device further down is one. */
	cr_assert_eq(dev_open_window(dev, 0, 0, &win), 0);
	win->writable = true;
	cr_assert_eq(dev_write_batch(win, ios, 2), -EROFS);
	assert_said(&said, "opened for reading only");
	dev_close(win);
}

Test(dev_write_batch, keeps_the_order_of_what_overlaps)
{
	struct dev *dev = open_file(DEV_WRITE);
	struct dev_io ios[] = {
		{ 100, bytes, 100 },		/* zeros */
		{ 150, bytes + 1000, 100 },	/* ones over some of them */
		{ 120, bytes + 2000, 10 },	/* twos, not ascending */
	};

	memset(bytes + 1000, 1, 1000);
	memset(bytes + 2000, 2, 1000);
	cr_assert_eq(dev_write_batch(dev, ios, 3), 0);
	cr_assert_eq(dev_read(dev, 0, bytes, 1000), 0);
	cr_assert(pattern_holds(bytes, 0, 100));
	cr_assert(dev_is_zero(bytes + 100, 20));
	cr_assert(bytes[120] == 2 && bytes[129] == 2);
	cr_assert(dev_is_zero(bytes + 130, 20));
	cr_assert(bytes[150] == 1 && bytes[249] == 1);
	cr_assert(pattern_holds(bytes + 250, 250, 750));
	dev_close(dev);
}

Test(dev_read_batch, on_other_devices_ends_at_the_first_error)
{
	struct watch *w = watch_open(memdev_pattern(10000, &sink));
	struct dev_io ios[] = {
		{ 0, bytes, 10 }, { 1000, bytes, 10 }, { 2000, bytes, 10 },
	};

	w->bad_read_start = 1005;
	w->bad_read_end = 1006;
	cr_assert_eq(dev_read_batch(&w->dev, ios, 3), -EIO);
	assert_said(&said, "bad sector");
	cr_assert_eq(w->reads, 2);
	cr_assert_eq(w->dev.bytes_read, 10);
	w->bad_write_start = 5;
	w->bad_write_end = 6;
	cr_assert_eq(dev_write_batch(&w->dev, ios, 3), -EIO);
	assert_said(&said, "bad sector");
	cr_assert_eq(w->writes, 1);
	dev_close(&w->dev);
}
