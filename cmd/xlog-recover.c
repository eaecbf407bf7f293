/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xlog-recover: replay the log of an XFS filesystem without mounting it. This
 * file is the story of the tool; recover.h has the map of the rest.
 */
#include "cmd/recover.h"

static int (*const jobs[])(struct recover *rec) = {
	[JOB_REPLAY] = recover_replay,
	[JOB_ZERO_LOG] = recover_zero_log,
	[JOB_RESTORE_LOG] = recover_restore_log,
	[JOB_UNDO_APPLY] = recover_undo_apply,
};

/* Not on the stack: it holds the output buffer. */
static struct recover recover;

int main(int argc, char **argv)
{
	int rc;

	cmd_init("xlog-recover");
	recover_opts_parse(&recover.opts, argc, argv);
	rc = recover_begin(&recover);
	if (!rc)
		rc = jobs[recover.opts.job](&recover);
	return recover_close(&recover, rc);
}
