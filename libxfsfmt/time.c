/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time stamps to seconds and nanoseconds, and seconds to a date. The calendar
 * is computed from years that begin on the first of March: the leap day is
 * then the last day of its year and needs no case of its own.
 */
#include "libxfsfmt/time.h"

#define NSEC_PER_SEC	1000000000u
#define SEC_PER_DAY	86400

/* The first second of bigtime: the smallest signed 32-bit number. */
#define BIGTIME_EPOCH	INT64_C(-2147483648)

enum {
	DAYS_4_YEARS = 4 * 365 + 1,
	DAYS_100_YEARS = 25 * DAYS_4_YEARS - 1,
	DAYS_400_YEARS = 4 * DAYS_100_YEARS + 1,
	/* from 0000-03-01 to 1970-01-01 */
	DAYS_TO_1970 = 719468,
};

struct xfs_time xfs_time_legacy(const void *p, enum xfs_order order)
{
	uint32_t sec = get_w32(p, order);
	struct xfs_time t;

	t.sec = sec < 0x80000000u ? (int64_t)sec :
				    (int64_t)sec - (INT64_C(1) << 32);
	t.nsec = get_w32((const uint8_t *)p + 4, order);
	return t;
}

struct xfs_time xfs_time_bigtime(uint64_t value)
{
	struct xfs_time t;

	t.sec = (int64_t)(value / NSEC_PER_SEC) + BIGTIME_EPOCH;
	t.nsec = (uint32_t)(value % NSEC_PER_SEC);
	return t;
}

uint64_t xfs_time_value(const struct xfs_time *t, bool bigtime)
{
	/* Both begin at the same second. The last of bigtime is not whole. */
	int64_t last = bigtime ? (int64_t)(UINT64_MAX / NSEC_PER_SEC) - 1 +
				 BIGTIME_EPOCH : INT32_MAX;
	struct xfs_time at = *t;

	if (at.sec < BIGTIME_EPOCH)
		at = (struct xfs_time){ .sec = BIGTIME_EPOCH };
	else if (at.sec > last)
		at = (struct xfs_time){ .sec = last, .nsec = NSEC_PER_SEC - 1 };
	if (bigtime)
		return (uint64_t)(at.sec - BIGTIME_EPOCH) * NSEC_PER_SEC +
		       at.nsec;
	return (uint64_t)(uint32_t)at.sec << 32 | at.nsec;
}

uint64_t xfs_time_dqtimer(uint32_t value, bool bigtime)
{
	return bigtime ? (uint64_t)value << XFS_DQ_BIGTIME_SHIFT : value;
}

bool xfs_time_field(struct xfs_time *t, const struct xfs_field *f,
		    const void *base, enum xfs_order order)
{
	if (f->kind == XFS_KIND_TIME)
		*t = xfs_time_legacy((const uint8_t *)base + f->off_bytes,
				     order);
	else if (f->kind == XFS_KIND_BIGTIME)
		*t = xfs_time_bigtime(xfs_field_value(f, base, 0, order));
	else
		return false;
	return true;
}

/* Quotient and remainder as of real numbers: the remainder is never negative. */
static int64_t floor_div(int64_t n, int64_t by, int64_t *rest)
{
	int64_t q = n / by;

	*rest = n % by;
	if (*rest < 0) {
		*rest += by;
		q--;
	}
	return q;
}

/* The last part of a cycle is longer than the others by a day. */
static int64_t part_of(int64_t *days, int64_t part_days, int64_t parts)
{
	int64_t n = *days / part_days;

	if (n == parts)
		n = parts - 1;
	*days -= n * part_days;
	return n;
}

struct xfs_date xfs_date_from(int64_t sec)
{
	int64_t days, of_day, year, month;
	struct xfs_date d;

	days = floor_div(sec, SEC_PER_DAY, &of_day) + DAYS_TO_1970;
	year = 400 * floor_div(days, DAYS_400_YEARS, &days);
	year += 100 * part_of(&days, DAYS_100_YEARS, 4);
	year += 4 * (days / DAYS_4_YEARS);
	days %= DAYS_4_YEARS;
	year += part_of(&days, 365, 4);
	/* March to July is 31 30 31 30 31 days, 153, and so on from August. */
	month = (5 * days + 2) / 153;
	d.day = (uint8_t)(days - (153 * month + 2) / 5 + 1);
	d.month = (uint8_t)(month < 10 ? month + 3 : month - 9);
	d.year = year + (month >= 10);
	d.hour = (uint8_t)(of_day / 3600);
	d.minute = (uint8_t)(of_day / 60 % 60);
	d.second = (uint8_t)(of_day % 60);
	return d;
}

/* At least @width digits of @v. Returns the place behind them. */
static char *put_digits(char *p, uint64_t v, int width)
{
	char digits[20];
	int n = 0;

	while (v || n < width) {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	}
	while (n)
		*p++ = digits[--n];
	return p;
}

size_t xfs_time_text(char text[XFS_TIME_CHARS], const struct xfs_time *t)
{
	struct xfs_date d = xfs_date_from(t->sec);
	char *p = text;

	if (d.year < 0)
		*p++ = '-';
	p = put_digits(p, (uint64_t)(d.year < 0 ? -d.year : d.year), 4);
	*p++ = '-';
	p = put_digits(p, d.month, 2);
	*p++ = '-';
	p = put_digits(p, d.day, 2);
	*p++ = 'T';
	p = put_digits(p, d.hour, 2);
	*p++ = ':';
	p = put_digits(p, d.minute, 2);
	*p++ = ':';
	p = put_digits(p, d.second, 2);
	*p++ = '.';
	p = put_digits(p, t->nsec, 9);
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - text);
}
