/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recovery on devices that a test has stacked up itself: overlays, faults,
 * watchers. The library opens paths; this opens devices. Plain C, for programs
 * without Criterion.
 */
#ifndef TESTS_LIB_STACK_H
#define TESTS_LIB_STACK_H

#include "libxlog/read/read.h"

/* What stands on the result is closed without closing @below. */
int stack_borrow(struct dev *below, struct dev **out) MUST_CHECK;

/* Writes to the result stay in memory; @below is borrowed. */
int stack_overlay(struct dev *below, struct dev **out) MUST_CHECK;

/*
 * Open the filesystem on @fs, its log on @log if it has one of its own (else
 * NULL); both are borrowed. Writing is up to them. @sink may be NULL. As
 * xlog_open().
 */
int stack_open(struct dev *fs, struct dev *log, const struct sink *sink,
	       struct xlog **out) MUST_CHECK;

/*
 * Open, recover, close. @res is zero if opening failed; the result is that of
 * xlog_recover(), or of the opening.
 */
int stack_recover(struct dev *fs, struct dev *log,
		  const struct xlog_recover_options *opts,
		  const struct sink *sink, struct xlog_recover_result *res) MUST_CHECK;

/* Where the log of that filesystem lies, in bytes; 0 and 0: not inside it. */
void stack_log_range(const struct xlog *log, uint64_t *start, uint64_t *end);

/* --- what was written, in the order of the calls --- */

/* A write, or a flush (@len 0), of the device that was opened with @tag. */
struct stack_event {
	int		tag;
	uint64_t	off_bytes;
	size_t		len;
};

/* Starts as zeros; shared by devices whose order is of interest. */
struct stack_record {
	struct stack_event *event;
	size_t		count, room;
	bool		lost;		/* out of memory: not all is there */
};

/*
 * Writes and flushes of the result that worked go into @rec, which outlives
 * it. @below is borrowed.
 */
int stack_watch(struct dev *below, struct stack_record *rec, int tag,
		struct dev **out) MUST_CHECK;
void stack_record_fini(struct stack_record *rec);

/*
 * The first place that some of @recs wrote with @tag, outside [@skip, @skip_end)
 * of the device, where @a and @b differ: 1 and *@where in bytes; 0: none.
 */
int stack_differ(struct dev *a, struct dev *b,
		 const struct stack_record *const *recs, size_t nrecs, int tag,
		 uint64_t skip, uint64_t skip_end, uint64_t *where) MUST_CHECK;

/* splitmix64: for what is to be the same for the same seed. */
static inline uint64_t stack_random(uint64_t *state)
{
	uint64_t z;

	*state += 0x9e3779b97f4a7c15u;
	z = *state;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

#endif
