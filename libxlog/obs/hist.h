/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A histogram of durations: sixteen buckets for each power of two, so that what
 * it says is within a sixteenth of the truth, from one nanosecond to centuries.
 * Others may look while it is counted in.
 */
#ifndef LIBXLOG_OBS_HIST_H
#define LIBXLOG_OBS_HIST_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	HIST_SHIFT = 4,
	HIST_PER_POWER = 1 << HIST_SHIFT,
	/* values below the first power have a bucket each */
	HIST_BUCKETS = (64 - HIST_SHIFT + 1) << HIST_SHIFT,
};

struct hist {
	_Atomic uint64_t bucket[HIST_BUCKETS];
	_Atomic uint64_t max;
};

static inline unsigned int hist_bucket_of(uint64_t value)
{
	unsigned int power;

	if (value < HIST_PER_POWER)
		return (unsigned int)value;
	power = 63 - (unsigned int)__builtin_clzll(value);
	return ((power - HIST_SHIFT + 1) << HIST_SHIFT) |
	       (unsigned int)(value >> (power - HIST_SHIFT) &
			      (HIST_PER_POWER - 1));
}

/* The largest value that goes into @bucket. */
static inline uint64_t hist_bucket_max(unsigned int bucket)
{
	unsigned int shift;
	uint64_t first;

	if (bucket < HIST_PER_POWER)
		return bucket;
	shift = (bucket >> HIST_SHIFT) - 1;
	first = (uint64_t)(HIST_PER_POWER | (bucket & (HIST_PER_POWER - 1)))
		<< shift;
	return first + ((UINT64_C(1) << shift) - 1);
}

/* Only ever from one thread: no need to make it one step. */
static inline void hist_add(struct hist *h, uint64_t value)
{
	_Atomic uint64_t *b = &h->bucket[hist_bucket_of(value)];

	atomic_store_explicit(b, atomic_load_explicit(b, memory_order_relaxed)
			      + 1, memory_order_relaxed);
	if (value > atomic_load_explicit(&h->max, memory_order_relaxed))
		atomic_store_explicit(&h->max, value, memory_order_relaxed);
}

/* From any thread. */
static inline void hist_add_shared(struct hist *h, uint64_t value)
{
	uint64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);

	atomic_fetch_add_explicit(&h->bucket[hist_bucket_of(value)], 1,
				  memory_order_relaxed);
	while (value > max &&
	       !atomic_compare_exchange_weak_explicit(&h->max, &max, value,
						      memory_order_relaxed,
						      memory_order_relaxed))
		;
}

#endif
