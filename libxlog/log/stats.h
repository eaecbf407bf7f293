/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the engine counts. Each thread adds to one of several rows, so that
 * counting costs no more than a store to its own cache; whoever wants to know
 * adds them up. Sums that are read while others count are each right as of some
 * moment, not of the same one.
 */
#ifndef LIBXLOG_LOG_STATS_H
#define LIBXLOG_LOG_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "libxlog/obs/hist.h"

struct log;
struct xcond;

enum log_stat {
	LOG_STAT_COMMITS,
	LOG_STAT_FORMATTED_BYTES,	/* of vectors, by all commits */
	LOG_STAT_RELOGGED_BYTES,	/* of those, replaced in the CIL */
	LOG_STAT_CHECKPOINTS,
	LOG_STAT_VECTORS,		/* in checkpoints */
	LOG_STAT_REGIONS,		/* of those */
	LOG_STAT_CHECKPOINT_BYTES,	/* as the vectors had them */
	LOG_STAT_MOST_VECTORS,		/* in one checkpoint */
	LOG_STAT_MOST_BYTES,
	LOG_STAT_RECORDS,
	LOG_STAT_WRITTEN_BYTES,		/* of records */
	LOG_STAT_FORCES,
	LOG_STAT_TICKETS,
	LOG_STAT_SYNC,			/* commits that were forced at once */
	LOG_STAT_EMPTY,			/* that changed nothing */
	LOG_STAT_PUSHES,		/* of the AIL, that found something */
	LOG_STAT_PUSHED,		/* items, in the order of enum log_push */
	LOG_STAT_PUSH_PINNED,
	LOG_STAT_PUSH_LOCKED,
	LOG_STAT_PUSH_FLUSHING,
	LOG_STAT_PUSH_FLUSHES,		/* of the log, for what is pinned */
	/* Sleeps by cause, and the time they took. Of callers, but for ICLOG */
	LOG_STAT_SLEEPS,
	LOG_STAT_SLEPT_NS = LOG_STAT_SLEEPS + 5,
	LOG_STATS = LOG_STAT_SLEPT_NS + 5,
};

enum log_cause {
	LOG_CAUSE_GRANT,	/* no space in the log */
	LOG_CAUSE_ICLOG,	/* all iclogs are being written */
	LOG_CAUSE_CIL,		/* there is far too much in the CIL */
	LOG_CAUSE_FORCE,	/* a force */
	LOG_CAUSE_AIL,		/* for all to be written back */
	LOG_CAUSES,
};
_Static_assert(LOG_CAUSES == LOG_STAT_SLEPT_NS - LOG_STAT_SLEEPS,
	       "one of each for every cause");

/* What is timed. */
enum log_time {
	LOG_TIME_FORCE,		/* forces that wait */
	LOG_TIME_CHECKPOINT,	/* from its push until it is durable; none with
				   LOG_DIRECT, where each commit is one */
	LOG_TIME_RECORD,	/* its write, with the flushes around it */
	LOG_TIMES,
};

enum { LOG_STAT_ROWS = 16 };	/* a power of two */

struct log_stats {
	struct {
		_Alignas(64) _Atomic uint64_t sum[LOG_STATS];
	} row[LOG_STAT_ROWS];
	struct hist	time[LOG_TIMES];
};

void log_stat_add(struct log *log, enum log_stat which, uint64_t n);

/* A checkpoint is written. */
void log_stat_checkpoint(struct log *log, uint64_t vectors, uint64_t regions,
			 uint64_t bytes);

/* A vector of @used_bytes was formatted, and the CIL is larger by @grown. */
void log_stat_format(struct log *log, uint64_t used_bytes, int64_t grown);

/* This thread is the log's own: nobody waits when it does. */
void log_stat_own_thread(void);

/* Around the sleep on @cond. */
uint64_t log_stat_clock(void);
void log_stat_slept(struct log *log, const struct xcond *cond,
		    uint64_t began_ns);

/* It has taken from @began_ns until now. */
void log_stat_time(struct log *log, enum log_time which, uint64_t began_ns);
const struct hist *log_stat_times(const struct log *log, enum log_time which);

/* All sums so far. */
void log_stats_read(struct log *log, uint64_t sum[LOG_STATS]);

#endif
