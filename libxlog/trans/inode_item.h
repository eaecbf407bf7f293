/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes in memory, and their log items. What is logged of an inode is its
 * core, in the byte order of this machine, and those forks that changed. Every
 * commit logs again all that has changed since it was written back.
 *
 * There is one struct inode for an inode number, in a cache: it exists while
 * someone has a reference, or while what was changed is not yet written back.
 */
#ifndef LIBXLOG_TRANS_INODE_ITEM_H
#define LIBXLOG_TRANS_INODE_ITEM_H

#include "libxfsfmt/inode.h"
#include "libxfsfmt/logitem_fmt.h"
#include "libxlog/trans/trans.h"

enum {
	XFS_DATA_FORK,
	XFS_ATTR_FORK,
};

struct inode {
	/* constant */
	struct trans_fs	*fs;
	xfs_ino_t	ino;
	uint64_t	daddr;		/* of its cluster */
	uint32_t	offset_bytes;	/* in that */

	struct xmutex	lock;		/* the inode's; outside of the buffers'
					   of its forks and its cluster */
	/*
	 * (lock) The core: this is what counts, it goes into the log and the
	 * cluster from here. Not so di_next_unlinked, di_crc and di_lsn: they
	 * are the cluster's. Of version 2 or 3.
	 */
	struct xfs_dinode di;
	/*
	 * (lock) inodesize bytes in the form of the disk, of which only the
	 * forks mean anything: inode_fork().
	 */
	uint8_t		*raw;
	unsigned int	fields;		/* (lock) XFS_ILOG_*: logged, not
					   written back */
	bool		held;		/* (lock) see inode_hold() */
	int		error;		/* (lock; loaded) why it could not be read */
	struct log_item	item;
	struct buf	*cluster;	/* (lock) while it is written back */

	_Atomic unsigned int pins;
	_Atomic bool	loaded;		/* it was read, or could not be */
	_Atomic bool	is_free;	/* as of the last inode_log() */
	_Atomic bool	logged;		/* and not written back */
	_Atomic bool	stale, buried;	/* its chunk was freed; for good */
	struct list	stale_link;	/* (lock of the cluster's buffer) */

	_Atomic unsigned int refs;	/* (shard) to leave 0 or get there */
	struct list	hash_link;	/* (shard) */
};

enum {
	INODE_GET_FREE = 1,	/* it may be free: di_mode 0 */
};

/*
 * The inode @ino, read if it is not in memory, with one more reference. Not
 * locked. -EUCLEAN, -EBADMSG, reported: it cannot be one, or is free. -EIO,
 * -ENOMEM.
 */
int inode_iget(struct trans_fs *fs, xfs_ino_t ino, unsigned int flags,
	       struct inode **out) MUST_CHECK;

/* The same for who is in @t, which may have the cluster locked. */
int inode_iget_in(struct trans *t, xfs_ino_t ino, unsigned int flags,
		  struct inode **out) MUST_CHECK;

/*
 * Give the reference back. When nobody has one it is forgotten, once it has
 * been written back. NULL is allowed.
 */
void inode_put(struct inode *ip);

void inode_lock(struct inode *ip) ACQUIRES(ip->lock) UNCHECKED_LOCKING;
void inode_unlock(struct inode *ip) RELEASES(ip->lock) UNCHECKED_LOCKING;

/* Lock it and join it; the end of the transaction unlocks it. */
void inode_join(struct trans *t, struct inode *ip)
	ACQUIRES(ip->lock) UNCHECKED_LOCKING;

/* It is locked: the end of the transaction unlocks it. */
void inode_join_locked(struct trans *t, struct inode *ip);

/*
 * Joined: the end of the transaction, and a roll, leave it locked; it is part
 * of no transaction then. Holds for one end only: trans_roll_held() renews it.
 */
void inode_hold(struct trans *t, struct inode *ip);

/*
 * Joined: its core was changed in ip->di, and the forks of @fields: of
 * XFS_ILOG_CORE, DEV, and DDATA, DEXT, DBROOT and ADATA, AEXT, ABROOT. Of a fork
 * only what its format at the commit has is logged: to be sure, name all.
 */
void inode_log(struct trans *t, struct inode *ip, unsigned int fields);

/*
 * Where inode @ino, in memory or not, lies: its cluster, and the byte in that.
 * @t may be NULL. Fails only where that has to be looked up, see
 * trans_fs.inode_chunk.
 */
int inode_place(struct trans_fs *fs, struct trans *t, xfs_ino_t ino,
		uint64_t *daddr, uint32_t *offset_bytes) MUST_CHECK;

/* --- forks --- */

/*
 * Where the fork lies, in the form of the disk: local bytes, extent records or
 * a bmdr root. *@bytes (may be NULL) is the room it has; that of an attribute
 * fork that is not there is 0. Moves with di_forkoff, which moves no bytes.
 */
uint8_t *inode_fork(const struct inode *ip, int whichfork, uint32_t *bytes);

/* Is there such a fork? The data fork always is. */
bool inode_has_fork(const struct inode *ip, int whichfork);

/* enum xfs_dinode_format; of an attribute fork that is not there: EXTENTS. */
unsigned int inode_format(const struct inode *ip, int whichfork);

/* Extents of the fork, wherever its counter is. */
uint64_t inode_nextents(const struct inode *ip, int whichfork);
void inode_set_nextents(struct inode *ip, int whichfork, uint64_t nextents);

/* --- the cache --- */

struct inode_cache;

int inode_cache_new(struct trans_fs *fs, struct inode_cache **out) MUST_CHECK;

/* The log is closed: all inodes go with it. NULL is allowed. */
void inode_cache_free(struct inode_cache *cache);

#endif
