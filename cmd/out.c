/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffered output: the buffer and the number formats. See out.h.
 */
#include <errno.h>
#include <unistd.h>

#include "cmd/out.h"
#include "libxfsfmt/time.h"

enum { NSEC_PER_SEC = 1000000000 };

static const char digits_lower[] = "0123456789abcdef";

void out_init(struct out *o, int fd)
{
	o->fd = fd;
	o->error = 0;
	o->used = 0;
	o->flushed = 0;
	o->line = 0;
}

void out_flush(struct out *o)
{
	size_t done = 0;

	while (done < o->used && !o->error) {
		ssize_t n = write(o->fd, o->buf + done, o->used - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EINTR)
			o->error = errno;
	}
	o->flushed += o->used;
	o->used = 0;
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

/* Digits of @v ending before @end; returns where they start. */
static char *decimal(char *end, uint64_t v)
{
	do
		*--end = (char)('0' + v % 10);
	while (v /= 10);
	return end;
}

void out_uint(struct out *o, uint64_t v)
{
	char buf[20], *end = buf + sizeof(buf), *p = decimal(end, v);
	size_t n = (size_t)(end - p);

	memcpy(out_room(o, n), p, n);
	o->used += n;
}

void out_sint(struct out *o, int64_t v)
{
	if (v < 0)
		out_char(o, '-');
	out_uint(o, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void out_uint_right(struct out *o, uint64_t v, unsigned int width)
{
	char buf[20], *end = buf + sizeof(buf), *p = decimal(end, v);
	size_t n = (size_t)(end - p);

	if (n < width)
		out_pad(o, 0, width - (unsigned int)n);
	out_bytes(o, p, n);
}

void out_hex(struct out *o, uint64_t v, unsigned int digits)
{
	char *p = out_room(o, 18);
	unsigned int n = v ? (67 - (unsigned int)__builtin_clzll(v)) / 4 : 1;

	if (n < digits)
		n = digits > 16 ? 16 : digits;
	*p++ = '0';
	*p++ = 'x';
	o->used += 2 + n;
	for (p += n; n; n--, v >>= 4)
		*--p = digits_lower[v & 15];
}

void out_octal(struct out *o, uint64_t v)
{
	char buf[24], *end = buf + sizeof(buf), *p = end;

	for (; v; v >>= 3)
		*--p = (char)('0' + (v & 7));
	*--p = '0';
	out_bytes(o, p, (size_t)(end - p));
}

void out_hex_bytes(struct out *o, const void *p, size_t len_bytes)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len_bytes; i++) {
		out_char(o, digits_lower[b[i] >> 4]);
		out_char(o, digits_lower[b[i] & 15]);
	}
}

void out_lsn(struct out *o, uint64_t lsn)
{
	if (lsn == UINT64_MAX) {
		out_str(o, "none");
		return;
	}
	out_uint(o, lsn >> 32);
	out_char(o, ':');
	out_uint(o, (uint32_t)lsn);
}

void out_uuid(struct out *o, const uint8_t uuid[16])
{
	for (unsigned int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out_char(o, '-');
		out_hex_bytes(o, uuid + i, 1);
	}
}

void out_size(struct out *o, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB",
					     "PiB", "EiB" };
	unsigned int shift = 10, unit = 0;
	uint64_t whole, tenth;

	if (bytes < 1024) {
		out_uint(o, bytes);
		out_str(o, " B");
		return;
	}
	while (shift < 60 && bytes >> shift >= 1024) {
		shift += 10;
		unit++;
	}
	whole = bytes >> shift;
	/* cut, not rounded: 1023.99 KiB never shows as 1024 KiB */
	tenth = (bytes >> (shift - 10) & 1023) * 10 >> 10;
	out_uint(o, whole);
	if (tenth) {
		out_char(o, '.');
		out_uint(o, tenth);
	}
	out_char(o, ' ');
	out_str(o, units[unit]);
}

void out_percent(struct out *o, uint64_t part, uint64_t whole,
		 unsigned int decimals)
{
	uint64_t scale = decimals == 2 ? 100 : 10;
	/* counts and bytes of a log: far below 2^64 / 10000 */
	uint64_t v = whole ? part * 100 * scale / whole : 0;

	out_uint(o, v / scale);
	out_char(o, '.');
	if (decimals == 2)
		out_char(o, (char)('0' + v % 100 / 10));
	out_char(o, (char)('0' + v % 10));
}

static char *two(char *p, unsigned int v)
{
	*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

static char *nine(char *p, uint32_t nsec)
{
	for (int i = 8; i >= 0; i--, nsec /= 10)
		p[i] = (char)('0' + nsec % 10);
	return p + 9;
}

static void seconds(struct out *o, int64_t sec, uint32_t nsec)
{
	if (nsec >= NSEC_PER_SEC) {	/* damaged: show what is there */
		out_sint(o, sec);
		out_str(o, "+");
		out_uint(o, nsec);
		out_str(o, "ns");
		return;
	}
	if (sec < 0 && nsec) {		/* -1 s + 0.25 s is -0.75 */
		sec++;
		nsec = NSEC_PER_SEC - nsec;
		if (!sec)
			out_char(o, '-');
	}
	out_sint(o, sec);
	out_char(o, '.');
	nine(out_room(o, 9), nsec);
	o->used += 9;
}

void out_time(struct out *o, int64_t sec, uint32_t nsec, bool epoch)
{
	struct xfs_date d = xfs_date_from(sec);
	char *p;

	if (epoch || d.year < 0 || d.year > 9999 || nsec >= NSEC_PER_SEC) {
		seconds(o, sec, nsec);
		return;
	}
	p = out_room(o, 30);
	p = two(p, (unsigned int)d.year / 100);
	p = two(p, (unsigned int)d.year);
	*p++ = '-';
	p = two(p, d.month);
	*p++ = '-';
	p = two(p, d.day);
	*p++ = 'T';
	p = two(p, d.hour);
	*p++ = ':';
	p = two(p, d.minute);
	*p++ = ':';
	p = two(p, d.second);
	*p++ = '.';
	p = nine(p, nsec);
	*p = 'Z';
	o->used += 30;
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
