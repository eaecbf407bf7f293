/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * INODE items: the core in the writer's order, then as much of the data and
 * attribute forks as changed. What a fork region holds follows from one bit
 * of ilf_fields; local data and extents lie there as they do on disk, a btree
 * root in the long form it has in memory.
 */
#include "libxfsfmt/btree.h"
#include "libxfsfmt/geom.h"
#include "libxfsfmt/inode.h"
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_inode_log_format, XFS_INODE_LOG_FORMAT_ROWS)
XFS_DEFINE_ENCODE(xfs_inode_log_format, XFS_INODE_LOG_FORMAT_ROWS)
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

/* --- what recovery would say --- */

/* An inode on its way to disk: what the parts are judged by. */
struct target {
	const struct xfs_geom *geom;	/* may be NULL */
	struct xfs_dinode di;
	size_t		dfork_bytes;	/* room on disk; with @geom only */
	size_t		afork_bytes;
};

/* The cluster buffer, and the place in it where the inode will be written. */
static const char *check_place(const struct xfs_inode_log_format *ilf,
			       const struct xfs_geom *g)
{
	uint32_t inodesize = g ? g->inodesize : XFS_DINODE_MIN_BYTES;
	uint32_t len_bytes;
	uint64_t byte;

	if (!ilf->ilf_len || ilf->ilf_len > XFS_BUF_LOG_MAX_BYTES / BB_SIZE)
		return "inode cluster of an impossible size";
	len_bytes = ilf->ilf_len * BB_SIZE;
	if (ilf->ilf_boffset > len_bytes ||
	    len_bytes - ilf->ilf_boffset < inodesize)
		return "inode outside its cluster";
	if (!g)
		return NULL;
	byte = xfs_agb_to_daddr(g, xfs_ino_agno(g, ilf->ilf_ino),
				xfs_ino_agbno(g, ilf->ilf_ino)) * BB_SIZE +
	       (uint64_t)xfs_ino_slot(g, ilf->ilf_ino) * inodesize;
	if (byte < ilf->ilf_boffset ||
	    ilf->ilf_blkno != (byte - ilf->ilf_boffset) / BB_SIZE ||
	    byte % BB_SIZE != ilf->ilf_boffset % BB_SIZE)
		return "inode number is not that of its place";
	return NULL;
}

static const char *check_core_bytes(const struct target *t,
				    const struct xfs_log_region *core)
{
	bool v3 = t->di.di_version >= 3;

	if (t->di.di_magic != XFS_DINODE_MAGIC)
		return "bad magic number of a logged inode";
	if (!t->di.di_version || t->di.di_version > 3 ||
	    (t->geom && t->geom->v5 != v3))
		return "version of a logged inode does not fit the filesystem";
	if (core->len_bytes != (v3 ? XFS_LOG_DINODE_V3_BYTES :
				     XFS_LOG_DINODE_V2_BYTES))
		return "length is not that of an inode core";
	return NULL;
}

static const char *check_format(const struct xfs_dinode *di)
{
	bool meta = di->di_format == XFS_DINODE_FMT_META_BTREE &&
		    di->di_version >= 3 &&
		    di->di_flags2 & XFS_DIFLAG2_METADATA;
	bool tree = di->di_format == XFS_DINODE_FMT_EXTENTS ||
		    di->di_format == XFS_DINODE_FMT_BTREE;

	if (xfs_dinode_is(di, XFS_MODE_REG))
		return tree || meta ? NULL : "bad data fork format of a file";
	if (xfs_dinode_is(di, XFS_MODE_DIR))
		return tree || di->di_format == XFS_DINODE_FMT_LOCAL ? NULL :
		       "bad data fork format of a directory";
	return NULL;
}

static const char *check_counters(const struct target *t)
{
	const struct xfs_dinode *di = &t->di;
	unsigned int variant = xfs_dinode_variant(di);
	uint64_t n = xfs_dinode_nextents(di);
	uint32_t an = xfs_dinode_anextents(di);

	if (variant & XFS_DINODE_NREXT64) {
		if (t->geom && !t->geom->nrext64)
			return "large extent counters on a filesystem without";
		if (di->di_nrext64_pad)
			return "padding of large extent counters is not zero";
	} else if (variant & XFS_DINODE_V3 && di->di_v3_pad) {
		return "padding before the times is not zero";
	}
	/* an extent is at least a block long */
	if (n > di->di_nblocks || an > di->di_nblocks - n)
		return "more extents than blocks";
	return NULL;
}

static enum xfs_btree_kind root_kind(const struct xfs_dinode *di, bool attr)
{
	if (attr || di->di_format != XFS_DINODE_FMT_META_BTREE)
		return XFS_BTREE_BMAP;
	return di->di_metatype == XFS_METAFILE_RTREFCOUNT ?
	       XFS_BTREE_RTREFC : XFS_BTREE_RTRMAP;
}

/* A root has to be all there in the log, and to fit into the fork on disk. */
static const char *check_root(const struct target *t, bool attr,
			      const struct xfs_log_region *r,
			      size_t fork_bytes)
{
	enum xfs_btree_kind want = root_kind(&t->di, attr), kind;
	bool v5 = t->di.di_version >= 3, is_v5;
	uint16_t level, numrecs;

	if (r->len_bytes < xfs_btree_hdr_bytes(want, v5))
		return "btree root too short";
	if (!xfs_btree_kind_of(get_be32(r->data), &kind, &is_v5) ||
	    kind != want || is_v5 != v5)
		return "bad magic number of a btree root";
	level = get_be16(r->data + 4);
	numrecs = get_be16(r->data + 6);
	if (level > XFS_BTREE_MAX_LEVELS ||
	    (want == XFS_BTREE_BMAP && (!level || !numrecs)))
		return "btree root of an impossible height";
	if (numrecs > xfs_btree_room(want, v5, !level, r->len_bytes))
		return "btree root with more records than there are";
	if (t->geom && numrecs > xfs_bmdr_room(want, !level, fork_bytes))
		return "btree root too large for its fork";
	return NULL;
}

/* One fork; @fork_fields are its three bits of ilf_fields. */
static const char *check_fork(const struct target *t, uint32_t fork_fields,
			      bool attr, const struct xfs_log_region *r)
{
	size_t fork_bytes = attr ? t->afork_bytes : t->dfork_bytes;

	if (!r)
		return NULL;
	if (fork_fields & (fork_fields - 1))
		return "fork logged in two forms at once";
	if (fork_fields & (XFS_ILOG_DBROOT | XFS_ILOG_ABROOT))
		return check_root(t, attr, r, fork_bytes);
	if (t->geom && r->len_bytes > fork_bytes)
		return attr ? "attribute fork longer than its room" :
			      "data fork longer than its room";
	return NULL;
}

static const char *inode_verify(const struct xfs_logitem_view *v)
{
	struct target t = { .geom = v->geom };
	struct xfs_logitem_inode in;
	const char *why = xfs_logitem_inode(v, &in);

	if (!why)
		why = xfs_logitem_check_ino(v->geom, in.ilf.ilf_ino);
	if (!why)
		why = check_place(&in.ilf, v->geom);
	if (why)
		return why;
	xfs_dinode_decode(&t.di, in.core->data, in.core->len_bytes, v->order);
	why = check_core_bytes(&t, in.core);
	if (!why)
		why = check_format(&t.di);
	if (!why)
		why = check_counters(&t);
	if (why)
		return why;
	if (v->geom) {
		t.dfork_bytes = xfs_dinode_dfork_bytes(&t.di,
						       v->geom->inodesize);
		t.afork_bytes = xfs_dinode_afork_bytes(&t.di,
						       v->geom->inodesize);
		if (t.di.di_forkoff && !t.afork_bytes)
			return "attribute fork begins outside the inode";
	}
	why = check_fork(&t, in.ilf.ilf_fields & XFS_ILOG_DFORK, false,
			 in.dfork);
	return why ? why : check_fork(&t, in.ilf.ilf_fields & XFS_ILOG_AFORK,
				      true, in.afork);
}

/* --- walk and touch --- */

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
