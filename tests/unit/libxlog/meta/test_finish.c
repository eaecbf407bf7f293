/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents that were found in the log, and cannot be begun.
 */
#include "libxlog/meta/finish.h"
#include "libxlog/meta/rmap.h"
#include "libxlog/trans/counters.h"
#include "tests/lib/newfs.h"

Test(finish_begin, says_that_there_is_no_space)
{
	struct newfs *n = newfs_new(&(struct newfs_options){ .rmapbt = true });
	const struct xfs_map_extent me = {
		.me_owner = newfs_ino(n, 0, 1),
		.me_startblock = n->free0, .me_len = 1,
		.me_flags = XFS_RMAP_EXTENT_MAP,
	};
	struct list works, captures;
	struct defer_recovered *rec;
	struct defer_work *w;

	list_init(&works);
	list_init(&captures);
	cr_assert_eq(rmap_work_decode(&n->fs, &me, &w), 0);
	list_insert_last(&w->link, &works);
	cr_assert_eq(defer_recovered(&n->fs, &defer_rmap, 0x77, &works,
				     log_tail_lsn(n->fs.log), &rec), 0);
	atomic_store(&n->fs.counter[TRANS_SB_FDBLOCKS], 0);
	cr_assert_eq(finish_begin(&n->fs, rec, &captures), -ENOSPC);
	cr_assert(strstr(n->said.text, "no space to finish rui 0x77"), "%s",
		  n->said.text);
	cr_assert(list_is_empty(&captures));
	newfs_free(n);
}
