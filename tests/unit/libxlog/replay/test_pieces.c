/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directory blocks that do not lie in one piece: blocks of 8 KiB, of which the
 * log has a half.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/dirblock.h"
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = BLOCK / BB_SIZE,
	DIRBLOCK = 2 * BLOCK,
	INODE = 512,
	FORK = 176,
	DATA_OFF = 64,			/* behind the header of a block */
	BODY = 1000,			/* somewhere in its second half */
	OLD = 0x11,
	NEW = 0x22,
	INO = 128 + 10,
};

static struct testfs *fs;
static uint8_t block[DIRBLOCK];

static void open_fs(void)
{
	fs = testfs_open("linux618/dir8k");
	testfs_erase_log(fs);
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(pieces, .init = open_fs, .fini = close_fs);

static xfs_fsblock_t fsb_of(xfs_daddr_t daddr)
{
	const struct xfs_geom *g = &fs->log->geom;
	uint64_t b = daddr / BLOCK_BB;

	return (b / g->agblocks) << g->agblklog | b % g->agblocks;
}

/* The halves of a directory block, far from each other. */
static xfs_daddr_t first_half(void)
{
	return testfs_free(fs, 0);
}

static xfs_daddr_t second_half(void)
{
	return testfs_free(fs, 10);
}

/* A directory block without names, all of its room full of @fill. */
static void make_block(xfs_daddr_t daddr, xfs_lsn_t lsn, uint8_t fill)
{
	memset(block, fill, sizeof(block));
	memset(block, 0, DATA_OFF);
	put_be32(block, XFS_DIR3_DATA_MAGIC);
	put_be64(block + 8, daddr);
	put_be64(block + 16, lsn);
	memcpy(block + 24, fs->log->geom.meta_uuid, 16);
	put_be64(block + 40, INO);
	put_be16(block + 48, DATA_OFF);
	put_be16(block + 50, DIRBLOCK - DATA_OFF);
	put_be16(block + DATA_OFF, 0xffff);
	put_be16(block + DATA_OFF + 2, DIRBLOCK - DATA_OFF);
	put_be16(block + DIRBLOCK - 2, DATA_OFF);
	put_le32(block + 4, xfs_crc_block(block, DIRBLOCK, 4));
}

/* On disk, in two pieces. */
static void put_halves(xfs_daddr_t first, xfs_daddr_t second)
{
	make_block(first, 1, OLD);
	testfs_poke(fs, first, block, BLOCK);
	testfs_poke(fs, second, block + BLOCK, BLOCK);
}

static void put_extent(uint8_t *rec, uint64_t off, xfs_fsblock_t fsb,
		       uint32_t blocks)
{
	put_be64(rec, off << 9 | fsb >> 43);
	put_be64(rec + 8, fsb << 21 | blocks);
}

/* The directory, with @n extents: in the log, and free on disk. */
static void log_directory(struct testcp *cp, const uint8_t *extents,
			  uint32_t n)
{
	uint8_t raw[INODE];

	testfs_file(fs, raw, INO, 1, DIRBLOCK);
	testfs_inode_poke(fs, INO, raw);
	put_be16(raw + 2, 040755);
	raw[5] = XFS_DINODE_FMT_EXTENTS;
	put_be32(raw + 16, 2);
	put_be64(raw + 64, 100);
	put_be32(raw + 76, n);
	testcp_inode(cp, &(struct testinode){
		.ino = INO, .raw = raw, .fields = XFS_ILOG_DEXT,
		.dfork = extents, .dfork_bytes = n * 16 });
}

static void log_two_extents(struct testcp *cp, xfs_daddr_t first,
			    xfs_daddr_t second)
{
	uint8_t extents[32];

	put_extent(extents, 0, fsb_of(first), 1);
	put_extent(extents + 16, 1, fsb_of(second), 1);
	log_directory(cp, extents, 2);
}

/* The second half changes, all of it (0) or so many chunks. */
static void log_half(struct testcp *cp, xfs_daddr_t daddr, uint32_t chunks)
{
	make_block(0, 0, NEW);
	testcp_buf(cp, &(struct testbuf){
		.daddr = daddr, .len_bb = BLOCK_BB, .image = block + BLOCK,
		.chunks = chunks,
		.flags = XFS_BLFT_DIR_DATA << XFS_BLF_TYPE_SHIFT });
}

static void is_put_together(xfs_daddr_t first, xfs_daddr_t second,
			    xfs_lsn_t lsn)
{
	testfs_peek(fs, first, block, BLOCK);
	testfs_peek(fs, second, block + BLOCK, BLOCK);
	cr_expect_eq(block[BODY], OLD);
	cr_expect_eq(block[BLOCK + BODY], NEW);
	cr_expect_eq(get_be64(block + 16), lsn);
	cr_expect(xfs_crc_ok(block, DIRBLOCK, 4));
}

Test(pieces, get_one_header)
{
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;
	xfs_lsn_t lsn;

	put_halves(first_half(), second_half());
	log_half(cp, second_half(), 0);
	log_two_extents(cp, first_half(), second_half());
	lsn = testcp_write(cp);
	testfs_replay(fs, NULL, &res);
	is_put_together(first_half(), second_half(), lsn);
}

/* An extent of two whole blocks and a half, then the other half. */
Test(pieces, are_found_behind_whole_blocks)
{
	xfs_daddr_t start = testfs_free(fs, 20);
	xfs_daddr_t first = start + 4 * BLOCK_BB;
	struct testcp *cp = testcp_new(fs);
	uint8_t extents[32];
	xfs_lsn_t lsn;

	put_halves(first, second_half());
	put_extent(extents, 0, fsb_of(start), 5);
	put_extent(extents + 16, 5, fsb_of(second_half()), 1);
	log_half(cp, second_half(), 0);
	log_directory(cp, extents, 2);
	lsn = testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	is_put_together(first, second_half(), lsn);
}

/* And before them. */
Test(pieces, are_found_before_whole_blocks)
{
	xfs_daddr_t second = testfs_free(fs, 20);
	struct testcp *cp = testcp_new(fs);
	uint8_t extents[32];
	xfs_lsn_t lsn;

	put_halves(first_half(), second);
	put_extent(extents, 6, fsb_of(first_half()), 1);
	put_extent(extents + 16, 7, fsb_of(second), 5);
	log_half(cp, second, 0);
	log_directory(cp, extents, 2);
	lsn = testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	is_put_together(first_half(), second, lsn);
}

Test(pieces, are_of_no_directory)
{
	struct testcp *cp = testcp_new(fs);

	put_halves(first_half(), second_half());
	log_half(cp, second_half(), 0);
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "no directory in the log has the rest");
}

/* Everything is as it should be, but for the place. */
Test(pieces, never_lie_in_the_log)
{
	const struct xlog_info *info = &fs->log->info;
	/* where nobody looks who searches for its head */
	xfs_daddr_t first = info->log_daddr + info->log_size_bb / 3 / 8 * 8;
	struct testcp *cp = testcp_new(fs);

	put_halves(first, second_half());
	log_half(cp, second_half(), 0);
	log_two_extents(cp, first, second_half());
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "lies in the log");
}

/* A directory whose inode was freed, and then the blocks of inodes as well. */
Test(pieces, are_not_looked_for_where_no_inodes_are_any_more)
{
	struct testfs_inode at = testfs_inode(fs, 64);
	struct testcp *cp = testcp_new(fs);
	uint8_t raw[INODE];
	xfs_lsn_t lsn;

	testfs_file(fs, raw, at.ino, 7, 100);
	put_be16(raw + 2, 040755);
	raw[5] = XFS_DINODE_FMT_LOCAL;
	testcp_inode(cp, &(struct testinode){ .ino = at.ino, .raw = raw });
	testcp_write(cp);
	cp = testcp_new(fs);
	testcp_cancel(cp, at.daddr, at.len_bb);
	testcp_write(cp);
	memset(block, 0x77, sizeof(block));
	testfs_poke(fs, at.daddr, block, BLOCK);

	cp = testcp_new(fs);
	put_halves(first_half(), second_half());
	log_half(cp, second_half(), 0);
	log_two_extents(cp, first_half(), second_half());
	lsn = testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	is_put_together(first_half(), second_half(), lsn);
}

/* What the log has of them takes no more than a share of the memory. */
Test(pieces, are_bounded)
{
	enum { MIB = 1 << 20 };
	struct xlog_recover_options opts = { .stop_lsn = XLOG_LSN_NONE,
					     .max_memory_bytes = MIB };
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;

	for (unsigned int i = 0; i < MIB / 8 / 96 + 1; i++)
		log_half(cp, testfs_free(fs, i), 1);
	testcp_write(cp);
	testfs_mark(fs);
	cr_expect_eq(xlog_recover(fs->log, &opts, &res), -ENOMEM);
	cr_expect(testfs_said(fs, "can keep track of"), "%s", fs->reports);
	cr_expect(testfs_untouched(fs));
}
