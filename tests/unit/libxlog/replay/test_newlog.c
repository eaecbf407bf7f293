/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A new log somewhere on a device. What it is like in later cycles, and with
 * other stripe units, is seen in test_zerolog.c.
 */
#include "libxlog/dev/fault.h"
#include "libxlog/read/read.h"
#include "libxlog/replay/newlog.h"
#include "tests/lib/fixture.h"
#include "tests/lib/memdev.h"

enum {
	UUID_OFF = 304,
	OFF = 4096,			/* where the log begins */
	LOG_BB = 4096,
	RECORD = 2 * BB_SIZE,
	DEVICE = OFF + LOG_BB * BB_SIZE + 4096,
};

static struct reports said;
static uint8_t golden[RECORD], bytes[DEVICE];

/* The log of mkfs.xfs, on a device full of something else. */
static struct newlog log_on(struct dev *dev, uint32_t cycle)
{
	fixture_load("logrec/mkfs_unmount.rec", golden, sizeof(golden));
	return (struct newlog){
		.dev = dev, .off_bytes = OFF, .cycle = cycle,
		.form = newlog_form(true, 1, 0, LOG_BB, golden + UUID_OFF),
	};
}

Test(newlog, is_that_of_mkfs_and_touches_nothing_else)
{
	struct sink sink = reports_sink(&said);
	struct dev *dev = memdev_pattern(DEVICE, &sink);
	struct newlog n = log_on(dev, 1);

	cr_assert_eq(newlog_write(&n), 0);
	cr_assert_eq(dev_read(dev, 0, bytes, DEVICE), 0);
	cr_assert(pattern_holds(bytes, 0, OFF));
	cr_assert_arr_eq(bytes + OFF, golden, RECORD);
	cr_assert(dev_is_zero(bytes + OFF + RECORD,
			      LOG_BB * BB_SIZE - RECORD));
	cr_assert(pattern_holds(bytes + OFF + LOG_BB * BB_SIZE,
				OFF + LOG_BB * BB_SIZE, 4096));
	assert_silent(&said);
	dev_close(dev);
}

/* A write that cannot be torn makes the log empty, and another one clean. */
static void begins_and_ends_with_its_first_sector(uint32_t cycle)
{
	struct watch *w = watch_open(memdev_pattern(DEVICE, NULL));
	struct newlog n = log_on(&w->dev, cycle);

	cr_assert_eq(newlog_write(&n), 0);
	cr_assert_geq(w->writes, 4);
	cr_assert_eq(w->flushes, 3);
	for (unsigned int i = 0; i < w->writes; i++) {
		if (i && i + 1 < w->writes) {
			cr_assert_geq(w->write[i].off_bytes, OFF + BB_SIZE);
			continue;
		}
		cr_assert_eq(w->write[i].off_bytes, OFF);
		cr_assert_eq(w->write[i].len, BB_SIZE);
	}
	dev_close(&w->dev);
}

Test(newlog, begins_and_ends_with_its_first_sector)
{
	begins_and_ends_with_its_first_sector(1);
	begins_and_ends_with_its_first_sector(7);
}

/* What is the same to everyone is not written or flushed. */
Test(newlog, of_a_filesystem_to_be_needs_less)
{
	struct watch *w = watch_open(memdev_zeros(DEVICE, NULL));
	struct newlog n = log_on(&w->dev, 7);

	n.erased = true;
	cr_assert_eq(newlog_write(&n), 0);
	cr_expect_eq(w->flushes, 2);
	cr_expect_neq(w->write[0].off_bytes, OFF);
	w->flushes = 0;
	n.hidden = true;
	cr_assert_eq(newlog_write(&n), 0);
	cr_expect_eq(w->flushes, 0);
	cr_expect_eq(w->write[w->writes - 1].len, RECORD);
	dev_close(&w->dev);
}

/* --- power failures --- */

enum { OLD_CYCLE = 6 };

/* A log of cycle 6 and, behind block @head, 5. */
static struct dev *old_log(uint32_t head)
{
	struct dev *dev = memdev_zeros(DEVICE, NULL);
	struct newlog n = log_on(dev, OLD_CYCLE);
	uint8_t raw[RECORD];

	cr_assert_eq(newlog_write(&n), 0);
	for (uint32_t b = 2; b < head; b += 2) {
		xlog_unmount_mkfs_encode(&n.form, xfs_lsn_make(OLD_CYCLE, b),
					 xfs_lsn_make(OLD_CYCLE, b - 2), raw);
		cr_assert_eq(dev_write(dev, OFF + (uint64_t)b * BB_SIZE, raw,
				       RECORD), 0);
	}
	return dev;
}

/* How it is found. Closes @dev. */
static void look(struct dev *dev, struct xlog_bounds *bounds)
{
	struct xlog log = { .info = { .log_version = 2 }, .nbb = LOG_BB,
			    .logv2 = true };

	cr_assert_eq(dev_open_window(dev, OFF, (uint64_t)LOG_BB * BB_SIZE,
				     &log.dev), 0);
	cr_assert_eq(xlog_find(&log, 0, bounds), 0);
	dev_close(log.dev);
}

/* Cut off after @writes, what is there? */
static void cut_off(uint64_t writes, enum fault_crash how, uint64_t seed)
{
	enum { HEAD = 1000 };
	struct dev *dev;
	struct newlog n;
	struct xlog_bounds b;
	int rc;

	cr_assert_eq(dev_open_fault(old_log(HEAD), &dev), 0);
	fault_stop(dev, FAULT_WRITE, writes);
	n = log_on(dev, OLD_CYCLE + 1);
	rc = newlog_write(&n);
	cr_assert_eq(fault_crash(dev, how, seed), 0);
	look(dev, &b);
	if (!rc)
		cr_expect(b.state == XLOG_CLEAN && b.head == xlog_lsn(7, 2));
	else if (b.state == XLOG_CLEAN)
		cr_expect(b.head == xlog_lsn(6, HEAD) ||
			  b.head == xlog_lsn(7, 2),
			  "%llu writes, seed %llu: head %llx",
			  (unsigned long long)writes, (unsigned long long)seed,
			  (unsigned long long)b.head);
	else
		cr_expect_eq(b.state, XLOG_EMPTY, "%llu writes, seed %llu: %s",
			     (unsigned long long)writes,
			     (unsigned long long)seed,
			     xlog_state_name(b.state));
}

Test(newlog, cut_off_is_the_old_one_or_none_or_the_new_one)
{
	for (uint64_t n = 0; n < 8; n++)
		for (int how = FAULT_DROP; how <= FAULT_TEAR; how++)
			for (uint64_t seed = 0; seed < 4; seed++)
				cut_off(n, (enum fault_crash)how, seed);
}

Test(newlog, needs_room_for_a_record)
{
	struct sink sink = reports_sink(&said);
	struct dev *dev = memdev_zeros(DEVICE, &sink);
	struct newlog n = log_on(dev, 1);

	n.form.log_size_bb = 1;
	cr_assert_eq(newlog_check(&n), -EUCLEAN);
	assert_said(&said, "no room for a record of 2");
	cr_assert_eq(newlog_write(&n), -EUCLEAN);
	assert_said(&said, "no room for a record of 2");
	dev_close(dev);
}
