/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From operations to items and transactions.
 *
 * A record is a row of operations, each a piece of some transaction; several
 * transactions may be open at one time, and a region may be split over
 * records. A region that lies in one record is never copied: it points into
 * the record until the record's memory goes away (xlog_assembly_detach()),
 * which for most transactions is after their COMMIT. What is copied lives in
 * the transaction's own arena, so the memory held is that of the open
 * transactions.
 *
 * Rules: Linux fs/xfs/xfs_log_recover.c (xlog_recover_process_data and what it
 * calls). Items are counted off by their own region counts: the first words of
 * the first region of every item are its type and how many regions it has.
 */
#include <stdlib.h>

#include "libxlog/read/opentrans.h"
#include "libxlog/read/read.h"

enum {
	TRANS_MAGIC = 0x5452414e,	/* "TRAN" */
	ITEM_REGIONS_MAX = 257,		/* a 64 KiB buffer in every second chunk */
	/*
	 * Linux has 8 or so. Bounds what bad input costs: memory, and time,
	 * since numbers can be chosen that all meet in one chain of the hash.
	 */
	OPEN_MAX = 1024,
	HASH_SIZE = 1024,
	/*
	 * Memory for all of them. Linux writes a checkpoint of 64 MiB at most
	 * or so; but a log of 2 GiB that was made up can hold one as long.
	 */
	OPEN_BYTES_MAX = 512 << 20,
};

struct xlog_assembly {
	struct xlog	*log;
	struct open_trans *hash[HASH_SIZE];
	struct open_trans *oldest, *newest;
	size_t		nopen;
	uint64_t	held_bytes;	/* of all that are open, about */
	uint64_t	max_bytes;
	struct open_trans *idle;	/* one kept for the next START */
	struct open_trans *given;	/* committed, in the caller's hands */
	struct xlog_record rec;
	enum xfs_order	order;		/* by the record's h_fmt */
	bool		order_told;	/* that a transaction contradicts it */
	uint32_t	pos, ops;	/* in the record */
	bool		ended;
	struct xlog_item item;		/* what xlog_op.item points to */
};

int xlog_assembly_open(struct xlog *log, struct xlog_assembly **out)
{
	struct xlog_assembly *as = calloc(1, sizeof(*as));

	if (!as)
		return report(&log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	as->log = log;
	as->ended = true;
	as->max_bytes = log->max_open_bytes ? log->max_open_bytes :
					      OPEN_BYTES_MAX;
	*out = as;
	return 0;
}

void xlog_assembly_close(struct xlog_assembly *as)
{
	if (!as)
		return;
	while (as->oldest) {
		struct open_trans *tr = as->oldest;

		as->oldest = tr->next;
		trans_free(tr);
	}
	trans_free(as->idle);
	trans_free(as->given);
	free(as);
}

static struct open_trans **trans_slot(struct xlog_assembly *as, uint32_t tid)
{
	struct open_trans **slot = &as->hash[(tid * 2654435761u) / (UINT32_MAX / HASH_SIZE + 1u)];

	while (*slot && (*slot)->t.tid != tid)
		slot = &(*slot)->hash_next;
	return slot;
}

/* The record at hand is the last one that @tr was met in. */
static void trans_seen(const struct xlog_assembly *as, struct open_trans *tr)
{
	uint32_t cycle = xfs_lsn_cycle(as->rec.lsn);
	uint64_t end = (uint64_t)as->rec.block + as->rec.bb;

	if (end >= as->log->nbb) {
		end -= as->log->nbb;
		cycle++;
		if (cycle == XLOG_MAGIC)
			cycle++;
	}
	tr->t.commit = as->rec.lsn;
	tr->t.end = xfs_lsn_make(cycle, (uint32_t)end);
}

static struct open_trans *trans_start(struct xlog_assembly *as, uint32_t tid)
{
	struct open_trans **slot = trans_slot(as, tid);
	struct open_trans *tr = as->idle;

	as->idle = NULL;
	if (!tr)
		tr = calloc(1, sizeof(*tr));
	if (!tr)
		return NULL;
	tr->t = (struct xlog_trans){ .tid = tid, .start = as->rec.lsn,
				     .big_endian = as->order == XFS_BE };
	trans_seen(as, tr);
	tr->hash_next = NULL;
	*slot = tr;
	tr->prev = as->newest;
	tr->next = NULL;
	if (as->newest)
		as->newest->next = tr;
	else
		as->oldest = tr;
	as->newest = tr;
	as->nopen++;
	return tr;
}

static void trans_unlink(struct xlog_assembly *as, struct open_trans *tr)
{
	*trans_slot(as, tr->t.tid) = tr->hash_next;
	if (tr->prev)
		tr->prev->next = tr->next;
	else
		as->oldest = tr->next;
	if (tr->next)
		tr->next->prev = tr->prev;
	else
		as->newest = tr->prev;
	as->nopen--;
	as->held_bytes -= tr->held_bytes;
}

/* Keep the memory of a transaction that is done for the next one. */
static void trans_retire(struct xlog_assembly *as, struct open_trans *tr)
{
	if (!tr)
		return;
	if (as->idle) {
		trans_free(tr);
		return;
	}
	trans_reset(tr);
	as->idle = tr;
}

static int no_memory(struct xlog_assembly *as)
{
	as->ended = true;
	return report(&as->log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory for a transaction");
}

/* The rules are broken: say so and give the transaction up. */
static int bad_op(struct xlog_assembly *as, struct xlog_op *op,
		  struct open_trans *tr, const char *what)
{
	op->role = XLOG_OP_BAD;
	report(&as->log->sink, -EUCLEAN, "log.op", as->rec.lsn,
	       "record %u, operation %u of transaction 0x%x: %s",
	       as->rec.block, as->ops, op->tid, what);
	if (tr) {
		trans_unlink(as, tr);
		trans_retire(as, tr);
	}
	return -EUCLEAN;
}

/* --- growing a transaction --- */

static enum xfs_order trans_order(const struct open_trans *tr)
{
	return tr->t.big_endian ? XFS_BE : XFS_LE;
}

/* Is @bytes more not too much? They are counted then. */
static bool may_hold(struct xlog_assembly *as, struct open_trans *tr,
		     size_t bytes)
{
	if (bytes > as->max_bytes - as->held_bytes)
		return false;
	as->held_bytes += bytes;
	tr->held_bytes += bytes;
	return true;
}

static int holds_too_much(struct xlog_assembly *as, struct xlog_op *op,
			  struct open_trans *tr)
{
	return bad_op(as, op, tr, "too much in open transactions");
}

/* Every record of a transaction is of its order: Linux refuses another. */
static void check_order(struct xlog_assembly *as, struct open_trans *tr)
{
	if (!tr->header_bytes || trans_order(tr) == as->order)
		return;
	tr->t.order_lies = true;
	if (as->order_told)
		return;
	as->order_told = true;
	report(&as->log->sink, 0, "log.order", as->rec.lsn,
	       "record %u and perhaps others: the items are in the other byte order than the record says",
	       as->rec.block);
}

static int add_header(struct xlog_assembly *as, struct xlog_op *op,
		      struct open_trans *tr)
{
	const char *why = NULL;

	op->role = XLOG_OP_TRANS_HEADER;
	if (op->len_bytes > TRANS_HEADER_BYTES - tr->header_bytes)
		why = "transaction header too long";
	else if (!tr->header_bytes && op->len_bytes < 4)
		why = "transaction header too short";
	if (why)
		return bad_op(as, op, tr, why);
	memcpy(tr->header + tr->header_bytes, op->data, op->len_bytes);
	if (!tr->header_bytes) {
		/* the magic says which order the items are in */
		if (get_be32(tr->header) == TRANS_MAGIC)
			tr->t.big_endian = true;
		else if (get_le32(tr->header) == TRANS_MAGIC)
			tr->t.big_endian = false;
		else
			return bad_op(as, op, tr, "bad transaction header magic");
	}
	tr->header_bytes += op->len_bytes;
	check_order(as, tr);
	if (tr->header_bytes == TRANS_HEADER_BYTES) {
		tr->t.type = get_w32(tr->header + 4, trans_order(tr));
		tr->t.num_regions = get_w32(tr->header + 12, trans_order(tr));
	}
	return 1;
}

static void describe_region(struct xlog_op *op, const struct xlog_item *item)
{
	op->item_type = item->type;
	op->region = (uint16_t)(item->nregions - 1);
	op->regions = item->declared;
}

/* The last item has all its regions now: show it to the caller. */
static void complete_item(struct xlog_assembly *as, struct xlog_op *op,
			  struct open_trans *tr)
{
	const struct xlog_item *item = &tr->items[tr->nitems - 1];

	if (item->nregions != item->declared)
		return;
	as->item = *item;
	as->item.regions = tr->regions + tr->first[tr->nitems - 1];
	op->item = &as->item;
}

static int add_region(struct xlog_assembly *as, struct xlog_op *op,
		      struct open_trans *tr)
{
	enum xfs_order order = trans_order(tr);
	struct xlog_item *item;

	op->role = XLOG_OP_REGION;
	if (!op->len_bytes)
		return 1;		/* carries nothing: ignored */
	if (tr->header_bytes < TRANS_HEADER_BYTES)
		return tr->header_bytes ?
		       bad_op(as, op, tr, "transaction header cut short") :
		       add_header(as, op, tr);
	item = tr->nitems ? &tr->items[tr->nitems - 1] : NULL;
	if (!item || item->nregions == item->declared) {
		uint16_t declared;

		if (op->len_bytes < 4)
			return bad_op(as, op, tr, "log item too short");
		declared = get_w16(op->data + 2, order);
		if (!declared || declared > ITEM_REGIONS_MAX)
			return bad_op(as, op, tr,
				      "bad number of regions in log item");
		if (!may_hold(as, tr, sizeof(*item) + sizeof(*tr->first)))
			return holds_too_much(as, op, tr);
		if (!trans_room_for_item(tr))
			return no_memory(as);
		item = &tr->items[tr->nitems];
		*item = (struct xlog_item){
			.type = get_w16(op->data, order),
			.declared = declared };
		tr->first[tr->nitems++] = tr->nregions;
	}
	if (!may_hold(as, tr, sizeof(struct xlog_region) + op->len_bytes))
		return holds_too_much(as, op, tr);
	if (!trans_room_for_region(tr))
		return no_memory(as);
	tr->regions[tr->nregions++] = (struct xlog_region){
		.data = op->data, .len_bytes = op->len_bytes };
	tr->tail_copied = false;
	item->nregions++;
	tr->t.bytes += op->len_bytes;
	describe_region(op, item);
	if (!(op->flags & XLOG_CONTINUE_TRANS))
		complete_item(as, op, tr);
	return 1;
}

/* Another piece of the last region: from now on the region is a copy. */
static int extend_region(struct xlog_assembly *as, struct xlog_op *op,
			 struct open_trans *tr)
{
	struct xlog_region *r;
	uint8_t *p;

	op->role = XLOG_OP_CONTINUATION;
	if (tr->header_bytes < TRANS_HEADER_BYTES)
		return tr->header_bytes ? add_header(as, op, tr) :
		       bad_op(as, op, tr, "continuation of nothing");
	if (!tr->nregions)
		return bad_op(as, op, tr, "continuation of nothing");
	r = &tr->regions[tr->nregions - 1];
	if (op->len_bytes > UINT32_MAX - r->len_bytes)
		return bad_op(as, op, tr, "region too long");
	if (!may_hold(as, tr, op->len_bytes))
		return holds_too_much(as, op, tr);
	if (!tr->tail_copied) {
		p = arena_alloc(&tr->arena, (size_t)r->len_bytes + op->len_bytes);
		if (p)
			memcpy(p, r->data, r->len_bytes);
	} else {
		p = arena_grow(&tr->arena, (void *)(uintptr_t)r->data,
			       r->len_bytes, op->len_bytes);
	}
	if (!p)
		return no_memory(as);
	memcpy(p + r->len_bytes, op->data, op->len_bytes);
	r->data = p;
	r->len_bytes += op->len_bytes;
	tr->tail_copied = true;
	tr->t.bytes += op->len_bytes;
	describe_region(op, &tr->items[tr->nitems - 1]);
	if (op->flags & XLOG_END_TRANS || !(op->flags & XLOG_CONTINUE_TRANS))
		complete_item(as, op, tr);
	return 1;
}

/* --- operations --- */

/*
 * Linux does not look, and replays what is left of a transaction that lost
 * operations. Announced are the regions; where every transaction was written
 * on its own, before delayed logging, the items.
 */
static void check_announced(struct xlog_assembly *as,
			    const struct open_trans *tr)
{
	if (tr->t.num_regions == tr->nregions || tr->t.num_regions == tr->nitems)
		return;
	report(&as->log->sink, 0, "log.regions", as->rec.lsn,
	       "record %u: transaction 0x%x announces %u regions and has %zu",
	       as->rec.block, tr->t.tid, tr->t.num_regions, tr->nregions);
}

static int commit(struct xlog_assembly *as, struct xlog_op *op,
		  struct open_trans *tr, const struct xlog_trans **trans)
{
	op->role = XLOG_OP_COMMIT;
	if (!tr->nitems)
		return bad_op(as, op, tr, "committed without an item");
	check_announced(as, tr);
	tr->t.committed = true;
	tr->t.commit_offset = op->offset;
	trans_unlink(as, tr);
	as->given = tr;
	*trans = trans_public(tr);
	return 1;
}

static int start(struct xlog_assembly *as, struct xlog_op *op)
{
	op->role = XLOG_OP_START;
	if (as->nopen == OPEN_MAX)
		return bad_op(as, op, NULL, "too many open transactions");
	return trans_start(as, op->tid) ? 1 : no_memory(as);
}

static int place_op(struct xlog_assembly *as, struct xlog_op *op,
		    const struct xlog_trans **trans)
{
	struct open_trans *tr = *trans_slot(as, op->tid);
	unsigned int flags = op->flags & ~(unsigned int)XLOG_END_TRANS;

	if (!tr) {
		if (op->flags & XLOG_START_TRANS)
			return start(as, op);
		op->role = op->flags & XLOG_UNMOUNT_TRANS ? XLOG_OP_UNMOUNT :
			   XLOG_OP_ORPHAN;
		return 1;
	}
	trans_seen(as, tr);
	check_order(as, tr);
	if (flags & XLOG_WAS_CONT_TRANS)
		flags &= ~(unsigned int)XLOG_CONTINUE_TRANS;
	switch (flags) {
	case 0:
	case XLOG_CONTINUE_TRANS:
		return add_region(as, op, tr);
	case XLOG_WAS_CONT_TRANS:
		return extend_region(as, op, tr);
	case XLOG_COMMIT_TRANS:
		return commit(as, op, tr, trans);
	case XLOG_UNMOUNT_TRANS:
		op->role = XLOG_OP_UNMOUNT;
		/* Linux says so in passing and drops the transaction */
		report(&as->log->sink, 0, "log.op", as->rec.lsn,
		       "record %u: unmount in the middle of transaction 0x%x",
		       as->rec.block, op->tid);
		trans_unlink(as, tr);
		trans_retire(as, tr);
		return 1;
	default:
		return bad_op(as, op, tr, "bad flags");
	}
}

void xlog_assembly_record(struct xlog_assembly *as,
			  const struct xlog_record *rec)
{
	as->rec = *rec;
	as->order = rec->fmt == XLOG_FMT_LINUX_LE ? XFS_LE : XFS_BE;
	as->pos = as->ops = 0;
	as->ended = !rec->data;
}

/*
 * Records are filled up to a sector or a stripe unit, with anything. More than
 * that are operations which the header does not count, and Linux leaves out.
 */
static void check_left(struct xlog_assembly *as)
{
	const struct xlog_info *info = &as->log->info;
	uint32_t left = as->rec.len_bytes - as->pos;

	if (!info->sb_version || left < BB_SIZE ||
	    left < info->log_sunit_bytes || left < info->log_sector_bytes)
		return;
	report(&as->log->sink, 0, "log.ops", as->rec.lsn,
	       "record %u: its header says %u operations, behind which %u bytes are left",
	       as->rec.block, as->rec.num_ops, left);
}

int xlog_assembly_op(struct xlog_assembly *as, struct xlog_op *op,
		     const struct xlog_trans **trans)
{
	struct xlog_op_header oh;
	const char *why;
	uint32_t room;
	int rc;

	*trans = NULL;
	memset(op, 0, sizeof(*op));
	trans_retire(as, as->given);
	as->given = NULL;
	if (as->ended)
		return 0;
	if (as->ops == as->rec.num_ops) {
		as->ended = true;
		check_left(as);
		return 0;
	}
	if (as->pos == as->rec.len_bytes) {
		as->ended = true;
		notice(&as->log->sink, XLOG_WARNING, "log.ops", as->rec.lsn,
		       "record %u has %u operations, its header says %u",
		       as->rec.block, as->ops, as->rec.num_ops);
		return 0;
	}
	if (as->rec.len_bytes - as->pos < xlog_op_header_size) {
		as->ended = true;
		return bad_op(as, op, NULL, "header runs past the record");
	}
	xlog_op_header_decode(&oh, as->rec.data + as->pos, xlog_op_header_size,
			      XFS_BE);
	op->tid = oh.oh_tid;
	op->len_bytes = oh.oh_len;
	op->clientid = oh.oh_clientid;
	op->flags = oh.oh_flags;
	op->offset = as->pos;
	op->data = as->rec.data + as->pos + xlog_op_header_size;
	room = as->rec.len_bytes - as->pos - xlog_op_header_size;
	why = xlog_op_header_verify(&oh, room);
	if (why) {
		/* the next operation cannot be found behind this one */
		as->ended = true;
		op->data = NULL;
		return bad_op(as, op, *trans_slot(as, op->tid), why);
	}
	rc = place_op(as, op, trans);
	as->pos += xlog_op_header_size + oh.oh_len;
	as->ops++;
	return rc;
}

int xlog_assembly_detach(struct xlog_assembly *as)
{
	for (struct open_trans *tr = as->oldest; tr; tr = tr->next) {
		for (size_t i = tr->detached; i < tr->nregions; i++) {
			struct xlog_region *r = &tr->regions[i];
			uint8_t *p;

			if (i == tr->nregions - 1 && tr->tail_copied)
				break;
			p = arena_alloc(&tr->arena, r->len_bytes);
			if (!p)
				return no_memory(as);
			memcpy(p, r->data, r->len_bytes);
			r->data = p;
		}
		tr->detached = tr->nregions;
		tr->tail_copied = tr->nregions;
	}
	return 0;
}

const struct xlog_trans *
xlog_assembly_unfinished(struct xlog_assembly *as,
			 const struct xlog_trans *prev)
{
	struct open_trans *tr = as->oldest;

	if (prev)
		tr = (*trans_slot(as, prev->tid))->next;
	return tr ? trans_public(tr) : NULL;
}
