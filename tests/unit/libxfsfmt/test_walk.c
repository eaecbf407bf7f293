/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks over blocks that are there in part.
 */
#include <criterion/criterion.h>

#include "tests/lib/walktext.h"

enum { BLOCK = 512 };

#define DEMO_ROWS(X)						\
	X##_F(be32, a,		0,	UINT)			\
	X##_V(be32, 40, list,	96,	UINT)			\
	X##_W(be16, only_1,	256,	UINT, NULL, 1, 0)	\
	X##_W(be16, not_2,	258,	UINT, NULL, 0, 2)	\
	X##_F(be64, split,	380,	UINT)
XFS_DECLARE(demo, DEMO_ROWS, 388);
XFS_DEFINE(demo, DEMO_ROWS)

static uint8_t block[BLOCK];
static struct walktext text;

/* The chunks of @bitmap are there; 0: all. */
static struct xfs_walk walk(const uint32_t *bitmap)
{
	for (unsigned int i = 0; i < BLOCK; i++)
		block[i] = 0;
	put_be32(block, 7);
	for (unsigned int i = 0; i < 40; i++)
		put_be32(block + 96 + 4 * i, i);
	put_be16(block + 256, 11);
	put_be16(block + 258, 22);
	put_be64(block + 380, 33);
	memset(&text, 0, sizeof(text));
	return (struct xfs_walk){
		.base = block, .len_bytes = BLOCK, .chunks = bitmap,
		.ops = &walktext_ops, .ctx = &text,
	};
}

#define ALL_40 "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22," \
	       "23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39"

Test(walk_has, looks_at_every_chunk)
{
	const uint32_t bitmap[] = { 0xb };	/* all but 256..383 */
	struct xfs_walk w = walk(bitmap);

	cr_assert(xfs_walk_has(&w, 0, 256));
	cr_assert(!xfs_walk_has(&w, 255, 2));
	cr_assert(!xfs_walk_has(&w, 383, 1));
	cr_assert(xfs_walk_has(&w, 384, 128));
	cr_assert(!xfs_walk_has(&w, 0, 512));
}

Test(walk_has, nothing_is_there_behind_the_end)
{
	struct xfs_walk w = walk(NULL);

	cr_assert(xfs_walk_has(&w, 0, BLOCK));
	cr_assert(!xfs_walk_has(&w, 0, BLOCK + 1));
	cr_assert(!xfs_walk_has(&w, 1, BLOCK));
	cr_assert(xfs_walk_has(&w, BLOCK, 0));
	cr_assert(!xfs_walk_has(&w, BLOCK + 1, 0));
	/* no sum of the two that wraps */
	cr_assert(!xfs_walk_has(&w, 16, SIZE_MAX - 8));
	cr_assert(!xfs_walk_has(&w, SIZE_MAX, 1));
}

Test(walk_fields, shows_those_of_the_variant)
{
	struct xfs_walk w = walk(NULL);

	xfs_walk_fields(&w, demo_fields, 0, 1);
	cr_assert_str_eq(text.text, "a=7 list=" ALL_40 " only_1=11 not_2=22 "
			 "split=33");
	w = walk(NULL);
	xfs_walk_fields(&w, demo_fields, 0, 2);
	cr_assert_str_eq(text.text, "a=7 list=" ALL_40 " split=33");
}

Test(walk_fields, leaves_out_what_is_not_wholly_there)
{
	const uint32_t bitmap[] = { 0x4 };	/* 256..383 */
	struct xfs_walk w = walk(bitmap);

	xfs_walk_fields(&w, demo_fields, 0, 1);
	cr_assert_str_eq(text.text, "only_1=11 not_2=22");
}

Test(walk_fields, shows_arrays_in_part)
{
	const uint32_t bitmap[] = { 0x1 };	/* 0..127 */
	const uint32_t other[] = { 0x2 };	/* 128..255 */
	struct xfs_walk w = walk(bitmap);

	xfs_walk_fields(&w, demo_fields, 0, 0);
	cr_assert_str_eq(text.text, "a=7 part[0]{list=0,1,2,3,4,5,6,7}");
	w = walk(other);
	xfs_walk_fields(&w, demo_fields, 0, 0);
	cr_assert_str_eq(text.text,
			 "part[8]{list=8,9,10,11,12,13,14,15,16,17,18,19,20,21,"
			 "22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,"
			 "39}");
	cr_assert_eq(text.depth, 0);
}

Test(walk_fields, ends_with_the_block)
{
	struct xfs_walk w = walk(NULL);

	w.len_bytes = 100;
	xfs_walk_fields(&w, demo_fields, 0, 0);
	cr_assert_str_eq(text.text, "a=7 part[0]{list=0}");
}

Test(walk_group, is_left_out_when_nothing_of_it_is_there)
{
	const uint32_t none[] = { 0x8 }, some[] = { 0x2 };
	struct xfs_walk w = walk(none);

	xfs_walk_group(&w, "g", 3, demo_fields, 0, 0);
	cr_assert_str_empty(text.text);
	w = walk(some);
	xfs_walk_group(&w, "g", 3, demo_fields, 0, 0);
	cr_assert_eq(strncmp(text.text, "g[3]{part[8]{list=8,", 20), 0);
	cr_assert_eq(text.depth, 0);
	w = walk(NULL);
	w.len_bytes = 4;
	xfs_walk_group(&w, "g", -1, demo_fields, 0, 0);
	cr_assert_str_eq(text.text, "g{a=7}");
}
