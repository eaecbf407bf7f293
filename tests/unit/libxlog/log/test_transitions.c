/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One step at a time: each says what it did, as trace events, and that is
 * compared with what it has to do, in that order and nothing else. No threads,
 * but for who waits for space; no clock.
 */
#include <sched.h>

#include "tests/lib/things.h"

enum { SAID_BYTES = 2048 };

static struct engine *e;
static struct thing t, u, v;
static char said[SAID_BYTES];
static bool wanted[TRACE_EVENTS];

static const char *name_of(enum trace_event event)
{
	return strchr(xlog_trace_event(event), '_') + 1;
}

/* "iclog_switch 0, cil_push 1": what it is about, by its number. */
static void take(void *ctx, const struct trace_record *r)
{
	size_t used = strlen(said);
	uint64_t about = r->args[0];

	(void)ctx;
	switch (r->event) {
	case TRACE_xfs_ail_insert:
	case TRACE_xfs_ail_move:
	case TRACE_xfs_ail_delete:
		about = r->args[3] & UINT32_MAX;	/* to which block */
		break;
	default:
		break;
	}
	snprintf(said + used, sizeof(said) - used, "%s%s %llu",
		 used ? ", " : "", name_of(r->event),
		 (unsigned long long)about);
	cr_assert_lt(strlen(said), sizeof(said) - 1);
}

static void listen(void)
{
	static const enum trace_event events[] = {
		TRACE_xlog_cil_push, TRACE_xlog_cil_committed,
		TRACE_xlog_iclog_switch, TRACE_xlog_iclog_syncing,
		TRACE_xlog_iclog_sync_done, TRACE_xlog_iclog_callbacks_start,
		TRACE_xlog_iclog_callbacks_done, TRACE_xlog_iclog_activate,
		TRACE_xlog_iclog_force, TRACE_xlog_iclog_force_lsn,
		TRACE_xlog_iclog_write, TRACE_xfs_ail_insert,
		TRACE_xfs_ail_move, TRACE_xfs_ail_delete,
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		wanted[events[i]] = true;
	cr_assert_eq(trace_start(wanted, take, NULL), 0);
}

static void setup(void)
{
	e = engine_open(&(struct engine_options){ 0 });
	thing_init(&t, 1, 400);
	thing_init(&u, 2, 400);
	thing_init(&v, 3, 400);
	listen();
}

static void teardown(void)
{
	trace_stop();
	engine_close(e);
	log_item_fini(&t.item);
	log_item_fini(&u.item);
	log_item_fini(&v.item);
}

TestSuite(transitions, .init = setup, .fini = teardown);

/* What was said since the last time. */
static void did(const char *want)
{
	cr_assert_str_eq(said, want);
	said[0] = '\0';
}

static void push(struct thing *thing, bool stable)
{
	engine_change(e, thing, 1);
	engine_push(e, stable);
}

/* --- a push, and one record from beginning to end --- */

Test(transitions, of_a_push_that_waits_for_more)
{
	engine_change(e, &t, 1);
	did("");
	engine_push(e, false);
	did("cil_push 1");
	cr_assert_eq(e->log->iclogs[0].state, ICLOG_ACTIVE);
	cr_assert(!iclog_io_step(e->log));
	/* the next one goes into the same record */
	engine_change(e, &u, 1);
	engine_push(e, true);
	did("cil_push 2, iclog_switch 0, iclog_syncing 0");
	cr_assert(iclog_io_step(e->log));
	did("iclog_write 0, iclog_sync_done 0, iclog_callbacks_start 0, "
	    "cil_committed 1, ail_insert 2, cil_committed 2, ail_insert 2, "
	    "iclog_callbacks_done 0, iclog_activate 0");
	cr_assert(!iclog_io_step(e->log));
	did("");
}

/* Nobody can join it from the switch on, and it is done when its writer is. */
Test(transitions, of_an_iclog_with_a_writer_in_it)
{
	struct ticket *tic = engine_reserve(e, 20000);
	struct log *log = e->log;
	struct iclog *ic, *next;
	uint32_t off, room;

	cr_assert_eq(iclog_take(log, tic, 512, 0, &ic, &off, &room), 0);
	did("");
	cr_assert(iclog_kick(log, XFS_NULL_LSN));
	did("iclog_force 0, iclog_switch 0");
	cr_assert_eq(ic->state, ICLOG_WANT_SYNC);
	cr_assert(!iclog_kick(log, ic->lsn));
	cr_assert(!iclog_io_step(log));
	did("");
	cr_assert_eq(iclog_take(log, tic, 12, 0, &next, &off, &room), 0);
	cr_assert_eq(next, ic + 1);
	memset(ic->buf + log->hsize_bytes, 0, 512);
	iclog_put(log, ic, tic, 0);
	did("iclog_syncing 0");
	cr_assert(iclog_io_step(log));
	did("iclog_write 0, iclog_sync_done 0, iclog_callbacks_start 0, "
	    "iclog_callbacks_done 0, iclog_activate 0");
	memset(next->buf + log->hsize_bytes, 0, 12);
	iclog_put(log, next, tic, 0);
	did("");
	ticket_release(log, tic);
}

/* --- completion out of order --- */

/* The device is done with the record @nth in the queue. */
static void complete(unsigned int nth)
{
	struct list *queue = &e->log->io_queue, *link = list_first(queue);

	while (nth--)
		link = list_next(link, queue);
	list_remove(link);
	list_insert_before(link, queue->next);
	cr_assert(iclog_io_step(e->log));
}

Test(transitions, of_records_that_are_done_backwards)
{
	push(&t, true);
	push(&u, true);
	push(&v, true);
	said[0] = '\0';
	complete(2);
	did("iclog_write 2, iclog_sync_done 2");
	complete(1);
	did("iclog_write 1, iclog_sync_done 1");
	cr_assert_eq(e->log->cil.done_seq, 0);
	cr_assert_eq(e->log->done_lsn, 0);
	complete(0);
	did("iclog_write 0, iclog_sync_done 0, iclog_callbacks_start 0, "
	    "cil_committed 1, ail_insert 2, "
	    "iclog_callbacks_done 0, iclog_activate 0, iclog_callbacks_start 1, "
	    "cil_committed 2, ail_insert 4, "
	    "iclog_callbacks_done 1, iclog_activate 1, iclog_callbacks_start 2, "
	    "cil_committed 3, ail_insert 6, "
	    "iclog_callbacks_done 2, iclog_activate 2");
	cr_assert_eq(e->log->cil.done_seq, 3);
}

Test(transitions, of_records_of_which_the_middle_one_is_last)
{
	push(&t, true);
	push(&u, true);
	push(&v, true);
	said[0] = '\0';
	complete(0);
	did("iclog_write 0, iclog_sync_done 0, iclog_callbacks_start 0, "
	    "cil_committed 1, ail_insert 2, "
	    "iclog_callbacks_done 0, iclog_activate 0");
	complete(1);
	did("iclog_write 2, iclog_sync_done 2");
	cr_assert_eq(e->log->cil.done_seq, 1);
	complete(0);
	did("iclog_write 1, iclog_sync_done 1, iclog_callbacks_start 1, "
	    "cil_committed 2, ail_insert 4, "
	    "iclog_callbacks_done 1, iclog_activate 1, iclog_callbacks_start 2, "
	    "cil_committed 3, ail_insert 6, "
	    "iclog_callbacks_done 2, iclog_activate 2");
}

/* An item that is in two of them goes into the AIL, and moves there. */
Test(transitions, of_an_item_that_is_logged_again)
{
	push(&t, true);
	push(&t, true);
	said[0] = '\0';
	complete(1);
	did("iclog_write 1, iclog_sync_done 1");
	cr_assert_eq(atomic_load(&t.pins), 2);
	complete(0);
	did("iclog_write 0, iclog_sync_done 0, iclog_callbacks_start 0, "
	    "cil_committed 1, ail_insert 2, "
	    "iclog_callbacks_done 0, iclog_activate 0, iclog_callbacks_start 1, "
	    "cil_committed 2, ail_move 4, "
	    "iclog_callbacks_done 1, iclog_activate 1");
	cr_assert_eq(atomic_load(&t.pins), 0);
	engine_write_back(e);
	did("ail_delete 0");
}

/* --- forces --- */

Test(transitions, of_a_force_of_the_current_sequence)
{
	uint64_t seq = engine_change(e, &t, 1);

	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	did("cil_push 1, iclog_switch 0, iclog_syncing 0, iclog_write 0, "
	    "iclog_sync_done 0, iclog_callbacks_start 0, cil_committed 1, "
	    "ail_insert 2, iclog_callbacks_done 0, iclog_activate 0");
	/* it is over: nothing */
	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	cr_assert_eq(log_force(e->log, true), 0);
	did("");
}

/* Not sealed, and the next sequence is in the CIL: that stays there. */
Test(transitions, of_a_force_of_the_sequence_before)
{
	uint64_t seq = engine_change(e, &t, 1);

	engine_push(e, false);
	engine_change(e, &u, 1);
	did("cil_push 1");
	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	did("iclog_force_lsn 0, iclog_switch 0, iclog_syncing 0, "
	    "iclog_write 0, iclog_sync_done 0, iclog_callbacks_start 0, "
	    "cil_committed 1, ail_insert 2, iclog_callbacks_done 0, "
	    "iclog_activate 0");
	cr_assert(!atomic_load(&e->log->cil.is_empty));
}

/* With four under way one of them has to be over first: others may join. */
Test(transitions, of_a_force_behind_four_under_way)
{
	uint64_t seq;

	push(&t, true);
	push(&u, true);
	push(&v, true);
	push(&t, true);
	seq = engine_change(e, &u, 1);
	said[0] = '\0';
	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	did("iclog_write 0, iclog_sync_done 0, iclog_callbacks_start 0, "
	    "cil_committed 1, ail_insert 2, iclog_callbacks_done 0, "
	    "iclog_activate 0, cil_push 5, iclog_switch 0, iclog_syncing 0, "
	    "iclog_write 1, iclog_sync_done 1, iclog_callbacks_start 1, "
	    "cil_committed 2, ail_insert 4, iclog_callbacks_done 1, "
	    "iclog_activate 1, iclog_write 2, iclog_sync_done 2, "
	    "iclog_callbacks_start 2, cil_committed 3, ail_insert 6, "
	    "iclog_callbacks_done 2, iclog_activate 2, "
	    "iclog_write 3, iclog_sync_done 3, iclog_callbacks_start 3, "
	    "cil_committed 4, ail_move 8, iclog_callbacks_done 3, "
	    "iclog_activate 3, iclog_write 0, iclog_sync_done 0, "
	    "iclog_callbacks_start 0, cil_committed 5, ail_move 10, "
	    "iclog_callbacks_done 0, iclog_activate 0");
}

/* A checkpoint over several records: all of them before its end is. */
Test(transitions, of_a_checkpoint_of_three_records)
{
	t.len[0] = 40000;
	push(&t, true);
	did("cil_push 1, iclog_switch 0, iclog_syncing 0, iclog_switch 1, "
	    "iclog_syncing 1, iclog_switch 2, iclog_syncing 2");
	complete(1);
	complete(0);
	did("iclog_write 1, iclog_sync_done 1, iclog_write 0, "
	    "iclog_sync_done 0, iclog_callbacks_start 0, "
	    "iclog_callbacks_done 0, iclog_activate 0, "
	    "iclog_callbacks_start 1, iclog_callbacks_done 1, "
	    "iclog_activate 1");
	cr_assert_eq(e->log->cil.done_seq, 0);
	complete(0);
	did("iclog_write 2, iclog_sync_done 2, iclog_callbacks_start 2, "
	    "cil_committed 1, ail_insert 2, iclog_callbacks_done 2, "
	    "iclog_activate 2");
}

/* --- attempts to overtake --- */

struct waiter {
	pthread_t	thread;
	uint32_t	bytes;
	struct ticket	*chain;		/* is regranted, or NULL: a new one */
	struct ticket	*got;
};

static void *wait_for_space(void *arg)
{
	struct waiter *w = arg;

	if (w->chain)
		cr_assert_eq(ticket_regrant(e->log, w->chain), 0);
	else
		cr_assert_eq(ticket_reserve(e->log, w->bytes, 1, false,
					    &w->got), 0);
	return NULL;
}

static void start(struct waiter *w, struct grant_head *head)
{
	unsigned int waiting = atomic_load(&head->nwaiters);

	cr_assert_eq(pthread_create(&w->thread, NULL, wait_for_space, w), 0);
	while (atomic_load(&head->nwaiters) == waiting)
		sched_yield();
}

static uint64_t granted[8];
static unsigned int ngranted;

static void take_grant(void *ctx, const struct trace_record *r)
{
	(void)ctx;
	granted[ngranted++] = r->args[2];
}

static void open_threads(void)
{
	bool grants[TRACE_EVENTS] = {
		[TRACE_xfs_log_grant_wake_up] = true,
	};

	e = engine_open(&(struct engine_options){ .threads = true });
	cr_assert_eq(trace_start(grants, take_grant, NULL), 0);
}

static void close_threads(void)
{
	trace_stop();
	engine_close(e);
}

TestSuite(overtaking, .init = open_threads, .fini = close_threads);

/* There is room for all but the first of them, which they wait behind. */
Test(overtaking, of_a_large_one_by_smaller_ones)
{
	uint32_t half = (uint32_t)e->log->size_bytes / 2;
	struct ticket *all = engine_reserve(e, half);
	struct waiter w[4] = {
		{ .bytes = half }, { .bytes = 20000 }, { .bytes = 1000 },
		{ .bytes = 2000 },
	};
	uint64_t need[4];

	for (unsigned int i = 0; i < 4; i++)
		start(&w[i], &e->log->reserve);
	cr_assert_eq(ngranted, 0);
	ticket_release(e->log, all);
	for (unsigned int i = 0; i < 4; i++) {
		cr_assert_eq(pthread_join(w[i].thread, NULL), 0);
		need[i] = w[i].got->unit_bytes;
	}
	cr_assert_eq(ngranted, 4);
	for (unsigned int i = 0; i < 4; i++) {
		cr_assert_eq(granted[i], need[i]);
		ticket_release(e->log, w[i].got);
	}
	cr_assert_eq(engine_reserved(e), 0);
}

enum { LARGE = 3, LARGE_BYTES = 50000 };

/* A third of the log in objects that are not to be written back. */
static void fill_a_third(struct ticket *tic, struct thing *things)
{
	struct thing *list[LARGE];

	for (unsigned int i = 0; i < LARGE; i++) {
		thing_init(&things[i], i, LARGE_BYTES);
		things[i].nregions = THING_REGIONS;
		for (unsigned int j = 1; j < THING_REGIONS; j++)
			things[i].len[j] = LARGE_BYTES;
		list[i] = &things[i];
	}
	cr_assert_eq(engine_commit(e, tic, true, 1, list, LARGE), 0);
	cr_assert_eq(log_force(e->log, true), 0);
	for (unsigned int i = 0; i < LARGE; i++)
		pthread_mutex_lock(&things[i].lock);
}

/*
 * A chain has its place in the reserve head already, even where that is more
 * than there is, and waits for the write head only: who begins anew goes behind
 * it, however little he asks for.
 */
Test(overtaking, of_a_chain_by_who_begins)
{
	struct log *log = e->log;
	uint32_t tenth = (uint32_t)log->size_bytes / 10;
	struct waiter chain = { 0 }, new = { .bytes = 1000 };
	static struct thing things[LARGE];
	struct ticket *rest[2];

	cr_assert_eq(ticket_reserve(log, 5 * tenth, 1, true, &chain.chain), 0);
	rest[0] = engine_reserve(e, 2 * tenth);
	rest[1] = engine_reserve(e, 2 * tenth);
	fill_a_third(chain.chain, things);
	cr_assert_gt(engine_reserved(e), log->size_bytes);
	start(&chain, &log->write);
	start(&new, &log->reserve);
	/* there is room in the log for the new one, but not for the chain */
	ticket_release(log, rest[0]);
	cr_assert_lt(engine_granted(e) + 10000, log->size_bytes);
	cr_assert_eq(ngranted, 0);
	ticket_release(log, rest[1]);
	cr_assert_eq(pthread_join(chain.thread, NULL), 0);
	cr_assert_eq(pthread_join(new.thread, NULL), 0);
	cr_assert_eq(ngranted, 2);
	cr_assert_eq(granted[0], chain.chain->unit_bytes);
	cr_assert_eq(granted[1], new.got->unit_bytes);
	ticket_release(log, chain.chain);
	ticket_release(log, new.got);
	for (unsigned int i = 0; i < LARGE; i++)
		pthread_mutex_unlock(&things[i].lock);
	cr_assert_eq(log_quiesce(log), 0);
	cr_assert_eq(engine_reserved(e), engine_in_log(e));
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	for (unsigned int i = 0; i < LARGE; i++)
		log_item_fini(&things[i].item);
}
