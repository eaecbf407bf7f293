/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory of one open transaction: small pieces that are freed all at once.
 * What was allocated last can grow in place.
 */
#ifndef LIBXLOG_READ_ARENA_H
#define LIBXLOG_READ_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;	/* the newest first */
	uint8_t		*last;		/* newest piece, in chunks */
};

/* @len bytes at an address that is a multiple of 8, or NULL. */
void *arena_alloc(struct arena *a, size_t len);

/*
 * The piece @p of @len bytes made @more longer: moved unless it was the newest
 * and has room. Contents kept. NULL: out of memory, @p unchanged.
 */
void *arena_grow(struct arena *a, void *p, size_t len, size_t more);

/* Free everything; the largest chunk is kept for the next transaction. */
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
