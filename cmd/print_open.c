/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Beginning and end of xlog-print: input, output, reports, exit code. Nothing
 * reaches stdout before the input was recognised, and JSON always ends with a
 * result, so that a cut-off stream shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/output.h"
#include "cmd/print.h"

static int open_output(struct print *pr)
{
	const struct io_opts *io = &pr->opts.io;
	bool epoch = pr->opts.epoch;
	int fd = output_open(io);

	if (fd < 0)
		return fd;
	out_init(&pr->out, fd);
	jl_init(&pr->json, &pr->out, epoch);
	text_init(&pr->text, &pr->out, cmd_want_colour(io->colour, fd),
		  epoch);
	if (pr->has_geom)
		pr->text.ag_shift = pr->geom.agblklog;
	pr->reports.out = &pr->out;
	pr->reports.json = io->json ? &pr->json : NULL;
	progress_init(&pr->progress, io->progress, io->interval_s, fd);
	return 0;
}

static void read_geometry(struct print *pr)
{
	const struct xlog_info *info = pr->info;

	if (!info->superblock)
		return;
	/* the library has verified it */
	xfs_sb_decode(&pr->sb, info->superblock, info->superblock_bytes,
		      XFS_BE);
	xfs_geom_init(&pr->geom, &pr->sb);
	pr->has_geom = true;
}

int print_open(struct print *pr)
{
	const struct io_opts *io = &pr->opts.io;
	struct xlog_open_options open = {
		.logdev = io->logdev,
		.offset_bytes = io->offset_bytes,
		.report = reports_take,
		.report_ctx = &pr->reports,
	};
	int rc;

	reports_init(&pr->reports, io);
	io_opts_guard(io);
	if (io->rtdev && access(io->rtdev, R_OK)) {
		cmd_message("%s: %s", io->rtdev, strerror(errno));
		return -errno;
	}
	if (io->lock > LOCK_NONE) {
		rc = cmd_lock_shared(io->path, io->lock == LOCK_WAIT);
		if (rc)
			return rc;
	}
	cmd_catch_signals(false);
	rc = sidecar_read(io->path, &pr->sidecar);
	if (rc)
		return rc;
	open.superblock = pr->sidecar.superblock;
	open.superblock_bytes = pr->sidecar.superblock_bytes;
	rc = xlog_open(io->path, &open, &pr->log);
	if (rc)
		return rc;
	pr->info = xlog_info(pr->log);
	read_geometry(pr);
	rc = print_range_check(pr);
	if (!rc)
		rc = open_output(pr);
	if (!rc && io->json)
		output_header(&pr->json, io->path, pr->info->uuid);
	return rc;
}

/* --- the end --- */

bool print_stop(struct print *pr, uint64_t shown)
{
	return shown >= pr->opts.limit || pr->out.error || cmd_cancelled();
}

static void result_object(struct print *pr, int code)
{
	struct jl *j = &pr->json;

	jl_begin(j, "result");
	if (pr->found)
		jl_str(j, "state", xlog_state_name(pr->bounds.state));
	else
		jl_null(j, "state");
	jl_uint(j, "records", pr->records);
	jl_uint(j, "checkpoints", pr->checkpoints);
	jl_uint(j, "findings", pr->reports.findings);
	jl_uint(j, "bytes_read", xlog_bytes_read(pr->log));
	jl_uint(j, "exit", (uint64_t)code);
	jl_end(j);
}

/* fsck's rule: both, if something was found and something failed. */
static int exit_code(const struct print *pr, int rc)
{
	int code = cmd_exit_of(rc);

	if (code == CMD_CANCELLED || code == CMD_FAILED)
		return code;
	if (pr->reports.errors || pr->verdict)
		return CMD_FOUND;
	return code;
}

int print_close(struct print *pr, int rc)
{
	int code;

	if (!rc && cmd_cancelled())
		rc = -ECANCELED;
	code = exit_code(pr, rc);
	reports_end(&pr->reports);
	if (pr->reports.out) {
		progress_end(&pr->progress);
		if (pr->opts.io.json)
			result_object(pr, code);
		if (output_close(&pr->opts.io, &pr->out))
			code = CMD_FAILED;
	}
	if (rc == -ECANCELED)
		cmd_message("interrupted");
	if (pr->log && pr->reports.debug & DEBUG_READ)
		cmd_message("debug: %llu bytes read", (unsigned long long)
			    xlog_bytes_read(pr->log));
	xlog_close(pr->log);
	sidecar_free(&pr->sidecar);
	return code;
}
