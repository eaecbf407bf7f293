/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --explain: in words, what state the log is in and how that was found, what
 * a mount would do with it, and who can.
 */
#include <errno.h>

#include "cmd/explain.h"
#include "cmd/print.h"
#include "cmd/tally.h"

enum { SHOWN_INTENTS = 20 };

/* What is counted while walking from tail to head. */
struct explain {
	struct print	*pr;
	struct xlog_pending *pending;
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
			rc = xlog_pending_item(e->pending, &trans->items[i],
					       trans->start,
					       trans->big_endian);
	}
	if (rc)
		cmd_message("out of memory");
	return rc;
}

/* --- text --- */

static void line(struct print *pr, const char *text)
{
	explain_line(&pr->text, text);
}

/* Steps of the library come while it looks for head and tail. */
static void on_step(void *ctx, const struct xlog_report *r)
{
	struct print *pr = ctx;

	if (pr->opts.io.json)
		explain_step_object(&pr->json, r);
	else
		explain_step(&pr->out, r, !pr->steps++);
}

void explain_begin(struct print *pr)
{
	pr->reports.on_step = on_step;
	pr->reports.step_ctx = pr;
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

static void show_intent(struct print *pr, const struct xlog_pending_intent *p)
{
	int type = item_type_index(p->type);
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
		out_hex(o, p->id, 0);
	}
	out_newline(o);
}

static void what_to_finish(struct explain *e)
{
	const struct xlog_pending_intent *p = NULL;
	size_t n = xlog_pending_count(e->pending), shown = 0;
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
	       (p = xlog_pending_next(e->pending, p))) {
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

static void explain_text(struct explain *e)
{
	struct print *pr = e->pr;

	explain_heading(&pr->text, "State");
	out_str(&pr->out, "  ");
	print_state(pr);
	explain_bounds(&pr->text, &pr->bounds);
	if (pr->bounds.state == XLOG_DIRTY) {
		explain_heading(&pr->text, pr->bounds.refused[0] ?
				"What there is to do" :
				"What a mount would do");
		what_to_replay(e);
		what_to_finish(e);
	}
	explain_heading(&pr->text, "Who can do it");
	explain_who(&pr->text, pr->has_geom ? &pr->sb : NULL, print_order(pr));
}

/* --- JSON --- */

static void intent_object(struct print *pr, const struct xlog_pending_intent *p)
{
	int type = item_type_index(p->type);
	struct jl *j = &pr->json;

	jl_begin(j, "pending");
	jl_lsn(j, "checkpoint", p->lsn);
	jl_str(j, "item", type >= 0 ? item_types[type].name : "");
	jl_uint(j, "id", p->id);
	jl_end(j);
}

static void explain_objects(struct explain *e)
{
	const struct xlog_pending_intent *p = NULL;
	struct print *pr = e->pr;
	struct jl *j = &pr->json;

	while ((p = xlog_pending_next(e->pending, p)))
		intent_object(pr, p);
	jl_begin(j, "explain");
	jl_uint(j, "checkpoints", pr->checkpoints);
	jl_uint(j, "items", e->items);
	jl_uint(j, "unfinished", e->unfinished);
	jl_uint(j, "pending", xlog_pending_count(e->pending));
	jl_open(j, "types", '{');
	for (size_t i = 0; i < e->types.used; i++) {
		int type = item_type_index((uint16_t)e->types.rows[i].key);

		if (type >= 0)
			jl_uint(j, item_types[type].name, e->types.rows[i].n);
	}
	jl_close(j, '}');
	explain_features(j, pr->has_geom ? &pr->sb : NULL);
	jl_end(j);
}

int print_explain(struct print *pr)
{
	struct explain e = { .pr = pr, .pending = xlog_pending_new() };
	int rc;

	if (!e.pending) {
		cmd_message("out of memory");
		return -ENOMEM;
	}
	rc = print_walk(pr, count_trans, &e);
	tally_sort(&e.types, false);
	if (pr->opts.io.json)
		explain_objects(&e);
	else
		explain_text(&e);
	tally_fini(&e.types);
	xlog_pending_free(e.pending);
	return rc;
}
