/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers as text; see format.h.
 */
#include "cmd/format.h"
#include "libxfsfmt/time.h"

enum { NSEC_PER_SEC = 1000000000, SEC_PER_DAY = 86400 };

static const char digits_lower[] = "0123456789abcdef";

/* The digits of 00 to 99: two at a time halves the divisions. */
static const char pairs[] =
	"0001020304050607080910111213141516171819"
	"2021222324252627282930313233343536373839"
	"4041424344454647484950515253545556575859"
	"6061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static char *put_pair(char *p, uint64_t v)
{
	memcpy(p, pairs + 2 * v, 2);
	return p + 2;
}

/* Decimal digits of @v, at least 1. */
static unsigned int digits_of(uint64_t v)
{
	static const uint64_t powers[] = {
		0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
		1000000000, 10000000000, 100000000000, 1000000000000,
		10000000000000, 100000000000000, 1000000000000000,
		10000000000000000, 100000000000000000, 1000000000000000000,
		10000000000000000000u,
	};
	/* 1233/4096 is a little more than log10(2) */
	unsigned int n = (64 - (unsigned int)__builtin_clzll(v | 1)) * 1233 >>
			 12;

	return n + (n < 20 && v >= powers[n]);
}

char *format_uint(char *p, uint64_t v)
{
	char *end, *q;

	if (v < 10) {
		*p = (char)('0' + v);
		return p + 1;
	}
	end = p + digits_of(v);
	for (q = end; v >= 100; v /= 100) {
		q -= 2;
		put_pair(q, v % 100);
	}
	if (v >= 10)
		put_pair(q - 2, v);
	else
		q[-1] = (char)('0' + v);
	return end;
}

char *format_sint(char *p, int64_t v)
{
	if (v >= 0)
		return format_uint(p, (uint64_t)v);
	*p++ = '-';
	return format_uint(p, -(uint64_t)v);
}

char *format_hex(char *p, uint64_t v, unsigned int digits)
{
	unsigned int n = v ? (67 - (unsigned int)__builtin_clzll(v)) / 4 : 1;
	char *end;

	if (n < digits)
		n = digits > 16 ? 16 : digits;
	*p++ = '0';
	*p++ = 'x';
	end = p + n;
	for (p = end; n; n--, v >>= 4)
		*--p = digits_lower[v & 15];
	return end;
}

char *format_octal(char *p, uint64_t v)
{
	unsigned int n = 0;
	char *end;

	while (n < 22 && v >> 3 * n)
		n++;
	*p++ = '0';
	end = p + n;
	for (p = end; n; n--, v >>= 3)
		*--p = (char)('0' + (v & 7));
	return end;
}

char *format_lsn(char *p, uint64_t lsn)
{
	if (lsn == UINT64_MAX) {
		memcpy(p, "none", 4);
		return p + 4;
	}
	p = format_uint(p, lsn >> 32);
	*p++ = ':';
	return format_uint(p, (uint32_t)lsn);
}

char *format_byte(char *p, uint8_t b)
{
	p[0] = digits_lower[b >> 4];
	p[1] = digits_lower[b & 15];
	return p + 2;
}

char *format_uuid(char *p, const uint8_t uuid[16])
{
	for (unsigned int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p = format_byte(p, uuid[i]);
	}
	return p;
}

char *format_size(char *p, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	unsigned int shift = 10, unit = 0;
	uint64_t tenth;

	if (bytes < 1024) {
		p = format_uint(p, bytes);
		memcpy(p, " B", 2);
		return p + 2;
	}
	while (shift < 60 && bytes >> shift >= 1024) {
		shift += 10;
		unit++;
	}
	p = format_uint(p, bytes >> shift);
	/* cut, not rounded: 1023.99 KiB never shows as 1024 KiB */
	tenth = (bytes >> (shift - 10) & 1023) * 10 >> 10;
	if (tenth) {
		*p++ = '.';
		*p++ = (char)('0' + tenth);
	}
	*p++ = ' ';
	*p++ = units[unit];
	memcpy(p, "iB", 2);
	return p + 2;
}

/* --- times --- */

static char *nine_digits(char *p, uint32_t nsec)
{
	*p = (char)('0' + nsec / 100000000);
	nsec %= 100000000;
	put_pair(p + 1, nsec / 1000000);
	nsec %= 1000000;
	put_pair(p + 3, nsec / 10000);
	nsec %= 10000;
	put_pair(p + 5, nsec / 100);
	put_pair(p + 7, nsec % 100);
	return p + 9;
}

static char *seconds(char *p, int64_t sec, uint32_t nsec)
{
	if (nsec >= NSEC_PER_SEC) {	/* damaged: show what is there */
		p = format_sint(p, sec);
		*p++ = '+';
		p = format_uint(p, nsec);
		memcpy(p, "ns", 2);
		return p + 2;
	}
	if (sec < 0 && nsec) {		/* -1 s + 0.25 s is -0.75 */
		sec++;
		nsec = NSEC_PER_SEC - nsec;
		if (!sec)
			*p++ = '-';
	}
	p = format_sint(p, sec);
	*p++ = '.';
	return nine_digits(p, nsec);
}

/* False if the year has not four digits. */
static bool set_day(struct format_day *d, int64_t day)
{
	struct xfs_date date = xfs_date_from(day * SEC_PER_DAY);
	char *p = d->text;

	d->valid = date.year >= 0 && date.year <= 9999;
	if (!d->valid)
		return false;
	d->day = day;
	p = put_pair(p, (uint64_t)date.year / 100);
	p = put_pair(p, (uint64_t)date.year % 100);
	*p++ = '-';
	p = put_pair(p, date.month);
	*p++ = '-';
	p = put_pair(p, date.day);
	*p = 'T';
	return true;
}

char *format_time(char *p, int64_t sec, uint32_t nsec, bool epoch,
		  struct format_day *d)
{
	int64_t day = sec / SEC_PER_DAY - (sec % SEC_PER_DAY < 0);
	uint32_t rest = (uint32_t)(sec - day * SEC_PER_DAY);

	if (epoch || nsec >= NSEC_PER_SEC ||
	    ((!d->valid || d->day != day) && !set_day(d, day)))
		return seconds(p, sec, nsec);
	memcpy(p, d->text, sizeof(d->text));
	p = put_pair(p + sizeof(d->text), rest / 3600);
	*p++ = ':';
	p = put_pair(p, rest / 60 % 60);
	*p++ = ':';
	p = put_pair(p, rest % 60);
	*p++ = '.';
	p = nine_digits(p, nsec);
	*p++ = 'Z';
	return p;
}
