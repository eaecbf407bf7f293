/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which names can be shown as they are: well-formed UTF-8.
 */
#ifndef CMD_UTF8_H
#define CMD_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of the well-formed UTF-8 character at @p, of which @room >= 1 are
 * there, or 0: overlong forms, surrogates and values above U+10FFFF are none.
 */
static inline unsigned int utf8_length(const uint8_t *p, size_t room)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 :
			 p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	uint32_t c;

	if (n <= 1)
		return n;
	if (n > room)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (unsigned int i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

static inline bool utf8_valid(const void *data, size_t len_bytes)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len_bytes;) {
		unsigned int n = utf8_length(p + i, len_bytes - i);

		if (!n)
			return false;
		i += n;
	}
	return true;
}

#endif
