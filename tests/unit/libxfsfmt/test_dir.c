/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directories as Linux and mkfs.xfs wrote them; tests/fixtures/README.md says
 * which. What is expected of them is what "xfs_db -r -c 'fsblock N' -c 'type
 * dir3' -c print" prints (dir2 for version 4).
 */
#include <criterion/criterion.h>

#include "libxfsfmt/dirleaf.h"
#include "libxfsfmt/geom.h"
#include "tests/lib/fixture.h"
#include "tests/lib/garbage.h"
#include "tests/lib/walktext.h"

enum { BLOCK = 4096 };

/* Enough of the filesystems the blocks are from. */
static const struct xfs_geom v5 = {
	.v5 = true, .ftype = true, .blocksize = BLOCK,
	.dirblock_bytes = BLOCK, .inodesize = 512, .agcount = 4,
	.agblocks = 6144, .agblklog = 13, .inopblog = 3, .dblocks = 24576,
};
static const struct xfs_geom v4 = {
	.blocksize = BLOCK, .dirblock_bytes = BLOCK, .inodesize = 256,
	.agcount = 4, .agblocks = 4096, .agblklog = 12, .inopblog = 4,
	.dblocks = 16384,
};

static uint8_t block[BLOCK];
static struct walktext out;

static const char *show(const char *name, garbage_fn fn,
			const struct xfs_geom *geom, const uint32_t *chunks)
{
	struct xfs_walk w = {
		.base = block, .len_bytes = sizeof(block), .chunks = chunks,
		.geom = geom, .ops = &walktext_ops, .ctx = &out,
	};

	fixture_load(name, block, sizeof(block));
	memset(&out, 0, sizeof(out));
	fn(&w);
	cr_assert_eq(out.depth, 0);
	return out.text;
}

#define has(part) \
	cr_assert_not_null(strstr(out.text, part), "%s: %s", part, out.text)
#define has_not(part) cr_assert_null(strstr(out.text, part), "%s", out.text)

/* How often @part is in what was shown. */
static int count(const char *part)
{
	int n = 0;

	for (const char *p = out.text; (p = strstr(p, part)); p++)
		n++;
	return n;
}

static void bad(const char *name, garbage_fn fn, const struct xfs_geom *geom)
{
	fixture_load(name, block, sizeof(block));
	garbage_all(fn, block, sizeof(block), geom);
	garbage_all(fn, block, sizeof(block), NULL);
}

/* --- block and data --- */

Test(dir_block_walk, shows_header_entries_hashes_and_tail)
{
	show("dir/block_v5.block", xfs_dir_block_walk, &v5, NULL);
	has("bhdr{magic=0x58444233 crc=0x60ac1f6c blkno=80 lsn=4294972777 "
	    "uuid=2bee5f1a889f46f7b929ee9d1da9b455 owner=147 "
	    "bestfree[0]{offset=1576 length=2232} "
	    "bestfree[1]{offset=112 length=32} "
	    "bestfree[2]{offset=384 length=16}}");
	has("bu[0]{inumber=147 namelen=1 name=. ftype=dir tag=64}");
	has("bu[2]{inumber=152 namelen=3 name=f26 ftype=file tag=96}");
	has("bu[3]{freetag=0xffff length=32 tag=112}");
	has("bleaf[0]{hashval=0x2e address=0x8}");
	has("bleaf[34]{hashval=0xe8818e45 address=0x7c}");
	has("btail{count=35 stale=0}");
	cr_assert_eq(count(" ftype="), 35);
	cr_assert_eq(count("bleaf["), 35);
}

Test(dir_block_walk, knows_version_4_without_file_types)
{
	show("dir/block_v4.block", xfs_dir_block_walk, &v4, NULL);
	has("bhdr{magic=0x58443242 bestfree[0]{offset=");
	has("bu[0]{inumber=65666 namelen=1 name=. tag=16}");
	has_not("ftype");
	has("btail{count=");
	cr_assert_eq(count("bleaf["), count(" name="));
}

Test(dir_block_walk, finds_entries_behind_a_hole_by_their_tags)
{
	const uint32_t all_but_the_third = 0xfffffffb;

	show("dir/block_v5.block", xfs_dir_block_walk, &v5,
	     &all_but_the_third);
	/* The type of f30_dir is in the hole, like the four entries behind. */
	has("bu[5]{inumber=188 namelen=7 name=f30_dir} "
	    "bu[6]{freetag=0xffff length=16 tag=384} "
	    "bu[7]{inumber=150 namelen=3 name=f52 ftype=symlink tag=400}");
	has("bleaf[34]{hashval=0xe8818e45 address=0x7c}");
}

Test(dir_block_walk, without_the_tail_still_finds_entries)
{
	const uint32_t first_quarter = 0xff;

	show("dir/block_v5.block", xfs_dir_block_walk, &v5, &first_quarter);
	has("bu[0]{inumber=147 namelen=1 name=. ftype=dir tag=64}");
	has_not("bleaf");
	has_not("btail");
	cr_assert(count(" ftype=") >= 8);
}

Test(dir_data_walk, shows_entries_and_unused_space)
{
	show("dir/data_v5.block", xfs_dir_data_walk, &v5, NULL);
	has("owner=65664 bestfree[0]{offset=128 length=3968}");
	has("du[0]{inumber=69879 namelen=46 "
	    "name=f15_ponmlkjihgfedcbazyxwvutsrqponmlkjihgfedcba "
	    "ftype=file tag=64} du[1]{freetag=0xffff length=3968 tag=128}");
}

Test(dir_data_walk, version_4)
{
	show("dir/data_v4.block", xfs_dir_data_walk, &v4, NULL);
	has("dhdr{magic=0x58443244 bestfree[0]{offset=256 length=3840}");
	has("du[1]{inumber=153358 namelen=65 name=f7_fedcba");
	has("du[3]{freetag=0xffff length=3840 tag=256}");
}

Test(dir_data_walk, survives_garbage)
{
	bad("dir/data_v5.block", xfs_dir_data_walk, &v5);
	bad("dir/data_v4.block", xfs_dir_data_walk, &v4);
	bad("dir/block_v5.block", xfs_dir_block_walk, &v5);
	bad("dir/block_v4.block", xfs_dir_block_walk, &v4);
}

static const char *data_why(const char *name, const struct xfs_geom *geom,
			    size_t off, uint8_t value)
{
	fixture_load(name, block, sizeof(block));
	block[off] = value;
	return xfs_dir_data_verify(block, sizeof(block), geom);
}

Test(dir_data_verify, accepts_what_linux_wrote)
{
	static const struct {
		const char *name;
		const struct xfs_geom *geom;
	} good[] = {
		{ "dir/block_v5.block", &v5 }, { "dir/data_v5.block", &v5 },
		{ "dir/block_v4.block", &v4 }, { "dir/data_v4.block", &v4 },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const char *why = data_why(good[i].name, good[i].geom, 8, 0);

		cr_assert_null(why, "%s: %s", good[i].name, why);
	}
}

Test(dir_data_verify, says_what_is_wrong)
{
	const char *name = "dir/block_v5.block";

	cr_assert_str_eq(data_why(name, &v5, 0, 0),
			 "bad magic number of a directory block");
	cr_assert_str_eq(data_why(name, &v4, 0, 'X'),
			 "bad magic number of a directory block");
	cr_assert_str_eq(data_why(name, &v5, 48, 1),
			 "a long free space is not among the best");
	cr_assert_str_eq(data_why(name, &v5, 56, 2),
			 "best free space that is not free");
	cr_assert_str_eq(data_why(name, &v5, 54, 0xff),
			 "best free spaces out of order");
	cr_assert_str_eq(data_why(name, &v5, 64, 1),
			 "directory entry with a bad inode number");
	cr_assert_str_eq(data_why(name, &v5, 72, 200),
			 "directory entry with a wrong tag");
	cr_assert_str_eq(data_why(name, &v5, 74, 9),
			 "directory entry with a bad file type");
	cr_assert_str_eq(data_why(name, &v5, 79, 1),
			 "directory entry with a wrong tag");
	cr_assert_str_eq(data_why(name, &v5, 4088, 1),
			 "bad count of leaf entries in a directory block");
	cr_assert_str_eq(data_why(name, &v5, 4095, 1),
			 "leaf entries do not match the directory's entries");
	cr_assert_str_eq(data_why(name, &v5, 4088 - 35 * 8, 0xff),
			 "leaf entries of a directory block out of order");
	cr_assert_str_eq(data_why("dir/data_v5.block", &v5, 131, 0x88),
			 "directory entry does not fit in its block");
	cr_assert_str_eq(data_why("dir/data_v5.block", &v5, 57, 0x80),
			 "best free space of no length has an offset");
}

static void put_unused(size_t off, uint16_t len_bytes)
{
	put_be16(block + off, 0xffff);
	put_be16(block + off + 2, len_bytes);
	put_be16(block + off + len_bytes - 2, (uint16_t)off);
}

/* Linux joins them: all behind 128 is one of 3968 bytes here. */
Test(dir_data_verify, refuses_free_spaces_side_by_side)
{
	fixture_load("dir/data_v5.block", block, sizeof(block));
	put_unused(128, 16);
	put_unused(144, 3952);
	put_be16(block + 48, 144);
	put_be16(block + 50, 3952);
	put_be16(block + 52, 128);
	put_be16(block + 54, 16);
	cr_assert_str_eq(xfs_dir_data_verify(block, sizeof(block), &v5),
			 "free spaces side by side");
}

Test(dir_data_verify, wants_a_whole_directory_block)
{
	fixture_load("dir/data_v5.block", block, sizeof(block));
	cr_assert_str_eq(xfs_dir_data_verify(block, 2048, &v5),
			 "directory block of a wrong size");
}

/* --- leaves and free space --- */

Test(dir_leaf1_walk, shows_entries_and_best_lengths)
{
	show("dir/leaf1_v5.block", xfs_dir_leaf1_walk, &v5, NULL);
	has("lhdr{forw=0 back=0 magic=0x3df1 crc=");
	has("lents[0]{hashval=0x2e address=0x8}");
	has("count=84 stale=0} ltail{bestcount=1} lbests=112 lents[0]{");
	has("lents[83]{hashval=0xfc9968c4 address=0x96}");
	has_not("lents[84]");
	show("dir/leaf1_v4.block", xfs_dir_leaf1_walk, &v4, NULL);
	has("lhdr{forw=0 back=0 magic=0xd2f1 count=");
	has("lents[0]{hashval=0x2e address=0x2}");
}

Test(dir_leafn_walk, shows_siblings_and_stale_entries)
{
	show("dir/leafn_v4.block", xfs_dir_leafn_walk, &v4, NULL);
	has("lhdr{forw=8388616 back=8388610 magic=0xd2ff count=486 stale=98}");
	has("lents[0]{hashval=0x56b9f3e7 address=0x0} "
	    "lents[1]{hashval=0x7bc8d1a0 address=0x5b4a}");
	has_not("ltail");
}

Test(dir_leafn_walk, numbers_entries_by_their_place)
{
	const uint32_t second_chunk = 2;

	show("dir/leafn_v5.block", xfs_dir_leafn_walk, &v5, &second_chunk);
	has_not("lhdr");
	/* 64 bytes of header and eight entries are in the first chunk */
	cr_assert_eq(strncmp(out.text, "lents[8]{", 9), 0, "%s", out.text);
	cr_assert_eq(count("lents["), 16);
}

Test(dir_free_walk, shows_the_list_or_its_parts)
{
	const uint32_t second_chunk = 2;

	show("dir/free_v5.block", xfs_dir_free_walk, &v5, NULL);
	has("owner=262272 firstdb=0 nvalid=3 nused=3} fbests=0,0,");
	show("dir/free_v4.block", xfs_dir_free_walk, &v4, NULL);
	has("fhdr{magic=0x58443246 firstdb=0 nvalid=48 nused=48} "
	    "fbests=72,64,112,");
	show("dir/free_v4.block", xfs_dir_free_walk, &v4, &second_chunk);
	has_not("fhdr");
	cr_assert_eq(strncmp(out.text, "part[56]{fbests=", 16), 0, "%s",
		     out.text);
}

Test(da_node_walk, shows_header_and_entries)
{
	show("dir/node_v5.block", xfs_da_node_walk, &v5, NULL);
	has("hdr{forw=0 back=0 magic=0x3ebe crc=");
	has("owner=262272 count=2 level=1}");
	cr_assert_eq(count("btree["), 2);
	show("attr/node_v4.block", xfs_da_node_walk, &v4, NULL);
	has("hdr{forw=0 back=0 magic=0xfebe count=9 level=1} "
	    "btree[0]{hashval=0x56b9f3e6 before=8388610} ");
	has("btree[8]{hashval=0xfbf9f3e7 before=8388613}");
}

Test(dir_leaf_walk, survives_garbage)
{
	bad("dir/leaf1_v5.block", xfs_dir_leaf1_walk, &v5);
	bad("dir/leaf1_v4.block", xfs_dir_leaf1_walk, &v4);
	bad("dir/leafn_v5.block", xfs_dir_leafn_walk, &v5);
	bad("dir/leafn_v4.block", xfs_dir_leafn_walk, &v4);
	bad("dir/free_v5.block", xfs_dir_free_walk, &v5);
	bad("dir/free_v4.block", xfs_dir_free_walk, &v4);
	bad("dir/node_v5.block", xfs_da_node_walk, &v5);
	bad("attr/node_v4.block", xfs_da_node_walk, &v4);
}

static const char *why(const char *(*verify)(const uint8_t *, size_t,
					     const struct xfs_geom *),
		       const char *name, const struct xfs_geom *geom,
		       size_t off, uint8_t flip)
{
	fixture_load(name, block, sizeof(block));
	block[off] ^= flip;
	return verify(block, sizeof(block), geom);
}

Test(dir_leaf_verify, accepts_what_linux_wrote)
{
	cr_assert_null(why(xfs_dir_leaf_verify, "dir/leaf1_v5.block", &v5,
			   0, 0));
	cr_assert_null(why(xfs_dir_leaf_verify, "dir/leaf1_v4.block", &v4,
			   0, 0));
	cr_assert_null(why(xfs_dir_leaf_verify, "dir/leafn_v5.block", &v5,
			   0, 0));
	cr_assert_null(why(xfs_dir_leaf_verify, "dir/leafn_v4.block", &v4,
			   0, 0));
	cr_assert_null(why(xfs_dir_free_verify, "dir/free_v5.block", &v5,
			   0, 0));
	cr_assert_null(why(xfs_dir_free_verify, "dir/free_v4.block", &v4,
			   0, 0));
	cr_assert_null(why(xfs_da_node_verify, "dir/node_v5.block", &v5,
			   0, 0));
	cr_assert_null(why(xfs_da_node_verify, "attr/node_v4.block", &v4,
			   0, 0));
}

Test(dir_leaf_verify, says_what_is_wrong)
{
	const char *leaf1 = "dir/leaf1_v5.block";

	cr_assert_str_eq(why(xfs_dir_leaf_verify, leaf1, &v5, 8, 1),
			 "bad magic number of a directory leaf");
	cr_assert_str_eq(why(xfs_dir_leaf_verify, leaf1, &v5, 56, 0x80),
			 "bad count of entries in a directory leaf");
	cr_assert_str_eq(why(xfs_dir_leaf_verify, leaf1, &v5, 59, 1),
			 "entries of a directory leaf out of order");
	cr_assert_str_eq(why(xfs_dir_leaf_verify, leaf1, &v5, 4092, 0x80),
			 "bad count of best lengths in a directory leaf");
	cr_assert_str_eq(why(xfs_dir_leaf_verify, leaf1, &v5, 64, 0xff),
			 "entries of a directory leaf out of order");
}

Test(dir_free_verify, says_what_is_wrong)
{
	const char *name = "dir/free_v5.block";

	cr_assert_str_eq(why(xfs_dir_free_verify, name, &v5, 3, 1),
			 "bad magic number of a directory free space block");
	cr_assert_str_eq(why(xfs_dir_free_verify, name, &v5, 52, 1),
			 "bad counts in a directory free space block");
	cr_assert_str_eq(why(xfs_dir_free_verify, name, &v5, 59, 4),
			 "bad counts in a directory free space block");
	cr_assert_str_eq(why(xfs_dir_free_verify, name, &v5, 51, 1),
			 "directory free space block begins at a wrong block");
}

Test(da_node_verify, says_what_is_wrong)
{
	const char *name = "dir/node_v5.block";

	cr_assert_str_eq(why(xfs_da_node_verify, name, &v5, 9, 1),
			 "bad magic number of an interior node");
	cr_assert_str_eq(why(xfs_da_node_verify, name, &v5, 59, 1),
			 "bad level of an interior node");
	cr_assert_str_eq(why(xfs_da_node_verify, name, &v5, 56, 0x80),
			 "bad number of entries in an interior node");
	cr_assert_str_eq(why(xfs_da_node_verify, name, &v5, 57, 2),
			 "bad number of entries in an interior node");
}

/* --- names --- */

/*
 * Every name of a directory is found again under its hash: leaf entries of the
 * block as Linux sorted them, names from the entries they point at.
 */
static void same_hashes(const char *name, const struct xfs_geom *geom,
			uint32_t (*hash)(const uint8_t *, size_t))
{
	size_t end, n;

	fixture_load(name, block, sizeof(block));
	end = xfs_dir_data_end(block, sizeof(block), geom->v5);
	cr_assert(end > 0);
	n = (sizeof(block) - 8 - end) / 8;
	cr_assert_gt(n, 15);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *leaf = block + end + i * 8;
		struct xfs_dir_data_item item;

		cr_assert(xfs_dir_data_item(&item, block,
					    get_be32(leaf + 4) * 8, end,
					    geom->ftype));
		cr_assert_eq(hash(item.name, item.namelen), get_be32(leaf));
	}
}

Test(da_hashname, is_that_of_linux)
{
	same_hashes("dir/block_v5.block", &v5, xfs_da_hashname);
	same_hashes("dir/block_v4.block", &v4, xfs_da_hashname);
}

/*
 * The first two are from "xfs_db -r -c 'hash README.11'" and from the leaf
 * entry mkfs.xfs -n version=ci made for a file of that name. A lower case
 * letter is its own folding.
 */
Test(dir_ci_hashname, folds_ascii_and_latin_1)
{
	static const uint8_t upper[] = "README.TXT\xc0\xde\xd6";
	static const uint8_t lower[] = "readme.txt\xe0\xfe\xf6";
	static const uint8_t others[] = "@[`{09_\xd7\xdf\xf7\xbf";

	cr_assert_eq(xfs_da_hashname((const uint8_t *)"README.11", 9),
		     0x8a209e95);
	cr_assert_eq(xfs_dir_ci_hashname((const uint8_t *)"README.11", 9),
		     0xae601f97);
	cr_assert_eq(xfs_dir_ci_hashname(upper, sizeof(upper) - 1),
		     xfs_da_hashname(lower, sizeof(lower) - 1));
	cr_assert_eq(xfs_dir_ci_hashname(others, sizeof(others) - 1),
		     xfs_da_hashname(others, sizeof(others) - 1));
}

/* --- shortform --- */

/*
 * u of inode 128 of i386-v5 as recovered: dd bs=1 skip=65712, the bytes that
 * core.size says. Inode numbers have 4 bytes.
 */
static const uint8_t sf4[25] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x80, 0x02, 0x00, 0x60, 0x75, 0x6e, 0x02,
	0x00, 0x00, 0x00, 0x83, 0x01, 0x00, 0x70, 0x61, 0x02, 0x00, 0x01, 0x00,
	0x80,
};

/*
 * The same of the root directory of a filesystem of 8 TiB that mkfs.xfs -p
 * filled with the directories d1 to d4; the numbers of three need 8 bytes.
 */
static const uint8_t sf8[66] = {
	0x04, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x02, 0x00,
	0x60, 0x64, 0x31, 0x02, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x80,
	0x02, 0x00, 0x70, 0x64, 0x32, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
	0x00, 0x80, 0x02, 0x00, 0x80, 0x64, 0x33, 0x02, 0x00, 0x00, 0x00, 0x01,
	0x80, 0x00, 0x00, 0x80, 0x02, 0x00, 0x90, 0x64, 0x34, 0x02, 0x00, 0x00,
	0x00, 0x02, 0x00, 0x02, 0x00, 0x80
};
static const struct xfs_geom big = {
	.v5 = true, .ftype = true, .blocksize = BLOCK, .inodesize = 512,
	.agcount = 8, .agblocks = 1 << 28, .agblklog = 28, .inopblog = 3,
	.dblocks = UINT64_C(1) << 31,
};

static void sf_walk(const struct xfs_walk *w)
{
	xfs_dir_sf_walk(w, 0, w->len_bytes, true);
}

static void show_sf(const uint8_t *raw, size_t len_bytes)
{
	struct xfs_walk w = { .base = raw, .len_bytes = len_bytes,
			      .ops = &walktext_ops, .ctx = &out };

	memset(&out, 0, sizeof(out));
	sf_walk(&w);
}

Test(dir_sf_walk, shows_4_byte_numbers)
{
	show_sf(sf4, sizeof(sf4));
	cr_assert_str_eq(out.text, "hdr{count=2 i8count=0 parent=128} "
		"list[0]{namelen=2 offset=96 name=un ftype=dir inumber=131} "
		"list[1]{namelen=1 offset=112 name=a ftype=dir "
		"inumber=65664}");
}

Test(dir_sf_walk, shows_8_byte_numbers)
{
	show_sf(sf8, sizeof(sf8));
	has("hdr{count=4 i8count=3 parent=128}");
	has("list[0]{namelen=2 offset=96 name=d1 ftype=dir "
	    "inumber=2147483776}");
	has("list[3]{namelen=2 offset=144 name=d4 ftype=dir "
	    "inumber=8590065792}");
}

Test(dir_sf_walk, survives_garbage)
{
	garbage_all(sf_walk, sf4, sizeof(sf4), NULL);
	garbage_all(sf_walk, sf8, sizeof(sf8), NULL);
}

/* @raw with one byte changed, in memory that ends with it. */
static const char *sf_why(const uint8_t *raw, size_t len_bytes,
			  const struct xfs_geom *geom, size_t off,
			  uint8_t value)
{
	uint8_t *copy = malloc(len_bytes);
	const char *says;

	memcpy(copy, raw, len_bytes);
	copy[off] = value;
	says = xfs_dir_sf_verify(copy, len_bytes, geom);
	free(copy);
	return says;
}

Test(dir_sf_verify, judges)
{
	cr_assert_null(sf_why(sf4, sizeof(sf4), &v5, 0, 2));
	cr_assert_null(sf_why(sf8, sizeof(sf8), &big, 0, 4));
	cr_assert_str_eq(sf_why(sf4, 1, &v5, 0, 0),
			 "shortform directory shorter than its header");
	cr_assert_str_eq(sf_why(sf4, sizeof(sf4), &v5, 2, 0xff),
			 "bad parent inode number of a directory");
	cr_assert_str_eq(sf_why(sf4, sizeof(sf4), &v5, 0, 3),
			 "shortform directory does not end with its entries");
	cr_assert_str_eq(sf_why(sf4, sizeof(sf4), &v5, 11, 9),
			 "directory entry with a bad file type");
	cr_assert_str_eq(sf_why(sf4, sizeof(sf4), &v5, 6, 0),
			 "directory entry without a name");
	cr_assert_str_eq(sf_why(sf4, sizeof(sf4), &v5, 7, 1),
			 "directory entries out of order");
	cr_assert_str_eq(sf_why(sf4, sizeof(sf4), &v5, 8, 0x61),
			 "directory entry with a bad offset");
	cr_assert_str_eq(sf_why(sf4, sizeof(sf4), &v5, 12, 0xff),
			 "directory entry with a bad inode number");
	cr_assert_str_eq(sf_why(sf8, sizeof(sf8), &big, 1, 4),
			 "shortform directory counts its long numbers wrongly");
}
