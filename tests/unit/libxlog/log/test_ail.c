/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The AIL: order, the tail, write-back; the life of an item, once round. */
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

TestSuite(ail_insert, .init = setup, .fini = teardown);
TestSuite(ail_tail, .init = setup, .fini = teardown);
TestSuite(ail_push, .init = setup, .fini = teardown);
TestSuite(relogging, .init = setup, .fini = teardown);
TestSuite(life_of_an_item, .init = setup, .fini = teardown);

static bool in_ail(const struct thing *thing)
{
	return atomic_load(&thing->item.flags) & LOG_ITEM_IN_AIL;
}

/* The @n-th oldest. */
static const struct thing *nth(unsigned int n)
{
	struct list *l = list_first(&e->log->ail.items);

	while (l && n--)
		l = list_next(l, &e->log->ail.items);
	return l ? container_of(l, struct thing, item.ail_link) : NULL;
}

static void change_and_force(struct thing *thing, uint32_t contents)
{
	engine_change(e, thing, contents);
	cr_assert_eq(log_force(e->log, true), 0);
}

/* --- in --- */

Test(ail_insert, where_its_checkpoint_began)
{
	xfs_lsn_t start = log_head_lsn(e->log);

	t.len[0] = 60000;
	change_and_force(&t, 1);
	cr_assert_eq(t.item.lsn, start);
	cr_assert_gt(e->log->ail.head_lsn, start);
}

Test(ail_insert, equal_ones_in_the_order_of_commits)
{
	engine_change(e, &u, 1);
	engine_change(e, &t, 1);
	cr_assert_eq(log_force(e->log, true), 0);
	cr_assert_eq(nth(0), &u);
	cr_assert_eq(nth(1), &t);
}

Test(ail_insert, relogged_ones_move_forward)
{
	xfs_lsn_t before;

	change_and_force(&t, 1);
	change_and_force(&u, 1);
	before = t.item.lsn;
	cr_assert_eq(nth(0), &t);
	change_and_force(&t, 2);
	cr_assert_gt(t.item.lsn, before);
	cr_assert_eq(nth(0), &u);
	cr_assert_eq(nth(1), &t);
	cr_assert_eq(e->log->ail.nitems, 2);
}

static xfs_lsn_t old_lsn(struct log_item *item, xfs_lsn_t lsn)
{
	(void)item;
	(void)lsn;
	return xfs_lsn_make(1, 1);
}

/* An item may ask for an older place; it never goes back there. */
Test(ail_insert, never_back)
{
	static struct log_item_ops ops;
	xfs_lsn_t before;

	change_and_force(&u, 1);
	change_and_force(&t, 1);
	before = t.item.lsn;
	ops = *t.item.ops;
	ops.committed = old_lsn;
	t.item.ops = &ops;
	change_and_force(&t, 2);
	cr_assert_eq(t.item.lsn, before);
	cr_assert_eq(nth(1), &t);
}

Test(ail_insert, not_what_is_over_when_it_is_durable)
{
	struct thing passing;

	passing_init(&passing, 5);
	change_and_force(&passing, 1);
	cr_assert_eq(passing.released, 1);
	cr_assert_eq(e->log->ail.nitems, 0);
	log_item_fini(&passing.item);
}

/* --- the tail --- */

Test(ail_tail, is_the_oldest_item)
{
	change_and_force(&t, 1);
	change_and_force(&u, 1);
	cr_assert_eq(log_tail_lsn(e->log), t.item.lsn);
	log_item_clean(e->log, &t.item);
	cr_assert_eq(log_tail_lsn(e->log), u.item.lsn);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
}

Test(ail_tail, is_the_last_commit_when_all_is_written_back)
{
	t.len[0] = 60000;
	change_and_force(&t, 1);
	engine_write_back(e);
	cr_assert_eq(log_tail_lsn(e->log), e->log->ail.head_lsn);
	cr_assert_lt(log_tail_lsn(e->log), log_head_lsn(e->log));
}

/* Another one that is over, and written back, before it is. */
Test(ail_tail, is_held_by_a_checkpoint_under_way)
{
	struct log *log = e->log;
	xfs_lsn_t start;

	change_and_force(&t, 1);
	start = log_head_lsn(log);
	u.len[0] = 60000;
	engine_change(e, &u, 1);
	engine_push(e, false);
	engine_write_back(e);
	cr_assert_eq(t.written, 1);
	cr_assert_eq(log->ail.nitems, 0);
	cr_assert_eq(log_tail_lsn(log), start);
	cr_assert_eq(log_force(log, true), 0);
	cr_assert_eq(log_tail_lsn(log), start);
	cr_assert_eq(u.item.lsn, start);
}

/*
 * LOG_DIRECT: one has its place in the log, and has not yet said so when a later
 * one does.
 */
Test(ail_tail, does_not_pass_one_that_has_its_place)
{
	struct log *log = e->log;
	struct ticket *tic = engine_reserve(e, 20000);
	struct iclog *ic;
	uint32_t off, room;

	log->config.flags |= LOG_DIRECT;
	change_and_force(&t, 1);
	cr_assert_eq(iclog_take(log, tic, 20000, 0, &ic, &off, &room), 0);
	engine_change(e, &u, 1);
	cr_assert_gt(log_head_lsn(log), ic->lsn);
	engine_write_back(e);
	cr_assert_eq(log->ail.nitems, 0);
	cr_assert_leq(log_tail_lsn(log), ic->lsn);
	memset(ic->buf + log->hsize_bytes, 0, room);
	iclog_put(log, ic, tic, 0);
	ticket_release(log, tic);
	cr_assert_eq(log_force(log, true), 0);
	engine_write_back(e);
}

Test(ail_tail, frees_the_space_behind_it)
{
	uint64_t before;

	change_and_force(&t, 1);
	change_and_force(&u, 1);
	before = engine_granted(e);
	log_item_clean(e->log, &t.item);
	cr_assert_lt(engine_granted(e), before);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	cr_assert_eq(engine_reserved(e), engine_in_log(e));
}

/* --- push --- */

Test(ail_push, nothing_while_there_is_much_room)
{
	change_and_force(&t, 1);
	cr_assert_eq(ail_push_step(e->log), AIL_IDLE);
	cr_assert_eq(t.written, 0);
}

/* When less than a quarter is free, the oldest quarter goes. */
Test(ail_push, the_first_quarter_of_a_full_log)
{
	static struct thing many[64];
	unsigned int n = 0, written = 0;

	do {
		thing_init(&many[n], 10 + n, 40000);
		change_and_force(&many[n], 1);
		n++;
	} while (log_distance(e->log, many[0].item.lsn,
			      many[n - 1].item.lsn) <=
		 e->log->size_bytes / 4 * 3);
	cr_assert_eq(ail_push_step(e->log), AIL_PUSHED);
	for (unsigned int i = 0; i < n; i++)
		written += many[i].written;
	cr_assert_geq(written, n / 4);
	cr_assert_leq(written, n / 3 + 1);
	for (unsigned int i = 0; i < written; i++)
		cr_assert_eq(many[i].written, 1);
	cr_assert_eq(log_tail_lsn(e->log), many[written].item.lsn);
}

Test(ail_push, what_is_locked_stays)
{
	change_and_force(&t, 1);
	pthread_mutex_lock(&t.lock);
	ail_push_all(e->log);
	cr_assert_eq(ail_push_step(e->log), AIL_IDLE);
	pthread_mutex_unlock(&t.lock);
	cr_assert_eq(ail_push_step(e->log), AIL_PUSHED);
	cr_assert(!in_ail(&t));
}

Test(ail_push, what_is_pinned_has_the_log_forced)
{
	change_and_force(&t, 1);
	engine_change(e, &t, 2);
	ail_push_all(e->log);
	cr_assert_eq(ail_push_step(e->log), AIL_FORCED);
	cr_assert_eq(t.written, 0);
	cr_assert(cil_push_step(e->log));
	engine_io(e);
	engine_write_back(e);
	cr_assert_eq(t.written, 1);
	cr_assert(!in_ail(&t));
}

Test(ail_push, a_failed_write_is_tried_again)
{
	change_and_force(&t, 1);
	t.fails = true;
	ail_push_all(e->log);
	cr_assert_eq(ail_push_step(e->log), AIL_PUSHED);
	cr_assert(in_ail(&t));
	t.fails = false;
	cr_assert_eq(ail_push_step(e->log), AIL_PUSHED);
	cr_assert(!in_ail(&t));
	cr_assert(!log_is_shutdown(e->log));
}

/* --- relogging: one object, six transactions --- */

struct step {
	uint32_t	change, contents;	/* A is 1, B is 2, C is 4, ... */
	bool		write_back;		/* afterwards */
};

static const struct step steps[] = {
	{ 1, 1, false },			/* A */
	{ 2, 1 + 2, false },			/* A+B */
	{ 4, 1 + 2 + 4, false },		/* A+B+C */
	{ 8, 1 + 2 + 4 + 8, true },		/* A+B+C+D */
	{ 16, 16, false },			/* E */
	{ 32, 16 + 32, false },			/* E+F */
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

/*
 * Each transaction has all changes that are only in the log, at a higher LSN
 * than the one before; after the write-back the next stands alone.
 */
Test(relogging, has_all_that_is_only_in_the_log)
{
	xfs_lsn_t lsn[STEPS];
	struct seen *s;

	/* the tail stays: all of them can be read in the end */
	change_and_force(&u, 1);
	for (unsigned int i = 0; i < STEPS; i++) {
		change_and_force(&t, steps[i].change);
		lsn[i] = t.item.lsn;
		cr_assert(!i || lsn[i] > lsn[i - 1]);
		if (!steps[i].write_back)
			continue;
		pthread_mutex_lock(&u.lock);
		engine_write_back(e);
		pthread_mutex_unlock(&u.lock);
		cr_assert_eq(t.written, 1);
		cr_assert(!in_ail(&t));
	}
	s = engine_crash(e, FAULT_DROP);
	cr_assert_eq(s->ntrans, 1 + STEPS);
	for (unsigned int i = 0; i < STEPS; i++) {
		cr_assert_eq(s->trans[1 + i].items[0].contents,
			     steps[i].contents);
		cr_assert_eq(s->trans[1 + i].start, lsn[i]);
	}
	free(s);
}

/* In one checkpoint the same six are one copy. */
Test(relogging, in_one_checkpoint_leaves_one_copy)
{
	struct seen *s;

	for (unsigned int i = 0; i < STEPS; i++)
		engine_change(e, &t, steps[i].change);
	cr_assert_eq(log_force(e->log, true), 0);
	s = engine_crash(e, FAULT_DROP);
	cr_assert_eq(s->ntrans, 1);
	cr_assert_eq(s->trans[0].nitems, 1);
	cr_assert_eq(s->trans[0].items[0].contents, 63);
	free(s);
}

/* --- the steps of item.h, 1 to 10, and what is true behind each --- */

struct life {
	const char	*step;
	bool		space, joined, vec, pinned, under_way, ail, locked;
};

static void assert_life(const struct life *want, struct ticket *tic)
{
	bool locked = pthread_mutex_trylock(&t.lock) != 0;

	if (!locked)
		pthread_mutex_unlock(&t.lock);
	cr_assert_eq(tic != NULL, want->space, "%s: space", want->step);
	cr_assert_eq(!list_is_empty(&t.item.trans_link), want->joined,
		     "%s: joined", want->step);
	cr_assert_eq(t.item.vec != NULL, want->vec, "%s: in the CIL",
		     want->step);
	cr_assert_eq(atomic_load(&t.pins) > 0, want->pinned, "%s: pinned",
		     want->step);
	cr_assert_eq(e->log->cil.ncommitting > 0, want->under_way,
		     "%s: under way", want->step);
	cr_assert_eq(in_ail(&t), want->ail, "%s: in the AIL", want->step);
	cr_assert_eq(locked, want->locked, "%s: locked", want->step);
}

Test(life_of_an_item, once_round)
{
	static const struct life life[] = {
		{ "2 space reserved", true, 0, 0, 0, 0, 0, 0 },
		{ "3 object locked", true, 0, 0, 0, 0, 0, true },
		{ "4 item joined", true, true, 0, 0, 0, 0, true },
		{ "5 object changed", true, true, 0, 0, 0, 0, true },
		{ "6 committed", 0, 0, true, true, 0, 0, 0 },
		{ "7 pushed", 0, 0, 0, true, true, 0, 0 },
		{ "8 durable", 0, 0, 0, 0, 0, true, 0 },
		{ "9 being written back", 0, 0, 0, 0, 0, true, true },
		{ "10 out of the AIL", 0, 0, 0, 0, 0, 0, 0 },
	};
	struct ticket *tic = engine_reserve(e, 1000);
	struct list items, *first;
	uint64_t seq;

	list_init(&items);
	assert_life(&life[0], tic);
	pthread_mutex_lock(&t.lock);
	assert_life(&life[1], tic);
	list_insert_last(&t.item.trans_link, &items);
	assert_life(&life[2], tic);
	t.contents = 1;
	atomic_fetch_or(&t.item.flags, LOG_ITEM_DIRTY);
	assert_life(&life[3], tic);
	/* an object that is being changed is not written back */
	ail_push_all(e->log);
	cr_assert_eq(ail_push_step(e->log), AIL_IDLE);
	cr_assert_eq(log_commit(e->log, &(struct log_commit){
				.ticket = tic, .items = &items }, &seq), 0);
	assert_life(&life[4], NULL);
	engine_push(e, true);
	assert_life(&life[5], NULL);
	engine_io(e);
	assert_life(&life[6], NULL);
	/* nor the other way round: it is locked until it has been */
	e->keep = true;
	ail_push_all(e->log);
	cr_assert_eq(ail_push_step(e->log), AIL_PUSHED);
	assert_life(&life[7], NULL);
	first = list_first(&e->kept);
	list_remove(first);
	log_item_clean(e->log, &t.item);
	pthread_mutex_unlock(&t.lock);
	assert_life(&life[8], NULL);
}

/*
 * A second time round, with the item in the AIL all the while: it is never
 * changed and written back at one time, since one who has its lock keeps the
 * other out, and what is changed and not durable is pinned. Only step 10 takes
 * it out of the AIL.
 */
static enum log_push try_to_write_back(void)
{
	struct list queue;
	enum log_push how;

	list_init(&queue);
	xmutex_lock(&e->log->ail.lock);
	how = t.item.ops->push(&t.item, &queue);
	xmutex_unlock(&e->log->ail.lock);
	if (how == LOG_PUSH_QUEUED) {
		list_remove(&t.queue_link);
		pthread_mutex_unlock(&t.lock);
	}
	return how;
}

static void assert_second(const char *step, bool changeable,
			  enum log_push write_back)
{
	bool free = pthread_mutex_trylock(&t.lock) == 0;

	if (free)
		pthread_mutex_unlock(&t.lock);
	cr_assert_eq(free, changeable, "%s: can be changed", step);
	cr_assert_eq(try_to_write_back(), write_back, "%s: write-back", step);
	cr_assert(in_ail(&t), "%s: not in the AIL", step);
}

Test(life_of_an_item, twice_round_in_the_AIL)
{
	struct ticket *tic;
	struct list items;
	xfs_lsn_t before;
	uint64_t seq;

	change_and_force(&t, 1);
	before = t.item.lsn;
	assert_second("8 durable, once", true, LOG_PUSH_QUEUED);
	tic = engine_reserve(e, 1000);
	assert_second("2 space reserved", true, LOG_PUSH_QUEUED);
	pthread_mutex_lock(&t.lock);
	assert_second("3 object locked", false, LOG_PUSH_LOCKED);
	list_init(&items);
	list_insert_last(&t.item.trans_link, &items);
	assert_second("4 item joined", false, LOG_PUSH_LOCKED);
	t.contents |= 2;
	atomic_fetch_or(&t.item.flags, LOG_ITEM_DIRTY);
	assert_second("5 object changed", false, LOG_PUSH_LOCKED);
	cr_assert_eq(log_commit(e->log, &(struct log_commit){
				.ticket = tic, .items = &items }, &seq), 0);
	assert_second("6 committed", true, LOG_PUSH_PINNED);
	engine_push(e, true);
	assert_second("7 pushed", true, LOG_PUSH_PINNED);
	cr_assert_eq(t.item.lsn, before);
	engine_io(e);
	assert_second("8 durable", true, LOG_PUSH_QUEUED);
	cr_assert_gt(t.item.lsn, before);
	e->keep = true;
	ail_push_all(e->log);
	cr_assert_eq(ail_push_step(e->log), AIL_PUSHED);
	assert_second("9 being written back", false, LOG_PUSH_LOCKED);
	list_remove(list_first(&e->kept));
	log_item_clean(e->log, &t.item);
	cr_assert(!in_ail(&t));
	pthread_mutex_unlock(&t.lock);
}
