/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The buffers that the log names: a hash table by place, filled in log order,
 * that remembers of each only the last checkpoints that changed and cancelled
 * it. That is all it takes to know which items count. Images are not trusted,
 * so the hash is keyed at random. See replay.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "libxlog/replay/replay.h"

enum {
	FIRST_SLOTS = 1024,		/* a power of 2 */
	NONE = UINT32_MAX,
};

struct slot {
	uint64_t	daddr;
	uint32_t	len_bb;		/* 0: unused */
	uint32_t	last_seq;	/* checkpoint that changed it last, or 0 */
	uint32_t	cancel_seq;	/* that cancelled it last, or 0 */
	uint32_t	number;		/* of a live target, once sorted */
};

struct target_table {
	struct slot	*slots;
	size_t		nslots;		/* a power of 2 */
	size_t		used;
	uint32_t	*order;		/* slots of live targets, by place */
	size_t		live;
	uint32_t	max_len_bb;	/* of any target */
	uint64_t	max_bytes;
	uint64_t	key;
};

static bool is_live(const struct slot *s)
{
	return s->last_seq > s->cancel_seq;
}

struct target_table *targets_new(uint64_t max_bytes)
{
	struct target_table *tt = calloc(1, sizeof(*tt));

	if (!tt)
		return NULL;
	tt->max_bytes = max_bytes;
	tt->nslots = FIRST_SLOTS;
	tt->slots = calloc(tt->nslots, sizeof(*tt->slots));
	if (!tt->slots) {
		free(tt);
		return NULL;
	}
	/* without random numbers it is only slower on hostile images */
	if (getrandom(&tt->key, sizeof(tt->key), GRND_NONBLOCK) < 0)
		tt->key = (uintptr_t)tt;
	return tt;
}

void targets_free(struct target_table *tt)
{
	if (!tt)
		return;
	free(tt->order);
	free(tt->slots);
	free(tt);
}

uint64_t targets_bytes(const struct target_table *tt)
{
	return tt->nslots * sizeof(*tt->slots) +
	       (tt->order ? tt->live * sizeof(*tt->order) : 0);
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= UINT64_C(0x7fb5d329728ea185);
	x ^= x >> 27;
	x *= UINT64_C(0x81dadef4bc2dd44d);
	return x ^ x >> 33;
}

/* The slot of the buffer, or the unused one where it belongs. */
static struct slot *slot_of(const struct target_table *tt, uint64_t daddr,
			    uint32_t len_bb)
{
	size_t i = (size_t)mix(mix(daddr ^ tt->key) + len_bb);

	for (;; i++) {
		struct slot *s = &tt->slots[i & (tt->nslots - 1)];

		if (!s->len_bb || (s->daddr == daddr && s->len_bb == len_bb))
			return s;
	}
}

static int grow(struct target_table *tt)
{
	struct slot *old = tt->slots;
	size_t n = tt->nslots;

	/* both tables are there for a moment */
	if (n > UINT32_MAX / 2 || 3 * n * sizeof(*old) > tt->max_bytes)
		return -E2BIG;
	tt->slots = calloc(n * 2, sizeof(*old));
	if (!tt->slots) {
		tt->slots = old;
		return -ENOMEM;
	}
	tt->nslots = n * 2;
	for (size_t i = 0; i < n; i++)
		if (old[i].len_bb)
			*slot_of(tt, old[i].daddr, old[i].len_bb) = old[i];
	free(old);
	return 0;
}

/* The slot of the buffer, new or not. */
static int slot_get(struct target_table *tt, uint64_t daddr, uint32_t len_bb,
		    struct slot **out)
{
	int rc;

	assert(len_bb && !tt->order);
	if (tt->used >= tt->nslots / 4 * 3) {
		rc = grow(tt);
		if (rc)
			return rc;
	}
	*out = slot_of(tt, daddr, len_bb);
	if ((*out)->len_bb)
		return 0;
	**out = (struct slot){ .daddr = daddr, .len_bb = len_bb,
			       .number = NONE };
	tt->used++;
	return 0;
}

int targets_add(struct target_table *tt, uint64_t daddr, uint32_t len_bb,
		uint32_t seq)
{
	struct slot *s;
	int rc = slot_get(tt, daddr, len_bb, &s);

	if (rc)
		return rc;
	s->last_seq = seq;
	if (len_bb > tt->max_len_bb)
		tt->max_len_bb = len_bb;
	return 0;
}

int targets_cancel(struct target_table *tt, uint64_t daddr, uint32_t len_bb,
		   uint32_t seq)
{
	struct slot *s;
	int rc = slot_get(tt, daddr, len_bb, &s);

	if (!rc)
		s->cancel_seq = seq;
	return rc;
}

bool targets_cancelled(const struct target_table *tt, uint64_t daddr,
		       uint32_t len_bb, uint32_t seq)
{
	const struct slot *s = slot_of(tt, daddr, len_bb);

	return s->len_bb && s->cancel_seq >= seq;
}

static int by_place(const void *a, const void *b, void *ctx)
{
	const struct slot *slots = ctx;
	const struct slot *s = &slots[*(const uint32_t *)a];
	const struct slot *t = &slots[*(const uint32_t *)b];

	if (s->daddr != t->daddr)
		return s->daddr < t->daddr ? -1 : 1;
	return s->len_bb < t->len_bb ? -1 : s->len_bb > t->len_bb;
}

int targets_sort(struct target_table *tt)
{
	size_t n = 0;

	for (size_t i = 0; i < tt->nslots; i++)
		n += tt->slots[i].len_bb && is_live(&tt->slots[i]);
	if (targets_bytes(tt) + n * sizeof(*tt->order) > tt->max_bytes)
		return -E2BIG;
	tt->order = malloc((n ? n : 1) * sizeof(*tt->order));
	if (!tt->order)
		return -ENOMEM;
	tt->live = 0;
	for (size_t i = 0; i < tt->nslots; i++)
		if (tt->slots[i].len_bb && is_live(&tt->slots[i]))
			tt->order[tt->live++] = (uint32_t)i;
	qsort_r(tt->order, tt->live, sizeof(*tt->order), by_place, tt->slots);
	for (size_t i = 0; i < tt->live; i++)
		tt->slots[tt->order[i]].number = (uint32_t)i;
	return 0;
}

size_t targets_count(const struct target_table *tt)
{
	return tt->live;
}

struct target_place targets_at(const struct target_table *tt, size_t i)
{
	const struct slot *s = &tt->slots[tt->order[i]];

	return (struct target_place){ s->daddr, s->len_bb };
}

ssize_t targets_find(const struct target_table *tt, uint64_t daddr,
		     uint32_t len_bb)
{
	const struct slot *s = slot_of(tt, daddr, len_bb);

	return s->len_bb && s->number != NONE ? (ssize_t)s->number : -1;
}

size_t targets_from(const struct target_table *tt, uint64_t daddr)
{
	uint64_t begin = daddr > tt->max_len_bb ? daddr - tt->max_len_bb : 0;
	size_t lo = 0, hi = tt->live;

	/* no target that begins before @begin reaches @daddr */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (targets_at(tt, mid).daddr < begin)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo < tt->live) {
		struct target_place at = targets_at(tt, lo);

		if (at.daddr + at.len_bb > daddr)
			break;
		lo++;
	}
	return lo;
}
