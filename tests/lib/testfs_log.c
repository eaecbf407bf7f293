/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing checkpoints to the log of a testfs. See testfs.h. Items are built as
 * lists of regions first; operations go into one record after the other, and a
 * region that does not fit goes on in the next one.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/testfs.h"

enum {
	OP_BYTES = 12,
	TRANS_HEADER_BYTES = 16,
	CHUNK_BYTES = 128,
	BLF_BYTES = 20,
	ILF_BYTES = 56,
	V3_CORE_BYTES = 176,
	V2_CORE_BYTES = 96,
	RECORD_BB = (XLOG_MAX_RECORD_BYTES + 16 * BB_SIZE) / BB_SIZE,
};

/* --- the writer's order --- */

void testfs_put16(const struct testfs *fs, uint8_t *at, uint16_t v)
{
	if (fs->order == XFS_BE)
		put_be16(at, v);
	else
		put_le16(at, v);
}

void testfs_put32(const struct testfs *fs, uint8_t *at, uint32_t v)
{
	if (fs->order == XFS_BE)
		put_be32(at, v);
	else
		put_le32(at, v);
}

void testfs_put64(const struct testfs *fs, uint8_t *at, uint64_t v)
{
	if (fs->order == XFS_BE)
		put_be64(at, v);
	else
		put_le64(at, v);
}

/* --- records --- */

static struct xlog_form form(const struct testfs *fs)
{
	const struct xlog *log = fs->log;
	struct xlog_form f = {
		.version = log->info.log_version,
		.fmt = fs->order == XFS_BE ? XLOG_FMT_LINUX_BE :
					     XLOG_FMT_LINUX_LE,
		.size_bytes = fs->size_bytes,
		.crc_bytes = XLOG_HEADER_CRC_BYTES,
		.roundoff_bytes = xlog_roundoff_bytes(log->logv2,
					log->info.log_sunit_bytes,
					log->info.log_sector_bytes),
		.log_size_bb = log->nbb,
		.logv2 = log->logv2,
	};

	memcpy(f.uuid, log->info.uuid, sizeof(f.uuid));
	return f;
}

static void write_log(struct testfs *fs, uint32_t block, const uint8_t *buf,
		      uint32_t bb)
{
	cr_assert_leq(block + bb, fs->log->nbb, "the log of the test is full");
	cr_assert_eq(dev_write(fs->log->dev, (uint64_t)block * BB_SIZE, buf,
			       (size_t)bb * BB_SIZE), 0);
	fs->log_blocks += bb;
}

/* As xfs_repair leaves a log: a cycle of unmount records, one of the next. */
void testfs_erase_log(struct testfs *fs)
{
	struct xlog_bounds b;
	struct xlog_form f;
	uint8_t *buf = calloc(RECORD_BB, BB_SIZE);
	uint32_t cycle, bb;

	cr_assert_not_null(buf);
	cr_assert_eq(xlog_find(fs->log, 0, &b), 0);
	cycle = xfs_lsn_cycle(b.head);
	f = xlog_form_mkfs(fs->log->info.log_version, XLOG_FMT_LINUX_LE,
			   fs->log->info.log_sunit_bytes, fs->log->nbb,
			   fs->log->info.uuid);
	for (uint32_t block = 0; block < fs->log->nbb; block += bb) {
		xfs_lsn_t lsn = xfs_lsn_make(cycle + !block, block);

		bb = xlog_unmount_mkfs_encode(&f, lsn, lsn, buf);
		write_log(fs, block, buf, bb);
	}
	fs->log_blocks = 0;
	fs->reports[0] = '\0';
	free(buf);
}

/* The first record goes to the head of the log. */
static void begin(struct testfs *fs)
{
	struct xlog_bounds b;

	if (fs->record)
		return;
	cr_assert_eq(xlog_find(fs->log, 0, &b), 0);
	cr_assert_eq(b.state, XLOG_CLEAN, "%s", fs->reports);
	fs->lsn = fs->tail = b.head;
	fs->record = calloc(RECORD_BB, BB_SIZE);
	cr_assert_not_null(fs->record);
}

static uint32_t room(const struct testfs *fs)
{
	struct xlog_form f = form(fs);

	return fs->size_bytes - xlog_form_header_bb(&f) * BB_SIZE -
	       fs->used_bytes;
}

xfs_lsn_t testfs_record(struct testfs *fs)
{
	struct xlog_form f = form(fs);
	struct xlog_place p = {
		.lsn = fs->lsn,
		.tail_lsn = fs->tail,
		.prev_block = fs->prev_block,
	};
	uint32_t bb;

	cr_assert(fs->ops, "an empty record");
	bb = xlog_rec_encode(&f, &p, fs->ops, fs->record, fs->used_bytes);
	write_log(fs, xfs_lsn_block(p.lsn), fs->record, bb);
	fs->prev_block = xfs_lsn_block(p.lsn);
	fs->lsn = xlog_lsn_add(p.lsn, bb, f.log_size_bb);
	fs->used_bytes = fs->ops = 0;
	return p.lsn;
}

/* An operation that fits. */
static void put_op(struct testfs *fs, uint32_t tid, uint8_t flags,
		   const void *data, uint32_t len)
{
	struct xlog_form f = form(fs);
	uint8_t *at = fs->record + (size_t)xlog_form_header_bb(&f) * BB_SIZE +
		      fs->used_bytes;

	at = xlog_op_header_encode(at, &(struct xlog_op_header){
		.oh_tid = tid, .oh_len = len,
		.oh_clientid = XLOG_CLIENT_TRANSACTION, .oh_flags = flags });
	if (len)
		memcpy(at, data, len);
	fs->used_bytes += OP_BYTES + len;
	fs->ops++;
}

void testfs_op(struct testfs *fs, uint32_t tid, uint8_t flags,
	       const void *data, uint32_t len)
{
	const uint8_t *p = data;
	bool again = false;

	begin(fs);
	if (room(fs) < 2 * OP_BYTES)
		testfs_record(fs);
	while (OP_BYTES + len > room(fs)) {
		uint32_t n = (room(fs) - OP_BYTES) & ~3u;

		put_op(fs, tid, XLOG_CONTINUE_TRANS |
		       (again ? XLOG_WAS_CONT_TRANS : 0), p, n);
		testfs_record(fs);
		again = true;
		p += n;
		len -= n;
	}
	put_op(fs, tid, again ? XLOG_WAS_CONT_TRANS | XLOG_END_TRANS : flags,
	       p, len);
}

/* --- checkpoints --- */

struct testcp *testcp_new(struct testfs *fs)
{
	struct testcp *cp = calloc(1, sizeof(*cp));

	cr_assert_not_null(cp);
	cp->fs = fs;
	cp->tid = fs->next_tid++;
	return cp;
}

static uint8_t *add_region(struct testcp *cp, size_t len)
{
	struct xfs_log_region *p;
	uint8_t *data = calloc(1, len ? len : 1);

	p = realloc(cp->regions, (cp->nregions + 1) * sizeof(*p));
	cr_assert(p && data);
	cp->regions = p;
	p[cp->nregions++] = (struct xfs_log_region){ data, (uint32_t)len };
	return data;
}

void testcp_region(struct testcp *cp, const void *data, size_t len)
{
	/* padded to whole words, as the log has them */
	memcpy(add_region(cp, (len + 3) & ~(size_t)3), data, len);
}

void testcp_drop(struct testcp *cp)
{
	for (size_t i = 0; i < cp->nregions; i++)
		free((void *)(uintptr_t)cp->regions[i].data);
	free(cp->regions);
	free(cp);
}

void testcp_start(struct testcp *cp)
{
	testfs_op(cp->fs, cp->tid, XLOG_START_TRANS, NULL, 0);
}

void testcp_body(struct testcp *cp)
{
	uint8_t header[TRANS_HEADER_BYTES];

	testfs_put32(cp->fs, header, 0x5452414e);
	testfs_put32(cp->fs, header + 4, 40);
	testfs_put32(cp->fs, header + 8, cp->tid);
	testfs_put32(cp->fs, header + 12, (uint32_t)cp->nregions);
	testfs_op(cp->fs, cp->tid, 0, header, sizeof(header));
	for (size_t i = 0; i < cp->nregions; i++)
		testfs_op(cp->fs, cp->tid, 0, cp->regions[i].data,
			  cp->regions[i].len_bytes);
}

void testcp_commit(struct testcp *cp)
{
	testfs_op(cp->fs, cp->tid, XLOG_COMMIT_TRANS, NULL, 0);
	testcp_drop(cp);
}

xfs_lsn_t testcp_write(struct testcp *cp)
{
	struct testfs *fs = cp->fs;
	xfs_lsn_t lsn;

	testcp_start(cp);
	lsn = fs->lsn;
	testcp_body(cp);
	testcp_commit(cp);
	testfs_record(fs);
	return lsn;
}

/* --- items --- */

void testcp_buf_raw(struct testcp *cp, const struct testbuf *b,
		    const uint32_t *map, uint32_t words, const void *data,
		    size_t len)
{
	uint8_t *p = add_region(cp, BLF_BYTES + 4 * (size_t)words);

	testfs_put16(cp->fs, p, XFS_LI_BUF);
	testfs_put16(cp->fs, p + 2, len ? 2 : 1);
	testfs_put16(cp->fs, p + 4, b->flags ? b->flags :
		     XFS_BLFT_BTREE << XFS_BLF_TYPE_SHIFT);
	testfs_put16(cp->fs, p + 6, (uint16_t)b->len_bb);
	testfs_put64(cp->fs, p + 8, b->daddr);
	testfs_put32(cp->fs, p + 16, words);
	for (uint32_t i = 0; i < words; i++)
		testfs_put32(cp->fs, p + BLF_BYTES + 4 * (size_t)i, map[i]);
	if (len)
		testcp_region(cp, data, len);
}

void testcp_buf(struct testcp *cp, const struct testbuf *b)
{
	uint32_t all = b->len_bb * (BB_SIZE / CHUNK_BYTES);
	uint32_t chunks = b->chunks ? b->chunks : all - b->first;
	uint32_t map[XFS_BUF_LOG_MAP_WORDS] = { 0 };

	for (uint32_t i = b->first; i < b->first + chunks; i++)
		map[i / 32] |= (uint32_t)1 << i % 32;
	testcp_buf_raw(cp, b, map, (all + 31) / 32,
		       (const uint8_t *)b->image + (size_t)b->first *
		       CHUNK_BYTES, (size_t)chunks * CHUNK_BYTES);
}

void testcp_cancel(struct testcp *cp, xfs_daddr_t daddr, uint32_t len_bb)
{
	const uint32_t map[XFS_BUF_LOG_MAP_WORDS] = { 0 };
	const struct testbuf b = { .daddr = daddr, .len_bb = len_bb,
				   .flags = XFS_BLF_CANCEL };

	testcp_buf_raw(cp, &b, map, (len_bb * 4 + 31) / 32, NULL, 0);
}

/* Width of the fields of a core, by offset; what is not here is bytes. */
static void core_to_log(const struct testfs *fs, uint8_t *to,
			const uint8_t *disk, size_t len)
{
	static const uint8_t w2[] = { 0, 2, 6, 20, 22, 80, 88, 90 };
	static const uint8_t w4[] = { 8, 12, 16, 72, 76, 84, 92, 128 };
	static const uint8_t w8[] = { 56, 64, 104, 112, 120, 152 };
	static const uint8_t times[] = { 32, 40, 48, 144 };
	bool v3 = disk[4] == 3;
	bool big = v3 && get_be64(disk + 120) & 8;

	memcpy(to, disk, len);
	for (size_t i = 0; i < sizeof(w2); i++)
		testfs_put16(fs, to + w2[i], get_be16(disk + w2[i]));
	for (size_t i = 0; i < sizeof(w4); i++)
		if (w4[i] < len)
			testfs_put32(fs, to + w4[i], get_be32(disk + w4[i]));
	for (size_t i = 0; i < sizeof(w8); i++)
		if (w8[i] < len)
			testfs_put64(fs, to + w8[i], get_be64(disk + w8[i]));
	if (v3)		/* counter of extents, or padding */
		testfs_put64(fs, to + 24, get_be64(disk + 24));
	else
		testfs_put16(fs, to + 30, get_be16(disk + 30));
	for (size_t i = 0; i < sizeof(times); i++) {
		uint8_t t = times[i];

		if (t >= len)
			continue;
		if (big) {
			testfs_put64(fs, to + t, get_be64(disk + t));
			continue;
		}
		testfs_put32(fs, to + t, get_be32(disk + t));
		testfs_put32(fs, to + t + 4, get_be32(disk + t + 4));
	}
	if (v3) {	/* as a kernel leaves what is not logged */
		memset(to + 96, 0xff, 4);
		memset(to + 100, 0, 4);
	}
}

void testcp_inode(struct testcp *cp, const struct testinode *in)
{
	struct testfs_inode at = testfs_inode(cp->fs, in->ino);
	const uint8_t *raw = in->raw;
	size_t core_bytes = raw[4] == 3 ? V3_CORE_BYTES : V2_CORE_BYTES;
	uint8_t *p = add_region(cp, ILF_BYTES);

	testfs_put16(cp->fs, p, XFS_LI_INODE);
	testfs_put16(cp->fs, p + 2, (uint16_t)(2 + !!in->dfork + !!in->afork));
	testfs_put32(cp->fs, p + 4, XFS_ILOG_CORE | in->fields);
	testfs_put16(cp->fs, p + 8, (uint16_t)in->afork_bytes);
	testfs_put16(cp->fs, p + 10, (uint16_t)in->dfork_bytes);
	testfs_put64(cp->fs, p + 16, in->ino);
	testfs_put32(cp->fs, p + 24, in->rdev);
	testfs_put64(cp->fs, p + 40, at.daddr);
	testfs_put32(cp->fs, p + 48, in->len_bb ? in->len_bb : at.len_bb);
	testfs_put32(cp->fs, p + 52, at.boffset);
	core_to_log(cp->fs, add_region(cp, core_bytes), raw, core_bytes);
	if (in->dfork)
		testcp_region(cp, in->dfork, in->dfork_bytes);
	if (in->afork)
		testcp_region(cp, in->afork, in->afork_bytes);
}

void testcp_icreate(struct testcp *cp, uint32_t agno, uint32_t agbno,
		    uint32_t count, uint32_t length_fsb, uint32_t gen)
{
	uint8_t *p = add_region(cp, 28);

	testfs_put16(cp->fs, p, XFS_LI_ICREATE);
	testfs_put16(cp->fs, p + 2, 1);
	put_be32(p + 4, agno);
	put_be32(p + 8, agbno);
	put_be32(p + 12, count);
	put_be32(p + 16, cp->fs->log->geom.inodesize);
	put_be32(p + 20, length_fsb);
	put_be32(p + 24, gen);
}

void testcp_type(struct testcp *cp, uint16_t type, size_t len)
{
	uint8_t *p = add_region(cp, len);

	testfs_put16(cp->fs, p, type);
	testfs_put16(cp->fs, p + 2, 1);
}

void testcp_efi(struct testcp *cp, uint64_t id, bool done, uint64_t fsb,
		uint32_t len_fsb)
{
	uint8_t *p = add_region(cp, 32);

	testfs_put16(cp->fs, p, done ? XFS_LI_EFD : XFS_LI_EFI);
	testfs_put16(cp->fs, p + 2, 1);
	testfs_put32(cp->fs, p + 4, 1);
	testfs_put64(cp->fs, p + 8, id);
	testfs_put64(cp->fs, p + 16, fsb);
	testfs_put32(cp->fs, p + 24, len_fsb);
}
