/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list is changed where it lies, in the fork of the inode; a tree through
 * its cursor. See bmap_cur.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libxfsfmt/logitem_fmt.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/bmap_cur.h"
#include "libxlog/meta/perag.h"

int bmap_corrupt(const struct inode *ip, int whichfork, const char *fmt, ...)
{
	char what[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return report(&ip->fs->sink, -EUCLEAN, "bmap", XLOG_LSN_NONE,
		      "inode %llu, %s fork: %s", (unsigned long long)ip->ino,
		      whichfork == XFS_ATTR_FORK ? "attribute" : "data", what);
}

/* --- lists --- */

static uint8_t *list_rec(const struct bmap_cur *cur, int64_t pos)
{
	return inode_fork(cur->ip, cur->whichfork, NULL) +
	       (size_t)pos * xfs_bmbt_rec_size;
}

static int64_t list_count(const struct bmap_cur *cur)
{
	return (int64_t)inode_nextents(cur->ip, cur->whichfork);
}

static int64_t list_room(const struct bmap_cur *cur)
{
	uint32_t bytes;

	(void)inode_fork(cur->ip, cur->whichfork, &bytes);
	return bytes / xfs_bmbt_rec_size;
}

static void list_get(const struct bmap_cur *cur, int64_t pos,
		     struct xfs_bmbt_rec *rec)
{
	xfs_bmbt_rec_decode(rec, list_rec(cur, pos), xfs_bmbt_rec_size,
			    XFS_BE);
}

static void list_put(const struct bmap_cur *cur, int64_t pos,
		     const struct xfs_bmbt_rec *rec)
{
	xfs_bmbt_rec_encode(list_rec(cur, pos), rec, 0, XFS_BE);
}

/* How many extents begin at or in front of @off. */
static int64_t list_upto(const struct bmap_cur *cur, uint64_t off)
{
	struct xfs_bmbt_rec rec;
	int64_t n = 0;

	for (; n < list_count(cur); n++) {
		list_get(cur, n, &rec);
		if (rec.br_startoff > off)
			break;
	}
	return n;
}

/* --- what changes with either --- */

static void log_core(struct bmap_cur *cur, int64_t more)
{
	bool attr = cur->whichfork == XFS_ATTR_FORK;
	unsigned int fields = XFS_ILOG_CORE;

	if (more)
		inode_set_nextents(cur->ip, cur->whichfork,
				   (uint64_t)(list_count(cur) + more));
	if (!cur->is_tree)
		fields |= attr ? XFS_ILOG_AEXT : XFS_ILOG_DEXT;
	inode_log(cur->t, cur->ip, fields);
}

static void go_nowhere(struct bmap_cur *cur)
{
	cur->pos = -1;
}

/* --- cursor --- */

static bool has_map(const struct bmap_cur *cur)
{
	unsigned int format = inode_format(cur->ip, cur->whichfork);

	return format == XFS_DINODE_FMT_EXTENTS ||
	       format == XFS_DINODE_FMT_BTREE;
}

int bmap_cur_init(struct bmap_cur *cur, struct trans *t, struct inode *ip,
		  int whichfork)
{
	*cur = (struct bmap_cur){
		.t = t, .ip = ip, .whichfork = whichfork, .pos = -1,
	};
	if (!has_map(cur))
		return bmap_corrupt(ip, whichfork, "has no map of blocks");
	cur->is_tree = inode_format(ip, whichfork) == XFS_DINODE_FMT_BTREE;
	if (!cur->is_tree && list_count(cur) > list_room(cur))
		return bmap_corrupt(ip, whichfork,
				    "more extents than it has room for");
	if (whichfork == XFS_DATA_FORK && list_count(cur) &&
	    ip->di.di_flags & XFS_DIFLAG_REALTIME)
		return report(&ip->fs->sink, -EOPNOTSUPP, "realtime",
			      XLOG_LSN_NONE,
			      "inode %llu: is a realtime file, whose space is not dealt with",
			      (unsigned long long)ip->ino);
	if (cur->is_tree)
		btree_init_fork(&cur->tree, t, ip, whichfork, &bmap_space_ops);
	return 0;
}

void bmap_cur_fini(struct bmap_cur *cur)
{
	if (cur->is_tree)
		btree_fini(&cur->tree);
}

int bmap_cur_seek(struct bmap_cur *cur, uint64_t off, bool *found)
{
	const union btree_rec key = { .bmbt = { .br_startoff = off } };

	if (cur->is_tree)
		return btree_lookup(&cur->tree, BTREE_LE, &key, found);
	cur->pos = list_upto(cur, off) - 1;
	*found = cur->pos >= 0;
	return 0;
}

int bmap_cur_next(struct bmap_cur *cur, bool *found)
{
	if (cur->is_tree)
		return btree_next(&cur->tree, found);
	if (cur->pos < list_count(cur))
		cur->pos++;
	*found = cur->pos < list_count(cur);
	return 0;
}

int bmap_cur_prev(struct bmap_cur *cur, bool *found)
{
	if (cur->is_tree)
		return btree_prev(&cur->tree, found);
	if (cur->pos >= 0)
		cur->pos--;
	*found = cur->pos >= 0;
	return 0;
}

/* Blocks that a file can have: in one group, and none of its headers. */
static bool is_space(struct trans_fs *fs, xfs_fsblock_t fsb, uint64_t len)
{
	const struct xfs_geom *g = &fs->geom;

	return xfs_fsb_ok(g, fsb, len) &&
	       perag_has(perag_of(fs, xfs_fsb_agno(g, fsb)),
			 xfs_fsb_agbno(g, fsb), (uint32_t)len);
}

static const char *judge(const struct bmap_cur *cur,
			 const struct xfs_bmbt_rec *rec)
{
	if (!rec->br_blockcount ||
	    rec->br_blockcount - 1 > BMAP_MAX_OFF - rec->br_startoff)
		return "is no part of a file";
	if (!is_space(cur->ip->fs, rec->br_startblock, rec->br_blockcount))
		return "lies outside the space of files";
	if (rec->br_state && cur->whichfork == XFS_ATTR_FORK)
		return "is not written, which attributes always are";
	return NULL;
}

int bmap_cur_judge(const struct bmap_cur *cur, const struct xfs_bmbt_rec *rec)
{
	const char *why = judge(cur, rec);

	return why ? bmap_corrupt(cur->ip, cur->whichfork,
			"the extent of %llu blocks at %llu, block %llu, %s",
			(unsigned long long)rec->br_blockcount,
			(unsigned long long)rec->br_startoff,
			(unsigned long long)rec->br_startblock, why) : 0;
}

int bmap_cur_get(struct bmap_cur *cur, struct xfs_bmbt_rec *rec)
{
	union btree_rec raw;
	bool found;
	int rc;

	if (cur->is_tree) {
		rc = btree_get(&cur->tree, &raw, &found);
		if (rc)
			return rc;
		assert(found);
		*rec = raw.bmbt;
	} else {
		assert(cur->pos >= 0 && cur->pos < list_count(cur));
		list_get(cur, cur->pos, rec);
	}
	return bmap_cur_judge(cur, rec);
}

int bmap_cur_update(struct bmap_cur *cur, const struct xfs_bmbt_rec *rec)
{
	const union btree_rec raw = { .bmbt = *rec };
	int rc = 0;

	if (cur->is_tree)
		rc = btree_update(&cur->tree, &raw);
	else
		list_put(cur, cur->pos, rec);
	if (!rc)
		log_core(cur, 0);
	return rc;
}

int bmap_cur_remove(struct bmap_cur *cur)
{
	bool done;
	int rc;

	if (!list_count(cur))
		return bmap_corrupt(cur->ip, cur->whichfork,
				    "more extents than it counts");
	if (cur->is_tree) {
		rc = btree_delete(&cur->tree, &done);
		if (rc)
			return rc;
		assert(done);
	} else {
		size_t behind = (size_t)(list_count(cur) - cur->pos - 1);

		memmove(list_rec(cur, cur->pos), list_rec(cur, cur->pos + 1),
			behind * xfs_bmbt_rec_size);
	}
	log_core(cur, -1);
	go_nowhere(cur);
	return 0;
}

/* A list that is full, with one more extent, becomes a tree. */
static int list_to_tree(struct bmap_cur *cur, const struct xfs_bmbt_rec *rec)
{
	int64_t at = list_upto(cur, rec->br_startoff), n = list_count(cur);
	struct xfs_bmbt_rec *recs = calloc((size_t)n + 1, sizeof(*recs));
	bool done;
	int rc;

	if (!recs)
		return report(&cur->ip->fs->sink, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory");
	for (int64_t i = 0; i < n; i++)
		list_get(cur, i, &recs[i < at ? i : i + 1]);
	recs[at] = *rec;
	btree_init_fork(&cur->tree, cur->t, cur->ip, cur->whichfork,
			&bmap_space_ops);
	rc = btree_from_extents(&cur->tree, recs, (uint32_t)n + 1, &done);
	if (!rc && !done)
		rc = -ENOSPC;
	if (rc)
		btree_fini(&cur->tree);
	cur->is_tree = !rc;
	free(recs);
	return rc;
}

static int tree_insert(struct bmap_cur *cur, const struct xfs_bmbt_rec *rec)
{
	const union btree_rec raw = { .bmbt = *rec };
	bool found, done;
	int rc = btree_lookup(&cur->tree, BTREE_EQ, &raw, &found);

	if (!rc && found)
		rc = bmap_corrupt(cur->ip, cur->whichfork,
				  "block %llu is mapped twice",
				  (unsigned long long)rec->br_startoff);
	if (!rc)
		rc = btree_insert(&cur->tree, &raw, &done);
	return rc ? rc : done ? 0 : -ENOSPC;
}

/*
 * Where a leaf ends it matters which way a place was reached: behind the
 * record where the cursor stands is then in front of the next leaf's first.
 */
static int tree_insert_behind(struct bmap_cur *cur,
			      const struct xfs_bmbt_rec *rec)
{
	const union btree_rec raw = { .bmbt = *rec };
	bool found, done;
	int rc = btree_next(&cur->tree, &found);

	if (!rc)
		rc = btree_insert(&cur->tree, &raw, &done);
	return rc ? rc : done ? 0 : -ENOSPC;
}

static int insert(struct bmap_cur *cur, const struct xfs_bmbt_rec *rec,
		  bool behind)
{
	int64_t at;
	int rc = 0;

	if (cur->is_tree) {
		rc = behind ? tree_insert_behind(cur, rec) :
			      tree_insert(cur, rec);
	} else if (list_count(cur) >= list_room(cur)) {
		rc = list_to_tree(cur, rec);
	} else {
		at = list_upto(cur, rec->br_startoff);
		memmove(list_rec(cur, at + 1), list_rec(cur, at),
			(size_t)(list_count(cur) - at) * xfs_bmbt_rec_size);
		list_put(cur, at, rec);
	}
	if (!rc)
		log_core(cur, 1);
	go_nowhere(cur);
	return rc;
}

int bmap_cur_insert(struct bmap_cur *cur, const struct xfs_bmbt_rec *rec)
{
	return insert(cur, rec, false);
}

int bmap_cur_insert_behind(struct bmap_cur *cur,
			   const struct xfs_bmbt_rec *rec)
{
	return insert(cur, rec, true);
}

int bmap_cur_shrink(struct bmap_cur *cur)
{
	bool done = false;
	int rc;

	if (!cur->is_tree || list_count(cur) > list_room(cur))
		return 0;
	rc = btree_to_extents(&cur->tree, &done);
	if (rc || !done)
		return rc;
	btree_fini(&cur->tree);
	cur->is_tree = false;
	log_core(cur, 0);
	go_nowhere(cur);
	return 0;
}
