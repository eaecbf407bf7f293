/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two halves of replay_superblock().
 */
#ifndef LIBXLOG_REPLAY_COUNTERS_H
#define LIBXLOG_REPLAY_COUNTERS_H

#include "libxlog/replay/replay.h"

/*
 * Free extents of the realtime device, which is not looked at: bitmaps in
 * metadata files have a bit for each. Errors are reported.
 */
int counters_realtime(struct replay *r, uint64_t *out) MUST_CHECK;

#endif
