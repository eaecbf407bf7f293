/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading ahead and writing back: in which order, how much, what of errors. */
#include "libxlog/dev/buf.h"
#include "tests/lib/memdev.h"

enum { SIZE = 8 << 20, KIB4 = 8 /* blocks */ };

static struct reports said;
static struct watch *w;
static struct buf_cache *cache;

static void open_cache(uint64_t max_bytes, unsigned int threads)
{
	struct sink sink = reports_sink(&said);

	w = watch_open(memdev_pattern(SIZE, &sink));
	cr_assert_eq(buf_cache_new(&w->dev, max_bytes, threads, &cache), 0);
}

static void setup(void)
{
	open_cache(SIZE, 0);
}

static void teardown(void)
{
	buf_cache_free(cache);
	dev_close(&w->dev);
}

TestSuite(buf_readahead, .init = setup, .fini = teardown);
TestSuite(buf_write, .init = setup, .fini = teardown);
TestSuite(buf_write_locked, .init = setup, .fini = teardown);
TestSuite(buf_write_back, .init = setup, .fini = teardown);

static struct buf *get(uint64_t daddr, uint32_t len_bb, unsigned int flags)
{
	struct buf *buf;

	cr_assert_eq(buf_get(cache, daddr, len_bb, NULL, flags, &buf), 0);
	return buf;
}

static void make_dirty(uint64_t daddr, uint32_t len_bb, uint8_t byte)
{
	struct buf *buf = get(daddr, len_bb, 0);

	memset(buf->data, byte, (size_t)len_bb * 512);
	buf_mark_dirty(buf);
	buf_release(buf);
}

static struct buf_stats stats(void)
{
	struct buf_stats s;

	buf_cache_stats(cache, &s);
	return s;
}

/* The device has @byte in all of the blocks. */
static bool is_written(uint64_t daddr, uint32_t len_bb, uint8_t byte)
{
	static uint8_t bytes[1 << 20];
	size_t i, len = (size_t)len_bb * 512;

	cr_assert_eq(dev_read(w->below, daddr * 512, bytes, len), 0);
	for (i = 0; i < len; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

static void assert_io(const struct watch_io *io, uint64_t daddr,
		      uint64_t len_bb)
{
	cr_assert_eq(io->off_bytes, daddr * 512, "at %llu",
		     (unsigned long long)io->off_bytes / 512);
	cr_assert_eq(io->len, len_bb * 512, "%zu blocks", io->len / 512);
}

/* --- reading ahead --- */

static void ahead(const uint64_t *daddr, size_t count, uint32_t len_bb)
{
	struct buf_want *want = calloc(count, sizeof(*want));
	size_t i;

	for (i = 0; i < count; i++)
		want[i] = (struct buf_want){ daddr[i], len_bb, NULL };
	buf_readahead(cache, want, count);
	free(want);
}

static void assert_here(uint64_t daddr, uint32_t len_bb)
{
	unsigned int reads = w->reads;
	struct buf *buf = get(daddr, len_bb, BUF_READ);

	cr_assert_eq(w->reads, reads, "daddr %llu was not here",
		     (unsigned long long)daddr);
	cr_assert(pattern_holds(buf->data, daddr * 512,
				(size_t)len_bb * 512));
	buf_release(buf);
}

Test(buf_readahead, joins_neighbours_in_the_order_of_the_device)
{
	static const uint64_t daddr[] = { 800, 24, 8, 16, 808, 40 };
	size_t i;

	ahead(daddr, 6, KIB4);
	cr_assert_eq(w->reads, 3);
	assert_io(&w->read[0], 8, 24);
	assert_io(&w->read[1], 40, 8);
	assert_io(&w->read[2], 800, 16);
	for (i = 0; i < 6; i++)
		assert_here(daddr[i], KIB4);
	cr_assert_eq(stats().read_ahead, 6);
}

Test(buf_readahead, reads_a_mebibyte_at_a_time)
{
	uint64_t daddr[SIZE / 4096];
	size_t i;

	for (i = 0; i < SIZE / 4096; i++)
		daddr[i] = (SIZE / 4096 - 1 - i) * KIB4;
	ahead(daddr, SIZE / 4096, KIB4);
	cr_assert_eq(w->reads, SIZE >> 20);
	for (i = 0; i < SIZE >> 20; i++)
		assert_io(&w->read[i], i * 2048, 2048);
	for (i = 0; i < SIZE / 4096; i++)
		assert_here(daddr[i], KIB4);
}

Test(buf_readahead, takes_sizes_that_differ)
{
	static const struct buf_want want[] = {
		{ 8, 8, NULL }, { 16, 128, NULL }, { 144, 1, NULL },
		{ 8, 16, NULL },	/* overlaps: a read of its own */
	};

	buf_readahead(cache, want, 4);
	assert_here(8, 8);
	assert_here(16, 128);
	assert_here(144, 1);
	assert_here(8, 16);
}

Test(buf_readahead, leaves_out_what_is_here_or_twice_or_nowhere)
{
	static const uint64_t daddr[] = { 8, 16, 16, 24, SIZE / 512,
					  UINT64_MAX };

	make_dirty(16, KIB4, 0xee);
	ahead(daddr, 6, KIB4);
	cr_assert_eq(w->reads, 2);
	assert_io(&w->read[0], 8, 8);
	assert_io(&w->read[1], 24, 8);
	assert_silent(&said);
	ahead(daddr, 6, KIB4);
	ahead(daddr, 0, KIB4);
	cr_assert_eq(w->reads, 2);
}

Test(buf_readahead, does_not_wait_for_a_locked_buffer)
{
	static const uint64_t daddr[] = { 8, 16 };
	struct buf *buf = get(8, KIB4, BUF_READ);

	ahead(daddr, 2, KIB4);
	cr_assert_eq(w->reads, 2);
	assert_io(&w->read[1], 16, 8);
	buf_release(buf);
}

Test(buf_readahead, stops_where_there_is_no_more_room)
{
	static const uint64_t daddr[] = { 8, 16, 24, 32, 40, 48 };
	struct buf *held;

	teardown();
	open_cache(4 * 4096, 0);
	held = get(0, KIB4, BUF_READ);
	buf_release(get(800, KIB4, BUF_READ));
	ahead(daddr, 6, KIB4);
	assert_io(&w->read[2], 8, 24);
	cr_assert_eq(w->reads, 3);
	cr_assert_eq(stats().bytes, 4 * 4096);
	cr_assert_eq(stats().evicted, 1);
	buf_release(held);
}

Test(buf_readahead, leaves_errors_to_who_gets_the_buffer)
{
	static const uint64_t daddr[] = { 8, 16, 24 };
	struct buf *buf;

	w->bad_read_start = 20 * 512;
	w->bad_read_end = 20 * 512 + 1;
	ahead(daddr, 3, KIB4);
	cr_assert_eq(stats().bytes, 0);
	buf_release(get(8, KIB4, BUF_READ));
	memset(&said, 0, sizeof(said));
	cr_assert_eq(buf_get(cache, 16, KIB4, NULL, BUF_READ, &buf), -EIO);
	assert_said(&said, "bad sector");
	buf_release(get(24, KIB4, BUF_READ));
}

static int odd_is_bad(const struct buf_ops *ops, struct buf *buf,
			const char **why)
{
	(void)ops;
	if (buf->daddr / KIB4 % 2 == 0)
		return 0;
	*why = "it is odd";
	return -EUCLEAN;
}

Test(buf_readahead, verifies_and_says_nothing)
{
	static const struct buf_ops even = { "EVEN", odd_is_bad, NULL };
	static const struct buf_want want[] = {
		{ 16, KIB4, &even }, { 24, KIB4, &even }, { 32, KIB4, &even },
	};
	struct buf *buf;

	buf_readahead(cache, want, 3);
	assert_silent(&said);
	cr_assert_eq(stats().read_ahead, 2);
	assert_here(16, KIB4);
	assert_here(32, KIB4);
	cr_assert_eq(buf_get(cache, 24, KIB4, &even, BUF_READ, &buf),
		     -EUCLEAN);
	assert_said(&said, "EVEN at daddr 24: it is odd");
}

Test(buf_readahead, reads_the_same_with_threads)
{
	uint64_t daddr[200];
	size_t i;

	teardown();
	open_cache(SIZE, 4);
	for (i = 0; i < 200; i++)
		daddr[i] = (i * 37 % 200) * 24;
	ahead(daddr, 200, KIB4);
	cr_assert_eq(w->reads, 200);
	for (i = 0; i < 200; i++)
		assert_here(daddr[i], KIB4);
}

/* --- writing one --- */

Test(buf_write, writes_what_is_dirty)
{
	struct buf *buf;

	make_dirty(16, KIB4, 0xee);
	buf = get(16, KIB4, BUF_READ);
	cr_assert_eq(buf_write(buf), 0);
	cr_assert_not(buf_is_dirty(buf));
	cr_assert_eq(buf_write(buf), 0);
	buf_release(buf);
	cr_assert_eq(w->writes, 1);
	cr_assert(is_written(16, KIB4, 0xee));
	cr_assert_eq(w->flushes, 0);
}

Test(buf_write, does_not_write_what_is_pinned)
{
	struct buf *buf;

	make_dirty(16, KIB4, 0xee);
	buf = get(16, KIB4, BUF_READ);
	buf_pin(buf);
	cr_assert_eq(buf_write(buf), -EAGAIN);
	cr_assert(buf_is_dirty(buf));
	cr_assert_eq(w->writes, 0);
	buf_unpin(buf);
	cr_assert_eq(buf_write(buf), 0);
	cr_assert_eq(w->writes, 1);
	buf_release(buf);
	assert_silent(&said);
}

Test(buf_write, that_fails_leaves_it_dirty)
{
	struct buf *buf;

	make_dirty(16, KIB4, 0xee);
	buf = get(16, KIB4, BUF_READ);
	w->bad_write_end = SIZE;
	cr_assert_eq(buf_write(buf), -EIO);
	assert_said(&said, "bad sector");
	cr_assert(buf_is_dirty(buf));
	w->bad_write_end = 0;
	cr_assert_eq(buf_write(buf), 0);
	buf_release(buf);
}

static int stamp(const struct buf_ops *ops, struct buf *buf,
			const char **why)
{
	(void)ops;
	if (buf->data[1] == 0xbb) {
		*why = "it is bad";
		return -EUCLEAN;
	}
	buf->data[0] = 0x5a;
	return 0;
}

static const struct buf_ops stamped = { "STAMPED", NULL, stamp };

Test(buf_write, stamps_what_its_ops_stamp)
{
	struct buf *buf;
	uint8_t byte;

	make_dirty(16, KIB4, 0xee);
	buf = get(16, KIB4, BUF_READ);
	buf_set_ops(buf, &stamped);
	cr_assert_eq(buf_write(buf), 0);
	buf_release(buf);
	cr_assert_eq(dev_read(w->below, 16 * 512, &byte, 1), 0);
	cr_assert_eq(byte, 0x5a);
	cr_assert(is_written(17, KIB4 - 1, 0xee));
}

Test(buf_write, does_not_write_what_its_ops_refuse)
{
	struct buf *buf;

	make_dirty(16, KIB4, 0xbb);
	buf = get(16, KIB4, BUF_READ);
	buf_set_ops(buf, &stamped);
	cr_assert_eq(buf_write(buf), -EUCLEAN);
	assert_said(&said, "STAMPED at daddr 16: not written: it is bad");
	cr_assert(buf_is_dirty(buf));
	cr_assert_eq(w->writes, 0);
	buf_release(buf);
}

/* --- writing all --- */

Test(buf_write_back, joins_neighbours_in_the_order_of_the_device)
{
	make_dirty(800, KIB4, 1);
	make_dirty(24, KIB4, 2);
	make_dirty(8, KIB4, 3);
	make_dirty(16, KIB4, 4);
	make_dirty(40, 1, 5);
	cr_assert_eq(stats().dirty, 5);
	cr_assert_eq(buf_write_back(cache, 0), 0);
	cr_assert_eq(w->writes, 3);
	assert_io(&w->write[0], 8, 24);
	assert_io(&w->write[1], 40, 1);
	assert_io(&w->write[2], 800, 8);
	cr_assert(is_written(800, KIB4, 1));
	cr_assert(is_written(24, KIB4, 2));
	cr_assert(is_written(8, KIB4, 3));
	cr_assert(is_written(16, KIB4, 4));
	cr_assert(is_written(40, 1, 5));
	cr_assert_eq(stats().dirty, 0);
	cr_assert_eq(stats().written, 5);
	cr_assert_eq(buf_write_back(cache, 0), 0);
	cr_assert_eq(w->writes, 3);
	cr_assert_eq(w->reads, 0);
}

Test(buf_write_back, writes_a_mebibyte_at_a_time)
{
	size_t i;

	for (i = 0; i < SIZE / 16384; i++)
		make_dirty(i * 32, 32, (uint8_t)(i | 1));
	cr_assert_eq(buf_write_back(cache, 0), 0);
	cr_assert_eq(w->writes, SIZE >> 20);
	for (i = 0; i < SIZE >> 20; i++)
		assert_io(&w->write[i], i * 2048, 2048);
	for (i = 0; i < SIZE / 16384; i++)
		cr_assert(is_written(i * 32, 32, (uint8_t)(i | 1)));
}

Test(buf_write_back, leaves_out_what_is_pinned)
{
	struct buf *pinned;

	make_dirty(8, KIB4, 1);
	make_dirty(16, KIB4, 2);
	make_dirty(24, KIB4, 3);
	pinned = get(16, KIB4, BUF_READ);
	buf_pin(pinned);
	buf_unlock(pinned);
	cr_assert_eq(buf_write_back(cache, 0), 0);
	cr_assert_eq(w->writes, 2);
	assert_io(&w->write[0], 8, 8);
	assert_io(&w->write[1], 24, 8);
	cr_assert_eq(stats().dirty, 1);
	buf_unpin(pinned);
	buf_put(pinned);
	cr_assert_eq(buf_write_back(cache, 0), 0);
	cr_assert(is_written(16, KIB4, 2));
}

Test(buf_write_back, goes_on_after_errors_and_returns_the_first)
{
	struct buf *buf;

	make_dirty(8, KIB4, 1);
	make_dirty(16, KIB4, 2);	/* the same run */
	make_dirty(800, KIB4, 0xbb);
	buf = get(800, KIB4, BUF_READ);
	buf_set_ops(buf, &stamped);
	buf_release(buf);
	make_dirty(808, KIB4, 4);
	w->bad_write_start = 8 * 512;
	w->bad_write_end = 8 * 512 + 1;
	cr_assert_eq(buf_write_back(cache, 0), -EIO);
	cr_assert_eq(said.errors, 2);
	cr_assert(is_written(808, KIB4, 4));
	cr_assert_eq(stats().dirty, 3);

	w->bad_write_end = 0;
	cr_assert_eq(buf_write_back(cache, 0), -EUCLEAN);
	cr_assert(is_written(8, KIB4, 1));
	cr_assert(is_written(16, KIB4, 2));
	cr_assert_eq(stats().dirty, 1);
}

Test(buf_write_back, skips_what_is_locked_when_told_so)
{
	struct buf *locked;

	make_dirty(8, KIB4, 1);
	make_dirty(16, KIB4, 2);
	make_dirty(24, KIB4, 3);
	locked = get(8, KIB4, BUF_READ);
	cr_assert_eq(buf_write_back(cache, BUF_SKIP_LOCKED), 0);
	cr_assert_eq(w->writes, 1);
	assert_io(&w->write[0], 16, 16);
	buf_release(locked);
	locked = get(24, KIB4, BUF_READ);
	buf_mark_dirty(locked);
	cr_assert_eq(buf_write_back(cache, BUF_SKIP_LOCKED), 0);
	assert_io(&w->write[1], 8, 8);
	cr_assert_eq(stats().dirty, 1);
	buf_release(locked);
}

static void *unlock_it(void *arg)
{
	buf_release(arg);
	return NULL;
}

Test(buf_write_back, waits_for_locks_else, .timeout = 60)
{
	struct buf *locked;
	pthread_t thread;

	make_dirty(8, KIB4, 1);
	make_dirty(16, KIB4, 2);
	make_dirty(24, KIB4, 3);
	locked = get(16, KIB4, BUF_READ);
	cr_assert_eq(pthread_create(&thread, NULL, unlock_it, locked), 0);
	cr_assert_eq(buf_write_back(cache, 0), 0);
	pthread_join(thread, NULL);
	cr_assert_eq(stats().dirty, 0);
	cr_assert(is_written(8, KIB4, 1));
	cr_assert(is_written(16, KIB4, 2));
	cr_assert(is_written(24, KIB4, 3));
}

Test(buf_write_back, makes_room)
{
	size_t i;

	teardown();
	open_cache(8 * 4096, 0);
	for (i = 0; i < 16; i++)
		make_dirty(i * 32, KIB4, 7);
	cr_assert_eq(stats().bytes, 16 * 4096);
	cr_assert_eq(buf_write_back(cache, 0), 0);
	cr_assert_eq(stats().bytes, 8 * 4096);
}

/* --- writing those that are locked --- */

Test(buf_write_locked, joins_neighbours_and_leaves_out_the_pinned)
{
	static const uint64_t daddr[] = { 40, 800, 16, 24, 8, 32 };
	struct buf *bufs[6];

	for (size_t i = 0; i < 6; i++) {
		make_dirty(daddr[i], KIB4, (uint8_t)(i + 1));
		bufs[i] = get(daddr[i], KIB4, BUF_READ);
	}
	buf_pin(bufs[3]);
	cr_assert_eq(buf_write_locked(bufs, 6), 0);
	cr_assert_eq(w->writes, 3);
	assert_io(&w->write[0], 8, 16);
	assert_io(&w->write[1], 32, 16);
	assert_io(&w->write[2], 800, 8);
	cr_assert(is_written(16, KIB4, 3));
	cr_assert(is_written(40, KIB4, 1));
	cr_assert_eq(stats().dirty, 1);
	for (size_t i = 0; i < 6; i++) {
		if (buf_is_pinned(bufs[i]))
			buf_unpin(bufs[i]);
		buf_release(bufs[i]);
	}
}

Test(buf_write_locked, goes_on_after_one_that_must_not_be_written)
{
	struct buf *bufs[3];

	for (size_t i = 0; i < 3; i++) {
		make_dirty(8 + 8 * i, KIB4, (uint8_t)(i + 1));
		bufs[i] = get(8 + 8 * i, KIB4, BUF_READ);
	}
	bufs[1]->data[1] = 0xbb;
	buf_set_ops(bufs[1], &stamped);
	cr_assert_eq(buf_write_locked(bufs, 3), -EUCLEAN);
	cr_assert_eq(said.errors, 1);
	cr_assert(is_written(8, KIB4, 1));
	cr_assert(is_written(24, KIB4, 3));
	cr_assert_eq(stats().dirty, 1);
	for (size_t i = 0; i < 3; i++)
		buf_release(bufs[i]);
}
