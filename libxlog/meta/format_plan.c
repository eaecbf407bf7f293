/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan of a filesystem from its options: each part of the geometry in turn,
 * and then the superblock as it will be. See format_geom.c.
 */
#include "libxlog/meta/format_priv.h"

/* Only the inodes that every filesystem has. */
static void fill_counters(struct format_plan *p)
{
	const struct xfs_geom *g = &p->geom;
	struct xfs_sb *sb = &p->sb;
	uint32_t inodes = ag_chunk_inodes(g);

	sb->sb_icount = inodes;
	sb->sb_ifree = inodes - FORMAT_INODES;
	sb->sb_fdblocks = sb->sb_dblocks - (inodes >> sb->sb_inopblog) -
			  (uint64_t)sb->sb_agcount * ag_prealloc_blocks(g);
	if (sb->sb_logstart)
		sb->sb_fdblocks -= sb->sb_logblocks;
}

static int fill_inodes(struct chooser *c)
{
	struct xfs_sb *sb = c->sb;
	struct ag_layout l;

	/* what refuses here: an external log, and still no room */
	if (!ag_layout_init(&l, c->plan, 0))
		return refuse(c, "the first allocation group has no room for inodes");
	sb->sb_rootino = (xfs_ino_t)l.inodes.start << sb->sb_inopblog;
	sb->sb_rbmino = sb->sb_rootino + 1;
	sb->sb_rsumino = sb->sb_rootino + 2;
	return 0;
}

int format_plan_init(struct format_plan *p,
		     const struct xlog_format_options *opts,
		     const struct xlog_format_device *data,
		     const struct xlog_format_device *log)
{
	struct chooser c = {
		.opts = opts, .data = data, .log = log, .plan = p,
		.sink = { opts->report, opts->report_ctx },
		.sb = &p->sb,
	};
	int rc;

	*p = (struct format_plan){ .sb.sb_magicnum = XFS_SB_MAGIC };
	rc = choose_sizes(&c);
	if (!rc)
		rc = choose_features(&c);
	if (!rc)
		rc = choose_groups(&c);
	if (!rc)
		rc = choose_log(&c);
	if (!rc)
		rc = fill_inodes(&c);
	if (rc)
		return rc;
	xfs_geom_init(&p->geom, &p->sb);
	fill_counters(p);
	return 0;
}

static void fill_log(struct xlog_geometry *geo, const struct format_plan *p)
{
	geo->log_internal = p->sb.sb_logstart;
	geo->log_blocks = p->sb.sb_logblocks;
	geo->log_sector_bytes = p->log_sector_bytes;
	geo->log_sunit_blocks = p->log_sunit_blocks;
	geo->log_agno = xfs_fsb_agno(&p->geom, p->sb.sb_logstart);
	geo->log_agbno = xfs_fsb_agbno(&p->geom, p->sb.sb_logstart);
	geo->log_min_blocks = p->log_min_blocks;
	geo->log_need_blocks = p->log_need_blocks;
	geo->log_need_name = xfs_tr_names[p->log_need.tr];
	geo->log_need_count = p->log_need.logcount;
}

void format_geometry(struct xlog_geometry *geo, const struct format_plan *p)
{
	const struct xfs_geom *g = &p->geom;
	const struct xfs_sb *sb = &p->sb;

	*geo = (struct xlog_geometry){
		.block_bytes = g->blocksize, .sector_bytes = g->sectsize,
		.inode_bytes = g->inodesize,
		.dirblock_bytes = g->dirblock_bytes,
		.rtextent_bytes = sb->sb_rextsize << sb->sb_blocklog,
		.blocks = sb->sb_dblocks, .agcount = sb->sb_agcount,
		.ag_blocks = sb->sb_agblocks, .sunit_blocks = sb->sb_unit,
		.swidth_blocks = sb->sb_width, .imaxpct = sb->sb_imax_pct,
		.finobt = g->finobt, .inobtcount = g->inobtcount,
		.rmapbt = g->rmapbt, .reflink = g->reflink,
		.sparse = g->sparse, .bigtime = g->bigtime,
		.nrext64 = g->nrext64, .exchange = g->exchange,
		.parent = g->parent,
	};
	fill_log(geo, p);
}

int xlog_format_plan(const struct xlog_format_options *opts,
		     const struct xlog_format_device *data,
		     const struct xlog_format_device *log,
		     struct xlog_geometry *geo)
{
	struct format_plan plan;
	int rc = format_plan_init(&plan, opts, data, log);

	if (!rc)
		format_geometry(geo, &plan);
	return rc;
}
