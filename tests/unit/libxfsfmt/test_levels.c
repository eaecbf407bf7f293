/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Heights of btrees. Those for a number of records are what
 *	xfs_db -c 'btheight -b BLOCKSIZE -n RECORDS -w min BTREE'
 * of xfsprogs 7.2 says. Those of whole filesystems follow from what "logres" of
 * that xfs_db prints: tr_growdata is 3 sectors and a path through the btrees of
 * space, tr_attrsetrt a sector and one through the extents of attributes.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/levels.h"

Test(levels_of, are_those_of_the_emptiest_btree)
{
	cr_expect_eq(xfs_levels_of(33554432, 252, 168), 4);	/* bnobt, 4k */
	cr_expect_eq(xfs_levels_of(4194304, 126, 252), 3);	/* inobt, 4k */
	cr_expect_eq(xfs_levels_of(1048576, 20, 11), 6);	/* rmapbt, 1k */
	cr_expect_eq(xfs_levels_of(16777215, 2728, 4092), 3);	/* refc, 64k */
	cr_expect_eq(xfs_levels_of(268435456, 31, 20), 7);	/* bnobt, 512 */
}

Test(levels_of, grow_with_the_first_record_too_many)
{
	cr_expect_eq(xfs_levels_of(0, 252, 168), 1);
	cr_expect_eq(xfs_levels_of(252, 252, 168), 1);
	cr_expect_eq(xfs_levels_of(253, 252, 168), 2);
	cr_expect_eq(xfs_levels_of(252 * 168, 252, 168), 2);
	cr_expect_eq(xfs_levels_of(252 * 168 + 1, 252, 168), 3);
	/* more than any filesystem has, and still an end */
	cr_expect_eq(xfs_levels_of(UINT64_MAX, 2, 2), 64);
}

/* Two levels take 3 blocks, three 3 + 2 * 45, four 2 * 45 * 45 more. */
Test(levels_in, stay_below_the_blocks_there_are)
{
	cr_expect_eq(xfs_levels_in(0, 45), 1);
	cr_expect_eq(xfs_levels_in(3, 45), 1);
	cr_expect_eq(xfs_levels_in(4, 45), 2);
	cr_expect_eq(xfs_levels_in(93, 45), 2);
	cr_expect_eq(xfs_levels_in(94, 45), 3);
	cr_expect_eq(xfs_levels_in(4143, 45), 3);
	cr_expect_eq(xfs_levels_in(4144, 45), 4);
	cr_expect_eq(xfs_levels_in(UINT32_MAX, 2), 31);
}

struct shape {
	uint8_t		blocklog, inodelog, agblklog;
	uint32_t	agblocks;
	bool		v4, rmapbt, reflink, nrext64;
	struct xfs_levels want;
};

static const struct shape shapes[] = {
	/* 1 GiB in four groups */
	{ 12, 9, 16, 65536, .reflink = true, .want = { 2, 2, 0, 3, 5, 3 } },
	{ 12, 9, 16, 65536, .rmapbt = true, .want = { 2, 2, 3, 0, 5, 3 } },
	{ 12, 9, 16, 65536, .rmapbt = true, .reflink = true, .nrext64 = true,
	  .want = { 2, 2, 4, 3, 7, 5 } },
	/* groups as large as they get */
	{ 12, 9, 28, 268435455, .rmapbt = true, .reflink = true,
	  .nrext64 = true, .want = { 4, 4, 6, 4, 7, 5 } },
	{ 15, 10, 25, 25165824, .rmapbt = true, .want = { 3, 3, 3, 0, 4, 2 } },
	{ 16, 11, 24, 16777215, .rmapbt = true, .reflink = true,
	  .nrext64 = true, .want = { 2, 3, 4, 3, 5, 3 } },
	{ 10, 9, 20, 1048576, .rmapbt = true, .nrext64 = true,
	  .want = { 4, 3, 6, 0, 10, 7 } },
	/* where one block, or one bit, makes a level more */
	{ 12, 9, 17, 84672, .want = { 2, 2, 0, 0, 5, 3 } },
	{ 12, 9, 17, 84673, .want = { 3, 2, 0, 0, 5, 3 } },
	{ 12, 9, 17, 131072, .want = { 3, 2, 0, 0, 5, 3 } },
	{ 12, 9, 18, 131073, .want = { 3, 3, 0, 0, 5, 3 } },
	{ 9, 8, 29, 536870912, .v4 = true, .want = { 7, 6, 0, 0, 8, 4 } },
};

Test(levels_init, agree_with_xfs_db)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];
		struct xfs_geom g = {
			.blocklog = s->blocklog, .inodelog = s->inodelog,
			.inopblog = (uint8_t)(s->blocklog - s->inodelog),
			.agblklog = s->agblklog, .agblocks = s->agblocks,
			.blocksize = 1u << s->blocklog, .v5 = !s->v4,
			.rmapbt = s->rmapbt, .reflink = s->reflink,
			.nrext64 = s->nrext64,
		};
		struct xfs_levels lv;

		xfs_levels_init(&lv, &g);
		cr_expect_eq(lv.alloc, s->want.alloc, "%zu: %u", i, lv.alloc);
		cr_expect_eq(lv.ino, s->want.ino, "%zu: %u", i, lv.ino);
		cr_expect_eq(lv.rmap, s->want.rmap, "%zu: %u", i, lv.rmap);
		cr_expect_eq(lv.refc, s->want.refc, "%zu: %u", i, lv.refc);
		cr_expect_eq(lv.bmap_data, s->want.bmap_data, "%zu: %u", i,
			     lv.bmap_data);
		cr_expect_eq(lv.bmap_attr, s->want.bmap_attr, "%zu: %u", i,
			     lv.bmap_attr);
	}
}
