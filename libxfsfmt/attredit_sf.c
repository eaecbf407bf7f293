/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes in shortform; see attredit.h.
 */
#include "libxfsfmt/attredit.h"

enum {
	SF_COUNT = 2,		/* in the header */
	SF_MAX_VALUE_BYTES = 255,
};

uint32_t xfs_attr_hash(const struct xfs_geom *g, const struct xfs_attr *a)
{
	struct xfs_parent_rec rec;
	uint32_t hash;

	if (!(a->space & XFS_ATTR_PARENT) ||
	    a->value_bytes != xfs_parent_rec_size)
		return xfs_da_hashname(a->name, a->name_bytes);
	xfs_parent_rec_decode(&rec, a->value, a->value_bytes, XFS_BE);
	hash = g->ascii_ci ? xfs_dir_ci_hashname(a->name, a->name_bytes) :
			     xfs_da_hashname(a->name, a->name_bytes);
	return hash ^ (uint32_t)(rec.p_ino >> 32) ^ (uint32_t)rec.p_ino;
}

static uint32_t totsize(const uint8_t *sf)
{
	return get_be16(sf);
}

static uint32_t entry_bytes(const uint8_t *e)
{
	return (uint32_t)xfs_attr_sf_entry_size + e[0] + e[1];
}

uint32_t xfs_attr_sf_entry_bytes(const struct xfs_attr *a)
{
	if (a->value_bytes > SF_MAX_VALUE_BYTES)
		return UINT32_MAX;
	return (uint32_t)xfs_attr_sf_entry_size + a->name_bytes +
	       a->value_bytes;
}

void xfs_attr_sf_init(uint8_t *sf)
{
	memset(sf, 0, xfs_attr_sf_hdr_size);
	put_be16(sf, xfs_attr_sf_hdr_size);
}

bool xfs_attr_sf_next(const uint8_t *sf, uint32_t *off, struct xfs_attr *a)
{
	const uint8_t *e;

	if (!*off)
		*off = xfs_attr_sf_hdr_size;
	if (*off >= totsize(sf))
		return false;
	e = sf + *off;
	a->name = e + xfs_attr_sf_entry_size;
	a->name_bytes = e[0];
	a->value = a->name + e[0];
	a->value_bytes = e[1];
	a->space = e[2] & XFS_ATTR_NAMESPACES;
	*off += entry_bytes(e);
	return true;
}

static bool is_same(const struct xfs_attr *a, const struct xfs_attr *b)
{
	if (a->space != b->space || a->name_bytes != b->name_bytes ||
	    memcmp(a->name, b->name, a->name_bytes))
		return false;
	return !(a->space & XFS_ATTR_PARENT) ||
	       (a->value_bytes == b->value_bytes &&
		!memcmp(a->value, b->value, a->value_bytes));
}

uint32_t xfs_attr_sf_find(const uint8_t *sf, const struct xfs_attr *a)
{
	uint32_t off = 0, at = xfs_attr_sf_hdr_size;
	struct xfs_attr e;

	while (xfs_attr_sf_next(sf, &off, &e)) {
		if (is_same(&e, a))
			return at;
		at = off;
	}
	return 0;
}

void xfs_attr_sf_add(uint8_t *sf, const struct xfs_attr *a)
{
	uint8_t *e = sf + totsize(sf);

	e[0] = (uint8_t)a->name_bytes;
	e[1] = (uint8_t)a->value_bytes;
	e[2] = a->space;
	memcpy(e + xfs_attr_sf_entry_size, a->name, a->name_bytes);
	if (a->value_bytes)
		memcpy(e + xfs_attr_sf_entry_size + a->name_bytes, a->value,
		       a->value_bytes);
	sf[SF_COUNT]++;
	put_be16(sf, (uint16_t)(totsize(sf) + entry_bytes(e)));
}

void xfs_attr_sf_remove(uint8_t *sf, uint32_t off)
{
	uint32_t bytes = entry_bytes(sf + off), end = totsize(sf);

	memmove(sf + off, sf + off + bytes, end - off - bytes);
	sf[SF_COUNT]--;
	put_be16(sf, (uint16_t)(end - bytes));
}
