/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --explain: in words, what there is to replay, who can, and whether this
 * program does. It has been tried, in memory or on a copy.
 */
#include "cmd/explain.h"
#include "cmd/log.h"
#include "cmd/recover.h"

static void on_step(void *ctx, const struct xlog_report *r)
{
	struct recover *rec = ctx;

	if (rec->opts.io.json)
		explain_step_object(&rec->json, r);
	else
		explain_step(&rec->out, r, !rec->steps++);
}

void recover_explain_begin(struct recover *rec)
{
	rec->reports.on_step = on_step;
	rec->reports.step_ctx = rec;
}

/* The superblock of the filesystem; the library has verified it. */
static void superblock(const struct recover *rec, struct xfs_sb *sb)
{
	const struct xlog_info *info = xlog_info(rec->log);

	xfs_sb_decode(sb, info->superblock, info->superblock_bytes, XFS_BE);
}

static void what_there_is(struct recover *rec)
{
	const struct xlog_recover_result *res = &rec->res;
	struct out *o = &rec->out;

	explain_heading(&rec->text, "What there is to do");
	out_str(o, "  ");
	out_uint(o, res->checkpoints);
	out_str(o, res->checkpoints == 1 ? " checkpoint of " :
					   " checkpoints of ");
	out_uint(o, res->items);
	out_str(o, res->items == 1 ? " item in " : " items in ");
	out_uint(o, res->records);
	explain_line(&rec->text, res->records == 1 ? " record:" : " records:");
	out_str(o, "  ");
	recover_counts(rec);
	out_newline(o);
}

static void verdict(struct recover *rec, int rc)
{
	const struct xlog_recover_result *res = &rec->res;

	explain_heading(&rec->text, "What xlog-recover does");
	out_str(&rec->out, "  ");
	if (res->refused[0]) {
		out_str(&rec->out, "Refuse: ");
		explain_line(&rec->text, res->refused);
	} else if (rc) {
		explain_line(&rec->text, "Fail: see above.");
	} else if (res->bounds.state == XLOG_DIRTY) {
		out_str(&rec->out, "Replay it");
		if (res->intents || res->unlinked || res->cow_extents)
			out_str(&rec->out, " and finish what it leaves");
		explain_line(&rec->text, ", on a machine of any byte order "
			     "and with any kernel.");
	} else {
		explain_line(&rec->text, "Nothing.");
	}
}

static void explain_text(struct recover *rec, const struct xfs_sb *sb,
			 const char *order, int rc)
{
	const struct xlog_bounds *b = &rec->res.bounds;

	explain_heading(&rec->text, "State");
	out_str(&rec->out, "  ");
	out_str(&rec->out, xlog_state_name(b->state));
	explain_bounds(&rec->text, b);
	if (b->state == XLOG_DIRTY && rec->res.checkpoints)
		what_there_is(rec);
	explain_heading(&rec->text, "Who can do it by a mount");
	explain_who(&rec->text, sb, order);
	verdict(rec, rc);
}

static void explain_object(struct recover *rec, const struct xfs_sb *sb)
{
	struct jl *j = &rec->json;

	jl_begin(j, "explain");
	explain_features(j, sb);
	if (rec->res.refused[0])
		jl_str(j, "refused", rec->res.refused);
	else
		jl_null(j, "refused");
	jl_end(j);
}

void recover_explain(struct recover *rec, int rc)
{
	int fmt = log_newest_fmt(rec->log, &rec->res.bounds);
	struct xfs_sb sb;

	superblock(rec, &sb);
	if (rec->opts.io.json)
		explain_object(rec, &sb);
	else
		explain_text(rec, &sb, log_order_name(fmt), rc);
}
