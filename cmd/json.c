/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON lines; see json.h.
 */
#include "cmd/json.h"
#include "cmd/utf8.h"
#include "cmd/value.h"

void jl_init(struct jl *j, struct out *out, bool epoch)
{
	*j = (struct jl){ .out = out, .epoch = epoch };
}

/* Copy a constant and return where the next byte goes. */
static char *put(char *p, const char *s, size_t n)
{
	memcpy(p, s, n);
	return p + n;
}

static void key_suffix(struct jl *j, const char *key, const char *suffix)
{
	size_t n = strlen(key), m = strlen(suffix);
	char *start = out_room(j->out, n + m + 4), *p = start;

	if (j->comma)
		*p++ = ',';
	*p++ = '"';
	p = put(p, key, n);
	p = put(p, suffix, m);
	*p++ = '"';
	*p++ = ':';
	j->out->used += (size_t)(p - start);
	j->comma = true;
}

static void put_key(struct jl *j, const char *key)
{
	if (key) {
		key_suffix(j, key, "");
		return;
	}
	if (j->comma)
		out_char(j->out, ',');
	j->comma = true;
}

static void put_escaped(struct out *o, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	char *p = out_room(o, 6);

	*p++ = '\\';
	switch (c) {
	case '"':
	case '\\':
		*p = (char)c;
		break;
	case '\n':
		*p = 'n';
		break;
	case '\t':
		*p = 't';
		break;
	default:
		p = put(p, "u00", 3);
		*p++ = hex[c >> 4];
		*p = hex[c & 15];
		o->used += 6;
		return;
	}
	o->used += 2;
}

/* A string in quotes; @p is UTF-8. */
static void put_string(struct out *o, const void *data, size_t len_bytes)
{
	const uint8_t *p = data;
	size_t from = 0, i;

	out_char(o, '"');
	for (i = 0; i < len_bytes; i++) {
		if (p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && p[i] != 0x7f)
			continue;
		out_bytes(o, p + from, i - from);
		put_escaped(o, p[i]);
		from = i + 1;
	}
	out_bytes(o, p + from, i - from);
	out_char(o, '"');
}

void jl_begin(struct jl *j, const char *type)
{
	out_char(j->out, '{');
	j->comma = false;
	j->depth = 0;
	j->deeper = 0;
	j->array[0] = NULL;
	jl_str(j, "type", type);
}

/* The elements of a walk end where something else begins. */
static void end_array(struct jl *j)
{
	if (!j->array[j->depth])
		return;
	j->array[j->depth] = NULL;
	out_char(j->out, ']');
	j->comma = true;
}

void jl_end(struct jl *j)
{
	end_array(j);
	out_char(j->out, '}');
	out_newline(j->out);
}

void jl_str(struct jl *j, const char *key, const char *value)
{
	jl_bytes(j, key, value, strlen(value));
}

void jl_bytes(struct jl *j, const char *key, const void *p,
		size_t len_bytes)
{
	if (!utf8_valid(p, len_bytes)) {
		jl_base64(j, key, p, len_bytes);
		return;
	}
	put_key(j, key);
	put_string(j->out, p, len_bytes);
}

void jl_base64(struct jl *j, const char *key, const void *p,
		 size_t len_bytes)
{
	key_suffix(j, key, "_b64");
	out_char(j->out, '"');
	out_base64(j->out, p, len_bytes);
	out_char(j->out, '"');
}

void jl_uint(struct jl *j, const char *key, uint64_t value)
{
	put_key(j, key);
	out_uint(j->out, value);
}

void jl_seconds(struct jl *j, const char *key, uint64_t ns)
{
	/* smaller numbers would need exponents */
	uint64_t left = ns % 1000000000 / 100000;

	jl_uint(j, key, ns / 1000000000);
	if (!left)
		return;
	out_char(j->out, '.');
	for (uint64_t unit = 1000; left; unit /= 10) {
		out_char(j->out, (char)('0' + left / unit));
		left %= unit;
	}
}

void jl_bool(struct jl *j, const char *key, bool value)
{
	put_key(j, key);
	out_str(j->out, value ? "true" : "false");
}

void jl_null(struct jl *j, const char *key)
{
	put_key(j, key);
	out_str(j->out, "null");
}

static void put_lsn(struct out *o, uint64_t lsn)
{
	if (lsn == UINT64_MAX) {
		out_str(o, "null");
		return;
	}
	out_char(o, '"');
	out_lsn(o, lsn);
	out_char(o, '"');
}

void jl_lsn(struct jl *j, const char *key, uint64_t lsn)
{
	put_key(j, key);
	put_lsn(j->out, lsn);
}

void jl_uuid(struct jl *j, const char *key, const uint8_t uuid[16])
{
	put_key(j, key);
	out_char(j->out, '"');
	out_uuid(j->out, uuid);
	out_char(j->out, '"');
}

static void put_hex(struct out *o, uint64_t value, unsigned int digits)
{
	out_char(o, '"');
	out_hex(o, value, digits);
	out_char(o, '"');
}

void jl_hex(struct jl *j, const char *key, uint64_t value,
	      unsigned int digits)
{
	put_key(j, key);
	put_hex(j->out, value, digits);
}

void jl_dump(struct jl *j, const char *key, const void *p,
	       size_t len_bytes)
{
	put_key(j, key);
	out_char(j->out, '"');
	out_hex_bytes(j->out, p, len_bytes);
	out_char(j->out, '"');
}

static void put_flags(struct jl *j, const struct xfs_name *names,
		      uint64_t value)
{
	out_char(j->out, '[');
	j->comma = false;
	for (; names && names->name; names++) {
		if (!names->value || (value & names->value) != names->value)
			continue;
		value &= ~names->value;
		jl_element_str(j, names->name);
	}
	if (value) {
		put_key(j, NULL);
		put_hex(j->out, value, 0);
	}
	out_char(j->out, ']');
	j->comma = true;
}

void jl_flags(struct jl *j, const char *key, const struct xfs_name *names,
		uint64_t value)
{
	put_key(j, key);
	put_flags(j, names, value);
}

void jl_open(struct jl *j, const char *key, char bracket)
{
	put_key(j, key);
	out_char(j->out, bracket);
	j->comma = false;
}

void jl_close(struct jl *j, char bracket)
{
	out_char(j->out, bracket);
	j->comma = true;
}

void jl_element(struct jl *j, uint64_t value)
{
	put_key(j, NULL);
	out_uint(j->out, value);
}

void jl_element_str(struct jl *j, const char *value)
{
	put_key(j, NULL);
	put_string(j->out, value, strlen(value));
}

/* --- the receiver --- */

/* The core of an inode has short names in JSON; others are as in the tables. */
static const char *field_key(const char *name)
{
	return strncmp(name, "di_", 3) ? name : name + 3;
}

static void receive_enter(void *ctx, const char *name, long index)
{
	struct jl *j = ctx;

	if (j->deeper || j->depth == JL_DEPTH - 1 ||
	    (j->heads_only && index >= 0)) {
		j->deeper++;
		return;
	}
	if (index < 0) {
		end_array(j);
		jl_open(j, name, '{');
	} else {
		if (j->array[j->depth] != name) {
			end_array(j);
			jl_open(j, name, '[');
			j->array[j->depth] = name;
		}
		jl_open(j, NULL, '{');
		/* blocks are logged in part: places in the array say nothing */
		jl_uint(j, "index", (uint64_t)index);
	}
	j->array[++j->depth] = NULL;
}

static void receive_leave(void *ctx)
{
	struct jl *j = ctx;

	if (j->deeper) {
		j->deeper--;
		return;
	}
	end_array(j);
	j->depth--;
	jl_close(j, '}');
}

static void put_time(struct jl *j, struct xfs_time t)
{
	out_char(j->out, '"');
	out_time(j->out, t.sec, t.nsec, j->epoch);
	out_char(j->out, '"');
}

static void put_or_null(struct out *o, uint64_t v, uint64_t null)
{
	if (v == null)
		out_str(o, "null");
	else
		out_uint(o, v);
}

/* One integer of @kind that is @bytes wide. */
static void put_value(struct jl *j, enum xfs_field_kind kind,
		      const struct xfs_name *names, uint64_t v,
		      unsigned int bytes)
{
	const char *name;

	switch (kind) {
	case XFS_KIND_SINT:
		out_end(j->out, format_sint(out_room(j->out, FORMAT_BYTES),
					    value_signed(v, bytes)));
		break;
	case XFS_KIND_MAGIC:
	case XFS_KIND_CRC:
		put_hex(j->out, v, 2 * bytes);
		break;
	case XFS_KIND_LSN:
		put_lsn(j->out, v);
		break;
	case XFS_KIND_BIGTIME:
		put_time(j, xfs_time_bigtime(v));
		break;
	case XFS_KIND_DQBIGTIME:
		out_uint(j->out, xfs_time_dqtimer((uint32_t)v, true));
		break;
	case XFS_KIND_INO:
	case XFS_KIND_FSBLOCK:
		put_or_null(j->out, v, UINT64_MAX);
		break;
	case XFS_KIND_AGINO:
	case XFS_KIND_AGBLOCK:
		put_or_null(j->out, v, UINT32_MAX);
		break;
	case XFS_KIND_ENUM:
		name = xfs_name_of(names, v);
		if (name)
			put_string(j->out, name, strlen(name));
		else
			out_uint(j->out, v);
		break;
	case XFS_KIND_FLAGS:
		put_flags(j, names, v);
		break;
	case XFS_KIND_BOOL:
		out_str(j->out, v ? "true" : "false");
		break;
	default:
		out_uint(j->out, v);
		break;
	}
}

static void receive_bytes(void *ctx, const char *name,
			  enum xfs_field_kind kind, const void *data,
			  size_t len_bytes)
{
	struct jl *j = ctx;

	if (j->deeper)
		return;
	end_array(j);
	if (kind == XFS_KIND_UUID && len_bytes == 16)
		jl_uuid(j, name, data);
	else if (kind == XFS_KIND_CHARS)
		jl_bytes(j, name, data, len_bytes);
	else
		jl_base64(j, name, data, len_bytes);
}

static void receive_field(void *ctx, const struct xfs_field *f,
			  const void *base, enum xfs_order order)
{
	struct jl *j = ctx;
	unsigned int width;

	if (j->deeper || (f->kind == XFS_KIND_PAD && value_is_zero(f, base)))
		return;
	if (f->kind == XFS_KIND_TIME) {
		struct xfs_time t;

		xfs_time_field(&t, f, base, order);
		end_array(j);
		put_key(j, field_key(f->name));
		put_time(j, t);
		return;
	}
	if (f->type == XFS_TYPE_bytes) {
		const char *p = (const char *)base + f->off_bytes;

		receive_bytes(j, field_key(f->name),
			      (enum xfs_field_kind)f->kind, p,
			      f->kind == XFS_KIND_CHARS ?
			      strnlen(p, f->count) : f->count);
		return;
	}
	end_array(j);
	put_key(j, field_key(f->name));
	width = (unsigned int)xfs_field_width(f);
	if (f->count == 1) {
		put_value(j, (enum xfs_field_kind)f->kind, f->names,
			  xfs_field_value(f, base, 0, order), width);
		return;
	}
	out_char(j->out, '[');
	for (unsigned int i = 0; i < f->count; i++) {
		if (i)
			out_char(j->out, ',');
		put_value(j, (enum xfs_field_kind)f->kind, f->names,
			  xfs_field_value(f, base, i, order), width);
	}
	out_char(j->out, ']');
	j->comma = true;
}

static void receive_value(void *ctx, const char *name,
			  enum xfs_field_kind kind, uint64_t value)
{
	struct jl *j = ctx;

	if (j->deeper)
		return;
	end_array(j);
	put_key(j, name);
	put_value(j, kind, NULL, value, 8);
}

const struct xfs_walk_ops jl_walk_ops = {
	.enter = receive_enter,
	.leave = receive_leave,
	.field = receive_field,
	.value = receive_value,
	.bytes = receive_bytes,
};
