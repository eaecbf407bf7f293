/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of xlog-bench, and what they share while it runs.
 *
 * bench_opts.c has the command line, bench_open.c begins, runs the load and
 * ends, bench_sum.c adds up runs, bench_show.c tells of them in words and
 * bench_json.c in JSON, bench_trace.c has the trace.
 */
#ifndef CMD_BENCH_H
#define CMD_BENCH_H

#include "cmd/json.h"
#include "cmd/opts.h"
#include "cmd/report.h"
#include "libxlog/xlog.h"

enum { BENCH_PERCENTILES = 16 };

struct bench_percentile {
	char		name[16];	/* "p99.9", "max" */
	double		percent;
};

struct bench_opts {
	struct io_opts	io;		/* path: NULL with @memory_bytes */
	struct xlog_bench_options run;
	bool		scratch;
	uint64_t	memory_bytes;	/* 0: on a device */
	uint64_t	log_bytes;	/* of a filesystem in memory */
	uint32_t	log_sunit_bytes;
	bool		verify;
	uint64_t	crash_every;	/* transactions; 0: once at most */
	uint64_t	interval_s;	/* of samples; 0: none */
	struct bench_percentile percentile[BENCH_PERCENTILES];
	unsigned int	npercentiles;
	bool		reservations;	/* are shown */
	bool		no_run;		/* and nothing else is done */
	const char	*trace;		/* where events go, or NULL */
	bool		*trace_wanted;	/* by event; owned */
};

/*
 * The options of the command line. Ends the process where that is all there
 * is to do: --help, --version, a list, and wrong usage.
 */
void bench_opts_parse(struct bench_opts *opts, int argc, char **argv);

/* By enum xlog_bench_load, and the others by theirs; each ends with NULL. */
extern const char *const bench_loads[];
extern const char *const bench_crashes[];
extern const char *const bench_syncs[];

struct bench {
	struct bench_opts opts;
	const char	*name;		/* of the filesystem, for people */
	struct xlog_bench *b;		/* NULL: not open */
	struct out	out, trace;
	bool		tracing;
	struct jl	json;
	struct reports	reports;
	struct xlog_bench_result res;
	bool		ran;		/* there is a result */
	uint64_t	crashes;
	/* of the last sample */
	uint64_t	sample_ns, sample_tx;
};

/* --- bench_open.c --- */

/* Open the filesystem, and the output. */
int bench_open(struct bench *b);

/* Run the load; compare afterwards, if that was asked for. */
int bench_run(struct bench *b);

/*
 * End: the result, the output. Returns the exit code for @rc, which is 0 or a
 * negative errno that has been reported.
 */
int bench_close(struct bench *b, int rc);

/* Size of the log buffers, given or not. */
uint32_t bench_logbsize(const struct bench *b);

/* --- bench_trace.c --- */

/* "file[,event...]", the events as patterns. Ends the process on wrong usage. */
void bench_trace_parse(struct bench_opts *o, char *arg);

/* Begin, if that was asked for. A negative errno was reported. */
int bench_trace_open(struct bench *b);

/* End; 0 or a negative errno, reported: not all of it could be written. */
int bench_trace_close(struct bench *b);

/* --- bench_sum.c --- */

/* The results of another run go into those of all. */
void bench_add(struct xlog_bench_result *all,
	       const struct xlog_bench_result *one);

/* --- bench_show.c --- */

/* The table, with what the runs so far took of each. */
void bench_reservations(struct bench *b);

void bench_sample(struct bench *b, const struct xlog_bench_result *sofar);
void bench_summary(struct bench *b);

/* --- bench_json.c --- */

void bench_run_object(struct bench *b);
void bench_sample_object(struct bench *b,
			 const struct xlog_bench_result *sofar);
void bench_reservation_object(struct bench *b,
			      const struct xlog_bench_reservation *r);

/* The last one. */
void bench_result_object(struct bench *b, int code);

#endif
