/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Damaged B+trees in use, with checksums that are right. First byte: the kind,
 * and bit 7 for version 4; the rest says what is damaged and what is done with
 * the tree then, see tests/lib/treelab_abuse.c.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/lib/treelab.h"

enum { V4 = 0x80, MAX_BYTES = 4096 };

/* What a filesystem of version 4 has, too. */
static bool in_v4(unsigned int kind)
{
	return kind == XFS_BTREE_BNO || kind == XFS_BTREE_CNT ||
	       kind == XFS_BTREE_INO || kind == XFS_BTREE_BMAP;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct treelab *labs[2][XFS_BTREE_KINDS];
	struct treelab **lab;
	unsigned int kind;
	bool v5;

	if (size < 2 || size > MAX_BYTES)
		return 0;
	kind = data[0] % (XFS_BTREE_BMAP + 1u);
	v5 = !(data[0] & V4) || !in_v4(kind);
	lab = &labs[v5][kind];
	if (!*lab)
		*lab = treelab_victim((enum xfs_btree_kind)kind, v5);
	/* the same input is the same run */
	(*lab)->random = 1;
	treelab_abuse(*lab, data + 1, size - 1);
	return 0;
}
