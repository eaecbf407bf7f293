/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of attributes in blocks of their own. They are not logged: they are
 * written before the commit that makes the attribute complete, and lie in
 * blocks that nothing else has. See attr_priv.h.
 */
#include "libxfsfmt/crc32c.h"
#include "libxlog/meta/attr_priv.h"

enum { FREE_EXTENTS = 2 };		/* by one transaction */

static uint32_t room(const struct xfs_geom *g)
{
	return g->blocksize - (g->v5 ? xfs_attr3_rmt_hdr_size : 0);
}

uint32_t attr_value_blocks(const struct xfs_geom *g, uint32_t value_bytes)
{
	return (value_bytes + room(g) - 1) / room(g);
}

int attr_value_alloc(const struct attr_op *op, uint32_t *block,
		     uint32_t *left)
{
	struct xfs_bmbt_rec rec;
	int rc = bmap_write(op->t, op->ip, XFS_ATTR_FORK, *block, *left, 0,
			    op->total, &rec);

	if (rc)
		return rc;
	*block += (uint32_t)rec.br_blockcount;
	*left -= (uint32_t)rec.br_blockcount;
	return 0;
}

/* One block of the value, @bytes from @off of it, at @daddr. */
static int write_block(const struct attr_op *op, xfs_daddr_t daddr,
		       uint32_t off, uint32_t bytes)
{
	const struct xfs_geom *g = attr_geom(op);
	struct trans_fs *fs = op->ip->fs;
	struct buf *b;
	uint8_t *at;
	int rc = buf_get(fs->cache, daddr, g->blocksize / BB_SIZE,
			 &trans_attr_rmt_ops.buf, 0, &b);

	if (rc)
		return rc;
	at = b->data;
	memset(at, 0, g->blocksize);
	if (g->v5) {
		put_be32(at, XFS_ATTR3_RMT_MAGIC);
		put_be32(at + 4, off);
		put_be32(at + 8, bytes);
		memcpy(at + 16, g->meta_uuid, sizeof(g->meta_uuid));
		put_be64(at + 32, op->ip->ino);
		put_be64(at + 40, daddr);
		put_be64(at + 48, XFS_NULL_LSN);
		at += xfs_attr3_rmt_hdr_size;
	}
	memcpy(at, op->a->value + off, bytes);
	if (g->v5)
		put_le32(b->data + 12, xfs_crc_block(b->data, g->blocksize,
						     12));
	buf_mark_dirty(b);
	rc = buf_write(b);
	/* nobody reads it here, and its place may become something else */
	buf_invalidate(b);
	buf_release(b);
	return rc;
}

int attr_value_write(const struct attr_op *op, uint32_t block)
{
	const struct xfs_geom *g = attr_geom(op);
	struct log *log = op->ip->fs->log;
	struct xfs_bmbt_rec rec = { 0 };
	uint32_t off = 0;
	/* who had the blocks before would have them back after a crash */
	int rc = log_force(log, true);

	for (; off < op->a->value_bytes && !rc; block++) {
		uint32_t bytes = op->a->value_bytes - off;
		bool found = true;

		if (bytes > room(g))
			bytes = room(g);
		if (block >= rec.br_startoff + rec.br_blockcount)
			rc = bmap_find(op->t, op->ip, XFS_ATTR_FORK, block,
				       &rec, &found);
		if (!rc && (!found || rec.br_startoff > block))
			rc = attr_bad(op, "a value without its blocks");
		if (!rc)
			rc = write_block(op, xfs_fsb_to_daddr(g,
						rec.br_startblock + block -
						rec.br_startoff), off, bytes);
		off += bytes;
	}
	log_data_written(log);
	return rc;
}

int attr_value_free(const struct attr_op *op, uint32_t block,
		    uint32_t value_bytes, bool *left)
{
	uint64_t len = attr_value_blocks(attr_geom(op), value_bytes);
	int rc = bmap_unmap(op->t, op->ip, XFS_ATTR_FORK, block, &len, 0,
			    FREE_EXTENTS);

	*left = len;
	return rc;
}
