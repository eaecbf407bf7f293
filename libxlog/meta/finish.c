/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Behind replay a recovery goes on as a mount does, with the log open for
 * transactions: the first step of every pending intent, in the order of the
 * log, then what these defer; then the unlinked inodes of all groups; then the
 * extents that copy on write has left. A crash in between is one more crash:
 * the log has what has been done, and its tail does not pass an intent that is
 * not. The log ends as at an unmount.
 *
 * The order is that of Linux, fs/xfs/xfs_log_recover.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/log/stats.h"
#include "libxlog/meta/finish.h"
#include "libxlog/meta/inactive.h"
#include "libxlog/meta/iunlink.h"
#include "libxlog/meta/mount.h"
#include "libxlog/meta/perag.h"
#include "libxlog/meta/refcount.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/trans_buf.h"

/* In the superblock. */
enum {
	SB_QUOTINOS = 160,		/* of users, of groups */
	SB_QFLAGS = 176,
	SB_LOG_INCOMPAT = 220,
	SB_PQUOTINO = 232,
};

enum { MIN_LOGBSIZE = 16 * 1024 };

struct defer_hooks finish_hooks;

struct finish {
	struct replay	*r;
	struct mount	*m;
	struct list	recovered;	/* struct defer_recovered */
	uint64_t	done;		/* of what was found, for the progress */
};

/* --- opening --- */

/*
 * Who recovers this log next takes the number of header blocks of the oldest
 * record for that of all: ours are as long as those before them. 0: these are
 * of no length that a log is opened with, and have one header block.
 */
static uint32_t buffer_bytes(uint32_t size_bytes)
{
	bool ok = size_bytes >= MIN_LOGBSIZE &&
		  size_bytes <= XLOG_MAX_RECORD_BYTES &&
		  !(size_bytes & (size_bytes - 1));

	return ok ? size_bytes : 0;
}

static int open_mount(struct finish *f, const uint8_t *sb_raw)
{
	uint32_t sector_bytes = f->r->geom.sectsize;
	uint8_t sb[REPLAY_SB_MAX_BYTES];
	const struct xlog_bounds *b = &f->r->res->bounds;
	const struct xlog_pending_intent *oldest =
		f->r->opts->flags & XLOG_RECOVER_SKIP_INTENTS ? NULL :
		xlog_pending_next(f->r->pending, NULL);
	const struct mount_recovered how = {
		.head = b->head,
		.prev_block = xlog_lsn_block(b->last_record),
		.tail = oldest ? oldest->lsn : b->last_record,
		.sb = sb,
	};
	const struct mount_options opts = {
		/* the same recovery of the same log writes the same */
		.flags = LOG_NO_THREADS,
		.seed = (xfs_lsn_cycle(b->head) ^ xfs_lsn_block(b->head) << 8) | 1,
		.logbsize_bytes = buffer_bytes(b->last_size_bytes),
		.cache_bytes = f->r->max_bytes / 2,
	};
	int rc;

	/* it is not stamped before it is written */
	memcpy(sb, sb_raw, sector_bytes);
	if (f->r->geom.v5)
		put_le32(sb + XFS_SB_CRC_OFF,
			 xfs_crc_block(sb, sector_bytes, XFS_SB_CRC_OFF));
	rc = mount_open_recovered(f->r->log, &opts, &how, &f->m);
	if (!rc)
		f->m->fs.hooks = finish_hooks;
	return rc;
}

/* --- before the first write --- */

/* Every pending intent must be one that can be finished. */
static int check_intents(struct finish *f)
{
	const struct xlog_pending_intent *p = NULL;
	int rc = 0;

	while (!rc && (p = xlog_pending_next(f->r->pending, p))) {
		const struct defer_type *type;
		struct list works;

		list_init(&works);
		rc = finish_decode(&f->m->fs, p, &type, &works);
		if (!rc)
			defer_free_works(type, &works);
	}
	return rc;
}

/* What cannot be opened is not replayed either: nothing is written by that. */
static int check(struct replay *r, const uint8_t *sb_raw)
{
	unsigned int flags = r->opts->flags;
	struct finish f = { .r = r };
	const char *why = "a filesystem that cannot be opened to finish what is left";
	int rc;

	/* replay changes what the log says, and nothing beyond that */
	if (r->geom.v5 &&
	    r->sb.sb_features_ro_compat & ~(uint32_t)XFS_SB_RO_COMPAT_ALL)
		return replay_refuse(r, -EOPNOTSUPP, "remainder.features",
				     XLOG_LSN_NONE,
				     "replay leaves something to be finished, in a filesystem with unknown features");
	if (r->realtime_left && !(flags & XLOG_RECOVER_LEAVE_UNLINKED))
		return replay_refuse(r, -EOPNOTSUPP, "remainder.realtime",
				     XLOG_LSN_NONE,
				     "unlinked realtime files or realtime CoW extents, which only a mount can free");
	rc = open_mount(&f, sb_raw);
	if (!rc && !(flags & XLOG_RECOVER_SKIP_INTENTS)) {
		why = "an intent that cannot be finished";
		rc = check_intents(&f);
	}
	mount_close(f.m);
	if (rc && !r->res->refused[0])
		snprintf(r->res->refused, sizeof(r->res->refused), "%s", why);
	return rc;
}

/* --- intents --- */

static int tell_progress(struct finish *f)
{
	const struct xlog_recover_result *res = f->r->res;

	f->done++;
	return replay_progress(f->r, XLOG_PHASE_FINISH, f->done,
			       res->intents + res->unlinked + 1);
}

/* All into the AIL before the first transaction: they hold the tail. */
static int take_intents(struct finish *f)
{
	const struct xlog_pending_intent *p = NULL;
	struct trans_fs *fs = &f->m->fs;
	int rc = 0;

	while (!rc && (p = xlog_pending_next(f->r->pending, p))) {
		const struct defer_type *type;
		struct defer_recovered *rec;
		struct list works;

		list_init(&works);
		rc = finish_decode(fs, p, &type, &works);
		if (!rc)
			rc = defer_recovered(fs, type, p->id, &works, p->lsn,
					     &rec);
		if (!rc) {
			list_insert_last(&rec->link, &f->recovered);
			continue;
		}
		/* of what could not be decoded there are none */
		if (!list_is_empty(&works))
			defer_free_works(type, &works);
	}
	return rc;
}

static void drop_intents(struct finish *f)
{
	struct list *first;

	while ((first = list_first(&f->recovered))) {
		list_remove(first);
		defer_recovered_free(container_of(first,
						  struct defer_recovered,
						  link));
	}
}

static int finish_intents(struct finish *f)
{
	struct trans_fs *fs = &f->m->fs;
	struct list captures, *first;
	int rc = 0;

	list_init(&captures);
	fs->recovering = true;
	while (!rc && (first = list_first(&f->recovered))) {
		list_remove(first);
		rc = finish_begin(fs, container_of(first,
						   struct defer_recovered,
						   link), &captures);
		if (!rc)
			rc = tell_progress(f);
	}
	if (!rc)
		rc = defer_captures_finish(fs, &captures);
	else
		defer_captures_free(&captures);
	fs->recovering = false;
	return rc ? rc : log_force(fs->log, true);
}

/* --- unlinked inodes --- */

static int finish_inode(struct finish *f, xfs_agnumber_t agno,
			xfs_agino_t agino)
{
	struct trans_fs *fs = &f->m->fs;
	struct inode *ip;
	int rc = inode_iget(fs, xfs_ino_make(&fs->geom, agno, agino), 0, &ip);

	if (rc)
		return rc;
	rc = inode_inactivate(ip);
	inode_put(ip);
	return rc ? rc : tell_progress(f);
}

static int finish_list(struct finish *f, xfs_agnumber_t agno,
		       unsigned int bucket)
{
	struct trans_fs *fs = &f->m->fs;
	xfs_agino_t agino, next;
	int rc = iunlink_first(fs, agno, bucket, &agino);

	for (; !rc && agino != XFS_NULL_AGINO; agino = next) {
		/* it may leave the list, and its chunk the disk */
		rc = iunlink_next(fs, agno, bucket, agino, &next);
		if (!rc)
			rc = finish_inode(f, agno, agino);
	}
	return rc;
}

static int finish_unlinked(struct finish *f)
{
	int rc = 0;

	if (!f->r->res->unlinked)
		return 0;
	for (xfs_agnumber_t ag = 0; ag < f->m->fs.geom.agcount && !rc; ag++)
		for (unsigned int b = 0; b < XFS_AGI_BUCKETS && !rc; b++)
			rc = finish_list(f, ag, b);
	return rc;
}

/* --- the superblock --- */

/*
 * Dquots are not kept up here: whoever mounts with quotas next is to count
 * them anew. That is so before anything else changes.
 */
static int forget_quota_checks(struct finish *f)
{
	struct trans_fs *fs = &f->m->fs;
	struct trans *t;
	struct buf *b;
	uint8_t *flags;
	int rc;

	if (!(f->r->sb.sb_qflags & XFS_QUOTA_CHKD))
		return 0;
	rc = trans_alloc(fs, XFS_TR_SB, &t);
	if (rc)
		return rc;
	rc = trans_read_buf(fs, t, 0, fs->geom.sectsize / BB_SIZE,
			    &trans_sb_ops, &b);
	if (!rc) {
		flags = b->data + SB_QFLAGS;
		put_be16(flags, (uint16_t)(get_be16(flags) &
					   ~(unsigned int)XFS_QUOTA_CHKD));
		rc = trans_log_superblock(t);
	}
	if (rc) {
		trans_cancel(t);
		return rc;
	}
	notice(&fs->sink, XLOG_NOTICE, "sb.quota", XLOG_LSN_NONE,
	       "quotas will be counted anew by the next mount that wants them");
	return trans_commit_sync(t);
}

/* What the end of a recovery changes in it, by the superblock of replay. */
static void change_at_end(void *ctx, uint8_t *raw)
{
	static const struct {
		unsigned int	off, bytes;
	} fields[] = {
		{ SB_QUOTINOS, 16 }, { SB_LOG_INCOMPAT, 4 },
		{ SB_PQUOTINO, 8 },
	};
	const uint8_t *sb_raw = ctx;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		memcpy(raw + fields[i].off, sb_raw + fields[i].off,
		       fields[i].bytes);
}

/* --- all --- */

static int finish_all(struct finish *f)
{
	unsigned int flags = f->r->opts->flags;
	uint64_t cow;
	int rc = forget_quota_checks(f);

	if (!rc)
		rc = finish_intents(f);
	if (rc || flags & XLOG_RECOVER_LEAVE_UNLINKED)
		return rc;
	rc = finish_unlinked(f);
	if (!rc && f->r->geom.reflink)
		rc = refcount_recover_cow_leftovers(&f->m->fs, &cow);
	return rc;
}

/* To both devices: what replay wrote has been counted. */
static uint64_t written_bb(const struct finish *f)
{
	uint64_t log[LOG_STATS];
	struct buf_stats data;

	log_stats_read(f->m->fs.log, log);
	buf_cache_stats(f->m->fs.cache, &data);
	return (log[LOG_STAT_WRITTEN_BYTES] + data.written_bytes) / BB_SIZE;
}

static int finish(struct replay *r, const uint8_t *sb_raw)
{
	struct finish f = { .r = r };
	bool unmount = !replay_is_something_left(r);
	int rc;

	list_init(&f.recovered);
	rc = open_mount(&f, sb_raw);
	if (rc)
		return rc;
	r->res->wrote = true;
	if (!(r->opts->flags & XLOG_RECOVER_SKIP_INTENTS))
		rc = take_intents(&f);
	if (!rc)
		rc = finish_all(&f);
	drop_intents(&f);
	f.m->change_sb = change_at_end;
	f.m->change_sb_ctx = (void *)(uintptr_t)sb_raw;
	finish_hooks.points = f.m->fs.hooks.points;
	if (!rc)
		rc = unmount ? mount_unmount(f.m) : mount_freeze(f.m);
	r->res->blocks_written += written_bb(&f);
	if (!rc) {
		r->res->sb_lsn = f.m->sb_lsn;
		if (unmount)
			r->res->unmount_lsn = f.m->unmount_lsn;
	}
	mount_close(f.m);
	return rc;
}

const struct replay_finisher finish_remainder = {
	.check = check,
	.finish = finish,
};
