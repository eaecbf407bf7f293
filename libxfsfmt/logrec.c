/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log records: decoding, checking, checksum, cycle stamps. See logrec.h.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/logrec.h"

XFS_DEFINE(xlog_rec_header, XLOG_REC_HEADER_ROWS)
XFS_DEFINE(xlog_rec_ext_header, XLOG_REC_EXT_HEADER_ROWS)
XFS_DEFINE(xlog_op_header, XLOG_OP_HEADER_ROWS)
XFS_DEFINE(xfs_unmount, XFS_UNMOUNT_ROWS)

const struct xfs_name xlog_fmt_names[] = {
	{ XLOG_FMT_UNKNOWN, "unknown" },
	{ XLOG_FMT_LINUX_LE, "linux-le" },
	{ XLOG_FMT_LINUX_BE, "linux-be" },
	{ XLOG_FMT_IRIX_BE, "irix-be" },
	{ .name = NULL },
};

const struct xfs_name xlog_client_names[] = {
	{ XLOG_CLIENT_TRANSACTION, "transaction" },
	{ XLOG_CLIENT_LOG, "log" },
	{ .name = NULL },
};

const struct xfs_name xlog_op_flag_names[] = {
	{ XLOG_START_TRANS, "start" },
	{ XLOG_COMMIT_TRANS, "commit" },
	{ XLOG_CONTINUE_TRANS, "continue" },
	{ XLOG_WAS_CONT_TRANS, "was-continued" },
	{ XLOG_END_TRANS, "end" },
	{ XLOG_UNMOUNT_TRANS, "unmount" },
	{ .name = NULL },
};

void xlog_rec_head_decode(struct xlog_rec_head *h, const void *raw_)
{
	const uint8_t *raw = raw_;

	h->cycle = get_be32(raw + 4);
	h->version = get_be32(raw + 8);
	h->len_bytes = get_be32(raw + 12);
	h->lsn = get_be64(raw + 16);
	h->tail_lsn = get_be64(raw + 24);
	h->crc = get_le32(raw + 32);
	h->prev_block = get_be32(raw + 36);
	h->num_ops = get_be32(raw + 40);
	h->fmt = get_be32(raw + 300);
	h->size_bytes = get_be32(raw + 320);
}

uint32_t xlog_rec_header_bb(uint32_t h_version, uint32_t h_size, bool logv2)
{
	if (!logv2 || !(h_version & XLOG_VERSION_2) ||
	    h_size <= XLOG_HEADER_SPAN_BYTES)
		return 1;
	return h_size / XLOG_HEADER_SPAN_BYTES +
	       (h_size % XLOG_HEADER_SPAN_BYTES != 0);
}

const char *xlog_rec_head_verify(const struct xlog_rec_head *h, bool logv2,
				 uint32_t block, uint32_t log_size_bb,
				 uint32_t max_len_bytes)
{
	if (!h->version || h->version & ~3u)
		return "unknown record version";
	if (!h->len_bytes || h->len_bytes > max_len_bytes)
		return "record length out of range";
	if (block >= log_size_bb)
		return "record outside the log";
	/* No writer makes larger ones; a lie here would size our buffers. */
	if (h->size_bytes > XLOG_MAX_RECORD_BYTES)
		return "record buffer size out of range";
	if (xlog_rec_header_bb(h->version, h->size_bytes, logv2) +
	    bb_from_bytes(h->len_bytes) > log_size_bb)
		return "record larger than the log";
	return NULL;
}

uint32_t xlog_rec_crc(const void *header, uint32_t header_bytes,
		      uint32_t header_bb, const void *data, uint32_t len_bytes,
		      bool logv2)
{
	static const uint8_t zero[4];
	const uint8_t *h = header;
	uint32_t crc;

	crc = xfs_crc32c(XFS_CRC_SEED, h, 32);
	crc = xfs_crc32c(crc, zero, sizeof(zero));
	crc = xfs_crc32c(crc, h + 36, header_bytes - 36);
	if (logv2) {
		/* by the payload's length, not by the number of headers */
		uint32_t spans = len_bytes / XLOG_HEADER_SPAN_BYTES +
				 (len_bytes % XLOG_HEADER_SPAN_BYTES != 0);

		for (uint32_t i = 1; i < spans && i < header_bb; i++)
			crc = xfs_crc32c(crc, h + i * BB_SIZE,
					 XLOG_EXT_CRC_BYTES);
	}
	crc = xfs_crc32c(crc, data, len_bytes);
	return xfs_crc_final(crc);
}

void xlog_rec_unpack(const void *header, uint32_t header_bb, void *data,
		     uint32_t len_bytes)
{
	const uint8_t *h = header;
	uint8_t *d = data;
	uint64_t blocks = bb_from_bytes(len_bytes);

	for (uint64_t i = 0; i < blocks; i++, d += BB_SIZE) {
		uint64_t slot = i % XLOG_CYCLES_PER_HEADER;
		uint64_t span = i / XLOG_CYCLES_PER_HEADER;

		if (span >= header_bb)
			return;
		/* the words start at 44 in the header, at 4 in extensions */
		memcpy(d, h + span * BB_SIZE + (span ? 4 : 44) + 4 * slot, 4);
	}
}

const char *xlog_op_header_verify(const struct xlog_op_header *op,
				  size_t room_bytes)
{
	if (op->oh_clientid != XLOG_CLIENT_TRANSACTION &&
	    op->oh_clientid != XLOG_CLIENT_LOG)
		return "bad client";
	if (op->oh_len > room_bytes)
		return "bad length";
	return NULL;
}
