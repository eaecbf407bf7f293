/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of maps by intents: deferred, and found in the log.
 */
#include "libxlog/meta/bmap.h"
#include "libxlog/trans/counters.h"
#include "tests/lib/newfs.h"

enum { TREE_BLOCKS = 30 };

static struct newfs *n;
static struct inode *a, *b;

static struct inode *get(unsigned int i)
{
	struct inode *ip;

	cr_assert_eq(inode_iget(&n->fs, newfs_ino(n, 0, i), 0, &ip), 0, "%s",
		     n->said.text);
	return ip;
}

static void setup(bool recovered)
{
	const struct newfs_options o = {
		.finobt = true, .rmapbt = true, .recovered = recovered,
	};

	n = newfs_new(&o);
	a = get(3);
	b = get(4);
}

static void teardown(void)
{
	assert_silent(&n->said);
	inode_put(a);
	inode_put(b);
	newfs_free(n);
}

static struct trans *begin(void)
{
	struct trans *t;

	cr_assert_eq(trans_alloc_blocks(&n->fs, XFS_TR_ITRUNCATE, TREE_BLOCKS,
					true, &t), 0);
	inode_join(t, a);
	inode_hold(t, a);
	inode_join(t, b);
	inode_hold(t, b);
	return t;
}

static void end(struct trans *t)
{
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", n->said.text);
	inode_unlock(a);
	inode_unlock(b);
}

/* Extents of @ip: off, block, length and state each. */
struct listing {
	struct xfs_bmbt_rec rec[16];
	unsigned int	count;
};

static int list_one(void *ctx, const struct xfs_bmbt_rec *rec)
{
	struct listing *l = ctx;

	cr_assert_lt(l->count, 16);
	l->rec[l->count++] = *rec;
	return 0;
}

static struct listing listing(struct inode *ip, int fork)
{
	struct listing l = { .count = 0 };

	inode_lock(ip);
	cr_assert_eq(bmap_each(NULL, ip, fork, list_one, &l), 0, "%s",
		     n->said.text);
	cr_assert_eq(bmap_check(ip), 0, "%s", n->said.text);
	inode_unlock(ip);
	return l;
}

/* Owners of @rec by the rmapbt: how many records of @ip there are. */
static int count_owner(struct btree_cur *cur, const union btree_rec *rec,
		       void *ctx)
{
	uint64_t *found = ctx;

	(void)cur;
	if (rec->rmap.rm_owner == found[0])
		found[1] += rec->rmap.rm_blockcount;
	return 0;
}

static uint64_t owned(const struct inode *ip)
{
	uint64_t found[2] = { ip->ino, 0 };

	for (xfs_agnumber_t agno = 0; agno < n->opts.agcount; agno++) {
		struct perag *pag = perag_of(&n->fs, agno);
		struct btree_cur cur;
		struct buf *agf;

		cr_assert_eq(ag_read_agf(NULL, pag, &agf), 0);
		btree_init_ag(&cur, NULL, &pag->group, XFS_BTREE_RMAP, agf);
		cr_assert_eq(btree_query_all(&cur, count_owner, found), 0);
		btree_fini(&cur);
		buf_release(agf);
	}
	return found[1];
}

/* Blocks 0..4, 6..10, 12..16 of @a. */
static void three_extents(void)
{
	struct xfs_bmbt_rec rec;

	for (unsigned int i = 0; i < 3; i++) {
		struct trans *t = begin();

		cr_assert_eq(bmap_write(t, a, XFS_DATA_FORK, 6 * i, 5,
					BMAP_CONTIGUOUS, 5, &rec), 0);
		end(t);
	}
}

/* --- deferred --- */

Test(bmap_later, moves_blocks_between_files)
{
	struct listing before;
	struct trans *t;
	int64_t fdblocks;

	setup(false);
	three_extents();
	before = listing(a, XFS_DATA_FORK);
	fdblocks = counters_read(&n->fs, TRANS_SB_FDBLOCKS);
	cr_assert_eq(owned(a), 15);
	t = begin();
	cr_assert_eq(bmap_unmap_later(t, a, XFS_DATA_FORK, &before.rec[1]),
		     0);
	cr_assert_eq(bmap_map_later(t, b, XFS_DATA_FORK, &before.rec[1]), 0);
	end(t);
	cr_assert_eq(listing(a, XFS_DATA_FORK).count, 2);
	cr_assert_eq(listing(b, XFS_DATA_FORK).count, 1);
	cr_assert_eq(listing(b, XFS_DATA_FORK).rec[0].br_startblock,
		     before.rec[1].br_startblock);
	cr_assert_eq(owned(a), 10);
	cr_assert_eq(owned(b), 5);
	cr_assert_eq(counters_read(&n->fs, TRANS_SB_FDBLOCKS), fdblocks);
	teardown();
}

Test(bmap_later, what_is_in_several_extents_takes_several_intents)
{
	struct xfs_bmbt_rec all = { .br_blockcount = 20 };
	struct trans *t;

	setup(false);
	three_extents();
	t = begin();
	all.br_startblock = 100;	/* of no meaning */
	n->fs.hooks = (struct defer_hooks){ .flags = DEFER_FORCE };
	cr_assert_eq(bmap_unmap_later(t, a, XFS_DATA_FORK, &all), 0);
	end(t);
	/* BUI three times, and a RUI after each */
	cr_assert_eq(n->fs.hooks.points, 6);
	cr_assert_eq(listing(a, XFS_DATA_FORK).count, 0);
	cr_assert_eq(owned(a), 0);
	teardown();
}

/* --- found in the log --- */

static struct list captures;

static int recover(const struct xfs_map_extent *me)
{
	struct defer_recovered *r;
	struct defer_work *w;
	struct inode *ip;
	struct list works;
	struct trans *t;
	int rc = bmap_work_decode(&n->fs, me, &w);

	if (rc)
		return rc;
	list_init(&works);
	list_insert_last(&w->link, &works);
	cr_assert_eq(defer_recovered(&n->fs, &defer_bmap, 77, &works,
				     xfs_lsn_make(1, 0), &r), 0);
	n->fs.recovering = true;
	rc = bmap_work_begin(&n->fs, w, &t, &ip);
	if (rc) {
		defer_recovered_free(r);
		return rc;
	}
	list_init(&captures);
	cr_assert_eq(defer_finish_recovered(t, r, &captures), 0, "%s",
		     n->said.text);
	inode_unlock(ip);
	cr_assert_eq(defer_captures_finish(&n->fs, &captures), 0, "%s",
		     n->said.text);
	inode_put(ip);
	return 0;
}

static struct xfs_map_extent intent(const struct inode *ip, uint32_t flags)
{
	return (struct xfs_map_extent){
		.me_owner = ip->ino, .me_startblock = 1000, .me_startoff = 7,
		.me_len = 4, .me_flags = flags,
	};
}

Test(bmap_recovered, map)
{
	struct xfs_map_extent me;
	struct listing l;

	setup(true);
	me = intent(a, XFS_BMAP_EXTENT_MAP | XFS_BMAP_EXTENT_UNWRITTEN);
	cr_assert_eq(recover(&me), 0, "%s", n->said.text);
	l = listing(a, XFS_DATA_FORK);
	cr_assert_eq(l.count, 1);
	cr_assert_eq(l.rec[0].br_startblock, 1000);
	cr_assert_eq(l.rec[0].br_startoff, 7);
	cr_assert_eq(l.rec[0].br_blockcount, 4);
	cr_assert_eq(l.rec[0].br_state, 1);
	cr_assert_eq(owned(a), 4);
	newfs_settle(n);
	teardown();
}

Test(bmap_recovered, nothing_to_unmap)
{
	struct xfs_map_extent me;

	setup(true);
	me = intent(a, XFS_BMAP_EXTENT_UNMAP);
	cr_assert_eq(recover(&me), 0, "%s", n->said.text);
	cr_assert_eq(listing(a, XFS_DATA_FORK).count, 0);
	newfs_settle(n);
	teardown();
}

/* --- what cannot be meant --- */

static void refuses(const struct xfs_map_extent *me, int rc, const char *text)
{
	cr_assert_eq(recover(me), rc);
	assert_said(&n->said, text);
}

Test(bmap_recovered, intents_that_cannot_be_are_refused)
{
	struct xfs_map_extent me;

	setup(true);
	me = intent(a, 9);
	refuses(&me, -EUCLEAN, "not known");
	me = intent(a, XFS_BMAP_EXTENT_MAP | 1u << 20);
	refuses(&me, -EUCLEAN, "not known");
	me = intent(a, XFS_BMAP_EXTENT_MAP);
	me.me_owner = (uint64_t)1 << 40;
	refuses(&me, -EUCLEAN, "no such inode");
	me = intent(a, XFS_BMAP_EXTENT_MAP);
	me.me_len = 0;
	refuses(&me, -EUCLEAN, "no such blocks in a file");
	me = intent(a, XFS_BMAP_EXTENT_MAP);
	me.me_startoff = BMAP_MAX_OFF - 2;
	refuses(&me, -EUCLEAN, "no such blocks in a file");
	me = intent(a, XFS_BMAP_EXTENT_MAP);
	me.me_startblock = 4094;
	refuses(&me, -EUCLEAN, "no such blocks");
	me = intent(a, XFS_BMAP_EXTENT_UNMAP | XFS_BMAP_EXTENT_REALTIME);
	refuses(&me, -EUCLEAN, "another device");
	teardown();
}

/* --- maps that cannot be --- */

/* As a damaged inode has it. */
static void set_list(struct inode *ip, const struct xfs_bmbt_rec *rec,
		     unsigned int count)
{
	uint8_t *fork = inode_fork(ip, XFS_DATA_FORK, NULL);

	inode_set_nextents(ip, XFS_DATA_FORK, count);
	ip->di.di_nblocks = 0;
	for (unsigned int i = 0; i < count; i++) {
		xfs_bmbt_rec_encode(fork + i * xfs_bmbt_rec_size, &rec[i], 0,
				    XFS_BE);
		ip->di.di_nblocks += rec[i].br_blockcount;
	}
}

Test(bmap_recovered, a_map_out_of_order_is_not_changed)
{
	/* what is to be mapped would be joined to the second one */
	const struct xfs_bmbt_rec list[] = {
		{ .br_startoff = 6, .br_startblock = 900, .br_blockcount = 1 },
		{ .br_startoff = 5, .br_startblock = 998, .br_blockcount = 2 },
	};
	struct xfs_map_extent me;

	setup(true);
	set_list(a, list, 2);
	me = intent(a, XFS_BMAP_EXTENT_MAP);
	refuses(&me, -EUCLEAN, "overlaps");
	me = intent(a, XFS_BMAP_EXTENT_UNMAP);
	refuses(&me, -EUCLEAN, "overlaps");
	set_list(a, NULL, 0);
	teardown();
}
