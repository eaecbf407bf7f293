/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the log of cells has in it, as text or as recovery makes use of it.
 */
#include "tests/lib/cells_priv.h"

enum { MAX_INTENTS = 4096 };

struct found {
	uint16_t	type;
	uint64_t	id;
	xfs_lsn_t	lsn;
	const struct defer_type *how;
	struct list	works;
};

struct reading {
	struct cells	*c;
	/* text */
	char		*text;
	size_t		room, used;
	uint64_t	ids[MAX_INTENTS];
	unsigned int	nids;
	/* recovery */
	struct found	*found[MAX_INTENTS];
	unsigned int	nfound;
};

static bool intent_of(const struct xlog_item *item, struct xfs_intent *in)
{
	struct xfs_log_region regions[DEFER_MAX_REGIONS] = { { NULL, 0 } };

	for (unsigned int i = 0; i < item->nregions && i < DEFER_MAX_REGIONS;
	     i++)
		regions[i] = (struct xfs_log_region){
			item->regions[i].data, item->regions[i].len_bytes };
	return xfs_logitem_intent(&(struct xfs_logitem_view){
		.regions = regions, .nregions = item->nregions,
		.order = XFS_HOST_ORDER }, in);
}

static void each_item(struct cells *c, const struct xlog_bounds *b, void *ctx,
		      void (*fn)(void *ctx, xfs_lsn_t lsn,
				 const struct xlog_item *item))
{
	struct xlog log = cells_reader(c);
	const struct xlog_trans *t;
	struct xlog_trans_iter *it;
	int rc;

	if (b->state != XLOG_DIRTY)
		return;
	cr_assert_eq(xlog_trans_open(&log, xlog_lsn_block(b->tail),
				     xlog_lsn_block(b->head), false, &it), 0);
	while ((rc = xlog_trans_next(it, &t)) == 1) {
		if (!t->committed)
			continue;
		for (size_t i = 0; i < t->nitems; i++) {
			cr_assert_eq(t->items[i].nregions,
				     t->items[i].declared);
			fn(ctx, t->start, &t->items[i]);
		}
		fn(ctx, t->start, NULL);
	}
	cr_assert_eq(rc, 0);
	xlog_trans_close(it);
}

static void find(struct cells *c, struct xlog_bounds *b)
{
	struct xlog log = cells_reader(c);

	cr_assert_eq(xlog_find(&log, 0, b), 0, "%s", c->said.text);
	cr_assert_neq(b->state, XLOG_CORRUPT, "%s", c->said.text);
	cr_assert_eq(b->refused[0], '\0', "%s", b->refused);
}

void cells_each_item(struct cells *c, void *ctx,
		     void (*fn)(void *ctx, xfs_lsn_t lsn,
				const struct xlog_item *item))
{
	struct xlog_bounds b;

	find(c, &b);
	each_item(c, &b, ctx, fn);
}

/* --- text --- */

static unsigned int number_of(struct reading *r, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < r->nids && r->ids[i] != id; i++)
		;
	if (i == r->nids)
		r->ids[r->nids++] = id;
	cr_assert_lt(r->nids, MAX_INTENTS);
	return i + 1;
}

static void print_item(void *ctx, xfs_lsn_t lsn, const struct xlog_item *item)
{
	struct reading *r = ctx;
	char *at = r->text + r->used;
	size_t room = r->room - r->used;
	struct xfs_intent in;
	int n;

	(void)lsn;
	if (!item)
		n = snprintf(at, room, "| ");
	else if (intent_of(item, &in))
		n = snprintf(at, room, "%c%u ", in.done ? 'D' : 'I',
			     number_of(r, in.id));
	else
		n = snprintf(at, room, "c%u ",
			     get_w32(item->regions[0].data + 4,
				     XFS_HOST_ORDER));
	cr_assert_lt((size_t)n, room);
	r->used += (size_t)n;
}

const char *cells_log(struct cells *c)
{
	static char text[CELLS_TEXT];
	static struct reading r;

	memset(&r, 0, sizeof(r));
	memset(text, 0, sizeof(text));
	r.c = c;
	r.text = text;
	r.room = sizeof(text);
	cells_each_item(c, &r, print_item);
	/* without the last bar */
	if (r.used)
		text[r.used - 3] = '\0';
	return text;
}

/* --- recovery --- */

static void remember(struct reading *r, xfs_lsn_t lsn,
		     const struct xlog_item *item,
		     const struct xfs_intent *in)
{
	struct found *f = calloc(1, sizeof(*f));

	cr_assert(f && r->nfound < MAX_INTENTS);
	f->type = in->type;
	f->id = in->id;
	f->lsn = lsn;
	list_init(&f->works);
	f->how = gifts_decode(r->c, item, &f->works);
	r->found[r->nfound++] = f;
}

static void found_free(struct found *f)
{
	struct list *first;

	while ((first = list_first(&f->works))) {
		list_remove(first);
		f->how->free_work(container_of(first, struct defer_work,
					       link));
	}
	free(f);
}

/* Of an intent before the tail there may be nothing. */
static void forget(struct reading *r, const struct xfs_intent *in)
{
	for (unsigned int i = 0; i < r->nfound; i++) {
		if (r->found[i]->type != in->type || r->found[i]->id != in->id)
			continue;
		found_free(r->found[i]);
		memmove(&r->found[i], &r->found[i + 1],
			(--r->nfound - i) * sizeof(r->found[0]));
		return;
	}
}

static void replay_item(void *ctx, xfs_lsn_t lsn,
			const struct xlog_item *item)
{
	struct reading *r = ctx;
	struct xfs_intent in;

	if (!item)
		return;
	if (!intent_of(item, &in))
		cell_replay(r->c, item);
	else if (in.done)
		forget(r, &in);
	else
		remember(r, lsn, item, &in);
}

/* What was replayed is on the device, before the log goes on. */
static void settle(struct cells *c)
{
	for (uint32_t i = 0; i < CELLS; i++)
		cr_assert_eq(cell_store(&c->cell[i]), 0);
	cr_assert_eq(dev_flush(c->fault), 0);
}

void cells_crash(struct cells *c, enum fault_crash how, uint64_t seed,
		 struct list *pending)
{
	static struct reading r;
	struct xlog_bounds b;

	memset(&r, 0, sizeof(r));
	r.c = c;
	cells_close_log(c);
	cr_assert_eq(c->works, 0, "%u works are lost", c->works);
	cr_assert_eq(fault_crash(c->fault, how, seed), 0);
	find(c, &b);
	cells_load(c);
	each_item(c, &b, &r, replay_item);
	settle(c);
	cells_open_log(c, &b);
	list_init(pending);
	for (unsigned int i = 0; i < r.nfound; i++) {
		struct found *f = r.found[i];
		struct defer_recovered *d;

		cr_assert_eq(defer_recovered(&c->fs, f->how, f->id, &f->works,
					     f->lsn, &d), 0);
		list_insert_last(&d->link, pending);
		found_free(f);
	}
}

static int recover(struct cells *c, struct list *pending,
		   struct list *captures)
{
	struct list *first;
	struct trans *t;
	int rc = 0;

	while (!rc && (first = list_first(pending))) {
		rc = trans_alloc(&c->fs, XFS_TR_ITRUNCATE, &t);
		if (rc)
			break;
		list_remove(first);
		rc = defer_finish_recovered(t, container_of(first,
						struct defer_recovered, link),
					    captures);
	}
	return rc ? rc : defer_captures_finish(&c->fs, captures);
}

int cells_recover(struct cells *c, struct list *pending)
{
	struct list captures, *first;
	int rc;

	list_init(&captures);
	c->fs.recovering = true;
	rc = recover(c, pending, &captures);
	c->fs.recovering = false;
	defer_captures_free(&captures);
	while ((first = list_first(pending)))
		defer_recovered_free(container_of(first,
					struct defer_recovered, link));
	return rc;
}
