/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffers of inodes: of all that is logged of them only the pointers of the
 * unlinked lists are taken.
 */
#include "libxfsfmt/crc32c.h"
#include "tests/lib/testfs.h"

enum {
	INODE = 512,
	CHUNK = 128,
	UNLINKED = 96,
	LSN = 112,
};

static struct testfs *fs;
static const xfs_ino_t ino = 128 + 10;
static uint8_t raw[INODE], found[INODE];

/* A file lies on disk. */
static void on_disk(xfs_lsn_t lsn)
{
	testfs_file(fs, raw, ino, lsn, 111);
	testfs_inode_poke(fs, ino, raw);
}

static void open_fs(void)
{
	fs = testfs_open("linux618/never");
	on_disk(1);
}

static void close_fs(void)
{
	testfs_close(fs);
}

TestSuite(replay_unlinked, .init = open_fs, .fini = close_fs);

static void log_file(struct testcp *cp, xfs_ino_t which)
{
	uint8_t core[INODE];

	testfs_file(fs, core, which, 7, 222);
	testcp_inode(cp, &(struct testinode){ .ino = which, .raw = core });
}

/* A buffer of inodes whose pointers of @ino and the next are @a and @b. */
static void log_unlinked(struct testcp *cp, xfs_agino_t a, xfs_agino_t b,
			 uint32_t chunks)
{
	struct testfs_inode i = testfs_inode(fs, ino);
	size_t len = (size_t)i.len_bb * BB_SIZE;
	uint8_t *buf = malloc(len);

	cr_assert_not_null(buf);
	memset(buf, 0xee, len);
	put_be32(buf + i.boffset + UNLINKED, a);
	put_be32(buf + i.boffset + INODE + UNLINKED, b);
	testcp_buf(cp, &(struct testbuf){
		.daddr = i.daddr, .len_bb = i.len_bb, .image = buf,
		.first = i.boffset / CHUNK, .chunks = chunks,
		.flags = XFS_BLF_INODE_BUF |
			 XFS_BLFT_DINO << XFS_BLF_TYPE_SHIFT });
	free(buf);
}

static xfs_lsn_t write_unlinked(xfs_agino_t a, xfs_agino_t b)
{
	struct testcp *cp = testcp_new(fs);

	log_unlinked(cp, a, b, 1);
	return testcp_write(cp);
}

static xfs_agino_t pointer_now(void)
{
	testfs_inode_peek(fs, ino, found);
	return get_be32(found + UNLINKED);
}

Test(replay_unlinked, nothing_else_of_the_buffer_is_taken)
{
	struct testcp *cp = testcp_new(fs);
	uint8_t next[INODE];

	/* all of the first inode is logged, and the list of the second */
	testfs_inode_peek(fs, ino + 1, next);
	log_unlinked(cp, 150, 151, 512 / CHUNK + 1);
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_inode_peek(fs, ino, found);
	put_be32(raw + UNLINKED, 150);
	testfs_inode_sum(fs, raw);
	cr_expect_arr_eq(found, raw, INODE);
	testfs_inode_peek(fs, ino + 1, found);
	put_be32(next + UNLINKED, 151);
	testfs_inode_sum(fs, next);
	cr_expect_arr_eq(found, next, INODE);
}

Test(replay_unlinked, a_pointer_that_was_not_logged_stays)
{
	struct testfs_inode i = testfs_inode(fs, ino);
	struct testcp *cp = testcp_new(fs);
	uint8_t *buf = calloc(i.len_bb, BB_SIZE);

	/* the second chunk of the inode, and the third; the pointer is before */
	cr_assert_not_null(buf);
	put_be32(buf + i.boffset + UNLINKED, 150);
	testcp_buf(cp, &(struct testbuf){
		.daddr = i.daddr, .len_bb = i.len_bb, .image = buf,
		.first = i.boffset / CHUNK + 1, .chunks = 2,
		.flags = XFS_BLF_INODE_BUF |
			 XFS_BLFT_DINO << XFS_BLF_TYPE_SHIFT });
	free(buf);
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	testfs_inode_peek(fs, ino, found);
	cr_expect_arr_eq(found, raw, INODE);
}

Test(replay_unlinked, applies_whatever_the_lsn)
{
	xfs_lsn_t lsn = write_unlinked(150, 151);
	struct testcp *cp = testcp_new(fs);

	log_file(cp, ino + 5);
	testcp_write(cp);
	on_disk(lsn + 1);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(pointer_now(), 150);
	cr_expect_eq(get_be64(found + LSN), lsn + 1);
}

Test(replay_unlinked, a_list_that_goes_on_at_inode_0_is_refused)
{
	write_unlinked(0, 151);
	testfs_refuses(fs, -EUCLEAN, "leads to inode 0");
}

Test(replay_unlinked, a_list_that_leaves_the_group_is_refused)
{
	write_unlinked(0x7fffff, 151);
	testfs_refuses(fs, -EUCLEAN, "bad next inode in an unlinked list");
}

Test(replay_unlinked, of_one_checkpoint_the_first_logged_comes_last)
{
	struct testcp *cp = testcp_new(fs);

	log_unlinked(cp, 150, 151, 1);
	log_unlinked(cp, 160, 161, 1);
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(pointer_now(), 150);
}

Test(replay_unlinked, comes_after_the_chunk_in_one_checkpoint)
{
	struct testcp *cp = testcp_new(fs);

	log_unlinked(cp, 150, 151, 1);
	testcp_icreate(cp, 0, 16, 64, 8, 0xabcd);
	log_file(cp, ino);
	testcp_write(cp);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(pointer_now(), 150);
}

Test(replay_unlinked, of_later_checkpoints_the_last_counts)
{
	write_unlinked(150, 151);
	write_unlinked(XFS_NULL_AGINO, 151);
	testfs_replay(fs, NULL, NULL);
	cr_expect_eq(pointer_now(), XFS_NULL_AGINO);
}
