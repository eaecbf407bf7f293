/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies of images; see copy.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "cmd/cmd.h"
#include "cmd/copy.h"
#include "cmd/sparse.h"

enum {
	CHUNK_BYTES = 1 << 20,
	FRAME_HEADER_BYTES = 18,	/* at most: ZSTD_FRAMEHEADERSIZE_MAX */
};

/* As for reading: what unpacks into more is more likely made to do harm. */
#define UNPACK_MAX_BYTES	((off_t)64 << 30)

struct copy {
	const char	*from, *to;
	int		in, out;
	off_t		size;		/* of @from */
	off_t		done;		/* read so far */
	uint8_t		*buf;		/* CHUNK_BYTES */
	struct progress	*progress;
};

/* Report what happened to @name. */
static int failed(const char *name, int error)
{
	cmd_message("%s: %s", name, strerror(error));
	return -error;
}

/* @n bytes have been read: on to the next. */
static int step(struct copy *c, off_t n)
{
	c->done += n;
	progress_step(c->progress, (uint64_t)c->done, (uint64_t)c->size);
	return cmd_cancelled() ? -ECANCELED : 0;
}

/* Up to @len bytes from @at into the buffer; the number, 0 at the end. */
static ssize_t read_some(struct copy *c, off_t at, size_t len)
{
	ssize_t n;

	do {
		n = pread(c->in, c->buf, len, at);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? failed(c->from, errno) : n;
}

static int write_out(struct copy *c, const void *p, size_t len, off_t at)
{
	int rc = sparse_write(c->out, p, len, at);

	return rc ? failed(c->to, -rc) : 0;
}

/* --- as it is --- */

static int copy_range(struct copy *c, off_t at, off_t end)
{
	int rc = 0;

	while (at < end && !rc) {
		ssize_t n = read_some(c, at, end - at < CHUNK_BYTES ?
				      (size_t)(end - at) : CHUNK_BYTES);

		if (n < 0)
			return (int)n;
		if (!n) {
			cmd_message("%s: shorter than it was", c->from);
			return -EIO;
		}
		rc = write_out(c, c->buf, (size_t)n, at);
		at += n;
		if (!rc)
			rc = step(c, n);
	}
	return rc;
}

/* Where the next data lie, from @at on: *@from and *@to, = size if none. */
static void next_data(struct copy *c, off_t at, off_t *from, off_t *to)
{
	*from = lseek(c->in, at, SEEK_DATA);
	if (*from < 0) {
		/* ENXIO: only a hole is left; else holes cannot be told */
		*from = errno == ENXIO ? c->size : at;
		*to = c->size;
		return;
	}
	*to = lseek(c->in, *from, SEEK_HOLE);
	if (*to <= *from || *to > c->size)
		*to = c->size;
}

static int copy_sparse(struct copy *c)
{
	off_t at = 0, from, to;
	int rc = 0;

	while (at < c->size && !rc) {
		next_data(c, at, &from, &to);
		c->done += from - at;
		if (from < c->size)
			rc = copy_range(c, from, to);
		at = to;
	}
	if (!rc && ftruncate(c->out, c->size))
		rc = failed(c->to, errno);
	return rc;
}

/* --- unpacked --- */

static bool is_compressed(int fd)
{
	uint8_t head[FRAME_HEADER_BYTES];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return n > 0 && ZSTD_getFrameContentSize(head, (size_t)n) !=
			ZSTD_CONTENTSIZE_ERROR;
}

bool copy_unpacks(const char *from)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool yes = fd >= 0 && is_compressed(fd);

	if (fd >= 0)
		close(fd);
	return yes;
}

struct unpack {
	ZSTD_DCtx	*dctx;
	uint8_t		*out;		/* CHUNK_BYTES */
	size_t		used;
	off_t		written;
};

static int unpack_init(struct unpack *u)
{
	ZSTD_bounds window = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);

	*u = (struct unpack){ .dctx = ZSTD_createDCtx(),
			      .out = malloc(CHUNK_BYTES) };
	/* images are packed with --long; the default stops at 27 */
	if (u->dctx && u->out &&
	    !ZSTD_isError(ZSTD_DCtx_setParameter(u->dctx, ZSTD_d_windowLogMax,
						 window.upperBound)))
		return 0;
	cmd_message("out of memory");
	return -ENOMEM;
}

static void unpack_fini(struct unpack *u)
{
	ZSTD_freeDCtx(u->dctx);
	free(u->out);
}

/* Write what has been unpacked, in whole chunks but for the last. */
static int unpack_flush(struct copy *c, struct unpack *u)
{
	int rc;

	if ((off_t)u->used > UNPACK_MAX_BYTES - u->written) {
		cmd_message("%s: larger than %lld GiB unpacked", c->from,
			    (long long)(UNPACK_MAX_BYTES >> 30));
		return -EFBIG;
	}
	rc = write_out(c, u->out, u->used, u->written);
	u->written += (off_t)u->used;
	u->used = 0;
	return rc;
}

/* @left: what zstd said of the frame at hand; 0: it is complete. */
static int unpack_chunk(struct copy *c, struct unpack *u, size_t len,
			size_t *left)
{
	ZSTD_inBuffer in = { c->buf, len, 0 };
	bool full = false;
	int rc;

	/* if the output was full, there may be more of what has been taken */
	while (in.pos < in.size || (full && *left)) {
		ZSTD_outBuffer out = { u->out, CHUNK_BYTES, u->used };

		*left = ZSTD_decompressStream(u->dctx, &out, &in);
		if (ZSTD_isError(*left)) {
			cmd_message("%s: cannot be unpacked: %s", c->from,
				    ZSTD_getErrorName(*left));
			return -EIO;
		}
		u->used = out.pos;
		full = u->used == CHUNK_BYTES;
		if (!full)
			continue;
		rc = unpack_flush(c, u);
		if (!rc && cmd_cancelled())
			rc = -ECANCELED;
		if (rc)
			return rc;
	}
	return 0;
}

static int unpack_all(struct copy *c, struct unpack *u)
{
	size_t left = 0;
	ssize_t n;
	int rc;

	while ((n = read_some(c, c->done, CHUNK_BYTES)) > 0) {
		rc = unpack_chunk(c, u, (size_t)n, &left);
		if (!rc)
			rc = step(c, n);
		if (rc)
			return rc;
	}
	if (n < 0)
		return (int)n;
	if (left) {
		cmd_message("%s: cut short: the compressed data end early",
			    c->from);
		return -EIO;
	}
	rc = unpack_flush(c, u);
	if (!rc && ftruncate(c->out, u->written))
		rc = failed(c->to, errno);
	return rc;
}

static int copy_unpacked(struct copy *c)
{
	struct unpack u;
	int rc = unpack_init(&u);

	if (!rc)
		rc = unpack_all(c, &u);
	unpack_fini(&u);
	return rc;
}

/* --- all of it --- */

static int copy_open(struct copy *c)
{
	struct stat st;

	/* a pipe would not let go */
	c->in = open(c->from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (c->in < 0 || fstat(c->in, &st))
		return failed(c->from, errno);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		cmd_message("%s: neither a file nor a block device", c->from);
		return -EINVAL;
	}
	c->size = lseek(c->in, 0, SEEK_END);
	if (c->size < 0)
		return failed(c->from, errno);
	c->buf = malloc(CHUNK_BYTES);
	if (c->buf)
		return 0;
	cmd_message("out of memory");
	return -ENOMEM;
}

int copy_image(const char *from, int fd, const char *to,
	       struct progress *progress)
{
	struct copy c = { .from = from, .to = to, .out = fd,
			  .progress = progress };
	int rc;

	progress_begin(progress, "copy", true);
	rc = copy_open(&c);
	if (!rc && is_compressed(c.in))
		rc = copy_unpacked(&c);
	else if (!rc && ioctl(c.out, FICLONE, c.in))
		rc = copy_sparse(&c);
	if (c.in >= 0)
		close(c.in);
	free(c.buf);
	return rc;
}
