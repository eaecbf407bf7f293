/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Realtime metadata: verifiers and walks.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/rt.h"

XFS_DEFINE(xfs_rtsb, XFS_RTSB_ROWS)
XFS_DEFINE(xfs_rtbuf, XFS_RTBUF_ROWS)

const char *xfs_rtsb_verify(const void *raw, size_t len_bytes,
			    const struct xfs_geom *g)
{
	struct xfs_rtsb sb;

	if (len_bytes < xfs_rtsb_size)
		return "too short";
	xfs_rtsb_decode(&sb, raw, len_bytes, XFS_BE);
	if (sb.rsb_magicnum != XFS_RTSB_MAGIC)
		return "bad magic";
	if (!xfs_crc_ok(raw, len_bytes, XFS_RTSB_CRC_OFF))
		return "wrong checksum";
	if (memcmp(sb.rsb_meta_uuid, g->meta_uuid, 16))
		return "UUID of another filesystem";
	return NULL;
}

const char *xfs_rtbuf_verify(const void *raw, size_t len_bytes,
			     const struct xfs_geom *g, xfs_daddr_t daddr)
{
	struct xfs_rtbuf h;

	if (len_bytes < xfs_rtbuf_size)
		return "too short";
	xfs_rtbuf_decode(&h, raw, len_bytes, XFS_BE);
	if (h.rt_magic != XFS_RTBITMAP_MAGIC &&
	    h.rt_magic != XFS_RTSUMMARY_MAGIC)
		return "bad magic";
	if (!xfs_crc_ok(raw, len_bytes, XFS_RTBUF_CRC_OFF))
		return "wrong checksum";
	if (memcmp(h.rt_uuid, g->meta_uuid, 16))
		return "UUID of another filesystem";
	if (h.rt_blkno != daddr)
		return "number of another block";
	return NULL;
}

void xfs_rtsb_walk(const struct xfs_walk *w)
{
	xfs_walk_fields(w, xfs_rtsb_fields, 0, 0);
}

/* Words [@first, @last) behind @off: one field of as many elements. */
static void show_words(const struct xfs_walk *w, size_t off, long first,
		       long last, bool big_endian)
{
	struct xfs_field words = {
		.name = "rt_word",
		.count = (uint16_t)(last - first),
		.type = big_endian ? XFS_TYPE_be32 : XFS_TYPE_w32,
		.kind = XFS_KIND_HEX,
	};

	if (first == last)
		return;
	w->ops->enter(w->ctx, "words", first);
	w->ops->field(w->ctx, &words, w->base + off + 4 * (size_t)first,
		      w->order);
	w->ops->leave(w->ctx);
}

void xfs_rtbuf_walk(const struct xfs_walk *w)
{
	size_t off = 0;
	uint32_t magic;
	long first = 0, i = 0;

	if (xfs_walk_has(w, 0, xfs_rtbuf_size)) {
		magic = get_be32(w->base);
		if (magic == XFS_RTBITMAP_MAGIC ||
		    magic == XFS_RTSUMMARY_MAGIC) {
			xfs_walk_fields(w, xfs_rtbuf_fields, 0, 0);
			off = xfs_rtbuf_size;
		}
	} else if (w->geom && w->geom->metadir) {
		off = xfs_rtbuf_size;
	}
	for (; off + 4 * (size_t)i + 4 <= w->len_bytes; i++) {
		if (xfs_walk_has(w, off + 4 * (size_t)i, 4))
			continue;
		show_words(w, off, first, i, off);
		first = i + 1;
	}
	show_words(w, off, first, i, off);
}
