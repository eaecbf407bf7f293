/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Superblocks in the log that make the filesystem larger.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "cmd/print.h"

enum { SB_LOGGED_BYTES = 384 };		/* three chunks, as kernels log it */

static struct print pr;
static uint8_t blf[24], sb[SB_LOGGED_BYTES];
static struct xlog_region regions[2] = {
	{ blf, sizeof(blf) }, { sb, sizeof(sb) },
};
static struct xlog_item item = { XFS_LI_BUF, 2, 2, regions };

/* Four groups of 4096 blocks, and a superblock item that says eight. */
static void setup(void)
{
	struct xfs_sb old = {
		.sb_blocksize = 4096, .sb_dblocks = 16384, .sb_agblocks = 4096,
		.sb_agcount = 4, .sb_blocklog = 12, .sb_sectlog = 9,
		.sb_sectsize = 512, .sb_inodelog = 9, .sb_inodesize = 512,
		.sb_inopblog = 3, .sb_inopblock = 8, .sb_agblklog = 12,
		.sb_versionnum = 5,
	};

	xfs_geom_init(&pr.geom, &old);
	pr.has_geom = true;
	put_le16(blf, XFS_LI_BUF);
	put_le16(blf + 2, 2);
	put_le16(blf + 4, XFS_BLFT_SB << XFS_BLF_TYPE_SHIFT);
	put_le16(blf + 6, 1);
	put_le32(blf + 16, 1);
	put_le32(blf + 20, 7);
	put_be32(sb, XFS_SB_MAGIC);
	put_be32(sb + 4, 4096);
	put_be64(sb + 8, 32768);
	put_be32(sb + 84, 4096);
	put_be32(sb + 88, 8);
}

TestSuite(print_grow, .init = setup);

static void grow(void)
{
	print_grow(&pr, &item, 1, false);
}

Test(print_grow, takes_over_a_larger_size)
{
	grow();
	cr_expect_eq(pr.geom.dblocks, 32768);
	cr_expect_eq(pr.geom.agcount, 8);
}

Test(print_grow, a_last_group_may_be_smaller)
{
	put_be64(sb + 8, 28673);
	grow();
	cr_expect_eq(pr.geom.agcount, 8);
	cr_expect_eq(xfs_ag_blocks(&pr.geom, 7), 1);
}

Test(print_grow, never_shrinks)
{
	put_be64(sb + 8, 8192);
	put_be32(sb + 88, 2);
	grow();
	cr_expect_eq(pr.geom.agcount, 4);
}

Test(print_grow, believes_nothing_that_does_not_fit)
{
	put_be32(sb + 88, 9);		/* more groups than blocks for them */
	grow();
	put_be32(sb + 88, 8);
	put_be32(sb + 4, 1024);		/* another block size */
	grow();
	put_be32(sb + 4, 4096);
	put_be32(sb + 84, 0);		/* other groups */
	grow();
	put_be32(sb + 84, 4096);
	put_be64(sb + 8, UINT64_MAX);	/* a size that overflows */
	grow();
	put_be64(sb + 8, 32768);
	put_be32(sb, 0);		/* no superblock */
	grow();
	cr_expect_eq(pr.geom.dblocks, 16384);
	cr_expect_eq(pr.geom.agcount, 4);
}

Test(print_grow, passes_over_counters_logged_without_the_size)
{
	put_le32(blf + 20, 2);		/* only the second chunk is there */
	regions[1].len_bytes = 128;
	grow();
	cr_expect_eq(pr.geom.agcount, 4);
}

Test(print_grow, passes_over_other_blocks)
{
	put_le64(blf + 8, 8);
	grow();
	put_le64(blf + 8, 0);
	put_le16(blf + 4, XFS_BLFT_AGF << XFS_BLF_TYPE_SHIFT);
	grow();
	item.type = XFS_LI_INODE;
	grow();
	cr_expect_eq(pr.geom.agcount, 4);
}
