/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Putting back: onto which devices, in which order, and again after it was
 * cut off.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/lib/undorig.h"

static struct rig rig;

/* --- what is written, and when that fails --- */

enum { CALLS = 256, FLUSH = -1 };

static off_t calls[CALLS];	/* offset of each write, or FLUSH */
static unsigned int ncalls;
static unsigned int limit = CALLS;	/* later ones fail */

static int call(off_t what)
{
	if (ncalls < limit && ncalls < CALLS) {
		calls[ncalls++] = what;
		return 0;
	}
	errno = EIO;
	return -1;
}

static void watch_calls(unsigned int max)
{
	ncalls = 0;
	limit = max;
}

/* In front of libc's. */
ssize_t pwrite(int fd, const void *buf, size_t len, off_t at)
{
	return call(at) ? -1 : syscall(SYS_pwrite64, fd, buf, len, at);
}

int fdatasync(int fd)
{
	return call(FLUSH) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static void begin(void)
{
	rig_init(&rig, false);
}

static void end(void)
{
	rig_fini(&rig);
}

TestSuite(undo_apply, .init = begin, .fini = end);

static void with_log(void)
{
	rig_fini(&rig);
	rig_init(&rig, true);
}

/* Some writes, to all devices. */
static void write_some(void)
{
	for (size_t i = 0; i < rig.count; i++) {
		rig_write(&rig, i, 0, 0xaa, 512);
		rig_write(&rig, i, 16384, 0xbb, 1024);
		rig_write(&rig, i, 32768 + 512, 0xcc, 512);
	}
}

static void make_journal(void)
{
	rig_open(&rig);
	write_some();
	rig_close(&rig);
}

/* As if the program had been killed: no device is closed. */
static void make_journal_and_die(void)
{
	pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (!pid) {
		rig_open(&rig);
		write_some();
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

static void poke(const char *path, off_t at, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(lseek(fd, at, SEEK_SET), at);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

/* As many bytes of before, back on device @i: half an undo. */
static void put_back(size_t i, off_t at, size_t len)
{
	poke(rig.to[i].path, at, rig.to[i].before + at, len);
}

Test(undo_apply, restores_all_devices)
{
	with_log();
	make_journal();
	cr_assert_not(rig_is_before(&rig, 0));
	cr_assert_not(rig_is_before(&rig, 1));
	rig_restores(&rig);
	cr_assert(strstr(rig.said.text, "undo: 24576 bytes put back"), "%s",
		  rig.said.text);
}

Test(undo_apply, leaves_the_journal_and_can_be_done_again)
{
	make_journal();
	rig_restores(&rig);
	rig_restores(&rig);
}

Test(undo_apply, restores_what_a_killed_program_wrote)
{
	with_log();
	make_journal_and_die();
	cr_assert_not(rig_is_before(&rig, 0));
	rig_restores(&rig);
}

Test(undo_apply, goes_on_where_it_was_cut_off)
{
	make_journal();
	put_back(0, 16384, 512);
	rig_restores(&rig);
}

Test(undo_apply, begins_at_the_offset)
{
	struct xlog_open_options opts = { .offset_bytes = 4096 };
	struct dev_undo undo = { .role = UNDO_ROLE_DATA };
	uint8_t byte = 1;

	cr_assert_eq(dev_open_writable(rig.to[0].path, 4096, 0, &rig.sink,
				       &undo.dev), 0);
	cr_assert_eq(dev_open_undo(rig.undo, &undo, 1, &rig.sink), 0);
	cr_assert_eq(dev_write(undo.dev, 8192, &byte, 1), 0);
	dev_close(undo.dev);
	cr_assert_eq(rig_apply(&rig), -EXDEV);
	cr_assert_eq(xlog_undo_apply(rig.undo, rig.to[0].path, &opts), 0);
	cr_assert(rig_is_before(&rig, 0));
}

/* --- the wrong device --- */

static void remains_as_it_is(int rc, const char *what)
{
	size_t len;
	uint8_t *was = rig_load(rig.to[0].path, &len), *is;

	cr_assert_eq(rig_apply(&rig), rc, "%s", rig.said.text);
	assert_said(&rig.said, what);
	is = rig_load(rig.to[0].path, &len);
	cr_assert_eq(memcmp(is, was, len), 0);
	free(was);
	free(is);
}

Test(undo_apply, refuses_a_device_of_another_size)
{
	make_journal();
	cr_assert_eq(truncate(rig.to[0].path, RIG_BYTES + 4096), 0);
	remains_as_it_is(-EXDEV, "for one of 1048576");
}

Test(undo_apply, refuses_a_device_that_begins_with_something_else)
{
	make_journal();
	poke(rig.to[0].path, 100, "other", 5);
	remains_as_it_is(-EXDEV, "is not what the undo file was made for");
}

Test(undo_apply, refuses_a_wrong_device_for_a_killed_program_too)
{
	make_journal_and_die();
	poke(rig.to[0].path, 100, "other", 5);
	remains_as_it_is(-EXDEV, "is not what the undo file was made for");
}

Test(undo_apply, refuses_the_wrong_external_log)
{
	with_log();
	make_journal();
	poke(rig.to[1].path, 100, "other", 5);
	remains_as_it_is(-EXDEV, "log: is not what");
}

Test(undo_apply, wants_the_external_log_if_there_was_one)
{
	with_log();
	make_journal();
	rig.count = 1;
	remains_as_it_is(-EINVAL, "--logdev");
	rig.count = 2;
}

Test(undo_apply, wants_no_external_log_if_there_was_none)
{
	struct xlog_open_options opts = {
		.logdev = "/dev/null", .report = reports_add,
		.report_ctx = &rig.said,
	};

	make_journal();
	memset(&rig.said, 0, sizeof(rig.said));
	cr_assert_eq(xlog_undo_apply(rig.undo, rig.to[0].path, &opts),
		     -EINVAL);
	assert_said(&rig.said, "not for an external log");
}

Test(undo_apply, refuses_a_device_in_use)
{
	struct dev *dev;

	make_journal();
	cr_assert_eq(dev_open_file(rig.to[0].path, DEV_WRITE, NULL, &dev), 0);
	remains_as_it_is(-EBUSY, "locked by");
	cr_assert_eq(rig_apply_with(&rig, XLOG_OPEN_LOCK_NONE), 0);
	dev_close(dev);
}

Test(undo_apply, refuses_options_that_make_no_sense)
{
	struct xlog_open_options opts = { .flags = XLOG_OPEN_OVERLAY };

	make_journal();
	cr_assert_eq(xlog_undo_apply(rig.undo, rig.to[0].path, &opts),
		     -EINVAL);
	opts = (struct xlog_open_options){ .undo = "other" };
	cr_assert_eq(xlog_undo_apply(rig.undo, rig.to[0].path, &opts),
		     -EINVAL);
}

/* --- later writes --- */

Test(undo_apply, refuses_when_a_saved_block_was_written_later)
{
	make_journal();
	poke(rig.to[0].path, 32768 + 1024, "later", 5);
	remains_as_it_is(-ESTALE, "1 sectors, the first at byte 33792");
}

Test(undo_apply, can_be_forced_then)
{
	make_journal();
	poke(rig.to[0].path, 32768 + 1024, "later", 5);
	cr_assert_eq(rig_apply_with(&rig, XLOG_OPEN_FORCE_CHANGED), 0);
	cr_assert(strstr(rig.said.text, "written to since"));
	cr_assert(rig_is_before(&rig, 0));
}

/* What was before and what was after mix: an undo that was cut off. */
Test(undo_apply, takes_each_sector_as_it_was_or_as_it_was_left)
{
	make_journal();
	put_back(0, 0, 512);
	put_back(0, 16384 + 512, 512);
	rig_restores(&rig);
}

/* A filesystem: it has a UUID. */
static void make_filesystem(void)
{
	memcpy(rig.to[0].before, "XFSB", 4);
	put_back(0, 0, 4);
	rig_open(&rig);
	rig_write(&rig, 0, 8192, 1, 512);
	rig_close(&rig);
}

Test(undo_apply, tells_a_changed_filesystem_from_another)
{
	make_filesystem();
	poke(rig.to[0].path, 200, "counter", 7);
	remains_as_it_is(-ESTALE, "written to since");
	poke(rig.to[0].path, 32, "another UUID", 12);
	remains_as_it_is(-EXDEV, "not what");
	cr_assert_eq(rig_apply_with(&rig, XLOG_OPEN_FORCE_CHANGED), -EXDEV);
}

Test(undo_apply, can_be_forced_on_a_changed_filesystem)
{
	make_filesystem();
	poke(rig.to[0].path, 200, "counter", 7);
	cr_assert_eq(rig_apply_with(&rig, XLOG_OPEN_FORCE_CHANGED), 0);
	put_back(0, 200, 7);
	cr_assert(rig_is_before(&rig, 0));
}

/* mkfs on a blank device: what comes to lie there has a UUID of its own. */
Test(undo_apply, knows_what_the_device_became)
{
	memset(rig.to[0].before, 0, RIG_BYTES);
	put_back(0, 0, RIG_BYTES);
	rig_open(&rig);
	cr_assert_eq(dev_write(rig.to[0].dev, 0, "XFSB", 4), 0);
	cr_assert_eq(dev_write(rig.to[0].dev, 32, "0123456789abcdef", 16), 0);
	rig_close(&rig);
	poke(rig.to[0].path, 200, "counter", 7);
	cr_assert_eq(rig_apply(&rig), -ESTALE);
	cr_assert_eq(rig_apply_with(&rig, XLOG_OPEN_FORCE_CHANGED), 0);
	cr_assert(rig_is_before(&rig, 0));
}

/* --- order --- */

/* A filesystem with an internal log, all of it and around it overwritten. */
static void overwrite_log(void)
{
	struct dev_undo undo = {
		.role = UNDO_ROLE_DATA, .log_off_bytes = 16384 + 512,
		.log_len = 8192,
	};
	uint8_t bytes[65536];

	memset(bytes, 3, sizeof(bytes));
	cr_assert_eq(dev_open_file(rig.to[0].path, DEV_WRITE, &rig.sink,
				   &undo.dev), 0);
	cr_assert_eq(dev_open_undo(rig.undo, &undo, 1, &rig.sink), 0);
	cr_assert_eq(dev_write(undo.dev, 131072, bytes, 512), 0);
	cr_assert_eq(dev_write(undo.dev, 0, bytes, sizeof(bytes)), 0);
	dev_close(undo.dev);
}

Test(undo_apply, puts_the_log_back_first_and_then_newest_first)
{
	static const off_t want[] = {
		16384 + 512, FLUSH, 16384 + 512 + 8192, 0, 131072, FLUSH,
	};
	unsigned int n = 0;

	overwrite_log();
	watch_calls(CALLS);
	rig_restores(&rig);
	for (unsigned int i = 0; i < ncalls; i++) {
		cr_assert_lt(n, sizeof(want) / sizeof(want[0]));
		cr_assert_eq(calls[i], want[n], "call %u at %lld", i,
			     (long long)calls[i]);
		n++;
	}
	cr_assert_eq(n, sizeof(want) / sizeof(want[0]));
}

Test(undo_apply, can_be_cut_off_at_any_write_and_done_again)
{
	unsigned int all, cut;
	uint8_t *after;
	size_t len;

	with_log();
	make_journal();
	watch_calls(CALLS);
	after = rig_load(rig.to[0].path, &len);
	rig_restores(&rig);
	all = ncalls;
	cr_assert_gt(all, 8);
	for (cut = 0; cut < all; cut++) {
		poke(rig.to[0].path, 0, after, len);
		watch_calls(cut);
		cr_assert_eq(rig_apply(&rig), -EIO);
		cr_assert_eq(rig.said.errors, 1);
		watch_calls(CALLS);
		rig_restores(&rig);
	}
	free(after);
}

/* --- files that grew --- */

/* The first file is half as long again while it is written. */
static void make_journal_of_grown(void)
{
	struct dev_undo undo = {
		.role = UNDO_ROLE_DATA, .grown = true,
		.was_bytes = rig.to[0].len,
	};
	uint8_t bytes[8192] = { 0x55 };

	cr_assert_eq(dev_open_file(rig.to[0].path, DEV_WRITE, &rig.sink,
				   &undo.dev), 0);
	cr_assert_eq(dev_resize(undo.dev, RIG_BYTES / 2 * 3), 0);
	cr_assert_eq(dev_open_undo(rig.undo, &undo, 1, &rig.sink), 0);
	cr_assert_eq(dev_write(undo.dev, 0, bytes, sizeof(bytes)), 0);
	cr_assert_eq(dev_write(undo.dev, RIG_BYTES - 4096, bytes,
			       sizeof(bytes)), 0);
	dev_close(undo.dev);
}

Test(undo_apply, gives_a_file_that_grew_its_old_length)
{
	make_journal_of_grown();
	rig_restores(&rig);
	rig_restores(&rig);
}

Test(undo_apply, cuts_off_what_grew_only_at_the_end)
{
	make_journal_of_grown();
	watch_calls(3);
	cr_assert_eq(rig_apply(&rig), -EIO);
	cr_assert_not(rig_is_before(&rig, 0));
	watch_calls(CALLS);
	rig_restores(&rig);
}
