/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cursors: paths from the root to a record, and how they move. A child is what
 * its parent says only if it begins with the key that the parent has for it,
 * and a neighbour only if both point at each other and their keys ascend: so
 * no walk comes to a block twice, and all of them end.
 */
#include "libxlog/meta/btree_priv.h"

static void set_room(struct btree_cur *cur)
{
	const struct xfs_geom *g = &cur->fs->geom;

	for (unsigned int i = 0; i < 2; i++)
		cur->room[i] = (uint32_t)xfs_btree_room(cur->kind, g->v5, !i,
							g->blocksize);
}

void btree_init_ag(struct btree_cur *cur, struct trans *t,
		   const struct btree_group *group, enum xfs_btree_kind kind,
		   struct buf *agbuf)
{
	assert(btree_kinds[kind].root_off);
	*cur = (struct btree_cur){
		.kind = kind,
		.fs = group->fs,
		.t = t,
		.group = group,
		.agbuf = agbuf,
		.space = group->space,
	};
	set_room(cur);
}

void btree_init_fork(struct btree_cur *cur, struct trans *t, struct inode *ip,
		     int whichfork, const struct btree_space_ops *space)
{
	*cur = (struct btree_cur){
		.kind = XFS_BTREE_BMAP,
		.fs = ip->fs,
		.t = t,
		.ip = ip,
		.whichfork = whichfork,
		.space = space,
	};
	set_room(cur);
}

void btree_drop(struct btree_cur *cur, unsigned int level)
{
	struct btree_level *lv = &cur->levels[level];

	if (lv->buf)
		btree_block_put(cur, lv->buf);
	lv->buf = NULL;
}

void btree_fini(struct btree_cur *cur)
{
	for (unsigned int i = 0; i < XFS_BTREE_MAX_LEVELS; i++)
		btree_drop(cur, i);
	cur->nlevels = 0;
}

/* --- down --- */

static int set_block(struct btree_cur *cur, unsigned int level, uint64_t block)
{
	struct btree_level *lv = &cur->levels[level];
	int rc;

	if (lv->buf && lv->block == block)
		return 0;
	btree_drop(cur, level);
	rc = btree_block_get(cur, level, block, &lv->buf);
	if (rc) {
		lv->buf = NULL;
		return rc;
	}
	lv->block = block;
	return 0;
}

/* The tree may have changed its height since, by another cursor. */
static void set_levels(struct btree_cur *cur, unsigned int nlevels)
{
	if (nlevels != cur->nlevels)
		btree_fini(cur);
	cur->nlevels = nlevels;
}

static int open_iroot(struct btree_cur *cur)
{
	uint32_t bytes;
	const uint8_t *raw = inode_fork(cur->ip, cur->whichfork, &bytes);
	const char *why = xfs_bmdr_verify(raw, cur->kind, bytes);

	if (why)
		return btree_damaged(cur, XFS_NULL_FSBLOCK, why);
	set_levels(cur, get_be16(raw) + 1u);
	return cur->nlevels <= XFS_BTREE_MAX_LEVELS ? 0 :
	       btree_damaged(cur, XFS_NULL_FSBLOCK, "too many levels");
}

int btree_open_root(struct btree_cur *cur)
{
	const struct btree_kind_ops *ops = &btree_kinds[cur->kind];
	uint32_t nlevels, block;

	if (cur->ip)
		return open_iroot(cur);
	block = get_be32(cur->agbuf->data + ops->root_off);
	nlevels = get_be32(cur->agbuf->data + ops->level_off);
	if (!nlevels || nlevels > XFS_BTREE_MAX_LEVELS)
		return btree_damaged(cur, block, "wrong number of levels");
	set_levels(cur, nlevels);
	return set_block(cur, nlevels - 1, block);
}

int btree_descend(struct btree_cur *cur, unsigned int level)
{
	struct btree_node up = btree_node(cur, level), n;
	uint32_t pos = cur->levels[level].pos;
	struct btree_key want, have;
	int rc;

	if (!pos || pos > up.num)
		return btree_damaged(cur, up.block, "no child there");
	rc = set_block(cur, level - 1, btree_ptr(&up, pos));
	if (rc)
		return rc;
	n = btree_node(cur, level - 1);
	if (!n.num)
		return 0;
	want = btree_low(&up, pos);
	have = btree_low(&n, 1);
	if (btree_key_cmp(&want, &have))
		return btree_damaged(cur, n.block,
				     "first key is not that of its parent");
	return 0;
}

/* --- sideways --- */

/* What is remembered of a node that a path leaves. */
struct edge {
	uint64_t	block, sibling;
	struct btree_key first, last;
	bool		is_empty;
};

static struct edge edge_of(const struct btree_node *n, bool right)
{
	struct edge e = {
		.block = n->block,
		.sibling = btree_sibling_ptr(n, right),
		.is_empty = !n->num,
	};

	if (n->num) {
		e.first = btree_low(n, 1);
		e.last = btree_low(n, n->num);
	}
	return e;
}

/* Is @n what comes after the node of which @old is remembered? */
static const char *check_neighbour(const struct edge *old,
				   const struct btree_node *n, bool right)
{
	struct btree_key first, last;

	if (n->block != old->sibling ||
	    btree_sibling_ptr(n, !right) != old->block)
		return "siblings do not point at each other";
	if (old->is_empty || !n->num)
		return NULL;
	first = btree_low(n, 1);
	last = btree_low(n, n->num);
	if (right ? btree_key_cmp(&first, &old->last) <= 0 ||
		    btree_key_cmp(&first, &old->first) <= 0 :
		    btree_key_cmp(&last, &old->first) >= 0 ||
		    btree_key_cmp(&first, &old->first) >= 0)
		return "keys of siblings are not in order";
	return NULL;
}

/* The level above @level at which the path can go on; nlevels: none. */
static unsigned int turning_level(const struct btree_cur *cur,
				  unsigned int level, bool right)
{
	unsigned int up;

	for (up = level + 1; up < cur->nlevels; up++) {
		uint32_t pos = cur->levels[up].pos;

		if (right ? pos < btree_node(cur, up).num : pos > 1)
			break;
	}
	return up;
}

/* Go from the node of which @old is remembered to the one next to it. */
static int turn(struct btree_cur *cur, unsigned int level, bool right,
		const struct edge *old)
{
	struct btree_node n;
	const char *why;
	int rc = btree_descend(cur, level + 1);

	if (rc)
		return rc;
	n = btree_node(cur, level);
	why = check_neighbour(old, &n, right);
	if (why)
		return btree_damaged(cur, n.block, why);
	cur->levels[level].pos = right ? 1 : n.num;
	return 0;
}

int btree_step(struct btree_cur *cur, unsigned int level, bool right,
	       bool *found)
{
	struct edge old[XFS_BTREE_MAX_LEVELS];
	struct btree_level *lv = &cur->levels[level];
	struct btree_node n;
	unsigned int up;
	int rc = 0;

	*found = false;
	for (unsigned int l = level; l < cur->nlevels; l++)
		if (!btree_has_node(cur, l))
			return 0;
	if (level >= cur->nlevels)
		return 0;
	n = btree_node(cur, level);
	if (right ? lv->pos < n.num : lv->pos > 1) {
		lv->pos += right ? 1 : (uint32_t)-1;
		*found = true;
		return 0;
	}
	up = turning_level(cur, level, right);
	if (up == cur->nlevels) {
		lv->pos = right ? n.num + 1 : 0;
		if (btree_sibling_ptr(&n, right) != XFS_NULL_FSBLOCK)
			return btree_damaged(cur, n.block,
					     "a sibling at the end of the tree");
		return 0;
	}
	for (unsigned int l = level; l < up; l++) {
		n = btree_node(cur, l);
		old[l] = edge_of(&n, right);
	}
	cur->levels[up].pos += right ? 1 : (uint32_t)-1;
	for (unsigned int l = up; !rc && l-- > level; )
		rc = turn(cur, l, right, &old[l]);
	if (rc)
		btree_drop(cur, level);
	else
		*found = lv->pos != 0;
	return rc;
}

int btree_next(struct btree_cur *cur, bool *found)
{
	return btree_step(cur, 0, true, found);
}

int btree_prev(struct btree_cur *cur, bool *found)
{
	return btree_step(cur, 0, false, found);
}

/* @to has @from's block at @level as well: the transaction counts its uses. */
static int share_block(struct btree_cur *to, const struct btree_cur *from,
		       unsigned int level)
{
	const struct btree_level *lv = &from->levels[level];
	struct buf *buf;
	int rc;

	to->levels[level].pos = lv->pos;
	if (!lv->buf)
		return 0;
	rc = trans_read_buf(to->fs, to->t, lv->buf->daddr, lv->buf->len_bb,
			    &trans_btree_ops[to->kind], &buf);
	if (rc)
		return rc;
	to->levels[level].buf = buf;
	to->levels[level].block = lv->block;
	return 0;
}

int btree_neighbour(struct btree_cur *cur, unsigned int level, bool right,
		    struct btree_cur *out, bool *found)
{
	struct btree_node n = btree_node(cur, level);
	int rc = 0;

	*out = *cur;
	memset(out->levels, 0, sizeof(out->levels));
	*found = false;
	if (btree_sibling_ptr(&n, right) == XFS_NULL_FSBLOCK)
		return 0;
	for (unsigned int l = level; !rc && l < cur->nlevels; l++)
		rc = share_block(out, cur, l);
	out->levels[level].pos = right ? n.num : 1;
	if (!rc)
		rc = btree_step(out, level, right, found);
	if (!rc && !*found)
		rc = btree_damaged(cur, n.block, "a sibling without a parent");
	return rc;
}

/* --- lookup --- */

/* The last position whose key is not above @key, 0 if there is none. */
static uint32_t search_node(const struct btree_node *n,
			    const struct btree_key *key, bool *equal)
{
	uint32_t below = 0, above = n->num + 1;

	*equal = false;
	while (below + 1 < above) {
		uint32_t mid = below + (above - below) / 2;
		struct btree_key at = btree_low(n, mid);
		int cmp = btree_key_cmp(&at, key);

		if (cmp > 0) {
			above = mid;
			continue;
		}
		below = mid;
		*equal = !cmp;
		if (!cmp)
			break;
	}
	return below;
}

/* What an old path has below @level is no use, unless it leads to @block. */
static void forget_below(struct btree_cur *cur, unsigned int level,
			 uint64_t block)
{
	if (cur->levels[level - 1].block != block)
		while (level--)
			btree_drop(cur, level);
}

int btree_lookup(struct btree_cur *cur, enum btree_dir dir,
		 const union btree_rec *rec, bool *found)
{
	struct btree_key key = btree_rec_key(cur, rec);
	struct btree_level *lv = cur->levels;
	struct btree_node n;
	bool equal;
	uint32_t pos;
	int rc = btree_open_root(cur);

	for (unsigned int l = rc ? 0 : cur->nlevels - 1; !rc && l; l--) {
		n = btree_node(cur, l);
		pos = search_node(&n, &key, &equal);
		cur->levels[l].pos = pos ? pos : 1;
		forget_below(cur, l, btree_ptr(&n, cur->levels[l].pos));
		rc = btree_descend(cur, l);
	}
	if (rc) {
		btree_drop(cur, 0);
		return rc;
	}
	n = btree_node(cur, 0);
	lv->pos = search_node(&n, &key, &equal);
	if (dir != BTREE_LE && !equal)
		lv->pos++;
	*found = dir == BTREE_EQ ? equal : lv->pos && lv->pos <= n.num;
	if (dir == BTREE_GE && !*found &&
	    btree_sibling_ptr(&n, true) != XFS_NULL_FSBLOCK)
		return btree_next(cur, found);
	return 0;
}

int btree_get(struct btree_cur *cur, union btree_rec *rec, bool *found)
{
	const struct btree_kind_ops *ops = &btree_kinds[cur->kind];
	struct btree_node n;
	const char *why;

	*found = false;
	if (!btree_has_node(cur, 0))
		return 0;
	n = btree_node(cur, 0);
	if (!cur->levels[0].pos || cur->levels[0].pos > n.num)
		return 0;
	memset(rec, 0, sizeof(*rec));
	ops->rec_decode(&cur->fs->geom, btree_elem(&n, cur->levels[0].pos),
			rec);
	why = ops->rec_check(cur, rec);
	if (why)
		return btree_damaged(cur, n.block, why);
	*found = true;
	return 0;
}

bool btree_in_last_leaf(const struct btree_cur *cur)
{
	const struct btree_node leaf = btree_node(cur, 0);

	return btree_sibling_ptr(&leaf, true) == XFS_NULL_FSBLOCK;
}

void btree_leaf_first(struct btree_cur *cur)
{
	cur->levels[0].pos = 1;
}
