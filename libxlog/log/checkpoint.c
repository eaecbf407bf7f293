/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checkpoint: all that was in the CIL, as one transaction in the log. The
 * push switches the CIL to a new checkpoint, which is all that commits have to
 * wait for, and then writes the old one: its vectors, and when those of all
 * earlier checkpoints are in the log, its commit record. Several may be under
 * way; their start records and their commit records are in sequence, so replay
 * sees them in the order of the commits that are in them.
 */
#include <stdlib.h>

#include "libxfsfmt/logitem_fmt.h"
#include "libxlog/log/log_priv.h"

struct checkpoint *checkpoint_new(struct log *log, uint64_t seq,
				  struct ticket *tic)
{
	struct checkpoint *cp = calloc(1, sizeof(*cp));

	if (!cp)
		return NULL;
	cp->log = log;
	cp->seq = seq;
	cp->chain_end = &cp->chain;
	list_init(&cp->busy);
	list_init(&cp->committing_link);
	list_init(&cp->iclog_link);
	list_init(&cp->start_link);
	if (tic) {
		cp->ticket = tic;
		return cp;
	}
	cp->owns_ticket = true;
	cp->ticket = ticket_new(log, 0);
	if (cp->ticket)
		return cp;
	free(cp);
	return NULL;
}

static void free_vecs(struct log_vec *vec)
{
	while (vec) {
		struct log_vec *next = vec->next;

		free(vec);
		vec = next;
	}
}

void checkpoint_free(struct checkpoint *cp)
{
	if (!cp)
		return;
	free_vecs(cp->chain);
	free_vecs(cp->whiteouts);
	if (cp->owns_ticket)
		ticket_release(cp->log, cp->ticket);
	free(cp);
}

/* --- in sequence --- */

void checkpoint_started(struct checkpoint *cp, xfs_lsn_t lsn)
{
	struct cil *cil = &cp->log->cil;

	/* before its first record can be complete: the caller has that one */
	cp->start_lsn = lsn;
	ail_hold_tail(cp->log, cp);
	xmutex_lock(&cil->push_lock);
	cp->is_started = true;
	xcond_wake_all(&cil->progress);
	xmutex_unlock(&cil->push_lock);
}

enum stage {
	STARTED,
	COMMITTED,
};

static bool earlier_have(const struct cil *cil, uint64_t seq, enum stage stage)
	REQUIRES(cil->push_lock)
{
	for (struct list *l = list_first(&cil->committing); l;
	     l = list_next(l, &cil->committing)) {
		const struct checkpoint *cp =
			container_of(l, struct checkpoint, committing_link);

		if (cp->seq >= seq)
			break;
		if (stage == STARTED ? !cp->is_started : !cp->commit_lsn)
			return false;
	}
	return true;
}

static int wait_for_earlier(struct checkpoint *cp, enum stage stage)
{
	struct log *log = cp->log;
	struct cil *cil = &log->cil;

	if (log->config.flags & LOG_DIRECT ||
	    (stage == COMMITTED && log->breaks & LOG_BREAK_COMMIT_ORDER))
		return 0;
	xmutex_lock(&cil->push_lock);
	while (!earlier_have(cil, cp->seq, stage) && !log_is_shutdown(log))
		log_sleep(log, &cil->progress, &cil->push_lock);
	xmutex_unlock(&cil->push_lock);
	return log_is_shutdown(log) ? -ESHUTDOWN : 0;
}

/* --- writing it --- */

/* In front of the items: the operation that starts it, and its header. */
static struct log_vec *opening(struct checkpoint *cp)
{
	const uint32_t bytes = 2 * OP_BYTES + xfs_trans_header_size;
	struct log_vec *vec = calloc(1, sizeof(*vec) + bytes);
	struct xlog_op_header op = {
		.oh_tid = cp->ticket->tid,
		.oh_clientid = XLOG_CLIENT_TRANSACTION,
		.oh_flags = XLOG_START_TRANS,
	};
	enum xfs_order order = xlog_form_order(&cp->log->form);
	uint8_t *at;

	if (!vec)
		return NULL;
	vec->used_bytes = vec->room_bytes = bytes;
	vec->nregions = 2;
	at = xlog_op_header_encode(vec->data, &op);
	op.oh_flags = 0;
	op.oh_len = xfs_trans_header_size;
	at = xlog_op_header_encode(at, &op);
	put_w32(at, XFS_TRANS_HEADER_MAGIC, order);
	put_w32(at + 4, XFS_TRANS_CHECKPOINT, order);
	put_w32(at + 8, cp->ticket->tid, order);
	put_w32(at + 12, (uint32_t)cp->nregions, order);
	return vec;
}

/*
 * The commit record in @ic ends it: from now on that says where it is. Returns
 * whether it is to be sealed; who asks later finds the iclog.
 */
static bool set_commit(struct checkpoint *cp, struct iclog *ic)
{
	struct log *log = cp->log;
	struct cil *cil = &log->cil;
	bool stable;

	xmutex_lock(&cil->push_lock);
	xmutex_lock(&log->iclog_lock);
	list_insert_last(&cp->iclog_link, &ic->checkpoints);
	xmutex_unlock(&log->iclog_lock);
	cp->commit_lsn = ic->lsn;
	stable = cp->is_stable;
	xcond_wake_all(&cil->progress);
	xmutex_unlock(&cil->push_lock);
	return stable;
}

/*
 * What the commit record says is there has to be there: when it is in a later
 * record than the start, those before are durable first. (LOG_DIRECT: they are
 * when they are done, or the log has a hole there, where it ends.) The record
 * itself is durable when it is done.
 */
static void settle_commit(struct log *log, struct iclog *ic, xfs_lsn_t start,
			  bool stable)
{
	unsigned int flags = ICLOG_FUA;

	if (start != ic->lsn && !(log->config.flags & LOG_DIRECT))
		flags |= ICLOG_AFTER;
	iclog_flag(log, ic, flags, stable);
}

/* On success the iclog's completion is what ends the checkpoint. */
static int write_commit(struct checkpoint *cp, xfs_lsn_t *commit_lsn)
{
	struct log *log = cp->log;
	struct ticket *tic = cp->ticket;
	xfs_lsn_t start = cp->start_lsn;
	uint8_t op[OP_BYTES];
	struct iclog *ic;
	xfs_lsn_t lsn;
	bool own, stable;
	int rc;

	xlog_op_header_encode(op, &(struct xlog_op_header){
		.oh_tid = tic->tid,
		.oh_clientid = XLOG_CLIENT_TRANSACTION,
		.oh_flags = XLOG_COMMIT_TRANS,
	});
	rc = log_write_op(log, tic, op, sizeof(op), 0, &ic);
	if (rc)
		return rc;
	own = cp->owns_ticket;
	cp->ticket = NULL;
	lsn = ic->lsn;
	if (log->config.flags & LOG_DIRECT)
		cil_mark_busy(&cp->busy, lsn);
	stable = set_commit(cp, ic);
	settle_commit(log, ic, start, stable);
	if (own)
		iclog_put_release(log, ic, tic, 1);
	else
		iclog_put(log, ic, tic, 1);
	*commit_lsn = lsn;
	return 0;
}

static int write_checkpoint(struct checkpoint *cp, xfs_lsn_t *lsn)
{
	struct log_vec *first = opening(cp);
	int rc;

	if (!first)
		return -ENOMEM;
	TRACE(xlog_cil_push, cp->seq, cp->ticket->tid, cp->nvecs, cp->bytes);
	log_stat_checkpoint(cp->log, cp->nvecs, cp->nregions, cp->bytes);
	cp->ticket->left_bytes -= first->used_bytes + OP_BYTES;
	first->next = cp->chain;
	cp->chain = first;
	rc = wait_for_earlier(cp, STARTED);
	if (!rc)
		rc = log_write_chain(cp->log, cp, cp->chain,
				     cp->bytes + first->used_bytes);
	if (!rc)
		rc = wait_for_earlier(cp, COMMITTED);
	return rc ? rc : write_commit(cp, lsn);
}

/* As write_checkpoint(); what cannot be written ends the log. */
static int write_or_die(struct checkpoint *cp, xfs_lsn_t *lsn)
{
	struct log *log = cp->log;
	int rc = write_checkpoint(cp, lsn);

	if (!rc)
		return 0;
	log_shutdown(log, LOG_SHUTDOWN_ERROR,
		     rc == -ENOMEM ? "no memory for a checkpoint" :
				     "a checkpoint could not be written");
	checkpoint_complete(cp, true);
	return -ESHUTDOWN;
}

/* --- out of the CIL --- */

void checkpoint_take(struct checkpoint *cp, struct log_item *item)
{
	struct log_vec *vec = item->vec;

	item->vec = NULL;
	vec->item = item;
	vec->next = NULL;
	if (atomic_load(&item->flags) & LOG_ITEM_WHITEOUT) {
		TRACE_ITEM(xfs_cil_whiteout_skip, item);
		vec->next = cp->whiteouts;
		cp->whiteouts = vec;
		return;
	}
	*cp->chain_end = vec;
	cp->chain_end = &vec->next;
	cp->nvecs++;
	cp->nregions += vec->nregions;
	cp->bytes += vec->used_bytes;
}

/* (ctx_lock) nobody else is in a shard: its lock is not needed. */
static void empty_shard(struct checkpoint *cp, struct cil_shard *shard)
{
	struct list *first;

	while ((first = list_first(&shard->items))) {
		list_remove(first);
		checkpoint_take(cp, container_of(first, struct log_item,
						 cil_link));
	}
	list_splice_last(&shard->busy, &cp->busy);
	cp->ticket->left_bytes += atomic_load_explicit(&shard->reserved_bytes,
						       memory_order_relaxed);
	atomic_store_explicit(&shard->reserved_bytes, 0, memory_order_relaxed);
	atomic_store_explicit(&shard->used_bytes, 0, memory_order_relaxed);
}

static struct log_vec *merge(struct log_vec *a, struct log_vec *b)
{
	struct log_vec *head = NULL, **end = &head;

	while (a && b) {
		struct log_vec **least = a->order <= b->order ? &a : &b;

		*end = *least;
		end = &(*least)->next;
		*least = *end;
	}
	*end = a ? a : b;
	return head;
}

/*
 * By the order of commits, equals as they are: a merge sort, bottom up. What came
 * out of one shard, and was not relogged, is in order already.
 */
static struct log_vec *sort(struct log_vec *chain)
{
	struct log_vec *runs[64] = { NULL };
	unsigned int top = 0;

	while (chain) {
		struct log_vec *run = chain, *last = chain;
		unsigned int i;

		while (last->next && last->next->order >= last->order)
			last = last->next;
		chain = last->next;
		last->next = NULL;
		for (i = 0; runs[i]; i++) {
			run = merge(runs[i], run);
			runs[i] = NULL;
		}
		runs[i] = run;
		if (i >= top)
			top = i + 1;
	}
	for (unsigned int i = 0; i < top; i++)
		chain = merge(runs[i], chain);
	return chain;
}

/*
 * Put @next in the place of the checkpoint @seq. NULL: there is nothing to
 * push, or someone else has pushed it.
 */
static struct checkpoint *switch_ctx(struct log *log, uint64_t seq,
				     bool stable, struct checkpoint *next)
{
	struct cil *cil = &log->cil;
	struct checkpoint *cp;

	xrwlock_write(&cil->ctx_lock);
	cp = cil->ctx;
	if (cp->seq != seq || atomic_load(&cil->is_empty)) {
		xrwlock_write_unlock(&cil->ctx_lock);
		return NULL;
	}
	for (unsigned int i = 0; i < CIL_SHARDS; i++)
		empty_shard(cp, &cil->shards[i]);
	atomic_store(&cil->used_bytes, 0);
	atomic_store(&cil->header_credit,
		     cil_header_credit(log));
	cil->ctx = next;
	xmutex_lock(&cil->push_lock);
	/* together: who forces must not take the one for empty that was not */
	atomic_store(&cil->is_empty, true);
	atomic_store(&cil->seq, next->seq);
	cp->is_stable = stable;
	list_insert_last(&cp->committing_link, &cil->committing);
	cil->ncommitting++;
	xcond_wake_all(&cil->switched);
	xmutex_unlock(&cil->push_lock);
	xrwlock_write_unlock(&cil->ctx_lock);
	return cp;
}

/* Intents that were done before they were logged: nobody will hear of them. */
static void drop_whiteouts(struct log_vec *vec)
{
	while (vec) {
		struct log_vec *next = vec->next;

		TRACE_ITEM(xfs_cil_whiteout_unpin, vec->item);
		vec->item->ops->unpin(vec->item, true);
		free(vec);
		vec = next;
	}
}

int cil_push(struct log *log, uint64_t seq, bool stable)
{
	struct checkpoint *next = checkpoint_new(log, seq + 1, NULL), *cp;
	struct log_vec *whiteouts;
	xfs_lsn_t lsn;
	int rc;

	if (!next) {
		log_shutdown(log, LOG_SHUTDOWN_ERROR,
			     "no memory for a checkpoint");
		return -ESHUTDOWN;
	}
	cp = switch_ctx(log, seq, stable, next);
	if (!cp) {
		checkpoint_free(next);
		return 0;
	}
	cp->began_ns = log_stat_clock();
	cp->chain = sort(cp->chain);
	whiteouts = cp->whiteouts;
	cp->whiteouts = NULL;
	rc = write_or_die(cp, &lsn);
	drop_whiteouts(whiteouts);
	return rc;
}

int checkpoint_write_direct(struct checkpoint *cp, xfs_lsn_t *lsn)
{
	return write_or_die(cp, lsn);
}

/* --- those under way --- */

struct checkpoint *cil_committing(struct cil *cil, uint64_t seq)
{
	for (struct list *l = list_first(&cil->committing); l;
	     l = list_next(l, &cil->committing)) {
		struct checkpoint *cp = container_of(l, struct checkpoint,
						     committing_link);

		if (cp->seq >= seq)
			return cp->seq == seq ? cp : NULL;
	}
	return NULL;
}

bool cil_seal_locked(struct log *log, uint64_t seq)
{
	struct checkpoint *cp = cil_committing(&log->cil, seq);

	if (cp && cp->commit_lsn)
		return iclog_kick(log, cp->commit_lsn);
	if (cp)
		cp->is_stable = true;
	return false;
}

bool cil_seal(struct log *log, uint64_t seq)
{
	bool sealed;

	xmutex_lock(&log->cil.push_lock);
	sealed = cil_seal_locked(log, seq);
	xmutex_unlock(&log->cil.push_lock);
	return sealed;
}

/* --- the worker --- */

void cil_push_later(struct log *log, uint64_t seq, bool stable)
{
	struct cil *cil = &log->cil;

	xmutex_lock(&cil->push_lock);
	if (cil->push_seq < seq)
		cil->push_seq = seq;
	cil->push_stable |= stable;
	xcond_wake_one(&cil->push_wanted);
	xmutex_unlock(&cil->push_lock);
}

/* Nobody pushes any more: who waits for something in the CIL is to see it. */
static bool abort_once(struct log *log)
{
	struct cil *cil = &log->cil;
	bool first;

	xmutex_lock(&cil->push_lock);
	first = !cil->aborted;
	cil->aborted = true;
	xmutex_unlock(&cil->push_lock);
	if (first)
		cil_abort(log);
	return first;
}

bool cil_push_step(struct log *log)
{
	struct cil *cil = &log->cil;
	uint64_t seq, last;
	bool wanted, stable;

	if (log_is_shutdown(log))
		return abort_once(log);
	xmutex_lock(&cil->push_lock);
	seq = atomic_load(&cil->seq);
	wanted = cil->push_seq >= seq;
	last = cil->push_seq;
	stable = cil->push_stable;
	cil->push_stable = false;
	if (wanted)
		cil->push_seq = seq - 1;
	xmutex_unlock(&cil->push_lock);
	/* pushed meanwhile, but perhaps not for good */
	if (!wanted)
		return stable && cil_seal(log, last);
	/* what failed is a dead log, and known to all */
	return !cil_push(log, seq, stable);
}

/* --- its end --- */

static void abort_items(struct checkpoint *cp)
{
	ail_drop_checkpoint(cp->log, cp);
	for (struct log_vec *vec = cp->chain; vec; vec = vec->next) {
		if (vec->item) {
			TRACE_ITEM(xlog_ail_insert_abort, vec->item);
			vec->item->ops->unpin(vec->item, true);
		}
	}
}

void checkpoint_complete(struct checkpoint *cp, bool abort)
{
	struct log *log = cp->log;
	struct cil *cil = &log->cil;

	TRACE(xlog_cil_committed, cp->seq, cp->start_lsn, cp->commit_lsn,
	      abort);
	if (!abort && cp->began_ns)
		log_stat_time(log, LOG_TIME_CHECKPOINT, cp->began_ns);
	if (abort)
		abort_items(cp);
	else
		ail_insert_checkpoint(log, cp);
	if (log->config.busy_done)
		log->config.busy_done(log->config.busy_ctx, &cp->busy, abort);
	xmutex_lock(&cil->push_lock);
	if (!list_is_empty(&cp->committing_link)) {
		list_remove(&cp->committing_link);
		cil->ncommitting--;
		if (!abort)
			cil->done_seq = cp->seq;
		xcond_wake_all(cil_durable(cil, cp->seq));
	}
	xcond_wake_all(&cil->progress);
	xmutex_unlock(&cil->push_lock);
	checkpoint_free(cp);
}
