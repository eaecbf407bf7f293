/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Headers of groups, inodes and the extents of files, as replay leaves them.
 * See fsread.h.
 */
#include <stdlib.h>

#include "libxlog/replay/fsread.h"

enum {
	AGF_SECTOR = 1,		/* of its group */
	AGI_SECTOR = 2,
};

/* --- groups --- */

typedef const char *(*verify_fn)(const void *raw, size_t len_bytes,
				 const struct xfs_geom *g,
				 xfs_agnumber_t agno);

/* On success *@raw is the caller's. */
static int header(struct replay *r, xfs_agnumber_t agno, unsigned int sector,
		  const char *name, verify_fn verify, uint8_t **raw)
{
	const struct xfs_geom *g = &r->geom;
	uint32_t bb = g->sectsize / BB_SIZE;
	uint8_t *buf = malloc(g->sectsize);
	const char *why;
	int rc;

	if (!buf)
		return replay_no_memory(r);
	rc = replay_read(r, xfs_agb_to_daddr(g, agno, 0) +
			 (uint64_t)sector * bb, bb, buf);
	if (rc)
		goto free_buf;
	why = verify(buf, g->sectsize, g, agno);
	if (why) {
		rc = replay_refuse(r, -EUCLEAN, "fs.group", XLOG_LSN_NONE,
				   "%s of group %u: %s", name, agno, why);
		goto free_buf;
	}
	*raw = buf;
	return 0;
free_buf:
	free(buf);
	return rc;
}

int fsread_agf(struct replay *r, xfs_agnumber_t agno, struct xfs_agf *agf)
{
	uint8_t *raw;
	int rc = header(r, agno, AGF_SECTOR, "AGF", xfs_agf_verify, &raw);

	if (rc)
		return rc;
	xfs_agf_decode(agf, raw, r->geom.sectsize, XFS_BE);
	free(raw);
	return 0;
}

int fsread_agi(struct replay *r, xfs_agnumber_t agno, struct xfs_agi *agi)
{
	uint8_t *raw;
	int rc = header(r, agno, AGI_SECTOR, "AGI", xfs_agi_verify, &raw);

	if (rc)
		return rc;
	xfs_agi_decode(agi, raw, r->geom.sectsize, XFS_BE);
	free(raw);
	return 0;
}

/* --- inodes --- */

static int bad_inode(struct replay *r, xfs_ino_t ino, const char *why)
{
	return replay_refuse(r, -EUCLEAN, "fs.inode", XLOG_LSN_NONE,
			     "inode %llu: %s", (unsigned long long)ino, why);
}

int fsread_inode(struct replay *r, xfs_ino_t ino, struct fsinode *in)
{
	const struct xfs_geom *g = &r->geom;
	/* an inode may be larger than a sector, or smaller */
	uint32_t unit = g->sectsize > g->inodesize ? g->sectsize :
			g->inodesize;
	const char *why;
	uint64_t off;
	uint8_t *buf;
	int rc;

	if (!xfs_geom_ino_ok(g, ino))
		return bad_inode(r, ino, "no such number in this filesystem");
	off = (uint64_t)xfs_ino_slot(g, ino) << g->inodelog;
	buf = malloc(unit);
	if (!buf)
		return replay_no_memory(r);
	rc = replay_read(r, xfs_agb_to_daddr(g, xfs_ino_agno(g, ino),
					     xfs_ino_agbno(g, ino)) +
			 off / unit * unit / BB_SIZE, unit / BB_SIZE, buf);
	if (!rc)
		memcpy(in->raw, buf + off % unit, g->inodesize);
	free(buf);
	if (rc)
		return rc;
	in->ino = ino;
	xfs_dinode_decode(&in->di, in->raw, g->inodesize, XFS_BE);
	why = xfs_dinode_verify(in->raw, g, ino);
	return why ? bad_inode(r, ino, why) : 0;
}

/* --- files --- */

struct extents {
	struct replay	*r;
	const struct fsinode *in;
	fsread_extent_fn fn;
	void		*ctx;
	uint64_t	next_off;	/* end of the extent before */
};

static int one_extent(void *ctx, const uint8_t *rec)
{
	struct extents *e = ctx;
	struct xfs_bmbt_rec ext;

	xfs_bmbt_rec_decode(&ext, rec, xfs_bmbt_rec_size, XFS_BE);
	if (ext.br_startoff < e->next_off)
		return bad_inode(e->r, e->in->ino, "extents out of order");
	if (!xfs_fsb_ok(&e->r->geom, ext.br_startblock, ext.br_blockcount) ||
	    ext.br_state)
		return bad_inode(e->r, e->in->ino, "bad extent");
	e->next_off = ext.br_startoff + ext.br_blockcount;
	return e->fn(e->ctx, &ext);
}

int fsread_extents(struct replay *r, const struct fsinode *in,
		   fsread_extent_fn fn, void *ctx)
{
	struct extents e = { r, in, fn, ctx, 0 };
	struct fstree tree = {
		.kind = XFS_BTREE_BMAP,
		.owner = in->ino,
		.record = one_extent,
		.ctx = &e,
	};
	const uint8_t *rec = in->raw + xfs_dinode_core_bytes(&in->di);
	uint64_t n = xfs_dinode_nextents(&in->di);
	int rc = 0;

	if (in->di.di_format == XFS_DINODE_FMT_BTREE)
		return fstree_walk_fork(r, &tree, in);
	if (in->di.di_format != XFS_DINODE_FMT_EXTENTS)
		return bad_inode(r, in->ino, "a metadata file without extents");
	if (n > xfs_dinode_dfork_bytes(&in->di, r->geom.inodesize) /
		xfs_bmbt_rec_size)
		return bad_inode(r, in->ino, "more extents than it has room for");
	for (; n && !rc; n--, rec += xfs_bmbt_rec_size)
		rc = one_extent(&e, rec);
	return rc;
}
