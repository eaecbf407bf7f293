/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The three kinds of things that replay leaves to whoever mounts, one file
 * each. All count what they find in the result and tell of it.
 */
#ifndef LIBXLOG_REPLAY_REMAIN_H
#define LIBXLOG_REPLAY_REMAIN_H

#include "libxlog/replay/replay.h"

/* Intents without a done, in log order (remain_intent.c). */
void remain_intents(struct replay *r);

/* Inodes in the unlinked lists of all groups (remain_unlinked.c). */
int remain_unlinked(struct replay *r) MUST_CHECK;

/* Space set aside for copy on write (remain_cow.c). */
int remain_cow(struct replay *r) MUST_CHECK;

static inline void remain_tell(struct replay *r,
			       const struct xlog_remainder *rem)
{
	if (r->opts->remainder)
		r->opts->remainder(r->opts->ctx, rem);
}

#endif
