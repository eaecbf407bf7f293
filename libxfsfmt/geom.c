/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Geometry from a superblock; see geom.h.
 */
#include "libxfsfmt/geom.h"

static void features_v4(struct xfs_geom *g, const struct xfs_sb *sb)
{
	bool more = sb->sb_versionnum & XFS_SB_VERSION_MOREBITSBIT;
	uint32_t f2 = more ? sb->sb_features2 : 0;

	g->log_v2 = sb->sb_versionnum & XFS_SB_VERSION_LOGV2BIT;
	g->ascii_ci = sb->sb_versionnum & XFS_SB_VERSION_BORGBIT;
	g->attr2 = f2 & XFS_SB_VERSION2_ATTR2BIT;
	g->lazycount = f2 & XFS_SB_VERSION2_LAZYSBCOUNTBIT;
	g->projid32 = f2 & XFS_SB_VERSION2_PROJID32BIT;
	g->ftype = f2 & XFS_SB_VERSION2_FTYPE;
}

static void features_v5(struct xfs_geom *g, const struct xfs_sb *sb)
{
	uint32_t ro = sb->sb_features_ro_compat;
	uint32_t in = sb->sb_features_incompat;

	g->log_v2 = g->attr2 = g->lazycount = g->projid32 = true;
	g->ftype = in & XFS_SB_INCOMPAT_FTYPE;
	g->finobt = ro & XFS_SB_RO_COMPAT_FINOBT;
	g->rmapbt = ro & XFS_SB_RO_COMPAT_RMAPBT;
	g->reflink = ro & XFS_SB_RO_COMPAT_REFLINK;
	g->inobtcount = ro & XFS_SB_RO_COMPAT_INOBTCNT;
	g->sparse = in & XFS_SB_INCOMPAT_SPINODES;
	g->bigtime = in & XFS_SB_INCOMPAT_BIGTIME;
	g->nrext64 = in & XFS_SB_INCOMPAT_NREXT64;
	g->exchange = in & XFS_SB_INCOMPAT_EXCHRANGE;
	g->parent = in & XFS_SB_INCOMPAT_PARENT;
	g->metadir = in & XFS_SB_INCOMPAT_METADIR;
	g->zoned = in & XFS_SB_INCOMPAT_ZONED;
}

/* Realtime block numbers have a group in them, as fsblocks do, or have not. */
static void realtime(struct xfs_geom *g, const struct xfs_sb *sb)
{
	g->rblocks = sb->sb_rblocks;
	if (!g->metadir)
		return;
	g->rgblocks = (uint32_t)((uint64_t)sb->sb_rgextents *
				 sb->sb_rextsize);
	g->rgcount = sb->sb_rgcount;
	g->rgblklog = sb->sb_rgblklog < 32 ? sb->sb_rgblklog : 32;
}

void xfs_geom_init(struct xfs_geom *g, const struct xfs_sb *sb)
{
	memset(g, 0, sizeof(*g));
	g->blocklog = sb->sb_blocklog;
	g->sectlog = sb->sb_sectlog;
	g->inodelog = sb->sb_inodelog;
	g->inopblog = sb->sb_inopblog;
	g->agblklog = sb->sb_agblklog;
	g->blocksize = sb->sb_blocksize;
	g->sectsize = sb->sb_sectsize;
	g->inodesize = sb->sb_inodesize;
	g->inopblock = sb->sb_inopblock;
	g->dirblock_bytes = (uint32_t)1 << (sb->sb_blocklog + sb->sb_dirblklog);
	g->agcount = sb->sb_agcount;
	g->agblocks = sb->sb_agblocks;
	g->dblocks = sb->sb_dblocks;
	g->v5 = (sb->sb_versionnum & XFS_SB_VERSION_MASK) == 5;
	features_v4(g, sb);
	if (g->v5)
		features_v5(g, sb);
	if (g->sparse)
		g->sparse_blocks = sb->sb_spino_align;
	realtime(g, sb);
	/* a changed user-visible UUID leaves the one in the blocks behind */
	memcpy(g->meta_uuid, g->v5 && sb->sb_features_incompat &
	       XFS_SB_INCOMPAT_META_UUID ? sb->sb_meta_uuid : sb->sb_uuid, 16);
}
