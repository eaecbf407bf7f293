/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The superblock: names of its bits, its verifier, its walk.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/geom.h"
#include "libxfsfmt/sb.h"

XFS_DEFINE(xfs_sb, XFS_SB_ROWS)
XFS_DEFINE_ENCODE(xfs_sb, XFS_SB_ROWS)

/* The low four bits are a number: the first of the two that fits. */
const struct xfs_name xfs_sb_version_names[] = {
	{ 5, "v5" },
	{ 4, "v4" },
	{ XFS_SB_VERSION_ATTRBIT, "attr" },
	{ XFS_SB_VERSION_NLINKBIT, "nlink" },
	{ XFS_SB_VERSION_QUOTABIT, "quota" },
	{ XFS_SB_VERSION_ALIGNBIT, "align" },
	{ XFS_SB_VERSION_DALIGNBIT, "dalign" },
	{ XFS_SB_VERSION_SHAREDBIT, "shared" },
	{ XFS_SB_VERSION_LOGV2BIT, "logv2" },
	{ XFS_SB_VERSION_SECTORBIT, "sector" },
	{ XFS_SB_VERSION_EXTFLGBIT, "extflg" },
	{ XFS_SB_VERSION_DIRV2BIT, "dirv2" },
	{ XFS_SB_VERSION_BORGBIT, "ascii-ci" },
	{ XFS_SB_VERSION_MOREBITSBIT, "morebits" },
	{ .name = NULL },
};

const struct xfs_name xfs_sb_features2_names[] = {
	{ XFS_SB_VERSION2_LAZYSBCOUNTBIT, "lazysbcount" },
	{ XFS_SB_VERSION2_ATTR2BIT, "attr2" },
	{ XFS_SB_VERSION2_PARENTBIT, "parent" },
	{ XFS_SB_VERSION2_PROJID32BIT, "projid32bit" },
	{ XFS_SB_VERSION2_CRCBIT, "crc" },
	{ XFS_SB_VERSION2_FTYPE, "ftype" },
	{ .name = NULL },
};

const struct xfs_name xfs_sb_ro_compat_names[] = {
	{ XFS_SB_RO_COMPAT_FINOBT, "finobt" },
	{ XFS_SB_RO_COMPAT_RMAPBT, "rmapbt" },
	{ XFS_SB_RO_COMPAT_REFLINK, "reflink" },
	{ XFS_SB_RO_COMPAT_INOBTCNT, "inobtcount" },
	{ .name = NULL },
};

const struct xfs_name xfs_sb_incompat_names[] = {
	{ XFS_SB_INCOMPAT_FTYPE, "ftype" },
	{ XFS_SB_INCOMPAT_SPINODES, "sparse" },
	{ XFS_SB_INCOMPAT_META_UUID, "meta-uuid" },
	{ XFS_SB_INCOMPAT_BIGTIME, "bigtime" },
	{ XFS_SB_INCOMPAT_NEEDSREPAIR, "needsrepair" },
	{ XFS_SB_INCOMPAT_NREXT64, "nrext64" },
	{ XFS_SB_INCOMPAT_EXCHRANGE, "exchange" },
	{ XFS_SB_INCOMPAT_PARENT, "parent" },
	{ XFS_SB_INCOMPAT_METADIR, "metadir" },
	{ XFS_SB_INCOMPAT_ZONED, "zoned" },
	{ XFS_SB_INCOMPAT_ZONE_GAPS, "zone-gaps" },
	{ .name = NULL },
};

const struct xfs_name xfs_sb_log_incompat_names[] = {
	{ XFS_SB_LOG_INCOMPAT_XATTRS, "xattrs" },
	{ .name = NULL },
};

const struct xfs_name xfs_sb_qflag_names[] = {
	{ 0x0001, "uquota-acct" },
	{ 0x0002, "uquota-enfd" },
	{ 0x0004, "uquota-chkd" },
	{ 0x0008, "pquota-acct" },
	{ 0x0010, "oquota-enfd" },
	{ 0x0020, "oquota-chkd" },
	{ 0x0040, "gquota-acct" },
	{ 0x0080, "gquota-enfd" },
	{ 0x0100, "gquota-chkd" },
	{ 0x0200, "pquota-enfd" },
	{ 0x0400, "pquota-chkd" },
	{ .name = NULL },
};

unsigned int xfs_sb_variant(const struct xfs_sb *sb)
{
	unsigned int variant = 0;

	if ((sb->sb_versionnum & XFS_SB_VERSION_MASK) != 5)
		return 0;
	variant = XFS_SB_V5;
	if (sb->sb_features_incompat & XFS_SB_INCOMPAT_METADIR)
		variant |= XFS_SB_METADIR;
	if (sb->sb_features_incompat & XFS_SB_INCOMPAT_ZONED)
		variant |= XFS_SB_ZONED;
	return variant;
}

/* What Linux makes and mounts. */
enum {
	AG_BLOCKS_MIN = 64,
	V5_BLOCKLOG_MIN = 10,
	V5_INODELOG_MIN = 9,
};
#define AG_BYTES_MAX	((uint64_t)1 << 40)
#define LOG_BYTES_MAX	((uint64_t)1 << 31)
#define RTEXT_BYTES_MAX	((uint64_t)1 << 30)
#define RG_BLOCKS_MAX	(((uint64_t)1 << 31) - 1)

static bool is_log2(uint32_t value, uint8_t log)
{
	return log < 32 && value == (uint32_t)1 << log;
}

static const char *verify_sizes(const struct xfs_sb *sb)
{
	if (sb->sb_blocklog < 9 || sb->sb_blocklog > 16 ||
	    !is_log2(sb->sb_blocksize, sb->sb_blocklog))
		return "block size out of range";
	if (sb->sb_sectlog < 9 || sb->sb_sectlog > 15 ||
	    !is_log2(sb->sb_sectsize, sb->sb_sectlog) ||
	    sb->sb_sectlog > sb->sb_blocklog)
		return "sector size out of range";
	if (sb->sb_inodelog < 8 || sb->sb_inodelog > 11 ||
	    !is_log2(sb->sb_inodesize, sb->sb_inodelog) ||
	    sb->sb_inodelog > sb->sb_blocklog)
		return "inode size out of range";
	if (sb->sb_inopblog != sb->sb_blocklog - sb->sb_inodelog ||
	    sb->sb_inopblock != 1u << sb->sb_inopblog)
		return "inodes in a block do not agree with the sizes";
	if (sb->sb_dirblklog > 16 - sb->sb_blocklog)
		return "directory block size out of range";
	/* without the sector feature the log's sector is not recorded */
	if ((sb->sb_logsectsize || sb->sb_logsectlog) &&
	    (sb->sb_logsectlog < 9 || sb->sb_logsectlog > 15 ||
	     !is_log2(sb->sb_logsectsize, sb->sb_logsectlog)))
		return "log sector size out of range";
	return NULL;
}

static const char *verify_groups(const struct xfs_sb *sb)
{
	uint64_t all;

	if (!sb->sb_agcount || !sb->sb_agblocks)
		return "no allocation groups";
	if (sb->sb_agblocks < AG_BLOCKS_MIN ||
	    (uint64_t)sb->sb_agblocks << sb->sb_blocklog > AG_BYTES_MAX)
		return "size of the allocation groups out of range";
	if (sb->sb_agblklog > 31 ||
	    (uint64_t)1 << sb->sb_agblklog < sb->sb_agblocks ||
	    (sb->sb_agblklog &&
	     (uint64_t)1 << (sb->sb_agblklog - 1) >= sb->sb_agblocks))
		return "size of the allocation groups does not agree with its logarithm";
	/* all groups are full but the last, and that is not too small */
	all = (uint64_t)sb->sb_agcount * sb->sb_agblocks;
	if (sb->sb_dblocks > all ||
	    sb->sb_dblocks < all - sb->sb_agblocks + AG_BLOCKS_MIN)
		return "blocks do not agree with the allocation groups";
	if (sb->sb_dblocks > UINT64_MAX >> (sb->sb_blocklog + 1))
		return "more blocks than bytes can be counted";
	return NULL;
}

/* Groups of the realtime device, and the bits of their number in a block's. */
static const char *verify_rtgroups(const struct xfs_sb *sb)
{
	uint64_t blocks = (uint64_t)sb->sb_rgextents * sb->sb_rextsize;
	uint64_t extents;

	if (!sb->sb_rgcount && !sb->sb_rblocks)
		return NULL;
	if (!blocks || blocks > RG_BLOCKS_MAX)
		return "size of the realtime groups out of range";
	/* with gaps between zones, numbers go on behind a group */
	if (sb->sb_rgblklog > 31 || (uint64_t)1 << sb->sb_rgblklog < blocks)
		return "size of the realtime groups does not agree with its logarithm";
	extents = (uint64_t)sb->sb_rgcount * sb->sb_rgextents;
	if (sb->sb_rextents > extents ||
	    sb->sb_rextents + sb->sb_rgextents <= extents)
		return "realtime extents do not agree with their groups";
	return NULL;
}

static const char *verify_realtime(const struct xfs_sb *sb)
{
	/* there is an extent size even where there is no device */
	if (!sb->sb_rextsize ||
	    (uint64_t)sb->sb_rextsize << sb->sb_blocklog > RTEXT_BYTES_MAX)
		return "realtime extent size out of range";
	if (sb->sb_rblocks > UINT64_MAX >> (sb->sb_blocklog + 1))
		return "more realtime blocks than bytes can be counted";
	/* the last blocks need not make up an extent */
	if (sb->sb_rextents != sb->sb_rblocks / sb->sb_rextsize)
		return "realtime extents do not agree with realtime blocks";
	return xfs_sb_variant(sb) & XFS_SB_METADIR ? verify_rtgroups(sb) : NULL;
}

static const char *verify_log(const struct xfs_sb *sb)
{
	uint64_t agno, agbno;

	if (!sb->sb_logblocks)
		return "no log";
	if ((uint64_t)sb->sb_logblocks << sb->sb_blocklog > LOG_BYTES_MAX)
		return "log larger than 2 GiB";
	if (!(sb->sb_versionnum & XFS_SB_VERSION_LOGV2BIT)) {
		if (sb->sb_logsunit > 1)
			return "stripe unit of a version 1 log";
	} else if (sb->sb_logsunit > 1 &&
		   (sb->sb_logsunit > 256 * 1024 ||
		    sb->sb_logsunit % sb->sb_blocksize)) {
		return "log stripe unit out of range";
	}
	if (!sb->sb_logstart)
		return NULL;
	agno = sb->sb_logstart >> sb->sb_agblklog;
	agbno = sb->sb_logstart & (((uint64_t)1 << sb->sb_agblklog) - 1);
	if (agno >= sb->sb_agcount || agbno >= sb->sb_agblocks ||
	    sb->sb_logblocks > sb->sb_agblocks - agbno ||
	    agno * sb->sb_agblocks + agbno + sb->sb_logblocks > sb->sb_dblocks)
		return "log lies outside its allocation group";
	return NULL;
}

static const char *verify_v5(const struct xfs_sb *sb)
{
	if (!(sb->sb_versionnum & XFS_SB_VERSION_LOGV2BIT))
		return "version 5 without a version 2 log";
	if (sb->sb_blocklog < V5_BLOCKLOG_MIN)
		return "block size too small for version 5";
	if (sb->sb_inodelog < V5_INODELOG_MIN)
		return "inode size too small for version 5";
	return NULL;
}

const char *xfs_sb_verify(const struct xfs_sb *sb, const void *raw,
			  size_t len_bytes)
{
	uint16_t version = sb->sb_versionnum & XFS_SB_VERSION_MASK;
	const char *why;

	if (sb->sb_magicnum != XFS_SB_MAGIC)
		return "bad magic";
	if (version != 4 && version != 5)
		return "version is neither 4 nor 5";
	why = verify_sizes(sb);
	if (why)
		return why;
	if (version == 5 && (len_bytes < sb->sb_sectsize ||
			     !xfs_crc_ok(raw, sb->sb_sectsize, XFS_SB_CRC_OFF)))
		return "wrong checksum";
	if (version == 5)
		why = verify_v5(sb);
	if (!why)
		why = verify_groups(sb);
	if (!why)
		why = verify_realtime(sb);
	if (!why)
		why = verify_log(sb);
	return why;
}

/* The log has a superblock in part where only its counters have changed. */
static unsigned int walk_variant(const struct xfs_walk *w)
{
	struct xfs_sb sb;
	unsigned int variant = 0;

	if (xfs_walk_has(w, 0, xfs_sb_size)) {
		xfs_sb_decode(&sb, w->base, w->len_bytes, XFS_BE);
		return xfs_sb_variant(&sb);
	}
	if (!w->geom)
		return 0;
	if (w->geom->v5)
		variant |= XFS_SB_V5;
	if (w->geom->metadir)
		variant |= XFS_SB_METADIR;
	if (w->geom->zoned)
		variant |= XFS_SB_ZONED;
	return variant;
}

void xfs_sb_walk(const struct xfs_walk *w)
{
	xfs_walk_fields(w, xfs_sb_fields, 0, walk_variant(w));
}
