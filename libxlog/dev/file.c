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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libxlog/base/list.h"
#include "libxlog/dev/sysfs.h"

_Static_assert(sizeof(off_t) == 8, "build with -D_FILE_OFFSET_BITS=64");

struct file {
	struct dev	dev;
	char		*path;		/* owned */
	int		fd;
	int		lock_fd;	/* of a block device's writer, or -1 */
	int		backing_fd;	/* of the file it lies in, or -1 */
	bool		is_block;	/* device, else a regular file */
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

/* What the system says of a range: -EOPNOTSUPP if it has no such thing. */
static int range_result(struct dev *dev, const char *what, uint64_t off_bytes,
			uint64_t len, int error)
{
	/* EINVAL: not aligned to sectors, which only a plain write can do. */
	if (error == EOPNOTSUPP || error == ENOSYS || error == EINVAL)
		return -EOPNOTSUPP;
	if (error)
		return report(&dev->sink, -error, "dev.io", XLOG_LSN_NONE,
			      "%s of %" PRIu64 " bytes at byte %" PRIu64
			      ": %s", what, len, off_bytes, strerror(error));
	return 0;
}

/* A file may not grow: the range lies inside, KEEP_SIZE says so once more. */
static int file_fallocate(struct dev *dev, int mode, const char *what,
			  uint64_t off_bytes, uint64_t len)
{
	int rc;

	do {
		rc = fallocate(to_file(dev)->fd, mode | FALLOC_FL_KEEP_SIZE,
			       (off_t)off_bytes, (off_t)len);
	} while (rc && errno == EINTR);
	return range_result(dev, what, off_bytes, len, rc ? errno : 0);
}

/*
 * On a block device, fallocate(2) is another thing: its hole is made of zeros,
 * which disks that can only discard do not have, and others would write.
 */
static int file_discard(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	uint64_t range[2] = { off_bytes, len };
	int rc;

	if (!to_file(dev)->is_block)
		return file_fallocate(dev, FALLOC_FL_PUNCH_HOLE, "discard",
				      off_bytes, len);
	do {
		rc = ioctl(to_file(dev)->fd, BLKDISCARD, range);
	} while (rc && errno == EINTR);
	return range_result(dev, "discard", off_bytes, len, rc ? errno : 0);
}

/* On files and devices alike; a disk that knows no shorter way is written. */
static int file_zero(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	return file_fallocate(dev, FALLOC_FL_ZERO_RANGE, "zeroing", off_bytes,
			      len);
}

static bool file_map(struct dev *dev, bool write, struct dev_map *map)
{
	(void)write;
	*map = (struct dev_map){ .fd = to_file(dev)->fd };
	return true;
}

static void file_close(struct dev *dev)
{
	struct file *file = to_file(dev);

	if (file->fd >= 0)
		close(file->fd);	/* frees the locks, too */
	if (file->lock_fd >= 0)
		close(file->lock_fd);
	if (file->backing_fd >= 0)
		close(file->backing_fd);
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
	.map = file_map,
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

static int find_size(struct file *file, const struct stat *st,
		     unsigned int flags)
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
	if (!size_bytes && !(flags & DEV_EMPTY))
		return report(sink, -EMEDIUMTYPE, "dev.empty", XLOG_LSN_NONE,
			      "is empty");
	file->dev.size_bytes = size_bytes;
	file->dev.sector_bytes = (uint32_t)sector_bytes;
	file->is_block = S_ISBLK(st->st_mode);
	return 0;
}

/* stat(2) before open(2), which waits at a pipe and rewinds a tape. */
static int look_at(struct file *file, struct stat *st)
{
	if (stat(file->path, st))
		return open_error(&file->dev.sink, errno);
	return check_type(&file->dev.sink, st);
}

/*
 * A device that has taken the name of a file, or of another device, would be
 * open without O_EXCL or locked by another. One file for another does no harm:
 * what counts is asked of the descriptor from here on.
 */
static int check_still(const struct sink *sink, int fd, struct stat *st)
{
	const struct stat seen = *st;

	if (fstat(fd, st))
		return open_error(sink, errno);
	if ((st->st_mode & S_IFMT) == (seen.st_mode & S_IFMT) &&
	    (S_ISREG(st->st_mode) || st->st_rdev == seen.st_rdev))
		return 0;
	return report(sink, -ESTALE, "dev.open", XLOG_LSN_NONE,
		      "has become something else while it was opened");
}

int file_open_as(const struct sink *sink, const char *path, int how,
		 struct stat *st, int *fd)
{
	if (S_ISREG(st->st_mode))
		how &= ~O_EXCL;
	*fd = open(path, how | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0 && errno == EBUSY)
		return -EBUSY;	/* the caller knows more to say */
	if (*fd < 0)
		return open_error(sink, errno);
	/* Wanted for open(2) only: io_uring would refuse to wait. */
	if (fcntl(*fd, F_SETFL, how))
		return open_error(sink, errno);
	return check_still(sink, *fd, st);
}

static int open_shared(struct file *file, struct stat *st, int *fd)
{
	const struct sink *sink = &file->dev.sink;
	int rc = file_open_as(sink, file->path, O_RDONLY, st, fd);

	return rc == -EBUSY ? open_error(sink, EBUSY) : rc;
}

static int open_reader(struct file *file, unsigned int flags)
{
	struct stat st;
	int rc;

	rc = look_at(file, &st);
	if (!rc)
		rc = open_shared(file, &st, &file->fd);
	if (rc)
		return rc;
	/* A hint: what it says of failure is nothing to anyone. */
	(void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return find_size(file, &st, flags);
}

static int in_use(const struct sink *sink, const char *text)
{
	return report(sink, -EBUSY, "dev.busy", XLOG_LSN_NONE, "in use: %s",
		      text);
}

static void warn_blind(const struct sink *sink, const char *text)
{
	notice(sink, XLOG_WARNING, "dev.busy", XLOG_LSN_NONE,
	       "cannot see all that may use it: %s", text);
}

static int check_in_use(const struct sink *sink, const struct stat *st)
{
	char text[256];

	switch (inuse_find(&inuse_system, st, text, sizeof(text))) {
	case INUSE_YES:
		return in_use(sink, text);
	case INUSE_UNKNOWN:
		warn_blind(sink, text);
		break;
	case INUSE_NO:
		break;
	}
	return 0;
}

/* The kernel gives a block device to one exclusive opener: no race here. */
static int open_exclusive(struct file *file, struct stat *st)
{
	const struct sink *sink = &file->dev.sink;
	int rc = file_open_as(sink, file->path, O_RDWR | O_EXCL, st,
			      &file->fd);

	if (rc != -EBUSY)
		return rc;
	rc = check_in_use(sink, st);
	return rc ? rc : in_use(sink, "another program holds it exclusively");
}

/*
 * A block device is locked through a descriptor of its own before it is
 * opened exclusively: whoever waits for the lock must not be turned away
 * because the one it waits for has the device open.
 */
static int lock_block_device(struct file *file, struct stat *st,
			     unsigned int flags)
{
	int rc;

	if (!S_ISBLK(st->st_mode) || flags & DEV_LOCK_NONE)
		return 0;
	rc = open_shared(file, st, &file->lock_fd);
	return rc ? rc : lock_bsd(&file->dev.sink, file->lock_fd, flags);
}

/*
 * The file that a loop device lies in, by way of others or not, may be locked
 * by who writes to the file itself. Where its name leads to no such file any
 * more, nobody comes to it by that name.
 */
static int lock_below(struct file *file, const struct stat *dev,
		      unsigned int flags)
{
	const struct sink *sink = &file->dev.sink;
	char text[PATH_MAX + 64];
	struct place at;
	struct stat st;

	place_bottom(&inuse_system, dev, &at);
	if (!S_ISREG(at.st.st_mode) || stat(at.path, &st) ||
	    !stat_is_same(&st, &at.st))
		return 0;
	file->backing_fd = open(at.path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (file->backing_fd >= 0)
		return lock_backing(sink, file->backing_fd, flags);
	snprintf(text, sizeof(text), "%s: %s", at.path, strerror(errno));
	warn_blind(sink, text);
	return 0;
}

static int take_locks(struct file *file, const struct stat *st,
		      unsigned int flags)
{
	const struct sink *sink = &file->dev.sink;
	int rc;

	if (flags & DEV_LOCK_NONE)
		return 0;
	rc = S_ISREG(st->st_mode) ? lock_bsd(sink, file->fd, flags) :
				    lock_below(file, st, flags);
	return rc ? rc : lock_ofd(sink, file->fd, flags);
}

static int open_present(struct file *file, struct stat *st, unsigned int flags)
{
	int rc = look_at(file, st);

	if (!rc)
		rc = lock_block_device(file, st, flags);
	return rc ? rc : open_exclusive(file, st);
}

/* Under a name that nothing has yet, not even a link to nowhere. */
static int create(struct file *file, struct stat *st)
{
	file->fd = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			0666);
	if (file->fd < 0 || fstat(file->fd, st))
		return report(&file->dev.sink, -errno, "dev.open",
			      XLOG_LSN_NONE, "cannot be made: %s",
			      strerror(errno));
	return 0;
}

static int open_writer(struct file *file, unsigned int flags)
{
	const struct sink *sink = &file->dev.sink;
	int read_only = 0;
	struct stat st;
	int rc;

	rc = flags & DEV_CREATE ? create(file, &st) :
				  open_present(file, &st, flags);
	if (rc)
		return rc;
	if (S_ISBLK(st.st_mode) && !ioctl(file->fd, BLKROGET, &read_only) &&
	    read_only)
		return report(sink, -EROFS, "dev.readonly", XLOG_LSN_NONE,
			      "is a read-only device");
	rc = take_locks(file, &st, flags);
	if (!rc)
		rc = check_in_use(sink, &st);
	if (rc)
		return rc;
	/* whoever held the lock may have made it longer */
	if (fstat(file->fd, &st))
		return open_error(sink, errno);
	file->dev.writable = true;
	return find_size(file, &st, flags);
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
	file->lock_fd = -1;
	file->backing_fd = -1;
	file->is_block = false;
	rc = flags & DEV_WRITE ? open_writer(file, flags) :
				 open_reader(file, flags);
	if (rc) {
		/* whoever was faster to lock it uses it now */
		if (flags & DEV_CREATE && file->fd >= 0 && rc != -EBUSY)
			dev_unlink(&file->dev);
		file_close(&file->dev);
		return rc;
	}
	*out = &file->dev;
	return 0;
}

void dev_unlink(struct dev *dev)
{
	struct file *file = to_file(dev);
	struct stat ours, named;

	if (!fstat(file->fd, &ours) && !lstat(file->path, &named) &&
	    ours.st_dev == named.st_dev && ours.st_ino == named.st_ino &&
	    unlink(file->path))
		notice(&dev->sink, XLOG_WARNING, "dev.unlink", XLOG_LSN_NONE,
		       "cannot be removed: %s", strerror(errno));
}

int dev_resize(struct dev *dev, uint64_t size_bytes)
{
	struct stat st;

	if (dev->ops != &file_ops || !dev->writable ||
	    fstat(to_file(dev)->fd, &st) || !S_ISREG(st.st_mode))
		return report(&dev->sink, -EOPNOTSUPP, "dev.resize",
			      XLOG_LSN_NONE, "not a file that could be %" PRIu64
			      " bytes long", size_bytes);
	if (size_bytes > INT64_MAX ||
	    ftruncate(to_file(dev)->fd, (off_t)size_bytes)) {
		int rc = size_bytes > INT64_MAX ? -EFBIG : -errno;

		return report(&dev->sink, rc, "dev.resize", XLOG_LSN_NONE,
			      "cannot be %" PRIu64 " bytes long: %s",
			      size_bytes, strerror(-rc));
	}
	dev->size_bytes = size_bytes;
	return 0;
}
