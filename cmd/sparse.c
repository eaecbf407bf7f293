/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files with holes; see sparse.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cmd/sparse.h"

enum { HOLE_BYTES = 4096 };	/* smallest hole: a page */

static bool is_zero(const uint8_t *p, size_t n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

static int write_at(int fd, const uint8_t *p, size_t n, off_t at)
{
	while (n) {
		ssize_t done = pwrite(fd, p, n, at);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done < 0)
			continue;
		p += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int sparse_write(int fd, const void *buf, size_t len_bytes, off_t at)
{
	const uint8_t *p = buf;
	size_t from = 0, to = 0;
	int rc = 0;

	/* [from, to) is what is to be written and has not been */
	while (to < len_bytes && !rc) {
		size_t n = len_bytes - to < HOLE_BYTES ? len_bytes - to :
							 HOLE_BYTES;
		bool hole = is_zero(p + to, n);

		if (hole && to > from)
			rc = write_at(fd, p + from, to - from,
				      at + (off_t)from);
		to += n;
		if (hole)
			from = to;
	}
	if (!rc && to > from)
		rc = write_at(fd, p + from, to - from, at + (off_t)from);
	return rc;
}
