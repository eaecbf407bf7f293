/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The logged inode and the inode on disk have one table of fields: the core is
 * copied by it, field by field, from the writer's byte order to that of the
 * disk. See inodelog.h.
 */
#include "libxfsfmt/inodelog.h"

struct core {
	uint8_t		*to;
	enum xfs_order	to_order;
	const uint8_t	*from;
	enum xfs_order	from_order;
	size_t		len_bytes;
};

static void copy_field(const struct core *c, const struct xfs_field *f)
{
	const uint8_t *from = c->from + f->off_bytes;
	uint8_t *to = c->to + f->off_bytes;

	if (f->kind == XFS_KIND_PAD) {
		memset(to, 0, xfs_field_width(f));
		return;
	}
	switch (f->type) {
	case XFS_TYPE_w16:
		put_w16(to, get_w16(from, c->from_order), c->to_order);
		break;
	case XFS_TYPE_w32:
		put_w32(to, get_w32(from, c->from_order), c->to_order);
		break;
	case XFS_TYPE_w64:
		if (f->kind == XFS_KIND_TIME) {
			put_w32(to, get_w32(from, c->from_order), c->to_order);
			put_w32(to + 4, get_w32(from + 4, c->from_order),
				c->to_order);
		} else {
			put_w64(to, get_w64(from, c->from_order), c->to_order);
		}
		break;
	default:
		memcpy(to, from, xfs_field_width(f));
	}
}

static void copy_core(const struct core *c, unsigned int variant)
{
	for (const struct xfs_field *f = xfs_dinode_fields; f->name; f++)
		if (xfs_field_applies(f, variant) &&
		    f->off_bytes + xfs_field_width(f) <= c->len_bytes)
			copy_field(c, f);
}

void xfs_log_dinode_to_disk(void *disk, const void *logged, size_t len_bytes,
			    const struct xfs_dinode *di,
			    enum xfs_order order)
{
	unsigned int variant = xfs_dinode_variant(di) | XFS_DINODE_LOGGED;

	copy_core(&(struct core){ disk, XFS_BE, logged, order, len_bytes },
		  variant);
	/* counts flushes of the inode in memory, and begins anew */
	if (!(variant & XFS_DINODE_V3))
		put_be16((uint8_t *)disk + 30, 0);
}

void xfs_dinode_to_log(void *logged, const void *disk,
		       const struct xfs_dinode *di, enum xfs_order order)
{
	memset(logged, 0, XFS_LOG_DINODE_V3_BYTES);
	copy_core(&(struct core){ logged, order, disk, XFS_BE,
				  XFS_LOG_DINODE_V3_BYTES },
		  xfs_dinode_variant(di) | XFS_DINODE_LOGGED);
	put_w32((uint8_t *)logged + XFS_DINODE_UNLINKED_OFF, UINT32_MAX,
		order);
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
