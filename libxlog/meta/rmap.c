/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of the tree of owners. What comes is joined with what is there
 * already, and what is there is cut where something goes. Space that is shared
 * has a record for each owner, and these overlap: then a record cannot just be
 * given another key, and neighbours are looked for by what they say.
 *
 * What is changed first, and which record becomes which, decides how the tree
 * is divided into blocks: that is done as Linux does it.
 */
#include "libxlog/meta/rmap_priv.h"

static const struct perag *group_of(const struct btree_cur *cur)
{
	return perag_of(cur->fs, cur->group->agno);
}

static uint64_t end_of(const struct xfs_rmap_rec *r)
{
	return (uint64_t)r->rm_startblock + r->rm_blockcount;
}

static bool is_inode(uint64_t owner)
{
	return owner < XFS_RMAP_OWN_COW;
}

/* Does its offset say anything? */
static bool has_offset(const struct xfs_rmap_rec *r)
{
	return is_inode(r->rm_owner) && !r->rm_bmbt_block;
}

static bool same_owner(const struct xfs_rmap_rec *a,
		       const struct xfs_rmap_rec *b)
{
	return a->rm_owner == b->rm_owner &&
	       a->rm_attr_fork == b->rm_attr_fork &&
	       a->rm_bmbt_block == b->rm_bmbt_block;
}

/* Is @r the part @from..@from+@len of something that @whole has? */
static bool covers(const struct xfs_rmap_rec *whole,
		   const struct xfs_rmap_rec *r)
{
	return whole->rm_startblock <= r->rm_startblock &&
	       end_of(whole) >= end_of(r);
}

/* And at the same place in the file? */
static bool covers_offset(const struct xfs_rmap_rec *whole,
			  const struct xfs_rmap_rec *r)
{
	return !has_offset(r) ||
	       whole->rm_offset + (r->rm_startblock - whole->rm_startblock) ==
	       r->rm_offset;
}

/* The part of @r from @start on, up to @end. */
static struct xfs_rmap_rec part(const struct xfs_rmap_rec *r, uint64_t start,
				uint64_t end)
{
	struct xfs_rmap_rec p = *r;

	if (has_offset(r))
		p.rm_offset += start - r->rm_startblock;
	p.rm_startblock = (uint32_t)start;
	p.rm_blockcount = (uint32_t)(end - start);
	return p;
}

/* Can @a, and @b behind it, be one record? */
static bool can_join(const struct xfs_rmap_rec *a,
		     const struct xfs_rmap_rec *b)
{
	return end_of(a) == b->rm_startblock && same_owner(a, b) &&
	       a->rm_unwritten == b->rm_unwritten &&
	       (!has_offset(a) || a->rm_offset + a->rm_blockcount ==
		b->rm_offset) &&
	       (uint64_t)a->rm_blockcount + b->rm_blockcount <= UINT32_MAX;
}

/* --- reading --- */

static int get(struct btree_cur *cur, struct xfs_rmap_rec *rec, bool *found)
{
	union btree_rec r;
	int rc = btree_get(cur, &r, found);

	if (rc || !*found)
		return rc;
	*rec = r.rmap;
	/* the headers of the group have an owner, too */
	if (rec->rm_blockcount && end_of(rec) <= group_of(cur)->blocks)
		return 0;
	return perag_corrupt(group_of(cur), "rmapbt.record",
			     "owner %llu of %u blocks from block %u",
			     (unsigned long long)rec->rm_owner,
			     rec->rm_blockcount, rec->rm_startblock);
}

static int lookup(struct btree_cur *cur, enum btree_dir dir,
		  const struct xfs_rmap_rec *key, struct xfs_rmap_rec *rec,
		  bool *found)
{
	int rc = btree_lookup(cur, dir, &(union btree_rec){ .rmap = *key },
			      found);

	return rc || !*found ? rc : get(cur, rec, found);
}

struct finder {
	const struct xfs_rmap_rec *like;
	bool		(*is_it)(const struct xfs_rmap_rec *rec,
				 const struct xfs_rmap_rec *like);
	struct xfs_rmap_rec rec;
};

enum { FOUND = 1 };

static int look_at(struct btree_cur *cur, const union btree_rec *rec, void *ctx)
{
	struct finder *f = ctx;

	(void)cur;
	if (!f->is_it(&rec->rmap, f->like))
		return 0;
	f->rec = rec->rmap;
	return FOUND;
}

/* Among all records that have @block, the one that is_it() says. */
static int find_at(struct btree_cur *cur, xfs_agblock_t block,
		   struct finder *f, bool *found)
{
	const union btree_rec low = { .rmap.rm_startblock = block };
	const union btree_rec high = { .rmap = {
		.rm_startblock = block, .rm_owner = UINT64_MAX,
		.rm_offset = ((uint64_t)1 << 54) - 1,
		.rm_attr_fork = 1, .rm_bmbt_block = 1,
	} };
	int rc = btree_query_range(cur, &low, &high, look_at, f);

	*found = rc == FOUND;
	return *found ? 0 : rc;
}

/* --- changing --- */

static int stand_at(struct btree_cur *cur, const struct xfs_rmap_rec *rec)
{
	struct xfs_rmap_rec at;
	bool found;
	int rc = lookup(cur, BTREE_EQ, rec, &at, &found);

	if (rc || found)
		return rc;
	return perag_corrupt(group_of(cur), "rmapbt.record",
			     "the record of owner %llu at block %u cannot be found again",
			     (unsigned long long)rec->rm_owner,
			     rec->rm_startblock);
}

static bool same_key(const struct xfs_rmap_rec *a,
		     const struct xfs_rmap_rec *b)
{
	return a->rm_startblock == b->rm_startblock && same_owner(a, b) &&
	       a->rm_offset == b->rm_offset;
}

static int delete(struct btree_cur *cur, const struct xfs_rmap_rec *old)
{
	bool done;
	int rc = stand_at(cur, old);

	return rc ? rc : btree_delete(cur, &done);
}

/* Between two leaves, BTREE_EQ puts it into the first one, BTREE_GE not. */
static int insert(struct btree_cur *cur, const struct xfs_rmap_rec *now,
		  enum btree_dir dir)
{
	struct xfs_rmap_rec there;
	bool found, done;
	int rc = lookup(cur, dir, now, &there, &found);

	if (rc)
		return rc;
	if (found && same_key(&there, now))
		return perag_corrupt(group_of(cur), "rmapbt.record",
				     "owner %llu has block %u already",
				     (unsigned long long)now->rm_owner,
				     now->rm_startblock);
	rc = btree_insert(cur, &(union btree_rec){ .rmap = *now }, &done);
	if (rc || done)
		return rc;
	return perag_corrupt(group_of(cur), "agf.freelist",
			     "rmapbt: the free list is empty, and the tree has to grow");
}

/* Where space is shared, a record with another key may belong elsewhere. */
static int change(struct btree_cur *cur, const struct xfs_rmap_rec *old,
		  const struct xfs_rmap_rec *now, bool shared)
{
	int rc;

	if (shared && !same_key(old, now)) {
		rc = delete(cur, old);
		return rc ? rc : insert(cur, now, BTREE_EQ);
	}
	rc = stand_at(cur, old);
	return rc ? rc : btree_update(cur, &(union btree_rec){ .rmap = *now });
}

/* --- neighbours --- */

/* What a record can be joined with. */
struct joins {
	struct xfs_rmap_rec left, right;
	bool		has_left, has_right;
};

/* Both, if they fit into one record with @rec; else the left one. */
static struct xfs_rmap_rec join(const struct xfs_rmap_rec *rec,
				struct joins *j)
{
	struct xfs_rmap_rec all = *rec;

	if (j->has_left) {
		all = j->left;
		all.rm_blockcount += rec->rm_blockcount;
	}
	j->has_right = j->has_right && can_join(&all, &j->right);
	if (j->has_right)
		all.rm_blockcount += j->right.rm_blockcount;
	return all;
}

static int find_joins(struct btree_cur *cur, const struct xfs_rmap_rec *rec,
		      struct joins *j)
{
	struct finder f = { .like = rec, .is_it = can_join };
	struct xfs_rmap_rec behind = part(rec, end_of(rec), end_of(rec) + 1);
	int rc = 0;

	memset(j, 0, sizeof(*j));
	if (rec->rm_startblock) {
		rc = find_at(cur, rec->rm_startblock - 1, &f, &j->has_left);
		j->left = f.rec;
	}
	if (!rc && end_of(rec) < group_of(cur)->blocks)
		rc = lookup(cur, BTREE_EQ, &behind, &j->right, &j->has_right);
	if (!rc && j->has_right)
		j->has_right = can_join(rec, &j->right);
	return rc;
}

/* --- mapping --- */

static int owned(const struct btree_cur *cur, const struct xfs_rmap_rec *rec,
		 const struct xfs_rmap_rec *by)
{
	return perag_corrupt(group_of(cur), "rmapbt.overlap",
			     "%u blocks from block %u are to belong to %llu, and of %u from %u some belong to %llu",
			     rec->rm_blockcount, rec->rm_startblock,
			     (unsigned long long)rec->rm_owner,
			     by->rm_blockcount, by->rm_startblock,
			     (unsigned long long)by->rm_owner);
}

/* Nobody may have any of the blocks. */
static int find_free_joins(struct btree_cur *cur,
			   const struct xfs_rmap_rec *rec, struct joins *j)
{
	int rc = lookup(cur, BTREE_LE, rec, &j->left, &j->has_left);

	if (rc)
		return rc;
	if (j->has_left && end_of(&j->left) > rec->rm_startblock)
		return owned(cur, rec, &j->left);
	j->has_left = j->has_left && can_join(&j->left, rec);
	rc = btree_next(cur, &j->has_right);
	if (!rc && j->has_right)
		rc = get(cur, &j->right, &j->has_right);
	if (rc)
		return rc;
	if (j->has_right && j->right.rm_startblock < end_of(rec))
		return owned(cur, rec, &j->right);
	j->has_right = j->has_right && can_join(rec, &j->right);
	return 0;
}

int rmap_map(struct btree_cur *cur, const struct xfs_rmap_rec *rec, bool shared)
{
	struct xfs_rmap_rec all;
	struct joins j;
	int rc = shared ? find_joins(cur, rec, &j) :
		 find_free_joins(cur, rec, &j);

	if (rc)
		return rc;
	all = join(rec, &j);
	if (!j.has_left)
		return j.has_right ? change(cur, &j.right, &all, shared) :
		       insert(cur, rec, shared ? BTREE_EQ : BTREE_GE);
	if (j.has_right)
		rc = delete(cur, &j.right);
	return rc ? rc : change(cur, &j.left, &all, shared);
}

/* --- what there is --- */

static bool is_part(const struct xfs_rmap_rec *whole,
		    const struct xfs_rmap_rec *rec)
{
	return covers(whole, rec) && same_owner(whole, rec) &&
	       covers_offset(whole, rec);
}

static int not_owned(const struct btree_cur *cur,
		     const struct xfs_rmap_rec *rec)
{
	return perag_corrupt(group_of(cur), "rmapbt.owner",
			     "%u blocks from block %u do not belong to %llu as they should",
			     rec->rm_blockcount, rec->rm_startblock,
			     (unsigned long long)rec->rm_owner);
}

/* The record that @rec is a part of. */
static int find_whole(struct btree_cur *cur, const struct xfs_rmap_rec *rec,
		      bool shared, struct xfs_rmap_rec *whole)
{
	struct finder f = { .like = rec, .is_it = is_part };
	bool found;
	int rc = lookup(cur, BTREE_LE, rec, whole, &found);

	if (!rc && shared && !(found && is_part(whole, rec))) {
		rc = find_at(cur, rec->rm_startblock, &f, &found);
		*whole = f.rec;
	}
	if (rc)
		return rc;
	if (!found || !is_part(whole, rec) ||
	    whole->rm_unwritten != rec->rm_unwritten)
		return not_owned(cur, rec);
	return 0;
}

/* --- unmapping --- */

static int cut_out(struct btree_cur *cur, const struct xfs_rmap_rec *whole,
		   const struct xfs_rmap_rec *rec, bool shared)
{
	struct xfs_rmap_rec left = part(whole, whole->rm_startblock,
					rec->rm_startblock);
	struct xfs_rmap_rec right = part(whole, end_of(rec), end_of(whole));
	int rc;

	if (!left.rm_blockcount)
		return right.rm_blockcount ?
		       change(cur, whole, &right, shared) :
		       delete(cur, whole);
	rc = change(cur, whole, &left, shared);
	if (rc || !right.rm_blockcount)
		return rc;
	return insert(cur, &right, shared ? BTREE_EQ : BTREE_GE);
}

int rmap_unmap(struct btree_cur *cur, const struct xfs_rmap_rec *rec,
	       bool shared)
{
	struct xfs_rmap_rec whole;
	int rc = find_whole(cur, rec, shared, &whole);

	return rc ? rc : cut_out(cur, &whole, rec, shared);
}

/* Whoever has the blocks of @rec, if anyone does. */
static int unmap_anyone(struct btree_cur *cur, const struct xfs_rmap_rec *rec)
{
	struct xfs_rmap_rec whole;
	bool found;
	int rc = lookup(cur, BTREE_LE, rec, &whole, &found);

	if (rc)
		return rc;
	if (found && end_of(&whole) > rec->rm_startblock) {
		if (!covers(&whole, rec))
			return not_owned(cur, rec);
		return cut_out(cur, &whole, rec, false);
	}
	rc = btree_next(cur, &found);
	if (!rc && found)
		rc = get(cur, &whole, &found);
	if (!rc && found && whole.rm_startblock < end_of(rec))
		return not_owned(cur, rec);
	return rc;
}

/* --- converting --- */

/* All of @whole gets another state, and joins with what it can. */
static int convert_whole(struct btree_cur *cur,
			 const struct xfs_rmap_rec *whole,
			 const struct xfs_rmap_rec *all, const struct joins *j,
			 bool shared)
{
	int rc = 0;

	if (j->has_right)
		rc = delete(cur, &j->right);
	if (rc || !j->has_left)
		return rc ? rc : change(cur, whole, all, shared);
	rc = delete(cur, whole);
	return rc ? rc : change(cur, &j->left, all, shared);
}

/* What is left of @whole, with the old state; not nothing. */
static int convert_rest(struct btree_cur *cur,
			const struct xfs_rmap_rec *whole,
			const struct xfs_rmap_rec *left,
			const struct xfs_rmap_rec *right, bool shared)
{
	int rc;

	if (!left->rm_blockcount)
		return change(cur, whole, right, shared);
	if (!right->rm_blockcount)
		return change(cur, whole, left, shared);
	/* the record stays the one with the key that can stay */
	if (shared) {
		rc = insert(cur, right, BTREE_EQ);
		return rc ? rc : change(cur, whole, left, true);
	}
	rc = change(cur, whole, right, false);
	return rc ? rc : insert(cur, left, BTREE_GE);
}

int rmap_convert(struct btree_cur *cur, const struct xfs_rmap_rec *rec,
		 bool shared)
{
	struct xfs_rmap_rec was = *rec, whole, all, left, right;
	struct joins j;
	int rc;

	was.rm_unwritten = !rec->rm_unwritten;
	rc = find_whole(cur, &was, shared, &whole);
	if (!rc)
		rc = find_joins(cur, rec, &j);
	if (rc)
		return rc;
	all = join(rec, &j);
	left = part(&whole, whole.rm_startblock, rec->rm_startblock);
	right = part(&whole, end_of(rec), end_of(&whole));
	if (!left.rm_blockcount && !right.rm_blockcount)
		return convert_whole(cur, &whole, &all, &j, shared);
	rc = convert_rest(cur, &whole, &left, &right, shared);
	if (rc)
		return rc;
	if (j.has_left || j.has_right)
		return change(cur, j.has_left ? &j.left : &j.right, &all,
			      shared);
	return insert(cur, rec, left.rm_blockcount || shared ? BTREE_EQ :
		      BTREE_GE);
}

/* --- at once --- */

static struct xfs_rmap_rec record_of(xfs_agblock_t agbno, uint32_t len,
				     const struct rmap_owner *who)
{
	return (struct xfs_rmap_rec){
		.rm_startblock = agbno, .rm_blockcount = len,
		.rm_owner = who->owner,
		.rm_offset = who->bmbt_block ? 0 : who->offset,
		.rm_attr_fork = who->attr_fork,
		.rm_bmbt_block = who->bmbt_block,
	};
}

static int change_by(struct trans *t, struct perag *pag, struct buf *agfbuf,
		     const struct xfs_rmap_rec *rec,
		     int (*fn)(struct btree_cur *cur,
			       const struct xfs_rmap_rec *rec))
{
	struct btree_cur cur;
	int rc;

	if (!t->fs->geom.rmapbt)
		return 0;
	btree_init_ag(&cur, t, &pag->group, XFS_BTREE_RMAP, agfbuf);
	rc = fn(&cur, rec);
	btree_fini(&cur);
	return rc;
}

static int map_own(struct btree_cur *cur, const struct xfs_rmap_rec *rec)
{
	return rmap_map(cur, rec, false);
}

static int unmap_own(struct btree_cur *cur, const struct xfs_rmap_rec *rec)
{
	return rec->rm_owner == XFS_RMAP_OWN_UNKNOWN ?
	       unmap_anyone(cur, rec) : rmap_unmap(cur, rec, false);
}

int rmap_alloc(struct trans *t, struct perag *pag, struct buf *agfbuf,
	       xfs_agblock_t agbno, uint32_t len, const struct rmap_owner *who)
{
	const struct xfs_rmap_rec rec = record_of(agbno, len, who);

	return change_by(t, pag, agfbuf, &rec, map_own);
}

int rmap_free(struct trans *t, struct perag *pag, struct buf *agfbuf,
	      xfs_agblock_t agbno, uint32_t len, const struct rmap_owner *who)
{
	const struct xfs_rmap_rec rec = record_of(agbno, len, who);

	return change_by(t, pag, agfbuf, &rec, unmap_own);
}
