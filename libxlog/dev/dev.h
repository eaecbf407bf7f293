/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device is a stack: each kind is a small device over another, or over a
 * file. Callers see one interface; what lies below decides whether a write
 * reaches a disk, an overlay or nothing.
 *
 * Owning: a device that stands on another owns it, and dev_close() of the
 * upper one closes both. A device may be used by several threads at once for
 * reading; writes to overlapping ranges are the callers' to order.
 */
#ifndef LIBXLOG_DEV_DEV_H
#define LIBXLOG_DEV_DEV_H

#include <stdatomic.h>

#include "libxlog/base/err.h"

struct dev;

struct dev_ops {
	const char *kind;
	/* All of it or a negative errno; the range has been checked. */
	int (*read)(struct dev *dev, uint64_t off_bytes, void *buf, size_t len);
	int (*write)(struct dev *dev, uint64_t off_bytes, const void *buf,
		     size_t len);
	int (*flush)(struct dev *dev);	/* durable when it returns 0 */
	int (*discard)(struct dev *dev, uint64_t off_bytes, uint64_t len);
	void (*close)(struct dev *dev);	/* also what it stands on */
};

struct dev {
	const struct dev_ops *ops;
	struct sink	sink;
	const char	*name;		/* for messages; owned by the device */
	uint64_t	size_bytes;
	uint32_t	sector_bytes;	/* smallest unit of I/O */
	bool		writable;
	atomic_ullong	bytes_read;	/* statistics, relaxed */
	atomic_ullong	bytes_written;
};

/*
 * Read or write @len bytes at @off_bytes. -EINVAL if the range does not lie
 * inside the device, -EROFS for a write to a device that is not writable,
 * -EIO (reported) if it could not be done in full. May sleep.
 */
int dev_read(struct dev *dev, uint64_t off_bytes, void *buf, size_t len)
	MUST_CHECK;
int dev_write(struct dev *dev, uint64_t off_bytes, const void *buf,
	      size_t len) MUST_CHECK;
int dev_flush(struct dev *dev) MUST_CHECK;

/* Close the device and all it stands on. NULL is allowed. */
void dev_close(struct dev *dev);

enum {
	DEV_WRITE = 1,		/* open for writing: checks that it is not in use */
	DEV_LOCK_WAIT = 2,	/* wait for the lock (--lock=yes) */
	DEV_LOCK_NONE = 4,	/* take no lock (--lock=no) */
};

/*
 * Open the regular file or block device at @path. With DEV_WRITE, whoever
 * else uses it is named and -EBUSY returned; a lock is held until dev_close().
 * A directory, a character device or an empty file is -EMEDIUMTYPE.
 */
int dev_open_file(const char *path, unsigned int flags,
		  const struct sink *sink, struct dev **out) MUST_CHECK;

/*
 * Bytes [@off, @off + @len) of @below as a device of their own; @len 0 means
 * up to the end. Takes @below on success.
 */
int dev_open_window(struct dev *below, uint64_t off_bytes, uint64_t len,
		    struct dev **out) MUST_CHECK;

/*
 * Writes stay in memory above @below; with @below NULL, above @size_bytes of
 * zeros. Takes @below on success.
 */
int dev_open_overlay(struct dev *below, uint64_t size_bytes,
		     const struct sink *sink, struct dev **out) MUST_CHECK;

/* True if the first bytes of @dev are those of a zstd frame. */
bool dev_is_zstd(struct dev *dev);

/*
 * The contents of the zstd-compressed file @below, unpacked once into a
 * sparse memory file of at most @max_bytes (else -EFBIG). Read-only. Takes
 * @below on success and closes it when unpacked.
 */
int dev_open_zimage(struct dev *below, uint64_t max_bytes,
		    struct dev **out) MUST_CHECK;

/*
 * The device for @path as a reader of logs wants it: file or block device, a
 * compressed image unpacked, the window from @offset_bytes if that is not 0.
 */
int dev_open_image(const char *path, uint64_t offset_bytes,
		   uint64_t unpack_max_bytes, const struct sink *sink,
		   struct dev **out) MUST_CHECK;

#endif
