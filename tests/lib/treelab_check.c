/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole tree against the model, block by block, with the decoders of
 * libxfsfmt alone. See treelab.h.
 */
#include "libxfsfmt/crc32c.h"
#include "tests/lib/treelab_priv.h"

enum { KEY_BYTES = 40, RMAP_HALF = 20 };

struct checker {
	struct treelab	*lab;
	uint32_t	k;		/* the next key in the model */
	uint32_t	blocks;
	unsigned int	nlevels;
	uint64_t	last[XFS_BTREE_MAX_LEVELS], right[XFS_BTREE_MAX_LEVELS];
	uint8_t		last_key[KEY_BYTES];
};

static uint64_t get_ptr(const struct treelab *lab, const uint8_t *p)
{
	if (xfs_btree_ops[lab->opts.kind].is_long)
		return get_be64(p);
	return get_be32(p) == XFS_NULL_AGBLOCK ? XFS_NULL_FSBLOCK :
						 get_be32(p);
}

/* What a node says of a leaf that has this record alone. */
static void key_of(const struct treelab *lab, const uint8_t *rec, uint8_t *key)
{
	struct xfs_rmap_rec r;
	struct xfs_bmbt_rec b;
	uint8_t high[24] = { 0 };

	switch (lab->opts.kind) {
	case XFS_BTREE_BNO:
	case XFS_BTREE_CNT:
		memcpy(key, rec, 8);
		break;
	case XFS_BTREE_RMAP:
		xfs_rmap_rec_decode(&r, rec, 24, XFS_BE);
		r.rm_unwritten = 0;
		xfs_rmap_rec_encode(high, &r, 0, XFS_BE);
		memset(key + 12, 0, 8);
		memcpy(key, high, 4);
		memcpy(key + 4, high + 8, 16);
		r.rm_startblock += r.rm_blockcount - 1;
		if (!(r.rm_owner >> 63) && !r.rm_bmbt_block)
			r.rm_offset += r.rm_blockcount - 1;
		xfs_rmap_rec_encode(high, &r, 0, XFS_BE);
		memcpy(key + RMAP_HALF, high, 4);
		memcpy(key + RMAP_HALF + 4, high + 8, 16);
		break;
	case XFS_BTREE_BMAP:
		xfs_bmbt_rec_decode(&b, rec, 16, XFS_BE);
		put_be64(key, b.br_startoff);
		break;
	default:
		memcpy(key, rec, 4);
	}
}

/* @key is to be of all that has been seen and what @more is of. */
static void widen(const struct treelab *lab, uint8_t *key,
		  const uint8_t *more, bool first)
{
	size_t bytes = xfs_btree_ops[lab->opts.kind].key_bytes;

	if (first)
		memcpy(key, more, bytes);
	else if (lab->opts.kind == XFS_BTREE_RMAP &&
		 memcmp(more + RMAP_HALF, key + RMAP_HALF, RMAP_HALF) > 0)
		memcpy(key + RMAP_HALF, more + RMAP_HALF, RMAP_HALF);
}

static void check_leaf(struct checker *c, const uint8_t *recs, uint32_t num,
		       uint8_t *key)
{
	struct treelab *lab = c->lab;
	uint32_t bytes = xfs_btree_ops[lab->opts.kind].rec_bytes;

	for (uint32_t i = 0; i < num; i++, c->k++) {
		const uint8_t *rec = recs + (size_t)i * bytes;
		uint8_t want[24], own[KEY_BYTES];

		CHECK(lab, treelab_first(lab, c->k, &c->k));
		treelab_encode(lab, &lab->model[c->k], want);
		CHECK(lab, !memcmp(rec, want, bytes));
		key_of(lab, rec, own);
		widen(lab, key, own, !i);
	}
}

static void check_block(struct checker *c, unsigned int level, uint64_t block,
			bool is_root, uint8_t *key);

static void check_node(struct checker *c, unsigned int level,
		       const uint8_t *keys, const uint8_t *ptrs, uint32_t num,
		       uint8_t *key)
{
	struct treelab *lab = c->lab;
	size_t bytes = xfs_btree_ops[lab->opts.kind].key_bytes;
	size_t ptr_bytes = xfs_btree_ptr_bytes(lab->opts.kind);

	for (uint32_t i = 0; i < num; i++) {
		uint8_t own[KEY_BYTES];

		check_block(c, level - 1,
			    get_ptr(lab, ptrs + i * ptr_bytes), false, own);
		CHECK(lab, !memcmp(own, keys + i * bytes, bytes));
		widen(lab, key, own, !i);
	}
}

static uint8_t *read_block(struct checker *c, uint64_t block)
{
	struct treelab *lab = c->lab;
	uint32_t bytes = lab->opts.block_bytes;
	size_t crc = xfs_btree_ops[lab->opts.kind].is_long ?
		     XFS_BTREE_LONG_CRC_OFF : XFS_BTREE_SHORT_CRC_OFF;
	uint8_t *raw = malloc(bytes);
	struct buf *buf;

	CHECK(lab, raw);
	CHECK(lab, !trans_read_buf(&lab->fs, NULL, treelab_daddr(lab, block),
				   bytes / BB_SIZE,
				   &trans_btree_ops[lab->opts.kind], &buf));
	memcpy(raw, buf->data, bytes);
	buf_release(buf);
	/* it is put in when the block is written */
	if (lab->opts.v5)
		put_le32(raw + crc, xfs_crc_block(raw, bytes, crc));
	CHECK(lab, !xfs_btree_verify(raw, bytes, lab->opts.kind,
				     &lab->fs.geom,
				     treelab_daddr(lab, block)));
	return raw;
}

static void check_siblings(struct checker *c, unsigned int level,
			   uint64_t block, const uint8_t *raw)
{
	struct treelab *lab = c->lab;
	size_t bytes = xfs_btree_ptr_bytes(lab->opts.kind);

	CHECK(lab, get_ptr(lab, raw + 8) == c->last[level]);
	CHECK(lab, c->last[level] == XFS_NULL_FSBLOCK ||
	      c->right[level] == block);
	c->last[level] = block;
	c->right[level] = get_ptr(lab, raw + 8 + bytes);
}

static void check_block(struct checker *c, unsigned int level, uint64_t block,
			bool is_root, uint8_t *key)
{
	struct treelab *lab = c->lab;
	enum xfs_btree_kind kind = lab->opts.kind;
	const struct xfs_btree_ops *fmt = &xfs_btree_ops[kind];
	uint8_t *raw = read_block(c, block);
	uint32_t num = get_be16(raw + 6);
	uint32_t room = (uint32_t)xfs_btree_room(kind, lab->opts.v5, !level,
						 lab->opts.block_bytes);
	const uint8_t *elems = raw + xfs_btree_hdr_bytes(kind, lab->opts.v5);
	bool alone = lab->ip && level == c->nlevels - 2 &&
		     get_ptr(lab, raw + 8) == XFS_NULL_FSBLOCK &&
		     get_ptr(lab, raw + 16) == XFS_NULL_FSBLOCK;

	CHECK(lab, get_be16(raw + 4) == level);
	check_siblings(c, level, block, raw);
	if (is_root)
		CHECK(lab, !level || num >= 2);
	else if (!alone)
		CHECK(lab, num >= room / 2);
	if (lab->ip && lab->opts.v5)
		CHECK(lab, get_be64(raw + XFS_BTREE_LONG_OWNER_OFF) ==
		      lab->ip->ino);
	if (level)
		check_node(c, level, elems, elems + room * fmt->key_bytes,
			   num, key);
	else
		check_leaf(c, elems, num, key);
	CHECK(lab, lab->space[block & (lab->fs.geom.agblocks - 1)] == 1);
	c->blocks++;
	free(raw);
}

static void check_iroot(struct checker *c)
{
	struct treelab *lab = c->lab;
	uint32_t bytes;
	const uint8_t *raw = inode_fork(lab->ip, lab->opts.whichfork, &bytes);
	uint32_t num = get_be16(raw + 2);
	size_t room = xfs_bmdr_room(lab->opts.kind, false, bytes);
	uint8_t key[KEY_BYTES];

	CHECK(lab, !xfs_bmdr_verify(raw, lab->opts.kind, bytes));
	c->nlevels = get_be16(raw) + 1u;
	check_node(c, c->nlevels - 1, raw + 4, raw + 4 + 8 * room, num, key);
}

static void check_list(struct checker *c)
{
	struct treelab *lab = c->lab;
	uint8_t key[KEY_BYTES];

	CHECK(lab, lab->count <= treelab_list_max(lab));
	check_leaf(c, inode_fork(lab->ip, lab->opts.whichfork, NULL),
		   lab->count, key);
}

static void check_group(struct checker *c)
{
	struct treelab *lab = c->lab;
	const struct treelab_ag *ag = &treelab_ags[lab->opts.kind];
	uint8_t key[KEY_BYTES];
	uint32_t root, blocks, longest, want = 0, k;
	struct buf *buf;

	CHECK(lab, !trans_read_buf(&lab->fs, NULL, treelab_ag_daddr(lab), 1,
				   ag->in_agi ? &trans_agi_ops :
						&trans_agf_ops, &buf));
	root = get_be32(buf->data + ag->root);
	c->nlevels = get_be32(buf->data + ag->level);
	blocks = get_be32(buf->data + ag->blocks);
	longest = get_be32(buf->data + 56);
	buf_release(buf);
	CHECK(lab, c->nlevels);
	check_block(c, c->nlevels - 1, root, true, key);
	if (ag->blocks && (!ag->in_agi || lab->fs.geom.inobtcount))
		CHECK(lab, blocks == c->blocks);
	if (treelab_last(lab, lab->opts.keys - 1, &k))
		want = lab->model[k].alloc.ar_blockcount;
	if (lab->opts.kind == XFS_BTREE_CNT)
		CHECK(lab, longest == want);
}

void treelab_check(struct treelab *lab)
{
	struct checker c = { .lab = lab };

	treelab_commit(lab);
	for (unsigned int i = 0; i < XFS_BTREE_MAX_LEVELS; i++)
		c.last[i] = c.right[i] = XFS_NULL_FSBLOCK;
	if (!lab->ip)
		check_group(&c);
	else if (inode_format(lab->ip, lab->opts.whichfork) ==
		 XFS_DINODE_FMT_BTREE)
		check_iroot(&c);
	else
		check_list(&c);
	for (unsigned int i = 0; i < XFS_BTREE_MAX_LEVELS; i++)
		CHECK(lab, c.right[i] == XFS_NULL_FSBLOCK);
	CHECK(lab, c.blocks == lab->blocks);
	CHECK(lab, !treelab_first(lab, c.k, &c.k));
	CHECK(lab, lab->count || c.nlevels <= 1);
	lab->nlevels = c.nlevels;
	if (c.nlevels > lab->peak_levels)
		lab->peak_levels = c.nlevels;
}
