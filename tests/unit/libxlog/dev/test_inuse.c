/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Most is tried on made-up /proc and /sys trees, which can show what no test
 * machine has; what the kernel really does, on loop devices, as root.
 */
#include <sys/sysmacros.h>

#include "tests/lib/loopdev.h"
#include "tests/lib/memdev.h"
#include "tests/lib/needs.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static struct reports said;
static char proc[PATH_MAX + 8], sys[PATH_MAX + 8], devs[PATH_MAX + 8];
static struct inuse_roots roots = { proc, sys, devs };
static char text[256];

static void put(const char *name, const char *contents)
{
	scratch_file(&scratch, name, contents, strlen(contents));
}

/* A machine that uses nothing. */
static void setup(void)
{
	scratch_init(&scratch);
	snprintf(proc, sizeof(proc), "%s/proc", scratch.dir);
	snprintf(sys, sizeof(sys), "%s/sys", scratch.dir);
	snprintf(devs, sizeof(devs), "%s/dev", scratch.dir);
	put("proc/self/mountinfo",
	    "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
	    "23 22 0:21 / /proc rw - proc proc rw\n");
	put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
	put("sys/block/sda/size", "1\n");
	put("sys/block/loop0/size", "0\n");
	/* In /sys these are links to the folders of the devices. */
	put("sys/dev/block/8:0/dev", "8:0\n");
	put("sys/dev/block/8:1/dev", "8:1\n");
	put("sys/dev/block/8:1/holders/.none", "");
}

static void teardown(void)
{
	scratch_fini(&scratch);
}

TestSuite(inuse_find, .init = setup, .fini = teardown);
TestSuite(in_use, .init = setup, .fini = teardown);

static enum inuse find_device(unsigned int major_no, unsigned int minor_no)
{
	struct stat st = { .st_mode = S_IFBLK };

	st.st_rdev = makedev(major_no, minor_no);
	return inuse_find(&roots, &st, text, sizeof(text));
}

static enum inuse find_file(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return inuse_find(&roots, &st, text, sizeof(text));
}

Test(inuse_find, sees_that_nobody_uses_it)
{
	cr_assert_eq(find_device(8, 1), INUSE_NO);
	put("image", "x");
	cr_assert_eq(find_file(scratch_path(&scratch, "image")), INUSE_NO);
	cr_assert_str_eq(text, "");
}

Test(inuse_find, names_the_mount_point)
{
	cr_assert_eq(find_device(8, 2), INUSE_YES);
	cr_assert_str_eq(text, "mounted on /");
}

Test(inuse_find, undoes_the_escapes_of_mountinfo)
{
	put("proc/self/mountinfo",
	    "40 22 8:1 / /mnt/a\\040b\\134c rw - xfs /dev/sda1 rw\n");
	cr_assert_eq(find_device(8, 1), INUSE_YES);
	cr_assert_str_eq(text, "mounted on /mnt/a b\\c");
}

Test(inuse_find, survives_lines_that_are_no_mounts)
{
	put("proc/self/mountinfo",
	    "\n - \n1 2 3\n1 2 8:1 / /x rw\n1 2 8:1 / /x rw -\n"
	    "1 2 8:1 / /x rw - xfs\n1 2 81 / /x rw - xfs /dev/sda1 rw\n"
	    "\\ \\0 \\01 \\777 - a b c");
	cr_assert_eq(find_device(8, 1), INUSE_NO);
}

/* A real block device by its node, as mount options name it. */
static const char *some_block_device(dev_t *rdev)
{
	static char path[64];
	struct stat st;
	int i;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/loop%d", i);
		if (!stat(path, &st) && S_ISBLK(st.st_mode)) {
			*rdev = st.st_rdev;
			return path;
		}
	}
	return NULL;
}

Test(inuse_find, knows_external_logs_and_realtime_devices)
{
	static const struct { const char *option, *words; } t[] = {
		{ "logdev", "log of the filesystem mounted on /srv" },
		{ "rtdev", "realtime device of the filesystem mounted on "
			   "/srv" },
	};
	const char *node;
	char line[256];
	dev_t rdev = 0;
	size_t i;

	node = some_block_device(&rdev);
	needs(node, "a block device node such as /dev/loop0");
	for (i = 0; i < 2; i++) {
		snprintf(line, sizeof(line), "50 22 8:3 / /srv rw - xfs "
			 "/dev/sda3 rw,attr2,%s=%s,noquota\n", t[i].option,
			 node);
		put("proc/self/mountinfo", line);
		cr_assert_eq(find_device(major(rdev), minor(rdev)),
			     INUSE_YES);
		cr_assert_str_eq(text, t[i].words);
		cr_assert_eq(find_device(8, 1), INUSE_NO);
	}
}

Test(inuse_find, compares_the_source_of_filesystems_without_device_number)
{
	const char *node;
	char line[256];
	dev_t rdev = 0;

	node = some_block_device(&rdev);
	needs(node, "a block device node such as /dev/loop0");
	snprintf(line, sizeof(line),
		 "60 22 0:40 / /data rw - btrfs %s rw,subvolid=5\n", node);
	put("proc/self/mountinfo", line);
	cr_assert_eq(find_device(major(rdev), minor(rdev)), INUSE_YES);
	cr_assert_str_eq(text, "mounted on /data");
}

Test(inuse_find, knows_swap_files)
{
	char line[PATH_MAX + 300];

	put("swap file", "x");
	snprintf(line, sizeof(line), "Filename Type Size Used Priority\n"
		 "%s/swap\\040file file 1 0 -2\n", scratch.dir);
	put("proc/swaps", line);
	cr_assert_eq(find_file(scratch_path(&scratch, "swap file")),
		     INUSE_YES);
	cr_assert_str_eq(text, "swap space");
	cr_assert_eq(find_device(8, 1), INUSE_NO);
}

Test(inuse_find, knows_holders_by_their_mapper_name)
{
	put("sys/dev/block/8:1/holders/dm-3/dev", "254:3\n");
	put("sys/dev/block/8:1/holders/dm-3/dm/name", "vg-data\n");
	cr_assert_eq(find_device(8, 1), INUSE_YES);
	cr_assert_str_eq(text, "/dev/mapper/vg-data");
}

Test(inuse_find, says_who_uses_the_holder)
{
	put("sys/dev/block/8:1/holders/md!0/dev", "9:0\n");
	put("sys/dev/block/9:0/holders/dm-0/dev", "254:0\n");
	put("proc/self/mountinfo", "9 1 254:0 / /home rw - xfs /dev/x rw\n");
	cr_assert_eq(find_device(8, 1), INUSE_YES);
	cr_assert_str_eq(text, "/dev/md/0, /dev/dm-0, mounted on /home");
}

Test(inuse_find, of_a_disk_looks_at_its_partitions)
{
	put("sys/dev/block/8:0/sda1/partition", "1\n");
	put("sys/dev/block/8:0/sda1/dev", "8:1\n");
	put("sys/dev/block/8:0/sda2/partition", "2\n");
	put("sys/dev/block/8:0/sda2/dev", "8:2\n");
	put("sys/dev/block/8:0/queue/dev", "8:2\n");
	cr_assert_eq(find_device(8, 0), INUSE_YES);
	cr_assert_str_eq(text, "/dev/sda2, mounted on /");
	put("sys/dev/block/8:0/sda2/dev", "8:5\n");
	cr_assert_eq(find_device(8, 0), INUSE_NO);
}

Test(inuse_find, of_a_partition_looks_at_its_disk_but_not_its_siblings)
{
	char link[PATH_MAX + 64];

	/* As /sys has it: the partition is a folder in the disk's. */
	put("sys/devices/sdb/dev", "8:16\n");
	put("sys/devices/sdb/sdb1/dev", "8:17\n");
	put("sys/devices/sdb/sdb1/partition", "1\n");
	put("sys/devices/sdb/sdb1/start", "2048\n");
	put("sys/devices/sdb/sdb1/size", "2048\n");
	put("sys/devices/sdb/sdb2/dev", "8:18\n");
	put("sys/devices/sdb/sdb2/partition", "2\n");
	put("sys/devices/sdb/sdb2/start", "4096\n");
	put("sys/devices/sdb/sdb2/size", "2048\n");
	snprintf(link, sizeof(link), "%s/dev/block/8:16", sys);
	cr_assert_eq(symlink("../../devices/sdb", link), 0);
	snprintf(link, sizeof(link), "%s/dev/block/8:17", sys);
	cr_assert_eq(symlink("../../devices/sdb/sdb1", link), 0);
	put("proc/self/mountinfo", "9 1 8:18 / /home rw - xfs /dev/x rw\n");
	cr_assert_eq(find_device(8, 17), INUSE_NO);
	cr_assert_eq(find_device(8, 16), INUSE_YES);
	cr_assert_str_eq(text, "/dev/sdb2, mounted on /home");
	put("proc/self/mountinfo", "9 1 8:16 / /all rw - xfs /dev/x rw\n");
	cr_assert_eq(find_device(8, 17), INUSE_YES);
	cr_assert_str_eq(text, "its whole disk, mounted on /all");
}

Test(inuse_find, knows_loop_devices_by_their_backing_file)
{
	char line[PATH_MAX + 300];

	put("image", "x");
	put("other", "x");
	snprintf(line, sizeof(line), "%s/image\n", scratch.dir);
	put("sys/block/loop7/loop/backing_file", line);
	put("sys/block/loop7/dev", "7:7\n");
	cr_assert_eq(find_file(scratch_path(&scratch, "other")), INUSE_NO);
	cr_assert_eq(find_file(scratch_path(&scratch, "image")), INUSE_YES);
	cr_assert_str_eq(text, "/dev/loop7");
	put("proc/self/mountinfo", "9 1 7:7 / /mnt rw - xfs /dev/loop7 rw\n");
	cr_assert_eq(find_file(scratch_path(&scratch, "image")), INUSE_YES);
	cr_assert_str_eq(text, "/dev/loop7, mounted on /mnt");
}

/* A loop device over @name, from byte @start on, @len bytes; 0: all. */
static void put_loop(int number, const char *name, const char *start,
		     const char *len)
{
	char file[64], contents[PATH_MAX + 300];

	snprintf(file, sizeof(file), "sys/block/loop%d/dev", number);
	snprintf(contents, sizeof(contents), "7:%d\n", number);
	put(file, contents);
	snprintf(file, sizeof(file), "sys/block/loop%d/loop/offset", number);
	put(file, start);
	snprintf(file, sizeof(file), "sys/block/loop%d/loop/sizelimit",
		 number);
	put(file, len);
	snprintf(file, sizeof(file), "sys/block/loop%d/loop/backing_file",
		 number);
	snprintf(contents, sizeof(contents), "%s/%s\n", scratch.dir, name);
	put(file, contents);
}

Test(inuse_find, of_a_loop_device_looks_at_others_over_its_file)
{
	put("image", "x");
	put("other", "x");
	put_loop(1, "image", "0", "0");
	put_loop(2, "other", "0", "0");
	cr_assert_eq(find_device(7, 1), INUSE_NO);
	cr_assert_str_eq(text, "");
	put_loop(3, "image", "0", "0");
	cr_assert_eq(find_device(7, 1), INUSE_YES);
	cr_assert_str_eq(text, "its backing file, /dev/loop3");
	put("proc/self/mountinfo", "9 1 7:3 / /mnt rw - xfs /dev/loop3 rw\n");
	cr_assert_eq(find_device(7, 1), INUSE_YES);
	cr_assert_str_eq(text, "its backing file, /dev/loop3, mounted on /mnt");
	cr_assert_eq(find_device(7, 2), INUSE_NO);
}

Test(inuse_find, of_loop_devices_over_one_file_knows_who_shares_bytes)
{
	static const struct { const char *start, *len; enum inuse is; } t[] = {
		{ "0", "1048576", INUSE_NO },
		{ "0", "1048577", INUSE_YES },
		{ "0", "0", INUSE_YES },
		{ "2097151", "0", INUSE_YES },
		{ "2097152", "0", INUSE_NO },
		{ "1500000", "512", INUSE_YES },
		{ "18446744073709551104", "18446744073709551104", INUSE_NO },
	};

	put("image", "x");
	put_loop(1, "image", "1048576", "1048576");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		put_loop(2, "image", t[i].start, t[i].len);
		cr_expect_eq(find_device(7, 1), t[i].is, "case %zu", i);
		cr_expect_eq(find_device(7, 2), t[i].is, "case %zu", i);
	}
}

Test(inuse_find, of_a_loop_device_looks_at_its_file_as_swap)
{
	char line[PATH_MAX + 300];

	put("swapfile", "x");
	put_loop(1, "swapfile", "0", "0");
	snprintf(line, sizeof(line), "Filename Type Size Used Priority\n"
		 "%s/swapfile file 1 0 -2\n", scratch.dir);
	put("proc/swaps", line);
	cr_assert_eq(find_device(7, 1), INUSE_YES);
	cr_assert_str_eq(text, "its backing file, swap space");
}

/* Of a partition of a loop device, two steps down. */
Test(inuse_find, of_a_partition_looks_at_what_its_disk_lies_in)
{
	char link[PATH_MAX + 64];

	put("image", "x");
	put("sys/devices/loop1/dev", "7:1\n");
	put("sys/devices/loop1/loop1p1/dev", "259:0\n");
	put("sys/devices/loop1/loop1p1/partition", "1\n");
	put("sys/devices/loop1/loop1p1/start", "2048\n");
	put("sys/devices/loop1/loop1p1/size", "2048\n");
	snprintf(link, sizeof(link), "%s/dev/block/259:0", sys);
	cr_assert_eq(symlink("../../devices/loop1/loop1p1", link), 0);
	put_loop(1, "image", "512", "0");
	put_loop(2, "image", "1049088", "512");
	cr_assert_eq(find_device(259, 0), INUSE_YES);
	cr_assert_str_eq(text, "its whole disk, its backing file, /dev/loop2");
	put_loop(2, "image", "1048576", "512");
	cr_assert_eq(find_device(259, 0), INUSE_NO);
}

Test(inuse_find, ends_where_devices_hold_each_other)
{
	put("sys/dev/block/8:1/holders/dm-0/dev", "254:0\n");
	put("sys/dev/block/254:0/holders/sda1/dev", "8:1\n");
	cr_assert_eq(find_device(8, 1), INUSE_YES);
	cr_assert(strstr(text, "/dev/dm-0, /dev/sda1, /dev/dm-0"), "%s", text);
}

Test(inuse_find, cuts_its_words_to_the_room)
{
	char small[12];
	struct stat st = { .st_mode = S_IFBLK, .st_rdev = makedev(8, 2) };

	cr_assert_eq(inuse_find(&roots, &st, small, sizeof(small)),
		     INUSE_YES);
	cr_assert_str_eq(small, "mounted on ");
}

Test(inuse_find, says_when_it_cannot_see)
{
	struct inuse_roots blind = { "/nowhere", sys, devs };
	struct stat st = { .st_mode = S_IFBLK, .st_rdev = makedev(8, 1) };

	cr_assert_eq(inuse_find(&blind, &st, text, sizeof(text)),
		     INUSE_UNKNOWN);
	cr_assert_str_eq(text, "/proc/self/mountinfo: No such file or "
			 "directory");
	blind = (struct inuse_roots){ proc, "/nowhere", devs };
	cr_assert_eq(inuse_find(&blind, &st, text, sizeof(text)),
		     INUSE_UNKNOWN);
	cr_assert_str_eq(text, "/sys/block: No such file or directory");
	/* What can be seen is enough to refuse. */
	st.st_rdev = makedev(8, 2);
	cr_assert_eq(inuse_find(&blind, &st, text, sizeof(text)), INUSE_YES);
}

/* --- the kernel's own answers --- */

/* An image of 1 MiB with a loop device over it, and its descriptor. */
static int image_in_use(int how, char *node, size_t size)
{
	const char *path = scratch_file(&scratch, "image", "", 0);
	int fd;

	needs_sysfs();
	cr_assert_eq(truncate(path, 1 << 20), 0);
	fd = loop_open(path, how, node, size);
	needs(fd >= 0, "root and a loop device");
	return fd;
}

static int try_write(const char *path, unsigned int flags)
{
	struct sink sink = reports_sink(&said);
	struct dev *dev;
	int rc = dev_open_file(path, DEV_WRITE | flags, &sink, &dev);

	if (!rc)
		dev_close(dev);
	return rc;
}

Test(in_use, a_file_below_a_loop_device_is_not_written, .timeout = 60)
{
	char node[32], words[64];
	int fd = image_in_use(O_RDWR, node, sizeof(node));
	const char *image = scratch_path(&scratch, "image");

	snprintf(words, sizeof(words), "in use: %s\n", node);
	cr_assert_eq(try_write(image, 0), -EBUSY);
	assert_said(&said, words);
	/* Without a lock, it is in use all the same. */
	cr_assert_eq(try_write(image, DEV_LOCK_NONE), -EBUSY);
	assert_said(&said, words);
	close(fd);
	/* The driver lets go of the file in its own time. */
	while (try_write(image, 0))
		usleep(1000);
}

Test(in_use, a_file_is_known_by_its_inode_when_its_path_is_gone)
{
	char node[32], other[PATH_MAX + 300];
	int fd = image_in_use(O_RDWR, node, sizeof(node));

	snprintf(other, sizeof(other), "%s/renamed", scratch.dir);
	cr_assert_eq(link(scratch_path(&scratch, "image"), other), 0);
	cr_assert_eq(unlink(scratch_path(&scratch, "image")), 0);
	cr_assert_eq(try_write(other, 0), -EBUSY);
	assert_said(&said, node);
	close(fd);
}

Test(in_use, a_block_device_is_opened_by_one_writer)
{
	struct sink sink = reports_sink(&said);
	struct dev *dev;
	uint8_t buf[512];
	char node[32];
	int fd = image_in_use(O_RDWR, node, sizeof(node));

	cr_assert_eq(dev_open_file(node, DEV_WRITE, &sink, &dev), 0);
	cr_assert_eq(dev->size_bytes, 1 << 20);
	cr_assert_eq(dev->sector_bytes, 512);
	cr_assert_eq(dev_write(dev, 1000, "hello", 5), 0);
	cr_assert_eq(dev_flush(dev), 0);
	cr_assert_eq(dev_read(dev, 1000, buf, 5), 0);
	cr_assert_arr_eq(buf, "hello", 5);
	cr_assert_eq(dev_zero(dev, 512, 1024), 0);
	cr_assert_eq(dev_read(dev, 512, buf, 512), 0);
	cr_assert(dev_is_zero(buf, 512));
	cr_assert_eq(dev_zero(dev, 3, 5), 0);
	assert_silent(&said);

	cr_assert_eq(try_write(node, 0), -EBUSY);
	assert_said(&said, "in use: locked by process");
	cr_assert_eq(try_write(node, DEV_LOCK_NONE), -EBUSY);
	assert_said(&said, "in use: another program holds it exclusively");
	dev_close(dev);
	cr_assert_eq(try_write(node, 0), 0);
	close(fd);
}

Test(in_use, a_block_device_may_be_read_by_anyone)
{
	struct sink sink = reports_sink(&said);
	struct dev *writer, *reader;
	char node[32];
	int fd = image_in_use(O_RDWR, node, sizeof(node));

	cr_assert_eq(dev_open_file(node, DEV_WRITE, &sink, &writer), 0);
	cr_assert_eq(dev_open_file(node, 0, &sink, &reader), 0);
	assert_silent(&said);
	dev_close(reader);
	dev_close(writer);
	close(fd);
}

Test(in_use, a_loop_device_below_another_is_not_written)
{
	char node[32], upper[32];
	int fd = image_in_use(O_RDWR, node, sizeof(node));
	int fd2 = loop_open(node, O_RDWR, upper, sizeof(upper));
	char words[128];

	cr_assert_geq(fd2, 0);
	cr_assert_eq(try_write(node, 0), -EBUSY);
	assert_said(&said, upper);
	cr_assert_eq(try_write(scratch_path(&scratch, "image"), 0), -EBUSY);
	snprintf(words, sizeof(words), "in use: %s, %s\n", node, upper);
	assert_said(&said, words);
	close(fd2);
	close(fd);
}

Test(in_use, a_loop_device_is_not_written_beside_another_over_its_file)
{
	char node[32], other[32], words[128];
	int fd = image_in_use(O_RDWR, node, sizeof(node)), fd2;

	cr_assert_eq(try_write(node, 0), 0);
	/* Known by the inode: what the path leads to is another file. */
	fd2 = loop_open(scratch_path(&scratch, "image"), O_RDWR, other,
			sizeof(other));
	cr_assert_geq(fd2, 0);
	cr_assert_eq(unlink(scratch_path(&scratch, "image")), 0);
	put("image", "x");
	cr_assert_eq(try_write(node, 0), -EBUSY);
	snprintf(words, sizeof(words), "in use: its backing file, %s\n",
		 other);
	assert_said(&said, words);
	cr_assert(dev_is_same_file(node, other));
	close(fd2);
	close(fd);
}

Test(in_use, loop_devices_over_parts_of_a_file_are_written)
{
	char node[32], other[32];
	const char *image = scratch_file(&scratch, "image", "", 0);
	int fd, fd2;

	needs_sysfs();
	cr_assert_eq(truncate(image, 1 << 20), 0);
	fd = loop_open_at(image, O_RDWR, 0, 1 << 19, node, sizeof(node));
	needs(fd >= 0, "root and a loop device");
	fd2 = loop_open_at(image, O_RDWR, 1 << 19, 0, other, sizeof(other));
	cr_assert_geq(fd2, 0);
	cr_assert_eq(try_write(node, 0), 0);
	cr_assert_eq(try_write(other, 0), 0);
	cr_assert_not(dev_is_same_file(node, other));
	cr_assert(dev_is_same_file(node, image));
	cr_assert(dev_is_same_file(image, other));
	close(fd2);
	close(fd);
}

Test(in_use, a_read_only_device_is_erofs)
{
	char node[32];
	int fd = image_in_use(O_RDONLY, node, sizeof(node));

	cr_assert_eq(try_write(node, 0), -EROFS);
	assert_said(&said, "read-only device");
	close(fd);
}
