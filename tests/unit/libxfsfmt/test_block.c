/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Telling, judging and summing up blocks; those of tests/fixtures are by Linux
 * and mkfs.xfs. What they are is what their makers say there.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/block.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/logitem_fmt.h"
#include "tests/lib/fixture.h"
#include "tests/lib/garbage.h"
#include "tests/lib/walktext.h"

/* i386-v5, from which the blocks with checksums are that are judged here. */
static const struct xfs_geom v5 = {
	.v5 = true, .ftype = true, .bigtime = true, .reflink = true,
	.blocklog = 12, .blocksize = 4096, .dirblock_bytes = 4096,
	.sectsize = 512, .inodesize = 512, .agcount = 4, .agblocks = 6144,
	.agblklog = 13, .inopblog = 3, .dblocks = 24576,
	.meta_uuid = { 0x2b, 0xee, 0x5f, 0x1a, 0x88, 0x9f, 0x46, 0xf7,
		       0xb9, 0x29, 0xee, 0x9d, 0x1d, 0xa9, 0xb4, 0x55 },
};
static const struct xfs_geom v4 = {
	.blocklog = 12, .blocksize = 4096, .dirblock_bytes = 4096,
	.sectsize = 512, .inodesize = 256, .agcount = 4, .agblocks = 4096,
	.agblklog = 12, .inopblog = 4, .dblocks = 16384,
};

static uint8_t block[4096];

/* One of each kind, with what the log calls it. */
static const struct known {
	const char	*file;
	size_t		len_bytes;
	unsigned int	blft;
	const char	*name;
	const struct xfs_geom *geom;
} known[] = {
	{ "sb/v4rt.sb", 512, XFS_BLFT_SB, "sb", &v4 },
	{ "btree/bnobt_v4_leaf.block", 512, XFS_BLFT_BTREE, "bnobt", &v4 },
	{ "btree/bnobt_v5_node.block", 512, XFS_BLFT_BTREE, "bnobt", &v5 },
	{ "btree/cntbt_v5_leaf.block", 512, XFS_BLFT_BTREE, "cntbt", &v5 },
	{ "btree/inobt_v5_leaf.block", 512, XFS_BLFT_BTREE, "inobt", &v5 },
	{ "btree/finobt_leaf.block", 512, XFS_BLFT_BTREE, "finobt", &v5 },
	{ "btree/rmapbt_node.block", 512, XFS_BLFT_BTREE, "rmapbt", &v5 },
	{ "btree/refcountbt_leaf.block", 512, XFS_BLFT_BTREE, "refcountbt",
	  &v5 },
	{ "btree/bmbt_v4_leaf.block", 512, XFS_BLFT_BTREE, "bmbt", &v4 },
	{ "btree/bmbt_v5_leaf.block", 512, XFS_BLFT_BTREE, "bmbt", &v5 },
	{ "btree/rtrmapbt_leaf.block", 512, XFS_BLFT_BTREE, "rtrmapbt", &v5 },
	{ "btree/rtrefcountbt_leaf.block", 512, XFS_BLFT_BTREE,
	  "rtrefcountbt", &v5 },
	{ "dir/block_v5.block", 4096, XFS_BLFT_DIR_BLOCK, "dir_block", &v5 },
	{ "dir/block_v4.block", 4096, XFS_BLFT_DIR_BLOCK, "dir_block", &v4 },
	{ "dir/data_v5.block", 4096, XFS_BLFT_DIR_DATA, "dir_data", &v5 },
	{ "dir/data_v4.block", 4096, XFS_BLFT_DIR_DATA, "dir_data", &v4 },
	{ "dir/free_v5.block", 4096, XFS_BLFT_DIR_FREE, "dir_free", &v5 },
	{ "dir/free_v4.block", 4096, XFS_BLFT_DIR_FREE, "dir_free", &v4 },
	{ "dir/leaf1_v5.block", 4096, XFS_BLFT_DIR_LEAF1, "dir_leaf1", &v5 },
	{ "dir/leaf1_v4.block", 4096, XFS_BLFT_DIR_LEAF1, "dir_leaf1", &v4 },
	{ "dir/leafn_v5.block", 4096, XFS_BLFT_DIR_LEAFN, "dir_leafn", &v5 },
	{ "dir/leafn_v4.block", 4096, XFS_BLFT_DIR_LEAFN, "dir_leafn", &v4 },
	{ "dir/node_v5.block", 4096, XFS_BLFT_DA_NODE, "da_node", &v5 },
	{ "attr/node_v4.block", 4096, XFS_BLFT_DA_NODE, "da_node", &v4 },
	{ "attr/leaf_v5.block", 4096, XFS_BLFT_ATTR_LEAF, "attr_leaf", &v5 },
	{ "attr/leaf_v4.block", 4096, XFS_BLFT_ATTR_LEAF, "attr_leaf", &v4 },
	{ "attr/rmt_v5.block", 1024, XFS_BLFT_ATTR_RMT, "attr_rmt", &v5 },
	{ "symlink/v5.block", 4096, XFS_BLFT_SYMLINK, "symlink", &v5 },
	{ "symlink/v4.block", 4096, XFS_BLFT_SYMLINK, "symlink", &v4 },
	{ "inode/v5_dir.inode", 512, XFS_BLFT_DINO, "inode", &v5 },
	{ "inode/v4_link.inode", 256, XFS_BLFT_DINO, "inode", &v4 },
	{ "dquot/v5.slots", 136, XFS_BLFT_PDQUOT, "dquot", &v5 },
	{ "rt/rgbitmap.block", 512, XFS_BLFT_RTBITMAP, "rtbitmap", &v5 },
	{ "rt/rtsb.block", 512, XFS_BLFT_UNKNOWN, "rtsb", &v5 },
};

#define for_each_known(k) \
	for (const struct known *k = known; \
	     k < known + sizeof(known) / sizeof(known[0]); k++)

static struct xfs_walk walk_of(const struct known *k, const uint32_t *chunks)
{
	struct xfs_walk w = {
		.base = block, .len_bytes = k->len_bytes, .chunks = chunks,
		.geom = k->geom,
	};

	fixture_load(k->file, block, k->len_bytes);
	return w;
}

static const char *name_of(const struct xfs_block_type *t)
{
	return t ? t->name : "nothing";
}

#define is(w, blft, what) \
	cr_assert_str_eq(name_of(xfs_block_identify(w, blft)), what)

/* --- telling --- */

Test(block_identify, tells_every_kind_by_its_magic)
{
	for_each_known(k) {
		struct xfs_walk w = walk_of(k, NULL);

		is(&w, k->blft, k->name);
		if (xfs_block_identify(&w, k->blft)->magic_bytes)
			is(&w, XFS_BLFT_UNKNOWN, k->name);
	}
}

Test(block_identify, goes_by_the_log_where_the_magic_is_missing)
{
	const uint32_t second = 2;

	for_each_known(k) {
		struct xfs_walk w = walk_of(k, &second);
		bool btree = k->blft == XFS_BLFT_BTREE;

		memset(block, 0xaa, XFS_CHUNK_BYTES);
		if (k->blft == XFS_BLFT_UNKNOWN)
			cr_assert_null(xfs_block_identify(&w, k->blft));
		else
			is(&w, k->blft, btree ? "btree" : k->name);
	}
}

Test(block_identify, gives_the_row_of_the_version)
{
	const uint32_t second = 2;

	for_each_known(k) {
		struct xfs_walk w = walk_of(k, NULL);
		const struct xfs_block_type *t;
		uint8_t version = k->geom->v5 ? XFS_BLOCK_V5 : XFS_BLOCK_V4;

		t = xfs_block_identify(&w, k->blft);
		cr_assert(t->version == version ||
			  t->version == XFS_BLOCK_BOTH, "%s", k->file);
		w.chunks = &second;
		t = xfs_block_identify(&w, k->blft);
		cr_assert(!t || t->version == version ||
			  t->version == XFS_BLOCK_BOTH, "%s", k->file);
	}
}

Test(block_identify, lets_the_magic_decide_against_the_log)
{
	for_each_known(k) {
		struct xfs_walk w = walk_of(k, NULL);

		if (xfs_block_identify(&w, k->blft)->magic_bytes)
			is(&w, k->blft == XFS_BLFT_AGF ? XFS_BLFT_AGI :
							 XFS_BLFT_AGF,
			   k->name);
	}
}

/* The target "INSTALL" begins like an inode, "XD2B" like a directory. */
Test(block_identify, takes_no_bare_text_for_a_magic)
{
	static const char *const targets[] = { "INSTALL", "XD2B", "DQ",
					       "XSLX/.." };
	struct xfs_walk w = { .base = block, .len_bytes = 4096, .geom = &v4 };

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		memset(block, 0, sizeof(block));
		memcpy(block, targets[i], strlen(targets[i]));
		is(&w, XFS_BLFT_SYMLINK, "symlink");
	}
	memset(block, 0, sizeof(block));
	is(&w, XFS_BLFT_AGFL, "agfl");
	is(&w, XFS_BLFT_RTSUMMARY, "rtsummary");
	is(&w, XFS_BLFT_DIR_DATA, "nothing");
	is(&w, XFS_BLFT_BTREE, "nothing");
	is(&w, XFS_BLFT_UNKNOWN, "nothing");
	is(&w, 31, "nothing");
}

Test(block_identify_item, knows_buffers_of_unlinked_pointers)
{
	struct walktext out = { .len = 0 };
	const uint32_t second_inode = 0x10;
	struct xfs_walk w = {
		.base = block, .len_bytes = 1024, .chunks = &second_inode,
		.geom = &v5, .ops = &walktext_ops, .ctx = &out,
	};
	const struct xfs_block_type *t;

	fixture_load("inode/v5_dir.inode", block + 512, 512);
	t = xfs_block_identify_item(&w, XFS_BLFT_DINO << 11);
	xfs_block_walk(&w, t);
	cr_assert_not_null(strstr(out.text, "inode[1]{core{di_magic=0x494e"));
	memset(&out, 0, sizeof(out));
	t = xfs_block_identify_item(&w, XFS_BLFT_DINO << 11 |
				    XFS_BLF_INODE_BUF);
	xfs_block_walk(&w, t);
	cr_assert_str_eq(out.text, "inode[1]{di_next_unlinked=4294967295}");
}

/* --- showing --- */

static const struct known *shown;

static void known_walk(const struct xfs_walk *w)
{
	const struct xfs_block_type *t = xfs_block_identify(w, shown->blft);
	struct xfs_block_summary s = xfs_block_summarize(w, t);

	xfs_block_walk(w, t);
	w->ops->value(w->ctx, "level", XFS_KIND_UINT, s.level);
	w->ops->value(w->ctx, "lsn", XFS_KIND_LSN, s.lsn);
	w->ops->value(w->ctx, "owner", XFS_KIND_INO, s.owner);
	w->ops->value(w->ctx, "alone", XFS_KIND_BOOL, s.alone);
}

Test(block_walk, shows_every_kind_and_survives_garbage)
{
	for_each_known(k) {
		shown = k;
		fixture_load(k->file, block, k->len_bytes);
		garbage_all(known_walk, block, k->len_bytes, k->geom);
	}
}

/* --- judging --- */

static const char *why(const char *file, const struct xfs_geom *geom,
		       xfs_daddr_t daddr, size_t off, uint8_t flip)
{
	struct xfs_walk w = { .base = block, .len_bytes = 4096,
			      .geom = geom };
	const struct xfs_block_type *t;

	fixture_load(file, block, 4096);
	t = xfs_block_identify(&w, XFS_BLFT_UNKNOWN);
	cr_assert_not_null(t);
	block[off] ^= flip;
	return xfs_block_verify(t, block, sizeof(block), geom, daddr);
}

Test(block_verify, accepts_what_linux_wrote)
{
	cr_assert_null(why("dir/block_v5.block", &v5, 80, 0, 0));
	cr_assert_null(why("dir/data_v5.block", &v5, 51240, 0, 0));
	cr_assert_null(why("dir/leaf1_v5.block", &v5, 1408, 0, 0));
	cr_assert_null(why("attr/leaf_v5.block", &v5, 432, 0, 0));
	cr_assert_null(why("symlink/v5.block", &v5, 49672, 0, 0));
	cr_assert_null(why("dir/block_v4.block", &v4, 8, 0, 0));
	cr_assert_null(why("dir/leafn_v4.block", &v4, 8, 0, 0));
	cr_assert_null(why("attr/leaf_v4.block", &v4, 8, 0, 0));
}

static void set_crc(size_t crc_off)
{
	uint32_t crc = xfs_crc_block(block, sizeof(block), crc_off);

	put_le32(block + crc_off, crc);
}

Test(block_verify, judges_what_all_kinds_have)
{
	struct xfs_walk w = { .base = block, .len_bytes = 4096, .geom = &v5 };
	const struct xfs_block_type *t;

	cr_assert_str_eq(why("dir/block_v5.block", &v5, 80, 2000, 1),
			 "bad checksum");
	cr_assert_str_eq(why("dir/block_v5.block", &v5, 88, 0, 0),
			 "block that belongs elsewhere");
	cr_assert_str_eq(why("dir/block_v5.block", &v4, 80, 0, 0),
			 "kind of block that this version does not have");
	t = xfs_block_identify(&w, XFS_BLFT_DIR_BLOCK);
	block[24] ^= 1;
	set_crc(4);
	cr_assert_str_eq(xfs_block_verify(t, block, sizeof(block), &v5, 80),
			 "block of another filesystem (UUID)");
	block[24] ^= 1;
	block[79] ^= 1;		/* the tag of the first entry */
	set_crc(4);
	cr_assert_str_eq(xfs_block_verify(t, block, sizeof(block), &v5, 80),
			 "directory entry with a wrong tag");
	cr_assert_str_eq(xfs_block_verify(t, block, 39, &v5, 80),
			 "block shorter than its header");
}

/* Whatever it is taken for, judging it reads only what is there. */
Test(block_verify, survives_garbage)
{
	uint64_t state = 1;

	for_each_known(k) {
		for (size_t n = 0; n <= k->len_bytes; n += n < 300 ? 13 : 509) {
			uint8_t *exact = malloc(n ? n : 1);

			fixture_load(k->file, block, k->len_bytes);
			block[garbage_random(&state) % k->len_bytes] ^=
				(uint8_t)garbage_random(&state);
			memcpy(exact, block, n);
			for (const struct xfs_block_type *t = xfs_block_types;
			     t->name; t++)
				xfs_block_verify(t, exact, n, k->geom, 80);
			free(exact);
		}
	}
}

/* --- a line about it --- */

static struct xfs_block_summary sum_up(const char *file, size_t len_bytes,
				       const struct xfs_geom *geom)
{
	struct xfs_walk w = { .base = block, .len_bytes = len_bytes,
			      .geom = geom };

	fixture_load(file, block, len_bytes);
	return xfs_block_summarize(&w, xfs_block_identify(&w, 0));
}

Test(block_summarize, short_btree)
{
	struct xfs_block_summary s = sum_up("btree/rmapbt_node.block", 512,
					    &v5);

	cr_assert(s.has_magic && s.magic == 0x524d4233);
	cr_assert(s.has_level && s.level == 1 && s.alone);
	cr_assert(s.has_lsn && s.lsn == 0x200004eee);
	cr_assert(s.has_owner && s.owner_is_ag && s.owner == 1);
}

Test(block_summarize, long_btree)
{
	struct xfs_block_summary s = sum_up("btree/bmbt_v5_leaf.block", 512,
					    &v5);

	cr_assert(s.has_level && s.level == 0 && s.alone);
	cr_assert(s.has_lsn && s.lsn == 0x100001f40);
	cr_assert(s.has_owner && !s.owner_is_ag && s.owner == 0x241d1);
	s = sum_up("btree/bmbt_v4_leaf.block", 512, &v4);
	cr_assert(s.has_level && s.level == 0 && s.alone);
	cr_assert(!s.has_lsn && !s.has_owner);
}

Test(block_summarize, names_and_attributes)
{
	struct xfs_block_summary s = sum_up("dir/node_v5.block", 4096, &v5);

	cr_assert(s.has_level && s.level == 1 && s.alone);
	cr_assert(s.has_owner && s.owner == 262272);
	s = sum_up("attr/leaf_v5.block", 4096, &v5);
	cr_assert(s.has_level && s.level == 0 && s.alone);
	cr_assert(s.has_owner && s.owner == 171);
	cr_assert(s.has_lsn && s.lsn == 4294968979);
	s = sum_up("dir/leafn_v4.block", 4096, &v4);
	cr_assert(s.has_level && s.level == 0 && !s.alone);
	s = sum_up("dir/data_v5.block", 4096, &v5);
	cr_assert(!s.has_level && s.has_owner && s.owner == 65664);
}

Test(block_summarize, says_nothing_of_what_is_not_there)
{
	const uint32_t second = 2;
	struct xfs_walk w = { .base = block, .len_bytes = 512, .geom = &v5,
			      .chunks = &second };
	struct xfs_block_summary s;

	fixture_load("btree/rmapbt_node.block", block, 512);
	s = xfs_block_summarize(&w, xfs_block_identify(&w, XFS_BLFT_BTREE));
	cr_assert(!s.has_magic && !s.has_lsn && !s.has_owner && !s.has_level);
	s = xfs_block_summarize(&w, NULL);
	cr_assert(!s.has_magic && !s.has_lsn && !s.has_owner && !s.has_level);
}
