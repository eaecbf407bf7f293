/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libxlog/base/list.h"
#include "libxlog/dev/dev_priv.h"
#include "tests/lib/stack.h"

/* As large as a log may be: stands for one until the devices take its place. */
static const off_t PLACEHOLDER_BYTES = (off_t)2 << 30;

enum { SB_MAX_BYTES = 32768 };

/* --- a device that is only borrowed --- */

struct borrowed {
	struct dev	dev;
	struct dev	*below;		/* not owned */
};

static struct dev *below_of(struct dev *dev)
{
	return container_of(dev, struct borrowed, dev)->below;
}

static int borrowed_read(struct dev *dev, uint64_t off_bytes, void *buf,
			 size_t len)
{
	return dev_read(below_of(dev), off_bytes, buf, len);
}

static int borrowed_write(struct dev *dev, uint64_t off_bytes, const void *buf,
			  size_t len)
{
	return dev_write(below_of(dev), off_bytes, buf, len);
}

static int borrowed_flush(struct dev *dev)
{
	return dev_flush(below_of(dev));
}

static void borrowed_close(struct dev *dev)
{
	free(container_of(dev, struct borrowed, dev));
}

static const struct dev_ops borrowed_ops = {
	.kind = "borrowed",
	.read = borrowed_read,
	.write = borrowed_write,
	.flush = borrowed_flush,
	.close = borrowed_close,
};

int stack_borrow(struct dev *below, struct dev **out)
{
	struct borrowed *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	dev_init(&b->dev, &borrowed_ops, &below->sink, below->name);
	b->dev.size_bytes = below->size_bytes;
	b->dev.sector_bytes = below->sector_bytes;
	b->dev.writable = below->writable;
	b->below = below;
	*out = &b->dev;
	return 0;
}

int stack_overlay(struct dev *below, struct dev **out)
{
	struct dev *dev;
	int rc = stack_borrow(below, &dev);

	if (rc)
		return rc;
	rc = dev_open_overlay(dev, 0, NULL, out);
	if (rc)
		dev_close(dev);
	return rc;
}

/* --- a device that is watched --- */

struct watch {
	struct dev	dev;
	struct dev	*below;		/* not owned */
	struct stack_record *rec;
	int		tag;
};

static struct watch *to_watch(struct dev *dev)
{
	return container_of(dev, struct watch, dev);
}

static void note(const struct watch *w, uint64_t off_bytes, size_t len)
{
	struct stack_record *rec = w->rec;

	if (rec->count == rec->room) {
		size_t room = rec->room ? 2 * rec->room : 256;
		struct stack_event *more;

		more = reallocarray(rec->event, room, sizeof(*more));
		if (!more) {
			rec->lost = true;
			return;
		}
		rec->event = more;
		rec->room = room;
	}
	rec->event[rec->count++] = (struct stack_event){ w->tag, off_bytes,
							 len };
}

static int watch_read(struct dev *dev, uint64_t off_bytes, void *buf,
		      size_t len)
{
	return dev_read(to_watch(dev)->below, off_bytes, buf, len);
}

static int watch_write(struct dev *dev, uint64_t off_bytes, const void *buf,
		       size_t len)
{
	struct watch *w = to_watch(dev);
	int rc = dev_write(w->below, off_bytes, buf, len);

	if (!rc)
		note(w, off_bytes, len);
	return rc;
}

static int watch_flush(struct dev *dev)
{
	struct watch *w = to_watch(dev);
	int rc = dev_flush(w->below);

	if (!rc)
		note(w, 0, 0);
	return rc;
}

static void watch_close(struct dev *dev)
{
	free(to_watch(dev));
}

static const struct dev_ops watch_ops = {
	.kind = "watch",
	.read = watch_read,
	.write = watch_write,
	.flush = watch_flush,
	.close = watch_close,
};

int stack_watch(struct dev *below, struct stack_record *rec, int tag,
		struct dev **out)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	dev_init(&w->dev, &watch_ops, &below->sink, below->name);
	w->dev.size_bytes = below->size_bytes;
	w->dev.sector_bytes = below->sector_bytes;
	w->dev.writable = below->writable;
	w->below = below;
	w->rec = rec;
	w->tag = tag;
	*out = &w->dev;
	return 0;
}

void stack_record_fini(struct stack_record *rec)
{
	free(rec->event);
	memset(rec, 0, sizeof(*rec));
}

/* Compare @len bytes; 1 and *@where at the first that differs. */
static int range_differs(struct dev *a, struct dev *b, uint64_t off,
			 uint64_t len, uint64_t *where)
{
	uint8_t one[BB_SIZE * 64], other[BB_SIZE * 64];
	int rc = 0;

	for (uint64_t end = off + len, n; off < end && !rc; off += n) {
		n = end - off < sizeof(one) ? end - off : sizeof(one);
		rc = dev_read(a, off, one, (size_t)n);
		if (!rc)
			rc = dev_read(b, off, other, (size_t)n);
		if (rc || !memcmp(one, other, (size_t)n))
			continue;
		for (size_t i = 0; one[i] == other[i]; i++)
			*where = off + i + 1;
		if (one[0] != other[0])
			*where = off;
		return 1;
	}
	return rc;
}

int stack_differ(struct dev *a, struct dev *b,
		 const struct stack_record *const *recs, size_t nrecs, int tag,
		 uint64_t skip, uint64_t skip_end, uint64_t *where)
{
	int rc = 0;

	for (size_t r = 0; r < nrecs && !rc; r++) {
		if (recs[r]->lost)
			return -ENOMEM;
		for (size_t i = 0; i < recs[r]->count && !rc; i++) {
			const struct stack_event *e = &recs[r]->event[i];
			uint64_t end = e->off_bytes + e->len;

			if (e->tag != tag || (e->off_bytes >= skip &&
					      end <= skip_end))
				continue;
			rc = range_differs(a, b, e->off_bytes, e->len, where);
		}
	}
	return rc;
}

/* --- a filesystem on devices --- */

/* Put the devices where xlog_open() put the placeholder. */
static int take_devices(struct xlog *log, struct dev *fs, struct dev *own_log)
{
	uint64_t len = (uint64_t)log->nbb * BB_SIZE;
	int rc;

	dev_close(log->fs);
	log->dev = log->fs = NULL;
	rc = stack_borrow(fs, &log->fs);
	if (rc)
		return rc;
	if (!log->info.internal) {
		if (!own_log || own_log->size_bytes < len)
			return -EINVAL;
		return stack_borrow(own_log, &log->dev);
	}
	if (own_log || log->info.log_daddr * BB_SIZE + len > fs->size_bytes)
		return -EINVAL;
	return dev_open_window(log->fs, log->info.log_daddr * BB_SIZE, len,
			       &log->dev);
}

int stack_open(struct dev *fs, struct dev *own_log, const struct sink *sink,
	       struct xlog **out)
{
	struct xlog_open_options opts = {
		.report = sink ? sink->report : NULL,
		.report_ctx = sink ? sink->ctx : NULL,
	};
	uint8_t sb[SB_MAX_BYTES];
	char path[64];
	int fd, rc;

	opts.superblock = sb;
	opts.superblock_bytes = fs->size_bytes < sizeof(sb) ?
				(size_t)fs->size_bytes : sizeof(sb);
	rc = dev_read(fs, 0, sb, opts.superblock_bytes);
	if (rc)
		return rc;
	fd = memfd_create("placeholder", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, PLACEHOLDER_BYTES)) {
		rc = -errno;
		goto close_fd;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = xlog_open(path, &opts, out);
	if (rc)
		goto close_fd;
	rc = take_devices(*out, fs, own_log);
	if (rc)
		xlog_close(*out);
close_fd:
	close(fd);
	return rc;
}

int stack_recover(struct dev *fs, struct dev *own_log,
		  const struct xlog_recover_options *opts,
		  const struct sink *sink, struct xlog_recover_result *res)
{
	struct xlog *log;
	int rc;

	memset(res, 0, sizeof(*res));
	rc = stack_open(fs, own_log, sink, &log);
	if (rc)
		return rc;
	rc = xlog_recover(log, opts, res);
	xlog_close(log);
	return rc;
}

void stack_log_range(const struct xlog *log, uint64_t *start, uint64_t *end)
{
	*start = *end = 0;
	if (!log->info.internal)
		return;
	*start = log->info.log_daddr * BB_SIZE;
	*end = *start + (uint64_t)log->nbb * BB_SIZE;
}
