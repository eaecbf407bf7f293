/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The replay: in place, in memory or on a copy. What the library finds on its
 * way comes through callbacks; a signal is its cue to end at the next point
 * where that is safe.
 */
#include <errno.h>

#include "cmd/recover.h"

static int on_progress(void *ctx, enum xlog_phase phase, uint64_t done,
		       uint64_t total)
{
	static const char *const names[] = {
		[XLOG_PHASE_FIND] = "find",
		[XLOG_PHASE_PLAN] = "plan",
		[XLOG_PHASE_CHECK] = "check",
		[XLOG_PHASE_WRITE] = "write",
		[XLOG_PHASE_FINISH] = "finish",
	};
	struct recover *rec = ctx;

	if (rec->phase != phase) {
		progress_begin(&rec->progress, names[phase],
			       phase == XLOG_PHASE_PLAN);
		rec->phase = phase;
	}
	progress_step(&rec->progress, done, total);
	return cmd_cancelled();
}

static unsigned int recover_flags(const struct recover_opts *o)
{
	unsigned int flags = 0;

	if (o->io.force & FORCE_UUID)
		flags |= XLOG_RECOVER_FORCE_UUID;
	if (o->io.force & FORCE_FEATURES)
		flags |= XLOG_RECOVER_FORCE_FEATURES;
	if (o->leave_unlinked)
		flags |= XLOG_RECOVER_LEAVE_UNLINKED;
	if (o->intents == INTENTS_SKIP)
		flags |= XLOG_RECOVER_SKIP_INTENTS;
	if (o->intents == INTENTS_REFUSE)
		flags |= XLOG_RECOVER_REFUSE_INTENTS;
	if (o->reread)
		flags |= XLOG_RECOVER_REREAD;
	if (o->dry_run)
		flags |= XLOG_RECOVER_DRY_RUN;
	return flags;
}

/* To look at every change costs time: only for those who want to see them. */
static bool wants_changes(const struct recover_opts *o)
{
	return o->dry_run || o->io.verbose;
}

/* Tell of a stop that is none. */
static void check_stop(struct recover *rec)
{
	const struct xlog_recover_result *res = &rec->res;
	const struct recover_opts *o = &rec->opts;
	const char *why = NULL;

	if (res->bounds.state != XLOG_DIRTY)
		return;
	if (o->stop_count > res->checkpoints)
		why = "--stop-at: the log does not hold so many checkpoints";
	else if (o->stop_lsn != XLOG_LSN_NONE &&
		 (o->stop_lsn < res->bounds.tail ||
		  o->stop_lsn >= res->bounds.head))
		why = "--stop-at: not between tail and head";
	if (why)
		reports_say(&rec->reports, XLOG_WARNING, "recover.stop",
			    XLOG_LSN_NONE, why);
}

static int replay(struct recover *rec)
{
	const struct recover_opts *o = &rec->opts;
	struct xlog_recover_options how = {
		.flags = recover_flags(o),
		.order = o->order,
		.max_memory_bytes = o->max_memory_bytes,
		.stop_lsn = o->stop_lsn,
		.stop_count = o->stop_count,
		.progress = on_progress,
		.change = wants_changes(o) ? recover_on_change : NULL,
		.remainder = recover_on_remainder,
		.ctx = rec,
	};
	int rc;

	if (o->explain)
		recover_explain_begin(rec);
	progress_begin(&rec->progress, "find", false);
	rc = xlog_recover(rec->log, &how, &rec->res);
	rec->ran = true;
	progress_end(&rec->progress);
	if (!rc)
		check_stop(rec);
	recover_show(rec, rc);
	return rc;
}

int recover_replay(struct recover *rec)
{
	int rc = 0;

	if (rec->opts.target)
		rc = recover_copy(rec);
	if (!rc)
		rc = recover_open(rec);
	if (!rc && rec->opts.save_log)
		rc = recover_save_log(rec);
	return rc ? rc : replay(rec);
}
