/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stopat IMAGE N [break]: recover IMAGE in place, and stop at the Nth place
 * where an intent is in the log and its done item is not (0: nowhere): the log
 * ends there, as if power had failed. With "break" done items come before their
 * intents. Prints the places passed; exit status 0 if it came to the end, 3 if
 * it was stopped.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/meta/finish.h"

static void on_report(void *ctx, const struct xlog_report *r)
{
	if (r->severity == XLOG_ERROR && !*(const bool *)ctx)
		fprintf(stderr, "stopat: %s\n", r->text);
}

int main(int argc, char **argv)
{
	bool quiet = argc > 2 && strtol(argv[2], NULL, 10);
	const struct xlog_open_options options = {
		.flags = XLOG_OPEN_WRITE, .report = on_report, .report_ctx = &quiet,
	};
	struct xlog_recover_result res;
	struct xlog *log;
	int rc;

	if (argc < 3 || xlog_open(argv[1], &options, &log)) {
		fprintf(stderr, "usage: stopat IMAGE N [break]\n");
		return 2;
	}
	finish_hooks.stop_at = strtoull(argv[2], NULL, 10);
	finish_hooks.flags = DEFER_FORCE;
	if (argc > 3 && !strcmp(argv[3], "break"))
		finish_hooks.flags |= DEFER_BREAK_ORDER;
	rc = xlog_recover(log, NULL, &res);
	xlog_close(log);
	printf("%" PRIu64 "\n", finish_hooks.points);
	if (!rc)
		return 0;
	return finish_hooks.stop_at &&
	       finish_hooks.points >= finish_hooks.stop_at ? 3 : 1;
}
