/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first chunk of inodes: an empty root directory, and the two files of the
 * realtime device that every filesystem has, empty too. The others are free.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/dir.h"
#include "libxfsfmt/inode.h"
#include "libxlog/meta/format_priv.h"

enum {
	ROOT,
	RT_BITMAP,
	RT_SUMMARY,
	DIR_PERMISSIONS = 0755,
	DIR_BYTES = 6,		/* of a shortform directory with no entry */
	CHANGES = 2,		/* made, and filled in */
};

static uint64_t time_of(const struct format_plan *p, const struct xfs_time *t)
{
	return xfs_time_value(t, p->geom.bigtime);
}

static void set_used(struct xfs_dinode *di, const struct format_plan *p,
		     const struct format_values *v)
{
	di->di_nlink = 1;
	di->di_format = XFS_DINODE_FMT_EXTENTS;
	di->di_aformat = XFS_DINODE_FMT_EXTENTS;
	di->di_atime = time_of(p, &v->now);
	di->di_mtime = di->di_atime;
	di->di_ctime = di->di_atime;
	di->di_crtime = di->di_atime;
	di->di_changecount = CHANGES;
	if (p->geom.bigtime)
		di->di_flags2 |= XFS_DIFLAG2_BIGTIME;
	if (p->geom.nrext64)
		di->di_flags2 |= XFS_DIFLAG2_NREXT64;
}

static void set_root(struct xfs_dinode *di)
{
	di->di_mode = XFS_MODE_DIR | DIR_PERMISSIONS;
	di->di_nlink = 2;
	di->di_format = XFS_DINODE_FMT_LOCAL;
	di->di_size = DIR_BYTES;
}

static void set_realtime(struct xfs_dinode *di, const struct format_plan *p,
			 const struct format_values *v, unsigned int which)
{
	di->di_mode = XFS_MODE_REG;
	di->di_gen = v->gen[which];
	if (which != RT_BITMAP)
		return;
	/* of this one it is a count, which begins at 0 */
	di->di_flags = XFS_DIFLAG_NEWRTBM;
	di->di_atime = time_of(p, &(struct xfs_time){ .sec = 0 });
}

void format_inode_encode(void *raw, const struct format_plan *p,
			 const struct format_values *v, unsigned int index)
{
	struct xfs_dinode di = {
		.di_magic = XFS_DINODE_MAGIC, .di_version = 3,
		.di_next_unlinked = XFS_NULL_AGINO,
		.di_ino = p->sb.sb_rootino + index,
		.di_gen = v->gen[0],
	};

	if (index < FORMAT_INODES)
		set_used(&di, p, v);
	if (index == ROOT) {
		di.di_gen = 0;
		set_root(&di);
	} else if (index < FORMAT_INODES) {
		set_realtime(&di, p, v, index);
	}
	memcpy(di.di_uuid, v->uuid, sizeof(di.di_uuid));
	memset(raw, 0, p->geom.inodesize);
	xfs_dinode_encode(raw, &di, xfs_dinode_variant(&di), XFS_BE);
	if (index == ROOT)
		xfs_dir_sf_hdr_encode((uint8_t *)raw +
				      XFS_DINODE_V3_CORE_BYTES,
				      &(struct xfs_dir_sf_hdr){
					      .parent = p->sb.sb_rootino },
				      0, XFS_BE);
	put_le32((uint8_t *)raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(raw, p->geom.inodesize, XFS_DINODE_CRC_OFF));
}
