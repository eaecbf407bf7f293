/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record view: what lies in the log, in physical order. Every record is
 * shown with its operations, and every item below the operation that completes
 * it. Records follow each other in the file of the log, not in time: where a
 * transaction began in a record that has been overwritten, its operations are
 * orphans.
 */
#include <errno.h>

#include "cmd/print.h"
#include "cmd/progress.h"
#include "libxfsfmt/logrec.h"

static const char *const crc_names[] = {
	[XLOG_CRC_OK] = "ok",
	[XLOG_CRC_ABSENT] = "none",
	[XLOG_CRC_OTHER_SIZE] = "ok-i386",
	[XLOG_CRC_BAD] = "bad",
};

static const char *const role_names[] = {
	[XLOG_OP_START] = "start",
	[XLOG_OP_TRANS_HEADER] = "header",
	[XLOG_OP_REGION] = "region",
	[XLOG_OP_CONTINUATION] = "continuation",
	[XLOG_OP_COMMIT] = "commit",
	[XLOG_OP_UNMOUNT] = "unmount",
	[XLOG_OP_ORPHAN] = "orphan",
	[XLOG_OP_BAD] = "bad",
};

/* --- a record --- */

static void record_text(struct print *pr, const struct xlog_record *rec,
			const struct xlog_rec_head *head)
{
	struct text *t = &pr->text;
	struct out *o = &pr->out;

	out_str(o, "record ");
	text_lsn(t, rec->lsn);
	out_pad(o, 18, 1);
	out_str(o, "len ");
	out_uint(o, rec->len_bytes);
	out_pad(o, 29, 2);
	out_str(o, "ops ");
	out_uint(o, rec->num_ops);
	out_pad(o, 39, 2);
	out_str(o, "tail ");
	text_lsn(t, rec->tail_lsn);
	out_pad(o, 56, 2);
	out_str(o, "prev ");
	if (head->prev_block == UINT32_MAX)
		out_str(o, "none");
	else
		out_uint(o, head->prev_block);
	out_pad(o, 69, 2);
	out_str(o, "size ");
	out_uint(o, head->size_bytes);
	out_str(o, "  crc ");
	if (rec->crc == XLOG_CRC_BAD)
		text_colour(t, TEXT_RED);
	out_str(o, crc_names[rec->crc]);
	if (rec->crc == XLOG_CRC_BAD)
		text_colour(t, TEXT_PLAIN);
	if (rec->extent == XLOG_PARTIAL)
		out_str(o, "  cut off: overwritten before its end");
	out_newline(o);
}

static void record_object(struct print *pr, const struct xlog_record *rec,
			  const struct xlog_rec_head *head)
{
	struct jl *j = &pr->json;

	jl_begin(j, "record");
	jl_lsn(j, "lsn", rec->lsn);
	jl_uint(j, "block", rec->block);
	jl_uint(j, "bbs", rec->bb);
	jl_lsn(j, "tail", rec->tail_lsn);
	jl_uint(j, "len", rec->len_bytes);
	jl_uint(j, "ops", rec->num_ops);
	jl_str(j, "crc", crc_names[rec->crc]);
	if (head->prev_block == UINT32_MAX)
		jl_null(j, "prev");
	else
		jl_uint(j, "prev", head->prev_block);
	jl_uint(j, "hsize", head->size_bytes);
	jl_uint(j, "cycle", head->cycle);
	jl_uint(j, "version", head->version);
	jl_uint(j, "fmt", head->fmt);
	jl_bool(j, "whole", rec->extent == XLOG_RECORD);
	if (rec->crc == XLOG_CRC_BAD) {
		jl_hex(j, "crc_stored", rec->crc_stored, 8);
		jl_hex(j, "crc_expected", rec->crc_expected, 8);
	}
	jl_end(j);
}

/* --- an operation --- */

static void op_role_text(struct out *o, const struct xlog_op *op)
{
	int type = op->item_type ? item_type_index(op->item_type) : -1;

	if (op->role != XLOG_OP_REGION && op->role != XLOG_OP_CONTINUATION) {
		out_str(o, role_names[op->role]);
		return;
	}
	if (type >= 0)
		out_str(o, item_types[type].title);
	else
		out_hex(o, op->item_type, 4);
	out_char(o, ' ');
	out_uint(o, op->region + 1u);
	out_char(o, '/');
	out_uint(o, op->regions);
	if (op->role == XLOG_OP_CONTINUATION)
		out_str(o, " continued");
}

static void op_text(struct print *pr, const struct xlog_op *op,
		    uint64_t number)
{
	struct out *o = &pr->out;

	out_str(o, "  ");
	out_uint_right(o, number, 4);
	out_str(o, "  tid ");
	out_hex(o, op->tid, 8);
	out_str(o, "  len ");
	out_uint_right(o, op->len_bytes, 6);
	out_str(o, "  ");
	op_role_text(o, op);
	if (op->flags & ~(XLOG_START_TRANS | XLOG_COMMIT_TRANS |
			  XLOG_UNMOUNT_TRANS)) {
		out_pad(o, 52, 2);
		text_flags(&pr->text, xlog_op_flag_names, op->flags);
	}
	if (op->clientid != XLOG_CLIENT_TRANSACTION &&
	    op->role != XLOG_OP_UNMOUNT) {
		out_str(o, "  client ");
		out_hex(o, op->clientid, 2);
	}
	out_newline(o);
}

static void op_object(struct print *pr, const struct xlog_record *rec,
		      const struct xlog_op *op)
{
	const char *client = xfs_name_of(xlog_client_names, op->clientid);
	int type = op->item_type ? item_type_index(op->item_type) : -1;
	struct jl *j = &pr->json;

	jl_begin(j, "op");
	jl_lsn(j, "record", rec->lsn);
	jl_uint(j, "offset", op->offset);
	jl_uint(j, "tid", op->tid);
	jl_uint(j, "len", op->len_bytes);
	if (client)
		jl_str(j, "client", client);
	else
		jl_hex(j, "client", op->clientid, 2);
	jl_flags(j, "flags", xlog_op_flag_names, op->flags);
	jl_str(j, "role", role_names[op->role]);
	if (type >= 0)
		jl_str(j, "item", item_types[type].name);
	else if (op->item_type)
		jl_hex(j, "item", op->item_type, 4);
	if (op->role == XLOG_OP_REGION || op->role == XLOG_OP_CONTINUATION) {
		jl_uint(j, "region", op->region);
		jl_uint(j, "regions", op->regions);
	}
	jl_end(j);
}

/* --- a record and all in it --- */

struct record_view {
	struct print	*pr;
	const struct xlog_record *rec;
	struct xlog_rec_head head;
	bool		filtered;	/* only items, and only some */
	bool		header_shown;
};

static void show_header(struct record_view *v)
{
	if (v->header_shown)
		return;
	v->header_shown = true;
	if (v->pr->opts.io.json)
		record_object(v->pr, v->rec, &v->head);
	else
		record_text(v->pr, v->rec, &v->head);
}

static void show_op(struct record_view *v, const struct xlog_op *op,
		    uint64_t number)
{
	struct item_place place = {
		.checkpoint = v->rec->lsn, .tid = op->tid,
		.big_endian = v->rec->fmt == XLOG_FMT_LINUX_BE ||
			      v->rec->fmt == XLOG_FMT_IRIX_BE,
		.key = "record", .indent = 8,
	};
	struct print *pr = v->pr;

	if (pr->opts.filter.by_tid && op->tid != pr->opts.filter.tid)
		return;
	if (!v->filtered) {
		show_header(v);
		if (pr->opts.io.json)
			op_object(pr, v->rec, op);
		else
			op_text(pr, op, number);
	}
	if (op->item)
		print_grow(pr, op->item, 1, place.big_endian);
	if (!op->item || (pr->opts.no_decode && !v->filtered) ||
	    !print_item_wanted(pr, op->item, &place))
		return;
	show_header(v);
	print_item(pr, op->item, &place);
}

static int show_record(struct print *pr, const struct xlog_record *rec,
		       struct xlog_assembly *as)
{
	struct record_view v = {
		.pr = pr, .rec = rec,
		.filtered = print_filter_on(&pr->opts.filter),
	};
	const struct xlog_trans *trans;
	struct xlog_op op;
	int rc = 0;

	xlog_rec_head_decode(&v.head, rec->header);
	if (!v.filtered && !pr->opts.filter.by_tid)
		show_header(&v);
	if (rec->extent == XLOG_RECORD) {
		xlog_assembly_record(as, rec);
		for (uint64_t n = 0; ; n++) {
			rc = xlog_assembly_op(as, &op, &trans);
			if (!rc || (rc < 0 && rc != -EUCLEAN))
				break;
			if (rc < 0) {
				op.role = XLOG_OP_BAD;
				op.item = NULL;
			}
			show_op(&v, &op, n);
		}
		if (!rc)
			rc = xlog_assembly_detach(as);
	}
	if (v.header_shown)
		pr->records++;
	return rc;
}

/* --- what is no record --- */

static void run_text(struct print *pr, const struct xlog_record *run,
		     const char *what)
{
	struct out *o = &pr->out;

	out_str(o, what);
	out_str(o, "  blocks ");
	out_uint(o, run->block);
	out_str(o, "..");
	out_uint(o, (uint64_t)run->block + run->bb - 1);
	out_str(o, " (");
	out_size(o, (uint64_t)run->bb * BB_SIZE);
	out_char(o, ')');
	if (run->extent != XLOG_ZERO) {
		out_str(o, "  cycle ");
		out_uint(o, run->cycle);
	}
	if (run->extent == XLOG_FILLER) {
		out_str(o, "  tail ");
		text_lsn(&pr->text, run->tail_lsn);
	}
	out_newline(o);
}

static void run_object(struct print *pr, const struct xlog_record *run,
		       const char *what)
{
	struct jl *j = &pr->json;

	jl_begin(j, "run");
	jl_str(j, "what", what);
	jl_uint(j, "block", run->block);
	jl_uint(j, "bbs", run->bb);
	jl_uint(j, "cycle", run->cycle);
	jl_end(j);
}

/* The blocks as they lie there, each with a cycle number in its first word. */
static int dump_stale(struct print *pr, const struct xlog_record *run)
{
	enum { CHUNK_BB = 64 };
	static uint8_t buf[CHUNK_BB * BB_SIZE];

	for (uint32_t done = 0; done < run->bb; done += CHUNK_BB) {
		uint32_t n = run->bb - done < CHUNK_BB ? run->bb - done :
							 CHUNK_BB;
		uint64_t at = (uint64_t)run->block + done;
		int rc;

		rc = xlog_read_raw(pr->log, (uint32_t)at, n, buf);
		if (rc)
			return rc;
		print_dump(pr, buf, (size_t)n * BB_SIZE, at * BB_SIZE, 4);
	}
	return 0;
}

/* Blocks that should be records lie between tail and head. */
static bool should_be_records(const struct print *pr,
			      const struct xlog_record *run)
{
	uint32_t size = pr->info->log_size_bb, active = print_active_bb(pr);
	uint32_t tail = xlog_lsn_block(pr->bounds.tail);
	uint32_t behind = run->block >= tail ? run->block - tail :
			  run->block + (size - tail);
	uint32_t before = tail >= run->block ? tail - run->block :
			  tail + (size - run->block);

	return active && (behind < active || before < run->bb);
}

static int show_run(struct print *pr, const struct xlog_record *run)
{
	static const char *const names[] = {
		[XLOG_FILLER] = "filler", [XLOG_ZERO] = "zero",
		[XLOG_STRAY] = "stale",
	};
	bool wrapped = run->extent == XLOG_STRAY && !run->block &&
		       run->bb == pr->wrapped_bb;
	bool stale = run->extent == XLOG_STRAY && !wrapped;
	xlog_lsn_t lsn = xlog_lsn(run->cycle, run->block);
	const char *name = wrapped ? "wrapped" : names[run->extent];

	if (!wrapped && should_be_records(pr, run))
		reports_say(&pr->reports, XLOG_ERROR, "log.header", lsn,
			    "no record, between tail and head");
	if (print_filter_on(&pr->opts.filter) || pr->opts.filter.by_tid)
		return 0;
	if (pr->opts.io.json) {
		run_object(pr, run, name);
		return 0;
	}
	run_text(pr, run, name);
	if (stale && (pr->opts.overwrite || pr->opts.io.verbose))
		return dump_stale(pr, run);
	return 0;
}

/* Whether a mount would replay the record: damage to others is no damage. */
static bool is_active(const struct print *pr, xlog_lsn_t lsn)
{
	const struct xlog_bounds *b = &pr->bounds;

	return b->head == XLOG_LSN_NONE || b->tail == XLOG_LSN_NONE ||
	       (lsn >= b->tail && lsn < b->head);
}

static int show_extent(struct print *pr, const struct xlog_record *rec,
		       struct xlog_assembly *as)
{
	int rc;

	if (rec->extent != XLOG_RECORD && rec->extent != XLOG_PARTIAL)
		return show_run(pr, rec);
	if (!print_in_range(pr, rec->lsn))
		return 0;
	pr->reports.mute = !is_active(pr, rec->lsn);
	if (rec->extent == XLOG_PARTIAL)
		reports_say(&pr->reports, XLOG_ERROR, "log.header", rec->lsn,
			    "record that is not whole, between tail and head");
	if (rec->crc == XLOG_CRC_BAD && rec->extent == XLOG_RECORD)
		reports_say(&pr->reports, XLOG_ERROR, "log.crc", rec->lsn,
			    "wrong record checksum");
	rc = show_record(pr, rec, as);
	pr->reports.mute = false;
	return rc;
}

int print_records(struct print *pr)
{
	uint32_t from = pr->opts.start == UINT32_MAX ? 0 : pr->opts.start;
	uint32_t size = pr->info->log_size_bb;
	struct xlog_assembly *as;
	struct xlog_cursor *cur;
	struct xlog_record rec;
	int rc;

	pr->wrapped_bb = from ? 0 : print_wrapped_bb(pr);
	rc = xlog_cursor_open(pr->log, XLOG_WALK_PHYSICAL, from, size, &cur);
	if (rc)
		return rc;
	rc = xlog_assembly_open(pr->log, &as);
	if (rc)
		goto close_cursor;
	while (!print_stop(pr, pr->records)) {
		rc = xlog_cursor_next(cur, &rec);
		if (!rc || (rc < 0 && rc != -EUCLEAN && rc != -EBADMSG))
			break;
		if (rc > 0)
			rc = show_extent(pr, &rec, as);
		if (rc < 0 && (pr->opts.stop ||
			       (rc != -EUCLEAN && rc != -EBADMSG)))
			break;
		rc = 0;
		progress_step(&pr->progress, rec.block, size);
	}
	xlog_assembly_close(as);
close_cursor:
	xlog_cursor_close(cur);
	return rc;
}
