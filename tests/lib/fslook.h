/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem as text: all that can be seen of it, and nothing of where its
 * own blocks lie. Two recoveries of one image are compared by it.
 *
 *	ag N ...		inodes, unlinked lists
 *	inode N ...		the core, but for what counts changes and writes
 *	  ext OFF BLOCK LEN	of files (physical places), not of directories
 *	  data CRC		contents of files, targets of symlinks
 *	  entry NAME INO TYPE	sorted
 *	  attr FLAGS NAME CRC	sorted; parent pointers included
 *	free N, sb ...		blocks that the groups have, and the superblock
 *
 * Blocks behind the ends of files are taken for free: kernels give them back
 * whenever they let go of an inode. So are those of trees of extents, which
 * shrink with that.
 */
#ifndef TESTS_LIB_FSLOOK_H
#define TESTS_LIB_FSLOOK_H

#include <stdio.h>

#include "libxfsfmt/geom.h"
#include "libxlog/dev/dev.h"

/*
 * Write the filesystem on @fs to @out. Returns 0, or -1 with the reason as the
 * last line: something is not what it should be.
 */
int fslook(struct dev *fs, FILE *out);

/* The same as a string, to be freed; aborts if it cannot be read. */
char *fslook_text(struct dev *fs);

#endif
