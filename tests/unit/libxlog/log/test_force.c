/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forces, covering, the end of a log, and its death. */
#include <semaphore.h>

#include "tests/lib/things.h"

static struct engine *e;
static struct thing t, u;

static void setup(void)
{
	e = engine_open(&(struct engine_options){ 0 });
	thing_init(&t, 1, 400);
	thing_init(&u, 2, 400);
}

static void setup_threads(void)
{
	e = engine_open(&(struct engine_options){ .threads = true });
	thing_init(&t, 1, 400);
	thing_init(&u, 2, 400);
}

static void teardown(void)
{
	engine_close(e);
	log_item_fini(&t.item);
	log_item_fini(&u.item);
}

TestSuite(log_force, .init = setup, .fini = teardown);
TestSuite(log_force_seq, .init = setup, .fini = teardown);
TestSuite(log_needs_cover, .init = setup, .fini = teardown);
TestSuite(log_unmount, .init = setup, .fini = teardown);
TestSuite(log_shutdown, .init = setup, .fini = teardown);
TestSuite(log_shutdown_threads, .init = setup_threads, .fini = teardown,
	  .timeout = 60);
TestSuite(log_close, .init = setup);

static unsigned int left_after_a_crash(void)
{
	struct seen *s = engine_crash(e, FAULT_DROP);
	unsigned int ntrans = s->ntrans;

	free(s);
	return ntrans;
}

Test(log_force, of_nothing_writes_nothing)
{
	struct fault_counts before, after;

	fault_counts(e->fault, &before);
	cr_assert_eq(log_force(e->log, true), 0);
	fault_counts(e->fault, &after);
	cr_assert_eq(after.writes, before.writes);
}

Test(log_force, makes_durable_what_was_committed)
{
	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(left_after_a_crash(), 1);
}

Test(log_force, what_was_not_forced_is_lost)
{
	engine_change(e, &t, 1);
	cr_assert_eq(left_after_a_crash(), 0);
}

Test(log_force, one_checkpoint_for_many_commits)
{
	for (unsigned int i = 0; i < 10; i++)
		engine_change(e, i % 2 ? &t : &u, 1u << i);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(left_after_a_crash(), 1);
}

/* Pushed in the background: its last record waits for more. */
Test(log_force, without_waiting_seals_the_last_record)
{
	engine_change(e, &t, 1);
	engine_push(e, false);
	cr_assert(!iclog_io_step(e->log));
	cr_assert_eq(log_force(e->log, false), 0);
	cr_assert(iclog_io_step(e->log));
	cr_assert_eq(e->log->cil.done_seq, 1);
}

/* The same while the worker has it, but has not got to its end. */
Test(log_force, without_waiting_is_remembered_by_a_push_under_way)
{
	struct cil *cil = &e->log->cil;

	engine_change(e, &t, 1);
	cil_push_later(e->log, 1, true);
	cr_assert(cil_push_step(e->log));
	engine_change(e, &t, 1);
	/* asked for when the push of it had begun */
	cil->push_seq = 2;
	engine_push(e, false);
	cil->push_stable = true;
	cil_push_step(e->log);
	engine_io(e);
	cr_assert_eq(cil->done_seq, 2);
}

/* Two on their way, and nothing fills the record that has their ends. */
Test(log_force, does_not_wait_for_what_nobody_writes)
{
	engine_change(e, &t, 1);
	engine_push(e, false);
	engine_change(e, &t, 2);
	engine_push(e, false);
	engine_change(e, &t, 4);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(left_after_a_crash(), 3);
}

Test(log_force_seq, leaves_later_checkpoints_alone)
{
	uint64_t seq = engine_change(e, &t, 1);

	engine_push(e, false);
	engine_change(e, &u, 1);
	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	cr_assert_eq(e->log->cil.done_seq, seq);
	cr_assert(!atomic_load(&e->log->cil.is_empty));
	cr_assert_eq(left_after_a_crash(), 1);
}

Test(log_force_seq, of_what_is_over_writes_nothing)
{
	uint64_t seq = engine_change(e, &t, 1);
	struct fault_counts before, after;

	cr_assert_eq(log_force(e->log, true), 0);
	fault_counts(e->fault, &before);
	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	fault_counts(e->fault, &after);
	cr_assert_eq(after.writes, before.writes);
	cr_assert_eq(after.flushes, before.flushes);
}

/* --- covering --- */

Test(log_needs_cover, not_while_something_is_to_be_written_back)
{
	engine_change(e, &t, 1);
	cr_assert(!log_needs_cover(e->log));
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert(!log_needs_cover(e->log));
}

/* Two checkpoints of one item in five operations, like the superblock's. */
Test(log_needs_cover, twice_and_then_recovery_reads_nothing_else)
{
	struct thing many[3], *things[3];
	struct ticket *tic = engine_reserve(e, 10000);
	struct seen *s;

	for (unsigned int i = 0; i < 3; i++) {
		thing_init(&many[i], 10 + i, 100);
		things[i] = &many[i];
	}
	cr_assert_eq(engine_commit(e, tic, false, 1, things, 3), 0);
	cr_assert_eq(log_quiesce(e->log), 0);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert(log_needs_cover(e->log));
		cr_assert(!log_needs_cover(e->log));
		engine_change(e, &t, 1u << i);
		cr_assert_eq(log_quiesce(e->log), 0);
	}
	cr_assert(!log_needs_cover(e->log));
	s = engine_crash(e, FAULT_DROP);
	for (unsigned int i = 0; i < s->ntrans; i++)
		for (unsigned int j = 0; j < s->trans[i].nitems; j++)
			cr_assert_eq(s->trans[i].items[j].id, t.id);
	free(s);
	for (unsigned int i = 0; i < 3; i++)
		log_item_fini(&many[i].item);
}

/* --- the end --- */

Test(log_unmount, leaves_a_clean_log)
{
	struct seen *s;

	engine_change(e, &t, 1);
	cr_assert_eq(log_quiesce(e->log), 0);
	cr_assert_eq(log_unmount(e->log), 0);
	cr_assert_eq(engine_reserved(e), engine_in_log(e));
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	s = engine_crash(e, FAULT_DROP);
	cr_assert(s->clean);
	free(s);
}

Test(log_unmount, is_the_record_of_the_encoder)
{
	uint8_t have[4096], want[4096];
	struct xlog_place place;
	struct log *log = e->log;
	uint32_t bb;

	engine_change(e, &t, 1);
	cr_assert_eq(log_quiesce(log), 0);
	place = (struct xlog_place){
		.lsn = log_head_lsn(log), .tail_lsn = log_tail_lsn(log),
		.prev_block = log->prev_block,
	};
	bb = xlog_unmount_encode(&log->form, &place,
				 atomic_load(&log->next_tid), want);
	cr_assert_eq(log_unmount(log), 0);
	cr_assert_eq(dev_read(e->dev, (uint64_t)xfs_lsn_block(place.lsn) *
			      BB_SIZE, have, bb * BB_SIZE), 0);
	cr_assert_eq(memcmp(have, want, bb * BB_SIZE), 0);
}

Test(log_close, hands_back_busy_extents_that_were_not_pushed)
{
	struct log_busy extents[2];
	struct list busy, items;
	struct ticket *tic;
	uint64_t seq;

	list_init(&items);
	list_init(&busy);
	for (unsigned int i = 0; i < 2; i++)
		list_insert_last(&extents[i].link, &busy);
	tic = engine_reserve(e, 1000);
	cr_assert_eq(log_commit(e->log, &(struct log_commit){
				.ticket = tic, .items = &items, .busy = &busy,
			}, &seq), 0);
	log_close(e->log);
	e->log = NULL;
	cr_assert_eq(e->busy, 2);
	cr_assert_eq(e->busy_aborted, 2);
	engine_close(e);
}

/* --- death --- */

static void assert_dead(void)
{
	struct ticket *tic;

	cr_assert(log_is_shutdown(e->log));
	cr_assert_eq(ticket_reserve(e->log, 1000, 1, false, &tic), -ESHUTDOWN);
}

/* A ticket from before, a commit after. */
Test(log_shutdown, no_later_commit_succeeds)
{
	struct ticket *tic = engine_reserve(e, 1000);
	struct thing *things[] = { &t };

	log_shutdown(e->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cr_assert_eq(engine_commit(e, tic, false, 1, things, 1), -ESHUTDOWN);
	cr_assert_eq(t.released, 1);
	cr_assert_eq(t.pinned, 0);
	cr_assert_eq(engine_reserved(e), 0);
	cr_assert_eq(engine_granted(e), 0);
}

Test(log_shutdown, that_flushes_keeps_what_was_committed)
{
	engine_change(e, &t, 1);
	log_shutdown(e->log, LOG_SHUTDOWN_FLUSH, NULL);
	cr_assert_eq(left_after_a_crash(), 1);
}

Test(log_shutdown, after_a_failed_log_write)
{
	struct fault_counts counts;

	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	engine_change(e, &u, 1);
	fault_counts(e->fault, &counts);
	fault_fail(e->fault, FAULT_WRITE, counts.writes + 1);
	cr_assert_eq(log_force(e->log, true), -ESHUTDOWN);
	cr_assert_eq(u.aborted, 1);
	cr_assert_eq(atomic_load(&u.pins), 0);
	assert_dead();
	cr_assert_eq(left_after_a_crash(), 1);
}

Test(log_shutdown, after_a_failed_flush)
{
	struct fault_counts counts;

	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	engine_change(e, &u, 1);
	fault_counts(e->fault, &counts);
	fault_fail(e->fault, FAULT_FLUSH, counts.flushes + 1);
	cr_assert_eq(log_force(e->log, true), -ESHUTDOWN);
	cr_assert_eq(u.aborted, 1);
	assert_dead();
	cr_assert_eq(left_after_a_crash(), 1);
}

Test(log_shutdown, when_metadata_could_not_be_written_three_times)
{
	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	t.fails = true;
	ail_push_all(e->log);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert(ail_push_step(e->log));
		cr_assert(!log_is_shutdown(e->log));
	}
	ail_push_step(e->log);
	assert_dead();
	cr_assert_eq(left_after_a_crash(), 1);
}

/* The tail does not move any more: what is in the AIL would be lost. */
Test(log_shutdown, keeps_the_tail_where_it_is)
{
	xfs_lsn_t tail;

	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	tail = log_tail_lsn(e->log);
	log_shutdown(e->log, LOG_SHUTDOWN_ERROR, NULL);
	log_item_clean(e->log, &t.item);
	cr_assert_eq(log_tail_lsn(e->log), tail);
}

Test(log_shutdown, aborts_what_was_on_its_way)
{
	engine_change(e, &t, 1);
	engine_push(e, false);
	log_shutdown(e->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cr_assert_eq(t.unpinned, 1);
	cr_assert_eq(t.aborted, 1);
	cr_assert_eq(e->log->cil.ncommitting, 0);
}

/* Collected, and in no checkpoint yet: who waits for its pins waits no longer. */
Test(log_shutdown, lets_go_of_what_was_not_pushed)
{
	engine_change(e, &t, 1);
	engine_change(e, &u, 1);
	log_shutdown(e->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cr_assert(log_step(e->log));
	cr_assert_eq(atomic_load(&t.pins) + atomic_load(&u.pins), 0);
	cr_assert_eq(t.aborted, 1);
	cr_assert_eq(u.aborted, 1);
	cr_assert(!log_step(e->log));
	cr_assert_eq(log_force(e->log, true), -ESHUTDOWN);
}

static sem_t let_go;

static void post(struct thing *thing)
{
	(void)thing;
	sem_post(&let_go);
}

Test(log_shutdown_threads, let_go_of_what_was_not_pushed)
{
	sem_init(&let_go, 0, 0);
	t.on_unpin = post;
	engine_change(e, &t, 1);
	log_shutdown(e->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	sem_wait(&let_go);
	cr_assert_eq(t.aborted, 1);
}

/* It was begun when the log was alive, and was let go of with the others. */
Test(log_shutdown, nothing_gets_into_the_cil_behind_it)
{
	struct ticket *tic = engine_reserve(e, 1000);
	struct thing *things[] = { &t };

	log_shutdown(e->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cr_assert(log_step(e->log));
	cr_assert_eq(engine_commit(e, tic, false, 1, things, 1), -ESHUTDOWN);
	cr_assert_eq(t.pinned, 0);
	cr_assert_null(t.item.vec);
}

Test(log_shutdown, the_first_reason_is_reported)
{
	log_shutdown(e->log, LOG_SHUTDOWN_ERROR, "first");
	log_shutdown(e->log, LOG_SHUTDOWN_ERROR, "second");
	assert_said(&e->said, "first: the log is shut down");
}
