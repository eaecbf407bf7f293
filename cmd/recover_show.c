/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of a replay while it runs and when it is done. The log comes
 * before anything that is in it, whatever is first to be told.
 */
#include "cmd/recover.h"

bool recover_found(const struct recover *rec)
{
	const struct xlog_bounds *b = &rec->res.bounds;

	/* an empty log has no head, and is found when all is over */
	return b->state != XLOG_EMPTY || b->head || rec->done;
}

bool recover_is_partly(const struct recover *rec)
{
	return rec->partly || (rec->res.wrote && !rec->opts.dry_run &&
			       !rec->opts.target);
}

enum xlog_state recover_state(const struct recover *rec)
{
	const struct xlog_recover_result *res = &rec->res;

	/* what an overlay held is gone */
	return rec->opts.dry_run || !res->wrote ? res->bounds.state :
						  res->state;
}

static void tell_log(struct recover *rec)
{
	enum xlog_state state = rec->res.bounds.state;

	if (rec->told || !recover_found(rec))
		return;
	rec->told = true;
	if (rec->opts.io.json)
		recover_log_object(rec);
	else if (!rec->opts.io.quiet && !rec->opts.explain &&
		 (state == XLOG_DIRTY || state == XLOG_CORRUPT))
		recover_log_line(rec);
}

void recover_on_change(void *ctx, const struct xlog_change *change)
{
	struct recover *rec = ctx;

	tell_log(rec);
	if (rec->opts.io.json)
		recover_change_object(rec, change);
	else if (!rec->opts.io.quiet && !rec->opts.explain)
		recover_change_line(rec, change);
}

/* --- remainders --- */

/* Is it the reason of a refusal? What can be finished is less news. */
static bool is_refused(const struct recover *rec,
		       const struct xlog_remainder *rem)
{
	if (rem->kind != XLOG_REMAINDER_INTENT)
		return rem->realtime && !rec->opts.leave_unlinked;
	return rec->opts.intents == INTENTS_REFUSE ||
	       (rem->realtime && rec->opts.intents == INTENTS_FINISH);
}

static void remainder_message(struct recover *rec,
			      const struct xlog_remainder *rem)
{
	bool verbose = rec->opts.io.verbose;

	if (!verbose && !is_refused(rec, rem))
		return;
	if (!verbose && rec->remainders++ >= MESSAGES_MAX)
		return;
	progress_end(&rec->progress);
	out_flush(&rec->out);
	if (rem->lsn == XLOG_LSN_NONE)
		cmd_message("%s: %s", rec->path, rem->text);
	else
		cmd_message("%s: %u:%u: %s", rec->path,
			    xlog_lsn_cycle(rem->lsn), xlog_lsn_block(rem->lsn),
			    rem->text);
}

void recover_remainders_end(struct recover *rec)
{
	if (rec->remainders > MESSAGES_MAX)
		cmd_message("%s: and %llu more; -v shows all", rec->path,
			    (unsigned long long)
			    (rec->remainders - MESSAGES_MAX));
	rec->remainders = 0;
}

void recover_on_remainder(void *ctx, const struct xlog_remainder *rem)
{
	struct recover *rec = ctx;

	tell_log(rec);
	if (rec->opts.io.json)
		recover_remainder_object(rec, rem);
	else
		remainder_message(rec, rem);
}

/* --- the end --- */

void recover_show(struct recover *rec, int rc)
{
	recover_remainders_end(rec);
	rec->done = !rc;
	tell_log(rec);
	if (rec->opts.explain)
		recover_explain(rec, rc);
	else if (!rec->opts.io.json && !rec->opts.io.quiet &&
		 recover_found(rec))
		recover_text(rec, rc);
}
