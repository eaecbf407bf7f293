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
	/* of a name and a value; 64 flags of 30 letters are the longest */
	FIELD_BYTES = 4096,
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

/* As text_flags(), for at most FIELD_BYTES. */
static char *put_flags(char *p, const struct xfs_name *names, uint64_t value)
{
	const char *start = p;

	for (; names && names->name; names++) {
		size_t n = strlen(names->name);

		if (!names->value || (value & names->value) != names->value)
			continue;
		value &= ~names->value;
		if (p != start)
			*p++ = ',';
		memcpy(p, names->name, n);
		p += n;
	}
	if (value) {
		if (p != start)
			*p++ = ',';
		p = format_hex(p, value, 0);
	} else if (p == start) {
		*p++ = '-';
	}
	return p;
}

void text_flags(struct text *t, const struct xfs_name *names, uint64_t value)
{
	out_end(t->out, put_flags(out_room(t->out, FIELD_BYTES), names,
				  value));
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

void text_walk_begin(struct text *t, unsigned int indent, bool heads_only)
{
	t->indent = indent;
	t->depth = 0;
	t->open = false;
	t->heads_only = heads_only;
	t->skipped = 0;
	t->waiting = 0;
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

	if (t->skipped || (t->heads_only && index >= 0)) {
		t->skipped++;
		return;
	}
	if (t->waiting == TEXT_DEPTH) {
		t->skipped++;
		return;
	}
	t->wait[t->waiting].name = name;
	t->wait[t->waiting++].index = index;
}

/* Show the groups that were entered: there is something in them. */
static void show_groups(struct text *t)
{
	for (unsigned int i = 0; i < t->waiting; i++) {
		end_line(t);
		out_pad(t->out, group_indent(t), 0);
		out_str(t->out, t->wait[i].name);
		if (t->wait[i].index >= 0) {
			out_char(t->out, '[');
			out_uint(t->out, (uint64_t)t->wait[i].index);
			out_char(t->out, ']');
		}
		t->open = true;
		t->depth++;
	}
	t->waiting = 0;
}

static void receive_leave(void *ctx)
{
	struct text *t = ctx;

	if (t->skipped) {
		t->skipped--;
		return;
	}
	if (t->waiting) {		/* empty: not shown */
		t->waiting--;
		return;
	}
	t->depth--;
	/* what follows in the group around must not look like part of it */
	end_line(t);
}

/*
 * Where the name of a field begins to tell: the group it stands in says
 * already of which structure it is, so "agf_", "bb_" and the like are left
 * out, as xfs_db does.
 */
static const char *without_prefix(const char *name)
{
	static const char *const prefixes[] = {
		"agf_", "agfl_", "agi_", "alfd_", "alfi_", "ar_", "bb_", "blf_",
		"br_", "bud_", "bui_", "cud_", "cui_", "d_", "dd_", "di_",
		"efd_", "efi_", "ext_", "icl_", "ilf_", "ir_", "me_", "pe_",
		"qf_", "qlf_", "rc_", "rm_", "rsb_", "rt_", "rud_", "rui_",
		"sb_", "xmd_", "xmi_",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i]);

		if (*name == *prefixes[i] && !strncmp(name, prefixes[i], n))
			return name + n;
	}
	return name;
}

/* Names are few and static: each is looked up once. */
static const struct text_name *shown_name(struct text *t, const char *name)
{
	uint64_t hash = (uintptr_t)name * UINT64_C(0x9e3779b97f4a7c15);
	struct text_name *n = &t->names[hash >> 32 & (TEXT_NAMES - 1)];
	const char *shown;

	if (n->name == name)
		return n;
	shown = without_prefix(name);
	n->name = name;
	n->len = strnlen(shown, sizeof(n->text) - 2);
	memcpy(n->text, "  ", 2);
	memcpy(n->text + 2, shown, n->len);
	return n;
}

/*
 * "  name" of a field, on a new line if this one is full. There is room for
 * the value behind the place returned.
 */
static char *put_name(struct text *t, const char *name)
{
	const struct text_name *n = shown_name(t, name);
	char *p;

	if (t->waiting)
		show_groups(t);
	if (t->open && out_column(t->out) >= FOLD_COLUMN)
		end_line(t);
	if (!t->open)
		/* the name brings the last two blanks */
		out_pad(t->out, t->depth ? group_indent(t) - INDENT_STEP : 0,
			0);
	t->open = true;
	p = out_room(t->out, FIELD_BYTES);
	/* all of it, because a copy of fixed size is no function call */
	memcpy(p, n->text, sizeof(n->text));
	return p + 2 + n->len;
}

static char *put_str(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

static char *put_time(struct text *t, char *p, struct xfs_time v)
{
	return format_time(p, v.sec, v.nsec, t->epoch, &t->out->day);
}

static char *put_fsblock(const struct text *t, char *p, uint64_t v)
{
	p = format_uint(p, v);
	if (!t->ag_shift)
		return p;
	memcpy(p, " (", 2);
	p = format_uint(p + 2, v >> t->ag_shift);
	*p++ = '/';
	p = format_uint(p, v & ((UINT64_C(1) << t->ag_shift) - 1));
	*p++ = ')';
	return p;
}

/* One integer of @kind that is @bytes wide. */
static char *put_value(struct text *t, char *p, enum xfs_field_kind kind,
		       const struct xfs_name *names, uint64_t v,
		       unsigned int bytes)
{
	const char *name;

	switch (kind) {
	case XFS_KIND_SINT:
		return format_sint(p, value_signed(v, bytes));
	case XFS_KIND_HEX:
	case XFS_KIND_PAD:
	case XFS_KIND_DADDR:
		return format_hex(p, v, 0);
	case XFS_KIND_MAGIC:
	case XFS_KIND_CRC:
		return format_hex(p, v, 2 * bytes);
	case XFS_KIND_OCTAL:
		return format_octal(p, v);
	case XFS_KIND_LSN:
		return format_lsn(p, v);
	case XFS_KIND_BIGTIME:
		return put_time(t, p, xfs_time_bigtime(v));
	case XFS_KIND_DQBIGTIME:
		return format_uint(p, xfs_time_dqtimer((uint32_t)v, true));
	case XFS_KIND_INO:
		return v == UINT64_MAX ? put_str(p, "null") :
					 format_hex(p, v, 0);
	case XFS_KIND_FSBLOCK:
		return v == UINT64_MAX ? put_str(p, "null") :
					 put_fsblock(t, p, v);
	case XFS_KIND_AGINO:
	case XFS_KIND_AGBLOCK:
		return v == UINT32_MAX ? put_str(p, "null") :
					 format_uint(p, v);
	case XFS_KIND_ENUM:
		name = xfs_name_of(names, v);
		return name ? put_str(p, name) : format_uint(p, v);
	case XFS_KIND_FLAGS:
		return put_flags(p, names, v);
	default:
		return format_uint(p, v);
	}
}

static void receive_bytes(void *ctx, const char *name,
			  enum xfs_field_kind kind, const void *data,
			  size_t len_bytes)
{
	struct text *t = ctx;
	size_t shown = len_bytes;
	char *p;

	if (t->skipped)
		return;
	p = put_name(t, name);
	*p++ = ' ';
	if (kind == XFS_KIND_UUID && len_bytes == 16)
		p = format_uuid(p, data);
	out_end(t->out, p);
	if (kind == XFS_KIND_UUID && len_bytes == 16)
		return;
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

/* Fields of bytes, and times: those that are no integers. */
static void receive_special(struct text *t, const struct xfs_field *f,
			    const void *base, enum xfs_order order)
{
	const char *bytes = (const char *)base + f->off_bytes;
	enum xfs_field_kind kind = (enum xfs_field_kind)f->kind;
	struct xfs_time v;
	char *p;

	if (xfs_time_field(&v, f, base, order)) {
		p = put_name(t, f->name);
		*p++ = ' ';
		out_end(t->out, put_time(t, p, v));
		return;
	}
	receive_bytes(t, f->name, kind, bytes, kind == XFS_KIND_CHARS ?
		      strnlen(bytes, f->count) : f->count);
}

static void receive_field(void *ctx, const struct xfs_field *f,
			  const void *base, enum xfs_order order)
{
	enum xfs_field_kind kind = (enum xfs_field_kind)f->kind;
	struct text *t = ctx;
	unsigned int width;
	uint64_t v;
	char *p;

	if (t->skipped || (kind == XFS_KIND_PAD && value_is_zero(f, base)))
		return;
	if (kind == XFS_KIND_TIME || f->type == XFS_TYPE_bytes) {
		receive_special(t, f, base, order);
		return;
	}
	v = xfs_field_value(f, base, 0, order);
	if (kind == XFS_KIND_BOOL && f->count == 1) {
		/* what is not so need not be said */
		if (v)
			out_end(t->out, put_name(t, f->name));
		return;
	}
	width = (unsigned int)xfs_field_width(f);
	p = put_name(t, f->name);
	*p++ = ' ';
	p = put_value(t, p, kind, f->names, v, width);
	out_end(t->out, p);
	for (unsigned int i = 1; i < f->count; i++) {
		p = out_room(t->out, FIELD_BYTES);
		*p++ = ' ';
		v = xfs_field_value(f, base, i, order);
		out_end(t->out, put_value(t, p, kind, f->names, v, width));
	}
}

static void receive_value(void *ctx, const char *name,
			  enum xfs_field_kind kind, uint64_t value)
{
	struct text *t = ctx;
	char *p;

	if (t->skipped)
		return;
	p = put_name(t, name);
	*p++ = ' ';
	out_end(t->out, put_value(t, p, kind, NULL, value, 8));
}

const struct xfs_walk_ops text_walk_ops = {
	.enter = receive_enter,
	.leave = receive_leave,
	.field = receive_field,
	.value = receive_value,
	.bytes = receive_bytes,
};
