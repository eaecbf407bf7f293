/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The work of the log's threads, for a log that has none.
 */
#include "libxlog/log/log_priv.h"

bool log_step(struct log *log)
{
	bool stepped = iclog_io_step(log);

	stepped |= cil_push_step(log);
	return ail_push_step(log) || stepped;
}
