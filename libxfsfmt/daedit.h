/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing, in memory, the interior nodes of the tree of hashes that
 * attributes and directories have, and the siblings of its blocks. An entry of
 * a node says the highest hash of the block that it points to. Nothing here
 * looks at LSN and checksum; nodes have been verified (xfs_da_node_verify()).
 */
#ifndef LIBXFSFMT_DAEDIT_H
#define LIBXFSFMT_DAEDIT_H

#include "libxfsfmt/da.h"
#include "libxfsfmt/geom.h"

/* --- what all blocks begin with --- */

static inline uint32_t xfs_da_forw(const uint8_t *raw)
{
	return get_be32(raw);
}

static inline uint32_t xfs_da_back(const uint8_t *raw)
{
	return get_be32(raw + 4);
}

static inline void xfs_da_set_forw(uint8_t *raw, uint32_t block)
{
	put_be32(raw, block);
}

static inline void xfs_da_set_back(uint8_t *raw, uint32_t block)
{
	put_be32(raw + 4, block);
}

/* A block is copied to another place, which version 5 has in it. */
void xfs_da_set_place(uint8_t *raw, const struct xfs_geom *g,
		      xfs_daddr_t daddr);

/* --- nodes --- */

/* Make one at @raw, of zeros otherwise. */
void xfs_da_node_init(uint8_t *raw, const struct xfs_geom *g, uint32_t level,
		      xfs_daddr_t daddr, xfs_ino_t owner);

uint32_t xfs_da_node_level(const uint8_t *raw, const struct xfs_geom *g);
uint32_t xfs_da_node_count(const uint8_t *raw, const struct xfs_geom *g);

/* Entries there is room for. */
uint32_t xfs_da_node_max(const struct xfs_geom *g);

uint32_t xfs_da_node_hash(const uint8_t *raw, const struct xfs_geom *g,
			  uint32_t index);
uint32_t xfs_da_node_block(const uint8_t *raw, const struct xfs_geom *g,
			   uint32_t index);
void xfs_da_node_set(uint8_t *raw, const struct xfs_geom *g, uint32_t index,
		     uint32_t hash, uint32_t block);

/*
 * The first entry whose block may have @hash, or the last entry if that is
 * higher than all.
 */
uint32_t xfs_da_node_find(const uint8_t *raw, const struct xfs_geom *g,
			  uint32_t hash);

/* There is room. */
void xfs_da_node_insert(uint8_t *raw, const struct xfs_geom *g, uint32_t index,
			uint32_t hash, uint32_t block);
void xfs_da_node_remove(uint8_t *raw, const struct xfs_geom *g,
			uint32_t index);

/*
 * Move @count entries of @src from @from to before entry @to of @dst, which
 * has room for them.
 */
void xfs_da_node_move(uint8_t *src, uint32_t from, uint8_t *dst, uint32_t to,
		      uint32_t count, const struct xfs_geom *g);

#endif
