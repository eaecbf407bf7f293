/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of one transaction while its operations come in.
 */
#ifndef LIBXLOG_READ_OPENTRANS_H
#define LIBXLOG_READ_OPENTRANS_H

#include "libxlog/read/arena.h"
#include "libxlog/xlog.h"

enum { TRANS_HEADER_BYTES = 16 };

struct open_trans {
	struct open_trans *hash_next;
	struct open_trans *prev, *next;	/* order of START */
	struct xlog_trans t;		/* items: filled in when it is given out */
	struct arena	arena;
	struct xlog_region *regions;
	size_t		nregions, regions_cap;
	size_t		detached;	/* regions before this one are copies */
	bool		tail_copied;	/* and so is the last one */
	struct xlog_item *items;	/* .regions: index, made a pointer late */
	size_t		*first;		/* first region of each item */
	size_t		nitems, items_cap;
	uint8_t		header[TRANS_HEADER_BYTES];
	uint32_t	header_bytes;	/* there so far */
	uint64_t	held_bytes;	/* counted in that of the assembly */
};

/* Room for one more, or false: out of memory, and nothing has changed. */
bool trans_room_for_region(struct open_trans *tr);
bool trans_room_for_item(struct open_trans *tr);

/* As whoever asked for transactions gets to see it, until it grows. */
const struct xlog_trans *trans_public(struct open_trans *tr);

/* For the next one: empty, its memory kept. */
void trans_reset(struct open_trans *tr);

/* NULL is allowed. */
void trans_free(struct open_trans *tr);

#endif
