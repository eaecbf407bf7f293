/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Structures that Linux and mkfs.xfs wrote, decoded and encoded again: what
 * comes out are the bytes that went in. tests/fixtures/README.md says of which
 * images they are.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/inode.h"
#include "tests/lib/fixture.h"

enum { SECTOR = 512, HEADERS = 4 * SECTOR, BLOCK_MAX = 65536 };

static uint8_t raw[BLOCK_MAX], out[BLOCK_MAX];

/* Decode @s from @at, encode it again, compare all of it. */
#define SAME(s, at, variant)						\
	do {								\
		struct s host;						\
									\
		s##_decode(&host, at, s##_size, XFS_BE);		\
		memset(out, 0, s##_size);				\
		s##_encode(out, &host, variant, XFS_BE);		\
		cr_assert_arr_eq(out, at, s##_size, #s);		\
	} while (0)

Test(encode, makes_the_headers_of_a_group)
{
	fixture_load("ag/v5.ag", raw, HEADERS);
	SAME(xfs_sb, raw, XFS_SB_V5);
	SAME(xfs_agf, raw + SECTOR, XFS_AG_V5);
	SAME(xfs_agi, raw + 2 * SECTOR, XFS_AG_V5);
	SAME(xfs_agfl, raw + 3 * SECTOR, 0);
}

Test(encode, makes_superblocks_of_every_form)
{
	fixture_load("sb/v4rt.sb", raw, SECTOR);
	SAME(xfs_sb, raw, 0);
	fixture_load("sb/rtgroups.sb", raw, SECTOR);
	SAME(xfs_sb, raw, XFS_SB_V5 | XFS_SB_METADIR);
}

static size_t load_btree(const char *name, struct xfs_btree_short *head)
{
	fixture_load(name, raw, 512);
	xfs_btree_short_decode(head, raw, 512, XFS_BE);
	SAME(xfs_btree_short, raw, XFS_BTREE_V5);
	cr_assert_gt(head->bb_numrecs, 2);
	return XFS_BTREE_SHORT_CRC_BYTES;
}

Test(encode, makes_records_of_btrees)
{
	struct xfs_btree_short head;
	size_t at = load_btree("btree/bnobt_v5_leaf.block", &head);

	for (unsigned int i = 0; i < 3; i++)
		SAME(xfs_alloc_rec, raw + at + 8 * i, 0);
	at = load_btree("btree/rmapbt_leaf.block", &head);
	for (unsigned int i = 0; i < 3; i++)
		SAME(xfs_rmap_rec, raw + at + 24 * i, 0);
	at = load_btree("btree/rmapbt_leaf_unwritten.block", &head);
	for (unsigned int i = 0; i < 3; i++)
		SAME(xfs_rmap_rec, raw + at + 24 * i, 0);
}

/* Of the sparse form ir_freecount is one byte, and decoded as four. */
Test(encode, makes_records_of_inodes_in_both_forms)
{
	struct xfs_btree_short head;
	size_t at = load_btree("btree/inobt_v5_leaf.block", &head);
	const struct xfs_inobt_rec rec = {
		.ir_startino = 128, .ir_count = 64, .ir_freecount = 61,
		.ir_free = 0xfffffffffffffff8,
	};

	SAME(xfs_inobt_rec, raw + at, XFS_INOBT_SPARSE);
	memset(out, 0, xfs_inobt_rec_size);
	xfs_inobt_rec_encode(out, &rec, XFS_INOBT_SPARSE, XFS_BE);
	cr_assert_arr_eq(out, "\0\0\0\x80\0\0\x40\x3d", 8);
	xfs_inobt_rec_encode(out, &rec, 0, XFS_BE);
	cr_assert_arr_eq(out, "\0\0\0\x80\0\0\0\x3d", 8);
}

static void same_inode(const char *name)
{
	struct xfs_dinode di;

	fixture_load(name, raw, XFS_DINODE_V3_CORE_BYTES);
	xfs_dinode_decode(&di, raw, XFS_DINODE_V3_CORE_BYTES, XFS_BE);
	SAME(xfs_dinode, raw, xfs_dinode_variant(&di));
}

Test(encode, makes_inodes)
{
	same_inode("inode/v5_dir.inode");
	same_inode("inode/v5_nrext64.inode");
	same_inode("inode/v5_reflink.inode");
}
