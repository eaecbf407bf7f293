/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of log items share: one table of operations per kind of
 * item, and checked access to regions. To add a kind of item: its rows in
 * logitem_fmt.h, its table in a logitem_*.c, one line in logitem.c.
 */
#ifndef LIBXFSFMT_LOGITEM_PRIV_H
#define LIBXFSFMT_LOGITEM_PRIV_H

#include "libxfsfmt/logitem.h"

struct touch_sink {
	const struct xfs_geom *geom;	/* may be NULL */
	xfs_touch_fn	fn;
	void		*ctx;
};

struct xfs_logitem_ops {
	uint16_t	min_regions, max_regions;
	/* that region 0 is there and the count in range is known already */
	const char *(*verify)(const struct xfs_logitem_view *v);
	/* @w is region 0 */
	void (*walk)(const struct xfs_logitem_view *v,
		     const struct xfs_walk *w);
	/* NULL: names nothing */
	void (*touches)(const struct xfs_logitem_view *v,
			const struct touch_sink *sink);
};

extern const struct xfs_logitem_ops xfs_logitem_buf_ops;
extern const struct xfs_logitem_ops xfs_logitem_inode_ops;
extern const struct xfs_logitem_ops xfs_logitem_dquot_ops;
extern const struct xfs_logitem_ops xfs_logitem_quotaoff_ops;
extern const struct xfs_logitem_ops xfs_logitem_icreate_ops;
extern const struct xfs_logitem_ops xfs_logitem_efi_ops;
extern const struct xfs_logitem_ops xfs_logitem_efd_ops;
extern const struct xfs_logitem_ops xfs_logitem_rui_ops;
extern const struct xfs_logitem_ops xfs_logitem_cui_ops;
extern const struct xfs_logitem_ops xfs_logitem_bui_ops;
extern const struct xfs_logitem_ops xfs_logitem_done_ops;
extern const struct xfs_logitem_ops xfs_logitem_attri_ops;
extern const struct xfs_logitem_ops xfs_logitem_xmi_ops;

/* Region @index, or NULL if it is not there. */
static inline const struct xfs_log_region *
logitem_region(const struct xfs_logitem_view *v, unsigned int index)
{
	return index < v->nregions ? &v->regions[index] : NULL;
}

/* Bytes of region 0, the format structure. */
static inline uint32_t logitem_fmt_bytes(const struct xfs_logitem_view *v)
{
	return v->nregions ? v->regions[0].len_bytes : 0;
}

/* The realtime form of an intent: its blocks are those of that device. */
bool xfs_logitem_is_rt(const struct xfs_logitem_view *v);

/* Regions are padded to four bytes; @bytes <= UINT32_MAX - 3. */
static inline uint32_t logitem_padded(uint32_t bytes)
{
	return (bytes + 3) & ~3u;
}

/*
 * Name things to the caller, and the allocation groups they lie in. Nothing,
 * and runs that overflow, are dropped.
 */
void xfs_touch_inodes(const struct touch_sink *sink, uint64_t first,
		      uint64_t count);
void xfs_touch_daddr(const struct touch_sink *sink, uint64_t first,
		     uint64_t count_bb);
void xfs_touch_ag_blocks(const struct touch_sink *sink, uint64_t agno,
			 uint64_t agbno, uint64_t count);
/* @first: an fsblock, or with @rt a block number of the realtime device */
void xfs_touch_blocks(const struct touch_sink *sink, uint64_t first,
		      uint64_t count, bool rt);

/*
 * NULL, or why these cannot be blocks (with @rt: realtime) or an inode of the
 * filesystem. Without a geometry only what no filesystem has is refused.
 */
const char *xfs_logitem_check_blocks(const struct xfs_geom *geom,
				     uint64_t first, uint64_t count, bool rt);
const char *xfs_logitem_check_ino(const struct xfs_geom *geom, uint64_t ino);

#endif
