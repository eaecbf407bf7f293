/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making only a log. The reader opens filesystem and log and says how the old
 * one ends; newlog.c writes the new one. Here is decided whether that may be,
 * and in which cycle: metadata of version 5 must not be ahead of the log.
 *
 * A clean log is trusted with its superblock. So where the old log was not
 * clean, the counters are made good first: whatever happens then, there is
 * never a clean log beside wrong counters.
 */
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"
#include "libxlog/meta/log_only.h"
#include "libxlog/replay/counters.h"
#include "libxlog/replay/newlog.h"

/* Far more laps than a disk lasts for. */
enum { CYCLE_MAX = 0x7fffffff };

/* --- may it be? --- */

static int check_state(const struct xlog_log_only *l, uint32_t cycle,
		       unsigned int flags)
{
	const struct sink sink = l->sink;

	switch (l->info.state) {
	case XLOG_CLEAN:
		return 0;
	case XLOG_DIRTY:
		if (flags & XLOG_LOG_ONLY_DIRTY)
			return 0;
		return report(&sink, -ENOTEMPTY, "log.dirty", l->bounds.head,
			      "the log is dirty: it has changes that are nowhere else");
	default:
		if (cycle)
			return 0;
		return report(&sink, -EUCLEAN, "log.cycle", XLOG_LSN_NONE,
			      "there is no sound log (%s) to say which cycle the new one begins with: give it, %u at least",
			      l->why, l->info.next_cycle);
	}
}

static int check(const struct xlog_log_only *l, uint32_t cycle,
		 unsigned int flags)
{
	const struct sink sink = l->sink;
	int rc;

	if (!l->writable)
		return report(&sink, -EROFS, "dev.readonly", XLOG_LSN_NONE,
			      "opened for reading only");
	rc = check_state(l, cycle, flags);
	if (rc || !cycle)
		return rc;
	if (cycle < l->info.next_cycle)
		return report(&sink, -ERANGE, "log.cycle", XLOG_LSN_NONE,
			      "cycle %u is too low: %u is in use", cycle,
			      l->info.next_cycle - 1);
	if (cycle > CYCLE_MAX)
		return report(&sink, -ERANGE, "log.cycle", XLOG_LSN_NONE,
			      "cycle %u is too high, the maximum is %d", cycle,
			      CYCLE_MAX);
	return 0;
}

/* --- the superblock --- */

/* With what is counted anew. */
static int write_superblock(struct xlog_log_only *l, uint8_t *raw)
{
	struct xlog *log = l->log;
	size_t len = log->info.superblock_bytes;
	int rc;

	memcpy(raw, log->sb_raw, len);
	rc = counters_of_disk(log, &l->bounds, raw);
	if (rc)
		return rc;
	if (log->geom.v5)
		put_le32(raw + XFS_SB_CRC_OFF,
			 xfs_crc_block(raw, len, XFS_SB_CRC_OFF));
	l->wrote = true;
	rc = dev_write(log->fs, 0, raw, len);
	return rc ? rc : dev_flush(log->fs);
}

static int make_counters_good(struct xlog_log_only *l)
{
	uint8_t *raw;
	int rc;

	if (l->info.state == XLOG_CLEAN || !l->log->sb_raw)
		return 0;
	raw = malloc(l->log->info.superblock_bytes);
	if (!raw)
		return report(&l->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	rc = write_superblock(l, raw);
	free(raw);
	return rc;
}

/* --- the log --- */

/*
 * What someone may have left at the end of a device that was no log of this
 * filesystem so far. The start is overwritten by the log itself.
 */
static int erase_end(struct xlog_log_only *l)
{
	struct dev *dev = l->log->logdev;
	uint64_t log_end = l->info.log_bytes, from;

	if (!dev || l->info.state == XLOG_CLEAN || l->info.state == XLOG_DIRTY)
		return 0;
	from = dev->size_bytes > FORMAT_ENDS_BYTES ?
	       dev->size_bytes - FORMAT_ENDS_BYTES : 0;
	if (from < log_end)
		from = log_end;
	return dev_zero(dev, from, dev->size_bytes - from);
}

static struct newlog new_log(const struct xlog_log_only *l, uint32_t cycle)
{
	const struct xlog *log = l->log;

	return (struct newlog){
		.dev = log->dev,
		.form = newlog_form(log->logv2, log->info.log_sunit_bytes,
				    log->info.log_sector_bytes, log->nbb,
				    log->info.uuid),
		.cycle = cycle ? cycle : l->info.next_cycle,
	};
}

static int write_all(struct xlog_log_only *l, const struct newlog *n)
{
	const struct dev_io all = { .len = (size_t)l->info.log_bytes };
	/* What can fail of saving all this does so before the first write. */
	int rc = dev_prepare(n->dev, &all, 1);

	if (!rc)
		rc = make_counters_good(l);
	if (rc)
		return rc;
	l->wrote = true;
	rc = erase_end(l);
	return rc ? rc : newlog_write(n);
}

int xlog_log_only_write(struct xlog_log_only *l, uint32_t cycle,
			unsigned int flags, xlog_lsn_t *head)
{
	struct newlog n = new_log(l, cycle);
	int rc = check(l, cycle, flags);

	if (!rc)
		rc = newlog_check(&n);
	if (!rc)
		rc = write_all(l, &n);
	if (!rc)
		rc = newlog_read_back(&n, l->log, head);
	if (!rc && l->info.state != XLOG_CLEAN && l->log->sb_raw)
		notice(&l->sink, XLOG_WARNING, "log.discarded",
		       xlog_lsn(n.cycle, 0),
		       "what was only in the old log is lost: run xfs_repair before the filesystem is used");
	return rc;
}

bool xlog_log_only_wrote(const struct xlog_log_only *l)
{
	return l->wrote;
}
