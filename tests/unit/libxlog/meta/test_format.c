/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Empty filesystems, all of the device, against those of mkfs.xfs 6.1 with the
 * same options; tests/fixtures/README.md says how these were made. What may
 * differ is a table. Besides: in which order they are written.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inode.h"
#include "libxlog/meta/meta.h"
#include "tests/lib/fixture.h"
#include "tests/lib/memdev.h"

#define MIB(n)	((uint64_t)(n) << 20)

enum { CHUNK = 1 << 20, INODE_MAX = 2048 };

static const uint8_t uuid[16] = {
	0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
	0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
};

/* Fields of the three inodes in use that need not be the same. */
static const struct {
	size_t off, len;
	const char *why;
} allowed[] = {
	{ 32, 8, "di_atime: mkfs.xfs 6.1 leaves it at 1970" },
	{ 40, 8, "di_mtime: the time of day" },
	{ 48, 8, "di_ctime: the time of day" },
	{ 100, 4, "di_crc: follows from the others" },
	{ 144, 8, "di_crtime: the time of day" },
};

static struct reports said;
static struct format_plan plan;
static struct format_values values = {
	.now = { .sec = 1700000000, .nsec = 1 },
};

static struct xlog_format_options base(void)
{
	return (struct xlog_format_options){
		.flags = XLOG_FORMAT_EXPERT, .rmapbt = XLOG_NO,
		.nrext64 = XLOG_NO, .report = reports_add,
		.report_ctx = &said,
	};
}

static struct dev *golden(const char *name)
{
	const char *dir = getenv("FIXTURES");
	char path[512];

	snprintf(path, sizeof(path), "%s/format/%s.img.zst",
		 dir ? dir : "tests/fixtures", name);
	return memdev_image(path, NULL);
}

/* What is allowed to differ in @want becomes as it is in @have. */
static void allow(struct dev *have, struct dev *want)
{
	uint8_t a[INODE_MAX], b[INODE_MAX];
	size_t len = plan.geom.inodesize;

	for (unsigned int i = 0; i < FORMAT_INODES; i++) {
		uint64_t off = (plan.sb.sb_rootino + i) * len;

		cr_assert_eq(dev_read(have, off, a, len), 0);
		cr_assert_eq(dev_read(want, off, b, len), 0);
		for (size_t f = 0; f < sizeof(allowed) / sizeof(allowed[0]);
		     f++)
			memcpy(b + allowed[f].off, a + allowed[f].off,
			       allowed[f].len);
		cr_assert(xfs_crc_ok(b, len, XFS_DINODE_CRC_OFF), "inode %u",
			  i);
		cr_assert_eq(dev_write(want, off, b, len), 0);
	}
}

static void same(struct dev *have, struct dev *want)
{
	static uint8_t a[CHUNK], b[CHUNK];

	cr_assert_eq(have->size_bytes, want->size_bytes);
	for (uint64_t off = 0; off < want->size_bytes; off += CHUNK) {
		cr_assert_eq(dev_read(have, off, a, CHUNK), 0);
		cr_assert_eq(dev_read(want, off, b, CHUNK), 0);
		for (size_t i = 0; i < CHUNK; i += BB_SIZE)
			cr_assert_arr_eq(a + i, b + i, BB_SIZE, "sector %llu",
					 (unsigned long long)(off + i) >> 9);
	}
}

static void make_plan(const struct xlog_format_options *opts,
		      uint64_t data_bytes, uint64_t log_bytes)
{
	const struct xlog_format_device data = { .size_bytes = data_bytes };
	const struct xlog_format_device log = { .size_bytes = log_bytes };

	cr_assert_eq(format_plan_init(&plan, opts, &data,
				      log_bytes ? &log : NULL), 0, "%s",
		     said.text);
	memcpy(values.uuid, uuid, sizeof(uuid));
}

/* Over something else, which has to be gone. */
static struct dev *dirty_device(uint64_t size)
{
	static uint8_t old[4 * 65536];
	struct dev *dev = memdev_zeros(size, NULL);

	pattern_fill(old, 0, sizeof(old));
	for (size_t off = 0; off < sizeof(old); off += sizeof(old) / 2) {
		cr_assert_eq(dev_write(dev, off / 2, old, 4096), 0);
		cr_assert_eq(dev_write(dev, size - 4096 - off / 2, old,
				       4096), 0);
	}
	return dev;
}

static void as_mkfs(const char *name, const struct xlog_format_options *opts)
{
	struct dev *want = golden(name), *have;

	have = dirty_device(want->size_bytes);
	make_plan(opts, want->size_bytes, 0);
	cr_assert_eq(format_write(&plan, &values,
				  &(struct format_target){ .data = have }), 0);
	allow(have, want);
	same(have, want);
	dev_close(have);
	dev_close(want);
}

Test(format_write, blocks_of_4_kib_as_mkfs)
{
	struct xlog_format_options o = base();

	o.agcount = 2;
	o.rmapbt = o.nrext64 = XLOG_YES;
	o.log_bytes = 4000 * 4096;
	as_mkfs("block4k", &o);
}

Test(format_write, stripes_and_few_features_as_mkfs)
{
	struct xlog_format_options o = base();

	o.block_bytes = 1024;
	o.agcount = 3;
	o.sunit_bytes = 16384;
	o.swidth_bytes = 32768;
	o.finobt = o.reflink = o.inobtcount = o.bigtime = o.sparse = XLOG_NO;
	o.log_bytes = MIB(8);
	o.log_sunit_bytes = 4096;
	memcpy(o.label, "label", 5);
	as_mkfs("block1k", &o);
}

Test(format_write, large_blocks_and_sectors_as_mkfs)
{
	struct xlog_format_options o = base();

	o.block_bytes = 65536;
	o.sector_bytes = 4096;
	o.agcount = 2;
	o.log_bytes = MIB(64);
	as_mkfs("block64k", &o);
}

Test(format_write, external_log_as_mkfs)
{
	struct dev *want = golden("external"), *log = golden("external_log");
	struct xlog_format_options o = base();
	struct dev *have = dirty_device(want->size_bytes);
	struct dev *have_log = dirty_device(log->size_bytes);

	o.inode_bytes = 1024;
	o.agcount = 4;
	o.log_sunit_bytes = 32768;
	o.log_bytes = MIB(8);
	make_plan(&o, want->size_bytes, log->size_bytes);
	cr_assert_eq(format_write(&plan, &values, &(struct format_target){
					  .data = have, .log = have_log }), 0);
	allow(have, want);
	same(have, want);
	same(have_log, log);
	dev_close(have);
	dev_close(have_log);
	dev_close(want);
	dev_close(log);
}

/* --- order --- */

static void small_plan(void)
{
	struct xlog_format_options o = base();

	o.agcount = 4;
	o.log_bytes = 2000 * 4096;
	make_plan(&o, MIB(64), 0);
}

Test(format_write, begins_and_ends_with_the_superblock)
{
	struct watch *w = watch_open(golden("block4k"));
	unsigned int n;

	small_plan();
	cr_assert_eq(format_write(&plan, &values, &(struct format_target){
					  .data = &w->dev }), 0);
	n = w->writes;
	cr_assert(n > 4 && n <= WATCH_LOG);
	cr_assert(w->write[0].off_bytes == 0 && w->write[0].len == 512);
	cr_assert(w->write[n - 1].off_bytes == 0 &&
		  w->write[n - 1].len == 512);
	/* behind each: the old one, what told of it, the new one, its magic */
	cr_assert_eq(w->flushes, 4);
	dev_close(&w->dev);
}

Test(format_write, erases_the_magic_of_ext_before_the_rest)
{
	struct dev *below = memdev_zeros(MIB(64), NULL);
	struct watch *w = watch_open(below);

	cr_assert_eq(dev_write(below, 1024 + 56, "\x53\xef", 2), 0);
	small_plan();
	/* what follows fails */
	w->bad_write_end = 1024;
	cr_assert_eq(format_write(&plan, &values, &(struct format_target){
					  .data = &w->dev }), -EIO);
	cr_assert_eq(w->writes, 2);
	cr_assert(w->write[0].off_bytes == 1024 && w->write[0].len == 512);
	cr_assert_eq(w->flushes, 2);
	dev_close(&w->dev);
}

Test(format_write, says_how_far_it_came)
{
	struct watch *w = watch_open(golden("block4k"));
	enum format_reached reached = FORMAT_UNTOUCHED;
	const struct format_target target = { .data = &w->dev,
					      .reached = &reached };

	small_plan();
	w->bad_read_end = 512;
	cr_assert_eq(format_write(&plan, &values, &target), -EIO);
	cr_assert_eq(reached, FORMAT_UNTOUCHED);
	cr_assert_eq(w->writes, 0);
	w->bad_read_end = 0;
	w->bad_write_end = 512;
	cr_assert_eq(format_write(&plan, &values, &target), -EIO);
	cr_assert_eq(reached, FORMAT_ERASING);
	w->bad_write_end = 0;
	cr_assert_eq(format_write(&plan, &values, &target), 0);
	cr_assert_eq(reached, FORMAT_LAST);
	dev_close(&w->dev);
}

/* Whatever fails, there is no superblock, old or new. */
Test(format_write, leaves_no_superblock_when_cut_off)
{
	static const uint64_t bad[] = { MIB(64) - 4096, MIB(16), MIB(32),
					64 * 1024 };
	uint8_t raw[512];

	small_plan();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct watch *w = watch_open(golden("block4k"));

		w->bad_write_start = bad[i];
		w->bad_write_end = bad[i] + 512;
		cr_assert_eq(format_write(&plan, &values,
					  &(struct format_target){
						  .data = &w->dev }), -EIO);
		cr_assert_eq(dev_read(w->below, 0, raw, sizeof(raw)), 0);
		cr_assert(dev_is_zero(raw, sizeof(raw)));
		dev_close(&w->dev);
	}
}

Test(format_write, erases_the_copies_of_an_old_superblock)
{
	struct xlog_format_options o = base();
	struct dev *dev = golden("block4k");
	uint8_t raw[512];

	/* the new filesystem does not reach the second group of the old */
	o.data_bytes = MIB(16);
	o.log_bytes = 2000 * 4096;
	make_plan(&o, MIB(64), 0);
	cr_assert_eq(dev_read(dev, MIB(32), raw, sizeof(raw)), 0);
	cr_assert_eq(get_be32(raw), XFS_SB_MAGIC);
	cr_assert_eq(format_write(&plan, &values,
				  &(struct format_target){ .data = dev }), 0);
	cr_assert_eq(dev_read(dev, MIB(32), raw, sizeof(raw)), 0);
	cr_assert(dev_is_zero(raw, sizeof(raw)));
	dev_close(dev);
}

Test(format_write, takes_generations_and_cycle_from_the_caller)
{
	struct dev *dev = memdev_zeros(MIB(64), NULL);
	uint8_t raw[512];
	uint64_t off;

	small_plan();
	values.gen[0] = 7;
	values.gen[1] = 8;
	values.gen[2] = 9;
	values.cycle = 5;
	cr_assert_eq(format_write(&plan, &values,
				  &(struct format_target){ .data = dev }), 0);
	off = plan.sb.sb_rootino * 512;
	for (uint32_t i = 1; i < 5; i++) {
		cr_assert_eq(dev_read(dev, off + 512 * i, raw, 512), 0);
		cr_assert_eq(get_be32(raw + 92), i == 1 ? 8 : i == 2 ? 9 : 7);
	}
	off = xfs_fsb_to_daddr(&plan.geom, plan.sb.sb_logstart) * BB_SIZE;
	cr_assert_eq(dev_read(dev, off, raw, 512), 0);
	cr_assert_eq(get_be32(raw + 4), 5);
	dev_close(dev);
}

/* Of mkfs.xfs 7.2: the kernel need not set the bit when it makes the first. */
Test(format_plan_init, parent_pointers_are_attributes)
{
	struct xlog_format_options o = base();

	make_plan(&o, MIB(64), 0);
	cr_expect_not(plan.sb.sb_versionnum & XFS_SB_VERSION_ATTRBIT);
	o.parent = XLOG_YES;
	make_plan(&o, MIB(64), 0);
	cr_expect(plan.sb.sb_versionnum & XFS_SB_VERSION_ATTRBIT);
}
