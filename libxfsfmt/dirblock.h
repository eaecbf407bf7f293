/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directory blocks that hold names: data blocks, and the single "block" of a
 * small directory that has the hashes of its names at its end. Entries and
 * unused space follow each other without a gap, aligned to eight bytes, and
 * each ends with its own offset, the tag: that is what lets a block be read
 * of which the log has only pieces.
 *
 * Source of the layouts: Linux fs/xfs/libxfs/xfs_da_format.h.
 */
#ifndef LIBXFSFMT_DIRBLOCK_H
#define LIBXFSFMT_DIRBLOCK_H

#include "libxfsfmt/dir.h"

#define XFS_DIR2_BLOCK_MAGIC	0x58443242u	/* "XD2B" */
#define XFS_DIR2_DATA_MAGIC	0x58443244u	/* "XD2D" */
#define XFS_DIR3_BLOCK_MAGIC	0x58444233u	/* "XDB3" */
#define XFS_DIR3_DATA_MAGIC	0x58444433u	/* "XDD3" */

enum {
	XFS_DIR3_CRC_OFF = 4,
	XFS_DIR3_BLKNO_OFF = 8,
	XFS_DIR3_LSN_OFF = 16,
	XFS_DIR3_UUID_OFF = 24,
	XFS_DIR3_OWNER_OFF = 40,
	XFS_DIR3_HDR_BYTES = 48,
	XFS_DIR2_DATA_BEST_OFF = 4,
	XFS_DIR3_DATA_BEST_OFF = 48,
	XFS_DIR_DATA_BESTS = 3,
	XFS_DIR2_DATA_HDR_BYTES = 16,
	XFS_DIR3_DATA_HDR_BYTES = 64,
	XFS_DIR_DATA_FREE_TAG = 0xffff,
};

/* What data, block and free space blocks of version 5 begin with. */
#define XFS_DIR3_BLK_HDR_ROWS(X)					\
	X##_F(be32, magic,	0,	MAGIC)				\
	X##_F(le32, crc,	4,	CRC)				\
	X##_F(be64, blkno,	8,	DADDR)				\
	X##_F(be64, lsn,	16,	LSN)				\
	X##_A(16, uuid,		24,	UUID)				\
	X##_F(be64, owner,	40,	INO)
XFS_DECLARE(xfs_dir3_blk_hdr, XFS_DIR3_BLK_HDR_ROWS, 48);

/* And those of version 4. */
#define XFS_DIR2_BLK_HDR_ROWS(X)					\
	X##_F(be32, magic,	0,	MAGIC)
XFS_DECLARE(xfs_dir2_blk_hdr, XFS_DIR2_BLK_HDR_ROWS, 4);

/* The three longest unused spaces of a block, longest first. */
#define XFS_DIR_BESTFREE_ROWS(X)					\
	X##_F(be16, offset,	0,	UINT)				\
	X##_F(be16, length,	2,	UINT)
XFS_DECLARE(xfs_dir_bestfree, XFS_DIR_BESTFREE_ROWS, 4);

/* Name, file type (where there is one), padding and tag follow. */
#define XFS_DIR_DATA_ENTRY_ROWS(X)					\
	X##_F(be64, inumber,	0,	INO)				\
	X##_F(u8, namelen,	8,	UINT)
XFS_DECLARE(xfs_dir_data_entry, XFS_DIR_DATA_ENTRY_ROWS, 9);

/* Padding up to the tag follows. */
#define XFS_DIR_DATA_UNUSED_ROWS(X)					\
	X##_F(be16, freetag,	0,	HEX)				\
	X##_F(be16, length,	2,	UINT)
XFS_DECLARE(xfs_dir_data_unused, XFS_DIR_DATA_UNUSED_ROWS, 4);

#define XFS_DIR_DATA_TAG_ROWS(X)					\
	X##_F(be16, tag,	0,	UINT)
XFS_DECLARE(xfs_dir_data_tag, XFS_DIR_DATA_TAG_ROWS, 2);

/* An entry of the hash index; @address is in units of eight bytes. */
#define XFS_DIR_LEAF_ENTRY_ROWS(X)					\
	X##_F(be32, hashval,	0,	HEX)				\
	X##_F(be32, address,	4,	HEX)
XFS_DECLARE(xfs_dir_leaf_entry, XFS_DIR_LEAF_ENTRY_ROWS, 8);

/* Last in a "block" block, behind its @count leaf entries. */
#define XFS_DIR_BLOCK_TAIL_ROWS(X)					\
	X##_F(be32, count,	0,	UINT)				\
	X##_F(be32, stale,	4,	UINT)
XFS_DECLARE(xfs_dir_block_tail, XFS_DIR_BLOCK_TAIL_ROWS, 8);

/* An entry or a piece of unused space. */
struct xfs_dir_data_item {
	bool		unused;
	size_t		off_bytes, len_bytes;
	/* of an entry: */
	xfs_ino_t	ino;
	const uint8_t	*name;
	uint8_t		namelen;
};

/* The file type in an entry of a filesystem that keeps it. */
static inline uint8_t xfs_dir_data_ftype(const struct xfs_dir_data_item *item)
{
	return item->name[item->namelen];
}

/* Bytes an entry fills whose name has @namelen bytes. */
static inline size_t xfs_dir_data_entry_bytes(size_t namelen, bool ftype)
{
	return (9 + namelen + ftype + 2 + XFS_DIR_DATA_ALIGN - 1) /
	       XFS_DIR_DATA_ALIGN * XFS_DIR_DATA_ALIGN;
}

/* Bytes of the header in front of the first entry. */
static inline size_t xfs_dir_data_hdr_bytes(bool v5)
{
	return v5 ? XFS_DIR3_DATA_HDR_BYTES : XFS_DIR2_DATA_HDR_BYTES;
}

/*
 * Where the entries of the whole block @raw end: at its end, or where the
 * leaf entries of a "block" block begin. 0 if its tail makes no sense.
 */
size_t xfs_dir_data_end(const uint8_t *raw, size_t len_bytes, bool v5);

/*
 * The item at @off_bytes of a whole block, whose items end at @end_bytes.
 * False if there is none that makes sense; its tag is not looked at.
 */
bool xfs_dir_data_item(struct xfs_dir_data_item *item, const uint8_t *raw,
		       size_t off_bytes, size_t end_bytes, bool ftype);

/*
 * NULL, or why the @len_bytes at @raw are no directory block with names, of
 * either kind. Does not look at checksum, place and owner.
 */
const char *xfs_dir_data_verify(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom);

/* True if the entries at @raw are in the order of their hashes. */
bool xfs_dir_leaf_entries_ok(const uint8_t *raw, size_t count, size_t stale);

/* Show the block; the second says that it is a "block" block. */
void xfs_dir_data_walk(const struct xfs_walk *w);
void xfs_dir_block_walk(const struct xfs_walk *w);

#endif
