/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log items of intents and of what is done. An intent is a copy of its regions,
 * made once: what it was made of may be gone when it is logged again. It
 * lives until it is neither in the log's hands nor still to be done; then it
 * leaves the AIL. A done item lives until its checkpoint is durable, and its
 * intent with it.
 */
#ifndef LIBXLOG_TRANS_INTENT_H
#define LIBXLOG_TRANS_INTENT_H

#include "libxlog/trans/defer.h"

struct intent;

/*
 * A new intent for @works, still to be done, which is the caller's. NULL,
 * reported: no memory.
 */
struct intent *intent_new(struct trans_fs *fs, const struct defer_type *type,
			  const struct list *works);

/* One that is in the log already, at @lsn, where it goes into the AIL. */
struct intent *intent_recovered(struct trans_fs *fs,
				const struct defer_type *type,
				const struct list *works, uint64_t id,
				xfs_lsn_t lsn);

/* The same as @in, with an id of its own. */
struct intent *intent_again(const struct intent *in);

/* @t logs it. */
void intent_log(struct trans *t, struct intent *in);

/*
 * @t logs that it is done; takes @in on success only. -ENOMEM, reported. @in
 * can still be logged by @t then, which tests do.
 */
int intent_log_done(struct trans *t, struct intent *in) MUST_CHECK;

/* It will not be done any more. NULL is allowed. */
void intent_drop(struct intent *in);

/* For trace events. */
const struct log_item *intent_item(const struct intent *in);

/* It keeps the tail from moving to where it ought to be. */
bool intent_is_behind(const struct intent *in);

#endif
