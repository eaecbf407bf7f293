/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device fails: each write of a run once, each place that is written for
 * good, each flush, one run for each of them. The log dies of an error of its
 * own and of metadata that cannot be written, again and again; nothing is
 * committed any more, nobody waits for anything, and what was forced before is
 * recovered. With both policies; step by step, where each write is known, and
 * with the threads of xlog-bench, which all have to come back.
 *
 *	engine_dies_of_io_errors
 */
#include <stdio.h>
#include <stdlib.h>

#include "libxlog/meta/bench.h"
#include "tests/lib/changes.h"
#include "tests/lib/store.h"

enum {
	STEPS = 600,
	JOBS = 40,
	STORE_STEPS = 120,
	STORE_OBJECTS = 60,
	BENCH_BYTES = 200 << 20,
	BENCH_LOG_BYTES = 14 << 20,
};

/* One thread has nothing to show ThreadSanitizer. */
#ifdef __SANITIZE_THREAD__
enum { ONLY_THREADED = 1 };
#else
enum { ONLY_THREADED = 0 };
#endif

/* With a sanitizer all takes longer. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { THREADED_RUNS = 20 };
#else
enum { THREADED_RUNS = 60 };
#endif

enum how {
	WRITE_ONCE,	/* a write fails, and its like works again */
	WRITE_FOR_GOOD,	/* whatever is written to that place fails */
	FLUSH_ONCE,
	HOWS,
};

static const char *const how_names[HOWS] = {
	[WRITE_ONCE] = "write", [WRITE_FOR_GOOD] = "every write to the place of",
	[FLUSH_ONCE] = "flush",
};

static const char *policy_of(unsigned int flags)
{
	return flags & LOG_DIRECT ? "nodelaylog" : "delaylog";
}

static void arm(struct dev *fault, enum how how, uint64_t nth)
{
	if (how == WRITE_FOR_GOOD)
		fault_spoil(fault, nth);
	else
		fault_fail(fault, how == FLUSH_ONCE ? FAULT_FLUSH :
						      FAULT_WRITE, nth);
}

static char said[256];

static void take_report(void *ctx, const struct xlog_report *r)
{
	(void)ctx;
	if (r->severity == XLOG_ERROR)
		snprintf(said, sizeof(said), "%s", r->text);
}

static void need(bool ok, const char *what, int rc)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %d (%s)\n", what, rc, said);
	exit(1);
}

/* --- step by step --- */

/* Begun before anything fails; it has its space. */
static struct trans *spare(struct changes *c)
{
	struct trans *t;

	CHANGES_CHECK(c, !trans_alloc(&c->m->fs, XFS_TR_ICHANGE, &t));
	return t;
}

static void commit_too_late(struct changes *c, struct trans *t)
{
	struct inode *ip = c->inode[0].ip;
	struct trans *more;
	uint64_t seq;

	inode_join(t, ip);
	inode_log(t, ip, XFS_ILOG_CORE);
	CHANGES_CHECK(c, trans_commit(t, &seq) == -ESHUTDOWN);
	CHANGES_CHECK(c, trans_alloc(&c->m->fs, XFS_TR_ICHANGE, &more) ==
		      -ESHUTDOWN);
}

/* Nothing is left that somebody could wait for. */
static void check_dead(struct changes *c, struct trans *t)
{
	commit_too_late(c, t);
	/* if it says that all is durable, it has to be */
	(void)!changes_force(c);
	changes_settle(c);
	for (size_t i = 0; i < c->ninodes; i++)
		CHANGES_CHECK(c, !atomic_load(&c->inode[i].ip->pins));
	CHANGES_CHECK(c, mount_unmount(c->m));
}

/* True: the log died. What had to be there was there. */
static bool run_steps(struct dev *base, unsigned int flags, enum how how,
		      uint64_t nth)
{
	struct changes *c = changes_new(base, 7);
	struct trans *t;
	bool dead;

	changes_mount(c, flags);
	arm(c->fault, how, nth);
	t = spare(c);
	for (unsigned int i = 0; i < STEPS; i++)
		changes_step(c);
	if (!log_is_shutdown(c->log)) {
		trans_cancel(t);
		t = NULL;
		if (!mount_unmount(c->m))
			c->forced = c->txns;
	}
	dead = log_is_shutdown(c->log);
	if (dead && t)
		check_dead(c, t);
	changes_crash(c, crash_kind(nth));
	if (!dead)
		CHANGES_CHECK(c, !c->facts.dirty);
	changes_recover(c);
	changes_judge(c, c->fault);
	changes_free(c);
	return dead;
}

/* What a run does that nothing happens to: which write is one of the log. */
struct dry {
	uint64_t	writes, flushes, of_log;
	bool		*is_log;	/* by the number of the write, from 1 */
};

static void run_dry(struct dev *base, unsigned int flags, struct dry *dry)
{
	struct changes *c = changes_new(base, 7);
	const struct fault_event *ev;
	uint64_t start, end;
	size_t n;

	changes_mount(c, flags);
	start = xlog_info(c->reader)->log_daddr * BB_SIZE;
	end = start + (uint64_t)xlog_info(c->reader)->log_size_bb * BB_SIZE;
	fault_record(c->fault, true);
	trans_cancel(spare(c));
	for (unsigned int i = 0; i < STEPS; i++)
		changes_step(c);
	CHANGES_CHECK(c, !mount_unmount(c->m));
	ev = fault_events(c->fault, &n);
	*dry = (struct dry){ .is_log = calloc(n + 1, sizeof(bool)) };
	CHANGES_CHECK(c, dry->is_log);
	for (size_t i = 0; i < n; i++) {
		bool in_log = ev[i].off_bytes >= start && ev[i].off_bytes < end;

		if (ev[i].op == FAULT_FLUSH) {
			dry->flushes++;
			continue;
		}
		dry->is_log[++dry->writes] = in_log;
		dry->of_log += in_log;
	}
	changes_unmount(c, false);
	changes_free(c);
}

static void each_io(struct dev *base, unsigned int flags)
{
	struct dry dry;

	run_dry(base, flags, &dry);
	for (enum how how = WRITE_ONCE; how < HOWS; how++) {
		uint64_t n = how == FLUSH_ONCE ? dry.flushes : dry.writes;

		for (uint64_t nth = 1; nth <= n; nth++) {
			bool dies = how != WRITE_ONCE || dry.is_log[nth];

			if (run_steps(base, flags, how, nth) == dies)
				continue;
			fprintf(stderr, "%s, %s %llu of %llu: the log %s\n",
				policy_of(flags), how_names[how],
				(unsigned long long)nth, (unsigned long long)n,
				dies ? "lives" : "dies");
			exit(1);
		}
	}
	printf("%s: %llu writes, %llu of them to the log, and %llu flushes fail\n",
	       policy_of(flags), (unsigned long long)dry.writes,
	       (unsigned long long)dry.of_log, (unsigned long long)dry.flushes);
	free(dry.is_log);
}

/* --- objects on another device than the log --- */

static void store_steps(struct store *s)
{
	for (uint32_t i = 0; i < STORE_STEPS && !log_is_shutdown(s->log); i++) {
		uint32_t id = i * 7 % STORE_OBJECTS;

		(void)!store_change(s, &id, 1, NULL);
		if (i % 5 == 4)
			(void)!store_force(s);
		if (i % 20 == 19)
			ail_push_all(s->log);
		log_step(s->log);
	}
	(void)!log_quiesce(s->log);
}

/* @nth 0: nothing fails; what there was goes into @counts. */
static void run_store(unsigned int flags, enum how how, uint64_t nth,
		      struct fault_counts *counts)
{
	const struct store_config config = {
		.flags = LOG_NO_THREADS | flags, .log_bb = 4096,
		.logbsize_bytes = 16 << 10, .objects = STORE_OBJECTS,
		.body_bytes = 500, .external = true,
	};
	struct store *s = store_new(&config);
	struct fault_counts before, after;
	const char *why;
	uint32_t id = 0;

	need(s, "store", 0);
	fault_counts(s->data, &before);
	if (nth)
		arm(s->data, how, nth + (how == FLUSH_ONCE ? before.flushes :
							     before.writes));
	store_steps(s);
	fault_counts(s->data, &after);
	if (counts)
		*counts = (struct fault_counts){
			.writes = after.writes - before.writes,
			.flushes = after.flushes - before.flushes,
		};
	/* what failed once was written again */
	need(log_is_shutdown(s->log) == (nth && how != WRITE_ONCE),
	     "objects elsewhere: lives or dies", (int)nth);
	if (log_is_shutdown(s->log))
		need(store_change(s, &id, 1, NULL) == -ESHUTDOWN,
		     "a change after the end", (int)nth);
	why = store_crash(s, crash_kind(nth), nth);
	need(!why, why, (int)nth);
	store_free(s);
}

static void each_of_objects(unsigned int flags)
{
	struct fault_counts n;

	run_store(flags, WRITE_ONCE, 0, &n);
	need(n.writes && n.flushes, "nothing is written back", 0);
	for (uint64_t nth = 1; nth <= n.writes; nth++) {
		run_store(flags, WRITE_ONCE, nth, NULL);
		run_store(flags, WRITE_FOR_GOOD, nth, NULL);
	}
	for (uint64_t nth = 1; nth <= n.flushes; nth++)
		run_store(flags, FLUSH_ONCE, nth, NULL);
	printf("%s, log elsewhere: %llu writes and %llu flushes of objects fail\n",
	       policy_of(flags), (unsigned long long)n.writes,
	       (unsigned long long)n.flushes);
}

/* --- with threads --- */

/* Of all runs that died. */
struct deaths {
	uint64_t	runs, died, forced;
	uint64_t	waits[XLOG_BENCH_WAITS];
};

/* All threads have come back, and what was forced is there. */
static void run_threads(bool direct, enum how how, uint64_t nth,
			struct deaths *d)
{
	const struct xlog_bench_open what = {
		.memory_bytes = BENCH_BYTES, .log_bytes = BENCH_LOG_BYTES,
		.report = take_report,
	};
	const struct xlog_bench_options opts = {
		.load = nth % 2 ? XLOG_BENCH_BIGTX : XLOG_BENCH_SETATTR,
		.flags = XLOG_BENCH_MODEL | (direct ? XLOG_BENCH_DIRECT : 0),
		.jobs = JOBS, .ops = 6000, .seed = nth, .force_every = 7,
		.logbsize_bytes = 16 << 10,
	};
	struct xlog_bench_result res;
	struct xlog_bench *b;
	struct dev *fault;
	int rc = xlog_bench_open(&what, &b), ran;

	need(!rc, "open", rc);
	need(!dev_open_fault(b->fs, &fault), "fault", 0);
	b->fs = fault;
	arm(fault, how, nth);
	ran = xlog_bench_run(b, &opts, &res);
	need(!ran || ran == -ESHUTDOWN || ran == -EIO, "run", ran);
	rc = fault_crash(fault, crash_kind(nth), nth);
	need(!rc, "crash", rc);
	rc = xlog_bench_verify(b, &res);
	need(!rc && !res.mismatches, "verify", rc);
	xlog_bench_close(b);
	d->runs++;
	if (!ran)
		return;
	d->died++;
	d->forced += res.forced;
	for (unsigned int i = 0; i < XLOG_BENCH_WAITS; i++)
		d->waits[i] += res.wait[i].sleeps;
}

static void with_threads(bool direct)
{
	struct deaths d = { .runs = 0 };

	for (enum how how = WRITE_ONCE; how < HOWS; how++)
		for (uint64_t nth = 1; nth <= THREADED_RUNS; nth++) {
			/* early ones, and some of all the others */
			uint64_t at = nth < 40 ? nth : 2 * nth;

			run_threads(direct, how, at, &d);
		}
	printf("%s, %d threads: %llu of %llu runs died, with %llu transactions that were forced; threads had waited for space %llu times, for a log buffer %llu, for a push %llu, for a force %llu\n",
	       policy_of(direct ? LOG_DIRECT : 0), JOBS,
	       (unsigned long long)d.died, (unsigned long long)d.runs,
	       (unsigned long long)d.forced,
	       (unsigned long long)d.waits[XLOG_BENCH_WAIT_GRANT],
	       (unsigned long long)d.waits[XLOG_BENCH_WAIT_ICLOG],
	       (unsigned long long)d.waits[XLOG_BENCH_WAIT_CIL],
	       (unsigned long long)d.waits[XLOG_BENCH_WAIT_FORCE]);
	need(d.died > d.runs / 2 && d.forced, "too few died", 0);
}

int main(void)
{
	static const struct changes_geometry geometry = { 4096, 32 << 10 };
	const char *images = getenv("IMAGES");
	char path[4096];

	if (!images) {
		printf("IMAGES: where they are\n");
		return 77;
	}
	snprintf(path, sizeof(path), "%s/linux618/chmod-only.img.zst", images);
	if (!ONLY_THREADED) {
		struct dev *base;

		changes_base_new(&geometry, &base);
		each_io(base, 0);
		each_io(base, LOG_DIRECT);
		dev_close(base);
		changes_base(path, &base);
		each_io(base, 0);
		each_io(base, LOG_DIRECT);
		dev_close(base);
		each_of_objects(0);
		each_of_objects(LOG_DIRECT);
	}
	with_threads(false);
	with_threads(true);
	return 0;
}
