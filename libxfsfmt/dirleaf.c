/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leaf and free space blocks of directories. Their arrays are indexed by
 * position, so that a block of which only pieces are there still shows each
 * element under its own number; how many elements count is in the header, and
 * all that fit are shown if that is missing.
 */
#include "libxfsfmt/dirleaf.h"

#include "libxfsfmt/geom.h"

XFS_DEFINE(xfs_dir2_leaf_hdr, XFS_DIR2_LEAF_HDR_ROWS)
XFS_DEFINE(xfs_dir3_leaf_hdr, XFS_DIR3_LEAF_HDR_ROWS)
XFS_DEFINE(xfs_dir_leaf_tail, XFS_DIR_LEAF_TAIL_ROWS)
XFS_DEFINE(xfs_dir2_free_hdr, XFS_DIR2_FREE_HDR_ROWS)
XFS_DEFINE(xfs_dir3_free_hdr, XFS_DIR3_FREE_HDR_ROWS)

enum { BEST_BYTES = 2 };

/* --- verification --- */

static bool leaf_magic_ok(uint16_t magic, bool v5)
{
	return v5 ? magic == XFS_DIR3_LEAF1_MAGIC ||
		    magic == XFS_DIR3_LEAFN_MAGIC :
		    magic == XFS_DIR2_LEAF1_MAGIC ||
		    magic == XFS_DIR2_LEAFN_MAGIC;
}

static bool is_leaf1(uint16_t magic)
{
	return magic == XFS_DIR2_LEAF1_MAGIC || magic == XFS_DIR3_LEAF1_MAGIC;
}

static void leaf_counts(const uint8_t *raw, bool v5, size_t *count,
			size_t *stale)
{
	size_t off = v5 ? XFS_DA3_INFO_BYTES : XFS_DA_INFO_BYTES;

	*count = get_be16(raw + off);
	*stale = get_be16(raw + off + 2);
}

const char *xfs_dir_leaf_verify(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom)
{
	size_t hdr_bytes = geom->v5 ? xfs_dir3_leaf_hdr_size :
				      xfs_dir2_leaf_hdr_size;
	size_t room_bytes, count, stale;
	uint16_t magic;

	if (len_bytes != geom->dirblock_bytes)
		return "directory leaf of a wrong size";
	magic = get_be16(raw + XFS_DA_MAGIC_OFF);
	if (!leaf_magic_ok(magic, geom->v5))
		return "bad magic number of a directory leaf";
	room_bytes = len_bytes - hdr_bytes;
	if (is_leaf1(magic)) {
		uint32_t bests = get_be32(raw + len_bytes -
					  xfs_dir_leaf_tail_size);

		room_bytes -= xfs_dir_leaf_tail_size;
		if (bests > room_bytes / BEST_BYTES)
			return "bad count of best lengths in a directory leaf";
		room_bytes -= bests * BEST_BYTES;
	}
	leaf_counts(raw, geom->v5, &count, &stale);
	if (count > room_bytes / xfs_dir_leaf_entry_size || stale > count)
		return "bad count of entries in a directory leaf";
	if (!xfs_dir_leaf_entries_ok(raw + hdr_bytes, count, stale))
		return "entries of a directory leaf out of order";
	return NULL;
}

static void free_counts(const uint8_t *raw, bool v5, uint32_t *firstdb,
			uint32_t *nvalid, uint32_t *nused)
{
	const uint8_t *p = raw + (v5 ? XFS_DIR3_HDR_BYTES : 4);

	*firstdb = get_be32(p);
	*nvalid = get_be32(p + 4);
	*nused = get_be32(p + 8);
}

const char *xfs_dir_free_verify(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom)
{
	size_t hdr_bytes = geom->v5 ? xfs_dir3_free_hdr_size :
				      xfs_dir2_free_hdr_size;
	uint32_t firstdb, nvalid, nused, room;

	if (len_bytes != geom->dirblock_bytes)
		return "directory free space block of a wrong size";
	if (get_be32(raw) != (geom->v5 ? XFS_DIR3_FREE_MAGIC :
					 XFS_DIR2_FREE_MAGIC))
		return "bad magic number of a directory free space block";
	room = (uint32_t)((len_bytes - hdr_bytes) / BEST_BYTES);
	free_counts(raw, geom->v5, &firstdb, &nvalid, &nused);
	if (nvalid > room || nused > nvalid)
		return "bad counts in a directory free space block";
	if (firstdb % room)
		return "directory free space block begins at a wrong block";
	return NULL;
}

/* --- showing what is there --- */

/* Shows "ltail" with its list; returns where the room for entries ends. */
static size_t leaf_tail_walk(const struct xfs_walk *w, size_t hdr_bytes)
{
	size_t tail = w->len_bytes - xfs_dir_leaf_tail_size;
	uint32_t bests;

	if (!xfs_walk_has(w, tail, xfs_dir_leaf_tail_size))
		return tail;
	bests = get_be32(w->base + tail);
	xfs_walk_group(w, "ltail", -1, xfs_dir_leaf_tail_fields, tail, 0);
	if (bests > (tail - hdr_bytes) / BEST_BYTES)
		return tail;
	xfs_walk_be16s(w, "lbests", XFS_KIND_UINT,
		       tail - bests * BEST_BYTES, bests);
	return tail - bests * BEST_BYTES;
}

static void leaf_walk(const struct xfs_walk *w, bool leaf1)
{
	bool known, v5 = xfs_da_is_v5(w, &known);
	size_t hdr_bytes = v5 ? xfs_dir3_leaf_hdr_size :
				xfs_dir2_leaf_hdr_size;
	size_t end = w->len_bytes, room, count, stale;

	if (!known || w->len_bytes < hdr_bytes + xfs_dir_leaf_tail_size)
		return;
	xfs_walk_group(w, "lhdr", -1, v5 ? xfs_dir3_leaf_hdr_fields :
					   xfs_dir2_leaf_hdr_fields, 0, 0);
	if (leaf1)
		end = leaf_tail_walk(w, hdr_bytes);
	room = (end - hdr_bytes) / xfs_dir_leaf_entry_size;
	if (xfs_walk_has(w, 0, hdr_bytes)) {
		leaf_counts(w->base, v5, &count, &stale);
		if (count < room)
			room = count;
	}
	xfs_walk_array(w, "lents", xfs_dir_leaf_entry_fields, hdr_bytes,
		       xfs_dir_leaf_entry_size, room);
}

void xfs_dir_leaf1_walk(const struct xfs_walk *w)
{
	leaf_walk(w, true);
}

void xfs_dir_leafn_walk(const struct xfs_walk *w)
{
	leaf_walk(w, false);
}

void xfs_dir_free_walk(const struct xfs_walk *w)
{
	uint32_t magic = xfs_walk_has(w, 0, 4) ? get_be32(w->base) : 0;
	uint32_t firstdb, nvalid, nused;
	size_t hdr_bytes, room;
	bool v5;

	if (magic == XFS_DIR2_FREE_MAGIC || magic == XFS_DIR3_FREE_MAGIC)
		v5 = magic == XFS_DIR3_FREE_MAGIC;
	else if (w->geom)
		v5 = w->geom->v5;
	else
		return;
	hdr_bytes = v5 ? xfs_dir3_free_hdr_size : xfs_dir2_free_hdr_size;
	if (w->len_bytes < hdr_bytes)
		return;
	xfs_walk_group(w, "fhdr", -1, v5 ? xfs_dir3_free_hdr_fields :
					   xfs_dir2_free_hdr_fields, 0, 0);
	room = (w->len_bytes - hdr_bytes) / BEST_BYTES;
	if (xfs_walk_has(w, 0, hdr_bytes)) {
		free_counts(w->base, v5, &firstdb, &nvalid, &nused);
		if (nvalid < room)
			room = nvalid;
	}
	xfs_walk_be16s(w, "fbests", XFS_KIND_UINT, hdr_bytes, room);
}
