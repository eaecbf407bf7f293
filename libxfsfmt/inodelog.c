/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The logged inode and the inode on disk have one table of fields: the core is
 * copied by it, field by field, from the writer's byte order to that of the
 * disk. See inodelog.h.
 */
#include "libxfsfmt/inodelog.h"

#include "libxfsfmt/geom.h"

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

/* Two words in one: each has its own order in the log. */
static uint64_t swap_words(uint64_t time)
{
	return time << 32 | time >> 32;
}

void xfs_dinode_to_log(void *logged, const struct xfs_dinode *di,
		       enum xfs_order order)
{
	unsigned int variant = xfs_dinode_variant(di) | XFS_DINODE_LOGGED;
	struct xfs_dinode core = *di;

	if (order == XFS_LE && !(variant & XFS_DINODE_BIGTIME)) {
		core.di_atime = swap_words(core.di_atime);
		core.di_mtime = swap_words(core.di_mtime);
		core.di_ctime = swap_words(core.di_ctime);
		core.di_crtime = swap_words(core.di_crtime);
	}
	memset(logged, 0, variant & XFS_DINODE_V3 ? XFS_LOG_DINODE_V3_BYTES :
						    XFS_LOG_DINODE_V2_BYTES);
	xfs_dinode_encode(logged, &core, variant, order);
	if (variant & XFS_DINODE_V3)
		put_w32((uint8_t *)logged + XFS_DINODE_UNLINKED_OFF,
			UINT32_MAX, order);
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

size_t xfs_broot_log_bytes(const void *fork, enum xfs_btree_kind kind, bool v5)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];
	uint16_t level = get_be16(fork);
	uint16_t n = get_be16((const uint8_t *)fork + 2);

	return xfs_btree_hdr_bytes(kind, v5) +
	       (size_t)n * (level ? ops->key_bytes + 8u : ops->rec_bytes);
}

/* A header as a block has it that lies nowhere. */
static void broot_header(uint8_t *to, const uint8_t *fork,
			 enum xfs_btree_kind kind, const struct xfs_geom *geom,
			 xfs_ino_t ino)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];

	memset(to, 0, xfs_btree_hdr_bytes(kind, geom->v5));
	put_be32(to, geom->v5 ? ops->crc_magic : ops->magic);
	memcpy(to + 4, fork, BMDR_HEADER_BYTES);
	put_be64(to + 8, UINT64_MAX);
	put_be64(to + 16, UINT64_MAX);
	if (!geom->v5)
		return;
	put_be64(to + 24, UINT64_MAX);
	memcpy(to + 40, geom->meta_uuid, sizeof(geom->meta_uuid));
	put_be64(to + 56, ino);
}

void xfs_broot_to_log(void *raw, const void *fork, size_t fork_bytes,
		      enum xfs_btree_kind kind, const struct xfs_geom *geom,
		      xfs_ino_t ino)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];
	const uint8_t *from = fork;
	uint16_t level = get_be16(from), n = get_be16(from + 2);
	size_t room = xfs_bmdr_room(kind, !level, fork_bytes);
	uint8_t *to = raw;

	broot_header(to, from, kind, geom, ino);
	from += BMDR_HEADER_BYTES;
	to += xfs_btree_hdr_bytes(kind, geom->v5);
	if (!level) {
		memcpy(to, from, (size_t)n * ops->rec_bytes);
		return;
	}
	memcpy(to, from, (size_t)n * ops->key_bytes);
	memcpy(to + (size_t)n * ops->key_bytes,
	       from + room * ops->key_bytes, (size_t)n * 8);
}
