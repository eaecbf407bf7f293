/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * B+trees that are damaged, with checksums that are right: whatever is done
 * with them ends, and says -EUCLEAN if it says anything.
 */
#include <criterion/criterion.h>

#include "tests/lib/treelab.h"

enum { INPUT = 64 };

static void abuse(enum xfs_btree_kind kind, bool v5, unsigned int times)
{
	struct treelab *lab = treelab_victim(kind, v5);
	unsigned int damaged = 0;
	uint8_t input[INPUT];

	for (unsigned int i = 0; i < times; i++) {
		for (unsigned int b = 0; b < INPUT; b++)
			input[b] = (uint8_t)treelab_random(lab);
		damaged += treelab_abuse(lab, input, INPUT) == -EUCLEAN;
	}
	/* much of it lands where it is noticed */
	cr_expect_gt(damaged, times / 4, "%u of %u", damaged, times);
	cr_expect_lt(damaged, times);
	treelab_free(lab);
}

Test(btree_damage, never_kills_of_version_5)
{
	for (unsigned int k = 0; k <= XFS_BTREE_BMAP; k++)
		abuse((enum xfs_btree_kind)k, true, 600);
}

Test(btree_damage, never_kills_of_version_4)
{
	abuse(XFS_BTREE_BNO, false, 600);
	abuse(XFS_BTREE_CNT, false, 600);
	abuse(XFS_BTREE_INO, false, 600);
	abuse(XFS_BTREE_BMAP, false, 600);
}

Test(btree_damage, nothing_damaged_is_nothing_said)
{
	struct treelab *lab = treelab_victim(XFS_BTREE_RMAP, true);
	uint8_t input[INPUT] = { 4 };

	for (unsigned int i = 0; i < 100; i++) {
		for (unsigned int b = 1; b < INPUT; b++)
			input[b] = (uint8_t)treelab_random(lab);
		cr_assert_eq(treelab_abuse(lab, input, INPUT), 0, "%s",
			     lab->reports);
	}
	treelab_free(lab);
}
