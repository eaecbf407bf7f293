/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocation: in which group, and what else changes when space is taken there.
 */
#include "libxlog/meta/alloc_priv.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/trans_buf.h"

/* --- one group --- */

typedef int search_fn(struct alloc_search *s);

static int take(struct alloc_search *s)
{
	const struct alloc_choice *c = &s->best;
	struct trans *t = s->want.t;
	int rc = alloc_take(t, s->pag, s->agfbuf, c);

	if (!rc && s->want.owner.owner != XFS_RMAP_OWN_NULL)
		rc = rmap_alloc(t, s->pag, s->agfbuf, c->start, c->len,
				&s->want.owner);
	return rc ? rc : alloc_count_free(t, s->pag, s->agfbuf,
					  -(int64_t)c->len);
}

/* *@ready false: this group has not enough space. */
static int alloc_in(struct alloc_args *a, struct perag *pag,
		    xfs_agblock_t target, search_fn *search, bool *ready)
{
	struct alloc_search s = {
		.want = *a, .pag = pag, .target = target,
	};
	int rc = alloc_fix_freelist(a->t, pag, &s.want, &s.agfbuf);

	*ready = s.agfbuf != NULL;
	if (rc || !s.agfbuf)
		return rc;
	rc = search(&s);
	if (rc || !s.best.len)
		return rc;
	rc = take(&s);
	if (rc)
		return rc;
	trans_mod_sb(a->t, TRANS_SB_FDBLOCKS, -(int64_t)s.best.len);
	if (pag->group.agno > a->t->lowest_agno)
		a->t->lowest_agno = pag->group.agno;
	a->fsb = perag_fsb(pag, s.best.start);
	a->len = s.best.len;
	return 0;
}

/* --- what is asked for --- */

/*
 * Make the numbers sensible. False: there cannot be such a thing. Groups below
 * one that the transaction has taken space from are out of bounds, since
 * someone else may lock them in ascending order.
 */
static bool prepare(struct alloc_args *a, xfs_agnumber_t agno,
		    xfs_agblock_t agbno)
{
	const struct xfs_geom *g = &a->t->fs->geom;

	a->fsb = XFS_NULL_FSBLOCK;
	a->len = 0;
	if (a->maxlen > g->agblocks)
		a->maxlen = g->agblocks;
	if (!a->alignment)
		a->alignment = 1;
	if (!a->prod)
		a->prod = 1;
	if (!a->min_agbno && !a->max_agbno)
		a->max_agbno = g->agblocks - 1;
	return agno < g->agcount && agbno < g->agblocks && a->minlen &&
	       a->minlen <= a->maxlen && a->mod < a->prod;
}

static int alloc_one(struct alloc_args *a, xfs_agnumber_t agno,
		     xfs_agblock_t agbno, search_fn *search)
{
	bool ready;

	if (!prepare(a, agno, agbno) || agno < a->t->lowest_agno)
		return 0;
	return alloc_in(a, perag_of(a->t->fs, agno), agbno, search, &ready);
}

int alloc_this_ag(struct alloc_args *a, xfs_agnumber_t agno)
{
	return alloc_one(a, agno, 0, alloc_search_size);
}

static int alloc_fsb(struct alloc_args *a, xfs_fsblock_t target,
		     search_fn *search)
{
	const struct xfs_geom *g = &a->t->fs->geom;

	return alloc_one(a, xfs_fsb_agno(g, target), xfs_fsb_agbno(g, target),
			 search);
}

int alloc_exact(struct alloc_args *a, xfs_fsblock_t target)
{
	return alloc_fsb(a, target, alloc_search_exact);
}

int alloc_near(struct alloc_args *a, xfs_fsblock_t target)
{
	return alloc_fsb(a, target, alloc_search_near);
}

int alloc_start_ag(struct alloc_args *a, xfs_fsblock_t target)
{
	const struct xfs_geom *g = &a->t->fs->geom;
	xfs_agnumber_t lowest = a->t->lowest_agno;
	xfs_agnumber_t start = xfs_fsb_agno(g, target);
	xfs_agblock_t agbno = xfs_fsb_agbno(g, target);
	bool ready = false;
	int rc = 0;

	if (!prepare(a, start, agbno))
		return 0;
	if (start < lowest)
		start = lowest;
	for (uint32_t i = 0; i < g->agcount - lowest && !rc && !ready; i++) {
		xfs_agnumber_t agno = start + i < g->agcount ? start + i :
				      lowest + (start + i - g->agcount);
		bool near = agno == start && agbno;

		rc = alloc_in(a, perag_of(a->t->fs, agno), agbno, near ?
			      alloc_search_near : alloc_search_size, &ready);
	}
	return rc;
}
