/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A folder of its own for a test that needs real files, with paths in it.
 */
#ifndef TESTS_LIB_SCRATCH_H
#define TESTS_LIB_SCRATCH_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
	char		dir[PATH_MAX];
	char		path[PATH_MAX + 256];	/* of the last scratch_path() */
};

static inline void scratch_init(struct scratch *s)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(s->dir, sizeof(s->dir), "%s/xlog-XXXXXX",
		 tmp && tmp[0] ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(s->dir));
}

static inline int scratch_remove(const char *path, const struct stat *st,
				 int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void scratch_fini(struct scratch *s)
{
	nftw(s->dir, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Valid until the next call. */
static inline const char *scratch_path(struct scratch *s, const char *name)
{
	snprintf(s->path, sizeof(s->path), "%s/%s", s->dir, name);
	return s->path;
}

/* Make the file @name, and the folders on the way to it. */
static inline const char *scratch_file(struct scratch *s, const char *name,
				       const void *bytes, size_t len)
{
	const char *path = scratch_path(s, name);
	char *slash = s->path + strlen(s->dir);
	int fd;

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	return path;
}

#endif
