/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engines of batches where things go wrong: files that end early, errors
 * in the middle, transfers done in small pieces, and kernels that refuse
 * io_uring from the first call on or later. For the latter a filter of system
 * calls is put on the process of the test.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "libxlog/dev/batch_priv.h"
#include "tests/lib/memdev.h"
#include "tests/lib/needs.h"
#include "tests/lib/scratch.h"

enum {
	SIZE = 1 << 20,
	STEP = 4096,
	IOS = SIZE / STEP,
};

static struct scratch scratch;
static struct reports said;
static struct sink sink;
static uint8_t bytes[SIZE];
static struct dev_io ios[IOS];

/* --- a device that is a descriptor, and nothing else --- */

struct raw {
	struct dev	dev;
	int		fd;
};

static int raw_read(struct dev *dev, uint64_t off_bytes, void *buf, size_t len)
{
	struct raw *raw = container_of(dev, struct raw, dev);

	return dev_pread(dev, raw->fd, off_bytes, buf, len);
}

static int raw_write(struct dev *dev, uint64_t off_bytes, const void *buf,
		     size_t len)
{
	struct raw *raw = container_of(dev, struct raw, dev);

	return dev_pwrite(dev, raw->fd, off_bytes, buf, len);
}

static bool raw_map(struct dev *dev, bool write, struct dev_map *map)
{
	struct raw *raw = container_of(dev, struct raw, dev);

	(void)write;
	*map = (struct dev_map){ .fd = raw->fd };
	return true;
}

static const struct dev_ops raw_ops = {
	.kind = "raw", .read = raw_read, .write = raw_write, .map = raw_map,
};

static void raw_init(struct raw *raw, int fd)
{
	cr_assert_geq(fd, 0);
	dev_init(&raw->dev, &raw_ops, &sink, "raw");
	raw->dev.size_bytes = SIZE;
	raw->dev.writable = true;
	raw->fd = fd;
}

/* --- setup --- */

static const char *path;

/* A file with the pattern; ios of half a step, so that none are neighbours. */
static void setup(void)
{
	size_t i;

	scratch_init(&scratch);
	sink = reports_sink(&said);
	pattern_fill(bytes, 0, SIZE);
	path = scratch_file(&scratch, "file", bytes, SIZE);
	memset(bytes, 0, SIZE);
	for (i = 0; i < IOS; i++)
		ios[i] = (struct dev_io){ i * STEP, bytes + i * STEP,
					  STEP / 2 };
}

static void teardown(void)
{
	scratch_fini(&scratch);
}

TestSuite(batch_threads, .init = setup, .fini = teardown);
TestSuite(batch_uring, .init = setup, .fini = teardown);

static struct raw raw_file(int flags)
{
	struct raw raw;

	raw_init(&raw, open(path, flags | O_CLOEXEC));
	return raw;
}

static bool all_read(void)
{
	size_t i;

	for (i = 0; i < IOS; i++)
		if (!pattern_holds(ios[i].buf, ios[i].off_bytes, ios[i].len) ||
		    !dev_is_zero(bytes + i * STEP + STEP / 2, STEP / 2))
			return false;
	return true;
}

static void use(enum batch_engine engine)
{
	struct raw raw = raw_file(O_RDONLY);

	batch_force(engine);
	needs(dev_read_batch(&raw.dev, ios, 2) != -ENOSYS, "io_uring");
	memset(bytes, 0, SIZE);
	close(raw.fd);
}

/* --- what both must do --- */

static void file_that_ends_early(enum batch_engine engine)
{
	struct dev *dev;
	size_t i;

	use(engine);
	cr_assert_eq(dev_open_file(path, 0, &sink, &dev), 0);
	/* In the middle of the first half of step 200. */
	cr_assert_eq(truncate(path, 200 * STEP + 1000), 0);
	cr_assert_eq(dev_read_batch(dev, ios, IOS), -EIO);
	assert_said(&said, "it ends there now, and had 1048576 bytes when");
	for (i = 0; i < 100; i++)
		cr_assert(pattern_holds(ios[i].buf, ios[i].off_bytes,
					ios[i].len), "step %zu", i);
	dev_close(dev);
}

/* The only transfer that comes to the end is that of step 200. */
static void one_short_read(enum batch_engine engine)
{
	struct dev *dev;

	use(engine);
	cr_assert_eq(dev_open_file(path, 0, &sink, &dev), 0);
	cr_assert_eq(truncate(path, 200 * STEP + 1000), 0);
	cr_assert_eq(dev_read_batch(dev, ios, 201), -EIO);
	assert_said(&said, "read of 1048 bytes at byte 820200: it ends");
	cr_assert(pattern_holds(bytes + 200 * STEP, 200 * STEP, 1000));
	/* What was done is counted: all, when there was one after another. */
	cr_assert_eq(dev->bytes_read, 200 * STEP / 2 + 1000);
	dev_close(dev);
}

static void every_read_fails(enum batch_engine engine)
{
	struct raw raw = raw_file(O_WRONLY);

	use(engine);
	cr_assert_eq(dev_read_batch(&raw.dev, ios, IOS), -EBADF);
	assert_said(&said, "read of 2048 bytes at byte ");
	cr_assert_eq(raw.dev.bytes_read, 0);
	close(raw.fd);
}

Test(batch_threads, report_once_that_the_file_ends)
{
	file_that_ends_early(BATCH_THREADS);
}

Test(batch_uring, reports_once_that_the_file_ends)
{
	file_that_ends_early(BATCH_URING);
}

Test(batch_threads, name_the_place_of_a_short_read)
{
	one_short_read(BATCH_THREADS);
}

Test(batch_uring, names_the_place_of_a_short_read)
{
	one_short_read(BATCH_URING);
}

Test(batch_threads, report_once_when_all_fail)
{
	every_read_fails(BATCH_THREADS);
}

Test(batch_uring, reports_once_when_all_fail)
{
	every_read_fails(BATCH_URING);
}

/* No bytes from 100 * STEP + 1000 on can be written. */
static void limit_file_size(void)
{
	struct rlimit limit = { 100 * STEP + 1000, 100 * STEP + 1000 };

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(batch_threads, name_the_place_of_a_short_write)
{
	struct raw raw = raw_file(O_RDWR);

	limit_file_size();
	cr_assert_eq(dev_write_batch(&raw.dev, ios, 101), -EFBIG);
	cr_assert_eq(said.errors, 1);
	cr_assert(strstr(said.text,
			 "write of 1048 bytes at byte 410600: File too large"),
		  "%s", said.text);
	cr_assert_eq(dev_read(&raw.dev, 100 * STEP, bytes, STEP), 0);
	cr_assert(dev_is_zero(bytes, 1000));
	cr_assert(pattern_holds(bytes + 1000, 100 * STEP + 1000, STEP - 1000));
	close(raw.fd);
}

/* --- a kernel that does not want to --- */

/* System call @nr fails with EPERM if its second argument is below @least. */
static void forbid(long nr, uint32_t least)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 3),
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
#else
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1]) + 4),
#endif
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, least, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	needs(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	      !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0),
	      "seccomp filters");
}

static void read_all(void)
{
	struct raw raw = raw_file(O_RDONLY);

	cr_assert_eq(dev_read_batch(&raw.dev, ios, IOS), 0);
	cr_assert(all_read());
	assert_silent(&said);
	cr_assert_eq(raw.dev.bytes_read, SIZE / 2);
	close(raw.fd);
}

Test(batch_uring, is_done_without_where_it_is_forbidden)
{
	struct raw raw = raw_file(O_RDONLY);

	forbid(SYS_io_uring_setup, UINT32_MAX);
	batch_force(BATCH_URING);
	cr_assert_eq(dev_read_batch(&raw.dev, ios, IOS), -ENOSYS);
	close(raw.fd);
	batch_force(BATCH_ANY);
	read_all();
}

Test(batch_uring, is_done_without_where_nothing_can_be_submitted)
{
	use(BATCH_URING);
	forbid(SYS_io_uring_enter, UINT32_MAX);
	read_all();
}

/* The first 64 are taken; whenever fewer are to follow, that is refused. */
Test(batch_uring, is_done_without_when_the_kernel_has_enough)
{
	struct raw raw = raw_file(O_RDONLY);
	size_t i;

	use(BATCH_URING);
	forbid(SYS_io_uring_enter, 64);
	cr_assert_eq(dev_read_batch(&raw.dev, ios, 100), 0);
	for (i = 0; i < 100; i++)
		cr_assert(pattern_holds(ios[i].buf, ios[i].off_bytes,
					ios[i].len), "step %zu", i);
	assert_silent(&said);
	close(raw.fd);
}

/* --- a pipe: gives what there is, and lets one wait for more --- */

struct feeder {
	pthread_t	thread, main;
	int		fd;
	unsigned int	pieces;		/* of 100 bytes */
};

static void on_signal(int nr)
{
	(void)nr;
}

/* A piece when the one before was read, and most likely asked for more. */
static void *feed(void *arg)
{
	struct feeder *f = arg;
	uint8_t piece[100];
	unsigned int i, turns;
	int left;

	memset(piece, 0x5a, sizeof(piece));
	for (i = 0; i < f->pieces; i++) {
		for (turns = 0; turns < 1000; turns++) {
			cr_assert_eq(ioctl(f->fd, FIONREAD, &left), 0);
			if (left)
				turns = 0;
			sched_yield();
		}
		pthread_kill(f->main, SIGUSR1);
		cr_assert_eq(write(f->fd, piece, sizeof(piece)), 100);
	}
	close(f->fd);
	return NULL;
}

/* Into two places of 5000 bytes come 100 bytes after the other. */
static int read_pipe(unsigned int pieces)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct dev_io two[] = {
		{ 0, bytes, 5000 }, { 6000, bytes + 6000, 5000 },
	};
	struct feeder f = { .main = pthread_self(), .pieces = pieces };
	struct raw raw;
	int fd[2], rc;

	/* Interrupts, which are no reason for anything. */
	sigaction(SIGUSR1, &act, NULL);
	cr_assert_eq(pipe(fd), 0);
	raw_init(&raw, fd[0]);
	f.fd = fd[1];
	cr_assert_eq(pthread_create(&f.thread, NULL, feed, &f), 0);
	rc = dev_read_batch(&raw.dev, two, 2);
	pthread_join(f.thread, NULL);
	close(fd[0]);
	return rc;
}

Test(batch_uring, asks_again_for_the_rest)
{
	use(BATCH_URING);
	cr_assert_eq(read_pipe(100), 0);
	cr_assert(bytes[0] == 0x5a && !memcmp(bytes, bytes + 1, 4999));
	cr_assert(dev_is_zero(bytes + 5000, 1000));
	cr_assert(bytes[6000] == 0x5a &&
		  !memcmp(bytes + 6000, bytes + 6001, 4999));
	cr_assert(dev_is_zero(bytes + 11000, 1000));
	assert_silent(&said);
}

/*
 * Both transfers are taken, but no rest of one is: the other has to be waited
 * for all the same. Then it fails, since pread() knows no pipes.
 */
Test(batch_uring, does_not_leave_what_is_under_way)
{
	size_t i, sum = 0;

	use(BATCH_URING);
	forbid(SYS_io_uring_enter, 2);
	cr_assert_eq(read_pipe(2), -ESPIPE);
	cr_assert_eq(said.errors, 1, "%s", said.text);
	for (i = 0; i < SIZE; i++)
		sum += bytes[i] == 0x5a;
	cr_assert_eq(sum, 200);
}

/* --- threads that cannot be had --- */

/* No address space is large enough for such a stack. */
Test(batch_threads, are_not_missed)
{
	pthread_attr_t attr;
	pthread_t none;

	cr_assert_eq(pthread_attr_init(&attr), 0);
	cr_assert_eq(pthread_attr_setstacksize(&attr, SIZE_MAX / 2 + 1), 0);
	cr_assert_eq(pthread_setattr_default_np(&attr), 0);
	cr_assert_neq(pthread_create(&none, NULL, feed, NULL), 0);
	use(BATCH_THREADS);
	read_all();
}
