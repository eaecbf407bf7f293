/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What transactions have made of a filesystem, byte by byte, so that it can be
 * said after a power failure whether exactly the first so many of them are
 * there. Free space is looked for, in which blocks and inodes can be made that
 * belong to nobody.
 */
#ifndef TESTS_LIB_KINDS_MODEL_H
#define TESTS_LIB_KINDS_MODEL_H

#include "libxlog/read/read.h"

/* Whose stamps are in there, which are not compared. */
enum model_kind {
	MODEL_BLOCK,		/* of a btree of free space */
	MODEL_INODE,
};

struct model_change;

struct kinds_model {
	/* free space of at least so many blocks */
	xfs_agnumber_t	agno;
	xfs_agblock_t	agbno;
	/* where a number of 32 bits is that of the last transaction, in bytes */
	uint64_t	counter;
	uint64_t	forced;		/* transactions that must be there */
	uint64_t	all;		/* that can */
	uint64_t	last;		/* that was found, by model_judge() */

	uint32_t	inodesize, blocksize;
	bool		v5;
	struct model_change *change;
	size_t		nchanges, room;
	uint8_t		*data;
	size_t		data_bytes, data_room;
	char		said[128];
};

/* NULL: no memory, or no such free space. */
struct kinds_model *model_new(struct xlog *log, uint32_t blocks);
void model_free(struct kinds_model *m);

/* Transaction @txn, not less than the one before, puts these bytes there. */
void model_set(struct kinds_model *m, uint64_t txn, enum model_kind kind,
	       uint64_t off, const void *data, uint32_t len);

/* After it there may be anything. */
void model_forget(struct kinds_model *m, uint64_t txn, uint64_t off,
		  uint32_t len);

/* NULL, or what is wrong: @dev is as after one of the transactions. */
const char *model_judge(struct kinds_model *m, struct dev *dev);

/* 0, or -EIO. */
int model_save(const struct kinds_model *m, const char *path) MUST_CHECK;
/* NULL: it cannot be read. */
struct kinds_model *model_load(const char *path);

/* --- what is made there --- */

/* A leaf without records, sound in every way for that place; no checksum. */
void kinds_make_block(uint8_t *raw, const struct xfs_geom *g,
		      xfs_agnumber_t agno, xfs_daddr_t daddr);

/* A free inode, as new ones are. */
void kinds_make_inode(uint8_t *raw, const struct xfs_geom *g, xfs_ino_t ino,
		      uint32_t gen);

/* Its checksum. */
void kinds_sum_inode(uint8_t *raw, const struct xfs_geom *g);

#endif
