/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who else uses a file or block device. The kernel shows it in pieces: mounts
 * and swap in /proc, what stands upon a device (holders, partitions, loop
 * devices) in /sys. A user found there may have users itself, so that
 * "/dev/loop0, mounted on /mnt" is found by walking upwards, a few steps deep.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libxlog/dev/dev_priv.h"

const struct inuse_roots inuse_system = { "/proc", "/sys", "/dev" };

/* Stacks of devices are shallow; a loop in a made-up tree must end. */
enum { DEPTH_MAX = 8 };

struct search {
	const struct inuse_roots *roots;
	char		*text;		/* words found so far */
	size_t		size, used;
	char		blind[128];	/* what could not be read, or "" */
};

/* A regular file by st_dev and st_ino, a block device by st_rdev. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode) || S_ISBLK(b->st_mode))
		return S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode) &&
		       a->st_rdev == b->st_rdev;
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_path_same(const char *path, const struct stat *st)
{
	struct stat other;

	return path[0] == '/' && !stat(path, &other) && is_same(&other, st);
}

static void say(struct search *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(struct search *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->text + s->used, s->size - s->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		s->used += (size_t)n < s->size - s->used ? (size_t)n :
			   s->size - s->used - 1;
}

static void unsay(struct search *s, size_t used)
{
	s->used = used;
	s->text[used] = '\0';
}

/* --- /proc --- */

/* Undo the octal escapes of blanks and backslashes, in place. */
static char *unescape(char *text)
{
	const char *from = text;
	char *to = text;

	while (*from) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
		    from[2] >= '0' && from[2] <= '7' &&
		    from[3] >= '0' && from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 |
				       (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return text;
}

/* Each line of @name, below /proc, to @fn until it says true. */
static bool each_line(struct search *s, const char *name,
		      const struct stat *st,
		      bool (*fn)(struct search *s, char *line,
				 const struct stat *st))
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", s->roots->proc, name);
	file = fopen(path, "re");
	if (!file) {
		/* A kernel without swap has no /proc/swaps. */
		if (strcmp(name, "swaps"))
			snprintf(s->blind, sizeof(s->blind), "/proc/%s: %s",
				 name, strerror(errno));
		return false;
	}
	while (!found && getline(&line, &size, file) > 0)
		found = fn(s, line, st);
	free(line);
	fclose(file);
	return found;
}

/* Does the mount option @name=path in @options name the device? */
static bool is_option_same(const char *options, const char *name,
			   const struct stat *st)
{
	const char *at = strstr(options, name);
	char path[PATH_MAX];
	size_t len;

	if (!at)
		return false;
	at += strlen(name);
	len = strcspn(at, ",");
	if (len >= sizeof(path))
		return false;
	memcpy(path, at, len);
	path[len] = '\0';
	return is_path_same(path, st);
}

/*
 * id parent major:minor root mountpoint options [tags] - type source options,
 * see proc(5). The device is compared by number; the source counts where a
 * filesystem has a number of its own (btrfs) or stands on a plain file.
 */
static bool mount_uses(struct search *s, char *line, const struct stat *st)
{
	char *field[6], *rest, *save, *source, *options;
	unsigned int major_no, minor_no;
	int i;

	rest = strstr(line, " - ");
	if (!rest)
		return false;
	*rest = '\0';
	rest += 3;
	for (i = 0; i < 6; i++) {
		field[i] = strtok_r(i ? NULL : line, " \n", &save);
		if (!field[i])
			return false;
	}
	if (!strtok_r(rest, " \n", &save))
		return false;
	source = strtok_r(NULL, " \n", &save);
	options = strtok_r(NULL, " \n", &save);
	if (!source || sscanf(field[2], "%u:%u", &major_no, &minor_no) != 2)
		return false;
	if ((S_ISBLK(st->st_mode) &&
	     st->st_rdev == makedev(major_no, minor_no)) ||
	    (!major_no && is_path_same(unescape(source), st))) {
		say(s, "mounted on %s", unescape(field[4]));
		return true;
	}
	if (!options)
		return false;
	unescape(options);
	if (is_option_same(options, ",logdev=", st)) {
		say(s, "log of the filesystem mounted on %s",
		    unescape(field[4]));
		return true;
	}
	if (is_option_same(options, ",rtdev=", st)) {
		say(s, "realtime device of the filesystem mounted on %s",
		    unescape(field[4]));
		return true;
	}
	return false;
}

static bool swap_uses(struct search *s, char *line, const struct stat *st)
{
	line[strcspn(line, " \t\n")] = '\0';
	if (!is_path_same(unescape(line), st))
		return false;
	say(s, "swap space");
	return true;
}

/* --- /sys --- */

static DIR *open_dir(struct search *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

static DIR *open_dir(struct search *s, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int n;

	n = snprintf(path, sizeof(path), "%s/", s->roots->sys);
	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(path) - (size_t)n, fmt, ap);
	va_end(ap);
	return opendir(path);
}

static const struct dirent *next_entry(DIR *dir)
{
	const struct dirent *entry;

	do {
		entry = readdir(dir);
	} while (entry && entry->d_name[0] == '.');
	return entry;
}

/* The first line of @dir/@entry/@name, without its newline. */
static bool read_line(DIR *dir, const char *entry, const char *name,
		      char *line, size_t size)
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

/* The device in folder @dir/@entry, as a stat(2) of its node would give it. */
static bool entry_device(DIR *dir, const char *entry, struct stat *st)
{
	unsigned int major_no, minor_no;
	char line[64];

	if (!read_line(dir, entry, "dev", line, sizeof(line)) ||
	    sscanf(line, "%u:%u", &major_no, &minor_no) != 2)
		return false;
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFBLK;
	st->st_rdev = makedev(major_no, minor_no);
	return true;
}

static void say_entry(struct search *s, DIR *dir, const char *entry)
{
	char name[NAME_MAX + 1], *p;

	if (read_line(dir, entry, "dm/name", name, sizeof(name))) {
		say(s, "/dev/mapper/%s", name);
		return;
	}
	snprintf(name, sizeof(name), "%s", entry);
	for (p = name; *p; p++)		/* sysfs cannot say cciss/c0d0 */
		if (*p == '!')
			*p = '/';
	say(s, "/dev/%s", name);
}

static bool device_used(struct search *s, const struct stat *st, int depth);

/*
 * Say that the device in @dir/@entry uses it, and who uses that one. With
 * @only_if_used it counts only if somebody does.
 */
static bool entry_uses(struct search *s, DIR *dir, const char *entry,
		       bool only_if_used, int depth)
{
	size_t start = s->used, comma;
	struct stat st;

	say_entry(s, dir, entry);
	comma = s->used;
	say(s, ", ");
	if (entry_device(dir, entry, &st) && device_used(s, &st, depth + 1))
		return true;
	unsay(s, only_if_used ? start : comma);
	return !only_if_used;
}

/* Device mapper, md, bcache: whoever claimed it and says so. */
static bool holder_uses(struct search *s, const struct stat *st, int depth)
{
	DIR *dir = open_dir(s, "dev/block/%u:%u/holders", major(st->st_rdev),
			    minor(st->st_rdev));
	const struct dirent *entry;
	bool found;

	if (!dir)
		return false;
	entry = next_entry(dir);
	found = entry && entry_uses(s, dir, entry->d_name, false, depth);
	closedir(dir);
	return found;
}

/* Partitions of a disk are folders in its own. */
static bool partition_uses(struct search *s, const struct stat *st, int depth)
{
	DIR *dir = open_dir(s, "dev/block/%u:%u", major(st->st_rdev),
			    minor(st->st_rdev));
	const struct dirent *entry;
	bool found = false;
	char line[64];

	if (!dir)
		return false;
	while (!found && (entry = next_entry(dir)))
		found = read_line(dir, entry->d_name, "partition", line,
				  sizeof(line)) &&
			entry_uses(s, dir, entry->d_name, true, depth);
	closedir(dir);
	return found;
}

/*
 * Is loop device @name set up over it? The driver knows the inode; without
 * the right to ask it, the path that sysfs shows may still lead there.
 */
static bool is_loop_over(struct search *s, DIR *dir, const char *name,
			 const struct stat *st)
{
	char path[PATH_MAX];
	struct loop_info64 info;
	int fd, rc = -1;

	/* No such file: the loop device is not set up. */
	if (!read_line(dir, name, "loop/backing_file", path, sizeof(path)))
		return false;
	if (is_path_same(path, st))
		return true;
	snprintf(path, sizeof(path), "%s/%s", s->roots->dev, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	rc = ioctl(fd, LOOP_GET_STATUS64, &info);
	close(fd);
	if (rc)
		return false;
	if (S_ISREG(st->st_mode))
		return info.lo_device == st->st_dev &&
		       info.lo_inode == st->st_ino;
	/* Over a plain file, older kernels give lo_device here as well. */
	return info.lo_rdevice == st->st_rdev &&
	       info.lo_rdevice != info.lo_device;
}

static bool loop_uses(struct search *s, const struct stat *st, int depth)
{
	const struct dirent *entry;
	DIR *dir = open_dir(s, "block");
	bool found = false;

	if (!dir) {
		snprintf(s->blind, sizeof(s->blind), "/sys/block: %s",
			 strerror(errno));
		return false;
	}
	while (!found && (entry = next_entry(dir)))
		found = !strncmp(entry->d_name, "loop", 4) &&
			is_loop_over(s, dir, entry->d_name, st) &&
			entry_uses(s, dir, entry->d_name, false, depth);
	closedir(dir);
	return found;
}

/* --- all together --- */

/* Users of exactly this range of bytes. */
static bool whole_used(struct search *s, const struct stat *st, int depth)
{
	return each_line(s, "self/mountinfo", st, mount_uses) ||
	       each_line(s, "swaps", st, swap_uses) ||
	       (S_ISBLK(st->st_mode) && holder_uses(s, st, depth)) ||
	       loop_uses(s, st, depth);
}

static bool device_used(struct search *s, const struct stat *st, int depth)
{
	if (depth > DEPTH_MAX)
		return false;
	return whole_used(s, st, depth) ||
	       (S_ISBLK(st->st_mode) && partition_uses(s, st, depth));
}

/* A partition, and the disk around it is used as a whole. */
static bool disk_used(struct search *s, const struct stat *st)
{
	DIR *dir = open_dir(s, "dev/block/%u:%u", major(st->st_rdev),
			    minor(st->st_rdev));
	size_t start = s->used;
	struct stat disk;
	char line[64];
	bool found;

	if (!dir)
		return false;
	found = read_line(dir, ".", "partition", line, sizeof(line)) &&
		entry_device(dir, "..", &disk);
	closedir(dir);
	if (!found)
		return false;
	say(s, "its whole disk, ");
	found = whole_used(s, &disk, 0);
	if (!found)
		unsay(s, start);
	return found;
}

enum inuse inuse_find(const struct inuse_roots *roots, const struct stat *st,
		      char *text, size_t size)
{
	struct search s = { .roots = roots, .text = text, .size = size };

	text[0] = '\0';
	if (device_used(&s, st, 0) ||
	    (S_ISBLK(st->st_mode) && disk_used(&s, st)))
		return INUSE_YES;
	if (!s.blind[0])
		return INUSE_NO;
	snprintf(text, size, "%s", s.blind);
	return INUSE_UNKNOWN;
}
