/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of block kinds, and the verifiers of the kinds as the table wants
 * them. A kind of which version 5 made another has a row for each version.
 */
#include "libxfsfmt/block_priv.h"

#include "libxfsfmt/ag.h"
#include "libxfsfmt/attr.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/dirleaf.h"
#include "libxfsfmt/dquot.h"
#include "libxfsfmt/inode.h"
#include "libxfsfmt/logitem_fmt.h"
#include "libxfsfmt/rt.h"
#include "libxfsfmt/symlink.h"

/* --- verifiers --- */

static const char *verify_sb(const uint8_t *raw, size_t len_bytes,
			     const struct xfs_geom *geom, xfs_daddr_t daddr)
{
	struct xfs_sb sb;

	(void)geom;
	(void)daddr;
	xfs_sb_decode(&sb, raw, len_bytes, XFS_BE);
	return xfs_sb_verify(&sb, raw, len_bytes);
}

#define VERIFY_AG(what)							\
static const char *verify_##what(const uint8_t *raw, size_t len_bytes,	\
				 const struct xfs_geom *geom,		\
				 xfs_daddr_t daddr)			\
{									\
	return xfs_##what##_verify(raw, len_bytes, geom,		\
				   xfs_daddr_agno(geom, daddr));	\
}
VERIFY_AG(agf)
VERIFY_AG(agi)
VERIFY_AG(agfl)

/* The magic is one of them: the row was found by it. */
static const char *verify_btree(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom, xfs_daddr_t daddr)
{
	enum xfs_btree_kind kind;
	bool v5;

	if (len_bytes < 4 || !xfs_btree_kind_of(get_be32(raw), &kind, &v5))
		return "bad magic number of a btree block";
	return xfs_btree_verify(raw, len_bytes, kind, geom, daddr);
}

static const char *verify_inodes(const uint8_t *raw, size_t len_bytes,
				 const struct xfs_geom *geom,
				 xfs_daddr_t daddr)
{
	xfs_agnumber_t agno = xfs_daddr_agno(geom, daddr);

	for (size_t off = 0; off + geom->inodesize <= len_bytes;
	     off += geom->inodesize) {
		const char *why = xfs_dinode_slot_verify(raw + off, geom,
							 agno);

		if (why)
			return why;
	}
	return NULL;
}

static const char *verify_dquots(const uint8_t *raw, size_t len_bytes,
				 const struct xfs_geom *geom,
				 xfs_daddr_t daddr)
{
	(void)daddr;
	return xfs_dquot_block_verify(raw, len_bytes, geom);
}

/* Of kinds without a header there is nothing to check. */
static const char *verify_nothing(const uint8_t *raw, size_t len_bytes,
				  const struct xfs_geom *geom,
				  xfs_daddr_t daddr)
{
	(void)raw;
	(void)len_bytes;
	(void)geom;
	(void)daddr;
	return NULL;
}

static const char *verify_rtbuf(const uint8_t *raw, size_t len_bytes,
				const struct xfs_geom *geom, xfs_daddr_t daddr)
{
	return xfs_rtbuf_verify(raw, len_bytes, geom, daddr);
}

static const char *verify_rtsb(const uint8_t *raw, size_t len_bytes,
			       const struct xfs_geom *geom, xfs_daddr_t daddr)
{
	(void)daddr;
	return xfs_rtsb_verify(raw, len_bytes, geom);
}

/* These look at the inside only; xfs_block_verify() does the rest. */
#define VERIFY_INSIDE(fn)						\
static const char *fn##_inside(const uint8_t *raw, size_t len_bytes,	\
			       const struct xfs_geom *geom,		\
			       xfs_daddr_t daddr)			\
{									\
	(void)daddr;							\
	return fn(raw, len_bytes, geom);				\
}
VERIFY_INSIDE(xfs_dir_data_verify)
VERIFY_INSIDE(xfs_dir_leaf_verify)
VERIFY_INSIDE(xfs_dir_free_verify)
VERIFY_INSIDE(xfs_da_node_verify)
VERIFY_INSIDE(xfs_attr_leaf_verify)
VERIFY_INSIDE(xfs_attr_rmt_verify)
VERIFY_INSIDE(xfs_symlink_verify)

/* --- walks that take more than the block --- */

static void nothing_walk(const struct xfs_walk *w)
{
	(void)w;
}

static void inodes_walk(const struct xfs_walk *w)
{
	xfs_block_inodes_walk(w, false);
}

static void unlinked_walk(const struct xfs_walk *w)
{
	xfs_block_inodes_walk(w, true);
}

#define BTREE_WALK(kind)						\
static void walk_##kind(const struct xfs_walk *w)			\
{									\
	xfs_btree_walk(w, XFS_BTREE_##kind);				\
}
BTREE_WALK(BNO)
BTREE_WALK(CNT)
BTREE_WALK(INO)
BTREE_WALK(FINO)
BTREE_WALK(RMAP)
BTREE_WALK(REFC)
BTREE_WALK(BMAP)
BTREE_WALK(RTRMAP)
BTREE_WALK(RTREFC)

/* --- the rows --- */

#define MAGIC32(m)	.magic_off = 0, .magic_bytes = 4, .magic = (m)
#define MAGIC16(m)	.magic_off = 0, .magic_bytes = 2, .magic = (m)
#define DA_MAGIC(m)	.magic_off = XFS_DA_MAGIC_OFF, .magic_bytes = 2, \
			.magic = (m)
#define V4		.version = XFS_BLOCK_V4
#define V5		.version = XFS_BLOCK_V5
#define BOTH		.version = XFS_BLOCK_BOTH
#define NO_BTREE	.btree = -1
#define WHOLE		.whole = true

#define SHORT_BTREE(nm, kind, m4, m5)					\
	{ .name = nm, .blft = XFS_BLFT_BTREE, MAGIC32(m4), V4,		\
	  .btree = XFS_BTREE_##kind, .walk = walk_##kind,		\
	  .verify = verify_btree, WHOLE },					\
	SHORT_BTREE5(nm, kind, m5)
#define SHORT_BTREE5(nm, kind, m5)					\
	{ .name = nm, .blft = XFS_BLFT_BTREE, MAGIC32(m5), V5,		\
	  .blkno_off = 16, .lsn_off = 24, .uuid_off = 32,		\
	  .owner_off = 48, .owner_bytes = 4, .crc_off = 52,		\
	  .btree = XFS_BTREE_##kind, .walk = walk_##kind,		\
	  .verify = verify_btree, WHOLE }
#define LONG_BTREE5(nm, kind, m5)					\
	{ .name = nm, .blft = XFS_BLFT_BTREE, MAGIC32(m5), V5,		\
	  .blkno_off = 24, .lsn_off = 32, .uuid_off = 40,		\
	  .owner_off = 56, .owner_bytes = 8, .crc_off = 64,		\
	  .btree = XFS_BTREE_##kind, .walk = walk_##kind,		\
	  .verify = verify_btree, WHOLE }

#define DIR3_OFFS							\
	.crc_off = XFS_DIR3_CRC_OFF, .blkno_off = XFS_DIR3_BLKNO_OFF,	\
	.lsn_off = XFS_DIR3_LSN_OFF, .uuid_off = XFS_DIR3_UUID_OFF,	\
	.owner_off = XFS_DIR3_OWNER_OFF, .owner_bytes = 8
#define DA3_OFFS							\
	.crc_off = XFS_DA3_CRC_OFF, .blkno_off = XFS_DA3_BLKNO_OFF,	\
	.lsn_off = XFS_DA3_LSN_OFF, .uuid_off = XFS_DA3_UUID_OFF,	\
	.owner_off = XFS_DA3_OWNER_OFF, .owner_bytes = 8
#define RMT_OFFS							\
	.crc_off = 12, .uuid_off = 16, .owner_off = 32, .owner_bytes = 8, \
	.blkno_off = 40, .lsn_off = 48

#define DIR_BLOCK(nm, t, m4, m5, w, v)					\
	{ .name = nm, .blft = t, MAGIC32(m4), V4, NO_BTREE, .walk = w,	\
	  .verify = v##_inside },					\
	{ .name = nm, .blft = t, MAGIC32(m5), V5, DIR3_OFFS, NO_BTREE,	\
	  .walk = w, .verify = v##_inside }
#define DA_BLOCK(nm, t, m4, m5, w, v)					\
	{ .name = nm, .blft = t, DA_MAGIC(m4), V4, NO_BTREE, .walk = w,	\
	  .verify = v##_inside },					\
	{ .name = nm, .blft = t, DA_MAGIC(m5), V5, DA3_OFFS, NO_BTREE,	\
	  .walk = w, .verify = v##_inside }
#define RT_BLOCK(nm, t, m)						\
	{ .name = nm, .blft = t, MAGIC32(m), V5, NO_BTREE,		\
	  .crc_off = 4, .owner_off = 8, .owner_bytes = 8,		\
	  .blkno_off = 16, .lsn_off = 24, .uuid_off = 32,		\
	  .walk = xfs_rtbuf_walk, .verify = verify_rtbuf, WHOLE },		\
	{ .name = nm, .blft = t, BOTH, NO_BTREE,			\
	  .walk = xfs_rtbuf_walk, .verify = verify_nothing }

const struct xfs_block_type xfs_block_types[] = {
	{ .name = "sb", .blft = XFS_BLFT_SB, MAGIC32(XFS_SB_MAGIC), BOTH,
	  .lsn_off = XFS_SB_LSN_OFF, .crc_off = XFS_SB_CRC_OFF, NO_BTREE,
	  .walk = xfs_sb_walk, .verify = verify_sb, WHOLE },
	{ .name = "agf", .blft = XFS_BLFT_AGF, MAGIC32(XFS_AGF_MAGIC), BOTH,
	  .uuid_off = 64, .lsn_off = 208,
	  .crc_off = XFS_AGF_CRC_OFF, NO_BTREE,
	  .walk = xfs_agf_walk, .verify = verify_agf, WHOLE },
	{ .name = "agi", .blft = XFS_BLFT_AGI, MAGIC32(XFS_AGI_MAGIC), BOTH,
	  .uuid_off = 296, .lsn_off = 320,
	  .crc_off = XFS_AGI_CRC_OFF, NO_BTREE,
	  .walk = xfs_agi_walk, .verify = verify_agi, WHOLE },
	{ .name = "agfl", .blft = XFS_BLFT_AGFL, MAGIC32(XFS_AGFL_MAGIC), V5,
	  .uuid_off = 8, .lsn_off = 24,
	  .crc_off = XFS_AGFL_CRC_OFF, NO_BTREE,
	  .walk = xfs_agfl_walk, .verify = verify_agfl, WHOLE },
	{ .name = "agfl", .blft = XFS_BLFT_AGFL, V4, NO_BTREE,
	  .walk = xfs_agfl_walk, .verify = verify_agfl, WHOLE },

	SHORT_BTREE("bnobt", BNO, XFS_ABTB_MAGIC, XFS_ABTB_CRC_MAGIC),
	SHORT_BTREE("cntbt", CNT, XFS_ABTC_MAGIC, XFS_ABTC_CRC_MAGIC),
	SHORT_BTREE("inobt", INO, XFS_IBT_MAGIC, XFS_IBT_CRC_MAGIC),
	SHORT_BTREE("finobt", FINO, XFS_FIBT_MAGIC, XFS_FIBT_CRC_MAGIC),
	SHORT_BTREE5("rmapbt", RMAP, XFS_RMAP_CRC_MAGIC),
	SHORT_BTREE5("refcountbt", REFC, XFS_REFC_CRC_MAGIC),
	{ .name = "bmbt", .blft = XFS_BLFT_BTREE, MAGIC32(XFS_BMAP_MAGIC), V4,
	  .btree = XFS_BTREE_BMAP, .walk = walk_BMAP,
	  .verify = verify_btree, WHOLE },
	LONG_BTREE5("bmbt", BMAP, XFS_BMAP_CRC_MAGIC),
	LONG_BTREE5("rtrmapbt", RTRMAP, XFS_RTRMAP_CRC_MAGIC),
	LONG_BTREE5("rtrefcountbt", RTREFC, XFS_RTREFC_CRC_MAGIC),

	DIR_BLOCK("dir_block", XFS_BLFT_DIR_BLOCK, XFS_DIR2_BLOCK_MAGIC,
		  XFS_DIR3_BLOCK_MAGIC, xfs_dir_block_walk,
		  xfs_dir_data_verify),
	DIR_BLOCK("dir_data", XFS_BLFT_DIR_DATA, XFS_DIR2_DATA_MAGIC,
		  XFS_DIR3_DATA_MAGIC, xfs_dir_data_walk,
		  xfs_dir_data_verify),
	DIR_BLOCK("dir_free", XFS_BLFT_DIR_FREE, XFS_DIR2_FREE_MAGIC,
		  XFS_DIR3_FREE_MAGIC, xfs_dir_free_walk,
		  xfs_dir_free_verify),
	DA_BLOCK("dir_leaf1", XFS_BLFT_DIR_LEAF1, XFS_DIR2_LEAF1_MAGIC,
		 XFS_DIR3_LEAF1_MAGIC, xfs_dir_leaf1_walk,
		 xfs_dir_leaf_verify),
	DA_BLOCK("dir_leafn", XFS_BLFT_DIR_LEAFN, XFS_DIR2_LEAFN_MAGIC,
		 XFS_DIR3_LEAFN_MAGIC, xfs_dir_leafn_walk,
		 xfs_dir_leaf_verify),
	DA_BLOCK("da_node", XFS_BLFT_DA_NODE, XFS_DA_NODE_MAGIC,
		 XFS_DA3_NODE_MAGIC, xfs_da_node_walk, xfs_da_node_verify),
	DA_BLOCK("attr_leaf", XFS_BLFT_ATTR_LEAF, XFS_ATTR_LEAF_MAGIC,
		 XFS_ATTR3_LEAF_MAGIC, xfs_attr_leaf_walk,
		 xfs_attr_leaf_verify),
	{ .name = "attr_rmt", .blft = XFS_BLFT_ATTR_RMT,
	  MAGIC32(XFS_ATTR3_RMT_MAGIC), V5, RMT_OFFS, NO_BTREE,
	  .walk = xfs_attr_rmt_walk, .verify = xfs_attr_rmt_verify_inside },
	{ .name = "attr_rmt", .blft = XFS_BLFT_ATTR_RMT, V4, NO_BTREE,
	  .walk = xfs_attr_rmt_walk, .verify = verify_nothing },
	{ .name = "symlink", .blft = XFS_BLFT_SYMLINK,
	  MAGIC32(XFS_SYMLINK_MAGIC), V5, RMT_OFFS, NO_BTREE,
	  .walk = xfs_symlink_walk, .verify = xfs_symlink_verify_inside },
	{ .name = "symlink", .blft = XFS_BLFT_SYMLINK, V4, NO_BTREE,
	  .walk = xfs_symlink_walk, .verify = verify_nothing },

	{ .name = "inode", .blft = XFS_BLFT_DINO,
	  MAGIC16(XFS_DINODE_MAGIC), BOTH, NO_BTREE,
	  .walk = inodes_walk, .verify = verify_inodes },
	{ .name = "dquot", .blft = XFS_BLFT_UDQUOT,
	  MAGIC16(XFS_DQUOT_MAGIC), BOTH, NO_BTREE,
	  .walk = xfs_dquot_block_walk, .verify = verify_dquots },
	RT_BLOCK("rtbitmap", XFS_BLFT_RTBITMAP, XFS_RTBITMAP_MAGIC),
	RT_BLOCK("rtsummary", XFS_BLFT_RTSUMMARY, XFS_RTSUMMARY_MAGIC),
	{ .name = "rtsb", .blft = XFS_BLFT_UNKNOWN, MAGIC32(XFS_RTSB_MAGIC),
	  V5, .crc_off = XFS_RTSB_CRC_OFF, NO_BTREE, .walk = xfs_rtsb_walk,
	  .verify = verify_rtsb, WHOLE },
	{ .name = NULL }
};

/* A btree block of which the chunk that says more is not there. */
const struct xfs_block_type xfs_block_some_btree = {
	.name = "btree", .blft = XFS_BLFT_BTREE, BOTH, NO_BTREE,
	.walk = nothing_walk, .verify = verify_nothing,
};

const struct xfs_block_type xfs_block_unlinked = {
	.name = "inode", .blft = XFS_BLFT_DINO,
	MAGIC16(XFS_DINODE_MAGIC), BOTH, NO_BTREE,
	.walk = unlinked_walk, .verify = verify_inodes,
};
