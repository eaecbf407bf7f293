/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Putting directory blocks together again. Whoever changes a directory logs
 * its inode as well, so the directories to look at are those in the log: their
 * extents, as replay leaves them, lead from the pieces to whole blocks. See
 * pieces.h.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/dev/batch.h"
#include "libxlog/dev/unitset.h"
#include "libxlog/replay/fsread.h"
#include "libxlog/replay/pieces.h"
#include "libxlog/replay/walk.h"

enum { PIECE_BYTES = 96 };	/* of one, with its node in the tree */

struct piece {
	uint64_t	daddr;
	xfs_lsn_t	lsn;		/* highest applied */
	bool		perhaps;	/* may be a block of its own */
	bool		found;		/* in a directory block */
};

/* What the data fork of a directory maps to one of its blocks. */
struct part {
	xfs_fsblock_t	fsb;
	uint64_t	blocks;
};

struct pieces {
	void		*set;		/* tsearch(3) tree of struct piece */
	uint64_t	count;		/* of them */
	bool		collected;
	struct unitset	dirs;		/* inode numbers of the directories */
	uint64_t	done;		/* directories */
	/* the directory block being put together */
	bool		write;
	struct part	*parts;
	size_t		nparts;
	uint64_t	unit;		/* its number in the directory */
	uint64_t	filled;		/* blocks mapped so far */
	struct replay	*r;
	xfs_ino_t	ino;
	uint8_t		*buf;		/* geom.dirblock_bytes */
};

static int by_daddr(const void *a, const void *b)
{
	const struct piece *s = a, *t = b;

	return s->daddr < t->daddr ? -1 : s->daddr > t->daddr;
}

static struct piece *find_piece(struct pieces *p, uint64_t daddr)
{
	const struct piece key = { .daddr = daddr };
	void *const *node = p->set ? tfind(&key, &p->set, by_daddr) : NULL;

	return node ? *node : NULL;
}

void pieces_free(struct pieces *p)
{
	if (!p)
		return;
	tdestroy(p->set, free);
	unitset_fini(&p->dirs);
	free(p->parts);
	free(p->buf);
	free(p);
}

static struct pieces *pieces_new(struct replay *r)
{
	struct pieces *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->r = r;
	p->buf = malloc(r->geom.dirblock_bytes);
	p->parts = calloc(r->geom.dirblock_bytes / r->geom.blocksize,
			  sizeof(*p->parts));
	if (p->buf && p->parts)
		return p;
	pieces_free(p);
	return NULL;
}

int pieces_add(struct replay *r, uint64_t daddr, xfs_lsn_t lsn, bool perhaps)
{
	struct piece *piece;

	if (!r->pieces)
		r->pieces = pieces_new(r);
	if (!r->pieces)
		return replay_no_memory(r);
	piece = find_piece(r->pieces, daddr);
	if (piece)
		return 0;
	piece = malloc(sizeof(*piece));
	if (!piece)
		return replay_no_memory(r);
	*piece = (struct piece){ .daddr = daddr, .lsn = lsn,
				 .perhaps = perhaps };
	if (!tsearch(piece, &r->pieces->set, by_daddr)) {
		free(piece);
		return replay_no_memory(r);
	}
	return replay_check_room(r, ++r->pieces->count * PIECE_BYTES);
}

/* --- one directory block --- */

static int refuse(struct pieces *p, uint64_t daddr, const char *why)
{
	return replay_refuse(p->r, -EUCLEAN, "block.pieces", XLOG_LSN_NONE,
			     "directory %llu, block in pieces at daddr %llu: %s",
			     (unsigned long long)p->ino,
			     (unsigned long long)daddr, why);
}

/* Note the pieces that lie in @part. Returns the highest LSN, or 0: none. */
static xfs_lsn_t claim(struct pieces *p, const struct part *part)
{
	const struct xfs_geom *g = &p->r->geom;
	xfs_lsn_t lsn = 0;

	for (uint64_t b = 0; b < part->blocks; b++) {
		struct piece *piece;

		piece = find_piece(p, xfs_fsb_to_daddr(g, part->fsb + b));
		if (!piece)
			continue;
		piece->found = true;
		if (piece->lsn > lsn)
			lsn = piece->lsn;
	}
	return lsn;
}

/* All pieces are in p->buf; @lsn is the highest applied to one of them. */
static int seal(struct pieces *p, uint64_t daddr, xfs_lsn_t lsn)
{
	const struct xfs_geom *g = &p->r->geom;
	const struct xfs_walk w = {
		.base = p->buf, .len_bytes = g->dirblock_bytes,
		.order = XFS_BE, .geom = g,
	};
	const struct xfs_block_type *type;
	struct dev_io io;
	const char *why;
	uint32_t crc;
	int rc;

	type = xfs_block_identify(&w, XFS_BLFT_UNKNOWN);
	if (!type || type->version != XFS_BLOCK_V5 ||
	    type->blft < XFS_BLFT_DIR_BLOCK || type->blft > XFS_BLFT_DA_NODE)
		return refuse(p, daddr, "not a block of a directory");
	if (get_be64(p->buf + type->lsn_off) < lsn)
		put_be64(p->buf + type->lsn_off, lsn);
	crc = xfs_crc_block(p->buf, g->dirblock_bytes, type->crc_off);
	put_le32(p->buf + type->crc_off, crc);
	why = xfs_block_verify(type, p->buf, g->dirblock_bytes, g, daddr);
	if (why)
		return refuse(p, daddr, why);
	/* the header of the block, with its checksum, lies in its first sector */
	io = (struct dev_io){ daddr * BB_SIZE, p->buf, BB_SIZE };
	if (!p->write)
		return 0;
	rc = replay_write(p->r, p->r->log->fs, &io, 1);
	if (!rc && p->r->opts->flags & XLOG_RECOVER_REREAD)
		rc = replay_settle(p->r, p->r->log->fs, &io, 1);
	return rc;
}

/* The block is mapped: is it in pieces, and did replay change one? */
static int finish_block(struct pieces *p)
{
	const struct xfs_geom *g = &p->r->geom;
	uint64_t daddr = xfs_fsb_to_daddr(g, p->parts[0].fsb);
	xfs_lsn_t lsn = 0;
	uint8_t *to = p->buf;

	if (p->nparts < 2)
		return 0;
	for (size_t i = 0; i < p->nparts; i++) {
		xfs_lsn_t part_lsn = claim(p, &p->parts[i]);

		if (part_lsn > lsn)
			lsn = part_lsn;
	}
	if (!lsn)
		return 0;
	for (size_t i = 0; i < p->nparts; i++) {
		uint32_t bb = (uint32_t)(p->parts[i].blocks <<
					 (g->blocklog - BB_SHIFT));
		uint64_t at = xfs_fsb_to_daddr(g, p->parts[i].fsb);
		int rc;

		if (replay_is_in_log(p->r, at, bb))
			return refuse(p, at, "lies in the log");
		rc = replay_read(p->r, at, bb, to);
		if (rc)
			return rc;
		to += (size_t)bb * BB_SIZE;
	}
	return seal(p, daddr, lsn);
}

static int add_part(struct pieces *p, uint64_t unit, xfs_fsblock_t fsb,
		    uint64_t blocks)
{
	uint64_t whole = p->r->geom.dirblock_bytes / p->r->geom.blocksize;
	struct part *last = p->nparts ? &p->parts[p->nparts - 1] : NULL;
	int rc;

	if (unit != p->unit) {
		p->nparts = 0;
		p->filled = 0;
		p->unit = unit;
		last = NULL;
	}
	if (last && last->fsb + last->blocks == fsb)
		last->blocks += blocks;
	else
		p->parts[p->nparts++] = (struct part){ fsb, blocks };
	p->filled += blocks;
	if (p->filled < whole)
		return 0;
	rc = finish_block(p);
	p->nparts = 0;
	p->filled = 0;
	return rc;
}

static int extent(void *ctx, const struct xfs_bmbt_rec *rec)
{
	struct pieces *p = ctx;
	uint64_t whole = p->r->geom.dirblock_bytes / p->r->geom.blocksize;
	uint64_t off = rec->br_startoff, left = rec->br_blockcount;
	xfs_fsblock_t fsb = rec->br_startblock;

	while (left) {
		uint64_t n = whole - off % whole;
		int rc;

		/* blocks in one piece, of which an extent may have many */
		if (n == whole && left >= whole) {
			n = left - left % whole;
			off += n;
			fsb += n;
			left -= n;
			continue;
		}
		if (n > left)
			n = left;
		rc = add_part(p, off / whole, fsb, n);
		if (rc)
			return rc;
		off += n;
		fsb += n;
		left -= n;
	}
	return 0;
}

/* --- all directories of the log --- */

static int look_at(void *ctx, uint64_t ino)
{
	struct pieces *p = ctx;
	uint64_t n = p->dirs.count;
	struct fsinode in;
	int rc;

	rc = replay_progress(p->r, p->write ? XLOG_PHASE_WRITE :
			     XLOG_PHASE_CHECK, p->done++, n);
	if (!rc)
		rc = fsread_inode(p->r, ino, &in);
	if (rc || !xfs_dinode_is(&in.di, XFS_MODE_DIR) ||
	    (in.di.di_format != XFS_DINODE_FMT_EXTENTS &&
	     in.di.di_format != XFS_DINODE_FMT_BTREE))
		return rc;
	p->ino = ino;
	p->nparts = 0;
	p->filled = 0;
	p->unit = UINT64_MAX;
	return fsread_extents(p->r, &in, extent, p);
}

static int collect_dir(struct replay *r, const struct replay_item *it)
{
	struct pieces *p = r->pieces;
	struct xfs_logitem_inode in;
	struct xfs_dinode di;

	/* where a chunk of inodes was freed there may be anything by now */
	if (it->item->type != XFS_LI_INODE ||
	    xfs_logitem_inode(&it->view, &in) ||
	    targets_cancelled(r->targets, in.ilf.ilf_blkno, in.ilf.ilf_len,
			      it->seq))
		return 0;
	xfs_dinode_decode(&di, in.core->data, in.core->len_bytes,
			  it->view.order);
	if (!xfs_dinode_is(&di, XFS_MODE_DIR))
		return 0;
	if (unitset_add(&p->dirs, in.ilf.ilf_ino, 1))
		return replay_no_memory(r);
	return replay_check_room(r, unitset_bytes(&p->dirs));
}

struct visiting {
	struct pieces	*p;
	int		rc;
};

static void visit_piece(const void *node, VISIT visit, void *ctx)
{
	const struct piece *piece = *(struct piece *const *)node;
	struct visiting *v = ctx;

	if ((visit != postorder && visit != leaf) || v->rc || piece->found ||
	    piece->perhaps)
		return;
	v->rc = replay_refuse(v->p->r, -EUCLEAN, "block.pieces",
			      XLOG_LSN_NONE,
			      "a piece of a directory block at daddr %llu, of which no directory in the log has the rest",
			      (unsigned long long)piece->daddr);
}

int pieces_finish(struct replay *r, bool write)
{
	struct pieces *p = r->pieces;
	struct visiting v = { .p = p };
	struct unitset_word *words;
	struct replay_walk walk;
	size_t count;

	if (!p)
		return 0;
	p->write = write;
	p->done = 0;
	if (!p->collected)
		v.rc = replay_walk(r, XLOG_PHASE_FINISH, collect_dir, &walk);
	p->collected = !v.rc;
	words = unitset_sorted(&p->dirs, &count);
	if (!v.rc)
		v.rc = words ? unitset_walk(words, count, look_at, p) :
			       replay_no_memory(r);
	free(words);
	if (!v.rc)
		twalk_r(p->set, visit_piece, &v);
	return v.rc;
}
