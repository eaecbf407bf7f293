/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem image for programs of tests: its geometry, reads of whole
 * blocks, and the map of a fork. What cannot be read ends the program, which
 * is what a test wants.
 */
#ifndef TESTS_TRUTH_IMAGE_H
#define TESTS_TRUTH_IMAGE_H

#include "libxfsfmt/btree.h"
#include "libxfsfmt/geom.h"
#include "libxfsfmt/inode.h"

struct image {
	int		fd;
	const char	*path;
	struct xfs_sb	sb;
	struct xfs_geom	geom;
};

/* One mapping of a fork. */
struct extent {
	uint64_t	off_fsb;	/* in the file */
	xfs_fsblock_t	fsb;
	uint64_t	len_fsb;
};

struct extents {
	struct extent	*list;
	size_t		count;
};

/* Print a message and leave. */
_Noreturn void die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

void image_open(struct image *img, const char *path);

/* @len bytes from @daddr, to be freed. */
uint8_t *image_read(const struct image *img, xfs_daddr_t daddr, size_t len);

/* Block @fsb, to be freed. */
uint8_t *image_read_fsb(const struct image *img, xfs_fsblock_t fsb);

/* Called with every block of a tree, the root first. */
typedef void (*tree_visit)(void *ctx, const uint8_t *raw, xfs_fsblock_t fsb);

/*
 * Visit the tree below block @fsb, which is at @level (counted from 0, the
 * leaves).
 */
void image_tree(const struct image *img, enum xfs_btree_kind kind,
		xfs_fsblock_t fsb, unsigned int level, tree_visit visit,
		void *ctx);

/*
 * Append to @x the mappings of the data or attribute fork of the inode @raw;
 * blocks of a tree that holds them are shown to @visit.
 */
void image_fork(const struct image *img, const uint8_t *raw, bool attr,
		struct extents *x, tree_visit visit, void *ctx);

/* Visit the blocks of the tree whose root is in the metadata inode @raw. */
void image_meta_tree(const struct image *img, enum xfs_btree_kind kind,
		     const uint8_t *raw, tree_visit visit, void *ctx);

/*
 * Read @count blocks of the file from @off_fsb, to be freed; the address of
 * the first goes to *@fsb. NULL if one of them is not mapped.
 */
uint8_t *image_map_read(const struct image *img, const struct extents *x,
			uint64_t off_fsb, uint32_t count, xfs_fsblock_t *fsb);

#endif
