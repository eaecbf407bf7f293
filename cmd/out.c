/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffered output: the buffer and the number formats. See out.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/out.h"

void out_init(struct out *o, int fd)
{
	o->fd = fd;
	o->memory = NULL;
	o->error = 0;
	o->used = 0;
	o->flushed = 0;
	o->line = 0;
	o->day.valid = false;
}

void out_into(struct out *o, struct out_memory *memory)
{
	out_init(o, -1);
	o->memory = memory;
}

static void append(struct out *o, const char *p, size_t n)
{
	struct out_memory *m = o->memory;

	if (m->room - m->used < n) {
		size_t room = 2 * (m->room + n);
		char *data = realloc(m->data, room);

		if (!data) {
			o->error = ENOMEM;
			return;
		}
		m->data = data;
		m->room = room;
	}
	memcpy(m->data + m->used, p, n);
	m->used += n;
}

static void write_all(struct out *o, const char *p, size_t n)
{
	while (n && !o->error) {
		ssize_t done = write(o->fd, p, n);

		if (done > 0) {
			p += done;
			n -= (size_t)done;
		} else if (done < 0 && errno != EINTR) {
			o->error = errno;
		}
	}
}

void out_flush(struct out *o)
{
	if (!o->used)
		return;
	if (o->memory)
		append(o, o->buf, o->used);
	else
		write_all(o, o->buf, o->used);
	o->flushed += o->used;
	o->used = 0;
}

void out_lines(struct out *o, const void *p, size_t len_bytes)
{
	if (!len_bytes)
		return;
	if (o->memory || len_bytes < OUT_BUFFER_BYTES / 4) {
		out_bytes(o, p, len_bytes);
	} else {
		out_flush(o);
		write_all(o, p, len_bytes);
		o->flushed += len_bytes;
	}
	o->line = o->flushed + o->used;
}

int out_close(struct out *o)
{
	out_flush(o);
	if (close(o->fd) && !o->error)
		o->error = errno;
	return -o->error;
}

void out_bytes(struct out *o, const void *p, size_t len_bytes)
{
	const char *from = p;

	while (len_bytes > OUT_BUFFER_BYTES - o->used) {
		size_t part = OUT_BUFFER_BYTES - o->used;

		memcpy(o->buf + o->used, from, part);
		o->used += part;
		from += part;
		len_bytes -= part;
		out_flush(o);
	}
	memcpy(o->buf + o->used, from, len_bytes);
	o->used += len_bytes;
}

void out_newline(struct out *o)
{
	out_char(o, '\n');
	o->line = o->flushed + o->used;
}

void out_pad(struct out *o, unsigned int column, unsigned int least)
{
	unsigned int at = out_column(o);
	unsigned int n = column > at && column - at > least ?
			 column - at : least;

	memset(out_room(o, n), ' ', n);
	o->used += n;
}

void out_uint_right(struct out *o, uint64_t v, unsigned int width)
{
	char buf[FORMAT_BYTES];
	size_t n = (size_t)(format_uint(buf, v) - buf);

	if (n < width)
		out_pad(o, 0, width - (unsigned int)n);
	out_bytes(o, buf, n);
}

void out_hex_bytes(struct out *o, const void *p, size_t len_bytes)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len_bytes; i++)
		out_end(o, format_byte(out_room(o, 2), b[i]));
}

void out_percent(struct out *o, uint64_t part, uint64_t whole,
		 unsigned int decimals)
{
	uint64_t scale = decimals == 2 ? 100 : 10;
	/* counts and bytes of a log: far below 2^64 / 10000 */
	uint64_t v = whole ? (part * 100 * scale + whole / 2) / whole : 0;

	out_uint(o, v / scale);
	out_char(o, '.');
	if (decimals == 2)
		out_char(o, (char)('0' + v % 100 / 10));
	out_char(o, (char)('0' + v % 10));
}

void out_base64(struct out *o, const void *data, size_t len_bytes)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *b = data;

	for (size_t i = 0; i < len_bytes; i += 3) {
		size_t n = len_bytes - i;
		uint32_t v = (uint32_t)b[i] << 16;

		if (n > 1)
			v |= (uint32_t)b[i + 1] << 8;
		if (n > 2)
			v |= b[i + 2];
		out_char(o, set[v >> 18]);
		out_char(o, set[v >> 12 & 63]);
		out_char(o, n > 1 ? set[v >> 6 & 63] : '=');
		out_char(o, n > 2 ? set[v & 63] : '=');
	}
}
