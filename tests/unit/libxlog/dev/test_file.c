/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/resource.h>

#include "tests/lib/loopdev.h"
#include "tests/lib/memdev.h"
#include "tests/lib/needs.h"
#include "tests/lib/scratch.h"

enum { SIZE = 10000 };

static struct scratch scratch;
static struct reports said;
static struct sink sink;
static uint8_t buf[2 * SIZE];

static void setup(void)
{
	scratch_init(&scratch);
	sink = reports_sink(&said);
}

static void teardown(void)
{
	scratch_fini(&scratch);
}

TestSuite(dev_open_file, .init = setup, .fini = teardown);
TestSuite(file_open_as, .init = setup, .fini = teardown);
TestSuite(dev_resize, .init = setup, .fini = teardown);
TestSuite(file, .init = setup, .fini = teardown);
TestSuite(dev_open_image, .init = setup, .fini = teardown);

static const char *pattern_file(void)
{
	pattern_fill(buf, 0, SIZE);
	return scratch_file(&scratch, "pattern", buf, SIZE);
}

static struct dev *open_pattern(unsigned int flags)
{
	struct dev *dev;

	cr_assert_eq(dev_open_file(pattern_file(), flags, &sink, &dev), 0);
	memset(buf, 0, sizeof(buf));
	return dev;
}

Test(dev_open_file, reads_a_regular_file)
{
	struct dev *dev = open_pattern(0);

	cr_assert_eq(dev->size_bytes, SIZE);
	cr_assert_eq(dev->sector_bytes, 512);
	cr_assert_not(dev->writable);
	cr_assert_str_eq(dev->name, scratch.path);
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	cr_assert(pattern_holds(buf, 0, SIZE));
	cr_assert_eq(dev_read(dev, SIZE - 7, buf, 7), 0);
	cr_assert(pattern_holds(buf, SIZE - 7, 7));
	cr_assert_eq(dev_write(dev, 0, buf, 1), -EROFS);
	assert_said(&said, "opened for reading only");
	dev_close(dev);
}

Test(dev_open_file, needs_no_sink)
{
	struct dev *dev;

	cr_assert_eq(dev_open_file(pattern_file(), 0, NULL, &dev), 0);
	cr_assert_eq(dev_read(dev, SIZE, buf, 1), -EINVAL);
	dev_close(dev);
	cr_assert_eq(dev_open_file("/nowhere/at/all", 0, NULL, &dev), -ENOENT);
}

static void assert_refused(const char *path, int rc, const char *why)
{
	static const unsigned int flags[] = {
		0, DEV_WRITE, DEV_WRITE | DEV_LOCK_NONE,
	};
	size_t i;

	for (i = 0; i < 3; i++) {
		struct dev *dev = NULL;

		cr_assert_eq(dev_open_file(path, flags[i], &sink, &dev), rc,
			     "%s", path);
		cr_assert_null(dev);
		assert_said(&said, why);
	}
}

Test(dev_open_file, refuses_what_is_no_medium)
{
	assert_refused(scratch.dir, -EMEDIUMTYPE, "a directory");
	assert_refused("/dev/null", -EMEDIUMTYPE, "a character device");
	assert_refused("/dev/tty", -EMEDIUMTYPE, "a character device");
	assert_refused(scratch_file(&scratch, "empty", "", 0), -EMEDIUMTYPE,
		       "is empty");
}

Test(dev_open_file, does_not_wait_at_a_pipe)
{
	cr_assert_eq(mkfifo(scratch_path(&scratch, "pipe"), 0600), 0);
	assert_refused(scratch.path, -EMEDIUMTYPE, "a pipe");
}

/* As if the name had been given to another between stat(2) and open(2). */
Test(file_open_as, refuses_what_has_become_something_else)
{
	char node[2][32];
	const char *path[3];
	struct stat st[3];
	int fd, loop[2], as, now, rc;

	needs_sysfs();
	for (int i = 0; i < 2; i++) {
		loop[i] = loop_open(scratch_file(&scratch, i ? "b" : "a", buf,
						 8192), O_RDWR, node[i],
				    sizeof(node[i]));
		needs(loop[i] >= 0, "root and a loop device");
		path[i] = node[i];
	}
	path[2] = scratch_file(&scratch, "file", buf, 8192);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(stat(path[i], &st[i]), 0);
	for (as = 0; as < 3; as++) {
		for (now = 0; now < 3; now++) {
			struct stat is = st[as];

			rc = file_open_as(&sink, path[now], O_RDWR | O_EXCL,
					  &is, &fd);
			close(fd);
			cr_expect_eq(rc, as == now ? 0 : -ESTALE, "%d as %d",
				     now, as);
			if (as != now)
				assert_said(&said, "become something else");
		}
	}
	assert_silent(&said);
	close(loop[0]);
	close(loop[1]);
}

Test(file_open_as, tells_what_a_file_is_now)
{
	struct stat st;
	int fd;

	cr_assert_eq(stat(pattern_file(), &st), 0);
	cr_assert_eq(unlink(scratch.path), 0);
	cr_assert_eq(file_open_as(&sink, scratch_file(&scratch, "pattern", "x",
						      1),
				  O_RDWR | O_EXCL, &st, &fd), 0);
	cr_assert_eq(st.st_size, 1);
	close(fd);
}

Test(dev_open_file, gives_the_error_of_the_system)
{
	char through[PATH_MAX + 300];

	assert_refused(scratch_path(&scratch, "absent"), -ENOENT,
		       "cannot be opened: No such file or directory");
	snprintf(through, sizeof(through), "%s/below", pattern_file());
	assert_refused(through, -ENOTDIR, "Not a directory");
	cr_assert_eq(symlink("self", scratch_path(&scratch, "self")), 0);
	assert_refused(scratch.path, -ELOOP, "symbolic links");
}

Test(dev_open_file, without_permission_is_eacces)
{
	const char *path = pattern_file();

	cr_assert_eq(chmod(path, 0), 0);
	cr_assert_eq(chmod(scratch.dir, 0755), 0);
	/* Root may read anything: be someone else in this process. */
	if (!geteuid())
		cr_assert_eq(seteuid(65534), 0);
	assert_refused(path, -EACCES, "Permission denied");
	if (!getuid())
		cr_assert_eq(seteuid(0), 0);
}

Test(file, that_shrank_since_is_an_error)
{
	struct dev *dev = open_pattern(0);

	cr_assert_eq(truncate(scratch.path, 5000), 0);
	cr_assert_eq(dev_read(dev, 0, buf, 5000), 0);
	cr_assert(pattern_holds(buf, 0, 5000));
	cr_assert_eq(dev_read(dev, 4000, buf, 2000), -EIO);
	assert_said(&said, "read of 1000 bytes at byte 5000: it ends there "
		    "now, and had 10000 bytes when it was opened");
	cr_assert_eq(dev_read(dev, 6000, buf, 1), -EIO);
	assert_said(&said, "ends there");
	cr_assert_eq(atomic_load(&dev->bytes_read), 5000);
	dev_close(dev);
}

Test(file, that_grew_since_keeps_its_size)
{
	struct dev *dev = open_pattern(0);

	cr_assert_eq(truncate(scratch.path, 2 * SIZE), 0);
	cr_assert_eq(dev_read(dev, SIZE, buf, 1), -EINVAL);
	assert_said(&said, "there are only 10000");
	dev_close(dev);
}

Test(file, keeps_what_was_written)
{
	struct dev *dev = open_pattern(DEV_WRITE);

	cr_assert(dev->writable);
	cr_assert_eq(dev_write(dev, 4095, "hello", 5), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(dev_write(dev, SIZE - 1, "xy", 2), -EINVAL);
	assert_said(&said, "write of 2 bytes at byte 9999");
	dev_close(dev);

	cr_assert_eq(dev_open_file(scratch.path, 0, &sink, &dev), 0);
	cr_assert_eq(dev->size_bytes, SIZE);
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	cr_assert(pattern_holds(buf, 0, 4095));
	cr_assert_arr_eq(buf + 4095, "hello", 5);
	cr_assert(pattern_holds(buf + 4100, 4100, SIZE - 4100));
	dev_close(dev);
}

Test(file, zeroes_and_discards_without_growing)
{
	struct stat st;
	struct dev *dev;
	int rc;

	needs_sysfs();
	dev = open_pattern(DEV_WRITE);
	cr_assert_eq(dev_zero(dev, 100, 6000), 0);
	cr_assert_eq(dev_zero(dev, SIZE - 10, 10), 0);
	rc = dev_discard(dev, 8000, 100);
	cr_assert(!rc || rc == -EOPNOTSUPP);
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	cr_assert(pattern_holds(buf, 0, 100));
	cr_assert(dev_is_zero(buf + 100, 6000));
	cr_assert(pattern_holds(buf + 6100, 6100, 1900));
	cr_assert(rc ? pattern_holds(buf + 8000, 8000, 100) :
		  dev_is_zero(buf + 8000, 100));
	cr_assert(dev_is_zero(buf + SIZE - 10, 10));
	cr_assert_eq(stat(scratch.path, &st), 0);
	cr_assert_eq(st.st_size, SIZE);
	assert_silent(&said);
	dev_close(dev);
}

/* What /sys says of a device: number @index of file @name; -1: nothing. */
static long read_fact(const char *node, const char *name, int index)
{
	char path[64];
	long fact = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/block/%s/%s",
		 node + sizeof("/dev/") - 1, name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	for (int i = 0; i <= index; i++)
		if (fscanf(file, "%ld", &fact) != 1)
			fact = -1;
	fclose(file);
	return fact;
}

/* How many sectors the kernel counts as discarded; -1: it does not. */
static long count_discarded(const char *node)
{
	return read_fact(node, "stat", 13);
}

/* Zeros that the device writes would free its space as well, this once. */
Test(file, discards_a_block_device_by_discarding)
{
	enum { BYTES = 8192 };
	struct dev *dev;
	struct stat st;
	char node[32];
	long before;
	int fd;

	needs_sysfs();
	memset(buf, 'x', BYTES);
	fd = loop_open(scratch_file(&scratch, "image", buf, BYTES), O_RDWR,
		       node, sizeof(node));
	needs(fd >= 0, "root and a loop device");
	before = count_discarded(node);
	needs(before >= 0 && read_fact(node, "queue/discard_max_bytes", 0) > 0,
	      "loop devices that discard, and a kernel that counts it");
	cr_assert_eq(dev_open_file(node, DEV_WRITE, &sink, &dev), 0);
	/* no sectors: nothing to discard, and nothing to say */
	cr_expect_eq(dev_discard(dev, 3, 500), -EOPNOTSUPP);
	cr_expect_eq(count_discarded(node) - before, 0);
	cr_expect_eq(dev_discard(dev, 0, BYTES), 0);
	cr_expect_eq(count_discarded(node) - before, BYTES / 512);
	assert_silent(&said);
	dev_close(dev);
	close(fd);
	cr_assert_eq(stat(scratch_path(&scratch, "image"), &st), 0);
	cr_expect_eq(st.st_blocks, 0);
}

/*
 * The limit cuts the first write(2) short; the rest, and only that, is tried
 * again.
 */
Test(file, goes_on_after_a_short_write_with_what_is_left)
{
	struct dev *dev = open_pattern(DEV_WRITE);
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 1000;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	memset(buf, 0, sizeof(buf));
	cr_assert_eq(dev_write(dev, 100, buf, 2000), -EFBIG);
	/* Criterion talks through files, too. */
	limit.rlim_cur = limit.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_said(&said, "write of 1100 bytes at byte 1000: File too large");
	cr_assert_eq(dev_read(dev, 0, buf, SIZE), 0);
	cr_assert(pattern_holds(buf, 0, 100));
	cr_assert(dev_is_zero(buf + 100, 900));
	cr_assert(pattern_holds(buf + 1000, 1000, SIZE - 1000));
	dev_close(dev);
}

Test(dev_open_image, opens_a_plain_file)
{
	struct dev *dev;

	cr_assert_eq(dev_open_image(pattern_file(), 0, 0, &sink, &dev), 0);
	cr_assert_eq(dev->size_bytes, SIZE);
	cr_assert_eq(dev_read(dev, 5, buf, 10), 0);
	cr_assert(pattern_holds(buf, 5, 10));
	dev_close(dev);
}

Test(dev_open_image, begins_at_the_offset)
{
	struct dev *dev;

	cr_assert_eq(dev_open_image(pattern_file(), 513, 0, &sink, &dev), 0);
	cr_assert_eq(dev->size_bytes, SIZE - 513);
	cr_assert_str_eq(dev->name, scratch.path);
	cr_assert_eq(dev_read(dev, 0, buf, SIZE - 513), 0);
	cr_assert(pattern_holds(buf, 513, SIZE - 513));
	dev_close(dev);
	cr_assert_eq(dev_open_image(scratch.path, SIZE, 0, &sink, &dev),
		     -EINVAL);
	assert_said(&said, "byte 10000 lies behind the end");
}

Test(dev_open_image, of_a_file_shorter_than_any_magic_is_the_file)
{
	struct dev *dev;

	cr_assert_eq(dev_open_image(scratch_file(&scratch, "tiny", "\x28\xb5",
						 2), 0, 0, &sink, &dev), 0);
	cr_assert_eq(dev->size_bytes, 2);
	dev_close(dev);
}

Test(dev_resize, makes_a_file_longer_and_shorter)
{
	struct dev *dev = open_pattern(DEV_WRITE);

	cr_assert_eq(dev_resize(dev, 2 * SIZE), 0);
	cr_assert_eq(dev->size_bytes, 2 * SIZE);
	cr_assert_eq(dev_read(dev, 0, buf, 2 * SIZE), 0);
	cr_assert(pattern_holds(buf, 0, SIZE));
	for (size_t i = SIZE; i < 2 * SIZE; i++)
		cr_assert_eq(buf[i], 0);
	cr_assert_eq(dev_resize(dev, 7), 0);
	cr_assert_eq(dev_read(dev, 0, buf, 8), -EINVAL);
	dev_close(dev);
}

Test(dev_resize, says_why_it_cannot)
{
	struct dev *dev = open_pattern(0), *window;

	cr_assert_eq(dev_resize(dev, 7), -EOPNOTSUPP);
	assert_said(&said, "not a file that could be 7 bytes long");
	dev_close(dev);
	dev = open_pattern(DEV_WRITE);
	cr_assert_eq(dev_resize(dev, UINT64_MAX), -EFBIG);
	cr_assert_eq(dev->size_bytes, SIZE);
	cr_assert_eq(dev_open_window(dev, 512, 0, &window), 0);
	cr_assert_eq(dev_resize(window, 7), -EOPNOTSUPP);
	dev_close(window);
}

Test(dev_open_file, takes_an_empty_file_if_told_so)
{
	const char *path = scratch_file(&scratch, "empty", "", 0);
	struct dev *dev;

	cr_assert_eq(dev_open_file(path, DEV_WRITE, &sink, &dev),
		     -EMEDIUMTYPE);
	cr_assert_eq(dev_open_file(path, DEV_WRITE | DEV_EMPTY, &sink, &dev),
		     0);
	cr_assert_eq(dev->size_bytes, 0);
	dev_close(dev);
}

Test(dev_open_file, makes_a_file_only_where_there_is_nothing)
{
	char *other = strdup(scratch_file(&scratch, "other", "", 0));
	char *path = strdup(scratch_path(&scratch, "made"));
	const unsigned int how = DEV_WRITE | DEV_EMPTY | DEV_CREATE;
	struct dev *dev;

	cr_assert_eq(symlink("nowhere", path), 0);
	cr_assert_eq(dev_open_file(path, how, &sink, &dev), -EEXIST);
	assert_said(&said, "cannot be made: File exists");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(dev_open_file(path, how, &sink, &dev), 0);
	cr_assert_eq(dev_resize(dev, SIZE), 0);
	dev_unlink(dev);
	cr_assert_neq(access(path, F_OK), 0);
	/* a name that stands for another file stays */
	cr_assert_eq(rename(other, path), 0);
	dev_unlink(dev);
	cr_assert_eq(access(path, F_OK), 0);
	dev_close(dev);
	free(path);
	free(other);
}
