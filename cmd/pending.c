/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents that wait for their done: a list in log order, and a hash table to
 * find the oldest of an id. See pending.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/pending.h"

enum {
	/* a hostile log has millions of intents; chains stay short for these */
	BUCKETS = 1 << 16,
	/* items copied at most: more would not be read by anyone */
	MAX_COPY_BYTES = 1 << 20,
};

struct entry {
	struct pending_intent intent;	/* first: what callers hold */
	struct entry	*prev, *next;	/* in log order */
	struct entry	*chain;		/* in the bucket, in log order */
};

struct pending {
	struct entry	*first, *last;
	size_t		count;
	size_t		copied_bytes;
	struct entry	*bucket[BUCKETS];
	struct entry	*bucket_last[BUCKETS];
};

struct pending *pending_new(void)
{
	return calloc(1, sizeof(struct pending));
}

void pending_free(struct pending *p)
{
	struct entry *e = p ? p->first : NULL;

	while (e) {
		struct entry *next = e->next;

		free(e);
		e = next;
	}
	free(p);
}

static unsigned int bucket_of(const struct xfs_intent *intent)
{
	/* ids are addresses: their low bits say little */
	uint64_t h = (intent->id ^ intent->type) * UINT64_C(0x9e3779b97f4a7c15);

	return (unsigned int)(h >> 48);
}

/* A new entry, with a copy of @item if there is room for one. */
static struct entry *entry_new(struct pending *p, const struct xlog_item *item)
{
	size_t bytes = item->nregions * sizeof(struct xlog_region);
	struct xlog_region *regions;
	struct entry *e;
	uint8_t *data;

	for (unsigned int i = 0; i < item->nregions; i++)
		bytes += item->regions[i].len_bytes;
	if (bytes > MAX_COPY_BYTES - p->copied_bytes)
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

static void insert(struct pending *p, struct entry *e)
{
	unsigned int b = bucket_of(&e->intent.intent);

	if (p->bucket_last[b])
		p->bucket_last[b]->chain = e;
	else
		p->bucket[b] = e;
	p->bucket_last[b] = e;
	e->prev = p->last;
	if (p->last)
		p->last->next = e;
	else
		p->first = e;
	p->last = e;
	p->count++;
}

/* Drop the oldest intent that @done ends; there need not be one. */
static void finish(struct pending *p, const struct xfs_intent *done)
{
	unsigned int b = bucket_of(done);
	struct entry *e = p->bucket[b], *before = NULL;

	while (e && (e->intent.intent.id != done->id ||
		     e->intent.intent.type != done->type)) {
		before = e;
		e = e->chain;
	}
	if (!e)
		return;
	if (before)
		before->chain = e->chain;
	else
		p->bucket[b] = e->chain;
	if (p->bucket_last[b] == e)
		p->bucket_last[b] = before;
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

int pending_item(struct pending *p, const struct xlog_item *item,
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
	e->intent.intent = intent;
	e->intent.lsn = lsn;
	e->intent.big_endian = big_endian;
	insert(p, e);
	return 0;
}

size_t pending_count(const struct pending *p)
{
	return p->count;
}

const struct pending_intent *pending_next(const struct pending *p,
					  const struct pending_intent *prev)
{
	const struct entry *e = p->first;

	if (prev)
		e = ((const struct entry *)(const void *)prev)->next;
	return e ? &e->intent : NULL;
}
