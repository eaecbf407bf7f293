/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A map is looked at as a whole: to go through it, or to be sure of it before
 * something is changed that cannot be undone.
 */
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/bmap_cur.h"

int bmap_each(struct trans *t, struct inode *ip, int whichfork,
	      int (*fn)(void *ctx, const struct xfs_bmbt_rec *rec), void *ctx)
{
	uint64_t count = 0, next = 0;
	struct xfs_bmbt_rec rec;
	struct bmap_cur cur;
	bool found;
	int rc = bmap_cur_init(&cur, t, ip, whichfork);

	if (rc)
		return rc;
	rc = bmap_cur_seek(&cur, 0, &found);
	if (!rc && !found)
		rc = bmap_cur_next(&cur, &found);
	while (!rc && found) {
		rc = bmap_cur_get(&cur, &rec);
		if (!rc && (rec.br_startoff < next ||
			    count == inode_nextents(ip, whichfork)))
			rc = bmap_corrupt(ip, whichfork,
					  "extent %llu overlaps, or is one too many",
					  (unsigned long long)count);
		if (!rc)
			rc = fn(ctx, &rec);
		next = rec.br_startoff + rec.br_blockcount;
		count++;
		if (!rc)
			rc = bmap_cur_next(&cur, &found);
	}
	bmap_cur_fini(&cur);
	if (!rc && count != inode_nextents(ip, whichfork))
		rc = bmap_corrupt(ip, whichfork,
				  "%llu extents, but the inode counts %llu",
				  (unsigned long long)count,
				  (unsigned long long)inode_nextents(ip, whichfork));
	return rc;
}

static int add_blocks(void *ctx, const struct xfs_bmbt_rec *rec)
{
	uint64_t *blocks = ctx;

	*blocks += rec->br_blockcount;
	return 0;
}

static int add_one(struct btree_cur *cur, unsigned int level, uint64_t block,
		   struct buf *buf, void *ctx)
{
	uint64_t *blocks = ctx;

	(void)cur;
	(void)level;
	(void)block;
	(void)buf;
	++*blocks;
	return 0;
}

/* Add the blocks of a fork, and of its tree, to *@blocks. */
static int count_fork(struct inode *ip, int whichfork, uint64_t *blocks)
{
	unsigned int format = inode_format(ip, whichfork);
	struct bmap_cur cur;
	int rc;

	if (format != XFS_DINODE_FMT_EXTENTS && format != XFS_DINODE_FMT_BTREE)
		return 0;
	rc = bmap_each(NULL, ip, whichfork, add_blocks, blocks);
	if (rc || format == XFS_DINODE_FMT_EXTENTS)
		return rc;
	rc = bmap_cur_init(&cur, NULL, ip, whichfork);
	if (rc)
		return rc;
	rc = btree_each_block(&cur.tree, add_one, blocks);
	bmap_cur_fini(&cur);
	return rc;
}

int bmap_check(struct inode *ip)
{
	uint64_t blocks = 0;
	int rc = count_fork(ip, XFS_DATA_FORK, &blocks);

	if (!rc)
		rc = count_fork(ip, XFS_ATTR_FORK, &blocks);
	if (!rc && blocks != ip->di.di_nblocks)
		rc = report(&ip->fs->sink, -EUCLEAN, "bmap", XLOG_LSN_NONE,
			    "inode %llu: has %llu blocks, but counts %llu",
			    (unsigned long long)ip->ino,
			    (unsigned long long)blocks,
			    (unsigned long long)ip->di.di_nblocks);
	return rc;
}

/* --- counters --- */

static uint64_t most_extents(const struct inode *ip, int whichfork)
{
	bool large = ip->di.di_version >= 3 &&
		     ip->di.di_flags2 & XFS_DIFLAG2_NREXT64;

	if (whichfork == XFS_ATTR_FORK)
		return large ? UINT32_MAX : INT16_MAX;
	return large ? ((uint64_t)1 << 48) - 1 : INT32_MAX;
}

int bmap_count_extend(struct trans *t, struct inode *ip, int whichfork,
		      uint64_t more)
{
	uint64_t data = inode_nextents(ip, XFS_DATA_FORK);
	uint64_t attr = inode_nextents(ip, XFS_ATTR_FORK);
	uint64_t now = whichfork == XFS_ATTR_FORK ? attr : data;

	if (now + more <= most_extents(ip, whichfork))
		return 0;
	if (ip->di.di_version >= 3 && ip->fs->geom.nrext64 &&
	    !(ip->di.di_flags2 & XFS_DIFLAG2_NREXT64)) {
		ip->di.di_flags2 |= XFS_DIFLAG2_NREXT64;
		ip->di.di_nrext64_pad = 0;
		inode_set_nextents(ip, XFS_DATA_FORK, data);
		inode_set_nextents(ip, XFS_ATTR_FORK, attr);
		inode_log(t, ip, XFS_ILOG_CORE);
	}
	if (now + more <= most_extents(ip, whichfork))
		return 0;
	return report(&ip->fs->sink, -EFBIG, "bmap", XLOG_LSN_NONE,
		      "inode %llu: cannot have more extents",
		      (unsigned long long)ip->ino);
}
