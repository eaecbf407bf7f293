/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding free space near a block. If the extents that are long enough are all
 * in the last leaf of the tree by size, the nearest of them is it. Otherwise
 * three walks take turns: by block to the left and to the right of the target,
 * and by size, at each size the nearest. The first of the walks by block that
 * finds something ends the search, once the other side has been looked at as
 * far as it could be better.
 */
#include "libxlog/meta/alloc_priv.h"

/* A walk through one of the trees. */
struct walk {
	struct btree_cur cur;
	bool		active;		/* it stands at a record to look at */
	bool		forward;
};

struct near {
	struct alloc_search *s;
	struct walk	left, right, size;
	uint32_t	size_from;	/* where the walk by size goes on */
	uint32_t	distance;	/* of s->best from the target */
};

static uint32_t distance(xfs_agblock_t a, xfs_agblock_t b)
{
	return a > b ? a - b : b - a;
}

/* --- where in an extent --- */

static xfs_agblock_t aligned_from(xfs_agblock_t start, uint32_t align)
{
	return start + (align - start % align) % align;
}

static uint32_t part_len(xfs_agblock_t at, xfs_agblock_t end, uint32_t len)
{
	return len < end - at ? len : end - at;
}

/* The target lies inside: aligned right behind it or in front of it. */
static xfs_agblock_t around_target(const struct near *n, uint32_t len,
				   const struct xfs_alloc_rec *part)
{
	uint32_t align = n->s->want.alignment;
	xfs_agblock_t target = n->s->target, end = alloc_end(part);
	xfs_agblock_t above = aligned_from(target, align);
	xfs_agblock_t below = above - align;
	bool fits_above = above < end;
	bool fits_below = above >= align && below >= part->ar_startblock;
	uint32_t len_above, len_below;

	if (!fits_above || !fits_below)
		return fits_above ? above : fits_below ? below :
		       XFS_NULL_AGBLOCK;
	len_above = part_len(above, end, len);
	len_below = part_len(below, end, len);
	if (len_above != len_below)
		return len_above > len_below ? above : below;
	return distance(above, target) <= distance(below, target) ? above :
	       below;
}

/* The target lies behind: at the end, as far as alignment allows. */
static xfs_agblock_t at_the_end(const struct near *n, uint32_t len,
				const struct xfs_alloc_rec *part)
{
	uint32_t align = n->s->want.alignment;
	xfs_agblock_t last = alloc_end(part) - len;
	xfs_agblock_t at = aligned_from(last, align);

	if (at > last && at >= align && at - align >= part->ar_startblock)
		return at - align;
	return at < alloc_end(part) ? at : XFS_NULL_AGBLOCK;
}

/*
 * Where in the free blocks @part @len of them are best taken. Contents of
 * files begin where an extent in front of the target does, so that the file
 * can grow.
 */
static xfs_agblock_t place(const struct near *n, uint32_t len,
			   const struct xfs_alloc_rec *part)
{
	const struct alloc_args *want = &n->s->want;
	xfs_agblock_t target = n->s->target, end = alloc_end(part), at;

	if (part->ar_startblock >= target ||
	    (want->userdata && end < target + len)) {
		at = aligned_from(part->ar_startblock, want->alignment);
		return at < end ? at : XFS_NULL_AGBLOCK;
	}
	if (end >= target + len)
		return want->alignment > 1 ? around_target(n, len, part) :
		       target;
	return at_the_end(n, len, part);
}

/* --- one record --- */

/*
 * Look at the record of @w. *@better: it is the best so far. The walk ends
 * where what follows can only be worse.
 */
static int consider(struct near *n, struct walk *w, bool *better)
{
	struct alloc_search *s = n->s;
	const struct alloc_args *want = &s->want;
	bool by_block = w != &n->size, found;
	struct xfs_alloc_rec rec, part;
	xfs_agblock_t at;
	uint32_t len, far;
	int rc = alloc_get(&w->cur, &rec, &found);

	*better = false;
	if (rc)
		return rc;
	assert(found);
	if (rec.ar_blockcount < want->minlen) {
		w->active = by_block;
		return 0;
	}
	part = alloc_usable(s, &rec);
	if (part.ar_startblock < want->min_agbno ||
	    part.ar_startblock > want->max_agbno) {
		w->active = !by_block;
		return 0;
	}
	if (part.ar_blockcount < want->minlen)
		return 0;
	len = alloc_fit(want, part.ar_blockcount < want->maxlen ?
			part.ar_blockcount : want->maxlen);
	if (len < s->best.len)
		return 0;
	at = place(n, len, &part);
	if (at == XFS_NULL_AGBLOCK)
		return 0;
	far = distance(at, s->target);
	if (far > n->distance) {
		w->active = !by_block;
		return 0;
	}
	s->best = (struct alloc_choice){ .rec = rec, .start = at, .len = len };
	n->distance = far;
	*better = true;
	if (!far && len == want->maxlen)
		w->active = false;
	return 0;
}

static int step(struct walk *w)
{
	bool found;
	int rc = w->forward ? btree_next(&w->cur, &found) :
		 btree_prev(&w->cur, &found);

	if (!rc && !found)
		w->active = false;
	return rc;
}

/* One record of @w; *@better as above, and then the walk stands still. */
static int walk_one(struct near *n, struct walk *w, bool *better)
{
	int rc;

	*better = false;
	if (!w->active)
		return 0;
	rc = consider(n, w, better);
	return rc || *better || !w->active ? rc : step(w);
}

/* All records of @w, or, if @once, up to the first that is better. */
static int walk_all(struct near *n, struct walk *w, bool once)
{
	bool better = false;
	int rc = 0;

	while (!rc && w->active && !(once && better)) {
		rc = consider(n, w, &better);
		if (!rc && w->active && !(once && better))
			rc = step(w);
	}
	return rc;
}

/* --- the last leaf --- */

/*
 * All extents of that leaf from where the walk by size stands on; with an
 * alignment, shorter ones too.
 */
static int search_last_leaf(struct near *n)
{
	struct walk *w = &n->size;
	struct xfs_alloc_rec rec;
	bool found = true;
	int rc = 0;

	if (n->s->want.alignment > 1) {
		btree_leaf_first(&w->cur);
		rc = alloc_get(&w->cur, &rec, &found);
		while (!rc && found &&
		       rec.ar_blockcount < n->s->want.minlen) {
			rc = btree_next(&w->cur, &found);
			if (!rc && found)
				rc = alloc_get(&w->cur, &rec, &found);
		}
	}
	w->active = !rc && found;
	return rc ? rc : walk_all(n, w, false);
}

/* --- the three walks --- */

static int lookup(struct near *n, struct walk *w, enum btree_dir dir,
		  uint32_t len)
{
	return alloc_lookup(&w->cur, dir, n->s->target, len, &w->active);
}

/* The nearest extents of one size; then to a larger one. */
static int walk_size(struct near *n)
{
	struct walk *w = &n->size;
	uint32_t from = n->size_from;
	struct xfs_alloc_rec rec;
	bool found, better;
	int rc;

	if (!w->active)
		return 0;
	rc = lookup(n, w, BTREE_GE, from);
	if (rc || !w->active)
		return rc;
	rc = alloc_get(&w->cur, &rec, &found);
	if (!rc)
		rc = consider(n, w, &better);
	if (rc)
		return rc;
	n->size_from = rec.ar_blockcount;
	/* of the same size, there is one on the other side of the target */
	if (rec.ar_startblock > n->s->target) {
		rc = btree_prev(&w->cur, &found);
		if (!rc && found)
			rc = alloc_get(&w->cur, &rec, &found);
		if (!rc && found && rec.ar_blockcount == n->size_from)
			rc = consider(n, w, &better);
		if (rc)
			return rc;
	}
	/* each size once something is there to take or they are rare */
	if (!n->s->best.len || n->size_from >= 2 * from)
		n->size_from++;
	else
		n->size_from = 2 * from;
	return 0;
}

/* The longest extents, downwards: the first that will do. */
static int walk_down(struct near *n)
{
	struct walk *w = &n->size;
	int rc = btree_prev(&w->cur, &w->active);

	w->forward = false;
	return rc ? rc : walk_all(n, w, true);
}

static int search_all(struct near *n)
{
	struct alloc_search *s = n->s;
	bool better = false;
	int rc = lookup(n, &n->size, BTREE_GE, n->size_from);

	if (!rc)
		rc = lookup(n, &n->left, BTREE_LE, 0);
	if (!rc)
		rc = lookup(n, &n->right, BTREE_GE, 0);
	while (!rc && (n->left.active || n->right.active || n->size.active)) {
		rc = walk_one(n, &n->left, &better);
		if (rc || better)
			return rc ? rc : walk_all(n, &n->right, true);
		rc = walk_one(n, &n->right, &better);
		if (rc || better)
			return rc ? rc : walk_all(n, &n->left, true);
		rc = walk_size(n);
		if (!n->size.active)
			break;
	}
	/* busy extents may be what should be waited for */
	if (!rc && !n->size.active && !s->best.len && !s->busy)
		rc = walk_down(n);
	return rc;
}

/* --- all of it --- */

static int search_once(struct near *n)
{
	struct alloc_search *s = n->s;
	struct xfs_alloc_rec rec;
	bool enough, found;
	int rc;

	memset(&s->best, 0, sizeof(s->best));
	n->size_from = s->want.maxlen;
	n->distance = UINT32_MAX;
	n->size.forward = true;
	rc = alloc_lookup(&n->size.cur, BTREE_GE, 0, s->want.maxlen, &enough);
	if (rc)
		return rc;
	if (!enough)
		rc = alloc_settle_for_less(s, &n->size.cur, &rec, &found);
	else if (btree_in_last_leaf(&n->size.cur))
		rc = search_last_leaf(n);
	if (rc || (!enough && !found) || s->best.len)
		return rc;
	return search_all(n);
}

int alloc_search_near(struct alloc_search *s)
{
	struct trans *t = s->want.t;
	struct near n = { .s = s, .right.forward = true };
	unsigned int tries = 0;
	int rc;

	if (s->target < s->want.min_agbno)
		s->target = s->want.min_agbno;
	if (s->target > s->want.max_agbno)
		s->target = s->want.max_agbno;
	alloc_cur(&n.size.cur, t, s->pag, XFS_BTREE_CNT, s->agfbuf);
	alloc_cur(&n.left.cur, t, s->pag, XFS_BTREE_BNO, s->agfbuf);
	alloc_cur(&n.right.cur, t, s->pag, XFS_BTREE_BNO, s->agfbuf);
	do
		rc = search_once(&n);
	while (!rc && !s->best.len && alloc_wait_busy(s, &tries, &rc));
	btree_fini(&n.right.cur);
	btree_fini(&n.left.cur);
	btree_fini(&n.size.cur);
	return rc;
}
