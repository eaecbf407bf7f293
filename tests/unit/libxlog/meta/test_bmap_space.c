/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space for files: where it is taken, what becomes of a map when there is none,
 * and counters that are full.
 */
#include "libxlog/meta/bmap.h"
#include "libxlog/trans/counters.h"
#include "tests/lib/newfs.h"

static struct newfs *n;
static struct inode *ip;

static void setup(const struct newfs_options *o)
{
	n = newfs_new(o);
	cr_assert_eq(inode_iget(&n->fs, newfs_ino(n, 0, 3), 0, &ip), 0, "%s",
		     n->said.text);
}

static void teardown(void)
{
	inode_put(ip);
	newfs_free(n);
}

static struct trans *begin(uint32_t blocks)
{
	struct trans *t;

	cr_assert_eq(trans_alloc_blocks(&n->fs, XFS_TR_ITRUNCATE, blocks, true,
					&t), 0);
	inode_join(t, ip);
	inode_hold(t, ip);
	return t;
}

static void end(struct trans *t)
{
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", n->said.text);
	inode_unlock(ip);
}

static struct xfs_bmbt_rec write_at(uint64_t off, uint32_t len)
{
	struct trans *t = begin(len + 10);
	struct xfs_bmbt_rec rec;

	cr_assert_eq(bmap_write(t, ip, XFS_DATA_FORK, off, len, 0, len, &rec),
		     0, "%s", n->said.text);
	end(t);
	return rec;
}

static const struct newfs_options small = {
	.finobt = true, .agcount = 2, .agblocks = 600,
};

/* --- where --- */

Test(bmap_write, goes_on_where_the_file_ends)
{
	struct xfs_bmbt_rec a, b, c;

	setup(&small);
	/* more than there is room for in front of the inodes */
	a = write_at(0, 50);
	cr_assert_eq(a.br_blockcount, 50);
	cr_assert_eq(xfs_fsb_agno(&n->fs.geom, a.br_startblock), 0);
	b = write_at(50, 3);
	cr_assert_eq(b.br_startblock, a.br_startblock + 50);
	cr_assert_eq(inode_nextents(ip, XFS_DATA_FORK), 1);
	/* with a hole as large as in the file */
	c = write_at(70, 3);
	cr_assert_eq(c.br_startblock, a.br_startblock + 70);
	/* the hole is filled up to what follows */
	c = write_at(53, 100);
	cr_assert_eq(c.br_startblock, a.br_startblock + 53);
	cr_assert_eq(c.br_blockcount, 17);
	cr_assert_eq(inode_nextents(ip, XFS_DATA_FORK), 1);
	cr_assert_eq(ip->di.di_nblocks, 73);
	teardown();
}

Test(bmap_write, lies_in_front_of_what_follows)
{
	struct xfs_bmbt_rec a, b;

	setup(&small);
	a = write_at(50, 5);
	b = write_at(40, 10);
	/* there, or as close as there is room */
	cr_assert_eq(xfs_fsb_agno(&n->fs.geom, b.br_startblock),
		     xfs_fsb_agno(&n->fs.geom, a.br_startblock));
	cr_assert_eq(b.br_blockcount, 10);
	teardown();
}

Test(bmap_write, what_is_mapped_is_not_mapped_again)
{
	struct xfs_bmbt_rec rec;
	struct trans *t;

	setup(&small);
	(void)write_at(3, 5);
	t = begin(10);
	cr_assert_eq(bmap_write(t, ip, XFS_DATA_FORK, 7, 1, 0, 1, &rec),
		     -EUCLEAN);
	assert_said(&n->said, "mapped already");
	cr_assert_eq(bmap_write(t, ip, XFS_DATA_FORK, 0, 4, BMAP_CONTIGUOUS,
				4, &rec), -EUCLEAN);
	assert_said(&n->said, "no hole of 4 blocks");
	cr_assert_not(t->dirty);
	end(t);
	teardown();
}

/* --- when there is none --- */

Test(bmap_write, takes_what_there_is_in_pieces)
{
	uint64_t off = 0;
	struct xfs_bmbt_rec rec;
	int rc = 0;

	setup(&small);
	/* more than a group has: pieces of it, until there is no more */
	while (!rc) {
		struct trans *t;

		rc = trans_alloc_blocks(&n->fs, XFS_TR_ITRUNCATE, 20, true,
					&t);
		if (rc)
			break;
		inode_join(t, ip);
		inode_hold(t, ip);
		rc = bmap_write(t, ip, XFS_DATA_FORK, off, 20, 0, 20, &rec);
		if (!rc)
			off += rec.br_blockcount;
		if (rc && t->dirty)
			cr_assert_fail("%d %s", rc, n->said.text);
		end(t);
	}
	cr_assert_eq(rc, -ENOSPC);
	cr_assert_gt(off, 1000);
	inode_lock(ip);
	cr_assert_eq(bmap_check(ip), 0);
	inode_unlock(ip);
	teardown();
}

/* A list is full, and there is no block for a tree. */
Test(bmap_map, a_full_list_stays_when_there_is_no_space)
{
	struct xfs_bmbt_rec rec = { .br_blockcount = 1 };
	unsigned int room;
	uint32_t bytes;
	struct trans *t;

	setup(&small);
	(void)inode_fork(ip, XFS_DATA_FORK, &bytes);
	room = bytes / xfs_bmbt_rec_size;
	for (unsigned int i = 0; i <= room; i++) {
		rec.br_startoff = 2 * i;
		rec.br_startblock = 300 + i;
		/* none are set aside */
		t = begin(0);
		cr_assert_eq(bmap_map(t, ip, XFS_DATA_FORK, &rec),
			     i < room ? 0 : -ENOSPC);
		cr_assert_eq(t->dirty, i < room);
		end(t);
	}
	assert_said(&n->said, "no space for its extents");
	cr_assert_eq(inode_nextents(ip, XFS_DATA_FORK), room);
	cr_assert_eq(inode_format(ip, XFS_DATA_FORK), XFS_DINODE_FMT_EXTENTS);
	cr_assert_eq(ip->di.di_nblocks, room);
	inode_lock(ip);
	cr_assert_eq(bmap_check(ip), 0);
	inode_unlock(ip);
	teardown();
}

/* --- damage --- */

Test(bmap_map, only_into_holes)
{
	struct xfs_bmbt_rec rec;
	struct trans *t;

	setup(&small);
	rec = write_at(10, 5);
	t = begin(10);
	for (uint64_t off = 6; off < 15; off++) {
		const struct xfs_bmbt_rec other = {
			.br_startoff = off, .br_startblock = 400,
			.br_blockcount = 5,
		};

		cr_assert_eq(bmap_map(t, ip, XFS_DATA_FORK, &other),
			     -EUCLEAN);
		assert_said(&n->said, "where others are");
	}
	rec.br_startoff = 100;
	rec.br_startblock = 598;
	cr_assert_eq(bmap_map(t, ip, XFS_DATA_FORK, &rec), -EUCLEAN);
	assert_said(&n->said, "outside the space of files");
	cr_assert_not(t->dirty);
	end(t);
	teardown();
}

Test(bmap_unmap, not_more_blocks_than_the_inode_counts)
{
	uint64_t len = 5;
	struct trans *t;

	setup(&small);
	(void)write_at(0, 5);
	ip->di.di_nblocks = 4;
	t = begin(0);
	cr_assert_eq(bmap_unmap(t, ip, XFS_DATA_FORK, 0, &len, 0, 2),
		     -EUCLEAN);
	assert_said(&n->said, "more blocks are mapped than the inode counts");
	cr_assert_not(t->dirty);
	end(t);
	teardown();
}

Test(bmap_unmap, not_more_extents_than_the_inode_counts)
{
	struct trans *t;
	uint64_t len;

	setup(&small);
	for (uint64_t off = 0; off < 60; off += 2)
		(void)write_at(off, 1);
	cr_assert_eq(inode_format(ip, XFS_DATA_FORK), XFS_DINODE_FMT_BTREE);
	inode_set_nextents(ip, XFS_DATA_FORK, 0);
	len = 60;
	t = begin(0);
	cr_assert_eq(bmap_unmap(t, ip, XFS_DATA_FORK, 0, &len, 0, 2),
		     -EUCLEAN);
	assert_said(&n->said, "more extents than it counts");
	cr_assert_not(t->dirty);
	end(t);
	teardown();
}

Test(bmap_find, forks_without_a_map_are_refused)
{
	struct xfs_bmbt_rec rec;
	bool found;

	setup(&small);
	inode_lock(ip);
	ip->di.di_format = XFS_DINODE_FMT_LOCAL;
	cr_assert_eq(bmap_find(NULL, ip, XFS_DATA_FORK, 0, &rec, &found),
		     -EUCLEAN);
	assert_said(&n->said, "has no map of blocks");
	ip->di.di_format = XFS_DINODE_FMT_EXTENTS;
	inode_set_nextents(ip, XFS_DATA_FORK, 1000);
	cr_assert_eq(bmap_find(NULL, ip, XFS_DATA_FORK, 0, &rec, &found),
		     -EUCLEAN);
	assert_said(&n->said, "more extents than it has room for");
	inode_set_nextents(ip, XFS_DATA_FORK, 0);
	cr_assert_eq(bmap_find(NULL, ip, XFS_DATA_FORK, 0, &rec, &found), 0);
	cr_assert_not(found);
	/* an attribute fork that is not there has no extents */
	cr_assert_eq(bmap_find_last(NULL, ip, XFS_ATTR_FORK, BMAP_MAX_OFF,
				    &rec, &found), 0);
	cr_assert_not(found);
	inode_unlock(ip);
	teardown();
}

/* --- counters --- */

static int extend(int fork, uint64_t have, uint64_t more)
{
	struct trans *t = begin(0);
	int rc;

	inode_set_nextents(ip, fork, have);
	rc = bmap_count_extend(t, ip, fork, more);
	inode_set_nextents(ip, fork, 0);
	end(t);
	return rc;
}

Test(bmap_count_extend, small_counters_are_full)
{
	setup(&small);
	cr_assert_eq(extend(XFS_DATA_FORK, INT32_MAX - 1, 1), 0);
	cr_assert_eq(extend(XFS_DATA_FORK, INT32_MAX, 1), -EFBIG);
	assert_said(&n->said, "cannot have more extents");
	cr_assert_eq(extend(XFS_ATTR_FORK, INT16_MAX - 1, 1), 0);
	cr_assert_eq(extend(XFS_ATTR_FORK, INT16_MAX - 1, 2), -EFBIG);
	teardown();
}

Test(bmap_count_extend, small_counters_become_large_ones)
{
	const struct newfs_options o = { .nrext64 = true };
	struct trans *t;

	setup(&o);
	t = begin(0);
	ip->di.di_flags2 &= ~(uint64_t)XFS_DIFLAG2_NREXT64;
	inode_set_nextents(ip, XFS_DATA_FORK, INT32_MAX);
	inode_set_nextents(ip, XFS_ATTR_FORK, 77);
	cr_assert_eq(bmap_count_extend(t, ip, XFS_DATA_FORK, 5), 0);
	cr_assert(ip->di.di_flags2 & XFS_DIFLAG2_NREXT64);
	cr_assert_eq(inode_nextents(ip, XFS_DATA_FORK), INT32_MAX);
	cr_assert_eq(inode_nextents(ip, XFS_ATTR_FORK), 77);
	inode_set_nextents(ip, XFS_DATA_FORK, 0);
	inode_set_nextents(ip, XFS_ATTR_FORK, 0);
	end(t);
	teardown();
}
