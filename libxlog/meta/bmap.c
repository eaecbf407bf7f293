/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mappings are added and removed here; see bmap.h. What a removal leaves to be
 * done is deferred in the order in which Linux does: first the reverse mapping,
 * then the blocks themselves.
 */
#include "libxfsfmt/logitem_fmt.h"
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/bmap_cur.h"
#include "libxlog/meta/refcount.h"
#include "libxlog/meta/rmap.h"

static uint64_t off_end(const struct xfs_bmbt_rec *rec)
{
	return rec->br_startoff + rec->br_blockcount;
}

static bool is_shared(const struct inode *ip, int whichfork)
{
	return whichfork == XFS_DATA_FORK && ip->di.di_version >= 3 &&
	       ip->di.di_flags2 & XFS_DIFLAG2_REFLINK;
}

/* --- to look --- */

/* The extent at the cursor, or what follows it, that ends behind @off. */
static int find_behind(struct bmap_cur *cur, uint64_t off,
		       struct xfs_bmbt_rec *out, bool *found)
{
	int rc = bmap_cur_seek(cur, off, found);

	if (!rc && *found) {
		rc = bmap_cur_get(cur, out);
		if (rc || off_end(out) > off)
			return rc;
	}
	if (!rc)
		rc = bmap_cur_next(cur, found);
	if (!rc && *found)
		rc = bmap_cur_get(cur, out);
	return rc;
}

int bmap_find(struct trans *t, struct inode *ip, int whichfork, uint64_t off,
	      struct xfs_bmbt_rec *out, bool *found)
{
	struct bmap_cur cur;
	int rc = bmap_cur_init(&cur, t, ip, whichfork);

	if (rc)
		return rc;
	rc = find_behind(&cur, off, out, found);
	bmap_cur_fini(&cur);
	return rc;
}

int bmap_find_last(struct trans *t, struct inode *ip, int whichfork,
		   uint64_t off, struct xfs_bmbt_rec *out, bool *found)
{
	struct bmap_cur cur;
	int rc = bmap_cur_init(&cur, t, ip, whichfork);

	if (rc)
		return rc;
	rc = bmap_cur_seek(&cur, off, found);
	if (!rc && *found)
		rc = bmap_cur_get(&cur, out);
	bmap_cur_fini(&cur);
	return rc;
}

/* --- to add --- */

static bool can_merge(const struct xfs_bmbt_rec *a,
		      const struct xfs_bmbt_rec *b)
{
	return off_end(a) == b->br_startoff &&
	       a->br_startblock + a->br_blockcount == b->br_startblock &&
	       a->br_state == b->br_state &&
	       a->br_blockcount + b->br_blockcount <= BMAP_MAX_BLOCKS;
}

/* The extents around a hole that is to be filled. */
struct around {
	struct xfs_bmbt_rec left, right;
	bool		has_left, has_right;
	bool		join_left, join_right;
};

static int look_around(struct bmap_cur *cur, const struct xfs_bmbt_rec *rec,
		       struct around *a)
{
	int rc = bmap_cur_seek(cur, rec->br_startoff, &a->has_left);

	if (!rc && a->has_left)
		rc = bmap_cur_get(cur, &a->left);
	if (!rc)
		rc = bmap_cur_next(cur, &a->has_right);
	if (!rc && a->has_right)
		rc = bmap_cur_get(cur, &a->right);
	if (rc)
		return rc;
	if ((a->has_left && off_end(&a->left) > rec->br_startoff) ||
	    (a->has_right && off_end(rec) > a->right.br_startoff))
		return bmap_corrupt(cur->ip, cur->whichfork,
				    "%llu blocks at %llu are to be mapped where others are",
				    (unsigned long long)rec->br_blockcount,
				    (unsigned long long)rec->br_startoff);
	a->join_left = a->has_left && can_merge(&a->left, rec);
	a->join_right = a->has_right && can_merge(rec, &a->right) &&
			(!a->join_left ||
			 a->left.br_blockcount + rec->br_blockcount +
			 a->right.br_blockcount <= BMAP_MAX_BLOCKS);
	return 0;
}

/* Change the extent that begins at @off, which is there, into @rec. */
static int change_at(struct bmap_cur *cur, uint64_t off,
		     const struct xfs_bmbt_rec *rec)
{
	bool found;
	int rc = bmap_cur_seek(cur, off, &found);

	if (rc)
		return rc;
	assert(found);
	return bmap_cur_update(cur, rec);
}

static int remove_at(struct bmap_cur *cur, uint64_t off)
{
	bool found;
	int rc = bmap_cur_seek(cur, off, &found);

	if (rc)
		return rc;
	assert(found);
	return bmap_cur_remove(cur);
}

static int fill_hole(struct bmap_cur *cur, const struct xfs_bmbt_rec *rec)
{
	struct around a;
	int rc = look_around(cur, rec, &a);

	if (rc)
		return rc;
	if (a.join_left) {
		a.left.br_blockcount += rec->br_blockcount;
		if (a.join_right) {
			a.left.br_blockcount += a.right.br_blockcount;
			rc = remove_at(cur, a.right.br_startoff);
		}
		return rc ? rc : change_at(cur, a.left.br_startoff, &a.left);
	}
	if (a.join_right) {
		uint64_t off = a.right.br_startoff;

		a.right.br_startoff = rec->br_startoff;
		a.right.br_startblock = rec->br_startblock;
		a.right.br_blockcount += rec->br_blockcount;
		return change_at(cur, off, &a.right);
	}
	return bmap_cur_insert(cur, rec);
}

static int no_space(const struct inode *ip)
{
	return report(&ip->fs->sink, -ENOSPC, "space", XLOG_LSN_NONE,
		      "inode %llu: no space for its extents",
		      (unsigned long long)ip->ino);
}

int bmap_map(struct trans *t, struct inode *ip, int whichfork,
	     const struct xfs_bmbt_rec *rec)
{
	struct bmap_cur cur;
	int rc = bmap_cur_init(&cur, t, ip, whichfork);

	if (rc)
		return rc;
	rc = bmap_cur_judge(&cur, rec);
	if (!rc)
		rc = fill_hole(&cur, rec);
	if (rc == -ENOSPC)
		rc = no_space(ip);
	if (!rc)
		rc = bmap_cur_shrink(&cur);
	bmap_cur_fini(&cur);
	if (rc)
		return rc;
	ip->di.di_nblocks += rec->br_blockcount;
	inode_log(t, ip, XFS_ILOG_CORE);
	return rmap_map_later(t, ip->ino, whichfork, is_shared(ip, whichfork),
			      rec);
}

/* --- to remove --- */

/* @del lies inside of @got, with something left on both sides. */
static int split(struct bmap_cur *cur, const struct xfs_bmbt_rec *got,
		 const struct xfs_bmbt_rec *del)
{
	struct xfs_bmbt_rec left = *got, right = *got;
	int rc;

	left.br_blockcount = del->br_startoff - got->br_startoff;
	right.br_startoff = off_end(del);
	right.br_startblock = del->br_startblock + del->br_blockcount;
	right.br_blockcount = off_end(got) - off_end(del);
	rc = bmap_cur_update(cur, &left);
	if (!rc)
		rc = bmap_cur_insert_behind(cur, &right);
	return rc == -ENOSPC ? no_space(cur->ip) : rc;
}

/* Take @del, all or a part of it, out of @got, where the cursor stands. */
static int cut_out(struct bmap_cur *cur, const struct xfs_bmbt_rec *got,
		   const struct xfs_bmbt_rec *del)
{
	bool at_start = got->br_startoff == del->br_startoff;
	bool at_end = off_end(got) == off_end(del);
	struct xfs_bmbt_rec rest = *got;

	if (at_start && at_end)
		return bmap_cur_remove(cur);
	if (!at_start && !at_end)
		return split(cur, got, del);
	rest.br_blockcount -= del->br_blockcount;
	if (at_start) {
		rest.br_startoff = off_end(del);
		rest.br_startblock += del->br_blockcount;
	}
	return bmap_cur_update(cur, &rest);
}

/* What becomes of blocks that @cur does not map any more. */
static int let_go(struct bmap_cur *cur, const struct xfs_bmbt_rec *del,
		  unsigned int flags)
{
	struct inode *ip = cur->ip;
	bool shared = is_shared(ip, cur->whichfork);
	unsigned int how = 0;
	int rc;

	rc = rmap_unmap_later(cur->t, ip->ino, cur->whichfork, shared, del);
	if (rc || flags & BMAP_REMAP)
		return rc;
	if (shared)
		return refcount_decrease_later(cur->t, del->br_startblock,
					       (uint32_t)del->br_blockcount);
	/* what was never written need not be forgotten by the device */
	if (flags & BMAP_NODISCARD || del->br_state)
		how |= FREE_SKIP_DISCARD;
	return free_extent_later(cur->t, del->br_startblock,
				 (uint32_t)del->br_blockcount, NULL, how);
}

/*
 * The last extent of the range [@off, @end), or what of it is in there.
 * *@next: everything from there to @end is a hole now.
 */
static int unmap_last(struct bmap_cur *cur, uint64_t off, uint64_t end,
		      unsigned int flags, uint64_t *next)
{
	struct xfs_bmbt_rec got, del;
	bool found;
	int rc = bmap_cur_seek(cur, end - 1, &found);

	*next = off;
	if (rc || !found)
		return rc;
	rc = bmap_cur_get(cur, &got);
	if (rc || off_end(&got) <= off)
		return rc;
	del = got;
	if (del.br_startoff < off) {
		del.br_startblock += off - del.br_startoff;
		del.br_blockcount -= off - del.br_startoff;
		del.br_startoff = off;
	}
	if (off_end(&del) > end)
		del.br_blockcount = end - del.br_startoff;
	if (del.br_blockcount > cur->ip->di.di_nblocks)
		return bmap_corrupt(cur->ip, cur->whichfork,
				    "more blocks are mapped than the inode counts");
	rc = cut_out(cur, &got, &del);
	if (!rc)
		rc = let_go(cur, &del, flags);
	if (rc)
		return rc;
	cur->ip->di.di_nblocks -= del.br_blockcount;
	inode_log(cur->t, cur->ip, XFS_ILOG_CORE);
	*next = del.br_startoff;
	return 0;
}

/* Is nothing left in [@off, *@end)? Then *@end is @off. */
static int nothing_left(struct bmap_cur *cur, uint64_t off, uint64_t *end)
{
	struct xfs_bmbt_rec rec;
	bool found = false;
	int rc = 0;

	if (off < *end)
		rc = bmap_cur_seek(cur, *end - 1, &found);
	if (!rc && found)
		rc = bmap_cur_get(cur, &rec);
	if (!rc && (!found || off_end(&rec) <= off))
		*end = off;
	return rc;
}

int bmap_unmap(struct trans *t, struct inode *ip, int whichfork, uint64_t off,
	       uint64_t *len, unsigned int flags, unsigned int extents)
{
	uint64_t end = off + *len;
	struct bmap_cur cur;
	int rc = bmap_cur_init(&cur, t, ip, whichfork);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < extents && off < end && !rc; i++)
		rc = unmap_last(&cur, off, end, flags, &end);
	if (!rc)
		rc = nothing_left(&cur, off, &end);
	if (!rc)
		rc = bmap_cur_shrink(&cur);
	bmap_cur_fini(&cur);
	if (!rc)
		*len = end - off;
	return rc;
}
