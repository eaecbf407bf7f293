/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Busy extents: what is freed is busy until that is durable, and nothing else
 * is.
 */
#include "tests/lib/cells.h"

enum { BLOCKS = 120 };

static struct cells *c;
static struct trans *t;

static void begin(void)
{
	t = cells_begin(c);
	cell_add(t, &c->cell[0], 0);
}

static uint64_t commit(void)
{
	uint64_t seq;

	cr_assert_eq(trans_commit(t, &seq), 0);
	t = NULL;
	return seq;
}

static void setup(void)
{
	c = cells_open(&(struct cells_options){ 0 });
	begin();
}

static void teardown(void)
{
	if (t)
		trans_cancel(t);
	cells_close(c);
}

TestSuite(busy, .init = setup, .fini = teardown);

static void insert(xfs_agnumber_t agno, xfs_agblock_t agbno, uint32_t len)
{
	cr_assert_eq(busy_insert(t, agno, agbno, len, 0), 0, "%s",
		     c->said.text);
}

/* --- the model --- */

/* 0: not busy; else when it is not any more: its checkpoint, or never yet. */
static uint64_t model[CELLS_AGCOUNT][BLOCKS];

#define NOT_COMMITTED	UINT64_MAX

static uint64_t state = 1;

static uint32_t roll(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static bool model_has(xfs_agnumber_t agno, xfs_agblock_t at, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (model[agno][at + i])
			return true;
	return false;
}

static void model_set(xfs_agnumber_t agno, xfs_agblock_t at, uint32_t len,
		      uint64_t value)
{
	for (uint32_t i = 0; i < len; i++)
		model[agno][at + i] = value;
}

static void model_change(uint64_t from, uint64_t to, uint64_t value)
{
	for (unsigned int g = 0; g < CELLS_AGCOUNT; g++)
		for (unsigned int i = 0; i < BLOCKS; i++)
			if (model[g][i] >= from && model[g][i] <= to)
				model[g][i] = value;
}

/* The first run of free blocks with at least @want, or the longest. */
static uint32_t model_trim(xfs_agnumber_t agno, uint32_t want,
			   xfs_agblock_t *at, uint32_t len)
{
	uint32_t best = 0, run = 0;
	xfs_agblock_t first = *at, start = *at, end = *at + len;

	for (xfs_agblock_t b = start; b <= end; b++) {
		if (b < end && !model[agno][b]) {
			run++;
			continue;
		}
		if (run > best) {
			best = run;
			first = b - run;
			if (best >= want)
				break;
		}
		run = 0;
	}
	*at = first;
	return best;
}

static void expect_like_model(xfs_agnumber_t agno, xfs_agblock_t at,
			      uint32_t len)
{
	xfs_agblock_t want_at = at, have_at = at;
	uint32_t want = 1 + roll(len), want_len, have_len = len;
	bool cut;

	cr_assert_eq(busy_search(&c->fs, agno, at, len),
		     model_has(agno, at, len));
	want_len = model_trim(agno, want, &want_at, len);
	cut = busy_trim(&c->fs, agno, want, &have_at, &have_len);
	cr_assert_eq(have_len, want_len);
	if (have_len)
		cr_assert_eq(have_at, want_at);
	cr_assert_eq(cut, have_len != len);
}

Test(busy, is_like_a_bitmap)
{
	uint64_t seq, busiest = 0, n;

	memset(model, 0, sizeof(model));
	for (unsigned int i = 0; i < 30000; i++) {
		xfs_agnumber_t agno = roll(CELLS_AGCOUNT);
		xfs_agblock_t at = roll(BLOCKS);
		uint32_t len = 1 + roll(12);

		if (at + len > BLOCKS)
			len = BLOCKS - at;
		switch (roll(16)) {
		case 0:
			seq = commit();
			model_change(NOT_COMMITTED, NOT_COMMITTED, seq);
			begin();
			break;
		case 1:
			if (roll(4))
				break;
			cr_assert_eq(log_force(c->fs.log, true), 0);
			model_change(1, c->fs.log->cil.done_seq, 0);
			break;
		case 2:
		case 3:
			cr_assert_eq(busy_reuse(t, agno, at, len), 0);
			model_set(agno, at, len, 0);
			break;
		case 4:
		case 5:
		case 6:
		case 7:
			if (model_has(agno, at, len))
				break;
			insert(agno, at, len);
			model_set(agno, at, len, NOT_COMMITTED);
			break;
		default:
			expect_like_model(agno, at, len);
		}
		n = 0;
		for (xfs_agblock_t b = 0; b < BLOCKS; b++)
			n += model[0][b] != 0;
		busiest = n > busiest ? n : busiest;
	}
	cr_assert_gt(busiest, BLOCKS / 2);
}

/* --- until it is durable --- */

Test(busy, ends_when_its_checkpoint_is_durable)
{
	insert(1, 10, 5);
	cr_assert(busy_search(&c->fs, 1, 14, 1));
	cr_assert_not(busy_search(&c->fs, 1, 15, 1));
	cr_assert_not(busy_search(&c->fs, 0, 10, 5));
	commit();
	cr_assert_eq(cil_push(c->fs.log, atomic_load(&c->fs.log->cil.seq),
			      true), 0);
	cr_assert(busy_search(&c->fs, 1, 10, 5));
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_not(busy_search(&c->fs, 1, 10, 5));
}

Test(busy, blocks_are_not_freed_twice)
{
	insert(1, 10, 5);
	cr_assert_eq(busy_insert(t, 1, 14, 3, 0), -EUCLEAN);
	cr_assert(strstr(c->said.text, "freed twice"), "%s", c->said.text);
	/* in another group they are others */
	insert(2, 14, 3);
}

Test(busy, waits_no_further_than_it_has_to)
{
	uint64_t first, second;

	insert(1, 10, 5);
	first = commit();
	cr_assert_eq(log_force(c->fs.log, false), 0);
	cr_assert(cil_push_step(c->fs.log));
	begin();
	insert(1, 20, 5);
	second = commit();
	cr_assert_gt(second, first);
	begin();
	cr_assert_eq(busy_flush(t, 1, 8, 4), 0);
	cr_assert_not(busy_search(&c->fs, 1, 10, 5));
	cr_assert_eq(c->fs.log->cil.done_seq, first);
	cr_assert(busy_search(&c->fs, 1, 20, 5));
	/* nothing is busy there: nothing is forced */
	cr_assert_eq(busy_flush(t, 1, 0, 20), 0);
	cr_assert_eq(atomic_load(&c->fs.log->cil.seq), second);
	cr_assert_eq(busy_flush_group(t, 1), 0);
	cr_assert_not(busy_search(&c->fs, 1, 20, 5));
}

Test(busy, of_the_transaction_itself_does_not_end_by_waiting)
{
	insert(1, 10, 5);
	commit();
	begin();
	insert(1, 20, 5);
	cr_assert_eq(busy_flush_group(t, 1), -EAGAIN);
	cr_assert_not(busy_search(&c->fs, 1, 10, 5));
	cr_assert(busy_search(&c->fs, 1, 20, 5));
	cr_assert_eq(trans_roll(&t), 0);
	cr_assert_eq(busy_flush_group(t, 1), 0);
	cr_assert_not(busy_search(&c->fs, 1, 20, 5));
}

Test(busy, can_be_waited_for_when_each_commit_is_written_at_once)
{
	trans_cancel(t);
	t = NULL;
	c->said.text[0] = '\0';
	cells_close(c);
	c = cells_open(&(struct cells_options){ .flags = LOG_DIRECT });
	begin();
	insert(1, 10, 5);
	commit();
	begin();
	cr_assert(busy_search(&c->fs, 1, 10, 5));
	insert(1, 20, 5);
	cr_assert_eq(busy_flush_group(t, 1), -EAGAIN);
	cr_assert_not(busy_search(&c->fs, 1, 10, 5));
	cr_assert(busy_search(&c->fs, 1, 20, 5));
}

Test(busy, what_a_dead_log_had_is_let_go)
{
	insert(1, 10, 5);
	commit();
	begin();
	insert(1, 20, 5);
	log_shutdown(c->fs.log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cr_assert_eq(busy_flush(t, 1, 10, 5), -ESHUTDOWN);
	cr_assert_eq(trans_commit(t, NULL), -ESHUTDOWN);
	t = NULL;
	cr_assert_not(busy_search(&c->fs, 1, 20, 5));
}

Test(busy, of_a_transaction_that_is_cancelled_is_not)
{
	commit();
	t = cells_begin(c);
	insert(1, 10, 5);
	trans_cancel(t);
	t = NULL;
	cr_assert_not(busy_search(&c->fs, 1, 10, 5));
}

/* --- reuse --- */

Test(busy, reused_in_the_middle_leaves_both_ends)
{
	xfs_agblock_t at = 0;
	uint32_t len = 100;

	insert(1, 10, 30);
	cr_assert_eq(busy_reuse(t, 1, 20, 5), 0);
	cr_assert(busy_search(&c->fs, 1, 10, 10));
	cr_assert_not(busy_search(&c->fs, 1, 20, 5));
	cr_assert(busy_search(&c->fs, 1, 25, 15));
	/* and may be freed once more */
	insert(1, 21, 2);
	cr_assert(busy_trim(&c->fs, 1, 60, &at, &len));
	cr_assert_eq(at, 40);
	cr_assert_eq(len, 60);
	commit();
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_not(busy_search(&c->fs, 1, 0, 1000));
}

Test(busy, trimmed_is_the_first_stretch_that_is_long_enough)
{
	xfs_agblock_t at = 5;
	uint32_t len = 95;

	insert(1, 10, 10);
	insert(1, 30, 10);
	cr_assert(busy_trim(&c->fs, 1, 8, &at, &len));
	cr_assert_eq(at, 20);
	cr_assert_eq(len, 10);
	at = 10;
	len = 10;
	cr_assert(busy_trim(&c->fs, 1, 1, &at, &len));
	cr_assert_eq(len, 0);
	at = 20;
	len = 10;
	cr_assert_not(busy_trim(&c->fs, 1, 10, &at, &len));
	cr_assert_eq(len, 10);
}

/* --- discard --- */

enum { BLOCK_BYTES = 4096, GROUP_BLOCKS = 1000 };

/* A device that writes down what is discarded: "1:10+5 2:0+1 ". */
static struct dev disc;
static char discards[256];
static int discard_rc;

static int note_discard(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	uint64_t block = off_bytes / BLOCK_BYTES;
	size_t used = strlen(discards);

	(void)dev;
	cr_assert_eq(off_bytes % BLOCK_BYTES + len % BLOCK_BYTES, 0);
	snprintf(discards + used, sizeof(discards) - used,
		 "%llu:%llu+%llu ", (unsigned long long)(block / GROUP_BLOCKS),
		 (unsigned long long)(block % GROUP_BLOCKS),
		 (unsigned long long)(len / BLOCK_BYTES));
	return discard_rc;
}

static const struct dev_ops disc_ops = {
	.kind = "discards", .discard = note_discard,
};

static void begin_discarding(void)
{
	dev_init(&disc, &disc_ops, &(struct sink){ NULL, NULL }, "discards");
	disc.size_bytes = (uint64_t)CELLS_AGCOUNT * GROUP_BLOCKS * BLOCK_BYTES;
	disc.writable = true;
	c = cells_open(&(struct cells_options){ .discard = &disc });
	begin();
}

TestSuite(busy_discard, .init = begin_discarding, .fini = teardown);

Test(busy_discard, is_done_when_it_is_durable)
{
	/* neighbours, and another group in between */
	insert(1, 15, 5);
	insert(2, 0, 1);
	insert(1, 10, 5);
	insert(1, 21, 1);
	cr_assert_eq(busy_insert(t, 3, 7, 5, BUSY_KEEP), 0);
	commit();
	cr_assert_str_eq(discards, "");
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_str_eq(discards, "1:10+10 1:21+1 2:0+1 ");
	cr_assert_not(busy_search(&c->fs, 1, 0, GROUP_BLOCKS));
	cr_assert_not(busy_search(&c->fs, 3, 0, GROUP_BLOCKS));
}

Test(busy_discard, spares_what_was_reused)
{
	insert(1, 10, 10);
	cr_assert_eq(busy_reuse(t, 1, 10, 5), 0);
	commit();
	begin();
	cr_assert_eq(busy_reuse(t, 1, 16, 2), 0);
	commit();
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_str_eq(discards, "1:15+1 1:18+2 ");
}

Test(busy_discard, spares_what_later_checkpoints_freed)
{
	insert(1, 10, 5);
	commit();
	cr_assert_eq(log_force(c->fs.log, false), 0);
	cr_assert(cil_push_step(c->fs.log));
	begin();
	insert(1, 15, 5);
	commit();
	begin();
	cr_assert_eq(busy_flush(t, 1, 10, 1), 0);
	cr_assert_str_eq(discards, "1:10+5 ");
}

Test(busy_discard, is_not_done_by_a_dead_log)
{
	insert(1, 10, 10);
	commit();
	log_shutdown(c->fs.log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cells_close(c);
	cr_assert_str_eq(discards, "");
	c = cells_open(&(struct cells_options){ 0 });
}

Test(busy_discard, is_not_tried_again_where_there_is_none)
{
	discard_rc = -EOPNOTSUPP;
	insert(1, 10, 10);
	commit();
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_not(busy_search(&c->fs, 1, 10, 10));
	begin();
	insert(1, 10, 10);
	commit();
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_str_eq(discards, "1:10+10 ");
}

Test(busy_discard, that_fails_leaves_free_what_is_free)
{
	discard_rc = -EIO;
	insert(1, 10, 10);
	commit();
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_not(busy_search(&c->fs, 1, 10, 10));
	cr_assert_not(log_is_shutdown(c->fs.log));
}
