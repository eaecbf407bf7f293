/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of inodes of every kind: with all that they had, they are gone, and
 * the filesystem is as it was without them. Space is really allocated here.
 */
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/inactive.h"
#include "libxlog/meta/iunlink.h"
#include "libxlog/meta/refcount.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/inode_item.h"
#include "tests/lib/newfs.h"

enum { TREE_BLOCKS = 30, EXTENTS = 8, AG = 0 };

struct victim {
	struct newfs	*n;
	struct inode	*ip;
	int64_t		fdblocks, ifree;	/* before it had anything */
};

static struct trans *begin(struct inode *ip, uint32_t blocks)
{
	struct trans *t;

	cr_assert_eq(trans_alloc_blocks(ip->fs, XFS_TR_ITRUNCATE,
					blocks + TREE_BLOCKS, true, &t), 0);
	inode_join(t, ip);
	inode_hold(t, ip);
	return t;
}

static void end(struct newfs *n, struct inode *ip, struct trans *t)
{
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", n->said.text);
	inode_unlock(ip);
}

static void victim_get(struct victim *v, struct newfs *n, unsigned int i)
{
	v->n = n;
	v->fdblocks = counters_read(&n->fs, TRANS_SB_FDBLOCKS);
	v->ifree = counters_read(&n->fs, TRANS_SB_IFREE);
	cr_assert_eq(inode_iget(&n->fs, newfs_ino(n, AG, i), 0, &v->ip), 0,
		     "%s", n->said.text);
}

static struct victim victim_new(const struct newfs_options *o)
{
	struct victim v;

	victim_get(&v, newfs_new(o), 9);
	return v;
}

/* @count extents of @len blocks, each with a hole of one block behind it. */
static void give_extents(struct victim *v, int fork, unsigned int count,
			 uint32_t len)
{
	struct xfs_bmbt_rec rec;

	for (unsigned int i = 0; i < count;) {
		struct trans *t = begin(v->ip, len * EXTENTS);

		for (unsigned int j = 0; j < EXTENTS && i < count; i++, j++)
			cr_assert_eq(bmap_write(t, v->ip, fork,
						(uint64_t)i * (len + 1), len,
						BMAP_CONTIGUOUS, len, &rec), 0,
				     "%s", v->n->said.text);
		end(v->n, v->ip, t);
	}
}

static void set(struct victim *v, uint16_t type, uint64_t size)
{
	struct trans *t = begin(v->ip, 0);

	v->ip->di.di_mode = type | 0600;
	v->ip->di.di_size = size;
	inode_log(t, v->ip, XFS_ILOG_CORE);
	end(v->n, v->ip, t);
}

static void give_attr_fork(struct victim *v)
{
	struct trans *t = begin(v->ip, 0);

	v->ip->di.di_forkoff = 8;
	v->ip->di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	inode_log(t, v->ip, XFS_ILOG_CORE);
	end(v->n, v->ip, t);
}

static void unlink_it(struct victim *v)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(v->ip->fs, XFS_TR_IFREE, &t), 0);
	inode_join(t, v->ip);
	cr_assert_eq(iunlink_insert(t, v->ip), 0, "%s", v->n->said.text);
	cr_assert_eq(trans_commit(t, NULL), 0);
}

/* --- what is left --- */

static int no_inode_owns(struct btree_cur *cur, const union btree_rec *rec,
			 void *ctx)
{
	(void)ctx;
	cr_assert(rec->rmap.rm_owner >= XFS_RMAP_OWN_COW,
		  "group %u: inode %llu owns block %u", cur->group->agno,
		  (unsigned long long)rec->rmap.rm_owner,
		  rec->rmap.rm_startblock);
	return 0;
}

static int sum_free(struct btree_cur *cur, const union btree_rec *rec,
		    void *ctx)
{
	(void)cur;
	*(uint64_t *)ctx += rec->alloc.ar_blockcount;
	return 0;
}

static void check_group(struct newfs *n, xfs_agnumber_t agno)
{
	struct perag *pag = perag_of(&n->fs, agno);
	struct btree_cur cur;
	uint64_t sum = 0;
	struct buf *agf;

	cr_assert_eq(ag_read_agf(NULL, pag, &agf), 0);
	btree_init_ag(&cur, NULL, &pag->group, XFS_BTREE_BNO, agf);
	cr_assert_eq(btree_query_all(&cur, sum_free, &sum), 0);
	btree_fini(&cur);
	cr_assert_eq(sum, ag_agf(agf).agf_freeblks);
	if (n->opts.rmapbt) {
		btree_init_ag(&cur, NULL, &pag->group, XFS_BTREE_RMAP, agf);
		cr_assert_eq(btree_query_all(&cur, no_inode_owns, NULL), 0);
		btree_fini(&cur);
	}
	buf_release(agf);
}

static void check_gone(struct victim *v)
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
	cr_assert_eq(iunlink_first(&v->n->fs, AG,
				   xfs_ino_agino(&v->n->fs.geom, ino) %
				   XFS_AGI_BUCKETS, &agino), 0);
	cr_assert_eq(agino, XFS_NULL_AGINO);
	cr_assert_eq(counters_read(&v->n->fs, TRANS_SB_FDBLOCKS),
		     v->fdblocks);
	cr_assert_eq(counters_read(&v->n->fs, TRANS_SB_IFREE), v->ifree + 1);
	for (xfs_agnumber_t agno = 0; agno < v->n->opts.agcount; agno++)
		check_group(v->n, agno);
	assert_silent(&v->n->said);
	inode_put(v->ip);
	newfs_free(v->n);
}

static void inactivate(struct victim *v)
{
	unlink_it(v);
	cr_assert_eq(inode_inactivate(v->ip), 0, "%s", v->n->said.text);
	check_gone(v);
}

/* --- of every kind --- */

static const struct newfs_options kinds[] = {
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
	for (const struct newfs_options *o = kinds;			\
	     o < kinds + sizeof(kinds) / sizeof(kinds[0]); o++)

Test(inode_inactivate, empty_file)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		inactivate(&v);
	}
}

Test(inode_inactivate, file_with_a_list_of_extents)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		give_extents(&v, XFS_DATA_FORK, 5, 3);
		set(&v, XFS_MODE_REG, 12345);
		inactivate(&v);
	}
}

Test(inode_inactivate, file_with_a_tree_of_extents)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		give_extents(&v, XFS_DATA_FORK, 400, 1);
		cr_assert_eq(inode_format(v.ip, XFS_DATA_FORK),
			     XFS_DINODE_FMT_BTREE);
		set(&v, XFS_MODE_REG, 123456);
		inactivate(&v);
	}
}

Test(inode_inactivate, local_link)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);
		struct trans *t = begin(v.ip, 0);

		v.ip->di.di_mode = XFS_MODE_LNK | 0777;
		v.ip->di.di_size = 9;
		v.ip->di.di_format = XFS_DINODE_FMT_LOCAL;
		memcpy(inode_fork(v.ip, XFS_DATA_FORK, NULL), "somewhere", 9);
		inode_log(t, v.ip, XFS_ILOG_CORE | XFS_ILOG_DDATA);
		end(v.n, v.ip, t);
		inactivate(&v);
	}
}

Test(inode_inactivate, remote_link)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		give_extents(&v, XFS_DATA_FORK, 2, 1);
		set(&v, XFS_MODE_LNK, 800);
		inactivate(&v);
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
		give_extents(&v, XFS_DATA_FORK, 20, 3);
		give_extents(&v, XFS_DATA_FORK, 0, 1);
		set(&v, XFS_MODE_DIR, 4096);
		inactivate(&v);
	}
}

Test(inode_inactivate, device)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);
		struct trans *t = begin(v.ip, 0);

		v.ip->di.di_mode = XFS_MODE_CHR | 0600;
		v.ip->di.di_format = XFS_DINODE_FMT_DEV;
		inode_log(t, v.ip, XFS_ILOG_CORE | XFS_ILOG_DEV);
		end(v.n, v.ip, t);
		inactivate(&v);
	}
}

Test(inode_inactivate, short_attributes)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);
		struct trans *t = begin(v.ip, 0);

		v.ip->di.di_forkoff = 8;
		v.ip->di.di_aformat = XFS_DINODE_FMT_LOCAL;
		/* a header and nothing behind it */
		memcpy(inode_fork(v.ip, XFS_ATTR_FORK, NULL), "\0\4\0\0", 4);
		inode_log(t, v.ip, XFS_ILOG_CORE | XFS_ILOG_ADATA);
		end(v.n, v.ip, t);
		give_extents(&v, XFS_DATA_FORK, 2, 2);
		inactivate(&v);
	}
}

Test(inode_inactivate, attributes_in_one_block)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		give_attr_fork(&v);
		give_extents(&v, XFS_ATTR_FORK, 1, 1);
		inactivate(&v);
	}
}

Test(inode_inactivate, attributes_in_many_blocks)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		give_attr_fork(&v);
		give_extents(&v, XFS_ATTR_FORK, 3, 70);
		give_extents(&v, XFS_DATA_FORK, 3, 2);
		inactivate(&v);
	}
}

Test(inode_inactivate, attributes_in_a_tree_of_extents)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		give_attr_fork(&v);
		give_extents(&v, XFS_ATTR_FORK, 60, 2);
		cr_assert_eq(inode_format(v.ip, XFS_ATTR_FORK),
			     XFS_DINODE_FMT_BTREE);
		inactivate(&v);
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
	struct perag *pag = perag_of(&n->fs, AG);
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
	struct trans *t = begin(v->ip, 0);

	v->ip->di.di_flags2 |= XFS_DIFLAG2_REFLINK;
	inode_log(t, v->ip, XFS_ILOG_CORE);
	end(v->n, v->ip, t);
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
	give_extents(&a, XFS_DATA_FORK, 1, 9);
	inode_lock(a.ip);
	cr_assert_eq(bmap_find(NULL, a.ip, XFS_DATA_FORK, 0, &rec, &found), 0);
	inode_unlock(a.ip);
	t = begin(b.ip, 0);
	rec.br_blockcount = 5;
	cr_assert_eq(refcount_increase_later(t, rec.br_startblock, 5), 0);
	cr_assert_eq(bmap_map_later(t, b.ip, XFS_DATA_FORK, &rec), 0);
	end(b.n, b.ip, t);
	cr_assert_eq(refcounts(a.n), 1);
	unlink_it(&a);
	cr_assert_eq(inode_inactivate(a.ip), 0, "%s", a.n->said.text);
	inode_put(a.ip);
	cr_assert_eq(refcounts(a.n), 0);
	cr_assert_eq(counters_read(&b.n->fs, TRANS_SB_FDBLOCKS),
		     b.fdblocks - 5);
	b.ifree++;
	inactivate(&b);
}

/* --- with links --- */

static void link_it(struct victim *v)
{
	struct trans *t = begin(v->ip, 0);

	v->ip->di.di_nlink = 1;
	inode_log(t, v->ip, XFS_ILOG_CORE);
	end(v->n, v->ip, t);
}

Test(inode_inactivate, what_has_links_loses_blocks_behind_its_end)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		give_extents(&v, XFS_DATA_FORK, 3, 2);
		link_it(&v);
		/* it ends in the second block of six */
		set(&v, XFS_MODE_REG, v.n->sb.sb_blocksize + 1);
		unlink_it(&v);
		cr_assert_eq(inode_inactivate(v.ip), 0, "%s",
			     v.n->said.text);
		cr_assert_eq(v.ip->di.di_nblocks, 2);
		cr_assert_eq(v.ip->di.di_size, v.n->sb.sb_blocksize + 1);
		cr_assert_eq(v.ip->di.di_mode, XFS_MODE_REG | 0600);
		inode_put(v.ip);
		newfs_free(v.n);
	}
}

Test(inode_inactivate, what_was_set_aside_on_purpose_stays)
{
	const struct newfs_options o = { .finobt = true };
	struct victim v = victim_new(&o);

	give_extents(&v, XFS_DATA_FORK, 3, 2);
	link_it(&v);
	v.ip->di.di_flags |= XFS_DIFLAG_PREALLOC;
	set(&v, XFS_MODE_REG, 1);
	cr_assert_eq(inode_inactivate(v.ip), 0);
	cr_assert_eq(v.ip->di.di_nblocks, 6);
	inode_put(v.ip);
	newfs_free(v.n);
}

/* --- damage: found before anything is changed --- */

static void refuses(struct victim *v, int rc, const char *text)
{
	struct xfs_dinode di = v->ip->di;

	unlink_it(v);
	cr_assert_eq(inode_inactivate(v->ip), rc);
	assert_said(&v->n->said, text);
	cr_assert_eq(memcmp(&di, &v->ip->di, sizeof(di)), 0);
	newfs_settle(v->n);
	inode_put(v->ip);
	newfs_free(v->n);
}

static struct victim damaged(void (*spoil)(struct xfs_bmbt_rec *rec))
{
	const struct newfs_options o = { .finobt = true };
	struct victim v = victim_new(&o);
	struct xfs_bmbt_rec rec;
	struct trans *t;
	uint8_t *raw;

	give_extents(&v, XFS_DATA_FORK, 4, 2);
	raw = inode_fork(v.ip, XFS_DATA_FORK, NULL) + 2 * xfs_bmbt_rec_size;
	xfs_bmbt_rec_decode(&rec, raw, xfs_bmbt_rec_size, XFS_BE);
	spoil(&rec);
	t = begin(v.ip, 0);
	xfs_bmbt_rec_encode(raw, &rec, 0, XFS_BE);
	inode_log(t, v.ip, XFS_ILOG_CORE | XFS_ILOG_DEXT);
	end(v.n, v.ip, t);
	return v;
}

static void spoil_block(struct xfs_bmbt_rec *rec)
{
	rec->br_startblock = 1u << 30;
}

static void spoil_header(struct xfs_bmbt_rec *rec)
{
	rec->br_startblock = 0;
}

static void spoil_end(struct xfs_bmbt_rec *rec)
{
	rec->br_blockcount = 8000;
}

static void spoil_order(struct xfs_bmbt_rec *rec)
{
	rec->br_startoff = 1;
}

static void spoil_length(struct xfs_bmbt_rec *rec)
{
	rec->br_blockcount = 1;
}

static void spoil_nothing(struct xfs_bmbt_rec *rec)
{
	rec->br_blockcount = 0;
}

Test(inode_inactivate, damaged_extents_are_refused)
{
	static const struct {
		void (*spoil)(struct xfs_bmbt_rec *rec);
		const char *text;
	} cases[] = {
		{ spoil_block, "outside the space of files" },
		{ spoil_header, "outside the space of files" },
		{ spoil_end, "outside the space of files" },
		{ spoil_order, "overlaps" },
		{ spoil_length, "has 7 blocks, but counts 8" },
		{ spoil_nothing, "is no part of a file" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct victim v = damaged(cases[i].spoil);

		refuses(&v, -EUCLEAN, cases[i].text);
	}
}

Test(inode_inactivate, realtime_files_are_refused)
{
	const struct newfs_options o = { .finobt = true };
	struct victim v = victim_new(&o);

	give_extents(&v, XFS_DATA_FORK, 4, 2);
	v.ip->di.di_flags |= XFS_DIFLAG_REALTIME;
	refuses(&v, -EOPNOTSUPP, "realtime");
}

Test(inode_inactivate, what_is_free_is_refused)
{
	const struct newfs_options o = { .finobt = true };
	struct victim v = victim_new(&o);

	v.ip->di.di_mode = 0;
	refuses(&v, -EUCLEAN, "is free");
}

Test(inode_inactivate, links_of_impossible_length_are_refused)
{
	static const uint64_t sizes[] = { 0, 1025, (uint64_t)1 << 40 };
	const struct newfs_options o = { .finobt = true };

	for (unsigned int i = 0; i < 3; i++) {
		struct victim v = victim_new(&o);

		give_extents(&v, XFS_DATA_FORK, 1, 200);
		set(&v, XFS_MODE_LNK, sizes[i]);
		refuses(&v, -EUCLEAN, "impossible length");
	}
}

/* It has more blocks than its target needs: they go all the same. */
Test(inode_inactivate, links_with_many_blocks)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		give_extents(&v, XFS_DATA_FORK, 2, 200);
		set(&v, XFS_MODE_LNK, 1024);
		inactivate(&v);
	}
}

/* --- many extents --- */

static void many(const struct newfs_options *o, unsigned int extents)
{
	struct victim v = victim_new(o);

	give_extents(&v, XFS_DATA_FORK, extents, 1);
	set(&v, XFS_MODE_REG, 1000);
	cr_assert_eq(inode_nextents(v.ip, XFS_DATA_FORK), extents);
	inactivate(&v);
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
