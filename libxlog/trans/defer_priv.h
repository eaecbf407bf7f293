/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of deferred operations: works that share an intent.
 */
#ifndef LIBXLOG_TRANS_DEFER_PRIV_H
#define LIBXLOG_TRANS_DEFER_PRIV_H

#include "libxlog/trans/intent.h"

struct defer_pending {
	struct list	link;
	const struct defer_type *type;
	struct list	works;
	unsigned int	count;
	struct intent	*intent;	/* in the log, not done; or NULL */
};

/* Of no works yet. NULL, reported: no memory. */
struct defer_pending *defer_pending_new(struct trans_fs *fs,
					const struct defer_type *type);
void defer_pending_free_all(struct list *pending);

/*
 * @t logs intents for what it has deferred, which moves in front of @pending,
 * whatever is returned.
 */
int defer_log_intents(struct trans *t, struct list *pending) MUST_CHECK;

/*
 * Do @p in @t, with its done item. It is freed, or (its works are not all
 * done) has a new intent and stays where it is; also on an error.
 */
int defer_finish_one(struct trans *t, struct defer_pending *p) MUST_CHECK;

/*
 * Do all of @pending, each of which has an intent, and what @t has deferred.
 * On an error the log has been shut down, and @pending is empty.
 */
int defer_run(struct trans **t, struct list *pending) MUST_CHECK;

#endif
