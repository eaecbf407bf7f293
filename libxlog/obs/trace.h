/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trace events. TRACE() stands where something happens:
 *
 *	TRACE(xfs_log_force, seq, wait);
 *
 * Whether anybody wants the event is said by a word of its own, which is 0 if
 * not: that one branch is all it costs then; arguments are not evaluated. It is
 * also the semaphore of a static probe of that name, so that a tracer outside
 * the process switches the event on in the same way.
 *
 * Events are the process's, as its static probes are, and go to one sink.
 */
#ifndef LIBXLOG_OBS_TRACE_H
#define LIBXLOG_OBS_TRACE_H

#include <stdatomic.h>

#include "libxlog/base/err.h"
#include "libxlog/obs/trace_events.h"

#define TRACE_ENUM(name, keys)	TRACE_##name,
enum trace_event { TRACE_ALL(TRACE_ENUM) TRACE_EVENTS };
#undef TRACE_ENUM

#define TRACE_SEMAPHORE(name, keys)					\
	extern _Atomic unsigned short xlog_##name##_semaphore;
TRACE_ALL(TRACE_SEMAPHORE)
#undef TRACE_SEMAPHORE

enum { TRACE_MAX_ARGS = 8, TRACE_LINE_BYTES = 512 };

/* What follows @event: its arguments, each as 64 bits. */
#define TRACE(event, ...)						\
	do {								\
		if (trace_is_on(&xlog_##event##_semaphore))		\
			trace_emit(TRACE_##event,			\
				   (const uint64_t[TRACE_MAX_ARGS]){	\
					   __VA_ARGS__ });		\
	} while (0)

static inline bool trace_is_on(const _Atomic unsigned short *semaphore)
{
	return __builtin_expect(atomic_load_explicit(semaphore,
						     memory_order_relaxed) != 0,
				0);
}

/* Arguments that are no unsigned numbers. */
static inline uint64_t trace_str(const char *s)
{
	return (uint64_t)(uintptr_t)s;
}

static inline uint64_t trace_int(int64_t v)
{
	return (uint64_t)v;
}

void trace_emit(enum trace_event event,
		const uint64_t args[TRACE_MAX_ARGS]) __attribute__((cold));

/* --- who wants them --- */

struct trace_record {
	enum trace_event event;
	unsigned int	thread;		/* 1: the first that was seen */
	uint64_t	ns;		/* since trace_start() */
	const uint64_t	*args;
};

/*
 * As xlog_trace_start(), with the event as it is. @take may hold its thread up,
 * or look at it; any lock of the library may be held.
 */
int trace_start(const bool wanted[TRACE_EVENTS],
		void (*take)(void *ctx, const struct trace_record *r),
		void *ctx) MUST_CHECK;
void trace_stop(void);

/* The line of @r, with a newline and a NUL. Returns its length without that. */
size_t trace_format(char line[TRACE_LINE_BYTES], const struct trace_record *r);

#endif
