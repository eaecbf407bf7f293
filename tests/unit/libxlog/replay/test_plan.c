/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is refused before anything is written: items that name what replay must
 * not touch, that it does not know, or that make no sense.
 */
#include "libxfsfmt/crc32c.h"
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = 8,
	SB_CHUNKS = 3,
};

static struct testfs *fs;
static uint8_t image[65536];

static void open_fs(void)
{
	fs = testfs_open("linux618/never");
}

static void open_v4(void)
{
	fs = testfs_open("other/v4-noflush");
	testfs_erase_log(fs);
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(replay_plan, .init = open_fs, .fini = close_fs);
TestSuite(replay_superblock, .init = open_fs, .fini = close_fs);
TestSuite(replay_superblock_v4, .init = open_v4, .fini = close_fs);

/* A checkpoint that could be replayed, then one with this item. */
static void refuses_place(xfs_daddr_t daddr, uint32_t len_bb,
			  const char *text)
{
	struct testcp *cp = testcp_new(fs);

	testfs_block(fs, image, testfs_free(fs, 0), 7, 0x22);
	testcp_buf(cp, &(struct testbuf){ .daddr = testfs_free(fs, 0),
					  .len_bb = BLOCK_BB,
					  .image = image });
	testcp_write(cp);
	cp = testcp_new(fs);
	testcp_buf(cp, &(struct testbuf){ .daddr = daddr, .len_bb = len_bb,
					  .image = image, .chunks = 1 });
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, text);
}

static uint64_t fs_end(void)
{
	return fs->log->geom.dblocks * BLOCK_BB;
}

/* --- places --- */

Test(replay_plan, refuses_a_buffer_behind_the_filesystem)
{
	refuses_place(fs_end(), BLOCK_BB, "not a buffer of the filesystem");
}

Test(replay_plan, refuses_a_buffer_over_its_end)
{
	refuses_place(fs_end() - BLOCK_BB + 1, BLOCK_BB,
		      "not a buffer of the filesystem");
}

Test(replay_plan, refuses_a_place_that_is_negative)
{
	refuses_place(UINT64_MAX - 7, BLOCK_BB,
		      "not a buffer of the filesystem");
}

Test(replay_plan, takes_the_last_block)
{
	struct testcp *cp = testcp_new(fs);
	xfs_daddr_t last = fs_end() - BLOCK_BB;

	testfs_block(fs, image, last, 7, 0x22);
	testcp_buf(cp, &(struct testbuf){ .daddr = last, .len_bb = BLOCK_BB,
					  .image = image });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, last, 1024), 0x22);
}

Test(replay_plan, refuses_a_buffer_in_the_log)
{
	refuses_place(fs->log->info.log_daddr + 100, BLOCK_BB,
		      "lie in the log");
}

Test(replay_plan, refuses_a_buffer_over_the_start_of_the_log)
{
	refuses_place(fs->log->info.log_daddr - 1, BLOCK_BB,
		      "lie in the log");
}

Test(replay_plan, refuses_a_buffer_over_the_end_of_the_log)
{
	refuses_place(fs->log->info.log_daddr + fs->log->nbb - 1, BLOCK_BB,
		      "lie in the log");
}

Test(replay_plan, takes_what_touches_the_log)
{
	xfs_daddr_t log_end = fs->log->info.log_daddr + fs->log->nbb;
	struct testcp *cp = testcp_new(fs);

	testfs_block(fs, image, log_end, 7, 0x22);
	testcp_buf(cp, &(struct testbuf){ .daddr = log_end,
					  .len_bb = BLOCK_BB,
					  .image = image });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, log_end, 1024), 0x22);
}

Test(replay_plan, refuses_an_inode_elsewhere_than_its_number_says)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t raw[512];

	testfs_file(fs, raw, 138, 7, 5);
	testcp_inode(cp, &(struct testinode){ .ino = 138, .raw = raw });
	/* ilf_blkno */
	put_le64((uint8_t *)(uintptr_t)cp->regions[0].data + 40,
		 testfs_free(fs, 0));
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "inode number is not that of its place");
}

/* --- what an item is --- */

static void refuses_bytes(size_t off, uint16_t value, const char *text)
{
	struct testcp *cp = testcp_new(fs);

	testcp_buf(cp, &(struct testbuf){ .daddr = testfs_free(fs, 0),
					  .len_bb = BLOCK_BB,
					  .image = image, .chunks = 1 });
	put_le16((uint8_t *)(uintptr_t)cp->regions[0].data + off, value);
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, text);
}

Test(replay_plan, refuses_an_empty_buffer)
{
	refuses_bytes(6, 0, "buffer length out of range");
}

Test(replay_plan, refuses_a_buffer_longer_than_any)
{
	refuses_bytes(6, 129, "buffer length out of range");
}

Test(replay_plan, refuses_a_bitmap_longer_than_its_region)
{
	refuses_bytes(16, 2, "bitmap longer than its region");
}

Test(replay_plan, refuses_a_bitmap_longer_than_any)
{
	refuses_bytes(18, 0xffff, "bitmap longer than its region");
}

Test(replay_plan, refuses_bits_behind_the_buffer)
{
	struct testcp *cp = testcp_new(fs);
	const uint32_t map[2] = { 0, 1 };

	testcp_buf_raw(cp, &(struct testbuf){ .daddr = testfs_free(fs, 0),
					      .len_bb = BLOCK_BB },
		       map, 2, image, 128);
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "past the end of the buffer");
}

Test(replay_plan, refuses_more_regions_than_bits)
{
	struct testcp *cp = testcp_new(fs);

	testcp_buf(cp, &(struct testbuf){ .daddr = testfs_free(fs, 0),
					  .len_bb = BLOCK_BB,
					  .image = image, .chunks = 1 });
	put_le16((uint8_t *)(uintptr_t)cp->regions[0].data + 2, 3);
	testcp_region(cp, image, 128);
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "more regions than chunks");
}

Test(replay_plan, refuses_fewer_regions_than_an_item_says)
{
	struct testcp *cp = testcp_new(fs);

	testcp_buf(cp, &(struct testbuf){ .daddr = testfs_free(fs, 0),
					  .len_bb = BLOCK_BB,
					  .image = image, .chunks = 1 });
	put_le16((uint8_t *)(uintptr_t)cp->regions[0].data + 2, 200);
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "not as many regions as the item says");
}

Test(replay_plan, refuses_an_item_of_an_unknown_type)
{
	struct testcp *cp = testcp_new(fs);

	testcp_type(cp, 0x1277, 16);
	testcp_write(cp);
	testfs_refuses(fs, -EOPNOTSUPP, "a type that is not known (0x1277)");
}

Test(replay_plan, refuses_even_what_was_cancelled)
{
	struct testcp *cp = testcp_new(fs);

	/* nobody would look at it, but nobody knows what else is wrong */
	testcp_buf(cp, &(struct testbuf){ .daddr = fs_end(),
					  .len_bb = BLOCK_BB,
					  .image = image, .chunks = 1 });
	testcp_cancel(cp, fs_end(), BLOCK_BB);
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "not a buffer of the filesystem");
}

/* --- the superblock --- */

static const uint16_t sb_flags = XFS_BLFT_SB << XFS_BLF_TYPE_SHIFT;

static void disk_sb(uint8_t *raw)
{
	testfs_peek(fs, 0, raw, 512);
}

static void log_sb(struct testcp *cp, const uint8_t *raw, uint32_t first,
		   uint32_t chunks)
{
	testcp_buf(cp, &(struct testbuf){ .daddr = 0, .len_bb = 1,
					  .image = raw, .first = first,
					  .chunks = chunks,
					  .flags = sb_flags });
}

/* A superblock with @agcount groups, the last one of @blocks blocks. */
static void grow_sb(uint8_t *raw, uint32_t agcount, uint32_t blocks)
{
	put_be32(raw + 88, agcount);
	put_be64(raw + 8, (uint64_t)(agcount - 1) * 4096 + blocks);
}

/* An image whose device is large enough for 5 groups is not at hand. */
static void shrink_disk(void)
{
	uint8_t raw[512];

	disk_sb(raw);
	grow_sb(raw, 3, 4096);
	put_le32(raw + 224, xfs_crc_block(raw, 512, 224));
	testfs_poke(fs, 0, raw, 512);
	testfs_reload(fs);
	cr_assert_eq(fs->log->geom.agcount, 3);
}

Test(replay_superblock, a_part_of_it_changes_only_that_part)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t raw[512], now[512], before[512];
	xfs_lsn_t lsn;

	disk_sb(before);
	memset(raw, 0xee, sizeof(raw));
	memcpy(raw + 128, before + 128, 128);
	put_be64(raw + 144, 12345);		/* free blocks */
	log_sb(cp, raw, 1, 1);
	lsn = testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	disk_sb(now);
	put_be64(before + 144, 12345);
	put_be64(before + 240, lsn);
	put_le32(before + 224, xfs_crc_block(before, 512, 224));
	cr_expect_arr_eq(now, before, 512);
}

Test(replay_superblock, items_behind_it_may_name_the_groups_it_adds)
{
	xfs_daddr_t in_new = (uint64_t)3 * 4096 * BLOCK_BB + 800;
	struct testcp *cp;
	uint8_t raw[512];

	disk_sb(raw);
	shrink_disk();
	cp = testcp_new(fs);
	log_sb(cp, raw, 0, SB_CHUNKS);
	testcp_write(cp);
	cp = testcp_new(fs);
	memset(image, 0x33, BLOCK);
	testcp_buf(cp, &(struct testbuf){
		.daddr = in_new, .len_bb = BLOCK_BB, .image = image,
		.flags = XFS_BLFT_RTBITMAP << XFS_BLF_TYPE_SHIFT });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, in_new, 5), 0x33);
	disk_sb(raw);
	cr_expect_eq(get_be32(raw + 88), 4);
}

Test(replay_superblock, items_before_it_may_not)
{
	xfs_daddr_t in_new = (uint64_t)3 * 4096 * BLOCK_BB + 800;
	struct testcp *cp;
	uint8_t raw[512];

	disk_sb(raw);
	shrink_disk();
	cp = testcp_new(fs);
	testcp_buf(cp, &(struct testbuf){ .daddr = in_new,
					  .len_bb = BLOCK_BB,
					  .image = image, .chunks = 1 });
	testcp_write(cp);
	cp = testcp_new(fs);
	log_sb(cp, raw, 0, SB_CHUNKS);
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "not a buffer of the filesystem");
}

Test(replay_superblock, one_that_shrinks_the_filesystem_is_refused)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t raw[512];

	disk_sb(raw);
	grow_sb(raw, 3, 4096);
	log_sb(cp, raw, 0, SB_CHUNKS);
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "the log shrinks the filesystem from 4 groups to 3");
}

Test(replay_superblock, one_that_is_older_than_the_disk_does_not_count)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t raw[512];
	xfs_lsn_t lsn;

	/* of fewer groups, but the disk knows better */
	disk_sb(raw);
	grow_sb(raw, 3, 4096);
	log_sb(cp, raw, 0, SB_CHUNKS);
	lsn = testcp_write(cp);
	disk_sb(raw);
	put_be64(raw + 240, lsn);
	put_le32(raw + 224, xfs_crc_block(raw, 512, 224));
	testfs_poke(fs, 0, raw, 512);
	testfs_reload(fs);
	testfs_replay(fs, NULL, NULL);
	disk_sb(raw);
	cr_expect_eq(get_be32(raw + 88), 4);
}

static void refuses_sb(size_t off, uint8_t value, int rc, const char *text)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t raw[512];

	disk_sb(raw);
	raw[off] = value;
	log_sb(cp, raw, 0, SB_CHUNKS);
	testcp_write(cp);
	testfs_refuses(fs, rc, text);
}

Test(replay_superblock, one_that_is_not_sound_is_refused)
{
	refuses_sb(0, 'Y', -EUCLEAN, "superblock in the log: ");
}

Test(replay_superblock, one_of_another_log_size_is_refused)
{
	refuses_sb(99, 0x59, -EUCLEAN, "another block, sector, inode, group or log size");
}

Test(replay_superblock, one_with_a_feature_that_is_not_known_is_refused)
{
	refuses_sb(216, 0x40, -EOPNOTSUPP, "unknown incompatible features");
}

Test(replay_superblock, one_that_asks_for_repair_is_refused)
{
	uint8_t raw[512];

	disk_sb(raw);
	refuses_sb(219, raw[219] | XFS_SB_INCOMPAT_NEEDSREPAIR, -EUCLEAN,
		   "marked as needing repair");
}

Test(replay_superblock, one_of_another_length_is_refused)
{
	struct testcp *cp = testcp_new(fs);

	disk_sb(image);
	testcp_buf(cp, &(struct testbuf){ .daddr = 0, .len_bb = 2,
					  .image = image, .chunks = 3,
					  .flags = sb_flags });
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "superblock of another sector size");
}

Test(replay_superblock_v4, the_last_one_logged_counts)
{
	struct testcp *cp;
	uint8_t raw[512];

	disk_sb(raw);
	for (uint64_t free = 100; free < 103; free++) {
		cp = testcp_new(fs);
		put_be64(raw + 144, free);
		log_sb(cp, raw, 1, 1);
		testcp_write(cp);
	}
	put_be64(raw + 144, 999);
	testfs_poke(fs, 0, raw, 512);
	testfs_reload(fs);
	testfs_replay(fs, NULL, NULL);
	disk_sb(raw);
	cr_expect_eq(get_be64(raw + 144), 102);
}
