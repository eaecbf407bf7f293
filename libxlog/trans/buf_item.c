/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log items of buffers; see buf_item.h. A pin is one of the buffer cache,
 * too, which then neither writes the buffer nor forgets it.
 *
 * A buffer that was freed stays locked when its transaction has committed: only
 * when the cancel is durable may the block become something else. What of it is
 * in the AIL stays there so long, since until then replay needs it.
 */
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/trans/buf_item.h"
#include "libxlog/trans/inode_priv.h"

#define TRACE_BUF(event, bi)						\
	TRACE(event, (bi)->buf->daddr, (bi)->buf->len_bb,		\
	      atomic_load(&(bi)->pins))

static struct buf_item *item_of(struct log_item *item)
{
	return container_of(item, struct buf_item, item);
}

static uint64_t item_id(const struct log_item *item)
{
	return container_of(item, const struct buf_item, item)->buf->daddr;
}

static uint32_t chunks_of(const struct buf_item *bi)
{
	return bi->buf->len_bb * BB_SIZE / XFS_CHUNK_BYTES;
}

/* Words of the map that the log has. */
static uint32_t map_words(const struct buf_item *bi)
{
	return (chunks_of(bi) + 31) / 32;
}

static uint32_t format_bytes(const struct buf_item *bi)
{
	return xfs_buf_log_format_size + 4 * map_words(bi);
}

/* The first chunk from @chunk on that is changed, or is not; else the end. */
static uint32_t next_chunk(const struct buf_item *bi, uint32_t chunk,
			   bool changed)
{
	uint32_t n = chunks_of(bi);

	while (chunk < n) {
		uint32_t word = bi->map[chunk / 32];

		word = (changed ? word : ~word) >> chunk % 32;
		if (word) {
			chunk += (uint32_t)__builtin_ctz(word);
			break;
		}
		chunk += 32 - chunk % 32;
	}
	return chunk < n ? chunk : n;
}

/* The run of changed chunks from @*chunk on: its length, 0 if there is none. */
static uint32_t next_run(const struct buf_item *bi, uint32_t *chunk)
{
	*chunk = next_chunk(bi, *chunk, true);
	return next_chunk(bi, *chunk, false) - *chunk;
}

static void item_size(struct log_item *item, uint32_t *nregions,
		      uint32_t *bytes)
{
	const struct buf_item *bi = item_of(item);
	uint32_t chunk = 0, run;

	TRACE_BUF(xfs_buf_item_size, bi);
	*nregions = 0;
	*bytes = 0;
	if (buf_item_is(bi, BUF_ITEM_ORDERED))
		return;
	*nregions = 1;
	*bytes = format_bytes(bi);
	while ((run = next_run(bi, &chunk))) {
		++*nregions;
		*bytes += run * XFS_CHUNK_BYTES;
		chunk += run;
	}
}

/*
 * Before version 5 the blocks of new inodes are logged whole, and must be
 * replayed so; later, what else is logged of inodes must not be overwritten.
 */
static bool is_unlinked_only(const struct buf_item *bi, uint64_t seq)
{
	if (!buf_item_is(bi, BUF_ITEM_INODES))
		return false;
	return trans_buf_fs(bi->buf)->geom.v5 || !seq ||
	       !buf_item_is(bi, BUF_ITEM_NEW_INODES) ||
	       atomic_load(&bi->item.seq) != seq;
}

static uint16_t blf_flags(const struct buf_item *bi, uint64_t seq)
{
	const struct xfs_block_type *type;

	if (buf_item_is(bi, BUF_ITEM_STALE))
		return XFS_BLF_CANCEL;
	type = trans_buf_type(trans_ops_of(bi->buf), bi->buf);
	assert(type);
	return (uint16_t)(type->blft << XFS_BLF_TYPE_SHIFT |
			  (is_unlinked_only(bi, seq) ? XFS_BLF_INODE_BUF : 0));
}

static void item_format(struct log_item *item, struct log_formatter *f)
{
	const struct buf_item *bi = item_of(item);
	struct xfs_buf_log_format blf = {
		.blf_type = XFS_LI_BUF,
		.blf_size = 1,
		.blf_len = (uint16_t)bi->buf->len_bb,
		.blf_blkno = bi->buf->daddr,
		.blf_map_size = map_words(bi),
	};
	uint32_t chunk = 0, run;
	uint8_t *head;

	TRACE_BUF(xfs_buf_item_format, bi);
	if (buf_item_is(bi, BUF_ITEM_ORDERED))
		return;
	blf.blf_flags = blf_flags(bi, f->seq);
	head = log_region(f, format_bytes(bi));
	while ((run = next_run(bi, &chunk))) {
		memcpy(log_region(f, run * XFS_CHUNK_BYTES),
		       bi->buf->data + (size_t)chunk * XFS_CHUNK_BYTES,
		       (size_t)run * XFS_CHUNK_BYTES);
		chunk += run;
		blf.blf_size++;
	}
	memset(head, 0, format_bytes(bi));
	xfs_buf_log_format_encode(head, &blf, 0, XFS_HOST_ORDER);
	for (uint32_t i = 0; i < map_words(bi); i++)
		put_w32(head + xfs_buf_log_format_size + 4 * i, bi->map[i],
			XFS_HOST_ORDER);
}

static void item_pin(struct log_item *item)
{
	struct buf_item *bi = item_of(item);

	TRACE_BUF(xfs_buf_item_pin, bi);
	buf_pin(bi->buf);
	atomic_fetch_add(&bi->pins, 1);
}

/* The cancel is durable, or never will be: the block is nobody's any more. */
static void bury(struct buf_item *bi)
{
	struct buf *b = bi->buf;

	log_item_clean(trans_buf_fs(b)->log, &bi->item);
	inodes_bury(&bi->stale_inodes);
	buf_item_free(bi);
	buf_invalidate(b);
	buf_release(b);
}

/*
 * It may be gone as soon as it has no pin; but that it is stale was said by who
 * had one. Checkpoints are complete in order, so the last is that of the cancel.
 */
static void drop_pin(struct buf_item *bi)
{
	bool stale = buf_item_is(bi, BUF_ITEM_STALE);

	if (atomic_fetch_sub(&bi->pins, 1) == 1 && stale)
		bury(bi);
}

static void item_unpin(struct log_item *item, bool abort)
{
	struct buf_item *bi = item_of(item);

	(void)abort;
	TRACE_BUF(xfs_buf_item_unpin, bi);
	buf_unpin(bi->buf);
	drop_pin(bi);
}

/* A buffer of new inodes must be in the log as it was made. */
static xfs_lsn_t item_committed(struct log_item *item, xfs_lsn_t lsn)
{
	const struct buf_item *bi = item_of(item);

	if (buf_item_is(bi, BUF_ITEM_NEW_INODES) &&
	    atomic_load(&item->flags) & LOG_ITEM_IN_AIL)
		return item->lsn;
	return lsn;
}

void buf_item_leave(struct buf_item *bi)
{
	bool held = buf_item_is(bi, BUF_ITEM_HELD);
	struct buf *b = bi->buf;

	TRACE_BUF(xfs_buf_item_release, bi);
	buf_item_clear(bi, BUF_ITEM_HELD | BUF_ITEM_ORDERED);
	bi->uses = 0;
	if (buf_item_is(bi, BUF_ITEM_STALE)) {
		buf_set_stuck(b);
		drop_pin(bi);
		return;
	}
	if (!buf_item_is(bi, BUF_ITEM_DIRTY)) {
		buf_item_free(bi);
		if (!held)
			buf_release(b);
	} else if (held) {
		buf_hold(b);
	} else {
		buf_unlock(b);
	}
}

static void item_committing(struct log_item *item, uint64_t seq)
{
	(void)seq;
	buf_item_leave(item_of(item));
}

static void item_release(struct log_item *item, bool abort)
{
	(void)abort;
	buf_item_leave(item_of(item));
}

static enum log_push item_push(struct log_item *item, struct list *queue)
{
	struct buf_item *bi = item_of(item);

	TRACE_BUF(xfs_buf_item_push, bi);
	if (atomic_load(&bi->pins))
		return LOG_PUSH_PINNED;
	if (!buf_trylock(bi->buf))
		return LOG_PUSH_LOCKED;
	if (atomic_load(&bi->pins)) {
		buf_unlock(bi->buf);
		return LOG_PUSH_PINNED;
	}
	list_insert_last(&item->queue_link, queue);
	return LOG_PUSH_QUEUED;
}

static int item_flush(struct log_item *item, xfs_lsn_t lsn)
{
	struct buf *b = item_of(item)->buf;
	const struct xfs_block_type *type = trans_buf_type(trans_ops_of(b), b);

	if (type && type->crc_off && trans_buf_fs(b)->geom.v5) {
		put_be64(b->data + type->lsn_off, lsn);
		put_le32(b->data + type->crc_off,
			 xfs_crc_block(b->data, (size_t)b->len_bb * BB_SIZE,
				       type->crc_off));
	}
	buf_mark_dirty(b);
	return 0;
}

static struct buf *item_locked(struct log_item *item)
{
	return item_of(item)->buf;
}

static bool item_is_written(const struct log_item *item)
{
	return !buf_is_dirty(container_of(item, const struct buf_item,
					  item)->buf);
}

static void item_flushed(struct log_item *item, bool ok)
{
	struct buf_item *bi = item_of(item);
	struct buf *b = bi->buf;

	if (!ok) {
		buf_unlock(b);
		return;
	}
	buf_item_free(bi);
	buf_release(b);
}

static void *item_held(struct log_item *item)
{
	struct buf_item *bi = item_of(item);

	return buf_item_is(bi, BUF_ITEM_HELD) ? bi->buf : NULL;
}

static void item_relog(struct trans *t, struct log_item *item)
{
	struct buf_item *bi = item_of(item);
	uint32_t chunk = 0;

	/* what was not logged does not hold the tail */
	if (!buf_item_is(bi, BUF_ITEM_DIRTY))
		return;
	if (!next_run(bi, &chunk))
		buf_item_set(bi, BUF_ITEM_ORDERED);
	trans_dirty(t, item);
}

static int buf_rejoin(struct trans *t, void *object)
{
	int rc = trans_bjoin(t, object);

	if (!rc)
		trans_bhold(t, object);
	return rc;
}

static void buf_keep(void *object)
{
	buf_hold(object);
}

static void buf_relock(void *object)
{
	buf_lock(object);
}

static void buf_leave(void *object)
{
	buf_release(object);
}

static const struct trans_item_ops buf_item_ops = {
	.log = {
		.name = "buffer",
		.size = item_size,
		.format = item_format,
		.pin = item_pin,
		.unpin = item_unpin,
		.committing = item_committing,
		.committed = item_committed,
		.push = item_push,
		.release = item_release,
		.id = item_id,
	},
	.flush = item_flush,
	.locked = item_locked,
	.is_written = item_is_written,
	.flushed = item_flushed,
	.held = item_held,
	.relog = item_relog,
	.rejoin = buf_rejoin,
	.keep = buf_keep,
	.relock = buf_relock,
	.leave = buf_leave,
};

struct buf_item *buf_item_new(struct buf *b)
{
	struct buf_item *bi = calloc(1, sizeof(*bi));

	assert(b->len_bb * BB_SIZE <= XFS_BUF_LOG_MAX_BYTES && !b->item);
	if (!bi) {
		report(&trans_buf_fs(b)->sink, -ENOMEM, "memory",
		       XLOG_LSN_NONE, "out of memory");
		return NULL;
	}
	bi->buf = b;
	b->item = bi;
	list_init(&bi->stale_inodes);
	log_item_init(&bi->item, &buf_item_ops.log, XFS_LI_BUF);
	return bi;
}

void buf_item_free(struct buf_item *bi)
{
	bi->buf->item = NULL;
	log_item_fini(&bi->item);
	free(bi);
}

void buf_item_abandon(struct buf_item *bi)
{
	struct buf *b = bi->buf;

	/* stale, or of a transaction that was not ended */
	if (!b->locked)
		buf_lock(b);
	list_remove(&bi->item.trans_link);
	buf_item_free(bi);
	buf_release(b);
}
