/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Items: which are shown, and how. Text has a line about every item, in
 * print_brief.c, and what -b, -i, -q and -a ask for below it; JSON has one
 * object for every item. The decoded parts of both are the same walks.
 */
#include <stdio.h>

#include "cmd/print.h"
#include "cmd/print_block.h"
#include "libxfsfmt/fork.h"
#include "libxfsfmt/inode.h"

enum { DETAIL_INDENT = 4 };

void print_item_view(const struct print *pr, const struct xlog_item *item,
		     bool big_endian, struct print_item_view *iv)
{
	unsigned int n = item->nregions < XFS_LOGITEM_MAX_REGIONS ?
			 item->nregions : XFS_LOGITEM_MAX_REGIONS;

	for (unsigned int i = 0; i < n; i++)
		iv->regions[i] = (struct xfs_log_region){
			item->regions[i].data, item->regions[i].len_bytes };
	iv->v = (struct xfs_logitem_view){
		.regions = iv->regions,
		.nregions = n,
		.order = big_endian ? XFS_BE : XFS_LE,
		.geom = pr->has_geom ? &pr->geom : NULL,
	};
}

/* --- filters --- */

struct match {
	const struct print *pr;
	bool		ino, block, ag;
};

/* True if [@first, @first + @count) has something in common with @t. */
static bool covers(const struct xfs_touch *t, uint64_t first, uint64_t count)
{
	return t->first >= first ? t->first - first < count :
				   first - t->first < t->count;
}

static void match_touch(void *ctx, const struct xfs_touch *t)
{
	struct match *m = ctx;
	const struct print_filter *f = &m->pr->opts.filter;

	switch (t->kind) {
	case XFS_TOUCH_INO:
		m->ino |= f->by_ino && covers(t, f->ino, 1);
		break;
	case XFS_TOUCH_DADDR:
		m->block |= f->by_block && covers(t, f->daddr, f->block_bb);
		break;
	case XFS_TOUCH_AG:
		m->ag |= f->by_ag && covers(t, f->ag, 1);
		break;
	case XFS_TOUCH_RTBLOCK:
		break;
	}
}

bool print_item_wanted(struct print *pr, const struct xlog_item *item,
		       const struct item_place *place)
{
	const struct print_filter *f = &pr->opts.filter;
	struct match m = { .pr = pr };
	struct print_item_view iv;
	int type;

	if (f->by_tid && place->tid != f->tid)
		return false;
	if (f->types) {
		type = item_type_index(item->type);
		if (type < 0 || !(f->types & 1u << type))
			return false;
	}
	if (!f->by_ino && !f->by_block && !f->by_ag)
		return true;
	print_item_view(pr, item, place->big_endian, &iv);
	xfs_logitem_touches(&iv.v, match_touch, &m);
	return m.ino == f->by_ino && m.block == f->by_block &&
	       m.ag == f->by_ag;
}

/* --- details, for text and JSON alike --- */

static void show_inode(const struct xfs_logitem_view *v,
		       const struct xfs_walk_ops *ops, void *ctx)
{
	struct xfs_walk w = { .order = v->order, .geom = v->geom, .ops = ops,
			      .ctx = ctx };
	struct xfs_logitem_inode inode;
	struct xfs_dinode di;

	if (xfs_logitem_inode(v, &inode) || !inode.core)
		return;
	w.base = inode.core->data;
	w.len_bytes = inode.core->len_bytes;
	xfs_log_dinode_walk(&w);
	xfs_dinode_decode(&di, w.base, w.len_bytes, v->order);
	if (inode.dfork) {
		w.base = inode.dfork->data;
		w.len_bytes = inode.dfork_bytes;
		xfs_log_fork_walk(&w, inode.ilf.ilf_fields, false, &di);
	}
	if (inode.afork) {
		w.base = inode.afork->data;
		w.len_bytes = inode.afork_bytes;
		xfs_log_fork_walk(&w, inode.ilf.ilf_fields, true, &di);
	}
}

static void show_details(struct print *pr, const struct xfs_logitem_view *v,
			 uint16_t type, const struct xfs_walk_ops *ops,
			 void *ctx)
{
	/* of a buffer, the line or the first keys say the same */
	if (type != XFS_LI_BUF || !pr->block.walk.heads_only) {
		ops->enter(ctx, "format", -1);
		xfs_logitem_walk(v, ops, ctx);
		ops->leave(ctx);
	}
	if (type == XFS_LI_INODE)
		show_inode(v, ops, ctx);
	else if (type == XFS_LI_BUF)
		print_block_walk(pr, ops, ctx);
}

static unsigned int detail_of(uint16_t type)
{
	int i = item_type_index(type);

	return i < 0 ? DETAIL_OTHER : item_types[i].detail;
}

uint64_t print_item_bytes(const struct xlog_item *item)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < item->nregions; i++)
		n += item->regions[i].len_bytes;
	return n;
}

/* --- text --- */

void print_dump(struct print *pr, const void *p, size_t len_bytes,
		uint64_t first_offset, unsigned int indent)
{
	enum xfs_order order = pr->opts.hex_order == HEX_BE ? XFS_BE :
			       pr->opts.hex_order == HEX_LE ? XFS_LE :
			       XFS_HOST_ORDER;

	text_dump(&pr->text, p, len_bytes, first_offset, indent, order,
		  pr->opts.hex_order != HEX_BYTES);
}

static void text_regions(struct print *pr, const struct xfs_logitem_view *v,
			 unsigned int first, unsigned int indent)
{
	struct out *o = &pr->out;

	for (unsigned int i = first; i < v->nregions; i++) {
		out_pad(o, indent, 0);
		out_str(o, "region ");
		out_uint(o, i);
		out_str(o, ", ");
		out_uint(o, v->regions[i].len_bytes);
		out_str(o, " bytes");
		out_newline(o);
		print_dump(pr, v->regions[i].data, v->regions[i].len_bytes, 0,
			   indent + 2);
	}
}

static void item_title(struct print *pr, const struct xlog_item *item,
		       unsigned int indent)
{
	int i = item_type_index(item->type);
	struct out *o = &pr->out;

	out_pad(o, indent, 0);
	text_colour(&pr->text, TEXT_BOLD);
	if (i < 0)
		out_hex(o, item->type, 4);
	else
		out_str(o, item_types[i].title);
	text_colour(&pr->text, TEXT_PLAIN);
	out_pad(o, indent + 7, 1);
}

static void item_lines(struct print *pr, const struct xlog_item *item,
		       const struct xfs_logitem_view *v, const char *why,
		       const struct item_place *place)
{
	const struct print_opts *opts = &pr->opts;
	unsigned int indent = place->indent + DETAIL_INDENT;
	bool decode = !opts->no_decode && !opts->data_only;
	bool heads_only = item->type == XFS_LI_BUF &&
			  !(opts->detail & DETAIL_DEEP);
	struct out *o = &pr->out;

	pr->block.walk.heads_only = heads_only;
	item_title(pr, item, place->indent);
	if (decode && !why)
		brief_item(pr, v);
	else {
		out_uint(o, item->nregions);
		out_str(o, item->nregions == 1 ? " region  " : " regions  ");
		out_size(o, print_item_bytes(item));
	}
	if (why) {
		text_colour(&pr->text, TEXT_RED);
		out_str(o, "  BAD: ");
		out_str(o, why);
		text_colour(&pr->text, TEXT_PLAIN);
	}
	out_newline(o);
	if (opts->data_only)
		text_regions(pr, v, 0, indent);
	if (!decode)
		return;
	if (opts->detail & detail_of(item->type)) {
		text_walk_begin(&pr->text, indent, heads_only);
		show_details(pr, v, item->type, &text_walk_ops, &pr->text);
		text_walk_end(&pr->text);
	}
	if (opts->hex && item->type == XFS_LI_BUF)
		text_regions(pr, v, 1, indent);
}

/* --- JSON --- */

static void json_regions(struct print *pr, const char *key,
			 const struct xfs_logitem_view *v, unsigned int first)
{
	struct jl *j = &pr->json;

	jl_open(j, key, '[');
	for (unsigned int i = first; i < v->nregions; i++)
		jl_dump(j, NULL, v->regions[i].data, v->regions[i].len_bytes);
	jl_close(j, ']');
}

/* Without an option for details JSON has all of them. */
static bool json_detailed(const struct print *pr, uint16_t type)
{
	return !pr->opts.detail || pr->opts.detail & detail_of(type);
}

static void item_object(struct print *pr, const struct xlog_item *item,
			const struct xfs_logitem_view *v, const char *why,
			const struct item_place *place)
{
	const struct print_opts *opts = &pr->opts;
	int type = item_type_index(item->type);
	struct jl *j = &pr->json;

	jl_begin(j, "item");
	jl_lsn(j, place->key, place->checkpoint);
	jl_uint(j, "tid", place->tid);
	if (type >= 0)
		jl_str(j, "item", item_types[type].name);
	else
		jl_hex(j, "item", item->type, 4);
	jl_uint(j, "nregions", item->nregions);
	jl_uint(j, "bytes", print_item_bytes(item));
	if (why)
		jl_str(j, "bad", why);
	if (!opts->no_decode && !opts->data_only) {
		pr->block.walk.heads_only = j->heads_only =
			item->type == XFS_LI_BUF && opts->detail &&
			!(opts->detail & DETAIL_DEEP);
		brief_keys(pr, v);
		if (json_detailed(pr, item->type))
			show_details(pr, v, item->type, &jl_walk_ops, j);
		if (opts->hex && item->type == XFS_LI_BUF)
			json_regions(pr, "hex", v, 1);
	}
	if (opts->data_only)
		json_regions(pr, "data", v, 0);
	jl_end(j);
}

static void debug_item(const struct xlog_item *item,
		       const struct item_place *place)
{
	cmd_message("debug: item 0x%x of tid 0x%x: %u of %u regions, %llu bytes",
		    item->type, place->tid, item->nregions, item->declared,
		    (unsigned long long)print_item_bytes(item));
}

static void item_finding(struct print *pr, const struct xlog_item *item,
			 const struct item_place *place, const char *why)
{
	int type = item_type_index(item->type);
	char text[160];

	snprintf(text, sizeof(text), "%s item of transaction 0x%x: %s",
		 type < 0 ? "unknown" : item_types[type].name, place->tid, why);
	reports_say(&pr->reports, XLOG_ERROR, "log.item", place->checkpoint,
		    text);
}

void print_item(struct print *pr, const struct xlog_item *item,
		const struct item_place *place)
{
	struct print_item_view iv;
	const char *why;

	if (pr->reports.debug & DEBUG_ITEM)
		debug_item(item, place);

	print_item_view(pr, item, place->big_endian, &iv);
	why = place->cut_short && item->nregions < item->declared ? NULL :
	      xfs_logitem_verify(&iv.v);
	if (item->type == XFS_LI_BUF)
		print_block_load(pr, &iv.v);
	if (why)
		item_finding(pr, item, place, why);
	if (pr->opts.io.json)
		item_object(pr, item, &iv.v, why, place);
	else
		item_lines(pr, item, &iv.v, why, place);
}
