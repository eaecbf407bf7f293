/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * B+trees that are damaged, with checksums that are right: whatever is done
 * with them ends, and says -EUCLEAN if it says anything. And what is refused
 * before anything is changed.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "libxlog/trans/trans_buf.h"
#include "tests/lib/treelab.h"

enum { INPUT = 64 };

static struct treelab *grown(enum xfs_btree_kind kind, bool v5, uint32_t keys)
{
	const struct treelab_opts o = {
		.kind = kind, .block_bytes = v5 ? 1024 : 512, .v5 = v5,
		.keys = keys, .seed = 7,
	};
	struct treelab *lab = treelab_new(&o);

	for (uint32_t i = 0; i < 3 * keys; i++)
		treelab_op(lab, 90);
	treelab_check(lab);
	return lab;
}

static void abuse(enum xfs_btree_kind kind, bool v5, unsigned int times)
{
	struct treelab *lab = grown(kind, v5, 3000);
	unsigned int damaged = 0;
	uint8_t input[INPUT];

	treelab_close(lab);
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
	struct treelab *lab = grown(XFS_BTREE_RMAP, true, 3000);
	uint8_t input[INPUT] = { 4 };

	treelab_close(lab);
	for (unsigned int i = 0; i < 100; i++) {
		for (unsigned int b = 1; b < INPUT; b++)
			input[b] = (uint8_t)treelab_random(lab);
		cr_assert_eq(treelab_abuse(lab, input, INPUT), 0, "%s",
			     lab->reports);
	}
	treelab_free(lab);
}
