/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of replay. Checkpoints come in the order of their COMMITs. Inside
 * one, items do not come as they were logged: buffers and new inode chunks
 * first, since inodes lie in them; then inodes and everything else; then the
 * buffers of inodes, of which only the unlinked lists count, newest first;
 * last what cancels, since until then its items are asked whether they still
 * count.
 *
 * Source of the order: fs/xfs/xfs_log_recover.c, checked against what kernels
 * 5.10 to 7.2 make of their logs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "libxlog/replay/walk.h"

enum rank {
	RANK_BUFFER,
	RANK_ITEM,
	RANK_INODE_BUFFER,
	RANK_CANCEL,
	RANKS,
};

enum { PROGRESS_CHECKPOINTS = 16 };

struct walker {
	struct replay	*r;
	replay_item_fn	fn;
	struct replay_walk *out;
	bool		beyond;		/* the checkpoints behind the stop */
	enum xfs_order	order;		/* of the checkpoint */
	uint8_t		*ranks;		/* of the items of a checkpoint */
	size_t		room;
	struct xfs_log_region regions[XFS_LOGITEM_MAX_REGIONS];
};

static enum rank rank_of(const struct xlog_item *item, enum xfs_order order)
{
	uint16_t flags;

	if (item->type == XFS_LI_ICREATE)
		return RANK_BUFFER;
	if (item->type != XFS_LI_BUF)
		return RANK_ITEM;
	if (!item->nregions || item->regions[0].len_bytes < 6)
		return RANK_BUFFER;	/* and refused there */
	flags = get_w16(item->regions[0].data + 4, order);
	if (flags & XFS_BLF_CANCEL)
		return RANK_CANCEL;
	return flags & XFS_BLF_INODE_BUF ? RANK_INODE_BUFFER : RANK_BUFFER;
}

static int make_room(struct walker *w, size_t n)
{
	uint8_t *p;

	if (n <= w->room)
		return 0;
	p = realloc(w->ranks, n);
	if (!p)
		return replay_no_memory(w->r);
	w->ranks = p;
	w->room = n;
	return 0;
}

static int walk_item(struct walker *w, xfs_lsn_t lsn,
		     const struct xlog_item *item)
{
	struct replay *r = w->r;
	struct replay_item it = {
		.item = item,
		.view = {
			.regions = w->regions,
			.nregions = item->nregions,
			.order = w->order,
			.geom = &r->geom,
		},
		.lsn = lsn,
		.seq = (uint32_t)w->out->checkpoints,
	};

	if (item->nregions > XFS_LOGITEM_MAX_REGIONS)
		return replay_refuse(r, -EUCLEAN, "item.regions", it.lsn,
				     "an item of %u regions", item->nregions);
	for (unsigned int i = 0; i < item->nregions; i++)
		w->regions[i] = (struct xfs_log_region){
			item->regions[i].data, item->regions[i].len_bytes
		};
	w->out->items++;
	return w->fn(r, &it);
}

/*
 * The byte order of a checkpoint: what it is in and what its records say must
 * agree. Logs change it where another machine went on, as this one does behind
 * a foreign log.
 */
static int take_order(struct walker *w, const struct xlog_trans *trans)
{
	struct replay *r = w->r;

	w->order = trans->big_endian ? XFS_BE : XFS_LE;
	if (r->opts->order == XLOG_ORDER_AUTO ? !trans->order_lies :
						w->order == r->order)
		return 0;
	return replay_refuse(r, -EUCLEAN, "log.order", trans->start,
			     "a transaction is in another byte order (%s-endian) than the log",
			     trans->big_endian ? "big" : "little");
}

static int walk_trans(struct walker *w, const struct xlog_trans *trans)
{
	int rc = take_order(w, trans);

	if (!rc)
		rc = make_room(w, trans->nitems);
	if (rc)
		return rc;
	for (size_t i = 0; i < trans->nitems; i++)
		w->ranks[i] = (uint8_t)rank_of(&trans->items[i], w->order);
	for (unsigned int rank = 0; rank < RANKS && !rc; rank++)
		for (size_t i = 0; i < trans->nitems && !rc; i++) {
			size_t n = rank >= RANK_INODE_BUFFER ?
				   trans->nitems - 1 - i : i;

			if (w->ranks[n] == rank)
				rc = walk_item(w, trans->start,
					       &trans->items[n]);
		}
	return rc;
}

/*
 * Is @trans, the next of them, behind the place where replay is to stop? Not
 * between two of one LSN: a block with that LSN would be taken to have both.
 */
static bool is_behind_stop(const struct replay *r,
			   const struct xlog_trans *trans,
			   const struct replay_walk *before)
{
	const struct xlog_recover_options *o = r->opts;

	return (o->stop_lsn != XLOG_LSN_NONE && trans->start > o->stop_lsn) ||
	       (o->stop_count && before->checkpoints >= o->stop_count &&
		trans->start != before->last_lsn);
}

/* Where the walk ends: replay of a part of a damaged log, at the damage. */
static uint32_t end_block(const struct replay *r)
{
	const struct xlog_bounds *b = &r->res->bounds;

	return xlog_lsn_block(b->damaged != XLOG_LSN_NONE ? b->damaged :
							    b->head);
}

/*
 * The log goes on behind that with records which are damaged. @cut: the LSN of
 * the oldest transaction that is cut off there, or NONE. Was all of the part to
 * replay before that?
 */
static int check_damage(struct replay *r, const struct replay_walk *out,
			xfs_lsn_t cut)
{
	const struct xlog_recover_options *o = r->opts;
	xfs_lsn_t damaged = r->res->bounds.damaged;
	xfs_lsn_t stop = o->stop_count ? out->last_lsn : o->stop_lsn;

	if (damaged == XLOG_LSN_NONE ||
	    (out->checkpoints >= o->stop_count && stop < damaged && stop < cut))
		return 0;
	return replay_refuse(r, -EUCLEAN, "log.record", damaged,
			     "a damaged record at %u:%u, before where replay is to stop",
			     xfs_lsn_cycle(damaged), xfs_lsn_block(damaged));
}

int replay_progress(struct replay *r, enum xlog_phase phase, uint64_t done,
		    uint64_t total)
{
	if (!r->opts->progress ||
	    !r->opts->progress(r->opts->ctx, phase, done, total))
		return 0;
	return report(&r->log->sink, -ECANCELED, "cancelled", XLOG_LSN_NONE,
		      "interrupted");
}

static int walk(struct replay *r, enum xlog_phase phase, replay_item_fn fn,
		bool beyond, struct replay_walk *out)
{
	uint32_t tail = xlog_lsn_block(r->res->bounds.tail);
	uint32_t head = end_block(r);
	uint64_t total = block_distance(r->log, tail, head);
	xfs_lsn_t cut = XLOG_LSN_NONE;
	const struct xlog_trans *trans;
	struct xlog_trans_iter *iter;
	struct walker *w;
	int rc;

	*out = (struct replay_walk){ 0 };
	w = calloc(1, sizeof(*w));
	if (!w)
		return replay_no_memory(r);
	w->r = r;
	w->fn = fn;
	w->out = out;
	w->beyond = beyond;
	rc = xlog_trans_open(r->log, tail, head, false, &iter);
	if (rc)
		goto free_walker;
	while ((rc = xlog_trans_next(iter, &trans)) == 1) {
		uint32_t at = xlog_lsn_block(trans->commit);

		if (!trans->committed) {
			out->uncommitted++;
			if (trans->start < cut)
				cut = trans->start;
			continue;
		}
		if (is_behind_stop(r, trans, out)) {
			if (!w->beyond)
				break;
			rc = walk_trans(w, trans);
			if (rc)
				break;
			continue;
		}
		if (out->checkpoints == UINT32_MAX) {
			rc = replay_refuse(r, -EUCLEAN, "log.checkpoints",
					   trans->start,
					   "more checkpoints than a log can hold");
			break;
		}
		out->checkpoints++;
		out->last_lsn = trans->start;
		rc = w->beyond ? 0 : walk_trans(w, trans);
		if (!rc && out->checkpoints % PROGRESS_CHECKPOINTS == 0)
			rc = replay_progress(r, phase,
					     block_distance(r->log, tail, at),
					     total);
		if (rc)
			break;
	}
	if (rc > 0)
		rc = 0;
	else if (!rc)
		rc = check_damage(r, out, cut);
	/* the reader has reported it, in more words */
	if ((rc == -EUCLEAN || rc == -EBADMSG) && !r->res->refused[0])
		snprintf(r->res->refused, sizeof(r->res->refused),
			 "the log is damaged between tail and head");
	out->records = xlog_trans_records(iter);
	xlog_trans_close(iter);
free_walker:
	free(w->ranks);
	free(w);
	return rc;
}

int replay_walk(struct replay *r, enum xlog_phase phase, replay_item_fn fn,
		struct replay_walk *out)
{
	return walk(r, phase, fn, false, out);
}

int replay_walk_beyond(struct replay *r, replay_item_fn fn)
{
	struct replay_walk ignored;

	return walk(r, XLOG_PHASE_FINISH, fn, true, &ignored);
}
