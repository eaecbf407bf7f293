/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trees of free space, by block and by size. They have the same records,
 * so what changes one changes the other; the order, in which that is done,
 * decides which of them takes which block of the free list.
 */
#include "libxlog/meta/alloc_priv.h"

static const struct perag *group_of(const struct btree_cur *cur)
{
	return perag_of(cur->fs, cur->group->agno);
}

void alloc_cur(struct btree_cur *cur, struct trans *t, struct perag *pag,
	       enum xfs_btree_kind kind, struct buf *agfbuf)
{
	btree_init_ag(cur, t, &pag->group, kind, agfbuf);
}

int alloc_lookup(struct btree_cur *cur, enum btree_dir dir,
		 xfs_agblock_t start, uint32_t len, bool *found)
{
	const union btree_rec key = { .alloc = { start, len } };

	return btree_lookup(cur, dir, &key, found);
}

int alloc_get(struct btree_cur *cur, struct xfs_alloc_rec *rec, bool *found)
{
	union btree_rec r;
	int rc = btree_get(cur, &r, found);

	if (rc || !*found)
		return rc;
	*rec = r.alloc;
	if (!perag_has(group_of(cur), rec->ar_startblock, rec->ar_blockcount))
		return perag_corrupt(group_of(cur), "btree.free",
				     "%s: %u free blocks from block %u",
				     xfs_btree_name(cur->kind),
				     rec->ar_blockcount, rec->ar_startblock);
	return 0;
}

/* --- single records --- */

/* Stand at @rec, which has to be there. */
static int stand_at(struct btree_cur *cur, const struct xfs_alloc_rec *rec)
{
	struct xfs_alloc_rec at;
	bool found;
	int rc = alloc_lookup(cur, BTREE_EQ, rec->ar_startblock,
			      rec->ar_blockcount, &found);

	if (!rc && found)
		rc = alloc_get(cur, &at, &found);
	if (rc)
		return rc;
	if (!found || at.ar_blockcount != rec->ar_blockcount)
		return perag_corrupt(group_of(cur), "btree.free",
				     "%s: no record of %u free blocks from block %u, which the other tree has",
				     xfs_btree_name(cur->kind),
				     rec->ar_blockcount, rec->ar_startblock);
	return 0;
}

static int delete_here(struct btree_cur *cur)
{
	bool done;
	int rc = btree_delete(cur, &done);

	assert(rc || done);
	return rc;
}

static int delete_rec(struct btree_cur *cur, const struct xfs_alloc_rec *rec)
{
	int rc = stand_at(cur, rec);

	return rc ? rc : delete_here(cur);
}

/* A record that is not there, where a lookup of it has led. */
static int insert_here(struct btree_cur *cur, const struct xfs_alloc_rec *rec)
{
	bool done;
	int rc = btree_insert(cur, &(union btree_rec){ .alloc = *rec }, &done);

	if (rc || done)
		return rc;
	return perag_corrupt(group_of(cur), "agf.freelist",
			     "%s: the free list is empty, and the tree has to grow",
			     xfs_btree_name(cur->kind));
}

/* Nothing is done for a record of no blocks. */
static int insert_rec(struct btree_cur *cur, const struct xfs_alloc_rec *rec)
{
	bool found;
	int rc;

	if (!rec->ar_blockcount)
		return 0;
	rc = alloc_lookup(cur, BTREE_EQ, rec->ar_startblock,
			  rec->ar_blockcount, &found);
	if (rc)
		return rc;
	if (found)
		return perag_corrupt(group_of(cur), "btree.free",
				     "%s: block %u is free already",
				     xfs_btree_name(cur->kind),
				     rec->ar_startblock);
	return insert_here(cur, rec);
}

static int update_here(struct btree_cur *cur, const struct xfs_alloc_rec *rec)
{
	return btree_update(cur, &(union btree_rec){ .alloc = *rec });
}

/* --- to take --- */

static int take_by_size(struct btree_cur *cnt, const struct alloc_choice *c,
			const struct xfs_alloc_rec *left,
			const struct xfs_alloc_rec *right)
{
	int rc = delete_rec(cnt, &c->rec);

	if (!rc)
		rc = insert_rec(cnt, left);
	return rc ? rc : insert_rec(cnt, right);
}

static int take_by_block(struct btree_cur *bno, const struct alloc_choice *c,
			 const struct xfs_alloc_rec *left,
			 const struct xfs_alloc_rec *right)
{
	int rc = stand_at(bno, &c->rec);

	if (rc)
		return rc;
	if (!left->ar_blockcount && !right->ar_blockcount)
		return delete_here(bno);
	if (!left->ar_blockcount)
		return update_here(bno, right);
	rc = update_here(bno, left);
	return rc ? rc : insert_rec(bno, right);
}

int alloc_take(struct trans *t, struct perag *pag, struct buf *agfbuf,
	       const struct alloc_choice *c)
{
	const struct xfs_alloc_rec left = {
		c->rec.ar_startblock, c->start - c->rec.ar_startblock,
	};
	const struct xfs_alloc_rec right = {
		c->start + c->len, alloc_end(&c->rec) - (c->start + c->len),
	};
	struct btree_cur bno, cnt;
	int rc;

	assert(c->len && c->start >= c->rec.ar_startblock &&
	       c->start + c->len <= alloc_end(&c->rec));
	alloc_cur(&cnt, t, pag, XFS_BTREE_CNT, agfbuf);
	alloc_cur(&bno, t, pag, XFS_BTREE_BNO, agfbuf);
	/* both before either is changed */
	rc = stand_at(&bno, &c->rec);
	if (!rc)
		rc = take_by_size(&cnt, c, &left, &right);
	if (!rc)
		rc = take_by_block(&bno, c, &left, &right);
	btree_fini(&bno);
	btree_fini(&cnt);
	return rc;
}

/* --- to give --- */

/* The free extents that end and begin where these blocks do; length 0: none. */
struct neighbours {
	struct xfs_alloc_rec left, right;
};

static int overlap(const struct btree_cur *bno, const struct xfs_alloc_rec *rec,
		   xfs_agblock_t start, uint32_t len)
{
	return perag_corrupt(group_of(bno), "btree.free",
			     "%u blocks from block %u are to be freed, and of %u from %u some are free already",
			     len, start, rec->ar_blockcount,
			     rec->ar_startblock);
}

/* @bno stands at the right one then, or where it would be. */
static int find_neighbours(struct btree_cur *bno, xfs_agblock_t start,
			   uint32_t len, struct neighbours *n)
{
	struct xfs_alloc_rec rec;
	bool found;
	int rc = alloc_lookup(bno, BTREE_LE, start, len, &found);

	memset(n, 0, sizeof(*n));
	if (!rc && found)
		rc = alloc_get(bno, &rec, &found);
	if (rc)
		return rc;
	if (found && alloc_end(&rec) > start)
		return overlap(bno, &rec, start, len);
	if (found && alloc_end(&rec) == start)
		n->left = rec;
	rc = btree_next(bno, &found);
	if (!rc && found)
		rc = alloc_get(bno, &rec, &found);
	if (rc)
		return rc;
	if (found && rec.ar_startblock < start + len)
		return overlap(bno, &rec, start, len);
	if (found && rec.ar_startblock == start + len)
		n->right = rec;
	return 0;
}

int alloc_check_used(struct trans *t, struct perag *pag, struct buf *agfbuf,
		     xfs_agblock_t start, uint32_t len)
{
	struct neighbours n;
	struct btree_cur bno;
	int rc;

	alloc_cur(&bno, t, pag, XFS_BTREE_BNO, agfbuf);
	rc = find_neighbours(&bno, start, len, &n);
	btree_fini(&bno);
	return rc;
}

static int give_by_block(struct btree_cur *bno, const struct neighbours *n,
			 const struct xfs_alloc_rec *all)
{
	bool found;
	int rc = 0;

	if (!n->left.ar_blockcount && !n->right.ar_blockcount) {
		/* between two leaves: into the second one */
		rc = alloc_lookup(bno, BTREE_GE, all->ar_startblock,
				  all->ar_blockcount, &found);
		return rc ? rc : insert_here(bno, all);
	}
	if (n->left.ar_blockcount) {
		if (n->right.ar_blockcount)
			rc = delete_rec(bno, &n->right);
		if (!rc)
			rc = stand_at(bno, &n->left);
	} else {
		rc = stand_at(bno, &n->right);
	}
	return rc ? rc : update_here(bno, all);
}

static int give_by_size(struct btree_cur *cnt, const struct neighbours *n)
{
	int rc = 0;

	if (n->left.ar_blockcount)
		rc = delete_rec(cnt, &n->left);
	if (!rc && n->right.ar_blockcount)
		rc = delete_rec(cnt, &n->right);
	return rc;
}

int alloc_give(struct trans *t, struct perag *pag, struct buf *agfbuf,
	       xfs_agblock_t start, uint32_t len)
{
	struct xfs_alloc_rec all = { start, len };
	struct btree_cur bno, cnt;
	struct neighbours n;
	int rc;

	alloc_cur(&bno, t, pag, XFS_BTREE_BNO, agfbuf);
	alloc_cur(&cnt, t, pag, XFS_BTREE_CNT, agfbuf);
	rc = find_neighbours(&bno, start, len, &n);
	if (rc)
		goto out;
	if (n.left.ar_blockcount)
		all.ar_startblock = n.left.ar_startblock;
	all.ar_blockcount += n.left.ar_blockcount + n.right.ar_blockcount;
	rc = give_by_size(&cnt, &n);
	if (!rc)
		rc = give_by_block(&bno, &n, &all);
	if (!rc)
		rc = insert_rec(&cnt, &all);
out:
	btree_fini(&cnt);
	btree_fini(&bno);
	return rc;
}

/* --- counters --- */

int alloc_count_free(struct trans *t, struct perag *pag, struct buf *agfbuf,
		     int64_t delta)
{
	struct xfs_agf agf = ag_agf(agfbuf);
	int64_t now = agf.agf_freeblks + delta;

	if (now < 0 || now > agf.agf_length)
		return perag_corrupt(pag, "agf.freeblks",
				     "%u blocks are counted as free, and now %lld more",
				     agf.agf_freeblks, (long long)delta);
	agf.agf_freeblks = (uint32_t)now;
	ag_set_agf(t, agfbuf, &agf);
	return 0;
}
