/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * -z: what the log is full of, by type of item, by inode, by allocation group
 * or by record.
 */
#include <errno.h>

#include "cmd/print.h"
#include "cmd/tally.h"

enum {
	/* An item that claims more than this many groups or inodes is damaged. */
	MAX_KEYS = 1024,
};

struct stats {
	struct print	*pr;
	struct tally	tally;
	struct tally_row total;
	/* the item at hand */
	enum xfs_touch_kind kind;
	uint64_t	regions, bytes;
	uint64_t	last;		/* counted already for this item */
	bool		counted;
	int		rc;
};

static const char *const headings[] = {
	[STATS_TYPE] = "type", [STATS_INODE] = "inode", [STATS_AG] = "ag",
	[STATS_RECORD] = "record",
};

static void count_key(struct stats *s, uint64_t key)
{
	/* the same thing comes twice in a row, if it does */
	if (s->rc || (s->counted && s->last == key))
		return;
	s->counted = true;
	s->last = key;
	s->rc = tally_add(&s->tally, key, 1, s->regions, s->bytes);
}

static void count_touch(void *ctx, const struct xfs_touch *touch)
{
	struct stats *s = ctx;
	uint64_t n = touch->count < MAX_KEYS ? touch->count : MAX_KEYS;

	if (touch->kind != s->kind)
		return;
	for (uint64_t i = 0; i < n; i++)
		count_key(s, touch->first + i);
}

static void count_item(struct stats *s, const struct xlog_item *item,
		       const struct item_place *place)
{
	struct print_item_view iv;

	if (!print_item_wanted(s->pr, item, place))
		return;
	s->regions = item->nregions;
	s->bytes = print_item_bytes(item);
	s->counted = false;
	s->total.n++;
	s->total.regions += s->regions;
	s->total.bytes += s->bytes;
	switch (s->pr->opts.stats_by) {
	case STATS_INODE:
		/* a buffer of inodes is about where they lie, not about them */
		if (item->type == XFS_LI_BUF)
			return;
		s->kind = XFS_TOUCH_INO;
		break;
	case STATS_AG:
		s->kind = XFS_TOUCH_AG;
		break;
	default:
		count_key(s, item->type);
		return;
	}
	print_item_view(s->pr, item, place->big_endian, &iv);
	xfs_logitem_touches(&iv.v, count_touch, s);
}

static int count_trans(void *ctx, const struct xlog_trans *trans)
{
	struct stats *s = ctx;
	struct item_place place = {
		.checkpoint = trans->start, .tid = trans->tid,
		.big_endian = trans->big_endian,
	};

	if (!trans->committed)
		return 0;
	s->pr->checkpoints++;
	for (size_t i = 0; i < trans->nitems; i++)
		count_item(s, &trans->items[i], &place);
	return s->rc;
}

/* Operations of each record, with the bytes of its payload. */
static int count_records(struct stats *s)
{
	struct print *pr = s->pr;
	struct print_range range;
	struct xlog_cursor *cur;
	struct xlog_record rec;
	int rc;

	print_range(pr, &range);
	rc = range.empty || range.from == xlog_lsn_block(pr->bounds.tail) ? 0 :
	     print_range_align(pr, &range);
	if (rc || range.empty)
		return rc;
	rc = xlog_cursor_open(pr->log, pr->opts.stop ? XLOG_WALK_LOG :
			      XLOG_WALK_LOG_RESYNC, range.from, range.to,
			      &cur);
	if (rc)
		return rc;
	while (!s->rc && !print_stop(pr, pr->records)) {
		rc = xlog_cursor_next(cur, &rec);
		if (!rc || (rc < 0 && (pr->opts.stop ||
				       (rc != -EUCLEAN && rc != -EBADMSG))))
			break;
		if (rc > 0 && rec.lsn >= range.stop) {
			rc = 0;
			break;
		}
		if (rc < 0)
			continue;
		pr->records++;
		s->total.n += rec.num_ops;
		s->total.regions++;
		s->total.bytes += rec.len_bytes;
		s->rc = tally_add(&s->tally, rec.lsn, rec.num_ops, 1,
				  rec.len_bytes);
		rc = 0;
	}
	xlog_cursor_close(cur);
	return rc < 0 ? rc : s->rc;
}

/* --- showing it --- */

static void put_key(struct print *pr, uint64_t key)
{
	int type;

	switch (pr->opts.stats_by) {
	case STATS_TYPE:
		type = item_type_index((uint16_t)key);
		if (type >= 0)
			out_str(&pr->out, item_types[type].name);
		else
			out_hex(&pr->out, key, 4);
		break;
	case STATS_INODE:
		out_hex(&pr->out, key, 0);
		break;
	case STATS_AG:
		out_uint(&pr->out, key);
		break;
	case STATS_RECORD:
		text_lsn(&pr->text, key);
		break;
	}
}

static void put_percent(struct out *o, uint64_t part, uint64_t whole,
			unsigned int end)
{
	/* two decimals; digits before the point: 1 to 3 */
	uint64_t percent = whole ? part * 100 / whole : 0;
	unsigned int width = percent >= 100 ? 6 : percent >= 10 ? 5 : 4;

	out_pad(o, end - width, 1);
	out_percent(o, part, whole, 2);
}

static void put_count(struct out *o, uint64_t v, unsigned int end)
{
	unsigned int width = 1;

	for (uint64_t x = v; x >= 10; x /= 10)
		width++;
	out_pad(o, end > width ? end - width : 0, 1);
	out_uint(o, v);
}

static void table_line(struct print *pr, const struct tally_row *row,
		       const struct tally_row *total)
{
	struct out *o = &pr->out;

	put_count(o, row->n, 20);
	put_percent(o, row->n, total->n, 28);
	put_count(o, row->regions, 38);
	put_count(o, row->bytes, 50);
	put_percent(o, row->bytes, total->bytes, 58);
	out_newline(o);
}

static void show_table(struct stats *s)
{
	bool records = s->pr->opts.stats_by == STATS_RECORD;
	struct out *o = &s->pr->out;

	out_str(o, headings[s->pr->opts.stats_by]);
	out_pad(o, records ? 17 : 19, 1);
	out_str(o, records ? "ops       %   records       bytes       %" :
			     "n       %   regions       bytes       %");
	out_newline(o);
	for (size_t i = 0; i < s->tally.used; i++) {
		put_key(s->pr, s->tally.rows[i].key);
		table_line(s->pr, &s->tally.rows[i], &s->total);
	}
	out_str(o, "total");
	table_line(s->pr, &s->total, &s->total);
}

static void show_objects(struct stats *s)
{
	enum print_stats by = s->pr->opts.stats_by;
	struct jl *j = &s->pr->json;

	for (size_t i = 0; i < s->tally.used; i++) {
		const struct tally_row *r = &s->tally.rows[i];
		int type = by == STATS_TYPE ?
			   item_type_index((uint16_t)r->key) : -1;

		jl_begin(j, "stat");
		jl_str(j, "by", headings[by]);
		if (by == STATS_RECORD)
			jl_lsn(j, "record", r->key);
		else if (by != STATS_TYPE)
			jl_uint(j, headings[by], r->key);
		else if (type >= 0)
			jl_str(j, "item", item_types[type].name);
		else
			jl_hex(j, "item", r->key, 4);
		jl_uint(j, by == STATS_RECORD ? "ops" : "n", r->n);
		if (by != STATS_RECORD)
			jl_uint(j, "regions", r->regions);
		jl_uint(j, "bytes", r->bytes);
		jl_end(j);
	}
	jl_begin(j, "total");
	jl_str(j, "by", headings[by]);
	jl_uint(j, by == STATS_RECORD ? "ops" : "n", s->total.n);
	if (by != STATS_RECORD)
		jl_uint(j, "regions", s->total.regions);
	jl_uint(j, "bytes", s->total.bytes);
	jl_end(j);
}

int print_stats(struct print *pr)
{
	struct stats s = { .pr = pr };
	enum print_stats by = pr->opts.stats_by;
	int rc;

	rc = by == STATS_RECORD ? count_records(&s) :
				  print_walk(pr, count_trans, &s);
	if (s.rc == -ENOMEM)
		cmd_message("out of memory");
	tally_sort(&s.tally, by == STATS_AG || by == STATS_RECORD);
	if (pr->opts.io.json)
		show_objects(&s);
	else
		show_table(&s);
	tally_fini(&s.tally);
	return rc;
}
