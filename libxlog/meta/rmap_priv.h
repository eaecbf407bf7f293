/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What rmap.c, which changes the tree, and rmap_defer.c, which says when, have
 * in common.
 */
#ifndef LIBXLOG_META_RMAP_PRIV_H
#define LIBXLOG_META_RMAP_PRIV_H

#include "libxlog/meta/rmap.h"

/*
 * @rec comes, or goes, or has another state (rm_unwritten: the new one).
 * @shared: other owners may have the same blocks.
 */
int rmap_map(struct btree_cur *cur, const struct xfs_rmap_rec *rec,
	     bool shared) MUST_CHECK;
int rmap_unmap(struct btree_cur *cur, const struct xfs_rmap_rec *rec,
	       bool shared) MUST_CHECK;
int rmap_convert(struct btree_cur *cur, const struct xfs_rmap_rec *rec,
		 bool shared) MUST_CHECK;

#endif
