/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choosing a log: its stripe unit, its size, its place. The smallest log that
 * a kernel mounts follows from the largest transactions; what mkfs.xfs takes
 * is larger, since a small log is a slow one.
 */
#include <inttypes.h>

#include "libxlog/meta/format_priv.h"

enum {
	LOG_BLOCKS_MIN = 512,
	LOG_BLOCKS_MAX = 1024 * 1024,
	LOG_SUNIT_MAX = 256 * 1024,
	LOG_SUNIT_INSTEAD = 32 * 1024,	/* of one that is too large */
	LOG_RATIO = 2048,		/* data for each byte of log */
};

#define LOG_BYTES_MAX	(GIB(2) - MIB(10))
#define LOG_BYTES_GOOD	MIB(64)		/* smaller is for experts */
#define LOG_BYTES_LARGE_FS MIB(10)	/* least for a filesystem of 1 GiB */
#define DATA_BYTES_GOOD	MIB(300)	/* smaller is for experts */

/* --- stripe unit --- */

static int choose_sunit(struct chooser *c)
{
	uint64_t bytes = c->opts->log_sunit_bytes;
	uint32_t block = c->sb->sb_blocksize;

	if (bytes > LOG_SUNIT_MAX)
		return refuse(c, "log stripe unit (%" PRIu64 " bytes) is too large (maximum is 256KiB)",
			      bytes);
	if (bytes % block)
		return refuse(c, "log stripe unit (%" PRIu64 ") must be a multiple of the block size (%u)",
			      bytes, block);
	/* a block is the least that is whole sectors and whole blocks */
	if (!bytes && c->plan->log_sector_bytes > SECTOR_MIN)
		bytes = block;
	if (!bytes && !c->log)
		bytes = (uint64_t)c->sb->sb_unit << c->sb->sb_blocklog;
	if (bytes > LOG_SUNIT_MAX) {
		warn(c, "log stripe unit (%" PRIu64 " bytes) is too large (maximum is 256KiB)",
		     bytes);
		warn(c, "log stripe unit adjusted to 32KiB");
		bytes = LOG_SUNIT_INSTEAD;
	}
	c->plan->log_sunit_blocks = (uint32_t)whole_blocks(c, bytes);
	bytes = (uint64_t)c->plan->log_sunit_blocks << c->sb->sb_blocklog;
	/* "none" is 1 where there could be one */
	c->sb->sb_logsunit = bytes ? (uint32_t)bytes : 1;
	return 0;
}

/* --- size --- */

static uint32_t log_blocks_max(const struct chooser *c)
{
	uint64_t max = whole_blocks(c, LOG_BYTES_MAX);

	return max < LOG_BLOCKS_MAX ? (uint32_t)max : LOG_BLOCKS_MAX;
}

static void find_minimum(struct chooser *c)
{
	struct format_plan *p = c->plan;

	xfs_geom_init(&p->geom, c->sb);
	xfs_levels_init(&p->levels, &p->geom);
	p->log_need_blocks = xlog_min_log_blocks(c->sb, &p->log_need);
	p->log_min_blocks = p->log_need_blocks > LOG_BLOCKS_MIN ?
			    p->log_need_blocks : LOG_BLOCKS_MIN;
}

static int check_size(struct chooser *c, uint64_t blocks)
{
	uint64_t bytes = blocks << c->sb->sb_blocklog;

	if (blocks < c->plan->log_min_blocks)
		return refuse(c, "log size %" PRIu64 " blocks too small, minimum size is %u blocks",
			      blocks, c->plan->log_min_blocks);
	if (blocks > LOG_BLOCKS_MAX)
		return refuse(c, "log size %" PRIu64 " blocks too large, maximum size is %d blocks",
			      blocks, LOG_BLOCKS_MAX);
	if (bytes > LOG_BYTES_MAX)
		return refuse(c, "log size %" PRIu64 " bytes too large, maximum size is %" PRIu64 " bytes",
			      bytes, LOG_BYTES_MAX);
	return 0;
}

/*
 * What of a group a log can have. In the first one there have to be inodes as
 * well, on whole stripes, and what taking them may need besides.
 */
static int find_room(struct chooser *c, uint32_t agno, uint32_t *room)
{
	uint64_t chunk = whole_blocks(c, CHUNK_INODES *
				      (uint64_t)c->sb->sb_inodesize);
	uint64_t stripes = 2 * (uint64_t)c->sb->sb_unit;
	uint64_t spare = 4 * chunk > stripes ? 4 * chunk : stripes;
	uint32_t min = c->plan->log_min_blocks;

	*room = ag_usable_blocks(&c->plan->geom);
	if (*room)
		--*room;
	if (!agno)
		*room = *room > spare ? *room - (uint32_t)spare : 0;
	if (*room > log_blocks_max(c))
		*room = log_blocks_max(c);
	if (*room < min)
		return refuse(c, "max log size %u smaller than min log size %u, filesystem is too small",
			      *room, min);
	return 0;
}

/* The size of an internal log if nobody says. */
static uint32_t default_size(const struct chooser *c)
{
	uint64_t data = c->sb->sb_dblocks;
	uint32_t min = c->plan->log_min_blocks;
	uint64_t blocks = min;

	if (data >= whole_blocks(c, GIB(1)) &&
	    blocks < whole_blocks(c, LOG_BYTES_LARGE_FS))
		blocks = whole_blocks(c, LOG_BYTES_LARGE_FS);
	if (data >= whole_blocks(c, DATA_BYTES_GOOD)) {
		if (blocks < data / LOG_RATIO)
			blocks = data / LOG_RATIO;
		if (blocks < whole_blocks(c, LOG_BYTES_GOOD))
			blocks = whole_blocks(c, LOG_BYTES_GOOD);
	}
	return blocks > log_blocks_max(c) ? log_blocks_max(c) :
					    (uint32_t)blocks;
}

static int given_size(struct chooser *c, uint32_t *blocks)
{
	uint64_t given = whole_blocks(c, c->opts->log_bytes);
	int rc;

	if (c->opts->log_bytes % SECTOR_MIN)
		return refuse(c, "illegal log length %" PRIu64 ", not a multiple of %d",
			      c->opts->log_bytes, SECTOR_MIN);
	if (c->opts->log_bytes % c->sb->sb_blocksize)
		warn(c, "warning: log length %" PRIu64 " not a multiple of %u, truncated to %" PRIu64,
		     c->opts->log_bytes, c->sb->sb_blocksize,
		     given << c->sb->sb_blocklog);
	rc = check_size(c, given);
	if (rc)
		return rc;
	if (c->plan->log_sunit_blocks && given % c->plan->log_sunit_blocks)
		return refuse(c, "log size %" PRIu64 " is not a multiple of the log stripe unit %u",
			      given, c->plan->log_sunit_blocks);
	*blocks = (uint32_t)given;
	return 0;
}

/* --- place --- */

static int choose_group(struct chooser *c, uint32_t *agno)
{
	if (!(c->opts->flags & XLOG_FORMAT_LOG_AGNUM)) {
		*agno = c->sb->sb_agcount / 2;
		return 0;
	}
	if (c->opts->log_agnum >= c->sb->sb_agcount)
		return refuse(c, "log ag number %" PRIu64 " too large, must be less than %u",
			      c->opts->log_agnum, c->sb->sb_agcount);
	*agno = (uint32_t)c->opts->log_agnum;
	return 0;
}

/*
 * The unit that start and end of an internal log are multiples of: counted
 * from the start of the filesystem in block numbers, not in blocks, as all
 * have done it.
 */
static uint32_t place_unit(const struct chooser *c)
{
	if (c->plan->log_sunit_blocks)
		return c->plan->log_sunit_blocks;
	return c->sb->sb_unit ? c->sb->sb_unit : 1;
}

static int place_log(struct chooser *c, uint32_t agno, uint32_t blocks,
		     uint32_t room)
{
	uint64_t group = (uint64_t)agno << c->sb->sb_agblklog;
	uint32_t unit = place_unit(c), behind;
	uint64_t start, size = round_up(blocks, unit);
	struct ag_layout l;

	start = round_up(group + ag_prealloc_blocks(&c->plan->geom), unit);
	if (start - group >= c->sb->sb_agblocks)
		return refuse(c, "Due to stripe alignment, the internal log start (%" PRIu64 ") cannot be aligned within an allocation group.",
			      start);
	behind = c->sb->sb_agblocks - (uint32_t)(start - group);
	/* one that was asked for is a multiple of the unit, or there is none */
	if (size > room)
		size -= unit;
	if (size > behind && !c->opts->log_bytes)
		size = behind / unit * unit;
	c->sb->sb_logstart = start;
	c->sb->sb_logblocks = (uint32_t)size;
	if (size < c->plan->log_min_blocks ||
	    !ag_layout_init(&l, c->plan, agno))
		return refuse(c, "internal log size %" PRIu64 " too large, must fit in allocation group",
			      size);
	return 0;
}

static int internal_log(struct chooser *c)
{
	uint32_t agno = 0, room = 0, blocks = 0;
	int rc = choose_group(c, &agno);

	if (!rc)
		rc = find_room(c, agno, &room);
	if (rc)
		return rc;
	if (c->opts->log_bytes) {
		if (whole_blocks(c, c->opts->log_bytes) > c->sb->sb_dblocks)
			return refuse(c, "log size %" PRIu64 " too large for internal log",
				      whole_blocks(c, c->opts->log_bytes));
		rc = given_size(c, &blocks);
		if (rc)
			return rc;
		if (blocks > room)
			return refuse(c, "internal log size %u too large, must be less than %u",
				      blocks, room);
	} else {
		blocks = default_size(c);
		if (blocks > room)
			blocks = room;
	}
	return place_log(c, agno, blocks, room);
}

static int external_log(struct chooser *c)
{
	uint64_t device = whole_blocks(c, c->log->size_bytes);
	uint32_t unit = c->plan->log_sunit_blocks ?
			c->plan->log_sunit_blocks : 1;
	uint32_t blocks = 0;
	int rc;

	if (c->opts->flags & XLOG_FORMAT_LOG_AGNUM)
		return refuse(c, "Cannot specify both -l agnum and -l logdev");
	if (c->opts->log_bytes) {
		rc = given_size(c, &blocks);
		if (rc)
			return rc;
		if (blocks > device)
			return refuse(c, "size %" PRIu64 " specified for log subvolume is too large, maximum is %" PRIu64 " blocks",
				      c->opts->log_bytes, device);
		c->sb->sb_logblocks = blocks;
		return 0;
	}
	device = device / unit * unit;
	if (device < c->plan->log_min_blocks)
		return refuse(c, "external log device size %" PRIu64 " blocks too small, must be at least %u blocks",
			      device, c->plan->log_min_blocks);
	if (device > log_blocks_max(c))
		device = log_blocks_max(c) / unit * unit;
	c->sb->sb_logblocks = (uint32_t)device;
	return 0;
}

/* Too small to be of use, though it would work. */
static int check_useful(struct chooser *c)
{
	const struct xfs_sb *sb = c->sb;

	if (c->opts->flags & XLOG_FORMAT_EXPERT)
		return 0;
	if (sb->sb_dblocks < whole_blocks(c, DATA_BYTES_GOOD))
		return refuse(c, "Filesystem must be larger than 300MB.");
	if (sb->sb_logblocks < whole_blocks(c, LOG_BYTES_GOOD))
		return refuse(c, "Log size must be at least 64MB.");
	if (sb->sb_agcount < 2)
		return refuse(c, "Filesystem must have at least 2 superblocks for redundancy!");
	return 0;
}

int choose_log(struct chooser *c)
{
	int rc = choose_sunit(c);

	if (rc)
		return rc;
	find_minimum(c);
	rc = c->log ? external_log(c) : internal_log(c);
	return rc ? rc : check_useful(c);
}
