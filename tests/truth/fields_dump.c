/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fields_dump IMAGE [LIMIT [REALTIME]]: everything libxfsfmt sees in a filesystem.
 *
 * Visits every place of the image that holds metadata: the headers of all
 * groups, all btrees, all inodes with their directories, attributes and
 * links, the quota records, the files of realtime groups and the superblock of
 * their device REALTIME. Each must pass its verifier; what does not is
 * named on standard error, and the exit status is 1. Each is printed as a
 * line
 *
 *	@PLACE <tab> COMMANDS
 *
 * where the commands make xfs_db go to that place, and then the lines of
 * show.h. With LIMIT, no more than so many places of each class (type of
 * block and level, format of inode) are printed; the rest is verified only.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/block.h"
#include "libxfsfmt/dquot.h"
#include "libxfsfmt/logitem_fmt.h"
#include "libxfsfmt/rt.h"
#include "libxfsfmt/symlink.h"
#include "tests/truth/image.h"
#include "tests/truth/show.h"

enum {
	CLASSES = 512,
	CLASS_NAME = 48,
	PLACE = 64,
	INODES_PER_CHUNK = 64,
	INODES_PER_HOLE_BIT = 4,
};

static struct image img;
static unsigned long limit;	/* 0: none */
static unsigned long bad;

/* --- what is shown --- */

/* Counts one more of a class; false if that is more than are wanted. */
__attribute__((format(printf, 1, 2)))
static bool wanted(const char *fmt, ...)
{
	static struct { char name[CLASS_NAME]; unsigned long n; } seen[CLASSES];
	char name[CLASS_NAME];
	va_list args;
	size_t i;

	if (!limit)
		return true;
	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	for (i = 0; i < CLASSES && *seen[i].name; i++)
		if (!strcmp(seen[i].name, name))
			break;
	if (i == CLASSES)
		die("too many classes of places");
	memcpy(seen[i].name, name, sizeof(name));
	return seen[i].n++ < limit;
}

/* "TYPE WHERE <tab> COMMANDS". */
__attribute__((format(printf, 1, 2)))
static void put_place(const char *fmt, ...)
{
	va_list args;

	printf("@v%d ", img.geom.v5 ? 5 : 4);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static void judge(const char *why, const char *what, uint64_t where)
{
	if (!why)
		return;
	fprintf(stderr, "%s: %s %" PRIu64 ": %s\n", img.path, what, where, why);
	bad++;
}

static struct xfs_walk walk_of(const uint8_t *raw, size_t len_bytes,
			       struct show *show)
{
	memset(show, 0, sizeof(*show));
	return (struct xfs_walk){
		.base = raw, .len_bytes = len_bytes, .order = XFS_BE,
		.geom = &img.geom, .ops = &show_ops, .ctx = show,
	};
}

/* --- groups --- */

static const char *sb_verify(const uint8_t *raw)
{
	struct xfs_sb sb;

	xfs_sb_decode(&sb, raw, img.geom.sectsize, XFS_BE);
	return xfs_sb_verify(&sb, raw, img.geom.sectsize);
}

static void show_headers(xfs_agnumber_t agno)
{
	static const struct {
		const char *name;
		void (*walk)(const struct xfs_walk *w);
	} header[] = {
		{ "sb", xfs_sb_walk }, { "agf", xfs_agf_walk },
		{ "agi", xfs_agi_walk }, { "agfl", xfs_agfl_walk },
	};
	const struct xfs_geom *g = &img.geom;
	size_t sect = g->sectsize;
	uint8_t *raw = image_read(&img, xfs_agb_to_daddr(g, agno, 0), 4 * sect);

	judge(sb_verify(raw), "sb", agno);
	judge(xfs_agf_verify(raw + sect, sect, g, agno), "agf", agno);
	judge(xfs_agi_verify(raw + 2 * sect, sect, g, agno), "agi", agno);
	judge(xfs_agfl_verify(raw + 3 * sect, sect, g, agno), "agfl", agno);
	for (size_t i = 0; i < 4 && wanted("headers %zu", i); i++) {
		struct show show;
		struct xfs_walk w = walk_of(raw + i * sect, sect, &show);

		put_place("%s %u\t%s %u", header[i].name, agno,
			  header[i].name, agno);
		header[i].walk(&w);
	}
	free(raw);
}

/* Blocks of one tree. */
struct tree {
	enum xfs_btree_kind kind;
	const char	*type;		/* as xfs_db calls it */
	void		(*leaf)(const uint8_t *raw, xfs_fsblock_t fsb);
};

static void show_btree(void *ctx, const uint8_t *raw, xfs_fsblock_t fsb)
{
	const struct tree *t = ctx;
	unsigned int level = get_be16(raw + 4);
	struct show show;
	struct xfs_walk w = walk_of(raw, img.geom.blocksize, &show);

	judge(xfs_btree_verify(raw, img.geom.blocksize, t->kind, &img.geom,
			       xfs_fsb_to_daddr(&img.geom, fsb)), t->type, fsb);
	if (wanted("%s %u", t->type, level)) {
		put_place("%s %" PRIu64 "\tfsblock %" PRIu64 ";type %s",
			  t->type, fsb, fsb, t->type);
		xfs_btree_walk(&w, t->kind);
	}
	if (!level && t->leaf)
		t->leaf(raw, fsb);
}

/* --- inodes --- */

/* A fork: its map, and where it belongs. */
struct fork {
	xfs_ino_t	ino;
	bool		attr;
	const struct xfs_dinode *di;
	struct extents	map;
};

static uint64_t blocks_end(const struct extents *x)
{
	const struct extent *last = x->count ? &x->list[x->count - 1] : NULL;

	return last ? last->off_fsb + last->len_fsb : 0;
}

/* A link of which xfs_db, which reads one block, sees only the beginning. */
static bool long_link(const struct fork *f, const uint8_t *raw)
{
	size_t bytes = (size_t)f->di->di_size;

	if (f->attr || !xfs_dinode_is(f->di, XFS_MODE_LNK))
		return false;
	if (img.geom.v5)
		bytes = xfs_symlink_hdr_size + get_be32(raw + 8);
	return bytes > img.geom.blocksize;
}

static void show_file_block(const struct fork *f, uint64_t off_fsb,
			    const uint8_t *raw, size_t len_bytes,
			    xfs_fsblock_t fsb, unsigned int blft)
{
	struct show show;
	struct xfs_walk w = walk_of(raw, len_bytes, &show);
	const struct xfs_block_type *t = xfs_block_identify(&w, blft);
	char which = f->attr ? 'a' : 'd';

	/* values kept in blocks of their own have no magic in version 4 */
	if (!t || (!img.geom.v5 && f->attr && !t->magic_bytes))
		return;
	judge(xfs_block_verify(t, raw, len_bytes, &img.geom,
			       xfs_fsb_to_daddr(&img.geom, fsb)),
	      t->name, fsb);
	if (!wanted("%cblock %s", which, t->name))
		return;
	put_place("%s%s %" PRIu64 " %" PRIu64
		  "\tinode %" PRIu64 ";%cblock %" PRIu64,
		  long_link(f, raw) ? "long_" : "", t->name, f->ino, off_fsb,
		  f->ino, which, off_fsb);
	xfs_block_walk(&w, t);
}

static void show_file(const struct fork *f)
{
	uint32_t step = 1;
	unsigned int blft = XFS_BLFT_UNKNOWN;

	if (!f->attr && xfs_dinode_is(f->di, XFS_MODE_DIR)) {
		step = img.geom.dirblock_bytes / img.geom.blocksize;
	} else if (!f->attr) {
		/* all of it, which is one buffer */
		step = (uint32_t)blocks_end(&f->map);
		blft = XFS_BLFT_SYMLINK;
	}
	for (size_t i = 0; i < f->map.count; i++) {
		const struct extent *e = &f->map.list[i];
		uint64_t off = (e->off_fsb + step - 1) / step * step;

		for (; off < e->off_fsb + e->len_fsb; off += step) {
			xfs_fsblock_t fsb;
			uint8_t *raw = image_map_read(&img, &f->map, off, step,
						      &fsb);

			if (raw)
				show_file_block(f, off, raw, (size_t)step *
						img.geom.blocksize, fsb, blft);
			free(raw);
		}
	}
}

static void show_quota(const struct fork *f, const char *type)
{
	uint32_t per = img.geom.blocksize / xfs_dqblk_size;

	for (uint64_t b = 0; b < blocks_end(&f->map); b++) {
		xfs_fsblock_t fsb;
		uint8_t *raw = image_map_read(&img, &f->map, b, 1, &fsb);

		for (uint32_t i = 0; raw && i < per; i++) {
			struct show show;
			struct xfs_walk w = walk_of(raw, img.geom.blocksize,
						    &show);
			size_t off = (size_t)i * xfs_dqblk_size;

			judge(xfs_dqblk_verify(raw + off, &img.geom), type,
			      b * per + i);
			/* those with something in them first */
			if (!wanted("dquot %s %d", type,
				    get_be64(raw + off + 40) != 0))
				continue;
			put_place("dquot %s %" PRIu64 "\tdquot %s %" PRIu64,
				  type, b * per + i, type, b * per + i);
			xfs_dqblk_walk(&w, off);
		}
		free(raw);
	}
}

/* The option of xfs_db's command for the quota file @ino, or NULL. */
static const char *quota_type(xfs_ino_t ino)
{
	const struct xfs_sb *sb = &img.sb;
	enum { PQUOTA_ACCT = 0x08, GQUOTA_ACCT = 0x40 };

	if (!(sb->sb_versionnum & XFS_SB_VERSION_QUOTABIT))
		return NULL;
	if (ino == sb->sb_uquotino)
		return "-u";
	if (img.geom.v5 && ino == sb->sb_pquotino)
		return "-p";
	/* version 4 has one file for either */
	if (ino == sb->sb_gquotino)
		return !img.geom.v5 && sb->sb_qflags & PQUOTA_ACCT ? "-p" :
		       "-g";
	return NULL;
}

/* --- realtime --- */

static void show_rt_blocks(const struct fork *f, const char *type)
{
	for (uint64_t b = 0; b < blocks_end(&f->map); b++) {
		xfs_fsblock_t fsb;
		uint8_t *raw = image_map_read(&img, &f->map, b, 1, &fsb);
		struct show show;
		struct xfs_walk w = walk_of(raw, img.geom.blocksize, &show);

		if (!raw)
			continue;
		judge(xfs_rtbuf_verify(raw, img.geom.blocksize, &img.geom,
				       xfs_fsb_to_daddr(&img.geom, fsb)),
		      type, fsb);
		if (wanted("%s", type)) {
			put_place("%s %" PRIu64 "\tinode %" PRIu64
				  ";dblock %" PRIu64, type, fsb, f->ino, b);
			xfs_rtbuf_walk(&w);
		}
		free(raw);
	}
}

/* A file that belongs to a realtime group. */
static void show_rt_file(const struct fork *f, const uint8_t *raw)
{
	struct tree rmap = { XFS_BTREE_RTRMAP, "rtrmapbt", NULL },
		refc = { XFS_BTREE_RTREFC, "rtrefcntbt", NULL };

	switch (f->di->di_metatype) {
	case XFS_METAFILE_RTBITMAP:
		show_rt_blocks(f, "rgbitmap");
		break;
	case XFS_METAFILE_RTSUMMARY:
		show_rt_blocks(f, "rgsummary");
		break;
	case XFS_METAFILE_RTRMAP:
		image_meta_tree(&img, rmap.kind, raw, show_btree, &rmap);
		break;
	case XFS_METAFILE_RTREFCOUNT:
		image_meta_tree(&img, refc.kind, raw, show_btree, &refc);
		break;
	}
}

/* The first block of the device with the groups. */
static void show_rtsb(const char *path)
{
	struct image rt = { .path = path };
	size_t len_bytes = img.geom.blocksize;
	struct show show;
	struct xfs_walk w;
	uint8_t *raw;

	rt.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (rt.fd < 0)
		die("%s: cannot open it", path);
	raw = image_read(&rt, 0, len_bytes);
	close(rt.fd);
	judge(xfs_rtsb_verify(raw, len_bytes, &img.geom), "rtsb", 0);
	w = walk_of(raw, len_bytes, &show);
	put_place("rtsb 0\trtsb");
	xfs_rtsb_walk(&w);
	free(raw);
}

static void show_fork(const uint8_t *raw, xfs_ino_t ino,
		      const struct xfs_dinode *di, bool attr)
{
	static const struct tree bmap[] = {
		{ XFS_BTREE_BMAP, "bmapbtd", NULL },
		{ XFS_BTREE_BMAP, "bmapbta", NULL },
	};
	struct fork f = { .ino = ino, .attr = attr, .di = di };
	const char *quota = quota_type(ino);
	struct tree t = bmap[attr];

	/* realtime files map blocks of another device; their tree is here */
	image_fork(&img, raw, attr, &f.map, show_btree, &t);
	if (!attr && quota)
		show_quota(&f, quota);
	else if (!attr && di->di_flags2 & XFS_DIFLAG2_METADATA &&
		 xfs_dinode_is(di, XFS_MODE_REG))
		show_rt_file(&f, raw);
	else if (attr || xfs_dinode_is(di, XFS_MODE_DIR) ||
		 xfs_dinode_is(di, XFS_MODE_LNK))
		show_file(&f);
	free(f.map.list);
}

static void show_inode(const uint8_t *raw, xfs_ino_t ino)
{
	struct xfs_dinode di;
	struct show show;
	struct xfs_walk w = walk_of(raw, img.geom.inodesize, &show);

	judge(xfs_dinode_verify(raw, &img.geom, ino), "inode", ino);
	xfs_dinode_decode(&di, raw, img.geom.inodesize, XFS_BE);
	if (wanted("inode %o %u %u %d %d", di.di_mode & XFS_MODE_FMT,
		   di.di_format, di.di_aformat, di.di_forkoff != 0,
		   xfs_dinode_nlink(&di) != 0)) {
		put_place("%s %" PRIu64 "\tinode %" PRIu64,
			  di.di_mode ? "inode" : "free_inode", ino, ino);
		xfs_dinode_walk(&w, 0);
	}
	if (!di.di_mode)
		return;
	show_fork(raw, ino, &di, false);
	show_fork(raw, ino, &di, true);
}

static void show_chunk(xfs_agnumber_t agno, const struct xfs_inobt_rec *rec)
{
	const struct xfs_geom *g = &img.geom;

	for (uint32_t i = 0; i < INODES_PER_CHUNK; i++) {
		xfs_ino_t ino = xfs_ino_make(g, agno, rec->ir_startino + i);
		uint8_t *raw;

		if (g->sparse &&
		    rec->ir_holemask >> i / INODES_PER_HOLE_BIT & 1)
			continue;
		if (!xfs_geom_ino_ok(g, ino))
			die("%s: no inode %" PRIu64, img.path, ino);
		raw = image_read(&img, xfs_agb_to_daddr(g, agno,
							xfs_ino_agbno(g, ino)),
				 g->blocksize);
		show_inode(raw + (size_t)xfs_ino_slot(g, ino) * g->inodesize,
			   ino);
		free(raw);
	}
}

static void show_chunks(const uint8_t *raw, xfs_fsblock_t fsb)
{
	const uint8_t *p = raw + xfs_btree_hdr_bytes(XFS_BTREE_INO,
						     img.geom.v5);

	for (uint16_t n = get_be16(raw + 6); n; n--, p += xfs_inobt_rec_size) {
		struct xfs_inobt_rec rec;

		xfs_inobt_rec_decode(&rec, p, xfs_inobt_rec_size, XFS_BE);
		show_chunk(xfs_fsb_agno(&img.geom, fsb), &rec);
	}
}

/* --- all of it --- */

static void show_tree(xfs_agnumber_t agno, const struct tree *t, uint32_t root,
		      uint32_t levels)
{
	struct tree copy = *t;

	if (!levels || levels > XFS_BTREE_MAX_LEVELS)
		die("%s: %s of group %u has %u levels", img.path, t->type,
		    agno, levels);
	image_tree(&img, t->kind,
		   (xfs_fsblock_t)agno << img.geom.agblklog | root,
		   levels - 1, show_btree, &copy);
}

static void show_group(xfs_agnumber_t agno)
{
	static const struct tree bno = { XFS_BTREE_BNO, "bnobt", NULL },
		cnt = { XFS_BTREE_CNT, "cntbt", NULL },
		rmap = { XFS_BTREE_RMAP, "rmapbt", NULL },
		refc = { XFS_BTREE_REFC, "refcntbt", NULL },
		ino = { XFS_BTREE_INO, "inobt", show_chunks },
		fino = { XFS_BTREE_FINO, "finobt", NULL };
	const struct xfs_geom *g = &img.geom;
	size_t sect = g->sectsize;
	uint8_t *raw = image_read(&img, xfs_agb_to_daddr(g, agno, 0), 3 * sect);
	struct xfs_agf agf;
	struct xfs_agi agi;

	xfs_agf_decode(&agf, raw + sect, sect, XFS_BE);
	xfs_agi_decode(&agi, raw + 2 * sect, sect, XFS_BE);
	free(raw);
	show_headers(agno);
	show_tree(agno, &bno, agf.agf_bnoroot, agf.agf_bnolevel);
	show_tree(agno, &cnt, agf.agf_cntroot, agf.agf_cntlevel);
	if (g->rmapbt)
		show_tree(agno, &rmap, agf.agf_rmaproot, agf.agf_rmaplevel);
	if (g->reflink)
		show_tree(agno, &refc, agf.agf_refcount_root,
			  agf.agf_refcount_level);
	if (g->finobt)
		show_tree(agno, &fino, agi.agi_free_root, agi.agi_free_level);
	show_tree(agno, &ino, agi.agi_root, agi.agi_level);
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 4)
		die("usage: fields_dump IMAGE [LIMIT [REALTIME]]");
	image_open(&img, argv[1]);
	limit = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	for (xfs_agnumber_t agno = 0; agno < img.geom.agcount; agno++)
		show_group(agno);
	/* zones cannot be rewritten in place: there it would have no home */
	if (argc > 3 && img.geom.rgblocks && !img.geom.zoned)
		show_rtsb(argv[3]);
	if (fflush(stdout) || ferror(stdout))
		die("cannot write");
	return bad != 0;
}
