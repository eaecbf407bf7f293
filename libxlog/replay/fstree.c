/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walking a btree as replay leaves it, from the root down: only the children
 * whose keys can hold what is looked for. Every record and every key must lie
 * between the key its parent gives it and the next one there, so that all
 * ascends and no block is met twice: however the tree was damaged, the walk
 * ends after as many blocks as the device has.
 */
#include <stdlib.h>

#include "libxlog/replay/fsread.h"

enum {
	LEVEL_OFF = 4,		/* in headers of blocks */
	NUMRECS_OFF = 6,
};

struct treewalk {
	struct replay	*r;
	const struct fstree *tree;
	uint64_t	next;	/* least key that the next record may have */
	uint8_t		*buf[XFS_BTREE_MAX_LEVELS];	/* a block of each level */
};

/* A node or a leaf, in a block or in an inode. */
struct treenode {
	const uint8_t	*recs;	/* of a node: its keys */
	const uint8_t	*ptrs;
	unsigned int	count, level;
};

static int bad_tree(const struct treewalk *w, const char *why)
{
	const struct fstree *t = w->tree;
	bool group = !xfs_btree_ops[t->kind].is_long;

	return replay_refuse(w->r, -EUCLEAN, "fs.btree", XLOG_LSN_NONE,
			     "%s of %s %llu: %s", xfs_btree_name(t->kind),
			     group ? "group" : "inode",
			     (unsigned long long)t->owner, why);
}

/* What a key or record is sorted by: they begin alike. */
static uint64_t key_at(enum xfs_btree_kind kind, const uint8_t *p, bool leaf)
{
	if (kind != XFS_BTREE_BMAP)
		return get_be32(p);
	return leaf ? xfs_bits_get(p, 1, 54) : get_be64(p);
}

static int read_child(struct treewalk *w, uint64_t ptr, unsigned int level,
		      struct treenode *node);

static int walk_leaf(struct treewalk *w, const struct treenode *leaf,
		     uint64_t low, uint64_t high)
{
	const struct fstree *t = w->tree;
	const uint8_t *rec = leaf->recs;
	int rc = 0;

	if (w->next < low)
		w->next = low;
	for (unsigned int i = 0; i < leaf->count && !rc; i++) {
		uint64_t key = key_at(t->kind, rec, true);

		if (key < w->next || key >= high)
			return bad_tree(w, "records out of order");
		w->next = key + 1;
		if (key >= t->first_key)
			rc = t->record(t->ctx, rec);
		rec += xfs_btree_ops[t->kind].rec_bytes;
	}
	return rc;
}

/*
 * Below @node all keys are at least @low and less than @high. The depth of
 * the recursion is that of the tree, at most XFS_BTREE_MAX_LEVELS.
 */
static int walk_node(struct treewalk *w, const struct treenode *node,
		     uint64_t low, uint64_t high)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[w->tree->kind];
	int rc = 0;

	if (!node->level)
		return walk_leaf(w, node, low, high);
	for (unsigned int i = 0; i < node->count && !rc; i++) {
		const uint8_t *p = node->recs + (size_t)i * ops->key_bytes;
		uint64_t from = key_at(w->tree->kind, p, false), to = high;
		const uint8_t *ptr = node->ptrs +
				     i * xfs_btree_ptr_bytes(w->tree->kind);
		struct treenode child;

		if (i + 1 < node->count)
			to = key_at(w->tree->kind, p + ops->key_bytes, false);
		if (from < low || from >= to || to > high)
			return bad_tree(w, "keys out of order");
		if (to <= w->tree->first_key)
			continue;
		rc = read_child(w, ops->is_long ? get_be64(ptr) :
				get_be32(ptr), node->level - 1, &child);
		if (!rc && !child.count)
			rc = bad_tree(w, "empty block");
		if (!rc)
			rc = walk_node(w, &child, from, to);
	}
	return rc;
}

static int read_child(struct treewalk *w, uint64_t ptr, unsigned int level,
		      struct treenode *node)
{
	const struct fstree *t = w->tree;
	const struct xfs_btree_ops *ops = &xfs_btree_ops[t->kind];
	const struct xfs_geom *g = &w->r->geom;
	uint8_t *raw = w->buf[level];
	uint64_t daddr;
	const char *why;
	int rc;

	if (ops->is_long ? !xfs_fsb_ok(g, ptr, 1) :
	    !ptr || ptr >= xfs_ag_blocks(g, (xfs_agnumber_t)t->owner))
		return bad_tree(w, "pointer out of range");
	daddr = ops->is_long ? xfs_fsb_to_daddr(g, ptr) :
		xfs_agb_to_daddr(g, (xfs_agnumber_t)t->owner,
				 (xfs_agblock_t)ptr);
	if (!raw) {
		raw = w->buf[level] = malloc(g->blocksize);
		if (!raw)
			return replay_no_memory(w->r);
	}
	rc = replay_read(w->r, daddr, g->blocksize / BB_SIZE, raw);
	if (rc)
		return rc;
	why = xfs_btree_verify(raw, g->blocksize, t->kind, g, daddr);
	if (!why && get_be16(raw + LEVEL_OFF) != level)
		why = "block of another level";
	if (!why && g->v5 && ops->is_long &&
	    get_be64(raw + XFS_BTREE_LONG_OWNER_OFF) != t->owner)
		why = "block of another inode";
	if (why)
		return bad_tree(w, why);
	node->level = level;
	node->count = get_be16(raw + NUMRECS_OFF);
	node->recs = raw + xfs_btree_hdr_bytes(t->kind, g->v5);
	node->ptrs = node->recs + ops->key_bytes *
		     xfs_btree_room(t->kind, g->v5, false, g->blocksize);
	return 0;
}

static void treewalk_fini(struct treewalk *w)
{
	for (unsigned int i = 0; i < XFS_BTREE_MAX_LEVELS; i++)
		free(w->buf[i]);
}

int fstree_walk(struct replay *r, const struct fstree *tree,
		xfs_agblock_t root, uint32_t levels)
{
	struct treewalk w = { .r = r, .tree = tree };
	struct treenode node;
	int rc;

	if (!levels || levels > XFS_BTREE_MAX_LEVELS)
		return bad_tree(&w, "number of levels out of range");
	rc = read_child(&w, root, levels - 1, &node);
	if (!rc)
		rc = walk_node(&w, &node, 0, UINT64_MAX);
	treewalk_fini(&w);
	return rc;
}

int fstree_walk_fork(struct replay *r, const struct fstree *tree,
		     const struct fsinode *in)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[tree->kind];
	const uint8_t *fork = in->raw + xfs_dinode_core_bytes(&in->di);
	size_t len = xfs_dinode_dfork_bytes(&in->di, r->geom.inodesize);
	struct treewalk w = { .r = r, .tree = tree };
	struct xfs_bmdr_block head;
	struct treenode node;
	const char *why;
	int rc;

	why = xfs_bmdr_verify(fork, tree->kind, len);
	if (why)
		return bad_tree(&w, why);
	xfs_bmdr_block_decode(&head, fork, len, XFS_BE);
	node.level = head.bb_level;
	node.count = head.bb_numrecs;
	node.recs = fork + XFS_BMDR_BYTES;
	node.ptrs = node.recs + ops->key_bytes *
		    xfs_bmdr_room(tree->kind, false, len);
	rc = walk_node(&w, &node, 0, UINT64_MAX);
	treewalk_fini(&w);
	return rc;
}
