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

static bool is_array(const struct xfs_field *f)
{
	return f->count > 1 && f->type != XFS_TYPE_bytes;
}

/* The same, or an element of it. */
static bool field_there(const struct xfs_walk *w, const struct xfs_field *f,
			size_t off_bytes, unsigned int variant)
{
	size_t each = xfs_field_width(f);

	if (!is_array(f) || !xfs_field_applies(f, variant))
		return field_shown(w, f, off_bytes, variant);
	for (unsigned int i = 0; i < f->count; i++)
		if (xfs_walk_has(w, off_bytes + f->off_bytes + i * each, each))
			return true;
	return false;
}

/* The elements of array @f that are there, run by run. */
static void parts_walk(const struct xfs_walk *w, const struct xfs_field *f,
		       size_t off_bytes)
{
	size_t each = xfs_field_width(f);
	struct xfs_field run = *f;
	unsigned int end;

	for (unsigned int i = 0; i < f->count; i = end + 1) {
		run.off_bytes = (uint16_t)(f->off_bytes + i * each);
		end = i;
		while (end < f->count &&
		       xfs_walk_has(w, off_bytes + f->off_bytes + end * each,
				    each))
			end++;
		if (end == i)
			continue;
		run.count = (uint16_t)(end - i);
		w->ops->enter(w->ctx, "part", (long)i);
		w->ops->field(w->ctx, &run, w->base + off_bytes, w->order);
		w->ops->leave(w->ctx);
	}
}

void xfs_walk_fields(const struct xfs_walk *w, const struct xfs_field *table,
		     size_t off_bytes, unsigned int variant)
{
	for (const struct xfs_field *f = table; f->name; f++) {
		if (field_shown(w, f, off_bytes, variant))
			w->ops->field(w->ctx, f, w->base + off_bytes, w->order);
		else if (is_array(f) && xfs_field_applies(f, variant))
			parts_walk(w, f, off_bytes);
	}
}

void xfs_walk_group(const struct xfs_walk *w, const char *name, long index,
		    const struct xfs_field *table, size_t off_bytes,
		    unsigned int variant)
{
	const struct xfs_field *f = table;

	if (w->heads_only && index >= 0)
		return;
	while (f->name && !field_there(w, f, off_bytes, variant))
		f++;
	if (!f->name)
		return;
	w->ops->enter(w->ctx, name, index);
	xfs_walk_fields(w, table, off_bytes, variant);
	w->ops->leave(w->ctx);
}
