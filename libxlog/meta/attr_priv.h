/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes, inside: one step of a change in one transaction.
 */
#ifndef LIBXLOG_META_ATTR_PRIV_H
#define LIBXLOG_META_ATTR_PRIV_H

#include "libxfsfmt/daedit.h"
#include "libxlog/meta/attr.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/trans/trans_buf.h"

/* One attribute of an inode, which is locked and joined (or only looked at). */
struct attr_op {
	struct trans	*t;
	struct inode	*ip;
	const struct xfs_attr *a;
	uint32_t	hash;
	uint32_t	total;		/* blocks that setting @a may take in all */
};

static inline const struct xfs_geom *attr_geom(const struct attr_op *op)
{
	return &op->ip->fs->geom;
}

/* -EUCLEAN, reported. */
int attr_bad(const struct attr_op *op, const char *why);

/* --- blocks of the fork (attr_block.c) --- */

/* Block @block of the fork as one of @ops, owned by the inode. */
int attr_read_block(const struct attr_op *op, uint32_t block,
		    const struct trans_buf_ops *ops,
		    struct buf **out) MUST_CHECK;

/* A new block of the fork, zeros: all of it will be logged. */
int attr_grow(const struct attr_op *op, const struct trans_buf_ops *ops,
	      uint32_t *block, struct buf **out) MUST_CHECK;

/* Block @block, in @b, leaves the fork. */
int attr_shrink(const struct attr_op *op, uint32_t block,
		struct buf *b) MUST_CHECK;

/* The first @blocks of the fork in which nothing is mapped. */
int attr_find_hole(const struct attr_op *op, uint32_t blocks,
		   uint32_t *off) MUST_CHECK;

/* Block 0 is all there is mapped of the fork. */
int attr_is_one_block(const struct attr_op *op, bool *one) MUST_CHECK;

/* What is done to a block between the two is logged, where it differs. */
struct attr_edit {
	struct trans	*t;
	struct buf	*buf;
	uint8_t		*before;
};
int attr_edit_begin(struct attr_edit *e, const struct attr_op *op,
		    struct buf *b) MUST_CHECK;
void attr_edit_end(struct attr_edit *e);
void attr_log_all(const struct attr_op *op, struct buf *b);

/* A leaf that was read: -EUCLEAN if it cannot be changed. */
int attr_load_leaf(const struct attr_op *op, struct xfs_attr_leaf *leaf,
		   struct buf *b) MUST_CHECK;

/* --- shortform (attr_sf.c) --- */

bool attr_is_sf(const struct inode *ip);

/* The fork has block 0 for its first leaf or node. */
bool attr_has_blocks(const struct inode *ip);

/*
 * Give the fork, without blocks, room for a shortform of @bytes; false: there
 * is not so much. The shortform stays the same, and is logged.
 */
bool attr_sf_make_room(const struct attr_op *op, uint32_t bytes);

void attr_sf_log(const struct attr_op *op);

/* True, and it was added; false: there is no room. */
bool attr_sf_add_one(const struct attr_op *op);

/* What is left of an empty fork: it goes, or has no bytes to spare. */
void attr_sf_trim(const struct attr_op *op, bool keep_fork);

/* A leaf instead, in a new block. */
int attr_sf_to_leaf(const struct attr_op *op) MUST_CHECK;

/* The only leaf, in @b, becomes a shortform again if it can. */
int attr_leaf_to_sf(const struct attr_op *op, struct buf *b,
		    bool keep_fork) MUST_CHECK;

/* --- leaves and nodes (attr_tree.c, attr_join.c) --- */

struct attr_path {
	unsigned int	depth;		/* of blocks: 1 is a leaf alone */
	struct {
		uint32_t	block;
		struct buf	*buf;
		uint32_t	index;	/* nodes: of the way down */
	} at[XFS_DA_MAX_DEPTH + 1];
	uint32_t	index;		/* in the leaf */
};

/*
 * The way to the attribute, whether it is complete or not as asked. *@found
 * false: to where it would be added.
 */
int attr_path_find(const struct attr_op *op, bool incomplete,
		   struct attr_path *path, bool *found) MUST_CHECK;

/* To the first leaf. */
int attr_path_first(const struct attr_op *op, struct attr_path *path) MUST_CHECK;

/*
 * Move the lowest @depth blocks of @path to the next, or previous, block of
 * the level. *@moved false: it is the last one; the path is as it was.
 */
int attr_path_shift(const struct attr_op *op, struct attr_path *path,
		    unsigned int depth, bool forward, bool *moved) MUST_CHECK;

/* Nodes above block @depth - 1 of the path say its highest hash. */
int attr_path_fix(const struct attr_op *op, const struct attr_path *path,
		  unsigned int depth) MUST_CHECK;

/* The highest hash in a leaf or node; 0 if it is empty. */
uint32_t attr_last_hash(const struct attr_op *op, const struct buf *b);

/*
 * Add it to the leaf at the end of @path, dividing blocks if need be.
 * *@done false: the only leaf is full; there is a node above it now, and the
 * next transaction is to go on.
 */
int attr_tree_add(const struct attr_op *op, struct attr_path *path,
		  bool *done) MUST_CHECK;

/* Remove what @path leads to, and join what has become too small. */
int attr_tree_remove(const struct attr_op *op, struct attr_path *path,
		     bool keep_fork) MUST_CHECK;

/* After a removal (attr_join.c). */
int attr_join(const struct attr_op *op, struct attr_path *path) MUST_CHECK;

/* --- values in blocks of their own (attr_remote.c) --- */

/* Blocks that a value takes. */
uint32_t attr_value_blocks(const struct xfs_geom *g, uint32_t value_bytes);

/*
 * Some of the value's blocks, from *@block on, of which *@left are still to be
 * allocated.
 */
int attr_value_alloc(const struct attr_op *op, uint32_t *block,
		     uint32_t *left) MUST_CHECK;

/* Write the value to its blocks from @block: before a later commit says so. */
int attr_value_write(const struct attr_op *op, uint32_t block) MUST_CHECK;

/* Some of the blocks of a value go. *@left: whether there are more. */
int attr_value_free(const struct attr_op *op, uint32_t block,
		    uint32_t value_bytes, bool *left) MUST_CHECK;

#endif
