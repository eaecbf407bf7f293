/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocks of trees: read and checked, made, freed. Whoever reads one says of
 * which level it has to be, so that no path comes back to where it was.
 */
#include "libxlog/meta/btree_priv.h"

enum { AGFL_SECTOR = 3 };	/* the last of the headers of a group */

int btree_damaged(const struct btree_cur *cur, uint64_t block, const char *why)
{
	const char *name = xfs_btree_name(cur->kind);

	if (cur->group)
		return report(&cur->fs->sink, -EUCLEAN, "btree",
			      XLOG_LSN_NONE, "AG %u: block %llu of the %s: %s",
			      cur->group->agno, (unsigned long long)block, name,
			      why);
	if (block == XFS_NULL_FSBLOCK)
		return report(&cur->fs->sink, -EUCLEAN, "btree",
			      XLOG_LSN_NONE, "inode %llu: root of the %s: %s",
			      (unsigned long long)cur->ip->ino, name, why);
	return report(&cur->fs->sink, -EUCLEAN, "btree", XLOG_LSN_NONE,
		      "inode %llu: block %llu of the %s: %s",
		      (unsigned long long)cur->ip->ino,
		      (unsigned long long)block, name, why);
}

/* Is there such a block, and is it none of the headers of a group? */
static bool block_ok(const struct btree_cur *cur, uint64_t block)
{
	const struct xfs_geom *g = &cur->fs->geom;
	uint64_t agbno = block;

	if (cur->ip) {
		if (!xfs_fsb_ok(g, block, 1))
			return false;
		agbno = xfs_fsb_agbno(g, block);
	}
	return agbno > (AGFL_SECTOR * g->sectsize) >> g->blocklog &&
	       (cur->ip || agbno < xfs_ag_blocks(g, cur->group->agno));
}

static bool in_path(const struct btree_cur *cur, uint64_t block)
{
	for (unsigned int i = 0; i < cur->nlevels; i++)
		if (cur->levels[i].buf && cur->levels[i].block == block)
			return true;
	return false;
}

static xfs_daddr_t daddr_of(const struct btree_cur *cur, uint64_t block)
{
	const struct xfs_geom *g = &cur->fs->geom;

	return cur->ip ? xfs_fsb_to_daddr(g, block) :
	       xfs_agb_to_daddr(g, cur->group->agno, (xfs_agblock_t)block);
}

/* The only leaf below a root in an inode may be empty between two changes. */
static bool may_be_empty(const struct btree_cur *cur, unsigned int level)
{
	return !level && cur->nlevels <= (cur->ip ? 2u : 1u);
}

static const char *check_block(const struct btree_cur *cur,
			       unsigned int level, struct buf *buf,
			       uint64_t block)
{
	struct btree_node n = btree_node_of(cur, buf, block);

	if (n.level != level)
		return "wrong level";
	if (n.num > n.room || (!n.num && !may_be_empty(cur, level)))
		return "wrong number of records";
	if (cur->ip && cur->fs->geom.v5 &&
	    get_be64(buf->data + XFS_BTREE_LONG_OWNER_OFF) != cur->ip->ino)
		return "block of another inode";
	return NULL;
}

int btree_block_get(struct btree_cur *cur, unsigned int level, uint64_t block,
		    struct buf **out)
{
	struct trans_fs *fs = cur->fs;
	const char *why;
	struct buf *buf;
	int rc;

	if (block == XFS_NULL_FSBLOCK || !block_ok(cur, block))
		return btree_damaged(cur, block, "no such block");
	/* locked by us already: without a transaction, for ever */
	if (in_path(cur, block))
		return btree_damaged(cur, block, "pointed to twice");
	rc = trans_read_buf(fs, cur->t, daddr_of(cur, block),
			    fs->geom.blocksize / BB_SIZE,
			    &trans_btree_ops[cur->kind], &buf);
	if (rc)
		return rc;
	why = check_block(cur, level, buf, block);
	if (why) {
		btree_block_put(cur, buf);
		return btree_damaged(cur, block, why);
	}
	*out = buf;
	return 0;
}

void btree_block_put(struct btree_cur *cur, struct buf *buf)
{
	trans_brelse(cur->t, buf);
}

/* --- space --- */

/* One of the counters and roots in the AGF or AGI. */
static void add_ag_field(struct btree_cur *cur, uint16_t off, int delta)
{
	uint8_t *p = cur->agbuf->data + off;

	put_be32(p, get_be32(p) + (uint32_t)delta);
	trans_log_buf(cur->t, cur->agbuf, off, 4);
}

static void count_block(struct btree_cur *cur, int delta)
{
	const struct btree_kind_ops *ops = &btree_kinds[cur->kind];

	if (!ops->blocks_off || (ops->in_agi && !cur->fs->geom.inobtcount))
		return;
	add_ag_field(cur, ops->blocks_off, delta);
}

void btree_set_root(struct btree_cur *cur, uint64_t block, int delta)
{
	const struct btree_kind_ops *ops = &btree_kinds[cur->kind];

	put_be32(cur->agbuf->data + ops->root_off, (uint32_t)block);
	trans_log_buf(cur->t, cur->agbuf, ops->root_off, 4);
	add_ag_field(cur, ops->level_off, delta);
	cur->nlevels = (unsigned int)((int)cur->nlevels + delta);
}

static void init_header(const struct btree_cur *cur, struct buf *buf,
			unsigned int level)
{
	const struct xfs_btree_ops *fmt = &xfs_btree_ops[cur->kind];
	const struct xfs_geom *g = &cur->fs->geom;
	uint32_t magic = g->v5 ? fmt->crc_magic : fmt->magic;
	unsigned int variant = g->v5 ? XFS_BTREE_V5 : 0;

	if (fmt->is_long) {
		struct xfs_btree_long h = {
			.bb_magic = magic,
			.bb_level = (uint16_t)level,
			.bb_leftsib = XFS_NULL_FSBLOCK,
			.bb_rightsib = XFS_NULL_FSBLOCK,
			.bb_blkno = buf->daddr,
			.bb_owner = cur->ip->ino,
		};

		memcpy(h.bb_uuid, g->meta_uuid, sizeof(h.bb_uuid));
		xfs_btree_long_encode(buf->data, &h, variant, XFS_BE);
	} else {
		struct xfs_btree_short h = {
			.bb_magic = magic,
			.bb_level = (uint16_t)level,
			.bb_leftsib = XFS_NULL_AGBLOCK,
			.bb_rightsib = XFS_NULL_AGBLOCK,
			.bb_blkno = buf->daddr,
			.bb_owner = cur->group->agno,
		};

		memcpy(h.bb_uuid, g->meta_uuid, sizeof(h.bb_uuid));
		xfs_btree_short_encode(buf->data, &h, variant, XFS_BE);
	}
}

int btree_block_alloc(struct btree_cur *cur, unsigned int level, uint64_t near,
		      struct btree_node *out, bool *done)
{
	struct trans_fs *fs = cur->fs;
	uint64_t block;
	struct buf *buf;
	int rc = cur->space->alloc(cur, near, &block);

	*done = false;
	if (rc || block == XFS_NULL_FSBLOCK)
		return rc;
	/* a free list can be damaged, too */
	if (!block_ok(cur, block) || in_path(cur, block))
		return btree_damaged(cur, block,
				     "allocated, but it cannot be free");
	rc = trans_get_buf(cur->t, daddr_of(cur, block),
			   fs->geom.blocksize / BB_SIZE,
			   &trans_btree_ops[cur->kind], &buf);
	if (rc)
		return rc;
	init_header(cur, buf, level);
	trans_log_buf(cur->t, buf, 0,
		      (uint32_t)xfs_btree_hdr_bytes(cur->kind, fs->geom.v5));
	count_block(cur, 1);
	*out = btree_node_of(cur, buf, block);
	*done = true;
	return 0;
}

int btree_block_free(struct btree_cur *cur, uint64_t block, struct buf *buf)
{
	int rc = cur->space->free(cur, block);

	if (rc)
		return rc;
	count_block(cur, -1);
	trans_binval(cur->t, buf);
	return 0;
}
