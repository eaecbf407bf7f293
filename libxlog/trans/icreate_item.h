/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log item of a new chunk of inodes: one small item in place of all their
 * blocks, which replay makes from it. The blocks themselves are ordered
 * buffers. Version 5 only.
 */
#ifndef LIBXLOG_TRANS_ICREATE_ITEM_H
#define LIBXLOG_TRANS_ICREATE_ITEM_H

#include "libxlog/trans/trans.h"

/*
 * @t made @count inodes of @inodesize bytes in the @len_blocks blocks from
 * @agbno of group @agno, all free and of generation @gen. -ENOMEM, reported.
 */
int trans_icreate(struct trans *t, xfs_agnumber_t agno, xfs_agblock_t agbno,
		  uint32_t count, uint32_t inodesize, uint32_t len_blocks,
		  uint32_t gen) MUST_CHECK;

#endif
