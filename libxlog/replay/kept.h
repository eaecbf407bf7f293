/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filesystem as replay leaves it, before it is written: what is in memory,
 * then copies kept of windows that are not, then the disk. See kept.c.
 */
#ifndef LIBXLOG_REPLAY_KEPT_H
#define LIBXLOG_REPLAY_KEPT_H

#include "libxlog/replay/replay.h"

struct kept;

/* Copies take at most one part in this many of the memory. */
enum { KEPT_SHARE = 4 };

/* NULL: out of memory. */
struct kept *kept_new(void);
void kept_free(struct kept *k);
uint64_t kept_bytes(const struct kept *k);

/*
 * Copy what will be asked for later of the window that is in memory: headers
 * of groups, reference counts, buffers with unlinked inodes. Errors are
 * reported.
 */
int kept_take(struct replay *r) MUST_CHECK;

#endif
