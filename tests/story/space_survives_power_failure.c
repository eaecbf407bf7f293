/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space is allocated, shared and freed, and power fails. First at every point
 * between an intent and what it asks for: recovery finishes the operation, and
 * all is as if nothing had happened. Then after any write, with what was held
 * dropped, torn or reordered: what recovery leaves is what the load had after
 * one of its operations, and not before one that was forced. CRASH_ALL=1: more
 * of both.
 */
#include <stdlib.h>

#include "tests/lib/spaceshare.h"

enum { STEPS = 150, POINTS = 40, CRASHES = 80, ALL = 20, MAX_STEPS = 1000 };

typedef void load_fn(struct spaceload *l, unsigned int steps);

static const struct {
	const char *name;
	load_fn *load;
	struct madefs_want want;
} loads[] = {
	{ "files that share", spaceshare_steps, { .bytes = 0 } },
	{ "files that share, 1 KiB", spaceshare_steps,
	  { .block_bytes = 1024 } },
	{ "space", spaceload_steps, { .bytes = 0 } },
	{ "space without rmapbt", spaceload_steps, { .no_rmapbt = true } },
	{ "space of version 4", spaceload_steps, { .v4 = true } },
};

static struct spaceload *start(size_t i, uint64_t seed, bool fault)
{
	struct madefs_want want = loads[i].want;
	struct spaceload *l;

	want.fault = fault;
	l = spaceload_new(&want, seed);
	l->may_stop = true;
	return l;
}

/* --- between an intent and its done --- */

static uint64_t count_points(size_t i, uint64_t seed)
{
	struct spaceload *l = start(i, seed, false);
	uint64_t points;

	loads[i].load(l, STEPS);
	must_say(!l->stopped, "%s", l->f->said);
	points = l->f->m->fs.hooks.points;
	spaceload_free(l);
	return points;
}

static void stop_at(size_t i, uint64_t seed, uint64_t point)
{
	struct spaceload *l = start(i, seed, false);

	l->f->m->fs.hooks.stop_at = point;
	loads[i].load(l, STEPS);
	must(l->stopped);
	madefs_stop(l->f);
	madefs_recover(l->f);
	space_forget_cow(l->s);
	/* the operation that was begun is there, too */
	space_check(l->s);
	madefs_unmount(l->f);
	spaceload_free(l);
}

static void stop_at_points(size_t i, uint64_t many)
{
	uint64_t seed = i + 1, points = count_points(i, seed);
	uint64_t step = points / many + 1;

	must(points > 10);
	for (uint64_t p = 1; p <= points; p += step)
		stop_at(i, seed, p);
}

/* --- after any write --- */

static struct {
	uint64_t digest[MAX_STEPS];
	unsigned int n, forced;		/* states; as many are durable */
} seen;

static void note(struct spaceload *l)
{
	must(seen.n < MAX_STEPS);
	seen.digest[seen.n++] = space_digest(l->s);
	if (seen.n % 10)
		return;
	if (spaceload_ok(l, log_force(l->f->m->fs.log, true)))
		seen.forced = seen.n - 1;
}

static bool was_seen(uint64_t digest)
{
	for (unsigned int i = seen.forced; i < seen.n; i++)
		if (seen.digest[i] == digest)
			return true;
	return false;
}

static uint64_t count_writes(size_t i, uint64_t seed)
{
	struct spaceload *l = start(i, seed, true);
	struct fault_counts counts;

	loads[i].load(l, STEPS);
	must_say(!l->stopped, "%s", l->f->said);
	fault_counts(l->f->dev, &counts);
	spaceload_free(l);
	return counts.writes;
}

static void crash_at(size_t i, uint64_t seed, uint64_t write)
{
	static const enum fault_crash hows[] = {
		FAULT_DROP, FAULT_TEAR, FAULT_REORDER, FAULT_KEEP,
	};
	struct spaceload *l = start(i, seed, true);
	struct space *s;

	seen.n = seen.forced = 0;
	note(l);
	l->stepped = note;
	fault_stop(l->f->dev, FAULT_WRITE, write);
	loads[i].load(l, STEPS);
	/* the last one may be there, or not */
	l->stepped = NULL;
	seen.digest[seen.n++] = space_digest(l->s);
	madefs_stop(l->f);
	must(fault_crash(l->f->dev, hows[write % 4], seed + write) == 0);
	madefs_recover(l->f);
	s = space_read(l->f);
	must_say(was_seen(space_digest(s)), "write %llu: no state of the load",
		 (unsigned long long)write);
	space_check(s);
	space_free(s);
	madefs_unmount(l->f);
	spaceload_free(l);
}

static void crash_at_writes(size_t i, uint64_t many)
{
	uint64_t seed = i + 1, writes = count_writes(i, seed);
	uint64_t step = writes / many + 1;

	for (uint64_t w = 0; w <= writes; w += step)
		crash_at(i, seed, w);
}

int main(void)
{
	unsigned int times = getenv("CRASH_ALL") ? ALL : 1;

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		printf("%s\n", loads[i].name);
		fflush(stdout);
		stop_at_points(i, POINTS * times);
		/* owners are read from the rmapbt */
		if (!loads[i].want.v4 && !loads[i].want.no_rmapbt)
			crash_at_writes(i, CRASHES * times);
	}
	return 0;
}
