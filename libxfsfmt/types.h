/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One typedef per unit of the XFS format, and the arithmetic of log sequence
 * numbers. A value whose unit is none of these carries it in its name
 * (len_bytes, size_bb). "BB" is the basic block of 512 bytes.
 */
#ifndef LIBXFSFMT_TYPES_H
#define LIBXFSFMT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t xfs_lsn_t;	/* log sequence number: cycle << 32 | block */
typedef uint64_t xfs_ino_t;	/* absolute inode number */
typedef uint32_t xfs_agino_t;	/* inode number inside its allocation group */
typedef uint32_t xfs_agnumber_t; /* allocation group */
typedef uint32_t xfs_agblock_t;	/* filesystem block inside its group */
typedef uint64_t xfs_fsblock_t;	/* group << agblklog | block in group */
typedef uint64_t xfs_daddr_t;	/* basic blocks from the start of a device */

enum {
	BB_SHIFT = 9,
	BB_SIZE = 1 << BB_SHIFT,
};

/* Byte order of the machine that logged something; metadata is always BE. */
enum xfs_order {
	XFS_BE,
	XFS_LE,
};

#define XFS_NULL_LSN	((xfs_lsn_t)-1)
#define XFS_NULL_AGINO	((xfs_agino_t)-1)
#define XFS_NULL_FSBLOCK ((xfs_fsblock_t)-1)
#define XFS_NULL_AGBLOCK ((xfs_agblock_t)-1)

static inline xfs_lsn_t xfs_lsn_make(uint32_t cycle, uint32_t block)
{
	return (xfs_lsn_t)cycle << 32 | block;
}

static inline uint32_t xfs_lsn_cycle(xfs_lsn_t lsn)
{
	return (uint32_t)(lsn >> 32);
}

static inline uint32_t xfs_lsn_block(xfs_lsn_t lsn)
{
	return (uint32_t)lsn;
}

/* Basic blocks that @bytes occupy, the last one perhaps in part. */
static inline uint64_t bb_from_bytes(uint64_t bytes)
{
	return (bytes >> BB_SHIFT) + ((bytes & (BB_SIZE - 1)) != 0);
}

#endif
