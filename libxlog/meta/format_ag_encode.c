/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first blocks of a group as bytes: superblock, AGF, AGI, AGFL, and a leaf
 * for each btree, from the layout of the group.
 */
#include "libxfsfmt/ag.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/logitem_fmt.h"
#include "libxlog/meta/format_priv.h"

enum {
	/* The list of free blocks is a ring, which begins here. */
	AGFL_FIRST = 1,
	AG_VERSION = 1,
	RMAP_MAX = 16,
};

static void put_crc(void *raw, size_t len_bytes, size_t crc_off)
{
	put_le32((uint8_t *)raw + crc_off,
		 xfs_crc_block(raw, len_bytes, crc_off));
}

/* --- superblocks --- */

void format_sb_encode(void *raw, const struct xfs_sb *sb)
{
	memset(raw, 0, sb->sb_sectsize);
	xfs_sb_encode(raw, sb, XFS_SB_V5, XFS_BE);
	put_crc(raw, sb->sb_sectsize, XFS_SB_CRC_OFF);
}

/*
 * Copies are of the time before there were inodes, and are marked as of a
 * filesystem that is not finished. Two of them know where the root inode is,
 * in case the first superblock is lost.
 */
static void copy_encode(void *raw, const struct format_plan *p,
			const uint8_t uuid[16], xfs_agnumber_t agno)
{
	struct xfs_sb sb = p->sb;
	uint32_t last = sb.sb_agcount - 1;

	memcpy(sb.sb_uuid, uuid, sizeof(sb.sb_uuid));
	sb.sb_inprogress = 1;
	sb.sb_fdblocks += sb.sb_icount >> sb.sb_inopblog;
	sb.sb_icount = 0;
	sb.sb_ifree = 0;
	if (agno != last && agno != last / 2)
		sb.sb_rootino = UINT64_MAX;
	sb.sb_rbmino = UINT64_MAX;
	sb.sb_rsumino = UINT64_MAX;
	format_sb_encode(raw, &sb);
}

/* --- headers --- */

static uint32_t sum_of(const struct ag_extent *e, unsigned int count)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < count; i++)
		sum += e[i].len;
	return sum;
}

static uint32_t longest_free(const struct ag_layout *l)
{
	uint32_t longest = 0;

	for (unsigned int i = 0; i < l->nfree; i++)
		if (l->free[i].len > longest)
			longest = l->free[i].len;
	return longest;
}

static void agf_encode(void *raw, const struct format_plan *p,
		       const struct ag_layout *l, const uint8_t uuid[16])
{
	const struct xfs_geom *g = &p->geom;
	uint32_t flcount = sum_of(l->agfl, l->nagfl);
	struct xfs_agf agf = {
		.agf_magicnum = XFS_AGF_MAGIC,
		.agf_versionnum = AG_VERSION,
		.agf_seqno = l->agno,
		.agf_length = l->blocks,
		.agf_bnoroot = l->root[XFS_BTREE_BNO],
		.agf_cntroot = l->root[XFS_BTREE_CNT],
		.agf_rmaproot = l->root[XFS_BTREE_RMAP],
		.agf_bnolevel = 1,
		.agf_cntlevel = 1,
		.agf_rmaplevel = g->rmapbt,
		.agf_flfirst = AGFL_FIRST,
		.agf_fllast = AGFL_FIRST + flcount - 1,
		.agf_flcount = flcount,
		.agf_freeblks = sum_of(l->free, l->nfree),
		.agf_longest = longest_free(l),
		.agf_rmap_blocks = g->rmapbt,
		.agf_refcount_blocks = g->reflink,
		.agf_refcount_root = l->root[XFS_BTREE_REFC],
		.agf_refcount_level = g->reflink,
	};

	memcpy(agf.agf_uuid, uuid, sizeof(agf.agf_uuid));
	xfs_agf_encode(raw, &agf, XFS_AG_V5, XFS_BE);
	put_crc(raw, g->sectsize, XFS_AGF_CRC_OFF);
}

static uint32_t inode_count(const struct ag_layout *l,
			    const struct xfs_geom *g)
{
	return l->inodes.len << g->inopblog;
}

static void agi_encode(void *raw, const struct format_plan *p,
		       const struct ag_layout *l, const uint8_t uuid[16])
{
	const struct xfs_geom *g = &p->geom;
	uint32_t count = inode_count(l, g);
	struct xfs_agi agi = {
		.agi_magicnum = XFS_AGI_MAGIC,
		.agi_versionnum = AG_VERSION,
		.agi_seqno = l->agno,
		.agi_length = l->blocks,
		.agi_count = count,
		.agi_root = l->root[XFS_BTREE_INO],
		.agi_level = 1,
		.agi_freecount = count ? count - FORMAT_INODES : 0,
		.agi_newino = count ? l->inodes.start << g->inopblog :
				      XFS_NULL_AGINO,
		.agi_dirino = XFS_NULL_AGINO,
		.agi_free_root = l->root[XFS_BTREE_FINO],
		.agi_free_level = g->finobt,
		.agi_iblocks = g->inobtcount,
		.agi_fblocks = g->inobtcount && g->finobt,
	};

	for (unsigned int i = 0; i < XFS_AGI_BUCKETS; i++)
		agi.agi_unlinked[i] = XFS_NULL_AGINO;
	memcpy(agi.agi_uuid, uuid, sizeof(agi.agi_uuid));
	xfs_agi_encode(raw, &agi, XFS_AG_V5, XFS_BE);
	put_crc(raw, g->sectsize, XFS_AGI_CRC_OFF);
}

static void agfl_encode(void *raw, const struct format_plan *p,
			const struct ag_layout *l, const uint8_t uuid[16])
{
	const struct xfs_geom *g = &p->geom;
	uint8_t *bno = (uint8_t *)raw + xfs_agfl_size;
	struct xfs_agfl agfl = {
		.agfl_magicnum = XFS_AGFL_MAGIC, .agfl_seqno = l->agno,
	};

	memcpy(agfl.agfl_uuid, uuid, sizeof(agfl.agfl_uuid));
	xfs_agfl_encode(raw, &agfl, 0, XFS_BE);
	for (uint32_t i = 0; i < xfs_agfl_entries(g); i++)
		put_be32(bno + 4 * i, XFS_NULL_AGBLOCK);
	bno += 4 * (size_t)AGFL_FIRST;
	for (unsigned int i = 0; i < l->nagfl; i++)
		for (uint32_t j = 0; j < l->agfl[i].len; j++, bno += 4)
			put_be32(bno, l->agfl[i].start + j);
	put_crc(raw, g->sectsize, XFS_AGFL_CRC_OFF);
}

/* --- btrees --- */

struct leaf {
	uint8_t		*raw;		/* the block */
	enum xfs_btree_kind kind;
	uint16_t	count;
};

/* Where the next record goes. */
static uint8_t *leaf_add(struct leaf *leaf)
{
	size_t rec_bytes = xfs_btree_ops[leaf->kind].rec_bytes;

	return leaf->raw + XFS_BTREE_SHORT_CRC_BYTES +
	       rec_bytes * leaf->count++;
}

static void add_free(struct leaf *leaf, const struct ag_extent *e)
{
	xfs_alloc_rec_encode(leaf_add(leaf), &(struct xfs_alloc_rec){
				     .ar_startblock = e->start,
				     .ar_blockcount = e->len }, 0, XFS_BE);
}

static void add_bno(struct leaf *leaf, const struct ag_layout *l)
{
	for (unsigned int i = 0; i < l->nfree; i++)
		add_free(leaf, &l->free[i]);
}

/* By length, and by place where that is the same. */
static void add_cnt(struct leaf *leaf, const struct ag_layout *l)
{
	struct ag_extent sorted[AG_FREE_MAX];

	for (unsigned int i = 0, at; i < l->nfree; i++) {
		for (at = i; at && sorted[at - 1].len > l->free[i].len; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = l->free[i];
	}
	for (unsigned int i = 0; i < l->nfree; i++)
		add_free(leaf, &sorted[i]);
}

/* Every record of the chunk has inodes that are free: both trees have all. */
static void add_inodes(struct leaf *leaf, const struct format_plan *p,
		       const struct ag_layout *l)
{
	uint32_t count = inode_count(l, &p->geom);
	uint32_t used = FORMAT_INODES;

	for (uint32_t i = 0; i < count; i += CHUNK_INODES) {
		struct xfs_inobt_rec rec = {
			.ir_startino = (l->inodes.start <<
					p->geom.inopblog) + i,
			.ir_count = CHUNK_INODES,
			.ir_freecount = CHUNK_INODES - used,
			.ir_free = UINT64_MAX << used,
		};

		xfs_inobt_rec_encode(leaf_add(leaf), &rec, p->geom.sparse ?
				     XFS_INOBT_SPARSE : 0, XFS_BE);
		used = 0;
	}
}

struct owners {
	struct xfs_rmap_rec rec[RMAP_MAX];
	unsigned int count;
};

/* Sorted by place. */
static void own(struct owners *all, xfs_agblock_t start, uint32_t len,
		uint64_t owner)
{
	unsigned int at = all->count;

	if (!len)
		return;
	assert(all->count < RMAP_MAX);
	for (; at && all->rec[at - 1].rm_startblock > start; at--)
		all->rec[at] = all->rec[at - 1];
	all->rec[at] = (struct xfs_rmap_rec){
		.rm_startblock = start, .rm_blockcount = len,
		.rm_owner = owner,
	};
	all->count++;
}

/* Neighbours of one owner become one. */
static void join_owners(struct owners *all)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i < all->count; i++) {
		const struct xfs_rmap_rec *rec = &all->rec[i];
		struct xfs_rmap_rec *last = &all->rec[n];

		if (rec->rm_owner == last->rm_owner &&
		    rec->rm_startblock ==
		    last->rm_startblock + last->rm_blockcount)
			last->rm_blockcount += rec->rm_blockcount;
		else
			all->rec[++n] = *rec;
	}
	all->count = n + 1;
}

static void add_owners(struct leaf *leaf, const struct ag_layout *l)
{
	struct owners all = { .count = 0 };

	own(&all, 0, l->root[XFS_BTREE_BNO], XFS_RMAP_OWN_FS);
	own(&all, l->root[XFS_BTREE_BNO], 1, XFS_RMAP_OWN_AG);
	own(&all, l->root[XFS_BTREE_CNT], 1, XFS_RMAP_OWN_AG);
	own(&all, l->root[XFS_BTREE_INO], 1, XFS_RMAP_OWN_INOBT);
	own(&all, l->root[XFS_BTREE_FINO], l->root[XFS_BTREE_FINO] != 0,
	    XFS_RMAP_OWN_INOBT);
	own(&all, l->root[XFS_BTREE_RMAP], 1, XFS_RMAP_OWN_AG);
	own(&all, l->root[XFS_BTREE_REFC], l->root[XFS_BTREE_REFC] != 0,
	    XFS_RMAP_OWN_REFC);
	own(&all, l->log.start, l->log.len, XFS_RMAP_OWN_LOG);
	for (unsigned int i = 0; i < l->nagfl; i++)
		own(&all, l->agfl[i].start, l->agfl[i].len, XFS_RMAP_OWN_AG);
	own(&all, l->inodes.start, l->inodes.len, XFS_RMAP_OWN_INODES);
	join_owners(&all);
	for (unsigned int i = 0; i < all.count; i++)
		xfs_rmap_rec_encode(leaf_add(leaf), &all.rec[i], 0, XFS_BE);
}

static void leaf_encode(struct leaf *leaf, const struct format_plan *p,
			const struct ag_layout *l, const uint8_t uuid[16])
{
	struct xfs_btree_short head = {
		.bb_magic = xfs_btree_ops[leaf->kind].crc_magic,
		.bb_numrecs = leaf->count,
		.bb_leftsib = XFS_NULL_AGBLOCK,
		.bb_rightsib = XFS_NULL_AGBLOCK,
		.bb_blkno = xfs_agb_to_daddr(&p->geom, l->agno,
					     l->root[leaf->kind]),
		.bb_owner = l->agno,
	};

	memcpy(head.bb_uuid, uuid, sizeof(head.bb_uuid));
	xfs_btree_short_encode(leaf->raw, &head, XFS_BTREE_V5, XFS_BE);
	put_crc(leaf->raw, p->geom.blocksize, XFS_BTREE_SHORT_CRC_OFF);
}

static void add_records(struct leaf *leaf, const struct format_plan *p,
			const struct ag_layout *l)
{
	switch (leaf->kind) {
	case XFS_BTREE_BNO:
		add_bno(leaf, l);
		break;
	case XFS_BTREE_CNT:
		add_cnt(leaf, l);
		break;
	case XFS_BTREE_INO:
	case XFS_BTREE_FINO:
		add_inodes(leaf, p, l);
		break;
	case XFS_BTREE_RMAP:
		add_owners(leaf, l);
		break;
	default:	/* nothing is shared yet */
		break;
	}
}

void format_ag_encode(void *raw, const struct format_plan *p,
		      const struct ag_layout *l, const uint8_t uuid[16])
{
	const struct xfs_geom *g = &p->geom;
	uint8_t *at = raw;

	memset(raw, 0, (size_t)ag_prealloc_blocks(g) << g->blocklog);
	if (l->agno)
		copy_encode(at, p, uuid, l->agno);
	agf_encode(at += g->sectsize, p, l, uuid);
	agi_encode(at += g->sectsize, p, l, uuid);
	agfl_encode(at += g->sectsize, p, l, uuid);
	for (int kind = XFS_BTREE_BNO; kind <= XFS_BTREE_REFC; kind++) {
		struct leaf leaf = {
			.raw = (uint8_t *)raw +
			       ((size_t)l->root[kind] << g->blocklog),
			.kind = (enum xfs_btree_kind)kind,
		};

		if (!l->root[kind])
			continue;
		add_records(&leaf, p, l);
		leaf_encode(&leaf, p, l, uuid);
	}
}
