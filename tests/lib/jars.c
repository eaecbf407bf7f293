/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See jars.h.
 */
#include "libxlog/read/read.h"
#include "libxlog/replay/newlog.h"
#include "tests/lib/jars.h"
#include "tests/lib/stack.h"

enum {
	JAR_BYTES = 512,
	LOGRES_BYTES = 4096,
	UNITS_OFF = 16,			/* in an intent */
};

static const uint8_t uuid[16] = { 0x1a };

/* --- jars --- */

static struct jar *jar_of(struct log_item *item)
{
	return container_of(item, struct jar, item);
}

static void item_size(struct log_item *item, uint32_t *nregions,
		      uint32_t *bytes)
{
	(void)item;
	*nregions = 1;
	*bytes = 16;
}

static void item_format(struct log_item *item, struct log_formatter *f)
{
	uint8_t *at = log_region(f, 16);

	put_w16(at, XFS_LI_BUF, XFS_HOST_ORDER);
	put_w16(at + 2, 1, XFS_HOST_ORDER);
	put_w32(at + 4, jar_of(item)->id, XFS_HOST_ORDER);
	put_w64(at + 8, (uint64_t)jar_of(item)->units, XFS_HOST_ORDER);
}

static void item_pin(struct log_item *item)
{
	atomic_fetch_add(&jar_of(item)->pins, 1);
}

static void item_unpin(struct log_item *item, bool abort)
{
	(void)abort;
	atomic_fetch_sub(&jar_of(item)->pins, 1);
}

static void let_go(struct jar *jar)
{
	if (jar->held)
		jar->held = false;
	else
		pthread_mutex_unlock(&jar->lock);
}

static void item_committing(struct log_item *item, uint64_t seq)
{
	(void)seq;
	let_go(jar_of(item));
}

static void item_release(struct log_item *item, bool abort)
{
	(void)abort;
	let_go(jar_of(item));
}

static enum log_push item_push(struct log_item *item, struct list *queue)
{
	struct jar *jar = jar_of(item);

	if (atomic_load(&jar->pins))
		return LOG_PUSH_PINNED;
	if (pthread_mutex_trylock(&jar->lock))
		return LOG_PUSH_LOCKED;
	if (atomic_load(&jar->pins)) {
		pthread_mutex_unlock(&jar->lock);
		return LOG_PUSH_PINNED;
	}
	list_insert_last(&item->queue_link, queue);
	return LOG_PUSH_QUEUED;
}

static void *item_held(struct log_item *item)
{
	return jar_of(item)->held ? jar_of(item) : NULL;
}

static void item_relog(struct trans *t, struct log_item *item)
{
	trans_dirty(t, item);
}

static int item_rejoin(struct trans *t, void *object)
{
	struct jar *jar = object;

	trans_join(t, &jar->item);
	jar->held = true;
	return 0;
}

static const struct trans_item_ops jar_ops = {
	.log = {
		.name = "jar", .size = item_size, .format = item_format,
		.pin = item_pin, .unpin = item_unpin,
		.committing = item_committing, .push = item_push,
		.release = item_release,
	},
	.held = item_held, .relog = item_relog, .rejoin = item_rejoin,
};

static uint64_t jar_off(uint32_t id)
{
	return (uint64_t)JARS_LOG_BB * BB_SIZE + (uint64_t)id * JAR_BYTES;
}

static void write_back(void *ctx, struct list *queue)
{
	struct jars *j = ctx;
	struct list *first;

	while ((first = list_first(queue))) {
		struct log_item *item = container_of(first, struct log_item,
						     queue_link);
		uint8_t raw[JAR_BYTES] = { 0 };

		list_remove(first);
		put_le64(raw, (uint64_t)jar_of(item)->units);
		CHECK(!dev_write(j->fault, jar_off(jar_of(item)->id), raw,
				 sizeof(raw)));
		log_data_written(j->fs.log);
		log_item_clean(j->fs.log, item);
		pthread_mutex_unlock(&jar_of(item)->lock);
	}
}

void jar_join(struct trans *t, struct jar *jar)
{
	pthread_mutex_lock(&jar->lock);
	trans_join(t, &jar->item);
	trans_dirty(t, &jar->item);
}

/* --- deferred pouring --- */

struct work {
	struct defer_work w;
	uint32_t	to, units, step, hops;
};

static const struct defer_type pour_type;

static void defer_pour(struct trans *t, uint32_t to, uint32_t units,
		       uint32_t step, uint32_t hops)
{
	struct work *w = calloc(1, sizeof(*w));

	CHECK(w);
	*w = (struct work){ .to = to, .units = units, .step = step,
			    .hops = hops };
	list_init(&w->w.link);
	CHECK(!defer_add(t, &pour_type, &w->w));
}

static unsigned int pour_regions(const struct list *works,
				 uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	(void)works;
	len_bytes[0] = 16 + xfs_map_extent_size;
	return 1;
}

static void pour_encode(const struct list *works,
			uint8_t *const regions[DEFER_MAX_REGIONS])
{
	const struct work *w = container_of(list_first(works),
					    const struct work, w.link);

	put_w32(regions[0] + UNITS_OFF, w->units, XFS_HOST_ORDER);
}

static int pour_finish(struct trans *t, struct defer_work *w,
		       struct defer_state *st)
{
	struct jars *j = container_of(t->fs, struct jars, fs);
	struct work *work = container_of(w, struct work, w);
	uint32_t n = work->step < work->units ? work->step : work->units;

	(void)st;
	if (work->hops) {
		defer_pour(t, (work->to + 1) % JARS_SHARED, n, n,
			   work->hops - 1);
	} else {
		jar_join(t, &j->jar[work->to]);
		j->jar[work->to].units += n;
	}
	work->units -= n;
	return work->units ? -EAGAIN : 0;
}

static void pour_free(struct defer_work *w)
{
	free(container_of(w, struct work, w));
}

static const struct defer_type pour_type = {
	.name = "pour", .intent_type = XFS_LI_BUI, .done_type = XFS_LI_BUD,
	.max_items = 1, .intent_regions = pour_regions,
	.intent_encode = pour_encode, .finish = pour_finish,
	.free_work = pour_free,
};

/* --- chains --- */

uint32_t jars_random(uint64_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 33) % n;
}

struct trans *jars_begin(struct jars *j)
{
	struct trans *t;

	return trans_alloc(&j->fs, XFS_TR_ITRUNCATE, &t) ? NULL : t;
}

int jars_chain(struct jars *j, struct jar *own, uint64_t *state)
{
	bool hold = jars_random(state, 2);
	uint32_t n = 1 + jars_random(state, 4);
	struct trans *t = jars_begin(j);
	int rc;

	if (!t)
		return -ESHUTDOWN;
	jar_join(t, own);
	own->held = hold;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t units = 1 + jars_random(state, 9);

		own->units -= units;
		defer_pour(t, jars_random(state, JARS_SHARED), units,
			   1 + jars_random(state, 5), jars_random(state, 3));
	}
	rc = trans_commit(t, NULL);
	if (hold)
		pthread_mutex_unlock(&own->lock);
	CHECK(!rc || rc == -ESHUTDOWN);
	return rc;
}

int64_t jars_sum(const struct jars *j)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < JARS; i++)
		sum += j->jar[i].units;
	return sum;
}

/* --- open and close --- */

static void open_devices(struct jars *j)
{
	struct newlog n = { .cycle = 1 };
	struct dev *below;

	CHECK(!dev_open_overlay(NULL, jar_off(JARS), &j->fs.sink,
				&j->medium));
	CHECK(!stack_borrow(j->medium, &below));
	CHECK(!dev_open_fault(below, &j->fault));
	CHECK(!stack_borrow(j->fault, &below));
	CHECK(!dev_open_window(below, 0, JARS_LOG_BB * BB_SIZE, &j->log_dev));
	n.dev = j->log_dev;
	n.form = newlog_form(true, 0, BB_SIZE, JARS_LOG_BB, uuid);
	CHECK(!newlog_write(&n));
	CHECK(!dev_flush(j->fault));
}

static struct xlog reader(struct jars *j)
{
	struct xlog log = {
		.sink = j->fs.sink, .fs = j->fault, .dev = j->log_dev,
		.nbb = JARS_LOG_BB, .logv2 = true,
		.info = {
			.sb_version = 5, .log_version = 2,
			.log_sector_bytes = BB_SIZE,
			.log_size_bb = JARS_LOG_BB,
		},
	};

	log.sb.sb_lsn = XFS_NULL_LSN;
	memcpy(log.info.uuid, uuid, sizeof(uuid));
	return log;
}

struct jars *jars_open(unsigned int log_flags)
{
	struct jars *j = calloc(1, sizeof(*j));
	struct log_config c = {
		.flags = log_flags, .internal = true, .sector_bytes = BB_SIZE,
		.logbufs = 4, .logbsize_bytes = 16 << 10, .seed = 0x100,
		.write_back = write_back, .write_back_ctx = j,
		.busy_done = busy_done,
	};
	struct xlog_bounds b;
	struct xlog log;

	CHECK(j);
	open_devices(j);
	log = reader(j);
	CHECK(!xlog_find(&log, 0, &b) && b.state == XLOG_CLEAN);
	j->fs.geom = (struct xfs_geom){
		.blocklog = 12, .blocksize = 4096, .agcount = JARS_GROUPS,
		.agblocks = JARS_GROUP_BLOCKS, .agblklog = 6,
	};
	for (unsigned int i = 0; i < XFS_TR_COUNT; i++)
		j->fs.resv.tr[i] = (struct xfs_trans_res){ LOGRES_BYTES, 2,
							   true };
	for (uint32_t i = 0; i < JARS; i++) {
		j->jar[i].all = j;
		j->jar[i].id = i;
		pthread_mutex_init(&j->jar[i].lock, NULL);
		log_item_init(&j->jar[i].item, &jar_ops.log, XFS_LI_BUF);
	}
	CHECK(!busy_new(&j->fs.geom, NULL, &j->fs.busy));
	c.dev = j->log_dev;
	c.data = j->fault;
	c.busy_ctx = j->fs.busy;
	c.head = b.head;
	c.prev_block = xlog_lsn_block(b.last_record);
	memcpy(c.uuid, uuid, sizeof(uuid));
	CHECK(!log_open(&c, &j->fs.log));
	return j;
}

static void close_log(struct jars *j)
{
	log_close(j->fs.log);
	j->fs.log = NULL;
	busy_free(j->fs.busy);
	j->fs.busy = NULL;
}

void jars_close(struct jars *j)
{
	close_log(j);
	for (uint32_t i = 0; i < JARS; i++) {
		log_item_fini(&j->jar[i].item);
		pthread_mutex_destroy(&j->jar[i].lock);
	}
	dev_close(j->log_dev);
	dev_close(j->fault);
	dev_close(j->medium);
	free(j);
}

/* --- recovery --- */

struct recovery {
	struct jars	*j;
	struct pending {
		uint64_t	id;
		uint32_t	units;
	}		*pending;
	unsigned int	n, room;
};

static void add_pending(struct recovery *r, uint64_t id, uint32_t units)
{
	if (r->n == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->pending = realloc(r->pending,
				     r->room * sizeof(*r->pending));
		CHECK(r->pending);
	}
	r->pending[r->n++] = (struct pending){ id, units };
}

/* The oldest of that id; there is none if it lies before the tail. */
static void drop_pending(struct recovery *r, uint64_t id)
{
	for (unsigned int i = 0; i < r->n; i++) {
		if (r->pending[i].id != id)
			continue;
		memmove(&r->pending[i], &r->pending[i + 1],
			(--r->n - i) * sizeof(*r->pending));
		return;
	}
}

static void take_item(struct recovery *r, const struct xlog_item *item)
{
	const uint8_t *raw = item->regions[0].data;
	uint32_t id;

	CHECK(item->nregions == 1 && item->regions[0].len_bytes >= 16);
	switch (item->type) {
	case XFS_LI_BUI:
		CHECK(item->regions[0].len_bytes == UNITS_OFF +
						    xfs_map_extent_size);
		add_pending(r, get_w64(raw + 8, XFS_HOST_ORDER),
			    get_w32(raw + UNITS_OFF, XFS_HOST_ORDER));
		break;
	case XFS_LI_BUD:
		drop_pending(r, get_w64(raw + 8, XFS_HOST_ORDER));
		break;
	default:
		id = get_w32(raw + 4, XFS_HOST_ORDER);
		CHECK(item->type == XFS_LI_BUF && id < JARS);
		r->j->jar[id].units = (int64_t)get_w64(raw + 8,
						       XFS_HOST_ORDER);
	}
}

static void read_log(struct recovery *r)
{
	struct xlog log = reader(r->j);
	const struct xlog_trans *t;
	struct xlog_trans_iter *it;
	struct xlog_bounds b;
	int rc;

	CHECK(!xlog_find(&log, 0, &b) && !b.refused[0]);
	CHECK(b.state == XLOG_CLEAN || b.state == XLOG_DIRTY);
	if (b.state == XLOG_CLEAN)
		return;
	CHECK(!xlog_trans_open(&log, xlog_lsn_block(b.tail),
			       xlog_lsn_block(b.head), false, &it));
	while ((rc = xlog_trans_next(it, &t)) == 1)
		for (size_t i = 0; i < t->nitems && t->committed; i++)
			take_item(r, &t->items[i]);
	CHECK(!rc);
	xlog_trans_close(it);
}

int64_t jars_crash(struct jars *j, enum fault_crash how, uint64_t seed,
		   unsigned int *pending)
{
	struct recovery r = { .j = j };
	int64_t sum;

	close_log(j);
	CHECK(!fault_crash(j->fault, how, seed));
	for (uint32_t i = 0; i < JARS; i++) {
		uint8_t raw[JAR_BYTES];

		CHECK(!dev_read(j->fault, jar_off(i), raw, sizeof(raw)));
		j->jar[i].units = (int64_t)get_le64(raw);
	}
	read_log(&r);
	sum = jars_sum(j);
	for (unsigned int i = 0; i < r.n; i++)
		sum += r.pending[i].units;
	*pending = r.n;
	free(r.pending);
	return sum;
}
