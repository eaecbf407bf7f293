/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the verifier of btree blocks refuses, one thing at a time: blocks of
 * kernels in which one thing is changed, with a new checksum where that is not
 * the thing. And walks over garbage, which must stay inside the block.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/btree.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/geom.h"
#include "tests/lib/fixture.h"
#include "tests/lib/garbage.h"

/* The filesystems the blocks are from; see also test_btree.c. */
static const struct xfs_geom bs2k = {
	.blocklog = 11, .blocksize = 2048, .agblklog = 14, .agblocks = 12288,
	.agcount = 4, .dblocks = 49152, .v5 = true, .sparse = true,
	.meta_uuid = { 0x2d, 0x86, 0x7e, 0xce, 0x74, 0x5d, 0x4d, 0x09,
		       0x80, 0xc6, 0xfd, 0x96, 0x46, 0x4f, 0xce, 0x47 },
};
static const struct xfs_geom quota_v4 = {
	.blocklog = 12, .blocksize = 4096, .agblklog = 12, .agblocks = 4096,
	.agcount = 4, .dblocks = 16384,
};

/* A block to change, and what was first said of it. */
struct patient {
	uint8_t		*data;
	size_t		len_bytes;
	enum xfs_btree_kind kind;
	const struct xfs_geom *geom;
	xfs_daddr_t	daddr;
	size_t		crc_off;
};

static struct patient p;

static void admit(const char *name, enum xfs_btree_kind kind,
		  const struct xfs_geom *geom, xfs_daddr_t daddr)
{
	size_t len_bytes;
	uint8_t *data = fixture_new(name, &len_bytes);

	free(p.data);
	p = (struct patient){
		.data = data, .len_bytes = len_bytes, .kind = kind,
		.geom = geom, .daddr = daddr,
		.crc_off = xfs_btree_ops[kind].is_long ?
			   XFS_BTREE_LONG_CRC_OFF : XFS_BTREE_SHORT_CRC_OFF,
	};
}

static const char *verdict(void)
{
	if (p.geom->v5)
		put_le32(p.data + p.crc_off,
			 xfs_crc_block(p.data, p.len_bytes, p.crc_off));
	return xfs_btree_verify(p.data, p.len_bytes, p.kind, p.geom, p.daddr);
}

static void discharge(void)
{
	free(p.data);
	p.data = NULL;
}

static void short_leaf(void)
{
	admit("btree/bnobt_v5_leaf.block", XFS_BTREE_BNO, &bs2k, 147460);
}

static void long_node(void)
{
	admit("btree/bmbt_v5_node.block", XFS_BTREE_BMAP, &bs2k, 147924);
}

static void v4_leaf(void)
{
	admit("btree/bmbt_v4_leaf.block", XFS_BTREE_BMAP, &quota_v4, 36776);
}

TestSuite(btree_verify, .fini = discharge);

Test(btree_verify, passes_what_is_unchanged)
{
	short_leaf();
	cr_expect_null(verdict());
	long_node();
	cr_expect_null(verdict());
	v4_leaf();
	cr_expect_null(verdict());
}

Test(btree_verify, refuses_a_changed_byte)
{
	for (size_t off = 0; off < 2048; off += 61) {
		short_leaf();
		p.data[off] ^= 0x40;
		cr_expect_not_null(xfs_btree_verify(p.data, p.len_bytes, p.kind,
						    p.geom, p.daddr));
	}
}

Test(btree_verify, refuses_another_kind_or_version)
{
	struct xfs_geom old = bs2k;

	short_leaf();
	p.kind = XFS_BTREE_CNT;
	cr_expect_str_eq(verdict(), "bad magic number of a btree block");
	p.kind = XFS_BTREE_BNO;
	old.v5 = false;
	p.geom = &old;
	cr_expect_str_eq(verdict(), "bad magic number of a btree block");
	/* version 4 has no such tree, so that no magic is right */
	p.kind = XFS_BTREE_RMAP;
	put_be32(p.data, 0);
	cr_expect_str_eq(verdict(), "bad magic number of a btree block");
}

Test(btree_verify, refuses_a_part_of_a_block)
{
	short_leaf();
	p.len_bytes = 1024;
	cr_expect_str_eq(verdict(), "btree block of a wrong size");
	cr_expect_not_null(xfs_btree_verify(p.data, 0, p.kind, p.geom,
					    p.daddr));
}

Test(btree_verify, refuses_a_block_from_elsewhere)
{
	short_leaf();
	p.daddr += 4;
	cr_expect_str_eq(verdict(), "btree block of another place");
	short_leaf();
	p.data[32] ^= 1;
	cr_expect_str_eq(verdict(), "btree block of another filesystem");
	short_leaf();
	put_be32(p.data + 48, 2);
	cr_expect_str_eq(verdict(), "btree block of another allocation group");
	long_node();
	p.data[40] ^= 1;
	cr_expect_str_eq(verdict(), "btree block of another filesystem");
	/* the owner of a long block is an inode: not known here */
	long_node();
	put_be64(p.data + 56, 12345);
	cr_expect_null(verdict());
}

Test(btree_verify, bounds_the_number_of_records)
{
	/* (2048 - 56) / 8 records */
	short_leaf();
	put_be16(p.data + 6, 249);
	cr_expect_null(verdict());
	put_be16(p.data + 6, 250);
	cr_expect_str_eq(verdict(), "btree block with more records than it has "
			 "room for");
	put_be16(p.data + 6, 0);
	cr_expect_null(verdict());
	/* (2048 - 72) / 16 keys and pointers */
	long_node();
	put_be16(p.data + 6, 123);
	cr_expect_null(verdict());
	put_be16(p.data + 6, 124);
	cr_expect_not_null(verdict());
	put_be16(p.data + 6, 0);
	cr_expect_str_eq(verdict(), "btree node without keys");
}

Test(btree_verify, bounds_the_level)
{
	long_node();
	put_be16(p.data + 4, XFS_BTREE_MAX_LEVELS - 1);
	cr_expect_null(verdict());
	put_be16(p.data + 4, XFS_BTREE_MAX_LEVELS);
	cr_expect_str_eq(verdict(), "level of a btree block out of range");
}

Test(btree_verify, bounds_the_siblings)
{
	static const char why[] = "sibling of a btree block out of range";

	for (size_t off = 8; off <= 12; off += 4) {
		short_leaf();
		put_be32(p.data + off, 12287);
		cr_expect_null(verdict());
		put_be32(p.data + off, 12288);
		cr_expect_str_eq(verdict(), why);
		/* itself: block 1 of group 3 */
		put_be32(p.data + off, 1);
		cr_expect_str_eq(verdict(), why);
	}
	for (size_t off = 8; off <= 16; off += 8) {
		long_node();
		put_be64(p.data + off, UINT64_C(3) << 14 | 12287);
		cr_expect_null(verdict());
		put_be64(p.data + off, UINT64_C(3) << 14 | 12288);
		cr_expect_str_eq(verdict(), why);
		put_be64(p.data + off, UINT64_C(4) << 14);
		cr_expect_str_eq(verdict(), why);
		put_be64(p.data + off, UINT64_C(3) << 14 | 117);
		cr_expect_str_eq(verdict(), why);
	}
	v4_leaf();
	put_be64(p.data + 8, 4096 * 4);
	cr_expect_str_eq(verdict(), why);
}

Test(btree_verify, refuses_a_short_block_behind_the_groups)
{
	short_leaf();
	p.daddr = 49152 * 4;
	put_be64(p.data + 16, p.daddr);
	put_be32(p.data + 48, UINT32_MAX);
	cr_expect_not_null(verdict());
}

/* --- garbage --- */

static enum xfs_btree_kind kind_now;

static void show_block(const struct xfs_walk *w)
{
	xfs_btree_walk(w, kind_now);
	if (w->geom && !w->chunks)
		xfs_btree_verify(w->base, w->len_bytes, kind_now, w->geom, 8);
}

static void show_fork(const struct xfs_walk *w)
{
	xfs_iroot_walk(w, kind_now, 0, w->len_bytes);
	if (!w->chunks)
		xfs_bmdr_verify(w->base, kind_now, w->len_bytes);
}

static void show_region(const struct xfs_walk *w)
{
	xfs_broot_walk(w, kind_now, w->len_bytes % 2);
}

static void every_kind(garbage_fn fn, const char *name,
		       const struct xfs_geom *geom)
{
	size_t len_bytes;
	uint8_t *data = fixture_new(name, &len_bytes);

	for (unsigned int k = 0; k < XFS_BTREE_KINDS; k++) {
		kind_now = (enum xfs_btree_kind)k;
		garbage_all(fn, data, len_bytes, geom);
	}
	free(data);
}

Test(btree_walk, survives_garbage)
{
	every_kind(show_block, "btree/inobt_v4_node.block", NULL);
	every_kind(show_block, "btree/finobt_node.block", &bs2k);
	every_kind(show_block, "btree/bmbt_v5_leaf.block", &bs2k);
}

Test(iroot_walk, survives_garbage)
{
	every_kind(show_fork, "btree/rtrmapbt_node.fork", NULL);
	every_kind(show_fork, "btree/bmbt_v4_attr.fork", NULL);
}

Test(broot_walk, survives_garbage)
{
	every_kind(show_region, "btree/rtrefcountbt_leaf.region", NULL);
	every_kind(show_region, "btree/bmbt_v4.region", NULL);
}
