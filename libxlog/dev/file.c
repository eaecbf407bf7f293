/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A regular file or block device as a device. What it is and how large is
 * taken from stat(2) and the kernel, never from its name. A regular file can
 * shrink while it is open: that is a short read here, and an I/O error.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libxlog/base/list.h"
#include "libxlog/dev/dev_priv.h"

_Static_assert(sizeof(off_t) == 8, "build with -D_FILE_OFFSET_BITS=64");

struct file {
	struct dev	dev;
	char		*path;		/* owned */
	int		fd;
};

static struct file *to_file(struct dev *dev)
{
	return container_of(dev, struct file, dev);
}

/* --- I/O --- */

static int io_error(struct dev *dev, const char *what, uint64_t off_bytes,
		    size_t len, int error)
{
	return report(&dev->sink, -error, "dev.io", XLOG_LSN_NONE,
		      "%s of %zu bytes at byte %" PRIu64 ": %s", what, len,
		      off_bytes, strerror(error));
}

int dev_pread(struct dev *dev, int fd, uint64_t off_bytes, void *buf,
	      size_t len)
{
	uint8_t *p = buf;

	while (len) {
		ssize_t n = pread(fd, p, len, (off_t)off_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_error(dev, "read", off_bytes, len, errno);
		if (!n)
			return report(&dev->sink, -EIO, "dev.short",
				      XLOG_LSN_NONE,
				      "read of %zu bytes at byte %" PRIu64
				      ": it ends there now, and had %" PRIu64
				      " bytes when it was opened", len,
				      off_bytes, dev->size_bytes);
		p += n;
		off_bytes += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int dev_pwrite(struct dev *dev, int fd, uint64_t off_bytes, const void *buf,
	       size_t len)
{
	const uint8_t *p = buf;

	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)off_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		/* No progress and no reason: never seen, but never loop. */
		if (n <= 0)
			return io_error(dev, "write", off_bytes, len,
					n < 0 ? errno : EIO);
		p += n;
		off_bytes += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int file_read(struct dev *dev, uint64_t off_bytes, void *buf,
		     size_t len)
{
	return dev_pread(dev, to_file(dev)->fd, off_bytes, buf, len);
}

static int file_write(struct dev *dev, uint64_t off_bytes, const void *buf,
		      size_t len)
{
	return dev_pwrite(dev, to_file(dev)->fd, off_bytes, buf, len);
}

static int file_flush(struct dev *dev)
{
	if (fdatasync(to_file(dev)->fd))
		return report(&dev->sink, -errno, "dev.io", XLOG_LSN_NONE,
			      "flush: %s", strerror(errno));
	return 0;
}

/*
 * fallocate(2) does the same on block devices as on files. A file may not
 * grow by it: the range lies inside, and KEEP_SIZE says so once more.
 */
static int file_fallocate(struct dev *dev, int mode, const char *what,
			  uint64_t off_bytes, uint64_t len)
{
	int rc;

	do {
		rc = fallocate(to_file(dev)->fd, mode | FALLOC_FL_KEEP_SIZE,
			       (off_t)off_bytes, (off_t)len);
	} while (rc && errno == EINTR);
	/* EINVAL: not aligned to sectors, which only a plain write can do. */
	if (rc && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL))
		return -EOPNOTSUPP;
	if (rc)
		return report(&dev->sink, -errno, "dev.io", XLOG_LSN_NONE,
			      "%s of %" PRIu64 " bytes at byte %" PRIu64
			      ": %s", what, len, off_bytes, strerror(errno));
	return 0;
}

static int file_discard(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	return file_fallocate(dev, FALLOC_FL_PUNCH_HOLE, "discard", off_bytes,
			      len);
}

static int file_zero(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	return file_fallocate(dev, FALLOC_FL_ZERO_RANGE, "zeroing", off_bytes,
			      len);
}

static void file_close(struct dev *dev)
{
	struct file *file = to_file(dev);

	if (file->fd >= 0)
		close(file->fd);	/* frees the locks, too */
	free(file->path);
	free(file);
}

static const struct dev_ops file_ops = {
	.kind = "file",
	.read = file_read,
	.write = file_write,
	.flush = file_flush,
	.discard = file_discard,
	.zero = file_zero,
	.close = file_close,
};

/* --- opening --- */

static const char *type_name(mode_t mode)
{
	return S_ISDIR(mode) ? "a directory" :
	       S_ISCHR(mode) ? "a character device" :
	       S_ISFIFO(mode) ? "a pipe" :
	       S_ISSOCK(mode) ? "a socket" : "neither a file nor a device";
}

static int check_type(const struct sink *sink, const struct stat *st)
{
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	return report(sink, -EMEDIUMTYPE, "dev.type", XLOG_LSN_NONE,
		      "%s, not a file or block device",
		      type_name(st->st_mode));
}

static int open_error(const struct sink *sink, int error)
{
	return report(sink, -error, "dev.open", XLOG_LSN_NONE,
		      "cannot be opened: %s", strerror(error));
}

static int find_size(struct file *file, const struct stat *st)
{
	const struct sink *sink = &file->dev.sink;
	uint64_t size_bytes = (uint64_t)st->st_size;
	int sector_bytes = DEV_SECTOR_BYTES;

	if (S_ISBLK(st->st_mode) &&
	    (ioctl(file->fd, BLKGETSIZE64, &size_bytes) ||
	     ioctl(file->fd, BLKSSZGET, &sector_bytes)))
		return report(sink, -errno, "dev.size", XLOG_LSN_NONE,
			      "its size cannot be found: %s",
			      strerror(errno));
	if (!size_bytes)
		return report(sink, -EMEDIUMTYPE, "dev.empty", XLOG_LSN_NONE,
			      "is empty");
	file->dev.size_bytes = size_bytes;
	file->dev.sector_bytes = (uint32_t)sector_bytes;
	return 0;
}

static int open_reader(struct file *file)
{
	const struct sink *sink = &file->dev.sink;
	struct stat st;
	int rc;

	/* Before open(2), which waits at a pipe and rewinds a tape. */
	if (stat(file->path, &st))
		return open_error(sink, errno);
	rc = check_type(sink, &st);
	if (rc)
		return rc;
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0 || fstat(file->fd, &st))
		return open_error(sink, errno);
	rc = check_type(sink, &st);
	if (rc)
		return rc;
	/* A hint: what it says of failure is nothing to anyone. */
	(void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return find_size(file, &st);
}

int dev_open_file(const char *path, unsigned int flags,
		  const struct sink *sink, struct dev **out)
{
	static const struct sink silent;
	struct file *file = malloc(sizeof(*file));
	char *copy = strdup(path);
	int rc;

	if (!file || !copy) {
		free(file);
		free(copy);
		return report(sink ? sink : &silent, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory");
	}
	dev_init(&file->dev, &file_ops, sink, copy);
	file->path = copy;
	file->fd = -1;
	rc = flags & DEV_WRITE ?
	     report(&file->dev.sink, -EOPNOTSUPP, "dev.open", XLOG_LSN_NONE,
		    "opening for writing is not known yet") :
	     open_reader(file);
	if (rc) {
		file_close(&file->dev);
		return rc;
	}
	*out = &file->dev;
	return 0;
}
