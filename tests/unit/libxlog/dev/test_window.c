/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/lib/memdev.h"

enum { SIZE = 10000 };

static struct reports said;
static uint8_t buf[SIZE];

static struct dev *pattern_dev(void)
{
	struct sink sink = reports_sink(&said);

	return memdev_pattern(SIZE, &sink);
}

Test(dev_open_window, shows_its_part_and_no_more)
{
	struct dev *win;

	cr_assert_eq(dev_open_window(pattern_dev(), 1000, 3000, &win), 0);
	cr_assert_eq(win->size_bytes, 3000);
	cr_assert_eq(dev_read(win, 0, buf, 3000), 0);
	cr_assert(pattern_holds(buf, 1000, 3000));
	cr_assert_eq(dev_read(win, 2999, buf, 2), -EINVAL);
	assert_said(&said, "there are only 3000");
	cr_assert_eq(dev_read(win, UINT64_MAX - 500, buf, 501), -EINVAL);
	assert_said(&said, "there are only 3000");
	dev_close(win);
}

Test(dev_open_window, reaches_the_end_with_length_zero)
{
	struct dev *win;

	cr_assert_eq(dev_open_window(pattern_dev(), SIZE - 1, 0, &win), 0);
	cr_assert_eq(win->size_bytes, 1);
	cr_assert_eq(dev_read(win, 0, buf, 1), 0);
	cr_assert(pattern_holds(buf, SIZE - 1, 1));
	dev_close(win);
}

Test(dev_open_window, refuses_what_does_not_lie_inside)
{
	static const struct { uint64_t off, len; } bad[] = {
		{ SIZE, 0 },
		{ SIZE, 1 },
		{ SIZE - 1, 2 },
		{ 1, SIZE },
		{ UINT64_MAX, 0 },
		{ UINT64_MAX, 2 },
		{ 512, UINT64_MAX - 511 },	/* the sum wraps to 0 */
		{ 512, UINT64_MAX },
	};
	struct dev *dev = pattern_dev(), *win;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		win = NULL;
		cr_assert_eq(dev_open_window(dev, bad[i].off, bad[i].len,
					     &win), -EINVAL, "case %zu", i);
		assert_said(&said, "there are only 10000");
		cr_assert_null(win);
	}
	/* Not taken: still the caller's, and sound. */
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	dev_close(dev);
}

Test(window, writes_zeroes_and_discards_at_its_offset)
{
	struct dev *dev = pattern_dev(), *win;

	cr_assert_eq(dev_open_window(dev, 1000, 5000, &win), 0);
	cr_assert_eq(dev_write(win, 10, "hello", 5), 0);
	cr_assert_eq(dev_zero(win, 100, 50), 0);
	cr_assert_eq(dev_discard(win, 4990, 10), 0);
	cr_assert_eq(dev_flush(win), 0);
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	cr_assert(pattern_holds(buf, 0, 1010));
	cr_assert_arr_eq(buf + 1010, "hello", 5);
	cr_assert(pattern_holds(buf + 1015, 1015, 85));
	cr_assert(dev_is_zero(buf + 1100, 50));
	cr_assert(pattern_holds(buf + 1150, 1150, 5990 - 1150));
	cr_assert(dev_is_zero(buf + 5990, 10));
	cr_assert(pattern_holds(buf + 6000, 6000, 4000));
	dev_close(win);
}

Test(window, over_a_reader_is_a_reader)
{
	struct watch *w = watch_open(pattern_dev());
	struct dev *win;

	w->dev.writable = false;
	w->dev.sector_bytes = 4096;
	cr_assert_eq(dev_open_window(&w->dev, 4096, 4096, &win), 0);
	cr_assert_not(win->writable);
	cr_assert_eq(win->sector_bytes, 4096);
	cr_assert_eq(dev_write(win, 0, buf, 1), -EROFS);
	dev_close(win);
}

Test(window, passes_errors_on_and_reports_them_once)
{
	struct watch *w = watch_open(pattern_dev());
	struct dev *win, *inner;

	w->bad_read_start = 5000;
	w->bad_read_end = 5001;
	cr_assert_eq(dev_open_window(&w->dev, 1000, 0, &win), 0);
	cr_assert_eq(dev_open_window(win, 1000, 0, &inner), 0);
	cr_assert_eq(dev_read(inner, 2999, buf, 1), 0);
	cr_assert_eq(dev_read(inner, 3000, buf, 1), -EIO);
	assert_said(&said, "bad sector");
	dev_close(inner);
}
