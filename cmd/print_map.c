/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * -d: where records lie and where the cycle number changes, a line each. A
 * change of cycle inside the log is where a head is, or was.
 */
#include <errno.h>

#include "cmd/print.h"

static const char *const names[] = {
	[XLOG_RECORD] = "record", [XLOG_PARTIAL] = "partial",
	[XLOG_FILLER] = "filler", [XLOG_ZERO] = "zero",
	[XLOG_STRAY] = "stale",
};

static const char *name_of(const struct print *pr,
			   const struct xlog_record *rec)
{
	if (rec->extent == XLOG_STRAY && !rec->block &&
	    rec->bb == pr->wrapped_bb)
		return "wrapped";
	return names[rec->extent];
}

static const char *mark(const struct print *pr, uint32_t block)
{
	const struct xlog_bounds *b = &pr->bounds;
	bool head = b->head != XLOG_LSN_NONE &&
		    xlog_lsn_block(b->head) == block;
	bool tail = b->tail != XLOG_LSN_NONE &&
		    xlog_lsn_block(b->tail) == block;

	return head && tail ? "head and tail" : head ? "head" :
	       tail ? "tail" : NULL;
}

static void map_line(struct print *pr, const struct xlog_record *rec)
{
	bool record = rec->extent == XLOG_RECORD ||
		      rec->extent == XLOG_PARTIAL;
	const char *note = mark(pr, rec->block);
	struct out *o = &pr->out;

	out_uint_right(o, rec->block, 8);
	out_str(o, "  ");
	out_uint_right(o, rec->bb, 8);
	out_str(o, "  ");
	out_uint_right(o, rec->cycle, 6);
	out_str(o, "  ");
	out_str(o, name_of(pr, rec));
	if (record) {
		out_pad(o, 37, 2);
		text_lsn(&pr->text, rec->lsn);
		out_pad(o, 53, 2);
		text_lsn(&pr->text, rec->tail_lsn);
		out_pad(o, 67, 2);
		out_uint_right(o, rec->num_ops, 6);
	}
	if (note) {
		out_pad(o, 75, 2);
		text_colour(&pr->text, TEXT_BOLD);
		out_str(o, note);
		text_colour(&pr->text, TEXT_PLAIN);
	}
	out_newline(o);
}

static void map_object(struct print *pr, const struct xlog_record *rec)
{
	struct jl *j = &pr->json;

	jl_begin(j, "map");
	jl_uint(j, "block", rec->block);
	jl_uint(j, "bbs", rec->bb);
	jl_uint(j, "cycle", rec->cycle);
	jl_str(j, "what", name_of(pr, rec));
	if (rec->extent == XLOG_RECORD || rec->extent == XLOG_PARTIAL) {
		jl_lsn(j, "lsn", rec->lsn);
		jl_lsn(j, "tail", rec->tail_lsn);
		jl_uint(j, "ops", rec->num_ops);
	}
	jl_end(j);
}

static void cycle_change(struct print *pr, uint32_t block, uint32_t from,
			 uint32_t to)
{
	struct out *o = &pr->out;
	struct jl *j = &pr->json;

	if (pr->opts.io.json) {
		jl_begin(j, "cycle");
		jl_uint(j, "block", block);
		jl_uint(j, "from", from);
		jl_uint(j, "to", to);
		jl_end(j);
		return;
	}
	out_uint_right(o, block, 8);
	out_str(o, "  -- cycle ");
	out_uint(o, from);
	out_str(o, " to ");
	out_uint(o, to);
	out_newline(o);
}

int print_map(struct print *pr)
{
	uint32_t from = pr->opts.start == UINT32_MAX ? 0 : pr->opts.start;
	struct xlog_cursor *cur;
	struct xlog_record rec;
	uint32_t cycle = 0;
	bool first = true;
	int rc;

	rc = xlog_cursor_open(pr->log, XLOG_WALK_PHYSICAL, from,
			      pr->info->log_size_bb, &cur);
	if (rc)
		return rc;
	pr->wrapped_bb = from ? 0 : print_wrapped_bb(pr);
	if (!pr->opts.io.json) {
		out_str(&pr->out, "   block    blocks   cycle  what       "
			"lsn             tail              ops");
		out_newline(&pr->out);
	}
	/* what lies outside tail and head cannot be damage */
	pr->reports.mute = true;
	while (!print_stop(pr, pr->records)) {
		rc = xlog_cursor_next(cur, &rec);
		if (!rc || (rc < 0 && rc != -EUCLEAN && rc != -EBADMSG))
			break;
		if (rc < 0)
			continue;
		if (!first && rec.cycle != cycle)
			cycle_change(pr, rec.block, cycle, rec.cycle);
		cycle = rec.cycle;
		first = false;
		if (rec.extent == XLOG_RECORD)
			pr->records++;
		if (pr->opts.io.json)
			map_object(pr, &rec);
		else
			map_line(pr, &rec);
		rc = 0;
		progress_step(&pr->progress, rec.block, pr->info->log_size_bb);
	}
	pr->reports.mute = false;
	xlog_cursor_close(cur);
	return rc < 0 && rc != -EUCLEAN && rc != -EBADMSG ? rc : 0;
}
