/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Busy extents; see busy.h. An extent belongs to its transaction and then to
 * its checkpoint, which end it; the tree of its group knows the pieces of it
 * that are still busy, of which there may be none left by then.
 */
#include <stdlib.h>

#include "libxlog/base/sync.h"
#include "libxlog/obs/trace.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/busy_tree.h"

struct busy_extent {
	struct log_busy	log;		/* in a transaction or a checkpoint */
	xfs_agnumber_t	agno;
	unsigned int	flags;		/* BUSY_* */
	bool		discarding;	/* (group lock) may not be reused */
	struct list	pieces;		/* (group lock) busy_piece.extent_link */
	struct busy_piece piece;	/* one of them, or none */
};

struct busy_group {
	struct xmutex	lock;
	struct busy_piece *root;	/* (lock) */
	bool		discards;	/* (lock) some are to be discarded */
	struct xcond	discarded;	/* pieces that were discarding are gone */
};

struct busy {
	struct xfs_geom	geom;
	struct dev	*discard;	/* or NULL */
	_Atomic bool	can_discard;	/* as far as is known */
	uint32_t	ngroups;
	struct busy_group groups[];
};

int busy_new(const struct xfs_geom *geom, struct dev *discard,
	     struct busy **out)
{
	struct busy *b = calloc(1, sizeof(*b) + geom->agcount *
					sizeof(b->groups[0]));
	int rc = b ? 0 : -ENOMEM;

	if (!b)
		return rc;
	b->geom = *geom;
	b->discard = discard;
	atomic_init(&b->can_discard, discard != NULL);
	while (!rc && b->ngroups < geom->agcount) {
		struct busy_group *g = &b->groups[b->ngroups];

		rc = xmutex_init(&g->lock);
		if (rc)
			break;
		rc = xcond_init(&g->discarded);
		if (rc)
			xmutex_fini(&g->lock);
		else
			b->ngroups++;
	}
	if (rc) {
		busy_free(b);
		return rc;
	}
	*out = b;
	return 0;
}

void busy_free(struct busy *b)
{
	if (!b)
		return;
	for (uint32_t i = 0; i < b->ngroups; i++) {
		assert(!b->groups[i].root);
		xcond_fini(&b->groups[i].discarded);
		xmutex_fini(&b->groups[i].lock);
	}
	free(b);
}

static struct busy_group *group_of(struct trans_fs *fs, xfs_agnumber_t agno)
{
	assert(agno < fs->busy->ngroups);
	return &fs->busy->groups[agno];
}

static struct busy_extent *extent_of(struct list *link)
{
	return container_of(link, struct busy_extent, log.link);
}

/* --- pieces --- */

static void add_piece(struct busy_group *g, struct busy_extent *e,
		      struct busy_piece *p, xfs_agblock_t first,
		      xfs_agblock_t end) REQUIRES(g->lock)
{
	p->first = first;
	p->end = end;
	p->extent = e;
	list_insert_last(&p->extent_link, &e->pieces);
	busy_tree_insert(&g->root, p);
}

static void drop_piece(struct busy_group *g, struct busy_piece *p)
	REQUIRES(g->lock)
{
	busy_tree_remove(&g->root, p);
	list_remove(&p->extent_link);
	if (p != &p->extent->piece)
		free(p);
}

/* The first piece with one of these blocks, or NULL. */
static struct busy_piece *overlap(struct busy_group *g, xfs_agblock_t first,
				  xfs_agblock_t end) REQUIRES(g->lock)
{
	struct busy_piece *p = busy_tree_find(g->root, first);

	return p && p->first < end ? p : NULL;
}

int busy_insert(struct trans *t, xfs_agnumber_t agno, xfs_agblock_t agbno,
		uint32_t len_fsb, unsigned int flags)
{
	struct busy_group *g = group_of(t->fs, agno);
	struct busy_extent *e = calloc(1, sizeof(*e));
	bool twice;

	if (!e)
		return report(&t->fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	list_init(&e->pieces);
	list_init(&e->piece.extent_link);
	e->agno = agno;
	e->flags = flags;
	xmutex_lock(&g->lock);
	twice = overlap(g, agbno, agbno + len_fsb);
	if (!twice)
		add_piece(g, e, &e->piece, agbno, agbno + len_fsb);
	xmutex_unlock(&g->lock);
	if (twice) {
		free(e);
		return report(&t->fs->sink, -EUCLEAN, "busy", XLOG_LSN_NONE,
			      "group %u: of %u blocks from %u some are freed twice",
			      agno, len_fsb, agbno);
	}
	list_insert_last(&e->log.link, &t->freed);
	TRACE(xfs_extent_busy, agno, agbno, len_fsb);
	return 0;
}

bool busy_search(struct trans_fs *fs, xfs_agnumber_t agno,
		 xfs_agblock_t agbno, uint32_t len_fsb)
{
	struct busy_group *g = group_of(fs, agno);
	bool found;

	xmutex_lock(&g->lock);
	found = overlap(g, agbno, agbno + len_fsb);
	xmutex_unlock(&g->lock);
	return found;
}

bool busy_trim(struct trans_fs *fs, xfs_agnumber_t agno, uint32_t want_fsb,
	       xfs_agblock_t *agbno, uint32_t *len_fsb)
{
	struct busy_group *g = group_of(fs, agno);
	xfs_agblock_t at = *agbno, end = at + *len_fsb;
	xfs_agblock_t best = at, next;
	uint32_t best_fsb = 0;
	bool cut;

	xmutex_lock(&g->lock);
	while (at < end && (!best_fsb || best_fsb < want_fsb)) {
		const struct busy_piece *p = overlap(g, at, end);

		next = p ? p->first : end;
		if (next > at && next - at > best_fsb) {
			best = at;
			best_fsb = next - at;
		}
		at = p ? p->end : end;
	}
	xmutex_unlock(&g->lock);
	cut = best_fsb < *len_fsb;
	if (cut)
		TRACE(xfs_extent_busy_trim, agno, *agbno, *len_fsb, best,
		      best_fsb);
	*agbno = best;
	*len_fsb = best_fsb;
	return cut;
}

/* --- reuse --- */

/*
 * These blocks are not in @p any more. What is left of it behind them goes into
 * *@spare, of which there is one.
 */
static void cut_piece(struct busy_group *g, struct busy_piece *p,
		      xfs_agblock_t first, xfs_agblock_t end,
		      struct busy_piece **spare) REQUIRES(g->lock)
{
	struct busy_extent *e = p->extent;
	xfs_agblock_t old_end = p->end;

	if (p->first >= first && p->end <= end) {
		drop_piece(g, p);
		return;
	}
	if (p->first >= first) {
		/* another place in the order of the tree */
		busy_tree_remove(&g->root, p);
		p->first = end;
		busy_tree_insert(&g->root, p);
		return;
	}
	p->end = first;
	if (old_end > end) {
		add_piece(g, e, *spare, end, old_end);
		*spare = NULL;
	}
}

int busy_reuse(struct trans *t, xfs_agnumber_t agno, xfs_agblock_t agbno,
	       uint32_t len_fsb)
{
	struct busy_group *g = group_of(t->fs, agno);
	struct busy_piece *spare = calloc(1, sizeof(*spare)), *p;

	if (!spare)
		return report(&t->fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	list_init(&spare->extent_link);
	xmutex_lock(&g->lock);
	while ((p = overlap(g, agbno, agbno + len_fsb))) {
		if (p->extent->discarding)
			xcond_wait(&g->discarded, &g->lock);
		else
			cut_piece(g, p, agbno, agbno + len_fsb, &spare);
	}
	xmutex_unlock(&g->lock);
	TRACE(xfs_extent_busy_reuse, agno, agbno, len_fsb);
	free(spare);
	return 0;
}

/* --- waiting --- */

/*
 * What frees the last of these blocks: 0: nothing has to. *@own: @t has freed
 * some of them, which nothing can free before it has committed.
 */
static uint64_t last_seq(struct busy_group *g, xfs_agblock_t first,
			 xfs_agblock_t end, bool *own)
{
	struct busy_piece *p;
	uint64_t last = 0, seq;

	*own = false;
	xmutex_lock(&g->lock);
	while ((p = overlap(g, first, end))) {
		seq = atomic_load(&p->extent->log.seq);
		*own |= !seq;
		if (seq > last)
			last = seq;
		first = p->end;
	}
	xmutex_unlock(&g->lock);
	return last;
}

int busy_flush(struct trans *t, xfs_agnumber_t agno, xfs_agblock_t agbno,
	       uint32_t len_fsb)
{
	struct busy_group *g = group_of(t->fs, agno);
	uint64_t seq;
	bool own;
	int rc;

	while ((seq = last_seq(g, agbno, agbno + len_fsb, &own))) {
		TRACE(xfs_extent_busy_force, agno, agbno, len_fsb);
		rc = log_force_seq(t->fs->log, seq, true);
		if (rc)
			return rc;
	}
	return own ? -EAGAIN : 0;
}

int busy_flush_group(struct trans *t, xfs_agnumber_t agno)
{
	return busy_flush(t, agno, 0, t->fs->geom.agblocks);
}

/* --- the end --- */

static void drop_all(struct busy_group *g, struct busy_extent *e)
{
	struct list *first;

	xmutex_lock(&g->lock);
	while ((first = list_first(&e->pieces))) {
		struct busy_piece *p = container_of(first, struct busy_piece,
						    extent_link);

		TRACE(xfs_extent_busy_clear, e->agno, p->first,
		      p->end - p->first);
		drop_piece(g, p);
	}
	if (e->discarding)
		xcond_wake_all(&g->discarded);
	xmutex_unlock(&g->lock);
}

static bool to_discard(const struct busy *b, const struct busy_extent *e)
{
	return atomic_load(&b->can_discard) && !(e->flags & BUSY_KEEP);
}

/* Nobody takes its pieces from now on: they stay what they are. */
static void hold_pieces(struct busy_group *g, struct busy_extent *e)
{
	xmutex_lock(&g->lock);
	e->discarding = true;
	g->discards = true;
	xmutex_unlock(&g->lock);
}

static bool take_discards(struct busy_group *g)
{
	bool discards;

	xmutex_lock(&g->lock);
	discards = g->discards;
	g->discards = false;
	xmutex_unlock(&g->lock);
	return discards;
}

/*
 * The blocks from @at on that are being discarded, neighbours in one: up to
 * *@end, or false if there are none.
 */
static bool next_run(struct busy_group *g, xfs_agblock_t *at,
		     xfs_agblock_t *end)
{
	const struct busy_piece *p;

	xmutex_lock(&g->lock);
	p = busy_tree_find(g->root, *at);
	while (p && !p->extent->discarding)
		p = busy_tree_find(g->root, p->end);
	if (p)
		*at = p->first;
	*end = *at;
	while (p && p->extent->discarding && p->first == *end) {
		*end = p->end;
		p = busy_tree_find(g->root, *end);
	}
	xmutex_unlock(&g->lock);
	return *end > *at;
}

static void discard_group(struct busy *b, xfs_agnumber_t agno)
{
	const struct xfs_geom *g = &b->geom;
	xfs_agblock_t at = 0, end;
	int rc;

	while (next_run(&b->groups[agno], &at, &end)) {
		rc = dev_discard(b->discard,
				 xfs_agb_to_daddr(g, agno, at) * BB_SIZE,
				 (uint64_t)(end - at) << g->blocklog);
		/* another error has been reported; free is what it is */
		if (rc == -EOPNOTSUPP)
			atomic_store(&b->can_discard, false);
		at = end;
	}
}

void busy_done(void *busy, struct list *extents, bool abort)
{
	struct busy *b = busy;
	struct list *first;

	for (struct list *l = list_first(extents); l && !abort;
	     l = list_next(l, extents))
		if (to_discard(b, extent_of(l)))
			hold_pieces(&b->groups[extent_of(l)->agno],
				    extent_of(l));
	for (struct list *l = list_first(extents); l && !abort;
	     l = list_next(l, extents))
		if (take_discards(&b->groups[extent_of(l)->agno]))
			discard_group(b, extent_of(l)->agno);
	while ((first = list_first(extents))) {
		struct busy_extent *e = extent_of(first);

		list_remove(first);
		drop_all(&b->groups[e->agno], e);
		free(e);
	}
}
