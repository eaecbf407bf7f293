/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Saving a log, discarding it, and putting back what was saved: a log, or what
 * a replay has overwritten.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/recover.h"
#include "cmd/sidecar.h"

/* "DEVICE: what FILE": the result of all of these. */
static void done_line(struct recover *rec, const char *what, const char *file)
{
	struct out *o = &rec->out;

	if (rec->opts.io.json || rec->opts.io.quiet)
		return;
	out_str(o, rec->path);
	out_str(o, what);
	out_str(o, file);
	out_newline(o);
}

static int on_bytes(void *ctx, uint64_t done, uint64_t total)
{
	struct recover *rec = ctx;

	progress_step(&rec->progress, done, total);
	return cmd_cancelled();
}

static int no_memory(void)
{
	cmd_message("out of memory");
	return -ENOMEM;
}

/* --- saving --- */

/* What is saved, with a file beside it that says of what it is the log. */
struct saved {
	struct xlog_save save;
	char		*name;		/* of the file beside it */
	struct out_memory text;
};

static int saved_init(struct recover *rec, struct saved *s)
{
	static struct out out;	/* too large for the stack */
	struct jl j;

	*s = (struct saved){ .name = NULL };
	if (asprintf(&s->name, "%s" SIDECAR_SUFFIX, rec->opts.save_log) < 0) {
		s->name = NULL;
		return no_memory();
	}
	out_into(&out, &s->text);
	jl_init(&j, &out, false);
	sidecar_write(&j, xlog_info(rec->log), rec->opts.io.path);
	out_flush(&out);
	if (out.error)
		return no_memory();
	s->save = (struct xlog_save){
		.path = rec->opts.save_log,
		.beside_path = s->name,
		.beside = s->text.data,
		.beside_bytes = s->text.used,
		.progress = on_bytes,
		.ctx = rec,
	};
	return 0;
}

static void saved_fini(struct saved *s)
{
	free(s->name);
	free(s->text.data);
}

int recover_save_log(struct recover *rec)
{
	struct saved s;
	int rc = saved_init(rec, &s);

	progress_begin(&rec->progress, "save", true);
	if (!rc)
		rc = xlog_save_log(rec->log, &s.save);
	progress_end(&rec->progress);
	saved_fini(&s);
	if (!rc)
		done_line(rec, ": log saved in ", rec->opts.save_log);
	return rc;
}

int recover_zero_log(struct recover *rec)
{
	struct saved s;
	int rc;

	rc = recover_open(rec);
	if (rc)
		return rc;
	rc = saved_init(rec, &s);
	progress_begin(&rec->progress, "save", true);
	if (!rc)
		rc = xlog_zero_log(rec->log, &s.save, NULL);
	progress_end(&rec->progress);
	saved_fini(&s);
	if (!rc)
		done_line(rec, ": log discarded, run xfs_repair; it is saved "
			  "in ", rec->opts.save_log);
	return rc;
}

/* --- putting back --- */

int recover_restore_log(struct recover *rec)
{
	struct xlog_restore from = {
		.path = rec->opts.file, .progress = on_bytes, .ctx = rec,
	};
	struct sidecar side;
	int rc;

	rc = sidecar_read(rec->opts.file, &side);
	if (rc)
		return rc;
	from.superblock = side.superblock;
	from.superblock_bytes = side.superblock_bytes;
	rc = recover_open(rec);
	progress_begin(&rec->progress, "restore", true);
	if (!rc)
		rc = xlog_restore_log(rec->log, &from);
	progress_end(&rec->progress);
	sidecar_free(&side);
	if (!rc)
		done_line(rec, ": log put back from ", rec->opts.file);
	return rc;
}

int recover_undo_apply(struct recover *rec)
{
	struct xlog_open_options open;
	int rc;

	/* not by xlog_open(): what is there now may be anything */
	recover_open_options(rec, &open);
	if (rec->opts.io.force & FORCE_CHANGED)
		open.flags |= XLOG_OPEN_FORCE_CHANGED;
	rc = recover_output(rec, NULL);
	if (!rc)
		rc = xlog_undo_apply(rec->opts.file, rec->path, &open);
	if (!rc)
		done_line(rec, ": as it was before, by ", rec->opts.file);
	return rc;
}
