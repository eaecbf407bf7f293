/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space comes and goes, in filesystems of every kind; what the groups say of
 * it is compared with what it should be.
 */
#include <criterion/criterion.h>

#include "libxlog/trans/counters.h"
#include "tests/lib/spaceload.h"

static struct spaceload *l;

static int64_t fdblocks(void)
{
	return counters_read(&l->f->m->fs, TRANS_SB_FDBLOCKS);
}

static struct xfs_agf agf_of(xfs_agnumber_t agno)
{
	struct xfs_agf agf;
	struct buf *b;

	cr_assert_eq(ag_read_agf(NULL, perag_of(&l->f->m->fs, agno), &b), 0);
	agf = ag_agf(b);
	buf_release(b);
	return agf;
}

/* As it was at the beginning, also on the disk. */
static void all_is_free(int64_t free_before)
{
	space_check(l->s);
	cr_expect_eq(fdblocks(), free_before);
	madefs_unmount(l->f);
	madefs_mount(l->f);
	space_check(l->s);
	cr_expect_eq(fdblocks(), free_before);
	for (xfs_agnumber_t i = 0; i < l->s->g->agcount; i++) {
		cr_expect_eq(agf_of(i).agf_bnolevel, 1);
		cr_expect_eq(agf_of(i).agf_cntlevel, 1);
	}
}

static void any(const struct madefs_want *want, unsigned int steps)
{
	int64_t before;

	l = spaceload_new(want, 1);
	before = fdblocks();
	space_check(l->s);
	spaceload_steps(l, steps);
	spaceload_release_all(l);
	all_is_free(before);
	spaceload_free(l);
}

static void full(const struct madefs_want *want)
{
	int64_t before;

	l = spaceload_new(want, 1);
	before = fdblocks();
	spaceload_fill(l, 1, 1000);
	spaceload_fill(l, 1, 1);
	space_check(l->s);
	spaceload_comb(l, 1);
	all_is_free(before);
	spaceload_free(l);
}

Test(alloc, at_random_with_all_features)
{
	any(&(struct madefs_want){ .bytes = 64 << 20 }, 1500);
}

Test(alloc, at_random_without_rmapbt)
{
	any(&(struct madefs_want){ .no_rmapbt = true }, 1500);
}

Test(alloc, at_random_without_reflink)
{
	any(&(struct madefs_want){ .no_reflink = true }, 1500);
}

Test(alloc, at_random_in_version_4)
{
	any(&(struct madefs_want){ .v4 = true }, 1500);
}

Test(alloc, at_random_in_blocks_of_1k)
{
	any(&(struct madefs_want){ .block_bytes = 1024 }, 4000);
}

Test(alloc, at_random_in_blocks_of_1k_of_version_4)
{
	any(&(struct madefs_want){ .block_bytes = 1024, .v4 = true }, 4000);
}

Test(alloc, at_random_in_blocks_of_64k)
{
	any(&(struct madefs_want){ .bytes = 512 << 20, .block_bytes = 65536 },
	    800);
}

Test(alloc, at_random_in_sectors_of_4k)
{
	any(&(struct madefs_want){ .sector_bytes = 4096 }, 800);
}

Test(alloc, of_all_of_a_group)
{
	full(&(struct madefs_want){ .agcount = 4 });
}

Test(alloc, of_all_of_a_group_in_blocks_of_1k)
{
	full(&(struct madefs_want){ .block_bytes = 1024 });
}

Test(alloc, of_all_of_a_group_of_version_4)
{
	full(&(struct madefs_want){ .block_bytes = 1024, .v4 = true });
}

Test(alloc, of_all_of_a_group_without_rmapbt)
{
	full(&(struct madefs_want){
		.block_bytes = 1024, .no_rmapbt = true, .no_finobt = true,
	});
}
