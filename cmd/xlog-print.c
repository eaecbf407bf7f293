/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xlog-print: show the log of an XFS filesystem. This file is the story of
 * the tool; print_opts.c has the command line, print.h the map of the rest.
 */
#include "cmd/print.h"

static int (*const views[])(struct print *pr) = {
	[VIEW_RECORDS] = print_records,
	[VIEW_TRANSACTIONS] = print_transactions,
	[VIEW_MAP] = print_map,
	[VIEW_COPY] = print_copy,
	[VIEW_CHECK] = print_check,
	[VIEW_SUPERBLOCK] = print_superblock,
	[VIEW_STATS] = print_stats,
	[VIEW_EXPLAIN] = print_explain,
};

/* Not on the stack: it holds the output buffer. */
static struct print print;

int main(int argc, char **argv)
{
	int rc;

	cmd_init("xlog-print");
	print_opts_parse(&print.opts, argc, argv);
	rc = print_open(&print);
	if (!rc)
		rc = print_log(&print);
	if (!rc)
		rc = views[print.opts.view](&print);
	return print_close(&print, rc);
}
