/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deferred operations: one change that takes several transactions. What is
 * still to be done is logged as an intent in the transaction that asks for it,
 * and the transaction that does it logs that it is done. Between the two the
 * log has the intent alone, and recovery finishes what it says: after a crash
 * everything of the chain is there, or nothing.
 *
 *	transaction 1	a mapping is removed; intent: free its blocks
 *	transaction 2	the blocks are freed; done
 *
 * The order, in which recovery will find it, is that of Linux. All work that a
 * transaction has deferred gets its intents when that transaction ends, in the
 * order in which it was added; then, one intent in each transaction, it is
 * done. Work that this defers comes before what is left.
 *
 * A chain is one thread's. Its objects are locked through all of it if they
 * are held (inode_hold(), trans_bhold()): after each transaction they are
 * joined and held again, and logged so that they do not keep the tail where it
 * is. Whoever held them joins, holds and, at last, unlocks them as if there
 * were no chain.
 */
#ifndef LIBXLOG_TRANS_DEFER_H
#define LIBXLOG_TRANS_DEFER_H

#include "libxfsfmt/logitem.h"
#include "libxlog/trans/trans.h"

enum { DEFER_MAX_REGIONS = 5 };	/* of an intent: ATTRI */

/* One thing to be done: the first member of what its type makes of it. */
struct defer_work {
	struct list	link;
};

/* While the works of one intent are being done, in one transaction. */
struct defer_state {
	void		*own;		/* the type's: NULL before the first */
};

/*
 * A kind of work. Lists of works are never empty, and by defer_work.link.
 * Transactions that are handed in are clean or dirty, and the type's to use.
 */
struct defer_type {
	const char	*name;		/* for messages: "extent free" */
	uint16_t	intent_type, done_type;	/* XFS_LI_EFI, XFS_LI_EFD */
	bool		done_repeats;	/* the done item is a copy of the
					   intent, of another type: EFD */
	unsigned int	max_items;	/* works in one intent that we log */

	/*
	 * In which order works of one intent are logged and done: < 0, 0, > 0;
	 * equals stay as they were added. NULL: all do.
	 */
	int (*compare)(const struct defer_work *a, const struct defer_work *b);

	/*
	 * The regions of an intent for @works: how many, and how long, each a
	 * multiple of 4 and not 0.
	 */
	unsigned int (*intent_regions)(const struct list *works,
				       uint32_t len_bytes[DEFER_MAX_REGIONS]);

	/*
	 * Put the intent into @regions, which are all zero, in the byte order
	 * of this machine. The first 4 bytes of the first, type and number of
	 * regions, and the id in its bytes 8 to 15 are put there afterwards.
	 */
	void (*intent_encode)(const struct list *works,
			      uint8_t *const regions[DEFER_MAX_REGIONS]);

	/*
	 * Do @w in @t. Returns
	 *  0        it is done; free_work() comes next
	 *  -EAGAIN  a part of it is, or none, and @w says what is left: that,
	 *           and the works behind it, go into a new intent, to be gone
	 *           on with in another transaction
	 *  other    reported; the log will be shut down
	 * What it defers in turn, defer_add() to @t, comes before what is left.
	 */
	int (*finish)(struct trans *t, struct defer_work *w,
		      struct defer_state *st);

	/*
	 * After the last work that is done in @t, or on -EAGAIN or an error
	 * (@rc): let go of st->own. May be NULL.
	 */
	void (*cleanup)(struct trans *t, struct defer_state *st, int rc);

	/* Free @w, done or never to be. */
	void (*free_work)(struct defer_work *w);
};

/* Free all of @works, of @type: the list is empty then. */
void defer_free_works(const struct defer_type *type, struct list *works);

/*
 * Defer @w, which is taken: to the last intent of @t if that is of the same
 * type and has room, else to another one behind it. @t can roll.
 * -ENOMEM, reported: @w has been freed, and what it belongs to cannot be done.
 */
int defer_add(struct trans *t, const struct defer_type *type,
	      struct defer_work *w) MUST_CHECK;

/* Is there any deferred work in @t? */
bool defer_is_pending(const struct trans *t);

/*
 * Do all deferred work of *@t, by transactions of a chain. On success *@t is
 * clean, with the space for another one. Otherwise the log has been shut down,
 * and *@t is to be cancelled. trans_commit() does this, but without the last
 * roll, if there is deferred work.
 */
int defer_finish(struct trans **t) MUST_CHECK;

/* --- for trans.c --- */

/* As defer_finish(), but *@t may be dirty: it is to be committed. */
int defer_finish_noroll(struct trans **t) MUST_CHECK;

/* @t is cancelled: its deferred work is freed, its intents are let go. */
void defer_cancel(struct trans *t);

/* --- recovery --- */

/*
 * An intent of the log that has no done item. It is in the AIL, at the LSN of
 * its checkpoint: until it is done, the tail does not pass it.
 */
struct defer_recovered {
	struct list	link;		/* the caller's */
	const struct defer_type *type;
	struct list	works;		/* struct defer_work; may be looked at */
	uint64_t	id;		/* as in the log */
	xfs_lsn_t	lsn;
	struct intent	*intent;	/* private */
};

/*
 * The intent @id of the checkpoint that began at @lsn. Takes the works, of any
 * number, on success only. To be called for all intents, in the order of the
 * log, before the first transaction. -ENOMEM, reported.
 */
int defer_recovered(struct trans_fs *fs, const struct defer_type *type,
		    uint64_t id, struct list *works, xfs_lsn_t lsn,
		    struct defer_recovered **out) MUST_CHECK;

/* It will not be done, or has been. Before log_close(). NULL is allowed. */
void defer_recovered_free(struct defer_recovered *r);

/*
 * The first step of @r in @t, which is committed; both are taken. What is left
 * of it, and then what it defers, is captured at the end of @captures: intents
 * are logged in @t, and that is done by defer_captures_finish(). So that new
 * work does not come before old, that is called when every recovered intent
 * has had its first step. What is held in @t is locked when this returns, also
 * on an error, and the caller's to unlock; who goes on has references of his
 * own. On an error the log has been shut down.
 */
int defer_finish_recovered(struct trans *t, struct defer_recovered *r,
			   struct list *captures) MUST_CHECK;

/*
 * Go on with what was captured, the oldest first: each in a transaction of the
 * kind that deferred it, and with the blocks it had left. What was held when it
 * was captured is locked, joined and held again, and unlocked at its end: the
 * caller has nothing of it locked. trans_fs.recovering should be set. On an
 * error the log has been shut down, and nothing is left in @captures.
 */
int defer_captures_finish(struct trans_fs *fs,
			  struct list *captures) MUST_CHECK;

/* None of it will be done: for a log that is dead. */
void defer_captures_free(struct list *captures);

/* --- tests --- */

/*
 * For trans_fs.hooks. A point is passed before each step of a chain: an intent
 * has been committed, its done item not.
 */
enum {
	/* Intents are logged behind their done items, in one transaction. */
	DEFER_BREAK_ORDER = 1,
	/* The log is forced at each point: nothing is whited out. */
	DEFER_FORCE = 2,
};

#endif
