/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a file goes first, so that what is left is a file at every step.
 */
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/itruncate.h"
#include "libxlog/trans/trans_buf.h"

enum {
	EXTENTS_PER_TRANS = 2,	/* what reservations reckon with */
	/* Each takes 40 bytes of log, where two trees could have been split. */
	BUFFERS_PER_TRANS = 64,
};

/* Of a file of which nothing is shared any more since it has nothing. */
static void clear_reflink(struct inode *ip)
{
	if (ip->di.di_version >= 3 && !inode_nextents(ip, XFS_DATA_FORK))
		ip->di.di_flags2 &= ~(uint64_t)XFS_DIFLAG2_REFLINK;
}

int itruncate_extents(struct trans **t, struct inode *ip, int whichfork,
		      uint64_t size, unsigned int flags)
{
	const struct xfs_geom *g = &ip->fs->geom;
	uint64_t off = (size >> g->blocklog) +
		       ((size & (g->blocksize - 1)) != 0);
	uint64_t left = off > BMAP_MAX_OFF ? 0 : BMAP_MAX_OFF - off + 1;
	int rc = 0;

	while (left && !rc) {
		rc = bmap_unmap(*t, ip, whichfork, off, &left, flags,
				EXTENTS_PER_TRANS);
		if (!rc)
			rc = defer_finish(t);
	}
	if (rc)
		return rc;
	if (whichfork == XFS_DATA_FORK)
		clear_reflink(ip);
	inode_log(*t, ip, XFS_ILOG_CORE);
	return 0;
}

/* The log may have things to replay into these blocks: not any more. */
static int forget(struct trans *t, struct inode *ip, xfs_fsblock_t fsb,
		  uint32_t len)
{
	const struct xfs_geom *g = &ip->fs->geom;
	struct buf *buf;
	/* it will not be read or written: as what does not matter */
	int rc = trans_get_buf(t, xfs_fsb_to_daddr(g, fsb),
			       len << (g->blocklog - BB_SHIFT),
			       &trans_da_any_ops, &buf);

	if (!rc)
		trans_binval(t, buf);
	return rc;
}

/*
 * As many buffers from the end of extent @rec as there are *@left for this
 * transaction; *@off: where they begin in the file.
 */
static int forget_end(struct trans *t, struct inode *ip, uint32_t unit,
		      const struct xfs_bmbt_rec *rec, unsigned int *left,
		      uint64_t *off)
{
	uint64_t end = rec->br_startoff + rec->br_blockcount, start;
	int rc = 0;

	for (; *left && !rc && end > rec->br_startoff; --*left) {
		start = (end - 1) / unit * unit;
		if (start < rec->br_startoff)
			start = rec->br_startoff;
		rc = forget(t, ip, rec->br_startblock +
			    (start - rec->br_startoff),
			    (uint32_t)(end - start));
		end = start;
	}
	*off = end;
	return rc;
}

/* The last extent, or the end of it; *@found false: there was none. */
static int remove_last(struct trans *t, struct inode *ip, int whichfork,
		       uint32_t unit, unsigned int *left, bool *found)
{
	struct xfs_bmbt_rec rec;
	uint64_t off, len;
	int rc = bmap_find_last(t, ip, whichfork, BMAP_MAX_OFF, &rec, found);

	if (rc || !*found)
		return rc;
	rc = forget_end(t, ip, unit, &rec, left, &off);
	if (rc)
		return rc;
	len = rec.br_startoff + rec.br_blockcount - off;
	return bmap_unmap(t, ip, whichfork, off, &len, 0, 1);
}

int itruncate_metadata(struct trans **t, struct inode *ip, int whichfork,
		       uint32_t unit)
{
	bool found = true;
	int rc = 0;

	while (found && !rc) {
		unsigned int left = BUFFERS_PER_TRANS;

		for (unsigned int i = 0; i < EXTENTS_PER_TRANS && left &&
		     found && !rc; i++)
			rc = remove_last(*t, ip, whichfork, unit, &left,
					 &found);
		if (!rc)
			rc = defer_finish(t);
		found = found && inode_nextents(ip, whichfork);
	}
	return rc;
}
