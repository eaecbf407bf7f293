/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --check: the verdict, in one line and in the exit code.
 */
#include "cmd/print.h"

static void bounds(struct print *pr)
{
	out_str(&pr->out, ", tail ");
	text_lsn(&pr->text, pr->bounds.tail);
	out_str(&pr->out, ", head ");
	text_lsn(&pr->text, pr->bounds.head);
}

static void verdict_line(struct print *pr)
{
	static const enum text_colour colours[] = {
		[XLOG_DIRTY] = TEXT_YELLOW, [XLOG_CORRUPT] = TEXT_RED,
	};
	enum xlog_state state = pr->bounds.state;
	struct out *o = &pr->out;

	out_str(o, pr->opts.io.path);
	out_str(o, ": ");
	text_colour(&pr->text, colours[state]);
	out_str(o, xlog_state_name(state));
	text_colour(&pr->text, TEXT_PLAIN);
	switch (state) {
	case XLOG_EMPTY:
		out_str(o, ": the log was never written");
		break;
	case XLOG_CLEAN:
		out_str(o, ": head ");
		text_lsn(&pr->text, pr->bounds.head);
		break;
	case XLOG_DIRTY:
		out_str(o, ": ");
		print_checkpoints(pr);
		bounds(pr);
		if (pr->survey.superblock_only)
			out_str(o, ", only the superblock (idle or frozen)");
		break;
	case XLOG_CORRUPT:
		if (pr->bounds.head != XLOG_LSN_NONE &&
		    pr->bounds.tail != XLOG_LSN_NONE) {
			out_str(o, ": ");
			out_str(o, "tail ");
			text_lsn(&pr->text, pr->bounds.tail);
			out_str(o, ", head ");
			text_lsn(&pr->text, pr->bounds.head);
		} else {
			out_str(o, ": no usable head and tail");
		}
		break;
	}
	if (pr->bounds.refused[0]) {
		out_str(o, "; Linux would not recover it: ");
		out_str(o, pr->bounds.refused);
	}
	out_newline(o);
}

int print_check(struct print *pr)
{
	enum xlog_state state = pr->bounds.state;

	pr->verdict = state == XLOG_DIRTY || state == XLOG_CORRUPT;
	if (!pr->opts.io.json)
		verdict_line(pr);
	return 0;
}
