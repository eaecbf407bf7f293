/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Synchronous commits of many threads share writes of the log: while the disk is
 * busy with one checkpoint, those that come meanwhile collect in the next. The
 * log's device here is busy until all threads have committed, in every round;
 * so the outcome depends on no clock. Both ways the same is committed and every
 * commit is durable: 64 threads at one time need at most a quarter of the writes
 * of 64 commits one after another.
 */
#include <stdio.h>
#include <stdlib.h>

#include "libxlog/dev/dev_priv.h"
#include "tests/lib/store.h"

enum {
	THREADS = 64,
	ROUNDS = 20,
};

#define CHECK(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__,	\
				__LINE__, #what);			\
			exit(1);					\
		}							\
	} while (0)

/* --- a device that is busy --- */

struct gate {
	struct dev	dev;
	struct dev	*below;		/* borrowed */
	struct xmutex	lock;
	struct xcond	opened;		/* committed >= awaited */
	unsigned long	committed, awaited;	/* (lock) transactions */
};

static struct gate gate;

static int gate_read(struct dev *dev, uint64_t off_bytes, void *buf,
		     size_t len)
{
	(void)dev;
	return dev_read(gate.below, off_bytes, buf, len);
}

static int gate_write(struct dev *dev, uint64_t off_bytes, const void *buf,
		      size_t len)
{
	(void)dev;
	xmutex_lock(&gate.lock);
	while (gate.committed < gate.awaited)
		xcond_wait(&gate.opened, &gate.lock);
	xmutex_unlock(&gate.lock);
	return dev_write(gate.below, off_bytes, buf, len);
}

static int gate_flush(struct dev *dev)
{
	(void)dev;
	return dev_flush(gate.below);
}

static const struct dev_ops gate_ops = {
	.kind = "gate", .read = gate_read, .write = gate_write,
	.flush = gate_flush,
};

static void gate_put(struct store *s)
{
	CHECK(!xmutex_init(&gate.lock));
	CHECK(!xcond_init(&gate.opened));
	gate.below = s->log->config.dev;
	dev_init(&gate.dev, &gate_ops, &gate.below->sink, gate.below->name);
	gate.dev.size_bytes = gate.below->size_bytes;
	gate.dev.sector_bytes = gate.below->sector_bytes;
	gate.dev.writable = true;
	/* nothing is written yet */
	s->log->config.dev = &gate.dev;
}

static void gate_fini(void)
{
	xcond_fini(&gate.opened);
	xmutex_fini(&gate.lock);
}

static void gate_committed(void)
{
	xmutex_lock(&gate.lock);
	gate.committed++;
	xcond_wake_all(&gate.opened);
	xmutex_unlock(&gate.lock);
}

/* --- commits --- */

static struct store *store;
static pthread_barrier_t round_begins;

static void commit_and_force(uint32_t id)
{
	uint64_t seq;

	CHECK(!store_change(store, &id, 1, &seq));
	gate_committed();
	CHECK(!log_force_seq(store->log, seq, true));
}

static void *work(void *arg)
{
	uint32_t id = (uint32_t)(uintptr_t)arg;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		/* nobody commits while the device waits for the last round */
		if (pthread_barrier_wait(&round_begins) ==
		    PTHREAD_BARRIER_SERIAL_THREAD) {
			xmutex_lock(&gate.lock);
			gate.awaited += THREADS;
			xmutex_unlock(&gate.lock);
		}
		pthread_barrier_wait(&round_begins);
		commit_and_force(id);
	}
	return NULL;
}

static void all_at_one_time(void)
{
	pthread_t thread[THREADS];

	gate.awaited = gate.committed;
	CHECK(!pthread_barrier_init(&round_begins, NULL, THREADS));
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], NULL, work, (void *)i));
	for (unsigned int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(thread[i], NULL));
	pthread_barrier_destroy(&round_begins);
}

static void one_after_another(void)
{
	gate.awaited = 0;
	for (unsigned int i = 0; i < ROUNDS; i++)
		for (uint32_t id = 0; id < THREADS; id++)
			commit_and_force(id);
}

static uint64_t writes_of(void (*how)(void))
{
	uint64_t before[LOG_STATS], after[LOG_STATS];

	log_stats_read(store->log, before);
	how();
	log_stats_read(store->log, after);
	CHECK(after[LOG_STAT_COMMITS] - before[LOG_STAT_COMMITS] ==
	      THREADS * ROUNDS);
	return after[LOG_STAT_RECORDS] - before[LOG_STAT_RECORDS];
}

int main(void)
{
	const struct store_config config = {
		.log_bb = 65536, .objects = THREADS,
	};
	uint64_t one, many;
	const char *why;

	store = store_new(&config);
	CHECK(store);
	gate_put(store);
	one = writes_of(one_after_another);
	many = writes_of(all_at_one_time);
	printf("%d commits, each durable: %llu writes of the log one after another, %llu from %d threads\n",
	       THREADS * ROUNDS, (unsigned long long)one,
	       (unsigned long long)many, THREADS);
	CHECK(one >= THREADS * ROUNDS);
	CHECK(many * 4 <= one);
	why = store_crash(store, FAULT_DROP, 1);
	CHECK(!why);
	store_free(store);
	gate_fini();
	return 0;
}
