/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a crash leaves of held writes. Outcomes are counted over many seeds:
 * each kind that can happen does, and nothing else.
 */
#include "tests/lib/faultdev.h"

enum { SEEDS = 500 };

static void setup(void)
{
	faultdev_init();
}

static void teardown(void)
{
	dev_close(dev);
}

TestSuite(fault_crash, .init = setup, .fini = teardown);

Test(fault_crash, drops_all_or_keeps_all)
{
	cr_assert_eq(put(1, 1, 1), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(put(1, 2, 1), 0);
	cr_assert_eq(put(2, 2, 1), 0);
	cr_assert_eq(fault_crash(dev, FAULT_DROP, 1), 0);
	cr_assert_eq(held(), 0);
	cr_assert_eq(block_of(dev, 1), 1);
	cr_assert_eq(block_of(dev, 2), 0);
	cr_assert_eq(put(1, 3, 1), 0);
	cr_assert_eq(put(1, 4, 1), 0);
	cr_assert_eq(put(2, 3, 1), 0);
	cr_assert_eq(fault_crash(dev, FAULT_KEEP, 1), 0);
	cr_assert_eq(held(), 0);
	cr_assert_eq(block_of(below, 1), 4);
	cr_assert_eq(block_of(below, 2), 3);
}

/* Back to zeros and write each block, three at a time; crash. */
static void write_and_crash(enum fault_crash how, uint64_t seed)
{
	uint64_t i;

	cr_assert_eq(dev_zero(below, 0, SIZE), 0);
	for (i = 0; i + 3 <= BLOCKS; i += 3)
		cr_assert_eq(put(i, (uint8_t)(i + 1), 3), 0);
	cr_assert_eq(fault_crash(dev, how, seed), 0);
	cr_assert_eq(held(), 0);
}

/* Which of the three blocks of a write have reached the device: bits. */
static unsigned int survived(uint64_t first)
{
	unsigned int bits = 0;
	uint64_t i;

	for (i = 0; i < 3; i++) {
		int value = block_of(below, first + i);

		cr_assert(value == 0 || value == (int)first + 1);
		if (value)
			bits |= 1u << i;
	}
	return bits;
}

Test(fault_crash, reordered_keeps_some_writes_whole)
{
	unsigned int some[BLOCKS / 3] = { 0 }, none = 0, all = 0;
	uint64_t seed, i;

	for (seed = 0; seed < SEEDS; seed++) {
		unsigned int n = 0;

		write_and_crash(FAULT_REORDER, seed);
		for (i = 0; i < BLOCKS / 3; i++) {
			unsigned int bits = survived(3 * i);

			cr_assert(bits == 0 || bits == 7);
			some[i] += bits == 7;
			n += bits == 7;
		}
		none += n == 0;
		all += n == BLOCKS / 3;
	}
	/* Each survives in about half; few and most do, too. */
	for (i = 0; i < BLOCKS / 3; i++)
		cr_assert(some[i] > SEEDS / 3 && some[i] < SEEDS * 2 / 3,
			  "write %d: %u", (int)i, some[i]);
	cr_assert_gt(none, 0);
	cr_assert_gt(all, 0);
	cr_assert_lt(none + all, SEEDS / 4);
}

Test(fault_crash, torn_keeps_any_choice_of_sectors)
{
	unsigned int seen[8] = { 0 };
	uint64_t seed, i;

	for (seed = 0; seed < SEEDS; seed++) {
		write_and_crash(FAULT_TEAR, seed);
		for (i = 0; i < BLOCKS / 3; i++)
			seen[survived(3 * i)]++;
	}
	/* All, none, the first ones, and any with a hole. */
	for (i = 0; i < 8; i++)
		cr_assert_gt(seen[i], SEEDS * (BLOCKS / 3) / 50, "%d: %u",
			     (int)i, seen[i]);
}

/* A sector is that of the device, wherever the write begins. */
Test(fault_crash, torn_never_breaks_a_sector)
{
	unsigned int seen[8] = { 0 };
	uint64_t seed;
	size_t i;

	for (seed = 0; seed < SEEDS; seed++) {
		static const size_t start[] = { 100, 512, 1024, 1100 };
		unsigned int bits = 0;

		cr_assert_eq(dev_zero(below, 0, SIZE), 0);
		memset(buf, 1, 1000);
		cr_assert_eq(dev_write(dev, 100, buf, 1000), 0);
		cr_assert_eq(fault_crash(dev, FAULT_TEAR, seed), 0);
		cr_assert_eq(dev_read(dev, 0, buf, 1200), 0);
		cr_assert(dev_is_zero(buf, 100));
		cr_assert(dev_is_zero(buf + 1100, 100));
		for (i = 0; i < 3; i++) {
			const uint8_t *at = buf + start[i];
			size_t len = start[i + 1] - start[i];

			cr_assert(!memcmp(at, at + 1, len - 1));
			bits |= (unsigned int)at[0] << i;
		}
		seen[bits]++;
	}
	for (i = 0; i < 8; i++)
		cr_assert_gt(seen[i], 0, "%zu", i);
}

Test(fault_crash, torn_never_breaks_a_larger_sector)
{
	unsigned int seen[4] = { 0 };

	fault_sectors(dev, 4 * BB);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		unsigned int bits = 0;

		cr_assert_eq(dev_zero(below, 0, SIZE), 0);
		cr_assert_eq(put(0, 1, 8), 0);
		cr_assert_eq(fault_crash(dev, FAULT_TEAR, seed), 0);
		for (uint64_t i = 0; i < 8; i++)
			cr_assert_eq(block_of(below, i),
				     block_of(below, i & ~3u));
		bits = (unsigned int)(block_of(below, 0) |
				      block_of(below, 4) << 1);
		seen[bits]++;
	}
	for (size_t i = 0; i < 4; i++)
		cr_assert_gt(seen[i], 0, "%zu", i);
}

Test(fault_crash, leaves_an_older_write_where_the_younger_is_lost)
{
	unsigned int seen[3] = { 0 };
	uint64_t seed;
	int value;

	for (seed = 0; seed < SEEDS; seed++) {
		cr_assert_eq(dev_zero(below, 0, SIZE), 0);
		cr_assert_eq(put(0, 1, 1), 0);
		cr_assert_eq(put(0, 2, 1), 0);
		cr_assert_eq(fault_crash(dev, FAULT_REORDER, seed), 0);
		value = block_of(dev, 0);
		cr_assert(value >= 0 && value <= 2);
		seen[value]++;
	}
	cr_assert(seen[0] > SEEDS / 10 && seen[1] > SEEDS / 10 &&
		  seen[2] > SEEDS / 10);
}

Test(fault_crash, issues_survivors_in_any_order)
{
	struct watch *w = watch_open(memdev_zeros(SIZE, &sink));
	unsigned int up = 0, down = 0;
	uint64_t seed, i;
	struct dev *other;

	cr_assert_eq(dev_open_fault(&w->dev, &other), 0);
	for (seed = 0; seed < 50; seed++) {
		w->writes = 0;
		for (i = 0; i < 5; i++)
			cr_assert_eq(dev_write(other, i * BB, buf, BB), 0);
		cr_assert_eq(fault_crash(other, FAULT_REORDER, seed), 0);
		for (i = 1; i < w->writes; i++) {
			up += w->write[i].off_bytes > w->write[i - 1].off_bytes;
			down += w->write[i].off_bytes <
				w->write[i - 1].off_bytes;
		}
	}
	cr_assert(up > 20 && down > 20, "%u up, %u down", up, down);
	dev_close(other);
}

Test(fault_crash, is_decided_by_the_seed_alone)
{
	static uint8_t first[SIZE];
	enum fault_crash how;
	unsigned int same = 0;
	uint64_t seed;

	for (how = FAULT_REORDER; how <= FAULT_TEAR; how++) {
		for (seed = 100; seed < 120; seed++) {
			write_and_crash(how, seed);
			cr_assert_eq(dev_read(below, 0, first, SIZE), 0);
			write_and_crash(how, seed);
			cr_assert_eq(dev_read(below, 0, buf, SIZE), 0);
			cr_assert_arr_eq(buf, first, SIZE);
			write_and_crash(how, seed + 1);
			cr_assert_eq(dev_read(below, 0, buf, SIZE), 0);
			same += !memcmp(buf, first, SIZE);
		}
	}
	cr_assert_lt(same, 5);
}

/* A seed in a report of a bug keeps its meaning. */
Test(fault_crash, of_one_seed_stays_what_it_was)
{
	uint64_t i, bits = 0;

	write_and_crash(FAULT_TEAR, 42);
	for (i = 0; i + 3 <= BLOCKS; i += 3)
		bits |= (uint64_t)survived(i) << i;
	cr_assert_eq(bits, 0xfebef73c6e7921b, "%llx",
		     (unsigned long long)bits);
}

Test(fault_crash, says_what_failed_below_and_holds_nothing)
{
	struct watch *w = watch_open(memdev_zeros(SIZE, &sink));
	enum fault_crash how;
	struct dev *other;
	struct fault_counts counts;

	w->bad_write_end = SIZE;
	cr_assert_eq(dev_open_fault(&w->dev, &other), 0);
	for (how = FAULT_KEEP; how <= FAULT_TEAR; how++) {
		uint64_t seed;
		int rc = 0;

		/* Until a seed lets one of them survive. */
		for (seed = 1; !rc; seed++) {
			cr_assert_eq(dev_write(other, 0, buf, 2 * BB), 0);
			cr_assert_eq(dev_write(other, BB, buf, 2 * BB), 0);
			rc = fault_crash(other, how, seed);
		}
		cr_assert_eq(rc, -EIO);
		assert_said(&said, "bad sector");
		fault_counts(other, &counts);
		cr_assert_eq(counts.held, 0);
	}
	dev_close(other);
}
