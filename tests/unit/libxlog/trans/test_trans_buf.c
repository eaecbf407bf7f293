/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocks in transactions: whose they are, what of them gets into the log, and
 * what becomes of those that are freed.
 */
#include "libxfsfmt/crc32c.h"
#include "libxlog/trans/buf_item.h"
#include "tests/lib/mounted.h"
#include "tests/lib/testfs.h"

#define BNO_OPS (&trans_btree_ops[XFS_BTREE_BNO])
#define CNT_OPS (&trans_btree_ops[XFS_BTREE_CNT])

enum { REC_OFF = 56 };		/* first record of a short block */

static struct mounted *f;

static void begin(void)
{
	f = mounted_new("linux618/chmod-only");
}

static void end(void)
{
	mounted_free(f);
}

TestSuite(trans_buf, .init = begin, .fini = end);
TestSuite(trans_binval, .init = begin, .fini = end);
TestSuite(trans_ordered_buf, .init = begin, .fini = end);

static struct trans_fs *fs(void)
{
	return &f->m->fs;
}

static uint32_t block_bb(void)
{
	return fs()->geom.blocksize / BB_SIZE;
}

static struct trans *alloc(void)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(fs(), XFS_TR_ITRUNCATE, &t), 0);
	return t;
}

static void commit(struct trans *t)
{
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", f->fs->reports);
}

static struct buf *read_it(struct trans *t, xfs_daddr_t daddr)
{
	struct buf *b;

	cr_assert_eq(trans_read_buf(fs(), t, daddr, block_bb(), BNO_OPS, &b),
		     0, "%s", f->fs->reports);
	return b;
}

/* A new block of that btree, all of it logged. */
static struct buf *make(struct trans *t, xfs_daddr_t daddr, uint8_t fill)
{
	struct buf *b;

	cr_assert_eq(trans_get_buf(t, daddr, block_bb(), BNO_OPS, &b), 0);
	testfs_block(f->fs, b->data, daddr, 0, fill);
	trans_log_buf(t, b, 0, fs()->geom.blocksize);
	return b;
}

static void make_and_commit(xfs_daddr_t daddr, uint8_t fill)
{
	struct trans *t = alloc();

	make(t, daddr, fill);
	commit(t);
}

static void force(void)
{
	cr_assert_eq(log_force(fs()->log, true), 0);
}

static void quiesce(void)
{
	cr_assert_eq(log_quiesce(fs()->log), 0);
}

static bool is_in_ail(const struct log_item *item)
{
	return atomic_load(&item->flags) & LOG_ITEM_IN_AIL;
}

static bool is_locked(struct buf *b)
{
	bool taken = buf_trylock(b);

	if (taken)
		buf_unlock(b);
	return !taken;
}

static void recover(void)
{
	mounted_stop(f);
	mounted_recover(f);
}

/* --- whose they are --- */

Test(trans_buf, read_again_is_the_same_and_released_as_often)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t;
	struct buf *b;

	make_and_commit(daddr, 7);
	t = alloc();
	b = read_it(t, daddr);
	cr_expect_eq(read_it(t, daddr), b);
	trans_brelse(t, b);
	cr_expect(is_locked(b));
	trans_brelse(t, b);
	cr_expect_not(is_locked(b));
	cr_expect(list_is_empty(&t->items));
	commit(t);
}

Test(trans_buf, that_is_changed_stays_to_the_end)
{
	struct trans *t = alloc();
	struct buf *b = make(t, testfs_free(f->fs, 0), 7);

	trans_brelse(t, b);
	cr_expect(is_locked(b));
	cr_expect(trans_buf_is_dirty(t, b));
	commit(t);
	cr_expect_not(is_locked(b));
}

Test(trans_buf, made_and_not_logged_was_never_there)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t;
	struct buf *b;

	make_and_commit(daddr, 7);
	quiesce();
	t = alloc();
	cr_assert_eq(trans_get_buf(t, daddr, block_bb(), BNO_OPS, &b), 0);
	cr_expect_eq(b->data[0], 0);
	commit(t);
	b = read_it(NULL, daddr);
	cr_expect_eq(b->data[REC_OFF], 7);
	trans_brelse(NULL, b);
}

/* An item lives from the first change to the write-back. */
Test(trans_buf, has_an_item_only_as_long_as_it_needs_one)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct buf *b;

	make_and_commit(daddr, 7);
	b = read_it(NULL, daddr);
	cr_expect_not_null(buf_item_of(b));
	buf_hold(b);
	trans_brelse(NULL, b);
	quiesce();
	cr_expect_null(buf_item_of(b));
	buf_put(b);
}

Test(trans_buf, is_judged_when_it_is_read)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t = alloc();
	struct buf *b;

	cr_expect_eq(trans_read_buf(fs(), t, daddr, block_bb(), BNO_OPS, &b),
		     -EUCLEAN);
	cr_expect(testfs_said(f->fs, "magic"));
	commit(t);
}

Test(trans_buf, that_was_changed_cannot_be_two_things)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t;
	struct buf *b;

	make_and_commit(daddr, 7);
	t = alloc();
	cr_expect_eq(trans_read_buf(fs(), t, daddr, block_bb(), CNT_OPS, &b),
		     -EUCLEAN);
	/* the same in one transaction */
	b = read_it(t, daddr);
	cr_expect_eq(trans_read_buf(fs(), t, daddr, block_bb(), CNT_OPS, &b),
		     -EUCLEAN);
	commit(t);
}

/* What would not be read again is not written: the log dies instead. */
Test(trans_buf, is_judged_before_it_is_written)
{
	struct trans *t = alloc();
	struct buf *b = make(t, testfs_free(f->fs, 0), 7);

	put_be16(b->data + 6, 60000);		/* bb_numrecs */
	commit(t);
	cr_expect_neq(log_quiesce(fs()->log), 0);
	cr_expect(testfs_said(f->fs, "not written"));
}

Test(trans_buf, is_stamped_when_it_is_written)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	xfs_lsn_t lsn = log_head_lsn(fs()->log);

	make_and_commit(daddr, 7);
	quiesce();
	cr_expect_eq(testfs_block_lsn(f->fs, daddr), lsn);
	cr_expect(testfs_block_sound(f->fs, daddr));
}

/* --- held --- */

Test(trans_buf, held_is_the_callers_afterwards)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t = alloc();
	struct buf *b = make(t, daddr, 7);

	trans_bhold(t, b);
	commit(t);
	cr_expect(is_locked(b));
	t = alloc();
	cr_assert_eq(trans_bjoin(t, b), 0);
	commit(t);
	cr_expect_not(is_locked(b));
	/* clean, and held: there is no item any more, but the buffer is */
	quiesce();
	t = alloc();
	b = read_it(t, daddr);
	trans_bhold(t, b);
	commit(t);
	cr_expect(is_locked(b));
	cr_expect_null(buf_item_of(b));
	trans_brelse(NULL, b);
}

Test(trans_buf, held_goes_with_the_chain_and_is_logged_in_each)
{
	struct trans *t = alloc();
	struct buf *b = make(t, testfs_free(f->fs, 0), 7);
	struct buf *other;

	trans_bhold(t, b);
	cr_assert_eq(trans_roll_held(&t), 0);
	cr_expect(is_locked(b));
	force();
	other = make(t, testfs_free(f->fs, 1), 8);
	cr_expect_not_null(other);
	cr_assert_eq(trans_roll_held(&t), 0);
	/* with the other, in the second checkpoint */
	cr_expect_not_null(buf_item_of(b)->item.vec);
	trans_bhold_release(t, b);
	commit(t);
	cr_expect_not(is_locked(b));
}

Test(trans_buf, held_stays_locked_when_the_transaction_is_cancelled)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t;
	struct buf *b;

	make_and_commit(daddr, 7);
	t = alloc();
	b = read_it(t, daddr);
	trans_bhold(t, b);
	trans_cancel(t);
	cr_expect(is_locked(b));
	cr_expect_not(log_is_shutdown(fs()->log));
	trans_brelse(NULL, b);
}

/* --- freed --- */

static struct xfs_buf_log_format logged_format(struct log_item *item)
{
	struct xfs_buf_log_format blf;
	uint8_t *data = item->vec->data;

	xfs_buf_log_format_decode(&blf, data + OP_BYTES,
				  get_be32(data + 4), XFS_HOST_ORDER);
	return blf;
}

Test(trans_binval, is_logged_as_a_cancel)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct xfs_buf_log_format blf;
	struct trans *t;
	struct buf *b;

	make_and_commit(daddr, 7);
	t = alloc();
	b = read_it(t, daddr);
	trans_binval(t, b);
	commit(t);
	blf = logged_format(&buf_item_of(b)->item);
	cr_expect_eq(blf.blf_flags, (uint16_t)XFS_BLF_CANCEL);
	cr_expect_eq(blf.blf_size, 1);
	cr_expect_eq(blf.blf_blkno, daddr);
	cr_expect_eq(get_w32(buf_item_of(b)->item.vec->data + OP_BYTES + 20,
			     XFS_HOST_ORDER), 0u);
}

/* Until then its contents in the log may be needed once more. */
Test(trans_binval, stays_locked_and_in_the_ail_until_it_is_durable)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	xfs_lsn_t lsn = log_head_lsn(fs()->log);
	struct log_item *item;
	struct trans *t;
	struct buf *b;
	struct list queue;

	make_and_commit(daddr, 7);
	force();
	t = alloc();
	b = read_it(t, daddr);
	item = &buf_item_of(b)->item;
	buf_hold(b);
	trans_binval(t, b);
	commit(t);
	cr_expect(is_locked(b));
	cr_expect(is_in_ail(item));
	cr_expect_eq(log_tail_lsn(fs()->log), lsn);
	/* it is for the log that it waits */
	list_init(&queue);
	cr_expect_eq(item->ops->push(item, &queue), LOG_PUSH_PINNED);
	force();
	cr_expect_not(is_locked(b));
	cr_expect_null(buf_item_of(b));
	cr_expect_gt(log_tail_lsn(fs()->log), lsn);
	cr_expect_neq(testfs_byte(f->fs, daddr, REC_OFF), 7);
	buf_put(b);
}

/* A checkpoint under way that changed it does not end it, nor what it has. */
Test(trans_binval, waits_for_its_own_checkpoint_not_for_an_earlier_one)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct log *log = fs()->log;
	struct trans *t;
	struct buf *b;
	uint64_t seq;

	t = alloc();
	make(t, daddr, 7);
	cr_assert_eq(trans_commit(t, &seq), 0);
	cr_assert_eq(cil_push(log, seq, true), 0);
	t = alloc();
	b = read_it(t, daddr);
	buf_hold(b);
	trans_binval(t, b);
	commit(t);
	cr_assert_eq(log_force_seq(log, seq, true), 0);
	cr_expect(is_locked(b));
	cr_assert_not_null(buf_item_of(b));
	cr_expect(is_in_ail(&buf_item_of(b)->item));
	force();
	cr_expect_not(is_locked(b));
	cr_expect_null(buf_item_of(b));
	buf_put(b);
}

Test(trans_binval, is_made_durable_by_who_wants_the_block)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t;
	struct buf *b;

	make_and_commit(daddr, 7);
	t = alloc();
	trans_binval(t, read_it(t, daddr));
	commit(t);
	t = alloc();
	cr_assert_eq(trans_get_buf(t, daddr, block_bb(), CNT_OPS, &b), 0);
	cr_expect_eq(b->data[0], 0);
	cr_expect_not(is_in_ail(&buf_item_of(b)->item));
	commit(t);
}

Test(trans_binval, of_a_chain_is_waited_for_by_the_chain_itself)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t = alloc();

	trans_binval(t, make(t, daddr, 7));
	cr_assert_eq(trans_roll(&t), 0);
	make(t, daddr, 9);
	commit(t);
	quiesce();
	cr_expect_eq(testfs_byte(f->fs, daddr, REC_OFF), 9);
}

Test(trans_binval, is_taken_back_in_its_transaction)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t;
	struct buf *b;

	make_and_commit(daddr, 7);
	force();
	t = alloc();
	b = read_it(t, daddr);
	trans_binval(t, b);
	cr_expect_eq(make(t, daddr, 9), b);
	commit(t);
	cr_expect_not(logged_format(&buf_item_of(b)->item).blf_flags &
		      XFS_BLF_CANCEL);
	cr_expect_not(is_locked(b));
	quiesce();
	cr_expect_eq(testfs_byte(f->fs, daddr, REC_OFF), 9);
}

Test(trans_binval, of_a_log_that_died_does_not_make_others_wait)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t;
	struct buf *b;

	make_and_commit(daddr, 7);
	t = alloc();
	trans_binval(t, read_it(t, daddr));
	commit(t);
	log_shutdown(fs()->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cr_expect_eq(trans_read_buf(fs(), NULL, daddr, block_bb(), BNO_OPS,
				    &b), -ESHUTDOWN);
}

/* A block of a btree, freed, and one of another one later. */
Test(trans_binval, and_reuse_are_recovered_in_order)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t;
	struct buf *b;

	make_and_commit(daddr, 7);
	force();
	t = alloc();
	trans_binval(t, read_it(t, daddr));
	commit(t);
	t = alloc();
	cr_assert_eq(trans_get_buf(t, daddr, block_bb(), CNT_OPS, &b), 0);
	testfs_block(f->fs, b->data, daddr, 0, 9);
	put_be32(b->data, XFS_ABTC_CRC_MAGIC);
	/* what is not logged keeps what the disk has: not what was cancelled */
	trans_log_buf(t, b, 0, 128);
	commit(t);
	force();
	recover();
	cr_expect_eq(testfs_byte(f->fs, daddr, 3), XFS_ABTC_CRC_MAGIC & 0xff);
	cr_expect_eq(testfs_byte(f->fs, daddr, REC_OFF), 9);
	cr_expect_neq(testfs_byte(f->fs, daddr, 2048), 7);
}

/* --- not logged --- */

Test(trans_ordered_buf, is_written_back_but_not_in_the_log)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t = alloc();
	struct buf *b;

	make(t, testfs_free(f->fs, 1), 8);
	cr_assert_eq(trans_get_buf(t, daddr, block_bb(), BNO_OPS, &b), 0);
	testfs_block(f->fs, b->data, daddr, 0, 7);
	trans_ordered_buf(t, b);
	commit(t);
	cr_expect_eq(buf_item_of(b)->item.vec->used_bytes, 0);
	force();
	cr_expect(is_in_ail(&buf_item_of(b)->item));
	cr_expect_neq(testfs_byte(f->fs, daddr, REC_OFF), 7);
	quiesce();
	cr_expect_eq(testfs_byte(f->fs, daddr, REC_OFF), 7);
	cr_expect(testfs_block_sound(f->fs, daddr));
}

Test(trans_ordered_buf, that_changes_later_is_logged_then)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t = alloc();
	struct buf *b;

	cr_assert_eq(trans_get_buf(t, daddr, block_bb(), BNO_OPS, &b), 0);
	testfs_block(f->fs, b->data, daddr, 0, 7);
	trans_ordered_buf(t, b);
	commit(t);
	t = alloc();
	b = read_it(t, daddr);
	trans_log_buf(t, b, 0, 1);
	commit(t);
	cr_expect_eq(buf_item_of(b)->item.vec->nregions, 2);
}

Test(trans_ordered_buf, that_is_held_stays_ordered)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0);
	struct trans *t = alloc();
	struct buf *b;

	cr_assert_eq(trans_get_buf(t, daddr, block_bb(), BNO_OPS, &b), 0);
	testfs_block(f->fs, b->data, daddr, 0, 7);
	trans_ordered_buf(t, b);
	trans_bhold(t, b);
	cr_assert_eq(trans_roll_held(&t), 0);
	make(t, testfs_free(f->fs, 1), 8);
	trans_bhold_release(t, b);
	cr_assert_eq(trans_roll_held(&t), 0);
	cr_expect_eq(buf_item_of(b)->item.vec->used_bytes, 0);
	trans_cancel(t);
}
