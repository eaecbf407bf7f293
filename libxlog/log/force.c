/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forces: make what was committed durable. Who forces the checkpoint that is
 * being collected pushes it himself. While others are on their way to the disk
 * he waits for one of them first, and many commits that are forced at one time
 * so become one checkpoint.
 *
 * Covering: an idle log still has a checkpoint that recovery would replay.
 * After two of the superblock alone, the second of which says that the tail is
 * the first, there is nothing else to replay.
 */
#include "libxlog/log/log_priv.h"

enum {
	/*
	 * Checkpoints under way that a force does not wait for. With fewer, a
	 * handful of threads would wait for a disk that can flush for all of them at
	 * one time; with more, many threads would not collect.
	 */
	IN_FLIGHT = 4,
	UNMOUNT_RESERVE_BYTES = 600,
	UNMOUNT_BODY_BYTES = 8,
};

enum cover {
	COVER_IDLE,		/* recovery would replay superblocks only */
	COVER_NEED,
	COVER_DONE,		/* the first of two is being written */
	COVER_NEED2,
	COVER_DONE2,
};

/* --- forces --- */

static bool is_current(struct log *log, uint64_t seq)
{
	return atomic_load(&log->cil.seq) <= seq;
}

/* Those under way may end in a record that waits until it is full. */
static void kick_committed_locked(struct log *log)
	REQUIRES(log->cil.push_lock)
{
	struct list *head = &log->cil.committing;

	for (struct list *l = list_first(head); l; l = list_next(l, head)) {
		xfs_lsn_t lsn = container_of(l, struct checkpoint,
					     committing_link)->commit_lsn;

		if (lsn)
			iclog_kick(log, lsn);
	}
}

/*
 * The first who forces @seq, the current checkpoint, sees to it that it is
 * pushed, by himself or by another. All others only have to wait.
 */
static int push_current(struct log *log, uint64_t seq)
{
	struct cil *cil = &log->cil;
	bool first;

	xmutex_lock(&log->cil.push_lock);
	first = cil->forced_seq < seq && is_current(log, seq);
	if (first)
		cil->forced_seq = seq;
	while (first && cil->ncommitting >= IN_FLIGHT &&
	       is_current(log, seq) && !log_is_shutdown(log)) {
		kick_committed_locked(log);
		log_sleep(log, &cil->progress, &log->cil.push_lock);
	}
	xmutex_unlock(&log->cil.push_lock);
	return first && is_current(log, seq) ? cil_push(log, seq, true) : 0;
}

static int wait_durable(struct log *log, uint64_t seq)
{
	struct cil *cil = &log->cil;
	bool durable;

	xmutex_lock(&log->cil.push_lock);
	/* pushed in the background: its end may wait for more */
	cil_seal_locked(log, seq);
	while (cil->done_seq < seq && !log_is_shutdown(log) &&
	       (is_current(log, seq) || cil_committing(&log->cil, seq)))
		log_sleep(log, cil_durable(cil, seq), &log->cil.push_lock);
	durable = cil->done_seq >= seq;
	xmutex_unlock(&log->cil.push_lock);
	return durable ? 0 : -ESHUTDOWN;
}

static int force_direct(struct log *log, xfs_lsn_t lsn, bool wait)
{
	iclog_kick(log, lsn);
	return wait ? iclog_wait(log, lsn) : 0;
}

static int force_delayed(struct log *log, uint64_t seq, bool wait)
{
	int rc;

	if (!wait) {
		if (is_current(log, seq))
			cil_push_later(log, seq, true);
		else
			cil_seal(log, seq);
		return 0;
	}
	rc = push_current(log, seq);
	return rc ? rc : wait_durable(log, seq);
}

int log_force_seq(struct log *log, uint64_t seq, bool wait)
{
	uint64_t began_ns = log_stat_clock();
	int rc;

	TRACE(xfs_log_force, seq, wait);
	log_stat_add(log, LOG_STAT_FORCES, 1);
	rc = log->config.flags & LOG_DIRECT ? force_direct(log, seq, wait) :
					      force_delayed(log, seq, wait);
	if (!rc && wait)
		log_stat_time(log, LOG_TIME_FORCE, began_ns);
	return rc;
}

/* Until all records whose place is known are over, completions included. */
static int wait_for_records(struct log *log)
{
	xfs_lsn_t last;

	xmutex_lock(&log->iclog_lock);
	last = log->prev_lsn;
	xmutex_unlock(&log->iclog_lock);
	return iclog_wait(log, last);
}

int log_force(struct log *log, bool wait)
{
	struct cil *cil = &log->cil;
	uint64_t seq;
	bool empty;

	if (log->config.flags & LOG_DIRECT) {
		iclog_kick(log, XFS_NULL_LSN);
		return wait ? wait_for_records(log) : 0;
	}
	xmutex_lock(&cil->push_lock);
	seq = atomic_load(&cil->seq);
	empty = atomic_load(&cil->is_empty);
	xmutex_unlock(&cil->push_lock);
	/* nothing in it: what came before it */
	if (empty)
		return seq == 1 ? 0 : log_force_seq(log, seq - 1, wait);
	return log_force_seq(log, seq, wait);
}

bool log_push_pinned(struct log *log)
{
	struct cil *cil = &log->cil;
	uint64_t seq = atomic_load(&cil->seq);

	if (log->config.flags & LOG_DIRECT || atomic_load(&cil->is_empty))
		return iclog_kick(log, XFS_NULL_LSN);
	cil_push_later(log, seq, true);
	return true;
}

/* --- the end --- */

int log_quiesce(struct log *log)
{
	int rc = log_force(log, true);

	if (!rc)
		rc = ail_wait_empty(log);
	/* a checkpoint is done a moment before its record is, which says
	   whether the log has to be covered */
	return rc ? rc : wait_for_records(log);
}

void cover_note(struct log *log, const struct iclog *ic, bool alone)
{
	bool dummy = ic->num_ops == XLOG_BUF_CHECKPOINT_OPS && alone;

	switch (log->cover) {
	case COVER_IDLE:
		log->cover = dummy ? COVER_IDLE : COVER_NEED;
		break;
	case COVER_DONE:
		log->cover = dummy ? COVER_NEED2 : COVER_NEED;
		break;
	case COVER_DONE2:
		log->cover = dummy ? COVER_IDLE : COVER_NEED;
		break;
	default:
		log->cover = COVER_NEED;
	}
}

static bool is_idle(struct log *log)
{
	bool idle;

	xmutex_lock(&log->ail.lock);
	idle = list_is_empty(&log->ail.items) &&
	       list_is_empty(&log->ail.starts);
	xmutex_unlock(&log->ail.lock);
	return idle && atomic_load(&log->cil.is_empty);
}

bool log_needs_cover(struct log *log)
{
	bool needs = false;

	if (!is_idle(log))
		return false;
	xmutex_lock(&log->iclog_lock);
	if (log->oldest == log->active &&
	    !log->iclogs[log->active].used_bytes) {
		needs = log->cover == COVER_NEED || log->cover == COVER_NEED2;
		if (needs)
			log->cover++;
	}
	xmutex_unlock(&log->iclog_lock);
	return needs;
}

void log_worker_step(struct log *log)
{
	if (log_is_shutdown(log))
		return;
	/* what fails has been reported, or the log is dead */
	if (log->config.cover && log_needs_cover(log))
		(void)!log->config.cover(log->config.cover_ctx);
	else
		(void)!log_force(log, false);
	ail_push_all(log);
}

int log_unmount(struct log *log)
{
	uint8_t op[OP_BYTES + UNMOUNT_BODY_BYTES] = { 0 };
	struct ticket *tic;
	struct iclog *ic;
	xfs_lsn_t lsn;
	int rc;

	rc = ticket_reserve(log, UNMOUNT_RESERVE_BYTES, 1, false, &tic);
	if (rc)
		return rc;
	TRACE(xfs_log_umount_write, tic->tid);
	/* the length of what follows is not counted, as in Linux since 6.1 */
	xlog_op_header_encode(op, &(struct xlog_op_header){
		.oh_tid = tic->tid,
		.oh_clientid = XLOG_CLIENT_LOG,
		.oh_flags = XLOG_UNMOUNT_TRANS,
	});
	put_w16(op + OP_BYTES, XFS_UNMOUNT_MAGIC, xlog_form_order(&log->form));
	tic->left_bytes -= (int64_t)sizeof(op);
	rc = log_write_op(log, tic, op, sizeof(op), ICLOG_FLUSH | ICLOG_FUA,
			  &ic);
	if (!rc) {
		lsn = ic->lsn;
		iclog_flag(log, ic, 0, true);
		iclog_put(log, ic, tic, 1);
		rc = iclog_wait(log, lsn);
	}
	ticket_release(log, tic);
	return rc;
}
