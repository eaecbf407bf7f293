/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chains of deferred work: see defer.h. What has been deferred waits in two
 * places: in its transaction while it has no intent yet, then in the list of
 * the chain, each with its intent in the log. Recovery of intents, where
 * chains begin in the log, is defer_recover.c.
 */
#include <stdlib.h>

#include "libxlog/trans/defer_priv.h"

#define TRACE_CHAIN(event, t, rc)					\
	TRACE(event, ticket_tid((t)->ticket),				\
	      trace_str(xfs_tr_names[(t)->res - (t)->fs->resv.tr]),	\
	      trace_int(rc))
#define TRACE_PENDING(event, p)						\
	TRACE(event, trace_str(xfs_li_name((p)->type->intent_type)),	\
	      (p)->intent ? log_item_id(intent_item((p)->intent)) : 0,	\
	      (p)->count)

int defer_add(struct trans *t, const struct defer_type *type,
	      struct defer_work *w)
{
	struct list *last = t->deferred.prev;
	struct defer_pending *p = NULL;

	assert(t->res->permanent && type->max_items);
	if (!list_is_empty(&t->deferred))
		p = container_of(last, struct defer_pending, link);
	if (!p || p->type != type || p->count >= type->max_items) {
		p = defer_pending_new(t->fs, type);
		if (!p) {
			type->free_work(w);
			return -ENOMEM;
		}
		list_insert_last(&p->link, &t->deferred);
	}
	list_insert_last(&w->link, &p->works);
	p->count++;
	TRACE(xfs_defer_add_item, trace_str(xfs_li_name(type->intent_type)),
	      p->count);
	return 0;
}

bool defer_is_pending(const struct trans *t)
{
	return !list_is_empty(&t->deferred);
}

/* --- what is pending --- */

static struct defer_pending *pending_of(struct list *link)
{
	return container_of(link, struct defer_pending, link);
}

struct defer_pending *defer_pending_new(struct trans_fs *fs,
					const struct defer_type *type)
{
	struct defer_pending *p = calloc(1, sizeof(*p));

	if (!p) {
		report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		       "out of memory");
		return NULL;
	}
	p->type = type;
	list_init(&p->works);
	return p;
}

void defer_free_works(const struct defer_type *type, struct list *works)
{
	struct list *first;

	while ((first = list_first(works))) {
		list_remove(first);
		type->free_work(container_of(first, struct defer_work, link));
	}
}

static void pending_free(struct defer_pending *p)
{
	intent_drop(p->intent);
	defer_free_works(p->type, &p->works);
	free(p);
}

void defer_pending_free_all(struct list *pending)
{
	struct list *first;

	while ((first = list_first(pending))) {
		list_remove(first);
		TRACE_PENDING(xfs_defer_pending_abort, pending_of(first));
		pending_free(pending_of(first));
	}
}

void defer_cancel(struct trans *t)
{
	defer_pending_free_all(&t->deferred);
}

/* --- intents --- */

/* By insertion, since there are few: equals stay in order. */
static void sort_works(struct defer_pending *p)
{
	struct list sorted, *first, *pos;

	if (!p->type->compare)
		return;
	list_init(&sorted);
	while ((first = list_first(&p->works))) {
		const struct defer_work *w =
			container_of(first, struct defer_work, link);

		list_remove(first);
		for (pos = sorted.prev; pos != &sorted; pos = pos->prev)
			if (p->type->compare(container_of(pos,
					struct defer_work, link), w) <= 0)
				break;
		list_insert_before(first, pos->next);
	}
	list_splice_last(&sorted, &p->works);
}

static bool order_is_broken(const struct trans *t)
{
	return t->fs->hooks.flags & DEFER_BREAK_ORDER;
}

static int log_intent(struct trans *t, struct defer_pending *p)
{
	p->intent = intent_new(t->fs, p->type, &p->works);
	if (!p->intent)
		return -ENOMEM;
	TRACE_PENDING(xfs_defer_create_intent, p);
	if (!order_is_broken(t))
		intent_log(t, p->intent);
	return 0;
}

int defer_log_intents(struct trans *t, struct list *pending)
{
	struct list *l;
	int rc = 0;

	for (l = list_first(&t->deferred); l && !rc;
	     l = list_next(l, &t->deferred)) {
		sort_works(pending_of(l));
		rc = log_intent(t, pending_of(l));
	}
	/* what is new comes before what is left */
	list_splice_last(pending, &t->deferred);
	list_splice_last(&t->deferred, pending);
	return rc;
}

/*
 * A chain may last long, and its intents stay where they were logged: those
 * that hold the tail back are done, and begin again further on.
 */
static int relog(struct trans **t, struct list *pending)
{
	for (struct list *l = list_first(pending); l;
	     l = list_next(l, pending)) {
		struct defer_pending *p = pending_of(l);
		struct intent *again;
		int rc;

		if (!intent_is_behind(p->intent))
			continue;
		TRACE_PENDING(xfs_defer_relog_intent, p);
		again = intent_again(p->intent);
		if (!again)
			return -ENOMEM;
		rc = intent_log_done(*t, p->intent);
		if (rc) {
			intent_drop(again);
			return rc;
		}
		intent_log(*t, again);
		p->intent = again;
	}
	return (*t)->dirty ? trans_roll_held(t) : 0;
}

/* --- doing it --- */

static int pass_point(struct trans *t)
{
	struct defer_hooks *hooks = &t->fs->hooks;
	struct log *log = t->fs->log;

	if (atomic_fetch_add(&hooks->points, 1) + 1 == hooks->stop_at) {
		log_shutdown(log, LOG_SHUTDOWN_FLUSH, NULL);
		return -ESHUTDOWN;
	}
	return hooks->flags & DEFER_FORCE ? log_force(log, true) : 0;
}

static int do_works(struct trans *t, struct defer_pending *p)
{
	struct defer_state st = { .own = NULL };
	struct list *first;
	int rc = 0;

	while (!rc && (first = list_first(&p->works))) {
		struct defer_work *w = container_of(first, struct defer_work,
						    link);

		rc = p->type->finish(t, w, &st);
		if (!rc) {
			list_remove(first);
			p->count--;
			p->type->free_work(w);
		}
	}
	if (p->type->cleanup)
		p->type->cleanup(t, &st, rc);
	return rc;
}

int defer_finish_one(struct trans *t, struct defer_pending *p)
{
	struct intent *done = p->intent;
	int rc = pass_point(t);

	TRACE_PENDING(xfs_defer_pending_finish, p);
	if (!rc)
		rc = intent_log_done(t, done);
	if (rc)
		return rc;
	p->intent = NULL;
	if (order_is_broken(t))
		intent_log(t, done);
	rc = do_works(t, p);
	if (rc == -EAGAIN)
		return log_intent(t, p);
	if (rc)
		return rc;
	list_remove(&p->link);
	pending_free(p);
	return 0;
}

static int run(struct trans **t, struct list *pending)
{
	int rc;

	while (defer_is_pending(*t) || !list_is_empty(pending)) {
		rc = defer_log_intents(*t, pending);
		if (!rc && (*t)->dirty)
			rc = trans_roll_held(t);
		if (!rc)
			rc = relog(t, pending);
		if (!rc)
			rc = defer_finish_one(*t,
					      pending_of(list_first(pending)));
		if (rc)
			return rc;
	}
	return 0;
}

int defer_run(struct trans **t, struct list *pending)
{
	int rc;

	TRACE_CHAIN(xfs_defer_finish, *t, 0);
	rc = run(t, pending);
	if (!rc) {
		TRACE_CHAIN(xfs_defer_finish_done, *t, 0);
		return 0;
	}
	TRACE_CHAIN(xfs_defer_finish_error, *t, rc);
	defer_pending_free_all(pending);
	/* a half of the chain may be in the log, and nothing goes on with it */
	log_shutdown((*t)->fs->log, LOG_SHUTDOWN_ERROR,
		     "what a transaction had deferred could not be done");
	return rc;
}

int defer_finish_noroll(struct trans **t)
{
	struct list pending;

	list_init(&pending);
	return defer_run(t, &pending);
}

int defer_finish(struct trans **t)
{
	int rc = defer_finish_noroll(t);

	if (!rc && (*t)->dirty)
		rc = trans_roll_held(t);
	return rc;
}
