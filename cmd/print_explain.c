/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --explain: in words, what state the log is in and how that was found, what
 * a mount would do with it, and who can.
 */
#include <errno.h>

#include "cmd/feature.h"
#include "cmd/pending.h"
#include "cmd/print.h"
#include "cmd/tally.h"

enum { SHOWN_INTENTS = 20 };

static const char *const meanings[] = {
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

/* What is counted while walking from tail to head. */
struct explain {
	struct print	*pr;
	struct pending	*pending;
	struct tally	types;
	uint64_t	items, unfinished;
};

static int count_trans(void *ctx, const struct xlog_trans *trans)
{
	struct explain *e = ctx;
	int rc = 0;

	if (!trans->committed) {
		e->unfinished++;
		return 0;
	}
	e->pr->checkpoints++;
	e->items += trans->nitems;
	for (size_t i = 0; i < trans->nitems && !rc; i++) {
		rc = tally_add(&e->types, trans->items[i].type, 1, 0, 0);
		if (!rc)
			rc = pending_item(e->pending, &trans->items[i],
					  trans->start, trans->big_endian);
	}
	if (rc)
		cmd_message("out of memory");
	return rc;
}

/* --- text --- */

static void line(struct print *pr, const char *text)
{
	out_str(&pr->out, text);
	out_newline(&pr->out);
}

static void heading(struct print *pr, const char *text)
{
	out_newline(&pr->out);
	text_colour(&pr->text, TEXT_BOLD);
	out_str(&pr->out, text);
	text_colour(&pr->text, TEXT_PLAIN);
	out_newline(&pr->out);
}

/* Steps of the library come while it looks for head and tail. */
static void on_step(struct print *pr, const struct xlog_report *r)
{
	struct out *o = &pr->out;

	if (pr->opts.json) {
		jl_begin(&pr->json, "step");
		jl_str(&pr->json, "code", r->code);
		jl_lsn(&pr->json, "lsn", r->lsn);
		jl_str(&pr->json, "what", r->text);
		jl_end(&pr->json);
		return;
	}
	if (!pr->steps++)
		line(pr, "How head and tail were found");
	out_str(o, "  ");
	line(pr, r->text);
}

void explain_begin(struct print *pr)
{
	pr->on_step = on_step;
}

static void what_to_replay(struct explain *e)
{
	struct print *pr = e->pr;
	struct out *o = &pr->out;

	out_str(o, "  Replay ");
	out_uint(o, pr->checkpoints);
	out_str(o, pr->checkpoints == 1 ? " checkpoint of " :
					  " checkpoints of ");
	out_uint(o, e->items);
	out_str(o, e->items == 1 ? " item in " : " items in ");
	out_uint(o, pr->records);
	out_str(o, pr->records == 1 ? " record" : " records");
	out_str(o, " (");
	out_size(o, (uint64_t)print_active_bb(pr) * BB_SIZE);
	out_str(o, " of log):");
	out_newline(o);
	for (size_t i = 0; i < e->types.used; i++) {
		const struct tally_row *r = &e->types.rows[i];
		int type = item_type_index((uint16_t)r->key);

		out_uint_right(o, r->n, 10);
		out_str(o, "  ");
		if (type < 0) {
			out_hex(o, r->key, 4);
			out_str(o, "  unknown");
		} else {
			out_str(o, item_types[type].name);
			out_pad(o, 23, 1);
			out_str(o, item_types[type].meaning);
		}
		out_newline(o);
	}
	if (pr->survey.superblock_only)
		line(pr, "  They hold nothing but the superblock: the "
			 "filesystem was idle or frozen, nothing is lost "
			 "without them.");
	if (e->unfinished) {
		out_str(o, "  Leave out ");
		out_uint(o, e->unfinished);
		line(pr, e->unfinished == 1 ?
			 " checkpoint that was being written: it has no "
			 "commit." :
			 " checkpoints that were being written: they have no "
			 "commit.");
	}
}

static void show_intent(struct print *pr, const struct pending_intent *p)
{
	int type = item_type_index(p->intent.type);
	struct print_item_view iv;
	struct out *o = &pr->out;

	out_str(o, "    ");
	if (type >= 0)
		out_str(o, item_types[type].title);
	out_pad(o, 11, 1);
	text_lsn(&pr->text, p->lsn);
	out_pad(o, 22, 2);
	if (p->item.nregions) {
		print_item_view(pr, &p->item, p->big_endian, &iv);
		brief_item(pr, &iv.v);
	} else {
		out_str(o, "id ");
		out_hex(o, p->intent.id, 0);
	}
	out_newline(o);
}

static void what_to_finish(struct explain *e)
{
	const struct pending_intent *p = NULL;
	size_t n = pending_count(e->pending), shown = 0;
	struct out *o = &e->pr->out;

	if (!n) {
		line(e->pr, "  No intent is left unfinished.");
	} else {
		out_str(o, "  Finish what was begun and is not known to be "
			   "done, ");
		out_uint(o, n);
		line(e->pr, n == 1 ? " intent:" : " intents:");
	}
	while (shown < SHOWN_INTENTS &&
	       (p = pending_next(e->pending, p))) {
		show_intent(e->pr, p);
		shown++;
	}
	if (shown < n) {
		out_str(o, "    and ");
		out_uint(o, n - shown);
		line(e->pr, " more");
	}
	line(e->pr, "  Then free inodes that were deleted while still open, "
		    "if there are any.");
}

struct needed {
	struct print	*pr;
	const struct feature *newest;
};

static void need(void *ctx, const struct feature *f)
{
	struct needed *n = ctx;

	if (!n->newest || f->linux_major > n->newest->linux_major ||
	    (f->linux_major == n->newest->linux_major &&
	     f->linux_minor > n->newest->linux_minor))
		n->newest = f;
	if (n->pr->opts.json) {
		jl_element_str(&n->pr->json, f->name);
	} else {
		out_char(&n->pr->out, ' ');
		out_str(&n->pr->out, f->name);
	}
}

static void unknown_bits(struct print *pr, const char *what, uint32_t bits)
{
	if (!bits)
		return;
	out_str(&pr->out, "  Unknown ");
	out_str(&pr->out, what);
	out_str(&pr->out, " features ");
	out_hex(&pr->out, bits, 0);
	line(pr, ": a kernel that does not know them refuses.");
}

static void who_can(struct print *pr)
{
	struct needed n = { .pr = pr };
	const char *order = print_order(pr);
	struct feature_unknown unknown;
	struct out *o = &pr->out;

	heading(pr, "Who can do it");
	if (pr->has_geom) {
		out_str(o, "  Features:");
		feature_each(&pr->sb, need, &n);
		out_newline(o);
		if (n.newest && n.newest->linux_major) {
			out_str(o, "  Linux ");
			out_uint(o, n.newest->linux_major);
			out_char(o, '.');
			out_uint(o, n.newest->linux_minor);
			out_str(o, " or later, for ");
			line(pr, n.newest->name);
		}
		unknown = feature_unknown(&pr->sb);
		unknown_bits(pr, "incompatible", unknown.incompat);
		unknown_bits(pr, "read-only compatible", unknown.ro_compat);
		unknown_bits(pr, "log", unknown.log_incompat);
	}
	if (order)
		line(pr, *order == 'l' ?
			 "  A little-endian machine, like the one that wrote "
			 "the log: x86-64, arm64." :
			 "  A big-endian machine, like the one that wrote the "
			 "log: s390x, ppc64.");
}

static void explain_text(struct explain *e)
{
	struct print *pr = e->pr;
	struct out *o = &pr->out;

	heading(pr, "State");
	out_str(o, "  ");
	print_state(pr);
	out_str(o, ", tail ");
	text_lsn(&pr->text, pr->bounds.tail);
	out_str(o, ", head ");
	text_lsn(&pr->text, pr->bounds.head);
	out_newline(o);
	out_str(o, "  ");
	line(pr, meanings[pr->bounds.state]);
	if (pr->bounds.torn_block != UINT32_MAX) {
		out_str(o, "  The last writes were cut off: from block ");
		out_uint(o, pr->bounds.torn_block);
		line(pr, " on nothing counts.");
	}
	if (pr->bounds.refused[0]) {
		heading(pr, "What a mount would do");
		out_str(o, "  Refuse, with the log as it is: ");
		line(pr, pr->bounds.refused);
	}
	if (pr->bounds.state == XLOG_DIRTY) {
		heading(pr, pr->bounds.refused[0] ? "What there is to do" :
						    "What a mount would do");
		what_to_replay(e);
		what_to_finish(e);
	}
	who_can(pr);
}

/* --- JSON --- */

static void intent_object(struct print *pr, const struct pending_intent *p)
{
	int type = item_type_index(p->intent.type);
	struct jl *j = &pr->json;

	jl_begin(j, "pending");
	jl_lsn(j, "checkpoint", p->lsn);
	jl_str(j, "item", type >= 0 ? item_types[type].name : "");
	jl_uint(j, "id", p->intent.id);
	jl_end(j);
}

static void explain_objects(struct explain *e)
{
	const struct pending_intent *p = NULL;
	struct print *pr = e->pr;
	struct needed n = { .pr = pr };
	struct jl *j = &pr->json;

	while ((p = pending_next(e->pending, p)))
		intent_object(pr, p);
	jl_begin(j, "explain");
	jl_uint(j, "checkpoints", pr->checkpoints);
	jl_uint(j, "items", e->items);
	jl_uint(j, "unfinished", e->unfinished);
	jl_uint(j, "pending", pending_count(e->pending));
	jl_open(j, "types", '{');
	for (size_t i = 0; i < e->types.used; i++) {
		int type = item_type_index((uint16_t)e->types.rows[i].key);

		if (type >= 0)
			jl_uint(j, item_types[type].name, e->types.rows[i].n);
	}
	jl_close(j, '}');
	jl_open(j, "features", '[');
	if (pr->has_geom)
		feature_each(&pr->sb, need, &n);
	jl_close(j, ']');
	jl_end(j);
}

int print_explain(struct print *pr)
{
	struct explain e = { .pr = pr, .pending = pending_new() };
	int rc;

	if (!e.pending) {
		cmd_message("out of memory");
		return -ENOMEM;
	}
	rc = print_walk(pr, count_trans, &e);
	tally_sort(&e.types, false);
	if (pr->opts.json)
		explain_objects(&e);
	else
		explain_text(&e);
	tally_fini(&e.types);
	pending_free(e.pending);
	return rc;
}
