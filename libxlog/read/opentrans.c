/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arrays that double, and what becomes of them.
 */
#include <stdlib.h>

#include "libxlog/read/opentrans.h"

bool trans_room_for_region(struct open_trans *tr)
{
	size_t cap = tr->regions_cap ? 2 * tr->regions_cap : 64;
	struct xlog_region *r;

	if (tr->nregions < tr->regions_cap)
		return true;
	r = realloc(tr->regions, cap * sizeof(*r));
	if (!r)
		return false;
	tr->regions = r;
	tr->regions_cap = cap;
	return true;
}

bool trans_room_for_item(struct open_trans *tr)
{
	size_t cap = tr->items_cap ? 2 * tr->items_cap : 32;
	struct xlog_item *items;
	size_t *first;

	if (tr->nitems < tr->items_cap)
		return true;
	items = realloc(tr->items, cap * sizeof(*items));
	if (!items)
		return false;
	tr->items = items;
	first = realloc(tr->first, cap * sizeof(*first));
	if (!first)
		return false;
	tr->first = first;
	tr->items_cap = cap;
	return true;
}

const struct xlog_trans *trans_public(struct open_trans *tr)
{
	for (size_t i = 0; i < tr->nitems; i++)
		tr->items[i].regions = tr->regions + tr->first[i];
	tr->t.items = tr->items;
	tr->t.nitems = tr->nitems;
	return &tr->t;
}

void trans_reset(struct open_trans *tr)
{
	arena_reset(&tr->arena);
	tr->nregions = tr->detached = tr->nitems = 0;
	tr->header_bytes = 0;
	tr->held_bytes = 0;
}

void trans_free(struct open_trans *tr)
{
	if (!tr)
		return;
	arena_fini(&tr->arena);
	free(tr->regions);
	free(tr->items);
	free(tr->first);
	free(tr);
}
