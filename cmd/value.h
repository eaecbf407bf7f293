/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the receivers of walks do alike with the value of a field.
 */
#ifndef CMD_VALUE_H
#define CMD_VALUE_H

#include "libxfsfmt/time.h"

/* Sign-extended from @bytes wide. */
static inline int64_t value_signed(uint64_t v, unsigned int bytes)
{
	unsigned int shift = bytes < 8 ? 64 - 8 * bytes : 0;
	uint64_t sign = UINT64_C(1) << 63 >> shift;

	v &= UINT64_MAX >> shift;
	return (int64_t)((v ^ sign) - sign);
}

/* True if all of the field is zero. */
static inline bool value_is_zero(const struct xfs_field *f, const void *base)
{
	const uint8_t *p = (const uint8_t *)base + f->off_bytes;
	size_t n = xfs_field_end(f) - f->off_bytes;

	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}

#endif
