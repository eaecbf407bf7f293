/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of inodes of every kind: with all that they had, they are gone, and
 * the filesystem is as it was without them.
 */
#include "libxlog/meta/refcount.h"
#include "tests/lib/newfs.h"
#include "tests/lib/victim.h"

Test(inode_inactivate, empty_file)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		victim_inactivate(&v);
	}
}

Test(inode_inactivate, file_with_a_list_of_extents)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		victim_extents(&v, XFS_DATA_FORK, 5, 3);
		victim_set(&v, XFS_MODE_REG, 12345);
		victim_inactivate(&v);
	}
}

Test(inode_inactivate, file_with_a_tree_of_extents)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		victim_extents(&v, XFS_DATA_FORK, 400, 1);
		cr_assert_eq(inode_format(v.ip, XFS_DATA_FORK),
			     XFS_DINODE_FMT_BTREE);
		victim_set(&v, XFS_MODE_REG, 123456);
		victim_inactivate(&v);
	}
}

Test(inode_inactivate, local_link)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);
		struct trans *t = victim_begin(v.ip, 0);

		v.ip->di.di_mode = XFS_MODE_LNK | 0777;
		v.ip->di.di_size = 9;
		v.ip->di.di_format = XFS_DINODE_FMT_LOCAL;
		memcpy(inode_fork(v.ip, XFS_DATA_FORK, NULL), "somewhere", 9);
		inode_log(t, v.ip, XFS_ILOG_CORE | XFS_ILOG_DDATA);
		victim_end(v.n, v.ip, t);
		victim_inactivate(&v);
	}
}

Test(inode_inactivate, remote_link)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		victim_extents(&v, XFS_DATA_FORK, 2, 1);
		victim_set(&v, XFS_MODE_LNK, 800);
		victim_inactivate(&v);
	}
}

Test(inode_inactivate, directory)
{
	EACH_KIND(o) {
		struct newfs_options dirs = *o;
		struct victim v;

		dirs.dirblklog = o->blocklog == 16 ? 0 : 2;
		v = victim_new(&dirs);
		/* blocks in one piece, and in several */
		victim_extents(&v, XFS_DATA_FORK, 20, 3);
		victim_extents(&v, XFS_DATA_FORK, 0, 1);
		victim_set(&v, XFS_MODE_DIR, 4096);
		victim_inactivate(&v);
	}
}

Test(inode_inactivate, device)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);
		struct trans *t = victim_begin(v.ip, 0);

		v.ip->di.di_mode = XFS_MODE_CHR | 0600;
		v.ip->di.di_format = XFS_DINODE_FMT_DEV;
		inode_log(t, v.ip, XFS_ILOG_CORE | XFS_ILOG_DEV);
		victim_end(v.n, v.ip, t);
		victim_inactivate(&v);
	}
}

Test(inode_inactivate, short_attributes)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);
		struct trans *t = victim_begin(v.ip, 0);

		v.ip->di.di_forkoff = 8;
		v.ip->di.di_aformat = XFS_DINODE_FMT_LOCAL;
		/* a header and nothing behind it */
		memcpy(inode_fork(v.ip, XFS_ATTR_FORK, NULL), "\0\4\0\0", 4);
		inode_log(t, v.ip, XFS_ILOG_CORE | XFS_ILOG_ADATA);
		victim_end(v.n, v.ip, t);
		victim_extents(&v, XFS_DATA_FORK, 2, 2);
		victim_inactivate(&v);
	}
}

Test(inode_inactivate, attributes_in_one_block)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		victim_attr_fork(&v);
		victim_extents(&v, XFS_ATTR_FORK, 1, 1);
		victim_inactivate(&v);
	}
}

Test(inode_inactivate, attributes_in_many_blocks)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		victim_attr_fork(&v);
		victim_extents(&v, XFS_ATTR_FORK, 3, 70);
		victim_extents(&v, XFS_DATA_FORK, 3, 2);
		victim_inactivate(&v);
	}
}

Test(inode_inactivate, attributes_in_a_tree_of_extents)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		victim_attr_fork(&v);
		victim_extents(&v, XFS_ATTR_FORK, 60, 2);
		cr_assert_eq(inode_format(v.ip, XFS_ATTR_FORK),
			     XFS_DINODE_FMT_BTREE);
		victim_inactivate(&v);
	}
}

/* --- shared blocks --- */

static int count_records(struct btree_cur *cur, const union btree_rec *rec,
			 void *ctx)
{
	(void)cur;
	(void)rec;
	++*(unsigned int *)ctx;
	return 0;
}

static unsigned int refcounts(struct newfs *n)
{
	struct perag *pag = perag_of(&n->fs, VICTIM_AG);
	unsigned int count = 0;
	struct btree_cur cur;
	struct buf *agf;

	cr_assert_eq(ag_read_agf(NULL, pag, &agf), 0);
	btree_init_ag(&cur, NULL, &pag->group, XFS_BTREE_REFC, agf);
	cr_assert_eq(btree_query_all(&cur, count_records, &count), 0);
	btree_fini(&cur);
	buf_release(agf);
	return count;
}

static void make_reflink(struct victim *v)
{
	struct trans *t = victim_begin(v->ip, 0);

	v->ip->di.di_flags2 |= XFS_DIFLAG2_REFLINK;
	inode_log(t, v->ip, XFS_ILOG_CORE);
	victim_end(v->n, v->ip, t);
}

Test(inode_inactivate, shared_blocks_go_with_the_last_owner)
{
	const struct newfs_options o = {
		.finobt = true, .rmapbt = true, .reflink = true,
	};
	struct victim a = victim_new(&o), b;
	struct xfs_bmbt_rec rec;
	struct trans *t;
	bool found;

	victim_get(&b, a.n, 10);
	make_reflink(&a);
	make_reflink(&b);
	victim_extents(&a, XFS_DATA_FORK, 1, 9);
	inode_lock(a.ip);
	cr_assert_eq(bmap_find(NULL, a.ip, XFS_DATA_FORK, 0, &rec, &found), 0);
	inode_unlock(a.ip);
	t = victim_begin(b.ip, 0);
	rec.br_blockcount = 5;
	cr_assert_eq(refcount_increase_later(t, rec.br_startblock, 5), 0);
	cr_assert_eq(bmap_map_later(t, b.ip, XFS_DATA_FORK, &rec), 0);
	victim_end(b.n, b.ip, t);
	cr_assert_eq(refcounts(a.n), 1);
	victim_unlink(&a);
	cr_assert_eq(inode_inactivate(a.ip), 0, "%s", a.n->said.text);
	inode_put(a.ip);
	cr_assert_eq(refcounts(a.n), 0);
	cr_assert_eq(counters_read(&b.n->fs, TRANS_SB_FDBLOCKS),
		     b.fdblocks - 5);
	b.ifree++;
	victim_inactivate(&b);
}

/* --- many extents --- */

static void many(const struct newfs_options *o, unsigned int extents)
{
	struct victim v = victim_new(o);

	victim_extents(&v, XFS_DATA_FORK, extents, 1);
	victim_set(&v, XFS_MODE_REG, 1000);
	cr_assert_eq(inode_nextents(v.ip, XFS_DATA_FORK), extents);
	victim_inactivate(&v);
}

Test(inode_inactivate, a_hundred_thousand_extents)
{
	const struct newfs_options o = {
		.finobt = true, .agcount = 1, .agblocks = 250000,
		.log_bytes = 6 << 20,
	};

	many(&o, 100000);
}

Test(inode_inactivate, ten_thousand_extents_with_their_owners)
{
	const struct newfs_options o = {
		.finobt = true, .rmapbt = true, .reflink = true,
		.agcount = 1, .agblocks = 30000, .log_bytes = 8 << 20,
	};

	many(&o, 10000);
}
