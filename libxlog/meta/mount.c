/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening a filesystem for transactions, and ending that as an unmount does.
 */
#include <stdlib.h>

#include "libxfsfmt/levels.h"
#include "libxlog/meta/mount.h"
#include "libxlog/replay/fsread.h"

enum {
	CACHE_BYTES = 64 << 20,
	INODE_CLUSTER_BYTES = 8192,	/* for inodes of the smallest size */
	SB_LOGGED_BYTES = XLOG_SB_CHUNKS * 128,
};

static const struct buf_item_ops sb_ops = {
	.blf_flags = XFS_BLFT_SB << XFS_BLF_TYPE_SHIFT,
	.lsn_off = XFS_SB_LSN_OFF,
	.crc_off = XFS_SB_CRC_OFF,
};

static int refuse(struct mount *m, int rc, const char *code, const char *why)
{
	return report(&m->fs.sink, rc, code, XLOG_LSN_NONE, "%s", why);
}

static int check(struct mount *m, const struct xlog_bounds *b)
{
	const struct xfs_sb *sb = &m->reader->sb;

	if (!m->reader->info.superblock)
		return refuse(m, -EINVAL, "medium",
			      "a log without its filesystem");
	if (!m->fs.geom.v5)
		return refuse(m, -EOPNOTSUPP, "sb.version",
			      "only filesystems of version 5 are written to");
	if (sb->sb_features_incompat & ~(uint32_t)XFS_SB_INCOMPAT_ALL ||
	    sb->sb_features_ro_compat & ~(uint32_t)XFS_SB_RO_COMPAT_ALL)
		return refuse(m, -EOPNOTSUPP, "sb.features",
			      "the filesystem has features that are not known");
	if (sb->sb_inprogress ||
	    sb->sb_features_incompat & XFS_SB_INCOMPAT_NEEDSREPAIR)
		return refuse(m, -EUCLEAN, "sb.state",
			      "the filesystem is not finished, or needs repair");
	if (b->state == XLOG_DIRTY)
		return refuse(m, -EUCLEAN, "log.dirty",
			      "the log is dirty: recover it first");
	if (b->state != XLOG_CLEAN)
		return refuse(m, -EUCLEAN, "log.state",
			      "the log is empty or damaged");
	return 0;
}

/* As Linux sizes the buffers in which it keeps inodes. */
static void set_clusters(struct mount *m)
{
	const struct xfs_geom *g = &m->fs.geom;
	uint32_t align = m->reader->sb.sb_inoalignmt;
	uint32_t bytes = INODE_CLUSTER_BYTES;
	uint32_t scaled = bytes * (g->inodesize / XFS_DINODE_MIN_BYTES);

	if (align >= scaled >> g->blocklog)
		bytes = scaled;
	if (bytes < g->blocksize)
		bytes = g->blocksize;
	m->fs.cluster_bb = bytes / BB_SIZE;
	m->fs.inode_align = align ? align : 1;
}

/* The superblock, for covering: nothing in it has changed. */
static int log_superblock(void *ctx)
{
	struct mount *m = ctx;
	struct trans *t;
	int rc = trans_alloc(&m->fs, XFS_TR_SB, &t);

	if (rc)
		return rc;
	buf_item_join(t, m->sb);
	buf_item_log(t, m->sb, 0, SB_LOGGED_BYTES);
	return trans_commit_sync(t);
}

static int start_log(struct mount *m, const struct mount_options *opts,
		     const struct xlog_bounds *b)
{
	const struct xlog_info *info = &m->reader->info;
	struct log_config c = {
		.flags = opts->flags,
		.dev = m->reader->dev,
		.data = m->reader->fs,
		.internal = info->internal,
		.sunit_bytes = info->log_sunit_bytes,
		.sector_bytes = info->log_sector_bytes,
		.logbufs = opts->logbufs,
		.logbsize_bytes = opts->logbsize_bytes,
		.head = b->head,
		.prev_block = b->last_record == XLOG_LSN_NONE ? UINT32_MAX :
			      xlog_lsn_block(b->last_record),
		.seed = opts->seed,
		.ail_ms = opts->ail_ms,
		.write_back = trans_write_back,
		.write_back_ctx = &m->fs,
		.cover = log_superblock,
		.cover_ctx = m,
		.sink = m->fs.sink,
	};

	memcpy(c.uuid, info->uuid, sizeof(c.uuid));
	return log_open(&c, &m->fs.log);
}

static int get_superblock(struct mount *m)
{
	struct buf *buf;
	int rc = buf_get(m->fs.cache, 0, m->fs.geom.sectsize / BB_SIZE, NULL,
			 BUF_READ, &buf);

	if (rc)
		return rc;
	m->sb = buf_item_new(&m->fs, buf, &sb_ops);
	buf_release(buf);
	return m->sb ? 0 : -ENOMEM;
}

int mount_open(struct xlog *reader, const struct mount_options *opts,
	       struct mount **out)
{
	struct mount *m = calloc(1, sizeof(*m));
	struct xfs_levels levels;
	struct xlog_bounds b;
	int rc;

	if (!m)
		return report(&reader->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	m->reader = reader;
	m->fs.sink = reader->sink;
	m->fs.geom = reader->geom;
	rc = xlog_find(reader, 0, &b);
	if (!rc)
		rc = check(m, &b);
	if (rc)
		goto free_mount;
	xfs_levels_init(&levels, &reader->geom);
	xfs_trans_resv_init(&m->fs.resv, &reader->sb, &levels);
	set_clusters(m);
	rc = buf_cache_new(reader->fs, opts->cache_bytes ? opts->cache_bytes :
			   CACHE_BYTES, 0, &m->fs.cache);
	if (!rc)
		rc = get_superblock(m);
	if (!rc)
		rc = start_log(m, opts, &b);
	if (rc)
		goto free_mount;
	*out = m;
	return 0;
free_mount:
	mount_close(m);
	return rc;
}

int mount_unmount(struct mount *m)
{
	struct log *log = m->fs.log;
	int rc = log_quiesce(log);

	/* once in any case: counters may only be right in memory */
	if (!rc)
		(void)log_needs_cover(log);
	do {
		if (!rc)
			rc = log_superblock(m);
		if (!rc)
			rc = log_quiesce(log);
	} while (!rc && log_needs_cover(log));
	return rc ? rc : log_unmount(log);
}

void mount_close(struct mount *m)
{
	if (!m)
		return;
	log_close(m->fs.log);
	buf_item_free(m->sb);
	buf_cache_free(m->fs.cache);
	free(m);
}

/* --- inodes --- */

struct lister {
	struct mount	*m;
	xfs_agnumber_t	agno;
	int		(*fn)(void *ctx, xfs_ino_t ino);
	void		*ctx;
};

static int one_chunk(void *ctx, const uint8_t *raw)
{
	const struct lister *l = ctx;
	const struct xfs_geom *g = &l->m->fs.geom;
	struct xfs_inobt_rec rec;
	int rc = 0;

	xfs_inobt_rec_decode(&rec, raw, xfs_inobt_rec_size,
			     XFS_BE);
	for (unsigned int i = 0; i < 64 && !rc; i++)
		/* what is not there is free, too */
		if (!(rec.ir_free >> i & 1))
			rc = l->fn(l->ctx, xfs_ino_make(g, l->agno,
							rec.ir_startino + i));
	return rc;
}

int mount_each_inode(struct mount *m, int (*fn)(void *ctx, xfs_ino_t ino),
		     void *ctx)
{
	struct xlog_recover_result res = { 0 };
	const struct xlog_recover_options opts = {
		.stop_lsn = XLOG_LSN_NONE,
	};
	/* a filesystem that a replay has left: what is on the disk */
	struct replay r = {
		.log = m->reader, .opts = &opts, .res = &res,
		.geom = m->fs.geom, .written = true,
	};
	struct lister l = { .m = m, .fn = fn, .ctx = ctx };
	int rc = 0;

	for (l.agno = 0; l.agno < m->fs.geom.agcount && !rc; l.agno++) {
		struct fstree tree = {
			.kind = XFS_BTREE_INO, .owner = l.agno,
			.record = one_chunk, .ctx = &l,
		};
		struct xfs_agi agi;

		rc = fsread_agi(&r, l.agno, &agi);
		if (!rc)
			rc = fstree_walk(&r, &tree, agi.agi_root,
					 agi.agi_level);
	}
	return rc;
}
