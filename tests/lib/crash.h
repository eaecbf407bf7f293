/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What power failures were like. A crash test that only ever cuts off a log
 * between two things proves little: of many crashes, enough have to be of each
 * kind. Plain C.
 */
#ifndef TESTS_LIB_CRASH_H
#define TESTS_LIB_CRASH_H

#include "libxlog/dev/fault.h"
#include "libxlog/log/log_priv.h"
#include "libxlog/read/read.h"

struct crash_facts {
	bool		dirty;		/* there is something to replay */
	bool		torn;		/* of a record some is there, not all */
	bool		recent;		/* a transaction that was forced ends in
					   the last 1 MiB of the log */
	bool		wrapped;	/* what is replayed crosses its end */
	bool		in_flight;	/* checkpoints were: more than one */
	bool		direct;		/* nodelaylog */
};

/* Checkpoints that are written and not complete. */
unsigned int crash_in_flight(struct log *log);

/*
 * After the crash: what @log, in which @b was found, is like. @forced_end:
 * where the head was when the last force was over, 0: nothing was forced.
 */
void crash_look(struct xlog *log, const struct xlog_bounds *b,
		xfs_lsn_t forced_end, struct crash_facts *facts);

enum { CRASH_FEW = 20 };

struct crash_counts {
	unsigned long	crashes, dirty, torn, recent, wrapped, in_flight,
			direct;
};

void crash_count(struct crash_counts *counts, const struct crash_facts *facts);

/*
 * Print the counts. False, which is printed, too: less than @percent of the
 * crashes are of one of the kinds, or none is. Of fewer than CRASH_FEW nothing
 * is asked.
 */
bool crash_counts_are_enough(const struct crash_counts *counts,
			     unsigned int percent);

/* Tears are what says most. */
enum fault_crash crash_kind(uint64_t random);

#endif
