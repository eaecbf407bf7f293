/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log items of every kind: their names, and the way from an item to the
 * functions of its kind. See logitem.h.
 */
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_trans_header, XFS_TRANS_HEADER_ROWS)

const struct xfs_name xfs_li_names[] = {
	{ XFS_LI_BUF, "buf" },
	{ XFS_LI_INODE, "inode" },
	{ XFS_LI_DQUOT, "dquot" },
	{ XFS_LI_QUOTAOFF, "quotaoff" },
	{ XFS_LI_ICREATE, "icreate" },
	{ XFS_LI_EFI, "efi" },
	{ XFS_LI_EFD, "efd" },
	{ XFS_LI_RUI, "rui" },
	{ XFS_LI_RUD, "rud" },
	{ XFS_LI_CUI, "cui" },
	{ XFS_LI_CUD, "cud" },
	{ XFS_LI_BUI, "bui" },
	{ XFS_LI_BUD, "bud" },
	{ XFS_LI_ATTRI, "attri" },
	{ XFS_LI_ATTRD, "attrd" },
	{ XFS_LI_XMI, "xmi" },
	{ XFS_LI_XMD, "xmd" },
	{ XFS_LI_EFI_RT, "efi_rt" },
	{ XFS_LI_EFD_RT, "efd_rt" },
	{ XFS_LI_RUI_RT, "rui_rt" },
	{ XFS_LI_RUD_RT, "rud_rt" },
	{ XFS_LI_CUI_RT, "cui_rt" },
	{ XFS_LI_CUD_RT, "cud_rt" },
	{ .name = NULL },
};

const char *xfs_li_name(uint16_t type)
{
	return xfs_name_of(xfs_li_names, type);
}

uint16_t xfs_li_code(const char *name)
{
	for (const struct xfs_name *n = xfs_li_names; n->name; n++)
		if (!strcmp(n->name, name))
			return (uint16_t)n->value;
	return 0;
}

static const struct xfs_logitem_ops *ops_of(uint16_t type)
{
	switch (type) {
	case XFS_LI_BUF:
		return &xfs_logitem_buf_ops;
	case XFS_LI_INODE:
		return &xfs_logitem_inode_ops;
	case XFS_LI_DQUOT:
		return &xfs_logitem_dquot_ops;
	case XFS_LI_QUOTAOFF:
		return &xfs_logitem_quotaoff_ops;
	case XFS_LI_ICREATE:
		return &xfs_logitem_icreate_ops;
	case XFS_LI_EFI:
	case XFS_LI_EFI_RT:
		return &xfs_logitem_efi_ops;
	case XFS_LI_EFD:
	case XFS_LI_EFD_RT:
		return &xfs_logitem_efd_ops;
	case XFS_LI_RUI:
	case XFS_LI_RUI_RT:
		return &xfs_logitem_rui_ops;
	case XFS_LI_CUI:
	case XFS_LI_CUI_RT:
		return &xfs_logitem_cui_ops;
	case XFS_LI_BUI:
		return &xfs_logitem_bui_ops;
	case XFS_LI_ATTRI:
		return &xfs_logitem_attri_ops;
	case XFS_LI_XMI:
		return &xfs_logitem_xmi_ops;
	case XFS_LI_RUD:
	case XFS_LI_RUD_RT:
	case XFS_LI_CUD:
	case XFS_LI_CUD_RT:
	case XFS_LI_BUD:
	case XFS_LI_ATTRD:
	case XFS_LI_XMD:
		return &xfs_logitem_done_ops;
	default:
		return NULL;
	}
}

uint16_t xfs_logitem_type(const struct xfs_logitem_view *v)
{
	if (logitem_fmt_bytes(v) < 2)
		return 0;
	return get_w16(v->regions[0].data, v->order);
}

bool xfs_logitem_is_rt(const struct xfs_logitem_view *v)
{
	switch (xfs_logitem_type(v)) {
	case XFS_LI_EFI_RT:
	case XFS_LI_EFD_RT:
	case XFS_LI_RUI_RT:
	case XFS_LI_CUI_RT:
		return true;
	default:
		return false;
	}
}

const char *xfs_logitem_verify(const struct xfs_logitem_view *v)
{
	const struct xfs_logitem_ops *ops = ops_of(xfs_logitem_type(v));
	uint32_t declared;

	if (logitem_fmt_bytes(v) < 4)
		return "item too short to have a type";
	if (!ops)
		return "unknown type of item";
	declared = get_w16(v->regions[0].data + 2, v->order);
	if (!declared || declared > XFS_LOGITEM_MAX_REGIONS)
		return "number of regions out of range";
	if (declared != v->nregions)
		return "not as many regions as the item says";
	if (declared < ops->min_regions || declared > ops->max_regions)
		return "wrong number of regions for this type of item";
	return ops->verify(v);
}

void xfs_logitem_walk(const struct xfs_logitem_view *v,
		      const struct xfs_walk_ops *walk_ops, void *ctx)
{
	const struct xfs_logitem_ops *ops = ops_of(xfs_logitem_type(v));
	struct xfs_walk w;

	if (!ops)
		return;
	w = (struct xfs_walk){
		.base = v->regions[0].data,
		.len_bytes = v->regions[0].len_bytes,
		.order = v->order,
		.geom = v->geom,
		.ops = walk_ops,
		.ctx = ctx,
	};
	ops->walk(v, &w);
}

void xfs_logitem_touches(const struct xfs_logitem_view *v, xfs_touch_fn fn,
			 void *ctx)
{
	const struct xfs_logitem_ops *ops = ops_of(xfs_logitem_type(v));
	const struct touch_sink sink = { v->geom, fn, ctx };

	if (ops && ops->touches)
		ops->touches(v, &sink);
}

bool xfs_logitem_intent(const struct xfs_logitem_view *v,
			struct xfs_intent *intent)
{
	uint16_t type = xfs_logitem_type(v);
	uint16_t first;

	/* From EFI on, an intent is even and its done the odd one after. */
	if (type != XFS_LI_EFI && type != XFS_LI_EFD &&
	    (type < XFS_LI_RUI || type > XFS_LI_CUD_RT))
		return false;
	if (logitem_fmt_bytes(v) < 16)
		return false;
	first = (uint16_t)(type & ~1u);
	*intent = (struct xfs_intent){
		.type = first,
		.done = type != first,
		.id = get_w64(v->regions[0].data + 8, v->order),
	};
	return true;
}
