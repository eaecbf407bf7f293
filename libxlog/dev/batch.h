/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many reads or writes at once, for whoever knows in advance what it wants:
 * deep queues on files and block devices (io_uring to read, threads to write
 * and where the kernel refuses it), one after the other on other devices.
 */
#ifndef LIBXLOG_DEV_BATCH_H
#define LIBXLOG_DEV_BATCH_H

#include "libxlog/dev/dev.h"

struct dev_io {
	uint64_t	off_bytes;
	void		*buf;		/* only read from by a write */
	size_t		len;
};

/*
 * Read or write all @count of @ios, which are in ascending order and do not
 * overlap (else they are done one after the other); neighbours whose memory is
 * contiguous too become one transfer of up to DEV_IO_BYTES, and only one that
 * is longer is cut. Returns when all are done: 0, or the first error, as
 * dev_read() and dev_write() report it; what else was done is not known then,
 * but nothing if one of @ios does not lie inside @dev. May sleep.
 */
int dev_read_batch(struct dev *dev, const struct dev_io *ios, size_t count)
	MUST_CHECK;
int dev_write_batch(struct dev *dev, const struct dev_io *ios, size_t count)
	MUST_CHECK;

#endif
