/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quota records: verifiers and walks.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/dquot.h"

enum { ID_OFF = 4 };	/* of d_id */

XFS_DEFINE(xfs_disk_dquot, XFS_DISK_DQUOT_ROWS)
XFS_DEFINE(xfs_dqblk, XFS_DQBLK_ROWS)

const struct xfs_name xfs_dqtype_names[] = {
	{ XFS_DQTYPE_USER, "user" },
	{ XFS_DQTYPE_PROJ, "project" },
	{ XFS_DQTYPE_GROUP, "group" },
	{ XFS_DQTYPE_BIGTIME, "bigtime" },
	{ .name = NULL },
};

/* More is used than the soft limit, but the time it may last is not set. */
static bool lacks_timer(uint64_t used, uint64_t softlimit, uint32_t timer)
{
	return softlimit && used > softlimit && !timer;
}

const char *xfs_disk_dquot_verify(const struct xfs_disk_dquot *dq)
{
	uint8_t rec = dq->d_type & XFS_DQTYPE_REC_MASK;

	if (dq->d_magic != XFS_DQUOT_MAGIC)
		return "bad quota record magic";
	if (dq->d_version != XFS_DQUOT_VERSION)
		return "unknown quota record version";
	if (dq->d_type & ~(XFS_DQTYPE_REC_MASK | XFS_DQTYPE_BIGTIME))
		return "unknown quota record type";
	if (rec != XFS_DQTYPE_USER && rec != XFS_DQTYPE_PROJ &&
	    rec != XFS_DQTYPE_GROUP)
		return "quota record of no type or of several";
	/* the record of id 0 holds default limits, not times */
	if (dq->d_type & XFS_DQTYPE_BIGTIME && !dq->d_id)
		return "bigtime in the quota record of id 0";
	if (dq->d_id &&
	    (lacks_timer(dq->d_bcount, dq->d_blk_softlimit, dq->d_btimer) ||
	     lacks_timer(dq->d_icount, dq->d_ino_softlimit, dq->d_itimer) ||
	     lacks_timer(dq->d_rtbcount, dq->d_rtb_softlimit,
			 dq->d_rtbtimer)))
		return "quota record over its soft limit without a timer";
	return NULL;
}

const char *xfs_dqblk_verify(const void *raw, const struct xfs_geom *g)
{
	struct xfs_disk_dquot dq;

	if (g->v5) {
		if (!xfs_crc_ok(raw, xfs_dqblk_size, XFS_DQBLK_CRC_OFF))
			return "wrong checksum";
		if (memcmp((const uint8_t *)raw + 120, g->meta_uuid, 16))
			return "UUID of another filesystem";
	}
	xfs_disk_dquot_decode(&dq, raw, xfs_disk_dquot_size, XFS_BE);
	if (dq.d_type & XFS_DQTYPE_BIGTIME && !g->bigtime)
		return "bigtime quota record on a filesystem without that";
	return xfs_disk_dquot_verify(&dq);
}

const char *xfs_dquot_block_verify(const void *raw, size_t len_bytes,
				   const struct xfs_geom *g)
{
	const uint8_t *first = raw, *slot = raw;

	for (uint32_t i = 0; i < len_bytes / xfs_dqblk_size; i++) {
		const char *why = xfs_dqblk_verify(slot, g);

		if (why)
			return why;
		if (get_be32(slot + ID_OFF) != get_be32(first + ID_OFF) + i)
			return "quota records whose ids do not go up by one";
		slot += xfs_dqblk_size;
	}
	return NULL;
}

static unsigned int dquot_variant(const struct xfs_walk *w, size_t off_bytes)
{
	const uint8_t *type = w->base + off_bytes + 3;

	return xfs_walk_has(w, off_bytes + 3, 1) &&
	       *type & XFS_DQTYPE_BIGTIME ? XFS_DQ_BIGTIME : 0;
}

void xfs_disk_dquot_walk(const struct xfs_walk *w, size_t off_bytes)
{
	xfs_walk_fields(w, xfs_disk_dquot_fields, off_bytes,
			dquot_variant(w, off_bytes));
}

void xfs_dqblk_walk(const struct xfs_walk *w, size_t off_bytes)
{
	xfs_disk_dquot_walk(w, off_bytes);
	if (!w->geom || w->geom->v5)
		xfs_walk_fields(w, xfs_dqblk_fields, off_bytes, XFS_DQ_V5);
}

void xfs_dquot_block_walk(const struct xfs_walk *w)
{
	size_t off = 0;

	for (long i = 0; off + xfs_dqblk_size <= w->len_bytes;
	     i++, off += xfs_dqblk_size) {
		if (!xfs_walk_has(w, off, 4))
			continue;
		w->ops->enter(w->ctx, "dq", i);
		xfs_dqblk_walk(w, off);
		w->ops->leave(w->ctx);
	}
}
