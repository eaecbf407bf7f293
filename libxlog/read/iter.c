/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The transactions of a range of the log, one at a time: cursor and assembly
 * coupled, so that open transactions are copied only when the cursor needs its
 * memory for the blocks that follow.
 */
#include <stdlib.h>

#include "libxlog/read/read.h"

struct xlog_trans_iter {
	struct xlog_cursor *cur;
	struct xlog_assembly *as;
	bool		resync;
	bool		over;		/* no more records */
	bool		drained;	/* no more open transactions either */
	const struct xlog_trans *unfinished; /* the last one given out */
	uint64_t	records;
};

static int release(void *ctx)
{
	struct xlog_trans_iter *it = ctx;

	return xlog_assembly_detach(it->as);
}

int xlog_trans_open(struct xlog *log, uint32_t from, uint32_t to, bool resync,
		    struct xlog_trans_iter **out)
{
	struct xlog_trans_iter *it = calloc(1, sizeof(*it));
	int rc;

	if (!it)
		return report(&log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	it->resync = resync;
	rc = xlog_cursor_open(log, resync ? XLOG_WALK_LOG_RESYNC :
			      XLOG_WALK_LOG, from, to, &it->cur);
	if (rc)
		goto free_iter;
	rc = xlog_assembly_open(log, &it->as);
	if (rc)
		goto close_cursor;
	cursor_on_release(it->cur, release, it);
	*out = it;
	return 0;
close_cursor:
	xlog_cursor_close(it->cur);
free_iter:
	free(it);
	return rc;
}

int xlog_trans_next(struct xlog_trans_iter *it, const struct xlog_trans **out)
{
	struct xlog_record rec;
	struct xlog_op op;
	int rc;

	while (!it->over) {
		while ((rc = xlog_assembly_op(it->as, &op, out)) == 1)
			if (*out)
				return 1;
		if (!rc) {
			rc = xlog_cursor_next(it->cur, &rec);
			if (rc == 1) {
				it->records++;
				xlog_assembly_record(it->as, &rec);
				continue;
			}
			if (!rc) {
				it->over = true;
				break;
			}
		}
		/* without @resync the first damage ends the walk */
		it->over = !it->resync || (rc != -EUCLEAN && rc != -EBADMSG);
		return rc;
	}
	if (it->drained)
		return 0;
	it->unfinished = xlog_assembly_unfinished(it->as, it->unfinished);
	it->drained = !it->unfinished;
	*out = it->unfinished;
	return *out != NULL;
}

uint64_t xlog_trans_records(const struct xlog_trans_iter *it)
{
	return it->records;
}

void xlog_trans_close(struct xlog_trans_iter *it)
{
	if (!it)
		return;
	xlog_assembly_close(it->as);
	xlog_cursor_close(it->cur);
	free(it);
}
