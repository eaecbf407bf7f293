/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generic access to a field through its table row. The decoders do not come
 * through here: they are expanded from the same rows into straight code.
 */
#include "libxfsfmt/field.h"

size_t xfs_field_width(const struct xfs_field *f)
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

size_t xfs_field_end(const struct xfs_field *f)
{
	size_t n = f->type == XFS_TYPE_bytes ? 1 : f->count;

	return f->off_bytes + n * xfs_field_width(f);
}

uint64_t xfs_bits_get(const void *p, unsigned int first, unsigned int bits)
{
	const uint8_t *b = p;
	uint64_t v = 0;

	for (unsigned int i = first; i < first + bits; i++)
		v = v << 1 | (b[i / 8] >> (7 - i % 8) & 1);
	return v;
}

uint64_t xfs_field_value(const struct xfs_field *f, const void *base,
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

const char *xfs_name_of(const struct xfs_name *names, uint64_t value)
{
	for (; names && names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}
