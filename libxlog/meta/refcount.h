/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reference counts: of space that several files have, how many have it; and
 * of space that was set aside for copy on write, that it was. Space with one
 * owner has no record. Of a filesystem without reflink, everything here does
 * nothing, and succeeds.
 *
 * All changes are deferred operations (CUI and CUD in the log).
 */
#ifndef LIBXLOG_META_REFCOUNT_H
#define LIBXLOG_META_REFCOUNT_H

#include "libxlog/meta/perag.h"
#include "libxlog/trans/defer.h"

/*
 * Deferred: the @len blocks from @fsb, in one group, have one owner more, or
 * one fewer: where that was the last, they are freed. -ENOMEM, reported.
 */
int refcount_increase_later(struct trans *t, xfs_fsblock_t fsb,
			    uint32_t len) MUST_CHECK;
int refcount_decrease_later(struct trans *t, xfs_fsblock_t fsb,
			    uint32_t len) MUST_CHECK;

/*
 * Deferred: they were set aside for copy on write, or are no more; the rmapbt
 * is told as well. They are not freed.
 */
int refcount_alloc_cow_later(struct trans *t, xfs_fsblock_t fsb,
			     uint32_t len) MUST_CHECK;
int refcount_free_cow_later(struct trans *t, xfs_fsblock_t fsb,
			    uint32_t len) MUST_CHECK;

/* CUI and CUD. */
extern const struct defer_type defer_refcount;

/*
 * What an extent of a CUI that was found in the log wants: a work of
 * defer_refcount. -EUCLEAN: it cannot be meant; -ENOMEM; reported.
 */
int refcount_work_decode(struct trans_fs *fs, const struct xfs_phys_extent *pe,
			 struct defer_work **out) MUST_CHECK;

/*
 * Free what a crash has left set aside for copy on write, in all groups; each
 * extent by a transaction of its own. *@count (may be NULL): how many.
 * Nothing is in a transaction.
 */
int refcount_recover_cow_leftovers(struct trans_fs *fs,
				   uint64_t *count) MUST_CHECK;

#endif
