/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log items: what the engine knows of an object whose changes are logged. An
 * item is part of its object, a piece of metadata; what kind of object that is
 * the engine never learns: it calls the item's ops.
 *
 * The life of an item, once round:
 *
 *  1 transaction allocated    5 object changed, what changed is noted
 *  2 space reserved           6 commit: formatted into its log vector, pinned
 *  3 object locked              and put into the CIL, unlocked
 *  4 item joined              7 CIL push: its vector goes into a checkpoint
 *                             8 checkpoint durable: item into the AIL, unpinned
 *                             9 AIL push: object locked, written back
 *                            10 item out of the AIL, the tail may move
 *
 * Steps 3 to 6 and step 9 exclude each other by the object's lock. 7 and 8 need
 * none, since all they touch is the vector.
 */
#ifndef LIBXLOG_LOG_ITEM_H
#define LIBXLOG_LOG_ITEM_H

#include <stdatomic.h>

#include "libxfsfmt/logrec.h"
#include "libxlog/base/list.h"
#include "libxlog/obs/trace.h"

struct log_item;

/*
 * The formatted changes of one item: its regions, each behind the header of
 * its operation, as they will lie in the log. It is its own description: where
 * a region ends its header says, so one that does not fit into a record can be
 * divided.
 */
struct log_vec {
	struct log_vec	*next;		/* of a checkpoint */
	struct log_item	*item;
	uint64_t	order;		/* of its last commit in this checkpoint */
	uint32_t	nregions;
	uint32_t	used_bytes;	/* of @data, and of the log */
	uint32_t	room_bytes;
	uint8_t		data[];
};

/* Where an item's format() puts its regions. */
struct log_formatter {
	struct log_vec	*vec;
	uint32_t	tid;		/* of the checkpoint */
	/*
	 * Number of that: what log_item.seq is if the item is in it already. 0:
	 * each commit is a checkpoint.
	 */
	uint64_t	seq;
};

/*
 * The next region, of @len_bytes: a multiple of 4, not none. Returns where its
 * bytes are to be put, all of them.
 */
void *log_region(struct log_formatter *f, uint32_t len_bytes);

enum log_push {
	LOG_PUSH_QUEUED,
	LOG_PUSH_PINNED,	/* its changes are not in the log yet */
	LOG_PUSH_LOCKED,	/* in use by a transaction */
	LOG_PUSH_FLUSHING,	/* is being written, for another item */
};

enum {
	LOG_OPS_INTENT = 1,	/* may be whited out by its done item */
	LOG_OPS_DONE = 2,	/* is such a done item */
	/* Nothing is to be written back: gone when its checkpoint is durable. */
	LOG_OPS_RELEASE_COMMITTED = 4,
};

struct log_item_ops {
	const char	*name;		/* for messages: "buffer" */
	unsigned int	flags;		/* LOG_OPS_* */

	/* For trace events: which one it is of its type. May be NULL: 0. */
	uint64_t (*id)(const struct log_item *item);

	/*
	 * Object locked. At most so many regions and bytes (without headers of
	 * operations) will format() make of it. No regions: the item is
	 * ordered, goes through the log's stages and is not in the log.
	 */
	void (*size)(struct log_item *item, uint32_t *nregions,
		     uint32_t *bytes);
	void (*format)(struct log_item *item, struct log_formatter *f);

	/*
	 * Object locked: it must not be written back until unpin(), which
	 * comes from any thread, with no lock; with @abort the log has shut
	 * down, and the changes are nowhere.
	 */
	void (*pin)(struct log_item *item);
	void (*unpin)(struct log_item *item, bool abort);

	/*
	 * The transaction that committed it in the checkpoint @seq lets go of
	 * it: what keeps the object locked afterwards is the item's to know.
	 */
	void (*committing)(struct log_item *item, uint64_t seq);

	/*
	 * Its checkpoint, which began at @lsn, is durable. Where it goes in the
	 * AIL, or XFS_NULL_LSN: not there. May be NULL: @lsn.
	 */
	xfs_lsn_t (*committed)(struct log_item *item, xfs_lsn_t lsn);

	/*
	 * To be written back: take the object's lock, if that can be had at
	 * once, and put it on @queue, which log_config.write_back() gets. The
	 * AIL's lock is held: no sleeping, no calls into the engine. NULL:
	 * nothing is written; someone removes it some time.
	 */
	enum log_push (*push)(struct log_item *item, struct list *queue);

	/*
	 * The transaction was cancelled, or the log has shut down before the
	 * item was logged: let go, and undo nothing. Also where an item with
	 * LOG_OPS_RELEASE_COMMITTED ends.
	 */
	void (*release)(struct log_item *item, bool abort);

	/* DONE items: the intent that is done. */
	struct log_item *(*intent)(struct log_item *item);
};

enum {
	LOG_ITEM_DIRTY = 1,	/* (object lock) changed by the transaction */
	LOG_ITEM_IN_AIL = 2,	/* (AIL lock) */
	LOG_ITEM_WHITEOUT = 4,	/* done in the checkpoint it began in */
};

struct log_item {
	const struct log_item_ops *ops;	/* constant */
	uint16_t	type;		/* constant: XFS_LI_* */

	struct list	trans_link;	/* (transaction) */
	_Atomic unsigned int flags;	/* LOG_ITEM_* */

	/* (object lock, and CIL context lock shared) */
	struct log_vec	*vec;		/* in the current checkpoint */
	struct log_vec	*shadow;	/* for the next commit */
	_Atomic uint64_t seq;		/* checkpoint it was last put into */
	struct list	cil_link;	/* (CIL shard) */

	struct list	queue_link;	/* (object lock) for push() and its kin */
	struct list	ail_link;	/* (AIL lock) */
	xfs_lsn_t	lsn;		/* (AIL lock) where it is in the AIL */
	unsigned int	failures;	/* (AIL lock) of writing it back */
};

void log_item_init(struct log_item *item, const struct log_item_ops *ops,
		   uint16_t type);

/* For trace events: its type as xlog-print has it, and which one it is. */
const char *log_item_type(const struct log_item *item);
uint64_t log_item_id(const struct log_item *item);

#define TRACE_ITEM(event, item)						\
	TRACE(event, trace_str(log_item_type(item)), log_item_id(item))

/* In no transaction, CIL or AIL any more: free what the log keeps with it. */
void log_item_fini(struct log_item *item);

#endif
