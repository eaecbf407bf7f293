/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects whose changes go through the log engine, for programs that measure
 * it: a header like that of an inode, and a body. To write them back costs
 * nothing.
 */
#ifndef TESTS_BENCH_OBJECTS_H
#define TESTS_BENCH_OBJECTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/logitem.h"
#include "libxlog/log/log_priv.h"

enum {
	OBJECT_HEAD_BYTES = 56,
	OBJECT_LEAST_BODY = 176,	/* the core of an inode */
	OBJECT_MOST_BODY = 65536,
};

struct object {
	struct log_item	item;
	struct xmutex	lock;
	_Atomic unsigned int pins;
	uint32_t	body_bytes;
	uint8_t		body[];		/* (lock) */
};

static inline struct object *object_of(struct log_item *item)
{
	return container_of(item, struct object, item);
}

static inline void object_size(struct log_item *item, uint32_t *nregions,
			       uint32_t *bytes)
{
	*nregions = 2;
	*bytes = OBJECT_HEAD_BYTES + object_of(item)->body_bytes;
}

static inline void object_format(struct log_item *item,
				 struct log_formatter *f)
{
	const struct object *o = object_of(item);
	uint8_t *at = log_region(f, OBJECT_HEAD_BYTES);

	memset(at, 0, OBJECT_HEAD_BYTES);
	put_w16(at, XFS_LI_INODE, XFS_HOST_ORDER);
	put_w16(at + 2, 2, XFS_HOST_ORDER);
	memcpy(log_region(f, o->body_bytes), o->body, o->body_bytes);
}

static inline void object_pin(struct log_item *item)
{
	atomic_fetch_add(&object_of(item)->pins, 1);
}

static inline void object_unpin(struct log_item *item, bool dead)
{
	(void)dead;
	atomic_fetch_sub(&object_of(item)->pins, 1);
}

static inline void object_unlock(struct log_item *item, bool dead)
	UNCHECKED_LOCKING
{
	(void)dead;
	xmutex_unlock(&object_of(item)->lock);
}

static inline void object_committing(struct log_item *item, uint64_t seq)
{
	(void)seq;
	object_unlock(item, false);
}

static inline enum log_push object_push(struct log_item *item,
					struct list *queue) UNCHECKED_LOCKING
{
	struct object *o = object_of(item);

	if (atomic_load(&o->pins))
		return LOG_PUSH_PINNED;
	if (!xmutex_trylock(&o->lock))
		return LOG_PUSH_LOCKED;
	if (atomic_load(&o->pins)) {
		xmutex_unlock(&o->lock);
		return LOG_PUSH_PINNED;
	}
	list_insert_last(&item->queue_link, queue);
	return LOG_PUSH_QUEUED;
}

static const struct log_item_ops object_ops = {
	.name = "object", .size = object_size, .format = object_format,
	.pin = object_pin, .unpin = object_unpin,
	.committing = object_committing, .push = object_push,
	.release = object_unlock,
};

/* log_config.write_back(), with a pointer to the log. */
static inline void objects_write_back(void *ctx, struct list *queue)
{
	struct log *log = *(struct log **)ctx;
	struct list *first;

	while ((first = list_first(queue))) {
		struct log_item *item = container_of(first, struct log_item,
						     queue_link);

		list_remove(first);
		log_item_clean(log, item);
		object_unlock(item, false);
	}
}

/* There is room for @body_bytes behind it. */
static inline void object_init(struct object *o, uint32_t body_bytes)
{
	atomic_init(&o->pins, 0);
	log_item_init(&o->item, &object_ops, XFS_LI_INODE);
	xmutex_init(&o->lock);
	o->body_bytes = body_bytes;
}

/* The log has been closed. */
static inline void object_fini(struct object *o)
{
	log_item_fini(&o->item);
	xmutex_fini(&o->lock);
}

/* Change it in a transaction. Whatever fails ends the program. */
static inline uint64_t object_change(struct log *log, struct object *o)
	UNCHECKED_LOCKING
{
	struct ticket *tic;
	struct list items;
	uint64_t seq;

	if (ticket_reserve(log, 2 * OP_BYTES + OBJECT_HEAD_BYTES +
			   o->body_bytes, 1, false, &tic))
		exit(1);
	list_init(&items);
	xmutex_lock(&o->lock);
	o->body[8]++;
	list_insert_last(&o->item.trans_link, &items);
	atomic_fetch_or(&o->item.flags, LOG_ITEM_DIRTY);
	if (log_commit(log, &(struct log_commit){ .ticket = tic,
						  .items = &items }, &seq))
		exit(1);
	return seq;
}

#endif
