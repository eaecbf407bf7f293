/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The three kinds of remainders together.
 */
#include "tests/lib/minifs.h"

static struct minireplay *m;
static struct told told;

static void setup(void)
{
	static const uint8_t raw[32] = { 0x36, 0x12, 1, 0, 1, 0, 0, 0, 7 };
	struct xlog_region region = { raw, sizeof(raw) };
	struct xlog_item efi = { .type = XFS_LI_EFI, .declared = 1,
				 .nregions = 1, .regions = &region };

	m = mini_new(true, 12);
	m->r.geom.reflink = true;
	m->r.pending = xlog_pending_new();
	cr_assert(m->r.pending);
	cr_assert_eq(xlog_pending_item(m->r.pending, &efi, 0, false), 0);
	fs_groups(m);
	for (uint32_t ag = 0; ag < MINI_GROUPS; ag++) {
		uint64_t daddr = xfs_agb_to_daddr(&m->r.geom, ag, 11);

		fs_refcount(fs_tree_block(m, XFS_BTREE_REFC, ag, daddr, 0, 1),
			    0, true, 100 + ag, 1, 1);
		fs_put_tree_block(m, XFS_BTREE_REFC, daddr);
	}
	fs_inode(m, 800, 0100644);
	fs_put_inode(m, 800);
	fs_agi_at(m, 0, "agi_unlinked", 800 % 64, 800);
	fs_listen(m, &told);
}

static void teardown(void)
{
	xlog_pending_free(m->r.pending);
	mini_free(m);
}

TestSuite(replay_remainder, .init = setup, .fini = teardown);

Test(replay_remainder, all_kinds)
{
	m->res.unlinked = 99;
	cr_assert_eq(replay_remainder(&m->r), 0, "%s", m->said.text);
	cr_expect_eq(m->res.intents, 1);
	cr_expect_eq(m->res.unlinked, 1);
	cr_expect_eq(m->res.cow_extents, 4);
	cr_expect_eq(told.count, 6);
	cr_expect_str_eq(told.last_text,
			 "ag3/103+1: set aside for copy on write");
}

/* What cannot be looked at is not said to be empty. */
Test(replay_remainder, damage)
{
	fs_agf_at(m, 3, "agf_refcount_level", 3);
	cr_expect_eq(replay_remainder(&m->r), -EUCLEAN);
	assert_said(&m->said, "refcountbt of group 3: block of another level");
	fs_agi_at(m, 3, "agi_level", 0, 0);
	cr_expect_eq(replay_remainder(&m->r), -EUCLEAN);
	assert_said(&m->said, "AGI of group 3: root of a tree out of range");
}
