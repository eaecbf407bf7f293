/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filesystem as replay leaves it, read before it is written: the same
 * bytes that are on disk afterwards, whichever way they are found.
 */
#include <time.h>

#include "libxlog/replay/kept.h"
#include "libxlog/replay/plan.h"
#include "libxlog/replay/window.h"
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = 8,
	MAX_BB = 128,
	SPAN_BB = 512,			/* what is compared */
	LEAST = 1 << 20,
};

static struct testfs *fs;
static struct xlog_recover_options opts;
static struct xlog_recover_result res;
static struct replay r;
static xfs_daddr_t at;
static uint8_t image[MAX_BB * BB_SIZE];
static uint8_t seen[SPAN_BB * BB_SIZE], written[SPAN_BB * BB_SIZE];

static void open_fs(void)
{
	fs = testfs_open("linux618/never");
	at = testfs_free(fs, 0);
}

static void close_fs(void)
{
	replay_fini(&r);
	testfs_close(fs);
}

TestSuite(replay_read, .init = open_fs, .fini = close_fs);

/* The first walk over the log, nothing in memory yet. */
static void plan(uint64_t max_bytes)
{
	opts = (struct xlog_recover_options){ .stop_lsn = XLOG_LSN_NONE };
	r = (struct replay){ .log = fs->log, .opts = &opts, .res = &res,
			     .max_bytes = max_bytes };
	cr_assert_eq(xlog_find(fs->log, 0, &res.bounds), 0);
	r.order = fs->order;
	cr_assert_eq(replay_start(&r), 0);
	r.order = fs->order;
	cr_assert_eq(plan_make(&r), 0, "%s", fs->reports);
}

static void log_raw(struct testcp *cp, xfs_daddr_t daddr, uint32_t len_bb,
		    uint32_t chunk, uint8_t fill)
{
	memset(image, fill, sizeof(image));
	testcp_buf(cp, &(struct testbuf){
		.daddr = daddr, .len_bb = len_bb, .image = image,
		.first = chunk, .chunks = 1,
		.flags = XFS_BLFT_RTBITMAP << XFS_BLF_TYPE_SHIFT });
}

static void log_block(struct testcp *cp, xfs_daddr_t daddr, uint8_t fill)
{
	testfs_block(fs, image, daddr, 7, fill);
	testcp_buf(cp, &(struct testbuf){ .daddr = daddr, .len_bb = BLOCK_BB,
					  .image = image });
}

static void forget_window(void)
{
	window_free(r.window);
	r.window = NULL;
}

/* Reading all of it, and one block alone, is what replay then writes. */
static void reads_what_is_written(bool no_window)
{
	uint8_t one[BB_SIZE];

	cr_assert_eq(replay_read(&r, at, SPAN_BB, seen), 0, "%s", fs->reports);
	for (uint32_t b = 0; b < SPAN_BB; b++) {
		if (no_window)
			forget_window();
		cr_assert_eq(replay_read(&r, at + b, 1, one), 0);
		cr_expect_arr_eq(one, seen + (size_t)b * BB_SIZE, BB_SIZE,
				 "block %u", b);
	}
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at, written, sizeof(written));
	cr_expect_arr_eq(seen, written, sizeof(seen));
}

Test(replay_read, what_is_in_no_window)
{
	struct testcp *cp = testcp_new(fs);

	for (uint32_t b = 3; b < SPAN_BB / BLOCK_BB; b += 5)
		log_block(cp, at + (xfs_daddr_t)b * BLOCK_BB, (uint8_t)b);
	testcp_write(cp);
	plan(LEAST);
	reads_what_is_written(true);
}

Test(replay_read, what_is_in_the_window)
{
	struct testcp *cp = testcp_new(fs);

	for (uint32_t b = 3; b < SPAN_BB / BLOCK_BB; b += 5)
		log_block(cp, at + (xfs_daddr_t)b * BLOCK_BB, (uint8_t)b);
	testcp_write(cp);
	plan(0);
	cr_assert_eq(window_load(&r, 0, targets_count(r.targets)), 0);
	reads_what_is_written(false);
}

Test(replay_read, buffers_that_overlap)
{
	struct testcp *cp = testcp_new(fs);

	log_raw(cp, at, 8, 0, 0x22);
	log_raw(cp, at + 4, 8, 8, 0x33);
	log_raw(cp, at + 10, 100, 200, 0x44);
	log_raw(cp, at + 10, 1, 2, 0x55);
	log_raw(cp, at + 109, 3, 4, 0x66);
	testcp_write(cp);
	plan(LEAST);
	reads_what_is_written(true);
}

Test(replay_read, more_that_overlap_than_a_part_of_memory_holds)
{
	struct testcp *cp = testcp_new(fs);

	/* a chain of 720 blocks, 360 KiB */
	for (unsigned int i = 0; i < 20; i++)
		log_raw(cp, at + i * 32, MAX_BB, 5, (uint8_t)(i + 1));
	testcp_write(cp);
	plan(LEAST);
	reads_what_is_written(true);
}

Test(replay_read, refuses_what_lies_behind_the_device)
{
	uint64_t end = fs->log->fs->size_bytes / BB_SIZE;
	struct testcp *cp = testcp_new(fs);

	log_block(cp, at, 1);
	testcp_write(cp);
	plan(0);
	cr_expect_eq(replay_read(&r, end - 1, 2, seen), -EUCLEAN);
	cr_expect_eq(replay_read(&r, UINT64_MAX, 2, seen), -EUCLEAN);
	cr_expect_eq(replay_read(&r, end - 1, 1, seen), 0);
}

/* --- time --- */

Test(replay_read, thousands_that_overlap_take_no_time, .timeout = 60)
{
	for (unsigned int i = 0; i < 6000; i += 500) {
		struct testcp *cp = testcp_new(fs);

		for (unsigned int n = 0; n < 500; n++)
			log_raw(cp, at + i + n, MAX_BB, 0, (uint8_t)(n + 1));
		testcp_write(cp);
	}
	plan(0);
	/* from the far end of the chain */
	cr_assert_eq(replay_read(&r, at + 5900, 100, seen), 0);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, at + 5900, written, 100 * BB_SIZE);
	cr_expect_arr_eq(seen, written, 100 * BB_SIZE);
}
