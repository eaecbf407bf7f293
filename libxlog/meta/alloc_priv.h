/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of allocation share. To allocate is to search, which changes
 * nothing, and then to take what was found: alloc_size.c and alloc_near.c
 * search, alloc_trees.c changes the trees, agfl.c keeps the free list long
 * enough for that, alloc.c decides in which group.
 */
#ifndef LIBXLOG_META_ALLOC_PRIV_H
#define LIBXLOG_META_ALLOC_PRIV_H

#include "libxlog/meta/alloc.h"

/* What is to be taken of a free extent. */
struct alloc_choice {
	struct xfs_alloc_rec rec;	/* that extent, as the trees have it */
	xfs_agblock_t	start;
	uint32_t	len;		/* 0: nothing was found */
};

struct alloc_search {
	struct alloc_args want;		/* numbers made sensible */
	struct perag	*pag;
	struct buf	*agfbuf;
	bool		for_list;	/* to fill the free list */
	xfs_agblock_t	target;		/* near it, or exactly there */
	struct alloc_choice best;
	bool		busy;		/* some blocks were passed over since
					   they are busy */
};

static inline uint32_t alloc_end(const struct xfs_alloc_rec *rec)
{
	return rec->ar_startblock + rec->ar_blockcount;
}

/* --- alloc_trees.c --- */

void alloc_cur(struct btree_cur *cur, struct trans *t, struct perag *pag,
	       enum xfs_btree_kind kind, struct buf *agfbuf);
int alloc_lookup(struct btree_cur *cur, enum btree_dir dir,
		 xfs_agblock_t start, uint32_t len, bool *found) MUST_CHECK;

/* The record at the cursor, which can be one. */
int alloc_get(struct btree_cur *cur, struct xfs_alloc_rec *rec,
	      bool *found) MUST_CHECK;

/* Change the trees; the rest is the caller's: rmapbt, counters. */
int alloc_take(struct trans *t, struct perag *pag, struct buf *agfbuf,
	       const struct alloc_choice *c) MUST_CHECK;

/* The same for blocks that become free; they join with their neighbours. */
int alloc_give(struct trans *t, struct perag *pag, struct buf *agfbuf,
	       xfs_agblock_t start, uint32_t len) MUST_CHECK;

/* Could alloc_give() be done? -EUCLEAN: some of these blocks are free. */
int alloc_check_used(struct trans *t, struct perag *pag, struct buf *agfbuf,
		     xfs_agblock_t start, uint32_t len) MUST_CHECK;

/* agf_freeblks; -EUCLEAN, and nothing changed: it would be out of range. */
int alloc_count_free(struct trans *t, struct perag *pag, struct buf *agfbuf,
		     int64_t delta) MUST_CHECK;

/* --- searches; each waits for busy blocks if there is nothing else --- */

/* The best by size; s->for_list: -EAGAIN if the transaction must roll first. */
int alloc_search_size(struct alloc_search *s) MUST_CHECK;
int alloc_search_near(struct alloc_search *s) MUST_CHECK;
int alloc_search_exact(struct alloc_search *s) MUST_CHECK;

/*
 * What could be taken of @rec: not what is busy, from min_agbno on, aligned.
 * A length of 0: nothing.
 */
struct xfs_alloc_rec alloc_usable(struct alloc_search *s,
				  const struct xfs_alloc_rec *rec);

/* @len <= maxlen, made fit prod and mod if minlen allows that. */
uint32_t alloc_fit(const struct alloc_args *want, uint32_t len);

/*
 * No extent is as long as what is wanted. @cnt, which stands behind the last,
 * goes to that; *@found false: it will not do, either.
 */
int alloc_settle_for_less(struct alloc_search *s, struct btree_cur *cnt,
			  struct xfs_alloc_rec *rec, bool *found) MUST_CHECK;

/*
 * Nothing was found, and s->busy says that something could be. True: look
 * again, *@rc is 0. False: *@rc is what the search returns.
 */
bool alloc_wait_busy(struct alloc_search *s, unsigned int *tries, int *rc);

/* --- alloc_reserve.c --- */

/*
 * Before the AGF is locked: find out how much is kept in the group. The first
 * time, that takes the AGI, which @t has or lets go of again: who has the AGF
 * of the group by then must be alone, as a recovery is.
 */
int alloc_reserve_init(struct trans *t, struct perag *pag) MUST_CHECK;

/* Blocks that are free and not for @want. */
uint32_t alloc_reserved(const struct perag *pag, const struct xfs_agf *agf,
			const struct alloc_args *want);

/* --- agfl.c --- */

/*
 * Lock the AGF, and see to it that the free list is long enough and that
 * @want can be had: else *@agfbuf is NULL. want->maxlen is cut to what can.
 * @want NULL: space will be freed, which has to be possible in any case.
 */
int alloc_fix_freelist(struct trans *t, struct perag *pag,
		       struct alloc_args *want, struct buf **agfbuf) MUST_CHECK;

/* --- free.c, free_defer.c --- */

/*
 * Make blocks free that belonged to @who. @from_list: they were counted as
 * free before, as part of the free list.
 */
int free_ag_extent(struct trans *t, struct perag *pag, struct buf *agfbuf,
		   xfs_agblock_t agbno, uint32_t len,
		   const struct rmap_owner *who, bool from_list) MUST_CHECK;

/* Deferred: a block that the free list does not need. */
int agfl_free_later(struct trans *t, struct perag *pag,
		    xfs_agblock_t agbno) MUST_CHECK;

#endif
