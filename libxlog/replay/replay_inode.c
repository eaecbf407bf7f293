/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * INODE items: the core of an inode and those of its forks that were changed.
 *
 * On version 5 an inode has an LSN of its own. An item older than it does not
 * apply, one of the same LSN does, since the LSN of an inode is that of its
 * checkpoint and not of a write to disk; each item applied stamps the inode.
 * On version 4 it is the flush counter that tells which is newer.
 *
 * An inode with a wrong checksum gets the rules for torn blocks: see
 * replay_buf.c.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inodelog.h"
#include "libxlog/replay/window.h"

enum {
	FLUSHITER_OFF = 30,
	FLUSHITER_MAX = 0xffff,
	FLUSHITER_WRAPPED = 0x7fff,	/* logged less: it has begun anew */
};

/* An inode on its way. */
struct applying {
	struct replay	*r;
	const struct replay_item *it;
	struct target	*t;
	struct xfs_logitem_inode in;
	struct xfs_dinode di;		/* as logged */
	uint8_t		*raw;		/* on disk: geom->inodesize bytes */
};

static int bad_inode(const struct applying *a, int rc, const char *why)
{
	return replay_refuse(a->r, rc, "inode", a->it->lsn, "inode %llu: %s",
			     (unsigned long long)a->in.ilf.ilf_ino, why);
}

static int plan_inode(struct replay *r, const struct replay_item *it)
{
	struct xfs_logitem_inode in;
	const char *why = xfs_logitem_inode(&it->view, &in);

	if (why)
		return replay_refuse(r, -EUCLEAN, "item", it->lsn,
				     "inode item: %s", why);
	return plan_target(r, it, in.ilf.ilf_blkno, in.ilf.ilf_len);
}

static void stamp_crc(const struct applying *a)
{
	size_t bytes = a->r->geom.inodesize;

	put_le32(a->raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(a->raw, bytes, XFS_DINODE_CRC_OFF));
}

/* Is the inode on disk newer than the item? */
static bool is_newer_v5(const struct applying *a)
{
	xfs_lsn_t lsn = get_be64(a->raw + XFS_DINODE_LSN_OFF);

	return lsn && lsn != XLOG_LSN_NONE && lsn > a->it->lsn;
}

static bool is_newer_v4(const struct applying *a)
{
	uint16_t disk = get_be16(a->raw + FLUSHITER_OFF);

	if (a->di.di_flushiter >= disk)
		return false;
	return disk != FLUSHITER_MAX || a->di.di_flushiter >= FLUSHITER_WRAPPED;
}

/* --- forks --- */

static const char *copy_fork(uint8_t *fork, size_t room,
			     const struct xfs_log_region *region)
{
	if (region->len_bytes > room)
		return "a fork longer than its room";
	memcpy(fork, region->data, region->len_bytes);
	return NULL;
}

static const char *apply_fork(const struct applying *a, bool attr)
{
	const struct xfs_log_region *region = attr ? a->in.afork : a->in.dfork;
	uint32_t root = attr ? XFS_ILOG_ABROOT : XFS_ILOG_DBROOT;
	size_t bytes = a->r->geom.inodesize;
	uint8_t *fork = a->raw + xfs_dinode_core_bytes(&a->di);
	size_t room = attr ? xfs_dinode_afork_bytes(&a->di, bytes) :
			     xfs_dinode_dfork_bytes(&a->di, bytes);

	if (!region)
		return NULL;
	if (attr)
		fork += (size_t)a->di.di_forkoff * 8;
	if (!(a->in.ilf.ilf_fields & root))
		return copy_fork(fork, room, region);
	return xfs_broot_to_disk(fork, room, region->data, region->len_bytes,
				 attr ? XFS_BTREE_BMAP :
					xfs_dinode_broot_kind(&a->di),
				 a->r->geom.v5);
}

static int apply_item(const struct applying *a)
{
	const struct xfs_log_region *core = a->in.core;
	const char *why;

	xfs_log_dinode_to_disk(a->raw, core->data, core->len_bytes, &a->di,
			       a->it->view.order);
	if (a->r->geom.v5)
		put_be64(a->raw + XFS_DINODE_LSN_OFF, a->it->lsn);
	if (a->in.ilf.ilf_fields & XFS_ILOG_DEV)
		put_be32(a->raw + xfs_dinode_core_bytes(&a->di),
			 a->in.ilf.ilf_rdev);
	why = apply_fork(a, false);
	if (!why)
		why = apply_fork(a, true);
	if (why)
		return bad_inode(a, -EUCLEAN, why);
	a->t->dirty = true;
	return 0;
}

/* --- the whole --- */

static int start(struct applying *a)
{
	size_t bytes = a->r->geom.inodesize;
	const struct xfs_log_region *core = a->in.core;

	if (a->t->at.len_bb * BB_SIZE < bytes ||
	    a->in.ilf.ilf_boffset > a->t->at.len_bb * BB_SIZE - bytes ||
	    core->len_bytes < (a->r->geom.v5 ? XFS_LOG_DINODE_V3_BYTES :
					       XFS_LOG_DINODE_V2_BYTES))
		return bad_inode(a, -EUCLEAN, "outside its cluster");
	a->t->inodes = true;
	a->raw = a->t->data + a->in.ilf.ilf_boffset;
	xfs_dinode_decode(&a->di, core->data, core->len_bytes,
			  a->it->view.order);
	if (get_be16(a->raw) != XFS_DINODE_MAGIC)
		return bad_inode(a, -EUCLEAN, "no inode on disk where the log has it");
	return 0;
}

static int remember_owner(const struct applying *a)
{
	uint32_t fields = a->in.ilf.ilf_fields;
	int rc = 0;

	if (fields & XFS_ILOG_DOWNER)
		rc = owner_remember(a->r, a->in.ilf.ilf_ino, false);
	if (!rc && fields & XFS_ILOG_AOWNER)
		rc = owner_remember(a->r, a->in.ilf.ilf_ino, true);
	return rc;
}

static int finish(const struct applying *a)
{
	const char *why;

	if (a->r->geom.v5)
		stamp_crc(a);
	why = xfs_dinode_verify(a->raw, &a->r->geom, a->in.ilf.ilf_ino);
	return why ? bad_inode(a, -EUCLEAN, why) : 0;
}

static int apply_inode(struct replay *r, const struct replay_item *it)
{
	struct applying a = { .r = r, .it = it };
	const char *why = xfs_logitem_inode(&it->view, &a.in);
	bool newer, apply;
	int rc;

	if (why)
		return bad_inode(&a, -EUCLEAN, why);
	a.t = apply_target(r, it, a.in.ilf.ilf_blkno, a.in.ilf.ilf_len);
	if (!a.t)
		return 0;
	rc = start(&a);
	if (!rc)
		rc = remember_owner(&a);
	if (rc)
		return rc;
	newer = r->geom.v5 ? is_newer_v5(&a) : is_newer_v4(&a);
	rc = torn_inode_item(r, a.raw, a.in.ilf.ilf_ino, it->lsn, newer,
			     &apply);
	if (rc)
		return rc;
	if (!apply) {
		if (r->counting)
			r->res->newer++;
		return 0;
	}
	rc = apply_item(&a);
	if (!rc)
		rc = finish(&a);
	if (!rc && r->counting)
		r->res->inodes++;
	return rc;
}

const struct replay_type replay_inode = {
	.type = XFS_LI_INODE,
	.plan = plan_inode,
	.apply = apply_inode,
};
