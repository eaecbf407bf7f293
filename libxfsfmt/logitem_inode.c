/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * INODE items: the core in the writer's order, then as much of the data and
 * attribute forks as changed. What a fork region holds follows from one bit
 * of ilf_fields; local data and extents lie there as they do on disk, a btree
 * root in the long form it has in memory.
 */
#include "libxfsfmt/geom.h"
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_inode_log_format, XFS_INODE_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_inode_log_format_32, XFS_INODE_LOG_FORMAT_32_ROWS)

const struct xfs_name xfs_ilog_names[] = {
	{ XFS_ILOG_CORE, "core" },
	{ XFS_ILOG_DDATA, "ddata" },
	{ XFS_ILOG_DEXT, "dext" },
	{ XFS_ILOG_DBROOT, "dbroot" },
	{ XFS_ILOG_DEV, "dev" },
	{ XFS_ILOG_UUID, "uuid" },
	{ XFS_ILOG_ADATA, "adata" },
	{ XFS_ILOG_AEXT, "aext" },
	{ XFS_ILOG_ABROOT, "abroot" },
	{ XFS_ILOG_DOWNER, "downer" },
	{ XFS_ILOG_AOWNER, "aowner" },
	{ XFS_ILOG_TIMESTAMP, "timestamp" },
	{ XFS_ILOG_IVERSION, "iversion" },
	{ .name = NULL },
};

void xfs_ilf_decode(struct xfs_inode_log_format *ilf, const void *raw,
		    size_t len_bytes, enum xfs_order order)
{
	struct xfs_inode_log_format_32 packed;

	if (len_bytes != xfs_inode_log_format_32_size) {
		xfs_inode_log_format_decode(ilf, raw, len_bytes, order);
		return;
	}
	xfs_inode_log_format_32_decode(&packed, raw, len_bytes, order);
	*ilf = (struct xfs_inode_log_format){
		.ilf_type = packed.ilf_type,
		.ilf_size = packed.ilf_size,
		.ilf_fields = packed.ilf_fields,
		.ilf_asize = packed.ilf_asize,
		.ilf_dsize = packed.ilf_dsize,
		.ilf_ino = packed.ilf_ino,
		.ilf_rdev = packed.ilf_rdev,
		.ilf_blkno = packed.ilf_blkno,
		.ilf_len = packed.ilf_len,
		.ilf_boffset = packed.ilf_boffset,
	};
}

static uint32_t fork_bytes(const struct xfs_log_region *r, uint16_t said)
{
	if (!r)
		return 0;
	return said < r->len_bytes ? said : r->len_bytes;
}

const char *xfs_logitem_inode(const struct xfs_logitem_view *v,
			      struct xfs_logitem_inode *inode)
{
	uint32_t bytes = logitem_fmt_bytes(v);
	const struct xfs_log_region *dfork = NULL, *afork = NULL;
	unsigned int next = 2;
	uint32_t fields;

	*inode = (struct xfs_logitem_inode){ .core = NULL };
	if (bytes)
		xfs_ilf_decode(&inode->ilf, v->regions[0].data, bytes,
			       v->order);
	if (bytes != xfs_inode_log_format_size &&
	    bytes != xfs_inode_log_format_32_size)
		return "length is not that of an inode format";
	if (v->nregions < 2)
		return "inode core missing";
	fields = inode->ilf.ilf_fields;
	/* With two regions there are no forks, whatever the bits say. */
	if (v->nregions > 2 && fields & XFS_ILOG_DFORK) {
		dfork = logitem_region(v, next);
		next++;
	}
	if (v->nregions > 2 && fields & XFS_ILOG_AFORK) {
		afork = logitem_region(v, next);
		if (!afork)
			return "attribute fork missing";
		next++;
	}
	if (next < v->nregions)
		return "more regions than forks";
	inode->core = &v->regions[1];
	inode->dfork = dfork;
	inode->afork = afork;
	inode->dfork_bytes = fork_bytes(dfork, inode->ilf.ilf_dsize);
	inode->afork_bytes = fork_bytes(afork, inode->ilf.ilf_asize);
	return NULL;
}

static const char *inode_verify(const struct xfs_logitem_view *v)
{
	struct xfs_logitem_inode in;
	const char *why = xfs_logitem_inode(v, &in);

	if (why)
		return why;
	return xfs_logitem_check_ino(v->geom, in.ilf.ilf_ino);
}

static void inode_walk(const struct xfs_logitem_view *v,
		       const struct xfs_walk *w)
{
	const struct xfs_field *table = xfs_inode_log_format_fields;
	struct xfs_inode_log_format ilf;

	(void)v;
	xfs_ilf_decode(&ilf, w->base, w->len_bytes, w->order);
	if (w->len_bytes == xfs_inode_log_format_32_size)
		table = xfs_inode_log_format_32_fields;
	xfs_walk_fields(w, table, 0, ilf.ilf_fields & XFS_ILOG_DEV ?
			XFS_ILF_HAS_DEV : 0);
}

static void inode_touches(const struct xfs_logitem_view *v,
			  const struct touch_sink *sink)
{
	uint64_t first = 0, count;
	struct xfs_logitem_inode in;

	if (xfs_logitem_inode(v, &in))
		return;
	xfs_touch_inodes(sink, in.ilf.ilf_ino, 1);
	count = in.ilf.ilf_len;
	/* of the cluster only the sectors that are this inode's */
	if (sink->geom) {
		first = in.ilf.ilf_boffset / BB_SIZE;
		count = bb_from_bytes(sink->geom->inodesize);
	}
	if (in.ilf.ilf_blkno <= UINT64_MAX - first)
		xfs_touch_daddr(sink, in.ilf.ilf_blkno + first, count);
}

const struct xfs_logitem_ops xfs_logitem_inode_ops = {
	2, 4, inode_verify, inode_walk, inode_touches,
};
