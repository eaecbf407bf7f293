/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffers in transactions; see trans_buf.h. What a transaction has is found by
 * its items, of which there are few; that a buffer is locked by it, and not by
 * another, follows from that alone.
 */
#include <string.h>

#include "libxlog/trans/buf_item.h"
#include "libxlog/trans/inode_priv.h"

bool trans_buf_is_newer(const struct buf *b)
{
	const struct buf_item *bi = buf_item_of(b);

	return bi && buf_item_is(bi, BUF_ITEM_DIRTY);
}

static struct buf_item *find(const struct trans *t, uint64_t daddr,
			     uint32_t len_bb)
{
	for (struct list *l = list_first(&t->items); l;
	     l = list_next(l, &t->items)) {
		struct log_item *item = container_of(l, struct log_item,
						     trans_link);
		struct buf_item *bi;

		if (item->type != XFS_LI_BUF)
			continue;
		bi = container_of(item, struct buf_item, item);
		if (bi->buf->daddr == daddr && bi->buf->len_bb == len_bb)
			return bi;
	}
	return NULL;
}

static bool has(const struct buf_item *bi)
{
	return bi && !list_is_empty(&bi->item.trans_link);
}

static int join(struct trans *t, struct buf *b)
{
	struct buf_item *bi = buf_item_of(b);

	if (bi) {
		buf_put(b);	/* the item's will do */
	} else {
		bi = buf_item_new(b);
		if (!bi)
			return -ENOMEM;
	}
	bi->uses = 1;
	trans_join(t, &bi->item);
	return 0;
}

int trans_bjoin(struct trans *t, struct buf *b)
{
	return join(t, b);
}

static int get(struct trans *t, uint64_t daddr, uint32_t len_bb,
	       const struct trans_buf_ops *ops, unsigned int flags,
	       struct buf **out)
{
	struct buf *b;
	int rc = buf_get(t->fs->cache, daddr, len_bb, &ops->buf, flags, &b);

	if (rc)
		return rc;
	rc = join(t, b);
	if (rc) {
		buf_release(b);
		return rc;
	}
	*out = b;
	return 0;
}

/* Already there: is it what it is expected to be? */
static int get_again(struct buf_item *bi, const struct trans_buf_ops *ops)
{
	struct buf *b = bi->buf;

	if (buf_item_is(bi, BUF_ITEM_STALE) ||
	    (b->ops != &ops->buf && !trans_buf_type(ops, b)))
		return report(&trans_buf_fs(b)->sink, -EUCLEAN, "buf.owner",
			      XLOG_LSN_NONE, "%s at daddr %llu: the block is in use as %s",
			      ops->buf.name, (unsigned long long)b->daddr,
			      buf_item_is(bi, BUF_ITEM_STALE) ? "free space" :
			      b->ops->name);
	bi->uses++;
	return 0;
}

int trans_read_buf(struct trans_fs *fs, struct trans *t, uint64_t daddr,
		   uint32_t len_bb, const struct trans_buf_ops *ops,
		   struct buf **out)
{
	struct buf_item *bi;
	int rc;

	if (!t)
		return buf_get(fs->cache, daddr, len_bb, &ops->buf, BUF_READ,
			       out);
	bi = find(t, daddr, len_bb);
	if (!bi)
		return get(t, daddr, len_bb, ops, BUF_READ, out);
	rc = get_again(bi, ops);
	if (!rc)
		*out = bi->buf;
	return rc;
}

int trans_get_buf(struct trans *t, uint64_t daddr, uint32_t len_bb,
		  const struct trans_buf_ops *ops, struct buf **out)
{
	struct buf_item *bi = find(t, daddr, len_bb);
	int rc;

	if (bi) {
		bi->uses++;
		*out = bi->buf;
		buf_set_ops(bi->buf, &ops->buf);
	} else {
		rc = get(t, daddr, len_bb, ops, 0, out);
		if (rc)
			return rc;
		/* unless it is logged, nobody has seen these zeros */
		(*out)->made_up = !trans_buf_is_newer(*out);
	}
	memset((*out)->data, 0, (size_t)len_bb * BB_SIZE);
	return 0;
}

void trans_buf_set_ops(struct trans *t, struct buf *b,
		       const struct trans_buf_ops *ops)
{
	(void)t;
	assert(has(buf_item_of(b)));
	buf_set_ops(b, &ops->buf);
}

/* Changed in @t: not what it was read as any more, nor forgotten. */
static struct buf_item *make_dirty(struct trans *t, struct buf *b)
{
	struct buf_item *bi = buf_item_of(b);

	assert(has(bi));
	b->made_up = false;
	buf_item_set(bi, BUF_ITEM_DIRTY);
	trans_dirty(t, &bi->item);
	return bi;
}

static void set_map(struct buf_item *bi, uint32_t first, uint32_t last)
{
	assert(last < bi->buf->len_bb * BB_SIZE / XFS_CHUNK_BYTES);
	for (uint32_t chunk = first; chunk <= last; chunk++)
		bi->map[chunk / 32] |= (uint32_t)1 << chunk % 32;
}

void trans_log_buf(struct trans *t, struct buf *b, uint32_t off_bytes,
		   uint32_t len_bytes)
{
	struct buf_item *bi = make_dirty(t, b);

	assert(len_bytes && !buf_item_is(bi, BUF_ITEM_ORDERED));
	if (buf_item_is(bi, BUF_ITEM_STALE)) {
		/* freed and taken again in one transaction */
		assert(list_is_empty(&bi->stale_inodes));
		buf_item_clear(bi, BUF_ITEM_STALE);
		atomic_fetch_sub(&bi->pins, 1);
	}
	set_map(bi, off_bytes / XFS_CHUNK_BYTES,
		(off_bytes + len_bytes - 1) / XFS_CHUNK_BYTES);
}

void trans_brelse(struct trans *t, struct buf *b)
{
	struct buf_item *bi;

	if (!t) {
		buf_release(b);
		return;
	}
	bi = buf_item_of(b);
	assert(has(bi) && bi->uses);
	if (--bi->uses || buf_item_is(bi, BUF_ITEM_HELD) ||
	    atomic_load(&bi->item.flags) & LOG_ITEM_DIRTY)
		return;
	list_remove(&bi->item.trans_link);
	buf_item_leave(bi);
}

void trans_bhold(struct trans *t, struct buf *b)
{
	(void)t;
	assert(has(buf_item_of(b)));
	buf_item_set(buf_item_of(b), BUF_ITEM_HELD);
}

void trans_bhold_release(struct trans *t, struct buf *b)
{
	(void)t;
	assert(has(buf_item_of(b)));
	buf_item_clear(buf_item_of(b), BUF_ITEM_HELD);
}

void trans_binval(struct trans *t, struct buf *b)
{
	struct buf_item *bi = make_dirty(t, b);

	if (buf_item_is(bi, BUF_ITEM_STALE))
		return;
	memset(bi->map, 0, sizeof(bi->map));
	buf_item_clear(bi, BUF_ITEM_ORDERED | BUF_ITEM_INODES |
			   BUF_ITEM_NEW_INODES);
	buf_item_set(bi, BUF_ITEM_STALE);
	/* until @t has let go of it */
	atomic_fetch_add(&bi->pins, 1);
}

void trans_inode_buf(struct trans *t, struct buf *b)
{
	(void)t;
	assert(has(buf_item_of(b)));
	buf_item_set(buf_item_of(b), BUF_ITEM_INODES);
}

void trans_inode_alloc_buf(struct trans *t, struct buf *b)
{
	(void)t;
	assert(has(buf_item_of(b)));
	buf_item_set(buf_item_of(b), BUF_ITEM_NEW_INODES);
}

void trans_ordered_buf(struct trans *t, struct buf *b)
{
	struct buf_item *bi = make_dirty(t, b);

	assert(!buf_item_is(bi, BUF_ITEM_STALE));
	for (size_t i = 0; i < TRANS_BUF_MAP_WORDS; i++)
		assert(!bi->map[i]);
	buf_item_set(bi, BUF_ITEM_ORDERED);
}

void trans_stale_inode_buf(struct trans *t, struct buf *b)
{
	trans_binval(t, b);
	inodes_of_cluster_stale(b, &buf_item_of(b)->stale_inodes);
}

bool trans_buf_is_dirty(const struct trans *t, const struct buf *b)
{
	const struct buf_item *bi = buf_item_of(b);

	(void)t;
	return has(bi) && atomic_load(&bi->item.flags) & LOG_ITEM_DIRTY;
}
