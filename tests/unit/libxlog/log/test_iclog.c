/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iclogs: their states, what is flushed before which, completion in order. */
#include "tests/lib/things.h"

static struct engine *e;
static struct thing t, u, big;

static void open_with(struct engine_options o)
{
	e = engine_open(&o);
	thing_init(&t, 1, 400);
	thing_init(&u, 2, 400);
	thing_init(&big, 3, 60000);
}

static void setup(void)
{
	open_with((struct engine_options){ 0 });
}

static void teardown(void)
{
	engine_close(e);
	log_item_fini(&t.item);
	log_item_fini(&u.item);
	log_item_fini(&big.item);
}

TestSuite(iclog_states, .init = setup, .fini = teardown);
TestSuite(iclog_done, .init = setup, .fini = teardown);
TestSuite(iclog_io, .fini = teardown);

/* --- states --- */

Test(iclog_states, active_until_it_is_sealed)
{
	struct iclog *ic = &e->log->iclogs[0];

	engine_change(e, &t, 1);
	engine_push(e, false);
	cr_assert_eq(ic->state, ICLOG_ACTIVE);
	cr_assert_gt(ic->used_bytes, 0);
	cr_assert(iclog_kick(e->log, ic->lsn));
	cr_assert_eq(ic->state, ICLOG_SYNCING);
	cr_assert(!iclog_kick(e->log, XFS_NULL_LSN));
	engine_io(e);
	cr_assert_eq(ic->state, ICLOG_ACTIVE);
	cr_assert_eq(ic->used_bytes, 0);
	cr_assert_eq(e->log->active, 1);
	cr_assert_eq(e->log->oldest, 1);
}

Test(iclog_states, waits_for_its_last_writer)
{
	struct ticket *tic = engine_reserve(e, 1000);
	uint32_t off, room;
	struct iclog *ic, *same;

	cr_assert_eq(iclog_take(e->log, tic, 24, 0, &ic, &off, &room), 0);
	memset(ic->buf + e->log->hsize_bytes + off, 0, 24);
	cr_assert_eq(iclog_take(e->log, tic, 24, 0, &same, &off, &room), 0);
	memset(ic->buf + e->log->hsize_bytes + off, 0, 24);
	cr_assert_eq(ic, same);
	iclog_flag(e->log, ic, 0, true);
	cr_assert_eq(ic->state, ICLOG_WANT_SYNC);
	iclog_put(e->log, ic, tic, 0);
	cr_assert_eq(ic->state, ICLOG_WANT_SYNC);
	iclog_put(e->log, ic, tic, 0);
	cr_assert_eq(ic->state, ICLOG_SYNCING);
	engine_io(e);
	ticket_release(e->log, tic);
}

Test(iclog_states, who_joins_gets_the_rest_and_seals)
{
	struct ticket *tic = engine_reserve(e, 40000);
	uint32_t off, room;
	struct iclog *ic;

	cr_assert_eq(iclog_take(e->log, tic, 40000, 0, &ic, &off, &room), 0);
	cr_assert_eq(off, 0);
	cr_assert_eq(room, e->log->room_bytes);
	cr_assert_eq(ic->state, ICLOG_WANT_SYNC);
	memset(ic->buf + e->log->hsize_bytes, 0, room);
	iclog_put(e->log, ic, tic, 0);
	engine_io(e);
	ticket_release(e->log, tic);
}

Test(iclog_states, too_little_room_is_left_alone)
{
	struct ticket *tic = engine_reserve(e, 40000);
	uint32_t off, room, want = e->log->room_bytes - 20;
	struct iclog *ic;

	cr_assert_eq(iclog_take(e->log, tic, want, 0, &ic, &off, &room), 0);
	memset(ic->buf + e->log->hsize_bytes, 0, room);
	iclog_put(e->log, ic, tic, 0);
	cr_assert_eq(ic->state, ICLOG_ACTIVE);
	cr_assert_eq(iclog_take(e->log, tic, 12, 0, &ic, &off, &room), 0);
	cr_assert_eq(ic, &e->log->iclogs[1]);
	cr_assert_eq(off, 0);
	memset(ic->buf + e->log->hsize_bytes, 0, room);
	iclog_put(e->log, ic, tic, 0);
	engine_io(e);
	ticket_release(e->log, tic);
}

/* What a record is padded with is in the log, too. */
Test(iclog_states, padding_is_counted)
{
	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	cr_assert_eq(engine_granted(e) % BB_SIZE, 0);
}

/* --- completion --- */

/* Two records on their way; the device is done with the second first. */
Test(iclog_done, later_ones_wait_for_earlier_ones)
{
	struct log *log = e->log;
	struct list *first;

	engine_change(e, &t, 1);
	engine_push(e, true);
	engine_change(e, &u, 1);
	engine_push(e, true);
	first = list_first(&log->io_queue);
	list_remove(first);
	cr_assert(iclog_io_step(log));
	cr_assert_eq(log->iclogs[1].state, ICLOG_DONE);
	cr_assert_eq(log->cil.done_seq, 0);
	cr_assert_eq(atomic_load(&u.pins), 1);
	cr_assert_eq(log->written_end, log->iclogs[0].lsn);
	list_insert_last(first, &log->io_queue);
	cr_assert(iclog_io_step(log));
	cr_assert_eq(log->cil.done_seq, 2);
	cr_assert_eq(atomic_load(&t.pins), 0);
	cr_assert_eq(atomic_load(&u.pins), 0);
	cr_assert_eq(log->written_end, log_head_lsn(log));
	cr_assert_lt(t.item.lsn, u.item.lsn);
}

/* Behind a record that is not there nothing is recovered. */
Test(iclog_done, nothing_completes_behind_a_failed_record)
{
	struct log *log = e->log;
	struct fault_counts counts;
	struct list *first;

	engine_change(e, &t, 1);
	engine_push(e, true);
	engine_change(e, &u, 1);
	engine_push(e, true);
	first = list_first(&log->io_queue);
	list_remove(first);
	cr_assert(iclog_io_step(log));
	list_insert_last(first, &log->io_queue);
	fault_counts(e->fault, &counts);
	fault_fail(e->fault, FAULT_WRITE, counts.writes + 1);
	cr_assert(iclog_io_step(log));
	cr_assert(log_is_shutdown(log));
	cr_assert_eq(t.aborted, 1);
	cr_assert_eq(u.aborted, 1);
	cr_assert_eq(log->cil.done_seq, 0);
}

/* --- order of writes and flushes --- */

static bool is_log(const struct fault_event *ev)
{
	return ev->op == FAULT_WRITE &&
	       ev->off_bytes < e->config.dev->size_bytes;
}

static bool is_data(const struct fault_event *ev)
{
	return ev->op == FAULT_WRITE && !is_log(ev);
}

static const struct fault_event *events(size_t *count)
{
	return fault_events(e->fault, count);
}

Test(iclog_io, objects_are_flushed_before_the_start, .init = setup)
{
	const struct fault_event *ev;
	size_t n;

	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	fault_record(e->fault, true);
	engine_write_back(e);
	engine_change(e, &u, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	ev = events(&n);
	cr_assert_eq(n, 4);
	cr_assert(is_data(&ev[0]));
	cr_assert_eq(ev[1].op, FAULT_FLUSH);
	cr_assert(is_log(&ev[2]));
	cr_assert_eq(ev[3].op, FAULT_FLUSH);
}

Test(iclog_io, no_flush_for_what_is_durable, .init = setup)
{
	const struct fault_event *ev;
	size_t n;

	fault_record(e->fault, true);
	engine_change(e, &u, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	ev = events(&n);
	cr_assert_eq(n, 2);
	cr_assert(is_log(&ev[0]));
	cr_assert_eq(ev[1].op, FAULT_FLUSH);
}

/* Of several records, all are durable before the last is written. */
Test(iclog_io, records_are_flushed_before_their_commit, .init = setup)
{
	const struct fault_event *ev;
	size_t n;

	fault_record(e->fault, true);
	engine_change(e, &big, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	ev = events(&n);
	cr_assert_geq(n, 5);
	cr_assert_eq(ev[n - 1].op, FAULT_FLUSH);
	cr_assert(is_log(&ev[n - 2]));
	cr_assert_eq(ev[n - 3].op, FAULT_FLUSH);
	for (size_t i = 0; i < n - 3; i++)
		cr_assert(is_log(&ev[i]));
}

/* LOG_DSYNC: and each of them behind the one before it. */
Test(iclog_io, every_record_is_flushed_if_that_is_asked_for, .init = setup)
{
	const struct fault_event *ev;
	size_t n;

	e->log->config.flags |= LOG_DSYNC;
	fault_record(e->fault, true);
	engine_change(e, &big, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	ev = events(&n);
	cr_assert_geq(n, 6);
	for (size_t i = 0; i < n; i++)
		cr_assert(i % 2 ? ev[i].op == FAULT_FLUSH : is_log(&ev[i]));
}

/*
 * A reader looks for a hole in the last 2 MiB, and in front of it for a whole
 * record, which may have 256 KiB.
 */
Test(iclog_io, what_may_have_holes_ends_a_record_before_recovery_stops_looking)
{
	static struct thing many[10], *things[10];
	const struct fault_event *ev;
	uint64_t held = 0, most = 0;
	size_t n;

	open_with((struct engine_options){ .log_bb = 65536,
					   .logbsize_bytes = 256 << 10 });
	for (unsigned int i = 0; i < 10; i++) {
		thing_init(&many[i], 10 + i, 100000);
		many[i].nregions = 4;
		many[i].len[1] = many[i].len[2] = many[i].len[3] = 100000;
		things[i] = &many[i];
	}
	fault_record(e->fault, true);
	cr_assert_eq(engine_commit(e, engine_reserve(e, 4001000), false, 1,
				   things, 10), 0);
	cr_assert_eq(log_force(e->log, true), 0);
	ev = events(&n);
	for (size_t i = 0; i < n; i++) {
		held = ev[i].op == FAULT_FLUSH ? 0 : held + ev[i].len;
		most = held > most ? held : most;
	}
	cr_assert_gt(most, 1 << 20);
	cr_assert_leq(most, (2 << 20) - (256 << 10));
}

static void write_back_now(struct thing *thing)
{
	thing->on_unpin = NULL;
	engine_write_back(e);
}

static xfs_lsn_t tail_in_record(uint64_t off_bytes)
{
	uint8_t head[BB_SIZE];

	cr_assert_eq(dev_read(e->fault, off_bytes, head, sizeof(head)), 0);
	return get_be64(head + 24);
}

/*
 * The tail moves while a checkpoint of many records is being written: those
 * that say so must find durable what was written back for it.
 */
Test(iclog_io, a_tail_that_moved_is_true_on_the_medium)
{
	const struct fault_event *ev;
	bool durable = true, moved = false;
	xfs_lsn_t tail;
	size_t n;

	open_with((struct engine_options){ .logbufs = 2 });
	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	tail = log_tail_lsn(e->log);
	/* complete in the middle of the next: then t is written back */
	u.on_unpin = write_back_now;
	engine_change(e, &u, 1);
	engine_push(e, false);
	fault_record(e->fault, true);
	engine_change(e, &big, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(t.written, 1);
	ev = events(&n);
	for (size_t i = 0; i < n; i++) {
		if (is_data(&ev[i]))
			durable = false;
		if (ev[i].op == FAULT_FLUSH)
			durable = true;
		/* a record that goes on at the start of the log has no head */
		if (!is_log(&ev[i]) || tail_in_record(ev[i].off_bytes) <= tail)
			continue;
		moved = true;
		cr_assert(durable, "event %zu", i);
	}
	cr_assert(moved);
}

/* --- the end of the log --- */

Test(iclog_io, a_record_over_the_end_is_one_record)
{
	uint32_t block;
	struct seen *s;

	open_with((struct engine_options){ .log_bb = 1024 });
	/* three blocks each, which the log is not a multiple of */
	t.len[0] = 900;
	do {
		block = xfs_lsn_block(log_head_lsn(e->log));
		engine_change(e, &t, 1);
		cr_assert_eq(log_force(e->log, true), 0);
		engine_write_back(e);
	} while (xfs_lsn_cycle(log_head_lsn(e->log)) == 1);
	cr_assert_neq(xfs_lsn_block(log_head_lsn(e->log)), 0);
	s = engine_crash(e, FAULT_DROP);
	cr_assert_eq(s->trans[s->ntrans - 1].commit,
		     xfs_lsn_make(1, block));
	cr_assert_eq(xlog_lsn_cycle(s->head), 2);
	free(s);
}
