/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device that can lose power, for tests: it holds what was written until it
 * is flushed, and a crash decides how much of that reaches the device below.
 * It can also fail where it is told to, and keep a record of what was asked of
 * it. Only the seed of a crash decides what is lost: the same calls with the
 * same seed leave the same bytes.
 */
#ifndef LIBXLOG_DEV_FAULT_H
#define LIBXLOG_DEV_FAULT_H

#include "libxlog/dev/dev.h"

/*
 * Writes are copied and held in the order they were issued; reads see them. A
 * flush writes them to @below in that order, and flushes it. Zeros are held as
 * writes; there is no discard. dev_close() is no flush: what is held is lost,
 * so that a program which forgets its last flush is found out.
 * May be used by several threads. Takes @below on success.
 */
int dev_open_fault(struct dev *below, struct dev **out) MUST_CHECK;

enum fault_crash {
	FAULT_DROP,	/* nothing that was held reaches the device */
	FAULT_KEEP,	/* all of it does */
	FAULT_REORDER,	/* some of the writes, each whole, in any order */
	/*
	 * In order, but each write is lost, cut off at a sector, or only some
	 * of its sectors arrive: one never does by half, see fault_sectors().
	 */
	FAULT_TEAR,
};

/*
 * Power fails and comes back: write to the device below what @how leaves of
 * the held writes, and hold none. Afterwards the device is as if just opened
 * on what is there: counts begin anew, and nothing is to fail or stop. Only
 * the record stays. How many writes survive differs between seeds, too.
 * Returns 0, or the error of the device below, with the rest lost.
 */
int fault_crash(struct dev *dev, enum fault_crash how, uint64_t seed)
	MUST_CHECK;

/*
 * From now on sectors are of so many bytes, not those of the device below:
 * images of filesystems have theirs in files, which have none of their own.
 */
void fault_sectors(struct dev *dev, uint32_t bytes);

enum fault_op {
	FAULT_READ,
	FAULT_WRITE,
	FAULT_FLUSH,
};

#define FAULT_NEVER	UINT64_MAX

/*
 * Power fails at number @nth: every write and flush then fails with -EIO until
 * fault_crash(), and reads still see what is held. With FAULT_WRITE the @nth
 * write is the last that works, and 0 allows none; with FAULT_FLUSH the @nth
 * flush, from 1, is the first that fails, before it did anything.
 * Numbers count from the opening or the last crash; one that has passed means
 * now. FAULT_NEVER takes it back, until it has happened.
 */
void fault_stop(struct dev *dev, enum fault_op op, uint64_t nth);

/*
 * The @nth such call, from 1, fails with -EIO, and only that: a write has then
 * changed nothing, a flush left everything held. FAULT_NEVER takes it back.
 */
void fault_fail(struct dev *dev, enum fault_op op, uint64_t nth);

/*
 * As fault_fail() of the @nth write, but its place is bad from then on: every
 * write to any of these bytes fails, until the next crash.
 */
void fault_spoil(struct dev *dev, uint64_t nth);

struct fault_counts {
	/* Calls, also those that failed, but for what came after a stop. */
	uint64_t	reads, writes, flushes;
	uint64_t	held;		/* writes not flushed */
	uint64_t	held_bytes;
	bool		off;		/* power has failed */
};

void fault_counts(struct dev *dev, struct fault_counts *counts);

/* A write that was accepted, or a flush that worked. */
struct fault_event {
	enum fault_op	op;
	uint64_t	off_bytes;
	size_t		len;
};

/* Begin a new record, or with @on false end it; what it held is gone. */
void fault_record(struct dev *dev, bool on);

/*
 * The record, in the order of the calls; borrowed until the next call of any
 * kind on @dev.
 */
const struct fault_event *fault_events(struct dev *dev, size_t *count);

#endif
