/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A batch under way: the transfers it is cut into, and the engines that keep
 * many of them going on one descriptor. An engine takes transfers until there
 * are no more or one has failed. What it cannot do, for whatever reason, is
 * done once more by batch_finish(), the plain way, which either works or says
 * why not: engines have no errors of their own.
 */
#ifndef LIBXLOG_DEV_BATCH_PRIV_H
#define LIBXLOG_DEV_BATCH_PRIV_H

#include "libxlog/dev/batch.h"

struct batch {
	/* Constant. */
	const struct dev_io *ios;
	size_t		count;
	bool		write;
	struct dev	*bottom;	/* the device whose descriptor it is */
	int		fd;
	uint64_t	start_bytes;	/* of the ios, in @fd */
	/* What is to be done next. */
	size_t		next;		/* in @ios */
	size_t		cut_bytes;	/* of ios[next], done already */
	/* What has been done. */
	uint64_t	done_bytes;
	int		rc;		/* first error, reported */
};

/*
 * The next transfer, of 1 to DEV_IO_BYTES bytes, with its place in @fd. False
 * if there is none.
 */
bool batch_next(struct batch *b, struct dev_io *out);

/* Finish @io by pread or pwrite, or set b->rc. Nothing if that is set. */
void batch_finish(struct batch *b, const struct dev_io *io);

/*
 * The engines. Each returns with nothing under way. batch_uring() can only
 * read. It returns false with nothing done if there is no io_uring to be had;
 * if the kernel stops taking transfers on the way, those that it has not seen
 * are left.
 */
void batch_threads(struct batch *b);
#ifdef XLOG_URING
bool batch_uring(struct batch *b);
#else
static inline bool batch_uring(struct batch *b)
{
	(void)b;
	return false;
}
#endif

/* For tests: what to read with where there is a choice. */
enum batch_engine {
	BATCH_ANY,
	BATCH_URING,		/* -ENOSYS, not reported, if not to be had */
	BATCH_THREADS,
};

void batch_force(enum batch_engine engine);

#endif
