/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/lib/memdev.h"

enum { PAGE = 4096, SIZE = 5 * PAGE + 100 };

static struct reports said;
static uint8_t buf[SIZE];

/* An overlay above the pattern; @below counts what it is asked. */
static struct dev *over_pattern(struct watch **below)
{
	struct sink sink = reports_sink(&said);
	struct dev *dev;

	*below = watch_open(memdev_pattern(SIZE, &sink));
	(*below)->dev.writable = false;
	cr_assert_eq(dev_open_overlay(&(*below)->dev, 0, NULL, &dev), 0);
	return dev;
}

/* All of @dev is the pattern but [start, end), which is @byte. */
static void assert_patched(struct dev *dev, size_t start, size_t end,
			   uint8_t byte)
{
	size_t i;

	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	cr_assert(pattern_holds(buf, 0, start));
	for (i = start; i < end; i++)
		cr_assert_eq(buf[i], byte, "at %zu", i);
	cr_assert(pattern_holds(buf + end, end, SIZE - end));
}

Test(overlay, above_nothing_is_zeros)
{
	struct dev *dev = memdev_zeros(SIZE, NULL);

	memset(buf, 1, sizeof(buf));
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	cr_assert(dev_is_zero(buf, SIZE));
	dev_close(dev);
}

Test(overlay, shows_what_is_below_in_one_read)
{
	struct watch *below;
	struct dev *dev = over_pattern(&below);

	cr_assert_eq(dev_read(dev, 5, buf, SIZE - 10), 0);
	cr_assert(pattern_holds(buf, 5, SIZE - 10));
	cr_assert_eq(below->reads, 1);
	cr_assert_eq(below->read[0].len, SIZE - 10);
	dev_close(dev);
}

Test(overlay, writes_at_page_edges_change_only_their_bytes)
{
	static const struct { size_t start, end; } range[] = {
		{ 0, 1 },
		{ PAGE - 1, PAGE },
		{ PAGE, PAGE + 1 },
		{ PAGE - 1, PAGE + 1 },
		{ 0, PAGE },
		{ PAGE, 2 * PAGE },
		{ 100, 3 * PAGE + 100 },
		{ PAGE - 1, 3 * PAGE + 1 },
		{ SIZE - 1, SIZE },
		{ 5 * PAGE, SIZE },
		{ 5 * PAGE - 1, SIZE },
		{ 0, SIZE },
	};
	static const uint8_t zeros[SIZE];
	size_t i;

	for (i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
		size_t len = range[i].end - range[i].start;
		struct watch *below;
		struct dev *dev = over_pattern(&below);

		/* 0 is the one byte that the pattern has not. */
		cr_assert_eq(dev_write(dev, range[i].start, zeros, len), 0);
		assert_patched(dev, range[i].start, range[i].end, 0);
		cr_assert_eq(dev_zero(dev, 0, SIZE), 0);
		cr_assert_eq(dev_write(dev, range[i].start, "x", 1), 0);
		cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
		cr_assert(dev_is_zero(buf, range[i].start));
		cr_assert_eq(buf[range[i].start], 'x');
		cr_assert(dev_is_zero(buf + range[i].start + 1,
				      SIZE - range[i].start - 1));
		cr_assert_eq(below->writes, 0);
		dev_close(dev);
	}
}

Test(overlay, zeroes_and_discards_any_range)
{
	static const struct { size_t start, end; } range[] = {
		{ 0, PAGE },
		{ PAGE, 3 * PAGE },
		{ 1, PAGE },
		{ 0, PAGE - 1 },
		{ PAGE - 1, PAGE + 1 },
		{ 5 * PAGE, SIZE },
		{ 5 * PAGE + 1, SIZE },
		{ 5 * PAGE, SIZE - 1 },
		{ 0, SIZE },
	};
	size_t i;

	for (i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
		size_t len = range[i].end - range[i].start;
		struct watch *below;
		struct dev *dev = over_pattern(&below);

		/* Both over what is below and over a page of its own. */
		if (i & 1)
			cr_assert_eq(dev_zero(dev, range[i].start, len), 0);
		else
			cr_assert_eq(dev_discard(dev, range[i].start, len), 0);
		assert_patched(dev, range[i].start, range[i].end, 0);
		pattern_fill(buf, 0, SIZE);
		cr_assert_eq(dev_write(dev, 0, buf, SIZE), 0);
		assert_patched(dev, 0, 0, 0);
		cr_assert_eq(dev_zero(dev, range[i].start, len), 0);
		assert_patched(dev, range[i].start, range[i].end, 0);
		dev_close(dev);
	}
}

Test(overlay, above_nothing_gives_zeroed_pages_back)
{
	struct dev *dev = memdev_pattern(SIZE, NULL);

	cr_assert_eq(dev_zero(dev, 10, SIZE - 20), 0);
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	cr_assert(pattern_holds(buf, 0, 10));
	cr_assert(dev_is_zero(buf + 10, SIZE - 20));
	cr_assert(pattern_holds(buf + SIZE - 10, SIZE - 10, 10));
	dev_close(dev);
}

Test(overlay, reads_below_only_where_it_has_nothing)
{
	struct watch *below;
	struct dev *dev = over_pattern(&below);

	memset(buf, 0, PAGE);
	cr_assert_eq(dev_write(dev, 2 * PAGE, buf, PAGE), 0);
	below->reads = 0;
	assert_patched(dev, 2 * PAGE, 3 * PAGE, 0);
	cr_assert_eq(below->reads, 2);
	cr_assert_eq(below->read[0].len, 2 * PAGE);
	cr_assert_eq(below->read[1].off_bytes, 3 * PAGE);
	dev_close(dev);
}

Test(overlay, is_as_large_as_any_device)
{
	static const uint64_t size[] = {
		1, PAGE - 1, PAGE, 512 * PAGE - 1, 512 * PAGE, 512 * PAGE + 1,
		UINT64_C(1) << 30, (UINT64_C(1) << 30) + 1, UINT64_MAX,
	};
	size_t i;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		struct dev *dev = memdev_zeros(size[i], NULL);

		cr_assert_eq(dev_write(dev, size[i] - 1, "z", 1), 0);
		cr_assert_eq(dev_write(dev, size[i] / 2, "m", 1), 0);
		cr_assert_eq(dev_write(dev, 0, "a", 1), 0);
		cr_assert_eq(dev_read(dev, size[i] - 1, buf, 1), 0);
		cr_assert_eq(buf[0], size[i] == 1 ? 'a' : 'z');
		cr_assert_eq(dev_read(dev, size[i] / 2, buf, 1), 0);
		cr_assert_eq(buf[0], size[i] == 1 ? 'a' : 'm');
		cr_assert_eq(dev_write(dev, size[i], "", 1), -EINVAL);
		dev_close(dev);
	}
}

Test(overlay, fails_where_what_is_below_fails)
{
	struct watch *below;
	struct dev *dev = over_pattern(&below);

	below->bad_read_start = PAGE + 7;
	below->bad_read_end = PAGE + 8;
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), -EIO);
	assert_said(&said, "bad sector");
	/* A page that cannot be copied cannot be written in part ... */
	cr_assert_eq(dev_write(dev, PAGE, buf, 1), -EIO);
	assert_said(&said, "bad sector");
	cr_assert_eq(dev_read(dev, 0, buf, PAGE), 0);
	cr_assert_eq(dev_zero(dev, PAGE, PAGE), 0);
	/* ... but zeroed it stands in front of the bad one. */
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	cr_assert(dev_is_zero(buf + PAGE, PAGE));
	dev_close(dev);
}

Test(overlay, is_writable_above_a_reader)
{
	struct watch *below;
	struct dev *dev = over_pattern(&below);

	cr_assert(dev->writable);
	cr_assert_eq(dev_write(dev, 1, "", 1), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(below->flushes, 0);
	assert_patched(&below->dev, 0, 0, 0);
	dev_close(dev);
}
