/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Extended attributes: the shortform inside an inode, leaf blocks, and blocks
 * of remote values. Interior nodes are in da.h. Attributes of the "parent"
 * namespace are the parent pointers of an inode: their value is a structure.
 *
 * Source of the layouts: Linux fs/xfs/libxfs/xfs_da_format.h.
 */
#ifndef LIBXFSFMT_ATTR_H
#define LIBXFSFMT_ATTR_H

#include "libxfsfmt/da.h"

/* Flags of an attribute, on disk and as filter in log items. */
enum {
	XFS_ATTR_LOCAL = 0x01,		/* value beside the name */
	XFS_ATTR_ROOT = 0x02,		/* "trusted." */
	XFS_ATTR_SECURE = 0x04,		/* "security." */
	XFS_ATTR_PARENT = 0x08,
	XFS_ATTR_INCOMPLETE = 0x80,
	XFS_ATTR_NAMESPACES = XFS_ATTR_ROOT | XFS_ATTR_SECURE |
			      XFS_ATTR_PARENT,
	XFS_ATTR_DISK_FLAGS = XFS_ATTR_NAMESPACES | XFS_ATTR_LOCAL |
			      XFS_ATTR_INCOMPLETE,
};

extern const struct xfs_name xfs_attr_flag_names[];

enum { XFS_ATTR_MAX_VALUE_BYTES = 65536 };

/* --- parent pointers --- */

/* Value of an attribute whose name is the name in the parent directory. */
#define XFS_PARENT_REC_ROWS(X)						\
	X##_F(be64, p_ino,	0,	INO)				\
	X##_F(be32, p_gen,	8,	UINT)
XFS_DECLARE(xfs_parent_rec, XFS_PARENT_REC_ROWS, 12);

/* --- shortform --- */

#define XFS_ATTR_SF_HDR_ROWS(X)						\
	X##_F(be16, totsize,	0,	UINT)				\
	X##_F(u8, count,	2,	UINT)				\
	X##_F(u8, padding,	3,	PAD)
XFS_DECLARE(xfs_attr_sf_hdr, XFS_ATTR_SF_HDR_ROWS, 4);

/* Name and value follow. */
#define XFS_ATTR_SF_ENTRY_ROWS(X)					\
	X##_F(u8, namelen,	0,	UINT)				\
	X##_F(u8, valuelen,	1,	UINT)				\
	X##_N(u8, flags,	2,	FLAGS, xfs_attr_flag_names)
XFS_DECLARE(xfs_attr_sf_entry, XFS_ATTR_SF_ENTRY_ROWS, 3);

/* --- leaf --- */

#define XFS_ATTR_LEAF_HDR_ROWS(X)					\
	XFS_DA_INFO_ROWS(X)						\
	X##_F(be16, count,	12,	UINT)				\
	X##_F(be16, usedbytes,	14,	UINT)				\
	X##_F(be16, firstused,	16,	UINT)				\
	X##_F(u8, holes,	18,	UINT)				\
	X##_F(u8, pad1,		19,	PAD)
XFS_DECLARE(xfs_attr_leaf_hdr, XFS_ATTR_LEAF_HDR_ROWS, 32);

#define XFS_ATTR3_LEAF_HDR_ROWS(X)					\
	XFS_DA3_INFO_ROWS(X)						\
	X##_F(be16, count,	56,	UINT)				\
	X##_F(be16, usedbytes,	58,	UINT)				\
	X##_F(be16, firstused,	60,	UINT)				\
	X##_F(u8, holes,	62,	UINT)				\
	X##_F(u8, pad1,		63,	PAD)				\
	X##_F(be32, pad2,	76,	PAD)
XFS_DECLARE(xfs_attr3_leaf_hdr, XFS_ATTR3_LEAF_HDR_ROWS, 80);

enum {
	XFS_ATTR_LEAF_FREEMAP_OFF = 20,
	XFS_ATTR3_LEAF_FREEMAP_OFF = 64,
	XFS_ATTR_LEAF_FREEMAPS = 3,
};

#define XFS_ATTR_LEAF_MAP_ROWS(X)					\
	X##_F(be16, base,	0,	UINT)				\
	X##_F(be16, size,	2,	UINT)
XFS_DECLARE(xfs_attr_leaf_map, XFS_ATTR_LEAF_MAP_ROWS, 4);

#define XFS_ATTR_LEAF_ENTRY_ROWS(X)					\
	X##_F(be32, hashval,	0,	HEX)				\
	X##_F(be16, nameidx,	4,	UINT)				\
	X##_N(u8, flags,	6,	FLAGS, xfs_attr_flag_names)	\
	X##_F(u8, pad2,		7,	PAD)
XFS_DECLARE(xfs_attr_leaf_entry, XFS_ATTR_LEAF_ENTRY_ROWS, 8);

/* Name and value follow. */
#define XFS_ATTR_LEAF_LOCAL_ROWS(X)					\
	X##_F(be16, valuelen,	0,	UINT)				\
	X##_F(u8, namelen,	2,	UINT)
XFS_DECLARE(xfs_attr_leaf_local, XFS_ATTR_LEAF_LOCAL_ROWS, 3);

/* The name follows; the value is @valuelen bytes at block @valueblk. */
#define XFS_ATTR_LEAF_REMOTE_ROWS(X)					\
	X##_F(be32, valueblk,	0,	UINT)				\
	X##_F(be32, valuelen,	4,	UINT)				\
	X##_F(u8, namelen,	8,	UINT)
XFS_DECLARE(xfs_attr_leaf_remote, XFS_ATTR_LEAF_REMOTE_ROWS, 9);

/* --- remote values --- */

#define XFS_ATTR3_RMT_MAGIC	0x5841524du	/* "XARM" */

/* In front of each block of a value on version 5; on 4 there is none. */
#define XFS_ATTR3_RMT_HDR_ROWS(X)					\
	X##_F(be32, rm_magic,	0,	MAGIC)				\
	X##_F(be32, rm_offset,	4,	UINT)				\
	X##_F(be32, rm_bytes,	8,	UINT)				\
	X##_F(le32, rm_crc,	12,	CRC)				\
	X##_A(16, rm_uuid,	16,	UUID)				\
	X##_F(be64, rm_owner,	32,	INO)				\
	X##_F(be64, rm_blkno,	40,	DADDR)				\
	X##_F(be64, rm_lsn,	48,	LSN)
XFS_DECLARE(xfs_attr3_rmt_hdr, XFS_ATTR3_RMT_HDR_ROWS, 56);

/*
 * NULL, or why the @len_bytes at @raw are no shortform, no leaf, or no block
 * of a remote value (of version 5). The last two do not look at checksum,
 * place and owner.
 */
const char *xfs_attr_sf_verify(const void *raw, size_t len_bytes);
const char *xfs_attr_leaf_verify(const uint8_t *raw, size_t len_bytes,
				 const struct xfs_geom *geom);
const char *xfs_attr_rmt_verify(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom);

/* Show the shortform at @off_bytes, for which there are @len_bytes. */
void xfs_attr_sf_walk(const struct xfs_walk *w, size_t off_bytes,
		      size_t len_bytes);

void xfs_attr_leaf_walk(const struct xfs_walk *w);
void xfs_attr_rmt_walk(const struct xfs_walk *w);

#endif
