/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space for the blocks of a fork, taken where the file goes on in it.
 */
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/bmap_cur.h"

static xfs_fsblock_t inode_fsb(const struct inode *ip)
{
	const struct xfs_geom *g = &ip->fs->geom;

	return (uint64_t)xfs_ino_agno(g, ip->ino) << g->agblklog |
	       xfs_ino_agbno(g, ip->ino);
}

/* @fsb, if it is a block of the group of @of; else @of. */
static xfs_fsblock_t in_group(const struct xfs_geom *g, xfs_fsblock_t fsb,
			      xfs_fsblock_t of)
{
	return xfs_fsb_ok(g, fsb, 1) &&
	       xfs_fsb_agno(g, fsb) == xfs_fsb_agno(g, of) ? fsb : of;
}

/*
 * Where block @off of the fork would best lie: as far behind the extent in
 * front of it as in the file, or as far in front of the next one; *@room: up
 * to @len blocks from @off, of which none is mapped.
 */
static int choose(struct bmap_cur *cur, uint64_t off, uint64_t *room,
		  xfs_fsblock_t *target)
{
	const struct xfs_geom *g = &cur->ip->fs->geom;
	struct xfs_bmbt_rec rec;
	bool has_left, has_right;
	int rc = bmap_cur_seek(cur, off, &has_left);

	*target = inode_fsb(cur->ip);
	if (!rc && has_left) {
		rc = bmap_cur_get(cur, &rec);
		if (rc)
			return rc;
		if (rec.br_startoff + rec.br_blockcount > off)
			return bmap_corrupt(cur->ip, cur->whichfork,
					    "block %llu is mapped already",
					    (unsigned long long)off);
		*target = in_group(g, rec.br_startblock +
				   (off - rec.br_startoff),
				   rec.br_startblock + rec.br_blockcount - 1);
	}
	if (!rc)
		rc = bmap_cur_next(cur, &has_right);
	if (!rc && has_right) {
		rc = bmap_cur_get(cur, &rec);
		if (rc)
			return rc;
		if (*room > rec.br_startoff - off)
			*room = rec.br_startoff - off;
		if (!has_left && rec.br_startblock > rec.br_startoff - off)
			*target = in_group(g, rec.br_startblock -
					   (rec.br_startoff - off),
					   rec.br_startblock);
	}
	return rc;
}

/* As much as can be had in one piece, from @least to @a->maxlen blocks. */
static int take(struct alloc_args *a, xfs_fsblock_t target, uint32_t least)
{
	int rc;

	for (a->minlen = a->maxlen;; a->minlen /= 2) {
		if (a->minlen < least)
			a->minlen = least;
		rc = alloc_start_ag(a, target);
		if (rc || a->fsb != XFS_NULL_FSBLOCK || a->minlen == least)
			break;
	}
	if (!rc && a->fsb == XFS_NULL_FSBLOCK) {
		/* whatever is left after this: better than nothing */
		a->minleft = 0;
		a->total = a->minlen;
		rc = alloc_start_ag(a, 0);
	}
	if (!rc && a->fsb == XFS_NULL_FSBLOCK) {
		/* what trees may want some time, which is more than Linux does */
		a->use_reserved = true;
		rc = alloc_start_ag(a, 0);
	}
	return rc;
}

int bmap_write(struct trans *t, struct inode *ip, int whichfork, uint64_t off,
	       uint32_t len, unsigned int flags, uint32_t total,
	       struct xfs_bmbt_rec *out)
{
	uint64_t room = len < BMAP_MAX_BLOCKS ? len : BMAP_MAX_BLOCKS;
	struct alloc_args a = {
		.t = t, .prod = 1, .total = total,
		.owner = rmap_special(XFS_RMAP_OWN_NULL),
	};
	xfs_fsblock_t target;
	struct bmap_cur cur;
	int rc = bmap_cur_init(&cur, t, ip, whichfork);

	if (rc)
		return rc;
	a.minleft = cur.is_tree && cur.tree.nlevels > 1 ? cur.tree.nlevels : 1;
	rc = choose(&cur, off, &room, &target);
	bmap_cur_fini(&cur);
	a.maxlen = (uint32_t)room;
	if (!rc && flags & BMAP_CONTIGUOUS && room < len)
		rc = bmap_corrupt(ip, whichfork,
				  "no hole of %u blocks at block %llu", len,
				  (unsigned long long)off);
	if (!rc)
		rc = take(&a, target, flags & BMAP_CONTIGUOUS ? len : 1);
	if (rc)
		return rc;
	if (a.fsb == XFS_NULL_FSBLOCK)
		return -ENOSPC;
	*out = (struct xfs_bmbt_rec){
		.br_startoff = off, .br_startblock = a.fsb,
		.br_blockcount = a.len,
	};
	return bmap_map(t, ip, whichfork, out);
}
