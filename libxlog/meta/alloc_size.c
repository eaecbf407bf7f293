/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding free space: what of an extent can be taken, and the extent that fits
 * best by its size, or that has a given block.
 */
#include "libxlog/meta/alloc_priv.h"
#include "libxlog/trans/busy.h"

static uint32_t round_up(uint32_t n, uint32_t align)
{
	return n + (align - n % align) % align;
}

struct xfs_alloc_rec alloc_usable(struct alloc_search *s,
				  const struct xfs_alloc_rec *rec)
{
	const struct alloc_args *want = &s->want;
	xfs_agblock_t start = rec->ar_startblock;
	uint32_t len = rec->ar_blockcount, skip;

	if (busy_trim(s->pag->group.fs, s->pag->group.agno, want->maxlen,
		      &start, &len))
		s->busy = true;
	if (start < want->min_agbno && len > want->min_agbno - start) {
		len -= want->min_agbno - start;
		start = want->min_agbno;
	}
	/* what is too short is of no use, aligned or not */
	if (len < want->minlen)
		return (struct xfs_alloc_rec){ start, len };
	skip = round_up(start, want->alignment) - start;
	return (struct xfs_alloc_rec){
		start + skip, len > skip ? len - skip : 0,
	};
}

uint32_t alloc_fit(const struct alloc_args *want, uint32_t len)
{
	uint32_t over, less;

	if (want->prod <= 1 || len < want->mod || len == want->maxlen ||
	    (!want->mod && len < want->prod))
		return len;
	over = len % want->prod;
	less = over >= want->mod ? over - want->mod :
	       over + want->prod - want->mod;
	return len >= less && len - less >= want->minlen ? len - less : len;
}

bool alloc_wait_busy(struct alloc_search *s, unsigned int *tries, int *rc)
{
	if (!s->busy)
		return false;
	s->busy = false;
	*rc = busy_flush_group(s->want.t, s->pag->group.agno);
	if (*rc != -EAGAIN)
		return !*rc;
	/* what this transaction has freed itself stays busy */
	if (!(*tries)++) {
		*rc = 0;
		return true;
	}
	if (!s->for_list)
		*rc = 0;
	return false;
}

int alloc_settle_for_less(struct alloc_search *s, struct btree_cur *cnt,
			  struct xfs_alloc_rec *rec, bool *found)
{
	int rc = btree_prev(cnt, found);

	if (!rc && *found)
		rc = alloc_get(cnt, rec, found);
	*found = !rc && *found && rec->ar_blockcount >= s->want.minlen;
	return rc;
}

/* --- by size --- */

/* Is what can be had of @rec more than what there is? */
static bool better(struct alloc_search *s, const struct xfs_alloc_rec *rec)
{
	struct xfs_alloc_rec part = alloc_usable(s, rec);
	uint32_t len = part.ar_blockcount < s->want.maxlen ?
		       part.ar_blockcount : s->want.maxlen;

	if (len <= s->best.len)
		return false;
	s->best = (struct alloc_choice){
		.rec = *rec, .start = part.ar_startblock, .len = len,
	};
	return true;
}

/* From @rec on, where @cnt stands, to larger ones: the first that will do. */
static int search_larger(struct alloc_search *s, struct btree_cur *cnt)
{
	struct xfs_alloc_rec rec;
	bool found;
	int rc;

	do {
		rc = alloc_get(cnt, &rec, &found);
		if (rc)
			return rc;
		s->best.len = 0;
		if (found && better(s, &rec) &&
		    s->best.len == s->want.maxlen)
			return 0;
		rc = btree_next(cnt, &found);
	} while (!rc && found);
	s->best.len = 0;
	return rc;
}

/*
 * Of @rec, where @cnt stands, and smaller ones, as long as they could have
 * more than the best so far.
 */
static int search_smaller(struct alloc_search *s, struct btree_cur *cnt,
			  struct xfs_alloc_rec rec)
{
	bool found = true;
	int rc = 0;

	while (!rc && found) {
		(void)better(s, &rec);
		if (s->best.len == s->want.maxlen)
			return 0;
		rc = btree_prev(cnt, &found);
		if (!rc && found)
			rc = alloc_get(cnt, &rec, &found);
		if (found && rec.ar_blockcount <= s->best.len)
			return rc;
	}
	return rc;
}

/* @last: it does not help any more to wait for busy blocks. */
static int search_size_once(struct alloc_search *s, struct btree_cur *cnt,
			    bool last)
{
	struct xfs_alloc_rec rec;
	bool found;
	int rc;

	memset(&s->best, 0, sizeof(s->best));
	rc = alloc_lookup(cnt, BTREE_GE, 0,
			  s->want.maxlen + s->want.alignment - 1, &found);
	if (rc)
		return rc;
	if (found) {
		rc = search_larger(s, cnt);
		if (rc || s->best.len || !last)
			return rc;
	}
	rc = alloc_settle_for_less(s, cnt, &rec, &found);
	if (!rc && found)
		rc = search_smaller(s, cnt, rec);
	if (rc)
		return rc;
	if (s->best.len < s->want.minlen)
		s->best.len = 0;
	else
		s->best.len = alloc_fit(&s->want, s->best.len);
	return 0;
}

int alloc_search_size(struct alloc_search *s)
{
	unsigned int tries = 0;
	struct btree_cur cnt;
	int rc;

	alloc_cur(&cnt, s->want.t, s->pag, XFS_BTREE_CNT, s->agfbuf);
	do
		rc = search_size_once(s, &cnt, tries);
	while (!rc && !s->best.len && alloc_wait_busy(s, &tries, &rc));
	btree_fini(&cnt);
	return rc;
}

/* --- exactly there --- */

int alloc_search_exact(struct alloc_search *s)
{
	const struct alloc_args *want = &s->want;
	struct xfs_alloc_rec rec;
	struct btree_cur bno;
	xfs_agblock_t start;
	uint32_t len;
	bool found;
	int rc;

	memset(&s->best, 0, sizeof(s->best));
	alloc_cur(&bno, want->t, s->pag, XFS_BTREE_BNO, s->agfbuf);
	rc = alloc_lookup(&bno, BTREE_LE, s->target, want->minlen, &found);
	if (!rc && found)
		rc = alloc_get(&bno, &rec, &found);
	btree_fini(&bno);
	if (rc || !found)
		return rc;
	start = rec.ar_startblock;
	len = rec.ar_blockcount;
	/* blocks in front of it may be busy */
	(void)busy_trim(s->pag->group.fs, s->pag->group.agno, want->maxlen,
			&start, &len);
	if (start > s->target || len < want->minlen ||
	    start + len < s->target + want->minlen)
		return 0;
	len -= s->target - start;
	s->best = (struct alloc_choice){
		.rec = rec, .start = s->target,
		.len = alloc_fit(want, len < want->maxlen ? len :
				 want->maxlen),
	};
	return 0;
}
