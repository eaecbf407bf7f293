/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log items: what a transaction in the log is made of. An item is a run of
 * regions; region 0 is its format structure (logitem_fmt.h), which says how
 * many regions there are and what the others hold. An item is looked at
 * through a view, which is only pointers: nothing is copied, and nothing in
 * the regions is believed. Functions of one kind of item have its name:
 * xfs_logitem_buf_*, xfs_logitem_inode_*.
 *
 * All functions but verify expect any bytes at all and then show or find
 * less; verify says what is wrong with them.
 */
#ifndef LIBXFSFMT_LOGITEM_H
#define LIBXFSFMT_LOGITEM_H

#include "libxfsfmt/logitem_fmt.h"
#include "libxfsfmt/walk.h"

enum {
	XFS_LI_EFI = 0x1236,
	XFS_LI_EFD = 0x1237,
	XFS_LI_INODE = 0x123b,
	XFS_LI_BUF = 0x123c,
	XFS_LI_DQUOT = 0x123d,
	XFS_LI_QUOTAOFF = 0x123e,
	XFS_LI_ICREATE = 0x123f,
	XFS_LI_RUI = 0x1240,
	XFS_LI_RUD = 0x1241,
	XFS_LI_CUI = 0x1242,
	XFS_LI_CUD = 0x1243,
	XFS_LI_BUI = 0x1244,
	XFS_LI_BUD = 0x1245,
	XFS_LI_ATTRI = 0x1246,
	XFS_LI_ATTRD = 0x1247,
	XFS_LI_XMI = 0x1248,
	XFS_LI_XMD = 0x1249,
	XFS_LI_EFI_RT = 0x124a,
	XFS_LI_EFD_RT = 0x124b,
	XFS_LI_RUI_RT = 0x124c,
	XFS_LI_RUD_RT = 0x124d,
	XFS_LI_CUI_RT = 0x124e,
	XFS_LI_CUD_RT = 0x124f,
};

/* The name of item type @type, or NULL if there is no such type. */
const char *xfs_li_name(uint16_t type);

/* The item type of that name, or 0. */
uint16_t xfs_li_code(const char *name);

/* No item has more regions: the bitmap of a 64 KiB buffer, every other bit. */
enum { XFS_LOGITEM_MAX_REGIONS = 257 };

struct xfs_log_region {
	const uint8_t	*data;
	uint32_t	len_bytes;
};

struct xfs_logitem_view {
	const struct xfs_log_region *regions;
	unsigned int	nregions;
	enum xfs_order	order;		/* of the machine that wrote it */
	/*
	 * The filesystem as it is when this item is replayed (a log may grow
	 * it), or NULL: what depends on it is then neither checked nor found.
	 */
	const struct xfs_geom *geom;
};

/* Item type, or 0 if there are not even two bytes. */
uint16_t xfs_logitem_type(const struct xfs_logitem_view *v);

/*
 * NULL, or why recovery would refuse the item, or would if it were left
 * unfinished. It judges the item by itself: not whether the blocks it names
 * are fit for it.
 */
const char *xfs_logitem_verify(const struct xfs_logitem_view *v);

/*
 * Show the item's own fields: the format structure, extents, names and
 * values. What it carries of other structures is shown by their walks:
 * xfs_logitem_buf_image() and xfs_logitem_inode() find it; only the quota
 * record of a DQUOT item, which needs no context, is shown here.
 */
void xfs_logitem_walk(const struct xfs_logitem_view *v,
		      const struct xfs_walk_ops *ops, void *ctx);

/* --- what an item touches --- */

enum xfs_touch_kind {
	XFS_TOUCH_INO,		/* inode numbers */
	XFS_TOUCH_DADDR,	/* basic blocks of the data device */
	XFS_TOUCH_AG,		/* allocation groups */
	XFS_TOUCH_RTBLOCK,	/* blocks of the realtime device, by number */
};

/* @count things from @first; count is at least 1 and does not overflow. */
struct xfs_touch {
	enum xfs_touch_kind kind;
	uint64_t	first, count;
};

typedef void (*xfs_touch_fn)(void *ctx, const struct xfs_touch *touch);

/*
 * Call @fn for everything the item names: the inode it logs and the basic
 * blocks that inode lies in; the whole buffer, even if it logs a part, and of
 * a buffer of inodes those it logs a part of; the space and the owners of an
 * intent; and the allocation groups of all these. The same thing may be named
 * twice. Without a geometry only what needs none is named. A done item names
 * nothing unless it repeats the extents.
 */
void xfs_logitem_touches(const struct xfs_logitem_view *v, xfs_touch_fn fn,
			 void *ctx);

/* --- buffers --- */

enum {
	XFS_BUF_LOG_MAX_BYTES = 65536,	/* of a buffer: a directory block */
	XFS_BUF_LOG_MAX_CHUNKS = XFS_BUF_LOG_MAX_BYTES / XFS_CHUNK_BYTES,
	XFS_BUF_LOG_MAP_WORDS = XFS_BUF_LOG_MAX_CHUNKS / 32,
};

/* Bytes of the buffer that lie in one region. */
struct xfs_buf_run {
	uint32_t	off_bytes;	/* in the buffer */
	uint32_t	len_bytes;	/* a multiple of XFS_CHUNK_BYTES, not 0 */
	const uint8_t	*data;
	unsigned int	region;
};

/* Walks the bitmap of a BUF item. Its members are private. */
struct xfs_buf_runs {
	const struct xfs_logitem_view *v;
	struct xfs_buf_log_format blf;
	uint32_t	map_bits;
	uint32_t	bit;
	unsigned int	region;
	const char	*why;
};

/* Begin. Returns NULL, or why there is no bitmap to walk. */
const char *xfs_buf_runs_init(struct xfs_buf_runs *it,
			      const struct xfs_logitem_view *v);

/*
 * The next run, in ascending order. False at the end, and where bitmap and
 * regions do not agree: then xfs_buf_runs_why() says how. A run of set bits
 * that the writer split over several regions comes in as many pieces.
 */
bool xfs_buf_runs_next(struct xfs_buf_runs *it, struct xfs_buf_run *run);

/* After the end: NULL, or what is wrong, regions left over included. */
const char *xfs_buf_runs_why(const struct xfs_buf_runs *it);

/*
 * A buffer as far as the item has it: what was logged in its place, zeros
 * elsewhere, and the chunks that are there as struct xfs_walk wants them.
 */
struct xfs_buf_image {
	struct xfs_buf_log_format blf;
	uint32_t	len_bytes;	/* of the whole buffer */
	uint32_t	chunks[XFS_BUF_LOG_MAP_WORDS];
};

/*
 * Put the image of BUF item @v into @buf of @room_bytes; XFS_BUF_LOG_MAX_BYTES
 * is room for any. Returns NULL, or why the item does not make an image; then
 * @image holds what could be had before the fault, with @image->len_bytes 0 if
 * that is nothing. A cancelled buffer gives an image without chunks.
 */
const char *xfs_logitem_buf_image(const struct xfs_logitem_view *v, void *buf,
				  size_t room_bytes,
				  struct xfs_buf_image *image);

/* --- inodes --- */

/* Either layout into the one host form; fields that are not there become 0. */
void xfs_ilf_decode(struct xfs_inode_log_format *ilf, const void *raw,
		    size_t len_bytes, enum xfs_order order);

/* The parts of an INODE item. Regions that are not there are NULL. */
struct xfs_logitem_inode {
	struct xfs_inode_log_format ilf;
	const struct xfs_log_region *core, *dfork, *afork;
	uint32_t	dfork_bytes;	/* without the padding of the region */
	uint32_t	afork_bytes;
};

/* Returns NULL, or why the parts cannot be told; then all are NULL. */
const char *xfs_logitem_inode(const struct xfs_logitem_view *v,
			      struct xfs_logitem_inode *inode);

/* --- intents --- */

/* An intent and its done have the same id; ids are used again. */
struct xfs_intent {
	uint16_t	type;		/* of the intent, for a done as well */
	bool		done;
	uint64_t	id;
};

/* False if @v is neither, or too short to say. */
bool xfs_logitem_intent(const struct xfs_logitem_view *v,
			struct xfs_intent *intent);

/*
 * Extents of EFI, EFD, RUI, CUI and BUI items, realtime forms included: how
 * many are really there, at most as many as the item says, and number @index
 * of them (< that count) in host form.
 */
uint32_t xfs_logitem_extents(const struct xfs_logitem_view *v);
void xfs_efi_extent(const struct xfs_logitem_view *v, uint32_t index,
		    struct xfs_extent *ext);
void xfs_map_intent_extent(const struct xfs_logitem_view *v, uint32_t index,
			   struct xfs_map_extent *ext);
void xfs_cui_extent(const struct xfs_logitem_view *v, uint32_t index,
		    struct xfs_phys_extent *ext);

/*
 * The strings of an ATTRI item, without padding. Those that the operation
 * does not have are NULL and 0.
 */
struct xfs_logitem_attri {
	struct xfs_attri_log_format fmt;
	const uint8_t	*name, *new_name, *value, *new_value;
	uint32_t	name_bytes, new_name_bytes, value_bytes,
			new_value_bytes;
};

/* Returns NULL, or why the strings are not what the item says. */
const char *xfs_logitem_attri(const struct xfs_logitem_view *v,
			      struct xfs_logitem_attri *attri);

#endif
