/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space that was set aside for copy on write and is not in any file yet. It
 * has records of its own in the btree of reference counts, behind all others:
 * the top bit of their start is set, and the count is one.
 */
#include <stdio.h>

#include "libxlog/replay/fsread.h"
#include "libxlog/replay/remain.h"

#define COW_KEY	0x80000000u

struct cow {
	struct replay	*r;
	uint32_t	group;
	bool		realtime;
	uint64_t	blocks;		/* of the group */
	uint64_t	end;		/* of the extent before */
};

static int bad_record(const struct cow *c, const char *why)
{
	return replay_refuse(c->r, -EUCLEAN, "cow", XLOG_LSN_NONE,
			     "CoW extents of %sgroup %u: %s",
			     c->realtime ? "realtime " : "", c->group, why);
}

static int add_record(void *ctx, const uint8_t *raw)
{
	struct cow *c = ctx;
	struct xfs_refcount_rec rec;
	uint64_t end;
	char text[96];

	xfs_refcount_rec_decode(&rec, raw, xfs_refcount_rec_size, XFS_BE);
	end = rec.rc_startblock + rec.rc_blockcount;
	if (!rec.rc_blockcount || end > c->blocks)
		return bad_record(c, "behind the end of the group");
	if (rec.rc_startblock < c->end)
		return bad_record(c, "one overlaps another");
	if (rec.rc_refcount != 1)
		return bad_record(c, "one is referred to more than once");
	c->end = end;
	c->r->res->cow_extents++;
	c->r->realtime_left |= c->realtime;
	snprintf(text, sizeof(text),
		 "%s%u/%u+%u: set aside for copy on write",
		 c->realtime ? "rtg" : "ag", c->group,
		 (uint32_t)rec.rc_startblock, rec.rc_blockcount);
	remain_tell(c->r, &(struct xlog_remainder){
		.kind = XLOG_REMAINDER_COW,
		.lsn = XLOG_LSN_NONE,
		.ag = c->group,
		.agbno = (uint32_t)rec.rc_startblock,
		.blocks = rec.rc_blockcount,
		.realtime = c->realtime,
		.text = text,
	});
	return 0;
}

static int walk_group(struct replay *r, xfs_agnumber_t agno)
{
	struct cow c = {
		.r = r,
		.group = agno,
		.blocks = xfs_ag_blocks(&r->geom, agno),
	};
	struct fstree tree = {
		.kind = XFS_BTREE_REFC,
		.owner = agno,
		.first_key = COW_KEY,
		.record = add_record,
		.ctx = &c,
	};
	struct xfs_agf agf;
	int rc = fsread_agf(r, agno, &agf);

	if (rc)
		return rc;
	return fstree_walk(r, &tree, agf.agf_refcount_root,
			   agf.agf_refcount_level);
}

static int walk_rtgroup(struct replay *r, void *ctx, uint32_t rgno,
			const struct fsinode *in)
{
	struct cow c = {
		.r = r,
		.group = rgno,
		.realtime = true,
		.blocks = rtgroup_blocks(&r->geom, rgno),
	};
	struct fstree tree = {
		.kind = XFS_BTREE_RTREFC,
		.owner = in->ino,
		.first_key = COW_KEY,
		.record = add_record,
		.ctx = &c,
	};

	(void)ctx;
	if (in->di.di_format != XFS_DINODE_FMT_META_BTREE)
		return bad_record(&c, "the inode of reference counts has no btree");
	return fstree_walk_fork(r, &tree, in);
}

int remain_cow(struct replay *r)
{
	int rc = 0;

	if (!r->geom.reflink)
		return 0;
	for (xfs_agnumber_t ag = 0; ag < r->geom.agcount && !rc; ag++)
		rc = walk_group(r, ag);
	/* without groups realtime space is not shared */
	if (!rc && r->geom.metadir && r->geom.rblocks)
		rc = rtgroup_each(r, "refcount", XFS_METAFILE_RTREFCOUNT,
				  walk_rtgroup, NULL);
	return rc;
}
