/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sizes that all others are counted in, and the features: what does not
 * depend on how large the filesystem is.
 */
#include <inttypes.h>

#include "libxlog/meta/format_priv.h"

enum {
	BLOCK_MIN = 1024,	/* of version 5 */
	BLOCK_MAX = 65536,
	BLOCK_DEFAULT = 4096,
	INODE_MIN = 512,	/* of version 5 */
	INODE_MAX = 2048,
	INODES_PER_BLOCK_MIN = 2,
	DIRBLOCK_DEFAULT = 4096, /* at least */
	RTEXTENT_BYTES = 4096,	/* at least */
	/* Of a buffer of inodes, for inodes of the size that was the first. */
	CLUSTER_BYTES = 8192,
	CLUSTER_INODE_BYTES = 256,
};

/* --- sizes --- */

static int choose_block(struct chooser *c)
{
	uint32_t bytes = c->opts->block_bytes;

	if (!bytes)
		bytes = BLOCK_DEFAULT;
	if (!is_power_of_2(bytes) || bytes < SECTOR_MIN || bytes > BLOCK_MAX)
		return refuse(c, "illegal block size %u", bytes);
	if (bytes < BLOCK_MIN)
		return refuse(c, "Minimum block size for CRC enabled filesystems is %d bytes.",
			      BLOCK_MIN);
	c->sb->sb_blocksize = bytes;
	c->sb->sb_blocklog = log2_of(bytes);
	return 0;
}

/* The sector that a device works in, unless blocks are smaller. */
static uint32_t device_sector(struct chooser *c,
			      const struct xlog_format_device *dev)
{
	uint32_t logical = dev->sector_bytes ? dev->sector_bytes : SECTOR_MIN;
	uint32_t physical = dev->physical_bytes > logical ?
			    dev->physical_bytes : logical;

	if (physical <= c->sb->sb_blocksize || logical > c->sb->sb_blocksize)
		return physical;
	warn(c, "specified blocksize %u is less than device physical sector size %u",
	     c->sb->sb_blocksize, physical);
	warn(c, "switching to logical sector size %u", logical);
	return logical;
}

static int choose_sector(struct chooser *c)
{
	uint32_t bytes = c->opts->sector_bytes;
	uint32_t hw = c->data->sector_bytes;

	if (!bytes)
		bytes = device_sector(c, c->data);
	if (!is_power_of_2(bytes) || bytes < SECTOR_MIN || bytes > SECTOR_MAX)
		return refuse(c, "illegal sector size %u", bytes);
	if (c->sb->sb_blocksize < bytes)
		return refuse(c, "block size %u cannot be smaller than sector size %u",
			      c->sb->sb_blocksize, bytes);
	if (bytes < hw)
		return refuse(c, "illegal sector size %u; hw sector is %u",
			      bytes, hw);
	c->sb->sb_sectsize = (uint16_t)bytes;
	c->sb->sb_sectlog = log2_of(bytes);
	return 0;
}

/* Of a log on a device of its own, if it was not given. */
static uint32_t log_device_sector(struct chooser *c)
{
	uint32_t given = c->opts->sector_bytes;
	uint32_t bytes = c->log->sector_bytes || c->log->physical_bytes ?
			 device_sector(c, c->log) : c->sb->sb_sectsize;

	/* who gives one means the log too, where that is possible */
	return bytes < given ? given : bytes;
}

/* Of the log: that of the data, but on a device of its own. */
static int choose_log_sector(struct chooser *c)
{
	uint32_t bytes = c->opts->log_sector_bytes;

	if (!c->log) {
		if (bytes && bytes != c->sb->sb_sectsize)
			return refuse(c, "Can't change sector size on internal log!");
		bytes = c->sb->sb_sectsize;
	} else if (!bytes) {
		bytes = log_device_sector(c);
	}
	if (!is_power_of_2(bytes) || bytes < SECTOR_MIN ||
	    bytes > SECTOR_MAX || bytes > c->sb->sb_blocksize)
		return refuse(c, "illegal log sector size %u", bytes);
	if (c->log && bytes < c->log->sector_bytes)
		return refuse(c, "illegal log sector size %u; hw sector is %u",
			      bytes, c->log->sector_bytes);
	c->plan->log_sector_bytes = bytes;
	return 0;
}

static int choose_inode(struct chooser *c)
{
	uint32_t bytes = c->opts->inode_bytes ? c->opts->inode_bytes :
			 INODE_MIN;
	uint32_t max = c->sb->sb_blocksize / INODES_PER_BLOCK_MIN;

	if (max > INODE_MAX)
		max = INODE_MAX;
	if (!is_power_of_2(bytes))
		return refuse(c, "illegal inode size %u", bytes);
	if (bytes < INODE_MIN)
		return refuse(c, "Minimum inode size for CRCs is %d bytes",
			      INODE_MIN);
	if (bytes > max && max == INODE_MIN)
		return refuse(c, "illegal inode size %u; allowable inode size with %u byte blocks is %u",
			      bytes, c->sb->sb_blocksize, max);
	if (bytes > max)
		return refuse(c, "illegal inode size %u; allowable inode size with %u byte blocks is between %d and %u",
			      bytes, c->sb->sb_blocksize, INODE_MIN, max);
	c->sb->sb_inodesize = (uint16_t)bytes;
	c->sb->sb_inodelog = log2_of(bytes);
	c->sb->sb_inopblog = (uint8_t)(c->sb->sb_blocklog -
				       c->sb->sb_inodelog);
	c->sb->sb_inopblock = (uint16_t)(1u << c->sb->sb_inopblog);
	return 0;
}

static int choose_dirblock(struct chooser *c)
{
	uint32_t block = c->sb->sb_blocksize;
	uint32_t bytes = c->opts->dirblock_bytes;

	if (!bytes)
		bytes = block > DIRBLOCK_DEFAULT ? block : DIRBLOCK_DEFAULT;
	if (!is_power_of_2(bytes) || bytes < block || bytes > BLOCK_MAX)
		return refuse(c, "illegal directory block size %u", bytes);
	c->sb->sb_dirblklog = (uint8_t)(log2_of(bytes) - c->sb->sb_blocklog);
	return 0;
}

int choose_sizes(struct chooser *c)
{
	uint32_t rextsize;
	int rc = choose_block(c);

	if (!rc)
		rc = choose_sector(c);
	if (!rc)
		rc = choose_log_sector(c);
	if (!rc)
		rc = choose_inode(c);
	if (!rc)
		rc = choose_dirblock(c);
	/* of a realtime device that there is not */
	rextsize = RTEXTENT_BYTES >> c->sb->sb_blocklog;
	c->sb->sb_rextsize = rextsize ? rextsize : 1;
	return rc;
}

/* --- features --- */

static bool chosen(enum xlog_choice choice, bool by_default)
{
	return choice == XLOG_DEFAULT ? by_default : choice == XLOG_YES;
}

static void set_bit_if(uint32_t *bits, uint32_t bit, bool on)
{
	if (on)
		*bits |= bit;
}

/*
 * Chunks lie so that a buffer of inodes is found from the number of any of
 * them; where chunks can be in part, their pieces do.
 */
static void choose_alignment(struct chooser *c, bool sparse)
{
	struct xfs_sb *sb = c->sb;
	uint32_t cluster = CLUSTER_BYTES *
			   (sb->sb_inodesize / CLUSTER_INODE_BYTES);

	sb->sb_inoalignmt = cluster >> sb->sb_blocklog;
	if (!sparse)
		return;
	sb->sb_spino_align = sb->sb_inoalignmt;
	sb->sb_inoalignmt = CHUNK_INODES * (uint32_t)sb->sb_inodesize >>
			    sb->sb_blocklog;
}

static void set_versions(struct chooser *c)
{
	struct xfs_sb *sb = c->sb;

	sb->sb_versionnum = 5 | XFS_SB_VERSION_NLINKBIT |
			    XFS_SB_VERSION_EXTFLGBIT |
			    XFS_SB_VERSION_LOGV2BIT |
			    XFS_SB_VERSION_DIRV2BIT |
			    XFS_SB_VERSION_ALIGNBIT |
			    XFS_SB_VERSION_MOREBITSBIT;
	/* parent pointers are attributes */
	if (sb->sb_features_incompat & XFS_SB_INCOMPAT_PARENT)
		sb->sb_versionnum |= XFS_SB_VERSION_ATTRBIT;
	if (sb->sb_sectsize > SECTOR_MIN ||
	    c->plan->log_sector_bytes > SECTOR_MIN) {
		sb->sb_versionnum |= XFS_SB_VERSION_SECTORBIT;
		sb->sb_logsectsize = (uint16_t)c->plan->log_sector_bytes;
		sb->sb_logsectlog = log2_of(c->plan->log_sector_bytes);
	}
	sb->sb_features2 = XFS_SB_VERSION2_LAZYSBCOUNTBIT |
			   XFS_SB_VERSION2_ATTR2BIT |
			   XFS_SB_VERSION2_PROJID32BIT |
			   XFS_SB_VERSION2_CRCBIT;
	/* once it was kept there by mistake, and is kept in both since */
	sb->sb_bad_features2 = sb->sb_features2;
}

int choose_features(struct chooser *c)
{
	const struct xlog_format_options *o = c->opts;
	uint32_t ro = 0, in = XFS_SB_INCOMPAT_FTYPE;
	bool finobt = chosen(o->finobt, true);
	bool sparse = chosen(o->sparse, true);

	if (o->inobtcount == XLOG_YES && !finobt)
		return refuse(c, "inode btree counters not supported without finobt support");
	set_bit_if(&ro, XFS_SB_RO_COMPAT_FINOBT, finobt);
	set_bit_if(&ro, XFS_SB_RO_COMPAT_INOBTCNT,
		   chosen(o->inobtcount, finobt));
	set_bit_if(&ro, XFS_SB_RO_COMPAT_RMAPBT, chosen(o->rmapbt, true));
	set_bit_if(&ro, XFS_SB_RO_COMPAT_REFLINK, chosen(o->reflink, true));
	set_bit_if(&in, XFS_SB_INCOMPAT_SPINODES, sparse);
	set_bit_if(&in, XFS_SB_INCOMPAT_BIGTIME, chosen(o->bigtime, true));
	set_bit_if(&in, XFS_SB_INCOMPAT_NREXT64, chosen(o->nrext64, true));
	set_bit_if(&in, XFS_SB_INCOMPAT_EXCHRANGE, chosen(o->exchange, false));
	set_bit_if(&in, XFS_SB_INCOMPAT_PARENT, chosen(o->parent, false));
	c->sb->sb_features_ro_compat = ro;
	c->sb->sb_features_incompat = in;
	choose_alignment(c, sparse);
	set_versions(c);
	memcpy(c->sb->sb_fname, o->label, sizeof(c->sb->sb_fname));
	return 0;
}
