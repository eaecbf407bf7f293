/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffered output. Text and JSON writers put bytes into one large buffer with
 * formatting of their own: a log holds millions of fields, and stdio costs
 * more per field than reading it does. The first write error is kept; what
 * follows is dropped, and out_close() tells.
 */
#ifndef CMD_OUT_H
#define CMD_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	OUT_BUFFER_BYTES = 1 << 18,
	OUT_SHORT_BYTES = 64,	/* room that one number takes at most */
};

struct out {
	int	fd;
	int	error;		/* errno of the first failed write, or 0 */
	size_t	used;
	uint64_t flushed;	/* bytes that left the buffer */
	uint64_t line;		/* position of the first byte of this line */
	char	buf[OUT_BUFFER_BYTES];
};

/* Output to @fd, which out_close() closes. */
void out_init(struct out *o, int fd);

/* Write what is buffered. */
void out_flush(struct out *o);

/* Flush and close. Returns 0 or the negative errno of the first failure. */
int out_close(struct out *o);

void out_bytes(struct out *o, const void *p, size_t len_bytes);

/* Make room for @n <= OUT_BUFFER_BYTES bytes; they go to the place returned. */
static inline char *out_room(struct out *o, size_t n)
{
	if (OUT_BUFFER_BYTES - o->used < n)
		out_flush(o);
	return o->buf + o->used;
}

static inline void out_char(struct out *o, char c)
{
	*out_room(o, 1) = c;
	o->used++;
}

/* A string constant or any other string. */
static inline void out_str(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

void out_newline(struct out *o);

/* Column of the next byte, 0 first. */
static inline unsigned int out_column(const struct out *o)
{
	return (unsigned int)(o->flushed + o->used - o->line);
}

/* Spaces up to @column, at least @least. */
void out_pad(struct out *o, unsigned int column, unsigned int least);

void out_uint(struct out *o, uint64_t v);
void out_sint(struct out *o, int64_t v);
/* Decimal, to the right of @width columns. */
void out_uint_right(struct out *o, uint64_t v, unsigned int width);
/* "0x1f"; @digits: with leading zeros to at least that many. */
void out_hex(struct out *o, uint64_t v, unsigned int digits);
/* "0644": a leading zero, and octal digits. */
void out_octal(struct out *o, uint64_t v);
/* @len_bytes bytes as hexadecimal digits. */
void out_hex_bytes(struct out *o, const void *p, size_t len_bytes);
/* "3:128", or "none" for the null LSN. */
void out_lsn(struct out *o, uint64_t lsn);
void out_uuid(struct out *o, const uint8_t uuid[16]);
/* "17.5 KiB", "128 B" */
void out_size(struct out *o, uint64_t bytes);
/* "59.54": @part of @whole in percent, with @decimals 1 or 2. */
void out_percent(struct out *o, uint64_t part, uint64_t whole,
		 unsigned int decimals);
/*
 * A time: "2026-11-21T06:38:14.123456789Z", or "1763707094.123456789" if
 * @epoch. Years outside 0..9999 are always shown as seconds.
 */
void out_time(struct out *o, int64_t sec, uint32_t nsec, bool epoch);
void out_base64(struct out *o, const void *p, size_t len_bytes);

#endif
