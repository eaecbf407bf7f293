/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem that grew: the log holds the superblock with the new size, and
 * behind it items about groups that the superblock on disk may not know yet.
 * Only the size is taken over, and only if it is larger and fits the rest.
 */
#include "cmd/print.h"

static bool fits(const struct xfs_geom *geom, const struct xfs_sb *sb)
{
	uint64_t groups = (sb->sb_dblocks + geom->agblocks - 1) /
			  geom->agblocks;

	return sb->sb_magicnum == XFS_SB_MAGIC &&
	       sb->sb_blocksize == geom->blocksize &&
	       sb->sb_agblocks == geom->agblocks &&
	       sb->sb_dblocks > geom->dblocks &&
	       sb->sb_dblocks <= INT64_MAX / geom->blocksize &&
	       sb->sb_agcount == groups;
}

static void grow_by(struct print *pr, const struct xlog_item *item,
		    bool big_endian)
{
	struct print_item_view iv;
	struct xfs_buf_image image;
	struct xfs_sb sb;

	print_item_view(pr, item, big_endian, &iv);
	if (xfs_logitem_buf_image(&iv.v, pr->image, sizeof(pr->image),
				  &image) ||
	    image.blf.blf_blkno || !(image.chunks[0] & 1) ||
	    xfs_blf_content(image.blf.blf_flags) != XFS_BLFT_SB)
		return;
	xfs_sb_decode(&sb, pr->image, image.len_bytes, XFS_BE);
	if (!fits(&pr->geom, &sb))
		return;
	pr->geom.dblocks = sb.sb_dblocks;
	pr->geom.agcount = sb.sb_agcount;
}

void print_grow(struct print *pr, const struct xlog_item *items, size_t n,
		bool big_endian)
{
	enum xfs_order order = big_endian ? XFS_BE : XFS_LE;
	struct xfs_buf_log_format blf;

	for (size_t i = 0; i < n && pr->has_geom; i++) {
		if (items[i].type != XFS_LI_BUF || !items[i].nregions)
			continue;
		xfs_buf_log_format_decode(&blf, items[i].regions[0].data,
					  items[i].regions[0].len_bytes,
					  order);
		if (!blf.blf_blkno)
			grow_by(pr, &items[i], big_endian);
	}
}
