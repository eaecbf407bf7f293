/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The forks of an inode: what stands behind its core. On disk the data fork
 * begins right there and the attribute fork at di_forkoff; each is a device
 * number, local data (a small directory, a link target, shortform
 * attributes), a list of extents, or the root of a btree. The log carries a
 * fork as a region of its own, in which a btree root has the form it has in
 * memory.
 *
 * Source of the layouts: Linux fs/xfs/libxfs/xfs_format.h and, for the log,
 * what kernels 5.10 to 7.2 were seen to write.
 */
#ifndef LIBXFSFMT_FORK_H
#define LIBXFSFMT_FORK_H

#include "libxfsfmt/inode.h"

/*
 * Device numbers are kept as System V did it, 14 bits of major and 18 of
 * minor number: in the fork big-endian, in the log (ilf_rdev) in the order of
 * the writer.
 */
static inline uint32_t xfs_dev_major(uint32_t dev)
{
	return dev >> 18;
}

static inline uint32_t xfs_dev_minor(uint32_t dev)
{
	return dev & 0x3ffff;
}

/*
 * Show both forks of the inode of @inode_bytes at @off_bytes, whose core is
 * @di: groups "u" (data) and "a" (attributes).
 */
void xfs_dinode_forks_walk(const struct xfs_walk *w,
			   const struct xfs_dinode *di, size_t off_bytes,
			   size_t inode_bytes);

/*
 * Show a logged fork region, whose bytes without padding are all that @w has.
 * @ilog_fields: what the item says it holds (XFS_ILOG_*); @attr: it is the
 * attribute fork; @di: the core logged with it, or NULL if that is not there,
 * in which case local data is shown raw.
 */
void xfs_log_fork_walk(const struct xfs_walk *w, uint32_t ilog_fields,
		       bool attr, const struct xfs_dinode *di);

#endif
