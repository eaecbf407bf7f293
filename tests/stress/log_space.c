/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space is never lost. A log so small that it is full nearly all of the time is
 * driven by many threads: chains that roll and hold what they have, or fight for
 * the same objects, transactions that are cancelled, forces. Who has to wait for space is watched: they are
 * given it in the order in which they came, one queue for each grant head, and
 * the write head never is more than the log, but for a sector. In the end the heads are what lies
 * in the log, to the byte. Then power fails, what was forced is there, and the same
 * begins anew.
 *
 *	log_space [seconds [first seed]]	0, the default: one short round
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libxlog/obs/trace.h"
#include "tests/lib/store.h"

enum {
	THREADS = 48,
	MAX_IDS = 6,
	OBJECTS = THREADS * MAX_IDS,
	HOT = 64,		/* objects that all threads are after */
	/*
	 * A reservation is for the worst case. If all transactions used all of
	 * theirs, the log could fill up behind a chain that holds its objects
	 * and waits for space, until there is too little for it.
	 */
	SPARE = 2,
	LOG_BB = 1024,
	OPERATIONS = 15000,
	PATIENCE_S = 120,
};

static struct store *store;
static unsigned long seed = 1;
static _Atomic long left;
static _Atomic uint64_t cancelled, forced;

/* --- who waits --- */

struct queue {
	const char	*name;
	uint32_t	tid[2 * THREADS];	/* the oldest first */
	unsigned int	count, most;
	uint64_t	served;
};

/* The lock of the trace is theirs. */
static struct queue queues[] = { { .name = "reserve" }, { .name = "write" } };

static void fail(const char *what)
{
	fprintf(stderr, "seed %lu, flags %u: %s\n", seed,
		store->config.flags, what);
	exit(1);
}

static void watch(void *ctx, const struct trace_record *r)
{
	uint32_t tid = (uint32_t)r->args[0];
	const char *head = (const char *)(uintptr_t)r->args[1];
	struct queue *q = &queues[!strcmp(head, "write")];

	(void)ctx;
	/*
	 * A record that is forced is padded to a sector, for which those who
	 * are in it had reserved twice as much, but have given that back.
	 */
	if (q == &queues[1] &&
	    r->args[3] >= (uint64_t)LOG_BB * BB_SIZE + BB_SIZE)
		fail("the write head is more than the log");
	if (r->event == TRACE_xfs_log_grant_sleep) {
		if (q->count == 2 * THREADS)
			fail("more wait than there are threads");
		q->tid[q->count++] = tid;
		if (q->count > q->most)
			q->most = q->count;
		return;
	}
	if (!q->count || q->tid[0] != tid)
		fail("overtaken in the queue for space");
	q->count--;
	q->served++;
	memmove(q->tid, q->tid + 1, q->count * sizeof(q->tid[0]));
}

static void start_watch(void)
{
	const bool wanted[TRACE_EVENTS] = {
		[TRACE_xfs_log_grant_sleep] = true,
		[TRACE_xfs_log_grant_wake_up] = true,
	};

	if (trace_start(wanted, watch, NULL))
		fail("somebody else has the trace");
}

/* --- the load --- */

static int one_operation(uint32_t me, uint64_t *state)
{
	unsigned int links = 1 + (unsigned int)(store_random(state) % 6);
	uint32_t ids[MAX_IDS];
	unsigned int n;

	/*
	 * Who waits for an object has reserved space already: what others hold
	 * while they wait for space must not be that.
	 */
	if (store->config.hold)
		n = store_any_ids(state, me * MAX_IDS, MAX_IDS, ids, MAX_IDS);
	else
		n = store_any_ids(state, 0, HOT, ids, MAX_IDS);

	switch (store_random(state) % 16) {
	case 0:
	case 1:
		atomic_fetch_add(&cancelled, 1);
		return store_cancel(store, ids, n);
	case 2:
		atomic_fetch_add(&forced, 1);
		return store_force(store);
	case 3:
		return log_force(store->log, false);
	case 4:
	case 5:
	case 6:
		return store_change(store, ids, n, NULL);
	default:
		return store_chain(store, ids, n, links, NULL);
	}
}

static void *work(void *arg)
{
	uint64_t state = (seed + (uintptr_t)arg) * 0x9e3779b97f4a7c15u | 1;

	while (atomic_fetch_sub(&left, 1) > 0)
		if (one_operation((uint32_t)(uintptr_t)arg, &state))
			fail(store->said);
	return NULL;
}

/* The only clock: a round that takes this long is one that hangs. */
static void on_alarm(int sig)
{
	static const char text[] = "nobody gets on\n";

	(void)sig;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

static void one_round(void)
{
	static const enum fault_crash kinds[] = {
		FAULT_DROP, FAULT_KEEP, FAULT_REORDER, FAULT_TEAR,
	};
	pthread_t thread[THREADS];
	const char *why;

	alarm(PATIENCE_S);
	atomic_store(&left, OPERATIONS);
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)i))
			fail("no thread");
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	why = store_rest(store);
	if (!why && (queues[0].count || queues[1].count))
		why = "somebody waits still";
	if (!why)
		why = store_crash(store, kinds[seed % 4], seed);
	if (why)
		fail(why);
	seed++;
}

int main(int argc, char **argv)
{
	struct store_config config = {
		.objects = OBJECTS, .body_bytes = 2000, .log_bb = LOG_BB,
		.logbufs = 4, .logbsize_bytes = 16 << 10, .spare = SPARE,
	};
	long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	time_t end = time(NULL) + seconds;
	unsigned long rounds = 0;

	if (argc > 2)
		seed = strtoul(argv[2], NULL, 10);
	printf("%d threads, a log of %d KiB, seed %lu\n", THREADS, LOG_BB / 2,
	       seed);
	signal(SIGALRM, on_alarm);
	start_watch();
	do {
		/* both policies, and both kinds of chains, in turn */
		config.flags = rounds % 2 ? LOG_DIRECT : 0;
		config.hold = rounds / 2 % 2 == 0;
		store = store_new(&config);
		if (!store)
			return 1;
		one_round();
		store_free(store);
		rounds++;
	} while (rounds < 4 || time(NULL) < end);
	trace_stop();
	printf("%lu rounds; served in turn: %llu of the reserve head (up to %u at a time), %llu of the write head (%u); %llu cancelled, %llu forced\n",
	       rounds, (unsigned long long)queues[0].served, queues[0].most,
	       (unsigned long long)queues[1].served, queues[1].most,
	       (unsigned long long)atomic_load(&cancelled),
	       (unsigned long long)atomic_load(&forced));
	/* else it was not full */
	return queues[0].served > rounds * OPERATIONS / 100 &&
	       queues[1].served > rounds ? 0 : 1;
}
