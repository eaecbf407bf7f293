/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is removed from the tree of attributes: blocks that have become too
 * small are joined with a sibling, of which the one with the lower number
 * stays; an empty one goes. A root with a single block below it takes the
 * contents of that. See attr_priv.h.
 */
#include <stdlib.h>

#include "libxlog/meta/attr_priv.h"

enum { SMALL_PERCENT = 37 };	/* of a leaf: worth a look at its siblings */

static bool is_leaf_at(const struct attr_path *path, unsigned int i)
{
	return i + 1 == path->depth;
}

/* --- how full --- */

/* Is block @i of the path less than half full? *@empty: not even one entry. */
static bool is_small(const struct attr_op *op, const struct attr_path *path,
		     unsigned int i, bool leaf, bool *empty)
{
	const struct xfs_geom *g = attr_geom(op);
	const uint8_t *raw = path->at[i].buf->data;
	struct xfs_attr_leaf l;
	uint32_t count;

	if (!leaf) {
		count = xfs_da_node_count(raw, g);
		*empty = !count;
		return count <= xfs_da_node_max(g) / 2;
	}
	xfs_attr_leaf_look(&l, raw, g);
	*empty = !l.count;
	return l.hdr_bytes + xfs_attr_leaf_load_bytes(&l) <=
	       l.len_bytes / 2;
}

/* Together they are to fill no more than three quarters. */
static bool fit_together(const struct attr_op *op, const struct buf *a,
			 const struct buf *b, bool leaf)
{
	const struct xfs_geom *g = attr_geom(op);
	struct xfs_attr_leaf la, lb;

	if (!leaf)
		return xfs_da_node_count(a->data, g) +
		       xfs_da_node_count(b->data, g) <=
		       xfs_da_node_max(g) - xfs_da_node_max(g) / 4;
	xfs_attr_leaf_look(&la, a->data, g);
	xfs_attr_leaf_look(&lb, b->data, g);
	return la.hdr_bytes + xfs_attr_leaf_load_bytes(&la) +
	       xfs_attr_leaf_load_bytes(&lb) <=
	       la.len_bytes - la.len_bytes / 4;
}

/* --- joining two --- */

/* All of leaf @from goes to leaf @to, which is before it, or behind. */
static int join_leaves(const struct attr_op *op, struct buf *from,
		       struct buf *to, bool before)
{
	const struct xfs_geom *g = attr_geom(op);
	struct xfs_attr_leaf f, t, packed;
	struct attr_edit e;
	uint8_t *raw;
	int rc = attr_load_leaf(op, &f, from);

	if (!rc)
		rc = attr_load_leaf(op, &t, to);
	if (rc)
		return rc;
	raw = malloc(g->blocksize);
	if (!raw)
		return report(&op->ip->fs->sink, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory");
	rc = attr_edit_begin(&e, op, to);
	if (rc)
		goto free_raw;
	xfs_attr_leaf_init(&packed, raw, g, to->daddr, op->ip->ino);
	/* siblings, place and owner stay those of @to */
	memcpy(raw, to->data, g->v5 ? XFS_DA3_INFO_BYTES : XFS_DA_INFO_BYTES);
	if (!before)
		xfs_attr_leaf_move(&f, 0, &packed, 0, f.count);
	xfs_attr_leaf_move(&t, 0, &packed, packed.count, t.count);
	if (before)
		xfs_attr_leaf_move(&f, 0, &packed, packed.count, f.count);
	xfs_attr_leaf_store(&packed);
	xfs_attr_leaf_store(&f);
	memcpy(to->data, raw, g->blocksize);
	attr_edit_end(&e);
free_raw:
	free(raw);
	return rc;
}

static int join_nodes(const struct attr_op *op, struct buf *from,
		      struct buf *to, bool before)
{
	const struct xfs_geom *g = attr_geom(op);
	struct attr_edit e;
	int rc = attr_edit_begin(&e, op, to);

	if (rc)
		return rc;
	xfs_da_node_move(from->data, 0, to->data,
			 before ? xfs_da_node_count(to->data, g) : 0,
			 xfs_da_node_count(from->data, g), g);
	attr_edit_end(&e);
	return 0;
}

/* --- letting go of one --- */

/* The siblings of block @block, in @b, are each other's from now on. */
static int unlink_block(const struct attr_op *op, uint32_t block,
			const struct buf *b)
{
	uint32_t forw = xfs_da_forw(b->data), back = xfs_da_back(b->data);
	struct buf *n;
	int rc = 0;

	if (back) {
		rc = attr_read_block(op, back, &trans_da_any_ops, &n);
		if (!rc && xfs_da_forw(n->data) != block)
			rc = attr_bad(op, "siblings that do not agree");
		if (rc)
			return rc;
		xfs_da_set_forw(n->data, forw);
		trans_log_buf(op->t, n, 0, XFS_DA_INFO_BYTES);
	}
	if (forw) {
		rc = attr_read_block(op, forw, &trans_da_any_ops, &n);
		if (!rc && xfs_da_back(n->data) != block)
			rc = attr_bad(op, "siblings that do not agree");
		if (rc)
			return rc;
		xfs_da_set_back(n->data, back);
		trans_log_buf(op->t, n, 0, XFS_DA_INFO_BYTES);
	}
	return 0;
}

/* Block @i of the path goes: from its siblings, the node above, the fork. */
static int drop(const struct attr_op *op, struct attr_path *path,
		unsigned int i)
{
	struct buf *above = path->at[i - 1].buf;
	struct attr_edit e;
	int rc = unlink_block(op, path->at[i].block, path->at[i].buf);

	if (!rc)
		rc = attr_edit_begin(&e, op, above);
	if (rc)
		return rc;
	xfs_da_node_remove(above->data, attr_geom(op), path->at[i - 1].index);
	attr_edit_end(&e);
	rc = attr_shrink(op, path->at[i].block, path->at[i].buf);
	if (!rc && xfs_da_node_count(above->data, attr_geom(op)))
		rc = attr_path_fix(op, path, i);
	return rc;
}

/*
 * Join block @i of the path with a sibling, if one has room. The path leads to
 * the block that went then.
 */
static int join_block(const struct attr_op *op, struct attr_path *path,
		      unsigned int i, bool leaf, bool *joined)
{
	const struct buf *b = path->at[i].buf;
	/* the lower one first */
	bool forward = xfs_da_forw(b->data) < xfs_da_back(b->data);
	int rc = 0;

	*joined = false;
	for (unsigned int n = 0; n < 2 && !*joined && !rc; n++) {
		bool there, forw = n ? !forward : forward, keep_other;
		struct attr_path other = *path, *from, *to;

		rc = attr_path_shift(op, &other, i + 1, forw, &there);
		if (rc || !there ||
		    !fit_together(op, b, other.at[i].buf, leaf))
			continue;
		keep_other = other.at[i].block < path->at[i].block;
		from = keep_other ? path : &other;
		to = keep_other ? &other : path;
		rc = (leaf ? join_leaves : join_nodes)(op, from->at[i].buf,
						       to->at[i].buf,
						       keep_other != forw);
		if (!rc)
			rc = attr_path_fix(op, to, i + 1);
		if (!rc)
			rc = drop(op, from, i);
		*path = *from;
		*joined = true;
	}
	return rc;
}

/* A root that points to one block alone takes its place. */
static int lower_root(const struct attr_op *op, const struct attr_path *path)
{
	const struct xfs_geom *g = attr_geom(op);
	struct buf *root = path->at[0].buf, *b;
	uint32_t block;
	bool leaf;
	int rc;

	if (xfs_da_node_count(root->data, g) != 1)
		return 0;
	leaf = xfs_da_node_level(root->data, g) == 1;
	block = xfs_da_node_block(root->data, g, 0);
	rc = attr_read_block(op, block, &trans_da_any_ops, &b);
	if (rc)
		return rc;
	if (xfs_da_forw(b->data) || xfs_da_back(b->data))
		return attr_bad(op, "siblings that no node knows");
	memcpy(root->data, b->data, g->blocksize);
	xfs_da_set_place(root->data, g, root->daddr);
	trans_buf_set_ops(op->t, root, leaf ? &trans_attr_leaf_ops :
					      &trans_da_node_ops);
	attr_log_all(op, root);
	return attr_shrink(op, block, b);
}

int attr_join(const struct attr_op *op, struct attr_path *path)
{
	bool more = true;
	int rc = 0;

	for (unsigned int i = path->depth - 1; i && more && !rc; i--) {
		bool leaf = is_leaf_at(path, i), empty;

		if (!is_small(op, path, i, leaf, &empty))
			break;
		if (empty)
			rc = drop(op, path, i);
		else
			rc = join_block(op, path, i, leaf, &more);
	}
	return rc ? rc : lower_root(op, path);
}

int attr_tree_remove(const struct attr_op *op, struct attr_path *path,
		     bool keep_fork)
{
	struct buf *b = path->at[path->depth - 1].buf, *root;
	struct xfs_attr_leaf leaf;
	struct attr_edit e;
	uint16_t magic;
	int rc = attr_load_leaf(op, &leaf, b);

	if (!rc)
		rc = attr_edit_begin(&e, op, b);
	if (rc)
		return rc;
	xfs_attr_leaf_remove(&leaf, path->index);
	xfs_attr_leaf_store(&leaf);
	attr_edit_end(&e);
	if (path->depth == 1)
		return attr_leaf_to_sf(op, b, keep_fork);
	rc = leaf.count ? attr_path_fix(op, path, path->depth) : 0;
	if (!rc && leaf.hdr_bytes + xfs_attr_leaf_load_bytes(&leaf) <
		   leaf.len_bytes * SMALL_PERCENT / 100)
		rc = attr_join(op, path);
	root = path->at[0].buf;
	magic = get_be16(root->data + XFS_DA_MAGIC_OFF);
	if (rc || (magic != XFS_ATTR_LEAF_MAGIC &&
		   magic != XFS_ATTR3_LEAF_MAGIC))
		return rc;
	return attr_leaf_to_sf(op, root, keep_fork);
}
