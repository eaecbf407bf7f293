/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space of a group that is kept for its trees of owners, of reference counts
 * and of free inodes, so that these can grow as far as they ever could. Linux
 * takes it out of what there is to allocate while a filesystem is in use, and
 * nothing of that is on the disk; but which group has enough space for
 * something depends on it.
 */
#include "libxlog/meta/alloc_priv.h"
#include "libxlog/trans/trans_buf.h"

enum { CHUNK_INODES = 64, RMAP_SHARE = 100 };

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

/* Blocks of a tree of so many records, each as empty as may be. */
static uint32_t largest(const struct xfs_geom *g, enum xfs_btree_kind kind,
			uint64_t records)
{
	uint64_t leaf = xfs_btree_room(kind, g->v5, true, g->blocksize) / 2;
	uint64_t node = xfs_btree_room(kind, g->v5, false, g->blocksize) / 2;
	uint64_t level = ceil_div(records, leaf), all = level;

	while (level > 1) {
		level = ceil_div(level, node);
		all += level;
	}
	return (uint32_t)all;
}

static int count_block(struct btree_cur *cur, unsigned int level,
		       uint64_t block, struct buf *buf, void *ctx)
{
	(void)cur;
	(void)level;
	(void)block;
	(void)buf;
	++*(uint32_t *)ctx;
	return 0;
}

/* Blocks of the finobt, which not every AGI knows. */
static int count_fino(struct trans *t, struct perag *pag, uint32_t *count)
{
	const struct xfs_geom *g = &pag->group.fs->geom;
	struct btree_cur cur;
	struct buf *agibuf;
	int rc;

	*count = 0;
	if (!g->finobt)
		return 0;
	rc = ag_read_agi(t, pag, &agibuf);
	if (rc)
		return rc;
	if (g->inobtcount) {
		*count = ag_agi(agibuf).agi_fblocks;
	} else {
		btree_init_ag(&cur, t, &pag->group, XFS_BTREE_FINO, agibuf);
		rc = btree_each_block(&cur, count_block, count);
		btree_fini(&cur);
	}
	trans_brelse(t, agibuf);
	return rc;
}

int alloc_reserve_init(struct trans *t, struct perag *pag)
{
	const struct xfs_geom *g = &pag->group.fs->geom;
	uint64_t blocks = pag->blocks - pag->log_blocks;
	uint32_t fino, share = (uint32_t)(blocks / RMAP_SHARE);
	int rc;

	if (atomic_load(&pag->reserve_known))
		return 0;
	rc = count_fino(t, pag, &fino);
	if (rc)
		return rc;
	atomic_store(&pag->fino_blocks, fino);
	pag->reserve_meta = pag->reserve_rmap = 0;
	if (g->reflink)
		pag->reserve_meta += largest(g, XFS_BTREE_REFC, blocks);
	if (g->finobt)
		pag->reserve_meta += largest(g, XFS_BTREE_FINO,
					     blocks * g->inopblock /
					     CHUNK_INODES);
	if (g->rmapbt) {
		pag->reserve_rmap = largest(g, XFS_BTREE_RMAP, blocks);
		if (pag->reserve_rmap < share)
			pag->reserve_rmap = share;
	}
	atomic_store(&pag->reserve_known, true);
	return 0;
}

static uint32_t rest(uint32_t all, uint32_t used)
{
	return all > used ? all - used : 0;
}

uint32_t alloc_reserved(const struct perag *pag, const struct xfs_agf *agf,
			const struct alloc_args *want)
{
	uint32_t meta = agf->agf_refcount_blocks +
			atomic_load(&pag->fino_blocks);

	if (want->use_reserved)
		return 0;
	return rest(pag->reserve_rmap, agf->agf_rmap_blocks) +
	       (want->of_tree ? 0 : rest(pag->reserve_meta, meta));
}
