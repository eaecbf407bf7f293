/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ranges of records. Where they do not overlap it is a lookup and then one
 * after the other. Where they do, a record that reaches into the range can lie
 * anywhere before it: the high keys of the nodes say where to look, and the
 * path goes down and up as a walk over the whole tree would, past all the rest.
 */
#include "libxlog/meta/btree_priv.h"

/* Does the element at @pos of @n reach to @low? */
static bool reaches(const struct btree_node *n, uint32_t pos,
		    const struct btree_key *low)
{
	struct btree_key high = btree_high(n, pos);

	return btree_key_cmp(&high, low) >= 0;
}

static bool begins_behind(const struct btree_node *n, uint32_t pos,
			  const struct btree_key *high)
{
	struct btree_key low = btree_low(n, pos);

	return btree_key_cmp(&low, high) > 0;
}

static int call(struct btree_cur *cur, btree_query_fn *fn, void *ctx)
{
	union btree_rec rec;
	bool found;
	int rc = btree_get(cur, &rec, &found);

	return rc || !found ? rc : fn(cur, &rec, ctx);
}

/* From where the cursor stands to @high (NULL: to the end). */
static int query_on(struct btree_cur *cur, bool found,
		    const struct btree_key *high, btree_query_fn *fn,
		    void *ctx)
{
	int rc = 0;

	while (!rc && found) {
		struct btree_node n = btree_node(cur, 0);

		if (high && begins_behind(&n, cur->levels[0].pos, high))
			break;
		rc = call(cur, fn, ctx);
		if (!rc)
			rc = btree_next(cur, &found);
	}
	return rc;
}

static int query_apart(struct btree_cur *cur, const union btree_rec *low,
		       const struct btree_key *high, btree_query_fn *fn,
		       void *ctx)
{
	struct btree_key from = btree_rec_key(cur, low);
	bool found;
	int rc = btree_lookup(cur, BTREE_LE, low, &found);

	if (rc)
		return rc;
	if (found) {
		struct btree_node n = btree_node(cur, 0);

		if (reaches(&n, cur->levels[0].pos, &from))
			return query_on(cur, true, high, fn, ctx);
	}
	rc = btree_next(cur, &found);
	return rc ? rc : query_on(cur, found, high, fn, ctx);
}

/* --- where records overlap --- */

struct overlap {
	struct btree_key low, high;
	/* of each level, the block last gone to: they begin ever further on */
	struct btree_key seen[XFS_BTREE_MAX_LEVELS];
	bool		any[XFS_BTREE_MAX_LEVELS];
};

/* Down into the child at the position of the node at @level. */
static int go_down(struct btree_cur *cur, unsigned int level,
		   struct overlap *o)
{
	struct btree_node n;
	struct btree_key first;
	int rc = btree_descend(cur, level);

	if (rc)
		return rc;
	n = btree_node(cur, level - 1);
	first = btree_low(&n, 1);
	if (o->any[level - 1] && btree_key_cmp(&first, &o->seen[level - 1]) <= 0)
		return btree_damaged(cur, n.block, "keys are not in order");
	o->seen[level - 1] = first;
	o->any[level - 1] = true;
	cur->levels[level - 1].pos = 0;
	return 0;
}

static int query_overlapping(struct btree_cur *cur, struct overlap *o,
			     btree_query_fn *fn, void *ctx)
{
	unsigned int level;
	int rc = btree_open_root(cur);

	if (rc)
		return rc;
	level = cur->nlevels - 1;
	cur->levels[level].pos = 0;
	while (!rc) {
		struct btree_node n = btree_node(cur, level);
		uint32_t pos = ++cur->levels[level].pos;

		if (pos > n.num || begins_behind(&n, pos, &o->high)) {
			if (++level == cur->nlevels)
				break;
		} else if (!reaches(&n, pos, &o->low)) {
			continue;
		} else if (level) {
			rc = go_down(cur, level, o);
			level--;
		} else {
			rc = call(cur, fn, ctx);
		}
	}
	return rc;
}

int btree_query_range(struct btree_cur *cur, const union btree_rec *low,
		      const union btree_rec *high, btree_query_fn *fn,
		      void *ctx)
{
	struct overlap o = {
		.low = btree_rec_key(cur, low),
		.high = btree_rec_key(cur, high),
	};

	if (btree_kinds[cur->kind].overlapping)
		return query_overlapping(cur, &o, fn, ctx);
	return query_apart(cur, low, &o.high, fn, ctx);
}

int btree_query_all(struct btree_cur *cur, btree_query_fn *fn, void *ctx)
{
	union btree_rec first;
	bool found;
	int rc;

	memset(&first, 0, sizeof(first));
	rc = btree_lookup(cur, BTREE_GE, &first, &found);
	return rc ? rc : query_on(cur, found, NULL, fn, ctx);
}

/* --- blocks --- */

/* To the first node at @level. */
static int go_first(struct btree_cur *cur, unsigned int level)
{
	int rc;

	btree_fini(cur);
	rc = btree_open_root(cur);
	for (unsigned int l = rc ? 0 : cur->nlevels - 1; !rc && l > level; l--) {
		cur->levels[l].pos = 1;
		rc = btree_descend(cur, l);
	}
	return rc;
}

static int each_at(struct btree_cur *cur, unsigned int level,
		   btree_block_fn *fn, void *ctx)
{
	const struct btree_level *lv = &cur->levels[level];
	bool found = true;
	int rc = go_first(cur, level);

	while (!rc && found) {
		rc = fn(cur, level, lv->block, lv->buf, ctx);
		if (rc)
			break;
		cur->levels[level].pos = btree_node(cur, level).num;
		rc = btree_step(cur, level, true, &found);
	}
	return rc;
}

int btree_each_block(struct btree_cur *cur, btree_block_fn *fn, void *ctx)
{
	unsigned int level;
	int rc = btree_open_root(cur);

	level = cur->nlevels - (cur->ip ? 1 : 0);
	while (!rc && level-- > 0)
		rc = each_at(cur, level, fn, ctx);
	return rc;
}

/* --- the largest free extent --- */

enum { AGF_LONGEST = 56 };

bool btree_at_longest(const struct btree_cur *cur)
{
	struct btree_node n;

	if (cur->kind != XFS_BTREE_CNT)
		return false;
	n = btree_node(cur, 0);
	return cur->levels[0].pos >= n.num &&
	       btree_sibling_ptr(&n, true) == XFS_NULL_FSBLOCK;
}

int btree_log_longest(struct btree_cur *cur)
{
	const union btree_rec last = {
		.alloc = { .ar_startblock = UINT32_MAX,
			   .ar_blockcount = UINT32_MAX },
	};
	uint8_t *p = cur->agbuf->data + AGF_LONGEST;
	struct btree_cur c;
	union btree_rec rec;
	bool found;
	int rc;

	btree_init_ag(&c, cur->t, cur->group, cur->kind, cur->agbuf);
	rc = btree_lookup(&c, BTREE_LE, &last, &found);
	if (!rc)
		rc = btree_get(&c, &rec, &found);
	btree_fini(&c);
	if (rc)
		return rc;
	if (!found)
		rec.alloc.ar_blockcount = 0;
	if (get_be32(p) == rec.alloc.ar_blockcount)
		return 0;
	put_be32(p, rec.alloc.ar_blockcount);
	trans_log_buf(cur->t, cur->agbuf, AGF_LONGEST, 4);
	return 0;
}
