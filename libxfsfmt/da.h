/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What directories and attributes have in common: blocks that begin with
 * sibling pointers and a magic number, the interior nodes of the tree of name
 * hashes, and the hash itself. Version 5 adds checksum, place and owner to
 * the beginning, which moves everything behind it.
 *
 * Source of the layouts: Linux fs/xfs/libxfs/xfs_da_format.h.
 */
#ifndef LIBXFSFMT_DA_H
#define LIBXFSFMT_DA_H

#include "libxfsfmt/walk.h"

enum {
	XFS_DA_NODE_MAGIC = 0xfebe,
	XFS_ATTR_LEAF_MAGIC = 0xfbee,
	XFS_DIR2_LEAF1_MAGIC = 0xd2f1,
	XFS_DIR2_LEAFN_MAGIC = 0xd2ff,
	XFS_DA3_NODE_MAGIC = 0x3ebe,
	XFS_ATTR3_LEAF_MAGIC = 0x3bee,
	XFS_DIR3_LEAF1_MAGIC = 0x3df1,
	XFS_DIR3_LEAFN_MAGIC = 0x3dff,

	XFS_DA_MAGIC_OFF = 8,		/* of these, 16 bits */
	XFS_DA3_CRC_OFF = 12,
	XFS_DA3_BLKNO_OFF = 16,
	XFS_DA3_LSN_OFF = 24,
	XFS_DA3_UUID_OFF = 32,
	XFS_DA3_OWNER_OFF = 48,
	XFS_DA_INFO_BYTES = 12,
	XFS_DA3_INFO_BYTES = 56,
	XFS_DA_MAX_DEPTH = 5,
};

/* Variant of the headers below. */
enum { XFS_DA_V5 = 1 };

/* What these blocks begin with; the rows of version 5 continue it. */
#define XFS_DA_INFO_ROWS(X)						\
	X##_F(be32, forw,	0,	UINT)				\
	X##_F(be32, back,	4,	UINT)				\
	X##_F(be16, magic,	8,	MAGIC)				\
	X##_F(be16, pad,	10,	PAD)
#define XFS_DA3_INFO_ROWS(X)						\
	XFS_DA_INFO_ROWS(X)						\
	X##_F(le32, crc,	12,	CRC)				\
	X##_F(be64, blkno,	16,	DADDR)				\
	X##_F(be64, lsn,	24,	LSN)				\
	X##_A(16, uuid,		32,	UUID)				\
	X##_F(be64, owner,	48,	INO)

#define XFS_DA_NODE_HDR_ROWS(X)						\
	XFS_DA_INFO_ROWS(X)						\
	X##_F(be16, count,	12,	UINT)				\
	X##_F(be16, level,	14,	UINT)
XFS_DECLARE(xfs_da_node_hdr, XFS_DA_NODE_HDR_ROWS, 16);

#define XFS_DA3_NODE_HDR_ROWS(X)					\
	XFS_DA3_INFO_ROWS(X)						\
	X##_F(be16, count,	56,	UINT)				\
	X##_F(be16, level,	58,	UINT)				\
	X##_F(be32, pad32,	60,	PAD)
XFS_DECLARE(xfs_da3_node_hdr, XFS_DA3_NODE_HDR_ROWS, 64);

/* The subtree at block @before of the fork has hashes up to @hashval. */
#define XFS_DA_NODE_ENTRY_ROWS(X)					\
	X##_F(be32, hashval,	0,	HEX)				\
	X##_F(be32, before,	4,	UINT)
XFS_DECLARE(xfs_da_node_entry, XFS_DA_NODE_ENTRY_ROWS, 8);

/* Magic number of a block of this family; 0 if it is too short or absent. */
uint16_t xfs_da_magic(const struct xfs_walk *w);

/*
 * True if the headers of the block are those of version 5: as the magic says
 * where that is there, else as the filesystem is. *@known is false where
 * neither helps.
 */
bool xfs_da_is_v5(const struct xfs_walk *w, bool *known);

/* The hash by which names are found; the second folds case (ASCII-CI). */
uint32_t xfs_da_hashname(const uint8_t *name, size_t len_bytes);
uint32_t xfs_dir_ci_hashname(const uint8_t *name, size_t len_bytes);

/* NULL, or why the @len_bytes at @raw are no interior node. */
const char *xfs_da_node_verify(const uint8_t *raw, size_t len_bytes,
			       const struct xfs_geom *geom);

/* Show an interior node of a directory or attribute tree. */
void xfs_da_node_walk(const struct xfs_walk *w);

/* --- for the walks of the family --- */

/*
 * Show @count structures of @size_bytes from @off_bytes as elements of the
 * array @name. Elements that are not there are left out.
 */
void xfs_walk_array(const struct xfs_walk *w, const char *name,
		    const struct xfs_field *table, size_t off_bytes,
		    size_t size_bytes, size_t count);

/* Show @count 16-bit integers from @off_bytes as one array field. */
void xfs_walk_be16s(const struct xfs_walk *w, const char *name,
		    enum xfs_field_kind kind, size_t off_bytes, size_t count);

#endif
