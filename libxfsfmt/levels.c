/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Heights of btrees; see levels.h.
 */
#include "libxfsfmt/btree.h"
#include "libxfsfmt/levels.h"

/* What a file can have of extents. */
#define DATA_EXTENTS	(((uint64_t)1 << 31) - 1)
#define DATA_EXTENTS_64	(((uint64_t)1 << 48) - 1)
#define ATTR_EXTENTS	(((uint64_t)1 << 15) - 1)
#define ATTR_EXTENTS_64	(((uint64_t)1 << 32) - 1)
enum { INODES_PER_CHUNK = 64 };

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

uint8_t xfs_levels_of(uint64_t records, uint64_t leaf_min, uint64_t node_min)
{
	uint64_t blocks = ceil_div(records, leaf_min);
	uint8_t levels = 1;

	for (; blocks > 1; levels++)
		blocks = ceil_div(blocks, node_min);
	return levels;
}

uint8_t xfs_levels_in(uint64_t blocks, uint64_t node_min)
{
	/* the root of a tree of two levels has two children */
	uint64_t lowest = 2, used = 1 + lowest;
	uint8_t levels = 1;

	for (; used < blocks; levels++) {
		lowest *= node_min;
		used += lowest;
	}
	return levels;
}

/* Blocks of a btree are half full at least, but for the root. */
static uint64_t least(const struct xfs_geom *g, enum xfs_btree_kind kind,
		      bool leaf)
{
	return xfs_btree_room(kind, g->v5, leaf, g->blocksize) / 2;
}

static uint8_t of_records(const struct xfs_geom *g, enum xfs_btree_kind kind,
			  uint64_t records)
{
	return xfs_levels_of(records, least(g, kind, true),
			     least(g, kind, false));
}

void xfs_levels_init(struct xfs_levels *lv, const struct xfs_geom *g)
{
	uint64_t aginodes = (uint64_t)1 << (g->agblklog + g->inopblog);

	memset(lv, 0, sizeof(*lv));
	/* at worst, every other block is free */
	lv->alloc = of_records(g, XFS_BTREE_BNO,
			       ((uint64_t)g->agblocks + 1) / 2);
	lv->ino = of_records(g, XFS_BTREE_INO, aginodes / INODES_PER_CHUNK);
	/* where blocks are shared, each may have any number of owners */
	if (g->rmapbt && g->reflink)
		lv->rmap = xfs_levels_in(g->agblocks,
					 least(g, XFS_BTREE_RMAP, false));
	else if (g->rmapbt)
		lv->rmap = of_records(g, XFS_BTREE_RMAP, g->agblocks);
	if (g->reflink)
		lv->refc = of_records(g, XFS_BTREE_REFC, g->agblocks);
	/*
	 * That the root is in the inode, and smaller, makes no level more: it
	 * has room for two blocks, and below it every node has room for more.
	 */
	lv->bmap_data = of_records(g, XFS_BTREE_BMAP, g->nrext64 ?
				   DATA_EXTENTS_64 : DATA_EXTENTS);
	lv->bmap_attr = of_records(g, XFS_BTREE_BMAP, g->nrext64 ?
				   ATTR_EXTENTS_64 : ATTR_EXTENTS);
}
