/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Beginning and end of xlog-print: input, output, reports, exit code. Nothing
 * reaches stdout before the input was recognised, and JSON always ends with a
 * result, so that a cut-off stream shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/print.h"

static const char *const severity_names[] = {
	[XLOG_ERROR] = "error",
	[XLOG_WARNING] = "warning",
	[XLOG_NOTICE] = "notice",
	[XLOG_STEP] = "step",
};

/* What XLOG_DEBUG asks for. */
static unsigned int debug_wanted(void)
{
	static const char *const names[] = { "head", "item", "read" };
	const char *env = getenv("XLOG_DEBUG");
	unsigned int wanted = 0;

	while (env && *env) {
		size_t n = strcspn(env, ",");

		for (unsigned int i = 0; i < 3; i++)
			if ((n == 3 && !strncmp(env, "all", n)) ||
			    (n == strlen(names[i]) &&
			     !strncmp(env, names[i], n)))
				wanted |= 1u << i;
		env += n + (env[n] == ',');
	}
	return wanted;
}

/* One log can be bad in a thousand places. */
enum { MESSAGES_MAX = 16 };

/* Whether a report of this severity is worth a line on stderr. */
static bool wanted(const struct print *pr, enum xlog_severity severity)
{
	switch (severity) {
	case XLOG_ERROR:
		return true;
	case XLOG_WARNING:
		return !pr->opts.quiet;
	case XLOG_NOTICE:
		return pr->opts.verbose && !pr->opts.quiet;
	default:
		return pr->opts.verbose > 1 || pr->debug & DEBUG_HEAD;
	}
}

static void message(struct print *pr, const struct xlog_report *r)
{
	bool red = r->severity == XLOG_ERROR &&
		   cmd_want_colour(pr->opts.colour, STDERR_FILENO);
	const char *on = red ? "\033[31m" : "", *off = red ? "\033[0m" : "";

	if (!pr->opts.verbose && !pr->debug &&
	    pr->messages++ >= MESSAGES_MAX)
		return;
	if (pr->ready)
		out_flush(&pr->out);
	if (r->lsn == XLOG_LSN_NONE)
		cmd_message("%s: %s%s%s", pr->opts.path, on, r->text, off);
	else
		cmd_message("%s: %u:%u: %s%s%s", pr->opts.path,
			    xlog_lsn_cycle(r->lsn), xlog_lsn_block(r->lsn),
			    on, r->text, off);
}

static void finding_object(struct print *pr, const struct xlog_report *r)
{
	struct jl *j = &pr->json;

	jl_begin(j, "finding");
	jl_str(j, "code", r->code);
	jl_str(j, "severity", severity_names[r->severity]);
	jl_lsn(j, "lsn", r->lsn);
	jl_str(j, "what", r->text);
	jl_end(j);
}

static void on_report(void *ctx, const struct xlog_report *r)
{
	struct print *pr = ctx;

	if (pr->quiet_worker) {
		pr->findings++;
		return;
	}
	if (r->severity == XLOG_ERROR)
		pr->error_lsn = r->lsn;
	if (pr->mute)
		return;
	if (r->severity <= XLOG_WARNING && pr->ready) {
		pr->findings++;
		pr->errors += r->severity == XLOG_ERROR;
		if (pr->opts.json) {
			finding_object(pr, r);
			return;
		}
	}
	if (r->severity >= XLOG_NOTICE && pr->on_step)
		pr->on_step(pr, r);
	if (wanted(pr, r->severity))
		message(pr, r);
}

void print_finding(struct print *pr, enum xlog_severity severity,
		   const char *code, xlog_lsn_t lsn, const char *text)
{
	on_report(pr, &(struct xlog_report){ .severity = severity,
		  .code = code, .lsn = lsn, .text = text });
}

static int open_output(struct print *pr)
{
	const struct print_opts *o = &pr->opts;
	int fd = STDOUT_FILENO;

	if (o->output) {
		fd = cmd_create(o->output, o->force & FORCE_OUTPUT, o->path);
		if (fd < 0)
			return fd;
	}
	out_init(&pr->out, fd);
	jl_init(&pr->json, &pr->out, o->epoch);
	text_init(&pr->text, &pr->out, cmd_want_colour(o->colour, fd),
		  o->epoch);
	if (pr->has_geom)
		pr->text.ag_shift = pr->geom.agblklog;
	progress_init(&pr->progress, o->progress, o->interval_s, fd);
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

static void header_object(struct print *pr)
{
	static const uint8_t none[16];
	struct jl *j = &pr->json;

	jl_begin(j, "header");
	jl_str(j, "schema", "xlog");
	jl_uint(j, "version", 1);
	jl_str(j, "tool", "xlog-print");
	jl_str(j, "toolversion", XLOG_VERSION);
	jl_str(j, "device", pr->opts.path);
	if (memcmp(pr->info->uuid, none, sizeof(none)))
		jl_uuid(j, "uuid", pr->info->uuid);
	else
		jl_null(j, "uuid");
	jl_end(j);
}

int print_open(struct print *pr)
{
	const struct print_opts *o = &pr->opts;
	struct xlog_open_options open = {
		.logdev = o->logdev,
		.offset_bytes = o->offset_bytes,
		.report = on_report,
		.report_ctx = pr,
	};
	int rc;

	if (o->rtdev && access(o->rtdev, R_OK)) {
		cmd_message("%s: %s", o->rtdev, strerror(errno));
		return -errno;
	}
	if (o->lock != LOCK_NONE) {
		rc = cmd_lock_shared(o->path, o->lock == LOCK_WAIT);
		if (rc)
			return rc;
	}
	cmd_catch_signals();
	pr->debug = debug_wanted();
	rc = sidecar_read(o->path, &pr->sidecar);
	if (rc)
		return rc;
	open.superblock = pr->sidecar.superblock;
	open.superblock_bytes = pr->sidecar.superblock_bytes;
	rc = xlog_open(o->path, &open, &pr->log);
	if (rc)
		return rc;
	pr->info = xlog_info(pr->log);
	read_geometry(pr);
	rc = print_range_check(pr);
	if (!rc)
		rc = open_output(pr);
	if (rc)
		return rc;
	pr->ready = true;
	if (o->json)
		header_object(pr);
	return 0;
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
	jl_uint(j, "findings", pr->findings);
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
	if (pr->errors || pr->verdict)
		return CMD_FOUND;
	return code;
}

int print_close(struct print *pr, int rc)
{
	int code, err;

	if (!rc && cmd_cancelled())
		rc = -ECANCELED;
	code = exit_code(pr, rc);
	if (pr->messages > MESSAGES_MAX)
		cmd_message("%s: and %llu more; -v shows all", pr->opts.path,
			    (unsigned long long)(pr->messages - MESSAGES_MAX));
	if (pr->ready) {
		progress_end(&pr->progress);
		if (pr->opts.json)
			result_object(pr, code);
		err = out_close(&pr->out);
		if (err) {
			cmd_message("%s: %s", pr->opts.output ?
				    pr->opts.output : "stdout", strerror(-err));
			code = CMD_FAILED;
		}
	}
	if (rc == -ECANCELED)
		cmd_message("interrupted");
	if (pr->log && pr->debug & DEBUG_READ)
		cmd_message("debug: %llu bytes read", (unsigned long long)
			    xlog_bytes_read(pr->log));
	xlog_close(pr->log);
	sidecar_free(&pr->sidecar);
	return code;
}
