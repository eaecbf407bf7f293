/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trace events: from where they happen to whoever wants them; see trace.h. All
 * of this is off the path of those that nobody wants.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libxlog/base/sync.h"
#include "libxlog/obs/trace.h"

#ifdef XLOG_SDT
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
#ifdef __clang__	/* which looks into macros of other people */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif
#define PROBE(name, a)							\
	STAP_PROBE8(xlog, name, (a)[0], (a)[1], (a)[2], (a)[3], (a)[4],	\
		    (a)[5], (a)[6], (a)[7])
#else
#define PROBE(name, a)	((void)(a))
#endif

/* Tracers find them by name, and count themselves in there. */
#define SEMAPHORE(name, keys)						\
	_Atomic unsigned short xlog_##name##_semaphore			\
		__attribute__((section(".probes"), used));
TRACE_ALL(SEMAPHORE)

#define SEMAPHORE_OF(name, keys) &xlog_##name##_semaphore,
static _Atomic unsigned short *const semaphores[] = { TRACE_ALL(SEMAPHORE_OF) };

#define NAME_OF(name, keys)	#name,
static const char *const names[] = { TRACE_ALL(NAME_OF) };

#define KEYS_OF(name, keys)	keys,
static const char *const all_keys[] = { TRACE_ALL(KEYS_OF) };

/* --- the sink --- */

typedef void trace_fn(void *ctx, const struct trace_record *r);
typedef void trace_line_fn(void *ctx, const char *line, size_t bytes);

static struct {
	struct xmutex	lock;		/* innermost of all */
	/* (lock) */
	bool		started;
	bool		wanted[TRACE_EVENTS];
	trace_fn	*take;		/* one of these two */
	trace_line_fn	*take_line;
	void		*ctx;
	uint64_t	start_ns;
	unsigned int	round;		/* how often it was started */
	unsigned int	threads;	/* seen in this round */
} sink = { .lock = { .m = PTHREAD_MUTEX_INITIALIZER } };

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static unsigned int my_number_locked(void) REQUIRES(sink.lock)
{
	static _Thread_local unsigned int round, number;

	if (round != sink.round) {
		round = sink.round;
		number = ++sink.threads;
	}
	return number;
}

static void probe(enum trace_event event, const uint64_t *args)
{
	switch (event) {
#define CASE(name, keys)						\
	case TRACE_##name:						\
		PROBE(name, args);					\
		break;
	TRACE_ALL(CASE)
	default:
		assert(false);
	}
}

static void hand_over_locked(const struct trace_record *r) REQUIRES(sink.lock)
{
	char line[TRACE_LINE_BYTES];

	if (sink.take)
		sink.take(sink.ctx, r);
	else
		sink.take_line(sink.ctx, line, trace_format(line, r));
}

void trace_emit(enum trace_event event, const uint64_t args[TRACE_MAX_ARGS])
{
	probe(event, args);
	xmutex_lock(&sink.lock);
	if (sink.started && sink.wanted[event])
		hand_over_locked(&(struct trace_record){
			.event = event, .thread = my_number_locked(),
			.ns = now_ns() - sink.start_ns, .args = args,
		});
	xmutex_unlock(&sink.lock);
}

static int start(const bool *wanted, trace_fn *take, trace_line_fn *take_line,
		 void *ctx)
{
	int rc = 0;

	xmutex_lock(&sink.lock);
	if (sink.started) {
		rc = -EBUSY;
	} else {
		sink.started = true;
		memcpy(sink.wanted, wanted, sizeof(sink.wanted));
		sink.take = take;
		sink.take_line = take_line;
		sink.ctx = ctx;
		sink.start_ns = now_ns();
		sink.round++;
		sink.threads = 0;
	}
	xmutex_unlock(&sink.lock);
	for (unsigned int i = 0; i < TRACE_EVENTS && !rc; i++)
		if (wanted[i])
			atomic_fetch_add(semaphores[i], 1);
	return rc;
}

int trace_start(const bool wanted[TRACE_EVENTS], trace_fn *take, void *ctx)
{
	return start(wanted, take, NULL, ctx);
}

void trace_stop(void)
{
	xmutex_lock(&sink.lock);
	for (unsigned int i = 0; i < TRACE_EVENTS && sink.started; i++)
		if (sink.wanted[i])
			atomic_fetch_sub(semaphores[i], 1);
	sink.started = false;
	xmutex_unlock(&sink.lock);
}

/* --- lines --- */

static int put_value(char *at, size_t room, char kind, uint64_t v)
{
	switch (kind) {
	case 'u':
		return snprintf(at, room, "%" PRIu64, v);
	case 'd':
		return snprintf(at, room, "%" PRId64, (int64_t)v);
	case 'x':
		return snprintf(at, room, "0x%" PRIx64, v);
	case 'l':
		return snprintf(at, room, "%u:%u", xlog_lsn_cycle(v),
				xlog_lsn_block(v));
	case 'q':
		return snprintf(at, room, "\"%s\"", (const char *)(uintptr_t)v);
	default:
		assert(kind == 's');
		return snprintf(at, room, "%s", (const char *)(uintptr_t)v);
	}
}

size_t trace_format(char line[TRACE_LINE_BYTES], const struct trace_record *r)
{
	const char *keys = all_keys[r->event];
	size_t used, arg = 0;

	used = (size_t)snprintf(line, TRACE_LINE_BYTES, "%" PRIu64 ".%09u %u %s",
				r->ns / 1000000000,
				(unsigned int)(r->ns % 1000000000), r->thread,
				names[r->event]);
	while (*keys) {
		size_t len = strcspn(keys, ":");

		assert(arg < TRACE_MAX_ARGS);
		used += (size_t)snprintf(line + used, TRACE_LINE_BYTES - used,
					 " %.*s=", (int)len, keys);
		used += (size_t)put_value(line + used, TRACE_LINE_BYTES - used,
					  keys[len + 1], r->args[arg++]);
		/* static words are short: all of it fits */
		assert(used < TRACE_LINE_BYTES - 1);
		keys += len + 2;
		keys += *keys == ' ';
	}
	line[used++] = '\n';
	line[used] = '\0';
	return used;
}

/* --- for those outside of the library --- */

const char *xlog_trace_event(unsigned int index)
{
	return index < TRACE_EVENTS ? names[index] : NULL;
}

int xlog_trace_start(const bool *wanted,
		     void (*take)(void *ctx, const char *line, size_t bytes),
		     void *ctx)
{
	return start(wanted, NULL, take, ctx);
}

void xlog_trace_stop(void)
{
	trace_stop();
}
