/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * B+trees of every kind under random loads, held against a model after each
 * operation and block by block in between; in all sizes of blocks, of both
 * versions.
 */
#include <criterion/criterion.h>

#include "tests/lib/treelab.h"

enum { OPS = 100000, FEW = 4000 };

static struct treelab_opts opts(enum xfs_btree_kind kind, uint32_t keys)
{
	return (struct treelab_opts){
		.kind = kind, .block_bytes = 1024, .v5 = true, .sparse = true,
		.keys = keys, .seed = 42,
	};
}

static void many(enum xfs_btree_kind kind)
{
	struct treelab_opts o = opts(kind, 20000);
	struct treelab *lab = treelab_new(&o);

	treelab_run(lab, OPS);
	cr_expect_geq(lab->peak_levels, 3);
	treelab_free(lab);
}

Test(btree, bnobt_is_what_its_model_is)
{
	many(XFS_BTREE_BNO);
}

Test(btree, cntbt_is_what_its_model_is)
{
	many(XFS_BTREE_CNT);
}

Test(btree, inobt_is_what_its_model_is)
{
	many(XFS_BTREE_INO);
}

Test(btree, finobt_is_what_its_model_is)
{
	many(XFS_BTREE_FINO);
}

Test(btree, rmapbt_is_what_its_model_is)
{
	many(XFS_BTREE_RMAP);
}

Test(btree, refcountbt_is_what_its_model_is)
{
	many(XFS_BTREE_REFC);
}

Test(btree, bmbt_is_what_its_model_is)
{
	many(XFS_BTREE_BMAP);
}

/* --- all shapes --- */

static void shape(struct treelab_opts *o)
{
	struct treelab *lab = treelab_new(o);

	treelab_run(lab, FEW);
	treelab_free(lab);
}

Test(btree, of_version_5_in_blocks_of_all_sizes)
{
	for (uint32_t bytes = 1024; bytes <= 65536; bytes *= 2)
		for (unsigned int k = 0; k <= XFS_BTREE_BMAP; k++) {
			struct treelab_opts o = opts((enum xfs_btree_kind)k,
						     3000);

			o.block_bytes = bytes;
			shape(&o);
		}
}

Test(btree, of_version_4_in_blocks_of_all_sizes)
{
	static const enum xfs_btree_kind kinds[] = {
		XFS_BTREE_BNO, XFS_BTREE_CNT, XFS_BTREE_INO, XFS_BTREE_BMAP,
	};

	for (uint32_t bytes = 512; bytes <= 65536; bytes *= 2)
		for (unsigned int k = 0; k < 4; k++) {
			struct treelab_opts o = opts(kinds[k], 3000);

			o.block_bytes = bytes;
			o.v5 = o.sparse = false;
			shape(&o);
		}
}

Test(btree, of_a_fork_in_inodes_of_all_sizes)
{
	for (uint32_t bytes = 256; bytes <= 2048; bytes *= 2)
		for (int fork = XFS_DATA_FORK; fork <= XFS_ATTR_FORK; fork++) {
			struct treelab_opts o = opts(XFS_BTREE_BMAP, 6000);

			o.inode_bytes = bytes;
			o.whichfork = fork;
			o.v5 = bytes > 256;
			o.block_bytes = bytes < 1024 ? 1024 : 2 * bytes;
			shape(&o);
		}
}

Test(btree, of_inodes_without_sparse_chunks)
{
	struct treelab_opts o = opts(XFS_BTREE_INO, 3000);

	o.sparse = false;
	shape(&o);
}

Test(btree, other_seeds)
{
	for (uint64_t seed = 1; seed <= 5; seed++)
		for (unsigned int k = 0; k <= XFS_BTREE_BMAP; k++) {
			struct treelab_opts o = opts((enum xfs_btree_kind)k,
						     1500);

			o.seed = seed;
			shape(&o);
		}
}
