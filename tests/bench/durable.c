/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Durable commits per second on a filesystem in a file, as xlog-bench -w
 * fsync-probe --scratch makes them, for less than a second if need be:
 *
 *	durable THREADS MS IMAGE [nodelaylog]
 *
 * Each changes an inode, whose core is logged: 232 bytes. Prints the rate, and
 * how many transactions a record of the log had.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/xlog.h"

static void take_report(void *ctx, const struct xlog_report *r)
{
	(void)ctx;
	if (r->severity == XLOG_ERROR)
		fprintf(stderr, "durable: %s\n", r->text);
}

int main(int argc, char **argv)
{
	struct xlog_bench_open from = {
		.flags = XLOG_OPEN_WRITE, .report = take_report,
	};
	struct xlog_bench_options opts = {
		.load = XLOG_BENCH_FSYNC, .seed = 1,
	};
	struct xlog_bench_result res;
	struct xlog_bench *b;
	int rc;

	if (argc < 4)
		return 16;
	opts.jobs = (unsigned int)strtoul(argv[1], NULL, 10);
	opts.runtime_ms = strtoull(argv[2], NULL, 10);
	from.path = argv[3];
	if (argc > 4 && !strcmp(argv[4], "nodelaylog"))
		opts.flags = XLOG_BENCH_DIRECT;
	rc = xlog_bench_open(&from, &b);
	if (rc)
		return 8;
	rc = xlog_bench_run(b, &opts, &res);
	xlog_bench_close(b);
	if (rc || !res.run_ns || !res.records)
		return 8;
	printf("%.0f %.2f\n", (double)res.tx * 1e9 / (double)res.run_ns,
	       (double)res.tx / (double)res.records);
	return 0;
}
