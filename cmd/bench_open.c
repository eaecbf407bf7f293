/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Beginning and end of xlog-bench, and the load between them. JSON always ends
 * with a result, so that a cut-off stream shows.
 */
#include <errno.h>
#include <unistd.h>

#include "cmd/bench.h"
#include "cmd/output.h"

enum { DEFAULT_LOGBSIZE = 32 << 10 };

uint32_t bench_logbsize(const struct bench *b)
{
	uint32_t sunit = xlog_bench_info(b->b)->log_sunit_bytes;

	if (b->opts.run.logbsize_bytes)
		return b->opts.run.logbsize_bytes;
	return sunit > DEFAULT_LOGBSIZE ? sunit : DEFAULT_LOGBSIZE;
}

/* --- opening --- */

static unsigned int open_flags(const struct bench_opts *o)
{
	if (!o->scratch)
		return 0;
	return XLOG_OPEN_WRITE |
	       (o->io.lock == LOCK_WAIT ? XLOG_OPEN_LOCK_WAIT : 0) |
	       (o->io.lock == LOCK_NONE ? XLOG_OPEN_LOCK_NONE : 0);
}

static int open_output(struct bench *b)
{
	const struct io_opts *io = &b->opts.io;
	int fd = output_open(io);

	if (fd < 0)
		return fd;
	out_init(&b->out, fd);
	jl_init(&b->json, &b->out, false);
	b->reports.out = &b->out;
	b->reports.json = io->json ? &b->json : NULL;
	if (io->json)
		output_header(&b->json, b->name, xlog_bench_info(b->b)->uuid);
	return 0;
}

/* Only options can be wrong. */
static int as_usage(int rc)
{
	return rc == -EINVAL ? -ERANGE : rc;
}

int bench_open(struct bench *b)
{
	const struct bench_opts *o = &b->opts;
	const struct xlog_bench_open what = {
		.path = o->io.path, .logdev = o->io.logdev,
		.offset_bytes = o->io.offset_bytes, .flags = open_flags(o),
		.memory_bytes = o->memory_bytes, .log_bytes = o->log_bytes,
		.log_sunit_bytes = o->log_sunit_bytes,
		.report = reports_take, .report_ctx = &b->reports,
	};
	int rc = 0;

	b->name = o->io.path ? o->io.path : "memory";
	reports_init(&b->reports, &o->io);
	io_opts_guard(&o->io);
	cmd_catch_signals(true);
	if (o->io.path && !o->scratch && o->io.lock > LOCK_NONE)
		rc = cmd_lock_shared(o->io.path, o->io.lock == LOCK_WAIT);
	if (!rc)
		rc = as_usage(xlog_bench_open(&what, &b->b));
	/* what follows is interrupted between two calls, not in one */
	cmd_catch_signals(false);
	if (!rc)
		rc = open_output(b);
	return rc ? rc : bench_trace_open(b);
}

/* --- the load --- */

static int on_progress(void *ctx, const struct xlog_bench_result *sofar)
{
	struct bench *b = ctx;
	uint64_t every = b->opts.interval_s * 1000000000;

	if (every && sofar->run_ns - b->sample_ns >= every) {
		if (b->opts.io.json)
			bench_sample_object(b, sofar);
		else
			bench_sample(b, sofar);
		out_flush(&b->out);
		b->sample_ns = sofar->run_ns;
		b->sample_tx = sofar->tx;
	}
	return cmd_cancelled();
}

static int one_run(struct bench *b, struct xlog_bench_result *res)
{
	int rc = as_usage(xlog_bench_run(b->b, &b->opts.run, res));

	b->ran |= res->run_ns != 0;
	b->crashes += res->crashed;
	if (!rc && b->opts.verify)
		rc = xlog_bench_verify(b->b, res);
	return rc;
}

/* Crash, compare, recover and go on, each time with another seed. */
static int sweep(struct bench *b)
{
	struct xlog_bench_options *run = &b->opts.run;
	uint64_t left = run->ops;
	int rc = 0;

	while (left && !rc) {
		struct xlog_bench_result one;

		run->ops = left;
		rc = one_run(b, &one);
		bench_add(&b->res, &one);
		b->sample_ns = b->sample_tx = 0;
		left -= one.tx < left ? one.tx : left;
		run->seed++;
		/* the last stays as the crash has left it, and what is wrong */
		if (!rc && one.mismatches)
			break;
		if (!rc && cmd_cancelled())
			rc = -ECANCELED;
		if (!rc && left)
			rc = xlog_bench_again(b->b);
	}
	return rc;
}

int bench_run(struct bench *b)
{
	struct xlog_bench_options *run = &b->opts.run;
	int rc;

	if (cmd_cancelled())
		return -ECANCELED;
	if (b->opts.scratch && !b->opts.io.quiet)
		cmd_message("%s: modes, owners and times of its files are changed",
			    b->name);
	if (b->opts.io.json)
		bench_run_object(b);
	run->progress = on_progress;
	run->ctx = b;
	rc = b->opts.crash_every ? sweep(b) : one_run(b, &b->res);
	if (b->ran && !b->opts.io.json && !b->opts.io.quiet)
		bench_summary(b);
	return !rc && b->res.mismatches ? -EUCLEAN : rc;
}

/* --- the end --- */

static int exit_code(const struct bench *b, int rc)
{
	/* what was interrupted was unmounted, and what was lost is told of */
	if (rc && rc != -ECANCELED && b->res.wrote && !b->res.mismatches)
		return CMD_PARTLY;
	return cmd_exit_of(rc);
}

int bench_close(struct bench *b, int rc)
{
	int code = exit_code(b, rc);

	xlog_bench_close(b->b);
	if (bench_trace_close(b) && code != CMD_PARTLY)
		code = CMD_FAILED;
	reports_end(&b->reports);
	if (b->reports.out) {
		if (b->opts.io.json)
			bench_result_object(b, code);
		if (output_close(&b->opts.io, &b->out) && code != CMD_PARTLY)
			code = CMD_FAILED;
	}
	if (code == CMD_CANCELLED || rc == -ECANCELED)
		cmd_message("interrupted");
	return code;
}
