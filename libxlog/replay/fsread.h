/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading metadata of the filesystem as replay leaves it, for those who look
 * for what is left over and count what is free: headers of groups, inodes,
 * the extents of a file, directories, btrees. All goes through replay_read().
 *
 * What is read is verified, checksums included, and walks are bounded: what
 * cannot be is refused with -EUCLEAN. All errors are reported; the names of
 * what is read are for these reports.
 */
#ifndef LIBXLOG_REPLAY_FSREAD_H
#define LIBXLOG_REPLAY_FSREAD_H

#include "libxfsfmt/ag.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/inode.h"
#include "libxlog/replay/replay.h"

/* --- groups and inodes (fsread.c) --- */

/* The headers of group @agno. */
int fsread_agf(struct replay *r, xfs_agnumber_t agno, struct xfs_agf *agf)
	MUST_CHECK;
int fsread_agi(struct replay *r, xfs_agnumber_t agno, struct xfs_agi *agi)
	MUST_CHECK;

struct fsinode {
	xfs_ino_t	ino;
	struct xfs_dinode di;
	uint8_t		raw[XFS_DINODE_MAX_BYTES];
};

/* Inode @ino; it may be free. */
int fsread_inode(struct replay *r, xfs_ino_t ino, struct fsinode *in)
	MUST_CHECK;

typedef int (*fsread_extent_fn)(void *ctx, const struct xfs_bmbt_rec *extent);

/*
 * Call @fn for every extent of the data fork of @in, which is on the data
 * device: in ascending order and inside the filesystem, all written. A nonzero
 * return of @fn ends the walk and is returned.
 */
int fsread_extents(struct replay *r, const struct fsinode *in,
		   fsread_extent_fn fn, void *ctx) MUST_CHECK;

/* --- directories of metadata files (fsdir.c), version 5 only --- */

typedef int (*fsread_name_fn)(void *ctx, const uint8_t *name, size_t len_bytes,
			      xfs_ino_t ino);

/*
 * Call @fn for every name in directory @dir, "." and ".." perhaps included. A
 * nonzero return of @fn ends the walk and is returned. A directory of more
 * than 64 MiB is refused.
 */
int fsread_names(struct replay *r, const struct fsinode *dir,
		 fsread_name_fn fn, void *ctx) MUST_CHECK;

/* --- btrees (fstree.c) --- */

struct fstree {
	enum xfs_btree_kind kind;	/* REFC, RTREFC or BMAP */
	uint64_t	owner;		/* of its blocks: group or inode */
	uint64_t	first_key;	/* records below it are left out */
	/* Of each record, ascending; nonzero ends the walk. */
	int (*record)(void *ctx, const uint8_t *rec);
	void		*ctx;
};

/*
 * Walk the tree of group tree->owner that has its root at @root and @levels
 * levels. Every block on the way is verified, and so is that keys ascend and
 * hold what they promise, which also bounds the walk.
 */
int fstree_walk(struct replay *r, const struct fstree *tree,
		xfs_agblock_t root, uint32_t levels) MUST_CHECK;

/* The same for a tree whose root is the data fork of inode @in, its owner. */
int fstree_walk_fork(struct replay *r, const struct fstree *tree,
		     const struct fsinode *in) MUST_CHECK;

/* --- files of realtime groups (rtgroup.c) --- */

typedef int (*rtgroup_fn)(struct replay *r, void *ctx, uint32_t rgno,
			  const struct fsinode *in);

/*
 * Find the file @name ("bitmap", "refcount") of every realtime group, which
 * has this @metatype, and call @fn for each in order. A nonzero return of @fn
 * ends it and is returned.
 */
int rtgroup_each(struct replay *r, const char *name, enum xfs_metatype metatype,
		 rtgroup_fn fn, void *ctx) MUST_CHECK;

/* Blocks of group @rgno: the last one may be smaller. */
uint64_t rtgroup_blocks(const struct xfs_geom *geom, uint32_t rgno);

#endif
