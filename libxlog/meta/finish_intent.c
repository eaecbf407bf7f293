/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents that the log leaves without their done: what they want, and the
 * transaction that each is begun in. One row for each type.
 */
#include <stdlib.h>

#include "libxlog/meta/alloc.h"
#include "libxlog/meta/attr.h"
#include "libxlog/meta/exchange.h"
#include "libxlog/meta/finish.h"
#include "libxlog/meta/refcount.h"
#include "libxlog/meta/rmap.h"
#include "libxlog/trans/counters.h"

enum { MAX_INODES = 2 };

struct finish_type {
	const struct defer_type *type;
	/* works of extent @i of the intent, or of all of it (@i 0) */
	int (*decode)(struct trans_fs *fs, const struct xfs_logitem_view *v,
		      uint32_t i, struct defer_work **out);
	bool		extents;	/* a work for each */
	/* the transaction, with the inodes that are held in it */
	int (*begin)(struct trans_fs *fs, struct defer_work *w,
		     struct trans **t, struct inode *ips[MAX_INODES]);
};

/* --- extents --- */

static int decode_efi(struct trans_fs *fs, const struct xfs_logitem_view *v,
		      uint32_t i, struct defer_work **out)
{
	struct xfs_extent e;

	xfs_efi_extent(v, i, &e);
	return extent_free_work_decode(fs, &e, out);
}

static int decode_rui(struct trans_fs *fs, const struct xfs_logitem_view *v,
		      uint32_t i, struct defer_work **out)
{
	struct xfs_map_extent me;

	xfs_map_intent_extent(v, i, &me);
	return rmap_work_decode(fs, &me, out);
}

static int decode_cui(struct trans_fs *fs, const struct xfs_logitem_view *v,
		      uint32_t i, struct defer_work **out)
{
	struct xfs_phys_extent pe;

	xfs_cui_extent(v, i, &pe);
	return refcount_work_decode(fs, &pe, out);
}

static int decode_bui(struct trans_fs *fs, const struct xfs_logitem_view *v,
		      uint32_t i, struct defer_work **out)
{
	struct xfs_map_extent me;

	xfs_map_intent_extent(v, i, &me);
	return bmap_work_decode(fs, &me, out);
}

/* Space that trees may need comes from the last there is. */
static int begin_extents(struct trans_fs *fs, uint32_t blocks,
			 struct trans **t)
{
	return trans_alloc_blocks(fs, XFS_TR_ITRUNCATE, blocks, true, t);
}

static int begin_efi(struct trans_fs *fs, struct defer_work *w,
		     struct trans **t, struct inode *ips[MAX_INODES])
{
	(void)w;
	(void)ips;
	return begin_extents(fs, 0, t);
}

static int begin_rui(struct trans_fs *fs, struct defer_work *w,
		     struct trans **t, struct inode *ips[MAX_INODES])
{
	struct xfs_levels lv;

	(void)w;
	(void)ips;
	xfs_levels_init(&lv, &fs->geom);
	return begin_extents(fs, lv.rmap, t);
}

static int begin_cui(struct trans_fs *fs, struct defer_work *w,
		     struct trans **t, struct inode *ips[MAX_INODES])
{
	struct xfs_levels lv;

	(void)w;
	(void)ips;
	xfs_levels_init(&lv, &fs->geom);
	return begin_extents(fs, 2u * lv.refc, t);
}

/* --- files --- */

static int decode_attri(struct trans_fs *fs, const struct xfs_logitem_view *v,
			uint32_t i, struct defer_work **out)
{
	struct xfs_logitem_attri attri;
	const char *why = xfs_logitem_attri(v, &attri);

	(void)i;
	if (why)
		return report(&fs->sink, -EUCLEAN, "intent.attri",
			      XLOG_LSN_NONE, "attri item: %s", why);
	return attr_work_decode(fs, &attri, out);
}

static int decode_xmi(struct trans_fs *fs, const struct xfs_logitem_view *v,
		      uint32_t i, struct defer_work **out)
{
	struct xfs_xmi_log_format xmi;

	(void)i;
	xfs_xmi_log_format_decode(&xmi, v->regions[0].data,
				  v->regions[0].len_bytes, v->order);
	return exchange_work_decode(fs, &xmi, out);
}

static int begin_bui(struct trans_fs *fs, struct defer_work *w,
		     struct trans **t, struct inode *ips[MAX_INODES])
{
	return bmap_work_begin(fs, w, t, &ips[0]);
}

static int begin_attri(struct trans_fs *fs, struct defer_work *w,
		       struct trans **t, struct inode *ips[MAX_INODES])
{
	return attr_work_begin(fs, w, t, &ips[0]);
}

static int begin_xmi(struct trans_fs *fs, struct defer_work *w,
		     struct trans **t, struct inode *ips[MAX_INODES])
{
	return exchange_work_begin(fs, w, t, ips);
}

static const struct finish_type types[] = {
	{ &defer_extent_free, decode_efi, true, begin_efi },
	{ &defer_rmap, decode_rui, true, begin_rui },
	{ &defer_refcount, decode_cui, true, begin_cui },
	{ &defer_bmap, decode_bui, true, begin_bui },
	{ &defer_attr, decode_attri, false, begin_attri },
	{ &defer_exchange, decode_xmi, false, begin_xmi },
};

static const struct finish_type *type_of(uint16_t intent_type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type->intent_type == intent_type)
			return &types[i];
	return NULL;
}

/* --- all --- */

static int refuse(struct trans_fs *fs, const struct xlog_pending_intent *p,
		  int rc, const char *why)
{
	const char *name = xfs_li_name(p->type);

	return report(&fs->sink, rc, "remainder.intent", p->lsn,
		      "%s 0x%llx: %s", name ? name : "an intent",
		      (unsigned long long)p->id, why);
}

static int decode_all(struct trans_fs *fs, const struct finish_type *ft,
		      const struct xfs_logitem_view *v, struct list *works)
{
	uint32_t n = ft->extents ? xfs_logitem_extents(v) : 1;
	struct defer_work *w;
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++) {
		rc = ft->decode(fs, v, i, &w);
		if (!rc)
			list_insert_last(&w->link, works);
	}
	if (rc)
		defer_free_works(ft->type, works);
	return rc;
}

int finish_decode(struct trans_fs *fs, const struct xlog_pending_intent *p,
		  const struct defer_type **type, struct list *works)
{
	struct xfs_log_region regions[XFS_LOGITEM_MAX_REGIONS];
	const struct finish_type *ft = type_of(p->type);
	struct xfs_logitem_view v = {
		.regions = regions, .nregions = p->item.nregions,
		.order = p->big_endian ? XFS_BE : XFS_LE, .geom = &fs->geom,
	};
	const char *why;

	if (!ft)
		return refuse(fs, p, -EOPNOTSUPP,
			      "of realtime space, which only a mount can finish");
	if (!v.nregions || v.nregions > XFS_LOGITEM_MAX_REGIONS)
		return refuse(fs, p, -ENOMEM,
			      "one of more than there is memory for");
	for (unsigned int i = 0; i < v.nregions; i++)
		regions[i] = (struct xfs_log_region){
			p->item.regions[i].data, p->item.regions[i].len_bytes
		};
	why = xfs_logitem_verify(&v);
	if (why)
		return refuse(fs, p, -EUCLEAN, why);
	if (ft->extents && !xfs_logitem_extents(&v))
		return refuse(fs, p, -EUCLEAN, "without an extent");
	*type = ft->type;
	return decode_all(fs, ft, &v, works);
}

/* One that exchanges with itself is locked once. */
static void let_go(struct inode *ips[MAX_INODES]) UNCHECKED_LOCKING
{
	if (ips[0])
		inode_unlock(ips[0]);
	if (ips[1] && ips[1] != ips[0])
		inode_unlock(ips[1]);
	for (unsigned int i = 0; i < MAX_INODES; i++)
		inode_put(ips[i]);
}

int finish_begin(struct trans_fs *fs, struct defer_recovered *rec,
		 struct list *captures)
{
	const struct finish_type *ft = type_of(rec->type->intent_type);
	struct inode *ips[MAX_INODES] = { NULL };
	struct trans *t;
	int rc = ft->begin(fs, container_of(list_first(&rec->works),
					    struct defer_work, link),
			   &t, ips);

	/* of all that can be wrong only this has not been reported */
	if (rc == -ENOSPC)
		report(&fs->sink, rc, "space", rec->lsn,
		       "no space to finish %s 0x%llx",
		       xfs_li_name(rec->type->intent_type),
		       (unsigned long long)rec->id);
	if (rc) {
		defer_recovered_free(rec);
		return rc;
	}
	rc = defer_finish_recovered(t, rec, captures);
	let_go(ips);
	return rc;
}
