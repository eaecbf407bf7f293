/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xlog-bench: drive the log engine on a filesystem. This file is the story of
 * the tool; bench.h has the map of the rest.
 */
#include "cmd/bench.h"

/* Not on the stack: it holds the output buffer. */
static struct bench bench;

int main(int argc, char **argv)
{
	int rc;

	cmd_init("xlog-bench");
	bench_opts_parse(&bench.opts, argc, argv);
	rc = bench_open(&bench);
	if (!rc && !bench.opts.no_run)
		rc = bench_run(&bench);
	if (!rc && bench.opts.reservations)
		bench_reservations(&bench);
	return bench_close(&bench, rc);
}
