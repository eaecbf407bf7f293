/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file or block device at the bottom of a stack of devices, reached by the
 * descriptor that is locked and will be written, whatever its name stands for.
 */
#ifndef LIBXLOG_DEV_HOSTFILE_H
#define LIBXLOG_DEV_HOSTFILE_H

#include "libxlog/dev/dev.h"

/* The descriptor below @dev, and where @dev begins there; false: none. */
bool dev_find_file(struct dev *dev, int *fd, uint64_t *start);

/*
 * Is the file that @dev is as long as @dev says? Someone who knows of no locks
 * may have written to it. True of all that is no file.
 */
bool dev_is_as_long(struct dev *dev);

/*
 * See to it that there is space for all of this range, so that no write to it
 * fails for want of that; what can be read of it stays the same. Returns 0,
 * also where space cannot be had beforehand; -ENOSPC, -EFBIG and others,
 * reported. May sleep.
 */
int dev_reserve(struct dev *dev, uint64_t off_bytes, uint64_t len) MUST_CHECK;

#endif
