/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recovery that loses power at any write, and what was under way then is
 * lost, torn or reordered, is made good by running it again: the filesystem is
 * that of a recovery which nobody disturbed.
 */
#include "libxlog/dev/fault.h"
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = 8,
	CHUNK = 128,
	INODE = 512,
};

TestSuite(recover_crash, .timeout = 300);

static const char *const how_names[] = {
	[FAULT_DROP] = "drop", [FAULT_KEEP] = "keep",
	[FAULT_REORDER] = "reorder", [FAULT_TEAR] = "tear",
};

static const struct xlog_recover_options leave = {
	.stop_lsn = XLOG_LSN_NONE,
	.flags = XLOG_RECOVER_LEAVE_UNLINKED,
};

static uint64_t healed;			/* blocks and inodes, of all crashes */

/* The state of the log afterwards. */
static enum xlog_state recover(struct testfs *fs, const char *when)
{
	struct xlog_recover_result res;
	struct xlog_bounds b;

	cr_assert_eq(xlog_recover(fs->log, &leave, &res), 0, "%s: %s", when,
		     fs->reports);
	healed += res.healed;
	cr_assert_eq(xlog_find(fs->log, 0, &b), 0);
	return b.state;
}

/* What comes out when nothing goes wrong. */
struct result {
	uint64_t	writes;		/* on the way there */
	uint32_t	digest;
	enum xlog_state	state;
};

static struct result undisturbed(struct testfs *fs)
{
	struct fault_counts counts;
	struct dev *fault;
	struct testfs *twin = testfs_fork(fs, &fault);
	struct result r;

	r.state = recover(twin, "undisturbed");
	fault_counts(fault, &counts);
	cr_expect_eq(counts.held, 0, "the last flush was forgotten");
	r.writes = counts.writes;
	r.digest = testfs_digest_meta(twin);
	testfs_close(twin);
	return r;
}

/* Power fails at write number @nth; then again, and then it stays. */
static void crash_at(struct testfs *fs, uint64_t nth, enum fault_crash how,
		     const struct result *want)
{
	struct dev *fault;
	struct testfs *twin = testfs_fork(fs, &fault);
	struct xlog_recover_result res;

	fault_stop(fault, FAULT_WRITE, nth);
	cr_assert_eq(xlog_recover(twin->log, &leave, &res), -EIO);
	cr_assert_eq(fault_crash(fault, how, nth), 0);
	twin->reports[0] = '\0';
	fault_stop(fault, FAULT_WRITE, nth / 2);
	(void)xlog_recover(twin->log, &leave, &res);
	cr_assert_eq(fault_crash(fault, how, nth + 1), 0);
	twin->reports[0] = '\0';
	cr_expect_eq(recover(twin, how_names[how]), want->state);
	cr_expect_eq(testfs_digest_meta(twin), want->digest, "write %u, %s",
		     (unsigned int)nth, how_names[how]);
	testfs_close(twin);
}

/* At @points writes, evenly spread. */
static void crash_everywhere(struct testfs *fs, uint64_t points)
{
	struct result want = undisturbed(fs);
	uint64_t n = want.writes;
	uint64_t step = n > points ? n / points : 1;

	for (uint64_t nth = 0; nth < n; nth += step)
		for (int how = FAULT_DROP; how <= FAULT_TEAR; how++)
			crash_at(fs, nth, (enum fault_crash)how, &want);
}

/* --- a log with something of everything --- */

static uint8_t image[BLOCK];

static void log_chunks(struct testfs *fs, struct testcp *cp, unsigned int n,
		       uint32_t chunk, uint8_t fill)
{
	xfs_daddr_t at = testfs_free(fs, n);

	testfs_block(fs, image, at, 7, fill);
	testcp_buf(cp, &(struct testbuf){ .daddr = at, .len_bb = BLOCK_BB,
					  .image = image, .first = chunk,
					  .chunks = 3 });
}

static void fill_log(struct testfs *fs)
{
	uint8_t raw[INODE];

	for (unsigned int i = 0; i < 12; i++) {
		testfs_block(fs, image, testfs_free(fs, 2 * i), 1, 0x11);
		testfs_poke(fs, testfs_free(fs, 2 * i), image, BLOCK);
	}
	for (unsigned int i = 0; i < 40; i++) {
		struct testcp *cp = testcp_new(fs);

		log_chunks(fs, cp, 2 * (i % 12), 8 + i % 20, (uint8_t)i);
		testfs_file(fs, raw, 128 + 10 + i % 7, 7, i + 1);
		testcp_inode(cp, &(struct testinode){
			.ino = 128 + 10 + i % 7, .raw = raw });
		if (i % 10 == 3)
			testcp_cancel(cp, testfs_free(fs, 2 * (i % 11)),
				      BLOCK_BB);
		if (i == 20 && fs->log->geom.v5)
			testcp_icreate(cp, 3, 3000, 64, 8, 77);
		testcp_write(cp);
	}
}

Test(recover_crash, at_every_write_of_a_small_log)
{
	struct testfs *fs = testfs_open("linux618/never");

	fill_log(fs);
	crash_everywhere(fs, 1000);
	cr_expect_gt(healed, 0);
	testfs_close(fs);
}

Test(recover_crash, of_inodes_of_two_sectors)
{
	struct testfs *fs = testfs_open("linux618/isize1024");

	crash_everywhere(fs, 12);
	cr_expect_gt(healed, 0);
	testfs_close(fs);
}

/* Not the log of the image: unused bytes of forks would depend on the crash. */
Test(recover_crash, of_version_4)
{
	struct testfs *fs = testfs_open("other/v4-noflush");

	testfs_erase_log(fs);
	fill_log(fs);
	crash_everywhere(fs, 1000);
	testfs_close(fs);
}

Test(recover_crash, of_a_wrapped_log)
{
	struct testfs *fs = testfs_open("linux618/wrapped");

	crash_everywhere(fs, 6);
	testfs_close(fs);
}
