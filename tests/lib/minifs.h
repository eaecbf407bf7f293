/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Metadata on the disk of a minireplay.h, made field by field: headers of
 * groups, inodes, btree blocks. What is made is sound; a test then damages it.
 * One piece is made at a time: in minifs_raw, then put where it belongs.
 */
#ifndef TESTS_LIB_MINIFS_H
#define TESTS_LIB_MINIFS_H

#include "libxfsfmt/ag.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inode.h"
#include "tests/lib/minireplay.h"

UNUSED static uint8_t minifs_raw[65536];

/* Set element @index of field @name of the structure at @raw. */
UNUSED static void fs_set_at(uint8_t *raw, const struct xfs_field *table,
			     const char *name, unsigned int index, uint64_t v)
{
	while (table->name && strcmp(table->name, name))
		table++;
	cr_assert_not_null(table->name, "no field %s", name);
	raw += table->off_bytes + index * xfs_field_width(table);
	switch (table->type) {
	case XFS_TYPE_u8:
		*raw = (uint8_t)v;
		break;
	case XFS_TYPE_be16:
	case XFS_TYPE_w16:
		put_be16(raw, (uint16_t)v);
		break;
	case XFS_TYPE_be32:
	case XFS_TYPE_w32:
		put_be32(raw, (uint32_t)v);
		break;
	case XFS_TYPE_be64:
	case XFS_TYPE_w64:
		put_be64(raw, v);
		break;
	case XFS_TYPE_bits:
		for (unsigned int i = 0; i < table->bit_count; i++) {
			unsigned int bit = table->bit_first + i;
			uint8_t mask = (uint8_t)(0x80 >> bit % 8);

			if (v >> (table->bit_count - 1 - i) & 1)
				raw[bit / 8] |= mask;
			else
				raw[bit / 8] &= (uint8_t)~mask;
		}
		break;
	default:
		cr_assert_fail("%s cannot be set", name);
	}
}

UNUSED static void fs_set(uint8_t *raw, const struct xfs_field *table,
			  const char *name, uint64_t v)
{
	fs_set_at(raw, table, name, 0, v);
}

UNUSED static void fs_read(struct minireplay *m, uint64_t daddr, size_t len)
{
	cr_assert_eq(dev_read(m->log.fs, daddr * BB_SIZE, minifs_raw, len), 0);
}

/* Write minifs_raw with its checksum, if this version has any. */
UNUSED static void fs_put(struct minireplay *m, uint64_t daddr, size_t len,
			  size_t crc_off)
{
	if (m->r.geom.v5)
		put_le32(minifs_raw + crc_off,
			 xfs_crc_block(minifs_raw, len, crc_off));
	mini_write(m, daddr, minifs_raw, len);
}

UNUSED static void fs_copy_uuid(struct minireplay *m, uint8_t *raw)
{
	memcpy(raw, m->r.geom.meta_uuid, sizeof(m->r.geom.meta_uuid));
}

/* --- headers of groups --- */

enum { FS_AGF = 1, FS_AGI = 2 };	/* sector of the group */

UNUSED static uint64_t fs_header(struct minireplay *m, uint32_t ag,
				 unsigned int sector)
{
	return xfs_agb_to_daddr(&m->r.geom, ag, 0) +
	       sector * (m->r.geom.sectsize / BB_SIZE);
}

/* Change a field of a header that is there. */
UNUSED static void fs_agf_at(struct minireplay *m, uint32_t ag,
			     const char *name, uint64_t v)
{
	fs_read(m, fs_header(m, ag, FS_AGF), m->r.geom.sectsize);
	fs_set(minifs_raw, xfs_agf_fields, name, v);
	fs_put(m, fs_header(m, ag, FS_AGF), m->r.geom.sectsize,
	       XFS_AGF_CRC_OFF);
}

UNUSED static void fs_agi_at(struct minireplay *m, uint32_t ag,
			     const char *name, unsigned int index, uint64_t v)
{
	fs_read(m, fs_header(m, ag, FS_AGI), m->r.geom.sectsize);
	fs_set_at(minifs_raw, xfs_agi_fields, name, index, v);
	fs_put(m, fs_header(m, ag, FS_AGI), m->r.geom.sectsize,
	       XFS_AGI_CRC_OFF);
}

/* All groups empty, with roots of trees at blocks 8 to 13. */
UNUSED static void fs_groups(struct minireplay *m)
{
	static const char *const roots[] = {
		"agf_bnoroot", "agf_cntroot", "agf_rmaproot",
		"agf_refcount_root",
	};
	static const char *const levels[] = {
		"agf_bnolevel", "agf_cntlevel", "agf_rmaplevel",
		"agf_refcount_level",
	};
	const struct xfs_geom *g = &m->r.geom;

	for (uint32_t ag = 0; ag < g->agcount; ag++) {
		uint8_t *p = minifs_raw;

		memset(p, 0, g->sectsize);
		put_be32(p, XFS_AGF_MAGIC);
		put_be32(p + 4, 1);
		fs_set(p, xfs_agf_fields, "agf_seqno", ag);
		fs_set(p, xfs_agf_fields, "agf_length", xfs_ag_blocks(g, ag));
		for (unsigned int i = 0; i < 4; i++) {
			fs_set(p, xfs_agf_fields, roots[i], 8 + i);
			fs_set(p, xfs_agf_fields, levels[i], 1);
		}
		fs_copy_uuid(m, p + 64);
		fs_put(m, fs_header(m, ag, FS_AGF), g->sectsize,
		       XFS_AGF_CRC_OFF);

		memset(p, 0, g->sectsize);
		put_be32(p, XFS_AGI_MAGIC);
		put_be32(p + 4, 1);
		fs_set(p, xfs_agi_fields, "agi_seqno", ag);
		fs_set(p, xfs_agi_fields, "agi_length", xfs_ag_blocks(g, ag));
		fs_set(p, xfs_agi_fields, "agi_root", 12);
		fs_set(p, xfs_agi_fields, "agi_level", 1);
		fs_set(p, xfs_agi_fields, "agi_free_root", 13);
		fs_set(p, xfs_agi_fields, "agi_free_level", 1);
		for (unsigned int i = 0; i < XFS_AGI_BUCKETS; i++)
			fs_set_at(p, xfs_agi_fields, "agi_unlinked", i,
				  XFS_NULL_AGINO);
		fs_copy_uuid(m, p + 296);
		fs_put(m, fs_header(m, ag, FS_AGI), g->sectsize,
		       XFS_AGI_CRC_OFF);
	}
}

/* --- inodes --- */

/* Begin inode @ino in minifs_raw: without links, size and extents. */
UNUSED static uint8_t *fs_inode(struct minireplay *m, uint64_t ino,
				uint16_t mode)
{
	uint8_t *p = minifs_raw;

	memset(p, 0, m->r.geom.inodesize);
	put_be16(p, XFS_DINODE_MAGIC);
	put_be16(p + 2, mode);
	p[4] = m->r.geom.v5 ? 3 : 2;
	p[5] = XFS_DINODE_FMT_EXTENTS;
	p[83] = XFS_DINODE_FMT_EXTENTS;
	put_be32(p + XFS_DINODE_UNLINKED_OFF, XFS_NULL_AGINO);
	if (m->r.geom.v5) {
		put_be64(p + 152, ino);
		fs_copy_uuid(m, p + 160);
	}
	return p;
}

UNUSED static void fs_put_inode(struct minireplay *m, uint64_t ino)
{
	const struct xfs_geom *g = &m->r.geom;

	fs_put(m, xfs_agb_to_daddr(g, xfs_ino_agno(g, ino),
				   xfs_ino_agbno(g, ino)) +
	       (xfs_ino_slot(g, ino) << g->inodelog) / BB_SIZE, g->inodesize,
	       XFS_DINODE_CRC_OFF);
}

/* Extent @i of the list in the inode in minifs_raw, which gets that many. */
UNUSED static void fs_extent(struct minireplay *m, unsigned int i,
			     uint64_t off, uint64_t fsb, uint32_t len)
{
	uint8_t *rec = minifs_raw + (m->r.geom.v5 ? 176 : 100) +
		       i * (size_t)xfs_bmbt_rec_size;

	put_be32(minifs_raw + 76, i + 1);
	put_be64(minifs_raw + 64, 100);
	memset(rec, 0, xfs_bmbt_rec_size);
	fs_set(rec, xfs_bmbt_rec_fields, "br_startoff", off);
	fs_set(rec, xfs_bmbt_rec_fields, "br_startblock", fsb);
	fs_set(rec, xfs_bmbt_rec_fields, "br_blockcount", len);
}

/* --- btrees --- */

/*
 * Begin a block of a tree of @owner in minifs_raw; its records or keys are
 * written behind the header that the result points behind.
 */
UNUSED static uint8_t *fs_tree_block(struct minireplay *m,
				     enum xfs_btree_kind kind, uint64_t owner,
				     uint64_t daddr, unsigned int level,
				     unsigned int numrecs)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];
	bool v5 = m->r.geom.v5;
	uint8_t *p = minifs_raw;

	memset(p, 0, m->r.geom.blocksize);
	put_be32(p, v5 ? ops->crc_magic : ops->magic);
	put_be16(p + 4, (uint16_t)level);
	put_be16(p + 6, (uint16_t)numrecs);
	memset(p + 8, 0xff, ops->is_long ? 16 : 8);
	if (v5 && ops->is_long) {
		put_be64(p + 24, daddr);
		fs_copy_uuid(m, p + 40);
		put_be64(p + XFS_BTREE_LONG_OWNER_OFF, owner);
	} else if (v5) {
		put_be64(p + 16, daddr);
		fs_copy_uuid(m, p + 32);
		put_be32(p + 48, (uint32_t)owner);
	}
	return p + xfs_btree_hdr_bytes(kind, v5);
}

/* Pointer @i of a node in minifs_raw. */
UNUSED static void fs_tree_ptr(struct minireplay *m, enum xfs_btree_kind kind,
			       unsigned int i, uint64_t ptr)
{
	bool v5 = m->r.geom.v5;
	uint8_t *p = minifs_raw + xfs_btree_hdr_bytes(kind, v5) +
		     xfs_btree_ops[kind].key_bytes *
		     xfs_btree_room(kind, v5, false, m->r.geom.blocksize) +
		     i * xfs_btree_ptr_bytes(kind);

	if (xfs_btree_ops[kind].is_long)
		put_be64(p, ptr);
	else
		put_be32(p, (uint32_t)ptr);
}

UNUSED static void fs_put_tree_block(struct minireplay *m,
				     enum xfs_btree_kind kind, uint64_t daddr)
{
	fs_put(m, daddr, m->r.geom.blocksize, xfs_btree_ops[kind].is_long ?
	       XFS_BTREE_LONG_CRC_OFF : XFS_BTREE_SHORT_CRC_OFF);
}

/* Record @i of a leaf of reference counts at @recs. */
UNUSED static void fs_refcount(uint8_t *recs, unsigned int i, bool cow,
			       uint32_t start, uint32_t len, uint32_t count)
{
	recs += i * (size_t)xfs_refcount_rec_size;
	put_be32(recs, start | (cow ? 0x80000000u : 0));
	put_be32(recs + 4, len);
	put_be32(recs + 8, count);
}

/* --- what is told --- */

struct told {
	char		text[4096];	/* "text\n" of each */
	struct xlog_remainder last;
	char		last_text[512];
	unsigned int	count;
};

UNUSED static void fs_told(void *ctx, const struct xlog_remainder *rem)
{
	struct told *t = ctx;
	size_t used = strlen(t->text);

	snprintf(t->text + used, sizeof(t->text) - used, "%s\n", rem->text);
	t->last = *rem;
	t->last.text = NULL;
	snprintf(t->last_text, sizeof(t->last_text), "%s", rem->text);
	t->count++;
}

UNUSED static void fs_listen(struct minireplay *m, struct told *t)
{
	m->opts.remainder = fs_told;
	m->opts.ctx = t;
}

#endif
