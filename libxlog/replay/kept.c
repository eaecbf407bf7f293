/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking at the result before it is on the disk. Where everything fitted into
 * one window that is simple. Where it did not, copies are kept of the blocks
 * that are looked at most; any other block is made once more, by a window that
 * holds nothing else: slow, and right.
 */
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/inode.h"
#include "libxlog/replay/kept.h"
#include "libxlog/replay/window.h"

struct copy {
	struct target_place at;
	uint8_t		*data;
};

struct kept {
	struct copy	*copies;	/* in the order of the disk */
	size_t		count, room;
	uint64_t	bytes;
};

struct kept *kept_new(void)
{
	return calloc(1, sizeof(struct kept));
}

void kept_free(struct kept *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->count; i++)
		free(k->copies[i].data);
	free(k->copies);
	free(k);
}

uint64_t kept_bytes(const struct kept *k)
{
	return k->bytes + k->room * sizeof(*k->copies);
}

static int keep(struct replay *r, const struct target *t)
{
	size_t len = (size_t)t->at.len_bb * BB_SIZE;
	struct kept *k = r->kept;

	if (k->count == k->room) {
		size_t room = k->room ? k->room * 2 : 64;
		struct copy *p = realloc(k->copies, room * sizeof(*p));

		if (!p)
			return replay_no_memory(r);
		k->copies = p;
		k->room = room;
	}
	k->copies[k->count].at = t->at;
	k->copies[k->count].data = malloc(len);
	if (!k->copies[k->count].data)
		return replay_no_memory(r);
	memcpy(k->copies[k->count].data, t->data, len);
	k->count++;
	k->bytes += len;
	return 0;
}

/* Will someone who looks for what is left look at it? */
static bool is_of_interest(const struct replay *r, const struct target *t)
{
	const uint8_t *end = t->data + (size_t)t->at.len_bb * BB_SIZE;
	size_t inode_bytes = r->geom.inodesize;

	if (!t->inodes) {
		uint32_t magic = get_be32(t->data);

		return magic == XFS_AGF_MAGIC || magic == XFS_AGI_MAGIC ||
		       magic == XFS_REFC_CRC_MAGIC ||
		       magic == XFS_RTREFC_CRC_MAGIC;
	}
	/* an unlinked inode, or one with another behind it in the list */
	for (const uint8_t *p = t->data; end - p >= (ptrdiff_t)inode_bytes;
	     p += inode_bytes)
		if (get_be32(p + XFS_DINODE_UNLINKED_OFF) != UINT32_MAX ||
		    (get_be16(p + 2) && !get_be32(p + 16)))
			return true;
	return false;
}

int kept_take(struct replay *r)
{
	struct window *w = r->window;
	int rc = 0;

	for (size_t i = 0; i < w->count && !rc; i++) {
		if (kept_bytes(r->kept) > r->max_bytes / KEPT_SHARE)
			break;
		if (is_of_interest(r, &w->targets[i]))
			rc = keep(r, &w->targets[i]);
	}
	return rc;
}

static const struct copy *find_copy(const struct kept *k,
				    struct target_place at)
{
	size_t lo = 0, hi = k->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct copy *c = &k->copies[mid];

		if (c->at.daddr == at.daddr && c->at.len_bb == at.len_bb)
			return c;
		if (c->at.daddr < at.daddr ||
		    (c->at.daddr == at.daddr && c->at.len_bb < at.len_bb))
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* The first of those that overlap number @i, and those that overlap them. */
static size_t first_of_chain(const struct replay *r, size_t i)
{
	for (;;) {
		size_t from = targets_from(r->targets,
					   targets_at(r->targets, i).daddr);

		if (from >= i)
			return i;
		i = from;
	}
}

/* Contents of target number @i, in memory from here on or already. */
static int contents(struct replay *r, size_t i, const uint8_t **out)
{
	const struct window *w = r->window;
	const struct copy *c;
	size_t first, count;
	int rc;

	if (!w || i < w->first || i - w->first >= w->count) {
		c = find_copy(r->kept, targets_at(r->targets, i));
		if (c) {
			*out = c->data;
			return 0;
		}
		/* all that overlap it, and a few that fit with them */
		first = first_of_chain(r, i);
		count = window_fit(r, first, r->max_bytes / KEPT_SHARE);
		if (!count)
			count = window_fit(r, first, window_budget(r));
		/* when it was checked it did fit */
		if (i - first >= count)
			return replay_no_memory(r);
		rc = window_load(r, first, count);
		if (rc)
			return rc;
		w = r->window;
	}
	*out = w->targets[i - w->first].data;
	return 0;
}

int replay_read(struct replay *r, uint64_t daddr, uint32_t len_bb, void *buf)
{
	uint64_t end = daddr + len_bb;
	int rc;

	if (end < daddr || end > r->log->fs->size_bytes / BB_SIZE)
		return replay_refuse(r, -EUCLEAN, "block.place", XLOG_LSN_NONE,
				     "%u blocks at daddr %llu lie behind the end of the device",
				     len_bb, (unsigned long long)daddr);
	rc = dev_read(r->log->fs, daddr * BB_SIZE, buf,
		      (size_t)len_bb * BB_SIZE);
	if (rc || r->written)
		return rc;
	for (size_t i = targets_from(r->targets, daddr);
	     i < targets_count(r->targets); i++) {
		struct target_place at = targets_at(r->targets, i);
		uint64_t from = at.daddr > daddr ? at.daddr : daddr;
		uint64_t to = at.daddr + at.len_bb;
		const uint8_t *data = NULL;

		if (at.daddr >= end)
			break;
		if (to > end)
			to = end;
		if (to <= from)
			continue;
		rc = contents(r, i, &data);
		if (rc)
			return rc;
		memcpy((uint8_t *)buf + (from - daddr) * BB_SIZE,
		       data + (from - at.daddr) * BB_SIZE,
		       (size_t)(to - from) * BB_SIZE);
	}
	return 0;
}
