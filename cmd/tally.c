/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counts by key: a hash table with open addressing. See tally.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "cmd/tally.h"

enum { FIRST_SIZE = 256 };

static struct tally_row *slot_of(const struct tally *t, uint64_t key)
{
	uint64_t h = key * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h >> 32) & (t->size - 1);

	while (t->rows[i].n && t->rows[i].key != key)
		i = (i + 1) & (t->size - 1);
	return &t->rows[i];
}

static int grow(struct tally *t)
{
	struct tally bigger = { .size = t->size ? 2 * t->size : FIRST_SIZE,
				.used = t->used };

	bigger.rows = calloc(bigger.size, sizeof(*bigger.rows));
	if (!bigger.rows)
		return -ENOMEM;
	for (size_t i = 0; i < t->size; i++)
		if (t->rows[i].n)
			*slot_of(&bigger, t->rows[i].key) = t->rows[i];
	free(t->rows);
	*t = bigger;
	return 0;
}

int tally_add(struct tally *t, uint64_t key, uint64_t n, uint64_t regions,
	      uint64_t bytes)
{
	struct tally_row *r;

	if (!n)
		return 0;
	/* three quarters full at most, so that probes stay short */
	if (4 * (t->used + 1) > 3 * t->size) {
		int rc = grow(t);

		if (rc)
			return rc;
	}
	r = slot_of(t, key);
	t->used += !r->n;
	r->key = key;
	r->n += n;
	r->regions += regions;
	r->bytes += bytes;
	return 0;
}

static int by_key(const void *a_, const void *b_)
{
	const struct tally_row *a = a_, *b = b_;

	return (a->key > b->key) - (a->key < b->key);
}

static int by_count(const void *a_, const void *b_)
{
	const struct tally_row *a = a_, *b = b_;

	if (a->n != b->n)
		return a->n < b->n ? 1 : -1;
	return by_key(a, b);
}

void tally_sort(struct tally *t, bool key_order)
{
	size_t n = 0;

	for (size_t i = 0; i < t->size; i++)
		if (t->rows[i].n)
			t->rows[n++] = t->rows[i];
	if (n)
		qsort(t->rows, n, sizeof(*t->rows),
		      key_order ? by_key : by_count);
}

void tally_fini(struct tally *t)
{
	free(t->rows);
	*t = (struct tally){ .rows = NULL };
}
