/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What items name, in the units that filters use, and whether there can be
 * such a thing in the filesystem.
 */
#include "libxfsfmt/logitem_priv.h"

static void name(const struct touch_sink *sink, enum xfs_touch_kind kind,
		 uint64_t first, uint64_t count)
{
	const struct xfs_touch touch = { kind, first, count };

	if (count && count - 1 <= UINT64_MAX - first)
		sink->fn(sink->ctx, &touch);
}

void touch_inodes(const struct touch_sink *sink, uint64_t first,
		  uint64_t count)
{
	name(sink, XFS_TOUCH_INO, first, count);
}

void touch_daddr(const struct touch_sink *sink, uint64_t first,
		 uint64_t count_bb)
{
	name(sink, XFS_TOUCH_DADDR, first, count_bb);
}

void touch_blocks(const struct touch_sink *sink, uint64_t first,
		  uint64_t count, bool rt)
{
	if (rt)
		name(sink, XFS_TOUCH_RTBLOCK, first, count);
}

const char *logitem_check_blocks(const struct xfs_geom *geom, uint64_t first,
				 uint64_t count, bool rt)
{
	(void)geom;
	(void)rt;
	if (!count)
		return "extent of no length";
	if (count - 1 > UINT64_MAX - first)
		return "extent out of range";
	return NULL;
}

const char *logitem_check_ino(const struct xfs_geom *geom, uint64_t ino)
{
	(void)geom;
	return ino == 0 || ino == UINT64_MAX ? "inode number out of range" :
	       NULL;
}
