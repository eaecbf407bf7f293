/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --target: the copy that is replayed in place of the original. An external
 * log is written to as well, so it has to be copied too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/copy.h"
#include "cmd/recover.h"

#define LOG_SUFFIX	".logdev"

/* *@made: there is a new file @to, complete or not. */
static int copy_file(struct recover *rec, const char *from, const char *to,
		     bool *made)
{
	int fd, rc;

	fd = cmd_create(to, rec->opts.io.force & FORCE_OUTPUT);
	if (fd < 0)
		return fd;
	*made = true;
	rc = copy_image(from, fd, to, &rec->progress);
	if (close(fd) && !rc) {
		rc = -errno;
		cmd_message("%s: %s", to, strerror(errno));
	}
	return rc;
}

/*
 * What is no XFS is not copied. What is compressed shows that only when it has
 * been unpacked, and that is what the copy does.
 */
static int check_source(struct recover *rec)
{
	const struct io_opts *io = &rec->opts.io;
	struct xlog_open_options open = {
		.logdev = io->logdev,
		.offset_bytes = io->offset_bytes,
		.report = reports_take,
		.report_ctx = &rec->reports,
	};
	struct xlog *log;
	int rc;

	if (copy_unpacks(io->path) || (io->logdev && copy_unpacks(io->logdev)))
		return 0;
	rc = xlog_open(io->path, &open, &log);
	if (!rc)
		xlog_close(log);
	return rc;
}

int recover_copy(struct recover *rec)
{
	const struct io_opts *io = &rec->opts.io;
	const char *target = rec->opts.target;
	int rc;

	if (io->logdev &&
	    asprintf(&rec->target_log, "%s" LOG_SUFFIX, target) < 0) {
		rec->target_log = NULL;
		cmd_message("out of memory");
		return -ENOMEM;
	}
	rc = check_source(rec);
	if (!rc)
		rc = copy_file(rec, io->path, target, &rec->made_target);
	if (!rc && io->logdev)
		rc = copy_file(rec, io->logdev, rec->target_log,
			       &rec->made_target_log);
	if (rc)
		return rc;
	rec->path = rec->reports.name = target;
	rec->logdev = rec->target_log;
	return 0;
}

void recover_uncopy(struct recover *rec)
{
	if (rec->made_target)
		unlink(rec->opts.target);
	if (rec->made_target_log)
		unlink(rec->target_log);
}
