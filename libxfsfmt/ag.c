/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AGF, AGI and AGFL: verifiers and walks.
 */
#include "libxfsfmt/ag.h"
#include "libxfsfmt/crc32c.h"

XFS_DEFINE(xfs_agf, XFS_AGF_ROWS)
XFS_DEFINE_ENCODE(xfs_agf, XFS_AGF_ROWS)
XFS_DEFINE(xfs_agi, XFS_AGI_ROWS)
XFS_DEFINE_ENCODE(xfs_agi, XFS_AGI_ROWS)
XFS_DEFINE(xfs_agfl, XFS_AGFL_ROWS)
XFS_DEFINE_ENCODE(xfs_agfl, XFS_AGFL_ROWS)

/* More levels than any tree of a group can have. */
enum { LEVELS_MAX = 20 };

enum { AGFL_BYTES_MAX = 32768 };	/* the largest sector */

static bool tree_ok(const struct xfs_geom *g, xfs_agnumber_t agno,
		    uint32_t root, uint32_t level)
{
	return level && level <= LEVELS_MAX && root &&
	       root < xfs_ag_blocks(g, agno);
}

const char *xfs_agf_verify(const void *raw, size_t len_bytes,
			   const struct xfs_geom *g, xfs_agnumber_t agno)
{
	uint32_t entries = xfs_agfl_entries(g);
	struct xfs_agf agf;

	if (len_bytes < xfs_agf_size)
		return "too short";
	if (g->v5 && !xfs_crc_ok(raw, len_bytes, XFS_AGF_CRC_OFF))
		return "wrong checksum";
	xfs_agf_decode(&agf, raw, len_bytes, XFS_BE);
	if (agf.agf_magicnum != XFS_AGF_MAGIC || agf.agf_versionnum != 1)
		return "bad magic or version";
	if (g->v5 && memcmp(agf.agf_uuid, g->meta_uuid, 16))
		return "UUID of another filesystem";
	if (agf.agf_seqno != agno)
		return "number of another group";
	if (agf.agf_length != xfs_ag_blocks(g, agno))
		return "length is not that of the group";
	if (agf.agf_flfirst >= entries || agf.agf_fllast >= entries ||
	    agf.agf_flcount > entries)
		return "free list out of range";
	if (agf.agf_freeblks > agf.agf_length ||
	    agf.agf_longest > agf.agf_freeblks)
		return "free blocks out of range";
	if (!tree_ok(g, agno, agf.agf_bnoroot, agf.agf_bnolevel) ||
	    !tree_ok(g, agno, agf.agf_cntroot, agf.agf_cntlevel) ||
	    (g->rmapbt && !tree_ok(g, agno, agf.agf_rmaproot,
				   agf.agf_rmaplevel)) ||
	    (g->reflink && !tree_ok(g, agno, agf.agf_refcount_root,
				    agf.agf_refcount_level)))
		return "root of a tree out of range";
	return NULL;
}

const char *xfs_agi_verify(const void *raw, size_t len_bytes,
			   const struct xfs_geom *g, xfs_agnumber_t agno)
{
	struct xfs_agi agi;

	if (len_bytes < xfs_agi_size)
		return "too short";
	if (g->v5 && !xfs_crc_ok(raw, len_bytes, XFS_AGI_CRC_OFF))
		return "wrong checksum";
	xfs_agi_decode(&agi, raw, len_bytes, XFS_BE);
	if (agi.agi_magicnum != XFS_AGI_MAGIC || agi.agi_versionnum != 1)
		return "bad magic or version";
	if (g->v5 && memcmp(agi.agi_uuid, g->meta_uuid, 16))
		return "UUID of another filesystem";
	if (agi.agi_seqno != agno)
		return "number of another group";
	if (agi.agi_length != xfs_ag_blocks(g, agno))
		return "length is not that of the group";
	if (agi.agi_freecount > agi.agi_count)
		return "more free inodes than inodes";
	if (!tree_ok(g, agno, agi.agi_root, agi.agi_level) ||
	    (g->finobt && !tree_ok(g, agno, agi.agi_free_root,
				   agi.agi_free_level)))
		return "root of a tree out of range";
	for (unsigned int i = 0; i < XFS_AGI_BUCKETS; i++) {
		uint32_t agino = agi.agi_unlinked[i];

		if (agino != XFS_NULL_AGINO &&
		    (!agino || agino >> g->inopblog >= agi.agi_length))
			return "unlinked inode out of range";
	}
	return NULL;
}

const char *xfs_agfl_verify(const void *raw, size_t len_bytes,
			    const struct xfs_geom *g, xfs_agnumber_t agno)
{
	uint32_t blocks = xfs_ag_blocks(g, agno);
	const uint8_t *bno = raw;
	struct xfs_agfl agfl;

	if (len_bytes != g->sectsize)
		return "not a sector";
	/* version 4 has no header, and unused slots there hold anything */
	if (!g->v5)
		return NULL;
	if (!xfs_crc_ok(raw, len_bytes, XFS_AGFL_CRC_OFF))
		return "wrong checksum";
	xfs_agfl_decode(&agfl, raw, len_bytes, XFS_BE);
	if (agfl.agfl_magicnum != XFS_AGFL_MAGIC)
		return "bad magic";
	if (memcmp(agfl.agfl_uuid, g->meta_uuid, 16))
		return "UUID of another filesystem";
	if (agfl.agfl_seqno != agno)
		return "number of another group";
	for (uint32_t i = 0; i < xfs_agfl_entries(g); i++) {
		uint32_t b = get_be32(bno + xfs_agfl_size + 4 * i);

		if (b != XFS_NULL_AGBLOCK && b >= blocks)
			return "block out of range";
	}
	return NULL;
}

/* Version 5 unless the geometry says otherwise. */
static unsigned int ag_variant(const struct xfs_walk *w)
{
	return w->geom && !w->geom->v5 ? 0 : XFS_AG_V5;
}

void xfs_agf_walk(const struct xfs_walk *w)
{
	xfs_walk_fields(w, xfs_agf_fields, 0, ag_variant(w));
}

void xfs_agi_walk(const struct xfs_walk *w)
{
	xfs_walk_fields(w, xfs_agi_fields, 0, ag_variant(w));
}

void xfs_agfl_walk(const struct xfs_walk *w)
{
	struct xfs_field bno[] = {
		XFS_TABLE_F(be32, agfl_bno, 0, AGBLOCK)
		{ .name = NULL },
	};
	size_t off = 0;

	if (ag_variant(w) & XFS_AG_V5) {
		xfs_walk_fields(w, xfs_agfl_fields, 0, 0);
		off = xfs_agfl_size;
	}
	if (w->heads_only || w->len_bytes < off + 4 ||
	    w->len_bytes > AGFL_BYTES_MAX)
		return;
	bno[0].count = (uint16_t)((w->len_bytes - off) / 4);
	xfs_walk_fields(w, bno, off, 0);
}
