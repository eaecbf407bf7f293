/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BUF items: changed pieces of a metadata buffer.
 *
 * On version 5 the LSN in a block says how new it is: an item applies only to
 * a block that is older. What counts is the LSN the block had on disk before
 * this recovery, since several checkpoints can have the same LSN; the block is
 * stamped once, at the end. On version 4 everything applies, in log order.
 *
 * A block can be torn: a recovery, or the kernel, was stopped while writing
 * it, so that its first sector is new, with the new LSN, and the rest is old.
 * Its checksum is wrong then, and items that its LSN says are in it are not.
 * All live items are applied to such a block. Where the LSN of the last one
 * reaches that of the header, the block must have just the checksum that the
 * header has: this proves that the log held all of the difference. What no
 * item has may have to be zero for that: in a block that was new, what is not
 * in use is not logged.
 *
 * Or the first sector is old, and others are newer than it says: then the log
 * has later items, which cover what is newer. This cannot be proved, but items
 * that are applied again change nothing, and Linux does not look. Where there
 * are no later items the block is corrupt and nothing is recovered.
 *
 * Of buffers of inodes only the pointers of the unlinked lists are taken; all
 * else of an inode is in INODE items. Buffers of new quota blocks are like
 * others, but hold no LSN of their own.
 */
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/dquot.h"
#include "libxfsfmt/inode.h"
#include "libxlog/replay/window.h"

enum {
	DQUOT_FLAGS = XFS_BLF_UDQUOT_BUF | XFS_BLF_PDQUOT_BUF |
		      XFS_BLF_GDQUOT_BUF,
};

static int bad_item(struct replay *r, const struct replay_item *it,
		    const char *why)
{
	return replay_refuse(r, -EUCLEAN, "item.buf", it->lsn, "buf item: %s",
			     why);
}

/* After the last run: did bitmap and regions agree? */
static int end_runs(struct replay *r, const struct replay_item *it,
		    const struct xfs_buf_runs *runs)
{
	const char *why = xfs_buf_runs_why(runs);

	if (why)
		return bad_item(r, it, why);
	if (r->counting)
		r->res->buffers++;
	return 0;
}

/* --- first walk --- */

static bool is_superblock(const struct xfs_buf_log_format *blf)
{
	return !blf->blf_blkno &&
	       xfs_blf_content(blf->blf_flags) == XFS_BLFT_SB;
}

/* The log changes the superblock: what follows is to be seen with the new one. */
static int plan_superblock(struct replay *r, const struct replay_item *it,
			   struct xfs_buf_runs *runs)
{
	size_t len = (size_t)runs->blf.blf_len * BB_SIZE;
	uint32_t agcount = r->geom.agcount;
	struct xfs_buf_run run;
	struct xfs_sb sb;
	const char *why;

	if (len != r->geom.sectsize)
		return bad_item(r, it, "superblock of another sector size");
	if (r->geom.v5 && r->sb_disk_lsn >= it->lsn)
		return 0;
	while (xfs_buf_runs_next(runs, &run)) {
		if (run.off_bytes + (size_t)run.len_bytes > len)
			return bad_item(r, it, "bytes behind its buffer");
		memcpy(r->sb_raw + run.off_bytes, run.data, run.len_bytes);
	}
	/* the logged checksum is that of an older state */
	if (r->geom.v5)
		put_le32(r->sb_raw + XFS_SB_CRC_OFF,
			 xfs_crc_block(r->sb_raw, len, XFS_SB_CRC_OFF));
	xfs_sb_decode(&sb, r->sb_raw, len, XFS_BE);
	why = xfs_sb_verify(&sb, r->sb_raw, len);
	if (why)
		return replay_refuse(r, -EUCLEAN, "sb.replayed", it->lsn,
				     "superblock in the log: %s", why);
	if (sb.sb_agcount < agcount)
		return replay_refuse(r, -EUCLEAN, "sb.replayed", it->lsn,
				     "the log shrinks the filesystem from %u groups to %u",
				     agcount, sb.sb_agcount);
	if (sb.sb_blocksize != r->sb.sb_blocksize ||
	    sb.sb_sectsize != r->sb.sb_sectsize ||
	    sb.sb_inodesize != r->sb.sb_inodesize ||
	    sb.sb_agblocks != r->sb.sb_agblocks ||
	    sb.sb_logstart != r->sb.sb_logstart ||
	    sb.sb_logblocks != r->sb.sb_logblocks ||
	    (sb.sb_versionnum ^ r->sb.sb_versionnum) & XFS_SB_VERSION_MASK)
		return replay_refuse(r, -EUCLEAN, "sb.replayed", it->lsn,
				     "superblock in the log: another block, sector, inode, group or log size");
	r->sb = sb;
	xfs_geom_init(&r->geom, &sb);
	return 0;
}

static int plan_buf(struct replay *r, const struct replay_item *it)
{
	struct xfs_buf_runs runs;
	const char *why = xfs_buf_runs_init(&runs, &it->view);
	int rc;

	if (why)
		return bad_item(r, it, why);
	if (runs.blf.blf_flags & XFS_BLF_CANCEL)
		return plan_cancel(r, it, runs.blf.blf_blkno,
				   runs.blf.blf_len);
	rc = plan_target(r, it, runs.blf.blf_blkno, runs.blf.blf_len);
	if (!rc && is_superblock(&runs.blf))
		rc = plan_superblock(r, it, &runs);
	return rc;
}

/* --- second walk --- */

/* Of a torn block it is remembered what items have. */
static void note_run(struct target *t, const struct xfs_buf_run *run)
{
	uint32_t end = (run->off_bytes + run->len_bytes) / XFS_CHUNK_BYTES;

	for (uint32_t i = run->off_bytes / XFS_CHUNK_BYTES; i < end; i++)
		t->logged[i / 32] |= (uint32_t)1 << i % 32;
}

static int copy_runs(struct replay *r, const struct replay_item *it,
		     struct target *t, struct xfs_buf_runs *runs)
{
	size_t len = (size_t)t->at.len_bb * BB_SIZE;
	struct xfs_buf_run run;

	if (t->torn && !t->logged) {
		t->logged = calloc(XFS_BUF_LOG_MAP_WORDS, sizeof(*t->logged));
		if (!t->logged)
			return replay_no_memory(r);
	}
	while (xfs_buf_runs_next(runs, &run)) {
		if (run.off_bytes + (size_t)run.len_bytes > len)
			return bad_item(r, it, "bytes behind its buffer");
		memcpy(t->data + run.off_bytes, run.data, run.len_bytes);
		if (t->logged)
			note_run(t, &run);
	}
	t->dirty = true;
	return end_runs(r, it, runs);
}

/* The pointers to the next unlinked inode, where they were logged. */
static int apply_unlinked(struct replay *r, const struct replay_item *it,
			  struct target *t, struct xfs_buf_runs *runs)
{
	size_t len = (size_t)t->at.len_bb * BB_SIZE;
	size_t inode_bytes = r->geom.inodesize;
	struct xfs_buf_run run;
	int rc;

	t->inodes = true;
	while (xfs_buf_runs_next(runs, &run)) {
		size_t end = run.off_bytes + (size_t)run.len_bytes;
		size_t slot = run.off_bytes / inode_bytes;

		if (end > len)
			return bad_item(r, it, "bytes behind its buffer");
		for (;; slot++) {
			uint8_t *inode = t->data + slot * inode_bytes;
			size_t off = slot * inode_bytes +
				     XFS_DINODE_UNLINKED_OFF;

			if (off + 4 > end || (slot + 1) * inode_bytes > len)
				break;
			if (off < run.off_bytes)
				continue;
			rc = torn_inode_see(r, inode);
			if (rc)
				return rc;
			memcpy(t->data + off, run.data + off - run.off_bytes,
			       4);
			if (!get_be32(t->data + off))
				return bad_item(r, it, "an unlinked list that goes on at inode 0");
			if (r->geom.v5)
				put_le32(inode + XFS_DINODE_CRC_OFF,
					 xfs_crc_block(inode, inode_bytes,
						       XFS_DINODE_CRC_OFF));
			t->dirty = true;
		}
	}
	return end_runs(r, it, runs);
}

static unsigned int dquot_type(uint16_t blf_flags)
{
	return blf_flags & XFS_BLF_UDQUOT_BUF ? XFS_DQTYPE_USER :
	       blf_flags & XFS_BLF_PDQUOT_BUF ? XFS_DQTYPE_PROJ :
						XFS_DQTYPE_GROUP;
}

/* Runs that do not begin with a sound record are left out, as Linux does. */
static int apply_dquots(struct replay *r, const struct replay_item *it,
			struct target *t, struct xfs_buf_runs *runs)
{
	size_t len = (size_t)t->at.len_bb * BB_SIZE;
	struct xfs_buf_run run;

	if (!(r->dquot_types & dquot_type(runs->blf.blf_flags)))
		return 0;
	t->dquots = true;
	while (xfs_buf_runs_next(runs, &run)) {
		struct xfs_disk_dquot dq;
		const char *why;

		if (run.off_bytes + (size_t)run.len_bytes > len)
			return bad_item(r, it, "bytes behind its buffer");
		xfs_disk_dquot_decode(&dq, run.data, run.len_bytes, XFS_BE);
		why = run.len_bytes < xfs_disk_dquot_size ? "too short" :
		      xfs_disk_dquot_verify(&dq);
		if (why && r->counting)
			notice(&r->log->sink, XLOG_WARNING, "item.dquot",
			       it->lsn, "quota buffer at daddr %llu, byte %u: %s; left out",
			       (unsigned long long)t->at.daddr, run.off_bytes,
			       why);
		if (why)
			continue;
		memcpy(t->data + run.off_bytes, run.data, run.len_bytes);
		t->dirty = true;
	}
	return end_runs(r, it, runs);
}

/* Words of a realtime bitmap can look like any block. */
static bool has_no_header(const struct replay *r, uint16_t blf_flags)
{
	unsigned int content = xfs_blf_content(blf_flags);

	return !r->geom.rgcount && (content == XFS_BLFT_RTBITMAP ||
				    content == XFS_BLFT_RTSUMMARY);
}

static int apply_plain(struct replay *r, const struct replay_item *it,
		       struct target *t, struct xfs_buf_runs *runs)
{
	uint16_t flags = runs->blf.blf_flags;

	if (t->has_lsn && !has_no_header(r, flags)) {
		if (it->lsn <= t->disk_lsn && !t->bad_crc) {
			t->skipped = true;
			t->header_first = true;
			if (!t->dirty)
				t->blf_flags = flags;
			if (r->counting)
				r->res->newer++;
			return 0;
		}
		if (it->lsn <= t->disk_lsn)
			t->torn = t->header_first = true;
		else if (t->torn && !t->healed &&
			 t->applied_lsn == t->disk_lsn)
			t->torn = window_is_healed(r, t);
	}
	t->blf_flags = flags;
	if (it->lsn > t->applied_lsn)
		t->applied_lsn = it->lsn;
	return copy_runs(r, it, t, runs);
}

static int apply_buf(struct replay *r, const struct replay_item *it)
{
	struct xfs_buf_runs runs;
	const char *why = xfs_buf_runs_init(&runs, &it->view);
	struct target *t;

	if (why)
		return bad_item(r, it, why);
	if (runs.blf.blf_flags & XFS_BLF_CANCEL)
		return 0;
	t = apply_target(r, it, runs.blf.blf_blkno, runs.blf.blf_len);
	if (!t)
		return 0;
	if (runs.blf.blf_flags & XFS_BLF_INODE_BUF)
		return apply_unlinked(r, it, t, &runs);
	if (runs.blf.blf_flags & DQUOT_FLAGS)
		return apply_dquots(r, it, t, &runs);
	return apply_plain(r, it, t, &runs);
}

const struct replay_type replay_buf = {
	.type = XFS_LI_BUF,
	.plan = plan_buf,
	.apply = apply_buf,
};
