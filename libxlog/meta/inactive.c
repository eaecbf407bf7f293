/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of an inode ends in steps, each a chain of transactions: first its
 * data, then its attributes, then itself. Whatever comes between two of them,
 * it is an inode without links in its unlinked list, with less to remove.
 */
#include "libxfsfmt/logitem.h"
#include "libxfsfmt/symlink.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/ialloc.h"
#include "libxlog/meta/inactive.h"
#include "libxlog/meta/inactive_attr.h"
#include "libxlog/meta/itruncate.h"
#include "libxlog/trans/counters.h"

/* --- chains --- */

/* Begin one, with the inode locked and held until the chain ends. */
static int begin(struct inode *ip, enum xfs_tr tr, struct trans **t)
	UNCHECKED_LOCKING
{
	int rc = trans_alloc(ip->fs, tr, t);

	if (rc)
		return rc;
	inode_join(*t, ip);
	inode_hold(*t, ip);
	return 0;
}

/* @rc: of what was done in it. */
static int end(struct inode *ip, struct trans *t, int rc) UNCHECKED_LOCKING
{
	if (rc)
		trans_cancel(t);
	else
		rc = trans_commit(t, NULL);
	inode_unlock(ip);
	return rc;
}

/* --- data --- */

/*
 * Blocks are taken from the end, but nobody must see the data of others where
 * they were: the size comes first.
 */
static void forget_size(struct trans *t, struct inode *ip)
{
	ip->di.di_size = 0;
	inode_log(t, ip, XFS_ILOG_CORE);
}

static int remove_data(struct inode *ip)
{
	struct trans *t;
	int rc = begin(ip, XFS_TR_ITRUNCATE, &t);

	if (rc)
		return rc;
	forget_size(t, ip);
	rc = itruncate_extents(&t, ip, XFS_DATA_FORK, 0, 0);
	return end(ip, t, rc);
}

/* Of a directory, or a link whose target lies in blocks. */
static int remove_metadata(struct inode *ip, uint32_t unit)
{
	struct trans *t;
	int rc = begin(ip, XFS_TR_ITRUNCATE, &t);

	if (rc)
		return rc;
	/* a link without target would be damage: Linux makes it a file, too */
	if (xfs_dinode_is(&ip->di, XFS_MODE_LNK))
		ip->di.di_mode = (uint16_t)((ip->di.di_mode & ~XFS_MODE_FMT) |
					    XFS_MODE_REG);
	forget_size(t, ip);
	rc = itruncate_metadata(&t, ip, XFS_DATA_FORK, unit);
	return end(ip, t, rc);
}

static int empty_data_fork(struct inode *ip)
{
	const struct xfs_geom *g = &ip->fs->geom;

	if (xfs_dinode_is(&ip->di, XFS_MODE_REG))
		return ip->di.di_size || inode_nextents(ip, XFS_DATA_FORK) ?
		       remove_data(ip) : 0;
	if (!inode_nextents(ip, XFS_DATA_FORK))
		return 0;
	/* a target has a buffer for each extent, and is shorter than that */
	return remove_metadata(ip, (xfs_dinode_is(&ip->di, XFS_MODE_DIR) ?
				    g->dirblock_bytes :
				    XFS_BUF_LOG_MAX_BYTES) >> g->blocklog);
}

/* --- the inode --- */

static uint32_t ifree_blocks(const struct trans_fs *fs)
{
	struct xfs_levels lv;

	xfs_levels_init(&lv, &fs->geom);
	return fs->geom.finobt ? lv.ino : 0;
}

/* To free an inode should succeed where there is hardly any space left. */
static int begin_ifree(struct inode *ip, struct trans **t) UNCHECKED_LOCKING
{
	int rc = trans_alloc_blocks(ip->fs, XFS_TR_IFREE,
				    ifree_blocks(ip->fs), true, t);

	if (rc == -ENOSPC)
		rc = trans_alloc(ip->fs, XFS_TR_IFREE, t);
	if (rc)
		return rc;
	inode_join(*t, ip);
	inode_hold(*t, ip);
	return 0;
}

static int free_inode(struct inode *ip)
{
	struct trans *t;
	int rc = begin_ifree(ip, &t);

	return rc ? rc : end(ip, t, ialloc_free(t, ip));
}

static int remove_all(struct inode *ip)
{
	int rc = empty_data_fork(ip);

	if (!rc && ip->di.di_forkoff)
		rc = inactive_attr(ip);
	return rc ? rc : free_inode(ip);
}

/* --- with links --- */

/* Does anything lie behind the end that Linux would not keep there? */
static int has_blocks_behind(struct inode *ip, bool *has)
{
	const struct xfs_geom *g = &ip->fs->geom;
	uint64_t off = (ip->di.di_size >> g->blocklog) +
		       ((ip->di.di_size & (g->blocksize - 1)) != 0);
	struct xfs_bmbt_rec rec;

	*has = false;
	if (!xfs_dinode_is(&ip->di, XFS_MODE_REG) || !ip->di.di_size ||
	    inode_format(ip, XFS_DATA_FORK) != XFS_DINODE_FMT_EXTENTS ||
	    ip->di.di_flags & (XFS_DIFLAG_PREALLOC | XFS_DIFLAG_APPEND))
		return 0;
	return bmap_find(NULL, ip, XFS_DATA_FORK, off, &rec, has);
}

static int trim(struct inode *ip)
{
	struct trans *t;
	int rc = begin(ip, XFS_TR_ITRUNCATE, &t);

	if (rc)
		return rc;
	rc = itruncate_extents(&t, ip, XFS_DATA_FORK, ip->di.di_size,
			       BMAP_NODISCARD);
	return end(ip, t, rc);
}

/* --- what is to be done --- */

static const char *judge(const struct xfs_dinode *di)
{
	if (!di->di_mode)
		return "is free, and not to be removed";
	if (di->di_version >= 3 && di->di_flags2 & XFS_DIFLAG2_METADATA)
		return "is a metadata file, and not to be removed";
	if (xfs_dinode_is(di, XFS_MODE_LNK) &&
	    (!di->di_size || di->di_size > XFS_SYMLINK_MAX_BYTES))
		return "is a symbolic link of impossible length";
	return NULL;
}

static int check(struct inode *ip, bool *trims)
{
	const char *why = judge(&ip->di);
	int rc;

	if (why)
		return report(&ip->fs->sink, -EUCLEAN, "inode", XLOG_LSN_NONE,
			      "inode %llu: %s", (unsigned long long)ip->ino,
			      why);
	rc = bmap_check(ip);
	*trims = false;
	if (!rc && xfs_dinode_nlink(&ip->di))
		rc = has_blocks_behind(ip, trims);
	return rc;
}

int inode_inactivate(struct inode *ip)
{
	bool trims, linked;
	int rc;

	inode_lock(ip);
	rc = check(ip, &trims);
	linked = xfs_dinode_nlink(&ip->di) != 0;
	inode_unlock(ip);
	if (rc)
		return rc;
	if (linked)
		return trims ? trim(ip) : 0;
	return remove_all(ip);
}
