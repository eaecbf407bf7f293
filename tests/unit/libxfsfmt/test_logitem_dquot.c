/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quota items and inode chunks, from logs of kernels; "xfs_logprint -t"
 * prints the same values for them.
 */
#include "libxfsfmt/geom.h"
#include "tests/lib/logitem.h"

/* o510-v4-quotaoff2, record 1:24829, operation 20 */
static const char dquot_le[] =
	"3d12 0200 e8030000 6801000000000000 01000000 50050000|"
	"4451 01 01 000003e8 000000000000c800 0000000000006400 0000000000002328"
	"0000000000000fa0 00000000000000c2 0000000000000020 00000000 00000000"
	"0000 0000 00000000 0000000000000000 0000000000000000 0000000000000000"
	"00000000 0000 0000";
/* be612-v4-v1log-quota, record 2:8335, operation 24 */
static const char dquot_be[] =
	"123d 0002 000003ed 0000000000000168 00000001 000007f8|"
	"4451 01 01 000003ed 0000000000000000 0000000000000000 0000000000000000"
	"0000000000000000 0000000000000140 0000000000000019 00000000 00000000"
	"0000 0000 00000000 0000000000000000 0000000000000000 0000000000000000"
	"00000000 0000 0000";
/* be61-v5, record 1:2, operation 58; i386-v5, record 1:2, operation 41 */
static const char icreate_be[] =
	"123f 0001 00000001 00000010 00000040 00000200 00000008 b6c6e253";
static const char icreate_le[] =
	"3f12 0100 00000001 00000010 00000040 00000200 00000008 acedbec6";

/* "xfs_db -c 'sb 0' -c print" of i386-v5 */
static const struct xfs_geom v5 = {
	.blocklog = 12, .sectlog = 9, .inodelog = 9, .inopblog = 3,
	.agblklog = 13, .blocksize = 4096, .sectsize = 512, .inodesize = 512,
	.inopblock = 8, .agcount = 4, .agblocks = 6144, .dblocks = 24576,
	.sparse_blocks = 4, .v5 = true,
};

Test(dquot, shows_the_place_and_the_record)
{
	struct item *it = item_new(XFS_LE, dquot_le);

	cr_expect_str_eq(item_shown(it), "qlf_type=dquot qlf_size=2 "
		"qlf_id=1000 qlf_blkno=360 qlf_len=1 qlf_boffset=1360 "
		"dquot{d_magic=0x4451 d_version=1 d_type=user d_id=1000 "
		"d_blk_hardlimit=51200 d_blk_softlimit=25600 "
		"d_ino_hardlimit=9000 d_ino_softlimit=4000 d_bcount=194 "
		"d_icount=32 d_itimer=0 d_btimer=0 d_iwarns=0 d_bwarns=0 "
		"d_rtb_hardlimit=0 d_rtb_softlimit=0 d_rtbcount=0 "
		"d_rtbtimer=0 d_rtbwarns=0}");
	cr_expect_null(xfs_logitem_verify(&it->v));
	item_free(it);
}

/* The format is in the writer's order, the record big-endian in both. */
Test(dquot, of_a_big_endian_writer)
{
	struct item *it = item_new(XFS_BE, dquot_be);

	cr_expect_str_eq(item_shown(it), "qlf_type=dquot qlf_size=2 "
		"qlf_id=1005 qlf_blkno=360 qlf_len=1 qlf_boffset=2040 "
		"dquot{d_magic=0x4451 d_version=1 d_type=user d_id=1005 "
		"d_blk_hardlimit=0 d_blk_softlimit=0 "
		"d_ino_hardlimit=0 d_ino_softlimit=0 d_bcount=320 "
		"d_icount=25 d_itimer=0 d_btimer=0 d_iwarns=0 d_bwarns=0 "
		"d_rtb_hardlimit=0 d_rtb_softlimit=0 d_rtbcount=0 "
		"d_rtbtimer=0 d_rtbwarns=0}");
	cr_expect_null(xfs_logitem_verify(&it->v));
	item_free(it);
}

Test(dquot_verify, judges_the_place)
{
	struct item *it = item_new(XFS_LE, dquot_le);

	put_le32(it->data[0] + 16, 2);
	cr_expect(item_says(it, "quota record not in one block"));
	put_le32(it->data[0] + 16, 1);
	it->v.geom = &v5;
	put_le32(it->data[0] + 20, 4096 - 136);
	cr_expect(item_says(it, NULL));
	put_le32(it->data[0] + 20, 4096 - 135);
	cr_expect(item_says(it, "quota record past the end of its block"));
	put_le32(it->data[0] + 20, UINT32_MAX);
	cr_expect(item_says(it, "quota record past the end of its block"));
	item_free(it);
}

Test(dquot_verify, judges_the_record)
{
	struct item *it = item_new(XFS_LE, dquot_le);

	it->regions[1].len_bytes = 103;
	cr_expect(item_says(it, "quota record too short"));
	it->regions[1].len_bytes = 104;
	put_be32(it->data[1] + 4, 1001);
	cr_expect(item_says(it, "quota record of another id"));
	put_be32(it->data[1] + 4, 1000);
	it->data[1][0] = 0;
	cr_expect(item_says(it, "bad quota record magic"));
	it->regions[0].len_bytes = 23;
	cr_expect(item_says(it, "quota format too short"));
	item_free(it);
}

/* A slot of 136 bytes at byte 1360 of the block begins in its third sector. */
Test(touches, of_a_quota_record_are_the_sectors_of_its_slot)
{
	struct item *it = item_new(XFS_LE, dquot_le);

	cr_expect_str_eq(item_touched(it), "daddr=362");
	put_le32(it->data[0] + 20, 1024 + 400);
	cr_expect_str_eq(item_touched(it), "daddr=362+2");
	put_le64(it->data[0] + 8, UINT64_MAX - 1);
	cr_expect_str_eq(item_touched(it), "");
	item_free(it);
}

/* --- quotaoff --- */

/* o510-v4-quotaoff2, record 1:28145, operation 145: 160 bytes, 8 used */
static struct item *quotaoff(uint32_t len_bytes)
{
	struct item *it = item_new(XFS_LE, "");
	uint8_t *p = item_add(it, len_bytes, 0);

	memcpy(p, "\x3e\x12\x01\x00\x08\x00\x00\x00", 8);
	return it;
}

Test(quotaoff, is_read_at_whatever_length)
{
	static const uint32_t lengths[] = { 160, 20, 8 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct item *it = quotaoff(lengths[i]);

		cr_expect_str_eq(item_shown(it),
				 "qf_type=quotaoff qf_size=1 qf_flags=project");
		cr_expect(item_says(it, NULL));
		cr_expect_str_eq(item_touched(it), "");
		item_free(it);
	}
}

Test(quotaoff_verify, wants_the_flags)
{
	struct item *it = quotaoff(8);

	it->regions[0].len_bytes = 7;
	cr_expect(item_says(it, "quotaoff format too short"));
	item_free(it);
}

/* --- inode chunks --- */

Test(icreate, is_big_endian_behind_its_first_word)
{
	struct item *it = item_new(XFS_BE, icreate_be);

	cr_expect_str_eq(item_shown(it), "icl_type=icreate icl_size=1 "
		"icl_ag=1 icl_agbno=16 icl_count=64 icl_isize=512 "
		"icl_length=8 icl_gen=0xb6c6e253");
	cr_expect(item_says(it, NULL));
	item_free(it);
	it = item_new(XFS_LE, icreate_le);
	it->v.geom = &v5;
	cr_expect_str_eq(item_shown(it), "icl_type=icreate icl_size=1 "
		"icl_ag=1 icl_agbno=16 icl_count=64 icl_isize=512 "
		"icl_length=8 icl_gen=0xacedbec6");
	cr_expect(item_says(it, NULL));
	item_free(it);
}

static void icreate_says(unsigned int off, uint32_t word, const char *why)
{
	struct item *it = item_new(XFS_LE, icreate_le);

	it->v.geom = &v5;
	put_be32(it->data[0] + off, word);
	cr_expect(item_says(it, why));
	item_free(it);
}

Test(icreate_verify, wants_a_chunk_that_can_be)
{
	icreate_says(4, 4, "inode chunk outside the filesystem");
	icreate_says(8, 0, "inode chunk at an impossible block");
	icreate_says(8, UINT32_MAX, "inode chunk at an impossible block");
	icreate_says(8, 6143, NULL);
	icreate_says(8, 6144, "inode chunk outside the filesystem");
	icreate_says(12, 0, "inode chunk of no size");
	icreate_says(12, 72,
		     "inode chunk whose count and length do not agree");
	icreate_says(16, 256, "inode chunk with another size of inodes");
	icreate_says(20, 0, "inode chunk of no size");
	icreate_says(20, 6144, "inode chunk outside the filesystem");
	icreate_says(20, 16, "inode chunk of an impossible length");
	/* half a chunk is right where chunks may have holes */
	icreate_says(20, 4,
		     "inode chunk whose count and length do not agree");
}

Test(icreate_verify, knows_sparse_chunks)
{
	struct xfs_geom whole = v5;
	struct item *it = item_new(XFS_LE, icreate_le);

	put_be32(it->data[0] + 12, 32);
	put_be32(it->data[0] + 20, 4);
	it->v.geom = &v5;
	cr_expect(item_says(it, NULL));
	whole.sparse_blocks = 0;
	it->v.geom = &whole;
	cr_expect(item_says(it, "inode chunk of an impossible length"));
	item_free(it);
}

/* Blocks of 64 KiB hold 128 inodes of 512 bytes: a chunk is one block. */
Test(icreate_verify, knows_chunks_of_one_large_block)
{
	struct xfs_geom large = v5;
	struct item *it = item_new(XFS_LE, icreate_le);

	large.blocklog = 16;
	large.blocksize = 65536;
	large.inopblog = 7;
	large.inopblock = 128;
	it->v.geom = &large;
	put_be32(it->data[0] + 12, 128);
	put_be32(it->data[0] + 20, 1);
	cr_expect(item_says(it, NULL));
	item_free(it);
}

/* Group 1 begins at 6144 * 8; its inodes at 1 << (13 + 3). */
Test(touches, of_a_chunk_are_blocks_and_inodes)
{
	struct item *it = item_new(XFS_LE, icreate_le);

	cr_expect_str_eq(item_touched(it), "");
	it->v.geom = &v5;
	cr_expect_str_eq(item_touched(it),
			 "daddr=49280+64 ag=1 ino=65664+64 ag=1");
	put_be32(it->data[0] + 8, UINT32_MAX);
	cr_expect_str_eq(item_touched(it), "ag=1");
	item_free(it);
}
