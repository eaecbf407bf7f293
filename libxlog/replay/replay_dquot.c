/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DQUOT items: one quota record, always whole; and QUOTAOFF items of old
 * kernels, after which no record of that type counts, wherever in the log it
 * stands.
 *
 * On version 5 a record has an LSN of its own, that of the checkpoint with
 * which it was written back; items that are not newer do not apply. Replay
 * does not change it. The records of a block do not keep to sectors, so that a
 * torn write leaves one of them with a wrong checksum. If its LSN is older
 * than an item, the item replaces all that the log has of it. If it is not,
 * all items are applied, and at that of its LSN the record must have the
 * checksum it has on disk; else the whole block is refused at the end.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/dquot.h"
#include "libxlog/replay/window.h"

enum { DD_LSN_OFF = 112 };

/* A record on its way. */
struct applying {
	struct replay	*r;
	const struct replay_item *it;
	struct xfs_dq_logformat fmt;
	struct xfs_disk_dquot dq;	/* as logged */
};

static int bad_dquot(const struct applying *a, const char *why)
{
	return replay_refuse(a->r, -EUCLEAN, "item.dquot", a->it->lsn,
			     "quota record %u in byte %u of the block at daddr %llu: %s",
			     a->fmt.qlf_id, a->fmt.qlf_boffset,
			     (unsigned long long)a->fmt.qlf_blkno, why);
}

static uint32_t block_bb(const struct replay *r)
{
	return r->geom.blocksize / BB_SIZE;
}

static int parse(struct applying *a)
{
	const struct xfs_log_region *regions = a->it->view.regions;
	const char *why = xfs_logitem_verify(&a->it->view);

	if (why)
		return bad_dquot(a, why);
	xfs_dq_logformat_decode(&a->fmt, regions[0].data,
				xfs_dq_logformat_size, a->it->view.order);
	xfs_disk_dquot_decode(&a->dq, regions[1].data, xfs_disk_dquot_size,
			      XFS_BE);
	if (a->fmt.qlf_boffset % xfs_dqblk_size)
		return bad_dquot(a, "between two slots of the block");
	return 0;
}

static int plan_dquot(struct replay *r, const struct replay_item *it)
{
	struct applying a = { .r = r, .it = it };
	int rc = parse(&a);

	/* whether its type counts is known only at the end of the log */
	return rc ? rc : plan_target(r, it, a.fmt.qlf_blkno, block_bb(r));
}

/* Does the slot say that it has the item already? */
static bool is_newer(const struct applying *a, const uint8_t *slot)
{
	xfs_lsn_t lsn = get_be64(slot + DD_LSN_OFF);

	return a->r->geom.v5 && lsn && lsn != XFS_NULL_LSN &&
	       lsn >= a->it->lsn;
}

static void copy(const struct applying *a, uint8_t *slot)
{
	memcpy(slot, a->it->view.regions[1].data, xfs_disk_dquot_size);
}

/* The slot is torn: it was newer, or is it the item that made it? */
static void apply_torn(const struct applying *a, struct target *t,
		       uint8_t *slot)
{
	struct replay *r = a->r;

	copy(a, slot);
	t->dirty = true;
	if (!xfs_crc_ok(slot, xfs_dqblk_size, XFS_DQBLK_CRC_OFF) ||
	    !r->counting)
		return;
	r->res->healed++;
	notice(&r->log->sink, XLOG_WARNING, "dquot.torn", a->it->lsn,
	       "quota record %u at daddr %llu was torn by a write: healed",
	       a->fmt.qlf_id, (unsigned long long)t->at.daddr);
}

static void report_bad_crc(const struct applying *a)
{
	struct replay *r = a->r;

	if (!r->counting)
		return;
	r->res->bad_crc++;
	notice(&r->log->sink, XLOG_WARNING, "dquot.crc", a->it->lsn,
	       "quota record %u at daddr %llu had a wrong checksum; replaced by that of the log",
	       a->fmt.qlf_id, (unsigned long long)a->fmt.qlf_blkno);
}

static int apply_slot(const struct applying *a, struct target *t,
		      uint8_t *slot)
{
	bool v5 = a->r->geom.v5;
	bool bad_crc = v5 && !xfs_crc_ok(slot, xfs_dqblk_size,
					 XFS_DQBLK_CRC_OFF);
	const char *why;

	if (is_newer(a, slot)) {
		if (bad_crc) {
			apply_torn(a, t, slot);
			return 0;
		}
		t->skipped = true;
		if (a->r->counting)
			a->r->res->newer++;
		return 0;
	}
	if (bad_crc)
		report_bad_crc(a);
	copy(a, slot);
	t->dirty = true;
	if (v5)
		put_le32(slot + XFS_DQBLK_CRC_OFF,
			 xfs_crc_block(slot, xfs_dqblk_size,
				       XFS_DQBLK_CRC_OFF));
	why = xfs_dqblk_verify(slot, &a->r->geom);
	if (why)
		return bad_dquot(a, why);
	if (a->r->counting)
		a->r->res->dquots++;
	return 0;
}

static int apply_dquot(struct replay *r, const struct replay_item *it)
{
	struct applying a = { .r = r, .it = it };
	struct target *t;
	int rc = parse(&a);

	if (rc || !(r->dquot_types & a.dq.d_type))
		return rc;
	t = apply_target(r, it, a.fmt.qlf_blkno, block_bb(r));
	if (!t)
		return 0;
	t->dquots = true;
	return apply_slot(&a, t, t->data + a.fmt.qlf_boffset);
}

const struct replay_type replay_dquot = {
	.type = XFS_LI_DQUOT,
	.plan = plan_dquot,
	.apply = apply_dquot,
};

/* --- QUOTAOFF --- */

static int plan_quotaoff(struct replay *r, const struct replay_item *it)
{
	const char *why = xfs_logitem_verify(&it->view);
	struct xfs_qoff_logformat fmt;

	if (why)
		return replay_refuse(r, -EUCLEAN, "item.quotaoff", it->lsn,
				     "quotaoff item: %s", why);
	xfs_qoff_logformat_decode(&fmt, it->view.regions[0].data,
				  xfs_qoff_logformat_size, it->view.order);
	if (fmt.qf_flags & XFS_QOFF_USER)
		r->quotaoff_types |= XFS_DQTYPE_USER;
	if (fmt.qf_flags & XFS_QOFF_PROJECT)
		r->quotaoff_types |= XFS_DQTYPE_PROJ;
	if (fmt.qf_flags & XFS_QOFF_GROUP)
		r->quotaoff_types |= XFS_DQTYPE_GROUP;
	return 0;
}

const struct replay_type replay_quotaoff = {
	.type = XFS_LI_QUOTAOFF,
	.plan = plan_quotaoff,
};
