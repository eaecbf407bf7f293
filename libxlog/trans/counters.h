/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The counters of the filesystem: free blocks, inodes, free inodes and free
 * realtime extents. They are kept in memory, and changed by commits. With lazy
 * counters the superblock gets them when the log is covered; without, it is
 * logged in the same transaction.
 */
#ifndef LIBXLOG_TRANS_COUNTERS_H
#define LIBXLOG_TRANS_COUNTERS_H

#include "libxlog/trans/trans.h"

/* Values of the superblock, as replay or a clean log have left them. */
void counters_init(struct trans_fs *fs, const struct xfs_sb *sb);

/* What the counter is now, all commits so far included, open ones not. */
int64_t counters_read(const struct trans_fs *fs, enum trans_sb_field field);

/*
 * @t changes the counter by @delta: it is so when it commits. Blocks that are
 * taken come out of what @t has reserved, as far as it has: a tree can be
 * divided more often than was thought.
 */
void trans_mod_sb(struct trans *t, enum trans_sb_field field, int64_t delta);

/*
 * trans_alloc() of a transaction that may take @blocks blocks: so many are set
 * aside for it, and those it did not take are given back when it ends.
 * @use_reserve: the last ones, too, which are kept for what has to succeed.
 * -ENOSPC, not reported: there are not so many.
 */
int trans_alloc_blocks(struct trans_fs *fs, enum xfs_tr tr, uint32_t blocks,
		       bool use_reserve, struct trans **out) MUST_CHECK;

/* The same for trans_alloc_more(). */
int trans_alloc_more_blocks(struct trans_fs *fs, enum xfs_tr tr,
			    uint32_t more_bytes, uint32_t blocks,
			    bool use_reserve, struct trans **out) MUST_CHECK;

/* Put the counters of now into the superblock @raw. */
void counters_to_sb(const struct trans_fs *fs, uint8_t *raw);

/*
 * For trans.c: before @t is committed, its changes are applied, and logged if
 * they have to be; then they are over, and @keep of its blocks are still set
 * aside for it.
 */
int counters_commit(struct trans *t) MUST_CHECK;
void counters_end(struct trans *t, uint32_t keep);

/* @t logs the superblock with the counters of now, its own changes included. */
int trans_log_superblock(struct trans *t) MUST_CHECK;

#endif
