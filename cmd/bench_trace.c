/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace of xlog-bench: which events go where.
 */
#include <fnmatch.h>
#include <stdlib.h>

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
	return xlog_trace_start(o->trace_wanted, take, &b->trace);
}

int bench_trace_close(struct bench *b)
{
	int rc;

	free(b->opts.trace_wanted);
	if (!b->tracing)
		return 0;
	xlog_trace_stop();
	rc = out_close(&b->trace);
	if (rc)
		cmd_message("%s: %s", b->opts.trace, strerror(-rc));
	return rc;
}
