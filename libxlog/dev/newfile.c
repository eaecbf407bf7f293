/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * New files; see newfile.h.
 */
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/newfile.h"

static int error(struct newfile *nf, const char *what)
{
	return report(&nf->io.sink, -errno, "file.io", XLOG_LSN_NONE, "%s%s",
		      what, strerror(errno));
}

static void warn_memory(struct newfile *nf)
{
	struct statfs fs;

	if (!fstatfs(nf->fd, &fs) &&
	    (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC))
		notice(&nf->io.sink, XLOG_WARNING, "file.memory",
		       XLOG_LSN_NONE,
		       "it lies in memory, and is lost with the machine");
}

int newfile_create(struct newfile *nf, const char *path,
		   const struct sink *sink)
{
	struct sink named;
	int rc;

	nf->path = strdup(path);
	if (!nf->path)
		return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	nf->named = (struct named){ .sink = *sink, .name = nf->path };
	named = named_sink(&nf->named);
	dev_init(&nf->io, NULL, &named, nf->path);
	nf->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		      0600);
	if (nf->fd >= 0) {
		warn_memory(nf);
		return 0;
	}
	if (errno == EEXIST)
		rc = report(&nf->io.sink, -EEXIST, "file.exists",
			    XLOG_LSN_NONE,
			    "is there already, and is not overwritten");
	else
		rc = error(nf, "cannot be made: ");
	free(nf->path);
	return rc;
}

int newfile_check_place(struct newfile *nf, const char *device)
{
	struct stat st, dev_st;

	if (fstat(nf->fd, &st))
		return error(nf, "");
	if (!stat(device, &dev_st) && S_ISBLK(dev_st.st_mode) &&
	    dev_st.st_rdev == st.st_dev)
		return report(&nf->io.sink, -EINVAL, "file.place",
			      XLOG_LSN_NONE,
			      "it would lie on %s, which is to be written",
			      device);
	return 0;
}

int newfile_write(struct newfile *nf, uint64_t off_bytes, const void *buf,
		  size_t len)
{
	return dev_pwrite(&nf->io, nf->fd, off_bytes, buf, len);
}

int newfile_resize(struct newfile *nf, uint64_t size_bytes)
{
	return ftruncate(nf->fd, (off_t)size_bytes) ? error(nf, "") : 0;
}

int newfile_flush(struct newfile *nf)
{
	return fdatasync(nf->fd) ? error(nf, "flush: ") : 0;
}

int newfile_flush_name(struct newfile *nf)
{
	char *copy = strdup(nf->path);
	int fd, rc = 0;

	if (!copy)
		return report(&nf->io.sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EINVAL: a filesystem without such a thing */
	if (fd < 0 || (fsync(fd) && errno != EINVAL))
		rc = error(nf, "flush of its folder: ");
	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

void newfile_remove(struct newfile *nf)
{
	struct stat ours, there;

	if (!fstat(nf->fd, &ours) && !lstat(nf->path, &there) &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		unlink(nf->path);
}

void newfile_close(struct newfile *nf)
{
	close(nf->fd);
	free(nf->path);
}
