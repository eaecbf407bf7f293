/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the search for head and tail share: one log, and what was
 * found in it.
 */
#ifndef TESTS_LIB_TESTFIND_H
#define TESTS_LIB_TESTFIND_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/lib/testlog.h"

enum { NBB = 20000 };

static struct testlog t;
static struct xlog_bounds bounds;

static inline void find(void)
{
	cr_assert_eq(xlog_find(&t.log, 0, &bounds), 0, "%s", t.reports);
}

static inline void assert_lsn(xlog_lsn_t lsn, uint32_t cycle, uint32_t block)
{
	cr_assert(lsn == xlog_lsn(cycle, block), "%u:%u, expected %u:%u\n%s",
		  xlog_lsn_cycle(lsn), xlog_lsn_block(lsn), cycle, block,
		  t.reports);
}

/* Records of 63 blocks up to lap @cycle, block @block or just behind it. */
static inline xfs_lsn_t fill_to(uint32_t cycle, uint32_t block, uint32_t tail_lag)
{
	xfs_lsn_t lsn[64];
	xfs_lsn_t last = xfs_lsn_make(t.cycle, t.block);
	unsigned int n = 0;

	while (t.cycle < cycle || (t.cycle == cycle && t.block < block)) {
		lsn[n % 64] = xfs_lsn_make(t.cycle, t.block);
		last = testlog_append(&t, 62, n < tail_lag ? lsn[0] :
				      lsn[(n - tail_lag) % 64]);
		n++;
	}
	return last;
}

static inline void end(void)
{
	testlog_fini(&t);
}

#endif
