/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of fslook.c and fslook_file.c.
 */
#ifndef TESTS_LIB_FSLOOK_PRIV_H
#define TESTS_LIB_FSLOOK_PRIV_H

#include "libxfsfmt/inode.h"
#include "tests/lib/fslook.h"

enum {
	DEEP = 12,
	LEAF_OFFSET_LOG = 35,
	KEPT_AHEAD = 0x0002 | 0x0020,	/* preallocated, append only */
};

struct extent {
	uint64_t	off, block, len;
	bool		unwritten;
};

struct look {
	struct dev	*fs;
	FILE		*out;
	struct xfs_sb	sb;
	struct xfs_geom	g;
	char		why[160];
	struct extent	*ext;		/* of the fork at hand */
	size_t		next, room;
	uint64_t	free;		/* of all groups */
	uint64_t	trimmed;	/* blocks behind the ends of files */
	uint64_t	map_blocks;	/* of trees, which shrink with that */
	char		**lines;	/* to be sorted */
	size_t		nlines, lines_room;
};

/* Say why, as the last line; -1. */
int look_bad(struct look *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

int look_get(struct look *l, uint64_t daddr, void *buf, size_t len);

/* The extents of a fork, into l->ext. */
int look_map(struct look *l, unsigned int format, const uint8_t *fork,
	     size_t bytes, uint64_t count);

int look_data(struct look *l);
int look_dir(struct look *l);
int look_sf_dir(struct look *l, const uint8_t *fork, size_t len);
int look_symlink(struct look *l, uint64_t size);
int look_attrs(struct look *l, const struct xfs_dinode *di,
	       const uint8_t *fork, size_t bytes);

uint32_t look_crc(const void *p, size_t len);

#endif
