/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chains of deferred work: in which order what is done, and what of it is in
 * the log.
 */
#include "libxlog/obs/trace.h"
#include "tests/lib/cells.h"

static struct cells *c;

static void setup(void)
{
	c = cells_open(&(struct cells_options){ 0 });
}

static void teardown(void)
{
	cells_close(c);
}

TestSuite(defer, .init = setup, .fini = teardown);
TestSuite(defer_log, .init = setup, .fini = teardown);

/* Cell 0 gives, what comes next says to whom. */
static struct trans *give(int64_t units)
{
	struct trans *t = cells_begin(c);

	cell_add(t, &c->cell[0], -units);
	return t;
}

static const struct gift a1 = { .tag = 'a', .to = 1, .units = 5 };

static void commit(struct trans *t)
{
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", c->said.text);
}

/* Each transaction of the chain is a checkpoint. */
static void commit_one_by_one(struct trans *t)
{
	c->fs.hooks.flags = DEFER_FORCE;
	commit(t);
	cr_assert_eq(log_force(c->fs.log, true), 0);
}

/* --- order --- */

Test(defer, is_done_when_its_transaction_commits)
{
	struct trans *t = give(5);

	gift_defer(t, &gift_type, &a1);
	cr_assert(defer_is_pending(t));
	cr_assert_eq(c->cell[1].units, 0);
	commit(t);
	cr_assert_eq(c->cell[1].units, 5);
	cr_assert_str_eq(c->steps, "a.");
	cr_assert_eq(cells_sum(c), 0);
}

Test(defer, finish_leaves_a_clean_transaction_that_can_go_on)
{
	struct trans *t = give(5);

	gift_defer(t, &gift_type, &a1);
	cr_assert_eq(defer_finish(&t), 0);
	cr_assert(!t->dirty && !defer_is_pending(t));
	cr_assert_eq(c->cell[1].units, 5);
	cell_add(t, &c->cell[2], 0);
	gift_defer(t, &gift_type, &(struct gift){ 'b', 3, 1, 0, 0 });
	commit(t);
	cr_assert_str_eq(c->steps, "a.b.");
}

Test(defer, works_of_a_type_share_an_intent_while_it_has_room)
{
	struct trans *t = give(4);

	for (uint32_t i = 1; i <= 4; i++)
		gift_defer(t, &gift_type,
			   &(struct gift){ (char)('a' + i - 1), i, 1, 0, 0 });
	commit_one_by_one(t);
	cr_assert_str_eq(c->steps, "abc.d.");
	cr_assert_str_eq(cells_log(c), "c0 I1 I2 | D1 c1 c2 c3 | D2 c4");
}

Test(defer, types_are_done_in_the_order_in_which_they_were_added)
{
	struct trans *t = give(3);

	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 1, 0, 0 });
	gift_defer(t, &gift_efi_type, &(struct gift){ 'b', 2, 1, 0, 0 });
	gift_defer(t, &gift_type, &(struct gift){ 'c', 3, 1, 0, 0 });
	commit_one_by_one(t);
	cr_assert_str_eq(c->steps, "a.bc.");
	cr_assert_str_eq(cells_log(c), "c0 I1 I2 I3 | D1 c1 | D2 c2 | D3 c3");
}

Test(defer, works_of_an_intent_are_sorted_if_the_type_says_how)
{
	struct trans *t = give(4);

	gift_defer(t, &gift_sorted_type, &(struct gift){ 'a', 7, 1, 0, 0 });
	gift_defer(t, &gift_sorted_type, &(struct gift){ 'b', 2, 1, 0, 0 });
	gift_defer(t, &gift_sorted_type, &(struct gift){ 'c', 7, 1, 0, 0 });
	/* another intent: only those of one are sorted */
	gift_defer(t, &gift_sorted_type, &(struct gift){ 'd', 1, 1, 0, 0 });
	commit(t);
	cr_assert_str_eq(c->steps, "bac.d.");
}

Test(defer, new_work_comes_before_what_is_left)
{
	struct trans *t = give(2);

	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 1, 0, 2 });
	gift_defer(t, &gift_efi_type, &(struct gift){ 'b', 5, 1, 0, 0 });
	commit_one_by_one(t);
	cr_assert_str_eq(c->steps, "a.a.a.b");
	cr_assert_str_eq(cells_log(c),
			 "c0 I1 I2 | D1 I3 | D3 I4 | D4 c3 | D2 c5");
}

Test(defer, work_that_wants_another_transaction_goes_on_in_it)
{
	struct trans *t = give(5);

	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 5, 2, 0 });
	commit_one_by_one(t);
	cr_assert_str_eq(c->steps, "a~a~a.");
	cr_assert_eq(c->cell[1].units, 5);
	cr_assert_str_eq(cells_log(c), "c0 I1 | D1 c1 I2 | D2 c1 I3 | D3 c1");
}

Test(defer, what_is_behind_it_in_its_intent_waits_with_it)
{
	struct trans *t = give(4);

	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 3, 2, 0 });
	gift_defer(t, &gift_type, &(struct gift){ 'b', 2, 1, 0, 0 });
	commit_one_by_one(t);
	cr_assert_str_eq(c->steps, "a~ab.");
	cr_assert_str_eq(cells_log(c), "c0 I1 | D1 c1 I2 | D2 c1 c2");
}

Test(defer, what_it_deferred_before_that_is_done_first)
{
	struct trans *t = give(4);

	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 4, 2, 1 });
	commit_one_by_one(t);
	cr_assert_str_eq(c->steps, "a~a.a.a.");
	cr_assert_str_eq(cells_log(c),
			 "c0 I1 | D1 I2 I3 | D3 c2 | D2 I4 | D4 c2");
}

/* --- what is held --- */

Test(defer, held_is_logged_in_each_transaction_and_held_in_the_end)
{
	struct trans *t = give(6);

	cell_hold(&c->cell[0]);
	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 6, 2, 0 });
	commit_one_by_one(t);
	cr_assert(c->cell[0].locked);
	cr_assert_geq(c->cell[0].relogged, 2);
	/* and so does not hold the tail back */
	cr_assert_str_eq(cells_log(c), "c0 D1 c1 I2 | D2 c1");
	cell_unlock(&c->cell[0]);
}

/* A work changes what the chain holds. */
Test(defer, held_is_changed_by_works_without_another_lock)
{
	struct trans *t = give(6);

	cell_hold(&c->cell[0]);
	gift_defer(t, &gift_type, &(struct gift){ 'a', 0, 6, 2, 0 });
	commit(t);
	cr_assert_eq(c->cell[0].units, 0);
	cell_unlock(&c->cell[0]);
}

/* --- the log --- */

Test(defer_log, intents_done_in_their_checkpoint_are_not_in_it)
{
	struct trans *t = give(6);

	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 6, 2, 1 });
	gift_defer(t, &gift_efi_type, &(struct gift){ 'b', 4, 0, 0, 0 });
	commit(t);
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_str_eq(cells_log(c), "c0 c2 c4");
}

/* Whatever is left of it neither is in the AIL nor holds anything. */
Test(defer_log, is_empty_of_intents_when_the_chain_is_durable)
{
	for (unsigned int flags = 0; flags <= DEFER_FORCE;
	     flags += DEFER_FORCE) {
		struct trans *t = give(6);

		c->fs.hooks.flags = flags;
		gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 6, 2, 1 });
		commit(t);
		cr_assert_eq(log_quiesce(c->fs.log), 0);
		cr_assert_eq(c->fs.log->ail.nitems, 0);
	}
}

Test(defer_log, keeps_its_tail_at_an_intent_that_is_not_done)
{
	struct trans *t = give(5);
	xfs_lsn_t tail;

	gift_defer(t, &gift_type, &a1);
	c->fs.hooks.stop_at = 1;
	cr_assert_eq(trans_commit(t, NULL), -ESHUTDOWN);
	tail = log_tail_lsn(c->fs.log);
	cr_assert_eq(tail, c->cell[0].item.lsn);
	cr_assert_str_eq(cells_log(c), "c0 I1");
}

struct bytes {
	uint16_t	type;
	unsigned int	n, regions;
	uint32_t	len_bytes[DEFER_MAX_REGIONS];
	uint8_t		raw[DEFER_MAX_REGIONS][256];
};

/* Item number @n of the type is wanted, from 0. */
static void take_bytes(void *ctx, xfs_lsn_t lsn, const struct xlog_item *item)
{
	struct bytes *b = ctx;

	(void)lsn;
	if (!item || item->type != b->type || b->n--)
		return;
	b->regions = item->nregions;
	for (unsigned int i = 0; i < item->nregions; i++) {
		b->len_bytes[i] = item->regions[i].len_bytes;
		cr_assert_leq(b->len_bytes[i], sizeof(b->raw[i]));
		memcpy(b->raw[i], item->regions[i].data, b->len_bytes[i]);
	}
}

static struct bytes item_of_type(uint16_t type, unsigned int n)
{
	struct bytes b = { .type = type, .n = n };

	cells_each_item(c, &b, take_bytes);
	cr_assert(b.regions, "no item %#x", type);
	return b;
}

static uint64_t id_of(const struct bytes *b)
{
	return get_w64(b->raw[0] + 8, XFS_HOST_ORDER);
}

static void one_gift(const struct defer_type *type)
{
	struct trans *t = give(5);

	gift_defer(t, type, &a1);
	commit_one_by_one(t);
}

Test(defer_log, has_the_id_in_what_is_done)
{
	struct bytes in, done;

	one_gift(&gift_type);
	in = item_of_type(XFS_LI_RUI, 0);
	done = item_of_type(XFS_LI_RUD, 0);
	cr_assert_eq(in.len_bytes[0], 48);
	cr_assert_eq(get_w32(in.raw[0] + 4, XFS_HOST_ORDER), 1);
	cr_assert_eq(done.regions, 1);
	cr_assert_eq(done.len_bytes[0], 16);
	cr_assert_eq(get_w16(done.raw[0] + 2, XFS_HOST_ORDER), 1);
	cr_assert_eq(get_w32(done.raw[0] + 4, XFS_HOST_ORDER), 0);
	cr_assert_eq(id_of(&done), id_of(&in));
}

Test(defer_log, has_the_extents_again_where_the_type_does)
{
	struct bytes in, done;

	one_gift(&gift_efi_type);
	in = item_of_type(XFS_LI_EFI, 0);
	done = item_of_type(XFS_LI_EFD, 0);
	cr_assert_eq(in.len_bytes[0], 32);
	cr_assert_eq(done.len_bytes[0], 32);
	cr_assert_arr_eq(done.raw[0] + 2, in.raw[0] + 2, 30);
}

Test(defer_log, has_all_regions_of_an_intent)
{
	struct bytes in, done;

	one_gift(&gift_attri_type);
	in = item_of_type(XFS_LI_ATTRI, 0);
	done = item_of_type(XFS_LI_ATTRD, 0);
	cr_assert_eq(in.regions, 3);
	cr_assert_eq(in.len_bytes[0], 40);
	cr_assert_eq(in.len_bytes[1], 8);
	cr_assert_arr_eq(in.raw[1], "aaaaa\0\0\0", 8);
	cr_assert_arr_eq(in.raw[2], "value\0\0\0", 8);
	cr_assert_eq(done.len_bytes[0], 16);
	cr_assert_eq(id_of(&done), id_of(&in));
}

Test(defer_log, has_ids_that_are_no_addresses_and_differ)
{
	struct bytes first, second;

	one_gift(&gift_type);
	first = item_of_type(XFS_LI_RUI, 0);
	one_gift(&gift_type);
	second = item_of_type(XFS_LI_RUI, 0);
	cr_assert_eq(id_of(&first) >> 48, 0x786c);
	cr_assert_neq(id_of(&first), id_of(&second));
}

/* --- chains that last --- */

/*
 * @steps transactions, each a checkpoint, while another intent waits for its
 * turn. The log goes round several times.
 */
static void long_chain(uint32_t steps)
{
	struct trans *t;

	cells_close(c);
	c = cells_open(&(struct cells_options){ .log_bb = 1024 });
	t = give(steps + 1);
	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, steps, 1, 0 });
	gift_defer(t, &gift_efi_type, &(struct gift){ 'b', 2, 1, 0, 0 });
	c->fs.hooks.flags = DEFER_FORCE;
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", c->said.text);
	cells_write_back(c);
}

Test(defer_log, is_not_held_up_by_what_waits_in_a_chain)
{
	long_chain(3000);
	cr_assert_eq(c->cell[1].units, 3000);
	cr_assert_eq(c->cell[2].units, 1);
	cr_assert_eq(cells_sum(c), 0);
	cr_assert_gt(xfs_lsn_cycle(log_head_lsn(c->fs.log)), 3);
}

Test(defer_log, has_an_intent_again_that_would_hold_it_up)
{
	struct trans *t;
	struct list pending;

	cells_close(c);
	c = cells_open(&(struct cells_options){ .log_bb = 1024 });
	t = give(1501);
	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 1500, 1, 0 });
	gift_defer(t, &gift_efi_type, &(struct gift){ 'b', 2, 1, 0, 0 });
	c->fs.hooks.flags = DEFER_FORCE;
	c->fs.hooks.stop_at = 1400;
	cr_assert_eq(trans_commit(t, NULL), -ESHUTDOWN);
	cells_crash(c, FAULT_DROP, 1, &pending);
	c->steps[0] = '\0';
	c->fs.hooks = (struct defer_hooks){ 0 };
	/* both are there, once */
	cr_assert_eq(cells_recover(c, &pending), 0);
	cr_assert_eq(c->cell[1].units, 1500);
	cr_assert_eq(c->cell[2].units, 1);
	cr_assert_eq(cells_sum(c), 0);
}

/* --- events --- */

enum { EVENTS_BYTES = 1024 };

/* "add 1; create 1; ...": events of deferred work, and their counts. */
static void take_event(void *ctx, const struct trace_record *r)
{
	static const struct {
		enum trace_event event;
		const char	*name;
		unsigned int	count;	/* its argument */
	} known[] = {
		{ TRACE_xfs_defer_add_item, "add", 1 },
		{ TRACE_xfs_defer_create_intent, "create", 2 },
		{ TRACE_xfs_defer_pending_finish, "finish", 2 },
		{ TRACE_xfs_defer_pending_abort, "abort", 2 },
		{ TRACE_xfs_defer_finish_error, "error", 2 },
		{ TRACE_xfs_defer_finish_done, "done", 2 },
	};
	char *text = ctx;
	size_t used = strlen(text);

	for (unsigned int i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].event == r->event)
			snprintf(text + used, EVENTS_BYTES - used, "%s %d; ",
				 known[i].name, (int)r->args[known[i].count]);
}

static void trace_defer(char *text)
{
	bool wanted[TRACE_EVENTS];

	memset(wanted, 1, sizeof(wanted));
	cr_assert_eq(trace_start(wanted, take_event, text), 0);
}

Test(defer_log, has_events)
{
	char text[EVENTS_BYTES] = "";
	struct trans *t = give(6);

	trace_defer(text);
	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 5, 3, 0 });
	gift_defer(t, &gift_type, &(struct gift){ 'b', 2, 1, 0, 0 });
	commit(t);
	trace_stop();
	cr_assert_str_eq(text, "add 1; add 2; create 2; finish 2; create 2; "
			 "finish 2; done 0; ");
}

Test(defer_log, has_events_of_what_fails)
{
	char text[EVENTS_BYTES] = "";
	struct trans *t = give(6);

	c->fails = "a";
	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 5, 3, 0 });
	trace_defer(text);
	cr_assert_eq(trans_commit(t, NULL), -EIO);
	trace_stop();
	cr_assert_str_eq(text, "create 1; finish 1; error -5; abort 1; ");
}

/* --- nodelaylog --- */

Test(defer_log, is_the_same_when_each_commit_is_written_at_once)
{
	struct trans *t;

	cells_close(c);
	c = cells_open(&(struct cells_options){ .flags = LOG_DIRECT });
	t = give(5);
	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 5, 2, 0 });
	commit(t);
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_str_eq(cells_log(c), "c0 I1 | D1 c1 I2 | D2 c1 I3 | D3 c1");
	cr_assert_eq(log_quiesce(c->fs.log), 0);
	cr_assert_eq(c->fs.log->ail.nitems, 0);
}

/* --- failure --- */

Test(defer, work_that_fails_ends_the_log)
{
	struct trans *t = give(3);

	c->fails = "b";
	gift_defer(t, &gift_type, &(struct gift){ 'a', 1, 1, 0, 0 });
	gift_defer(t, &gift_efi_type, &(struct gift){ 'x', 1, 1, 0, 0 });
	gift_defer(t, &gift_type, &(struct gift){ 'b', 2, 1, 0, 0 });
	gift_defer(t, &gift_efi_type, &(struct gift){ 'c', 3, 1, 0, 0 });
	cr_assert_eq(trans_commit(t, NULL), -EIO);
	cr_assert(log_is_shutdown(c->fs.log));
	cr_assert_str_eq(c->steps, "a.xb!");
	cr_assert(strstr(c->said.text, "gift b fails"));
	cr_assert(!c->cell[2].locked);
	cr_assert_eq(c->works, 0);
}

Test(defer, that_fails_leaves_the_transaction_to_be_cancelled)
{
	struct trans *t = give(3);

	c->fails = "a";
	cell_hold(&c->cell[0]);
	gift_defer(t, &gift_type, &a1);
	cr_assert_eq(defer_finish(&t), -EIO);
	cr_assert(log_is_shutdown(c->fs.log));
	trans_cancel(t);
	/* held, it is whose it was */
	cell_unlock(&c->cell[0]);
}

Test(defer, a_transaction_that_is_cancelled_does_nothing)
{
	struct trans *t = cells_begin(c);

	gift_defer(t, &gift_type, &a1);
	gift_defer(t, &gift_efi_type, &a1);
	trans_cancel(t);
	cr_assert_not(log_is_shutdown(c->fs.log));
	cr_assert_eq(c->works, 0);
	cr_assert_eq(log_force(c->fs.log, true), 0);
	cr_assert_str_eq(cells_log(c), "");
}

Test(defer, a_log_that_dies_ends_a_chain)
{
	for (int direct = 0; direct <= LOG_DIRECT; direct += LOG_DIRECT) {
		struct trans *t;
		uint64_t writes;

		/* at each write */
		for (writes = 0; ; writes++) {
			struct fault_counts counts;
			int rc;

			cells_close(c);
			c = cells_open(&(struct cells_options){
					       .flags = (unsigned int)direct });
			fault_counts(c->fault, &counts);
			fault_stop(c->fault, FAULT_WRITE,
				   counts.writes + writes);
			t = give(6);
			gift_defer(t, &gift_type,
				   &(struct gift){ 'a', 1, 6, 2, 0 });
			gift_defer(t, &gift_efi_type,
				   &(struct gift){ 'b', 2, 0, 0, 0 });
			c->fs.hooks.flags = DEFER_FORCE;
			rc = trans_commit(t, NULL);
			cr_assert_eq(c->works, 0);
			if (!rc)
				break;
			cr_assert_eq(rc, -ESHUTDOWN);
		}
		cr_assert_gt(writes, 3);
	}
}
