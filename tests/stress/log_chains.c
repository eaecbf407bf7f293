/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many threads with chains of deferred work, in a log so small that it goes
 * round and round: what waits in one chain must not stop the others. Jars are
 * poured into each other by chains, and every jar is held by someone now and
 * then; blocks of groups are taken and freed, and what is taken for data is not
 * busy. In the end nothing is lost: no unit, no byte of log space, no busy
 * block. A plain program: also what ThreadSanitizer is run on.
 *
 *	log_chains [chains of each round [first seed]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/log/log_priv.h"
#include "libxlog/replay/newlog.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/defer.h"
#include "tests/lib/stack.h"

enum {
	THREADS = 12,
	SHARED = 32,			/* jars that anyone pours into */
	JARS = SHARED + THREADS,	/* and one of each thread */
	JAR_BYTES = 512,
	GROUPS = 3,
	GROUP_BLOCKS = 64,
	LOG_BB = 1024,
	LOGRES_BYTES = 4096,
};

#define CHECK(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__,	\
				__LINE__, #what);			\
			exit(1);					\
		}							\
	} while (0)

struct jar {
	struct log_item	item;
	pthread_mutex_t	lock;
	uint32_t	id;
	bool		held;		/* (lock) */
	_Atomic int	pins;
	int64_t		units;		/* (lock) */
};

struct group {
	pthread_mutex_t	lock;		/* over the commit, as a header is */
	bool		taken[GROUP_BLOCKS]; /* (lock) */
};

static struct trans_fs fs;
static struct dev *medium;
static struct jar jars[JARS];
static struct group groups[GROUPS];
static unsigned long chains = 6000, first_seed = 1;
static _Atomic long left;

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

static void write_back(void *ctx, struct list *queue)
{
	struct list *first;

	(void)ctx;
	while ((first = list_first(queue))) {
		struct log_item *item = container_of(first, struct log_item,
						     queue_link);
		uint8_t raw[JAR_BYTES] = { 0 };

		list_remove(first);
		put_le64(raw, (uint64_t)jar_of(item)->units);
		CHECK(!dev_write(medium, LOG_BB * BB_SIZE +
				 jar_of(item)->id * JAR_BYTES, raw,
				 sizeof(raw)));
		log_data_written(fs.log);
		log_item_clean(fs.log, item);
		pthread_mutex_unlock(&jar_of(item)->lock);
	}
}

/* @t does not have it yet. */
static void pour(struct trans *t, struct jar *jar, int64_t units)
{
	pthread_mutex_lock(&jar->lock);
	trans_join(t, &jar->item);
	jar->units += units;
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

	put_w32(regions[0] + 16, w->units, XFS_HOST_ORDER);
}

static int pour_finish(struct trans *t, struct defer_work *w,
		       struct defer_state *st)
{
	struct work *work = container_of(w, struct work, w);
	uint32_t n = work->step < work->units ? work->step : work->units;

	(void)st;
	if (work->hops)
		defer_pour(t, (work->to + 1) % SHARED, n, n, work->hops - 1);
	else
		pour(t, &jars[work->to], n);
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

/* --- threads --- */

static uint32_t roll(uint64_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 33) % n;
}

static struct trans *begin(void)
{
	struct trans *t;

	CHECK(!trans_alloc(&fs, XFS_TR_ITRUNCATE, &t));
	return t;
}

/* Out of the thread's own jar, which is perhaps held, into some. */
static void one_chain(uint64_t *state, struct jar *own)
{
	struct trans *t = begin();
	bool hold = roll(state, 2);
	uint32_t n = 1 + roll(state, 4);

	pour(t, own, 0);
	own->held = hold;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t units = 1 + roll(state, 9);

		own->units -= units;
		defer_pour(t, roll(state, SHARED), units, 1 + roll(state, 5),
			   roll(state, 3));
	}
	CHECK(!trans_commit(t, NULL));
	if (hold)
		pthread_mutex_unlock(&own->lock);
}

static bool all_are(const struct group *g, uint32_t at, uint32_t len,
		    bool taken)
{
	for (uint32_t i = 0; i < len; i++)
		if (g->taken[at + i] != taken)
			return false;
	return true;
}

static void set_all(struct group *g, uint32_t at, uint32_t len, bool taken)
{
	for (uint32_t i = 0; i < len; i++)
		g->taken[at + i] = taken;
}

/* Blocks for data: none that is busy, or has been waited for. */
static void take_for_data(struct trans *t, uint32_t agno, uint32_t at,
			  uint32_t len)
{
	xfs_agblock_t first = at;
	uint32_t room = len;

	busy_trim(&fs, agno, len, &first, &room);
	if (!room) {
		CHECK(!busy_flush(t, agno, at, len));
		first = at;
		room = len;
	}
	CHECK(!busy_search(&fs, agno, first, room));
	set_all(&groups[agno], first, room, true);
}

static void one_change_of_space(uint64_t *state, struct jar *own)
{
	uint32_t agno = roll(state, GROUPS), len = 1 + roll(state, 6);
	uint32_t at = roll(state, GROUP_BLOCKS - len);
	struct group *g = &groups[agno];
	struct trans *t = begin();

	pthread_mutex_lock(&g->lock);
	if (all_are(g, at, len, true)) {
		CHECK(!busy_insert(t, agno, at, len, 0));
		set_all(g, at, len, false);
	} else if (!all_are(g, at, len, false)) {
		/* neither */
	} else if (roll(state, 2)) {
		CHECK(!busy_reuse(t, agno, at, len));
		CHECK(!busy_search(&fs, agno, at, len));
		set_all(g, at, len, true);
	} else {
		take_for_data(t, agno, at, len);
	}
	pour(t, own, 0);
	CHECK(!trans_commit(t, NULL));
	pthread_mutex_unlock(&g->lock);
}

static void *work(void *arg)
{
	uint64_t state = (first_seed + (uintptr_t)arg + 1) *
			 0x9e3779b97f4a7c15u;
	struct jar *own = &jars[SHARED + (uintptr_t)arg];

	while (atomic_fetch_sub(&left, 1) > 0) {
		switch (roll(&state, 8)) {
		case 0:
			CHECK(!log_force(fs.log, roll(&state, 2)));
			break;
		case 1:
		case 2:
		case 3:
			one_change_of_space(&state, own);
			break;
		default:
			one_chain(&state, own);
		}
	}
	return NULL;
}

/* --- a round --- */

static void open_all(unsigned int flags, struct dev **log_dev)
{
	static const uint8_t uuid[16] = { 0x1a };
	struct sink sink = { NULL, NULL };
	struct newlog n = { .cycle = 1 };
	struct dev *below;
	struct log_config c = {
		.flags = flags, .internal = true, .sector_bytes = BB_SIZE,
		.logbufs = 4, .logbsize_bytes = 16 << 10, .seed = 0x100,
		.write_back = write_back, .busy_done = busy_done,
		.sink = sink, .head = (xfs_lsn_t)1 << 32 | 2,
	};

	memset(&fs, 0, sizeof(fs));
	fs.geom = (struct xfs_geom){
		.blocklog = 12, .blocksize = 4096, .agcount = GROUPS,
		.agblocks = GROUP_BLOCKS, .agblklog = 6,
	};
	for (unsigned int i = 0; i < XFS_TR_COUNT; i++)
		fs.resv.tr[i] = (struct xfs_trans_res){ LOGRES_BYTES, 2, true };
	CHECK(!dev_open_overlay(NULL, LOG_BB * BB_SIZE + JARS * JAR_BYTES,
				&sink, &medium));
	CHECK(!stack_borrow(medium, &below));
	CHECK(!dev_open_window(below, 0, LOG_BB * BB_SIZE, log_dev));
	n.dev = *log_dev;
	n.form = newlog_form(true, 0, BB_SIZE, LOG_BB, uuid);
	CHECK(!newlog_write(&n));
	CHECK(!busy_new(&fs.geom, NULL, &fs.busy));
	c.dev = *log_dev;
	c.data = medium;
	c.busy_ctx = fs.busy;
	memcpy(c.uuid, uuid, sizeof(uuid));
	CHECK(!log_open(&c, &fs.log));
	for (uint32_t i = 0; i < JARS; i++) {
		jars[i] = (struct jar){ .id = i };
		pthread_mutex_init(&jars[i].lock, NULL);
		log_item_init(&jars[i].item, &jar_ops.log, XFS_LI_BUF);
	}
	for (uint32_t i = 0; i < GROUPS; i++) {
		memset(&groups[i], 0, sizeof(groups[i]));
		pthread_mutex_init(&groups[i].lock, NULL);
	}
}

static void check_rest(void)
{
	int64_t units = 0;
	uint64_t used;

	CHECK(!log_quiesce(fs.log));
	for (uint32_t i = 0; i < JARS; i++)
		units += jars[i].units;
	CHECK(units == 0);
	CHECK(fs.log->ail.nitems == 0);
	used = log_distance(fs.log, log_tail_lsn(fs.log),
			    log_head_lsn(fs.log));
	CHECK(atomic_load(&fs.log->reserve.used_bytes) == used);
	CHECK(atomic_load(&fs.log->write.used_bytes) == used);
	for (uint32_t i = 0; i < GROUPS; i++)
		CHECK(!busy_search(&fs, i, 0, GROUP_BLOCKS));
}

static void one_round(unsigned int flags, unsigned int hooks)
{
	pthread_t threads[THREADS];
	struct dev *log_dev;

	open_all(flags, &log_dev);
	fs.hooks.flags = hooks;
	atomic_store(&left, (long)chains);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, work, (void *)i));
	for (unsigned int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	check_rest();
	printf("%s%s: %llu points, cycle %u\n",
	       flags & LOG_DIRECT ? "nodelaylog" : "delaylog",
	       hooks ? ", forced" : "",
	       (unsigned long long)atomic_load(&fs.hooks.points),
	       xfs_lsn_cycle(log_head_lsn(fs.log)));
	log_close(fs.log);
	busy_free(fs.busy);
	for (uint32_t i = 0; i < JARS; i++) {
		log_item_fini(&jars[i].item);
		pthread_mutex_destroy(&jars[i].lock);
	}
	for (uint32_t i = 0; i < GROUPS; i++)
		pthread_mutex_destroy(&groups[i].lock);
	dev_close(log_dev);
	dev_close(medium);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		chains = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoul(argv[2], NULL, 10);
	one_round(0, 0);
	one_round(0, DEFER_FORCE);
	one_round(LOG_DIRECT, 0);
	return 0;
}
