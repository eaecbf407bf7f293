/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Field tables: the one description of every on-disk structure.
 *
 * A structure is written down once, as a list of rows (an X macro). From that
 * list come its struct of host values, its decoder and its table of fields,
 * which printing, JSON and the tests walk. To describe a structure:
 *
 *	#define XFS_AGF_ROWS(X)						\
 *		X##_F(be32, agf_magicnum,	0, MAGIC)		\
 *		X##_V(be32, 2, agf_levels,	28, UINT)		\
 *		X##_A(16, agf_uuid,		64, UUID)
 *	XFS_DECLARE(xfs_agf, XFS_AGF_ROWS, 224);	in the header
 *	XFS_DEFINE(xfs_agf, XFS_AGF_ROWS)		in the source file
 *
 * gives  struct xfs_agf { uint32_t agf_magicnum; ... },
 *	  enum { xfs_agf_size = 224 },
 *	  void xfs_agf_decode(struct xfs_agf *, const void *, size_t, order),
 *	  const struct xfs_field xfs_agf_fields[]  (ends with a NULL name).
 * A structure that is also made from scratch has an encoder from the same rows:
 *
 *	XFS_DECLARE_ENCODE(xfs_agf);			in the header
 *	XFS_DEFINE_ENCODE(xfs_agf, XFS_AGF_ROWS)	in the source file
 *
 * Rows: X##_F(type, name, offset, kind)		an integer
 *	 X##_N(type, name, offset, kind, names)		ENUM or FLAGS with names
 *	 X##_V(type, count, name, offset, kind)		an array of integers
 *	 X##_A(bytes, name, offset, kind)		a string of bytes
 *	 X##_B(first, nbits, name, offset, kind)		a bit field: big-endian
 *			bit string at @offset, @first counted from its top bit
 *	 X##_W(type, name, offset, kind, names, need, absent)
 *			an integer that is there only in some variants (below)
 *	 X##_C(bytes, name, offset, kind, need, absent)
 *			a string of bytes, likewise
 *	 X##_T(type, name, offset, kind, names, need, absent)
 *			as W, but in the table only: how a field of a row
 *			above is shown in other variants
 * Types: u8 be16 be32 be64 le32, and w16 w32 w64: the writer's order.
 *
 * Variants: a structure whose fields depend on a version or a flag has bits of
 * its own for them. A row applies when all of @need and none of @absent are
 * set in the variant of the instance at hand. Decoding does not look at them:
 * every row is decoded, and the caller picks. Encoding does, since rows of
 * different variants can lie in the same bytes.
 */
#ifndef LIBXFSFMT_FIELD_H
#define LIBXFSFMT_FIELD_H

#include "libxfsfmt/endian.h"
#include "libxfsfmt/types.h"

/* How a field is shown. The width says nothing about that. */
enum xfs_field_kind {
	XFS_KIND_UINT,
	XFS_KIND_SINT,		/* two's complement of the field's width */
	XFS_KIND_HEX,
	XFS_KIND_OCTAL,		/* file modes */
	XFS_KIND_MAGIC,		/* hexadecimal, a string in JSON */
	XFS_KIND_CRC,		/* likewise */
	XFS_KIND_LSN,		/* cycle:block */
	XFS_KIND_UUID,		/* 16 bytes */
	XFS_KIND_CHARS,		/* text, ends at a zero byte or with the field */
	XFS_KIND_BYTES,		/* raw */
	XFS_KIND_TIME,		/* BE/writer s32 seconds, then s32 nanoseconds */
	XFS_KIND_BIGTIME,	/* u64 nanoseconds since -2^31 seconds */
	XFS_KIND_DQTIME,	/* quota timer: u32 seconds */
	XFS_KIND_DQBIGTIME,	/* the same, in units of four seconds */
	XFS_KIND_INO,
	XFS_KIND_AGINO,
	XFS_KIND_FSBLOCK,
	XFS_KIND_AGBLOCK,
	XFS_KIND_DADDR,
	XFS_KIND_ENUM,
	XFS_KIND_FLAGS,
	XFS_KIND_BOOL,
	XFS_KIND_PAD,		/* not shown unless nonzero */
};

enum xfs_field_type {
	XFS_TYPE_u8,
	XFS_TYPE_be16,
	XFS_TYPE_be32,
	XFS_TYPE_be64,
	XFS_TYPE_le32,
	XFS_TYPE_w16,
	XFS_TYPE_w32,
	XFS_TYPE_w64,
	XFS_TYPE_bits,
	XFS_TYPE_bytes,
};

/* A value and its published name; a table ends with a NULL name. */
struct xfs_name {
	uint64_t	value;
	const char	*name;
};

struct xfs_field {
	const char	*name;
	const struct xfs_name *names;	/* ENUM and FLAGS, else NULL */
	uint16_t	off_bytes;
	uint16_t	count;		/* elements; bytes for XFS_TYPE_bytes */
	uint8_t		type;		/* enum xfs_field_type */
	uint8_t		kind;		/* enum xfs_field_kind */
	uint8_t		bit_first;	/* bits: from the top of byte off_bytes */
	uint8_t		bit_count;	/* bits: 1..64 */
	uint16_t	need, absent;	/* variants */
};

/* Bytes of one element (of the whole for bytes and bits). */
static inline size_t xfs_field_width(const struct xfs_field *f)
{
	switch (f->type) {
	case XFS_TYPE_u8:
		return 1;
	case XFS_TYPE_be16:
	case XFS_TYPE_w16:
		return 2;
	case XFS_TYPE_be32:
	case XFS_TYPE_le32:
	case XFS_TYPE_w32:
		return 4;
	case XFS_TYPE_be64:
	case XFS_TYPE_w64:
		return 8;
	case XFS_TYPE_bits:
		return (f->bit_first + f->bit_count + 7u) / 8;
	default:
		return f->count;
	}
}

/* Bytes from the start of the structure that @f occupies the end of. */
static inline size_t xfs_field_end(const struct xfs_field *f)
{
	size_t n = f->type == XFS_TYPE_bytes ? 1 : f->count;

	return f->off_bytes + n * xfs_field_width(f);
}

/* @bits bits of the big-endian bit string at @p, from bit @first (0 is top). */
uint64_t xfs_bits_get(const void *p, unsigned int first, unsigned int bits);

/* Puts the low @bits (1..64) bits of @value there; the others stay. */
void xfs_bits_put(void *p, unsigned int first, unsigned int bits,
		  uint64_t value);

/*
 * Element @index of integer or bit field @f of the structure at @base, which
 * holds at least xfs_field_end() bytes. Bytes give 0. Not sign-extended.
 */
static inline uint64_t
xfs_field_value(const struct xfs_field *f, const void *base,
		unsigned int index, enum xfs_order order)
{
	const uint8_t *p = (const uint8_t *)base + f->off_bytes;

	switch (f->type) {
	case XFS_TYPE_u8:
		return p[index];
	case XFS_TYPE_be16:
		return get_be16(p + 2 * index);
	case XFS_TYPE_be32:
		return get_be32(p + 4 * index);
	case XFS_TYPE_be64:
		return get_be64(p + 8 * index);
	case XFS_TYPE_le32:
		return get_le32(p + 4 * index);
	case XFS_TYPE_w16:
		return get_w16(p + 2 * index, order);
	case XFS_TYPE_w32:
		return get_w32(p + 4 * index, order);
	case XFS_TYPE_w64:
		return get_w64(p + 8 * index, order);
	case XFS_TYPE_bits:
		return xfs_bits_get(p, f->bit_first, f->bit_count);
	default:
		return 0;
	}
}

static inline bool xfs_row_applies(unsigned int variant, unsigned int need,
				   unsigned int absent)
{
	return (variant & need) == need && !(variant & absent);
}

static inline bool xfs_field_applies(const struct xfs_field *f,
				     unsigned int variant)
{
	return xfs_row_applies(variant, f->need, f->absent);
}

/* The name of @value in @names, or NULL. */
const char *xfs_name_of(const struct xfs_name *names, uint64_t value);

/* --- what the row lists expand to; nothing below is for callers --- */

#define XFS_HOST_u8	uint8_t
#define XFS_HOST_be16	uint16_t
#define XFS_HOST_be32	uint32_t
#define XFS_HOST_be64	uint64_t
#define XFS_HOST_le32	uint32_t
#define XFS_HOST_w16	uint16_t
#define XFS_HOST_w32	uint32_t
#define XFS_HOST_w64	uint64_t

#define XFS_LOAD_u8(p, order)	(*(const uint8_t *)(p))
#define XFS_LOAD_be16(p, order)	get_be16(p)
#define XFS_LOAD_be32(p, order)	get_be32(p)
#define XFS_LOAD_be64(p, order)	get_be64(p)
#define XFS_LOAD_le32(p, order)	get_le32(p)
#define XFS_LOAD_w16(p, order)	get_w16(p, order)
#define XFS_LOAD_w32(p, order)	get_w32(p, order)
#define XFS_LOAD_w64(p, order)	get_w64(p, order)

#define XFS_STORE_u8(p, v, order)	(*(uint8_t *)(p) = (v))
#define XFS_STORE_be16(p, v, order)	put_be16(p, v)
#define XFS_STORE_be32(p, v, order)	put_be32(p, v)
#define XFS_STORE_be64(p, v, order)	put_be64(p, v)
#define XFS_STORE_le32(p, v, order)	put_le32(p, v)
#define XFS_STORE_w16(p, v, order)	put_w16(p, v, order)
#define XFS_STORE_w32(p, v, order)	put_w32(p, v, order)
#define XFS_STORE_w64(p, v, order)	put_w64(p, v, order)

#define XFS_MEMBER_F(type, name, off, kind)	XFS_HOST_##type name;
#define XFS_MEMBER_N(type, name, off, kind, names) XFS_HOST_##type name;
#define XFS_MEMBER_V(type, n, name, off, kind)	XFS_HOST_##type name[n];
#define XFS_MEMBER_A(n, name, off, kind)	uint8_t name[n];
#define XFS_MEMBER_B(first, nbits, name, off, kind) uint64_t name;
#define XFS_MEMBER_W(type, name, off, kind, names, need, absent) \
	XFS_HOST_##type name;

#define XFS_MEMBER_C(n, name, off, kind, need, absent) uint8_t name[n];
#define XFS_MEMBER_T(type, name, off, kind, names, need, absent)

#define XFS_DECODE_F(type, name, off, kind)				\
	if ((off) + sizeof(XFS_HOST_##type) <= len_bytes)		\
		host->name = XFS_LOAD_##type(raw + (off), order);
#define XFS_DECODE_N(type, name, off, kind, names)			\
	XFS_DECODE_F(type, name, off, kind)
#define XFS_DECODE_W(type, name, off, kind, names, need, absent)	\
	XFS_DECODE_F(type, name, off, kind)
#define XFS_DECODE_C(n, name, off, kind, need, absent)			\
	XFS_DECODE_A(n, name, off, kind)
#define XFS_DECODE_T(type, name, off, kind, names, need, absent)
#define XFS_DECODE_V(type, n, name, off, kind)				\
	for (size_t i = 0; i < (n); i++)				\
		XFS_DECODE_F(type, name[i],				\
			     (off) + i * sizeof(XFS_HOST_##type), kind)
#define XFS_DECODE_A(n, name, off, kind)				\
	if ((off) + (n) <= len_bytes)					\
		memcpy(host->name, raw + (off), n);
#define XFS_DECODE_B(first, nbits, name, off, kind)			\
	if ((off) + ((first) + (nbits) + 7) / 8 <= len_bytes)		\
		host->name = xfs_bits_get(raw + (off), first, nbits);

#define XFS_ENCODE_F(type, name, off, kind)				\
	XFS_STORE_##type(raw + (off), (XFS_HOST_##type)host->name, order);
#define XFS_ENCODE_N(type, name, off, kind, names)			\
	XFS_ENCODE_F(type, name, off, kind)
#define XFS_ENCODE_V(type, n, name, off, kind)				\
	for (size_t i = 0; i < (n); i++)				\
		XFS_ENCODE_F(type, name[i],				\
			     (off) + i * sizeof(XFS_HOST_##type), kind)
#define XFS_ENCODE_A(n, name, off, kind)				\
	memcpy(raw + (off), host->name, n);
#define XFS_ENCODE_B(first, nbits, name, off, kind)			\
	xfs_bits_put(raw + (off), first, nbits, host->name);
#define XFS_ENCODE_W(type, name, off, kind, names, need, absent)	\
	if (xfs_row_applies(variant, need, absent))			\
		XFS_ENCODE_F(type, name, off, kind)
#define XFS_ENCODE_T(type, name, off, kind, names, need, absent)	\
	XFS_ENCODE_W(type, name, off, kind, names, need, absent)
#define XFS_ENCODE_C(n, name, off, kind, need, absent)			\
	if (xfs_row_applies(variant, need, absent))			\
		XFS_ENCODE_A(n, name, off, kind)

#define XFS_TABLE_ROW(nm, nms, o, n, t, k, bf, bc, nd, ab)		\
	{ .name = nm, .names = nms, .off_bytes = o, .count = n,		\
	  .type = XFS_TYPE_##t, .kind = XFS_KIND_##k, .bit_first = bf,	\
	  .bit_count = bc, .need = nd, .absent = ab },
#define XFS_TABLE_F(type, name, off, kind)				\
	XFS_TABLE_ROW(#name, NULL, off, 1, type, kind, 0, 0, 0, 0)
#define XFS_TABLE_N(type, name, off, kind, names)			\
	XFS_TABLE_ROW(#name, names, off, 1, type, kind, 0, 0, 0, 0)
#define XFS_TABLE_W(type, name, off, kind, names, need, absent)		\
	XFS_TABLE_ROW(#name, names, off, 1, type, kind, 0, 0, need, absent)
#define XFS_TABLE_C(n, name, off, kind, need, absent)			\
	XFS_TABLE_ROW(#name, NULL, off, n, bytes, kind, 0, 0, need, absent)
#define XFS_TABLE_T(type, name, off, kind, names, need, absent)		\
	XFS_TABLE_W(type, name, off, kind, names, need, absent)
#define XFS_TABLE_V(type, n, name, off, kind)				\
	XFS_TABLE_ROW(#name, NULL, off, n, type, kind, 0, 0, 0, 0)
#define XFS_TABLE_A(n, name, off, kind)					\
	XFS_TABLE_ROW(#name, NULL, off, n, bytes, kind, 0, 0, 0, 0)
#define XFS_TABLE_B(first, nbits, name, off, kind)			\
	XFS_TABLE_ROW(#name, NULL, off, 1, bits, kind, first, nbits, 0, 0)

/*
 * Declares struct @s, enum constant @s_size, @s_decode() and @s_fields[].
 * @s_decode() fills *@host from the @len_bytes at @raw; fields that do not lie
 * inside them become 0. @order matters to the w16, w32 and w64 rows only.
 */
#define XFS_DECLARE(s, ROWS, bytes)					\
	struct s { ROWS(XFS_MEMBER) };					\
	enum { s##_size = (bytes) };					\
	void s##_decode(struct s *host, const void *raw,		\
			size_t len_bytes, enum xfs_order order);	\
	extern const struct xfs_field s##_fields[]

#define XFS_DEFINE(s, ROWS)						\
	void s##_decode(struct s *host, const void *raw_,		\
			size_t len_bytes, enum xfs_order order)		\
	{								\
		const uint8_t *raw = raw_;				\
									\
		(void)order;						\
		memset(host, 0, sizeof(*host));				\
		ROWS(XFS_DECODE)					\
	}								\
	const struct xfs_field s##_fields[] = { ROWS(XFS_TABLE) { .name = NULL } };

/*
 * @s_encode() puts the fields of *@host that there are in @variant into the
 * @s_size bytes at @raw (fewer if the last ones are not in @variant); a row T
 * takes as many low bits as it has. Bytes that belong to no such field stay as
 * they are: buffers begin as zeros.
 */
#define XFS_DECLARE_ENCODE(s)						\
	void s##_encode(void *raw, const struct s *host,		\
			unsigned int variant, enum xfs_order order)

#define XFS_DEFINE_ENCODE(s, ROWS)					\
	void s##_encode(void *raw_, const struct s *host,		\
			unsigned int variant, enum xfs_order order)	\
	{								\
		uint8_t *raw = raw_;					\
									\
		(void)variant;						\
		(void)order;						\
		ROWS(XFS_ENCODE)					\
	}

#endif
