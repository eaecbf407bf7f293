/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filesystem that transactions are of: what they find there before the log
 * is open and after it is closed.
 */
#include <string.h>

#include "libxlog/trans/buf_item.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/inode_item.h"

enum {
	CACHE_BYTES = 64 << 20,
	INODE_CLUSTER_BYTES = 8192,	/* for inodes of the smallest size */
};

/* As Linux sizes the buffers in which it keeps inodes. */
static void set_clusters(struct trans_fs *fs, const struct xfs_sb *sb)
{
	const struct xfs_geom *g = &fs->geom;
	uint32_t align = sb->sb_inoalignmt, blocks;
	uint32_t bytes = INODE_CLUSTER_BYTES;
	uint32_t scaled = bytes * (g->inodesize / XFS_DINODE_MIN_BYTES);

	if (g->v5 && align >= scaled >> g->blocklog)
		bytes = scaled;
	if (bytes < g->blocksize)
		bytes = g->blocksize;
	fs->cluster_bb = bytes / BB_SIZE;
	blocks = bytes >> g->blocklog;
	/* a block is aligned in any case */
	fs->inode_align = align >= blocks ? align : blocks == 1;
}

/* Buffers that are stuck were freed; when that is durable they are not. */
static int unstick(void *ctx)
{
	const struct trans_fs *fs = ctx;

	return log_force(fs->log, true);
}

int trans_fs_init(struct trans_fs *fs, const struct xfs_sb *sb,
		  struct dev *data, uint64_t cache_bytes,
		  const struct sink *sink)
{
	struct xfs_levels levels;
	int rc;

	memset(fs, 0, sizeof(*fs));
	fs->sink = *sink;
	xfs_geom_init(&fs->geom, sb);
	xfs_levels_init(&levels, &fs->geom);
	xfs_trans_resv_init(&fs->resv, sb, &levels);
	set_clusters(fs, sb);
	counters_init(fs, sb);
	rc = buf_cache_new(data, cache_bytes ? cache_bytes : CACHE_BYTES, 0,
			   &fs->cache);
	if (rc)
		return rc;
	buf_cache_set_user(fs->cache, fs, unstick);
	rc = inode_cache_new(fs, &fs->inodes);
	if (!rc)
		rc = busy_new(&fs->geom, NULL, &fs->busy);
	if (rc)
		trans_fs_fini(fs);
	return rc;
}

/* A log that died has left items on buffers, some of them locked. */
static void drop_item(struct buf *b)
{
	if (b->item)
		buf_item_abandon(b->item);
}

void trans_fs_fini(struct trans_fs *fs)
{
	inode_cache_free(fs->inodes);
	fs->inodes = NULL;
	if (fs->cache)
		buf_cache_each(fs->cache, drop_item);
	buf_cache_free(fs->cache);
	fs->cache = NULL;
	busy_free(fs->busy);
	fs->busy = NULL;
}
