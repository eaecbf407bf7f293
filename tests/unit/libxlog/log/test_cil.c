/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commits: vectors, their accounting, intents that are done, the limits. */
#include "tests/lib/things.h"

static struct engine *e;
static struct thing t, u, done;

static void setup(void)
{
	e = engine_open(&(struct engine_options){ 0 });
	thing_init(&t, 1, 400);
	thing_init(&u, 2, 400);
}

static void setup_direct(void)
{
	e = engine_open(&(struct engine_options){ .flags = LOG_DIRECT });
	thing_init(&t, 1, 400);
	thing_init(&u, 2, 400);
}

static void teardown(void)
{
	engine_close(e);
	log_item_fini(&t.item);
	log_item_fini(&u.item);
}

TestSuite(log_commit, .init = setup, .fini = teardown);
TestSuite(log_commit_direct, .init = setup_direct, .fini = teardown);
TestSuite(log_commit_intent, .init = setup, .fini = teardown);
TestSuite(log_commit_limit, .init = setup, .fini = teardown);

/* What one region of @bytes behind region 0 takes of the log. */
static uint64_t logged(uint32_t bytes)
{
	return OP_BYTES + THING_HEAD_BYTES + OP_BYTES + bytes;
}

/* --- vectors --- */

Test(log_commit, takes_for_the_item_and_for_headers)
{
	engine_change(e, &t, 1);
	cr_assert_eq(t.item.vec->used_bytes, logged(400));
	cr_assert_eq(t.item.vec->nregions, 2);
	/* and what the checkpoint has of its own */
	cr_assert_gt(engine_granted(e), logged(400));
	cr_assert_eq(engine_granted(e), engine_reserved(e));
}

Test(log_commit, again_is_formatted_in_place)
{
	const struct log_vec *vec;
	uint64_t before, headers;

	engine_change(e, &t, 1);
	before = engine_granted(e);
	vec = t.item.vec;
	engine_change(e, &t, 2);
	cr_assert_eq(t.item.vec, vec);
	/* nothing but what the checkpoint takes for one more record */
	headers = engine_granted(e) - before;
	cr_assert_eq(headers % (e->log->hsize_bytes + OP_BYTES), 0);
}

/* The difference is all that is accounted, in both directions. */
Test(log_commit, growing_and_shrinking_accounts_the_difference)
{
	uint64_t small, large, again, header;

	engine_change(e, &t, 1);
	engine_change(e, &t, 1);
	small = engine_granted(e);
	engine_change(e, &t, 1);
	header = engine_granted(e) - small;
	small = engine_granted(e);
	t.len[0] = 4000;
	engine_change(e, &t, 2);
	large = engine_granted(e);
	cr_assert_eq(large - small - header, 3600);
	cr_assert_eq(t.item.vec->used_bytes, logged(4000));
	t.len[0] = 400;
	engine_change(e, &t, 4);
	again = engine_granted(e);
	cr_assert_eq(large + header - again, 3600);
	cr_assert_eq(t.item.vec->used_bytes, logged(400));
}

Test(log_commit, all_space_is_there_at_the_end)
{
	for (unsigned int i = 0; i < 8; i++) {
		t.len[0] = i % 2 ? 4000 : 40;
		engine_change(e, &t, 1u << i);
		engine_change(e, &u, 1u << i);
	}
	cr_assert_eq(log_quiesce(e->log), 0);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	cr_assert_eq(engine_reserved(e), engine_in_log(e));
}

Test(log_commit, pins_once_in_a_checkpoint)
{
	engine_change(e, &t, 1);
	engine_change(e, &t, 2);
	cr_assert_eq(t.pinned, 1);
	cr_assert_eq(atomic_load(&t.pins), 1);
}

Test(log_commit, pins_once_more_for_each_checkpoint_under_way)
{
	engine_change(e, &t, 1);
	engine_push(e, false);
	engine_change(e, &t, 2);
	engine_push(e, false);
	engine_change(e, &t, 4);
	cr_assert_eq(atomic_load(&t.pins), 3);
	cr_assert_eq(e->log->cil.ncommitting, 2);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(atomic_load(&t.pins), 0);
	cr_assert_eq(t.unpinned, 3);
	cr_assert_eq(t.aborted, 0);
}

Test(log_commit, ordered_items_are_not_in_the_log)
{
	struct thing *things[] = { &t, &u };
	struct seen *s;

	u.ordered = true;
	cr_assert_eq(engine_commit(e, engine_reserve(e, 4000), false, 1, things,
				   2), 0);
	cr_assert_eq(atomic_load(&u.pins), 1);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(u.item.lsn, t.item.lsn);
	s = engine_read(e);
	cr_assert_eq(s->ntrans, 1);
	cr_assert_eq(s->trans[0].nitems, 1);
	cr_assert_eq(s->trans[0].items[0].id, t.id);
	free(s);
}

/* --- too much --- */

static void overrun(unsigned int flags)
{
	struct thing *things[] = { &t, &u };

	cr_assert_eq(e->config.flags & LOG_DIRECT, flags);
	t.len[0] = 60000;
	cr_assert_eq(engine_commit(e, engine_reserve(e, 100), false, 1, things,
				   2), -ESHUTDOWN);
	cr_assert(log_is_shutdown(e->log));
	cr_assert(strstr(e->said.text, "reserved"), "%s", e->said.text);
	cr_assert(strstr(e->said.text, "thing: 2 regions, 60040 bytes"),
		  "%s", e->said.text);
	cr_assert(strstr(e->said.text, "thing: 2 regions, 440 bytes"),
		  "%s", e->said.text);
}

Test(log_commit, overrun_says_what_each_item_took)
{
	overrun(0);
}

Test(log_commit_direct, overrun_says_what_each_item_took)
{
	overrun(LOG_DIRECT);
}

/* And nothing of it is in the log. */
Test(log_commit_direct, overrun_is_found_before_it_is_written)
{
	struct thing *things[] = { &t };
	struct seen *s;

	t.len[0] = 60000;
	cr_assert_eq(engine_commit(e, engine_reserve(e, 100), false, 1, things,
				   1), -ESHUTDOWN);
	cr_assert_eq(t.aborted, 1);
	s = engine_crash(e, FAULT_KEEP);
	cr_assert_eq(s->ntrans, 0);
	free(s);
}

Test(log_commit_direct, is_a_checkpoint_of_its_own)
{
	struct seen *s;

	engine_change(e, &t, 1);
	engine_change(e, &u, 1);
	engine_change(e, &t, 2);
	cr_assert_eq(atomic_load(&t.pins), 2);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(atomic_load(&t.pins), 0);
	engine_write_back(e);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	s = engine_crash(e, FAULT_DROP);
	cr_assert_eq(s->ntrans, 3);
	cr_assert_eq(s->trans[2].items[0].contents, 3);
	free(s);
}

/* --- nothing to commit --- */

static void assert_nothing_is_written(void)
{
	struct fault_counts before, after;
	struct list items;
	uint64_t seq = 7;

	fault_counts(e->fault, &before);
	/* it has joined, and was not changed */
	list_init(&items);
	pthread_mutex_lock(&t.lock);
	list_insert_last(&t.item.trans_link, &items);
	cr_assert_eq(log_commit(e->log, &(struct log_commit){
				.ticket = engine_reserve(e, 1000),
				.items = &items }, &seq), 0);
	cr_assert_eq(seq, 0);
	cr_assert(list_is_empty(&items));
	cr_assert_eq(t.released, 1);
	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	cr_assert_eq(log_force(e->log, true), 0);
	fault_counts(e->fault, &after);
	cr_assert_eq(after.writes, before.writes);
	cr_assert_eq(engine_granted(e), 0);
	cr_assert_eq(engine_reserved(e), 0);
}

Test(log_commit, of_nothing_makes_no_checkpoint)
{
	assert_nothing_is_written();
	cr_assert(atomic_load(&e->log->cil.is_empty));
}

Test(log_commit_direct, of_nothing_makes_no_checkpoint)
{
	assert_nothing_is_written();
}

/* --- intents --- */

/* An intent of 4000 bytes, and what is done with it in a later transaction. */
static void intent_then_done(bool pushed_between)
{
	struct thing *one[] = { &t }, *two[] = { &done, &u };

	intent_init(&t, 1, 4000);
	done_init(&done, 3, &t);
	cr_assert_eq(engine_commit(e, engine_reserve(e, 9000), false, 1, one,
				   1), 0);
	if (pushed_between)
		engine_push(e, false);
	cr_assert_eq(engine_commit(e, engine_reserve(e, 9000), false, 1, two,
				   2), 0);
}

Test(log_commit_intent, done_in_its_checkpoint_is_not_logged)
{
	struct seen *s;

	intent_then_done(false);
	cr_assert_eq(done.released, 1);
	cr_assert_eq(done.pinned, 0);
	cr_assert_eq(log_force(e->log, true), 0);
	/* nobody will hear of it */
	cr_assert_eq(t.aborted, 1);
	cr_assert_eq(atomic_load(&t.pins), 0);
	s = engine_read(e);
	cr_assert_eq(s->ntrans, 1);
	cr_assert_eq(s->trans[0].nitems, 1);
	cr_assert_eq(s->trans[0].items[0].id, u.id);
	free(s);
	engine_write_back(e);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	cr_assert_eq(engine_reserved(e), engine_in_log(e));
}

Test(log_commit_intent, its_bytes_are_given_back)
{
	uint64_t with;

	intent_init(&t, 1, 4000);
	engine_change(e, &t, 1);
	with = engine_granted(e);
	done_init(&done, 3, &t);
	engine_change(e, &done, 1);
	cr_assert_leq(engine_granted(e), with - logged(4000) +
		      e->log->hsize_bytes + OP_BYTES);
}

Test(log_commit_intent, of_an_earlier_checkpoint_is_logged_with_its_done)
{
	struct seen *s;

	intent_then_done(true);
	cr_assert_eq(done.released, 0);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(t.aborted, 0);
	s = engine_read(e);
	cr_assert_eq(s->ntrans, 2);
	cr_assert_eq(s->trans[0].items[0].id, t.id);
	cr_assert_eq(s->trans[1].nitems, 2);
	cr_assert_eq(s->trans[1].items[0].id, done.id);
	free(s);
	log_item_clean(e->log, &t.item);
	log_item_clean(e->log, &done.item);
	log_item_fini(&done.item);
}

/* --- limits --- */

/* In the shard of this thread a sixteenth of the limit may hide. */
static void fill_cil(struct thing *many, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		thing_init(&many[i], 10 + i, 30000);
		engine_change(e, &many[i], 1);
	}
}

Test(log_commit_limit, asks_for_a_push_when_it_is_reached)
{
	struct cil *cil = &e->log->cil;
	static struct thing many[64];
	unsigned int n = (unsigned int)(e->log->cil_limit / 30000);

	fill_cil(many, n);
	cr_assert(!cil_push_step(e->log));
	cr_assert_eq(cil->push_seq, 0);
	fill_cil(many + n, 2);
	cr_assert_eq(cil->push_seq, 1);
	cr_assert(cil_push_step(e->log));
	cr_assert_eq(atomic_load(&cil->seq), 2);
	cr_assert_eq(atomic_load(&cil->used_bytes), 0);
}

/* Without threads, who has to wait pushes. */
Test(log_commit_limit, waits_for_the_push_above_twice_that)
{
	struct cil *cil = &e->log->cil;
	static struct thing many[64];
	unsigned int n = (unsigned int)(e->log->cil_hard_limit / 30000);

	fill_cil(many, n - 1);
	cr_assert_eq(atomic_load(&cil->seq), 1);
	fill_cil(many + n - 1, 3);
	cr_assert_eq(atomic_load(&cil->seq), 2);
	cr_assert_eq(cil->throttled, 0);
}
