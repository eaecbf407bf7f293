/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Encoding of log records. See logenc.h.
 */
#include "libxfsfmt/logenc.h"
#include "libxfsfmt/logitem.h"

enum {
	FILLER_PREV_BLOCK = 0,
	MKFS_MIN_BYTES = 2 * BB_SIZE,	/* of a record */
	BLF_MAP_OFF = xfs_buf_log_format_size,
	CYCLE_DATA_OFF = 44,		/* in the header */
	EXT_CYCLE_DATA_OFF = 4,		/* in its extensions */
};

static const uint32_t mkfs_unmount_tid = 0xb0c0d0d0;

/* --- the form --- */

uint32_t xlog_roundoff_bytes(bool logv2, uint32_t sunit_bytes,
			     uint32_t sector_bytes)
{
	if (!logv2)
		return BB_SIZE;
	if (sunit_bytes > 1)
		return sunit_bytes;
	return sector_bytes ? sector_bytes : BB_SIZE;
}

uint32_t xlog_form_header_bb(const struct xlog_form *f)
{
	return xlog_rec_header_bb(f->version, f->size_bytes, f->logv2);
}

uint32_t xlog_form_len_bytes(const struct xlog_form *f, uint32_t used_bytes)
{
	uint32_t header_bytes = xlog_form_header_bb(f) * BB_SIZE;
	uint32_t over;

	if (!f->logv2)
		return used_bytes;
	over = (header_bytes + used_bytes) % f->roundoff_bytes;
	return used_bytes + (over ? f->roundoff_bytes - over : 0);
}

uint32_t xlog_form_bb(const struct xlog_form *f, uint32_t used_bytes)
{
	return xlog_form_header_bb(f) +
	       (uint32_t)bb_from_bytes(xlog_form_len_bytes(f, used_bytes));
}

enum xfs_order xlog_form_order(const struct xlog_form *f)
{
	return f->fmt == XLOG_FMT_LINUX_LE ? XFS_LE : XFS_BE;
}

xfs_lsn_t xlog_lsn_add(xfs_lsn_t lsn, uint32_t bb, uint32_t log_size_bb)
{
	uint64_t block = (uint64_t)xfs_lsn_block(lsn) + bb;
	uint32_t cycle = xfs_lsn_cycle(lsn);

	if (block < log_size_bb)
		return xfs_lsn_make(cycle, (uint32_t)block);
	return xfs_lsn_make(xlog_cycle_next(cycle),
			    (uint32_t)(block - log_size_bb));
}

/* --- records --- */

void xlog_rec_head_encode(void *block, const struct xlog_rec_head *h,
			  const uint8_t uuid[16])
{
	uint8_t *raw = block;

	memset(raw, 0, BB_SIZE);
	put_be32(raw, XLOG_MAGIC);
	put_be32(raw + 4, h->cycle);
	put_be32(raw + 8, h->version);
	put_be32(raw + 12, h->len_bytes);
	put_be64(raw + 16, h->lsn);
	put_be64(raw + 24, h->tail_lsn);
	put_le32(raw + 32, h->crc);
	put_be32(raw + 36, h->prev_block);
	put_be32(raw + 40, h->num_ops);
	put_be32(raw + 300, h->fmt);
	memcpy(raw + 304, uuid, 16);
	put_be32(raw + 320, h->size_bytes);
}

/* Where the header keeps the first word of data block @i, or NULL. */
static uint8_t *cycle_slot(uint8_t *header, uint32_t header_bb, uint32_t i)
{
	uint32_t span = i / XLOG_CYCLES_PER_HEADER;

	if (span >= header_bb)
		return NULL;
	return header + (size_t)span * BB_SIZE +
	       (span ? EXT_CYCLE_DATA_OFF : CYCLE_DATA_OFF) +
	       4 * (i % XLOG_CYCLES_PER_HEADER);
}

/*
 * Stamp all blocks of a record but the first, which has its cycle in the
 * header: with that cycle, or the next one behind the end of the log.
 */
static void stamp(const struct xlog_form *f, const struct xlog_place *p,
		  uint8_t *buf, uint32_t header_bb, uint32_t data_bb)
{
	uint32_t cycle = xfs_lsn_cycle(p->lsn);
	uint32_t behind = f->log_size_bb - xfs_lsn_block(p->lsn);

	for (uint32_t i = 0; i < data_bb; i++) {
		uint8_t *slot = cycle_slot(buf, header_bb, i);

		if (slot)
			memcpy(slot, buf + (size_t)(header_bb + i) * BB_SIZE,
			       4);
	}
	for (uint32_t i = 1; i < header_bb + data_bb; i++)
		put_be32(buf + (size_t)i * BB_SIZE,
			 i < behind ? cycle : xlog_cycle_next(cycle));
}

uint32_t xlog_rec_encode(const struct xlog_form *f, const struct xlog_place *p,
			 uint32_t num_ops, void *buf, uint32_t used_bytes)
{
	uint8_t *header = buf;
	uint32_t header_bb = xlog_form_header_bb(f);
	uint32_t len_bytes = xlog_form_len_bytes(f, used_bytes);
	uint32_t data_bb = (uint32_t)bb_from_bytes(len_bytes);
	uint8_t *data = header + (size_t)header_bb * BB_SIZE;
	struct xlog_rec_head h = {
		.cycle = xfs_lsn_cycle(p->lsn),
		.version = f->version,
		.len_bytes = len_bytes,
		.prev_block = p->prev_block,
		.num_ops = num_ops,
		.fmt = f->fmt,
		.size_bytes = f->size_bytes,
		.lsn = p->lsn,
		.tail_lsn = p->tail_lsn,
	};

	xlog_rec_head_encode(header, &h, f->uuid);
	memset(header + BB_SIZE, 0, (size_t)(header_bb - 1) * BB_SIZE);
	memset(data + used_bytes, 0, (size_t)data_bb * BB_SIZE - used_bytes);
	stamp(f, p, header, header_bb, data_bb);
	put_le32(header + 32, xlog_rec_crc(header, f->crc_bytes, header_bb,
					   data, len_bytes, f->logv2));
	return header_bb + data_bb;
}

void xlog_filler_encode(const struct xlog_form *f, xfs_lsn_t lsn,
			xfs_lsn_t tail_lsn, void *block)
{
	struct xlog_rec_head h = {
		.cycle = xfs_lsn_cycle(lsn),
		.version = f->version,
		.prev_block = FILLER_PREV_BLOCK,
		.fmt = f->fmt,
		.lsn = lsn,
		.tail_lsn = tail_lsn,
	};

	xlog_rec_head_encode(block, &h, f->uuid);
}

/* --- operations --- */

uint8_t *xlog_op_header_encode(uint8_t *at, const struct xlog_op_header *op)
{
	put_be32(at, op->oh_tid);
	put_be32(at + 4, op->oh_len);
	at[8] = op->oh_clientid;
	at[9] = op->oh_flags;
	put_be16(at + 10, op->oh_res2);
	return at + xlog_op_header_size;
}

static uint8_t *put_op(uint8_t *at, uint32_t tid, uint8_t flags,
		       uint32_t len_bytes)
{
	struct xlog_op_header op = {
		.oh_tid = tid,
		.oh_len = len_bytes,
		.oh_clientid = XLOG_CLIENT_TRANSACTION,
		.oh_flags = flags,
	};

	return xlog_op_header_encode(at, &op);
}

/* --- a checkpoint of one buffer --- */

struct xlog_buf_part xlog_sb_part(const uint8_t *image, uint32_t sector_bytes)
{
	return (struct xlog_buf_part){
		.daddr = 0,
		.image = image,
		.len_bytes = sector_bytes,
		.first_chunk = 0,
		.chunks = XLOG_SB_CHUNKS,
		.blf_flags = XFS_BLFT_SB << XFS_BLF_TYPE_SHIFT,
	};
}

/* The bitmap covers the buffer, in words. */
static uint32_t map_words(const struct xlog_buf_part *part)
{
	return (part->len_bytes / XFS_CHUNK_BYTES + 31) / 32;
}

static uint32_t format_bytes(const struct xlog_buf_part *part)
{
	return BLF_MAP_OFF + 4 * map_words(part);
}

uint32_t xlog_buf_checkpoint_bytes(const struct xlog_buf_part *part)
{
	return XLOG_BUF_CHECKPOINT_OPS * xlog_op_header_size +
	       xfs_trans_header_size + format_bytes(part) +
	       part->chunks * XFS_CHUNK_BYTES;
}

static uint8_t *put_trans_header(uint8_t *at, uint32_t tid, uint32_t regions,
				 enum xfs_order order)
{
	put_w32(at, XFS_TRANS_HEADER_MAGIC, order);
	put_w32(at + 4, XFS_TRANS_CHECKPOINT, order);
	put_w32(at + 8, tid, order);
	put_w32(at + 12, regions, order);
	return at + xfs_trans_header_size;
}

static uint8_t *put_buf_format(uint8_t *at, const struct xlog_buf_part *part,
			       uint16_t regions, enum xfs_order order)
{
	uint32_t end = part->first_chunk + part->chunks;
	uint32_t words = map_words(part);

	put_w16(at, XFS_LI_BUF, order);
	put_w16(at + 2, regions, order);
	put_w16(at + 4, part->blf_flags, order);
	put_w16(at + 6, (uint16_t)bb_from_bytes(part->len_bytes), order);
	put_w64(at + 8, part->daddr, order);
	put_w32(at + 16, words, order);
	at += BLF_MAP_OFF;
	for (uint32_t w = 0; w < words; w++, at += 4) {
		uint32_t bits = 0;

		for (uint32_t bit = 0; bit < 32; bit++)
			if (32 * w + bit >= part->first_chunk &&
			    32 * w + bit < end)
				bits |= (uint32_t)1 << bit;
		put_w32(at, bits, order);
	}
	return at;
}

uint32_t xlog_buf_checkpoint_encode(const struct xlog_form *f,
				    const struct xlog_place *p, uint32_t tid,
				    const struct xlog_buf_part *part,
				    void *buf)
{
	enum { REGIONS = 2 };		/* the format structure, the chunks */
	enum xfs_order order = xlog_form_order(f);
	uint32_t len_bytes = part->chunks * XFS_CHUNK_BYTES;
	uint8_t *at = (uint8_t *)buf + xlog_form_header_bb(f) * BB_SIZE;

	at = put_op(at, tid, XLOG_START_TRANS, 0);
	at = put_op(at, tid, 0, xfs_trans_header_size);
	at = put_trans_header(at, tid, REGIONS, order);
	at = put_op(at, tid, 0, format_bytes(part));
	at = put_buf_format(at, part, REGIONS, order);
	at = put_op(at, tid, 0, len_bytes);
	memcpy(at, part->image + part->first_chunk * XFS_CHUNK_BYTES,
	       len_bytes);
	put_op(at + len_bytes, tid, XLOG_COMMIT_TRANS, 0);
	return xlog_rec_encode(f, p, XLOG_BUF_CHECKPOINT_OPS, buf,
			       xlog_buf_checkpoint_bytes(part));
}

/* --- unmount records --- */

static void put_unmount(const struct xlog_form *f, uint32_t tid,
			uint32_t oh_len, void *buf)
{
	uint8_t *at = (uint8_t *)buf + xlog_form_header_bb(f) * BB_SIZE;
	struct xlog_op_header op = {
		.oh_tid = tid,
		.oh_len = oh_len,
		.oh_clientid = XLOG_CLIENT_LOG,
		.oh_flags = XLOG_UNMOUNT_TRANS,
	};

	at = xlog_op_header_encode(at, &op);
	memset(at, 0, xfs_unmount_size);
	put_w16(at, XFS_UNMOUNT_MAGIC, xlog_form_order(f));
}

uint32_t xlog_unmount_encode(const struct xlog_form *f,
			     const struct xlog_place *p, uint32_t tid,
			     void *buf)
{
	/* Linux 6.1 and later do not count what follows; 5.10 does */
	put_unmount(f, tid, 0, buf);
	return xlog_rec_encode(f, p, 1, buf, XLOG_UNMOUNT_BYTES);
}

struct xlog_form xlog_form_mkfs(uint32_t version, uint32_t fmt,
				uint32_t sunit_bytes, uint32_t log_size_bb,
				const uint8_t uuid[16])
{
	struct xlog_form f = {
		.version = version,
		.fmt = fmt,
		.size_bytes = XLOG_HEADER_SPAN_BYTES,
		.crc_bytes = XLOG_HEADER_CRC_BYTES,
		.roundoff_bytes = MKFS_MIN_BYTES,
		.log_size_bb = log_size_bb,
		.logv2 = version == XLOG_VERSION_2,
	};

	if (sunit_bytes > f.size_bytes)
		f.size_bytes = sunit_bytes;
	if (sunit_bytes > f.roundoff_bytes)
		f.roundoff_bytes = sunit_bytes;
	memcpy(f.uuid, uuid, sizeof(f.uuid));
	return f;
}

uint32_t xlog_unmount_mkfs_encode(const struct xlog_form *f, xfs_lsn_t lsn,
				  xfs_lsn_t tail_lsn, void *buf)
{
	struct xlog_place p = {
		.lsn = lsn,
		.tail_lsn = tail_lsn,
		.prev_block = UINT32_MAX,
	};
	uint32_t data_bb = xlog_form_bb(f, XLOG_UNMOUNT_BYTES) -
			   xlog_form_header_bb(f);
	uint8_t *data = (uint8_t *)buf + xlog_form_header_bb(f) * BB_SIZE;
	uint32_t bb;

	put_unmount(f, mkfs_unmount_tid, xfs_unmount_size, buf);
	memset(data + XLOG_UNMOUNT_BYTES, 0,
	       (size_t)data_bb * BB_SIZE - XLOG_UNMOUNT_BYTES);
	/* whole blocks, also where version 1 would count the bytes */
	bb = xlog_rec_encode(f, &p, 1, buf, data_bb * BB_SIZE);
	put_le32((uint8_t *)buf + 32, 0);
	return bb;
}
