/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing with holes where there are zeros.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/sparse.h"

enum { PAGE = 4096, PAGES = 6 };

static unsigned char in[PAGES * PAGE], back[PAGES * PAGE];
static int fd;

static void setup(void)
{
	fd = memfd_create("sparse", 0);
	cr_assert(fd >= 0);
	memset(in, 0, sizeof(in));
}

static void teardown(void)
{
	close(fd);
}

TestSuite(sparse_write, .init = setup, .fini = teardown);

/* Write all of it, and see that it can be read back. */
static void round_trip(size_t len)
{
	cr_assert_eq(sparse_write(fd, in, len, 0), 0);
	cr_assert_eq(ftruncate(fd, (off_t)len), 0);
	cr_assert_eq(pread(fd, back, sizeof(back), 0), (ssize_t)len);
	cr_expect_arr_eq(back, in, len);
}

Test(sparse_write, leaves_pages_of_zeros_out)
{
	in[2 * PAGE] = 1;
	in[4 * PAGE + 7] = 2;
	round_trip(sizeof(in));
	cr_expect_eq(lseek(fd, 0, SEEK_DATA), 2 * PAGE);
	cr_expect_eq(lseek(fd, 2 * PAGE, SEEK_HOLE), 3 * PAGE);
	cr_expect_eq(lseek(fd, 3 * PAGE, SEEK_DATA), 4 * PAGE);
}

Test(sparse_write, writes_the_last_piece_of_a_page)
{
	in[5 * PAGE + 99] = 1;
	round_trip(5 * PAGE + 100);
}

Test(sparse_write, writes_nothing_for_zeros)
{
	cr_expect_eq(sparse_write(fd, in, sizeof(in), 0), 0);
	cr_expect_eq(lseek(fd, 0, SEEK_END), 0);
}

Test(sparse_write, writes_at_the_place_given)
{
	in[0] = 1;
	cr_expect_eq(sparse_write(fd, in, PAGE, 3 * PAGE), 0);
	cr_expect_eq(lseek(fd, 0, SEEK_DATA), 3 * PAGE);
}

Test(sparse_write, tells_the_error)
{
	in[0] = 1;
	cr_expect_eq(sparse_write(-1, in, PAGE, 0), -EBADF);
}
