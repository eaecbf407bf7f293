/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocks of an attribute fork: read, added, taken away, and logged where they
 * differ from what they were. See attr_priv.h.
 */
#include <stdlib.h>

#include "libxlog/meta/attr_priv.h"

enum { LOG_CHUNK = XFS_CHUNK_BYTES };

int attr_bad(const struct attr_op *op, const char *why)
{
	return report(&op->ip->fs->sink, -EUCLEAN, "attr", XLOG_LSN_NONE,
		      "attributes of inode %llu: %s",
		      (unsigned long long)op->ip->ino, why);
}

static uint32_t block_bb(const struct attr_op *op)
{
	return attr_geom(op)->blocksize / BB_SIZE;
}

int attr_read_block(const struct attr_op *op, uint32_t block,
		    const struct trans_buf_ops *ops, struct buf **out)
{
	const struct xfs_geom *g = attr_geom(op);
	struct xfs_bmbt_rec rec;
	bool found;
	int rc = bmap_find(op->t, op->ip, XFS_ATTR_FORK, block, &rec, &found);

	if (rc)
		return rc;
	if (!found || rec.br_startoff > block)
		return attr_bad(op, "a block that is not there");
	rc = trans_read_buf(op->ip->fs, op->t,
			    xfs_fsb_to_daddr(g, rec.br_startblock + block -
						rec.br_startoff),
			    block_bb(op), ops, out);
	if (rc)
		return rc;
	if (g->v5 && get_be64((*out)->data + XFS_DA3_OWNER_OFF) !=
		     op->ip->ino) {
		trans_brelse(op->t, *out);
		return attr_bad(op, "a block of another inode");
	}
	return 0;
}

/* --- holes --- */

struct hole {
	uint64_t	off;		/* so far nothing is mapped from here */
	uint32_t	blocks;
	uint64_t	mapped;		/* blocks in all */
};

static int look_for_hole(void *ctx, const struct xfs_bmbt_rec *rec)
{
	struct hole *h = ctx;

	h->mapped += rec->br_blockcount;
	if (rec->br_startoff >= h->off + h->blocks)
		return 1;
	h->off = rec->br_startoff + rec->br_blockcount;
	return 0;
}

int attr_find_hole(const struct attr_op *op, uint32_t blocks, uint32_t *off)
{
	struct hole h = { .blocks = blocks };
	int rc = bmap_each(op->t, op->ip, XFS_ATTR_FORK, look_for_hole, &h);

	if (rc < 0)
		return rc;
	if (h.off > UINT32_MAX - blocks)
		return attr_bad(op, "no room for another block");
	*off = (uint32_t)h.off;
	return 0;
}

int attr_is_one_block(const struct attr_op *op, bool *one)
{
	struct hole h = { .blocks = UINT32_MAX };
	int rc = bmap_each(op->t, op->ip, XFS_ATTR_FORK, look_for_hole, &h);

	*one = h.mapped == 1 && h.off == 1;
	return rc < 0 ? rc : 0;
}

/* --- coming and going --- */

int attr_grow(const struct attr_op *op, const struct trans_buf_ops *ops,
	      uint32_t *block, struct buf **out)
{
	const struct xfs_geom *g = attr_geom(op);
	struct xfs_bmbt_rec rec;
	int rc = attr_find_hole(op, 1, block);

	if (!rc)
		rc = bmap_write(op->t, op->ip, XFS_ATTR_FORK, *block, 1,
				BMAP_CONTIGUOUS, op->total, &rec);
	if (rc)
		return rc;
	return trans_get_buf(op->t, xfs_fsb_to_daddr(g, rec.br_startblock),
			     block_bb(op), ops, out);
}

int attr_shrink(const struct attr_op *op, uint32_t block, struct buf *b)
{
	uint64_t len = 1;
	int rc = bmap_unmap(op->t, op->ip, XFS_ATTR_FORK, block, &len, 0, 1);

	if (rc)
		return rc;
	trans_binval(op->t, b);
	return 0;
}

/* --- changes --- */

int attr_edit_begin(struct attr_edit *e, const struct attr_op *op,
		    struct buf *b)
{
	uint32_t bytes = attr_geom(op)->blocksize;

	e->t = op->t;
	e->buf = b;
	e->before = malloc(bytes);
	if (!e->before)
		return report(&op->ip->fs->sink, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory");
	memcpy(e->before, b->data, bytes);
	return 0;
}

void attr_edit_end(struct attr_edit *e)
{
	uint32_t bytes = e->buf->len_bb * BB_SIZE;

	for (uint32_t off = 0; off < bytes; off += LOG_CHUNK)
		if (memcmp(e->before + off, e->buf->data + off, LOG_CHUNK))
			trans_log_buf(e->t, e->buf, off, LOG_CHUNK);
	free(e->before);
	e->before = NULL;
}

void attr_log_all(const struct attr_op *op, struct buf *b)
{
	trans_log_buf(op->t, b, 0, b->len_bb * BB_SIZE);
}

int attr_load_leaf(const struct attr_op *op, struct xfs_attr_leaf *leaf,
		   struct buf *b)
{
	const char *why = xfs_attr_leaf_load(leaf, b->data, attr_geom(op));

	return why ? attr_bad(op, why) : 0;
}
