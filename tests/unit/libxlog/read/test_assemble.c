/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/lib/testlog.h"

/* Operations put together by hand, in records of their own. */
static struct testlog t;
static struct xlog_assembly *as;
static uint8_t data[4][8192];
static struct xlog_record rec[4];

static void begin(void)
{
	testlog_init(&t, 4096, 2);
	cr_assert_eq(xlog_assembly_open(&t.log, &as), 0);
	for (int i = 0; i < 4; i++) {
		rec[i] = (struct xlog_record){
			.extent = XLOG_RECORD, .data = data[i],
			.lsn = xlog_lsn(1, (uint32_t)i * 16 + 2),
			.block = (uint32_t)i * 16 + 2,
			.fmt = XLOG_FMT_LINUX_LE };
	}
}

static void end(void)
{
	xlog_assembly_close(as);
	testlog_fini(&t);
}

TestSuite(assembly, .init = begin, .fini = end);

static void op(int r, uint32_t tid, uint8_t flags, const void *payload,
	       uint32_t len)
{
	uint8_t *p = data[r] + rec[r].len_bytes;

	put_be32(p, tid);
	put_be32(p + 4, len);
	p[8] = XLOG_CLIENT_TRANSACTION;
	p[9] = flags;
	p[10] = p[11] = 0;
	if (len)
		memcpy(p + 12, payload, len);
	rec[r].len_bytes += 12 + len;
	rec[r].num_ops++;
}

static void start(int r, uint32_t tid)
{
	uint8_t h[16] = { 0 };

	put_le32(h, 0x5452414e);
	put_le32(h + 4, 40);
	put_le32(h + 8, tid);
	put_le32(h + 12, 3);
	op(r, tid, XLOG_START_TRANS, NULL, 0);
	op(r, tid, 0, h, 16);
}

static void item(int r, uint32_t tid, uint16_t type, uint16_t regions)
{
	uint8_t f[24] = { 0 };

	put_le16(f, type);
	put_le16(f + 2, regions);
	op(r, tid, 0, f, sizeof(f));
}

/* How many regions the transaction that begins record @r says it has. */
static void announce(int r, uint32_t regions)
{
	put_le32(data[r] + 12 + 12 + 12, regions);
}

/* Feed record @r; the transaction it commits, if any. Returns the last rc. */
static int feed(int r, const struct xlog_trans **got)
{
	const struct xlog_trans *tr;
	struct xlog_op o;
	int rc;

	*got = NULL;
	xlog_assembly_record(as, &rec[r]);
	while ((rc = xlog_assembly_op(as, &o, &tr)) == 1)
		if (tr) {
			*got = tr;
			return 1;
		}
	return rc;
}

Test(assembly, gives_a_transaction_at_its_commit)
{
	const struct xlog_trans *tr;

	start(0, 7);
	item(0, 7, 0x123b, 2);
	op(0, 7, 0, "region one..", 12);
	item(0, 7, 0x123f, 1);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), 1);
	cr_assert_not_null(tr);
	cr_assert(tr->committed && !tr->big_endian);
	cr_assert_eq(tr->nitems, 2);
	cr_assert_eq(tr->items[0].type, 0x123b);
	cr_assert_eq(tr->items[0].nregions, 2);
	cr_assert_eq(tr->items[0].regions[1].len_bytes, 12);
	cr_assert_arr_eq(tr->items[0].regions[1].data, "region one..", 12);
	cr_assert_eq(tr->items[1].type, 0x123f);
	cr_assert_eq(tr->type, 40);
	cr_assert_eq(tr->num_regions, 3);
	cr_assert_eq(tr->bytes, 24 + 12 + 24);
	cr_assert_eq(tr->start, xlog_lsn(1, 2));
}

Test(assembly, does_not_copy_what_lies_in_one_record)
{
	const struct xlog_trans *tr;

	start(0, 7);
	item(0, 7, 0x123b, 1);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	feed(0, &tr);
	cr_assert(tr->items[0].regions[0].data > data[0] &&
		  tr->items[0].regions[0].data < data[1]);
}

Test(assembly, joins_a_region_split_over_three_records)
{
	const struct xlog_trans *tr;

	start(0, 7);
	item(0, 7, 0x123c, 2);
	op(0, 7, XLOG_CONTINUE_TRANS, "aaaa", 4);
	op(1, 7, XLOG_WAS_CONT_TRANS | XLOG_CONTINUE_TRANS, "bbbbbbbb", 8);
	op(2, 7, XLOG_WAS_CONT_TRANS | XLOG_END_TRANS, "cccc", 4);
	op(2, 7, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), 0);
	xlog_assembly_detach(as);
	memset(data[0], 0xee, sizeof(data[0]));	/* the record is gone */
	cr_assert_eq(feed(1, &tr), 0);
	xlog_assembly_detach(as);
	memset(data[1], 0xee, sizeof(data[1]));
	cr_assert_eq(feed(2, &tr), 1);
	cr_assert_eq(tr->items[0].regions[1].len_bytes, 16);
	cr_assert_arr_eq(tr->items[0].regions[1].data, "aaaabbbbbbbbcccc", 16);
	cr_assert_eq(get_le16(tr->items[0].regions[0].data), 0x123c);
	cr_assert_eq(tr->commit, rec[2].lsn);
}

Test(assembly, keeps_interleaved_transactions_apart)
{
	const struct xlog_trans *tr;

	start(0, 7);
	item(0, 7, 0x123b, 2);
	start(0, 8);
	item(0, 8, 0x123f, 1);
	op(0, 7, 0, "seven", 5);
	op(0, 8, XLOG_COMMIT_TRANS, NULL, 0);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), 1);
	cr_assert_eq(tr->tid, 8);
	cr_assert_eq(tr->nitems, 1);
	{
		struct xlog_op o;

		cr_assert_eq(xlog_assembly_op(as, &o, &tr), 1);
	}
	cr_assert_eq(tr->tid, 7);
	cr_assert_eq(tr->items[0].nregions, 2);
}

Test(assembly, shows_what_never_committed)
{
	const struct xlog_trans *tr;

	start(0, 7);
	item(0, 7, 0x123b, 3);
	start(0, 9);
	feed(0, &tr);
	tr = xlog_assembly_unfinished(as, NULL);
	cr_assert_eq(tr->tid, 7);
	cr_assert(!tr->committed);
	cr_assert_eq(tr->nitems, 1);
	tr = xlog_assembly_unfinished(as, tr);
	cr_assert_eq(tr->tid, 9);
	cr_assert_null(xlog_assembly_unfinished(as, tr));
}

Test(assembly, reads_big_endian_items_of_a_big_endian_record)
{
	const struct xlog_trans *tr;
	uint8_t h[16] = { 'T', 'R', 'A', 'N', 0, 0, 0, 40,
			  0, 0, 0, 7, 0, 0, 0, 1 };
	uint8_t f[4] = { 0x12, 0x3f, 0, 1 };

	rec[0].fmt = XLOG_FMT_LINUX_BE;
	op(0, 7, XLOG_START_TRANS, NULL, 0);
	op(0, 7, 0, h, 16);
	op(0, 7, 0, f, 4);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), 1);
	cr_assert(tr->big_endian);
	cr_assert_eq(tr->items[0].type, 0x123f);
	cr_assert_str_empty(t.reports);
}

Test(assembly, believes_the_items_about_their_order_and_says_so_once)
{
	const struct xlog_trans *tr;

	for (int r = 0; r < 2; r++) {
		rec[r].fmt = XLOG_FMT_LINUX_BE;
		start(r, 7);		/* little-endian */
		announce(r, 1);
		item(r, 7, 0x123f, 1);
		op(r, 7, XLOG_COMMIT_TRANS, NULL, 0);
	}
	cr_assert_eq(feed(0, &tr), 1);
	cr_assert(!tr->big_endian);
	cr_assert_eq(tr->items[0].type, 0x123f);
	cr_assert(testlog_said(&t, "byte order"));
	t.reports[0] = 0;
	cr_assert_eq(feed(1, &tr), 1);
	cr_assert_str_empty(t.reports);
}

Test(assembly, says_that_regions_are_missing_and_gives_what_is_there)
{
	const struct xlog_trans *tr;

	start(0, 7);
	announce(0, 4);
	item(0, 7, 0x123b, 2);
	op(0, 7, 0, "region one..", 12);
	item(0, 7, 0x123f, 1);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), 1);
	cr_assert_eq(tr->nitems, 2);
	cr_assert(testlog_said(&t, "announces 4 regions and has 3"));
}

Test(assembly, takes_a_number_of_items_for_a_number_of_regions)
{
	const struct xlog_trans *tr;

	start(0, 7);
	announce(0, 2);
	item(0, 7, 0x123b, 2);
	op(0, 7, 0, "region one..", 12);
	item(0, 7, 0x123f, 1);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), 1);
	cr_assert_str_empty(t.reports);
}

Test(assembly, says_that_a_record_has_more_than_its_header_counts)
{
	static const uint8_t filling[BB_SIZE];
	const struct xlog_trans *tr;
	struct xlog_op o;

	start(0, 7);
	op(0, 7, 0, filling, sizeof(filling));
	rec[0].num_ops--;
	t.log.info.sb_version = 5;
	t.log.info.log_sunit_bytes = 4096;
	feed(0, &tr);
	cr_assert_str_empty(t.reports);
	t.log.info.log_sunit_bytes = 1;
	xlog_assembly_record(as, &rec[0]);
	while (xlog_assembly_op(as, &o, &tr))
		;
	cr_assert(testlog_said(&t, "2 operations, behind which 524 bytes are left"));
}

Test(assembly, says_that_a_transaction_goes_on_in_a_record_of_the_other_order)
{
	const struct xlog_trans *tr;

	start(0, 7);
	announce(0, 1);
	rec[1].fmt = 99;
	item(1, 7, 0x123f, 1);
	op(1, 7, XLOG_COMMIT_TRANS, NULL, 0);
	feed(0, &tr);
	cr_assert_eq(xlog_assembly_detach(as), 0);
	cr_assert_str_empty(t.reports);
	cr_assert_eq(feed(1, &tr), 1);
	cr_assert(!tr->big_endian);
	cr_assert(testlog_said(&t, "record 18 and perhaps others"));
}

Test(assembly, says_that_an_unmount_cuts_a_transaction_off)
{
	const struct xlog_trans *tr;

	start(0, 7);
	item(0, 7, 0x123f, 1);
	op(0, 7, XLOG_UNMOUNT_TRANS, "nU", 2);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), 0);
	cr_assert_null(tr);
	cr_assert(testlog_said(&t, "unmount in the middle of transaction 0x7"));
	cr_assert_null(xlog_assembly_unfinished(as, NULL));
}

Test(assembly, passes_by_operations_of_a_transaction_begun_earlier)
{
	const struct xlog_trans *tr;

	op(0, 7, 0, "left over", 9);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), 0);
	cr_assert_null(tr);
	cr_assert_str_empty(t.reports);
}

Test(assembly, ignores_an_operation_without_payload)
{
	const struct xlog_trans *tr;
	uint8_t h[16] = { 'N', 'A', 'R', 'T', 40 };

	op(0, 7, XLOG_START_TRANS, NULL, 0);
	op(0, 7, 0, NULL, 0);
	op(0, 7, 0, h, 16);
	item(0, 7, 0x123f, 1);
	op(0, 7, 0, NULL, 0);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), 1);
	cr_assert_eq(tr->nitems, 1);
	cr_assert_eq(tr->items[0].nregions, 1);
}

Test(assembly, takes_a_transaction_header_in_two_pieces)
{
	const struct xlog_trans *tr;
	uint8_t h[16] = { 'N', 'A', 'R', 'T', 40, 0, 0, 0, 0, 0, 0, 0, 9 };

	op(0, 7, XLOG_START_TRANS, NULL, 0);
	op(0, 7, XLOG_CONTINUE_TRANS, h, 8);
	op(1, 7, XLOG_WAS_CONT_TRANS | XLOG_END_TRANS, h + 8, 8);
	item(1, 7, 0x123f, 1);
	op(1, 7, XLOG_COMMIT_TRANS, NULL, 0);
	feed(0, &tr);
	cr_assert_eq(feed(1, &tr), 1);
	cr_assert_eq(tr->num_regions, 9);
	cr_assert_eq(tr->nitems, 1);
}

static void assert_bad(const char *text)
{
	const struct xlog_trans *tr;

	cr_assert_eq(feed(0, &tr), -EUCLEAN);
	cr_assert(testlog_said(&t, text), "%s", t.reports);
}

Test(assembly, refuses_a_length_that_leaves_the_record)
{
	start(0, 7);
	item(0, 7, 0x123b, 1);
	put_be32(data[0] + rec[0].len_bytes - 24 - 12 + 4, 25);
	assert_bad("bad length");
}

Test(assembly, tells_the_length_that_a_bad_operation_claims)
{
	const struct xlog_trans *tr;
	struct xlog_op o;

	start(0, 7);
	put_be32(data[0] + 12 + 4, 0xa4701c00);
	xlog_assembly_record(as, &rec[0]);
	cr_assert_eq(xlog_assembly_op(as, &o, &tr), 1);
	cr_assert_eq(xlog_assembly_op(as, &o, &tr), -EUCLEAN);
	cr_assert_eq(o.role, XLOG_OP_BAD);
	cr_assert_eq(o.len_bytes, 0xa4701c00);
	cr_assert_null(o.data);
}

Test(assembly, refuses_a_header_that_leaves_the_record)
{
	start(0, 7);
	rec[0].num_ops++;
	rec[0].len_bytes += 8;
	assert_bad("runs past");
}

Test(assembly, refuses_an_unknown_client)
{
	start(0, 7);
	data[0][8] = 1;
	assert_bad("bad client");
}

Test(assembly, refuses_a_region_count_out_of_range)
{
	start(0, 7);
	item(0, 7, 0x123b, 258);
	assert_bad("number of regions");
}

Test(assembly, refuses_a_transaction_header_of_another_magic)
{
	start(0, 7);
	data[0][24] = 'X';
	assert_bad("magic");
}

Test(assembly, refuses_a_continuation_of_nothing)
{
	op(0, 7, XLOG_START_TRANS, NULL, 0);
	op(0, 7, XLOG_WAS_CONT_TRANS, "xxxx", 4);
	assert_bad("continuation of nothing");
}

Test(assembly, refuses_a_second_start)
{
	start(0, 7);
	op(0, 7, XLOG_START_TRANS, NULL, 0);
	assert_bad("bad flags");
}

Test(assembly, refuses_a_commit_without_items)
{
	start(0, 7);
	op(0, 7, XLOG_COMMIT_TRANS, NULL, 0);
	assert_bad("without an item");
}

Test(assembly, warns_of_operations_that_are_not_there)
{
	const struct xlog_trans *tr;

	start(0, 7);
	rec[0].num_ops += 3;
	cr_assert_eq(feed(0, &tr), 0);
	cr_assert(testlog_said(&t, "operations"));
}

Test(assembly, goes_on_with_other_transactions_behind_a_bad_one)
{
	const struct xlog_trans *tr;

	start(0, 7);
	start(0, 8);
	op(0, 7, XLOG_START_TRANS, NULL, 0);
	item(0, 8, 0x123f, 1);
	op(0, 8, XLOG_COMMIT_TRANS, NULL, 0);
	cr_assert_eq(feed(0, &tr), -EUCLEAN);
	{
		struct xlog_op o;
		int rc;

		do
			rc = xlog_assembly_op(as, &o, &tr);
		while (rc == 1 && !tr);
		cr_assert_eq(rc, 1);
	}
	cr_assert_eq(tr->tid, 8);
}

Test(assembly, has_an_end_with_many_open_transactions)
{
	const struct xlog_trans *tr;
	struct xlog_op o;
	int rc;

	for (uint32_t tid = 0; tid < 1200; tid += 600) {
		rec[0].len_bytes = rec[0].num_ops = 0;
		for (uint32_t i = 0; i < 600; i++)
			op(0, tid + i, XLOG_START_TRANS, NULL, 0);
		xlog_assembly_record(as, &rec[0]);
		while ((rc = xlog_assembly_op(as, &o, &tr)))
			;
	}
	cr_assert(testlog_said(&t, "too many open"));
}

/* Two pieces of every record are a region of 4,000 bytes. */
static int feed_much(uint32_t tid, unsigned int times)
{
	static const uint8_t fill[2000];
	const struct xlog_trans *tr;
	int rc = 0;

	rec[1].len_bytes = rec[1].num_ops = 0;
	op(1, tid, XLOG_CONTINUE_TRANS, fill, sizeof(fill));
	op(1, tid, XLOG_WAS_CONT_TRANS, fill, sizeof(fill));
	while (times-- && !rc) {
		rc = feed(1, &tr);
		cr_assert_eq(xlog_assembly_detach(as), 0);
	}
	return rc;
}

static void begin_many_regions(uint32_t tid)
{
	const struct xlog_trans *tr;

	rec[0].len_bytes = rec[0].num_ops = 0;
	start(0, tid);
	item(0, tid, 0x123c, 250);
	cr_assert_eq(feed(0, &tr), 0);
}

Test(assembly, refuses_more_than_memory_is_there_for)
{
	t.log.max_open_bytes = 256 << 10;
	xlog_assembly_close(as);
	cr_assert_eq(xlog_assembly_open(&t.log, &as), 0);
	begin_many_regions(7);
	begin_many_regions(8);
	cr_expect_eq(feed_much(7, 40), 0);
	cr_expect_eq(feed_much(8, 40), -EUCLEAN);
	cr_expect(testlog_said(&t, "too much in open"));
	/* the memory of the one that was given up is there again */
	cr_expect_eq(feed_much(7, 20), 0);
	cr_expect_eq(feed_much(7, 10), -EUCLEAN);
}
