/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * New files: that they are new, and what is flushed.
 */
#include <errno.h>

#include "libxlog/dev/newfile.h"
#include "tests/lib/memdev.h"
#include "tests/lib/scratch.h"

static struct scratch dir;
static struct reports said;
static struct sink sink;
static struct newfile nf;
static unsigned int data_flushes, all_flushes;

/* In front of libc's. */
int fdatasync(int fd)
{
	(void)fd;
	data_flushes++;
	return 0;
}

int fsync(int fd)
{
	struct stat st;

	cr_assert_eq(fstat(fd, &st), 0);
	all_flushes += S_ISDIR(st.st_mode);
	return 0;
}

static void begin(void)
{
	scratch_init(&dir);
	sink = reports_sink(&said);
}

static void end(void)
{
	scratch_fini(&dir);
}

TestSuite(newfile, .init = begin, .fini = end);

static void create(void)
{
	cr_assert_eq(newfile_create(&nf, scratch_path(&dir, "new"), &sink), 0);
	memset(&said, 0, sizeof(said));	/* of a tmpfs */
}

Test(newfile, holds_what_is_written)
{
	char bytes[3];
	struct stat st;
	int fd;

	create();
	cr_assert_eq(newfile_write(&nf, 5, "abc", 3), 0);
	cr_assert_eq(newfile_resize(&nf, 100), 0);
	cr_assert_eq(newfile_flush(&nf), 0);
	cr_assert_eq(newfile_flush_name(&nf), 0);
	newfile_close(&nf);
	cr_assert_eq(data_flushes, 1);
	cr_assert_eq(all_flushes, 1);
	fd = open(scratch_path(&dir, "new"), O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert_eq(st.st_size, 100);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(pread(fd, bytes, 3, 5), 3);
	cr_assert_eq(memcmp(bytes, "abc", 3), 0);
	close(fd);
}

Test(newfile, takes_no_name_that_is_there)
{
	const char *path = scratch_file(&dir, "old", "x", 1);

	cr_assert_eq(newfile_create(&nf, path, &sink), -EEXIST);
	assert_said(&said, "old: is there already");
	path = scratch_path(&dir, "link");
	cr_assert_eq(symlink("nowhere", path), 0);
	cr_assert_eq(newfile_create(&nf, path, &sink), -EEXIST);
	assert_said(&said, "link: is there already");
}

Test(newfile, says_why_it_cannot_be_made)
{
	cr_assert_eq(newfile_create(&nf, scratch_path(&dir, "no/file"),
				    &sink), -ENOENT);
	assert_said(&said, "no/file: cannot be made: No such file");
}

Test(newfile, is_taken_away_again)
{
	create();
	newfile_remove(&nf);
	cr_assert_neq(access(nf.path, F_OK), 0);
	newfile_close(&nf);
}

Test(newfile, is_not_taken_for_another_of_its_name)
{
	create();
	unlink(nf.path);
	scratch_file(&dir, "new", "x", 1);
	newfile_remove(&nf);
	cr_assert_eq(access(nf.path, F_OK), 0);
	newfile_close(&nf);
}

/* A block device whose filesystem it could lie on needs root; a file is none. */
Test(newfile, may_lie_beside_an_image)
{
	create();
	cr_assert_eq(newfile_check_place(&nf, scratch_path(&dir, "none")), 0);
	cr_assert_eq(newfile_check_place(&nf, scratch_file(&dir, "image", "x",
							   1)), 0);
	assert_silent(&said);
	newfile_close(&nf);
}
