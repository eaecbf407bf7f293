/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffers and their log items; see buf_item.h. A pin is one of the buffer
 * cache, too, which then neither writes the buffer nor forgets it.
 */
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/trans/buf_item.h"

enum { CHUNK_BYTES = 128 };

static struct buf_item *item_of(struct log_item *item)
{
	return container_of(item, struct buf_item, item);
}

#define TRACE_BUF(event, bi)						\
	TRACE(event, (bi)->buf->daddr, (bi)->buf->len_bb,		\
	      atomic_load(&(bi)->pins))

static uint64_t item_id(const struct log_item *item)
{
	return container_of(item, const struct buf_item, item)->buf->daddr;
}

static uint32_t chunks_of(const struct buf_item *bi)
{
	return bi->buf->len_bb * BB_SIZE / CHUNK_BYTES;
}

static bool is_set(const struct buf_item *bi, uint32_t chunk)
{
	return bi->map[chunk / 32] >> chunk % 32 & 1;
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

/* The run of changed chunks from @*chunk on: its length, 0 if there is none. */
static uint32_t next_run(const struct buf_item *bi, uint32_t *chunk)
{
	uint32_t n = chunks_of(bi), end;

	while (*chunk < n && !is_set(bi, *chunk))
		++*chunk;
	for (end = *chunk; end < n && is_set(bi, end); end++)
		;
	return end - *chunk;
}

static void item_size(struct log_item *item, uint32_t *nregions,
		      uint32_t *bytes)
{
	const struct buf_item *bi = item_of(item);
	uint32_t chunk = 0, run;

	TRACE_BUF(xfs_buf_item_size, bi);
	*nregions = 1;
	*bytes = format_bytes(bi);
	while ((run = next_run(bi, &chunk))) {
		++*nregions;
		*bytes += run * CHUNK_BYTES;
		chunk += run;
	}
}

static void item_format(struct log_item *item, struct log_formatter *f)
{
	const struct buf_item *bi = item_of(item);
	struct xfs_buf_log_format blf = {
		.blf_type = XFS_LI_BUF,
		.blf_size = 1,
		.blf_flags = bi->ops->blf_flags,
		.blf_len = (uint16_t)bi->buf->len_bb,
		.blf_blkno = bi->buf->daddr,
		.blf_map_size = map_words(bi),
	};
	uint8_t *head = log_region(f, format_bytes(bi));
	uint32_t chunk = 0, run;

	TRACE_BUF(xfs_buf_item_format, bi);
	while ((run = next_run(bi, &chunk))) {
		memcpy(log_region(f, run * CHUNK_BYTES),
		       bi->buf->data + (size_t)chunk * CHUNK_BYTES,
		       (size_t)run * CHUNK_BYTES);
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

static void item_unpin(struct log_item *item, bool abort)
{
	struct buf_item *bi = item_of(item);

	(void)abort;
	TRACE_BUF(xfs_buf_item_unpin, bi);
	atomic_fetch_sub(&bi->pins, 1);
	buf_unpin(bi->buf);
}

static void item_committing(struct log_item *item, uint64_t seq)
{
	(void)seq;
	TRACE_BUF(xfs_buf_item_release, item_of(item));
	buf_unlock(item_of(item)->buf);
}

static void item_release(struct log_item *item, bool abort)
{
	(void)abort;
	TRACE_BUF(xfs_buf_item_release, item_of(item));
	buf_unlock(item_of(item)->buf);
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

/* Its lock is kept: it is written here, alone. */
static int item_flush(struct log_item *item, xfs_lsn_t lsn)
{
	struct buf_item *bi = item_of(item);
	uint8_t *data = bi->buf->data;

	if (bi->ops->crc_off) {
		put_be64(data + bi->ops->lsn_off, lsn);
		put_le32(data + bi->ops->crc_off,
			 xfs_crc_block(data, (size_t)bi->buf->len_bb * BB_SIZE,
				       bi->ops->crc_off));
	}
	buf_mark_dirty(bi->buf);
	return buf_write(bi->buf);
}

static bool item_is_written(const struct log_item *item)
{
	return !buf_is_dirty(container_of(item, const struct buf_item,
					  item)->buf);
}

static void item_flushed(struct log_item *item, bool ok)
{
	struct buf_item *bi = item_of(item);

	if (ok)
		memset(bi->map, 0, sizeof(bi->map));
	buf_unlock(bi->buf);
}

static const struct trans_item_ops buf_item_ops = {
	.log = {
		.name = "buffer",
		.id = item_id,
		.size = item_size,
		.format = item_format,
		.pin = item_pin,
		.unpin = item_unpin,
		.committing = item_committing,
		.push = item_push,
		.release = item_release,
	},
	.flush = item_flush,
	.is_written = item_is_written,
	.flushed = item_flushed,
};

struct buf_item *buf_item_new(struct trans_fs *fs, struct buf *buf,
			      const struct buf_item_ops *ops)
{
	struct buf_item *bi = calloc(1, sizeof(*bi));

	assert(buf->len_bb * BB_SIZE <= BUF_ITEM_MAX_BYTES);
	if (!bi) {
		report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		       "out of memory");
		return NULL;
	}
	bi->fs = fs;
	bi->buf = buf;
	bi->ops = ops;
	buf_hold(buf);
	log_item_init(&bi->item, &buf_item_ops.log, XFS_LI_BUF);
	return bi;
}

void buf_item_free(struct buf_item *bi)
{
	if (!bi)
		return;
	log_item_fini(&bi->item);
	buf_put(bi->buf);
	free(bi);
}

void buf_item_join(struct trans *t, struct buf_item *bi)
{
	buf_lock(bi->buf);
	trans_join(t, &bi->item);
}

void buf_item_log(struct trans *t, struct buf_item *bi, uint32_t off_bytes,
		  uint32_t len_bytes)
{
	uint32_t first = off_bytes / CHUNK_BYTES;
	uint32_t last = (off_bytes + len_bytes - 1) / CHUNK_BYTES;

	assert(len_bytes && last < chunks_of(bi));
	for (uint32_t chunk = first; chunk <= last; chunk++)
		bi->map[chunk / 32] |= (uint32_t)1 << chunk % 32;
	trans_dirty(t, &bi->item);
}
