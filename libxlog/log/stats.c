/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the engine counts; see stats.h.
 */
#include <time.h>

#include "libxlog/log/log_priv.h"

static _Thread_local bool is_own;

void log_stat_own_thread(void)
{
	is_own = true;
}

static unsigned int my_row(void)
{
	static _Atomic unsigned int threads;
	static _Thread_local unsigned int me;

	if (!me)
		me = atomic_fetch_add_explicit(&threads, 1,
					       memory_order_relaxed) + 1;
	return me % LOG_STAT_ROWS;
}

void log_stat_add(struct log *log, enum log_stat which, uint64_t n)
{
	atomic_fetch_add_explicit(&log->stats.row[my_row()].sum[which], n,
				  memory_order_relaxed);
}

static void most(struct log *log, enum log_stat which, uint64_t n)
{
	_Atomic uint64_t *at = &log->stats.row[my_row()].sum[which];
	uint64_t old = atomic_load_explicit(at, memory_order_relaxed);

	while (n > old &&
	       !atomic_compare_exchange_weak_explicit(at, &old, n,
						      memory_order_relaxed,
						      memory_order_relaxed))
		;
}

void log_stat_checkpoint(struct log *log, uint64_t vectors, uint64_t regions,
			 uint64_t bytes)
{
	log_stat_add(log, LOG_STAT_CHECKPOINTS, 1);
	log_stat_add(log, LOG_STAT_VECTORS, vectors);
	log_stat_add(log, LOG_STAT_REGIONS, regions);
	log_stat_add(log, LOG_STAT_CHECKPOINT_BYTES, bytes);
	most(log, LOG_STAT_MOST_VECTORS, vectors);
	most(log, LOG_STAT_MOST_BYTES, bytes);
}

void log_stat_format(struct log *log, uint64_t used_bytes, int64_t grown)
{
	uint64_t replaced = used_bytes - (uint64_t)grown;

	log_stat_add(log, LOG_STAT_FORMATTED_BYTES, used_bytes);
	if (replaced)
		log_stat_add(log, LOG_STAT_RELOGGED_BYTES, replaced);
}

uint64_t log_stat_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static enum log_cause cause_of(const struct log *log, const struct xcond *cond)
{
	if (cond == &log->writable)
		return LOG_CAUSE_ICLOG;
	if (cond == &log->cil.switched)
		return LOG_CAUSE_CIL;
	if (cond == &log->cil.progress || cond == &log->done)
		return LOG_CAUSE_FORCE;
	for (unsigned int i = 0; i < CIL_WAITED; i++)
		if (cond == &log->cil.durable[i])
			return LOG_CAUSE_FORCE;
	/* what is none of the log's is that of one who waits for space */
	return cond == &log->ail.emptied ? LOG_CAUSE_AIL : LOG_CAUSE_GRANT;
}

void log_stat_slept(struct log *log, const struct xcond *cond,
		    uint64_t began_ns)
{
	enum log_cause cause = cause_of(log, cond);

	if (is_own && cause != LOG_CAUSE_ICLOG)
		return;
	log_stat_add(log, LOG_STAT_SLEEPS + cause, 1);
	log_stat_add(log, LOG_STAT_SLEPT_NS + cause,
		     log_stat_clock() - began_ns);
}

void log_stat_time(struct log *log, enum log_time which, uint64_t began_ns)
{
	hist_add_shared(&log->stats.time[which], log_stat_clock() - began_ns);
}

const struct hist *log_stat_times(const struct log *log, enum log_time which)
{
	return &log->stats.time[which];
}

static bool is_most(unsigned int which)
{
	return which == LOG_STAT_MOST_VECTORS || which == LOG_STAT_MOST_BYTES;
}

void log_stats_read(struct log *log, uint64_t sum[LOG_STATS])
{
	for (unsigned int i = 0; i < LOG_STATS; i++) {
		sum[i] = 0;
		for (unsigned int r = 0; r < LOG_STAT_ROWS; r++) {
			uint64_t n = atomic_load_explicit(
				&log->stats.row[r].sum[i],
				memory_order_relaxed);

			if (!is_most(i))
				sum[i] += n;
			else if (n > sum[i])
				sum[i] = n;
		}
	}
}
