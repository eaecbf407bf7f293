/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of the log engine.
 *
 *  grant.c       tickets; space reserved and used
 *  cil.c         commit: items are formatted and put into the CIL
 *  checkpoint.c  CIL push: the CIL becomes a checkpoint; its completion
 *  write.c       vectors into iclogs, regions divided among them
 *  iclog.c       the ring of iclogs and their states
 *  io.c          an iclog becomes a record on the device
 *  ail.c         what is in the log and not yet written back; the tail
 *  force.c       forces, covering, unmount
 *  log.c         open, close, shutdown, threads
 *
 * LOCK MAP, outermost first. Objects' locks are outside of all of them; none
 * is held over I/O.
 *
 *  lock            kind    protects
 *  cil.ctx_lock    rw      commits read, a push writes: which checkpoint a
 *                          commit goes into, and an item's vector
 *  cil.shard.lock  mutex   items of that shard; nothing is taken inside
 *  cil.push_lock   mutex   the committing list, LSNs of checkpoints
 *  iclog_lock      mutex   the ring, states, place of the next record
 *  ail.lock        mutex   order of the AIL, tail, head of the AIL
 *  grant.lock      mutex   waiters, one lock per grant head
 *
 * Threads own no logic: each is "while there is a step to do, do it", and with
 * LOG_NO_THREADS whoever has to wait does the steps (log_sleep()), so that a
 * test sees the same order every time.
 */
#ifndef LIBXLOG_LOG_LOG_PRIV_H
#define LIBXLOG_LOG_LOG_PRIV_H

#include "libxlog/base/err.h"
#include "libxlog/base/sync.h"
#include "libxlog/log/log.h"
#include "libxlog/log/stats.h"
#include "libxlog/obs/trace.h"

enum {
	OP_BYTES = 12,			/* header of an operation */
	LOG_MAX_ICLOGS = 8,
	CIL_SHARDS = 16,		/* a power of two */
	CIL_WAITED = 8,			/* checkpoints that are forced at once */
	CACHE_LINE = 64,
};

/* --- space (grant.c) --- */

/*
 * Bytes of the log that are taken: those between tail and head, and those that
 * tickets hold. One number for both, so that space which a ticket has and uses
 * is never counted twice or, for a moment, not at all.
 *
 * Two heads. The reserve head says who may begin: a chain that rolls takes its
 * next space from it without asking, and it may so be more than there is. The
 * write head says what can be in the log, is never more than the log, and is
 * where such a chain then waits. (By the padding of a record that is forced it
 * can be: who is in it had reserved that, and has given it back. In the log it
 * fits, since all others have reserved padding, too, twice what they need.)
 */
struct grant_head {
	/* what every transaction looks at, and changes */
	_Alignas(CACHE_LINE) _Atomic uint64_t used_bytes;
	_Atomic unsigned int nwaiters;	/* (lock) to change */
	struct xmutex	lock;
	struct list	waiters;	/* (lock) first come, first served */
};

struct ticket {
	uint32_t	tid;
	uint32_t	unit_bytes;	/* of one transaction */
	int64_t		left_bytes;	/* of the one at hand */
	unsigned int	count;		/* units that are held, with that */
	unsigned int	start_count;
	uint32_t	records;	/* headers that are in a unit */
	bool		permanent;
	bool		half;		/* rolled: has its next unit of the
					   reserve head only */
	_Atomic uint32_t *peak_bytes;	/* ticket_watch(), or NULL */
};

int grant_head_init(struct grant_head *head);
void grant_head_fini(struct grant_head *head);

/*
 * A ticket for the log's own use, which holds nothing. NULL: no memory. Freed
 * by ticket_release().
 */
struct ticket *ticket_new(struct log *log, uint32_t logres_bytes);

/* The transaction has taken of it all that it will. */
void ticket_note_peak(const struct ticket *tic);

/* The transaction is committed, the chain goes on: never sleeps. */
void ticket_roll(struct log *log, struct ticket *tic);

/* Space that nobody reserved, for padding; and the other way. */
void grant_take(struct log *log, uint64_t bytes);
void grant_give_back(struct log *log, uint64_t bytes);

/* Does anyone sleep until there is space? */
bool grant_is_waited_for(const struct log *log);

/* All waiters, to find that the log is dead. */
void grant_wake_all(struct log *log);

/* --- iclogs (iclog.c) --- */

/*
 * ACTIVE → WANT_SYNC   iclog_switch(): no writer joins from here on; the place
 *                      of the next record is known
 * WANT_SYNC → SYNCING  iclog_put() of the last writer: queued for I/O
 * SYNCING → DONE       iclog_io_step(): on the medium as far as its flags ask;
 *                      older ones need not be
 * DONE → CALLBACK      iclog_done(): all older ones are done, completions run
 * CALLBACK → ACTIVE    they have: as new, at the end of the ring
 * All under iclog_lock.
 */
enum iclog_state {
	ICLOG_ACTIVE,
	ICLOG_WANT_SYNC,
	ICLOG_SYNCING,
	ICLOG_DONE,
	ICLOG_CALLBACK,
};

enum {
	ICLOG_FLUSH = 1,	/* objects written before are durable before it */
	ICLOG_AFTER = 2,	/* all records before it are */
	ICLOG_FUA = 4,		/* durable when done */
	ICLOG_TAIL = 8,		/* its tail has been taken */
	ICLOG_WRITTEN = 16,	/* the device has it */
};

struct iclog {
	uint8_t		*buf;		/* constant: header and operations */

	/* (iclog_lock) but for the bytes of writers, which are theirs */
	enum iclog_state state;
	unsigned int	flags;		/* ICLOG_*, but for the state */
	unsigned int	refs;		/* writers */
	uint32_t	used_bytes;	/* of the operations */
	uint32_t	num_ops;
	xfs_lsn_t	lsn;		/* where it goes; used_bytes > 0 */
	uint32_t	prev_block;	/* of the record before it */
	xfs_lsn_t	tail_lsn;
	struct list	checkpoints;	/* whose commit records are in it */
	struct list	io_link;	/* waiting for I/O */
	bool		failed;
};

/* --- checkpoints (checkpoint.c) --- */

struct checkpoint {
	/* constant */
	uint64_t	seq;
	struct log	*log;
	struct ticket	*ticket;	/* left_bytes: (ctx_lock) */
	bool		owns_ticket;

	struct log_vec	*chain, **chain_end; /* (its pusher) */
	struct log_vec	*whiteouts;	/* (its pusher) */
	struct list	busy;		/* (ctx_lock; then its pusher) extents */
	uint64_t	nvecs, nregions, bytes;	/* (its pusher) */
	uint64_t	began_ns;	/* (its pusher) 0: is not timed */
	xfs_lsn_t	start_lsn;	/* (its pusher) of its first record */

	/* (push_lock) */
	struct list	committing_link;
	bool		is_started;	/* start_lsn is what it says */
	bool		is_stable;	/* the record that ends it is not to
					   wait until it is full */
	xfs_lsn_t	commit_lsn;	/* of its commit record, or 0 */

	struct list	iclog_link;	/* (iclog_lock) */
	struct list	start_link;	/* (AIL lock) */
};

struct cil_shard {
	_Alignas(CACHE_LINE) struct xmutex lock;
	struct list	items;		/* (lock, or ctx_lock exclusively) */
	struct list	busy;		/* (the same) */
	_Atomic int64_t	used_bytes;	/* of vectors, not yet folded */
	_Atomic int64_t	reserved_bytes;	/* taken from tickets for headers */
};

struct cil {
	_Alignas(CACHE_LINE) struct xrwlock ctx_lock;
	_Alignas(CACHE_LINE) _Atomic uint64_t order; /* of the last commit */

	/* what commits only look at */
	_Alignas(CACHE_LINE) struct checkpoint *ctx; /* (ctx_lock) the current
							one */
	_Atomic uint64_t seq;		/* of that; (ctx_lock + push_lock) */
	_Atomic bool	is_empty;	/* (ctx_lock to clear it; ctx_lock +
					   push_lock to set it, with seq) */
	_Atomic int64_t	used_bytes;	/* folded */
	_Atomic int64_t	header_credit;	/* records not yet paid for */
	struct cil_shard shards[CIL_SHARDS];

	struct xmutex	push_lock;
	struct list	committing;	/* (push_lock) by seq */
	unsigned int	ncommitting;	/* (push_lock) */
	uint64_t	done_seq;	/* (push_lock) durable up to here */
	uint64_t	push_seq;	/* (push_lock) to be pushed, by the worker */
	uint64_t	forced_seq;	/* (push_lock) somebody sees to its push */
	bool		push_stable;	/* (push_lock) and to be on disk */
	unsigned int	throttled;	/* (push_lock) commits that wait */
	bool		aborted;	/* (push_lock) the log died: what was in
					   the CIL has been let go */
	struct xcond	push_wanted;	/* push_seq >= seq, death, or the end */
	struct xcond	switched;	/* seq moved */
	struct xcond	progress;	/* an LSN was set, or one is done */
	struct xcond	durable[CIL_WAITED]; /* by seq: done_seq is there, or
						it never will be */
};

/* Who waits for one checkpoint is not woken for those before and after it. */
static inline struct xcond *cil_durable(struct cil *cil, uint64_t seq)
{
	return &cil->durable[seq % CIL_WAITED];
}

/* --- AIL (ail.c) --- */

struct ail {
	struct xmutex	lock;
	struct list	items;		/* (lock) by LSN, the oldest first */
	struct list	starts;		/* (lock) checkpoints under way, too */
	uint64_t	nitems;		/* (lock) */
	xfs_lsn_t	head_lsn;	/* (lock) commit of the last checkpoint */
	xfs_lsn_t	tail_lsn;	/* (lock) */
	xfs_lsn_t	target;		/* (lock) to be pushed up to here */
	uint64_t	put_back;	/* (lock) by log_item_put_back(), so far */
	_Atomic bool	is_recovering;	/* (lock) to clear: no transaction yet,
					   the tail stays where it is */
	struct xcond	wanted;		/* something to push, or the end */
	struct xcond	emptied;	/* no items */
};

/* What log_ail_insert() was called for is there: the tail may move. */
void ail_recovered(struct log *log);

/* --- all of it --- */

/* For tests: each leaves out one thing that crash safety stands on. */
enum {
	LOG_BREAK_START_FLUSH = 1,
	LOG_BREAK_COMMIT_FLUSH = 2,
	LOG_BREAK_COMMIT_ORDER = 4,
	LOG_BREAK_WAIT_EARLIER = 8,
	LOG_BREAK_TAIL_AT_SEAL = 16,
	LOG_BREAK_HEADER_STEAL = 32,
	LOG_BREAK_REACH = 64,
};

struct log {
	/* constant after log_open() */
	struct log_config config;
	struct xlog_form form;
	uint64_t	size_bytes;
	uint32_t	hsize_bytes;	/* header of a full record */
	uint32_t	room_bytes;	/* operations in an iclog */
	uint32_t	niclogs;
	int64_t		cil_limit, cil_hard_limit;
	unsigned int	breaks;		/* LOG_BREAK_* */

	_Atomic bool	dead;
	_Alignas(CACHE_LINE) _Atomic uint32_t next_tid;
	struct grant_head reserve, write;
	struct cil	cil;
	struct ail	ail;

	struct xmutex	iclog_lock;
	struct iclog	iclogs[LOG_MAX_ICLOGS];
	unsigned int	active;		/* (iclog_lock) where writers go */
	unsigned int	oldest;		/* (iclog_lock) first that is not ACTIVE,
					   or active */
	xfs_lsn_t	next_lsn;	/* (iclog_lock) of the next record */
	xfs_lsn_t	prev_lsn;	/* (iclog_lock) of the last one, or 0 */
	uint32_t	prev_block;	/* (iclog_lock) where that is */
	bool		broken;		/* (iclog_lock) a record failed */
	xfs_lsn_t	done_lsn;	/* (iclog_lock) all up to it complete */
	struct list	io_queue;	/* (iclog_lock) */
	struct xcond	writable;	/* the active one is ACTIVE */
	struct xcond	done;		/* done_lsn moved */
	struct xcond	io_wanted;	/* io_queue is not empty, or the end */
	struct xcond	worker_wanted;	/* the end */
	int		cover;		/* (iclog_lock) enum cover, force.c */

	/* objects written back, and those of them that are durable */
	_Atomic uint64_t data_written, data_flushed;
	xfs_lsn_t	data_tail;	/* (iclog_lock) all that moved the tail up
					   to here are */

	/*
	 * (iclog_lock) The device has all records up to written_end, and all
	 * up to durable_end for good; the last of these say what their tail is.
	 */
	unsigned int	unwritten;	/* first iclog of which that is not so */
	xfs_lsn_t	written_end, written_tail;
	xfs_lsn_t	durable_end, durable_tail;

	pthread_t	threads[LOG_MAX_ICLOGS + 3];
	unsigned int	nthreads;
	_Atomic bool	ending;		/* log_close(): threads end */
	bool		nested;		/* LOG_NO_THREADS: in log_sleep() */
	struct log_stats stats;
};

const char *iclog_state_name(enum iclog_state state);

#define TRACE_ICLOG(event, log, ic)					\
	TRACE(event, (uint64_t)((ic) - (log)->iclogs),			\
	      trace_str(iclog_state_name((ic)->state)), (ic)->refs,	\
	      (ic)->used_bytes, (ic)->lsn, (ic)->flags)

/* Wait for @cond; without threads, do something that may bring it about. */
void log_sleep(struct log *log, struct xcond *cond, struct xmutex *mutex)
	REQUIRES(mutex);

/* cil.c */
int cil_init(struct log *log);
void cil_fini(struct log *log);

/* The log is dead, or nobody uses it any more: let go of what was not pushed. */
void cil_abort(struct log *log);

/* The extents on @busy are free when @seq is durable. */
void cil_mark_busy(struct list *busy, uint64_t seq);

/* What a checkpoint may take for headers before commits pay for more. */
int64_t cil_header_credit(const struct log *log);

/* checkpoint.c */

/* @tic is borrowed; NULL: one of its own. NULL: no memory. */
struct checkpoint *checkpoint_new(struct log *log, uint64_t seq,
				  struct ticket *tic);
void checkpoint_free(struct checkpoint *cp);

/* The item's vector goes into the checkpoint, which nobody else has. */
void checkpoint_take(struct checkpoint *cp, struct log_item *item);

/*
 * Make a checkpoint of the CIL, if its sequence is still @seq, and write it;
 * with @stable begin to write the record that ends it, too. Returns when the
 * commit record is in an iclog. -ESHUTDOWN, -ENOMEM.
 */
int cil_push(struct log *log, uint64_t seq, bool stable) MUST_CHECK;

/* Have the worker push up to @seq. */
void cil_push_later(struct log *log, uint64_t seq, bool stable);

/* The checkpoint @seq, if it is being written; else NULL. */
struct checkpoint *cil_committing(struct cil *cil, uint64_t seq)
	REQUIRES(cil->push_lock);

/* Begin to write the record that ends it. False: nothing is to be begun. */
bool cil_seal(struct log *log, uint64_t seq);
bool cil_seal_locked(struct log *log, uint64_t seq)
	REQUIRES(log->cil.push_lock);

/* The worker: do what was asked for. False: nothing was. */
bool cil_push_step(struct log *log);

/* LOG_DIRECT: one commit on its own. Takes @cp. *@lsn: of its commit record. */
int checkpoint_write_direct(struct checkpoint *cp,
			    xfs_lsn_t *lsn) MUST_CHECK;

/* Its first record will be at @lsn. */
void checkpoint_started(struct checkpoint *cp, xfs_lsn_t lsn);

/* Its commit record is durable, or (@abort) never will be. Frees it. */
void checkpoint_complete(struct checkpoint *cp, bool abort);

/* write.c */

/* Where a stream of operations has got to. */
struct log_writer {
	struct log	*log;
	struct ticket	*ticket;
	struct iclog	*ic;		/* referenced, or NULL */
	uint8_t		*at;		/* in its buffer */
	uint32_t	room_bytes;	/* that are ours from there */
	uint32_t	ops;		/* put there, not yet counted */
	uint64_t	left_bytes;	/* of the stream */
	unsigned int	flags;		/* ICLOG_*, of all its iclogs */
};

/*
 * The vectors of @chain, @bytes in all, into iclogs, for @cp and paid by its
 * ticket. -ESHUTDOWN.
 */
int log_write_chain(struct log *log, struct checkpoint *cp,
		    const struct log_vec *chain, uint64_t bytes) MUST_CHECK;

/*
 * One operation of @bytes, at most two headers', which is not divided. *@ic
 * has it, referenced: iclog_put() when it may go, to count it.
 */
int log_write_op(struct log *log, struct ticket *tic, const uint8_t *op,
		 uint32_t bytes, unsigned int flags, struct iclog **ic)
	MUST_CHECK;

/* iclog.c */
int iclog_ring_init(struct log *log);
void iclog_ring_fini(struct log *log);

/*
 * Space for @want bytes of operations in the active iclog, or all it has left
 * (then it is switched). *@off, *@room: where, and how much. Referenced. Adds
 * @flags. The header of a new record is paid by @tic.
 */
int iclog_take(struct log *log, struct ticket *tic, uint64_t want,
	       unsigned int flags, struct iclog **ic, uint32_t *off,
	       uint32_t *room) MUST_CHECK EXCLUDES(log->iclog_lock);

/* A writer has put @ops operations there and leaves. */
void iclog_put(struct log *log, struct iclog *ic, struct ticket *tic,
	       uint32_t ops) EXCLUDES(log->iclog_lock);

/* The same, and @tic, which it was, is released before @ic can be complete. */
void iclog_put_release(struct log *log, struct iclog *ic, struct ticket *tic,
		       uint32_t ops) EXCLUDES(log->iclog_lock);

/* The caller has a reference: add @flags; @seal: no one else joins. */
void iclog_flag(struct log *log, struct iclog *ic, unsigned int flags,
		bool seal) EXCLUDES(log->iclog_lock);

/* The device has @ic. */
void iclog_written(struct log *log, struct iclog *ic)
	EXCLUDES(log->iclog_lock);

/*
 * Have the record at @lsn, or NULL_LSN: the active one, written. False: it is
 * already on its way, or there is none.
 */
bool iclog_kick(struct log *log, xfs_lsn_t lsn) EXCLUDES(log->iclog_lock);

/* Wait until all records up to @lsn are complete. */
int iclog_wait(struct log *log, xfs_lsn_t lsn) MUST_CHECK
	EXCLUDES(log->iclog_lock);

/* It was written, or failed: run what completions may run. */
void iclog_done(struct log *log, struct iclog *ic, int rc)
	EXCLUDES(log->iclog_lock);

/* The log died: completions of what will not be written. */
void iclog_abort_all(struct log *log) EXCLUDES(log->iclog_lock);

/* io.c: write one iclog that waits. False: none does. */
bool iclog_io_step(struct log *log);

/* ail.c */
int ail_init(struct log *log);
void ail_fini(struct log *log);

/* Nobody uses the log any more: let go of what was not written back. */
void ail_abort(struct log *log);

/* There is more in it, or the log is fuller: is something to be pushed? */
void ail_wake(struct log *log);

/* Its first record is at start_lsn: the tail stays there until it is over. */
void ail_hold_tail(struct log *log, struct checkpoint *cp);

/* The checkpoint is durable: its items into the AIL, the head moves. */
void ail_insert_checkpoint(struct log *log, struct checkpoint *cp);

/* It never will be. */
void ail_drop_checkpoint(struct log *log, struct checkpoint *cp);

enum ail_progress {
	AIL_IDLE,		/* nothing has to be pushed, or could be */
	AIL_FORCED,		/* the log, for what is pinned */
	AIL_PUSHED,
};

/* Push what has to be pushed. */
enum ail_progress ail_push_step(struct log *log);
void ail_push_all(struct log *log);
int ail_wait_empty(struct log *log) MUST_CHECK;
xfs_lsn_t ail_tail(struct log *log);

/* force.c */

/* Items that are to be written back wait for the log: true if that helps. */
bool log_push_pinned(struct log *log);

/* @ic is complete; @alone: and nothing else is in an iclog. */
void cover_note(struct log *log, const struct iclog *ic, bool alone)
	REQUIRES(log->iclog_lock);

/* Bytes of the log from @from up to @to, both places in it. */
uint64_t log_distance(const struct log *log, xfs_lsn_t from, xfs_lsn_t to);

#endif
