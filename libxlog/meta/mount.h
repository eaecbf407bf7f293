/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem in use: its log is open for transactions, its metadata in the
 * buffer cache. Its log is clean, or was replayed just now.
 */
#ifndef LIBXLOG_META_MOUNT_H
#define LIBXLOG_META_MOUNT_H

#include "libxlog/read/read.h"
#include "libxlog/trans/trans.h"

struct mount_options {
	unsigned int	flags;		/* LOG_* */
	uint32_t	logbufs, logbsize_bytes, ail_ms; /* as in struct log_config */
	uint32_t	seed;
	uint64_t	cache_bytes;	/* of buffers; 0: 64 MiB */
};

struct mount {
	struct xlog	*reader;	/* borrowed */
	struct trans_fs	fs;
	/*
	 * What else is to be changed in the superblock, @raw, when it is
	 * logged at the end. May be NULL.
	 */
	void		(*change_sb)(void *ctx, uint8_t *raw);
	void		*change_sb_ctx;
	/* once it has been ended: the last checkpoint, and the unmount record */
	xfs_lsn_t	sb_lsn, unmount_lsn;
};

/*
 * Begin to use the filesystem of @reader, which was opened for writing or with
 * an overlay, and is borrowed. -EUCLEAN, reported: its log is not clean, or
 * something is damaged; -EOPNOTSUPP: features that are not known; -EINVAL,
 * -ENOMEM, -EIO.
 */
int mount_open(struct xlog *reader, const struct mount_options *opts,
	       struct mount **out) MUST_CHECK;

/* Of a log that was replayed just now: see mount_open_recovered(). */
struct mount_recovered {
	xfs_lsn_t	head;		/* where the next record goes */
	uint32_t	prev_block;	/* of the last record; UINT32_MAX: none */
	xfs_lsn_t	tail;		/* where recovery began */
	const uint8_t	*sb;		/* the superblock as replayed, with the
					   counters that hold now; a sector */
};

/*
 * The same for a filesystem whose log was replayed: its blocks are written and
 * flushed, and ahead of @r->head there is nothing of an older record that could
 * be taken for one of this log. The log is dirty until mount_unmount(). Before
 * the first transaction intents may be put back with log_ail_insert().
 */
int mount_open_recovered(struct xlog *reader, const struct mount_options *opts,
			 const struct mount_recovered *r,
			 struct mount **out) MUST_CHECK;

/*
 * All durable and written back, the log covered and marked clean. Nobody is
 * in a transaction. -ESHUTDOWN, -EIO: the log is left dirty.
 */
int mount_unmount(struct mount *m) MUST_CHECK;

/*
 * The same without the unmount record: all is in its place, and the log says
 * that it is dirty, so that the next mount looks for what was left.
 */
int mount_freeze(struct mount *m) MUST_CHECK;

/*
 * Free it, unmounted or not: what was not forced is lost then. Inodes go with
 * it, whoever has references to them. NULL is allowed.
 */
void mount_close(struct mount *m);

/*
 * Call @fn for every inode that is in use, in ascending order; nonzero ends
 * the walk and is returned. What transactions changed is not looked at.
 */
int mount_each_inode(struct mount *m, int (*fn)(void *ctx, xfs_ino_t ino),
		     void *ctx) MUST_CHECK;

#endif
