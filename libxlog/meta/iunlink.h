/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unlinked lists: the inodes that nothing links to and that are not free yet.
 * A group has 64, which begin in the AGI and go on through the inodes
 * (di_next_unlinked); an inode's number says which it is in. The place of that
 * truth is the buffer of inodes, where it is logged as part of the buffer and
 * not of the inode.
 *
 * Functions return 0 or a negative errno, reported.
 */
#ifndef LIBXLOG_META_IUNLINK_H
#define LIBXLOG_META_IUNLINK_H

#include "libxlog/trans/inode_item.h"

/*
 * Put @ip, locked and in @t, at the front of its list. -EUCLEAN, and nothing
 * is changed: it is in one, or the list is damaged.
 */
int iunlink_insert(struct trans *t, struct inode *ip) MUST_CHECK;

/*
 * Take it out, wherever in the list it is. @stale: its buffer is being freed
 * in @t and is left alone. -EUCLEAN, and nothing is changed: it is not in its
 * list, or that is damaged.
 */
int iunlink_remove(struct trans *t, struct inode *ip, bool stale) MUST_CHECK;

/* The first inode of a list, or XFS_NULL_AGINO. */
int iunlink_first(struct trans_fs *fs, xfs_agnumber_t agno,
		  unsigned int bucket, xfs_agino_t *agino) MUST_CHECK;

/*
 * The one behind inode @agino, which need not be readable as an inode.
 * -EUCLEAN: no number that can be in list @bucket.
 */
int iunlink_next(struct trans_fs *fs, xfs_agnumber_t agno, unsigned int bucket,
		 xfs_agino_t agino, xfs_agino_t *next) MUST_CHECK;

/*
 * Cut a list off at its head, in a transaction of its own: its inodes are lost
 * until the filesystem is repaired.
 */
int iunlink_clear(struct trans_fs *fs, xfs_agnumber_t agno,
		  unsigned int bucket) MUST_CHECK;

#endif
