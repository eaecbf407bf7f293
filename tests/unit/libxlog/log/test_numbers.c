/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The numbers that the design of delayed logging goes by: what headers take of
 * a log in large buffers, how large a checkpoint gets, how many transactions
 * there are at one time.
 */
#include "libxfsfmt/logspace.h"
#include "tests/lib/things.h"

enum {
	LOG_MIB = 128,
	LOG_BB = LOG_MIB << 11,
	RECORD_BYTES = 32 << 10,
	SMALL_BYTES = 100,	/* of a small thing */
	VEC_BYTES = 2 * OP_BYTES + THING_HEAD_BYTES + SMALL_BYTES,
};

static struct engine *e;
static uint64_t sum[LOG_STATS];

static void setup(void)
{
	e = engine_open(&(struct engine_options){
		.log_bb = LOG_BB, .logbsize_bytes = RECORD_BYTES, .logbufs = 8,
	});
}

static void setup_threads(void)
{
	e = engine_open(&(struct engine_options){
		.log_bb = LOG_BB, .logbsize_bytes = RECORD_BYTES, .logbufs = 8,
		.threads = true,
	});
}

static void teardown(void)
{
	engine_close(e);
}

TestSuite(numbers, .init = setup, .fini = teardown);
TestSuite(numbers_threads, .init = setup_threads, .fini = teardown);

/* @count small things, each changed in a transaction of its own, and forced. */
static struct thing *one_checkpoint(unsigned int count)
{
	struct thing *things = calloc(count, sizeof(*things));

	cr_assert(things);
	for (unsigned int i = 0; i < count; i++) {
		thing_init(&things[i], i, SMALL_BYTES);
		engine_change(e, &things[i], 1);
	}
	cr_assert_eq(log_force(e->log, true), 0);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_CHECKPOINTS], 1);
	cr_assert_eq(sum[LOG_STAT_MOST_BYTES], (uint64_t)count * VEC_BYTES);
	return things;
}

static void free_things(struct thing *things, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		log_item_fini(&things[i].item);
	free(things);
}

/* "at least 16KB of log space per 1MB of log space (512 bytes per 32k)" */
Test(numbers, headers_of_records_are_16_KiB_in_a_MiB)
{
	const unsigned int count = 60000;
	struct thing *things = one_checkpoint(count);
	uint64_t headers = sum[LOG_STAT_RECORDS] * BB_SIZE;
	uint64_t per_mib = headers * (1 << 20) / sum[LOG_STAT_WRITTEN_BYTES];

	cr_assert_gt(sum[LOG_STAT_WRITTEN_BYTES], 8 << 20);
	/* all are full but the last */
	cr_assert_eq(sum[LOG_STAT_RECORDS],
		     (sum[LOG_STAT_WRITTEN_BYTES] + RECORD_BYTES - 1) /
		     RECORD_BYTES);
	cr_assert(per_mib >= 16 << 10 && per_mib < (16 << 10) + 100,
		  "%llu bytes", (unsigned long long)per_mib);
	engine_close(e);
	free_things(things, count);
	setup();
}

static uint32_t unit_of(uint32_t bytes)
{
	uint32_t records;

	return xlog_unit_bytes(bytes, e->log->form.size_bytes,
			       e->log->form.roundoff_bytes, &records);
}

/*
 * "For a 8MB checkpoint, we need a reservation of around 150KB": headers of
 * records and of what is divided among them, start, header and commit. The
 * commits have paid for all of it: for the largest checkpoint that there can
 * be, since they did not know how large it would become.
 */
Test(numbers, metadata_of_a_checkpoint_of_8_MiB_is_about_150_KiB)
{
	const unsigned int count = (8 << 20) / VEC_BYTES;
	uint64_t bytes = (uint64_t)count * VEC_BYTES, metadata, paid;
	struct thing *things = calloc(count, sizeof(*things));

	cr_assert(things);
	for (unsigned int i = 0; i < count; i++) {
		thing_init(&things[i], i, SMALL_BYTES);
		engine_change(e, &things[i], 1);
	}
	/* nobody holds anything but the checkpoint */
	paid = engine_granted(e) - bytes;
	cr_assert_eq(log_force(e->log, true), 0);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_CHECKPOINTS], 1);
	cr_assert_eq(sum[LOG_STAT_CHECKPOINT_BYTES], bytes);
	metadata = sum[LOG_STAT_WRITTEN_BYTES] - bytes;
	cr_assert(metadata > 130 << 10 && metadata < 160 << 10, "%llu bytes",
		  (unsigned long long)metadata);
	cr_assert_geq(paid, metadata);
	cr_assert_leq(paid, unit_of(0) + (uint64_t)cil_header_credit(e->log) *
			    (BB_SIZE + OP_BYTES));
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	engine_close(e);
	free_things(things, count);
	setup();
}

/* "upwards of 80,000 log vectors in one checkpoint transaction" */
Test(numbers, a_checkpoint_of_80_000_vectors)
{
	const unsigned int count = 80000;
	struct thing *things = one_checkpoint(count);
	struct seen *s;

	cr_assert_eq(sum[LOG_STAT_MOST_VECTORS], count);
	cr_assert_eq(sum[LOG_STAT_REGIONS], 2 * count);
	s = engine_crash(e, FAULT_DROP);
	cr_assert_eq(s->ntrans, 1);
	cr_assert_eq(s->trans[0].nitems, count);
	cr_assert_eq(s->trans[0].num_regions, 2 * count);
	for (unsigned int i = 0; i < SEEN_MAX; i++)
		cr_assert_eq(s->trans[0].items[i].id, i);
	free(s);
	free_things(things, count);
}

/* --- at one time --- */

/* What tr_rename takes on a filesystem as mkfs.xfs makes it: the most of all. */
enum { LARGEST_BYTES = 308696, LARGEST_COUNT = 2 };

/*
 * "several hundred concurrent transactions for a 128MB log": of the largest,
 * all at once, without anybody waiting; and all can commit, and go on.
 */
Test(numbers, several_hundred_transactions_at_one_time)
{
	enum { MOST = 1000 };
	static struct ticket *tic[MOST];
	static struct thing things[MOST];
	unsigned int count = 0;
	uint64_t need = LARGEST_COUNT * unit_of(LARGEST_BYTES);

	while (engine_granted(e) + need <= e->log->size_bytes) {
		cr_assert_lt(count, MOST);
		cr_assert_eq(ticket_reserve(e->log, LARGEST_BYTES,
					    LARGEST_COUNT, true, &tic[count]),
			     0);
		count++;
		cr_assert_eq(engine_granted(e), count * need);
	}
	cr_assert(count > 200, "%u", count);
	for (unsigned int i = 0; i < count; i++) {
		struct thing *t = &things[i];

		thing_init(t, i, 60000);
		cr_assert_eq(engine_commit(e, tic[i], true, 1, &t, 1), 0);
		cr_assert_eq(ticket_regrant(e->log, tic[i]), 0);
	}
	for (unsigned int i = 0; i < count; i++) {
		struct thing *t = &things[i];

		cr_assert_eq(engine_commit(e, tic[i], false, 2, &t, 1), 0);
	}
	cr_assert_eq(log_force(e->log, true), 0);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_SLEEPS + LOG_CAUSE_GRANT], 0);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	cr_assert_eq(engine_reserved(e), engine_in_log(e));
	engine_write_back(e);
	for (unsigned int i = 0; i < count; i++)
		log_item_fini(&things[i].item);
}

enum { THREADS = 2048, COMMITS = 20 };

static void *commit_some(void *arg)
{
	struct thing *t = arg;

	for (unsigned int i = 0; i < COMMITS; i++)
		engine_change(e, t, 1);
	return NULL;
}

/*
 * "does not break down even when there are transactions coming from 2048
 * processors at once"
 */
Test(numbers_threads, two_thousand_commit_at_one_time)
{
	static pthread_t threads[THREADS];
	static struct thing things[THREADS];
	pthread_attr_t attr;

	cr_assert_eq(pthread_attr_init(&attr), 0);
	cr_assert_eq(pthread_attr_setstacksize(&attr, 128 << 10), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		thing_init(&things[i], i, SMALL_BYTES);
		cr_assert_eq(pthread_create(&threads[i], &attr, commit_some,
					    &things[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	pthread_attr_destroy(&attr);
	cr_assert_eq(log_quiesce(e->log), 0);
	log_stats_read(e->log, sum);
	cr_assert_eq(sum[LOG_STAT_COMMITS], THREADS * COMMITS);
	cr_assert_eq(engine_granted(e), engine_in_log(e));
	cr_assert_eq(engine_reserved(e), engine_in_log(e));
	for (unsigned int i = 0; i < THREADS; i++) {
		cr_assert_gt(things[i].written, 0);
		cr_assert_eq(atomic_load(&things[i].pins), 0);
		log_item_fini(&things[i].item);
	}
}
