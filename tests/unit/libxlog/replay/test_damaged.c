/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A log with a damaged record is refused; what comes before that record can be
 * replayed if that is asked for, and no more.
 */
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = 8,
	BODY = 1024,
	CHUNK = 128,
	BEHIND = 10,		/* records behind the damage: not a torn end */
};

static struct testfs *fs;
static xfs_daddr_t at;
static uint8_t image[BLOCK];

static void open_fs(void)
{
	fs = testfs_open("linux618/never");
	at = testfs_free(fs, 0);
	testfs_block(fs, image, at, 1, 0x11);
	testfs_poke(fs, at, image, BLOCK);
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(replay_damaged, .init = open_fs, .fini = close_fs);

static void log_chunk(struct testcp *cp, uint32_t chunk, uint8_t fill)
{
	testfs_block(fs, image, at, 7, fill);
	testcp_buf(cp, &(struct testbuf){ .daddr = at, .len_bb = BLOCK_BB,
					  .image = image, .first = chunk,
					  .chunks = 1 });
}

static xfs_lsn_t write_chunk(uint32_t chunk, uint8_t fill)
{
	struct testcp *cp = testcp_new(fs);

	log_chunk(cp, chunk, fill);
	return testcp_write(cp);
}

/* A byte of the payload of the record at @lsn, which has a checksum. */
static void damage(xfs_lsn_t lsn)
{
	uint64_t off = ((uint64_t)xfs_lsn_block(lsn) + 1) * BB_SIZE + 100;
	uint8_t byte;

	cr_assert_eq(dev_read(fs->log->dev, off, &byte, 1), 0);
	byte ^= 0x40;
	cr_assert_eq(dev_write(fs->log->dev, off, &byte, 1), 0);
}

static void write_behind(void)
{
	for (unsigned int i = 0; i < BEHIND; i++)
		write_chunk(16, (uint8_t)i);
}

/* Three checkpoints, of which the last is damaged, and more. */
static void three(xfs_lsn_t lsn[3])
{
	lsn[0] = write_chunk(8, 0x22);
	lsn[1] = write_chunk(9, 0x33);
	lsn[2] = write_chunk(10, 0x44);
	write_behind();
	damage(lsn[2]);
}

static int recover_to(uint64_t count, xfs_lsn_t lsn,
		      struct xlog_recover_result *res)
{
	struct xlog_recover_options opts = { .stop_count = count,
					     .stop_lsn = lsn };

	return xlog_recover(fs->log, &opts, res);
}

static void refuses_to(uint64_t count, xfs_lsn_t lsn)
{
	struct xlog_recover_result res;

	testfs_mark(fs);
	cr_expect_eq(recover_to(count, lsn, &res), -EUCLEAN);
	cr_expect_not(res.wrote);
	cr_expect(testfs_untouched(fs));
}

static void has_two(const struct xlog_recover_result *res)
{
	cr_expect_eq(res->checkpoints, 2);
	cr_expect_eq(res->state, XLOG_DIRTY);
	cr_expect_not(res->consistent);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x33);
	cr_expect_eq(testfs_byte(fs, at, BODY + 2 * CHUNK), 0x11);
}

Test(replay_damaged, is_refused_as_a_whole)
{
	struct xlog_bounds b;
	xfs_lsn_t lsn[3];

	three(lsn);
	cr_assert_eq(xlog_find(fs->log, 0, &b), 0);
	cr_expect_eq(b.damaged, lsn[2]);
	cr_expect_eq(b.reasons, (unsigned int)XLOG_REFUSED_RECORD);
	testfs_refuses(fs, -EUCLEAN, "damaged record");
}

Test(replay_damaged, is_replayed_up_to_a_number_of_checkpoints)
{
	struct xlog_recover_result res;
	xfs_lsn_t lsn[3];

	three(lsn);
	refuses_to(3, XLOG_LSN_NONE);
	refuses_to(4, XLOG_LSN_NONE);
	cr_assert_eq(recover_to(2, XLOG_LSN_NONE, &res), 0, "%s", fs->reports);
	has_two(&res);
}

Test(replay_damaged, is_replayed_up_to_an_lsn)
{
	struct xlog_recover_result res;
	xfs_lsn_t lsn[3];

	three(lsn);
	refuses_to(0, lsn[2]);
	refuses_to(0, lsn[2] + 2);
	cr_assert_eq(recover_to(0, lsn[1], &res), 0, "%s", fs->reports);
	has_two(&res);
}

Test(replay_damaged, at_its_first_record_leaves_nothing_to_replay)
{
	xfs_lsn_t lsn = write_chunk(8, 0x22);

	write_behind();
	damage(lsn);
	refuses_to(1, XLOG_LSN_NONE);
	refuses_to(0, lsn);
}

/* Two have one LSN, and the second is cut off: neither is what it was. */
Test(replay_damaged, where_one_of_two_twins_ends_loses_both)
{
	struct testcp *a = testcp_new(fs), *b = testcp_new(fs);
	struct xlog_recover_result res;
	xfs_lsn_t first, lsn;

	first = write_chunk(8, 0x22);
	write_chunk(9, 0x33);
	testcp_start(a);
	testcp_start(b);
	log_chunk(a, 10, 0x44);
	log_chunk(b, 11, 0x55);
	testcp_body(a);
	testcp_commit(a);
	testfs_record(fs);
	testcp_body(b);
	testcp_commit(b);
	lsn = testfs_record(fs);
	write_behind();
	damage(lsn);
	refuses_to(3, XLOG_LSN_NONE);
	refuses_to(0, lsn - 1);
	cr_assert_eq(recover_to(0, first, &res), 0, "%s", fs->reports);
	cr_expect_eq(res.checkpoints, 1);
	cr_assert_eq(recover_to(2, XLOG_LSN_NONE, &res), 0, "%s", fs->reports);
	has_two(&res);
}
