/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A deferred change of an attribute.
 */
#ifndef LIBXLOG_META_ATTR_WORK_H
#define LIBXLOG_META_ATTR_WORK_H

#include "libxlog/meta/attr_priv.h"

enum attr_step {
	ATTR_REMOVE,		/* the old one, complete or not */
	ATTR_ADD,		/* the new one, without a value if that is long */
	ATTR_VALUE,		/* its blocks, its contents; it is complete */
};

struct attr_work {
	struct defer_work work;		/* first */
	struct inode	*ip;		/* NULL: not read yet */
	xfs_ino_t	ino;
	uint32_t	igen;
	uint32_t	op;		/* XFS_ATTRI_* */
	enum attr_step	step;
	bool		recovered;	/* begun by an intent of the log */
	/*
	 * What goes: to set one is to replace what has its name. And what
	 * comes, or no name. They point behind this struct.
	 */
	struct xfs_attr	old, new;
	/* of a value in blocks of its own */
	uint32_t	value_block;
	uint32_t	next_block, left; /* to be allocated */
};

/* Blocks that adding @a may take: of the tree, of its value, of maps. */
uint32_t attr_add_blocks(const struct trans_fs *fs, const struct xfs_attr *a);

/* The next transaction of it: 0 it is done, -EAGAIN there is more to do. */
int attr_work_step(struct trans *t, struct attr_work *w) MUST_CHECK;

#endif
