/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unlinked inodes. Each block has one inode; group n begins at number n << 10.
 */
#include "libxlog/replay/remain.h"
#include "tests/lib/minifs.h"

static struct minireplay *m;
static struct told told;

static void begin(bool v5)
{
	m = mini_new(v5, 9);
	fs_groups(m);
	fs_listen(m, &told);
}

static void setup(void)
{
	begin(false);
}

static void teardown(void)
{
	mini_free(m);
}

/* An unlinked regular file in group @ag, @next behind it in its list. */
static void unlinked(uint32_t ag, uint32_t agino, uint32_t next)
{
	uint64_t ino = (uint64_t)ag << 10 | agino;
	uint8_t *p = fs_inode(m, ino, 0100644);

	put_be32(p + XFS_DINODE_UNLINKED_OFF, next);
	fs_put_inode(m, ino);
}

static void bucket(uint32_t ag, uint32_t agino)
{
	fs_agi_at(m, ag, "agi_unlinked", agino % 64, agino);
}

static void refuses(const char *why)
{
	cr_expect_eq(remain_unlinked(&m->r), -EUCLEAN);
	assert_said(&m->said, why);
	cr_expect(m->res.refused[0]);
}

TestSuite(remain_unlinked, .init = setup, .fini = teardown);

Test(remain_unlinked, none)
{
	cr_assert_eq(remain_unlinked(&m->r), 0);
	cr_expect_eq(m->res.unlinked, 0);
	cr_expect_eq(told.count, 0);
	assert_silent(&m->said);
}

Test(remain_unlinked, lists_are_followed)
{
	bucket(0, 200);
	unlinked(0, 200, 136);
	unlinked(0, 136, 264);
	unlinked(0, 264, XFS_NULL_AGINO);
	bucket(3, 1023);
	unlinked(3, 1023, XFS_NULL_AGINO);
	cr_assert_eq(remain_unlinked(&m->r), 0);
	assert_silent(&m->said);
	cr_expect_eq(m->res.unlinked, 4);
	cr_expect_str_eq(told.text,
		"inode 200: unlinked file, mode 100644, 0 bytes, 0 links\n"
		"inode 136: unlinked file, mode 100644, 0 bytes, 0 links\n"
		"inode 264: unlinked file, mode 100644, 0 bytes, 0 links\n"
		"inode 4095: unlinked file, mode 100644, 0 bytes, 0 links\n");
	cr_expect_eq(told.last.kind, XLOG_REMAINDER_UNLINKED);
	cr_expect_eq(told.last.ino, 4095);
	cr_expect_eq(told.last.ag, 3);
	cr_expect_eq(told.last.lsn, XLOG_LSN_NONE);
}

/* Links and type are said; an inode with links is not freed by a mount. */
Test(remain_unlinked, says_what_it_is)
{
	uint8_t *p = fs_inode(m, 70, 0040755);

	put_be32(p + 16, 1);
	put_be64(p + 56, 6);
	fs_put_inode(m, 70);
	bucket(0, 70);
	cr_assert_eq(remain_unlinked(&m->r), 0);
	cr_expect_str_eq(told.text,
		"inode 70: unlinked directory, mode 040755, 6 bytes, 1 link\n");
}

Test(remain_unlinked, nobody_needs_to_listen)
{
	m->opts.remainder = NULL;
	bucket(1, 65);
	unlinked(1, 65, XFS_NULL_AGINO);
	cr_assert_eq(remain_unlinked(&m->r), 0);
	cr_expect_eq(m->res.unlinked, 1);
}

Test(remain_unlinked, next_to_itself)
{
	bucket(0, 65);
	unlinked(0, 65, 65);
	refuses("unlinked list 1 of group 0: inode 65: the list runs in a circle");
}

Test(remain_unlinked, circle_behind_a_beginning)
{
	bucket(0, 64);
	for (uint32_t i = 1; i < 9; i++)
		unlinked(0, 64 * i, 64 * (i + 1));
	unlinked(0, 64 * 9, 64 * 5);
	refuses("the list runs in a circle");
	cr_expect_lt(told.count, 30);
}

Test(remain_unlinked, of_another_list)
{
	bucket(0, 65);
	unlinked(0, 65, 66);
	unlinked(0, 66, XFS_NULL_AGINO);
	refuses("inode 66: belongs in another list");
}

Test(remain_unlinked, behind_the_group)
{
	bucket(0, 65);
	unlinked(0, 65, 1024 + 65);
	refuses("no such number");
}

Test(remain_unlinked, free_inode)
{
	bucket(0, 65);
	fs_inode(m, 65, 0);
	fs_put_inode(m, 65);
	refuses("inode 65: is free");
}

Test(remain_unlinked, no_inode_at_all)
{
	bucket(0, 65);
	refuses("inode 65: bad inode magic number");
}

Test(remain_unlinked, damaged_header)
{
	fs_agi_at(m, 2, "agi_seqno", 0, 1);
	refuses("AGI of group 2: number of another group");
}

Test(remain_unlinked, checksums)
{
	mini_free(m);
	begin(true);
	bucket(1, 65);
	unlinked(1, 65, XFS_NULL_AGINO);
	cr_assert_eq(remain_unlinked(&m->r), 0);
	cr_expect_eq(m->res.unlinked, 1);
	fs_read(m, 1024 + 65, 512);
	minifs_raw[300]++;
	mini_write(m, 1024 + 65, minifs_raw, 512);
	refuses("inode 1089: bad inode checksum");
	fs_read(m, fs_header(m, 0, FS_AGI), 512);
	minifs_raw[400]++;
	mini_write(m, fs_header(m, 0, FS_AGI), minifs_raw, 512);
	refuses("AGI of group 0: wrong checksum");
}
