/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The blocks of an attribute fork are freed from its end, without a look at
 * what they are to each other. Between two transactions the tree of attributes
 * would have pointers into nothing, and whoever goes on after a crash may want
 * to walk it: so that tree goes first, all of it at once, by making its root,
 * which is block 0, a leaf without entries.
 *
 * Rejected: to walk the tree and to invalidate it from the bottom up, as Linux
 * does. After a crash in between, its upper blocks name lower ones that are not
 * replayed any more.
 */
#include "libxfsfmt/attredit.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/inactive_attr.h"
#include "libxlog/meta/itruncate.h"
#include "libxlog/trans/trans_buf.h"

/* What block 0 was counts for nothing any more: it need not be read. */
static int cut_tree(struct trans **t, struct inode *ip)
{
	const struct xfs_geom *g = &ip->fs->geom;
	struct xfs_attr_leaf leaf;
	struct xfs_bmbt_rec rec;
	uint64_t daddr;
	struct buf *buf;
	bool found;
	int rc = bmap_find(*t, ip, XFS_ATTR_FORK, 0, &rec, &found);

	/* without a root there is nothing to walk */
	if (rc || !found || rec.br_startoff)
		return rc;
	daddr = xfs_fsb_to_daddr(g, rec.br_startblock);
	rc = trans_get_buf(*t, daddr, g->blocksize / BB_SIZE,
			   &trans_da_any_ops, &buf);
	if (rc)
		return rc;
	xfs_attr_leaf_init(&leaf, buf->data, g, daddr, ip->ino);
	trans_log_buf(*t, buf, 0, leaf.hdr_bytes);
	inode_log(*t, ip, XFS_ILOG_CORE);
	return trans_roll_held(t);
}

static int empty_fork(struct trans **t, struct inode *ip)
{
	int rc;

	if (!inode_nextents(ip, XFS_ATTR_FORK))
		return 0;
	rc = cut_tree(t, ip);
	return rc ? rc : itruncate_metadata(t, ip, XFS_ATTR_FORK, 1);
}

static void drop_fork(struct trans *t, struct inode *ip)
{
	ip->di.di_forkoff = 0;
	ip->di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	inode_log(t, ip, XFS_ILOG_CORE);
}

int inactive_attr(struct inode *ip) UNCHECKED_LOCKING
{
	struct trans *t;
	int rc = trans_alloc(ip->fs, XFS_TR_ATTRINVAL, &t);

	if (rc)
		return rc;
	inode_join(t, ip);
	inode_hold(t, ip);
	rc = empty_fork(&t, ip);
	if (rc) {
		trans_cancel(t);
	} else {
		drop_fork(t, ip);
		rc = trans_commit(t, NULL);
	}
	inode_unlock(ip);
	return rc;
}
