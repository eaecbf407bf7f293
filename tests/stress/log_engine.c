/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many threads commit to the same objects through the log engine, with all of
 * its threads: chains that roll, cancelled transactions, forces, in logs so
 * small that most of them wait for space most of the time. Then the log is
 * either brought to rest, and its space has to be there to the byte, or power
 * fails in the middle, and what was forced has to be there. A plain program:
 * also what ThreadSanitizer is run on.
 *
 *	log_engine [operations of each round [first seed]]
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/store.h"

enum {
	MAX_THREADS = 64,
	MAX_IDS = 8,
	OBJECTS = 256,
};

#define CHECK(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__,	\
				__LINE__, #what);			\
			exit(1);					\
		}							\
	} while (0)

static struct store *store;
static unsigned long operations = 6000;
static unsigned long first_seed = 1;
static _Atomic long left;
/* What is left when power fails; 0: it does not. */
static long fails_at;

/* A force makes what was committed before it durable, whoever else is at it. */
static int change_and_force(const uint32_t *ids, unsigned int count)
{
	uint64_t seq;
	int rc = store_change(store, ids, count, &seq);

	if (!rc)
		rc = store_force(store);
	if (rc)
		return rc;
	if (store->config.flags & LOG_DIRECT) {
		xmutex_lock(&store->log->iclog_lock);
		CHECK(store->log->done_lsn >= seq);
		xmutex_unlock(&store->log->iclog_lock);
	} else {
		xmutex_lock(&store->log->cil.push_lock);
		CHECK(store->log->cil.done_seq >= seq);
		xmutex_unlock(&store->log->cil.push_lock);
	}
	return 0;
}

static int one_operation(uint64_t *state)
{
	uint32_t ids[MAX_IDS];
	unsigned int n = store_any_ids(state, 0, OBJECTS, ids, MAX_IDS);
	uint64_t seq;
	int rc;

	switch (store_random(state) % 16) {
	case 0:
	case 1:
		return store_chain(store, ids, n,
				   1 + (unsigned int)(store_random(state) % 5),
				   NULL);
	case 2:
		return store_cancel(store, ids, n);
	case 3:
		return log_force(store->log, false);
	case 4:
		return change_and_force(ids, n);
	case 5:
		rc = store_change(store, ids, n, &seq);
		return rc ? rc : log_force_seq(store->log, seq, true);
	default:
		return store_change(store, ids, n, NULL);
	}
}

static void *work(void *arg)
{
	uint64_t state = (first_seed + (uintptr_t)arg) * 0x9e3779b97f4a7c15u;
	long now;

	while ((now = atomic_fetch_sub(&left, 1)) > 0) {
		int rc = one_operation(&state);

		if (now == fails_at)
			log_shutdown(store->log, LOG_SHUTDOWN_NOFLUSH, NULL);
		CHECK(!rc || log_is_shutdown(store->log));
		if (rc)
			break;
	}
	return NULL;
}

/* A dead log lets go of all that it pinned: nobody waits for that in vain. */
static void wait_for_pins(void)
{
	for (uint32_t i = 0; i < OBJECTS; i++)
		while (atomic_load(&store->objects[i].pins))
			sched_yield();
}

static void run(unsigned int threads, bool fails)
{
	static const enum fault_crash kinds[] = {
		FAULT_DROP, FAULT_KEEP, FAULT_REORDER, FAULT_TEAR,
	};
	uint64_t state = first_seed * 2654435761u + threads;
	pthread_t thread[MAX_THREADS];
	const char *why;

	atomic_store(&left, (long)operations);
	fails_at = fails ? 1 + (long)(store_random(&state) % operations) : 0;
	for (uintptr_t i = 0; i < threads; i++)
		CHECK(!pthread_create(&thread[i], NULL, work, (void *)i));
	for (unsigned int i = 0; i < threads; i++)
		CHECK(!pthread_join(thread[i], NULL));
	if (fails)
		wait_for_pins();
	why = fails ? NULL : store_rest(store);
	if (!why)
		why = store_crash(store, kinds[store_random(&state) % 4],
				  store_random(&state));
	if (!why)
		return;
	fprintf(stderr, "%u threads, seed %lu, flags %u: %s (%s)\n", threads,
		first_seed, store->config.flags, why, store->said);
	exit(1);
}

static void run_store(const struct store_config *config)
{
	static const unsigned int threads[] = { 8, 64 };

	store = store_new(config);
	CHECK(store);
	for (unsigned int i = 0; i < 2; i++) {
		run(threads[i], false);
		run(threads[i], true);
		first_seed++;
	}
	store_free(store);
}

int main(int argc, char **argv)
{
	struct store_config config = {
		.objects = OBJECTS, .body_bytes = 2000, .logbufs = 4,
		.logbsize_bytes = 16 << 10,
	};

	if (argc > 1)
		operations = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoul(argv[2], NULL, 10);
	printf("%lu operations a round, seed %lu\n", operations, first_seed);
	for (unsigned int direct = 0; direct < 2; direct++) {
		config.flags = direct ? LOG_DIRECT : 0;
		/* one that wraps all the time, and one with some room */
		for (config.log_bb = 1024; config.log_bb <= 16384;
		     config.log_bb *= 16) {
			config.hold = config.log_bb > 1024;
			run_store(&config);
		}
	}
	return 0;
}
