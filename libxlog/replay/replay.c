/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The story of a recovery: gates, plan, check, what is left, write, end. See
 * replay.h for how it is cut into files.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inode.h"
#include "libxlog/replay/kept.h"
#include "libxlog/replay/pieces.h"
#include "libxlog/replay/plan.h"
#include "libxlog/replay/window.h"

static const uint64_t MAX_MEMORY_DEFAULT = (uint64_t)512 << 20;

enum {
	MIN_MEMORY_BYTES = 1 << 20,
	LIST_SHARE = 8,
	INODE_CLUSTER_BYTES = 8192,	/* for inodes of the smallest size */
};

int replay_refuse(struct replay *r, int rc, const char *code, xfs_lsn_t lsn,
		  const char *fmt, ...)
{
	char text[sizeof(r->res->refused)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!r->res->refused[0])
		memcpy(r->res->refused, text, sizeof(text));
	return report(&r->log->sink, rc, code, lsn, "%s", text);
}

int replay_no_memory(struct replay *r)
{
	return report(&r->log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

int replay_no_room(struct replay *r)
{
	return replay_refuse(r, -ENOMEM, "memory", XLOG_LSN_NONE,
			     "the log names more than %llu MiB of memory can keep track of",
			     (unsigned long long)r->max_bytes >> 20);
}

int replay_check_room(struct replay *r, uint64_t bytes)
{
	return bytes > r->max_bytes / LIST_SHARE ? replay_no_room(r) : 0;
}

/* --- gates --- */

static bool is_prefix(const struct replay *r)
{
	return r->opts->stop_count || r->opts->stop_lsn != XLOG_LSN_NONE;
}

/* Of the superblock on disk, and again of the one that replay makes. */
static int check_gates(struct replay *r)
{
	uint64_t bytes = r->geom.dblocks << r->geom.blocklog;
	const struct xfs_sb *sb = &r->sb;
	uint32_t bits;

	/* Linux reads the last block first of all */
	if (bytes > r->log->fs->size_bytes)
		return replay_refuse(r, -EUCLEAN, "sb.size", XLOG_LSN_NONE,
				     "the filesystem has %llu bytes, of which the device has only %llu",
				     (unsigned long long)bytes,
				     (unsigned long long)
				     r->log->fs->size_bytes);
	if (sb->sb_inprogress)
		return replay_refuse(r, -EUCLEAN, "sb.inprogress",
				     XLOG_LSN_NONE,
				     "the filesystem is marked as being made or copied");
	if (!r->geom.v5)
		return 0;
	if (sb->sb_features_incompat & XFS_SB_INCOMPAT_NEEDSREPAIR)
		return replay_refuse(r, -EUCLEAN, "sb.needsrepair",
				     XLOG_LSN_NONE,
				     "the filesystem is marked as needing repair");
	bits = sb->sb_features_incompat & ~(uint32_t)XFS_SB_INCOMPAT_ALL;
	if (bits)
		return replay_refuse(r, -EOPNOTSUPP, "sb.incompat",
				     XLOG_LSN_NONE,
				     "unknown incompatible features 0x%x", bits);
	bits = sb->sb_features_log_incompat &
	       ~(uint32_t)XFS_SB_LOG_INCOMPAT_ALL;
	if (bits)
		return replay_refuse(r, -EOPNOTSUPP, "sb.log-incompat",
				     XLOG_LSN_NONE,
				     "unknown incompatible log features 0x%x",
				     bits);
	bits = sb->sb_features_ro_compat & ~(uint32_t)XFS_SB_RO_COMPAT_ALL;
	if (bits && !(r->opts->flags & XLOG_RECOVER_FORCE_FEATURES))
		return replay_refuse(r, -EOPNOTSUPP, "sb.ro-compat",
				     XLOG_LSN_NONE,
				     "unknown features 0x%x that only reading is compatible with",
				     bits);
	return 0;
}

/* Where Linux would refuse the log, and we have no better answer. */
static int check_log(struct replay *r)
{
	const struct xlog_bounds *b = &r->res->bounds;
	unsigned int reasons = b->reasons & ~(unsigned)XLOG_REFUSED_ORDER;

	if (r->opts->flags & XLOG_RECOVER_FORCE_UUID)
		reasons &= ~(unsigned)XLOG_REFUSED_UUID;
	if (is_prefix(r))
		reasons &= ~(unsigned)XLOG_REFUSED_RECORD;
	if (b->state != XLOG_CORRUPT && !reasons)
		return 0;
	/* it has been reported */
	snprintf(r->res->refused, sizeof(r->res->refused), "%s",
		 b->refused[0] ? b->refused : "the log is corrupt");
	return -EUCLEAN;
}

/*
 * The byte order of the log is that of the record at the tail. Asked for
 * another, it is the records that are not believed.
 */
static void choose_order(struct replay *r)
{
	const struct xlog_bounds *b = &r->res->bounds;
	enum xlog_order asked = r->opts->order;

	r->order = b->fmt == XLOG_FMT_LINUX_LE ? XFS_LE : XFS_BE;
	if (asked != XLOG_ORDER_AUTO)
		r->order = asked == XLOG_ORDER_LE ? XFS_LE : XFS_BE;
	if (r->order != XFS_HOST_ORDER)
		notice(&r->log->sink, XLOG_NOTICE, "log.order", b->tail,
		       "a %s-endian log: converted as it is replayed",
		       r->order == XFS_BE ? "big" : "little");
}

/* --- the superblock --- */

/* As the kernel sizes the buffers in which it keeps inodes. */
static uint32_t cluster_bb(const struct replay *r)
{
	uint32_t bytes = INODE_CLUSTER_BYTES, scaled;

	if (r->geom.v5) {
		scaled = bytes * (r->geom.inodesize / XFS_DINODE_MIN_BYTES);
		if (r->sb.sb_inoalignmt >= scaled >> r->geom.blocklog)
			bytes = scaled;
	}
	if (bytes < r->geom.blocksize)
		bytes = r->geom.blocksize;
	return bytes / BB_SIZE;
}

static void take_superblock(struct replay *r)
{
	const struct xlog *log = r->log;

	memcpy(r->sb_raw, log->sb_raw, log->geom.sectsize);
	r->sb = log->sb;
	r->geom = log->geom;
	r->sb_disk_lsn = 0;
	if (r->geom.v5 && r->sb.sb_lsn != XFS_NULL_LSN)
		r->sb_disk_lsn = r->sb.sb_lsn;
	r->cluster_bb = cluster_bb(r);
}

/* --- windows --- */

/* Tell of what the window in memory changes. */
static void tell_changes(struct replay *r)
{
	const struct window *w = r->window;

	for (size_t i = 0; i < w->count; i++) {
		const struct target *t = &w->targets[i];
		uint32_t crc;

		if (!t->dirty)
			continue;
		crc = xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, t->data,
					       (size_t)t->at.len_bb *
					       BB_SIZE));
		if (crc == t->crc_before)
			continue;
		r->opts->change(r->opts->ctx, &(struct xlog_change){
			.daddr = t->at.daddr, .len_bb = t->at.len_bb,
			.type = target_type_name(r, t),
			.ag = xfs_daddr_agno(&r->geom, t->at.daddr),
			.crc_before = t->crc_before, .crc_after = crc,
		});
	}
}

static void count_changes(struct replay *r)
{
	for (size_t i = 0; i < r->window->count; i++)
		r->res->changed += r->window->targets[i].dirty;
	if (r->opts->change)
		tell_changes(r);
}

/* Is all that is to be done in memory? */
static bool is_one_window(const struct replay *r)
{
	const struct window *w = r->window;

	return w && !w->first && w->count == targets_count(r->targets);
}

/*
 * One window after the other: checked, and written if asked. A dry run counts
 * what would be written while it checks: no window is made twice for that.
 */
static int sweep(struct replay *r, bool write)
{
	size_t n = targets_count(r->targets), count;
	int rc = 0;

	r->res->windows = 0;
	for (size_t first = 0; first < n && !rc; first += count) {
		count = window_fit(r, first, window_budget(r));
		if (!count)
			return replay_refuse(r, -ENOMEM, "memory",
					     XLOG_LSN_NONE,
					     "%llu MiB of memory are too little",
					     (unsigned long long)r->max_bytes >>
					     20);
		r->res->windows++;
		/* the first sweep may have left all of it in memory */
		if (!write || !r->window || r->window->first != first ||
		    r->window->count != count)
			rc = window_load(r, first, count);
		if (!rc && !write)
			count_changes(r);
		if (!rc && !write && (first || count < n))
			rc = kept_take(r);
		if (!rc && (write || replay_is_dry(r)))
			rc = window_write(r);
		if (!rc && write && r->opts->flags & XLOG_RECOVER_REREAD)
			rc = window_reread(r);
		if (!rc)
			rc = replay_progress(r, write ? XLOG_PHASE_WRITE :
					     XLOG_PHASE_CHECK, first + count, n);
	}
	return rc;
}

/* --- the story --- */

/* Nothing is written before this is done. */
static int check_all(struct replay *r)
{
	int rc = plan_make(r);

	if (!rc)
		rc = check_gates(r);
	if (rc)
		return rc;
	r->counting = true;
	rc = sweep(r, false);
	r->counting = false;
	if (!rc)
		rc = pieces_finish(r, false);
	return rc ? rc : owner_change(r, false);
}

static bool intents_to_finish(const struct replay *r)
{
	return r->res->intents &&
	       !(r->opts->flags & XLOG_RECOVER_SKIP_INTENTS);
}

static bool inodes_to_finish(const struct replay *r)
{
	return (r->res->unlinked || r->res->cow_extents) &&
	       !(r->opts->flags & XLOG_RECOVER_LEAVE_UNLINKED);
}

bool replay_has_to_finish(const struct replay *r)
{
	return intents_to_finish(r) || inodes_to_finish(r);
}

bool replay_is_something_left(const struct replay *r)
{
	const struct xlog_recover_result *res = r->res;

	return (res->intents && !intents_to_finish(r)) ||
	       ((res->unlinked || res->cow_extents) && !inodes_to_finish(r));
}

/* What a mount would go on with: is that wanted, and is it done here? */
static int check_remainder(struct replay *r)
{
	const struct xlog_recover_result *res = r->res;
	int rc = replay_remainder(r);

	if (rc || !replay_has_to_finish(r))
		return rc;
	if (intents_to_finish(r) &&
	    (!r->finisher || r->opts->flags & XLOG_RECOVER_REFUSE_INTENTS))
		return replay_refuse(r, -ENOTEMPTY, "remainder.intents",
				     XLOG_LSN_NONE,
				     "%llu unfinished intent%s, which only a mount can finish",
				     (unsigned long long)res->intents,
				     res->intents == 1 ? "" : "s");
	if (!r->finisher)
		return replay_refuse(r, -ENOTEMPTY, "remainder.unlinked",
				     XLOG_LSN_NONE,
				     "%llu unlinked inode%s and %llu leftover CoW extent%s, which only a mount can free",
				     (unsigned long long)res->unlinked,
				     res->unlinked == 1 ? "" : "s",
				     (unsigned long long)res->cow_extents,
				     res->cow_extents == 1 ? "" : "s");
	return 0;
}

static int write_all(struct replay *r)
{
	uint64_t n = targets_count(r->targets);
	/* the last chance to end it with nothing written */
	int rc = replay_progress(r, XLOG_PHASE_CHECK, n, n);

	/* what can fail of saving what is overwritten does so before that */
	if (!rc && is_one_window(r) && !replay_is_dry(r))
		rc = window_announce(r);
	if (!rc && !is_prefix(r))
		rc = cleanend_clear_ahead(r);
	if (!rc && !replay_is_dry(r)) {
		rc = sweep(r, true);
		r->written = !rc;
	}
	if (!rc)
		rc = pieces_finish(r, true);
	if (!rc)
		rc = owner_change(r, true);
	return rc;
}

/* All that was replayed is durable. */
static int settle(struct replay *r)
{
	int rc = replay_settle(r, r->log->fs, NULL, 0);

	if (rc || r->log->info.internal)
		return rc;
	return replay_settle(r, r->log->dev, NULL, 0);
}

static int recover_dirty(struct replay *r)
{
	struct xlog_recover_result *res = r->res;
	uint8_t sb_raw[REPLAY_SB_MAX_BYTES];
	int rc;

	choose_order(r);
	rc = check_all(r);
	if (rc)
		return rc;
	if (is_prefix(r)) {
		rc = stop_count_newer(r);
		if (!rc)
			rc = write_all(r);
		return rc ? rc : replay_settle(r, r->log->fs, NULL, 0);
	}
	rc = check_remainder(r);
	if (rc)
		return rc;
	memcpy(sb_raw, r->sb_raw, r->geom.sectsize);
	rc = replay_superblock(r, sb_raw);
	if (!rc && replay_has_to_finish(r))
		rc = r->finisher->check(r, sb_raw);
	if (!rc)
		rc = write_all(r);
	if (rc)
		return rc;
	if (replay_has_to_finish(r) && !replay_is_dry(r)) {
		rc = settle(r);
		if (!rc)
			rc = r->finisher->finish(r, sb_raw);
	} else {
		/* a log marked clean is never finished by anyone again */
		rc = cleanend_write(r, sb_raw,
				    !replay_is_something_left(r));
	}
	if (!rc)
		res->state = replay_is_something_left(r) ? XLOG_DIRTY :
							  XLOG_CLEAN;
	return rc;
}

int replay_start(struct replay *r)
{
	if (!r->max_bytes)
		r->max_bytes = MAX_MEMORY_DEFAULT;
	if (r->max_bytes < MIN_MEMORY_BYTES)
		r->max_bytes = MIN_MEMORY_BYTES;
	take_superblock(r);
	r->targets = targets_new(r->max_bytes / 2);
	r->pending = xlog_pending_new();
	r->kept = kept_new();
	if (r->pending)
		pending_set_max_bytes(r->pending,
				      (size_t)(r->max_bytes / LIST_SHARE));
	return r->targets && r->pending && r->kept ? 0 : replay_no_memory(r);
}

void replay_fini(struct replay *r)
{
	window_free(r->window);
	targets_free(r->targets);
	xlog_pending_free(r->pending);
	kept_free(r->kept);
	owners_free(r->owners);
	pieces_free(r->pieces);
}

int replay_recover(struct xlog *log, const struct xlog_recover_options *opts,
		   const struct replay_finisher *finisher,
		   struct xlog_recover_result *res)
{
	static const struct xlog_recover_options defaults = {
		.stop_lsn = XLOG_LSN_NONE,
	};
	struct replay *r;
	int rc;

	memset(res, 0, sizeof(*res));
	res->sb_lsn = res->unmount_lsn = XLOG_LSN_NONE;
	res->state = XLOG_CORRUPT;
	if (!log->info.superblock || !log->fs || log->fs == log->dev)
		return report(&log->sink, -EINVAL, "medium", XLOG_LSN_NONE,
			      "a log without its filesystem cannot be recovered");
	rc = xlog_find(log, 0, &res->bounds);
	if (rc)
		return rc;
	res->state = res->bounds.state;
	r = calloc(1, sizeof(*r));
	if (!r)
		return report(&log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	r->log = log;
	r->opts = opts ? opts : &defaults;
	r->res = res;
	r->finisher = finisher;
	r->max_bytes = r->opts->max_memory_bytes;
	rc = replay_start(r);
	if (!rc)
		rc = check_gates(r);
	if (!rc)
		rc = check_log(r);
	if (!rc && res->state == XLOG_DIRTY)
		rc = recover_dirty(r);
	if (!rc)
		res->blocks_written += r->planned_bb;
	replay_fini(r);
	free(r);
	return rc;
}
