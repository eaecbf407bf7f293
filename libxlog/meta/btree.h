/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One B+tree for all kinds: those of an allocation group, whose root is a block
 * that the AGF or AGI names, and those of a fork, whose root lies in the inode.
 * The tree is changed as Linux changes it (which sibling is tried first, where
 * a block is split, when two are joined), so that equal operations make equal
 * trees, and what is logged is what has changed.
 *
 * A cursor is a path from the root to a record. It lies in its user's memory;
 * its blocks are locked, by the transaction if there is one. Positions count
 * from 1, 0 is before the first. Only one cursor at a time may change a tree,
 * and its changes make all others of that tree invalid.
 *
 * All functions that return int return 0 or -EUCLEAN (the tree is damaged),
 * -EIO, -ENOMEM, -ESHUTDOWN, or what the space operations return; reported.
 * Nothing that can be checked before is changed before; but after an error in
 * btree_insert(), btree_delete() and btree_update() the tree may be half
 * changed, and the transaction is to be cancelled. No tree has so many
 * levels, and no walk is so long, that a damaged one could keep it from
 * ending.
 */
#ifndef LIBXLOG_META_BTREE_H
#define LIBXLOG_META_BTREE_H

#include "libxfsfmt/ag.h"
#include "libxfsfmt/btree.h"
#include "libxlog/trans/inode_item.h"

struct btree_cur;

/* Where the blocks of a tree come from and go to. */
struct btree_space_ops {
	/*
	 * One block for @cur, close to @near: a block of the group, for a fork
	 * one of the filesystem (XFS_NULL_FSBLOCK: none known). *@block is
	 * such a one; XFS_NULL_FSBLOCK, and 0 is returned: there is no space.
	 * agf_btreeblks (bnobt, cntbt, rmapbt) and di_nblocks are counted
	 * here, the other counters of blocks of trees by the tree.
	 */
	int (*alloc)(struct btree_cur *cur, uint64_t near, uint64_t *block);
	/*
	 * @block is not of the tree any more. Its buffer is invalidated by the
	 * tree, after this.
	 */
	int (*free)(struct btree_cur *cur, uint64_t block);
};

/* A group as far as its trees are concerned; part of struct perag. */
struct btree_group {
	struct trans_fs	*fs;
	xfs_agnumber_t	agno;
	const struct btree_space_ops *space;
};

/* A record, by kind. rc_cow is the domain of a reference count. */
union btree_rec {
	struct xfs_alloc_rec	alloc;	/* BNO, CNT */
	struct xfs_inobt_rec	ino;	/* INO, FINO: see below */
	struct xfs_rmap_rec	rmap;
	struct xfs_refcount_rec	refc;
	struct xfs_bmbt_rec	bmbt;
};

/*
 * Of inodes: without sparse chunks in the filesystem ir_holemask is 0 and
 * ir_count 64 when a record is read, and both are ignored when it is written.
 */

struct btree_level {
	struct buf	*buf;		/* NULL: not there, or root in inode */
	uint64_t	block;		/* of @buf */
	uint32_t	pos;		/* 1..numrecs; 0 before, + 1 behind */
};

struct btree_cur {
	/* constant */
	enum xfs_btree_kind kind;
	struct trans_fs	*fs;
	struct trans	*t;		/* NULL: only looks */
	const struct btree_group *group; /* NULL: of a fork */
	struct buf	*agbuf;		/* of the AGF or AGI */
	struct inode	*ip;		/* NULL: of a group */
	int		whichfork;
	const struct btree_space_ops *space;
	void		*ctx;		/* for the space operations; theirs */

	/* the tree's own */
	uint32_t	room[2];	/* of a block, if it is: a leaf, a node */
	unsigned int	nlevels;
	struct btree_level levels[XFS_BTREE_MAX_LEVELS];
};

/*
 * A cursor of the group's tree @kind, that stands nowhere yet. @agbuf, of the
 * AGF (bnobt, cntbt, rmapbt, refcountbt) or AGI, is locked and in @t, and
 * stays the caller's. @t NULL: nothing is changed. Ends with btree_fini().
 */
void btree_init_ag(struct btree_cur *cur, struct trans *t,
		   const struct btree_group *group, enum xfs_btree_kind kind,
		   struct buf *agbuf);

/*
 * The same of fork @whichfork (XFS_DATA_FORK, XFS_ATTR_FORK) of @ip, which is
 * locked (and in @t, to be changed) and whose fork has the format of a tree,
 * or will get it by btree_from_extents(). @space may be NULL with @t.
 */
void btree_init_fork(struct btree_cur *cur, struct trans *t, struct inode *ip,
		     int whichfork, const struct btree_space_ops *space);

/*
 * Let go of the blocks, before the transaction ends: those not changed are
 * unlocked. The cursor stands nowhere then, and can be used on.
 */
void btree_fini(struct btree_cur *cur);

/* --- to find --- */

enum btree_dir {
	BTREE_LE,		/* the last record that is not above the key */
	BTREE_EQ,		/* the first not below it, found if equal */
	BTREE_GE,		/* the first not below it */
};

/*
 * Look for the record with the key of @key, which is: of BNO ar_startblock, of
 * CNT ar_blockcount and then ar_startblock, of INO ir_startino, of RMAP
 * rm_startblock, rm_owner, rm_offset with the flags of fork and bmbt, of REFC
 * rc_cow and rc_startblock, of BMAP br_startoff. Other fields are not looked
 * at. *@found false: the cursor stands where such a record would be inserted
 * (LE: in front of the first).
 */
int btree_lookup(struct btree_cur *cur, enum btree_dir dir,
		 const union btree_rec *key, bool *found) MUST_CHECK;

/* The record at the cursor. *@found false: it stands at none. */
int btree_get(struct btree_cur *cur, union btree_rec *rec,
	      bool *found) MUST_CHECK;

/*
 * One record on, or back. *@found false: there is none, and the cursor stands
 * behind the last, or before the first.
 */
int btree_next(struct btree_cur *cur, bool *found) MUST_CHECK;
int btree_prev(struct btree_cur *cur, bool *found) MUST_CHECK;

/*
 * Is the leaf that the cursor is in, after a lookup, the last of the tree? To
 * the first record of that leaf, which is not empty.
 */
bool btree_in_last_leaf(const struct btree_cur *cur);
void btree_leaf_first(struct btree_cur *cur);

/*
 * Call @fn for the records from @low to @high, in order of their keys; nonzero
 * ends it and is returned. Which are these: of RMAP every record that
 * overlaps; of the other kinds those whose key is in the range, and the one
 * before if it reaches into it. @low and @high are records as for
 * btree_lookup(); lengths in them count for nothing. @fn may look at the
 * cursor, and may not move it or change the tree.
 */
typedef int btree_query_fn(struct btree_cur *cur, const union btree_rec *rec,
			   void *ctx);
int btree_query_range(struct btree_cur *cur, const union btree_rec *low,
		      const union btree_rec *high, btree_query_fn *fn,
		      void *ctx) MUST_CHECK;
int btree_query_all(struct btree_cur *cur, btree_query_fn *fn,
		    void *ctx) MUST_CHECK;

/*
 * Call @fn for every block, also that of a root in a group: levels from the
 * top, each from the left; nonzero ends it and is returned.
 */
typedef int btree_block_fn(struct btree_cur *cur, unsigned int level,
			   uint64_t block, struct buf *buf, void *ctx);
int btree_each_block(struct btree_cur *cur, btree_block_fn *fn,
		     void *ctx) MUST_CHECK;

/* --- to change --- */

/*
 * Put @rec in where the cursor stands, after a lookup for it (EQ or GE) that
 * found no equal. The cursor then stands at it. *@done false: no space for a
 * block; the tree may have had records shifted between blocks, but is whole.
 * -EUCLEAN: the order would not hold there.
 */
int btree_insert(struct btree_cur *cur, const union btree_rec *rec,
		 bool *done) MUST_CHECK;

/*
 * Take out the record at the cursor; btree_prev() goes to the one in front of
 * it then, all else needs another lookup. *@done false: there was none.
 */
int btree_delete(struct btree_cur *cur, bool *done) MUST_CHECK;

/*
 * @rec in place of the record at the cursor. Its key may be another one as
 * long as the order holds: else -EUCLEAN, nothing changed.
 */
int btree_update(struct btree_cur *cur, const union btree_rec *rec) MUST_CHECK;

/* --- roots in inodes --- */

/*
 * The fork is to hold the @count extents of @recs, in order: too many for a
 * list, not more than a leaf has room for. It gets the format of a tree, a
 * root with one leaf, and is logged. *@done false: no space, nothing changed.
 */
int btree_from_extents(struct btree_cur *cur, const struct xfs_bmbt_rec *recs,
		       uint32_t count, bool *done) MUST_CHECK;

/*
 * The other way round, if the tree is a root with one leaf whose records fit
 * in the fork as a list: *@done false and nothing changed, if not. The cursor
 * stands nowhere afterwards.
 */
int btree_to_extents(struct btree_cur *cur, bool *done) MUST_CHECK;

#endif
