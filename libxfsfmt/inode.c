/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inode core: names, variants, and what a sound one looks like. The
 * checks are those that decide whether recovery may have produced it, so they
 * look at the inode alone and at the geometry, never at another block.
 */
#include "libxfsfmt/inode.h"

#include "libxfsfmt/btree.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/fork.h"
#include "libxfsfmt/geom.h"

const struct xfs_name xfs_dinode_format_names[] = {
	{ XFS_DINODE_FMT_DEV, "dev" },
	{ XFS_DINODE_FMT_LOCAL, "local" },
	{ XFS_DINODE_FMT_EXTENTS, "extents" },
	{ XFS_DINODE_FMT_BTREE, "btree" },
	{ XFS_DINODE_FMT_UUID, "uuid" },
	{ XFS_DINODE_FMT_META_BTREE, "meta_btree" },
	{ 0, NULL }
};

const struct xfs_name xfs_metatype_names[] = {
	{ XFS_METAFILE_UNKNOWN, "unknown" },
	{ XFS_METAFILE_DIR, "dir" },
	{ XFS_METAFILE_USRQUOTA, "usrquota" },
	{ XFS_METAFILE_GRPQUOTA, "grpquota" },
	{ XFS_METAFILE_PRJQUOTA, "prjquota" },
	{ XFS_METAFILE_RTBITMAP, "rtbitmap" },
	{ XFS_METAFILE_RTSUMMARY, "rtsummary" },
	{ XFS_METAFILE_RTRMAP, "rtrmap" },
	{ XFS_METAFILE_RTREFCOUNT, "rtrefcount" },
	{ 0, NULL }
};

const struct xfs_name xfs_diflag_names[] = {
	{ XFS_DIFLAG_REALTIME, "realtime" },
	{ XFS_DIFLAG_PREALLOC, "prealloc" },
	{ XFS_DIFLAG_NEWRTBM, "newrtbm" },
	{ XFS_DIFLAG_IMMUTABLE, "immutable" },
	{ XFS_DIFLAG_APPEND, "append" },
	{ XFS_DIFLAG_SYNC, "sync" },
	{ XFS_DIFLAG_NOATIME, "noatime" },
	{ XFS_DIFLAG_NODUMP, "nodump" },
	{ XFS_DIFLAG_RTINHERIT, "rtinherit" },
	{ XFS_DIFLAG_PROJINHERIT, "projinherit" },
	{ XFS_DIFLAG_NOSYMLINKS, "nosymlinks" },
	{ XFS_DIFLAG_EXTSIZE, "extsize" },
	{ XFS_DIFLAG_EXTSZINHERIT, "extszinherit" },
	{ XFS_DIFLAG_NODEFRAG, "nodefrag" },
	{ XFS_DIFLAG_FILESTREAM, "filestream" },
	{ 0, NULL }
};

const struct xfs_name xfs_diflag2_names[] = {
	{ XFS_DIFLAG2_DAX, "dax" },
	{ XFS_DIFLAG2_REFLINK, "reflink" },
	{ XFS_DIFLAG2_COWEXTSIZE, "cowextsize" },
	{ XFS_DIFLAG2_BIGTIME, "bigtime" },
	{ XFS_DIFLAG2_NREXT64, "nrext64" },
	{ XFS_DIFLAG2_METADATA, "metadata" },
	{ 0, NULL }
};

XFS_DEFINE(xfs_dinode, XFS_DINODE_ROWS)
XFS_DEFINE_ENCODE(xfs_dinode, XFS_DINODE_ROWS)

unsigned int xfs_dinode_variant(const struct xfs_dinode *di)
{
	unsigned int variant = XFS_DINODE_V3;

	if (di->di_version < 3)
		return di->di_version == 1 ? XFS_DINODE_V1 : 0;
	if (di->di_flags2 & XFS_DIFLAG2_BIGTIME)
		variant |= XFS_DINODE_BIGTIME;
	if (di->di_flags2 & XFS_DIFLAG2_NREXT64)
		variant |= XFS_DINODE_NREXT64;
	if (di->di_flags2 & XFS_DIFLAG2_METADATA)
		variant |= XFS_DINODE_METADIR;
	return variant;
}

uint64_t xfs_dinode_nextents(const struct xfs_dinode *di)
{
	return xfs_dinode_variant(di) & XFS_DINODE_NREXT64 ?
	       di->di_big_nextents : di->di_nextents;
}

uint32_t xfs_dinode_anextents(const struct xfs_dinode *di)
{
	return xfs_dinode_variant(di) & XFS_DINODE_NREXT64 ?
	       di->di_big_anextents : di->di_anextents;
}

uint32_t xfs_dinode_nlink(const struct xfs_dinode *di)
{
	return di->di_version == 1 ? di->di_onlink : di->di_nlink;
}

static size_t literal_bytes(const struct xfs_dinode *di, size_t inode_bytes)
{
	size_t core_bytes = xfs_dinode_core_bytes(di);

	return inode_bytes > core_bytes ? inode_bytes - core_bytes : 0;
}

size_t xfs_dinode_dfork_bytes(const struct xfs_dinode *di, size_t inode_bytes)
{
	size_t all = literal_bytes(di, inode_bytes);
	size_t off = (size_t)di->di_forkoff * 8;

	return off && off < all ? off : all;
}

size_t xfs_dinode_afork_bytes(const struct xfs_dinode *di, size_t inode_bytes)
{
	return literal_bytes(di, inode_bytes) -
	       xfs_dinode_dfork_bytes(di, inode_bytes);
}

static bool version_ok(const struct xfs_dinode *di,
		       const struct xfs_geom *geom)
{
	return geom->v5 ? di->di_version == 3 :
			  di->di_version == 1 || di->di_version == 2;
}

static const char *verify_identity(const struct xfs_dinode *di,
				   const void *raw,
				   const struct xfs_geom *geom, xfs_ino_t ino)
{
	if (di->di_magic != XFS_DINODE_MAGIC)
		return "bad inode magic number";
	if (!version_ok(di, geom))
		return "inode version does not fit the filesystem";
	if (di->di_version < 3)
		return NULL;
	if (!xfs_crc_ok(raw, geom->inodesize, XFS_DINODE_CRC_OFF))
		return "bad inode checksum";
	if (di->di_ino != ino)
		return "inode number is not that of its place";
	if (memcmp(di->di_uuid, geom->meta_uuid, sizeof(di->di_uuid)))
		return "inode of another filesystem (UUID)";
	return NULL;
}

static const char *verify_features(const struct xfs_dinode *di,
				   const struct xfs_geom *geom)
{
	if (di->di_version < 3)
		return NULL;
	if (di->di_flags2 & XFS_DIFLAG2_BIGTIME && !geom->bigtime)
		return "bigtime inode on a filesystem without that";
	if (di->di_flags2 & XFS_DIFLAG2_REFLINK && !geom->reflink)
		return "reflink inode on a filesystem without that";
	if (di->di_flags2 & XFS_DIFLAG2_METADATA && !geom->metadir)
		return "metadata inode on a filesystem without that";
	if (di->di_flags2 & XFS_DIFLAG2_METADATA &&
	    di->di_metatype >= XFS_METAFILE_MAX)
		return "unknown type of metadata inode";
	if (di->di_flags2 & XFS_DIFLAG2_NREXT64) {
		if (!geom->nrext64)
			return "large extent counters on a filesystem without";
		if (di->di_nrext64_pad)
			return "padding of large extent counters is not zero";
	} else if (di->di_v3_pad) {
		return "padding before the times is not zero";
	}
	return NULL;
}

/* A local or an extent list must fit in the fork, and a btree must need one. */
static const char *verify_fork(uint8_t format, uint64_t nextents,
			       size_t fork_bytes)
{
	size_t room = fork_bytes / xfs_bmbt_rec_size;

	switch (format) {
	case XFS_DINODE_FMT_LOCAL:
		return nextents ? "local fork with extents" : NULL;
	case XFS_DINODE_FMT_EXTENTS:
		return nextents > room ? "more extents than the fork holds" :
					 NULL;
	case XFS_DINODE_FMT_BTREE:
		return nextents <= room ? "extent btree where a list would do" :
					  NULL;
	default:
		return "bad fork format";
	}
}

static const char *verify_data_fork(const struct xfs_dinode *di,
				    size_t inode_bytes)
{
	size_t fork_bytes = xfs_dinode_dfork_bytes(di, inode_bytes);
	unsigned int type = di->di_mode & XFS_MODE_FMT;

	switch (type) {
	case XFS_MODE_FIFO:
	case XFS_MODE_CHR:
	case XFS_MODE_BLK:
	case XFS_MODE_SOCK:
		return di->di_format == XFS_DINODE_FMT_DEV ? NULL :
		       "device inode with a bad fork format";
	case XFS_MODE_REG:
	case XFS_MODE_DIR:
	case XFS_MODE_LNK:
		break;
	case 0:
		return di->di_mode ? "mode without a file type" : NULL;
	default:
		return "unknown file type";
	}
	if (di->di_format == XFS_DINODE_FMT_META_BTREE)
		return type == XFS_MODE_REG &&
		       di->di_flags2 & XFS_DIFLAG2_METADATA &&
		       (di->di_metatype == XFS_METAFILE_RTRMAP ||
			di->di_metatype == XFS_METAFILE_RTREFCOUNT) ?
		       NULL : "metadata btree in a wrong inode";
	if (di->di_format == XFS_DINODE_FMT_LOCAL) {
		if (type == XFS_MODE_REG)
			return "regular file with a local fork";
		if (di->di_size > fork_bytes)
			return "local fork longer than its room";
	}
	if (di->di_format == XFS_DINODE_FMT_BTREE && type == XFS_MODE_LNK)
		return "symbolic link with an extent btree";
	return verify_fork(di->di_format, xfs_dinode_nextents(di), fork_bytes);
}

static const char *verify_attr_fork(const struct xfs_dinode *di,
				    size_t inode_bytes)
{
	uint32_t anextents = xfs_dinode_anextents(di);

	if (!di->di_forkoff) {
		if (anextents)
			return "attribute extents without an attribute fork";
		/* A free inode may have been zeroed up to its generation. */
		return di->di_aformat == XFS_DINODE_FMT_EXTENTS ||
		       !di->di_mode ? NULL :
		       "bad format of an absent attribute fork";
	}
	if ((size_t)di->di_forkoff * 8 >= literal_bytes(di, inode_bytes))
		return "attribute fork begins outside the inode";
	return verify_fork(di->di_aformat, anextents,
			   xfs_dinode_afork_bytes(di, inode_bytes));
}

const char *xfs_dinode_verify(const void *raw, const struct xfs_geom *geom,
			      xfs_ino_t ino)
{
	struct xfs_dinode di;
	const char *why;

	xfs_dinode_decode(&di, raw, geom->inodesize, XFS_BE);
	why = verify_identity(&di, raw, geom, ino);
	if (!why)
		why = verify_features(&di, geom);
	if (why)
		return why;
	if (di.di_size >> 63)
		return "negative file size";
	if (!di.di_size && xfs_dinode_nlink(&di) &&
	    (xfs_dinode_is(&di, XFS_MODE_DIR) ||
	     xfs_dinode_is(&di, XFS_MODE_LNK)))
		return "empty directory or symbolic link";
	if (di.di_mode &&
	    (xfs_dinode_nextents(&di) > di.di_nblocks ||
	     xfs_dinode_anextents(&di) >
	     di.di_nblocks - xfs_dinode_nextents(&di)))
		return "more extents than blocks";
	why = verify_data_fork(&di, geom->inodesize);
	if (!why)
		why = verify_attr_fork(&di, geom->inodesize);
	return why;
}

/* An inode number of the group, or the end of a list. */
static bool agino_ok(const struct xfs_geom *geom, xfs_agnumber_t agno,
		     xfs_agino_t agino)
{
	xfs_ino_t ino = xfs_ino_make(geom, agno, agino);

	return agino == XFS_NULL_AGINO ||
	       (xfs_ino_agno(geom, ino) == agno &&
		xfs_ino_agino(geom, ino) == agino &&
		xfs_geom_ino_ok(geom, ino));
}

const char *xfs_dinode_slot_verify(const void *raw,
				   const struct xfs_geom *geom,
				   xfs_agnumber_t agno)
{
	struct xfs_dinode di;

	xfs_dinode_decode(&di, raw, geom->inodesize, XFS_BE);
	if (di.di_magic != XFS_DINODE_MAGIC)
		return "bad inode magic number";
	if (!version_ok(&di, geom))
		return "inode version does not fit the filesystem";
	if (!agino_ok(geom, agno, di.di_next_unlinked))
		return "bad next inode in an unlinked list";
	return NULL;
}

/* Metadata on disk is big-endian, whatever the log that carries it. */
static struct xfs_walk on_disk(const struct xfs_walk *w)
{
	struct xfs_walk disk = *w;

	disk.order = XFS_BE;
	return disk;
}

/*
 * Of an inode whose first chunk is not there. Where there is bigtime, Linux
 * gives it to every inode that it logs.
 */
static unsigned int guess_variant(const struct xfs_geom *geom)
{
	if (!geom || !geom->v5)
		return 0;
	return XFS_DINODE_V3 | (geom->bigtime ? XFS_DINODE_BIGTIME : 0);
}

void xfs_dinode_walk(const struct xfs_walk *w, size_t off_bytes)
{
	struct xfs_walk disk = on_disk(w);
	unsigned int variant = guess_variant(w->geom);
	struct xfs_dinode di = { .di_mode = 0 };
	size_t inode_bytes;

	if (off_bytes > w->len_bytes)
		return;
	inode_bytes = w->len_bytes - off_bytes;
	if (w->geom && w->geom->inodesize < inode_bytes)
		inode_bytes = w->geom->inodesize;
	disk.len_bytes = off_bytes + inode_bytes;
	/* The first chunk tells all that decides what there is besides. */
	if (xfs_walk_has(&disk, off_bytes, XFS_CHUNK_BYTES)) {
		xfs_dinode_decode(&di, w->base + off_bytes, XFS_CHUNK_BYTES,
				  XFS_BE);
		variant = xfs_dinode_variant(&di);
	}
	xfs_walk_group(&disk, "core", -1, xfs_dinode_fields, off_bytes,
		       variant);
	if (di.di_mode)
		xfs_dinode_forks_walk(&disk, &di, off_bytes, inode_bytes);
}

void xfs_dinode_unlinked_walk(const struct xfs_walk *w, size_t off_bytes)
{
	struct xfs_walk disk = on_disk(w);

	for (const struct xfs_field *f = xfs_dinode_fields; f->name; f++)
		if (f->off_bytes == XFS_DINODE_UNLINKED_OFF &&
		    xfs_walk_has(w, off_bytes + f->off_bytes,
				 xfs_field_width(f)))
			w->ops->field(w->ctx, f, w->base + off_bytes,
				      disk.order);
}

void xfs_log_dinode_walk(const struct xfs_walk *w)
{
	size_t len_bytes = w->len_bytes < XFS_CHUNK_BYTES ? w->len_bytes :
			   XFS_CHUNK_BYTES;
	struct xfs_dinode di = { .di_mode = 0 };

	if (xfs_walk_has(w, 0, len_bytes))
		xfs_dinode_decode(&di, w->base, len_bytes, w->order);
	xfs_walk_group(w, "core", -1, xfs_dinode_fields, 0,
		       xfs_dinode_variant(&di) | XFS_DINODE_LOGGED);
}
