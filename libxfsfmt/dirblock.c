/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directory blocks with names. The verifier walks a whole block strictly; the
 * walk that shows a block has to do with what the log carries of it: after a
 * hole it looks, eight bytes at a time, for the next place whose tag names
 * that very place.
 */
#include "libxfsfmt/dirblock.h"

#include "libxfsfmt/da.h"
#include "libxfsfmt/geom.h"

XFS_DEFINE(xfs_dir3_blk_hdr, XFS_DIR3_BLK_HDR_ROWS)
XFS_DEFINE(xfs_dir2_blk_hdr, XFS_DIR2_BLK_HDR_ROWS)
XFS_DEFINE(xfs_dir_bestfree, XFS_DIR_BESTFREE_ROWS)
XFS_DEFINE(xfs_dir_data_entry, XFS_DIR_DATA_ENTRY_ROWS)
XFS_DEFINE(xfs_dir_data_unused, XFS_DIR_DATA_UNUSED_ROWS)
XFS_DEFINE(xfs_dir_data_tag, XFS_DIR_DATA_TAG_ROWS)
XFS_DEFINE(xfs_dir_leaf_entry, XFS_DIR_LEAF_ENTRY_ROWS)
XFS_DEFINE(xfs_dir_block_tail, XFS_DIR_BLOCK_TAIL_ROWS)

enum {
	NAMELEN_OFF = 8,
	NAME_OFF = 9,
	TAG_BYTES = 2,
	UNUSED_MIN_BYTES = 6,		/* free tag, length, tag */
};

static bool is_block(const uint8_t *raw)
{
	uint32_t magic = get_be32(raw);

	return magic == XFS_DIR2_BLOCK_MAGIC || magic == XFS_DIR3_BLOCK_MAGIC;
}

/* Where the leaf entries begin, or 0 if their count makes no sense. */
static size_t leaf_begin(const uint8_t *raw, size_t len_bytes,
			 size_t hdr_bytes)
{
	size_t tail = len_bytes - xfs_dir_block_tail_size;
	uint32_t count = get_be32(raw + tail);

	if (count > (tail - hdr_bytes) / xfs_dir_leaf_entry_size)
		return 0;
	return tail - count * xfs_dir_leaf_entry_size;
}

size_t xfs_dir_data_end(const uint8_t *raw, size_t len_bytes, bool v5)
{
	size_t hdr_bytes = xfs_dir_data_hdr_bytes(v5);

	if (len_bytes < hdr_bytes + xfs_dir_block_tail_size)
		return 0;
	return is_block(raw) ? leaf_begin(raw, len_bytes, hdr_bytes) :
			       len_bytes;
}

bool xfs_dir_data_item(struct xfs_dir_data_item *item, const uint8_t *raw,
		       size_t off_bytes, size_t end_bytes, bool ftype)
{
	size_t room_bytes = end_bytes - off_bytes;
	const uint8_t *p = raw + off_bytes;

	memset(item, 0, sizeof(*item));
	item->off_bytes = off_bytes;
	if (room_bytes < XFS_DIR_DATA_ALIGN)
		return false;
	if (get_be16(p) == XFS_DIR_DATA_FREE_TAG) {
		item->unused = true;
		item->len_bytes = get_be16(p + 2);
		return item->len_bytes >= UNUSED_MIN_BYTES &&
		       item->len_bytes % XFS_DIR_DATA_ALIGN == 0 &&
		       item->len_bytes <= room_bytes;
	}
	if (room_bytes <= NAMELEN_OFF)
		return false;
	item->ino = get_be64(p);
	item->namelen = p[NAMELEN_OFF];
	item->name = p + NAME_OFF;
	item->len_bytes = xfs_dir_data_entry_bytes(item->namelen, ftype);
	return item->namelen && item->len_bytes <= room_bytes;
}

static size_t tag_off(const struct xfs_dir_data_item *item)
{
	return item->off_bytes + item->len_bytes - TAG_BYTES;
}

/* --- verification --- */

/* The table of longest spaces against the spaces there are. */
struct best_check {
	struct xfs_dir_bestfree best[XFS_DIR_DATA_BESTS];
	bool		seen[XFS_DIR_DATA_BESTS];
};

static const char *best_init(struct best_check *check, const uint8_t *p)
{
	for (int i = 0; i < XFS_DIR_DATA_BESTS; i++) {
		struct xfs_dir_bestfree *b = &check->best[i];

		xfs_dir_bestfree_decode(b, p + i * xfs_dir_bestfree_size,
					xfs_dir_bestfree_size, XFS_BE);
		check->seen[i] = !b->length;
		if (!b->length && b->offset)
			return "best free space of no length has an offset";
		if (i && b->length > b[-1].length)
			return "best free spaces out of order";
	}
	return NULL;
}

static const char *best_note(struct best_check *check,
			     const struct xfs_dir_data_item *item)
{
	for (int i = 0; i < XFS_DIR_DATA_BESTS; i++) {
		if (check->best[i].length != item->len_bytes ||
		    check->best[i].offset != item->off_bytes)
			continue;
		/* one named twice is found once, and best_done() misses it */
		check->seen[i] = true;
		return NULL;
	}
	if (item->len_bytes > check->best[XFS_DIR_DATA_BESTS - 1].length)
		return "a long free space is not among the best";
	return NULL;
}

static const char *best_done(const struct best_check *check)
{
	for (int i = 0; i < XFS_DIR_DATA_BESTS; i++)
		if (!check->seen[i])
			return "best free space that is not free";
	return NULL;
}

bool xfs_dir_leaf_entries_ok(const uint8_t *raw, size_t count, size_t stale)
{
	uint32_t last = 0;

	for (size_t i = 0; i < count; i++, raw += xfs_dir_leaf_entry_size) {
		uint32_t hash = get_be32(raw);

		if (hash < last)
			return false;
		last = hash;
		if (!get_be32(raw + 4)) {
			if (!stale)
				return false;
			stale--;
		}
	}
	return !stale;
}

static const char *verify_items(const uint8_t *raw, size_t end_bytes,
				const struct xfs_geom *geom, size_t *entries)
{
	size_t off = xfs_dir_data_hdr_bytes(geom->v5);
	bool after_unused = false;
	struct best_check check;
	const char *why;

	why = best_init(&check, raw + (geom->v5 ? XFS_DIR3_DATA_BEST_OFF :
						  XFS_DIR2_DATA_BEST_OFF));
	*entries = 0;
	while (!why && off < end_bytes) {
		struct xfs_dir_data_item item;

		if (!xfs_dir_data_item(&item, raw, off, end_bytes,
				       geom->ftype))
			return "directory entry does not fit in its block";
		if (get_be16(raw + tag_off(&item)) != (uint16_t)off)
			return "directory entry with a wrong tag";
		if (item.unused) {
			if (after_unused)
				return "free spaces side by side";
			why = best_note(&check, &item);
		} else if (!xfs_geom_ino_ok(geom, item.ino)) {
			return "directory entry with a bad inode number";
		} else if (geom->ftype &&
			   xfs_dir_data_ftype(&item) >= XFS_DIR_FT_MAX) {
			return "directory entry with a bad file type";
		}
		*entries += !item.unused;
		after_unused = item.unused;
		off += item.len_bytes;
	}
	return why ? why : best_done(&check);
}

static bool magic_ok(uint32_t magic, bool v5)
{
	return v5 ? magic == XFS_DIR3_DATA_MAGIC ||
		    magic == XFS_DIR3_BLOCK_MAGIC :
		    magic == XFS_DIR2_DATA_MAGIC ||
		    magic == XFS_DIR2_BLOCK_MAGIC;
}

const char *xfs_dir_data_verify(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom)
{
	struct xfs_dir_block_tail tail;
	size_t end, entries;
	const char *why;

	if (len_bytes != geom->dirblock_bytes)
		return "directory block of a wrong size";
	if (!magic_ok(get_be32(raw), geom->v5))
		return "bad magic number of a directory block";
	end = xfs_dir_data_end(raw, len_bytes, geom->v5);
	if (!end)
		return "bad count of leaf entries in a directory block";
	why = verify_items(raw, end, geom, &entries);
	if (why || end == len_bytes)
		return why;
	xfs_dir_block_tail_decode(&tail, raw + len_bytes -
				  xfs_dir_block_tail_size,
				  xfs_dir_block_tail_size, XFS_BE);
	if (tail.stale > tail.count || tail.count - tail.stale != entries)
		return "leaf entries do not match the directory's entries";
	if (!xfs_dir_leaf_entries_ok(raw + end, tail.count, tail.stale))
		return "leaf entries of a directory block out of order";
	return NULL;
}

/* --- showing what is there --- */

struct data_names {
	const char	*hdr, *items;
};

/*
 * The item at @off_bytes as far as the block is there. @surely: the item
 * before ended here, so that its tag may be missing, but not wrong.
 */
static bool item_there(const struct xfs_walk *w,
		       struct xfs_dir_data_item *item, size_t off_bytes,
		       size_t end_bytes, bool ftype, bool surely)
{
	if (!xfs_walk_has(w, off_bytes, 4))
		return false;
	if (get_be16(w->base + off_bytes) != XFS_DIR_DATA_FREE_TAG &&
	    !xfs_walk_has(w, off_bytes, NAME_OFF))
		return false;
	if (!xfs_dir_data_item(item, w->base, off_bytes, end_bytes, ftype))
		return false;
	if (!xfs_walk_has(w, tag_off(item), TAG_BYTES))
		return surely;
	return get_be16(w->base + tag_off(item)) == (uint16_t)off_bytes;
}

static void item_walk(const struct xfs_walk *w, const char *name, long index,
		      const struct xfs_dir_data_item *item, bool ftype)
{
	size_t off = item->off_bytes;

	w->ops->enter(w->ctx, name, index);
	if (item->unused) {
		xfs_walk_fields(w, xfs_dir_data_unused_fields, off, 0);
	} else {
		xfs_walk_fields(w, xfs_dir_data_entry_fields, off, 0);
		if (xfs_walk_has(w, off + NAME_OFF, item->namelen))
			w->ops->bytes(w->ctx, "name", XFS_KIND_CHARS,
				      item->name, item->namelen);
		if (ftype)
			xfs_walk_fields(w, xfs_dir_ftype_piece_fields,
					off + NAME_OFF + item->namelen, 0);
	}
	xfs_walk_fields(w, xfs_dir_data_tag_fields, tag_off(item), 0);
	w->ops->leave(w->ctx);
}

static void items_walk(const struct xfs_walk *w, const char *name, size_t off,
		       size_t end_bytes, bool ftype, bool end_known)
{
	struct xfs_dir_data_item item;
	bool surely = end_known;
	long index = 0;

	while (off + XFS_DIR_DATA_ALIGN <= end_bytes) {
		if (item_there(w, &item, off, end_bytes, ftype, surely)) {
			item_walk(w, name, index++, &item, ftype);
			off += item.len_bytes;
			surely = end_known;
		} else {
			off += XFS_DIR_DATA_ALIGN;
			surely = false;
		}
	}
}

static void header_walk(const struct xfs_walk *w, const char *name, bool v5)
{
	const struct xfs_field *table = v5 ? xfs_dir3_blk_hdr_fields :
					     xfs_dir2_blk_hdr_fields;

	if (!xfs_walk_has(w, 0, xfs_dir_data_hdr_bytes(v5)))
		return;
	w->ops->enter(w->ctx, name, -1);
	xfs_walk_fields(w, table, 0, 0);
	for (size_t i = 0; i < XFS_DIR_DATA_BESTS; i++)
		xfs_walk_group(w, "bestfree", (long)i, xfs_dir_bestfree_fields,
			       (v5 ? XFS_DIR3_DATA_BEST_OFF :
				     XFS_DIR2_DATA_BEST_OFF) +
			       i * xfs_dir_bestfree_size, 0);
	w->ops->leave(w->ctx);
}

/*
 * True if the format of the block can be told: from its magic, or from the
 * filesystem.
 */
static bool format_known(const struct xfs_walk *w, bool *v5, bool *ftype)
{
	uint32_t magic = xfs_walk_has(w, 0, 4) ? get_be32(w->base) : 0;

	if (magic == XFS_DIR3_DATA_MAGIC || magic == XFS_DIR3_BLOCK_MAGIC)
		*v5 = true;
	else if (magic == XFS_DIR2_DATA_MAGIC || magic == XFS_DIR2_BLOCK_MAGIC)
		*v5 = false;
	else if (w->geom)
		*v5 = w->geom->v5;
	else
		return false;
	*ftype = *v5 || (w->geom && w->geom->ftype);
	return true;
}

void xfs_dir_data_walk(const struct xfs_walk *w)
{
	bool v5, ftype;

	if (!format_known(w, &v5, &ftype))
		return;
	header_walk(w, "dhdr", v5);
	items_walk(w, "du", xfs_dir_data_hdr_bytes(v5), w->len_bytes, ftype,
		   true);
}

void xfs_dir_block_walk(const struct xfs_walk *w)
{
	size_t tail, end, leaf = 0;
	bool v5, ftype;

	if (!format_known(w, &v5, &ftype) ||
	    w->len_bytes < xfs_dir_data_hdr_bytes(v5) +
			   xfs_dir_block_tail_size)
		return;
	header_walk(w, "bhdr", v5);
	tail = w->len_bytes - xfs_dir_block_tail_size;
	/* A piece of a larger block does not end with the tail. */
	if ((!w->geom || w->geom->dirblock_bytes == w->len_bytes) &&
	    xfs_walk_has(w, tail, xfs_dir_block_tail_size))
		leaf = leaf_begin(w->base, w->len_bytes,
				  xfs_dir_data_hdr_bytes(v5));
	end = leaf ? leaf : w->len_bytes;
	items_walk(w, "bu", xfs_dir_data_hdr_bytes(v5), end, ftype, leaf != 0);
	if (!leaf)
		return;
	xfs_walk_array(w, "bleaf", xfs_dir_leaf_entry_fields, leaf,
		       xfs_dir_leaf_entry_size,
		       (tail - leaf) / xfs_dir_leaf_entry_size);
	xfs_walk_group(w, "btail", -1, xfs_dir_block_tail_fields, tail, 0);
}
