/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power fails at random points while transactions run through the log engine.
 * What recovery finds is always the state after one of them, no earlier than
 * the last that was forced: with both policies, all sizes of log buffers,
 * stripe units and sectors, in small logs that wrap many times.
 *
 *	engine_survives_power_failure
 *
 * CRASH_ALL=1	many more
 * XLOG_SEED	other points; the seed is printed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/store.h"

enum {
	CRASHES = 60,
	CRASHES_ALL = 3000,
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
	};

	c.log_bb = (uint32_t)(c.logbsize_bytes / BB_SIZE) *
		   (16 + (uint32_t)rnd(32));
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

	switch (rnd(12)) {
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
	static const enum fault_crash kinds[] = {
		FAULT_DROP, FAULT_KEEP, FAULT_REORDER, FAULT_TEAR,
	};

	/* half of the time in the middle of something */
	if (rnd(2))
		fault_stop(s->fault, FAULT_WRITE, rnd(200));
	for (uint64_t i = 0; i < at && !log_is_shutdown(s->log); i++)
		one_step(s);
	return store_crash(s, kinds[rnd(4)], rnd(1u << 30));
}

int main(void)
{
	const char *text = getenv("XLOG_SEED"), *all = getenv("CRASH_ALL");
	unsigned long crashes = all && *all == '1' ? CRASHES_ALL : CRASHES;
	unsigned long torn = 0, wrapped = 0, flight = 0, dirty = 0;
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
			const char *why = one_crash(s, 20 + rnd(2000));
			struct store_report r;

			store_last_crash(s, &r);
			if (why) {
				fprintf(stderr, "%s, log %u blocks, %u x %u, sunit %u, sector %u, %u objects of %u\n",
					c.flags & LOG_DIRECT ? "direct" : "delayed",
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
			torn += r.torn;
			wrapped += r.wrapped;
			flight += r.in_flight > 1;
			dirty += r.checkpoints > 0;
		}
		store_free(s);
	}
	printf("seed %llu: %lu crashes: %lu with something to replay, %lu torn, %lu wrapped, %lu with several checkpoints in flight\n",
	       (unsigned long long)start, crashes, dirty, torn, wrapped, flight);
	return 0;
}
