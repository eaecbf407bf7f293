/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space set aside for copy on write, in btrees of reference counts with one
 * and two levels. The tree of each group has its root at block 11.
 */
#include "libxlog/replay/remain.h"
#include "tests/lib/minifs.h"

enum { ROOT = 11 };

static struct minireplay *m;
static struct told told;

static uint64_t daddr_of(uint32_t ag, uint32_t agbno)
{
	return xfs_agb_to_daddr(&m->r.geom, ag, agbno);
}

static uint8_t *block(uint32_t ag, uint32_t agbno, unsigned int level,
		      unsigned int numrecs)
{
	return fs_tree_block(m, XFS_BTREE_REFC, ag, daddr_of(ag, agbno), level,
			     numrecs);
}

static void put(uint32_t ag, uint32_t agbno)
{
	fs_put_tree_block(m, XFS_BTREE_REFC, daddr_of(ag, agbno));
}

static void setup(void)
{
	m = mini_new(true, 12);
	m->r.geom.reflink = true;
	fs_groups(m);
	for (uint32_t ag = 0; ag < MINI_GROUPS; ag++) {
		block(ag, ROOT, 0, 0);
		put(ag, ROOT);
	}
	fs_listen(m, &told);
}

static void teardown(void)
{
	mini_free(m);
}

static void refuses(const char *why)
{
	cr_expect_eq(remain_cow(&m->r), -EUCLEAN);
	assert_said(&m->said, why);
	cr_expect(m->res.refused[0]);
}

/*
 * Group 1 gets a root with three leaves at blocks 20, 21, 22: shared space,
 * shared and CoW, CoW.
 */
static void two_levels(void)
{
	uint8_t *p = block(1, ROOT, 1, 3);

	put_be32(p, 5);
	put_be32(p + 4, 300);
	put_be32(p + 8, 0x80000000 | 100);
	for (unsigned int i = 0; i < 3; i++)
		fs_tree_ptr(m, XFS_BTREE_REFC, i, 20 + i);
	put(1, ROOT);
	p = block(1, 20, 0, 2);
	fs_refcount(p, 0, false, 5, 1, 2);
	fs_refcount(p, 1, false, 9, 10, 3);
	put(1, 20);
	p = block(1, 21, 0, 2);
	fs_refcount(p, 0, false, 300, 1, 2);
	fs_refcount(p, 1, true, 50, 2, 1);
	put(1, 21);
	p = block(1, 22, 0, 2);
	fs_refcount(p, 0, true, 100, 4, 1);
	fs_refcount(p, 1, true, 1000, 24, 1);
	put(1, 22);
	fs_agf_at(m, 1, "agf_refcount_level", 2);
}

TestSuite(remain_cow, .init = setup, .fini = teardown);

Test(remain_cow, none)
{
	cr_assert_eq(remain_cow(&m->r), 0);
	cr_expect_eq(m->res.cow_extents, 0);
	assert_silent(&m->said);
}

Test(remain_cow, without_reflink_nothing_is_read)
{
	m->r.geom.reflink = false;
	fs_agf_at(m, 0, "agf_seqno", 7);
	cr_assert_eq(remain_cow(&m->r), 0);
}

Test(remain_cow, shared_space_is_none)
{
	uint8_t *p = block(2, ROOT, 0, 3);

	fs_refcount(p, 0, false, 40, 3, 2);
	fs_refcount(p, 1, false, 44, 1, 9);
	fs_refcount(p, 2, true, 40, 3, 1);
	put(2, ROOT);
	cr_assert_eq(remain_cow(&m->r), 0);
	cr_expect_eq(m->res.cow_extents, 1);
	cr_expect_str_eq(told.text, "ag2/40+3: set aside for copy on write\n");
	cr_expect_eq(told.last.kind, XLOG_REMAINDER_COW);
	cr_expect_eq(told.last.ag, 2);
	cr_expect_eq(told.last.agbno, 40);
	cr_expect_eq(told.last.blocks, 3);
	cr_expect_not(told.last.realtime);
}

Test(remain_cow, two_levels)
{
	two_levels();
	cr_assert_eq(remain_cow(&m->r), 0);
	assert_silent(&m->said);
	cr_expect_eq(m->res.cow_extents, 3);
	cr_expect_str_eq(told.text,
			 "ag1/50+2: set aside for copy on write\n"
			 "ag1/100+4: set aside for copy on write\n"
			 "ag1/1000+24: set aside for copy on write\n");
}

/* The first leaf holds no such key, and is not even read. */
Test(remain_cow, only_where_they_can_be)
{
	two_levels();
	memset(minifs_raw, 0, 4096);
	mini_write(m, daddr_of(1, 20), minifs_raw, 4096);
	cr_assert_eq(remain_cow(&m->r), 0);
	cr_expect_eq(m->res.cow_extents, 3);
	mini_write(m, daddr_of(1, 21), minifs_raw, 4096);
	refuses("refcountbt of group 1: bad magic number of a btree block");
}

Test(remain_cow, last_block_of_the_group)
{
	uint8_t *p = block(0, ROOT, 0, 1);

	fs_refcount(p, 0, true, 1023, 1, 1);
	put(0, ROOT);
	cr_assert_eq(remain_cow(&m->r), 0);
	fs_refcount(p, 0, true, 1023, 2, 1);
	put(0, ROOT);
	refuses("CoW extents of group 0: behind the end of the group");
	fs_refcount(p, 0, true, 1000, 0, 1);
	put(0, ROOT);
	refuses("behind the end");
	fs_refcount(p, 0, true, 1000, UINT32_MAX, 1);
	put(0, ROOT);
	refuses("behind the end");
}

Test(remain_cow, overlap)
{
	uint8_t *p = block(0, ROOT, 0, 2);

	fs_refcount(p, 0, true, 100, 10, 1);
	fs_refcount(p, 1, true, 109, 1, 1);
	put(0, ROOT);
	refuses("one overlaps another");
}

Test(remain_cow, shared)
{
	fs_refcount(block(0, ROOT, 0, 1), 0, true, 100, 10, 2);
	put(0, ROOT);
	refuses("referred to more than once");
}

Test(remain_cow, records_out_of_order)
{
	uint8_t *p = block(0, ROOT, 0, 2);

	fs_refcount(p, 0, true, 100, 10, 1);
	fs_refcount(p, 1, true, 50, 1, 1);
	put(0, ROOT);
	refuses("refcountbt of group 0: records out of order");
}

/* What a parent says its child holds, it does hold. */
Test(remain_cow, record_outside_its_keys)
{
	uint8_t *p;

	two_levels();
	p = block(1, 21, 0, 1);
	fs_refcount(p, 0, true, 100, 1, 1);
	put(1, 21);
	refuses("records out of order");
	fs_refcount(p, 0, false, 299, 1, 1);
	put(1, 21);
	refuses("records out of order");
}

Test(remain_cow, keys_out_of_order)
{
	uint8_t *p;

	two_levels();
	p = block(1, ROOT, 1, 2);
	put_be32(p, 0x80000000);
	put_be32(p + 4, 7);
	fs_tree_ptr(m, XFS_BTREE_REFC, 0, 21);
	fs_tree_ptr(m, XFS_BTREE_REFC, 1, 22);
	put(1, ROOT);
	refuses("keys out of order");
}

/* A child that is its own parent, or twice the same: there is no circle. */
Test(remain_cow, circles)
{
	two_levels();
	fs_read(m, daddr_of(1, ROOT), 4096);
	fs_tree_ptr(m, XFS_BTREE_REFC, 2, ROOT);
	put(1, ROOT);
	refuses("block of another level");
	fs_tree_ptr(m, XFS_BTREE_REFC, 1, 22);
	fs_tree_ptr(m, XFS_BTREE_REFC, 2, 22);
	put(1, ROOT);
	refuses("records out of order");
	block(1, 22, 0, 0);
	put(1, 22);
	refuses("empty block");
}

Test(remain_cow, pointers)
{
	two_levels();
	fs_read(m, daddr_of(1, ROOT), 4096);
	fs_tree_ptr(m, XFS_BTREE_REFC, 2, 1024);
	put(1, ROOT);
	refuses("pointer out of range");
	fs_tree_ptr(m, XFS_BTREE_REFC, 2, 0);
	put(1, ROOT);
	refuses("pointer out of range");
}

Test(remain_cow, levels)
{
	fs_agf_at(m, 0, "agf_refcount_level", 2);
	refuses("block of another level");
	fs_agf_at(m, 0, "agf_refcount_level", 13);
	refuses("number of levels out of range");
	fs_agf_at(m, 0, "agf_refcount_level", 0);
	refuses("AGF of group 0: root of a tree out of range");
}

Test(remain_cow, of_another_group)
{
	fs_tree_block(m, XFS_BTREE_REFC, 1, daddr_of(0, ROOT), 0, 0);
	put(0, ROOT);
	refuses("btree block of another allocation group");
}

Test(remain_cow, checksum)
{
	fs_read(m, daddr_of(3, ROOT), 4096);
	minifs_raw[4095]++;
	mini_write(m, daddr_of(3, ROOT), minifs_raw, 4096);
	refuses("refcountbt of group 3: wrong checksum of a btree block");
}
