/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deferred work on extents of groups; see ag_work.h.
 */
#include <stdlib.h>

#include "libxlog/meta/ag_work.h"

static struct ag_work *ag_work_of(const struct defer_work *w)
{
	return container_of(w, struct ag_work, work);
}

int ag_work_new(struct trans_fs *fs, size_t bytes, xfs_fsblock_t fsb,
		uint32_t len, const char *code, const char *why,
		struct ag_work **out)
{
	xfs_agnumber_t agno = xfs_fsb_agno(&fs->geom, fsb);
	struct ag_work *w;

	if (agno >= fs->geom.agcount ||
	    !perag_has(perag_of(fs, agno), xfs_fsb_agbno(&fs->geom, fsb), len))
		return report(&fs->sink, -EUCLEAN, code, XLOG_LSN_NONE,
			      "%u blocks from block %llu %s", len,
			      (unsigned long long)fsb, why);
	w = calloc(1, bytes);
	if (!w)
		return report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	w->pag = perag_of(fs, agno);
	list_init(&w->work.link);
	*out = w;
	return 0;
}

int ag_work_compare(const struct defer_work *a, const struct defer_work *b)
{
	xfs_agnumber_t x = ag_work_of(a)->pag->group.agno;
	xfs_agnumber_t y = ag_work_of(b)->pag->group.agno;

	return (x > y) - (x < y);
}

void ag_work_free(struct defer_work *w)
{
	free(ag_work_of(w));
}
