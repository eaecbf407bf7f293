/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lies where in a group of an empty filesystem. Headers and roots come
 * first, and the log, if it is here; of what is left, blocks are set aside for
 * the btrees and the first group gets a chunk of inodes, each taken as the
 * allocator of Linux would: a filesystem with its first file on it looks the
 * same whoever made it.
 */
#include "libxlog/meta/meta.h"

enum {
	AG_HEADERS = 4,		/* sectors: superblock, AGF, AGI, AGFL */
	/* What the allocator keeps for the btrees of free space. */
	AGFL_RESERVE = 4,
};

static uint32_t header_blocks(const struct xfs_geom *g)
{
	return (AG_HEADERS * g->sectsize + g->blocksize - 1) >> g->blocklog;
}

static unsigned int root_count(const struct xfs_geom *g)
{
	return 3u + g->finobt + g->rmapbt + g->reflink;
}

uint32_t ag_prealloc_blocks(const struct xfs_geom *g)
{
	return header_blocks(g) + root_count(g);
}

uint32_t ag_usable_blocks(const struct xfs_geom *g)
{
	uint32_t used = ag_prealloc_blocks(g) + AGFL_RESERVE;

	return used < g->agblocks ? g->agblocks - used : 0;
}

uint32_t ag_chunk_inodes(const struct xfs_geom *g)
{
	return g->inopblock > CHUNK_INODES ? g->inopblock : CHUNK_INODES;
}

static bool has_root(const struct xfs_geom *g, enum xfs_btree_kind kind)
{
	return kind == XFS_BTREE_FINO ? g->finobt :
	       kind == XFS_BTREE_RMAP ? g->rmapbt :
	       kind == XFS_BTREE_REFC ? g->reflink : kind <= XFS_BTREE_INO;
}

xfs_agblock_t ag_first_root(const struct xfs_geom *g, enum xfs_btree_kind kind)
{
	xfs_agblock_t at = header_blocks(g);

	for (int k = XFS_BTREE_BNO; k < (int)kind; k++)
		at += has_root(g, (enum xfs_btree_kind)k);
	return at;
}

static void place_roots(struct ag_layout *l, const struct xfs_geom *g)
{
	for (int k = XFS_BTREE_BNO; k <= XFS_BTREE_REFC; k++)
		if (has_root(g, (enum xfs_btree_kind)k))
			l->root[k] = ag_first_root(g, (enum xfs_btree_kind)k);
}

/* --- free space --- */

static uint32_t end_of(const struct ag_extent *e)
{
	return e->start + e->len;
}

/* Take [@start, @start + @len), which lies in one of the free extents. */
static void take(struct ag_layout *l, xfs_agblock_t start, uint32_t len)
{
	struct ag_extent left = { 0 }, right = { 0 }, old;
	unsigned int i = 0, n = 0;
	struct ag_extent kept[AG_FREE_MAX + 1];

	for (; i < l->nfree; i++) {
		old = l->free[i];
		if (start < old.start || start >= end_of(&old)) {
			kept[n++] = old;
			continue;
		}
		left = (struct ag_extent){ old.start, start - old.start };
		right = (struct ag_extent){ start + len,
					    end_of(&old) - start - len };
		if (left.len)
			kept[n++] = left;
		if (right.len)
			kept[n++] = right;
	}
	/* the log, the free list and the inodes cut three times at most */
	assert(n <= AG_FREE_MAX);
	memcpy(l->free, kept, n * sizeof(kept[0]));
	l->nfree = n;
}

static bool place_log(struct ag_layout *l, const struct format_plan *p)
{
	const struct xfs_geom *g = &p->geom;
	xfs_agblock_t start = xfs_fsb_agbno(g, p->sb.sb_logstart);

	if (!p->sb.sb_logstart ||
	    xfs_fsb_agno(g, p->sb.sb_logstart) != l->agno)
		return true;
	if (start < l->free[0].start || start >= l->blocks ||
	    p->sb.sb_logblocks > l->blocks - start)
		return false;
	l->log = (struct ag_extent){ start, p->sb.sb_logblocks };
	take(l, l->log.start, l->log.len);
	return true;
}

/* The free list may have to feed one more level of each btree. */
static uint32_t agfl_need(const struct format_plan *p)
{
	const struct xfs_levels *lv = &p->levels;
	uint32_t alloc = lv->alloc < 2 ? lv->alloc : 2;
	uint32_t rmap = lv->rmap < 2 ? lv->rmap : 2;

	return 2 * alloc + (p->geom.rmapbt ? rmap : 0);
}

static uint32_t sum_free(const struct ag_layout *l)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < l->nfree; i++)
		sum += l->free[i].len;
	return sum;
}

/* The first extent that has room for @need, or else the last of all. */
static struct ag_extent pick_free(const struct ag_layout *l, uint32_t need)
{
	for (unsigned int i = 0; i < l->nfree; i++)
		if (l->free[i].len >= need)
			return l->free[i];
	return l->free[l->nfree - 1];
}

/*
 * A group that the log takes nearly whole goes without: nothing will ever be
 * freed there.
 */
static void place_agfl(struct ag_layout *l, const struct format_plan *p)
{
	uint32_t need = agfl_need(p);

	if (sum_free(l) < need)
		return;
	while (need) {
		struct ag_extent e = pick_free(l, need);

		if (e.len > need)
			e.len = need;
		l->agfl[l->nagfl++] = e;
		take(l, e.start, e.len);
		need -= e.len;
	}
}

/* --- inodes --- */

static uint32_t align_up(uint32_t n, uint32_t align)
{
	return (n + align - 1) / align * align;
}

/* As near to the headers as it goes, but behind the log. */
static bool place_chunk(struct ag_layout *l, uint32_t len, uint32_t align)
{
	for (unsigned int i = 0; i < l->nfree; i++) {
		const struct ag_extent *e = &l->free[i];
		uint32_t start = align_up(e->start, align);

		if (start < end_of(&l->log) || start < e->start || start >= end_of(e) ||
		    len > end_of(e) - start)
			continue;
		l->inodes = (struct ag_extent){ start, len };
		take(l, start, len);
		return true;
	}
	return false;
}

/*
 * The root inode has to be where xfs_repair will look for it: behind all that
 * comes first, without gaps, and aligned.
 */
static bool place_inodes(struct ag_layout *l, const struct format_plan *p)
{
	const struct xfs_sb *sb = &p->sb;
	uint32_t len = ag_chunk_inodes(&p->geom) >> sb->sb_inopblog;
	uint32_t align = sb->sb_inoalignmt ? sb->sb_inoalignmt : 1;
	uint32_t first = ag_prealloc_blocks(&p->geom) + agfl_need(p) +
			 l->log.len;

	if (l->agno)
		return true;
	/* on whole stripes if these keep the alignment */
	if (sb->sb_unit && align > 1 && !(sb->sb_unit & (align - 1)))
		align = sb->sb_unit;
	return place_chunk(l, len, align) &&
	       l->inodes.start == align_up(first, align);
}

bool ag_layout_init(struct ag_layout *l, const struct format_plan *p,
		    xfs_agnumber_t agno)
{
	const struct xfs_geom *g = &p->geom;
	uint32_t prealloc = ag_prealloc_blocks(g);

	*l = (struct ag_layout){ .agno = agno,
				 .blocks = xfs_ag_blocks(g, agno) };
	if (l->blocks <= prealloc)
		return false;
	place_roots(l, g);
	l->free[0] = (struct ag_extent){ prealloc, l->blocks - prealloc };
	l->nfree = 1;
	if (!place_log(l, p))
		return false;
	place_agfl(l, p);
	return place_inodes(l, p);
}
