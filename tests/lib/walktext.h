/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A receiver of walks that writes them down on one line, for tests that
 * compare all that a walk shows: a=1 b=0x2 list[0]{c=x|y} list[1]{...}.
 * Numbers by their kind as a reader would want them, padding only if it is
 * not zero, strings of bytes in hex and those of characters as they are.
 */
#ifndef TESTS_LIB_WALKTEXT_H
#define TESTS_LIB_WALKTEXT_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libxfsfmt/walk.h"

struct walktext {
	char	text[16384];
	size_t	len;
	int	depth;		/* groups open; 0 when the walk is over */
};

__attribute__((unused, format(printf, 2, 3)))
static void walktext_put(struct walktext *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->text + t->len, sizeof(t->text) - t->len, fmt, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n;
	if (t->len >= sizeof(t->text))
		t->len = sizeof(t->text) - 1;
}

static void walktext_gap(struct walktext *t)
{
	if (t->len && t->text[t->len - 1] != '{')
		walktext_put(t, " ");
}

static void walktext_enter(void *ctx, const char *name, long index)
{
	struct walktext *t = ctx;

	walktext_gap(t);
	if (index < 0)
		walktext_put(t, "%s{", name);
	else
		walktext_put(t, "%s[%ld]{", name, index);
	t->depth++;
}

static void walktext_leave(void *ctx)
{
	struct walktext *t = ctx;

	walktext_put(t, "}");
	t->depth--;
}

static void walktext_flags(struct walktext *t, const struct xfs_name *names,
			   uint64_t v)
{
	const char *bar = "";

	for (; names && names->name; names++) {
		if (!names->value || (v & names->value) != names->value)
			continue;
		walktext_put(t, "%s%s", bar, names->name);
		v &= ~names->value;
		bar = "|";
	}
	if (v || !*bar)
		walktext_put(t, "%s0x%" PRIx64, bar, v);
}

static void walktext_number(struct walktext *t, enum xfs_field_kind kind,
			    const struct xfs_name *names, uint64_t v)
{
	const char *name = xfs_name_of(names, v);

	switch (kind) {
	case XFS_KIND_ENUM:
		if (name)
			walktext_put(t, "%s", name);
		else
			walktext_put(t, "%" PRIu64, v);
		break;
	case XFS_KIND_FLAGS:
		walktext_flags(t, names, v);
		break;
	case XFS_KIND_HEX:
	case XFS_KIND_MAGIC:
	case XFS_KIND_CRC:
	case XFS_KIND_PAD:
		walktext_put(t, "0x%" PRIx64, v);
		break;
	case XFS_KIND_OCTAL:
		walktext_put(t, "0%" PRIo64, v);
		break;
	default:
		walktext_put(t, "%" PRIu64, v);
		break;
	}
}

static void walktext_bytes(void *ctx, const char *name,
			   enum xfs_field_kind kind, const void *data,
			   size_t len_bytes)
{
	struct walktext *t = ctx;
	const uint8_t *p = data;

	walktext_gap(t);
	walktext_put(t, "%s=", name);
	for (size_t i = 0; i < len_bytes; i++)
		walktext_put(t, kind == XFS_KIND_CHARS ? "%c" : "%02x", p[i]);
}

static bool walktext_is_zero(const struct xfs_field *f, const void *base,
			     enum xfs_order order)
{
	const uint8_t *p = (const uint8_t *)base + f->off_bytes;

	if (f->type == XFS_TYPE_bytes) {
		for (unsigned int i = 0; i < f->count; i++)
			if (p[i])
				return false;
		return true;
	}
	for (unsigned int i = 0; i < f->count; i++)
		if (xfs_field_value(f, base, i, order))
			return false;
	return true;
}

static void walktext_field(void *ctx, const struct xfs_field *f,
			   const void *base, enum xfs_order order)
{
	struct walktext *t = ctx;

	if (f->kind == XFS_KIND_PAD && walktext_is_zero(f, base, order))
		return;
	if (f->type == XFS_TYPE_bytes) {
		const char *p = (const char *)base + f->off_bytes;

		walktext_bytes(t, f->name, (enum xfs_field_kind)f->kind, p,
			       f->kind == XFS_KIND_CHARS ?
			       strnlen(p, f->count) : f->count);
		return;
	}
	walktext_gap(t);
	walktext_put(t, "%s=", f->name);
	for (unsigned int i = 0; i < f->count; i++) {
		walktext_put(t, i ? "," : "");
		walktext_number(t, (enum xfs_field_kind)f->kind, f->names,
				xfs_field_value(f, base, i, order));
	}
}

static void walktext_value(void *ctx, const char *name,
			   enum xfs_field_kind kind, uint64_t value)
{
	struct walktext *t = ctx;

	walktext_gap(t);
	walktext_put(t, "%s=", name);
	walktext_number(t, kind, NULL, value);
}

static const struct xfs_walk_ops walktext_ops __attribute__((unused)) = {
	.enter = walktext_enter,
	.leave = walktext_leave,
	.field = walktext_field,
	.value = walktext_value,
	.bytes = walktext_bytes,
};

#endif
