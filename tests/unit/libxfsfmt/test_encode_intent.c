/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents of kernels' logs, decoded and encoded again: what comes out are the
 * bytes that went in. Of which image each is, test_logitem_intent.c and
 * test_logitem_attri.c say.
 */
#include "tests/lib/logitem.h"

static uint8_t out[128];

/* The first region of @hex: @s at @off in it, in the byte order @order. */
#define SAME(s, hex, off, variant, order)				\
	do {								\
		struct item *it = item_new(order, hex);			\
		const uint8_t *at = it->regions[0].data + (off);	\
		struct s host;						\
									\
		cr_assert_leq((off) + s##_size,				\
			      it->regions[0].len_bytes);		\
		s##_decode(&host, at, s##_size, order);			\
		memset(out, 0, s##_size);				\
		s##_encode(out, &host, variant, order);			\
		cr_assert_arr_eq(out, at, s##_size, #s);		\
		item_free(it);						\
	} while (0)

Test(encode_intent, makes_efi)
{
	static const char be[] =
		"1236 0001 00000001 00000000028757a0"
		"000000000000005d 00000001 00000000";
	static const char rt[] =
		"4a12 0100 01000000 f0159e016c272aff"
		"4a00000000000000 01000000 00000000";

	SAME(xfs_efi_log_format, be, 0, 0, XFS_BE);
	SAME(xfs_extent, be, 16, 0, XFS_BE);
	SAME(xfs_efi_log_format, rt, 0, 0, XFS_LE);
	SAME(xfs_extent, rt, 16, XFS_EXTENT_RT, XFS_LE);
}

Test(encode_intent, makes_rui)
{
	static const char le[] =
		"4012 0100 01000000 d0923d048188ffff"
		"f300010000000000 a464000000000000 7400000000000000"
		"01000000 03000020";
	static const char own[] =
		"1240 0001 00000001 00000000376182b0"
		"fffffffffffffff7 00000000000044e8 0000000000000000"
		"00000001 00000008";

	SAME(xfs_rui_log_format, le, 0, 0, XFS_LE);
	SAME(xfs_map_extent, le, 16, 0, XFS_LE);
	SAME(xfs_rui_log_format, own, 0, 0, XFS_BE);
	SAME(xfs_map_extent, own, 16, XFS_EXTENT_SPECIAL_OWNER, XFS_BE);
}

Test(encode_intent, makes_cui)
{
	static const char le[] =
		"4212 0100 02000000 704856758188ffff"
		"9460000000000000 01000000 02000000"
		"7362000000000000 01000000 01000000";

	SAME(xfs_cui_log_format, le, 0, 0, XFS_LE);
	SAME(xfs_phys_extent, le, 16, 0, XFS_LE);
	SAME(xfs_phys_extent, le, 32, 0, XFS_LE);
}

Test(encode_intent, makes_bui)
{
	static const char be[] =
		"1244 0001 00000001 0000000002b884e0"
		"00000000000000ad 0000000000000206 00000000000000b0"
		"00000001 40000001";

	SAME(xfs_bui_log_format, be, 0, 0, XFS_BE);
	SAME(xfs_map_extent, be, 16, 0, XFS_BE);
}

Test(encode_intent, makes_attri)
{
	static const char set[] =
		"4612 0300 9a428fad c0e94c048188ffff f400010000000000 04000000"
		"03000000 0c000000 08000000";
	static const char replace[] =
		"1246 0005 4636ecf9 000000003825fdd0 00000000000000a5 00000006"
		"0003 0003 0000000c 00000008";

	SAME(xfs_attri_log_format, set, 0, 0, XFS_LE);
	SAME(xfs_attri_log_format, replace, 0, XFS_ATTRI_TWO_NAMES, XFS_BE);
}

Test(encode_intent, makes_xmi)
{
	static const char le[] =
		"4812 0100 00000000 f860553750401eff 8300000000000000"
		"8500000000000000 fafb113b 893e72b8 0700000000000000"
		"0700000000000000 f901000000000000 0200000000000000"
		"0000001c00000000 0000200000000000";

	SAME(xfs_xmi_log_format, le, 0, 0, XFS_LE);
}
