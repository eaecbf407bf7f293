/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing extended attributes in memory: the shortform in an inode, and leaf
 * blocks. What goes where is decided as Linux decides it, so that the same
 * changes make the same blocks. Nothing here looks at LSN and checksum.
 *
 * What is handed in has been verified (xfs_attr_sf_verify(),
 * xfs_attr_leaf_verify()), but for xfs_attr_leaf_load(), which also checks
 * what only matters to those who change a leaf.
 */
#ifndef LIBXFSFMT_ATTREDIT_H
#define LIBXFSFMT_ATTREDIT_H

#include "libxfsfmt/attr.h"
#include "libxfsfmt/geom.h"

/* One attribute, as its owner knows it. */
struct xfs_attr {
	const uint8_t	*name, *value;
	uint32_t	name_bytes;	/* 1..255 */
	uint32_t	value_bytes;	/* up to XFS_ATTR_MAX_VALUE_BYTES */
	uint8_t		space;		/* one of XFS_ATTR_NAMESPACES, or 0 */
};

/*
 * What it is found by. Parent pointers are told apart by their value, too,
 * which is a struct xfs_parent_rec.
 */
uint32_t xfs_attr_hash(const struct xfs_geom *g, const struct xfs_attr *a);

/* --- shortform --- */

/* Bytes of one more of it; UINT32_MAX: none that a shortform can hold. */
uint32_t xfs_attr_sf_entry_bytes(const struct xfs_attr *a);

/* Of one without attributes: @sf has room for its header. */
void xfs_attr_sf_init(uint8_t *sf);

/* Offset of @a, 0 if it is not there. */
uint32_t xfs_attr_sf_find(const uint8_t *sf, const struct xfs_attr *a);

/* Put it behind the others: there is room, and it is not there. */
void xfs_attr_sf_add(uint8_t *sf, const struct xfs_attr *a);
void xfs_attr_sf_remove(uint8_t *sf, uint32_t off);

/* The attribute at offset *@off, which moves on; false: no more. */
bool xfs_attr_sf_next(const uint8_t *sf, uint32_t *off, struct xfs_attr *a);

/* --- leaves --- */

/* A leaf with its header in host form: see xfs_attr_leaf_store(). */
struct xfs_attr_leaf {
	uint8_t		*raw;
	uint32_t	len_bytes;
	bool		v5;
	uint32_t	hdr_bytes;
	uint32_t	count;		/* of entries */
	uint32_t	usedbytes;	/* of names and values */
	uint32_t	firstused;	/* offset of the first of these */
	bool		holes;		/* packing would make room */
	struct {
		uint32_t base, size;
	} map[XFS_ATTR_LEAF_FREEMAPS];	/* free space, not all of it */
};

/* An entry with what it points at. */
struct xfs_attr_entry {
	uint32_t	hash;
	uint32_t	off;		/* nameidx */
	uint8_t		flags;		/* XFS_ATTR_* */
	const uint8_t	*name;
	uint32_t	name_bytes;
	const uint8_t	*value;		/* XFS_ATTR_LOCAL, else NULL */
	uint32_t	value_bytes;
	uint32_t	value_block;	/* of the fork; without LOCAL */
};

/*
 * A leaf at @raw that is to be changed. NULL, or why it cannot be: the header
 * does not agree with the entries, or names overlap. Free space that is in use
 * is forgotten.
 */
const char *xfs_attr_leaf_load(struct xfs_attr_leaf *leaf, uint8_t *raw,
			       const struct xfs_geom *g);

/*
 * The same for looking alone, of a leaf that has been verified. It is not
 * changed.
 */
void xfs_attr_leaf_look(struct xfs_attr_leaf *leaf, const uint8_t *raw,
			const struct xfs_geom *g);

/* Make an empty one at @raw, of zeros otherwise. */
void xfs_attr_leaf_init(struct xfs_attr_leaf *leaf, uint8_t *raw,
			const struct xfs_geom *g, xfs_daddr_t daddr,
			xfs_ino_t owner);

/* Write the header back into the block. */
void xfs_attr_leaf_store(struct xfs_attr_leaf *leaf);

void xfs_attr_leaf_entry(const struct xfs_attr_leaf *leaf, uint32_t index,
			 struct xfs_attr_entry *e);

/*
 * Find @a of hash @hash. True: entry *@index is it, with XFS_ATTR_INCOMPLETE
 * or without, as asked. False: *@index is where it would go.
 */
bool xfs_attr_leaf_find(const struct xfs_attr_leaf *leaf,
			const struct xfs_attr *a, uint32_t hash,
			bool incomplete, uint32_t *index);

/* Bytes of name and value of @a in a leaf, and whether the value is there. */
uint32_t xfs_attr_leaf_bytes(const struct xfs_attr *a, uint32_t blocksize,
			     bool *local);

/*
 * Insert @a before entry @index; a value that is not local has no block yet,
 * and the entry is marked incomplete. False: no room, nothing changed.
 */
bool xfs_attr_leaf_add(struct xfs_attr_leaf *leaf, uint32_t index,
		       const struct xfs_attr *a, uint32_t hash);
void xfs_attr_leaf_remove(struct xfs_attr_leaf *leaf, uint32_t index);

/* Flags of an entry, and where its value lies: changed in place. */
void xfs_attr_leaf_set(struct xfs_attr_leaf *leaf, uint32_t index,
		       uint8_t flags, uint32_t value_block,
		       uint32_t value_bytes);

/*
 * Move @count entries of @src from @from to before entry @to of @dst, which
 * has room for them once it is packed.
 */
void xfs_attr_leaf_move(struct xfs_attr_leaf *src, uint32_t from,
			struct xfs_attr_leaf *dst, uint32_t to,
			uint32_t count);

/* How the entries of a full leaf and one more are divided over two. */
struct xfs_attr_split {
	uint32_t	count;		/* entries that stay */
	bool		stays;		/* and the new one, of index @index */
};
struct xfs_attr_split xfs_attr_leaf_balance(const struct xfs_attr_leaf *leaf,
					    uint32_t index,
					    uint32_t new_bytes);

/* Entries and their names all together. */
uint32_t xfs_attr_leaf_load_bytes(const struct xfs_attr_leaf *leaf);

#endif
