/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What no power failure shows, since other precautions cover it: with it left
 * out, the engine's own sums or records are wrong.
 */
#include "tests/lib/things.h"

static struct engine *e;
static struct thing t, u;

static void setup(void)
{
	e = engine_open(&(struct engine_options){ 0 });
	thing_init(&t, 1, 400);
	thing_init(&u, 2, 400);
}

static void teardown(void)
{
	engine_close(e);
	log_item_fini(&t.item);
	log_item_fini(&u.item);
}

TestSuite(log_break, .init = setup, .fini = teardown);

/*
 * What the write head has when a checkpoint of many records has been written
 * into a log whose other space is all taken.
 */
static uint64_t granted_of_a_full_log(unsigned int breaks)
{
	struct thing *things[] = { &t };
	struct ticket *tic = engine_reserve(e, 100100);

	e->log->breaks = breaks;
	t.len[0] = 100000;
	cr_assert_eq(engine_commit(e, tic, false, 1, things, 1), 0);
	grant_take(e->log, e->log->size_bytes - engine_granted(e));
	engine_push(e, true);
	return engine_granted(e);
}

Test(log_break, headers_that_were_paid_for_fit)
{
	cr_assert_leq(granted_of_a_full_log(0), e->log->size_bytes);
}

Test(log_break, headers_that_nobody_paid_for_do_not)
{
	cr_assert_gt(granted_of_a_full_log(LOG_BREAK_HEADER_STEAL),
		     e->log->size_bytes);
}

/*
 * The commit record is in an iclog that others go on to fill. Meanwhile the
 * tail moves. The record names what it was when it was decided that it would
 * be made durable.
 */
static bool tail_moves_in_a_record(unsigned int breaks)
{
	struct log *log = e->log;
	struct iclog *ic;
	xfs_lsn_t tail;

	log->breaks = breaks;
	engine_change(e, &t, 1);
	cr_assert_eq(log_force(log, true), 0);
	engine_change(e, &u, 1);
	engine_push(e, false);
	ic = &log->iclogs[log->active];
	cr_assert_eq(ic->state, ICLOG_ACTIVE);
	tail = ic->tail_lsn;
	cr_assert_eq(tail, t.item.lsn);
	engine_write_back(e);
	cr_assert_gt(log_tail_lsn(log), tail);
	iclog_kick(log, ic->lsn);
	return ic->tail_lsn != tail;
}

Test(log_break, the_tail_of_a_record_is_taken_once)
{
	cr_assert(!tail_moves_in_a_record(0));
}

Test(log_break, the_tail_of_a_record_moves)
{
	cr_assert(tail_moves_in_a_record(LOG_BREAK_TAIL_AT_SEAL));
}
