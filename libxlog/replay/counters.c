/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The superblock as the first mount after replay, and its unmount, leave it.
 * What is counted in the groups is not kept up in the superblock while the
 * filesystem is in use (with lazy counters), nor is the number of free realtime
 * extents: after a crash both are counted anew.
 *
 * Checked against what kernels 5.10 to 7.2 left in the superblock.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "libxlog/replay/counters.h"
#include "libxlog/replay/fsread.h"

enum {
	SB_ICOUNT = 128,
	SB_IFREE = 136,
	SB_FDBLOCKS = 144,
	SB_FREXTENTS = 152,
	SB_UQUOTINO = 160,
	SB_GQUOTINO = 168,
	SB_LOG_INCOMPAT = 220,
	SB_PQUOTINO = 232,
};

/* Sums over all groups. */
static int count_groups(struct replay *r, uint8_t *raw)
{
	uint64_t icount = 0, ifree = 0, fdblocks = 0;
	struct xfs_agf agf;
	struct xfs_agi agi;
	int rc;

	for (xfs_agnumber_t ag = 0; ag < r->geom.agcount; ag++) {
		rc = fsread_agf(r, ag, &agf);
		if (!rc)
			rc = fsread_agi(r, ag, &agi);
		if (rc)
			return rc;
		fdblocks += (uint64_t)agf.agf_freeblks + agf.agf_flcount +
			    agf.agf_btreeblks;
		icount += agi.agi_count;
		ifree += agi.agi_freecount;
	}
	if (fdblocks > r->geom.dblocks)
		return replay_refuse(r, -EUCLEAN, "sb.counters", XLOG_LSN_NONE,
				     "the groups have %" PRIu64 " free blocks, the filesystem %" PRIu64 " blocks",
				     fdblocks, r->geom.dblocks);
	if (ifree > icount)
		return replay_refuse(r, -EUCLEAN, "sb.counters", XLOG_LSN_NONE,
				     "the groups have %" PRIu64 " inodes, %" PRIu64 " of them free",
				     icount, ifree);
	put_be64(raw + SB_ICOUNT, icount);
	put_be64(raw + SB_IFREE, ifree);
	put_be64(raw + SB_FDBLOCKS, fdblocks);
	return 0;
}

/*
 * Numbers of quota inodes that are not there are all ones; mkfs leaves zeros.
 * On filesystems with a directory of metadata files they are not used.
 */
static void quota_inodes(const struct replay *r, uint8_t *raw)
{
	if (r->geom.metadir)
		return;
	if (!get_be64(raw + SB_UQUOTINO))
		put_be64(raw + SB_UQUOTINO, UINT64_MAX);
	if (!get_be64(raw + SB_GQUOTINO))
		put_be64(raw + SB_GQUOTINO, UINT64_MAX);
	/* version 4 has one inode for groups or projects */
	if (r->geom.v5 && !get_be64(raw + SB_PQUOTINO))
		put_be64(raw + SB_PQUOTINO, UINT64_MAX);
}

int replay_superblock(struct replay *r, uint8_t *raw)
{
	uint64_t frextents;
	int rc = 0;

	if (r->geom.lazycount)
		rc = count_groups(r, raw);
	/* zoned devices keep no bitmap, and no such count */
	if (!rc && r->geom.rblocks && !r->geom.zoned) {
		rc = counters_realtime(r, &frextents);
		if (!rc)
			put_be64(raw + SB_FREXTENTS, frextents);
	}
	if (rc)
		return rc;
	if (r->geom.v5)
		put_be32(raw + SB_LOG_INCOMPAT,
			 get_be32(raw + SB_LOG_INCOMPAT) &
			 ~(uint32_t)XFS_SB_LOG_INCOMPAT_XATTRS);
	quota_inodes(r, raw);
	return 0;
}

int counters_of_disk(struct xlog *log, const struct xlog_bounds *bounds,
		     uint8_t *raw)
{
	struct xlog_recover_options opts = { .stop_lsn = XLOG_LSN_NONE };
	struct xlog_recover_result res = { .bounds = *bounds };
	struct replay *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return report(&log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	/* no record that says who wrote bitmaps: it may have been us */
	if (bounds->last_record == XLOG_LSN_NONE)
		opts.order = XFS_HOST_ORDER == XFS_LE ? XLOG_ORDER_LE :
							XLOG_ORDER_BE;
	r->log = log;
	r->opts = &opts;
	r->res = &res;
	rc = replay_start(r);
	if (!rc)
		rc = replay_superblock(r, raw);
	replay_fini(r);
	free(r);
	return rc;
}
