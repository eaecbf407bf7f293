/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Realtime metadata: the superblock of the realtime device, and the header
 * that bitmap and summary blocks have on filesystems with realtime groups.
 * Without groups those blocks are bare 32-bit words in the byte order of the
 * machine that wrote them.
 *
 * Source of the layout: struct xfs_rtsb and xfs_rtbuf_blkinfo in xfsprogs
 * libxfs/xfs_format.h; seen on images of Linux 7.2.
 */
#ifndef LIBXFSFMT_RT_H
#define LIBXFSFMT_RT_H

#include "libxfsfmt/geom.h"
#include "libxfsfmt/walk.h"

#define XFS_RTSB_MAGIC	0x46726f67u	/* "Frog" */
#define XFS_RTBITMAP_MAGIC 0x424d505au	/* "BMPZ" */
#define XFS_RTSUMMARY_MAGIC 0x53554d59u	/* "SUMY" */

enum {
	XFS_RTSB_CRC_OFF = 4,
	XFS_RTBUF_CRC_OFF = 4,
};

#define XFS_RTSB_ROWS(X)						\
	X##_F(be32, rsb_magicnum,	0,	MAGIC)			\
	X##_F(le32, rsb_crc,		4,	CRC)			\
	X##_F(be32, rsb_pad,		8,	PAD)			\
	X##_A(12, rsb_fname,		12,	CHARS)			\
	X##_A(16, rsb_uuid,		24,	UUID)			\
	X##_A(16, rsb_meta_uuid,	40,	UUID)
XFS_DECLARE(xfs_rtsb, XFS_RTSB_ROWS, 56);

#define XFS_RTBUF_ROWS(X)						\
	X##_F(be32, rt_magic,		0,	MAGIC)			\
	X##_F(le32, rt_crc,		4,	CRC)			\
	X##_F(be64, rt_owner,		8,	INO)			\
	X##_F(be64, rt_blkno,		16,	DADDR)			\
	X##_F(be64, rt_lsn,		24,	LSN)			\
	X##_A(16, rt_uuid,		32,	UUID)
XFS_DECLARE(xfs_rtbuf, XFS_RTBUF_ROWS, 48);

/* NULL, or why the @len_bytes at @raw are not a realtime superblock. */
const char *xfs_rtsb_verify(const void *raw, size_t len_bytes,
			    const struct xfs_geom *g);

/* NULL, or why the block is no bitmap or summary block with a header. */
const char *xfs_rtbuf_verify(const void *raw, size_t len_bytes,
			     const struct xfs_geom *g, xfs_daddr_t daddr);

void xfs_rtsb_walk(const struct xfs_walk *w);

/*
 * A bitmap or summary block: its header, if it has one (by the magic), and
 * the words that are there, "words" with the number of the first of each run.
 */
void xfs_rtbuf_walk(const struct xfs_walk *w);

#endif
