/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The logged inode and the inode on disk have one table of fields: the core is
 * copied by it, field by field, from the writer's byte order to that of the
 * disk. See inodelog.h.
 */
#include "libxfsfmt/inodelog.h"

static void copy_field(uint8_t *to, const uint8_t *from,
		       const struct xfs_field *f, enum xfs_order order)
{
	if (f->kind == XFS_KIND_PAD) {
		memset(to, 0, xfs_field_width(f));
		return;
	}
	switch (f->type) {
	case XFS_TYPE_w16:
		put_be16(to, get_w16(from, order));
		break;
	case XFS_TYPE_w32:
		put_be32(to, get_w32(from, order));
		break;
	case XFS_TYPE_w64:
		if (f->kind == XFS_KIND_TIME) {
			put_be32(to, get_w32(from, order));
			put_be32(to + 4, get_w32(from + 4, order));
		} else {
			put_be64(to, get_w64(from, order));
		}
		break;
	default:
		memcpy(to, from, xfs_field_width(f));
	}
}

void xfs_log_dinode_to_disk(void *disk, const void *logged, size_t len_bytes,
			    const struct xfs_dinode *di,
			    enum xfs_order order)
{
	unsigned int variant = xfs_dinode_variant(di) | XFS_DINODE_LOGGED;
	uint8_t *to = disk;

	for (const struct xfs_field *f = xfs_dinode_fields; f->name; f++) {
		if (!xfs_field_applies(f, variant) ||
		    f->off_bytes + xfs_field_width(f) > len_bytes)
			continue;
		copy_field(to + f->off_bytes,
			   (const uint8_t *)logged + f->off_bytes, f, order);
	}
	/* counts flushes of the inode in memory, and begins anew */
	if (!(variant & XFS_DINODE_V3))
		put_be16(to + 30, 0);
}

enum xfs_btree_kind xfs_dinode_broot_kind(const struct xfs_dinode *di)
{
	if (di->di_format != XFS_DINODE_FMT_META_BTREE)
		return XFS_BTREE_BMAP;
	return di->di_metatype == XFS_METAFILE_RTREFCOUNT ? XFS_BTREE_RTREFC :
							    XFS_BTREE_RTRMAP;
}

enum { BMDR_HEADER_BYTES = 4 };

const char *xfs_broot_to_disk(void *fork, size_t fork_bytes, const void *raw,
			      size_t len_bytes, enum xfs_btree_kind kind,
			      bool v5)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];
	size_t header = xfs_btree_hdr_bytes(kind, v5);
	const uint8_t *from = raw;
	uint8_t *to = fork;
	uint16_t level, n;
	size_t room, disk_room;

	if (len_bytes < header || fork_bytes < BMDR_HEADER_BYTES)
		return "btree root too short";
	level = get_be16(from + 4);
	n = get_be16(from + 6);
	room = xfs_btree_room(kind, v5, !level, len_bytes);
	disk_room = xfs_bmdr_room(kind, !level, fork_bytes);
	if (n > room)
		return "btree root with more records than there are";
	if (n > disk_room)
		return "btree root too large for its fork";
	from += header;
	put_be16(to, level);
	put_be16(to + 2, n);
	to += BMDR_HEADER_BYTES;
	if (!level) {
		memcpy(to, from, (size_t)n * ops->rec_bytes);
		return NULL;
	}
	/* pointers stand behind the room for all keys, in either form */
	memcpy(to, from, (size_t)n * ops->key_bytes);
	memcpy(to + disk_room * ops->key_bytes,
	       from + room * ops->key_bytes, (size_t)n * 8);
	return NULL;
}
