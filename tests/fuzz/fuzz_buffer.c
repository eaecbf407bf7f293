/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One metadata block, whole or in chunks. First byte: its type in the log, or
 * beyond those an entry of the table of block types, whose walk and verifier
 * are then called on whatever the bytes are. Second byte: bit 0 the order of
 * the writer, the rest a geometry; third: which chunks there are (0xff: all).
 */
#include "libxfsfmt/block.h"
#include "tests/fuzz/fuzz.h"

enum { BLFT_COUNT = 21, BLFT_SHIFT = 11 };

static const struct xfs_block_type *type_number(unsigned int n)
{
	unsigned int count = 0;

	while (xfs_block_types[count].name)
		count++;
	return &xfs_block_types[n % count];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xfs_geom *geom;
	const struct xfs_block_type *type;
	struct touch t = { .sum = 0 };
	uint32_t chunks[65536 / XFS_CHUNK_BYTES / 32];
	struct xfs_walk w = { .ops = &touch_ops, .ctx = &t };
	unsigned int pick;
	uint8_t *copy;

	if (size < 3 || size - 3 > 65536)
		return 0;
	pick = data[0];
	geom = fuzz_geom(data[1] >> 1);
	memset(chunks, data[2], sizeof(chunks));
	copy = malloc(size - 3 ? size - 3 : 1);
	if (!copy)
		return 0;
	memcpy(copy, data + 3, size - 3);
	w.base = copy;
	w.len_bytes = size - 3;
	w.chunks = data[2] == 0xff ? NULL : chunks;
	w.order = data[1] & 1 ? XFS_BE : XFS_LE;
	w.geom = geom;
	type = pick < BLFT_COUNT ? xfs_block_identify(&w, pick) :
	       pick < 2 * BLFT_COUNT ?
	       xfs_block_identify_item(&w, (uint16_t)((pick - BLFT_COUNT)
						      << BLFT_SHIFT | 1)) :
	       type_number(pick);
	t.sum += xfs_block_summarize(&w, type).owner;
	xfs_block_walk(&w, type);
	if (type && geom && !w.chunks)
		t.sum += xfs_block_verify(type, w.base, w.len_bytes, geom, 8) ==
			 NULL;
	free(copy);
	return touched(&t);
}
