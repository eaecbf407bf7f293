/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A set of numbers, of which runs are in it: the blocks of a device that have
 * been saved, out of any number. 64 neighbours share a word, and words are
 * found through a hash table: memory goes with what is in the set, and not
 * with the size of the device. No locking.
 */
#ifndef LIBXLOG_DEV_UNITSET_H
#define LIBXLOG_DEV_UNITSET_H

#include "libxlog/base/err.h"

struct unitset_word {
	uint64_t	key;		/* number / 64 */
	uint64_t	bits;		/* 0: the slot is free */
};

struct unitset {
	struct unitset_word *slots;
	size_t		size;		/* slots, a power of two, or 0 */
	size_t		used;
	uint64_t	count;		/* numbers in the set */
};

/* All bytes zero is an empty set, too. */
static inline void unitset_init(struct unitset *set)
{
	*set = (struct unitset){ .slots = NULL };
}

void unitset_fini(struct unitset *set);

bool unitset_has(const struct unitset *set, uint64_t unit);

/* Is one of @count numbers from @unit in it? */
bool unitset_has_any(const struct unitset *set, uint64_t unit, uint64_t count);

/*
 * Put @count numbers from @unit in, some of which may be there. Returns 0, or
 * -ENOMEM, not reported; then some of them are in.
 */
int unitset_add(struct unitset *set, uint64_t unit, uint64_t count) MUST_CHECK;

/*
 * The first run of numbers from *@unit on, before @end, that are not in the
 * set: returns its length and moves *@unit to it, or returns 0.
 */
uint64_t unitset_missing(const struct unitset *set, uint64_t *unit,
			 uint64_t end);

/* Bytes that the set takes. */
static inline uint64_t unitset_bytes(const struct unitset *set)
{
	return (uint64_t)set->size * sizeof(*set->slots);
}

/*
 * All its words in ascending order, to be freed with free(); *@count is their
 * number. NULL: no memory (an empty set gives one free word).
 */
struct unitset_word *unitset_sorted(const struct unitset *set, size_t *count);

/*
 * Call @fn for each number of @count such words. A nonzero return of @fn ends
 * it and is returned.
 */
int unitset_walk(const struct unitset_word *words, size_t count,
		 int (*fn)(void *ctx, uint64_t unit), void *ctx) MUST_CHECK;

#endif
