/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See store.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "libxfsfmt/logitem.h"
#include "libxlog/replay/newlog.h"
#include "tests/lib/stack.h"
#include "tests/lib/store_priv.h"

enum {
	TYPE = XFS_LI_BUF,
	HEAD_BYTES = 16,	/* type, regions, id, body */
};

static const uint8_t uuid[16] = { 0x5a, 1, 2, 3 };

uint64_t store_data_off(const struct store *s, uint32_t id)
{
	uint64_t log_bytes = (uint64_t)s->config.log_bb * BB_SIZE;

	return (s->config.external ? 0 : log_bytes) +
	       (uint64_t)id * STORE_OBJECT_BYTES;
}

/* A body that shows if it is of two stamps. */
static void fill_body(uint8_t *at, uint32_t bytes, uint64_t stamp, uint32_t id)
{
	for (uint32_t off = 0; off + 8 <= bytes; off += 8)
		put_le64(at + off, stamp * 4096 + (id + off) % 4096);
}

bool store_read_body(const uint8_t *at, uint32_t bytes, uint32_t id,
		     uint64_t *stamp)
{
	*stamp = get_le64(at) / 4096;
	for (uint32_t off = 0; off + 8 <= bytes; off += 8)
		if (get_le64(at + off) != *stamp * 4096 + (id + off) % 4096)
			return false;
	return true;
}

/* --- the item --- */

static struct store_object *object_of(struct log_item *item)
{
	return container_of(item, struct store_object, item);
}

static void object_size(struct log_item *item, uint32_t *nregions,
			uint32_t *bytes)
{
	*nregions = 2;
	*bytes = HEAD_BYTES + object_of(item)->body_bytes;
}

static void object_format(struct log_item *item, struct log_formatter *f)
{
	struct store_object *o = object_of(item);
	uint8_t *at = log_region(f, HEAD_BYTES);

	memset(at, 0, HEAD_BYTES);
	put_w16(at, TYPE, XFS_HOST_ORDER);
	put_w16(at + 2, 2, XFS_HOST_ORDER);
	put_w32(at + 4, o->id, XFS_HOST_ORDER);
	at = log_region(f, o->body_bytes);
	fill_body(at, o->body_bytes, atomic_load(&o->stamp), o->id);
}

static void object_pin(struct log_item *item)
{
	atomic_fetch_add(&object_of(item)->pins, 1);
}

static void object_unpin(struct log_item *item, bool abort)
{
	(void)abort;
	atomic_fetch_sub(&object_of(item)->pins, 1);
}

static void object_unlock(struct log_item *item)
{
	sem_post(&object_of(item)->lock);
}

static void object_committing(struct log_item *item, uint64_t seq)
{
	(void)seq;
	if (!object_of(item)->held)
		object_unlock(item);
}

/* The commit of this thread did not take place. */
static _Thread_local bool released;

static void object_release(struct log_item *item, bool abort)
{
	(void)abort;
	released = true;
	object_unlock(item);
}

static enum log_push object_push(struct log_item *item, struct list *queue)
{
	struct store_object *o = object_of(item);

	if (atomic_load(&o->pins))
		return LOG_PUSH_PINNED;
	if (sem_trywait(&o->lock))
		return LOG_PUSH_LOCKED;
	if (atomic_load(&o->pins)) {
		sem_post(&o->lock);
		return LOG_PUSH_PINNED;
	}
	o->written_lsn = item->lsn;
	list_insert_last(&o->queue_link, queue);
	return LOG_PUSH_QUEUED;
}

static const struct log_item_ops object_ops = {
	.name = "object",
	.size = object_size,
	.format = object_format,
	.pin = object_pin,
	.unpin = object_unpin,
	.committing = object_committing,
	.push = object_push,
	.release = object_release,
};

static void write_back(void *ctx, struct list *queue)
{
	struct store *s = ctx;
	struct list *first;

	while ((first = list_first(queue))) {
		struct store_object *o = container_of(first,
						      struct store_object,
						      queue_link);
		uint8_t body[STORE_MAX_BODY];
		uint64_t stamp = atomic_load(&o->stamp);
		int rc;

		list_remove(first);
		fill_body(body, o->body_bytes, stamp, o->id);
		rc = dev_write(s->data, store_data_off(s, o->id), body,
			       o->body_bytes);
		atomic_fetch_add(&s->writes, 1);
		if (rc) {
			log_item_failed(s->log, &o->item);
		} else {
			o->written_stamp = stamp;
			log_data_written(s->log);
			log_item_clean(s->log, &o->item);
		}
		sem_post(&o->lock);
	}
}

/* --- open --- */

static void take_report(void *ctx, const struct xlog_report *r)
{
	struct store *s = ctx;

	if (r->severity != XLOG_ERROR)
		return;
	pthread_mutex_lock(&s->said_lock);
	snprintf(s->said, sizeof(s->said), "%s: %s", r->code, r->text);
	pthread_mutex_unlock(&s->said_lock);
}

struct xlog store_reader(struct store *s)
{
	struct xlog log = {
		.sink = s->sink,
		.fs = s->data,
		.dev = s->log_dev,
		.nbb = s->config.log_bb,
		.logv2 = true,
		.info = {
			.sb_version = 5, .log_version = 2,
			.log_size_bb = s->config.log_bb,
			.log_sunit_bytes = s->config.sunit_bytes,
			.log_sector_bytes = s->config.sector_bytes,
		},
	};

	log.sb.sb_lsn = XFS_NULL_LSN;
	memcpy(log.info.uuid, uuid, sizeof(uuid));
	return log;
}

/* A clean log of cycle @cycle, and open it. */
int store_open_log(struct store *s, uint32_t cycle)
{
	const struct store_config *c = &s->config;
	struct newlog n = {
		.dev = s->log_dev, .cycle = cycle,
		.form = newlog_form(true, c->sunit_bytes, c->sector_bytes,
				    c->log_bb, uuid),
	};
	struct log_config lc = {
		.flags = c->flags, .dev = s->log_dev, .data = s->data,
		.internal = !c->external, .sunit_bytes = c->sunit_bytes,
		.sector_bytes = c->sector_bytes, .logbufs = c->logbufs,
		.logbsize_bytes = c->logbsize_bytes, .seed = 0x1000,
		.write_back = write_back, .write_back_ctx = s,
		.sink = s->sink,
	};
	struct xlog log = store_reader(s);
	struct xlog_bounds b;
	int rc = newlog_write(&n);

	if (!rc)
		rc = dev_flush(s->fault);
	if (!rc)
		rc = dev_flush(s->data);
	if (!rc)
		rc = xlog_find(&log, 0, &b);
	if (rc || b.state != XLOG_CLEAN)
		return rc ? rc : -EUCLEAN;
	memcpy(lc.uuid, uuid, sizeof(uuid));
	lc.head = b.head;
	lc.prev_block = xlog_lsn_block(b.last_record);
	rc = log_open(&lc, &s->log);
	if (!rc)
		s->log->breaks = c->breaks;
	return rc;
}

static int make_objects(struct store *s)
{
	s->objects = calloc(s->config.objects, sizeof(*s->objects));
	if (!s->objects)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->config.objects; i++) {
		struct store_object *o = &s->objects[i];
		uint32_t max = s->config.body_bytes;

		o->store = s;
		o->id = i;
		o->body_bytes = max <= 64 ? max : 64 + i * 72 % (max - 63);
		o->body_bytes -= o->body_bytes % 8;
		sem_init(&o->lock, 0, 1);
		list_init(&o->queue_link);
		log_item_init(&o->item, &object_ops, TYPE);
	}
	return 0;
}

/* Zeros, and above them what can fail. */
static int open_one(struct store *s, uint64_t bytes, struct dev **medium,
		    struct dev **fault)
{
	struct dev *below;
	int rc = dev_open_overlay(NULL, bytes, &s->sink, medium);

	if (!rc)
		rc = stack_borrow(*medium, &below);
	if (!rc)
		rc = dev_open_fault(below, fault);
	if (!rc)
		fault_sectors(*fault, s->config.sector_bytes ?
				      s->config.sector_bytes : BB_SIZE);
	return rc;
}

static int open_devices(struct store *s)
{
	uint64_t log_bytes = (uint64_t)s->config.log_bb * BB_SIZE;
	uint64_t data_end = store_data_off(s, s->config.objects);
	struct dev *below;
	int rc = open_one(s, s->config.external ? log_bytes : data_end,
			  &s->medium, &s->fault);

	s->data = s->fault;
	if (!rc && s->config.external)
		rc = open_one(s, data_end, &s->data_medium, &s->data);
	if (!rc)
		rc = stack_borrow(s->fault, &below);
	return rc ? rc : dev_open_window(below, 0, log_bytes, &s->log_dev);
}

struct store *store_new(const struct store_config *config)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = *config;
	if (!s->config.body_bytes)
		s->config.body_bytes = 64;
	s->sink = (struct sink){ take_report, s };
	pthread_mutex_init(&s->said_lock, NULL);
	pthread_mutex_init(&s->history_lock, NULL);
	s->logres_bytes = (2 * OP_BYTES + HEAD_BYTES + s->config.body_bytes) *
			  (1 + s->config.spare);
	if (open_devices(s) || make_objects(s) || store_open_log(s, 1)) {
		store_free(s);
		return NULL;
	}
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	log_close(s->log);
	for (uint32_t i = 0; s->objects && i < s->config.objects; i++)
		log_item_fini(&s->objects[i].item);
	dev_close(s->log_dev);
	if (s->data != s->fault)
		dev_close(s->data);
	dev_close(s->data_medium);
	dev_close(s->fault);
	dev_close(s->medium);
	free(s->objects);
	free(s->changed);
	free(s->txn);
	free(s);
}

/* --- change --- */

static int grow(void **p, size_t need, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 1024;
	void *q;

	if (need <= *room)
		return 0;
	while (more < need)
		more *= 2;
	q = realloc(*p, more * size);
	if (!q)
		return -ENOMEM;
	*p = q;
	*room = more;
	return 0;
}

/* A new transaction of these, which are locked: its number. */
static uint64_t note_txn(struct store *s, const uint32_t *ids,
			 unsigned int count)
{
	uint64_t n;

	pthread_mutex_lock(&s->history_lock);
	if (grow((void **)&s->changed, s->nchanged + count, &s->changed_room,
		 sizeof(*s->changed)) ||
	    grow((void **)&s->txn, s->txns + 1, &s->txns_room,
		 sizeof(*s->txn)))
		abort();
	s->txn[s->txns++] = (struct store_txn){ s->nchanged, count,
						STORE_NO_SEQ };
	memcpy(s->changed + s->nchanged, ids, count * sizeof(*ids));
	s->nchanged += count;
	n = s->txns;
	pthread_mutex_unlock(&s->history_lock);
	return n;
}

static void note_commit(struct store *s, uint64_t n, uint64_t seq)
{
	pthread_mutex_lock(&s->history_lock);
	s->txn[n - 1].seq = seq;
	if (n > s->committed)
		s->committed = n;
	if (seq > s->committed_seq)
		s->committed_seq = seq;
	pthread_mutex_unlock(&s->history_lock);
}

static uint64_t stamp_all(struct store *s, const uint32_t *ids,
			  unsigned int count, bool hold, struct list *items)
{
	uint64_t n = note_txn(s, ids, count);

	for (unsigned int i = 0; i < count; i++) {
		struct store_object *o = &s->objects[ids[i]];

		o->held = hold;
		atomic_store(&o->stamp, n);
		list_insert_last(&o->item.trans_link, items);
		atomic_fetch_or(&o->item.flags, LOG_ITEM_DIRTY);
	}
	return n;
}

/* Transaction @n. One that fails may have got into a checkpoint all the same. */
static int commit(struct store *s, struct ticket *tic, struct list *items,
		  bool roll, uint64_t n, uint64_t *out)
{
	uint64_t seq = STORE_NO_SEQ;
	int rc;

	released = false;
	rc = log_commit(s->log, &(struct log_commit){
				.ticket = tic, .items = items, .roll = roll,
			}, &seq);
	if (seq != STORE_NO_SEQ)
		note_commit(s, n, seq);
	if (out)
		*out = seq;
	return rc;
}

static void lock_all(struct store *s, const uint32_t *ids, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		while (sem_wait(&s->objects[ids[i]].lock))
			;
}

static void unlock_all(struct store *s, const uint32_t *ids,
		       unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		sem_post(&s->objects[ids[i]].lock);
}

int store_change(struct store *s, const uint32_t *ids, unsigned int count,
		 uint64_t *seq)
{
	struct ticket *tic;
	struct list items;
	uint64_t n;
	int rc = ticket_reserve(s->log, s->logres_bytes * count, 1, false,
				&tic);

	if (rc)
		return rc;
	list_init(&items);
	lock_all(s, ids, count);
	n = stamp_all(s, ids, count, false, &items);
	return commit(s, tic, &items, false, n, seq);
}

int store_chain(struct store *s, const uint32_t *ids, unsigned int count,
		unsigned int links, uint64_t *seq)
{
	struct ticket *tic;
	struct list items;
	bool held = false;
	int rc = ticket_reserve(s->log, s->logres_bytes * count, 2, true,
				&tic);

	if (rc)
		return rc;
	list_init(&items);
	for (unsigned int link = 1; ; link++) {
		uint64_t n;

		if (!held)
			lock_all(s, ids, count);
		held = s->config.hold && link < links;
		n = stamp_all(s, ids, count, held, &items);
		rc = commit(s, tic, &items, link < links, n, seq);
		if (link == links)
			return rc;
		if (!rc)
			rc = ticket_regrant(s->log, tic);
		if (rc)
			break;
	}
	if (held && !released)
		unlock_all(s, ids, count);
	ticket_release(s->log, tic);
	return rc;
}

int store_cancel(struct store *s, const uint32_t *ids, unsigned int count)
{
	struct ticket *tic;
	int rc = ticket_reserve(s->log, s->logres_bytes * count, 2, true,
				&tic);

	if (rc)
		return rc;
	lock_all(s, ids, count);
	unlock_all(s, ids, count);
	ticket_release(s->log, tic);
	return 0;
}

int store_force(struct store *s)
{
	uint64_t n, seq;
	int rc;

	pthread_mutex_lock(&s->history_lock);
	n = s->committed;
	seq = s->committed_seq;
	pthread_mutex_unlock(&s->history_lock);
	rc = log_force(s->log, true);
	if (rc)
		return rc;
	pthread_mutex_lock(&s->history_lock);
	if (seq > s->forced_seq)
		s->forced_end = log_head_lsn(s->log);
	if (seq >= s->forced_seq) {
		s->forced = n;
		s->forced_seq = seq;
	}
	pthread_mutex_unlock(&s->history_lock);
	return 0;
}

/* --- for loads --- */

uint64_t store_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

unsigned int store_any_ids(uint64_t *state, uint32_t first, uint32_t room,
			   uint32_t *ids, unsigned int max)
{
	unsigned int count = 1 + (unsigned int)(store_random(state) % max);
	uint32_t id = first, end = first + room;

	for (unsigned int i = 0; i < count; i++) {
		uint32_t gap = (end - id) / (count - i);

		id += (uint32_t)(store_random(state) % gap);
		ids[i] = id++;
	}
	return count;
}

/* What is not so is the answer. */
#define EXPECT(what)							\
	do {								\
		if (!(what))						\
			return "at rest, not " #what;			\
	} while (0)

const char *store_rest(struct store *s)
{
	struct log *log = s->log;
	uint64_t used;

	EXPECT(!log_quiesce(log));
	used = log_distance(log, log_tail_lsn(log), log_head_lsn(log));
	EXPECT(atomic_load(&log->reserve.used_bytes) == used);
	EXPECT(atomic_load(&log->write.used_bytes) == used);
	EXPECT(atomic_load(&log->reserve.nwaiters) == 0);
	EXPECT(atomic_load(&log->write.nwaiters) == 0);
	EXPECT(log->ail.nitems == 0);
	EXPECT(list_is_empty(&log->ail.starts));
	EXPECT(log->cil.ncommitting == 0);
	EXPECT(log_tail_lsn(log) == log->ail.head_lsn);
	for (uint32_t i = 0; i < s->config.objects; i++) {
		struct store_object *o = &s->objects[i];

		EXPECT(atomic_load(&o->pins) == 0);
		EXPECT(o->written_stamp == atomic_load(&o->stamp));
	}
	return NULL;
}
