/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of reference counts by deferred operations: CUI and CUD. A change of
 * many records takes more than one transaction.
 */
#include <stdlib.h>

#include "libxlog/meta/ag_work.h"
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/refcount_priv.h"
#include "libxlog/trans/trans_buf.h"

enum { MAX_EXTENTS = 16 };		/* in a CUI that we log */

struct refcount_work {
	struct ag_work	ag;		/* first */
	unsigned int	op;		/* XFS_REFCOUNT_INCREASE, ... */
	xfs_agblock_t	agbno;
	uint32_t	len;
};

static struct refcount_work *refcount_work(const struct defer_work *w)
{
	return container_of(w, struct refcount_work, ag.work);
}

/* --- in the log --- */

static unsigned int cui_regions(const struct list *works,
				uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	len_bytes[0] = xfs_cui_log_format_size +
		       list_length(works) * xfs_phys_extent_size;
	return 1;
}

static void cui_encode(const struct list *works,
		       uint8_t *const regions[DEFER_MAX_REGIONS])
{
	const struct xfs_cui_log_format cui = {
		.cui_nextents = list_length(works),
	};
	uint8_t *at = regions[0] + xfs_cui_log_format_size;

	xfs_cui_log_format_encode(regions[0], &cui, 0, XFS_HOST_ORDER);
	for (const struct list *l = works->next; l != works; l = l->next) {
		const struct refcount_work *w =
			container_of(l, struct refcount_work, ag.work.link);
		const struct xfs_phys_extent pe = {
			.pe_startblock = perag_fsb(w->ag.pag, w->agbno),
			.pe_len = w->len,
			.pe_flags = w->op,
		};

		xfs_phys_extent_encode(at, &pe, 0, XFS_HOST_ORDER);
		at += xfs_phys_extent_size;
	}
}

/* --- being done --- */

static int enter_group(struct trans *t, struct refcount_cur *rc,
		       struct perag *pag)
{
	struct buf *agfbuf;
	int error;

	if (rc->pag == pag)
		return 0;
	if (rc->pag)
		btree_fini(&rc->cur);
	rc->pag = NULL;
	error = ag_read_agf(t, pag, &agfbuf);
	if (error)
		return error;
	btree_init_ag(&rc->cur, t, &pag->group, XFS_BTREE_REFC, agfbuf);
	rc->pag = pag;
	return 0;
}

static int finish(struct trans *t, struct defer_work *work,
		  struct defer_state *st)
{
	struct refcount_work *w = refcount_work(work);
	struct refcount_cur *rc = st->own;
	int error;

	if (!rc) {
		rc = st->own = calloc(1, sizeof(*rc));
		if (!rc)
			return report(&t->fs->sink, -ENOMEM, "memory",
				      XLOG_LSN_NONE, "out of memory");
	}
	error = enter_group(t, rc, w->ag.pag);
	if (error)
		return error;
	if (w->op == XFS_REFCOUNT_ALLOC_COW || w->op == XFS_REFCOUNT_FREE_COW)
		return refcount_set_cow(rc, w->agbno, w->len,
					w->op == XFS_REFCOUNT_ALLOC_COW);
	error = refcount_adjust(rc, &w->agbno, &w->len,
				w->op == XFS_REFCOUNT_INCREASE);
	return error ? error : w->len ? -EAGAIN : 0;
}

static void cleanup(struct trans *t, struct defer_state *st, int error)
{
	struct refcount_cur *rc = st->own;

	(void)t;
	(void)error;
	if (rc && rc->pag)
		btree_fini(&rc->cur);
	free(rc);
	st->own = NULL;
}

const struct defer_type defer_refcount = {
	.name = "refcount",
	.intent_type = XFS_LI_CUI,
	.done_type = XFS_LI_CUD,
	.max_items = MAX_EXTENTS,
	.compare = ag_work_compare,
	.intent_regions = cui_regions,
	.intent_encode = cui_encode,
	.finish = finish,
	.cleanup = cleanup,
	.free_work = ag_work_free,
};

/* --- deferring it --- */

static int make_work(struct trans_fs *fs, unsigned int op, xfs_fsblock_t fsb,
		     uint32_t len, struct defer_work **out)
{
	struct ag_work *aw;
	struct refcount_work *w;
	int rc = ag_work_new(fs, sizeof(*w), fsb, len, "refcount.extent",
			     "cannot be shared", &aw);

	if (rc)
		return rc;
	w = container_of(aw, struct refcount_work, ag);
	w->op = op;
	w->agbno = xfs_fsb_agbno(&fs->geom, fsb);
	w->len = len;
	*out = &aw->work;
	return 0;
}

static int later(struct trans *t, unsigned int op, xfs_fsblock_t fsb,
		 uint32_t len)
{
	struct defer_work *w;
	int rc;

	if (!t->fs->geom.reflink)
		return 0;
	rc = make_work(t->fs, op, fsb, len, &w);
	return rc ? rc : defer_add(t, &defer_refcount, w);
}

int refcount_increase_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len)
{
	return later(t, XFS_REFCOUNT_INCREASE, fsb, len);
}

int refcount_decrease_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len)
{
	return later(t, XFS_REFCOUNT_DECREASE, fsb, len);
}

int refcount_alloc_cow_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len)
{
	int rc = later(t, XFS_REFCOUNT_ALLOC_COW, fsb, len);

	return rc || !t->fs->geom.reflink ? rc :
	       rmap_alloc_later(t, fsb, len, XFS_RMAP_OWN_COW);
}

int refcount_free_cow_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len)
{
	int rc = 0;

	if (t->fs->geom.reflink)
		rc = rmap_free_later(t, fsb, len, XFS_RMAP_OWN_COW);
	return rc ? rc : later(t, XFS_REFCOUNT_FREE_COW, fsb, len);
}

int refcount_work_decode(struct trans_fs *fs, const struct xfs_phys_extent *pe,
			 struct defer_work **out)
{
	unsigned int op = pe->pe_flags & XFS_EXTENT_OP_MASK;

	if (!fs->geom.reflink || op < XFS_REFCOUNT_INCREASE ||
	    op > XFS_REFCOUNT_FREE_COW ||
	    pe->pe_flags & ~(uint32_t)XFS_EXTENT_OP_MASK)
		return report(&fs->sink, -EUCLEAN, "cui.flags", XLOG_LSN_NONE,
			      "a CUI with flags 0x%x", pe->pe_flags);
	return make_work(fs, op, pe->pe_startblock, pe->pe_len, out);
}
