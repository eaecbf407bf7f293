/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocation groups and their headers; see perag.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libxlog/meta/alloc.h"
#include "libxlog/meta/meta.h"
#include "libxlog/trans/trans_buf.h"

/* In sectors from the start of a group. */
enum { AGF_SECTOR = 1, AGI_SECTOR = 2, AGFL_SECTOR = 3 };

static int look_up_chunk(struct perag *pag, struct trans *t,
			 struct buf *agibuf, xfs_agino_t agino,
			 union btree_rec *rec)
{
	const union btree_rec key = { .ino.ir_startino = agino };
	struct btree_cur cur;
	bool found = false;
	int rc;

	btree_init_ag(&cur, t, &pag->group, XFS_BTREE_INO, agibuf);
	rc = btree_lookup(&cur, BTREE_LE, &key, &found);
	if (!rc && found)
		rc = btree_get(&cur, rec, &found);
	btree_fini(&cur);
	if (rc || (found && agino - rec->ino.ir_startino < CHUNK_INODES))
		return rc;
	return perag_corrupt(pag, "inode",
			     "inode %u of group %u is in no chunk", agino,
			     pag->group.agno);
}

static int inode_chunk(struct trans_fs *fs, struct trans *t, xfs_ino_t ino,
		       xfs_agblock_t *first)
{
	struct perag *pag = perag_of(fs, xfs_ino_agno(&fs->geom, ino));
	union btree_rec rec;
	struct buf *agibuf;
	int rc = ag_read_agi(t, pag, &agibuf);

	if (rc)
		return rc;
	rc = look_up_chunk(pag, t, agibuf, xfs_ino_agino(&fs->geom, ino),
			   &rec);
	trans_brelse(t, agibuf);
	if (!rc)
		*first = rec.ino.ir_startino >> fs->geom.inopblog;
	return rc;
}

int perags_new(struct trans_fs *fs)
{
	const struct xfs_geom *g = &fs->geom;
	struct xfs_levels levels;

	fs->perags = calloc(g->agcount, sizeof(*fs->perags));
	if (!fs->perags)
		return report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	xfs_levels_init(&levels, g);
	for (xfs_agnumber_t agno = 0; agno < g->agcount; agno++)
		fs->perags[agno] = (struct perag){
			.group = { fs, agno, &alloc_space_ops },
			.blocks = xfs_ag_blocks(g, agno),
			.first = ag_first_root(g, XFS_BTREE_BNO),
			.max_usable = ag_usable_blocks(g),
			.levels = levels,
		};
	fs->inode_chunk = inode_chunk;
	return 0;
}

void perags_set_log(struct trans_fs *fs, const struct xfs_sb *sb)
{
	xfs_agnumber_t agno = xfs_fsb_agno(&fs->geom, sb->sb_logstart);

	if (sb->sb_logstart && agno < fs->geom.agcount)
		perag_of(fs, agno)->log_blocks = sb->sb_logblocks;
}

void perags_free(struct trans_fs *fs)
{
	free(fs->perags);
	fs->perags = NULL;
}

int perag_corrupt(const struct perag *pag, const char *code, const char *fmt,
		  ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return report(&pag->group.fs->sink, -EUCLEAN, code, XLOG_LSN_NONE,
		      "AG %u: %s", pag->group.agno, what);
}

static int read_header(struct trans *t, struct perag *pag, unsigned int sector,
		       const struct trans_buf_ops *ops, struct buf **out)
{
	const struct xfs_geom *g = &pag->group.fs->geom;
	uint32_t sector_bb = g->sectsize / BB_SIZE;

	return trans_read_buf(pag->group.fs, t,
			      xfs_agb_to_daddr(g, pag->group.agno, 0) +
			      sector * sector_bb, sector_bb, ops, out);
}

int ag_read_agf(struct trans *t, struct perag *pag, struct buf **out)
{
	return read_header(t, pag, AGF_SECTOR, &trans_agf_ops, out);
}

int ag_read_agi(struct trans *t, struct perag *pag, struct buf **out)
{
	return read_header(t, pag, AGI_SECTOR, &trans_agi_ops, out);
}

int ag_read_agfl(struct trans *t, struct perag *pag, struct buf **out)
{
	return read_header(t, pag, AGFL_SECTOR, &trans_agfl_ops, out);
}

/* Put @now, of @len bytes, into the buffer; log the words that differ. */
static void log_changes(struct trans *t, struct buf *buf, const uint8_t *now,
			uint32_t len)
{
	for (uint32_t off = 0; off < len; off += 4) {
		if (!memcmp(buf->data + off, now + off, 4))
			continue;
		memcpy(buf->data + off, now + off, 4);
		trans_log_buf(t, buf, off, 4);
	}
}

static unsigned int variant(const struct trans *t)
{
	return t->fs->geom.v5 ? XFS_AG_V5 : 0;
}

void ag_set_agf(struct trans *t, struct buf *agfbuf, const struct xfs_agf *agf)
{
	uint8_t now[xfs_agf_size];

	memcpy(now, agfbuf->data, sizeof(now));
	xfs_agf_encode(now, agf, variant(t), XFS_BE);
	log_changes(t, agfbuf, now, sizeof(now));
}

void ag_set_agi(struct trans *t, struct buf *agibuf, const struct xfs_agi *agi)
{
	uint8_t now[xfs_agi_size];

	memcpy(now, agibuf->data, sizeof(now));
	xfs_agi_encode(now, agi, variant(t), XFS_BE);
	log_changes(t, agibuf, now, sizeof(now));
}
