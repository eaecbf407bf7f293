/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of a replay, as JSON objects.
 */
#include "cmd/log.h"
#include "cmd/recover.h"

void recover_log_object(struct recover *rec)
{
	const struct xlog_bounds *b = &rec->res.bounds;
	int fmt = b->state == XLOG_DIRTY ? (int)b->fmt :
					   log_newest_fmt(rec->log, b);

	log_object_begin(&rec->json, xlog_info(rec->log), b, fmt);
	jl_end(&rec->json);
}

void recover_change_object(struct recover *rec, const struct xlog_change *c)
{
	struct jl *j = &rec->json;

	jl_begin(j, "block");
	jl_uint(j, "daddr", c->daddr);
	jl_uint(j, "bbs", c->len_bb);
	jl_str(j, "owner", c->type);
	jl_uint(j, "ag", c->ag);
	jl_hex(j, "before", c->crc_before, 8);
	jl_hex(j, "after", c->crc_after, 8);
	jl_end(j);
}

/* A number that is known for some kinds only. */
static void known(struct jl *j, const char *key, bool is_known, uint64_t v)
{
	if (is_known)
		jl_uint(j, key, v);
	else
		jl_null(j, key);
}

void recover_remainder_object(struct recover *rec,
			      const struct xlog_remainder *rem)
{
	static const char *const kinds[] = {
		[XLOG_REMAINDER_INTENT] = "intent",
		[XLOG_REMAINDER_UNLINKED] = "unlinked",
		[XLOG_REMAINDER_COW] = "cow",
	};
	bool intent = rem->kind == XLOG_REMAINDER_INTENT;
	struct jl *j = &rec->json;

	jl_begin(j, "remainder");
	jl_str(j, "kind", kinds[rem->kind]);
	jl_lsn(j, "lsn", rem->lsn);
	if (intent)
		jl_str(j, "item", rem->type);
	else
		jl_null(j, "item");
	known(j, "id", intent, rem->id);
	known(j, "ino", rem->ino, rem->ino);
	known(j, "ag", !intent || rem->blocks, rem->ag);
	known(j, "agbno", rem->blocks, rem->agbno);
	known(j, "blocks", rem->blocks, rem->blocks);
	jl_bool(j, "realtime", rem->realtime);
	jl_str(j, "what", rem->text);
	jl_end(j);
}

static void counts(struct jl *j, const struct xlog_recover_result *res)
{
	jl_uint(j, "records", res->records);
	jl_uint(j, "checkpoints", res->checkpoints);
	jl_uint(j, "items", res->items);
	jl_uint(j, "uncommitted", res->uncommitted);
	jl_uint(j, "buffers", res->buffers);
	jl_uint(j, "inodes", res->inodes);
	jl_uint(j, "dquots", res->dquots);
	jl_uint(j, "icreates", res->icreates);
	jl_uint(j, "newer", res->newer);
	jl_uint(j, "cancelled", res->cancelled);
	jl_uint(j, "intents", res->intents);
	jl_uint(j, "unlinked", res->unlinked);
	jl_uint(j, "cow_extents", res->cow_extents);
	jl_uint(j, "healed", res->healed);
	jl_uint(j, "bad_crc", res->bad_crc);
	jl_uint(j, "changed", res->changed);
	jl_uint(j, "blocks_written", res->blocks_written);
	jl_uint(j, "windows", res->windows);
	jl_uint(j, "peak_bytes", res->peak_bytes);
}

static void text_or_null(struct jl *j, const char *key, const char *text)
{
	if (text && *text)
		jl_str(j, key, text);
	else
		jl_null(j, key);
}

static void stop_keys(const struct recover *rec, struct jl *j)
{
	const struct xlog_recover_result *res = &rec->res;

	if (recover_is_stopped(&rec->opts)) {
		known(j, "beyond", res->beyond != UINT64_MAX, res->beyond);
		jl_bool(j, "consistent", res->consistent);
	} else {
		jl_null(j, "beyond");
		jl_null(j, "consistent");
	}
}

void recover_result_object(struct recover *rec, int code)
{
	const struct xlog_recover_result *res = &rec->res;
	struct jl *j = &rec->json;

	jl_begin(j, "result");
	if (rec->ran && recover_found(rec))
		jl_str(j, "state", xlog_state_name(recover_state(rec)));
	else
		jl_null(j, "state");
	if (rec->ran) {
		counts(j, res);
		stop_keys(rec, j);
		jl_lsn(j, "sb_lsn", res->sb_lsn);
		jl_lsn(j, "unmount_lsn", res->unmount_lsn);
		text_or_null(j, "refused", res->refused);
	}
	jl_bool(j, "wrote", rec->ran && res->wrote && !rec->opts.dry_run);
	text_or_null(j, "target", rec->opts.target);
	text_or_null(j, "undo", rec->opts.undo);
	text_or_null(j, "save_log", rec->opts.save_log);
	jl_uint(j, "findings", rec->reports.findings);
	jl_uint(j, "exit", (uint64_t)code);
	jl_end(j);
}
