/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening for writing and with an overlay: what reaches the files, what the
 * filesystem's device and the log's see of each other, and what is refused.
 */
#include <errno.h>
#include <zstd.h>

#include "libxlog/read/read.h"
#include "tests/lib/memdev.h"
#include "tests/lib/tinyfs.h"

static struct scratch dir;
static struct reports said;
static struct path { char text[PATH_MAX + 256]; } fs_path, log_path;
static struct xlog_open_options opts;

static void begin(void)
{
	scratch_init(&dir);
	opts.report = reports_add;
	opts.report_ctx = &said;
}

static void end(void)
{
	scratch_fini(&dir);
}

TestSuite(open_write, .init = begin, .fini = end);
TestSuite(open_overlay, .init = begin, .fini = end);

static void set_path(struct path *path, const char *text)
{
	snprintf(path->text, sizeof(path->text), "%s", text);
}

static void make_internal(void)
{
	set_path(&fs_path, tinyfs_make(&dir, "fs", true));
}

static void make_external(void)
{
	set_path(&fs_path, tinyfs_make(&dir, "fs", false));
	set_path(&log_path, tinyfs_logdev(&dir, "log"));
	opts.logdev = log_path.text;
}

static struct xlog *open_as(unsigned int flags)
{
	struct xlog *log;

	opts.flags = flags;
	cr_assert_eq(xlog_open(fs_path.text, &opts, &log), 0, "%s", said.text);
	return log;
}

static int open_fails(unsigned int flags)
{
	struct xlog *log;

	opts.flags = flags;
	return xlog_open(fs_path.text, &opts, &log);
}

static uint8_t byte_of(const char *path, off_t at)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t byte;

	cr_assert_geq(fd, 0);
	cr_assert_eq(pread(fd, &byte, 1, at), 1);
	close(fd);
	return byte;
}

static void put(struct dev *dev, uint64_t off, uint8_t byte)
{
	uint8_t sector[BB_SIZE];

	memset(sector, byte, sizeof(sector));
	cr_assert_eq(dev_write(dev, off, sector, sizeof(sector)), 0);
}

static uint8_t get(struct dev *dev, uint64_t off)
{
	uint8_t byte;

	cr_assert_eq(dev_read(dev, off, &byte, 1), 0);
	return byte;
}

Test(open_write, reaches_the_file_through_filesystem_and_log)
{
	struct xlog *log;

	make_internal();
	log = open_as(XLOG_OPEN_WRITE);
	put(log->fs, 8192, 1);
	put(log->dev, 512, 2);
	cr_assert_eq(dev_flush(log->dev), 0);
	xlog_close(log);
	cr_assert_eq(byte_of(fs_path.text, 8192), 1);
	cr_assert_eq(byte_of(fs_path.text, TINYFS_LOG_OFF + 512), 2);
}

Test(open_write, reaches_an_external_log_and_nothing_behind_it)
{
	struct xlog *log;
	uint8_t byte = 1;

	make_external();
	cr_assert_eq(truncate(log_path.text, TINYFS_LOG_BYTES + 4096), 0);
	log = open_as(XLOG_OPEN_WRITE);
	put(log->dev, 512, 2);
	cr_assert_eq(log->dev->size_bytes, TINYFS_LOG_BYTES);
	cr_assert_eq(dev_write(log->dev, TINYFS_LOG_BYTES, &byte, 1), -EINVAL);
	xlog_close(log);
	cr_assert_eq(byte_of(log_path.text, 512), 2);
}

Test(open_write, begins_at_the_offset)
{
	uint8_t raw[TINYFS_SECTOR], both[2 * TINYFS_SECTOR] = { 0 };
	struct xlog *log;

	tinyfs_sb(raw, true);
	memcpy(both + sizeof(raw), raw, sizeof(raw));
	set_path(&fs_path, tinyfs_sparse(&dir, "fs", both, sizeof(both),
				      TINYFS_BYTES + TINYFS_SECTOR));
	opts.offset_bytes = TINYFS_SECTOR;
	log = open_as(XLOG_OPEN_WRITE);
	put(log->dev, 0, 3);
	xlog_close(log);
	cr_assert_eq(byte_of(fs_path.text, TINYFS_SECTOR + TINYFS_LOG_OFF), 3);
}

Test(open_write, of_nothing_asked_for_is_refused_by_the_devices)
{
	uint8_t byte = 1;
	struct xlog *log;

	make_internal();
	log = open_as(0);
	cr_assert_eq(dev_write(log->fs, 0, &byte, 1), -EROFS);
	cr_assert_eq(dev_write(log->dev, 0, &byte, 1), -EROFS);
	xlog_close(log);
}

Test(open_write, holds_a_lock_on_both_devices)
{
	struct xlog *log;

	make_external();
	log = open_as(XLOG_OPEN_WRITE);
	cr_assert_eq(open_fails(XLOG_OPEN_WRITE), -EBUSY);
	cr_assert(strstr(said.text, "locked by"), "%s", said.text);
	set_path(&fs_path, tinyfs_make(&dir, "other", false));
	memset(&said, 0, sizeof(said));
	cr_assert_eq(open_fails(XLOG_OPEN_WRITE), -EBUSY);
	cr_assert(strstr(said.text, "log: in use"), "%s", said.text);
	xlog_close(log);
	xlog_close(open_as(XLOG_OPEN_WRITE));
}

Test(open_write, takes_no_lock_if_none_is_wanted)
{
	struct xlog *log, *other;

	make_internal();
	log = open_as(XLOG_OPEN_WRITE);
	other = open_as(XLOG_OPEN_WRITE | XLOG_OPEN_LOCK_NONE);
	xlog_close(other);
	xlog_close(log);
}

static void *close_soon(void *log)
{
	/* Once the other has said that it waits. */
	while (!said.count)
		usleep(1000);
	xlog_close(log);
	return NULL;
}

Test(open_write, waits_for_the_lock_if_told_to, .timeout = 60)
{
	struct xlog *log;
	pthread_t thread;

	make_internal();
	log = open_as(XLOG_OPEN_WRITE);
	cr_assert_eq(pthread_create(&thread, NULL, close_soon, log), 0);
	xlog_close(open_as(XLOG_OPEN_WRITE | XLOG_OPEN_LOCK_WAIT));
	pthread_join(thread, NULL);
	cr_assert(strstr(said.text, "waiting for the lock"), "%s", said.text);
}

Test(open_write, refuses_a_compressed_image)
{
	static char plain[4096], packed[4096];
	size_t len = ZSTD_compress(packed, sizeof(packed), plain,
				   sizeof(plain), 1);

	cr_assert(!ZSTD_isError(len));
	set_path(&fs_path, scratch_file(&dir, "fs.zst", packed, len));
	cr_assert_eq(open_fails(XLOG_OPEN_WRITE), -EROFS);
	assert_said(&said, "--target");
}

Test(open_write, refuses_a_log_alone)
{
	uint8_t raw[16 * BB_SIZE] = { 0 }, sb[TINYFS_SECTOR];

	/* magic, cycle 1, version 2, LSN 1:0, format 1: a header in its place */
	memcpy(raw, "\xfe\xed\xba\xbe\0\0\0\1\0\0\0\2", 12);
	raw[19] = 1;
	raw[303] = 1;
	set_path(&fs_path, scratch_file(&dir, "log", raw, sizeof(raw)));
	xlog_close(open_as(0));
	memset(&said, 0, sizeof(said));
	cr_assert_eq(open_fails(XLOG_OPEN_WRITE), -EINVAL);
	cr_assert_eq(said.errors, 1);
	memset(&said, 0, sizeof(said));

	tinyfs_sb(sb, true);
	set_path(&fs_path, tinyfs_logdev(&dir, "copy"));
	opts.superblock = sb;
	opts.superblock_bytes = sizeof(sb);
	xlog_close(open_as(0));
	cr_assert_eq(open_fails(XLOG_OPEN_WRITE), -EINVAL);
	assert_said(&said, "alone");
}

Test(open_write, refuses_the_filesystem_as_its_own_log)
{
	make_external();
	set_path(&log_path, scratch_path(&dir, "same"));
	cr_assert_eq(link(fs_path.text, log_path.text), 0);
	cr_assert_eq(open_fails(XLOG_OPEN_WRITE | XLOG_OPEN_LOCK_NONE),
		     -EINVAL);
	assert_said(&said, "not its log");
}

Test(open_write, refuses_flags_that_contradict)
{
	make_internal();
	cr_assert_eq(open_fails(XLOG_OPEN_WRITE | XLOG_OPEN_OVERLAY), -EINVAL);
	assert_said(&said, "not both");
	opts.undo = "undo";
	cr_assert_eq(open_fails(XLOG_OPEN_OVERLAY), -EINVAL);
	assert_said(&said, "undone");
	cr_assert_eq(open_fails(0), -EINVAL);
	assert_said(&said, "undone");
}

/* What is written to filesystem and log can be undone. */
static void undone(unsigned int devices)
{
	struct path undo;
	struct xlog *log;

	set_path(&undo, scratch_path(&dir, "undo"));
	opts.undo = undo.text;
	log = open_as(XLOG_OPEN_WRITE);
	put(log->fs, 8192, 1);
	put(log->dev, 512, 2);
	cr_assert_eq(get(log->dev, 512), 2);
	xlog_close(log);
	cr_assert_eq(byte_of(fs_path.text, 8192), 1);
	opts.undo = NULL;
	opts.flags = 0;
	cr_assert_eq(xlog_undo_apply(undo.text, fs_path.text, &opts), 0, "%s",
		     said.text);
	cr_assert_eq(byte_of(fs_path.text, 8192), 0);
	if (devices == 2)
		cr_assert_eq(byte_of(log_path.text, 512), 0);
	else
		cr_assert_eq(byte_of(fs_path.text, TINYFS_LOG_OFF + 512), 0);
}

Test(open_write, saves_in_an_undo_file_what_it_overwrites)
{
	make_internal();
	undone(1);
}

Test(open_write, saves_what_it_overwrites_on_both_devices)
{
	make_external();
	cr_assert_eq(truncate(log_path.text, TINYFS_LOG_BYTES + 4096), 0);
	undone(2);
}

Test(open_write, does_not_overwrite_an_undo_file)
{
	struct path undo;

	make_internal();
	set_path(&undo, scratch_file(&dir, "undo", "precious", 8));
	opts.undo = undo.text;
	cr_assert_eq(open_fails(XLOG_OPEN_WRITE), -EEXIST);
	assert_said(&said, "undo: is there already");
	cr_assert_eq(byte_of(undo.text, 0), 'p');
}

Test(open_write, leaves_no_undo_file_if_it_writes_nothing)
{
	struct path undo;

	make_external();
	set_path(&undo, scratch_path(&dir, "undo"));
	opts.undo = undo.text;
	xlog_close(open_as(XLOG_OPEN_WRITE));
	cr_assert_neq(access(undo.text, F_OK), 0);
	cr_assert_eq(truncate(log_path.text, 4096), 0);
	memset(&said, 0, sizeof(said));
	cr_assert_eq(open_fails(XLOG_OPEN_WRITE), -EUCLEAN);
	assert_said(&said, "4096 bytes, but the log has");
	cr_assert_neq(access(undo.text, F_OK), 0);
}

Test(open_overlay, shows_what_is_written_and_leaves_the_file)
{
	struct xlog *log;

	make_internal();
	log = open_as(XLOG_OPEN_OVERLAY);
	put(log->dev, 1024, 5);
	put(log->fs, 8192, 6);
	cr_assert_eq(get(log->fs, TINYFS_LOG_OFF + 1024), 5);
	put(log->fs, TINYFS_LOG_OFF + 4096, 7);
	cr_assert_eq(get(log->dev, 4096), 7);
	cr_assert_eq(dev_flush(log->dev), 0);
	xlog_close(log);
	cr_assert_eq(byte_of(fs_path.text, 8192), 0);
	cr_assert_eq(byte_of(fs_path.text, TINYFS_LOG_OFF + 1024), 0);
}

Test(open_overlay, stands_above_an_external_log_too)
{
	struct xlog *log;

	make_external();
	log = open_as(XLOG_OPEN_OVERLAY);
	put(log->dev, 1024, 5);
	put(log->fs, 1024, 6);
	cr_assert_eq(get(log->dev, 1024), 5);
	cr_assert_eq(get(log->fs, 1024), 6);
	xlog_close(log);
	cr_assert_eq(byte_of(log_path.text, 1024), 0);
	cr_assert_eq(byte_of(fs_path.text, 1024), 0);
}

Test(open_overlay, needs_no_right_to_write_and_takes_no_lock)
{
	struct xlog *log;

	make_internal();
	cr_assert_eq(chmod(fs_path.text, 0400), 0);
	log = open_as(XLOG_OPEN_OVERLAY);
	xlog_close(open_as(XLOG_OPEN_WRITE));
	xlog_close(log);
}

Test(open_overlay, works_on_a_compressed_image)
{
	const size_t max = 1 << 20;
	char *plain = calloc(1, TINYFS_BYTES), *packed = malloc(max);
	struct xlog *log;
	size_t len;

	cr_assert(plain && packed);
	tinyfs_sb((uint8_t *)plain, true);
	len = ZSTD_compress(packed, max, plain, TINYFS_BYTES, 1);
	cr_assert(!ZSTD_isError(len));
	set_path(&fs_path, scratch_file(&dir, "fs.zst", packed, len));
	log = open_as(XLOG_OPEN_OVERLAY);
	put(log->dev, 0, 9);
	cr_assert_eq(get(log->fs, TINYFS_LOG_OFF), 9);
	xlog_close(log);
	free(plain);
	free(packed);
}
