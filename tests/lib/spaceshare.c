/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "tests/lib/spaceshare.h"

enum { FILES = SPACE_OWNERS, MAX_LEN = 24 };

static uint64_t file_ino(unsigned int i)
{
	return SPACELOAD_INO + i;
}

static struct space_owner *owner_at(struct space *s, xfs_fsblock_t fsb,
				    uint64_t ino)
{
	struct space_block *b = space_at(s, fsb);

	for (unsigned int i = 0; i < b->n; i++)
		if (b->own[i].owner == ino)
			return &b->own[i];
	return NULL;
}

/* A block that is in use by a file, or, if there are few, any. */
static xfs_fsblock_t some_block(struct spaceload *l)
{
	const struct xfs_geom *g = l->s->g;
	xfs_fsblock_t fsb = 0;

	for (unsigned int i = 0; i < 2000; i++) {
		xfs_agnumber_t agno = spaceload_below(l, g->agcount);

		fsb = (uint64_t)agno << g->agblklog |
		      spaceload_below(l, xfs_ag_blocks(g, agno));
		if (space_at(l->s, fsb)->n && !space_at(l->s, fsb)->cow)
			break;
	}
	return fsb;
}

/* How far one record of @ino goes on from @fsb. */
static uint32_t run_of(struct spaceload *l, xfs_fsblock_t fsb, uint64_t ino)
{
	const struct xfs_geom *g = l->s->g;
	uint32_t max = xfs_ag_blocks(g, xfs_fsb_agno(g, fsb)) -
		       xfs_fsb_agbno(g, fsb);
	const struct space_owner first = *owner_at(l->s, fsb, ino);
	uint32_t len = 1;

	for (; len < max && len < MAX_LEN; len++) {
		struct space_owner *o = owner_at(l->s, fsb + len, ino);

		if (!o || o->off != first.off + len ||
		    o->unwritten != first.unwritten)
			break;
	}
	return 1 + spaceload_below(l, len);
}

static struct xfs_bmbt_rec extent(xfs_fsblock_t fsb, uint32_t len,
				  const struct space_owner *o)
{
	return (struct xfs_bmbt_rec){
		.br_startoff = o->off, .br_startblock = fsb,
		.br_blockcount = len, .br_state = o->unwritten,
	};
}

/* --- operations --- */

static xfs_fsblock_t take_space(struct spaceload *l, struct trans *t,
				uint32_t *len)
{
	struct alloc_args a = {
		.t = t, .minlen = 1, .maxlen = 1 + spaceload_below(l, MAX_LEN),
		.owner = rmap_special(XFS_RMAP_OWN_NULL),
	};
	xfs_agnumber_t agno = spaceload_below(l, l->s->g->agcount);

	if (!spaceload_ok(l, alloc_start_ag(&a, ((uint64_t)agno <<
						 l->s->g->agblklog) |
					    spaceload_below(l, 1000))))
		return XFS_NULL_FSBLOCK;
	*len = a.len;
	return a.fsb;
}

static void new_extent(struct spaceload *l, struct trans *t)
{
	struct space_owner who = {
		.owner = file_ino(spaceload_below(l, FILES)),
		.off = l->next_off, .unwritten = spaceload_below(l, 2),
	};
	struct xfs_bmbt_rec ext;
	uint32_t len;
	xfs_fsblock_t fsb = take_space(l, t, &len);

	if (fsb == XFS_NULL_FSBLOCK)
		return;
	ext = extent(fsb, len, &who);
	must(rmap_map_later(t, who.owner, 0, spaceload_below(l, 2),
			    &ext) == 0);
	space_add(l->s, fsb, len, &who);
	l->next_off += spaceload_below(l, 2) ? len : 100;
}

static void share(struct spaceload *l, struct trans *t, xfs_fsblock_t fsb)
{
	struct space_block *b = space_at(l->s, fsb);
	struct space_owner who = {
		.owner = file_ino(spaceload_below(l, FILES)),
	};
	struct xfs_bmbt_rec ext;
	uint32_t len = run_of(l, fsb, b->own[0].owner);

	/* at the same offset often, so that records join */
	who.off = spaceload_below(l, 4) ? b->own[0].off + 1000000 :
		  l->next_off;
	for (uint32_t i = 0; i < len; i++)
		if (owner_at(l->s, fsb + i, who.owner))
			len = i;
	if (!len)
		return;
	l->next_off += len;
	ext = extent(fsb, len, &who);
	must(refcount_increase_later(t, fsb, len) == 0);
	must(rmap_map_later(t, who.owner, 0, true, &ext) == 0);
	space_add(l->s, fsb, len, &who);
}

static void unmap(struct spaceload *l, struct trans *t, xfs_fsblock_t fsb)
{
	struct space_block *b = space_at(l->s, fsb);
	struct space_owner who = b->own[spaceload_below(l, b->n)];
	uint32_t len = run_of(l, fsb, who.owner);
	struct xfs_bmbt_rec ext = extent(fsb, len, &who);

	must(rmap_unmap_later(t, who.owner, 0, true, &ext) == 0);
	must(refcount_decrease_later(t, fsb, len) == 0);
	space_remove(l->s, fsb, len, who.owner);
}

static void convert(struct spaceload *l, struct trans *t, xfs_fsblock_t fsb)
{
	struct space_block *b = space_at(l->s, fsb);
	struct space_owner who = b->own[spaceload_below(l, b->n)];
	uint32_t len = run_of(l, fsb, who.owner);
	struct xfs_bmbt_rec ext;

	who.unwritten = !who.unwritten;
	ext = extent(fsb, len, &who);
	for (uint32_t i = 0; i < len; i++)
		owner_at(l->s, fsb + i, who.owner)->unwritten = who.unwritten;
	must(rmap_convert_later(t, who.owner, 0, true, &ext) == 0);
}

void spaceshare_cow(struct spaceload *l, struct trans *t, xfs_fsblock_t fsb,
		    uint32_t len, bool on)
{
	const struct space_owner cow = { .owner = XFS_RMAP_OWN_COW };

	must((on ? refcount_alloc_cow_later : refcount_free_cow_later)
	     (t, fsb, len) == 0);
	if (on)
		space_add(l->s, fsb, len, &cow);
	else
		space_remove(l->s, fsb, len, cow.owner);
	for (uint32_t i = 0; i < len; i++)
		space_at(l->s, fsb + i)->cow = on;
}

static void cow_comes(struct spaceload *l, struct trans *t)
{
	uint32_t len;
	xfs_fsblock_t fsb = take_space(l, t, &len);

	if (fsb != XFS_NULL_FSBLOCK)
		spaceshare_cow(l, t, fsb, len, true);
}

/* Any part of what is set aside in a row. */
static bool cow_goes(struct spaceload *l, struct trans *t, xfs_fsblock_t fsb)
{
	const struct xfs_geom *g = l->s->g;
	uint32_t end = xfs_ag_blocks(g, xfs_fsb_agno(g, fsb)), len = 0;
	xfs_fsblock_t first = fsb - xfs_fsb_agbno(g, fsb);

	while (fsb < first + end && !space_at(l->s, fsb)->cow)
		fsb++;
	while (fsb + len < first + end && space_at(l->s, fsb + len)->cow)
		len++;
	if (!len)
		return false;
	len = 1 + spaceload_below(l, len);
	spaceshare_cow(l, t, fsb, len, false);
	must(free_extent_later(t, fsb, len, NULL, 0) == 0);
	return true;
}

/* --- loads --- */

static void step(struct spaceload *l, unsigned int kind)
{
	struct trans *t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	xfs_fsblock_t fsb = some_block(l);
	bool used = space_at(l->s, fsb)->n && !space_at(l->s, fsb)->cow;

	if (!t)
		return;
	if (kind == 0 || (!used && kind < 6))
		new_extent(l, t);
	else if (kind <= 3)
		share(l, t, fsb);
	else if (kind == 4)
		unmap(l, t, fsb);
	else if (kind == 5)
		convert(l, t, fsb);
	else if (kind == 6)
		cow_comes(l, t);
	else
		(void)cow_goes(l, t, fsb);
	if (l->stopped)
		trans_cancel(t);
	else if (spaceload_commit(l, t) && l->stepped)
		l->stepped(l);
}

void spaceshare_steps(struct spaceload *l, unsigned int steps)
{
	for (unsigned int i = 0; i < steps && !l->stopped; i++) {
		step(l, spaceload_below(l, 8));
		if (!spaceload_below(l, 50))
			(void)spaceload_ok(l, log_force(l->f->m->fs.log,
							true));
		if (i % 100 == 0 && !l->stopped)
			space_check(l->s);
	}
	if (!l->stopped)
		space_check(l->s);
}

void spaceshare_release_all(struct spaceload *l)
{
	const struct xfs_geom *g = l->s->g;

	for (xfs_agnumber_t agno = 0; agno < g->agcount; agno++) {
		xfs_fsblock_t first = (uint64_t)agno << g->agblklog;

		for (uint32_t i = 0; i < xfs_ag_blocks(g, agno); i++)
			while (space_at(l->s, first + i)->n) {
				struct trans *t = spaceload_trans(l,
							XFS_TR_ITRUNCATE);

				if (space_at(l->s, first + i)->cow)
					(void)cow_goes(l, t, first + i);
				else
					unmap(l, t, first + i);
				spaceload_commit(l, t);
			}
	}
	space_check(l->s);
}
