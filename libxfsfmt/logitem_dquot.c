/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DQUOT items: a quota record, as it lies on disk and so always big-endian,
 * and where it belongs. QUOTAOFF items of old kernels: a kind of quota was
 * turned off, what the log says of it no longer counts.
 */
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_dq_logformat, XFS_DQ_LOGFORMAT_ROWS)
XFS_DEFINE(xfs_qoff_logformat, XFS_QOFF_LOGFORMAT_ROWS)

enum { DISK_DQUOT_BYTES = 104 };

const struct xfs_name xfs_qoff_flag_names[] = {
	{ XFS_QOFF_USER, "user" },
	{ XFS_QOFF_PROJECT, "project" },
	{ XFS_QOFF_GROUP, "group" },
	{ .name = NULL },
};

static const char *dquot_verify(const struct xfs_logitem_view *v)
{
	if (logitem_fmt_bytes(v) < xfs_dq_logformat_size)
		return "quota format too short";
	if (v->regions[1].len_bytes < DISK_DQUOT_BYTES)
		return "quota record too short";
	return NULL;
}

static void dquot_walk(const struct xfs_logitem_view *v,
		       const struct xfs_walk *w)
{
	(void)v;
	xfs_walk_fields(w, xfs_dq_logformat_fields, 0, 0);
}

static void dquot_touches(const struct xfs_logitem_view *v,
			  const struct touch_sink *sink)
{
	struct xfs_dq_logformat fmt;

	if (logitem_fmt_bytes(v) < xfs_dq_logformat_size)
		return;
	xfs_dq_logformat_decode(&fmt, v->regions[0].data,
				xfs_dq_logformat_size, v->order);
	touch_daddr(sink, fmt.qlf_blkno, 1);
}

const struct xfs_logitem_ops xfs_logitem_dquot_ops = {
	2, 2, dquot_verify, dquot_walk, dquot_touches,
};

/* --- QUOTAOFF --- */

static const char *quotaoff_verify(const struct xfs_logitem_view *v)
{
	return logitem_fmt_bytes(v) < xfs_qoff_logformat_size ?
	       "quotaoff format too short" : NULL;
}

static void quotaoff_walk(const struct xfs_logitem_view *v,
			  const struct xfs_walk *w)
{
	(void)v;
	xfs_walk_fields(w, xfs_qoff_logformat_fields, 0, 0);
}

const struct xfs_logitem_ops xfs_logitem_quotaoff_ops = {
	1, 1, quotaoff_verify, quotaoff_walk, NULL,
};
