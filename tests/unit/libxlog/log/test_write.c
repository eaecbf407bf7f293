/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Regions divided among records, at every remainder of room that there can be;
 * what the reader makes of them is what was written, byte by byte.
 */
#include "tests/lib/things.h"

enum {
	/* what comes before the bytes of region 1: start, header, region 0 */
	BEFORE = OP_BYTES + OP_BYTES + 16 + OP_BYTES + THING_HEAD_BYTES +
		 OP_BYTES,
	MOST_LEFT = 24,
};

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

TestSuite(log_write_chain, .init = setup, .fini = teardown);
/* Each of these opens as many engines as it needs. */
TestSuite(log_write_divided);
TestSuite(log_write_op, .init = setup, .fini = teardown);

/* One checkpoint of @count things: what is read of it, and of the space. */
static void write_and_read(struct thing *const *things, unsigned int count)
{
	struct ticket *tic = engine_reserve(e, 400000);
	unsigned int regions = 0;
	struct seen *s;

	cr_assert_eq(engine_commit(e, tic, false, 1, things, count), 0);
	cr_assert_eq(log_force(e->log, true), 0);
	engine_write_back(e);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	cr_assert_eq(engine_reserved(e), engine_in_log(e));
	s = engine_crash(e, FAULT_DROP);
	cr_assert_eq(s->ntrans, 1);
	cr_assert_eq(s->trans[0].nitems, count);
	for (unsigned int i = 0; i < count; i++) {
		cr_assert_eq(s->trans[0].items[i].id, things[i]->id);
		regions += s->trans[0].items[i].regions;
	}
	cr_assert_eq(s->trans[0].num_regions, regions);
	free(s);
}

/* So many bytes of the first record are left behind region 1. */
static void leave_in_record(struct thing *thing, uint32_t left)
{
	thing->len[0] = e->log->room_bytes - BEFORE - left;
}

Test(log_write_chain, region_goes_on_in_the_next_record)
{
	struct thing *things[] = { &t };

	t.len[0] = 100000;
	write_and_read(things, 1);
}

Test(log_write_chain, many_regions_of_many_sizes)
{
	struct thing *things[] = { &t, &u };

	t.nregions = u.nregions = 4;
	for (uint32_t i = 0; i < 4; i++) {
		t.len[i] = 4 + 20000 * i;
		u.len[i] = 30004 - 8000 * i;
	}
	write_and_read(things, 2);
}

static void divide_region_at(uint32_t left)
{
	struct thing *things[] = { &t };

	setup();
	t.nregions = 2;
	leave_in_record(&t, left);
	t.len[1] = 1000;
	write_and_read(things, 1);
	teardown();
}

Test(log_write_divided, next_region_at_every_remainder)
{
	for (uint32_t left = 0; left <= MOST_LEFT; left += 4)
		divide_region_at(left);
}

static void divide_vector_at(uint32_t left)
{
	struct thing *things[] = { &t, &u };

	setup();
	leave_in_record(&t, left);
	write_and_read(things, 2);
	teardown();
}

Test(log_write_divided, next_vector_at_every_remainder)
{
	for (uint32_t left = 0; left <= MOST_LEFT; left += 4)
		divide_vector_at(left);
}

static void commit_at(uint32_t left)
{
	struct thing *things[] = { &t };

	setup();
	leave_in_record(&t, left);
	write_and_read(things, 1);
	teardown();
}

Test(log_write_divided, commit_record_at_every_remainder)
{
	for (uint32_t left = 0; left <= MOST_LEFT; left += 4)
		commit_at(left);
}

/* The checkpoint before leaves so much for the start of the next. */
static void start_at(uint32_t left)
{
	struct seen *s;

	setup();
	t.len[0] = e->log->room_bytes - BEFORE - OP_BYTES - left;
	engine_change(e, &t, 1);
	engine_push(e, false);
	engine_change(e, &u, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	engine_write_back(e);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	s = engine_crash(e, FAULT_KEEP);
	cr_assert_eq(s->ntrans, 2);
	cr_assert_eq(s->trans[1].items[0].id, u.id);
	/* no record begins with less than two headers of room */
	cr_assert_eq(s->trans[1].start == s->trans[0].start,
		     left >= 2 * OP_BYTES);
	free(s);
	teardown();
}

Test(log_write_divided, start_at_every_remainder)
{
	for (uint32_t left = 0; left <= 2 * MOST_LEFT; left += 4)
		start_at(left);
}

/* An operation that is one piece is not marked as one of many. */
Test(log_write_chain, operations_are_counted_record_by_record)
{
	struct thing *things[] = { &t };
	struct ticket *tic = engine_reserve(e, 400000);
	struct seen *s;

	t.len[0] = 2 * e->log->room_bytes;
	cr_assert_eq(engine_commit(e, tic, false, 1, things, 1), 0);
	cr_assert_eq(log_force(e->log, true), 0);
	s = engine_read(e);
	/* the first is the record of the empty log */
	cr_assert_geq(s->nrecords, 3);
	cr_assert_eq(s->records[s->nrecords - 3].num_ops, 4);
	cr_assert_eq(s->records[s->nrecords - 2].num_ops, 1);
	cr_assert_eq(s->records[s->nrecords - 1].num_ops, 2);
	free(s);
}

Test(log_write_op, is_never_divided)
{
	uint8_t op[2 * OP_BYTES] = { 0 };
	struct ticket *tic = engine_reserve(e, 40000);
	struct iclog *ic, *next;
	uint32_t off, room;

	cr_assert_eq(iclog_take(e->log, tic, e->log->room_bytes - 28, 0, &ic,
				&off, &room), 0);
	memset(ic->buf + e->log->hsize_bytes, 0, room);
	iclog_put(e->log, ic, tic, 0);
	cr_assert_eq(log_write_op(e->log, tic, op, 24, 0, &next), 0);
	cr_assert_eq(next, ic);
	iclog_put(e->log, next, tic, 1);
	cr_assert_eq(log_write_op(e->log, tic, op, 24, 0, &next), 0);
	cr_assert_neq(next, ic);
	iclog_put(e->log, next, tic, 1);
	engine_io(e);
	ticket_release(e->log, tic);
}

Test(log_write_op, nothing_is_written_to_a_dead_log)
{
	uint8_t op[OP_BYTES] = { 0 };
	struct ticket *tic = engine_reserve(e, 1000);
	struct iclog *ic;

	log_shutdown(e->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cr_assert_eq(log_write_op(e->log, tic, op, sizeof(op), 0, &ic),
		     -ESHUTDOWN);
	ticket_release(e->log, tic);
}
