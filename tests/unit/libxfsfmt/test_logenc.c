/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records as kernels and mkfs wrote them, written again from the values that
 * went into them: every byte must be the same. tests/fixtures/README.md says
 * which they are.
 *
 * Not every record of a kernel can be had like that: what lies behind the last
 * operation, and the words of extended headers that stand for no block, may be
 * left over from an earlier record; here they are zero, as they are in most.
 */
#include "libxfsfmt/logenc.h"
#include "libxfsfmt/logitem.h"
#include "libxfsfmt/sb.h"
#include "tests/lib/fixture.h"

/* One writer, and the checkpoint and unmount record it ended a log with. */
struct writer {
	const char	*name;		/* of the fixtures */
	uint32_t	version, fmt, size_bytes, crc_bytes, sunit_bytes,
			log_size_bb, sector_bytes;
	struct xlog_place sb, unmount;
	uint32_t	sb_tid, unmount_tid;
	/* of the superblock before, which the checkpoint carries */
	xfs_lsn_t	sb_lsn;
	uint32_t	sb_crc;
};

#define LSN(cycle, block)	((xfs_lsn_t)(cycle) << 32 | (block))

static const struct writer v5 = {
	"v5", 2, XLOG_FMT_LINUX_LE, 32768, 328, 1, 10944, 512,
	{ LSN(1, 7696), LSN(1, 7670), 7670 },
	{ LSN(1, 7698), LSN(1, 7696), 7696 },
	0x923203ff, 0x8626abcd, LSN(1, 2), 0x61dc6500,
};

static const struct writer sector4k = {
	"sector4k", 2, XLOG_FMT_LINUX_LE, 32768, 328, 4096, 9768, 4096,
	{ LSN(1, 3040), LSN(1, 3032), 3032 },
	{ LSN(1, 3048), LSN(1, 3040), 3040 },
	0xa901afa5, 0xf175c21d, LSN(1, 8), 0xd1c6b933,
};

/* big-endian, version 1 and V4: no checksum in the superblock */
static const struct writer be_v1 = {
	"be_v1", 1, XLOG_FMT_LINUX_BE, 32768, 328, 0, 10240, 512,
	{ LSN(3, 3589), LSN(3, 3587), 3587 },
	{ LSN(3, 3591), LSN(3, 3589), 3589 },
	0x6e5a782e, 0xa72c4523, 0, 0,
};

static const struct writer i386 = {
	"i386", 2, XLOG_FMT_LINUX_LE, 32768, 324, 1, 24576, 512,
	{ LSN(1, 5735), LSN(1, 5733), 5733 },
	{ LSN(1, 5737), LSN(1, 5735), 5735 },
	0xef42cd73, 0x60b1ec9a, LSN(1, 2), 0x40f5d52f,
};

static const struct writer be_sunit256k = {
	"be_sunit256k", 2, XLOG_FMT_LINUX_BE, 262144, 328, 262144, 49152, 512,
	{ LSN(1, 30208), LSN(1, 29696), 29696 },
	{ LSN(1, 30720), LSN(1, 30208), 30208 },
	0x499e181f, 0x07367e6f, LSN(1, 512), 0x6cc4d8d2,
};

/* two header blocks for a record of one block */
static const struct writer headers2 = {
	"headers2", 2, XLOG_FMT_LINUX_LE, 65536, 328, 1, 10240, 512,
	{ LSN(2, 7677), LSN(2, 7662), 7662 },
	{ 0, 0, 0 }, 0xac4896f0, 0, 0, 0,
};

/* What @bb blocks are before they are a record. */
static uint8_t *new_buf(uint32_t bb)
{
	uint8_t *buf = malloc((size_t)bb * BB_SIZE);

	cr_assert_not_null(buf);
	memset(buf, 0xa5, (size_t)bb * BB_SIZE);
	return buf;
}

/* The superblock of @w: the sector, of which 512 bytes are kept. */
static uint8_t *load_sb(const struct writer *w)
{
	uint8_t *sector = calloc(1, w->sector_bytes);
	char name[64];

	cr_assert_not_null(sector);
	snprintf(name, sizeof(name), "logenc/%s.sb", w->name);
	fixture_load(name, sector, BB_SIZE);
	return sector;
}

static struct xlog_form form_of(const struct writer *w, const uint8_t *sector)
{
	struct xlog_form f = {
		.version = w->version,
		.fmt = w->fmt,
		.size_bytes = w->size_bytes,
		.crc_bytes = w->crc_bytes,
		.roundoff_bytes = xlog_roundoff_bytes(w->version == 2,
						      w->sunit_bytes, 0),
		.log_size_bb = w->log_size_bb,
		.logv2 = w->version == 2,
	};

	memcpy(f.uuid, sector + 32, sizeof(f.uuid));
	return f;
}

/*
 * The @bb blocks at @rec are those of the fixture; behind what it holds they
 * are zero but for the cycle.
 */
static void expect_golden(const char *name, const char *what,
			  const uint8_t *rec, uint32_t bb, uint32_t cycle)
{
	static const uint8_t zero[BB_SIZE];
	char path[80];
	uint8_t *golden;
	size_t len;

	snprintf(path, sizeof(path), "logenc/%s%s", name, what);
	golden = fixture_new(path, &len);
	cr_assert_leq(len, (size_t)bb * BB_SIZE, "%s: %u blocks", path, bb);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(rec[i], golden[i], "%s: byte %zu is %02x not %02x",
			     path, i, rec[i], golden[i]);
	for (uint32_t b = (uint32_t)(len / BB_SIZE); b < bb; b++) {
		cr_assert_eq(get_be32(rec + (size_t)b * BB_SIZE), cycle);
		cr_assert_arr_eq(rec + (size_t)b * BB_SIZE + 4, zero,
				 BB_SIZE - 4);
	}
	free(golden);
}

static void expect_sb_checkpoint(const struct writer *w, uint32_t want_bb)
{
	uint8_t *sector = load_sb(w);
	struct xlog_form f = form_of(w, sector);
	struct xlog_buf_part part = xlog_sb_part(sector, w->sector_bytes);
	uint32_t bb = xlog_form_bb(&f, xlog_buf_checkpoint_bytes(&part));
	uint8_t *rec = new_buf(bb);

	put_le32(sector + XFS_SB_CRC_OFF, w->sb_crc);
	put_be64(sector + XFS_SB_LSN_OFF, w->sb_lsn);
	cr_expect_eq(bb, want_bb);
	cr_expect_eq(xlog_buf_checkpoint_encode(&f, &w->sb, w->sb_tid, &part,
						rec), bb);
	expect_golden(w->name, "_sb.rec", rec, bb, xfs_lsn_cycle(w->sb.lsn));
	free(rec);
	free(sector);
}

static void expect_unmount(const struct writer *w, uint32_t want_bb)
{
	uint8_t *sector = load_sb(w);
	struct xlog_form f = form_of(w, sector);
	uint32_t bb = xlog_form_bb(&f, XLOG_UNMOUNT_BYTES);
	uint8_t *rec = new_buf(bb);

	cr_expect_eq(bb, want_bb);
	cr_expect_eq(xlog_unmount_encode(&f, &w->unmount, w->unmount_tid, rec),
		     bb);
	expect_golden(w->name, "_unmount.rec", rec, bb,
		      xfs_lsn_cycle(w->unmount.lsn));
	free(rec);
	free(sector);
}

/* --- superblock checkpoints --- */

Test(buf_checkpoint_encode, superblock_of_v5)
{
	expect_sb_checkpoint(&v5, 2);
}

Test(buf_checkpoint_encode, superblock_of_large_sectors_is_padded)
{
	expect_sb_checkpoint(&sector4k, 8);
}

Test(buf_checkpoint_encode, superblock_in_big_endian_version_1)
{
	expect_sb_checkpoint(&be_v1, 2);
}

Test(buf_checkpoint_encode, superblock_of_a_32_bit_kernel)
{
	expect_sb_checkpoint(&i386, 2);
}

Test(buf_checkpoint_encode, superblock_in_eight_headers_and_a_stripe_unit)
{
	expect_sb_checkpoint(&be_sunit256k, 512);
}

Test(buf_checkpoint_encode, superblock_in_two_headers)
{
	expect_sb_checkpoint(&headers2, 3);
}

/* The first words of its blocks, which stamps replaced, are put back. */
static uint8_t *load_unpacked(const char *name, struct xlog_form *f,
			      struct xlog_place *p, struct xlog_rec_head *h,
			      uint8_t **golden)
{
	uint32_t header_bb;
	size_t len;
	uint8_t *rec = fixture_new(name, &len);

	xlog_rec_head_decode(h, rec);
	header_bb = xlog_rec_header_bb(h->version, h->size_bytes, true);
	cr_assert_eq(len, (header_bb + bb_from_bytes(h->len_bytes)) * BB_SIZE);
	*f = (struct xlog_form){
		.version = h->version,
		.fmt = h->fmt,
		.size_bytes = h->size_bytes,
		.crc_bytes = XLOG_HEADER_CRC_BYTES,
		.roundoff_bytes = BB_SIZE,
		.log_size_bb = 10240,
		.logv2 = true,
	};
	memcpy(f->uuid, rec + 304, sizeof(f->uuid));
	*p = (struct xlog_place){ h->lsn, h->tail_lsn, h->prev_block };
	*golden = malloc(len);
	cr_assert_not_null(*golden);
	memcpy(*golden, rec, len);
	xlog_rec_unpack(rec, header_bb, rec + header_bb * BB_SIZE,
			h->len_bytes);
	return rec;
}

Test(buf_checkpoint_encode, a_whole_directory_block)
{
	struct xlog_buf_part part = {
		.daddr = 0xc30, .len_bytes = 4096, .chunks = 32,
		.blf_flags = 0x8000,
	};
	struct xlog_rec_head h;
	struct xlog_place p;
	struct xlog_form f;
	uint8_t *golden, *rec, *out = new_buf(10);

	rec = load_unpacked("logenc/buffer.rec", &f, &p, &h, &golden);
	part.image = rec + BB_SIZE + 12 + 28 + 36 + 12;
	cr_expect_eq(xlog_buf_checkpoint_encode(&f, &p, 0xee17e592, &part, out),
		     10);
	cr_expect_arr_eq(out, golden, 10 * BB_SIZE);
	free(out);
	free(rec);
	free(golden);
}

/* The reader, which knows the logs of all kernels, finds them in place. */
Test(buf_checkpoint_encode, chunks_behind_the_first_word_of_the_map)
{
	static uint8_t image[8192], seen[8192], rec[4 * BB_SIZE];
	const struct xlog_buf_part part = {
		.daddr = 640, .image = image, .len_bytes = sizeof(image),
		.first_chunk = 31, .chunks = 3,
	};
	const struct xlog_form f = {
		.version = 2, .fmt = XLOG_FMT_LINUX_BE,
		.size_bytes = 32768, .crc_bytes = XLOG_HEADER_CRC_BYTES,
		.roundoff_bytes = BB_SIZE, .log_size_bb = 1000, .logv2 = true,
	};
	const struct xlog_place p = { LSN(1, 10), LSN(1, 0), 0 };
	const uint8_t *data = rec + BB_SIZE;
	struct xfs_log_region regions[2] = {
		{ data + 12 + 28 + 12, 28 },
		{ data + 12 + 28 + 12 + 28 + 12, 3 * 128 },
	};
	struct xfs_logitem_view view = {
		.regions = regions, .nregions = 2, .order = XFS_BE,
	};
	struct xfs_buf_image got;

	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i * 7 + i / 256);
	cr_assert_eq(xlog_buf_checkpoint_encode(&f, &p, 1, &part, rec), 2);
	xlog_rec_unpack(rec, 1, rec + BB_SIZE, BB_SIZE);
	cr_assert_null(xfs_logitem_verify(&view));
	cr_assert_null(xfs_logitem_buf_image(&view, seen, sizeof(seen), &got));
	cr_expect_eq(got.blf.blf_blkno, 640);
	cr_expect_eq(got.chunks[0], 1u << 31);
	cr_expect_eq(got.chunks[1], 3);
	cr_expect_arr_eq(seen + 31 * 128, image + 31 * 128, 3 * 128);
}

Test(buf_checkpoint_bytes, fits_the_largest_sector)
{
	static uint8_t sector[32768];
	struct xlog_buf_part part = xlog_sb_part(sector, sizeof(sector));

	cr_expect_eq(xlog_buf_checkpoint_bytes(&part),
		     XLOG_SB_CHECKPOINT_MAX_BYTES);
}

/* --- unmount records --- */

Test(unmount_encode, of_v5)
{
	expect_unmount(&v5, 2);
}

Test(unmount_encode, of_large_sectors)
{
	expect_unmount(&sector4k, 8);
}

Test(unmount_encode, in_big_endian_version_1)
{
	expect_unmount(&be_v1, 2);
}

Test(unmount_encode, of_a_32_bit_kernel)
{
	expect_unmount(&i386, 2);
}

Test(unmount_encode, in_eight_headers_and_a_stripe_unit)
{
	expect_unmount(&be_sunit256k, 512);
}

Test(unmount_mkfs_encode, as_mkfs_wrote_it)
{
	uint8_t golden[2 * BB_SIZE], *rec = new_buf(2);
	struct xlog_form f;

	fixture_load("logrec/mkfs_unmount.rec", golden, sizeof(golden));
	f = xlog_form_mkfs(2, XLOG_FMT_LINUX_LE, 1, 10944, golden + 304);
	cr_expect_eq(xlog_form_bb(&f, XLOG_UNMOUNT_BYTES), 2);
	cr_expect_eq(xlog_unmount_mkfs_encode(&f, LSN(1, 0), LSN(1, 0), rec),
		     2);
	cr_expect_arr_eq(rec, golden, sizeof(golden));
	free(rec);
}

/* Sizes that mkfs.xfs 6.13 gave its record for log stripe units. */
Test(form_mkfs, sizes_follow_the_stripe_unit)
{
	static const struct {
		uint32_t version, sunit, h_len, h_size, bb, unmount_block;
	} want[] = {
		{ 1, 0, 512, 32768, 2, 1 },
		{ 2, 0, 512, 32768, 2, 1 },
		{ 2, 4096, 3584, 32768, 8, 1 },
		{ 2, 32768, 32256, 32768, 64, 1 },
		{ 2, 65536, 64512, 65536, 128, 2 },
		{ 2, 262144, 258048, 262144, 512, 8 },
	};
	static const uint8_t uuid[16];

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct xlog_form f = xlog_form_mkfs(want[i].version,
						    XLOG_FMT_LINUX_LE,
						    want[i].sunit, 1 << 20,
						    uuid);
		uint8_t *rec = new_buf(want[i].bb);
		struct xlog_rec_head h;

		cr_assert_eq(xlog_form_bb(&f, XLOG_UNMOUNT_BYTES), want[i].bb);
		cr_expect_eq(xlog_unmount_mkfs_encode(&f, LSN(1, 0), LSN(1, 0),
						      rec), want[i].bb);
		xlog_rec_head_decode(&h, rec);
		cr_expect_eq(h.len_bytes, want[i].h_len, "sunit %u",
			     want[i].sunit);
		cr_expect_eq(h.size_bytes, want[i].h_size);
		cr_expect_eq(h.crc, 0);
		cr_expect_eq(rec[want[i].unmount_block * BB_SIZE + 9],
			     XLOG_UNMOUNT_TRANS);
		free(rec);
	}
}

/* --- records --- */

/*
 * A record that a kernel wrote, taken apart and written again, is the same. If
 * @stale, words of extended headers that stand for no block were left over;
 * some are in the checksum.
 */
static void expect_same_again(const char *name, bool stale)
{
	struct xlog_rec_head h;
	struct xlog_place p;
	struct xlog_form f;
	uint8_t *golden, *rec;
	uint32_t bb;

	rec = load_unpacked(name, &f, &p, &h, &golden);
	memset(rec, 0xa5, xlog_form_header_bb(&f) * BB_SIZE);
	bb = xlog_rec_encode(&f, &p, h.num_ops, rec, h.len_bytes);
	cr_expect_eq(bb, xlog_form_bb(&f, h.len_bytes));
	if (stale) {
		for (uint32_t i = h.len_bytes / BB_SIZE; i < 8 * 64; i++)
			put_be32(golden + i / 64 * BB_SIZE + 4 + 4 * (i % 64),
				 0);
		memcpy(golden + 32, rec + 32, 4);	/* h_crc */
	}
	for (size_t i = 0; i < (size_t)bb * BB_SIZE; i++)
		cr_assert_eq(rec[i], golden[i], "%s: byte %zu", name, i);
	free(rec);
	free(golden);
}

Test(rec_encode, a_record_that_wraps_the_end_of_the_log)
{
	expect_same_again("logenc/wrapped.rec", false);
}

Test(rec_encode, more_blocks_than_one_header_has_words)
{
	expect_same_again("logrec/headers8.rec", true);
}

Test(rec_encode, extended_headers_wrap_too)
{
	static uint8_t rec[(8 + 65) * BB_SIZE];
	const struct xlog_form f = {
		.version = 2, .fmt = XLOG_FMT_LINUX_LE,
		.size_bytes = 262144, .crc_bytes = XLOG_HEADER_CRC_BYTES,
		.roundoff_bytes = BB_SIZE, .log_size_bb = 1000, .logv2 = true,
	};
	const struct xlog_place p = { LSN(7, 997), LSN(7, 900), 990 };

	cr_expect_eq(xlog_rec_encode(&f, &p, 1, rec, 65 * BB_SIZE), 73);
	cr_expect_eq(get_be32(rec + 4), 7);
	cr_expect_eq(get_be32(rec + 2 * BB_SIZE), 7);
	cr_expect_eq(get_be32(rec + 3 * BB_SIZE), 8);
	cr_expect_eq(get_be32(rec + 72 * BB_SIZE), 8);
	cr_expect_eq(get_le32(rec + 32),
		     xlog_rec_crc(rec, XLOG_HEADER_CRC_BYTES, 8,
				  rec + 8 * BB_SIZE, 65 * BB_SIZE, true));
}

/* --- places --- */

Test(cycle_next, is_never_the_magic_of_headers)
{
	cr_expect_eq(xlog_cycle_next(1), 2);
	cr_expect_eq(xlog_cycle_next(0xfeedbabd), 0xfeedbabf);
}

Test(lsn_add, goes_on_in_the_next_cycle)
{
	cr_expect_eq(xlog_lsn_add(LSN(3, 10), 5, 100), LSN(3, 15));
	cr_expect_eq(xlog_lsn_add(LSN(3, 95), 5, 100), LSN(4, 0));
	cr_expect_eq(xlog_lsn_add(LSN(3, 95), 100, 100), LSN(4, 95));
	cr_expect_eq(xlog_lsn_add(LSN(0xfeedbabd, 99), 2, 100),
		     LSN(0xfeedbabf, 1));
}

Test(roundoff_bytes, is_the_stripe_unit_or_else_the_sector)
{
	cr_expect_eq(xlog_roundoff_bytes(true, 0, 0), 512);
	cr_expect_eq(xlog_roundoff_bytes(true, 1, 0), 512);
	cr_expect_eq(xlog_roundoff_bytes(true, 1, 4096), 4096);
	cr_expect_eq(xlog_roundoff_bytes(true, 32768, 4096), 32768);
	cr_expect_eq(xlog_roundoff_bytes(false, 32768, 4096), 512);
}

/* --- fillers --- */

Test(filler_encode, as_mounts_wrote_them)
{
	uint8_t *block = new_buf(1), *sector = load_sb(&v5);
	struct xlog_form f = form_of(&v5, sector);

	xlog_filler_encode(&f, LSN(0, 7700), LSN(1, 2), block);
	expect_golden("v5", "_filler.block", block, 1, 0);
	free(sector);
	sector = load_sb(&be_v1);
	f = form_of(&be_v1, sector);
	xlog_filler_encode(&f, LSN(2, 3593), LSN(2, 8271), block);
	expect_golden("be_v1", "_filler.block", block, 1, 0);
	free(sector);
	free(block);
}
