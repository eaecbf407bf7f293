/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the buffer cache. It is divided into shards by a hash of the block
 * address, so that threads at work on different blocks rarely meet.
 *
 *  lock         kind                    protects                    over I/O
 *  buffer lock  buf->locked, any thread contents, ops, valid          yes
 *  shard lock   mutex, one per shard    buckets, lists, refs, pins,   no
 *                                       buf->locked
 *
 * No two shard locks are held at once. A buffer exists as long as it has a
 * reference or a pin, is dirty, or is in the LRU list: of these, exactly the
 * last means that it may be freed.
 */
#ifndef LIBXLOG_DEV_BUF_PRIV_H
#define LIBXLOG_DEV_BUF_PRIV_H

#include "libxlog/dev/buf.h"

enum {
	/* Well above the number of threads that commit at one time. */
	SHARD_BITS = 5,
	SHARDS = 1 << SHARD_BITS,
};

struct shard {
	struct xmutex	lock;
	struct list	*bucket;	/* (lock) cache->buckets of them */
	struct list	lru;		/* (lock) idle, oldest use first */
	struct list	dirty;		/* (lock) in no order */
	uint64_t	ndirty;		/* (lock) */
};

struct buf_cache {
	/* constant */
	struct dev	*dev;
	uint64_t	max_bytes;
	unsigned int	read_threads;
	uint32_t	buckets;	/* of a shard, a power of two */
	void		*user;		/* buf_cache_set_user() */
	int		(*unstick)(void *user);
	struct shard	shard[SHARDS];

	/* Relaxed: nothing else is concluded from them. */
	_Atomic uint64_t bytes;		/* of contents */
	_Atomic uint64_t idle;		/* buffers in LRU lists */
	_Atomic unsigned int evict_next;	/* shard to take from next */
	_Atomic uint64_t hits, misses, evicted, read_ahead, written,
			written_bytes;
};

static inline uint64_t buf_bytes(const struct buf *buf)
{
	return (uint64_t)buf->len_bb * BUF_BB_BYTES;
}

static inline uint64_t buf_offset(const struct buf *buf)
{
	return buf->daddr * BUF_BB_BYTES;
}

/* Spread by the address alone: sizes that differ share a bucket. */
static inline uint64_t buf_hash(uint64_t daddr)
{
	return daddr * UINT64_C(0x9e3779b97f4a7c15);
}

static inline struct shard *buf_shard(const struct buf *buf)
{
	return &buf->cache->shard[buf_hash(buf->daddr) >> (64 - SHARD_BITS)];
}

static inline void buf_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline struct buf *buf_from_hash(struct list *link)
{
	return container_of(link, struct buf, hash_link);
}

/* In no list any more, or NULL. */
void buf_free(struct buf *buf);

/* NULL, or why this is no buffer of the device. */
const char *buf_range_verify(const struct buf_cache *cache, uint64_t daddr,
			     uint32_t len_bb);

/*
 * The buffer with a reference; *@created: it is new, and locked. NULL: no
 * memory.
 */
struct buf *buf_grab(struct buf_cache *cache, uint64_t daddr, uint32_t len_bb,
		     bool *created);

/* Evict until @more bytes fit. False: what is left cannot go. */
bool buf_cache_shrink(struct buf_cache *cache, uint64_t more);

/* Locked by the caller: read and verify. Errors reported. */
int buf_fill(struct buf *buf, const struct buf_ops *ops) MUST_CHECK;

/* Locked by the caller: call ops->verify_read if there is one. Reported. */
int buf_verify(struct buf *buf, const struct buf_ops *ops) MUST_CHECK;

/* Locked by the caller. */
void buf_clear_dirty(struct buf *buf);

/* qsort(3) of struct buf *, in the order of the device. */
int buf_compare(const void *a, const void *b);

/*
 * How many of @bufs, sorted, form one run of at most DEV_IO_BYTES without
 * gap or overlap. At least 1, if @count is.
 */
size_t buf_run(struct buf *const *bufs, size_t count);

#endif
