/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What xlog-bench tells in words.
 */
#include <stdarg.h>
#include <stdio.h>

#include "cmd/bench.h"

static void add(struct bench *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct bench *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_str(&b->out, text);
}

/* "812,334" */
static void add_count(struct bench *b, uint64_t v)
{
	char digits[FORMAT_BYTES];
	size_t n = (size_t)(format_uint(digits, v) - digits);

	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			out_char(&b->out, ',');
		out_char(&b->out, digits[i]);
	}
}

/* "81.2k/s" */
static void add_rate(struct bench *b, uint64_t count, uint64_t ns)
{
	double rate = ns ? (double)count * 1e9 / (double)ns : 0;

	if (rate >= 1e6)
		add(b, "%.2fM/s", rate / 1e6);
	else if (rate >= 1e3)
		add(b, "%.1fk/s", rate / 1e3);
	else
		add(b, "%.0f/s", rate);
}

/* "3.1us" */
static void add_time(struct bench *b, uint64_t ns)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = {
		{ 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		double v = (double)ns / (double)units[i].unit;

		if (ns < units[i].unit)
			continue;
		add(b, v < 10 ? "%.1f%s" : "%.0f%s", v, units[i].name);
		return;
	}
	add(b, "%uns", (unsigned int)ns);
}

static double percent(uint64_t part, double whole)
{
	return whole > 0 ? (double)part * 100 / whole : 0;
}

/* --- tables and samples --- */

static void reservation_line(struct bench *b,
			     const struct xlog_bench_reservation *r)
{
	add(b, "%-18s %10u %5u %10u %5s", r->name, r->logres_bytes,
	    r->logcount, r->unit_bytes, r->permanent ? "yes" : "no");
	if (r->used_bytes)
		add(b, " %10u", r->used_bytes);
	else if (b->ran)
		add(b, " %10s", "-");
	add(b, "\n");
}

void bench_reservations(struct bench *b)
{
	struct xlog_bench_reservation r;

	if (!b->opts.io.json)
		add(b, "%-18s %10s %5s %10s %5s%s\n", "transaction", "logres",
		    "count", "unit", "rolls", b->ran ? "       used" : "");
	for (unsigned int i = 0;
	     xlog_bench_reservation(b->b, i, b->opts.run.logbsize_bytes, &r);
	     i++) {
		if (b->opts.io.json)
			bench_reservation_object(b, &r);
		else
			reservation_line(b, &r);
	}
}

void bench_sample(struct bench *b, const struct xlog_bench_result *sofar)
{
	add(b, "%.1f s  tx ", (double)sofar->run_ns / 1e9);
	add_count(b, sofar->tx);
	add(b, " (");
	add_rate(b, sofar->tx - b->sample_tx, sofar->run_ns - b->sample_ns);
	add(b, ")  checkpoints ");
	add_count(b, sofar->checkpoints);
	add(b, "  iclogs ");
	add_count(b, sofar->records);
	add(b, " (");
	out_size(&b->out, sofar->written_bytes);
	add(b, ")\n");
}

/* --- the summary --- */

static void setting_line(struct bench *b)
{
	const struct xlog_bench_options *run = &b->opts.run;
	const struct xlog_info *info = xlog_bench_info(b->b);

	add(b, "%s: %u job%s, %.1f s, ", bench_loads[run->load], run->jobs,
	    run->jobs == 1 ? "" : "s", (double)b->res.run_ns / 1e9);
	add_count(b, b->res.inodes);
	add(b, " inodes, log ");
	out_size(&b->out, (uint64_t)info->log_size_bb * 512);
	add(b, " v%u, %s,logbufs=%u,logbsize=%uk, sync=%s\n",
	    info->log_version,
	    run->flags & XLOG_BENCH_DIRECT ? "nodelaylog" : "delaylog",
	    run->logbufs ? run->logbufs : 8, bench_logbsize(b) >> 10,
	    bench_syncs[run->sync]);
}

static void tx_line(struct bench *b)
{
	const struct xlog_bench_result *r = &b->res;

	add(b, "tx ");
	add_count(b, r->tx);
	add(b, " (");
	add_rate(b, r->tx, r->run_ns);
	add(b, ")  checkpoints ");
	add_count(b, r->checkpoints);
	add(b, "  iclogs ");
	add_count(b, r->records);
	add(b, " (");
	out_size(&b->out, r->written_bytes);
	add(b, ")  bytes/tx %.0f  relog saved %.0f%%\n",
	    r->tx ? (double)r->written_bytes / (double)r->tx : 0,
	    percent(r->relogged_bytes, (double)r->formatted_bytes));
}

static void checkpoint_line(struct bench *b)
{
	const struct xlog_bench_result *r = &b->res;

	add(b, "logged ");
	add_count(b, r->vectors);
	add(b, " vectors (");
	add_count(b, r->regions);
	add(b, " regions, ");
	out_size(&b->out, r->checkpoint_bytes);
	add(b, "), in one checkpoint at most ");
	add_count(b, r->most_vectors);
	add(b, " (");
	out_size(&b->out, r->most_bytes);
	add(b, ")\n");
}

static void times_line(struct bench *b, const char *name,
		       enum xlog_bench_timed what)
{
	if (!xlog_bench_times_count(&b->res.times[what]))
		return;
	add(b, "%-7s", name);
	for (unsigned int i = 0; i < b->opts.npercentiles; i++) {
		const struct bench_percentile *p = &b->opts.percentile[i];

		add(b, " %s ", p->name);
		add_time(b, xlog_bench_times_ns(&b->res.times[what],
						p->percent));
	}
	add(b, "\n");
}

static void wait_line(struct bench *b)
{
	static const struct {
		enum xlog_bench_cause cause;
		const char *name;
	} causes[] = {
		{ XLOG_BENCH_WAIT_GRANT, "grant" },
		{ XLOG_BENCH_WAIT_ICLOG, "iclog" },
		{ XLOG_BENCH_WAIT_CIL, "cil" },
		{ XLOG_BENCH_WAIT_FORCE, "force" },
	};
	const struct xlog_bench_result *r = &b->res;
	double all = (double)r->run_ns * b->opts.run.jobs;

	add(b, "waits  ");
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		add(b, " %s %.1f%% (%llu sleeps)%s", causes[i].name,
		    percent(r->wait[causes[i].cause].ns, all),
		    (unsigned long long)r->wait[causes[i].cause].sleeps,
		    i < 3 ? " " : "\n");
}

static void add_counters(struct bench *b, const char *name,
			 const uint64_t *values, unsigned int count)
{
	add(b, "%s", name);
	for (unsigned int i = 0; i < count; i++) {
		add(b, " ");
		out_uint(&b->out, values[i]);
	}
}

static void end_lines(struct bench *b)
{
	const struct xlog_bench_result *r = &b->res;

	if (b->crashes > 1)
		add(b, "power failed %llu times (%s)\n",
		    (unsigned long long)b->crashes,
		    bench_crashes[b->opts.run.crash]);
	else if (r->crashed)
		add(b, "power failed (%s)\n",
		    bench_crashes[b->opts.run.crash]);
	if (!r->verified)
		return;
	add(b, "verified: %llu transactions durable, %llu recovered, ",
	    (unsigned long long)r->forced, (unsigned long long)r->recovered);
	if (r->mismatches)
		add(b, "%llu mismatches\n", (unsigned long long)r->mismatches);
	else
		add(b, "all as they were\n");
}

void bench_summary(struct bench *b)
{
	const struct xlog_bench_result *r = &b->res;

	setting_line(b);
	tx_line(b);
	checkpoint_line(b);
	times_line(b, "commit", XLOG_BENCH_TX);
	times_line(b, "force", XLOG_BENCH_FORCES);
	times_line(b, "push", XLOG_BENCH_CHECKPOINTS);
	times_line(b, "record", XLOG_BENCH_RECORDS);
	wait_line(b);
	add_counters(b, "log", r->log_line, 5);
	add_counters(b, "     trans", r->trans_line, 3);
	add_counters(b, "     push_ail", r->push_ail_line, 10);
	add(b, "\n");
	end_lines(b);
}
