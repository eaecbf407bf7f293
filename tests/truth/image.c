/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a filesystem with the decoders of libxfsfmt; see image.h.
 */
#include "tests/truth/image.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

uint8_t *image_read(const struct image *img, xfs_daddr_t daddr, size_t len)
{
	uint8_t *buf = malloc(len);

	if (!buf)
		die("out of memory");
	if (pread(img->fd, buf, len, (off_t)(daddr << BB_SHIFT)) !=
	    (ssize_t)len)
		die("%s: cannot read %zu bytes at daddr %llu", img->path, len,
		    (unsigned long long)daddr);
	return buf;
}

uint8_t *image_read_fsb(const struct image *img, xfs_fsblock_t fsb)
{
	if (!xfs_fsb_ok(&img->geom, fsb, 1))
		die("%s: no block %llu", img->path, (unsigned long long)fsb);
	return image_read(img, xfs_fsb_to_daddr(&img->geom, fsb),
			  img->geom.blocksize);
}

void image_open(struct image *img, const char *path)
{
	enum { SECTOR_MAX = 32768 };
	const char *why;
	uint8_t *raw;

	img->path = path;
	img->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (img->fd < 0)
		die("%s: cannot open it", path);
	raw = image_read(img, 0, SECTOR_MAX);
	xfs_sb_decode(&img->sb, raw, SECTOR_MAX, XFS_BE);
	why = xfs_sb_verify(&img->sb, raw, SECTOR_MAX);
	if (why)
		die("%s: superblock: %s", path, why);
	xfs_geom_init(&img->geom, &img->sb);
	free(raw);
}

/* Pointer @i of a node whose pointers begin at @p. */
static xfs_fsblock_t pointer(const struct image *img, enum xfs_btree_kind kind,
			     xfs_agnumber_t agno, const uint8_t *p, size_t i)
{
	if (xfs_btree_ops[kind].is_long)
		return get_be64(p + 8 * i);
	return (xfs_fsblock_t)agno << img->geom.agblklog | get_be32(p + 4 * i);
}

void image_tree(const struct image *img, enum xfs_btree_kind kind,
		xfs_fsblock_t fsb, unsigned int level, tree_visit visit,
		void *ctx)
{
	const struct xfs_geom *g = &img->geom;
	uint8_t *raw = image_read_fsb(img, fsb);
	size_t hdr = xfs_btree_hdr_bytes(kind, g->v5);
	struct xfs_btree_short h;
	size_t room;

	xfs_btree_short_decode(&h, raw, g->blocksize, XFS_BE);
	if (h.bb_level != level)
		die("%s: %s block %llu is at level %u, not %u", img->path,
		    xfs_btree_ops[kind].name, (unsigned long long)fsb,
		    h.bb_level, level);
	visit(ctx, raw, fsb);
	room = xfs_btree_room(kind, g->v5, !level, g->blocksize);
	for (size_t i = 0; level && i < h.bb_numrecs && i < room; i++)
		image_tree(img, kind,
			   pointer(img, kind, xfs_fsb_agno(g, fsb), raw + hdr +
				   room * xfs_btree_ops[kind].key_bytes, i),
			   level - 1, visit, ctx);
	free(raw);
}

static void add_extents(struct extents *x, const uint8_t *p, size_t count)
{
	x->list = realloc(x->list, (x->count + count + 1) * sizeof(*x->list));
	if (!x->list)
		die("out of memory");
	for (size_t i = 0; i < count; i++, p += xfs_bmbt_rec_size) {
		struct xfs_bmbt_rec r;

		xfs_bmbt_rec_decode(&r, p, xfs_bmbt_rec_size, XFS_BE);
		x->list[x->count++] = (struct extent){
			.off_fsb = r.br_startoff,
			.fsb = r.br_startblock,
			.len_fsb = r.br_blockcount,
		};
	}
}

/* Passes the blocks of an extent tree on, and keeps what its leaves say. */
struct leaves {
	const struct image *img;
	struct extents	*x;
	tree_visit	visit;
	void		*ctx;
};

static void visit_bmap(void *ctx, const uint8_t *raw, xfs_fsblock_t fsb)
{
	const struct leaves *l = ctx;
	struct xfs_btree_long h;

	l->visit(l->ctx, raw, fsb);
	xfs_btree_long_decode(&h, raw, l->img->geom.blocksize, XFS_BE);
	if (!h.bb_level)
		add_extents(l->x, raw + xfs_btree_hdr_bytes(XFS_BTREE_BMAP,
							    l->img->geom.v5),
			    h.bb_numrecs);
}

/* Visit what the root in the fork of @len bytes at @fork points to. */
static void below_root(const struct image *img, enum xfs_btree_kind kind,
		       const uint8_t *fork, size_t len, tree_visit visit,
		       void *ctx)
{
	struct xfs_bmdr_block root;
	size_t room, ptrs;

	xfs_bmdr_block_decode(&root, fork, len, XFS_BE);
	room = xfs_bmdr_room(kind, false, len);
	ptrs = XFS_BMDR_BYTES + room * xfs_btree_ops[kind].key_bytes;
	for (size_t i = 0; root.bb_level && i < root.bb_numrecs && i < room; i++)
		image_tree(img, kind, get_be64(fork + ptrs + 8 * i),
			   root.bb_level - 1u, visit, ctx);
}

void image_fork(const struct image *img, const uint8_t *raw, bool attr,
		struct extents *x, tree_visit visit, void *ctx)
{
	size_t inode_bytes = img->geom.inodesize, off, len;
	struct leaves l = { img, x, visit, ctx };
	struct xfs_dinode di;
	uint8_t format;

	xfs_dinode_decode(&di, raw, inode_bytes, XFS_BE);
	off = xfs_dinode_core_bytes(&di);
	len = xfs_dinode_dfork_bytes(&di, inode_bytes);
	format = di.di_format;
	if (attr) {
		off += len;
		len = xfs_dinode_afork_bytes(&di, inode_bytes);
		format = di.di_aformat;
	}
	if (!len)
		return;
	if (format == XFS_DINODE_FMT_EXTENTS)
		add_extents(x, raw + off, attr ? xfs_dinode_anextents(&di) :
			    (size_t)xfs_dinode_nextents(&di));
	if (format == XFS_DINODE_FMT_BTREE)
		below_root(img, XFS_BTREE_BMAP, raw + off, len, visit_bmap, &l);
}

void image_meta_tree(const struct image *img, enum xfs_btree_kind kind,
		     const uint8_t *raw, tree_visit visit, void *ctx)
{
	struct xfs_dinode di;

	xfs_dinode_decode(&di, raw, img->geom.inodesize, XFS_BE);
	below_root(img, kind, raw + xfs_dinode_core_bytes(&di),
		   xfs_dinode_dfork_bytes(&di, img->geom.inodesize), visit, ctx);
}

static const struct extent *mapping(const struct extents *x, uint64_t off_fsb)
{
	for (size_t i = 0; i < x->count; i++)
		if (off_fsb - x->list[i].off_fsb < x->list[i].len_fsb)
			return &x->list[i];
	return NULL;
}

uint8_t *image_map_read(const struct image *img, const struct extents *x,
			uint64_t off_fsb, uint32_t count, xfs_fsblock_t *fsb)
{
	size_t bytes = img->geom.blocksize;
	uint8_t *all = malloc(count * bytes);

	if (!all)
		die("out of memory");
	for (uint32_t i = 0; i < count; i++) {
		const struct extent *e = mapping(x, off_fsb + i);
		uint8_t *one;

		if (!e) {
			free(all);
			return NULL;
		}
		if (!i)
			*fsb = e->fsb + (off_fsb - e->off_fsb);
		one = image_read_fsb(img, e->fsb + (off_fsb + i - e->off_fsb));
		memcpy(all + i * bytes, one, bytes);
		free(one);
	}
	return all;
}
