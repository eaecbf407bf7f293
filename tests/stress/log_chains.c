/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many threads with chains of deferred work, in a log so small that it goes
 * round and round: what waits in one chain must not stop the others. Jars are
 * poured into each other by chains, and every jar is held by someone now and
 * then; blocks of groups are taken and freed, and what is taken for data is not
 * busy. In the end nothing is lost: no unit, no byte of log space, no busy
 * block. Or power fails in the middle: then the units are in jars and in
 * intents. A plain program: also what ThreadSanitizer is run on.
 *
 *	log_chains [chains of each round [first seed]]
 */
#include "tests/lib/jars.h"

enum { THREADS = 12, CRASHES = 12 };

struct group {
	pthread_mutex_t	lock;		/* over the commit, as a header is */
	bool		taken[JARS_GROUP_BLOCKS]; /* (lock) */
};

static struct jars *j;
static struct group groups[JARS_GROUPS];
static unsigned long chains = 6000, first_seed = 1;
static _Atomic long left;
static long fails_at;			/* what is left then; 0: never */

static bool all_are(const struct group *g, uint32_t at, uint32_t len,
		    bool taken)
{
	for (uint32_t i = 0; i < len; i++)
		if (g->taken[at + i] != taken)
			return false;
	return true;
}

static void set_all(struct group *g, uint32_t at, uint32_t len, bool taken)
{
	for (uint32_t i = 0; i < len; i++)
		g->taken[at + i] = taken;
}

/* Blocks for data: none that is busy, or has been waited for. */
static void take_for_data(struct trans *t, uint32_t agno, uint32_t at,
			  uint32_t len)
{
	xfs_agblock_t first = at;
	uint32_t room = len;

	busy_trim(&j->fs, agno, len, &first, &room);
	if (!room) {
		if (busy_flush(t, agno, at, len)) {
			CHECK(log_is_shutdown(j->fs.log));
			return;
		}
		first = at;
		room = len;
	}
	CHECK(!busy_search(&j->fs, agno, first, room));
	set_all(&groups[agno], first, room, true);
}

static int change_space(uint64_t *state, struct jar *own)
{
	uint32_t agno = jars_random(state, JARS_GROUPS);
	uint32_t len = 1 + jars_random(state, 6);
	uint32_t at = jars_random(state, JARS_GROUP_BLOCKS - len);
	struct group *g = &groups[agno];
	struct trans *t = jars_begin(j);
	int rc;

	if (!t)
		return -ESHUTDOWN;

	pthread_mutex_lock(&g->lock);
	if (all_are(g, at, len, true)) {
		CHECK(!busy_insert(t, agno, at, len, 0));
		set_all(g, at, len, false);
	} else if (!all_are(g, at, len, false)) {
		/* neither */
	} else if (jars_random(state, 2)) {
		CHECK(!busy_reuse(t, agno, at, len));
		CHECK(!busy_search(&j->fs, agno, at, len));
		set_all(g, at, len, true);
	} else {
		take_for_data(t, agno, at, len);
	}
	jar_join(t, own);
	rc = trans_commit(t, NULL);
	pthread_mutex_unlock(&g->lock);
	CHECK(!rc || rc == -ESHUTDOWN);
	return rc;
}

static int one_operation(struct jar *own, uint64_t *state)
{
	switch (jars_random(state, 8)) {
	case 0:
		return log_force(j->fs.log, jars_random(state, 2));
	case 1:
	case 2:
	case 3:
		return change_space(state, own);
	default:
		return jars_chain(j, own, state);
	}
}

static void *work(void *arg)
{
	uint64_t state = (first_seed + (uintptr_t)arg + 1) *
			 0x9e3779b97f4a7c15u;
	struct jar *own = &j->jar[JARS_SHARED + (uintptr_t)arg];
	long now;

	while ((now = atomic_fetch_sub(&left, 1)) > 0) {
		int rc = one_operation(own, &state);

		if (now == fails_at)
			log_shutdown(j->fs.log, LOG_SHUTDOWN_NOFLUSH, NULL);
		CHECK(!rc || log_is_shutdown(j->fs.log));
		if (rc)
			break;
	}
	return NULL;
}

/* --- a round --- */

static void run_threads(unsigned int flags, unsigned int hooks,
			unsigned long n)
{
	pthread_t threads[THREADS];

	j = jars_open(flags);
	j->fs.hooks.flags = hooks;
	for (uint32_t i = 0; i < JARS_GROUPS; i++) {
		memset(&groups[i], 0, sizeof(groups[i]));
		pthread_mutex_init(&groups[i].lock, NULL);
	}
	atomic_store(&left, (long)n);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, work, (void *)i));
	for (unsigned int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	for (uint32_t i = 0; i < JARS_GROUPS; i++)
		pthread_mutex_destroy(&groups[i].lock);
}

static const char *round_name(unsigned int flags, unsigned int hooks)
{
	if (flags & LOG_DIRECT)
		return "nodelaylog";
	return hooks ? "delaylog, forced" : "delaylog";
}

static void check_rest(void)
{
	struct log *log = j->fs.log;
	uint64_t used;

	CHECK(!log_quiesce(log));
	CHECK(jars_sum(j) == 0);
	CHECK(log->ail.nitems == 0);
	used = log_distance(log, log_tail_lsn(log), log_head_lsn(log));
	CHECK(atomic_load(&log->reserve.used_bytes) == used);
	CHECK(atomic_load(&log->write.used_bytes) == used);
	for (uint32_t i = 0; i < JARS_GROUPS; i++)
		CHECK(!busy_search(&j->fs, i, 0, JARS_GROUP_BLOCKS));
}

static void round_to_rest(unsigned int flags, unsigned int hooks)
{
	fails_at = 0;
	run_threads(flags, hooks, chains);
	check_rest();
	printf("%s: %llu steps, log in lap %u\n", round_name(flags, hooks),
	       (unsigned long long)atomic_load(&j->fs.hooks.points),
	       xfs_lsn_cycle(log_head_lsn(j->fs.log)));
	jars_close(j);
}

static void rounds_with_crash(unsigned int flags, unsigned int hooks)
{
	static const enum fault_crash kinds[] = {
		FAULT_DROP, FAULT_KEEP, FAULT_REORDER, FAULT_TEAR,
	};
	uint64_t state = first_seed * 0x9e3779b97f4a7c15u;
	unsigned int all = 0, pending;

	for (unsigned int i = 0; i < CRASHES; i++) {
		unsigned long n = chains / 8 + 2;
		int64_t sum;

		fails_at = 1 + (long)jars_random(&state, (uint32_t)n);
		run_threads(flags, hooks, n);
		sum = jars_crash(j, kinds[i % 4], state, &pending);
		if (sum) {
			fprintf(stderr, "%s, seed %lu, crash %u: %lld units\n",
				round_name(flags, hooks), first_seed, i,
				(long long)sum);
			exit(1);
		}
		all += pending;
		jars_close(j);
	}
	printf("%s: %u intents in %u crashes\n", round_name(flags, hooks),
	       all, CRASHES);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		chains = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoul(argv[2], NULL, 10);
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int flags = i == 2 ? LOG_DIRECT : 0;
		unsigned int hooks = i == 1 ? DEFER_FORCE : 0;

		round_to_rest(flags, hooks);
		rounds_with_crash(flags, hooks);
	}
	return 0;
}
