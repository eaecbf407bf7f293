/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From an inode as it was logged to the inode on disk: the core changes its
 * byte order and loses what only lives in memory, a btree root its form.
 *
 * Source of the rules: Linux fs/xfs/xfs_inode_item_recover.c and
 * libxfs/xfs_bmap_btree.c; inodes so made are byte for byte those of kernels
 * 5.10 to 7.2.
 */
#ifndef LIBXFSFMT_INODELOG_H
#define LIBXFSFMT_INODELOG_H

#include "libxfsfmt/btree.h"
#include "libxfsfmt/inode.h"

/*
 * Put the logged core @logged of @len_bytes (those of its version, see
 * XFS_LOG_DINODE_V3_BYTES) into the inode @disk, of which @di is the decoded
 * core. Not changed are di_next_unlinked, di_crc and di_lsn, and the forks.
 */
void xfs_log_dinode_to_disk(void *disk, const void *logged, size_t len_bytes,
			    const struct xfs_dinode *di,
			    enum xfs_order order);

/*
 * The other way: the core @di, of version 2 or 3, as it is logged, all of the
 * XFS_LOG_DINODE_V2_BYTES or XFS_LOG_DINODE_V3_BYTES of that. The LSN, which
 * replay does not look at, is zero.
 */
void xfs_dinode_to_log(void *logged, const struct xfs_dinode *di,
		       enum xfs_order order);

/*
 * The kind of btree whose root is in the data fork of @di, which has the
 * format for one.
 */
enum xfs_btree_kind xfs_dinode_broot_kind(const struct xfs_dinode *di);

/*
 * Put the root @raw of @len_bytes, in the form of the log, into @fork of
 * @fork_bytes, in the form of the disk. Bytes that the root does not need stay
 * as they were. NULL, or why that cannot be done; then nothing was changed.
 */
const char *xfs_broot_to_disk(void *fork, size_t fork_bytes, const void *raw,
			      size_t len_bytes, enum xfs_btree_kind kind,
			      bool v5);

/*
 * The other way: bytes of the root in the form of the log, and that root, for
 * the inode @ino. The root at @fork has passed xfs_bmdr_verify().
 */
size_t xfs_broot_log_bytes(const void *fork, enum xfs_btree_kind kind,
			   bool v5);
void xfs_broot_to_log(void *raw, const void *fork, size_t fork_bytes,
		      enum xfs_btree_kind kind, const struct xfs_geom *geom,
		      xfs_ino_t ino);

#endif
