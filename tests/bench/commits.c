/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commits per second through the log engine, by threads: each commits small
 * changes of objects of its own to a log in memory, and writes them back there.
 *
 *	commits [threads [seconds [direct]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/logitem.h"
#include "libxlog/log/log_priv.h"

enum {
	LOG_BYTES = 64 << 20,
	OBJECTS = 1024,			/* of each thread */
	HEAD_BYTES = 56,		/* like those of an inode */
	BODY_BYTES = 176,
	MAX_THREADS = 4096,
};

struct object {
	struct log_item	item;
	struct xmutex	lock;
	_Atomic unsigned int pins;
	uint8_t		body[BODY_BYTES];
};

struct worker {
	pthread_t	thread;
	struct object	*objects;
	unsigned long	commits;
};

static struct log *the_log;
static _Atomic bool stop;

static struct object *object_of(struct log_item *item)
{
	return container_of(item, struct object, item);
}

static void size(struct log_item *item, uint32_t *nregions, uint32_t *bytes)
{
	(void)item;
	*nregions = 2;
	*bytes = HEAD_BYTES + BODY_BYTES;
}

static void format(struct log_item *item, struct log_formatter *f)
{
	uint8_t *at = log_region(f, HEAD_BYTES);

	memset(at, 0, HEAD_BYTES);
	put_w16(at, XFS_LI_INODE, XFS_HOST_ORDER);
	put_w16(at + 2, 2, XFS_HOST_ORDER);
	memcpy(log_region(f, BODY_BYTES), object_of(item)->body, BODY_BYTES);
}

static void pin(struct log_item *item)
{
	atomic_fetch_add(&object_of(item)->pins, 1);
}

static void unpin(struct log_item *item, bool dead)
{
	(void)dead;
	atomic_fetch_sub(&object_of(item)->pins, 1);
}

static void unlock(struct log_item *item, bool dead) UNCHECKED_LOCKING
{
	(void)dead;
	xmutex_unlock(&object_of(item)->lock);
}

static void committing(struct log_item *item, uint64_t seq)
{
	(void)seq;
	unlock(item, false);
}

static enum log_push push(struct log_item *item, struct list *queue)
	UNCHECKED_LOCKING
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

static const struct log_item_ops ops = {
	.name = "object", .size = size, .format = format, .pin = pin,
	.unpin = unpin, .committing = committing, .push = push,
	.release = unlock,
};

/* Where it is written back to costs nothing here. */
static void write_back(void *ctx, struct list *queue)
{
	struct list *first;

	(void)ctx;
	while ((first = list_first(queue))) {
		struct log_item *item = container_of(first, struct log_item,
						     queue_link);

		list_remove(first);
		log_item_clean(the_log, item);
		unlock(item, false);
	}
}

static void commit_one(struct object *o) UNCHECKED_LOCKING
{
	struct ticket *tic;
	struct list items;
	uint64_t seq;

	if (ticket_reserve(the_log, 2 * OP_BYTES + HEAD_BYTES + BODY_BYTES, 1,
			   false, &tic))
		exit(1);
	list_init(&items);
	xmutex_lock(&o->lock);
	o->body[8]++;
	list_insert_last(&o->item.trans_link, &items);
	atomic_fetch_or(&o->item.flags, LOG_ITEM_DIRTY);
	if (log_commit(the_log, &(struct log_commit){ .ticket = tic,
						      .items = &items }, &seq))
		exit(1);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		commit_one(&w->objects[w->commits++ % OBJECTS]);
	return NULL;
}

static void open_log(unsigned int flags)
{
	struct log_config c = { .flags = flags, .head = xfs_lsn_make(1, 0),
				.prev_block = UINT32_MAX, .internal = true,
				.write_back = write_back };

	if (dev_open_overlay(NULL, LOG_BYTES, NULL, &c.dev))
		exit(1);
	c.data = c.dev;
	if (log_open(&c, &the_log))
		exit(1);
}

int main(int argc, char **argv)
{
	unsigned int threads =
		argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 2;
	unsigned int seconds =
		argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 2;
	static struct worker workers[MAX_THREADS];
	unsigned long all = 0;
	pthread_attr_t attr;

	if (!threads || threads > MAX_THREADS || !seconds)
		return 16;
	open_log(argc > 3 ? LOG_DIRECT : 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	for (unsigned int i = 0; i < threads; i++) {
		workers[i].objects = calloc(OBJECTS, sizeof(struct object));
		if (!workers[i].objects)
			return 1;
		for (unsigned int j = 0; j < OBJECTS; j++) {
			log_item_init(&workers[i].objects[j].item, &ops,
				      XFS_LI_INODE);
			xmutex_init(&workers[i].objects[j].lock);
		}
		if (pthread_create(&workers[i].thread, &attr, work,
				   &workers[i]))
			return 1;
	}
	nanosleep(&(struct timespec){ .tv_sec = seconds }, NULL);
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		all += workers[i].commits;
	}
	printf("%u threads: %lu commits/s, log at %x:%u\n", threads,
	       all / seconds, xfs_lsn_cycle(log_head_lsn(the_log)),
	       xfs_lsn_block(log_head_lsn(the_log)));
	return 0;
}
