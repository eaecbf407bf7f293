/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ICREATE items: a chunk of inodes is to be written as if new. Its body is
 * big-endian whoever wrote it; only type and size are in the writer's order.
 */
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_icreate_log, XFS_ICREATE_LOG_ROWS)

static const char *icreate_verify(const struct xfs_logitem_view *v)
{
	struct xfs_icreate_log icl;

	if (logitem_fmt_bytes(v) < xfs_icreate_log_size)
		return "inode chunk too short";
	xfs_icreate_log_decode(&icl, v->regions[0].data, xfs_icreate_log_size,
			       v->order);
	if (!icl.icl_agbno || icl.icl_agbno == XFS_NULL_AGBLOCK)
		return "inode chunk at an impossible block";
	if (!icl.icl_count || !icl.icl_length)
		return "inode chunk of no size";
	return NULL;
}

static void icreate_walk(const struct xfs_logitem_view *v,
			 const struct xfs_walk *w)
{
	(void)v;
	xfs_walk_fields(w, xfs_icreate_log_fields, 0, 0);
}

const struct xfs_logitem_ops xfs_logitem_icreate_ops = {
	1, 1, icreate_verify, icreate_walk, NULL,
};
