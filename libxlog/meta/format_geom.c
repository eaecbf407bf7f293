/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choosing a geometry: blocks, stripe, allocation groups. No I/O: what is
 * known of the devices comes as numbers. The rules are those of mkfs.xfs 6.1,
 * so that who makes the same filesystem with either gets the same one.
 */
#include <inttypes.h>

#include "libxlog/meta/format_priv.h"

enum {
	/* A volume that small has no use for stripes, and may lie. */
	STRIPE_DEVICE_SHIFT = 30,
	/* One disk: as many groups as are of use. */
	PLAIN_GROUPS_SHIFT = 2,
	STRIPE_GROUPS_SHIFT = 5,
};

#define AG_BYTES_MIN	MIB(16)
/* Not all of it: a group is always smaller than this. */
#define AG_BYTES_MAX	TIB(1)
#define AGCOUNT_MAX	UINT32_MAX

static uint64_t ag_blocks_min(const struct chooser *c)
{
	return whole_blocks(c, AG_BYTES_MIN);
}

static uint64_t ag_blocks_max(const struct chooser *c)
{
	return whole_blocks(c, AG_BYTES_MAX - 1);
}

/* --- data blocks --- */

static int choose_blocks(struct chooser *c)
{
	uint64_t device = whole_blocks(c, c->data->size_bytes);
	uint64_t blocks = whole_blocks(c, c->opts->data_bytes);

	if (c->opts->data_bytes % SECTOR_MIN)
		return refuse(c, "illegal data length %" PRIu64 ", not a multiple of %d",
			      c->opts->data_bytes, SECTOR_MIN);
	if (c->opts->data_bytes % c->sb->sb_blocksize)
		warn(c, "warning: data length %" PRIu64 " not a multiple of %u, truncated to %" PRIu64,
		     c->opts->data_bytes, c->sb->sb_blocksize,
		     blocks << c->sb->sb_blocklog);
	if (!c->opts->data_bytes)
		blocks = device;
	if (blocks > device)
		return refuse(c, "size %" PRIu64 " specified for data subvolume is too large, maximum is %" PRIu64 " blocks",
			      c->opts->data_bytes, device);
	if (blocks < ag_blocks_min(c))
		return refuse(c, "size %" PRIu64 " of data subvolume is too small, minimum %" PRIu64 " blocks",
			      blocks, ag_blocks_min(c));
	/* bytes are counted in 63 bits everywhere */
	if (blocks > UINT64_MAX >> (c->sb->sb_blocklog + 1))
		return refuse(c, "size %" PRIu64 " of data subvolume is too large, maximum %" PRIu64 " blocks",
			      blocks, UINT64_MAX >> (c->sb->sb_blocklog + 1));
	c->sb->sb_dblocks = blocks;
	return 0;
}

/* --- stripe --- */

static int check_stripe(struct chooser *c, uint64_t sunit, uint64_t swidth)
{
	if (swidth > UINT32_MAX)
		return refuse(c, "stripe width (%" PRIu64 ") is too large",
			      swidth);
	if (sunit && !swidth)
		return refuse(c, "invalid stripe unit (%" PRIu64 ") and stripe width of 0",
			      sunit);
	if (!sunit && swidth)
		return refuse(c, "invalid stripe width (%" PRIu64 ") and stripe unit of 0",
			      swidth);
	if (sunit % c->sb->sb_sectsize)
		return refuse(c, "stripe unit (%" PRIu64 ") must be a multiple of the sector size (%u)",
			      sunit, c->sb->sb_sectsize);
	if (sunit > swidth)
		return refuse(c, "stripe unit (%" PRIu64 ") is larger than the stripe width (%" PRIu64 ")",
			      sunit, swidth);
	if (sunit && swidth % sunit)
		return refuse(c, "stripe width (%" PRIu64 ") must be a multiple of the stripe unit (%" PRIu64 ")",
			      swidth, sunit);
	if (sunit % c->sb->sb_blocksize || swidth % c->sb->sb_blocksize)
		return refuse(c, "Stripe unit(%" PRIu64 ") or stripe width(%" PRIu64 ") is not a multiple of the block size(%u)",
			      sunit, swidth, c->sb->sb_blocksize);
	return 0;
}

/* What the volume says of itself is taken only if it is of use. */
static bool volume_stripe_ok(struct chooser *c, uint32_t sunit,
			     uint32_t swidth)
{
	if (!sunit && !swidth)
		return false;
	if (!sunit || !swidth || swidth % sunit ||
	    sunit % c->sb->sb_blocksize) {
		warn(c, "Volume reports invalid stripe unit (%u) and stripe width (%u), ignoring.",
		     sunit, swidth);
		return false;
	}
	if (c->sb->sb_dblocks >> (STRIPE_DEVICE_SHIFT - c->sb->sb_blocklog))
		return true;
	warn(c, "small data volume, ignoring data volume stripe unit %u and stripe width %u",
	     sunit, swidth);
	return false;
}

static int choose_stripe(struct chooser *c)
{
	const struct xlog_format_options *o = c->opts;
	uint64_t sunit = o->sunit_bytes, swidth = o->swidth_bytes;
	int rc;

	if (o->flags & XLOG_FORMAT_NOALIGN)
		return 0;
	if (!sunit && !swidth &&
	    volume_stripe_ok(c, c->data->sunit_bytes, c->data->swidth_bytes)) {
		sunit = c->data->sunit_bytes;
		swidth = c->data->swidth_bytes;
	}
	rc = check_stripe(c, sunit, swidth);
	if (rc || !sunit)
		return rc;
	c->sb->sb_unit = (uint32_t)whole_blocks(c, sunit);
	c->sb->sb_width = (uint32_t)whole_blocks(c, swidth);
	c->sb->sb_versionnum |= XFS_SB_VERSION_DALIGNBIT;
	return 0;
}

/* --- groups --- */

/*
 * How often to halve the filesystem. Disks that work side by side want more
 * groups than one, and small groups are of no use to anyone.
 */
static unsigned int group_shift(const struct chooser *c)
{
	static const struct { uint64_t bytes; unsigned int shift; } steps[] = {
		{ MIB(128), 3 }, { MIB(64), 2 }, { MIB(32), 1 },
	};
	uint64_t blocks = c->sb->sb_dblocks;

	if (!c->sb->sb_unit && blocks >= whole_blocks(c, MIB(128)))
		return PLAIN_GROUPS_SHIFT;
	if (blocks > whole_blocks(c, GIB(512)))
		return STRIPE_GROUPS_SHIFT;
	if (blocks > whole_blocks(c, GIB(8)))
		return STRIPE_GROUPS_SHIFT - 1;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (blocks >= whole_blocks(c, steps[i].bytes))
			return steps[i].shift;
	return 0;
}

/* Groups of this size, the last one perhaps in part. */
static void count_groups(struct chooser *c)
{
	uint64_t blocks = c->sb->sb_dblocks;

	c->agcount = blocks / c->agblocks + (blocks % c->agblocks != 0);
}

static void default_groups(struct chooser *c)
{
	uint64_t blocks = c->sb->sb_dblocks, max = ag_blocks_max(c);
	unsigned int shift = group_shift(c);

	if (blocks >= whole_blocks(c, TIB(32)) ||
	    (!c->sb->sb_unit && blocks >= whole_blocks(c, TIB(4)))) {
		c->agblocks = max;
		return;
	}
	c->agblocks = blocks >> shift;
	if (blocks & ((1u << shift) - 1) && c->agblocks < max)
		c->agblocks++;
}

static int initial_groups(struct chooser *c)
{
	const struct xlog_format_options *o = c->opts;
	uint64_t blocks = c->sb->sb_dblocks;

	if (o->agsize_bytes && o->agcount)
		return refuse(c, "Cannot specify both -d agcount and -d agsize");
	if (o->agsize_bytes % c->sb->sb_blocksize)
		return refuse(c, "agsize (%" PRIu64 ") not a multiple of fs blk size (%u)",
			      o->agsize_bytes, c->sb->sb_blocksize);
	if (o->agsize_bytes)
		c->agblocks = whole_blocks(c, o->agsize_bytes);
	else if (o->agcount)
		c->agblocks = blocks / o->agcount + (blocks % o->agcount != 0);
	else
		default_groups(c);
	count_groups(c);
	return 0;
}

static int check_group_size(struct chooser *c)
{
	uint64_t min = ag_blocks_min(c), max = ag_blocks_max(c);

	if (c->agblocks < min)
		return refuse(c, "agsize (%" PRIu64 " blocks) too small, need at least %" PRIu64 " blocks",
			      c->agblocks, min);
	if (c->agblocks > max)
		return refuse(c, "agsize (%" PRIu64 " blocks) too big, maximum is %" PRIu64 " blocks",
			      c->agblocks, max);
	if (c->agblocks > c->sb->sb_dblocks)
		return refuse(c, "agsize (%" PRIu64 " blocks) too big, data area is %" PRIu64 " blocks",
			      c->agblocks, c->sb->sb_dblocks);
	if (c->agcount > AGCOUNT_MAX)
		return refuse(c, "%" PRIu64 " allocation groups is too many, maximum is %u",
			      c->agcount, AGCOUNT_MAX);
	return 0;
}

/* Groups begin at the start of a stripe unit. */
static int round_groups(struct chooser *c)
{
	uint64_t unit = c->sb->sb_unit, agblocks = c->agblocks;

	if (agblocks % unit == 0)
		return 0;
	agblocks = round_up(agblocks, unit);
	if (agblocks > ag_blocks_max(c))
		agblocks = c->agblocks / unit * unit;
	if (c->opts->agsize_bytes)
		warn(c, "agsize rounded to %" PRIu64 ", sunit = %" PRIu64,
		     agblocks, unit);
	c->agblocks = agblocks;
	if (agblocks < ag_blocks_min(c) || agblocks > ag_blocks_max(c))
		return check_group_size(c);
	count_groups(c);
	return 0;
}

/*
 * But not all on the same disk, which would get the headers of all. A size
 * that was asked for is left as it is.
 */
static void spread_groups(struct chooser *c)
{
	uint64_t unit = c->sb->sb_unit, width = c->sb->sb_width;
	uint64_t other = c->agblocks - unit;

	if (c->agblocks % width || width == unit || c->agcount == 1)
		return;
	if (c->opts->agsize_bytes || c->opts->agcount) {
		warn(c, "Warning: AG size is a multiple of stripe width.  This can cause performance problems by aligning all AGs on the same disk.  To avoid this, run mkfs with an AG size that is one stripe unit smaller or larger, for example %" PRIu64 ".",
		     other);
		return;
	}
	if (other < ag_blocks_min(c))
		other = c->agblocks + unit;
	if (other > ag_blocks_max(c))
		return;
	c->agblocks = other;
	count_groups(c);
}

/* A rest that is too small for a group is left out. */
static void drop_rest(struct chooser *c)
{
	uint64_t rest = c->sb->sb_dblocks % c->agblocks;

	if (!rest || rest >= ag_blocks_min(c) || c->agcount == 1)
		return;
	c->agcount--;
	c->sb->sb_dblocks = c->agcount * c->agblocks;
}

static uint8_t choose_imaxpct(const struct chooser *c)
{
	uint64_t blocks = c->sb->sb_dblocks;

	if (c->opts->flags & XLOG_FORMAT_IMAXPCT)
		return (uint8_t)c->opts->imaxpct;
	if (blocks < whole_blocks(c, TIB(1)))
		return 25;
	return blocks < whole_blocks(c, TIB(50)) ? 5 : 1;
}

int choose_groups(struct chooser *c)
{
	int rc;

	if (c->opts->flags & XLOG_FORMAT_IMAXPCT && c->opts->imaxpct > 100)
		return refuse(c, "illegal inode percentage %u, maximum is 100",
			      c->opts->imaxpct);
	rc = choose_blocks(c);
	if (!rc)
		rc = choose_stripe(c);
	if (!rc)
		rc = initial_groups(c);
	if (!rc && c->sb->sb_unit) {
		rc = round_groups(c);
		if (!rc)
			spread_groups(c);
	}
	if (rc)
		return rc;
	drop_rest(c);
	rc = check_group_size(c);
	if (rc)
		return rc;
	c->sb->sb_agblocks = (uint32_t)c->agblocks;
	c->sb->sb_agcount = (uint32_t)c->agcount;
	c->sb->sb_agblklog = log2_of(2 * c->agblocks - 1);
	c->sb->sb_imax_pct = choose_imaxpct(c);
	return 0;
}
