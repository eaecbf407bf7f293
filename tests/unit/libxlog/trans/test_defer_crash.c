/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power fails in the middle of chains, and in the middle of their recovery:
 * afterwards every chain has happened or has not, in their order, and those
 * that were forced have. Without intents in front of what is done that is not
 * so, which is found out.
 */
#include "tests/lib/cells.h"

enum { CHAINS = 6, LOG_BB_SMALL = 512 };

struct plan {
	unsigned int	flags;		/* LOG_* */
	unsigned int	hooks;		/* DEFER_* */
	enum fault_crash how;
	uint64_t	seed;
};

/* What the cells are behind each chain: without a crash. */
static int64_t after[CHAINS + 1][CELLS];

static void copy_units(const struct cells *c, int64_t units[CELLS])
{
	for (unsigned int i = 0; i < CELLS; i++)
		units[i] = c->cell[i].units;
}

static struct cells *open_cells(const struct plan *p)
{
	struct cells *c = cells_open(&(struct cells_options){
					     .flags = p->flags,
					     .log_bb = LOG_BB_SMALL });

	c->fs.hooks.flags = p->hooks;
	return c;
}

static int chain(struct cells *c, uint32_t k)
{
	struct trans *t;
	int rc = trans_alloc(&c->fs, XFS_TR_ITRUNCATE, &t);

	if (rc)
		return rc;
	cell_add(t, &c->cell[0], -20);
	/* 5, in steps of 2; 7 by two others; 4 each sorted and in one intent */
	gift_defer(t, &gift_type, &(struct gift){ 'a', 1 + k % 3, 5, 2, 0 });
	gift_defer(t, &gift_efi_type, &(struct gift){ 'b', 4, 7, 0, 2 });
	gift_defer(t, &gift_type, &(struct gift){ 'c', 8, 4, 3, 1 });
	gift_defer(t, &gift_type, &(struct gift){ 'd', 2, 4, 0, 0 });
	return trans_commit(t, NULL);
}

/* *@forced: chains that are durable. 0, or the log died. */
static int run(struct cells *c, unsigned int *forced)
{
	*forced = 0;
	for (unsigned int k = 1; k <= CHAINS; k++) {
		int rc = chain(c, k);

		if (rc)
			return rc;
		if (k % 2)
			continue;
		rc = log_force(c->fs.log, true);
		if (rc)
			return rc;
		*forced = k;
		if (k % 4 == 0)
			cells_write_back(c);
	}
	return 0;
}

static void learn(void)
{
	struct cells *c = open_cells(&(struct plan){ 0 });

	for (unsigned int k = 1; k <= CHAINS; k++) {
		cr_assert_eq(chain(c, k), 0);
		copy_units(c, after[k]);
	}
	cells_close(c);
}

TestSuite(defer_crash, .init = learn);

/* How many chains there are in the cells, or -1: a part of one. */
static int chains_in(const struct cells *c)
{
	int64_t now[CELLS];

	copy_units(c, now);
	for (int k = CHAINS; k >= 0; k--)
		if (!memcmp(now, after[k], sizeof(now)))
			return k;
	return -1;
}

static bool is_right(const struct cells *c, unsigned int forced)
{
	return chains_in(c) >= (int)forced;
}

/*
 * Power fails after write @stop, and in recovery after write @again of that.
 * *@end: there are no so many. Returns whether all is as it must be.
 */
static bool survives(const struct plan *p, uint64_t stop, uint64_t again,
		     bool *end, bool *again_end)
{
	struct cells *c = open_cells(p);
	struct fault_counts counts;
	struct list pending;
	unsigned int forced;
	bool right;

	fault_counts(c->fault, &counts);
	fault_stop(c->fault, FAULT_WRITE, counts.writes + stop);
	*end = !run(c, &forced);
	cells_crash(c, p->how, p->seed + stop, &pending);
	/* recovery is not what is tested for what went before */
	c->fs.hooks.flags = p->hooks & DEFER_FORCE;
	fault_counts(c->fault, &counts);
	fault_stop(c->fault, FAULT_WRITE, again == FAULT_NEVER ? again :
					  counts.writes + again);
	*again_end = !cells_recover(c, &pending) &&
		     !log_force(c->fs.log, true);
	if (!*again_end) {
		cells_crash(c, p->how, p->seed + again, &pending);
		cr_assert_eq(cells_recover(c, &pending), 0, "%s",
			     c->said.text);
	}
	right = is_right(c, forced);
	cells_close(c);
	return right;
}

/* Of all places where power can fail: in how many is something wrong? */
static unsigned int wrong(const struct plan *p)
{
	unsigned int bad = 0, places = 0;
	bool end = false, again_end;

	for (uint64_t stop = 0; !end; stop++) {
		bad += !survives(p, stop, FAULT_NEVER, &end, &again_end);
		places++;
	}
	cr_assert_gt(places, 2);
	return bad;
}

static const enum fault_crash all_crashes[] = {
	FAULT_DROP, FAULT_KEEP, FAULT_REORDER, FAULT_TEAR,
};

Test(defer_crash, chains_have_happened_or_have_not)
{
	for (unsigned int i = 0; i < 16; i++) {
		struct plan p = {
			.flags = i & 8 ? LOG_DIRECT : 0,
			.hooks = i & 4 ? DEFER_FORCE : 0,
			.how = all_crashes[i & 3], .seed = 7 * i,
		};

		cr_assert_eq(wrong(&p), 0, "plan %u", i);
	}
}

Test(defer_crash, order_the_other_way_is_found_out)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct plan p = {
			.flags = i ? LOG_DIRECT : 0,
			.hooks = DEFER_FORCE | DEFER_BREAK_ORDER,
			.how = FAULT_DROP,
		};

		cr_assert_gt(wrong(&p), 0, "plan %u", i);
	}
}

/* Each point at which a chain can be left, and each write of its recovery. */
Test(defer_crash, recovery_can_be_cut_off_as_well)
{
	struct plan p = { .hooks = DEFER_FORCE };
	unsigned int cut = 0;
	bool end = false;

	for (uint64_t stop = 0; !end; stop++) {
		bool again_end = false;

		p.how = all_crashes[stop % 4];
		for (uint64_t again = 0; !again_end; again++) {
			cr_assert(survives(&p, stop, again, &end, &again_end),
				  "%llu, %llu", (unsigned long long)stop,
				  (unsigned long long)again);
			cut += !again_end;
		}
	}
	cr_assert_gt(cut, 100);
}

/* The hook by which logs with pending intents are made. */
Test(defer_crash, a_chain_can_be_left_at_each_intent)
{
	const struct plan p = { 0 };
	uint64_t points = 0;

	for (uint64_t stop = 1; ; stop++) {
		struct cells *c = open_cells(&p);
		struct list pending;
		unsigned int forced;
		int rc;

		c->fs.hooks.stop_at = stop;
		rc = run(c, &forced);
		points = atomic_load(&c->fs.hooks.points);
		c->fs.hooks.stop_at = 0;
		if (!rc) {
			cells_close(c);
			cr_assert_eq(points, stop - 1);
			break;
		}
		cells_crash(c, FAULT_DROP, 0, &pending);
		cr_assert(!list_is_empty(&pending));
		cr_assert_eq(cells_recover(c, &pending), 0);
		/* at any point the chain has begun, so it is there */
		cr_assert_gt(chains_in(c), 0);
		cr_assert(is_right(c, forced));
		cells_close(c);
	}
	/* a in 3 steps, b over 2 hops, c and d in several */
	cr_assert_geq(points, CHAINS * 10);
}
