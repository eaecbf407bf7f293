/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes are freed, in any order, until their chunks are gone: what the trees,
 * the headers and the counters say at each step is what was done.
 */
#include "libxlog/meta/ialloc.h"
#include "libxlog/meta/iunlink.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/inode_item.h"
#include "libxlog/trans/trans_buf.h"
#include "tests/lib/newfs.h"
#include "tests/lib/stack.h"

enum { MAX_INODES = 512, AG = 1 };

struct chunks {
	struct newfs	*n;
	uint64_t	seed;
	unsigned int	count;
	bool		freed[MAX_INODES];
	int64_t		fdblocks, icount, ifree;	/* before */
};

static int64_t counter(const struct chunks *c, enum trans_sb_field field)
{
	return counters_read(&c->n->fs, field);
}

static struct chunks *chunks_new(const struct newfs_options *o)
{
	struct chunks *c = calloc(1, sizeof(*c));

	cr_assert_not_null(c);
	c->n = newfs_new(o);
	c->seed = 11;
	c->count = newfs_inodes(c->n);
	cr_assert_leq(c->count, MAX_INODES);
	c->fdblocks = counter(c, TRANS_SB_FDBLOCKS);
	c->icount = counter(c, TRANS_SB_ICOUNT);
	c->ifree = counter(c, TRANS_SB_IFREE);
	return c;
}

static void chunks_free(struct chunks *c)
{
	newfs_free(c->n);
	free(c);
}

static struct inode *get(struct chunks *c, unsigned int i)
{
	struct inode *ip;

	cr_assert_eq(inode_iget(&c->n->fs, newfs_ino(c->n, AG, i), 0, &ip), 0,
		     "%s", c->n->said.text);
	return ip;
}

static void unlink_one(struct chunks *c, unsigned int i)
{
	struct inode *ip = get(c, i);
	struct trans *t;

	cr_assert_eq(trans_alloc(&c->n->fs, XFS_TR_IFREE, &t), 0);
	inode_join(t, ip);
	cr_assert_eq(iunlink_insert(t, ip), 0, "%s", c->n->said.text);
	cr_assert_eq(trans_commit(t, NULL), 0);
	inode_put(ip);
}

static int free_one(struct chunks *c, unsigned int i)
{
	struct inode *ip = get(c, i);
	struct trans *t;
	int rc;

	cr_assert_eq(trans_alloc_blocks(&c->n->fs, XFS_TR_IFREE, 10, true, &t),
		     0);
	inode_join(t, ip);
	rc = ialloc_free(t, ip);
	if (rc) {
		cr_assert_not(t->dirty);
		trans_cancel(t);
	} else {
		cr_assert_eq(trans_commit(t, NULL), 0, "%s", c->n->said.text);
		c->freed[i] = true;
	}
	inode_put(ip);
	return rc;
}

/* --- what is left --- */

struct tally {
	struct chunks	*c;
	bool		only_free;	/* the finobt has no others */
	unsigned int	chunks, inodes, free;
};

static bool is_freed(const struct chunks *c, xfs_agino_t agino)
{
	const struct xfs_geom *g = &c->n->fs.geom;

	for (unsigned int i = 0; i < c->count; i++)
		if (xfs_ino_agino(g, newfs_ino(c->n, AG, i)) == agino)
			return c->freed[i];
	return true;		/* a hole */
}

static int tally_chunk(struct btree_cur *cur, const union btree_rec *rec,
		       void *ctx)
{
	struct tally *t = ctx;
	uint64_t free_mask = 0;

	(void)cur;
	for (unsigned int i = 0; i < 64; i++)
		if (is_freed(t->c, rec->ino.ir_startino + i))
			free_mask |= (uint64_t)1 << i;
	cr_assert_eq(rec->ino.ir_free, free_mask);
	cr_assert_leq(rec->ino.ir_freecount, rec->ino.ir_count);
	cr_assert_eq(rec->ino.ir_freecount + 64u - rec->ino.ir_count,
		     (unsigned int)__builtin_popcountll(free_mask));
	if (t->only_free)
		cr_assert(rec->ino.ir_freecount);
	t->chunks++;
	t->inodes += rec->ino.ir_count;
	t->free += rec->ino.ir_freecount;
	return 0;
}

static struct tally tally(struct chunks *c, enum xfs_btree_kind kind)
{
	struct perag *pag = perag_of(&c->n->fs, AG);
	struct tally t = { .c = c, .only_free = kind == XFS_BTREE_FINO };
	struct btree_cur cur;
	struct buf *agi;

	cr_assert_eq(ag_read_agi(NULL, pag, &agi), 0);
	btree_init_ag(&cur, NULL, &pag->group, kind, agi);
	cr_assert_eq(btree_query_all(&cur, tally_chunk, &t), 0, "%s",
		     c->n->said.text);
	btree_fini(&cur);
	buf_release(agi);
	return t;
}

static void check(struct chunks *c)
{
	struct perag *pag = perag_of(&c->n->fs, AG);
	struct tally ino = tally(c, XFS_BTREE_INO), fino;
	struct xfs_agi agi;
	struct buf *buf;

	cr_assert_eq(ag_read_agi(NULL, pag, &buf), 0);
	agi = ag_agi(buf);
	buf_release(buf);
	cr_assert_eq(agi.agi_count, ino.inodes);
	cr_assert_eq(agi.agi_freecount, ino.free);
	cr_assert_eq(counter(c, TRANS_SB_ICOUNT) - c->icount,
		     (int64_t)ino.inodes - c->count);
	cr_assert_eq(counter(c, TRANS_SB_IFREE) - c->ifree,
		     (int64_t)ino.free);
	if (!c->n->opts.finobt)
		return;
	fino = tally(c, XFS_BTREE_FINO);
	cr_assert_eq(fino.free, ino.free);
}

/* Inode @i says itself that it is free. */
static void check_inode(struct chunks *c, unsigned int i)
{
	const struct xfs_geom *g = &c->n->fs.geom;
	struct inode *ip;

	cr_assert_eq(inode_iget(&c->n->fs, newfs_ino(c->n, AG, i),
				INODE_GET_FREE, &ip), 0, "%s",
		     c->n->said.text);
	cr_assert_eq(ip->di.di_mode, 0);
	cr_assert_eq(ip->di.di_gen, 8);
	cr_assert_eq(ip->di.di_format, XFS_DINODE_FMT_EXTENTS);
	if (g->v5)
		cr_assert_eq(ip->di.di_flags2,
			     (g->bigtime ? XFS_DIFLAG2_BIGTIME : 0) |
			     (g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0));
	inode_put(ip);
}

static unsigned int random_order(struct chunks *c, unsigned int *order)
{
	for (unsigned int i = 0; i < c->count; i++) {
		unsigned int j = (unsigned int)(stack_random(&c->seed) %
						(i + 1));

		order[i] = order[j];
		order[j] = i;
	}
	return c->count;
}

static bool chunks_can_go(const struct chunks *c)
{
	return c->n->sb.sb_inopblock <= 64;
}

static void free_all(const struct newfs_options *o)
{
	struct chunks *c = chunks_new(o);
	unsigned int order[MAX_INODES], count = random_order(c, order);
	struct tally left;
	uint32_t blocks;

	for (unsigned int i = 0; i < count; i++)
		unlink_one(c, i);
	for (unsigned int i = 0; i < count; i++) {
		cr_assert_eq(free_one(c, order[i]), 0, "%s",
			     c->n->said.text);
		if (i % 8 == 0 || i + 8 > count)
			check(c);
		if (i == count / 4)
			check_inode(c, order[i]);
	}
	newfs_settle(c->n);
	check(c);
	left = tally(c, XFS_BTREE_INO);
	if (chunks_can_go(c)) {
		cr_assert_eq(left.chunks, 0);
		blocks = count >> c->n->sb.sb_inopblog;
		cr_assert_eq(counter(c, TRANS_SB_FDBLOCKS) - c->fdblocks,
			     blocks);
	} else {
		cr_assert_eq(left.inodes, count);
		cr_assert_eq(left.free, count);
		cr_assert_eq(counter(c, TRANS_SB_FDBLOCKS), c->fdblocks);
	}
	assert_silent(&c->n->said);
	chunks_free(c);
}

Test(ialloc, frees_chunks_v4)
{
	const struct newfs_options o = { .v4 = true, .chunks = 5 };

	free_all(&o);
}

Test(ialloc, frees_chunks_v4_512)
{
	const struct newfs_options o = {
		.v4 = true, .blocklog = 9, .chunks = 5,
	};

	free_all(&o);
}

Test(ialloc, frees_chunks_that_begin_anywhere)
{
	const struct newfs_options o = {
		.v4 = true, .chunks = 5, .unaligned = true,
	};

	free_all(&o);
}

Test(ialloc, frees_chunks_v5)
{
	const struct newfs_options o = { .chunks = 5 };

	free_all(&o);
}

Test(ialloc, frees_chunks_with_all_features)
{
	const struct newfs_options o = {
		.chunks = 5, .finobt = true, .rmapbt = true, .reflink = true,
		.inobtcount = true, .nrext64 = true, .bigtime = true,
	};

	free_all(&o);
}

Test(ialloc, frees_chunks_1k)
{
	const struct newfs_options o = {
		.blocklog = 10, .chunks = 5, .finobt = true, .rmapbt = true,
	};

	free_all(&o);
}

Test(ialloc, frees_sparse_chunks)
{
	const struct newfs_options o = {
		.chunks = 6, .holemask = 0xff00, .finobt = true,
		.rmapbt = true,
	};

	free_all(&o);
}

Test(ialloc, frees_sparse_chunks_1k)
{
	const struct newfs_options o = {
		.blocklog = 10, .chunks = 4, .holemask = 0x00ff,
		.finobt = true,
	};

	free_all(&o);
}

Test(ialloc, a_chunk_that_fills_a_block_goes)
{
	/* 64 inodes in a block of 32 KiB */
	const struct newfs_options o = {
		.blocklog = 15, .chunks = 4, .finobt = true,
	};

	free_all(&o);
}

Test(ialloc, chunks_that_share_a_block_stay)
{
	const struct newfs_options o = {
		.blocklog = 16, .chunks = 3, .finobt = true, .rmapbt = true,
	};

	free_all(&o);
}

/* --- damage --- */

Test(ialloc, an_inode_in_no_list_is_not_freed)
{
	const struct newfs_options o = { .finobt = true };
	struct chunks *c = chunks_new(&o);

	cr_assert_eq(free_one(c, 5), -EUCLEAN);
	assert_said(&c->n->said, "is not in it");
	check(c);
	chunks_free(c);
}

/* Change the record of the first chunk, in a transaction of its own. */
static void damage(struct chunks *c, enum xfs_btree_kind kind,
		   void (*spoil)(struct xfs_inobt_rec *rec))
{
	struct perag *pag = perag_of(&c->n->fs, AG);
	const union btree_rec key = { .ino = { .ir_startino = 0 } };
	union btree_rec rec;
	struct btree_cur cur;
	struct trans *t;
	struct buf *agi;
	bool found;

	cr_assert_eq(trans_alloc(&c->n->fs, XFS_TR_IFREE, &t), 0);
	cr_assert_eq(ag_read_agi(t, pag, &agi), 0);
	btree_init_ag(&cur, t, &pag->group, kind, agi);
	cr_assert_eq(btree_lookup(&cur, BTREE_GE, &key, &found), 0);
	cr_assert(found);
	cr_assert_eq(btree_get(&cur, &rec, &found), 0);
	spoil(&rec.ino);
	cr_assert_eq(btree_update(&cur, &rec), 0);
	btree_fini(&cur);
	cr_assert_eq(trans_commit(t, NULL), 0);
}

static void spoil_mask(struct xfs_inobt_rec *rec)
{
	rec->ir_free |= 1 << 5;
	rec->ir_freecount++;
}

static void spoil_start(struct xfs_inobt_rec *rec)
{
	rec->ir_startino -= 64;
}

static void spoil_other(struct xfs_inobt_rec *rec)
{
	rec->ir_free ^= 6;	/* 1 was freed, now it is 2 */
}

static void refuses(void (*spoil)(struct xfs_inobt_rec *rec),
		    enum xfs_btree_kind kind, const char *text)
{
	const struct newfs_options o = { .finobt = true };
	struct chunks *c = chunks_new(&o);

	unlink_one(c, 5);
	unlink_one(c, 1);
	cr_assert_eq(free_one(c, 1), 0, "%s", c->n->said.text);
	damage(c, kind, spoil);
	cr_assert_eq(free_one(c, 5), -EUCLEAN);
	assert_said(&c->n->said, text);
	chunks_free(c);
}

Test(ialloc, records_that_cannot_be_are_refused)
{
	refuses(spoil_mask, XFS_BTREE_INO, "is free already");
	refuses(spoil_start, XFS_BTREE_INO, "is in no chunk");
	refuses(spoil_mask, XFS_BTREE_FINO, "is free already");
	refuses(spoil_start, XFS_BTREE_FINO, "its chunk is missing");
	refuses(spoil_other, XFS_BTREE_FINO, "another than in the inobt");
}
