/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remote symbolic link targets. */
#include "libxfsfmt/symlink.h"

#include "libxfsfmt/geom.h"

XFS_DEFINE(xfs_symlink_hdr, XFS_SYMLINK_HDR_ROWS)

const char *xfs_symlink_verify(const uint8_t *raw, size_t len_bytes,
			       const struct xfs_geom *geom)
{
	struct xfs_symlink_hdr hdr;

	if (!geom->v5)
		return NULL;
	if (len_bytes < xfs_symlink_hdr_size)
		return "symbolic link block shorter than its header";
	xfs_symlink_hdr_decode(&hdr, raw, len_bytes, XFS_BE);
	if (hdr.sl_magic != XFS_SYMLINK_MAGIC)
		return "bad magic number of a symbolic link block";
	if (!hdr.sl_owner)
		return "symbolic link block without an owner";
	if (!hdr.sl_bytes || hdr.sl_bytes > len_bytes - xfs_symlink_hdr_size)
		return "symbolic link block with a bad length";
	if (hdr.sl_offset >= XFS_SYMLINK_MAX_BYTES ||
	    hdr.sl_offset + hdr.sl_bytes > XFS_SYMLINK_MAX_BYTES)
		return "symbolic link target too long";
	return NULL;
}

/* Bytes of the target at @off that are there, up to a zero or @max. */
static size_t target_bytes(const struct xfs_walk *w, size_t off, size_t max)
{
	size_t n = 0;

	while (n < max && xfs_walk_has(w, off + n, 1) && w->base[off + n])
		n++;
	return n;
}

void xfs_symlink_walk(const struct xfs_walk *w)
{
	size_t off = 0, max = XFS_SYMLINK_MAX_BYTES;
	struct xfs_symlink_hdr hdr;

	if (xfs_walk_has(w, 0, xfs_symlink_hdr_size) &&
	    get_be32(w->base) == XFS_SYMLINK_MAGIC) {
		xfs_symlink_hdr_decode(&hdr, w->base, w->len_bytes, XFS_BE);
		xfs_walk_group(w, "hdr", -1, xfs_symlink_hdr_fields, 0, 0);
		off = xfs_symlink_hdr_size;
		if (hdr.sl_bytes < max)
			max = hdr.sl_bytes;
	}
	max = target_bytes(w, off, max);
	if (max)
		w->ops->bytes(w->ctx, "target", XFS_KIND_CHARS,
			      w->base + off, max);
}
