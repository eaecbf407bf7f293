/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices for tests: bytes in memory (an overlay above nothing), a file or
 * image with writes held in memory, and a watcher that stands on another
 * device, counts what passes and fails where it is told to. Reports are kept
 * as text. Everything asserts success, so that a test reads as its behaviour.
 */
#ifndef TESTS_LIB_MEMDEV_H
#define TESTS_LIB_MEMDEV_H

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/base/list.h"
#include "libxlog/dev/dev_priv.h"

/* --- reports --- */

struct reports {
	char		text[8192];	/* "code: text\n" each */
	unsigned int	count;
	unsigned int	errors;		/* of these, XLOG_ERROR */
};

static inline void reports_add(void *ctx, const struct xlog_report *rep)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct reports *all = ctx;
	size_t used;

	pthread_mutex_lock(&lock);
	used = strlen(all->text);
	snprintf(all->text + used, sizeof(all->text) - used, "%s: %s\n",
		 rep->code, rep->text);
	all->count++;
	all->errors += rep->severity == XLOG_ERROR;
	pthread_mutex_unlock(&lock);
}

/* A sink that keeps reports in @all, which starts as zeros. */
static inline struct sink reports_sink(struct reports *all)
{
	return (struct sink){ reports_add, all };
}

/* Exactly one error was reported since the last time, and holds @text. */
#define assert_said(all, what)						\
	do {								\
		cr_assert_eq((all)->errors, 1, "%u errors:\n%s",	\
			     (all)->errors, (all)->text);		\
		cr_assert(strstr((all)->text, what), "not \"%s\":\n%s",	\
			  what, (all)->text);				\
		memset(all, 0, sizeof(*(all)));				\
	} while (0)

#define assert_silent(all)						\
	cr_assert_eq((all)->count, 0, "reported:\n%s", (all)->text)

/* --- devices --- */

static inline struct dev *memdev_zeros(uint64_t size_bytes,
				       const struct sink *sink)
{
	struct dev *dev;

	cr_assert_eq(dev_open_overlay(NULL, size_bytes, sink, &dev), 0);
	return dev;
}

static inline struct dev *memdev_bytes(const void *bytes, size_t len,
				       const struct sink *sink)
{
	struct dev *dev = memdev_zeros(len, sink);

	cr_assert_eq(dev_write(dev, 0, bytes, len), 0);
	return dev;
}

/* The image (also compressed) at @path; writes stay in memory. */
static inline struct dev *memdev_image(const char *path,
				       const struct sink *sink)
{
	struct dev *below, *dev;

	cr_assert_eq(dev_open_image(path, 0, 0, sink, &below), 0);
	cr_assert_eq(dev_open_overlay(below, 0, NULL, &dev), 0);
	return dev;
}

/* A byte that depends on its place, so that a shifted read shows. */
static inline uint8_t pattern_at(uint64_t off_bytes)
{
	return (uint8_t)((off_bytes * 0x9e3779b97f4a7c15u) >> 56) | 1;
}

static inline void pattern_fill(void *buf, uint64_t off_bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		((uint8_t *)buf)[i] = pattern_at(off_bytes + i);
}

static inline bool pattern_holds(const void *buf, uint64_t off_bytes,
				 size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (((const uint8_t *)buf)[i] != pattern_at(off_bytes + i))
			return false;
	return true;
}

static inline struct dev *memdev_pattern(size_t len, const struct sink *sink)
{
	uint8_t *bytes = malloc(len);
	struct dev *dev;

	cr_assert_not_null(bytes);
	pattern_fill(bytes, 0, len);
	dev = memdev_bytes(bytes, len, sink);
	free(bytes);
	return dev;
}

/* --- watcher --- */

enum { WATCH_LOG = 256 };

struct watch_io {
	uint64_t	off_bytes;
	size_t		len;
};

/* Fields are set and read by the test while no I/O is under way. */
struct watch {
	struct dev	dev;
	struct dev	*below;		/* owned */
	pthread_mutex_t	lock;		/* guards the counts and lists */
	unsigned int	reads, writes, flushes;
	struct watch_io	read[WATCH_LOG], write[WATCH_LOG];	/* in order */
	/* I/O that touches these bytes fails with -EIO; end 0: none */
	uint64_t	bad_read_start, bad_read_end;
	uint64_t	bad_write_start, bad_write_end;
};

static inline bool watch_hits(uint64_t off_bytes, size_t len, uint64_t start,
			      uint64_t end)
{
	return off_bytes < end && start < off_bytes + len;
}

static inline int watch_read(struct dev *dev, uint64_t off_bytes, void *buf,
			     size_t len)
{
	struct watch *w = container_of(dev, struct watch, dev);

	pthread_mutex_lock(&w->lock);
	if (w->reads < WATCH_LOG)
		w->read[w->reads] = (struct watch_io){ off_bytes, len };
	w->reads++;
	pthread_mutex_unlock(&w->lock);
	if (watch_hits(off_bytes, len, w->bad_read_start, w->bad_read_end))
		return report(&dev->sink, -EIO, "watch.read", XLOG_LSN_NONE,
			      "bad sector");
	return dev_read(w->below, off_bytes, buf, len);
}

static inline int watch_write(struct dev *dev, uint64_t off_bytes,
			      const void *buf, size_t len)
{
	struct watch *w = container_of(dev, struct watch, dev);

	pthread_mutex_lock(&w->lock);
	if (w->writes < WATCH_LOG)
		w->write[w->writes] = (struct watch_io){ off_bytes, len };
	w->writes++;
	pthread_mutex_unlock(&w->lock);
	if (watch_hits(off_bytes, len, w->bad_write_start, w->bad_write_end))
		return report(&dev->sink, -EIO, "watch.write", XLOG_LSN_NONE,
			      "bad sector");
	return dev_write(w->below, off_bytes, buf, len);
}

static inline int watch_flush(struct dev *dev)
{
	struct watch *w = container_of(dev, struct watch, dev);

	pthread_mutex_lock(&w->lock);
	w->flushes++;
	pthread_mutex_unlock(&w->lock);
	return dev_flush(w->below);
}

static inline void watch_close(struct dev *dev)
{
	struct watch *w = container_of(dev, struct watch, dev);

	dev_close(w->below);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* Has neither discard nor zero, so that their fallbacks can be seen. */
static const struct dev_ops watch_ops = {
	.kind = "watch",
	.read = watch_read,
	.write = watch_write,
	.flush = watch_flush,
	.close = watch_close,
};

/* Takes @below; the device to use is &watch->dev. */
static inline struct watch *watch_open(struct dev *below)
{
	struct watch *w = calloc(1, sizeof(*w));

	cr_assert_not_null(w);
	dev_init(&w->dev, &watch_ops, &below->sink, below->name);
	w->dev.size_bytes = below->size_bytes;
	w->dev.sector_bytes = below->sector_bytes;
	w->dev.writable = below->writable;
	w->below = below;
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

#endif
