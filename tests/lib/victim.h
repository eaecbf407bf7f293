/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An inode that is given things, and then goes: for tests of that. Space is
 * really allocated, in filesystems of all kinds.
 */
#ifndef TESTS_LIB_VICTIM_H
#define TESTS_LIB_VICTIM_H

#include "libxlog/meta/bmap.h"
#include "libxlog/meta/inactive.h"
#include "libxlog/meta/iunlink.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/inode_item.h"
#include "tests/lib/newfs.h"

enum { VICTIM_TREE_BLOCKS = 30, VICTIM_EXTENTS = 8, VICTIM_AG = 0 };

struct victim {
	struct newfs	*n;
	struct inode	*ip;
	int64_t		fdblocks, ifree;	/* before it had anything */
};

static inline struct trans *victim_begin(struct inode *ip, uint32_t blocks)
{
	struct trans *t;

	cr_assert_eq(trans_alloc_blocks(ip->fs, XFS_TR_ITRUNCATE,
					blocks + VICTIM_TREE_BLOCKS, true, &t), 0);
	inode_join(t, ip);
	inode_hold(t, ip);
	return t;
}

static inline void victim_end(struct newfs *n, struct inode *ip,
			      struct trans *t)
{
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", n->said.text);
	inode_unlock(ip);
}

static inline void victim_get(struct victim *v, struct newfs *n,
			      unsigned int i)
{
	v->n = n;
	v->fdblocks = counters_read(&n->fs, TRANS_SB_FDBLOCKS);
	v->ifree = counters_read(&n->fs, TRANS_SB_IFREE);
	cr_assert_eq(inode_iget(&n->fs, newfs_ino(n, VICTIM_AG, i), 0, &v->ip), 0,
		     "%s", n->said.text);
}

static inline struct victim victim_new(const struct newfs_options *o)
{
	struct victim v;

	victim_get(&v, newfs_new(o), 9);
	return v;
}

/* Give it @count extents of @len blocks, each with a hole of one block behind it. */
static inline void victim_extents(struct victim *v, int fork,
				  unsigned int count, uint32_t len)
{
	struct xfs_bmbt_rec rec;

	for (unsigned int i = 0; i < count;) {
		struct trans *t = victim_begin(v->ip, len * VICTIM_EXTENTS);

		for (unsigned int j = 0; j < VICTIM_EXTENTS && i < count; i++, j++)
			cr_assert_eq(bmap_write(t, v->ip, fork,
						(uint64_t)i * (len + 1), len,
						BMAP_CONTIGUOUS, len, &rec), 0,
				     "%s", v->n->said.text);
		victim_end(v->n, v->ip, t);
	}
}

static inline void victim_set(struct victim *v, uint16_t type, uint64_t size)
{
	struct trans *t = victim_begin(v->ip, 0);

	v->ip->di.di_mode = type | 0600;
	v->ip->di.di_size = size;
	inode_log(t, v->ip, XFS_ILOG_CORE);
	victim_end(v->n, v->ip, t);
}

static inline void victim_attr_fork(struct victim *v)
{
	struct trans *t = victim_begin(v->ip, 0);

	v->ip->di.di_forkoff = 8;
	v->ip->di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	inode_log(t, v->ip, XFS_ILOG_CORE);
	victim_end(v->n, v->ip, t);
}

static inline void victim_unlink(struct victim *v)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(v->ip->fs, XFS_TR_IFREE, &t), 0);
	inode_join(t, v->ip);
	cr_assert_eq(iunlink_insert(t, v->ip), 0, "%s", v->n->said.text);
	cr_assert_eq(trans_commit(t, NULL), 0);
}

/* --- what is left --- */

static inline int victim_owns_nothing(struct btree_cur *cur,
				      const union btree_rec *rec, void *ctx)
{
	(void)ctx;
	cr_assert(rec->rmap.rm_owner >= XFS_RMAP_OWN_COW,
		  "group %u: inode %llu owns block %u", cur->group->agno,
		  (unsigned long long)rec->rmap.rm_owner,
		  rec->rmap.rm_startblock);
	return 0;
}

static inline int victim_sum_free(struct btree_cur *cur,
				  const union btree_rec *rec, void *ctx)
{
	(void)cur;
	*(uint64_t *)ctx += rec->alloc.ar_blockcount;
	return 0;
}

static inline void victim_check_group(struct newfs *n, xfs_agnumber_t agno)
{
	struct perag *pag = perag_of(&n->fs, agno);
	struct btree_cur cur;
	uint64_t sum = 0;
	struct buf *agf;

	cr_assert_eq(ag_read_agf(NULL, pag, &agf), 0);
	btree_init_ag(&cur, NULL, &pag->group, XFS_BTREE_BNO, agf);
	cr_assert_eq(btree_query_all(&cur, victim_sum_free, &sum), 0);
	btree_fini(&cur);
	cr_assert_eq(sum, ag_agf(agf).agf_freeblks);
	if (n->opts.rmapbt) {
		btree_init_ag(&cur, NULL, &pag->group, XFS_BTREE_RMAP, agf);
		cr_assert_eq(btree_query_all(&cur, victim_owns_nothing, NULL), 0);
		btree_fini(&cur);
	}
	buf_release(agf);
}

static inline void victim_gone(struct victim *v)
{
	xfs_ino_t ino = v->ip->ino;
	xfs_agino_t agino;

	inode_put(v->ip);
	newfs_forget(v->n);
	cr_assert_eq(inode_iget(&v->n->fs, ino, INODE_GET_FREE, &v->ip), 0,
		     "%s", v->n->said.text);
	cr_assert_eq(v->ip->di.di_mode, 0);
	cr_assert_eq(v->ip->di.di_nblocks, 0);
	cr_assert_eq(v->ip->di.di_forkoff, 0);
	cr_assert_eq(inode_nextents(v->ip, XFS_DATA_FORK), 0);
	cr_assert_eq(iunlink_first(&v->n->fs, VICTIM_AG,
				   xfs_ino_agino(&v->n->fs.geom, ino) %
				   XFS_AGI_BUCKETS, &agino), 0);
	cr_assert_eq(agino, XFS_NULL_AGINO);
	cr_assert_eq(counters_read(&v->n->fs, TRANS_SB_FDBLOCKS),
		     v->fdblocks);
	cr_assert_eq(counters_read(&v->n->fs, TRANS_SB_IFREE), v->ifree + 1);
	for (xfs_agnumber_t agno = 0; agno < v->n->opts.agcount; agno++)
		victim_check_group(v->n, agno);
	assert_silent(&v->n->said);
	inode_put(v->ip);
	newfs_free(v->n);
}

static inline void victim_inactivate(struct victim *v)
{
	victim_unlink(v);
	cr_assert_eq(inode_inactivate(v->ip), 0, "%s", v->n->said.text);
	victim_gone(v);
}

static const struct newfs_options victim_kinds[] = {
	{ .v4 = true },
	{ .v4 = true, .blocklog = 9 },
	{ .v4 = true, .blocklog = 16 },
	{ .v4 = true, .no_lazycount = true },
	{ .finobt = true },
	{ .finobt = true, .rmapbt = true, .reflink = true, .inobtcount = true,
	  .nrext64 = true, .bigtime = true },
	{ .blocklog = 10, .finobt = true, .rmapbt = true },
	{ .blocklog = 16, .finobt = true, .rmapbt = true, .reflink = true },
};

#define EACH_KIND(o)							\
	for (const struct newfs_options *o = victim_kinds;		\
	     o < victim_kinds + sizeof(victim_kinds) /			\
				sizeof(victim_kinds[0]); o++)

#endif
