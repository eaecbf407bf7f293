/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations to transactions, over several records. The first byte says after
 * which records the memory of the one before goes away, and the byte order.
 * Each record: 16 bits of length, 8 of operation count, then its payload.
 */
#include "tests/fuzz/fuzz.h"

static void look_at(struct touch *t, const struct xlog_trans *tr)
{
	for (size_t i = 0; i < tr->nitems; i++) {
		const struct xlog_item *item = &tr->items[i];

		if (item->nregions > item->declared)
			abort();
		for (unsigned int r = 0; r < item->nregions; r++)
			touch_bytes(t, item->regions[r].data,
				    item->regions[r].len_bytes);
	}
}

static void feed(struct xlog_assembly *as, struct touch *t,
		 const struct xlog_record *rec)
{
	const struct xlog_trans *tr;
	struct xlog_op op;
	int rc;

	xlog_assembly_record(as, rec);
	while ((rc = xlog_assembly_op(as, &op, &tr))) {
		if (rc == -ENOMEM)
			return;
		if (op.data)
			touch_bytes(t, op.data, op.len_bytes);
		if (op.item)
			for (unsigned int r = 0; r < op.item->nregions; r++)
				touch_bytes(t, op.item->regions[r].data,
					    op.item->regions[r].len_bytes);
		if (tr)
			look_at(t, tr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct xlog_trans *tr = NULL;
	struct touch t = { .sum = 0 };
	struct xlog log = { .nbb = 4096 };
	struct xlog_assembly *as;
	unsigned int n = 0;
	uint8_t pick;

	if (!size || xlog_assembly_open(&log, &as))
		return 0;
	pick = data[0];
	data++;
	size--;
	while (size >= 3) {
		uint32_t len = get_be16(data);
		struct xlog_record rec = {
			.extent = XLOG_RECORD, .num_ops = data[2],
			.fmt = pick & 1 ? XLOG_FMT_LINUX_BE : XLOG_FMT_LINUX_LE,
			.lsn = xlog_lsn(1, n * 64), .block = n * 64 };
		uint8_t *copy;

		data += 3;
		size -= 3;
		if (len > size)
			len = (uint32_t)size;
		/* a copy of its own, so that what outlives it is caught */
		copy = malloc(len ? len : 1);
		if (!copy)
			break;
		memcpy(copy, data, len);
		rec.data = copy;
		rec.len_bytes = len;
		feed(as, &t, &rec);
		if (xlog_assembly_detach(as)) {
			free(copy);
			break;
		}
		free(copy);
		data += len;
		size -= len;
		n++;
	}
	while ((tr = xlog_assembly_unfinished(as, tr)))
		look_at(&t, tr);
	xlog_assembly_close(as);
	return touched(&t);
}
