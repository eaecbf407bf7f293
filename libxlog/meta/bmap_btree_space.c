/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocks of the extent trees of files: allocated close to their neighbours in
 * the tree, the first one close to the inode, and freed by deferred operations.
 * They count as blocks of the file.
 */
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/bmap_cur.h"

/*
 * Blocks that a split of the whole tree may still take: they should come from
 * the same group.
 */
static uint32_t split_blocks(const struct btree_cur *cur)
{
	return cur->nlevels > 1 ? cur->nlevels : 1;
}

static int alloc_block(struct btree_cur *cur, uint64_t near, uint64_t *block)
{
	const struct xfs_geom *g = &cur->fs->geom;
	struct inode *ip = cur->ip;
	struct alloc_args a = {
		.t = cur->t, .minlen = 1, .maxlen = 1, .prod = 1,
		.minleft = split_blocks(cur),
		.owner = rmap_bmbt(ip->ino, cur->whichfork),
	};
	int rc;

	*block = XFS_NULL_FSBLOCK;
	/* none were set aside: see bmap.h */
	if (!cur->t->blocks)
		return 0;
	if (near == XFS_NULL_FSBLOCK)
		near = (uint64_t)xfs_ino_agno(g, ip->ino) << g->agblklog |
		       xfs_ino_agbno(g, ip->ino);
	rc = alloc_start_ag(&a, near);
	if (!rc && a.fsb == XFS_NULL_FSBLOCK) {
		a.minleft = 0;
		rc = alloc_start_ag(&a, 0);
	}
	if (rc || a.fsb == XFS_NULL_FSBLOCK)
		return rc;
	ip->di.di_nblocks++;
	inode_log(cur->t, ip, XFS_ILOG_CORE);
	*block = a.fsb;
	return 0;
}

static int free_block(struct btree_cur *cur, uint64_t block)
{
	const struct rmap_owner who = rmap_bmbt(cur->ip->ino, cur->whichfork);
	int rc;

	if (!cur->ip->di.di_nblocks)
		return bmap_corrupt(cur->ip, cur->whichfork,
				    "more blocks than the inode counts");
	rc = free_extent_later(cur->t, block, 1, &who, 0);
	if (rc)
		return rc;
	cur->ip->di.di_nblocks--;
	inode_log(cur->t, cur->ip, XFS_ILOG_CORE);
	return 0;
}

const struct btree_space_ops bmap_space_ops = {
	.alloc = alloc_block,
	.free = free_block,
};
