/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads that move space about, in a filesystem of madefs.h, with the model of
 * space.h kept up to date. One seed, one load.
 */
#ifndef TESTS_LIB_SPACELOAD_H
#define TESTS_LIB_SPACELOAD_H

#include "tests/lib/space.h"

enum { SPACELOAD_EXTENTS = 4096, SPACELOAD_INO = 131 };

struct spaceload_extent {
	xfs_fsblock_t	fsb;
	uint32_t	len;
	struct rmap_owner who;
};

struct spaceload {
	struct madefs	*f;
	struct space	*s;
	uint64_t	rng;
	bool		may_stop;	/* if something fails, so be it */
	bool		stopped;	/* it did: nothing more is done */
	/* called after each step that was done; may be NULL */
	void		(*stepped)(struct spaceload *l);
	/* what spaceload_steps() has allocated */
	struct spaceload_extent extents[SPACELOAD_EXTENTS];
	unsigned int	n;
	uint64_t	next_off;
};

/* A filesystem of its own. */
struct spaceload *spaceload_new(const struct madefs_want *want, uint64_t seed);
void spaceload_free(struct spaceload *l);

/* A number below @limit. */
uint32_t spaceload_below(struct spaceload *l, uint32_t limit);

/*
 * A transaction (NULL: the load has stopped), its end, and what else can fail:
 * false if it has stopped.
 */
struct trans *spaceload_trans(struct spaceload *l, enum xfs_tr tr);
bool spaceload_commit(struct spaceload *l, struct trans *t);
bool spaceload_ok(struct spaceload *l, int rc);

/* Allocations of every kind, and extents freed in whole and in part. */
void spaceload_steps(struct spaceload *l, unsigned int steps);
void spaceload_release_all(struct spaceload *l);

/*
 * Take all that a group has, by at most @maxlen blocks; then free every other
 * block, then the others, in any order.
 */
void spaceload_fill(struct spaceload *l, xfs_agnumber_t agno, uint32_t maxlen);
void spaceload_comb(struct spaceload *l, xfs_agnumber_t agno);

#endif
