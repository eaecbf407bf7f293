/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kinds of devices share among themselves.
 */
#ifndef LIBXLOG_DEV_DEV_PRIV_H
#define LIBXLOG_DEV_DEV_PRIV_H

#include "libxlog/dev/dev.h"

/*
 * Fill in the common part. @name is borrowed for the life of @dev; @sink may
 * be NULL and is copied. Size, sector and writable are the caller's to set.
 */
void dev_init(struct dev *dev, const struct dev_ops *ops,
	      const struct sink *sink, const char *name);

/*
 * All of @len bytes by pread(2) or pwrite(2). Returns 0, or -EIO or what the
 * system said, reported through the sink of @dev.
 */
int dev_pread(struct dev *dev, int fd, uint64_t off_bytes, void *buf,
	      size_t len) MUST_CHECK;
int dev_pwrite(struct dev *dev, int fd, uint64_t off_bytes, const void *buf,
	       size_t len) MUST_CHECK;

/* True if all @len bytes are zero. */
bool dev_is_zero(const void *buf, size_t len);

#endif
