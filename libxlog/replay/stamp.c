/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The border between replay and the disk: what a block said of itself before,
 * and what it must say, and be, before it is written. Blocks of inodes and of
 * quota are stamped one by one where they are changed; all others here, once.
 */
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/replay/pieces.h"
#include "libxlog/replay/window.h"

static struct xfs_walk whole(const struct replay *r, const struct target *t)
{
	return (struct xfs_walk){
		.base = t->data,
		.len_bytes = (size_t)t->at.len_bb * BB_SIZE,
		.order = XFS_BE,
		.geom = &r->geom,
	};
}

static bool has_magic(const struct xfs_block_type *type,
		      const struct target *t)
{
	const uint8_t *p = t->data + type->magic_off;

	switch (type->magic_bytes) {
	case 2:
		return get_be16(p) == type->magic;
	case 4:
		return get_be32(p) == type->magic;
	default:
		return false;
	}
}

enum piece {
	PIECE_NO,
	PIECE_PERHAPS,		/* or a whole block of attributes */
	PIECE_YES,
};

/* Can a buffer with these contents be a piece of a directory block? */
static enum piece is_piece(const struct replay *r, const struct target *t,
			   unsigned int blft)
{
	if (!r->geom.v5 || blft < XFS_BLFT_DIR_BLOCK ||
	    blft > XFS_BLFT_DA_NODE ||
	    (size_t)t->at.len_bb * BB_SIZE >= r->geom.dirblock_bytes)
		return PIECE_NO;
	return blft == XFS_BLFT_DA_NODE ? PIECE_PERHAPS : PIECE_YES;
}

/* Blocks of version 5 that carry an LSN by which they are replayed. */
static bool is_stamped(const struct replay *r,
		       const struct xfs_block_type *type)
{
	return r->geom.v5 && type && type->lsn_off && type->crc_off &&
	       type->version != XFS_BLOCK_V4;
}

static bool is_ours(const struct replay *r, const struct target *t,
		    const struct xfs_block_type *type)
{
	return !type->uuid_off ||
	       !memcmp(t->data + type->uuid_off, r->geom.meta_uuid,
		       sizeof(r->geom.meta_uuid));
}

void target_start(struct replay *r, struct target *t)
{
	const struct xfs_walk w = whole(r, t);
	const struct xfs_block_type *type;
	enum piece piece;

	if (r->opts->change)
		t->crc_before = xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, t->data,
							 w.len_bytes));
	/* remote attribute values are written without a log: no LSN counts */
	type = xfs_block_identify(&w, XFS_BLFT_UNKNOWN);
	if (!is_stamped(r, type) || !has_magic(type, t) ||
	    type->blft == XFS_BLFT_ATTR_RMT || !is_ours(r, t, type))
		return;
	/* the checksum of a piece is of more: nothing shows whether it is torn */
	t->bad_crc = !xfs_crc_ok(t->data, w.len_bytes, type->crc_off);
	piece = is_piece(r, t, type->blft);
	if (piece == PIECE_YES || (piece && t->bad_crc)) {
		t->bad_crc = false;
		return;
	}
	t->disk_lsn = get_be64(t->data + type->lsn_off);
	if (!t->disk_lsn || t->disk_lsn == XLOG_LSN_NONE) {
		t->bad_crc = false;
		return;
	}
	t->has_lsn = true;
	t->disk_crc = get_le32(t->data + type->crc_off);
}

static void stamp(struct target *t, const struct xfs_block_type *type,
		  xfs_lsn_t lsn)
{
	size_t len = (size_t)t->at.len_bb * BB_SIZE;

	put_be64(t->data + type->lsn_off, lsn);
	put_le32(t->data + type->crc_off,
		 xfs_crc_block(t->data, len, type->crc_off));
}

const char *target_type_name(const struct replay *r, const struct target *t)
{
	const struct xfs_walk w = whole(r, t);
	const struct xfs_block_type *type;

	if (t->inodes)
		return "inode";
	if (t->dquots)
		return "dquot";
	type = xfs_block_identify(&w, xfs_blf_content(t->blf_flags));
	return type ? type->name : "unknown";
}

static int refuse_block(struct replay *r, const struct target *t,
			const struct xfs_block_type *type, int rc,
			const char *why)
{
	return replay_refuse(r, rc, "block", XLOG_LSN_NONE,
			     "%s at daddr %llu (group %u): %s",
			     type ? type->name : "block",
			     (unsigned long long)t->at.daddr,
			     xfs_daddr_agno(&r->geom, t->at.daddr), why);
}

/*
 * Has the block the checksum of its header if what no item has is zero? Then
 * it is zero.
 */
static bool is_new_block(const struct replay *r, struct target *t,
			 const struct xfs_block_type *type)
{
	size_t len = (size_t)t->at.len_bb * BB_SIZE;
	uint8_t *was = malloc(len);
	bool so = false;

	/* without memory for that it is not known to be healed */
	if (!was || !t->logged || !(t->logged[0] & 1))
		goto free_was;
	memcpy(was, t->data, len);
	for (size_t i = 0; i < len / XFS_CHUNK_BYTES; i++)
		if (!(t->logged[i / 32] >> i % 32 & 1))
			memset(t->data + i * XFS_CHUNK_BYTES, 0,
			       XFS_CHUNK_BYTES);
	stamp(t, type, t->disk_lsn);
	so = get_le32(t->data + type->crc_off) == t->disk_crc &&
	     !type->verify(t->data, len, &r->geom, t->at.daddr);
	if (!so)
		memcpy(t->data, was, len);
free_was:
	free(was);
	return so;
}

/* NULL, or why it is not what its header says. */
static const char *heal(struct replay *r, struct target *t,
			const struct xfs_block_type *type)
{
	if (t->applied_lsn != t->disk_lsn || !is_stamped(r, type) ||
	    !has_magic(type, t))
		return "wrong checksum, and the log does not explain it";
	stamp(t, type, t->disk_lsn);
	if (get_le32(t->data + type->crc_off) != t->disk_crc &&
	    !is_new_block(r, t, type))
		return "wrong checksum, and replay does not lead to the right one";
	t->healed = true;
	if (r->counting) {
		r->res->healed++;
		notice(&r->log->sink, XLOG_WARNING, "block.torn",
		       t->disk_lsn, "%s at daddr %llu was torn by a write: healed",
		       type->name, (unsigned long long)t->at.daddr);
	}
	return NULL;
}

static const struct xfs_block_type *type_of(const struct replay *r,
					    const struct target *t)
{
	const struct xfs_walk w = whole(r, t);

	return xfs_block_identify(&w, xfs_blf_content(t->blf_flags));
}

bool window_is_healed(struct replay *r, struct target *t)
{
	return !heal(r, t, type_of(r, t));
}

/* Inodes and quota records have been stamped: only judge them. */
static int finish_slots(struct replay *r, struct target *t)
{
	const struct xfs_walk w = whole(r, t);
	unsigned int blft = t->inodes ? XFS_BLFT_DINO : XFS_BLFT_UDQUOT;
	const struct xfs_block_type *type = xfs_block_identify(&w, blft);
	const char *why = "not a block of its kind any more";

	if (type && type->blft == blft)
		why = type->verify(t->data, w.len_bytes, &r->geom,
				   t->at.daddr);
	return why ? refuse_block(r, t, type, -EUCLEAN, why) : 0;
}

static void report_bad_crc(struct replay *r, const struct target *t,
			   const struct xfs_block_type *type)
{
	if (!r->counting)
		return;
	r->res->bad_crc++;
	notice(&r->log->sink, XLOG_WARNING, "block.crc", XLOG_LSN_NONE,
	       "%s at daddr %llu had a wrong checksum; replayed as Linux does",
	       type ? type->name : "block", (unsigned long long)t->at.daddr);
}

/* Judged by itself, is it sound, its stamp aside? */
static bool is_whole(const struct replay *r, const struct target *t,
		     const struct xfs_block_type *type)
{
	return !type->verify(t->data, (size_t)t->at.len_bb * BB_SIZE,
			     &r->geom, t->at.daddr);
}

int target_finish(struct replay *r, struct target *t)
{
	const struct xfs_walk w = whole(r, t);
	const struct xfs_block_type *type;
	unsigned int blft = xfs_blf_content(t->blf_flags);
	enum piece piece;
	const char *why;

	if (!t->dirty && !t->skipped)
		return 0;
	if (t->inodes || t->dquots)
		return finish_slots(r, t);
	/* kernels before 3.10 do not say what it is, and it may be any text */
	if (!r->geom.v5 && blft == XFS_BLFT_UNKNOWN)
		return 0;
	if (t->torn && !t->healed) {
		type = type_of(r, t);
		why = heal(r, t, type);
		if (why)
			return refuse_block(r, t, type, -EBADMSG, why);
	}
	type = xfs_block_identify(&w, blft);
	/* Linux refuses it, too: all that the log has for it is left out */
	if (t->skipped && t->disk_lsn > r->res->bounds.head)
		return refuse_block(r, t, type, -EUCLEAN, "newer than the log");
	if (t->bad_crc && !t->torn)
		report_bad_crc(r, t, type);
	piece = is_piece(r, t, blft);
	if (piece == PIECE_YES ||
	    (piece && (!type || !has_magic(type, t) ||
		       !is_whole(r, t, type))))
		return pieces_add(r, t->at.daddr, t->applied_lsn, false);
	/* a block that is not what the log says goes without a stamp */
	if (!type || (type->magic_bytes && !has_magic(type, t)) ||
	    (type->blft != blft && blft != XFS_BLFT_UNKNOWN)) {
		if (r->counting)
			notice(&r->log->sink, XLOG_WARNING, "block.type",
			       t->applied_lsn, "block at daddr %llu is not of the kind the log says (%u)",
			       (unsigned long long)t->at.daddr, blft);
		return 0;
	}
	if (t->dirty && is_stamped(r, type))
		stamp(t, type, t->applied_lsn);
	why = xfs_block_verify(type, t->data, w.len_bytes, &r->geom,
			       t->at.daddr);
	if (why)
		return refuse_block(r, t, type, -EUCLEAN, why);
	return piece ? pieces_add(r, t->at.daddr, t->applied_lsn, true) : 0;
}
