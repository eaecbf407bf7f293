/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log records: the header, its extensions, the cycle stamps that replace the
 * first word of every block, the checksum, and the operations inside. All of
 * it big-endian but h_crc.
 *
 * Source of the rules: struct xlog_rec_header and its neighbours in Linux
 * fs/xfs/libxfs/xfs_log_format.h; behaviour checked against kernels 5.10-7.2.
 */
#ifndef LIBXFSFMT_LOGREC_H
#define LIBXFSFMT_LOGREC_H

#include "libxfsfmt/field.h"

#define XLOG_MAGIC	0xfeedbabeu

enum {
	XLOG_VERSION_1 = 1,
	XLOG_VERSION_2 = 2,
	XLOG_FMT_UNKNOWN = 0,		/* IRIX */
	XLOG_FMT_LINUX_LE = 1,
	XLOG_FMT_LINUX_BE = 2,
	XLOG_FMT_IRIX_BE = 3,
	XLOG_CYCLES_PER_HEADER = 64,	/* data blocks one header keeps words of */
	XLOG_HEADER_SPAN_BYTES = XLOG_CYCLES_PER_HEADER * BB_SIZE, /* 32 KiB */
	XLOG_MAX_RECORD_BYTES = 256 * 1024,
	XLOG_MAX_ICLOGS = 8,
	XLOG_HEADER_CRC_BYTES = 328,	/* bytes of the header in the checksum */
	XLOG_HEADER_CRC_BYTES_I386 = 324,
	XLOG_EXT_CRC_BYTES = 260,	/* and of each extended header */
};

extern const struct xfs_name xlog_fmt_names[];

#define XLOG_REC_HEADER_ROWS(X)						\
	X##_F(be32, h_magicno,		0,	MAGIC)			\
	X##_F(be32, h_cycle,		4,	UINT)			\
	X##_F(be32, h_version,		8,	UINT)			\
	X##_F(be32, h_len,		12,	UINT)			\
	X##_F(be64, h_lsn,		16,	LSN)			\
	X##_F(be64, h_tail_lsn,		24,	LSN)			\
	X##_F(le32, h_crc,		32,	CRC)			\
	X##_F(be32, h_prev_block,	36,	UINT)			\
	X##_F(be32, h_num_logops,	40,	UINT)			\
	X##_V(be32, 64, h_cycle_data,	44,	HEX)			\
	X##_N(be32, h_fmt,		300,	ENUM, xlog_fmt_names)	\
	X##_A(16, h_fs_uuid,		304,	UUID)			\
	X##_F(be32, h_size,		320,	UINT)			\
	X##_F(be32, h_pad0,		324,	PAD)
XFS_DECLARE(xlog_rec_header, XLOG_REC_HEADER_ROWS, 328);

#define XLOG_REC_EXT_HEADER_ROWS(X)					\
	X##_F(be32, xh_cycle,		0,	UINT)			\
	X##_V(be32, 64, xh_cycle_data,	4,	HEX)
XFS_DECLARE(xlog_rec_ext_header, XLOG_REC_EXT_HEADER_ROWS, 260);

/* The fields of a header that readers need on every record, nothing else. */
struct xlog_rec_head {
	uint32_t	cycle, version, len_bytes, prev_block, num_ops, fmt,
			size_bytes, crc;
	xfs_lsn_t	lsn, tail_lsn;
};

void xlog_rec_head_decode(struct xlog_rec_head *h, const void *raw);

static inline bool xlog_is_rec_header(const void *block)
{
	return get_be32(block) == XLOG_MAGIC;
}

/* Cycle number a log block carries, header or not. */
static inline uint32_t xlog_block_cycle(const void *block)
{
	uint32_t word = get_be32(block);

	return word == XLOG_MAGIC ?
	       get_be32((const uint8_t *)block + 4) : word;
}

/*
 * Header blocks of a record: 1, or one for each 32 KiB of h_size if both the
 * superblock (@logv2) and the record say version 2.
 */
uint32_t xlog_rec_header_bb(uint32_t h_version, uint32_t h_size, bool logv2);

/*
 * NULL, or why the header at @block of a log of @log_size_bb is not that of a
 * record. @max_len_bytes: the payload a record of this log may have.
 */
const char *xlog_rec_head_verify(const struct xlog_rec_head *h, bool logv2,
				 uint32_t block, uint32_t log_size_bb,
				 uint32_t max_len_bytes);

/*
 * Checksum of a record as it lies on disk: @header_bytes of the header (see
 * XLOG_HEADER_CRC_BYTES), the extended headers that @len_bytes of payload
 * reach into, and the payload before its first words are put back.
 * @header holds as many blocks as xlog_rec_header_bb() says.
 */
uint32_t xlog_rec_crc(const void *header, uint32_t header_bytes, uint32_t header_bb,
		      const void *data, uint32_t len_bytes, bool logv2);

/*
 * Put the first words of the data blocks back, in place. @data holds whole
 * blocks. Blocks beyond the last header's 64 words are left alone.
 */
void xlog_rec_unpack(const void *header, uint32_t header_bb, void *data,
		     uint32_t len_bytes);

/* --- operations --- */

enum {
	XLOG_CLIENT_TRANSACTION = 0x69,
	XLOG_CLIENT_LOG = 0xaa,		/* unmount records */
};

enum {
	XLOG_START_TRANS = 0x01,
	XLOG_COMMIT_TRANS = 0x02,
	XLOG_CONTINUE_TRANS = 0x04,
	XLOG_WAS_CONT_TRANS = 0x08,
	XLOG_END_TRANS = 0x10,
	XLOG_UNMOUNT_TRANS = 0x20,
};

extern const struct xfs_name xlog_client_names[];
extern const struct xfs_name xlog_op_flag_names[];

#define XLOG_OP_HEADER_ROWS(X)						\
	X##_F(be32, oh_tid,		0,	HEX)			\
	X##_F(be32, oh_len,		4,	UINT)			\
	X##_N(u8, oh_clientid,		8,	ENUM, xlog_client_names) \
	X##_N(u8, oh_flags,		9,	FLAGS, xlog_op_flag_names) \
	X##_F(be16, oh_res2,		10,	PAD)
XFS_DECLARE(xlog_op_header, XLOG_OP_HEADER_ROWS, 12);

/* NULL, or why no operation with @room_bytes left behind its header. */
const char *xlog_op_header_verify(const struct xlog_op_header *op,
				  size_t room_bytes);

enum { XFS_UNMOUNT_MAGIC = 0x556e };

#define XFS_UNMOUNT_ROWS(X)						\
	X##_F(w16, um_magic,		0,	HEX)			\
	X##_F(w16, um_pad1,		2,	PAD)			\
	X##_F(w32, um_pad2,		4,	PAD)
XFS_DECLARE(xfs_unmount, XFS_UNMOUNT_ROWS, 8);

#endif
