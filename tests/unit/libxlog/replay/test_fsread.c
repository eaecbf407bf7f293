/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes and the extents of files, as a list and as a btree.
 */
#include "libxlog/replay/fsread.h"
#include "tests/lib/minifs.h"

enum { INO = 600 };

static struct minireplay *m;
static struct fsinode in;
static char got[1024];

static void setup(void)
{
	m = mini_new(true, 12);
}

static void teardown(void)
{
	mini_free(m);
}

static int note(void *ctx, const struct xfs_bmbt_rec *e)
{
	size_t used = strlen(got);

	snprintf(got + used, sizeof(got) - used, "%u:%u+%u ",
		 (unsigned int)e->br_startoff, (unsigned int)e->br_startblock,
		 (unsigned int)e->br_blockcount);
	return ctx && used ? 7 : 0;
}

static void refuses_extents(const char *why)
{
	got[0] = 0;
	cr_assert_eq(fsread_inode(&m->r, INO, &in), 0);
	cr_expect_eq(fsread_extents(&m->r, &in, note, NULL), -EUCLEAN);
	assert_said(&m->said, why);
}

TestSuite(fsread_inode, .init = setup, .fini = teardown);
TestSuite(fsread_extents, .init = setup, .fini = teardown);

Test(fsread_inode, each_slot_of_a_block)
{
	for (uint64_t ino = 800; ino < 808; ino++) {
		fs_inode(m, ino, 0100600);
		put_be64(minifs_raw + 56, ino * 2);
		fs_put_inode(m, ino);
	}
	for (uint64_t ino = 800; ino < 808; ino++) {
		cr_assert_eq(fsread_inode(&m->r, ino, &in), 0);
		cr_expect_eq(in.ino, ino);
		cr_expect_eq(in.di.di_size, ino * 2);
		cr_expect_eq(get_be64(in.raw + 152), ino);
	}
}

/* Reads are whole sectors, of which an inode may be a part. */
Test(fsread_inode, large_sectors)
{
	m->r.geom.sectlog = 12;
	m->r.geom.sectsize = 4096;
	fs_inode(m, 803, 0100600);
	fs_put_inode(m, 803);
	cr_assert_eq(fsread_inode(&m->r, 803, &in), 0);
	cr_expect_eq(in.di.di_ino, 803);
}

Test(fsread_inode, large_inodes)
{
	m->r.geom.inodelog = 11;
	m->r.geom.inodesize = 2048;
	m->r.geom.inopblog = 1;
	m->r.geom.inopblock = 2;
	for (uint64_t ino = 800; ino < 802; ino++) {
		fs_inode(m, ino, 0100600);
		fs_put_inode(m, ino);
		cr_assert_eq(fsread_inode(&m->r, ino, &in), 0);
		cr_expect_eq(in.di.di_ino, ino);
	}
}

Test(fsread_inode, numbers_that_cannot_be)
{
	cr_expect_eq(fsread_inode(&m->r, 0, &in), -EUCLEAN);
	assert_said(&m->said, "inode 0: no such number in this filesystem");
	cr_expect_eq(fsread_inode(&m->r, (uint64_t)MINI_GROUPS << 13, &in),
		     -EUCLEAN);
	assert_said(&m->said, "no such number");
	cr_expect_eq(fsread_inode(&m->r, UINT64_MAX, &in), -EUCLEAN);
	assert_said(&m->said, "no such number");
}

Test(fsread_extents, list)
{
	fs_inode(m, INO, 0100600);
	fs_extent(m, 0, 0, 500, 3);
	fs_extent(m, 1, 3, 20, 1);
	fs_extent(m, 2, 1000, 4095, 1);
	fs_put_inode(m, INO);
	cr_assert_eq(fsread_inode(&m->r, INO, &in), 0);
	cr_assert_eq(fsread_extents(&m->r, &in, note, NULL), 0);
	cr_expect_str_eq(got, "0:500+3 3:20+1 1000:4095+1 ");
	got[0] = 0;
	cr_expect_eq(fsread_extents(&m->r, &in, note, m), 7);
	cr_expect_str_eq(got, "0:500+3 3:20+1 ");
}

Test(fsread_extents, bad_lists)
{
	fs_inode(m, INO, 0100600);
	fs_extent(m, 0, 5, 500, 3);
	fs_extent(m, 1, 7, 20, 1);
	fs_put_inode(m, INO);
	refuses_extents("inode 600: extents out of order");
	fs_extent(m, 1, 8, 4096, 1);
	fs_put_inode(m, INO);
	refuses_extents("inode 600: bad extent");
	fs_extent(m, 1, 8, 1023, 2);
	fs_put_inode(m, INO);
	refuses_extents("bad extent");
	fs_extent(m, 1, 8, 1000, 0);
	fs_put_inode(m, INO);
	refuses_extents("bad extent");
	fs_extent(m, 1, 8, 1000, 1);
	minifs_raw[192] |= 0x80;
	fs_put_inode(m, INO);
	refuses_extents("bad extent");
}

Test(fsread_extents, neither_list_nor_tree)
{
	fs_inode(m, INO, 0040755);
	minifs_raw[5] = XFS_DINODE_FMT_LOCAL;
	put_be64(minifs_raw + 56, 6);
	fs_put_inode(m, INO);
	refuses_extents("a metadata file without extents");
}

/* A root in the inode with two leaves, at blocks 30 and 31. */
static void btree(uint64_t owner)
{
	size_t room = xfs_bmdr_room(XFS_BTREE_BMAP, false, 512 - 176);
	uint8_t *p = fs_inode(m, INO, 0100600) + 176;

	minifs_raw[5] = XFS_DINODE_FMT_BTREE;
	put_be32(minifs_raw + 76, 40);
	put_be64(minifs_raw + 64, 100);
	put_be16(p, 1);
	put_be16(p + 2, 2);
	put_be64(p + 4, 0);
	put_be64(p + 12, 100);
	put_be64(p + 4 + room * 8, 30);
	put_be64(p + 12 + room * 8, 31);
	fs_put_inode(m, INO);
	for (unsigned int leaf = 0; leaf < 2; leaf++) {
		uint64_t daddr = (30 + leaf) * 8;

		p = fs_tree_block(m, XFS_BTREE_BMAP, owner, daddr, 0, 2);
		for (unsigned int i = 0; i < 2; i++, p += 16) {
			fs_set(p, xfs_bmbt_rec_fields, "br_startoff",
			       100 * leaf + 10 * i);
			fs_set(p, xfs_bmbt_rec_fields, "br_startblock",
			       200 + 10 * leaf + i);
			fs_set(p, xfs_bmbt_rec_fields, "br_blockcount", 2);
		}
		fs_put_tree_block(m, XFS_BTREE_BMAP, daddr);
	}
}

Test(fsread_extents, tree)
{
	btree(INO);
	cr_assert_eq(fsread_inode(&m->r, INO, &in), 0);
	cr_assert_eq(fsread_extents(&m->r, &in, note, NULL), 0);
	cr_expect_str_eq(got, "0:200+2 10:201+2 100:210+2 110:211+2 ");
}

Test(fsread_extents, tree_of_another_inode)
{
	btree(INO + 1);
	refuses_extents("bmbt of inode 600: block of another inode");
}

Test(fsread_extents, bad_root)
{
	btree(INO);
	cr_assert_eq(fsread_inode(&m->r, INO, &in), 0);
	put_be16(in.raw + 176, 0);
	cr_expect_eq(fsread_extents(&m->r, &in, note, NULL), -EUCLEAN);
	assert_said(&m->said, "bmbt of inode 600: root of an extent btree without levels");
	put_be16(in.raw + 176, 1);
	put_be16(in.raw + 178, 99);
	cr_expect_eq(fsread_extents(&m->r, &in, note, NULL), -EUCLEAN);
	assert_said(&m->said, "more records than it has room for");
	put_be16(in.raw + 178, 2);
	put_be64(in.raw + 180 + 8 *
		 xfs_bmdr_room(XFS_BTREE_BMAP, false, 512 - 176), 1u << 20);
	cr_expect_eq(fsread_extents(&m->r, &in, note, NULL), -EUCLEAN);
	assert_said(&m->said, "pointer out of range");
}
