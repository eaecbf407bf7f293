/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Groups whose headers and trees do not agree: what is found is said, and
 * nothing is changed that was not checked.
 */
#include <criterion/criterion.h>

#include "tests/lib/spaceload.h"

enum { AG = 1, AGF_SECTOR = 1, AGFL_SECTOR = 3, LEN = 40, FIRST = 100 };

static struct spaceload *l;
static struct trans *t;

static void start(bool v4)
{
	l = spaceload_new(&(struct madefs_want){ .v4 = v4 }, 1);
}

static void end(void)
{
	trans_cancel(t);
	t = NULL;
	spaceload_free(l);
	l = NULL;
}

static struct perag *pag(void)
{
	return perag_of(&l->f->m->fs, AG);
}

static uint64_t header_daddr(unsigned int sector)
{
	return xfs_agb_to_daddr(l->s->g, AG, 0) +
	       sector * (l->s->g->sectsize / BB_SIZE);
}

/* Change a block on the disk, with a checksum that is right. */
static void spoil(uint64_t daddr, uint32_t len, uint32_t crc_off,
		  void (*change)(uint8_t *raw))
{
	static uint8_t raw[4096];

	madefs_unmount(l->f);
	madefs_read(l->f, daddr, raw, len);
	change(raw);
	if (l->s->g->v5)
		put_le32(raw + crc_off, xfs_crc_block(raw, len, crc_off));
	madefs_write(l->f, daddr, raw, len);
	madefs_mount(l->f);
	l->f->said[0] = 0;
}

static void spoil_agf(void (*change)(uint8_t *raw))
{
	spoil(header_daddr(AGF_SECTOR), l->s->g->sectsize, XFS_AGF_CRC_OFF,
	      change);
}

static void spoil_agfl(void (*change)(uint8_t *raw))
{
	spoil(header_daddr(AGFL_SECTOR), l->s->g->sectsize, XFS_AGFL_CRC_OFF,
	      change);
}

static void spoil_root(enum xfs_btree_kind kind, void (*change)(uint8_t *raw))
{
	spoil(perag_daddr(pag(), ag_first_root(l->s->g, kind)),
	      l->s->g->blocksize, XFS_BTREE_SHORT_CRC_OFF, change);
}

static struct xfs_agf agf_now(void)
{
	struct xfs_agf agf;
	struct buf *b;

	cr_assert_eq(ag_read_agf(NULL, pag(), &b), 0);
	agf = ag_agf(b);
	buf_release(b);
	return agf;
}

/* Blocks FIRST.. of the group belong to a file. */
static void take_some(void)
{
	struct alloc_args a = {
		.t = spaceload_trans(l, XFS_TR_ITRUNCATE),
		.minlen = LEN, .maxlen = LEN,
		.owner = { .owner = SPACELOAD_INO, .offset = 7 },
	};

	cr_assert_eq(alloc_exact(&a, perag_fsb(pag(), FIRST)), 0);
	cr_assert_neq(a.fsb, XFS_NULL_FSBLOCK);
	spaceload_commit(l, a.t);
}

static int free_some(xfs_agblock_t agbno, uint32_t len, uint64_t owner)
{
	const struct rmap_owner who = {
		.owner = owner, .offset = 7 + agbno - FIRST,
	};

	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	return free_extent(t, pag(), agbno, len, &who, 0);
}

static int alloc_some(void)
{
	struct alloc_args a = {
		.minlen = 1, .maxlen = 4,
		.owner = { .owner = SPACELOAD_INO },
	};

	t = a.t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	return alloc_this_ag(&a, AG);
}

static void says(const char *text)
{
	cr_expect(strstr(l->f->said, text), "not \"%s\":\n%s", text,
		  l->f->said);
}

/* --- what is freed --- */

Test(alloc_damaged, free_blocks_are_not_freed)
{
	start(false);
	cr_expect_eq(free_some(FIRST, LEN, SPACELOAD_INO), -EUCLEAN);
	says("some are free already");
	cr_expect(!t->dirty);
	end();
}

Test(alloc_damaged, blocks_of_which_one_is_free_are_not_freed)
{
	start(false);
	take_some();
	cr_expect_eq(free_some(FIRST, LEN + 1, SPACELOAD_INO), -EUCLEAN);
	says("some are free already");
	cr_expect(!t->dirty);
	trans_cancel(t);
	cr_expect_eq(free_some(FIRST - 1, 2, SPACELOAD_INO), -EUCLEAN);
	cr_expect(!t->dirty);
	end();
}

Test(alloc_damaged, blocks_of_somebody_else_are_not_freed)
{
	start(false);
	take_some();
	cr_expect_eq(free_some(FIRST, LEN, SPACELOAD_INO + 1), -EUCLEAN);
	says("do not belong to 132");
	cr_expect(!t->dirty);
	end();
}

Test(alloc_damaged, blocks_outside_the_group_are_not_freed)
{
	start(false);
	cr_expect_eq(free_some(pag()->blocks - 1, 2, SPACELOAD_INO),
		     -EUCLEAN);
	trans_cancel(t);
	cr_expect_eq(free_some(0, 1, SPACELOAD_INO), -EUCLEAN);
	cr_expect(!t->dirty);
	end();
}

Test(alloc_damaged, of_blocks_with_an_unknown_owner_any_loses_them)
{
	start(false);
	take_some();
	cr_assert_eq(free_some(FIRST + 3, LEN - 5, XFS_RMAP_OWN_UNKNOWN), 0,
		     "%s", l->f->said);
	spaceload_commit(l, t);
	cr_assert_eq(free_some(FIRST, 3, SPACELOAD_INO), 0, "%s", l->f->said);
	spaceload_commit(l, t);
	cr_assert_eq(free_some(FIRST + LEN - 2, 2, SPACELOAD_INO), 0, "%s",
		     l->f->said);
	spaceload_commit(l, t);
	t = NULL;
	space_check(l->s);
	end();
}

Test(alloc_damaged, blocks_of_nobody_can_have_an_unknown_owner)
{
	struct alloc_args a = {
		.minlen = LEN, .maxlen = LEN,
		.owner = rmap_special(XFS_RMAP_OWN_NULL),
	};

	start(false);
	a.t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(alloc_exact(&a, perag_fsb(pag(), FIRST)), 0);
	spaceload_commit(l, a.t);
	cr_assert_eq(free_some(FIRST, LEN, XFS_RMAP_OWN_UNKNOWN), 0, "%s",
		     l->f->said);
	spaceload_commit(l, t);
	t = NULL;
	space_check(l->s);
	end();
}

/* --- the free list --- */

static void one_slot_less(uint8_t *raw)
{
	/* six blocks, in a ring of which the last slot is not used */
	put_be32(raw + 40, 118 - 4);
	put_be32(raw + 44, 1);
}

static void ring_of_old_kernels(uint8_t *raw)
{
	for (unsigned int i = 0; i < 6; i++) {
		uint8_t *from = raw + xfs_agfl_size + 4 * (1 + i);
		uint32_t slot = (114 + i) % 118;

		put_be32(raw + xfs_agfl_size + 4 * slot, get_be32(from));
	}
}

Test(alloc_damaged, a_ring_that_an_old_kernel_wrapped_is_given_up)
{
	start(false);
	take_some();
	spoil_agf(one_slot_less);
	spoil_agfl(ring_of_old_kernels);
	cr_assert_eq(free_some(FIRST, LEN, SPACELOAD_INO), 0, "%s",
		     l->f->said);
	says("wrapped by an old kernel");
	spaceload_commit(l, t);
	t = NULL;
	cr_expect_eq(agf_now().agf_flcount, 6);
	cr_expect_eq(agf_now().agf_flfirst, 0);
	cr_expect_eq(agf_now().agf_fllast, 5);
	end();
}

static void two_fewer(uint8_t *raw)
{
	put_be32(raw + 48, get_be32(raw + 48) - 2);
}

Test(alloc_damaged, a_list_of_another_length_is_not_used)
{
	for (int v4 = 0; v4 < 2; v4++) {
		start(v4);
		spoil_agf(two_fewer);
		cr_expect_eq(alloc_some(), -EUCLEAN);
		says("free list of");
		cr_expect(!t->dirty);
		end();
	}
}

static void no_list(uint8_t *raw)
{
	memset(raw, 0x11, 64);
}

Test(alloc_damaged, a_block_in_the_list_is_in_the_group)
{
	xfs_agblock_t agbno;
	struct buf *b;

	/* of version 4, where nobody looks at it before */
	start(true);
	spoil_agfl(no_list);
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(ag_read_agf(t, pag(), &b), 0);
	cr_expect_eq(alloc_get_freelist(t, pag(), b, true, &agbno), -EUCLEAN);
	says("in slot 1 of the free list");
	cr_expect(!t->dirty);
	end();
}

/* --- trees and counters --- */

static void nothing_by_size(uint8_t *raw)
{
	put_be16(raw + 6, 0);
}

Test(alloc_damaged, a_tree_without_what_the_other_has_is_found_out)
{
	start(false);
	take_some();
	spoil_root(XFS_BTREE_CNT, nothing_by_size);
	cr_expect_eq(free_some(FIRST, LEN, SPACELOAD_INO), -EUCLEAN);
	says("cntbt");
	end();
}

static void all_free(uint8_t *raw)
{
	put_be32(raw + 52, get_be32(raw + 12));
}

Test(alloc_damaged, a_counter_does_not_go_above_all)
{
	start(false);
	take_some();
	spoil_agf(all_free);
	cr_expect_eq(free_some(FIRST, LEN, SPACELOAD_INO), -EUCLEAN);
	says("counted as free");
	end();
}

/* --- owners and reference counts --- */

static void fails(const char *text)
{
	cr_expect_eq(trans_commit(t, NULL), -EUCLEAN);
	t = NULL;
	says(text);
	cr_expect(log_is_shutdown(l->f->m->fs.log));
}

static struct xfs_bmbt_rec extent(uint32_t agbno, uint32_t len)
{
	return (struct xfs_bmbt_rec){
		.br_startblock = perag_fsb(pag(), agbno),
		.br_startoff = 7 + agbno - FIRST, .br_blockcount = len,
	};
}

Test(alloc_damaged, blocks_with_an_owner_get_no_other)
{
	struct xfs_bmbt_rec e;

	start(false);
	take_some();
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	e = extent(FIRST + LEN - 1, 2);
	cr_assert_eq(rmap_map_later(t, SPACELOAD_INO, 0, false, &e), 0);
	fails("some belong to 131");
	end();
}

Test(alloc_damaged, only_an_owner_loses_blocks)
{
	struct xfs_bmbt_rec e;

	for (int shared = 0; shared < 2; shared++) {
		start(false);
		take_some();
		t = spaceload_trans(l, XFS_TR_ITRUNCATE);
		e = extent(FIRST + 2, 2);
		e.br_startoff++;
		cr_assert_eq(rmap_unmap_later(t, SPACELOAD_INO, 0, shared,
					      &e), 0);
		fails("do not belong to 131");
		end();
	}
}

Test(alloc_damaged, what_is_unwritten_is_converted_once)
{
	struct xfs_bmbt_rec e;

	start(false);
	take_some();
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	e = extent(FIRST + 2, 2);
	cr_assert_eq(rmap_convert_later(t, SPACELOAD_INO, 0, true, &e), 0);
	fails("do not belong to 131");
	end();
}

static xfs_fsblock_t first_block(void)
{
	return perag_fsb(pag(), FIRST);
}

Test(alloc_damaged, blocks_are_set_aside_once)
{
	start(false);
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(refcount_alloc_cow_later(t, first_block(), 8), 0);
	spaceload_commit(l, t);
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(refcount_alloc_cow_later(t, first_block() + 7, 2), 0);
	fails("already set aside");
	end();
}

Test(alloc_damaged, only_blocks_that_are_set_aside_are_given_back)
{
	start(false);
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(refcount_alloc_cow_later(t, first_block(), 8), 0);
	spaceload_commit(l, t);
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(rmap_alloc_later(t, first_block() + 8, 1,
				      XFS_RMAP_OWN_COW), 0);
	cr_assert_eq(refcount_free_cow_later(t, first_block() + 7, 2), 0);
	fails("not set aside");
	end();
}

static void one_owner(uint8_t *raw)
{
	uint8_t *rec = raw + XFS_BTREE_SHORT_CRC_BYTES;

	put_be16(raw + 6, 1);
	put_be32(rec, FIRST);
	put_be32(rec + 4, 3);
	put_be32(rec + 8, 1);
}

Test(alloc_damaged, a_count_of_one_has_no_record)
{
	start(false);
	spoil_root(XFS_BTREE_REFC, one_owner);
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(refcount_increase_later(t, first_block(), 3), 0);
	fails("refcountbt");
	end();
}

/* --- intents --- */

Test(alloc_damaged, an_efi_of_no_blocks_is_refused)
{
	struct defer_work *w;

	start(false);
	cr_expect_eq(extent_free_work_decode(&l->f->m->fs,
		&(struct xfs_extent){ .ext_start = 1000 }, &w), -EUCLEAN);
	cr_expect_eq(extent_free_work_decode(&l->f->m->fs,
		&(struct xfs_extent){ .ext_start = 4095, .ext_len = 2 }, &w),
		-EUCLEAN);
	cr_expect_eq(extent_free_work_decode(&l->f->m->fs,
		&(struct xfs_extent){ .ext_start = (uint64_t)1 << 50,
				      .ext_len = 1 }, &w), -EUCLEAN);
	end();
}

Test(alloc_damaged, a_rui_that_cannot_be_is_refused)
{
	const struct xfs_map_extent good = {
		.me_owner = SPACELOAD_INO, .me_startblock = 1000, .me_len = 1,
		.me_flags = XFS_RMAP_EXTENT_MAP,
	};
	struct xfs_map_extent bad[5] = { good, good, good, good, good };
	struct defer_work *w;

	start(false);
	bad[0].me_flags = 0;
	bad[1].me_flags = XFS_RMAP_EXTENT_FREE + 1;
	bad[2].me_flags |= 1u << 20;
	bad[3].me_owner = (uint64_t)1 << 40;
	bad[4].me_len = 100000;
	for (unsigned int i = 0; i < 5; i++)
		cr_expect_eq(rmap_work_decode(&l->f->m->fs, &bad[i], &w),
			     -EUCLEAN, "%u", i);
	cr_assert_eq(rmap_work_decode(&l->f->m->fs, &good, &w), 0);
	defer_rmap.free_work(w);
	end();
}

Test(alloc_damaged, a_cui_that_cannot_be_is_refused)
{
	const struct xfs_phys_extent good = {
		.pe_startblock = 1000, .pe_len = 1,
		.pe_flags = XFS_REFCOUNT_INCREASE,
	};
	struct xfs_phys_extent bad[4] = { good, good, good, good };
	struct defer_work *w;

	start(false);
	bad[0].pe_flags = 0;
	bad[1].pe_flags = XFS_REFCOUNT_FREE_COW + 1;
	bad[2].pe_flags |= 1u << 31;
	bad[3].pe_startblock = 0;
	for (unsigned int i = 0; i < 4; i++)
		cr_expect_eq(refcount_work_decode(&l->f->m->fs, &bad[i], &w),
			     -EUCLEAN, "%u", i);
	cr_assert_eq(refcount_work_decode(&l->f->m->fs, &good, &w), 0);
	defer_refcount.free_work(w);
	end();
}
