/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is counted of commits, checkpoints, records and sleeps. */
#include "tests/lib/things.h"

static struct engine *e;
static struct thing t;
static uint64_t sum[LOG_STATS];

static void setup(void)
{
	e = engine_open(&(struct engine_options){ 0 });
	thing_init(&t, 1, 400);
}

static void teardown(void)
{
	engine_close(e);
	log_item_fini(&t.item);
}

TestSuite(log_stats, .init = setup, .fini = teardown);
TestSuite(log_step, .init = setup, .fini = teardown);

/* What one region of 400 bytes behind region 0 takes of the log. */
enum { LOGGED = 2 * OP_BYTES + THING_HEAD_BYTES + 400 };

Test(log_stats, count_what_is_formatted_and_what_of_it_is_replaced)
{
	engine_change(e, &t, 1);
	engine_change(e, &t, 1);
	engine_change(e, &t, 1);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_COMMITS], 3);
	cr_assert_eq(sum[LOG_STAT_TICKETS], 3);
	cr_assert_eq(sum[LOG_STAT_FORMATTED_BYTES], 3 * LOGGED);
	cr_assert_eq(sum[LOG_STAT_RELOGGED_BYTES], 2 * LOGGED);
	cr_assert_eq(sum[LOG_STAT_CHECKPOINTS], 0);
}

/* In the next checkpoint nothing is there to be replaced. */
Test(log_stats, count_checkpoints_and_what_is_in_them)
{
	engine_change(e, &t, 1);
	engine_push(e, true);
	engine_change(e, &t, 1);
	engine_push(e, true);
	engine_io(e);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_RELOGGED_BYTES], 0);
	cr_assert_eq(sum[LOG_STAT_CHECKPOINTS], 2);
	cr_assert_eq(sum[LOG_STAT_VECTORS], 2);
	cr_assert_eq(sum[LOG_STAT_RECORDS], 2);
	cr_assert_eq(sum[LOG_STAT_WRITTEN_BYTES] / BB_SIZE,
		     xfs_lsn_block(log_head_lsn(e->log)) -
		     xfs_lsn_block(e->config.head));
}

Test(log_stats, know_the_largest_checkpoint)
{
	struct thing *things[3];
	static struct thing many[3];

	engine_change(e, &t, 1);
	engine_push(e, true);
	for (unsigned int i = 0; i < 3; i++) {
		thing_init(&many[i], 2 + i, i == 2 ? 0 : 400);
		things[i] = &many[i];
	}
	cr_assert_eq(engine_commit(e, engine_reserve(e, 4000), false, 1,
				   things, 3), 0);
	engine_push(e, true);
	engine_change(e, &t, 1);
	engine_push(e, true);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_CHECKPOINTS], 3);
	cr_assert_eq(sum[LOG_STAT_VECTORS], 5);
	/* one has no region but the first */
	cr_assert_eq(sum[LOG_STAT_REGIONS], 2 * 5 - 1);
	cr_assert_eq(sum[LOG_STAT_CHECKPOINT_BYTES],
		     sum[LOG_STAT_FORMATTED_BYTES]);
	cr_assert_eq(sum[LOG_STAT_MOST_VECTORS], 3);
	cr_assert_eq(sum[LOG_STAT_MOST_BYTES],
		     2 * LOGGED + THING_HEAD_BYTES + OP_BYTES);
	cr_assert_eq(log_force(e->log, true), 0);
	engine_write_back(e);
	for (unsigned int i = 0; i < 3; i++)
		log_item_fini(&many[i].item);
}

static uint64_t timed(enum log_time which)
{
	const struct hist *h = log_stat_times(e->log, which);
	uint64_t all = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		all += atomic_load(&h->bucket[i]);
	return all;
}

Test(log_stats, time_forces_checkpoints_and_records)
{
	uint64_t seq = engine_change(e, &t, 1);

	cr_assert_eq(log_force_seq(e->log, seq, false), 0);
	cr_assert_eq(timed(LOG_TIME_FORCE), 0);
	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	cr_assert_eq(timed(LOG_TIME_FORCE), 1);
	cr_assert_eq(timed(LOG_TIME_CHECKPOINT), 1);
	cr_assert_eq(timed(LOG_TIME_RECORD), 1);
	/* one that never was durable did not take any time */
	engine_change(e, &t, 1);
	engine_push(e, true);
	log_shutdown(e->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	engine_io(e);
	cr_assert_eq(timed(LOG_TIME_CHECKPOINT), 1);
	cr_assert_eq(timed(LOG_TIME_RECORD), 1);
}

Test(log_stats, count_forces_and_what_the_ail_pushes)
{
	uint64_t seq = engine_change(e, &t, 1);

	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_FORCES], 1);
	cr_assert_eq(sum[LOG_STAT_PUSHED], 0);
	cr_assert_gt(sum[LOG_STAT_SLEEPS + LOG_CAUSE_FORCE], 0);
	cr_assert_eq(sum[LOG_STAT_SLEEPS + LOG_CAUSE_GRANT], 0);
	engine_write_back(e);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_PUSHED], 1);
	cr_assert_gt(sum[LOG_STAT_PUSHES], 0);
}

/* Pinned again: what the checkpoint that is collected has of it comes first. */
Test(log_stats, count_what_cannot_be_pushed)
{
	uint64_t seq = engine_change(e, &t, 1);

	cr_assert_eq(log_force_seq(e->log, seq, true), 0);
	engine_change(e, &t, 1);
	ail_push_all(e->log);
	(void)ail_push_step(e->log);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_PUSHED], 0);
	cr_assert_eq(sum[LOG_STAT_PUSH_PINNED], 1);
	cr_assert_eq(sum[LOG_STAT_PUSH_FLUSHES], 1);
}

Test(log_step, does_the_work_of_the_threads_until_there_is_none)
{
	uint64_t seq = engine_change(e, &t, 1);

	cr_assert_not(log_step(e->log));
	cr_assert_eq(log_force_seq(e->log, seq, false), 0);
	cr_assert(log_step(e->log));
	ail_push_all(e->log);
	while (log_step(e->log))
		ail_push_all(e->log);
	cr_assert_eq(t.written, 1);
}
