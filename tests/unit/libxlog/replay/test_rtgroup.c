/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of realtime groups, and what is read from them: CoW extents in their
 * btrees of reference counts. Three groups of 100 blocks, the last of 50.
 */
#include "libxfsfmt/dir.h"
#include "libxlog/replay/fsread.h"
#include "libxlog/replay/remain.h"
#include "tests/lib/minifs.h"

enum { ROOT = 600, DIR = 601, FIRST = 640 };

static struct minireplay *m;
static struct told told;
static char got[256];

/* A directory in the inode with what @list says: "name=5 other=6". */
static void directory(uint64_t ino, const char *list)
{
	uint8_t *p = fs_inode(m, ino, 0040755) + 176, *start = p;

	minifs_raw[5] = XFS_DINODE_FMT_LOCAL;
	put_be32(p + 2, ROOT);
	p += 6;
	while (*list) {
		const char *eq = strchr(list, '=');
		size_t len = (size_t)(eq - list);
		char *end;

		*p++ = (uint8_t)len;
		put_be16(p, (uint16_t)(0x60 + 0x18 * *start));
		memcpy(p + 2, list, len);
		p[2 + len] = XFS_DIR_FT_REG_FILE;
		put_be32(p + 3 + len, (uint32_t)strtoul(eq + 1, &end, 10));
		p += 7 + len;
		++*start;
		list = end + strspn(end, " ");
	}
	put_be64(minifs_raw + 56, (uint64_t)(p - start));
	fs_put_inode(m, ino);
}

/* A metadata file of group @rgno. */
static void file(uint64_t ino, enum xfs_metatype type, uint32_t rgno)
{
	uint8_t *p = fs_inode(m, ino, 0100000);

	put_be16(p + 6, (uint16_t)type);
	put_be16(p + 20, (uint16_t)rgno);
	put_be64(p + 120, XFS_DIFLAG2_METADATA);
	if (type == XFS_METAFILE_RTREFCOUNT)
		p[5] = XFS_DINODE_FMT_META_BTREE;
}

static void setup(void)
{
	m = mini_new(true, 12);
	m->r.geom.metadir = m->r.geom.reflink = m->r.geom.ftype = true;
	m->r.geom.rblocks = 250;
	m->r.geom.rgblocks = 100;
	m->r.geom.rgcount = 3;
	m->r.sb.sb_metadirino = ROOT;
	fs_groups(m);
	for (uint32_t ag = 0; ag < MINI_GROUPS; ag++) {
		uint64_t daddr = xfs_agb_to_daddr(&m->r.geom, ag, 11);

		fs_tree_block(m, XFS_BTREE_REFC, ag, daddr, 0, 0);
		fs_put_tree_block(m, XFS_BTREE_REFC, daddr);
	}
	directory(ROOT, "quota=5 rtgroups=601");
	directory(DIR, "2.refcount=642 0.bitmap=7 0.refcount=640 10.x=8 "
		       "1.refcount=641 refcount=9 .refcount=9");
	for (uint32_t i = 0; i < 3; i++) {
		file(FIRST + i, XFS_METAFILE_RTREFCOUNT, i);
		fs_put_inode(m, FIRST + i);
	}
	fs_listen(m, &told);
}

static void teardown(void)
{
	mini_free(m);
}

static int note(struct replay *r, void *ctx, uint32_t rgno,
		const struct fsinode *in)
{
	size_t used = strlen(got);

	(void)r;
	snprintf(got + used, sizeof(got) - used, "%u:%u ", rgno,
		 (unsigned int)in->ino);
	return ctx && rgno ? 7 : 0;
}

static int each(void *ctx)
{
	got[0] = 0;
	return rtgroup_each(&m->r, "refcount", XFS_METAFILE_RTREFCOUNT, note,
			    ctx);
}

static void refuses(const char *why)
{
	cr_expect_eq(each(NULL), -EUCLEAN);
	assert_said(&m->said, why);
}

TestSuite(rtgroup_each, .init = setup, .fini = teardown);
TestSuite(remain_cow, .init = setup, .fini = teardown);

Test(rtgroup_each, in_order_of_groups)
{
	cr_assert_eq(each(NULL), 0, "%s", m->said.text);
	cr_expect_str_eq(got, "0:640 1:641 2:642 ");
	cr_expect_eq(each(m), 7);
	cr_expect_str_eq(got, "0:640 1:641 ");
}

Test(rtgroup_each, no_directory)
{
	directory(ROOT, "quota=5 rtgroup=601");
	refuses("files \"refcount\" of realtime groups: there is no directory of them");
}

Test(rtgroup_each, one_is_missing)
{
	directory(DIR, "0.refcount=640 2.refcount=642");
	refuses("not one for each group");
	directory(DIR, "0.refcount=640 2.refcount=642 3.refcount=641");
	refuses("not one for each group");
	directory(DIR, "0.refcount=640 2.refcount=642 0.refcount=641");
	refuses("not one for each group");
	directory(DIR, "0.refcount=640 2.refcount=642 42949672970.refcount=641");
	refuses("not one for each group");
}

Test(rtgroup_each, inode_of_something_else)
{
	file(641, XFS_METAFILE_RTREFCOUNT, 2);
	fs_put_inode(m, 641);
	refuses("an inode that is none");
	file(641, XFS_METAFILE_RTRMAP, 1);
	minifs_raw[5] = XFS_DINODE_FMT_META_BTREE;
	fs_put_inode(m, 641);
	refuses("an inode that is none");
	fs_inode(m, 641, 0100000);
	fs_put_inode(m, 641);
	refuses("an inode that is none");
}

Test(rtgroup_blocks, the_last_is_smaller)
{
	struct xfs_geom g = { .rblocks = 250, .rgblocks = 100, .rgcount = 3 };

	cr_expect_eq(rtgroup_blocks(&g, 0), 100);
	cr_expect_eq(rtgroup_blocks(&g, 1), 100);
	cr_expect_eq(rtgroup_blocks(&g, 2), 50);
	cr_expect_eq(rtgroup_blocks(&g, 3), 0);
}

/* Records in the inode itself, and in a leaf at block 30. */
static void trees(void)
{
	size_t room = xfs_bmdr_room(XFS_BTREE_RTREFC, false, 512 - 176);
	uint8_t *p;

	file(642, XFS_METAFILE_RTREFCOUNT, 2);
	p = minifs_raw + 176;
	put_be16(p + 2, 2);
	fs_refcount(p + 4, 0, false, 1, 2, 3);
	fs_refcount(p + 4, 1, true, 49, 1, 1);
	fs_put_inode(m, 642);
	file(640, XFS_METAFILE_RTREFCOUNT, 0);
	p = minifs_raw + 176;
	put_be16(p, 1);
	put_be16(p + 2, 1);
	put_be32(p + 4, 0x80000000 | 7);
	put_be64(p + 4 + room * 4, 30);
	fs_put_inode(m, 640);
	p = fs_tree_block(m, XFS_BTREE_RTREFC, 640, 30 * 8, 0, 1);
	fs_refcount(p, 0, true, 7, 93, 1);
	fs_put_tree_block(m, XFS_BTREE_RTREFC, 30 * 8);
}

Test(remain_cow, of_realtime_groups)
{
	trees();
	cr_assert_eq(remain_cow(&m->r), 0, "%s", m->said.text);
	cr_expect_eq(m->res.cow_extents, 2);
	cr_expect_str_eq(told.text, "rtg0/7+93: set aside for copy on write\n"
			 "rtg2/49+1: set aside for copy on write\n");
	cr_expect(told.last.realtime);
	cr_expect_eq(told.last.ag, 2);
	cr_expect_eq(told.last.agbno, 49);
}

Test(remain_cow, without_realtime_blocks)
{
	m->r.geom.rblocks = 0;
	m->r.sb.sb_metadirino = 0;
	cr_expect_eq(remain_cow(&m->r), 0);
}

Test(remain_cow, behind_a_realtime_group)
{
	trees();
	m->r.geom.rblocks = 249;
	cr_expect_eq(remain_cow(&m->r), -EUCLEAN);
	assert_said(&m->said, "CoW extents of realtime group 2: behind the end of the group");
}

Test(remain_cow, realtime_leaf_of_another_inode)
{
	trees();
	fs_read(m, 30 * 8, 4096);
	put_be64(minifs_raw + XFS_BTREE_LONG_OWNER_OFF, 641);
	fs_put_tree_block(m, XFS_BTREE_RTREFC, 30 * 8);
	cr_expect_eq(remain_cow(&m->r), -EUCLEAN);
	assert_said(&m->said, "rtrefcountbt of inode 640: block of another inode");
}
