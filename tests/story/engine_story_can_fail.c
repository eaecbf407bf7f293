/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Crash tests prove something only if they can fail: the engine leaves out one
 * by one what its crash safety stands on, and each time power failures are
 * found after which the log or the objects are wrong; with all of it, the same
 * power failures do no harm.
 *
 * The tail of a record that is taken again does no harm here, since whoever
 * writes a record looks what its tail needs: there it is seen while it happens.
 *
 *	engine_story_can_fail [crashes at most for each]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/logspace.h"
#include "tests/lib/store.h"

enum {
	CRASHES = 400,
	PER_STORE = 10,
	MAX_IDS = 24,
	THREADS = 6,
};

enum how {
	STEPS,		/* this and that, one thread */
	THREADED,	/* several at once */
	LONG,		/* one checkpoint, longer than recovery looks for holes */
	FULL,		/* as much as there is room for, and nothing written back */
};

struct flaw {
	const char	*name;
	unsigned int	breaks;
	enum how	how;
	uint32_t	log_bb;
	uint32_t	logbsize_bytes;
	unsigned int	objects;
	unsigned int	steps;		/* until power fails, at most */
	bool		external;	/* log */
};

static const struct flaw flaws[] = {
	{ "no flush of objects before a checkpoint", LOG_BREAK_START_FLUSH,
	  STEPS, 4096, 16 << 10, 400, 500, false },
	{ "the same, with a log elsewhere", LOG_BREAK_START_FLUSH,
	  STEPS, 4096, 16 << 10, 400, 500, .external = true },
	{ "no waiting for records before the commit", LOG_BREAK_WAIT_EARLIER,
	  STEPS, 8192, 16 << 10, 400, 60, false },
	{ "commit records in any order", LOG_BREAK_COMMIT_ORDER,
	  THREADED, 8192, 16 << 10, 400, 0, false },
	{ "no flush of records before their commit", LOG_BREAK_COMMIT_FLUSH,
	  LONG, 65536, 256 << 10, 3000, 250, false },
	{ "records reach further than recovery looks", LOG_BREAK_REACH,
	  LONG, 65536, 256 << 10, 3000, 250, false },
	{ "the tail of a record is taken again", LOG_BREAK_TAIL_AT_SEAL,
	  STEPS, 8192, 16 << 10, 400, 500, false },
	{ "nobody pays for headers", LOG_BREAK_HEADER_STEAL,
	  FULL, 4096, 16 << 10, 4000, 0, false },
};

/* One thread has nothing to show ThreadSanitizer, and takes minutes under it. */
#ifdef __SANITIZE_THREAD__
enum { ONLY_THREADED = 1 };
#else
enum { ONLY_THREADED = 0 };
#endif

/* A record whose tail is known. */
struct seen_tail {
	xfs_lsn_t	lsn, tail;
};

static struct seen_tail seen_tails[LOG_MAX_ICLOGS];
static bool tail_moved;

static struct store *store;
static uint64_t seed = 1;

static uint64_t rnd_of(uint64_t *state, uint64_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % below;
}

static uint64_t rnd(uint64_t below)
{
	return rnd_of(&seed, below);
}

static void check(int rc)
{
	/* with something left out it may say anything */
	if (!rc || log_is_shutdown(store->log) || store->config.breaks)
		return;
	fprintf(stderr, "the engine says %d\n", rc);
	exit(1);
}

static void force(void)
{
	check(store_force(store));
}

static void change(uint64_t *state)
{
	unsigned int count = 1 + (unsigned int)rnd_of(state, MAX_IDS);
	uint32_t ids[MAX_IDS], first;

	first = (uint32_t)rnd_of(state, store->config.objects - count);
	for (unsigned int i = 0; i < count; i++)
		ids[i] = first + i;
	check(store_change(store, ids, count, NULL));
}

/* A device is not bound to any order: one record before those in front of it. */
static void some_io(void)
{
	struct log *log = store->log;
	uint64_t turn = rnd(4);
	struct list *l;

	xmutex_lock(&log->iclog_lock);
	l = list_first(&log->io_queue);
	while (l && turn--)
		l = list_next(l, &log->io_queue);
	if (l) {
		list_remove(l);
		list_insert_before(l, log->io_queue.next);
	}
	xmutex_unlock(&log->iclog_lock);
	(void)iclog_io_step(log);
}

/* Forced, with some of it on the device before its turn. */
static void hurry(void)
{
	check(log_force(store->log, false));
	(void)cil_push_step(store->log);
	for (uint64_t n = rnd(4); n > 0; n--)
		some_io();
	force();
}

static void watch_tails(void)
{
	struct log *log = store->log;

	xmutex_lock(&log->iclog_lock);
	for (unsigned int i = 0; i < log->niclogs; i++) {
		const struct iclog *ic = &log->iclogs[i];
		struct seen_tail *seen = &seen_tails[i];

		if (!ic->used_bytes || !(ic->flags & ICLOG_TAIL))
			continue;
		tail_moved |= seen->lsn == ic->lsn &&
			      seen->tail != ic->tail_lsn;
		*seen = (struct seen_tail){ ic->lsn, ic->tail_lsn };
	}
	xmutex_unlock(&log->iclog_lock);
}

static void one_step(void)
{
	watch_tails();
	switch (rnd(16)) {
	case 0:
		hurry();
		break;
	case 1:
		some_io();
		break;
	case 2:
		(void)cil_push_step(store->log);
		/* one that ends in a record which others go on to fill */
		if (!rnd(4))
			check(cil_push(store->log,
				       atomic_load(&store->log->cil.seq),
				       false));
		break;
	case 3:
		if (!rnd(3))
			ail_push_all(store->log);
		(void)ail_push_step(store->log);
		break;
	default:
		change(&seed);
	}
}

static void *work(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg;

	for (unsigned int n = 0; n < 100 && !log_is_shutdown(store->log); n++) {
		change(&state);
		if (!rnd_of(&state, 4))
			force();
	}
	return NULL;
}

static void run_threads(void)
{
	pthread_t thread[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work,
				   (void *)(uintptr_t)(rnd(1u << 30) + 1)))
			exit(1);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void run_steps(const struct flaw *flaw)
{
	uint64_t steps = 1 + rnd(flaw->steps);

	for (uint64_t i = 0; i < steps && !log_is_shutdown(store->log); i++)
		one_step();
}

static void run_long(const struct flaw *flaw)
{
	for (uint64_t i = 0; i < flaw->steps; i++)
		change(&seed);
	force();
}

/* One after the other, until the next would have to wait for space. */
static void run_full(void)
{
	const struct log *log = store->log;
	uint32_t records, id = (uint32_t)rnd(100);
	uint64_t need = xlog_unit_bytes(store->logres_bytes,
					log->form.size_bytes,
					log->form.roundoff_bytes, &records);

	while (atomic_load(&log->write.used_bytes) + need <=
	       log->size_bytes) {
		check(store_change(store, &id, 1, NULL));
		id = (id + 1) % store->config.objects;
	}
	force();
}

/* Half of the time power fails in the middle of something. */
static void fail_some_time(enum how how)
{
	struct fault_counts now;

	fault_counts(store->fault, &now);
	if (how == FULL)
		return;
	if (how == LONG)
		fault_stop(store->fault, FAULT_FLUSH, now.flushes + 1);
	else if (rnd(4) == 0)
		fault_stop(store->fault, FAULT_WRITE, now.writes + rnd(300));
	else if (rnd(4) == 0)
		fault_stop(store->fault, FAULT_FLUSH,
			   now.flushes + 1 + rnd(8));
}

static const char *one_crash(const struct flaw *flaw)
{
	static const enum fault_crash kinds[] = {
		FAULT_REORDER, FAULT_REORDER, FAULT_TEAR, FAULT_DROP,
	};

	const char *why;

	memset(seen_tails, 0, sizeof(seen_tails));
	tail_moved = false;
	fail_some_time(flaw->how);
	if (flaw->how == THREADED)
		run_threads();
	else if (flaw->how == FULL)
		run_full();
	else if (flaw->how == LONG)
		run_long(flaw);
	else
		run_steps(flaw);
	why = store_crash(store, kinds[rnd(4)], rnd(1u << 30));
	return why || !tail_moved ? why : "the tail of a record moves";
}

/* Crashes until one does harm, or @most. Returns how many, and why. */
static unsigned int crash_until(const struct flaw *flaw, unsigned int breaks,
				unsigned int most, const char **why)
{
	struct store_config config = {
		.flags = flaw->how == THREADED ? 0 : LOG_NO_THREADS,
		.log_bb = flaw->log_bb, .logbsize_bytes = flaw->logbsize_bytes,
		.objects = flaw->objects, .body_bytes = STORE_MAX_BODY,
		.breaks = breaks, .external = flaw->external,
	};
	unsigned int n = 0;

	*why = NULL;
	seed = 1;
	while (n < most && !*why) {
		store = store_new(&config);
		if (!store)
			exit(1);
		for (int i = 0; i < PER_STORE && n < most && !*why; i++, n++)
			*why = one_crash(flaw);
		store_free(store);
	}
	return n;
}

int main(int argc, char **argv)
{
	unsigned int most = argc > 1 ?
			    (unsigned int)strtoul(argv[1], NULL, 10) : CRASHES;
	bool failed = false;

	for (size_t i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++) {
		const struct flaw *flaw = &flaws[i];
		const char *why, *sound;
		unsigned int n;

		if (ONLY_THREADED && flaw->how != THREADED)
			continue;
		n = crash_until(flaw, flaw->breaks, most, &why);
		printf("%s: %s after %u crashes\n", flaw->name,
		       why ? why : "nothing is found", n);
		crash_until(flaw, 0, n, &sound);
		if (sound)
			printf("%s, and nothing left out: %s\n", flaw->name,
			       sound);
		failed |= !why || sound;
	}
	return failed;
}
