/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inode items from logs of kernels; "xfs_logprint -t -i" prints the same
 * values of their formats. The 52-byte format, which no kernel at hand has
 * written, is one of 56 bytes with the padding at offset 12 cut out, as old
 * 32-bit compilers laid the structure out.
 */
#include "libxfsfmt/geom.h"
#include "libxfsfmt/inode.h"
#include "tests/lib/logitem.h"

/* truth-trunc, record 1:258, operation 110: a device node */
static const char dev_le[] =
	"3b12 0200 11000000 0000 0000 00000000 5401010000000000"
	"a4111801 000000000000000000000000 40c1000000000000 20000000 00280000|"
	"4e49a021030000000000000000000000010000000000000000000000000000003e16e96c"
	"9c63b7363e16e96c9c63b7363e16e96c9c63b73600000000000000000000000000000000"
	"0000000000000000000001020000000000000000b6a8ec15ffffffff0000000002000000"
	"000000000000000000000000080000000000000000000000000000000000000000000000"
	"3e16e96c9c63b7365401010000000000d7bb6f95de0344db83fd7a1e87ab1d0f";
/* i386-v5, record 1:130, operation 151: extents and local attributes */
static const char four_le[] =
	"3b12 0400 45000000 6e00 3000 00000000 9100010000000000"
	"00000000000000000000000000000000 80c0000000000000 20000000 00220000|"
	"4e49a48103020000000000000000000001000000000000000000000000000000757602c4"
	"fa62b7367d412bd0fa62b7367d412bd0fa62b73674730300000000001100000000000000"
	"000000000300000000001801000000000000020062902f57ffffffff0000000009000000"
	"000000000000000000000000080000000000000000000000000000000000000000000000"
	"757602c4fa62b73691000100000000002bee5f1a889f46f7b929ee9d1da9b455|"
	"8000000000004e000000000414e000070000000000005c000000000415c00006"
	"80000000000068000000000416800004|"
	"006e01000c5b006174747232325f3130363438646174612d786c77646174612d786c7764"
	"6174612d786c77646174612d786c77646174612d786c77646174612d786c77646174612d"
	"786c77646174612d786c77646174612d786c77646174612d786c77646174612d786c7764"
	"61740000";
/* be612-live-s3, record 1:14, operation 5: a small directory */
static const char dir_be[] =
	"123b 0004 00000043 0015 0010 00000000 0000000000000085"
	"00000000000000000000000000000000 0000000000000080 00000020 00000a00|"
	"494e41ed0301000000000000000000000000000200000000000000000000000036b7626d"
	"aad42d6a36b7626daad42d6a36b7626daad42d6a00000000000000100000000000000000"
	"000000000000000000001801000000000000000057eb9ef3ffffffff0000000000000000"
	"000000040000000000000000000000000000001800000000000000000000000000000000"
	"36b7626daad42d6a00000000000000859e776e8133164b919cffb9f151ca1d79|"
	"01000000008002006075300100000086|"
	"00150100020c08756e000000000000008000000000000000";
/* be612-v4-v1log-quota, record 2:10222, operation 22: attributes only */
static const char attr_be[] =
	"123b 0003 00000041 0004 0000 00000000 00000000000314d9"
	"00000000000000000000000000000000 0000000000018a60 00000010 00001900|"
	"494e81a4020200000000000000000000000000010000000000000000000000016b01403f"
	"3b8433d06b01403f3b8433d06b0140400841a4d000000000000000000000000000000000"
	"000000000000000000000f010000000000000000705c385b|00040000";
/* be612-v4-v1log-quota, record 2:8399, operation 89: root of a btree */
static const char root_be[] =
	"123b 0003 00000009 0000 0028 00000000 0000000000011deb"
	"00000000000000000000000000000000 0000000000008ef0 00000010 00000b00|"
	"494e81a4020300000000000000000000000000010000000000000000000000026b01403a"
	"033fe7d06b01403f0ae107d06b01403f0ae107d0000000000004396e0000000000000019"
	"000000000000000900000f010000000000000000bc708cf9|"
	"424d415000010001ffffffffffffffffffffffffffffffff000000000000000b"
	"00000000000011e7";
/* wrap256k, record 3:4800, operation 223: the same with version 5 headers */
static const char root_le[] =
	"3b12 0300 09000000 0000 5800 00000000 0a47010000000000"
	"00000000000000000000000000000000 0007010000000000 20000000 00140000|"
	"4e49998103030000000000000000000006000000000000000000000000000000942a8cf0"
	"5263b7362ebde3fc5263b7362ebde3fc5263b73615760d00000000009a00000000000000"
	"000000000e0000000200180200000000000002008ed74e2bffffffff00000000e7000000"
	"00000000c0110000030000000a0000000000000000000000000000000000000000000000"
	"942a8cf05263b7360a47010000000000134774ede23b40208a6e3f50cdcfa241|"
	"424d413300010001ffffffffffffffffffffffffffffffffffffffffffffffff"
	"0000000000000000134774ede23b40208a6e3f50cdcfa241000000000001470a"
	"6e00000000000000000000000000000000000000000026d9";
/* n72-rtg-flight-s1, record 1:400, operation 6: a realtime reverse map */
static const char rtrmap_le[] =
	"3b12 0300 09000000 0000 7800 00000000 8300050000000000"
	"00000000000000000000000000000000 8000050000000000 20000000 00060000|"
	"4e49008003050700000000000000000001000000000000000000000000000000004f0220"
	"7062b736004f02207062b736c0ac02207062b73600000000000000000100000000000000"
	"000000000000000000001801000000000000e82064430edaffffffff0000000004000000"
	"000000005b01000001000000380000000000000000000000000000000000000000000000"
	"004f02207062b7368300050000000000d149801d9f12425a9448d004ae6ecf52|"
	"4d41505200010001ffffffffffffffffffffffffffffffffffffffffffffffff"
	"0000000000000000d149801d9f12425a9448d004ae6ecf520000000000050083"
	"000000000000000000000000fffffffffffffffd000000000000000000000109"
	"00000000000000820000000000000009000000000000a021";

/*
 * "xfs_db -c 'sb 0' -c print" of be612-live-s3; of wrap256k, truth-trunc and
 * i386-v5, which are alike; of be612-v4-v1log-quota
 */
static const struct xfs_geom live = {
	.blocklog = 12, .sectlog = 9, .inodelog = 9, .inopblog = 3,
	.agblklog = 14, .blocksize = 4096, .sectsize = 512, .inodesize = 512,
	.inopblock = 8, .agcount = 4, .agblocks = 12288, .dblocks = 49152,
	.v5 = true, .bigtime = true, .nrext64 = true,
};
static const struct xfs_geom v5 = {
	.blocklog = 12, .sectlog = 9, .inodelog = 9, .inopblog = 3,
	.agblklog = 13, .blocksize = 4096, .sectsize = 512, .inodesize = 512,
	.inopblock = 8, .agcount = 4, .agblocks = 6144, .dblocks = 24576,
	.v5 = true, .bigtime = true,
};
static const struct xfs_geom v4 = {
	.blocklog = 12, .sectlog = 9, .inodelog = 8, .inopblog = 4,
	.agblklog = 12, .blocksize = 4096, .sectsize = 512, .inodesize = 256,
	.inopblock = 16, .agcount = 4, .agblocks = 4096, .dblocks = 16384,
};

/* The superblock of n72-rtg-flight-s1, which the xfs_db here does not read. */
static const struct xfs_geom rtg = {
	.blocklog = 12, .sectlog = 9, .inodelog = 9, .inopblog = 3,
	.agblklog = 14, .blocksize = 4096, .sectsize = 512, .inodesize = 512,
	.inopblock = 8, .agcount = 4, .agblocks = 16384, .dblocks = 65536,
	.v5 = true, .bigtime = true, .nrext64 = true, .metadir = true,
};

static struct item *make(enum xfs_order order, const char *hex,
			 const struct xfs_geom *geom)
{
	struct item *it = item_new(order, hex);

	it->v.geom = geom;
	return it;
}

/* --- the format --- */

Test(inode, shows_its_format)
{
	struct item *it = item_new(XFS_LE, dev_le);

	cr_expect_str_eq(item_shown(it), "ilf_type=inode ilf_size=2 "
		"ilf_fields=core|dev ilf_asize=0 ilf_dsize=0 ilf_ino=65876 "
		"ilf_rdev=0x11811a4 ilf_blkno=49472 ilf_len=32 "
		"ilf_boffset=10240");
	item_free(it);
	it = item_new(XFS_BE, dir_be);
	cr_expect_str_eq(item_shown(it), "ilf_type=inode ilf_size=4 "
		"ilf_fields=core|ddata|adata ilf_asize=21 ilf_dsize=16 "
		"ilf_ino=133 ilf_blkno=128 ilf_len=32 ilf_boffset=2560");
	item_free(it);
}

/* @it with the format of old 32-bit writers. */
static void pack(struct item *it)
{
	memmove(it->data[0] + 12, it->data[0] + 16, 40);
	it->regions[0].len_bytes = 52;
}

Test(ilf_decode, gives_one_form_for_both_layouts)
{
	struct xfs_inode_log_format wide, packed;
	struct item *it = item_new(XFS_LE, dev_le);

	xfs_ilf_decode(&wide, it->data[0], 56, XFS_LE);
	cr_expect_eq(wide.ilf_type, XFS_LI_INODE);
	cr_expect_eq(wide.ilf_size, 2);
	cr_expect_eq(wide.ilf_fields, XFS_ILOG_CORE | XFS_ILOG_DEV);
	cr_expect_eq(wide.ilf_ino, 65876);
	cr_expect_eq(wide.ilf_rdev, 0x11811a4);
	cr_expect_eq(wide.ilf_blkno, 49472);
	cr_expect_eq(wide.ilf_len, 32);
	cr_expect_eq(wide.ilf_boffset, 10240);
	pack(it);
	xfs_ilf_decode(&packed, it->data[0], 52, XFS_LE);
	cr_expect_eq(packed.ilf_type, wide.ilf_type);
	cr_expect_eq(packed.ilf_size, wide.ilf_size);
	cr_expect_eq(packed.ilf_fields, wide.ilf_fields);
	cr_expect_eq(packed.ilf_asize, wide.ilf_asize);
	cr_expect_eq(packed.ilf_dsize, wide.ilf_dsize);
	cr_expect_eq(packed.ilf_ino, wide.ilf_ino);
	cr_expect_eq(packed.ilf_rdev, wide.ilf_rdev);
	cr_expect_eq(packed.ilf_blkno, wide.ilf_blkno);
	cr_expect_eq(packed.ilf_len, wide.ilf_len);
	cr_expect_eq(packed.ilf_boffset, wide.ilf_boffset);
	item_free(it);
}

Test(inode, of_the_packed_layout_is_shown_and_judged_alike)
{
	struct item *it = make(XFS_BE, dir_be, &live);

	pack(it);
	cr_expect_str_eq(item_shown(it), "ilf_type=inode ilf_size=4 "
		"ilf_fields=core|ddata|adata ilf_asize=21 ilf_dsize=16 "
		"ilf_ino=133 ilf_blkno=128 ilf_len=32 ilf_boffset=2560");
	cr_expect(item_says(it, NULL));
	cr_expect_str_eq(item_touched(it), "ino=133 ag=0 daddr=133 ag=0");
	item_free(it);
}

/* --- parts --- */

Test(logitem_inode, finds_both_forks)
{
	struct item *it = item_new(XFS_LE, four_le);
	struct xfs_logitem_inode in;

	cr_assert_null(xfs_logitem_inode(&it->v, &in));
	cr_expect_eq(in.core, &it->regions[1]);
	cr_expect_eq(in.dfork, &it->regions[2]);
	cr_expect_eq(in.afork, &it->regions[3]);
	cr_expect_eq(in.dfork_bytes, 48);
	/* two bytes of its region are padding */
	cr_expect_eq(in.afork->len_bytes, 112);
	cr_expect_eq(in.afork_bytes, 110);
	cr_expect_eq(in.ilf.ilf_ino, 0x10091);
	item_free(it);
}

/* Without a data fork the attribute fork comes in its place. */
Test(logitem_inode, finds_an_attribute_fork_alone)
{
	struct item *it = item_new(XFS_BE, attr_be);
	struct xfs_logitem_inode in;

	cr_assert_null(xfs_logitem_inode(&it->v, &in));
	cr_expect_null(in.dfork);
	cr_expect_eq(in.dfork_bytes, 0);
	cr_expect_eq(in.afork, &it->regions[2]);
	cr_expect_eq(in.afork_bytes, 4);
	item_free(it);
}

Test(logitem_inode, finds_none_in_two_regions)
{
	struct item *it = item_new(XFS_LE, dev_le);
	struct xfs_logitem_inode in;

	cr_assert_null(xfs_logitem_inode(&it->v, &in));
	cr_expect_eq(in.core, &it->regions[1]);
	cr_expect_null(in.dfork);
	cr_expect_null(in.afork);
	/* whatever the fields say */
	put_le32(it->data[0] + 4, XFS_ILOG_CORE | XFS_ILOG_DEXT);
	cr_assert_null(xfs_logitem_inode(&it->v, &in));
	cr_expect_null(in.dfork);
	item_free(it);
}

Test(logitem_inode, does_not_believe_fork_lengths)
{
	struct item *it = item_new(XFS_LE, four_le);
	struct xfs_logitem_inode in;

	put_le16(it->data[0] + 8, 0xffff);
	cr_assert_null(xfs_logitem_inode(&it->v, &in));
	cr_expect_eq(in.afork_bytes, 112);
	item_free(it);
}

Test(logitem_inode, wants_the_regions_its_fields_ask_for)
{
	struct item *it = item_new(XFS_LE, four_le);
	struct xfs_logitem_inode in;

	it->v.nregions = 3;
	cr_expect_str_eq(xfs_logitem_inode(&it->v, &in),
			 "attribute fork missing");
	cr_expect_null(in.core);
	it->v.nregions = 1;
	cr_expect_str_eq(xfs_logitem_inode(&it->v, &in), "inode core missing");
	it->v.nregions = 4;
	put_le32(it->data[0] + 4, XFS_ILOG_CORE | XFS_ILOG_DEXT);
	cr_expect_str_eq(xfs_logitem_inode(&it->v, &in),
			 "more regions than forks");
	it->regions[0].len_bytes = 55;
	cr_expect_str_eq(xfs_logitem_inode(&it->v, &in),
			 "length is not that of an inode format");
	item_free(it);
}

/* --- verdicts --- */

Test(inode_verify, accepts_what_kernels_write)
{
	const struct {
		enum xfs_order order;
		const char *hex;
		const struct xfs_geom *geom;
	} items[] = {
		{ XFS_LE, dev_le, &v5 }, { XFS_LE, four_le, &v5 },
		{ XFS_BE, dir_be, &live }, { XFS_BE, attr_be, &v4 },
		{ XFS_BE, root_be, &v4 }, { XFS_LE, root_le, &v5 },
		{ XFS_LE, rtrmap_le, &rtg },
	};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		struct item *it = make(items[i].order, items[i].hex,
				       items[i].geom);

		cr_expect(item_says(it, NULL));
		it->v.geom = NULL;
		cr_expect(item_says(it, NULL));
		item_free(it);
	}
}

Test(inode_verify, wants_the_inode_in_its_place)
{
	struct item *it = make(XFS_BE, dir_be, &live);

	put_be32(it->data[0] + 52, 2560 + 512);
	cr_expect(item_says(it, "inode number is not that of its place"));
	put_be32(it->data[0] + 52, 2560 + 1);
	cr_expect(item_says(it, "inode number is not that of its place"));
	/* a cluster of 32 sectors; the inode is one */
	put_be32(it->data[0] + 52, 31 * 512);
	cr_expect(item_says(it, "inode number is not that of its place"));
	put_be32(it->data[0] + 52, 31 * 512 + 1);
	cr_expect(item_says(it, "inode outside its cluster"));
	put_be32(it->data[0] + 52, UINT32_MAX);
	cr_expect(item_says(it, "inode outside its cluster"));
	put_be32(it->data[0] + 52, 2560);
	put_be32(it->data[0] + 48, 0);
	cr_expect(item_says(it, "inode cluster of an impossible size"));
	put_be32(it->data[0] + 48, 129);
	cr_expect(item_says(it, "inode cluster of an impossible size"));
	put_be32(it->data[0] + 48, 32);
	/* inode 8 is at byte 4096: the cluster would begin before the device */
	put_be64(it->data[0] + 16, 8);
	put_be32(it->data[0] + 52, 31 * 512);
	put_be64(it->data[0] + 40, (UINT64_MAX >> 9) - 22);
	cr_expect(item_says(it, "inode number is not that of its place"));
	put_be64(it->data[0] + 40, UINT64_MAX);
	cr_expect(item_says(it, "inode number is not that of its place"));
	put_be64(it->data[0] + 16, 0x80080);
	cr_expect(item_says(it, "inode number outside the filesystem"));
	item_free(it);
}

Test(inode_verify, wants_a_core_that_fits_the_filesystem)
{
	struct item *it = make(XFS_BE, dir_be, &live);

	put_be16(it->data[1], 0);
	cr_expect(item_says(it, "bad magic number of a logged inode"));
	put_be16(it->data[1], XFS_DINODE_MAGIC);
	it->data[1][4] = 2;
	cr_expect(item_says(it,
		  "version of a logged inode does not fit the filesystem"));
	it->v.geom = NULL;
	cr_expect(item_says(it, "length is not that of an inode core"));
	it->data[1][4] = 3;
	it->regions[1].len_bytes = 175;
	cr_expect(item_says(it, "length is not that of an inode core"));
	it->regions[1].len_bytes = 3;
	cr_expect(item_says(it,
		  "version of a logged inode does not fit the filesystem"));
	item_free(it);
}

Test(inode_verify, wants_a_format_that_fits_the_mode)
{
	struct item *it = make(XFS_BE, dir_be, &live);

	it->data[1][5] = XFS_DINODE_FMT_DEV;
	cr_expect(item_says(it, "bad data fork format of a directory"));
	put_be16(it->data[1] + 2, XFS_MODE_REG | 0644);
	cr_expect(item_says(it, "bad data fork format of a file"));
	it->data[1][5] = XFS_DINODE_FMT_LOCAL;
	cr_expect(item_says(it, "bad data fork format of a file"));
	it->data[1][5] = XFS_DINODE_FMT_META_BTREE;
	cr_expect(item_says(it, "bad data fork format of a file"));
	it->data[1][5] = XFS_DINODE_FMT_EXTENTS;
	cr_expect(item_says(it, NULL));
	item_free(it);
}

Test(inode_verify, wants_no_more_extents_than_blocks)
{
	struct item *it = make(XFS_LE, four_le, &v5);

	/* 3 extents; the blocks are 17 */
	put_le32(it->data[1] + 76, 17);
	cr_expect(item_says(it, NULL));
	put_le16(it->data[1] + 80, 1);
	cr_expect(item_says(it, "more extents than blocks"));
	put_le16(it->data[1] + 80, 0);
	put_le32(it->data[1] + 76, 18);
	cr_expect(item_says(it, "more extents than blocks"));
	item_free(it);
}

Test(inode_verify, wants_extent_counters_of_the_filesystem)
{
	struct item *it = make(XFS_LE, four_le, &v5);

	it->data[1][24] = 1;
	cr_expect(item_says(it, "padding before the times is not zero"));
	it->data[1][24] = 0;
	put_le64(it->data[1] + 120, XFS_DIFLAG2_BIGTIME | XFS_DIFLAG2_NREXT64);
	cr_expect(item_says(it,
		  "large extent counters on a filesystem without"));
	item_free(it);
	it = make(XFS_BE, dir_be, &live);
	put_be16(it->data[1] + 80, 1);
	cr_expect(item_says(it,
		  "padding of large extent counters is not zero"));
	item_free(it);
}

/* di_forkoff 0x18: 192 bytes for data, 144 for attributes */
Test(inode_verify, wants_forks_that_fit)
{
	struct item *it = make(XFS_LE, four_le, &v5);

	it->data[1][82] = 48 / 8;
	cr_expect(item_says(it, NULL));
	it->data[1][82] = 40 / 8;
	cr_expect(item_says(it, "data fork longer than its room"));
	it->data[1][82] = (336 - 112) / 8;
	cr_expect(item_says(it, NULL));
	it->data[1][82] = (336 - 104) / 8;
	cr_expect(item_says(it, "attribute fork longer than its room"));
	it->data[1][82] = 336 / 8;
	cr_expect(item_says(it, "attribute fork begins outside the inode"));
	it->data[1][82] = 255;
	cr_expect(item_says(it, "attribute fork begins outside the inode"));
	it->data[1][82] = 24;
	put_le32(it->data[0] + 4, XFS_ILOG_CORE | XFS_ILOG_DEXT |
		 XFS_ILOG_DDATA | XFS_ILOG_ADATA);
	cr_expect(item_says(it, "fork logged in two forms at once"));
	item_free(it);
}

Test(inode_verify, wants_roots_that_fit)
{
	struct item *it = make(XFS_LE, root_le, &v5);

	/* a key and a pointer, 16 bytes, behind a header of 72 */
	put_be16(it->data[2] + 6, 2);
	cr_expect(item_says(it,
		  "btree root with more records than there are"));
	put_be16(it->data[2] + 6, 0);
	cr_expect(item_says(it, "btree root of an impossible height"));
	put_be16(it->data[2] + 6, 1);
	put_be16(it->data[2] + 4, 0);
	cr_expect(item_says(it, "btree root of an impossible height"));
	put_be16(it->data[2] + 4, 13);
	cr_expect(item_says(it, "btree root of an impossible height"));
	put_be16(it->data[2] + 4, 1);
	put_be32(it->data[2], 0x424d4150);
	cr_expect(item_says(it, "bad magic number of a btree root"));
	it->regions[2].len_bytes = 71;
	cr_expect(item_says(it, "btree root too short"));
	it->regions[2].len_bytes = 88;
	put_be32(it->data[2], 0x424d4133);
	it->data[1][82] = 24 / 8;
	cr_expect(item_says(it, NULL));
	it->data[1][82] = 16 / 8;
	cr_expect(item_says(it, "btree root too large for its fork"));
	/* as a root of the attribute fork, which is not there */
	it->data[1][82] = 0;
	put_le32(it->data[0] + 4, XFS_ILOG_CORE | XFS_ILOG_ABROOT);
	cr_expect(item_says(it, "btree root too large for its fork"));
	item_free(it);
}

/*
 * A node of one pair of keys, 40 bytes, and one pointer; as a leaf it would
 * hold two records of 24.
 */
Test(inode_verify, wants_roots_of_metadata_btrees_that_fit)
{
	struct item *it = make(XFS_LE, rtrmap_le, &rtg);

	put_be16(it->data[2] + 6, 2);
	cr_expect(item_says(it,
		  "btree root with more records than there are"));
	put_be16(it->data[2] + 4, 0);
	cr_expect(item_says(it, NULL));
	put_be16(it->data[2] + 6, 3);
	cr_expect(item_says(it,
		  "btree root with more records than there are"));
	put_be16(it->data[2] + 6, 0);
	cr_expect(item_says(it, NULL));
	put_be16(it->data[2] + 6, 2);
	it->data[1][82] = 48 / 8;
	cr_expect(item_says(it, "btree root too large for its fork"));
	it->data[1][82] = 0x18;
	put_le16(it->data[1] + 6, XFS_METAFILE_RTREFCOUNT);
	cr_expect(item_says(it, "bad magic number of a btree root"));
	item_free(it);
}

/* --- what they touch --- */

/* Inode 0x10091: group 1, block 18, slot 1. */
Test(touches, of_an_inode_are_its_sectors)
{
	struct item *it = item_new(XFS_LE, four_le);

	cr_expect_str_eq(item_touched(it), "ino=65681 daddr=49280+32");
	it->v.geom = &v5;
	cr_expect_str_eq(item_touched(it), "ino=65681 ag=1 daddr=49297 ag=1");
	put_le64(it->data[0] + 40, UINT64_MAX - 1);
	cr_expect_str_eq(item_touched(it), "ino=65681 ag=1");
	item_free(it);
}
