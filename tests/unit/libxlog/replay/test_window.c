/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replay in windows: what comes out does not depend on how much memory there
 * is, and where there is too little, that is told before anything is written.
 */
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = 8,
	BODY = 1024,
	MAX_BB = 128,			/* of a buffer */
	LEAST = 1 << 20,		/* memory that replay makes do with */
};

static struct testfs *fs;
static uint8_t image[MAX_BB * BB_SIZE];

static void open_fs(void)
{
	fs = testfs_open("linux618/never");
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(replay_window, .init = open_fs, .fini = close_fs);
TestSuite(replay_window_images);

static struct xlog_recover_options with_memory(uint64_t bytes)
{
	return (struct xlog_recover_options){ .stop_lsn = XLOG_LSN_NONE,
					      .max_memory_bytes = bytes };
}

/* --- real logs --- */

/* A dry run says what the run after it does, and does nothing. */
static void recovers_as_told(struct testfs *f, struct xlog_recover_options how,
			     struct xlog_recover_result *res)
{
	struct xlog_recover_options dry = how;
	struct xlog_recover_result told;

	dry.flags |= XLOG_RECOVER_DRY_RUN;
	testfs_mark(f);
	cr_assert_eq(xlog_recover(f->log, &dry, &told), 0, "%s", f->reports);
	cr_expect(testfs_untouched(f));
	cr_expect_not(told.wrote);
	f->reports[0] = '\0';
	cr_assert_eq(xlog_recover(f->log, &how, res), 0, "%s", f->reports);
	cr_expect(res->wrote);
	cr_expect_eq(told.blocks_written, res->blocks_written);
	cr_expect_eq(told.changed, res->changed);
	cr_expect_eq(told.items, res->items);
	cr_expect_eq(told.state, res->state);
	cr_expect_eq(told.unmount_lsn, res->unmount_lsn);
}

static void windows_agree(const char *name)
{
	struct xlog_recover_options little = with_memory(LEAST), much;
	struct testfs *a = testfs_open(name), *b = testfs_open(name);
	struct xlog_recover_result ra, rb;

	little.flags = XLOG_RECOVER_LEAVE_UNLINKED | XLOG_RECOVER_SKIP_INTENTS;
	much = little;
	much.max_memory_bytes = 0;
	recovers_as_told(a, much, &ra);
	recovers_as_told(b, little, &rb);
	cr_expect_eq(ra.windows, 1);
	cr_expect_gt(rb.windows, 1);
	cr_expect_leq(rb.peak_bytes, LEAST);
	cr_expect_eq(testfs_digest(a), testfs_digest(b));
	cr_expect_eq(ra.buffers, rb.buffers);
	cr_expect_eq(ra.inodes, rb.inodes);
	cr_expect_eq(ra.icreates, rb.icreates);
	cr_expect_eq(ra.newer, rb.newer);
	cr_expect_eq(ra.cancelled, rb.cancelled);
	cr_expect_eq(ra.changed, rb.changed);
	cr_expect_eq(ra.dquots, rb.dquots);
	cr_expect_eq(ra.intents, rb.intents);
	cr_expect_eq(ra.unlinked, rb.unlinked);
	cr_expect_eq(ra.cow_extents, rb.cow_extents);
	cr_expect_str_eq(a->reports, b->reports);
	testfs_close(a);
	testfs_close(b);
}

Test(replay_window_images, wrap256k)
{
	windows_agree("linux618/wrap256k");
}

Test(replay_window_images, log128m)
{
	windows_agree("linux618/log128m");
}

Test(replay_window_images, v4)
{
	windows_agree("other/v4-swapext-bigdir");
}

Test(replay_window_images, what_is_left_over)
{
	windows_agree("linux618/orphans-busy");
	windows_agree("linux618/unfinished");
}

Test(replay_window_images, quota)
{
	windows_agree("other/v5-quota-efi-s1");
}

Test(replay_window_images, directory_blocks_of_64k)
{
	windows_agree("other/n72-bigdir");
}

/* --- blocks by the hundred --- */

/* @n free blocks from number @first, each full of its number. */
static void write_blocks(unsigned int first, unsigned int n)
{
	struct testcp *cp = testcp_new(fs);

	for (unsigned int i = first; i < first + n; i++) {
		xfs_daddr_t at = testfs_free(fs, i);

		testfs_block(fs, image, at, 7, (uint8_t)i);
		testcp_buf(cp, &(struct testbuf){ .daddr = at,
						  .len_bb = BLOCK_BB,
						  .image = image });
	}
	testcp_write(cp);
}

Test(replay_window, blocks_of_all_windows_are_written)
{
	struct xlog_recover_options little = with_memory(LEAST);
	struct xlog_recover_result res;

	/* every second one, so that none is read with its neighbour */
	for (unsigned int i = 0; i < 900; i += 2)
		write_blocks(i, 1);
	testfs_replay(fs, &little, &res);
	cr_expect_gt(res.windows, 1);
	cr_expect_eq(res.buffers, 450);
	for (unsigned int i = 0; i < 900; i += 2)
		cr_expect_eq(testfs_byte(fs, testfs_free(fs, i), BODY),
			     (uint8_t)i);
}

Test(replay_window, what_is_not_changed_is_not_written)
{
	struct xlog_recover_result res;

	write_blocks(0, 3);
	/* the middle one is newer than the log's */
	testfs_block(fs, image, testfs_free(fs, 1), fs->lsn - 1, 9);
	testfs_poke(fs, testfs_free(fs, 1), image, BLOCK);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(res.changed, 2);
	cr_expect_eq(res.blocks_written, 2 * BLOCK_BB);
	cr_expect_eq(testfs_byte(fs, testfs_free(fs, 1), BODY), 9);
}

/* --- buffers that overlap --- */

static const uint16_t raw_bytes = XFS_BLFT_RTBITMAP << XFS_BLF_TYPE_SHIFT;

/* A buffer of @len_bb blocks, without a header, of which one chunk is logged. */
static void log_raw(struct testcp *cp, xfs_daddr_t daddr, uint32_t len_bb,
		    uint32_t chunk, uint8_t fill)
{
	memset(image, fill, sizeof(image));
	testcp_buf(cp, &(struct testbuf){
		.daddr = daddr, .len_bb = len_bb, .image = image,
		.first = chunk, .chunks = 1, .flags = raw_bytes });
}

Test(replay_window, buffers_that_overlap_share_their_bytes)
{
	xfs_daddr_t at = testfs_free(fs, 0);
	struct testcp *cp = testcp_new(fs);

	log_raw(cp, at, 16, 20, 0x22);		/* bytes 2560.. */
	log_raw(cp, at + 4, 16, 4, 0x33);	/* the same place */
	log_raw(cp, at + 2, 2, 0, 0x44);	/* bytes 1024.. */
	log_raw(cp, at, 8, 31, 0x55);		/* bytes 3968.. */
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(testfs_byte(fs, at, 2560), 0x33);
	cr_expect_eq(testfs_byte(fs, at, 1024), 0x44);
	cr_expect_eq(testfs_byte(fs, at, 3968), 0x55);
}

/*
 * Buffers of the greatest length from @daddr on, @n of them, each begins
 * @step blocks behind the one before.
 */
static void log_chain(xfs_daddr_t daddr, unsigned int n, unsigned int step)
{
	struct testcp *cp = testcp_new(fs);

	for (unsigned int i = 0; i < n; i++)
		log_raw(cp, daddr + i * step, MAX_BB, 0, (uint8_t)(i + 1));
	testcp_write(cp);
}

Test(replay_window, a_chain_of_them_is_one_window)
{
	struct xlog_recover_options little = with_memory(LEAST);
	struct xlog_recover_result res;
	xfs_daddr_t at = testfs_free(fs, 0);

	/* 3000 buffers, of which each overlaps the 127 next */
	for (unsigned int i = 0; i < 3000; i += 500)
		log_chain(at + i, 500, 1);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(res.windows, 1);
	for (unsigned int i = 0; i < 3000; i++)
		cr_expect_eq(testfs_byte(fs, at + i, 0),
			     (uint8_t)(i % 500 + 1));
	little.stop_count = UINT64_MAX;
	testfs_mark(fs);
	cr_expect_eq(xlog_recover(fs->log, &little, &res), -ENOMEM);
	cr_expect(testfs_said(fs, "1 MiB of memory are too little"));
	cr_expect_not(res.wrote);
	cr_expect(testfs_untouched(fs));
}

Test(replay_window, more_targets_than_the_table_may_hold_are_refused)
{
	struct xlog_recover_options little = with_memory(LEAST);
	struct xlog_recover_result res;
	struct testcp *cp = testcp_new(fs);

	for (unsigned int i = 0; i < 10000; i++)
		testcp_cancel(cp, 1000000 + i, 8);
	testcp_write(cp);
	testfs_mark(fs);
	cr_expect_eq(xlog_recover(fs->log, &little, &res), -ENOMEM);
	cr_expect(testfs_said(fs, "the log names more than"), "%s",
		  fs->reports);
	cr_expect(testfs_untouched(fs));
	testfs_replay(fs, NULL, NULL);
}

/*
 * What was possible when nothing had been written is possible when a part
 * has: a chain that just fits, and behind it buffers of which copies are kept.
 */
Test(replay_window, a_window_that_fitted_when_checked_fits_when_written)
{
	struct xlog_recover_options little = with_memory(LEAST);
	struct xlog_recover_result res;
	xfs_daddr_t at = testfs_free(fs, 300);

	write_blocks(0, 200);
	/* 800 KiB */
	log_chain(at, 25, 64);
	/* inodes in unlinked lists, 16 KiB each: 400 KiB */
	for (unsigned int i = 0; i < 25; i++) {
		struct testcp *cp = testcp_new(fs);

		testcp_icreate(cp, 3, 2000 + 8 * i, 64, 8, 5);
		testcp_write(cp);
		cp = testcp_new(fs);
		memset(image, 0, sizeof(image));
		put_be32(image + 96, 129);
		testcp_buf(cp, &(struct testbuf){
			.daddr = testfs_free(fs, 1000 + 8 * i),
			.len_bb = 32, .image = image, .chunks = 1,
			.flags = XFS_BLF_INODE_BUF |
				 XFS_BLFT_DINO << XFS_BLF_TYPE_SHIFT });
		testcp_write(cp);
	}
	little.stop_count = UINT64_MAX;
	for (; little.max_memory_bytes < 2 * LEAST;
	     little.max_memory_bytes += LEAST / 16) {
		if (!xlog_recover(fs->log, &little, &res))
			break;
		cr_assert_not(res.wrote, "%s", fs->reports);
	}
	cr_expect_gt(res.windows, 2);
	cr_expect_eq(testfs_byte(fs, at, 0), 1);
	cr_expect_eq(testfs_byte(fs, testfs_free(fs, 199), BODY), 199);
}
