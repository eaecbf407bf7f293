/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What items name, in the units that filters use, and whether there can be
 * such a thing in the filesystem. Numbers come from the log as they are: what
 * does not fit the geometry is named in the unit it came in and no other.
 */
#include "libxfsfmt/geom.h"
#include "libxfsfmt/logitem_priv.h"

static void name(const struct touch_sink *sink, enum xfs_touch_kind kind,
		 uint64_t first, uint64_t count)
{
	const struct xfs_touch touch = { kind, first, count };

	if (count && count - 1 <= UINT64_MAX - first)
		sink->fn(sink->ctx, &touch);
}

void xfs_touch_inodes(const struct touch_sink *sink, uint64_t first,
		      uint64_t count)
{
	const struct xfs_geom *g = sink->geom;
	uint64_t agno;

	name(sink, XFS_TOUCH_INO, first, count);
	if (!g || !count || count - 1 > UINT64_MAX - first)
		return;
	agno = xfs_ino_agno(g, first);
	name(sink, XFS_TOUCH_AG, agno,
	     xfs_ino_agno(g, first + count - 1) - agno + 1);
}

void xfs_touch_daddr(const struct touch_sink *sink, uint64_t first,
		     uint64_t count_bb)
{
	const struct xfs_geom *g = sink->geom;
	uint64_t agno, last;

	name(sink, XFS_TOUCH_DADDR, first, count_bb);
	if (!g || !count_bb || count_bb - 1 > UINT64_MAX - first)
		return;
	/* not xfs_daddr_agno(): the log may grow the filesystem */
	agno = (first >> (g->blocklog - BB_SHIFT)) / g->agblocks;
	last = ((first + count_bb - 1) >> (g->blocklog - BB_SHIFT)) /
	       g->agblocks;
	name(sink, XFS_TOUCH_AG, agno, last - agno + 1);
}

void xfs_touch_ag_blocks(const struct touch_sink *sink, uint64_t agno,
			 uint64_t agbno, uint64_t count)
{
	const struct xfs_geom *g = sink->geom;
	unsigned int shift;

	if (!g || !count)
		return;
	shift = g->blocklog - BB_SHIFT;
	/* a group that is far out cannot be told in basic blocks */
	if (agbno >= g->agblocks || count > g->agblocks - agbno ||
	    agno >= (UINT64_MAX >> shift) / g->agblocks) {
		name(sink, XFS_TOUCH_AG, agno, 1);
		return;
	}
	xfs_touch_daddr(sink, (agno * g->agblocks + agbno) << shift,
			count << shift);
}

void xfs_touch_blocks(const struct touch_sink *sink, uint64_t first,
		      uint64_t count, bool rt)
{
	const struct xfs_geom *g = sink->geom;

	if (rt)
		name(sink, XFS_TOUCH_RTBLOCK, first, count);
	else if (g)
		xfs_touch_ag_blocks(sink, first >> g->agblklog,
				    xfs_fsb_agbno(g, first), count);
}

static bool rt_blocks_ok(const struct xfs_geom *g, uint64_t first,
			 uint64_t count)
{
	uint64_t group, in_group, blocks;

	if (!g->rgblocks)
		return count <= g->rblocks && first <= g->rblocks - count;
	group = first >> g->rgblklog;
	in_group = first & (((uint64_t)1 << g->rgblklog) - 1);
	if (group >= g->rgcount || group > g->rblocks / g->rgblocks)
		return false;
	blocks = g->rblocks - group * g->rgblocks;
	if (blocks > g->rgblocks)
		blocks = g->rgblocks;
	return count <= blocks && in_group <= blocks - count;
}

/* The headers of a group are never anyone's to free or to map. */
static bool data_blocks_ok(const struct xfs_geom *g, uint64_t first,
			   uint64_t count)
{
	uint32_t headers_end = (4 * g->sectsize - 1) >> g->blocklog;

	return xfs_fsb_ok(g, first, count) &&
	       xfs_fsb_agbno(g, first) > headers_end;
}

const char *xfs_logitem_check_blocks(const struct xfs_geom *geom,
				     uint64_t first, uint64_t count, bool rt)
{
	if (!count)
		return "extent of no length";
	if (count - 1 > UINT64_MAX - first)
		return "extent out of range";
	if (!geom)
		return NULL;
	if (rt)
		return rt_blocks_ok(geom, first, count) ? NULL :
		       "extent outside the realtime device";
	return data_blocks_ok(geom, first, count) ? NULL :
	       "extent outside its allocation group";
}

const char *xfs_logitem_check_ino(const struct xfs_geom *geom, uint64_t ino)
{
	if (!ino || ino == UINT64_MAX)
		return "inode number out of range";
	if (geom && !xfs_geom_ino_ok(geom, ino))
		return "inode number outside the filesystem";
	return NULL;
}
