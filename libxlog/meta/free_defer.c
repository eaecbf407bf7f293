/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freeing space by deferred operations: EFI and EFD. One extent makes a change
 * to every tree of free space and of owners, which is as much as a transaction
 * has room for in the log; so they are freed one by one.
 */
#include <stdlib.h>

#include "libxlog/meta/alloc_priv.h"
#include "libxlog/trans/trans_buf.h"

enum { MAX_EXTENTS = 16 };		/* in an EFI that we log */

struct free_work {
	struct defer_work work;
	struct perag	*pag;
	xfs_agblock_t	agbno;
	uint32_t	len;
	struct rmap_owner who;
	unsigned int	flags;
};

static const struct free_work *free_work(const struct defer_work *w)
{
	return container_of(w, const struct free_work, work);
}

static int make_work(const struct free_work *what, struct defer_work **out)
{
	struct free_work *w = malloc(sizeof(*w));

	if (!w)
		return report(&what->pag->group.fs->sink, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory");
	*w = *what;
	list_init(&w->work.link);
	*out = &w->work;
	return 0;
}

static void drop_work(struct defer_work *w)
{
	free(container_of(w, struct free_work, work));
}

/* Groups in ascending order: that is how they are locked. */
static int by_group(const struct defer_work *a, const struct defer_work *b)
{
	xfs_agnumber_t x = free_work(a)->pag->group.agno;
	xfs_agnumber_t y = free_work(b)->pag->group.agno;

	return (x > y) - (x < y);
}

/* --- in the log --- */

static uint32_t count(const struct list *works)
{
	uint32_t n = 0;

	for (const struct list *l = works->next; l != works; l = l->next)
		n++;
	return n;
}

static unsigned int efi_regions(const struct list *works,
				uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	len_bytes[0] = xfs_efi_log_format_size +
		       count(works) * XFS_EXTENT_BYTES_64;
	return 1;
}

static void efi_encode(const struct list *works,
		       uint8_t *const regions[DEFER_MAX_REGIONS])
{
	const struct xfs_efi_log_format efi = {
		.efi_nextents = count(works),
	};
	uint8_t *at = regions[0] + xfs_efi_log_format_size;

	xfs_efi_log_format_encode(regions[0], &efi, 0, XFS_HOST_ORDER);
	for (const struct list *l = works->next; l != works; l = l->next) {
		const struct free_work *w = container_of(l, struct free_work,
							 work.link);
		const struct xfs_extent ext = {
			.ext_start = perag_fsb(w->pag, w->agbno),
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
	return free_extent(t, w->pag, w->agbno, w->len, &w->who, w->flags);
}

static int finish_listed(struct trans *t, struct defer_work *work,
			 struct defer_state *st)
{
	const struct free_work *w = free_work(work);
	struct buf *agfbuf;
	int rc = ag_read_agf(t, w->pag, &agfbuf);

	(void)st;
	return rc ? rc : free_ag_extent(t, w->pag, agfbuf, w->agbno, w->len,
					&w->who, true);
}

const struct defer_type defer_extent_free = {
	.name = "extent free",
	.intent_type = XFS_LI_EFI,
	.done_type = XFS_LI_EFD,
	.done_repeats = true,
	.max_items = MAX_EXTENTS,
	.compare = by_group,
	.intent_regions = efi_regions,
	.intent_encode = efi_encode,
	.finish = finish_extent,
	.free_work = drop_work,
};

const struct defer_type defer_agfl_free = {
	.name = "AGFL free",
	.intent_type = XFS_LI_EFI,
	.done_type = XFS_LI_EFD,
	.done_repeats = true,
	.max_items = MAX_EXTENTS,
	.compare = by_group,
	.intent_regions = efi_regions,
	.intent_encode = efi_encode,
	.finish = finish_listed,
	.free_work = drop_work,
};

/* --- deferring it --- */

/* @fsb lies in a group, and so do all @len blocks. */
static int locate(struct trans_fs *fs, xfs_fsblock_t fsb, uint32_t len,
		  struct free_work *w)
{
	const struct xfs_geom *g = &fs->geom;
	xfs_agnumber_t agno = xfs_fsb_agno(g, fsb);

	if (agno < g->agcount) {
		w->pag = perag_of(fs, agno);
		w->agbno = xfs_fsb_agbno(g, fsb);
		w->len = len;
		if (perag_has(w->pag, w->agbno, len))
			return 0;
	}
	return report(&fs->sink, -EUCLEAN, "extent.free", XLOG_LSN_NONE,
		      "%u blocks from block %llu are to be freed, and cannot be",
		      len, (unsigned long long)fsb);
}

int free_extent_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len,
		      const struct rmap_owner *who, unsigned int flags)
{
	struct free_work what = {
		.who = who ? *who : rmap_special(XFS_RMAP_OWN_NULL),
		.flags = flags,
	};
	struct defer_work *w;
	int rc = locate(t->fs, fsb, len, &what);

	if (!rc)
		rc = make_work(&what, &w);
	return rc ? rc : defer_add(t, &defer_extent_free, w);
}

int agfl_free_later(struct trans *t, struct perag *pag, xfs_agblock_t agbno)
{
	const struct free_work what = {
		.pag = pag, .agbno = agbno, .len = 1,
		.who = rmap_special(XFS_RMAP_OWN_AG),
	};
	struct defer_work *w;
	int rc = make_work(&what, &w);

	return rc ? rc : defer_add(t, &defer_agfl_free, w);
}

int extent_free_work_decode(struct trans_fs *fs, const struct xfs_extent *ext,
			    struct defer_work **out)
{
	struct free_work what = {
		.who = rmap_special(XFS_RMAP_OWN_UNKNOWN),
	};
	int rc = locate(fs, ext->ext_start, ext->ext_len, &what);

	return rc ? rc : make_work(&what, out);
}
