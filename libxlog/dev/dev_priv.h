/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kinds of devices share among themselves.
 */
#ifndef LIBXLOG_DEV_DEV_PRIV_H
#define LIBXLOG_DEV_DEV_PRIV_H

#include <sys/stat.h>

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

/*
 * Open @path, which stat(2) said of that it is @st, a regular file or block
 * device, and a device for us alone with O_EXCL in @how. @st is what it is now.
 * -ESTALE if that is no file any more, or not that device; -EBUSY if somebody
 * else has the device, which alone is not reported; else what open(2) says.
 * @fd is to be closed unless it is negative. May sleep.
 */
int file_open_as(const struct sink *sink, const char *path, int how,
		 struct stat *st, int *fd) MUST_CHECK;

/*
 * What dev_read() and dev_write() check beforehand: 0, or -EINVAL or -EROFS,
 * reported.
 */
int dev_check_read(struct dev *dev, uint64_t off_bytes, uint64_t len)
	MUST_CHECK;
int dev_check_write(struct dev *dev, uint64_t off_bytes, uint64_t len)
	MUST_CHECK;

/* True if all @len bytes are zero. */
bool dev_is_zero(const void *buf, size_t len);

/*
 * dev_open_zimage() with its second bound, on bytes that are not in pages of
 * zeros, said by the caller.
 */
int zimage_open(struct dev *below, uint64_t max_bytes, uint64_t max_data_bytes,
		struct dev **out) MUST_CHECK;

/* --- who else uses a file or block device --- */

/* Where the kernel shows itself; tests bring their own. */
struct inuse_roots {
	const char	*proc, *sys, *dev;
};

extern const struct inuse_roots inuse_system;

enum inuse {
	INUSE_NO,
	INUSE_YES,
	INUSE_UNKNOWN,		/* nothing found, but not all could be seen */
};

/*
 * Is the regular file or block device of @st, or a partition of it, mounted
 * (also as an external log or realtime device), swap, held by device mapper
 * or md, or below a loop device? And what it lies in itself: the disk of a
 * partition, the backing file of a loop device, by another that shares bytes
 * with it? What was found goes into @text, as it follows "in use: ", and
 * INUSE_UNKNOWN's reason. May sleep.
 */
enum inuse inuse_find(const struct inuse_roots *roots, const struct stat *st,
		      char *text, size_t size);

/*
 * Take the BSD lock (flock(2)) of @fd, or the OFD write lock over all of it,
 * which wants @fd open for writing and is the kind qemu holds. @flags as
 * dev_open_file(). -EBUSY with the holder named, -EINTR; all reported. The
 * lock goes with the last descriptor. May sleep with DEV_LOCK_WAIT.
 */
int lock_bsd(const struct sink *sink, int fd, unsigned int flags) MUST_CHECK;
int lock_ofd(const struct sink *sink, int fd, unsigned int flags) MUST_CHECK;

/*
 * The same for @fd, the backing file of the device that is written. Its BSD
 * lock is shared, and no OFD lock is kept, only seen to that there is none:
 * who writes to another part of the file is let in.
 */
int lock_backing(const struct sink *sink, int fd,
		 unsigned int flags) MUST_CHECK;

#endif
