/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A geometry while it is chosen: what the files that choose share. Sizes are
 * in blocks of the filesystem as soon as those are known.
 */
#ifndef LIBXLOG_META_FORMAT_PRIV_H
#define LIBXLOG_META_FORMAT_PRIV_H

#include "libxlog/meta/meta.h"

struct chooser {
	const struct xlog_format_options *opts;
	const struct xlog_format_device *data;
	const struct xlog_format_device *log;	/* NULL: internal */
	struct sink	sink;
	struct format_plan *plan;
	struct xfs_sb	*sb;		/* of the plan */
	uint64_t	agblocks, agcount;
};

/* Data on the least and the most there can be. */
#define KIB(n)	((uint64_t)(n) << 10)
#define MIB(n)	((uint64_t)(n) << 20)
#define GIB(n)	((uint64_t)(n) << 30)
#define TIB(n)	((uint64_t)(n) << 40)

enum {
	SECTOR_MIN = 512,
	SECTOR_MAX = 32768,
};

/* Refuse the options, for the reason given. */
#define refuse(c, ...) \
	report(&(c)->sink, -EINVAL, "options", XLOG_LSN_NONE, __VA_ARGS__)

#define warn(c, ...) \
	notice(&(c)->sink, XLOG_WARNING, "options", XLOG_LSN_NONE, __VA_ARGS__)

static inline bool is_power_of_2(uint64_t n)
{
	return n && !(n & (n - 1));
}

static inline uint8_t log2_of(uint64_t n)
{
	return (uint8_t)(63 - __builtin_clzll(n));
}

/* Needs @align > 0 and no overflow. */
static inline uint64_t round_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) / align * align;
}

/* Blocks of the filesystem in @bytes, the last one perhaps in part. */
static inline uint64_t whole_blocks(const struct chooser *c, uint64_t bytes)
{
	return bytes >> c->sb->sb_blocklog;
}

/* Block, sector, inode and directory block sizes. */
int choose_sizes(struct chooser *c) MUST_CHECK;

/* Feature bits and what follows from them. */
int choose_features(struct chooser *c) MUST_CHECK;

/* Blocks of the device, stripe, allocation groups. */
int choose_groups(struct chooser *c) MUST_CHECK;

/*
 * The log. The plan has its geometry, which has to be complete but for the
 * log by now.
 */
int choose_log(struct chooser *c) MUST_CHECK;

/* --- bytes --- */

/*
 * Blocks as they lie on disk, complete with checksums. A superblock takes a
 * sector, an inode its size, the start of a group ag_prealloc_blocks(): in
 * that of the first, the superblock is left zero.
 */
void format_sb_encode(void *raw, const struct xfs_sb *sb);
void format_ag_encode(void *raw, const struct format_plan *p,
		      const struct ag_layout *l, const uint8_t uuid[16]);

/* Inode @index of the first chunk. */
void format_inode_encode(void *raw, const struct format_plan *p,
			 const struct format_values *v, unsigned int index);

#endif
