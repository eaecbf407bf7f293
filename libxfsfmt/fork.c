/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forks: which of the walks fits what is there. Nothing a core says about its
 * forks is believed further than the bytes that are there.
 */
#include "libxfsfmt/fork.h"

#include "libxfsfmt/attr.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/da.h"
#include "libxfsfmt/dir.h"
#include "libxfsfmt/geom.h"
#include "libxfsfmt/logitem_fmt.h"

#define DEV_ROWS(X)							\
	X##_F(be32, dev,	0,	HEX)
XFS_DECLARE(fork_dev, DEV_ROWS, 4);
XFS_DEFINE(fork_dev, DEV_ROWS)

/* A fork as it lies in the block of a walk. */
struct fork {
	size_t		off_bytes;
	size_t		len_bytes;	/* all the fork can have */
	bool		attr;
	const struct xfs_dinode *di;	/* NULL: not known */
};

static void dev_walk(const struct xfs_walk *w, const struct fork *fork)
{
	uint32_t dev;

	if (fork->len_bytes < fork_dev_size ||
	    !xfs_walk_has(w, fork->off_bytes, fork_dev_size))
		return;
	dev = get_be32(w->base + fork->off_bytes);
	xfs_walk_fields(w, fork_dev_fields, fork->off_bytes, 0);
	w->ops->value(w->ctx, "major", XFS_KIND_UINT, xfs_dev_major(dev));
	w->ops->value(w->ctx, "minor", XFS_KIND_UINT, xfs_dev_minor(dev));
}

/* File types are kept wherever there are version 3 inodes, or a feature bit. */
static bool has_ftype(const struct xfs_walk *w, const struct xfs_dinode *di)
{
	return di->di_version >= 3 || (w->geom && w->geom->ftype);
}

static void sfattr_walk(const struct xfs_walk *w, const struct fork *fork)
{
	if (!xfs_walk_has(w, fork->off_bytes, xfs_attr_sf_hdr_size))
		return;
	w->ops->enter(w->ctx, "sfattr", -1);
	xfs_attr_sf_walk(w, fork->off_bytes, fork->len_bytes);
	w->ops->leave(w->ctx);
}

static void local_walk(const struct xfs_walk *w, const struct fork *fork)
{
	size_t off = fork->off_bytes, len_bytes = fork->len_bytes;
	const struct xfs_dinode *di = fork->di;

	if (fork->attr) {
		sfattr_walk(w, fork);
		return;
	}
	if (di && di->di_size < len_bytes)
		len_bytes = (size_t)di->di_size;
	if (!len_bytes || !xfs_walk_has(w, off, len_bytes))
		return;
	if (di && xfs_dinode_is(di, XFS_MODE_DIR)) {
		w->ops->enter(w->ctx, "sfdir", -1);
		xfs_dir_sf_walk(w, off, len_bytes, has_ftype(w, di));
		w->ops->leave(w->ctx);
	} else {
		bool link = di && xfs_dinode_is(di, XFS_MODE_LNK);

		w->ops->bytes(w->ctx, link ? "symlink" : "data",
			      link ? XFS_KIND_CHARS : XFS_KIND_BYTES,
			      w->base + off, len_bytes);
	}
}

static void extents_walk(const struct xfs_walk *w, const struct fork *fork,
			 uint64_t nextents)
{
	size_t room = fork->len_bytes / xfs_bmbt_rec_size;

	if (nextents < room)
		room = (size_t)nextents;
	xfs_walk_array(w, "bmx", xfs_bmbt_rec_fields, fork->off_bytes,
		       xfs_bmbt_rec_size, room);
}

static void root_walk(const struct xfs_walk *w, const struct fork *fork,
		      enum xfs_btree_kind kind)
{
	w->ops->enter(w->ctx, xfs_btree_ops[kind].name, -1);
	xfs_iroot_walk(w, kind, fork->off_bytes, fork->len_bytes);
	w->ops->leave(w->ctx);
}

static void fork_walk(const struct xfs_walk *w, const struct fork *fork)
{
	const struct xfs_dinode *di = fork->di;

	switch (fork->attr ? di->di_aformat : di->di_format) {
	case XFS_DINODE_FMT_DEV:
		dev_walk(w, fork);
		break;
	case XFS_DINODE_FMT_LOCAL:
		local_walk(w, fork);
		break;
	case XFS_DINODE_FMT_EXTENTS:
		extents_walk(w, fork, fork->attr ? xfs_dinode_anextents(di) :
						   xfs_dinode_nextents(di));
		break;
	case XFS_DINODE_FMT_BTREE:
		root_walk(w, fork, XFS_BTREE_BMAP);
		break;
	case XFS_DINODE_FMT_META_BTREE:
		if (di->di_metatype == XFS_METAFILE_RTRMAP)
			root_walk(w, fork, XFS_BTREE_RTRMAP);
		else if (di->di_metatype == XFS_METAFILE_RTREFCOUNT)
			root_walk(w, fork, XFS_BTREE_RTREFC);
		break;
	}
}

/* Nothing to see: most attribute forks, and those of empty files. */
static bool is_empty(const struct fork *fork)
{
	const struct xfs_dinode *di = fork->di;

	if (fork->attr)
		return !fork->len_bytes ||
		       (di->di_aformat == XFS_DINODE_FMT_EXTENTS &&
			!xfs_dinode_anextents(di));
	return di->di_format == XFS_DINODE_FMT_EXTENTS &&
	       !xfs_dinode_nextents(di);
}

static void named_fork_walk(const struct xfs_walk *w, const char *name,
			    const struct fork *fork)
{
	if (is_empty(fork))
		return;
	w->ops->enter(w->ctx, name, -1);
	fork_walk(w, fork);
	w->ops->leave(w->ctx);
}

void xfs_dinode_forks_walk(const struct xfs_walk *w,
			   const struct xfs_dinode *di, size_t off_bytes,
			   size_t inode_bytes)
{
	struct fork fork = {
		.off_bytes = off_bytes + xfs_dinode_core_bytes(di),
		.len_bytes = xfs_dinode_dfork_bytes(di, inode_bytes),
		.di = di,
	};

	named_fork_walk(w, "u", &fork);
	fork.off_bytes += fork.len_bytes;
	fork.len_bytes = xfs_dinode_afork_bytes(di, inode_bytes);
	fork.attr = true;
	named_fork_walk(w, "a", &fork);
}

/* The root says itself what it is the root of. */
static void logged_root_walk(const struct xfs_walk *w)
{
	enum xfs_btree_kind kind;
	bool v5;

	if (!xfs_walk_has(w, 0, 4) ||
	    !xfs_btree_kind_of(get_be32(w->base), &kind, &v5))
		return;
	w->ops->enter(w->ctx, xfs_btree_ops[kind].name, -1);
	xfs_broot_walk(w, kind, v5);
	w->ops->leave(w->ctx);
}

void xfs_log_fork_walk(const struct xfs_walk *w, uint32_t ilog_fields,
		       bool attr, const struct xfs_dinode *di)
{
	struct fork fork = { .len_bytes = w->len_bytes, .attr = attr,
			     .di = di };
	struct xfs_walk disk = *w;

	disk.order = XFS_BE;
	w->ops->enter(w->ctx, attr ? "a" : "u", -1);
	if (ilog_fields & (attr ? XFS_ILOG_ADATA : XFS_ILOG_DDATA))
		local_walk(&disk, &fork);
	else if (ilog_fields & (attr ? XFS_ILOG_AEXT : XFS_ILOG_DEXT))
		extents_walk(&disk, &fork, UINT64_MAX);
	else if (ilog_fields & (attr ? XFS_ILOG_ABROOT : XFS_ILOG_DBROOT))
		logged_root_walk(&disk);
	w->ops->leave(w->ctx);
}
