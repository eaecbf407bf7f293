/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The free list of a group: blocks set aside so that the trees of free space
 * and of owners can grow while space is being allocated or freed. It is a ring
 * in the AGFL. Before every such change it is made long enough for all trees
 * to split up to a new root; what it has too many of is given back, by deferred
 * operations since there is no room for that in the transaction at hand.
 */
#include "libxlog/meta/alloc_priv.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/trans_buf.h"

static int bad_list(const struct perag *pag, const struct xfs_agf *agf)
{
	return perag_corrupt(pag, "agf.freelist",
			     "free list of %u blocks, from slot %u to %u",
			     agf->agf_flcount, agf->agf_flfirst,
			     agf->agf_fllast);
}

/* --- one block --- */

static uint32_t entries(const struct perag *pag)
{
	return xfs_agfl_entries(&pag->group.fs->geom);
}

/* In bytes from the start of the AGFL. */
static uint32_t slot_off(const struct perag *pag, uint32_t slot)
{
	return (pag->group.fs->geom.v5 ? xfs_agfl_size : 0) + 4 * slot;
}

static uint32_t next_slot(const struct perag *pag, uint32_t slot)
{
	return slot + 1 < entries(pag) ? slot + 1 : 0;
}

int alloc_get_freelist(struct trans *t, struct perag *pag, struct buf *agfbuf,
		       bool btree, xfs_agblock_t *agbno)
{
	struct xfs_agf agf = ag_agf(agfbuf);
	struct buf *agfl;
	int rc;

	*agbno = XFS_NULL_AGBLOCK;
	if (!agf.agf_flcount)
		return 0;
	if (agf.agf_flfirst >= entries(pag))
		return bad_list(pag, &agf);
	rc = ag_read_agfl(t, pag, &agfl);
	if (rc)
		return rc;
	*agbno = get_be32(agfl->data + slot_off(pag, agf.agf_flfirst));
	trans_brelse(t, agfl);
	if (!perag_has(pag, *agbno, 1))
		return perag_corrupt(pag, "agfl.block",
				     "block %u in slot %u of the free list",
				     *agbno, agf.agf_flfirst);
	agf.agf_flfirst = next_slot(pag, agf.agf_flfirst);
	agf.agf_flcount--;
	agf.agf_btreeblks += btree;
	ag_set_agf(t, agfbuf, &agf);
	return 0;
}

int alloc_put_freelist(struct trans *t, struct perag *pag, struct buf *agfbuf,
		       bool btree, xfs_agblock_t agbno)
{
	struct xfs_agf agf = ag_agf(agfbuf);
	struct buf *agfl;
	uint32_t off;
	int rc;

	if (agf.agf_flcount >= entries(pag) ||
	    agf.agf_fllast >= entries(pag))
		return bad_list(pag, &agf);
	if (btree && !agf.agf_btreeblks)
		return perag_corrupt(pag, "agf.btreeblks",
				     "fewer blocks of trees counted than there are");
	rc = ag_read_agfl(t, pag, &agfl);
	if (rc)
		return rc;
	agf.agf_fllast = next_slot(pag, agf.agf_fllast);
	agf.agf_flcount++;
	agf.agf_btreeblks -= btree;
	ag_set_agf(t, agfbuf, &agf);
	off = slot_off(pag, agf.agf_fllast);
	put_be32(agfl->data + off, agbno);
	trans_log_buf(t, agfl, off, 4);
	return 0;
}

/* --- how long it has to be --- */

/* To split a tree of @levels from its leaf to a new root, and once more. */
static uint32_t split_blocks(uint32_t levels, uint32_t max_levels)
{
	uint32_t after = levels + 1 < max_levels ? levels + 1 : max_levels;

	return 2 * after - 2;
}

uint32_t alloc_min_freelist(const struct perag *pag, const struct xfs_agf *agf)
{
	const struct xfs_levels *lv = &pag->levels;
	uint32_t need = split_blocks(agf->agf_bnolevel, lv->alloc) +
			split_blocks(agf->agf_cntlevel, lv->alloc);

	if (lv->rmap)
		need += split_blocks(agf->agf_rmaplevel, lv->rmap);
	return need;
}

uint32_t alloc_log_blocks(const struct perag *pag, uint32_t extents)
{
	uint32_t each = 2 * (2u * pag->levels.alloc - 1);

	if (pag->levels.rmap)
		each += 2u * pag->levels.rmap - 1;
	return extents * each;
}

/* --- is there space --- */

/*
 * The longest extent that is left when the free list has been filled, and the
 * others alone do not have what is kept for trees.
 */
static uint32_t longest_left(const struct perag *pag,
			     const struct xfs_agf *agf, uint32_t need,
			     uint32_t reserved)
{
	uint32_t others = agf->agf_freeblks - agf->agf_longest;
	uint64_t missing = need > agf->agf_flcount ?
			   need - agf->agf_flcount : 0;
	uint32_t left;

	if (others < reserved)
		missing += reserved - others;

	if (agf->agf_longest <= missing)
		/* there may be single blocks, if only of the list */
		return agf->agf_flcount || agf->agf_longest;
	left = agf->agf_longest - (uint32_t)missing;
	return left < pag->max_usable ? left : pag->max_usable;
}

/* How many blocks @want can have; 0: not even what it needs. */
static uint32_t can_have(const struct alloc_args *want,
			 const struct perag *pag, const struct xfs_agf *agf)
{
	uint32_t need = alloc_min_freelist(pag, agf);
	uint32_t reserved = alloc_reserved(pag, agf, want);
	uint64_t least = (uint64_t)want->minlen + want->alignment - 1 +
			 want->minalignslop;
	uint64_t listed = agf->agf_flcount < need ? agf->agf_flcount : need;
	int64_t left = (int64_t)(agf->agf_freeblks + listed) - reserved -
		       need - want->minleft;
	uint64_t total = want->total > least ? want->total : least;

	if (longest_left(pag, agf, need, reserved) < least || left < (int64_t)total)
		return 0;
	return (uint64_t)left < want->maxlen ? (uint32_t)left : want->maxlen;
}

/* --- the quirk --- */

/* How many there are from the first to the last slot in use. */
static uint32_t list_span(const struct perag *pag, const struct xfs_agf *agf)
{
	if (!agf->agf_flcount)
		return 0;
	if (agf->agf_fllast >= agf->agf_flfirst)
		return agf->agf_fllast - agf->agf_flfirst + 1;
	return entries(pag) - agf->agf_flfirst + agf->agf_fllast + 1;
}

/*
 * Kernels before 4.5, where longs have 64 bits, had one slot fewer in the AGFL
 * of version 5. A ring of theirs that wraps has a slot in it, for us, that is
 * none. Such a list is given up, as Linux does: its blocks are lost until a
 * repair, which is better than to use one twice.
 */
static int check_list(struct trans *t, struct perag *pag, struct buf *agfbuf)
{
	struct xfs_agf agf = ag_agf(agfbuf);
	uint32_t span = list_span(pag, &agf);

	if (span == agf.agf_flcount)
		return 0;
	if (!pag->group.fs->geom.v5 || agf.agf_fllast >= agf.agf_flfirst ||
	    span != agf.agf_flcount + 1)
		return bad_list(pag, &agf);
	notice(&pag->group.fs->sink, XLOG_WARNING, "agf.freelist",
	       XLOG_LSN_NONE,
	       "AG %u: the free list was wrapped by an old kernel and is given up: %u blocks are lost until xfs_repair",
	       pag->group.agno, agf.agf_flcount);
	agf.agf_flfirst = 0;
	agf.agf_fllast = entries(pag) - 1;
	agf.agf_flcount = 0;
	ag_set_agf(t, agfbuf, &agf);
	return 0;
}

/* --- making it that long --- */

static int shrink(struct trans *t, struct perag *pag, struct buf *agfbuf)
{
	for (;;) {
		struct xfs_agf agf = ag_agf(agfbuf);
		xfs_agblock_t agbno;
		int rc;

		if (agf.agf_flcount <= alloc_min_freelist(pag, &agf))
			return 0;
		rc = alloc_get_freelist(t, pag, agfbuf, false, &agbno);
		if (!rc)
			rc = agfl_free_later(t, pag, agbno);
		if (rc)
			return rc;
	}
}

/* @c is what was found: into the list with it. */
static int add_to_list(struct trans *t, struct perag *pag, struct buf *agfbuf,
		       const struct alloc_choice *c)
{
	const struct rmap_owner ag = rmap_special(XFS_RMAP_OWN_AG);
	int rc = alloc_take(t, pag, agfbuf, c);

	if (!rc)
		rc = rmap_alloc(t, pag, agfbuf, c->start, c->len, &ag);
	if (!rc)
		rc = alloc_count_free(t, pag, agfbuf, -(int64_t)c->len);
	for (uint32_t i = 0; i < c->len && !rc; i++)
		rc = alloc_put_freelist(t, pag, agfbuf, false, c->start + i);
	return rc;
}

/*
 * *@enough false: there is no space for that. The trees may grow meanwhile;
 * how long the list has to be is what was so at the beginning.
 */
static int grow(struct trans *t, struct perag *pag, struct buf *agfbuf,
		bool *enough)
{
	struct xfs_agf agf = ag_agf(agfbuf);
	uint32_t need = alloc_min_freelist(pag, &agf);

	*enough = true;
	while (agf.agf_flcount < need) {
		struct alloc_search s = {
			.want = {
				.t = t, .minlen = 1, .alignment = 1, .prod = 1,
				.maxlen = need - agf.agf_flcount,
			},
			.pag = pag, .agfbuf = agfbuf, .for_list = true,
		};
		int rc = alloc_search_size(&s);

		if (!rc && !s.best.len) {
			*enough = false;
			return 0;
		}
		if (!rc)
			rc = add_to_list(t, pag, agfbuf, &s.best);
		if (rc)
			return rc;
		agf = ag_agf(agfbuf);
	}
	return 0;
}

int alloc_fix_freelist(struct trans *t, struct perag *pag,
		       struct alloc_args *want, struct buf **out)
{
	struct buf *agfbuf;
	struct xfs_agf agf;
	bool enough = false;
	uint32_t len;
	int rc;

	*out = NULL;
	rc = want ? alloc_reserve_init(t, pag) : 0;
	if (!rc)
		rc = ag_read_agf(t, pag, &agfbuf);
	if (rc)
		return rc;
	agf = ag_agf(agfbuf);
	if (want && !can_have(want, pag, &agf)) {
		trans_brelse(t, agfbuf);
		return 0;
	}
	rc = check_list(t, pag, agfbuf);
	if (rc)
		return rc;
	if (want) {
		agf = ag_agf(agfbuf);
		len = can_have(want, pag, &agf);
		if (!len) {
			trans_brelse(t, agfbuf);
			return 0;
		}
		want->maxlen = len;
	}
	rc = shrink(t, pag, agfbuf);
	if (!rc)
		rc = grow(t, pag, agfbuf, &enough);
	/* an AG that is full can still be freed from */
	if (!rc && (enough || !want))
		*out = agfbuf;
	/* waiting for busy blocks is of use to who can come back */
	return rc == -EAGAIN && want ? 0 : rc;
}

int alloc_fix_freelist_to_free(struct trans *t, struct perag *pag,
			       struct buf **agfbuf)
{
	return alloc_fix_freelist(t, pag, NULL, agfbuf);
}
