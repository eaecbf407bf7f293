/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See fslook.h. Everything is read anew by rules of its own: what is tested
 * here is not asked.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/btree.h"
#include "tests/lib/fslook_priv.h"

/* --- inodes --- */

/*
 * Blocks that were allocated ahead, behind the end of a file: kernels give
 * them back when they let go of an inode, whenever that is.
 */
static void trim(struct look *l, struct xfs_dinode *di)
{
	uint64_t end = (di->di_size + l->g.blocksize - 1) >> l->g.blocklog;
	size_t before = l->next;

	if (!xfs_dinode_is(di, XFS_MODE_REG) || di->di_flags & KEPT_AHEAD)
		return;
	while (l->next) {
		struct extent *e = &l->ext[l->next - 1];

		if (e->off + e->len <= end)
			break;
		if (e->off >= end) {
			l->trimmed += e->len;
			l->next--;
			continue;
		}
		l->trimmed += e->off + e->len - end;
		e->len = end - e->off;
	}
	/* nothing is shared where nothing is left */
	if (before && !l->next)
		di->di_flags2 &= ~(uint64_t)XFS_DIFLAG2_REFLINK;
}

static void core(struct look *l, uint64_t ino, const struct xfs_dinode *di)
{
	fprintf(l->out, "inode %" PRIu64 " v%u mode %o uid %u gid %u nlink %u proj %u/%u size %" PRIu64 " flags %x/%" PRIx64 " gen %u extsize %u/%u atime %" PRIx64 " mtime %" PRIx64 " ctime %" PRIx64 " crtime %" PRIx64 "\n",
		ino, di->di_version, di->di_mode, di->di_uid, di->di_gid,
		xfs_dinode_nlink(di), di->di_projid_lo, di->di_projid_hi,
		di->di_size, di->di_flags, di->di_version >= 3 ?
		di->di_flags2 : 0, di->di_gen, di->di_extsize,
		di->di_version >= 3 ? di->di_cowextsize : 0,
		di->di_atime, di->di_mtime, di->di_ctime,
		di->di_version >= 3 ? di->di_crtime : 0);
}

static int look_inode(struct look *l, uint64_t ino, const uint8_t *raw)
{
	struct xfs_dinode di;
	const uint8_t *fork;
	size_t bytes;
	const char *why = xfs_dinode_verify(raw, &l->g, ino);
	int rc = 0;

	xfs_dinode_decode(&di, raw, l->g.inodesize, XFS_BE);
	if (why)
		return look_bad(l, "inode %" PRIu64 ": %s", ino, why);
	fork = raw + xfs_dinode_core_bytes(&di);
	bytes = xfs_dinode_dfork_bytes(&di, l->g.inodesize);
	rc = look_map(l, di.di_format, fork, bytes, xfs_dinode_nextents(&di));
	trim(l, &di);
	core(l, ino, &di);
	if (rc) {
		;
	} else if (di.di_format == XFS_DINODE_FMT_LOCAL) {
		if (xfs_dinode_is(&di, XFS_MODE_DIR))
			rc = look_sf_dir(l, fork, bytes);
		else
			fprintf(l->out, "  data %08x\n",
				look_crc(fork, (size_t)di.di_size));
	} else if (di.di_format == XFS_DINODE_FMT_DEV) {
		fprintf(l->out, "  dev %x\n", get_be32(fork));
	} else {
		if (di.di_flags & XFS_DIFLAG_REALTIME)
			;
		else if (xfs_dinode_is(&di, XFS_MODE_DIR))
			rc = look_dir(l);
		else if (xfs_dinode_is(&di, XFS_MODE_LNK))
			rc = look_symlink(l, di.di_size);
		else
			rc = look_data(l);
	}
	if (!rc && di.di_forkoff)
		rc = look_attrs(l, &di, fork + (size_t)di.di_forkoff * 8,
				xfs_dinode_afork_bytes(&di, l->g.inodesize));
	if (rc && !strncmp(l->why, "inode", 5))
		return rc;
	return rc ? look_bad(l, "inode %" PRIu64 ": %.100s", ino,
			strdup(l->why)) : 0;
}

static int look_chunk(struct look *l, uint32_t agno, const uint8_t *rec)
{
	struct xfs_inobt_rec r;
	uint8_t *b = malloc(l->g.blocksize);
	int rc = 0;

	if (!b)
		abort();
	xfs_inobt_rec_decode(&r, rec, xfs_inobt_rec_size, XFS_BE);
	for (unsigned int i = 0; i < 64 && !rc; i++) {
		uint64_t ino = xfs_ino_make(&l->g, agno, r.ir_startino + i);

		if (r.ir_free >> i & 1)
			continue;
		rc = look_get(l, xfs_agb_to_daddr(&l->g, agno,
					     xfs_ino_agbno(&l->g, ino)), b,
			 l->g.blocksize);
		if (!rc)
			rc = look_inode(l, ino, b + ((size_t)xfs_ino_slot(&l->g, ino)
						     << l->g.inodelog));
	}
	free(b);
	return rc;
}

static int walk_inobt(struct look *l, uint32_t agno, uint32_t block,
		      unsigned int level)
{
	size_t hdr = xfs_btree_hdr_bytes(XFS_BTREE_INO, l->g.v5), max;
	uint8_t *b = malloc(l->g.blocksize);
	int rc;

	if (!b)
		abort();
	rc = look_get(l, xfs_agb_to_daddr(&l->g, agno, block), b, l->g.blocksize);
	max = xfs_btree_room(XFS_BTREE_INO, l->g.v5, !level, l->g.blocksize);
	if (!rc && (get_be16(b + 4) != level || get_be16(b + 6) > max ||
		    level > DEEP))
		rc = look_bad(l, "inode tree of group %u", agno);
	for (size_t i = 0; !rc && i < get_be16(b + 6); i++) {
		if (!level)
			rc = look_chunk(l, agno, b + hdr + 16 * i);
		else
			rc = walk_inobt(l, agno,
					get_be32(b + hdr + 4 * max + 4 * i),
					level - 1);
	}
	free(b);
	return rc;
}

/* --- all --- */

static int look_group(struct look *l, uint32_t agno)
{
	uint32_t bb = l->g.sectsize / BB_SIZE;
	uint64_t at = xfs_agb_to_daddr(&l->g, agno, 0);
	uint8_t raw[32768];
	struct xfs_agf agf;
	struct xfs_agi agi;
	int rc = look_get(l, at + bb, raw, l->g.sectsize);

	xfs_agf_decode(&agf, raw, xfs_agf_size, XFS_BE);
	if (!rc)
		rc = look_get(l, at + 2 * bb, raw, l->g.sectsize);
	if (rc)
		return rc;
	xfs_agi_decode(&agi, raw, xfs_agi_size, XFS_BE);
	/* where a tree has its blocks from, the free list or not, is its own */
	l->free += (uint64_t)agf.agf_freeblks + agf.agf_flcount +
		   agf.agf_btreeblks;
	fprintf(l->out, "ag %u inodes %u ifree %u\n", agno, agi.agi_count,
		agi.agi_freecount);
	for (unsigned int i = 0; i < XFS_AGI_BUCKETS; i++)
		if (agi.agi_unlinked[i] != XFS_NULL_AGINO)
			fprintf(l->out, "ag %u unlinked %u: %u\n", agno, i,
				agi.agi_unlinked[i]);
	return walk_inobt(l, agno, agi.agi_root, agi.agi_level - 1);
}

int fslook(struct dev *fs, FILE *out)
{
	struct look *l = calloc(1, sizeof(*l));
	uint8_t raw[BB_SIZE];
	int rc;

	if (!l)
		abort();
	l->fs = fs;
	l->out = out;
	rc = look_get(l, 0, raw, sizeof(raw));
	if (!rc) {
		xfs_sb_decode(&l->sb, raw, sizeof(raw), XFS_BE);
		xfs_geom_init(&l->g, &l->sb);
	}
	for (uint32_t ag = 0; ag < l->g.agcount && !rc; ag++)
		rc = look_group(l, ag);
	fprintf(out, "free %" PRIu64 "\n", l->free + l->trimmed + l->map_blocks);
	fprintf(out, "sb icount %" PRIu64 " ifree %" PRIu64 " fdblocks %" PRIu64 " frextents %" PRIu64 "\n",
		l->sb.sb_icount, l->sb.sb_ifree,
		l->sb.sb_fdblocks + l->trimmed + l->map_blocks,
		l->sb.sb_frextents);
	if (rc)
		fprintf(out, "%s\n", l->why);
	free(l->ext);
	free(l->lines);
	free(l);
	return rc;
}

char *fslook_text(struct dev *fs)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f || fslook(fs, f) || fclose(f)) {
		fprintf(stderr, "fslook: %s\n", text ? text : "no memory");
		abort();
	}
	return text;
}
