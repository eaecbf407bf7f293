/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many threads at work on a buffer cache that holds a sixteenth of what they
 * want. Each counts up in blocks it has locked; pins are taken off by whoever
 * comes next; some read ahead, some write back. At the end every count must be
 * on the device, once. A plain program: also what ThreadSanitizer is run on.
 *
 *	buf_cache [operations of each thread [first seed]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/buf.h"

enum {
	THREADS = 8,
	BLOCKS = 1024,
	BLOCK_BYTES = 4096,
	BLOCK_BB = BLOCK_BYTES / BUF_BB_BYTES,
	CACHE_BYTES = BLOCKS * BLOCK_BYTES / 16,
};

#define CHECK(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__,	\
				__LINE__, #what);			\
			exit(1);					\
		}							\
	} while (0)

/* First and last in a block, so that half a copy shows. */
struct tag {
	uint64_t	daddr;
	uint64_t	count;
	uint64_t	sum;		/* of both, set before a write */
};

static struct dev *dev;
static struct buf_cache *cache;
static unsigned long operations = 20000;
static unsigned long first_seed = 1;

/* One pinned buffer waits here for someone to take the pin off. */
static _Atomic(struct buf *) pinned;

static struct tag tag_of(const struct buf *buf, bool last)
{
	size_t at = last ? BLOCK_BYTES - sizeof(struct tag) : 0;
	struct tag tag;

	memcpy(&tag, buf->data + at, sizeof(tag));
	return tag;
}

static void set_tag(struct buf *buf, struct tag tag)
{
	memcpy(buf->data, &tag, sizeof(tag));
	memcpy(buf->data + BLOCK_BYTES - sizeof(tag), &tag, sizeof(tag));
}

static int check(const struct buf_ops *ops, struct buf *buf, const char **why)
{
	struct tag first = tag_of(buf, false), last = tag_of(buf, true);

	(void)ops;
	*why = "its tags are wrong";
	return first.daddr == buf->daddr &&
	       first.sum == first.daddr + first.count &&
	       !memcmp(&first, &last, sizeof(first)) ? 0 : -EUCLEAN;
}

static int stamp(const struct buf_ops *ops, struct buf *buf, const char **why)
{
	struct tag tag = tag_of(buf, false);

	(void)ops;
	*why = "";
	tag.sum = tag.daddr + tag.count;
	set_tag(buf, tag);
	return 0;
}

static const struct buf_ops tag_ops = { "COUNT", check, stamp };

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void unpin_waiting(struct buf *next)
{
	/* Release: who takes it must see the pin; acquire: and did. */
	struct buf *buf = atomic_exchange_explicit(&pinned, next,
						   memory_order_acq_rel);

	if (buf)
		buf_unpin(buf);
}

static void count_up(uint64_t random)
{
	struct buf *buf;
	struct tag tag;
	int rc;

	rc = buf_get(cache, random % BLOCKS * BLOCK_BB, BLOCK_BB, &tag_ops,
		     BUF_READ | (random >> 20 & 1 ? BUF_TRYLOCK : 0), &buf);
	if (rc == -EAGAIN)
		rc = buf_get(cache, random % BLOCKS * BLOCK_BB, BLOCK_BB,
			     &tag_ops, BUF_READ, &buf);
	CHECK(rc == 0);
	tag = tag_of(buf, false);
	CHECK(tag.daddr == buf->daddr);
	tag.count++;
	set_tag(buf, tag);
	buf_mark_dirty(buf);
	if (random >> 21 & 1) {
		buf_pin(buf);
		buf_release(buf);
		unpin_waiting(buf);
	} else {
		buf_release(buf);
	}
}

static void read_ahead(uint64_t random)
{
	struct buf_want want[32];
	uint64_t first = random % (BLOCKS - 32);
	size_t i;

	for (i = 0; i < 32; i++)
		want[i] = (struct buf_want){ (first + i) * BLOCK_BB, BLOCK_BB,
					     &tag_ops };
	buf_readahead(cache, want, 32);
}

static void *work(void *arg)
{
	uint64_t state = (first_seed + (uintptr_t)arg) * 0x9e3779b97f4a7c15u;
	unsigned long i;

	for (i = 0; i < operations; i++) {
		uint64_t random = next_random(&state);

		count_up(random >> 8);
		switch (random % 64) {
		case 0:
			CHECK(!buf_write_back(cache, 0));
			break;
		case 1:
			CHECK(!buf_write_back(cache, BUF_SKIP_LOCKED));
			break;
		case 2:
		case 3:
			read_ahead(random >> 8);
			break;
		default:
			break;
		}
	}
	return NULL;
}

static void tag_all(void)
{
	uint64_t i;

	for (i = 0; i < BLOCKS; i++) {
		struct tag tag = { .daddr = i * BLOCK_BB };
		uint64_t at = i * BLOCK_BYTES;

		tag.sum = tag.daddr;
		CHECK(!dev_write(dev, at, &tag, sizeof(tag)));
		CHECK(!dev_write(dev, at + BLOCK_BYTES - sizeof(tag), &tag,
				 sizeof(tag)));
	}
}

static uint64_t count_all(void)
{
	uint64_t i, sum = 0;
	struct tag tag;

	for (i = 0; i < BLOCKS; i++) {
		CHECK(!dev_read(dev, i * BLOCK_BYTES, &tag, sizeof(tag)));
		CHECK(tag.sum == tag.daddr + tag.count);
		sum += tag.count;
	}
	return sum;
}

int main(int argc, char **argv)
{
	pthread_t thread[THREADS];
	struct buf_stats stats;
	uintptr_t i;

	if (argc > 1)
		operations = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoul(argv[2], NULL, 10);
	printf("%lu operations in each of %d threads, seed %lu\n", operations,
	       THREADS, first_seed);
	CHECK(!dev_open_overlay(NULL, BLOCKS * BLOCK_BYTES, NULL, &dev));
	tag_all();
	CHECK(!buf_cache_new(dev, CACHE_BYTES, 2, &cache));
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], NULL, work, (void *)i));
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_join(thread[i], NULL));
	unpin_waiting(NULL);
	CHECK(!buf_write_back(cache, 0));
	buf_cache_stats(cache, &stats);
	CHECK(stats.dirty == 0);
	CHECK(stats.bytes <= CACHE_BYTES);
	printf("%llu hits, %llu misses, %llu evicted, %llu read ahead, %llu written\n",
	       (unsigned long long)stats.hits,
	       (unsigned long long)stats.misses,
	       (unsigned long long)stats.evicted,
	       (unsigned long long)stats.read_ahead,
	       (unsigned long long)stats.written);
	CHECK(count_all() == (uint64_t)operations * THREADS);
	buf_cache_free(cache);
	dev_close(dev);
	return 0;
}
