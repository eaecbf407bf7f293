/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ICREATE items: a chunk of inodes is to be written as if new. Its body is
 * big-endian whoever wrote it; only type and size are in the writer's order.
 */
#include "libxfsfmt/geom.h"
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_icreate_log, XFS_ICREATE_LOG_ROWS)
XFS_DEFINE_ENCODE(xfs_icreate_log, XFS_ICREATE_LOG_ROWS)

enum { INODES_PER_CHUNK = 64 };

static const char *check_geom(const struct xfs_icreate_log *icl,
			      const struct xfs_geom *g)
{
	uint32_t chunk = INODES_PER_CHUNK;

	/* of small inodes in large blocks there are more in the first block */
	if (chunk < g->inopblock)
		chunk = g->inopblock;
	if (icl->icl_ag >= g->agcount || icl->icl_agbno >= g->agblocks ||
	    icl->icl_length >= g->agblocks)
		return "inode chunk outside the filesystem";
	if (icl->icl_isize != g->inodesize)
		return "inode chunk with another size of inodes";
	if (icl->icl_length != chunk >> g->inopblog &&
	    (!g->sparse_blocks || icl->icl_length != g->sparse_blocks))
		return "inode chunk of an impossible length";
	if (icl->icl_count >> g->inopblog != icl->icl_length)
		return "inode chunk whose count and length do not agree";
	return NULL;
}

static const char *icreate_verify(const struct xfs_logitem_view *v)
{
	struct xfs_icreate_log icl;

	if (logitem_fmt_bytes(v) < xfs_icreate_log_size)
		return "inode chunk too short";
	xfs_icreate_log_decode(&icl, v->regions[0].data, xfs_icreate_log_size,
			       v->order);
	if (!icl.icl_agbno || icl.icl_agbno == XFS_NULL_AGBLOCK)
		return "inode chunk at an impossible block";
	if (!icl.icl_count || !icl.icl_length || !icl.icl_isize)
		return "inode chunk of no size";
	return v->geom ? check_geom(&icl, v->geom) : NULL;
}

static void icreate_walk(const struct xfs_logitem_view *v,
			 const struct xfs_walk *w)
{
	(void)v;
	xfs_walk_fields(w, xfs_icreate_log_fields, 0, 0);
}

static void icreate_touches(const struct xfs_logitem_view *v,
			    const struct touch_sink *sink)
{
	const struct xfs_geom *g = sink->geom;
	struct xfs_icreate_log icl;

	if (!g || logitem_fmt_bytes(v) < xfs_icreate_log_size)
		return;
	xfs_icreate_log_decode(&icl, v->regions[0].data, xfs_icreate_log_size,
			       v->order);
	xfs_touch_ag_blocks(sink, icl.icl_ag, icl.icl_agbno, icl.icl_length);
	if (icl.icl_agbno < g->agblocks)
		xfs_touch_inodes(sink, xfs_ino_make(g, icl.icl_ag,
				 icl.icl_agbno << g->inopblog),
				 icl.icl_count);
}

const struct xfs_logitem_ops xfs_logitem_icreate_ops = {
	1, 1, icreate_verify, icreate_walk, icreate_touches,
};
