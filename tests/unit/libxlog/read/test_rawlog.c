/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies of the raw log: what is in them, that they are durable, and onto
 * which filesystem they go back.
 */
#include <errno.h>
#include <zstd.h>

#include "libxfsfmt/logenc.h"
#include "libxlog/read/read.h"
#include "tests/lib/memdev.h"
#include "tests/lib/tinyfs.h"

enum { PATH_BYTES = PATH_MAX + 256, LAST = TINYFS_LOG_BYTES - BB_SIZE };

static struct scratch dir;
static struct reports said;
static char fs[PATH_BYTES], copy[PATH_BYTES], beside[PATH_BYTES];
static struct xlog_open_options opts;
static struct xlog *xlog;
static uint8_t sb[TINYFS_SECTOR];
static unsigned int flushes, folder_flushes;

/* In front of libc's. */
int fdatasync(int fd)
{
	(void)fd;
	flushes++;
	return 0;
}

int fsync(int fd)
{
	(void)fd;
	folder_flushes++;
	return 0;
}

static void keep_path(char *to, const char *path)
{
	snprintf(to, PATH_BYTES, "%s", path);
}

/* A record at the start of the log, and something at its end. */
static void write_records(const uint8_t *uuid)
{
	struct xlog_form form = xlog_form_mkfs(2, XLOG_FMT_LINUX_LE, 512,
					       TINYFS_LOG_BYTES / BB_SIZE,
					       uuid);
	uint8_t raw[2 * BB_SIZE];

	xlog_unmount_mkfs_encode(&form, xfs_lsn_make(7, 0),
				 xfs_lsn_make(7, 0), raw);
	cr_assert_eq(dev_write(xlog->dev, 0, raw, sizeof(raw)), 0);
	memset(raw, 0x77, sizeof(raw));
	cr_assert_eq(dev_write(xlog->dev, LAST, raw, BB_SIZE), 0);
}

static void begin(void)
{
	scratch_init(&dir);
	tinyfs_sb(sb, true);
	keep_path(fs, tinyfs_make(&dir, "fs", true));
	keep_path(copy, scratch_path(&dir, "copy"));
	keep_path(beside, scratch_path(&dir, "copy.beside"));
	opts.report = reports_add;
	opts.report_ctx = &said;
	opts.flags = XLOG_OPEN_OVERLAY;
	cr_assert_eq(xlog_open(fs, &opts, &xlog), 0, "%s", said.text);
	write_records(xlog->info.uuid);
}

static void end(void)
{
	xlog_close(xlog);
	scratch_fini(&dir);
}

TestSuite(save_log, .init = begin, .fini = end);
TestSuite(restore_log, .init = begin, .fini = end);

static int save_with(struct xlog_save save)
{
	int rc;

	save.path = copy;
	rc = xlog_save_log(xlog, &save);
	if (!rc)
		memset(&said, 0, sizeof(said));	/* of a tmpfs */
	return rc;
}

static int save(void)
{
	return save_with((struct xlog_save){ .path = NULL });
}

static uint8_t *log_now(void)
{
	uint8_t *bytes = malloc(TINYFS_LOG_BYTES);

	cr_assert_not_null(bytes);
	cr_assert_eq(dev_read(xlog->dev, 0, bytes, TINYFS_LOG_BYTES), 0);
	return bytes;
}

Test(save_log, copies_all_of_it_with_holes)
{
	uint8_t *want = log_now(), *is = malloc(TINYFS_LOG_BYTES);
	struct stat st;
	int fd;

	cr_assert_eq(save(), 0);
	fd = open(copy, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert_eq(st.st_size, TINYFS_LOG_BYTES);
	cr_assert_lt(st.st_blocks * 512, 65536);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(read(fd, is, TINYFS_LOG_BYTES), TINYFS_LOG_BYTES);
	cr_assert_eq(memcmp(is, want, TINYFS_LOG_BYTES), 0);
	close(fd);
	free(want);
	free(is);
}

Test(save_log, makes_copy_and_name_durable)
{
	cr_assert_eq(save(), 0);
	cr_assert_eq(flushes, 1);
	cr_assert_eq(folder_flushes, 1);
}

Test(save_log, makes_what_lies_beside_it_as_durable)
{
	char text[8] = "";
	int fd;

	cr_assert_eq(save_with((struct xlog_save){ .beside_path = beside,
						   .beside = "text",
						   .beside_bytes = 4 }), 0);
	cr_assert_eq(flushes, 2);
	cr_assert_eq(folder_flushes, 2);
	fd = open(beside, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(read(fd, text, sizeof(text)), 4);
	cr_assert_str_eq(text, "text");
	close(fd);
}

Test(save_log, overwrites_nothing)
{
	scratch_file(&dir, "copy", "x", 1);
	cr_assert_eq(save(), -EEXIST);
	assert_said(&said, "copy: is there already");
	unlink(copy);
	scratch_file(&dir, "copy.beside", "x", 1);
	cr_assert_eq(save_with((struct xlog_save){ .beside_path = beside,
						   .beside = "text",
						   .beside_bytes = 4 }),
		     -EEXIST);
	cr_assert(strstr(said.text, "copy.beside: is there already"));
	cr_assert_neq(access(copy, F_OK), 0);
	cr_assert_eq(access(beside, F_OK), 0);
}

static int stop_halfway(void *ctx, uint64_t done, uint64_t total)
{
	*(uint64_t *)ctx = done;
	cr_assert_eq(total, TINYFS_LOG_BYTES);
	return done >= total / 2;
}

Test(save_log, leaves_nothing_when_it_is_cancelled)
{
	uint64_t done = 0;

	cr_assert_eq(save_with((struct xlog_save){
		.beside_path = beside, .beside = "text", .beside_bytes = 4,
		.progress = stop_halfway, .ctx = &done }), -ECANCELED);
	cr_assert_eq(done, TINYFS_LOG_BYTES / 2);
	cr_assert_neq(access(copy, F_OK), 0);
	cr_assert_neq(access(beside, F_OK), 0);
}

/* --- restoring --- */

static struct xlog_restore from(const void *superblock)
{
	return (struct xlog_restore){
		.path = copy, .superblock = superblock,
		.superblock_bytes = superblock ? sizeof(sb) : 0,
	};
}

static int restore(const void *superblock)
{
	struct xlog_restore r = from(superblock);

	return xlog_restore_log(xlog, &r);
}

static void spoil(void)
{
	cr_assert_eq(dev_zero(xlog->dev, 0, TINYFS_LOG_BYTES), 0);
}

static bool is_spoiled(void)
{
	uint8_t *now = log_now();
	bool zero = dev_is_zero(now, TINYFS_LOG_BYTES);

	free(now);
	return zero;
}

/* Restoring it is refused, and nothing written. */
static void refuses(const void *superblock, int rc, const char *what)
{
	cr_assert_eq(restore(superblock), rc, "%s", said.text);
	assert_said(&said, what);
	cr_assert(is_spoiled());
}

Test(restore_log, puts_all_of_it_back)
{
	uint8_t *want = log_now(), *is;

	cr_assert_eq(save(), 0);
	for (int i = 0; i < 2; i++) {
		spoil();
		flushes = 0;
		cr_assert_eq(restore(i ? sb : NULL), 0, "%s", said.text);
		is = log_now();
		cr_assert_eq(memcmp(is, want, TINYFS_LOG_BYTES), 0);
		free(is);
		assert_silent(&said);
	}
	free(want);
}

Test(restore_log, takes_a_compressed_copy)
{
	uint8_t *bytes = log_now(), *packed = malloc(TINYFS_LOG_BYTES);
	size_t len = ZSTD_compress(packed, TINYFS_LOG_BYTES, bytes,
				   TINYFS_LOG_BYTES, 1);

	cr_assert(!ZSTD_isError(len));
	scratch_file(&dir, "copy", packed, len);
	spoil();
	cr_assert_eq(restore(NULL), 0, "%s", said.text);
	cr_assert_not(is_spoiled());
	free(bytes);
	free(packed);
}

Test(restore_log, reaches_the_disk)
{
	struct xlog *writer;
	uint8_t byte;
	int fd;

	cr_assert_eq(save(), 0);
	opts.flags = XLOG_OPEN_WRITE;
	cr_assert_eq(xlog_open(fs, &opts, &writer), 0);
	flushes = 0;
	cr_assert_eq(xlog_restore_log(writer, &(struct xlog_restore){
					      .path = copy }), 0);
	cr_assert_eq(flushes, 1);
	xlog_close(writer);
	fd = open(fs, O_RDONLY | O_CLOEXEC);
	cr_assert_eq(pread(fd, &byte, 1, TINYFS_LOG_OFF + LAST), 1);
	cr_assert_eq(byte, 0x77);
	close(fd);
}

Test(restore_log, needs_a_log_that_is_open_for_writing)
{
	struct xlog *reader;

	cr_assert_eq(save(), 0);
	opts.flags = 0;
	cr_assert_eq(xlog_open(fs, &opts, &reader), 0);
	cr_assert_eq(xlog_restore_log(reader, &(struct xlog_restore){
					      .path = copy }), -EROFS);
	xlog_close(reader);
}

Test(restore_log, refuses_the_log_of_another_filesystem)
{
	uint8_t uuid[16] = { 1, 2, 3 };

	write_records(uuid);
	cr_assert_eq(save(), 0);
	spoil();
	refuses(NULL, -EXDEV, "its records have another UUID");
	refuses(sb, -EXDEV, "its records have another UUID");
}

Test(restore_log, refuses_a_superblock_of_another_filesystem)
{
	cr_assert_eq(save(), 0);
	spoil();
	sb[TINYFS_UUID_OFF] ^= 1;
	refuses(sb, -EXDEV, "another UUID");
	sb[TINYFS_UUID_OFF] ^= 1;
	sb[55] ^= 0x20;		/* sb_logstart */
	refuses(sb, -EXDEV, "another place");
	sb[0] = 0;
	refuses(sb, -EUCLEAN, "kept with it: bad magic");
}

Test(restore_log, refuses_a_copy_of_another_size)
{
	cr_assert_eq(save(), 0);
	spoil();
	cr_assert_eq(truncate(copy, TINYFS_LOG_BYTES + 512), 0);
	refuses(NULL, -EXDEV, "another size");
	cr_assert_eq(truncate(copy, TINYFS_LOG_BYTES - 512), 0);
	refuses(sb, -EXDEV, "another size");
}

/* A log of zeros says nothing of what it is the log of. */
Test(restore_log, wants_a_superblock_for_a_log_without_records)
{
	spoil();
	cr_assert_eq(save(), 0);
	refuses(NULL, -EXDEV, "no record in it says so");
	cr_assert_eq(restore(sb), 0);
}

Test(restore_log, warns_if_the_superblock_has_changed_since)
{
	cr_assert_eq(save(), 0);
	spoil();
	sb[140] ^= 1;		/* sb_ifree */
	cr_assert_eq(restore(sb), 0);
	cr_assert_eq(said.errors, 0);
	cr_assert(strstr(said.text, "not what it was"));
}

Test(restore_log, can_be_cancelled_before_it_writes)
{
	struct xlog_restore r = from(NULL);
	uint64_t done = 0;

	cr_assert_eq(save(), 0);
	spoil();
	r.progress = stop_halfway;
	r.ctx = &done;
	cr_assert_eq(xlog_restore_log(xlog, &r), -ECANCELED);
	cr_assert(is_spoiled());
}

Test(restore_log, says_what_cannot_be_read)
{
	spoil();
	refuses(NULL, -ENOENT, "copy: cannot be opened");
	scratch_file(&dir, "copy", "", 0);
	refuses(NULL, -EMEDIUMTYPE, "copy: is empty");
}
