/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making an empty filesystem: a plan, chosen without any I/O, and what writes
 * it down. The plan is a superblock; all else follows from it.
 */
#ifndef LIBXLOG_META_META_H
#define LIBXLOG_META_META_H

#include <assert.h>

#include "libxfsfmt/btree.h"
#include "libxfsfmt/levels.h"
#include "libxfsfmt/time.h"
#include "libxlog/dev/batch.h"
#include "libxlog/trans/resv.h"

/* --- the plan --- */

struct format_plan {
	/*
	 * As the finished filesystem has it, but for uuid and checksum. The
	 * log is complete in it: external if sb_logstart is 0.
	 */
	struct xfs_sb	sb;
	struct xfs_geom	geom;
	struct xfs_levels levels;
	uint32_t	log_sector_bytes; /* sb_logsectsize can be 0 */
	uint32_t	log_sunit_blocks;
	/* smallest log: what there can be, what the kernel asks for and why */
	uint32_t	log_min_blocks, log_need_blocks;
	struct xlog_min_log log_need;
};

/* See xlog_format_plan(). */
int format_plan_init(struct format_plan *p,
		     const struct xlog_format_options *opts,
		     const struct xlog_format_device *data,
		     const struct xlog_format_device *log) MUST_CHECK;

/* The plan in the words of xlog_mkfs.h. */
void format_geometry(struct xlog_geometry *geo, const struct format_plan *p);

/* --- what lies in the groups of an empty filesystem --- */

enum {
	CHUNK_INODES = 64,	/* that one record of a btree tells of */
	FORMAT_INODES = 3,	/* root; bitmap and summary of realtime space */
};

struct ag_extent {
	xfs_agblock_t	start;
	uint32_t	len;		/* 0: there is none */
};

enum { AG_FREE_MAX = 4 };

struct ag_layout {
	xfs_agnumber_t	agno;
	uint32_t	blocks;
	/* roots of btrees; 0: there is none */
	xfs_agblock_t	root[XFS_BTREE_REFC + 1];
	struct ag_extent log, inodes;
	struct ag_extent agfl[AG_FREE_MAX];	/* in the order of the list */
	unsigned int	nagfl;
	struct ag_extent free[AG_FREE_MAX];	/* ascending */
	unsigned int	nfree;
};

/*
 * Where the first root of btree @kind of a group is, or would be if there were
 * such btrees; behind the headers in any case.
 */
xfs_agblock_t ag_first_root(const struct xfs_geom *g, enum xfs_btree_kind kind);

/* Blocks at the start of every group: headers and the roots of its btrees. */
uint32_t ag_prealloc_blocks(const struct xfs_geom *g);

/* Blocks of a group that anything could ever be allocated from. */
uint32_t ag_usable_blocks(const struct xfs_geom *g);

/* Inodes of the first chunk, which may be more than one record of a btree. */
uint32_t ag_chunk_inodes(const struct xfs_geom *g);

/*
 * What group @agno has. False if it has no room for all of it; of what a plan
 * gave, all groups have.
 */
bool ag_layout_init(struct ag_layout *l, const struct format_plan *p,
		    xfs_agnumber_t agno);

/* --- what is on a device --- */

/*
 * What libblkid has found on the device @name; of an XFS or its log, opened as
 * @how says (or NULL), whether it is dirty, as far as that can be told.
 */
struct dev_found;
struct xlog_found format_found(const char *name,
			       const struct xlog_open_options *how,
			       const struct dev_found *found);

/* --- writing it --- */

/* At both ends of a device, where others keep their signatures. */
enum { FORMAT_ENDS_BYTES = 128 * 1024 };

/* What no option decides. */
struct format_values {
	uint8_t		uuid[16];
	struct xfs_time	now;
	/* generations: of free inodes, of the files of realtime space */
	uint32_t	gen[FORMAT_INODES];
	uint32_t	cycle;		/* of the log; 0: 1 */
};

/* How far it came. */
enum format_reached {
	FORMAT_UNTOUCHED,	/* nothing has been overwritten */
	FORMAT_ERASING,		/* from the first write or discard on */
	FORMAT_LAST,		/* the superblock may have been written */
};

struct format_target {
	struct dev	*data, *log;	/* borrowed; log NULL: internal */
	bool		discard;	/* first give back what they hold */
	/* as in xlog_format_options */
	int		(*progress)(void *ctx, enum xlog_format_phase phase,
				    uint64_t done, uint64_t total);
	void		*progress_ctx;
	enum format_reached *reached;	/* kept up to date; NULL: not asked */
	struct sink	sink;
};

/*
 * Make the filesystem. Before all else the old superblock is gone, durably,
 * and the new one is written last: what was cut off is no filesystem.
 * Returns 0 with everything durable; -ECANCELED; -ENOMEM, -EIO and others,
 * reported. May sleep.
 */
int format_write(const struct format_plan *p, const struct format_values *v,
		 const struct format_target *t) MUST_CHECK;

#endif
