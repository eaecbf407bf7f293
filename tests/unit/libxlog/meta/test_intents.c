/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chains of all kinds that maps and space lead to, left at each of their
 * intents: what is in the log then is what recovery would take, and those who
 * finish it understand it.
 */
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/inactive.h"
#include "libxlog/meta/iunlink.h"
#include "libxlog/meta/refcount.h"
#include "libxlog/meta/rmap.h"
#include "libxlog/read/read.h"
#include "libxlog/trans/counters.h"
#include "tests/lib/newfs.h"

enum { AG = 0, TREE_BLOCKS = 40, EXTENTS = 6, LEN = 4 };

/* --- a file that has a life --- */

struct life {
	struct newfs	*n;
	struct inode	*ip, *other;
	struct xfs_bmbt_rec rec[EXTENTS];
};

static int begin(struct life *l, struct trans **t)
{
	int rc = trans_alloc_blocks(&l->n->fs, XFS_TR_ITRUNCATE,
				    EXTENTS * LEN + TREE_BLOCKS, true, t);

	if (rc)
		return rc;
	inode_join(*t, l->ip);
	inode_hold(*t, l->ip);
	return 0;
}

static int end(struct life *l, struct trans *t, int rc)
{
	if (rc)
		trans_cancel(t);
	else
		rc = trans_commit(t, NULL);
	inode_unlock(l->ip);
	return rc;
}

static int get_extents(struct life *l)
{
	struct trans *t;
	int rc = begin(l, &t);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < EXTENTS && !rc; i++)
		rc = bmap_write(t, l->ip, XFS_DATA_FORK, (LEN + 1) * i, LEN,
				BMAP_CONTIGUOUS, LEN, &l->rec[i]);
	return end(l, t, rc);
}

/* The first two are another's as well; two blocks are no more. */
static int share(struct life *l)
{
	struct trans *t;
	int rc = begin(l, &t);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < 2 && !rc; i++)
		rc = refcount_increase_later(t, l->rec[i].br_startblock, LEN);
	rc = end(l, t, rc);
	if (!rc)
		rc = begin(l, &t);
	if (!rc)
		rc = end(l, t, refcount_decrease_later(t,
					l->rec[1].br_startblock, LEN));
	return rc;
}

/* Extent 3 goes to another place in the file. */
static int move_extent(struct life *l)
{
	struct xfs_bmbt_rec to = l->rec[3];
	struct trans *t;
	int rc = begin(l, &t);

	if (rc)
		return rc;
	to.br_startoff = 1000;
	rc = bmap_unmap_later(t, l->ip, XFS_DATA_FORK, &l->rec[3]);
	if (!rc)
		rc = bmap_map_later(t, l->ip, XFS_DATA_FORK, &to);
	return end(l, t, rc);
}

static int end_it(struct life *l)
{
	struct trans *t;
	int rc = trans_alloc(&l->n->fs, XFS_TR_IFREE, &t);

	if (rc)
		return rc;
	inode_join(t, l->ip);
	rc = iunlink_insert(t, l->ip);
	if (rc)
		trans_cancel(t);
	else
		rc = trans_commit(t, NULL);
	return rc ? rc : inode_inactivate(l->ip);
}

static int live(struct life *l)
{
	const struct xfs_geom *g = &l->n->fs.geom;
	int rc = get_extents(l);

	if (!rc && g->reflink)
		rc = share(l);
	if (!rc && (g->reflink || g->rmapbt))
		rc = move_extent(l);
	return rc ? rc : end_it(l);
}

/* --- what the log has --- */

struct seen {
	unsigned int	efi, rui, cui, bui;	/* pending */
};

static void view(const struct xlog_item *item,
		 struct xfs_log_region regions[XFS_LOGITEM_MAX_REGIONS],
		 const struct xfs_geom *g, struct xfs_logitem_view *v)
{
	for (unsigned int i = 0; i < item->nregions; i++)
		regions[i] = (struct xfs_log_region){
			item->regions[i].data, item->regions[i].len_bytes };
	*v = (struct xfs_logitem_view){
		.regions = regions, .nregions = item->nregions,
		.order = XFS_HOST_ORDER, .geom = g };
}

static void drop(const struct defer_type *type, struct defer_work *w)
{
	type->free_work(w);
}

/* Each of its extents is something that can be done. */
static void understand(struct trans_fs *fs, const struct xfs_logitem_view *v,
		       struct seen *s)
{
	uint32_t n = xfs_logitem_extents(v);
	struct xfs_phys_extent pe;
	struct xfs_map_extent me;
	struct defer_work *w;
	struct xfs_extent e;

	cr_assert(n);
	for (uint32_t i = 0; i < n; i++) {
		switch (xfs_logitem_type(v)) {
		case XFS_LI_EFI:
			xfs_efi_extent(v, i, &e);
			cr_assert_eq(extent_free_work_decode(fs, &e, &w), 0);
			drop(&defer_extent_free, w);
			s->efi++;
			break;
		case XFS_LI_RUI:
			xfs_map_intent_extent(v, i, &me);
			cr_assert_eq(rmap_work_decode(fs, &me, &w), 0);
			drop(&defer_rmap, w);
			s->rui++;
			break;
		case XFS_LI_CUI:
			xfs_cui_extent(v, i, &pe);
			cr_assert_eq(refcount_work_decode(fs, &pe, &w), 0);
			drop(&defer_refcount, w);
			s->cui++;
			break;
		default:
			cr_assert_eq(xfs_logitem_type(v), XFS_LI_BUI);
			xfs_map_intent_extent(v, i, &me);
			cr_assert_eq(bmap_work_decode(fs, &me, &w), 0);
			drop(&defer_bmap, w);
			s->bui++;
		}
	}
}

static struct xlog reader(struct newfs *n)
{
	struct xlog log = {
		.sink = n->fs.sink, .fs = n->data, .dev = n->logdev,
		.nbb = (uint32_t)(n->logdev->size_bytes / BB_SIZE),
		.logv2 = true,
		.info = { .sb_version = n->opts.v4 ? 4 : 5, .log_version = 2,
			  .log_sector_bytes = n->sb.sb_sectsize,
			  .log_sunit_bytes = 1 },
	};

	log.info.log_size_bb = log.nbb;
	log.sb.sb_lsn = XFS_NULL_LSN;
	memcpy(log.info.uuid, n->sb.sb_uuid, 16);
	return log;
}

/* Returns how many intents are pending. */
static size_t read_log(struct newfs *n, struct seen *s)
{
	struct xfs_log_region regions[XFS_LOGITEM_MAX_REGIONS];
	struct xlog_pending *pending = xlog_pending_new();
	const struct xlog_pending_intent *in = NULL;
	struct xlog log = reader(n);
	const struct xlog_trans *t;
	struct xlog_trans_iter *it;
	struct xfs_logitem_view v;
	struct xlog_bounds b;
	const char *why;
	size_t count;
	int rc;

	cr_assert(pending);
	cr_assert_eq(xlog_find(&log, 0, &b), 0, "%s", n->said.text);
	cr_assert_eq(b.state, XLOG_DIRTY);
	cr_assert_eq(xlog_trans_open(&log, xlog_lsn_block(b.tail),
				     xlog_lsn_block(b.head), false, &it), 0);
	while ((rc = xlog_trans_next(it, &t)) == 1) {
		for (size_t i = 0; i < t->nitems && t->committed; i++) {
			view(&t->items[i], regions, &n->fs.geom, &v);
			why = xfs_logitem_verify(&v);
			cr_assert_null(why, "item %#x: %s", t->items[i].type,
				       why);
			cr_assert_eq(xlog_pending_item(pending, &t->items[i],
						       t->start, false), 0);
		}
	}
	cr_assert_eq(rc, 0);
	xlog_trans_close(it);
	while ((in = xlog_pending_next(pending, in))) {
		view(&in->item, regions, &n->fs.geom, &v);
		understand(&n->fs, &v, s);
	}
	count = xlog_pending_count(pending);
	xlog_pending_free(pending);
	return count;
}

/* --- */

/* Left at point @stop. Returns whether there is one. */
static bool leave_at(const struct newfs_options *o, uint64_t stop,
		     struct seen *s)
{
	struct life l = { .n = newfs_new(o) };
	size_t pending;
	int rc;

	cr_assert_eq(inode_iget(&l.n->fs, newfs_ino(l.n, AG, 9), 0, &l.ip), 0);
	l.n->fs.hooks.flags = DEFER_FORCE;
	l.n->fs.hooks.stop_at = stop;
	rc = live(&l);
	inode_put(l.ip);
	if (!rc)
		cr_assert_eq(log_force(l.n->fs.log, true), 0);
	else
		cr_assert_eq(rc, -ESHUTDOWN, "%s", l.n->said.text);
	pending = read_log(l.n, s);
	/* it is between an intent and what is done, or at the very end */
	cr_assert_eq(pending > 0, rc != 0);
	newfs_free(l.n);
	return rc;
}

static struct seen leave_everywhere(const struct newfs_options *o,
				    uint64_t least)
{
	struct seen s = { 0 };
	uint64_t stop = 1;

	while (leave_at(o, stop, &s))
		stop++;
	cr_assert_geq(stop, least);
	return s;
}

Test(intents, of_all_kinds_are_understood_wherever_a_chain_ends)
{
	struct seen s = leave_everywhere(&(struct newfs_options){
		.rmapbt = true, .reflink = true, .finobt = true }, 15);

	cr_assert(s.efi && s.rui && s.cui && s.bui);
}

Test(intents, of_files_without_owners_are_understood)
{
	struct seen s = leave_everywhere(&(struct newfs_options){
		.reflink = true }, 8);

	cr_assert(s.efi && s.cui && s.bui);
	cr_assert_eq(s.rui, 0);
}

Test(intents, of_version_4_are_understood)
{
	struct seen s = leave_everywhere(&(struct newfs_options){
		.v4 = true }, 4);

	cr_assert(s.efi);
	cr_assert_eq(s.rui + s.cui + s.bui, 0);
}
