/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of the B+tree. A node is a block, or a root in an inode, taken
 * apart; what is in it stays in the form of the disk. Which field means what
 * only btree_kinds.c knows, what is where in a node only btree_node.c, and
 * those who change trees deal in elements (a record of a leaf, the key or pair
 * of keys of a node) at positions from 1.
 */
#ifndef LIBXLOG_META_BTREE_PRIV_H
#define LIBXLOG_META_BTREE_PRIV_H

#include "libxlog/meta/btree.h"
#include "libxlog/trans/trans_buf.h"

enum {
	BTREE_ELEM_BYTES = 40,	/* of the largest: the two keys of rmapbt */
};

/* A key in host form. The words are compared in order. */
struct btree_key {
	uint64_t	word[3];
};

static inline int btree_key_cmp(const struct btree_key *a,
				const struct btree_key *b)
{
	for (unsigned int i = 0; i < 3; i++)
		if (a->word[i] != b->word[i])
			return a->word[i] < b->word[i] ? -1 : 1;
	return 0;
}

struct btree_kind_ops {
	/* in the AGF or AGI; 0: none */
	uint16_t	root_off, level_off, blocks_off;
	bool		in_agi;
	bool		overlapping;	/* nodes have high keys, too */

	void (*rec_decode)(const struct xfs_geom *g, const uint8_t *raw,
			   union btree_rec *rec);
	void (*rec_encode)(const struct xfs_geom *g,
			   const union btree_rec *rec, uint8_t *raw);
	/* NULL, or why there can be no such record in this tree */
	const char *(*rec_check)(const struct btree_cur *cur,
				 const union btree_rec *rec);

	/* of a record: its key, and the last key that it reaches to */
	struct btree_key (*rec_low)(const uint8_t *raw);
	struct btree_key (*rec_high)(const uint8_t *raw);
	/* of an element of a node; high only if overlapping */
	struct btree_key (*key_low)(const uint8_t *raw);
	struct btree_key (*key_high)(const uint8_t *raw);
	/* the element of a node for a leaf with this record alone */
	void (*rec_to_key)(const uint8_t *rec, uint8_t *key);
};

extern const struct btree_kind_ops btree_kinds[XFS_BTREE_KINDS];

/* Key of a record in host form. */
struct btree_key btree_rec_key(const struct btree_cur *cur,
			       const union btree_rec *rec);

/* --- nodes --- */

struct btree_node {
	const struct btree_kind_ops *ops;
	struct buf	*buf;		/* NULL: root in an inode */
	uint8_t		*head;		/* where it begins */
	uint8_t		*elems, *ptrs;
	uint64_t	block;		/* of @buf */
	uint32_t	level, num, room;
	uint32_t	elem_bytes, ptr_bytes;
	uint32_t	num_off;
	bool		is_long;
};

/* What is to be put into a node: of a leaf only @elem. */
struct btree_entry {
	uint8_t		elem[BTREE_ELEM_BYTES];
	uint64_t	ptr;
};

/* The node that the path has at @level. */
struct btree_node btree_node(const struct btree_cur *cur, unsigned int level);

/* That of a block of the tree which is not in the path, of that level. */
struct btree_node btree_node_of(const struct btree_cur *cur, struct buf *buf,
				uint64_t block);

static inline uint8_t *btree_elem(const struct btree_node *n, uint32_t pos)
{
	return n->elems + (size_t)(pos - 1) * n->elem_bytes;
}

static inline struct btree_key btree_low(const struct btree_node *n,
					 uint32_t pos)
{
	return n->level ? n->ops->key_low(btree_elem(n, pos)) :
			  n->ops->rec_low(btree_elem(n, pos));
}

/* Only of kinds that overlap, or of leaves. */
static inline struct btree_key btree_high(const struct btree_node *n,
					  uint32_t pos)
{
	return n->level ? n->ops->key_high(btree_elem(n, pos)) :
			  n->ops->rec_high(btree_elem(n, pos));
}

/* Pointers to blocks; none is XFS_NULL_FSBLOCK in trees of either width. */
uint64_t btree_ptr(const struct btree_node *n, uint32_t pos);
uint64_t btree_sibling_ptr(const struct btree_node *n, bool right);
void btree_set_sibling(struct btree_cur *cur, struct btree_node *n, bool right,
		       uint64_t block);

/* All of these log what they change. */
void btree_node_set_num(struct btree_cur *cur, struct btree_node *n,
			uint32_t num);
void btree_node_insert(struct btree_cur *cur, struct btree_node *n,
		       uint32_t pos, const struct btree_entry *e);
void btree_node_remove(struct btree_cur *cur, struct btree_node *n,
		       uint32_t pos);
/* @count elements of @from, from @from_pos on, to the end of @to. */
void btree_node_append(struct btree_cur *cur, struct btree_node *to,
		       const struct btree_node *from, uint32_t from_pos,
		       uint32_t count);
void btree_node_set_elem(struct btree_cur *cur, struct btree_node *n,
			 uint32_t pos, const uint8_t *elem);
void btree_node_set_ptr(struct btree_cur *cur, struct btree_node *n,
			uint32_t pos, uint64_t ptr);
void btree_node_get(const struct btree_node *n, uint32_t pos,
		    struct btree_entry *e);

/* The element that stands for all of @n, which is not empty, in its parent. */
void btree_node_key(const struct btree_cur *cur, const struct btree_node *n,
		    uint8_t *elem);

/* A node that is no root, and has fewer, wants some from its neighbours. */
static inline uint32_t btree_min(const struct btree_node *n)
{
	return n->room / 2;
}

/* --- blocks --- */

/* Report that this block of the tree is damaged; -EUCLEAN. */
int btree_damaged(const struct btree_cur *cur, uint64_t block,
		  const char *why) MUST_CHECK;

/* Read block @block of @level, not of the path: give it back below. */
int btree_block_get(struct btree_cur *cur, unsigned int level, uint64_t block,
		    struct buf **out) MUST_CHECK;
void btree_block_put(struct btree_cur *cur, struct buf *buf);

/*
 * A new block near @near, empty, to be logged as a whole. *@out NULL: there is
 * no space.
 */
int btree_block_alloc(struct btree_cur *cur, unsigned int level, uint64_t near,
		      struct btree_node *out, bool *done) MUST_CHECK;

/* @buf, of block @block, is not of the tree any more. */
int btree_block_free(struct btree_cur *cur, uint64_t block,
		     struct buf *buf) MUST_CHECK;

/* --- paths --- */

static inline bool btree_is_iroot(const struct btree_cur *cur,
				  unsigned int level)
{
	return cur->ip && level == cur->nlevels - 1;
}

/* Does the path have a node at @level? */
static inline bool btree_has_node(const struct btree_cur *cur,
				  unsigned int level)
{
	return level < cur->nlevels &&
	       (cur->levels[level].buf || btree_is_iroot(cur, level));
}

/* Begin a path: read the root. */
int btree_open_root(struct btree_cur *cur) MUST_CHECK;

/* The child that the node at @level has at its position, below it. */
int btree_descend(struct btree_cur *cur, unsigned int level) MUST_CHECK;

/* Let go of the node at @level. */
void btree_drop(struct btree_cur *cur, unsigned int level);

/*
 * Move by one at @level, and with it the path above; what is below stays. Not
 * *@found: at the end, position 0 or one behind the last.
 */
int btree_step(struct btree_cur *cur, unsigned int level, bool right,
	       bool *found) MUST_CHECK;

/*
 * A second cursor at the neighbour of the node at @level, with that level and
 * those above, at its element next to us; for btree_fini(), found or not.
 */
int btree_neighbour(struct btree_cur *cur, unsigned int level, bool right,
		    struct btree_cur *out, bool *found) MUST_CHECK;

/* --- changes --- */

/*
 * The first element of the node at @level (or, if kinds overlap, any) has
 * changed: put that right in the nodes above. @all: to the root, though one on
 * the way is right already.
 */
void btree_update_keys(struct btree_cur *cur, unsigned int level, bool all);

/* A change at @pos of the node at @level: does it matter above? */
static inline bool btree_matters_above(const struct btree_cur *cur,
				       uint32_t pos)
{
	return pos == 1 || btree_kinds[cur->kind].overlapping;
}

/*
 * Move one element from the node at @level to its neighbour, if that has room
 * and it is not the one at the position.
 */
int btree_shift(struct btree_cur *cur, unsigned int level, bool right,
		bool *done) MUST_CHECK;

/* The root of the tree is @block now, the levels @delta more. */
void btree_set_root(struct btree_cur *cur, uint64_t block, int delta);

/*
 * Is the cursor at the largest of free extents, or behind? Then, after the
 * change, the AGF has to know.
 */
bool btree_at_longest(const struct btree_cur *cur);
int btree_log_longest(struct btree_cur *cur) MUST_CHECK;

/* Log the root in the inode. */
void btree_log_iroot(struct btree_cur *cur);

#endif
