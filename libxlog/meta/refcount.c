/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of reference counts. A range of blocks begins and ends where records
 * do, once those that reach beyond it were split. At its ends it joins with
 * neighbours that have the count that it will have; for what is left in the
 * middle, each record is changed, and each gap, whose blocks have one owner.
 */
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/refcount_priv.h"

enum {
	/* Of the log, for each record that is changed. */
	RECORD_BYTES = 32,
};

#define COUNT_MAX	UINT32_MAX	/* it stays so: nobody knows any more */

static uint64_t end_of(const struct xfs_refcount_rec *r)
{
	return r->rc_startblock + r->rc_blockcount;
}

/* --- records --- */

static int bad_record(const struct refcount_cur *rc,
		      const struct xfs_refcount_rec *r)
{
	return perag_corrupt(rc->pag, "refcountbt.record",
			     "count %u%s of %u blocks from block %u",
			     r->rc_refcount, r->rc_cow ? ", copy on write," : "",
			     r->rc_blockcount, (uint32_t)r->rc_startblock);
}

static int get(struct refcount_cur *rc, struct xfs_refcount_rec *rec,
	       bool *found)
{
	union btree_rec r;
	int error = btree_get(&rc->cur, &r, found);

	if (error || !*found)
		return error;
	*rec = r.refc;
	if (!perag_has(rc->pag, (uint32_t)rec->rc_startblock,
		       rec->rc_blockcount) ||
	    (rec->rc_cow ? rec->rc_refcount != 1 : rec->rc_refcount < 2))
		return bad_record(rc, rec);
	return 0;
}

/* A record of the other domain is not found. */
static int lookup(struct refcount_cur *rc, enum btree_dir dir, bool cow,
		  xfs_agblock_t start, struct xfs_refcount_rec *rec,
		  bool *found)
{
	const union btree_rec key = { .refc = {
		.rc_cow = cow, .rc_startblock = start,
	} };
	int error = btree_lookup(&rc->cur, dir, &key, found);

	if (!error && *found)
		error = get(rc, rec, found);
	if (!error && *found && !!rec->rc_cow != cow)
		*found = false;
	return error;
}

static int stand_at(struct refcount_cur *rc, const struct xfs_refcount_rec *rec)
{
	struct xfs_refcount_rec at;
	bool found;
	int error = lookup(rc, BTREE_EQ, rec->rc_cow,
			   (uint32_t)rec->rc_startblock, &at, &found);

	return error || found ? error : bad_record(rc, rec);
}

static int update(struct refcount_cur *rc, const struct xfs_refcount_rec *old,
		  const struct xfs_refcount_rec *now)
{
	int error = stand_at(rc, old);

	return error ? error :
	       btree_update(&rc->cur, &(union btree_rec){ .refc = *now });
}

static int delete(struct refcount_cur *rc, const struct xfs_refcount_rec *old)
{
	bool done;
	int error = stand_at(rc, old);

	return error ? error : btree_delete(&rc->cur, &done);
}

static int insert(struct refcount_cur *rc, const struct xfs_refcount_rec *now)
{
	struct xfs_refcount_rec there;
	bool found, done;
	/* between two leaves: into the second one */
	int error = lookup(rc, BTREE_GE, now->rc_cow,
			   (uint32_t)now->rc_startblock, &there, &found);

	if (error)
		return error;
	if (found && there.rc_startblock < end_of(now))
		return bad_record(rc, &there);
	error = btree_insert(&rc->cur, &(union btree_rec){ .refc = *now },
			     &done);
	if (error || done)
		return error;
	return report(&rc->cur.fs->sink, -ENOSPC, "refcountbt.space",
		      XLOG_LSN_NONE,
		      "AG %u: no space for the tree of reference counts",
		      rc->pag->group.agno);
}

/* --- a range of blocks --- */

struct range {
	bool		cow;
	int		delta;		/* of the counts */
	xfs_agblock_t	agbno;
	uint32_t	len;
};

static xfs_agblock_t range_end(const struct range *r)
{
	return r->agbno + r->len;
}

/* The record that @at lies in, but not first, becomes two. */
static int split_at(struct refcount_cur *rc, bool cow, xfs_agblock_t at,
		    bool *changed)
{
	struct xfs_refcount_rec rec, low, high;
	bool found;
	int error = lookup(rc, BTREE_LE, cow, at, &rec, &found);

	if (error || !found || rec.rc_startblock == at || end_of(&rec) <= at)
		return error;
	low = high = rec;
	high.rc_startblock = at;
	high.rc_blockcount = (uint32_t)end_of(&rec) - at;
	low.rc_blockcount = at - (uint32_t)rec.rc_startblock;
	*changed = true;
	error = update(rc, &rec, &high);
	return error ? error : insert(rc, &low);
}

/*
 * What lies on both sides of one end of a range. A gap counts as a record of
 * one owner.
 */
struct border {
	bool		there;		/* is there an outer record? */
	struct xfs_refcount_rec outer, inner;
};

static void set_gap(struct xfs_refcount_rec *rec, const struct range *r,
		    xfs_agblock_t start, xfs_agblock_t end)
{
	*rec = (struct xfs_refcount_rec){
		.rc_cow = r->cow, .rc_startblock = start,
		.rc_blockcount = end - start, .rc_refcount = 1,
	};
}

static int find_left(struct refcount_cur *rc, const struct range *r,
		     struct border *b)
{
	struct xfs_refcount_rec rec;
	xfs_agblock_t end = range_end(r);
	bool found;
	int error = lookup(rc, BTREE_LE, r->cow, r->agbno - 1, &b->outer,
			   &b->there);

	b->there = !error && b->there && end_of(&b->outer) == r->agbno;
	if (error || !b->there)
		return error;
	error = lookup(rc, BTREE_GE, r->cow, r->agbno, &rec, &found);
	if (error)
		return error;
	if (found && rec.rc_startblock == r->agbno)
		b->inner = rec;
	else
		set_gap(&b->inner, r, r->agbno, found &&
			rec.rc_startblock < end ?
			(uint32_t)rec.rc_startblock : end);
	return 0;
}

static int find_right(struct refcount_cur *rc, const struct range *r,
		      struct border *b)
{
	struct xfs_refcount_rec rec;
	xfs_agblock_t end = range_end(r);
	bool found;
	int error = lookup(rc, BTREE_EQ, r->cow, end, &b->outer, &b->there);

	if (error || !b->there)
		return error;
	error = lookup(rc, BTREE_LE, r->cow, end - 1, &rec, &found);
	if (error)
		return error;
	if (found && end_of(&rec) == end)
		b->inner = rec;
	else
		set_gap(&b->inner, r, found && end_of(&rec) > r->agbno ?
			(uint32_t)end_of(&rec) : r->agbno, end);
	return 0;
}

/* Will the blocks on both sides have the same count, and fit in one record? */
static bool can_join(const struct range *r, const struct border *b)
{
	return b->there &&
	       b->outer.rc_refcount ==
	       (int64_t)b->inner.rc_refcount + r->delta &&
	       (uint64_t)b->outer.rc_blockcount + b->inner.rc_blockcount <
	       UINT32_MAX;
}

/*
 * Take the inner record, if it is none of a gap, out of the tree. In the domain
 * of copy on write nothing joins but gaps.
 */
static int drop_inner(struct refcount_cur *rc, const struct border *b)
{
	return b->inner.rc_refcount == 1 ? 0 : delete(rc, &b->inner);
}

static int join_left(struct refcount_cur *rc, struct range *r,
		     const struct border *b)
{
	struct xfs_refcount_rec now = b->outer;
	int error = drop_inner(rc, b);

	now.rc_blockcount += b->inner.rc_blockcount;
	if (!error)
		error = update(rc, &b->outer, &now);
	r->agbno += b->inner.rc_blockcount;
	r->len -= b->inner.rc_blockcount;
	return error;
}

static int join_right(struct refcount_cur *rc, struct range *r,
		      const struct border *b)
{
	struct xfs_refcount_rec now = b->outer;
	int error = drop_inner(rc, b);

	now.rc_startblock = b->inner.rc_startblock;
	now.rc_blockcount += b->inner.rc_blockcount;
	if (!error)
		error = update(rc, &b->outer, &now);
	r->len -= b->inner.rc_blockcount;
	return error;
}

static int join_both(struct refcount_cur *rc, struct range *r,
		     const struct border *left, const struct border *right)
{
	struct xfs_refcount_rec now = left->outer;
	int error = drop_inner(rc, left);

	now.rc_blockcount += left->inner.rc_blockcount +
			     right->outer.rc_blockcount;
	if (!error)
		error = delete(rc, &right->outer);
	if (!error)
		error = update(rc, &left->outer, &now);
	r->agbno += r->len;
	r->len = 0;
	return error;
}

/* As far as the blocks at the ends join with neighbours, they are done. */
static int join_ends(struct refcount_cur *rc, struct range *r, bool *changed)
{
	struct border left = { .there = false }, right = { .there = false };
	uint64_t all;
	bool whole;
	int error = find_left(rc, r, &left);

	if (!error)
		error = find_right(rc, r, &right);
	if (error)
		return error;
	whole = left.there && right.there &&
		left.inner.rc_startblock == right.inner.rc_startblock &&
		left.inner.rc_blockcount == right.inner.rc_blockcount;
	all = (uint64_t)left.outer.rc_blockcount + left.inner.rc_blockcount +
	      right.outer.rc_blockcount;
	if (whole && can_join(r, &left) && can_join(r, &right) &&
	    all < UINT32_MAX) {
		*changed = true;
		return join_both(rc, r, &left, &right);
	}
	if (can_join(r, &left)) {
		*changed = true;
		error = join_left(rc, r, &left);
		if (error || whole)
			return error;
	}
	if (can_join(r, &right)) {
		*changed = true;
		error = join_right(rc, r, &right);
	}
	return error;
}

static int check_range(const struct refcount_cur *rc, const struct range *r)
{
	if (perag_has(rc->pag, r->agbno, r->len))
		return 0;
	return perag_corrupt(rc->pag, "refcount.range",
			     "%u blocks from block %u cannot be shared",
			     r->len, r->agbno);
}

/* Make the range one of whole records, and join its ends. */
static int prepare(struct refcount_cur *rc, struct range *r)
{
	bool changed = false;
	int error = split_at(rc, r->cow, r->agbno, &changed);

	if (!error)
		error = split_at(rc, r->cow, range_end(r), &changed);
	if (!error)
		error = join_ends(rc, r, &changed);
	rc->shapes += changed;
	return error;
}

/* --- shared blocks --- */

/*
 * Is there room in the log for another record? At worst, every change of shape
 * has split trees of free space and of owners from top to bottom.
 */
static bool has_room(const struct refcount_cur *rc)
{
	const struct trans *t = rc->cur.t;
	uint64_t bytes = alloc_log_blocks(rc->pag, rc->shapes) +
			 rc->pag->levels.refc;

	bytes = bytes * t->fs->geom.blocksize +
		(uint64_t)rc->records * RECORD_BYTES;
	return !rc->records || bytes < t->res->logres_bytes;
}

/* The first blocks of the range have one owner up to now. */
static int adjust_gap(struct refcount_cur *rc, const struct range *r,
		      uint32_t len)
{
	rc->records++;
	if (r->delta > 0)
		return insert(rc, &(struct xfs_refcount_rec){
			.rc_startblock = r->agbno, .rc_blockcount = len,
			.rc_refcount = 2,
		});
	return free_extent_later(rc->cur.t, perag_fsb(rc->pag, r->agbno), len,
				 NULL, 0);
}

static int adjust_record(struct refcount_cur *rc, const struct range *r,
			 const struct xfs_refcount_rec *rec)
{
	struct xfs_refcount_rec now = *rec;

	if (rec->rc_blockcount > r->len)
		return bad_record(rc, rec);
	if (rec->rc_refcount == COUNT_MAX)
		return 0;
	rc->records++;
	now.rc_refcount += (uint32_t)r->delta;
	return now.rc_refcount > 1 ? update(rc, rec, &now) : delete(rc, rec);
}

int refcount_adjust(struct refcount_cur *rc, xfs_agblock_t *agbno,
		    uint32_t *len, bool more)
{
	struct range r = {
		.delta = more ? 1 : -1, .agbno = *agbno, .len = *len,
	};
	int error = check_range(rc, &r);

	if (!error)
		error = prepare(rc, &r);
	while (!error && r.len && has_room(rc)) {
		struct xfs_refcount_rec rec;
		uint32_t n = r.len;
		bool found;

		error = lookup(rc, BTREE_GE, false, r.agbno, &rec, &found);
		if (error)
			break;
		if (found && rec.rc_startblock == r.agbno) {
			n = rec.rc_blockcount;
			error = adjust_record(rc, &r, &rec);
		} else {
			if (found && rec.rc_startblock - r.agbno < n)
				n = (uint32_t)rec.rc_startblock - r.agbno;
			error = adjust_gap(rc, &r, n);
		}
		r.agbno += n;
		r.len -= n;
	}
	*agbno = r.agbno;
	*len = r.len;
	return error;
}

/* --- copy on write --- */

/* Before anything is changed: is the range as it has to be? */
static int check_cow(struct refcount_cur *rc, const struct range *r, bool on)
{
	struct xfs_refcount_rec rec;
	bool found;
	int error = lookup(rc, BTREE_LE, true, range_end(r) - 1, &rec, &found);

	if (error)
		return error;
	if (on ? !found || end_of(&rec) <= r->agbno :
	    found && rec.rc_startblock <= r->agbno &&
	    end_of(&rec) >= range_end(r))
		return 0;
	return perag_corrupt(rc->pag, "refcountbt.cow",
			     "%u blocks from block %u are%s set aside for copy on write",
			     r->len, r->agbno, on ? " already" : " not");
}

int refcount_set_cow(struct refcount_cur *rc, xfs_agblock_t agbno,
		     uint32_t len, bool on)
{
	struct range r = {
		.cow = true, .delta = on ? 0 : -1, .agbno = agbno, .len = len,
	};
	struct xfs_refcount_rec rec;
	int error = check_range(rc, &r);

	if (!error)
		error = check_cow(rc, &r, on);
	if (!error)
		error = prepare(rc, &r);
	if (error || !r.len)
		return error;
	set_gap(&rec, &r, r.agbno, range_end(&r));
	return on ? insert(rc, &rec) : delete(rc, &rec);
}
