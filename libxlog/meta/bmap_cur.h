/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A place in the map of a fork, whether that is a list in the inode or a
 * B+tree: what bmap.c does to maps, it does through these. A list becomes a
 * tree when it is full, here; a tree becomes a list by bmap_cur_shrink().
 *
 * Extents that are read have been checked: they lie in one group of the
 * filesystem, behind its headers, and in the file.
 */
#ifndef LIBXLOG_META_BMAP_CUR_H
#define LIBXLOG_META_BMAP_CUR_H

#include "libxlog/meta/btree.h"

struct bmap_cur {
	struct trans	*t;		/* NULL: only looks */
	struct inode	*ip;		/* locked */
	int		whichfork;
	bool		is_tree;
	int64_t		pos;		/* in a list: -1 in front of the first */
	struct btree_cur tree;
};

/*
 * Stands nowhere yet. -EUCLEAN: the fork has no map, or says that it has more
 * than it can; -EOPNOTSUPP: the map is of the realtime device. Reported; there
 * is nothing to let go of then.
 */
int bmap_cur_init(struct bmap_cur *cur, struct trans *t, struct inode *ip,
		  int whichfork) MUST_CHECK;
void bmap_cur_fini(struct bmap_cur *cur);

/*
 * Go to the last extent that begins at or in front of @off. *@found false:
 * there is none, and bmap_cur_next() goes to the first.
 */
int bmap_cur_seek(struct bmap_cur *cur, uint64_t off, bool *found) MUST_CHECK;

/* One on, or back. *@found false: there is none. */
int bmap_cur_next(struct bmap_cur *cur, bool *found) MUST_CHECK;
int bmap_cur_prev(struct bmap_cur *cur, bool *found) MUST_CHECK;

/* The extent where the cursor stands; it stands at one. */
int bmap_cur_get(struct bmap_cur *cur, struct xfs_bmbt_rec *rec) MUST_CHECK;

/* Can the fork have such an extent? -EUCLEAN, reported: it cannot. */
int bmap_cur_judge(const struct bmap_cur *cur,
		   const struct xfs_bmbt_rec *rec) MUST_CHECK;

/*
 * Change it, or take it out: the counter of extents, and what is logged of the
 * inode, follow. After removal the cursor stands nowhere.
 */
int bmap_cur_update(struct bmap_cur *cur,
		    const struct xfs_bmbt_rec *rec) MUST_CHECK;
int bmap_cur_remove(struct bmap_cur *cur) MUST_CHECK;

/*
 * Put @rec in its place, from wherever the cursor stands, which stands nowhere
 * after that. No extent begins where it does. -ENOSPC, not reported: there is
 * no block for the tree, and the map is as it was.
 */
int bmap_cur_insert(struct bmap_cur *cur,
		    const struct xfs_bmbt_rec *rec) MUST_CHECK;

/* The same of what comes right behind the extent where the cursor stands. */
int bmap_cur_insert_behind(struct bmap_cur *cur,
			   const struct xfs_bmbt_rec *rec) MUST_CHECK;

/* All changes made: a tree that would fit in the inode as a list becomes one. */
int bmap_cur_shrink(struct bmap_cur *cur) MUST_CHECK;

/* Say that the map is damaged: -EUCLEAN. */
int bmap_corrupt(const struct inode *ip, int whichfork,
		 const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Where blocks of extent trees come from, and go to. */
extern const struct btree_space_ops bmap_space_ops;

#endif
