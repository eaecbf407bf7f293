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

#include "cmd/format.h"

enum { OUT_BUFFER_BYTES = 1 << 18 };

/* Output that stays in memory, see out_into(). */
struct out_memory {
	char	*data;		/* owned by whoever made it; free() */
	size_t	used, room;
};

struct out {
	int	fd;
	struct out_memory *memory;	/* where it goes instead, or NULL */
	int	error;		/* errno of the first failed write, or 0 */
	size_t	used;
	uint64_t flushed;	/* bytes that left the buffer */
	uint64_t line;		/* position of the first byte of this line */
	struct format_day day;
	char	buf[OUT_BUFFER_BYTES];
};

/* Output to @fd, which out_close() closes. */
void out_init(struct out *o, int fd);

/* Begin anew, with output that out_flush() appends to @memory. */
void out_into(struct out *o, struct out_memory *memory);

/* Write what is buffered. */
void out_flush(struct out *o);

/* Flush and close. Returns 0 or the negative errno of the first failure. */
int out_close(struct out *o);

void out_bytes(struct out *o, const void *p, size_t len_bytes);

/* The same for whole lines, many of them: they are not copied. */
void out_lines(struct out *o, const void *p, size_t len_bytes);

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
	size_t n = strlen(s);

	if (n > OUT_BUFFER_BYTES / 2) {
		out_bytes(o, s, n);
		return;
	}
	/* of a constant, this is a few stores */
	memcpy(out_room(o, n), s, n);
	o->used += n;
}

void out_newline(struct out *o);

/* Column of the next byte, 0 first. */
static inline unsigned int out_column(const struct out *o)
{
	return (unsigned int)(o->flushed + o->used - o->line);
}

/* Spaces up to @column, at least @least. */
void out_pad(struct out *o, unsigned int column, unsigned int least);

/* Behind a formatter that wrote to out_room(o, FORMAT_BYTES). */
static inline void out_end(struct out *o, const char *end)
{
	o->used = (size_t)(end - o->buf);
}

static inline void out_uint(struct out *o, uint64_t v)
{
	out_end(o, format_uint(out_room(o, FORMAT_BYTES), v));
}

/* Decimal, to the right of @width columns. */
void out_uint_right(struct out *o, uint64_t v, unsigned int width);

/* "0x1f"; @digits: with leading zeros to at least that many. */
static inline void out_hex(struct out *o, uint64_t v, unsigned int digits)
{
	out_end(o, format_hex(out_room(o, FORMAT_BYTES), v, digits));
}

/* @len_bytes bytes as hexadecimal digits. */
void out_hex_bytes(struct out *o, const void *p, size_t len_bytes);

static inline void out_lsn(struct out *o, uint64_t lsn)
{
	out_end(o, format_lsn(out_room(o, FORMAT_BYTES), lsn));
}

static inline void out_uuid(struct out *o, const uint8_t uuid[16])
{
	out_end(o, format_uuid(out_room(o, FORMAT_BYTES), uuid));
}

/* "17.5 KiB", "128 B" */
static inline void out_size(struct out *o, uint64_t bytes)
{
	out_end(o, format_size(out_room(o, FORMAT_BYTES), bytes));
}

/* See format_time(). */
static inline void out_time(struct out *o, int64_t sec, uint32_t nsec,
			    bool epoch)
{
	out_end(o, format_time(out_room(o, FORMAT_BYTES), sec, nsec, epoch,
			       &o->day));
}

/* "59.54": @part of @whole in percent, with @decimals 1 or 2. */
void out_percent(struct out *o, uint64_t part, uint64_t whole,
		 unsigned int decimals);
void out_base64(struct out *o, const void *p, size_t len_bytes);

#endif
