/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interior nodes and the name hash. An entry of a node fills eight bytes and
 * the headers are multiples of eight, so that none lies in two chunks.
 */
#include "libxfsfmt/da.h"

#include "libxfsfmt/geom.h"

XFS_DEFINE(xfs_da_node_hdr, XFS_DA_NODE_HDR_ROWS)
XFS_DEFINE(xfs_da3_node_hdr, XFS_DA3_NODE_HDR_ROWS)
XFS_DEFINE(xfs_da_node_entry, XFS_DA_NODE_ENTRY_ROWS)

uint16_t xfs_da_magic(const struct xfs_walk *w)
{
	return xfs_walk_has(w, XFS_DA_MAGIC_OFF, 2) ?
	       get_be16(w->base + XFS_DA_MAGIC_OFF) : 0;
}

bool xfs_da_is_v5(const struct xfs_walk *w, bool *known)
{
	*known = true;
	switch (xfs_da_magic(w)) {
	case XFS_DA3_NODE_MAGIC:
	case XFS_ATTR3_LEAF_MAGIC:
	case XFS_DIR3_LEAF1_MAGIC:
	case XFS_DIR3_LEAFN_MAGIC:
		return true;
	case XFS_DA_NODE_MAGIC:
	case XFS_ATTR_LEAF_MAGIC:
	case XFS_DIR2_LEAF1_MAGIC:
	case XFS_DIR2_LEAFN_MAGIC:
		return false;
	}
	*known = w->geom != NULL;
	return w->geom && w->geom->v5;
}

static uint32_t hash_step(uint32_t hash, uint8_t c)
{
	return c ^ (hash << 7 | hash >> 25);
}

uint32_t xfs_da_hashname(const uint8_t *name, size_t len_bytes)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < len_bytes; i++)
		hash = hash_step(hash, name[i]);
	return hash;
}

/* Latin-1, whatever the encoding of the names: the format is defined so. */
static uint8_t fold_case(uint8_t c)
{
	bool upper = (c >= 'A' && c <= 'Z') ||
		     (c >= 0xc0 && c <= 0xde && c != 0xd7);

	return upper ? (uint8_t)(c + ('a' - 'A')) : c;
}

uint32_t xfs_dir_ci_hashname(const uint8_t *name, size_t len_bytes)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < len_bytes; i++)
		hash = hash_step(hash, fold_case(name[i]));
	return hash;
}

void xfs_walk_array(const struct xfs_walk *w, const char *name,
		    const struct xfs_field *table, size_t off_bytes,
		    size_t size_bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		xfs_walk_group(w, name, (long)i, table,
			       off_bytes + i * size_bytes, 0);
}

void xfs_walk_be16s(const struct xfs_walk *w, const char *name,
		    enum xfs_field_kind kind, size_t off_bytes, size_t count)
{
	const struct xfs_field table[] = {
		{ .name = name, .count = (uint16_t)count,
		  .type = XFS_TYPE_be16, .kind = (uint8_t)kind },
		{ .name = NULL }
	};

	if (count && count <= UINT16_MAX)
		xfs_walk_fields(w, table, off_bytes, 0);
}

const char *xfs_da_node_verify(const uint8_t *raw, size_t len_bytes,
			       const struct xfs_geom *geom)
{
	size_t hdr_bytes = geom->v5 ? xfs_da3_node_hdr_size :
				      xfs_da_node_hdr_size;
	uint16_t count, level;

	if (len_bytes < hdr_bytes)
		return "interior node shorter than its header";
	if (get_be16(raw + XFS_DA_MAGIC_OFF) !=
	    (geom->v5 ? XFS_DA3_NODE_MAGIC : XFS_DA_NODE_MAGIC))
		return "bad magic number of an interior node";
	if (geom->v5) {
		struct xfs_da3_node_hdr hdr;

		xfs_da3_node_hdr_decode(&hdr, raw, len_bytes, XFS_BE);
		count = hdr.count;
		level = hdr.level;
	} else {
		struct xfs_da_node_hdr hdr;

		xfs_da_node_hdr_decode(&hdr, raw, len_bytes, XFS_BE);
		count = hdr.count;
		level = hdr.level;
	}
	if (!level || level > XFS_DA_MAX_DEPTH)
		return "bad level of an interior node";
	if (!count || count > (len_bytes - hdr_bytes) / xfs_da_node_entry_size)
		return "bad number of entries in an interior node";
	return NULL;
}

void xfs_da_node_walk(const struct xfs_walk *w)
{
	bool known, v5 = xfs_da_is_v5(w, &known);
	size_t hdr_bytes = v5 ? xfs_da3_node_hdr_size : xfs_da_node_hdr_size;
	size_t count, stored;

	if (!known || w->len_bytes < hdr_bytes)
		return;
	xfs_walk_group(w, "hdr", -1, v5 ? xfs_da3_node_hdr_fields :
					  xfs_da_node_hdr_fields, 0, 0);
	count = (w->len_bytes - hdr_bytes) / xfs_da_node_entry_size;
	if (xfs_walk_has(w, 0, hdr_bytes)) {
		stored = get_be16(w->base + (v5 ? XFS_DA3_INFO_BYTES :
						  XFS_DA_INFO_BYTES));
		if (stored < count)
			count = stored;
	}
	xfs_walk_array(w, "btree", xfs_da_node_entry_fields, hdr_bytes,
		       xfs_da_node_entry_size, count);
}
