/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "libxlog/trans/counters.h"
#include "tests/lib/spaceload.h"

struct spaceload *spaceload_new(const struct madefs_want *want, uint64_t seed)
{
	struct spaceload *l = calloc(1, sizeof(*l));

	must(l);
	l->f = madefs_new(want);
	l->s = space_new(l->f);
	l->rng = seed;
	return l;
}

void spaceload_free(struct spaceload *l)
{
	space_free(l->s);
	madefs_free(l->f);
	free(l);
}

uint32_t spaceload_below(struct spaceload *l, uint32_t limit)
{
	l->rng = l->rng * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(l->rng >> 33) % limit;
}

bool spaceload_ok(struct spaceload *l, int rc)
{
	must_say(!rc || (l->may_stop && rc != -EUCLEAN), "%d, %s", rc,
		 l->f->said);
	if (rc)
		l->stopped = true;
	return !rc;
}

struct trans *spaceload_trans(struct spaceload *l, enum xfs_tr tr)
{
	struct trans *t;

	return spaceload_ok(l, trans_alloc(&l->f->m->fs, tr, &t)) ? t : NULL;
}

bool spaceload_commit(struct spaceload *l, struct trans *t)
{
	return spaceload_ok(l, trans_commit(t, NULL));
}

/* --- any space --- */

static void own(struct spaceload *l, const struct spaceload_extent *e)
{
	const struct space_owner who = {
		.owner = e->who.owner, .off = e->who.offset,
		.attr = e->who.attr_fork, .bmbt = e->who.bmbt_block,
	};

	space_add(l->s, e->fsb, e->len, &who);
}

/* A file, its attributes, or the tree of one of them. */
static struct rmap_owner any_owner(struct spaceload *l)
{
	struct rmap_owner who = {
		.owner = SPACELOAD_INO + spaceload_below(l, 3),
		.attr_fork = !spaceload_below(l, 4),
		.bmbt_block = !spaceload_below(l, 8),
	};

	if (!who.bmbt_block)
		who.offset = l->next_off;
	return who;
}

static bool allocate_somehow(struct spaceload *l, struct alloc_args *a)
{
	const struct xfs_geom *g = l->s->g;
	xfs_agnumber_t agno = spaceload_below(l, g->agcount);
	xfs_fsblock_t target = (uint64_t)agno << g->agblklog |
			       spaceload_below(l, xfs_ag_blocks(g, agno));
	int rc;

	switch (spaceload_below(l, 4)) {
	case 0:
		rc = alloc_this_ag(a, agno);
		break;
	case 1:
		a->alignment = 0;
		rc = alloc_exact(a, target);
		must(a->fsb == target || a->fsb == XFS_NULL_FSBLOCK);
		break;
	case 2:
		rc = alloc_near(a, target);
		break;
	default:
		rc = alloc_start_ag(a, target);
	}
	return spaceload_ok(l, rc);
}

static void allocate(struct spaceload *l)
{
	struct spaceload_extent *e = &l->extents[l->n];
	struct alloc_args a = {
		.t = spaceload_trans(l, XFS_TR_ITRUNCATE), .minlen = 1,
		.maxlen = 1 + spaceload_below(l, 40), .owner = any_owner(l),
		.userdata = spaceload_below(l, 2),
	};

	must(l->n < SPACELOAD_EXTENTS);
	if (!a.t)
		return;
	if (!spaceload_below(l, 3))
		a.alignment = 1u << spaceload_below(l, 5);
	if (!spaceload_below(l, 4))
		a.minlen = 1 + spaceload_below(l, a.maxlen);
	if (!allocate_somehow(l, &a)) {
		trans_cancel(a.t);
		return;
	}
	(void)spaceload_commit(l, a.t);
	if (a.fsb == XFS_NULL_FSBLOCK)
		return;
	must(a.len >= a.minlen && a.len <= a.maxlen);
	must(xfs_fsb_agbno(l->s->g, a.fsb) % a.alignment == 0);
	*e = (struct spaceload_extent){ a.fsb, a.len, a.owner };
	own(l, e);
	l->n++;
	l->next_off += spaceload_below(l, 2) ? a.len : 1000;
}

/* What is left of @whole from its block @from on, up to @end. */
static void keep(struct spaceload *l, const struct spaceload_extent *whole,
		 uint32_t from, uint32_t end)
{
	struct spaceload_extent *e = &l->extents[l->n];

	if (from == end)
		return;
	must(l->n < SPACELOAD_EXTENTS);
	*e = *whole;
	e->fsb += from;
	e->len = end - from;
	if (!e->who.bmbt_block)
		e->who.offset += from;
	l->n++;
}

/* All of an extent, or a part, which may leave two. */
static void release(struct spaceload *l)
{
	unsigned int i = spaceload_below(l, l->n);
	struct spaceload_extent whole = l->extents[i];
	uint32_t skip = spaceload_below(l, 2) ? 0 :
			spaceload_below(l, whole.len);
	uint32_t len = whole.len - skip;
	struct trans *t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	struct rmap_owner who = whole.who;
	xfs_fsblock_t fsb = whole.fsb + skip;
	int rc;

	if (!t)
		return;
	if (spaceload_below(l, 2))
		len = 1 + spaceload_below(l, len);
	if (!who.bmbt_block)
		who.offset += skip;
	if (spaceload_below(l, 2))
		rc = free_extent_later(t, fsb, len, &who, 0);
	else
		rc = free_extent(t, perag_of(&l->f->m->fs,
					     xfs_fsb_agno(l->s->g, fsb)),
				 xfs_fsb_agbno(l->s->g, fsb), len, &who, 0);
	if (!spaceload_ok(l, rc)) {
		trans_cancel(t);
		return;
	}
	(void)spaceload_commit(l, t);
	space_remove(l->s, fsb, len, who.owner);
	l->extents[i] = l->extents[--l->n];
	keep(l, &whole, 0, skip);
	keep(l, &whole, skip + len, whole.len);
}

void spaceload_steps(struct spaceload *l, unsigned int steps)
{
	for (unsigned int i = 0; i < steps && !l->stopped; i++) {
		bool grow = i / 400 % 2 == 0;

		if (!l->n || spaceload_below(l, 10) < (grow ? 7u : 3u))
			allocate(l);
		else
			release(l);
		if (l->stepped && !l->stopped)
			l->stepped(l);
		/* what was freed is not busy any more */
		if (!spaceload_below(l, 50))
			(void)spaceload_ok(l, log_force(l->f->m->fs.log,
							true));
		if (i % 200 == 0 && !l->stopped)
			space_check(l->s);
	}
	if (!l->stopped)
		space_check(l->s);
}

void spaceload_release_all(struct spaceload *l)
{
	while (l->n && !l->stopped)
		release(l);
	space_check(l->s);
}

/* --- all of a group --- */

void spaceload_fill(struct spaceload *l, xfs_agnumber_t agno, uint32_t maxlen)
{
	for (;;) {
		/* whose it is, is told by another transaction */
		struct alloc_args a = {
			.t = spaceload_trans(l, XFS_TR_ITRUNCATE),
			.minlen = 1, .maxlen = maxlen,
			.owner = rmap_special(XFS_RMAP_OWN_NULL),
			.use_reserved = true,
		};
		struct space_owner who = { .owner = SPACELOAD_INO };

		must_say(alloc_this_ag(&a, agno) == 0, "%s", l->f->said);
		if (a.fsb == XFS_NULL_FSBLOCK) {
			must(!a.t->dirty);
			spaceload_commit(l, a.t);
			return;
		}
		/* each block at its own place in the file */
		who.off = a.fsb;
		must(rmap_map_later(a.t, SPACELOAD_INO, 0, false,
				    &(struct xfs_bmbt_rec){
			.br_startoff = a.fsb, .br_startblock = a.fsb,
			.br_blockcount = a.len,
		}) == 0);
		spaceload_commit(l, a.t);
		space_add(l->s, a.fsb, a.len, &who);
	}
}

static void free_block(struct spaceload *l, xfs_fsblock_t fsb)
{
	const struct rmap_owner who = {
		.owner = SPACELOAD_INO, .offset = fsb,
	};
	struct trans *t = spaceload_trans(l, XFS_TR_ITRUNCATE);

	must_say(free_extent(t, perag_of(&l->f->m->fs,
					 xfs_fsb_agno(l->s->g, fsb)),
			     xfs_fsb_agbno(l->s->g, fsb), 1, &who, 0) == 0,
		 "%s", l->f->said);
	spaceload_commit(l, t);
	space_remove(l->s, fsb, 1, SPACELOAD_INO);
}

void spaceload_comb(struct spaceload *l, xfs_agnumber_t agno)
{
	uint32_t blocks = xfs_ag_blocks(l->s->g, agno), left = 0;
	xfs_fsblock_t first = (uint64_t)agno << l->s->g->agblklog, *rest;

	for (uint32_t i = 0; i < blocks; i += 2)
		if (space_at(l->s, first + i)->n)
			free_block(l, first + i);
	space_check(l->s);
	rest = calloc(blocks, sizeof(*rest));
	must(rest);
	for (uint32_t i = 1; i < blocks; i += 2)
		if (space_at(l->s, first + i)->n)
			rest[left++] = first + i;
	while (left) {
		uint32_t i = spaceload_below(l, left);

		free_block(l, rest[i]);
		rest[i] = rest[--left];
		if (left % 4096 == 0)
			space_check(l->s);
	}
	free(rest);
}
