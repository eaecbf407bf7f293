/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What refcount.c, which changes the tree, and refcount_defer.c, which says
 * when, have in common.
 */
#ifndef LIBXLOG_META_REFCOUNT_PRIV_H
#define LIBXLOG_META_REFCOUNT_PRIV_H

#include "libxlog/meta/refcount.h"

/*
 * The tree of a group while counts are changed in one transaction, which has
 * room in the log for only so much.
 */
struct refcount_cur {
	struct btree_cur cur;
	struct perag	*pag;		/* NULL: none */
	uint32_t	records;	/* changed so far; over all groups */
	uint32_t	shapes;		/* changes that split or joined records */
};

/*
 * One owner more or one fewer for the *@len blocks from *@agbno, which then
 * are what is left to do in another transaction. What nobody has any more is
 * freed later.
 */
int refcount_adjust(struct refcount_cur *rc, xfs_agblock_t *agbno,
		    uint32_t *len, bool more) MUST_CHECK;

/* The blocks are set aside for copy on write, or not any more. */
int refcount_set_cow(struct refcount_cur *rc, xfs_agblock_t agbno,
		     uint32_t len, bool on) MUST_CHECK;

#endif
