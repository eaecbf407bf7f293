/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of xlog-print, and what they share while it runs: one log, one
 * output, in text or in JSON, and the count of what was found to be bad.
 *
 * print_open.c opens and ends, print_record.c shows records, print_trans.c
 * checkpoints, print_item.c the items of both; the others are a view each.
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include "cmd/json.h"
#include "cmd/print_opts.h"
#include "cmd/print_type.h"
#include "cmd/report.h"
#include "cmd/sidecar.h"
#include "cmd/text.h"
#include "libxfsfmt/block.h"
#include "libxfsfmt/geom.h"
#include "libxfsfmt/logitem.h"
#include "libxfsfmt/sb.h"
#include "libxlog/xlog.h"

/* What a quick look at the active part of the log tells. */
struct survey {
	bool		counted;	/* all of it was looked at */
	bool		superblock_only; /* nothing but superblock changes */
	bool		owner_change;	/* an inode that Linux chokes on */
	bool		unknown_item;	/* Linux replays nothing then; the first: */
	uint16_t	unknown_type;
	uint64_t	checkpoints;	/* if counted */
};

/* A buffer, see print_block.h. */
struct print_block {
	struct xfs_buf_image image;
	struct xfs_walk	walk;		/* over the bytes in print.image */
	const struct xfs_block_type *type; /* NULL: not known */
	struct xfs_block_summary summary;
};

struct print {
	struct print_opts opts;
	struct xlog	*log;
	const struct xlog_info *info;
	struct xlog_bounds bounds;
	struct survey	survey;
	struct xfs_sb	sb;
	struct xfs_geom	geom;
	bool		has_geom;	/* there is a superblock that holds */
	int		fmt;		/* h_fmt of the newest record, or -1 */

	struct out	out;
	struct text	text;
	struct jl	json;
	bool		found;		/* bounds are valid */

	struct reports	reports;
	uint64_t	steps;		/* how head and tail were found, so far */
	bool		verdict;	/* --check: not clean */

	uint32_t	wrapped_bb;	/* of the physical views: see below */

	/* what was shown */
	uint64_t	records, checkpoints;
	struct progress	progress;

	unsigned int	brief_column;	/* where the essentials began */
	struct print_block block;	/* of the item at hand */
	struct sidecar	sidecar;
	uint8_t		image[XFS_BUF_LOG_MAX_BYTES];
};

/* --- print_open.c --- */

/* Open the input, then the output. Returns 0 or a negative errno. */
int print_open(struct print *pr);

/* Find head and tail and show the line or object about the log. */
int print_log(struct print *pr);

/* --- print_log.c --- */

/* "le", "be", or NULL if no record tells. */
const char *print_order(const struct print *pr);

/* Blocks between tail and head of a dirty log, else 0. */
uint32_t print_active_bb(const struct print *pr);

/* "3 checkpoints", or "48 MiB to replay" of a log too long to count. */
void print_checkpoints(struct print *pr);

/* "DIRTY  3 checkpoints" */
void print_state(struct print *pr);

/* --- print_open.c again --- */

/*
 * End: the result object, the output. Returns the exit code for @rc, which is
 * 0 or a negative errno that has been reported.
 */
int print_close(struct print *pr, int rc);

/* True if it is time to stop: a signal, or --limit after @shown. */
bool print_stop(struct print *pr, uint64_t shown);

/* --- print_range.c --- */

/* Blocks of the log to walk, in log order. */
struct print_range {
	uint32_t	from, to;
	xlog_lsn_t	stop;		/* --to: what begins here is not shown */
	bool		empty;
};

/*
 * See that --from, --to, --start and --block name what there is. Returns 0 or
 * -ERANGE, reported.
 */
int print_range_check(struct print *pr);

/* The range that the options ask for; tail to head without them. */
void print_range(const struct print *pr, struct print_range *range);

/*
 * Begin at the first record at or behind the start of the range, which is any
 * block. Returns 0 or a negative errno, reported.
 */
int print_range_align(struct print *pr, struct print_range *range);

/*
 * Blocks at the start of the log that belong to the record that wraps its
 * end; 0 if there is none.
 */
uint32_t print_wrapped_bb(struct print *pr);

/* True if an LSN is inside --from and --to. */
bool print_in_range(const struct print *pr, xlog_lsn_t lsn);

/* --- print_item.c --- */

/* Where an item was found. */
struct item_place {
	xlog_lsn_t	checkpoint;	/* LSN of its START */
	uint32_t	tid;
	bool		big_endian;
	const char	*key;		/* JSON: "checkpoint" or "record" */
	unsigned int	indent;
	bool		cut_short;	/* items need not be whole */
};

/* True if the filters let @item through. */
bool print_item_wanted(struct print *pr, const struct xlog_item *item,
		       const struct item_place *place);

/* Show @item. What is wrong with it is a finding. */
void print_item(struct print *pr, const struct xlog_item *item,
		const struct item_place *place);

/* An item as libxfsfmt sees it; points into the item. */
struct print_item_view {
	struct xfs_logitem_view v;
	struct xfs_log_region regions[XFS_LOGITEM_MAX_REGIONS];
};

void print_item_view(const struct print *pr, const struct xlog_item *item,
		     bool big_endian, struct print_item_view *iv);

/* Hexadecimal lines, in the order that --hex-order says. */
void print_dump(struct print *pr, const void *p, size_t len_bytes,
		uint64_t first_offset, unsigned int indent);

/* Of all regions. */
uint64_t print_item_bytes(const struct xlog_item *item);

/* --- print_grow.c --- */

/* Take over the size of the filesystem that a superblock among @items has. */
void print_grow(struct print *pr, const struct xlog_item *items, size_t n,
		bool big_endian);

/* --- print_trans.c --- */

typedef int (*print_trans_fn)(void *ctx, const struct xlog_trans *trans);

/*
 * Call @fn for every transaction of the range that the options ask for, those
 * that never committed last. Returns 0 or a negative errno, reported; one of
 * @fn ends the walk and is returned.
 */
int print_walk(struct print *pr, print_trans_fn fn, void *ctx);

/* --- print_brief.c: the line about an item --- */

void brief_item(struct print *pr, const struct xfs_logitem_view *v);

/* The same as keys of the JSON object that is open. */
void brief_keys(struct print *pr, const struct xfs_logitem_view *v);

/* --- print_explain.c --- */

/* Collect the steps of the library from now on. */
void explain_begin(struct print *pr);

/* --- the views --- */

int print_records(struct print *pr);
int print_transactions(struct print *pr);
int print_map(struct print *pr);
int print_copy(struct print *pr);
int print_check(struct print *pr);
int print_superblock(struct print *pr);
int print_stats(struct print *pr);
int print_explain(struct print *pr);

#endif
