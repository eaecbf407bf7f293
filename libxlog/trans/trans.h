/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transactions: space is reserved, objects are locked, joined and changed, and
 * the commit makes one atomic change of it. What kinds of objects there are is
 * said by the headers of their log items: trans_buf.h, inode_item.h.
 *
 * An object that was joined is locked; the commit, or the cancel, unlocks it,
 * unless it is held. After trans_roll() what is held is locked still, has to
 * be joined again and must be logged again: else it could be what keeps the
 * log's tail from moving, which the chain then waits for. Nor may it be what
 * many others wait for: they have reserved their space already, and that could
 * be all there is.
 */
#ifndef LIBXLOG_TRANS_TRANS_H
#define LIBXLOG_TRANS_TRANS_H

#include "libxfsfmt/geom.h"
#include "libxlog/dev/buf.h"
#include "libxlog/log/log.h"
#include "libxlog/trans/resv.h"

/* Counters of the superblock. */
enum trans_sb_field {
	TRANS_SB_ICOUNT,
	TRANS_SB_IFREE,
	TRANS_SB_FDBLOCKS,
	TRANS_SB_FREXTENTS,
	TRANS_SB_FIELDS,
};

struct busy;
struct inode_cache;
struct perag;
struct trans;

/* What tests change in the order of deferred operations: see defer.h. */
struct defer_hooks {
	unsigned int	flags;		/* DEFER_* */
	_Atomic uint64_t points;	/* passed so far */
	/*
	 * At this one, counted from 1, the log is forced and then shut down: it
	 * ends with that intent. 0: never.
	 */
	uint64_t	stop_at;
};

/* The filesystem that transactions are of. */
struct trans_fs {
	struct log	*log;
	struct buf_cache *cache;
	struct inode_cache *inodes;
	struct sink	sink;
	struct xfs_geom	geom;
	struct xfs_trans_resv resv;
	/* Most that a transaction took of its unit, by kind: see log.h. */
	_Atomic uint32_t peak_bytes[XFS_TR_COUNT];
	uint32_t	cluster_bb;	/* in which inodes are read and written */
	uint32_t	inode_align;	/* of chunks, by clusters; 0: none */
	/*
	 * Chunks that are not aligned: the first block of that which has @ino.
	 * Set by meta; @t may be NULL. 0, or an error that was reported.
	 */
	int		(*inode_chunk)(struct trans_fs *fs, struct trans *t,
				       xfs_ino_t ino, xfs_agblock_t *first);
	uint32_t	reserve_blocks;	/* kept for what has to succeed */

	_Atomic int64_t	counter[TRANS_SB_FIELDS]; /* see counters.h */
	_Atomic int64_t	promised_blocks; /* set aside, not yet taken */
	struct perag	*perags;	/* of meta: one for each group, or NULL */

	struct busy	*busy;		/* busy.h; may be NULL */
	_Atomic uint64_t intents;	/* number of the last one, see intent.c */
	struct defer_hooks hooks;
	/*
	 * While intents found in the log are finished: a chain reserves space
	 * for one of its transactions only. The log may be full, and they are
	 * what keeps its tail where it is.
	 */
	bool		recovering;
	/*
	 * Each transaction that logs an inode of version 3 counts
	 * di_changecount up, as in Linux; else that is for its users to do.
	 */
	bool		count_changes;
};

/*
 * All of @fs but the log: the cache of buffers over @data (of @cache_bytes; 0:
 * 64 MiB), that of inodes, the counters of @sb, which has passed
 * xfs_sb_verify().
 */
int trans_fs_init(struct trans_fs *fs, const struct xfs_sb *sb,
		  struct dev *data, uint64_t cache_bytes,
		  const struct sink *sink) MUST_CHECK;

/* The log is closed. Nobody has anything of it any more. */
void trans_fs_fini(struct trans_fs *fs);

/*
 * The items of this layer can say more than the engine asks of them. All but
 * relock() are called with the object locked. What is never held has no ops
 * from held() on.
 */
struct trans_item_ops {
	struct log_item_ops log;
	/*
	 * Changes into the buffer that is to be written, stamped with @lsn. The
	 * object stays locked until flushed(). -EAGAIN: not now.
	 */
	int (*flush)(struct log_item *item, xfs_lsn_t lsn);
	/* The buffer that it is, which stays locked; NULL: it is not one. */
	struct buf *(*locked)(struct log_item *item);
	/* Flushed: is the buffer on the device now? */
	bool (*is_written)(const struct log_item *item);
	/* It was written, or (@ok false) was not. Unlock the object. */
	void (*flushed)(struct log_item *item, bool ok);
	/*
	 * The object, if it is held: it will be locked still after the
	 * transaction, and its item may be gone then. Else NULL.
	 */
	void *(*held)(struct log_item *item);
	/* Joined: log again all that is not written back. */
	void (*relog)(struct trans *t, struct log_item *item);
	/*
	 * That was held, and is in no transaction: join @t, and hold again.
	 * -ENOMEM, reported: it is as before.
	 */
	int (*rejoin)(struct trans *t, void *object);
	/*
	 * For who goes on with an object after its lock has been let go of:
	 * one more reference; its lock again; in no transaction: unlock it and
	 * give that reference back.
	 */
	void (*keep)(void *object);
	void (*relock)(void *object);
	void (*leave)(void *object);
};

static inline const struct trans_item_ops *
trans_item_ops_of(const struct log_item *item)
{
	return container_of(item->ops, const struct trans_item_ops, log);
}

/* log_config.write_back(), with the struct trans_fs. */
void trans_write_back(void *fs, struct list *queue);

struct trans {
	struct trans_fs	*fs;
	struct ticket	*ticket;
	const struct xfs_trans_res *res;
	uint32_t	more_bytes;	/* of log space, besides */
	struct list	items;		/* log_item.trans_link */
	bool		dirty;

	/* counters.h */
	int64_t		delta[TRANS_SB_FIELDS];
	uint32_t	blocks;		/* set aside */
	uint32_t	blocks_taken;	/* of them */

	struct list	deferred;	/* defer.c: what has no intent yet */
	struct list	freed;		/* busy.c: extents */
	xfs_agnumber_t	lowest_agno;	/* of meta: space may be taken from
					   this group on */
};

/*
 * Begin a transaction of kind @tr; may sleep until the log has room. 0, or as
 * ticket_reserve(). *@out ends with trans_commit() or trans_cancel().
 */
int trans_alloc(struct trans_fs *fs, enum xfs_tr tr,
		struct trans **out) MUST_CHECK;

/*
 * The same with @more_bytes of log space besides, in each transaction of the
 * chain: for what XFS_TR_ATTRSETRT says of each block.
 */
int trans_alloc_more(struct trans_fs *fs, enum xfs_tr tr, uint32_t more_bytes,
		     struct trans **out) MUST_CHECK;

/* Join @item, whose object the caller has locked and not yet joined. */
void trans_join(struct trans *t, struct log_item *item);

/* @item, which has joined, was changed. */
void trans_dirty(struct trans *t, struct log_item *item);

/*
 * Commit, and free @t. *@seq (may be NULL) is for log_force_seq(); 0 if there
 * was nothing to commit. -ESHUTDOWN: the log is dead, and what was changed in
 * memory is of no use any more.
 */
int trans_commit(struct trans *t, uint64_t *seq) MUST_CHECK;

/* The same, and wait until it is durable. */
int trans_commit_sync(struct trans *t) MUST_CHECK;

/*
 * Commit, and go on in *@t with the space for the next transaction of the
 * chain. It has deferred nothing: else it is defer_finish() that goes on.
 * -EINVAL, reported, and nothing done: it is one that cannot roll. On
 * -ESHUTDOWN *@t is still to be cancelled.
 */
int trans_roll(struct trans **t) MUST_CHECK;

/*
 * The same, and go on with what is held: it is logged again before, so that it
 * does not keep the tail where it is, and joined and held again after. On an
 * error *@t is still to be cancelled; what was held belongs to the caller.
 */
int trans_roll_held(struct trans **t) MUST_CHECK;

/*
 * Let go of everything, and free @t; what is held stays locked, and is the
 * caller's. What was changed cannot be undone: if anything was, the log shuts
 * down. NULL is allowed.
 */
void trans_cancel(struct trans *t);

#endif
