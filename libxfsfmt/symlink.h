/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Targets of symbolic links that do not fit in the inode. Version 5 puts a
 * header in front of each block; version 4 blocks are the target alone, and
 * nothing in them says so.
 *
 * Source of the layout: Linux fs/xfs/libxfs/xfs_format.h (xfs_dsymlink_hdr).
 */
#ifndef LIBXFSFMT_SYMLINK_H
#define LIBXFSFMT_SYMLINK_H

#include "libxfsfmt/walk.h"

#define XFS_SYMLINK_MAGIC	0x58534c4du	/* "XSLM" */

enum { XFS_SYMLINK_MAX_BYTES = 1024 };		/* of a target */

#define XFS_SYMLINK_HDR_ROWS(X)						\
	X##_F(be32, sl_magic,	0,	MAGIC)				\
	X##_F(be32, sl_offset,	4,	UINT)				\
	X##_F(be32, sl_bytes,	8,	UINT)				\
	X##_F(le32, sl_crc,	12,	CRC)				\
	X##_A(16, sl_uuid,	16,	UUID)				\
	X##_F(be64, sl_owner,	32,	INO)				\
	X##_F(be64, sl_blkno,	40,	DADDR)				\
	X##_F(be64, sl_lsn,	48,	LSN)
XFS_DECLARE(xfs_symlink_hdr, XFS_SYMLINK_HDR_ROWS, 56);

/*
 * NULL, or why the @len_bytes at @raw are no block of a target. Does not look
 * at checksum, place and owner.
 */
const char *xfs_symlink_verify(const uint8_t *raw, size_t len_bytes,
			       const struct xfs_geom *geom);

/*
 * Show the header, where there is one, and the part of the target. That of a
 * block without a header is shown up to its first zero byte, which need not
 * be its end.
 */
void xfs_symlink_walk(const struct xfs_walk *w);

#endif
