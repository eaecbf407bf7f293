/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of inode_item.h: inode.c has the cache and the forks, inode_item.c
 * the log item.
 */
#ifndef LIBXLOG_TRANS_INODE_PRIV_H
#define LIBXLOG_TRANS_INODE_PRIV_H

#include "libxlog/trans/inode_item.h"

/* The item of a new inode. */
void inode_item_init(struct inode *ip);

/* One more reference, from someone who has one. */
void inode_hold_ref(struct inode *ip);

/*
 * What was logged of @ip is written back, or will never be. Once, whoever says
 * it first; then the reference that was kept for it is given back.
 */
void inode_cleaned(struct inode *ip);

/*
 * The inodes of the cluster @b, which is locked, and freed, that are in memory
 * are stale from now on, and on the list @stale.
 */
void inodes_of_cluster_stale(struct buf *b, struct list *stale);

/* That is durable: they are forgotten. */
void inodes_bury(struct list *stale);

/* Bytes of the fork that mean something, as it is on disk. */
uint32_t inode_fork_used(const struct inode *ip, int whichfork);

#endif
