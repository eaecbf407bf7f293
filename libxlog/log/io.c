/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An iclog becomes a record on the device: header, cycle stamps and checksum,
 * a second write where the log ends, and the flushes that the order of crash
 * safety needs; but none for what is durable already.
 *
 * Linux lets records of a long checkpoint collect in a disk's volatile cache,
 * as many as there are. If power fails then, there can be more holes in the
 * log than its recovery looks for. Here they are flushed in time.
 */
#include "libxlog/log/log_priv.h"

/*
 * A reader looks through eight records of 256 KiB for a hole (version 1: of 32
 * KiB); of a log that never wrapped it wants the record in front of the hole to be there, too.
 */
static uint64_t hole_bytes(const struct log *log)
{
	return (uint64_t)(LOG_MAX_ICLOGS - 1) *
	       (log->form.logv2 ? XLOG_MAX_RECORD_BYTES :
				  XLOG_HEADER_SPAN_BYTES);
}

void log_data_written(struct log *log)
{
	atomic_fetch_add(&log->data_written, 1);
}

static bool is_data_durable(struct log *log)
{
	return atomic_load(&log->data_flushed) ==
	       atomic_load(&log->data_written);
}

/* What a flush that begins now makes durable. */
struct mark {
	uint64_t	written;
	xfs_lsn_t	tail;
};

static struct mark data_mark(struct log *log)
{
	/* in this order: the tail moves when what moves it has been counted */
	xfs_lsn_t tail = ail_tail(log);

	return (struct mark){ atomic_load(&log->data_written), tail };
}

static void note_data(struct log *log, const struct mark *mark)
{
	uint64_t flushed = atomic_load(&log->data_flushed);

	while (flushed < mark->written &&
	       !atomic_compare_exchange_weak(&log->data_flushed, &flushed,
					     mark->written))
		;
	xmutex_lock(&log->iclog_lock);
	if (mark->tail > log->data_tail)
		log->data_tail = mark->tail;
	xmutex_unlock(&log->iclog_lock);
}

/*
 * The tail that @ic names is where it is because of objects that were written
 * back, and which recovery will not look for in the log any more. (The first
 * record of a checkpoint may also lie where the log had them.)
 */
static bool needs_data(struct log *log, const struct iclog *ic)
{
	bool moved;

	if (ic->flags & ICLOG_FLUSH)
		return true;
	xmutex_lock(&log->iclog_lock);
	moved = ic->tail_lsn > log->data_tail;
	xmutex_unlock(&log->iclog_lock);
	return moved && !(log->breaks & LOG_BREAK_START_FLUSH);
}

static int flush_data(struct log *log)
{
	struct mark mark = data_mark(log);
	int rc;

	TRACE(xlog_iclog_flush, trace_str("data"), mark.tail);
	rc = dev_flush(log->config.data);
	if (!rc)
		note_data(log, &mark);
	return rc;
}

/* All records that the device has; an internal log's has the objects, too. */
static int flush_records(struct log *log)
{
	struct mark mark = data_mark(log);
	xfs_lsn_t end, tail;
	int rc;

	xmutex_lock(&log->iclog_lock);
	end = log->written_end;
	tail = log->written_tail;
	xmutex_unlock(&log->iclog_lock);
	TRACE(xlog_iclog_flush, trace_str("log"), end);
	rc = dev_flush(log->config.dev);
	if (rc)
		return rc;
	if (log->config.internal)
		note_data(log, &mark);
	xmutex_lock(&log->iclog_lock);
	if (end > log->durable_end) {
		log->durable_end = end;
		log->durable_tail = tail;
		xcond_wake_all(&log->done);
	}
	xmutex_unlock(&log->iclog_lock);
	return 0;
}

/*
 * Would recovery be lost if @ic reached the medium and records before it did
 * not? It looks for holes in so many blocks behind the newest one. And it
 * begins at the tail that the last durable record names: what has been
 * overwritten there it passes by, but only as far ahead of the head as the
 * iclogs that Linux has can reach.
 */
static bool reaches_too_far_locked(const struct log *log,
				   const struct iclog *ic)
	REQUIRES(log->iclog_lock)
{
	const struct xlog_form *form = &log->form;
	uint64_t ahead, taken;
	xfs_lsn_t end;

	end = xlog_lsn_add(ic->lsn, xlog_form_bb(form, ic->used_bytes),
			   form->log_size_bb);
	ahead = log_distance(log, log->durable_end, end);
	taken = log_distance(log, log->durable_tail, end);
	if (log->breaks & LOG_BREAK_REACH)
		return false;
	return ahead > hole_bytes(log) ||
	       (ahead > XLOG_MAX_ICLOGS * form->size_bytes &&
		taken > log->size_bytes);
}

/* Are records in front of @ic to be flushed before it is written? */
static bool needs_records_locked(const struct log *log, const struct iclog *ic)
	REQUIRES(log->iclog_lock)
{
	return ic->flags & ICLOG_AFTER ? log->durable_end < ic->lsn :
					 reaches_too_far_locked(log, ic);
}

/* Once the device has all of them; unless somebody else flushes in time. */
static bool needs_records(struct log *log, const struct iclog *ic)
{
	bool needs;

	xmutex_lock(&log->iclog_lock);
	while ((needs = needs_records_locked(log, ic)) &&
	       log->written_end < ic->lsn && !log_is_shutdown(log) &&
	       !(log->breaks & LOG_BREAK_WAIT_EARLIER))
		log_sleep(log, &log->done, &log->iclog_lock);
	xmutex_unlock(&log->iclog_lock);
	return needs && !(log->breaks & LOG_BREAK_COMMIT_FLUSH);
}

static int flush_before(struct log *log, const struct iclog *ic)
{
	int rc = 0;

	if (needs_data(log, ic) && !is_data_durable(log))
		rc = flush_data(log);
	if (!rc && needs_records(log, ic))
		rc = flush_records(log);
	return rc;
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

	TRACE_ICLOG(xlog_iclog_write, log, ic);
	rc = dev_write(log->config.dev, (uint64_t)block * BB_SIZE, ic->buf,
		       (size_t)first * BB_SIZE);
	if (!rc && first < bb)
		rc = dev_write(log->config.dev, 0,
			       ic->buf + (size_t)first * BB_SIZE,
			       (size_t)(bb - first) * BB_SIZE);
	if (!rc) {
		log_stat_add(log, LOG_STAT_RECORDS, 1);
		log_stat_add(log, LOG_STAT_WRITTEN_BYTES,
			     (uint64_t)bb * BB_SIZE);
		iclog_written(log, ic);
	}
	return rc;
}

static bool is_to_be_durable(const struct log *log, const struct iclog *ic)
{
	return ic->flags & ICLOG_FUA || log->config.flags & LOG_DSYNC;
}

bool iclog_io_step(struct log *log)
{
	struct list *first;
	struct iclog *ic;
	uint64_t began_ns;
	int rc;

	xmutex_lock(&log->iclog_lock);
	first = list_first(&log->io_queue);
	if (!first) {
		xmutex_unlock(&log->iclog_lock);
		return false;
	}
	list_remove(first);
	xmutex_unlock(&log->iclog_lock);
	ic = container_of(first, struct iclog, io_link);
	TRACE_ICLOG(xlog_iclog_sync, log, ic);
	began_ns = log_stat_clock();
	rc = log_is_shutdown(log) ? -ESHUTDOWN : flush_before(log, ic);
	if (!rc)
		rc = write_record(log, ic);
	if (!rc && is_to_be_durable(log, ic))
		rc = flush_records(log);
	if (!rc)
		log_stat_time(log, LOG_TIME_RECORD, began_ns);
	iclog_done(log, ic, rc);
	return true;
}
