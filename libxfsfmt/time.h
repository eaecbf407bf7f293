/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time stamps. Three encodings exist on disk: two signed 32-bit words (seconds
 * and nanoseconds since 1970), the "bigtime" count of nanoseconds since the
 * earliest second the first can express, and the 32-bit quota timers. All
 * become one host form here, and that becomes a calendar date by arithmetic
 * alone: no C library function knows a time zone where this file is used.
 *
 * Source of the encodings: Linux fs/xfs/libxfs/xfs_format.h.
 */
#ifndef LIBXFSFMT_TIME_H
#define LIBXFSFMT_TIME_H

#include "libxfsfmt/field.h"

struct xfs_time {
	int64_t		sec;	/* since 1970-01-01T00:00:00Z */
	uint32_t	nsec;	/* as stored: 10^9 or more is damage */
};

/* Proleptic Gregorian calendar, UTC, no leap seconds. */
struct xfs_date {
	int64_t		year;
	uint8_t		month;	/* 1..12 */
	uint8_t		day;	/* 1..31 */
	uint8_t		hour, minute, second;
};

enum {
	/* "-YYYYYYYYYYYY-MM-DDThh:mm:ss.nnnnnnnnnnZ" and the zero */
	XFS_TIME_CHARS = 48,
	XFS_DQ_BIGTIME_SHIFT = 2,
};

/* Seconds then nanoseconds, each 32 bits in @order, from the 8 bytes at @p. */
struct xfs_time xfs_time_legacy(const void *p, enum xfs_order order);

/* From the value of a bigtime field: nanoseconds since 1901-12-13T20:45:52Z. */
struct xfs_time xfs_time_bigtime(uint64_t value);

/*
 * The value of an inode's time stamp, as its row is encoded: bigtime, or
 * seconds above nanoseconds. A time that it cannot hold becomes the nearest it
 * can. Needs @t->nsec < 10^9.
 */
uint64_t xfs_time_value(const struct xfs_time *t, bool bigtime);

/* When quota timer @value ends, in seconds since 1970; 0: not running. */
uint64_t xfs_time_dqtimer(uint32_t value, bool bigtime);

/*
 * The time field @f (kind TIME or BIGTIME) of the structure at @base. False
 * if @f is of another kind; *@t is then untouched.
 */
bool xfs_time_field(struct xfs_time *t, const struct xfs_field *f,
		    const void *base, enum xfs_order order);

/* The date @sec seconds after 1970-01-01T00:00:00Z; any value is fine. */
struct xfs_date xfs_date_from(int64_t sec);

/*
 * Write @t as in 2026-11-21T06:38:14.123456789Z, ended by a zero byte.
 * Returns the characters before that.
 */
size_t xfs_time_text(char text[XFS_TIME_CHARS], const struct xfs_time *t);

#endif
