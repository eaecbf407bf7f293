/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring of iclogs: the buffers in which records are put together. Writers
 * take space in the active one and fill it without a lock; when it is full, or
 * someone forces the log, it is switched: from then on its size is known, and
 * with it the place of the next. Whoever leaves a switched iclog last has it
 * written; completions run in the order of the log, whatever order the writes
 * end in.
 */
#include <stdlib.h>

#include "libxlog/log/log_priv.h"

/* A record with no more room than this is not begun in. */
enum { LEAST_ROOM = 2 * OP_BYTES, PAGE = 4096 };

const char *iclog_state_name(enum iclog_state state)
{
	static const char *const names[] = {
		[ICLOG_ACTIVE] = "ACTIVE", [ICLOG_WANT_SYNC] = "WANT_SYNC",
		[ICLOG_SYNCING] = "SYNCING", [ICLOG_DONE] = "DONE",
		[ICLOG_CALLBACK] = "CALLBACK",
	};

	return names[state];
}

static struct iclog *active(struct log *log)
{
	return &log->iclogs[log->active];
}

int iclog_ring_init(struct log *log)
{
	/* a record that is full may be rounded up to more than that */
	size_t room = log->hsize_bytes + log->room_bytes +
		      log->form.roundoff_bytes;
	int rc;

	room = (room + PAGE - 1) / PAGE * PAGE;
	list_init(&log->io_queue);
	log->next_lsn = log->config.head;
	log->prev_block = log->config.prev_block;
	log->written_end = log->durable_end = log->config.head;
	log->written_tail = log->durable_tail =
		log->config.tail ? log->config.tail : log->config.head;
	log->data_tail = log->config.head;
	rc = xmutex_init(&log->iclog_lock);
	if (!rc)
		rc = xcond_init(&log->writable);
	if (!rc)
		rc = xcond_init(&log->done);
	if (!rc)
		rc = xcond_init(&log->io_wanted);
	if (!rc)
		rc = xcond_init(&log->worker_wanted);
	for (unsigned int i = 0; i < log->niclogs && !rc; i++) {
		struct iclog *ic = &log->iclogs[i];

		ic->buf = aligned_alloc(PAGE, room);
		list_init(&ic->checkpoints);
		list_init(&ic->io_link);
		rc = ic->buf ? 0 : -ENOMEM;
	}
	return rc;
}

void iclog_ring_fini(struct log *log)
{
	for (unsigned int i = 0; i < log->niclogs; i++)
		free(log->iclogs[i].buf);
	xcond_fini(&log->worker_wanted);
	xcond_fini(&log->io_wanted);
	xcond_fini(&log->done);
	xcond_fini(&log->writable);
	xmutex_fini(&log->iclog_lock);
}

/* Checkpoints whose commit records are in @ic: durable, or never will be. */
static void complete(struct log *log, struct iclog *ic, bool abort)
	EXCLUDES(log->iclog_lock)
{
	for (;;) {
		struct list *first;

		xmutex_lock(&log->iclog_lock);
		first = list_first(&ic->checkpoints);
		if (first) {
			list_remove(first);
			TRACE_ICLOG(xlog_iclog_callback, log, ic);
		}
		xmutex_unlock(&log->iclog_lock);
		if (!first)
			return;
		checkpoint_complete(container_of(first, struct checkpoint,
						 iclog_link), abort);
	}
}

/* --- states --- */

/* No writer joins @ic, the active one, any more. */
static void switch_locked(struct log *log, struct iclog *ic)
	REQUIRES(log->iclog_lock)
{
	assert(ic->state == ICLOG_ACTIVE && ic->used_bytes);
	ic->state = ICLOG_WANT_SYNC;
	TRACE_ICLOG(xlog_iclog_switch, log, ic);
	log->prev_lsn = ic->lsn;
	log->prev_block = xfs_lsn_block(ic->lsn);
	log->next_lsn = xlog_lsn_add(ic->lsn,
				     xlog_form_bb(&log->form, ic->used_bytes),
				     log->form.log_size_bb);
	log->active = (log->active + 1) % log->niclogs;
}

/*
 * Which part of the log recovery needs, as of now. Taken once, and before the
 * record can be on disk: a later tail might be one that is true only because
 * this record is durable.
 */
static void take_tail_locked(struct log *log, struct iclog *ic)
	REQUIRES(log->iclog_lock)
{
	if (ic->flags & ICLOG_TAIL && !(log->breaks & LOG_BREAK_TAIL_AT_SEAL))
		return;
	if (ic->state != ICLOG_WANT_SYNC && !(ic->flags & ICLOG_FUA))
		return;
	ic->tail_lsn = ail_tail(log);
	ic->flags |= ICLOG_TAIL;
}

static void put_locked(struct log *log, struct iclog *ic, struct ticket *tic)
	REQUIRES(log->iclog_lock)
{
	uint32_t pad;

	take_tail_locked(log, ic);
	assert(ic->refs);
	TRACE_ICLOG(xlog_iclog_release, log, ic);
	if (--ic->refs || ic->state != ICLOG_WANT_SYNC)
		return;
	pad = xlog_form_bb(&log->form, ic->used_bytes) * BB_SIZE -
	      xlog_form_header_bb(&log->form) * BB_SIZE - ic->used_bytes;
	if (tic)
		tic->left_bytes -= pad;
	else
		grant_take(log, pad);
	ic->state = ICLOG_SYNCING;
	TRACE_ICLOG(xlog_iclog_syncing, log, ic);
	list_insert_last(&ic->io_link, &log->io_queue);
	xcond_wake_one(&log->io_wanted);
}

/* The active one begins: where it goes has been known since the last switch. */
static void begin_locked(struct log *log, struct iclog *ic, struct ticket *tic)
	REQUIRES(log->iclog_lock)
{
	ic->lsn = log->next_lsn;
	ic->prev_block = log->prev_block;
	ic->tail_lsn = 0;
	if (tic)
		tic->left_bytes -= log->hsize_bytes;
	else
		grant_take(log, log->hsize_bytes);
}

int iclog_take(struct log *log, struct ticket *tic, uint64_t want,
	       unsigned int flags, struct iclog **out, uint32_t *off,
	       uint32_t *room)
{
	struct iclog *ic;
	uint32_t left;

	xmutex_lock(&log->iclog_lock);
	for (;;) {
		if (log_is_shutdown(log)) {
			xmutex_unlock(&log->iclog_lock);
			return -ESHUTDOWN;
		}
		ic = active(log);
		if (ic->state != ICLOG_ACTIVE) {
			log_sleep(log, &log->writable, &log->iclog_lock);
			continue;
		}
		if (!ic->used_bytes)
			begin_locked(log, ic, tic);
		left = log->room_bytes - ic->used_bytes;
		if (left >= LEAST_ROOM)
			break;
		ic->refs++;
		switch_locked(log, ic);
		put_locked(log, ic, tic);
	}
	*off = ic->used_bytes;
	*room = want < left ? (uint32_t)want : left;
	ic->used_bytes += *room;
	ic->flags |= flags;
	ic->refs++;
	TRACE_ICLOG(xlog_iclog_get_space, log, ic);
	if (*room < want)
		switch_locked(log, ic);
	xmutex_unlock(&log->iclog_lock);
	*out = ic;
	return 0;
}

static void put(struct log *log, struct iclog *ic, struct ticket *tic,
		uint32_t ops, bool release) EXCLUDES(log->iclog_lock)
{
	bool stranded;

	xmutex_lock(&log->iclog_lock);
	ic->num_ops += ops;
	put_locked(log, ic, tic);
	if (release)
		ticket_release(log, tic);
	stranded = log_is_shutdown(log) && ic->state == ICLOG_ACTIVE &&
		   !ic->refs;
	xmutex_unlock(&log->iclog_lock);
	if (stranded)
		complete(log, ic, true);
}

void iclog_put(struct log *log, struct iclog *ic, struct ticket *tic,
	       uint32_t ops)
{
	put(log, ic, tic, ops, false);
}

void iclog_put_release(struct log *log, struct iclog *ic, struct ticket *tic,
		       uint32_t ops)
{
	put(log, ic, tic, ops, true);
}

void iclog_flag(struct log *log, struct iclog *ic, unsigned int flags,
		bool seal)
{
	xmutex_lock(&log->iclog_lock);
	ic->flags |= flags;
	if (seal && ic->state == ICLOG_ACTIVE)
		switch_locked(log, ic);
	xmutex_unlock(&log->iclog_lock);
}

bool iclog_kick(struct log *log, xfs_lsn_t lsn)
{
	struct iclog *ic;
	bool sealed;

	xmutex_lock(&log->iclog_lock);
	ic = active(log);
	sealed = ic->state == ICLOG_ACTIVE && ic->used_bytes &&
		 (lsn == XFS_NULL_LSN || ic->lsn == lsn);
	if (sealed) {
		if (lsn == XFS_NULL_LSN)
			TRACE_ICLOG(xlog_iclog_force, log, ic);
		else
			TRACE_ICLOG(xlog_iclog_force_lsn, log, ic);
		ic->refs++;
		switch_locked(log, ic);
		put_locked(log, ic, NULL);
	}
	xmutex_unlock(&log->iclog_lock);
	return sealed;
}

static bool wait_locked(struct log *log, xfs_lsn_t lsn)
	REQUIRES(log->iclog_lock)
{
	while (log->done_lsn < lsn && !log_is_shutdown(log)) {
		TRACE_ICLOG(xlog_iclog_wait_on, log,
			    &log->iclogs[log->oldest]);
		log_sleep(log, &log->done, &log->iclog_lock);
	}
	return log->done_lsn >= lsn;
}

int iclog_wait(struct log *log, xfs_lsn_t lsn)
{
	bool done;

	xmutex_lock(&log->iclog_lock);
	done = wait_locked(log, lsn);
	xmutex_unlock(&log->iclog_lock);
	return done ? 0 : -ESHUTDOWN;
}

void iclog_written(struct log *log, struct iclog *ic)
{
	xmutex_lock(&log->iclog_lock);
	ic->flags |= ICLOG_WRITTEN;
	for (;;) {
		ic = &log->iclogs[log->unwritten];
		if (!(ic->flags & ICLOG_WRITTEN) || ic->lsn < log->written_end)
			break;
		log->written_end = xlog_lsn_add(ic->lsn,
						xlog_form_bb(&log->form,
							     ic->used_bytes),
						log->form.log_size_bb);
		log->written_tail = ic->tail_lsn;
		log->unwritten = (log->unwritten + 1) % log->niclogs;
	}
	xcond_wake_all(&log->done);
	xmutex_unlock(&log->iclog_lock);
}

/* --- completion --- */

/* Is @ic the only one with something in it? */
static bool is_alone_locked(const struct log *log, const struct iclog *ic)
	REQUIRES(log->iclog_lock)
{
	for (unsigned int i = 0; i < log->niclogs; i++)
		if (&log->iclogs[i] != ic && log->iclogs[i].used_bytes)
			return false;
	return true;
}

static void reset_locked(struct log *log, struct iclog *ic)
	REQUIRES(log->iclog_lock)
{
	cover_note(log, ic, is_alone_locked(log, ic));
	if (!log->broken)
		log->done_lsn = ic->lsn;
	ic->state = ICLOG_ACTIVE;
	ic->flags = 0;
	ic->used_bytes = 0;
	ic->num_ops = 0;
	TRACE_ICLOG(xlog_iclog_activate, log, ic);
	log->oldest = (log->oldest + 1) % log->niclogs;
	xcond_wake_all(&log->writable);
	xcond_wake_all(&log->done);
}

void iclog_done(struct log *log, struct iclog *ic, int rc)
{
	if (rc)
		log_shutdown(log, LOG_SHUTDOWN_ERROR,
			     "the log could not be written");
	xmutex_lock(&log->iclog_lock);
	ic->state = ICLOG_DONE;
	ic->failed = rc != 0;
	TRACE_ICLOG(xlog_iclog_sync_done, log, ic);
	for (;;) {
		struct iclog *old = &log->iclogs[log->oldest];
		bool abort;

		/* someone else runs it, or it is not written yet */
		if (old->state != ICLOG_DONE)
			break;
		old->state = ICLOG_CALLBACK;
		/* behind a record that is not there, nothing is recovered */
		log->broken |= old->failed;
		abort = log->broken;
		TRACE_ICLOG(xlog_iclog_callbacks_start, log, old);
		xmutex_unlock(&log->iclog_lock);
		complete(log, old, abort);
		xmutex_lock(&log->iclog_lock);
		TRACE_ICLOG(xlog_iclog_callbacks_done, log, old);
		reset_locked(log, old);
	}
	xmutex_unlock(&log->iclog_lock);
}

/*
 * What is not on its way to the device never will be. Those that still have
 * writers are left to them (iclog_put()).
 */
void iclog_abort_all(struct log *log)
{
	for (unsigned int i = 0; i < log->niclogs; i++) {
		struct iclog *ic = &log->iclogs[i];
		bool idle;

		xmutex_lock(&log->iclog_lock);
		idle = ic->state == ICLOG_ACTIVE && !ic->refs;
		xmutex_unlock(&log->iclog_lock);
		if (idle)
			complete(log, ic, true);
	}
}
