/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What xlog-bench tells in JSON.
 */
#include "cmd/bench.h"

void bench_run_object(struct bench *b)
{
	const struct bench_opts *o = &b->opts;
	const struct xlog_bench_options *run = &o->run;
	const struct xlog_info *info = xlog_bench_info(b->b);
	struct jl *j = &b->json;

	jl_begin(j, "run");
	jl_str(j, "workload", bench_loads[run->load]);
	jl_uint(j, "jobs", run->jobs);
	jl_uint(j, "seed", run->seed);
	jl_str(j, "on", o->memory_bytes ? "memory" :
			o->scratch ? "device" : "overlay");
	jl_uint(j, "bbs", info->log_size_bb);
	jl_uint(j, "logversion", info->log_version);
	jl_str(j, "policy", run->flags & XLOG_BENCH_DIRECT ? "nodelaylog" :
							     "delaylog");
	jl_uint(j, "logbufs", run->logbufs ? run->logbufs : 8);
	jl_uint(j, "logbsize", bench_logbsize(b));
	jl_str(j, "sync", bench_syncs[run->sync]);
	jl_uint(j, "fsync_every", run->load == XLOG_BENCH_FSYNC ? 1 :
				  run->force_every);
	if (run->crash_unit)
		jl_str(j, "crash", bench_crashes[run->crash]);
	else
		jl_null(j, "crash");
	jl_end(j);
}

void bench_sample_object(struct bench *b,
			 const struct xlog_bench_result *sofar)
{
	struct jl *j = &b->json;

	jl_begin(j, "sample");
	jl_seconds(j, "seconds", sofar->run_ns);
	jl_uint(j, "tx", sofar->tx);
	jl_uint(j, "checkpoints", sofar->checkpoints);
	jl_uint(j, "log_records", sofar->records);
	jl_uint(j, "log_bytes", sofar->written_bytes);
	jl_end(j);
}

void bench_reservation_object(struct bench *b,
			      const struct xlog_bench_reservation *r)
{
	struct jl *j = &b->json;

	jl_begin(j, "reservation");
	jl_str(j, "name", r->name);
	jl_uint(j, "logres", r->logres_bytes);
	jl_uint(j, "logcount", r->logcount);
	jl_bool(j, "permanent", r->permanent);
	jl_uint(j, "unit", r->unit_bytes);
	if (r->used_bytes)
		jl_uint(j, "used", r->used_bytes);
	else
		jl_null(j, "used");
	jl_end(j);
}

/* --- the result --- */

static void counter_line(struct jl *j, const char *key, const uint64_t *values,
			 unsigned int count)
{
	jl_open(j, key, '[');
	for (unsigned int i = 0; i < count; i++)
		jl_element(j, values[i]);
	jl_close(j, ']');
}

static void wait_keys(struct jl *j, const struct xlog_bench_result *r)
{
	static const char *const causes[XLOG_BENCH_WAITS] = {
		"grant", "iclog", "cil", "force", "ail",
	};

	jl_open(j, "waits", '{');
	for (unsigned int i = 0; i < XLOG_BENCH_WAITS; i++) {
		jl_open(j, causes[i], '{');
		jl_uint(j, "sleeps", r->wait[i].sleeps);
		jl_uint(j, "ns", r->wait[i].ns);
		jl_close(j, '}');
	}
	jl_close(j, '}');
}

static void times_keys(struct bench *b, const char *key,
		       enum xlog_bench_timed what)
{
	struct jl *j = &b->json;

	jl_open(j, key, '{');
	for (unsigned int i = 0; i < b->opts.npercentiles; i++)
		jl_uint(j, b->opts.percentile[i].name,
			xlog_bench_times_ns(&b->res.times[what],
					    b->opts.percentile[i].percent));
	jl_close(j, '}');
}

static void verify_keys(struct bench *b)
{
	const struct xlog_bench_result *r = &b->res;
	struct jl *j = &b->json;

	jl_bool(j, "crashed", r->crashed);
	jl_uint(j, "crashes", b->crashes);
	jl_bool(j, "verified", r->verified);
	if (!r->verified)
		return;
	jl_uint(j, "forced", r->forced);
	jl_uint(j, "recovered", r->recovered);
	jl_uint(j, "mismatches", r->mismatches);
}

static void run_keys(struct bench *b)
{
	const struct xlog_bench_result *r = &b->res;
	struct jl *j = &b->json;

	jl_uint(j, "inodes", r->inodes);
	jl_uint(j, "ops", r->tx);
	jl_uint(j, "tx", r->tx);
	jl_uint(j, "changes", r->changes);
	jl_seconds(j, "seconds", r->run_ns);
	jl_seconds(j, "unmount_seconds", r->end_ns);
	jl_uint(j, "forces", r->forces);
	jl_uint(j, "checkpoints", r->checkpoints);
	jl_uint(j, "vectors", r->vectors);
	jl_uint(j, "regions", r->regions);
	jl_uint(j, "checkpoint_bytes", r->checkpoint_bytes);
	jl_uint(j, "most_vectors", r->most_vectors);
	jl_uint(j, "most_bytes", r->most_bytes);
	jl_uint(j, "log_records", r->records);
	jl_uint(j, "log_bytes", r->written_bytes);
	jl_uint(j, "formatted_bytes", r->formatted_bytes);
	jl_uint(j, "relogged_bytes", r->relogged_bytes);
	times_keys(b, "latency_ns", XLOG_BENCH_TX);
	times_keys(b, "force_ns", XLOG_BENCH_FORCES);
	times_keys(b, "checkpoint_ns", XLOG_BENCH_CHECKPOINTS);
	times_keys(b, "record_ns", XLOG_BENCH_RECORDS);
	wait_keys(j, r);
	counter_line(j, "log", r->log_line, 5);
	counter_line(j, "trans", r->trans_line, 3);
	counter_line(j, "push_ail", r->push_ail_line, 10);
	verify_keys(b);
}

void bench_result_object(struct bench *b, int code)
{
	struct jl *j = &b->json;

	jl_begin(j, "result");
	if (b->ran)
		run_keys(b);
	jl_bool(j, "wrote", b->res.wrote);
	jl_uint(j, "findings", b->reports.findings);
	jl_uint(j, "exit", (uint64_t)code);
	jl_end(j);
}
