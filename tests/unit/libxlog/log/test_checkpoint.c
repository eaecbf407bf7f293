/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checkpoints: what is in them and in which order, several under way. */
#include "tests/lib/things.h"

static struct engine *e;
static struct thing t, u, v;

static void setup(void)
{
	e = engine_open(&(struct engine_options){ 0 });
	thing_init(&t, 1, 400);
	thing_init(&u, 2, 400);
	thing_init(&v, 3, 400);
}

static void teardown(void)
{
	engine_close(e);
	log_item_fini(&t.item);
	log_item_fini(&u.item);
	log_item_fini(&v.item);
}

TestSuite(cil_push, .init = setup, .fini = teardown);
TestSuite(cil_push_later, .init = setup, .fini = teardown);
TestSuite(cil_push_order, .init = setup, .fini = teardown);

static struct seen *forced(void)
{
	cr_assert_eq(log_force(e->log, true), 0);
	return engine_read(e);
}

/* --- what is in one --- */

Test(cil_push, of_nothing_makes_none)
{
	engine_push(e, true);
	cr_assert_eq(atomic_load(&e->log->cil.seq), 1);
	cr_assert_eq(engine_granted(e), 0);
}

Test(cil_push, of_what_someone_else_has_pushed_makes_none)
{
	engine_change(e, &t, 1);
	engine_push(e, true);
	cr_assert_eq(cil_push(e->log, 1, true), 0);
	cr_assert_eq(e->log->cil.ncommitting, 1);
}

Test(cil_push, empties_the_cil)
{
	struct cil *cil = &e->log->cil;

	engine_change(e, &t, 1);
	engine_push(e, false);
	cr_assert(atomic_load(&cil->is_empty));
	cr_assert_null(t.item.vec);
	cr_assert_eq(atomic_load(&cil->header_credit),
		     cil_header_credit(e->log));
	cr_assert_eq(cil->ctx->seq, 2);
}

/* Items have the place of their last commit, those of one commit their own. */
Test(cil_push, vectors_are_in_the_order_of_the_last_commits)
{
	struct thing *things[] = { &v, &t };
	struct seen *s;

	engine_change(e, &t, 1);
	engine_change(e, &u, 1);
	cr_assert_eq(engine_commit(e, engine_reserve(e, 4000), false, 1, things,
				   2), 0);
	s = forced();
	cr_assert_eq(s->ntrans, 1);
	cr_assert_eq(s->trans[0].nitems, 3);
	cr_assert_eq(s->trans[0].items[0].id, u.id);
	/* t was there before v */
	cr_assert_eq(s->trans[0].items[1].id, t.id);
	cr_assert_eq(s->trans[0].items[2].id, v.id);
	free(s);
}

Test(cil_push, header_counts_the_regions)
{
	struct seen *s;

	t.nregions = 3;
	t.len[1] = t.len[2] = 128;
	engine_change(e, &t, 1);
	engine_change(e, &u, 1);
	s = forced();
	cr_assert_eq(s->trans[0].num_regions, 4 + 2);
	free(s);
}

Test(cil_push, a_thousand_vectors)
{
	enum { MANY = 60, ROUNDS = 20 };
	static struct thing many[MANY];
	struct seen *s;

	for (unsigned int i = 0; i < MANY; i++)
		thing_init(&many[i], 100 + i, 200);
	/* backwards, so that they have to be sorted each time */
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int i = MANY; i-- > 0; )
			engine_change(e, &many[i], 1);
	s = forced();
	cr_assert_eq(s->ntrans, 1);
	cr_assert_eq(s->trans[0].nitems, MANY);
	for (unsigned int i = 0; i < MANY; i++)
		cr_assert_eq(s->trans[0].items[i].id, 100 + MANY - 1 - i);
	free(s);
}

Test(cil_push, busy_extents_are_over_when_it_is_durable)
{
	struct log_busy extent;
	struct list busy, items;
	uint64_t seq;

	list_init(&items);
	list_init(&busy);
	list_insert_last(&extent.link, &busy);
	cr_assert_eq(log_commit(e->log, &(struct log_commit){
				.ticket = engine_reserve(e, 100),
				.items = &items, .busy = &busy }, &seq), 0);
	cr_assert(list_is_empty(&busy));
	cr_assert_eq(atomic_load(&extent.seq), seq);
	engine_push(e, true);
	cr_assert_eq(e->busy, 0);
	engine_io(e);
	cr_assert_eq(e->busy, 1);
	cr_assert_eq(e->busy_aborted, 0);
}

/* --- the worker --- */

Test(cil_push_later, is_one_step)
{
	cr_assert(!cil_push_step(e->log));
	engine_change(e, &t, 1);
	cil_push_later(e->log, 1, false);
	cr_assert(cil_push_step(e->log));
	cr_assert(!cil_push_step(e->log));
	cr_assert_eq(e->log->cil.ncommitting, 1);
	cr_assert(!iclog_io_step(e->log));
}

Test(cil_push_later, seals_its_last_record_if_that_is_asked_for)
{
	engine_change(e, &t, 1);
	cil_push_later(e->log, 1, true);
	cr_assert(cil_push_step(e->log));
	cr_assert(iclog_io_step(e->log));
	cr_assert_eq(e->log->cil.done_seq, 1);
}

/* A request for the next one, while this one is being pushed, is not lost. */
Test(cil_push_later, is_not_forgotten_over_an_earlier_one)
{
	engine_change(e, &t, 1);
	cil_push_later(e->log, 1, false);
	engine_push(e, false);
	engine_change(e, &t, 2);
	cil_push_later(e->log, 2, false);
	cr_assert(cil_push_step(e->log));
	cr_assert_eq(atomic_load(&e->log->cil.seq), 3);
}

/* --- several --- */

Test(cil_push_order, starts_and_commits_are_in_sequence)
{
	struct seen *s;

	t.len[0] = 20000;
	u.len[0] = 20000;
	engine_change(e, &t, 1);
	engine_push(e, false);
	engine_change(e, &u, 1);
	engine_push(e, false);
	engine_change(e, &v, 1);
	engine_push(e, true);
	cr_assert_gt(e->log->cil.ncommitting, 1);
	engine_io(e);
	cr_assert_eq(e->log->cil.ncommitting, 0);
	s = engine_read(e);
	cr_assert_eq(s->ntrans, 3);
	for (unsigned int i = 0; i < 3; i++) {
		cr_assert_eq(s->trans[i].items[0].id, 1 + i);
		cr_assert(!i || s->trans[i].start >= s->trans[i - 1].start);
		cr_assert(!i || s->trans[i].commit >= s->trans[i - 1].commit);
	}
	free(s);
}

static struct checkpoint *earlier(bool is_started)
{
	struct cil *cil = &e->log->cil;
	struct checkpoint *cp = checkpoint_new(e->log, 0, NULL);

	cr_assert(cp);
	cp->is_started = is_started;
	list_insert_last(&cp->committing_link, &cil->committing);
	return cp;
}

/*
 * One thread that has to wait for what no step brings about gives the log up:
 * this is how it shows that it would.
 */
static void waits_for(struct checkpoint *cp)
{
	struct cil *cil = &e->log->cil;

	engine_change(e, &t, 1);
	cr_assert_eq(cil_push(e->log, atomic_load(&cil->seq), false),
		     -ESHUTDOWN);
	cr_assert(log_is_shutdown(e->log));
	list_remove(&cp->committing_link);
	checkpoint_free(cp);
}

Test(cil_push_order, waits_for_the_start_of_earlier_ones)
{
	waits_for(earlier(false));
}

Test(cil_push_order, waits_for_the_commit_of_earlier_ones)
{
	waits_for(earlier(true));
}

Test(cil_push_order, goes_on_when_earlier_ones_have_theirs)
{
	struct checkpoint *cp = earlier(true);

	cp->commit_lsn = log_head_lsn(e->log);
	engine_change(e, &t, 1);
	engine_push(e, false);
	cr_assert_neq(list_first(&e->log->cil.committing), NULL);
	list_remove(&cp->committing_link);
	checkpoint_free(cp);
}

/* Its first record holds the tail from the moment it has a place. */
Test(cil_push_order, tails_do_not_pass_a_checkpoint_under_way)
{
	struct seen *s;

	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	u.len[0] = 60000;
	engine_change(e, &u, 1);
	s = forced();
	for (unsigned int i = 0; i < s->nrecords; i++)
		cr_assert_leq(s->records[i].tail_lsn, u.item.lsn);
	free(s);
}
