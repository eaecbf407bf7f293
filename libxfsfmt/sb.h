/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The superblock and its feature bits.
 *
 * Source of the layout: struct xfs_dsb in Linux fs/xfs/libxfs/xfs_format.h,
 * up to the realtime groups and zones of Linux 6.15; checked field by field
 * against xfs_db.
 */
#ifndef LIBXFSFMT_SB_H
#define LIBXFSFMT_SB_H

#include "libxfsfmt/field.h"
#include "libxfsfmt/walk.h"

#define XFS_SB_MAGIC	0x58465342u	/* "XFSB" */

enum {
	XFS_SB_CRC_OFF = 224,
	XFS_SB_LSN_OFF = 240,
};

/* sb_versionnum: the version in the low four bits, features above */
enum {
	XFS_SB_VERSION_MASK = 0x000f,
	XFS_SB_VERSION_ATTRBIT = 0x0010,
	XFS_SB_VERSION_NLINKBIT = 0x0020,
	XFS_SB_VERSION_QUOTABIT = 0x0040,
	XFS_SB_VERSION_ALIGNBIT = 0x0080,
	XFS_SB_VERSION_DALIGNBIT = 0x0100,
	XFS_SB_VERSION_SHAREDBIT = 0x0200,
	XFS_SB_VERSION_LOGV2BIT = 0x0400,
	XFS_SB_VERSION_SECTORBIT = 0x0800,
	XFS_SB_VERSION_EXTFLGBIT = 0x1000,
	XFS_SB_VERSION_DIRV2BIT = 0x2000,
	XFS_SB_VERSION_BORGBIT = 0x4000,	/* ASCII case-insensitive names */
	XFS_SB_VERSION_MOREBITSBIT = 0x8000,
};

enum {
	XFS_SB_VERSION2_LAZYSBCOUNTBIT = 0x0002,
	XFS_SB_VERSION2_ATTR2BIT = 0x0008,
	XFS_SB_VERSION2_PARENTBIT = 0x0010,
	XFS_SB_VERSION2_PROJID32BIT = 0x0080,
	XFS_SB_VERSION2_CRCBIT = 0x0100,
	XFS_SB_VERSION2_FTYPE = 0x0200,
};

enum {
	XFS_SB_RO_COMPAT_FINOBT = 0x1,
	XFS_SB_RO_COMPAT_RMAPBT = 0x2,
	XFS_SB_RO_COMPAT_REFLINK = 0x4,
	XFS_SB_RO_COMPAT_INOBTCNT = 0x8,
	XFS_SB_RO_COMPAT_ALL = 0xf,
};

enum {
	XFS_SB_INCOMPAT_FTYPE = 0x1,
	XFS_SB_INCOMPAT_SPINODES = 0x2,
	XFS_SB_INCOMPAT_META_UUID = 0x4,
	XFS_SB_INCOMPAT_BIGTIME = 0x8,
	XFS_SB_INCOMPAT_NEEDSREPAIR = 0x10,
	XFS_SB_INCOMPAT_NREXT64 = 0x20,
	XFS_SB_INCOMPAT_EXCHRANGE = 0x40,
	XFS_SB_INCOMPAT_PARENT = 0x80,
	XFS_SB_INCOMPAT_METADIR = 0x100,
	XFS_SB_INCOMPAT_ZONED = 0x200,
	XFS_SB_INCOMPAT_ZONE_GAPS = 0x400,
	XFS_SB_INCOMPAT_ALL = 0x7ff,
};

enum {
	XFS_SB_LOG_INCOMPAT_XATTRS = 0x1,
	XFS_SB_LOG_INCOMPAT_ALL = 0x1,
};

/* Which fields there are. */
enum {
	XFS_SB_V5 = 1,
	XFS_SB_METADIR = 2,	/* and with it the realtime groups */
	XFS_SB_ZONED = 4,
};

extern const struct xfs_name xfs_sb_version_names[];
extern const struct xfs_name xfs_sb_features2_names[];
extern const struct xfs_name xfs_sb_ro_compat_names[];
extern const struct xfs_name xfs_sb_incompat_names[];
extern const struct xfs_name xfs_sb_log_incompat_names[];
extern const struct xfs_name xfs_sb_qflag_names[];

/* Of sb_qflags: dquots were counted, for all kinds of quota. */
enum { XFS_QUOTA_CHKD = 0x0004 | 0x0020 | 0x0100 | 0x0400 };

#define XFS_SB_ROWS(X)							\
	X##_F(be32, sb_magicnum,	0,	MAGIC)			\
	X##_F(be32, sb_blocksize,	4,	UINT)			\
	X##_F(be64, sb_dblocks,		8,	UINT)			\
	X##_F(be64, sb_rblocks,		16,	UINT)			\
	X##_F(be64, sb_rextents,	24,	UINT)			\
	X##_A(16, sb_uuid,		32,	UUID)			\
	X##_F(be64, sb_logstart,	48,	FSBLOCK)		\
	X##_F(be64, sb_rootino,		56,	INO)			\
	X##_F(be64, sb_rbmino,		64,	INO)			\
	X##_F(be64, sb_rsumino,		72,	INO)			\
	X##_F(be32, sb_rextsize,	80,	UINT)			\
	X##_F(be32, sb_agblocks,	84,	UINT)			\
	X##_F(be32, sb_agcount,		88,	UINT)			\
	X##_F(be32, sb_rbmblocks,	92,	UINT)			\
	X##_F(be32, sb_logblocks,	96,	UINT)			\
	X##_N(be16, sb_versionnum,	100,	FLAGS, xfs_sb_version_names) \
	X##_F(be16, sb_sectsize,	102,	UINT)			\
	X##_F(be16, sb_inodesize,	104,	UINT)			\
	X##_F(be16, sb_inopblock,	106,	UINT)			\
	X##_A(12, sb_fname,		108,	CHARS)			\
	X##_F(u8, sb_blocklog,		120,	UINT)			\
	X##_F(u8, sb_sectlog,		121,	UINT)			\
	X##_F(u8, sb_inodelog,		122,	UINT)			\
	X##_F(u8, sb_inopblog,		123,	UINT)			\
	X##_F(u8, sb_agblklog,		124,	UINT)			\
	X##_F(u8, sb_rextslog,		125,	UINT)			\
	X##_F(u8, sb_inprogress,	126,	UINT)			\
	X##_F(u8, sb_imax_pct,		127,	UINT)			\
	X##_F(be64, sb_icount,		128,	UINT)			\
	X##_F(be64, sb_ifree,		136,	UINT)			\
	X##_F(be64, sb_fdblocks,	144,	UINT)			\
	X##_F(be64, sb_frextents,	152,	UINT)			\
	X##_F(be64, sb_uquotino,	160,	INO)			\
	X##_F(be64, sb_gquotino,	168,	INO)			\
	X##_N(be16, sb_qflags,		176,	FLAGS, xfs_sb_qflag_names) \
	X##_F(u8, sb_flags,		178,	HEX)			\
	X##_F(u8, sb_shared_vn,		179,	UINT)			\
	X##_F(be32, sb_inoalignmt,	180,	UINT)			\
	X##_F(be32, sb_unit,		184,	UINT)			\
	X##_F(be32, sb_width,		188,	UINT)			\
	X##_F(u8, sb_dirblklog,		192,	UINT)			\
	X##_F(u8, sb_logsectlog,	193,	UINT)			\
	X##_F(be16, sb_logsectsize,	194,	UINT)			\
	X##_F(be32, sb_logsunit,	196,	UINT)			\
	X##_N(be32, sb_features2,	200,	FLAGS, xfs_sb_features2_names) \
	X##_N(be32, sb_bad_features2,	204,	FLAGS, xfs_sb_features2_names) \
	X##_W(be32, sb_features_compat,	208,	HEX, NULL, XFS_SB_V5, 0) \
	X##_W(be32, sb_features_ro_compat, 212,	FLAGS,			\
	      xfs_sb_ro_compat_names, XFS_SB_V5, 0)			\
	X##_W(be32, sb_features_incompat, 216,	FLAGS,			\
	      xfs_sb_incompat_names, XFS_SB_V5, 0)			\
	X##_W(be32, sb_features_log_incompat, 220, FLAGS,		\
	      xfs_sb_log_incompat_names, XFS_SB_V5, 0)			\
	X##_W(le32, sb_crc,		224,	CRC, NULL, XFS_SB_V5, 0) \
	X##_W(be32, sb_spino_align,	228,	UINT, NULL, XFS_SB_V5, 0) \
	X##_W(be64, sb_pquotino,	232,	INO, NULL, XFS_SB_V5, 0) \
	X##_W(be64, sb_lsn,		240,	LSN, NULL, XFS_SB_V5, 0) \
	X##_C(16, sb_meta_uuid,		248,	UUID, XFS_SB_V5, 0)	\
	X##_W(be64, sb_metadirino,	264,	INO, NULL, XFS_SB_METADIR, 0) \
	X##_W(be32, sb_rgcount,		272,	UINT, NULL, XFS_SB_METADIR, 0) \
	X##_W(be32, sb_rgextents,	276,	UINT, NULL, XFS_SB_METADIR, 0) \
	X##_W(u8, sb_rgblklog,		280,	UINT, NULL, XFS_SB_METADIR, 0) \
	X##_C(7, sb_pad,		281,	PAD, XFS_SB_METADIR, 0)	\
	X##_W(be64, sb_rtstart,		288,	UINT, NULL, XFS_SB_ZONED, 0) \
	X##_W(be64, sb_rtreserved,	296,	UINT, NULL, XFS_SB_ZONED, 0)
XFS_DECLARE(xfs_sb, XFS_SB_ROWS, 304);
XFS_DECLARE_ENCODE(xfs_sb);

/* The variant of @sb: XFS_SB_V5 and its neighbours. */
unsigned int xfs_sb_variant(const struct xfs_sb *sb);

/*
 * NULL, or why the superblock @sb, decoded from the @len_bytes at @raw, is not
 * one to work with: magic, checksum (V5; needs sb_sectsize bytes at @raw), a
 * size or a count that cannot be. What passes has no size that overflows:
 * block 512 B to 64 KiB, sector 512 B to 32 KiB, a group of at most 1 TiB, a
 * log of at most 2 GiB inside one group, devices of less than 2^63 bytes. Does
 * not judge feature bits, counters and inode numbers.
 */
const char *xfs_sb_verify(const struct xfs_sb *sb, const void *raw,
			  size_t len_bytes);

/*
 * Show a superblock, of which only parts may be there: then the geometry says
 * which fields there are.
 */
void xfs_sb_walk(const struct xfs_walk *w);

#endif
