/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents that the log leaves without their done, in words: what a mount would
 * do to finish them. Of a very large number only the first were copied from
 * the log; of the others type and id are known.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "libxlog/replay/remain.h"

enum {
	SHOWN_EXTENTS = 3,
	SHOWN_NAME_BYTES = 64,
};

/* The text of an intent as it grows; what does not fit is left out. */
struct text {
	char		buf[512];
	size_t		used;
};

struct intent {
	struct replay	*r;
	struct xfs_logitem_view view;
	uint16_t	type;
	struct xlog_remainder rem;
	struct text	text;
};

static void say(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(struct text *t, const char *fmt, ...)
{
	size_t room = sizeof(t->buf) - t->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->used, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void say_op(struct text *t, const struct xfs_name *names, uint64_t op)
{
	const char *name = xfs_name_of(names, op);

	if (name)
		say(t, "%s ", name);
	else
		say(t, "operation %" PRIu64 " ", op);
}

/* Names come from a disk: what is not plain ASCII might do things. */
static void say_name(struct text *t, const uint8_t *name, uint32_t len_bytes)
{
	say(t, "\"");
	for (uint32_t i = 0; i < len_bytes && i < SHOWN_NAME_BYTES; i++)
		say(t, "%c", name[i] >= ' ' && name[i] < 0x7f ? name[i] : '?');
	say(t, len_bytes > SHOWN_NAME_BYTES ? "...\"" : "\"");
}

/* --- extents --- */

/* Of the first extent the numbers are kept too. */
static void extent(struct intent *in, uint32_t i, bool realtime,
		   uint64_t start, uint32_t len)
{
	const struct xfs_geom *g = &in->r->geom;
	const char *what = "ag";
	uint64_t group = xfs_fsb_agno(g, start);
	uint64_t block = xfs_fsb_agbno(g, start);

	if (realtime && g->rgblocks) {
		what = "rtg";
		group = start >> g->rgblklog;
		block = start & ((UINT64_C(1) << g->rgblklog) - 1);
	} else if (realtime) {
		what = "rt";
		group = 0;
		block = start;
	}
	say(&in->text, "%s%" PRIu64 "/%" PRIu64 "+%u", what, group, block, len);
	if (i)
		return;
	in->rem.realtime = realtime;
	in->rem.ag = (uint32_t)group;
	in->rem.agbno = (uint32_t)block;
	in->rem.blocks = len;
}

static void efi_extent(struct intent *in, uint32_t i)
{
	struct xfs_extent e;

	xfs_efi_extent(&in->view, i, &e);
	if (!i)
		say(&in->text, "free ");
	extent(in, i, in->type == XFS_LI_EFI_RT, e.ext_start, e.ext_len);
}

static void cui_extent(struct intent *in, uint32_t i)
{
	struct xfs_phys_extent e;

	xfs_cui_extent(&in->view, i, &e);
	say_op(&in->text, xfs_refcount_op_names,
	       e.pe_flags & XFS_EXTENT_OP_MASK);
	extent(in, i, in->type == XFS_LI_CUI_RT, e.pe_startblock, e.pe_len);
}

/* RUI and BUI */
static void map_extent(struct intent *in, uint32_t i)
{
	bool bmap = in->type == XFS_LI_BUI;
	struct xfs_map_extent e;
	const char *owner;

	xfs_map_intent_extent(&in->view, i, &e);
	owner = xfs_name_of(xfs_rmap_owner_names, e.me_owner);
	say_op(&in->text, bmap ? xfs_bmap_op_names : xfs_rmap_op_names,
	       e.me_flags & XFS_EXTENT_OP_MASK);
	if (owner) {
		say(&in->text, "%s ", owner);
	} else {
		say(&in->text, "inode %" PRIu64 " off %" PRIu64 " ",
		    e.me_owner, e.me_startoff);
		if (!i)
			in->rem.ino = e.me_owner;
	}
	extent(in, i, in->type == XFS_LI_RUI_RT ||
	       (bmap && e.me_flags & XFS_BMAP_EXTENT_REALTIME),
	       e.me_startblock, e.me_len);
	if (e.me_flags & XFS_RMAP_EXTENT_ATTR_FORK)	/* the same in BUI */
		say(&in->text, " attr");
}

static void extents(struct intent *in,
		    void (*one)(struct intent *in, uint32_t i))
{
	uint32_t n = xfs_logitem_extents(&in->view);

	for (uint32_t i = 0; i < n && i < SHOWN_EXTENTS; i++) {
		if (i)
			say(&in->text, ", ");
		one(in, i);
	}
	if (n > SHOWN_EXTENTS)
		say(&in->text, ", and %u more", n - SHOWN_EXTENTS);
}

/* --- the others --- */

static void attri(struct intent *in)
{
	struct xfs_logitem_attri a;

	if (xfs_logitem_attri(&in->view, &a))
		return;
	in->rem.ino = a.fmt.alfi_ino;
	say_op(&in->text, xfs_attri_op_names,
	       a.fmt.alfi_op_flags & XFS_EXTENT_OP_MASK);
	say(&in->text, "inode %" PRIu64 " ", a.fmt.alfi_ino);
	say_name(&in->text, a.name, a.name_bytes);
	if (a.new_name) {
		say(&in->text, " to ");
		say_name(&in->text, a.new_name, a.new_name_bytes);
	}
}

static void xmi(struct intent *in)
{
	const struct xfs_log_region *region = &in->view.regions[0];
	struct xfs_xmi_log_format x;

	xfs_xmi_log_format_decode(&x, region->data, region->len_bytes,
				  in->view.order);
	in->rem.ino = x.xmi_inode1;
	say(&in->text, "exchange inode %" PRIu64 " off %" PRIu64
	    " with inode %" PRIu64 " off %" PRIu64 ", %" PRIu64 " blocks",
	    x.xmi_inode1, x.xmi_startoff1, x.xmi_inode2, x.xmi_startoff2,
	    x.xmi_blockcount);
}

static void content(struct intent *in)
{
	switch (in->type) {
	case XFS_LI_EFI:
	case XFS_LI_EFI_RT:
		extents(in, efi_extent);
		break;
	case XFS_LI_CUI:
	case XFS_LI_CUI_RT:
		extents(in, cui_extent);
		break;
	case XFS_LI_RUI:
	case XFS_LI_RUI_RT:
	case XFS_LI_BUI:
		extents(in, map_extent);
		break;
	case XFS_LI_ATTRI:
		attri(in);
		break;
	case XFS_LI_XMI:
		xmi(in);
		break;
	default:
		break;
	}
}

static void tell(struct replay *r, const struct xlog_pending_intent *p)
{
	struct xfs_log_region regions[XFS_LOGITEM_MAX_REGIONS];
	const char *name = xfs_li_name(p->type);
	struct intent in = {
		.r = r,
		.view = {
			.regions = regions,
			.nregions = p->item.nregions,
			.order = p->big_endian ? XFS_BE : XFS_LE,
			.geom = &r->geom,
		},
		.type = p->type,
		.rem = {
			.kind = XLOG_REMAINDER_INTENT,
			.lsn = p->lsn,
			.type = name ? name : "",
			.id = p->id,
		},
	};

	if (in.view.nregions > XFS_LOGITEM_MAX_REGIONS)
		in.view.nregions = XFS_LOGITEM_MAX_REGIONS;
	for (unsigned int i = 0; i < in.view.nregions; i++)
		regions[i] = (struct xfs_log_region){
			p->item.regions[i].data, p->item.regions[i].len_bytes
		};
	say(&in.text, "%s 0x%" PRIx64 ": ", in.rem.type, p->id);
	if (in.view.nregions)
		content(&in);
	else
		say(&in.text, "one of too many to keep what each says");
	in.rem.text = in.text.buf;
	remain_tell(r, &in.rem);
}

void remain_intents(struct replay *r)
{
	const struct xlog_pending_intent *p = NULL;

	r->res->intents = xlog_pending_count(r->pending);
	if (!r->opts->remainder)
		return;
	while ((p = xlog_pending_next(r->pending, p)))
		tell(r, p);
}
