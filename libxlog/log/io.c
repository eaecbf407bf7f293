/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An iclog becomes a record on the device: header, cycle stamps and checksum,
 * a second write where the log ends, and the flushes that the order of crash
 * safety needs. A flush before a record with ICLOG_FLUSH makes durable what was
 * written by then: objects that the moved tail no longer protects, and the
 * earlier records of a checkpoint. It is left out when nothing was written
 * since the last one.
 */
#include "libxlog/log/log_priv.h"

void log_data_written(struct log *log)
{
	atomic_fetch_add(&log->data.written, 1);
}

static bool is_durable(const struct durable *d)
{
	return atomic_load(&d->flushed) == atomic_load(&d->written);
}

static void note_flushed(struct durable *d, uint64_t written)
{
	uint64_t flushed = atomic_load(&d->flushed);

	while (flushed < written &&
	       !atomic_compare_exchange_weak(&d->flushed, &flushed, written))
		;
}

/* What was written to the device before. An internal log is on that of data. */
static int flush(struct log *log, struct dev *dev, bool data, bool records)
{
	uint64_t data_written = atomic_load(&log->data.written);
	uint64_t records_written = atomic_load(&log->records.written);
	int rc = dev_flush(dev);

	if (!rc && data)
		note_flushed(&log->data, data_written);
	if (!rc && records)
		note_flushed(&log->records, records_written);
	return rc;
}

static int flush_records(struct log *log)
{
	return flush(log, log->config.dev, log->config.internal, true);
}

static int flush_before(struct log *log, const struct iclog *ic)
{
	int rc = 0;

	if (!(ic->flags & ICLOG_FLUSH))
		return 0;
	if (!is_durable(&log->data))
		rc = flush(log, log->config.data, true, log->config.internal);
	return rc || is_durable(&log->records) ? rc : flush_records(log);
}

static int write_record(struct log *log, struct iclog *ic)
{
	struct xlog_place place = {
		.lsn = ic->lsn,
		.tail_lsn = ic->tail_lsn,
		.prev_block = ic->prev_block,
	};
	uint32_t block = xfs_lsn_block(ic->lsn);
	uint32_t bb = xlog_rec_encode(&log->form, &place, ic->num_ops, ic->buf,
				      ic->used_bytes);
	uint32_t left = log->form.log_size_bb - block;
	uint32_t first = bb < left ? bb : left;
	int rc;

	rc = dev_write(log->config.dev, (uint64_t)block * BB_SIZE, ic->buf,
		       (size_t)first * BB_SIZE);
	if (!rc && first < bb)
		rc = dev_write(log->config.dev, 0,
			       ic->buf + (size_t)first * BB_SIZE,
			       (size_t)(bb - first) * BB_SIZE);
	atomic_fetch_add(&log->records.written, 1);
	return rc;
}

bool iclog_io_step(struct log *log)
{
	struct list *first;
	struct iclog *ic;
	int rc;

	xmutex_lock(&log->iclog_lock);
	first = list_first(&log->io_queue);
	if (!first) {
		xmutex_unlock(&log->iclog_lock);
		return false;
	}
	list_remove(first);
	log->io_busy++;
	xmutex_unlock(&log->iclog_lock);
	ic = container_of(first, struct iclog, io_link);
	rc = log_is_shutdown(log) ? -ESHUTDOWN : flush_before(log, ic);
	if (!rc)
		rc = write_record(log, ic);
	if (!rc && ic->flags & ICLOG_FUA)
		rc = flush_records(log);
	iclog_done(log, ic, rc);
	return true;
}
