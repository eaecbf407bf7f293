/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Maps of forks against an array that says of each block of the file where it
 * lies: mapped and unmapped at random, as a list and as a tree, of both
 * versions and all block sizes. The blocks are made up: only the tree's own
 * are allocated.
 */
#include "libxlog/meta/bmap.h"
#include "libxlog/trans/counters.h"
#include "tests/lib/newfs.h"
#include "tests/lib/stack.h"

enum {
	BLOCKS = 1500,		/* of the file, at most */
	GROUP_BLOCKS = 8192,
	TREE_BLOCKS = 20,	/* that one change may take */
	NOWHERE = 0,
};

struct model {
	struct newfs	*n;
	struct inode	*ip;
	int		fork;
	uint64_t	at[BLOCKS];	/* fsb << 1 | unwritten, or NOWHERE */
	uint64_t	seed;
};

static uint64_t rnd(struct model *m, uint64_t below)
{
	return stack_random(&m->seed) % below;
}

static void give_attr_fork(struct inode *ip)
{
	struct trans *t;
	uint32_t literal = ip->fs->geom.inodesize -
			   (uint32_t)xfs_dinode_core_bytes(&ip->di);

	cr_assert_eq(trans_alloc(ip->fs, XFS_TR_ITRUNCATE, &t), 0);
	inode_join(t, ip);
	ip->di.di_forkoff = (uint8_t)(literal / 2 / 8);
	ip->di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_commit(t, NULL), 0);
}

static struct model *model_new(const struct newfs_options *o, int fork,
			       uint64_t seed)
{
	struct model *m = calloc(1, sizeof(*m));

	cr_assert_not_null(m);
	m->n = newfs_new(o);
	m->fork = fork;
	m->seed = seed;
	cr_assert_eq(inode_iget(&m->n->fs, newfs_ino(m->n, 0, 5), 0, &m->ip),
		     0, "%s", m->n->said.text);
	if (fork == XFS_ATTR_FORK)
		give_attr_fork(m->ip);
	return m;
}

static void model_free(struct model *m)
{
	inode_put(m->ip);
	newfs_free(m->n);
	free(m);
}

static struct trans *begin(struct model *m)
{
	struct trans *t;

	cr_assert_eq(trans_alloc_blocks(&m->n->fs, XFS_TR_ITRUNCATE,
					TREE_BLOCKS, true, &t), 0, "%s",
		     m->n->said.text);
	inode_join(t, m->ip);
	inode_hold(t, m->ip);
	return t;
}

static void end(struct model *m, struct trans *t, int rc)
{
	cr_assert_eq(rc, 0, "%d %s", rc, m->n->said.text);
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", m->n->said.text);
	inode_unlock(m->ip);
}

/* --- the array as extents --- */

static struct xfs_bmbt_rec model_extent(const struct model *m, uint64_t off)
{
	struct xfs_bmbt_rec rec = {
		.br_startoff = off, .br_startblock = m->at[off] >> 1,
		.br_state = m->at[off] & 1,
	};

	while (off < BLOCKS && m->at[off] ==
	       (m->at[rec.br_startoff] + 2 * rec.br_blockcount)) {
		rec.br_blockcount++;
		off++;
	}
	return rec;
}

struct compare {
	const struct model *m;
	uint64_t	off, extents, blocks;
};

static bool same(const struct xfs_bmbt_rec *a, const struct xfs_bmbt_rec *b)
{
	return a->br_startoff == b->br_startoff &&
	       a->br_startblock == b->br_startblock &&
	       a->br_blockcount == b->br_blockcount &&
	       a->br_state == b->br_state;
}

static int compare_one(void *ctx, const struct xfs_bmbt_rec *rec)
{
	struct compare *c = ctx;
	struct xfs_bmbt_rec want;

	while (c->off < BLOCKS && c->m->at[c->off] == NOWHERE)
		c->off++;
	cr_assert_lt(c->off, BLOCKS, "an extent at %llu too many",
		     (unsigned long long)rec->br_startoff);
	want = model_extent(c->m, c->off);
	cr_assert(same(rec, &want),
		  "%llu+%llu at %llu, not %llu+%llu at %llu",
		  (unsigned long long)rec->br_startoff,
		  (unsigned long long)rec->br_blockcount,
		  (unsigned long long)rec->br_startblock,
		  (unsigned long long)want.br_startoff,
		  (unsigned long long)want.br_blockcount,
		  (unsigned long long)want.br_startblock);
	c->off += want.br_blockcount;
	c->blocks += want.br_blockcount;
	c->extents++;
	return 0;
}

/* The map is the array, in as few extents as can be, kept as it should be. */
static void compare(struct model *m)
{
	struct compare c = { .m = m };
	uint32_t bytes;
	bool fits;

	inode_lock(m->ip);
	cr_assert_eq(bmap_each(NULL, m->ip, m->fork, compare_one, &c), 0,
		     "%s", m->n->said.text);
	while (c.off < BLOCKS)
		cr_assert_eq(m->at[c.off++], NOWHERE);
	(void)inode_fork(m->ip, m->fork, &bytes);
	fits = c.extents <= bytes / xfs_bmbt_rec_size;
	cr_assert_eq(inode_format(m->ip, m->fork), fits ?
		     XFS_DINODE_FMT_EXTENTS : XFS_DINODE_FMT_BTREE,
		     "%llu extents", (unsigned long long)c.extents);
	cr_assert_eq(inode_nextents(m->ip, m->fork), c.extents);
	cr_assert_geq(m->ip->di.di_nblocks, c.blocks + !fits);
	cr_assert_eq(bmap_check(m->ip), 0, "%s", m->n->said.text);
	inode_unlock(m->ip);
}

static void compare_find(struct model *m, uint64_t off)
{
	struct xfs_bmbt_rec rec, want;
	bool found;

	inode_lock(m->ip);
	cr_assert_eq(bmap_find(NULL, m->ip, m->fork, off, &rec, &found), 0);
	inode_unlock(m->ip);
	while (off && m->at[off] != NOWHERE &&
	       m->at[off - 1] + 2 == m->at[off])
		off--;
	while (off < BLOCKS && m->at[off] == NOWHERE)
		off++;
	cr_assert_eq(found, off < BLOCKS);
	if (found) {
		want = model_extent(m, off);
		cr_assert(same(&rec, &want));
	}
}

/* --- changes --- */

static void map_some(struct model *m)
{
	uint64_t off = rnd(m, BLOCKS), len = 1 + rnd(m, 6);
	/* what was made for the next block in the file goes on from here */
	xfs_fsblock_t fsb = ((uint64_t)1 << m->n->sb.sb_agblklog) + 1000 +
			    off + 2000 * rnd(m, 2);
	struct xfs_bmbt_rec rec = {
		.br_startoff = off, .br_startblock = fsb,
		.br_state = m->fork == XFS_DATA_FORK && !rnd(m, 4),
	};
	struct trans *t;

	while (rec.br_blockcount < len && off < BLOCKS &&
	       m->at[off] == NOWHERE) {
		m->at[off++] = (fsb + rec.br_blockcount) << 1 | rec.br_state;
		rec.br_blockcount++;
	}
	if (!rec.br_blockcount)
		return;
	t = begin(m);
	end(m, t, bmap_map(t, m->ip, m->fork, &rec));
}

/* What was unmapped of [@off, @end), from the end. */
static void forget(struct model *m, uint64_t off, uint64_t end)
{
	while (off < end)
		m->at[off++] = NOWHERE;
}

static void unmap_some(struct model *m, uint64_t most)
{
	uint64_t off = rnd(m, BLOCKS), len = 1 + rnd(m, most), was;
	unsigned int extents = 1 + (unsigned int)rnd(m, 3);
	bool all = rnd(m, 2);
	struct trans *t;

	if (len > BLOCKS - off)
		len = BLOCKS - off;
	do {
		was = len;
		t = begin(m);
		end(m, t, bmap_unmap(t, m->ip, m->fork, off, &len, BMAP_REMAP,
				     extents));
		cr_assert(len < was);
		forget(m, off + len, off + was);
	} while (len && all);
	if (!len)
		forget(m, off, off + was);
}

/* Grow, shrink, grow, and then empty it. */
static void exercise(struct model *m, unsigned int steps)
{
	for (unsigned int i = 0; i < steps; i++) {
		bool grow = i * 6 / steps % 2 == 0;

		if (rnd(m, 10) < (grow ? 9u : 3u))
			map_some(m);
		else
			unmap_some(m, grow ? 10 : 60);
		if (i % 16 == 0)
			compare(m);
		compare_find(m, rnd(m, BLOCKS));
	}
	compare(m);
}

/* What is on the device is what is in memory. */
static void read_again(struct model *m)
{
	xfs_ino_t ino = m->ip->ino;

	newfs_settle(m->n);
	inode_put(m->ip);
	cr_assert_eq(inode_iget(&m->n->fs, ino, 0, &m->ip), 0, "%s",
		     m->n->said.text);
	compare(m);
}

static void random_maps(const struct newfs_options *o, int fork)
{
	struct model *m = model_new(o, fork, 42);
	int64_t before = counters_read(&m->n->fs, TRANS_SB_FDBLOCKS);
	uint64_t len = BLOCKS;
	struct trans *t;

	exercise(m, 3000);
	read_again(m);
	exercise(m, 500);
	while (len) {
		t = begin(m);
		end(m, t, bmap_unmap(t, m->ip, fork, 0, &len, BMAP_REMAP, 2));
	}
	forget(m, 0, BLOCKS);
	read_again(m);
	cr_assert_eq(m->ip->di.di_nblocks, 0);
	cr_assert_eq(counters_read(&m->n->fs, TRANS_SB_FDBLOCKS), before);
	assert_silent(&m->n->said);
	model_free(m);
}

static void both_forks(bool v4, uint8_t blocklog)
{
	const struct newfs_options o = {
		.v4 = v4, .blocklog = blocklog, .agblocks = GROUP_BLOCKS,
		.nrext64 = blocklog == 12 && !v4, .bigtime = !v4,
	};

	random_maps(&o, XFS_DATA_FORK);
	random_maps(&o, XFS_ATTR_FORK);
}

Test(bmap, random_maps_v5_1k)
{
	both_forks(false, 10);
}

Test(bmap, random_maps_v5_4k)
{
	both_forks(false, 12);
}

Test(bmap, random_maps_v5_64k)
{
	both_forks(false, 16);
}

Test(bmap, random_maps_v4_512)
{
	both_forks(true, 9);
}

Test(bmap, random_maps_v4_4k)
{
	both_forks(true, 12);
}

Test(bmap, random_maps_v4_64k)
{
	both_forks(true, 16);
}
