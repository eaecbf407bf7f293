/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of trans_buf.h: the log item of a buffer. It is made when a
 * transaction joins the buffer for the first time, has a reference to it, and
 * goes when the buffer is in no transaction, and written back or invalidated.
 */
#ifndef LIBXLOG_TRANS_BUF_ITEM_H
#define LIBXLOG_TRANS_BUF_ITEM_H

#include "libxlog/trans/trans_buf.h"

enum {
	BUF_ITEM_HELD = 1,	/* stays locked over the end of the transaction */
	BUF_ITEM_ORDERED = 2,	/* nothing of it is logged */
	BUF_ITEM_STALE = 4,	/* was freed */
	BUF_ITEM_INODES = 8,	/* only di_next_unlinked changes */
	BUF_ITEM_NEW_INODES = 16, /* until it is written back */
	BUF_ITEM_DIRTY = 32,	/* logged, and not written back */
};

struct buf_item {
	struct log_item	item;
	struct buf	*buf;		/* referenced */
	/*
	 * Checkpoints on their way that have it, and the transaction that made
	 * it stale: when they are through the cancel is durable.
	 */
	_Atomic unsigned int pins;
	_Atomic unsigned int flags;	/* (buffer lock) to change */
	unsigned int	uses;		/* (buffer lock) by the transaction */
	struct list	stale_inodes;	/* (buffer lock) inode.stale_link */
	uint32_t	map[TRANS_BUF_MAP_WORDS]; /* (buffer lock) chunks that
						     changed */
};

/* The item of a buffer that is locked, or NULL. */
static inline struct buf_item *buf_item_of(const struct buf *b)
{
	return b->item;
}

static inline bool buf_item_is(const struct buf_item *bi, unsigned int flags)
{
	return atomic_load_explicit(&bi->flags, memory_order_relaxed) & flags;
}

static inline void buf_item_set(struct buf_item *bi, unsigned int flags)
{
	atomic_fetch_or_explicit(&bi->flags, flags, memory_order_relaxed);
}

static inline void buf_item_clear(struct buf_item *bi, unsigned int flags)
{
	atomic_fetch_and_explicit(&bi->flags, ~flags, memory_order_relaxed);
}

/* Takes over a reference to @b, which is locked. NULL, reported: no memory. */
struct buf_item *buf_item_new(struct buf *b);

/* The buffer is locked, and in no transaction; it stays so, with a reference
   that was the item's. */
void buf_item_free(struct buf_item *bi);

/* The log is closed, and nobody else is there. */
void buf_item_abandon(struct buf_item *bi);

/* It is in no transaction any more: as its flags say. */
void buf_item_leave(struct buf_item *bi);

/* What the contents of @b are, of what @ops say; NULL: nothing of that. */
const struct xfs_block_type *trans_buf_type(const struct trans_buf_ops *ops,
					    const struct buf *b);

static inline const struct trans_buf_ops *trans_ops_of(const struct buf *b)
{
	return container_of(b->ops, const struct trans_buf_ops, buf);
}

/* Was this block changed, and has not been written back? */
bool trans_buf_is_newer(const struct buf *b);

#endif
