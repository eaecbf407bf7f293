/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a metadata block is. One table has everything the program must know of
 * a kind of block to name it, show it, judge it and stamp it: its magic
 * number, its type in buffer log items, where version 5 keeps LSN, UUID,
 * checksum, place and owner, its walk and its verifier.
 *
 * Source of the offsets: Linux fs/xfs/libxfs; that blocks replayed by them are
 * byte for byte what kernels 5.10 to 7.2 make of them was checked.
 */
#ifndef LIBXFSFMT_BLOCK_H
#define LIBXFSFMT_BLOCK_H

#include "libxfsfmt/geom.h"
#include "libxfsfmt/walk.h"

/* Which versions of the filesystem have a kind of block. */
enum xfs_block_version {
	XFS_BLOCK_V4,
	XFS_BLOCK_V5,
	XFS_BLOCK_BOTH,
};

struct xfs_block_type {
	const char	*name;		/* "dir_data", "finobt" */
	uint8_t		blft;		/* XFS_BLFT_*; of quota: the first */
	uint8_t		version;	/* enum xfs_block_version */
	uint8_t		magic_off, magic_bytes;	/* bytes 0: has no magic */
	uint32_t	magic;
	/* version 5 only; 0: there is none */
	uint16_t	lsn_off, uuid_off, crc_off, blkno_off;
	uint16_t	owner_off, owner_bytes;	/* 4: number of the group */
	int8_t		btree;		/* enum xfs_btree_kind, or -1 */
	bool		whole;		/* verify() judges these fields too */
	void		(*walk)(const struct xfs_walk *w);
	const char	*(*verify)(const uint8_t *raw, size_t len_bytes,
				   const struct xfs_geom *geom,
				   xfs_daddr_t daddr);
};

/* The table; it ends with a NULL name. */
extern const struct xfs_block_type xfs_block_types[];

/*
 * What the block that @w has, perhaps in part, holds; NULL if that cannot be
 * told. @blft: its type in the log (XFS_BLFT_*), XFS_BLFT_UNKNOWN if it is not
 * from there. The magic number decides where it is there, between kinds that
 * agree with @blft if there are such.
 */
const struct xfs_block_type *xfs_block_identify(const struct xfs_walk *w,
						unsigned int blft);

/*
 * The same for a buffer item with these blf_flags: an inode buffer that
 * carries nothing but di_next_unlinked is then a kind of its own, of which
 * only that is shown.
 */
const struct xfs_block_type *xfs_block_identify_item(const struct xfs_walk *w,
						     uint16_t blf_flags);

/* Show what is there. Nothing if @t is NULL or only a guess. */
void xfs_block_walk(const struct xfs_walk *w, const struct xfs_block_type *t);

/*
 * NULL, or why the @len_bytes at @raw cannot be the block of kind @t that lies
 * at @daddr of the data device. Checksum, UUID and place are part of it.
 */
const char *xfs_block_verify(const struct xfs_block_type *t,
			     const uint8_t *raw, size_t len_bytes,
			     const struct xfs_geom *geom, xfs_daddr_t daddr);

/* What a line about a block says of it. */
struct xfs_block_summary {
	bool		has_magic, has_lsn, has_owner, has_level;
	bool		owner_is_ag;	/* else it is an inode number */
	bool		alone;		/* without siblings: perhaps a root */
	uint16_t	level;		/* 0: leaf */
	uint32_t	magic;
	xfs_lsn_t	lsn;
	uint64_t	owner;
};

/* Of what is there; all false if @t is NULL. */
struct xfs_block_summary xfs_block_summarize(const struct xfs_walk *w,
					     const struct xfs_block_type *t);

#endif
