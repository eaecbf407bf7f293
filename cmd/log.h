/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log as a whole, as every tool tells of it.
 */
#ifndef CMD_LOG_H
#define CMD_LOG_H

#include "cmd/json.h"
#include "libxlog/xlog.h"

/* Byte order of the newest record: its h_fmt, or -1 if there is none. */
int log_newest_fmt(struct xlog *log, const struct xlog_bounds *bounds);

/* "le", "be", or NULL if @fmt does not tell. */
const char *log_order_name(int fmt);

/* Begin the object "log"; the caller may add keys and ends it. */
void log_object_begin(struct jl *j, const struct xlog_info *info,
		      const struct xlog_bounds *bounds, int fmt);

#endif
