/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes inside the inode. The place where the attribute fork begins moves
 * as the forks need it, as far as the data fork leaves room. See attr_priv.h.
 */
#include <stdlib.h>

#include "libxlog/meta/attr_priv.h"

enum {
	/* the least that the root of a tree in a fork needs: 3 or 2 entries */
	DATA_ROOT_BYTES = XFS_BMDR_BYTES + 3 * 16,
	ATTR_ROOT_BYTES = XFS_BMDR_BYTES + 2 * 16,
	DEV_BYTES = 8,
	SF_HDR_BYTES = 4,
	UNIT = 8,			/* of di_forkoff */
};

bool attr_is_sf(const struct inode *ip)
{
	unsigned int format = inode_format(ip, XFS_ATTR_FORK);

	return format == XFS_DINODE_FMT_LOCAL ||
	       (format == XFS_DINODE_FMT_EXTENTS &&
		!inode_nextents(ip, XFS_ATTR_FORK));
}

bool attr_has_blocks(const struct inode *ip)
{
	return ip->di.di_forkoff && !attr_is_sf(ip);
}

static uint32_t literal_bytes(const struct inode *ip)
{
	return (uint32_t)(ip->fs->geom.inodesize -
			  xfs_dinode_core_bytes(&ip->di));
}

static uint8_t *sf_of(const struct inode *ip)
{
	return inode_fork(ip, XFS_ATTR_FORK, NULL);
}

static uint32_t sf_bytes(const struct inode *ip)
{
	return inode_format(ip, XFS_ATTR_FORK) == XFS_DINODE_FMT_LOCAL ?
	       get_be16(sf_of(ip)) : 0;
}

/* What the data fork cannot do without. */
static uint32_t data_bytes(const struct inode *ip)
{
	const uint8_t *fork = inode_fork(ip, XFS_DATA_FORK, NULL);
	uint64_t bytes = 0;

	switch (inode_format(ip, XFS_DATA_FORK)) {
	case XFS_DINODE_FMT_LOCAL:
		bytes = ip->di.di_size;
		break;
	case XFS_DINODE_FMT_EXTENTS:
		bytes = inode_nextents(ip, XFS_DATA_FORK) * xfs_bmbt_rec_size;
		break;
	case XFS_DINODE_FMT_BTREE:
		bytes = XFS_BMDR_BYTES + (uint64_t)get_be16(fork + 2) * 16;
		break;
	}
	return bytes < DATA_ROOT_BYTES ? DATA_ROOT_BYTES : (uint32_t)bytes;
}

/*
 * di_forkoff for an attribute fork of @bytes, 0 if there is no room. It stays
 * where it is if it can, and leaves room for the root of a tree.
 */
static uint8_t fit(const struct inode *ip, uint32_t bytes)
{
	uint32_t room = literal_bytes(ip), offset, min, max;
	uint32_t now = ip->di.di_forkoff;

	if (bytes > room)
		return 0;
	offset = (room - bytes) / UNIT;
	if (inode_format(ip, XFS_DATA_FORK) == XFS_DINODE_FMT_DEV)
		return offset >= DEV_BYTES / UNIT ? DEV_BYTES / UNIT : 0;
	if (now && bytes <= room - now * UNIT)
		return (uint8_t)now;
	if (!ip->fs->geom.attr2)
		return 0;
	if (inode_format(ip, XFS_DATA_FORK) == XFS_DINODE_FMT_BTREE && now)
		return offset < now ? 0 : (uint8_t)now;
	min = (data_bytes(ip) + UNIT - 1) / UNIT;
	max = (room - ATTR_ROOT_BYTES) / UNIT;
	if (offset >= max)
		return (uint8_t)max;
	return offset >= min ? (uint8_t)offset : 0;
}

/* The fork begins at @forkoff from now on, with its first @keep bytes. */
static void move_fork(struct inode *ip, uint8_t forkoff, uint32_t keep)
{
	uint8_t *area = ip->raw + xfs_dinode_core_bytes(&ip->di);
	uint32_t from = ip->di.di_forkoff * UNIT, to = forkoff * UNIT;
	uint32_t room = literal_bytes(ip);

	memmove(area + to, area + from, keep);
	if (to > from)
		memset(area + from, 0, to - from);
	memset(area + to + keep, 0, room - to - keep);
	ip->di.di_forkoff = forkoff;
}

bool attr_sf_make_room(const struct attr_op *op, uint32_t bytes)
{
	struct inode *ip = op->ip;
	uint8_t forkoff = fit(ip, bytes);

	if (!forkoff)
		return false;
	if (forkoff != ip->di.di_forkoff)
		move_fork(ip, forkoff, sf_bytes(ip));
	if (inode_format(ip, XFS_ATTR_FORK) != XFS_DINODE_FMT_LOCAL) {
		ip->di.di_aformat = XFS_DINODE_FMT_LOCAL;
		xfs_attr_sf_init(sf_of(ip));
	}
	return true;
}

void attr_sf_log(const struct attr_op *op)
{
	inode_log(op->t, op->ip, XFS_ILOG_CORE | XFS_ILOG_ADATA);
}

bool attr_sf_add_one(const struct attr_op *op)
{
	uint32_t bytes = xfs_attr_sf_entry_bytes(op->a), now;

	now = sf_bytes(op->ip);
	if (!now)
		now = SF_HDR_BYTES;
	if (bytes == UINT32_MAX || !attr_sf_make_room(op, now + bytes))
		return false;
	xfs_attr_sf_add(sf_of(op->ip), op->a);
	attr_sf_log(op);
	return true;
}

/* There may be a tree in the data fork, which would have to grow then. */
static bool may_go(const struct inode *ip)
{
	return ip->fs->geom.attr2 && !ip->fs->geom.parent &&
	       inode_format(ip, XFS_DATA_FORK) != XFS_DINODE_FMT_BTREE;
}

static void remove_fork(const struct attr_op *op)
{
	struct inode *ip = op->ip;

	move_fork(ip, ip->di.di_forkoff, 0);
	ip->di.di_forkoff = 0;
	ip->di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	inode_set_nextents(ip, XFS_ATTR_FORK, 0);
	inode_log(op->t, ip, XFS_ILOG_CORE);
}

void attr_sf_trim(const struct attr_op *op, bool keep_fork)
{
	if (sf_bytes(op->ip) == SF_HDR_BYTES && !keep_fork && may_go(op->ip))
		remove_fork(op);
	else
		attr_sf_log(op);
}

/* --- to a leaf --- */

static int fill_leaf(const struct attr_op *op, struct xfs_attr_leaf *leaf,
		     const uint8_t *sf)
{
	const struct xfs_geom *g = attr_geom(op);
	struct xfs_attr a;
	uint32_t off = 0;

	while (xfs_attr_sf_next(sf, &off, &a)) {
		uint32_t hash = xfs_attr_hash(g, &a), index;

		(void)xfs_attr_leaf_find(leaf, &a, hash, false, &index);
		if (!xfs_attr_leaf_add(leaf, index, &a, hash))
			return attr_bad(op, "a shortform larger than a leaf");
	}
	return 0;
}

int attr_sf_to_leaf(const struct attr_op *op)
{
	const struct xfs_geom *g = attr_geom(op);
	struct inode *ip = op->ip;
	uint32_t bytes = sf_bytes(ip), block;
	struct xfs_attr_leaf leaf;
	struct buf *b;
	uint8_t *sf;
	int rc;

	if (!ip->di.di_forkoff)
		return attr_bad(op, "no attribute fork");
	sf = calloc(1, bytes ? bytes : SF_HDR_BYTES);
	if (!sf)
		return report(&ip->fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	if (bytes)
		memcpy(sf, sf_of(ip), bytes);
	else
		xfs_attr_sf_init(sf);
	ip->di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	move_fork(ip, ip->di.di_forkoff, 0);
	rc = attr_grow(op, &trans_attr_leaf_ops, &block, &b);
	if (rc) {
		/* the transaction may not have changed anything yet */
		ip->di.di_aformat = XFS_DINODE_FMT_LOCAL;
		memcpy(sf_of(ip), sf, get_be16(sf));
		goto free_sf;
	}
	xfs_attr_leaf_init(&leaf, b->data, g, b->daddr, ip->ino);
	rc = fill_leaf(op, &leaf, sf);
	xfs_attr_leaf_store(&leaf);
	attr_log_all(op, b);
free_sf:
	free(sf);
	return rc;
}

/* --- and back --- */

/* Bytes of a shortform of all that is in the leaf; UINT32_MAX: there is none. */
static uint32_t bytes_as_sf(const struct xfs_attr_leaf *leaf)
{
	uint32_t bytes = SF_HDR_BYTES;

	for (uint32_t i = 0; i < leaf->count; i++) {
		struct xfs_attr_entry e;

		xfs_attr_leaf_entry(leaf, i, &e);
		if (e.flags & XFS_ATTR_INCOMPLETE)
			continue;
		if (!(e.flags & XFS_ATTR_LOCAL) || e.value_bytes > UINT8_MAX)
			return UINT32_MAX;
		bytes += (uint32_t)xfs_attr_sf_entry_size + e.name_bytes +
			 e.value_bytes;
	}
	return bytes;
}

static void fill_sf(uint8_t *sf, const struct xfs_attr_leaf *leaf)
{
	xfs_attr_sf_init(sf);
	for (uint32_t i = 0; i < leaf->count; i++) {
		struct xfs_attr_entry e;

		xfs_attr_leaf_entry(leaf, i, &e);
		if (!(e.flags & XFS_ATTR_INCOMPLETE))
			xfs_attr_sf_add(sf, &(struct xfs_attr){
				.name = e.name, .name_bytes = e.name_bytes,
				.value = e.value, .value_bytes = e.value_bytes,
				.space = e.flags & XFS_ATTR_NAMESPACES,
			});
	}
}

int attr_leaf_to_sf(const struct attr_op *op, struct buf *b, bool keep_fork)
{
	struct inode *ip = op->ip;
	struct xfs_attr_leaf leaf;
	uint8_t forkoff, *sf;
	uint32_t bytes;
	bool one, empty;
	int rc;

	xfs_attr_leaf_look(&leaf, b->data, attr_geom(op));
	bytes = bytes_as_sf(&leaf);
	empty = bytes == SF_HDR_BYTES && may_go(ip);
	forkoff = bytes == UINT32_MAX ? 0 : fit(ip, bytes);
	if (!forkoff)
		return 0;
	rc = attr_is_one_block(op, &one);
	if (rc || !one)
		return rc;
	sf = malloc(bytes);
	if (!sf)
		return report(&ip->fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	fill_sf(sf, &leaf);
	rc = attr_shrink(op, 0, b);
	if (rc)
		goto free_sf;
	if (empty && !keep_fork) {
		remove_fork(op);
	} else if (!empty) {
		move_fork(ip, forkoff, 0);
		ip->di.di_aformat = XFS_DINODE_FMT_LOCAL;
		memcpy(sf_of(ip), sf, bytes);
		attr_sf_log(op);
	}
free_sf:
	free(sf);
	return rc;
}
