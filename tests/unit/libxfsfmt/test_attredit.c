/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes that come and go, against a list of those that are there: after
 * every step the block is sound, holds just these, and remembers no byte as
 * free that is in use.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "libxfsfmt/attredit.h"
#include "libxfsfmt/daedit.h"

enum { MANY = 600, STEPS = 4000, BLOCK_MAX = 65536, VALUE_MAX = 900 };

struct known {
	bool		there;
	char		name[64];
	uint8_t		value[VALUE_MAX];
	struct xfs_attr	a;
};

static struct known known[MANY];
static uint8_t block[BLOCK_MAX], other[BLOCK_MAX], third[BLOCK_MAX];
static struct xfs_geom g;
static uint64_t state;

static uint32_t any(uint32_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

static void begin(uint32_t blocksize, bool v5, uint32_t value_max)
{
	state = blocksize + v5;
	g = (struct xfs_geom){ .blocksize = blocksize, .v5 = v5 };
	for (unsigned int i = 0; i < MANY; i++) {
		struct known *k = &known[i];

		k->there = false;
		/* some have the same hash */
		snprintf(k->name, sizeof(k->name), "%.*s%u", (int)any(40),
			 "a name that is not as short as others are", i / 2);
		memset(k->value, (int)i, sizeof(k->value));
		k->a = (struct xfs_attr){
			.name = (uint8_t *)k->name, .value = k->value,
			.name_bytes = (uint32_t)strlen(k->name),
			.value_bytes = any(value_max),
			.space = i & 1 ? XFS_ATTR_ROOT : 0,
		};
	}
}

static void leaf_is_sound(uint8_t *raw, struct xfs_attr_leaf *leaf)
{
	const char *why = xfs_attr_leaf_verify(raw, g.blocksize, &g);
	uint32_t n = 0, index;

	cr_assert_null(why, "%s", why);
	why = xfs_attr_leaf_load(leaf, raw, &g);
	cr_assert_null(why, "%s", why);
	for (unsigned int i = 0; i < MANY; i++) {
		const struct known *k = &known[i];
		uint32_t hash = xfs_attr_hash(&g, &k->a);
		struct xfs_attr_entry e;
		bool local, found;

		xfs_attr_leaf_bytes(&k->a, g.blocksize, &local);
		found = xfs_attr_leaf_find(leaf, &k->a, hash, !local, &index);
		cr_assert_eq(found, k->there, "%u", i);
		n += k->there;
		if (!found || !local)
			continue;
		xfs_attr_leaf_entry(leaf, index, &e);
		cr_assert_eq(e.value_bytes, k->a.value_bytes);
		cr_assert_eq(memcmp(e.value, k->value, e.value_bytes), 0);
	}
	cr_assert_eq(leaf->count, n);
}

static void random_leaf(uint32_t blocksize, bool v5)
{
	struct xfs_attr_leaf leaf;
	unsigned int full = 0;

	begin(blocksize, v5, VALUE_MAX);
	xfs_attr_leaf_init(&leaf, block, &g, 8, 128);
	for (unsigned int step = 0; step < STEPS; step++) {
		struct known *k = &known[any(MANY)];
		uint32_t hash = xfs_attr_hash(&g, &k->a), index, bytes;
		bool local, room;

		bytes = xfs_attr_leaf_bytes(&k->a, blocksize, &local);
		cr_assert_eq(xfs_attr_leaf_find(&leaf, &k->a, hash, !local,
						&index), k->there);
		if (k->there) {
			xfs_attr_leaf_remove(&leaf, index);
			k->there = false;
		} else {
			room = leaf.hdr_bytes + 8 + bytes +
			       xfs_attr_leaf_load_bytes(&leaf) <= blocksize;
			k->there = xfs_attr_leaf_add(&leaf, index, &k->a, hash);
			cr_assert_eq(k->there, room);
			full += !room;
		}
		xfs_attr_leaf_store(&leaf);
		if (step % 16 == 0)
			leaf_is_sound(block, &leaf);
	}
	cr_expect_gt(full, 100);
}

Test(attredit, a_leaf_holds_what_was_added_and_not_removed)
{
	random_leaf(4096, true);
	random_leaf(4096, false);
	random_leaf(1024, true);
	random_leaf(512, false);
	random_leaf(65536, true);
}

Test(attredit, halves_of_a_split_leaf_hold_all_of_it)
{
	for (unsigned int round = 0; round < 200; round++) {
		struct xfs_attr_leaf leaf, new;
		struct xfs_attr_split s;
		struct known *k = NULL;
		uint32_t hash = 0, index = 0, n = 0, bytes;
		bool local;

		begin(1024, true, 700);
		state = round;
		xfs_attr_leaf_init(&leaf, block, &g, 8, 128);
		xfs_attr_leaf_init(&new, other, &g, 16, 128);
		do {
			n += k && k->there;
			k = &known[any(MANY)];
			if (k->there)
				continue;
			hash = xfs_attr_hash(&g, &k->a);
			xfs_attr_leaf_bytes(&k->a, g.blocksize, &local);
			xfs_attr_leaf_find(&leaf, &k->a, hash, !local, &index);
			k->there = xfs_attr_leaf_add(&leaf, index, &k->a, hash);
		} while (k->there);
		n = leaf.count;
		bytes = xfs_attr_leaf_bytes(&k->a, g.blocksize, &local);
		s = xfs_attr_leaf_balance(&leaf, index, bytes);
		cr_assert_leq(s.count, n);
		cr_assert(!s.stays || index <= s.count);
		cr_assert(s.stays || index >= s.count);
		xfs_attr_leaf_move(&leaf, s.count, &new, 0, n - s.count);
		xfs_attr_leaf_store(&leaf);
		xfs_attr_leaf_store(&new);
		cr_expect_null(xfs_attr_leaf_load(&leaf, block, &g));
		cr_expect_null(xfs_attr_leaf_load(&new, other, &g));
		cr_expect_eq(leaf.count + new.count, n);
		/* and back again */
		xfs_attr_leaf_init(&leaf, third, &g, 24, 128);
		xfs_attr_leaf_move(&new, 0, &leaf, 0, new.count);
		xfs_attr_leaf_load(&new, block, &g);
		xfs_attr_leaf_move(&new, 0, &leaf, 0, new.count);
		xfs_attr_leaf_store(&leaf);
		k->there = false;
		leaf_is_sound(third, &leaf);
	}
}

Test(attredit, a_leaf_whose_names_overlap_is_not_changed)
{
	struct xfs_attr_leaf leaf;

	begin(1024, true, 20);
	xfs_attr_leaf_init(&leaf, block, &g, 8, 128);
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t hash = xfs_attr_hash(&g, &known[i].a), index;

		xfs_attr_leaf_find(&leaf, &known[i].a, hash, false, &index);
		cr_assert(xfs_attr_leaf_add(&leaf, index, &known[i].a, hash));
	}
	xfs_attr_leaf_store(&leaf);
	cr_assert_null(xfs_attr_leaf_load(&leaf, block, &g));
	memcpy(block + 84, block + 92, 2);
	cr_expect_not_null(xfs_attr_leaf_load(&leaf, block, &g));
	cr_expect_null(xfs_attr_leaf_verify(block, g.blocksize, &g));
}

Test(attredit, the_shortform_holds_what_was_added_and_not_removed)
{
	uint8_t *sf = block;
	uint32_t off;

	begin(512, true, 100);
	xfs_attr_sf_init(sf);
	for (unsigned int step = 0; step < STEPS; step++) {
		struct known *k = &known[any(MANY)];
		struct xfs_attr a;
		uint32_t n = 0;

		off = xfs_attr_sf_find(sf, &k->a);
		cr_assert_eq(off != 0, k->there);
		if (off)
			xfs_attr_sf_remove(sf, off);
		else if (sf[2] < 200)
			xfs_attr_sf_add(sf, &k->a);
		else
			continue;
		k->there = !k->there;
		cr_assert_null(xfs_attr_sf_verify(sf, get_be16(sf)));
		for (off = 0; xfs_attr_sf_next(sf, &off, &a); n++)
			;
		cr_assert_eq(n, sf[2]);
	}
	known[0].a.value_bytes = 256;
	cr_expect_eq(xfs_attr_sf_entry_bytes(&known[0].a), UINT32_MAX);
}

Test(attredit, parent_pointers_are_told_apart_by_what_they_point_to)
{
	uint8_t one[12], two[12];
	struct xfs_attr a = { .name = (const uint8_t *)"name", .name_bytes = 4,
			      .value = one, .value_bytes = 12,
			      .space = XFS_ATTR_PARENT };
	struct xfs_attr b = a;

	begin(512, true, 1);
	memset(one, 0, sizeof(one));
	put_be64(one, UINT64_C(0x500000007));
	memcpy(two, one, sizeof(two));
	put_be32(two + 8, 99);
	b.value = two;
	cr_expect_eq(xfs_attr_hash(&g, &a),
		     xfs_da_hashname(a.name, 4) ^ 5 ^ 7);
	xfs_attr_sf_init(block);
	xfs_attr_sf_add(block, &a);
	cr_expect_neq(xfs_attr_sf_find(block, &a), 0);
	cr_expect_eq(xfs_attr_sf_find(block, &b), 0);
}

Test(attredit, nodes_keep_their_entries_in_order)
{
	begin(512, false, 1);
	xfs_da_node_init(block, &g, 1, 8, 128);
	xfs_da_node_init(other, &g, 1, 16, 128);
	for (uint32_t i = 0; i < xfs_da_node_max(&g); i++)
		xfs_da_node_insert(block, &g, 0, 1000 - i * 10, i);
	cr_expect_null(xfs_da_node_verify(block, g.blocksize, &g));
	cr_expect_eq(xfs_da_node_find(block, &g, 0), 0);
	cr_expect_eq(xfs_da_node_find(block, &g, 1000), 61);
	cr_expect_eq(xfs_da_node_find(block, &g, 5000), 61);
	cr_expect_eq(xfs_da_node_find(block, &g, 991), 61);
	cr_expect_eq(xfs_da_node_find(block, &g, 990), 60);
	xfs_da_node_move(block, 40, other, 0, 22, &g);
	cr_expect_eq(xfs_da_node_count(block, &g), 40);
	cr_expect_eq(xfs_da_node_hash(other, &g, 0), 790);
	xfs_da_node_remove(block, &g, 0);
	xfs_da_node_move(other, 0, block, 39, 22, &g);
	for (uint32_t i = 0; i < 61; i++)
		cr_expect_eq(xfs_da_node_hash(block, &g, i), 400 + i * 10);
	cr_expect_eq(xfs_da_node_level(block, &g), 1);
}
