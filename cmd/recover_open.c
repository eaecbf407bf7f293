/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Beginning and end of xlog-recover: devices, output, exit code. Nothing
 * reaches stdout before the input was recognised, and JSON always ends with a
 * result, so that a cut-off stream shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/output.h"
#include "cmd/recover.h"

/* Is the device that was named only read? */
static bool is_reader(const struct recover_opts *o)
{
	return o->dry_run || o->target;
}

/* A report takes the place of the progress bar. */
static void on_report(void *ctx, const struct xlog_report *r)
{
	struct recover *rec = ctx;

	progress_end(&rec->progress);
	recover_remainders_end(rec);
	rec->partly |= !strcmp(r->code, XLOG_CODE_PARTLY);
	reports_take(&rec->reports, r);
}

int recover_begin(struct recover *rec)
{
	const struct io_opts *io = &rec->opts.io;

	reports_init(&rec->reports, io);
	io_opts_guard(io);
	cmd_guard(rec->opts.file);
	cmd_guard(rec->opts.undo);
	cmd_guard(rec->opts.save_log);
	/* what is told of the log comes at the end: a bar disturbs nothing */
	progress_init(&rec->progress, io->progress, io->interval_s, -1);
	rec->path = io->path;
	rec->logdev = io->logdev;
	cmd_catch_signals(true);
	if (io->rtdev && access(io->rtdev, R_OK)) {
		int rc = -errno;

		cmd_message("%s: %s", io->rtdev, strerror(errno));
		return rc;
	}
	if (is_reader(&rec->opts) && io->lock > LOCK_NONE)
		return cmd_lock_shared(io->path, io->lock == LOCK_WAIT);
	return 0;
}

static unsigned int open_flags(const struct recover *rec)
{
	const struct recover_opts *o = &rec->opts;
	unsigned int flags = XLOG_OPEN_WRITE;

	if (o->dry_run)
		return XLOG_OPEN_OVERLAY;
	/* the lock that was asked for is that of the original */
	if (o->target)
		return flags;
	if (o->io.lock == LOCK_WAIT)
		flags |= XLOG_OPEN_LOCK_WAIT;
	if (o->io.lock == LOCK_NONE)
		flags |= XLOG_OPEN_LOCK_NONE;
	return flags;
}

void recover_open_options(struct recover *rec, struct xlog_open_options *open)
{
	*open = (struct xlog_open_options){
		.logdev = rec->logdev,
		.offset_bytes = rec->opts.io.offset_bytes,
		.report = on_report,
		.report_ctx = rec,
		.flags = open_flags(rec),
		.undo = rec->opts.undo,
	};
}

int recover_open(struct recover *rec)
{
	struct xlog_open_options open;
	int rc;

	recover_open_options(rec, &open);
	rc = xlog_open(rec->path, &open, &rec->log);
	/* what follows is interrupted between two calls, not in one */
	cmd_catch_signals(false);
	return rc ? rc : recover_output(rec, xlog_info(rec->log)->uuid);
}

int recover_output(struct recover *rec, const uint8_t *uuid)
{
	static const uint8_t none[16];
	const struct io_opts *io = &rec->opts.io;
	int fd = output_open(io);

	if (fd < 0)
		return fd;
	out_init(&rec->out, fd);
	jl_init(&rec->json, &rec->out, false);
	text_init(&rec->text, &rec->out, cmd_want_colour(io->colour, fd),
		  false);
	rec->reports.out = &rec->out;
	rec->reports.json = io->json ? &rec->json : NULL;
	if (io->json)
		output_header(&rec->json, io->path, uuid ? uuid : none);
	return 0;
}

/* --- the end --- */

static int exit_code(const struct recover *rec, int rc)
{
	enum xlog_state state = recover_state(rec);

	if (rc && recover_is_partly(rec))
		return CMD_PARTLY;
	if (rc)
		return cmd_exit_of(rc);
	return rec->ran && (state == XLOG_DIRTY || state == XLOG_CORRUPT) ?
	       CMD_FOUND : CMD_OK;
}

int recover_close(struct recover *rec, int rc)
{
	int code = exit_code(rec, rc);

	progress_end(&rec->progress);
	/* what that has to say still has a place */
	xlog_close(rec->log);
	reports_end(&rec->reports);
	if (rc)
		recover_uncopy(rec);
	if (rec->reports.out) {
		if (rec->opts.io.json)
			recover_result_object(rec, code);
		if (output_close(&rec->opts.io, &rec->out) &&
		    code != CMD_PARTLY)
			code = CMD_FAILED;
	}
	if (code == CMD_CANCELLED || rc == -ECANCELED)
		cmd_message("interrupted");
	free(rec->target_log);
	free(rec->opts.undo);
	free(rec->types);
	return code;
}
