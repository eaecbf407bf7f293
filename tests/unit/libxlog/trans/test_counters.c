/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counters of the superblock: in memory, in the log where they have to be, and
 * in the superblock in the end. And the log item of new inodes.
 */
#include "libxfsfmt/logitem.h"
#include "libxlog/trans/buf_item.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/icreate_item.h"
#include "tests/lib/mounted.h"
#include "tests/lib/testfs.h"

static struct mounted *f;

static void begin(void)
{
	f = mounted_new("linux618/chmod-only");
}

/* Without lazy counters: the superblock of the image is changed for that. */
static void begin_eager(void)
{
	uint8_t sector[BB_SIZE];

	f = mounted_new("other/v4-noflush");
	mounted_stop(f);
	testfs_peek(f->fs, 0, sector, sizeof(sector));
	put_be32(sector + 200, get_be32(sector + 200) &
		 ~(uint32_t)XFS_SB_VERSION2_LAZYSBCOUNTBIT);
	testfs_poke(f->fs, 0, sector, sizeof(sector));
	testfs_reload(f->fs);
	mounted_again(f);
	cr_assert_not(f->m->fs.geom.lazycount);
}

static void end(void)
{
	mounted_free(f);
}

TestSuite(counters, .init = begin, .fini = end);
TestSuite(counters_eager, .init = begin_eager, .fini = end);
TestSuite(icreate_item, .init = begin, .fini = end);

static struct trans_fs *fs(void)
{
	return &f->m->fs;
}

static int64_t free_blocks(void)
{
	return counters_read(fs(), TRANS_SB_FDBLOCKS);
}

static struct trans *alloc_blocks(uint32_t blocks)
{
	struct trans *t;

	cr_assert_eq(trans_alloc_blocks(fs(), XFS_TR_ITRUNCATE, blocks, false,
					&t), 0);
	return t;
}

/* Something that is logged. */
static void change(struct trans *t)
{
	inode_join(t, f->inodes[7]);
	inode_log(t, f->inodes[7], XFS_ILOG_CORE);
}

static struct xfs_sb sb_on_disk(void)
{
	uint8_t sector[BB_SIZE];
	struct xfs_sb sb;

	testfs_peek(f->fs, 0, sector, sizeof(sector));
	xfs_sb_decode(&sb, sector, sizeof(sector), XFS_BE);
	return sb;
}

/* --- in memory --- */

Test(counters, are_changed_by_the_commit)
{
	int64_t before = free_blocks();
	struct trans *t = alloc_blocks(10);

	change(t);
	trans_mod_sb(t, TRANS_SB_FDBLOCKS, -3);
	trans_mod_sb(t, TRANS_SB_ICOUNT, 64);
	cr_expect_eq(free_blocks(), before);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_expect_eq(free_blocks(), before - 3);
	cr_expect_eq(atomic_load(&fs()->promised_blocks), 0);
}

Test(counters, are_not_changed_by_who_cancels)
{
	int64_t before = free_blocks();
	struct trans *t = alloc_blocks(10);

	trans_mod_sb(t, TRANS_SB_FDBLOCKS, -3);
	trans_cancel(t);
	cr_expect_eq(free_blocks(), before);
	cr_expect_eq(atomic_load(&fs()->promised_blocks), 0);
}

Test(counters, of_a_chain_keep_what_is_left_of_its_blocks)
{
	int64_t before = free_blocks();
	struct trans *t = alloc_blocks(10);

	change(t);
	trans_mod_sb(t, TRANS_SB_FDBLOCKS, -3);
	cr_assert_eq(trans_roll(&t), 0);
	cr_expect_eq(free_blocks(), before - 3);
	cr_expect_eq(t->blocks, 7u);
	cr_expect_eq(atomic_load(&fs()->promised_blocks), 7);
	change(t);
	trans_mod_sb(t, TRANS_SB_FDBLOCKS, -7);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_expect_eq(free_blocks(), before - 10);
	cr_expect_eq(atomic_load(&fs()->promised_blocks), 0);
}

/* Trees that are damaged, or have space of their own, take more than thought. */
Test(counters, can_be_taken_from_beyond_what_is_promised)
{
	int64_t before = free_blocks();
	struct trans *t = alloc_blocks(2);

	change(t);
	trans_mod_sb(t, TRANS_SB_FDBLOCKS, -1);
	trans_mod_sb(t, TRANS_SB_FDBLOCKS, -5);
	cr_expect_eq(t->blocks_taken, 2u);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_expect_eq(free_blocks(), before - 6);
	cr_expect_eq(atomic_load(&fs()->promised_blocks), 0);
}

Test(counters, promise_no_block_twice)
{
	struct trans *t, *other;
	uint32_t most;

	most = (uint32_t)free_blocks() - fs()->reserve_blocks -
	       8 * fs()->geom.agcount;
	t = alloc_blocks(most);
	cr_expect_eq(trans_alloc_blocks(fs(), XFS_TR_ITRUNCATE, 1, false,
					&other), -ENOSPC);
	/* but for what has to succeed */
	cr_assert_eq(trans_alloc_blocks(fs(), XFS_TR_ITRUNCATE,
					fs()->reserve_blocks, true, &other), 0);
	trans_cancel(other);
	cr_expect_eq(trans_alloc_blocks(fs(), XFS_TR_ITRUNCATE,
					fs()->reserve_blocks + 1, true,
					&other), -ENOSPC);
	trans_cancel(t);
	t = alloc_blocks(most);
	trans_cancel(t);
}

/* --- in the superblock --- */

Test(counters, that_are_lazy_are_written_when_the_log_is_covered)
{
	uint64_t before = sb_on_disk().sb_fdblocks;
	struct trans *t = alloc_blocks(10);

	change(t);
	trans_mod_sb(t, TRANS_SB_FDBLOCKS, -3);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_assert_eq(log_quiesce(fs()->log), 0);
	cr_expect_eq(sb_on_disk().sb_fdblocks, before);
	cr_assert_eq(mount_unmount(f->m), 0);
	cr_expect_eq(sb_on_disk().sb_fdblocks, before - 3);
}

/* Realtime extents are in no group's header that recovery would count. */
Test(counters, of_realtime_extents_are_logged_at_once)
{
	uint64_t before = sb_on_disk().sb_frextents;
	struct trans *t = alloc_blocks(0);

	change(t);
	trans_mod_sb(t, TRANS_SB_FREXTENTS, 5);
	trans_mod_sb(t, TRANS_SB_FDBLOCKS, 5);
	cr_assert_eq(trans_commit_sync(t), 0);
	mounted_stop(f);
	mounted_recover(f);
	cr_expect_eq(sb_on_disk().sb_frextents, before + 5);
}

static struct buf_item *superblock_item(void)
{
	struct buf_item *bi;
	struct buf *b;

	cr_assert_eq(trans_read_buf(fs(), NULL, 0, 1, &trans_sb_ops, &b), 0);
	bi = buf_item_of(b);
	trans_brelse(NULL, b);
	return bi;
}

Test(counters_eager, are_logged_in_the_same_transaction)
{
	struct xfs_buf_log_format blf;
	struct trans *t = alloc_blocks(10);
	uint64_t before = sb_on_disk().sb_fdblocks;
	struct buf_item *bi;

	change(t);
	trans_mod_sb(t, TRANS_SB_FDBLOCKS, -3);
	trans_mod_sb(t, TRANS_SB_IFREE, 1);
	cr_assert_eq(trans_commit(t, NULL), 0);
	bi = superblock_item();
	cr_assert_not_null(bi);
	/* one chunk, as kernels log it */
	cr_expect_eq(bi->item.vec->nregions, 2);
	xfs_buf_log_format_decode(&blf, bi->item.vec->data + OP_BYTES, 20,
				  XFS_HOST_ORDER);
	cr_expect_eq(get_w32(bi->item.vec->data + OP_BYTES + 20,
			     XFS_HOST_ORDER), 2u);
	cr_expect_eq(xfs_blf_content(blf.blf_flags), XFS_BLFT_SB);
	cr_assert_eq(log_quiesce(fs()->log), 0);
	cr_expect_eq(sb_on_disk().sb_fdblocks, before - 3);
	cr_assert_eq(mount_unmount(f->m), 0);
	cr_expect_eq(sb_on_disk().sb_fdblocks, before - 3);
}

Test(counters_eager, that_do_not_change_are_not_logged)
{
	struct trans *t = alloc_blocks(10);

	change(t);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_expect_null(superblock_item());
}

/* --- new inodes --- */

Test(icreate_item, is_one_small_region_that_ends_with_its_checkpoint)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	const struct xfs_geom *g = &fs()->geom;
	xfs_agnumber_t agno = xfs_daddr_agno(g, daddr);
	xfs_agblock_t agbno = xfs_daddr_agbno(g, daddr) & ~(uint32_t)7;
	uint32_t blocks = 64 / g->inopblock;
	uint8_t raw[XFS_DINODE_MAX_BYTES];
	struct xfs_dinode di;
	struct trans *t = alloc_blocks(0);

	cr_assert_eq(trans_icreate(t, agno, agbno, 64, g->inodesize, blocks,
				   4711), 0);
	cr_assert_eq(trans_commit_sync(t), 0);
	mounted_stop(f);
	mounted_recover(f);
	/* replay has made them */
	for (uint32_t i = 0; i < 64; i++) {
		testfs_peek(f->fs, xfs_agb_to_daddr(&f->fs->log->geom, agno,
						    agbno) + i, raw, BB_SIZE);
		xfs_dinode_decode(&di, raw, BB_SIZE, XFS_BE);
		cr_expect_eq(di.di_magic, XFS_DINODE_MAGIC);
		cr_expect_eq(di.di_gen, 4711u);
		cr_expect_eq(di.di_mode, 0);
	}
}

/* Also where a commit is written at once, and may be over before it returns. */
Test(icreate_item_direct, is_gone_when_it_was_committed)
{
	f = mounted_new_with("linux618/chmod-only", LOG_NO_THREADS | LOG_DIRECT);
	for (unsigned int i = 0; i < 3; i++) {
		struct trans *t = alloc_blocks(0);

		cr_assert_eq(trans_icreate(t, 3, 1000, 64, 512, 8, 1), 0);
		change(t);
		cr_assert_eq(trans_commit_sync(t), 0);
	}
	cr_assert_eq(log_quiesce(fs()->log), 0);
	mounted_free(f);
}
