/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log as a whole; see log.h.
 */
#include "cmd/log.h"
#include "libxfsfmt/geom.h"
#include "libxfsfmt/logrec.h"

int log_newest_fmt(struct xlog *log, const struct xlog_bounds *bounds)
{
	struct xlog_rec_head head;
	uint8_t block[BB_SIZE];

	if (bounds->last_record == XLOG_LSN_NONE ||
	    xlog_read_raw(log, xlog_lsn_block(bounds->last_record), 1,
			  block) ||
	    !xlog_is_rec_header(block))
		return -1;
	xlog_rec_head_decode(&head, block);
	return (int)head.fmt;
}

const char *log_order_name(int fmt)
{
	switch (fmt) {
	case XLOG_FMT_LINUX_LE:
		return "le";
	case XLOG_FMT_LINUX_BE:
	case XLOG_FMT_IRIX_BE:
		return "be";
	default:
		return NULL;
	}
}

void log_object_begin(struct jl *j, const struct xlog_info *info,
		      const struct xlog_bounds *bounds, int fmt)
{
	const char *order = log_order_name(fmt);

	jl_begin(j, "log");
	if (info->internal)
		jl_uint(j, "daddr", info->log_daddr);
	else
		jl_null(j, "daddr");
	jl_uint(j, "bbs", info->log_size_bb);
	jl_uint(j, "logversion", info->log_version);
	if (order)
		jl_str(j, "order", order);
	else
		jl_null(j, "order");
	jl_bool(j, "internal", info->internal);
	jl_lsn(j, "tail", bounds->tail);
	jl_lsn(j, "head", bounds->head);
	jl_str(j, "state", xlog_state_name(bounds->state));
	if (bounds->refused[0])
		jl_str(j, "refused", bounds->refused);
	else
		jl_null(j, "refused");
}
