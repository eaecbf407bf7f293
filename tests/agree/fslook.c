/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fslook IMAGE: print all that can be seen of the filesystem. See
 * tests/lib/fslook.h.
 */
#include <stdlib.h>

#include "libxlog/dev/dev.h"
#include "libxlog/read/read.h"
#include "tests/lib/fslook.h"

int main(int argc, char **argv)
{
	const struct xlog_open_options options = { 0 };
	struct xlog *log;

	if (argc != 2 || xlog_open(argv[1], &options, &log)) {
		fprintf(stderr, "usage: fslook IMAGE\n");
		return 2;
	}
	if (fslook(log->fs, stdout) || fflush(stdout))
		return 1;
	xlog_close(log);
	return 0;
}
