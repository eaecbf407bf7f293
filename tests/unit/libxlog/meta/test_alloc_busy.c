/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space that was freed a moment ago, and space that is kept for trees: when
 * there is nothing else.
 */
#include <criterion/criterion.h>

#include "libxlog/trans/counters.h"
#include "tests/lib/spaceload.h"

enum { AG = 1, FIRST = 500, LEN = 10 };

static struct spaceload *l;

/* A group in which nothing is free. */
static void full_group(void)
{
	l = spaceload_new(&(struct madefs_want){ .bytes = 0 }, 1);
	spaceload_fill(l, AG, 1000);
}

static struct perag *pag(void)
{
	return perag_of(&l->f->m->fs, AG);
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

static struct rmap_owner owner_of(xfs_agblock_t agbno)
{
	return (struct rmap_owner){
		.owner = SPACELOAD_INO, .offset = perag_fsb(pag(), agbno),
	};
}

static struct alloc_args wanted(struct trans *t, uint32_t len)
{
	return (struct alloc_args){
		.t = t, .minlen = len, .maxlen = len,
		.owner = { .owner = SPACELOAD_INO + 1 },
		.use_reserved = true,
	};
}

Test(alloc_busy, what_a_transaction_has_freed_it_does_not_get)
{
	const struct rmap_owner who = (full_group(), owner_of(FIRST));
	struct trans *t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	struct alloc_args a = wanted(t, LEN);

	cr_assert_eq(free_extent(t, pag(), FIRST, LEN, &who, 0), 0, "%s",
		     l->f->said);
	cr_assert_eq(alloc_this_ag(&a, AG), 0, "%s", l->f->said);
	cr_expect_eq(a.fsb, XFS_NULL_FSBLOCK);
	cr_assert_eq(alloc_near(&a, perag_fsb(pag(), FIRST)), 0);
	cr_expect_eq(a.fsb, XFS_NULL_FSBLOCK);
	spaceload_commit(l, t);

	/* who comes next waits until it is durable */
	a = wanted(spaceload_trans(l, XFS_TR_ITRUNCATE), LEN);
	cr_assert_eq(alloc_this_ag(&a, AG), 0, "%s", l->f->said);
	cr_expect_eq(a.fsb, perag_fsb(pag(), FIRST));
	spaceload_commit(l, a.t);
	space_remove(l->s, a.fsb, LEN, SPACELOAD_INO);
	space_add(l->s, a.fsb, LEN, &(struct space_owner){
		.owner = SPACELOAD_INO + 1,
	});
	space_check(l->s);
	spaceload_free(l);
}

Test(alloc_busy, what_was_freed_before_is_waited_for_by_any_search)
{
	struct rmap_owner who;
	struct alloc_args a;
	struct trans *t;

	full_group();
	for (unsigned int i = 0; i < 2; i++) {
		who = owner_of(FIRST + 100 * i);
		t = spaceload_trans(l, XFS_TR_ITRUNCATE);
		cr_assert_eq(free_extent(t, pag(), FIRST + 100 * i, LEN, &who,
					 0), 0);
		spaceload_commit(l, t);
		a = wanted(spaceload_trans(l, XFS_TR_ITRUNCATE), LEN);
		if (!i)
			cr_assert_eq(alloc_near(&a, perag_fsb(pag(), 9)), 0);
		else
			cr_assert_eq(alloc_start_ag(&a, perag_fsb(pag(), 0)),
				     0);
		cr_expect_eq(a.fsb, perag_fsb(pag(), FIRST + 100 * i));
		spaceload_commit(l, a.t);
	}
	spaceload_free(l);
}

/* Blocks of the free list are gone, and are in nobody's books. */
static void shorten_list(unsigned int blocks)
{
	struct trans *t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	xfs_agblock_t agbno;
	struct buf *b;

	cr_assert_eq(ag_read_agf(t, pag(), &b), 0);
	while (blocks--)
		cr_assert_eq(alloc_get_freelist(t, pag(), b, false, &agbno),
			     0);
	spaceload_commit(l, t);
}

Test(alloc_busy, a_list_that_can_grow_only_by_own_blocks_takes_a_transaction)
{
	struct rmap_owner who;
	uint32_t need;
	struct trans *t;

	full_group();
	need = agf_now().agf_flcount;
	shorten_list(3);
	t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	for (unsigned int i = 0; i < 2; i++) {
		who = owner_of(FIRST + 100 * i);
		cr_assert_eq(free_extent_later(t, perag_fsb(pag(), FIRST +
							    100 * i),
					       LEN, &who, 0), 0);
	}
	spaceload_commit(l, t);
	cr_expect_eq(agf_now().agf_flcount, need);
	cr_expect_eq(agf_now().agf_freeblks, 2 * LEN - 3);
	spaceload_free(l);
}

/* --- what is kept --- */

static uint32_t take_all(bool of_tree)
{
	uint32_t blocks = 0;

	for (;;) {
		struct alloc_args a = {
			.t = spaceload_trans(l, XFS_TR_ITRUNCATE),
			.minlen = 1, .maxlen = 100,
			.owner = { .owner = SPACELOAD_INO + 1 },
			.of_tree = of_tree,
		};

		cr_assert_eq(alloc_this_ag(&a, AG), 0, "%s", l->f->said);
		spaceload_commit(l, a.t);
		if (a.fsb == XFS_NULL_FSBLOCK)
			return blocks;
		blocks += a.len;
	}
}

Test(alloc_busy, space_is_kept_for_trees)
{
	/*
	 * 4096 blocks, each as a record of its own, in leaves of 84 (rmapbt)
	 * and 168 (refcountbt), nodes of 45 and 252; 512 chunks in leaves of
	 * 126; each of these trees has one block
	 */
	const uint32_t rmap = 49 + 2 + 1 - 1, refc = 25 + 1 - 1;
	const uint32_t fino = 5 + 1 - 1;
	struct xfs_agf agf;

	l = spaceload_new(&(struct madefs_want){ .bytes = 0 }, 1);
	(void)take_all(false);
	agf = agf_now();
	cr_expect_eq(agf.agf_freeblks, rmap + refc + fino, "%u",
		     agf.agf_freeblks);
	cr_expect_eq(take_all(true), refc + fino);
	spaceload_free(l);
}

/* --- how long --- */

Test(alloc_busy, a_length_can_be_a_multiple)
{
	static const struct { uint32_t minlen, prod, mod, len; } cases[] = {
		{ 1, 4, 1, 9 }, { 9, 4, 1, 9 }, { 10, 4, 1, 10 },
		{ 1, 4, 0, 8 }, { 1, 4, 3, 7 }, { 1, 16, 0, 10 },
		{ 1, 16, 9, 9 },
	};
	struct alloc_args a;
	struct rmap_owner who;

	full_group();
	/* two extents, so that it is not simply all there is */
	for (unsigned int i = 0; i < 2; i++) {
		struct trans *t = spaceload_trans(l, XFS_TR_ITRUNCATE);

		who = owner_of(FIRST + 100 * i);
		cr_assert_eq(free_extent(t, pag(), FIRST + 100 * i, LEN, &who,
					 0), 0);
		spaceload_commit(l, t);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* nothing is busy */
		cr_assert_eq(log_force(l->f->m->fs.log, true), 0);
		a = wanted(spaceload_trans(l, XFS_TR_ITRUNCATE), 32);
		a.minlen = cases[i].minlen;
		a.prod = cases[i].prod;
		a.mod = cases[i].mod;
		cr_assert_eq(alloc_this_ag(&a, AG), 0);
		cr_expect_eq(a.len, cases[i].len, "case %zu: %u", i, a.len);
		spaceload_commit(l, a.t);
		a.t = spaceload_trans(l, XFS_TR_ITRUNCATE);
		cr_assert_eq(free_extent(a.t, pag(), xfs_fsb_agbno(l->s->g,
								   a.fsb),
					 a.len, &a.owner, 0), 0);
		spaceload_commit(l, a.t);
	}
	spaceload_free(l);
}
