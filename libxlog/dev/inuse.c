/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who else uses a file or block device. The kernel shows it in pieces: mounts
 * and swap in /proc, what stands upon a device (holders, partitions, loop
 * devices) in /sys. A user found there may have users itself, so that
 * "/dev/loop0, mounted on /mnt" is found by walking upwards, a few steps deep;
 * and what a partition or a loop device lies in may have other users.
 */
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "libxlog/dev/sysfs.h"

struct search {
	const struct inuse_roots *roots;
	char		*text;		/* words found so far */
	size_t		size, used;
	char		blind[128];	/* what could not be read, or "" */
};

static bool is_path_same(const char *path, const struct stat *st)
{
	struct stat other;

	return path[0] == '/' && !stat(path, &other) && stat_is_same(&other, st);
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

static void say_entry(struct search *s, DIR *dir, const char *entry)
{
	char name[NAME_MAX + 1], *p;

	if (sysfs_line(dir, entry, "dm/name", name, sizeof(name))) {
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
	if (sysfs_device(dir, entry, &st) && device_used(s, &st, depth + 1))
		return true;
	unsay(s, only_if_used ? start : comma);
	return !only_if_used;
}

/* Device mapper, md, bcache: whoever claimed it and says so. */
static bool holder_uses(struct search *s, const struct stat *st, int depth)
{
	DIR *dir = sysfs_open(s->roots, "dev/block/%u:%u/holders", major(st->st_rdev),
			    minor(st->st_rdev));
	const struct dirent *entry;
	bool found;

	if (!dir)
		return false;
	entry = sysfs_next(dir);
	found = entry && entry_uses(s, dir, entry->d_name, false, depth);
	closedir(dir);
	return found;
}

/* Is that the one of which the search came down? */
static bool is_known(const struct stat *st, const struct stat *from)
{
	return from && stat_is_same(st, from);
}

/* Partitions of a disk are folders in its own. */
static bool partition_uses(struct search *s, const struct place *at,
			   const struct stat *from, int depth)
{
	DIR *dir = sysfs_open(s->roots, "dev/block/%u:%u",
			      major(at->st.st_rdev), minor(at->st.st_rdev));
	const struct dirent *entry;
	bool found = false;
	struct place part;
	struct stat st;

	if (!dir)
		return false;
	while (!found && (entry = sysfs_next(dir)))
		found = place_of_partition(dir, entry->d_name, &at->st,
					   &part) &&
			place_overlaps(&part, at) &&
			sysfs_device(dir, entry->d_name, &st) &&
			!is_known(&st, from) &&
			entry_uses(s, dir, entry->d_name, true, depth);
	closedir(dir);
	return found;
}

static bool is_other_loop(DIR *dir, const char *entry,
			  const struct stat *from)
{
	struct stat st;

	return !strncmp(entry, "loop", 4) &&
	       !(sysfs_device(dir, entry, &st) && is_known(&st, from));
}

static bool loop_uses(struct search *s, const struct place *at,
		      const struct stat *from, int depth)
{
	DIR *dir = sysfs_open(s->roots, "block");
	const struct dirent *entry;
	struct place loop;
	bool found = false;

	if (!dir) {
		snprintf(s->blind, sizeof(s->blind), "/sys/block: %s",
			 strerror(errno));
		return false;
	}
	while (!found && (entry = sysfs_next(dir)))
		found = is_other_loop(dir, entry->d_name, from) &&
			place_of_loop(s->roots, dir, entry->d_name, &loop) &&
			place_overlaps(&loop, at) &&
			entry_uses(s, dir, entry->d_name, false, depth);
	closedir(dir);
	return found;
}

/* --- all together --- */

/*
 * Who uses the bytes of @at, but for @from, which stands on them, and whose
 * own users are known. A mount, swap or a holder uses all there are.
 */
static bool place_used(struct search *s, const struct place *at,
		       const struct stat *from, int depth)
{
	bool is_device = S_ISBLK(at->st.st_mode);

	return each_line(s, "self/mountinfo", &at->st, mount_uses) ||
	       each_line(s, "swaps", &at->st, swap_uses) ||
	       (is_device && holder_uses(s, &at->st, depth)) ||
	       loop_uses(s, at, from, depth) ||
	       (is_device && partition_uses(s, at, from, depth));
}

static bool device_used(struct search *s, const struct stat *st, int depth)
{
	const struct place all = place_whole(st);

	return depth <= PLACE_DEPTH_MAX && place_used(s, &all, NULL, depth);
}

/*
 * The bytes of a partition or a loop device are also those of what it lies in,
 * which somebody may use by another way.
 */
static bool below_used(struct search *s, const struct stat *st)
{
	struct place at = place_whole(st), below;
	size_t start = s->used;
	const char *what;
	int depth;

	for (depth = 0; depth < PLACE_DEPTH_MAX; depth++) {
		what = place_below(s->roots, &at, &below);
		if (!what)
			break;
		say(s, "%s, ", what);
		if (place_used(s, &below, &at.st, 0))
			return true;
		at = below;
	}
	unsay(s, start);
	return false;
}

enum inuse inuse_find(const struct inuse_roots *roots, const struct stat *st,
		      char *text, size_t size)
{
	struct search s = { .roots = roots, .text = text, .size = size };

	text[0] = '\0';
	if (device_used(&s, st, 0) || below_used(&s, st))
		return INUSE_YES;
	if (!s.blind[0])
		return INUSE_NO;
	snprintf(text, size, "%s", s.blind);
	return INUSE_UNKNOWN;
}
