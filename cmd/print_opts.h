/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of xlog-print, as one plain structure.
 */
#ifndef CMD_PRINT_OPTS_H
#define CMD_PRINT_OPTS_H

#include "cmd/opts.h"

enum print_view {
	VIEW_RECORDS,		/* what lies in the log, in physical order */
	VIEW_TRANSACTIONS,
	VIEW_MAP,
	VIEW_COPY,
	VIEW_CHECK,
	VIEW_SUPERBLOCK,
	VIEW_STATS,
	VIEW_EXPLAIN,
};

enum print_stats { STATS_TYPE, STATS_INODE, STATS_AG, STATS_RECORD };

/* How the words of a hex dump are shown. */
enum print_hex_order { HEX_BYTES, HEX_HOST, HEX_BE, HEX_LE };

/* Items that are shown in detail. */
enum {
	DETAIL_BUF = 1,
	DETAIL_INODE = 2,
	DETAIL_QUOTA = 4,
	DETAIL_OTHER = 8,
	DETAIL_DEEP = 16,	/* buffers down to the last record in them */
	DETAIL_ALL = 31,
};

/* Which items are shown; each test counts only if it was asked for. */
struct print_filter {
	uint32_t	types;		/* bit of each type in item_types[], or 0 */
	bool		by_ino, by_block, by_agblock, by_ag, by_tid;
	uint64_t	ino;
	uint64_t	daddr;		/* by_block */
	uint64_t	block_bb;	/* basic blocks from there */
	uint32_t	block_ag, agbno; /* by_agblock */
	uint32_t	ag;
	uint32_t	tid;
};

struct print_opts {
	struct io_opts	io;
	const char	*copy_to;
	enum print_view	view;
	enum print_stats stats_by;
	bool		check_full;
	bool		epoch;
	unsigned int	detail;		/* DETAIL_* */
	bool		hex, data_only, no_decode, overwrite, stop;
	enum print_hex_order hex_order;
	uint32_t	start;		/* UINT32_MAX: not given */
	xlog_lsn_t	from, to;	/* XLOG_LSN_NONE: not given */
	uint64_t	limit;		/* UINT64_MAX: none */
	struct print_filter filter;
};

/*
 * The options of the command line. Ends the process where that is all there
 * is to do: --help, --version, --type=list, and wrong usage.
 */
void print_opts_parse(struct print_opts *opts, int argc, char **argv);

/* True if only some items are to be shown. */
static inline bool print_filter_on(const struct print_filter *f)
{
	return f->types || f->by_ino || f->by_block || f->by_agblock ||
	       f->by_ag;
}

#endif
