/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents about extents, and dones. An intent says what will be done to some
 * extents, its done that it was; they carry an id in common. EFI frees space,
 * RUI changes the reverse map, CUI reference counts, BUI one file mapping.
 * The realtime forms differ only in what their block numbers count.
 */
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_efi_log_format, XFS_EFI_LOG_FORMAT_ROWS)
XFS_DEFINE_ENCODE(xfs_efi_log_format, XFS_EFI_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_efd_log_format, XFS_EFD_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_extent, XFS_EXTENT_ROWS)
XFS_DEFINE_ENCODE(xfs_extent, XFS_EXTENT_ROWS)
XFS_DEFINE(xfs_rui_log_format, XFS_RUI_LOG_FORMAT_ROWS)
XFS_DEFINE_ENCODE(xfs_rui_log_format, XFS_RUI_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_rud_log_format, XFS_RUD_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_map_extent, XFS_MAP_EXTENT_ROWS)
XFS_DEFINE_ENCODE(xfs_map_extent, XFS_MAP_EXTENT_ROWS)
XFS_DEFINE(xfs_cui_log_format, XFS_CUI_LOG_FORMAT_ROWS)
XFS_DEFINE_ENCODE(xfs_cui_log_format, XFS_CUI_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_cud_log_format, XFS_CUD_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_phys_extent, XFS_PHYS_EXTENT_ROWS)
XFS_DEFINE_ENCODE(xfs_phys_extent, XFS_PHYS_EXTENT_ROWS)
XFS_DEFINE(xfs_bui_log_format, XFS_BUI_LOG_FORMAT_ROWS)
XFS_DEFINE_ENCODE(xfs_bui_log_format, XFS_BUI_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_bud_log_format, XFS_BUD_LOG_FORMAT_ROWS)

/* The part all of them begin with: type, regions, count or pad, id. */
enum { INTENT_BYTES = 16, INTENT_COUNT_OFF = 4 };

/* File offsets have 54 bits in the packed form of an extent. */
#define FILE_BLOCKS_MAX	((uint64_t)1 << 54)

const struct xfs_name xfs_rmap_owner_names[] = {
	{ XFS_RMAP_OWN_NULL, "null" },
	{ XFS_RMAP_OWN_UNKNOWN, "unknown" },
	{ XFS_RMAP_OWN_FS, "fs" },
	{ XFS_RMAP_OWN_LOG, "log" },
	{ XFS_RMAP_OWN_AG, "ag" },
	{ XFS_RMAP_OWN_INOBT, "inobt" },
	{ XFS_RMAP_OWN_INODES, "inodes" },
	{ XFS_RMAP_OWN_REFC, "refc" },
	{ XFS_RMAP_OWN_COW, "cow" },
	{ .name = NULL },
};

const struct xfs_name xfs_rmap_op_names[] = {
	{ XFS_RMAP_EXTENT_MAP, "map" },
	{ XFS_RMAP_EXTENT_MAP_SHARED, "map_shared" },
	{ XFS_RMAP_EXTENT_UNMAP, "unmap" },
	{ XFS_RMAP_EXTENT_UNMAP_SHARED, "unmap_shared" },
	{ XFS_RMAP_EXTENT_CONVERT, "convert" },
	{ XFS_RMAP_EXTENT_CONVERT_SHARED, "convert_shared" },
	{ XFS_RMAP_EXTENT_ALLOC, "alloc" },
	{ XFS_RMAP_EXTENT_FREE, "free" },
	{ .name = NULL },
};

const struct xfs_name xfs_bmap_op_names[] = {
	{ XFS_BMAP_EXTENT_MAP, "map" },
	{ XFS_BMAP_EXTENT_UNMAP, "unmap" },
	{ .name = NULL },
};

const struct xfs_name xfs_refcount_op_names[] = {
	{ XFS_REFCOUNT_INCREASE, "increase" },
	{ XFS_REFCOUNT_DECREASE, "decrease" },
	{ XFS_REFCOUNT_ALLOC_COW, "alloc_cow" },
	{ XFS_REFCOUNT_FREE_COW, "free_cow" },
	{ .name = NULL },
};

/* The top byte of me_flags; the same bits mean other things in RUI and BUI. */
static const struct xfs_name rmap_flag_names[] = {
	{ XFS_RMAP_EXTENT_ATTR_FORK >> 24, "attr_fork" },
	{ XFS_RMAP_EXTENT_BMBT_BLOCK >> 24, "bmbt_block" },
	{ XFS_RMAP_EXTENT_UNWRITTEN >> 24, "unwritten" },
	{ .name = NULL },
};

static const struct xfs_name bmap_flag_names[] = {
	{ XFS_BMAP_EXTENT_ATTR_FORK >> 24, "attr_fork" },
	{ XFS_BMAP_EXTENT_UNWRITTEN >> 24, "unwritten" },
	{ XFS_BMAP_EXTENT_REALTIME >> 24, "realtime" },
	{ .name = NULL },
};

/*
 * Rows for operation and flags, the lowest and the highest byte of a word at
 * offset @at: where those lie is a matter of the writer's order.
 */
#define FLAG_PARTS_BE(at, op_names, flag_names)				\
	{								\
		XFS_TABLE_ROW("op", op_names, (at) + 3, 1, bits, ENUM,	\
			      0, 8, 0, 0)				\
		XFS_TABLE_ROW("flags", flag_names, (at), 1, bits, FLAGS, \
			      0, 8, 0, 0)				\
		{ .name = NULL },					\
	}
#define FLAG_PARTS_LE(at, op_names, flag_names)				\
	{								\
		XFS_TABLE_ROW("op", op_names, (at), 1, bits, ENUM,	\
			      0, 8, 0, 0)				\
		XFS_TABLE_ROW("flags", flag_names, (at) + 3, 1, bits, FLAGS, \
			      0, 8, 0, 0)				\
		{ .name = NULL },					\
	}

static const struct xfs_field rmap_parts[2][3] = {
	[XFS_BE] = FLAG_PARTS_BE(28, xfs_rmap_op_names, rmap_flag_names),
	[XFS_LE] = FLAG_PARTS_LE(28, xfs_rmap_op_names, rmap_flag_names),
};

static const struct xfs_field bmap_parts[2][3] = {
	[XFS_BE] = FLAG_PARTS_BE(28, xfs_bmap_op_names, bmap_flag_names),
	[XFS_LE] = FLAG_PARTS_LE(28, xfs_bmap_op_names, bmap_flag_names),
};

static const struct xfs_field refcount_parts[2][2] = {
	[XFS_BE] = {
		XFS_TABLE_ROW("op", xfs_refcount_op_names, 15, 1, bits, ENUM,
			      0, 8, 0, 0)
		{ .name = NULL },
	},
	[XFS_LE] = {
		XFS_TABLE_ROW("op", xfs_refcount_op_names, 12, 1, bits, ENUM,
			      0, 8, 0, 0)
		{ .name = NULL },
	},
};

static uint32_t said_extents(const struct xfs_logitem_view *v)
{
	return logitem_fmt_bytes(v) < INTENT_BYTES ? 0 :
	       get_w32(v->regions[0].data + INTENT_COUNT_OFF, v->order);
}

static bool fits_exactly(const struct xfs_logitem_view *v, uint32_t width)
{
	return INTENT_BYTES + (uint64_t)said_extents(v) * width ==
	       logitem_fmt_bytes(v);
}

/*
 * Bytes of one extent of @v, 0 if its type has none. Of an EFI the length
 * tells: it cannot be right for both widths unless there are no extents.
 */
static uint32_t extent_width(const struct xfs_logitem_view *v)
{
	switch (xfs_logitem_type(v)) {
	case XFS_LI_EFI:
	case XFS_LI_EFD:
	case XFS_LI_EFI_RT:
	case XFS_LI_EFD_RT:
		return fits_exactly(v, XFS_EXTENT_BYTES_32) ?
		       XFS_EXTENT_BYTES_32 : XFS_EXTENT_BYTES_64;
	case XFS_LI_RUI:
	case XFS_LI_RUI_RT:
	case XFS_LI_BUI:
		return xfs_map_extent_size;
	case XFS_LI_CUI:
	case XFS_LI_CUI_RT:
		return xfs_phys_extent_size;
	default:
		return 0;
	}
}

uint32_t xfs_logitem_extents(const struct xfs_logitem_view *v)
{
	uint32_t width = extent_width(v);
	uint32_t bytes = logitem_fmt_bytes(v);
	uint32_t room, said;

	if (!width || bytes < INTENT_BYTES)
		return 0;
	room = (bytes - INTENT_BYTES) / width;
	said = said_extents(v);
	return said < room ? said : room;
}

static size_t extent_off(const struct xfs_logitem_view *v, uint32_t index)
{
	return INTENT_BYTES + (size_t)index * extent_width(v);
}

void xfs_efi_extent(const struct xfs_logitem_view *v, uint32_t index,
		    struct xfs_extent *ext)
{
	xfs_extent_decode(ext, v->regions[0].data + extent_off(v, index),
			  extent_width(v), v->order);
}

void xfs_map_intent_extent(const struct xfs_logitem_view *v, uint32_t index,
			   struct xfs_map_extent *ext)
{
	xfs_map_extent_decode(ext, v->regions[0].data + extent_off(v, index),
			      xfs_map_extent_size, v->order);
}

void xfs_cui_extent(const struct xfs_logitem_view *v, uint32_t index,
		    struct xfs_phys_extent *ext)
{
	xfs_phys_extent_decode(ext, v->regions[0].data + extent_off(v, index),
			       xfs_phys_extent_size, v->order);
}

/* --- EFI, EFD --- */

static const char *efi_verify(const struct xfs_logitem_view *v)
{
	if (logitem_fmt_bytes(v) < INTENT_BYTES)
		return "intent too short";
	if (!fits_exactly(v, XFS_EXTENT_BYTES_64) &&
	    !fits_exactly(v, XFS_EXTENT_BYTES_32))
		return "length does not match the number of extents";
	for (uint32_t i = 0; i < xfs_logitem_extents(v); i++) {
		struct xfs_extent ext;
		const char *why;

		xfs_efi_extent(v, i, &ext);
		why = xfs_logitem_check_blocks(v->geom, ext.ext_start, ext.ext_len,
					   xfs_logitem_is_rt(v));
		if (why)
			return why;
	}
	return NULL;
}

static void walk_extents(const struct xfs_logitem_view *v,
			 const struct xfs_walk *w)
{
	uint32_t n = xfs_logitem_extents(v);
	unsigned int variant = xfs_logitem_is_rt(v) ? XFS_EXTENT_RT : 0;

	for (uint32_t i = 0; i < n; i++)
		xfs_walk_group(w, "extents", (long)i, xfs_extent_fields,
			       extent_off(v, i), variant);
}

static void efi_walk(const struct xfs_logitem_view *v,
		     const struct xfs_walk *w)
{
	xfs_walk_fields(w, xfs_efi_log_format_fields, 0, 0);
	walk_extents(v, w);
}

static void efd_walk(const struct xfs_logitem_view *v,
		     const struct xfs_walk *w)
{
	xfs_walk_fields(w, xfs_efd_log_format_fields, 0, 0);
	walk_extents(v, w);
}

static void efi_touches(const struct xfs_logitem_view *v,
			const struct touch_sink *sink)
{
	uint32_t n = xfs_logitem_extents(v);

	for (uint32_t i = 0; i < n; i++) {
		struct xfs_extent ext;

		xfs_efi_extent(v, i, &ext);
		xfs_touch_blocks(sink, ext.ext_start, ext.ext_len,
			     xfs_logitem_is_rt(v));
	}
}

const struct xfs_logitem_ops xfs_logitem_efi_ops = {
	1, 1, efi_verify, efi_walk, efi_touches,
};

const struct xfs_logitem_ops xfs_logitem_efd_ops = {
	1, 1, efi_verify, efd_walk, efi_touches,
};

/* --- RUI, BUI --- */

/* The kernel tells them by the sign, not by the list of those it knows. */
static bool owner_is_special(uint64_t owner)
{
	return owner >> 63;
}

static const char *check_mapping(const struct xfs_logitem_view *v,
				 const struct xfs_map_extent *me, bool rt)
{
	/* the space first, which also refuses an empty one */
	const char *why = xfs_logitem_check_blocks(v->geom, me->me_startblock,
					       me->me_len, rt);

	if (why)
		return why;
	if (me->me_startoff >= FILE_BLOCKS_MAX ||
	    me->me_len > FILE_BLOCKS_MAX - me->me_startoff)
		return "file offset out of range";
	return NULL;
}

static const char *check_rmap(const struct xfs_logitem_view *v,
			      const struct xfs_map_extent *me)
{
	uint32_t flags = XFS_RMAP_EXTENT_ATTR_FORK |
			 XFS_RMAP_EXTENT_BMBT_BLOCK |
			 XFS_RMAP_EXTENT_UNWRITTEN | XFS_EXTENT_OP_MASK;
	uint32_t op = me->me_flags & XFS_EXTENT_OP_MASK;

	if (me->me_flags & ~flags)
		return "unknown flags of a reverse mapping";
	if (op < XFS_RMAP_EXTENT_MAP || op > XFS_RMAP_EXTENT_FREE)
		return "unknown operation on a reverse mapping";
	if (!owner_is_special(me->me_owner)) {
		const char *why = xfs_logitem_check_ino(v->geom, me->me_owner);

		if (why)
			return why;
	}
	return check_mapping(v, me, xfs_logitem_is_rt(v));
}

static const char *check_bmap(const struct xfs_logitem_view *v,
			      const struct xfs_map_extent *me)
{
	uint32_t flags = XFS_BMAP_EXTENT_ATTR_FORK |
			 XFS_BMAP_EXTENT_UNWRITTEN |
			 XFS_BMAP_EXTENT_REALTIME | XFS_EXTENT_OP_MASK;
	uint32_t op = me->me_flags & XFS_EXTENT_OP_MASK;
	const char *why;

	if (me->me_flags & ~flags)
		return "unknown flags of a file mapping";
	if (op != XFS_BMAP_EXTENT_MAP && op != XFS_BMAP_EXTENT_UNMAP)
		return "unknown operation on a file mapping";
	why = xfs_logitem_check_ino(v->geom, me->me_owner);
	if (why)
		return why;
	return check_mapping(v, me, me->me_flags & XFS_BMAP_EXTENT_REALTIME);
}

static const char *rui_verify(const struct xfs_logitem_view *v)
{
	if (logitem_fmt_bytes(v) < INTENT_BYTES)
		return "intent too short";
	if (!fits_exactly(v, xfs_map_extent_size))
		return "length does not match the number of extents";
	for (uint32_t i = 0; i < xfs_logitem_extents(v); i++) {
		struct xfs_map_extent me;
		const char *why;

		xfs_map_intent_extent(v, i, &me);
		why = check_rmap(v, &me);
		if (why)
			return why;
	}
	return NULL;
}

static const char *bui_verify(const struct xfs_logitem_view *v)
{
	struct xfs_map_extent me;

	if (logitem_fmt_bytes(v) < INTENT_BYTES)
		return "intent too short";
	if (said_extents(v) != 1 || !fits_exactly(v, xfs_map_extent_size))
		return "not exactly one mapping";
	xfs_map_intent_extent(v, 0, &me);
	return check_bmap(v, &me);
}

static void walk_mappings(const struct xfs_logitem_view *v,
			  const struct xfs_walk *w,
			  const struct xfs_field *parts)
{
	uint32_t n = xfs_logitem_extents(v);

	for (uint32_t i = 0; i < n; i++) {
		unsigned int variant = xfs_logitem_is_rt(v) ? XFS_EXTENT_RT : 0;
		size_t off = extent_off(v, i);
		struct xfs_map_extent me;

		xfs_map_intent_extent(v, i, &me);
		if (owner_is_special(me.me_owner))
			variant |= XFS_EXTENT_SPECIAL_OWNER;
		if (parts == bmap_parts[v->order] &&
		    me.me_flags & XFS_BMAP_EXTENT_REALTIME)
			variant |= XFS_EXTENT_RT;
		w->ops->enter(w->ctx, "extents", (long)i);
		xfs_walk_fields(w, xfs_map_extent_fields, off, variant);
		xfs_walk_fields(w, parts, off, 0);
		w->ops->leave(w->ctx);
	}
}

static void rui_walk(const struct xfs_logitem_view *v,
		     const struct xfs_walk *w)
{
	xfs_walk_fields(w, xfs_rui_log_format_fields, 0, 0);
	walk_mappings(v, w, rmap_parts[v->order]);
}

static void bui_walk(const struct xfs_logitem_view *v,
		     const struct xfs_walk *w)
{
	xfs_walk_fields(w, xfs_bui_log_format_fields, 0, 0);
	walk_mappings(v, w, bmap_parts[v->order]);
}

static void rui_touches(const struct xfs_logitem_view *v,
			const struct touch_sink *sink)
{
	uint32_t n = xfs_logitem_extents(v);

	for (uint32_t i = 0; i < n; i++) {
		struct xfs_map_extent me;

		xfs_map_intent_extent(v, i, &me);
		if (!owner_is_special(me.me_owner))
			xfs_touch_inodes(sink, me.me_owner, 1);
		xfs_touch_blocks(sink, me.me_startblock, me.me_len,
			     xfs_logitem_is_rt(v));
	}
}

static void bui_touches(const struct xfs_logitem_view *v,
			const struct touch_sink *sink)
{
	struct xfs_map_extent me;

	if (!xfs_logitem_extents(v))
		return;
	xfs_map_intent_extent(v, 0, &me);
	xfs_touch_inodes(sink, me.me_owner, 1);
	xfs_touch_blocks(sink, me.me_startblock, me.me_len,
		     me.me_flags & XFS_BMAP_EXTENT_REALTIME);
}

const struct xfs_logitem_ops xfs_logitem_rui_ops = {
	1, 1, rui_verify, rui_walk, rui_touches,
};

const struct xfs_logitem_ops xfs_logitem_bui_ops = {
	1, 1, bui_verify, bui_walk, bui_touches,
};

/* --- CUI --- */

static const char *cui_verify(const struct xfs_logitem_view *v)
{
	if (logitem_fmt_bytes(v) < INTENT_BYTES)
		return "intent too short";
	if (!fits_exactly(v, xfs_phys_extent_size))
		return "length does not match the number of extents";
	for (uint32_t i = 0; i < xfs_logitem_extents(v); i++) {
		struct xfs_phys_extent pe;
		const char *why;

		xfs_cui_extent(v, i, &pe);
		if (pe.pe_flags & ~(uint32_t)XFS_EXTENT_OP_MASK)
			return "unknown flags of a reference count";
		if (pe.pe_flags < XFS_REFCOUNT_INCREASE ||
		    pe.pe_flags > XFS_REFCOUNT_FREE_COW)
			return "unknown operation on a reference count";
		why = xfs_logitem_check_blocks(v->geom, pe.pe_startblock,
					   pe.pe_len, xfs_logitem_is_rt(v));
		if (why)
			return why;
	}
	return NULL;
}

static void cui_walk(const struct xfs_logitem_view *v,
		     const struct xfs_walk *w)
{
	uint32_t n = xfs_logitem_extents(v);
	unsigned int variant = xfs_logitem_is_rt(v) ? XFS_EXTENT_RT : 0;

	xfs_walk_fields(w, xfs_cui_log_format_fields, 0, 0);
	for (uint32_t i = 0; i < n; i++) {
		w->ops->enter(w->ctx, "extents", (long)i);
		xfs_walk_fields(w, xfs_phys_extent_fields, extent_off(v, i),
				variant);
		xfs_walk_fields(w, refcount_parts[v->order], extent_off(v, i),
				0);
		w->ops->leave(w->ctx);
	}
}

static void cui_touches(const struct xfs_logitem_view *v,
			const struct touch_sink *sink)
{
	uint32_t n = xfs_logitem_extents(v);

	for (uint32_t i = 0; i < n; i++) {
		struct xfs_phys_extent pe;

		xfs_cui_extent(v, i, &pe);
		xfs_touch_blocks(sink, pe.pe_startblock, pe.pe_len,
			     xfs_logitem_is_rt(v));
	}
}

const struct xfs_logitem_ops xfs_logitem_cui_ops = {
	1, 1, cui_verify, cui_walk, cui_touches,
};

/* --- dones without extents --- */

static const char *done_verify(const struct xfs_logitem_view *v)
{
	return logitem_fmt_bytes(v) == INTENT_BYTES ? NULL :
	       "length is not that of a done item";
}

static void done_walk(const struct xfs_logitem_view *v,
		      const struct xfs_walk *w)
{
	const struct xfs_field *fields;

	switch (xfs_logitem_type(v)) {
	case XFS_LI_RUD:
	case XFS_LI_RUD_RT:
		fields = xfs_rud_log_format_fields;
		break;
	case XFS_LI_CUD:
	case XFS_LI_CUD_RT:
		fields = xfs_cud_log_format_fields;
		break;
	case XFS_LI_BUD:
		fields = xfs_bud_log_format_fields;
		break;
	case XFS_LI_ATTRD:
		fields = xfs_attrd_log_format_fields;
		break;
	default:
		fields = xfs_xmd_log_format_fields;
		break;
	}
	xfs_walk_fields(w, fields, 0, 0);
}

const struct xfs_logitem_ops xfs_logitem_done_ops = {
	1, 1, done_verify, done_walk, NULL,
};
