/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Discarding a log: what the new one is like, that its cycle is above all that
 * was in use, and that the old one is saved first.
 */
#include <errno.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/logenc.h"
#include "libxlog/read/read.h"
#include "tests/lib/memdev.h"
#include "tests/lib/tinyfs.h"

enum {
	PATH_BYTES = PATH_MAX + 256,
	V5_AGNO = 2,		/* the group v5.ag is of */
	AGF_LSN = 208, AGI_LSN = 320, AGFL_LSN = 24, SB_LSN = 240,
};

static struct scratch dir;
static struct reports said;
static char copy[PATH_BYTES];
static struct xlog_open_options opts;
static struct xlog *xlog;

static void begin(void)
{
	scratch_init(&dir);
	snprintf(copy, sizeof(copy), "%s", scratch_path(&dir, "copy"));
	opts.report = reports_add;
	opts.report_ctx = &said;
	opts.flags = XLOG_OPEN_OVERLAY;
}

static void end(void)
{
	xlog_close(xlog);
	scratch_fini(&dir);
}

TestSuite(zero_log, .init = begin, .fini = end);

static void open_fs(const char *path)
{
	cr_assert_eq(xlog_open(path, &opts, &xlog), 0, "%s", said.text);
}

/* A version 4 filesystem whose log has this stripe unit. */
static void open_v4(uint32_t sunit, bool v2)
{
	uint8_t sb[TINYFS_SECTOR];

	tinyfs_sb(sb, true);
	put_be32(sb + 196, sunit);	/* sb_logsunit */
	if (!v2)
		sb[100] &= (uint8_t)~0x04;	/* sb_versionnum: LOGV2 */
	open_fs(tinyfs_sparse(&dir, "fs", sb, sizeof(sb), TINYFS_BYTES));
	cr_assert_eq(xlog->logv2, v2);
}

/* One of version 5, with the headers of its third group at @headers. */
static void open_v5(const uint8_t *headers)
{
	struct xfs_geom geom;
	const char *path;
	struct xfs_sb sb;
	int fd;

	xfs_sb_decode(&sb, headers, TINYFS_SECTOR, XFS_BE);
	xfs_geom_init(&geom, &sb);
	path = tinyfs_sparse(&dir, "fs", headers, TINYFS_SECTOR,
			     (off_t)(sb.sb_dblocks * sb.sb_blocksize));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, headers, 2048, (off_t)xfs_agb_to_daddr(
				    &geom, V5_AGNO, 0) * BB_SIZE), 2048);
	close(fd);
	open_fs(path);
}

static void put_record(uint32_t cycle, uint32_t block, const uint8_t *uuid)
{
	struct xlog_form form = xlog_form_mkfs(2, XLOG_FMT_LINUX_LE, 512,
					       xlog->nbb, uuid);
	uint8_t raw[2 * BB_SIZE];
	uint32_t bb = xlog->nbb - block < 2 ? 1 : 2;

	xlog_unmount_mkfs_encode(&form, xfs_lsn_make(cycle, block),
				 xfs_lsn_make(cycle, block), raw);
	cr_assert_eq(dev_write(xlog->dev, (uint64_t)block * BB_SIZE, raw,
			       bb * BB_SIZE), 0);
}

static int zero(xlog_lsn_t *head)
{
	return xlog_zero_log(xlog, &(struct xlog_save){ .path = copy }, head);
}

/* The cycle of the new log, which is clean and as long as the old. */
static uint32_t new_cycle(void)
{
	struct xlog_bounds b;
	xlog_lsn_t head;

	cr_assert_eq(zero(&head), 0, "%s", said.text);
	cr_assert_eq(unlink(copy), 0);
	cr_assert_eq(said.errors, 0, "%s", said.text);
	cr_assert(strstr(said.text, "run xfs_repair"));
	memset(&said, 0, sizeof(said));
	cr_assert_eq(xlog_find(xlog, 0, &b), 0);
	cr_assert_eq(b.state, XLOG_CLEAN);
	cr_assert_eq(b.head, head);
	cr_assert_eq(b.refused[0], '\0');
	return xlog_lsn_cycle(head);
}

/* Every block bears the cycle of its record, and nothing else is there. */
static void check_blocks(uint32_t cycle, uint32_t record_bb)
{
	for (uint32_t b = 0; b < xlog->nbb; b++) {
		uint8_t raw[BB_SIZE];

		cr_assert_eq(xlog_read_raw(xlog, b, 1, raw), 0);
		cr_assert_eq(xlog_block_cycle(raw), b < record_bb ? cycle :
			     cycle - 1, "block %u", b);
		if (b % record_bb == 0)
			cr_assert(xlog_is_rec_header(raw), "block %u", b);
	}
}

Test(zero_log, goes_on_in_the_next_cycle)
{
	open_v4(1, true);
	put_record(7, 0, xlog->info.uuid);
	put_record(6, 1000, xlog->info.uuid);
	cr_assert_eq(new_cycle(), 8);
	check_blocks(8, 2);
	cr_assert_eq(new_cycle(), 9);
}

Test(zero_log, starts_an_empty_log_in_the_first)
{
	uint8_t raw[BB_SIZE];

	open_v4(1, true);
	cr_assert_eq(new_cycle(), 1);
	for (uint32_t b = 2; b < xlog->nbb; b += 777) {
		cr_assert_eq(xlog_read_raw(xlog, b, 1, raw), 0);
		cr_assert(dev_is_zero(raw, sizeof(raw)));
	}
	cr_assert_eq(new_cycle(), 2);
}

Test(zero_log, fits_the_stripe_unit)
{
	open_v4(32768, true);
	put_record(3, 0, xlog->info.uuid);
	cr_assert_eq(new_cycle(), 4);
	check_blocks(4, 64);
}

/* 16384 blocks and records of 24: the last has 16. */
Test(zero_log, ends_with_a_record_that_fits)
{
	uint8_t raw[BB_SIZE];
	uint32_t last;

	open_v4(12288, true);
	put_record(3, 0, xlog->info.uuid);
	last = xlog->nbb / 24 * 24;
	cr_assert_eq(xlog->nbb - last, 16);
	cr_assert_eq(new_cycle(), 4);
	check_blocks(4, 24);
	cr_assert_eq(xlog_read_raw(xlog, last, 1, raw), 0);
	cr_assert_eq(get_be32(raw + 12), 15 * BB_SIZE);	/* h_len */
}

Test(zero_log, of_version_1_is_made_too)
{
	open_v4(0, false);
	put_record(3, 0, xlog->info.uuid);
	cr_assert_eq(new_cycle(), 4);
	check_blocks(4, 2);
}

/* Blocks of 512 bytes: the log may have an odd number of them. */
Test(zero_log, of_an_odd_length_ends_with_an_empty_header)
{
	uint8_t raw[BB_SIZE];

	open_v4(1, true);
	xlog->nbb = --xlog->info.log_size_bb;
	put_record(3, 0, xlog->info.uuid);
	cr_assert_eq(new_cycle(), 4);
	cr_assert_eq(xlog_read_raw(xlog, xlog->nbb - 1, 1, raw), 0);
	cr_assert(xlog_is_rec_header(raw));
	cr_assert_eq(xlog_block_cycle(raw), 3);
}

Test(zero_log, counts_a_record_that_goes_on_in_the_next_lap)
{
	open_v4(1, true);
	put_record(7, xlog->nbb - 1, xlog->info.uuid);
	cr_assert_eq(new_cycle(), 9);
}

/* What only looks like a header has no say. */
Test(zero_log, ignores_headers_out_of_place)
{
	uint8_t foreign[16] = { 1 }, raw[BB_SIZE];

	open_v4(1, true);
	put_record(7, 0, xlog->info.uuid);
	put_record(70, 100, foreign);
	put_record(80, 200, xlog->info.uuid);
	cr_assert_eq(xlog_read_raw(xlog, 200, 1, raw), 0);
	cr_assert_eq(dev_write(xlog->dev, 201 * BB_SIZE, raw, BB_SIZE), 0);
	cr_assert_eq(dev_zero(xlog->dev, 200 * BB_SIZE, BB_SIZE), 0);
	cr_assert_eq(new_cycle(), 8);
}

Test(zero_log, refuses_when_cycles_are_used_up)
{
	open_v4(1, true);
	put_record(0x7fffffff, 0, xlog->info.uuid);
	cr_assert_eq(zero(NULL), -EUCLEAN);
	assert_said(&said, "none above it");
	cr_assert_neq(access(copy, F_OK), 0);
}

/* --- version 5: the cycle of metadata --- */

static void set_lsn(uint8_t *sector, size_t off, size_t crc_off,
		    uint32_t cycle)
{
	put_be64(sector + off, xfs_lsn_make(cycle, 100));
	put_le32(sector + crc_off, xfs_crc_block(sector, TINYFS_SECTOR,
						 crc_off));
}

Test(zero_log, is_above_the_headers_of_all_groups)
{
	static const struct {
		size_t sector, off, crc_off;
	} place[] = {
		{ 0, SB_LSN, XFS_SB_CRC_OFF },
		{ 512, AGF_LSN, XFS_AGF_CRC_OFF },
		{ 1024, AGI_LSN, XFS_AGI_CRC_OFF },
		{ 1536, AGFL_LSN, XFS_AGFL_CRC_OFF },
	};
	uint8_t headers[2048];

	for (size_t i = 0; i < 4; i++) {
		fixture_load("ag/v5.ag", headers, sizeof(headers));
		set_lsn(headers + place[i].sector, place[i].off,
			place[i].crc_off, 500);
		open_v5(headers);
		put_record(7, 0, xlog->info.uuid);
		cr_assert_eq(new_cycle(), 501, "%zu", i);
		xlog_close(xlog);
		/* what has a wrong checksum is anything */
		headers[place[i].sector + place[i].off + 7] ^= 1;
		if (i) {
			open_v5(headers);
			put_record(7, 0, xlog->info.uuid);
			cr_assert_eq(new_cycle(), 8, "%zu", i);
			xlog_close(xlog);
		}
		xlog = NULL;
	}
}

/* --- the copy --- */

static uint8_t *log_now(void)
{
	uint8_t *bytes = malloc(TINYFS_LOG_BYTES);

	cr_assert_not_null(bytes);
	cr_assert_eq(dev_read(xlog->dev, 0, bytes, TINYFS_LOG_BYTES), 0);
	return bytes;
}

Test(zero_log, leaves_a_copy_that_can_be_put_back)
{
	uint8_t *was, *is;

	open_v4(1, true);
	put_record(7, 0, xlog->info.uuid);
	was = log_now();
	cr_assert_eq(zero(NULL), 0);
	cr_assert_eq(xlog_restore_log(xlog, &(struct xlog_restore){
					      .path = copy }), 0);
	is = log_now();
	cr_assert_eq(memcmp(was, is, TINYFS_LOG_BYTES), 0);
	free(was);
	free(is);
}

Test(zero_log, writes_nothing_without_a_copy)
{
	uint8_t *was, *is;

	open_v4(1, true);
	put_record(7, 0, xlog->info.uuid);
	was = log_now();
	cr_assert_eq(xlog_zero_log(xlog, NULL, NULL), -EINVAL);
	assert_said(&said, "without a copy");
	cr_assert_eq(xlog_zero_log(xlog, &(struct xlog_save){ .path = NULL },
				   NULL), -EINVAL);
	assert_said(&said, "without a copy");
	scratch_file(&dir, "copy", "precious", 8);
	cr_assert_eq(zero(NULL), -EEXIST);
	assert_said(&said, "copy: is there already");
	is = log_now();
	cr_assert_eq(memcmp(was, is, TINYFS_LOG_BYTES), 0);
	free(was);
	free(is);
}

/* The calls of a run on a real file, in order. */
static char calls[64];

static void note(char what)
{
	size_t n = strlen(calls);

	/* a row of writes counts as one */
	if (n + 1 < sizeof(calls) && (what != 'w' || !n ||
				      calls[n - 1] != 'w'))
		calls[n] = what;
}

int fdatasync(int fd)
{
	struct stat st, of_copy;

	cr_assert_eq(fstat(fd, &st), 0);
	note(!stat(copy, &of_copy) && st.st_ino == of_copy.st_ino ? 'c' :
	     'f');
	return 0;
}

int fsync(int fd)
{
	(void)fd;
	note('n');
	return 0;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t at)
{
	struct stat st, of_copy;

	cr_assert_eq(fstat(fd, &st), 0);
	if (stat(copy, &of_copy) || st.st_ino != of_copy.st_ino)
		note('w');
	cr_assert_eq(lseek(fd, at, SEEK_SET), at);
	return write(fd, buf, len);
}

Test(zero_log, flushes_the_copy_and_its_name_before_the_first_write)
{
	opts.flags = XLOG_OPEN_WRITE;
	open_v4(1, true);
	put_record(7, 0, xlog->info.uuid);
	memset(calls, 0, sizeof(calls));
	cr_assert_eq(zero(NULL), 0);
	/* copy, name; the first sector, all but it, that again; each flushed */
	cr_assert_str_eq(calls, "cnwfwfwf");
}
