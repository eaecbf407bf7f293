/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether xlog_bench_verify() finds what is wrong: a load runs in memory, and
 * then the filesystem is spoilt as a bad recovery would.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/meta/bench.h"

enum {
	MODE_OFF = 2,
	CHANGECOUNT_OFF = 104,
	OPS = 200,
};

static struct xlog_bench_result res;
static char said[4096];

static void take_report(void *ctx, const struct xlog_report *r)
{
	size_t used = strlen(said);

	(void)ctx;
	snprintf(said + used, sizeof(said) - used, "%s\n", r->text);
}

static struct xlog_bench *open_memory(void)
{
	const struct xlog_bench_open what = {
		.memory_bytes = 64 << 20, .report = take_report,
	};
	struct xlog_bench *b;

	cr_assert_eq(xlog_bench_open(&what, &b), 0, "%s", said);
	return b;
}

static struct xlog_bench *loaded(enum xlog_bench_load load, unsigned int jobs)
{
	const struct xlog_bench_options opts = {
		.load = load, .flags = XLOG_BENCH_MODEL, .jobs = jobs,
		.ops = OPS, .seed = 3, .set = load == XLOG_BENCH_BIGTX ? 20 : 0,
	};
	struct xlog_bench *b = open_memory();

	cr_assert_eq(xlog_bench_run(b, &opts, &res), 0, "%s", said);
	cr_assert_eq(res.tx, OPS);
	return b;
}

/* The inode on the device, and it again with its checksum made right. */
static void get(struct xlog_bench *b, size_t i, uint8_t *raw)
{
	const struct bench_inode *bi = &b->inode[i];

	cr_assert_eq(dev_read(b->fs, bi->daddr * BB_SIZE + bi->offset_bytes,
			      raw, b->reader->geom.inodesize), 0);
}

static void put(struct xlog_bench *b, size_t i, uint8_t *raw)
{
	const struct bench_inode *bi = &b->inode[i];
	uint32_t bytes = b->reader->geom.inodesize;

	put_le32(raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(raw, bytes, XFS_DINODE_CRC_OFF));
	cr_assert_eq(dev_write(b->fs, bi->daddr * BB_SIZE + bi->offset_bytes,
			       raw, bytes), 0);
}

static void found(struct xlog_bench *b, const char *words)
{
	cr_assert_eq(xlog_bench_verify(b, &res), 0, "%s", said);
	cr_assert(res.verified);
	if (!words)
		cr_assert_eq(res.mismatches, 0, "%s", said);
	else
		cr_assert(res.mismatches && strstr(said, words), "%s", said);
	xlog_bench_close(b);
}

Test(xlog_bench_verify, finds_nothing_wrong_where_nothing_is)
{
	found(loaded(XLOG_BENCH_SETATTR, 1), NULL);
	cr_assert_eq(res.recovered, OPS);
	cr_assert_eq(res.forced, OPS);
	found(loaded(XLOG_BENCH_SETATTR, 3), NULL);
	found(loaded(XLOG_BENCH_BIGTX, 2), NULL);
	found(loaded(XLOG_BENCH_RELOG, 2), NULL);
}

Test(xlog_bench_verify, finds_an_inode_that_no_change_left_so)
{
	struct xlog_bench *b = loaded(XLOG_BENCH_SETATTR, 1);
	uint8_t raw[XFS_DINODE_MAX_BYTES];

	get(b, 5, raw);
	put_be16(raw + MODE_OFF, get_be16(raw + MODE_OFF) ^ 1);
	put(b, 5, raw);
	found(b, "is not as change");
}

Test(xlog_bench_verify, finds_a_change_that_never_was)
{
	struct xlog_bench *b = loaded(XLOG_BENCH_SETATTR, 1);
	uint8_t raw[XFS_DINODE_MAX_BYTES];

	get(b, 5, raw);
	put_be64(raw + CHANGECOUNT_OFF, get_be64(raw + CHANGECOUNT_OFF) + 1);
	put(b, 5, raw);
	found(b, "inode 135: change 5 of 4");
}

Test(xlog_bench_verify, finds_an_inode_that_is_damaged)
{
	struct xlog_bench *b = loaded(XLOG_BENCH_SETATTR, 1);
	uint8_t raw[XFS_DINODE_MAX_BYTES];

	get(b, 5, raw);
	raw[XFS_DINODE_UNLINKED_OFF] ^= 1;
	cr_assert_eq(dev_write(b->fs, b->inode[5].daddr * BB_SIZE +
			       b->inode[5].offset_bytes, raw,
			       b->reader->geom.inodesize), 0);
	found(b, "inode 135: ");
}

/* As it was before the last change of it, or before any. */
static void put_old(struct xlog_bench *b, size_t i, uint64_t changes)
{
	uint8_t raw[XFS_DINODE_MAX_BYTES];
	struct xfs_dinode di;

	memcpy(raw, b->inode[i].first, b->reader->geom.inodesize);
	xfs_dinode_decode(&di, raw, b->reader->geom.inodesize, XFS_BE);
	for (uint64_t n = 0; n < changes; n++)
		bench_change(b, &di, b->inode[i].ino, n);
	xfs_dinode_encode(raw, &di, xfs_dinode_variant(&di), XFS_BE);
	put(b, i, raw);
}

Test(xlog_bench_verify, finds_a_transaction_without_one_before_it)
{
	struct xlog_bench *b = loaded(XLOG_BENCH_SETATTR, 1);

	put_old(b, 5, b->inode[5].changes - 1);
	found(b, "and not all before it");
}

Test(xlog_bench_verify, finds_a_transaction_that_is_there_by_half)
{
	struct xlog_bench *b = loaded(XLOG_BENCH_BIGTX, 1);

	/* the last one was of inodes 60 and 61 */
	put_old(b, 61, b->inode[61].changes - 1);
	found(b, "and not all before it");
}

Test(xlog_bench_verify, finds_that_durable_transactions_are_lost)
{
	struct xlog_bench *b = loaded(XLOG_BENCH_SETATTR, 1);

	for (size_t i = 0; i < b->ninodes; i++)
		put_old(b, i, 0);
	found(b, "200 transactions were durable, 0 are there");
}

/* What is not durable may be missing, but not before what is there. */
Test(xlog_bench_verify, finds_that_a_job_lost_what_ended_before_another_began)
{
	struct xlog_bench *b = loaded(XLOG_BENCH_SETATTR, 2);

	b->job[1].forced = 0;
	for (size_t i = 1; i < b->ninodes; i += 2)
		put_old(b, i, 0);
	b->job[1].span[0] = (struct bench_span){ 0, 0 };
	found(b, "job 1: transaction 1 is missing, later ones are there");
}

Test(xlog_bench_verify, allows_that_what_was_not_durable_is_missing)
{
	struct xlog_bench *b = loaded(XLOG_BENCH_SETATTR, 2);

	for (unsigned int j = 0; j < 2; j++)
		b->job[j].forced = 0;
	for (size_t i = 0; i < b->ninodes; i++)
		put_old(b, i, 0);
	found(b, NULL);
	cr_assert_eq(res.recovered, 0);
}

Test(xlog_bench_run, runs_once)
{
	struct xlog_bench *b = loaded(XLOG_BENCH_SETATTR, 1);

	cr_assert_eq(xlog_bench_run(b, &(struct xlog_bench_options){ .ops = 1 },
				    &res), -EINVAL);
	xlog_bench_close(b);
}

Test(xlog_bench_times_ns, is_the_bucket_at_that_share)
{
	static struct xlog_bench_times r;

	cr_assert_eq(xlog_bench_times_ns(&r, 50), 0);
	r.bucket[hist_bucket_of(10)] = 98;
	r.bucket[hist_bucket_of(1000)] = 1;
	r.bucket[hist_bucket_of(5000)] = 1;
	r.max_ns = 5000;
	cr_assert_eq(xlog_bench_times_ns(&r, 0), 10);
	cr_assert_eq(xlog_bench_times_ns(&r, 98), 10);
	cr_assert_eq(xlog_bench_times_ns(&r, 99),
		     hist_bucket_max(hist_bucket_of(1000)));
	cr_assert_eq(xlog_bench_times_ns(&r, 100), 5000);
	cr_assert_eq(xlog_bench_times_count(&r), 100);
}
