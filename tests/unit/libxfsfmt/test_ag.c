/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The headers of a group as Linux left them; tests/fixtures/README.md says of
 * which. What is in them is what "xfs_db -r -c 'agf N' -c print IMAGE" and its
 * likes print. Damage is done to the bytes; where the checksum would hide it,
 * it is renewed by the code under test, which xfs_crc_ok() has judged by then.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/crc32c.h"
#include "tests/lib/fixture.h"
#include "tests/lib/walktext.h"

enum {
	SECTOR = 512,
	AGF = SECTOR,
	AGI = 2 * SECTOR,
	AGFL = 3 * SECTOR,
	HEADERS = 4 * SECTOR,
	V5_AGNO = 2,		/* the group v5.ag is of */
	V4_AGNO = 0,
};

static uint8_t raw[HEADERS];
static struct xfs_geom geom;

static void load(const char *name)
{
	struct xfs_sb sb;

	fixture_load(name, raw, sizeof(raw));
	xfs_sb_decode(&sb, raw, SECTOR, XFS_BE);
	cr_assert_null(xfs_sb_verify(&sb, raw, SECTOR));
	xfs_geom_init(&geom, &sb);
}

static const char *verify(int header, xfs_agnumber_t agno)
{
	switch (header) {
	case AGF:
		return xfs_agf_verify(raw + AGF, SECTOR, &geom, agno);
	case AGI:
		return xfs_agi_verify(raw + AGI, SECTOR, &geom, agno);
	default:
		return xfs_agfl_verify(raw + AGFL, SECTOR, &geom, agno);
	}
}

/* Word @off of a header set to @value, with a checksum that fits. */
static const char *damaged(int header, size_t off, uint32_t value)
{
	size_t crc_off = header == AGF ? XFS_AGF_CRC_OFF :
			 header == AGI ? XFS_AGI_CRC_OFF : XFS_AGFL_CRC_OFF;
	uint8_t save[SECTOR];
	const char *why;

	memcpy(save, raw + header, SECTOR);
	put_be32(raw + header + off, value);
	put_le32(raw + header + crc_off,
		 xfs_crc_block(raw + header, SECTOR, crc_off));
	why = verify(header, V5_AGNO);
	memcpy(raw + header, save, SECTOR);
	return why ? why : "accepted";
}

Test(agf_decode, v5)
{
	struct xfs_agf agf;

	load("ag/v5.ag");
	xfs_agf_decode(&agf, raw + AGF, SECTOR, XFS_BE);
	cr_assert_eq(agf.agf_magicnum, 0x58414746);
	cr_assert_eq(agf.agf_seqno, 2);
	cr_assert_eq(agf.agf_length, 8192);
	cr_assert_eq(agf.agf_bnoroot, 1);
	cr_assert_eq(agf.agf_cntroot, 2);
	cr_assert_eq(agf.agf_rmaproot, 5);
	cr_assert_eq(agf.agf_refcount_root, 6);
	cr_assert_eq(agf.agf_rmaplevel, 1);
	cr_assert_eq(agf.agf_refcount_level, 1);
	cr_assert_eq(agf.agf_rmap_blocks, 1);
	cr_assert_eq(agf.agf_refcount_blocks, 1);
	cr_assert_eq(agf.agf_flfirst, 1);
	cr_assert_eq(agf.agf_fllast, 6);
	cr_assert_eq(agf.agf_flcount, 6);
	cr_assert_eq(agf.agf_freeblks, 5104);
	cr_assert_eq(agf.agf_longest, 5104);
	cr_assert_eq(agf.agf_uuid[15], 0xb2);
}

Test(agi_decode, v5)
{
	struct xfs_agi agi;

	load("ag/v5.ag");
	xfs_agi_decode(&agi, raw + AGI, SECTOR, XFS_BE);
	cr_assert_eq(agi.agi_count, 192);
	cr_assert_eq(agi.agi_root, 3);
	cr_assert_eq(agi.agi_level, 1);
	cr_assert_eq(agi.agi_freecount, 56);
	cr_assert_eq(agi.agi_newino, 28672);
	cr_assert_eq(agi.agi_dirino, UINT32_MAX);
	cr_assert_eq(agi.agi_unlinked[8], 28680);
	cr_assert_eq(agi.agi_unlinked[62], 24894);
	cr_assert_eq(agi.agi_unlinked[63], UINT32_MAX);
	cr_assert_eq(agi.agi_lsn, xfs_lsn_make(1, 0x430f));
	cr_assert_eq(agi.agi_free_root, 4);
	cr_assert_eq(agi.agi_iblocks, 1);
	cr_assert_eq(agi.agi_fblocks, 1);
}

Test(ag_verify, accepts_what_kernels_wrote)
{
	load("ag/v5.ag");
	cr_expect_null(verify(AGF, V5_AGNO));
	cr_expect_null(verify(AGI, V5_AGNO));
	cr_expect_null(verify(AGFL, V5_AGNO));
	load("ag/v4.ag");
	cr_expect_null(verify(AGF, V4_AGNO));
	cr_expect_null(verify(AGI, V4_AGNO));
	cr_expect_null(verify(AGFL, V4_AGNO));
}

Test(ag_verify, finds_every_flipped_bit_of_v5)
{
	load("ag/v5.ag");
	for (int header = AGF; header <= AGFL; header += SECTOR)
		for (int byte = 0; byte < SECTOR; byte++) {
			raw[header + byte] ^= 0x10;
			cr_expect_not_null(verify(header, V5_AGNO),
					   "byte %d", header + byte);
			raw[header + byte] ^= 0x10;
		}
}

Test(ag_verify, refuses_another_group)
{
	load("ag/v5.ag");
	for (int header = AGF; header <= AGFL; header += SECTOR)
		cr_expect_str_eq(verify(header, 1), "number of another group");
	load("ag/v4.ag");
	cr_expect_str_eq(verify(AGF, 1), "number of another group");
	cr_expect_str_eq(verify(AGI, 1), "number of another group");
}

Test(ag_verify, refuses_another_filesystem)
{
	load("ag/v5.ag");
	geom.meta_uuid[3] ^= 1;
	for (int header = AGF; header <= AGFL; header += SECTOR)
		cr_expect_str_eq(verify(header, V5_AGNO),
				 "UUID of another filesystem");
}

Test(agf_verify, refuses_values_out_of_range)
{
	const char *list = "free list out of range";
	const char *free = "free blocks out of range";
	const char *root = "root of a tree out of range";

	load("ag/v5.ag");
	cr_expect_str_eq(damaged(AGF, 0, 0x58414747), "bad magic or version");
	cr_expect_str_eq(damaged(AGF, 4, 2), "bad magic or version");
	cr_expect_str_eq(damaged(AGF, 12, 8191),
			 "length is not that of the group");
	cr_expect_str_eq(damaged(AGF, 40, 119), list);
	cr_expect_str_eq(damaged(AGF, 44, UINT32_MAX), list);
	cr_expect_str_eq(damaged(AGF, 48, 120), list);
	cr_expect_str_eq(damaged(AGF, 52, 8193), free);
	cr_expect_str_eq(damaged(AGF, 52, 5103), free);
	cr_expect_str_eq(damaged(AGF, 56, 5105), free);
	for (size_t off = 16; off < 28; off += 4) {
		cr_expect_str_eq(damaged(AGF, off, 0), root);
		cr_expect_str_eq(damaged(AGF, off, 8192), root);
	}
	for (size_t off = 28; off < 40; off += 4) {
		cr_expect_str_eq(damaged(AGF, off, 0), root);
		cr_expect_str_eq(damaged(AGF, off, 100), root);
	}
	cr_expect_str_eq(damaged(AGF, 88, UINT32_MAX), root);
	cr_expect_str_eq(damaged(AGF, 92, 0), root);
}

Test(agi_verify, refuses_values_out_of_range)
{
	load("ag/v5.ag");
	cr_expect_str_eq(damaged(AGI, 0, 0), "bad magic or version");
	cr_expect_str_eq(damaged(AGI, 12, 8193),
			 "length is not that of the group");
	cr_expect_str_eq(damaged(AGI, 28, 193),
			 "more free inodes than inodes");
	cr_expect_str_eq(damaged(AGI, 20, 8192),
			 "root of a tree out of range");
	cr_expect_str_eq(damaged(AGI, 24, 0), "root of a tree out of range");
	cr_expect_str_eq(damaged(AGI, 328, 0), "root of a tree out of range");
	cr_expect_str_eq(damaged(AGI, 40, 0), "unlinked inode out of range");
	cr_expect_str_eq(damaged(AGI, 40 + 63 * 4, 65536),
			 "unlinked inode out of range");
	cr_expect_str_eq(damaged(AGI, 40, 65535), "accepted");
}

Test(agfl_verify, refuses_values_out_of_range)
{
	load("ag/v5.ag");
	cr_expect_str_eq(damaged(AGFL, 0, 0x58414746), "bad magic");
	cr_expect_str_eq(damaged(AGFL, 36, 8192), "block out of range");
	cr_expect_str_eq(damaged(AGFL, 36 + 118 * 4, 8192),
			 "block out of range");
	cr_expect_str_eq(damaged(AGFL, 36 + 118 * 4, UINT32_MAX), "accepted");
}

Test(agf_verify, needs_no_trees_that_the_filesystem_has_not)
{
	load("ag/v5.ag");
	geom.rmapbt = geom.reflink = false;
	cr_expect_str_eq(damaged(AGF, 24, UINT32_MAX), "accepted");
	cr_expect_str_eq(damaged(AGF, 88, UINT32_MAX), "accepted");
	geom.finobt = false;
	cr_expect_str_eq(damaged(AGI, 328, UINT32_MAX), "accepted");
}

/* --- walks --- */

static struct walktext text;

static struct xfs_walk walk(int header, const uint32_t *chunks)
{
	memset(&text, 0, sizeof(text));
	return (struct xfs_walk){
		.base = raw + header, .len_bytes = SECTOR, .chunks = chunks,
		.geom = &geom, .ops = &walktext_ops, .ctx = &text,
	};
}

Test(agf_walk, shows_the_fields_of_the_version)
{
	struct xfs_walk w;

	load("ag/v4.ag");
	w = walk(AGF, NULL);
	xfs_agf_walk(&w);
	cr_expect_str_eq(text.text,
		"agf_magicnum=0x58414746 agf_versionnum=1 agf_seqno=0 "
		"agf_length=6144 agf_bnoroot=1 agf_cntroot=2 agf_bnolevel=1 "
		"agf_cntlevel=1 agf_flfirst=1 agf_fllast=4 agf_flcount=4 "
		"agf_freeblks=6132 agf_longest=6132 agf_btreeblks=0");
	load("ag/v5.ag");
	w = walk(AGF, NULL);
	xfs_agf_walk(&w);
	cr_expect_not_null(strstr(text.text, " agf_rmaproot=5 "));
	cr_expect_not_null(strstr(text.text, " agf_crc=0x"));
	cr_expect_null(strstr(text.text, "spare"));
}

/* What unlinking a file logs of an AGI. */
Test(agi_walk, shows_the_unlinked_lists_in_part)
{
	const uint32_t second[] = { 0x2 };
	struct xfs_walk w;

	load("ag/v5.ag");
	w = walk(AGI, second);
	xfs_agi_walk(&w);
	/* bytes 128 to 255 are buckets 22 to 53, all empty here */
	cr_expect_eq(strncmp(text.text, "part[22]{agi_unlinked=4294967295,",
			     33), 0);
	cr_expect_eq(text.depth, 0);
}

Test(agfl_walk, knows_both_forms)
{
	struct xfs_walk w;

	load("ag/v5.ag");
	w = walk(AGFL, NULL);
	xfs_agfl_walk(&w);
	cr_expect_eq(strncmp(text.text, "agfl_magicnum=0x5841464c agfl_seqno=2 ",
			     38), 0);
	cr_expect_not_null(strstr(text.text, " agfl_crc=0x32e4cd19 "
				  "agfl_bno=4294967295,3082,3083,"));
	load("ag/v4.ag");
	w = walk(AGFL, NULL);
	xfs_agfl_walk(&w);
	cr_expect_eq(strncmp(text.text, "agfl_bno=4294967295,4,5,6,7,"
			     "4294967295,", 39), 0);
}

/* Bytes 128 to 255 of version 5 are slots 23 to 54. */
Test(agfl_walk, shows_slots_in_part)
{
	const uint32_t second[] = { 0x2 };
	struct xfs_walk w;

	load("ag/v5.ag");
	w = walk(AGFL, second);
	xfs_agfl_walk(&w);
	cr_expect_eq(strncmp(text.text, "part[23]{agfl_bno=3125,6320,", 28),
		     0);
	cr_expect_eq(text.depth, 0);
	/* a receiver that skips arrays is spared them */
	w = walk(AGFL, NULL);
	w.heads_only = true;
	xfs_agfl_walk(&w);
	cr_expect_null(strstr(text.text, "agfl_bno"));
}
