/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a run has come to: the jobs and the log have counted, each for itself.
 */
#include "libxlog/meta/bench.h"

_Static_assert(HIST_BUCKETS == (int)XLOG_BENCH_BUCKETS, "as xlog_bench.h says");
_Static_assert(LOG_CAUSES == (int)XLOG_BENCH_WAITS &&
	       LOG_CAUSE_AIL == (int)XLOG_BENCH_WAIT_AIL, "in the same order");
_Static_assert(LOG_TIMES + XLOG_BENCH_FORCES == (int)XLOG_BENCH_TIMED &&
	       LOG_TIME_RECORD + XLOG_BENCH_FORCES == (int)XLOG_BENCH_RECORDS,
	       "in the same order");

static void add_times(struct xlog_bench_times *times, const struct hist *h)
{
	uint64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);

	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		times->bucket[i] += atomic_load_explicit(&h->bucket[i],
							 memory_order_relaxed);
	if (max > times->max_ns)
		times->max_ns = max;
}

static void add_job(struct xlog_bench_result *res, const struct bench_job *job)
{
	res->tx += atomic_load_explicit(&job->tx, memory_order_relaxed);
	res->changes += atomic_load_explicit(&job->changes,
					     memory_order_relaxed);
	res->forces += atomic_load_explicit(&job->forces,
					    memory_order_relaxed);
	add_times(&res->times[XLOG_BENCH_TX], &job->hist);
}

static void add_lines(struct xlog_bench_result *res,
		      const uint64_t s[LOG_STATS])
{
	const uint64_t bb = BB_SIZE, sync = res->forces + s[LOG_STAT_SYNC];

	memcpy(res->log_line, (uint64_t[]){
		res->records, res->written_bytes / bb,
		res->wait[XLOG_BENCH_WAIT_ICLOG].sleeps, s[LOG_STAT_FORCES],
		res->wait[XLOG_BENCH_WAIT_FORCE].sleeps,
	}, sizeof(res->log_line));
	memcpy(res->trans_line, (uint64_t[]){
		sync, s[LOG_STAT_COMMITS] - sync, s[LOG_STAT_EMPTY],
	}, sizeof(res->trans_line));
	memcpy(res->push_ail_line, (uint64_t[]){
		s[LOG_STAT_TICKETS], res->wait[XLOG_BENCH_WAIT_GRANT].sleeps,
		s[LOG_STAT_PUSHES], s[LOG_STAT_PUSHED], 0,
		s[LOG_STAT_PUSH_PINNED], s[LOG_STAT_PUSH_LOCKED],
		s[LOG_STAT_PUSH_FLUSHING], 0, s[LOG_STAT_PUSH_FLUSHES],
	}, sizeof(res->push_ail_line));
}

static void add_counts(struct xlog_bench_result *res, struct log *log)
{
	uint64_t s[LOG_STATS];

	log_stats_read(log, s);
	res->checkpoints = s[LOG_STAT_CHECKPOINTS];
	res->vectors = s[LOG_STAT_VECTORS];
	res->regions = s[LOG_STAT_REGIONS];
	res->checkpoint_bytes = s[LOG_STAT_CHECKPOINT_BYTES];
	res->most_vectors = s[LOG_STAT_MOST_VECTORS];
	res->most_bytes = s[LOG_STAT_MOST_BYTES];
	res->records = s[LOG_STAT_RECORDS];
	res->written_bytes = s[LOG_STAT_WRITTEN_BYTES];
	res->formatted_bytes = s[LOG_STAT_FORMATTED_BYTES];
	res->relogged_bytes = s[LOG_STAT_RELOGGED_BYTES];
	for (unsigned int i = 0; i < LOG_CAUSES; i++) {
		res->wait[i].sleeps = s[LOG_STAT_SLEEPS + i];
		res->wait[i].ns = s[LOG_STAT_SLEPT_NS + i];
	}
	add_lines(res, s);
	for (unsigned int i = 0; i < LOG_TIMES; i++)
		add_times(&res->times[XLOG_BENCH_FORCES + i],
			  log_stat_times(log, (enum log_time)i));
}

void bench_fill_result(struct bench_load *l, struct xlog_bench_result *res)
{
	*res = (struct xlog_bench_result){
		.inodes = l->ninodes, .end_ns = res->end_ns,
		.run_ns = res->run_ns,
	};
	for (unsigned int i = 0; i < l->opts->jobs; i++)
		add_job(res, &l->b->job[i]);
	add_counts(res, l->m->fs.log);
}

uint64_t xlog_bench_times_count(const struct xlog_bench_times *times)
{
	uint64_t all = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		all += times->bucket[i];
	return all;
}

uint64_t xlog_bench_times_ns(const struct xlog_bench_times *times,
			     double percent)
{
	double wanted = percent / 100 * (double)xlog_bench_times_count(times);
	uint64_t seen = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += times->bucket[i];
		if (seen && (double)seen >= wanted) {
			uint64_t ns = hist_bucket_max(i);

			return ns < times->max_ns ? ns : times->max_ns;
		}
	}
	return times->max_ns;
}
