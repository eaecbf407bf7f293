/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * INODE items: which of them count, and what of an inode they change.
 */
#include "libxfsfmt/crc32c.h"
#include "tests/lib/testfs.h"

enum {
	INODE_MAX = 512,
	CHUNK = 128,
	UNLINKED = 96,
	LSN = 112,
	V3_FORK = 176,
	V2_FORK = 100,
};

static struct testfs *fs;
static xfs_ino_t ino;
static uint8_t raw[INODE_MAX], found[INODE_MAX];
static size_t inodesize;

static void open_v5(void)
{
	fs = testfs_open("linux618/never");
	ino = 128 + 10;
	inodesize = 512;
}

static void open_v4(void)
{
	fs = testfs_open("other/v4-noflush");
	testfs_erase_log(fs);
	ino = 128 + 10;
	inodesize = 256;
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(replay_inode, .init = open_v5, .fini = close_fs);
TestSuite(replay_inode_v4, .init = open_v4, .fini = close_fs);

/* The LSN that the next record will have. */
static xfs_lsn_t next_lsn(void)
{
	struct xlog_bounds b;

	cr_assert_eq(xlog_find(fs->log, 0, &b), 0);
	return b.head;
}

/* A file of @size bytes lies on disk. */
static void on_disk(xfs_lsn_t lsn, uint64_t size)
{
	testfs_file(fs, raw, ino, lsn, size);
	testfs_inode_poke(fs, ino, raw);
}

/* An item that makes it a file of @size bytes. */
static void log_file(struct testcp *cp, xfs_ino_t which, uint64_t size)
{
	uint8_t core[INODE_MAX];

	testfs_file(fs, core, which, 7, size);
	testcp_inode(cp, &(struct testinode){ .ino = which, .raw = core });
}

static xfs_lsn_t write_file_of(xfs_ino_t which, uint64_t size)
{
	struct testcp *cp = testcp_new(fs);

	log_file(cp, which, size);
	return testcp_write(cp);
}

static xfs_lsn_t write_file(uint64_t size)
{
	return write_file_of(ino, size);
}

static uint64_t size_now(void)
{
	testfs_inode_peek(fs, ino, found);
	return get_be64(found + 56);
}

/* --- the LSN rule --- */

Test(replay_inode, an_item_of_the_lsn_of_the_inode_applies)
{
	struct xlog_recover_result res;
	xfs_lsn_t lsn = next_lsn();

	on_disk(lsn, 111);
	cr_assert_eq(write_file(222), lsn);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(size_now(), 222);
	cr_expect_eq(get_be64(found + LSN), lsn);
	cr_expect_eq(res.inodes, 1);
	cr_expect_eq(res.newer, 0);
}

Test(replay_inode, an_older_item_does_not)
{
	struct xlog_recover_result res;
	xfs_lsn_t lsn = write_file(222);

	write_file_of(ino + 1, 333);
	on_disk(lsn + 1, 111);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(size_now(), 111);
	cr_expect_eq(get_be64(found + LSN), lsn + 1);
	cr_expect_eq(res.newer, 1);
	cr_expect_eq(res.inodes, 1);
}

Test(replay_inode, a_newer_item_applies_and_is_stamped)
{
	xfs_lsn_t lsn = write_file(222);

	on_disk(lsn - 1, 111);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(size_now(), 222);
	cr_expect_eq(get_be64(found + LSN), lsn);
	cr_expect(xfs_crc_ok(found, inodesize, 100));
}

Test(replay_inode, an_lsn_of_zero_or_none_is_no_lsn)
{
	xfs_lsn_t lsn = write_file(222);

	on_disk(0, 111);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(size_now(), 222);
	on_disk(XFS_NULL_LSN, 111);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(size_now(), 222);
	cr_expect_eq(get_be64(found + LSN), lsn);
}

Test(replay_inode, two_checkpoints_of_one_lsn_both_apply)
{
	struct testcp *a = testcp_new(fs), *b = testcp_new(fs);
	struct xlog_recover_result res;

	on_disk(1, 111);
	testcp_start(a);
	testcp_start(b);
	log_file(a, ino, 222);
	log_file(b, ino, 333);
	testcp_body(a);
	testcp_commit(a);
	testfs_record(fs);
	testcp_body(b);
	testcp_commit(b);
	testfs_record(fs);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(size_now(), 333);
	cr_expect_eq(res.inodes, 2);
}

Test(replay_inode, one_at_rest_in_the_same_buffer_is_left_alone)
{
	uint8_t next[INODE_MAX], next_after[INODE_MAX];

	on_disk(1, 111);
	testfs_inode_peek(fs, ino + 1, next);
	write_file(222);
	testfs_replay(fs, NULL, NULL);
	testfs_inode_peek(fs, ino + 1, next_after);
	cr_expect_arr_eq(next, next_after, inodesize);
}

/* --- what an item changes --- */

/* Values in every field that a core can have. */
static void full_core(uint8_t *p, bool big)
{
	testfs_file(fs, p, ino, 7, 0x123456789a);
	put_be32(p + 8, 0x01020304);		/* uid */
	put_be32(p + 12, 0x11121314);
	put_be32(p + 16, 0x21222324);
	put_be16(p + 20, 0x3132);
	put_be16(p + 22, 0x3334);
	for (size_t t = 32; t < 56; t++)
		p[t] = (uint8_t)t;
	put_be64(p + 64, 12345);		/* blocks */
	put_be32(p + 72, 16);
	p[82] = 24;				/* attribute fork */
	put_be32(p + 84, 0x41424344);
	put_be16(p + 88, 0x4546);
	put_be16(p + 90, XFS_DIFLAG_NOATIME | XFS_DIFLAG_EXTSIZE);
	put_be32(p + 92, 0x51525354);
	put_be64(p + 104, 0x6162636465666768);
	put_be64(p + 120, big ? XFS_DIFLAG2_BIGTIME : 0);
	put_be32(p + 128, 0x71727374);
	for (size_t t = 144; t < 152; t++)
		p[t] = (uint8_t)t;
	testfs_inode_sum(fs, p);
}

static void core_is_replayed(enum xfs_order order, bool big)
{
	uint8_t core[INODE_MAX];
	struct testcp *cp;
	xfs_lsn_t lsn;

	fs->order = order;
	testfs_file(fs, raw, ino, 1, 111);
	memset(raw + V3_FORK, 0x5e, inodesize - V3_FORK);
	put_be32(raw + UNLINKED, 140);
	testfs_inode_sum(fs, raw);
	testfs_inode_poke(fs, ino, raw);
	full_core(core, big);
	cp = testcp_new(fs);
	testcp_inode(cp, &(struct testinode){ .ino = ino, .raw = core });
	lsn = testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_inode_peek(fs, ino, found);
	/* the same bytes, but for list, LSN, checksum and forks */
	memcpy(raw, core, V3_FORK);
	put_be32(raw + UNLINKED, 140);
	put_be64(raw + LSN, lsn);
	testfs_inode_sum(fs, raw);
	cr_expect_arr_eq(found, raw, inodesize);
}

Test(replay_inode, a_core_of_a_little_endian_writer)
{
	core_is_replayed(XFS_LE, true);
}

Test(replay_inode, a_core_of_a_big_endian_writer)
{
	core_is_replayed(XFS_BE, true);
}

Test(replay_inode, a_core_with_times_of_32_bits)
{
	core_is_replayed(XFS_LE, false);
}

Test(replay_inode, a_core_with_times_of_32_bits_big_endian)
{
	core_is_replayed(XFS_BE, false);
}

Test(replay_inode, forks_are_replaced_as_far_as_they_were_logged)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t core[INODE_MAX], fork[20], afork[24];
	size_t attr_off = V3_FORK + 24 * 8;

	testfs_file(fs, raw, ino, 1, 10);
	memset(raw + V3_FORK, 0x5e, inodesize - V3_FORK);
	testfs_inode_sum(fs, raw);
	testfs_inode_poke(fs, ino, raw);
	testfs_file(fs, core, ino, 7, 18);
	put_be16(core + 2, 0120777);
	core[5] = core[83] = XFS_DINODE_FMT_LOCAL;
	core[82] = 24;
	memset(fork, 'd', sizeof(fork));
	memset(afork, 'a', sizeof(afork));
	testcp_inode(cp, &(struct testinode){
		.ino = ino, .raw = core,
		.fields = XFS_ILOG_DDATA | XFS_ILOG_ADATA,
		.dfork = fork, .dfork_bytes = 18,
		.afork = afork, .afork_bytes = 24 });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_inode_peek(fs, ino, found);
	cr_expect_arr_eq(found + V3_FORK, fork, 18);
	cr_expect_eq(found[V3_FORK + 18], 0);	/* padding of the region */
	cr_expect_eq(found[V3_FORK + 20], 0x5e);
	cr_expect_eq(found[attr_off - 1], 0x5e);
	cr_expect_arr_eq(found + attr_off, afork, 24);
	cr_expect_eq(found[attr_off + 24], 0x5e);
}

Test(replay_inode, an_attribute_fork_alone_leaves_the_data_fork)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t core[INODE_MAX], afork[8] = "aaaaaaaa";

	testfs_file(fs, raw, ino, 1, 10);
	memset(raw + V3_FORK, 0x5e, inodesize - V3_FORK);
	testfs_inode_sum(fs, raw);
	testfs_inode_poke(fs, ino, raw);
	testfs_file(fs, core, ino, 7, 10);
	core[82] = 16;
	core[83] = XFS_DINODE_FMT_LOCAL;
	testcp_inode(cp, &(struct testinode){
		.ino = ino, .raw = core, .fields = XFS_ILOG_ADATA,
		.afork = afork, .afork_bytes = 8 });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_inode_peek(fs, ino, found);
	cr_expect_eq(found[V3_FORK], 0x5e);
	cr_expect_eq(found[V3_FORK + 127], 0x5e);
	cr_expect_arr_eq(found + V3_FORK + 128, afork, 8);
}

static void device_is_replayed(enum xfs_order order)
{
	uint8_t core[INODE_MAX];
	struct testcp *cp;

	fs->order = order;
	on_disk(1, 0);
	testfs_file(fs, core, ino, 7, 0);
	put_be16(core + 2, 0020600);
	core[5] = XFS_DINODE_FMT_DEV;
	cp = testcp_new(fs);
	testcp_inode(cp, &(struct testinode){
		.ino = ino, .raw = core, .fields = XFS_ILOG_DEV,
		.rdev = 0x01020304 });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_inode_peek(fs, ino, found);
	cr_expect_eq(get_be32(found + V3_FORK), 0x01020304);
	cr_expect_eq(found[V3_FORK + 4], 0);
}

Test(replay_inode, a_device_number_is_put_in_order)
{
	device_is_replayed(XFS_LE);
}

Test(replay_inode, a_device_number_of_a_big_endian_writer)
{
	device_is_replayed(XFS_BE);
}

/* --- refusals --- */

Test(replay_inode, refuses_where_there_is_no_inode_on_disk)
{
	on_disk(1, 111);
	raw[0] = 'X';
	testfs_inode_poke(fs, ino, raw);
	write_file(222);
	testfs_refuses(fs, -EUCLEAN, "no inode on disk where the log has it");
}

static void refuses_core(size_t off, uint8_t value, const char *text)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t core[INODE_MAX];

	on_disk(1, 111);
	testfs_file(fs, core, ino, 7, 222);
	core[off] = value;
	testcp_inode(cp, &(struct testinode){ .ino = ino, .raw = core });
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, text);
}

Test(replay_inode, refuses_a_core_that_is_none)
{
	refuses_core(0, 'X', "bad magic number of a logged inode");
}

Test(replay_inode, refuses_a_file_with_a_local_fork)
{
	refuses_core(5, XFS_DINODE_FMT_LOCAL, "bad data fork format");
}

Test(replay_inode, refuses_more_extents_than_blocks)
{
	refuses_core(79, 1, "more extents than blocks");
}

Test(replay_inode, refuses_a_negative_size)
{
	refuses_core(56, 0x80, "negative file size");
}

Test(replay_inode, refuses_the_number_of_another_inode_in_the_core)
{
	refuses_core(159, 1, "inode number is not that of its place");
}

Test(replay_inode, refuses_an_attribute_fork_outside)
{
	refuses_core(82, 42, "attribute fork begins outside the inode");
}

Test(replay_inode, refuses_a_fork_longer_than_its_room)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t core[INODE_MAX];

	on_disk(1, 111);
	testfs_file(fs, core, ino, 7, 100);
	put_be16(core + 2, 0120777);
	core[5] = XFS_DINODE_FMT_LOCAL;
	core[82] = 11;			/* 88 bytes for the data fork */
	core[83] = XFS_DINODE_FMT_LOCAL;
	testcp_inode(cp, &(struct testinode){
		.ino = ino, .raw = core, .fields = XFS_ILOG_DDATA,
		.dfork = core, .dfork_bytes = 100 });
	testcp_write(cp);
	testfs_refuses(fs, -EUCLEAN, "data fork longer than its room");
}

/* --- order and cancellation --- */

Test(replay_inode, in_a_cancelled_buffer_does_not_count)
{
	struct testfs_inode i = testfs_inode(fs, ino);
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;

	on_disk(1, 111);
	log_file(cp, ino, 222);
	testcp_cancel(cp, i.daddr, i.len_bb);
	testcp_write(cp);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(size_now(), 111);
	cr_expect_eq(res.inodes, 0);
}

Test(replay_inode, in_a_buffer_cancelled_before_counts)
{
	struct testfs_inode i = testfs_inode(fs, ino);
	struct testcp *cp = testcp_new(fs);

	on_disk(1, 111);
	testcp_cancel(cp, i.daddr, i.len_bb);
	testcp_write(cp);
	write_file(222);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(size_now(), 222);
}

Test(replay_inode, comes_after_its_chunk_in_one_checkpoint)
{
	struct testcp *cp = testcp_new(fs);
	struct xlog_recover_result res;

	/* the chunk of the image, made again */
	log_file(cp, ino, 222);
	testcp_icreate(cp, 0, 16, 64, 8, 0xabcd);
	testcp_write(cp);
	on_disk(1, 111);
	testfs_replay(fs, NULL, &res);
	cr_expect_eq(size_now(), 222);
	cr_expect_eq(res.icreates, 1);
	testfs_inode_peek(fs, ino + 1, found);
	cr_expect_eq(get_be32(found + 92), 0xabcd);
}

/* --- version 4: the flush counter --- */

/* A file on disk, and one in the log, with these flush counters. */
static void flushiter(uint16_t disk, uint16_t logged)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t core[INODE_MAX];

	testfs_file(fs, raw, ino, 0, 111);
	put_be16(raw + 30, disk);
	testfs_inode_poke(fs, ino, raw);
	testfs_file(fs, core, ino, 0, 222);
	put_be16(core + 30, logged);
	testcp_inode(cp, &(struct testinode){ .ino = ino, .raw = core });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
}

Test(replay_inode_v4, a_lower_counter_does_not_apply)
{
	flushiter(5, 4);
	cr_expect_eq(size_now(), 111);
	cr_expect_eq(get_be16(found + 30), 5);
}

Test(replay_inode_v4, an_equal_counter_applies_and_begins_anew)
{
	flushiter(5, 5);
	cr_expect_eq(size_now(), 222);
	cr_expect_eq(get_be16(found + 30), 0);
}

Test(replay_inode_v4, a_counter_that_wrapped_applies)
{
	flushiter(0xffff, 0x7ffe);
	cr_expect_eq(size_now(), 222);
}

Test(replay_inode_v4, a_counter_that_did_not_wrap_yet_does_not)
{
	flushiter(0xffff, 0x7fff);
	cr_expect_eq(size_now(), 111);
}

Test(replay_inode_v4, only_a_full_counter_wraps)
{
	flushiter(0xfffe, 1);
	cr_expect_eq(size_now(), 111);
}

Test(replay_inode_v4, after_one_item_every_other_applies)
{
	struct testcp *cp;
	uint8_t core[INODE_MAX];

	cp = testcp_new(fs);
	testfs_file(fs, core, ino, 0, 222);
	put_be16(core + 30, 9);
	testcp_inode(cp, &(struct testinode){ .ino = ino, .raw = core });
	testcp_write(cp);
	flushiter(5, 4);
	cr_expect_eq(size_now(), 222);
	cr_expect_eq(get_be16(found + 30), 0);
}

Test(replay_inode_v4, a_core_in_either_order)
{
	for (int i = 0; i < 2; i++) {
		uint8_t core[INODE_MAX];
		struct testcp *cp;

		testfs_close(fs);
		open_v4();
		fs->order = i ? XFS_BE : XFS_LE;
		testfs_file(fs, raw, ino, 0, 111);
		memset(raw + V2_FORK, 0x5e, inodesize - V2_FORK);
		put_be32(raw + UNLINKED, 140);
		testfs_inode_poke(fs, ino, raw);
		full_core(core, false);
		core[82] = 10;
		put_be32(core + UNLINKED, 140);	/* taken from here */
		memset(core + V2_FORK, 0x5e, inodesize - V2_FORK);
		cp = testcp_new(fs);
		testcp_inode(cp, &(struct testinode){ .ino = ino,
						      .raw = core });
		testcp_write(cp);
		testfs_replay(fs, NULL, NULL);
		testfs_inode_peek(fs, ino, found);
		cr_expect_arr_eq(found, core, inodesize);
	}
}

Test(replay_inode_v4, a_buffer_of_new_inodes_is_taken_whole)
{
	struct testfs_inode i = testfs_inode(fs, ino);
	struct testcp *cp = testcp_new(fs);
	size_t len = (size_t)i.len_bb * BB_SIZE;
	uint8_t *buf = calloc(1, len), *now = malloc(len);

	cr_assert(buf && now);
	for (size_t off = 0; off < len; off += inodesize) {
		testfs_file(fs, buf + off, 0, 0, 5);
		put_be16(buf + off + 2, 0);
	}
	testcp_buf(cp, &(struct testbuf){
		.daddr = i.daddr, .len_bb = i.len_bb, .image = buf,
		.flags = XFS_BLFT_DINO << XFS_BLF_TYPE_SHIFT });
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_peek(fs, i.daddr, now, len);
	cr_expect_arr_eq(now, buf, len);
	free(buf);
	free(now);
}
