/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See things.h.
 */
#include "libxlog/replay/newlog.h"
#include "tests/lib/stack.h"
#include "tests/lib/things.h"

static const uint8_t uuid[16] = { 0x7a, 3, 2, 1 };

/* --- things --- */

static struct thing *thing_of(struct log_item *item)
{
	return container_of(item, struct thing, item);
}

static void thing_size(struct log_item *item, uint32_t *nregions,
		       uint32_t *bytes)
{
	const struct thing *t = thing_of(item);

	if (t->ordered)
		return;
	*nregions = 1 + t->nregions;
	*bytes = THING_HEAD_BYTES;
	for (unsigned int i = 0; i < t->nregions; i++)
		*bytes += t->len[i];
}

/* No two bytes near each other are alike: what is moved shows. */
static uint8_t byte_at(uint32_t id, unsigned int region, uint32_t off)
{
	return (uint8_t)(id * 31 + region * 7 + off + off / 251);
}

static void thing_format(struct log_item *item, struct log_formatter *f)
{
	const struct thing *t = thing_of(item);
	uint8_t *at;

	if (t->ordered)
		return;
	at = log_region(f, THING_HEAD_BYTES);
	memset(at, 0, THING_HEAD_BYTES);
	put_w16(at, item->type, XFS_HOST_ORDER);
	put_w16(at + 2, (uint16_t)(1 + t->nregions), XFS_HOST_ORDER);
	put_w32(at + 4, t->id, XFS_HOST_ORDER);
	put_w32(at + 8, t->contents, XFS_HOST_ORDER);
	for (unsigned int i = 0; i < t->nregions; i++) {
		at = log_region(f, t->len[i]);
		for (uint32_t off = 0; off < t->len[i]; off++)
			at[off] = byte_at(t->id, i, off);
	}
}

static void thing_pin(struct log_item *item)
{
	thing_of(item)->pinned++;
	atomic_fetch_add(&thing_of(item)->pins, 1);
}

static void thing_unpin(struct log_item *item, bool abort)
{
	thing_of(item)->unpinned++;
	thing_of(item)->aborted += abort;
	atomic_fetch_sub(&thing_of(item)->pins, 1);
	if (thing_of(item)->on_unpin)
		thing_of(item)->on_unpin(thing_of(item));
}

static void thing_committing(struct log_item *item, uint64_t seq)
{
	thing_of(item)->seq = seq;
	pthread_mutex_unlock(&thing_of(item)->lock);
}

static void thing_release(struct log_item *item, bool abort)
{
	(void)abort;
	thing_of(item)->released++;
	pthread_mutex_unlock(&thing_of(item)->lock);
}

static void passing_release(struct log_item *item, bool abort)
{
	(void)abort;
	thing_of(item)->released++;
	atomic_store(&thing_of(item)->pins, 0);
}

static enum log_push thing_push(struct log_item *item, struct list *queue)
{
	struct thing *t = thing_of(item);

	if (atomic_load(&t->pins))
		return LOG_PUSH_PINNED;
	if (pthread_mutex_trylock(&t->lock))
		return LOG_PUSH_LOCKED;
	list_insert_last(&t->queue_link, queue);
	return LOG_PUSH_QUEUED;
}

static struct log_item *thing_intent(struct log_item *item)
{
	struct thing *intent = thing_of(item)->intent;

	return intent ? &intent->item : NULL;
}

#define THING_OPS							\
	.name = "thing", .size = thing_size, .format = thing_format,	\
	.pin = thing_pin, .unpin = thing_unpin,				\
	.committing = thing_committing

static const struct log_item_ops thing_ops = {
	THING_OPS, .push = thing_push, .release = thing_release,
};
static const struct log_item_ops intent_ops = {
	THING_OPS, .flags = LOG_OPS_INTENT, .release = thing_release,
};
static const struct log_item_ops done_ops = {
	THING_OPS, .flags = LOG_OPS_DONE, .release = thing_release,
	.intent = thing_intent,
};
static const struct log_item_ops passing_ops = {
	THING_OPS, .flags = LOG_OPS_RELEASE_COMMITTED,
	.release = passing_release,
};

static void init(struct thing *t, uint32_t id, uint32_t bytes,
		 const struct log_item_ops *ops)
{
	memset(t, 0, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	list_init(&t->queue_link);
	log_item_init(&t->item, ops, XFS_LI_BUF);
	t->id = id;
	t->nregions = bytes ? 1 : 0;
	t->len[0] = bytes;
}

void thing_init(struct thing *t, uint32_t id, uint32_t bytes)
{
	init(t, id, bytes, &thing_ops);
}

void intent_init(struct thing *t, uint32_t id, uint32_t bytes)
{
	init(t, id, bytes, &intent_ops);
}

void done_init(struct thing *t, uint32_t id, struct thing *intent)
{
	init(t, id, 0, &done_ops);
	t->intent = intent;
}

void passing_init(struct thing *t, uint32_t id)
{
	init(t, id, 0, &passing_ops);
}

/* --- the engine --- */

static void write_one(struct engine *e, struct thing *t)
{
	uint8_t bytes[BB_SIZE] = { (uint8_t)t->contents };
	uint64_t at = e->config.dev->size_bytes + t->id * BB_SIZE;

	if (t->fails || dev_write(e->fault, at, bytes, sizeof(bytes))) {
		log_item_failed(e->log, &t->item);
	} else {
		t->written++;
		t->contents = 0;
		log_data_written(e->log);
		log_item_clean(e->log, &t->item);
	}
	pthread_mutex_unlock(&t->lock);
}

static void write_back(void *ctx, struct list *queue)
{
	struct engine *e = ctx;
	struct list *first;

	while ((first = list_first(queue))) {
		list_remove(first);
		if (e->keep)
			list_insert_last(first, &e->kept);
		else
			write_one(e, container_of(first, struct thing,
						  queue_link));
	}
}

static void busy_done(void *ctx, struct list *busy, bool abort)
{
	struct engine *e = ctx;
	struct list *first;

	while ((first = list_first(busy))) {
		list_remove(first);
		e->busy++;
		e->busy_aborted += abort;
	}
}

static struct xlog reader(struct engine *e)
{
	struct xlog log = {
		.sink = reports_sink(&e->said),
		.fs = e->fault,
		.dev = e->dev,
		.nbb = (uint32_t)(e->dev->size_bytes / BB_SIZE),
		.logv2 = true,
		.info = {
			.sb_version = 5, .log_version = 2,
			.log_sunit_bytes = e->config.sunit_bytes,
			.log_sector_bytes = BB_SIZE,
		},
	};

	log.info.log_size_bb = log.nbb;
	log.sb.sb_lsn = XFS_NULL_LSN;
	memcpy(log.info.uuid, uuid, sizeof(uuid));
	return log;
}

static void open_devices(struct engine *e, uint32_t log_bb)
{
	struct sink sink = reports_sink(&e->said);
	struct dev *below;

	e->medium = memdev_zeros((uint64_t)log_bb * BB_SIZE +
				 ENGINE_DATA_BYTES, &sink);
	cr_assert_eq(stack_borrow(e->medium, &below), 0);
	cr_assert_eq(dev_open_fault(below, &e->fault), 0);
	cr_assert_eq(stack_borrow(e->fault, &below), 0);
	cr_assert_eq(dev_open_window(below, 0, (uint64_t)log_bb * BB_SIZE,
				     &e->dev), 0);
}

struct engine *engine_open(const struct engine_options *o)
{
	struct engine *e = calloc(1, sizeof(*e));
	uint32_t log_bb = o->log_bb ? o->log_bb : ENGINE_LOG_BB;
	struct newlog n = { .cycle = 1 };
	struct xlog_bounds b;
	struct xlog log;

	cr_assert(e);
	list_init(&e->kept);
	open_devices(e, log_bb);
	e->config = (struct log_config){
		.flags = o->flags | (o->threads ? 0 : LOG_NO_THREADS),
		.dev = e->dev, .data = e->fault, .internal = true,
		.sunit_bytes = o->sunit_bytes, .sector_bytes = BB_SIZE,
		.logbufs = o->logbufs ? o->logbufs : 4,
		.logbsize_bytes = o->logbsize_bytes ? o->logbsize_bytes :
						      16 << 10,
		.seed = 0x100, .write_back = write_back, .write_back_ctx = e,
		.busy_done = busy_done, .busy_ctx = e,
		.sink = reports_sink(&e->said),
	};
	memcpy(e->config.uuid, uuid, sizeof(uuid));
	n.dev = e->dev;
	n.form = newlog_form(true, o->sunit_bytes, BB_SIZE, log_bb, uuid);
	cr_assert_eq(newlog_write(&n), 0);
	cr_assert_eq(dev_flush(e->fault), 0);
	log = reader(e);
	cr_assert_eq(xlog_find(&log, 0, &b), 0);
	cr_assert_eq(b.state, XLOG_CLEAN);
	e->config.head = b.head;
	e->config.prev_block = xlog_lsn_block(b.last_record);
	cr_assert_eq(log_open(&e->config, &e->log), 0);
	return e;
}

void engine_close(struct engine *e)
{
	log_close(e->log);
	dev_close(e->dev);
	dev_close(e->fault);
	dev_close(e->medium);
	free(e);
}

struct ticket *engine_reserve(struct engine *e, uint32_t bytes)
{
	struct ticket *tic;

	cr_assert_eq(ticket_reserve(e->log, bytes, 1, false, &tic), 0);
	return tic;
}

int engine_commit(struct engine *e, struct ticket *tic, bool roll,
		  uint32_t contents, struct thing *const *things,
		  unsigned int count)
{
	struct list items;
	uint64_t seq = 0;
	int rc;

	list_init(&items);
	for (unsigned int i = 0; i < count; i++) {
		pthread_mutex_lock(&things[i]->lock);
		things[i]->contents |= contents;
		atomic_fetch_or(&things[i]->item.flags, LOG_ITEM_DIRTY);
		list_insert_last(&things[i]->item.trans_link, &items);
	}
	rc = log_commit(e->log, &(struct log_commit){
				.ticket = tic, .items = &items, .roll = roll,
			}, &seq);
	cr_assert(list_is_empty(&items));
	return rc;
}

uint64_t engine_change(struct engine *e, struct thing *t, uint32_t contents)
{
	uint32_t nregions = 0, bytes = 0;
	struct ticket *tic;

	thing_size(&t->item, &nregions, &bytes);
	tic = engine_reserve(e, bytes + nregions * OP_BYTES);
	cr_assert_eq(engine_commit(e, tic, false, contents, &t, 1), 0);
	return t->seq;
}

void engine_push(struct engine *e, bool stable)
{
	cr_assert_eq(cil_push(e->log, atomic_load(&e->log->cil.seq), stable),
		     0);
}

void engine_io(struct engine *e)
{
	while (iclog_io_step(e->log))
		;
}

void engine_write_back(struct engine *e)
{
	ail_push_all(e->log);
	while (ail_push_step(e->log) == AIL_PUSHED)
		;
}

uint64_t engine_reserved(const struct engine *e)
{
	return atomic_load(&e->log->reserve.used_bytes);
}

uint64_t engine_granted(const struct engine *e)
{
	return atomic_load(&e->log->write.used_bytes);
}

uint64_t engine_in_log(const struct engine *e)
{
	return log_distance(e->log, log_tail_lsn(e->log),
			    log_head_lsn(e->log));
}

/* --- reading --- */

static void see_item(const struct xlog_item *item, struct seen_item *out)
{
	uint32_t id = get_w32(item->regions[0].data + 4, XFS_HOST_ORDER);

	cr_assert_eq(item->nregions, item->declared);
	out->id = id;
	out->contents = get_w32(item->regions[0].data + 8, XFS_HOST_ORDER);
	out->regions = item->nregions;
	for (unsigned int i = 1; i < item->nregions; i++)
		for (uint32_t off = 0; off < item->regions[i].len_bytes; off++)
			cr_assert_eq(item->regions[i].data[off],
				     byte_at(id, i - 1, off),
				     "thing %u, region %u, byte %u", id, i,
				     off);
}

static void see_trans(struct seen *s, const struct xlog_trans *t)
{
	struct seen_trans *out = &s->trans[s->ntrans++];

	cr_assert_leq(s->ntrans, SEEN_MAX);
	out->start = t->start;
	out->commit = t->commit;
	out->num_regions = t->num_regions;
	out->tid = t->tid;
	out->nitems = (unsigned int)t->nitems;
	for (unsigned int i = 0; i < out->nitems; i++) {
		struct seen_item item;

		see_item(&t->items[i], &item);
		if (i < SEEN_MAX)
			out->items[i] = item;
	}
}

static void see_records(struct seen *s, struct xlog *log,
			const struct xlog_bounds *b)
{
	struct xlog_cursor *cur;
	struct xlog_record r;
	int rc;

	cr_assert_eq(xlog_cursor_open(log, XLOG_WALK_LOG,
				      xlog_lsn_block(b->tail),
				      xlog_lsn_block(b->head), &cur), 0);
	while ((rc = xlog_cursor_next(cur, &r)) == 1)
		if (r.extent == XLOG_RECORD && s->nrecords < SEEN_MAX)
			s->records[s->nrecords++] = (struct seen_record){
				r.lsn, r.tail_lsn, r.num_ops, r.len_bytes,
				r.cycle,
			};
	cr_assert_eq(rc, 0);
	xlog_cursor_close(cur);
}

struct seen *engine_read(struct engine *e)
{
	struct seen *s = calloc(1, sizeof(*s));
	struct xlog log = reader(e);
	struct xlog_trans_iter *it;
	const struct xlog_trans *t;
	struct xlog_bounds b;
	int rc;

	cr_assert(s);
	cr_assert_eq(xlog_find(&log, 0, &b), 0);
	cr_assert_eq(b.refused[0], '\0', "%s", b.refused);
	s->head = b.head;
	s->tail = b.tail;
	s->clean = b.state == XLOG_CLEAN;
	if (s->clean)
		return s;
	see_records(s, &log, &b);
	cr_assert_eq(xlog_trans_open(&log, xlog_lsn_block(b.tail),
				     xlog_lsn_block(b.head), false, &it), 0);
	while ((rc = xlog_trans_next(it, &t)) == 1)
		if (t->committed)
			see_trans(s, t);
	cr_assert_eq(rc, 0);
	xlog_trans_close(it);
	return s;
}

struct seen *engine_crash(struct engine *e, enum fault_crash how)
{
	log_close(e->log);
	e->log = NULL;
	cr_assert_eq(fault_crash(e->fault, how, 1), 0);
	return engine_read(e);
}
