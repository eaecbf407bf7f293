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

static void add_log(struct xlog_bench_result *all,
		    const struct xlog_bench_result *one)
{
	all->checkpoints += one->checkpoints;
	all->vectors += one->vectors;
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
	ADD_ARRAY(all, one, latency);
	if (one->latency_max_ns > all->latency_max_ns)
		all->latency_max_ns = one->latency_max_ns;
	all->crashed |= one->crashed;
	all->wrote |= one->wrote;
	all->verified = one->verified;
	all->forced += one->forced;
	all->recovered += one->recovered;
	all->mismatches += one->mismatches;
}
