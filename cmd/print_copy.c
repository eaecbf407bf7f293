/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * -C: the raw log into a file, with holes where it is zero, and beside it the
 * superblock, without which it could not be read.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/sparse.h"

enum {
	COPY_BB = 4096,			/* 2 MiB of log at a time */
	BB_BYTES = 512,
};

/* Errors of reading have been reported; *@out_rc is that of writing. */
static int copy_blocks(struct print *pr, int fd, uint8_t *buf, int *out_rc)
{
	uint32_t size = pr->info->log_size_bb;
	int rc = 0;

	for (uint32_t at = 0; at < size && !rc && !*out_rc; at += COPY_BB) {
		uint32_t n = size - at < COPY_BB ? size - at : COPY_BB;

		if (cmd_cancelled())
			return -ECANCELED;
		rc = xlog_read_raw(pr->log, at, n, buf);
		if (!rc)
			*out_rc = sparse_write(fd, buf, (size_t)n * BB_BYTES,
					       (off_t)at * BB_BYTES);
		progress_step(&pr->progress, at, size);
		if (size - at <= COPY_BB)
			break;
	}
	if (!rc && !*out_rc && ftruncate(fd, (off_t)size * BB_BYTES))
		*out_rc = -errno;
	return rc;
}

static int copy_log(struct print *pr)
{
	const char *path = pr->opts.copy_to;
	uint8_t *buf;
	int fd, rc, out_rc = 0;

	buf = malloc((size_t)COPY_BB * BB_BYTES);
	if (!buf) {
		cmd_message("out of memory");
		return -ENOMEM;
	}
	fd = cmd_create(path, pr->opts.io.force & FORCE_OUTPUT);
	if (fd < 0) {
		free(buf);
		return fd;
	}
	rc = copy_blocks(pr, fd, buf, &out_rc);
	free(buf);
	if (close(fd) && !out_rc)
		out_rc = -errno;
	if (out_rc)
		cmd_message("%s: %s", path, strerror(-out_rc));
	return rc ? rc : out_rc;
}

/* @name: room for the path and the suffix. */
static int write_sidecar(struct print *pr, const char *name)
{
	static struct out out;
	struct jl j;
	int fd, rc;

	fd = cmd_create(name, pr->opts.io.force & FORCE_OUTPUT);
	if (fd < 0)
		return fd;
	out_init(&out, fd);
	jl_init(&j, &out, pr->opts.epoch);
	sidecar_write(&j, pr->info, pr->opts.io.path);
	rc = out_close(&out);
	if (rc)
		cmd_message("%s: %s", name, strerror(-rc));
	return rc;
}

static void copied(struct print *pr, const char *sidecar)
{
	uint64_t bytes = (uint64_t)pr->info->log_size_bb * BB_BYTES;
	struct out *o = &pr->out;
	struct jl *j = &pr->json;

	if (pr->opts.io.json) {
		jl_begin(j, "copy");
		jl_str(j, "file", pr->opts.copy_to);
		jl_str(j, "sidecar", sidecar);
		jl_uint(j, "bytes", bytes);
		jl_end(j);
	} else if (!pr->opts.io.quiet) {
		out_str(o, pr->opts.copy_to);
		out_str(o, ": ");
		out_size(o, bytes);
		out_str(o, " of log; ");
		out_str(o, sidecar);
		out_str(o, ": its superblock");
		out_newline(o);
	}
}

int print_copy(struct print *pr)
{
	size_t len = strlen(pr->opts.copy_to);
	char *sidecar = malloc(len + sizeof(SIDECAR_SUFFIX));
	int rc;

	if (!sidecar) {
		cmd_message("out of memory");
		return -ENOMEM;
	}
	memcpy(sidecar, pr->opts.copy_to, len);
	memcpy(sidecar + len, SIDECAR_SUFFIX, sizeof(SIDECAR_SUFFIX));
	rc = copy_log(pr);
	if (!rc)
		rc = write_sidecar(pr, sidecar);
	if (!rc)
		copied(pr, sidecar);
	free(sidecar);
	return rc;
}
