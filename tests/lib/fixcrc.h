/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checksums of blocks that a test has changed: what is damaged then gets past
 * the first look at it. Plain C.
 */
#ifndef TESTS_LIB_FIXCRC_H
#define TESTS_LIB_FIXCRC_H

#include <string.h>

#include "libxfsfmt/block.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inode.h"

/* The kind of metadata at @raw, as far as its magic tells, or NULL. */
static inline const struct xfs_block_type *
fixcrc_type(const uint8_t *raw, const struct xfs_geom *geom)
{
	const struct xfs_block_type *t;

	for (t = xfs_block_types; t->name; t++) {
		const uint8_t *magic = raw + t->magic_off;

		if (t->version != (geom->v5 ? XFS_BLOCK_V4 : XFS_BLOCK_V5) &&
		    (t->crc_off || !geom->v5) &&
		    (t->magic_bytes == 4 ? get_be32(magic) == t->magic :
		     t->magic_bytes == 2 && get_be16(magic) == t->magic))
			return t;
	}
	return NULL;
}

/* How many bytes a block of that kind has. */
static inline uint32_t fixcrc_bytes(const struct xfs_block_type *t,
				    const struct xfs_geom *geom)
{
	if (!strncmp(t->name, "ag", 2))
		return geom->sectsize;
	return !strncmp(t->name, "dir", 3) ? geom->dirblock_bytes :
					     geom->blocksize;
}

/* Of version 5. @raw has room for 64 KiB, whatever is there. */
static inline void fixcrc_block(uint8_t *raw, const struct xfs_geom *geom)
{
	const struct xfs_block_type *t;
	uint32_t len;

	for (uint32_t off = 0; get_be16(raw) == XFS_DINODE_MAGIC &&
	     off + geom->inodesize <= geom->blocksize; off += geom->inodesize)
		if (get_be16(raw + off) == XFS_DINODE_MAGIC)
			put_le32(raw + off + XFS_DINODE_CRC_OFF,
				 xfs_crc_block(raw + off, geom->inodesize,
					       XFS_DINODE_CRC_OFF));
	t = fixcrc_type(raw, geom);
	len = t ? fixcrc_bytes(t, geom) : 0;
	if (len && len <= 65536)
		put_le32(raw + t->crc_off,
			 xfs_crc_block(raw, len, t->crc_off));
}

#endif
