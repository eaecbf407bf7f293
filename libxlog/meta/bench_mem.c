/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem in memory, for loads. Nothing allocates inodes yet, and an empty
 * filesystem has one that is of use: so the free ones of its first chunk become
 * files here. No directory names them, and its btrees do not know of them.
 */
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inode.h"
#include "libxlog/meta/bench.h"
#include "libxlog/meta/meta.h"

/* Of all that is made here, so that the same options make the same bytes. */
static const struct format_values values = {
	.uuid = { 'x', 'l', 'o', 'g', '-', 'b', 0x40, 'e',
		  0x80, 'n', 'c', 'h', 0, 0, 0, 1 },
	.now = { .sec = 1700000000 },
	.gen = { 1, 1, 1 },
};

static const uint16_t file_mode = XFS_MODE_REG | 0644;

xfs_ino_t bench_files(const struct xfs_sb *sb, const struct xfs_geom *g,
		      uint32_t *count)
{
	*count = ag_chunk_inodes(g) - FORMAT_INODES;
	return sb->sb_rootino + FORMAT_INODES;
}

static void make_file(uint8_t *raw, const struct xfs_geom *g)
{
	struct xfs_dinode di;
	uint64_t now = xfs_time_value(&values.now, g->bigtime);

	xfs_dinode_decode(&di, raw, g->inodesize, XFS_BE);
	di.di_mode = file_mode;
	di.di_nlink = 1;
	di.di_format = di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	di.di_atime = di.di_mtime = di.di_ctime = di.di_crtime = now;
	di.di_changecount = 1;
	di.di_flags2 = (g->bigtime ? XFS_DIFLAG2_BIGTIME : 0) |
		       (g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0);
	xfs_dinode_encode(raw, &di, xfs_dinode_variant(&di), XFS_BE);
	put_le32(raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(raw, g->inodesize, XFS_DINODE_CRC_OFF));
}

static int make_files(const struct format_plan *p, struct dev *dev)
{
	const struct xfs_geom *g = &p->geom;
	uint32_t count;
	xfs_ino_t ino = bench_files(&p->sb, g, &count);
	int rc = 0;

	for (; count && !rc; count--, ino++) {
		uint8_t raw[XFS_DINODE_MAX_BYTES];
		uint64_t off = xfs_agb_to_daddr(g, 0, xfs_ino_agbno(g, ino)) *
			       BB_SIZE +
			       ((uint64_t)xfs_ino_slot(g, ino) << g->inodelog);

		rc = dev_read(dev, off, raw, g->inodesize);
		if (rc)
			break;
		make_file(raw, g);
		rc = dev_write(dev, off, raw, g->inodesize);
	}
	return rc;
}

int bench_format(const struct xlog_bench_open *what, struct dev *dev,
		 const struct sink *sink)
{
	const struct xlog_format_options opts = {
		/* for trials, small is good enough */
		.flags = XLOG_FORMAT_EXPERT,
		.log_bytes = what->log_bytes,
		.log_sunit_bytes = what->log_sunit_bytes,
		.report = sink->report, .report_ctx = sink->ctx,
	};
	const struct xlog_format_device facts = {
		.size_bytes = dev->size_bytes,
		.sector_bytes = dev->sector_bytes,
	};
	const struct format_target target = { .data = dev, .sink = *sink };
	struct format_plan plan;
	int rc = format_plan_init(&plan, &opts, &facts, NULL);

	if (!rc)
		rc = format_write(&plan, &values, &target);
	return rc ? rc : make_files(&plan, dev);
}
