/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A new log somewhere on a device. What it is like in later cycles, and with
 * other stripe units, is seen in test_zerolog.c.
 */
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

static void writes_its_first_record_last(uint32_t cycle)
{
	struct watch *w = watch_open(memdev_pattern(DEVICE, NULL));
	struct newlog n = log_on(&w->dev, cycle);
	const struct watch_io *last;

	cr_assert_eq(newlog_write(&n), 0);
	cr_assert_geq(w->writes, 2);
	cr_assert_eq(w->flushes, 2);
	last = &w->write[w->writes - 1];
	cr_assert(last->off_bytes == OFF && last->len == RECORD);
	for (unsigned int i = 0; i + 1 < w->writes; i++)
		cr_assert_geq(w->write[i].off_bytes, OFF + RECORD);
	dev_close(&w->dev);
}

Test(newlog, becomes_clean_with_its_last_write)
{
	writes_its_first_record_last(1);
	writes_its_first_record_last(7);
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
