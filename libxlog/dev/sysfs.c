/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How block devices stand on each other, as /sys shows it: a partition lies in
 * its disk, a loop device in its backing file. A place is a range of bytes of
 * one of them, and place_below() the same bytes one step further down: two
 * devices share bytes if their places meet anywhere on the way.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libxlog/dev/sysfs.h"

const struct inuse_roots inuse_system = { "/proc", "/sys", "/dev" };

enum { SYSFS_SECTOR_BYTES = 512 };	/* whatever the device has */

/* --- reading /sys --- */

DIR *sysfs_open(const struct inuse_roots *roots, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int n;

	n = snprintf(path, sizeof(path), "%s/", roots->sys);
	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(path) - (size_t)n, fmt, ap);
	va_end(ap);
	return opendir(path);
}

const struct dirent *sysfs_next(DIR *dir)
{
	const struct dirent *entry;

	do {
		entry = readdir(dir);
	} while (entry && entry->d_name[0] == '.');
	return entry;
}

bool sysfs_line(DIR *dir, const char *entry, const char *name, char *line,
		size_t size)
{
	char path[2 * NAME_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", entry, name);
	fd = openat(dirfd(dir), path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, line, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

bool sysfs_device(DIR *dir, const char *entry, struct stat *st)
{
	unsigned int major_no, minor_no;
	char line[64];

	if (!sysfs_line(dir, entry, "dev", line, sizeof(line)) ||
	    sscanf(line, "%u:%u", &major_no, &minor_no) != 2)
		return false;
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFBLK;
	st->st_rdev = makedev(major_no, minor_no);
	return true;
}

/* 0 if there is none: the start of all, or a length without limit. */
static uint64_t read_number(DIR *dir, const char *entry, const char *name)
{
	char line[64];
	uint64_t number;

	if (!sysfs_line(dir, entry, name, line, sizeof(line)) ||
	    sscanf(line, "%" SCNu64, &number) != 1)
		return 0;
	return number;
}

/* --- places --- */

bool stat_is_same(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode) || S_ISBLK(b->st_mode))
		return S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode) &&
		       a->st_rdev == b->st_rdev;
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool place_overlaps(const struct place *a, const struct place *b)
{
	return stat_is_same(&a->st, &b->st) && a->start_bytes < b->end_bytes &&
	       b->start_bytes < a->end_bytes;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

/* @len_bytes 0: up to the end. */
static void set_range(struct place *p, uint64_t start_bytes,
		      uint64_t len_bytes)
{
	p->start_bytes = start_bytes;
	p->end_bytes = add(start_bytes, len_bytes ? len_bytes : UINT64_MAX);
}

struct place place_whole(const struct stat *st)
{
	struct place p = { .st = *st };

	set_range(&p, 0, 0);
	return p;
}

/* --- loop devices --- */

/* What its driver says that it is set up over. */
static bool ask_loop(const struct inuse_roots *roots, const char *name,
		     struct stat *st)
{
	struct loop_info64 info;
	char path[PATH_MAX];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/%s", roots->dev, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	rc = ioctl(fd, LOOP_GET_STATUS64, &info);
	close(fd);
	if (rc)
		return false;
	memset(st, 0, sizeof(*st));
	/* Over a plain file, older kernels give lo_device here as well. */
	if (info.lo_rdevice && info.lo_rdevice != info.lo_device) {
		st->st_mode = S_IFBLK;
		st->st_rdev = info.lo_rdevice;
	} else {
		st->st_mode = S_IFREG;
		st->st_dev = info.lo_device;
		st->st_ino = info.lo_inode;
	}
	return true;
}

/*
 * The driver knows the inode; without the right to ask it, the path that sysfs
 * shows may still lead there.
 */
bool place_of_loop(const struct inuse_roots *roots, DIR *dir,
		   const char *name, struct place *p)
{
	/* No such file: the loop device is not set up. */
	if (!sysfs_line(dir, name, "loop/backing_file", p->path,
			sizeof(p->path)))
		return false;
	if (!ask_loop(roots, name, &p->st) &&
	    (p->path[0] != '/' || stat(p->path, &p->st)))
		return false;
	set_range(p, read_number(dir, name, "loop/offset"),
		  read_number(dir, name, "loop/sizelimit"));
	return true;
}

static bool find_backing(const struct inuse_roots *roots,
			 const struct stat *st, struct place *p)
{
	DIR *dir = sysfs_open(roots, "block");
	const struct dirent *entry;
	bool found = false;
	struct stat loop;

	if (!dir)
		return false;
	while (!found && (entry = sysfs_next(dir)))
		found = !strncmp(entry->d_name, "loop", 4) &&
			sysfs_device(dir, entry->d_name, &loop) &&
			stat_is_same(&loop, st) &&
			place_of_loop(roots, dir, entry->d_name, p);
	closedir(dir);
	return found;
}

/* --- partitions --- */

bool place_of_partition(DIR *dir, const char *entry, const struct stat *disk,
			struct place *p)
{
	char line[64];

	if (!sysfs_line(dir, entry, "partition", line, sizeof(line)))
		return false;
	p->st = *disk;
	p->path[0] = '\0';
	set_range(p, read_number(dir, entry, "start") * SYSFS_SECTOR_BYTES,
		  read_number(dir, entry, "size") * SYSFS_SECTOR_BYTES);
	return true;
}

static bool find_disk(const struct inuse_roots *roots, const struct stat *st,
		      struct place *p)
{
	DIR *dir = sysfs_open(roots, "dev/block/%u:%u", major(st->st_rdev),
			      minor(st->st_rdev));
	struct stat disk;
	bool found;

	if (!dir)
		return false;
	found = sysfs_device(dir, "..", &disk) &&
		place_of_partition(dir, ".", &disk, p);
	closedir(dir);
	return found;
}

/* --- downwards --- */

const char *place_below(const struct inuse_roots *roots,
			const struct place *at, struct place *below)
{
	const char *what;
	uint64_t start_bytes, end_bytes;

	if (!S_ISBLK(at->st.st_mode))
		return NULL;
	if (find_disk(roots, &at->st, below))
		what = "its whole disk";
	else if (find_backing(roots, &at->st, below))
		what = S_ISREG(below->st.st_mode) ? "its backing file" :
						    "its backing device";
	else
		return NULL;
	start_bytes = below->start_bytes;
	end_bytes = add(start_bytes, at->end_bytes);
	below->start_bytes = add(start_bytes, at->start_bytes);
	if (below->end_bytes > end_bytes)
		below->end_bytes = end_bytes;
	return what;
}

void place_bottom(const struct inuse_roots *roots, const struct stat *st,
		  struct place *p)
{
	struct place below;
	int depth;

	*p = place_whole(st);
	for (depth = 0; depth < PLACE_DEPTH_MAX; depth++) {
		if (!place_below(roots, p, &below))
			return;
		*p = below;
	}
}

bool dev_is_same_file(const char *path, const char *other)
{
	struct stat st, other_st;
	struct place a, b;

	if (stat(path, &st) || stat(other, &other_st))
		return false;
	place_bottom(&inuse_system, &st, &a);
	place_bottom(&inuse_system, &other_st, &b);
	return place_overlaps(&a, &b);
}
