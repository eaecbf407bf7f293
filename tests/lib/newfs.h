/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem in memory for tests of transactions on metadata, of either
 * version and any sizes, made block by block: groups with their trees, chunks
 * of inodes that are all in use (empty files that nothing links to, but in no
 * unlinked list), the rest free. There is no root directory. The log is
 * a device of its own.
 */
#ifndef TESTS_LIB_NEWFS_H
#define TESTS_LIB_NEWFS_H

#include "libxlog/meta/perag.h"
#include "libxlog/trans/trans.h"
#include "tests/lib/memdev.h"

struct newfs_options {
	bool		v4;
	/* logarithms of sizes in bytes; 0: 12, 9, and 9 or (version 4) 8 */
	uint8_t		blocklog, sectlog, inodelog;
	uint8_t		dirblklog;	/* of blocks in a directory block */
	uint32_t	agcount, agblocks;	/* 0: 2 of 4096 */
	uint32_t	chunks;		/* of inodes in each group; 0: 1 */
	uint16_t	holemask;	/* of every other chunk, from the second;
					   holes are whole clusters */
	/* of version 5 */
	bool		finobt, rmapbt, reflink, inobtcount, nrext64, bigtime;
	bool		no_lazycount;	/* version 4 */
	bool		unaligned;	/* version 4: chunks begin anywhere */
	uint32_t	log_bytes;	/* 0: 16 MiB */
	bool		recovered;	/* the log has just been replayed */
};

struct newfs {
	struct reports	said;
	struct dev	*data, *logdev;
	struct xfs_sb	sb;
	struct trans_fs	fs;
	struct newfs_options opts;
	xfs_agblock_t	chunk0;		/* of each group: first block of inodes */
	uint32_t	cycle;		/* of the log */
	xfs_agblock_t	free0;		/* first free block behind them */
};

/* Made, and its log open, without threads. */
struct newfs *newfs_new(const struct newfs_options *opts);

/* Power fails; nothing is checked. */
void newfs_free(struct newfs *n);

/* All that was committed is written back: the device says what is. */
void newfs_settle(struct newfs *n);

/* Settled: nothing is in memory, what is wanted is read from the device. */
void newfs_forget(struct newfs *n);

/* Inode number @i (from 0) of group @agno. */
xfs_ino_t newfs_ino(const struct newfs *n, xfs_agnumber_t agno, unsigned int i);

/* Inodes of a group that there are. */
unsigned int newfs_inodes(const struct newfs *n);

#endif
