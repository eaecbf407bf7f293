/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the stored inputs of the fuzz targets out of an image written by
 * Linux: seeds IMAGE NAME DIR [LOGDEV]. One item of each type, one buffer of
 * each type, a few records, the start of the log. Run by hand; what it made is
 * in tests/fixtures/fuzz/, and tests/fixtures/README.md says of what.
 */
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

enum {
	LOG_SEED_BB = 100,		/* written part of a log seed */
	LOG_SEED_ZERO_BB = 16,
	ITEM_SEED_MAX = 6000,
	ASSEMBLY_RECORDS = 2,
	LI_FIRST = 0x1236,
};

static const char *dir, *name;

static void put_seed(const char *target, const char *what, const void *data,
		     size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s-%s", dir, target, name, what);
	f = fopen(path, "wb");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

/* As fuzz_item.c reads it. */
static void seed_item(const struct xlog_trans *tr, const struct xlog_item *item)
{
	static uint8_t seen[256];
	uint8_t buf[ITEM_SEED_MAX + 2048];
	unsigned int index = (unsigned int)item->type - LI_FIRST;
	size_t n = 3;
	char what[32];

	if (index >= sizeof(seen) || seen[index])
		return;
	buf[0] = (uint8_t)index;
	buf[1] = (uint8_t)(tr->big_endian | 2 | 32 | 64);
	buf[2] = (uint8_t)item->nregions;
	for (unsigned int r = 0; r < item->nregions; r++) {
		uint32_t len = item->regions[r].len_bytes;

		if (n + 2 + len > ITEM_SEED_MAX)
			return;
		put_be16(buf + n, (uint16_t)len);
		memcpy(buf + n + 2, item->regions[r].data, len);
		n += 2 + len;
	}
	snprintf(what, sizeof(what), "%04x-%u", item->type, seen[index]++);
	put_seed("item", what, buf, n);
}

/* As fuzz_buffer.c reads it: the first regions of a buffer, run together. */
static void seed_buffer(const struct xlog_trans *tr,
			const struct xlog_item *item)
{
	static uint8_t seen[32];
	enum xfs_order order = tr->big_endian ? XFS_BE : XFS_LE;
	uint8_t buf[3 + 4096] = { 0 };
	unsigned int blft;
	char what[32];
	size_t n = 3;

	if (item->type != 0x123c || item->nregions < 2 ||
	    item->regions[0].len_bytes < 24)
		return;
	blft = get_w16(item->regions[0].data + 4, order) >> 11;
	if (seen[blft] || !(get_w32(item->regions[0].data + 20, order) & 1))
		return;
	buf[0] = (uint8_t)blft;
	buf[1] = 1 | 4 | 8 | 16;
	buf[2] = 0xff;
	for (unsigned int r = 1; r < item->nregions; r++) {
		uint32_t len = item->regions[r].len_bytes;

		if (len > sizeof(buf) - n)
			len = (uint32_t)(sizeof(buf) - n);
		memcpy(buf + n, item->regions[r].data, len);
		n += len;
	}
	snprintf(what, sizeof(what), "%02u-%u", blft, seen[blft]++);
	put_seed("buffer", what, buf, n);
}

static void seed_items(struct xlog *log, const struct xlog_bounds *b)
{
	const struct xlog_trans *tr;
	struct xlog_trans_iter *it;

	if (xlog_trans_open(log, xlog_lsn_block(b->tail),
			    xlog_lsn_block(b->head), true, &it))
		exit(1);
	while (xlog_trans_next(it, &tr) == 1)
		for (size_t i = 0; i < tr->nitems; i++) {
			seed_item(tr, &tr->items[i]);
			seed_buffer(tr, &tr->items[i]);
		}
	xlog_trans_close(it);
}

static void seed_records(struct xlog *log, const struct xlog_bounds *b)
{
	uint8_t *buf = malloc(1 + 2 * XLOG_MAX_RECORD_BYTES);
	struct xlog_cursor *cur;
	struct xlog_record rec;
	size_t n = 1;
	int i;

	if (!buf || xlog_cursor_open(log, XLOG_WALK_LOG,
				     xlog_lsn_block(b->tail),
				     xlog_lsn_block(b->head), &cur))
		exit(1);
	for (i = 0; i < ASSEMBLY_RECORDS &&
	     xlog_cursor_next(cur, &rec) == 1; i++) {
		uint32_t len = rec.len_bytes > 20000 ? 20000 : rec.len_bytes;

		buf[0] = rec.fmt == XLOG_FMT_LINUX_BE;
		put_be16(buf + n, (uint16_t)len);
		buf[n + 2] = (uint8_t)(rec.num_ops > 255 ? 255 : rec.num_ops);
		memcpy(buf + n + 3, rec.data, len);
		n += 3 + len;
	}
	xlog_cursor_close(cur);
	put_seed("assembly", "records", buf, n);
	/* and the newest record raw, header and all */
	n = block_distance(log, xlog_lsn_block(b->last_record),
			   xlog_lsn_block(b->head));
	if (n && n <= 64) {
		buf[0] = log->logv2;
		if (log_read_wrapped(log, xlog_lsn_block(b->last_record),
				     (uint32_t)n, buf + 1))
			exit(1);
		put_seed("record", "newest", buf, 1 + n * BB_SIZE);
	}
	free(buf);
}

static void seed_log(struct xlog *log)
{
	static uint8_t buf[1 + (LOG_SEED_BB + LOG_SEED_ZERO_BB) * BB_SIZE];
	struct xlog_cursor *cur;
	struct xlog_record rec;
	uint32_t bb = 0;

	if (xlog_cursor_open(log, XLOG_WALK_PHYSICAL, 0, log->nbb, &cur))
		exit(1);
	while (xlog_cursor_next(cur, &rec) == 1 &&
	       rec.block + rec.bb <= LOG_SEED_BB)
		bb = rec.block + rec.bb;
	xlog_cursor_close(cur);
	buf[0] = (uint8_t)(log->logv2 | 2);
	if (xlog_read_raw(log, 0, bb, buf + 1))
		exit(1);
	put_seed("log", "start", buf,
		 1 + (size_t)(bb + LOG_SEED_ZERO_BB) * BB_SIZE);
}

int main(int argc, char **argv)
{
	struct xlog_open_options opts = { .logdev = argc > 4 ? argv[4] : NULL };
	struct xlog_bounds b;
	struct xlog *log;

	if (argc < 4 || xlog_open(argv[1], &opts, &log))
		return 1;
	name = argv[2];
	dir = argv[3];
	if (xlog_find(log, 0, &b))
		return 1;
	if (b.state == XLOG_DIRTY) {
		seed_items(log, &b);
		seed_records(log, &b);
	}
	seed_log(log);
	xlog_close(log);
	return 0;
}
