/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tests of space keep in mind: who owns which block. space_check() then
 * compares all that the groups of a filesystem say of their space with that:
 * trees, free list and counters agree with each other and leave nothing out,
 * the owners and reference counts are these, joined as far as they can be.
 */
#ifndef TESTS_LIB_SPACE_H
#define TESTS_LIB_SPACE_H

#include "libxlog/meta/alloc.h"
#include "libxlog/meta/refcount.h"
#include "tests/lib/madefs.h"

enum { SPACE_OWNERS = 4 };		/* of one block */

struct space_owner {
	uint64_t	owner, off;	/* as in struct rmap_owner */
	bool		attr, bmbt, unwritten;
};

struct space_block {
	struct space_owner own[SPACE_OWNERS];
	unsigned int	n;		/* 0: not the test's */
	bool		cow;		/* set aside for copy on write */
};

/* Only of blocks that the test has allocated. */
struct space {
	struct madefs	*f;
	struct xfs_geom	geom;
	const struct xfs_geom *g;	/* that */
	struct space_block **ag;	/* by group, then by block */
	uint64_t	owned;		/* blocks with an owner, or more */
};

struct space *space_new(struct madefs *f);
void space_free(struct space *s);

/* Block @i of the extent is at @who->off + i of a file. */
void space_add(struct space *s, xfs_fsblock_t fsb, uint32_t len,
	       const struct space_owner *who);
void space_remove(struct space *s, xfs_fsblock_t fsb, uint32_t len,
		  uint64_t owner);
struct space_block *space_at(struct space *s, xfs_fsblock_t fsb);

/* A recovery has freed all that was set aside for copy on write. */
void space_forget_cow(struct space *s);

/*
 * What the rmapbt of a filesystem says, as a model: the owners that are files,
 * and copy on write. A number that tells models of files from each other.
 */
struct space *space_read(struct madefs *f);
uint64_t space_digest(const struct space *s);

/* Compare, with asserts. The filesystem is in use, nothing is locked. */
void space_check(struct space *s);

#endif
