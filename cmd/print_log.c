/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log as a whole: head and tail, and what a short look at the part
 * between them tells.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cmd/log.h"
#include "cmd/print.h"

enum {
	/* all that --check may read, and what a walk may read too far */
	QUICK_BYTES = 8 << 20,
	READ_AHEAD_BYTES = 2 << 20,
};

const char *print_order(const struct print *pr)
{
	return log_order_name(pr->fmt);
}

uint32_t print_active_bb(const struct print *pr)
{
	uint32_t head = xlog_lsn_block(pr->bounds.head);
	uint32_t tail = xlog_lsn_block(pr->bounds.tail);

	if (pr->bounds.state != XLOG_DIRTY)
		return 0;
	return head >= tail ? head - tail : pr->info->log_size_bb - tail + head;
}

/* What Linux makes of the items of @trans, and whether they matter at all. */
static void survey_items(struct survey *s, const struct xlog_trans *trans,
			 bool v5)
{
	enum xfs_order order = trans->big_endian ? XFS_BE : XFS_LE;

	for (size_t i = 0; i < trans->nitems; i++) {
		const struct xlog_item *item = &trans->items[i];
		const struct xlog_region *r = &item->regions[0];
		struct xfs_inode_log_format ilf;
		struct xfs_buf_log_format blf;

		if (item_type_index(item->type) < 0 && !s->unknown_item) {
			s->unknown_item = true;
			s->unknown_type = item->type;
		}
		if (item->type == XFS_LI_BUF && s->superblock_only) {
			xfs_buf_log_format_decode(&blf, r->data, r->len_bytes,
						  order);
			s->superblock_only = !blf.blf_blkno;
		} else if (item->type == XFS_LI_INODE && v5) {
			s->superblock_only = false;
			xfs_ilf_decode(&ilf, r->data, r->len_bytes, order);
			s->owner_change |= (ilf.ilf_fields &
					    (XFS_ILOG_DOWNER |
					     XFS_ILOG_AOWNER)) != 0;
		} else if (item->type != XFS_LI_BUF) {
			s->superblock_only = false;
		}
	}
}

static void refuse(struct print *pr, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void refuse(struct print *pr, const char *fmt, ...)
{
	va_list ap;

	if (pr->bounds.refused[0])
		return;			/* the first reason counts */
	va_start(ap, fmt);
	vsnprintf(pr->bounds.refused, sizeof(pr->bounds.refused), fmt, ap);
	va_end(ap);
}

/*
 * Look at all between tail and head, if that is little or if it was asked
 * for. That checks it as well, so damage met on the way is as good as found
 * by looking for it.
 */
static void survey(struct print *pr)
{
	uint64_t active = (uint64_t)print_active_bb(pr) * BB_SIZE;
	bool all = pr->opts.check_full || pr->opts.view == VIEW_EXPLAIN ||
		   xlog_bytes_read(pr->log) + active + READ_AHEAD_BYTES <=
		   QUICK_BYTES;
	struct survey *s = &pr->survey;
	const struct xlog_trans *trans;
	struct xlog_trans_iter *it;
	int rc;

	if (!active || !all ||
	    xlog_trans_open(pr->log, xlog_lsn_block(pr->bounds.tail),
			    xlog_lsn_block(pr->bounds.head), false, &it))
		return;
	s->superblock_only = true;
	while ((rc = xlog_trans_next(it, &trans)) > 0 && !cmd_cancelled()) {
		if (!trans->committed)
			continue;
		s->checkpoints++;
		survey_items(s, trans, pr->info->sb_version == 5);
	}
	s->counted = !rc;
	s->superblock_only = s->superblock_only && s->counted &&
			     s->checkpoints;
	if (rc == -EUCLEAN || rc == -EBADMSG)
		refuse(pr, "damaged record at %u:%u, between tail and head",
		       xlog_lsn_cycle(pr->reports.error_lsn),
		       xlog_lsn_block(pr->reports.error_lsn));
	if (s->unknown_item)
		refuse(pr, "a log item of the unknown type 0x%04x",
		       s->unknown_type);
	if (s->owner_change)
		refuse(pr, "an inode passes its blocks to another owner "
		       "(swapext), which kernels fail to replay");
	xlog_trans_close(it);
}

void print_state(struct print *pr)
{
	static const char *const names[] = {
		[XLOG_EMPTY] = "EMPTY  never written",
		[XLOG_CLEAN] = "CLEAN",
		[XLOG_DIRTY] = "DIRTY",
		[XLOG_CORRUPT] = "CORRUPT",
	};
	static const enum text_colour colours[] = {
		[XLOG_DIRTY] = TEXT_YELLOW, [XLOG_CORRUPT] = TEXT_RED,
	};
	struct text *t = &pr->text;

	text_colour(t, colours[pr->bounds.state]);
	out_str(t->out, names[pr->bounds.state]);
	text_colour(t, TEXT_PLAIN);
	if (pr->bounds.state != XLOG_DIRTY)
		return;
	out_str(t->out, "  ");
	print_checkpoints(pr);
	if (pr->survey.superblock_only)
		out_str(t->out, ", only the superblock (idle or frozen)");
}

void print_checkpoints(struct print *pr)
{
	struct out *o = &pr->out;

	if (pr->survey.counted) {
		out_uint(o, pr->survey.checkpoints);
		out_str(o, pr->survey.checkpoints == 1 ? " checkpoint" :
							 " checkpoints");
	} else {
		out_size(o, (uint64_t)print_active_bb(pr) * BB_SIZE);
		out_str(o, " to replay");
	}
}

static void log_line(struct print *pr)
{
	const struct xlog_info *info = pr->info;
	const char *order = print_order(pr);
	struct text *t = &pr->text;
	struct out *o = &pr->out;

	out_str(o, "log  ");
	if (info->internal) {
		out_str(o, "daddr ");
		out_uint(o, info->log_daddr);
		out_char(o, ' ');
	}
	out_str(o, "len ");
	out_uint(o, info->log_size_bb);
	out_str(o, " (");
	out_size(o, (uint64_t)info->log_size_bb * BB_SIZE);
	out_str(o, ") v");
	out_uint(o, info->log_version);
	if (order) {
		out_char(o, ' ');
		out_str(o, order);
	}
	out_str(o, info->internal ? " internal" : " external");
	out_str(o, "   tail ");
	text_lsn(t, pr->bounds.tail);
	out_str(o, " head ");
	text_lsn(t, pr->bounds.head);
	out_str(o, "   ");
	print_state(pr);
	out_newline(o);
	if (pr->bounds.refused[0]) {
		out_str(o, "     Linux would not recover it: ");
		out_str(o, pr->bounds.refused);
		out_newline(o);
	}
}

static void log_object(struct print *pr)
{
	struct jl *j = &pr->json;

	log_object_begin(j, pr->info, &pr->bounds, pr->fmt);
	if (pr->survey.counted)
		jl_uint(j, "checkpoints", pr->survey.checkpoints);
	else
		jl_null(j, "checkpoints");
	jl_bool(j, "superblock_only", pr->survey.superblock_only);
	jl_end(j);
}

/*
 * Whether the newest records are enough to tell the state. A view in text that
 * walks the records itself meets what is wrong with the others on its way, and
 * so reads the log once; a JSON stream says all of the log at its start.
 */
static bool look_quickly(const struct print *pr)
{
	switch (pr->opts.view) {
	case VIEW_CHECK:
		return !pr->opts.check_full;
	case VIEW_RECORDS:
	case VIEW_TRANSACTIONS:
		return !pr->opts.io.json;
	default:
		return false;
	}
}

int print_log(struct print *pr)
{
	bool quick = look_quickly(pr);
	int rc;

	if (pr->opts.view == VIEW_EXPLAIN)
		explain_begin(pr);
	rc = xlog_find(pr->log, quick ? XLOG_FIND_QUICK : 0, &pr->bounds);
	if (rc)
		return rc;
	pr->found = true;
	pr->fmt = log_newest_fmt(pr->log, &pr->bounds);
	/* what it meets is reported by whoever looks at all records */
	pr->reports.mute = !quick;
	survey(pr);
	pr->reports.mute = false;
	if (pr->opts.io.json)
		log_object(pr);
	else if (pr->opts.view == VIEW_RECORDS ||
		 pr->opts.view == VIEW_TRANSACTIONS ||
		 pr->opts.view == VIEW_MAP)
		log_line(pr);
	return 0;
}
