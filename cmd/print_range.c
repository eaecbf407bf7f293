/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which part of the log is shown.
 */
#include <errno.h>

#include "cmd/print.h"
#include "libxfsfmt/logrec.h"

int print_check_block(const struct print *pr, const char *what,
		      uint32_t block)
{
	if (block < pr->info->log_size_bb)
		return 0;
	cmd_message("%s: the log ends at block %u", what,
		    pr->info->log_size_bb);
	return -ERANGE;
}

int print_range(struct print *pr, struct print_range *range)
{
	const struct print_opts *o = &pr->opts;
	bool known = pr->bounds.head != XLOG_LSN_NONE &&
		     pr->bounds.tail != XLOG_LSN_NONE;
	xlog_lsn_t from = pr->bounds.tail, to = pr->bounds.head;

	if (o->start != UINT32_MAX) {
		if (print_check_block(pr, "--start", o->start))
			return -ERANGE;
		/* of the last time the head passed there */
		from = xlog_lsn(xlog_lsn_cycle(to) -
				(o->start >= xlog_lsn_block(to)), o->start);
	}
	if (o->from != XLOG_LSN_NONE) {
		if (print_check_block(pr, "--from", xlog_lsn_block(o->from)))
			return -ERANGE;
		from = o->from;
	}
	if (o->to != XLOG_LSN_NONE) {
		if (print_check_block(pr, "--to", xlog_lsn_block(o->to)))
			return -ERANGE;
		if (!known || o->to < to)
			to = o->to;
	}
	if (from == XLOG_LSN_NONE || to == XLOG_LSN_NONE) {
		*range = (struct print_range){ .empty = true };
		return 0;
	}
	*range = (struct print_range){
		.from = xlog_lsn_block(from), .to = xlog_lsn_block(to),
		.empty = from >= to,
	};
	return 0;
}

bool print_in_range(const struct print *pr, xlog_lsn_t lsn)
{
	const struct print_opts *o = &pr->opts;

	return (o->from == XLOG_LSN_NONE || lsn >= o->from) &&
	       (o->to == XLOG_LSN_NONE || lsn < o->to);
}

enum { RECORD_MAX_BB = 1024 };		/* with all its headers */

uint32_t print_wrapped_bb(struct print *pr)
{
	static uint8_t buf[RECORD_MAX_BB * BB_SIZE];
	uint32_t size = pr->info->log_size_bb;
	uint32_t n = size < RECORD_MAX_BB ? size : RECORD_MAX_BB;
	struct xlog_rec_head h;
	uint64_t whole;

	if (xlog_read_raw(pr->log, size - n, n, buf))
		return 0;
	while (n && !xlog_is_rec_header(buf + (size_t)(n - 1) * BB_SIZE))
		n--;
	if (!n)
		return 0;
	xlog_rec_head_decode(&h, buf + (size_t)(n - 1) * BB_SIZE);
	whole = xlog_rec_header_bb(h.version, h.size_bytes,
				   pr->info->log_version == 2) +
		bb_from_bytes(h.len_bytes);
	n = (size < RECORD_MAX_BB ? size : RECORD_MAX_BB) - (n - 1);
	if (whole <= n || whole > RECORD_MAX_BB || xlog_read_raw(pr->log, 0, 1, buf) ||
	    xlog_block_cycle(buf) != h.cycle + 1)
		return 0;
	return (uint32_t)whole - n;
}
