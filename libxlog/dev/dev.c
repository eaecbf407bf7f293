/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all devices have in common: a range is checked here once, so that no
 * kind of device meets one that does not lie inside it, and bytes are counted.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/batch.h"
#include "libxlog/dev/dev_priv.h"

void dev_init(struct dev *dev, const struct dev_ops *ops,
	      const struct sink *sink, const char *name)
{
	dev->ops = ops;
	dev->sink = sink ? *sink : (struct sink){ NULL, NULL };
	dev->name = name;
	dev->size_bytes = 0;
	dev->sector_bytes = DEV_SECTOR_BYTES;
	dev->writable = false;
	atomic_init(&dev->bytes_read, 0);
	atomic_init(&dev->bytes_written, 0);
}

/* Written so that no sum is formed which could wrap. */
static bool is_inside(const struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	return off_bytes <= dev->size_bytes &&
	       len <= dev->size_bytes - off_bytes;
}

static int range_error(struct dev *dev, const char *what, uint64_t off_bytes,
		       uint64_t len)
{
	return report(&dev->sink, -EINVAL, "dev.range", XLOG_LSN_NONE,
		      "%s of %" PRIu64 " bytes at byte %" PRIu64
		      ": there are only %" PRIu64, what, len, off_bytes,
		      dev->size_bytes);
}

static int check_write(struct dev *dev, const char *what, uint64_t off_bytes,
		       uint64_t len)
{
	if (!dev->writable)
		return report(&dev->sink, -EROFS, "dev.readonly",
			      XLOG_LSN_NONE,
			      "%s of %" PRIu64 " bytes at byte %" PRIu64
			      ": opened for reading only", what, len,
			      off_bytes);
	if (!is_inside(dev, off_bytes, len))
		return range_error(dev, what, off_bytes, len);
	return 0;
}

int dev_check_read(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	return is_inside(dev, off_bytes, len) ? 0 :
	       range_error(dev, "read", off_bytes, len);
}

int dev_check_write(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	return check_write(dev, "write", off_bytes, len);
}

int dev_read(struct dev *dev, uint64_t off_bytes, void *buf, size_t len)
{
	int rc = dev_check_read(dev, off_bytes, len);

	if (rc || !len)
		return rc;
	rc = dev->ops->read(dev, off_bytes, buf, len);
	if (!rc)
		atomic_fetch_add_explicit(&dev->bytes_read, len,
					  memory_order_relaxed);
	return rc;
}

int dev_write(struct dev *dev, uint64_t off_bytes, const void *buf, size_t len)
{
	int rc = dev_check_write(dev, off_bytes, len);

	if (rc || !len)
		return rc;
	rc = dev->ops->write(dev, off_bytes, buf, len);
	if (!rc)
		atomic_fetch_add_explicit(&dev->bytes_written, len,
					  memory_order_relaxed);
	return rc;
}

int dev_prepare(struct dev *dev, const struct dev_io *ios, size_t count)
{
	int rc = 0;

	if (!dev->ops->prepare)
		return 0;
	for (size_t i = 0; i < count && !rc; i++)
		rc = check_write(dev, "write", ios[i].off_bytes, ios[i].len);
	return rc ? rc : dev->ops->prepare(dev, ios, count);
}

int dev_flush(struct dev *dev)
{
	return dev->writable ? dev->ops->flush(dev) : 0;
}

int dev_discard(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	int rc = check_write(dev, "discard", off_bytes, len);

	if (rc || !len)
		return rc;
	return dev->ops->discard ? dev->ops->discard(dev, off_bytes, len) :
	       -EOPNOTSUPP;
}

static int write_zeros(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	size_t room = len < DEV_IO_BYTES ? (size_t)len : DEV_IO_BYTES;
	void *zeros = calloc(1, room);
	int rc = 0;

	if (!zeros)
		return report(&dev->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	while (len && !rc) {
		size_t n = len < room ? (size_t)len : room;

		rc = dev_write(dev, off_bytes, zeros, n);
		off_bytes += n;
		len -= n;
	}
	free(zeros);
	return rc;
}

int dev_zero(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	int rc = check_write(dev, "zeroing", off_bytes, len);

	if (rc || !len)
		return rc;
	rc = dev->ops->zero ? dev->ops->zero(dev, off_bytes, len) :
	     -EOPNOTSUPP;
	return rc == -EOPNOTSUPP ? write_zeros(dev, off_bytes, len) : rc;
}

void dev_close(struct dev *dev)
{
	if (dev)
		dev->ops->close(dev);
}

/* memcmp() of a buffer with itself, one byte on, is as fast as libc's. */
bool dev_is_zero(const void *buf, size_t len)
{
	const unsigned char *p = buf;

	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

int dev_open_image(const char *path, uint64_t offset_bytes,
		   uint64_t unpack_max_bytes, const struct sink *sink,
		   struct dev **out)
{
	struct dev *dev, *upper;
	int rc;

	rc = dev_open_file(path, 0, sink, &dev);
	if (rc)
		return rc;
	if (dev_is_zstd(dev)) {
		rc = dev_open_zimage(dev, unpack_max_bytes, &upper);
		if (rc)
			goto close;
		dev = upper;
	}
	if (offset_bytes) {
		rc = dev_open_window(dev, offset_bytes, 0, &upper);
		if (rc)
			goto close;
		dev = upper;
	}
	*out = dev;
	return 0;
close:
	dev_close(dev);
	return rc;
}

void dev_forget(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	struct dev_map map;

	while (dev && dev->ops->map && dev->ops->map(dev, false, &map)) {
		off_bytes += map.start_bytes;
		if (!map.below)
			(void)posix_fadvise(map.fd, (off_t)off_bytes,
					    (off_t)len, POSIX_FADV_DONTNEED);
		dev = map.below;
	}
}

int dev_open_writable(const char *path, uint64_t offset_bytes,
		      unsigned int flags, const struct sink *sink,
		      struct dev **out)
{
	static const struct sink silent;
	struct dev *dev;
	int rc;

	rc = dev_open_file(path, flags | DEV_WRITE, sink, &dev);
	if (rc)
		return rc;
	if (dev_is_zstd(dev))
		rc = report(sink ? sink : &silent, -EROFS, "zimage.readonly",
			    XLOG_LSN_NONE,
			    "a compressed image cannot be written to: name a copy with --target");
	else if (offset_bytes)
		rc = dev_open_window(dev, offset_bytes, 0, &dev);
	if (rc) {
		dev_close(dev);
		return rc;
	}
	*out = dev;
	return 0;
}
