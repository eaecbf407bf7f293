/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the tree laboratory share.
 */
#ifndef TESTS_LIB_TREELAB_PRIV_H
#define TESTS_LIB_TREELAB_PRIV_H

#include <stdio.h>
#include <stdlib.h>

#include "libxlog/trans/trans_buf.h"
#include "tests/lib/treelab.h"

#define CHECK(lab, what)						\
	do {								\
		if (!(what)) {						\
			fprintf(stderr,					\
				"%s:%d: %s\n%s, seed %llu, op %llu\n%s",\
				__FILE__, __LINE__, #what,		\
				xfs_btree_name((lab)->opts.kind),	\
				(unsigned long long)(lab)->opts.seed,	\
				(unsigned long long)(lab)->ops,		\
				(lab)->reports);			\
			abort();					\
		}							\
	} while (0)

enum { TREELAB_AGNO = 1 };

/* Where root and counters of the kind are in the AGF or AGI; 0: none. */
struct treelab_ag {
	uint16_t	root, level, blocks;
	bool		in_agi;
};
extern const struct treelab_ag treelab_ags[XFS_BTREE_KINDS];

static inline bool treelab_in_fork(const struct treelab *lab)
{
	return lab->opts.kind == XFS_BTREE_BMAP;
}

xfs_daddr_t treelab_ag_daddr(const struct treelab *lab);
xfs_daddr_t treelab_daddr(const struct treelab *lab, uint64_t block);

/* The filesystem on @dev, and the log. */
void treelab_open_fs(struct treelab *lab, struct dev *dev);
void treelab_close_fs(struct treelab *lab);
int treelab_get_inode(struct treelab *lab) MUST_CHECK;

/* Extents that a list in the fork has room for. */
uint32_t treelab_list_max(struct treelab *lab);

/* The bytes of a record on disk. */
void treelab_encode(const struct treelab *lab, const union btree_rec *rec,
		    uint8_t *raw);

extern const struct btree_space_ops treelab_space;

#endif
