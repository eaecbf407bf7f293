/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is asked of the file below a stack of devices. dev_map leads there.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libxlog/dev/hostfile.h"

bool dev_find_file(struct dev *dev, int *fd, uint64_t *start)
{
	struct dev_map map;

	*start = 0;
	while (dev->ops->map && dev->ops->map(dev, false, &map)) {
		*start += map.start_bytes;
		if (!map.below) {
			*fd = map.fd;
			return true;
		}
		dev = map.below;
	}
	return false;
}

/* The regular file below @dev, if that is what there is. */
static bool find_regular(struct dev *dev, int *fd, uint64_t *start,
			 struct stat *st)
{
	return dev_find_file(dev, fd, start) && !fstat(*fd, st) &&
	       S_ISREG(st->st_mode);
}

bool dev_is_as_long(struct dev *dev)
{
	uint64_t start;
	struct stat st;
	int fd;

	return !find_regular(dev, &fd, &start, &st) ||
	       start + dev->size_bytes == (uint64_t)st.st_size;
}

/* Where that is not known, there is one. */
static bool has_hole(int fd, uint64_t at, uint64_t len)
{
	off_t hole = lseek(fd, (off_t)at, SEEK_HOLE);

	return hole < 0 || (uint64_t)hole < at + len;
}

int dev_reserve(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	uint64_t start;
	struct stat st;
	int fd, rc;

	/* not twice: it counts as a change of the file */
	if (!len || !find_regular(dev, &fd, &start, &st) ||
	    !has_hole(fd, start + off_bytes, len))
		return 0;
	do {
		rc = fallocate(fd, FALLOC_FL_KEEP_SIZE,
			       (off_t)(start + off_bytes), (off_t)len);
	} while (rc && errno == EINTR);
	if (!rc || errno == EOPNOTSUPP || errno == ENOSYS)
		return 0;
	return report(&dev->sink, -errno, "dev.io", XLOG_LSN_NONE,
		      "no space for %" PRIu64 " bytes at byte %" PRIu64
		      ": %s", len, off_bytes, strerror(errno));
}
