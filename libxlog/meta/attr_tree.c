/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree of attribute leaves: the way down, and what is added to it. Block 0
 * of the fork is its root, a leaf as long as one is enough. See attr_priv.h.
 */
#include "libxlog/meta/attr_priv.h"

enum { MADE_MAX = 3 };		/* blocks, of one level, by one addition */

static bool is_leaf(const struct buf *b)
{
	uint16_t magic = get_be16(b->data + XFS_DA_MAGIC_OFF);

	return magic == XFS_ATTR_LEAF_MAGIC || magic == XFS_ATTR3_LEAF_MAGIC;
}

uint32_t attr_last_hash(const struct attr_op *op, const struct buf *b)
{
	const struct xfs_geom *g = attr_geom(op);
	struct xfs_attr_leaf leaf;
	struct xfs_attr_entry e;

	if (!is_leaf(b))
		return xfs_da_node_hash(b->data, g,
					xfs_da_node_count(b->data, g) - 1);
	xfs_attr_leaf_look(&leaf, b->data, g);
	if (!leaf.count)
		return 0;
	xfs_attr_leaf_entry(&leaf, leaf.count - 1, &e);
	return e.hash;
}

/* --- the way --- */

/* Block number @i of @path, below a node of @level (0: nobody's below). */
static int step_down(const struct attr_op *op, struct attr_path *path,
		     unsigned int i, uint32_t block, uint32_t level)
{
	const struct xfs_geom *g = attr_geom(op);
	struct buf *b;
	int rc = attr_read_block(op, block, &trans_da_any_ops, &b);

	if (rc)
		return rc;
	path->at[i].block = block;
	path->at[i].buf = b;
	path->at[i].index = 0;
	path->depth = i + 1;
	if (level && level - 1 != (is_leaf(b) ? 0 :
				   xfs_da_node_level(b->data, g)))
		return attr_bad(op, "levels of nodes do not ascend by one");
	return 0;
}

/* Down to a leaf from block @i of the path, by hash or along an edge. */
static int descend(const struct attr_op *op, struct attr_path *path,
		   unsigned int i, int edge)
{
	const struct xfs_geom *g = attr_geom(op);
	int rc = 0;

	while (!rc && !is_leaf(path->at[i].buf)) {
		const uint8_t *node = path->at[i].buf->data;
		uint32_t *index = &path->at[i].index;

		if (i == XFS_DA_MAX_DEPTH)
			return attr_bad(op, "a tree that is too high");
		*index = edge < 0 ? 0 : edge > 0 ?
			 xfs_da_node_count(node, g) - 1 :
			 xfs_da_node_find(node, g, op->hash);
		rc = step_down(op, path, i + 1,
			       xfs_da_node_block(node, g, *index),
			       xfs_da_node_level(node, g));
		i++;
	}
	return rc;
}

int attr_path_shift(const struct attr_op *op, struct attr_path *path,
		    unsigned int depth, bool forward, bool *moved)
{
	const struct xfs_geom *g = attr_geom(op);
	unsigned int i = depth - 1;
	int rc = 0;

	*moved = false;
	/* up to where there is another way */
	do {
		if (!i)
			return 0;
		i--;
	} while (forward ? path->at[i].index + 1 >=
			   xfs_da_node_count(path->at[i].buf->data, g) :
			   !path->at[i].index);
	path->at[i].index += forward ? 1 : UINT32_MAX;
	for (; i + 1 < depth && !rc; i++) {
		const uint8_t *node = path->at[i].buf->data;

		rc = step_down(op, path, i + 1,
			       xfs_da_node_block(node, g, path->at[i].index),
			       xfs_da_node_level(node, g));
		if (!rc && i + 2 < depth && !forward)
			path->at[i + 1].index =
				xfs_da_node_count(path->at[i + 1].buf->data,
						  g) - 1;
	}
	*moved = !rc;
	return rc;
}

int attr_path_first(const struct attr_op *op, struct attr_path *path)
{
	int rc = step_down(op, path, 0, 0, 0);

	return rc ? rc : descend(op, path, 0, -1);
}

int attr_path_find(const struct attr_op *op, bool incomplete,
		   struct attr_path *path, bool *found)
{
	struct attr_path on;
	int rc = step_down(op, path, 0, 0, 0);
	bool moved = true;

	*found = false;
	if (!rc)
		rc = descend(op, path, 0, 0);
	if (rc)
		return rc;
	/* entries of one hash may go on in the next leaf */
	for (on = *path; moved && !rc;) {
		unsigned int leaf_at = on.depth - 1;
		struct xfs_attr_leaf leaf;

		xfs_attr_leaf_look(&leaf, on.at[leaf_at].buf->data,
				   attr_geom(op));
		*found = xfs_attr_leaf_find(&leaf, op->a, op->hash, incomplete,
					    &on.index);
		if (*found || on.at[leaf_at].buf == path->at[leaf_at].buf)
			*path = on;
		if (*found || on.index < leaf.count)
			break;
		rc = attr_path_shift(op, &on, on.depth, true, &moved);
	}
	return rc;
}

int attr_path_fix(const struct attr_op *op, const struct attr_path *path,
		  unsigned int depth)
{
	const struct xfs_geom *g = attr_geom(op);

	for (unsigned int i = depth - 1; i--;) {
		uint32_t hash = attr_last_hash(op, path->at[i + 1].buf);
		struct buf *b = path->at[i].buf;
		uint32_t index = path->at[i].index;
		struct attr_edit e;
		int rc;

		if (xfs_da_node_hash(b->data, g, index) == hash)
			break;
		rc = attr_edit_begin(&e, op, b);
		if (rc)
			return rc;
		xfs_da_node_set(b->data, g, index, hash,
				xfs_da_node_block(b->data, g, index));
		attr_edit_end(&e);
	}
	return 0;
}

/* --- growing --- */

/* A block that was made, to be named by the node above. */
struct made {
	uint32_t	block;
	struct buf	*buf;
};

static int make_block(const struct attr_op *op, bool leaf, uint32_t level,
		      struct made *m)
{
	const struct xfs_geom *g = attr_geom(op);
	struct xfs_attr_leaf unused;
	int rc = attr_grow(op, leaf ? &trans_attr_leaf_ops :
				      &trans_da_node_ops, &m->block, &m->buf);

	if (rc)
		return rc;
	if (leaf)
		xfs_attr_leaf_init(&unused, m->buf->data, g, m->buf->daddr,
				   op->ip->ino);
	else
		xfs_da_node_init(m->buf->data, g, level, m->buf->daddr,
				 op->ip->ino);
	attr_log_all(op, m->buf);
	return 0;
}

/* @m comes behind block @block, in @b, in the order of their level. */
static int link_behind(const struct attr_op *op, uint32_t block,
		       struct buf *b, const struct made *m)
{
	uint32_t next = xfs_da_forw(b->data);
	struct buf *n;
	int rc;

	if (next) {
		rc = attr_read_block(op, next, &trans_da_any_ops, &n);
		if (rc)
			return rc;
		if (xfs_da_back(n->data) != block)
			return attr_bad(op, "siblings that do not agree");
		xfs_da_set_back(n->data, m->block);
		trans_log_buf(op->t, n, 0, XFS_DA_INFO_BYTES);
	}
	xfs_da_set_forw(m->buf->data, next);
	xfs_da_set_back(m->buf->data, block);
	xfs_da_set_forw(b->data, m->block);
	trans_log_buf(op->t, b, 0, XFS_DA_INFO_BYTES);
	trans_log_buf(op->t, m->buf, 0, XFS_DA_INFO_BYTES);
	return 0;
}

/*
 * The root, at block 0, goes elsewhere; a node that points there takes its
 * place.
 */
static int raise_root(const struct attr_op *op, struct attr_path *path)
{
	const struct xfs_geom *g = attr_geom(op);
	struct buf *root = path->at[0].buf;
	bool leaf = is_leaf(root);
	uint32_t level = leaf ? 0 : xfs_da_node_level(root->data, g);
	struct made m;
	int rc;

	if (path->depth > XFS_DA_MAX_DEPTH)
		return attr_bad(op, "a tree that is too high");
	rc = make_block(op, leaf, level, &m);
	if (rc)
		return rc;
	memcpy(m.buf->data, root->data, g->blocksize);
	xfs_da_set_place(m.buf->data, g, m.buf->daddr);
	attr_log_all(op, m.buf);
	trans_buf_set_ops(op->t, root, &trans_da_node_ops);
	xfs_da_node_init(root->data, g, level + 1, root->daddr, op->ip->ino);
	xfs_da_node_insert(root->data, g, 0, attr_last_hash(op, m.buf),
			   m.block);
	attr_log_all(op, root);
	memmove(&path->at[1], &path->at[0],
		path->depth * sizeof(path->at[0]));
	path->depth++;
	path->at[0].index = 0;
	path->at[1].block = m.block;
	path->at[1].buf = m.buf;
	return 0;
}

/* The upper half of node @i of the path goes into a new one, @m. */
static int divide_node(const struct attr_op *op, struct attr_path *path,
		       unsigned int i, struct made *m)
{
	const struct xfs_geom *g = attr_geom(op);
	struct buf *b = path->at[i].buf;
	uint32_t count = xfs_da_node_count(b->data, g), half = count / 2;
	struct attr_edit e;
	int rc = make_block(op, false, xfs_da_node_level(b->data, g), m);

	if (!rc)
		rc = link_behind(op, path->at[i].block, b, m);
	if (!rc)
		rc = attr_edit_begin(&e, op, b);
	if (rc)
		return rc;
	xfs_da_node_move(b->data, count - half, m->buf->data, 0, half, g);
	attr_edit_end(&e);
	attr_log_all(op, m->buf);
	return 0;
}

/* What the node above says of block @i of the path. */
static int fix_above(const struct attr_op *op, const struct attr_path *path,
		     unsigned int i)
{
	const struct xfs_geom *g = attr_geom(op);
	struct buf *b = path->at[i - 1].buf;
	uint32_t index = path->at[i - 1].index;
	struct attr_edit e;
	int rc = attr_edit_begin(&e, op, b);

	if (rc)
		return rc;
	xfs_da_node_set(b->data, g, index,
			attr_last_hash(op, path->at[i].buf),
			path->at[i].block);
	attr_edit_end(&e);
	return 0;
}

/* @count blocks go into node @b, before entry @index; there is room. */
static int name_in(const struct attr_op *op, struct buf *b, uint32_t index,
		   const struct made *made, unsigned int count)
{
	const struct xfs_geom *g = attr_geom(op);
	struct attr_edit e;
	int rc = attr_edit_begin(&e, op, b);

	if (rc)
		return rc;
	while (count--)
		xfs_da_node_insert(b->data, g, index,
				   attr_last_hash(op, made[count].buf),
				   made[count].block);
	attr_edit_end(&e);
	return 0;
}

/*
 * The @count blocks @made follow the leaf of the path: the node above gets to
 * know them, and, where one has no room and is divided, the node above that.
 */
static int name_blocks(const struct attr_op *op, struct attr_path *path,
		       struct made *made, unsigned int count)
{
	const struct xfs_geom *g = attr_geom(op);
	unsigned int i = path->depth - 1;
	int rc = 0;

	while (count && !rc) {
		struct made half = { 0 };
		uint32_t index, kept;
		struct buf *b;

		rc = fix_above(op, path, i);
		kept = xfs_da_node_count(path->at[i - 1].buf->data, g);
		if (!rc && kept + count > xfs_da_node_max(g)) {
			if (i == 1) {
				rc = raise_root(op, path);
				i++;
			}
			if (!rc)
				rc = divide_node(op, path, i - 1, &half);
		}
		if (rc)
			break;
		i--;
		b = path->at[i].buf;
		index = path->at[i].index;
		kept = xfs_da_node_count(b->data, g);
		if (half.buf && index >= kept) {
			b = half.buf;
			index -= kept;
		}
		rc = name_in(op, b, index + 1, made, count);
		made[0] = half;
		count = half.buf ? 1 : 0;
	}
	return rc ? rc : attr_path_fix(op, path, i + 1);
}

/* --- adding --- */

/* To leaf @b, if there is room. */
static int add_to_leaf(const struct attr_op *op, struct buf *b, uint32_t index,
		       bool *done)
{
	struct xfs_attr_leaf leaf;
	struct attr_edit e;
	int rc = attr_load_leaf(op, &leaf, b);

	if (!rc)
		rc = attr_edit_begin(&e, op, b);
	if (rc)
		return rc;
	*done = xfs_attr_leaf_add(&leaf, index, op->a, op->hash);
	xfs_attr_leaf_store(&leaf);
	attr_edit_end(&e);
	return 0;
}

/* Entries of leaf @l from @from on go into a new leaf behind it, @m. */
static int divide_leaf(const struct attr_op *op, const struct made *l,
		       uint32_t from, struct made *m)
{
	struct xfs_attr_leaf leaf, new;
	struct attr_edit e;
	int rc = make_block(op, true, 0, m);

	if (!rc)
		rc = link_behind(op, l->block, l->buf, m);
	if (!rc)
		rc = attr_load_leaf(op, &leaf, l->buf);
	if (!rc)
		rc = attr_load_leaf(op, &new, m->buf);
	if (!rc)
		rc = attr_edit_begin(&e, op, l->buf);
	if (rc)
		return rc;
	xfs_attr_leaf_move(&leaf, from, &new, 0, leaf.count - from);
	xfs_attr_leaf_store(&leaf);
	xfs_attr_leaf_store(&new);
	attr_edit_end(&e);
	attr_log_all(op, m->buf);
	return 0;
}

/*
 * The leaf is full. One more is enough, unless the new entry is large and has
 * large ones on both sides: then it is alone between two, at the most.
 */
static int add_dividing(const struct attr_op *op, struct attr_path *path)
{
	unsigned int at = path->depth - 1, count = 1, next = 0;
	struct made made[MADE_MAX] = { 0 }, to = {
		.block = path->at[at].block, .buf = path->at[at].buf,
	};
	uint32_t index = path->index;
	struct xfs_attr_split s;
	struct xfs_attr_leaf leaf;
	bool done = false, local;
	int rc = attr_load_leaf(op, &leaf, to.buf);

	if (rc)
		return rc;
	s = xfs_attr_leaf_balance(&leaf, index,
				  xfs_attr_leaf_bytes(op->a, leaf.len_bytes,
						      &local));
	rc = divide_leaf(op, &to, s.count, &made[0]);
	if (!rc && !s.stays) {
		index -= s.count;
		to = made[0];
		next = 1;
	}
	if (!rc)
		rc = add_to_leaf(op, to.buf, index, &done);
	while (!rc && !done) {
		if (count == MADE_MAX)
			return attr_bad(op, "one that fits into no leaf");
		memmove(&made[next + 1], &made[next],
			(count - next) * sizeof(made[0]));
		count++;
		/* what is behind it goes, in the end nothing */
		rc = divide_leaf(op, &to, index, &made[next]);
		if (!rc)
			rc = add_to_leaf(op, to.buf, index, &done);
		if (!rc && !done)
			rc = add_to_leaf(op, made[next].buf, 0, &done);
	}
	return rc ? rc : name_blocks(op, path, made, count);
}

int attr_tree_add(const struct attr_op *op, struct attr_path *path,
		  bool *done)
{
	unsigned int at = path->depth - 1;
	int rc = add_to_leaf(op, path->at[at].buf, path->index, done);

	if (rc)
		return rc;
	if (*done)
		return attr_path_fix(op, path, path->depth);
	if (path->depth == 1)
		return raise_root(op, path);
	*done = true;
	return add_dividing(op, path);
}
