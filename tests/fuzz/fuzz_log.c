/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole log: search of head and tail, physical walk, transactions. The
 * first byte picks the version, and whether wrong checksums are put right
 * first, since no mutation finds a checksum by itself.
 */
#include "tests/fuzz/fuzz.h"

/* More than the window of outstanding writes, so that it is not all scanned. */
enum { LOG_MAX_BYTES = 6000 * BB_SIZE };

static void fix_checksums(uint8_t *raw, uint32_t nbb, bool logv2)
{
	for (uint32_t b = 0; b < nbb; b++) {
		uint8_t *h = raw + (size_t)b * BB_SIZE;
		struct xlog_rec_head head;
		uint32_t hbb;

		if (!xlog_is_rec_header(h))
			continue;
		xlog_rec_head_decode(&head, h);
		if (xlog_rec_head_verify(&head, logv2, 0, nbb - b,
					 XLOG_MAX_RECORD_BYTES))
			continue;
		hbb = xlog_rec_header_bb(head.version, head.size_bytes, logv2);
		put_le32(h + 32, xlog_rec_crc(h, XLOG_HEADER_CRC_BYTES, hbb,
					      h + (size_t)hbb * BB_SIZE,
					      head.len_bytes, logv2));
	}
}

static void walk_physical(struct xlog *log, struct touch *t)
{
	struct xlog_cursor *cur;
	struct xlog_record rec;
	uint32_t next = 0;

	if (xlog_cursor_open(log, XLOG_WALK_PHYSICAL, 0, log->nbb, &cur))
		return;
	while (xlog_cursor_next(cur, &rec) == 1) {
		/* every block once, in order */
		if (rec.block != next || !rec.bb)
			abort();
		next += rec.bb;
		if (rec.data)
			touch_bytes(t, rec.data, rec.len_bytes);
	}
	if (next < log->nbb)
		abort();
	xlog_cursor_close(cur);
}

static void walk_transactions(struct xlog *log, struct touch *t,
			      const struct xlog_bounds *b)
{
	const struct xlog_trans *tr;
	struct xlog_trans_iter *it;
	int rc;

	if (xlog_trans_open(log, xlog_lsn_block(b->tail),
			    xlog_lsn_block(b->head), true, &it))
		return;
	while ((rc = xlog_trans_next(it, &tr))) {
		if (rc < 0)
			continue;
		for (size_t i = 0; i < tr->nitems; i++)
			for (unsigned int r = 0; r < tr->items[i].nregions; r++)
				touch_bytes(t, tr->items[i].regions[r].data,
					    tr->items[i].regions[r].len_bytes);
	}
	xlog_trans_close(it);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct touch t = { .sum = 0 };
	struct xlog_bounds quick, full;
	struct xlog log;
	uint8_t *raw;

	if (size < 1 || size > LOG_MAX_BYTES)
		return 0;
	raw = malloc(size);
	if (!raw)
		return 0;
	memcpy(raw, data + 1, size - 1);
	if (data[0] & 2)
		fix_checksums(raw, (uint32_t)((size - 1) / BB_SIZE),
			      data[0] & 1);
	if (!fuzz_log(&log, raw, size - 1, data[0] & 1 ? 2 : 1)) {
		free(raw);
		return 0;
	}
	if (!xlog_find(&log, XLOG_FIND_QUICK, &quick) &&
	    !xlog_find(&log, 0, &full) && full.state == XLOG_DIRTY) {
		if (xlog_lsn_block(full.head) >= log.nbb ||
		    xlog_lsn_block(full.tail) >= log.nbb)
			abort();
		walk_transactions(&log, &t, &full);
	}
	walk_physical(&log, &t);
	dev_close(log.dev);
	free(raw);
	return touched(&t);
}
