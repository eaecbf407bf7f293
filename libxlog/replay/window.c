/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A part of the targets in memory: read in disk order, changed in log order,
 * written in disk order. Targets that touch on disk touch in memory, so that
 * reads and writes become long; those that overlap share their bytes.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/batch.h"
#include "libxlog/replay/kept.h"
#include "libxlog/replay/walk.h"
#include "libxlog/replay/window.h"

static uint64_t end_of(struct target_place at)
{
	return at.daddr + at.len_bb;
}

uint64_t window_budget(const struct replay *r)
{
	uint64_t taken = targets_bytes(r->targets) + r->max_bytes / KEPT_SHARE;

	return taken < r->max_bytes ? r->max_bytes - taken : 0;
}

size_t window_fit(const struct replay *r, size_t first, uint64_t max_bytes)
{
	size_t n = targets_count(r->targets), fit = first;
	uint64_t bytes = 0, end = 0;

	for (size_t i = first; i < n; i++) {
		struct target_place at = targets_at(r->targets, i);
		uint64_t from = at.daddr;

		if (from >= end)
			fit = i;	/* a window may end here */
		else
			from = end;
		if (end_of(at) > from)
			bytes += (end_of(at) - from) * BB_SIZE;
		bytes += sizeof(struct target) + sizeof(struct dev_io);
		if (bytes > max_bytes)
			return fit - first;
		if (end_of(at) > end)
			end = end_of(at);
	}
	return n - first;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	for (size_t i = 0; w->targets && i < w->count; i++)
		free(w->targets[i].logged);
	free(w->targets);
	tdestroy(w->torn, free);
	free(w->arena);
	free(w);
}

/*
 * Give every target its place in the arena, if there is one yet. Returns the
 * bytes they take.
 */
static size_t lay_out(struct replay *r, struct window *w)
{
	uint64_t begin = 0, end = 0;	/* of what overlaps, on disk */
	size_t base = 0, used = 0;

	for (size_t i = 0; i < w->count; i++) {
		struct target *t = &w->targets[i];

		t->at = targets_at(r->targets, w->first + i);
		if (t->at.daddr >= end) {
			begin = end = t->at.daddr;
			base = used;
		}
		if (end_of(t->at) > end) {
			used += (size_t)(end_of(t->at) - end) * BB_SIZE;
			end = end_of(t->at);
		}
		if (w->arena)
			t->data = w->arena + base +
				  (t->at.daddr - begin) * BB_SIZE;
	}
	return used;
}

/*
 * The runs of targets for which @dirty is not asked or true, as I/O. Targets
 * that overlap make one.
 */
static size_t collect(const struct window *w, bool dirty, struct dev_io *ios)
{
	size_t n = 0;

	for (size_t i = 0; i < w->count; i++) {
		const struct target *t = &w->targets[i];
		uint64_t off = t->at.daddr * BB_SIZE;
		size_t len = (size_t)t->at.len_bb * BB_SIZE;

		if (dirty && !t->dirty)
			continue;
		if (n && off < ios[n - 1].off_bytes + ios[n - 1].len) {
			uint64_t end = off + len;

			if (end > ios[n - 1].off_bytes + ios[n - 1].len)
				ios[n - 1].len = (size_t)(end -
						 ios[n - 1].off_bytes);
			continue;
		}
		ios[n++] = (struct dev_io){ off, t->data, len };
	}
	return n;
}

enum transfer {
	TRANSFER_READ,
	TRANSFER_ANNOUNCE,
	TRANSFER_WRITE,
};

static int transfer(struct replay *r, enum transfer what)
{
	struct window *w = r->window;
	struct dev_io *ios = calloc(w->count ? w->count : 1, sizeof(*ios));
	struct dev *fs = r->log->fs;
	size_t n;
	int rc;

	if (!ios)
		return replay_no_memory(r);
	n = collect(w, what != TRANSFER_READ, ios);
	rc = what == TRANSFER_READ ? dev_read_batch(fs, ios, n) :
	     what == TRANSFER_WRITE ? replay_write(r, fs, ios, n) :
				      dev_prepare(fs, ios, n);
	free(ios);
	return rc;
}

static int window_new(struct replay *r, size_t first, size_t count)
{
	struct window *w = calloc(1, sizeof(*w));

	window_free(r->window);
	r->window = w;
	if (!w)
		return replay_no_memory(r);
	w->first = first;
	w->count = count;
	w->targets = calloc(count ? count : 1, sizeof(*w->targets));
	if (!w->targets)
		return replay_no_memory(r);
	w->arena_bytes = lay_out(r, w);
	w->arena = malloc(w->arena_bytes ? w->arena_bytes : 1);
	if (!w->arena)
		return replay_no_memory(r);
	lay_out(r, w);
	return 0;
}

struct target *apply_target(struct replay *r, const struct replay_item *it,
			    uint64_t daddr, uint32_t len_bb)
{
	struct window *w = r->window;
	ssize_t n;

	if (targets_cancelled(r->targets, daddr, len_bb, it->seq)) {
		if (r->counting && !w->first)
			r->res->cancelled++;
		return NULL;
	}
	n = targets_find(r->targets, daddr, len_bb);
	if (n < 0 || (size_t)n < w->first || (size_t)n - w->first >= w->count)
		return NULL;
	return &w->targets[(size_t)n - w->first];
}

static int apply_item(struct replay *r, const struct replay_item *it)
{
	const struct replay_type *type = replay_type_of(it->item->type);

	return type && type->apply ? type->apply(r, it) : 0;
}

static void peak(struct replay *r)
{
	uint64_t bytes = targets_bytes(r->targets) + r->window->arena_bytes +
			 r->window->count * sizeof(struct target);

	if (bytes > r->res->peak_bytes)
		r->res->peak_bytes = bytes;
}

int window_load(struct replay *r, size_t first, size_t count)
{
	struct replay_walk walk;
	struct window *w;
	int rc;

	rc = window_new(r, first, count);
	if (rc)
		return rc;
	w = r->window;
	peak(r);
	rc = transfer(r, TRANSFER_READ);
	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		target_start(r, &w->targets[i]);
	rc = replay_walk(r, XLOG_PHASE_CHECK, apply_item, &walk);
	if (!rc)
		rc = torn_inodes_finish(r);
	for (size_t i = 0; i < count && !rc; i++)
		rc = target_finish(r, &w->targets[i]);
	return rc;
}

/*
 * Is @t a block whose first sector, with LSN and checksum, is to be written
 * before the rest of it?
 *
 * A block that was newer than some of its items must not be torn so that its
 * old header, which says so, stands before new contents: the next recovery
 * could not tell it from a damaged one. With the new header before old
 * contents, the checksum that all items lead to proves it to be torn. (A mount
 * in between refuses it by that checksum.)
 *
 * Not so inodes: a mount in between would believe the new header, take over
 * what other items say and compute the checksum anew.
 */
static bool header_first(const struct replay *r, const struct target *t)
{
	return t->dirty && t->header_first && !t->inodes &&
	       (size_t)t->at.len_bb * BB_SIZE > r->log->fs->sector_bytes;
}

static int write_headers(struct replay *r)
{
	const struct window *w = r->window;
	struct dev_io *ios;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < w->count; i++)
		n += header_first(r, &w->targets[i]);
	if (!n)
		return 0;
	ios = calloc(n, sizeof(*ios));
	if (!ios)
		return replay_no_memory(r);
	n = 0;
	for (size_t i = 0; i < w->count; i++) {
		const struct target *t = &w->targets[i];

		if (header_first(r, t))
			ios[n++] = (struct dev_io){
				t->at.daddr * BB_SIZE, t->data,
				r->log->fs->sector_bytes
			};
	}
	rc = replay_write(r, r->log->fs, ios, n);
	free(ios);
	return rc || replay_is_dry(r) ? rc : dev_flush(r->log->fs);
}

int window_announce(struct replay *r)
{
	return transfer(r, TRANSFER_ANNOUNCE);
}

int window_write(struct replay *r)
{
	int rc = write_headers(r);

	return rc ? rc : transfer(r, TRANSFER_WRITE);
}

int window_reread(struct replay *r)
{
	struct window *w = r->window;
	struct dev_io *ios = calloc(w->count ? w->count : 1, sizeof(*ios));
	int rc;

	if (!ios)
		return replay_no_memory(r);
	rc = replay_settle(r, r->log->fs, ios, collect(w, true, ios));
	free(ios);
	return rc;
}
