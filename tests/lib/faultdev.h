/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device that can lose power, above zeros in memory, and what tests of it
 * write and look at: blocks filled with one byte.
 */
#ifndef TESTS_LIB_FAULTDEV_H
#define TESTS_LIB_FAULTDEV_H

#include "libxlog/dev/fault.h"
#include "tests/lib/memdev.h"

enum {
	BB = 512,
	BLOCKS = 64,
	SIZE = BLOCKS * BB,
};

static struct reports said;
static struct sink sink;
static struct dev *below, *dev;		/* @dev owns @below */
static uint8_t buf[SIZE];

/* @below is looked at to see what has reached it. */
static inline void faultdev_init(void)
{
	sink = reports_sink(&said);
	below = memdev_zeros(SIZE, &sink);
	cr_assert_eq(dev_open_fault(below, &dev), 0);
}

static inline int put(uint64_t block, uint8_t value, size_t count)
{
	uint8_t bytes[SIZE];

	memset(bytes, value, count * BB);
	return dev_write(dev, block * BB, bytes, count * BB);
}

/* The byte that fills all of block @block of @of; else -1. */
static inline int block_of(struct dev *of, uint64_t block)
{
	uint8_t bytes[BB];

	cr_assert_eq(dev_read(of, block * BB, bytes, BB), 0);
	return memcmp(bytes, bytes + 1, BB - 1) ? -1 : bytes[0];
}

static inline uint64_t held(void)
{
	struct fault_counts counts;

	fault_counts(dev, &counts);
	return counts.held;
}

#endif
