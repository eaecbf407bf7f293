/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of a replay, as lines of text.
 */
#include <errno.h>
#include <stdlib.h>

#include "cmd/recover.h"

static void number(struct recover *rec, uint64_t n, const char *one,
		   const char *many)
{
	out_uint(&rec->out, n);
	out_char(&rec->out, ' ');
	out_str(&rec->out, n == 1 ? one : many);
}

/* ", 3 dquots", if there are any. */
static void some(struct recover *rec, const char *before, uint64_t n,
		 const char *one, const char *many)
{
	if (!n)
		return;
	out_str(&rec->out, before);
	number(rec, n, one, many);
}

/* "DEVICE: log dirty: tail 1:2 head 1:38, 1 checkpoint, 173 items" */
void recover_log_line(struct recover *rec)
{
	static const enum text_colour colours[] = {
		[XLOG_DIRTY] = TEXT_YELLOW, [XLOG_CORRUPT] = TEXT_RED,
	};
	const struct xlog_recover_result *res = &rec->res;
	const struct xlog_bounds *b = &res->bounds;
	struct text *t = &rec->text;

	out_str(t->out, rec->opts.io.path);
	out_str(t->out, ": log ");
	text_colour(t, colours[b->state]);
	out_str(t->out, xlog_state_name(b->state));
	text_colour(t, TEXT_PLAIN);
	out_str(t->out, ": tail ");
	text_lsn(t, b->tail);
	out_str(t->out, " head ");
	text_lsn(t, b->head);
	some(rec, ", ", res->checkpoints, "checkpoint", "checkpoints");
	some(rec, ", ", res->items, "item", "items");
	out_newline(t->out);
}

/* "0 intents pending; 3 unlinked inodes freed; 2 leftover CoW extents freed" */
static void remainder_counts(struct recover *rec, bool done)
{
	const struct xlog_recover_result *res = &rec->res;
	const struct recover_opts *opts = &rec->opts;
	bool finished = done && res->intents && opts->intents != INTENTS_SKIP;
	bool freed = done && !opts->leave_unlinked;

	number(rec, res->intents, "intent", "intents");
	out_str(&rec->out, finished ? " finished; " : " pending; ");
	number(rec, res->unlinked, "unlinked inode", "unlinked inodes");
	if (freed && res->unlinked)
		out_str(&rec->out, " freed");
	some(rec, "; ", res->cow_extents, "leftover CoW extent",
	     "leftover CoW extents");
	if (freed && res->cow_extents)
		out_str(&rec->out, " freed");
}

void recover_counts(struct recover *rec)
{
	const struct xlog_recover_result *res = &rec->res;
	struct out *o = &rec->out;

	number(rec, res->buffers, "buffer", "buffers");
	out_str(o, ", ");
	number(rec, res->inodes, "inode", "inodes");
	some(rec, ", ", res->dquots, "dquot", "dquots");
	some(rec, ", ", res->icreates, "icreate", "icreates");
	out_str(o, "; ");
	remainder_counts(rec, !rec->opts.dry_run &&
			 !recover_is_stopped(&rec->opts));
}

/* Lines about what was out of the ordinary. */
static void oddities(struct recover *rec)
{
	const struct xlog_recover_result *res = &rec->res;
	bool verbose = rec->opts.io.verbose;
	struct out *o = &rec->out;

	if (res->healed) {
		number(rec, res->healed, "block", "blocks");
		out_str(o, " torn by an interrupted write, made whole");
		out_newline(o);
	}
	if (res->bad_crc) {
		number(rec, res->bad_crc, "block", "blocks");
		out_str(o, " had a wrong checksum before");
		out_newline(o);
	}
	if (verbose && res->newer + res->cancelled + res->uncommitted) {
		number(rec, res->newer, "item", "items");
		out_str(o, " on disk already, ");
		out_uint(o, res->cancelled);
		out_str(o, " cancelled; ");
		number(rec, res->uncommitted, "checkpoint", "checkpoints");
		out_str(o, " without a commit left out");
		out_newline(o);
	}
	if (!recover_is_stopped(&rec->opts))
		return;
	if (res->beyond == UINT64_MAX) {
		out_str(o, "at the stop: version 4 does not tell whether the "
			"disk is newer");
	} else if (res->consistent) {
		out_str(o, "at the stop: nothing on disk is newer");
	} else {
		out_str(o, "at the stop: ");
		number(rec, res->beyond, "block or inode", "blocks and inodes");
		out_str(o, " on disk are newer; this is no state that the "
			"filesystem ever had");
	}
	out_newline(o);
}

/* --- changes --- */

/* Types of blocks and how many of each; the last row is for all others. */
enum { TYPES_MAX = 40, TYPE_BYTES = 24, FOLD_COLUMN = 66 };

struct recover_types {
	struct {
		char	name[TYPE_BYTES];
		uint64_t n;
	} rows[TYPES_MAX];
	size_t used;
};

static void count_type(struct recover *rec, const char *type)
{
	struct recover_types *types = rec->types;
	size_t i = 0;

	if (!types)
		types = rec->types = calloc(1, sizeof(*types));
	if (!types)
		return;		/* a summary is not worth a failure */
	while (i < types->used && strncmp(types->rows[i].name, type,
					  TYPE_BYTES - 1))
		i++;
	if (i == TYPES_MAX)
		return;
	if (i == types->used) {
		strncpy(types->rows[i].name, type, TYPE_BYTES - 1);
		types->used++;
	}
	types->rows[i].n++;
}

void recover_change_line(struct recover *rec, const struct xlog_change *c)
{
	struct out *o = &rec->out;

	count_type(rec, c->type);
	if (!rec->opts.io.verbose)
		return;
	out_str(o, "  daddr ");
	out_hex(o, c->daddr, 0);
	out_str(o, " len ");
	out_uint(o, c->len_bb);
	out_pad(o, 28, 1);
	out_str(o, "ag");
	out_uint(o, c->ag);
	out_pad(o, 35, 1);
	out_str(o, c->type);
	out_pad(o, 48, 1);
	out_str(o, "crc ");
	out_hex(o, c->crc_before, 8);
	out_str(o, " -> ");
	out_hex(o, c->crc_after, 8);
	out_newline(o);
}

/* "would change buffers: 4 agf, 4 agi, 20 inode" */
static void summary(struct recover *rec)
{
	const struct recover_types *types = rec->types;
	struct out *o = &rec->out;

	if (!types)
		return;
	out_str(o, "would change buffers: ");
	for (size_t i = 0; i < types->used; i++) {
		if (i)
			out_char(o, ',');
		if (out_column(o) > FOLD_COLUMN) {
			out_newline(o);
			out_char(o, ' ');
		}
		if (i)
			out_char(o, ' ');
		out_uint(o, types->rows[i].n);
		out_char(o, ' ');
		out_str(o, types->rows[i].name);
	}
	out_newline(o);
}

/* --- all of it --- */

static void replay_line(struct recover *rec)
{
	struct out *o = &rec->out;

	out_str(o, rec->opts.dry_run ? "would replay " : "replayed ");
	recover_counts(rec);
	out_str(o, "; ");
	number(rec, rec->res.blocks_written, "block", "blocks");
	out_str(o, rec->opts.dry_run ? " to write" : " written");
	out_newline(o);
}

/* What is left behind a replay that leaves the log dirty. */
static const char *leftovers(const struct recover *rec)
{
	const struct xlog_recover_result *res = &rec->res;

	if (res->sb_lsn == XLOG_LSN_NONE)
		return "";		/* stopped early */
	return res->intents && rec->opts.intents == INTENTS_SKIP ?
	       ": what was pending is lost, see xfs_repair(8)" :
	       ": the next mount frees what is left over";
}

/* "DEVICE: clean (unmount record at 1:40)" */
static void state_line(struct recover *rec)
{
	const struct xlog_recover_result *res = &rec->res;
	enum xlog_state state = recover_state(rec);
	struct text *t = &rec->text;

	out_str(t->out, rec->path);
	out_str(t->out, ": ");
	out_str(t->out, xlog_state_name(state));
	if (state == XLOG_EMPTY) {
		out_str(t->out, ": the log was never written, nothing to "
				"replay");
	} else if (res->bounds.state == XLOG_CLEAN) {
		out_str(t->out, ": nothing to replay");
	} else if (state == XLOG_CLEAN) {
		out_str(t->out, " (unmount record at ");
		text_lsn(t, res->unmount_lsn);
		out_char(t->out, ')');
	} else if (rec->opts.dry_run) {
		out_str(t->out, ", left as it is");
	} else {
		out_str(t->out, leftovers(rec));
	}
	out_newline(t->out);
}

/* The same if it failed with @rc. */
static void failure_line(struct recover *rec, int rc)
{
	struct out *o = &rec->out;

	out_str(o, rec->opts.io.path);
	out_str(o, ": ");
	out_str(o, xlog_state_name(rec->res.bounds.state));
	out_str(o, recover_is_partly(rec) ? ": writing was cut off, run it again" :
			    ", left as it is");
	if (rc == -ENOTEMPTY && !rec->res.intents)
		out_str(o, " (--iunlinks=leave replays, and leaves them to "
			   "the next mount)");
	out_newline(o);
}

static void undo_line(struct recover *rec)
{
	struct out *o = &rec->out;

	out_str(o, "to undo: xlog-recover --undo-apply=");
	out_str(o, rec->opts.undo);
	out_char(o, ' ');
	out_str(o, rec->path);
	out_newline(o);
}

void recover_text(struct recover *rec, int rc)
{
	bool dirty = rec->res.bounds.state == XLOG_DIRTY;

	if (!rc && dirty) {
		if (rec->opts.dry_run)
			summary(rec);
		replay_line(rec);
		oddities(rec);
	}
	if (rc == -ENOTEMPTY) {
		out_str(&rec->out, "a mount would go on with: ");
		remainder_counts(rec, false);
		out_newline(&rec->out);
	}
	if (rc)
		failure_line(rec, rc);
	else
		state_line(rec);
	if (rec->opts.undo && rec->res.wrote)
		undo_line(rec);
}
