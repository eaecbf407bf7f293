/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tickets, and who gets which space when. */
#include <sched.h>
#include <signal.h>

#include "libxfsfmt/logspace.h"
#include "tests/lib/things.h"

static struct engine *e;

static void setup(void)
{
	e = engine_open(&(struct engine_options){ 0 });
}

static void setup_threads(void)
{
	e = engine_open(&(struct engine_options){ .threads = true });
}

static void teardown(void)
{
	engine_close(e);
}

TestSuite(ticket_reserve, .init = setup, .fini = teardown);
TestSuite(ticket_roll, .init = setup, .fini = teardown);
TestSuite(ticket_wait, .init = setup_threads, .fini = teardown);

static uint32_t unit_of(uint32_t bytes)
{
	uint32_t records;

	return xlog_unit_bytes(bytes, e->log->form.size_bytes,
			       e->log->form.roundoff_bytes, &records);
}

static struct ticket *permanent(uint32_t bytes, unsigned int count)
{
	struct ticket *tic;

	cr_assert_eq(ticket_reserve(e->log, bytes, count, true, &tic), 0);
	return tic;
}

/* All but less than @bytes of the log. */
static struct ticket *fill_but(uint32_t bytes)
{
	uint32_t want = (uint32_t)(e->log->size_bytes - engine_granted(e)) -
			bytes;
	uint32_t logres = want;

	while (unit_of(logres) > want)
		logres -= 512;
	return engine_reserve(e, logres);
}

static void no_items(struct ticket *tic, bool roll)
{
	cr_assert_eq(engine_commit(e, tic, roll, 0, NULL, 0), 0);
}

Test(ticket_reserve, takes_all_units_of_both_heads)
{
	struct ticket *tic = permanent(1000, 3);

	cr_assert_eq(engine_reserved(e), 3 * unit_of(1000));
	cr_assert_eq(engine_granted(e), 3 * unit_of(1000));
	ticket_release(e->log, tic);
	cr_assert_eq(engine_reserved(e), 0);
	cr_assert_eq(engine_granted(e), 0);
}

Test(ticket_reserve, one_shot_has_one_unit_whatever_the_count)
{
	struct ticket *tic;

	cr_assert_eq(ticket_reserve(e->log, 1000, 3, false, &tic), 0);
	cr_assert_eq(engine_granted(e), unit_of(1000));
	ticket_release(e->log, tic);
	cr_assert_eq(engine_granted(e), 0);
}

Test(ticket_reserve, refuses_what_can_never_be)
{
	struct ticket *tic;
	uint32_t logres = (uint32_t)e->log->size_bytes;

	while (unit_of(logres) > e->log->size_bytes)
		logres -= 512;
	/* the last checkpoint stays in the log */
	cr_assert_eq(ticket_reserve(e->log, logres, 1, false, &tic), -ENOSPC);
	assert_said(&e->said, "log.small");
	cr_assert_eq(engine_reserved(e), 0);
}

/* What is in the CIL is nowhere near its limit: nobody else would push it. */
Test(ticket_reserve, has_the_cil_pushed_for_its_space)
{
	uint32_t logres = (uint32_t)e->log->size_bytes / 100 * 90;
	static struct thing t;

	thing_init(&t, 1, 0);
	t.nregions = 4;
	for (unsigned int i = 0; i < 4; i++)
		t.len[i] = 60000;
	cr_assert_lt(unit_of(4 * 60000), e->log->cil_limit);
	engine_change(e, &t, 1);
	ticket_release(e->log, engine_reserve(e, logres));
	cr_assert_eq(t.written, 1);
	log_item_fini(&t.item);
}

/* All is pinned, and the record that would unpin it is not full. */
Test(ticket_reserve, has_the_last_record_written_for_its_space)
{
	uint32_t logres = (uint32_t)e->log->size_bytes / 100 * 85;
	static struct thing t;

	thing_init(&t, 1, 60000);
	t.nregions = 4;
	t.len[1] = t.len[2] = t.len[3] = 60000;
	engine_change(e, &t, 1);
	engine_push(e, true);
	engine_io(e);
	/* pinned again */
	engine_change(e, &t, 1);
	engine_push(e, false);
	engine_io(e);
	cr_assert_eq(atomic_load(&t.pins), 1);
	ticket_release(e->log, engine_reserve(e, logres));
	cr_assert_eq(atomic_load(&t.pins), 0);
}

/* Each transaction of a chain by itself: what it took, headers included. */
Test(ticket_reserve, the_most_that_was_taken_of_a_unit_is_known)
{
	struct ticket *tic = permanent(10000, 3), *other = permanent(10000, 3);
	static struct thing t[2], *things[] = { &t[0], &t[1] };
	_Atomic uint32_t peak = 0;
	uint32_t first;

	thing_init(&t[0], 1, 4000);
	thing_init(&t[1], 2, 4000);
	ticket_watch(tic, &peak);
	ticket_watch(other, &peak);
	cr_assert_eq(engine_commit(e, tic, true, 1, &things[0], 1), 0);
	/* it was the first one in this checkpoint, and paid for that */
	first = THING_HEAD_BYTES + 4000 + 2 * OP_BYTES +
		e->log->cil.ctx->ticket->unit_bytes;
	cr_assert_geq(atomic_load(&peak), first);
	cr_assert_leq(atomic_load(&peak), unit_of(10000));
	first = atomic_load(&peak);
	/* formatted in its place: nothing but headers */
	cr_assert_eq(ticket_regrant(e->log, tic), 0);
	cr_assert_eq(engine_commit(e, tic, false, 1, &things[0], 1), 0);
	cr_assert_eq(atomic_load(&peak), first);
	t[1].len[0] = 6000;
	cr_assert_eq(engine_commit(e, other, false, 1, &things[1], 1), 0);
	cr_assert_gt(atomic_load(&peak), first);
	cr_assert_leq(atomic_load(&peak), unit_of(10000));
	cr_assert_eq(log_force(e->log, true), 0);
	log_close(e->log);
	e->log = NULL;
	log_item_fini(&t[0].item);
	log_item_fini(&t[1].item);
}

/* --- rolling --- */

/* Without threads nobody else could make room: that is the end, not a hang. */
Test(ticket_reserve, that_nothing_can_make_room_for_shuts_the_log_down)
{
	struct ticket *half = fill_but((uint32_t)e->log->size_bytes / 2);
	struct ticket *rest = fill_but(0), *tic;

	cr_expect_eq(ticket_reserve(e->log, 20000, 1, false, &tic), -ESHUTDOWN);
	cr_expect(log_is_shutdown(e->log));
	cr_expect(strstr(e->said.text, "room"), "%s", e->said.text);
	ticket_release(e->log, half);
	ticket_release(e->log, rest);
}

Test(ticket_roll, takes_the_next_unit_from_those_it_has)
{
	struct ticket *tic = permanent(1000, 2);
	uint32_t tid = ticket_tid(tic);
	uint64_t left = 2 * unit_of(1000);

	no_items(tic, true);
	/* the rest of the first unit is back; the CIL took its header */
	cr_assert_lt(engine_granted(e), left);
	cr_assert_geq(engine_granted(e), unit_of(1000));
	cr_assert_eq(engine_granted(e), engine_reserved(e));
	cr_assert_neq(ticket_tid(tic), tid);
	cr_assert_eq(ticket_regrant(e->log, tic), 0);
	cr_assert_eq(tic->left_bytes, unit_of(1000));
	ticket_release(e->log, tic);
}

Test(ticket_roll, gives_all_back_when_the_chain_ends_early)
{
	struct ticket *tic = permanent(1000, 2);
	uint64_t rolled;

	no_items(tic, true);
	rolled = engine_granted(e);
	ticket_release(e->log, tic);
	cr_assert_eq(engine_granted(e), rolled - unit_of(1000));
	cr_assert_eq(engine_reserved(e), rolled - unit_of(1000));
}

Test(ticket_roll, gives_back_the_unit_it_could_not_be_granted)
{
	struct ticket *tic = permanent(1000, 1);
	uint64_t rolled;

	no_items(tic, true);
	rolled = engine_granted(e);
	cr_assert_eq(engine_reserved(e), rolled + unit_of(1000));
	ticket_release(e->log, tic);
	cr_assert_eq(engine_granted(e), rolled);
	cr_assert_eq(engine_reserved(e), rolled);
}

Test(ticket_roll, overcommits_the_reserve_head_and_never_the_write_head)
{
	struct ticket *chain = permanent(100000, 1), *rest = fill_but(0);
	static struct thing t, *things[] = { &t };

	thing_init(&t, 1, 60000);
	cr_assert_eq(engine_commit(e, chain, true, 1, things, 1), 0);
	cr_assert_gt(engine_reserved(e), e->log->size_bytes);
	cr_assert_leq(engine_granted(e), e->log->size_bytes);
	/* so it has to wait until there is as much */
	ticket_release(e->log, rest);
	cr_assert_eq(ticket_regrant(e->log, chain), 0);
	cr_assert_eq(engine_reserved(e), engine_granted(e));
	cr_assert_leq(engine_granted(e), e->log->size_bytes);
	ticket_release(e->log, chain);
}

/* All is taken when it is forced; who committed does not have it any more. */
Test(ticket_roll, padding_of_a_forced_record_is_all_there_can_be_too_much)
{
	static struct thing t;
	struct ticket *half, *rest;

	thing_init(&t, 1, 1000);
	engine_change(e, &t, 1);
	engine_push(e, false);
	half = fill_but((uint32_t)e->log->size_bytes / 2);
	rest = fill_but(0);
	cr_assert_gt(engine_granted(e) + BB_SIZE, e->log->size_bytes);
	cr_assert(iclog_kick(e->log, XFS_NULL_LSN));
	cr_assert_lt(engine_granted(e), e->log->size_bytes + BB_SIZE);
	engine_io(e);
	ticket_release(e->log, half);
	ticket_release(e->log, rest);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	cr_assert_eq(engine_reserved(e), engine_in_log(e));
	engine_write_back(e);
	log_item_fini(&t.item);
}

Test(ticket_roll, one_shot_is_refused, .signal = SIGABRT)
{
	no_items(engine_reserve(e, 1000), true);
}

/* --- waiting: threads, and no clock --- */

struct waiter_thread {
	pthread_t	thread;
	uint32_t	bytes;
	int		rc;
	struct ticket	*tic;
};

static void *wait_for_space(void *arg)
{
	struct waiter_thread *w = arg;

	w->rc = ticket_reserve(e->log, w->bytes, 1, false, &w->tic);
	return NULL;
}

static void wait_until_queued(unsigned int count)
{
	while (atomic_load(&e->log->reserve.nwaiters) != count)
		sched_yield();
}

static void start_waiter(struct waiter_thread *w, uint32_t bytes,
			 unsigned int count)
{
	w->bytes = bytes;
	cr_assert_eq(pthread_create(&w->thread, NULL, wait_for_space, w), 0);
	wait_until_queued(count);
}

Test(ticket_wait, nobody_overtakes)
{
	uint32_t half = (uint32_t)e->log->size_bytes / 2;
	struct ticket *all = engine_reserve(e, half);
	struct waiter_thread large, small;

	start_waiter(&large, half, 1);
	/* there would be room for this one */
	cr_assert_lt(engine_granted(e) + unit_of(1000), e->log->size_bytes);
	start_waiter(&small, 1000, 2);
	ticket_release(e->log, all);
	pthread_join(large.thread, NULL);
	pthread_join(small.thread, NULL);
	cr_assert_eq(large.rc, 0);
	cr_assert_eq(small.rc, 0);
	ticket_release(e->log, large.tic);
	ticket_release(e->log, small.tic);
	cr_assert_eq(engine_reserved(e), 0);
}

Test(ticket_wait, first_come_first_served)
{
	uint32_t most = (uint32_t)e->log->size_bytes / 4 * 3;
	struct ticket *all = engine_reserve(e, most);
	struct waiter_thread w[3];

	for (unsigned int i = 0; i < 3; i++)
		start_waiter(&w[i], most, i + 1);
	ticket_release(e->log, all);
	for (unsigned int i = 0; i < 3; i++) {
		pthread_join(w[i].thread, NULL);
		cr_assert_eq(w[i].rc, 0);
		cr_assert_eq(atomic_load(&e->log->reserve.nwaiters), 2 - i);
		ticket_release(e->log, w[i].tic);
	}
	cr_assert_eq(engine_reserved(e), 0);
}

Test(ticket_wait, shutdown_wakes_all_with_an_error)
{
	uint32_t most = (uint32_t)e->log->size_bytes / 4 * 3;
	struct ticket *all = engine_reserve(e, most);
	struct waiter_thread w[3];

	for (unsigned int i = 0; i < 3; i++)
		start_waiter(&w[i], most, i + 1);
	log_shutdown(e->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		pthread_join(w[i].thread, NULL);
		cr_assert_eq(w[i].rc, -ESHUTDOWN);
	}
	ticket_release(e->log, all);
	cr_assert_eq(engine_reserved(e), 0);
	cr_assert_eq(engine_granted(e), 0);
}
