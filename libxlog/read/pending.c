/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents that wait for their done: a list in log order, and a hash table to
 * find the oldest of an id. A log may be made to have millions of intents whose
 * ids are chosen by someone who wants us to search for a long time: the table
 * grows, and which ids share a chain is different in every run. See xlog.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "libxfsfmt/logitem.h"
#include "libxlog/read/read.h"

enum {
	FIRST_BUCKETS_LOG = 8,
	LAST_BUCKETS_LOG = 28,
	/* items copied at most, if nobody says more */
	MAX_COPY_BYTES = 1 << 20,
};

struct entry {
	struct xlog_pending_intent intent;	/* first: what callers hold */
	struct entry	*prev, *next;	/* in log order */
	struct entry	*chain;		/* in the bucket, in log order */
};

struct bucket {
	struct entry	*first, *last;	/* chained in log order */
};

struct xlog_pending {
	struct entry	*first, *last;
	size_t		count;
	size_t		copied_bytes, max_copy_bytes;
	struct bucket	*buckets;	/* 1 << log of them */
	unsigned int	log;
	uint64_t	secret[2];
};

struct xlog_pending *xlog_pending_new(void)
{
	struct xlog_pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->max_copy_bytes = MAX_COPY_BYTES;
	p->log = FIRST_BUCKETS_LOG;
	p->buckets = calloc((size_t)1 << p->log, sizeof(*p->buckets));
	if (!p->buckets) {
		free(p);
		return NULL;
	}
	/* without it nothing is wrong, only perhaps slow */
	if (getrandom(p->secret, sizeof(p->secret), GRND_NONBLOCK) !=
	    sizeof(p->secret))
		p->secret[1] = UINT64_C(0x9e3779b97f4a7c15);
	p->secret[1] |= 1;
	return p;
}

void pending_set_max_bytes(struct xlog_pending *p, size_t bytes)
{
	p->max_copy_bytes = bytes;
}

void xlog_pending_free(struct xlog_pending *p)
{
	struct entry *next;

	if (!p)
		return;
	for (struct entry *e = p->first; e; e = next) {
		next = e->next;
		free(e);
	}
	free(p->buckets);
	free(p);
}

/* Multiplying carries differences upwards: the top bits are the number. */
static struct bucket *bucket_of(const struct xlog_pending *p, uint16_t type,
				uint64_t id)
{
	uint64_t h = (id ^ ((uint64_t)type << 48) ^ p->secret[0]) *
		     p->secret[1];

	return &p->buckets[h >> (64 - p->log)];
}

static void chain(struct xlog_pending *p, struct entry *e)
{
	struct bucket *b = bucket_of(p, e->intent.type, e->intent.id);

	e->chain = NULL;
	if (b->last)
		b->last->chain = e;
	else
		b->first = e;
	b->last = e;
}

/* Keep chains short. Without memory for that they get longer. */
static void grow(struct xlog_pending *p)
{
	unsigned int log = p->log + 2;
	struct bucket *buckets;

	if (p->count < (size_t)1 << p->log || log > LAST_BUCKETS_LOG)
		return;
	buckets = calloc((size_t)1 << log, sizeof(*buckets));
	if (!buckets)
		return;
	free(p->buckets);
	p->buckets = buckets;
	p->log = log;
	for (struct entry *e = p->first; e; e = e->next)
		chain(p, e);
}

/* A new entry, with a copy of @item if there is room for one. */
static struct entry *entry_new(struct xlog_pending *p,
			       const struct xlog_item *item)
{
	size_t bytes = item->nregions * sizeof(struct xlog_region);
	struct xlog_region *regions;
	struct entry *e;
	uint8_t *data;

	for (unsigned int i = 0; i < item->nregions; i++)
		bytes += item->regions[i].len_bytes;
	if (bytes > p->max_copy_bytes - p->copied_bytes)
		bytes = 0;
	e = calloc(1, sizeof(*e) + bytes);
	if (!e)
		return NULL;
	e->intent.item = (struct xlog_item){ .type = item->type };
	if (!bytes)
		return e;
	p->copied_bytes += bytes;
	regions = (struct xlog_region *)(e + 1);
	data = (uint8_t *)(regions + item->nregions);
	for (unsigned int i = 0; i < item->nregions; i++) {
		uint32_t n = item->regions[i].len_bytes;

		memcpy(data, item->regions[i].data, n);
		regions[i] = (struct xlog_region){ data, n };
		data += n;
	}
	e->intent.item.declared = item->declared;
	e->intent.item.nregions = item->nregions;
	e->intent.item.regions = regions;
	return e;
}

static void insert(struct xlog_pending *p, struct entry *e)
{
	grow(p);
	chain(p, e);
	e->prev = p->last;
	if (p->last)
		p->last->next = e;
	else
		p->first = e;
	p->last = e;
	p->count++;
}

/* Drop the oldest intent that @done ends; there need not be one. */
static void finish(struct xlog_pending *p, const struct xfs_intent *done)
{
	struct bucket *b = bucket_of(p, done->type, done->id);
	struct entry *e = b->first, *before = NULL;

	while (e && (e->intent.id != done->id ||
		     e->intent.type != done->type)) {
		before = e;
		e = e->chain;
	}
	if (!e)
		return;
	if (before)
		before->chain = e->chain;
	else
		b->first = e->chain;
	if (b->last == e)
		b->last = before;
	if (e->prev)
		e->prev->next = e->next;
	else
		p->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		p->last = e->prev;
	for (unsigned int i = 0; i < e->intent.item.nregions; i++)
		p->copied_bytes -= sizeof(struct xlog_region) +
				   e->intent.item.regions[i].len_bytes;
	p->count--;
	free(e);
}

int xlog_pending_item(struct xlog_pending *p, const struct xlog_item *item,
		      xlog_lsn_t lsn, bool big_endian)
{
	struct xfs_log_region first;
	struct xfs_logitem_view v = {
		.regions = &first, .nregions = 1,
		.order = big_endian ? XFS_BE : XFS_LE,
	};
	struct xfs_intent intent;
	struct entry *e;

	if (!item->nregions)
		return 0;
	first = (struct xfs_log_region){ item->regions[0].data,
					 item->regions[0].len_bytes };
	if (!xfs_logitem_intent(&v, &intent))
		return 0;
	if (intent.done) {
		finish(p, &intent);
		return 0;
	}
	e = entry_new(p, item);
	if (!e)
		return -ENOMEM;
	e->intent.type = intent.type;
	e->intent.id = intent.id;
	e->intent.lsn = lsn;
	e->intent.big_endian = big_endian;
	insert(p, e);
	return 0;
}

size_t xlog_pending_count(const struct xlog_pending *p)
{
	return p->count;
}

const struct xlog_pending_intent *
xlog_pending_next(const struct xlog_pending *p,
		  const struct xlog_pending_intent *prev)
{
	const struct entry *e = p->first;

	if (prev)
		e = ((const struct entry *)(const void *)prev)->next;
	return e ? &e->intent : NULL;
}
