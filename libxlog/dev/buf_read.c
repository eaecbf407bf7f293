/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading buffers: one at a time for whoever gets it, or many ahead of time.
 * Read-ahead makes the missing buffers, locked, and sorts them into runs of
 * neighbours; each run is one read. Several threads may take runs from the
 * list, so that a device with deep queues sees more than one read at a time;
 * whoever gets one of these buffers meanwhile waits for its lock.
 */
#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/buf_priv.h"

int buf_compare(const void *a, const void *b)
{
	const struct buf *x = *(struct buf *const *)a;
	const struct buf *y = *(struct buf *const *)b;

	if (x->daddr != y->daddr)
		return x->daddr < y->daddr ? -1 : 1;
	return x->len_bb < y->len_bb ? -1 : x->len_bb > y->len_bb;
}

size_t buf_run(struct buf *const *bufs, size_t count)
{
	uint64_t bytes = 0;
	size_t n;

	for (n = 0; n < count; n++) {
		bytes += buf_bytes(bufs[n]);
		if (n && (bytes > DEV_IO_BYTES ||
			  bufs[n]->daddr !=
			  bufs[n - 1]->daddr + bufs[n - 1]->len_bb))
			break;
	}
	return n;
}

int buf_verify(struct buf *buf, const struct buf_ops *ops)
{
	const char *why = "";
	int rc;

	if (!ops || !ops->verify_read)
		return 0;
	rc = ops->verify_read(ops, buf, &why);
	if (rc)
		report(&buf->cache->dev->sink, rc, "buf.verify", XLOG_LSN_NONE,
		       "%s at daddr %" PRIu64 ": %s", ops->name, buf->daddr,
		       why);
	return rc;
}

int buf_fill(struct buf *buf, const struct buf_ops *ops)
{
	int rc;

	assert(!buf->valid);
	rc = dev_read(buf->cache->dev, buf_offset(buf), buf->data,
		      buf_bytes(buf));
	if (!rc)
		rc = buf_verify(buf, ops);
	if (rc)
		return rc;
	buf->ops = ops;
	buf->valid = true;
	return 0;
}

/* --- read-ahead --- */

struct run {
	size_t		first, count;	/* in ahead.buf */
};

struct ahead {
	struct buf_cache *cache;
	struct buf	**buf;		/* sorted, each locked and held */
	size_t		nbufs;
	struct run	*run;
	size_t		nruns;
	_Atomic size_t	next;		/* run that nobody has taken */
};

/*
 * The contents are taken over only if its ops find nothing: they say nothing
 * here, since whoever gets the buffer reads it again and is told.
 */
static void ahead_done(struct buf *buf, bool read)
{
	const struct buf_ops *ops = buf->ops;
	const char *why;

	if (read && (!ops || !ops->verify_read ||
		     !ops->verify_read(ops, buf, &why))) {
		buf->valid = true;
		buf_count(&buf->cache->read_ahead, 1);
	} else {
		buf->ops = NULL;
	}
	buf_release(buf);
}

/* Read a run of several into @bounce (DEV_IO_BYTES), one into itself. */
static void ahead_read(const struct ahead *a, const struct run *run,
		       uint8_t *bounce)
{
	struct buf **buf = a->buf + run->first;
	uint8_t *to = run->count > 1 ? bounce : buf[0]->data;
	size_t len = 0, pos = 0, i;
	bool read;

	for (i = 0; i < run->count; i++)
		len += buf_bytes(buf[i]);
	read = to && !dev_read(a->cache->dev, buf_offset(buf[0]), to, len);
	for (i = 0; i < run->count; i++) {
		if (read && run->count > 1)
			memcpy(buf[i]->data, bounce + pos, buf_bytes(buf[i]));
		pos += buf_bytes(buf[i]);
		ahead_done(buf[i], read);
	}
}

static bool ahead_step(struct ahead *a, uint8_t *bounce)
{
	size_t mine = atomic_fetch_add_explicit(&a->next, 1,
						memory_order_relaxed);

	if (mine >= a->nruns)
		return false;
	ahead_read(a, &a->run[mine], bounce);
	return true;
}

static void *ahead_work(void *arg)
{
	struct ahead *a = arg;
	/* Without it, runs of several are left out: only a hint. */
	uint8_t *bounce = malloc(DEV_IO_BYTES);

	while (ahead_step(a, bounce))
		;
	free(bounce);
	return NULL;
}

/* The caller works as well; threads that cannot be had are not missed. */
static void ahead_run(struct ahead *a)
{
	enum { THREADS_MAX = 64 };
	pthread_t thread[THREADS_MAX];
	size_t want = a->cache->read_threads, i, n = 0;
	sigset_t all, before;

	if (want > THREADS_MAX)
		want = THREADS_MAX;
	if (want > a->nruns - 1)
		want = a->nruns - 1;
	/* Signals are for the program's own threads. */
	sigfillset(&all);
	sync_ok(pthread_sigmask(SIG_BLOCK, &all, &before));
	while (n < want && !pthread_create(&thread[n], NULL, ahead_work, a))
		n++;
	sync_ok(pthread_sigmask(SIG_SETMASK, &before, NULL));
	ahead_work(a);
	for (i = 0; i < n; i++)
		sync_ok(pthread_join(thread[i], NULL));
}

/* Make the buffers that are not here, until there is no more room. */
static void ahead_collect(struct ahead *a, const struct buf_want *wants,
			  size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct buf_want *want = &wants[i];
		struct buf *buf;
		bool created;

		if (buf_range_verify(a->cache, want->daddr, want->len_bb))
			continue;
		if (!buf_cache_shrink(a->cache, (uint64_t)want->len_bb *
				      BUF_BB_BYTES))
			break;
		buf = buf_grab(a->cache, want->daddr, want->len_bb, &created);
		if (!buf)
			break;
		if (!created) {
			buf_put(buf);
			continue;
		}
		buf->ops = want->ops;
		a->buf[a->nbufs++] = buf;
	}
}

static void ahead_split(struct ahead *a)
{
	size_t first, n;

	qsort(a->buf, a->nbufs, sizeof(*a->buf), buf_compare);
	for (first = 0; first < a->nbufs; first += n) {
		n = buf_run(a->buf + first, a->nbufs - first);
		a->run[a->nruns++] = (struct run){ first, n };
	}
}

void buf_readahead(struct buf_cache *cache, const struct buf_want *wants,
		   size_t count)
{
	struct ahead a = { .cache = cache };

	a.buf = calloc(count, sizeof(*a.buf));
	a.run = calloc(count, sizeof(*a.run));
	if (a.buf && a.run) {
		ahead_collect(&a, wants, count);
		ahead_split(&a);
		if (a.nruns)
			ahead_run(&a);
	}
	free(a.run);
	free(a.buf);
}
