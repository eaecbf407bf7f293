/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The busy blocks of one group, by number: pieces of extents, no two of which
 * overlap. A treap: a search tree by the first block that is a heap by random
 * numbers, and so, but for bad luck, no deeper than a few times what it has to
 * be. No locking.
 */
#ifndef LIBXLOG_TRANS_BUSY_TREE_H
#define LIBXLOG_TRANS_BUSY_TREE_H

#include "libxfsfmt/types.h"
#include "libxlog/base/list.h"

struct busy_extent;

/* What is still busy of an extent, or a part of that. */
struct busy_piece {
	xfs_agblock_t	first, end;	/* @end is not in it */
	struct busy_extent *extent;
	struct list	extent_link;
	/* of the tree */
	struct busy_piece *left, *right;
	uint32_t	weight;		/* that of what is below is less */
};

/* @p overlaps nothing in the tree. */
void busy_tree_insert(struct busy_piece **root, struct busy_piece *p);
void busy_tree_remove(struct busy_piece **root, struct busy_piece *p);

/* The first piece that ends behind block @agbno: has it, or comes next. */
struct busy_piece *busy_tree_find(struct busy_piece *root,
				  xfs_agblock_t agbno);

#endif
