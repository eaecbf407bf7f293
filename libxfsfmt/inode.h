/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The core of an inode, versions 1 to 3, in one description: the log carries
 * the same structure at the same offsets, but in the order of the machine
 * that wrote it. What follows the core, the two forks, is in fork.h.
 *
 * Source of the layout: Linux fs/xfs/libxfs/xfs_format.h (xfs_dinode) and
 * xfs_log_format.h (xfs_log_dinode); checked against kernels 5.10 to 7.2.
 */
#ifndef LIBXFSFMT_INODE_H
#define LIBXFSFMT_INODE_H

#include "libxfsfmt/walk.h"

enum {
	XFS_DINODE_MAGIC = 0x494e,	/* "IN" */
	XFS_DINODE_V2_CORE_BYTES = 100,	/* where the forks begin */
	XFS_DINODE_V3_CORE_BYTES = 176,
	XFS_LOG_DINODE_V2_BYTES = 96,	/* of the core that is logged */
	XFS_LOG_DINODE_V3_BYTES = 176,
	XFS_DINODE_UNLINKED_OFF = 96,
	XFS_DINODE_CRC_OFF = 100,
	XFS_DINODE_LSN_OFF = 112,
	XFS_DINODE_MIN_BYTES = 256,
	XFS_DINODE_MAX_BYTES = 2048,
};

/* Variants of a core: which of its fields there are. */
enum {
	XFS_DINODE_V1 = 0x01,		/* 16-bit link count */
	XFS_DINODE_V3 = 0x02,
	XFS_DINODE_BIGTIME = 0x04,
	XFS_DINODE_NREXT64 = 0x08,	/* extent counters of 64 and 32 bits */
	XFS_DINODE_METADIR = 0x10,	/* di_metatype */
	XFS_DINODE_LOGGED = 0x20,	/* xfs_log_dinode: some fields are void */
};

enum xfs_dinode_format {
	XFS_DINODE_FMT_DEV,
	XFS_DINODE_FMT_LOCAL,
	XFS_DINODE_FMT_EXTENTS,
	XFS_DINODE_FMT_BTREE,
	XFS_DINODE_FMT_UUID,		/* never used */
	XFS_DINODE_FMT_META_BTREE,	/* root of a metadata btree */
};

/* Values of di_metatype. */
enum xfs_metatype {
	XFS_METAFILE_UNKNOWN,
	XFS_METAFILE_DIR,
	XFS_METAFILE_USRQUOTA,
	XFS_METAFILE_GRPQUOTA,
	XFS_METAFILE_PRJQUOTA,
	XFS_METAFILE_RTBITMAP,
	XFS_METAFILE_RTSUMMARY,
	XFS_METAFILE_RTRMAP,
	XFS_METAFILE_RTREFCOUNT,
	XFS_METAFILE_MAX,
};

enum {
	XFS_DIFLAG_REALTIME = 0x0001,
	XFS_DIFLAG_PREALLOC = 0x0002,
	XFS_DIFLAG_NEWRTBM = 0x0004,
	XFS_DIFLAG_IMMUTABLE = 0x0008,
	XFS_DIFLAG_APPEND = 0x0010,
	XFS_DIFLAG_SYNC = 0x0020,
	XFS_DIFLAG_NOATIME = 0x0040,
	XFS_DIFLAG_NODUMP = 0x0080,
	XFS_DIFLAG_RTINHERIT = 0x0100,
	XFS_DIFLAG_PROJINHERIT = 0x0200,
	XFS_DIFLAG_NOSYMLINKS = 0x0400,
	XFS_DIFLAG_EXTSIZE = 0x0800,
	XFS_DIFLAG_EXTSZINHERIT = 0x1000,
	XFS_DIFLAG_NODEFRAG = 0x2000,
	XFS_DIFLAG_FILESTREAM = 0x4000,
};

enum {
	XFS_DIFLAG2_DAX = 0x01,
	XFS_DIFLAG2_REFLINK = 0x02,
	XFS_DIFLAG2_COWEXTSIZE = 0x04,
	XFS_DIFLAG2_BIGTIME = 0x08,
	XFS_DIFLAG2_NREXT64 = 0x10,
	XFS_DIFLAG2_METADATA = 0x20,
};

/* File types in di_mode; the values are those of every Unix. */
enum {
	XFS_MODE_FMT = 0170000,
	XFS_MODE_FIFO = 0010000,
	XFS_MODE_CHR = 0020000,
	XFS_MODE_DIR = 0040000,
	XFS_MODE_BLK = 0060000,
	XFS_MODE_REG = 0100000,
	XFS_MODE_LNK = 0120000,
	XFS_MODE_SOCK = 0140000,
};

extern const struct xfs_name xfs_dinode_format_names[];
extern const struct xfs_name xfs_metatype_names[];
extern const struct xfs_name xfs_diflag_names[];
extern const struct xfs_name xfs_diflag2_names[];

/* A time stamp is two 32-bit words or one of 64 bits; both are 8 bytes. */
#define XFS_DINODE_TIME(X, name, off, need)				\
	X##_W(w64, name, off, TIME, NULL, need, XFS_DINODE_BIGTIME)	\
	X##_T(w64, name, off, BIGTIME, NULL, XFS_DINODE_BIGTIME, 0)

#define XFS_DINODE_ROWS(X)						\
	X##_F(w16, di_magic,		0,	MAGIC)			\
	X##_F(w16, di_mode,		2,	OCTAL)			\
	X##_F(u8, di_version,		4,	UINT)			\
	X##_N(u8, di_format,		5,	ENUM, xfs_dinode_format_names) \
	X##_W(w16, di_onlink,		6,	UINT, NULL, XFS_DINODE_V1, 0) \
	X##_W(w16, di_metatype,		6,	ENUM, xfs_metatype_names, \
	      XFS_DINODE_METADIR, 0)					\
	X##_W(w16, di_pad3,		6,	PAD, NULL, 0,		\
	      XFS_DINODE_V1 | XFS_DINODE_METADIR)			\
	X##_F(w32, di_uid,		8,	UINT)			\
	X##_F(w32, di_gid,		12,	UINT)			\
	X##_W(w32, di_nlink,		16,	UINT, NULL, 0, XFS_DINODE_V1) \
	X##_F(w16, di_projid_lo,	20,	UINT)			\
	X##_F(w16, di_projid_hi,	22,	UINT)			\
	X##_W(w64, di_big_nextents,	24,	UINT, NULL,		\
	      XFS_DINODE_NREXT64, 0)					\
	X##_W(w64, di_v3_pad,		24,	PAD, NULL,		\
	      XFS_DINODE_V3, XFS_DINODE_NREXT64)			\
	X##_W(w32, di_v2_pad,		24,	PAD, NULL, 0, XFS_DINODE_V3) \
	X##_W(w16, di_v2_pad2,		28,	PAD, NULL, 0, XFS_DINODE_V3) \
	X##_W(w16, di_flushiter,	30,	UINT, NULL, 0, XFS_DINODE_V3) \
	XFS_DINODE_TIME(X, di_atime,	32,	0)			\
	XFS_DINODE_TIME(X, di_mtime,	40,	0)			\
	XFS_DINODE_TIME(X, di_ctime,	48,	0)			\
	X##_F(w64, di_size,		56,	UINT)			\
	X##_F(w64, di_nblocks,		64,	UINT)			\
	X##_F(w32, di_extsize,		72,	UINT)			\
	X##_W(w32, di_nextents,		76,	UINT, NULL,		\
	      0, XFS_DINODE_NREXT64)					\
	X##_W(w32, di_big_anextents,	76,	UINT, NULL,		\
	      XFS_DINODE_NREXT64, 0)					\
	X##_W(w16, di_anextents,	80,	UINT, NULL,		\
	      0, XFS_DINODE_NREXT64)					\
	X##_W(w16, di_nrext64_pad,	80,	PAD, NULL,		\
	      XFS_DINODE_NREXT64, 0)					\
	X##_F(u8, di_forkoff,		82,	UINT)			\
	X##_N(u8, di_aformat,		83,	ENUM, xfs_dinode_format_names) \
	X##_F(w32, di_dmevmask,		84,	HEX)			\
	X##_F(w16, di_dmstate,		88,	UINT)			\
	X##_N(w16, di_flags,		90,	FLAGS, xfs_diflag_names) \
	X##_F(w32, di_gen,		92,	UINT)			\
	X##_W(w32, di_next_unlinked,	96,	AGINO, NULL,		\
	      0, XFS_DINODE_LOGGED)					\
	X##_W(le32, di_crc,		100,	CRC, NULL,		\
	      XFS_DINODE_V3, XFS_DINODE_LOGGED)				\
	X##_W(w64, di_changecount,	104,	UINT, NULL, XFS_DINODE_V3, 0) \
	X##_W(w64, di_lsn,		112,	LSN, NULL,		\
	      XFS_DINODE_V3, XFS_DINODE_LOGGED)				\
	X##_W(w64, di_flags2,		120,	FLAGS, xfs_diflag2_names, \
	      XFS_DINODE_V3, 0)						\
	X##_W(w32, di_cowextsize,	128,	UINT, NULL, XFS_DINODE_V3, 0) \
	X##_C(12, di_pad2,		132,	PAD, XFS_DINODE_V3, 0)	\
	XFS_DINODE_TIME(X, di_crtime,	144,	XFS_DINODE_V3)		\
	X##_W(w64, di_ino,		152,	INO, NULL, XFS_DINODE_V3, 0) \
	X##_C(16, di_uuid,		160,	UUID, XFS_DINODE_V3, 0)
XFS_DECLARE(xfs_dinode, XFS_DINODE_ROWS, 176);
XFS_DECLARE_ENCODE(xfs_dinode);

/* The variant of a decoded core; the caller adds XFS_DINODE_LOGGED. */
unsigned int xfs_dinode_variant(const struct xfs_dinode *di);

/* Bytes of the core, which is where the data fork begins. */
static inline size_t xfs_dinode_core_bytes(const struct xfs_dinode *di)
{
	return di->di_version >= 3 ? XFS_DINODE_V3_CORE_BYTES :
				     XFS_DINODE_V2_CORE_BYTES;
}

/* Extents mapped in the data or the attribute fork, wherever they are kept. */
uint64_t xfs_dinode_nextents(const struct xfs_dinode *di);
uint32_t xfs_dinode_anextents(const struct xfs_dinode *di);

/* Links to the inode, from whichever field its version keeps them in. */
uint32_t xfs_dinode_nlink(const struct xfs_dinode *di);

static inline bool xfs_dinode_is(const struct xfs_dinode *di,
				 unsigned int type)
{
	return (di->di_mode & XFS_MODE_FMT) == type;
}

/*
 * Bytes the data or attribute fork has in an inode of @inode_bytes. 0 if the
 * attribute fork does not exist, or if di_forkoff points outside.
 */
size_t xfs_dinode_dfork_bytes(const struct xfs_dinode *di, size_t inode_bytes);
size_t xfs_dinode_afork_bytes(const struct xfs_dinode *di, size_t inode_bytes);

/*
 * NULL, or why the on-disk inode @raw (geom->inodesize bytes) cannot be inode
 * number @ino of the filesystem. A free inode (mode 0) can be sound. The
 * checksum of a version 3 inode is part of it.
 */
const char *xfs_dinode_verify(const void *raw, const struct xfs_geom *geom,
			      xfs_ino_t ino);

/*
 * The little that is asked of every slot of a buffer of inodes of group
 * @agno, used or not: magic, version, and where its unlinked list goes on.
 */
const char *xfs_dinode_slot_verify(const void *raw,
				   const struct xfs_geom *geom,
				   xfs_agnumber_t agno);

/*
 * Show the on-disk inode at @off_bytes of the block: its core and its forks.
 * An inode that was never used or is free has its core shown only.
 */
void xfs_dinode_walk(const struct xfs_walk *w, size_t off_bytes);

/* Show only di_next_unlinked of it: all that counts in an inode buffer item. */
void xfs_dinode_unlinked_walk(const struct xfs_walk *w, size_t off_bytes);

/* Show a logged core, which is the whole of what @w has, in its order. */
void xfs_log_dinode_walk(const struct xfs_walk *w);

#endif
