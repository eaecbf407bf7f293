/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The AIL (active item list): items whose changes are in the log and whose
 * objects are not yet written back, by LSN. The oldest of them is where
 * recovery would have to begin: the tail of the log. Writing it back moves the
 * tail and makes room.
 *
 * A checkpoint that is being written holds the tail, too, from its first record
 * on: another one, which began before it, may be complete and written back
 * before it is.
 */
#include "libxlog/log/log_priv.h"

enum {
	MAX_STUCK = 100,	/* items that could not be pushed, in one step */
	MAX_QUEUED = 1024,
	MAX_FAILURES = 3,
	FREE_SHARE = 4,		/* a quarter of the log is to be free */
};

#define TRACE_AIL(event, item, ...)					\
	TRACE(event, trace_str(log_item_type(item)), log_item_id(item),	\
	      __VA_ARGS__)

int ail_init(struct log *log)
{
	struct ail *ail = &log->ail;
	int rc;

	list_init(&ail->items);
	list_init(&ail->starts);
	ail->head_lsn = log->config.head;
	ail->tail_lsn = log->config.tail ? log->config.tail : log->config.head;
	atomic_init(&ail->is_recovering, log->config.tail != 0);
	grant_take(log, log_distance(log, ail->tail_lsn, ail->head_lsn));
	rc = xmutex_init(&ail->lock);
	if (!rc)
		rc = xcond_init(&ail->wanted);
	return rc ? rc : xcond_init(&ail->emptied);
}

void ail_fini(struct log *log)
{
	xcond_fini(&log->ail.emptied);
	xcond_fini(&log->ail.wanted);
	xmutex_fini(&log->ail.lock);
}

static struct log_item *item_of(struct list *link)
{
	return container_of(link, struct log_item, ail_link);
}

uint64_t log_distance(const struct log *log, xfs_lsn_t from, xfs_lsn_t to)
{
	uint64_t bb = xfs_lsn_block(to);

	assert(to >= from);
	if (xfs_lsn_cycle(to) != xfs_lsn_cycle(from))
		bb += log->form.log_size_bb;
	return (bb - xfs_lsn_block(from)) * BB_SIZE;
}

/* --- the tail --- */

static xfs_lsn_t lesser(xfs_lsn_t a, xfs_lsn_t b)
{
	return a < b ? a : b;
}

/*
 * The first of the checkpoints under way. With LOG_DIRECT they are not started
 * in sequence: an earlier one may have its place and only be about to hold the
 * tail there. That place is behind the last one that is complete.
 */
static xfs_lsn_t first_start_locked(struct log *log, const struct list *start)
	REQUIRES(log->ail.lock)
{
	xfs_lsn_t lsn = container_of(start, const struct checkpoint,
				     start_link)->start_lsn;

	return log->config.flags & LOG_DIRECT ?
	       lesser(lsn, log->ail.head_lsn) : lsn;
}

/*
 * The bytes that it moves by are free again, before the lock is: who finds the
 * AIL empty finds the space, too.
 */
static void move_tail_locked(struct log *log) REQUIRES(log->ail.lock)
{
	struct ail *ail = &log->ail;
	struct list *item = list_first(&ail->items);
	struct list *start = list_first(&ail->starts);
	xfs_lsn_t tail = ail->head_lsn, old = ail->tail_lsn;

	if (start)
		tail = first_start_locked(log, start);
	if (item)
		tail = lesser(tail, item_of(item)->lsn);
	if (tail == old)
		return;
	TRACE(xfs_log_assign_tail_lsn, old, tail, ail->head_lsn);
	ail->tail_lsn = tail;
	grant_give_back(log, log_distance(log, old, tail));
}

xfs_lsn_t ail_tail(struct log *log)
{
	xfs_lsn_t tail;

	xmutex_lock(&log->ail.lock);
	tail = log->ail.tail_lsn;
	xmutex_unlock(&log->ail.lock);
	return tail;
}

xfs_lsn_t log_tail_lsn(struct log *log)
{
	return ail_tail(log);
}

void ail_hold_tail(struct log *log, struct checkpoint *cp)
{
	struct ail *ail = &log->ail;
	struct list *pos;

	xmutex_lock(&log->ail.lock);
	for (pos = ail->starts.prev; pos != &ail->starts; pos = pos->prev)
		if (container_of(pos, struct checkpoint, start_link)->start_lsn
		    <= cp->start_lsn)
			break;
	list_insert_before(&cp->start_link, pos->next);
	xmutex_unlock(&log->ail.lock);
}

/* --- in and out --- */

static void insert_locked(struct ail *ail, struct log_item *item,
			  xfs_lsn_t lsn) REQUIRES(ail->lock)
{
	struct list *pos;

	if (atomic_load(&item->flags) & LOG_ITEM_IN_AIL) {
		/* only ever forward */
		if (lsn <= item->lsn)
			return;
		TRACE_AIL(xfs_ail_move, item, item->lsn, lsn);
		list_remove(&item->ail_link);
	} else {
		TRACE_AIL(xfs_ail_insert, item, 0, lsn);
		atomic_fetch_or(&item->flags, LOG_ITEM_IN_AIL);
		ail->nitems++;
	}
	item->lsn = lsn;
	item->failures = 0;
	for (pos = ail->items.prev; pos != &ail->items; pos = pos->prev)
		if (item_of(pos)->lsn <= lsn)
			break;
	list_insert_before(&item->ail_link, pos->next);
}

void ail_recovered(struct log *log)
{
	xmutex_lock(&log->ail.lock);
	if (atomic_exchange(&log->ail.is_recovering, false))
		move_tail_locked(log);
	xmutex_unlock(&log->ail.lock);
}

static bool is_released(const struct log_vec *vec)
{
	return vec->item->ops->flags & LOG_OPS_RELEASE_COMMITTED;
}

static void insert_vec(struct log *log, const struct log_vec *vec,
		       xfs_lsn_t start)
{
	const struct log_item_ops *ops = vec->item->ops;
	xfs_lsn_t lsn = start;

	if (ops->committed)
		lsn = ops->committed(vec->item, start);
	if (lsn == XFS_NULL_LSN)
		return;
	xmutex_lock(&log->ail.lock);
	insert_locked(&log->ail, vec->item, lsn);
	xmutex_unlock(&log->ail.lock);
}

void ail_insert_checkpoint(struct log *log, struct checkpoint *cp)
{
	struct ail *ail = &log->ail;

	/* @cp itself holds the tail until all of them are there */
	for (struct log_vec *vec = cp->chain; vec; vec = vec->next)
		if (vec->item && !is_released(vec))
			insert_vec(log, vec, cp->start_lsn);
	xmutex_lock(&log->ail.lock);
	list_remove(&cp->start_link);
	if (cp->commit_lsn > ail->head_lsn)
		ail->head_lsn = cp->commit_lsn;
	move_tail_locked(log);
	xmutex_unlock(&log->ail.lock);
	/* an item may be gone as soon as it is not pinned */
	for (struct log_vec *vec = cp->chain; vec; vec = vec->next) {
		if (!vec->item)
			continue;
		if (is_released(vec))
			vec->item->ops->release(vec->item, false);
		else
			vec->item->ops->unpin(vec->item, false);
	}
	ail_wake(log);
}

void ail_drop_checkpoint(struct log *log, struct checkpoint *cp)
{
	xmutex_lock(&log->ail.lock);
	list_remove(&cp->start_link);
	xmutex_unlock(&log->ail.lock);
}

void log_ail_insert(struct log *log, struct log_item *item, xfs_lsn_t lsn)
{
	xmutex_lock(&log->ail.lock);
	assert(lsn >= log->ail.tail_lsn);
	insert_locked(&log->ail, item, lsn);
	xmutex_unlock(&log->ail.lock);
}

void log_item_clean(struct log *log, struct log_item *item)
{
	struct ail *ail = &log->ail;

	xmutex_lock(&log->ail.lock);
	if (atomic_load(&item->flags) & LOG_ITEM_IN_AIL) {
		TRACE_AIL(xfs_ail_delete, item, item->lsn, 0);
		list_remove(&item->ail_link);
		atomic_fetch_and(&item->flags, ~(unsigned int)LOG_ITEM_IN_AIL);
		item->lsn = 0;
		ail->nitems--;
		if (!log_is_shutdown(log))
			move_tail_locked(log);
		if (!ail->nitems)
			xcond_wake_all(&ail->emptied);
	}
	xmutex_unlock(&log->ail.lock);
}

void log_item_failed(struct log *log, struct log_item *item)
{
	bool dead;

	xmutex_lock(&log->ail.lock);
	dead = ++item->failures >= MAX_FAILURES;
	xmutex_unlock(&log->ail.lock);
	if (dead)
		log_shutdown(log, LOG_SHUTDOWN_ERROR,
			     "metadata could not be written");
}

void log_item_put_back(struct log *log, struct log_item *item)
{
	(void)item;
	xmutex_lock(&log->ail.lock);
	log->ail.put_back++;
	xmutex_unlock(&log->ail.lock);
}

/* --- pushing --- */

static bool is_due_locked(struct ail *ail) REQUIRES(ail->lock)
{
	struct list *first = list_first(&ail->items);

	return first && item_of(first)->lsn <= ail->target;
}

/*
 * Less than a quarter of the log is free: push the first quarter of it. All, if
 * someone waits for space: what he needs may be more than that.
 */
static void set_target_locked(struct log *log) REQUIRES(log->ail.lock)
{
	struct ail *ail = &log->ail;
	struct list *first = list_first(&ail->items);
	xfs_lsn_t min, max, target;

	if (!first)
		return;
	min = item_of(first)->lsn;
	max = item_of(ail->items.prev)->lsn;
	if (grant_is_waited_for(log)) {
		ail->target = max;
		return;
	}
	if (log->size_bytes - log_distance(log, min, max) >=
	    log->size_bytes / FREE_SHARE)
		return;
	target = xlog_lsn_add(min, log->form.log_size_bb / FREE_SHARE,
			      log->form.log_size_bb);
	if (target > max)
		target = max;
	if (target > ail->target)
		ail->target = target;
}

bool log_item_is_behind(struct log *log, const struct log_item *item)
{
	bool behind;

	xmutex_lock(&log->ail.lock);
	set_target_locked(log);
	behind = atomic_load(&item->flags) & LOG_ITEM_IN_AIL &&
		 item->lsn < log->ail.target;
	xmutex_unlock(&log->ail.lock);
	return behind;
}

void ail_wake(struct log *log)
{
	xmutex_lock(&log->ail.lock);
	set_target_locked(log);
	if (is_due_locked(&log->ail))
		xcond_wake_one(&log->ail.wanted);
	xmutex_unlock(&log->ail.lock);
}

void ail_push_all(struct log *log)
{
	struct ail *ail = &log->ail;

	xmutex_lock(&log->ail.lock);
	if (!list_is_empty(&ail->items))
		ail->target = item_of(ail->items.prev)->lsn;
	xcond_wake_one(&ail->wanted);
	xmutex_unlock(&log->ail.lock);
}

static void trace_push(const struct log_item *item, enum log_push how)
{
	switch (how) {
	case LOG_PUSH_QUEUED:
		TRACE_AIL(xfs_ail_push, item, item->lsn);
		break;
	case LOG_PUSH_PINNED:
		TRACE_AIL(xfs_ail_pinned, item, item->lsn);
		break;
	case LOG_PUSH_LOCKED:
		TRACE_AIL(xfs_ail_locked, item, item->lsn);
		break;
	case LOG_PUSH_FLUSHING:
		TRACE_AIL(xfs_ail_flushing, item, item->lsn);
	}
}

struct pushed {
	struct list	queue;
	unsigned int	queued, stuck, pinned;
};

static void push_locked(struct log *log, struct pushed *p)
	REQUIRES(log->ail.lock)
{
	struct ail *ail = &log->ail;

	for (struct list *l = list_first(&ail->items); l;
	     l = list_next(l, &ail->items)) {
		struct log_item *item = item_of(l);
		enum log_push how = LOG_PUSH_PINNED;

		if (item->lsn > ail->target || p->stuck > MAX_STUCK ||
		    p->queued == MAX_QUEUED)
			return;
		if (item->ops->push)
			how = item->ops->push(item, &p->queue);
		trace_push(item, how);
		log_stat_add(log, LOG_STAT_PUSHED + how, 1);
		p->queued += how == LOG_PUSH_QUEUED;
		/* an intent is not stuck: what is behind it can go all the same */
		p->stuck += item->ops->push && (how == LOG_PUSH_PINNED ||
						how == LOG_PUSH_LOCKED);
		p->pinned += how == LOG_PUSH_PINNED;
	}
}

enum ail_progress ail_push_step(struct log *log)
{
	struct pushed p = { .queued = 0 };
	bool forced = false;
	uint64_t before, put_back = 0;

	list_init(&p.queue);
	if (log_is_shutdown(log))
		return AIL_IDLE;
	xmutex_lock(&log->ail.lock);
	set_target_locked(log);
	push_locked(log, &p);
	before = log->ail.put_back;
	xmutex_unlock(&log->ail.lock);
	if (p.queued) {
		log->config.write_back(log->config.write_back_ctx, &p.queue);
		xmutex_lock(&log->ail.lock);
		put_back = log->ail.put_back - before;
		xmutex_unlock(&log->ail.lock);
	}
	/* what is pinned is waiting for the log; the rest of it is in the CIL */
	if (p.pinned || (!p.queued && grant_is_waited_for(log)))
		forced = log_push_pinned(log);
	log_stat_add(log, LOG_STAT_PUSHES, p.queued || p.pinned);
	log_stat_add(log, LOG_STAT_PUSH_FLUSHES, forced);
	if (p.queued > put_back)
		return AIL_PUSHED;
	return forced ? AIL_FORCED : AIL_IDLE;
}

void ail_abort(struct log *log)
{
	struct list *first;

	while ((first = list_first(&log->ail.items))) {
		list_remove(first);
		atomic_fetch_and(&item_of(first)->flags,
				 ~(unsigned int)LOG_ITEM_IN_AIL);
	}
}

int ail_wait_empty(struct log *log)
{
	struct ail *ail = &log->ail;
	bool empty;

	for (;;) {
		ail_push_all(log);
		xmutex_lock(&log->ail.lock);
		empty = list_is_empty(&ail->items);
		if (empty || log_is_shutdown(log))
			break;
		log_sleep(log, &ail->emptied, &log->ail.lock);
		xmutex_unlock(&log->ail.lock);
	}
	xmutex_unlock(&log->ail.lock);
	return empty ? 0 : -ESHUTDOWN;
}
