/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Only a log: which one, in which cycle, what is refused, and what else is
 * changed.
 */
#include <signal.h>
#include <sys/resource.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"
#include "libxfsfmt/logenc.h"
#include "libxlog/read/read.h"
#include "tests/lib/memdev.h"
#include "tests/lib/scratch.h"

enum {
	SIZE = 64 << 20,
	LOG = 32 << 20,
	SB_FDBLOCKS = 144,
	AGF_LSN = 208,
	SECTOR = 512,
};

static struct scratch dir;
static struct reports said;
static char data[PATH_MAX + 256], logdev[PATH_MAX + 256], seen[1024];
static struct xlog_log_only *l;
static struct xlog_log_only_open what;
static uint8_t before[SIZE], after[SIZE];
static const uint8_t some_uuid[16] = { 1, 2, 3 };

static void make_file(char *path, const char *name, off_t size)
{
	snprintf(path, sizeof(data), "%s", scratch_file(&dir, name, "", 0));
	cr_assert_eq(truncate(path, size), 0);
}

static void begin(void)
{
	scratch_init(&dir);
	make_file(data, "data", SIZE);
	make_file(logdev, "log", LOG + (1 << 20));
	what = (struct xlog_log_only_open){
		.device = data, .flags = XLOG_OPEN_WRITE,
		.report = reports_add, .report_ctx = &said,
	};
}

static void end(void)
{
	xlog_log_only_close(l);
	scratch_fini(&dir);
}

TestSuite(log_only, .init = begin, .fini = end);

/* --- filesystems to begin with --- */

/* With its log on @log, NULL: inside; the log begins in cycle @cycle. */
static void format(const char *log, uint32_t cycle)
{
	const struct xlog_format_open how = {
		.data = data, .logdev = log, .flags = XLOG_OPEN_WRITE,
		.report = reports_add, .report_ctx = &said,
	};
	const struct xlog_format_options opts = {
		.flags = XLOG_FORMAT_EXPERT, .log_cycle = cycle,
		.log_bytes = log ? LOG : 0, .report = reports_add,
		.report_ctx = &said,
	};
	struct xlog_format *f;

	cr_assert_eq(xlog_format_open(&how, &f), 0, "%s", said.text);
	cr_assert_eq(xlog_format(f, &opts, NULL), 0, "%s", said.text);
	xlog_format_close(f);
}

static void file_read(const char *path, off_t off, void *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert_eq(pread(fd, buf, len, off), (ssize_t)len);
	close(fd);
}

static void file_write(const char *path, off_t off, const void *buf,
		       size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	cr_assert_eq(pwrite(fd, buf, len, off), (ssize_t)len);
	close(fd);
}

static struct xlog *open_log(const char *log)
{
	const struct xlog_open_options how = { .logdev = log };
	struct xlog *xlog;

	cr_assert_eq(xlog_open(data, &how, &xlog), 0);
	return xlog;
}

/* A checkpoint of the superblock as it is, behind the head. */
static void make_dirty(const char *log)
{
	struct xlog *xlog = open_log(log);
	struct xlog_form form = xlog_form_mkfs(2, XLOG_FMT_LINUX_LE, 1,
					       xlog->nbb, xlog->info.uuid);
	struct xlog_buf_part part = xlog_sb_part(xlog->sb_raw, SECTOR);
	struct xlog_bounds b;
	struct xlog_place p;
	uint8_t raw[8 * BB_SIZE];
	uint32_t bb;

	cr_assert_eq(xlog_find(xlog, 0, &b), 0);
	p = (struct xlog_place){ .lsn = b.head, .tail_lsn = b.head,
				 .prev_block = 0 };
	form.crc_bytes = XLOG_HEADER_CRC_BYTES;
	bb = xlog_buf_checkpoint_encode(&form, &p, 77, &part, raw);
	cr_assert_leq(bb, 8);
	file_write(log ? log : data, (off_t)(xlog->info.log_daddr +
					     xlog_lsn_block(b.head)) * BB_SIZE,
		   raw, bb * BB_SIZE);
	xlog_close(xlog);
}

static void stamp(void *raw, size_t crc_off)
{
	put_le32((uint8_t *)raw + crc_off, xfs_crc_block(raw, SECTOR, crc_off));
}

static void set_free_blocks(uint64_t n)
{
	uint8_t sb[SECTOR];

	file_read(data, 0, sb, sizeof(sb));
	put_be64(sb + SB_FDBLOCKS, n);
	stamp(sb, XFS_SB_CRC_OFF);
	file_write(data, 0, sb, sizeof(sb));
}

static uint64_t free_blocks(void)
{
	uint8_t sb[SECTOR];

	file_read(data, 0, sb, sizeof(sb));
	cr_assert(xfs_crc_ok(sb, sizeof(sb), XFS_SB_CRC_OFF));
	return get_be64(sb + SB_FDBLOCKS);
}

/* Metadata that has seen cycle @cycle. */
static void set_agf_cycle(uint32_t cycle)
{
	uint8_t agf[SECTOR];

	file_read(data, SECTOR, agf, sizeof(agf));
	put_be64(agf + AGF_LSN, xfs_lsn_make(cycle, 10));
	stamp(agf, XFS_AGF_CRC_OFF);
	file_write(data, SECTOR, agf, sizeof(agf));
}

/* Zeros for blocks of the internal log; 0: all of them. */
static void zero_log(uint32_t bb)
{
	struct xlog *xlog = open_log(NULL);

	file_write(data, (off_t)xlog->info.log_daddr * BB_SIZE,
		   memset(after, 0, LOG), (bb ? bb : xlog->nbb) *
		   (size_t)BB_SIZE);
	xlog_close(xlog);
}

/* --- what is done, and what came of it --- */

static int look(void)
{
	return xlog_log_only_open(&what, &l);
}

static int make(uint32_t cycle, unsigned int flags)
{
	int rc = look();

	cr_assert_eq(rc, 0, "%s", said.text);
	rc = xlog_log_only_write(l, cycle, flags, NULL);
	cr_assert_eq(xlog_log_only_wrote(l), rc == 0);
	xlog_log_only_close(l);
	l = NULL;
	return rc;
}

/* Refused, and nothing is written. */
static void refuses(int rc, uint32_t cycle, unsigned int flags,
		    const char *why)
{
	file_read(data, 0, before, SIZE);
	cr_expect_eq(make(cycle, flags), rc);
	assert_said(&said, why);
	file_read(data, 0, after, SIZE);
	cr_expect_arr_eq(before, after, SIZE);
}

/* Nothing is told but how the new log was found. */
static void expect_quiet(void)
{
	cr_expect_eq(said.errors, 0, "%s", said.text);
	cr_expect(strncmp(said.text, "log.", 4) &&
		  !strstr(said.text, "\nlog."), "%s", said.text);
}

static void does_not_open(const char *why)
{
	cr_expect_eq(look(), -EINVAL);
	assert_said(&said, why);
}

/* The log is clean, and only its first record is of cycle @cycle. */
static void expect_clean(const char *log, uint32_t cycle)
{
	struct xlog *xlog = open_log(log);
	struct xlog_bounds b;
	uint8_t raw[BB_SIZE];

	cr_assert_eq(xlog_find(xlog, 0, &b), 0);
	cr_expect_eq(b.state, XLOG_CLEAN);
	cr_expect_eq(b.head, xlog_lsn(cycle, 2));
	cr_expect_eq(b.refused[0], 0, "%s", b.refused);
	cr_assert_eq(xlog_read_raw(xlog, xlog->nbb - 1, 1, raw), 0);
	cr_expect_eq(xlog_block_cycle(raw), cycle - 1);
	xlog_close(xlog);
}

/* --- the next cycle --- */

Test(log_only, goes_on_in_the_next_cycle_and_changes_nothing_else)
{
	struct xlog *xlog;
	size_t off, len;

	format(NULL, 0);
	set_free_blocks(1234);
	file_read(data, 0, before, SIZE);
	cr_assert_eq(make(0, 0), 0);
	expect_quiet();
	expect_clean(NULL, 2);
	xlog = open_log(NULL);
	off = xlog->info.log_daddr * BB_SIZE;
	len = (size_t)xlog->nbb * BB_SIZE;
	xlog_close(xlog);
	file_read(data, 0, after, SIZE);
	memcpy(after + off, before + off, len);
	cr_expect_arr_eq(after, before, SIZE);
	cr_assert_eq(make(0, 0), 0);
	expect_clean(NULL, 3);
}

Test(log_only, says_what_it_is_like)
{
	const struct xlog_log_only_info *info;
	uint8_t uuid[16];

	format(NULL, 5);
	file_read(data, 32, uuid, sizeof(uuid));
	what.flags = 0;
	cr_assert_eq(look(), 0);
	info = xlog_log_only_info(l);
	cr_expect(info->internal);
	cr_expect_eq(info->state, XLOG_CLEAN);
	cr_expect_eq(info->next_cycle, 6);
	cr_expect_eq(info->log_version, 2);
	cr_expect_eq(info->log_sunit_bytes, 0);
	cr_expect_eq(info->log_sector_bytes, 512);
	cr_expect_arr_eq(info->uuid, uuid, 16);
	cr_expect_eq(xlog_log_only_write(l, 0, 0, NULL), -EROFS);
	cr_expect_not(xlog_log_only_wrote(l));
}

Test(log_only, takes_a_cycle_that_is_above_all_metadata)
{
	format(NULL, 3);
	set_agf_cycle(20);
	refuses(-ERANGE, 20, 0, "cycle 20 is too low: 20 is in use");
	refuses(-ERANGE, 0x80000000, 0, "too high");
	cr_assert_eq(make(0, 0), 0);
	expect_clean(NULL, 21);
	cr_assert_eq(make(1000, 0), 0);
	expect_clean(NULL, 1000);
}

/* --- logs that are not clean --- */

Test(log_only, dirty_is_refused)
{
	format(NULL, 4);
	make_dirty(NULL);
	refuses(-ENOTEMPTY, 0, 0, "the log is dirty");
	refuses(-ENOTEMPTY, 50, 0, "the log is dirty");
}

Test(log_only, dirty_is_given_up_and_counters_are_made_good)
{
	uint64_t n;

	format(NULL, 4);
	n = free_blocks();
	set_free_blocks(1234);
	make_dirty(NULL);
	cr_assert_eq(make(0, XLOG_LOG_ONLY_DIRTY), 0);
	cr_expect(strstr(said.text, "run xfs_repair"));
	expect_clean(NULL, 5);
	cr_expect_eq(free_blocks(), n);
}

/* A clean log beside wrong counters would be believed. */
Test(log_only, that_fails_has_made_counters_good_before)
{
	const struct rlimit small = { 4096, RLIM_INFINITY };
	uint64_t n;

	format(NULL, 4);
	n = free_blocks();
	set_free_blocks(1234);
	make_dirty(NULL);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(look(), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_expect_eq(xlog_log_only_write(l, 0, XLOG_LOG_ONLY_DIRTY, NULL),
		     -EFBIG);
	cr_expect(xlog_log_only_wrote(l));
	xlog_log_only_close(l);
	l = NULL;
	cr_expect_eq(free_blocks(), n);
	cr_assert_eq(look(), 0);
	cr_expect_eq(xlog_log_only_info(l)->state, XLOG_DIRTY);
}

Test(log_only, damaged_groups_are_not_counted)
{
	format(NULL, 4);
	make_dirty(NULL);
	file_write(data, SECTOR, "XXXX", 4);
	refuses(-EUCLEAN, 0, XLOG_LOG_ONLY_DIRTY, "AGF of group 0");
}

Test(log_only, without_a_sound_log_needs_a_cycle)
{
	uint64_t n;

	format(NULL, 4);
	n = free_blocks();
	set_agf_cycle(7);
	zero_log(0);
	refuses(-EUCLEAN, 0, XLOG_LOG_ONLY_DIRTY, "give it, 8 at least");
	refuses(-ERANGE, 7, 0, "cycle 7 is too low");
	set_free_blocks(1234);
	cr_assert_eq(make(8, 0), 0);
	expect_clean(NULL, 8);
	cr_expect_eq(free_blocks(), n);
}

/* The records behind the place where it was cut off still say the cycle. */
Test(log_only, that_was_cut_off_needs_a_cycle)
{
	format(NULL, 4);
	zero_log(1);
	refuses(-EUCLEAN, 0, 0, "cut off when it was made) to say which cycle the new one begins with: give it, 4 at least");
	cr_assert_eq(make(5, 0), 0);
	expect_clean(NULL, 5);
}

/* --- external logs --- */

static void see(void *ctx, const struct xlog_found *found)
{
	size_t used = strlen(seen);

	(void)ctx;
	snprintf(seen + used, sizeof(seen) - used, "%s %s%s;",
		 strrchr(found->device, '/') + 1, found->type,
		 found->dirty ? " dirty" : "");
}

static void external(void)
{
	what.fs = data;
	what.device = logdev;
}

Test(log_only, of_a_filesystem_on_another_device)
{
	uint8_t byte = 0x77;

	format(logdev, 0);
	external();
	/* what lies behind the log of this filesystem is left alone */
	file_write(logdev, LOG + 5000, &byte, 1);
	cr_assert_eq(look(), 0);
	cr_expect_not(xlog_log_only_info(l)->internal);
	cr_expect_eq(xlog_log_only_info(l)->log_bytes, LOG);
	/* its own log does not have to be forced */
	cr_expect_eq(xlog_log_only_probe(l, see, NULL), 0);
	cr_expect_str_eq(seen, "");
	xlog_log_only_close(l);
	l = NULL;
	cr_assert_eq(make(0, 0), 0);
	expect_clean(logdev, 2);
	byte = 0;
	file_read(logdev, LOG + 5000, &byte, 1);
	cr_expect_eq(byte, 0x77);
}

Test(log_only, on_a_device_that_was_something_else)
{
	uint8_t byte = 0x77, uuid[16];

	format(logdev, 9);
	file_read(data, 32, uuid, sizeof(uuid));
	make_file(logdev, "other", LOG + (1 << 20));
	file_write(logdev, 1024 + 56, "\x53\xef", 2);	/* ext2 */
	file_write(logdev, LOG + (1 << 20) - 1, &byte, 1);
	external();
	what.uuid = uuid;
	what.log_bytes = LOG;
	cr_assert_eq(look(), 0);
	cr_expect_eq(xlog_log_only_probe(l, see, NULL), 1);
	cr_expect_str_eq(seen, "other ext2;");
	xlog_log_only_close(l);
	l = NULL;
	refuses(-EUCLEAN, 0, 0, "there is no sound log");
	cr_assert_eq(make(10, 0), 0);
	expect_clean(logdev, 10);
	/* signatures at the end of the device are gone, too */
	file_read(logdev, LOG + (1 << 20) - 1, &byte, 1);
	cr_expect_eq(byte, 0);
}

Test(log_only, on_the_log_of_another_filesystem)
{
	char first[sizeof(data)];

	format(logdev, 0);
	make_dirty(logdev);
	memcpy(first, data, sizeof(first));
	make_file(data, "second", SIZE);
	make_file(logdev, "its", LOG);
	format(logdev, 0);
	/* the log of the first, for the second */
	snprintf(logdev, sizeof(logdev), "%s", scratch_path(&dir, "log"));
	external();
	cr_assert_eq(look(), 0);
	cr_expect_eq(xlog_log_only_info(l)->state, XLOG_CORRUPT);
	cr_expect_eq(xlog_log_only_probe(l, see, NULL), 1);
	cr_expect_str_eq(seen, "log xfs_external_log dirty;");
	cr_expect_eq(xlog_log_only_write(l, 0, 0, NULL), -EUCLEAN);
	assert_said(&said, "another filesystem");
}

Test(log_only, of_a_filesystem_that_is_not_here)
{
	struct xlog_bounds b;
	struct xlog *xlog;

	what.device = logdev;
	what.uuid = some_uuid;
	what.log_sunit_bytes = 32768;
	what.log_bytes = LOG;
	cr_assert_eq(make(17, 0), 0, "%s", said.text);
	expect_quiet();
	cr_assert_eq(make(0, 0), 0, "%s", said.text);
	cr_assert_eq(truncate(logdev, LOG), 0);
	cr_assert_eq(xlog_open(logdev, NULL, &xlog), 0);
	cr_expect_arr_eq(xlog_info(xlog)->uuid, some_uuid, 16);
	cr_assert_eq(xlog_find(xlog, 0, &b), 0);
	cr_expect_eq(b.state, XLOG_CLEAN);
	cr_expect_eq(b.head, xlog_lsn(18, 64));
	xlog_close(xlog);
	/* in cycle 1 it is that of mkfs.xfs: the rest is zeros */
	make_file(logdev, "log", LOG);
	what.log_bytes = 0;
	cr_assert_eq(make(1, 0), 0);
	file_read(logdev, 0, after, LOG);
	cr_expect(dev_is_zero(after + 64 * BB_SIZE, LOG - 64 * BB_SIZE));
}

/* --- what does not fit --- */

Test(log_only, needs_to_know_the_filesystem)
{
	does_not_open("no XFS filesystem here");
	format(logdev, 0);
	does_not_open("on another device");
	what.fs = data;
	does_not_open("this is the filesystem itself");
	what.device = logdev;
	what.log_bytes = LOG / 2;
	does_not_open("the filesystem says 33554432");
	what.log_bytes = 0;
	what.uuid = some_uuid;
	does_not_open("another UUID");
	what.uuid = NULL;
	format(NULL, 0);
	does_not_open("has an internal log");
}

Test(log_only, needs_sizes_that_fit)
{
	what.device = logdev;
	what.uuid = some_uuid;
	what.log_bytes = SIZE;
	does_not_open("too large, the device has");
	what.log_bytes = 4096;
	does_not_open("too small");
	what.log_bytes = LOG + 512;
	what.log_sunit_bytes = 4096;
	does_not_open("not a multiple");
	what.log_sunit_bytes = 512 * 1024;
	does_not_open("too large (maximum is 256KiB)");
	what.log_sunit_bytes = 512;
	what.log_sector_bytes = 4096;
	does_not_open("must be a multiple of the sector size");
	what.log_sector_bytes = 1000;
	does_not_open("illegal log sector size 1000");
}

/* Messages begin with the name of what they are about, and no other. */
static void says_of(const char *path)
{
	const char *text = strstr(said.text, ": ") + 2;
	size_t len = strlen(path);

	cr_expect(!strncmp(text, path, len) && !strncmp(text + len, ": ", 2) &&
		  text[len + 2] != '/', "%s", said.text);
	memset(&said, 0, sizeof(said));
}

Test(log_only, of_a_device_in_use_is_refused)
{
	struct xlog_log_only *first;
	struct dev *dev;

	format(logdev, 0);
	external();
	cr_assert_eq(look(), 0);
	first = l;
	l = NULL;
	cr_expect_eq(look(), -EBUSY);
	says_of(data);
	xlog_log_only_close(first);
	cr_assert_eq(dev_open_file(logdev, DEV_WRITE, NULL, &dev), 0);
	cr_expect_eq(look(), -EBUSY);
	says_of(logdev);
	dev_close(dev);
	file_write(data, 0, "XFSX", 4);
	cr_expect_eq(look(), -EMEDIUMTYPE);
	says_of(data);
}

Test(log_only, can_be_undone)
{
	char undo[sizeof(data)];

	format(logdev, 4);
	make_dirty(logdev);
	set_free_blocks(1234);
	file_read(data, 0, before, SIZE);
	external();
	snprintf(undo, sizeof(undo), "%s", scratch_path(&dir, "undo"));
	what.undo = undo;
	cr_assert_eq(make(0, XLOG_LOG_ONLY_DIRTY), 0, "%s", said.text);
	expect_clean(logdev, 5);
	cr_assert_eq(xlog_undo_apply(undo, data, &(struct xlog_open_options){
					     .logdev = logdev }), 0);
	file_read(data, 0, after, SIZE);
	cr_expect_arr_eq(before, after, SIZE);
	what.undo = NULL;
	cr_assert_eq(look(), 0);
	cr_expect_eq(xlog_log_only_info(l)->state, XLOG_DIRTY);
}
