/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chunks of doubling size, filled from the front; see arena.h.
 */
#include <stdlib.h>
#include <string.h>

#include "libxlog/read/arena.h"

enum {
	CHUNK_MIN = 4096,		/* many may be open, with little in each */
	CHUNK_MAX = 1024 * 1024,
	ALIGN = 8,
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t		size, used;
	uint8_t		bytes[];
};

static size_t rounded(size_t len)
{
	return (len + ALIGN - 1) / ALIGN * ALIGN;
}

void *arena_alloc(struct arena *a, size_t len)
{
	struct arena_chunk *c = a->chunks;

	if (len > SIZE_MAX / 4)
		return NULL;
	if (!c || c->size - c->used < len) {
		size_t size = c ? 2 * c->size : CHUNK_MIN;

		/* doubling stops at 1 MiB: less is wasted at the end */
		if (size > CHUNK_MAX)
			size = CHUNK_MAX;
		if (size < len)
			size = rounded(len);
		c = malloc(sizeof(*c) + size);
		if (!c)
			return NULL;
		c->next = a->chunks;
		c->size = size;
		c->used = 0;
		a->chunks = c;
	}
	a->last = c->bytes + c->used;
	len = rounded(len);
	c->used += len < c->size - c->used ? len : c->size - c->used;
	return a->last;
}

void *arena_grow(struct arena *a, void *p, size_t len, size_t more)
{
	struct arena_chunk *c = a->chunks;
	void *q;

	if (p == a->last && more <= c->size &&
	    len + more <= c->size - (size_t)(a->last - c->bytes)) {
		c->used = (size_t)(a->last - c->bytes) + rounded(len + more);
		if (c->used > c->size)
			c->used = c->size;
		return p;
	}
	/* it will grow again: leave room, so that copying stays linear */
	q = arena_alloc(a, 2 * (len + more));
	if (!q)
		return NULL;
	memcpy(q, p, len);
	return q;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *keep = a->chunks;

	if (!keep)
		return;
	while (keep->next) {
		struct arena_chunk *c = keep->next;

		keep->next = c->next;
		free(c);
	}
	/* one huge region must not hold its memory for ever */
	if (keep->size > CHUNK_MAX) {
		free(keep);
		a->chunks = NULL;
	} else {
		keep->used = 0;
	}
	a->last = NULL;
}

void arena_fini(struct arena *a)
{
	arena_reset(a);
	free(a->chunks);
	a->chunks = NULL;
}
