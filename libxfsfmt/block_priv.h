/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What block.c and the table in blocktab.c know of each other. */
#ifndef LIBXFSFMT_BLOCK_PRIV_H
#define LIBXFSFMT_BLOCK_PRIV_H

#include "libxfsfmt/block.h"

/* Kinds that no magic number leads to. */
extern const struct xfs_block_type xfs_block_some_btree;
extern const struct xfs_block_type xfs_block_unlinked;

/* Show the slots of which something is there; or only their list pointers. */
void xfs_block_inodes_walk(const struct xfs_walk *w, bool unlinked_only);

#endif
