/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cache of metadata buffers over a device. A buffer is a run of basic
 * blocks held in memory; it is found by where it starts and how long it is,
 * locked by whoever looks into it or changes it, dirty until written back, and
 * pinned while it must not be written (its changes are not in the log yet).
 *
 * Two buffers that overlap and are not the same blocks are two buffers to this
 * cache, which does not notice. Whoever frees a block and takes it again for
 * something of another size, or replays a log in which that happened, has to
 * call buf_invalidate() on the old buffer first; a stale one would be read
 * in place of the disk, and a stale dirty one written over it.
 *
 * Locks, outermost first: the locks of buffers, in the order their users agree
 * upon; below them the cache's own, which users never see and which is never
 * held over I/O or while waiting for a buffer. Buffer locks are held over I/O.
 * A buffer may be unlocked by another thread than the one that locked it.
 */
#ifndef LIBXLOG_DEV_BUF_H
#define LIBXLOG_DEV_BUF_H

#include "libxlog/base/list.h"
#include "libxlog/base/sync.h"
#include "libxlog/dev/dev.h"

enum {
	BUF_BB_BYTES = 512,
	BUF_MAX_BB = DEV_IO_BYTES / BUF_BB_BYTES,
};

struct buf;
struct buf_cache;

/*
 * What a kind of metadata wants done at the border to the device. Both are
 * called with the buffer locked, and the ops whose they are, and return 0, or
 * -EUCLEAN or -EBADMSG with *@why a static string; what was said is reported by
 * the cache. Both may be NULL.
 */
struct buf_ops {
	const char	*name;		/* for messages: "AGF" */
	/* After a read, before anyone sees the contents. */
	int (*verify_read)(const struct buf_ops *ops, struct buf *buf,
			   const char **why);
	/* Before a write: check, then stamp what is stamped (checksum). */
	int (*verify_write)(const struct buf_ops *ops, struct buf *buf,
			    const char **why);
};

/* Users may read @daddr, @len_bb and, with the buffer locked, @data. */
struct buf {
	/* constant */
	struct buf_cache *cache;
	uint64_t	daddr;		/* first basic block on the device */
	uint32_t	len_bb;
	uint8_t		*data;		/* bytes: (buffer lock) */

	/* (buffer lock) */
	const struct buf_ops *ops;
	void		*item;		/* its user's */
	bool		valid;		/* @data is the contents of the block */
	bool		made_up;	/* valid, but neither read nor dirty */

	/* (buffer lock + shard lock: write both, read either) */
	bool		dirty;

	/* (shard lock), see buf_priv.h */
	bool		locked;		/* this is the buffer lock */
	bool		stuck;		/* buf_set_stuck() */
	unsigned int	refs;
	unsigned int	pins;
	struct xcond	unlocked;	/* !locked */
	struct xcond	unpinned;	/* !pins */
	struct list	hash_link;	/* in its bucket, always */
	struct list	lru_link;	/* in the LRU list while idle */
	struct list	dirty_link;	/* in the list of dirty ones */
};

/*
 * A cache over @dev, which is borrowed. It keeps at most @max_bytes of its own
 * accord: clean buffers that nobody holds go, least recently used first. What
 * is held, pinned or dirty cannot go, and is its users' to bound.
 * @read_threads more threads read ahead beside the caller; with any, reports
 * of the device may come from several threads at once.
 */
int buf_cache_new(struct dev *dev, uint64_t max_bytes,
		  unsigned int read_threads, struct buf_cache **out) MUST_CHECK;

/*
 * Nobody may hold or pin a buffer any more. Dirty ones are dropped: it is
 * buf_write_back() that writes them. NULL is allowed.
 */
void buf_cache_free(struct buf_cache *cache);

/*
 * Whose buffers these are. unstick(@user) sees to it that the buffers that are
 * stuck are unlocked; buf_get() calls it rather than sleep for one of them,
 * and returns its error.
 */
void buf_cache_set_user(struct buf_cache *cache, void *user,
			int (*unstick)(void *user));
void *buf_cache_user(const struct buf_cache *cache);

/*
 * Call @fn for every buffer, which may let go of references to it. Nobody else
 * uses the cache.
 */
void buf_cache_each(struct buf_cache *cache, void (*fn)(struct buf *buf));

enum {
	BUF_READ = 1,		/* read the contents if they are not here */
	BUF_TRYLOCK = 2,	/* -EAGAIN, not reported, if it is locked */
};

/*
 * The buffer of @len_bb (1 to BUF_MAX_BB) blocks at @daddr, referenced and
 * locked; give it back with buf_release(), or buf_unlock() and buf_put().
 *
 * With BUF_READ its contents are those of the device, or what was made of them
 * since, and have been verified by @ops (NULL: not verified). A failure is
 * returned to everyone who gets it, each time anew: the error of dev_read(),
 * or what @ops said.
 * Without BUF_READ the caller means to replace the contents: they are zeros if
 * the buffer was not here. Unless it is then marked dirty, it is forgotten
 * when it is unlocked.
 *
 * A clean buffer that was verified by other ops before is verified by @ops
 * now; a dirty one is -EUCLEAN, since one block cannot be two things.
 * Errors: also -EINVAL if it does not lie on the device, -ENOMEM. Reported.
 * May sleep, for the lock and for I/O.
 */
int buf_get(struct buf_cache *cache, uint64_t daddr, uint32_t len_bb,
	    const struct buf_ops *ops, unsigned int flags,
	    struct buf **out) MUST_CHECK;

/* One more reference to a buffer that the caller has one to; and one less. */
void buf_hold(struct buf *buf);
void buf_put(struct buf *buf);

/* The caller has a reference. buf_lock() may sleep. */
void buf_lock(struct buf *buf);
bool buf_trylock(struct buf *buf) MUST_CHECK;
void buf_unlock(struct buf *buf);

/* Locked by the caller, and will be until unstick(); or someone unlocks it. */
void buf_set_stuck(struct buf *buf);

/* Unlock and put. */
void buf_release(struct buf *buf);

/* Locked by the caller: which ops the contents are written with from now on. */
void buf_set_ops(struct buf *buf, const struct buf_ops *ops);

/* Locked by the caller: the contents have changed and must be written. */
void buf_mark_dirty(struct buf *buf);

/*
 * Locked by the caller: the contents are not wanted any more, dirty or not.
 * Whoever gets the buffer next gets what is on the device, or zeros.
 */
void buf_invalidate(struct buf *buf);

/*
 * A pinned buffer stays in memory and is not written. Pinning needs the buffer
 * locked, unpinning nothing but the pin. Pins are counted.
 */
void buf_pin(struct buf *buf);
void buf_unpin(struct buf *buf);

/* Sleep until the buffer has no pins. The caller may hold its lock. */
void buf_wait_unpinned(struct buf *buf);

/* Momentary unless the caller holds the lock (which keeps new pins off). */
bool buf_is_dirty(const struct buf *buf);
bool buf_is_pinned(const struct buf *buf);

/* --- many at once --- */

struct buf_want {
	uint64_t	daddr;
	uint32_t	len_bb;
	const struct buf_ops *ops;
};

/*
 * Read those of @wants that are not here, in the order of the device,
 * neighbours with one read of up to 1 MiB, as long as there is room for them.
 * Only a hint: what fails is left out, and is found again, and reported, by
 * whoever gets the buffer. May sleep on I/O, never on a buffer's lock.
 */
void buf_readahead(struct buf_cache *cache, const struct buf_want *wants,
		   size_t count);

/*
 * Write a buffer that the caller has locked, if it is dirty. On success it is
 * clean; it is not flushed. -EAGAIN (not reported): it is pinned. Other errors
 * leave it dirty: of its ops, or of dev_write().
 */
int buf_write(struct buf *buf) MUST_CHECK;

/*
 * The same for @count buffers, all locked by the caller, in any order that may
 * be changed: in the order of the device, neighbours with one write of up to 1
 * MiB. Those that are pinned stay dirty, without an error. What fails stays
 * dirty, the rest is written all the same, and the first error is returned.
 */
int buf_write_locked(struct buf **bufs, size_t count) MUST_CHECK;

enum {
	BUF_SKIP_LOCKED = 1,	/* rather than wait for their locks */
};

/*
 * Write what was dirty and not pinned at the time of the call, in the order of
 * the device, neighbours with one write of up to 1 MiB. What fails stays
 * dirty, the rest is written all the same, and the first error is returned.
 * Not flushed. The caller may hold no buffer's lock, unless BUF_SKIP_LOCKED.
 */
int buf_write_back(struct buf_cache *cache, unsigned int flags) MUST_CHECK;

/* --- statistics --- */

struct buf_stats {
	uint64_t	bytes;		/* of contents in memory now */
	uint64_t	dirty;		/* buffers now */
	uint64_t	hits, misses;	/* buf_get(): contents here or not */
	uint64_t	evicted;	/* buffers */
	uint64_t	read_ahead;	/* buffers */
	uint64_t	written;	/* buffers */
	uint64_t	written_bytes;
};

void buf_cache_stats(struct buf_cache *cache, struct buf_stats *out);

#endif
