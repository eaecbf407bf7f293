/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See testlog.h.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/testlog.h"

static void take_report(void *ctx, const struct xlog_report *r)
{
	struct testlog *t = ctx;
	size_t used = strlen(t->reports);

	if (r->severity != XLOG_STEP)
		snprintf(t->reports + used, sizeof(t->reports) - used,
			 "%d %s %s\n", (int)r->severity, r->code, r->text);
}

void testlog_init(struct testlog *t, uint32_t nbb, uint32_t version)
{
	struct dev *dev;

	memset(t, 0, sizeof(*t));
	t->log.sink = (struct sink){ .report = take_report, .ctx = t };
	cr_assert_eq(dev_open_overlay(NULL, (uint64_t)nbb * BB_SIZE,
				      &t->log.sink, &dev), 0);
	t->log.fs = t->log.dev = dev;
	t->log.nbb = t->log.info.log_size_bb = nbb;
	t->log.logv2 = version == 2;
	t->log.info.log_version = version;
	t->log.info.sb_version = 5;
	t->log.sb.sb_lsn = XFS_NULL_LSN;
	memset(t->log.info.uuid, 0x5a, 16);
	t->cycle = 1;
	t->prev = UINT32_MAX;
	t->size_bytes = XLOG_HEADER_SPAN_BYTES;
}

void testlog_fini(struct testlog *t)
{
	dev_close(t->log.dev);
}

static void write_blocks(struct testlog *t, uint32_t block, const void *buf,
			 uint32_t bb)
{
	cr_assert_eq(dev_write(t->log.dev, (uint64_t)block * BB_SIZE, buf,
			       (size_t)bb * BB_SIZE), 0);
}

void testlog_peek(struct testlog *t, uint32_t block, void *buf, uint32_t bb)
{
	cr_assert_eq(dev_read(t->log.dev, (uint64_t)block * BB_SIZE, buf,
			      (size_t)bb * BB_SIZE), 0);
}

void testlog_poke(struct testlog *t, uint32_t block, uint32_t off,
		  const void *bytes, uint32_t len)
{
	uint8_t b[BB_SIZE];

	testlog_peek(t, block, b, 1);
	memcpy(b + off, bytes, len);
	write_blocks(t, block, b, 1);
}

static void put_head(struct testlog *t, uint8_t *h, const struct testrec *r)
{
	put_be32(h, XLOG_MAGIC);
	put_be32(h + 4, r->cycle);
	put_be32(h + 8, t->log.info.log_version);
	put_be32(h + 12, r->len_bytes);
	put_be64(h + 16, xfs_lsn_make(r->cycle, r->block));
	put_be64(h + 24, r->tail);
	put_be32(h + 36, t->prev);
	put_be32(h + 40, r->num_ops);
	put_be32(h + 300, r->fmt ? r->fmt : XLOG_FMT_LINUX_LE);
	memset(h + 304, r->foreign_uuid ? 0x11 : 0x5a, 16);
	put_be32(h + 320, t->size_bytes);
}

uint32_t testlog_put(struct testlog *t, const struct testrec *r)
{
	uint32_t hbb = xlog_rec_header_bb(t->log.info.log_version,
					  t->size_bytes, t->log.logv2);
	uint32_t dbb = (uint32_t)bb_from_bytes(r->len_bytes);
	uint32_t bb = hbb + dbb;
	uint8_t *buf = calloc(bb, BB_SIZE);
	uint8_t *data;

	cr_assert_not_null(buf);
	data = buf + (size_t)hbb * BB_SIZE;
	put_head(t, buf, r);
	if (r->payload)
		memcpy(data, r->payload, r->len_bytes);
	else
		for (uint32_t i = 0; i < r->len_bytes; i++)
			data[i] = (uint8_t)(r->block * 7 + r->cycle * 31 + i);
	for (uint32_t j = 1; j < hbb; j++)
		put_be32(buf + (size_t)j * BB_SIZE, r->cycle);
	for (uint32_t i = 0; i < dbb; i++) {
		uint8_t *slot = buf + (size_t)(i / 64) * BB_SIZE +
				(i < 64 ? 44 : 4) + 4 * (i % 64);

		memcpy(slot, data + (size_t)i * BB_SIZE, 4);
		put_be32(data + (size_t)i * BB_SIZE, r->cycle);
	}
	for (uint32_t i = 1; i < bb; i++)	/* behind the physical end */
		if (r->block + i >= t->log.nbb)
			put_be32(buf + (size_t)i * BB_SIZE, r->cycle + 1);
	if (!r->no_crc)
		put_le32(buf + 32, xlog_rec_crc(buf, XLOG_HEADER_CRC_BYTES, hbb,
						data, r->len_bytes,
						t->log.logv2));
	for (uint32_t i = 0; i < bb; i++)
		write_blocks(t, (r->block + i) % t->log.nbb,
			     buf + (size_t)i * BB_SIZE, 1);
	free(buf);
	return bb;
}

static xfs_lsn_t append(struct testlog *t, struct testrec *r)
{
	xfs_lsn_t lsn = xfs_lsn_make(t->cycle, t->block);
	uint32_t bb;

	r->cycle = t->cycle;
	r->block = t->block;
	bb = testlog_put(t, r);
	t->prev = t->block;
	t->block += bb;
	if (t->block >= t->log.nbb) {
		t->block -= t->log.nbb;
		t->cycle++;
	}
	return lsn;
}

xfs_lsn_t testlog_append(struct testlog *t, uint32_t data_bb, xfs_lsn_t tail)
{
	struct testrec r = { .len_bytes = data_bb * BB_SIZE, .tail = tail,
			     .num_ops = 2 };

	return append(t, &r);
}

xfs_lsn_t testlog_unmount(struct testlog *t, xfs_lsn_t tail)
{
	uint8_t payload[BB_SIZE] = { 0xb0, 0xc0, 0xd0, 0xd0, 0, 0, 0, 8,
				     XLOG_CLIENT_LOG, XLOG_UNMOUNT_TRANS, 0, 0,
				     0x6e, 0x55 };
	struct testrec r = { .len_bytes = BB_SIZE, .payload = payload,
			     .tail = tail, .num_ops = 1 };

	return append(t, &r);
}

void testlog_fillers(struct testlog *t, uint32_t cycle, uint32_t block,
		     uint32_t bb, xfs_lsn_t tail)
{
	uint32_t prev = t->prev, size = t->size_bytes;

	t->prev = t->size_bytes = 0;
	for (; bb; bb--, block++) {
		uint8_t b[BB_SIZE] = { 0 };

		put_head(t, b, &(struct testrec){ .cycle = cycle,
						  .block = block,
						  .tail = tail });
		write_blocks(t, block, b, 1);
	}
	t->prev = prev;
	t->size_bytes = size;
}

bool testlog_said(const struct testlog *t, const char *text)
{
	return strstr(t->reports, text);
}
