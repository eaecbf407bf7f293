/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deferred work of cells: units for one of them, in the form of several types
 * of intents. What a gift says lies in the fields of one extent, the sense of
 * which is not that of the filesystem.
 */
#include "tests/lib/cells_priv.h"

struct work {
	struct defer_work w;
	struct cells	*all;
	struct gift	gift;
};

static struct work *work_of(const struct list *link)
{
	return container_of((struct list *)(uintptr_t)link, struct work,
			    w.link);
}

static struct cells *cells_of(struct trans *t)
{
	return container_of(t->fs, struct cells, fs);
}

struct defer_work *gift_new(struct cells *c, const struct gift *gift)
{
	struct work *w = calloc(1, sizeof(*w));

	cr_assert(w);
	list_init(&w->w.link);
	w->all = c;
	w->gift = *gift;
	c->works++;
	return &w->w;
}

static void gift_free(struct defer_work *w)
{
	struct work *work = container_of(w, struct work, w);

	work->all->works--;
	free(work);
}

void gift_defer(struct trans *t, const struct defer_type *type,
		const struct gift *gift)
{
	cr_assert_eq(defer_add(t, type, gift_new(cells_of(t), gift)), 0);
}

/* --- in the log --- */

static uint32_t count(const struct list *works)
{
	uint32_t n = 0;

	for (struct list *l = list_first(works); l; l = list_next(l, works))
		n++;
	return n;
}

static unsigned int rui_regions(const struct list *works,
				uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	len_bytes[0] = xfs_rui_log_format_size +
		       count(works) * xfs_map_extent_size;
	return 1;
}

static void rui_encode(const struct list *works,
		       uint8_t *const regions[DEFER_MAX_REGIONS])
{
	uint8_t *at = regions[0] + xfs_rui_log_format_size;

	put_w32(regions[0] + 4, count(works), XFS_HOST_ORDER);
	for (struct list *l = list_first(works); l; l = list_next(l, works)) {
		const struct gift *g = &work_of(l)->gift;

		xfs_map_extent_encode(at, &(struct xfs_map_extent){
			.me_owner = g->to, .me_startblock = g->hops,
			.me_startoff = g->step, .me_len = g->units,
			.me_flags = (uint8_t)g->tag,
		}, 0, XFS_HOST_ORDER);
		at += xfs_map_extent_size;
	}
}

static unsigned int efi_regions(const struct list *works,
				uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	len_bytes[0] = xfs_efi_log_format_size + count(works) *
						 xfs_extent_size;
	return 1;
}

static void efi_encode(const struct list *works,
		       uint8_t *const regions[DEFER_MAX_REGIONS])
{
	uint8_t *at = regions[0] + xfs_efi_log_format_size;

	put_w32(regions[0] + 4, count(works), XFS_HOST_ORDER);
	for (struct list *l = list_first(works); l; l = list_next(l, works)) {
		const struct gift *g = &work_of(l)->gift;

		xfs_extent_encode(at, &(struct xfs_extent){
			.ext_start = (uint64_t)g->to | (uint64_t)g->hops << 16 |
				     (uint64_t)g->step << 24 |
				     (uint64_t)(uint8_t)g->tag << 48,
			.ext_len = g->units,
		}, 0, XFS_HOST_ORDER);
		at += xfs_extent_size;
	}
}

/* A name as long as there are units, and a value: some text. */
static unsigned int attri_regions(const struct list *works,
				  uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	len_bytes[0] = xfs_attri_log_format_size;
	len_bytes[1] = (work_of(list_first(works))->gift.units + 3) & ~3u;
	len_bytes[2] = 8;
	return 3;
}

static void attri_encode(const struct list *works,
			 uint8_t *const regions[DEFER_MAX_REGIONS])
{
	const struct gift *g = &work_of(list_first(works))->gift;

	xfs_attri_log_format_encode(regions[0],
				    &(struct xfs_attri_log_format){
		.alfi_igen = g->step, .alfi_ino = g->to,
		.alfi_op_flags = XFS_ATTRI_SET, .alfi_name_len = g->units,
		.alfi_value_len = 5, .alfi_attr_filter = 0,
	}, 0, XFS_HOST_ORDER);
	memset(regions[1], g->tag, g->units);
	memcpy(regions[2], "value", 5);
}

const struct defer_type *gifts_decode(struct cells *c,
				      const struct xlog_item *item,
				      struct list *works)
{
	const struct xlog_region *r = item->regions;
	bool efi = item->type == XFS_LI_EFI;
	uint32_t n = get_w32(r->data + 4, XFS_HOST_ORDER);

	cr_assert_eq(item->nregions, 1);
	cr_assert_eq(r->len_bytes, 16 + n * (efi ? xfs_extent_size :
						   xfs_map_extent_size));
	for (uint32_t i = 0; i < n; i++) {
		struct xfs_map_extent m;
		struct xfs_extent e;
		struct gift g;

		if (efi) {
			xfs_extent_decode(&e, r->data + 16 + i *
					  xfs_extent_size, xfs_extent_size,
					  XFS_HOST_ORDER);
			g = (struct gift){
				.tag = (char)(e.ext_start >> 48),
				.to = (uint16_t)e.ext_start,
				.hops = (uint8_t)(e.ext_start >> 16),
				.step = (uint8_t)(e.ext_start >> 24),
				.units = e.ext_len,
			};
		} else {
			xfs_map_extent_decode(&m, r->data + 16 + i *
					      xfs_map_extent_size,
					      xfs_map_extent_size,
					      XFS_HOST_ORDER);
			g = (struct gift){
				.tag = (char)m.me_flags,
				.to = (uint32_t)m.me_owner,
				.hops = (uint32_t)m.me_startblock,
				.step = (uint32_t)m.me_startoff,
				.units = m.me_len,
			};
		}
		list_insert_last(&gift_new(c, &g)->link, works);
	}
	return efi ? &gift_efi_type : &gift_type;
}

/* --- doing it --- */

static void note_step(struct cells *c, char tag)
{
	size_t n = strlen(c->steps);

	cr_assert_lt(n + 1, sizeof(c->steps));
	c->steps[n] = tag;
	c->steps[n + 1] = '\0';
}

static int gift_finish(struct trans *t, struct defer_work *w,
		       struct defer_state *st)
{
	struct cells *c = cells_of(t);
	struct gift *g = &container_of(w, struct work, w)->gift;
	uint32_t n = g->step && g->step < g->units ? g->step : g->units;

	note_step(c, g->tag);
	if (c->fails && strchr(c->fails, g->tag))
		return report(&c->fs.sink, -EIO, "test", XLOG_LSN_NONE,
			      "gift %c fails", g->tag);
	st->own = c;
	if (g->hops) {
		struct gift next = { g->tag, (g->to + 1) % CELLS, n, 0,
				     g->hops - 1 };

		gift_defer(t, &gift_type, &next);
	} else {
		cell_add(t, &c->cell[g->to], n);
	}
	g->units -= n;
	return g->units ? -EAGAIN : 0;
}

/* Tells in the steps how the works of an intent have ended. */
static void gift_cleanup(struct trans *t, struct defer_state *st, int rc)
{
	cr_assert(rc || st->own == cells_of(t));
	note_step(cells_of(t), !rc ? '.' : rc == -EAGAIN ? '~' : '!');
}

static int by_cell(const struct defer_work *a, const struct defer_work *b)
{
	uint32_t to_a = work_of(&a->link)->gift.to;
	uint32_t to_b = work_of(&b->link)->gift.to;

	return (to_a > to_b) - (to_a < to_b);
}

const struct defer_type gift_type = {
	.name = "gift",
	.intent_type = XFS_LI_RUI, .done_type = XFS_LI_RUD,
	.max_items = 3,
	.intent_regions = rui_regions, .intent_encode = rui_encode,
	.finish = gift_finish, .cleanup = gift_cleanup,
	.free_work = gift_free,
};
const struct defer_type gift_sorted_type = {
	.name = "sorted gift",
	.intent_type = XFS_LI_RUI, .done_type = XFS_LI_RUD,
	.max_items = 3, .compare = by_cell,
	.intent_regions = rui_regions, .intent_encode = rui_encode,
	.finish = gift_finish, .cleanup = gift_cleanup,
	.free_work = gift_free,
};
const struct defer_type gift_efi_type = {
	.name = "gift by EFI",
	.intent_type = XFS_LI_EFI, .done_type = XFS_LI_EFD,
	.done_repeats = true, .max_items = 2,
	.intent_regions = efi_regions, .intent_encode = efi_encode,
	.finish = gift_finish, .free_work = gift_free,
};
const struct defer_type gift_attri_type = {
	.name = "gift by ATTRI",
	.intent_type = XFS_LI_ATTRI, .done_type = XFS_LI_ATTRD,
	.max_items = 1,
	.intent_regions = attri_regions, .intent_encode = attri_encode,
	.finish = gift_finish, .free_work = gift_free,
};
