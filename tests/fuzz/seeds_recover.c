/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes a stored input of fuzz_recover out of an image: seeds_recover IMAGE
 * RECORDS OPTIONS FILE. The log is cut off behind that many records; with 0 it
 * is replayed and cut off in front of the oldest intent that is pending. Then
 * the image is recovered in memory, and what that has read goes into the input,
 * but for zeros. OPTIONS is its first byte. Run by hand, as seeds.c;
 * tests/fixtures/README.md says of what.
 */
#include <stdio.h>

#include "libxlog/dev/dev_priv.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/image.h"
#include "tests/lib/stack.h"

/* --- a device that remembers what was read --- */

struct reads {
	struct dev	dev;
	struct dev	*below;
	uint8_t		*seen;		/* a byte for each sector */
};

static int reads_read(struct dev *dev, uint64_t off_bytes, void *buf,
		      size_t len)
{
	struct reads *r = (struct reads *)dev;

	memset(r->seen + off_bytes / BB_SIZE, 1,
	       (off_bytes % BB_SIZE + len + BB_SIZE - 1) / BB_SIZE);
	return dev_read(r->below, off_bytes, buf, len);
}

static int reads_write(struct dev *dev, uint64_t off_bytes, const void *buf,
		       size_t len)
{
	return dev_write(((struct reads *)dev)->below, off_bytes, buf, len);
}

static int reads_flush(struct dev *dev)
{
	(void)dev;
	return 0;
}

static void reads_close(struct dev *dev)
{
	(void)dev;
}

static const struct dev_ops reads_ops = {
	.kind = "reads",
	.read = reads_read,
	.write = reads_write,
	.flush = reads_flush,
	.close = reads_close,
};

/* --- a shorter log --- */

/* Blocks from @from to @to as the lap @cycle left them. */
static void lap(struct dev *dev, uint64_t daddr, uint32_t from, uint32_t to,
		uint32_t cycle)
{
	uint8_t raw[BB_SIZE] = { 0 };

	put_be32(raw, cycle);
	for (; from < to; from++)
		if (dev_write(dev, (daddr + from) * BB_SIZE, raw, BB_SIZE))
			exit(1);
}

/* The record at @rec becomes the last one, and its tail is that of the log. */
static void end_at(struct dev *dev, const struct xlog *log,
		   const struct xlog_record *rec, const struct xlog_bounds *b)
{
	uint64_t daddr = log->info.log_daddr;
	uint32_t end = rec->block + rec->bb;
	uint8_t *raw = malloc((size_t)rec->bb * BB_SIZE);

	if (!raw || end > log->nbb ||
	    dev_read(dev, (daddr + rec->block) * BB_SIZE, raw,
		     (size_t)rec->bb * BB_SIZE))
		exit(1);
	put_be64(raw + 24, b->tail);
	put_le32(raw + 32,
		 xlog_rec_crc(raw, rec->crc == XLOG_CRC_OTHER_SIZE ?
			      XLOG_HEADER_CRC_BYTES_I386 :
			      XLOG_HEADER_CRC_BYTES, rec->header_bb,
			      raw + (size_t)rec->header_bb * BB_SIZE,
			      rec->len_bytes, log->logv2));
	if (dev_write(dev, (daddr + rec->block) * BB_SIZE, raw, BB_SIZE))
		exit(1);
	lap(dev, daddr, end, log->nbb, xlog_lsn_cycle(rec->lsn) - 1);
	if (xlog_lsn_cycle(rec->lsn) == xlog_lsn_cycle(b->tail))
		lap(dev, daddr, 0, xlog_lsn_block(b->tail),
		    xlog_lsn_cycle(rec->lsn));
	free(raw);
}

static void cut_log(struct dev *dev, unsigned long records)
{
	struct xlog_record rec = { .bb = 0 }, next;
	struct xlog_cursor *cur;
	struct xlog_bounds b;
	struct xlog *log;

	if (stack_open(dev, NULL, NULL, &log) || xlog_find(log, 0, &b) ||
	    !log->info.internal || b.state != XLOG_DIRTY ||
	    xlog_cursor_open(log, XLOG_WALK_LOG, xlog_lsn_block(b.tail),
			     xlog_lsn_block(b.head), &cur))
		exit(1);
	while (records-- && xlog_cursor_next(cur, &next) == 1)
		rec = next;
	if (!rec.bb)
		exit(1);
	end_at(dev, log, &rec, &b);
	xlog_cursor_close(cur);
	xlog_close(log);
}

static void keep_oldest(void *ctx, const struct xlog_remainder *rem)
{
	xlog_lsn_t *oldest = ctx;

	if (rem->kind == XLOG_REMAINDER_INTENT && rem->lsn < *oldest)
		*oldest = rem->lsn;
}

/* What the log has for replay is in its place, and nothing finished. */
static void cut_replayed(struct dev *dev)
{
	xlog_lsn_t oldest = UINT64_MAX;
	const struct xlog_recover_options opts = {
		.flags = XLOG_RECOVER_LEAVE_UNLINKED |
			 XLOG_RECOVER_SKIP_INTENTS,
		.stop_lsn = XLOG_LSN_NONE,
		.ctx = &oldest,
		.remainder = keep_oldest,
	};
	struct xlog_recover_result res;
	struct xlog_record rec;
	struct xlog_cursor *cur;
	struct xlog_bounds b;
	struct xlog *log;

	if (stack_recover(dev, NULL, &opts, NULL, &res) ||
	    stack_open(dev, NULL, NULL, &log) || xlog_find(log, 0, &b) ||
	    !log->info.internal || b.state != XLOG_DIRTY ||
	    xlog_cursor_open(log, XLOG_WALK_LOG, xlog_lsn_block(b.last_record),
			     xlog_lsn_block(b.head), &cur) ||
	    xlog_cursor_next(cur, &rec) != 1)
		exit(1);
	b.tail = oldest < b.last_record ? oldest : b.last_record;
	end_at(dev, log, &rec, &b);
	xlog_cursor_close(cur);
	xlog_close(log);
}

/* --- the file --- */

static bool is_zero(const uint8_t *p, size_t len)
{
	while (len && !*p)
		p++, len--;
	return !len;
}

static void put_piece(FILE *f, uint64_t bb, uint32_t count, const void *data,
		      size_t len)
{
	uint8_t head[PIECE_HEAD_BYTES];

	put_be32(head, (uint32_t)bb);
	put_be16(head + 4, (uint16_t)count);
	if (fwrite(head, sizeof(head), 1, f) != 1 ||
	    fwrite(data, len, 1, f) != 1)
		exit(1);
}

/* Of log blocks that are not live only the cycle counts. */
static void put_dead(FILE *f, const struct xlog *log, struct dev *dev,
		     uint64_t daddr)
{
	uint8_t raw[BB_SIZE], cycle[4];
	uint64_t run = 0;

	memset(cycle, 0, sizeof(cycle));
	for (uint32_t b = 0; b <= log->nbb; b++) {
		const uint8_t *at = raw;

		memset(raw, 0, sizeof(raw));
		if (b < log->nbb &&
		    dev_read(dev, (daddr + b) * BB_SIZE, raw, BB_SIZE))
			exit(1);
		if (xlog_is_rec_header(raw))
			at = raw + 4;
		if (memcmp(at, cycle, 4) || run == PIECE_MAX_BB) {
			if (run && !is_zero(cycle, 4))
				put_piece(f, daddr + b - run,
					  (uint32_t)run | PIECE_FILL, cycle,
					  4);
			memcpy(cycle, at, 4);
			run = 0;
		}
		run++;
	}
}

static void put_range(FILE *f, struct dev *dev, uint64_t from, uint64_t to)
{
	static uint8_t raw[PIECE_MAX_BB * BB_SIZE];
	size_t n = 0;

	for (uint64_t bb = from; bb <= to; bb++) {
		uint8_t *p = raw + n * BB_SIZE;

		if (bb < to && dev_read(dev, bb * BB_SIZE, p, BB_SIZE))
			exit(1);
		if (bb < to && !is_zero(p, BB_SIZE) && n < PIECE_MAX_BB - 1) {
			n++;
			continue;
		}
		if (n)
			put_piece(f, bb - n, (uint32_t)n, raw, n * BB_SIZE);
		n = 0;
	}
}

int main(int argc, char **argv)
{
	struct xlog_recover_options opts = { .stop_lsn = XLOG_LSN_NONE };
	struct xlog_recover_result res;
	struct reads r = { .below = NULL };
	struct dev *file, *image, *overlay;
	struct xlog_bounds b;
	struct xlog *log;
	uint8_t how;
	FILE *f;

	if (argc != 5 || dev_open_image(argv[1], 0, 0, NULL, &file) ||
	    stack_overlay(file, &image))
		return 1;
	if (strtoul(argv[2], NULL, 0))
		cut_log(image, strtoul(argv[2], NULL, 0));
	else
		cut_replayed(image);
	if (stack_overlay(image, &overlay))
		return 1;
	how = (uint8_t)strtoul(argv[3], NULL, 0);
	if (strtoul(argv[2], NULL, 0))
		opts.flags = XLOG_RECOVER_LEAVE_UNLINKED |
			     XLOG_RECOVER_SKIP_INTENTS;
	dev_init(&r.dev, &reads_ops, NULL, "reads");
	r.dev.size_bytes = image->size_bytes;
	r.dev.writable = true;
	r.below = overlay;
	r.seen = calloc(1, image->size_bytes / BB_SIZE + 1);
	f = fopen(argv[4], "wb");
	if (!r.seen || !f || fputc(how, f) == EOF ||
	    stack_open(&r.dev, NULL, NULL, &log) || xlog_find(log, 0, &b))
		return 1;
	if (stack_recover(&r.dev, NULL, &opts, NULL, &res))
		fprintf(stderr, "%s: %s\n", argv[1], res.refused);
	else
		printf("%s: %llu records, %llu items\n", argv[1],
		       (unsigned long long)res.records,
		       (unsigned long long)res.items);
	if (log->info.internal) {
		uint64_t daddr = log->info.log_daddr;
		uint32_t tail = xlog_lsn_block(b.tail);
		uint32_t head = xlog_lsn_block(b.head);

		put_dead(f, log, image, daddr);
		memset(r.seen + daddr, 0, log->nbb);
		put_range(f, image, daddr + tail,
			  daddr + (tail < head ? head : log->nbb));
		if (head < tail)
			put_range(f, image, daddr, daddr + head);
	}
	for (uint64_t bb = 0, end; bb < image->size_bytes / BB_SIZE; bb = end) {
		for (end = bb + 1; r.seen[bb] && r.seen[end];)
			end++;
		if (r.seen[bb])
			put_range(f, image, bb, end);
	}
	return fclose(f) ? 1 : 0;
}
