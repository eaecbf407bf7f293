/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * B+tree blocks. There are two shapes of header, short (pointers are blocks of
 * the allocation group) and long (pointers are blocks of the filesystem), each
 * with more in it in version 5; and nine kinds of records. One table says of
 * each kind how large its records, keys and pointers are and what their fields
 * are, and everything else here works from that table.
 *
 * Source of the layouts: xfs_btree_block and its records in Linux
 * fs/xfs/libxfs/xfs_format.h; checked field by field against xfs_db.
 */
#ifndef LIBXFSFMT_BTREE_H
#define LIBXFSFMT_BTREE_H

#include "libxfsfmt/walk.h"

enum xfs_btree_kind {
	XFS_BTREE_BNO,		/* free space by block */
	XFS_BTREE_CNT,		/* free space by length */
	XFS_BTREE_INO,		/* inode chunks */
	XFS_BTREE_FINO,		/* inode chunks with free inodes */
	XFS_BTREE_RMAP,		/* owners of space */
	XFS_BTREE_REFC,		/* reference counts of shared space */
	XFS_BTREE_BMAP,		/* extents of a file */
	XFS_BTREE_RTRMAP,	/* owners of realtime space */
	XFS_BTREE_RTREFC,	/* reference counts of realtime space */
	XFS_BTREE_KINDS,
};

#define XFS_ABTB_MAGIC		0x41425442u	/* "ABTB" */
#define XFS_ABTB_CRC_MAGIC	0x41423342u	/* "AB3B" */
#define XFS_ABTC_MAGIC		0x41425443u	/* "ABTC" */
#define XFS_ABTC_CRC_MAGIC	0x41423343u	/* "AB3C" */
#define XFS_IBT_MAGIC		0x49414254u	/* "IABT" */
#define XFS_IBT_CRC_MAGIC	0x49414233u	/* "IAB3" */
#define XFS_FIBT_MAGIC		0x46494254u	/* "FIBT" */
#define XFS_FIBT_CRC_MAGIC	0x46494233u	/* "FIB3" */
#define XFS_RMAP_CRC_MAGIC	0x524d4233u	/* "RMB3" */
#define XFS_REFC_CRC_MAGIC	0x52334643u	/* "R3FC" */
#define XFS_BMAP_MAGIC		0x424d4150u	/* "BMAP" */
#define XFS_BMAP_CRC_MAGIC	0x424d4133u	/* "BMA3" */
#define XFS_RTRMAP_CRC_MAGIC	0x4d415052u	/* "MAPR" */
#define XFS_RTREFC_CRC_MAGIC	0x52434e54u	/* "RCNT" */

enum {
	XFS_BTREE_SHORT_BYTES = 16,
	XFS_BTREE_SHORT_CRC_BYTES = 56,
	XFS_BTREE_LONG_BYTES = 24,
	XFS_BTREE_LONG_CRC_BYTES = 72,
	XFS_BMDR_BYTES = 4,

	/* version 5 only: where a writer stamps them */
	XFS_BTREE_SHORT_LSN_OFF = 24,
	XFS_BTREE_SHORT_CRC_OFF = 52,
	XFS_BTREE_LONG_LSN_OFF = 32,
	XFS_BTREE_LONG_OWNER_OFF = 56,
	XFS_BTREE_LONG_CRC_OFF = 64,

	/*
	 * More than any btree has: 2^48 extents in blocks of 1 KiB whose nodes
	 * are half full make ten levels below the root in the inode.
	 */
	XFS_BTREE_MAX_LEVELS = 12,
};

/* --- headers --- */

enum { XFS_BTREE_V5 = 1 };	/* variant of a header */

#define XFS_BTREE_SHORT_ROWS(X)						\
	X##_F(be32, bb_magic,		0,	MAGIC)			\
	X##_F(be16, bb_level,		4,	UINT)			\
	X##_F(be16, bb_numrecs,		6,	UINT)			\
	X##_F(be32, bb_leftsib,		8,	AGBLOCK)		\
	X##_F(be32, bb_rightsib,	12,	AGBLOCK)		\
	X##_W(be64, bb_blkno,		16,	DADDR, NULL, XFS_BTREE_V5, 0) \
	X##_W(be64, bb_lsn,		24,	LSN, NULL, XFS_BTREE_V5, 0) \
	X##_C(16, bb_uuid,		32,	UUID, XFS_BTREE_V5, 0)	\
	X##_W(be32, bb_owner,		48,	UINT, NULL, XFS_BTREE_V5, 0) \
	X##_W(le32, bb_crc,		52,	CRC, NULL, XFS_BTREE_V5, 0)
XFS_DECLARE(xfs_btree_short, XFS_BTREE_SHORT_ROWS, XFS_BTREE_SHORT_CRC_BYTES);
XFS_DECLARE_ENCODE(xfs_btree_short);

#define XFS_BTREE_LONG_ROWS(X)						\
	X##_F(be32, bb_magic,		0,	MAGIC)			\
	X##_F(be16, bb_level,		4,	UINT)			\
	X##_F(be16, bb_numrecs,		6,	UINT)			\
	X##_F(be64, bb_leftsib,		8,	FSBLOCK)		\
	X##_F(be64, bb_rightsib,	16,	FSBLOCK)		\
	X##_W(be64, bb_blkno,		24,	DADDR, NULL, XFS_BTREE_V5, 0) \
	X##_W(be64, bb_lsn,		32,	LSN, NULL, XFS_BTREE_V5, 0) \
	X##_C(16, bb_uuid,		40,	UUID, XFS_BTREE_V5, 0)	\
	X##_W(be64, bb_owner,		56,	INO, NULL, XFS_BTREE_V5, 0) \
	X##_W(le32, bb_crc,		64,	CRC, NULL, XFS_BTREE_V5, 0) \
	X##_W(be32, bb_pad,		68,	PAD, NULL, XFS_BTREE_V5, 0)
XFS_DECLARE(xfs_btree_long, XFS_BTREE_LONG_ROWS, XFS_BTREE_LONG_CRC_BYTES);
XFS_DECLARE_ENCODE(xfs_btree_long);

/* Header of a root inside an inode. */
#define XFS_BMDR_ROWS(X)						\
	X##_F(be16, bb_level,		0,	UINT)			\
	X##_F(be16, bb_numrecs,		2,	UINT)
XFS_DECLARE(xfs_bmdr_block, XFS_BMDR_ROWS, XFS_BMDR_BYTES);

/* --- records and keys --- */

#define XFS_ALLOC_REC_ROWS(X)						\
	X##_F(be32, ar_startblock,	0,	AGBLOCK)		\
	X##_F(be32, ar_blockcount,	4,	UINT)
XFS_DECLARE(xfs_alloc_rec, XFS_ALLOC_REC_ROWS, 8);
XFS_DECLARE_ENCODE(xfs_alloc_rec);

/*
 * Variant: chunks may have holes, which takes room from ir_freecount. Decoded,
 * ir_freecount is the full form's; of the other form it is the lowest byte.
 */
enum { XFS_INOBT_SPARSE = 1 };

#define XFS_INOBT_REC_ROWS(X)						\
	X##_F(be32, ir_startino,	0,	AGINO)			\
	X##_W(be16, ir_holemask,	4,	HEX, NULL, XFS_INOBT_SPARSE, 0) \
	X##_W(u8, ir_count,		6,	UINT, NULL, XFS_INOBT_SPARSE, 0) \
	X##_T(u8, ir_freecount,		7,	UINT, NULL, XFS_INOBT_SPARSE, 0) \
	X##_W(be32, ir_freecount,	4,	UINT, NULL, 0, XFS_INOBT_SPARSE) \
	X##_F(be64, ir_free,		8,	HEX)
XFS_DECLARE(xfs_inobt_rec, XFS_INOBT_REC_ROWS, 16);
XFS_DECLARE_ENCODE(xfs_inobt_rec);

#define XFS_INOBT_KEY_ROWS(X)						\
	X##_F(be32, ir_startino,	0,	AGINO)
XFS_DECLARE(xfs_inobt_key, XFS_INOBT_KEY_ROWS, 4);

/*
 * Variants: the owner (of the low key, of the high key) is no inode but one of
 * xfs_rmap_owner_names. rm_offset has its flags in its top three bits, so that
 * keys sort by them as well; the bits between are unused.
 */
enum {
	XFS_RMAP_SPECIAL_OWNER = 1,
	XFS_RMAP_SPECIAL_OWNER_HI = 2,
};

#define XFS_RMAP_OWNER(X, name, off, special)				\
	X##_W(be64, name, off, INO, NULL, 0, special)			\
	X##_T(be64, name, off, ENUM, xfs_rmap_owner_names, special, 0)

#define XFS_RMAP_REC_ROWS(X)						\
	X##_F(be32, rm_startblock,	0,	AGBLOCK)		\
	X##_F(be32, rm_blockcount,	4,	UINT)			\
	XFS_RMAP_OWNER(X, rm_owner,	8, XFS_RMAP_SPECIAL_OWNER)	\
	X##_B(10, 54, rm_offset,	16,	UINT)			\
	X##_B(0, 1, rm_attr_fork,	16,	BOOL)			\
	X##_B(1, 1, rm_bmbt_block,	16,	BOOL)			\
	X##_B(2, 1, rm_unwritten,	16,	BOOL)
XFS_DECLARE(xfs_rmap_rec, XFS_RMAP_REC_ROWS, 24);
XFS_DECLARE_ENCODE(xfs_rmap_rec);

/*
 * Keys come in pairs: the lowest of the subtree, then the highest. Whether an
 * extent is written is no part of a key: kernels leave that bit either way.
 */
#define XFS_RMAP_KEY_ROWS(X)						\
	X##_F(be32, rm_startblock,	0,	AGBLOCK)		\
	XFS_RMAP_OWNER(X, rm_owner,	4, XFS_RMAP_SPECIAL_OWNER)	\
	X##_B(10, 54, rm_offset,	12,	UINT)			\
	X##_B(0, 1, rm_attr_fork,	12,	BOOL)			\
	X##_B(1, 1, rm_bmbt_block,	12,	BOOL)			\
	X##_B(2, 1, rm_unwritten,	12,	PAD)			\
	X##_F(be32, rm_startblock_hi,	20,	AGBLOCK)		\
	XFS_RMAP_OWNER(X, rm_owner_hi,	24, XFS_RMAP_SPECIAL_OWNER_HI)	\
	X##_B(10, 54, rm_offset_hi,	32,	UINT)			\
	X##_B(0, 1, rm_attr_fork_hi,	32,	BOOL)			\
	X##_B(1, 1, rm_bmbt_block_hi,	32,	BOOL)			\
	X##_B(2, 1, rm_unwritten_hi,	32,	PAD)
XFS_DECLARE(xfs_rmap_key, XFS_RMAP_KEY_ROWS, 40);

/* The top bit tells space set aside for copy on write from space shared. */
#define XFS_REFCOUNT_REC_ROWS(X)					\
	X##_B(0, 1, rc_cow,		0,	BOOL)			\
	X##_B(1, 31, rc_startblock,	0,	AGBLOCK)		\
	X##_F(be32, rc_blockcount,	4,	UINT)			\
	X##_F(be32, rc_refcount,	8,	UINT)
XFS_DECLARE(xfs_refcount_rec, XFS_REFCOUNT_REC_ROWS, 12);
XFS_DECLARE_ENCODE(xfs_refcount_rec);

#define XFS_REFCOUNT_KEY_ROWS(X)					\
	X##_B(0, 1, rc_cow,		0,	BOOL)			\
	X##_B(1, 31, rc_startblock,	0,	AGBLOCK)
XFS_DECLARE(xfs_refcount_key, XFS_REFCOUNT_KEY_ROWS, 4);

/*
 * An extent of a file: also what an inode holds in the extents format.
 * br_state 1: allocated, but not written yet.
 */
#define XFS_BMBT_REC_ROWS(X)						\
	X##_B(1, 54, br_startoff,	0,	UINT)			\
	X##_B(7, 52, br_startblock,	6,	FSBLOCK)		\
	X##_B(3, 21, br_blockcount,	13,	UINT)			\
	X##_B(0, 1, br_state,		0,	UINT)
XFS_DECLARE(xfs_bmbt_rec, XFS_BMBT_REC_ROWS, 16);
XFS_DECLARE_ENCODE(xfs_bmbt_rec);

#define XFS_BMBT_KEY_ROWS(X)						\
	X##_F(be64, br_startoff,	0,	UINT)
XFS_DECLARE(xfs_bmbt_key, XFS_BMBT_KEY_ROWS, 8);

/* --- what is said of each kind --- */

struct xfs_btree_ops {
	const char	*name;		/* "bnobt" */
	uint32_t	magic;		/* version 4; 0: there is none */
	uint32_t	crc_magic;	/* version 5 */
	bool		is_long;	/* long header, 64-bit pointers */
	uint8_t		rec_bytes;
	uint8_t		key_bytes;	/* of both, where keys come in pairs */
	uint8_t		root_key_bytes;	/* room of a key in a root on disk */
	const struct xfs_field *rec_fields, *key_fields;
	/* of the record or key at @p, NULL if that is not wholly there */
	unsigned int	(*rec_variant)(const uint8_t *p,
				       const struct xfs_geom *geom);
	unsigned int	(*key_variant)(const uint8_t *p);
};

/* By enum xfs_btree_kind. */
extern const struct xfs_btree_ops xfs_btree_ops[XFS_BTREE_KINDS];

/* "bnobt", "cntbt", "inobt", ... */
const char *xfs_btree_name(enum xfs_btree_kind kind);

/*
 * True if blocks of some btree begin with @magic; then *@kind says of which,
 * and *@v5 whether its header is that of version 5.
 */
bool xfs_btree_kind_of(uint32_t magic, enum xfs_btree_kind *kind, bool *v5);

static inline size_t xfs_btree_ptr_bytes(enum xfs_btree_kind kind)
{
	return xfs_btree_ops[kind].is_long ? 8 : 4;
}

static inline size_t xfs_btree_hdr_bytes(enum xfs_btree_kind kind, bool v5)
{
	if (xfs_btree_ops[kind].is_long)
		return v5 ? XFS_BTREE_LONG_CRC_BYTES : XFS_BTREE_LONG_BYTES;
	return v5 ? XFS_BTREE_SHORT_CRC_BYTES : XFS_BTREE_SHORT_BYTES;
}

/*
 * Records a leaf, or keys and as many pointers a node, of @len_bytes has room
 * for: a block, or a root as the log carries it. Pointers of a node begin
 * behind the room for all its keys.
 */
size_t xfs_btree_room(enum xfs_btree_kind kind, bool v5, bool leaf,
		      size_t len_bytes);

/*
 * The same for a root (bmap, rtrmap, rtrefc) in a fork of @fork_bytes on disk,
 * which begins with a struct xfs_bmdr_block.
 */
size_t xfs_bmdr_room(enum xfs_btree_kind kind, bool leaf, size_t fork_bytes);

/*
 * NULL, or why the block @raw of @len_bytes that lies at @daddr of the data
 * device cannot be one of a btree of this @kind: magic, level, number of
 * records, siblings; for version 5 checksum, UUID, address and, where it is a
 * group, the owner. Keys and records are not looked at.
 */
const char *xfs_btree_verify(const void *raw, size_t len_bytes,
			     enum xfs_btree_kind kind,
			     const struct xfs_geom *geom, xfs_daddr_t daddr);

/* NULL, or why the @fork_bytes at @raw are no root of such a tree on disk. */
const char *xfs_bmdr_verify(const void *raw, enum xfs_btree_kind kind,
			    size_t fork_bytes);

/*
 * The root @raw (bmap), which has passed xfs_bmdr_verify() for a fork of
 * @from_bytes, takes the form it has in one of @to_bytes, at the same place:
 * its pointers move. The larger of both is there. False, and nothing done: it
 * has more records than that has room for.
 */
bool xfs_bmdr_resize(void *raw, enum xfs_btree_kind kind, size_t from_bytes,
		     size_t to_bytes);

/*
 * Show a block: the header, then recs[1..n] of a leaf, or keys[1..n] and
 * ptrs[1..n] of a node, as many as the header says and the block has room for.
 * Nothing but the fields of the header that are there if the level and the
 * number of records, which say what follows, are not.
 */
void xfs_btree_walk(const struct xfs_walk *w, enum xfs_btree_kind kind);

/*
 * Show a root on disk, in the fork of @len_bytes at @off_bytes: bb_level,
 * bb_numrecs, then as above. The first is that of the extents of a file.
 */
void xfs_bmdr_walk(const struct xfs_walk *w, size_t off_bytes,
		   size_t len_bytes);
void xfs_iroot_walk(const struct xfs_walk *w, enum xfs_btree_kind kind,
		    size_t off_bytes, size_t len_bytes);

/*
 * Show a root in the form it has in memory, which is what the log carries: all
 * of @w is a block with a long header and the root's elements packed.
 */
void xfs_broot_walk(const struct xfs_walk *w, enum xfs_btree_kind kind,
		    bool v5);

#endif
