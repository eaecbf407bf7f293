/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents that recovery finds in the log, and what is done with them.
 */
#include "tests/lib/cells.h"

static struct cells *c;
static struct list pending, captures;

static void setup(void)
{
	c = cells_open(&(struct cells_options){ 0 });
	list_init(&pending);
	list_init(&captures);
}

static void teardown(void)
{
	cells_close(c);
}

TestSuite(defer_recovered, .init = setup, .fini = teardown);

/*
 * Two intents, a and b, of one transaction, after a crash before the first of
 * them was begun.
 */
static void leave_two(const struct gift *a, const struct gift *b)
{
	struct trans *t = cells_begin(c);

	cell_add(t, &c->cell[0], -(int64_t)(a->units + b->units));
	gift_defer(t, &gift_type, a);
	gift_defer(t, &gift_efi_type, b);
	c->fs.hooks.stop_at = 1;
	cr_assert_eq(trans_commit(t, NULL), -ESHUTDOWN);
	c->fs.hooks = (struct defer_hooks){ 0 };
	cells_crash(c, FAULT_DROP, 1, &pending);
	c->steps[0] = '\0';
}

static const struct gift once_a = { .tag = 'a', .to = 1, .units = 5 };
static const struct gift once_b = { .tag = 'b', .to = 2, .units = 7 };

static struct defer_recovered *next_pending(void)
{
	struct list *first = list_first(&pending);

	cr_assert(first);
	list_remove(first);
	return container_of(first, struct defer_recovered, link);
}

static void free_pending(void)
{
	while (!list_is_empty(&pending))
		defer_recovered_free(next_pending());
}

/* --- order --- */

Test(defer_recovered, is_finished)
{
	leave_two(&once_a, &once_b);
	cr_assert_eq(cells_recover(c, &pending), 0);
	cr_assert_str_eq(c->steps, "a.b");
	cr_assert_eq(c->cell[1].units, 5);
	cr_assert_eq(c->cell[2].units, 7);
	cr_assert_eq(log_quiesce(c->fs.log), 0);
	cr_assert_eq(c->fs.log->ail.nitems, 0);
}

Test(defer_recovered, has_its_first_step_before_what_is_new)
{
	leave_two(&(struct gift){ 'a', 1, 5, 0, 1 },
		  &(struct gift){ 'b', 4, 7, 0, 1 });
	cr_assert_eq(cells_recover(c, &pending), 0);
	cr_assert_str_eq(c->steps, "a.ba.b.");
	cr_assert_eq(c->cell[2].units, 5);
	cr_assert_eq(c->cell[5].units, 7);
}

Test(defer_recovered, has_its_first_step_before_what_is_left)
{
	leave_two(&(struct gift){ 'a', 1, 5, 2, 0 }, &once_b);
	cr_assert_eq(cells_recover(c, &pending), 0);
	cr_assert_str_eq(c->steps, "a~ba~a.");
	cr_assert_eq(c->cell[1].units, 5);
}

Test(defer_recovered, is_gone_on_with_before_what_it_deferred)
{
	leave_two(&(struct gift){ 'a', 1, 4, 2, 1 }, &once_b);
	cr_assert_eq(cells_recover(c, &pending), 0);
	/* rest of a; then its own first half, which it deferred */
	cr_assert_str_eq(c->steps, "a~ba.a.a.");
}

/* What is left is in the log with what is done, in one transaction. */
Test(defer_recovered, logs_done_and_new_together)
{
	struct trans *t;

	leave_two(&(struct gift){ 'a', 1, 4, 2, 1 }, &once_b);
	/* the tail stays here, so that all of it can be read */
	t = cells_begin(c);
	cell_add(t, &c->cell[9], 0);
	cr_assert_eq(trans_commit(t, NULL), 0);
	c->fs.hooks.flags = DEFER_FORCE;
	cr_assert_eq(cells_recover(c, &pending), 0);
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_str_eq(cells_log(c),
			 "c9 | D1 I2 I3 | D4 c2 | D2 I5 | D5 c2 | D3 c2");
}

/* --- the log --- */

Test(defer_recovered, keeps_the_tail_until_it_is_done)
{
	xfs_lsn_t lsn;

	leave_two(&once_a, &once_b);
	lsn = container_of(list_first(&pending), struct defer_recovered,
			   link)->lsn;
	cr_assert_eq(log_tail_lsn(c->fs.log), lsn);
	/* whatever else goes on meanwhile */
	for (unsigned int i = 0; i < 10; i++) {
		struct trans *t = cells_begin(c);

		cell_add(t, &c->cell[9], 0);
		cr_assert_eq(trans_commit_sync(t), 0);
		cells_write_back(c);
	}
	cr_assert_eq(log_tail_lsn(c->fs.log), lsn);
	cr_assert_eq(cells_recover(c, &pending), 0);
	cr_assert_eq(log_quiesce(c->fs.log), 0);
	cr_assert_gt(log_tail_lsn(c->fs.log), lsn);
}

Test(defer_recovered, is_there_again_if_it_is_left)
{
	leave_two(&once_a, &once_b);
	free_pending();
	cells_crash(c, FAULT_DROP, 2, &pending);
	cr_assert_eq(cells_recover(c, &pending), 0);
	cr_assert_str_eq(c->steps, "a.b");
}

Test(defer_recovered, does_not_lend_its_id_to_new_ones)
{
	uint64_t id;

	leave_two(&(struct gift){ 'a', 1, 5, 2, 0 }, &once_b);
	id = container_of(pending.prev, struct defer_recovered, link)->id;
	cr_assert_eq(atomic_load(&c->fs.intents), id & 0xffffffffffff);
	cr_assert_eq(cells_recover(c, &pending), 0);
	cr_assert_gt(atomic_load(&c->fs.intents), id & 0xffffffffffff);
}

/* Linux puts no more than so many into one, but takes any number. */
Test(defer_recovered, may_have_more_works_than_a_new_one)
{
	struct defer_recovered *r;
	struct list works;

	list_init(&works);
	for (uint32_t i = 0; i < 5; i++)
		list_insert_last(&gift_new(c, &(struct gift){
				(char)('a' + i), i, 1, 0, 0 })->link, &works);
	cr_assert_eq(defer_recovered(&c->fs, &gift_type, 77, &works,
				     log_head_lsn(c->fs.log), &r), 0);
	cr_assert(list_is_empty(&works));
	list_insert_last(&r->link, &pending);
	cr_assert_eq(cells_recover(c, &pending), 0);
	cr_assert_str_eq(c->steps, "abcde.");
}

/* Space of one transaction: more may be what the intents keep. */
Test(defer_recovered, reserves_one_transaction)
{
	uint64_t before = atomic_load(&c->fs.log->reserve.used_bytes);
	uint64_t one, two;
	struct trans *t = cells_begin(c);

	two = atomic_load(&c->fs.log->reserve.used_bytes) - before;
	trans_cancel(t);
	c->fs.recovering = true;
	t = cells_begin(c);
	one = atomic_load(&c->fs.log->reserve.used_bytes) - before;
	trans_cancel(t);
	c->fs.recovering = false;
	cr_assert_eq(2 * one, two);
}

/* --- what is held --- */

/* Cell 0 is held by whoever begins: as an inode by what is done to it. */
static int begin_held(void)
{
	struct trans *t = cells_begin(c);
	int rc;

	cell_add(t, &c->cell[0], 0);
	cell_hold(&c->cell[0]);
	rc = defer_finish_recovered(t, next_pending(), &captures);
	cell_unlock(&c->cell[0]);
	return rc;
}

Test(defer_recovered, goes_on_with_what_was_held)
{
	leave_two(&(struct gift){ 'a', 1, 5, 2, 0 },
		  &(struct gift){ 'b', 4, 7, 0, 2 });
	cr_assert_eq(begin_held(), 0);
	cr_assert_eq(c->cell[0].refs, 1);
	/* not locked: the same cell may be another one's, too */
	cr_assert_eq(begin_held(), 0);
	cr_assert_eq(c->cell[0].refs, 2);
	cr_assert_eq(defer_captures_finish(&c->fs, &captures), 0);
	cr_assert_str_eq(c->steps, "a~ba~a.b.b.");
	cr_assert_eq(c->cell[0].refs, 0);
	cr_assert_not(c->cell[0].locked);
	cr_assert_gt(c->cell[0].relogged, 0);
}

Test(defer_recovered, that_is_done_at_once_keeps_nothing)
{
	leave_two(&once_a, &once_b);
	cr_assert_eq(begin_held(), 0);
	cr_assert(list_is_empty(&captures));
	cr_assert_eq(c->cell[0].refs, 0);
	free_pending();
}

Test(defer_recovered, that_was_captured_can_be_given_up)
{
	leave_two(&(struct gift){ 'a', 1, 5, 2, 0 }, &once_b);
	cr_assert_eq(begin_held(), 0);
	log_shutdown(c->fs.log, LOG_SHUTDOWN_NOFLUSH, NULL);
	defer_captures_free(&captures);
	cr_assert_eq(c->cell[0].refs, 0);
	cr_assert_not(c->cell[0].locked);
	free_pending();
}

/* --- failure --- */

Test(defer_recovered, whose_first_step_fails_ends_the_log)
{
	leave_two(&once_a, &once_b);
	c->fails = "a";
	cr_assert_eq(begin_held(), -EIO);
	cr_assert(log_is_shutdown(c->fs.log));
	cr_assert(list_is_empty(&captures));
	free_pending();
}

Test(defer_recovered, whose_later_step_fails_ends_the_log)
{
	leave_two(&(struct gift){ 'a', 1, 5, 2, 0 },
		  &(struct gift){ 'b', 4, 7, 0, 2 });
	cr_assert_eq(begin_held(), 0);
	cr_assert_eq(begin_held(), 0);
	c->fails = "a";
	cr_assert_eq(defer_captures_finish(&c->fs, &captures), -EIO);
	cr_assert(log_is_shutdown(c->fs.log));
	cr_assert(list_is_empty(&captures));
	cr_assert_eq(c->cell[0].refs, 0);
	cr_assert_not(c->cell[0].locked);
}

Test(defer_recovered, of_a_log_that_is_dead_lets_go_of_all)
{
	leave_two(&(struct gift){ 'a', 1, 5, 2, 0 }, &once_b);
	cr_assert_eq(begin_held(), 0);
	log_shutdown(c->fs.log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cr_assert_eq(defer_captures_finish(&c->fs, &captures), -ESHUTDOWN);
	cr_assert(list_is_empty(&captures));
	cr_assert_eq(c->cell[0].refs, 0);
	cr_assert_not(c->cell[0].locked);
	free_pending();
}
