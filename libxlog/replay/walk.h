/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One walk over the checkpoints of the live log, with their items in the order
 * in which replay takes them. See walk.c.
 */
#ifndef LIBXLOG_REPLAY_WALK_H
#define LIBXLOG_REPLAY_WALK_H

#include "libxlog/replay/replay.h"

/* Called for every item that has a type of ours; nonzero ends the walk. */
typedef int (*replay_item_fn)(struct replay *r, const struct replay_item *it);

struct replay_walk {
	uint64_t	records, checkpoints, items, uncommitted;
	xfs_lsn_t	last_lsn;	/* of the last checkpoint, or 0 */
};

/*
 * Walk from tail to head, or to where opts->stop_* say. The progress callback
 * is told @phase and the number of records. Errors are reported: of the
 * reader, of @fn, -ECANCELED.
 */
int replay_walk(struct replay *r, enum xlog_phase phase, replay_item_fn fn,
		struct replay_walk *out) MUST_CHECK;

/* The same over the checkpoints behind the place where replay stops. */
int replay_walk_beyond(struct replay *r, replay_item_fn fn) MUST_CHECK;

#endif
