/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cells, their log items, and the devices below: see cells.h.
 */
#include "libxlog/replay/newlog.h"
#include "tests/lib/cells_priv.h"
#include "tests/lib/stack.h"

enum {
	LOG_BB = 4096,
	LOGRES_BYTES = 4096,
	HEAD_BYTES = 16,	/* type, regions, id */
	BODY_BYTES = 8,		/* units */
};

static const uint8_t uuid[16] = { 0xce, 1, 1 };

/* --- on the device --- */

static uint64_t cell_off(const struct cells *c, uint32_t id)
{
	return c->config.dev->size_bytes + (uint64_t)id * CELL_BYTES;
}

int cell_store(struct cell *cell)
{
	uint8_t raw[CELL_BYTES] = { 0 };

	put_le64(raw, (uint64_t)cell->units);
	return dev_write(cell->all->fault, cell_off(cell->all, cell->id), raw,
			 sizeof(raw));
}

void cells_load(struct cells *c)
{
	uint8_t raw[CELL_BYTES];

	for (uint32_t i = 0; i < CELLS; i++) {
		cr_assert_eq(dev_read(c->fault, cell_off(c, i), raw,
				      sizeof(raw)), 0);
		c->cell[i].units = (int64_t)get_le64(raw);
	}
}

/* --- the item --- */

static struct cell *cell_of(struct log_item *item)
{
	return container_of(item, struct cell, item);
}

static void lock(struct cell *cell)
{
	cr_assert(!cell->locked, "cell %u is locked twice", cell->id);
	cell->locked = true;
}

static void unlock(struct cell *cell)
{
	cr_assert(cell->locked, "cell %u is not locked", cell->id);
	cell->locked = false;
}

static void item_size(struct log_item *item, uint32_t *nregions,
		      uint32_t *bytes)
{
	(void)item;
	*nregions = 2;
	*bytes = HEAD_BYTES + BODY_BYTES;
}

static void item_format(struct log_item *item, struct log_formatter *f)
{
	const struct cell *cell = cell_of(item);
	uint8_t *at = log_region(f, HEAD_BYTES);

	memset(at, 0, HEAD_BYTES);
	put_w16(at, XFS_LI_BUF, XFS_HOST_ORDER);
	put_w16(at + 2, 2, XFS_HOST_ORDER);
	put_w32(at + 4, cell->id, XFS_HOST_ORDER);
	put_w64(log_region(f, BODY_BYTES), (uint64_t)cell->units,
		XFS_HOST_ORDER);
}

void cell_replay(struct cells *c, const struct xlog_item *item)
{
	uint32_t id;

	cr_assert_eq(item->nregions, 2);
	cr_assert_eq(item->regions[1].len_bytes, BODY_BYTES);
	id = get_w32(item->regions[0].data + 4, XFS_HOST_ORDER);
	cr_assert_lt(id, CELLS);
	c->cell[id].units = (int64_t)get_w64(item->regions[1].data,
					     XFS_HOST_ORDER);
}

static void item_pin(struct log_item *item)
{
	cell_of(item)->pins++;
}

static void item_unpin(struct log_item *item, bool abort)
{
	(void)abort;
	cell_of(item)->pins--;
}

/* The end of a transaction, whichever. */
static void let_go(struct cell *cell)
{
	if (!cell->held)
		unlock(cell);
	cell->held = false;
}

static void item_committing(struct log_item *item, uint64_t seq)
{
	(void)seq;
	let_go(cell_of(item));
}

static void item_release(struct log_item *item, bool abort)
{
	(void)abort;
	let_go(cell_of(item));
}

static enum log_push item_push(struct log_item *item, struct list *queue)
{
	struct cell *cell = cell_of(item);

	if (cell->pins)
		return LOG_PUSH_PINNED;
	if (cell->locked)
		return LOG_PUSH_LOCKED;
	lock(cell);
	list_insert_last(&item->queue_link, queue);
	return LOG_PUSH_QUEUED;
}

static void *item_held(struct log_item *item)
{
	return cell_of(item)->held ? cell_of(item) : NULL;
}

static void item_relog(struct trans *t, struct log_item *item)
{
	cell_of(item)->relogged++;
	trans_dirty(t, item);
}

static int item_rejoin(struct trans *t, void *object)
{
	struct cell *cell = object;

	cr_assert(cell->locked);
	trans_join(t, &cell->item);
	cell->held = true;
	return 0;
}

static void item_keep(void *object)
{
	((struct cell *)object)->refs++;
}

static void item_relock(void *object)
{
	lock(object);
}

static void item_leave(void *object)
{
	unlock(object);
	((struct cell *)object)->refs--;
}

static const struct trans_item_ops cell_ops = {
	.log = {
		.name = "cell",
		.size = item_size,
		.format = item_format,
		.pin = item_pin,
		.unpin = item_unpin,
		.committing = item_committing,
		.push = item_push,
		.release = item_release,
	},
	.held = item_held,
	.relog = item_relog,
	.rejoin = item_rejoin,
	.keep = item_keep,
	.relock = item_relock,
	.leave = item_leave,
};

static void write_back(void *ctx, struct list *queue)
{
	struct cells *c = ctx;
	struct list *first;

	while ((first = list_first(queue))) {
		struct log_item *item = container_of(first, struct log_item,
						     queue_link);
		int rc;

		list_remove(first);
		rc = cell_store(cell_of(item));
		log_data_written(c->fs.log);
		unlock(cell_of(item));
		if (rc)
			log_item_failed(c->fs.log, item);
		else
			log_item_clean(c->fs.log, item);
	}
}

/* --- open and close --- */

struct xlog cells_reader(struct cells *c)
{
	struct xlog log = {
		.sink = reports_sink(&c->said),
		.fs = c->fault,
		.dev = c->log_dev,
		.nbb = (uint32_t)(c->log_dev->size_bytes / BB_SIZE),
		.logv2 = true,
		.info = {
			.sb_version = 5, .log_version = 2,
			.log_sector_bytes = BB_SIZE,
		},
	};

	log.info.log_size_bb = log.nbb;
	log.sb.sb_lsn = XFS_NULL_LSN;
	memcpy(log.info.uuid, uuid, sizeof(uuid));
	return log;
}

static void open_devices(struct cells *c, uint32_t log_bb)
{
	struct sink sink = reports_sink(&c->said);
	struct newlog n = { .cycle = 1 };
	struct dev *below;

	c->medium = memdev_zeros((uint64_t)log_bb * BB_SIZE +
				 (uint64_t)CELLS * CELL_BYTES, &sink);
	cr_assert_eq(stack_borrow(c->medium, &below), 0);
	cr_assert_eq(dev_open_fault(below, &c->fault), 0);
	cr_assert_eq(stack_borrow(c->fault, &below), 0);
	cr_assert_eq(dev_open_window(below, 0, (uint64_t)log_bb * BB_SIZE,
				     &c->log_dev), 0);
	n.dev = c->log_dev;
	n.form = newlog_form(true, 0, BB_SIZE, log_bb, uuid);
	cr_assert_eq(newlog_write(&n), 0);
	cr_assert_eq(dev_flush(c->fault), 0);
}

void cells_open_log(struct cells *c, const struct xlog_bounds *b)
{
	c->config.head = b->head;
	c->config.prev_block = xlog_lsn_block(b->last_record);
	c->config.tail = b->state == XLOG_DIRTY ? b->tail : 0;
	cr_assert_eq(busy_new(&c->fs.geom, c->discard, &c->fs.busy), 0);
	c->config.busy_ctx = c->fs.busy;
	cr_assert_eq(log_open(&c->config, &c->fs.log), 0, "%s", c->said.text);
	for (uint32_t i = 0; i < CELLS; i++) {
		struct cell *cell = &c->cell[i];
		int64_t units = cell->units;

		*cell = (struct cell){ .all = c, .id = i, .units = units };
		log_item_init(&cell->item, &cell_ops.log, XFS_LI_BUF);
	}
}

void cells_close_log(struct cells *c)
{
	log_close(c->fs.log);
	c->fs.log = NULL;
	busy_free(c->fs.busy);
	for (uint32_t i = 0; i < CELLS; i++)
		log_item_fini(&c->cell[i].item);
}

struct cells *cells_open(const struct cells_options *o)
{
	struct cells *c = calloc(1, sizeof(*c));
	struct xlog_bounds b;
	struct xlog log;

	cr_assert(c);
	open_devices(c, o->log_bb ? o->log_bb : LOG_BB);
	c->discard = o->discard;
	c->fs.sink = reports_sink(&c->said);
	c->fs.geom = (struct xfs_geom){
		.blocklog = 12, .blocksize = 4096, .agcount = CELLS_AGCOUNT,
		.agblocks = 1000, .agblklog = 10,
	};
	for (unsigned int i = 0; i < XFS_TR_COUNT; i++)
		c->fs.resv.tr[i] = (struct xfs_trans_res){
			o->logres_bytes ? o->logres_bytes : LOGRES_BYTES, 2,
			true,
		};
	c->config = (struct log_config){
		.flags = o->flags | LOG_NO_THREADS, .dev = c->log_dev,
		.data = c->fault, .internal = true, .sector_bytes = BB_SIZE,
		.logbufs = 4, .logbsize_bytes = 16 << 10, .seed = 0x100,
		.write_back = write_back, .write_back_ctx = c,
		.busy_done = busy_done, .sink = c->fs.sink,
	};
	memcpy(c->config.uuid, uuid, sizeof(uuid));
	log = cells_reader(c);
	cr_assert_eq(xlog_find(&log, 0, &b), 0);
	cr_assert_eq(b.state, XLOG_CLEAN);
	cells_open_log(c, &b);
	return c;
}

void cells_close(struct cells *c)
{
	cells_close_log(c);
	cr_assert_eq(c->works, 0, "%u works are lost", c->works);
	dev_close(c->log_dev);
	dev_close(c->fault);
	dev_close(c->medium);
	free(c);
}

void cells_write_back(struct cells *c)
{
	ail_push_all(c->fs.log);
	while (log_step(c->fs.log))
		;
}

/* --- transactions --- */

struct trans *cells_begin(struct cells *c)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(&c->fs, XFS_TR_ITRUNCATE, &t), 0, "%s",
		     c->said.text);
	return t;
}

void cell_add(struct trans *t, struct cell *cell, int64_t units)
{
	if (list_is_empty(&cell->item.trans_link)) {
		lock(cell);
		trans_join(t, &cell->item);
	}
	cell->units += units;
	trans_dirty(t, &cell->item);
}

void cell_hold(struct cell *cell)
{
	cr_assert(!list_is_empty(&cell->item.trans_link));
	cell->held = true;
}

void cell_unlock(struct cell *cell)
{
	cr_assert(list_is_empty(&cell->item.trans_link));
	unlock(cell);
}

int64_t cells_sum(const struct cells *c)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < CELLS; i++)
		sum += c->cell[i].units;
	return sum;
}
