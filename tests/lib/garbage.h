/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bad input for walks. From one good structure come many that are cut short,
 * filled with one byte, filled at random, or changed in a few places; each is
 * in memory of exactly its size, so that ASan sees a read past its end. A
 * walk must also show the same whatever the chunks hold that are not there.
 * What a walk shows is taken in by a receiver that reads every byte of it and
 * keeps a checksum of all.
 */
#ifndef TESTS_LIB_GARBAGE_H
#define TESTS_LIB_GARBAGE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/walk.h"

struct garbage_sum {
	uint64_t	sum;
	size_t		shown;		/* values and groups */
	int		depth;
};

static void garbage_mix(struct garbage_sum *s, uint64_t v)
{
	s->sum = (s->sum ^ v) * UINT64_C(0x100000001b3) + 1;
}

static void garbage_name(struct garbage_sum *s, const char *name)
{
	s->shown++;
	while (*name)
		garbage_mix(s, (uint8_t)*name++);
}

static void garbage_enter(void *ctx, const char *name, long index)
{
	struct garbage_sum *s = ctx;

	garbage_name(s, name);
	garbage_mix(s, (uint64_t)index);
	s->depth++;
}

static void garbage_leave(void *ctx)
{
	struct garbage_sum *s = ctx;

	s->depth--;
	garbage_mix(s, 7);
}

static void garbage_bytes(void *ctx, const char *name,
			  enum xfs_field_kind kind, const void *data,
			  size_t len_bytes)
{
	const uint8_t *p = data;

	(void)kind;
	garbage_name(ctx, name);
	for (size_t i = 0; i < len_bytes; i++)
		garbage_mix(ctx, p[i]);
}

static void garbage_field(void *ctx, const struct xfs_field *f,
			  const void *base, enum xfs_order order)
{
	garbage_name(ctx, f->name);
	if (f->type == XFS_TYPE_bytes)
		garbage_bytes(ctx, f->name, XFS_KIND_BYTES,
			      (const uint8_t *)base + f->off_bytes, f->count);
	else
		for (unsigned int i = 0; i < f->count; i++)
			garbage_mix(ctx, xfs_field_value(f, base, i, order));
}

static void garbage_value(void *ctx, const char *name,
			  enum xfs_field_kind kind, uint64_t value)
{
	(void)kind;
	garbage_name(ctx, name);
	garbage_mix(ctx, value);
}

static const struct xfs_walk_ops garbage_ops = {
	.enter = garbage_enter,
	.leave = garbage_leave,
	.field = garbage_field,
	.value = garbage_value,
	.bytes = garbage_bytes,
};

/* The same numbers in every run and on every machine. */
static uint32_t garbage_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
		 UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/* Something to show the @len_bytes at @raw with; @w has them. */
typedef void (*garbage_fn)(const struct xfs_walk *w);

static struct garbage_sum garbage_show(garbage_fn fn, const uint8_t *raw,
				       size_t len_bytes,
				       const uint32_t *chunks,
				       const struct xfs_geom *geom)
{
	struct garbage_sum sum = { .sum = 1 };
	struct xfs_walk w = {
		.base = raw, .len_bytes = len_bytes, .chunks = chunks,
		.geom = geom, .ops = &garbage_ops, .ctx = &sum,
	};

	fn(&w);
	cr_assert_eq(sum.depth, 0);
	return sum;
}

enum { GARBAGE_MAX_BYTES = 65536 };

/* Bytes that are not there, twice different: it must not matter. */
static void garbage_holes(garbage_fn fn, const uint8_t *raw, size_t len_bytes,
			  const struct xfs_geom *geom, uint64_t *state)
{
	uint32_t chunks[GARBAGE_MAX_BYTES / XFS_CHUNK_BYTES / 32] = { 0 };
	uint8_t *one = malloc(len_bytes + 1), *two = malloc(len_bytes + 1);
	struct garbage_sum a, b;

	memcpy(one, raw, len_bytes);
	memcpy(two, raw, len_bytes);
	for (size_t c = 0; c * XFS_CHUNK_BYTES < len_bytes; c++) {
		size_t off = c * XFS_CHUNK_BYTES;

		if (garbage_random(state) % 3) {
			chunks[c / 32] |= UINT32_C(1) << c % 32;
			continue;
		}
		for (size_t i = off; i < len_bytes &&
		     i < off + XFS_CHUNK_BYTES; i++) {
			one[i] = (uint8_t)garbage_random(state);
			two[i] = (uint8_t)garbage_random(state);
		}
	}
	a = garbage_show(fn, one, len_bytes, chunks, geom);
	b = garbage_show(fn, two, len_bytes, chunks, geom);
	cr_assert_eq(a.sum, b.sum, "what is not there was looked at");
	free(one);
	free(two);
}

static void garbage_try(garbage_fn fn, const uint8_t *raw, size_t len_bytes,
			const struct xfs_geom *geom)
{
	uint8_t *exact = malloc(len_bytes ? len_bytes : 1);

	memcpy(exact, raw, len_bytes);
	garbage_show(fn, exact, len_bytes, NULL, geom);
	free(exact);
}

/* All of it, for @fn and the good structure of @len_bytes at @raw. */
__attribute__((unused))
static void garbage_all(garbage_fn fn, const uint8_t *raw, size_t len_bytes,
			const struct xfs_geom *geom)
{
	uint8_t *bad = malloc(len_bytes + 1);
	uint64_t state = 42;

	cr_assert_gt(garbage_show(fn, raw, len_bytes, NULL, geom).shown, 0);
	for (size_t n = 0; n < len_bytes; n += n < 300 ? 1 : 37)
		garbage_try(fn, raw, n, geom);
	for (int fill = 0; fill < 256; fill += 51) {
		memset(bad, fill, len_bytes);
		garbage_try(fn, bad, len_bytes, geom);
	}
	for (int run = 0; run < 400; run++) {
		unsigned int changes = 1 + garbage_random(&state) % 6;

		memcpy(bad, raw, len_bytes);
		for (unsigned int i = 0; i < changes; i++)
			bad[garbage_random(&state) %
			    (run % 2 && len_bytes > 128 ? 128 : len_bytes)] =
				(uint8_t)(garbage_random(&state) % 3 ?
					  garbage_random(&state) : 0xff);
		if (run % 8 == 0)
			for (size_t i = 0; i < len_bytes; i++)
				bad[i] = (uint8_t)garbage_random(&state);
		garbage_try(fn, bad, len_bytes, geom);
		garbage_holes(fn, bad, len_bytes, geom, &state);
		garbage_holes(fn, raw, len_bytes, geom, &state);
	}
	free(bad);
}

#endif
