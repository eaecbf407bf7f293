/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Extents of a fork between their two forms: a list in the inode, and a tree
 * whose root is there.
 */
#include "libxlog/meta/btree_priv.h"

static void set_format(struct btree_cur *cur, uint8_t format)
{
	bool attr = cur->whichfork == XFS_ATTR_FORK;
	unsigned int fields = XFS_ILOG_CORE;

	if (attr)
		cur->ip->di.di_aformat = format;
	else
		cur->ip->di.di_format = format;
	if (format == XFS_DINODE_FMT_BTREE)
		fields |= attr ? XFS_ILOG_ABROOT : XFS_ILOG_DBROOT;
	else
		fields |= attr ? XFS_ILOG_AEXT : XFS_ILOG_DEXT;
	inode_log(cur->t, cur->ip, fields);
}

/* A root for one leaf, which is not yet there. */
static void make_iroot(struct btree_cur *cur)
{
	uint32_t bytes;
	uint8_t *raw = inode_fork(cur->ip, cur->whichfork, &bytes);

	memset(raw, 0, bytes);
	put_be16(raw, 1);
	cur->nlevels = 2;
}

int btree_from_extents(struct btree_cur *cur, const struct xfs_bmbt_rec *recs,
		       uint32_t count, bool *done)
{
	const struct xfs_geom *g = &cur->fs->geom;
	xfs_ino_t ino = cur->ip->ino;
	uint64_t near = (uint64_t)xfs_ino_agno(g, ino) << g->agblklog |
			xfs_ino_agbno(g, ino);
	struct btree_node leaf, root;
	struct btree_entry e;
	uint32_t bytes;
	int rc;

	assert(cur->t && count);
	inode_fork(cur->ip, cur->whichfork, &bytes);
	if (!xfs_bmdr_room(cur->kind, false, bytes) ||
	    count > xfs_btree_room(cur->kind, g->v5, true, g->blocksize))
		return btree_damaged(cur, XFS_NULL_FSBLOCK,
				     "no room for that many extents");
	rc = btree_block_alloc(cur, 0, near, &leaf, done);
	if (rc || !*done)
		return rc;
	for (uint32_t i = 0; i < count; i++) {
		union btree_rec rec = { .bmbt = recs[i] };

		leaf.ops->rec_encode(g, &rec, e.elem);
		btree_node_insert(cur, &leaf, i + 1, &e);
	}
	btree_node_key(cur, &leaf, e.elem);
	e.ptr = leaf.block;
	make_iroot(cur);
	set_format(cur, XFS_DINODE_FMT_BTREE);
	root = btree_node(cur, 1);
	btree_node_insert(cur, &root, 1, &e);
	cur->levels[1] = (struct btree_level){ .pos = 1 };
	cur->levels[0] = (struct btree_level){
		.buf = leaf.buf, .block = leaf.block, .pos = 1,
	};
	return 0;
}

int btree_to_extents(struct btree_cur *cur, bool *done)
{
	struct btree_level *lv = &cur->levels[0];
	struct btree_node leaf;
	size_t len_bytes;
	uint8_t *raw;
	uint32_t bytes;
	int rc;

	*done = false;
	assert(cur->t);
	rc = btree_open_root(cur);
	if (rc || cur->nlevels != 2 || btree_node(cur, 1).num != 1)
		return rc;
	cur->levels[1].pos = 1;
	rc = btree_descend(cur, 1);
	if (rc)
		return rc;
	leaf = btree_node(cur, 0);
	raw = inode_fork(cur->ip, cur->whichfork, &bytes);
	len_bytes = (size_t)leaf.num * leaf.elem_bytes;
	if (len_bytes > bytes)
		return 0;
	memset(raw, 0, bytes);
	memcpy(raw, leaf.elems, len_bytes);
	set_format(cur, XFS_DINODE_FMT_EXTENTS);
	rc = btree_block_free(cur, lv->block, lv->buf);
	btree_fini(cur);
	*done = !rc;
	return rc;
}
