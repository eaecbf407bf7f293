/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents that wait for their done. Ids are used again as soon as an intent
 * is done, so a done ends the oldest intent of its type and id that was logged
 * before it, and items must be shown in log order.
 */
#ifndef CMD_PENDING_H
#define CMD_PENDING_H

#include "libxfsfmt/logitem.h"
#include "libxlog/xlog.h"

struct pending;

struct pending_intent {
	struct xfs_intent intent;
	xlog_lsn_t	lsn;		/* its checkpoint */
	bool		big_endian;
	struct xlog_item item;		/* a copy; no regions if there was no
					   room for one */
};

/* NULL: out of memory. */
struct pending *pending_new(void);
void pending_free(struct pending *p);

/*
 * Account for @item if it is an intent or a done. Returns 0 or -ENOMEM.
 */
int pending_item(struct pending *p, const struct xlog_item *item,
		 xlog_lsn_t lsn, bool big_endian);

/* Intents that wait. */
size_t pending_count(const struct pending *p);

/*
 * Those logged after @prev, one a call; the oldest if @prev is NULL; NULL at
 * the end. Valid until the next pending_item().
 */
const struct pending_intent *pending_next(const struct pending *p,
					  const struct pending_intent *prev);

#endif
