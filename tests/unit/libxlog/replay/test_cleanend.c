/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a recovery ends the log, on small logs made here. That the records are
 * those of kernels is shown with the encoder, and that kernels take the log
 * for clean where whole images are recovered.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/logenc.h"
#include "libxlog/dev/fault.h"
#include "libxlog/replay/replay.h"
#include "tests/lib/fixture.h"
#include "tests/lib/memdev.h"
#include "tests/lib/testlog.h"

enum {
	SECTOR = 512,
	FS_BB = 128,		/* of the data device, before an internal log */
	NBB = 1000,
	BIG = 10000,
};

/* A log, a superblock, and a recovery that has replayed all of it. */
struct ending {
	struct testlog	t;
	struct dev	*fault;		/* below the log and the filesystem */
	struct dev	*fs;
	struct replay	r;
	struct xlog_recover_options opts;
	struct xlog_recover_result res;
	uint8_t		before[SECTOR];	/* the superblock on disk */
	uint8_t		sb[SECTOR];	/* as it is to be */
};

static struct ending e;

static void setup(uint32_t nbb, uint32_t version)
{
	memset(&e, 0, sizeof(e));
	testlog_init(&e.t, nbb, version);
	e.fs = memdev_zeros(FS_BB * BB_SIZE, &e.t.log.sink);
	e.t.log.fs = e.fs;
	fixture_load("logenc/v5.sb", e.before, SECTOR);
	cr_assert_eq(dev_write(e.fs, 0, e.before, SECTOR), 0);
	memcpy(e.sb, e.before, SECTOR);
	put_be64(e.sb + 144, 4711);	/* sb_fdblocks */
	memset(e.sb + XFS_SB_LSN_OFF, 0xee, 8);
	memset(e.sb + XFS_SB_CRC_OFF, 0xee, 4);
	e.r.log = &e.t.log;
	e.r.opts = &e.opts;
	e.r.res = &e.res;
	e.r.geom.sectsize = SECTOR;
	e.r.geom.v5 = true;
	e.r.order = XFS_LE;
}

/* The log and the filesystem on one device, which can fail. */
static void setup_fault(uint32_t nbb)
{
	struct dev *mem, *log;

	setup(nbb, 2);
	testlog_fini(&e.t);
	dev_close(e.fs);
	mem = memdev_zeros((uint64_t)(FS_BB + nbb) * BB_SIZE, &e.t.log.sink);
	cr_assert_eq(dev_write(mem, 0, e.before, SECTOR), 0);
	cr_assert_eq(dev_open_fault(mem, &e.fault), 0);
	cr_assert_eq(dev_open_window(e.fault, FS_BB * BB_SIZE, 0, &log), 0);
	e.t.log.fs = e.fault;
	e.t.log.dev = log;
	e.t.log.info.internal = true;
	e.t.log.info.log_daddr = FS_BB;
}

static void teardown(void)
{
	testlog_fini(&e.t);
	if (!e.fault)
		dev_close(e.fs);
}

/* A dirty log: @n records of @bb data blocks, the first is the tail. */
static void fill(unsigned int n, uint32_t bb)
{
	xfs_lsn_t tail = xfs_lsn_make(e.t.cycle, e.t.block);

	while (n--)
		testlog_append(&e.t, bb, tail);
}

static void find(void)
{
	uint64_t written = e.res.blocks_written;

	memset(&e.res, 0, sizeof(e.res));
	e.res.blocks_written = written;
	e.res.sb_lsn = e.res.unmount_lsn = XLOG_LSN_NONE;
	cr_assert_eq(xlog_find(&e.t.log, 0, &e.res.bounds), 0);
}

static struct xlog_rec_head head_at(uint32_t block)
{
	struct xlog_rec_head h;
	uint8_t raw[BB_SIZE];

	testlog_peek(&e.t, block, raw, 1);
	cr_assert(xlog_is_rec_header(raw), "no header at %u", block);
	xlog_rec_head_decode(&h, raw);
	return h;
}

static bool is_header(uint32_t block)
{
	uint8_t raw[BB_SIZE];

	testlog_peek(&e.t, block, raw, 1);
	return xlog_is_rec_header(raw);
}

static void expect_fillers(uint32_t block, uint32_t bb, uint32_t cycle,
			   xfs_lsn_t tail)
{
	for (uint32_t b = block; b < block + bb; b++) {
		struct xlog_rec_head h = head_at(b);

		cr_assert_eq(h.cycle, cycle, "block %u: cycle %u", b, h.cycle);
		cr_assert_eq(h.lsn, xfs_lsn_make(cycle, b));
		cr_assert_eq(h.tail_lsn, tail);
		cr_assert_eq(h.len_bytes, 0);
		cr_assert_eq(h.num_ops, 0);
		cr_assert_eq(h.version, e.t.log.info.log_version);
	}
}

static void expect_clean(xfs_lsn_t head)
{
	struct xlog_bounds b;

	cr_assert_eq(xlog_find(&e.t.log, 0, &b), 0);
	cr_expect_eq(b.state, XLOG_CLEAN, "%s", e.t.reports);
	cr_expect_eq(b.head, head, "head %u:%u", xlog_lsn_cycle(b.head),
		     xlog_lsn_block(b.head));
}

/* The superblock on disk is the new one, as of @lsn. */
static void expect_superblock(xfs_lsn_t lsn)
{
	uint8_t raw[SECTOR], want[SECTOR];

	cr_assert_eq(dev_read(e.t.log.fs, 0, raw, SECTOR), 0);
	memcpy(want, e.sb, SECTOR);
	put_be64(want + XFS_SB_LSN_OFF, lsn);
	put_le32(want + XFS_SB_CRC_OFF,
		 xfs_crc_block(want, SECTOR, XFS_SB_CRC_OFF));
	cr_expect_arr_eq(raw, want, SECTOR);
}

/* --- clearing --- */

Test(cleanend_clear_ahead, reaches_as_far_as_writes_may)
{
	setup(BIG, 2);
	fill(3, 9);
	find();
	cr_assert_eq(cleanend_clear_ahead(&e.r), 0);
	expect_fillers(30, 4096, 0, xfs_lsn_make(1, 0));
	cr_expect(!is_header(30 + 4096));
	cr_expect_eq(e.res.blocks_written, 4096);
	cr_expect(e.res.wrote);
	teardown();
	setup(BIG, 1);
	fill(3, 9);
	find();
	cr_assert_eq(cleanend_clear_ahead(&e.r), 0);
	expect_fillers(30, 512, 0, xfs_lsn_make(1, 0));
	cr_expect(!is_header(30 + 512));
	teardown();
}

Test(cleanend_clear_ahead, wraps_and_stops_at_the_tail)
{
	setup(NBB, 2);
	fill(100, 9);	/* a lap */
	fill(85, 9);
	fill(7, 9);	/* tail at 850, head at 920 */
	find();
	cr_assert_eq(e.res.bounds.head, xfs_lsn_make(2, 920), "%s",
		     e.t.reports);
	cr_assert_eq(cleanend_clear_ahead(&e.r), 0);
	expect_fillers(920, 80, 1, xfs_lsn_make(2, 850));
	expect_fillers(0, 850, 2, xfs_lsn_make(2, 850));
	cr_expect_eq(head_at(850).num_ops, 2);
	find();
	cr_expect_eq(e.res.bounds.head, xfs_lsn_make(2, 920));
	teardown();
}

Test(cleanend_clear_ahead, stops_at_a_tail_of_the_lap_before)
{
	setup(NBB, 2);
	fill(100, 9);
	testlog_append(&e.t, 9, xfs_lsn_make(1, 500));
	find();
	cr_assert_eq(cleanend_clear_ahead(&e.r), 0, "%s", e.t.reports);
	expect_fillers(10, 490, 1, xfs_lsn_make(1, 500));
	cr_expect_eq(head_at(500).num_ops, 2);
	teardown();
}

Test(cleanend_clear_ahead, removes_what_a_torn_write_left)
{
	setup(BIG, 2);
	fill(2, 9);
	/* a record of which the middle has not been written */
	testlog_append(&e.t, 30, xfs_lsn_make(1, 0));
	testlog_poke(&e.t, 35, 0, "\0\0\0\0", 4);
	find();
	cr_assert_eq(e.res.bounds.head, xfs_lsn_make(1, 20));
	cr_assert_eq(cleanend_clear_ahead(&e.r), 0);
	expect_fillers(20, 31, 0, xfs_lsn_make(1, 0));
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	expect_clean(xfs_lsn_make(1, 24));
	teardown();
}

Test(cleanend_clear_ahead, writes_whole_sectors_of_the_log)
{
	struct watch *w;

	setup(BIG, 2);
	e.t.log.info.log_sector_bytes = 4096;
	fill(3, 9);	/* 30 blocks: the sector ends at 32 */
	testlog_poke(&e.t, 30 + 4096, 0, "behind", 6);
	w = watch_open(e.t.log.dev);
	e.t.log.dev = &w->dev;
	find();
	cr_assert_eq(cleanend_clear_ahead(&e.r), 0);
	for (unsigned int i = 0; i < w->writes; i++) {
		cr_expect_eq(w->write[i].off_bytes % 4096, 0);
		cr_expect_eq(w->write[i].len % 4096, 0);
	}
	expect_fillers(30, 4096, 0, xfs_lsn_make(1, 0));
	cr_expect_eq(head_at(20).num_ops, 2);
	cr_expect(!is_header(30 + 4096));
	find();
	cr_expect_eq(e.res.bounds.head, xfs_lsn_make(1, 30));
	teardown();
}

static void expect_refused(int rc, int want, const char *text)
{
	cr_expect_eq(rc, want, "%d", rc);
	cr_expect(testlog_said(&e.t, text), "not \"%s\":\n%s", text,
		  e.t.reports);
	cr_expect_eq(e.res.blocks_written, 0);
	cr_expect(!e.res.wrote);
}

Test(cleanend_clear_ahead, refuses_a_tail_of_another_lap)
{
	setup(NBB, 2);
	testlog_append(&e.t, 9, xfs_lsn_make(1, 0));
	testlog_append(&e.t, 9, xfs_lsn_make(1, 0));
	find();
	testlog_append(&e.t, 9, xfs_lsn_make(7, 0));
	e.res.bounds.head = xfs_lsn_make(1, 30);
	e.res.bounds.last_record = xfs_lsn_make(1, 20);
	expect_refused(cleanend_clear_ahead(&e.r), -EUCLEAN, "does not fit");
	teardown();
}

Test(cleanend_clear_ahead, refuses_a_log_without_room_for_the_end)
{
	setup(60, 2);
	fill(2, 27);	/* the last one leaves 32 blocks */
	find();
	cr_assert_eq(cleanend_clear_ahead(&e.r), 0, "%s", e.t.reports);
	teardown();
	setup(66, 2);
	e.t.log.info.log_sunit_bytes = 19 * BB_SIZE;
	fill(1, 27);	/* two records of 19 blocks would meet the tail */
	find();
	expect_refused(cleanend_clear_ahead(&e.r), -ENOSPC, "no room");
	teardown();
}

Test(cleanend_clear_ahead, refuses_records_shorter_than_the_stripe_unit)
{
	setup(NBB, 2);
	e.t.log.info.log_sunit_bytes = 65536;
	fill(2, 9);
	find();
	expect_refused(cleanend_clear_ahead(&e.r), -EUCLEAN, "stripe unit");
	teardown();
}

Test(cleanend_clear_ahead, refuses_a_log_that_changed_meanwhile)
{
	setup(NBB, 2);
	fill(3, 9);
	find();
	testlog_poke(&e.t, 20, 12, "\0\0\x10\0", 4);	/* h_len */
	expect_refused(cleanend_clear_ahead(&e.r), -EUCLEAN, "is not what");
	teardown();
}

/* --- the end --- */

Test(cleanend_write, moves_the_tail_to_the_last_record_and_unmounts)
{
	uint8_t rec[2 * BB_SIZE];
	struct xlog_rec_head h;

	setup(NBB, 2);
	fill(3, 9);
	find();
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	cr_expect_eq(e.res.sb_lsn, xfs_lsn_make(1, 30));
	cr_expect_eq(e.res.unmount_lsn, xfs_lsn_make(1, 32));
	cr_expect_eq(e.res.blocks_written, 5);
	cr_expect(e.res.wrote);
	expect_superblock(e.res.sb_lsn);
	expect_clean(xfs_lsn_make(1, 34));

	h = head_at(30);
	cr_expect_eq(h.tail_lsn, xfs_lsn_make(1, 20));
	cr_expect_eq(h.prev_block, 20);
	cr_expect_eq(h.num_ops, 5);
	h = head_at(32);
	cr_expect_eq(h.tail_lsn, xfs_lsn_make(1, 30));
	cr_expect_eq(h.prev_block, 30);
	cr_expect_eq(h.num_ops, 1);
	/* as kernels do, it logs LSN and checksum of the superblock before */
	testlog_peek(&e.t, 30, rec, 2);
	xlog_rec_unpack(rec, 1, rec + BB_SIZE, BB_SIZE);
	memcpy(e.sb + XFS_SB_LSN_OFF, e.before + XFS_SB_LSN_OFF, 8);
	memcpy(e.sb + XFS_SB_CRC_OFF, e.before + XFS_SB_CRC_OFF, 4);
	cr_expect_arr_eq(rec + BB_SIZE + 88, e.sb, 384);
	teardown();
}

Test(cleanend_write, without_unmount_leaves_the_log_dirty)
{
	setup(NBB, 2);
	fill(3, 9);
	find();
	cr_assert_eq(cleanend_write(&e.r, e.sb, false), 0);
	cr_expect_eq(e.res.unmount_lsn, XLOG_LSN_NONE);
	expect_superblock(xfs_lsn_make(1, 30));
	find();
	cr_expect_eq(e.res.bounds.state, XLOG_DIRTY);
	cr_expect_eq(e.res.bounds.tail, xfs_lsn_make(1, 20));
	cr_expect_eq(e.res.bounds.head, xfs_lsn_make(1, 32));
	teardown();
}

Test(cleanend_write, v4_has_neither_lsn_nor_checksum)
{
	uint8_t raw[2 * BB_SIZE];

	setup(NBB, 1);
	e.r.geom.v5 = false;
	fill(3, 9);
	find();
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	cr_assert_eq(dev_read(e.fs, 0, raw, SECTOR), 0);
	cr_expect_arr_eq(raw, e.sb, SECTOR);
	testlog_peek(&e.t, 30, raw, 2);
	cr_expect_arr_eq(raw + BB_SIZE + 88, e.sb, 384);
	cr_expect_eq(head_at(30).version, 1);
	cr_expect_eq(head_at(30).len_bytes, 484);
	expect_clean(xfs_lsn_make(1, 34));
	teardown();
}

/* Else the pass that reads both would take one for the other. */
Test(cleanend_write, records_have_the_form_of_the_last_one)
{
	setup(BIG, 2);
	e.t.size_bytes = 262144;
	e.r.order = XFS_BE;
	testlog_put(&e.t, &(struct testrec){
		.cycle = 1, .len_bytes = 9 * BB_SIZE, .num_ops = 2,
		.tail = xfs_lsn_make(1, 0), .fmt = XLOG_FMT_LINUX_BE });
	e.res.bounds.head = xfs_lsn_make(1, 17);
	e.res.bounds.last_record = xfs_lsn_make(1, 0);
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0, "%s", e.t.reports);
	cr_expect_eq(head_at(17).size_bytes, 262144);
	cr_expect_eq(head_at(17).fmt, XLOG_FMT_LINUX_BE);
	cr_expect_eq(e.res.unmount_lsn, xfs_lsn_make(1, 26));
	cr_expect_eq(head_at(26).fmt, XLOG_FMT_LINUX_BE);
	expect_clean(xfs_lsn_make(1, 35));
	teardown();
}

Test(cleanend_write, records_are_summed_like_the_last_one)
{
	uint8_t rec[10 * BB_SIZE], crc[4];

	setup(NBB, 2);
	fill(1, 9);
	testlog_peek(&e.t, 0, rec, 10);
	put_le32(crc, xlog_rec_crc(rec, XLOG_HEADER_CRC_BYTES_I386, 1,
				   rec + BB_SIZE, 9 * BB_SIZE, true));
	testlog_poke(&e.t, 0, 32, crc, 4);
	e.res.bounds.head = xfs_lsn_make(1, 10);
	e.res.bounds.last_record = xfs_lsn_make(1, 0);
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	testlog_peek(&e.t, 10, rec, 2);
	cr_expect_eq(get_le32(rec + 32),
		     xlog_rec_crc(rec, XLOG_HEADER_CRC_BYTES_I386, 1,
				  rec + BB_SIZE, BB_SIZE, true));
	teardown();
}

/* The items are in the order that was replayed, and the header says so. */
Test(cleanend_write, says_the_order_it_was_told)
{
	setup(NBB, 2);
	e.r.order = XFS_BE;
	e.opts.order = XLOG_ORDER_BE;
	fill(2, 9);
	find();
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	cr_expect_eq(head_at(20).fmt, XLOG_FMT_LINUX_BE);
	teardown();
}

Test(cleanend_write, records_wrap_the_end_of_the_log)
{
	for (uint32_t ahead = 1; ahead <= 5; ahead++) {
		setup(NBB, 2);
		e.t.cycle = 6;
		e.t.block = 0;
		fill(99, 9);
		/* the newest record ends @ahead blocks before the log does */
		testlog_append(&e.t, 9 - ahead, xfs_lsn_make(6, 0));
		find();
		cr_assert_eq(e.res.bounds.head, xfs_lsn_make(6, NBB - ahead));
		cr_assert_eq(cleanend_clear_ahead(&e.r), 0);
		cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0, "%s",
			     e.t.reports);
		expect_superblock(e.res.sb_lsn);
		expect_clean(ahead > 4 ? xfs_lsn_make(6, NBB - 1) :
			     xfs_lsn_make(7, 4 - ahead));
		teardown();
	}
}

Test(cleanend_write, begins_the_next_lap_where_the_log_is_full)
{
	setup(NBB, 2);
	fill(100, 9);
	find();
	cr_assert_eq(e.res.bounds.head, xfs_lsn_make(2, 0));
	e.res.bounds.last_record = xfs_lsn_make(1, 990);
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	expect_clean(xfs_lsn_make(2, 4));
	teardown();
}

Test(cleanend_write, each_step_is_durable_before_the_next)
{
	/* data, checkpoint, superblock, unmount record */
	static const struct { enum fault_op op; uint32_t bb; } want[] = {
		{ FAULT_FLUSH, 0 },
		{ FAULT_WRITE, FS_BB + 30 }, { FAULT_FLUSH, 0 },
		{ FAULT_WRITE, 0 }, { FAULT_FLUSH, 0 },
		{ FAULT_WRITE, FS_BB + 32 }, { FAULT_FLUSH, 0 },
	};
	const struct fault_event *events;
	size_t n;

	setup_fault(NBB);
	fill(3, 9);
	find();
	fault_record(e.fault, true);
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	events = fault_events(e.fault, &n);
	cr_assert_eq(n, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < n; i++) {
		cr_expect_eq(events[i].op, want[i].op, "event %zu", i);
		if (want[i].op == FAULT_WRITE)
			cr_expect_eq(events[i].off_bytes / BB_SIZE, want[i].bb,
				     "event %zu", i);
	}
	teardown();
}

static void recover(void)
{
	find();
	if (e.res.bounds.state == XLOG_CLEAN)
		return;
	cr_assert_eq(e.res.bounds.state, XLOG_DIRTY, "%s", e.t.reports);
	cr_assert_eq(cleanend_clear_ahead(&e.r), 0, "%s", e.t.reports);
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0, "%s", e.t.reports);
}

/* Power fails at every write; what is run again then ends the same. */
Test(cleanend_write, cut_off_anywhere_it_ends_the_same)
{
	static const enum fault_crash how[] = {
		FAULT_DROP, FAULT_KEEP, FAULT_REORDER, FAULT_TEAR,
	};

	enum { WRITES = 4, SEEDS = 4 };

	for (unsigned int i = 0; i < 4 * (WRITES + 2) * SEEDS; i++) {
		unsigned int nth = i / 4 % (WRITES + 2);
		struct fault_counts counts;
		int rc;

		setup_fault(NBB);
		fill(97, 9);
		cr_assert_eq(dev_flush(e.fault), 0);
		fault_counts(e.fault, &counts);
		fault_stop(e.fault, FAULT_WRITE, counts.writes + nth);
		find();
		rc = cleanend_clear_ahead(&e.r);
		if (!rc)
			rc = cleanend_write(&e.r, e.sb, true);
		cr_expect_eq(!rc, nth == WRITES + 1, "%u: %d", i, rc);
		cr_assert_eq(fault_crash(e.fault, how[i % 4], i), 0);
		recover();
		expect_superblock(xfs_lsn_make(1, 970));
		expect_clean(xfs_lsn_make(1, 974));
		teardown();
	}
}

/* A kernel's own is followed by another, as a kernel would do. */
Test(cleanend_write, only_its_own_checkpoint_is_not_written_again)
{
	uint8_t rec[2 * BB_SIZE];

	setup(NBB, 2);
	fill(3, 9);
	find();
	cr_assert_eq(cleanend_write(&e.r, e.sb, false), 0);
	testlog_peek(&e.t, 30, rec, 2);
	find();
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	cr_expect_eq(e.res.sb_lsn, xfs_lsn_make(1, 30));
	cr_expect_eq(e.res.unmount_lsn, xfs_lsn_make(1, 32));
	expect_clean(xfs_lsn_make(1, 34));

	/* the same but for the superblock in it */
	testlog_fillers(&e.t, 0, 32, 2, xfs_lsn_make(1, 0));
	find();
	put_be64(e.sb + 144, 4712);
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	cr_expect_eq(e.res.sb_lsn, xfs_lsn_make(1, 32));
	put_be64(e.sb + 144, 4711);

	/* and but for its transaction id */
	testlog_fillers(&e.t, 0, 32, 4, xfs_lsn_make(1, 0));
	rec[44]++;
	put_le32(rec + 32, xlog_rec_crc(rec, XLOG_HEADER_CRC_BYTES, 1,
					rec + BB_SIZE, BB_SIZE, true));
	testlog_poke(&e.t, 30, 0, rec, BB_SIZE);
	find();
	cr_assert_eq(e.res.bounds.head, xfs_lsn_make(1, 32));
	cr_assert_eq(cleanend_write(&e.r, e.sb, true), 0);
	cr_expect_eq(e.res.sb_lsn, xfs_lsn_make(1, 32));
	teardown();
}

/* --- a device that forgets --- */

static int forgetful_write(struct dev *dev, uint64_t off_bytes,
			   const void *buf, size_t len)
{
	(void)dev;
	(void)off_bytes;
	(void)buf;
	(void)len;
	return 0;
}

Test(cleanend_write, what_reads_back_otherwise_is_told_if_asked)
{
	struct dev_ops ops = watch_ops;
	struct watch *w;

	setup(NBB, 2);
	fill(3, 9);
	find();
	w = watch_open(e.t.log.dev);
	ops.write = forgetful_write;
	w->dev.ops = &ops;
	e.t.log.dev = &w->dev;
	e.opts.flags = XLOG_RECOVER_REREAD;
	cr_expect_eq(cleanend_write(&e.r, e.sb, true), -EIO);
	cr_expect(testlog_said(&e.t, "reads back as something else"));
	cr_expect_eq(e.res.sb_lsn, XLOG_LSN_NONE);
	teardown();
}
