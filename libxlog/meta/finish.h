/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a recovery does behind replay: pending intents are finished, unlinked
 * inodes inactivated, leftover CoW extents freed, all by transactions.
 */
#ifndef LIBXLOG_META_FINISH_H
#define LIBXLOG_META_FINISH_H

#include "libxlog/replay/replay.h"
#include "libxlog/trans/defer.h"

extern const struct replay_finisher finish_remainder;

/* What tests change in the order of things, of whoever finishes next. */
extern struct defer_hooks finish_hooks;

/* --- intents (finish_intent.c) --- */

/*
 * What the pending intent @p wants: works of *@type. -EUCLEAN: it cannot be
 * meant; -EOPNOTSUPP: it cannot be finished here; -ENOMEM; reported. Nothing
 * is read for that.
 */
int finish_decode(struct trans_fs *fs, const struct xlog_pending_intent *p,
		  const struct defer_type **type,
		  struct list *works) MUST_CHECK;

/* Do the first step of @rec, which is taken. */
int finish_begin(struct trans_fs *fs, struct defer_recovered *rec,
		 struct list *captures) MUST_CHECK;

#endif
