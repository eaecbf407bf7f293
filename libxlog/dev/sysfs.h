/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What /sys tells of the stacks of block devices: which bytes of a disk or of
 * a file are those of a partition or a loop device.
 */
#ifndef LIBXLOG_DEV_SYSFS_H
#define LIBXLOG_DEV_SYSFS_H

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "libxlog/dev/dev_priv.h"

/* Stacks of devices are shallow; a loop in a made-up tree must end. */
enum { PLACE_DEPTH_MAX = 8 };

/* Bytes of a file or block device. */
struct place {
	struct stat	st;	/* S_IFREG: st_dev, st_ino; S_IFBLK: st_rdev */
	uint64_t	start_bytes;
	uint64_t	end_bytes;	/* exclusive; UINT64_MAX: all there are */
	char		path[PATH_MAX];	/* of a backing file once, or "" */
};

/* A regular file by st_dev and st_ino, a block device by st_rdev. */
bool stat_is_same(const struct stat *a, const struct stat *b);

struct place place_whole(const struct stat *st);

/* Have both a byte in common, without looking at what is below? */
bool place_overlaps(const struct place *a, const struct place *b);

/*
 * Where the bytes of @at lie one step further down goes into @below. Returns
 * what that is to @at ("its whole disk"), or NULL if nothing is seen there.
 * May sleep.
 */
const char *place_below(const struct inuse_roots *roots,
			const struct place *at, struct place *below);

/* The same as far down as it goes: @p is what @st lies in, or is. May sleep. */
void place_bottom(const struct inuse_roots *roots, const struct stat *st,
		  struct place *p);

/*
 * Where loop device @name, a folder of @dir, lies in its backing file. False
 * if it is not set up, or the file cannot be known. May sleep.
 */
bool place_of_loop(const struct inuse_roots *roots, DIR *dir,
		   const char *name, struct place *p);

/* Where @entry of @dir lies in @disk; false if it is no partition. */
bool place_of_partition(DIR *dir, const char *entry, const struct stat *disk,
			struct place *p);

/* A folder below /sys; NULL with errno set. */
DIR *sysfs_open(const struct inuse_roots *roots, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* The next one that is not hidden, or NULL. */
const struct dirent *sysfs_next(DIR *dir);

/* The first line of @dir/@entry/@name, without its newline. */
bool sysfs_line(DIR *dir, const char *entry, const char *name, char *line,
		size_t size);

/* The device in folder @dir/@entry, as a stat(2) of its node would give it. */
bool sysfs_device(DIR *dir, const char *entry, struct stat *st);

#endif
