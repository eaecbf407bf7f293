/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How high each btree can grow. Space in the log is set aside for the highest,
 * so these heights decide how large a transaction, and with it a log, must be;
 * writer and kernel have to agree on them.
 */
#ifndef LIBXFSFMT_LEVELS_H
#define LIBXFSFMT_LEVELS_H

#include "libxfsfmt/geom.h"

struct xfs_levels {
	uint8_t	alloc;		/* bnobt, cntbt */
	uint8_t	ino;		/* inobt, finobt */
	uint8_t	rmap;		/* 0: the filesystem has none */
	uint8_t	refc;		/* 0: the filesystem has none */
	/* of the extents of a file, with the root in the inode */
	uint8_t	bmap_data, bmap_attr;
};

/*
 * Levels of the highest btree of @records, whose leaves hold at least
 * @leaf_min of them and whose nodes have at least @node_min children, two or
 * more: every block is as empty as it may be.
 */
uint8_t xfs_levels_of(uint64_t records, uint64_t leaf_min, uint64_t node_min);

/*
 * Levels of the highest btree that takes fewer than @blocks, where there is no
 * limit to its records; one at least.
 */
uint8_t xfs_levels_in(uint64_t blocks, uint64_t node_min);

void xfs_levels_init(struct xfs_levels *lv, const struct xfs_geom *g);

#endif
