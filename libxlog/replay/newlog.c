/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A log with one record in it, an unmount record. In its first cycle the rest
 * is zeros; in a later one it has to be full of the cycle before, which is done
 * with more of them.
 *
 * Neither the old log nor the new one may be taken for one while it is there
 * in part: what is replayed of half a log damages a filesystem. A log that
 * begins with zeros is empty to everyone, whatever lies behind. So its first
 * sector becomes zero before all else, and gets what belongs there after all
 * else: a write that is there or not, and cannot be torn.
 */
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/endian.h"
#include "libxlog/dev/batch.h"
#include "libxlog/replay/newlog.h"

enum { CHUNK_BB = 2048 };	/* written at a time: 1 MiB */

static const uint32_t host_fmt = XFS_HOST_ORDER == XFS_LE ?
				 XLOG_FMT_LINUX_LE : XLOG_FMT_LINUX_BE;

struct xlog_form newlog_form(bool logv2, uint32_t sunit_bytes,
			     uint32_t sector_bytes, uint32_t log_size_bb,
			     const uint8_t uuid[16])
{
	return xlog_form_mkfs(logv2 ? XLOG_VERSION_2 : XLOG_VERSION_1,
			      host_fmt, xlog_roundoff_bytes(logv2, sunit_bytes,
							    sector_bytes),
			      log_size_bb, uuid);
}

struct writer {
	const struct newlog *log;
	uint32_t	record_bb;
	uint8_t		*buf;		/* CHUNK_BB and a record */
	uint32_t	first, bb;	/* what is in it: blocks of the log */
};

static int write_out(struct writer *w)
{
	const struct newlog *n = w->log;
	uint64_t off = n->off_bytes + (uint64_t)w->first * BB_SIZE;
	int rc = dev_write(n->dev, off, w->buf, (size_t)w->bb * BB_SIZE);

	w->first += w->bb;
	w->bb = 0;
	return rc;
}

/*
 * Make the record, or piece of one, of @room blocks at most at @block. One
 * block takes no record: an empty header then, as a mount writes them.
 */
static uint32_t put_record(struct writer *w, uint32_t block, uint32_t room)
{
	struct xlog_form form = w->log->form;
	uint8_t *raw = w->buf + (size_t)w->bb * BB_SIZE;
	uint32_t cycle = w->log->cycle - 1;
	xfs_lsn_t lsn = xfs_lsn_make(cycle, block);
	xfs_lsn_t tail_lsn = xfs_lsn_make(cycle, block - w->record_bb);

	if (room == 1) {
		xlog_filler_encode(&form, lsn, tail_lsn, raw);
		return 1;
	}
	/* The last one is as long as there is room. */
	if (room < w->record_bb)
		form = xlog_form_mkfs(form.version, form.fmt, room * BB_SIZE,
				      form.log_size_bb, form.uuid);
	return xlog_unmount_mkfs_encode(&form, lsn, tail_lsn, raw);
}

/* Everything behind the first record. */
static int write_rest(struct writer *w)
{
	const struct newlog *n = w->log;
	uint32_t nbb = n->form.log_size_bb, at = w->record_bb;
	int rc = 0;

	if (n->cycle == 1)
		return dev_zero(n->dev, n->off_bytes + (uint64_t)at * BB_SIZE,
				(uint64_t)(nbb - at) * BB_SIZE);
	w->first = at;
	while (at < nbb && !rc) {
		uint32_t bb = put_record(w, at, nbb - at);

		w->bb += bb;
		at += bb;
		if (w->bb >= CHUNK_BB)
			rc = write_out(w);
	}
	return rc ? rc : write_out(w);
}

/* The first record into the buffer. */
static void put_first(struct writer *w)
{
	const struct newlog *n = w->log;
	xfs_lsn_t lsn = xfs_lsn_make(n->cycle, 0), tail_lsn = lsn;

	if (n->cycle != 1)
		tail_lsn = xfs_lsn_make(n->cycle - 1, n->form.log_size_bb -
						      w->record_bb);
	xlog_unmount_mkfs_encode(&n->form, lsn, tail_lsn, w->buf);
}

/* What cannot be torn: a sector, or all of a record that is shorter. */
static size_t first_bytes(const struct writer *w)
{
	size_t record = (size_t)w->record_bb * BB_SIZE;

	return w->log->dev->sector_bytes < record ?
	       w->log->dev->sector_bytes : record;
}

/* The first sector as it is in the buffer, durable. */
static int write_first(struct writer *w)
{
	const struct newlog *n = w->log;
	int rc = dev_write(n->dev, n->off_bytes, w->buf, first_bytes(w));

	return rc ? rc : dev_flush(n->dev);
}

static int erase_first(struct writer *w)
{
	memset(w->buf, 0, first_bytes(w));
	return write_first(w);
}

/* The record from byte @from of it on. */
static int write_first_from(struct writer *w, size_t from)
{
	const struct newlog *n = w->log;
	size_t len = (size_t)w->record_bb * BB_SIZE - from;

	return len ? dev_write(n->dev, n->off_bytes + from, w->buf + from,
			       len) : 0;
}

static int write_hidden(struct writer *w)
{
	int rc = write_rest(w);

	put_first(w);
	return rc ? rc : write_first_from(w, 0);
}

static int write_in_order(struct writer *w)
{
	int rc = w->log->erased ? 0 : erase_first(w);

	if (!rc)
		rc = write_rest(w);
	put_first(w);
	if (!rc)
		rc = write_first_from(w, first_bytes(w));
	if (!rc)
		rc = dev_flush(w->log->dev);
	return rc ? rc : write_first(w);
}

static int write_all(struct writer *w)
{
	const struct newlog *n = w->log;
	int rc;

	/* What can fail of saving all this does so before the first write. */
	rc = dev_prepare(n->dev, &(struct dev_io){
				 .off_bytes = n->off_bytes,
				 .len = (size_t)n->form.log_size_bb * BB_SIZE,
			 }, 1);
	if (rc)
		return rc;
	rc = n->hidden ? write_hidden(w) : write_in_order(w);
	if (rc)
		notice(&n->dev->sink, XLOG_WARNING, XLOG_CODE_PARTLY,
		       XLOG_LSN_NONE,
		       "the log may be overwritten in part: do it again");
	return rc;
}

int newlog_check(const struct newlog *n)
{
	uint32_t bb = xlog_form_bb(&n->form, XLOG_UNMOUNT_BYTES);

	if (bb <= n->form.log_size_bb)
		return 0;
	return report(&n->dev->sink, -EUCLEAN, "log.size", XLOG_LSN_NONE,
		      "a log of %u blocks has no room for a record of %u",
		      n->form.log_size_bb, bb);
}

int newlog_write(const struct newlog *n)
{
	struct writer w = {
		.log = n,
		.record_bb = xlog_form_bb(&n->form, XLOG_UNMOUNT_BYTES),
	};
	int rc = newlog_check(n);

	if (rc)
		return rc;
	w.buf = malloc((size_t)(CHUNK_BB + w.record_bb) * BB_SIZE);
	if (!w.buf)
		return report(&n->dev->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	rc = write_all(&w);
	free(w.buf);
	return rc;
}
