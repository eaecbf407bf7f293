/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents about extents. The bytes are items of kernels' logs: each says in
 * which image and where. "xfs_logprint -t" prints the same values for them,
 * on the machine that wrote the image where this one cannot read it.
 */
#include "libxfsfmt/geom.h"
#include "tests/lib/logitem.h"

/* i386-v4-efi-s1, record 1:2509, operations 10 and 11 */
static const char efi_12[] =
	"3612 0100 02000000 30f144c200000000"
	"d700000000000000 01000000 d800000000000000 01000000";
static const char efd_12[] =
	"3712 0100 02000000 30f144c200000000"
	"d700000000000000 01000000 d800000000000000 01000000";
/* be612-intents-s3, record 1:107, operation 21 */
static const char efi_be[] =
	"1236 0001 00000001 00000000028757a0"
	"000000000000005d 00000001 00000000";
/* n72-rtg-flight-s1, record 1:400, operation 72; 1:456, operation 3 */
static const char efi_rt[] =
	"4a12 0100 01000000 f0159e016c272aff"
	"4a00000000000000 01000000 00000000";
static const char efd_rt[] =
	"4b12 0100 01000000 f0159e016c272aff"
	"4a00000000000000 01000000 00000000";
/* rmap-intents, record 2:120, operation 6 */
static const char rui_le[] =
	"4012 0100 01000000 d0923d048188ffff"
	"f300010000000000 a464000000000000 7400000000000000 01000000 03000020";
/* be612-live-s3, record 1:2826, operation 1 */
static const char rui_be[] =
	"1240 0001 00000001 0000000002fceb00"
	"000000000002089f 00000000000041a5 0000000000000000 00000001 80000001";
/* be612-live-s3, record 1:6039, operation 65 */
static const char rui_own[] =
	"1240 0001 00000001 00000000376182b0"
	"fffffffffffffff7 00000000000044e8 0000000000000000 00000001 00000008";
/* n72-rtg-flight-s1, record 1:400, operation 71 */
static const char rui_rt[] =
	"4c12 0100 01000000 002b44056c272aff"
	"8900000000000000 4a00000000000000 4100000000000000 01000000 03000000";
/* be612-live-s3, record 1:350, operation 106 */
static const char cui_be[] =
	"1242 0001 00000001 0000000037a09b00"
	"0000000000004093 00000003 00000001";
/* rmap-intents, record 2:184, operation 6 */
static const char cui_le[] =
	"4212 0100 02000000 704856758188ffff"
	"9460000000000000 01000000 02000000 7362000000000000 01000000 01000000";
/* n72-rtg-flight-s1, record 1:522, operation 21 */
static const char cui_rt[] =
	"4e12 0100 01000000 00e09d016c272aff"
	"2640000000000000 01000000 02000000";
/* be612-live-s3, record 1:350, operation 107 */
static const char bui_be[] =
	"1244 0001 00000001 00000000375991a0"
	"00000000000200aa 0000000000004093 0000000000000015 00000003 00000001";
/* be612-live-s3, record 1:3159, operation 122 */
static const char bui_unwritten[] =
	"1244 0001 00000001 0000000002b884e0"
	"00000000000000ad 0000000000000206 00000000000000b0 00000001 40000001";
/* n72-rtg-flight-s1, record 1:522, operation 24 */
static const char bui_rt[] =
	"4412 0100 01000000 301c05046c272aff"
	"8500000000000000 2660000000000000 2600000000000000 01000000 01000020";

/* "xfs_db -c 'sb 0' -c print" of be612-live-s3 */
static const struct xfs_geom live = {
	.blocklog = 12, .sectlog = 9, .inodelog = 9, .inopblog = 3,
	.agblklog = 14, .blocksize = 4096, .sectsize = 512, .inodesize = 512,
	.inopblock = 8, .agcount = 4, .agblocks = 12288, .dblocks = 49152,
	.sparse_blocks = 4, .v5 = true,
};

/* The superblock of n72-rtg-flight-s1, which the xfs_db here does not read. */
static const struct xfs_geom rtg = {
	.blocklog = 12, .sectlog = 9, .inodelog = 9, .inopblog = 3,
	.agblklog = 14, .blocksize = 4096, .sectsize = 512, .inodesize = 512,
	.inopblock = 8, .agcount = 4, .agblocks = 16384, .dblocks = 65536,
	.rblocks = 32768, .rgblocks = 8192, .rgcount = 4, .rgblklog = 13,
	.v5 = true, .metadir = true,
};

static void shows(enum xfs_order order, const char *hex, const char *text)
{
	struct item *it = item_new(order, hex);

	cr_expect_str_eq(item_shown(it), text);
	cr_expect_null(xfs_logitem_verify(&it->v));
	item_free(it);
}

Test(efi, of_12_byte_extents_comes_from_32_bit_kernels)
{
	shows(XFS_LE, efi_12, "efi_type=efi efi_size=1 efi_nextents=2 "
	      "efi_id=0xc244f130 extents[0]{ext_start=215 ext_len=1} "
	      "extents[1]{ext_start=216 ext_len=1}");
	shows(XFS_LE, efd_12, "efd_type=efd efd_size=1 efd_nextents=2 "
	      "efd_efi_id=0xc244f130 extents[0]{ext_start=215 ext_len=1} "
	      "extents[1]{ext_start=216 ext_len=1}");
}

Test(efi, of_16_byte_extents_comes_from_64_bit_kernels)
{
	shows(XFS_BE, efi_be, "efi_type=efi efi_size=1 efi_nextents=1 "
	      "efi_id=0x28757a0 extents[0]{ext_start=93 ext_len=1}");
}

Test(efi, of_the_realtime_device_counts_its_blocks)
{
	shows(XFS_LE, efi_rt, "efi_type=efi_rt efi_size=1 efi_nextents=1 "
	      "efi_id=0xff2a276c019e15f0 extents[0]{ext_start=74 ext_len=1}");
	shows(XFS_LE, efd_rt, "efd_type=efd_rt efd_size=1 efd_nextents=1 "
	      "efd_efi_id=0xff2a276c019e15f0 "
	      "extents[0]{ext_start=74 ext_len=1}");
}

Test(rui, shows_operation_and_flags_of_either_order)
{
	shows(XFS_LE, rui_le, "rui_type=rui rui_size=1 rui_nextents=1 "
	      "rui_id=0xffff8881043d92d0 extents[0]{me_owner=65779 "
	      "me_startblock=25764 me_startoff=116 me_len=1 "
	      "me_flags=0x20000003 op=unmap flags=unwritten}");
	shows(XFS_BE, rui_be, "rui_type=rui rui_size=1 rui_nextents=1 "
	      "rui_id=0x2fceb00 extents[0]{me_owner=133279 "
	      "me_startblock=16805 me_startoff=0 me_len=1 "
	      "me_flags=0x80000001 op=map flags=attr_fork}");
}

Test(rui, names_owners_that_are_no_inodes)
{
	shows(XFS_BE, rui_own, "rui_type=rui rui_size=1 rui_nextents=1 "
	      "rui_id=0x376182b0 extents[0]{me_owner=cow "
	      "me_startblock=17640 me_startoff=0 me_len=1 me_flags=0x8 "
	      "op=free flags=0x0}");
}

Test(rui, of_the_realtime_device)
{
	shows(XFS_LE, rui_rt, "rui_type=rui_rt rui_size=1 rui_nextents=1 "
	      "rui_id=0xff2a276c05442b00 extents[0]{me_owner=137 "
	      "me_startblock=74 me_startoff=65 me_len=1 me_flags=0x3 "
	      "op=unmap flags=0x0}");
}

Test(cui, shows_each_extent_and_its_operation)
{
	shows(XFS_BE, cui_be, "cui_type=cui cui_size=1 cui_nextents=1 "
	      "cui_id=0x37a09b00 extents[0]{pe_startblock=16531 pe_len=3 "
	      "pe_flags=0x1 op=increase}");
	shows(XFS_LE, cui_le, "cui_type=cui cui_size=1 cui_nextents=2 "
	      "cui_id=0xffff888175564870 "
	      "extents[0]{pe_startblock=24724 pe_len=1 pe_flags=0x2 "
	      "op=decrease} extents[1]{pe_startblock=25203 pe_len=1 "
	      "pe_flags=0x1 op=increase}");
	shows(XFS_LE, cui_rt, "cui_type=cui_rt cui_size=1 cui_nextents=1 "
	      "cui_id=0xff2a276c019de000 extents[0]{pe_startblock=16422 "
	      "pe_len=1 pe_flags=0x2 op=decrease}");
}

Test(bui, reads_its_flags_its_own_way)
{
	shows(XFS_BE, bui_be, "bui_type=bui bui_size=1 bui_nextents=1 "
	      "bui_id=0x375991a0 extents[0]{me_owner=131242 "
	      "me_startblock=16531 me_startoff=21 me_len=3 me_flags=0x1 "
	      "op=map flags=0x0}");
	shows(XFS_BE, bui_unwritten, "bui_type=bui bui_size=1 bui_nextents=1 "
	      "bui_id=0x2b884e0 extents[0]{me_owner=173 "
	      "me_startblock=518 me_startoff=176 me_len=1 "
	      "me_flags=0x40000001 op=map flags=unwritten}");
	shows(XFS_LE, bui_rt, "bui_type=bui bui_size=1 bui_nextents=1 "
	      "bui_id=0xff2a276c04051c30 extents[0]{me_owner=133 "
	      "me_startblock=24614 me_startoff=38 me_len=1 "
	      "me_flags=0x20000001 op=map flags=realtime}");
}

/*
 * be612-live-s3, records 1:323 (operations 2, 9), 1:381 (8, 15), 1:1420 (5);
 * n72-rtg-flight-s1, records 1:456 (2), 1:576 (2)
 */
Test(done, shows_whose_it_is)
{
	shows(XFS_BE, "1241 0001 00000000 00000000381a2850",
	      "rud_type=rud rud_size=1 rud_rui_id=0x381a2850");
	shows(XFS_BE, "1247 0001 00000000 00000000375991a0",
	      "alfd_type=attrd alfd_size=1 alfd_alf_id=0x375991a0");
	shows(XFS_BE, "1243 0001 00000000 0000000037a09b00",
	      "cud_type=cud cud_size=1 cud_cui_id=0x37a09b00");
	shows(XFS_BE, "1245 0001 00000000 00000000375991a0",
	      "bud_type=bud bud_size=1 bud_bui_id=0x375991a0");
	shows(XFS_BE, "1249 0001 00000000 0000000037751aa8",
	      "xmd_type=xmd xmd_size=1 xmd_xmi_id=0x37751aa8");
	shows(XFS_LE, "4d12 0100 00000000 002b44056c272aff",
	      "rud_type=rud_rt rud_size=1 rud_rui_id=0xff2a276c05442b00");
	shows(XFS_LE, "4f12 0100 00000000 00e09d016c272aff",
	      "cud_type=cud_rt cud_size=1 cud_cui_id=0xff2a276c019de000");
}

Test(done, of_another_length_is_refused)
{
	struct item *it = item_new(XFS_BE,
				   "1241 0001 00000000 00000000381a2850 0000");

	cr_expect(item_says(it, "length is not that of a done item"));
	item_free(it);
}

/* --- decoding --- */

Test(efi_extent, is_the_same_from_both_widths)
{
	struct item *narrow = item_new(XFS_LE, efi_12);
	struct item *wide = item_new(XFS_BE, efi_be);
	struct xfs_extent ext;

	cr_assert_eq(xfs_logitem_extents(&narrow->v), 2);
	xfs_efi_extent(&narrow->v, 1, &ext);
	cr_expect_eq(ext.ext_start, 216);
	cr_expect_eq(ext.ext_len, 1);
	cr_assert_eq(xfs_logitem_extents(&wide->v), 1);
	xfs_efi_extent(&wide->v, 0, &ext);
	cr_expect_eq(ext.ext_start, 93);
	cr_expect_eq(ext.ext_len, 1);
	item_free(narrow);
	item_free(wide);
}

Test(map_intent_extent, is_decoded_in_the_writers_order)
{
	struct item *it = item_new(XFS_BE, rui_be);
	struct xfs_map_extent me;

	xfs_map_intent_extent(&it->v, 0, &me);
	cr_expect_eq(me.me_owner, 0x2089f);
	cr_expect_eq(me.me_startblock, 0x41a5);
	cr_expect_eq(me.me_startoff, 0);
	cr_expect_eq(me.me_len, 1);
	cr_expect_eq(me.me_flags,
		     XFS_RMAP_EXTENT_ATTR_FORK | XFS_RMAP_EXTENT_MAP);
	item_free(it);
}

Test(cui_extent, is_decoded_in_the_writers_order)
{
	struct item *it = item_new(XFS_LE, cui_le);
	struct xfs_phys_extent pe;

	xfs_cui_extent(&it->v, 1, &pe);
	cr_expect_eq(pe.pe_startblock, 25203);
	cr_expect_eq(pe.pe_len, 1);
	cr_expect_eq(pe.pe_flags, XFS_REFCOUNT_INCREASE);
	item_free(it);
}

/* A count is only what the item says: what is not there is not counted. */
Test(logitem_extents, stops_where_the_region_does)
{
	struct item *it = item_new(XFS_LE, cui_le);

	put_le32(it->data[0] + 4, UINT32_MAX);
	cr_expect_eq(xfs_logitem_extents(&it->v), 2);
	it->regions[0].len_bytes = 47;
	cr_expect_eq(xfs_logitem_extents(&it->v), 1);
	it->regions[0].len_bytes = 15;
	cr_expect_eq(xfs_logitem_extents(&it->v), 0);
	item_free(it);
	it = item_new(XFS_BE, "1241 0001 00000009 00000000381a2850");
	cr_expect_eq(xfs_logitem_extents(&it->v), 0);
	item_free(it);
}

Test(logitem_intent, joins_an_intent_and_its_done)
{
	struct item *efi = item_new(XFS_LE, efi_12);
	struct item *efd = item_new(XFS_LE, efd_12);
	struct item *rt = item_new(XFS_LE, efd_rt);
	struct xfs_intent a, b;

	cr_assert(xfs_logitem_intent(&efi->v, &a));
	cr_assert(xfs_logitem_intent(&efd->v, &b));
	cr_expect_eq(a.type, XFS_LI_EFI);
	cr_expect_eq(b.type, XFS_LI_EFI);
	cr_expect_not(a.done);
	cr_expect(b.done);
	cr_expect_eq(a.id, 0xc244f130);
	cr_expect_eq(a.id, b.id);
	cr_assert(xfs_logitem_intent(&rt->v, &b));
	cr_expect_eq(b.type, XFS_LI_EFI_RT);
	cr_expect(b.done);
	item_free(efi);
	item_free(efd);
	item_free(rt);
}

Test(logitem_intent, is_nothing_else)
{
	struct item *it = item_new(XFS_LE,
		"3c12 0200 0028 0100 0100020000000000 01000000 01000000");
	struct xfs_intent intent;

	cr_expect_not(xfs_logitem_intent(&it->v, &intent));
	item_free(it);
	it = item_new(XFS_LE, "3f12 0100 00000001 00000010 00000040");
	cr_expect_not(xfs_logitem_intent(&it->v, &intent));
	item_free(it);
	it = item_new(XFS_BE, "1241 0001 00000000 00000000381a28");
	cr_expect_not(xfs_logitem_intent(&it->v, &intent));
	item_free(it);
}

/* --- verdicts --- */

/* The verdict on @hex with the 32-bit word at @off replaced. */
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

Test(efi_verify, wants_the_length_of_its_extents)
{
	says(XFS_LE, efi_12, NULL, 4, 3,
	     "length does not match the number of extents");
	says(XFS_BE, efi_be, NULL, 4, 0x10000001,
	     "length does not match the number of extents");
	says(XFS_BE, efi_be, NULL, 4, 0,
	     "length does not match the number of extents");
	says(XFS_BE, efi_be, NULL, 24, 0, "extent of no length");
}

Test(efi_verify, wants_extents_inside_a_group)
{
	says(XFS_BE, efi_be, &live, 20, 93, NULL);
	/* the superblock and its neighbours lie in block 0 */
	says(XFS_BE, efi_be, &live, 20, 0,
	     "extent outside its allocation group");
	says(XFS_BE, efi_be, &live, 20, 12287, NULL);
	says(XFS_BE, efi_be, &live, 20, 12288,
	     "extent outside its allocation group");
	says(XFS_BE, efi_be, &live, 24, 12288,
	     "extent outside its allocation group");
	says(XFS_BE, efi_be, &live, 20, (3 << 14) + 1, NULL);
	says(XFS_BE, efi_be, &live, 20, (4 << 14) + 1,
	     "extent outside its allocation group");
	says(XFS_BE, efi_be, &live, 16, 0xffffffff,
	     "extent outside its allocation group");
}

Test(efi_verify, wants_realtime_extents_inside_a_realtime_group)
{
	says(XFS_LE, efi_rt, &rtg, 16, 74, NULL);
	says(XFS_LE, efi_rt, &rtg, 16, 8191, NULL);
	says(XFS_LE, efi_rt, &rtg, 24, 8192 - 74, NULL);
	says(XFS_LE, efi_rt, &rtg, 24, 8192 - 73,
	     "extent outside the realtime device");
	says(XFS_LE, efi_rt, &rtg, 16, 4 << 13,
	     "extent outside the realtime device");
	says(XFS_LE, efi_rt, &live, 16, 74,
	     "extent outside the realtime device");
}

/* Without groups the numbers of realtime blocks are not cut up. */
Test(efi_verify, wants_realtime_extents_inside_the_device)
{
	struct xfs_geom plain = rtg;

	plain.metadir = false;
	plain.rgblocks = plain.rgcount = plain.rgblklog = 0;
	says(XFS_LE, efi_rt, &plain, 24, 8192, NULL);
	says(XFS_LE, efi_rt, &plain, 24, 32768 - 74, NULL);
	says(XFS_LE, efi_rt, &plain, 24, 32768 - 73,
	     "extent outside the realtime device");
	says(XFS_LE, efi_rt, &plain, 20, 0xffffffff,
	     "extent outside the realtime device");
}

Test(rui_verify, wants_what_a_reverse_mapping_can_be)
{
	says(XFS_BE, rui_be, &live, 44, 0xe0000008, NULL);
	says(XFS_BE, rui_be, &live, 44, 9,
	     "unknown operation on a reverse mapping");
	says(XFS_BE, rui_be, &live, 44, 0,
	     "unknown operation on a reverse mapping");
	says(XFS_BE, rui_be, &live, 44, 0x10000001,
	     "unknown flags of a reverse mapping");
	says(XFS_BE, rui_be, &live, 44, 0x101,
	     "unknown flags of a reverse mapping");
	says(XFS_BE, rui_be, &live, 40, 0, "extent of no length");
	says(XFS_BE, rui_be, &live, 28, 0,
	     "extent outside its allocation group");
	says(XFS_BE, rui_be, &live, 4, 2,
	     "length does not match the number of extents");
	says(XFS_BE, rui_be, &live, 4, 0x8000001,
	     "length does not match the number of extents");
}

Test(rui_verify, wants_an_owner_that_can_be)
{
	says(XFS_BE, rui_own, &live, 16, 0xffffffff, NULL);
	says(XFS_BE, rui_be, &live, 20, 0, "inode number out of range");
	says(XFS_BE, rui_be, &live, 20, 0x80080,
	     "inode number outside the filesystem");
	says(XFS_BE, rui_be, NULL, 20, 0x80080, NULL);
}

/* 54 bits: the mapping has to fit into a packed extent. */
Test(rui_verify, wants_file_offsets_that_can_be)
{
	says(XFS_BE, rui_be, &live, 32, 0x003fffff, NULL);
	says(XFS_BE, rui_be, &live, 32, 0x00400000,
	     "file offset out of range");
}

Test(bui_verify, wants_what_a_file_mapping_can_be)
{
	says(XFS_BE, bui_be, &live, 44, 0xc0000002, NULL);
	says(XFS_BE, bui_be, &live, 44, 3,
	     "unknown operation on a file mapping");
	says(XFS_BE, bui_be, &live, 44, 0x10000001,
	     "unknown flags of a file mapping");
	says(XFS_BE, bui_be, &live, 4, 0, "not exactly one mapping");
	says(XFS_BE, bui_be, &live, 4, 2, "not exactly one mapping");
	says(XFS_BE, bui_be, &live, 20, 0x80080,
	     "inode number outside the filesystem");
	/* special owners have no files */
	says(XFS_BE, bui_be, &live, 16, 0xffffffff,
	     "inode number outside the filesystem");
	says(XFS_LE, bui_rt, &rtg, 24, 24614, NULL);
	says(XFS_LE, bui_rt, &rtg, 24, 40000,
	     "extent outside the realtime device");
}

Test(cui_verify, wants_what_a_reference_count_can_be)
{
	says(XFS_LE, cui_le, NULL, 28, 4, NULL);
	says(XFS_LE, cui_le, NULL, 28, 0,
	     "unknown operation on a reference count");
	says(XFS_LE, cui_le, NULL, 44, 5,
	     "unknown operation on a reference count");
	says(XFS_LE, cui_le, NULL, 44, 0x80000001,
	     "unknown flags of a reference count");
	says(XFS_LE, cui_le, NULL, 24, 0, "extent of no length");
	says(XFS_LE, cui_le, NULL, 4, 1,
	     "length does not match the number of extents");
	says(XFS_BE, cui_be, &live, 20, 12288,
	     "extent outside its allocation group");
}

/* --- what they touch --- */

static void touches(enum xfs_order order, const char *hex,
		    const struct xfs_geom *geom, const char *text)
{
	struct item *it = item_new(order, hex);

	it->v.geom = geom;
	cr_expect_str_eq(item_touched(it), text);
	item_free(it);
}

/* daddr: (group * 12288 + block in group) * 8; 16384 blocks of numbers each */
Test(touches, of_extents_are_basic_blocks_and_groups)
{
	touches(XFS_BE, efi_be, &live, "daddr=744+8 ag=0");
	touches(XFS_BE, cui_be, &live, "daddr=99480+24 ag=1");
	touches(XFS_BE, rui_own, &live, "daddr=108352+8 ag=1");
	touches(XFS_BE, efi_be, NULL, "");
}

Test(touches, of_mappings_are_also_inodes)
{
	touches(XFS_BE, rui_be, &live, "ino=133279 ag=1 daddr=101672+8 ag=1");
	touches(XFS_BE, bui_be, &live, "ino=131242 ag=1 daddr=99480+24 ag=1");
	touches(XFS_BE, bui_be, NULL, "ino=131242");
}

Test(touches, of_realtime_extents_are_realtime_blocks)
{
	touches(XFS_LE, efi_rt, &rtg, "rt=74");
	touches(XFS_LE, rui_rt, &rtg, "ino=137 ag=0 rt=74");
	touches(XFS_LE, cui_rt, &rtg, "rt=16422");
	touches(XFS_LE, bui_rt, NULL, "ino=133 rt=24614");
}

Test(touches, of_dones_are_none_unless_they_repeat_the_extents)
{
	touches(XFS_LE, efd_rt, NULL, "rt=74");
	touches(XFS_BE, "1241 0001 00000000 00000000381a2850", &live, "");
}

Test(touches, of_impossible_blocks_do_not_overflow)
{
	struct item *it = item_new(XFS_BE, efi_be);

	it->v.geom = &live;
	/* no such block in a group: the group is all that can be said */
	put_be64(it->data[0] + 16, 12288);
	cr_expect_str_eq(item_touched(it), "ag=0");
	put_be64(it->data[0] + 16, UINT64_MAX);
	cr_expect_str_eq(item_touched(it), "ag=1125899906842623");
	/* a group the log may yet add is one */
	put_be64(it->data[0] + 16, (5 << 14) + 7);
	cr_expect_str_eq(item_touched(it), "daddr=491576+8 ag=5");
	put_be64(it->data[0] + 16, UINT64_C(0xfffffffffffc0001));
	cr_expect_str_eq(item_touched(it), "ag=1125899906842608");
	item_free(it);
}
