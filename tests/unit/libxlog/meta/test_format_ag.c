/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lies where in a group. The numbers are those of filesystems that
 * mkfs.xfs 6.1 made, read with xfs_db.
 */
#include "libxlog/meta/meta.h"
#include "tests/lib/memdev.h"

#define MIB(n)	((uint64_t)(n) << 20)

static struct reports said;
static struct format_plan plan;
static struct ag_layout l;

static void make_plan(struct xlog_format_options o, uint64_t bytes)
{
	const struct xlog_format_device data = { .size_bytes = bytes };

	o.flags |= XLOG_FORMAT_EXPERT;
	o.report = reports_add;
	o.report_ctx = &said;
	cr_assert_eq(format_plan_init(&plan, &o, &data, NULL), 0, "%s",
		     said.text);
}

static bool is(const struct ag_extent *e, xfs_agblock_t start, uint32_t len)
{
	return e->start == start && e->len == len;
}

Test(ag_layout, first_group_has_inodes)
{
	make_plan((struct xlog_format_options){ 0 }, MIB(512));
	cr_assert_eq(ag_prealloc_blocks(&plan.geom), 7);
	cr_assert(ag_layout_init(&l, &plan, 0));
	cr_assert_eq(l.root[XFS_BTREE_BNO], 1);
	cr_assert_eq(l.root[XFS_BTREE_REFC], 6);
	cr_assert(l.nagfl == 1 && is(&l.agfl[0], 7, 6));
	cr_assert(is(&l.inodes, 16, 8));
	cr_assert_eq(plan.sb.sb_rootino, 128);
	cr_assert_eq(l.nfree, 2);
	cr_assert(is(&l.free[0], 13, 3) && is(&l.free[1], 24, 32744));
}

Test(ag_layout, group_of_the_log_goes_on_behind_it)
{
	make_plan((struct xlog_format_options){ 0 }, MIB(512));
	cr_assert(ag_layout_init(&l, &plan, 2));
	cr_assert(is(&l.log, 7, 16384));
	cr_assert(l.nagfl == 1 && is(&l.agfl[0], 16391, 6));
	cr_assert(l.nfree == 1 && is(&l.free[0], 16397, 16371));
	cr_assert_eq(l.inodes.len, 0);
}

Test(ag_layout, last_group_is_smaller)
{
	make_plan((struct xlog_format_options){ .agsize_bytes = MIB(100) },
		  MIB(350));
	cr_assert_eq(plan.sb.sb_agcount, 4);
	cr_assert(ag_layout_init(&l, &plan, 3));
	cr_assert_eq(l.blocks, 12800);
	cr_assert_not(ag_layout_init(&l, &plan, 4));
}

/* Blocks set aside come in pieces where there is no room in one. */
Test(ag_layout, feeds_btrees_from_both_sides_of_the_log)
{
	make_plan((struct xlog_format_options){
			  .block_bytes = 8192, .sunit_bytes = 155648,
			  .swidth_bytes = 5 * 155648, .agcount = 7,
			  .rmapbt = XLOG_NO, .reflink = XLOG_NO,
			  .nrext64 = XLOG_NO,
			  .log_sunit_bytes = 32768,
			  .flags = XLOG_FORMAT_LOG_AGNUM, .log_agnum = 3 },
		  MIB(300));
	cr_assert(ag_layout_init(&l, &plan, 3));
	cr_assert(is(&l.log, 8, 5480));
	cr_assert_eq(l.nagfl, 2);
	cr_assert(is(&l.agfl[0], 5488, 3) && is(&l.agfl[1], 5, 1));
	cr_assert(l.nfree == 1 && is(&l.free[0], 6, 2));
}

Test(ag_layout, log_that_fills_its_group_leaves_none_for_btrees)
{
	make_plan((struct xlog_format_options){
			  .agsize_bytes = 17825792, .finobt = XLOG_NO,
			  .nrext64 = XLOG_NO, .log_bytes = 4096 * 4341 },
		  MIB(400));
	cr_assert(ag_layout_init(&l, &plan, plan.sb.sb_agcount / 2));
	cr_assert(is(&l.log, 6, 4341));
	cr_assert_eq(l.nagfl, 0);
	cr_assert(l.nfree == 1 && is(&l.free[0], 4347, 5));
}

Test(ag_layout, inodes_begin_on_a_stripe)
{
	make_plan((struct xlog_format_options){
			  .sunit_bytes = 262144, .swidth_bytes = 1048576 },
		  MIB(1024));
	cr_assert(ag_layout_init(&l, &plan, 0));
	cr_assert(is(&l.inodes, 64, 8));
}

/* Blocks that hold more inodes than a record has. */
Test(ag_layout, chunk_is_one_block_at_least)
{
	make_plan((struct xlog_format_options){
			  .block_bytes = 65536, .rmapbt = XLOG_NO,
			  .log_bytes = MIB(64) }, MIB(512));
	cr_assert(ag_layout_init(&l, &plan, 0));
	cr_assert_eq(ag_chunk_inodes(&plan.geom), 128);
	cr_assert_eq(l.inodes.len, 1);
	cr_assert(plan.sb.sb_icount == 128 && plan.sb.sb_ifree == 125);
}
