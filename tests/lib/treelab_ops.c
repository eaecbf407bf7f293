/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations on a tree and, at the same time, on the model; what the tree
 * answers has to be what the model says. See treelab.h.
 */
#include "tests/lib/treelab_priv.h"

enum {
	FIRST_START = 1000,	/* of extents: behind what trees have */
	CNT_STARTS = 64,	/* free extents of a length */
	RMAP_KINDS = 6,		/* of owners of a block */
	BMAP_STEP = 8,		/* blocks of a file */
	CHUNK = 64,
};

/* --- records --- */

static void cnt_rec(uint32_t k, struct xfs_alloc_rec *r)
{
	r->ar_blockcount = 1 + k / CNT_STARTS;
	r->ar_startblock = FIRST_START + k % CNT_STARTS * 1000;
}

static void ino_rec(struct treelab *lab, uint32_t k, struct xfs_inobt_rec *r)
{
	uint64_t there = UINT64_MAX;

	r->ir_startino = (FIRST_START << lab->fs.geom.inopblog) + k * CHUNK;
	r->ir_free = treelab_random(lab);
	r->ir_count = CHUNK;
	if (lab->opts.sparse && treelab_random(lab) % 2) {
		r->ir_holemask = 0xff00;
		r->ir_count = CHUNK / 2;
		there = UINT32_MAX;
		r->ir_free |= ~there;
	}
	r->ir_freecount = (uint32_t)__builtin_popcountll(r->ir_free & there);
}

/* For each block, in the order of their keys. */
static void rmap_rec(struct treelab *lab, uint32_t k, struct xfs_rmap_rec *r)
{
	const struct xfs_geom *g = &lab->fs.geom;
	xfs_ino_t ino = xfs_ino_make(g, TREELAB_AGNO, 32u << g->inopblog);

	r->rm_startblock = FIRST_START + k / RMAP_KINDS;
	/* few reach far */
	r->rm_blockcount = 1 + (uint32_t)treelab_random(lab) %
			   (treelab_random(lab) % 16 ? 8 : 10000);
	r->rm_owner = ino;
	switch (k % RMAP_KINDS) {
	case 0:
		r->rm_offset = 5;
		r->rm_unwritten = treelab_random(lab) % 2;
		break;
	case 1:
		r->rm_bmbt_block = 1;
		break;
	case 2:
		r->rm_attr_fork = 1;
		r->rm_offset = 3;
		break;
	case 3:
		r->rm_attr_fork = r->rm_bmbt_block = 1;
		break;
	case 4:
		r->rm_owner = ino + 1;
		r->rm_offset = (uint64_t)1 << 40;
		break;
	default:
		r->rm_owner = (uint64_t)-5;	/* trees of the group */
	}
}

static void bmbt_rec(struct treelab *lab, uint32_t k, struct xfs_bmbt_rec *r)
{
	r->br_startoff = (uint64_t)k * BMAP_STEP;
	r->br_blockcount = 1 + treelab_random(lab) % BMAP_STEP;
	r->br_startblock = treelab_random(lab) % ((uint64_t)1 << 52);
	r->br_state = lab->opts.whichfork == XFS_DATA_FORK &&
		      treelab_random(lab) % 2;
}

void treelab_rec(struct treelab *lab, uint32_t k, union btree_rec *rec)
{
	uint32_t half = lab->opts.keys / 2;

	memset(rec, 0, sizeof(*rec));
	switch (lab->opts.kind) {
	case XFS_BTREE_BNO:
		rec->alloc.ar_startblock = FIRST_START + k;
		rec->alloc.ar_blockcount =
			1 + (uint32_t)treelab_random(lab) % 100;
		break;
	case XFS_BTREE_CNT:
		cnt_rec(k, &rec->alloc);
		break;
	case XFS_BTREE_INO:
	case XFS_BTREE_FINO:
		ino_rec(lab, k, &rec->ino);
		break;
	case XFS_BTREE_RMAP:
		rmap_rec(lab, k, &rec->rmap);
		break;
	case XFS_BTREE_REFC:
		rec->refc.rc_cow = k >= half;
		rec->refc.rc_startblock = FIRST_START + k % half;
		rec->refc.rc_blockcount =
			1 + (uint32_t)treelab_random(lab) % 100;
		rec->refc.rc_refcount = k >= half ? 1 :
			2 + (uint32_t)treelab_random(lab) % 1000;
		break;
	default:
		bmbt_rec(lab, k, &rec->bmbt);
	}
}

void treelab_encode(const struct treelab *lab, const union btree_rec *rec,
		    uint8_t *raw)
{
	memset(raw, 0, 24);
	switch (lab->opts.kind) {
	case XFS_BTREE_BNO:
	case XFS_BTREE_CNT:
		xfs_alloc_rec_encode(raw, &rec->alloc, 0, XFS_BE);
		break;
	case XFS_BTREE_INO:
	case XFS_BTREE_FINO:
		xfs_inobt_rec_encode(raw, &rec->ino, lab->opts.sparse ?
				     XFS_INOBT_SPARSE : 0, XFS_BE);
		break;
	case XFS_BTREE_RMAP:
		xfs_rmap_rec_encode(raw, &rec->rmap, 0, XFS_BE);
		break;
	case XFS_BTREE_REFC:
		xfs_refcount_rec_encode(raw, &rec->refc, 0, XFS_BE);
		break;
	default:
		xfs_bmbt_rec_encode(raw, &rec->bmbt, 0, XFS_BE);
	}
}

/* --- the model --- */

static bool is_present(const struct treelab *lab, uint32_t k)
{
	return lab->present[k / 64] >> k % 64 & 1;
}

static void flip_present(struct treelab *lab, uint32_t k)
{
	lab->present[k / 64] ^= (uint64_t)1 << k % 64;
	lab->count += is_present(lab, k) ? 1 : (uint32_t)-1;
}

bool treelab_first(const struct treelab *lab, uint32_t k, uint32_t *out)
{
	uint64_t word;

	if (k >= lab->opts.keys)
		return false;
	word = lab->present[k / 64] & UINT64_MAX << k % 64;
	for (k /= 64; !word; word = lab->present[k])
		if (++k > (lab->opts.keys - 1) / 64)
			return false;
	*out = k * 64 + (uint32_t)__builtin_ctzll(word);
	return true;
}

bool treelab_last(const struct treelab *lab, uint32_t k, uint32_t *out)
{
	uint64_t word = lab->present[k / 64] & UINT64_MAX >> (63 - k % 64);

	for (k /= 64; !word; word = lab->present[k])
		if (k-- == 0)
			return false;
	*out = k * 64 + 63 - (uint32_t)__builtin_clzll(word);
	return true;
}

/* The cursor stands at key @k. */
static void check_at(struct treelab *lab, uint32_t k)
{
	uint8_t want[24], have[24];
	union btree_rec rec;
	bool found;

	CHECK(lab, !btree_get(&lab->cur, &rec, &found) && found);
	treelab_encode(lab, &lab->model[k], want);
	treelab_encode(lab, &rec, have);
	CHECK(lab, !memcmp(want, have, sizeof(want)));
}

static void check_nowhere(struct treelab *lab)
{
	union btree_rec rec;
	bool found;

	CHECK(lab, !btree_get(&lab->cur, &rec, &found) && !found);
}

/* --- a fork whose extents are a list --- */

static bool is_list(const struct treelab *lab)
{
	return lab->ip && inode_format(lab->ip, lab->opts.whichfork) ==
			  XFS_DINODE_FMT_EXTENTS;
}

uint32_t treelab_list_max(struct treelab *lab)
{
	uint32_t bytes;

	inode_fork(lab->ip, lab->opts.whichfork, &bytes);
	return bytes / xfs_bmbt_rec_size;
}

/* The model has become the list, or what no list can be any more. */
static void rewrite_list(struct treelab *lab)
{
	uint8_t *raw = inode_fork(lab->ip, lab->opts.whichfork, NULL);
	struct xfs_bmbt_rec recs[200];
	uint32_t n = 0, max = treelab_list_max(lab);
	bool done;

	for (uint32_t k = 0; treelab_first(lab, k, &k); k++)
		recs[n++] = lab->model[k].bmbt;
	if (n > max) {
		CHECK(lab, !btree_from_extents(&lab->cur, recs, n, &done));
		CHECK(lab, done);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		xfs_bmbt_rec_encode(raw + i * xfs_bmbt_rec_size, &recs[i], 0,
				    XFS_BE);
	inode_log(lab->t, lab->ip, XFS_ILOG_DEXT | XFS_ILOG_AEXT);
}

/* Extents have come or gone. */
static void count_extents(struct treelab *lab)
{
	bool done;

	if (!lab->ip)
		return;
	inode_set_nextents(lab->ip, lab->opts.whichfork, lab->count);
	inode_log(lab->t, lab->ip, XFS_ILOG_CORE);
	if (is_list(lab)) {
		rewrite_list(lab);
	} else if (lab->count <= treelab_list_max(lab)) {
		CHECK(lab, !btree_to_extents(&lab->cur, &done) && done);
		/* as the model has it? */
		rewrite_list(lab);
	}
}

/* --- operations --- */

static void find(struct treelab *lab, enum btree_dir dir, uint32_t k,
		 bool want)
{
	union btree_rec key;
	bool found;

	treelab_rec(lab, k, &key);
	CHECK(lab, !btree_lookup(&lab->cur, dir, &key, &found));
	CHECK(lab, found == want);
}

void treelab_insert(struct treelab *lab, uint32_t k)
{
	union btree_rec *m = &lab->model[k];
	uint32_t other;
	bool done;

	treelab_begin(lab);
	CHECK(lab, !is_present(lab, k));
	if (!is_list(lab)) {
		if (treelab_random(lab) % 2)
			find(lab, BTREE_EQ, k, false);
		else
			find(lab, BTREE_GE, k, treelab_first(lab, k, &other));
	}
	treelab_rec(lab, k, m);
	flip_present(lab, k);
	if (!is_list(lab)) {
		CHECK(lab, !btree_insert(&lab->cur, m, &done) && done);
		check_at(lab, k);
	}
	count_extents(lab);
}

void treelab_update(struct treelab *lab, uint32_t k)
{
	union btree_rec *m = &lab->model[k];

	treelab_begin(lab);
	CHECK(lab, is_present(lab, k));
	if (!is_list(lab))
		find(lab, BTREE_EQ, k, true);
	treelab_rec(lab, k, m);
	if (!is_list(lab))
		CHECK(lab, !btree_update(&lab->cur, m));
	else
		rewrite_list(lab);
}

void treelab_delete(struct treelab *lab, uint32_t k)
{
	bool done, found, want;
	uint32_t other;

	treelab_begin(lab);
	CHECK(lab, is_present(lab, k));
	if (!is_list(lab)) {
		find(lab, BTREE_EQ, k, true);
		CHECK(lab, !btree_delete(&lab->cur, &done) && done);
	}
	flip_present(lab, k);
	if (!is_list(lab) && treelab_random(lab) % 2) {
		want = k && treelab_last(lab, k - 1, &other);
		CHECK(lab, !btree_prev(&lab->cur, &found) && found == want);
		if (want)
			check_at(lab, other);
	}
	count_extents(lab);
}

static void step(struct treelab *lab, uint32_t k, bool on)
{
	uint32_t other;
	bool want = on ? treelab_first(lab, k + 1, &other) :
			 k && treelab_last(lab, k - 1, &other);
	bool found;

	CHECK(lab, !(on ? btree_next(&lab->cur, &found) :
			  btree_prev(&lab->cur, &found)));
	CHECK(lab, found == want);
	if (want)
		check_at(lab, other);
	else
		check_nowhere(lab);
}

void treelab_look(struct treelab *lab, uint32_t k)
{
	bool le, ge;
	uint32_t at;

	treelab_begin(lab);
	if (is_list(lab))
		return;
	find(lab, BTREE_EQ, k, is_present(lab, k));
	le = treelab_last(lab, k, &at);
	find(lab, BTREE_LE, k, le);
	if (le) {
		check_at(lab, at);
		step(lab, at, treelab_random(lab) % 2);
	}
	ge = treelab_first(lab, k, &at);
	find(lab, BTREE_GE, k, ge);
	if (ge) {
		check_at(lab, at);
		step(lab, at, treelab_random(lab) % 2);
	}
}

/* --- ranges --- */

struct range {
	struct treelab	*lab;
	uint32_t	k, end;		/* the next, and behind the last */
	union btree_rec	low, high;
};

/* rmap: is that part of the key, from its third word on, below? */
static uint64_t rmap_word(const struct xfs_rmap_rec *r, uint32_t more)
{
	return (uint64_t)r->rm_attr_fork << 63 |
	       (uint64_t)r->rm_bmbt_block << 62 | (r->rm_offset + more);
}

static bool rmap_reaches(const struct xfs_rmap_rec *r,
			 const struct xfs_rmap_rec *low)
{
	uint32_t more = r->rm_blockcount - 1;
	uint32_t off_more = r->rm_bmbt_block || r->rm_owner >> 63 ? 0 : more;

	if (r->rm_startblock + more != low->rm_startblock)
		return r->rm_startblock + more > low->rm_startblock;
	if (r->rm_owner != low->rm_owner)
		return r->rm_owner > low->rm_owner;
	return rmap_word(r, off_more) >= rmap_word(low, 0);
}

/* Does the record of key @k, in front of @low, reach into what follows? */
static bool reaches(const struct treelab *lab, uint32_t k,
		    const union btree_rec *low)
{
	const union btree_rec *r = &lab->model[k];

	switch (lab->opts.kind) {
	case XFS_BTREE_BNO:
		return r->alloc.ar_startblock + r->alloc.ar_blockcount >
		       low->alloc.ar_startblock;
	case XFS_BTREE_RMAP:
		return rmap_reaches(&r->rmap, &low->rmap);
	case XFS_BTREE_REFC:
		return r->refc.rc_cow == low->refc.rc_cow &&
		       r->refc.rc_startblock + r->refc.rc_blockcount >
		       low->refc.rc_startblock;
	case XFS_BTREE_BMAP:
		return r->bmbt.br_startoff + r->bmbt.br_blockcount >
		       low->bmbt.br_startoff;
	default:
		return false;
	}
}

static int in_range(struct btree_cur *cur, const union btree_rec *rec,
		    void *ctx)
{
	struct range *r = ctx;
	struct treelab *lab = r->lab;
	uint8_t want[24], have[24];

	(void)cur;
	CHECK(lab, treelab_first(lab, r->k, &r->k) && r->k < r->end);
	treelab_encode(lab, &lab->model[r->k], want);
	treelab_encode(lab, rec, have);
	CHECK(lab, !memcmp(want, have, sizeof(want)));
	r->k++;
	/* of those that overlap, not all are in it */
	while (lab->opts.kind == XFS_BTREE_RMAP &&
	       treelab_first(lab, r->k, &r->k) && r->k < r->end &&
	       !reaches(lab, r->k, &r->low))
		r->k++;
	return 0;
}

void treelab_range(struct treelab *lab, uint32_t k)
{
	uint32_t len = (uint32_t)treelab_random(lab) % 50, before;
	struct range r = { .lab = lab, .k = k, .end = k + len + 1 };

	treelab_begin(lab);
	if (is_list(lab))
		return;
	if (r.end > lab->opts.keys)
		r.end = lab->opts.keys;
	treelab_rec(lab, k, &r.low);
	treelab_rec(lab, r.end - 1, &r.high);
	if (lab->opts.kind == XFS_BTREE_RMAP) {
		for (r.k = 0; treelab_first(lab, r.k, &r.k) && r.k < k; r.k++)
			if (reaches(lab, r.k, &r.low))
				break;
	} else if (!is_present(lab, k) && k &&
		   treelab_last(lab, k - 1, &before) &&
		   reaches(lab, before, &r.low)) {
		/* in a sound tree it is the only one that can */
		r.k = before;
	}
	CHECK(lab, !btree_query_range(&lab->cur, &r.low, &r.high, in_range,
				      &r));
	CHECK(lab, !treelab_first(lab, r.k, &r.k) || r.k >= r.end);
}

/* --- many --- */

static uint32_t pick(struct treelab *lab)
{
	uint32_t keys = lab->opts.keys;
	uint64_t r = treelab_random(lab);

	switch (lab->pattern) {
	case TREELAB_UP:
		lab->at = (lab->at + 1) % keys;
		return lab->at;
	case TREELAB_DOWN:
		lab->at = (lab->at + keys - 1) % keys;
		return lab->at;
	case TREELAB_CLUSTERS:
		if (!(r % 100))
			lab->at = (uint32_t)(r >> 20) % keys;
		return (lab->at + (uint32_t)(r >> 40) % 64) % keys;
	default:
		return (uint32_t)r % keys;
	}
}

void treelab_op(struct treelab *lab, unsigned int grow)
{
	uint32_t k = pick(lab), at;
	uint64_t what = treelab_random(lab) % 100;

	if (what < 5) {
		treelab_look(lab, k);
	} else if (what == 5 && lab->opts.kind != XFS_BTREE_RMAP) {
		treelab_range(lab, k);
	} else if (treelab_random(lab) % 100 < grow) {
		if (!is_present(lab, k))
			treelab_insert(lab, k);
		else
			treelab_update(lab, k);
	} else if (treelab_first(lab, k, &at) || treelab_first(lab, 0, &at)) {
		treelab_delete(lab, at);
	}
	lab->ops++;
	if (++lab->ops_in_t >= lab->opts.ops_per_commit)
		treelab_commit(lab);
}

void treelab_run(struct treelab *lab, uint64_t ops)
{
	static const unsigned int grow[] = { 95, 85, 50, 10, 60 };
	static const enum treelab_pattern pattern[] = {
		TREELAB_RANDOM, TREELAB_CLUSTERS, TREELAB_DOWN, TREELAB_UP,
	};
	enum { PHASES = 10 };
	uint32_t at;

	for (unsigned int phase = 0; phase < PHASES; phase++) {
		lab->pattern = pattern[phase % 4];
		for (uint64_t i = 0; i < ops / PHASES; i++)
			treelab_op(lab, grow[phase % 5]);
		for (unsigned int i = 0; i < 10; i++)
			treelab_range(lab, pick(lab));
		treelab_check(lab);
		if (phase % 4 == 1)
			treelab_reopen(lab);
	}
	while (treelab_first(lab, pick(lab), &at) ||
	       treelab_first(lab, 0, &at)) {
		treelab_delete(lab, at);
		if (++lab->ops_in_t >= lab->opts.ops_per_commit)
			treelab_commit(lab);
	}
	treelab_check(lab);
}
