/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names in a directory of metadata files, as replay leaves it: all of
 * them, without looking at hashes. Only filesystems of version 5 have such
 * directories. See fsread.h.
 */
#include <stdlib.h>

#include "libxfsfmt/dirblock.h"
#include "libxlog/replay/fsread.h"

enum {
	/* hashes and free space have addresses from here on */
	DIR_LEAF_SHIFT = 35,
	/* four files a group: for half a million groups */
	DIR_MAX_BYTES = 64 << 20,
};

struct dirwalk {
	struct replay	*r;
	const struct fsinode *dir;
	fsread_name_fn	fn;
	void		*ctx;
	uint8_t		*block;		/* directory block being put together */
	uint64_t	off;		/* its next byte in the directory */
	xfs_daddr_t	daddr;		/* where its first byte lies */
	uint64_t	bytes;		/* read so far */
};

static int bad_dir(const struct dirwalk *w, const char *why)
{
	return replay_refuse(w->r, -EUCLEAN, "fs.dir", XLOG_LSN_NONE,
			     "directory %llu: %s",
			     (unsigned long long)w->dir->ino, why);
}

static int short_names(struct dirwalk *w)
{
	const uint8_t *raw = w->dir->raw + XFS_DINODE_V3_CORE_BYTES;
	size_t len = (size_t)w->dir->di.di_size;
	struct xfs_dir_sf_item item;
	struct xfs_dir_sf sf;
	const char *why;
	int rc = 0;

	/* that it fits in the fork has been verified */
	why = xfs_dir_sf_verify(raw, len, &w->r->geom);
	if (why || !xfs_dir_sf_init(&sf, raw, len, true))
		return bad_dir(w, why ? why : "no header");
	while (!rc && xfs_dir_sf_next(&sf, &item))
		rc = w->fn(w->ctx, item.name, item.namelen, item.ino);
	return rc;
}

static int block_names(struct dirwalk *w)
{
	const struct xfs_geom *g = &w->r->geom;
	size_t len = g->dirblock_bytes, off, end;
	struct xfs_walk walk = {
		.base = w->block, .len_bytes = len, .order = XFS_BE, .geom = g,
	};
	uint32_t magic = get_be32(w->block);
	struct xfs_dir_data_item item;
	const char *why;
	int rc = 0;

	if (magic != XFS_DIR3_BLOCK_MAGIC && magic != XFS_DIR3_DATA_MAGIC)
		return bad_dir(w, "bad magic number of a block");
	why = xfs_block_verify(xfs_block_identify(&walk, 0), w->block, len, g,
			       w->daddr);
	if (!why && get_be64(w->block + XFS_DIR3_OWNER_OFF) != w->dir->ino)
		why = "block of another directory";
	if (why)
		return bad_dir(w, why);
	end = xfs_dir_data_end(w->block, len, true);
	for (off = xfs_dir_data_hdr_bytes(true); off < end && !rc;
	     off += item.len_bytes) {
		if (!xfs_dir_data_item(&item, w->block, off, end, true))
			return bad_dir(w, "bad entry");
		if (!item.unused)
			rc = w->fn(w->ctx, item.name, item.namelen, item.ino);
	}
	return rc;
}

/* One filesystem block of the directory, which lies at @off of it. */
static int add_block(struct dirwalk *w, uint64_t off, xfs_daddr_t daddr)
{
	const struct xfs_geom *g = &w->r->geom;
	uint64_t in_block = off % g->dirblock_bytes;
	int rc;

	if (w->bytes >= DIR_MAX_BYTES)
		return bad_dir(w, "too large to be one of metadata files");
	if (!in_block)
		w->daddr = daddr;
	else if (off != w->off)
		return bad_dir(w, "a hole in a block");
	rc = replay_read(w->r, daddr, g->blocksize / BB_SIZE,
			 w->block + in_block);
	if (rc)
		return rc;
	w->bytes += g->blocksize;
	w->off = off + g->blocksize;
	return w->off % g->dirblock_bytes ? 0 : block_names(w);
}

static int add_extent(void *ctx, const struct xfs_bmbt_rec *extent)
{
	struct dirwalk *w = ctx;
	const struct xfs_geom *g = &w->r->geom;
	int rc = 0;

	for (uint32_t i = 0; i < extent->br_blockcount && !rc; i++) {
		uint64_t off = (extent->br_startoff + i) << g->blocklog;

		if (off >> DIR_LEAF_SHIFT)
			break;
		rc = add_block(w, off, xfs_fsb_to_daddr(g,
					extent->br_startblock + i));
	}
	return rc;
}

int fsread_names(struct replay *r, const struct fsinode *dir,
		 fsread_name_fn fn, void *ctx)
{
	struct dirwalk w = { .r = r, .dir = dir, .fn = fn, .ctx = ctx };
	int rc;

	if (!xfs_dinode_is(&dir->di, XFS_MODE_DIR) || dir->di.di_version < 3)
		return bad_dir(&w, "not a directory");
	if (dir->di.di_format == XFS_DINODE_FMT_LOCAL)
		return short_names(&w);
	w.block = malloc(r->geom.dirblock_bytes);
	if (!w.block)
		return replay_no_memory(r);
	rc = fsread_extents(r, dir, add_extent, &w);
	if (!rc && w.off % r->geom.dirblock_bytes)
		rc = bad_dir(&w, "a hole in a block");
	free(w.block);
	return rc;
}
