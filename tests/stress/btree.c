/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every kind of B+tree under a long random load, against a model.
 *
 *	btree [operations of each kind [first seed [kind]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/treelab.h"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void run(const struct treelab_opts *opts, uint64_t ops)
{
	double begin = now(), took;
	struct treelab *lab = treelab_new(opts);

	treelab_run(lab, ops);
	treelab_free(lab);
	took = now() - begin;
	printf("%-10s %s blocks of %5u: %llu operations, %.0f a second\n",
	       xfs_btree_name(opts->kind), opts->v5 ? "V5" : "V4",
	       opts->block_bytes, (unsigned long long)ops,
	       (double)ops / took);
}

int main(int argc, char **argv)
{
	uint64_t ops = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	const char *only = argc > 3 ? argv[3] : NULL;

	for (unsigned int kind = 0; kind <= XFS_BTREE_BMAP; kind++) {
		struct treelab_opts o = {
			.kind = (enum xfs_btree_kind)kind,
			.block_bytes = 1024,
			.v5 = true,
			.sparse = true,
			.keys = ops < 200000 ? 20000 : 100000,
			.seed = seed,
		};

		/* there is room for no more of them in a group */
		if (kind == XFS_BTREE_INO || kind == XFS_BTREE_FINO)
			o.keys = 20000;

		if (only && strcmp(only, xfs_btree_name(o.kind)))
			continue;
		run(&o, ops);
	}
	return 0;
}
