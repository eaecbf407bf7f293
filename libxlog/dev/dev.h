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
struct dev_io;

/* Where the bytes of a device lie: in a file, or in another device. */
struct dev_map {
	int		fd;		/* of interest if @below is NULL */
	struct dev	*below;		/* borrowed */
	uint64_t	start_bytes;	/* place of the first byte there */
};

struct dev_ops {
	const char *kind;
	/* All of it or a negative errno; the range has been checked. */
	int (*read)(struct dev *dev, uint64_t off_bytes, void *buf, size_t len);
	int (*write)(struct dev *dev, uint64_t off_bytes, const void *buf,
		     size_t len);
	int (*flush)(struct dev *dev);	/* durable when it returns 0 */
	/* May be NULL, and may say -EOPNOTSUPP, which is not reported. */
	int (*discard)(struct dev *dev, uint64_t off_bytes, uint64_t len);
	int (*zero)(struct dev *dev, uint64_t off_bytes, uint64_t len);
	/*
	 * True if all that @read (with @write: @write, once @prepare has been
	 * told of the bytes) does is to pass its bytes on to one place, which
	 * goes into @map and is the same for the life of @dev: then many go
	 * there at once, past these functions. May be NULL: they are called
	 * for each read and write.
	 */
	bool (*map)(struct dev *dev, bool write, struct dev_map *map);
	/* See dev_prepare(). May be NULL if nothing below wants to know. */
	int (*prepare)(struct dev *dev, const struct dev_io *ios,
		       size_t count);
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
 * -EIO (or what the system said) if it could not be done in full; part of it
 * may then have been. All are reported, without the name of the device:
 * whoever opened it knows it, and may add it in the sink. May sleep.
 */
int dev_read(struct dev *dev, uint64_t off_bytes, void *buf, size_t len)
	MUST_CHECK;
int dev_write(struct dev *dev, uint64_t off_bytes, const void *buf,
	      size_t len) MUST_CHECK;

/*
 * Tell that all @count of @ios (batch.h) are going to be written, each a part
 * of the device; their contents too, unless a buffer is NULL. A device that
 * saves what is overwritten does so for all of them at once, and says here if
 * it cannot. Only a hint: writes are as safe without it. May sleep.
 */
int dev_prepare(struct dev *dev, const struct dev_io *ios, size_t count)
	MUST_CHECK;

/* Make what was written durable. A device opened for reading: 0. May sleep. */
int dev_flush(struct dev *dev) MUST_CHECK;

/*
 * What is read of the range from now on comes from the medium, as far as that
 * can be had: what was written has to be flushed before. Only a hint.
 */
void dev_forget(struct dev *dev, uint64_t off_bytes, uint64_t len);

/*
 * The range is not needed any more: give its space back where that is
 * possible. It reads as anything afterwards; files and overlays as zeros.
 * -EOPNOTSUPP (not reported) if the device has no such thing; other errors as
 * dev_write().
 */
int dev_discard(struct dev *dev, uint64_t off_bytes, uint64_t len) MUST_CHECK;

/*
 * Make the range read as zeros, without writing them all where the device
 * knows a shorter way. Errors as dev_write().
 */
int dev_zero(struct dev *dev, uint64_t off_bytes, uint64_t len) MUST_CHECK;

/* Close the device and all it stands on. NULL is allowed. */
void dev_close(struct dev *dev);

enum {
	DEV_SECTOR_BYTES = 512,	/* of what has no sectors of its own */
	/* Reads and writes of our own making: long enough to stream. */
	DEV_IO_BYTES = 1 << 20,
};

enum {
	DEV_WRITE = 1,		/* open for writing: checks that it is not in use */
	DEV_LOCK_WAIT = 2,	/* wait for the lock (--lock=yes) */
	DEV_LOCK_NONE = 4,	/* take no lock (--lock=no) */
	DEV_EMPTY = 8,		/* an empty file will do */
	/* With DEV_WRITE: make the file, -EEXIST if there is anything. */
	DEV_CREATE = 16,
};

/*
 * Open the regular file or block device at @path. With DEV_WRITE, whoever
 * else uses it is named and -EBUSY returned; a lock is held until dev_close().
 * A directory, a character device or an empty file is -EMEDIUMTYPE. -EINTR if
 * a signal ended the waiting for the lock. @sink may be NULL.
 */
int dev_open_file(const char *path, unsigned int flags,
		  const struct sink *sink, struct dev **out) MUST_CHECK;

/*
 * The file @dev, opened with DEV_WRITE, is @size_bytes long from now on: it
 * has a hole at its end, or loses what was there. -EOPNOTSUPP if it is another
 * kind of device; or what ftruncate(2) says. Reported.
 */
int dev_resize(struct dev *dev, uint64_t size_bytes) MUST_CHECK;

/*
 * Remove the file @dev, which dev_open_file() made, unless its name stands for
 * another one by now. It stays open.
 */
void dev_unlink(struct dev *dev);

/*
 * Do both names stand for one file or block device, or for bytes of one: loop
 * devices over the same part of a file, a disk and its partition? False if
 * either cannot be looked at: opening it has more to say.
 */
bool dev_is_same_file(const char *path, const char *other);

/*
 * Bytes [@off_bytes, @off_bytes + @len) of @below as a device of their own;
 * @len 0 means up to the end. -EINVAL if they do not lie inside @below or are
 * none. Takes @below on success.
 */
int dev_open_window(struct dev *below, uint64_t off_bytes, uint64_t len,
		    struct dev **out) MUST_CHECK;

/*
 * All of @below, which stays the caller's: closing the result leaves it open.
 * Without @flush, a flush of the result does nothing.
 */
int dev_open_borrowed(struct dev *below, bool flush,
		      struct dev **out) MUST_CHECK;

/*
 * Writes stay in memory above @below; with @below NULL, above @size_bytes of
 * zeros. @size_bytes is of interest only then, @sink too (else that of @below
 * is used; NULL drops reports). Memory is taken per 4 KiB page written, and
 * none for zeros. Takes @below on success.
 */
int dev_open_overlay(struct dev *below, uint64_t size_bytes,
		     const struct sink *sink, struct dev **out) MUST_CHECK;

/* True if the first bytes of @dev are those of a zstd frame. */
bool dev_is_zstd(struct dev *dev);

/*
 * The contents of the zstd-compressed file @below, unpacked once into a
 * sparse memory file of at most @max_bytes (else -EFBIG; 0: 64 GiB). Pages of
 * zeros take no memory; what does may be 4 GiB, or half of the memory of the
 * machine if that is less (else -EFBIG too): this is the bound on what a
 * hostile image can make us use, beside the window of its frames, at most
 * 2 GiB (frames of zstd --long=31 are accepted). Corrupt or truncated: -EIO.
 * Read-only. Takes @below on success and closes it when unpacked.
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

/*
 * The same for a writer: @flags are DEV_LOCK_*. A compressed image is -EROFS.
 * dev_open_file() says what else can be wrong.
 */
int dev_open_writable(const char *path, uint64_t offset_bytes,
		      unsigned int flags, const struct sink *sink,
		      struct dev **out) MUST_CHECK;

#endif
