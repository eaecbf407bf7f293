/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freeing space, and the space of the trees of a group: where their blocks come
 * from and go to.
 */
#include "libxlog/meta/alloc_priv.h"
#include "libxlog/meta/meta.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/counters.h"

int free_ag_extent(struct trans *t, struct perag *pag, struct buf *agfbuf,
		   xfs_agblock_t agbno, uint32_t len,
		   const struct rmap_owner *who, bool from_list)
{
	int rc = 0;

	/* what is wrong is found before anything is changed: else alloc_give's */
	if (t->fs->geom.rmapbt && who->owner != XFS_RMAP_OWN_NULL) {
		rc = alloc_check_used(t, pag, agfbuf, agbno, len);
		if (!rc)
			rc = rmap_free(t, pag, agfbuf, agbno, len, who);
	}
	if (!rc)
		rc = alloc_give(t, pag, agfbuf, agbno, len);
	if (!rc)
		rc = alloc_count_free(t, pag, agfbuf, len);
	if (!rc && !from_list)
		trans_mod_sb(t, TRANS_SB_FDBLOCKS, len);
	return rc;
}

int free_extent(struct trans *t, struct perag *pag, xfs_agblock_t agbno,
		uint32_t len, const struct rmap_owner *who, unsigned int flags)
{
	struct buf *agfbuf;
	int rc;

	if (!perag_has(pag, agbno, len))
		return perag_corrupt(pag, "extent.free",
				     "%u blocks from block %u are to be freed, and cannot be",
				     len, agbno);
	rc = alloc_fix_freelist_to_free(t, pag, &agfbuf);
	if (!rc)
		rc = free_ag_extent(t, pag, agfbuf, agbno, len, who, false);
	if (!rc)
		rc = busy_insert(t, pag->group.agno, agbno, len,
				 flags & FREE_SKIP_DISCARD ? BUSY_KEEP : 0);
	return rc;
}

/* --- blocks of trees --- */

static struct perag *group_of(const struct btree_cur *cur)
{
	return perag_of(cur->fs, cur->group->agno);
}

/* Trees that are changed while space is: others take blocks as files do. */
static bool is_fed_by_list(const struct btree_cur *cur)
{
	return cur->kind == XFS_BTREE_BNO || cur->kind == XFS_BTREE_CNT ||
	       cur->kind == XFS_BTREE_RMAP;
}

static struct rmap_owner tree_owner(const struct btree_cur *cur)
{
	return rmap_special(cur->kind == XFS_BTREE_REFC ? XFS_RMAP_OWN_REFC :
			    XFS_RMAP_OWN_INOBT);
}

static int tree_alloc(struct btree_cur *cur, uint64_t near, uint64_t *block)
{
	struct perag *pag = group_of(cur);
	struct alloc_args a = {
		.t = cur->t, .minlen = 1, .maxlen = 1,
		.owner = tree_owner(cur),
		.of_tree = cur->kind != XFS_BTREE_INO,
	};
	xfs_agblock_t agbno;
	int rc;

	*block = XFS_NULL_FSBLOCK;
	if (is_fed_by_list(cur)) {
		rc = alloc_get_freelist(cur->t, pag, cur->agbuf, true, &agbno);
		if (rc || agbno == XFS_NULL_AGBLOCK)
			return rc;
		*block = agbno;
		return busy_reuse(cur->t, pag->group.agno, agbno, 1);
	}
	if (cur->kind == XFS_BTREE_REFC)
		near = ag_first_root(&cur->fs->geom, XFS_BTREE_REFC);
	rc = alloc_near(&a, perag_fsb(pag, (xfs_agblock_t)near));
	if (rc || a.fsb == XFS_NULL_FSBLOCK)
		return rc;
	if (cur->kind == XFS_BTREE_FINO)
		atomic_fetch_add(&pag->fino_blocks, 1);
	*block = xfs_fsb_agbno(&cur->fs->geom, a.fsb);
	return 0;
}

static int tree_free(struct btree_cur *cur, uint64_t block)
{
	const struct rmap_owner who = tree_owner(cur);
	struct perag *pag = group_of(cur);
	xfs_agblock_t agbno = (xfs_agblock_t)block;
	int rc;

	if (cur->kind == XFS_BTREE_FINO && atomic_load(&pag->reserve_known))
		atomic_fetch_sub(&pag->fino_blocks, 1);
	if (!is_fed_by_list(cur))
		return free_extent_later(cur->t, perag_fsb(pag, agbno), 1,
					 &who, 0);
	rc = alloc_put_freelist(cur->t, pag, cur->agbuf, true, agbno);
	if (!rc)
		rc = busy_insert(cur->t, pag->group.agno, agbno, 1, BUSY_KEEP);
	return rc;
}

const struct btree_space_ops alloc_space_ops = {
	.alloc = tree_alloc,
	.free = tree_free,
};
