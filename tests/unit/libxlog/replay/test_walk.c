/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In which order items come, of which checkpoints, and where it ends.
 */
#include <stdio.h>

#include "libxlog/replay/walk.h"
#include "tests/lib/testfs.h"

enum {
	INODE = 512,
	CHUNK = 128,
};

static struct testfs *fs;
static struct xlog_recover_options opts;
static struct xlog_recover_result res;
static struct replay r;
static struct replay_walk walk;
static char seen[512];			/* what came, as text */
static int answer;			/* of the callback, from item @after */
static unsigned int after;

static void open_fs(void)
{
	fs = testfs_open("linux618/never");
	opts = (struct xlog_recover_options){ .stop_lsn = XLOG_LSN_NONE };
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(replay_walk, .init = open_fs, .fini = close_fs);

/* Items by a letter: of buffers, the last digit of their place. */
static int take(struct replay *replay, const struct replay_item *it)
{
	size_t used = strlen(seen);
	const struct xlog_region *f = it->item->regions;
	char what[16] = "?";

	cr_expect_eq(replay, &r);
	cr_expect_eq(it->view.nregions, it->item->nregions);
	cr_expect_eq(it->view.regions[0].data, f->data);
	if (it->item->type == XFS_LI_BUF)
		snprintf(what, sizeof(what), "b%u",
			 (unsigned int)get_w64(f->data + 8, it->view.order) %
			 10);
	else if (it->item->type == XFS_LI_INODE)
		snprintf(what, sizeof(what), "i%u",
			 (unsigned int)get_w64(f->data + 16, it->view.order) %
			 10);
	else if (it->item->type == XFS_LI_ICREATE)
		snprintf(what, sizeof(what), "c");
	else if (it->item->type == XFS_LI_EFI)
		snprintf(what, sizeof(what), "e");
	else if (it->item->type == XFS_LI_DQUOT)
		snprintf(what, sizeof(what), "q");
	snprintf(seen + used, sizeof(seen) - used, "%s%u:%s",
		 used ? " " : "", it->seq, what);
	return after && !--after ? answer : 0;
}

static int go(void)
{
	r = (struct replay){ .log = fs->log, .opts = &opts, .res = &res,
			     .order = fs->order, .geom = fs->log->geom };
	cr_assert_eq(xlog_find(fs->log, 0, &res.bounds), 0);
	seen[0] = '\0';
	return replay_walk(&r, XLOG_PHASE_PLAN, take, &walk);
}

static void log_buf(struct testcp *cp, xfs_daddr_t daddr, uint16_t flags)
{
	uint8_t image[4096] = { 0 };

	testcp_buf(cp, &(struct testbuf){ .daddr = daddr, .len_bb = 8,
					  .image = image, .flags = flags,
					  .chunks = 1 });
}

static void log_inode(struct testcp *cp, xfs_ino_t ino)
{
	uint8_t raw[INODE];

	testfs_file(fs, raw, ino, 0, 5);
	testcp_inode(cp, &(struct testinode){ .ino = ino, .raw = raw });
}

static xfs_lsn_t write_buf(xfs_daddr_t daddr)
{
	struct testcp *cp = testcp_new(fs);

	log_buf(cp, daddr, 0);
	return testcp_write(cp);
}

static const uint16_t unlinked = XFS_BLF_INODE_BUF |
				 XFS_BLFT_DINO << XFS_BLF_TYPE_SHIFT;

static void mixed_checkpoint(void)
{
	struct testcp *cp = testcp_new(fs);

	testcp_cancel(cp, 1, 8);
	log_buf(cp, 2, unlinked);
	log_inode(cp, 133);
	log_buf(cp, 4, 0);
	testcp_icreate(cp, 0, 16, 64, 8, 1);
	testcp_efi(cp, 77, false, 10, 1);
	/* a buffer of inodes that was cancelled is cancelled */
	log_buf(cp, 5, unlinked | XFS_BLF_CANCEL);
	log_buf(cp, 6, unlinked);
	log_inode(cp, 137);
	log_buf(cp, 8, 0);
	testcp_cancel(cp, 9, 8);
	testcp_write(cp);
}

Test(replay_walk, of_a_checkpoint_buffers_come_first_and_cancels_last)
{
	mixed_checkpoint();
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "1:b4 1:c 1:b8 1:i3 1:e 1:i7 1:b6 1:b2 1:b9 1:b5 1:b1");
	cr_expect_eq(walk.items, 11);
	cr_expect_eq(walk.checkpoints, 1);
}

Test(replay_walk, the_same_of_a_big_endian_log)
{
	fs->order = XFS_BE;
	mixed_checkpoint();
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "1:b4 1:c 1:b8 1:i3 1:e 1:i7 1:b6 1:b2 1:b9 1:b5 1:b1");
}

Test(replay_walk, checkpoints_come_in_the_order_of_their_commits)
{
	struct testcp *a = testcp_new(fs), *b = testcp_new(fs);

	log_buf(a, 1, 0);
	log_buf(b, 2, 0);
	testcp_start(a);
	testcp_start(b);
	testcp_body(a);
	testcp_body(b);
	testcp_commit(b);
	testcp_commit(a);
	testfs_record(fs);
	write_buf(3);
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "1:b2 2:b1 3:b3");
}

Test(replay_walk, several_checkpoints_may_share_a_record)
{
	for (xfs_daddr_t d = 1; d < 4; d++) {
		struct testcp *cp = testcp_new(fs);

		log_buf(cp, d, 0);
		testcp_start(cp);
		testcp_body(cp);
		testcp_commit(cp);
	}
	testfs_record(fs);
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "1:b1 2:b2 3:b3");
	cr_expect_eq(walk.records, 1);
	cr_expect_eq(walk.last_lsn, fs->tail);
}

Test(replay_walk, what_never_committed_is_only_counted)
{
	struct testcp *cp = testcp_new(fs);

	write_buf(1);
	log_buf(cp, 2, 0);
	testcp_start(cp);
	testcp_body(cp);
	testcp_drop(cp);
	testfs_record(fs);
	write_buf(3);
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "1:b1 2:b3");
	cr_expect_eq(walk.uncommitted, 1);
	cr_expect_eq(walk.checkpoints, 2);
	cr_expect_eq(walk.items, 2);
}

/* --- where it ends --- */

Test(replay_walk, ends_after_as_many_checkpoints_as_wanted)
{
	write_buf(1);
	write_buf(2);
	write_buf(3);
	opts.stop_count = 2;
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "1:b1 2:b2");
	opts.stop_count = 3;
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "1:b1 2:b2 3:b3");
}

Test(replay_walk, ends_after_the_checkpoint_of_an_lsn)
{
	xfs_lsn_t lsn;

	write_buf(1);
	lsn = write_buf(2);
	write_buf(3);
	opts.stop_lsn = lsn;
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "1:b1 2:b2");
	cr_expect_eq(walk.last_lsn, lsn);
	opts.stop_lsn = lsn - 1;
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "1:b1");
	opts.stop_lsn = 0;
	cr_assert_eq(go(), 0);
	cr_expect_str_eq(seen, "");
	cr_expect_eq(walk.last_lsn, 0);
}

Test(replay_walk, beyond_are_those_that_do_not_come)
{
	write_buf(1);
	write_buf(2);
	write_buf(3);
	opts.stop_count = 1;
	cr_assert_eq(go(), 0);
	seen[0] = '\0';
	cr_assert_eq(replay_walk_beyond(&r, take), 0);
	cr_expect_not_null(strstr(seen, "b2"));
	cr_expect_not_null(strstr(seen, "b3"));
	cr_expect_null(strstr(seen, "b1"));
}

Test(replay_walk, ends_where_the_callback_says)
{
	write_buf(1);
	write_buf(2);
	answer = -EUCLEAN;
	after = 1;
	cr_assert_eq(go(), -EUCLEAN);
	cr_expect_str_eq(seen, "1:b1");
}

static unsigned int told;

static int refuse_at(void *ctx, enum xlog_phase phase, uint64_t done,
		     uint64_t total)
{
	cr_expect_eq(phase, XLOG_PHASE_PLAN);
	cr_expect_leq(done, total);
	return ++told == *(unsigned int *)ctx;
}

Test(replay_walk, ends_when_the_caller_has_enough)
{
	unsigned int at = 2;

	for (unsigned int i = 0; i < 100; i++)
		write_buf(i);
	opts.progress = refuse_at;
	opts.ctx = &at;
	cr_assert_eq(go(), -ECANCELED);
	cr_expect_eq(told, 2);
	cr_expect_lt(walk.checkpoints, 100);
	cr_expect(testfs_said(fs, "interrupted"));
}

Test(replay_walk, refuses_a_checkpoint_in_another_order)
{
	struct testcp *cp = testcp_new(fs);

	log_buf(cp, 1, 0);
	testcp_write(cp);
	opts.order = XLOG_ORDER_BE;
	fs->order = XFS_BE;
	cr_assert_eq(go(), -EUCLEAN);
	cr_expect_str_eq(seen, "");
	cr_expect(testfs_said(fs, "another byte order (little-endian)"));
}
