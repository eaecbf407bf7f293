/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Discarding a log: a clean one in its place, like that of an empty
 * filesystem but for the cycle. Metadata of version 5 carries the LSN of its
 * last change, and Linux does not read what is ahead of the log: the new log
 * goes on in a cycle that nothing has seen. The old log need not be sound, so
 * each record header in it that may be one has a say in what that is, and the
 * headers of allocation groups as well, in case a log was reset before.
 */
#include <stdlib.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/endian.h"
#include "libxlog/read/read.h"
#include "libxlog/replay/newlog.h"

enum {
	CHUNK_BB = 2048,		/* 1 MiB */
	REC_UUID_OFF = 304,
	AG_HEADERS = 4,			/* superblock, AGF, AGI, AGFL */
	/* Far more laps than a disk lasts for; damage, if they are gone. */
	CYCLE_MAX = 0x7fffffff,
};

static int no_memory(struct xlog *log)
{
	return report(&log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- the highest cycle in use --- */

static void see_cycle(uint32_t *max, uint32_t cycle)
{
	if (cycle > *max)
		*max = cycle;
}

/* The header at @raw, if it is one that may have been written here. */
static void see_header(const struct xlog *log, const uint8_t *raw,
		       uint32_t block, uint32_t *max)
{
	struct xlog_rec_head h;
	uint64_t end;

	xlog_rec_head_decode(&h, raw);
	if (!xlog_is_rec_header(raw) || xfs_lsn_block(h.lsn) != block ||
	    xfs_lsn_cycle(h.lsn) != h.cycle || h.len_bytes > INT32_MAX ||
	    memcmp(raw + REC_UUID_OFF, log->info.uuid, 16))
		return;
	see_cycle(max, h.cycle);
	end = (uint64_t)block + log_header_bb(log, &h) +
	      bb_from_bytes(h.len_bytes);
	if (end > log->nbb)	/* it goes on in the next lap */
		see_cycle(max, h.cycle + 1);
}

static int see_log(struct xlog *log, uint32_t *max)
{
	uint8_t *buf = malloc(CHUNK_BB * BB_SIZE);
	int rc = 0;

	if (!buf)
		return no_memory(log);
	for (uint32_t at = 0; at < log->nbb && !rc; ) {
		uint32_t n = log->nbb - at < CHUNK_BB ? log->nbb - at :
			     CHUNK_BB;

		rc = xlog_read_raw(log, at, n, buf);
		for (uint32_t i = 0; i < n && !rc; i++)
			see_header(log, buf + (size_t)i * BB_SIZE, at + i,
				   max);
		at += n;
	}
	free(buf);
	return rc;
}

static void see_lsn(uint32_t *max, xfs_lsn_t lsn)
{
	if (lsn != XFS_NULL_LSN)
		see_cycle(max, xfs_lsn_cycle(lsn));
}

static int see_group(struct xlog *log, xfs_agnumber_t agno, uint8_t *buf,
		     uint32_t *max)
{
	const struct xfs_geom *g = &log->geom;
	size_t len = AG_HEADERS * (size_t)g->sectsize;
	uint64_t off = xfs_agb_to_daddr(g, agno, 0) * BB_SIZE;
	const uint8_t *agf = buf + g->sectsize, *agi = agf + g->sectsize;
	const uint8_t *agfl = agi + g->sectsize;
	int rc;

	/* what is cut off has no LSN; xfs_repair will say so */
	if (off > log->fs->size_bytes || len > log->fs->size_bytes - off)
		return 0;
	rc = dev_read(log->fs, off, buf, len);
	if (rc)
		return rc;
	if (!xfs_agf_verify(agf, g->sectsize, g, agno))
		see_lsn(max, get_be64(agf + 208));
	if (!xfs_agi_verify(agi, g->sectsize, g, agno))
		see_lsn(max, get_be64(agi + 320));
	if (!xfs_agfl_verify(agfl, g->sectsize, g, agno))
		see_lsn(max, get_be64(agfl + 24));
	return 0;
}

/* Version 4 has no LSNs outside the log. */
static int see_metadata(struct xlog *log, uint32_t *max)
{
	uint8_t *buf;
	int rc = 0;

	if (!log->geom.v5)
		return 0;
	see_lsn(max, log->sb.sb_lsn);
	buf = malloc(AG_HEADERS * (size_t)log->geom.sectsize);
	if (!buf)
		return no_memory(log);
	for (uint32_t agno = 0; agno < log->geom.agcount && !rc; agno++)
		rc = see_group(log, agno, buf, max);
	free(buf);
	return rc;
}

int newlog_next_cycle(struct xlog *log, uint32_t *cycle)
{
	uint32_t max = 0;
	int rc = see_log(log, &max);

	if (!rc)
		rc = see_metadata(log, &max);
	if (!rc && max >= CYCLE_MAX)
		rc = report(&log->sink, -EUCLEAN, "log.cycle", XLOG_LSN_NONE,
			    "cycle %u is in use, and there is none above it",
			    max);
	*cycle = xlog_cycle_next(max);
	return rc;
}

/* --- the new log --- */

int newlog_read_back(const struct newlog *n, struct xlog *log,
		     xlog_lsn_t *head)
{
	struct xlog_bounds bounds;
	int rc = xlog_find(log, 0, &bounds);

	if (rc)
		return rc;
	if (bounds.state != XLOG_CLEAN ||
	    bounds.head < xlog_lsn(n->cycle, 0))
		return report(&log->sink, -EIO, "log.readback", bounds.head,
			      "the new log does not read back as it was written");
	if (head)
		*head = bounds.head;
	return 0;
}

int xlog_zero_log(struct xlog *log, const struct xlog_save *save,
		  xlog_lsn_t *head)
{
	const struct xlog_info *info = &log->info;
	struct newlog n = { .dev = log->dev };
	int rc;

	if (!save || !save->path || !info->superblock)
		return report(&log->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "a log is not discarded without a copy of it");
	rc = newlog_next_cycle(log, &n.cycle);
	n.form = newlog_form(log->logv2, info->log_sunit_bytes,
			     info->log_sector_bytes, log->nbb, info->uuid);
	if (!rc)
		rc = newlog_check(&n);
	if (!rc)
		rc = xlog_save_log(log, save);
	if (!rc)
		rc = newlog_write(&n);
	if (!rc)
		rc = newlog_read_back(&n, log, head);
	if (!rc)
		notice(&log->sink, XLOG_WARNING, "log.discarded",
		       xlog_lsn(n.cycle, 0),
		       "the log has been discarded: run xfs_repair before the filesystem is used");
	return rc;
}
