/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The buffer cache: finding buffers, their locks and pins, and which of them
 * may be forgotten. The cache itself is made in buf_cache.c, reading is in
 * buf_read.c, writing in buf_write.c; buf_priv.h has the lock map.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/buf_priv.h"

static struct list *bucket_of(const struct buf_cache *cache,
			      struct shard *shard, uint64_t daddr)
{
	/* The bits below those that chose the shard. */
	return &shard->bucket[(buf_hash(daddr) >> 24) & (cache->buckets - 1)];
}

const char *buf_range_verify(const struct buf_cache *cache, uint64_t daddr,
			     uint32_t len_bb)
{
	uint64_t size_bb = cache->dev->size_bytes / BUF_BB_BYTES;

	if (!len_bb || len_bb > BUF_MAX_BB)
		return "its length is no buffer's";
	if (daddr >= size_bb || len_bb > size_bb - daddr)
		return "it does not lie on the device";
	return NULL;
}

/* --- making and freeing --- */

static struct buf *buf_alloc(struct buf_cache *cache, uint64_t daddr,
			     uint32_t len_bb)
{
	struct buf *buf = calloc(1, sizeof(*buf));

	if (!buf)
		return NULL;
	buf->cache = cache;
	buf->daddr = daddr;
	buf->len_bb = len_bb;
	buf->data = aligned_alloc(BUF_BB_BYTES, buf_bytes(buf));
	if (!buf->data)
		goto free_buf;
	if (xcond_init(&buf->unlocked))
		goto free_data;
	if (xcond_init(&buf->unpinned))
		goto fini_unlocked;
	list_init(&buf->hash_link);
	list_init(&buf->lru_link);
	list_init(&buf->dirty_link);
	buf_count(&cache->bytes, buf_bytes(buf));
	return buf;
fini_unlocked:
	xcond_fini(&buf->unlocked);
free_data:
	free(buf->data);
free_buf:
	free(buf);
	return NULL;
}

void buf_free(struct buf *buf)
{
	if (!buf)
		return;
	atomic_fetch_sub_explicit(&buf->cache->bytes, buf_bytes(buf),
				  memory_order_relaxed);
	xcond_fini(&buf->unpinned);
	xcond_fini(&buf->unlocked);
	free(buf->data);
	free(buf);
}

/*
 * Put a buffer that lost its last reference, pin or dirtiness where it belongs
 * now. Returns it if it is to be freed, once the lock is dropped.
 */
static struct buf *settle(struct shard *shard, struct buf *buf)
	REQUIRES(shard->lock);

static struct buf *settle(struct shard *shard, struct buf *buf)
{
	if (buf->refs || buf->pins || buf->dirty)
		return NULL;
	if (buf->valid) {
		list_insert_last(&buf->lru_link, &shard->lru);
		buf_count(&buf->cache->idle, 1);
		return NULL;
	}
	list_remove(&buf->hash_link);
	return buf;
}

/* Out of the LRU list, if it is in there. */
static void unidle(struct shard *shard, struct buf *buf)
	REQUIRES(shard->lock);

static void unidle(struct shard *shard, struct buf *buf)
{
	(void)shard;
	if (list_is_empty(&buf->lru_link))
		return;
	list_remove(&buf->lru_link);
	atomic_fetch_sub_explicit(&buf->cache->idle, 1, memory_order_relaxed);
}

static struct buf *evict_one(struct shard *shard)
{
	struct buf *buf = NULL;
	struct list *oldest;

	xmutex_lock(&shard->lock);
	oldest = list_first(&shard->lru);
	if (oldest) {
		buf = container_of(oldest, struct buf, lru_link);
		unidle(shard, buf);
		list_remove(&buf->hash_link);
	}
	xmutex_unlock(&shard->lock);
	return buf;
}

/* Shards take turns, which is near enough to the oldest of all. */
bool buf_cache_shrink(struct buf_cache *cache, uint64_t more)
{
	unsigned int empty = 0, next;
	struct buf *buf;

	while (atomic_load_explicit(&cache->bytes, memory_order_relaxed) +
	       more > cache->max_bytes) {
		/* Often so when much is dirty: do not ask every shard. */
		if (empty == SHARDS ||
		    !atomic_load_explicit(&cache->idle, memory_order_relaxed))
			return false;
		next = atomic_fetch_add_explicit(&cache->evict_next, 1,
						 memory_order_relaxed);
		buf = evict_one(&cache->shard[next % SHARDS]);
		empty = buf ? 0 : empty + 1;
		if (buf)
			buf_count(&cache->evicted, 1);
		buf_free(buf);
	}
	return true;
}

/* --- references and locks --- */

/* Found, with a reference more; or NULL. */
static struct buf *find(struct shard *shard, const struct list *bucket,
			uint64_t daddr, uint32_t len_bb)
	REQUIRES(shard->lock);

static struct buf *find(struct shard *shard, const struct list *bucket,
			uint64_t daddr, uint32_t len_bb)
{
	struct list *link;
	struct buf *buf;

	for (link = list_first(bucket); link; link = list_next(link, bucket)) {
		buf = buf_from_hash(link);
		if (buf->daddr == daddr && buf->len_bb == len_bb) {
			buf->refs++;
			unidle(shard, buf);
			return buf;
		}
	}
	return NULL;
}

struct buf *buf_grab(struct buf_cache *cache, uint64_t daddr, uint32_t len_bb,
		     bool *created)
{
	struct shard *shard =
		&cache->shard[buf_hash(daddr) >> (64 - SHARD_BITS)];
	struct list *bucket = bucket_of(cache, shard, daddr);
	struct buf *buf, *fresh;

	*created = false;
	xmutex_lock(&shard->lock);
	buf = find(shard, bucket, daddr, len_bb);
	xmutex_unlock(&shard->lock);
	if (buf)
		return buf;

	/* What cannot go stays: the bound is not the getter's problem. */
	(void)buf_cache_shrink(cache, (uint64_t)len_bb * BUF_BB_BYTES);
	fresh = buf_alloc(cache, daddr, len_bb);
	if (!fresh)
		return NULL;
	xmutex_lock(&shard->lock);
	buf = find(shard, bucket, daddr, len_bb);
	if (!buf) {
		*created = true;
		buf = fresh;
		buf->refs = 1;
		buf->locked = true;
		list_insert_first(&buf->hash_link, bucket);
	}
	xmutex_unlock(&shard->lock);
	if (!*created)
		buf_free(fresh);	/* another thread was faster */
	return buf;
}

void buf_hold(struct buf *buf)
{
	struct shard *shard = buf_shard(buf);

	xmutex_lock(&shard->lock);
	assert(buf->refs);
	buf->refs++;
	xmutex_unlock(&shard->lock);
}

void buf_put(struct buf *buf)
{
	struct buf_cache *cache = buf->cache;
	struct shard *shard = buf_shard(buf);

	xmutex_lock(&shard->lock);
	assert(buf->refs);
	buf->refs--;
	buf = settle(shard, buf);
	xmutex_unlock(&shard->lock);
	buf_free(buf);
	(void)buf_cache_shrink(cache, 0);
}

void buf_lock(struct buf *buf)
{
	struct shard *shard = buf_shard(buf);

	xmutex_lock(&shard->lock);
	while (buf->locked)
		xcond_wait(&buf->unlocked, &shard->lock);
	buf->locked = true;
	xmutex_unlock(&shard->lock);
}

/* The same, unless nobody will ever unlock it. */
static int lock_unstuck(struct buf *buf)
{
	struct buf_cache *cache = buf->cache;
	struct shard *shard = buf_shard(buf);
	int rc = 0;

	xmutex_lock(&shard->lock);
	while (buf->locked && !rc) {
		if (!buf->stuck) {
			xcond_wait(&buf->unlocked, &shard->lock);
			continue;
		}
		xmutex_unlock(&shard->lock);
		rc = cache->unstick(cache->user);
		xmutex_lock(&shard->lock);
	}
	if (!rc)
		buf->locked = true;
	xmutex_unlock(&shard->lock);
	return rc;
}

void buf_set_stuck(struct buf *buf)
{
	struct shard *shard = buf_shard(buf);

	xmutex_lock(&shard->lock);
	assert(buf->locked);
	buf->stuck = true;
	/* who sleeps for it has to do something about it */
	xcond_wake_all(&buf->unlocked);
	xmutex_unlock(&shard->lock);
}

bool buf_trylock(struct buf *buf)
{
	struct shard *shard = buf_shard(buf);
	bool taken;

	xmutex_lock(&shard->lock);
	taken = !buf->locked;
	buf->locked = true;
	xmutex_unlock(&shard->lock);
	return taken;
}

void buf_unlock(struct buf *buf)
{
	struct shard *shard = buf_shard(buf);

	/* Zeros that nobody filled in are not what the device holds. */
	if (buf->made_up) {
		buf->made_up = false;
		buf->valid = false;
	}
	xmutex_lock(&shard->lock);
	assert(buf->locked);
	buf->locked = buf->stuck = false;
	xcond_wake_one(&buf->unlocked);
	xmutex_unlock(&shard->lock);
}

void buf_release(struct buf *buf)
{
	buf_unlock(buf);
	buf_put(buf);
}

/* --- contents --- */

static int get_valid(struct buf *buf, const struct buf_ops *ops,
		     unsigned int flags)
{
	const struct sink *sink = &buf->cache->dev->sink;
	int rc = 0;

	buf_count(buf->valid ? &buf->cache->hits : &buf->cache->misses, 1);
	if (!buf->valid) {
		if (flags & BUF_READ)
			return buf_fill(buf, ops);
		memset(buf->data, 0, buf_bytes(buf));
		buf->valid = true;
		buf->made_up = true;
		buf->ops = ops;
		return 0;
	}
	if (!(flags & BUF_READ)) {
		buf->ops = ops;		/* about to become something else */
		return 0;
	}
	if (!ops || ops == buf->ops)
		return 0;
	if (buf->dirty && buf->ops)
		return report(sink, -EUCLEAN, "buf.owner", XLOG_LSN_NONE,
			      "%s at daddr %" PRIu64 ": the block is changed "
			      "as %s", ops->name, buf->daddr, buf->ops->name);
	/* Dirty without ops: made here, and its checksum is yet to come. */
	if (!buf->dirty)
		rc = buf_verify(buf, ops);
	if (!rc)
		buf->ops = ops;
	return rc;
}

int buf_get(struct buf_cache *cache, uint64_t daddr, uint32_t len_bb,
	    const struct buf_ops *ops, unsigned int flags, struct buf **out)
{
	const char *why = buf_range_verify(cache, daddr, len_bb);
	bool created;
	struct buf *buf;
	int rc = 0;

	if (why)
		return report(&cache->dev->sink, -EINVAL, "buf.range",
			      XLOG_LSN_NONE, "buffer of %" PRIu32
			      " blocks at daddr %" PRIu64 ": %s", len_bb,
			      daddr, why);
	buf = buf_grab(cache, daddr, len_bb, &created);
	if (!buf)
		return report(&cache->dev->sink, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory for a buffer");
	if (!created && flags & BUF_TRYLOCK) {
		if (!buf_trylock(buf)) {
			buf_put(buf);
			return -EAGAIN;
		}
	} else if (!created) {
		rc = lock_unstuck(buf);
		if (rc) {
			buf_put(buf);
			return rc;
		}
	}
	rc = get_valid(buf, ops, flags);
	if (rc) {
		buf_release(buf);
		return rc;
	}
	*out = buf;
	return 0;
}

void buf_set_ops(struct buf *buf, const struct buf_ops *ops)
{
	buf->ops = ops;
}

void buf_mark_dirty(struct buf *buf)
{
	struct shard *shard = buf_shard(buf);

	assert(buf->valid);
	buf->made_up = false;
	xmutex_lock(&shard->lock);
	assert(buf->locked);
	if (!buf->dirty) {
		buf->dirty = true;
		list_insert_last(&buf->dirty_link, &shard->dirty);
		shard->ndirty++;
	}
	xmutex_unlock(&shard->lock);
}

/* The caller's reference keeps it: nothing to settle. */
void buf_clear_dirty(struct buf *buf)
{
	struct shard *shard = buf_shard(buf);

	xmutex_lock(&shard->lock);
	assert(buf->locked && buf->refs);
	if (buf->dirty) {
		buf->dirty = false;
		list_remove(&buf->dirty_link);
		shard->ndirty--;
	}
	xmutex_unlock(&shard->lock);
}

void buf_invalidate(struct buf *buf)
{
	buf_clear_dirty(buf);
	buf->valid = false;
	buf->made_up = false;
	buf->ops = NULL;
}

/* --- pins --- */

void buf_pin(struct buf *buf)
{
	struct shard *shard = buf_shard(buf);

	xmutex_lock(&shard->lock);
	assert(buf->locked);
	buf->pins++;
	xmutex_unlock(&shard->lock);
}

void buf_unpin(struct buf *buf)
{
	struct buf_cache *cache = buf->cache;
	struct shard *shard = buf_shard(buf);

	xmutex_lock(&shard->lock);
	assert(buf->pins);
	buf->pins--;
	if (!buf->pins)
		xcond_wake_all(&buf->unpinned);
	buf = settle(shard, buf);
	xmutex_unlock(&shard->lock);
	buf_free(buf);
	(void)buf_cache_shrink(cache, 0);
}

void buf_wait_unpinned(struct buf *buf)
{
	struct shard *shard = buf_shard(buf);

	xmutex_lock(&shard->lock);
	while (buf->pins)
		xcond_wait(&buf->unpinned, &shard->lock);
	xmutex_unlock(&shard->lock);
}

bool buf_is_dirty(const struct buf *buf)
{
	struct shard *shard = buf_shard(buf);
	bool dirty;

	xmutex_lock(&shard->lock);
	dirty = buf->dirty;
	xmutex_unlock(&shard->lock);
	return dirty;
}

bool buf_is_pinned(const struct buf *buf)
{
	struct shard *shard = buf_shard(buf);
	bool pinned;

	xmutex_lock(&shard->lock);
	pinned = buf->pins;
	xmutex_unlock(&shard->lock);
	return pinned;
}
