/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A receiver of walks that prints a line for each value: its path and, behind
 * tabs, every way in which another tool may write it (decimal, hexadecimal,
 * signed, "null" for all ones, ...), so that a comparison needs no arithmetic:
 *
 *	core.di_size	248	0xf8
 *
 * A line that begins with "?" says something that another line also says (one
 * bit of a field of flags, a computed value): it may be compared, but need not.
 */
#ifndef TESTS_TRUTH_SHOW_H
#define TESTS_TRUTH_SHOW_H

#include "libxfsfmt/walk.h"

enum {
	SHOW_DEPTH = 8,		/* groups in groups */
	SHOW_PATH = 256,
};

struct show {
	char	path[SHOW_PATH];	/* ends with a dot, or is empty */
	size_t	len[SHOW_DEPTH];	/* of the path outside each group */
	int	depth;
};

extern const struct xfs_walk_ops show_ops;

#endif
