/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared space: reference counts and owners, by deferred operations.
 */
#include <criterion/criterion.h>

#include "libxlog/trans/counters.h"
#include "tests/lib/spaceshare.h"

static struct spaceload *l;

static int64_t fdblocks(void)
{
	return counters_read(&l->f->m->fs, TRANS_SB_FDBLOCKS);
}

static void share(const struct madefs_want *want, unsigned int steps)
{
	int64_t before;

	l = spaceload_new(want, 1);
	before = fdblocks();
	spaceshare_steps(l, steps);
	madefs_unmount(l->f);
	madefs_mount(l->f);
	space_check(l->s);
	spaceshare_steps(l, steps / 4);
	spaceshare_release_all(l);
	cr_expect_eq(fdblocks(), before);
	spaceload_free(l);
}

Test(refcount, of_shared_files_at_random)
{
	share(&(struct madefs_want){ .bytes = 0 }, 2000);
}

Test(refcount, without_rmapbt)
{
	share(&(struct madefs_want){ .no_rmapbt = true }, 2000);
}

Test(refcount, in_blocks_of_1k)
{
	share(&(struct madefs_want){ .block_bytes = 1024 }, 4000);
}

/* --- more records than a transaction has room for --- */

enum { LONG = 8000, FIRST = 100 };

/* A file has all blocks, another one every second of them. */
static xfs_fsblock_t striped(void)
{
	xfs_fsblock_t first = ((uint64_t)1 << l->s->g->agblklog) | FIRST;
	const struct space_owner one = { .owner = SPACELOAD_INO };
	struct alloc_args a = {
		.t = spaceload_trans(l, XFS_TR_ITRUNCATE),
		.minlen = LONG, .maxlen = LONG,
		.owner = { .owner = one.owner },
	};

	cr_assert_eq(alloc_exact(&a, first), 0);
	cr_assert_eq(a.fsb, first);
	spaceload_commit(l, a.t);
	space_add(l->s, first, LONG, &one);
	for (unsigned int i = 0; i < LONG; i += 2) {
		const struct space_owner two = {
			.owner = SPACELOAD_INO + 1, .off = 2 * i,
		};
		struct trans *t = spaceload_trans(l, XFS_TR_ITRUNCATE);

		cr_assert_eq(refcount_increase_later(t, first + i, 1), 0);
		cr_assert_eq(rmap_map_later(t, two.owner, 0, true,
					    &(struct xfs_bmbt_rec){
			.br_startblock = first + i, .br_blockcount = 1,
			.br_startoff = two.off,
		}), 0);
		spaceload_commit(l, t);
		space_add(l->s, first + i, 1, &two);
	}
	space_check(l->s);
	return first;
}

Test(refcount, of_many_records_takes_several_transactions)
{
	const struct space_owner three = { .owner = SPACELOAD_INO + 2 };
	const struct xfs_bmbt_rec ext = { .br_blockcount = LONG };
	struct xfs_bmbt_rec at = ext;
	uint64_t points;
	struct trans *t;

	l = spaceload_new(&(struct madefs_want){ .block_bytes = 1024 }, 1);
	at.br_startblock = striped();
	points = l->f->m->fs.hooks.points;
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(refcount_increase_later(t, at.br_startblock, LONG), 0);
	spaceload_commit(l, t);
	cr_expect_gt(l->f->m->fs.hooks.points, points + 1, "in one go");
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(rmap_map_later(t, three.owner, 0, true, &at), 0);
	spaceload_commit(l, t);
	space_add(l->s, at.br_startblock, LONG, &three);
	space_check(l->s);

	points = l->f->m->fs.hooks.points;
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(rmap_unmap_later(t, three.owner, 0, true, &at), 0);
	cr_assert_eq(refcount_decrease_later(t, at.br_startblock, LONG), 0);
	spaceload_commit(l, t);
	cr_expect_gt(l->f->m->fs.hooks.points, points + 2, "in one go");
	space_remove(l->s, at.br_startblock, LONG, three.owner);
	space_check(l->s);

	/* the others: where one had a block alone it becomes free */
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(rmap_unmap_later(t, SPACELOAD_INO, 0, true, &at), 0);
	cr_assert_eq(refcount_decrease_later(t, at.br_startblock, LONG), 0);
	spaceload_commit(l, t);
	space_remove(l->s, at.br_startblock, LONG, SPACELOAD_INO);
	space_check(l->s);
	spaceload_free(l);
}

/* --- copy on write --- */

Test(refcount, leftovers_of_copy_on_write_are_freed)
{
	uint64_t count, extents = 0;
	int64_t before;

	l = spaceload_new(&(struct madefs_want){ .bytes = 0 }, 1);
	before = counters_read(&l->f->m->fs, TRANS_SB_FDBLOCKS);
	/* the log is in group 2 */
	for (xfs_agnumber_t agno = 0; agno < 2; agno++)
		for (unsigned int i = 0; i < 90; i++) {
			struct alloc_args a = {
				.t = spaceload_trans(l, XFS_TR_ITRUNCATE),
				.minlen = 2, .maxlen = 2,
				.owner = rmap_special(XFS_RMAP_OWN_NULL),
			};

			cr_assert_eq(alloc_exact(&a, (uint64_t)agno <<
				     l->s->g->agblklog | (500 + 3 * i)), 0);
			cr_assert_neq(a.fsb, XFS_NULL_FSBLOCK);
			spaceshare_cow(l, a.t, a.fsb, a.len, true);
			spaceload_commit(l, a.t);
			extents++;
		}
	space_check(l->s);
	cr_assert_eq(refcount_recover_cow_leftovers(&l->f->m->fs, &count), 0);
	cr_expect_eq(count, extents);
	space_free(l->s);
	l->s = space_new(l->f);
	space_check(l->s);
	cr_expect_eq(counters_read(&l->f->m->fs, TRANS_SB_FDBLOCKS), before);
	spaceload_free(l);
}
