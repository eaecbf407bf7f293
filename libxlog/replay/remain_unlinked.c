/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes that nothing links to any more, but that were open: each group has
 * them in 64 lists, which begin in the AGI and go on through the inodes. The
 * list an inode is in follows from its number.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libxlog/replay/fsread.h"
#include "libxlog/replay/remain.h"

struct list {
	struct replay	*r;
	xfs_agnumber_t	agno;
	unsigned int	bucket;
	struct fsinode	inode;
};

static int bad_list(const struct list *l, xfs_agino_t agino, const char *why)
{
	return replay_refuse(l->r, -EUCLEAN, "unlinked", XLOG_LSN_NONE,
			     "unlinked list %u of group %u: inode %" PRIu64 ": %s",
			     l->bucket, l->agno,
			     xfs_ino_make(&l->r->geom, l->agno, agino), why);
}

static const char *file_type(const struct xfs_dinode *di)
{
	switch (di->di_mode & XFS_MODE_FMT) {
	case XFS_MODE_FIFO:
		return "fifo";
	case XFS_MODE_CHR:
		return "character device";
	case XFS_MODE_DIR:
		return "directory";
	case XFS_MODE_BLK:
		return "block device";
	case XFS_MODE_LNK:
		return "symbolic link";
	case XFS_MODE_SOCK:
		return "socket";
	default:
		return "file";
	}
}

static void tell(struct replay *r, xfs_agnumber_t agno,
		 const struct fsinode *in)
{
	uint32_t nlink = xfs_dinode_nlink(&in->di);
	char text[128];

	snprintf(text, sizeof(text),
		 "inode %" PRIu64 ": unlinked %s, mode %06o, %" PRIu64
		 " bytes, %u link%s",
		 in->ino, file_type(&in->di), in->di.di_mode,
		 in->di.di_size, nlink, nlink == 1 ? "" : "s");
	remain_tell(r, &(struct xlog_remainder){
		.kind = XLOG_REMAINDER_UNLINKED,
		.lsn = XLOG_LSN_NONE,
		.ino = in->ino,
		.ag = agno,
		.realtime = in->di.di_flags & XFS_DIFLAG_REALTIME,
		.text = text,
	});
}

static bool agino_ok(const struct xfs_geom *g, xfs_agnumber_t agno,
		     xfs_agino_t agino)
{
	xfs_ino_t ino = xfs_ino_make(g, agno, agino);

	return xfs_ino_agno(g, ino) == agno &&
	       xfs_ino_agino(g, ino) == agino && xfs_geom_ino_ok(g, ino);
}

/*
 * Follow the list from @agino. The inode @seen is one that was passed, at
 * distances that double: a list that runs in a circle comes back to it.
 */
static int walk_list(struct list *l, xfs_agino_t agino)
{
	const struct xfs_geom *g = &l->r->geom;
	xfs_agino_t seen = XFS_NULL_AGINO;
	uint64_t steps = 0, next_mark = 1;
	int rc;

	while (agino != XFS_NULL_AGINO) {
		if (!agino_ok(g, l->agno, agino))
			return bad_list(l, agino, "no such number");
		if (agino % XFS_AGI_BUCKETS != l->bucket)
			return bad_list(l, agino, "belongs in another list");
		if (agino == seen)
			return bad_list(l, agino, "the list runs in a circle");
		rc = fsread_inode(l->r, xfs_ino_make(g, l->agno, agino),
				  &l->inode);
		if (rc)
			return rc;
		if (!l->inode.di.di_mode)
			return bad_list(l, agino, "is free");
		l->r->res->unlinked++;
		l->r->realtime_left |= l->inode.di.di_flags &
				       XFS_DIFLAG_REALTIME;
		tell(l->r, l->agno, &l->inode);
		if (++steps == next_mark) {
			seen = agino;
			next_mark *= 2;
		}
		agino = l->inode.di.di_next_unlinked;
	}
	return 0;
}

static int walk_group(struct list *l)
{
	struct xfs_agi agi;
	int rc = fsread_agi(l->r, l->agno, &agi);

	for (l->bucket = 0; l->bucket < XFS_AGI_BUCKETS && !rc; l->bucket++)
		rc = walk_list(l, agi.agi_unlinked[l->bucket]);
	return rc;
}

int remain_unlinked(struct replay *r)
{
	struct list *l = calloc(1, sizeof(*l));
	int rc = 0;

	if (!l)
		return replay_no_memory(r);
	l->r = r;
	for (l->agno = 0; l->agno < r->geom.agcount && !rc; l->agno++)
		rc = walk_group(l);
	free(l);
	return rc;
}
