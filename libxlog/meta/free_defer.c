/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freeing space by deferred operations: EFI and EFD. One extent makes a change
 * to every tree of free space and of owners, which is as much as a transaction
 * has room for in the log; so they are freed one by one.
 */
#include "libxlog/meta/ag_work.h"
#include "libxlog/meta/alloc_priv.h"
#include "libxlog/trans/trans_buf.h"

enum { MAX_EXTENTS = 16 };		/* in an EFI that we log */

struct free_work {
	struct ag_work	ag;		/* first */
	xfs_agblock_t	agbno;
	uint32_t	len;
	struct rmap_owner who;
	unsigned int	flags;
};

static const struct free_work *free_work(const struct defer_work *w)
{
	return container_of(w, const struct free_work, ag.work);
}

/* --- in the log --- */

static unsigned int efi_regions(const struct list *works,
				uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	len_bytes[0] = xfs_efi_log_format_size +
		       list_length(works) * XFS_EXTENT_BYTES_64;
	return 1;
}

static void efi_encode(const struct list *works,
		       uint8_t *const regions[DEFER_MAX_REGIONS])
{
	const struct xfs_efi_log_format efi = {
		.efi_nextents = list_length(works),
	};
	uint8_t *at = regions[0] + xfs_efi_log_format_size;

	xfs_efi_log_format_encode(regions[0], &efi, 0, XFS_HOST_ORDER);
	for (const struct list *l = works->next; l != works; l = l->next) {
		const struct free_work *w = container_of(l, struct free_work,
							 ag.work.link);
		const struct xfs_extent ext = {
			.ext_start = perag_fsb(w->ag.pag, w->agbno),
			.ext_len = w->len,
		};

		xfs_extent_encode(at, &ext, 0, XFS_HOST_ORDER);
		at += XFS_EXTENT_BYTES_64;
	}
}

/* --- being done --- */

static int finish_extent(struct trans *t, struct defer_work *work,
			 struct defer_state *st)
{
	const struct free_work *w = free_work(work);

	(void)st;
	return free_extent(t, w->ag.pag, w->agbno, w->len, &w->who, w->flags);
}

static int finish_listed(struct trans *t, struct defer_work *work,
			 struct defer_state *st)
{
	const struct free_work *w = free_work(work);
	struct buf *agfbuf;
	int rc = ag_read_agf(t, w->ag.pag, &agfbuf);

	(void)st;
	return rc ? rc : free_ag_extent(t, w->ag.pag, agfbuf, w->agbno, w->len,
					&w->who, true);
}

const struct defer_type defer_extent_free = {
	.name = "extent free",
	.intent_type = XFS_LI_EFI,
	.done_type = XFS_LI_EFD,
	.done_repeats = true,
	.max_items = MAX_EXTENTS,
	.compare = ag_work_compare,
	.intent_regions = efi_regions,
	.intent_encode = efi_encode,
	.finish = finish_extent,
	.free_work = ag_work_free,
};

const struct defer_type defer_agfl_free = {
	.name = "AGFL free",
	.intent_type = XFS_LI_EFI,
	.done_type = XFS_LI_EFD,
	.done_repeats = true,
	.max_items = MAX_EXTENTS,
	.compare = ag_work_compare,
	.intent_regions = efi_regions,
	.intent_encode = efi_encode,
	.finish = finish_listed,
	.free_work = ag_work_free,
};

/* --- deferring it --- */

static int make_work(struct trans_fs *fs, xfs_fsblock_t fsb, uint32_t len,
		     const struct rmap_owner *who, unsigned int flags,
		     struct defer_work **out)
{
	struct ag_work *aw;
	struct free_work *w;
	int rc = ag_work_new(fs, sizeof(*w), fsb, len, "extent.free",
			     "are to be freed, and cannot be", &aw);

	if (rc)
		return rc;
	w = container_of(aw, struct free_work, ag);
	w->agbno = xfs_fsb_agbno(&fs->geom, fsb);
	w->len = len;
	w->who = *who;
	w->flags = flags;
	*out = &aw->work;
	return 0;
}

int free_extent_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len,
		      const struct rmap_owner *who, unsigned int flags)
{
	const struct rmap_owner nobody = rmap_special(XFS_RMAP_OWN_NULL);
	struct defer_work *w;
	int rc = make_work(t->fs, fsb, len, who ? who : &nobody, flags, &w);

	return rc ? rc : defer_add(t, &defer_extent_free, w);
}

int agfl_free_later(struct trans *t, struct perag *pag, xfs_agblock_t agbno)
{
	const struct rmap_owner who = rmap_special(XFS_RMAP_OWN_AG);
	struct defer_work *w;
	int rc = make_work(t->fs, perag_fsb(pag, agbno), 1, &who, 0, &w);

	return rc ? rc : defer_add(t, &defer_agfl_free, w);
}

int extent_free_work_decode(struct trans_fs *fs, const struct xfs_extent *ext,
			    struct defer_work **out)
{
	const struct rmap_owner who = rmap_special(XFS_RMAP_OWN_UNKNOWN);

	return make_work(fs, ext->ext_start, ext->ext_len, &who, 0, out);
}
