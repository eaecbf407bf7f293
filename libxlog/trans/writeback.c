/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Write-back: what the AIL pushes goes into its buffers first, all of it; then
 * the buffers are written in the order of the disk, each once however many of
 * its inodes changed. The objects stay locked until they are on the device.
 */
#include <stdlib.h>

#include "libxlog/trans/trans.h"

static struct log_item *item_of(struct list *link)
{
	return container_of(link, struct log_item, queue_link);
}

/*
 * A buffer that somebody has locked was left out, without an error: its items
 * stay in the AIL, and are pushed again.
 */
static void finish(struct trans_fs *fs, struct log_item *item, int rc)
{
	const struct trans_item_ops *ops = trans_item_ops_of(item);
	bool written = ops->is_written(item);

	if (written)
		log_item_clean(fs->log, item);
	else if (rc && rc != -EAGAIN)
		log_item_failed(fs->log, item);
	else
		log_item_put_back(fs->log, item);
	ops->flushed(item, written);
}

/* The buffers that flushing has left locked, for one write of them all. */
static int write_locked(struct trans_fs *fs, const struct list *flushed,
			size_t room)
{
	struct buf **bufs = calloc(room, sizeof(*bufs));
	size_t n = 0;
	int rc;

	if (!bufs)
		return report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	for (struct list *l = list_first(flushed); l;
	     l = list_next(l, flushed)) {
		struct log_item *item = item_of(l);

		if (trans_item_ops_of(item)->locked)
			bufs[n++] = trans_item_ops_of(item)->locked(item);
	}
	rc = n ? buf_write_locked(bufs, n) : 0;
	free(bufs);
	return rc;
}

void trans_write_back(void *ctx, struct list *queue)
{
	struct trans_fs *fs = ctx;
	struct list flushed, *first;
	int rc, locked_rc = 0;
	size_t count = 0;

	list_init(&flushed);
	while ((first = list_first(queue))) {
		struct log_item *item = item_of(first);

		list_remove(first);
		/* nobody moves it in the AIL: it is not pinned, and locked */
		rc = trans_item_ops_of(item)->flush(item, item->lsn);
		if (rc) {
			finish(fs, item, rc);
			continue;
		}
		list_insert_last(first, &flushed);
		count++;
	}
	if (count)
		locked_rc = write_locked(fs, &flushed, count);
	rc = buf_write_back(fs->cache, BUF_SKIP_LOCKED);
	log_data_written(fs->log);
	while ((first = list_first(&flushed))) {
		struct log_item *item = item_of(first);

		list_remove(first);
		finish(fs, item, trans_item_ops_of(item)->locked ? locked_rc :
								   rc);
	}
}
