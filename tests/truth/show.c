/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values as lines of text; see show.h. The C library's calendar is used on
 * purpose: that of libxfsfmt is what is being compared.
 */
#include "tests/truth/show.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "libxfsfmt/dquot.h"
#include "libxfsfmt/time.h"

static void show_enter(void *ctx, const char *name, long index)
{
	struct show *s = ctx;
	size_t len = strlen(s->path);
	int n;

	assert(s->depth < SHOW_DEPTH);
	s->len[s->depth++] = len;
	if (index < 0)
		n = snprintf(s->path + len, SHOW_PATH - len, "%s.", name);
	else
		n = snprintf(s->path + len, SHOW_PATH - len, "%s[%ld].", name,
			     index);
	assert(n > 0 && (size_t)n < SHOW_PATH - len);
}

static void show_leave(void *ctx)
{
	struct show *s = ctx;

	assert(s->depth > 0);
	s->path[s->len[--s->depth]] = '\0';
}

/* Checksums are little-endian; xfs_db shows their bytes in the order on disk. */
static void spell_swapped(uint32_t v)
{
	printf("\t0x%" PRIx32, __builtin_bswap32(v));
}

/* The ways to write @v, which has @bits bits. */
static void spell(uint64_t v, unsigned int bits, enum xfs_field_kind kind)
{
	uint64_t ones = bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX;

	printf("\t%" PRIu64 "\t0x%" PRIx64, v, v);
	if (kind == XFS_KIND_OCTAL)
		printf("\t0%" PRIo64, v);
	if (bits > 1 && v == ones)
		printf("\tnull");
	if (bits > 1 && v >> (bits - 1))
		printf("\t%" PRId64, (int64_t)(v | ~ones));
}

static void spell_date(int64_t sec)
{
	time_t t = (time_t)sec;
	char text[32];

	if (ctime_r(&t, text))
		printf("\t%.24s", text);
}

static void show_value(void *ctx, const char *name, enum xfs_field_kind kind,
		       uint64_t value)
{
	struct show *s = ctx;

	printf("?%s%s", s->path, name);
	spell(value, 64, kind);
	putchar('\n');
}

static void spell_uuid(const uint8_t *p)
{
	putchar('\t');
	for (int i = 0; i < 16; i++)
		printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ?
		       "-" : "", p[i]);
}

/* As xfs_db does, which has letters of its own for characters 7 to 13. */
static void spell_char(uint8_t c)
{
	if (c >= '\a' && c <= '\r')
		printf("\\%c", 'a' + (c - '\a'));
	else if (c == '"' || c == '\\' || c == '\'' || c == '?')
		printf("\\%c", c);
	else if (c < 0x80 && isprint(c))
		putchar(c);
	else
		printf("\\%03o", c);
}

static void spell_chars(const uint8_t *p, size_t len_bytes)
{
	printf("\t\"");
	for (size_t i = 0; i < len_bytes; i++)
		spell_char(p[i]);
	putchar('"');
}

static void spell_bytes(enum xfs_field_kind kind, const uint8_t *p,
			size_t len_bytes)
{
	if (kind == XFS_KIND_UUID && len_bytes == 16) {
		spell_uuid(p);
		return;
	}
	spell_chars(p, len_bytes);
	putchar('\t');
	for (size_t i = 0; i < len_bytes; i++)
		printf("%02x", p[i]);
}

static void show_bytes(void *ctx, const char *name, enum xfs_field_kind kind,
		       const void *data, size_t len_bytes)
{
	struct show *s = ctx;

	/* of no bytes the length, a field of its own, says all */
	printf("%s%s%s", len_bytes ? "" : "?", s->path, name);
	spell_bytes(kind, data, len_bytes);
	putchar('\n');
}

static void show_time(const struct show *s, const struct xfs_field *f,
		      const void *base, enum xfs_order order)
{
	struct xfs_time t;

	if (!xfs_time_field(&t, f, base, order))
		assert(!"a field of time has a time");
	printf("%s%s.sec\t%" PRId64, s->path, f->name, t.sec);
	spell_date(t.sec);
	printf("\n%s%s.nsec\t%" PRIu32 "\n", s->path, f->name, t.nsec);
}

/* The timer of a quota record; its unit is told by the record's own type. */
static void spell_timer(uint32_t v, const void *base)
{
	const uint8_t *type = (const uint8_t *)base + 3;

	if (v)
		spell_date((int64_t)xfs_time_dqtimer(v, *type &
						     XFS_DQTYPE_BIGTIME));
}

static void show_flags(const struct show *s, const struct xfs_field *f,
		       uint64_t v)
{
	for (const struct xfs_name *n = f->names; n && n->name; n++) {
		printf("?%s%s.%s\t%d\n", s->path, f->name, n->name,
		       (v & n->value) != 0);
		v &= ~n->value;
	}
	if (v)
		printf("%s%s.unnamed\t0x%" PRIx64 "\n", s->path, f->name, v);
}

static unsigned int element_bits(const struct xfs_field *f)
{
	return f->type == XFS_TYPE_bits ? f->bit_count :
	       8 * (unsigned int)xfs_field_width(f);
}

static void show_field(void *ctx, const struct xfs_field *f, const void *base,
		       enum xfs_order order)
{
	const struct show *s = ctx;
	enum xfs_field_kind kind = (enum xfs_field_kind)f->kind;

	if (kind == XFS_KIND_TIME || kind == XFS_KIND_BIGTIME) {
		show_time(s, f, base, order);
		return;
	}
	if (f->type == XFS_TYPE_bytes) {
		show_bytes(ctx, f->name, kind,
			   (const uint8_t *)base + f->off_bytes, f->count);
		return;
	}
	for (unsigned int i = 0; i < f->count; i++) {
		uint64_t v = xfs_field_value(f, base, i, order);

		printf("%s%s", s->path, f->name);
		if (f->count > 1)
			printf("[%u]", i);
		spell(v, element_bits(f), kind);
		if (f->type == XFS_TYPE_le32)
			spell_swapped((uint32_t)v);
		if (kind == XFS_KIND_DQTIME || kind == XFS_KIND_DQBIGTIME)
			spell_timer((uint32_t)v, base);
		putchar('\n');
		if (kind == XFS_KIND_FLAGS)
			show_flags(s, f, v);
	}
}

const struct xfs_walk_ops show_ops = {
	.enter = show_enter,
	.leave = show_leave,
	.field = show_field,
	.value = show_value,
	.bytes = show_bytes,
};
