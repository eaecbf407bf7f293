/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records as kernels and mkfs wrote them; tests/fixtures/README.md says which
 * and how they were cut out. The checksums are the writers' own. What is in
 * the records is what "xfs_logprint -s BLOCK IMAGE" prints for them, for the
 * big-endian ones what the same tool printed on that machine.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/logrec.h"

enum { ROOM = 256 * 1024 + 8 * BB_SIZE };

static uint8_t rec[ROOM];

/* Reads tests/fixtures/logrec/@name to the start of rec, zeros behind it. */
static size_t load(const char *name)
{
	const char *dir = getenv("FIXTURES");
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/logrec/%s",
		 dir ? dir : "tests/fixtures", name);
	f = fopen(path, "rb");
	cr_assert_not_null(f);
	memset(rec, 0, sizeof(rec));
	n = fread(rec, 1, sizeof(rec), f);
	fclose(f);
	return n;
}

static struct xlog_rec_head head(void)
{
	struct xlog_rec_head h;

	xlog_rec_head_decode(&h, rec);
	return h;
}

static uint32_t crc(uint32_t header_bytes, bool logv2)
{
	struct xlog_rec_head h = head();
	uint32_t bb = xlog_rec_header_bb(h.version, h.size_bytes, logv2);

	return xlog_rec_crc(rec, header_bytes, bb, rec + bb * BB_SIZE,
			    h.len_bytes, logv2);
}

/*
 * Operations that follow one another in the data of the record at rec, until
 * their headers stop making sense; *@last is the last good one.
 */
static uint32_t count_ops(struct xlog_op_header *last, bool logv2)
{
	struct xlog_rec_head h = head();
	uint32_t bb = xlog_rec_header_bb(h.version, h.size_bytes, logv2);
	uint8_t *data = rec + bb * BB_SIZE;
	uint32_t n = 0, at = 0;

	xlog_rec_unpack(rec, bb, data, h.len_bytes);
	while (n < h.num_ops && h.len_bytes - at >= xlog_op_header_size) {
		struct xlog_op_header op;

		xlog_op_header_decode(&op, data + at, xlog_op_header_size,
				      XFS_BE);
		at += xlog_op_header_size;
		if (xlog_op_header_verify(&op, h.len_bytes - at))
			break;
		at += op.oh_len;
		*last = op;
		n++;
	}
	return n;
}

/* --- a record of an i386 kernel --- */

Test(rec_head_decode, gives_what_readers_need)
{
	struct xlog_rec_head h;

	load("i386_324.rec");
	h = head();
	cr_expect(xlog_is_rec_header(rec));
	cr_expect_eq(h.cycle, 1);
	cr_expect_eq(h.version, XLOG_VERSION_2);
	cr_expect_eq(h.len_bytes, 1024);
	cr_expect_eq(h.lsn, xfs_lsn_make(1, 1268));
	cr_expect_eq(h.tail_lsn, xfs_lsn_make(1, 2));
	cr_expect_eq(h.prev_block, 1204);
	cr_expect_eq(h.num_ops, 8);
	cr_expect_eq(h.fmt, XLOG_FMT_LINUX_LE);
	cr_expect_eq(h.size_bytes, 32768);
	cr_expect_eq(h.crc, 0xc19b66c4);
}

Test(rec_header_decode, agrees_with_the_short_form)
{
	struct xlog_rec_header full;
	struct xlog_rec_head h;

	load("headers8.rec");
	xlog_rec_header_decode(&full, rec, BB_SIZE, XFS_BE);
	h = head();
	cr_expect_eq(full.h_magicno, XLOG_MAGIC);
	cr_expect_eq(full.h_cycle, h.cycle);
	cr_expect_eq(full.h_version, h.version);
	cr_expect_eq(full.h_len, h.len_bytes);
	cr_expect_eq(full.h_lsn, h.lsn);
	cr_expect_eq(full.h_tail_lsn, h.tail_lsn);
	cr_expect_eq(full.h_crc, h.crc);
	cr_expect_eq(full.h_prev_block, h.prev_block);
	cr_expect_eq(full.h_num_logops, h.num_ops);
	cr_expect_eq(full.h_fmt, h.fmt);
	cr_expect_eq(full.h_size, h.size_bytes);
	/* f64cbb7a-2829-4179-8e51-71d55fcac087 */
	cr_expect_eq(get_be32(full.h_fs_uuid), 0xf64cbb7a);
	cr_expect_eq(get_be32(full.h_fs_uuid + 12), 0x5fcac087);
	/* the second block of the data began with this before stamping */
	cr_expect_eq(full.h_cycle_data[1], 0x00300000);
}

Test(rec_ext_header_decode, gives_cycle_and_saved_words)
{
	struct xlog_rec_ext_header ext;

	load("headers8.rec");
	xlog_rec_ext_header_decode(&ext, rec + BB_SIZE, BB_SIZE, XFS_BE);
	cr_expect_eq(ext.xh_cycle, 1);
	cr_expect_eq(ext.xh_cycle_data[0], get_be32(rec + BB_SIZE + 4));
	cr_expect_eq(ext.xh_cycle_data[63], get_be32(rec + BB_SIZE + 256));
}

Test(rec_crc, of_a_32_bit_kernel_covers_324_header_bytes)
{
	load("i386_324.rec");
	cr_expect_eq(crc(XLOG_HEADER_CRC_BYTES_I386, true), head().crc);
	cr_expect_neq(crc(XLOG_HEADER_CRC_BYTES, true), head().crc);
}

Test(rec_crc, of_a_64_bit_kernel_covers_328_header_bytes)
{
	load("headers8.rec");
	cr_expect_eq(head().crc, 0x87c33d47);
	cr_expect_eq(crc(XLOG_HEADER_CRC_BYTES, true), head().crc);
	cr_expect_neq(crc(XLOG_HEADER_CRC_BYTES_I386, true), head().crc);
}

/* 33792 bytes of data reach into the second of eight headers. */
Test(rec_crc, covers_the_extended_headers_that_data_reaches_into)
{
	load("headers8.rec");
	rec[1 * BB_SIZE + 4] ^= 1;
	cr_expect_neq(crc(XLOG_HEADER_CRC_BYTES, true), head().crc);
	rec[1 * BB_SIZE + 4] ^= 1;
	rec[1 * BB_SIZE + XLOG_EXT_CRC_BYTES] ^= 1;
	cr_expect_eq(crc(XLOG_HEADER_CRC_BYTES, true), head().crc);
	rec[2 * BB_SIZE + 4] ^= 1;
	cr_expect_eq(crc(XLOG_HEADER_CRC_BYTES, true), head().crc);
}

Test(rec_crc, changes_with_every_byte_it_covers)
{
	uint32_t want;

	load("i386_324.rec");
	want = head().crc;
	for (size_t i = 0; i < BB_SIZE + 1024; i++) {
		bool covered = i < XLOG_HEADER_CRC_BYTES_I386 ? i < 32 || i > 35
							      : i >= BB_SIZE;

		/* these say how much there is to sum */
		if (i >= 12 && i < 16)
			continue;
		rec[i] ^= 0x10;
		if (i >= 320 && i < 324)
			cr_expect_neq(xlog_rec_crc(rec, 324, 1, rec + BB_SIZE,
						   1024, true), want);
		else
			cr_expect_eq(crc(XLOG_HEADER_CRC_BYTES_I386, true) ==
				     want, !covered);
		rec[i] ^= 0x10;
	}
}

/* A v1 record is not padded: 100 bytes count, in a block of 512. */
Test(rec_crc, of_a_v1_log_covers_the_unpadded_data)
{
	load("v1_unpadded.rec");
	cr_expect_eq(head().version, XLOG_VERSION_1);
	cr_expect_eq(head().len_bytes, 100);
	cr_expect_eq(head().lsn, xfs_lsn_make(2, 7973));
	cr_expect_eq(head().fmt, XLOG_FMT_LINUX_BE);
	cr_expect_eq(crc(XLOG_HEADER_CRC_BYTES, false), head().crc);
	rec[BB_SIZE + 99] ^= 1;
	cr_expect_neq(crc(XLOG_HEADER_CRC_BYTES, false), head().crc);
	rec[BB_SIZE + 99] ^= 1;
	rec[BB_SIZE + 100] ^= 1;
	cr_expect_eq(crc(XLOG_HEADER_CRC_BYTES, false), head().crc);
}

/*
 * The fixture has the headers and three blocks; the other 501 of this record
 * were nothing but their stamp, in a log padded to 256 KiB.
 */
Test(rec_crc, of_a_big_endian_kernel_with_padding_to_the_stripe)
{
	size_t n = load("be_sunit256k.rec");

	cr_assert_eq(n, 11 * BB_SIZE);
	cr_expect_eq(head().len_bytes, 258048);
	cr_expect_eq(head().fmt, XLOG_FMT_LINUX_BE);
	cr_expect_eq(head().size_bytes, XLOG_MAX_RECORD_BYTES);
	for (size_t at = n; at < ROOM; at += BB_SIZE)
		put_be32(rec + at, 1);
	cr_expect_eq(crc(XLOG_HEADER_CRC_BYTES, true), head().crc);
	cr_expect_eq(head().crc, 0xe34e3829);
}

Test(rec_unpack, puts_back_words_of_the_header)
{
	struct xlog_op_header last;

	load("i386_324.rec");
	cr_expect_eq(get_be32(rec + BB_SIZE), 1);
	cr_expect_eq(count_ops(&last, true), 8);
	cr_expect_eq(last.oh_tid, 0x3649240a);
	cr_expect_eq(last.oh_flags, XLOG_COMMIT_TRANS);
	cr_expect_eq(last.oh_clientid, XLOG_CLIENT_TRANSACTION);
}

/* The last operations lie in blocks 64 and 65, saved in an extension. */
Test(rec_unpack, puts_back_words_of_extended_headers)
{
	struct xlog_op_header last;

	load("headers8.rec");
	cr_expect_eq(count_ops(&last, true), 342);
	cr_expect_eq(last.oh_tid, 0xdff61446);
	cr_expect_eq(last.oh_len, 0);
	cr_expect_eq(last.oh_flags, XLOG_COMMIT_TRANS);
}

Test(rec_unpack, restores_the_last_block_of_a_v1_record)
{
	struct xlog_op_header last;

	load("v1_unpadded.rec");
	cr_expect_eq(count_ops(&last, false), 3);
	cr_expect_eq(last.oh_tid, 0x6cf26d6c);
	cr_expect_eq(last.oh_flags, XLOG_COMMIT_TRANS);
}

Test(rec_unpack, takes_each_word_from_its_slot)
{
	static uint8_t header[3 * BB_SIZE], data[130 * BB_SIZE];

	for (uint32_t i = 0; i < 64; i++) {
		put_be32(header + 44 + 4 * i, 1000 + i);
		put_be32(header + BB_SIZE + 4 + 4 * i, 1064 + i);
		put_be32(header + 2 * BB_SIZE + 4 + 4 * i, 1128 + i);
	}
	memset(data, 0xaa, sizeof(data));
	/* one byte of block 128 counts for the whole of it; 129 is not ours */
	xlog_rec_unpack(header, 3, data, 128 * BB_SIZE + 1);
	for (uint32_t i = 0; i < 129; i++)
		cr_expect_eq(get_be32(data + i * BB_SIZE), 1000 + i);
	cr_expect_eq(get_be32(data + 129 * BB_SIZE), 0xaaaaaaaa);
	cr_expect_eq(data[4], 0xaa);
}

Test(rec_unpack, does_not_look_behind_the_headers)
{
	static uint8_t header[BB_SIZE], data[66 * BB_SIZE];

	memset(header, 0x11, sizeof(header));
	memset(data, 0xaa, sizeof(data));
	xlog_rec_unpack(header, 1, data, sizeof(data));
	cr_expect_eq(get_be32(data + 63 * BB_SIZE), 0x11111111);
	cr_expect_eq(get_be32(data + 64 * BB_SIZE), 0xaaaaaaaa);
}

Test(rec_unmount, of_mkfs_has_no_checksum)
{
	struct xlog_op_header last;
	struct xfs_unmount um;

	load("mkfs_unmount.rec");
	cr_expect_eq(head().crc, 0);
	cr_expect_eq(head().prev_block, 0xffffffff);
	cr_expect_eq(count_ops(&last, true), 1);
	cr_expect_eq(last.oh_tid, 0xb0c0d0d0);
	cr_expect_eq(last.oh_len, 8);
	cr_expect_eq(last.oh_clientid, XLOG_CLIENT_LOG);
	cr_expect_eq(last.oh_flags, XLOG_UNMOUNT_TRANS);
	xfs_unmount_decode(&um, rec + BB_SIZE + xlog_op_header_size, 8,
			   XFS_LE);
	cr_expect_eq(um.um_magic, XFS_UNMOUNT_MAGIC);
}

/* --- rules --- */

Test(rec_header_bb, counts_one_for_each_32_kib_of_the_buffer)
{
	cr_expect_eq(xlog_rec_header_bb(2, 0, true), 1);
	cr_expect_eq(xlog_rec_header_bb(2, 16384, true), 1);
	cr_expect_eq(xlog_rec_header_bb(2, 32768, true), 1);
	cr_expect_eq(xlog_rec_header_bb(2, 32769, true), 2);
	cr_expect_eq(xlog_rec_header_bb(2, 65536, true), 2);
	cr_expect_eq(xlog_rec_header_bb(2, 262144, true), 8);
	cr_expect_eq(xlog_rec_header_bb(3, 262144, true), 8);
	cr_expect_eq(xlog_rec_header_bb(2, UINT32_MAX, true), 131072);
}

Test(rec_header_bb, is_one_if_log_or_record_is_version_1)
{
	cr_expect_eq(xlog_rec_header_bb(2, 262144, false), 1);
	cr_expect_eq(xlog_rec_header_bb(1, 262144, true), 1);
}

Test(block_cycle, stands_behind_the_magic_of_a_header)
{
	uint8_t block[8] = { 0xfe, 0xed, 0xba, 0xbe, 0, 0, 0, 9 };

	cr_expect(xlog_is_rec_header(block));
	cr_expect_eq(xlog_block_cycle(block), 9);
	block[0] = 0;
	cr_expect_not(xlog_is_rec_header(block));
	cr_expect_eq(xlog_block_cycle(block), 0x00edbabe);
}

static struct xlog_rec_head sound_head(void)
{
	load("headers8.rec");
	return head();
}

static const char *verdict(const struct xlog_rec_head *h)
{
	return xlog_rec_head_verify(h, true, 5573, 10944,
				    XLOG_MAX_RECORD_BYTES);
}

Test(rec_head_verify, accepts_records_of_kernels_and_mkfs)
{
	struct xlog_rec_head h = sound_head();

	cr_expect_null(verdict(&h));
	load("mkfs_unmount.rec");
	h = head();
	cr_expect_null(xlog_rec_head_verify(&h, true, 0, 10944, 32768));
	load("v1_unpadded.rec");
	h = head();
	cr_expect_null(xlog_rec_head_verify(&h, false, 7973, 8192, 32768));
}

Test(rec_head_verify, refuses_unknown_versions)
{
	struct xlog_rec_head h = sound_head();

	h.version = 0;
	cr_expect_str_eq(verdict(&h), "unknown record version");
	h.version = 4;
	cr_expect_str_eq(verdict(&h), "unknown record version");
	h.version = 3;
	cr_expect_null(verdict(&h));
}

Test(rec_head_verify, refuses_impossible_lengths)
{
	struct xlog_rec_head h = sound_head();

	h.len_bytes = 0;
	cr_expect_str_eq(verdict(&h), "record length out of range");
	h.len_bytes = XLOG_MAX_RECORD_BYTES + 1;
	cr_expect_str_eq(verdict(&h), "record length out of range");
	h.len_bytes = UINT32_MAX;
	cr_expect_str_eq(verdict(&h), "record length out of range");
	h = sound_head();
	h.size_bytes = XLOG_MAX_RECORD_BYTES + 1;
	cr_expect_str_eq(verdict(&h), "record buffer size out of range");
}

Test(rec_head_verify, refuses_what_the_log_has_no_room_for)
{
	struct xlog_rec_head h = sound_head();

	cr_expect_str_eq(xlog_rec_head_verify(&h, true, 10944, 10944, 65536),
			 "record outside the log");
	/* 8 headers and 66 blocks of data */
	cr_expect_null(xlog_rec_head_verify(&h, true, 0, 74, 65536));
	cr_expect_str_eq(xlog_rec_head_verify(&h, true, 0, 73, 65536),
			 "record larger than the log");
}

Test(op_header_verify, refuses_unknown_clients_and_lengths_past_the_end)
{
	struct xlog_op_header op = {
		.oh_len = 128, .oh_clientid = XLOG_CLIENT_TRANSACTION,
	};

	cr_expect_null(xlog_op_header_verify(&op, 128));
	cr_expect_str_eq(xlog_op_header_verify(&op, 127), "bad length");
	op.oh_clientid = XLOG_CLIENT_LOG;
	cr_expect_null(xlog_op_header_verify(&op, 128));
	op.oh_clientid = 0;
	cr_expect_str_eq(xlog_op_header_verify(&op, 128), "bad client");
}
