/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes in memory, and their log items. What is logged of an inode is its
 * core, in the byte order of this machine, and those forks that changed. Every
 * commit logs again all that has changed since it was written back.
 */
#ifndef LIBXLOG_TRANS_INODE_ITEM_H
#define LIBXLOG_TRANS_INODE_ITEM_H

#include "libxfsfmt/inode.h"
#include "libxlog/trans/trans.h"

struct inode {
	/* constant */
	struct trans_fs	*fs;
	xfs_ino_t	ino;
	uint64_t	daddr;		/* of its cluster */
	uint32_t	offset_bytes;	/* in that */

	struct xmutex	lock;		/* the inode's; outside of all others */
	uint8_t		*raw;		/* (lock) as on disk, inodesize bytes */
	unsigned int	fields;		/* (lock) XFS_ILOG_*: logged, not
					   written back */
	struct log_item	item;
	_Atomic unsigned int pins;
	struct buf	*cluster;	/* (lock) while it is written back */
};

/*
 * Read inode @ino, which is in use: -EUCLEAN and such if it cannot be one.
 * Not locked. No two of one inode may be in memory at one time.
 */
int inode_get(struct trans_fs *fs, xfs_ino_t ino,
	      struct inode **out) MUST_CHECK;

/* Nothing of it may be in a transaction or the log. NULL is allowed. */
void inode_free(struct inode *ip);

/* Lock it and join it; the end of the transaction unlocks it. */
void inode_join(struct trans *t, struct inode *ip)
	ACQUIRES(ip->lock) UNCHECKED_LOCKING;

/*
 * Joined: its core was changed in ip->raw, and the forks of @fields, which may
 * be XFS_ILOG_CORE, DDATA, DEXT, ADATA and AEXT.
 */
void inode_log(struct trans *t, struct inode *ip, unsigned int fields);

#endif
