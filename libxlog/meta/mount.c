/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening a filesystem for transactions, and ending that as an unmount does.
 */
#include <stdlib.h>

#include "libxlog/meta/mount.h"
#include "libxlog/meta/perag.h"
#include "libxlog/replay/fsread.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/trans_buf.h"

static int refuse(const struct xlog *reader, int rc, const char *code,
		  const char *why)
{
	return report(&reader->sink, rc, code, XLOG_LSN_NONE, "%s", why);
}

static int check_features(const struct xlog *reader, const struct xfs_sb *sb)
{
	if (!reader->info.superblock)
		return refuse(reader, -EINVAL, "medium",
			      "a log without its filesystem");
	if (reader->geom.v5 &&
	    (sb->sb_features_incompat & ~(uint32_t)XFS_SB_INCOMPAT_ALL ||
	     sb->sb_features_ro_compat & ~(uint32_t)XFS_SB_RO_COMPAT_ALL))
		return refuse(reader, -EOPNOTSUPP, "sb.features",
			      "the filesystem has features that are not known");
	if (sb->sb_inprogress ||
	    (reader->geom.v5 &&
	     sb->sb_features_incompat & XFS_SB_INCOMPAT_NEEDSREPAIR))
		return refuse(reader, -EUCLEAN, "sb.state",
			      "the filesystem is not finished, or needs repair");
	return 0;
}

static int check_log(const struct xlog *reader, const struct xlog_bounds *b)
{
	if (b->state == XLOG_DIRTY)
		return refuse(reader, -EUCLEAN, "log.dirty",
			      "the log is dirty: recover it first");
	if (b->state != XLOG_CLEAN)
		return refuse(reader, -EUCLEAN, "log.state",
			      "the log is empty or damaged");
	return 0;
}

static int change_superblock(struct mount *m, struct trans *t)
{
	struct trans_fs *fs = &m->fs;
	struct buf *b;
	int rc;

	if (!m->change_sb)
		return 0;
	rc = trans_read_buf(fs, t, 0, fs->geom.sectsize / BB_SIZE,
			    &trans_sb_ops, &b);
	if (!rc)
		m->change_sb(m->change_sb_ctx, b->data);
	return rc;
}

/* The superblock, for covering: its counters may be right in memory only. */
static int log_superblock(void *ctx)
{
	struct mount *m = ctx;
	struct trans *t;
	int rc = trans_alloc(&m->fs, XFS_TR_SB, &t);

	if (rc)
		return rc;
	rc = change_superblock(m, t);
	if (!rc)
		rc = trans_log_superblock(t);
	if (!rc)
		return trans_commit_sync(t);
	trans_cancel(t);
	return rc;
}

static int start_log(struct mount *m, const struct mount_options *opts,
		     const struct mount_recovered *r)
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
		.head = r->head,
		.prev_block = r->prev_block,
		.tail = r->tail,
		.version_1 = !m->fs.geom.log_v2,
		.seed = opts->seed,
		.write_back = trans_write_back,
		.write_back_ctx = &m->fs,
		.cover = log_superblock,
		.cover_ctx = m,
		.busy_done = busy_done,
		.busy_ctx = m->fs.busy,
		.sink = m->fs.sink,
	};

	memcpy(c.uuid, info->uuid, sizeof(c.uuid));
	return log_open(&c, &m->fs.log);
}

/* A log that begins and ends at @r, and the superblock @sb that counts. */
static int open_at(struct xlog *reader, const struct mount_options *opts,
		   const struct mount_recovered *r, const struct xfs_sb *sb,
		   struct mount **out)
{
	struct mount *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return report(&reader->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	m->reader = reader;
	rc = trans_fs_init(&m->fs, sb, reader->fs, opts->cache_bytes,
			   &reader->sink);
	if (rc)
		goto free_mount;
	rc = perags_new(&m->fs);
	if (!rc) {
		perags_set_log(&m->fs, sb);
		rc = start_log(m, opts, r);
	}
	if (rc)
		goto fini_fs;
	*out = m;
	return 0;
fini_fs:
	perags_free(&m->fs);
	trans_fs_fini(&m->fs);
free_mount:
	free(m);
	return rc;
}

int mount_open(struct xlog *reader, const struct mount_options *opts,
	       struct mount **out)
{
	struct xlog_bounds b;
	int rc = check_features(reader, &reader->sb);

	if (!rc)
		rc = xlog_find(reader, 0, &b);
	if (!rc)
		rc = check_log(reader, &b);
	if (rc)
		return rc;
	return open_at(reader, opts, &(struct mount_recovered){
		.head = b.head,
		.prev_block = b.last_record == XLOG_LSN_NONE ? UINT32_MAX :
			      xlog_lsn_block(b.last_record),
	}, &reader->sb, out);
}

int mount_open_recovered(struct xlog *reader, const struct mount_options *opts,
			 const struct mount_recovered *r, struct mount **out)
{
	struct xfs_sb sb;
	const char *why;
	int rc;

	xfs_sb_decode(&sb, r->sb, xfs_sb_size, XFS_BE);
	why = xfs_sb_verify(&sb, r->sb, reader->geom.sectsize);
	if (why)
		return refuse(reader, -EUCLEAN, "sb.recovered", why);
	rc = check_features(reader, &sb);
	if (!rc)
		rc = open_at(reader, opts, r, &sb, out);
	if (!rc)
		(*out)->fs.count_changes = true;
	return rc;
}

static int cover(struct mount *m)
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
	m->sb_lsn = log_tail_lsn(log);
	m->unmount_lsn = log_head_lsn(log);
	return rc;
}

int mount_unmount(struct mount *m)
{
	int rc = cover(m);

	return rc ? rc : log_unmount(m->fs.log);
}

int mount_freeze(struct mount *m)
{
	return cover(m);
}

void mount_close(struct mount *m)
{
	if (!m)
		return;
	log_close(m->fs.log);
	perags_free(&m->fs);
	trans_fs_fini(&m->fs);
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
