/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a crash leaves set aside for copy on write: nothing refers to it but the
 * records of the tree of reference counts, which are all read before the first
 * is removed.
 */
#include <stdlib.h>

#include "libxlog/meta/alloc.h"
#include "libxlog/meta/refcount.h"
#include "libxlog/trans/trans_buf.h"

struct leftovers {
	const struct perag *pag;
	struct xfs_refcount_rec *rec;	/* owned */
	size_t		n, room;
};

static int collect(struct btree_cur *cur, const union btree_rec *r, void *ctx)
{
	struct leftovers *l = ctx;
	const struct xfs_refcount_rec *rec = &r->refc;

	if (!rec->rc_cow)
		return 0;
	if (rec->rc_refcount != 1 ||
	    !perag_has(l->pag, (uint32_t)rec->rc_startblock,
		       rec->rc_blockcount))
		return perag_corrupt(l->pag, "refcountbt.record",
				     "count %u of %u blocks from block %u, for copy on write",
				     rec->rc_refcount, rec->rc_blockcount,
				     (uint32_t)rec->rc_startblock);
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		void *more = realloc(l->rec, room * sizeof(*l->rec));

		if (!more)
			return report(&cur->fs->sink, -ENOMEM, "memory",
				      XLOG_LSN_NONE, "out of memory");
		l->rec = more;
		l->room = room;
	}
	l->rec[l->n++] = *rec;
	return 0;
}

/* Nothing is changed, and no lock is held afterwards. */
static int find_all(struct perag *pag, struct leftovers *l)
{
	const union btree_rec low = { .refc.rc_cow = 1 };
	const union btree_rec high = { .refc = {
		.rc_cow = 1, .rc_startblock = INT32_MAX,
	} };
	struct btree_cur cur;
	struct buf *agfbuf;
	int rc = ag_read_agf(NULL, pag, &agfbuf);

	if (rc)
		return rc;
	btree_init_ag(&cur, NULL, &pag->group, XFS_BTREE_REFC, agfbuf);
	rc = btree_query_range(&cur, &low, &high, collect, l);
	btree_fini(&cur);
	buf_release(agfbuf);
	return rc;
}

static int give_back(struct trans_fs *fs, xfs_fsblock_t fsb, uint32_t len)
{
	struct trans *t;
	int rc = trans_alloc(fs, XFS_TR_WRITE, &t);

	if (rc)
		return rc;
	rc = refcount_free_cow_later(t, fsb, len);
	if (!rc)
		rc = free_extent_later(t, fsb, len, NULL, 0);
	if (!rc)
		return trans_commit(t, NULL);
	trans_cancel(t);
	return rc;
}

int refcount_recover_cow_leftovers(struct trans_fs *fs, uint64_t *count)
{
	int rc = 0;

	if (count)
		*count = 0;
	for (xfs_agnumber_t agno = 0; agno < fs->geom.agcount && !rc &&
	     fs->geom.reflink; agno++) {
		struct perag *pag = perag_of(fs, agno);
		struct leftovers l = { .pag = pag };

		rc = find_all(pag, &l);
		for (size_t i = 0; i < l.n && !rc; i++) {
			rc = give_back(fs, perag_fsb(pag, (xfs_agblock_t)
						     l.rec[i].rc_startblock),
				       l.rec[i].rc_blockcount);
			if (!rc && count)
				++*count;
		}
		free(l.rec);
	}
	return rc;
}
