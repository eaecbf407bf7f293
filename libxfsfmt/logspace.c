/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cost of a transaction; see logspace.h.
 */
#include "libxfsfmt/logitem_fmt.h"
#include "libxfsfmt/logrec.h"
#include "libxfsfmt/logspace.h"

enum { OP_BYTES = xlog_op_header_size };

uint32_t xlog_unit_bytes(uint32_t logres_bytes, uint32_t record_bytes,
			 uint32_t pad_bytes, uint32_t *records)
{
	uint32_t header_bytes = (record_bytes + XLOG_HEADER_SPAN_BYTES - 1) /
				XLOG_HEADER_SPAN_BYTES * BB_SIZE;
	uint32_t room_bytes = record_bytes - header_bytes;
	/* two operations more: the start, and the transaction header */
	uint32_t bytes = logres_bytes + 2 * OP_BYTES + xfs_trans_header_size;
	uint32_t n = (bytes + room_bytes - 1) / room_bytes;

	/*
	 * An operation is split at the end of each record and goes on behind
	 * another header, which may make one record more.
	 */
	bytes += n * OP_BYTES;
	while ((bytes + room_bytes - 1) / room_bytes > n) {
		bytes += OP_BYTES;
		n++;
	}
	*records = n;
	/* the commit may be in a record of its own */
	return bytes + (n + 1) * header_bytes + 2 * pad_bytes;
}
