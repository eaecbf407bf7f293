/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counts by key: how many items, regions and bytes there are of each.
 */
#ifndef CMD_TALLY_H
#define CMD_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally_row {
	uint64_t	key;
	uint64_t	n;		/* 0: the slot is free */
	uint64_t	regions;
	uint64_t	bytes;
};

/* All zero is an empty one. */
struct tally {
	struct tally_row *rows;
	size_t		size;		/* slots: a power of two, or 0 */
	size_t		used;
};

/* Returns 0 or -ENOMEM. */
int tally_add(struct tally *t, uint64_t key, uint64_t n, uint64_t regions,
	      uint64_t bytes);

/*
 * Put the rows in order at the front: by key, or the largest counts first and
 * equal ones by key. After that nothing can be added.
 */
void tally_sort(struct tally *t, bool by_key);

void tally_fini(struct tally *t);

#endif
