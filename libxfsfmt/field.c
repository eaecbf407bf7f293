/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generic access to a field through its table row. The decoders do not come
 * through here: they are expanded from the same rows into straight code.
 */
#include "libxfsfmt/field.h"

uint64_t xfs_bits_get(const void *p, unsigned int first, unsigned int bits)
{
	const uint8_t *b = (const uint8_t *)p + first / 8;
	unsigned int skip = first % 8, bytes = (skip + bits + 7) / 8;
	unsigned int rest = 8 * bytes - skip - bits;	/* of the last one */
	uint64_t v = *b & 0xffu >> skip;

	for (unsigned int i = 1; i < bytes && i < 8; i++)
		v = v << 8 | b[i];
	/* the ninth byte is only touched in part: 64 bits fit */
	return bytes > 8 ? v << (8 - rest) | b[8] >> rest : v >> rest;
}

void xfs_bits_put(void *p, unsigned int first, unsigned int bits,
		  uint64_t value)
{
	uint8_t *b = (uint8_t *)p + first / 8;
	unsigned int skip = first % 8;

	while (bits) {
		unsigned int take = bits < 8 - skip ? bits : 8 - skip;
		unsigned int shift = 8 - skip - take;
		uint8_t mask = (uint8_t)((0xffu >> (8 - take)) << shift);

		bits -= take;
		*b = (uint8_t)((*b & ~mask) |
			       ((value >> bits) << shift & mask));
		b++;
		skip = 0;
	}
}

const char *xfs_name_of(const struct xfs_name *names, uint64_t value)
{
	for (; names && names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}
