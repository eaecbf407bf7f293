/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Geometries against what "mkfs.xfs -N" of 6.1 printed for the same options,
 * and what is refused.
 */
#include "libxlog/meta/meta.h"
#include "tests/lib/memdev.h"

#define MIB(n)	((uint64_t)(n) << 20)
#define GIB(n)	((uint64_t)(n) << 30)
#define TIB(n)	((uint64_t)(n) << 40)

static struct reports said;
static struct xlog_geometry geo;

/* What mkfs.xfs 6.1 makes by default, which has fewer features. */
static struct xlog_format_options base(void)
{
	return (struct xlog_format_options){
		.rmapbt = XLOG_NO, .nrext64 = XLOG_NO,
		.report = reports_add, .report_ctx = &said,
	};
}

static int plan(const struct xlog_format_options *o, uint64_t bytes)
{
	const struct xlog_format_device data = { .size_bytes = bytes };

	return xlog_format_plan(o, &data, NULL, &geo);
}

/* --- sizes of the device --- */

Test(format_plan, chooses_as_mkfs_by_size)
{
	static const struct {
		uint64_t bytes, blocks;
		uint32_t agcount, agblocks, imaxpct, log;
	} want[] = {
		{ MIB(300), 76800, 4, 19200, 25, 16384 },
		{ MIB(511), 130816, 4, 32704, 25, 16384 },
		{ GIB(1), 262144, 4, 65536, 25, 16384 },
		{ GIB(128), 33554432, 4, 8388608, 25, 16384 },
		{ GIB(129), 33816576, 4, 8454144, 25, 16512 },
		{ GIB(1000), 262144000, 4, 65536000, 25, 128000 },
		{ TIB(1), 268435456, 4, 67108864, 5, 131072 },
		{ GIB(4095), 1073479680, 4, 268369920, 5, 521728 },
		{ TIB(4), 1073741820, 4, 268435455, 5, 521728 },
		{ GIB(4097), 1074003968, 5, 268435455, 5, 521728 },
		{ TIB(50), 13421772750, 50, 268435455, 5, 521728 },
		{ TIB(51), 13690208205, 51, 268435455, 1, 521728 },
		{ TIB(4096), 1099511627776, 4097, 268435455, 1, 521728 },
	};
	struct xlog_format_options o = base();

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		cr_assert_eq(plan(&o, want[i].bytes), 0, "%s", said.text);
		cr_assert_eq(geo.blocks, want[i].blocks, "%zu", i);
		cr_assert_eq(geo.agcount, want[i].agcount, "%zu", i);
		cr_assert_eq(geo.ag_blocks, want[i].agblocks, "%zu", i);
		cr_assert_eq(geo.imaxpct, want[i].imaxpct, "%zu", i);
		cr_assert_eq(geo.log_blocks, want[i].log, "%zu", i);
		cr_assert_eq(geo.log_agno, want[i].agcount / 2, "%zu", i);
	}
	assert_silent(&said);
}

Test(format_plan, chooses_as_mkfs_by_stripe)
{
	static const struct {
		uint64_t bytes;
		uint32_t block, unit, disks;
		uint64_t agsize, blocks;
		uint32_t agcount, agblocks, log, log_sunit;
	} want[] = {
		{ GIB(1), 4096, 65536, 4, 0, 262016, 8, 32752, 16384, 16 },
		{ GIB(1), 4096, 262144, 1, 0, 262144, 8, 32768, 16384, 64 },
		{ GIB(1), 65536, 65536, 4, 0, 16376, 8, 2047, 1024, 1 },
		{ GIB(100), 4096, 65536, 4, 0, 26214144, 16, 1638384, 16384,
		  16 },
		{ GIB(513), 4096, 61440, 3, MIB(100), 134477460, 5252, 25605,
		  25590, 15 },
		{ GIB(513), 4096, 524288, 3, 0, 134479872, 33, 4202368, 65664,
		  8 },
		{ TIB(1), 4096, 61440, 3, MIB(100), 268435456, 10484, 25605,
		  25575, 15 },
		{ TIB(5), 65536, 524288, 2, 0, 83886080, 33, 2621432, 32608,
		  0 },
		{ TIB(33), 4096, 65536, 4, 0, 8858369520, 33, 268435440,
		  521728, 16 },
	};
	struct xlog_format_options o = base();

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		o.block_bytes = want[i].block;
		o.sunit_bytes = want[i].unit;
		o.swidth_bytes = (uint64_t)want[i].unit * want[i].disks;
		o.agsize_bytes = want[i].agsize;
		cr_assert_eq(plan(&o, want[i].bytes), 0, "%s", said.text);
		cr_assert_eq(geo.blocks, want[i].blocks, "%zu", i);
		cr_assert_eq(geo.agcount, want[i].agcount, "%zu", i);
		cr_assert_eq(geo.ag_blocks, want[i].agblocks, "%zu", i);
		cr_assert_eq(geo.log_blocks, want[i].log, "%zu", i);
		cr_assert_eq(geo.log_sunit_blocks, want[i].log_sunit, "%zu",
			     i);
	}
}

/* Where one unit less would be too small a group, it is one more. */
Test(format_plan, spreads_small_groups_over_disks)
{
	struct xlog_format_options o = base();
	const struct xlog_format_device data = { .size_bytes = MIB(64) };
	const struct xlog_format_device log = { .size_bytes = MIB(64) };

	o.flags = XLOG_FORMAT_EXPERT;
	o.block_bytes = 2048;
	o.sunit_bytes = 262144;
	o.swidth_bytes = 8 * 262144;
	cr_assert_eq(xlog_format_plan(&o, &data, &log, &geo), 0, "%s",
		     said.text);
	cr_assert_eq(geo.agcount, 3);
	cr_assert_eq(geo.ag_blocks, 8320);
	cr_assert_eq(geo.blocks, 24960);
}

/* --- devices --- */

Test(format_plan, takes_sectors_and_stripe_from_the_device)
{
	struct xlog_format_options o = base();
	struct xlog_format_device data = {
		.size_bytes = GIB(2), .sector_bytes = 512,
		.physical_bytes = 4096, .sunit_bytes = 65536,
		.swidth_bytes = 262144,
	};

	cr_assert_eq(xlog_format_plan(&o, &data, NULL, &geo), 0);
	cr_assert_eq(geo.sector_bytes, 4096);
	cr_assert_eq(geo.log_sector_bytes, 4096);
	cr_assert(geo.sunit_blocks == 16 && geo.swidth_blocks == 64);
	o.flags = XLOG_FORMAT_NOALIGN;
	cr_assert_eq(xlog_format_plan(&o, &data, NULL, &geo), 0);
	cr_assert_eq(geo.sunit_blocks, 0);
	cr_assert_eq(geo.log_sunit_blocks, 1, "log writes are whole sectors");
	assert_silent(&said);
	/* blocks smaller than the physical sector */
	o.block_bytes = 1024;
	cr_assert_eq(xlog_format_plan(&o, &data, NULL, &geo), 0);
	cr_assert_eq(geo.sector_bytes, 512);
	cr_assert(strstr(said.text, "switching to logical sector size 512"));
}

Test(format_plan, takes_the_sector_that_is_given_for_the_log_as_well)
{
	struct xlog_format_options o = base();
	const struct xlog_format_device data = { .size_bytes = GIB(2) };
	struct xlog_format_device log = { .size_bytes = MIB(100),
					  .sector_bytes = 512 };

	cr_assert_eq(xlog_format_plan(&o, &data, &log, &geo), 0);
	cr_assert_eq(geo.log_sector_bytes, 512);
	o.sector_bytes = 4096;
	cr_assert_eq(xlog_format_plan(&o, &data, &log, &geo), 0);
	cr_assert_eq(geo.log_sector_bytes, 4096);
	cr_assert_eq(geo.log_sunit_blocks, 1);
	/* but for what it is given itself, and what its device can */
	o.log_sector_bytes = 512;
	cr_assert_eq(xlog_format_plan(&o, &data, &log, &geo), 0);
	cr_assert_eq(geo.log_sector_bytes, 512);
	o.log_sector_bytes = 0;
	o.sector_bytes = 512;
	log.sector_bytes = 4096;
	cr_assert_eq(xlog_format_plan(&o, &data, &log, &geo), 0);
	cr_assert_eq(geo.log_sector_bytes, 4096);
}

Test(format_plan, ignores_stripes_that_are_of_no_use)
{
	struct xlog_format_options o = base();
	struct xlog_format_device data = {
		.size_bytes = MIB(500), .sunit_bytes = 65536,
		.swidth_bytes = 262144,
	};

	cr_assert_eq(xlog_format_plan(&o, &data, NULL, &geo), 0);
	cr_assert_eq(geo.sunit_blocks, 0);
	cr_assert(strstr(said.text, "small data volume, ignoring"));
	data.size_bytes = GIB(2);
	data.swidth_bytes = 65537;
	cr_assert_eq(xlog_format_plan(&o, &data, NULL, &geo), 0);
	cr_assert_eq(geo.sunit_blocks, 0);
	cr_assert(strstr(said.text, "Volume reports invalid stripe unit"));
}

Test(format_plan, external_log_fills_its_device)
{
	struct xlog_format_options o = base();
	const struct xlog_format_device data = { .size_bytes = GIB(1) };
	struct xlog_format_device log = { .size_bytes = MIB(100) + 8191 };

	cr_assert_eq(xlog_format_plan(&o, &data, &log, &geo), 0);
	cr_assert_not(geo.log_internal);
	cr_assert_eq(geo.log_blocks, 25601);
	/* whole stripe units of it */
	o.log_sunit_bytes = 3 * 4096;
	cr_assert_eq(xlog_format_plan(&o, &data, &log, &geo), 0);
	cr_assert_eq(geo.log_blocks, 25599);
	log.size_bytes = TIB(1);
	cr_assert_eq(xlog_format_plan(&o, &data, &log, &geo), 0);
	cr_assert_eq(geo.log_blocks, 521727);
	log.size_bytes = MIB(1);
	cr_assert_eq(xlog_format_plan(&o, &data, &log, &geo), -EINVAL);
	assert_said(&said, "external log device size 255 blocks too small");
}

/* --- defaults and choices --- */

Test(format_plan, has_the_features_of_a_recent_kernel_by_default)
{
	const struct xlog_format_device data = { .size_bytes = GIB(1) };
	struct xlog_format_options o = { .report = reports_add,
					 .report_ctx = &said };

	cr_assert_eq(xlog_format_plan(&o, &data, NULL, &geo), 0);
	cr_assert(geo.finobt && geo.inobtcount && geo.rmapbt && geo.reflink &&
		  geo.sparse && geo.bigtime && geo.nrext64);
	cr_assert(!geo.exchange && !geo.parent);
	cr_assert(geo.inode_bytes == 512 && geo.dirblock_bytes == 4096);
	cr_assert_not_null(geo.log_need_name);
	cr_assert_leq(geo.log_need_blocks, geo.log_min_blocks);
}

Test(format_plan, counts_inodes_without_their_btree_of_free_ones)
{
	struct xlog_format_options o = base();

	o.finobt = XLOG_NO;
	cr_assert_eq(plan(&o, GIB(1)), 0);
	cr_assert_not(geo.inobtcount);
	o.inobtcount = XLOG_YES;
	cr_assert_eq(plan(&o, GIB(1)), -EINVAL);
	assert_said(&said, "inode btree counters not supported without finobt");
}

Test(format_plan, puts_the_log_where_it_is_told)
{
	struct xlog_format_options o = base();

	o.flags = XLOG_FORMAT_LOG_AGNUM | XLOG_FORMAT_IMAXPCT;
	o.log_agnum = 0;
	o.imaxpct = 0;
	cr_assert_eq(plan(&o, GIB(1)), 0);
	cr_assert(geo.log_internal && geo.log_agno == 0 && geo.log_agbno == 6);
	cr_assert_eq(geo.imaxpct, 0);
	o.log_agnum = 4;
	cr_assert_eq(plan(&o, GIB(1)), -EINVAL);
	assert_said(&said, "log ag number 4 too large, must be less than 4");
}

/* --- refused --- */

struct bad {
	const char *text;
	struct xlog_format_options o;
	uint64_t bytes;		/* 0: 1 GiB */
};

static const struct bad bads[] = {
	{ "illegal block size 3000", { .block_bytes = 3000 }, 0 },
	{ "illegal block size 131072", { .block_bytes = 131072 }, 0 },
	{ "Minimum block size for CRC enabled filesystems is 1024 bytes",
	  { .block_bytes = 512 }, 0 },
	{ "illegal sector size 256", { .sector_bytes = 256 }, 0 },
	{ "block size 1024 cannot be smaller than sector size 4096",
	  { .block_bytes = 1024, .sector_bytes = 4096 }, 0 },
	{ "Can't change sector size on internal log!",
	  { .log_sector_bytes = 4096 }, 0 },
	{ "illegal inode size 768", { .inode_bytes = 768 }, 0 },
	{ "Minimum inode size for CRCs is 512 bytes", { .inode_bytes = 256 },
	  0 },
	{ "with 4096 byte blocks is between 512 and 2048",
	  { .inode_bytes = 4096 }, 0 },
	{ "with 1024 byte blocks is 512",
	  { .inode_bytes = 1024, .block_bytes = 1024 }, 0 },
	{ "illegal directory block size 2048", { .dirblock_bytes = 2048 }, 0 },
	{ "illegal inode percentage 101",
	  { .flags = XLOG_FORMAT_IMAXPCT, .imaxpct = 101 }, 0 },
	{ "illegal data length 1073741825, not a multiple of 512",
	  { .data_bytes = GIB(1) + 1 }, GIB(2) },
	{ "size 2147483648 specified for data subvolume is too large",
	  { .data_bytes = GIB(2) }, 0 },
	{ "size 2560 of data subvolume is too small, minimum 4096 blocks",
	  { .data_bytes = 0 }, MIB(10) },
	{ "of data subvolume is too large", { .data_bytes = 0 }, UINT64_MAX },
	{ "Cannot specify both -d agcount and -d agsize",
	  { .agcount = 2, .agsize_bytes = MIB(64) }, 0 },
	{ "agsize (67108865) not a multiple of fs blk size",
	  { .agsize_bytes = MIB(64) + 1 }, 0 },
	{ "too small, need at least 4096 blocks", { .agcount = 65 }, 0 },
	{ "too small, need at least 4096 blocks", { .agcount = UINT64_MAX },
	  0 },
	{ "too big, maximum is 268435455 blocks", { .agcount = 2 }, TIB(3) },
	{ "too big, data area is 262144 blocks", { .agsize_bytes = GIB(2) },
	  0 },
	{ "stripe width (8589934592) is too large",
	  { .sunit_bytes = 4096, .swidth_bytes = GIB(8) }, 0 },
	{ "invalid stripe unit (4096) and stripe width of 0",
	  { .sunit_bytes = 4096 }, 0 },
	{ "invalid stripe width (4096) and stripe unit of 0",
	  { .swidth_bytes = 4096 }, 0 },
	{ "must be a multiple of the sector size (512)",
	  { .sunit_bytes = 100, .swidth_bytes = 100 }, 0 },
	{ "stripe unit (8192) is larger than the stripe width (4096)",
	  { .sunit_bytes = 8192, .swidth_bytes = 4096 }, 0 },
	{ "stripe width (12288) must be a multiple of the stripe unit (8192)",
	  { .sunit_bytes = 8192, .swidth_bytes = 12288 }, 0 },
	{ "is not a multiple of the block size(4096)",
	  { .sunit_bytes = 1024, .swidth_bytes = 2048 }, 0 },
	{ "log stripe unit (1024) must be a multiple of the block size",
	  { .log_sunit_bytes = 1024 }, 0 },
	{ "log stripe unit (524288 bytes) is too large (maximum is 256KiB)",
	  { .log_sunit_bytes = 524288 }, 0 },
	{ "illegal log length 67108865", { .log_bytes = MIB(64) + 1 }, 0 },
	{ "log size 100 blocks too small", { .log_bytes = 409600 }, 0 },
	{ "log size 1048577 blocks too large, maximum size is 1048576 blocks",
	  { .log_bytes = 4096 * UINT64_C(1048577) }, TIB(1) },
	{ "log size 2147483648 bytes too large, maximum size is 2136997888",
	  { .log_bytes = GIB(2) }, TIB(1) },
	{ "log size 16384 is not a multiple of the log stripe unit 3",
	  { .log_bytes = MIB(64), .log_sunit_bytes = 12288 }, 0 },
	{ "log size 300000 too large for internal log",
	  { .log_bytes = 4096 * UINT64_C(300000) }, 0 },
	{ "internal log size 66000 too large, must be less than 65525",
	  { .log_bytes = 4096 * UINT64_C(66000) }, 0 },
	{ "Filesystem must be larger than 300MB.", { .agcount = 2 },
	  MIB(299) },
	{ "Log size must be at least 64MB.", { .log_bytes = MIB(63) }, 0 },
	{ "at least 2 superblocks for redundancy!", { .agcount = 1 }, 0 },
};

Test(format_plan, refuses_in_the_words_of_mkfs)
{
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct xlog_format_options o = bads[i].o;

		o.rmapbt = XLOG_NO;
		o.report = reports_add;
		o.report_ctx = &said;
		geo.blocks = 77;
		cr_assert_eq(plan(&o, bads[i].bytes ? bads[i].bytes : GIB(1)),
			     -EINVAL, "%s", bads[i].text);
		cr_assert_eq(geo.blocks, 77, "untouched");
		assert_said(&said, bads[i].text);
	}
}

/* xfs_repair looks for the root inode behind the log, without gaps. */
Test(format_plan, says_to_how_many_bytes_a_length_is_cut)
{
	struct xlog_format_options o = base();

	o.data_bytes = MIB(400) + 512;
	o.log_bytes = MIB(64) + 1024;
	cr_assert_eq(plan(&o, GIB(1)), 0, "%s", said.text);
	cr_expect(strstr(said.text, "data length 419430912 not a multiple of 4096, truncated to 419430400\n"));
	cr_expect(strstr(said.text, "log length 67109888 not a multiple of 4096, truncated to 67108864\n"));
}

Test(format_plan, refuses_to_hide_the_root_inode)
{
	struct xlog_format_options o = base();

	o.flags = XLOG_FORMAT_LOG_AGNUM;
	o.log_sunit_bytes = 262144;
	cr_assert_eq(plan(&o, GIB(1)), -EINVAL);
	assert_said(&said, "must fit in allocation group");
}

Test(format_plan, lets_experts_have_it_small)
{
	struct xlog_format_options o = base();

	o.flags = XLOG_FORMAT_EXPERT;
	o.agcount = 1;
	cr_assert_eq(plan(&o, MIB(16)), 0, "%s", said.text);
	cr_assert_eq(geo.agcount, 1);
	cr_assert_eq(geo.log_blocks, geo.log_min_blocks);
	/* but not so small that Linux would not mount it */
	o.log_bytes = (uint64_t)(geo.log_min_blocks - 1) * 4096;
	cr_assert_eq(plan(&o, MIB(16)), -EINVAL);
	assert_said(&said, "blocks too small, minimum size is");
}
