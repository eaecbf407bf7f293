/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * B+trees as their users see them: what is refused, what happens without
 * space, where the cursor stands, how a fork changes between list and tree.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "libxlog/trans/trans_buf.h"
#include "tests/lib/treelab.h"

enum { KEYS = 4000 };

static struct treelab *lab;

static void open_kind(enum xfs_btree_kind kind)
{
	const struct treelab_opts o = {
		.kind = kind, .block_bytes = 1024, .v5 = true, .keys = KEYS,
		.seed = 3,
	};

	lab = treelab_new(&o);
}

static void begin(void)
{
	open_kind(XFS_BTREE_BNO);
}

static void end(void)
{
	treelab_free(lab);
}

TestSuite(btree_use, .init = begin, .fini = end);

/* Each second key below @end. */
static void fill(uint32_t end_key)
{
	for (uint32_t k = 0; k < end_key; k += 2) {
		treelab_insert(lab, k);
		treelab_commit(lab);
	}
}

static bool stands_at(uint32_t k)
{
	union btree_rec rec;
	bool found;

	cr_assert_eq(btree_get(&lab->cur, &rec, &found), 0);
	return found && !memcmp(&rec, &lab->model[k], sizeof(rec));
}

static bool look_for(enum btree_dir dir, uint32_t k)
{
	union btree_rec key;
	bool found;

	treelab_begin(lab);
	treelab_rec(lab, k, &key);
	cr_assert_eq(btree_lookup(&lab->cur, dir, &key, &found), 0);
	return found;
}

Test(btree_use, lookup_finds_in_three_directions)
{
	fill(1000);
	cr_expect(look_for(BTREE_EQ, 500) && stands_at(500));
	cr_expect(look_for(BTREE_LE, 501) && stands_at(500));
	cr_expect(look_for(BTREE_GE, 501) && stands_at(502));
	cr_expect_not(look_for(BTREE_EQ, 501));
	cr_expect_not(look_for(BTREE_GE, 999));
	cr_expect(look_for(BTREE_LE, 999) && stands_at(998));
}

Test(btree_use, nothing_is_found_in_an_empty_tree)
{
	union btree_rec rec;
	bool found;

	cr_expect_not(look_for(BTREE_LE, 10));
	cr_expect_not(look_for(BTREE_GE, 10));
	cr_expect_not(look_for(BTREE_EQ, 10));
	cr_assert_eq(btree_get(&lab->cur, &rec, &found), 0);
	cr_expect_not(found);
	cr_assert_eq(btree_next(&lab->cur, &found), 0);
	cr_expect_not(found);
	cr_assert_eq(btree_prev(&lab->cur, &found), 0);
	cr_expect_not(found);
	cr_assert_eq(btree_delete(&lab->cur, &found), 0);
	cr_expect_not(found);
	cr_expect_not(trans_buf_is_dirty(lab->t, lab->agbuf));
}

Test(btree_use, ascending_records_leave_full_leaves)
{
	/* as Linux has it: what does not fit goes to the left neighbour */
	const uint32_t room = (1024 - 56) / 8;

	for (uint32_t k = 0; k < 10 * room; k++)
		treelab_insert(lab, k);
	treelab_check(lab);
	cr_expect_eq(lab->blocks, 10 + 1, "%u", lab->blocks);
}

Test(btree_use, a_record_out_of_order_is_refused)
{
	union btree_rec rec;
	bool done;

	fill(1000);
	cr_assert(look_for(BTREE_EQ, 500));
	treelab_rec(lab, 502, &rec);
	cr_expect_eq(btree_insert(&lab->cur, &rec, &done), -EUCLEAN);
	cr_expect_not(done);
	cr_expect(strstr(lab->reports, "no place here"), "%s", lab->reports);
	/* nothing has been changed */
	cr_expect_not(lab->t->dirty);
	treelab_rec(lab, 499, &rec);
	cr_expect_eq(btree_insert(&lab->cur, &rec, &done), 0);
	cr_expect(done);
	lab->reports[0] = 0;
	treelab_rec(lab, 503, &rec);
	cr_assert(look_for(BTREE_EQ, 500));
	cr_expect_eq(btree_update(&lab->cur, &rec), -EUCLEAN);
	treelab_rec(lab, 501, &rec);
	cr_expect_eq(btree_update(&lab->cur, &rec), 0);
}

/* --- no space --- */

/* The next insert of a key above all others needs a block. */
static uint32_t fill_until_full(void)
{
	uint32_t blocks = lab->blocks, k = 0;

	/* the last leaf is full when its neighbour is: two of them, then */
	while (lab->blocks < blocks + 4) {
		treelab_insert(lab, k++);
		treelab_commit(lab);
	}
	for (uint32_t room = (1024 - 56) / 8; k % room; )
		treelab_insert(lab, k++);
	treelab_check(lab);
	return k;
}

Test(btree_use, without_space_a_split_is_not_done)
{
	uint32_t k = fill_until_full(), blocks = lab->blocks;
	union btree_rec rec;
	bool done;

	cr_assert_not(look_for(BTREE_EQ, k));
	lab->fail_after = 1;
	treelab_rec(lab, k, &rec);
	cr_expect_eq(btree_insert(&lab->cur, &rec, &done), 0);
	cr_expect_not(done);
	cr_expect_eq(lab->fail_after, 0, "no block was wanted");
	cr_expect_eq(lab->blocks, blocks);
	treelab_check(lab);
	treelab_insert(lab, k);
	treelab_check(lab);
	cr_expect_eq(lab->blocks, blocks + 1);
}

Test(btree_use, without_space_for_a_root_is_an_error)
{
	const uint32_t room = (1024 - 56) / 8;
	union btree_rec rec;
	bool done;

	for (uint32_t k = 0; k < room; k++)
		treelab_insert(lab, k);
	cr_assert_not(look_for(BTREE_EQ, room));
	lab->fail_after = 2;
	treelab_rec(lab, room, &rec);
	cr_expect_eq(btree_insert(&lab->cur, &rec, &done), -ENOSPC);
	cr_expect(strstr(lab->reports, "half of which is split"), "%s",
		  lab->reports);
	btree_fini(&lab->cur);
	trans_cancel(lab->t);
	lab->t = NULL;
}

/* --- without a transaction --- */

static int sum(struct btree_cur *cur, const union btree_rec *rec, void *ctx)
{
	(void)cur;
	*(uint64_t *)ctx += rec->alloc.ar_startblock;
	return 0;
}

static int stop(struct btree_cur *cur, const union btree_rec *rec, void *ctx)
{
	(void)cur;
	(void)rec;
	return ++*(uint64_t *)ctx == 5 ? -ECANCELED : 0;
}

Test(btree_use, can_be_looked_at_without_a_transaction)
{
	uint64_t want = 0, have = 0, calls = 0;
	struct btree_cur cur;
	struct buf *agf;

	fill(2000);
	for (uint32_t k = 0; k < 2000; k += 2)
		want += lab->model[k].alloc.ar_startblock;
	cr_assert_eq(trans_read_buf(&lab->fs, NULL,
				    xfs_agb_to_daddr(&lab->fs.geom, 1, 0) + 1,
				    1, &trans_agf_ops, &agf), 0);
	btree_init_ag(&cur, NULL, &lab->group, XFS_BTREE_BNO, agf);
	cr_expect_eq(btree_query_all(&cur, sum, &have), 0);
	cr_expect_eq(have, want);
	cr_expect_eq(btree_query_all(&cur, stop, &calls), -ECANCELED);
	cr_expect_eq(calls, 5);
	btree_fini(&cur);
	buf_release(agf);
	/* all are unlocked again */
	treelab_check(lab);
}

static int note_block(struct btree_cur *cur, unsigned int level,
		      uint64_t block, struct buf *buf, void *ctx)
{
	uint32_t *count = ctx;

	(void)cur;
	(void)block;
	cr_assert_eq(get_be16(buf->data + 4), level);
	count[level]++;
	return 0;
}

Test(btree_use, each_block_is_shown_once)
{
	uint32_t count[XFS_BTREE_MAX_LEVELS] = { 0 };

	fill(KEYS);
	treelab_begin(lab);
	cr_assert_eq(btree_each_block(&lab->cur, note_block, count), 0);
	cr_expect_eq(count[0] + count[1] + count[2], lab->blocks);
	cr_expect_gt(count[0], count[1]);
	cr_expect_eq(count[1], 1);
}

/* --- forks --- */

Test(btree_use, a_list_too_long_for_a_leaf_is_no_tree)
{
	struct xfs_bmbt_rec recs[64];
	uint8_t fork[336];
	bool done;

	treelab_free(lab);
	open_kind(XFS_BTREE_BMAP);
	for (uint32_t i = 0; i < 64; i++)
		recs[i] = (struct xfs_bmbt_rec){ .br_startoff = i,
						 .br_blockcount = 1 };
	treelab_begin(lab);
	memcpy(fork, inode_fork(lab->ip, XFS_DATA_FORK, NULL), sizeof(fork));
	cr_expect_eq(btree_from_extents(&lab->cur, recs, 64, &done),
		     -EUCLEAN);
	lab->fail_after = 1;
	cr_expect_eq(btree_from_extents(&lab->cur, recs, 59, &done), 0);
	cr_expect_not(done);
	cr_expect_arr_eq(inode_fork(lab->ip, XFS_DATA_FORK, NULL), fork,
			 sizeof(fork));
	cr_expect_not(lab->t->dirty);
}

Test(btree_use, a_tree_of_more_than_a_leaf_is_no_list)
{
	bool done;

	treelab_free(lab);
	open_kind(XFS_BTREE_BMAP);
	fill(200);
	treelab_begin(lab);
	cr_expect_eq(btree_to_extents(&lab->cur, &done), 0);
	cr_expect_not(done);
	treelab_check(lab);
}
