/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Locks between two processes: the child holds one in each of the ways that
 * other programs do, the parent opens for writing.
 */
#include <signal.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/lib/loopdev.h"
#include "tests/lib/memdev.h"
#include "tests/lib/needs.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static struct reports said;
static struct sink sink;
static char image[PATH_MAX + 300];

static void setup(void)
{
	needs_sysfs();
	scratch_init(&scratch);
	sink = reports_sink(&said);
	snprintf(image, sizeof(image), "%s",
		 scratch_file(&scratch, "image", "contents", 8));
}

static void teardown(void)
{
	scratch_fini(&scratch);
}

TestSuite(lock, .init = setup, .fini = teardown);

/* How the other process holds the file. */

static void hold_as_writer(void)
{
	struct dev *dev;

	if (dev_open_file(image, DEV_WRITE, NULL, &dev))
		_exit(1);
}

static void hold_flock_exclusive(void)
{
	if (flock(open(image, O_RDONLY), LOCK_EX))
		_exit(1);
}

static void hold_flock_shared(void)
{
	if (flock(open(image, O_RDONLY), LOCK_SH))
		_exit(1);
}

/* qemu's way: a shared OFD lock on a byte far behind the end. */
static void hold_ofd_byte(void)
{
	struct flock fl = { .l_type = F_RDLCK, .l_whence = SEEK_SET,
			    .l_start = 100, .l_len = 1 };

	if (fcntl(open(image, O_RDWR), F_OFD_SETLK, &fl))
		_exit(1);
}

static void hold_posix(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(open(image, O_RDWR), F_SETLK, &fl))
		_exit(1);
}

struct other {
	pid_t		pid;
	int		go;		/* closing it ends the process */
};

/* Returns when the other process holds the file. */
static struct other other_start(void (*hold)(void))
{
	int ready[2], go[2];
	struct other other;
	char byte = 0;

	cr_assert_eq(pipe(ready), 0);
	cr_assert_eq(pipe(go), 0);
	other.pid = fork();
	cr_assert_geq(other.pid, 0);
	if (!other.pid) {
		close(go[1]);
		hold();
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1))
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	close(go[0]);
	cr_assert_eq(read(ready[0], &byte, 1), 1, "the other failed");
	close(ready[0]);
	other.go = go[1];
	return other;
}

static void other_end(struct other *other)
{
	int status;

	close(other->go);
	cr_assert_eq(waitpid(other->pid, &status, 0), other->pid);
	cr_assert(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void assert_busy_while(void (*hold)(void))
{
	struct other other = other_start(hold);
	char words[64];
	struct dev *dev;

	snprintf(words, sizeof(words), "in use: locked by process %d (",
		 (int)other.pid);
	cr_assert_eq(dev_open_file(image, DEV_WRITE, &sink, &dev), -EBUSY);
	assert_said(&said, words);
	other_end(&other);
	cr_assert_eq(dev_open_file(image, DEV_WRITE, &sink, &dev), 0);
	assert_silent(&said);
	dev_close(dev);
}

Test(lock, keeps_a_second_writer_out)
{
	assert_busy_while(hold_as_writer);
}

Test(lock, meets_exclusive_flock)
{
	assert_busy_while(hold_flock_exclusive);
}

Test(lock, meets_shared_flock)
{
	assert_busy_while(hold_flock_shared);
}

Test(lock, meets_the_byte_locks_of_qemu)
{
	assert_busy_while(hold_ofd_byte);
}

Test(lock, meets_posix_locks)
{
	assert_busy_while(hold_posix);
}

/* Whoever locked the file, and never heard of the loop device over it. */
static void assert_loop_busy_while(void (*hold)(void))
{
	char node[32], words[64];
	struct other other;
	struct dev *dev;
	int loop;

	cr_assert_eq(truncate(image, 8192), 0);
	loop = loop_open_at(image, O_RDWR, 4096, 0, node, sizeof(node));
	needs(loop >= 0, "root and a loop device");
	other = other_start(hold);
	snprintf(words, sizeof(words),
		 "in use: its backing file, locked by process %d (",
		 (int)other.pid);
	cr_assert_eq(dev_open_file(node, DEV_WRITE, &sink, &dev), -EBUSY);
	assert_said(&said, words);
	cr_assert_eq(dev_open_file(node, DEV_WRITE | DEV_LOCK_NONE, &sink,
				   &dev), 0);
	dev_close(dev);
	other_end(&other);
	cr_assert_eq(dev_open_file(node, DEV_WRITE, &sink, &dev), 0);
	assert_silent(&said);
	dev_close(dev);
	close(loop);
}

Test(lock, of_a_backing_file_meets_exclusive_flock)
{
	assert_loop_busy_while(hold_flock_exclusive);
}

Test(lock, of_a_backing_file_meets_the_byte_locks_of_qemu)
{
	assert_loop_busy_while(hold_ofd_byte);
}

Test(lock, of_a_backing_file_is_kept_and_shared)
{
	char node[2][32];
	struct dev *dev[2];
	int loop[2], fd;

	cr_assert_eq(truncate(image, 8192), 0);
	for (int i = 0; i < 2; i++) {
		loop[i] = loop_open_at(image, O_RDWR, i ? 4096 : 0, 4096,
				       node[i], sizeof(node[i]));
		needs(loop[i] >= 0, "root and a loop device");
		cr_assert_eq(dev_open_file(node[i], DEV_WRITE, &sink, &dev[i]),
			     0);
	}
	fd = open(image, O_RDWR | O_CLOEXEC);
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	dev_close(dev[0]);
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	dev_close(dev[1]);
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_silent(&said);
	close(fd);
	close(loop[0]);
	close(loop[1]);
}

Test(lock, keeps_others_out_in_both_ways)
{
	struct flock fl = { .l_type = F_RDLCK, .l_whence = SEEK_SET,
			    .l_start = 203, .l_len = 1 };
	struct dev *dev;
	int fd;

	cr_assert_eq(dev_open_file(image, DEV_WRITE, &sink, &dev), 0);
	fd = open(image, O_RDWR | O_CLOEXEC);
	cr_assert_eq(flock(fd, LOCK_SH | LOCK_NB), -1);
	cr_assert_eq(errno, EWOULDBLOCK);
	cr_assert_eq(fcntl(fd, F_OFD_SETLK, &fl), -1);
	cr_assert_eq(errno, EAGAIN);
	dev_close(dev);
	cr_assert_eq(flock(fd, LOCK_SH | LOCK_NB), 0);
	cr_assert_eq(fcntl(fd, F_OFD_SETLK, &fl), 0);
	close(fd);
}

Test(lock, keeps_out_another_handle_of_the_same_process)
{
	struct dev *dev, *again;

	cr_assert_eq(dev_open_file(image, DEV_WRITE, &sink, &dev), 0);
	cr_assert_eq(dev_open_file(image, DEV_WRITE, &sink, &again), -EBUSY);
	assert_said(&said, "in use: locked by process");
	dev_close(dev);
}

Test(lock, does_not_keep_readers_out)
{
	struct other other = other_start(hold_as_writer);
	struct dev *dev;

	cr_assert_eq(dev_open_file(image, 0, &sink, &dev), 0);
	dev_close(dev);
	other_end(&other);
}

Test(lock, is_not_taken_when_told_so)
{
	struct other other = other_start(hold_flock_exclusive);
	struct dev *dev;

	cr_assert_eq(dev_open_file(image, DEV_WRITE | DEV_LOCK_NONE, &sink,
				   &dev), 0);
	assert_silent(&said);
	dev_close(dev);
	other_end(&other);
}

static int let_go;	/* the descriptor that ends the other process */

static void end_the_other(void *ctx, const struct xlog_report *rep)
{
	reports_add(ctx, rep);
	if (rep->severity == XLOG_NOTICE)
		close(let_go);
}

static void assert_waits_for(const char *path, void (*hold)(void))
{
	struct other other = other_start(hold);
	struct sink ender = { end_the_other, &said };
	struct dev *dev;
	int status;

	let_go = other.go;
	cr_assert_eq(dev_open_file(path, DEV_WRITE | DEV_LOCK_WAIT, &ender,
				   &dev), 0);
	cr_assert_eq(said.errors, 0, "%s", said.text);
	cr_assert(strstr(said.text, "waiting for the lock of process"));
	dev_close(dev);
	cr_assert_eq(waitpid(other.pid, &status, 0), other.pid);
}

/* The notice that it waits comes first; only then does the other end. */
Test(lock, waits_for_flock, .timeout = 60)
{
	assert_waits_for(image, hold_flock_exclusive);
}

Test(lock, waits_for_ofd_locks, .timeout = 60)
{
	assert_waits_for(image, hold_ofd_byte);
}

Test(lock, of_a_backing_file_is_waited_for, .timeout = 60)
{
	char node[32];
	int loop;

	cr_assert_eq(truncate(image, 8192), 0);
	loop = loop_open(image, O_RDWR, node, sizeof(node));
	needs(loop >= 0, "root and a loop device");
	assert_waits_for(node, hold_flock_exclusive);
	memset(&said, 0, sizeof(said));
	assert_waits_for(node, hold_ofd_byte);
	close(loop);
}

static void on_alarm(int number)
{
	(void)number;
}

Test(lock, stops_waiting_at_a_signal, .timeout = 60)
{
	struct other other = other_start(hold_flock_exclusive);
	struct sigaction act = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct dev *dev;

	/* Without SA_RESTART; again and again, as it may come too early. */
	cr_assert_eq(sigaction(SIGALRM, &act, NULL), 0);
	cr_assert_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
	cr_assert_eq(dev_open_file(image, DEV_WRITE | DEV_LOCK_WAIT, &sink,
				   &dev), -EINTR);
	cr_assert_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	cr_assert(strstr(said.text, "cannot be locked: Interrupted"), "%s",
		  said.text);
	other_end(&other);
}
