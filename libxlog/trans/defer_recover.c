/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents that recovery found in the log, and the chains that begin with them.
 * Each has its first step in a transaction of its own; what is left is put
 * aside, in the log already, until all have had theirs: so work that was
 * logged first is begun first, as it was when the log was written.
 */
#include <stdlib.h>

#include "libxlog/trans/counters.h"
#include "libxlog/trans/defer_priv.h"

/* What is left of one transaction, to be gone on with in another. */
struct capture {
	struct list	link;
	struct list	pending;	/* struct defer_pending */
	enum xfs_tr	tr;
	uint32_t	more_bytes, blocks;
	unsigned int	nheld;
	struct {
		const struct trans_item_ops *ops;
		void	*object;	/* with a reference, not locked */
	} held[];
};

static int no_memory(struct trans_fs *fs)
{
	return report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- what was found --- */

int defer_recovered(struct trans_fs *fs, const struct defer_type *type,
		    uint64_t id, struct list *works, xfs_lsn_t lsn,
		    struct defer_recovered **out)
{
	struct defer_recovered *r = calloc(1, sizeof(*r));

	assert(!list_is_empty(works));
	if (!r)
		return no_memory(fs);
	r->intent = intent_recovered(fs, type, works, id, lsn);
	if (!r->intent) {
		free(r);
		return -ENOMEM;
	}
	r->type = type;
	r->id = id;
	r->lsn = lsn;
	list_init(&r->link);
	list_init(&r->works);
	list_splice_last(works, &r->works);
	*out = r;
	return 0;
}

void defer_recovered_free(struct defer_recovered *r)
{
	if (!r)
		return;
	list_remove(&r->link);
	intent_drop(r->intent);
	defer_free_works(r->type, &r->works);
	free(r);
}

/* --- what is left --- */

/* The object of @l, an item of a transaction, if that is held. */
static void *held_object(struct list *l, const struct trans_item_ops **ops)
{
	struct log_item *item = container_of(l, struct log_item, trans_link);

	*ops = trans_item_ops_of(item);
	return (*ops)->held ? (*ops)->held(item) : NULL;
}

/* Takes @pending on success. */
static struct capture *capture_new(struct trans *t, struct list *pending)
{
	const struct trans_item_ops *ops;
	unsigned int nheld = 0;
	struct capture *c;
	void *object;

	for (struct list *l = list_first(&t->items); l;
	     l = list_next(l, &t->items))
		nheld += held_object(l, &ops) != NULL;
	c = calloc(1, sizeof(*c) + nheld * sizeof(c->held[0]));
	if (!c)
		return NULL;
	list_init(&c->link);
	list_init(&c->pending);
	list_splice_last(pending, &c->pending);
	c->tr = (enum xfs_tr)(t->res - t->fs->resv.tr);
	c->more_bytes = t->more_bytes;
	c->blocks = t->blocks - t->blocks_taken;
	for (struct list *l = list_first(&t->items); l;
	     l = list_next(l, &t->items)) {
		object = held_object(l, &ops);
		if (!object)
			continue;
		ops->keep(object);
		c->held[c->nheld].ops = ops;
		c->held[c->nheld++].object = object;
	}
	return c;
}

static void relock_all(struct capture *c)
{
	for (unsigned int i = 0; i < c->nheld; i++)
		c->held[i].ops->relock(c->held[i].object);
}

static void leave_all(struct capture *c)
{
	for (unsigned int i = 0; i < c->nheld; i++)
		c->held[i].ops->leave(c->held[i].object);
}

static void capture_free(struct capture *c)
{
	relock_all(c);
	leave_all(c);
	defer_pending_free_all(&c->pending);
	free(c);
}

/* --- the first step --- */

/*
 * Its first step is taken in @t, and what is left is in @pending, logged.
 */
static int begin(struct trans *t, struct defer_recovered *r,
		 struct list *pending)
{
	struct defer_pending *p = defer_pending_new(t->fs, r->type);
	struct list fresh;
	int rc;

	if (!p)
		return -ENOMEM;
	list_init(&fresh);
	list_splice_last(&r->works, &p->works);
	p->intent = r->intent;
	r->intent = NULL;
	list_insert_last(&p->link, pending);
	rc = defer_finish_one(t, p);
	if (!rc)
		rc = defer_log_intents(t, &fresh);
	/* not as in a chain: what is left comes before what is new */
	list_splice_last(&fresh, pending);
	return rc;
}

/* Takes @t. */
static int commit(struct trans *t, struct list *pending, struct list *captures)
{
	struct capture *c;
	int rc;

	if (!list_is_empty(pending)) {
		c = capture_new(t, pending);
		if (!c) {
			rc = no_memory(t->fs);
			trans_cancel(t);
			return rc;
		}
		/* if the log dies, too: the caller lets go of its locks first */
		list_insert_last(&c->link, captures);
	}
	return trans_commit(t, NULL);
}

int defer_finish_recovered(struct trans *t, struct defer_recovered *r,
			   struct list *captures)
{
	struct log *log = t->fs->log;
	struct list pending;
	int rc;

	list_init(&pending);
	rc = begin(t, r, &pending);
	if (rc)
		trans_cancel(t);
	else
		rc = commit(t, &pending, captures);
	if (rc) {
		defer_pending_free_all(&pending);
		log_shutdown(log, LOG_SHUTDOWN_ERROR,
			     "an intent found in the log could not be finished");
	}
	defer_recovered_free(r);
	return rc;
}

/* --- and on --- */

static int join_held(struct trans *t, struct capture *c)
{
	int rc = 0;

	relock_all(c);
	for (unsigned int i = 0; i < c->nheld && !rc; i++)
		rc = c->held[i].ops->rejoin(t, c->held[i].object);
	return rc;
}

/* Takes @c. */
static int capture_finish(struct trans_fs *fs, struct capture *c)
{
	struct trans *t;
	int rc = trans_alloc_more_blocks(fs, c->tr, c->more_bytes, c->blocks,
					 true, &t);

	if (rc == -ENOSPC)
		report(&fs->sink, rc, "space", XLOG_LSN_NONE,
		       "no space for %u blocks to finish what the log began",
		       c->blocks);
	if (rc) {
		capture_free(c);
		return rc;
	}
	rc = join_held(t, c);
	if (!rc)
		rc = defer_run(&t, &c->pending);
	if (rc)
		trans_cancel(t);
	else
		rc = trans_commit(t, NULL);
	/* whatever became of it, what is held is locked */
	leave_all(c);
	defer_pending_free_all(&c->pending);
	free(c);
	return rc;
}

int defer_captures_finish(struct trans_fs *fs, struct list *captures)
{
	struct list *first;
	int rc = 0;

	while (!rc && (first = list_first(captures))) {
		list_remove(first);
		rc = capture_finish(fs, container_of(first, struct capture,
						     link));
	}
	if (rc) {
		log_shutdown(fs->log, LOG_SHUTDOWN_ERROR,
			     "what an intent found in the log had led to could not be done");
		defer_captures_free(captures);
	}
	return rc;
}

void defer_captures_free(struct list *captures)
{
	struct list *first;

	while ((first = list_first(captures))) {
		list_remove(first);
		capture_free(container_of(first, struct capture, link));
	}
}
