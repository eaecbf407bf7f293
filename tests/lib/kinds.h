/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transactions over all kinds of objects of a filesystem, one after the other,
 * chosen by a seed, and a model of what they make of it.
 */
#ifndef TESTS_LIB_KINDS_H
#define TESTS_LIB_KINDS_H

#include <stdio.h>
#include <stdlib.h>

#include "libxlog/dev/fault.h"
#include "libxlog/meta/mount.h"
#include "libxlog/trans/inode_item.h"
#include "tests/lib/kinds_model.h"
#include "tests/lib/stack.h"

enum {
	KINDS_CHUNKS = 4,
	KINDS_BLOCKS = 24,
	KINDS_INODES = 4000,
};

/* What a place of the pool is now. */
enum kinds_state {
	NOTHING,
	BLOCK,			/* of a btree */
	INODES,			/* a chunk */
};

struct kinds {
	struct dev	*image, *base;
	struct dev	*fault;
	struct xlog	*reader;
	struct mount	*m;
	struct kinds_model *model;
	struct inode	*inode[KINDS_INODES];
	unsigned int	ninodes;
	enum kinds_state block[KINDS_BLOCKS];
	enum kinds_state chunk[KINDS_CHUNKS];
	uint64_t	chunk_done[KINDS_CHUNKS];	/* made or freed: by that */
	uint64_t	txn;		/* the one at hand, from 1 */
	uint64_t	forced;
	uint64_t	seed;
	char		said[256];
};

#define CHECK(s, what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__,	\
				__LINE__, #what, (s)->said);		\
			exit(1);					\
		}							\
	} while (0)

static inline uint64_t kinds_random(struct kinds *s, uint64_t below)
{
	return stack_random(&s->seed) % below;
}

/* Blocks of free space that are used, all in all. */
uint32_t kinds_blocks(const struct xfs_geom *g);

/* A few transactions, or a step or a force of the log. */
void kinds_step(struct kinds *s);

#endif
