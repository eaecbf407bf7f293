/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes. In a leaf, entries grow from the front and names with values
 * from the back; an entry points at its name, so nothing but the verifier
 * keeps two from pointing at the same one. A walk therefore shows no more
 * bytes of names and values than the block has.
 */
#include "libxfsfmt/attr.h"

#include "libxfsfmt/geom.h"

const struct xfs_name xfs_attr_flag_names[] = {
	{ XFS_ATTR_LOCAL, "local" },
	{ XFS_ATTR_ROOT, "root" },
	{ XFS_ATTR_SECURE, "secure" },
	{ XFS_ATTR_PARENT, "parent" },
	{ XFS_ATTR_INCOMPLETE, "incomplete" },
	{ 0, NULL }
};

XFS_DEFINE(xfs_parent_rec, XFS_PARENT_REC_ROWS)
XFS_DEFINE(xfs_attr_sf_hdr, XFS_ATTR_SF_HDR_ROWS)
XFS_DEFINE(xfs_attr_sf_entry, XFS_ATTR_SF_ENTRY_ROWS)
XFS_DEFINE(xfs_attr_leaf_hdr, XFS_ATTR_LEAF_HDR_ROWS)
XFS_DEFINE(xfs_attr3_leaf_hdr, XFS_ATTR3_LEAF_HDR_ROWS)
XFS_DEFINE(xfs_attr_leaf_map, XFS_ATTR_LEAF_MAP_ROWS)
XFS_DEFINE(xfs_attr_leaf_entry, XFS_ATTR_LEAF_ENTRY_ROWS)
XFS_DEFINE(xfs_attr_leaf_local, XFS_ATTR_LEAF_LOCAL_ROWS)
XFS_DEFINE(xfs_attr_leaf_remote, XFS_ATTR_LEAF_REMOTE_ROWS)
XFS_DEFINE(xfs_attr3_rmt_hdr, XFS_ATTR3_RMT_HDR_ROWS)

/* A value as its flags say: a parent pointer, or just bytes. */
static void value_walk(const struct xfs_walk *w, uint8_t flags,
		       size_t off_bytes, size_t len_bytes)
{
	if (!xfs_walk_has(w, off_bytes, len_bytes))
		return;
	if (flags & XFS_ATTR_PARENT && len_bytes == xfs_parent_rec_size)
		xfs_walk_group(w, "parent", -1, xfs_parent_rec_fields,
			       off_bytes, 0);
	else
		w->ops->bytes(w->ctx, "value", XFS_KIND_BYTES,
			      w->base + off_bytes, len_bytes);
}

static void name_walk(const struct xfs_walk *w, size_t off_bytes,
		      size_t len_bytes)
{
	if (xfs_walk_has(w, off_bytes, len_bytes))
		w->ops->bytes(w->ctx, "name", XFS_KIND_CHARS,
			      w->base + off_bytes, len_bytes);
}

/* --- shortform --- */

static const char *flags_why(uint8_t flags)
{
	uint8_t space = flags & XFS_ATTR_NAMESPACES;

	if (flags & ~XFS_ATTR_DISK_FLAGS)
		return "attribute with unknown flags";
	if (space & (space - 1))
		return "attribute in two namespaces";
	return NULL;
}

const char *xfs_attr_sf_verify(const void *raw, size_t len_bytes)
{
	const uint8_t *p = raw;
	struct xfs_attr_sf_hdr hdr;
	size_t off = xfs_attr_sf_hdr_size;

	if (len_bytes < off)
		return "shortform attributes shorter than their header";
	xfs_attr_sf_hdr_decode(&hdr, raw, len_bytes, XFS_BE);
	if (hdr.totsize < off || hdr.totsize > len_bytes)
		return "bad length of shortform attributes";
	for (unsigned int i = 0; i < hdr.count; i++) {
		struct xfs_attr_sf_entry entry;
		const char *why;

		if (hdr.totsize - off < xfs_attr_sf_entry_size)
			return "shortform attribute does not fit";
		xfs_attr_sf_entry_decode(&entry, p + off, hdr.totsize - off,
					 XFS_BE);
		if (!entry.namelen)
			return "attribute without a name";
		why = flags_why(entry.flags);
		if (why)
			return why;
		off += xfs_attr_sf_entry_size + (size_t)entry.namelen +
		       entry.valuelen;
		if (off > hdr.totsize)
			return "shortform attribute does not fit";
	}
	return off == hdr.totsize ? NULL :
	       "shortform attributes do not end with the last one";
}

void xfs_attr_sf_walk(const struct xfs_walk *w, size_t off_bytes,
		      size_t len_bytes)
{
	size_t off = off_bytes + xfs_attr_sf_hdr_size, end, value_off;
	struct xfs_attr_sf_hdr hdr;

	if (len_bytes < xfs_attr_sf_hdr_size ||
	    !xfs_walk_has(w, off_bytes, xfs_attr_sf_hdr_size))
		return;
	xfs_attr_sf_hdr_decode(&hdr, w->base + off_bytes, len_bytes, XFS_BE);
	xfs_walk_group(w, "hdr", -1, xfs_attr_sf_hdr_fields, off_bytes, 0);
	end = off_bytes + (hdr.totsize < len_bytes ? hdr.totsize : len_bytes);
	for (long i = 0; i < hdr.count; i++) {
		struct xfs_attr_sf_entry entry;

		if (off + xfs_attr_sf_entry_size > end ||
		    !xfs_walk_has(w, off, xfs_attr_sf_entry_size))
			return;
		xfs_attr_sf_entry_decode(&entry, w->base + off, end - off,
					 XFS_BE);
		value_off = off + xfs_attr_sf_entry_size + entry.namelen;
		if (value_off + entry.valuelen > end)
			return;
		w->ops->enter(w->ctx, "list", i);
		xfs_walk_fields(w, xfs_attr_sf_entry_fields, off, 0);
		name_walk(w, off + xfs_attr_sf_entry_size, entry.namelen);
		value_walk(w, entry.flags, value_off, entry.valuelen);
		w->ops->leave(w->ctx);
		off = value_off + entry.valuelen;
	}
}

/* --- leaf --- */

struct leaf {
	bool		v5;
	size_t		hdr_bytes;
	size_t		freemap_off;
	size_t		count;		/* entries; no more than fit */
	size_t		firstused;
	bool		counted;	/* by the header: it was there */
};

static bool leaf_init(struct leaf *leaf, const uint8_t *raw,
		      size_t len_bytes, bool v5, bool header_there)
{
	size_t info = v5 ? XFS_DA3_INFO_BYTES : XFS_DA_INFO_BYTES;
	size_t room;

	memset(leaf, 0, sizeof(*leaf));
	leaf->v5 = v5;
	leaf->hdr_bytes = v5 ? xfs_attr3_leaf_hdr_size :
			       xfs_attr_leaf_hdr_size;
	leaf->freemap_off = v5 ? XFS_ATTR3_LEAF_FREEMAP_OFF :
				 XFS_ATTR_LEAF_FREEMAP_OFF;
	if (len_bytes < leaf->hdr_bytes)
		return false;
	room = (len_bytes - leaf->hdr_bytes) / xfs_attr_leaf_entry_size;
	if (header_there) {
		leaf->count = get_be16(raw + info);
		leaf->firstused = get_be16(raw + info + 4);
		/* 16 bits cannot say the end of a block of 64 KiB. */
		if (!leaf->firstused)
			leaf->firstused = len_bytes;
		leaf->counted = leaf->count <= room;
	}
	if (!leaf->counted)
		leaf->count = room;
	return true;
}

/* Bytes of name and value of an entry, or 0 if they do not fit. */
static size_t name_bytes(const uint8_t *raw, size_t len_bytes,
			 const struct xfs_attr_leaf_entry *entry)
{
	size_t room_bytes, bytes;
	const uint8_t *p;

	if (entry->nameidx >= len_bytes)
		return 0;
	room_bytes = len_bytes - entry->nameidx;
	p = raw + entry->nameidx;
	if (entry->flags & XFS_ATTR_LOCAL) {
		if (room_bytes < xfs_attr_leaf_local_size)
			return 0;
		bytes = xfs_attr_leaf_local_size + (size_t)get_be16(p) + p[2];
	} else {
		if (room_bytes < xfs_attr_leaf_remote_size)
			return 0;
		bytes = xfs_attr_leaf_remote_size + (size_t)p[8];
	}
	return bytes <= room_bytes ? bytes : 0;
}

static const char *verify_name(const uint8_t *raw, size_t len_bytes,
			       const struct leaf *leaf,
			       const struct xfs_attr_leaf_entry *entry)
{
	const uint8_t *p = raw + entry->nameidx;
	const char *why = flags_why(entry->flags);

	if (why)
		return why;
	if (entry->nameidx < leaf->firstused ||
	    !name_bytes(raw, len_bytes, entry))
		return "attribute name outside its leaf";
	if (entry->flags & XFS_ATTR_LOCAL)
		return p[2] ? NULL : "attribute without a name";
	if (!p[8])
		return "attribute without a name";
	/* Being written or removed, it has no value yet or no more. */
	if (!(entry->flags & XFS_ATTR_INCOMPLETE) && !get_be32(p))
		return "attribute without the block of its value";
	return NULL;
}

const char *xfs_attr_leaf_verify(const uint8_t *raw, size_t len_bytes,
				 const struct xfs_geom *geom)
{
	uint32_t last_hash = 0;
	struct leaf leaf;

	if (!leaf_init(&leaf, raw, len_bytes, geom->v5, true))
		return "attribute leaf shorter than its header";
	if (get_be16(raw + XFS_DA_MAGIC_OFF) !=
	    (geom->v5 ? XFS_ATTR3_LEAF_MAGIC : XFS_ATTR_LEAF_MAGIC))
		return "bad magic number of an attribute leaf";
	if (!leaf.counted || leaf.firstused > len_bytes ||
	    leaf.firstused < leaf.hdr_bytes +
			     leaf.count * xfs_attr_leaf_entry_size)
		return "bad count of entries in an attribute leaf";
	for (size_t i = 0; i < leaf.count; i++) {
		struct xfs_attr_leaf_entry entry;
		const char *why;

		xfs_attr_leaf_entry_decode(&entry, raw + leaf.hdr_bytes +
					   i * xfs_attr_leaf_entry_size,
					   xfs_attr_leaf_entry_size, XFS_BE);
		if (entry.hashval < last_hash)
			return "entries of an attribute leaf out of order";
		last_hash = entry.hashval;
		why = verify_name(raw, len_bytes, &leaf, &entry);
		if (why)
			return why;
	}
	for (size_t i = 0; i < XFS_ATTR_LEAF_FREEMAPS; i++) {
		const uint8_t *p = raw + leaf.freemap_off +
				   i * xfs_attr_leaf_map_size;

		if (get_be16(p) & 3 || get_be16(p + 2) & 3 ||
		    get_be16(p) + (uint32_t)get_be16(p + 2) > len_bytes)
			return "bad free space in an attribute leaf";
	}
	return NULL;
}

static void leaf_header_walk(const struct xfs_walk *w, const struct leaf *leaf)
{
	if (!xfs_walk_has(w, 0, leaf->hdr_bytes))
		return;
	w->ops->enter(w->ctx, "hdr", -1);
	xfs_walk_fields(w, leaf->v5 ? xfs_attr3_leaf_hdr_fields :
				      xfs_attr_leaf_hdr_fields, 0, 0);
	xfs_walk_array(w, "freemap", xfs_attr_leaf_map_fields,
		       leaf->freemap_off, xfs_attr_leaf_map_size,
		       XFS_ATTR_LEAF_FREEMAPS);
	w->ops->leave(w->ctx);
}

/* What entry @index points at, if it is there; @budget: see the file's head. */
static void nvlist_walk(const struct xfs_walk *w, long index,
			const struct xfs_attr_leaf_entry *entry,
			size_t *budget_bytes)
{
	bool local = entry->flags & XFS_ATTR_LOCAL;
	size_t hdr = local ? xfs_attr_leaf_local_size :
			     xfs_attr_leaf_remote_size;
	size_t off = entry->nameidx, bytes;
	uint8_t namelen;

	if (!xfs_walk_has(w, off, hdr))
		return;
	bytes = name_bytes(w->base, w->len_bytes, entry);
	if (!bytes || bytes > *budget_bytes)
		return;
	*budget_bytes -= bytes;
	namelen = w->base[off + hdr - 1];
	w->ops->enter(w->ctx, "nvlist", index);
	xfs_walk_fields(w, local ? xfs_attr_leaf_local_fields :
				   xfs_attr_leaf_remote_fields, off, 0);
	name_walk(w, off + hdr, namelen);
	if (local)
		value_walk(w, entry->flags, off + hdr + namelen,
			   bytes - hdr - namelen);
	w->ops->leave(w->ctx);
}

/*
 * Where the count is not there: up to the first that can be no entry, because
 * it lies where names lie, or behind the last.
 */
static size_t count_entries(const struct xfs_walk *w, const struct leaf *leaf)
{
	size_t off = leaf->hdr_bytes, i;
	uint32_t last_hash = 0;

	for (i = 0; i < leaf->count; i++, off += xfs_attr_leaf_entry_size) {
		struct xfs_attr_leaf_entry entry;

		if (!xfs_walk_has(w, off, xfs_attr_leaf_entry_size))
			continue;
		xfs_attr_leaf_entry_decode(&entry, w->base + off,
					   xfs_attr_leaf_entry_size, XFS_BE);
		if (entry.hashval < last_hash || flags_why(entry.flags) ||
		    entry.nameidx < off + xfs_attr_leaf_entry_size ||
		    entry.nameidx >= w->len_bytes)
			break;
		last_hash = entry.hashval;
	}
	return i;
}

void xfs_attr_leaf_walk(const struct xfs_walk *w)
{
	bool known, v5 = xfs_da_is_v5(w, &known);
	size_t budget_bytes = w->len_bytes;
	struct leaf leaf;

	if (!known ||
	    !leaf_init(&leaf, w->base, w->len_bytes, v5,
		       xfs_walk_has(w, 0, XFS_ATTR3_LEAF_FREEMAP_OFF)))
		return;
	leaf_header_walk(w, &leaf);
	if (!leaf.counted)
		leaf.count = count_entries(w, &leaf);
	xfs_walk_array(w, "entries", xfs_attr_leaf_entry_fields,
		       leaf.hdr_bytes, xfs_attr_leaf_entry_size, leaf.count);
	/* Without the count, what lies behind the entries would be one too. */
	for (size_t i = 0; leaf.counted && i < leaf.count; i++) {
		size_t off = leaf.hdr_bytes + i * xfs_attr_leaf_entry_size;
		struct xfs_attr_leaf_entry entry;

		if (!xfs_walk_has(w, off, xfs_attr_leaf_entry_size))
			continue;
		xfs_attr_leaf_entry_decode(&entry, w->base + off,
					   xfs_attr_leaf_entry_size, XFS_BE);
		nvlist_walk(w, (long)i, &entry, &budget_bytes);
	}
}

/* --- remote values --- */

const char *xfs_attr_rmt_verify(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom)
{
	struct xfs_attr3_rmt_hdr hdr;

	(void)geom;
	if (len_bytes < xfs_attr3_rmt_hdr_size)
		return "remote attribute block shorter than its header";
	xfs_attr3_rmt_hdr_decode(&hdr, raw, len_bytes, XFS_BE);
	if (hdr.rm_magic != XFS_ATTR3_RMT_MAGIC)
		return "bad magic number of a remote attribute block";
	if (!hdr.rm_bytes || hdr.rm_bytes > len_bytes - xfs_attr3_rmt_hdr_size)
		return "remote attribute block with a bad length";
	if (hdr.rm_offset > XFS_ATTR_MAX_VALUE_BYTES ||
	    hdr.rm_offset + hdr.rm_bytes > XFS_ATTR_MAX_VALUE_BYTES)
		return "remote attribute value too long";
	return NULL;
}

void xfs_attr_rmt_walk(const struct xfs_walk *w)
{
	size_t off = 0, len_bytes = w->len_bytes;
	struct xfs_attr3_rmt_hdr hdr;

	if (xfs_walk_has(w, 0, xfs_attr3_rmt_hdr_size) &&
	    get_be32(w->base) == XFS_ATTR3_RMT_MAGIC) {
		xfs_attr3_rmt_hdr_decode(&hdr, w->base, w->len_bytes, XFS_BE);
		xfs_walk_group(w, "hdr", -1, xfs_attr3_rmt_hdr_fields, 0, 0);
		off = xfs_attr3_rmt_hdr_size;
		len_bytes -= off;
		if (hdr.rm_bytes < len_bytes)
			len_bytes = hdr.rm_bytes;
	}
	if (len_bytes && xfs_walk_has(w, off, len_bytes))
		w->ops->bytes(w->ctx, "data", XFS_KIND_BYTES, w->base + off,
			      len_bytes);
}
