/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Beginning and end of xlog-mkfs: devices, output, exit code. JSON always ends
 * with a result, so that a cut-off stream shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cmd/mkfs.h"
#include "cmd/output.h"

/* A report takes the place of the progress bar. */
void mkfs_on_report(void *ctx, const struct xlog_report *r)
{
	struct mkfs *m = ctx;

	/* the options are judged twice, the second time while writing */
	if (m->planned && r->severity == XLOG_WARNING &&
	    !strcmp(r->code, "options"))
		return;
	/* not of the log alone: the end has a word for all of it */
	if (m->planned && !strcmp(r->code, XLOG_CODE_PARTLY))
		return;
	progress_end(&m->progress);
	reports_take(&m->reports, r);
}

unsigned int mkfs_open_flags(const struct mkfs_opts *o)
{
	unsigned int flags = XLOG_OPEN_WRITE;

	if (o->dry_run)
		return 0;
	if (o->io.lock == LOCK_WAIT)
		flags |= XLOG_OPEN_LOCK_WAIT;
	if (o->io.lock == LOCK_NONE)
		flags |= XLOG_OPEN_LOCK_NONE;
	return flags;
}

int mkfs_output(struct mkfs *m, const uint8_t uuid[16])
{
	const struct io_opts *io = &m->opts.io;
	int fd;

	if (m->reports.out)
		return 0;
	fd = output_open(io);
	if (fd < 0)
		return fd;
	out_init(&m->out, fd);
	jl_init(&m->json, &m->out, false);
	m->reports.out = &m->out;
	m->reports.json = io->json ? &m->json : NULL;
	if (io->json)
		output_header(&m->json, io->path, uuid);
	return 0;
}

/* Only options can be wrong. */
static int as_usage(int rc)
{
	return rc == -EINVAL ? -ERANGE : rc;
}

/* Where device nodes are no file is made: their names are mistyped. */
static bool is_node_name(const char *path)
{
	static const char nodes[] = "/dev/", memory[] = "/dev/shm/";

	return !strncmp(path, nodes, sizeof(nodes) - 1) &&
	       strncmp(path, memory, sizeof(memory) - 1);
}

/* To how many bytes a file at @path may grow, or be made; 0: not at all. */
static uint64_t file_bytes(const char *path, uint64_t bytes, bool is_file)
{
	return is_file || !is_node_name(path) ? bytes : 0;
}

/* What is not there, or empty, needs a size: that is easily forgotten. */
static int check_path(const char *path, const char *option, uint64_t bytes,
		      bool is_file)
{
	struct stat st;

	if (stat(path, &st)) {
		if (errno != ENOENT || bytes)
			return 0;	/* to open it has more to say */
		cmd_message("%s: No such file or directory; %s %ssize=N makes a file",
			    path, option, is_node_name(path) ? "file," : "");
		return -ENOENT;
	}
	if (is_file && !S_ISREG(st.st_mode))
		cmd_usage("%s file: %s is no regular file", option, path);
	if (!S_ISREG(st.st_mode) || st.st_size || bytes)
		return 0;
	cmd_message("%s: is empty; %s size=N says how large it is to be", path,
		    option);
	return -EMEDIUMTYPE;
}

static int check_paths(const struct mkfs_opts *o,
		       const struct xlog_format_open *open)
{
	int rc = check_path(open->data, "-d", open->data_bytes,
			    o->subs.number[D_FILE]);

	if (rc || !open->logdev)
		return rc;
	return check_path(open->logdev, "-l", open->log_bytes,
			  o->subs.number[L_FILE]);
}

static void fill_open(struct mkfs *m, struct xlog_format_open *open)
{
	const struct mkfs_opts *o = &m->opts;

	*open = (struct xlog_format_open){
		.data = o->io.path, .logdev = o->io.logdev, .undo = o->undo,
		.offset_bytes = o->io.offset_bytes,
		.flags = mkfs_open_flags(o),
		.report = mkfs_on_report, .report_ctx = m,
	};
	/* with an offset, the bytes behind it that will be taken */
	open->data_bytes = o->io.offset_bytes ? m->values.data_bytes :
			   file_bytes(open->data, m->values.data_bytes,
				      o->subs.number[D_FILE]);
	if (open->logdev)
		open->log_bytes = file_bytes(open->logdev, m->values.log_bytes,
					     o->subs.number[L_FILE]);
}

void mkfs_begin(struct mkfs *m)
{
	const struct mkfs_opts *o = &m->opts;

	reports_init(&m->reports, &o->io);
	m->reports.name = NULL;		/* one of two devices */
	m->head = XLOG_LSN_NONE;
	io_opts_guard(&o->io);
	cmd_guard(o->of);
	cmd_guard(o->undo);
	progress_init(&m->progress, o->io.progress, o->io.interval_s, -1);
	cmd_catch_signals(true);
}

int mkfs_open(struct mkfs *m)
{
	struct xlog_format_open open;
	int rc;

	m->values.report = mkfs_on_report;
	m->values.report_ctx = m;
	fill_open(m, &open);
	rc = check_paths(&m->opts, &open);
	if (!rc)
		rc = as_usage(xlog_format_open(&open, &m->format));
	/* what follows is interrupted between two calls, not in one */
	cmd_catch_signals(false);
	/* in text, there is nothing to say yet */
	if (!rc && m->opts.io.json)
		rc = mkfs_output(m, m->values.uuid);
	return rc;
}

int mkfs_plan(struct mkfs *m)
{
	int rc = xlog_format_plan(&m->values, xlog_format_data(m->format),
				  xlog_format_log(m->format), &m->geo);

	if (rc)
		return as_usage(rc);
	m->planned = true;
	mkfs_seed_uuid(&m->values, &m->geo);
	return m->opts.dry_run ? 0 : xlog_format_prepare(m->format);
}

static int on_progress(void *ctx, enum xlog_format_phase phase, uint64_t done,
		       uint64_t total)
{
	static const char *const names[] = {
		[XLOG_FORMAT_DISCARDING] = "discard",
		[XLOG_FORMAT_WRITING] = "write",
	};
	struct mkfs *m = ctx;

	if (m->phase != names[phase]) {
		m->phase = names[phase];
		progress_begin(&m->progress, m->phase, true);
	}
	progress_step(&m->progress, done, total);
	return cmd_cancelled();
}

int mkfs_write(struct mkfs *m)
{
	int rc;

	if (cmd_cancelled())
		return -ECANCELED;
	m->values.progress = on_progress;
	m->values.progress_ctx = m;
	rc = xlog_format(m->format, &m->values, &m->geo);
	m->wrote = xlog_format_wrote(m->format);
	if (!rc)
		memcpy(m->uuid, m->geo.uuid, sizeof(m->uuid));
	return as_usage(rc);
}

/* --- the end --- */

/* What has become of a device on which no filesystem was made. */
static void say_partly(const struct mkfs *m)
{
	const char *path = m->opts.io.path;

	if (m->format && xlog_format_may_last(m->format))
		cmd_message("%s: there may be a filesystem on it now, but it is not certain to be durable",
			    path);
	else if (m->format)
		cmd_message("%s: written in part, there is no filesystem on it now",
			    path);
}

int mkfs_close(struct mkfs *m, int rc)
{
	int code = rc && m->wrote ? CMD_PARTLY : cmd_exit_of(rc);

	progress_end(&m->progress);
	if (code == CMD_PARTLY)
		say_partly(m);
	/* what that has to say still has a place */
	xlog_format_close(m->format);
	xlog_log_only_close(m->log_only);
	reports_end(&m->reports);
	if (m->reports.out) {
		if (m->opts.io.json)
			mkfs_result_object(m, code);
		else if (m->wrote)
			mkfs_undo_line(m);
		if (output_close(&m->opts.io, &m->out) && code != CMD_PARTLY)
			code = CMD_FAILED;
	}
	if (code == CMD_CANCELLED || rc == -ECANCELED)
		cmd_message("interrupted");
	mkfs_found_free(m);
	free(m->opts.undo);
	return code;
}
