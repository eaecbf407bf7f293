/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A load of a filesystem with reflink: files that have blocks in common, and
 * blocks set aside for copy on write, by deferred operations, as changes of
 * maps would make them.
 */
#ifndef TESTS_LIB_SPACESHARE_H
#define TESTS_LIB_SPACESHARE_H

#include "tests/lib/spaceload.h"

void spaceshare_steps(struct spaceload *l, unsigned int steps);

/* Nothing of what spaceshare_steps() has left is in use any more. */
void spaceshare_release_all(struct spaceload *l);

/* One operation, in @t and in the model. */
void spaceshare_cow(struct spaceload *l, struct trans *t, xfs_fsblock_t fsb,
		    uint32_t len, bool on);

#endif
