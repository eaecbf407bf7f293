/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Roots of btrees in inodes, on disk and in the log, as kernels wrote them;
 * tests/fixtures/README.md says which. Roots of files on disk are what
 *	xfs_db -r -c 'inode N' -c print IMAGE
 * says. Realtime trees it does not know: there the keys of a root must be the
 * first records of the blocks it points at.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/btree.h"
#include "tests/lib/fixture.h"
#include "tests/lib/walktext.h"

#define NULL64	"18446744073709551615"
#define ALONE64	" bb_leftsib=" NULL64 " bb_rightsib=" NULL64
#define RTGROUPS " bb_uuid=d149801d9f12425a9448d004ae6ecf52"
#define NO_FLAGS " rm_attr_fork=0 rm_bmbt_block=0"
#define NO_FLAGS_HI " rm_attr_fork_hi=0 rm_bmbt_block_hi=0"

static struct walktext text;

static struct xfs_walk walk_of(const uint8_t *data, size_t len_bytes)
{
	memset(&text, 0, sizeof(text));
	return (struct xfs_walk){
		.base = data, .len_bytes = len_bytes,
		.ops = &walktext_ops, .ctx = &text,
	};
}

struct root {
	const char	*file;
	enum xfs_btree_kind kind;
	const char	*text;		/* all that is shown */
};

static const struct root forks[] = {
	{ "btree/bmbt_v4.fork", XFS_BTREE_BMAP,
	  "bb_level=1 bb_numrecs=2"
	  " keys[1]{br_startoff=0} keys[2]{br_startoff=254}"
	  " ptrs[1]{ptr=13} ptrs[2]{ptr=15}" },
	{ "btree/bmbt_v4_attr.fork", XFS_BTREE_BMAP,
	  "bb_level=1 bb_numrecs=1 keys[1]{br_startoff=0}"
	  " ptrs[1]{ptr=4351}" },
	{ "btree/bmbt_v5.fork", XFS_BTREE_BMAP,
	  "bb_level=1 bb_numrecs=2"
	  " keys[1]{br_startoff=0} keys[2]{br_startoff=140}"
	  " ptrs[1]{ptr=49214} ptrs[2]{ptr=49213}" },
	/* the second pointer is that of rtrmapbt_leaf, its first record 270 */
	{ "btree/rtrmapbt_node.fork", XFS_BTREE_RTRMAP,
	  "bb_level=1 bb_numrecs=2"
	  " keys[1]{rm_startblock=0 rm_owner=133 rm_offset=0" NO_FLAGS
	  " rm_startblock_hi=270 rm_owner_hi=133 rm_offset_hi=24"
	  NO_FLAGS_HI "}"
	  " keys[2]{rm_startblock=270 rm_owner=135 rm_offset=24" NO_FLAGS
	  " rm_startblock_hi=330 rm_owner_hi=135 rm_offset_hi=148"
	  NO_FLAGS_HI "}"
	  " ptrs[1]{ptr=40990} ptrs[2]{ptr=40995}" },
	{ "btree/rtrmapbt_leaf.fork", XFS_BTREE_RTRMAP,
	  "bb_level=0 bb_numrecs=2"
	  " recs[1]{rm_startblock=0 rm_blockcount=1 rm_owner=132 rm_offset=0"
	  NO_FLAGS " rm_unwritten=0}"
	  " recs[2]{rm_startblock=2 rm_blockcount=1 rm_owner=132 rm_offset=2"
	  NO_FLAGS " rm_unwritten=0}" },
	/* its pointer is that of rtrefcountbt_leaf, whose first record is 32 */
	{ "btree/rtrefcountbt_node.fork", XFS_BTREE_RTREFC,
	  "bb_level=1 bb_numrecs=1 keys[1]{rc_cow=0 rc_startblock=32}"
	  " ptrs[1]{ptr=40992}" },
};

static void expect_root(const struct root *r, bool v5)
{
	size_t len_bytes;
	uint8_t *data = fixture_new(r->file, &len_bytes);
	struct xfs_walk w = walk_of(data, len_bytes);

	if (strstr(r->file, ".fork"))
		xfs_iroot_walk(&w, r->kind, 0, len_bytes);
	else
		xfs_broot_walk(&w, r->kind, v5);
	cr_expect_str_eq(text.text, r->text, "%s: %s", r->file, text.text);
	free(data);
}

Test(iroot_walk, shows_roots_on_disk)
{
	for (unsigned int i = 0; i < sizeof(forks) / sizeof(forks[0]); i++)
		expect_root(&forks[i], true);
}

Test(iroot_walk, shows_records_of_rtrefcount_in_the_inode)
{
	size_t len_bytes;
	uint8_t *data = fixture_new("btree/rtrefcountbt_leaf.fork",
				    &len_bytes);
	struct xfs_walk w = walk_of(data, len_bytes);

	xfs_iroot_walk(&w, XFS_BTREE_RTREFC, 0, len_bytes);
	cr_expect_not_null(strstr(text.text, "bb_level=0 bb_numrecs=10"
				  " recs[1]{rc_cow=0 rc_startblock=122"
				  " rc_blockcount=4 rc_refcount=2}"));
	cr_expect_not_null(strstr(text.text, " recs[10]{rc_cow=0"
				  " rc_startblock=4670 rc_blockcount=6"
				  " rc_refcount=2}"));
	cr_expect_null(strstr(text.text, "recs[11]"));
	free(data);
}

Test(bmdr_walk, finds_the_root_inside_an_inode)
{
	size_t fork_bytes;
	uint8_t *fork = fixture_new("btree/bmbt_v4.fork", &fork_bytes);
	uint8_t *inode = malloc(100 + fork_bytes);
	struct xfs_walk w = walk_of(inode, 100 + fork_bytes);

	cr_assert_not_null(inode);
	memset(inode, 0xff, 100);
	memcpy(inode + 100, fork, fork_bytes);
	xfs_bmdr_walk(&w, 100, fork_bytes);
	cr_expect_str_eq(text.text, forks[0].text);
	free(inode);
	free(fork);
}

Test(bmdr_walk, stays_inside_what_is_there)
{
	size_t fork_bytes;
	uint8_t *fork = fixture_new("btree/bmbt_v4.fork", &fork_bytes);
	struct xfs_walk w = walk_of(fork, fork_bytes);

	/* a fork said to be longer than the buffer: its pointers lie outside */
	xfs_bmdr_walk(&w, 0, 400);
	cr_expect_str_eq(text.text, "bb_level=1 bb_numrecs=2"
			 " keys[1]{br_startoff=0} keys[2]{br_startoff=254}");
	w = walk_of(fork, fork_bytes);
	xfs_bmdr_walk(&w, 0, 3);
	cr_expect_str_eq(text.text, "");
	w = walk_of(fork, fork_bytes);
	xfs_bmdr_walk(&w, fork_bytes - 2, 100);
	cr_expect_str_eq(text.text, "");
	free(fork);
}

Test(broot_walk, shows_records_of_rtrefcount)
{
	size_t len_bytes;
	uint8_t *data = fixture_new("btree/rtrefcountbt_leaf.region",
				    &len_bytes);
	struct xfs_walk w = walk_of(data, len_bytes);

	xfs_broot_walk(&w, XFS_BTREE_RTREFC, true);
	cr_expect_not_null(strstr(text.text, "bb_numrecs=9 "));
	cr_expect_not_null(strstr(text.text, " recs[1]{rc_cow=1"
				  " rc_startblock=257 rc_blockcount=1"
				  " rc_refcount=1}"));
	cr_expect_not_null(strstr(text.text, " recs[9]{rc_cow=1"
				  " rc_startblock=273 rc_blockcount=15"
				  " rc_refcount=1}"));
	cr_expect_null(strstr(text.text, "recs[10]"));
	free(data);
}

/*
 * Regions of inode items; their contents as read in a hex dump. All have the
 * header a block in memory begins with, with no place of its own and whatever
 * stood in memory for a checksum.
 */
#define REGION_HDR(magic, level, numrecs, uuid, owner, crc)		\
	"hdr{bb_magic=" magic " bb_level=" level " bb_numrecs=" numrecs	\
	ALONE64 " bb_blkno=" NULL64 " bb_lsn=0" uuid " bb_owner=" owner	\
	" bb_crc=" crc "}"

static const struct root regions[] = {
	{ "btree/bmbt_v4.region", XFS_BTREE_BMAP,
	  "hdr{bb_magic=0x424d4150 bb_level=1 bb_numrecs=2" ALONE64 "}"
	  " keys[1]{br_startoff=0} keys[2]{br_startoff=254}"
	  " ptrs[1]{ptr=716} ptrs[2]{ptr=717}" },
	{ "btree/bmbt_v5.region", XFS_BTREE_BMAP,
	  REGION_HDR("0x424d4133", "1", "3",
		     " bb_uuid=4f23bb77edfa466194b7cb37299a95b2", "155965",
		     "0xc")
	  " keys[1]{br_startoff=0} keys[2]{br_startoff=753}"
	  " keys[3]{br_startoff=1449}"
	  " ptrs[1]{ptr=19497} ptrs[2]{ptr=34} ptrs[3]{ptr=36}" },
	{ "btree/rtrmapbt_node.region", XFS_BTREE_RTRMAP,
	  REGION_HDR("0x4d415052", "1", "3", RTGROUPS, "327819", "0x0")
	  " keys[1]{rm_startblock=0 rm_owner=132 rm_offset=0" NO_FLAGS
	  " rm_startblock_hi=66 rm_owner_hi=133 rm_offset_hi=66"
	  NO_FLAGS_HI "}"
	  " keys[2]{rm_startblock=66 rm_owner=134 rm_offset=66" NO_FLAGS
	  " rm_startblock_hi=108 rm_owner_hi=132 rm_offset_hi=108"
	  NO_FLAGS_HI "}"
	  " keys[3]{rm_startblock=108 rm_owner=133 rm_offset=108" NO_FLAGS
	  " rm_startblock_hi=191 rm_owner_hi=132 rm_offset_hi=191"
	  NO_FLAGS_HI "}"
	  " ptrs[1]{ptr=40990} ptrs[2]{ptr=40992} ptrs[3]{ptr=40993}" },
	{ "btree/rtrmapbt_leaf.region", XFS_BTREE_RTRMAP,
	  REGION_HDR("0x4d415052", "0", "2", RTGROUPS, "327823", "0x0")
	  " recs[1]{rm_startblock=0 rm_blockcount=71 rm_owner=131"
	  " rm_offset=0" NO_FLAGS " rm_unwritten=0}"
	  " recs[2]{rm_startblock=71 rm_blockcount=57 rm_owner=131"
	  " rm_offset=71" NO_FLAGS " rm_unwritten=1}" },
	{ "btree/rtrefcountbt_node.region", XFS_BTREE_RTREFC,
	  REGION_HDR("0x52434e54", "1", "1", RTGROUPS, "327820", "0x0")
	  " keys[1]{rc_cow=0 rc_startblock=0} ptrs[1]{ptr=40991}" },
};

Test(broot_walk, shows_roots_in_the_log)
{
	for (unsigned int i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		expect_root(&regions[i],
			    !strstr(regions[i].file, "_v4"));
}

/* --- verification --- */

Test(bmdr_verify, passes_roots_of_kernels)
{
	for (unsigned int i = 0; i < sizeof(forks) / sizeof(forks[0]); i++) {
		size_t len_bytes;
		uint8_t *data = fixture_new(forks[i].file, &len_bytes);

		cr_expect_null(xfs_bmdr_verify(data, forks[i].kind,
					       len_bytes));
		free(data);
	}
}

Test(bmdr_verify, refuses_what_cannot_be)
{
	size_t len_bytes;
	uint8_t *data = fixture_new("btree/bmbt_v4.fork", &len_bytes);

	cr_expect_not_null(xfs_bmdr_verify(data, XFS_BTREE_BMAP, 3));
	/* room for (156 - 4) / 16 */
	put_be16(data + 2, 9);
	cr_expect_null(xfs_bmdr_verify(data, XFS_BTREE_BMAP, len_bytes));
	put_be16(data + 2, 10);
	cr_expect_not_null(xfs_bmdr_verify(data, XFS_BTREE_BMAP, len_bytes));
	put_be16(data + 2, 0);
	cr_expect_not_null(xfs_bmdr_verify(data, XFS_BTREE_BMAP, len_bytes));
	put_be16(data + 2, 2);
	put_be16(data, XFS_BTREE_MAX_LEVELS);
	cr_expect_not_null(xfs_bmdr_verify(data, XFS_BTREE_BMAP, len_bytes));
	/* extents in the fork itself are a list, no tree */
	put_be16(data, 0);
	cr_expect_not_null(xfs_bmdr_verify(data, XFS_BTREE_BMAP, len_bytes));
	cr_expect_null(xfs_bmdr_verify(data, XFS_BTREE_RTRMAP, len_bytes));
	free(data);
}

/* --- roots for forks of another size --- */

Test(bmdr_resize, moves_the_pointers)
{
	static const char *what =
		"bb_level=1 bb_numrecs=2"
		" keys[1]{br_startoff=0} keys[2]{br_startoff=140}"
		" ptrs[1]{ptr=49214} ptrs[2]{ptr=49213}";
	uint8_t fork[512] = { 0 };
	size_t len_bytes;
	uint8_t *data = fixture_new("btree/bmbt_v5.fork", &len_bytes);
	struct xfs_walk w = walk_of(fork, sizeof(fork));

	memcpy(fork, data, len_bytes);
	for (size_t bytes = sizeof(fork); bytes >= 4 + 2 * 16; bytes -= 8) {
		cr_assert(xfs_bmdr_resize(fork, XFS_BTREE_BMAP, len_bytes,
					  bytes));
		len_bytes = bytes;
		memset(&text, 0, sizeof(text));
		xfs_iroot_walk(&w, XFS_BTREE_BMAP, 0, bytes);
		cr_assert(!strcmp(text.text, what), "%zu: %s", bytes, text.text);
	}
	/* two elements and no more room */
	cr_expect_not(xfs_bmdr_resize(fork, XFS_BTREE_BMAP, len_bytes,
				      4 + 2 * 16 - 1));
	memset(&text, 0, sizeof(text));
	xfs_iroot_walk(&w, XFS_BTREE_BMAP, 0, len_bytes);
	cr_expect(!strcmp(text.text, what), "%s", text.text);
	free(data);
}
