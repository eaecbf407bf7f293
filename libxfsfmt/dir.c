/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shortform directories: a header, then entries packed without alignment.
 * "." and ".." are not entries; the header has the parent.
 */
#include "libxfsfmt/dir.h"

#include "libxfsfmt/geom.h"

const struct xfs_name xfs_dir_ftype_names[] = {
	{ XFS_DIR_FT_UNKNOWN, "unknown" },
	{ XFS_DIR_FT_REG_FILE, "file" },
	{ XFS_DIR_FT_DIR, "dir" },
	{ XFS_DIR_FT_CHRDEV, "chrdev" },
	{ XFS_DIR_FT_BLKDEV, "blkdev" },
	{ XFS_DIR_FT_FIFO, "fifo" },
	{ XFS_DIR_FT_SOCK, "sock" },
	{ XFS_DIR_FT_SYMLINK, "symlink" },
	{ XFS_DIR_FT_WHT, "whiteout" },
	{ 0, NULL }
};

XFS_DEFINE(xfs_dir_ftype_piece, XFS_DIR_FTYPE_ROWS)
XFS_DEFINE(xfs_dir_ino4_piece, XFS_DIR_INO4_ROWS)
XFS_DEFINE(xfs_dir_ino8_piece, XFS_DIR_INO8_ROWS)
XFS_DEFINE(xfs_dir_sf_hdr, XFS_DIR_SF_HDR_ROWS)
XFS_DEFINE_ENCODE(xfs_dir_sf_hdr, XFS_DIR_SF_HDR_ROWS)
XFS_DEFINE(xfs_dir_sf_entry, XFS_DIR_SF_ENTRY_ROWS)

enum {
	SF_PARENT_OFF = 2,
	SF_NAME_OFF = 3,
};

static xfs_ino_t get_ino(const uint8_t *p, size_t ino_bytes)
{
	return ino_bytes == 8 ? get_be64(p) : get_be32(p);
}

bool xfs_dir_sf_init(struct xfs_dir_sf *sf, const void *raw,
		     size_t len_bytes, bool ftype)
{
	const uint8_t *p = raw;

	memset(sf, 0, sizeof(*sf));
	if (len_bytes < SF_PARENT_OFF)
		return false;
	sf->ino_bytes = p[1] ? 8 : 4;
	if (len_bytes < SF_PARENT_OFF + sf->ino_bytes)
		return false;
	sf->raw = p;
	sf->count = p[0];
	sf->i8count = p[1];
	sf->parent = get_ino(p + SF_PARENT_OFF, sf->ino_bytes);
	sf->len_bytes = len_bytes;
	sf->next_bytes = SF_PARENT_OFF + sf->ino_bytes;
	sf->ftype = ftype;
	sf->left = sf->count;
	return true;
}

bool xfs_dir_sf_next(struct xfs_dir_sf *sf, struct xfs_dir_sf_item *item)
{
	size_t room_bytes = sf->len_bytes - sf->next_bytes;
	const uint8_t *p;

	if (!sf->left || room_bytes < SF_NAME_OFF)
		return false;
	p = sf->raw + sf->next_bytes;
	item->namelen = p[0];
	item->offset = get_be16(p + 1);
	item->name = p + SF_NAME_OFF;
	item->off_bytes = sf->next_bytes;
	item->len_bytes = SF_NAME_OFF + (size_t)item->namelen + sf->ftype +
			  sf->ino_bytes;
	if (item->len_bytes > room_bytes)
		return false;
	item->ftype = sf->ftype ? item->name[item->namelen] :
				  XFS_DIR_FT_UNKNOWN;
	item->ino = get_ino(p + item->len_bytes - sf->ino_bytes,
			    sf->ino_bytes);
	sf->next_bytes += item->len_bytes;
	sf->left--;
	return true;
}

const char *xfs_dir_sf_verify(const void *raw, size_t len_bytes,
			      const struct xfs_geom *geom)
{
	unsigned int entries = 0, big = 0;
	struct xfs_dir_sf_item item;
	struct xfs_dir_sf sf;
	uint32_t offset = 0;

	if (!xfs_dir_sf_init(&sf, raw, len_bytes, geom->ftype))
		return "shortform directory shorter than its header";
	if (!xfs_geom_ino_ok(geom, sf.parent))
		return "bad parent inode number of a directory";
	big += sf.parent > UINT32_MAX;
	while (xfs_dir_sf_next(&sf, &item)) {
		entries++;
		if (!item.namelen)
			return "directory entry without a name";
		if (item.offset < offset)
			return "directory entries out of order";
		if (item.offset % XFS_DIR_DATA_ALIGN)
			return "directory entry with a bad offset";
		if (item.ftype >= XFS_DIR_FT_MAX)
			return "directory entry with a bad file type";
		if (!xfs_geom_ino_ok(geom, item.ino))
			return "directory entry with a bad inode number";
		big += item.ino > UINT32_MAX;
		offset = item.offset + 1u;
	}
	if (entries != sf.count || sf.next_bytes != len_bytes)
		return "shortform directory does not end with its entries";
	if (big != sf.i8count)
		return "shortform directory counts its long numbers wrongly";
	return NULL;
}

static void entry_walk(const struct xfs_walk *w, long index, size_t off_bytes,
		       const struct xfs_dir_sf *sf,
		       const struct xfs_dir_sf_item *item)
{
	size_t tail = off_bytes + item->len_bytes - sf->ino_bytes;

	w->ops->enter(w->ctx, "list", index);
	xfs_walk_fields(w, xfs_dir_sf_entry_fields, off_bytes, 0);
	w->ops->bytes(w->ctx, "name", XFS_KIND_CHARS, item->name,
		      item->namelen);
	if (sf->ftype)
		xfs_walk_fields(w, xfs_dir_ftype_piece_fields, tail - 1, 0);
	xfs_walk_fields(w, sf->ino_bytes == 8 ? xfs_dir_ino8_piece_fields :
						xfs_dir_ino4_piece_fields,
			tail, 0);
	w->ops->leave(w->ctx);
}

void xfs_dir_sf_walk(const struct xfs_walk *w, size_t off_bytes,
		     size_t len_bytes, bool ftype)
{
	struct xfs_dir_sf_item item;
	struct xfs_dir_sf sf;
	long index = 0;

	/* An inode has a handful of chunks: all of the directory or nothing. */
	if (!xfs_walk_has(w, off_bytes, len_bytes) ||
	    !xfs_dir_sf_init(&sf, w->base + off_bytes, len_bytes, ftype))
		return;
	xfs_walk_group(w, "hdr", -1, xfs_dir_sf_hdr_fields, off_bytes,
		       sf.ino_bytes == 8 ? XFS_DIR_SF_INO8 : 0);
	while (xfs_dir_sf_next(&sf, &item))
		entry_walk(w, index++, off_bytes + item.off_bytes, &sf, &item);
}
