/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quota records. The log carries the first part (struct xfs_disk_dquot); on
 * disk each lies in a slot of 136 bytes with a checksum of its own.
 *
 * Source of the layout: struct xfs_disk_dquot and xfs_dqblk in Linux
 * fs/xfs/libxfs/xfs_format.h.
 */
#ifndef LIBXFSFMT_DQUOT_H
#define LIBXFSFMT_DQUOT_H

#include "libxfsfmt/geom.h"
#include "libxfsfmt/walk.h"

enum {
	XFS_DQUOT_MAGIC = 0x4451,	/* "DQ" */
	XFS_DQUOT_VERSION = 1,
	XFS_DQBLK_CRC_OFF = 108,
};

/* d_type: one of the first three, and perhaps the last */
enum {
	XFS_DQTYPE_USER = 0x01,
	XFS_DQTYPE_PROJ = 0x02,
	XFS_DQTYPE_GROUP = 0x04,
	XFS_DQTYPE_REC_MASK = 0x07,
	XFS_DQTYPE_BIGTIME = 0x80,
};

/* Variants: timers count in units of 4 s; the slot has its version 5 tail. */
enum {
	XFS_DQ_BIGTIME = 1,
	XFS_DQ_V5 = 2,
};

extern const struct xfs_name xfs_dqtype_names[];

#define XFS_DQ_TIMER(X, name, off)					\
	X##_W(be32, name, off, DQTIME, NULL, 0, XFS_DQ_BIGTIME)		\
	X##_T(be32, name, off, DQBIGTIME, NULL, XFS_DQ_BIGTIME, 0)

#define XFS_DISK_DQUOT_ROWS(X)						\
	X##_F(be16, d_magic,		0,	MAGIC)			\
	X##_F(u8, d_version,		2,	UINT)			\
	X##_N(u8, d_type,		3,	FLAGS, xfs_dqtype_names) \
	X##_F(be32, d_id,		4,	UINT)			\
	X##_F(be64, d_blk_hardlimit,	8,	UINT)			\
	X##_F(be64, d_blk_softlimit,	16,	UINT)			\
	X##_F(be64, d_ino_hardlimit,	24,	UINT)			\
	X##_F(be64, d_ino_softlimit,	32,	UINT)			\
	X##_F(be64, d_bcount,		40,	UINT)			\
	X##_F(be64, d_icount,		48,	UINT)			\
	XFS_DQ_TIMER(X, d_itimer, 56)					\
	XFS_DQ_TIMER(X, d_btimer, 60)					\
	X##_F(be16, d_iwarns,		64,	UINT)			\
	X##_F(be16, d_bwarns,		66,	UINT)			\
	X##_F(be32, d_pad0,		68,	PAD)			\
	X##_F(be64, d_rtb_hardlimit,	72,	UINT)			\
	X##_F(be64, d_rtb_softlimit,	80,	UINT)			\
	X##_F(be64, d_rtbcount,		88,	UINT)			\
	XFS_DQ_TIMER(X, d_rtbtimer, 96)					\
	X##_F(be16, d_rtbwarns,		100,	UINT)			\
	X##_F(be16, d_pad,		102,	PAD)
XFS_DECLARE(xfs_disk_dquot, XFS_DISK_DQUOT_ROWS, 104);

/* What follows it in a slot of version 5. */
#define XFS_DQBLK_ROWS(X)						\
	X##_A(4, dd_fill,		104,	PAD)			\
	X##_F(le32, dd_crc,		108,	CRC)			\
	X##_F(be64, dd_lsn,		112,	LSN)			\
	X##_A(16, dd_uuid,		120,	UUID)
XFS_DECLARE(xfs_dqblk, XFS_DQBLK_ROWS, 136);

/* NULL, or why @dq is no quota record. */
const char *xfs_disk_dquot_verify(const struct xfs_disk_dquot *dq);

/* The same for the slot of xfs_dqblk_size bytes at @raw. */
const char *xfs_dqblk_verify(const void *raw, const struct xfs_geom *g);

/* The same for a block of slots, which are those of consecutive ids. */
const char *xfs_dquot_block_verify(const void *raw, size_t len_bytes,
				   const struct xfs_geom *g);

/* The record at @off_bytes, without and with the tail of its slot. */
void xfs_disk_dquot_walk(const struct xfs_walk *w, size_t off_bytes);
void xfs_dqblk_walk(const struct xfs_walk *w, size_t off_bytes);

/* A block of slots, as group "dq" with the number of each. */
void xfs_dquot_block_walk(const struct xfs_walk *w);

#endif
