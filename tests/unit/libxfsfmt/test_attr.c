/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes as Linux wrote them; tests/fixtures/README.md says which. What is
 * expected of them is what "xfs_db -r -c 'fsblock N' -c 'type attr3' -c print"
 * prints (attr for version 4); for parent pointers, which xfs_db 6.1 does not
 * know, what a directory of the same image says.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/attr.h"
#include "libxfsfmt/geom.h"
#include "tests/lib/fixture.h"
#include "tests/lib/garbage.h"
#include "tests/lib/walktext.h"

static const struct xfs_geom v5 = { .v5 = true }, v4 = { .v5 = false };

static uint8_t block[4096];
static struct walktext out;

static void show(const char *name, size_t len_bytes, garbage_fn fn,
		 const struct xfs_geom *geom, const uint32_t *chunks)
{
	struct xfs_walk w = {
		.base = block, .len_bytes = len_bytes, .chunks = chunks,
		.geom = geom, .ops = &walktext_ops, .ctx = &out,
	};

	fixture_load(name, block, len_bytes);
	memset(&out, 0, sizeof(out));
	fn(&w);
	cr_assert_eq(out.depth, 0);
}

#define has(part) \
	cr_assert_not_null(strstr(out.text, part), "%s: %s", part, out.text)
#define has_not(part) cr_assert_null(strstr(out.text, part), "%s", out.text)

/* --- leaf --- */

Test(attr_leaf_walk, shows_local_and_remote_values)
{
	show("attr/leaf_v5.block", 4096, xfs_attr_leaf_walk, &v5, NULL);
	has("hdr{forw=0 back=0 magic=0x3bee crc=0xdf49447 blkno=432 "
	    "lsn=4294968979 uuid=2bee5f1a889f46f7b929ee9d1da9b455 owner=171 "
	    "count=2 usedbytes=216 firstused=3880 holes=0 "
	    "freemap[0]{base=96 size=3784} freemap[1]{base=0 size=0} "
	    "freemap[2]{base=0 size=0}} "
	    "entries[0]{hashval=0x6485bc77 nameidx=3880 flags=local} "
	    "entries[1]{hashval=0x83c84ac6 nameidx=4072 flags=0x0} "
	    "nvlist[0]{valuelen=174 namelen=12 name=attr26_17576 "
	    "value=602c796d766560");
	has("nvlist[1]{valueblk=1 valuelen=4386 namelen=11 "
	    "name=attr21_9261}");
}

Test(attr_leaf_walk, version_4)
{
	show("attr/leaf_v4.block", 4096, xfs_attr_leaf_walk, &v4, NULL);
	has("hdr{forw=0 back=0 magic=0xfbee count=2 usedbytes=180 "
	    "firstused=3916 holes=0 freemap[0]{base=48 size=3868} ");
	has("nvlist[0]{valueblk=1 valuelen=3969 namelen=12 "
	    "name=attr33_35937} "
	    "nvlist[1]{valuelen=139 namelen=11 name=attr14_2744 value=796d");
}

Test(attr_leaf_walk, shows_parent_pointers)
{
	show("attr/leaf_parent.block", 1024, xfs_attr_leaf_walk, &v5, NULL);
	has("entries[0]{hashval=0x1e3371 nameidx=1004 flags=local|parent}");
	/* "xf1" is in the root directory, inode 64 */
	has("nvlist[0]{valuelen=12 namelen=3 name=xf1 "
	    "parent{p_ino=64 p_gen=0}}");
	has("nvlist[20]{valueblk=126 valuelen=900 namelen=4 name=x119}");
}

Test(attr_leaf_walk, shows_only_what_is_there)
{
	const uint32_t first = 1, second = 2, last = 0x80000000;

	show("attr/leaf_v5.block", 4096, xfs_attr_leaf_walk, &v5, &first);
	has("entries[1]{");
	has_not("nvlist");
	/* names are not taken for entries, though nothing counts those */
	show("attr/leaf_v5.block", 4096, xfs_attr_leaf_walk, &v5, &last);
	cr_assert_str_eq(out.text, "");
	/* here the last entries are followed by zeros */
	show("attr/leaf_parent.block", 1024, xfs_attr_leaf_walk, &v5, &second);
	has("entries[6]{hashval=");
	has("entries[20]{hashval=");
	has_not("entries[21]{");
}

Test(attr_leaf_walk, shows_no_more_than_the_block_has)
{
	struct garbage_sum once, again;

	fixture_load("attr/leaf_v5.block", block, 4096);
	once = garbage_show(xfs_attr_leaf_walk, block, 4096, NULL, &v5);
	/* 400 entries that all point at the one value of 174 bytes */
	block[56] = 400 >> 8;
	block[57] = 400 & 0xff;
	for (size_t i = 1; i < 400; i++)
		memcpy(block + 80 + i * 8, block + 80, 8);
	again = garbage_show(xfs_attr_leaf_walk, block, 4096, NULL, &v5);
	/* 5 to an entry, and 22 names with values of 189 bytes fit in 4096 */
	cr_assert(again.shown < once.shown + 400 * 5 + 22 * 6,
		  "%zu", again.shown);
}

Test(attr_leaf_walk, survives_garbage)
{
	fixture_load("attr/leaf_v5.block", block, 4096);
	garbage_all(xfs_attr_leaf_walk, block, 4096, &v5);
	fixture_load("attr/leaf_v4.block", block, 4096);
	garbage_all(xfs_attr_leaf_walk, block, 4096, &v4);
	fixture_load("attr/leaf_parent.block", block, 1024);
	garbage_all(xfs_attr_leaf_walk, block, 1024, NULL);
	fixture_load("attr/node_v5.block", block, 1024);
	garbage_all(xfs_da_node_walk, block, 1024, &v5);
}

static const char *why(size_t off, uint8_t value)
{
	fixture_load("attr/leaf_v5.block", block, 4096);
	block[off] = value;
	return xfs_attr_leaf_verify(block, 4096, &v5);
}

Test(attr_leaf_verify, judges)
{
	cr_assert_null(why(12, 0));
	cr_assert_str_eq(why(8, 0),
			 "bad magic number of an attribute leaf");
	cr_assert_str_eq(why(56, 0x10),
			 "bad count of entries in an attribute leaf");
	cr_assert_str_eq(why(60, 0),
			 "bad count of entries in an attribute leaf");
	cr_assert_str_eq(why(61, 0xff), "attribute name outside its leaf");
	cr_assert_str_eq(why(65, 97), "bad free space in an attribute leaf");
	cr_assert_str_eq(why(80, 0xff),
			 "entries of an attribute leaf out of order");
	cr_assert_str_eq(why(84, 0), "attribute name outside its leaf");
	cr_assert_str_eq(why(86, 0x41), "attribute with unknown flags");
	cr_assert_str_eq(why(86, 0x07), "attribute in two namespaces");
	cr_assert_str_eq(why(3880, 0xff), "attribute name outside its leaf");
	cr_assert_str_eq(why(3882, 0), "attribute without a name");
	cr_assert_str_eq(why(4080, 0), "attribute without a name");
	cr_assert_str_eq(why(4080, 255), "attribute name outside its leaf");
	cr_assert_str_eq(why(4075, 0),
			 "attribute without the block of its value");
	cr_assert_str_eq(xfs_attr_leaf_verify(block, 79, &v5),
			 "attribute leaf shorter than its header");
}

Test(attr_leaf_verify, accepts_what_linux_wrote)
{
	fixture_load("attr/leaf_v4.block", block, 4096);
	cr_assert_null(xfs_attr_leaf_verify(block, 4096, &v4));
	fixture_load("attr/leaf_parent.block", block, 1024);
	cr_assert_null(xfs_attr_leaf_verify(block, 1024, &v5));
	fixture_load("attr/node_v5.block", block, 1024);
	cr_assert_null(xfs_da_node_verify(block, 1024, &v5));
}

/* --- remote values --- */

Test(attr_rmt_walk, shows_header_and_data)
{
	static const char text[] = "hdr{rm_magic=0x5841524d rm_offset=0 "
		"rm_bytes=900 rm_crc=0x9512522c "
		"rm_uuid=20c060fa8c3844f6bba7df3191bcef00 rm_owner=3580 "
		"rm_blkno=3598 rm_lsn=18446744073709551615} data=676767";

	show("attr/rmt_v5.block", 1024, xfs_attr_rmt_walk, &v5, NULL);
	cr_assert_eq(strncmp(out.text, text, sizeof(text) - 1), 0, "%s",
		     out.text);
	cr_assert_eq(out.len, sizeof(text) - 1 - 6 + 2 * 900);
	cr_assert_null(xfs_attr_rmt_verify(block, 1024, &v5));
	garbage_all(xfs_attr_rmt_walk, block, 1024, &v5);
}

Test(attr_rmt_verify, judges)
{
	fixture_load("attr/rmt_v5.block", block, 1024);
	block[10] = 4;
	cr_assert_str_eq(xfs_attr_rmt_verify(block, 1024, &v5),
			 "remote attribute block with a bad length");
	block[10] = 3;
	block[5] = 1;
	cr_assert_str_eq(xfs_attr_rmt_verify(block, 1024, &v5),
			 "remote attribute value too long");
	block[0] = 0;
	cr_assert_str_eq(xfs_attr_rmt_verify(block, 1024, &v5),
			 "bad magic number of a remote attribute block");
	cr_assert_str_eq(xfs_attr_rmt_verify(block, 55, &v5),
			 "remote attribute block shorter than its header");
}

/* --- shortform: the forks of inodes --- */

enum { CORE = 176 };

/* The attribute fork of a fixture, its length behind @len_bytes. */
static const uint8_t *fork_of(const char *inode, size_t *len_bytes)
{
	size_t off;

	fixture_load(inode, block, 512);
	off = CORE + (size_t)block[82] * 8;
	*len_bytes = 512 - off;
	return block + off;
}

static void sf_walk(const struct xfs_walk *w)
{
	xfs_attr_sf_walk(w, 0, w->len_bytes);
}

static void show_sf(const char *inode)
{
	struct xfs_walk w = { .ops = &walktext_ops, .ctx = &out };

	w.base = fork_of(inode, &w.len_bytes);
	memset(&out, 0, sizeof(out));
	sf_walk(&w);
}

Test(attr_sf_walk, shows_names_and_values)
{
	show_sf("inode/v5_reflink.inode");
	cr_assert_str_eq(out.text, "hdr{totsize=27 count=1} "
		"list[0]{namelen=12 valuelen=8 flags=0x0 name=attr34_39304 "
		"value=75602c796d766560}");
}

Test(attr_sf_walk, shows_parent_pointers)
{
	show_sf("inode/v5_nrext64.inode");
	/* The names of directory 67 are the names of these. */
	cr_assert_str_eq(out.text, "hdr{totsize=62 count=1} "
		"list[0]{namelen=43 valuelen=12 flags=parent "
		"name=e0_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx "
		"parent{p_ino=67 p_gen=766604226}}");
}

Test(attr_sf_walk, survives_garbage)
{
	uint8_t copy[512];
	const uint8_t *p;
	size_t len_bytes;

	p = fork_of("inode/v5_reflink.inode", &len_bytes);
	memcpy(copy, p, len_bytes);
	garbage_all(sf_walk, copy, len_bytes, NULL);
	p = fork_of("inode/v5_nrext64.inode", &len_bytes);
	memcpy(copy, p, len_bytes);
	garbage_all(sf_walk, copy, len_bytes, NULL);
}

static const char *sf_why(size_t off, uint8_t value)
{
	size_t len_bytes;
	uint8_t *p = block + (fork_of("inode/v5_reflink.inode", &len_bytes) -
			      block);

	p[off] = value;
	return xfs_attr_sf_verify(p, len_bytes);
}

Test(attr_sf_verify, judges)
{
	cr_assert_null(sf_why(3, 0));
	cr_assert_str_eq(xfs_attr_sf_verify(block, 3),
			 "shortform attributes shorter than their header");
	cr_assert_str_eq(sf_why(0, 0xff),
			 "bad length of shortform attributes");
	cr_assert_str_eq(sf_why(2, 0xff), "shortform attribute does not fit");
	cr_assert_str_eq(sf_why(2, 0),
			 "shortform attributes do not end with the last one");
	cr_assert_str_eq(sf_why(4, 0), "attribute without a name");
	cr_assert_str_eq(sf_why(5, 0xff), "shortform attribute does not fit");
	cr_assert_str_eq(sf_why(6, 0x10), "attribute with unknown flags");
	cr_assert_str_eq(sf_why(6, 0x0a), "attribute in two namespaces");
}
