/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transactions over the log engine: little more than a ticket and a list.
 */
#include <stdlib.h>

#include "libxlog/log/stats.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/defer.h"

#define TRACE_TRANS(event, t)						\
	TRACE(event, ticket_tid((t)->ticket),				\
	      trace_str(xfs_tr_names[(t)->res - (t)->fs->resv.tr]))

int trans_alloc(struct trans_fs *fs, enum xfs_tr tr, struct trans **out)
{
	return trans_alloc_more(fs, tr, 0, out);
}

int trans_alloc_more(struct trans_fs *fs, enum xfs_tr tr, uint32_t more_bytes,
		     struct trans **out)
{
	const struct xfs_trans_res *res = &fs->resv.tr[tr];
	struct trans *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	t->fs = fs;
	t->res = res;
	t->more_bytes = more_bytes;
	list_init(&t->items);
	list_init(&t->deferred);
	list_init(&t->freed);
	rc = ticket_reserve(fs->log, res->logres_bytes + more_bytes,
			    fs->recovering ? 1 : res->logcount,
			    res->permanent, &t->ticket);
	if (rc) {
		free(t);
		return rc;
	}
	if (!more_bytes)
		ticket_watch(t->ticket, &fs->peak_bytes[tr]);
	TRACE_TRANS(xfs_trans_alloc, t);
	*out = t;
	return 0;
}

void trans_join(struct trans *t, struct log_item *item)
{
	assert(list_is_empty(&item->trans_link));
	TRACE_ITEM(xfs_trans_add_item, item);
	list_insert_last(&item->trans_link, &t->items);
}

void trans_dirty(struct trans *t, struct log_item *item)
{
	assert(!list_is_empty(&item->trans_link));
	atomic_fetch_or(&item->flags, LOG_ITEM_DIRTY);
	t->dirty = true;
}

static void let_go(struct trans *t, bool abort)
{
	struct list *first;

	while ((first = list_first(&t->items))) {
		struct log_item *item = container_of(first, struct log_item,
						     trans_link);

		list_remove(first);
		atomic_fetch_and(&item->flags, ~(unsigned int)LOG_ITEM_DIRTY);
		item->ops->release(item, abort);
	}
}

/* What @t freed has not got into a checkpoint. */
static void forget_freed(struct trans *t)
{
	if (!list_is_empty(&t->freed))
		busy_done(t->fs->busy, &t->freed, true);
}

/* Commit what is dirty. Without @roll the ticket is gone. */
static int commit(struct trans *t, bool roll, uint64_t *seq)
{
	uint64_t ignored;
	int rc;

	if (!seq)
		seq = &ignored;
	*seq = 0;
	t->dirty = false;
	rc = log_commit(t->fs->log, &(struct log_commit){
		.ticket = t->ticket, .items = &t->items, .roll = roll,
		.busy = &t->freed,
	}, seq);
	forget_freed(t);
	return rc;
}

int trans_commit(struct trans *t, uint64_t *seq)
{
	int rc = 0;

	if (defer_is_pending(t))
		rc = defer_finish_noroll(&t);
	TRACE_TRANS(xfs_trans_commit, t);
	if (!rc)
		rc = counters_commit(t);
	if (rc) {
		trans_cancel(t);
		return rc;
	}
	if (t->dirty) {
		rc = commit(t, false, seq);
	} else {
		if (seq)
			*seq = 0;
		log_stat_add(t->fs->log, LOG_STAT_EMPTY, 1);
		let_go(t, false);
		ticket_release(t->fs->log, t->ticket);
	}
	counters_end(t, 0);
	free(t);
	return rc;
}

int trans_commit_sync(struct trans *t)
{
	struct log *log = t->fs->log;
	uint64_t seq;
	int rc = trans_commit(t, &seq);

	if (rc || !seq)
		return rc;
	log_stat_add(log, LOG_STAT_SYNC, 1);
	return log_force_seq(log, seq, true);
}

int trans_roll(struct trans **tp)
{
	struct trans *t = *tp;
	int rc;

	/* it would be in the log without what is still to be done for it */
	assert(!defer_is_pending(t));
	if (!t->res->permanent)
		return report(&t->fs->sink, -EINVAL, "trans.roll",
			      XLOG_LSN_NONE,
			      "a transaction that is none of a chain cannot go on");
	TRACE_TRANS(xfs_trans_roll, t);
	rc = counters_commit(t);
	if (rc)
		return rc;
	/* nothing changed: the space it has is still there */
	if (!t->dirty) {
		let_go(t, false);
		return 0;
	}
	rc = commit(t, true, NULL);
	counters_end(t, t->blocks - t->blocks_taken);
	return rc ? rc : ticket_regrant(t->fs->log, t->ticket);
}

/* --- what is held --- */

struct held {
	const struct trans_item_ops *ops;
	void		*object;
};

static size_t count_items(const struct trans *t)
{
	size_t n = 0;

	for (struct list *l = list_first(&t->items); l;
	     l = list_next(l, &t->items))
		n++;
	return n;
}

/* Those of its items that are held, logged again if @t logs anything. */
static size_t collect_held(struct trans *t, struct held *held)
{
	size_t n = 0;

	for (struct list *l = list_first(&t->items); l;
	     l = list_next(l, &t->items)) {
		struct log_item *item = container_of(l, struct log_item,
						     trans_link);
		const struct trans_item_ops *ops = trans_item_ops_of(item);

		if (!ops->held)
			continue;
		held[n].ops = ops;
		held[n].object = ops->held(item);
		if (!held[n].object)
			continue;
		n++;
		if (t->dirty)
			ops->relog(t, item);
	}
	return n;
}

int trans_roll_held(struct trans **tp)
{
	struct held *held = calloc(count_items(*tp) + 1, sizeof(*held));
	size_t n;
	int rc;

	if (!held)
		return report(&(*tp)->fs->sink, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory");
	n = collect_held(*tp, held);
	rc = trans_roll(tp);
	for (size_t i = 0; i < n && !rc; i++)
		rc = held[i].ops->rejoin(*tp, held[i].object);
	free(held);
	return rc;
}

void trans_cancel(struct trans *t)
{
	if (!t)
		return;
	TRACE_TRANS(xfs_trans_cancel, t);
	if (t->dirty)
		log_shutdown(t->fs->log, LOG_SHUTDOWN_ERROR,
			     "a transaction was cancelled after it had changed something");
	defer_cancel(t);
	forget_freed(t);
	let_go(t, t->dirty);
	ticket_release(t->fs->log, t->ticket);
	counters_end(t, 0);
	free(t);
}
