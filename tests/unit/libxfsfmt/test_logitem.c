/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all log items share: names, the transaction header, the way to the
 * functions of a kind; and bytes that are no item at all, for every kind.
 */
#include "libxfsfmt/geom.h"
#include "tests/lib/logitem.h"

Test(li_name, names_every_type)
{
	cr_expect_str_eq(xfs_li_name(XFS_LI_BUF), "buf");
	cr_expect_str_eq(xfs_li_name(0x123b), "inode");
	cr_expect_str_eq(xfs_li_name(0x124f), "cud_rt");
	cr_expect_null(xfs_li_name(0x1238));
	cr_expect_null(xfs_li_name(0x1250));
	cr_expect_null(xfs_li_name(0));
}

Test(li_code, finds_the_type_of_a_name)
{
	cr_expect_eq(xfs_li_code("efi"), 0x1236);
	cr_expect_eq(xfs_li_code("quotaoff"), 0x123e);
	cr_expect_eq(xfs_li_code("attrd"), 0x1247);
	cr_expect_eq(xfs_li_code("efi_rt"), 0x124a);
	cr_expect_eq(xfs_li_code("EFI"), 0);
	cr_expect_eq(xfs_li_code("ef"), 0);
	cr_expect_eq(xfs_li_code(""), 0);
	for (const struct xfs_name *n = xfs_li_names; n->name; n++)
		cr_expect_eq(xfs_li_code(n->name), n->value);
}

/*
 * i386-v5, record 1:2, operation 1, and be612-v5-256k, record 1:2560,
 * operation 1: the first 16 bytes of a checkpoint
 */
Test(trans_header_decode, reads_either_order)
{
	static const uint8_t le[16] = {
		0x4e, 0x41, 0x52, 0x54, 0x28, 0x00, 0x00, 0x00,
		0x7c, 0xf3, 0xf2, 0x69, 0xc3, 0x02, 0x00, 0x00,
	};
	static const uint8_t be[16] = {
		0x54, 0x52, 0x41, 0x4e, 0x00, 0x00, 0x00, 0x28,
		0x2c, 0xa2, 0x96, 0x04, 0x00, 0x00, 0x00, 0x0b,
	};
	struct xfs_trans_header th;

	xfs_trans_header_decode(&th, le, 16, XFS_LE);
	cr_expect_eq(th.th_magic, XFS_TRANS_HEADER_MAGIC);
	cr_expect_eq(th.th_type, XFS_TRANS_CHECKPOINT);
	cr_expect_eq(th.th_tid, 0x69f2f37c);
	cr_expect_eq(th.th_num_items, 707);
	xfs_trans_header_decode(&th, be, 16, XFS_BE);
	cr_expect_eq(th.th_magic, XFS_TRANS_HEADER_MAGIC);
	cr_expect_eq(th.th_type, XFS_TRANS_CHECKPOINT);
	cr_expect_eq(th.th_tid, 0x2ca29604);
	cr_expect_eq(th.th_num_items, 11);
}

/* --- dispatch --- */

Test(logitem_type, is_read_in_the_writers_order)
{
	struct item *it = item_new(XFS_LE, "3b12 0300");

	cr_expect_eq(xfs_logitem_type(&it->v), XFS_LI_INODE);
	it->v.order = XFS_BE;
	cr_expect_eq(xfs_logitem_type(&it->v), 0x3b12);
	it->regions[0].len_bytes = 1;
	cr_expect_eq(xfs_logitem_type(&it->v), 0);
	it->v.nregions = 0;
	cr_expect_eq(xfs_logitem_type(&it->v), 0);
	item_free(it);
}

Test(logitem_verify, wants_a_known_type_and_its_regions)
{
	/* rmap-intents, record 2:120, operation 6 */
	struct item *it = item_new(XFS_LE,
		"4012 0100 01000000 d0923d048188ffff f300010000000000"
		"a464000000000000 7400000000000000 01000000 03000020");

	cr_expect(item_says(it, NULL));
	put_le16(it->data[0] + 2, 0);
	cr_expect(item_says(it, "number of regions out of range"));
	put_le16(it->data[0] + 2, 258);
	cr_expect(item_says(it, "number of regions out of range"));
	put_le16(it->data[0] + 2, 2);
	cr_expect(item_says(it, "not as many regions as the item says"));
	item_add(it, 4, 0);
	cr_expect(item_says(it,
		  "wrong number of regions for this type of item"));
	it->v.nregions = 1;
	put_le16(it->data[0] + 2, 1);
	put_le16(it->data[0], 0x1238);
	cr_expect(item_says(it, "unknown type of item"));
	it->v.order = XFS_BE;
	cr_expect(item_says(it, "unknown type of item"));
	it->regions[0].len_bytes = 3;
	cr_expect(item_says(it, "item too short to have a type"));
	it->v.nregions = 0;
	cr_expect(item_says(it, "item too short to have a type"));
	item_free(it);
}

Test(logitem, of_an_unknown_type_shows_and_touches_nothing)
{
	struct item *it = item_new(XFS_LE, "3812 0100 01000000");

	cr_expect_str_eq(item_shown(it), "");
	cr_expect_str_eq(item_touched(it), "");
	item_free(it);
}

/* --- garbage --- */

static const struct xfs_geom geoms[] = {
	{
		.blocklog = 12, .sectlog = 9, .inodelog = 9, .inopblog = 3,
		.agblklog = 14, .blocksize = 4096, .sectsize = 512,
		.inodesize = 512, .inopblock = 8, .agcount = 4,
		.agblocks = 12288, .dblocks = 49152, .rblocks = 32768,
		.rgblocks = 8192, .rgcount = 4, .rgblklog = 13,
		.sparse_blocks = 4, .v5 = true, .metadir = true,
	}, {
		.blocklog = 16, .sectlog = 12, .inodelog = 8, .inopblog = 8,
		.agblklog = 24, .blocksize = 65536, .sectsize = 4096,
		.inodesize = 256, .inopblock = 256, .agcount = 255,
		.agblocks = 1 << 24, .dblocks = (uint64_t)255 << 24,
	}, {
		.blocklog = 9, .sectlog = 9, .inodelog = 8, .inopblog = 1,
		.agblklog = 31, .blocksize = 512, .sectsize = 512,
		.inodesize = 256, .inopblock = 2, .agcount = 1,
		.agblocks = 0x7fffffff, .dblocks = 0x7fffffff, .v5 = true,
	},
};

/* xorshift: the same bytes in every run */
static uint32_t random_word(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/*
 * Everything is asked of @it, with and without a geometry. What verify lets
 * pass must then not be refused by the functions that use it.
 */
static void ask(struct item *it, const struct xfs_geom *geom)
{
	static uint8_t buf[XFS_BUF_LOG_MAX_BYTES];
	struct xfs_buf_image image;
	struct xfs_logitem_inode in;
	struct xfs_logitem_attri attri;
	struct xfs_intent intent;
	const char *why, *use = NULL;

	it->v.geom = geom;
	why = xfs_logitem_verify(&it->v);
	item_shown(it);
	item_touched(it);
	xfs_logitem_intent(&it->v, &intent);
	switch (xfs_logitem_type(&it->v)) {
	case XFS_LI_BUF:
		use = xfs_logitem_buf_image(&it->v, buf, sizeof(buf), &image);
		cr_assert_leq(image.len_bytes, sizeof(buf));
		break;
	case XFS_LI_INODE:
		use = xfs_logitem_inode(&it->v, &in);
		break;
	case XFS_LI_ATTRI:
		use = xfs_logitem_attri(&it->v, &attri);
		break;
	}
	cr_assert(why || !use);
}

static void ask_all(struct item *it)
{
	ask(it, NULL);
	for (size_t g = 0; g < sizeof(geoms) / sizeof(geoms[0]); g++)
		ask(it, &geoms[g]);
}

/* Lengths around those of format structures, and those of regions. */
static uint32_t random_length(void)
{
	static const uint32_t usual[] = {
		0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 52, 56, 88, 96, 104,
		128, 176, 256, 1280,
	};
	uint32_t len = usual[random_word() %
			     (sizeof(usual) / sizeof(usual[0]))];

	return random_word() % 4 ? len : len + random_word() % 4;
}

static struct item *random_item(uint16_t type, enum xfs_order order)
{
	struct item *it = item_new(order, "");
	unsigned int n = 1 + random_word() % 5;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t len = random_length();
		uint8_t *p = item_add(it, len, 0);

		/* small numbers are more often counts that nearly fit */
		for (uint32_t b = 0; b < len; b++)
			p[b] = random_word() % 3 ? (uint8_t)(random_word() % 4)
						 : (uint8_t)random_word();
	}
	if (it->regions[0].len_bytes >= 4) {
		uint8_t *p = it->data[0];
		uint16_t size = (uint16_t)n;

		p[0] = (uint8_t)(order == XFS_BE ? type >> 8 : type);
		p[1] = (uint8_t)(order == XFS_BE ? type : type >> 8);
		p[2] = (uint8_t)(order == XFS_BE ? size >> 8 : size);
		p[3] = (uint8_t)(order == XFS_BE ? size : size >> 8);
	}
	return it;
}

Test(logitem, survives_random_bytes_of_every_type)
{
	for (const struct xfs_name *n = xfs_li_names; n->name; n++) {
		for (int i = 0; i < 400; i++) {
			struct item *it = random_item((uint16_t)n->value,
						      i % 2 ? XFS_BE : XFS_LE);

			ask_all(it);
			item_free(it);
		}
	}
}

/*
 * One item of each shape, from logs of kernels where the other tests name
 * them: an inode with both forks, a btree root, a buffer of three runs, a
 * cancelled one, quota, a chunk, extents in both widths, mappings, reference
 * counts, attributes with two names, an exchange.
 */
enum { FORKS, EFI_64 };		/* the first two of them */

static const struct {
	enum xfs_order order;
	const char *hex;
} shapes[] = {
	[FORKS] =
	{ XFS_BE, "123b 0004 00000043 0015 0010 00000000 0000000000000085"
	  "00000000000000000000000000000000 0000000000000080 00000020 00000a00|"
	  "494e41ed0301000000000000000000000000000200000000000000000000000036b7"
	  "626daad42d6a36b7626daad42d6a36b7626daad42d6a000000000000001000000000"
	  "00000000000000000000000000001801000000000000000057eb9ef3ffffffff0000"
	  "00000000000000000004000000000000000000000000000000180000000000000000"
	  "000000000000000036b7626daad42d6a00000000000000859e776e8133164b919cff"
	  "b9f151ca1d79|01000000008002006075300100000086|"
	  "00150100020c08756e000000000000008000000000000000" },
	[EFI_64] =
	{ XFS_BE, "1236 0001 00000001 00000000028757a0 000000000000005d"
	  "00000001 00000000" },
	{ XFS_BE, "123b 0003 00000009 0000 0028 00000000 0000000000011deb"
	  "00000000000000000000000000000000 0000000000008ef0 00000010 00000b00|"
	  "494e81a4020300000000000000000000000000010000000000000000000000026b01"
	  "403a033fe7d06b01403f0ae107d06b01403f0ae107d0000000000004396e00000000"
	  "00000019000000000000000900000f010000000000000000bc708cf9|"
	  "424d415000010001ffffffffffffffffffffffffffffffff000000000000000b"
	  "00000000000011e7" },
	{ XFS_LE, "3c12 0400 0140 2000 40c2000000000000 04000000"
	  "00000000 00001001 00000000 00100000" },
	{ XFS_BE, "123c 0001 0002 0008 00000000000186a0 00000001 00000000" },
	{ XFS_BE, "123d 0002 000003ed 0000000000000168 00000001 000007f8|"
	  "44510101000003ed 00000000000000000000000000000000"
	  "00000000000000000000000000000000 00000000000001400000000000000019"
	  "00000000000000000000000000000000 00000000000000000000000000000000"
	  "00000000000000000000000000000000" },
	{ XFS_BE, "123f 0001 00000001 00000010 00000040 00000200 00000008"
	  "b6c6e253" },
	{ XFS_LE, "3612 0100 02000000 30f144c200000000 d700000000000000"
	  "01000000 d800000000000000 01000000" },
	{ XFS_LE, "4c12 0100 01000000 002b44056c272aff 8900000000000000"
	  "4a00000000000000 4100000000000000 01000000 03000000" },
	{ XFS_LE, "4412 0100 01000000 301c05046c272aff 8500000000000000"
	  "2660000000000000 2600000000000000 01000000 01000020" },
	{ XFS_LE, "4212 0100 02000000 704856758188ffff 9460000000000000"
	  "01000000 02000000 7362000000000000 01000000 01000000" },
	{ XFS_BE, "1246 0005 4636ecf9 000000003825fdd0 00000000000000a5"
	  "00000006 0003 0003 0000000c 00000008|66323100|66343900|"
	  "0000000000000092 6d741e41|0000000000000092 6d741e41" },
	{ XFS_BE, "1248 0001 00000000 0000000037751aa8 00000000000000a1"
	  "00000000000000ad 6fe9cf14 a7225302 000000000000000b"
	  "000000000000000b 00000000000000f5 0000000000000002"
	  "00000000000c0000 0000000000100000" },
};

static struct item *shape(size_t i)
{
	struct item *it = item_new(shapes[i].order, shapes[i].hex);
	unsigned int wanted = get_w16(it->data[0] + 2, it->v.order);

	/* chunks of a buffer */
	while (it->v.nregions < wanted)
		item_add(it, XFS_CHUNK_BYTES, 0xff);
	return it;
}

/* Forks may have any length that fits, and an EFI has two. */
static bool may_be_cut(size_t i, uint32_t bytes)
{
	return i == FORKS || (i == EFI_64 && bytes == 28);
}

/* Cut at every byte of every region, and behind it: the rest is not there. */
Test(logitem, survives_being_cut_anywhere)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct item *it = shape(i);

		cr_expect_null(xfs_logitem_verify(&it->v));
		for (unsigned int r = 0; r < it->v.nregions; r++) {
			uint32_t len = it->regions[r].len_bytes;

			for (uint32_t b = 0; b <= len; b++) {
				struct item *cut = item_cut(it, r + 1, b);

				ask_all(cut);
				cr_expect(b == len || may_be_cut(i, b) ||
					  xfs_logitem_verify(&cut->v));
				item_free(cut);
			}
		}
		item_free(it);
	}
}

Test(logitem, survives_every_byte_being_wrong)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct item *it = shape(i);

		for (unsigned int r = 0; r < it->v.nregions; r++) {
			for (uint32_t b = 0; b < it->regions[r].len_bytes; b++) {
				uint8_t was = it->data[r][b];

				for (size_t k = 0; k < sizeof(values); k++) {
					it->data[r][b] = values[k];
					ask_all(it);
				}
				it->data[r][b] = was;
			}
		}
		item_free(it);
	}
}

/* A field and its neighbours at once: 64-bit numbers, pairs of lengths. */
Test(logitem, survives_every_word_being_absurd)
{
	static const uint8_t fills[] = { 0x00, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct item *it = shape(i);
		uint32_t len = it->regions[0].len_bytes;

		for (uint32_t b = 4; b + 8 <= len; b += 2) {
			uint8_t was[8];

			memcpy(was, it->data[0] + b, 8);
			for (size_t k = 0; k < sizeof(fills); k++) {
				memset(it->data[0] + b, fills[k], 8);
				ask_all(it);
				memset(it->data[0] + b, fills[k], 4);
				memcpy(it->data[0] + b + 4, was + 4, 4);
				ask_all(it);
			}
			memcpy(it->data[0] + b, was, 8);
		}
		item_free(it);
	}
}
