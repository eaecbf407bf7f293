/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recovery as a mount does it: replay, then what replay leaves is finished.
 */
#include "libxlog/meta/finish.h"

int xlog_recover(struct xlog *log, const struct xlog_recover_options *opts,
		 struct xlog_recover_result *res)
{
	return replay_recover(log, opts, &finish_remainder, res);
}
