/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device that can lose power. Held writes are a list in the order of issue:
 * a read goes below first and then takes over what each of them says, so the
 * youngest wins; a flush, and each kind of crash, is a way to carry the list
 * down. Loads of tests are small enough for a list.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/base/list.h"
#include "libxlog/base/sync.h"
#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/fault.h"

enum {
	OPS = FAULT_FLUSH + 1,
};

struct held {
	struct list	link;
	uint64_t	off_bytes;
	size_t		len;
	uint8_t		bytes[];
};

struct fault {
	struct dev	dev;
	struct dev	*below;		/* owned. Constant */
	struct xmutex	lock;		/* also held over I/O below */
	/* All below: (lock). */
	struct list	held;		/* in order of issue */
	uint64_t	nheld, held_bytes;
	uint32_t	atom_bytes;	/* written wholly or not at all */
	uint64_t	count[OPS];
	uint64_t	fail_at[OPS];	/* number of the call */
	uint64_t	spoil_at;	/* number of the write */
	uint64_t	bad_start, bad_end; /* no write gets there */
	uint64_t	stop_after;	/* writes */
	uint64_t	stop_at;	/* flush */
	bool		stopped;
	bool		recording;
	struct fault_event *event;
	size_t		nevents, room;
};

static struct fault *to_fault(struct dev *dev)
{
	return container_of(dev, struct fault, dev);
}

/* --- chance --- */

/* splitmix64: every seed is good, and each gives other numbers. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z;

	*state += 0x9e3779b97f4a7c15u;
	z = *state;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 to @bound - 1; tests do not mind that it is not quite even. */
static uint64_t random_below(uint64_t *state, uint64_t bound)
{
	return next_random(state) % bound;
}

/* --- what is held, lock held --- */

static void held_remove(struct fault *f, struct held *w)
	REQUIRES(f->lock);
static void held_drop(struct fault *f) REQUIRES(f->lock);
static int held_flush(struct fault *f) REQUIRES(f->lock);

static struct held *held_at(struct list *link)
{
	return container_of(link, struct held, link);
}

static void held_remove(struct fault *f, struct held *w)
{
	list_remove(&w->link);
	f->nheld--;
	f->held_bytes -= w->len;
	free(w);
}

static void held_drop(struct fault *f)
{
	struct list *link;

	while ((link = list_first(&f->held)))
		held_remove(f, held_at(link));
}

static int held_write(struct fault *f, const struct held *w)
{
	return dev_write(f->below, w->off_bytes, w->bytes, w->len);
}

/* On error, what has not reached the device below stays held. */
static int held_flush(struct fault *f)
{
	struct list *link;
	int rc;

	while ((link = list_first(&f->held))) {
		rc = held_write(f, held_at(link));
		if (rc)
			return rc;
		held_remove(f, held_at(link));
	}
	return 0;
}

/* Take over into @buf what @w has of its bytes. */
static void held_show(const struct held *w, uint64_t off_bytes, uint8_t *buf,
		      size_t len)
{
	uint64_t start = w->off_bytes, end = start + w->len;

	if (start < off_bytes)
		start = off_bytes;
	if (end > off_bytes + len)
		end = off_bytes + len;
	if (start < end)
		memcpy(buf + (start - off_bytes),
		       w->bytes + (start - w->off_bytes),
		       (size_t)(end - start));
}

/* --- where to fail, lock held --- */

static int refuse(struct fault *f, const char *code, const char *text)
{
	return report(&f->dev.sink, -EIO, code, XLOG_LSN_NONE, "%s", text);
}

/* Count a call of @op, and say whether it is to fail. */
static int begin(struct fault *f, enum fault_op op) REQUIRES(f->lock);

static int begin(struct fault *f, enum fault_op op)
{
	static const char *const failed[OPS] = {
		[FAULT_READ] = "a read is made to fail",
		[FAULT_WRITE] = "a write is made to fail",
		[FAULT_FLUSH] = "a flush is made to fail",
	};

	if (op != FAULT_READ) {
		/* A flush behind the last write that works fails, too. */
		if (f->count[FAULT_WRITE] >= f->stop_after ||
		    (op == FAULT_FLUSH &&
		     f->count[FAULT_FLUSH] + 1 >= f->stop_at))
			f->stopped = true;
		if (f->stopped)
			return refuse(f, "fault.stop", "the power is off");
	}
	f->count[op]++;
	if (f->count[op] == f->fail_at[op])
		return refuse(f, "fault.fail", failed[op]);
	return 0;
}

/* The write that has begun, and may be the one that finds a bad place. */
static int check_place(struct fault *f, uint64_t off_bytes, size_t len)
	REQUIRES(f->lock);

static int check_place(struct fault *f, uint64_t off_bytes, size_t len)
{
	if (f->count[FAULT_WRITE] == f->spoil_at) {
		f->bad_start = off_bytes;
		f->bad_end = off_bytes + len;
	}
	if (off_bytes < f->bad_end && off_bytes + len > f->bad_start)
		return refuse(f, "fault.fail", "the place is made bad");
	return 0;
}

static int record(struct fault *f, enum fault_op op, uint64_t off_bytes,
		  size_t len) REQUIRES(f->lock);

static int record(struct fault *f, enum fault_op op, uint64_t off_bytes,
		  size_t len)
{
	if (!f->recording)
		return 0;
	if (f->nevents == f->room) {
		size_t room = f->room ? 2 * f->room : 64;
		struct fault_event *more;

		more = reallocarray(f->event, room, sizeof(*more));
		if (!more)
			return report(&f->dev.sink, -ENOMEM, "memory",
				      XLOG_LSN_NONE,
				      "out of memory for a record of I/O");
		f->event = more;
		f->room = room;
	}
	f->event[f->nevents++] = (struct fault_event){ op, off_bytes, len };
	return 0;
}

/* --- I/O --- */

static int fault_read(struct dev *dev, uint64_t off_bytes, void *buf,
		      size_t len)
{
	struct fault *f = to_fault(dev);
	struct list *link;
	int rc;

	xmutex_lock(&f->lock);
	rc = begin(f, FAULT_READ);
	if (!rc)
		rc = dev_read(f->below, off_bytes, buf, len);
	for (link = list_first(&f->held); link && !rc;
	     link = list_next(link, &f->held))
		held_show(held_at(link), off_bytes, buf, len);
	xmutex_unlock(&f->lock);
	return rc;
}

static int fault_write(struct dev *dev, uint64_t off_bytes, const void *buf,
		       size_t len)
{
	struct fault *f = to_fault(dev);
	struct held *w = malloc(sizeof(*w) + len);
	int rc;

	if (!w)
		return report(&dev->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory for a held write");
	w->off_bytes = off_bytes;
	w->len = len;
	memcpy(w->bytes, buf, len);
	xmutex_lock(&f->lock);
	rc = begin(f, FAULT_WRITE);
	if (!rc)
		rc = check_place(f, off_bytes, len);
	if (!rc)
		rc = record(f, FAULT_WRITE, off_bytes, len);
	if (!rc) {
		list_insert_last(&w->link, &f->held);
		f->nheld++;
		f->held_bytes += len;
		w = NULL;
	}
	xmutex_unlock(&f->lock);
	free(w);
	return rc;
}

static int fault_flush(struct dev *dev)
{
	struct fault *f = to_fault(dev);
	int rc;

	xmutex_lock(&f->lock);
	rc = begin(f, FAULT_FLUSH);
	if (!rc)
		rc = held_flush(f);
	if (!rc)
		rc = dev_flush(f->below);
	if (!rc)
		rc = record(f, FAULT_FLUSH, 0, 0);
	xmutex_unlock(&f->lock);
	return rc;
}

static void fault_close(struct dev *dev)
{
	struct fault *f = to_fault(dev);

	xmutex_lock(&f->lock);
	held_drop(f);
	xmutex_unlock(&f->lock);
	xmutex_fini(&f->lock);
	dev_close(f->below);
	free(f->event);
	free(f);
}

static const struct dev_ops fault_ops = {
	.kind = "fault",
	.read = fault_read,
	.write = fault_write,
	.flush = fault_flush,
	.close = fault_close,
};

/* As if just opened; what is held and recorded is not touched. */
static void reset(struct fault *f) REQUIRES(f->lock);

static void reset(struct fault *f)
{
	unsigned int op;

	for (op = 0; op < OPS; op++) {
		f->count[op] = 0;
		f->fail_at[op] = FAULT_NEVER;
	}
	f->spoil_at = FAULT_NEVER;
	f->bad_start = f->bad_end = 0;
	f->stop_after = FAULT_NEVER;
	f->stop_at = FAULT_NEVER;
	f->stopped = false;
}

int dev_open_fault(struct dev *below, struct dev **out)
{
	struct fault *f = calloc(1, sizeof(*f));
	int rc = f ? xmutex_init(&f->lock) : -ENOMEM;

	if (rc) {
		free(f);
		return report(&below->sink, rc, "memory", XLOG_LSN_NONE,
			      "out of memory");
	}
	dev_init(&f->dev, &fault_ops, &below->sink, below->name);
	f->dev.size_bytes = below->size_bytes;
	f->dev.sector_bytes = below->sector_bytes;
	f->dev.writable = below->writable;
	f->below = below;
	f->atom_bytes = below->sector_bytes;
	list_init(&f->held);
	xmutex_lock(&f->lock);
	reset(f);
	xmutex_unlock(&f->lock);
	*out = &f->dev;
	return 0;
}

/* --- crashes, lock held --- */

/*
 * Some writes in any order: they leave the list at random, and each survives
 * with a chance that is drawn once, so that few as well as most may.
 */
static int reorder(struct fault *f, uint64_t *state) REQUIRES(f->lock);

static int reorder(struct fault *f, uint64_t *state)
{
	uint64_t chance = random_below(state, 257);
	struct held **w = calloc(f->nheld + 1, sizeof(struct held *));
	struct list *link;
	size_t n = 0;
	int rc = 0;

	if (!w)
		return report(&f->dev.sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory for a crash");
	for (link = list_first(&f->held); link;
	     link = list_next(link, &f->held))
		w[n++] = held_at(link);
	while (n && !rc) {
		size_t i = (size_t)random_below(state, n);

		if (random_below(state, 256) < chance)
			rc = held_write(f, w[i]);
		w[i] = w[--n];
	}
	free(w);
	return rc;
}

/* From @pos in @w to the end of its sector on the device, or of the write. */
static size_t in_sector(const struct held *w, size_t pos, uint32_t bytes)
{
	size_t n = bytes - (size_t)((w->off_bytes + pos) % bytes);

	return n < w->len - pos ? n : w->len - pos;
}

/* Each sector of @w with a chance of its own; or the first ones only. */
static int tear_write(struct fault *f, const struct held *w, uint64_t *state)
	REQUIRES(f->lock);

static int tear_write(struct fault *f, const struct held *w, uint64_t *state)
{
	const uint32_t bytes = f->atom_bytes;
	bool cut = random_below(state, 2);
	uint64_t chance = random_below(state, 257);
	uint64_t sectors = (w->off_bytes % bytes + w->len + bytes - 1) / bytes;
	uint64_t keep = random_below(state, sectors + 1);
	uint64_t i = 0;
	size_t pos, n;
	int rc = 0;

	for (pos = 0; pos < w->len && !rc; pos += n, i++) {
		n = in_sector(w, pos, bytes);
		if (cut ? i < keep : random_below(state, 256) < chance)
			rc = dev_write(f->below, w->off_bytes + pos,
				       w->bytes + pos, n);
	}
	return rc;
}

static int tear(struct fault *f, uint64_t *state) REQUIRES(f->lock);

static int tear(struct fault *f, uint64_t *state)
{
	struct list *link;
	int rc = 0;

	for (link = list_first(&f->held); link && !rc;
	     link = list_next(link, &f->held))
		rc = tear_write(f, held_at(link), state);
	return rc;
}

int fault_crash(struct dev *dev, enum fault_crash how, uint64_t seed)
{
	struct fault *f = to_fault(dev);
	uint64_t state = seed;
	int rc = 0;

	xmutex_lock(&f->lock);
	switch (how) {
	case FAULT_DROP:
		break;
	case FAULT_KEEP:
		rc = held_flush(f);
		break;
	case FAULT_REORDER:
		rc = reorder(f, &state);
		break;
	case FAULT_TEAR:
		rc = tear(f, &state);
		break;
	}
	held_drop(f);
	reset(f);
	xmutex_unlock(&f->lock);
	return rc;
}

/* --- what tests set and ask --- */

void fault_stop(struct dev *dev, enum fault_op op, uint64_t nth)
{
	struct fault *f = to_fault(dev);

	assert(op != FAULT_READ);
	xmutex_lock(&f->lock);
	if (op == FAULT_WRITE)
		f->stop_after = nth;
	else
		f->stop_at = nth;
	xmutex_unlock(&f->lock);
}

void fault_sectors(struct dev *dev, uint32_t bytes)
{
	struct fault *f = to_fault(dev);

	xmutex_lock(&f->lock);
	f->atom_bytes = bytes;
	xmutex_unlock(&f->lock);
}

void fault_fail(struct dev *dev, enum fault_op op, uint64_t nth)
{
	struct fault *f = to_fault(dev);

	xmutex_lock(&f->lock);
	f->fail_at[op] = nth;
	xmutex_unlock(&f->lock);
}

void fault_spoil(struct dev *dev, uint64_t nth)
{
	struct fault *f = to_fault(dev);

	xmutex_lock(&f->lock);
	f->spoil_at = nth;
	xmutex_unlock(&f->lock);
}

void fault_counts(struct dev *dev, struct fault_counts *counts)
{
	struct fault *f = to_fault(dev);

	xmutex_lock(&f->lock);
	*counts = (struct fault_counts){
		.reads = f->count[FAULT_READ],
		.writes = f->count[FAULT_WRITE],
		.flushes = f->count[FAULT_FLUSH],
		.held = f->nheld,
		.held_bytes = f->held_bytes,
		.off = f->stopped,
	};
	xmutex_unlock(&f->lock);
}

void fault_record(struct dev *dev, bool on)
{
	struct fault *f = to_fault(dev);

	xmutex_lock(&f->lock);
	f->recording = on;
	f->nevents = 0;
	xmutex_unlock(&f->lock);
}

const struct fault_event *fault_events(struct dev *dev, size_t *count)
{
	struct fault *f = to_fault(dev);
	const struct fault_event *event;

	xmutex_lock(&f->lock);
	*count = f->nevents;
	event = f->event;
	xmutex_unlock(&f->lock);
	return event;
}
