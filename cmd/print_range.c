/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which part of the log is shown.
 */
#include <errno.h>

#include "cmd/print.h"
#include "libxfsfmt/logrec.h"

enum { RECORD_MAX_BB = 1024 };		/* with all its headers */

static int check_block(const struct print *pr, const char *what, uint32_t block)
{
	if (block < pr->info->log_size_bb)
		return 0;
	cmd_message("%s: the log ends at block %u", what,
		    pr->info->log_size_bb);
	return -ERANGE;
}

/* "AG/AGBNO" into the address that items are compared with. */
static int find_block(struct print *pr)
{
	struct print_filter *f = &pr->opts.filter;

	if (!f->by_agblock)
		return 0;
	if (!pr->has_geom) {
		cmd_message("--block: without a superblock, only as DADDR");
		return -ERANGE;
	}
	if (f->agbno >= xfs_ag_blocks(&pr->geom, f->block_ag)) {
		cmd_message("--block: there is no block %u/%u", f->block_ag,
			    f->agbno);
		return -ERANGE;
	}
	f->by_block = true;
	f->daddr = xfs_agb_to_daddr(&pr->geom, f->block_ag, f->agbno);
	f->block_bb = (uint64_t)1 << (pr->geom.blocklog - BB_SHIFT);
	return 0;
}

int print_range_check(struct print *pr)
{
	const struct print_opts *o = &pr->opts;
	int rc = find_block(pr);

	if (!rc && o->start != UINT32_MAX)
		rc = check_block(pr, "--start", o->start);
	if (!rc && o->from != XLOG_LSN_NONE)
		rc = check_block(pr, "--from", xlog_lsn_block(o->from));
	if (!rc && o->to != XLOG_LSN_NONE)
		rc = check_block(pr, "--to", xlog_lsn_block(o->to));
	return rc;
}

void print_range(const struct print *pr, struct print_range *range)
{
	const struct print_opts *o = &pr->opts;
	uint32_t size = pr->info->log_size_bb;
	xlog_lsn_t from = pr->bounds.tail, head = pr->bounds.head;

	if (o->start != UINT32_MAX && head != XLOG_LSN_NONE)
		/* of the last time that the head passed there */
		from = xlog_lsn(xlog_lsn_cycle(head) -
				(o->start >= xlog_lsn_block(head)), o->start);
	if (o->from != XLOG_LSN_NONE)
		from = o->from;
	range->empty = from >= head || from >= o->to;
	range->from = xlog_lsn_block(from);
	/* where there is no head, once around */
	range->to = head != XLOG_LSN_NONE ? xlog_lsn_block(head) :
		    range->from ? range->from - 1 : size - 1;
	range->stop = o->to;
}

int print_range_align(struct print *pr, struct print_range *range)
{
	static uint8_t buf[RECORD_MAX_BB * BB_SIZE];
	uint32_t size = pr->info->log_size_bb;
	uint32_t block = range->from;
	struct xlog_rec_head h;

	while (block != range->to) {
		uint32_t end = range->to > block ? range->to : size;
		uint32_t n = end - block < RECORD_MAX_BB ? end - block :
							   RECORD_MAX_BB;
		int rc = xlog_read_raw(pr->log, block, n, buf);

		if (rc)
			return rc;
		for (uint32_t i = 0; i < n; i++) {
			const uint8_t *b = buf + (size_t)i * BB_SIZE;

			if (!xlog_is_rec_header(b))
				continue;
			xlog_rec_head_decode(&h, b);
			if (!h.len_bytes)	/* filler */
				continue;
			range->from = block + i;
			return 0;
		}
		block = block + n == size ? 0 : block + n;
	}
	range->empty = true;
	return 0;
}

bool print_in_range(const struct print *pr, xlog_lsn_t lsn)
{
	const struct print_opts *o = &pr->opts;

	return (o->from == XLOG_LSN_NONE || lsn >= o->from) &&
	       (o->to == XLOG_LSN_NONE || lsn < o->to);
}

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
