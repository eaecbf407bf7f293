/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A walk shows a piece of metadata, field by field, to a receiver: the text
 * printer, the JSON printer and the tests are receivers, so that there is one
 * walk per structure and never two printers. A walk knows which bytes of the
 * block it really has: the log carries blocks in part (128-byte chunks), and
 * a field that is not wholly there is not shown.
 */
#ifndef LIBXFSFMT_WALK_H
#define LIBXFSFMT_WALK_H

#include "libxfsfmt/field.h"

struct xfs_geom;

/*
 * Receiver. enter/leave bracket a group ("hdr", or element @index of an
 * array; @index < 0: no array). Every name is a static string.
 */
struct xfs_walk_ops {
	void (*enter)(void *ctx, const char *name, long index);
	void (*leave)(void *ctx);
	/* all elements of @f, in the structure at @base */
	void (*field)(void *ctx, const struct xfs_field *f, const void *base,
		      enum xfs_order order);
	/* a value that no table row describes (computed, or bits of a row) */
	void (*value)(void *ctx, const char *name, enum xfs_field_kind kind,
		      uint64_t value);
	/* a string of bytes: file names, attribute values, link targets */
	void (*bytes)(void *ctx, const char *name, enum xfs_field_kind kind,
		      const void *data, size_t len_bytes);
};

enum { XFS_CHUNK_BYTES = 128 };	/* granularity of logged buffers */

struct xfs_walk {
	const uint8_t	*base;		/* the block */
	size_t		len_bytes;
	const uint32_t	*chunks;	/* bitmap of the 128-byte chunks there
					   are, bit 0 first; NULL: all */
	enum xfs_order	order;		/* of w16, w32 and w64 fields */
	const struct xfs_geom *geom;	/* may be NULL where not known */
	/*
	 * Elements of arrays (records, entries, names) may be left out: the
	 * receiver will not look at groups with an index.
	 */
	bool		heads_only;
	const struct xfs_walk_ops *ops;
	void		*ctx;
};

/* True if bytes [@off, @off + @len) of the block are there. */
bool xfs_walk_has(const struct xfs_walk *w, size_t off_bytes,
		  size_t len_bytes);

/*
 * Show the fields of @table that apply to @variant, structure at @off. Of an
 * array that is there in part, each run of elements is shown as the field,
 * inside a group part[number of its first].
 */
void xfs_walk_fields(const struct xfs_walk *w, const struct xfs_field *table,
		     size_t off_bytes, unsigned int variant);

/* The same inside a group of its own; nothing if none of it is there. */
void xfs_walk_group(const struct xfs_walk *w, const char *name, long index,
		    const struct xfs_field *table, size_t off_bytes,
		    unsigned int variant);

#endif
