/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commits. While its object is locked, an item is formatted into its vector,
 * in memory; the vector goes into the checkpoint that is being collected, in
 * place of what the item had there. The memory is made before the CIL is
 * entered, and what is changed inside belongs to one shard of it, so that
 * commits do not wait for each other, only for the moment in which a push
 * switches checkpoints.
 *
 * What the checkpoint will take for record headers is not known before it is
 * written. Transactions have reserved the most it can be, and pay it into the
 * checkpoint's ticket here: the first one for its fixed part, and all that add
 * up to another record for that record's header.
 */
#include <stdlib.h>

#include "libxfsfmt/logitem.h"
#include "libxlog/log/log_priv.h"

enum {
	/* Pushed in the background from an eighth of the log on, or 32 MiB. */
	CIL_LOG_SHARE = 8,
	CIL_LIMIT_BYTES = 32 << 20,
};

int64_t cil_header_credit(const struct log *log)
{
	return log->cil_hard_limit / log->room_bytes;
}

int cil_init(struct log *log)
{
	struct cil *cil = &log->cil;
	int rc;

	log->cil_limit = (int64_t)(log->size_bytes / CIL_LOG_SHARE);
	if (log->cil_limit > CIL_LIMIT_BYTES)
		log->cil_limit = CIL_LIMIT_BYTES;
	log->cil_hard_limit = 2 * log->cil_limit;
	list_init(&cil->committing);
	atomic_init(&cil->seq, 1);
	atomic_init(&cil->is_empty, true);
	atomic_init(&cil->header_credit, cil_header_credit(log));
	rc = xrwlock_init(&cil->ctx_lock);
	if (!rc)
		rc = xmutex_init(&cil->push_lock);
	if (!rc)
		rc = xcond_init(&cil->push_wanted);
	if (!rc)
		rc = xcond_init(&cil->switched);
	if (!rc)
		rc = xcond_init(&cil->progress);
	for (unsigned int i = 0; i < CIL_WAITED && !rc; i++)
		rc = xcond_init(&cil->durable[i]);
	for (unsigned int i = 0; i < CIL_SHARDS && !rc; i++) {
		list_init(&cil->shards[i].items);
		list_init(&cil->shards[i].busy);
		rc = xmutex_init(&cil->shards[i].lock);
	}
	if (rc)
		return rc;
	cil->ctx = checkpoint_new(log, 1, NULL);
	return cil->ctx ? 0 : -ENOMEM;
}

void cil_fini(struct log *log)
{
	struct cil *cil = &log->cil;

	checkpoint_free(cil->ctx);
	for (unsigned int i = 0; i < CIL_SHARDS; i++)
		xmutex_fini(&cil->shards[i].lock);
	for (unsigned int i = 0; i < CIL_WAITED; i++)
		xcond_fini(&cil->durable[i]);
	xcond_fini(&cil->progress);
	xcond_fini(&cil->switched);
	xcond_fini(&cil->push_wanted);
	xmutex_fini(&cil->push_lock);
	xrwlock_fini(&cil->ctx_lock);
}

/*
 * Commits look whether the log is dead while they hold the context lock: who
 * takes it for himself after the log's death sees all that got in, and nobody
 * gets in behind him.
 */
static void take_all(struct log *log, struct list *items, struct list *busy)
{
	struct cil *cil = &log->cil;

	xrwlock_write(&cil->ctx_lock);
	for (unsigned int i = 0; i < CIL_SHARDS; i++) {
		struct cil_shard *shard = &cil->shards[i];

		xmutex_lock(&shard->lock);
		list_splice_last(&shard->items, items);
		list_splice_last(&shard->busy, busy);
		xmutex_unlock(&shard->lock);
	}
	xrwlock_write_unlock(&cil->ctx_lock);
}

void cil_abort(struct log *log)
{
	struct list items, busy, *first;

	list_init(&items);
	list_init(&busy);
	take_all(log, &items, &busy);
	while ((first = list_first(&items))) {
		struct log_item *item = container_of(first, struct log_item,
						     cil_link);

		list_remove(first);
		free(item->vec);
		item->vec = NULL;
		item->ops->unpin(item, true);
	}
	if (log->config.busy_done && !list_is_empty(&busy))
		log->config.busy_done(log->config.busy_ctx, &busy, true);
}

/* --- items --- */

void log_item_init(struct log_item *item, const struct log_item_ops *ops,
		   uint16_t type)
{
	memset(item, 0, sizeof(*item));
	item->ops = ops;
	item->type = type;
	list_init(&item->trans_link);
	list_init(&item->cil_link);
	list_init(&item->queue_link);
	list_init(&item->ail_link);
}

void log_item_fini(struct log_item *item)
{
	assert(!item->vec);
	free(item->shadow);
	item->shadow = NULL;
}

const char *log_item_type(const struct log_item *item)
{
	return xfs_li_name(item->type);
}

uint64_t log_item_id(const struct log_item *item)
{
	return item->ops->id ? item->ops->id(item) : 0;
}

void *log_region(struct log_formatter *f, uint32_t len_bytes)
{
	struct log_vec *vec = f->vec;
	uint8_t *at = vec->data + vec->used_bytes;
	struct xlog_op_header op = {
		.oh_tid = f->tid,
		.oh_len = len_bytes,
		.oh_clientid = XLOG_CLIENT_TRANSACTION,
	};

	assert(len_bytes && len_bytes % 4 == 0);
	assert(vec->used_bytes + OP_BYTES + len_bytes <= vec->room_bytes);
	vec->used_bytes += OP_BYTES + len_bytes;
	vec->nregions++;
	return xlog_op_header_encode(at, &op);
}

static bool is_dirty(const struct log_item *item)
{
	return atomic_load_explicit(&item->flags, memory_order_relaxed) &
	       LOG_ITEM_DIRTY;
}

/*
 * Memory for what format() will make, before the CIL is entered. The vector
 * that is in the CIL may be large enough; but a push can take it at any time.
 */
static int make_shadow(struct log_item *item)
{
	uint32_t nregions = 0, bytes = 0, room;
	struct log_vec *vec;

	item->ops->size(item, &nregions, &bytes);
	room = bytes + nregions * OP_BYTES;
	if (item->shadow && item->shadow->room_bytes >= room)
		return 0;
	vec = malloc(sizeof(*vec) + room);
	if (!vec)
		return -ENOMEM;
	free(item->shadow);
	item->shadow = vec;
	vec->room_bytes = room;
	return 0;
}

/* Format it, in place if there is room. Returns the bytes it grew by. */
static int64_t format_item(struct log_item *item, const struct checkpoint *cp)
{
	struct log_vec *old = item->vec, *vec = old;
	int64_t before = old ? old->used_bytes : 0;
	uint32_t nregions = 0, bytes = 0;

	if (old) {
		item->ops->size(item, &nregions, &bytes);
		if (old->room_bytes < bytes + nregions * OP_BYTES)
			vec = NULL;
	}
	if (!vec) {
		vec = item->shadow;
		item->shadow = old;
	}
	vec->used_bytes = vec->nregions = 0;
	vec->item = item;
	item->vec = vec;
	item->ops->format(item, &(struct log_formatter){
		.vec = vec, .tid = cp->ticket->tid, .seq = cp->seq,
	});
	return vec->used_bytes - before;
}

/* --- intents that are done before they are logged --- */

static bool in_current(const struct checkpoint *cp, const struct log_item *item)
{
	return item->vec && atomic_load(&item->seq) == cp->seq;
}

/* Returns the bytes that need not be logged: less than 0. */
static int64_t whiteout(struct checkpoint *cp, struct list *items)
{
	int64_t bytes = 0;

	for (struct list *l = list_first(items), *next; l; l = next) {
		struct log_item *item = container_of(l, struct log_item,
						     trans_link);
		struct log_item *intent;

		next = list_next(l, items);
		if (!(item->ops->flags & LOG_OPS_DONE) || !is_dirty(item))
			continue;
		intent = item->ops->intent(item);
		if (!intent || !in_current(cp, intent))
			continue;
		atomic_fetch_or(&intent->flags, LOG_ITEM_WHITEOUT);
		TRACE_ITEM(xfs_cil_whiteout_mark, intent);
		bytes -= intent->vec->used_bytes;
		intent->vec->used_bytes = intent->vec->nregions = 0;
		list_remove(l);
		item->ops->release(item, false);
	}
	return bytes;
}

/* --- commit --- */

static struct cil_shard *my_shard(struct cil *cil)
{
	static _Atomic unsigned int threads;
	static _Thread_local unsigned int me;

	if (!me)
		me = atomic_fetch_add(&threads, 1) + 1;
	return &cil->shards[me % CIL_SHARDS];
}

/*
 * What the ticket pays for headers: the fixed part of a checkpoint that was
 * empty, and records beyond those that were paid for.
 */
static int64_t steal(struct log *log, const struct ticket *tic)
{
	struct cil *cil = &log->cil;
	int64_t split = log->hsize_bytes + OP_BYTES;
	int64_t bytes = 0, records = tic->records;

	if (atomic_load_explicit(&cil->is_empty, memory_order_relaxed) &&
	    atomic_exchange(&cil->is_empty, false)) {
		bytes = cil->ctx->ticket->unit_bytes;
		records--;
	}
	if (log->breaks & LOG_BREAK_HEADER_STEAL)
		return 0;
	if (atomic_load_explicit(&cil->header_credit,
				 memory_order_relaxed) > 0 ||
	    atomic_load_explicit(&cil->used_bytes, memory_order_relaxed) >=
	    log->cil_hard_limit) {
		bytes += split * records;
		atomic_fetch_sub_explicit(&cil->header_credit, tic->records,
					  memory_order_relaxed);
	}
	return bytes;
}

/* Count in the shard; beyond its share, and while there is much, for all. */
static void count_used(struct log *log, struct cil_shard *shard, int64_t bytes)
{
	struct cil *cil = &log->cil;
	int64_t used = atomic_fetch_add_explicit(&shard->used_bytes, bytes,
						 memory_order_relaxed) + bytes;

	if (used > log->cil_limit / CIL_SHARDS ||
	    atomic_load_explicit(&cil->used_bytes, memory_order_relaxed) >=
	    log->cil_limit) {
		used = atomic_exchange(&shard->used_bytes, 0);
		atomic_fetch_add(&cil->used_bytes, used);
	}
}

static void overrun(struct log *log, const struct ticket *tic,
		    struct list *items)
{
	report(&log->config.sink, -EUCLEAN, "log.overrun", XLOG_LSN_NONE,
	       "transaction 0x%x reserved %u bytes, and is short of %lld",
	       tic->tid, tic->unit_bytes, (long long)-tic->left_bytes);
	for (struct list *l = list_first(items); l; l = list_next(l, items)) {
		const struct log_item *item =
			container_of(l, struct log_item, trans_link);

		if (is_dirty(item) && item->vec)
			notice(&log->config.sink, XLOG_NOTICE, "log.overrun",
			       XLOG_LSN_NONE, "  %s: %u regions, %u bytes",
			       item->ops->name, item->vec->nregions,
			       item->vec->used_bytes);
	}
	log_shutdown(log, LOG_SHUTDOWN_ERROR,
		     "a transaction overran its reservation");
}

/* (ctx_lock shared, or LOG_DIRECT and @cp is ours) */
static int64_t insert_items(struct checkpoint *cp, struct cil_shard *shard,
			    struct list *items)
{
	int64_t bytes = 0, grown;
	/* of one item's commits the last has the highest: its lock sees to that */
	uint64_t order = atomic_fetch_add_explicit(&cp->log->cil.order, 1,
						   memory_order_relaxed) + 1;

	log_stat_add(cp->log, LOG_STAT_COMMITS, 1);
	for (struct list *l = list_first(items); l; l = list_next(l, items)) {
		struct log_item *item = container_of(l, struct log_item,
						     trans_link);
		bool is_new = !item->vec;

		if (!is_dirty(item))
			continue;
		grown = format_item(item, cp);
		log_stat_format(cp->log, item->vec->used_bytes, grown);
		bytes += grown;
		item->vec->order = order;
		/* once in each checkpoint, however often it is in it */
		if (is_new)
			item->ops->pin(item);
		atomic_store(&item->seq, cp->seq);
		if (shard && is_new) {
			xmutex_lock(&shard->lock);
			list_insert_last(&item->cil_link, &shard->items);
			xmutex_unlock(&shard->lock);
		}
	}
	return bytes;
}

static void let_go_of(struct log_item *item, uint64_t seq)
{
	list_remove(&item->trans_link);
	atomic_fetch_and(&item->flags, ~(unsigned int)LOG_ITEM_DIRTY);
	item->ops->committing(item, seq);
}

/*
 * LOG_DIRECT: it is a checkpoint of its own. Its objects stay locked until it
 * is in the log, so that nobody is there before; but what is no object may be
 * gone by then.
 */
static void take_items(struct checkpoint *cp, struct list *items)
{
	for (struct list *l = list_first(items), *next; l; l = next) {
		struct log_item *item = container_of(l, struct log_item,
						     trans_link);

		next = list_next(l, items);
		if (!is_dirty(item))
			continue;
		checkpoint_take(cp, item);
		if (item->ops->flags)
			let_go_of(item, 0);
	}
}

static void let_go(struct list *items, uint64_t seq)
{
	struct list *first;

	while ((first = list_first(items)))
		let_go_of(container_of(first, struct log_item, trans_link),
			  seq);
}

static void release_all(struct list *items, bool abort)
{
	struct list *first;

	while ((first = list_first(items))) {
		struct log_item *item = container_of(first, struct log_item,
						     trans_link);

		list_remove(first);
		atomic_fetch_and(&item->flags, ~(unsigned int)LOG_ITEM_DIRTY);
		item->ops->release(item, abort);
	}
}

void cil_mark_busy(struct list *busy, uint64_t seq)
{
	for (struct list *l = list_first(busy); l; l = list_next(l, busy))
		atomic_store(&container_of(l, struct log_busy, link)->seq,
			     seq);
}

static void finish_ticket(struct log *log, const struct log_commit *c)
{
	ticket_note_peak(c->ticket);
	if (c->roll)
		ticket_roll(log, c->ticket);
	else
		ticket_release(log, c->ticket);
}

/* What is too late. */
static int refuse(struct log *log, const struct log_commit *c)
{
	release_all(c->items, true);
	finish_ticket(log, c);
	return -ESHUTDOWN;
}

static int prepare(struct log *log, const struct log_commit *c)
{
	int rc = log_is_shutdown(log) ? -ESHUTDOWN : 0;

	for (struct list *l = list_first(c->items); l && !rc;
	     l = list_next(l, c->items)) {
		struct log_item *item = container_of(l, struct log_item,
						     trans_link);

		if (is_dirty(item))
			rc = make_shadow(item);
	}
	if (rc == -ENOMEM)
		log_shutdown(log, LOG_SHUTDOWN_ERROR,
			     "no memory for a commit");
	return rc ? -ESHUTDOWN : 0;
}

/* Push what is too much; and wait for that if it is far too much. */
static void throttle(struct log *log, uint64_t seq, int64_t used)
{
	struct cil *cil = &log->cil;

	if (used < log->cil_limit)
		return;
	cil_push_later(log, seq, false);
	xmutex_lock(&cil->push_lock);
	if (used >= log->cil_hard_limit || cil->throttled) {
		TRACE(xfs_log_cil_wait, seq, trace_int(used));
		cil->throttled++;
		while (atomic_load(&cil->seq) == seq && !log_is_shutdown(log))
			log_sleep(log, &cil->switched, &cil->push_lock);
		cil->throttled--;
	}
	xmutex_unlock(&cil->push_lock);
}

static int commit_delayed(struct log *log, const struct log_commit *c,
			  uint64_t *out)
{
	struct cil *cil = &log->cil;
	struct cil_shard *shard = my_shard(cil);
	int64_t bytes, headers, used;
	uint64_t seq;

	xrwlock_read(&cil->ctx_lock);
	/* see take_all() */
	if (log_is_shutdown(log)) {
		xrwlock_read_unlock(&cil->ctx_lock);
		return refuse(log, c);
	}
	seq = cil->ctx->seq;
	bytes = whiteout(cil->ctx, c->items);
	bytes += insert_items(cil->ctx, shard, c->items);
	headers = steal(log, c->ticket);
	c->ticket->left_bytes -= bytes + headers;
	if (headers)
		atomic_fetch_add_explicit(&shard->reserved_bytes, headers,
					  memory_order_relaxed);
	count_used(log, shard, bytes);
	TRACE(xlog_cil_commit, c->ticket->tid, seq, trace_int(bytes),
	      trace_int(headers));
	if (c->ticket->left_bytes < 0)
		overrun(log, c->ticket, c->items);
	if (c->busy && !list_is_empty(c->busy)) {
		cil_mark_busy(c->busy, seq);
		xmutex_lock(&shard->lock);
		list_splice_last(c->busy, &shard->busy);
		xmutex_unlock(&shard->lock);
	}
	finish_ticket(log, c);
	let_go(c->items, seq);
	used = atomic_load_explicit(&cil->used_bytes, memory_order_relaxed);
	xrwlock_read_unlock(&cil->ctx_lock);
	throttle(log, seq, used);
	*out = seq;
	return log_is_shutdown(log) ? -ESHUTDOWN : 0;
}

static int commit_direct(struct log *log, const struct log_commit *c,
			 uint64_t *out)
{
	struct checkpoint *cp = checkpoint_new(log, 0, c->ticket);
	xfs_lsn_t lsn = 0;
	int rc;

	if (!cp) {
		log_shutdown(log, LOG_SHUTDOWN_ERROR,
			     "no memory for a commit");
		return refuse(log, c);
	}
	c->ticket->left_bytes -= insert_items(cp, NULL, c->items);
	if (c->ticket->left_bytes < 0)
		overrun(log, c->ticket, c->items);
	take_items(cp, c->items);
	if (c->busy)
		list_splice_last(c->busy, &cp->busy);
	rc = checkpoint_write_direct(cp, &lsn);
	finish_ticket(log, c);
	let_go(c->items, lsn);
	if (!rc)
		*out = lsn;
	return rc;
}

static bool changes_nothing(const struct log_commit *c)
{
	if (c->busy && !list_is_empty(c->busy))
		return false;
	for (struct list *l = list_first(c->items); l;
	     l = list_next(l, c->items))
		if (is_dirty(container_of(l, struct log_item, trans_link)))
			return false;
	return true;
}

int log_commit(struct log *log, const struct log_commit *c, uint64_t *seq)
{
	if (prepare(log, c))
		return refuse(log, c);
	if (changes_nothing(c)) {
		release_all(c->items, false);
		finish_ticket(log, c);
		*seq = 0;
		return 0;
	}
	return log->config.flags & LOG_DIRECT ? commit_direct(log, c, seq) :
						commit_delayed(log, c, seq);
}
