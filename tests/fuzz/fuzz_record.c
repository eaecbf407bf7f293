/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One record: header, extended headers, checksum, unpacking. The first byte
 * picks the log's version and what is done.
 */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct touch t = { .sum = 0 };
	struct xfs_walk w = { .ops = &touch_ops, .ctx = &t };
	struct xlog_rec_header header;
	struct xlog_rec_head head;
	uint32_t hbb, blocks;
	bool logv2;
	uint8_t *buf;

	if (size < 1 + BB_SIZE)
		return 0;
	logv2 = data[0] & 1;
	data++;
	size--;
	blocks = (uint32_t)(size / BB_SIZE);
	xlog_rec_head_decode(&head, data);
	xlog_rec_header_decode(&header, data, size, XFS_BE);
	if (header.h_len != head.len_bytes || header.h_lsn != head.lsn)
		abort();
	w.base = data;
	w.len_bytes = size;
	xfs_walk_fields(&w, xlog_rec_header_fields, 0, 0);
	if (xlog_rec_head_verify(&head, logv2, 0, blocks,
				 XLOG_MAX_RECORD_BYTES))
		return touched(&t);
	hbb = xlog_rec_header_bb(head.version, head.size_bytes, logv2);
	/* the verifier has promised that the record fits into the blocks */
	buf = malloc((size_t)blocks * BB_SIZE);
	if (!buf)
		return 0;
	memcpy(buf, data, (size_t)blocks * BB_SIZE);
	t.sum += xlog_rec_crc(buf, XLOG_HEADER_CRC_BYTES, hbb,
			      buf + (size_t)hbb * BB_SIZE, head.len_bytes,
			      logv2);
	xlog_rec_unpack(buf, hbb, buf + (size_t)hbb * BB_SIZE, head.len_bytes);
	touch_bytes(&t, buf, (size_t)blocks * BB_SIZE);
	free(buf);
	return touched(&t);
}
