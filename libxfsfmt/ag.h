/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The headers of an allocation group: AGF (free space), AGI (inodes) and AGFL
 * (blocks set aside for the B+trees of the group).
 *
 * Source of the layout: struct xfs_agf, xfs_agi and xfs_agfl in Linux
 * fs/xfs/libxfs/xfs_format.h; checked field by field against xfs_db.
 */
#ifndef LIBXFSFMT_AG_H
#define LIBXFSFMT_AG_H

#include "libxfsfmt/geom.h"
#include "libxfsfmt/walk.h"

#define XFS_AGF_MAGIC	0x58414746u	/* "XAGF" */
#define XFS_AGI_MAGIC	0x58414749u	/* "XAGI" */
#define XFS_AGFL_MAGIC	0x5841464cu	/* "XAFL", version 5 only */

enum {
	XFS_AGF_CRC_OFF = 216,
	XFS_AGI_CRC_OFF = 312,
	XFS_AGFL_CRC_OFF = 32,
	XFS_AGI_BUCKETS = 64,	/* unlinked lists of a group */
};

/* The fields that only version 5 has. */
enum { XFS_AG_V5 = 1 };

#define XFS_AGF_ROWS(X)							\
	X##_F(be32, agf_magicnum,	0,	MAGIC)			\
	X##_F(be32, agf_versionnum,	4,	UINT)			\
	X##_F(be32, agf_seqno,		8,	UINT)			\
	X##_F(be32, agf_length,		12,	UINT)			\
	X##_F(be32, agf_bnoroot,	16,	AGBLOCK)		\
	X##_F(be32, agf_cntroot,	20,	AGBLOCK)		\
	X##_W(be32, agf_rmaproot,	24,	AGBLOCK, NULL, XFS_AG_V5, 0) \
	X##_F(be32, agf_bnolevel,	28,	UINT)			\
	X##_F(be32, agf_cntlevel,	32,	UINT)			\
	X##_W(be32, agf_rmaplevel,	36,	UINT, NULL, XFS_AG_V5, 0) \
	X##_F(be32, agf_flfirst,	40,	UINT)			\
	X##_F(be32, agf_fllast,		44,	UINT)			\
	X##_F(be32, agf_flcount,	48,	UINT)			\
	X##_F(be32, agf_freeblks,	52,	UINT)			\
	X##_F(be32, agf_longest,	56,	UINT)			\
	X##_F(be32, agf_btreeblks,	60,	UINT)			\
	X##_C(16, agf_uuid,		64,	UUID, XFS_AG_V5, 0)	\
	X##_W(be32, agf_rmap_blocks,	80,	UINT, NULL, XFS_AG_V5, 0) \
	X##_W(be32, agf_refcount_blocks, 84,	UINT, NULL, XFS_AG_V5, 0) \
	X##_W(be32, agf_refcount_root,	88,	AGBLOCK, NULL, XFS_AG_V5, 0) \
	X##_W(be32, agf_refcount_level,	92,	UINT, NULL, XFS_AG_V5, 0) \
	X##_C(112, agf_spare64,		96,	PAD, XFS_AG_V5, 0)	\
	X##_W(be64, agf_lsn,		208,	LSN, NULL, XFS_AG_V5, 0) \
	X##_W(le32, agf_crc,		216,	CRC, NULL, XFS_AG_V5, 0) \
	X##_W(be32, agf_spare2,		220,	PAD, NULL, XFS_AG_V5, 0)
XFS_DECLARE(xfs_agf, XFS_AGF_ROWS, 224);
XFS_DECLARE_ENCODE(xfs_agf);

#define XFS_AGI_ROWS(X)							\
	X##_F(be32, agi_magicnum,	0,	MAGIC)			\
	X##_F(be32, agi_versionnum,	4,	UINT)			\
	X##_F(be32, agi_seqno,		8,	UINT)			\
	X##_F(be32, agi_length,		12,	UINT)			\
	X##_F(be32, agi_count,		16,	UINT)			\
	X##_F(be32, agi_root,		20,	AGBLOCK)		\
	X##_F(be32, agi_level,		24,	UINT)			\
	X##_F(be32, agi_freecount,	28,	UINT)			\
	X##_F(be32, agi_newino,		32,	AGINO)			\
	X##_F(be32, agi_dirino,		36,	AGINO)			\
	X##_V(be32, 64, agi_unlinked,	40,	AGINO)			\
	X##_C(16, agi_uuid,		296,	UUID, XFS_AG_V5, 0)	\
	X##_W(le32, agi_crc,		312,	CRC, NULL, XFS_AG_V5, 0) \
	X##_W(be32, agi_pad32,		316,	PAD, NULL, XFS_AG_V5, 0) \
	X##_W(be64, agi_lsn,		320,	LSN, NULL, XFS_AG_V5, 0) \
	X##_W(be32, agi_free_root,	328,	AGBLOCK, NULL, XFS_AG_V5, 0) \
	X##_W(be32, agi_free_level,	332,	UINT, NULL, XFS_AG_V5, 0) \
	X##_W(be32, agi_iblocks,	336,	UINT, NULL, XFS_AG_V5, 0) \
	X##_W(be32, agi_fblocks,	340,	UINT, NULL, XFS_AG_V5, 0)
XFS_DECLARE(xfs_agi, XFS_AGI_ROWS, 344);
XFS_DECLARE_ENCODE(xfs_agi);

/* The header of a version 5 AGFL; in version 4 the block numbers start at 0. */
#define XFS_AGFL_ROWS(X)						\
	X##_F(be32, agfl_magicnum,	0,	MAGIC)			\
	X##_F(be32, agfl_seqno,		4,	UINT)			\
	X##_A(16, agfl_uuid,		8,	UUID)			\
	X##_F(be64, agfl_lsn,		24,	LSN)			\
	X##_F(le32, agfl_crc,		32,	CRC)
XFS_DECLARE(xfs_agfl, XFS_AGFL_ROWS, 36);
XFS_DECLARE_ENCODE(xfs_agfl);

/* Entries of the free list block of a filesystem, and where the first is. */
static inline uint32_t xfs_agfl_entries(const struct xfs_geom *g)
{
	return (g->sectsize - (g->v5 ? xfs_agfl_size : 0)) / 4;
}

/*
 * NULL, or why the sector @raw of @len_bytes is not the header of group @agno:
 * magic, version, number, length, roots and levels, counters, and for version
 * 5 the checksum and the UUID. @len_bytes must be the sector size.
 */
const char *xfs_agf_verify(const void *raw, size_t len_bytes,
			   const struct xfs_geom *g, xfs_agnumber_t agno);
const char *xfs_agi_verify(const void *raw, size_t len_bytes,
			   const struct xfs_geom *g, xfs_agnumber_t agno);
const char *xfs_agfl_verify(const void *raw, size_t len_bytes,
			    const struct xfs_geom *g, xfs_agnumber_t agno);

/*
 * Show one of them. Without a geometry it is taken for one of version 5. Of
 * agfl_bno[], which fills the AGFL, the slots in use are known to the AGF
 * alone: all are shown.
 */
void xfs_agf_walk(const struct xfs_walk *w);
void xfs_agi_walk(const struct xfs_walk *w);
void xfs_agfl_walk(const struct xfs_walk *w);

#endif
