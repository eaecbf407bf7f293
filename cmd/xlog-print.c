/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xlog-print: show the log of an XFS filesystem. This file is the story of
 * the tool; print_opts.c has the command line.
 */
#include "cmd/print_opts.h"

int main(int argc, char **argv)
{
	struct print_opts opts;

	cmd_init("xlog-print");
	print_opts_parse(&opts, argc, argv);
	return CMD_OK;
}
