/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The metadata files of realtime groups. They are found by their names, which
 * are "0.bitmap" and the like, in the directory "rtgroups" of the directory
 * of metadata files.
 */
#include <stdlib.h>

#include "libxlog/replay/fsread.h"

enum { RGNO_MAX_DIGITS = 10 };

struct rtfile {
	uint64_t	rgno;
	xfs_ino_t	ino;
};

struct rtfiles {
	struct replay	*r;
	const char	*name;
	struct rtfile	*files;
	size_t		count, room;
};

static int bad_groups(struct replay *r, const char *name, const char *why)
{
	return replay_refuse(r, -EUCLEAN, "fs.rtgroup", XLOG_LSN_NONE,
			     "files \"%s\" of realtime groups: %s", name, why);
}

uint64_t rtgroup_blocks(const struct xfs_geom *geom, uint32_t rgno)
{
	uint64_t start = (uint64_t)rgno * geom->rgblocks;

	if (rgno >= geom->rgcount || start >= geom->rblocks)
		return 0;
	if (geom->rblocks - start < geom->rgblocks)
		return geom->rblocks - start;
	return geom->rgblocks;
}

struct lookup {
	const char	*name;
	xfs_ino_t	ino;	/* 0: not found */
};

static bool name_is(const uint8_t *name, size_t len_bytes, const char *other)
{
	return len_bytes == strlen(other) && !memcmp(name, other, len_bytes);
}

static int look_up(void *ctx, const uint8_t *name, size_t len_bytes,
		   xfs_ino_t ino)
{
	struct lookup *l = ctx;

	if (name_is(name, len_bytes, l->name))
		l->ino = ino;
	return 0;
}

/* Keep the file if it is "NUMBER.name". */
static int collect(void *ctx, const uint8_t *name, size_t len_bytes,
		   xfs_ino_t ino)
{
	struct rtfiles *f = ctx;
	uint64_t rgno = 0;
	size_t i = 0;

	while (i < len_bytes && i < RGNO_MAX_DIGITS && name[i] >= '0' &&
	       name[i] <= '9')
		rgno = rgno * 10 + (uint64_t)(name[i++] - '0');
	if (!i || i == len_bytes || name[i] != '.' ||
	    !name_is(name + i + 1, len_bytes - i - 1, f->name))
		return 0;
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 64;
		struct rtfile *p = realloc(f->files, room * sizeof(*p));

		if (!p)
			return replay_no_memory(f->r);
		f->files = p;
		f->room = room;
	}
	f->files[f->count++] = (struct rtfile){ rgno, ino };
	return 0;
}

static int by_rgno(const void *a, const void *b)
{
	const struct rtfile *x = a, *y = b;

	return x->rgno < y->rgno ? -1 : x->rgno > y->rgno;
}

static int find_files(struct replay *r, struct rtfiles *f)
{
	struct lookup dir = { .name = "rtgroups" };
	struct fsinode *in = malloc(sizeof(*in));
	int rc;

	if (!in)
		return replay_no_memory(r);
	rc = fsread_inode(r, r->sb.sb_metadirino, in);
	if (!rc)
		rc = fsread_names(r, in, look_up, &dir);
	if (!rc && !dir.ino)
		rc = bad_groups(r, f->name, "there is no directory of them");
	if (!rc)
		rc = fsread_inode(r, dir.ino, in);
	if (!rc)
		rc = fsread_names(r, in, collect, f);
	free(in);
	if (rc)
		return rc;
	if (f->count != r->geom.rgcount)
		return bad_groups(r, f->name, "not one for each group");
	if (f->count)
		qsort(f->files, f->count, sizeof(*f->files), by_rgno);
	for (size_t i = 0; i < f->count; i++)
		if (f->files[i].rgno != i)
			return bad_groups(r, f->name, "not one for each group");
	return 0;
}

static int one_group(struct replay *r, const struct rtfiles *f, size_t i,
		     enum xfs_metatype metatype, rtgroup_fn fn, void *ctx)
{
	struct fsinode *in = malloc(sizeof(*in));
	uint32_t projid;
	int rc;

	if (!in)
		return replay_no_memory(r);
	rc = fsread_inode(r, f->files[i].ino, in);
	if (rc)
		goto free_inode;
	/* such files keep the number of their group there */
	projid = (uint32_t)in->di.di_projid_hi << 16 | in->di.di_projid_lo;
	if (!xfs_dinode_is(&in->di, XFS_MODE_REG) ||
	    !(in->di.di_flags2 & XFS_DIFLAG2_METADATA) ||
	    in->di.di_metatype != metatype || projid != i)
		rc = bad_groups(r, f->name, "an inode that is none");
	else
		rc = fn(r, ctx, (uint32_t)i, in);
free_inode:
	free(in);
	return rc;
}

int rtgroup_each(struct replay *r, const char *name, enum xfs_metatype metatype,
		 rtgroup_fn fn, void *ctx)
{
	struct rtfiles f = { .r = r, .name = name };
	int rc = find_files(r, &f);

	for (size_t i = 0; i < f.count && !rc; i++)
		rc = one_group(r, &f, i, metatype, fn, ctx);
	free(f.files);
	return rc;
}
