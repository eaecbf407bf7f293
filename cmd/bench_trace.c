/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace of xlog-bench: which events go where.
 */
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/bench.h"

void bench_trace_parse(struct bench_opts *o, char *arg)
{
	unsigned int events = 0;
	bool all = true;

	while (xlog_trace_event(events))
		events++;
	free(o->trace_wanted);
	o->trace_wanted = calloc(events, sizeof(*o->trace_wanted));
	if (!o->trace_wanted) {
		cmd_message("out of memory");
		exit(CMD_FAILED);
	}
	o->trace = opt_next(&arg);
	for (char *word; (word = opt_next(&arg)); all = false) {
		bool found = false;

		for (unsigned int i = 0; i < events; i++)
			if (!fnmatch(word, xlog_trace_event(i), 0))
				found = o->trace_wanted[i] = true;
		if (!found)
			cmd_usage("--trace: unknown event: %s", word);
	}
	for (unsigned int i = 0; i < events && all; i++)
		o->trace_wanted[i] = true;
}

/* The buffer is flushed, and errors kept, as it is filled. */
static void take(void *ctx, const char *line, size_t bytes)
{
	out_bytes(ctx, line, bytes);
}

/* What is to be written when the process dies; NULL: nothing. */
static struct out *at_death;

/* The end of a trace is what says why: perhaps not all of its last line. */
static void on_death(int sig)
{
	if (at_death)
		(void)!write(at_death->fd, at_death->buf, at_death->used);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Where nobody else does: a sanitizer has reports of its own to make. */
static void catch_death(struct out *out)
{
	static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL };
	struct sigaction now;

	at_death = out;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (out && !sigaction(signals[i], NULL, &now) &&
		    now.sa_handler == SIG_DFL)
			signal(signals[i], on_death);
}

int bench_trace_open(struct bench *b)
{
	const struct bench_opts *o = &b->opts;
	int fd;

	if (!o->trace)
		return 0;
	fd = cmd_create(o->trace, o->io.force & FORCE_OUTPUT);
	if (fd < 0)
		return fd;
	out_init(&b->trace, fd);
	b->tracing = true;
	catch_death(&b->trace);
	return xlog_trace_start(o->trace_wanted, take, &b->trace);
}

int bench_trace_close(struct bench *b)
{
	int rc;

	free(b->opts.trace_wanted);
	if (!b->tracing)
		return 0;
	xlog_trace_stop();
	catch_death(NULL);
	rc = out_close(&b->trace);
	if (rc)
		cmd_message("%s: %s", b->opts.trace, strerror(-rc));
	return rc;
}
