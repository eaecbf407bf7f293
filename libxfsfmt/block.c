/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Telling what a block is when the log has perhaps only a part of it, and
 * what all kinds of blocks have done to them alike. A block whose magic is
 * not there is what its log item says it is; one whose magic is there is
 * that, unless its kind may lack a magic and the bytes only look like one.
 */
#include "libxfsfmt/block_priv.h"

#include "libxfsfmt/btree.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/da.h"
#include "libxfsfmt/inode.h"
#include "libxfsfmt/logitem_fmt.h"

enum { UUID_BYTES = 16 };

/* --- what it is --- */

static bool magic_there(const struct xfs_walk *w,
			const struct xfs_block_type *t)
{
	return t->magic_bytes && xfs_walk_has(w, t->magic_off, t->magic_bytes);
}

static bool magic_is(const struct xfs_walk *w, const struct xfs_block_type *t)
{
	const uint8_t *p = w->base + t->magic_off;

	if (!magic_there(w, t))
		return false;
	return t->magic_bytes == 4 ? get_be32(p) == t->magic :
				     get_be16(p) == t->magic;
}

/* All three kinds of quota are one kind of block. */
static unsigned int table_blft(unsigned int blft)
{
	return blft == XFS_BLFT_PDQUOT || blft == XFS_BLFT_GDQUOT ?
	       XFS_BLFT_UDQUOT : blft;
}

/*
 * Without a magic, the version of the filesystem chooses between rows; with
 * one, it tells a header from contents that look like it.
 */
static bool version_fits(const struct xfs_walk *w,
			 const struct xfs_block_type *t)
{
	/* these have a header where there are realtime groups */
	if (w->geom && t->version == XFS_BLOCK_V5 &&
	    (t->blft == XFS_BLFT_RTBITMAP || t->blft == XFS_BLFT_RTSUMMARY))
		return w->geom->metadir;
	return t->version == XFS_BLOCK_BOTH || !w->geom ||
	       (t->version == XFS_BLOCK_V5) == w->geom->v5;
}

/* The kind by its log type alone: the block begins with nothing we know. */
static const struct xfs_block_type *by_blft(const struct xfs_walk *w,
					    unsigned int blft)
{
	if (blft == XFS_BLFT_BTREE)
		return xfs_walk_has(w, 0, 4) ? NULL : &xfs_block_some_btree;
	for (const struct xfs_block_type *t = xfs_block_types; t->name; t++)
		if (t->blft == blft && blft != XFS_BLFT_UNKNOWN &&
		    !magic_there(w, t) && version_fits(w, t))
			return t;
	return NULL;
}

const struct xfs_block_type *xfs_block_identify(const struct xfs_walk *w,
						unsigned int blft)
{
	const struct xfs_block_type *other = NULL, *t;

	blft = table_blft(blft);
	for (t = xfs_block_types; t->name; t++) {
		if (!magic_is(w, t))
			continue;
		if (t->blft == blft && version_fits(w, t))
			return t;
		if (!other)
			other = t;
	}
	t = by_blft(w, blft);
	return t ? t : other;
}

const struct xfs_block_type *xfs_block_identify_item(const struct xfs_walk *w,
						     uint16_t blf_flags)
{
	if (blf_flags & XFS_BLF_INODE_BUF)
		return &xfs_block_unlinked;
	return xfs_block_identify(w, xfs_blf_content(blf_flags));
}

/* --- showing it --- */

void xfs_block_inodes_walk(const struct xfs_walk *w, bool unlinked_only)
{
	size_t inode_bytes = w->geom ? w->geom->inodesize : 0;

	if (!inode_bytes)
		return;
	for (size_t i = 0; (i + 1) * inode_bytes <= w->len_bytes; i++) {
		size_t off = i * inode_bytes;
		bool some = false;

		if (unlinked_only)
			some = xfs_walk_has(w, off + XFS_DINODE_UNLINKED_OFF,
					    4);
		for (size_t c = 0; !unlinked_only && c < inode_bytes;
		     c += XFS_CHUNK_BYTES)
			some |= xfs_walk_has(w, off + c, XFS_CHUNK_BYTES);
		if (!some)
			continue;
		w->ops->enter(w->ctx, "inode", (long)i);
		if (unlinked_only)
			xfs_dinode_unlinked_walk(w, off);
		else
			xfs_dinode_walk(w, off);
		w->ops->leave(w->ctx);
	}
}

void xfs_block_walk(const struct xfs_walk *w, const struct xfs_block_type *t)
{
	struct xfs_walk disk = *w;

	if (!t)
		return;
	/* Metadata on disk is big-endian, whatever the log that carries it. */
	disk.order = XFS_BE;
	t->walk(&disk);
}

/* --- judging it --- */

/* The fields that blocks of version 5 have alike. */
static const char *verify_stamps(const struct xfs_block_type *t,
				 const uint8_t *raw, size_t len_bytes,
				 const struct xfs_geom *geom,
				 xfs_daddr_t daddr)
{
	if (len_bytes < t->crc_off + 4u || len_bytes < t->blkno_off + 8u ||
	    len_bytes < t->uuid_off + (size_t)UUID_BYTES)
		return "block shorter than its header";
	if (t->crc_off && !xfs_crc_ok(raw, len_bytes, t->crc_off))
		return "bad checksum";
	if (t->uuid_off &&
	    memcmp(raw + t->uuid_off, geom->meta_uuid, UUID_BYTES))
		return "block of another filesystem (UUID)";
	if (t->blkno_off && get_be64(raw + t->blkno_off) != daddr)
		return "block that belongs elsewhere";
	return NULL;
}

const char *xfs_block_verify(const struct xfs_block_type *t,
			     const uint8_t *raw, size_t len_bytes,
			     const struct xfs_geom *geom, xfs_daddr_t daddr)
{
	const char *why = NULL;

	if (t->version != XFS_BLOCK_BOTH &&
	    (t->version == XFS_BLOCK_V5) != geom->v5)
		return "kind of block that this version does not have";
	if (t->version == XFS_BLOCK_V5 && !t->whole)
		why = verify_stamps(t, raw, len_bytes, geom, daddr);
	return why ? why : t->verify(raw, len_bytes, geom, daddr);
}

/* --- one line about it --- */

static bool is_v5(const struct xfs_walk *w, const struct xfs_block_type *t)
{
	return t->version == XFS_BLOCK_BOTH ? w->geom && w->geom->v5 :
					      t->version == XFS_BLOCK_V5;
}

static void btree_summary(struct xfs_block_summary *s,
			  const struct xfs_walk *w, enum xfs_btree_kind kind)
{
	bool is_long = xfs_btree_ops[kind].is_long;
	const uint8_t *sibs = w->base + 8;

	if (!xfs_walk_has(w, 0, is_long ? XFS_BTREE_LONG_BYTES :
					  XFS_BTREE_SHORT_BYTES))
		return;
	s->has_level = true;
	s->level = get_be16(w->base + 4);
	s->alone = is_long ? get_be64(sibs) == XFS_NULL_FSBLOCK &&
			     get_be64(sibs + 8) == XFS_NULL_FSBLOCK :
			     get_be32(sibs) == XFS_NULL_AGBLOCK &&
			     get_be32(sibs + 4) == XFS_NULL_AGBLOCK;
}

static void da_summary(struct xfs_block_summary *s, const struct xfs_walk *w,
		       bool v5)
{
	size_t level_off = v5 ? 58 : 14;

	if (!xfs_walk_has(w, 0, XFS_DA_INFO_BYTES))
		return;
	s->alone = !get_be32(w->base) && !get_be32(w->base + 4);
	s->has_level = true;
	/* The count of stale entries has this place in leaves. */
	if (s->magic == XFS_DA_NODE_MAGIC || s->magic == XFS_DA3_NODE_MAGIC) {
		s->has_level = xfs_walk_has(w, level_off, 2);
		if (s->has_level)
			s->level = get_be16(w->base + level_off);
	}
}

struct xfs_block_summary xfs_block_summarize(const struct xfs_walk *w,
					     const struct xfs_block_type *t)
{
	struct xfs_block_summary s = { .has_magic = false };
	bool v5;

	if (!t)
		return s;
	v5 = is_v5(w, t);
	if (magic_is(w, t)) {
		s.has_magic = true;
		s.magic = t->magic;
	}
	if (v5 && t->lsn_off && xfs_walk_has(w, t->lsn_off, 8)) {
		s.has_lsn = true;
		s.lsn = get_be64(w->base + t->lsn_off);
	}
	if (v5 && t->owner_off &&
	    xfs_walk_has(w, t->owner_off, t->owner_bytes)) {
		s.has_owner = true;
		s.owner_is_ag = t->owner_bytes == 4;
		s.owner = s.owner_is_ag ? get_be32(w->base + t->owner_off) :
					  get_be64(w->base + t->owner_off);
	}
	if (t->btree >= 0)
		btree_summary(&s, w, (enum xfs_btree_kind)t->btree);
	else if (s.has_magic && t->magic_off == XFS_DA_MAGIC_OFF)
		da_summary(&s, w, v5);
	return s;
}
