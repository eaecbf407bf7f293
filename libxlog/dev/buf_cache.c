/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making and freeing a buffer cache, and what is said of all of it; see buf.h.
 */
#include <assert.h>
#include <stdlib.h>

#include "libxlog/dev/buf_priv.h"

/* A bucket per 16 KiB, since most buffers are 4 KiB: chains stay short. */
static uint32_t choose_buckets(uint64_t max_bytes)
{
	uint32_t buckets = 64;

	while (buckets < 1 << 16 &&
	       (uint64_t)buckets * SHARDS * 16384 < max_bytes)
		buckets *= 2;
	return buckets;
}

static int shard_init(struct shard *shard, uint32_t buckets)
{
	uint32_t i;

	shard->bucket = malloc(buckets * sizeof(*shard->bucket));
	if (!shard->bucket || xmutex_init(&shard->lock)) {
		free(shard->bucket);
		return -ENOMEM;
	}
	for (i = 0; i < buckets; i++)
		list_init(&shard->bucket[i]);
	list_init(&shard->lru);
	list_init(&shard->dirty);
	return 0;
}

static void shard_fini(struct shard *shard, uint32_t buckets)
{
	struct list *link;
	struct buf *buf;
	uint32_t i;

	for (i = 0; i < buckets; i++) {
		while ((link = list_first(&shard->bucket[i]))) {
			buf = buf_from_hash(link);
			assert(!buf->refs && !buf->pins);
			list_remove(link);
			buf_free(buf);
		}
	}
	free(shard->bucket);
	xmutex_fini(&shard->lock);
}

int buf_cache_new(struct dev *dev, uint64_t max_bytes,
		  unsigned int read_threads, struct buf_cache **out)
{
	struct buf_cache *cache = calloc(1, sizeof(*cache));
	unsigned int i;

	if (!cache)
		goto no_memory;
	cache->dev = dev;
	cache->max_bytes = max_bytes;
	cache->read_threads = read_threads;
	cache->buckets = choose_buckets(max_bytes);
	for (i = 0; i < SHARDS; i++)
		if (shard_init(&cache->shard[i], cache->buckets))
			goto fini_shards;
	*out = cache;
	return 0;
fini_shards:
	while (i--)
		shard_fini(&cache->shard[i], cache->buckets);
	free(cache);
no_memory:
	return report(&dev->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory for the buffer cache");
}

void buf_cache_set_user(struct buf_cache *cache, void *user,
			int (*unstick)(void *user))
{
	cache->user = user;
	cache->unstick = unstick;
}

void *buf_cache_user(const struct buf_cache *cache)
{
	return cache->user;
}

void buf_cache_each(struct buf_cache *cache, void (*fn)(struct buf *buf))
{
	for (unsigned int i = 0; i < SHARDS; i++) {
		for (uint32_t j = 0; j < cache->buckets; j++) {
			struct list *bucket = &cache->shard[i].bucket[j];
			struct list *link, *next;

			for (link = list_first(bucket); link; link = next) {
				next = list_next(link, bucket);
				fn(buf_from_hash(link));
			}
		}
	}
}

void buf_cache_free(struct buf_cache *cache)
{
	unsigned int i;

	if (!cache)
		return;
	for (i = 0; i < SHARDS; i++)
		shard_fini(&cache->shard[i], cache->buckets);
	free(cache);
}

static uint64_t counted(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void buf_cache_stats(struct buf_cache *cache, struct buf_stats *out)
{
	unsigned int i;

	*out = (struct buf_stats){
		.bytes = counted(&cache->bytes),
		.hits = counted(&cache->hits),
		.misses = counted(&cache->misses),
		.evicted = counted(&cache->evicted),
		.read_ahead = counted(&cache->read_ahead),
		.written = counted(&cache->written),
		.written_bytes = counted(&cache->written_bytes),
	};
	for (i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shard[i];

		xmutex_lock(&shard->lock);
		out->dirty += shard->ndirty;
		xmutex_unlock(&shard->lock);
	}
}
