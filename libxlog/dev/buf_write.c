/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing buffers back in the order of the device, neighbours together. A run
 * waits for the lock of its first buffer only, while it holds none; the others
 * join if they are free. So write-back cannot take part in a deadlock, in
 * whatever order others lock.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/buf_priv.h"

/* Locked by the caller: is it to be written, and fit for it? 1, 0, error. */
static int prepare(struct buf *buf)
{
	const char *why = "";
	int rc;

	if (!buf_is_dirty(buf) || buf_is_pinned(buf))
		return 0;
	if (!buf->ops || !buf->ops->verify_write)
		return 1;
	rc = buf->ops->verify_write(buf->ops, buf, &why);
	if (rc)
		return report(&buf->cache->dev->sink, rc, "buf.verify",
			      XLOG_LSN_NONE, "%s at daddr %" PRIu64
			      ": not written: %s", buf->ops->name, buf->daddr,
			      why);
	return 1;
}

/* Buffers that are locked, prepared and neighbours, and clean afterwards. */
static int write_run(struct buf *const *bufs, size_t count, uint8_t *bounce)
{
	struct buf_cache *cache = bufs[0]->cache;
	const uint8_t *from = bufs[0]->data;
	size_t len = 0, i;
	int rc;

	for (i = 0; i < count; i++) {
		if (count > 1)
			memcpy(bounce + len, bufs[i]->data,
			       buf_bytes(bufs[i]));
		len += buf_bytes(bufs[i]);
	}
	if (count > 1)
		from = bounce;
	rc = dev_write(cache->dev, buf_offset(bufs[0]), from, len);
	if (rc)
		return rc;
	for (i = 0; i < count; i++)
		buf_clear_dirty(bufs[i]);
	buf_count(&cache->written, count);
	buf_count(&cache->written_bytes, len);
	return 0;
}

int buf_write(struct buf *buf)
{
	int rc;

	if (buf_is_dirty(buf) && buf_is_pinned(buf))
		return -EAGAIN;
	rc = prepare(buf);
	return rc > 0 ? write_run(&buf, 1, NULL) : rc;
}

/*
 * How many of @bufs, sorted, form a run to be written; *@done: with the one
 * behind it, if that is not to be, or cannot be.
 */
static size_t prepare_run(struct buf *const *bufs, size_t count, size_t *done,
			  int *rc)
{
	size_t most = buf_run(bufs, count), n;
	int err = 1;

	for (n = 0; n < most; n++) {
		err = prepare(bufs[n]);
		if (err <= 0)
			break;
	}
	if (err < 0 && !*rc)
		*rc = err;
	*done = n + (err <= 0);
	return n;
}

int buf_write_locked(struct buf **bufs, size_t count)
{
	uint8_t *bounce = count > 1 ? malloc(DEV_IO_BYTES) : NULL;
	size_t at, n, done;
	int rc = 0, err;

	if (count > 1 && !bounce)
		return report(&bufs[0]->cache->dev->sink, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory for write-back");
	qsort(bufs, count, sizeof(*bufs), buf_compare);
	for (at = 0; at < count; at += done) {
		n = prepare_run(bufs + at, count - at, &done, &rc);
		err = n ? write_run(bufs + at, n, bounce) : 0;
		if (err && !rc)
			rc = err;
	}
	free(bounce);
	return rc;
}

/* --- all of them --- */

struct write_back {
	struct buf_cache *cache;
	struct buf	**buf;		/* sorted, each held */
	size_t		count;
	uint8_t		*bounce;	/* DEV_IO_BYTES */
	unsigned int	flags;
	int		rc;		/* first error */
};

static void failed(struct write_back *wb, int rc)
{
	if (!wb->rc)
		wb->rc = rc;
}

/*
 * Lock buffers from the first on, as long as they form a run. Returns how many
 * are done with: the first *@count of them are locked and to be written.
 */
static size_t take_run(struct write_back *wb, struct buf *const *bufs,
		       size_t most, size_t *count)
{
	bool wait = !(wb->flags & BUF_SKIP_LOCKED);
	size_t i;
	int rc;

	*count = 0;
	for (i = 0; i < most; i++) {
		if (!buf_trylock(bufs[i])) {
			if (i || !wait)
				return i ? i : 1;
			buf_lock(bufs[i]);
		}
		rc = prepare(bufs[i]);
		if (rc <= 0) {
			if (rc)
				failed(wb, rc);
			buf_unlock(bufs[i]);
			return i + 1;
		}
		++*count;
	}
	return most;
}

static void write_sorted(struct write_back *wb)
{
	size_t done, n, count, i;
	int rc;

	for (done = 0; done < wb->count; done += n) {
		struct buf *const *bufs = wb->buf + done;

		n = take_run(wb, bufs, buf_run(bufs, wb->count - done),
			     &count);
		if (!count)
			continue;
		rc = write_run(bufs, count, wb->bounce);
		if (rc)
			failed(wb, rc);
		for (i = 0; i < count; i++)
			buf_unlock(bufs[i]);
	}
}

/* Hold what is dirty now; more than @room came later and can wait. */
static void collect(struct write_back *wb, size_t room)
{
	struct list *link;
	struct buf *buf;
	unsigned int i;

	for (i = 0; i < SHARDS; i++) {
		struct shard *shard = &wb->cache->shard[i];

		xmutex_lock(&shard->lock);
		for (link = list_first(&shard->dirty);
		     link && wb->count < room;
		     link = list_next(link, &shard->dirty)) {
			buf = container_of(link, struct buf, dirty_link);
			if (buf->pins)
				continue;
			buf->refs++;
			wb->buf[wb->count++] = buf;
		}
		xmutex_unlock(&shard->lock);
	}
}

int buf_write_back(struct buf_cache *cache, unsigned int flags)
{
	struct write_back wb = { .cache = cache, .flags = flags };
	struct buf_stats stats;
	size_t i;

	buf_cache_stats(cache, &stats);
	if (!stats.dirty)
		return 0;
	wb.buf = calloc(stats.dirty, sizeof(*wb.buf));
	wb.bounce = malloc(DEV_IO_BYTES);
	if (!wb.buf || !wb.bounce) {
		wb.rc = report(&cache->dev->sink, -ENOMEM, "memory",
			       XLOG_LSN_NONE, "out of memory for write-back");
		goto free;
	}
	collect(&wb, stats.dirty);
	qsort(wb.buf, wb.count, sizeof(*wb.buf), buf_compare);
	write_sorted(&wb);
	for (i = 0; i < wb.count; i++)
		buf_put(wb.buf[i]);
free:
	free(wb.bounce);
	free(wb.buf);
	return wb.rc;
}
