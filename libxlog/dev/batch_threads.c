/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transfers of a batch by a few threads, each with one under way: for writes,
 * and for kernels that have no io_uring or do not let us use it. Threads live
 * as long as the batch; those that cannot be had are not missed.
 */
#include <signal.h>
#include <unistd.h>

#include "libxlog/base/sync.h"
#include "libxlog/dev/batch_priv.h"

/* Enough to keep a disk sorting its queue; each costs a stack. */
enum { THREADS = 8 };

struct pool {
	struct xmutex	lock;
	struct batch	*b;		/* (lock), but for what is constant */
};

static bool take(struct pool *pool, struct dev_io *io)
{
	bool taken;

	xmutex_lock(&pool->lock);
	taken = !pool->b->rc && batch_next(pool->b, io);
	xmutex_unlock(&pool->lock);
	return taken;
}

/* Go on until @io is done or there is something to say. */
static void transfer(const struct batch *b, struct dev_io *io)
{
	while (io->len) {
		off_t off = (off_t)io->off_bytes;
		ssize_t n = b->write ? pwrite(b->fd, io->buf, io->len, off) :
			    pread(b->fd, io->buf, io->len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		io->off_bytes += (size_t)n;
		io->buf = (char *)io->buf + n;
		io->len -= (size_t)n;
	}
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	struct dev_io io;

	while (take(pool, &io)) {
		size_t len = io.len;

		transfer(pool->b, &io);
		xmutex_lock(&pool->lock);
		pool->b->done_bytes += len - io.len;
		/* Under the lock, so that one thread only has its say. */
		if (io.len)
			batch_finish(pool->b, &io);
		xmutex_unlock(&pool->lock);
	}
	return NULL;
}

/* No more threads than transfers. */
static size_t threads_for(const struct batch *b)
{
	struct batch copy = *b;
	struct dev_io io;
	size_t n = 0;

	while (n < THREADS && batch_next(&copy, &io))
		n++;
	return n;
}

void batch_threads(struct batch *b)
{
	struct pool pool = { .b = b };
	size_t want = threads_for(b), n = 0;
	pthread_t thread[THREADS];
	sigset_t all, before;

	if (!want)
		return;
	sync_ok(-xmutex_init(&pool.lock));
	/* Signals are for the program's own threads. */
	sigfillset(&all);
	sync_ok(pthread_sigmask(SIG_BLOCK, &all, &before));
	while (n + 1 < want && !pthread_create(&thread[n], NULL, work, &pool))
		n++;
	sync_ok(pthread_sigmask(SIG_SETMASK, &before, NULL));
	work(&pool);
	while (n)
		sync_ok(pthread_join(thread[--n], NULL));
	xmutex_fini(&pool.lock);
}
