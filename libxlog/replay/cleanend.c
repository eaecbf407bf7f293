/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two ends of what a recovery writes to the log. Before everything else,
 * the blocks ahead of the head are cleared, so that what a torn write left
 * there is never taken for records. After everything else, the log is ended:
 * a superblock checkpoint that moves the tail to the last record replayed,
 * then an unmount record.
 *
 * Between the two the log is dirty, and what recovers it then reads the last
 * record of the old log and our checkpoint in one pass. A pass takes the
 * number of header blocks from its first record for all of them, so ours has
 * the form of that one: version, buffer size, byte order, and the word size of
 * the machine that computed its checksum.
 *
 * If all of this has happened before, but for the unmount record, the newest
 * record of the log is such a checkpoint of ours, and it is not written again:
 * a recovery that was cut off ends with the same superblock as one that was
 * not. The transaction id of our records is made from their place for that.
 *
 * Source of the rules: Linux fs/xfs/xfs_log_recover.c and xfs_log.c; the
 * records are compared with those of kernels 5.10 to 7.2.
 */
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/logenc.h"
#include "libxlog/dev/batch.h"
#include "libxlog/replay/replay.h"

enum {
	CLEAR_BB = DEV_IO_BYTES / BB_SIZE,	/* fillers in one write */
	/* header blocks and payload at most: what a log may hold, not ours */
	RECORD_MAX_BYTES = 2 * XLOG_MAX_RECORD_BYTES,
};

struct end {
	struct replay	*r;
	struct xlog	*log;
	struct xlog_form form;		/* of what is written */
	struct xlog_rec_head last;	/* the newest record of the log, */
	uint32_t	last_bb;
	uint8_t		*last_raw;	/* and all of it */
	uint8_t		*buf;		/* for what is written */
	uint8_t		*sector;	/* a superblock */
};

/* --- writing --- */

static uint32_t sector_bb(const struct end *e)
{
	uint32_t bytes = e->log->info.log_sector_bytes;

	if (bytes < e->log->dev->sector_bytes)
		bytes = e->log->dev->sector_bytes;
	return bytes > BB_SIZE ? bytes / BB_SIZE : 1;
}

/* Some of the blocks of the log's sector that @block lies in. */
static int write_in_sector(struct end *e, uint32_t block, uint32_t bb,
			   const uint8_t *data)
{
	uint32_t unit = sector_bb(e);
	uint32_t first = block - block % unit;
	uint8_t *sector;
	size_t len;
	int rc;

	if (unit > e->log->nbb - first)
		unit = e->log->nbb - first;
	len = (size_t)unit * BB_SIZE;
	sector = malloc(len);
	if (!sector)
		return replay_no_memory(e->r);
	rc = xlog_read_raw(e->log, first, unit, sector);
	if (!rc) {
		memcpy(sector + (size_t)(block - first) * BB_SIZE, data,
		       (size_t)bb * BB_SIZE);
		rc = dev_write(e->log->dev, (uint64_t)first * BB_SIZE, sector,
			       len);
	}
	free(sector);
	return rc;
}

/* @bb blocks from @block, which do not wrap, in whole sectors of the log. */
static int write_straight(struct end *e, uint32_t block, uint32_t bb,
			  const uint8_t *data)
{
	uint32_t unit = sector_bb(e);
	int rc;

	rc = replay_begin_write(e->r, e->log->dev, &(struct dev_io){
					.off_bytes = (uint64_t)block * BB_SIZE,
					.len = (size_t)bb * BB_SIZE }, 1);
	if (replay_is_dry(e->r))
		return rc;
	while (bb && !rc) {
		uint32_t n = unit - block % unit;

		if (n < unit || bb < unit) {
			n = n < bb ? n : bb;
			rc = write_in_sector(e, block, n, data);
		} else {
			n = bb - bb % unit;
			rc = dev_write(e->log->dev, (uint64_t)block * BB_SIZE,
				       data, (size_t)n * BB_SIZE);
		}
		block += n;
		bb -= n;
		data += (size_t)n * BB_SIZE;
	}
	return rc;
}

/* @bb blocks of e->buf from @block, going on at block 0. */
static int write_log(struct end *e, uint32_t block, uint32_t bb)
{
	uint32_t left = e->log->nbb - block;
	uint32_t first = bb < left ? bb : left;
	int rc = write_straight(e, block, first, e->buf);

	return rc ? rc : write_straight(e, 0, bb - first, e->buf +
					(size_t)first * BB_SIZE);
}

/* The record in e->buf at @lsn, of @bb blocks: durable when this returns. */
static int write_record(struct end *e, xfs_lsn_t lsn, uint32_t bb)
{
	uint32_t block = xfs_lsn_block(lsn);
	uint32_t left = e->log->nbb - block;
	uint32_t first = bb < left ? bb : left;
	const struct dev_io ios[] = {
		{ (uint64_t)block * BB_SIZE, e->buf, (size_t)first * BB_SIZE },
		{ 0, e->buf + (size_t)first * BB_SIZE,
		  (size_t)(bb - first) * BB_SIZE },
	};
	int rc = write_log(e, block, bb);

	return rc ? rc : replay_settle(e->r, e->log->dev, ios, 2);
}

/* --- the newest record, and the form of ours --- */

static struct xlog_buf_part sb_part(const struct end *e, const uint8_t *raw)
{
	return xlog_sb_part(raw, e->r->geom.sectsize);
}

static uint32_t checkpoint_bytes(const struct end *e)
{
	struct xlog_buf_part part = sb_part(e, NULL);

	return xlog_buf_checkpoint_bytes(&part);
}

static int read_last(struct end *e)
{
	struct xlog *log = e->log;
	xfs_lsn_t lsn = e->r->res->bounds.last_record;
	uint32_t block = xfs_lsn_block(lsn);
	uint32_t header_bb;
	int rc;

	rc = log_read_wrapped(log, block, 1, e->last_raw);
	if (rc)
		return rc;
	xlog_rec_head_decode(&e->last, e->last_raw);
	/* it has been found sound; but what lies on a disk is asked again */
	if (!xlog_is_rec_header(e->last_raw) || e->last.lsn != lsn ||
	    xlog_rec_head_verify(&e->last, log->logv2, block, log->nbb,
				 log_record_max_bytes(log, &e->last)))
		goto changed;
	header_bb = log_header_bb(log, &e->last);
	e->last_bb = header_bb + (uint32_t)bb_from_bytes(e->last.len_bytes);
	if (xlog_lsn_add(lsn, e->last_bb, log->nbb) !=
	    e->r->res->bounds.head)
		goto changed;
	rc = log_read_wrapped(log, block, e->last_bb, e->last_raw);
	if (!rc && e->last.crc !=
	    xlog_rec_crc(e->last_raw, XLOG_HEADER_CRC_BYTES, header_bb,
			 e->last_raw + (size_t)header_bb * BB_SIZE,
			 e->last.len_bytes, log->logv2) &&
	    e->last.crc ==
	    xlog_rec_crc(e->last_raw, XLOG_HEADER_CRC_BYTES_I386, header_bb,
			 e->last_raw + (size_t)header_bb * BB_SIZE,
			 e->last.len_bytes, log->logv2))
		e->form.crc_bytes = XLOG_HEADER_CRC_BYTES_I386;
	return rc;
changed:
	return report(&log->sink, -EUCLEAN, "log.changed", lsn,
		      "the newest record, at %u:%u, is not what it was",
		      xfs_lsn_cycle(lsn), block);
}

/* That of the log so far, unless it was said to lie. */
static uint32_t form_fmt(const struct end *e)
{
	enum xfs_order last = e->last.fmt == XLOG_FMT_LINUX_LE ? XFS_LE :
			      XFS_BE;

	if (e->r->opts->order == XLOG_ORDER_AUTO || last == e->r->order)
		return e->last.fmt;
	return e->r->order == XFS_LE ? XLOG_FMT_LINUX_LE : XLOG_FMT_LINUX_BE;
}

static void end_fini(struct end *e)
{
	free(e->last_raw);
	free(e->buf);
	free(e->sector);
}

/* Even if this fails, end_fini() is next. */
static int end_init(struct end *e, struct replay *r)
{
	const struct xlog_info *info = &r->log->info;
	int rc;

	memset(e, 0, sizeof(*e));
	e->r = r;
	e->log = r->log;
	e->last_raw = malloc(RECORD_MAX_BYTES);
	e->buf = malloc(DEV_IO_BYTES);
	e->sector = malloc(REPLAY_SB_MAX_BYTES);
	if (!e->last_raw || !e->buf || !e->sector)
		return replay_no_memory(r);
	e->form.crc_bytes = XLOG_HEADER_CRC_BYTES;
	rc = read_last(e);
	if (rc)
		return rc;
	e->form.version = e->last.version;
	e->form.fmt = form_fmt(e);
	e->form.size_bytes = e->last.size_bytes;
	e->form.roundoff_bytes = xlog_roundoff_bytes(r->log->logv2,
						     info->log_sunit_bytes,
						     info->log_sector_bytes);
	e->form.log_size_bb = r->log->nbb;
	e->form.logv2 = r->log->logv2;
	memcpy(e->form.uuid, info->uuid, sizeof(e->form.uuid));
	return 0;
}

/*
 * All of the log but its newest record is free once it is replayed. Records
 * are never longer than the buffers they name, or the next pass refuses them.
 */
static int check_room(struct end *e)
{
	const struct xlog_form *f = &e->form;
	uint32_t sb_bb = xlog_form_bb(f, checkpoint_bytes(e));
	uint32_t unmount_bb = xlog_form_bb(f, XLOG_UNMOUNT_BYTES);
	uint32_t len_bytes = xlog_form_len_bytes(f, checkpoint_bytes(e));

	if (f->logv2 && len_bytes > f->size_bytes)
		return replay_refuse(e->r, -EUCLEAN, "log.size",
				     e->r->res->bounds.last_record,
				     "records of %u bytes, but the stripe unit of the log is %u",
				     f->size_bytes, f->roundoff_bytes);
	/* a head that meets the tail would say that there is nothing to do */
	if ((uint64_t)sb_bb + unmount_bb >= e->log->nbb - e->last_bb)
		return replay_refuse(e->r, -ENOSPC, "log.full",
				     e->r->res->bounds.last_record,
				     "no room for two records in a log of %u blocks",
				     e->log->nbb);
	return 0;
}

/* --- ahead of the head --- */

/* Blocks from the head to the tail that the newest record names. */
static int blocks_ahead(struct end *e, uint32_t *bb)
{
	xfs_lsn_t head = e->r->res->bounds.head, tail = e->last.tail_lsn;
	uint32_t head_cycle = xfs_lsn_cycle(head);
	uint32_t tail_cycle = xfs_lsn_cycle(tail);
	uint32_t nbb = e->log->nbb;

	if (tail_cycle == head_cycle && tail <= head &&
	    xfs_lsn_block(head) < nbb) {
		*bb = nbb - (uint32_t)(head - tail);
		return 0;
	}
	if (tail_cycle + 1 == head_cycle && xfs_lsn_block(tail) < nbb &&
	    xfs_lsn_block(head) < xfs_lsn_block(tail)) {
		*bb = xfs_lsn_block(tail) - xfs_lsn_block(head);
		return 0;
	}
	return replay_refuse(e->r, -EUCLEAN, "log.tail",
			     e->r->res->bounds.last_record,
			     "tail %u:%u of the newest record does not fit head %u:%u",
			     tail_cycle, xfs_lsn_block(tail), head_cycle,
			     xfs_lsn_block(head));
}

/*
 * Empty headers of the lap before: where the log is searched for its head they
 * are as good as what was there.
 */
static int clear(struct end *e, uint32_t bb)
{
	xfs_lsn_t head = e->r->res->bounds.head;
	xfs_lsn_t lsn = xfs_lsn_make(xfs_lsn_cycle(head) - 1,
				     xfs_lsn_block(head));
	int rc = 0;

	while (bb && !rc) {
		uint32_t n = bb < CLEAR_BB ? bb : CLEAR_BB;
		uint32_t block = xfs_lsn_block(lsn);

		for (uint32_t i = 0; i < n; i++) {
			xlog_filler_encode(&e->form, lsn, e->last.tail_lsn,
					   e->buf + (size_t)i * BB_SIZE);
			lsn = xlog_lsn_add(lsn, 1, e->log->nbb);
		}
		rc = write_log(e, block, n);
		bb -= n;
	}
	return rc;
}

int cleanend_clear_ahead(struct replay *r)
{
	uint32_t most = log_outstanding_bb(r->log);
	uint32_t bb = 0;
	struct end e;
	int rc;

	rc = end_init(&e, r);
	if (!rc)
		rc = check_room(&e);
	if (!rc)
		rc = blocks_ahead(&e, &bb);
	if (!rc)
		rc = clear(&e, bb < most ? bb : most);
	end_fini(&e);
	return rc;
}

/* --- the end --- */

/* As good as random, but the same for the same record of the same log. */
static uint32_t make_tid(const struct end *e, xfs_lsn_t lsn)
{
	uint8_t place[8];
	uint32_t crc;

	put_be64(place, lsn);
	crc = xfs_crc32c(XFS_CRC_SEED, e->form.uuid, sizeof(e->form.uuid));
	return xfs_crc_final(xfs_crc32c(crc, place, sizeof(place)));
}

/*
 * The superblock as a checkpoint carries it: what is new, but LSN and checksum
 * are still those of @stamped.
 */
static void make_image(struct end *e, const uint8_t *sb_raw,
		       const uint8_t *stamped)
{
	uint8_t lsn[8], crc[4];

	memcpy(lsn, stamped + XFS_SB_LSN_OFF, sizeof(lsn));
	memcpy(crc, stamped + XFS_SB_CRC_OFF, sizeof(crc));
	memcpy(e->sector, sb_raw, e->r->geom.sectsize);
	if (!e->r->geom.v5)
		return;
	memcpy(e->sector + XFS_SB_LSN_OFF, lsn, sizeof(lsn));
	memcpy(e->sector + XFS_SB_CRC_OFF, crc, sizeof(crc));
}

static uint32_t encode_checkpoint(struct end *e, const struct xlog_place *p)
{
	struct xlog_buf_part part = sb_part(e, e->sector);

	return xlog_buf_checkpoint_encode(&e->form, p, make_tid(e, p->lsn),
					  &part, e->buf);
}

/*
 * Is the newest record our own checkpoint of this superblock, byte for byte? A
 * kernel's has a random transaction id.
 */
static bool is_ours(struct end *e, const uint8_t *sb_raw)
{
	struct xlog_place p = {
		.lsn = e->last.lsn,
		.tail_lsn = e->last.tail_lsn,
		.prev_block = e->last.prev_block,
	};
	/* the image ends where the header of the COMMIT begins */
	uint32_t image_off = xlog_form_header_bb(&e->form) * BB_SIZE +
			     checkpoint_bytes(e) - xlog_op_header_size -
			     XLOG_SB_CHUNKS * XFS_CHUNK_BYTES;

	if (e->last.num_ops != XLOG_BUF_CHECKPOINT_OPS ||
	    e->last_bb != xlog_form_bb(&e->form, checkpoint_bytes(e)))
		return false;
	make_image(e, sb_raw, e->last_raw + image_off);
	return encode_checkpoint(e, &p) == e->last_bb &&
	       !memcmp(e->buf, e->last_raw, (size_t)e->last_bb * BB_SIZE);
}

/* *@sb gets its place, *@next the place of the record behind it. */
static int write_checkpoint(struct end *e, const uint8_t *sb_raw,
			    xfs_lsn_t *sb, xfs_lsn_t *next)
{
	const struct xlog_bounds *b = &e->r->res->bounds;
	struct xlog_place p = {
		.lsn = b->head,
		.tail_lsn = b->last_record,
		.prev_block = xfs_lsn_block(b->last_record),
	};
	uint32_t bb;
	int rc;

	if (is_ours(e, sb_raw)) {
		*sb = b->last_record;
		*next = b->head;
		return 0;
	}
	rc = dev_read(e->log->fs, 0, e->sector, e->r->geom.sectsize);
	if (rc)
		return rc;
	make_image(e, sb_raw, e->sector);
	bb = encode_checkpoint(e, &p);
	*sb = p.lsn;
	*next = xlog_lsn_add(p.lsn, bb, e->log->nbb);
	return write_record(e, p.lsn, bb);
}

/* The superblock itself, as of the checkpoint @lsn. */
static int write_superblock(struct end *e, const uint8_t *sb_raw,
			    xfs_lsn_t lsn)
{
	struct dev_io io = { .buf = e->sector, .len = e->r->geom.sectsize };
	int rc;

	memcpy(e->sector, sb_raw, io.len);
	if (e->r->geom.v5) {
		put_be64(e->sector + XFS_SB_LSN_OFF, lsn);
		put_le32(e->sector + XFS_SB_CRC_OFF,
			 xfs_crc_block(e->sector, io.len,
				       XFS_SB_CRC_OFF));
	}
	rc = replay_write(e->r, e->log->fs, &io, 1);
	return rc ? rc : replay_settle(e->r, e->log->fs, &io, 1);
}

static int write_unmount(struct end *e, xfs_lsn_t sb, xfs_lsn_t lsn)
{
	struct xlog_place p = {
		.lsn = lsn,
		.tail_lsn = sb,
		.prev_block = xfs_lsn_block(sb),
	};
	uint32_t bb = xlog_unmount_encode(&e->form, &p, make_tid(e, lsn),
					  e->buf);

	return write_record(e, lsn, bb);
}

int cleanend_write(struct replay *r, const uint8_t *sb_raw, bool unmount)
{
	xfs_lsn_t sb = XLOG_LSN_NONE, next = XLOG_LSN_NONE;
	struct end e;
	int rc;

	rc = end_init(&e, r);
	if (!rc)
		rc = check_room(&e);
	/* what the tail leaves behind must be in its place for good */
	if (!rc)
		rc = replay_settle(r, r->log->fs, NULL, 0);
	if (!rc && !r->log->info.internal)
		rc = replay_settle(r, r->log->dev, NULL, 0);
	if (!rc)
		rc = write_checkpoint(&e, sb_raw, &sb, &next);
	if (!rc)
		rc = write_superblock(&e, sb_raw, sb);
	if (!rc)
		r->res->sb_lsn = sb;
	if (!rc && unmount) {
		rc = write_unmount(&e, sb, next);
		if (!rc)
			r->res->unmount_lsn = next;
	}
	end_fini(&e);
	return rc;
}
