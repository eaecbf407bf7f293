/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of trees: what their keys are, how records become host values, and
 * where the AGF or AGI has their root. Keys are taken straight from the bytes
 * on disk, since a lookup takes many and needs nothing else of a record.
 */
#include "libxfsfmt/logitem.h"
#include "libxlog/meta/btree_priv.h"

/* Offsets in the rows of libxfsfmt/ag.h. */
enum {
	AGF_BNOROOT = 16, AGF_BNOLEVEL = 28,
	AGF_CNTROOT = 20, AGF_CNTLEVEL = 32,
	AGF_RMAPROOT = 24, AGF_RMAPLEVEL = 36, AGF_RMAP_BLOCKS = 80,
	AGF_REFCROOT = 88, AGF_REFCLEVEL = 92, AGF_REFC_BLOCKS = 84,
	AGI_ROOT = 20, AGI_LEVEL = 24, AGI_IBLOCKS = 336,
	AGI_FREEROOT = 328, AGI_FREELEVEL = 332, AGI_FBLOCKS = 340,
};

enum {
	INODES_PER_CHUNK = 64,
	INODES_PER_HOLEMASK_BIT = 4,
	HOLEMASK_BITS = 16,
};

static bool extent_ok(const struct btree_cur *cur, uint64_t start,
		      uint64_t count)
{
	uint32_t blocks = xfs_ag_blocks(&cur->fs->geom, cur->group->agno);

	return start < blocks && count && count <= blocks - start;
}

/* --- free space --- */

static void alloc_decode(const struct xfs_geom *g, const uint8_t *raw,
			 union btree_rec *rec)
{
	(void)g;
	xfs_alloc_rec_decode(&rec->alloc, raw, xfs_alloc_rec_size, XFS_BE);
}

static void alloc_encode(const struct xfs_geom *g, const union btree_rec *rec,
			 uint8_t *raw)
{
	(void)g;
	xfs_alloc_rec_encode(raw, &rec->alloc, 0, XFS_BE);
}

static const char *alloc_check(const struct btree_cur *cur,
			       const union btree_rec *rec)
{
	return extent_ok(cur, rec->alloc.ar_startblock,
			 rec->alloc.ar_blockcount) ? NULL :
	       "free extent that is not in the group";
}

static struct btree_key bno_key(const uint8_t *raw)
{
	return (struct btree_key){ { get_be32(raw) } };
}

static struct btree_key bno_high(const uint8_t *raw)
{
	return (struct btree_key){ {
		(uint64_t)get_be32(raw) + get_be32(raw + 4) - 1
	} };
}

static struct btree_key cnt_key(const uint8_t *raw)
{
	return (struct btree_key){ { get_be32(raw + 4), get_be32(raw) } };
}

static void alloc_to_key(const uint8_t *rec, uint8_t *key)
{
	memcpy(key, rec, xfs_alloc_rec_size);
}

/* --- inodes --- */

static unsigned int ino_variant(const struct xfs_geom *g)
{
	return g->sparse ? XFS_INOBT_SPARSE : 0;
}

static void ino_decode(const struct xfs_geom *g, const uint8_t *raw,
		       union btree_rec *rec)
{
	xfs_inobt_rec_decode(&rec->ino, raw, xfs_inobt_rec_size, XFS_BE);
	if (g->sparse) {
		rec->ino.ir_freecount &= 0xff;
	} else {
		rec->ino.ir_holemask = 0;
		rec->ino.ir_count = INODES_PER_CHUNK;
	}
}

static void ino_encode(const struct xfs_geom *g, const union btree_rec *rec,
		       uint8_t *raw)
{
	xfs_inobt_rec_encode(raw, &rec->ino, ino_variant(g), XFS_BE);
}

/* The inodes that a chunk has: not those in its holes. */
static uint64_t ino_allocated(uint32_t holemask)
{
	uint64_t mask = 0, group = ((uint64_t)1 << INODES_PER_HOLEMASK_BIT) - 1;

	for (unsigned int i = 0; i < HOLEMASK_BITS; i++)
		if (!(holemask >> i & 1))
			mask |= group << i * INODES_PER_HOLEMASK_BIT;
	return mask;
}

static const char *ino_check(const struct btree_cur *cur,
			     const union btree_rec *rec)
{
	const struct xfs_geom *g = &cur->fs->geom;
	const struct xfs_inobt_rec *r = &rec->ino;
	uint64_t there = ino_allocated(r->ir_holemask);
	uint64_t last = (uint64_t)r->ir_startino + INODES_PER_CHUNK - 1;

	/* a chunk is aligned to its blocks, or starts with one */
	if (r->ir_startino % (g->inopblock < INODES_PER_CHUNK ?
			      g->inopblock : INODES_PER_CHUNK))
		return "inode chunk that begins inside a block";
	if (!(r->ir_startino >> g->inopblog) ||
	    last >> g->inopblog >= xfs_ag_blocks(g, cur->group->agno))
		return "inode chunk that is not in the group";
	if (r->ir_count != (unsigned int)__builtin_popcountll(there))
		return "inode chunk with a wrong number of inodes";
	if (r->ir_freecount !=
	    (unsigned int)__builtin_popcountll(r->ir_free & there))
		return "inode chunk with a wrong number of free inodes";
	return NULL;
}

static struct btree_key ino_key(const uint8_t *raw)
{
	return (struct btree_key){ { get_be32(raw) } };
}

static struct btree_key ino_high(const uint8_t *raw)
{
	return (struct btree_key){ {
		(uint64_t)get_be32(raw) + INODES_PER_CHUNK - 1
	} };
}

static void ino_to_key(const uint8_t *rec, uint8_t *key)
{
	memcpy(key, rec, xfs_inobt_key_size);
}

/* --- owners --- */

enum {
	RMAP_REC_COUNT = 4,
	RMAP_REC_OWNER = 8,
	RMAP_REC_OFFSET = 16,
	/* of a key, and of each half of a pair */
	RMAP_KEY_OWNER = 4,
	RMAP_KEY_OFFSET = 12,
	RMAP_KEY_BYTES = 20,
};

#define RMAP_OFF_BMBT		((uint64_t)1 << 62)
#define RMAP_OFF_UNWRITTEN	((uint64_t)1 << 61)
#define RMAP_OFF_MASK		(((uint64_t)1 << 54) - 1)

static void rmap_decode(const struct xfs_geom *g, const uint8_t *raw,
			union btree_rec *rec)
{
	(void)g;
	xfs_rmap_rec_decode(&rec->rmap, raw, xfs_rmap_rec_size, XFS_BE);
}

static void rmap_encode(const struct xfs_geom *g, const union btree_rec *rec,
			uint8_t *raw)
{
	(void)g;
	memset(raw, 0, xfs_rmap_rec_size);
	xfs_rmap_rec_encode(raw, &rec->rmap, 0, XFS_BE);
}

/* Owners that are no inodes are at the very end of the numbers. */
static bool owner_is_inode(uint64_t owner)
{
	return !(owner >> 63);
}

static const char *rmap_check(const struct btree_cur *cur,
			      const union btree_rec *rec)
{
	const struct xfs_rmap_rec *r = &rec->rmap;
	bool inode = owner_is_inode(r->rm_owner);

	if (!extent_ok(cur, r->rm_startblock, r->rm_blockcount))
		return "reverse mapping of what is not in the group";
	if (inode ? !xfs_geom_ino_ok(&cur->fs->geom, r->rm_owner) :
		    !xfs_name_of(xfs_rmap_owner_names, r->rm_owner))
		return "reverse mapping with an owner that cannot be";
	if (!inode && (r->rm_offset || r->rm_attr_fork || r->rm_bmbt_block ||
		       r->rm_unwritten))
		return "reverse mapping of no file, but with an offset";
	if (inode && r->rm_bmbt_block && (r->rm_offset || r->rm_unwritten))
		return "reverse mapping of a block of a tree, with an offset";
	if (inode && !r->rm_bmbt_block &&
	    r->rm_offset + r->rm_blockcount > RMAP_OFF_MASK + 1)
		return "reverse mapping with an offset out of range";
	if (r->rm_attr_fork && r->rm_unwritten)
		return "reverse mapping of attributes that are not written";
	return NULL;
}

static struct btree_key rmap_key(uint32_t start, uint64_t owner, uint64_t off)
{
	return (struct btree_key){ { start, owner, off & ~RMAP_OFF_UNWRITTEN } };
}

static struct btree_key rmap_rec_low(const uint8_t *raw)
{
	return rmap_key(get_be32(raw), get_be64(raw + RMAP_REC_OWNER),
			get_be64(raw + RMAP_REC_OFFSET));
}

static struct btree_key rmap_rec_high(const uint8_t *raw)
{
	struct btree_key key = rmap_rec_low(raw);
	uint32_t more = get_be32(raw + RMAP_REC_COUNT) - 1;

	key.word[0] = (uint32_t)(key.word[0] + more);
	/* what has no place in a file has offset 0 all over */
	if (owner_is_inode(key.word[1]) && !(key.word[2] & RMAP_OFF_BMBT))
		key.word[2] = (key.word[2] & ~RMAP_OFF_MASK) |
			      ((key.word[2] + more) & RMAP_OFF_MASK);
	return key;
}

static struct btree_key rmap_key_low(const uint8_t *raw)
{
	return rmap_key(get_be32(raw), get_be64(raw + RMAP_KEY_OWNER),
			get_be64(raw + RMAP_KEY_OFFSET));
}

static struct btree_key rmap_key_high(const uint8_t *raw)
{
	return rmap_key_low(raw + RMAP_KEY_BYTES);
}

static void rmap_key_put(uint8_t *raw, struct btree_key key)
{
	put_be32(raw, (uint32_t)key.word[0]);
	put_be64(raw + RMAP_KEY_OWNER, key.word[1]);
	put_be64(raw + RMAP_KEY_OFFSET, key.word[2]);
}

static void rmap_to_key(const uint8_t *rec, uint8_t *key)
{
	rmap_key_put(key, rmap_rec_low(rec));
	rmap_key_put(key + RMAP_KEY_BYTES, rmap_rec_high(rec));
}

/* --- reference counts --- */

#define REFC_COW	((uint32_t)1 << 31)

static void refc_decode(const struct xfs_geom *g, const uint8_t *raw,
			union btree_rec *rec)
{
	(void)g;
	xfs_refcount_rec_decode(&rec->refc, raw, xfs_refcount_rec_size, XFS_BE);
}

static void refc_encode(const struct xfs_geom *g, const union btree_rec *rec,
			uint8_t *raw)
{
	(void)g;
	memset(raw, 0, xfs_refcount_rec_size);
	xfs_refcount_rec_encode(raw, &rec->refc, 0, XFS_BE);
}

static const char *refc_check(const struct btree_cur *cur,
			      const union btree_rec *rec)
{
	const struct xfs_refcount_rec *r = &rec->refc;

	if (!extent_ok(cur, r->rc_startblock, r->rc_blockcount))
		return "reference count of what is not in the group";
	/* one reference is none worth counting, unless it is for CoW */
	if (r->rc_cow ? r->rc_refcount != 1 : r->rc_refcount < 2)
		return "reference count that is none";
	return NULL;
}

static struct btree_key refc_key(const uint8_t *raw)
{
	return (struct btree_key){ { get_be32(raw) } };
}

static struct btree_key refc_high(const uint8_t *raw)
{
	return (struct btree_key){ {
		(uint64_t)get_be32(raw) + get_be32(raw + 4) - 1
	} };
}

static void refc_to_key(const uint8_t *rec, uint8_t *key)
{
	memcpy(key, rec, xfs_refcount_key_size);
}

/* --- extents of files --- */

#define BMBT_OFF_END	((uint64_t)1 << 54)

static void bmbt_decode(const struct xfs_geom *g, const uint8_t *raw,
			union btree_rec *rec)
{
	(void)g;
	xfs_bmbt_rec_decode(&rec->bmbt, raw, xfs_bmbt_rec_size, XFS_BE);
}

static void bmbt_encode(const struct xfs_geom *g, const union btree_rec *rec,
			uint8_t *raw)
{
	(void)g;
	memset(raw, 0, xfs_bmbt_rec_size);
	xfs_bmbt_rec_encode(raw, &rec->bmbt, 0, XFS_BE);
}

/* Where the blocks lie is not looked at: they can be realtime ones. */
static const char *bmbt_check(const struct btree_cur *cur,
			      const union btree_rec *rec)
{
	const struct xfs_bmbt_rec *r = &rec->bmbt;

	if (!r->br_blockcount ||
	    r->br_startoff + r->br_blockcount > BMBT_OFF_END)
		return "extent with an offset or length out of range";
	if (r->br_state && cur->whichfork == XFS_ATTR_FORK)
		return "extent of attributes that is not written";
	return NULL;
}

static struct btree_key bmbt_rec_low(const uint8_t *raw)
{
	return (struct btree_key){ {
		get_be64(raw) >> 9 & (BMBT_OFF_END - 1)
	} };
}

static struct btree_key bmbt_rec_high(const uint8_t *raw)
{
	struct btree_key key = bmbt_rec_low(raw);

	key.word[0] += (get_be64(raw + 8) & ((1 << 21) - 1)) - 1;
	return key;
}

static struct btree_key bmbt_key_low(const uint8_t *raw)
{
	return (struct btree_key){ { get_be64(raw) } };
}

static void bmbt_to_key(const uint8_t *rec, uint8_t *key)
{
	put_be64(key, bmbt_rec_low(rec).word[0]);
}

/* --- all of them --- */

#define ALLOC								\
	.rec_decode = alloc_decode,					\
	.rec_encode = alloc_encode,					\
	.rec_check = alloc_check,					\
	.rec_to_key = alloc_to_key
#define INODES								\
	.in_agi = true,							\
	.rec_decode = ino_decode,					\
	.rec_encode = ino_encode,					\
	.rec_check = ino_check,						\
	.rec_low = ino_key,						\
	.rec_high = ino_high,						\
	.key_low = ino_key,						\
	.rec_to_key = ino_to_key

const struct btree_kind_ops btree_kinds[XFS_BTREE_KINDS] = {
	[XFS_BTREE_BNO] = {
		AGF_BNOROOT, AGF_BNOLEVEL,
		ALLOC,
		.rec_low = bno_key,
		.rec_high = bno_high,
		.key_low = bno_key,
	},
	[XFS_BTREE_CNT] = {
		AGF_CNTROOT, AGF_CNTLEVEL,
		ALLOC,
		.rec_low = cnt_key,
		.rec_high = cnt_key,
		.key_low = cnt_key,
	},
	[XFS_BTREE_INO] = { AGI_ROOT, AGI_LEVEL, AGI_IBLOCKS, INODES },
	[XFS_BTREE_FINO] = {
		AGI_FREEROOT, AGI_FREELEVEL, AGI_FBLOCKS, INODES
	},
	[XFS_BTREE_RMAP] = {
		AGF_RMAPROOT, AGF_RMAPLEVEL, AGF_RMAP_BLOCKS,
		.overlapping = true,
		.rec_decode = rmap_decode,
		.rec_encode = rmap_encode,
		.rec_check = rmap_check,
		.rec_low = rmap_rec_low,
		.rec_high = rmap_rec_high,
		.key_low = rmap_key_low,
		.key_high = rmap_key_high,
		.rec_to_key = rmap_to_key,
	},
	[XFS_BTREE_REFC] = {
		AGF_REFCROOT, AGF_REFCLEVEL, AGF_REFC_BLOCKS,
		.rec_decode = refc_decode,
		.rec_encode = refc_encode,
		.rec_check = refc_check,
		.rec_low = refc_key,
		.rec_high = refc_high,
		.key_low = refc_key,
		.rec_to_key = refc_to_key,
	},
	[XFS_BTREE_BMAP] = {
		.rec_decode = bmbt_decode,
		.rec_encode = bmbt_encode,
		.rec_check = bmbt_check,
		.rec_low = bmbt_rec_low,
		.rec_high = bmbt_rec_high,
		.key_low = bmbt_key_low,
		.rec_to_key = bmbt_to_key,
	},
};

struct btree_key btree_rec_key(const struct btree_cur *cur,
			       const union btree_rec *rec)
{
	const struct btree_kind_ops *ops = &btree_kinds[cur->kind];
	uint8_t raw[BTREE_ELEM_BYTES] = { 0 };

	ops->rec_encode(&cur->fs->geom, rec, raw);
	return ops->rec_low(raw);
}
