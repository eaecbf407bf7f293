/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Geometry: what of the superblock the other structures need to be read, and
 * conversions between the units of types.h. Made from a superblock that
 * xfs_sb_verify() has passed, so that no shift or product here overflows.
 */
#ifndef LIBXFSFMT_GEOM_H
#define LIBXFSFMT_GEOM_H

#include "libxfsfmt/sb.h"

struct xfs_geom {
	uint8_t		blocklog, sectlog, inodelog, inopblog, agblklog;
	uint32_t	blocksize, sectsize, inodesize, inopblock;
	uint32_t	dirblock_bytes;
	uint32_t	agcount, agblocks;
	uint64_t	dblocks;
	uint32_t	sparse_blocks;	/* smallest inode chunk; 0: only whole */
	uint64_t	rblocks;	/* of the realtime device, 0: none */
	uint32_t	rgblocks;	/* of a realtime group, 0: no groups */
	uint32_t	rgcount;
	uint8_t		rgblklog;
	uint8_t		meta_uuid[16];	/* the one in metadata blocks */
	/* features */
	bool		v5;		/* checksums, LSNs, v3 inodes */
	bool		log_v2, ftype, ascii_ci, attr2, lazycount, projid32;
	bool		finobt, rmapbt, reflink, inobtcount;
	bool		sparse, bigtime, nrext64, exchange, parent, metadir,
			zoned;
};

void xfs_geom_init(struct xfs_geom *g, const struct xfs_sb *sb);

/* --- filesystem blocks --- */

static inline xfs_agnumber_t xfs_fsb_agno(const struct xfs_geom *g,
					  xfs_fsblock_t fsb)
{
	uint64_t agno = fsb >> g->agblklog;

	return agno > UINT32_MAX ? UINT32_MAX : (xfs_agnumber_t)agno;
}

static inline xfs_agblock_t xfs_fsb_agbno(const struct xfs_geom *g,
					  xfs_fsblock_t fsb)
{
	return (xfs_agblock_t)(fsb & (((uint64_t)1 << g->agblklog) - 1));
}

/* Blocks of group @agno: the last one may be smaller. 0: no such group. */
static inline uint32_t xfs_ag_blocks(const struct xfs_geom *g,
				     xfs_agnumber_t agno)
{
	if (agno >= g->agcount)
		return 0;
	if (agno + 1 < g->agcount)
		return g->agblocks;
	return (uint32_t)(g->dblocks - (uint64_t)agno * g->agblocks);
}

/* True if the @len blocks from @fsb lie in one group of the filesystem. */
static inline bool xfs_fsb_ok(const struct xfs_geom *g, xfs_fsblock_t fsb,
			      uint64_t len)
{
	uint32_t blocks = xfs_ag_blocks(g, xfs_fsb_agno(g, fsb));
	xfs_agblock_t agbno = xfs_fsb_agbno(g, fsb);

	return agbno < blocks && len && len <= blocks - agbno;
}

static inline xfs_daddr_t xfs_agb_to_daddr(const struct xfs_geom *g,
					   xfs_agnumber_t agno,
					   xfs_agblock_t agbno)
{
	return ((uint64_t)agno * g->agblocks + agbno)
	       << (g->blocklog - BB_SHIFT);
}

static inline xfs_daddr_t xfs_fsb_to_daddr(const struct xfs_geom *g,
					   xfs_fsblock_t fsb)
{
	return xfs_agb_to_daddr(g, xfs_fsb_agno(g, fsb),
				xfs_fsb_agbno(g, fsb));
}

/* Group of @daddr; UINT32_MAX if it lies behind the filesystem. */
static inline xfs_agnumber_t xfs_daddr_agno(const struct xfs_geom *g,
					    xfs_daddr_t daddr)
{
	uint64_t fsb = daddr >> (g->blocklog - BB_SHIFT);

	return fsb < g->dblocks ? (xfs_agnumber_t)(fsb / g->agblocks) :
	       UINT32_MAX;
}

static inline xfs_agblock_t xfs_daddr_agbno(const struct xfs_geom *g,
					    xfs_daddr_t daddr)
{
	return (xfs_agblock_t)((daddr >> (g->blocklog - BB_SHIFT)) %
			       g->agblocks);
}

/* --- inodes --- */

static inline xfs_agnumber_t xfs_ino_agno(const struct xfs_geom *g,
					  xfs_ino_t ino)
{
	uint64_t agno = ino >> (g->agblklog + g->inopblog);

	return agno > UINT32_MAX ? UINT32_MAX : (xfs_agnumber_t)agno;
}

static inline xfs_agblock_t xfs_ino_agbno(const struct xfs_geom *g,
					  xfs_ino_t ino)
{
	return (xfs_agblock_t)((ino >> g->inopblog) &
			       (((uint64_t)1 << g->agblklog) - 1));
}

static inline xfs_agino_t xfs_ino_agino(const struct xfs_geom *g,
					xfs_ino_t ino)
{
	return (xfs_agino_t)(ino &
			     (((uint64_t)1 << (g->agblklog + g->inopblog)) - 1));
}

/* Slot of the inode in its block. */
static inline uint32_t xfs_ino_slot(const struct xfs_geom *g, xfs_ino_t ino)
{
	return (uint32_t)(ino & (g->inopblock - 1));
}

static inline xfs_ino_t xfs_ino_make(const struct xfs_geom *g,
				     xfs_agnumber_t agno, xfs_agino_t agino)
{
	return (xfs_ino_t)agno << (g->agblklog + g->inopblog) | agino;
}

/* True if @ino is a number an inode of this filesystem can have. */
static inline bool xfs_geom_ino_ok(const struct xfs_geom *g, xfs_ino_t ino)
{
	return ino && xfs_ino_agbno(g, ino) <
		      xfs_ag_blocks(g, xfs_ino_agno(g, ino));
}

#endif
