/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The buffer of a BUF item: what it holds, and its contents as far as they
 * were logged.
 */
#ifndef CMD_PRINT_BLOCK_H
#define CMD_PRINT_BLOCK_H

#include "cmd/print.h"

/* Put the buffer of @v together in pr->block, which the others show. */
void print_block_load(struct print *pr, const struct xfs_logitem_view *v);

/* "ag0/3": group and block. */
void print_block_place(struct print *pr, const struct xfs_geom *geom,
		       xfs_daddr_t daddr);

/* "finobt ag0/3 level 0 root  lsn 1:2" */
void print_block_brief(struct print *pr, const struct xfs_logitem_view *v);

/* The keys of the JSON object that say the same. */
void print_block_keys(struct print *pr, const struct xfs_logitem_view *v);

/* Show the contents, in group "block". */
void print_block_walk(struct print *pr, const struct xfs_walk_ops *ops,
		      void *ctx);

#endif
