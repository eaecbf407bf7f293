/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of owners by deferred operations: RUI and RUD. Those of one intent
 * are made in one transaction, group by group: the free list is filled when
 * the first of a group is made.
 */
#include <stdlib.h>

#include "libxlog/meta/ag_work.h"
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/rmap_priv.h"

enum { MAX_EXTENTS = 16 };		/* in a RUI that we log */

struct rmap_work {
	struct ag_work	ag;		/* first */
	unsigned int	op;		/* XFS_RMAP_EXTENT_MAP, ... */
	struct xfs_rmap_rec rec;
};

static const struct rmap_work *rmap_work(const struct defer_work *w)
{
	return container_of(w, const struct rmap_work, ag.work);
}

/* --- in the log --- */

static unsigned int rui_regions(const struct list *works,
				uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	len_bytes[0] = xfs_rui_log_format_size +
		       list_length(works) * xfs_map_extent_size;
	return 1;
}

static uint32_t flags_of(const struct rmap_work *w)
{
	return w->op |
	       (w->rec.rm_attr_fork ? XFS_RMAP_EXTENT_ATTR_FORK : 0) |
	       (w->rec.rm_bmbt_block ? XFS_RMAP_EXTENT_BMBT_BLOCK : 0) |
	       (w->rec.rm_unwritten ? XFS_RMAP_EXTENT_UNWRITTEN : 0);
}

static void rui_encode(const struct list *works,
		       uint8_t *const regions[DEFER_MAX_REGIONS])
{
	const struct xfs_rui_log_format rui = {
		.rui_nextents = list_length(works),
	};
	uint8_t *at = regions[0] + xfs_rui_log_format_size;

	xfs_rui_log_format_encode(regions[0], &rui, 0, XFS_HOST_ORDER);
	for (const struct list *l = works->next; l != works; l = l->next) {
		const struct rmap_work *w = container_of(l, struct rmap_work,
							 ag.work.link);
		const struct xfs_map_extent me = {
			.me_owner = w->rec.rm_owner,
			.me_startblock = perag_fsb(w->ag.pag,
						   w->rec.rm_startblock),
			.me_startoff = w->rec.rm_offset,
			.me_len = w->rec.rm_blockcount,
			.me_flags = flags_of(w),
		};

		xfs_map_extent_encode(at, &me, 0, XFS_HOST_ORDER);
		at += xfs_map_extent_size;
	}
}

/* --- being done --- */

/* The tree of the group that is being worked at. */
struct rmap_state {
	struct perag	*pag;		/* NULL: none */
	struct btree_cur cur;
};

static int enter_group(struct trans *t, struct rmap_state *s,
		       struct perag *pag)
{
	struct buf *agfbuf;
	int rc;

	if (s->pag == pag)
		return 0;
	if (s->pag)
		btree_fini(&s->cur);
	s->pag = NULL;
	rc = alloc_fix_freelist_to_free(t, pag, &agfbuf);
	if (rc)
		return rc;
	btree_init_ag(&s->cur, t, &pag->group, XFS_BTREE_RMAP, agfbuf);
	s->pag = pag;
	return 0;
}

static int apply(struct btree_cur *cur, const struct rmap_work *w)
{
	switch (w->op) {
	case XFS_RMAP_EXTENT_MAP:
	case XFS_RMAP_EXTENT_ALLOC:
		return rmap_map(cur, &w->rec, false);
	case XFS_RMAP_EXTENT_MAP_SHARED:
		return rmap_map(cur, &w->rec, true);
	case XFS_RMAP_EXTENT_UNMAP:
	case XFS_RMAP_EXTENT_FREE:
		return rmap_unmap(cur, &w->rec, false);
	case XFS_RMAP_EXTENT_UNMAP_SHARED:
		return rmap_unmap(cur, &w->rec, true);
	case XFS_RMAP_EXTENT_CONVERT:
		return rmap_convert(cur, &w->rec, false);
	default:
		return rmap_convert(cur, &w->rec, true);
	}
}

static int finish(struct trans *t, struct defer_work *work,
		  struct defer_state *st)
{
	const struct rmap_work *w = rmap_work(work);
	struct rmap_state *s = st->own;
	int rc;

	if (!s) {
		s = st->own = calloc(1, sizeof(*s));
		if (!s)
			return report(&t->fs->sink, -ENOMEM, "memory",
				      XLOG_LSN_NONE, "out of memory");
	}
	rc = enter_group(t, s, w->ag.pag);
	return rc ? rc : apply(&s->cur, w);
}

static void cleanup(struct trans *t, struct defer_state *st, int rc)
{
	struct rmap_state *s = st->own;

	(void)t;
	(void)rc;
	if (s && s->pag)
		btree_fini(&s->cur);
	free(s);
	st->own = NULL;
}

const struct defer_type defer_rmap = {
	.name = "rmap",
	.intent_type = XFS_LI_RUI,
	.done_type = XFS_LI_RUD,
	.max_items = MAX_EXTENTS,
	.compare = ag_work_compare,
	.intent_regions = rui_regions,
	.intent_encode = rui_encode,
	.finish = finish,
	.cleanup = cleanup,
	.free_work = ag_work_free,
};

/* --- deferring it --- */

/* @rec.rm_startblock is ignored for @fsb. */
static int make_work(struct trans_fs *fs, unsigned int op, xfs_fsblock_t fsb,
		     const struct xfs_rmap_rec *rec, struct defer_work **out)
{
	struct ag_work *aw;
	struct rmap_work *w;
	int rc = ag_work_new(fs, sizeof(*w), fsb, rec->rm_blockcount,
			     "rmap.extent", "cannot belong to anyone", &aw);

	if (rc)
		return rc;
	w = container_of(aw, struct rmap_work, ag);
	w->op = op;
	w->rec = *rec;
	w->rec.rm_startblock = xfs_fsb_agbno(&fs->geom, fsb);
	*out = &aw->work;
	return 0;
}

static int later(struct trans *t, unsigned int op, xfs_fsblock_t fsb,
		 const struct xfs_rmap_rec *rec)
{
	struct defer_work *w;
	int rc;

	if (!t->fs->geom.rmapbt)
		return 0;
	rc = make_work(t->fs, op, fsb, rec, &w);
	return rc ? rc : defer_add(t, &defer_rmap, w);
}

static int of_file(struct trans *t, unsigned int op, xfs_ino_t ino,
		   int whichfork, const struct xfs_bmbt_rec *ext)
{
	const struct xfs_rmap_rec rec = {
		.rm_blockcount = (uint32_t)ext->br_blockcount,
		.rm_owner = ino, .rm_offset = ext->br_startoff,
		.rm_attr_fork = whichfork != 0,
		.rm_unwritten = ext->br_state,
	};

	return later(t, op, ext->br_startblock, &rec);
}

int rmap_map_later(struct trans *t, xfs_ino_t ino, int whichfork, bool shared,
		   const struct xfs_bmbt_rec *ext)
{
	return of_file(t, shared ? XFS_RMAP_EXTENT_MAP_SHARED :
		       XFS_RMAP_EXTENT_MAP, ino, whichfork, ext);
}

int rmap_unmap_later(struct trans *t, xfs_ino_t ino, int whichfork,
		     bool shared, const struct xfs_bmbt_rec *ext)
{
	return of_file(t, shared ? XFS_RMAP_EXTENT_UNMAP_SHARED :
		       XFS_RMAP_EXTENT_UNMAP, ino, whichfork, ext);
}

int rmap_convert_later(struct trans *t, xfs_ino_t ino, int whichfork,
		       bool shared, const struct xfs_bmbt_rec *ext)
{
	return of_file(t, shared ? XFS_RMAP_EXTENT_CONVERT_SHARED :
		       XFS_RMAP_EXTENT_CONVERT, ino, whichfork, ext);
}

int rmap_alloc_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len,
		     uint64_t own)
{
	return later(t, XFS_RMAP_EXTENT_ALLOC, fsb, &(struct xfs_rmap_rec){
		.rm_blockcount = len, .rm_owner = own,
	});
}

int rmap_free_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len,
		    uint64_t own)
{
	return later(t, XFS_RMAP_EXTENT_FREE, fsb, &(struct xfs_rmap_rec){
		.rm_blockcount = len, .rm_owner = own,
	});
}

int rmap_work_decode(struct trans_fs *fs, const struct xfs_map_extent *me,
		     struct defer_work **out)
{
	const struct xfs_rmap_rec rec = {
		.rm_blockcount = me->me_len,
		.rm_owner = me->me_owner, .rm_offset = me->me_startoff,
		.rm_attr_fork = !!(me->me_flags & XFS_RMAP_EXTENT_ATTR_FORK),
		.rm_bmbt_block = !!(me->me_flags & XFS_RMAP_EXTENT_BMBT_BLOCK),
		.rm_unwritten = !!(me->me_flags & XFS_RMAP_EXTENT_UNWRITTEN),
	};
	unsigned int op = me->me_flags & XFS_EXTENT_OP_MASK;
	bool file = me->me_owner < XFS_RMAP_OWN_COW;

	if (!fs->geom.rmapbt || op < XFS_RMAP_EXTENT_MAP ||
	    op > XFS_RMAP_EXTENT_FREE ||
	    me->me_flags & ~(XFS_EXTENT_OP_MASK | XFS_RMAP_EXTENT_ATTR_FORK |
			     XFS_RMAP_EXTENT_BMBT_BLOCK |
			     XFS_RMAP_EXTENT_UNWRITTEN))
		return report(&fs->sink, -EUCLEAN, "rui.flags", XLOG_LSN_NONE,
			      "a RUI with flags 0x%x", me->me_flags);
	if (file ? !xfs_geom_ino_ok(&fs->geom, me->me_owner) ||
		   me->me_startoff >> 54 :
		   me->me_owner >= XFS_RMAP_OWN_UNKNOWN)
		return report(&fs->sink, -EUCLEAN, "rui.owner", XLOG_LSN_NONE,
			      "a RUI for owner %llu at block %llu",
			      (unsigned long long)me->me_owner,
			      (unsigned long long)me->me_startoff);
	return make_work(fs, op, me->me_startblock, &rec, out);
}
