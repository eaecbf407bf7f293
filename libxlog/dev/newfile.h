/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that is made new, never in place of another, and that must outlive a
 * loss of power, name and all: what is saved before something is overwritten.
 */
#ifndef LIBXLOG_DEV_NEWFILE_H
#define LIBXLOG_DEV_NEWFILE_H

#include "libxlog/dev/dev.h"

struct newfile {
	struct named	named;
	struct dev	io;		/* only for the names of its errors */
	char		*path;		/* owned */
	int		fd;
};

/*
 * Make the file @path, for its owner only; a warning if it lies in memory.
 * -EEXIST if there is something of that name. @nf is the caller's memory,
 * which must not move.
 */
int newfile_create(struct newfile *nf, const char *path,
		   const struct sink *sink) MUST_CHECK;

/*
 * -EINVAL if the file lies on the block device @device (by name), which is to
 * be written.
 */
int newfile_check_place(struct newfile *nf, const char *device) MUST_CHECK;

int newfile_write(struct newfile *nf, uint64_t off_bytes, const void *buf,
		  size_t len) MUST_CHECK;

/* The file is @size_bytes long: cut off, or with a hole at its end. */
int newfile_resize(struct newfile *nf, uint64_t size_bytes) MUST_CHECK;

/* What was written is durable; with newfile_flush_name() its name, too. */
int newfile_flush(struct newfile *nf) MUST_CHECK;
int newfile_flush_name(struct newfile *nf) MUST_CHECK;

/* Take it away again, unless the name stands for another file by now. */
void newfile_remove(struct newfile *nf);

void newfile_close(struct newfile *nf);

#endif
