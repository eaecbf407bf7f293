/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffer items. Format structures are from logs of kernels (image, record,
 * operation; "xfs_logprint -t -b" shows them); where the contents do not
 * matter the regions are filled with a pattern instead.
 */
#include "libxfsfmt/geom.h"
#include "tests/lib/logitem.h"

/* wrap256k, record 3:2816, operation 4: a directory block, runs of 1, 2, 2 */
static const char dir_le[] =
	"3c12 0400 0050 0800 682d010000000000 01000000 c10000c0";
/* be612-v4-v1log-quota, record 2:8271, operation 10: runs of 1, 7, 4 */
static const char dir_be[] =
	"123c 0004 5000 0008 0000000000012940 00000001 f003f801";
/* rmap-intents, record 1:24528, operation 23, with its data */
static const char agf_le[] =
	"3c12 0200 0028 0100 0100020000000000 01000000 01000000|"
	"58414746 00000001 00000002 00002000 00000001 00000002 00000c0d 00000001"
	"00000001 00000002 00000034 0000003b 00000008 00001033 00000739 00000009"
	"4f23bb77edfa466194b7cb37299a95b2 0000000a 00000001 00000006 00000001"
	"0000000000000000000000000000000000000000000000000000000000000000";
/* be612-live-s3, record 1:675, operation 108; i386-v5, record 1:66, 168 */
static const char cancel_be[] =
	"123c 0001 0002 0008 00000000000186a0 00000001 00000000";
static const char cancel_le[] =
	"3c12 0100 0200 0800 68c0000000000000 01000000 00000000";
/* i386-v5, record 1:130, operation 147: three inodes of a cluster */
static const char inodes_le[] =
	"3c12 0400 0140 2000 40c2000000000000 04000000"
	"00000000 00001001 00000000 00100000";
/* be612-live-s3, record 1:741, operation 212 */
static const char dquots_be[] =
	"123c 0002 0804 0008 0000000000000270 00000001 ffffffff";
/* n72-bigdir, record 1:2370, operation 1: a 64 KiB block, 16 words */
static const char bigdir_le[] =
	"3c12 0300 0068 8000 8004000000000000 10000000"
	"ffffffff ffffffff ffffffff ffffffff ffffffff ffffff1f 00000000 00000000"
	"00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000080";

/* "xfs_db -c 'sb 0' -c print" of i386-v5 */
static const struct xfs_geom v5 = {
	.blocklog = 12, .sectlog = 9, .inodelog = 9, .inopblog = 3,
	.agblklog = 13, .blocksize = 4096, .sectsize = 512, .inodesize = 512,
	.inopblock = 8, .agcount = 4, .agblocks = 6144, .dblocks = 24576,
	.v5 = true,
};

/* @hex and regions of so many chunks, ended by 0; region n is full of n. */
static struct item *filled(enum xfs_order order, const char *hex,
			   const unsigned int *chunks)
{
	struct item *it = item_new(order, hex);

	for (; *chunks; chunks++)
		item_add(it, *chunks * XFS_CHUNK_BYTES,
			 (uint8_t)it->v.nregions);
	return it;
}

static const unsigned int dir_chunks[] = { 1, 2, 2, 0 };

Test(buf, shows_flags_and_contents_of_either_order)
{
	struct item *it = filled(XFS_LE, dir_le, dir_chunks);

	cr_expect_str_eq(item_shown(it), "blf_type=buf blf_size=4 "
		"blf_flags=0x5000 blf_len=8 blf_blkno=77160 blf_map_size=1 "
		"flags=0x0 content=dir_block blf_data_map=0xc00000c1");
	cr_expect(item_says(it, NULL));
	item_free(it);
	it = filled(XFS_BE, dquots_be, (const unsigned int[]){ 32, 0 });
	cr_expect_str_eq(item_shown(it), "blf_type=buf blf_size=2 "
		"blf_flags=0x804 blf_len=8 blf_blkno=624 blf_map_size=1 "
		"flags=udquot_buf content=udquot blf_data_map=0xffffffff");
	cr_expect(item_says(it, NULL));
	item_free(it);
	it = item_new(XFS_BE, cancel_be);
	cr_expect_str_eq(item_shown(it), "blf_type=buf blf_size=1 "
		"blf_flags=0x2 blf_len=8 blf_blkno=100000 blf_map_size=1 "
		"flags=cancel content=unknown blf_data_map=0x0");
	cr_expect(item_says(it, NULL));
	item_free(it);
	it = filled(XFS_LE, inodes_le, (const unsigned int[]){ 1, 1, 1, 0 });
	cr_expect_str_eq(item_shown(it), "blf_type=buf blf_size=4 "
		"blf_flags=0x4001 blf_len=32 blf_blkno=49728 blf_map_size=4 "
		"flags=inode_buf content=dino "
		"blf_data_map=0x0,0x1100000,0x0,0x1000");
	item_free(it);
}

/* --- runs --- */

static void expect_run(struct xfs_buf_runs *it, uint32_t chunk,
		       uint32_t chunks, unsigned int region)
{
	struct xfs_buf_run run;

	cr_assert(xfs_buf_runs_next(it, &run));
	cr_expect_eq(run.off_bytes, chunk * XFS_CHUNK_BYTES);
	cr_expect_eq(run.len_bytes, chunks * XFS_CHUNK_BYTES);
	cr_expect_eq(run.region, region);
	cr_expect_eq(run.data, it->v->regions[region].data);
}

static void expect_end(struct xfs_buf_runs *it, const char *why)
{
	struct xfs_buf_run run;
	const char *got;

	cr_assert_not(xfs_buf_runs_next(it, &run));
	cr_assert_not(xfs_buf_runs_next(it, &run));
	got = xfs_buf_runs_why(it);
	cr_expect(got == why || (got && why && !strcmp(got, why)));
}

Test(buf_runs, go_side_by_side_with_regions)
{
	struct item *it = filled(XFS_LE, dir_le, dir_chunks);
	struct xfs_buf_runs runs;

	cr_assert_null(xfs_buf_runs_init(&runs, &it->v));
	expect_run(&runs, 0, 1, 1);
	expect_run(&runs, 6, 2, 2);
	expect_run(&runs, 30, 2, 3);
	expect_end(&runs, NULL);
	item_free(it);
	it = filled(XFS_BE, dir_be, (const unsigned int[]){ 1, 7, 4, 0 });
	cr_assert_null(xfs_buf_runs_init(&runs, &it->v));
	expect_run(&runs, 0, 1, 1);
	expect_run(&runs, 11, 7, 2);
	expect_run(&runs, 28, 4, 3);
	expect_end(&runs, NULL);
	item_free(it);
}

Test(buf_runs, reach_over_words_of_the_bitmap)
{
	struct item *it = filled(XFS_LE, bigdir_le,
				 (const unsigned int[]){ 189, 1, 0 });
	struct xfs_buf_runs runs;

	cr_assert_null(xfs_buf_runs_init(&runs, &it->v));
	expect_run(&runs, 0, 189, 1);
	expect_run(&runs, 511, 1, 2);
	expect_end(&runs, NULL);
	cr_expect(item_says(it, NULL));
	item_free(it);
}

/* A buffer not contiguous in the writer's memory is cut at its pages. */
Test(buf_runs, may_be_split_over_regions)
{
	struct item *it = filled(XFS_LE, bigdir_le,
				 (const unsigned int[]){ 32, 32, 125, 1, 0 });
	struct xfs_buf_runs runs;

	put_le16(it->data[0] + 2, 5);
	cr_assert_null(xfs_buf_runs_init(&runs, &it->v));
	expect_run(&runs, 0, 32, 1);
	expect_run(&runs, 32, 32, 2);
	expect_run(&runs, 64, 125, 3);
	expect_run(&runs, 511, 1, 4);
	expect_end(&runs, NULL);
	cr_expect(item_says(it, NULL));
	item_free(it);
}

Test(buf_runs, stop_where_bitmap_and_regions_do_not_agree)
{
	struct item *it = filled(XFS_LE, dir_le, dir_chunks);
	struct xfs_buf_runs runs;

	it->v.nregions = 3;
	cr_assert_null(xfs_buf_runs_init(&runs, &it->v));
	expect_run(&runs, 0, 1, 1);
	expect_run(&runs, 6, 2, 2);
	expect_end(&runs, "bitmap has more chunks than there are regions");
	it->v.nregions = 4;
	it->regions[2].len_bytes = 128;
	cr_assert_null(xfs_buf_runs_init(&runs, &it->v));
	expect_run(&runs, 0, 1, 1);
	expect_run(&runs, 6, 1, 2);
	/* the rest of the run takes the next region, which is longer */
	expect_end(&runs, "region longer than its run in the bitmap");
	it->regions[2].len_bytes = 200;
	cr_assert_null(xfs_buf_runs_init(&runs, &it->v));
	expect_run(&runs, 0, 1, 1);
	expect_end(&runs, "region does not hold whole chunks");
	it->regions[2].len_bytes = 0;
	cr_assert_null(xfs_buf_runs_init(&runs, &it->v));
	expect_run(&runs, 0, 1, 1);
	expect_end(&runs, "region does not hold whole chunks");
	item_free(it);
	it = filled(XFS_LE, dir_le, (const unsigned int[]){ 1, 2, 2, 1, 0 });
	cr_assert_null(xfs_buf_runs_init(&runs, &it->v));
	expect_run(&runs, 0, 1, 1);
	expect_run(&runs, 6, 2, 2);
	expect_run(&runs, 30, 2, 3);
	expect_end(&runs, "more regions than chunks in the bitmap");
	item_free(it);
}

/* --- images --- */

Test(buf_image, has_chunks_in_their_places_and_zeros_between)
{
	struct item *it = filled(XFS_LE, dir_le, dir_chunks);
	static uint8_t buf[XFS_BUF_LOG_MAX_BYTES + 1];
	struct xfs_buf_image image;

	memset(buf, 0xaa, sizeof(buf));
	cr_assert_null(xfs_logitem_buf_image(&it->v, buf, sizeof(buf), &image));
	cr_expect_eq(image.len_bytes, 4096);
	cr_expect_eq(image.blf.blf_blkno, 77160);
	cr_expect_eq(image.chunks[0], 0xc00000c1);
	cr_expect_eq(image.chunks[1], 0);
	for (size_t i = 0; i < 4096; i++) {
		size_t chunk = i / XFS_CHUNK_BYTES;
		uint8_t want = chunk == 0 ? 1 : chunk == 6 || chunk == 7 ? 2 :
			       chunk >= 30 ? 3 : 0;

		cr_assert_eq(buf[i], want);
	}
	cr_expect_eq(buf[4096], 0xaa);
	item_free(it);
}

Test(buf_image, is_what_was_logged)
{
	struct item *it = item_new(XFS_LE, agf_le);
	struct xfs_buf_image image;
	uint8_t buf[512];

	cr_assert_null(xfs_logitem_buf_image(&it->v, buf, sizeof(buf), &image));
	cr_expect_eq(image.len_bytes, 512);
	cr_expect_eq(image.blf.blf_blkno, 131073);
	cr_expect_eq(xfs_blf_content(image.blf.blf_flags), XFS_BLFT_AGF);
	cr_expect_eq(image.chunks[0], 1);
	cr_expect_arr_eq(buf, "XAGF", 4);
	cr_expect_eq(get_be32(buf + 48), 8);
	cr_expect_eq(get_be32(buf + 128), 0);
	item_free(it);
}

Test(buf_image, of_a_cancelled_buffer_has_no_chunks)
{
	struct item *it = item_new(XFS_LE, cancel_le);
	struct xfs_buf_image image;
	uint8_t buf[4096];

	cr_assert_null(xfs_logitem_buf_image(&it->v, buf, sizeof(buf), &image));
	cr_expect_eq(image.len_bytes, 4096);
	cr_expect_eq(image.chunks[0], 0);
	cr_expect_eq(image.blf.blf_blkno, 49256);
	item_free(it);
}

Test(buf_image, of_the_largest_buffer)
{
	struct item *it = filled(XFS_LE, bigdir_le,
				 (const unsigned int[]){ 189, 1, 0 });
	static uint8_t buf[XFS_BUF_LOG_MAX_BYTES];
	struct xfs_buf_image image;

	cr_assert_null(xfs_logitem_buf_image(&it->v, buf, sizeof(buf), &image));
	cr_expect_eq(image.len_bytes, sizeof(buf));
	cr_expect_eq(image.chunks[5], 0x1fffffff);
	cr_expect_eq(image.chunks[15], 0x80000000);
	cr_expect_eq(buf[189 * 128 - 1], 1);
	cr_expect_eq(buf[189 * 128], 0);
	cr_expect_eq(buf[sizeof(buf) - 1], 2);
	item_free(it);
}

Test(buf_image, is_refused_without_room)
{
	struct item *it = item_new(XFS_LE, agf_le);
	struct xfs_buf_image image;
	uint8_t buf[511];

	cr_expect_str_eq(xfs_logitem_buf_image(&it->v, buf, sizeof(buf),
					       &image),
			 "no room for the buffer");
	cr_expect_eq(image.len_bytes, 0);
	item_free(it);
}

Test(buf_image, keeps_what_came_before_a_fault)
{
	struct item *it = filled(XFS_LE, dir_le, dir_chunks);
	struct xfs_buf_image image;
	uint8_t buf[4096];

	it->v.nregions = 3;
	cr_expect_str_eq(xfs_logitem_buf_image(&it->v, buf, sizeof(buf),
					       &image),
			 "bitmap has more chunks than there are regions");
	cr_expect_eq(image.len_bytes, 4096);
	cr_expect_eq(image.chunks[0], 0xc1);
	item_free(it);
}

/* --- verdicts --- */

Test(buf_verify, judges_the_format)
{
	struct item *it = item_new(XFS_LE, agf_le);

	cr_expect(item_says(it, NULL));
	it->regions[0].len_bytes = 19;
	cr_expect(item_says(it, "buffer format too short"));
	it->regions[0].len_bytes = 24;
	put_le32(it->data[0] + 16, 2);
	cr_expect(item_says(it, "bitmap longer than its region"));
	put_le32(it->data[0] + 16, UINT32_MAX);
	cr_expect(item_says(it, "bitmap longer than its region"));
	put_le32(it->data[0] + 16, 1);
	put_le16(it->data[0] + 6, 0);
	cr_expect(item_says(it, "buffer length out of range"));
	put_le16(it->data[0] + 6, 129);
	cr_expect(item_says(it, "buffer length out of range"));
	put_le16(it->data[0] + 6, 128);
	cr_expect(item_says(it, NULL));
	item_free(it);
}

Test(buf_verify, wants_the_bitmap_inside_the_buffer)
{
	struct item *it = item_new(XFS_LE, agf_le);

	/* one sector has four chunks */
	put_le32(it->data[0] + 20, 1 << 3);
	cr_expect(item_says(it, NULL));
	put_le32(it->data[0] + 20, 1 << 4);
	cr_expect(item_says(it, "bitmap reaches past the end of the buffer"));
	put_le32(it->data[0] + 20, 0xfffffff8);
	cr_expect(item_says(it, "bitmap reaches past the end of the buffer"));
	item_free(it);
}

Test(buf_verify, does_not_ask_for_regions_of_a_cancelled_buffer)
{
	struct item *it = item_new(XFS_LE, cancel_le);

	put_le32(it->data[0] + 20, UINT32_MAX);
	cr_expect(item_says(it, NULL));
	item_free(it);
}

/* Inodes 11 and 13 of 32 in chunks 52, 56, and 27 in chunk 108. */
Test(buf_verify, wants_unlinked_lists_that_do_not_lead_to_inode_0)
{
	struct item *it = filled(XFS_LE, inodes_le,
				 (const unsigned int[]){ 1, 1, 1, 0 });

	it->v.geom = &v5;
	cr_expect(item_says(it, NULL));
	put_be32(it->data[2] + 96, 0);
	cr_expect(item_says(it,
		  "unlinked list of an inode leads to inode 0"));
	/* other contents are not those of an inode */
	put_le16(it->data[0] + 4, 0x4000);
	cr_expect(item_says(it, NULL));
	item_free(it);
}

/* --- what they touch --- */

Test(touches, of_a_buffer_are_all_its_blocks)
{
	struct item *it = item_new(XFS_LE, agf_le);

	cr_expect_str_eq(item_touched(it), "daddr=131073");
	it->v.geom = &v5;
	put_le64(it->data[0] + 8, 49153);
	cr_expect_str_eq(item_touched(it), "daddr=49153 ag=1");
	put_le64(it->data[0] + 8, UINT64_MAX);
	cr_expect_str_eq(item_touched(it),
			 "daddr=18446744073709551615 ag=375299968947541");
	item_free(it);
	it = item_new(XFS_LE, cancel_le);
	cr_expect_str_eq(item_touched(it), "daddr=49256+8");
	item_free(it);
}

/* Cluster at 49728: group 1, block 72, so inode (1 << 16) + 72 * 8 = 66112. */
Test(touches, of_an_inode_buffer_are_the_inodes_it_logs)
{
	struct item *it = filled(XFS_LE, inodes_le,
				 (const unsigned int[]){ 1, 1, 1, 0 });

	cr_expect_str_eq(item_touched(it), "daddr=49728+32");
	it->v.geom = &v5;
	cr_expect_str_eq(item_touched(it), "daddr=49728+32 ag=1 "
			 "ino=66125 ag=1 ino=66126 ag=1 ino=66139 ag=1");
	item_free(it);
}
