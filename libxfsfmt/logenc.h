/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing log records: the other direction of logrec.h. The payload (the
 * operations) is laid down in a buffer behind room for the header blocks, and
 * xlog_rec_encode() then makes a record of it in place: header, cycle stamps,
 * what wraps at the end of the log, checksum. Whoever writes to a log goes
 * through here: the end of a recovery, an empty filesystem, the running log.
 *
 * Source of the rules: struct xlog_rec_header and its neighbours in Linux
 * fs/xfs/libxfs/xfs_log_format.h. The records are, byte for byte, those of
 * kernels 6.1 to 7.2 on three architectures.
 */
#ifndef LIBXFSFMT_LOGENC_H
#define LIBXFSFMT_LOGENC_H

#include "libxfsfmt/logrec.h"

/* --- the form of a log's records --- */

/* What all records that one writer adds to a log have in common. */
struct xlog_form {
	uint32_t	version;	/* h_version: XLOG_VERSION_* */
	uint32_t	fmt;		/* h_fmt, XLOG_FMT_*: order of items */
	uint32_t	size_bytes;	/* h_size: decides the header blocks */
	uint32_t	crc_bytes;	/* of the header in the checksum */
	uint32_t	roundoff_bytes;	/* records fill a multiple of this */
	uint32_t	log_size_bb;
	bool		logv2;		/* by the superblock */
	uint8_t		uuid[16];	/* sb_uuid */
};

/*
 * What records are rounded up to: the log stripe unit (sb_logsunit), or the
 * sector of the log (sb_logsectsize, 0 for 512). Version 1 logs know neither.
 */
uint32_t xlog_roundoff_bytes(bool logv2, uint32_t sunit_bytes,
			     uint32_t sector_bytes);

/* Header blocks of a record. */
uint32_t xlog_form_header_bb(const struct xlog_form *f);

/*
 * h_len of a record with @used_bytes of operations: with the padding from
 * version 2 on. Needs @used_bytes <= XLOG_MAX_RECORD_BYTES.
 */
uint32_t xlog_form_len_bytes(const struct xlog_form *f, uint32_t used_bytes);

/* Blocks of such a record in all. */
uint32_t xlog_form_bb(const struct xlog_form *f, uint32_t used_bytes);

/* The byte order of what operations carry. */
enum xfs_order xlog_form_order(const struct xlog_form *f);

/* The cycle after @cycle: never the magic number of headers. */
static inline uint32_t xlog_cycle_next(uint32_t cycle)
{
	return cycle + 1 == XLOG_MAGIC ? cycle + 2 : cycle + 1;
}

/*
 * @bb blocks behind @lsn, in the next cycle where the log ends. Needs the
 * block of @lsn < @log_size_bb and @bb <= @log_size_bb.
 */
xfs_lsn_t xlog_lsn_add(xfs_lsn_t lsn, uint32_t bb, uint32_t log_size_bb);

/* --- records --- */

/* Where a record lies, and what its header says of others. */
struct xlog_place {
	xfs_lsn_t	lsn;
	xfs_lsn_t	tail_lsn;
	uint32_t	prev_block;	/* of the record before, or UINT32_MAX */
};

/*
 * The header block of a record from host values. The words that stamps replace
 * are left zero; h_crc is h->crc.
 */
void xlog_rec_head_encode(void *block, const struct xlog_rec_head *h,
			  const uint8_t uuid[16]);

/*
 * Make a record of @num_ops operations at @buf: xlog_form_bb() blocks, of
 * which the first xlog_form_header_bb() are left for the header and the
 * @used_bytes behind them are the operations. All else is overwritten. Blocks
 * that lie behind the end of the log, where p->lsn places them, are marked for
 * the next cycle; to write them at its start is the caller's. Returns the
 * blocks.
 */
uint32_t xlog_rec_encode(const struct xlog_form *f, const struct xlog_place *p,
			 uint32_t num_ops, void *buf, uint32_t used_bytes);

/*
 * An empty header, as a mount writes them ahead of the head so that blocks of
 * writes that did not end are not taken for records: @block is one block.
 */
void xlog_filler_encode(const struct xlog_form *f, xfs_lsn_t lsn,
			xfs_lsn_t tail_lsn, void *block);

/* --- operations --- */

/* The header of an operation. Returns the place behind it. */
uint8_t *xlog_op_header_encode(uint8_t *at, const struct xlog_op_header *op);

/* --- a checkpoint of one buffer in one record --- */

enum {
	/*
	 * What a kernel logs of a superblock, whatever of it has changed:
	 * three chunks of 128 bytes.
	 */
	XLOG_SB_CHUNKS = 3,
	XLOG_BUF_CHECKPOINT_OPS = 5,
	/* operations of such a checkpoint, with the largest sector */
	XLOG_SB_CHECKPOINT_MAX_BYTES = 512,
};

/* A run of chunks (XFS_CHUNK_BYTES) of a buffer. */
struct xlog_buf_part {
	xfs_daddr_t	daddr;
	const uint8_t	*image;		/* the whole buffer */
	uint32_t	len_bytes;	/* of it: 512 .. 64 KiB, whole blocks */
	uint32_t	first_chunk, chunks;	/* what is logged, not none */
	uint16_t	blf_flags;
};

/* The superblock of @sector_bytes at @image, as kernels log it. */
struct xlog_buf_part xlog_sb_part(const uint8_t *image, uint32_t sector_bytes);

/* Bytes of the operations of a checkpoint of @part. */
uint32_t xlog_buf_checkpoint_bytes(const struct xlog_buf_part *part);

/*
 * Record @p: the checkpoint @tid of @part alone, in five operations. @buf has
 * xlog_form_bb() blocks for xlog_buf_checkpoint_bytes(). Returns the blocks.
 */
uint32_t xlog_buf_checkpoint_encode(const struct xlog_form *f,
				    const struct xlog_place *p, uint32_t tid,
				    const struct xlog_buf_part *part,
				    void *buf);

/* --- unmount records --- */

enum { XLOG_UNMOUNT_BYTES = 20 };	/* with the header of the operation */

/*
 * The unmount record of a kernel. @buf has xlog_form_bb() blocks for
 * XLOG_UNMOUNT_BYTES. Returns the blocks.
 */
uint32_t xlog_unmount_encode(const struct xlog_form *f,
			     const struct xlog_place *p, uint32_t tid,
			     void *buf);

/*
 * The records that mkfs.xfs and xfs_repair fill a log with: unmount records
 * without a checksum. xlog_form_mkfs() makes the form for a log of version
 * @version and stripe unit @sunit_bytes (sb_logsunit, or what stands for it);
 * @buf has xlog_form_bb() blocks for XLOG_UNMOUNT_BYTES. Returns the blocks.
 */
struct xlog_form xlog_form_mkfs(uint32_t version, uint32_t fmt,
				uint32_t sunit_bytes, uint32_t log_size_bb,
				const uint8_t uuid[16]);
uint32_t xlog_unmount_mkfs_encode(const struct xlog_form *f, xfs_lsn_t lsn,
				  xfs_lsn_t tail_lsn, void *buf);

#endif
