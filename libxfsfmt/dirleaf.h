/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The blocks of a large directory that hold no names: leaves with the hashes
 * of names and where they are, and free space blocks with the longest unused
 * space of each data block. A directory with one leaf ("leaf1") keeps that
 * list at the end of the leaf.
 *
 * Source of the layouts: Linux fs/xfs/libxfs/xfs_da_format.h.
 */
#ifndef LIBXFSFMT_DIRLEAF_H
#define LIBXFSFMT_DIRLEAF_H

#include "libxfsfmt/da.h"
#include "libxfsfmt/dirblock.h"

#define XFS_DIR2_FREE_MAGIC	0x58443246u	/* "XD2F" */
#define XFS_DIR3_FREE_MAGIC	0x58444633u	/* "XDF3" */

/* No data block there. */
#define XFS_DIR_NULL_BEST	0xffffu

#define XFS_DIR2_LEAF_HDR_ROWS(X)					\
	XFS_DA_INFO_ROWS(X)						\
	X##_F(be16, count,	12,	UINT)				\
	X##_F(be16, stale,	14,	UINT)
XFS_DECLARE(xfs_dir2_leaf_hdr, XFS_DIR2_LEAF_HDR_ROWS, 16);

#define XFS_DIR3_LEAF_HDR_ROWS(X)					\
	XFS_DA3_INFO_ROWS(X)						\
	X##_F(be16, count,	56,	UINT)				\
	X##_F(be16, stale,	58,	UINT)				\
	X##_F(be32, pad2,	60,	PAD)
XFS_DECLARE(xfs_dir3_leaf_hdr, XFS_DIR3_LEAF_HDR_ROWS, 64);

/* Last in a leaf1 block, behind its 16-bit best lengths. */
#define XFS_DIR_LEAF_TAIL_ROWS(X)					\
	X##_F(be32, bestcount,	0,	UINT)
XFS_DECLARE(xfs_dir_leaf_tail, XFS_DIR_LEAF_TAIL_ROWS, 4);

#define XFS_DIR2_FREE_HDR_ROWS(X)					\
	XFS_DIR2_BLK_HDR_ROWS(X)					\
	X##_F(be32, firstdb,	4,	UINT)				\
	X##_F(be32, nvalid,	8,	UINT)				\
	X##_F(be32, nused,	12,	UINT)
XFS_DECLARE(xfs_dir2_free_hdr, XFS_DIR2_FREE_HDR_ROWS, 16);

#define XFS_DIR3_FREE_HDR_ROWS(X)					\
	XFS_DIR3_BLK_HDR_ROWS(X)					\
	X##_F(be32, firstdb,	48,	UINT)				\
	X##_F(be32, nvalid,	52,	UINT)				\
	X##_F(be32, nused,	56,	UINT)				\
	X##_F(be32, pad,	60,	PAD)
XFS_DECLARE(xfs_dir3_free_hdr, XFS_DIR3_FREE_HDR_ROWS, 64);

/*
 * NULL, or why the @len_bytes at @raw are no leaf (of either kind), or no
 * free space block. They do not look at checksum, place and owner.
 */
const char *xfs_dir_leaf_verify(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom);
const char *xfs_dir_free_verify(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom);

/* Show a leaf that is the only one; one of several; a free space block. */
void xfs_dir_leaf1_walk(const struct xfs_walk *w);
void xfs_dir_leafn_walk(const struct xfs_walk *w);
void xfs_dir_free_walk(const struct xfs_walk *w);

#endif
