/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents about attributes and about exchanged mappings. The bytes are items
 * of kernels' logs, found there with "xfs_logprint -t", which prints the same
 * values; where no kernel at hand wrote one it says so.
 */
#include "libxfsfmt/geom.h"
#include "tests/lib/logitem.h"

/* be612-live-s3, record 1:285, operation 111 */
static const char pptr_set_be[] =
	"1246 0003 1e7e8687 00000000375991a0 00000000000200a5 00000004"
	"0000001c 0000000c 00000008|"
	"6631375f787776757473727170 6f6e6d6c6b6a6968676665646362 61|"
	"0000000000020080 39c50823";
/*
 * parent-attri, record 3:8623, operation 34; xfs_logprint 6.1 crashes on that
 * image, so the values were read off the bytes by hand.
 */
static const char pptr_set_le[] =
	"4612 0300 9a428fad c0e94c048188ffff f400010000000000 04000000"
	"03000000 0c000000 08000000|"
	"31366500|"
	"00000000000100f2 a95b7df7";
/* be612-live-s3, record 1:11305, operation 74 */
static const char pptr_replace_be[] =
	"1246 0005 4636ecf9 000000003825fdd0 00000000000000a5 00000006"
	"0003 0003 0000000c 00000008|"
	"66323100|66343900|"
	"0000000000000092 6d741e41|0000000000000092 6d741e41";
/* n72-xmi-s1, record 1:2723, operation 4 */
static const char xmi_le[] =
	"4812 0100 00000000 f860553750401eff 8300000000000000 8500000000000000"
	"fafb113b 893e72b8 0700000000000000 0700000000000000 f901000000000000"
	"0200000000000000 0000001c00000000 0000200000000000";
/* be612-live-s3, record 1:1352, operation 22 */
static const char xmi_be[] =
	"1248 0001 00000000 0000000037751aa8 00000000000000a1 00000000000000ad"
	"6fe9cf14 a7225302 000000000000000b 000000000000000b 00000000000000f5"
	"0000000000000002 00000000000c0000 0000000000100000";

/*
 * No image at hand holds these operations, which need the logged attributes
 * of a debug kernel: the format is that of pptr_set_le with other values in
 * it, "user.a" (a name without its prefix) and the value "12345".
 */
static const char set_le[] =
	"4612 0300 00000000 c0e94c048188ffff f400010000000000 01000000"
	"01000000 05000000 00000000|61000000|3132333435000000";
static const char set_empty_le[] =
	"4612 0200 00000000 c0e94c048188ffff f400010000000000 01000000"
	"01000000 00000000 00000000|61000000";
static const char remove_le[] =
	"4612 0200 00000000 c0e94c048188ffff f400010000000000 02000000"
	"01000000 00000000 04000000|61000000";
static const char replace_le[] =
	"4612 0300 00000000 c0e94c048188ffff f400010000000000 03000000"
	"01000000 05000000 02000000|61000000|3132333435000000";

/* "xfs_db -c 'sb 0' -c print" of be612-live-s3 */
static const struct xfs_geom live = {
	.blocklog = 12, .sectlog = 9, .inodelog = 9, .inopblog = 3,
	.agblklog = 14, .blocksize = 4096, .sectsize = 512, .inodesize = 512,
	.inopblock = 8, .agcount = 4, .agblocks = 12288, .dblocks = 49152,
	.v5 = true,
};

static void shows(enum xfs_order order, const char *hex, const char *text)
{
	struct item *it = item_new(order, hex);

	cr_expect_str_eq(item_shown(it), text);
	cr_expect_null(xfs_logitem_verify(&it->v));
	item_free(it);
}

Test(attri, of_a_parent_pointer_shows_name_and_parent)
{
	shows(XFS_BE, pptr_set_be, "alfi_type=attri alfi_size=3 "
	      "alfi_igen=0x1e7e8687 alfi_id=0x375991a0 alfi_ino=131237 "
	      "alfi_op_flags=pptr_set alfi_name_len=28 alfi_value_len=12 "
	      "alfi_attr_filter=parent name=f17_xwvutsrqponmlkjihgfedcba "
	      "value{p_ino=131200 p_gen=969213987}");
	shows(XFS_LE, pptr_set_le, "alfi_type=attri alfi_size=3 "
	      "alfi_igen=0xad8f429a alfi_id=0xffff8881044ce9c0 "
	      "alfi_ino=65780 alfi_op_flags=pptr_set alfi_name_len=3 "
	      "alfi_value_len=12 alfi_attr_filter=parent name=16e "
	      "value{p_ino=65778 p_gen=2841345527}");
}

Test(attri, of_a_renamed_parent_pointer_has_two_names_and_values)
{
	shows(XFS_BE, pptr_replace_be, "alfi_type=attri alfi_size=5 "
	      "alfi_igen=0x4636ecf9 alfi_id=0x3825fdd0 alfi_ino=165 "
	      "alfi_op_flags=pptr_replace alfi_old_name_len=3 "
	      "alfi_new_name_len=3 alfi_value_len=12 "
	      "alfi_attr_filter=parent name=f21 new_name=f49 "
	      "value{p_ino=146 p_gen=1836326465} "
	      "new_value{p_ino=146 p_gen=1836326465}");
}

Test(attri, of_any_other_attribute_shows_the_value_as_bytes)
{
	shows(XFS_LE, set_le, "alfi_type=attri alfi_size=3 alfi_igen=0x0 "
	      "alfi_id=0xffff8881044ce9c0 alfi_ino=65780 alfi_op_flags=set "
	      "alfi_name_len=1 alfi_value_len=5 alfi_attr_filter=0x0 "
	      "name=a value=3132333435");
	shows(XFS_LE, set_empty_le, "alfi_type=attri alfi_size=2 "
	      "alfi_igen=0x0 alfi_id=0xffff8881044ce9c0 alfi_ino=65780 "
	      "alfi_op_flags=set alfi_name_len=1 alfi_value_len=0 "
	      "alfi_attr_filter=0x0 name=a");
	shows(XFS_LE, remove_le, "alfi_type=attri alfi_size=2 alfi_igen=0x0 "
	      "alfi_id=0xffff8881044ce9c0 alfi_ino=65780 "
	      "alfi_op_flags=remove alfi_name_len=1 alfi_value_len=0 "
	      "alfi_attr_filter=secure name=a");
	shows(XFS_LE, replace_le, "alfi_type=attri alfi_size=3 "
	      "alfi_igen=0x0 alfi_id=0xffff8881044ce9c0 alfi_ino=65780 "
	      "alfi_op_flags=replace alfi_name_len=1 alfi_value_len=5 "
	      "alfi_attr_filter=root name=a value=3132333435");
}

Test(xmi, shows_both_files)
{
	shows(XFS_LE, xmi_le, "xmi_type=xmi xmi_size=1 "
	      "xmi_id=0xff1e4050375560f8 xmi_inode1=131 xmi_inode2=133 "
	      "xmi_igen1=0x3b11fbfa xmi_igen2=0xb8723e89 xmi_startoff1=7 "
	      "xmi_startoff2=7 xmi_blockcount=505 xmi_flags=set_sizes "
	      "xmi_isize1=469762048 xmi_isize2=2097152");
	shows(XFS_BE, xmi_be, "xmi_type=xmi xmi_size=1 xmi_id=0x37751aa8 "
	      "xmi_inode1=161 xmi_inode2=173 xmi_igen1=0x6fe9cf14 "
	      "xmi_igen2=0xa7225302 xmi_startoff1=11 xmi_startoff2=11 "
	      "xmi_blockcount=245 xmi_flags=set_sizes xmi_isize1=786432 "
	      "xmi_isize2=1048576");
}

/* --- strings --- */

Test(logitem_attri, gives_strings_without_padding)
{
	struct item *it = item_new(XFS_BE, pptr_replace_be);
	struct xfs_logitem_attri a;

	cr_assert_null(xfs_logitem_attri(&it->v, &a));
	cr_assert_eq(a.name_bytes, 3);
	cr_expect_arr_eq(a.name, "f21", 3);
	cr_assert_eq(a.new_name_bytes, 3);
	cr_expect_arr_eq(a.new_name, "f49", 3);
	cr_expect_eq(a.value_bytes, 12);
	cr_expect_eq(a.value, it->data[3]);
	cr_expect_eq(a.new_value_bytes, 12);
	cr_expect_eq(a.new_value, it->data[4]);
	item_free(it);
}

Test(logitem_attri, leaves_out_what_the_operation_does_not_have)
{
	struct item *it = item_new(XFS_LE, remove_le);
	struct xfs_logitem_attri a;

	cr_assert_null(xfs_logitem_attri(&it->v, &a));
	cr_expect_eq(a.name_bytes, 1);
	cr_expect_null(a.new_name);
	cr_expect_null(a.value);
	cr_expect_null(a.new_value);
	item_free(it);
}

Test(logitem_attri, wants_every_region_as_long_as_said)
{
	struct item *it = item_new(XFS_LE, set_le);
	struct xfs_logitem_attri a;

	it->v.nregions = 2;
	cr_expect_str_eq(xfs_logitem_attri(&it->v, &a),
			 "region of a name or value missing");
	cr_expect_not_null(a.name);
	cr_expect_null(a.value);
	it->v.nregions = 3;
	put_le32(it->data[0] + 32, 9);
	cr_expect_str_eq(xfs_logitem_attri(&it->v, &a),
			 "region not as long as its name or value");
	put_le32(it->data[0] + 32, UINT32_MAX);
	cr_expect_str_eq(xfs_logitem_attri(&it->v, &a),
			 "region not as long as its name or value");
	put_le32(it->data[0] + 32, 0);
	cr_expect_str_eq(xfs_logitem_attri(&it->v, &a),
			 "more regions than names and values");
	item_free(it);
}

/* --- verdicts --- */

static void says(enum xfs_order order, const char *hex,
		 const struct xfs_geom *geom, unsigned int off, uint32_t word,
		 const char *why)
{
	struct item *it = item_new(order, hex);

	it->v.geom = geom;
	if (order == XFS_BE)
		put_be32(it->data[0] + off, word);
	else
		put_le32(it->data[0] + off, word);
	cr_expect(item_says(it, why));
	item_free(it);
}

Test(attri_verify, wants_an_operation_it_knows)
{
	says(XFS_LE, set_le, NULL, 24, 0, "unknown operation on an attribute");
	says(XFS_LE, set_le, NULL, 24, 7, "unknown operation on an attribute");
	says(XFS_LE, set_le, NULL, 24, 0x101,
	     "unknown operation on an attribute");
}

Test(attri_verify, wants_a_name_space_it_knows)
{
	says(XFS_LE, set_le, NULL, 36, 0x8e, NULL);
	says(XFS_LE, set_le, NULL, 36, 0x01, "unknown attribute name space");
	says(XFS_LE, set_le, NULL, 36, 0x100, "unknown attribute name space");
	says(XFS_LE, pptr_set_le, NULL, 36, 0x02,
	     "parent pointer outside its name space");
}

Test(attri_verify, wants_names_and_values_of_their_lengths)
{
	says(XFS_LE, set_le, NULL, 28, 0,
	     "region not as long as its name or value");
	says(XFS_LE, set_le, NULL, 32, 65537, "attribute value too long");
	says(XFS_LE, remove_le, NULL, 32, 5,
	     "value for an attribute to be removed");
	says(XFS_LE, pptr_set_le, NULL, 32, 0,
	     "parent pointer of a wrong length");
	says(XFS_LE, pptr_set_le, NULL, 32, 16,
	     "parent pointer of a wrong length");
	says(XFS_BE, pptr_replace_be, NULL, 28, 0x00030000,
	     "region not as long as its name or value");
}

/* A name of 256 bytes, in a region of its length. */
Test(attri_verify, wants_names_of_at_most_255_bytes)
{
	for (uint32_t len = 255; len <= 256; len++) {
		struct item *it = item_new(XFS_LE, set_empty_le);

		item_add(it, 256, 'n');
		it->regions[1] = it->regions[2];
		it->v.nregions = 2;
		put_le32(it->data[0] + 28, len);
		cr_expect(item_says(it, len == 255 ? NULL :
				    "attribute name length out of range"));
		item_free(it);
	}
}

Test(attri_verify, wants_names_that_can_be)
{
	struct item *it = item_new(XFS_LE, pptr_set_le);

	it->data[1][1] = 0;
	cr_expect(item_says(it,
		  "attribute name with an impossible character"));
	it->data[1][1] = '/';
	cr_expect(item_says(it,
		  "attribute name with an impossible character"));
	item_free(it);
	/* only file names have no slash */
	it = item_new(XFS_LE, set_le);
	it->data[1][0] = '/';
	cr_expect(item_says(it, NULL));
	item_free(it);
}

Test(attri_verify, wants_an_inode_that_can_be)
{
	says(XFS_BE, pptr_set_be, &live, 20, 0x200a5, NULL);
	says(XFS_BE, pptr_set_be, &live, 20, 0x80080,
	     "inode number outside the filesystem");
	says(XFS_BE, pptr_set_be, NULL, 20, 0, "inode number out of range");
}

Test(xmi_verify, wants_no_more_than_it_knows)
{
	says(XFS_BE, xmi_be, &live, 4, 0, NULL);
	says(XFS_BE, xmi_be, &live, 4, 1,
	     "padding of an exchange intent not zero");
	says(XFS_BE, xmi_be, &live, 68, 0x1f, NULL);
	says(XFS_BE, xmi_be, &live, 68, 0x20,
	     "unknown flags of an exchange intent");
	says(XFS_BE, xmi_be, &live, 64, 1,
	     "unknown flags of an exchange intent");
	says(XFS_BE, xmi_be, &live, 20, 0, "inode number out of range");
	says(XFS_BE, xmi_be, &live, 28, 0x80080,
	     "inode number outside the filesystem");
	says(XFS_LE, "4812 0100 00000000 f860553750401eff", NULL, 4, 0,
	     "length is not that of an exchange intent");
}

/* --- what they touch --- */

Test(touches, of_an_attribute_are_the_inode_and_its_parents)
{
	struct item *it = item_new(XFS_BE, pptr_replace_be);

	cr_expect_str_eq(item_touched(it), "ino=165 ino=146 ino=146");
	it->v.geom = &live;
	cr_expect_str_eq(item_touched(it),
			 "ino=165 ag=0 ino=146 ag=0 ino=146 ag=0");
	item_free(it);
	it = item_new(XFS_LE, set_le);
	cr_expect_str_eq(item_touched(it), "ino=65780");
	item_free(it);
}

Test(touches, of_an_exchange_are_two_inodes)
{
	struct item *it = item_new(XFS_BE, xmi_be);

	cr_expect_str_eq(item_touched(it), "ino=161 ino=173");
	item_free(it);
}
