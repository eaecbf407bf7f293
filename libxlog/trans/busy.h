/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Busy extents: freed by a transaction that is not yet durable. After a crash
 * they may belong to their old owner again, so nothing may be written into
 * them that does not go through the log behind that transaction: file data and
 * discards wait until the checkpoint that freed them is durable. What is
 * logged may have them at once, since recovery sees it in order.
 *
 * An extent is busy from busy_insert() until its checkpoint is durable and, if
 * extents are discarded, it has been. Every function may be called by any
 * thread; the caller has the AGF of the group locked, so that nobody else
 * frees or takes blocks of it meanwhile.
 */
#ifndef LIBXLOG_TRANS_BUSY_H
#define LIBXLOG_TRANS_BUSY_H

#include "libxlog/trans/trans.h"

struct busy;

/*
 * The busy extents of all groups of a filesystem of @geom; none yet. With
 * @discard, borrowed, not NULL, they are discarded there. -ENOMEM, not
 * reported.
 */
int busy_new(const struct xfs_geom *geom, struct dev *discard,
	     struct busy **out) MUST_CHECK;

/* After log_close(). NULL is allowed. */
void busy_free(struct busy *busy);

/* log_config.busy_done(), with the struct busy. */
void busy_done(void *busy, struct list *extents, bool abort);

enum { BUSY_KEEP = 1 };			/* is not discarded */

/*
 * @t frees blocks: they are busy. -ENOMEM, -EUCLEAN: some of them were freed
 * before, by transactions that are not durable; reported, and @t is to be
 * cancelled.
 */
int busy_insert(struct trans *t, xfs_agnumber_t agno, xfs_agblock_t agbno,
		uint32_t len_fsb, unsigned int flags) MUST_CHECK;

/* Is any of these blocks busy? */
bool busy_search(struct trans_fs *fs, xfs_agnumber_t agno,
		 xfs_agblock_t agbno, uint32_t len_fsb);

/*
 * What can be taken of free blocks at once: the first stretch without a busy
 * block that has at least @want_fsb, else the longest; *@len_fsb is 0 if all
 * are busy. True: something was cut off.
 */
bool busy_trim(struct trans_fs *fs, xfs_agnumber_t agno, uint32_t want_fsb,
	       xfs_agblock_t *agbno, uint32_t *len_fsb);

/*
 * Blocks are taken for what goes through the log: they are not busy any more,
 * and will not be discarded. Waits for those that are being discarded now.
 * -ENOMEM, reported.
 */
int busy_reuse(struct trans *t, xfs_agnumber_t agno, xfs_agblock_t agbno,
	       uint32_t len_fsb) MUST_CHECK;

/*
 * Wait until none of these blocks is busy: the log is forced no further than
 * the checkpoint that freed the last of them. -EAGAIN: @t itself has freed
 * some, and would have to be rolled first; the others are free. -ESHUTDOWN.
 * The caller's locks must not be what the log waits for: none but objects'.
 */
int busy_flush(struct trans *t, xfs_agnumber_t agno, xfs_agblock_t agbno,
	       uint32_t len_fsb) MUST_CHECK;

/* The same for whatever is busy now in the whole group. */
int busy_flush_group(struct trans *t, xfs_agnumber_t agno) MUST_CHECK;

#endif
