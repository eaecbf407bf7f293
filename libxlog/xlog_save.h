/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxlog: what is saved before something is overwritten, and how it is put
 * back: copies of the log, and undo files. A part of xlog.h, which says what
 * holds for all functions.
 */
#ifndef LIBXLOG_XLOG_SAVE_H
#define LIBXLOG_XLOG_SAVE_H

#include "xlog.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Code of a warning beside the error, where xlog_restore_log(), xlog_zero_log() or
 * xlog_undo_apply() failed and may have written a part: it says what to do.
 */
#define XLOG_CODE_PARTLY	"partly"

/* --- the raw log: save, restore, discard --- */

/*
 * Called now and then with bytes done of @total. A nonzero answer ends what is
 * under way with -ECANCELED, unless the log has been written to.
 */
typedef int (*xlog_progress_fn)(void *ctx, uint64_t done, uint64_t total);

struct xlog_save {
	const char	*path;		/* of the copy, a new file */
	/*
	 * The contents of a second new file, NULL for none: whatever the
	 * caller needs to make something of the copy alone.
	 */
	const char	*beside_path;
	const void	*beside;
	size_t		beside_bytes;
	xlog_progress_fn progress;	/* may be NULL */
	void		*ctx;
};

/*
 * Copy the log, all of it, byte for byte and with holes for zeros. When it
 * returns 0 the copy is durable, and so is its name; else there is no file.
 * -EEXIST: one of the files is there already; -EINVAL: it would lie on the
 * device that is open for writing; -ECANCELED, -ENOMEM, -EIO, -ENOSPC.
 */
int xlog_save_log(struct xlog *log, const struct xlog_save *save);

struct xlog_restore {
	const char	*path;		/* of the copy, compressed or not */
	/*
	 * The superblock of the filesystem that the log is of, if it is kept:
	 * then it must be this filesystem with this log. NULL: the records
	 * must say so.
	 */
	const void	*superblock;
	size_t		superblock_bytes;
	xlog_progress_fn progress;	/* may be NULL */
	void		*ctx;
};

/*
 * Put a copy of the log back over the log of @log, opened with XLOG_OPEN_WRITE
 * or XLOG_OPEN_OVERLAY. -EXDEV: it is the log of another filesystem, or of
 * another size. All of it is read and looked at before the first write. Cut
 * off, it is to be done again before the filesystem is used. What was read
 * through @log before does not count any more. On success all is durable.
 * -EINVAL, -EUCLEAN, -EMEDIUMTYPE, -ECANCELED, -ENOMEM, -EIO.
 */
int xlog_restore_log(struct xlog *log, const struct xlog_restore *from);

/*
 * Discard the log: save it as xlog_save_log() does, and write a clean one,
 * whose LSNs are above all of the old log and of the headers of allocation
 * groups. What was only in the log is lost, and the filesystem as a rule
 * damaged: xfs_repair must be run. @log as for xlog_restore_log(); the head of
 * the new log goes into *@head, unless that is NULL.
 * Until the copy is durable nothing is written. On success all is durable.
 * -EINVAL: @save has no path, or there is no superblock; -EUCLEAN: there are
 * no higher cycle numbers; -EIO also if the new log does not read back as
 * clean; others as xlog_save_log().
 */
int xlog_zero_log(struct xlog *log, const struct xlog_save *save,
		  xlog_lsn_t *head);

/* --- undo --- */

/*
 * Put back what was overwritten while the undo file @undo was written (see
 * xlog_open_options.undo), on @device and, if the file tells of an external
 * log, opts->logdev; opts->offset_bytes and the lock flags count as for
 * xlog_open(), which must not have the devices open. @opts may be NULL.
 *
 * All of the file is checked before the first write, and that these are its
 * devices. The file is left as it is, and may be applied again: so is done
 * what was cut off. An undo file whose own writing was cut off is good, too.
 *
 * Returns 0 with everything durable, or: -EMEDIUMTYPE: @undo is no undo file;
 * -EBADMSG, -EUCLEAN: it is damaged; -EOPNOTSUPP: it is of a later version;
 * -EXDEV: it was made for another device; -ESTALE: the device has been written
 * to since (XLOG_OPEN_FORCE_CHANGED: only a warning); -EINVAL, -EBUSY, -EROFS,
 * -ENOMEM, -EIO.
 */
int xlog_undo_apply(const char *undo, const char *device,
		    const struct xlog_open_options *opts);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
