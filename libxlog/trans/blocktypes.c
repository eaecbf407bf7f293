/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of blocks that transactions change, and how they are judged: by
 * the table of libxfsfmt/block.h, when they come from the device and before
 * they go there.
 */
#include "libxlog/trans/buf_item.h"

static bool has_magic(const struct xfs_block_type *type, const struct buf *b)
{
	const uint8_t *p = b->data + type->magic_off;

	switch (type->magic_bytes) {
	case 2:
		return get_be16(p) == type->magic;
	case 4:
		return get_be32(p) == type->magic;
	default:
		return true;
	}
}

static bool is_among(const struct trans_buf_ops *ops,
		     const struct xfs_block_type *type)
{
	if (type->btree != ops->btree)
		return false;
	for (unsigned int i = 0; i < TRANS_BUF_MAX_KINDS && ops->blft[i]; i++)
		if (ops->blft[i] == type->blft)
			return true;
	return false;
}

const struct xfs_block_type *trans_buf_type(const struct trans_buf_ops *ops,
					    const struct buf *b)
{
	bool v5 = trans_buf_fs(b)->geom.v5;

	for (const struct xfs_block_type *t = xfs_block_types; t->name; t++)
		if ((t->version == XFS_BLOCK_BOTH ||
		     (t->version == XFS_BLOCK_V5) == v5) &&
		    is_among(ops, t) && has_magic(t, b))
			return t;
	return NULL;
}

static int judge(const struct trans_buf_ops *ops, struct buf *b,
		 const char **why)
{
	const struct xfs_block_type *type = trans_buf_type(ops, b);

	if (!type) {
		*why = "not the magic number of its kind";
		return -EUCLEAN;
	}
	/* all that it says, and not when it says so: Linux tells them apart */
	*why = xfs_block_verify(type, b->data, (size_t)b->len_bb * BB_SIZE,
				&trans_buf_fs(b)->geom, b->daddr);
	return *why ? -EUCLEAN : 0;
}

/*
 * What was changed and is not yet written back has no checksum, and need not
 * be judged: but it cannot be two things.
 */
static int verify_read(const struct buf_ops *buf_ops, struct buf *b,
		       const char **why)
{
	const struct trans_buf_ops *ops =
		container_of(buf_ops, const struct trans_buf_ops, buf);

	if (!trans_buf_is_newer(b))
		return judge(ops, b, why);
	if (trans_buf_type(ops, b))
		return 0;
	*why = "the block is in use as something else";
	return -EUCLEAN;
}

static int verify_write(const struct buf_ops *buf_ops, struct buf *b,
			const char **why)
{
	return judge(container_of(buf_ops, const struct trans_buf_ops, buf),
		     b, why);
}

#define KIND(nm, kind, ...)						\
	{								\
		.buf = {						\
			.name = nm,					\
			.verify_read = verify_read,			\
			.verify_write = verify_write,			\
		},							\
		.blft = { __VA_ARGS__ },				\
		.btree = kind,						\
	}
#define BLOCK(what, nm, ...)						\
	const struct trans_buf_ops trans_##what##_ops =			\
		KIND(nm, -1, __VA_ARGS__)
#define BTREE(which, nm)						\
	[XFS_BTREE_##which] = KIND(nm, XFS_BTREE_##which, XFS_BLFT_BTREE)

BLOCK(sb, "superblock", XFS_BLFT_SB);
BLOCK(agf, "AGF", XFS_BLFT_AGF);
BLOCK(agi, "AGI", XFS_BLFT_AGI);
BLOCK(agfl, "AGFL", XFS_BLFT_AGFL);
BLOCK(inode, "inodes", XFS_BLFT_DINO);
BLOCK(attr_leaf, "leaf of attributes", XFS_BLFT_ATTR_LEAF);
BLOCK(da_node, "node of attributes", XFS_BLFT_DA_NODE);
BLOCK(da_any, "block of attributes", XFS_BLFT_DA_NODE, XFS_BLFT_ATTR_LEAF);
BLOCK(attr_rmt, "value of an attribute", XFS_BLFT_ATTR_RMT);
BLOCK(symlink, "target of a symbolic link", XFS_BLFT_SYMLINK);

const struct trans_buf_ops trans_btree_ops[XFS_BTREE_KINDS] = {
	BTREE(BNO, "bnobt"),
	BTREE(CNT, "cntbt"),
	BTREE(INO, "inobt"),
	BTREE(FINO, "finobt"),
	BTREE(RMAP, "rmapbt"),
	BTREE(REFC, "refcountbt"),
	BTREE(BMAP, "bmbt"),
	BTREE(RTRMAP, "rtrmapbt"),
	BTREE(RTREFC, "rtrefcountbt"),
};
