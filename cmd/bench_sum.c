/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Results of several runs, added up.
 */
#include "cmd/bench.h"

static void add_all(uint64_t *all, const uint64_t *one, size_t count)
{
	for (size_t i = 0; i < count; i++)
		all[i] += one[i];
}

#define ADD_ARRAY(all, one, field)					\
	add_all((all)->field, (one)->field,				\
		sizeof((all)->field) / sizeof((all)->field[0]))

static void raise_to(uint64_t *most, uint64_t one)
{
	if (one > *most)
		*most = one;
}

static void add_times(struct xlog_bench_times *all,
		      const struct xlog_bench_times *one)
{
	ADD_ARRAY(all, one, bucket);
	raise_to(&all->max_ns, one->max_ns);
}

static void add_log(struct xlog_bench_result *all,
		    const struct xlog_bench_result *one)
{
	all->checkpoints += one->checkpoints;
	all->vectors += one->vectors;
	all->regions += one->regions;
	all->checkpoint_bytes += one->checkpoint_bytes;
	raise_to(&all->most_vectors, one->most_vectors);
	raise_to(&all->most_bytes, one->most_bytes);
	all->records += one->records;
	all->written_bytes += one->written_bytes;
	all->formatted_bytes += one->formatted_bytes;
	all->relogged_bytes += one->relogged_bytes;
	for (unsigned int i = 0; i < XLOG_BENCH_WAITS; i++) {
		all->wait[i].sleeps += one->wait[i].sleeps;
		all->wait[i].ns += one->wait[i].ns;
	}
	ADD_ARRAY(all, one, log_line);
	ADD_ARRAY(all, one, trans_line);
	ADD_ARRAY(all, one, push_ail_line);
}

void bench_add(struct xlog_bench_result *all,
	       const struct xlog_bench_result *one)
{
	all->inodes = one->inodes;
	all->tx += one->tx;
	all->changes += one->changes;
	all->forces += one->forces;
	all->run_ns += one->run_ns;
	all->end_ns += one->end_ns;
	add_log(all, one);
	for (unsigned int i = 0; i < XLOG_BENCH_TIMED; i++)
		add_times(&all->times[i], &one->times[i]);
	all->crashed |= one->crashed;
	all->wrote |= one->wrote;
	all->verified = one->verified;
	all->forced += one->forced;
	all->recovered += one->recovered;
	all->mismatches += one->mismatches;
}
