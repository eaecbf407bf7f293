/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deferred work on an extent of an allocation group: what freeing space,
 * owners of space and counts of references have in common.
 */
#ifndef LIBXLOG_META_AG_WORK_H
#define LIBXLOG_META_AG_WORK_H

#include "libxlog/meta/perag.h"
#include "libxlog/trans/defer.h"

/* The first member of what each type makes of it. */
struct ag_work {
	struct defer_work work;		/* first */
	struct perag	*pag;
};

/*
 * A work of @bytes, zeros but for its struct ag_work, of the group that has
 * the @len blocks from @fsb. -EUCLEAN, reported as @code and with @why, which
 * ends a sentence about these blocks: no group has them all. -ENOMEM,
 * reported.
 */
int ag_work_new(struct trans_fs *fs, size_t bytes, xfs_fsblock_t fsb,
		uint32_t len, const char *code, const char *why,
		struct ag_work **out) MUST_CHECK;

/* For struct defer_type. Groups in ascending order: so they are locked. */
int ag_work_compare(const struct defer_work *a, const struct defer_work *b);
void ag_work_free(struct defer_work *w);

#endif
