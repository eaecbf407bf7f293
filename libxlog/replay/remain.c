/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a mount would go on with after replay. Finishing it changes blocks that
 * the log says nothing about, through new transactions; here it is only found.
 *
 * Linux skips groups and unlinked lists that it cannot read, and leaves them
 * to xfs_repair; here that is an error: what cannot be read cannot be said to
 * be empty, and the log is not to be ended as if it were.
 */
#include "libxlog/replay/remain.h"

int replay_remainder(struct replay *r)
{
	int rc;

	r->res->intents = r->res->unlinked = r->res->cow_extents = 0;
	remain_intents(r);
	rc = remain_unlinked(r);
	return rc ? rc : remain_cow(r);
}
