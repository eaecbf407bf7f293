/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recovery as a whole: when it does nothing, when it refuses, where it can
 * be stopped, and that it ends with a clean log.
 */
#include "libxfsfmt/crc32c.h"
#include "tests/lib/testfs.h"

enum {
	BLOCK = 4096,
	BLOCK_BB = 8,
	BODY = 1024,
	CHUNK = 128,
};

static struct testfs *fs;
static xfs_daddr_t at;
static uint8_t image[BLOCK];

static void open_fs(void)
{
	fs = testfs_open("linux618/never");
	at = testfs_free(fs, 0);
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(recover, .init = open_fs, .fini = close_fs);
TestSuite(recover_image);
TestSuite(recover_gate, .init = open_fs, .fini = close_fs);
TestSuite(recover_stop, .init = open_fs, .fini = close_fs);

static void log_chunk(struct testcp *cp, xfs_daddr_t daddr, uint32_t chunk,
		      uint8_t fill)
{
	testfs_block(fs, image, daddr, 7, fill);
	testcp_buf(cp, &(struct testbuf){ .daddr = daddr, .len_bb = BLOCK_BB,
					  .image = image, .first = chunk,
					  .chunks = 1 });
}

static xfs_lsn_t write_chunk(uint32_t chunk, uint8_t fill)
{
	struct testcp *cp = testcp_new(fs);

	log_chunk(cp, at, chunk, fill);
	return testcp_write(cp);
}

static void old_block(void)
{
	testfs_block(fs, image, at, 1, 0x11);
	testfs_poke(fs, at, image, BLOCK);
}

/* --- clean and dirty --- */

static void does_nothing(const char *name)
{
	struct testfs *clean = testfs_open(name);
	struct xlog_recover_result res;

	testfs_mark(clean);
	cr_expect_eq(xlog_recover(clean->log, NULL, &res), 0);
	cr_expect_eq(res.state, XLOG_CLEAN);
	cr_expect_not(res.wrote);
	cr_expect_eq(res.checkpoints, 0);
	cr_expect_eq(res.blocks_written, 0);
	cr_expect(testfs_untouched(clean));
	testfs_close(clean);
}

Test(recover_image, of_a_clean_log_writes_nothing)
{
	does_nothing("linux618/clean");
	does_nothing("linux618/never");
}

Test(recover, of_an_empty_log_writes_nothing)
{
	struct xlog_recover_result res;

	cr_assert_eq(dev_zero(fs->log->dev, 0, fs->log->dev->size_bytes), 0);
	testfs_mark(fs);
	cr_expect_eq(xlog_recover(fs->log, NULL, &res), 0);
	cr_expect_eq(res.state, XLOG_EMPTY);
	cr_expect_not(res.wrote);
	cr_expect(testfs_untouched(fs));
}

Test(recover, leaves_a_clean_log)
{
	struct xlog_recover_result res;
	struct xlog_bounds b;
	uint32_t digest;

	old_block();
	write_chunk(8, 0x22);
	cr_assert_eq(xlog_recover(fs->log, NULL, &res), 0, "%s", fs->reports);
	cr_expect_eq(res.state, XLOG_CLEAN);
	cr_expect(res.wrote);
	cr_expect_neq(res.sb_lsn, XLOG_LSN_NONE);
	cr_expect_gt(res.unmount_lsn, res.sb_lsn);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_assert_eq(xlog_find(fs->log, 0, &b), 0);
	cr_expect_eq(b.state, XLOG_CLEAN);
	/* and the second time there is nothing to do */
	digest = testfs_digest(fs);
	cr_assert_eq(xlog_recover(fs->log, NULL, &res), 0, "%s", fs->reports);
	cr_expect_not(res.wrote);
	cr_expect_eq(testfs_digest(fs), digest);
}

Test(recover, of_a_log_without_filesystem_is_refused)
{
	struct dev *device = fs->log->fs;
	struct xlog_recover_result res;

	fs->log->fs = fs->log->dev;
	cr_expect_eq(xlog_recover(fs->log, NULL, &res), -EINVAL);
	fs->log->fs = device;
	cr_expect(testfs_said(fs, "a log without its filesystem"));
}

/* --- gates --- */

/* A dirty log, and a superblock with @bits in the word at @off. */
static void dirty_with(size_t off, uint32_t bits)
{
	uint8_t raw[BB_SIZE];

	old_block();
	write_chunk(8, 0x22);
	testfs_peek(fs, 0, raw, sizeof(raw));
	put_be32(raw + off, get_be32(raw + off) | bits);
	put_le32(raw + 224, xfs_crc_block(raw, sizeof(raw), 224));
	testfs_poke(fs, 0, raw, sizeof(raw));
	testfs_reload(fs);
}

Test(recover_gate, needs_repair)
{
	dirty_with(216, XFS_SB_INCOMPAT_NEEDSREPAIR);
	testfs_refuses(fs, -EUCLEAN, "marked as needing repair");
}

Test(recover_gate, unknown_incompatible_feature)
{
	dirty_with(216, 0x40000000);
	testfs_refuses(fs, -EOPNOTSUPP, "unknown incompatible features 0x40000000");
}

Test(recover_gate, unknown_feature_of_the_log)
{
	dirty_with(220, 0x40000000);
	testfs_refuses(fs, -EOPNOTSUPP, "unknown incompatible log features 0x40000000");
}

Test(recover_gate, unknown_feature_that_reading_is_compatible_with)
{
	struct xlog_recover_options force = {
		.stop_lsn = XLOG_LSN_NONE,
		.flags = XLOG_RECOVER_FORCE_FEATURES,
	};
	struct xlog_recover_result res;

	dirty_with(212, 0x40000000);
	testfs_refuses(fs, -EOPNOTSUPP, "unknown features 0x40000000");
	cr_expect_eq(xlog_recover(fs->log, &force, &res), 0, "%s",
		     fs->reports);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
}

Test(recover_gate, being_made)
{
	dirty_with(124, 0x00000100);
	testfs_refuses(fs, -EUCLEAN, "being made or copied");
}

Test(recover_gate, pending_intents)
{
	struct xlog_recover_options skip = {
		.stop_lsn = XLOG_LSN_NONE,
		.flags = XLOG_RECOVER_SKIP_INTENTS,
	}, refuse = skip;
	struct xlog_recover_result res;
	struct testcp *cp;

	refuse.flags = XLOG_RECOVER_REFUSE_INTENTS;

	old_block();
	write_chunk(8, 0x22);
	cp = testcp_new(fs);
	testcp_efi(cp, 77, false, 100, 1);
	testcp_efi(cp, 78, false, 101, 1);
	testcp_write(cp);
	cp = testcp_new(fs);
	testcp_efi(cp, 77, true, 100, 1);
	testcp_write(cp);
	testfs_mark(fs);
	cr_expect_eq(xlog_recover(fs->log, &refuse, &res), -ENOTEMPTY);
	cr_expect_eq(res.intents, 1);
	cr_expect(testfs_untouched(fs));
	cr_expect_eq(xlog_recover(fs->log, &skip, &res), 0, "%s",
		     fs->reports);
	cr_expect_eq(res.state, XLOG_DIRTY);
}

/* Refused, and the reason is in the result as well. */
static void refuses_image(const char *name, const char *text)
{
	struct testfs *bad = testfs_open(name);
	struct xlog_recover_result res;
	int rc;

	testfs_mark(bad);
	rc = xlog_recover(bad->log, NULL, &res);
	cr_expect(rc == -EUCLEAN || rc == -EBADMSG, "%s: %d", name, rc);
	cr_expect(strstr(res.refused, text), "%s: %s\n%s", name, res.refused,
		  bad->reports);
	cr_expect_not(res.wrote);
	cr_expect(testfs_untouched(bad));
	testfs_close(bad);
}

Test(recover_image, damaged_logs_are_refused)
{
	refuses_image("linux618/crc-mid", "damaged record");
	refuses_image("linux618/mid-magic", "");
	refuses_image("linux618/tail-flip", "");
	refuses_image("linux618/uuid", "");
}

Test(recover_image, of_another_uuid_can_be_forced)
{
	struct xlog_recover_options force = {
		.stop_lsn = XLOG_LSN_NONE,
		.flags = XLOG_RECOVER_FORCE_UUID |
			 XLOG_RECOVER_LEAVE_UNLINKED,
	};
	struct testfs *other = testfs_open("linux618/uuid");
	struct xlog_recover_result res;

	cr_expect_eq(xlog_recover(other->log, &force, &res), 0, "%s",
		     other->reports);
	cr_expect_gt(res.checkpoints, 1);
	testfs_close(other);
}

Test(recover_image, whose_records_lie_about_their_order_can_be_told_it)
{
	struct xlog_recover_options asked = {
		.stop_lsn = XLOG_LSN_NONE,
		.flags = XLOG_RECOVER_LEAVE_UNLINKED,
		.order = XLOG_ORDER_LE,
	};
	struct testfs *other = testfs_open("linux618/fmt");
	struct xlog_recover_result res;

	testfs_mark(other);
	cr_expect_eq(xlog_recover(other->log, NULL, &res), -EUCLEAN);
	cr_expect(testfs_untouched(other));
	cr_expect_eq(xlog_recover(other->log, &asked, &res), 0, "%s",
		     other->reports);
	testfs_close(other);
}

/* As this machine goes on behind a log of another. */
Test(recover, takes_each_checkpoint_in_its_own_order)
{
	struct xlog_recover_result res;

	fs->order = XFS_BE;
	old_block();
	write_chunk(8, 0x22);
	fs->order = XFS_LE;
	write_chunk(9, 0x33);
	cr_assert_eq(xlog_recover(fs->log, NULL, &res), 0, "%s", fs->reports);
	cr_expect_eq(res.buffers, 2);
	cr_expect_eq(testfs_byte(fs, at, 8 * 128), 0x22);
	cr_expect_eq(testfs_byte(fs, at, 9 * 128), 0x33);
}

Test(recover, of_a_checkpoint_that_is_not_in_the_order_of_its_record_is_refused)
{
	struct testcp *cp = testcp_new(fs);

	old_block();
	log_chunk(cp, at, 8, 0x22);
	testcp_start(cp);
	testcp_body(cp);
	testcp_commit(cp);
	fs->order = XFS_BE;
	testfs_record(fs);
	testfs_refuses(fs, -EUCLEAN, "in another byte order");
}

Test(recover, an_operation_that_breaks_the_rules_is_told_in_the_result)
{
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;

	old_block();
	write_chunk(8, 0x22);
	testcp_start(cp);
	testfs_op(fs, cp->tid, 0x40, NULL, 0);
	testcp_drop(cp);
	testfs_record(fs);
	testfs_mark(fs);
	cr_expect_eq(xlog_recover(fs->log, NULL, &res), -EUCLEAN);
	cr_expect_neq(res.refused[0], '\0', "%s", fs->reports);
	cr_expect(testfs_untouched(fs));
}

/* A fifth group of so many blocks, which the device does not have. */
static void fifth_group(uint8_t *raw, unsigned int blocks)
{
	testfs_peek(fs, 0, raw, BB_SIZE);
	put_be64(raw + 8, 4 * 4096 + blocks);
	put_be32(raw + 88, 5);
	put_le32(raw + 224, xfs_crc_block(raw, BB_SIZE, 224));
}

Test(recover_gate, a_filesystem_larger_than_its_device)
{
	uint8_t raw[BB_SIZE];

	/* whatever the log has, and if that were nothing */
	old_block();
	write_chunk(8, 0x22);
	fifth_group(raw, 64);
	testfs_poke(fs, 0, raw, sizeof(raw));
	testfs_reload(fs);
	testfs_refuses(fs, -EUCLEAN, "of which the device has only");
}

Test(recover_gate, a_filesystem_that_the_log_makes_larger_than_its_device)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t raw[BB_SIZE];

	fifth_group(raw, 64);
	testcp_buf(cp, &(struct testbuf){
		.daddr = 0, .len_bb = 1, .image = raw,
		.flags = XFS_BLFT_SB << XFS_BLF_TYPE_SHIFT });
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "of which the device has only");
}

Test(recover, blocks_behind_the_end_of_the_device_are_refused)
{
	struct testcp *cp;
	uint8_t raw[BB_SIZE];

	fifth_group(raw, 4096);
	testfs_poke(fs, 0, raw, sizeof(raw));
	testfs_reload(fs);
	cp = testcp_new(fs);
	log_chunk(cp, (uint64_t)4 * 4096 * BLOCK_BB + 80, 8, 0x22);
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "");
}

/* --- stopped by the caller --- */

struct stop {
	enum xlog_phase	phase;
	unsigned int	calls, seen;
};

static int stop_in(void *ctx, enum xlog_phase phase, uint64_t done,
		   uint64_t total)
{
	struct stop *s = ctx;

	cr_expect_leq(done, total);
	return phase == s->phase && ++s->seen > s->calls;
}

static int recover_until(enum xlog_phase phase, unsigned int calls,
			 struct xlog_recover_result *res)
{
	struct stop s = { .phase = phase, .calls = calls };
	struct xlog_recover_options opts = {
		.stop_lsn = XLOG_LSN_NONE,
		.max_memory_bytes = 1 << 20,
		.progress = stop_in,
		.ctx = &s,
	};

	return xlog_recover(fs->log, &opts, res);
}

/* Checkpoints and blocks enough for several windows. */
static void many_blocks(void)
{
	for (unsigned int i = 0; i < 400; i++) {
		struct testcp *cp = testcp_new(fs);

		log_chunk(cp, testfs_free(fs, i), 8, (uint8_t)(i + 1));
		testcp_write(cp);
		testfs_block(fs, image, testfs_free(fs, i), 1, 0);
		testfs_poke(fs, testfs_free(fs, i), image, BLOCK);
	}
}

Test(recover_stop, before_the_first_write_leaves_everything_as_it_was)
{
	struct xlog_recover_result res;

	many_blocks();
	testfs_mark(fs);
	for (unsigned int calls = 0; calls < 3; calls++) {
		cr_expect_eq(recover_until(XLOG_PHASE_PLAN, calls, &res),
			     -ECANCELED);
		cr_expect_not(res.wrote);
		cr_expect_eq(recover_until(XLOG_PHASE_CHECK, calls, &res),
			     -ECANCELED);
		cr_expect_not(res.wrote);
	}
	cr_expect(testfs_untouched(fs));
}

Test(recover_stop, while_writing_is_made_good_by_running_it_again)
{
	struct xlog_recover_result res;
	struct testfs *whole;

	many_blocks();
	cr_assert_eq(recover_until(XLOG_PHASE_WRITE, 0, &res), -ECANCELED);
	cr_expect(res.wrote);
	cr_expect_eq(res.state, XLOG_DIRTY);
	cr_assert_eq(xlog_recover(fs->log, NULL, &res), 0, "%s", fs->reports);
	/* the same as without the stop */
	whole = fs;
	open_fs();
	many_blocks();
	cr_assert_eq(xlog_recover(fs->log, NULL, &res), 0, "%s", fs->reports);
	cr_expect_eq(testfs_digest(fs), testfs_digest(whole));
	testfs_close(whole);
}

/* --- a part of the log --- */

Test(recover_stop, after_so_many_checkpoints)
{
	struct xlog_recover_options opts = { .stop_lsn = XLOG_LSN_NONE,
					     .stop_count = 2 };
	struct xlog_recover_result res;
	xfs_lsn_t lsn;

	old_block();
	write_chunk(8, 0x22);
	lsn = write_chunk(9, 0x33);
	write_chunk(10, 0x44);
	cr_assert_eq(xlog_recover(fs->log, &opts, &res), 0, "%s",
		     fs->reports);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x33);
	cr_expect_eq(testfs_byte(fs, at, BODY + 2 * CHUNK), 0x11);
	cr_expect_eq(testfs_block_lsn(fs, at), lsn);
	cr_expect_eq(res.checkpoints, 2);
	cr_expect_eq(res.state, XLOG_DIRTY);
	cr_expect_eq(res.beyond, 0);
	cr_expect(res.consistent);
}

Test(recover_stop, before_the_first_checkpoint)
{
	struct xlog_recover_options opts = { .stop_lsn = 1 };
	struct xlog_recover_result res;
	xfs_lsn_t lsn = write_chunk(8, 0x22);

	testfs_block(fs, image, at, lsn, 0x55);
	testfs_poke(fs, at, image, BLOCK);
	testfs_mark(fs);
	cr_assert_eq(xlog_recover(fs->log, &opts, &res), 0, "%s",
		     fs->reports);
	cr_expect_eq(res.checkpoints, 0);
	cr_expect_eq(res.beyond, 1);
	cr_expect_not(res.consistent);
	cr_expect_not(res.wrote);
	cr_expect(testfs_untouched(fs));
}

Test(recover_stop, at_an_lsn)
{
	struct xlog_recover_options opts = { .stop_lsn = 0 };
	struct xlog_recover_result res;

	old_block();
	write_chunk(8, 0x22);
	opts.stop_lsn = write_chunk(9, 0x33);
	write_chunk(10, 0x44);
	cr_assert_eq(xlog_recover(fs->log, &opts, &res), 0, "%s",
		     fs->reports);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x33);
	cr_expect_eq(testfs_byte(fs, at, BODY + 2 * CHUNK), 0x11);
	cr_expect_eq(res.state, XLOG_DIRTY);
}

Test(recover_stop, tells_what_on_disk_is_newer)
{
	struct xlog_recover_options opts = { .stop_lsn = XLOG_LSN_NONE,
					     .stop_count = 1 };
	struct xlog_recover_result res;
	xfs_lsn_t lsn;

	write_chunk(8, 0x22);
	lsn = write_chunk(9, 0x33);
	testfs_block(fs, image, at, lsn, 0x55);
	testfs_poke(fs, at, image, BLOCK);
	cr_assert_eq(xlog_recover(fs->log, &opts, &res), 0, "%s",
		     fs->reports);
	cr_expect_eq(res.beyond, 1);
	cr_expect_not(res.consistent);
}

/* Two checkpoints whose STARTs lie in one record: they have one LSN. */
static void twins(void)
{
	struct testcp *a = testcp_new(fs), *b = testcp_new(fs);

	old_block();
	testcp_start(a);
	testcp_start(b);
	log_chunk(a, at, 8, 0x22);
	log_chunk(b, at, 9, 0x33);
	testcp_body(a);
	testcp_commit(a);
	testfs_record(fs);
	testcp_body(b);
	testcp_commit(b);
	testfs_record(fs);
}

Test(recover_stop, and_going_on_later_is_as_good_as_not_stopping)
{
	struct xlog_recover_options opts = { .stop_lsn = XLOG_LSN_NONE,
					     .stop_count = 1 };
	struct xlog_recover_result res;

	twins();
	cr_assert_eq(xlog_recover(fs->log, &opts, &res), 0, "%s",
		     fs->reports);
	cr_assert_eq(xlog_recover(fs->log, NULL, &res), 0, "%s", fs->reports);
	cr_expect_eq(testfs_byte(fs, at, BODY), 0x22);
	cr_expect_eq(testfs_byte(fs, at, BODY + CHUNK), 0x33);
}

Test(recover_stop, leaves_the_log_as_it_is)
{
	struct xlog_recover_options opts = { .stop_lsn = XLOG_LSN_NONE,
					     .stop_count = 1 };
	size_t len = fs->log->dev->size_bytes;
	uint8_t *before = malloc(len), *now = malloc(len);
	struct xlog_recover_result res;

	cr_assert(before && now);
	old_block();
	write_chunk(8, 0x22);
	write_chunk(9, 0x33);
	cr_assert_eq(dev_read(fs->log->dev, 0, before, len), 0);
	cr_assert_eq(xlog_recover(fs->log, &opts, &res), 0, "%s",
		     fs->reports);
	cr_assert_eq(dev_read(fs->log->dev, 0, now, len), 0);
	cr_expect(!memcmp(before, now, len));
	free(before);
	free(now);
}
