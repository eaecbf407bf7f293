/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interior nodes of attribute and directory trees; see daedit.h.
 */
#include "libxfsfmt/daedit.h"

enum { ENTRY = 8 };

static uint8_t *counts(const uint8_t *raw, const struct xfs_geom *g)
{
	return (uint8_t *)(uintptr_t)raw + (g->v5 ? XFS_DA3_INFO_BYTES :
						    XFS_DA_INFO_BYTES);
}

static uint32_t header_bytes(const struct xfs_geom *g)
{
	return g->v5 ? xfs_da3_node_hdr_size : xfs_da_node_hdr_size;
}

static uint8_t *entry(const uint8_t *raw, const struct xfs_geom *g,
		      uint32_t index)
{
	return (uint8_t *)(uintptr_t)raw + header_bytes(g) +
	       (size_t)index * ENTRY;
}

void xfs_da_set_place(uint8_t *raw, const struct xfs_geom *g,
		      xfs_daddr_t daddr)
{
	if (g->v5)
		put_be64(raw + XFS_DA3_BLKNO_OFF, daddr);
}

void xfs_da_node_init(uint8_t *raw, const struct xfs_geom *g, uint32_t level,
		      xfs_daddr_t daddr, xfs_ino_t owner)
{
	memset(raw, 0, g->blocksize);
	put_be16(raw + XFS_DA_MAGIC_OFF,
		 g->v5 ? XFS_DA3_NODE_MAGIC : XFS_DA_NODE_MAGIC);
	put_be16(counts(raw, g) + 2, (uint16_t)level);
	if (!g->v5)
		return;
	put_be64(raw + XFS_DA3_BLKNO_OFF, daddr);
	memcpy(raw + XFS_DA3_UUID_OFF, g->meta_uuid, sizeof(g->meta_uuid));
	put_be64(raw + XFS_DA3_OWNER_OFF, owner);
}

uint32_t xfs_da_node_level(const uint8_t *raw, const struct xfs_geom *g)
{
	return get_be16(counts(raw, g) + 2);
}

uint32_t xfs_da_node_count(const uint8_t *raw, const struct xfs_geom *g)
{
	return get_be16(counts(raw, g));
}

static void add_count(uint8_t *raw, const struct xfs_geom *g, int n)
{
	put_be16(counts(raw, g),
		 (uint16_t)((int)xfs_da_node_count(raw, g) + n));
}

uint32_t xfs_da_node_max(const struct xfs_geom *g)
{
	return (g->blocksize - header_bytes(g)) / ENTRY;
}

uint32_t xfs_da_node_hash(const uint8_t *raw, const struct xfs_geom *g,
			  uint32_t index)
{
	return get_be32(entry(raw, g, index));
}

uint32_t xfs_da_node_block(const uint8_t *raw, const struct xfs_geom *g,
			   uint32_t index)
{
	return get_be32(entry(raw, g, index) + 4);
}

void xfs_da_node_set(uint8_t *raw, const struct xfs_geom *g, uint32_t index,
		     uint32_t hash, uint32_t block)
{
	put_be32(entry(raw, g, index), hash);
	put_be32(entry(raw, g, index) + 4, block);
}

uint32_t xfs_da_node_find(const uint8_t *raw, const struct xfs_geom *g,
			  uint32_t hash)
{
	uint32_t low = 0, high = xfs_da_node_count(raw, g) - 1;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (xfs_da_node_hash(raw, g, mid) < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void xfs_da_node_insert(uint8_t *raw, const struct xfs_geom *g, uint32_t index,
			uint32_t hash, uint32_t block)
{
	uint8_t *at = entry(raw, g, index);

	memmove(at + ENTRY, at,
		(size_t)(xfs_da_node_count(raw, g) - index) * ENTRY);
	xfs_da_node_set(raw, g, index, hash, block);
	add_count(raw, g, 1);
}

void xfs_da_node_remove(uint8_t *raw, const struct xfs_geom *g,
			uint32_t index)
{
	uint32_t left = xfs_da_node_count(raw, g) - index - 1;
	uint8_t *at = entry(raw, g, index);

	memmove(at, at + ENTRY, (size_t)left * ENTRY);
	memset(at + (size_t)left * ENTRY, 0, ENTRY);
	add_count(raw, g, -1);
}

void xfs_da_node_move(uint8_t *src, uint32_t from, uint8_t *dst, uint32_t to,
		      uint32_t count, const struct xfs_geom *g)
{
	uint8_t *s = entry(src, g, from), *d = entry(dst, g, to);
	size_t len = (size_t)count * ENTRY;
	size_t rest = (size_t)(xfs_da_node_count(src, g) - from - count) *
		      ENTRY;

	memmove(d + len, d, (size_t)(xfs_da_node_count(dst, g) - to) * ENTRY);
	memcpy(d, s, len);
	memmove(s, s + len, rest);
	memset(s + rest, 0, len);
	add_count(dst, g, (int)count);
	add_count(src, g, -(int)count);
}
