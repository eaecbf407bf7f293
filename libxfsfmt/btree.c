/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * B+tree blocks: the table of kinds, the verifiers and the walks. A block, a
 * root in an inode and a root in the log differ in their header and in the
 * room that sets where pointers begin; "struct body" is what is left of them.
 */
#include "libxfsfmt/btree.h"

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/geom.h"
#include "libxfsfmt/logitem_fmt.h"

XFS_DEFINE(xfs_btree_short, XFS_BTREE_SHORT_ROWS)
XFS_DEFINE_ENCODE(xfs_btree_short, XFS_BTREE_SHORT_ROWS)
XFS_DEFINE(xfs_btree_long, XFS_BTREE_LONG_ROWS)
XFS_DEFINE_ENCODE(xfs_btree_long, XFS_BTREE_LONG_ROWS)
XFS_DEFINE(xfs_bmdr_block, XFS_BMDR_ROWS)
XFS_DEFINE(xfs_alloc_rec, XFS_ALLOC_REC_ROWS)
XFS_DEFINE_ENCODE(xfs_alloc_rec, XFS_ALLOC_REC_ROWS)
XFS_DEFINE(xfs_inobt_rec, XFS_INOBT_REC_ROWS)
XFS_DEFINE_ENCODE(xfs_inobt_rec, XFS_INOBT_REC_ROWS)
XFS_DEFINE(xfs_inobt_key, XFS_INOBT_KEY_ROWS)
XFS_DEFINE(xfs_rmap_rec, XFS_RMAP_REC_ROWS)
XFS_DEFINE_ENCODE(xfs_rmap_rec, XFS_RMAP_REC_ROWS)
XFS_DEFINE(xfs_rmap_key, XFS_RMAP_KEY_ROWS)
XFS_DEFINE(xfs_refcount_rec, XFS_REFCOUNT_REC_ROWS)
XFS_DEFINE_ENCODE(xfs_refcount_rec, XFS_REFCOUNT_REC_ROWS)
XFS_DEFINE(xfs_refcount_key, XFS_REFCOUNT_KEY_ROWS)
XFS_DEFINE(xfs_bmbt_rec, XFS_BMBT_REC_ROWS)
XFS_DEFINE_ENCODE(xfs_bmbt_rec, XFS_BMBT_REC_ROWS)
XFS_DEFINE(xfs_bmbt_key, XFS_BMBT_KEY_ROWS)

enum {
	LEVEL_OFF = 4,		/* in a header of either shape */
	NUMRECS_OFF = 6,
	RMAP_REC_OWNER_OFF = 8,
	RMAP_KEY_OWNER_OFF = 4,
	RMAP_KEY_OWNER_HI_OFF = 24,
};

/* --- the kinds --- */

static bool special_owner(const uint8_t *p)
{
	return xfs_name_of(xfs_rmap_owner_names, get_be64(p)) != NULL;
}

static unsigned int inobt_rec_variant(const uint8_t *p,
				      const struct xfs_geom *geom)
{
	(void)p;
	return geom && geom->sparse ? XFS_INOBT_SPARSE : 0;
}

static unsigned int rmap_rec_variant(const uint8_t *p,
				     const struct xfs_geom *geom)
{
	(void)geom;
	return p && special_owner(p + RMAP_REC_OWNER_OFF) ?
	       XFS_RMAP_SPECIAL_OWNER : 0;
}

static unsigned int rmap_key_variant(const uint8_t *p)
{
	unsigned int variant = 0;

	if (!p)
		return 0;
	if (special_owner(p + RMAP_KEY_OWNER_OFF))
		variant |= XFS_RMAP_SPECIAL_OWNER;
	if (special_owner(p + RMAP_KEY_OWNER_HI_OFF))
		variant |= XFS_RMAP_SPECIAL_OWNER_HI;
	return variant;
}

#define ALLOC								\
	.rec_bytes = xfs_alloc_rec_size,				\
	.key_bytes = xfs_alloc_rec_size,				\
	.rec_fields = xfs_alloc_rec_fields,				\
	.key_fields = xfs_alloc_rec_fields
#define INODES								\
	.rec_bytes = xfs_inobt_rec_size,				\
	.key_bytes = xfs_inobt_key_size,				\
	.rec_fields = xfs_inobt_rec_fields,				\
	.key_fields = xfs_inobt_key_fields,				\
	.rec_variant = inobt_rec_variant
#define RMAP								\
	.rec_bytes = xfs_rmap_rec_size,					\
	.key_bytes = xfs_rmap_key_size,					\
	.root_key_bytes = xfs_rmap_key_size,				\
	.rec_fields = xfs_rmap_rec_fields,				\
	.key_fields = xfs_rmap_key_fields,				\
	.rec_variant = rmap_rec_variant,				\
	.key_variant = rmap_key_variant
#define REFCOUNT							\
	.rec_bytes = xfs_refcount_rec_size,				\
	.key_bytes = xfs_refcount_key_size,				\
	.rec_fields = xfs_refcount_rec_fields,				\
	.key_fields = xfs_refcount_key_fields

const struct xfs_btree_ops xfs_btree_ops[XFS_BTREE_KINDS] = {
	[XFS_BTREE_BNO] = {
		"bnobt", XFS_ABTB_MAGIC, XFS_ABTB_CRC_MAGIC, ALLOC,
	},
	[XFS_BTREE_CNT] = {
		"cntbt", XFS_ABTC_MAGIC, XFS_ABTC_CRC_MAGIC, ALLOC,
	},
	[XFS_BTREE_INO] = {
		"inobt", XFS_IBT_MAGIC, XFS_IBT_CRC_MAGIC, INODES,
	},
	[XFS_BTREE_FINO] = {
		"finobt", XFS_FIBT_MAGIC, XFS_FIBT_CRC_MAGIC, INODES,
	},
	[XFS_BTREE_RMAP] = {
		"rmapbt", 0, XFS_RMAP_CRC_MAGIC, RMAP,
	},
	[XFS_BTREE_REFC] = {
		"refcountbt", 0, XFS_REFC_CRC_MAGIC, REFCOUNT,
	},
	[XFS_BTREE_BMAP] = {
		"bmbt", XFS_BMAP_MAGIC, XFS_BMAP_CRC_MAGIC, true,
		.rec_bytes = xfs_bmbt_rec_size,
		.key_bytes = xfs_bmbt_key_size,
		.root_key_bytes = xfs_bmbt_key_size,
		.rec_fields = xfs_bmbt_rec_fields,
		.key_fields = xfs_bmbt_key_fields,
	},
	[XFS_BTREE_RTRMAP] = {
		"rtrmapbt", 0, XFS_RTRMAP_CRC_MAGIC, true, RMAP,
	},
	[XFS_BTREE_RTREFC] = {
		"rtrefcountbt", 0, XFS_RTREFC_CRC_MAGIC, true, REFCOUNT,
		/* a root on disk has room for keys in pairs, but none */
		.root_key_bytes = 2 * xfs_refcount_key_size,
	},
};

static const struct xfs_field ptr_short_fields[] = {
	XFS_TABLE_F(be32, ptr, 0, AGBLOCK)
	{ .name = NULL },
};

static const struct xfs_field ptr_long_fields[] = {
	XFS_TABLE_F(be64, ptr, 0, FSBLOCK)
	{ .name = NULL },
};

const char *xfs_btree_name(enum xfs_btree_kind kind)
{
	return xfs_btree_ops[kind].name;
}

bool xfs_btree_kind_of(uint32_t magic, enum xfs_btree_kind *kind, bool *v5)
{
	for (unsigned int k = 0; magic && k < XFS_BTREE_KINDS; k++) {
		const struct xfs_btree_ops *ops = &xfs_btree_ops[k];

		if (magic == ops->magic || magic == ops->crc_magic) {
			*kind = (enum xfs_btree_kind)k;
			*v5 = magic == ops->crc_magic;
			return true;
		}
	}
	return false;
}

static size_t room(size_t len_bytes, size_t hdr_bytes, size_t elem_bytes)
{
	return len_bytes < hdr_bytes ? 0 : (len_bytes - hdr_bytes) / elem_bytes;
}

size_t xfs_btree_room(enum xfs_btree_kind kind, bool v5, bool leaf,
		      size_t len_bytes)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];

	return room(len_bytes, xfs_btree_hdr_bytes(kind, v5),
		    leaf ? ops->rec_bytes :
			   ops->key_bytes + xfs_btree_ptr_bytes(kind));
}

size_t xfs_bmdr_room(enum xfs_btree_kind kind, bool leaf, size_t fork_bytes)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];

	return room(fork_bytes, XFS_BMDR_BYTES,
		    leaf ? ops->rec_bytes :
			   ops->root_key_bytes + xfs_btree_ptr_bytes(kind));
}

/* --- verification --- */

/* What the two shapes of header have in common, and the siblings as one. */
struct header {
	uint32_t	magic;
	uint16_t	level, numrecs;
	uint64_t	blkno, owner;
	uint8_t		uuid[16];
	uint64_t	siblings[2];
	size_t		crc_off;
};

static void short_header(struct header *h, const void *raw, size_t len_bytes)
{
	struct xfs_btree_short s;

	xfs_btree_short_decode(&s, raw, len_bytes, XFS_BE);
	*h = (struct header){
		.magic = s.bb_magic, .level = s.bb_level,
		.numrecs = s.bb_numrecs, .blkno = s.bb_blkno,
		.owner = s.bb_owner,
		.siblings = { s.bb_leftsib, s.bb_rightsib },
		.crc_off = XFS_BTREE_SHORT_CRC_OFF,
	};
	memcpy(h->uuid, s.bb_uuid, sizeof(h->uuid));
}

static void long_header(struct header *h, const void *raw, size_t len_bytes)
{
	struct xfs_btree_long l;

	xfs_btree_long_decode(&l, raw, len_bytes, XFS_BE);
	*h = (struct header){
		.magic = l.bb_magic, .level = l.bb_level,
		.numrecs = l.bb_numrecs, .blkno = l.bb_blkno,
		.owner = l.bb_owner,
		.siblings = { l.bb_leftsib, l.bb_rightsib },
		.crc_off = XFS_BTREE_LONG_CRC_OFF,
	};
	memcpy(h->uuid, l.bb_uuid, sizeof(h->uuid));
}

static bool sibling_ok(uint64_t sibling, bool is_long,
		       const struct xfs_geom *geom, xfs_daddr_t daddr)
{
	xfs_agnumber_t agno = xfs_daddr_agno(geom, daddr);

	if (is_long)
		return sibling == XFS_NULL_FSBLOCK ||
		       (xfs_fsb_ok(geom, sibling, 1) &&
			xfs_fsb_to_daddr(geom, sibling) != daddr);
	return sibling == XFS_NULL_AGBLOCK ||
	       (sibling < xfs_ag_blocks(geom, agno) &&
		sibling != xfs_daddr_agbno(geom, daddr));
}

static const char *verify_counts(uint16_t level, uint16_t numrecs, size_t max)
{
	if (level >= XFS_BTREE_MAX_LEVELS)
		return "level of a btree block out of range";
	if (numrecs > max)
		return "btree block with more records than it has room for";
	if (level && !numrecs)
		return "btree node without keys";
	return NULL;
}

static const char *verify_v5(const struct header *h, const void *raw,
			     size_t len_bytes, bool is_long,
			     const struct xfs_geom *geom, xfs_daddr_t daddr)
{
	if (!xfs_crc_ok(raw, len_bytes, h->crc_off))
		return "wrong checksum of a btree block";
	if (memcmp(h->uuid, geom->meta_uuid, sizeof(h->uuid)))
		return "btree block of another filesystem";
	if (h->blkno != daddr)
		return "btree block of another place";
	if (!is_long && h->owner != xfs_daddr_agno(geom, daddr))
		return "btree block of another allocation group";
	return NULL;
}

const char *xfs_btree_verify(const void *raw, size_t len_bytes,
			     enum xfs_btree_kind kind,
			     const struct xfs_geom *geom, xfs_daddr_t daddr)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];
	uint32_t magic = geom->v5 ? ops->crc_magic : ops->magic;
	const char *why = NULL;
	struct header h;

	if (len_bytes != geom->blocksize)
		return "btree block of a wrong size";
	if (ops->is_long)
		long_header(&h, raw, len_bytes);
	else
		short_header(&h, raw, len_bytes);
	if (!magic || h.magic != magic)
		return "bad magic number of a btree block";
	if (geom->v5)
		why = verify_v5(&h, raw, len_bytes, ops->is_long, geom, daddr);
	if (!why)
		why = verify_counts(h.level, h.numrecs,
				    xfs_btree_room(kind, geom->v5, !h.level,
						   len_bytes));
	for (unsigned int i = 0; !why && i < 2; i++)
		if (!sibling_ok(h.siblings[i], ops->is_long, geom, daddr))
			why = "sibling of a btree block out of range";
	return why;
}

const char *xfs_bmdr_verify(const void *raw, enum xfs_btree_kind kind,
			    size_t fork_bytes)
{
	struct xfs_bmdr_block b;

	if (fork_bytes < XFS_BMDR_BYTES)
		return "fork too small for the root of a btree";
	xfs_bmdr_block_decode(&b, raw, fork_bytes, XFS_BE);
	/* extents that fit in the fork are a list, never the leaf of a tree */
	if (kind == XFS_BTREE_BMAP && !b.bb_level)
		return "root of an extent btree without levels";
	return verify_counts(b.bb_level, b.bb_numrecs,
			     xfs_bmdr_room(kind, !b.bb_level, fork_bytes));
}

bool xfs_bmdr_resize(void *raw, enum xfs_btree_kind kind, size_t from_bytes,
		     size_t to_bytes)
{
	size_t key_bytes = xfs_btree_ops[kind].key_bytes;
	uint8_t *keys = (uint8_t *)raw + XFS_BMDR_BYTES;
	size_t from, to;
	struct xfs_bmdr_block b;

	xfs_bmdr_block_decode(&b, raw, XFS_BMDR_BYTES, XFS_BE);
	from = xfs_bmdr_room(kind, !b.bb_level, from_bytes);
	to = xfs_bmdr_room(kind, !b.bb_level, to_bytes);
	if (b.bb_numrecs > to)
		return false;
	if (b.bb_level)
		memmove(keys + to * key_bytes, keys + from * key_bytes,
			b.bb_numrecs * xfs_btree_ptr_bytes(kind));
	return true;
}

/* --- walks --- */

/* What follows a header. */
struct body {
	enum xfs_btree_kind kind;
	bool		leaf;
	size_t		off_bytes;	/* of the first record or key */
	size_t		ptrs_off;	/* of the first pointer of a node */
	size_t		count;		/* elements there are, all of them fit */
};

static void elem_walk(const struct xfs_walk *w, const struct body *b, size_t i)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[b->kind];
	size_t bytes = b->leaf ? ops->rec_bytes : ops->key_bytes;
	size_t off = b->off_bytes + i * bytes;
	const uint8_t *p = xfs_walk_has(w, off, bytes) ? w->base + off : NULL;
	unsigned int variant = 0;

	if (b->leaf && ops->rec_variant)
		variant = ops->rec_variant(p, w->geom);
	else if (!b->leaf && ops->key_variant)
		variant = ops->key_variant(p);
	xfs_walk_group(w, b->leaf ? "recs" : "keys", (long)i + 1,
		       b->leaf ? ops->rec_fields : ops->key_fields, off,
		       variant);
}

static void body_walk(const struct xfs_walk *w, const struct body *b)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[b->kind];

	if (w->heads_only)
		return;
	for (size_t i = 0; i < b->count; i++)
		elem_walk(w, b, i);
	for (size_t i = 0; !b->leaf && i < b->count; i++)
		xfs_walk_group(w, "ptrs", (long)i + 1,
			       ops->is_long ? ptr_long_fields :
					      ptr_short_fields,
			       b->ptrs_off + i * xfs_btree_ptr_bytes(b->kind),
			       0);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* A block, or a root in memory: @len_bytes of either set the room. */
static void block_walk(const struct xfs_walk *w, enum xfs_btree_kind kind,
		       bool v5)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];
	struct body b = {
		.kind = kind,
		.off_bytes = xfs_btree_hdr_bytes(kind, v5),
	};
	size_t max;

	xfs_walk_group(w, "hdr", -1,
		       ops->is_long ? xfs_btree_long_fields :
				      xfs_btree_short_fields, 0,
		       v5 ? XFS_BTREE_V5 : 0);
	if (!xfs_walk_has(w, 0, NUMRECS_OFF + 2))
		return;
	b.leaf = !get_be16(w->base + LEVEL_OFF);
	max = xfs_btree_room(kind, v5, b.leaf, w->len_bytes);
	b.ptrs_off = b.off_bytes + max * ops->key_bytes;
	b.count = least(max, get_be16(w->base + NUMRECS_OFF));
	body_walk(w, &b);
}

void xfs_btree_walk(const struct xfs_walk *w, enum xfs_btree_kind kind)
{
	enum xfs_btree_kind found;
	bool v5 = !w->geom || w->geom->v5;

	/* the block knows better than the filesystem, if it is there */
	if (xfs_walk_has(w, 0, 4))
		xfs_btree_kind_of(get_be32(w->base), &found, &v5);
	block_walk(w, kind, v5);
}

void xfs_broot_walk(const struct xfs_walk *w, enum xfs_btree_kind kind,
		    bool v5)
{
	block_walk(w, kind, v5);
}

void xfs_iroot_walk(const struct xfs_walk *w, enum xfs_btree_kind kind,
		    size_t off_bytes, size_t len_bytes)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];
	struct body b = {
		.kind = kind,
		.off_bytes = off_bytes + XFS_BMDR_BYTES,
	};
	size_t max;

	if (len_bytes < XFS_BMDR_BYTES ||
	    !xfs_walk_has(w, off_bytes, XFS_BMDR_BYTES))
		return;
	xfs_walk_fields(w, xfs_bmdr_block_fields, off_bytes, 0);
	b.leaf = !get_be16(w->base + off_bytes);
	max = xfs_bmdr_room(kind, b.leaf, len_bytes);
	b.ptrs_off = b.off_bytes + max * ops->key_bytes;
	b.count = least(max, get_be16(w->base + off_bytes + 2));
	body_walk(w, &b);
}

void xfs_bmdr_walk(const struct xfs_walk *w, size_t off_bytes,
		   size_t len_bytes)
{
	xfs_iroot_walk(w, XFS_BTREE_BMAP, off_bytes, len_bytes);
}
