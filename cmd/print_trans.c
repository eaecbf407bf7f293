/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * -t: checkpoints in the order in which a mount would replay them, from tail
 * to head, however they are spread over records.
 */
#include <errno.h>

#include "cmd/print.h"
#include "cmd/print_jobs.h"

static bool any_wanted(struct print *pr, const struct xlog_trans *trans,
		       struct item_place *place)
{
	const struct print_filter *f = &pr->opts.filter;

	if (f->by_tid && trans->tid != f->tid)
		return false;
	if (!print_filter_on(f))
		return true;
	for (size_t i = 0; i < trans->nitems; i++)
		if (print_item_wanted(pr, &trans->items[i], place))
			return true;
	return false;
}

static void trans_line(struct print *pr, const struct xlog_trans *trans)
{
	struct text *t = &pr->text;
	struct out *o = &pr->out;

	out_str(o, trans->committed ? "checkpoint " : "unfinished ");
	text_lsn(t, trans->start);
	out_str(o, "..");
	text_lsn(t, trans->end);
	out_str(o, "  tid ");
	out_hex(o, trans->tid, 8);
	out_str(o, "  ");
	out_uint(o, trans->nitems);
	out_str(o, trans->nitems == 1 ? " item " : " items ");
	out_size(o, trans->bytes);
	if (trans->committed) {
		out_str(o, "  commit ");
		text_lsn(t, trans->commit);
		out_char(o, '+');
		out_uint(o, trans->commit_offset);
	} else {
		out_str(o, "  no commit: never replayed");
	}
	out_newline(o);
}

static void trans_object(struct print *pr, const struct xlog_trans *trans)
{
	struct jl *j = &pr->json;

	jl_begin(j, "checkpoint");
	jl_lsn(j, "lsn", trans->start);
	if (trans->committed)
		jl_lsn(j, "commit", trans->commit);
	else
		jl_null(j, "commit");
	jl_uint(j, "tid", trans->tid);
	jl_uint(j, "items", trans->nitems);
	jl_uint(j, "bytes", trans->bytes);
	jl_bool(j, "committed", trans->committed);
	jl_uint(j, "trans_type", trans->type);
	jl_uint(j, "regions", trans->num_regions);
	jl_end(j);
}

struct trans_view {
	struct print	*pr;
	struct print_jobs *jobs;
};

static int show_trans(void *ctx, const struct xlog_trans *trans)
{
	struct trans_view *view = ctx;
	struct print *pr = view->pr;
	struct item_place place = {
		.checkpoint = trans->start, .tid = trans->tid,
		.big_endian = trans->big_endian, .key = "checkpoint",
		.indent = 2,
	};

	if (!any_wanted(pr, trans, &place))
		return 0;
	pr->checkpoints += trans->committed;
	if (pr->opts.io.json)
		trans_object(pr, trans);
	else
		trans_line(pr, trans);
	/* what was never committed does not count, and may be cut short */
	if (!trans->committed && !pr->opts.io.verbose)
		return 0;
	place.cut_short = !trans->committed;
	print_items(pr, view->jobs, trans->items, trans->nitems, &place);
	return 0;
}

int print_walk(struct print *pr, print_trans_fn fn, void *ctx)
{
	struct xlog_trans_iter *it;
	const struct xlog_trans *trans;
	struct print_range range;
	uint32_t span;
	int rc;

	print_range(pr, &range);
	rc = range.empty || range.from == xlog_lsn_block(pr->bounds.tail) ? 0 :
	     print_range_align(pr, &range);
	if (rc || range.empty)
		return rc;
	span = range.to > range.from ? range.to - range.from :
	       pr->info->log_size_bb - range.from + range.to;
	rc = xlog_trans_open(pr->log, range.from, range.to, !pr->opts.stop,
			     &it);
	if (rc)
		return rc;
	while (!print_stop(pr, pr->checkpoints)) {
		rc = xlog_trans_next(it, &trans);
		if (!rc)
			break;
		if (rc < 0 && (pr->opts.stop ||
			       (rc != -EUCLEAN && rc != -EBADMSG)))
			break;
		/* commits come in the order of starts */
		if (rc > 0 && trans->start >= range.stop) {
			rc = 0;
			break;
		}
		if (rc > 0) {
			uint32_t at = xlog_lsn_block(trans->commit);

			print_grow(pr, trans->items, trans->nitems,
				   trans->big_endian);
			rc = fn(ctx, trans);
			if (rc < 0)
				break;
			progress_step(&pr->progress, at >= range.from ?
				      at - range.from :
				      pr->info->log_size_bb - range.from + at,
				      span);
		}
		rc = 0;
	}
	pr->records = xlog_trans_records(it);
	xlog_trans_close(it);
	return rc;
}

int print_transactions(struct print *pr)
{
	struct trans_view view = { .pr = pr, .jobs = print_jobs_new(pr) };
	int rc;

	rc = print_walk(pr, show_trans, &view);
	print_jobs_free(view.jobs);
	return rc;
}
