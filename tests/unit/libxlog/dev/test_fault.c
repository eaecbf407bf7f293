/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libxlog/dev/batch.h"
#include "tests/lib/faultdev.h"
#include "tests/lib/scratch.h"

static void setup(void)
{
	faultdev_init();
}

static void teardown(void)
{
	dev_close(dev);
}

TestSuite(dev_open_fault, .init = setup, .fini = teardown);
TestSuite(fault_stop, .init = setup, .fini = teardown);
TestSuite(fault_fail, .init = setup, .fini = teardown);
TestSuite(fault_counts, .init = setup, .fini = teardown);
TestSuite(fault_events, .init = setup, .fini = teardown);

Test(dev_open_fault, is_as_what_is_below)
{
	struct dev *lower = memdev_zeros(SIZE, &sink), *other;

	cr_assert_eq(dev->size_bytes, SIZE);
	cr_assert_eq(dev->sector_bytes, 512);
	cr_assert(dev->writable);
	lower->writable = false;
	lower->sector_bytes = 4096;
	cr_assert_eq(dev_open_fault(lower, &other), 0);
	cr_assert_not(other->writable);
	cr_assert_eq(other->sector_bytes, 4096);
	cr_assert_eq(dev_write(other, 0, buf, 1), -EROFS);
	assert_said(&said, "opened for reading only");
	dev_close(other);
}

Test(dev_open_fault, holds_writes_until_they_are_flushed)
{
	cr_assert_eq(put(3, 7, 2), 0);
	cr_assert_eq(block_of(below, 3), 0);
	cr_assert_eq(block_of(dev, 3), 7);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(block_of(below, 3), 7);
	cr_assert_eq(block_of(below, 4), 7);
	cr_assert_eq(block_of(dev, 4), 7);
	cr_assert_eq(held(), 0);
}

Test(dev_open_fault, shows_the_youngest_of_held_writes)
{
	pattern_fill(buf, 0, SIZE);
	cr_assert_eq(dev_write(below, 0, buf, SIZE), 0);
	memset(buf, 1, 300);
	cr_assert_eq(dev_write(dev, 100, buf, 300), 0);
	memset(buf, 2, 300);
	cr_assert_eq(dev_write(dev, 350, buf, 100), 0);
	cr_assert_eq(dev_write(dev, 90, buf, 20), 0);
	cr_assert_eq(dev_write(dev, 250, buf, 1), 0);
	/* In parts, so that each write is cut on either side. */
	cr_assert_eq(dev_read(dev, 0, buf, 95), 0);
	cr_assert_eq(dev_read(dev, 95, buf + 95, 265), 0);
	cr_assert_eq(dev_read(dev, 360, buf + 360, SIZE - 360), 0);
	cr_assert(pattern_holds(buf, 0, 90));
	cr_assert(buf[90] == 2 && buf[109] == 2 && buf[110] == 1);
	cr_assert(buf[249] == 1 && buf[250] == 2 && buf[251] == 1);
	cr_assert(buf[349] == 1 && buf[350] == 2 && buf[449] == 2);
	cr_assert(pattern_holds(buf + 450, 450, SIZE - 450));
	/* And the same when they have reached what is below. */
	cr_assert_eq(dev_flush(dev), 0);
	memset(buf, 0, SIZE);
	cr_assert_eq(dev_read(below, 0, buf, SIZE), 0);
	cr_assert(buf[90] == 2 && buf[110] == 1 && buf[250] == 2);
	cr_assert(buf[350] == 2 && pattern_holds(buf + 450, 450, SIZE - 450));
}

Test(dev_open_fault, holds_zeros_and_batches_too)
{
	struct dev_io ios[] = {
		{ 10 * BB, buf, BB }, { 12 * BB, buf, BB },
	};

	cr_assert_eq(put(0, 9, BLOCKS), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(dev_zero(dev, BB, BB), 0);
	cr_assert_eq(dev_discard(dev, 2 * BB, BB), -EOPNOTSUPP);
	memset(buf, 5, BB);
	cr_assert_eq(dev_write_batch(dev, ios, 2), 0);
	cr_assert_eq(held(), 3);
	cr_assert_eq(block_of(dev, 1), 0);
	cr_assert_eq(block_of(dev, 12), 5);
	cr_assert_eq(block_of(below, 1), 9);
	cr_assert_eq(block_of(below, 12), 9);
}

Test(dev_open_fault, loses_what_is_held_when_closed)
{
	struct scratch scratch;
	struct dev *file, *again;
	const char *path;

	scratch_init(&scratch);
	path = scratch_file(&scratch, "file", buf, SIZE);
	cr_assert_eq(dev_open_file(path, DEV_WRITE | DEV_LOCK_NONE, NULL,
				   &file), 0);
	cr_assert_eq(dev_open_fault(file, &again), 0);
	cr_assert_eq(dev_write(again, 0, "kept", 4), 0);
	cr_assert_eq(dev_flush(again), 0);
	cr_assert_eq(dev_write(again, 0, "lost", 4), 0);
	dev_close(again);
	cr_assert_eq(dev_open_file(path, 0, NULL, &file), 0);
	cr_assert_eq(dev_read(file, 0, buf, 5), 0);
	cr_assert_arr_eq(buf, "kept", 5);
	dev_close(file);
	scratch_fini(&scratch);
}

/* --- power that fails --- */

Test(fault_stop, after_a_write_lets_that_one_through)
{
	fault_stop(dev, FAULT_WRITE, 2);
	cr_assert_eq(put(0, 1, 1), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(put(1, 1, 1), 0);
	assert_silent(&said);
	cr_assert_eq(dev_flush(dev), -EIO);
	assert_said(&said, "the power is off");
	cr_assert_eq(put(2, 1, 1), -EIO);
	assert_said(&said, "the power is off");
	cr_assert_eq(dev_zero(dev, 0, 10), -EIO);
	/* Reads go on, and the last write is there to be lost. */
	cr_assert_eq(block_of(dev, 1), 1);
	cr_assert_eq(block_of(dev, 2), 0);
	cr_assert_eq(block_of(below, 1), 0);
	cr_assert_eq(held(), 1);
}

Test(fault_stop, at_a_flush_does_nothing_of_it)
{
	fault_stop(dev, FAULT_FLUSH, 2);
	cr_assert_eq(put(0, 1, 1), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(put(0, 2, 1), 0);
	cr_assert_eq(put(1, 2, 1), 0);
	cr_assert_eq(dev_flush(dev), -EIO);
	assert_said(&said, "the power is off");
	cr_assert_eq(put(0, 3, 1), -EIO);
	cr_assert_eq(dev_flush(dev), -EIO);
	cr_assert_eq(held(), 2);
	cr_assert_eq(block_of(below, 0), 1);
	cr_assert_eq(fault_crash(dev, FAULT_KEEP, 0), 0);
	cr_assert_eq(block_of(below, 0), 2);
}

Test(fault_stop, of_what_has_passed_is_now)
{
	cr_assert_eq(put(0, 1, 1), 0);
	cr_assert_eq(put(1, 1, 1), 0);
	fault_stop(dev, FAULT_WRITE, 1);
	cr_assert_eq(put(2, 1, 1), -EIO);
	cr_assert_eq(fault_crash(dev, FAULT_KEEP, 0), 0);
	fault_stop(dev, FAULT_WRITE, 0);
	cr_assert_eq(put(0, 1, 1), -EIO);
	cr_assert_eq(fault_crash(dev, FAULT_KEEP, 0), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(dev_flush(dev), 0);
	fault_stop(dev, FAULT_FLUSH, 1);
	cr_assert_eq(put(0, 1, 1), 0);
	cr_assert_eq(dev_flush(dev), -EIO);
}

Test(fault_stop, ends_with_the_crash_or_is_taken_back)
{
	fault_stop(dev, FAULT_WRITE, 1);
	fault_stop(dev, FAULT_WRITE, FAULT_NEVER);
	fault_stop(dev, FAULT_FLUSH, 1);
	fault_stop(dev, FAULT_FLUSH, FAULT_NEVER);
	cr_assert_eq(put(0, 1, 1), 0);
	cr_assert_eq(put(1, 1, 1), 0);
	cr_assert_eq(dev_flush(dev), 0);
	fault_stop(dev, FAULT_WRITE, 2);
	fault_stop(dev, FAULT_FLUSH, 2);
	cr_assert_eq(dev_flush(dev), -EIO);
	cr_assert_eq(fault_crash(dev, FAULT_DROP, 0), 0);
	cr_assert_eq(put(0, 2, 1), 0);
	cr_assert_eq(put(1, 2, 1), 0);
	cr_assert_eq(put(2, 2, 1), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(block_of(below, 2), 2);
}

/* A sweep over every place to crash at ends where nothing stops any more. */
Test(fault_stop, reaches_every_place_of_a_run)
{
	uint64_t n;
	int rc = -EIO;

	for (n = 0; rc; n++) {
		cr_assert_eq(dev_zero(below, 0, SIZE), 0);
		fault_stop(dev, FAULT_WRITE, n);
		rc = put(0, 1, 1);
		rc = rc ? rc : put(1, 1, 1);
		rc = rc ? rc : dev_flush(dev);
		rc = rc ? rc : put(2, 1, 1);
		cr_assert_eq(fault_crash(dev, FAULT_KEEP, n), 0);
		cr_assert_eq(block_of(dev, 0), n > 0);
		cr_assert_eq(block_of(dev, 1), n > 1);
		cr_assert_eq(block_of(dev, 2), n > 2);
	}
	cr_assert_eq(n, 4);
}

/* --- single failures --- */

Test(fault_fail, hits_one_write_and_leaves_nothing_of_it)
{
	fault_fail(dev, FAULT_WRITE, 2);
	cr_assert_eq(put(0, 1, 1), 0);
	cr_assert_eq(put(0, 2, 1), -EIO);
	assert_said(&said, "a write is made to fail");
	cr_assert_eq(block_of(dev, 0), 1);
	cr_assert_eq(held(), 1);
	cr_assert_eq(put(0, 3, 1), 0);
	cr_assert_eq(block_of(dev, 0), 3);
}

Test(fault_fail, hits_one_read)
{
	fault_fail(dev, FAULT_READ, 1);
	cr_assert_eq(dev_read(dev, 0, buf, 1), -EIO);
	assert_said(&said, "a read is made to fail");
	cr_assert_eq(dev_read(dev, 0, buf, 1), 0);
}

Test(fault_fail, hits_one_flush_and_keeps_all_held)
{
	fault_fail(dev, FAULT_FLUSH, 1);
	cr_assert_eq(put(0, 1, 1), 0);
	cr_assert_eq(dev_flush(dev), -EIO);
	assert_said(&said, "a flush is made to fail");
	cr_assert_eq(held(), 1);
	cr_assert_eq(block_of(below, 0), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(block_of(below, 0), 1);
}

Test(fault_fail, hits_a_place_for_good)
{
	fault_spoil(dev, 2);
	cr_assert_eq(put(4, 1, 2), 0);
	cr_assert_eq(put(4, 2, 2), -EIO);
	assert_said(&said, "the place is made bad");
	cr_assert_eq(put(3, 3, 2), -EIO);
	cr_assert_eq(put(5, 3, 2), -EIO);
	cr_assert_eq(put(3, 3, 1), 0);
	cr_assert_eq(put(6, 3, 1), 0);
	cr_assert_eq(block_of(dev, 4), 1);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(put(4, 4, 1), -EIO);
	cr_assert_eq(fault_crash(dev, FAULT_KEEP, 1), 0);
	cr_assert_eq(put(4, 4, 1), 0);
}

Test(fault_fail, is_taken_back_and_ends_with_a_crash)
{
	fault_fail(dev, FAULT_WRITE, 1);
	fault_fail(dev, FAULT_WRITE, FAULT_NEVER);
	cr_assert_eq(put(0, 1, 1), 0);
	fault_fail(dev, FAULT_READ, 1);
	fault_fail(dev, FAULT_WRITE, 1);
	fault_fail(dev, FAULT_FLUSH, 1);
	cr_assert_eq(fault_crash(dev, FAULT_DROP, 0), 0);
	cr_assert_eq(put(0, 1, 1), 0);
	cr_assert_eq(block_of(dev, 0), 1);
	cr_assert_eq(dev_flush(dev), 0);
}

Test(fault_fail, by_what_is_below_keeps_what_is_not_there_yet)
{
	struct watch *w = watch_open(memdev_zeros(SIZE, &sink));
	struct fault_counts counts;
	struct dev *other;

	cr_assert_eq(dev_open_fault(&w->dev, &other), 0);
	w->bad_write_start = BB;
	w->bad_write_end = 2 * BB;
	memset(buf, 1, BB);
	cr_assert_eq(dev_write(other, 0, buf, BB), 0);
	cr_assert_eq(dev_write(other, BB, buf, BB), 0);
	cr_assert_eq(dev_write(other, 2 * BB, buf, BB), 0);
	cr_assert_eq(dev_flush(other), -EIO);
	assert_said(&said, "bad sector");
	fault_counts(other, &counts);
	cr_assert_eq(counts.held, 2);
	cr_assert_eq(w->flushes, 0);
	cr_assert_eq(block_of(other, 1), 1);
	w->bad_write_end = 0;
	cr_assert_eq(dev_flush(other), 0);
	cr_assert_eq(w->flushes, 1);
	cr_assert_eq(block_of(&w->dev, 2), 1);
	dev_close(other);
}

/* --- what was asked --- */

Test(fault_counts, count_calls_that_came_through_or_failed)
{
	struct fault_counts counts;

	fault_fail(dev, FAULT_WRITE, 2);
	fault_stop(dev, FAULT_WRITE, 3);
	cr_assert_eq(put(0, 1, 1), 0);
	cr_assert_eq(put(0, 1, 1), -EIO);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(put(0, 1, 3), 0);
	cr_assert_eq(put(0, 1, 1), -EIO);
	cr_assert_eq(dev_flush(dev), -EIO);
	cr_assert_eq(dev_read(dev, 0, buf, 1), 0);
	cr_assert_eq(dev_read(dev, SIZE, buf, 1), -EINVAL);
	fault_counts(dev, &counts);
	cr_assert_eq(counts.reads, 1);
	cr_assert_eq(counts.writes, 3);
	cr_assert_eq(counts.flushes, 1);
	cr_assert_eq(counts.held, 1);
	cr_assert_eq(counts.held_bytes, 3 * BB);
	cr_assert_eq(fault_crash(dev, FAULT_DROP, 0), 0);
	fault_counts(dev, &counts);
	cr_assert_eq(counts.reads + counts.writes + counts.flushes, 0);
	cr_assert_eq(counts.held + counts.held_bytes, 0);
}

Test(fault_events, are_what_was_accepted_in_its_order)
{
	const struct fault_event *ev;
	size_t n, i;

	cr_assert_eq(put(0, 1, 1), 0);
	fault_events(dev, &n);
	cr_assert_eq(n, 0);
	fault_record(dev, true);
	fault_fail(dev, FAULT_WRITE, 3);
	cr_assert_eq(put(9, 1, 2), 0);
	cr_assert_eq(put(8, 1, 1), -EIO);
	cr_assert_eq(dev_flush(dev), 0);
	fault_fail(dev, FAULT_FLUSH, 2);
	cr_assert_eq(dev_flush(dev), -EIO);
	cr_assert_eq(put(7, 1, 1), 0);
	/* The record outlives a crash. */
	cr_assert_eq(fault_crash(dev, FAULT_DROP, 0), 0);
	ev = fault_events(dev, &n);
	cr_assert_eq(n, 3);
	cr_assert(ev[0].op == FAULT_WRITE && ev[0].off_bytes == 9 * BB &&
		  ev[0].len == 2 * BB);
	cr_assert_eq(ev[1].op, FAULT_FLUSH);
	cr_assert(ev[2].op == FAULT_WRITE && ev[2].off_bytes == 7 * BB &&
		  ev[2].len == BB);
	fault_record(dev, true);
	for (i = 0; i < 1000; i++)
		cr_assert_eq(dev_write(dev, i, buf, 1), 0);
	ev = fault_events(dev, &n);
	cr_assert_eq(n, 1000);
	for (i = 0; i < 1000; i++)
		cr_assert_eq(ev[i].off_bytes, i);
	fault_record(dev, false);
	cr_assert_eq(put(0, 1, 1), 0);
	fault_events(dev, &n);
	cr_assert_eq(n, 0);
}
