/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Metadata blocks in transactions: they are read or made anew, changed, and
 * what is logged of them are the runs of 128-byte chunks that changed since
 * they were last written back.
 *
 * A buffer that a transaction has is locked; the end of the transaction, or
 * trans_brelse() before that, unlocks it. It is checked when it is read and
 * before it is written; LSN and checksum are put in then. What is changed lies
 * in the log first, and in its place only when it is durable there.
 *
 * @t may be NULL for trans_read_buf() and trans_brelse(): for who only looks.
 */
#ifndef LIBXLOG_TRANS_TRANS_BUF_H
#define LIBXLOG_TRANS_TRANS_BUF_H

#include "libxfsfmt/block.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/logitem.h"
#include "libxlog/trans/trans.h"

enum {
	TRANS_BUF_MAX_KINDS = 3,
	TRANS_BUF_MAP_WORDS = XFS_BUF_LOG_MAP_WORDS,
};

/*
 * What kind of block a buffer is expected to be: one, or one of several that
 * can be told apart by their magic numbers. Where they have their LSN and
 * checksum the table of xfs_block_types knows.
 */
struct trans_buf_ops {
	struct buf_ops	buf;
	uint8_t		blft[TRANS_BUF_MAX_KINDS]; /* XFS_BLFT_*; 0: no more */
	int8_t		btree;		/* enum xfs_btree_kind, or -1 */
};

extern const struct trans_buf_ops trans_sb_ops, trans_agf_ops, trans_agi_ops,
	trans_agfl_ops, trans_inode_ops /* a cluster */, trans_attr_leaf_ops,
	trans_da_node_ops, trans_da_any_ops /* node or leaf of attributes */,
	trans_attr_rmt_ops, trans_symlink_ops;
extern const struct trans_buf_ops trans_btree_ops[XFS_BTREE_KINDS];

/*
 * The @len_bb basic blocks at @daddr, as what @ops say: locked, and part of
 * @t. If @t has it already it is the same one again, and takes as many
 * trans_brelse(). Errors are those of buf_get(); a block in use as something
 * else is -EUCLEAN. @t may be NULL, so @fs is said as well.
 */
int trans_read_buf(struct trans_fs *fs, struct trans *t, uint64_t daddr,
		   uint32_t len_bb, const struct trans_buf_ops *ops,
		   struct buf **out) MUST_CHECK;

/*
 * The same for a block that is to become one of @ops, whatever it was: its
 * contents are zeros. Waits until it is durable that it was freed, if it was.
 */
int trans_get_buf(struct trans *t, uint64_t daddr, uint32_t len_bb,
		  const struct trans_buf_ops *ops,
		  struct buf **out) MUST_CHECK;

/* A block of the filesystem, by group and number in it. */
static inline int trans_read_agb(struct trans *t, struct trans_fs *fs,
				 xfs_agnumber_t agno, xfs_agblock_t agbno,
				 const struct trans_buf_ops *ops,
				 struct buf **out) MUST_CHECK;

/* From now on @b is one of @ops: a leaf that became a node. */
void trans_buf_set_ops(struct trans *t, struct buf *b,
		       const struct trans_buf_ops *ops);

/*
 * These bytes of @b, which @t has, were changed. If it was invalidated by @t
 * it is not any more.
 */
void trans_log_buf(struct trans *t, struct buf *b, uint32_t off_bytes,
		   uint32_t len_bytes);

/*
 * One use less. When none is left and @b was not changed in @t it leaves @t,
 * unlocked: @b may be gone. What was changed stays to the end.
 */
void trans_brelse(struct trans *t, struct buf *b);

/*
 * Held: @b stays locked over the commit (or roll), and then belongs to the
 * caller, with a reference: who joins it to the next transaction, or gives it
 * back with trans_brelse(NULL, @b).
 */
void trans_bhold(struct trans *t, struct buf *b);

/* Not held any more. */
void trans_bhold_release(struct trans *t, struct buf *b);

/* Takes over @b, locked and referenced, not part of any transaction. */
int trans_bjoin(struct trans *t, struct buf *b) MUST_CHECK;

/*
 * The block was freed. What the log has of it must not be replayed over what
 * it becomes, so the log says that (XFS_BLF_CANCEL); it is never written back,
 * and stays locked until that is durable.
 */
void trans_binval(struct trans *t, struct buf *b);

/*
 * @b is a cluster of inodes, of which only di_next_unlinked (and checksums)
 * will be changed: the rest of an inode is logged by its own item. Those
 * checksums are the caller's.
 */
void trans_inode_buf(struct trans *t, struct buf *b);

/*
 * @b is a cluster of inodes that was made in @t: it stays in the log where it
 * was made until it is written back, however often it is changed after that.
 */
void trans_inode_alloc_buf(struct trans *t, struct buf *b);

/*
 * @b has new contents that follow from something else that @t logs: it is
 * written back in its turn, but nothing of it is logged. Nothing of it may have
 * been logged that is not written back.
 */
void trans_ordered_buf(struct trans *t, struct buf *b);

/*
 * As trans_binval() for a cluster of inodes that was freed. Those inodes of it
 * that are in memory are stale: they are not written any more, and leave the
 * AIL when that is durable, not before.
 */
void trans_stale_inode_buf(struct trans *t, struct buf *b);

/* Has @t changed it? */
bool trans_buf_is_dirty(const struct trans *t, const struct buf *b);

/* The filesystem of a buffer. */
static inline struct trans_fs *trans_buf_fs(const struct buf *b)
{
	return buf_cache_user(b->cache);
}

static inline int trans_read_agb(struct trans *t, struct trans_fs *fs,
				 xfs_agnumber_t agno, xfs_agblock_t agbno,
				 const struct trans_buf_ops *ops,
				 struct buf **out)
{
	return trans_read_buf(fs, t, xfs_agb_to_daddr(&fs->geom, agno, agbno),
			      fs->geom.blocksize / BB_SIZE, ops, out);
}

#endif
