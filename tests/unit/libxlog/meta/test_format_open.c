/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making a filesystem through the public functions: files, what is on them,
 * what is refused, what is chosen at random and what is not.
 */
#include <signal.h>
#include <sys/resource.h>

#include "libxfsfmt/sb.h"
#include "libxfsfmt/endian.h"
#include "libxlog/xlog.h"
#include "tests/lib/memdev.h"
#include "tests/lib/scratch.h"

enum { SIZE = 64 << 20, EXT_MAGIC_OFF = 1024 + 56, UUID_OFF = 32 };

static struct scratch dir;
static struct reports said;
static char data[PATH_MAX + 256], logdev[PATH_MAX + 256], seen[1024];
static struct xlog_format *f;
static struct xlog_format_options opts;

static void make_file(char *path, const char *name, off_t size)
{
	snprintf(path, sizeof(data), "%s", scratch_file(&dir, name, "", 0));
	cr_assert_eq(truncate(path, size), 0);
}

static void begin(void)
{
	scratch_init(&dir);
	make_file(data, "data", SIZE);
	make_file(logdev, "log", SIZE);
	opts.flags = XLOG_FORMAT_EXPERT;
	opts.report = reports_add;
	opts.report_ctx = &said;
}

static void end(void)
{
	xlog_format_close(f);
	scratch_fini(&dir);
}

TestSuite(format, .init = begin, .fini = end);

static int open_as(unsigned int flags, const char *log, const char *undo)
{
	const struct xlog_format_open what = {
		.data = data, .logdev = log, .undo = undo, .flags = flags,
		.report = reports_add, .report_ctx = &said,
	};

	return xlog_format_open(&what, &f);
}

static void format(const char *log)
{
	cr_assert_eq(open_as(XLOG_OPEN_WRITE, log, NULL), 0, "%s", said.text);
	cr_assert_eq(xlog_format(f, &opts, NULL), 0, "%s", said.text);
	cr_assert(xlog_format_wrote(f));
	xlog_format_close(f);
	f = NULL;
}

static void read_at(const char *path, off_t off, void *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert_eq(pread(fd, buf, len, off), (ssize_t)len);
	close(fd);
}

static void write_at(const char *path, off_t off, const void *buf, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	cr_assert_eq(pwrite(fd, buf, len, off), (ssize_t)len);
	close(fd);
}

static void see(void *ctx, const struct xlog_found *what)
{
	size_t used = strlen(seen);

	(void)ctx;
	snprintf(seen + used, sizeof(seen) - used, "%s %s%s%s;",
		 strrchr(what->device, '/') + 1, what->type,
		 what->dirty ? " dirty" : "", what->unsure ? " unsure" : "");
}

static void expect_clean(const char *log)
{
	const struct xlog_open_options how = { .logdev = log };
	struct xlog_bounds bounds;
	struct xlog *xlog;

	cr_assert_eq(xlog_open(data, &how, &xlog), 0);
	cr_assert_eq(xlog_find(xlog, 0, &bounds), 0);
	cr_assert_eq(bounds.state, XLOG_CLEAN);
	xlog_close(xlog);
}

Test(format, makes_a_filesystem_with_a_clean_log)
{
	format(NULL);
	expect_clean(NULL);
}

Test(format, makes_one_with_an_external_log)
{
	format(logdev);
	expect_clean(logdev);
}

Test(format, tells_what_is_there_on_every_device)
{
	write_at(logdev, EXT_MAGIC_OFF, "\x53\xef", 2);
	cr_assert_eq(open_as(0, logdev, NULL), 0);
	cr_assert_eq(xlog_format_probe(f, see, NULL), 1);
	cr_assert_str_eq(seen, "log ext2;");
	xlog_format_close(f);
	f = NULL;
	format(NULL);
	seen[0] = 0;
	cr_assert_eq(open_as(0, logdev, NULL), 0);
	cr_assert_eq(xlog_format_probe(f, see, NULL), 2);
	cr_assert_str_eq(seen, "data xfs;log ext2;");
}

Test(format, says_how_large_the_devices_are)
{
	cr_assert_eq(open_as(0, NULL, NULL), 0);
	cr_assert_eq(xlog_format_data(f)->size_bytes, SIZE);
	cr_assert_geq(xlog_format_data(f)->sector_bytes, 512);
	cr_assert_null(xlog_format_log(f));
}

Test(format, of_a_device_open_for_reading_is_refused)
{
	cr_assert_eq(open_as(0, NULL, NULL), 0);
	cr_assert_eq(xlog_format(f, &opts, NULL), -EROFS);
	assert_said(&said, "opened for reading only");
	cr_assert_not(xlog_format_wrote(f));
}

Test(format, of_a_device_in_use_is_refused)
{
	struct xlog_format *first;

	cr_assert_eq(open_as(XLOG_OPEN_WRITE, NULL, NULL), 0);
	first = f;
	f = NULL;
	cr_assert_eq(open_as(XLOG_OPEN_WRITE, NULL, NULL), -EBUSY);
	xlog_format_close(first);
}

Test(format, with_the_data_for_a_log_is_refused)
{
	cr_assert_eq(open_as(XLOG_OPEN_WRITE | XLOG_OPEN_LOCK_NONE, data,
			     NULL), -EINVAL);
	assert_said(&said, "this is the data device, not its log");
	cr_assert_eq(open_as(0, NULL, "/nowhere"), -EINVAL);
	assert_said(&said, "nothing is written that could be undone");
}

Test(format, that_is_refused_writes_nothing)
{
	static uint8_t before[4096], after[4096];

	memset(before, 0x5a, sizeof(before));
	write_at(data, 0, before, sizeof(before));
	opts.agcount = 1000;
	cr_assert_eq(open_as(XLOG_OPEN_WRITE, NULL, NULL), 0);
	cr_assert_eq(xlog_format(f, &opts, NULL), -EINVAL);
	assert_said(&said, "too small");
	cr_assert_not(xlog_format_wrote(f));
	read_at(data, 0, after, sizeof(after));
	cr_assert_arr_eq(after, before, sizeof(before));
}

Test(format, has_a_uuid_of_its_own_each_time)
{
	uint8_t a[16], b[16];

	format(NULL);
	read_at(data, UUID_OFF, a, 16);
	format(NULL);
	read_at(data, UUID_OFF, b, 16);
	cr_assert(memcmp(a, b, 16));
	cr_assert_eq(a[6] >> 4, 4);
	cr_assert_eq(a[8] >> 6, 2);
}

Test(format, is_the_same_twice_if_all_is_given)
{
	static uint8_t a[SIZE], b[SIZE];

	opts.flags |= XLOG_FORMAT_TIME | XLOG_FORMAT_GENERATION;
	opts.time_sec = 1700000000;
	opts.generation = 42;
	memset(opts.uuid, 0x77, sizeof(opts.uuid));
	format(NULL);
	read_at(data, 0, a, SIZE);
	format(NULL);
	read_at(data, 0, b, SIZE);
	cr_assert(!memcmp(a, b, SIZE));
}

Test(format, can_be_undone)
{
	static uint8_t before[65536], after[65536];
	char undo[PATH_MAX + 256];

	pattern_fill(before, 0, sizeof(before));
	write_at(data, 0, before, sizeof(before));
	write_at(data, SIZE - 65536, before, sizeof(before));
	snprintf(undo, sizeof(undo), "%s", scratch_path(&dir, "undo"));
	cr_assert_eq(open_as(XLOG_OPEN_WRITE, NULL, undo), 0);
	cr_assert_eq(xlog_format(f, &opts, NULL), 0, "%s", said.text);
	xlog_format_close(f);
	f = NULL;
	read_at(data, 0, after, 4);
	cr_assert_eq(get_be32(after), XFS_SB_MAGIC);
	cr_assert_eq(xlog_undo_apply(undo, data, NULL), 0);
	read_at(data, 0, after, sizeof(after));
	cr_assert_arr_eq(after, before, sizeof(before));
	read_at(data, SIZE - 65536, after, sizeof(after));
	cr_assert_arr_eq(after, before, sizeof(before));
}

/* --- on the way --- */

static unsigned int calls, last_call = 1000;
static uint64_t done_before;
static enum xlog_format_phase phase_before;

static int count_call(void *ctx, enum xlog_format_phase phase, uint64_t done,
		      uint64_t total)
{
	cr_assert_eq(ctx, &opts);
	cr_assert_geq(phase, phase_before);
	if (phase != phase_before)
		done_before = 0;
	phase_before = phase;
	cr_assert_geq(done, done_before);
	cr_assert_leq(done, total);
	done_before = done;
	return ++calls > last_call;
}

Test(format, says_how_far_it_is)
{
	write_at(data, 1 << 20, "x", 1);
	opts.progress = count_call;
	opts.progress_ctx = &opts;
	opts.flags |= XLOG_FORMAT_DISCARD;
	format(NULL);
	cr_assert_eq(phase_before, XLOG_FORMAT_WRITING);
	cr_assert_eq(done_before, SIZE);
	cr_assert_geq(calls, 1);
}

Test(format, can_be_stopped_and_leaves_no_filesystem)
{
	format(NULL);
	opts.progress = count_call;
	opts.progress_ctx = &opts;
	last_call = 0;
	cr_assert_eq(open_as(XLOG_OPEN_WRITE, NULL, NULL), 0);
	cr_assert_eq(xlog_format(f, &opts, NULL), -ECANCELED);
	cr_assert_eq(calls, 1);
	cr_assert(xlog_format_wrote(f));
	cr_assert_eq(xlog_format_probe(f, see, NULL), 0);
}

/* --- files that are made, or grow --- */

static int open_longer(unsigned int flags, uint64_t data_bytes,
		       const char *log, uint64_t log_bytes)
{
	const struct xlog_format_open what = {
		.data = data, .logdev = log, .flags = flags,
		.data_bytes = data_bytes, .log_bytes = log_bytes,
		.report = reports_add, .report_ctx = &said,
	};

	return xlog_format_open(&what, &f);
}

static off_t length(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void close_format(void)
{
	xlog_format_close(f);
	f = NULL;
}

Test(format, makes_files_that_are_missing)
{
	cr_assert_eq(unlink(data), 0);
	cr_assert_eq(unlink(logdev), 0);
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, SIZE, logdev, SIZE / 2), 0);
	cr_assert_eq(xlog_format(f, &opts, NULL), 0, "%s", said.text);
	cr_assert(xlog_format_wrote(f));
	close_format();
	cr_assert_eq(length(data), SIZE);
	cr_assert_eq(length(logdev), SIZE / 2);
	expect_clean(logdev);
}

Test(format, removes_them_if_nothing_comes_of_it)
{
	cr_assert_eq(unlink(data), 0);
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, SIZE, NULL, 0), 0);
	opts.agcount = 1000;
	cr_assert_eq(xlog_format(f, &opts, NULL), -EINVAL);
	cr_assert_not(xlog_format_wrote(f));
	close_format();
	cr_assert_eq(length(data), -1);
	/* the same if the second device is the reason */
	memset(&said, 0, sizeof(said));
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, SIZE, "/nowhere/log", SIZE),
		     0);
	cr_assert_eq(xlog_format_prepare(f), -ENOENT);
	assert_said(&said, "/nowhere/log: cannot be made");
	cr_assert_eq(length(data), SIZE);
	close_format();
	cr_assert_eq(length(data), -1);
}

Test(format, gives_a_file_its_old_length_if_nothing_comes_of_it)
{
	cr_assert_eq(truncate(data, SIZE - 1000), 0);
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, SIZE, NULL, 0), 0);
	cr_assert_eq(xlog_format_data(f)->size_bytes, SIZE);
	cr_assert_eq(length(data), SIZE - 1000);
	cr_assert_eq(xlog_format_prepare(f), 0);
	cr_assert_eq(xlog_format_prepare(f), 0);
	cr_assert_eq(length(data), SIZE);
	close_format();
	cr_assert_eq(length(data), SIZE - 1000);
	/* and leaves one that is long enough */
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, 1000, NULL, 0), 0);
	cr_assert_eq(xlog_format_prepare(f), 0);
	close_format();
	cr_assert_eq(length(data), SIZE - 1000);
}

Test(format, only_pretends_if_open_for_reading)
{
	cr_assert_eq(truncate(data, 0), 0);
	cr_assert_eq(unlink(logdev), 0);
	cr_assert_eq(open_longer(0, SIZE, logdev, SIZE / 2), 0);
	cr_assert_eq(xlog_format_data(f)->size_bytes, SIZE);
	cr_assert_eq(xlog_format_log(f)->size_bytes, SIZE / 2);
	cr_assert_eq(xlog_format_probe(f, see, NULL), 0);
	cr_assert_eq(xlog_format_prepare(f), -EROFS);
	close_format();
	cr_assert_eq(length(data), 0);
	cr_assert_eq(length(logdev), -1);
}

Test(format, that_fails_leaves_no_file_that_it_made)
{
	const struct rlimit small = { 8 << 20, RLIM_INFINITY };
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(unlink(data), 0);
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, SIZE, NULL, 0), 0);
	cr_assert_eq(xlog_format_prepare(f), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_assert_eq(xlog_format(f, &opts, NULL), -EFBIG);
	cr_assert_not(xlog_format_wrote(f));
	close_format();
	cr_assert_eq(length(data), -1);
	/* what was overwritten is not put back */
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
	make_file(data, "data", SIZE - 1000);
	write_at(data, 0, "x", 1);
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, SIZE, NULL, 0), 0);
	cr_assert_eq(xlog_format_prepare(f), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_assert_eq(xlog_format(f, &opts, NULL), -EFBIG);
	cr_assert(xlog_format_wrote(f));
	close_format();
	cr_assert_eq(length(data), SIZE);
}

Test(format, looks_at_the_end_that_a_file_had)
{
	/* of Promise RAID, 63 sectors before the end */
	write_at(data, SIZE - 63 * 512, "Promise Technology, Inc.", 24);
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, 2 * SIZE, NULL, 0), 0);
	cr_assert_eq(xlog_format_probe(f, see, NULL), 1);
	cr_assert_str_eq(seen, "data promise_fasttrack_raid_member;");
}

Test(format, can_begin_anywhere)
{
	struct xlog_format_open what = {
		.data = data, .offset_bytes = 1 << 20,
		.flags = XLOG_OPEN_WRITE, .data_bytes = 2 * SIZE,
		.report = reports_add, .report_ctx = &said,
	};
	uint8_t magic[4] = { 0 };

	cr_assert_eq(truncate(data, SIZE + (1 << 20)), 0);
	write_at(data, 0, "before it", 9);
	cr_assert_eq(xlog_format_open(&what, &f), 0, "%s", said.text);
	cr_assert_eq(xlog_format_data(f)->size_bytes, SIZE);
	cr_assert_eq(xlog_format(f, &opts, NULL), 0, "%s", said.text);
	close_format();
	cr_assert_eq(length(data), SIZE + (1 << 20));
	read_at(data, 0, magic, 4);
	cr_assert_eq(memcmp(magic, "befo", 4), 0);
	read_at(data, 1 << 20, magic, 4);
	cr_assert_eq(get_be32(magic), XFS_SB_MAGIC);
	cr_assert_eq(xlog_format_open(&what, &f), 0);
	cr_assert_eq(xlog_format_probe(f, see, NULL), 1);
	cr_assert_str_eq(seen, "data xfs;");
	close_format();
	what.offset_bytes = 100;
	cr_assert_eq(xlog_format_open(&what, &f), -EINVAL);
	f = NULL;
	assert_said(&said, "not a multiple of its sectors");
}

static void open_part(uint64_t part_bytes)
{
	const struct xlog_format_open what = {
		.data = data, .offset_bytes = 1 << 20,
		.data_bytes = part_bytes, .flags = XLOG_OPEN_WRITE,
		.report = reports_add, .report_ctx = &said,
	};

	cr_assert_eq(xlog_format_open(&what, &f), 0, "%s", said.text);
}

Test(format, of_a_part_leaves_what_is_around)
{
	static uint8_t around[1 << 20], after[1 << 20];
	const off_t behind = (1 << 20) + SIZE / 2;

	pattern_fill(around, 0, sizeof(around));
	write_at(data, 0, around, sizeof(around));
	write_at(data, behind, around, sizeof(around));
	write_at(data, SIZE - (1 << 20), around, sizeof(around));
	opts.data_bytes = SIZE / 2;
	open_part(SIZE / 2);
	cr_assert_eq(xlog_format(f, &opts, NULL), 0, "%s", said.text);
	close_format();
	read_at(data, 0, after, sizeof(after));
	cr_expect(!memcmp(after, around, sizeof(after)));
	read_at(data, behind, after, sizeof(after));
	cr_expect(!memcmp(after, around, sizeof(after)));
	read_at(data, SIZE - (1 << 20), after, sizeof(after));
	cr_expect(!memcmp(after, around, sizeof(after)));
}

Test(format, of_a_part_looks_at_all_and_at_the_part)
{
	/* of Promise RAID, 63 sectors before the end */
	const off_t end = (1 << 20) + SIZE / 2;

	write_at(data, end - 63 * 512, "Promise Technology, Inc.", 24);
	open_part(0);
	cr_expect_eq(xlog_format_probe(f, see, NULL), 0);
	close_format();
	open_part(SIZE / 2);
	cr_expect_eq(xlog_format_probe(f, see, NULL), 1);
	close_format();
	write_at(data, EXT_MAGIC_OFF, "\x53\xef", 2);
	open_part(0);
	cr_expect_eq(xlog_format_probe(f, see, NULL), 1);
	cr_expect_str_eq(seen, "data promise_fasttrack_raid_member;data ext2;");
}

/* --- old logs --- */

Test(format, is_sure_of_a_log_only_if_it_can_be_read)
{
	const off_t lsn = 240;	/* in the superblock, below its checksum */

	format(NULL);
	/* one inside is looked at, whatever the new one will be */
	cr_assert_eq(open_as(0, logdev, NULL), 0);
	cr_assert_eq(xlog_format_probe(f, see, NULL), 1);
	cr_expect_str_eq(seen, "data xfs;");
	close_format();
	seen[0] = 0;
	write_at(data, lsn, "\xff", 1);
	cr_assert_eq(open_as(0, NULL, NULL), 0);
	cr_assert_eq(xlog_format_probe(f, see, NULL), 1);
	cr_expect_str_eq(seen, "data xfs unsure;");
}

Test(format, is_not_sure_of_a_log_that_is_not_there)
{
	format(logdev);
	cr_assert_eq(open_as(0, logdev, NULL), 0);
	cr_assert_eq(xlog_format_probe(f, see, NULL), 2);
	cr_expect_str_eq(seen, "data xfs;log xfs_external_log;");
	close_format();
	seen[0] = 0;
	cr_assert_eq(open_as(0, NULL, NULL), 0);
	cr_assert_eq(xlog_format_probe(f, see, NULL), 1);
	cr_expect_str_eq(seen, "data xfs unsure;");
}

/* --- names that come to stand for something else --- */

Test(format, never_shortens_a_file_that_grew_meanwhile)
{
	cr_assert_eq(truncate(data, 4096), 0);
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, SIZE, NULL, 0), 0);
	cr_assert_eq(truncate(data, 2 * SIZE), 0);
	cr_assert_eq(xlog_format(f, &opts, NULL), -EBUSY);
	assert_said(&said, "data: in use: its length is another");
	cr_assert_not(xlog_format_wrote(f));
	close_format();
	cr_assert_eq(length(data), 2 * SIZE);
}

Test(format, leaves_another_file_that_has_its_name_now)
{
	char away[sizeof(data) + 8];

	snprintf(away, sizeof(away), "%s.away", data);
	/* one that grew: it shrinks, and not the other */
	cr_assert_eq(truncate(data, 4096), 0);
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, SIZE, NULL, 0), 0);
	cr_assert_eq(xlog_format_prepare(f), 0);
	cr_assert_eq(rename(data, away), 0);
	cr_assert_eq(symlink(logdev, data), 0);
	close_format();
	cr_expect_eq(length(logdev), SIZE);
	cr_expect_eq(length(away), 4096);
	/* one that was made: the other is not removed */
	cr_assert_eq(unlink(data), 0);
	cr_assert_eq(open_longer(XLOG_OPEN_WRITE, SIZE, NULL, 0), 0);
	cr_assert_eq(xlog_format_prepare(f), 0);
	cr_assert_eq(rename(data, away), 0);
	cr_assert_eq(symlink(logdev, data), 0);
	close_format();
	cr_expect_eq(length(data), SIZE);
	cr_expect_eq(length(away), SIZE);
}

/* The space of a file is its owner's; of a disk, nobody's. */
Test(format, discards_only_what_disks_hold)
{
	const off_t off = SIZE - (1 << 20);	/* free space */
	uint8_t byte = 0x5a;

	write_at(data, off, &byte, 1);
	opts.flags |= XLOG_FORMAT_DISCARD;
	format(NULL);
	byte = 0;
	read_at(data, off, &byte, 1);
	cr_expect_eq(byte, 0x5a);
}
