/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents and done items in the log; see intent.h.
 *
 * Ids. A done item ends the intent of its type and id that is behind it in the
 * log, so no two that are still to be done may share one: those of this mount,
 * and those that recovery has found. Linux takes addresses of its memory. Ours
 * are a count under the two letters "xl", which no address begins with: they
 * are not those of any Linux that wrote this log, or will recover it. What is
 * left of an earlier run of ours moves the count up.
 */
#include <stdlib.h>

#include "libxlog/trans/intent.h"

#define ID_PREFIX	((uint64_t)0x786c << 48)
#define ID_COUNT	(((uint64_t)1 << 48) - 1)

/* What all intents and done items begin with: type, regions, ..., id. */
enum { HEAD_BYTES = 16, SIZE_OFF = 2, ID_OFF = 8 };

struct intent {
	struct log_item	item;
	struct trans_fs	*fs;
	const struct defer_type *type;
	_Atomic unsigned int refs;	/* the log's, and: it is to be done */
	unsigned int	nregions;
	uint32_t	len_bytes[DEFER_MAX_REGIONS];
	uint32_t	bytes;		/* of @data */
	uint8_t		data[];		/* regions, one behind the other */
};

struct done {
	struct log_item	item;
	struct intent	*intent;
};

static struct intent *intent_of(struct log_item *item)
{
	return container_of(item, struct intent, item);
}

static struct done *done_of(struct log_item *item)
{
	return container_of(item, struct done, item);
}

static void put(struct intent *in)
{
	if (atomic_fetch_sub(&in->refs, 1) > 1)
		return;
	if (atomic_load(&in->item.flags) & LOG_ITEM_IN_AIL)
		log_item_clean(in->fs->log, &in->item);
	log_item_fini(&in->item);
	free(in);
}

/* --- the intent's item --- */

static void intent_size(struct log_item *item, uint32_t *nregions,
			uint32_t *bytes)
{
	*nregions = intent_of(item)->nregions;
	*bytes = intent_of(item)->bytes;
}

static void intent_format(struct log_item *item, struct log_formatter *f)
{
	const struct intent *in = intent_of(item);
	const uint8_t *at = in->data;

	for (unsigned int i = 0; i < in->nregions; i++) {
		memcpy(log_region(f, in->len_bytes[i]), at, in->len_bytes[i]);
		at += in->len_bytes[i];
	}
}

/* Nothing is ever written back: there is no object to be locked. */
static void no_pin(struct log_item *item)
{
	(void)item;
}

static void no_committing(struct log_item *item, uint64_t seq)
{
	(void)item;
	(void)seq;
}

static uint64_t intent_id(const struct log_item *item)
{
	const struct intent *in = container_of(item, const struct intent, item);

	return get_w64(in->data + ID_OFF, XFS_HOST_ORDER);
}

/* Logged, or whited out, or never to be. */
static void intent_unpin(struct log_item *item, bool abort)
{
	(void)abort;
	put(intent_of(item));
}

static const struct trans_item_ops intent_ops = {
	.log = {
		.name = "intent",
		.flags = LOG_OPS_INTENT,
		.id = intent_id,
		.size = intent_size,
		.format = intent_format,
		.pin = no_pin,
		.unpin = intent_unpin,
		.committing = no_committing,
		.release = intent_unpin,
	},
};

/* --- the done item --- */

static uint32_t done_bytes(const struct intent *in)
{
	return in->type->done_repeats ? in->len_bytes[0] : HEAD_BYTES;
}

static void done_size(struct log_item *item, uint32_t *nregions,
		      uint32_t *bytes)
{
	*nregions = 1;
	*bytes = done_bytes(done_of(item)->intent);
}

static void done_format(struct log_item *item, struct log_formatter *f)
{
	const struct intent *in = done_of(item)->intent;
	uint32_t bytes = done_bytes(in);
	uint8_t *at = log_region(f, bytes);

	if (in->type->done_repeats) {
		memcpy(at, in->data, bytes);
	} else {
		memset(at, 0, bytes);
		memcpy(at + ID_OFF, in->data + ID_OFF, sizeof(uint64_t));
	}
	put_w16(at, in->type->done_type, XFS_HOST_ORDER);
	put_w16(at + SIZE_OFF, 1, XFS_HOST_ORDER);
}

/* Durable, or never to be, or not needed: its intent is not logged. */
static void done_end(struct log_item *item, bool abort)
{
	struct done *d = done_of(item);

	(void)abort;
	put(d->intent);
	log_item_fini(item);
	free(d);
}

static uint64_t done_id(const struct log_item *item)
{
	const struct done *d = container_of(item, const struct done, item);

	return intent_id(&d->intent->item);
}

static struct log_item *done_intent(struct log_item *item)
{
	return &done_of(item)->intent->item;
}

static const struct trans_item_ops done_ops = {
	.log = {
		.name = "done",
		.flags = LOG_OPS_DONE | LOG_OPS_RELEASE_COMMITTED,
		.id = done_id,
		.size = done_size,
		.format = done_format,
		.pin = no_pin,
		.unpin = done_end,
		.committing = no_committing,
		.release = done_end,
		.intent = done_intent,
	},
};

/* --- making them --- */

static int no_memory(struct trans_fs *fs)
{
	return report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

static struct intent *new(struct trans_fs *fs, const struct defer_type *type,
			  uint32_t bytes)
{
	struct intent *in = calloc(1, sizeof(*in) + bytes);

	if (!in) {
		no_memory(fs);
		return NULL;
	}
	in->fs = fs;
	in->type = type;
	in->bytes = bytes;
	atomic_init(&in->refs, 1);
	log_item_init(&in->item, &intent_ops.log, type->intent_type);
	return in;
}

static void put_id(struct intent *in, uint64_t id)
{
	put_w64(in->data + ID_OFF, id, XFS_HOST_ORDER);
}

static uint64_t new_id(struct trans_fs *fs)
{
	return ID_PREFIX |
	       ((atomic_fetch_add(&fs->intents, 1) + 1) & ID_COUNT);
}

/* Those that come now are not to be @id. */
static void note_id(struct trans_fs *fs, uint64_t id)
{
	uint64_t count = id & ID_COUNT;

	if ((id & ~ID_COUNT) == ID_PREFIX &&
	    count > (atomic_load(&fs->intents) & ID_COUNT))
		atomic_store(&fs->intents, count);
}

/* All but its id. */
static struct intent *encode(struct trans_fs *fs,
			     const struct defer_type *type,
			     const struct list *works)
{
	uint8_t *regions[DEFER_MAX_REGIONS] = { NULL };
	uint32_t len_bytes[DEFER_MAX_REGIONS] = { 0 }, bytes = 0;
	unsigned int n = type->intent_regions(works, len_bytes);
	struct intent *in;

	assert(n && n <= DEFER_MAX_REGIONS && len_bytes[0] >= HEAD_BYTES);
	for (unsigned int i = 0; i < n; i++)
		bytes += len_bytes[i];
	in = new(fs, type, bytes);
	if (!in)
		return NULL;
	in->nregions = n;
	memcpy(in->len_bytes, len_bytes, sizeof(len_bytes));
	bytes = 0;
	for (unsigned int i = 0; i < n; i++) {
		regions[i] = in->data + bytes;
		bytes += len_bytes[i];
	}
	type->intent_encode(works, regions);
	put_w16(in->data, type->intent_type, XFS_HOST_ORDER);
	put_w16(in->data + SIZE_OFF, (uint16_t)n, XFS_HOST_ORDER);
	return in;
}

struct intent *intent_new(struct trans_fs *fs, const struct defer_type *type,
			  const struct list *works)
{
	struct intent *in = encode(fs, type, works);

	if (in)
		put_id(in, new_id(fs));
	return in;
}

struct intent *intent_recovered(struct trans_fs *fs,
				const struct defer_type *type,
				const struct list *works, uint64_t id,
				xfs_lsn_t lsn)
{
	struct intent *in = encode(fs, type, works);

	if (!in)
		return NULL;
	put_id(in, id);
	note_id(fs, id);
	log_ail_insert(fs->log, &in->item, lsn);
	return in;
}

struct intent *intent_again(const struct intent *old)
{
	struct intent *in = new(old->fs, old->type, old->bytes);

	if (!in)
		return NULL;
	in->nregions = old->nregions;
	memcpy(in->len_bytes, old->len_bytes, sizeof(in->len_bytes));
	memcpy(in->data, old->data, old->bytes);
	put_id(in, new_id(in->fs));
	return in;
}

void intent_log(struct trans *t, struct intent *in)
{
	atomic_fetch_add(&in->refs, 1);
	trans_join(t, &in->item);
	trans_dirty(t, &in->item);
}

int intent_log_done(struct trans *t, struct intent *in)
{
	struct done *d = calloc(1, sizeof(*d));

	if (!d)
		return no_memory(t->fs);
	d->intent = in;
	log_item_init(&d->item, &done_ops.log, in->type->done_type);
	trans_join(t, &d->item);
	trans_dirty(t, &d->item);
	return 0;
}

void intent_drop(struct intent *in)
{
	if (in)
		put(in);
}

const struct log_item *intent_item(const struct intent *in)
{
	return &in->item;
}

bool intent_is_behind(const struct intent *in)
{
	return log_item_is_behind(in->fs->log, &in->item);
}
