/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --explain; see explain.h.
 */
#include "cmd/explain.h"
#include "cmd/feature.h"

/* What a mount has to do. */
static const char *const states[] = {
	[XLOG_EMPTY] = "The log was never written to: there is nothing to "
		       "recover.",
	[XLOG_CLEAN] = "The filesystem was unmounted in order: all that the "
		       "log held is in its place, a mount replays nothing.",
	[XLOG_DIRTY] = "The filesystem was not unmounted in order: the log "
		       "holds changes that may not be in their places yet. "
		       "A mount replays them.",
	[XLOG_CORRUPT] = "The log is damaged: a mount would refuse it. What "
			 "can still be read is shown by -t and by the record "
			 "view.",
};

void explain_line(struct text *t, const char *text)
{
	out_str(t->out, text);
	out_newline(t->out);
}

void explain_heading(struct text *t, const char *text)
{
	out_newline(t->out);
	text_colour(t, TEXT_BOLD);
	out_str(t->out, text);
	text_colour(t, TEXT_PLAIN);
	out_newline(t->out);
}

void explain_step(struct out *o, const struct xlog_report *r, bool first)
{
	if (first) {
		out_str(o, "How head and tail were found");
		out_newline(o);
	}
	out_str(o, "  ");
	out_str(o, r->text);
	out_newline(o);
}

void explain_step_object(struct jl *j, const struct xlog_report *r)
{
	jl_begin(j, "step");
	jl_str(j, "code", r->code);
	jl_lsn(j, "lsn", r->lsn);
	jl_str(j, "what", r->text);
	jl_end(j);
}

void explain_bounds(struct text *t, const struct xlog_bounds *bounds)
{
	out_str(t->out, ", tail ");
	text_lsn(t, bounds->tail);
	out_str(t->out, ", head ");
	text_lsn(t, bounds->head);
	out_newline(t->out);
	out_str(t->out, "  ");
	explain_line(t, states[bounds->state]);
	if (bounds->torn_block != UINT32_MAX) {
		out_str(t->out, "  The last writes were cut off: from block ");
		out_uint(t->out, bounds->torn_block);
		explain_line(t, " on nothing counts.");
	}
	if (bounds->refused[0]) {
		explain_heading(t, "What a mount would do");
		out_str(t->out, "  Refuse, with the log as it is: ");
		explain_line(t, bounds->refused);
	}
}

/* --- who can --- */

struct needed {
	struct out	*out;
	struct jl	*json;		/* where they go instead, or NULL */
	const struct feature *newest;
};

static void need(void *ctx, const struct feature *f)
{
	struct needed *n = ctx;

	if (!n->newest || f->linux_major > n->newest->linux_major ||
	    (f->linux_major == n->newest->linux_major &&
	     f->linux_minor > n->newest->linux_minor))
		n->newest = f;
	if (n->json) {
		jl_element_str(n->json, f->name);
	} else {
		out_char(n->out, ' ');
		out_str(n->out, f->name);
	}
}

static void unknown_bits(struct text *t, const char *what, uint32_t bits)
{
	if (!bits)
		return;
	out_str(t->out, "  Unknown ");
	out_str(t->out, what);
	out_str(t->out, " features ");
	out_hex(t->out, bits, 0);
	explain_line(t, ": a kernel that does not know them refuses.");
}

static void features(struct text *t, const struct xfs_sb *sb)
{
	struct needed n = { .out = t->out };
	struct feature_unknown unknown = feature_unknown(sb);
	struct out *o = t->out;

	out_str(o, "  Features:");
	feature_each(sb, need, &n);
	out_newline(o);
	if (n.newest && n.newest->linux_major) {
		out_str(o, "  Linux ");
		out_uint(o, n.newest->linux_major);
		out_char(o, '.');
		out_uint(o, n.newest->linux_minor);
		out_str(o, " or later, for ");
		explain_line(t, n.newest->name);
	}
	unknown_bits(t, "incompatible", unknown.incompat);
	unknown_bits(t, "read-only compatible", unknown.ro_compat);
	unknown_bits(t, "log", unknown.log_incompat);
}

void explain_who(struct text *t, const struct xfs_sb *sb, const char *order)
{
	if (sb)
		features(t, sb);
	if (order)
		explain_line(t, *order == 'l' ?
			     "  A little-endian machine, like the one that "
			     "wrote the log: x86-64, arm64." :
			     "  A big-endian machine, like the one that wrote "
			     "the log: s390x, ppc64.");
}

void explain_features(struct jl *j, const struct xfs_sb *sb)
{
	struct needed n = { .json = j };

	jl_open(j, "features", '[');
	if (sb)
		feature_each(sb, need, &n);
	jl_close(j, ']');
}
