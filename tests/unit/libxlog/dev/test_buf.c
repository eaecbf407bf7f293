/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding, locking, keeping and forgetting buffers; I/O is in test_buf_io.c. */
#include "libxlog/dev/buf.h"
#include "tests/lib/memdev.h"

enum { SIZE = 1 << 20, KIB4 = 8 /* blocks */ };

static struct reports said;
static struct watch *w;
static struct buf_cache *cache;

static void open_cache(uint64_t max_bytes)
{
	struct sink sink = reports_sink(&said);

	w = watch_open(memdev_pattern(SIZE, &sink));
	cr_assert_eq(buf_cache_new(&w->dev, max_bytes, 0, &cache), 0);
}

static void setup(void)
{
	open_cache(SIZE);
}

static void teardown(void)
{
	buf_cache_free(cache);
	dev_close(&w->dev);
}

TestSuite(buf_get, .init = setup, .fini = teardown);
TestSuite(buf, .init = setup, .fini = teardown);
TestSuite(buf_ops, .init = setup, .fini = teardown);

static struct buf *get(uint64_t daddr, uint32_t len_bb, unsigned int flags)
{
	struct buf *buf;

	cr_assert_eq(buf_get(cache, daddr, len_bb, NULL, flags, &buf), 0);
	return buf;
}

static void touch(uint64_t daddr)
{
	buf_release(get(daddr, KIB4, BUF_READ));
}

static void make_dirty(uint64_t daddr, uint8_t byte)
{
	struct buf *buf = get(daddr, KIB4, 0);

	memset(buf->data, byte, 4096);
	buf_mark_dirty(buf);
	buf_release(buf);
}

static struct buf_stats stats(void)
{
	struct buf_stats s;

	buf_cache_stats(cache, &s);
	return s;
}

Test(buf_get, reads_once_and_remembers)
{
	struct buf *buf = get(16, KIB4, BUF_READ);

	cr_assert(pattern_holds(buf->data, 16 * 512, 4096));
	buf_release(buf);
	cr_assert_eq(get(16, KIB4, BUF_READ), buf);
	buf_release(buf);
	cr_assert_eq(w->reads, 1);
	cr_assert_eq(w->read[0].off_bytes, 16 * 512);
	cr_assert_eq(w->read[0].len, 4096);
	cr_assert_eq(stats().misses, 1);
	cr_assert_eq(stats().hits, 1);
	cr_assert_eq(stats().bytes, 4096);
}

Test(buf_get, takes_another_size_for_another_buffer)
{
	struct buf *large = get(16, KIB4, BUF_READ);
	struct buf *small = get(16, 1, BUF_READ);
	struct buf *inner = get(17, 1, BUF_READ);

	cr_assert_neq(large, small);
	cr_assert_neq(small, inner);
	cr_assert(pattern_holds(inner->data, 17 * 512, 512));
	cr_assert_eq(w->reads, 3);
	buf_release(large);
	buf_release(small);
	buf_release(inner);
}

Test(buf_get, refuses_what_is_no_buffer_of_the_device)
{
	static const struct { uint64_t daddr; uint32_t len_bb; } bad[] = {
		{ 0, 0 },
		{ 0, BUF_MAX_BB + 1 },
		{ 0, UINT32_MAX },
		{ SIZE / 512, 1 },
		{ SIZE / 512 - 1, 2 },
		{ UINT64_MAX, 1 },
		{ UINT64_MAX - 3, 8 },
		{ UINT64_MAX / 512 + 1, 8 },	/* in bytes it wraps to 0 */
	};
	struct buf *buf = NULL;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(buf_get(cache, bad[i].daddr, bad[i].len_bb, NULL,
				     i & 1 ? BUF_READ : 0, &buf), -EINVAL);
		assert_said(&said, "buffer of");
	}
	cr_assert_null(buf);
	cr_assert_eq(stats().bytes, 0);
	buf_release(get(SIZE / 512 - 1, 1, BUF_READ));
	buf_release(get(0, BUF_MAX_BB, BUF_READ));
}

Test(buf_get, returns_a_failed_read_each_time)
{
	struct buf *buf = NULL;
	int i;

	w->bad_read_start = 16 * 512 + 5;
	w->bad_read_end = 16 * 512 + 6;
	for (i = 0; i < 3; i++) {
		cr_assert_eq(buf_get(cache, 16, KIB4, NULL, BUF_READ, &buf),
			     -EIO);
		assert_said(&said, "bad sector");
		cr_assert_null(buf);
	}
	cr_assert_eq(stats().bytes, 0);
	w->bad_read_end = 0;
	touch(16);
}

Test(buf_get, without_reading_gives_zeros)
{
	struct buf *buf = get(16, KIB4, 0);

	cr_assert(dev_is_zero(buf->data, 4096));
	cr_assert_eq(w->reads, 0);
	buf_release(buf);
}

Test(buf_get, forgets_zeros_that_nobody_made_dirty)
{
	struct buf *buf = get(16, KIB4, 0);

	buf_hold(buf);
	buf_release(buf);
	buf_lock(buf);
	buf_release(buf);
	buf = get(16, KIB4, BUF_READ);
	cr_assert(pattern_holds(buf->data, 16 * 512, 4096));
	buf_release(buf);
}

Test(buf_get, without_reading_gives_what_is_there)
{
	struct buf *buf;

	touch(16);
	buf = get(16, KIB4, 0);
	cr_assert(pattern_holds(buf->data, 16 * 512, 4096));
	buf_release(buf);
	touch(16);
	cr_assert_eq(w->reads, 1);
}

Test(buf_get, trylock_says_when_it_is_locked)
{
	struct buf *buf = get(16, KIB4, BUF_READ | BUF_TRYLOCK), *again = NULL;

	cr_assert_eq(buf_get(cache, 16, KIB4, NULL, BUF_READ | BUF_TRYLOCK,
			     &again), -EAGAIN);
	cr_assert_null(again);
	assert_silent(&said);
	buf_release(buf);
	buf_release(get(16, KIB4, BUF_READ | BUF_TRYLOCK));
}

Test(buf, is_locked_by_one)
{
	struct buf *buf = get(16, KIB4, BUF_READ);

	cr_assert_not(buf_trylock(buf));
	buf_unlock(buf);
	cr_assert(buf_trylock(buf));
	buf_release(buf);
}

static void *unlock_it(void *arg)
{
	buf_release(arg);
	return NULL;
}

Test(buf, may_be_unlocked_by_another_thread, .timeout = 60)
{
	struct buf *buf = get(16, KIB4, BUF_READ);
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, unlock_it, buf), 0);
	buf_release(get(16, KIB4, BUF_READ));	/* waits for it */
	pthread_join(thread, NULL);
}

static void *unpin_it(void *arg)
{
	buf_unpin(arg);
	return NULL;
}

Test(buf, wait_unpinned_waits_for_the_last_pin, .timeout = 60)
{
	struct buf *buf = get(16, KIB4, BUF_READ);
	pthread_t thread[2];

	buf_pin(buf);
	buf_pin(buf);
	cr_assert(buf_is_pinned(buf));
	cr_assert_eq(pthread_create(&thread[0], NULL, unpin_it, buf), 0);
	cr_assert_eq(pthread_create(&thread[1], NULL, unpin_it, buf), 0);
	buf_wait_unpinned(buf);
	cr_assert_not(buf_is_pinned(buf));
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	buf_wait_unpinned(buf);
	buf_release(buf);
}

Test(buf, that_was_invalidated_is_read_again)
{
	struct buf *buf;

	make_dirty(16, 0xee);
	buf = get(16, KIB4, BUF_READ);
	cr_assert_eq(buf->data[0], 0xee);
	buf_invalidate(buf);
	cr_assert_not(buf_is_dirty(buf));
	buf_release(buf);
	cr_assert_eq(stats().bytes, 0);
	buf = get(16, KIB4, BUF_READ);
	cr_assert(pattern_holds(buf->data, 16 * 512, 4096));
	buf_release(buf);
}

/* --- what is kept --- */

static void reopen(uint64_t max_bytes)
{
	teardown();
	open_cache(max_bytes);
}

Test(buf, cache_stays_within_its_bound)
{
	uint64_t daddr;

	reopen(64 << 10);
	for (daddr = 0; daddr < SIZE / 512; daddr += KIB4) {
		touch(daddr);
		cr_assert_leq(stats().bytes, 64 << 10);
	}
	cr_assert_eq(stats().bytes, 64 << 10);
	cr_assert_eq(stats().evicted, SIZE / 4096 - 16);
}

/*
 * Addresses of one shard, so that their order of use is strict: the top bits
 * of the product with the golden ratio choose the shard.
 */
static void same_shard(uint64_t *daddr, size_t count)
{
	const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t at;
	size_t n = 0;

	for (at = 0; n < count && at < SIZE / 512; at += KIB4)
		if ((at * golden) >> 59 == 7)
			daddr[n++] = at;
	cr_assert_eq(n, count);
}

Test(buf, cache_forgets_the_least_recently_used_first)
{
	uint64_t d[5];

	same_shard(d, 5);
	reopen(3 * 4096);
	touch(d[0]);
	touch(d[1]);
	touch(d[2]);
	touch(d[0]);
	cr_assert_eq(w->reads, 3);
	touch(d[3]);			/* d[1] goes */
	cr_assert_eq(w->reads, 4);
	touch(d[0]);
	touch(d[2]);
	touch(d[3]);
	cr_assert_eq(w->reads, 4);
	touch(d[1]);			/* d[0] goes */
	cr_assert_eq(w->reads, 5);
	touch(d[2]);
	cr_assert_eq(w->reads, 5);
	touch(d[0]);
	cr_assert_eq(w->reads, 6);
}

Test(buf, that_is_held_pinned_or_dirty_is_not_forgotten)
{
	struct buf *held, *pinned;
	uint64_t daddr;

	reopen(4 * 4096);
	held = get(0, KIB4, BUF_READ);
	buf_unlock(held);
	pinned = get(8, KIB4, BUF_READ);
	buf_pin(pinned);
	buf_release(pinned);
	make_dirty(16, 0xee);
	for (daddr = 24; daddr < 1000; daddr += KIB4)
		touch(daddr);
	w->reads = 0;
	touch(0);
	touch(8);
	touch(16);
	cr_assert_eq(w->reads, 0);
	cr_assert_leq(stats().bytes, 4 * 4096);
	cr_assert_eq(stats().dirty, 1);
	buf_unpin(pinned);
	buf_put(held);
}

Test(buf, beyond_the_bound_is_got_all_the_same)
{
	struct buf *buf[4];
	int i;

	reopen(4096);
	for (i = 0; i < 4; i++)
		buf[i] = get((uint64_t)i * KIB4, KIB4, BUF_READ);
	cr_assert_eq(stats().bytes, 4 * 4096);
	for (i = 0; i < 4; i++)
		buf_release(buf[i]);
	cr_assert_eq(stats().bytes, 4096);
}

Test(buf, cache_without_room_keeps_nothing)
{
	reopen(0);
	touch(0);
	cr_assert_eq(stats().bytes, 0);
	touch(0);
	cr_assert_eq(w->reads, 2);
}

Test(buf, cache_drops_what_is_dirty_when_it_is_freed)
{
	make_dirty(16, 0xee);
	reopen(SIZE);
	cr_assert_eq(w->writes, 0);
}

Test(buf, cache_free_accepts_null)
{
	buf_cache_free(NULL);
}

/* --- what the border to the device is told to do --- */

static int first_byte_is_known(const struct buf_ops *ops, struct buf *buf,
			const char **why)
{
	(void)ops;
	if (buf->data[0] == pattern_at(buf->daddr * 512))
		return 0;
	*why = "its first byte is wrong";
	return -EBADMSG;
}

static int never_good(const struct buf_ops *ops, struct buf *buf,
			const char **why)
{
	(void)ops;
	(void)buf;
	*why = "it never is good";
	return -EUCLEAN;
}

static const struct buf_ops known = { "KNOWN", first_byte_is_known, NULL };
static const struct buf_ops other = { "OTHER", first_byte_is_known, NULL };
static const struct buf_ops never = { "NEVER", never_good, NULL };

static int get_as(const struct buf_ops *ops, struct buf **out)
{
	return buf_get(cache, 16, KIB4, ops, BUF_READ, out);
}

Test(buf_ops, verify_what_was_read)
{
	struct buf *buf;

	cr_assert_eq(get_as(&known, &buf), 0);
	cr_assert_eq(buf->ops, &known);
	buf_release(buf);
	assert_silent(&said);
}

Test(buf_ops, failure_is_returned_and_said_each_time)
{
	struct buf *buf = NULL;
	int i;

	cr_assert_eq(dev_write(&w->dev, 16 * 512, "\0", 1), 0);
	for (i = 0; i < 2; i++) {
		cr_assert_eq(get_as(&known, &buf), -EBADMSG);
		assert_said(&said, "buf.verify: KNOWN at daddr 16: its first "
			    "byte is wrong");
		cr_assert_null(buf);
	}
	/* Unverified, it can be had. */
	cr_assert_eq(get_as(NULL, &buf), 0);
	buf_release(buf);
	/* And that it is here now is no way around. */
	cr_assert_eq(get_as(&known, &buf), -EBADMSG);
	assert_said(&said, "KNOWN");
	cr_assert_eq(w->reads, 3);
}

Test(buf_ops, of_another_kind_verify_it_again)
{
	struct buf *buf;

	cr_assert_eq(get_as(&known, &buf), 0);
	buf_release(buf);
	cr_assert_eq(get_as(&never, &buf), -EUCLEAN);
	assert_said(&said, "NEVER at daddr 16: it never is good");
	cr_assert_eq(get_as(&other, &buf), 0);
	cr_assert_eq(buf->ops, &other);
	buf_release(buf);
	cr_assert_eq(w->reads, 1);
}

Test(buf_ops, of_another_kind_cannot_have_a_changed_block)
{
	struct buf *buf;

	cr_assert_eq(get_as(&known, &buf), 0);
	buf->data[0] ^= 1;
	buf_mark_dirty(buf);
	buf_release(buf);
	cr_assert_eq(get_as(&other, &buf), -EUCLEAN);
	assert_said(&said, "OTHER at daddr 16: the block is changed as KNOWN");
	/* Its own may: what it changed is its own affair. */
	cr_assert_eq(get_as(&known, &buf), 0);
	buf_release(buf);
}

Test(buf_ops, replace_others_when_the_contents_are_replaced)
{
	struct buf *buf;

	cr_assert_eq(get_as(&known, &buf), 0);
	buf_mark_dirty(buf);
	buf_release(buf);
	cr_assert_eq(buf_get(cache, 16, KIB4, &never, 0, &buf), 0);
	cr_assert_eq(buf->ops, &never);
	buf_release(buf);
	assert_silent(&said);
}
