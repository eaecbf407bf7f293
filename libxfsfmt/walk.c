/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of a walk that every structure shares: what is there, and the
 * fields of one table.
 */
#include "libxfsfmt/walk.h"

bool xfs_walk_has(const struct xfs_walk *w, size_t off_bytes, size_t len_bytes)
{
	size_t first, last;

	if (off_bytes > w->len_bytes || len_bytes > w->len_bytes - off_bytes)
		return false;
	if (!w->chunks || !len_bytes)
		return true;
	first = off_bytes / XFS_CHUNK_BYTES;
	last = (off_bytes + len_bytes - 1) / XFS_CHUNK_BYTES;
	for (size_t c = first; c <= last; c++)
		if (!(w->chunks[c / 32] >> c % 32 & 1))
			return false;
	return true;
}

static bool field_shown(const struct xfs_walk *w, const struct xfs_field *f,
			size_t off_bytes, unsigned int variant)
{
	return xfs_field_applies(f, variant) &&
	       xfs_walk_has(w, off_bytes + f->off_bytes,
			    xfs_field_end(f) - f->off_bytes);
}

void xfs_walk_fields(const struct xfs_walk *w, const struct xfs_field *table,
		     size_t off_bytes, unsigned int variant)
{
	for (const struct xfs_field *f = table; f->name; f++)
		if (field_shown(w, f, off_bytes, variant))
			w->ops->field(w->ctx, f, w->base + off_bytes, w->order);
}

void xfs_walk_group(const struct xfs_walk *w, const char *name, long index,
		    const struct xfs_field *table, size_t off_bytes,
		    unsigned int variant)
{
	const struct xfs_field *f = table;

	while (f->name && !field_shown(w, f, off_bytes, variant))
		f++;
	if (!f->name)
		return;
	w->ops->enter(w->ctx, name, index);
	xfs_walk_fields(w, table, off_bytes, variant);
	w->ops->leave(w->ctx);
}
