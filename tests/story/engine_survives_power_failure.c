/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power fails at random points while transactions run through the log engine.
 * What recovery finds is always the state after one of them, no earlier than
 * the last that was forced: with both policies, all sizes of log buffers,
 * stripe units and sectors, in small logs that wrap many times, on the device of
 * the objects and on one of their own.
 *
 *	engine_survives_power_failure
 *
 * CRASHES=N	so many; of each kind there have to be enough then
 * XLOG_SEED	other points; the seed is printed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/store.h"

/* One thread has nothing to show ThreadSanitizer, and takes minutes under it. */
#ifdef __SANITIZE_THREAD__
enum { CRASHES = 2 };
#else
enum { CRASHES = 60 };
#endif

enum {
	SHARE_PERCENT = 10,
	PER_STORE = 5,
	MAX_IDS = 24,
};

static uint64_t seed;

static uint64_t rnd(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

static struct store_config any_config(void)
{
	static const uint32_t sizes[] = { 16, 32, 64, 128, 256 };
	static const uint32_t sunits[] = { 0, 0, 4096, 16384 };
	struct store_config c = {
		.flags = LOG_NO_THREADS | (rnd(4) ? 0 : LOG_DIRECT),
		.objects = 16 + (unsigned int)rnd(1000),
		.body_bytes = rnd(2) ? 64 : STORE_MAX_BODY,
		.logbufs = 2 + (uint32_t)rnd(7),
		.logbsize_bytes = sizes[rnd(5)] << 10,
		.sunit_bytes = sunits[rnd(4)],
		.sector_bytes = rnd(3) ? 512 : 4096,
		.external = !rnd(3),
	};

	c.log_bb = (uint32_t)(c.logbsize_bytes / BB_SIZE) *
		   (10 + (uint32_t)rnd(20));
	if (c.log_bb < 4096)
		c.log_bb = 4096;
	return c;
}

/* Ascending, no two the same. */
static unsigned int any_ids(const struct store *s, uint32_t *ids)
{
	unsigned int count = 1 + (unsigned int)rnd(MAX_IDS);
	uint32_t id = (uint32_t)rnd(s->config.objects), n = 0;

	if (count > s->config.objects)
		count = s->config.objects;
	if (id + count > s->config.objects)
		id = s->config.objects - count;
	while (n < count)
		ids[n++] = id++;
	return n;
}

static void one_step(struct store *s)
{
	uint32_t ids[MAX_IDS];
	unsigned int n = any_ids(s, ids);
	int rc = 0;

	store_look(s);
	switch (rnd(14)) {
	case 0:
		rc = store_chain(s, ids, n, 1 + (unsigned int)rnd(6), NULL);
		break;
	case 1:
		rc = rnd(3) ? 0 : store_force(s);
		break;
	case 2:
		rc = log_force(s->log, false);
		break;
	case 3:
		while (iclog_io_step(s->log) && rnd(3))
			;
		break;
	case 4:
		cil_push_step(s->log);
		break;
	case 6:
	case 7:
		rc = cil_push(s->log, atomic_load(&s->log->cil.seq), false);
		break;
	case 5:
		if (!rnd(4))
			ail_push_all(s->log);
		ail_push_step(s->log);
		break;
	default:
		rc = store_change(s, ids, n, NULL);
	}
	if (rc && !log_is_shutdown(s->log)) {
		fprintf(stderr, "a step fails: %d\n", rc);
		exit(1);
	}
}

static const char *one_crash(struct store *s, uint64_t at)
{
	/* most of the time in the middle of something, or just before a flush */
	switch (rnd(4)) {
	case 0:
		fault_stop(s->fault, FAULT_WRITE, rnd(5000));
		break;
	case 1:
	case 2:
		fault_stop(s->fault, FAULT_FLUSH, 1 + rnd(400));
		break;
	}
	for (uint64_t i = 0; i < at && !log_is_shutdown(s->log); i++)
		one_step(s);
	return store_crash(s, crash_kind(rnd(1u << 30)), rnd(1u << 30));
}

int main(void)
{
	const char *text = getenv("XLOG_SEED"), *many = getenv("CRASHES");
	unsigned long crashes = many ? strtoul(many, NULL, 0) : CRASHES;
	struct crash_counts counts = { .crashes = 0 };
	uint64_t start;

	seed = start = text ? strtoull(text, NULL, 0) : 1;
	for (unsigned long n = 0; n < crashes; ) {
		struct store_config c = any_config();
		struct store *s = store_new(&c);

		if (!s) {
			fprintf(stderr, "no store\n");
			return 1;
		}
		for (int i = 0; i < PER_STORE && n < crashes; i++, n++) {
			uint64_t before = seed;
			const char *why = one_crash(s, 20 + rnd(4000));
			struct store_report r;

			store_last_crash(s, &r);
			if (why) {
				fprintf(stderr, "%s, %s log %u blocks, %u x %u, sunit %u, sector %u, %u objects of %u\n",
					c.flags & LOG_DIRECT ? "direct" : "delayed",
					c.external ? "external" : "internal",
					c.log_bb, c.logbufs, c.logbsize_bytes,
					c.sunit_bytes, c.sector_bytes,
					c.objects, c.body_bytes);
				fprintf(stderr, "crash %lu (state %llu of seed %llu): %s; recovered %llu, forced %llu, committed %llu: %s\n",
					n, (unsigned long long)before,
					(unsigned long long)start, why,
					(unsigned long long)r.recovered,
					(unsigned long long)s->forced,
					(unsigned long long)s->committed,
					s->said);
				return 1;
			}
			crash_count(&counts, &r.facts);
		}
		store_free(s);
	}
	printf("seed %llu: ", (unsigned long long)start);
	return !crash_counts_are_enough(&counts, many ? SHARE_PERCENT : 0);
}
