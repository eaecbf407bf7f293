/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two halves of replay_superblock(), and the same for a filesystem whose
 * log is not replayed.
 */
#ifndef LIBXLOG_REPLAY_COUNTERS_H
#define LIBXLOG_REPLAY_COUNTERS_H

#include "libxlog/replay/replay.h"

/*
 * Free extents of the realtime device, which is not looked at: bitmaps in
 * metadata files have a bit for each. Errors are reported.
 */
int counters_realtime(struct replay *r, uint64_t *out) MUST_CHECK;

/*
 * Make @raw, the superblock of @log, what replay_superblock() would make of it
 * if there were nothing to replay. @bounds are those of the log; errors are
 * reported, and as of replay_superblock().
 */
int counters_of_disk(struct xlog *log, const struct xlog_bounds *bounds,
		     uint8_t *raw) MUST_CHECK;

#endif
