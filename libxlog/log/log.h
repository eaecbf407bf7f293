/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log engine: space is reserved, changes are committed in memory, collect
 * in the CIL (committed item list), and reach the log as checkpoints; once they
 * are durable there, the objects are written back, and the log's tail moves.
 * The design is that of delayed logging in XFS; with LOG_DIRECT each
 * transaction is written on its own, in the same format.
 *
 * Everything may be called from many threads. Unless said otherwise it may
 * sleep, no lock of the engine may be held, and -ESHUTDOWN means that the log
 * is dead: nothing that was not durable before ever will be.
 */
#ifndef LIBXLOG_LOG_LOG_H
#define LIBXLOG_LOG_LOG_H

#include "libxfsfmt/logenc.h"
#include "libxlog/dev/dev.h"
#include "libxlog/log/item.h"

struct log;
struct ticket;

enum {
	LOG_DIRECT = 1,		/* nodelaylog: no CIL */
	/* No threads: whoever calls does the work, see log_step(). */
	LOG_NO_THREADS = 2,
	LOG_DSYNC = 4,		/* the device is flushed behind every record */
};

struct log_config {
	unsigned int	flags;		/* LOG_* */
	struct dev	*dev;		/* the log, from its first block */
	/* Where objects are written back to; may hold @dev, then @internal. */
	struct dev	*data;
	bool		internal;
	uint8_t		uuid[16];	/* of the filesystem */
	uint32_t	sunit_bytes;	/* sb_logsunit */
	uint32_t	sector_bytes;	/* sb_logsectsize */
	uint32_t	logbufs;	/* 2 .. 8; 0: 8 */
	uint32_t	logbsize_bytes;	/* 16 KiB .. 256 KiB, a power of two;
					   0: 32 KiB or the stripe unit */
	/* Where the next record goes, and the last one. */
	xfs_lsn_t	head;
	uint32_t	prev_block;
	/*
	 * A log that was recovered just now: where recovery would have to begin
	 * again, at or before @head. 0: the log is clean, it is @head.
	 */
	xfs_lsn_t	tail;
	bool		version_1;	/* sb_versionnum without LOGV2BIT */
	uint32_t	seed;		/* of transaction IDs; 0: random */
	/*
	 * Write back the objects on @queue (log_item_ops.push()), in the order
	 * of the device, and call log_data_written(), then for each of their
	 * items log_item_clean(), log_item_failed() or log_item_put_back().
	 */
	void		(*write_back)(void *ctx, struct list *queue);
	void		*write_back_ctx;
	/*
	 * Log the superblock alone, and make that durable: an idle log is
	 * covered so. May be NULL: it is not.
	 */
	int		(*cover)(void *ctx);
	void		*cover_ctx;
	uint32_t	worker_ms;	/* between log_worker_step(); 0: 30 s */
	uint32_t	ail_ms;		/* rest of a write-back that has nothing to
					   do, or cannot; 0: 20 ms */
	/*
	 * The extents that a checkpoint freed (log_commit.busy), which is
	 * durable, or (@abort) never will be. One checkpoint at a time, unless
	 * the log is dead. May be NULL.
	 */
	void		(*busy_done)(void *ctx, struct list *busy, bool abort);
	void		*busy_ctx;
	struct sink	sink;
};

/*
 * Start the log: clean, its head known. -EINVAL, reported, if the sizes cannot
 * be. Borrows the devices.
 */
int log_open(const struct log_config *config, struct log **out) MUST_CHECK;

/*
 * Stop the threads and free everything. The log is left as it is: whoever
 * wants it clean calls log_quiesce() and log_unmount() before. NULL is allowed.
 */
void log_close(struct log *log);

/*
 * LOG_NO_THREADS, from one thread at a time: do some of what is to be done, if
 * it may be. False: there was nothing.
 */
bool log_step(struct log *log);

/* --- space --- */

/*
 * Reserve log space for a transaction of at most @logres_bytes: once, or for
 * one that may roll @count times, all of them at once. Waits, in turn, until
 * the tail has made room. -ESHUTDOWN; -ENOSPC, reported, if there can never be
 * that much; -ENOMEM.
 */
int ticket_reserve(struct log *log, uint32_t logres_bytes, unsigned int count,
		   bool permanent, struct ticket **out) MUST_CHECK;

/*
 * A permanent ticket between two transactions of a chain: space for the next.
 * After the commit that rolled, with everything that is held locked having
 * been logged in it. On failure the ticket holds nothing, and is to be
 * released all the same.
 */
int ticket_regrant(struct log *log, struct ticket *tic) MUST_CHECK;

/* Give back what is left, and the ticket. NULL is allowed. Does not sleep. */
void ticket_release(struct log *log, struct ticket *tic);

/*
 * What a transaction takes of its unit goes into *@peak_bytes, which outlives
 * the ticket, if it is more than what is there.
 */
void ticket_watch(struct ticket *tic, _Atomic uint32_t *peak_bytes);

/* The transaction ID of the transaction it is for now. */
uint32_t ticket_tid(const struct ticket *tic);

/* --- commits --- */

/* An extent that a transaction frees: what is on log_commit.busy. */
struct log_busy {
	struct list	link;
	/* for log_force_seq(): then it is free; 0: not committed */
	_Atomic uint64_t seq;
};

struct log_commit {
	struct ticket	*ticket;
	struct list	*items;		/* by trans_link; those DIRTY are logged */
	bool		roll;		/* the permanent ticket goes on */
	struct list	*busy;		/* struct log_busy: moved to the
					   checkpoint; may be NULL */
};

/*
 * Commit: all items DIRTY in one atomic change; then items are let go
 * (committing()) and the list is empty, whatever is returned. Without @roll the
 * ticket is released, too. *@seq is what log_force_seq() makes durable; it is
 * set if they have got into a checkpoint, even one that comes to nothing. With
 * nothing DIRTY or @busy there is nothing to commit: items are released, *@seq
 * is 0, and nothing has to be forced for it.
 * Changes cannot be taken back from here on: a failure is -ESHUTDOWN, with the
 * items released.
 */
int log_commit(struct log *log, const struct log_commit *commit,
	       uint64_t *seq) MUST_CHECK;

/* --- forces --- */

/*
 * Make the commit that returned @seq, and all before it, durable; without
 * @wait only begin to.
 */
int log_force_seq(struct log *log, uint64_t seq, bool wait) MUST_CHECK;

/* All that has been committed so far. */
int log_force(struct log *log, bool wait) MUST_CHECK;

/* --- the end --- */

/* All durable and written back: the AIL is empty. Nobody commits meanwhile. */
int log_quiesce(struct log *log) MUST_CHECK;

/*
 * Is a superblock checkpoint needed so that recovery of this idle log replays
 * nothing else? To be asked, and done, until it is not.
 */
bool log_needs_cover(struct log *log);

/*
 * What is done from time to time, by a thread of the log if it has any: an
 * idle log is covered, else what was committed is made durable; all is
 * written back.
 */
void log_worker_step(struct log *log);

/* The unmount record, after log_quiesce(): the log is clean. */
int log_unmount(struct log *log) MUST_CHECK;

enum log_shutdown {
	LOG_SHUTDOWN_FLUSH,	/* what was committed is made durable first */
	LOG_SHUTDOWN_NOFLUSH,
	LOG_SHUTDOWN_ERROR,	/* of a device, or in memory */
};

/* The first one counts. @why, static, is reported. */
void log_shutdown(struct log *log, enum log_shutdown how, const char *why);
bool log_is_shutdown(const struct log *log);

/* The first LSN that recovery would need, and the place of the next record. */
xfs_lsn_t log_tail_lsn(struct log *log);
xfs_lsn_t log_head_lsn(struct log *log);

/*
 * An item that recovery found in the log at @lsn, and that has to be done with:
 * into the AIL, before the first transaction. @lsn is between tail and head.
 */
void log_ail_insert(struct log *log, struct log_item *item, xfs_lsn_t lsn);

/*
 * Is @item in that part of the log which has to become free next? What can be
 * written back is, without being asked. Who has an item that cannot logs it
 * again: for that this is.
 */
bool log_item_is_behind(struct log *log, const struct log_item *item);

/* --- write-back --- */

/* An object was written to the data device: the next start of a checkpoint
   flushes it. */
void log_data_written(struct log *log);

/* The item's object has been written back, or is no more: the tail may move. */
void log_item_clean(struct log *log, struct log_item *item);

/* It could not be written. The third time, the log shuts down. */
void log_item_failed(struct log *log, struct log_item *item);

/*
 * It was on the queue and has not been written, for no fault: somebody uses
 * what it lies in. It is pushed again, though not at once if all are so.
 */
void log_item_put_back(struct log *log, struct log_item *item);

#endif
