/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets and grant heads: who may use how much of the log. On the fast path a
 * head is one compare-and-swap; whoever finds too little queues, and is given
 * its space by the one who brings it back, in turn: nobody overtakes.
 *
 * The pairing that loses no wake-up: who waits raises nwaiters and then looks
 * at used_bytes; who gives back lowers used_bytes and then looks at nwaiters.
 * All four are sequentially consistent.
 */
#include <stdlib.h>

#include "libxfsfmt/logspace.h"
#include "libxlog/log/log_priv.h"

struct waiter {
	struct list	link;		/* (head lock) */
	uint32_t	tid;
	struct xcond	granted;	/* is_granted, or the log is dead */
	uint64_t	need_bytes;
	bool		is_granted;	/* (head lock) */
};

#define TRACE_TICKET(event, log, tic)					\
	TRACE(event, (tic)->tid, (tic)->start_count, (tic)->count,	\
	      trace_int((tic)->left_bytes), (tic)->unit_bytes,		\
	      atomic_load(&(log)->reserve.used_bytes),			\
	      atomic_load(&(log)->write.used_bytes))

#define TRACE_GRANT(event, log, head, w)				\
	TRACE(event, (w)->tid, trace_str(head_name(log, head)),		\
	      (w)->need_bytes, atomic_load(&(head)->used_bytes),	\
	      atomic_load(&(head)->nwaiters))

static const char *head_name(const struct log *log,
			     const struct grant_head *head)
{
	return head == &log->write ? "write" : "reserve";
}

int grant_head_init(struct grant_head *head)
{
	list_init(&head->waiters);
	atomic_init(&head->nwaiters, 0);
	atomic_init(&head->used_bytes, 0);
	return xmutex_init(&head->lock);
}

void grant_head_fini(struct grant_head *head)
{
	xmutex_fini(&head->lock);
}

static bool try_take(const struct log *log, struct grant_head *head,
		     uint64_t bytes)
{
	uint64_t used = atomic_load(&head->used_bytes);

	do {
		if (used + bytes > log->size_bytes)
			return false;
	} while (!atomic_compare_exchange_weak(&head->used_bytes, &used,
					       used + bytes));
	return true;
}

/* Give those who wait theirs, as far as it goes. */
static void wake_locked(const struct log *log, struct grant_head *head)
	REQUIRES(head->lock)
{
	struct list *first;

	while ((first = list_first(&head->waiters))) {
		struct waiter *w = container_of(first, struct waiter, link);

		if (!try_take(log, head, w->need_bytes))
			return;
		list_remove(&w->link);
		atomic_fetch_sub(&head->nwaiters, 1);
		w->is_granted = true;
		TRACE_GRANT(xfs_log_grant_wake_up, log, head, w);
		xcond_wake_one(&w->granted);
	}
}

static void head_give_back(const struct log *log, struct grant_head *head,
			   uint64_t bytes)
{
	atomic_fetch_sub(&head->used_bytes, bytes);
	if (!atomic_load(&head->nwaiters))
		return;
	xmutex_lock(&head->lock);
	wake_locked(log, head);
	xmutex_unlock(&head->lock);
}

/* Sleep until @w has its space. False: the log died, it has not. */
static bool wait_turn(struct log *log, struct grant_head *head,
		      struct waiter *w)
{
	bool granted;

	xmutex_lock(&head->lock);
	atomic_fetch_add(&head->nwaiters, 1);
	list_insert_last(&w->link, &head->waiters);
	TRACE_GRANT(xfs_log_grant_sleep, log, head, w);
	wake_locked(log, head);
	while (!w->is_granted && !log_is_shutdown(log)) {
		/* the only thing that makes room is write-back */
		xmutex_unlock(&head->lock);
		ail_push_all(log);
		xmutex_lock(&head->lock);
		if (!w->is_granted && !log_is_shutdown(log))
			log_sleep(log, &w->granted, &head->lock);
	}
	granted = w->is_granted;
	if (!granted) {
		list_remove(&w->link);
		atomic_fetch_sub(&head->nwaiters, 1);
		/* those behind it may be smaller */
		wake_locked(log, head);
	}
	TRACE_GRANT(xfs_log_grant_wake, log, head, w);
	xmutex_unlock(&head->lock);
	return granted;
}

static int head_take(struct log *log, struct grant_head *head,
		     const struct ticket *tic, uint64_t bytes)
{
	struct waiter w = { .tid = tic->tid, .need_bytes = bytes };
	bool granted;
	int rc;

	if (log_is_shutdown(log))
		return -ESHUTDOWN;
	if (!atomic_load(&head->nwaiters) && try_take(log, head, bytes))
		return 0;
	list_init(&w.link);
	rc = xcond_init(&w.granted);
	if (rc)
		return rc;
	granted = wait_turn(log, head, &w);
	xcond_fini(&w.granted);
	return granted ? 0 : -ESHUTDOWN;
}

bool grant_is_waited_for(const struct log *log)
{
	return atomic_load(&log->write.nwaiters) ||
	       atomic_load(&log->reserve.nwaiters);
}

void grant_take(struct log *log, uint64_t bytes)
{
	atomic_fetch_add(&log->reserve.used_bytes, bytes);
	atomic_fetch_add(&log->write.used_bytes, bytes);
}

void grant_give_back(struct log *log, uint64_t bytes)
{
	if (!bytes)
		return;
	head_give_back(log, &log->write, bytes);
	head_give_back(log, &log->reserve, bytes);
}

static void wake_all(struct grant_head *head)
{
	xmutex_lock(&head->lock);
	for (struct list *l = list_first(&head->waiters); l;
	     l = list_next(l, &head->waiters))
		xcond_wake_one(&container_of(l, struct waiter, link)->granted);
	xmutex_unlock(&head->lock);
}

void grant_wake_all(struct log *log)
{
	wake_all(&log->write);
	wake_all(&log->reserve);
}

/* --- tickets --- */

/* Unique as long as the log does not hold four thousand million of them. */
static uint32_t next_tid(struct log *log)
{
	return atomic_fetch_add_explicit(&log->next_tid, 1,
					 memory_order_relaxed);
}

struct ticket *ticket_new(struct log *log, uint32_t logres_bytes)
{
	/* not calloc(): that passes by what this thread has freed before */
	struct ticket *tic = malloc(sizeof(*tic));

	if (!tic)
		return NULL;
	*tic = (struct ticket){ .tid = next_tid(log) };
	tic->unit_bytes = xlog_unit_bytes(logres_bytes, log->form.size_bytes,
					  log->form.roundoff_bytes,
					  &tic->records);
	return tic;
}

int ticket_reserve(struct log *log, uint32_t logres_bytes, unsigned int count,
		   bool permanent, struct ticket **out)
{
	struct ticket *tic = ticket_new(log, logres_bytes);
	uint64_t need;
	int rc;

	if (!tic)
		return report(&log->config.sink, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory");
	log_stat_add(log, LOG_STAT_TICKETS, 1);
	tic->permanent = permanent;
	tic->start_count = tic->count = permanent && count ? count : 1;
	need = (uint64_t)tic->unit_bytes * tic->count;
	tic->left_bytes = tic->unit_bytes;
	/* the record that ends the last checkpoint never leaves the log */
	if (need + log->form.size_bytes + log->form.roundoff_bytes >
	    log->size_bytes) {
		free(tic);
		return report(&log->config.sink, -ENOSPC, "log.small",
			      XLOG_LSN_NONE,
			      "a transaction of %llu bytes in a log of %llu",
			      (unsigned long long)need,
			      (unsigned long long)log->size_bytes);
	}
	/* what recovery found in the log is in the AIL by now */
	if (atomic_load_explicit(&log->ail.is_recovering,
				 memory_order_relaxed))
		ail_recovered(log);
	TRACE_TICKET(xfs_log_reserve, log, tic);
	rc = head_take(log, &log->reserve, tic, need);
	if (rc)
		goto free_ticket;
	/* a chain may have taken more than there is since: then this waits */
	rc = head_take(log, &log->write, tic, need);
	if (rc)
		goto give_back;
	TRACE_TICKET(xfs_log_reserve_exit, log, tic);
	*out = tic;
	return 0;
give_back:
	head_give_back(log, &log->reserve, need);
free_ticket:
	free(tic);
	return rc;
}

/* What is left of the unit at hand. */
static uint64_t unused_bytes(struct log *log, const struct ticket *tic)
{
	if (tic->left_bytes >= 0)
		return (uint64_t)tic->left_bytes;
	/* the log has it, whoever reserved it */
	grant_take(log, (uint64_t)-tic->left_bytes);
	return 0;
}

void ticket_roll(struct log *log, struct ticket *tic)
{
	uint64_t left = unused_bytes(log, tic);

	assert(tic->permanent);
	TRACE_TICKET(xfs_log_ticket_regrant, log, tic);
	if (tic->count)
		tic->count--;
	head_give_back(log, &log->write, left);
	/* may be more than there is: only who begins anew has to wait for it */
	tic->half = !tic->count;
	if (tic->half)
		atomic_fetch_add(&log->reserve.used_bytes, tic->unit_bytes);
	head_give_back(log, &log->reserve, left);
	tic->left_bytes = tic->half ? 0 : tic->unit_bytes;
	TRACE_TICKET(xfs_log_ticket_regrant_exit, log, tic);
	tic->tid = next_tid(log);
}

int ticket_regrant(struct log *log, struct ticket *tic)
{
	TRACE_TICKET(xfs_log_regrant, log, tic);
	if (tic->half) {
		int rc = head_take(log, &log->write, tic, tic->unit_bytes);

		if (rc)
			return rc;
		tic->half = false;
	}
	tic->left_bytes = tic->unit_bytes;
	TRACE_TICKET(xfs_log_regrant_exit, log, tic);
	return 0;
}

void ticket_release(struct log *log, struct ticket *tic)
{
	uint64_t bytes;

	if (!tic)
		return;
	TRACE_TICKET(xfs_log_ticket_ungrant, log, tic);
	bytes = unused_bytes(log, tic);
	/* the unit at hand is one of them, or was taken by a regrant */
	if (tic->count > 1)
		bytes += (uint64_t)tic->unit_bytes * (tic->count - 1);
	grant_give_back(log, bytes);
	if (tic->half)
		head_give_back(log, &log->reserve, tic->unit_bytes);
	free(tic);
}

void ticket_watch(struct ticket *tic, _Atomic uint32_t *peak_bytes)
{
	tic->peak_bytes = peak_bytes;
}

void ticket_note_peak(const struct ticket *tic)
{
	uint32_t took = (uint32_t)(tic->unit_bytes - tic->left_bytes), peak;

	if (!tic->peak_bytes)
		return;
	peak = atomic_load_explicit(tic->peak_bytes, memory_order_relaxed);
	while (took > peak &&
	       !atomic_compare_exchange_weak_explicit(tic->peak_bytes, &peak,
						      took,
						      memory_order_relaxed,
						      memory_order_relaxed))
		;
}

uint32_t ticket_tid(const struct ticket *tic)
{
	return tic->tid;
}
