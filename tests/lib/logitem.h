/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log items for tests, from hex: "3b12 0200 ...|4e49..." with a bar between
 * regions and blanks anywhere. Every region is an allocation of exactly its
 * length, so that the address sanitizer sees a read past its end.
 */
#ifndef TESTS_LIB_LOGITEM_H
#define TESTS_LIB_LOGITEM_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "libxfsfmt/logitem.h"
#include "tests/lib/walktext.h"

#define UNUSED	__attribute__((unused))

struct item {
	struct xfs_log_region regions[XFS_LOGITEM_MAX_REGIONS + 1];
	uint8_t		*data[XFS_LOGITEM_MAX_REGIONS + 1];
	unsigned int	ndata;	/* a test may make v.nregions a lie */
	struct xfs_logitem_view v;
};

/* One more region of @len bytes, all @fill. */
UNUSED static uint8_t *item_add(struct item *it, uint32_t len, uint8_t fill)
{
	unsigned int n = it->ndata++;

	cr_assert_lt(n, XFS_LOGITEM_MAX_REGIONS + 1);
	it->data[n] = malloc(len ? len : 1);
	cr_assert_not_null(it->data[n]);
	memset(it->data[n], fill, len);
	it->regions[n] = (struct xfs_log_region){ it->data[n], len };
	it->v.nregions = it->ndata;
	return it->data[n];
}

UNUSED static int item_nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* One more region with the hex digits at *@p, which moves past the bar. */
UNUSED static void item_add_hex(struct item *it, const char **p)
{
	uint32_t digits = 0;
	uint8_t *out;
	const char *c;

	for (c = *p; *c && *c != '|'; c++)
		digits += item_nibble(*c) >= 0;
	cr_assert_eq(digits % 2, 0);
	out = item_add(it, digits / 2, 0);
	digits = 0;
	for (c = *p; *c && *c != '|'; c++) {
		int v = item_nibble(*c);

		if (v < 0)
			continue;
		out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | v);
		digits++;
	}
	*p = *c ? c + 1 : c;
}

UNUSED static struct item *item_new(enum xfs_order order, const char *hex)
{
	struct item *it = calloc(1, sizeof(*it));

	cr_assert_not_null(it);
	it->v.regions = it->regions;
	it->v.order = order;
	while (*hex)
		item_add_hex(it, &hex);
	return it;
}

UNUSED static void item_free(struct item *it)
{
	for (unsigned int i = 0; i < it->ndata; i++)
		free(it->data[i]);
	free(it);
}

/* The first @nregions of @it, the last of them cut to @last_bytes. */
UNUSED static struct item *item_cut(const struct item *it,
				    unsigned int nregions, uint32_t last_bytes)
{
	struct item *cut = item_new(it->v.order, "");

	cut->v.geom = it->v.geom;
	for (unsigned int i = 0; i < nregions; i++) {
		uint32_t len = i + 1 < nregions ? it->regions[i].len_bytes :
			       last_bytes;
		uint8_t *p = item_add(cut, len, 0);

		memcpy(p, it->data[i], len);
	}
	return cut;
}

/* All that the walk of @it shows; valid until the next call. */
UNUSED static const char *item_shown(const struct item *it)
{
	static struct walktext t;

	memset(&t, 0, sizeof(t));
	xfs_logitem_walk(&it->v, &walktext_ops, &t);
	cr_expect_eq(t.depth, 0);
	return t.text;
}

UNUSED static void item_touch(void *ctx, const struct xfs_touch *touch)
{
	static const char *const names[] = {
		[XFS_TOUCH_INO] = "ino",
		[XFS_TOUCH_DADDR] = "daddr",
		[XFS_TOUCH_AG] = "ag",
		[XFS_TOUCH_RTBLOCK] = "rt",
	};

	cr_expect_geq(touch->count, 1);
	cr_expect_leq(touch->count - 1, UINT64_MAX - touch->first);
	walktext_gap(ctx);
	walktext_put(ctx, "%s=%" PRIu64, names[touch->kind], touch->first);
	if (touch->count > 1)
		walktext_put(ctx, "+%" PRIu64, touch->count);
}

/* All that @it touches, "ino=5 daddr=8+8"; valid until the next call. */
UNUSED static const char *item_touched(const struct item *it)
{
	static struct walktext t;

	memset(&t, 0, sizeof(t));
	xfs_logitem_touches(&it->v, item_touch, &t);
	return t.text;
}

/* NULL and a text are never equal, two NULLs are. */
UNUSED static bool item_says(const struct item *it, const char *why)
{
	const char *got = xfs_logitem_verify(&it->v);

	if (got && why)
		return !strcmp(got, why);
	return got == why;
}

#endif
