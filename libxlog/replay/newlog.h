/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A new, clean log in the place of whatever is there: that of an empty
 * filesystem, or of one whose log is given up.
 */
#ifndef LIBXLOG_REPLAY_NEWLOG_H
#define LIBXLOG_REPLAY_NEWLOG_H

#include "libxfsfmt/logenc.h"
#include "libxlog/dev/dev.h"

struct newlog {
	struct dev	*dev;
	uint64_t	off_bytes;	/* where on @dev the log begins */
	struct xlog_form form;		/* from newlog_form() */
	uint32_t	cycle;		/* of its first record: 1 or more */
	bool		erased;		/* its first sector is zero, durably */
	/*
	 * Nobody finds it before more has been written, and flushed: it is
	 * written in any order, and not flushed.
	 */
	bool		hidden;
};

/*
 * The form of the records of a log of version 2 or not, @log_size_bb blocks,
 * with sb_logsunit and sb_logsectsize as the superblock has them.
 */
struct xlog_form newlog_form(bool logv2, uint32_t sunit_bytes,
			     uint32_t sector_bytes, uint32_t log_size_bb,
			     const uint8_t uuid[16]);

/* 0, or -EUCLEAN, reported: a log that small has no room for a record. */
int newlog_check(const struct newlog *n) MUST_CHECK;

/*
 * Write all of it. From the first write to the last, which makes it clean, the
 * log looks empty; on success it is durable. As newlog_check(), -ENOMEM, -EIO
 * and what else dev_write() says; all are reported through the device.
 */
int newlog_write(const struct newlog *n) MUST_CHECK;

struct xlog;

/*
 * The first cycle that nothing has seen: neither the records in @log nor, of
 * version 5, the superblock and the headers of allocation groups. -EUCLEAN:
 * there is none; -ENOMEM, -EIO; all are reported.
 */
int newlog_next_cycle(struct xlog *log, uint32_t *cycle) MUST_CHECK;

/*
 * Read @log, in whose place @n has been written: its head into *@head, unless
 * that is NULL. -EIO, reported: it is not the clean log that it should be.
 */
int newlog_read_back(const struct newlog *n, struct xlog *log,
		     xlog_lsn_t *head) MUST_CHECK;

#endif
