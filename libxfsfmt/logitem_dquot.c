/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DQUOT items: a quota record, as it lies on disk and so always big-endian,
 * and where it belongs. QUOTAOFF items of old kernels: a kind of quota was
 * turned off, what the log says of it no longer counts.
 */
#include "libxfsfmt/dquot.h"
#include "libxfsfmt/geom.h"
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_dq_logformat, XFS_DQ_LOGFORMAT_ROWS)
XFS_DEFINE(xfs_qoff_logformat, XFS_QOFF_LOGFORMAT_ROWS)

const struct xfs_name xfs_qoff_flag_names[] = {
	{ XFS_QOFF_USER, "user" },
	{ XFS_QOFF_PROJECT, "project" },
	{ XFS_QOFF_GROUP, "group" },
	{ .name = NULL },
};

static const char *dquot_verify(const struct xfs_logitem_view *v)
{
	const struct xfs_geom *g = v->geom;
	struct xfs_dq_logformat fmt;
	struct xfs_disk_dquot dq;

	if (logitem_fmt_bytes(v) < xfs_dq_logformat_size)
		return "quota format too short";
	xfs_dq_logformat_decode(&fmt, v->regions[0].data,
				xfs_dq_logformat_size, v->order);
	if (fmt.qlf_len != 1)
		return "quota record not in one block";
	if (g && (fmt.qlf_boffset > g->blocksize ||
		  g->blocksize - fmt.qlf_boffset < xfs_dqblk_size))
		return "quota record past the end of its block";
	if (v->regions[1].len_bytes < xfs_disk_dquot_size)
		return "quota record too short";
	xfs_disk_dquot_decode(&dq, v->regions[1].data, xfs_disk_dquot_size,
			      XFS_BE);
	if (dq.d_id != fmt.qlf_id)
		return "quota record of another id";
	return xfs_disk_dquot_verify(&dq);
}

static void dquot_walk(const struct xfs_logitem_view *v,
		       const struct xfs_walk *w)
{
	const struct xfs_log_region *r = logitem_region(v, 1);
	struct xfs_walk record = *w;

	xfs_walk_fields(w, xfs_dq_logformat_fields, 0, 0);
	if (!r)
		return;
	record.base = r->data;
	record.len_bytes = r->len_bytes;
	w->ops->enter(w->ctx, "dquot", -1);
	xfs_disk_dquot_walk(&record, 0);
	w->ops->leave(w->ctx);
}

static void dquot_touches(const struct xfs_logitem_view *v,
			  const struct touch_sink *sink)
{
	struct xfs_dq_logformat fmt;
	uint64_t first, last;

	if (logitem_fmt_bytes(v) < xfs_dq_logformat_size)
		return;
	xfs_dq_logformat_decode(&fmt, v->regions[0].data,
				xfs_dq_logformat_size, v->order);
	first = fmt.qlf_boffset / BB_SIZE;
	last = (fmt.qlf_boffset + (uint64_t)xfs_dqblk_size - 1) / BB_SIZE;
	/* the slots of records do not keep to sectors */
	if (fmt.qlf_blkno <= UINT64_MAX - first)
		xfs_touch_daddr(sink, fmt.qlf_blkno + first, last - first + 1);
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
