/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text; see text.h.
 */
#include "cmd/text.h"
#include "cmd/utf8.h"
#include "cmd/value.h"

enum {
	FOLD_COLUMN = 100,	/* a field that starts behind it is folded */
	INDENT_STEP = 2,
	SHOWN_BYTES = 64,	/* of raw bytes that no option asked to dump */
};

void text_init(struct text *t, struct out *out, bool colour, bool epoch)
{
	*t = (struct text){ .out = out, .colour = colour, .epoch = epoch };
}

void text_colour(struct text *t, enum text_colour colour)
{
	static const char *const codes[] = {
		[TEXT_PLAIN] = "\033[0m", [TEXT_RED] = "\033[31m",
		[TEXT_YELLOW] = "\033[33m", [TEXT_CYAN] = "\033[36m",
		[TEXT_BOLD] = "\033[1m",
	};

	if (!t->colour)
		return;
	out_str(t->out, codes[colour]);
	t->out->line += strlen(codes[colour]);
}

void text_lsn(struct text *t, uint64_t lsn)
{
	text_colour(t, TEXT_CYAN);
	out_lsn(t->out, lsn);
	text_colour(t, TEXT_PLAIN);
}

void text_flags(struct text *t, const struct xfs_name *names, uint64_t value)
{
	bool more = false;

	for (; names && names->name; names++) {
		if (!names->value || (value & names->value) != names->value)
			continue;
		value &= ~names->value;
		if (more)
			out_char(t->out, ',');
		out_str(t->out, names->name);
		more = true;
	}
	if (value) {
		if (more)
			out_char(t->out, ',');
		out_hex(t->out, value, 0);
	} else if (!more) {
		out_char(t->out, '-');
	}
}

void text_quoted(struct text *t, const void *data, size_t len_bytes)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *p = data;
	struct out *o = t->out;

	out_char(o, '"');
	for (size_t i = 0; i < len_bytes;) {
		unsigned int n = utf8_length(p + i, len_bytes - i);

		/* C1 controls are UTF-8 as well, and move cursors */
		if (n == 2 && p[i] == 0xc2 && p[i + 1] < 0xa0)
			n = 0;
		if (n > 1 || (n && p[i] >= 0x20 && p[i] < 0x7f &&
			      p[i] != '"' && p[i] != '\\')) {
			out_bytes(o, p + i, n);
			i += n;
			continue;
		}
		out_char(o, '\\');
		if (p[i] == '"' || p[i] == '\\') {
			out_char(o, (char)p[i]);
		} else {
			out_char(o, 'x');
			out_char(o, hex[p[i] >> 4]);
			out_char(o, hex[p[i] & 15]);
		}
		i++;
	}
	out_char(o, '"');
}

static void dump_hex(struct out *o, const uint8_t *p, size_t n,
		     enum xfs_order order, bool words)
{
	size_t i = 0;

	for (; words && n - i >= 4; i += 4) {
		uint8_t be[4];

		put_be32(be, get_w32(p + i, order));
		out_char(o, ' ');
		out_hex_bytes(o, be, 4);
	}
	for (; i < n; i++) {
		if (!(i & 3))
			out_char(o, ' ');
		out_hex_bytes(o, p + i, 1);
		if (!words && i % 4 != 3)
			out_char(o, ' ');
	}
}

void text_dump(struct text *t, const void *data, size_t len_bytes,
	       uint64_t first_offset, unsigned int indent,
	       enum xfs_order order, bool words)
{
	const uint8_t *p = data;
	struct out *o = t->out;

	for (size_t i = 0; i < len_bytes; i += 16) {
		size_t n = len_bytes - i < 16 ? len_bytes - i : 16;
		uint8_t offset[4];

		put_be32(offset, (uint32_t)(first_offset + i));
		out_pad(o, indent, 0);
		out_hex_bytes(o, offset + 1, 3);
		out_char(o, ' ');
		dump_hex(o, p + i, n, order, words);
		out_pad(o, indent + (words ? 44 : 59), 2);
		for (size_t k = 0; k < n; k++) {
			uint8_t c = p[i + k];

			out_char(o, c >= 0x20 && c < 0x7f ? (char)c : '.');
		}
		out_newline(o);
	}
}

/* --- the receiver --- */

void text_walk_begin(struct text *t, unsigned int indent)
{
	t->indent = indent;
	t->depth = 0;
	t->open = false;
}

static void end_line(struct text *t)
{
	if (t->open)
		out_newline(t->out);
	t->open = false;
}

void text_walk_end(struct text *t)
{
	end_line(t);
}

static unsigned int group_indent(const struct text *t)
{
	unsigned int depth = t->depth < 16 ? t->depth : 16;

	return t->indent + INDENT_STEP * depth;
}

static void receive_enter(void *ctx, const char *name, long index)
{
	struct text *t = ctx;

	end_line(t);
	out_pad(t->out, group_indent(t), 0);
	out_str(t->out, name);
	if (index >= 0) {
		out_char(t->out, '[');
		out_uint(t->out, (uint64_t)index);
		out_char(t->out, ']');
	}
	t->open = true;
	t->depth++;
}

static void receive_leave(void *ctx)
{
	struct text *t = ctx;

	t->depth--;
	/* what follows in the group around must not look like part of it */
	end_line(t);
}

/* "  name " of a field, on a new line if this one is full. */
static void put_name(struct text *t, const char *name)
{
	if (t->open && out_column(t->out) >= FOLD_COLUMN)
		end_line(t);
	if (t->open)
		out_bytes(t->out, "  ", 2);
	else
		out_pad(t->out, group_indent(t), 0);
	t->open = true;
	out_str(t->out, name);
	out_char(t->out, ' ');
}

static void put_time(struct text *t, struct xfs_time v)
{
	out_time(t->out, v.sec, v.nsec, t->epoch);
}

static void put_fsblock(struct text *t, uint64_t v)
{
	out_uint(t->out, v);
	if (!t->ag_shift)
		return;
	out_bytes(t->out, " (", 2);
	out_uint(t->out, v >> t->ag_shift);
	out_char(t->out, '/');
	out_uint(t->out, v & ((UINT64_C(1) << t->ag_shift) - 1));
	out_char(t->out, ')');
}

static void put_value(struct text *t, enum xfs_field_kind kind,
		      const struct xfs_name *names, uint64_t v,
		      unsigned int bytes)
{
	const char *name;

	if (value_is_null(kind, v)) {
		out_str(t->out, "null");
		return;
	}
	switch (kind) {
	case XFS_KIND_SINT:
		out_sint(t->out, value_signed(v, bytes));
		break;
	case XFS_KIND_HEX:
	case XFS_KIND_PAD:
		out_hex(t->out, v, 0);
		break;
	case XFS_KIND_MAGIC:
	case XFS_KIND_CRC:
		out_hex(t->out, v, 2 * bytes);
		break;
	case XFS_KIND_OCTAL:
		out_octal(t->out, v);
		break;
	case XFS_KIND_LSN:
		out_lsn(t->out, v);
		break;
	case XFS_KIND_BIGTIME:
		put_time(t, xfs_time_bigtime(v));
		break;
	case XFS_KIND_DADDR:
	case XFS_KIND_INO:
		out_hex(t->out, v, 0);
		break;
	case XFS_KIND_FSBLOCK:
		put_fsblock(t, v);
		break;
	case XFS_KIND_ENUM:
		name = xfs_name_of(names, v);
		if (name)
			out_str(t->out, name);
		else
			out_uint(t->out, v);
		break;
	case XFS_KIND_FLAGS:
		text_flags(t, names, v);
		break;
	case XFS_KIND_BOOL:
		out_str(t->out, v ? "yes" : "no");
		break;
	default:
		out_uint(t->out, v);
		break;
	}
}

static void receive_bytes(void *ctx, const char *name,
			  enum xfs_field_kind kind, const void *data,
			  size_t len_bytes)
{
	struct text *t = ctx;
	size_t shown = len_bytes;

	put_name(t, name);
	if (kind == XFS_KIND_UUID && len_bytes == 16) {
		out_uuid(t->out, data);
		return;
	}
	if (kind == XFS_KIND_CHARS) {
		text_quoted(t, data, len_bytes);
		return;
	}
	if (shown > SHOWN_BYTES)
		shown = SHOWN_BYTES;
	out_hex_bytes(t->out, data, shown);
	if (shown < len_bytes) {
		out_str(t->out, "... (");
		out_uint(t->out, len_bytes);
		out_str(t->out, " bytes)");
	}
}

static void receive_field(void *ctx, const struct xfs_field *f,
			  const void *base, enum xfs_order order)
{
	enum xfs_field_kind kind = (enum xfs_field_kind)f->kind;
	struct text *t = ctx;
	unsigned int width;

	if (kind == XFS_KIND_PAD && value_is_zero(f, base))
		return;
	if (kind == XFS_KIND_TIME) {
		struct xfs_time v;

		xfs_time_field(&v, f, base, order);
		put_name(t, f->name);
		put_time(t, v);
		return;
	}
	if (f->type == XFS_TYPE_bytes) {
		const char *p = (const char *)base + f->off_bytes;

		receive_bytes(t, f->name, kind, p, kind == XFS_KIND_CHARS ?
			      strnlen(p, f->count) : f->count);
		return;
	}
	put_name(t, f->name);
	width = (unsigned int)xfs_field_width(f);
	for (unsigned int i = 0; i < f->count; i++) {
		if (i)
			out_char(t->out, ' ');
		put_value(t, kind, f->names, xfs_field_value(f, base, i, order),
			  width);
	}
}

static void receive_value(void *ctx, const char *name,
			  enum xfs_field_kind kind, uint64_t value)
{
	struct text *t = ctx;

	put_name(t, name);
	put_value(t, kind, NULL, value, 8);
}

const struct xfs_walk_ops text_walk_ops = {
	.enter = receive_enter,
	.leave = receive_leave,
	.field = receive_field,
	.value = receive_value,
	.bytes = receive_bytes,
};
