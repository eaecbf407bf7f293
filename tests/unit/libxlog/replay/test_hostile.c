/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logs that no kernel writes: whatever they say, replay neither crashes nor
 * hangs nor writes out of place. Most of it shows under the address sanitizer.
 */
#include <stdlib.h>

#include "tests/lib/testfs.h"

enum {
	BLOCK_BB = 8,
	INODE = 1024,
};

static struct testfs *fs;
static uint8_t image[65536];

static void open_isize1024(void)
{
	fs = testfs_open("linux618/isize1024");
	testfs_erase_log(fs);
}

static void open_never(void)
{
	fs = testfs_open("linux618/never");
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(hostile_inodes, .init = open_isize1024, .fini = close_fs);
TestSuite(hostile, .init = open_never, .fini = close_fs);

/* It may succeed or be refused, but not write when it is refused. */
static void survives(uint64_t max_memory)
{
	struct xlog_recover_options opts = {
		.stop_lsn = XLOG_LSN_NONE,
		.stop_count = UINT64_MAX,
		.max_memory_bytes = max_memory,
	};
	struct xlog_recover_result res;

	testfs_mark(fs);
	if (xlog_recover(fs->log, &opts, &res)) {
		cr_expect_neq(res.refused[0], '\0', "%s", fs->reports);
		cr_expect_not(res.wrote);
		cr_expect(testfs_untouched(fs));
	}
}

/* --- buffers smaller than what lies in them --- */

static void log_inodes(xfs_daddr_t daddr, uint32_t len_bb, uint16_t flags)
{
	struct testcp *cp = testcp_new(fs);

	memset(image, 0, sizeof(image));
	put_be32(image + 96, 129);
	testcp_buf(cp, &(struct testbuf){
		.daddr = daddr, .len_bb = len_bb, .image = image,
		.chunks = 1,
		.flags = flags | XFS_BLFT_DINO << XFS_BLF_TYPE_SHIFT });
	testcp_write(cp);
}

Test(hostile_inodes, a_buffer_of_half_an_inode)
{
	uint8_t raw[INODE];

	/* at the end of everything that is in memory */
	testfs_file(fs, raw, 84, 7, 5);
	testfs_poke(fs, testfs_free(fs, 0), raw, BB_SIZE);
	log_inodes(testfs_free(fs, 0), 1, XFS_BLF_INODE_BUF);
	survives(0);
}

Test(hostile_inodes, a_buffer_of_an_inode_and_a_half)
{
	uint8_t raw[2 * INODE];

	testfs_file(fs, raw, 84, 7, 5);
	testfs_file(fs, raw + INODE, 85, 7, 5);
	testfs_poke(fs, testfs_free(fs, 0), raw, 3 * BB_SIZE);
	memset(image, 0, sizeof(image));
	log_inodes(testfs_free(fs, 0), 3, XFS_BLF_INODE_BUF);
	log_inodes(testfs_free(fs, 0), 3, 0);
	survives(0);
}

Test(hostile_inodes, an_inode_in_a_buffer_that_is_too_short)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t raw[INODE];

	testfs_file(fs, raw, 64, 7, 5);
	testcp_inode(cp, &(struct testinode){ .ino = 64, .raw = raw,
					      .len_bb = 1 });
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "inode outside its cluster");
}

Test(hostile_inodes, the_same_inode_in_buffers_of_many_lengths)
{
	for (uint32_t len = 2; len <= 128; len++) {
		struct testcp *cp = testcp_new(fs);
		uint8_t raw[INODE];

		testfs_file(fs, raw, 64, 7, len);
		put_be16(raw + 2, 0100644);
		testcp_inode(cp, &(struct testinode){ .ino = 64, .raw = raw,
						      .len_bb = len });
		testcp_write(cp);
	}
	survives(0);
	testfs_inode_peek(fs, 64, image);
}

/* --- kinds of blocks in buffers of any length --- */

Test(hostile, every_kind_of_block_in_every_length)
{
	static const uint32_t lengths[] = { 1, 2, 3, 7, 8, 9, 16, 127, 128 };

	for (unsigned int blft = 0; blft < 32; blft++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]);
		     i++) {
			struct testcp *cp;

			testfs_close(fs);
			open_never();
			cp = testcp_new(fs);
			for (const struct xfs_block_type *t = xfs_block_types;
			     t->name; t++) {
				xfs_daddr_t at = testfs_free(fs, (unsigned int)
						(t - xfs_block_types) * 20);

				memset(image, 0xff, sizeof(image));
				if (t->magic_bytes == 4)
					put_be32(image + t->magic_off,
						 t->magic);
				else if (t->magic_bytes == 2)
					put_be16(image + t->magic_off,
						 (uint16_t)t->magic);
				testfs_poke(fs, at, image,
					    lengths[i] * (size_t)BB_SIZE);
				testcp_buf(cp, &(struct testbuf){
					.daddr = at, .len_bb = lengths[i],
					.image = image, .chunks = 4,
					.flags = (uint16_t)(blft <<
						XFS_BLF_TYPE_SHIFT | 0x400),
				});
			}
			testcp_write(cp);
			survives(0);
		}
}

/* --- many of everything --- */

Test(hostile, buffers_of_every_length_at_every_place)
{
	for (uint32_t len = 1; len <= 128; len += 3) {
		struct testcp *cp = testcp_new(fs);

		for (uint32_t at = 0; at < 256; at += 7)
			testcp_buf(cp, &(struct testbuf){
				.daddr = testfs_free(fs, 0) + at,
				.len_bb = len, .image = image, .chunks = 1 });
		testcp_write(cp);
	}
	survives(0);
	survives(1);
}

Test(hostile, the_same_item_a_thousand_times)
{
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;
	uint8_t raw[512];

	testfs_file(fs, raw, 138, 7, 5);
	for (unsigned int i = 0; i < 1000; i++) {
		testfs_block(fs, image, testfs_free(fs, 0), 7, (uint8_t)i);
		testcp_buf(cp, &(struct testbuf){
			.daddr = testfs_free(fs, 0), .len_bb = BLOCK_BB,
			.image = image, .first = 8, .chunks = 1 });
		testcp_inode(cp, &(struct testinode){ .ino = 138,
						      .raw = raw });
		testcp_icreate(cp, 0, 16, 64, 8, i);
	}
	testcp_write(cp);
	testfs_block(fs, image, testfs_free(fs, 0), 1, 0);
	testfs_poke(fs, testfs_free(fs, 0), image, 4096);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(res.buffers, 1000);
	cr_expect_eq(res.icreates, 1000);
	cr_expect_eq(testfs_byte(fs, testfs_free(fs, 0), 1024), 999 % 256);
}

Test(hostile, blocks_over_everything_the_filesystem_has)
{
	for (uint32_t block = 0; block < 40; block++) {
		struct testcp *cp;

		testfs_close(fs);
		open_never();
		cp = testcp_new(fs);
		memset(image, 0xee, sizeof(image));
		for (uint32_t n = 0; n < 4; n++)
			testcp_buf(cp, &(struct testbuf){
				.daddr = (uint64_t)n * 4096 * 8 + block,
				.len_bb = 1 + block % 16, .image = image,
				.flags = (uint16_t)(block % 21 <<
						    XFS_BLF_TYPE_SHIFT |
						    0x400) });
		testcp_write(cp);
		survives(0);
	}
}
