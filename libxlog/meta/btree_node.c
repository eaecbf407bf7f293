/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nodes of trees: a block, or a root in an inode, taken apart, and the few ways
 * to change one. Each change is logged here, as narrow as it is.
 */
#include "libxlog/meta/btree_priv.h"

enum {
	LEVEL_OFF = 4,		/* of a block of either width */
	NUM_OFF = 6,
	LEFT_OFF = 8,
	SHORT_RIGHT_OFF = 12,
	LONG_RIGHT_OFF = 16,
	IROOT_NUM_OFF = 2,
};

struct btree_node btree_node_of(const struct btree_cur *cur, struct buf *buf,
				uint64_t block)
{
	const struct xfs_btree_ops *fmt = &xfs_btree_ops[cur->kind];
	const struct xfs_geom *g = &cur->fs->geom;
	struct btree_node n = {
		.ops = &btree_kinds[cur->kind],
		.buf = buf,
		.head = buf->data,
		.block = block,
		.level = get_be16(buf->data + LEVEL_OFF),
		.num = get_be16(buf->data + NUM_OFF),
		.num_off = NUM_OFF,
		.ptr_bytes = (uint32_t)xfs_btree_ptr_bytes(cur->kind),
		.is_long = fmt->is_long,
	};

	n.room = cur->room[n.level != 0];
	n.elem_bytes = n.level ? fmt->key_bytes : fmt->rec_bytes;
	n.elems = n.head + xfs_btree_hdr_bytes(cur->kind, g->v5);
	n.ptrs = n.elems + (size_t)n.room * n.elem_bytes;
	return n;
}

static struct btree_node iroot_node(const struct btree_cur *cur)
{
	const struct xfs_btree_ops *fmt = &xfs_btree_ops[cur->kind];
	uint32_t bytes;
	uint8_t *head = inode_fork(cur->ip, cur->whichfork, &bytes);
	struct btree_node n = {
		.ops = &btree_kinds[cur->kind],
		.head = head,
		.block = XFS_NULL_FSBLOCK,
		.level = get_be16(head),
		.num = get_be16(head + IROOT_NUM_OFF),
		.num_off = IROOT_NUM_OFF,
		.elem_bytes = fmt->key_bytes,
		.ptr_bytes = (uint32_t)xfs_btree_ptr_bytes(cur->kind),
		.is_long = fmt->is_long,
		.elems = head + XFS_BMDR_BYTES,
	};

	n.room = (uint32_t)xfs_bmdr_room(cur->kind, false, bytes);
	n.ptrs = n.elems + (size_t)n.room * n.elem_bytes;
	return n;
}

struct btree_node btree_node(const struct btree_cur *cur, unsigned int level)
{
	const struct btree_level *lv = &cur->levels[level];

	assert(btree_has_node(cur, level));
	return btree_is_iroot(cur, level) ? iroot_node(cur) :
	       btree_node_of(cur, lv->buf, lv->block);
}

void btree_log_iroot(struct btree_cur *cur)
{
	inode_log(cur->t, cur->ip, cur->whichfork == XFS_ATTR_FORK ?
		  XFS_ILOG_ABROOT : XFS_ILOG_DBROOT);
}

static void log_bytes(struct btree_cur *cur, const struct btree_node *n,
		      const uint8_t *from, size_t len_bytes)
{
	if (!n->buf)
		btree_log_iroot(cur);
	else if (len_bytes)
		trans_log_buf(cur->t, n->buf, (uint32_t)(from - n->head),
			      (uint32_t)len_bytes);
}

static uint8_t *ptr_at(const struct btree_node *n, uint32_t pos)
{
	return n->ptrs + (size_t)(pos - 1) * n->ptr_bytes;
}

/* Elements @pos to @last, and the pointers of as many. */
static void log_elems(struct btree_cur *cur, const struct btree_node *n,
		      uint32_t pos, uint32_t last)
{
	size_t count = last + 1 - pos;

	log_bytes(cur, n, btree_elem(n, pos), count * n->elem_bytes);
	if (n->level)
		log_bytes(cur, n, ptr_at(n, pos), count * n->ptr_bytes);
}

static uint64_t get_block(const uint8_t *p, bool is_long)
{
	uint32_t agbno;

	if (is_long)
		return get_be64(p);
	agbno = get_be32(p);
	return agbno == XFS_NULL_AGBLOCK ? XFS_NULL_FSBLOCK : agbno;
}

static void put_block(uint8_t *p, bool is_long, uint64_t block)
{
	if (is_long)
		put_be64(p, block);
	else
		put_be32(p, (uint32_t)block);
}

uint64_t btree_ptr(const struct btree_node *n, uint32_t pos)
{
	return get_block(ptr_at(n, pos), n->is_long);
}

static uint8_t *sibling_at(const struct btree_node *n, bool right)
{
	if (!right)
		return n->head + LEFT_OFF;
	return n->head + (n->is_long ? LONG_RIGHT_OFF : SHORT_RIGHT_OFF);
}

uint64_t btree_sibling_ptr(const struct btree_node *n, bool right)
{
	if (!n->buf)
		return XFS_NULL_FSBLOCK;
	return get_block(sibling_at(n, right), n->is_long);
}

void btree_set_sibling(struct btree_cur *cur, struct btree_node *n, bool right,
		       uint64_t block)
{
	uint8_t *p = sibling_at(n, right);

	put_block(p, n->is_long, block);
	log_bytes(cur, n, p, n->ptr_bytes);
}

void btree_node_set_num(struct btree_cur *cur, struct btree_node *n,
			uint32_t num)
{
	n->num = num;
	put_be16(n->head + n->num_off, (uint16_t)num);
	log_bytes(cur, n, n->head + n->num_off, 2);
}

void btree_node_insert(struct btree_cur *cur, struct btree_node *n,
		       uint32_t pos, const struct btree_entry *e)
{
	size_t behind = n->num + 1 - pos;
	uint8_t *elem = btree_elem(n, pos);

	assert(n->num < n->room && pos && pos <= n->num + 1);
	memmove(elem + n->elem_bytes, elem, behind * n->elem_bytes);
	memcpy(elem, e->elem, n->elem_bytes);
	if (n->level) {
		uint8_t *ptr = ptr_at(n, pos);

		memmove(ptr + n->ptr_bytes, ptr, behind * n->ptr_bytes);
		put_block(ptr, n->is_long, e->ptr);
	}
	btree_node_set_num(cur, n, n->num + 1);
	log_elems(cur, n, pos, n->num);
}

void btree_node_remove(struct btree_cur *cur, struct btree_node *n,
		       uint32_t pos)
{
	size_t behind = n->num - pos;
	uint8_t *elem = btree_elem(n, pos);

	assert(pos && pos <= n->num);
	memmove(elem, elem + n->elem_bytes, behind * n->elem_bytes);
	if (n->level) {
		uint8_t *ptr = ptr_at(n, pos);

		memmove(ptr, ptr + n->ptr_bytes, behind * n->ptr_bytes);
	}
	btree_node_set_num(cur, n, n->num - 1);
	if (behind)
		log_elems(cur, n, pos, n->num);
}

void btree_node_append(struct btree_cur *cur, struct btree_node *to,
		       const struct btree_node *from, uint32_t from_pos,
		       uint32_t count)
{
	uint32_t first = to->num + 1;

	assert(count <= to->room - to->num);
	if (!count)
		return;
	memcpy(btree_elem(to, first), btree_elem(from, from_pos),
	       (size_t)count * to->elem_bytes);
	if (to->level)
		memcpy(ptr_at(to, first), ptr_at(from, from_pos),
		       (size_t)count * to->ptr_bytes);
	btree_node_set_num(cur, to, to->num + count);
	log_elems(cur, to, first, to->num);
}

void btree_node_set_elem(struct btree_cur *cur, struct btree_node *n,
			 uint32_t pos, const uint8_t *elem)
{
	uint8_t *p = btree_elem(n, pos);

	assert(pos && pos <= n->num);
	if (!memcmp(p, elem, n->elem_bytes))
		return;
	memcpy(p, elem, n->elem_bytes);
	log_bytes(cur, n, p, n->elem_bytes);
}

void btree_node_set_ptr(struct btree_cur *cur, struct btree_node *n,
			uint32_t pos, uint64_t ptr)
{
	uint8_t *p = ptr_at(n, pos);

	assert(n->level && pos && pos <= n->num);
	put_block(p, n->is_long, ptr);
	log_bytes(cur, n, p, n->ptr_bytes);
}

void btree_node_get(const struct btree_node *n, uint32_t pos,
		    struct btree_entry *e)
{
	assert(pos && pos <= n->num);
	memcpy(e->elem, btree_elem(n, pos), n->elem_bytes);
	e->ptr = n->level ? btree_ptr(n, pos) : 0;
}

/* Of an overlapping kind: the position of the element that reaches furthest. */
static uint32_t furthest(const struct btree_node *n)
{
	struct btree_key best = btree_high(n, 1);
	uint32_t at = 1;

	for (uint32_t pos = 2; pos <= n->num; pos++) {
		struct btree_key high = btree_high(n, pos);

		if (btree_key_cmp(&high, &best) > 0) {
			best = high;
			at = pos;
		}
	}
	return at;
}

/* The element of a node for the one at @pos of @n, or a copy of that. */
static void elem_above(const struct btree_node *n, uint32_t pos,
		       uint8_t *elem)
{
	if (n->level)
		memcpy(elem, btree_elem(n, pos), n->elem_bytes);
	else
		n->ops->rec_to_key(btree_elem(n, pos), elem);
}

void btree_node_key(const struct btree_cur *cur, const struct btree_node *n,
		    uint8_t *elem)
{
	size_t half = xfs_btree_ops[cur->kind].key_bytes / 2;
	uint8_t far[BTREE_ELEM_BYTES];

	assert(n->num);
	elem_above(n, 1, elem);
	if (!n->ops->overlapping)
		return;
	elem_above(n, furthest(n), far);
	memcpy(elem + half, far + half, half);
}
