/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices that save what they are about to overwrite: the undo journal, a
 * file. Before the first write to a block its old contents are in the journal,
 * durable; xlog_undo_apply() puts them back.
 *
 * Each block is saved once. Whoever knows beforehand what it will write says
 * so with dev_prepare(), or writes with dev_write_batch(): then all of it is
 * saved with one flush, and not one for each write.
 */
#ifndef LIBXLOG_DEV_UNDO_H
#define LIBXLOG_DEV_UNDO_H

#include "libxlog/dev/dev.h"
#include "libxlog/dev/undo_fmt.h"

struct dev_undo {
	struct dev	*dev;	/* in: to stand on; out: the undo device */
	enum undo_role	role;
	/* The log on it, put back before all else. Length 0: none. */
	uint64_t	log_off_bytes, log_len;
	/* A file that was shorter, and will be again. */
	bool		grown;
	uint64_t	was_bytes;
};

/*
 * Make the journal @path and put an undo device above each of @count (1 or 2,
 * of different roles) devices. -EEXIST: there is such a file already, which is
 * never overwritten; -EINVAL: it would lie on a filesystem on one of the
 * devices. On success the devices of @devs are replaced by the undo devices,
 * which own them; on failure they are as before and there is no journal.
 *
 * The journal is complete when its devices are closed, each of which notes
 * what has become of the blocks it saved, so that xlog_undo_apply() can tell
 * if they were written later. A journal whose devices were not closed is good
 * for all writes that were made. If nothing was saved it is removed.
 *
 * When something cannot be saved, the write fails, and so does every later
 * one. Discarding is not supported. All is reported through @sink. May sleep.
 */
int dev_open_undo(const char *path, struct dev_undo *devs, size_t count,
		  const struct sink *sink) MUST_CHECK;

#endif
