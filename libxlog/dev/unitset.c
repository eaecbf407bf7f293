/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sets of numbers; see unitset.h. Open addressing with linear probing, at most
 * three quarters full; nothing is ever taken out.
 */
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/unitset.h"

enum {
	WORD_BITS = 64,
	SLOTS_MIN = 64,
};

void unitset_fini(struct unitset *set)
{
	free(set->slots);
	unitset_init(set);
}

/* The slot of @key, or the free one where it would be. Needs slots. */
static struct unitset_word *slot_of(struct unitset_word *slots, size_t size,
				    uint64_t key)
{
	/* the high half of the product is the mixed one */
	size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
		    (size - 1);

	while (slots[at].bits && slots[at].key != key)
		at = (at + 1) & (size - 1);
	return &slots[at];
}

static uint64_t bits_of(const struct unitset *set, uint64_t key)
{
	return set->size ? slot_of(set->slots, set->size, key)->bits : 0;
}

static int grow(struct unitset *set)
{
	size_t size = set->size ? 2 * set->size : SLOTS_MIN;
	struct unitset_word *slots;

	if (size > SIZE_MAX / sizeof(*slots))
		return -ENOMEM;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i].bits)
			*slot_of(slots, size, set->slots[i].key) =
				set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->size = size;
	return 0;
}

/* The bits of @count numbers from @unit that lie in its word; *@n of them. */
static uint64_t mask_of(uint64_t unit, uint64_t count, uint64_t *n)
{
	unsigned int first = (unsigned int)(unit % WORD_BITS);

	*n = WORD_BITS - first;
	if (*n > count)
		*n = count;
	return (*n == WORD_BITS ? ~UINT64_C(0) :
		((UINT64_C(1) << *n) - 1)) << first;
}

bool unitset_has(const struct unitset *set, uint64_t unit)
{
	return bits_of(set, unit / WORD_BITS) >> unit % WORD_BITS & 1;
}

bool unitset_has_any(const struct unitset *set, uint64_t unit, uint64_t count)
{
	uint64_t n, mask;

	for (; count; unit += n, count -= n) {
		mask = mask_of(unit, count, &n);
		if (bits_of(set, unit / WORD_BITS) & mask)
			return true;
	}
	return false;
}

int unitset_add(struct unitset *set, uint64_t unit, uint64_t count)
{
	struct unitset_word *word;
	uint64_t n, mask;
	int rc;

	for (; count; unit += n, count -= n) {
		if (set->used >= set->size / 4 * 3) {
			rc = grow(set);
			if (rc)
				return rc;
		}
		mask = mask_of(unit, count, &n);
		word = slot_of(set->slots, set->size, unit / WORD_BITS);
		if (!word->bits) {
			word->key = unit / WORD_BITS;
			set->used++;
		}
		set->count += (unsigned int)__builtin_popcountll(mask &
								 ~word->bits);
		word->bits |= mask;
	}
	return 0;
}

uint64_t unitset_missing(const struct unitset *set, uint64_t *unit,
			 uint64_t end)
{
	uint64_t at = *unit, from;

	while (at < end && unitset_has(set, at))
		at++;
	for (from = at; at < end && !unitset_has(set, at); )
		at++;
	*unit = from;
	return at - from;
}

static int compare(const void *a, const void *b)
{
	const struct unitset_word *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

struct unitset_word *unitset_sorted(const struct unitset *set, size_t *count)
{
	struct unitset_word *words = calloc(set->used + 1, sizeof(*words));
	size_t n = 0;

	if (!words)
		return NULL;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i].bits)
			words[n++] = set->slots[i];
	qsort(words, n, sizeof(*words), compare);
	*count = n;
	return words;
}

int unitset_walk(const struct unitset_word *words, size_t count,
		 int (*fn)(void *ctx, uint64_t unit), void *ctx)
{
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		for (unsigned int bit = 0; bit < WORD_BITS && !rc; bit++)
			if (words[i].bits >> bit & 1)
				rc = fn(ctx, words[i].key * WORD_BITS + bit);
	return rc;
}
