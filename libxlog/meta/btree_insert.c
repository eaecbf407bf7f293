/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a tree grows. A record goes into its leaf; if that is full, one record of
 * it goes to the neighbour on the right or else on the left, and only if they
 * are full, too, is the leaf split in half; what is new then goes into the
 * node above in the same way. A root in an inode that is full moves into a
 * block, any other that was split gets a root above.
 *
 * A split leaves the path behind: the record is looked up again at the end.
 */
#include "libxlog/meta/btree_priv.h"

/* Is there a key in the node that the one before or behind must not have? */
static bool order_holds(const struct btree_node *n, uint32_t pos,
			uint32_t behind, const uint8_t *rec)
{
	struct btree_key key = n->ops->rec_low(rec), other;

	if (pos > 1) {
		other = btree_low(n, pos - 1);
		if (btree_key_cmp(&other, &key) >= 0)
			return false;
	}
	if (behind <= n->num) {
		other = btree_low(n, behind);
		if (btree_key_cmp(&key, &other) >= 0)
			return false;
	}
	return true;
}

void btree_update_keys(struct btree_cur *cur, unsigned int level, bool all)
{
	bool overlapping = btree_kinds[cur->kind].overlapping;
	uint32_t pos = 1;

	for (level++; level < cur->nlevels && (pos == 1 || overlapping);
	     level++) {
		struct btree_node n = btree_node(cur, level - 1);
		uint8_t elem[BTREE_ELEM_BYTES];

		btree_node_key(cur, &n, elem);
		n = btree_node(cur, level);
		pos = cur->levels[level].pos;
		if (overlapping && !all &&
		    !memcmp(btree_elem(&n, pos), elem, n.elem_bytes))
			break;
		btree_node_set_elem(cur, &n, pos, elem);
	}
}

/* --- one element to a neighbour --- */

static void shift_right(struct btree_cur *cur, struct btree_cur *side,
			unsigned int level)
{
	struct btree_node from = btree_node(cur, level);
	struct btree_node to = btree_node(side, level);
	struct btree_entry e;

	btree_node_get(&from, from.num, &e);
	btree_node_insert(cur, &to, 1, &e);
	btree_node_remove(cur, &from, from.num);
}

static void shift_left(struct btree_cur *cur, struct btree_cur *side,
		       unsigned int level)
{
	struct btree_node from = btree_node(cur, level);
	struct btree_node to = btree_node(side, level);

	btree_node_append(cur, &to, &from, 1, 1);
	btree_node_remove(cur, &from, 1);
	cur->levels[level].pos--;
}

int btree_shift(struct btree_cur *cur, unsigned int level, bool right,
		bool *done)
{
	bool overlapping = btree_kinds[cur->kind].overlapping;
	struct btree_node n = btree_node(cur, level), to;
	struct btree_cur side;
	bool found;
	int rc;

	*done = false;
	if (right ? cur->levels[level].pos >= n.num :
		    cur->levels[level].pos <= 1)
		return 0;
	rc = btree_neighbour(cur, level, right, &side, &found);
	if (rc || !found)
		goto out;
	to = btree_node(&side, level);
	if (to.num >= to.room)
		goto out;
	if (right)
		shift_right(cur, &side, level);
	else
		shift_left(cur, &side, level);
	/* the right one of the two begins elsewhere; both end elsewhere */
	if (!right || overlapping)
		btree_update_keys(cur, level, false);
	if (right || overlapping)
		btree_update_keys(&side, level, false);
	*done = true;
out:
	btree_fini(&side);
	return rc;
}

/* --- in two --- */

/*
 * Split the node at @level, which is full. The new one, on its right, gets
 * half; the odd one stays on the side where the new element will not be. *@e
 * is then what is to be put into the node above for it. *@moved: the position
 * is in the new one, of which the path has hold now.
 */
static int split(struct btree_cur *cur, unsigned int level,
		 struct btree_entry *e, bool *moved, bool *done)
{
	struct btree_level *lv = &cur->levels[level];
	struct btree_node left = btree_node(cur, level), right, far;
	uint32_t count = left.num / 2;
	uint64_t next = btree_sibling_ptr(&left, true);
	struct btree_cur side;
	bool has_far;
	int rc = btree_neighbour(cur, level, true, &side, &has_far);

	*moved = *done = false;
	if (!rc)
		rc = btree_block_alloc(cur, level, left.block, &right, done);
	if (rc || !*done)
		goto out;
	if (left.num % 2 && lv->pos <= count + 1)
		count++;
	btree_node_append(cur, &right, &left, left.num - count + 1, count);
	btree_node_set_num(cur, &left, left.num - count);
	btree_set_sibling(cur, &right, false, left.block);
	btree_set_sibling(cur, &right, true, next);
	btree_set_sibling(cur, &left, true, right.block);
	if (has_far) {
		far = btree_node(&side, level);
		btree_set_sibling(cur, &far, false, right.block);
	}
	btree_node_key(cur, &right, e->elem);
	e->ptr = right.block;
	if (btree_kinds[cur->kind].overlapping)
		btree_update_keys(cur, level, false);
	if (lv->pos > left.num + 1) {
		btree_drop(cur, level);
		lv->buf = right.buf;
		lv->block = right.block;
		lv->pos -= left.num;
		*moved = true;
	} else {
		btree_block_put(cur, right.buf);
	}
out:
	btree_fini(&side);
	return rc;
}

/* --- one more level --- */

/* A root above the two halves of the old one; @e is that of the right. */
static int new_root(struct btree_cur *cur, const struct btree_entry *e,
		    bool *done)
{
	unsigned int level = cur->nlevels;
	const struct btree_kind_ops *ops = &btree_kinds[cur->kind];
	struct btree_entry left = {
		.ptr = get_be32(cur->agbuf->data + ops->root_off)
	};
	struct btree_node root, n;
	struct buf *buf;
	int rc;

	*done = false;
	if (level == XFS_BTREE_MAX_LEVELS)
		return btree_damaged(cur, left.ptr, "too many levels");
	rc = btree_block_alloc(cur, level, left.ptr, &root, done);
	if (rc || !*done)
		return rc;
	/* the path may be in the other half */
	rc = trans_read_agb(cur->t, cur->fs, cur->group->agno,
			    (xfs_agblock_t)left.ptr,
			    &trans_btree_ops[cur->kind], &buf);
	if (rc)
		return rc;
	n = btree_node_of(cur, buf, left.ptr);
	btree_node_key(cur, &n, left.elem);
	btree_block_put(cur, buf);
	btree_node_insert(cur, &root, 1, &left);
	btree_node_insert(cur, &root, 2, e);
	btree_set_root(cur, root.block, 1);
	cur->levels[level] = (struct btree_level){
		.buf = root.buf, .block = root.block, .pos = 1,
	};
	return 0;
}

/* What a full root in an inode has goes into a block, its only child. */
static int push_iroot_down(struct btree_cur *cur, bool *done)
{
	unsigned int level = cur->nlevels - 1;
	struct btree_node root = btree_node(cur, level), child;
	int rc;

	*done = false;
	if (cur->nlevels == XFS_BTREE_MAX_LEVELS)
		return btree_damaged(cur, root.block, "too many levels");
	rc = btree_block_alloc(cur, level, btree_ptr(&root, 1), &child, done);
	if (rc || !*done)
		return rc;
	btree_node_append(cur, &child, &root, 1, root.num);
	put_be16(root.head, (uint16_t)(level + 1));
	btree_node_set_num(cur, &root, 1);
	btree_node_set_ptr(cur, &root, 1, child.block);
	cur->levels[level].buf = child.buf;
	cur->levels[level].block = child.block;
	cur->levels[level + 1] = (struct btree_level){ .pos = 1 };
	cur->nlevels++;
	return 0;
}

/* --- all of it --- */

enum room { ROOM_NONE, ROOM_MADE, ROOM_SPLIT, ROOM_SPLIT_MOVED };

static int make_room(struct btree_cur *cur, unsigned int level,
		     struct btree_entry *above, enum room *how)
{
	bool done, moved;
	int rc;

	*how = ROOM_NONE;
	if (btree_is_iroot(cur, level)) {
		rc = push_iroot_down(cur, &done);
		if (done)
			*how = ROOM_MADE;
		return rc;
	}
	rc = btree_shift(cur, level, true, &done);
	if (!rc && !done)
		rc = btree_shift(cur, level, false, &done);
	if (rc || done) {
		*how = ROOM_MADE;
		return rc;
	}
	rc = split(cur, level, above, &moved, &done);
	if (done)
		*how = moved ? ROOM_SPLIT_MOVED : ROOM_SPLIT;
	return rc;
}

/*
 * Put *@e in at @level. *@more: the node was split, and *@e is what has to go
 * into the one above, behind the position there.
 */
static int insert_at(struct btree_cur *cur, unsigned int level,
		     struct btree_entry *e, bool *more, bool *done)
{
	struct btree_node n = btree_node(cur, level);
	struct btree_entry above;
	enum room how = ROOM_MADE;
	uint32_t pos;
	int rc;

	*more = *done = false;
	if (n.num >= n.room) {
		rc = make_room(cur, level, &above, &how);
		if (rc || how == ROOM_NONE)
			return rc;
		n = btree_node(cur, level);
	}
	pos = cur->levels[level].pos;
	btree_node_insert(cur, &n, pos, e);
	if (how == ROOM_SPLIT_MOVED)
		btree_node_key(cur, &n, above.elem);
	else if (btree_matters_above(cur, pos))
		btree_update_keys(cur, level, false);
	*more = how >= ROOM_SPLIT;
	if (*more)
		*e = above;
	*done = true;
	return 0;
}

/* The parts of the record are in their blocks; those above it are to follow. */
static int insert_above(struct btree_cur *cur, struct btree_entry *e)
{
	bool more = true, done = true;
	int rc = 0;

	for (unsigned int level = 1; !rc && more && done; level++) {
		if (level == cur->nlevels) {
			rc = new_root(cur, e, &done);
			more = false;
		} else {
			cur->levels[level].pos++;
			rc = insert_at(cur, level, e, &more, &done);
		}
	}
	if (!rc && !done)
		rc = report(&cur->fs->sink, -ENOSPC, "btree", XLOG_LSN_NONE,
			    "no space for the %s, half of which is split",
			    xfs_btree_name(cur->kind));
	return rc;
}

int btree_insert(struct btree_cur *cur, const union btree_rec *rec, bool *done)
{
	struct btree_entry e = { .ptr = 0 };
	struct btree_node n;
	bool more, found;
	int rc;

	assert(cur->t && btree_has_node(cur, 0));
	n = btree_node(cur, 0);
	if (!cur->levels[0].pos)
		cur->levels[0].pos = 1;
	n.ops->rec_encode(&cur->fs->geom, rec, e.elem);
	*done = false;
	if (cur->levels[0].pos > n.num + 1 ||
	    !order_holds(&n, cur->levels[0].pos, cur->levels[0].pos, e.elem))
		return btree_damaged(cur, n.block,
				     "a new record that has no place here");
	rc = insert_at(cur, 0, &e, &more, done);
	if (rc || !*done)
		return rc;
	if (more) {
		rc = insert_above(cur, &e);
		if (!rc)
			rc = btree_lookup(cur, BTREE_EQ, rec, &found);
		if (!rc && !found)
			rc = btree_damaged(cur, n.block,
					   "a new record is not found again");
	}
	return rc || !btree_at_longest(cur) ? rc : btree_log_longest(cur);
}

int btree_update(struct btree_cur *cur, const union btree_rec *rec)
{
	uint8_t elem[BTREE_ELEM_BYTES] = { 0 };
	uint32_t pos = cur->levels[0].pos;
	struct btree_node n;

	assert(cur->t && btree_has_node(cur, 0));
	n = btree_node(cur, 0);
	n.ops->rec_encode(&cur->fs->geom, rec, elem);
	if (!pos || pos > n.num || !order_holds(&n, pos, pos + 1, elem))
		return btree_damaged(cur, n.block,
				     "a changed record that has no place here");
	btree_node_set_elem(cur, &n, pos, elem);
	if (btree_matters_above(cur, pos))
		btree_update_keys(cur, 0, false);
	return btree_at_longest(cur) ? btree_log_longest(cur) : 0;
}
