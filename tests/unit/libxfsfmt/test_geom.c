/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Conversions between units. The pairs of numbers are what "xfs_db -r -c
 * 'convert ...'" prints for the image the superblock is from: 4 groups of 8192
 * blocks of 4 KiB, 8 inodes a block.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/geom.h"
#include "tests/lib/fixture.h"

static uint8_t raw[512];

static struct xfs_sb load(const char *name)
{
	struct xfs_sb sb;

	fixture_load(name, raw, sizeof(raw));
	xfs_sb_decode(&sb, raw, sizeof(raw), XFS_BE);
	return sb;
}

static struct xfs_geom geom(const char *name)
{
	struct xfs_sb sb = load(name);
	struct xfs_geom g;

	cr_assert_null(xfs_sb_verify(&sb, raw, sizeof(raw)));
	xfs_geom_init(&g, &sb);
	return g;
}

static const char *v5 = "ag/v5.ag";
static const char *v4 = "ag/v4.ag";
static const char *rtgroups = "sb/rtgroups.sb";

Test(geom_init, takes_the_features_of_v5)
{
	struct xfs_geom g = geom(v5);

	cr_assert(g.v5 && g.log_v2 && g.attr2 && g.lazycount && g.projid32);
	cr_assert(g.ftype && g.sparse && g.bigtime);
	cr_assert(g.finobt && g.rmapbt && g.reflink && g.inobtcount);
	cr_assert(!g.nrext64 && !g.exchange && !g.parent && !g.metadir);
	cr_assert(!g.zoned && !g.ascii_ci);
	cr_assert_eq(g.dirblock_bytes, 4096);
	cr_assert_eq(g.sparse_blocks, 4);
	cr_assert_eq(g.rblocks, 0);
}

Test(geom_init, takes_the_features_of_v4)
{
	struct xfs_geom g = geom(v4);

	cr_assert(!g.v5 && !g.finobt && !g.rmapbt && !g.reflink && !g.sparse);
	cr_assert(!g.bigtime && !g.nrext64);
	cr_assert(g.log_v2 && g.attr2 && g.lazycount);
	cr_assert_eq(g.inodesize, 256);
	cr_assert_eq(g.inopblock, 16);
}

Test(geom_init, reads_the_second_feature_word_only_if_it_counts)
{
	struct xfs_sb sb = load(v4);
	struct xfs_geom g;

	sb.sb_versionnum &= (uint16_t)~XFS_SB_VERSION_MOREBITSBIT;
	xfs_geom_init(&g, &sb);
	cr_assert(!g.attr2 && !g.lazycount && !g.projid32);
}

Test(geom_init, takes_the_realtime_groups)
{
	struct xfs_geom g = geom(rtgroups);

	cr_assert(g.metadir && g.exchange && g.parent && g.nrext64);
	cr_assert_eq(g.rgcount, 4);
	cr_assert_eq(g.rgblocks, 8192);
	cr_assert_eq(g.rgblklog, 13);
	cr_assert_eq(g.rblocks, 32768);
}

/* xfs_admin -U leaves the old UUID in the blocks and sets the feature. */
Test(geom_init, uses_the_uuid_that_is_in_the_blocks)
{
	struct xfs_sb sb = load(v5);
	struct xfs_geom g;

	sb.sb_meta_uuid[0] = 0xaa;
	xfs_geom_init(&g, &sb);
	cr_assert_arr_eq(g.meta_uuid, sb.sb_uuid, 16);
	sb.sb_features_incompat |= XFS_SB_INCOMPAT_META_UUID;
	xfs_geom_init(&g, &sb);
	cr_assert_arr_eq(g.meta_uuid, sb.sb_meta_uuid, 16);
	/* version 4 has no such feature, whatever stands there */
	sb = load(v4);
	sb.sb_features_incompat = XFS_SB_INCOMPAT_META_UUID;
	xfs_geom_init(&g, &sb);
	cr_assert_arr_eq(g.meta_uuid, sb.sb_uuid, 16);
}

/* convert fsblock 16391 agno; agblock; daddr; 24583 (group 3) likewise */
Test(fsb, is_group_and_block_in_the_group)
{
	struct xfs_geom g = geom(v5);

	cr_assert_eq(xfs_fsb_agno(&g, 16391), 2);
	cr_assert_eq(xfs_fsb_agbno(&g, 16391), 7);
	cr_assert_eq(xfs_fsb_to_daddr(&g, 16391), 131128);
	cr_assert_eq(xfs_agb_to_daddr(&g, 2, 7), 131128);
	cr_assert_eq(xfs_daddr_agno(&g, 131128), 2);
	cr_assert_eq(xfs_daddr_agbno(&g, 131128), 7);
}

/* 6144 blocks a group: numbers have holes where 2^13 is not reached */
Test(fsb, has_holes_between_groups)
{
	struct xfs_geom g = geom(v4);

	cr_assert_eq(g.agblklog, 13);
	cr_assert_eq(xfs_fsb_to_daddr(&g, 8192), 6144 * 8);
	cr_assert(xfs_fsb_ok(&g, 6143, 1));
	cr_assert(!xfs_fsb_ok(&g, 6144, 1));
	cr_assert(!xfs_fsb_ok(&g, 8191, 1));
	cr_assert(xfs_fsb_ok(&g, 8192, 1));
}

Test(fsb_ok, knows_the_ends)
{
	struct xfs_geom g = geom(v5);

	cr_assert(xfs_fsb_ok(&g, 0, 8192));
	cr_assert(!xfs_fsb_ok(&g, 0, 8193));
	cr_assert(!xfs_fsb_ok(&g, 0, 0));
	cr_assert(xfs_fsb_ok(&g, 32767, 1));
	cr_assert(!xfs_fsb_ok(&g, 32767, 2));
	cr_assert(!xfs_fsb_ok(&g, 32768, 1));
	cr_assert(!xfs_fsb_ok(&g, UINT64_MAX, 1));
	cr_assert(!xfs_fsb_ok(&g, 1, UINT64_MAX));
	g.dblocks -= 100;	/* the last group is short */
	cr_assert(xfs_fsb_ok(&g, 32667, 1));
	cr_assert(!xfs_fsb_ok(&g, 32668, 1));
	cr_assert_eq(xfs_ag_blocks(&g, 3), 8092);
	cr_assert_eq(xfs_ag_blocks(&g, 4), 0);
	cr_assert_eq(xfs_ag_blocks(&g, UINT32_MAX), 0);
}

Test(daddr_agno, is_none_behind_the_filesystem)
{
	struct xfs_geom g = geom(v5);

	cr_assert_eq(xfs_daddr_agno(&g, 32768 * 8 - 1), 3);
	cr_assert_eq(xfs_daddr_agno(&g, 32768 * 8), UINT32_MAX);
	cr_assert_eq(xfs_daddr_agno(&g, UINT64_MAX), UINT32_MAX);
}

/* convert ino 159745 agno; agino; agblock; inoidx */
Test(ino, is_group_block_and_slot)
{
	struct xfs_geom g = geom(v5);

	cr_assert_eq(xfs_ino_agno(&g, 159745), 2);
	cr_assert_eq(xfs_ino_agino(&g, 159745), 28673);
	cr_assert_eq(xfs_ino_agbno(&g, 159745), 3584);
	cr_assert_eq(xfs_ino_slot(&g, 159745), 1);
	cr_assert_eq(xfs_ino_make(&g, 2, 28673), 159745);
}

Test(ino_ok, knows_the_ends)
{
	struct xfs_geom g = geom(v5);

	cr_assert(!xfs_geom_ino_ok(&g, 0));
	cr_assert(xfs_geom_ino_ok(&g, 128));
	cr_assert(xfs_geom_ino_ok(&g, 4 * 65536 - 1));
	cr_assert(!xfs_geom_ino_ok(&g, 4 * 65536));
	cr_assert(!xfs_geom_ino_ok(&g, UINT64_MAX));
}
