/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers, times and identifiers as text. Every function writes to @p, where
 * there are FORMAT_BYTES, and returns the place behind what it wrote; none
 * writes a zero byte. A log has millions of fields: this is the innermost
 * loop of the program.
 */
#ifndef CMD_FORMAT_H
#define CMD_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FORMAT_BYTES = 64 };

/* Remembers the last date: most times in a log are of one day. */
struct format_day {
	int64_t		day;		/* since 1970 */
	char		text[11];	/* "2026-11-21T" */
	bool		valid;
};

char *format_uint(char *p, uint64_t v);
char *format_sint(char *p, int64_t v);
/* "0x1f"; with leading zeros to at least @digits digits. */
char *format_hex(char *p, uint64_t v, unsigned int digits);
/* "0644": a leading zero, and octal digits. */
char *format_octal(char *p, uint64_t v);
/* "3:128", or "none" for the null LSN. */
char *format_lsn(char *p, uint64_t lsn);
char *format_uuid(char *p, const uint8_t uuid[16]);
/* The two hexadecimal digits of @b. */
char *format_byte(char *p, uint8_t b);
/* "17.5 KiB", "128 B" */
char *format_size(char *p, uint64_t bytes);
/*
 * A time: "2026-11-21T06:38:14.123456789Z", or "1763707094.123456789" if
 * @epoch. Years outside 0..9999 are always shown as seconds.
 */
char *format_time(char *p, int64_t sec, uint32_t nsec, bool epoch,
		  struct format_day *day);

#endif
