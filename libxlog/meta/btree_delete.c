/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a tree shrinks. A record goes out of its leaf; if that is less than half
 * full then, it gets one from the neighbour on the right or else on the left,
 * and only if they have none to spare is it joined with one of them, the left
 * one first; what is no more then goes out of the node above in the same way.
 * A root that has only one child left gives way to it.
 */
#include "libxlog/meta/btree_priv.h"

/* Of a node the position is that of the child in the path: one further back. */
static int settle(struct btree_cur *cur, unsigned int level)
{
	bool found;

	return level ? btree_step(cur, level, false, &found) : 0;
}

/* --- one level less --- */

static int drop_root(struct btree_cur *cur)
{
	unsigned int level = cur->nlevels - 1;
	struct btree_level *lv = &cur->levels[level];
	struct btree_node root = btree_node(cur, level);
	uint64_t child = btree_ptr(&root, 1);
	int rc;

	if (!btree_has_node(cur, level - 1) ||
	    cur->levels[level - 1].block != child)
		return btree_damaged(cur, root.block, "a root of another child");
	rc = btree_block_free(cur, lv->block, lv->buf);
	if (rc)
		return rc;
	btree_drop(cur, level);
	btree_set_root(cur, child, -1);
	return 0;
}

/*
 * The only child of a root in an inode goes up into it, if it fits; but never
 * a leaf: that makes a list of extents of the fork, and is its owner's to do.
 */
static int pull_iroot_up(struct btree_cur *cur)
{
	unsigned int level = cur->nlevels - 1;
	struct btree_level *lv = &cur->levels[level - 1];
	struct btree_node root, child;
	int rc;

	root = btree_node(cur, level);
	if (level == 1 || root.num != 1)
		return 0;
	child = btree_node(cur, level - 1);
	if (child.num > root.room || !child.num)
		return 0;
	if (child.block != btree_ptr(&root, 1))
		return btree_damaged(cur, root.block, "a root of another child");
	put_be16(root.head, (uint16_t)(level - 1));
	btree_node_set_num(cur, &root, 0);
	btree_node_append(cur, &root, &child, 1, child.num);
	rc = btree_block_free(cur, lv->block, lv->buf);
	btree_drop(cur, level - 1);
	cur->nlevels--;
	return rc;
}

static int shrink_root(struct btree_cur *cur, unsigned int level)
{
	struct btree_node root = btree_node(cur, level);
	int rc = settle(cur, level);

	if (rc || !level)
		return rc;
	if (cur->ip)
		return pull_iroot_up(cur);
	return root.num == 1 ? drop_root(cur) : 0;
}

/* --- two into one --- */

/*
 * All of the node of @right goes into that of @left, its neighbour. The paths
 * above them are as they were.
 */
static int join(struct btree_cur *left, struct btree_cur *right,
		unsigned int level)
{
	struct btree_node l = btree_node(left, level);
	struct btree_node r = btree_node(right, level);
	struct btree_cur beyond;
	bool found;
	int rc = btree_neighbour(right, level, true, &beyond, &found);

	if (rc)
		goto out;
	btree_node_append(left, &l, &r, 1, r.num);
	btree_set_sibling(left, &l, true, btree_sibling_ptr(&r, true));
	if (found) {
		struct btree_node n = btree_node(&beyond, level);

		btree_set_sibling(left, &n, false, l.block);
	}
	rc = btree_block_free(right, r.block, r.buf);
out:
	btree_fini(&beyond);
	return rc;
}

/* The path of @cur goes to the block of @left, into which its own went. */
static void move_to_left(struct btree_cur *cur, struct btree_cur *left,
			 unsigned int level, uint32_t count_before)
{
	struct btree_level *lv = &cur->levels[level];

	btree_drop(cur, level);
	lv->buf = left->levels[level].buf;
	lv->block = left->levels[level].block;
	lv->pos += count_before;
	left->levels[level].buf = NULL;
}

/* --- one from a neighbour --- */

/* The neighbours of a node that has too few; a count of 0: there is none. */
struct sides {
	struct btree_cur left, right;
	uint32_t	left_num, right_num;
};

/* Take one element from @side, if it has one to spare. */
static int borrow(struct btree_cur *side, unsigned int level, bool from_right,
		  bool *done)
{
	struct btree_node n = btree_node(side, level);

	*done = false;
	if (n.num - 1 < btree_min(&n))
		return 0;
	/* what is at the position does not move */
	side->levels[level].pos = from_right ? n.num : 1;
	return btree_shift(side, level, !from_right, done);
}

static int join_sides(struct btree_cur *cur, unsigned int level,
		      struct sides *s, bool *joined)
{
	struct btree_node n = btree_node(cur, level);
	bool found;
	int rc = 0;

	if (s->left_num && s->left_num + n.num <= n.room) {
		rc = join(&s->left, cur, level);
		if (!rc)
			move_to_left(cur, &s->left, level, s->left_num);
	} else if (s->right_num && s->right_num + n.num <= n.room) {
		rc = join(cur, &s->right, level);
		/* above, what is to go is the other one */
		if (!rc)
			rc = btree_step(cur, level + 1, true, &found);
	} else {
		return n.num ? settle(cur, level) :
		       btree_damaged(cur, n.block, "empty");
	}
	if (level && !rc)
		cur->levels[level].pos--;
	*joined = true;
	return rc;
}

static int rebalance(struct btree_cur *cur, unsigned int level,
		     struct sides *s, bool *joined)
{
	bool found, done = false;
	int rc = btree_neighbour(cur, level, true, &s->right, &found);

	if (!rc && found) {
		s->right_num = btree_node(&s->right, level).num;
		rc = borrow(&s->right, level, true, &done);
		if (done)
			return rc ? rc : settle(cur, level);
	}
	if (!rc)
		rc = btree_neighbour(cur, level, false, &s->left, &found);
	if (!rc && found) {
		s->left_num = btree_node(&s->left, level).num;
		rc = borrow(&s->left, level, false, &done);
		/* above the leaves, one more and one further back is none */
		if (done && !level)
			cur->levels[0].pos++;
	}
	return rc || done ? rc : join_sides(cur, level, s, joined);
}

/* --- all of it --- */

/*
 * Take out what is at the position of the node at @level. *@joined: it was
 * joined with another one, and now the position above is that of the one that
 * is to go out there.
 */
static int delete_at(struct btree_cur *cur, unsigned int level, bool *joined)
{
	struct btree_node n = btree_node(cur, level);
	uint32_t pos = cur->levels[level].pos;
	struct sides s = { .left_num = 0 };
	int rc;

	*joined = false;
	if (!pos || pos > n.num)
		return btree_damaged(cur, n.block, "no such child");
	btree_node_remove(cur, &n, pos);
	if (level == cur->nlevels - 1)
		return shrink_root(cur, level);
	if (n.num && btree_matters_above(cur, pos))
		btree_update_keys(cur, level, false);
	if (n.num >= btree_min(&n))
		return settle(cur, level);
	if (cur->ip && level == cur->nlevels - 2 &&
	    btree_node(cur, level + 1).num == 1) {
		rc = settle(cur, level);
		return rc ? rc : pull_iroot_up(cur);
	}
	rc = rebalance(cur, level, &s, joined);
	btree_fini(&s.left);
	btree_fini(&s.right);
	return rc;
}

/*
 * Where the first child of a node went to the left, the position is in front
 * of that node: it is to be in the one before.
 */
static int mend_path(struct btree_cur *cur)
{
	bool found;
	int rc = 0;

	for (unsigned int l = cur->nlevels; !rc && l-- > 1; )
		if (!cur->levels[l].pos)
			rc = btree_step(cur, l, false, &found);
	return rc;
}

int btree_delete(struct btree_cur *cur, bool *done)
{
	bool longest, joined = true, any = false;
	unsigned int emptied = XFS_BTREE_MAX_LEVELS;
	struct btree_node n;
	int rc = 0;

	*done = false;
	if (!btree_has_node(cur, 0))
		return 0;
	assert(cur->t);
	n = btree_node(cur, 0);
	if (!cur->levels[0].pos || cur->levels[0].pos > n.num)
		return 0;
	longest = btree_at_longest(cur);
	for (unsigned int level = 0; !rc && joined; level++) {
		if (btree_node(cur, level).num == 1)
			emptied = level;
		rc = delete_at(cur, level, &joined);
		any = any || joined;
	}
	if (!rc)
		rc = mend_path(cur);
	/* what came into an empty node could not be seen above before */
	if (!rc && emptied < cur->nlevels && btree_node(cur, emptied).num)
		btree_update_keys(cur, emptied, true);
	if (!rc && any && btree_kinds[cur->kind].overlapping)
		btree_update_keys(cur, 0, true);
	if (!rc && longest)
		rc = btree_log_longest(cur);
	*done = !rc;
	return rc;
}
