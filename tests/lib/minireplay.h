/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recovery without a log, for tests of what single items do: a small disk in
 * memory, items from hex (logitem.h) that are planned and then applied to all
 * of their targets in one window. Blocks are of 512 bytes unless a test sets
 * the geometry; all in 4 groups of 1024 blocks.
 */
#ifndef TESTS_LIB_MINIREPLAY_H
#define TESTS_LIB_MINIREPLAY_H

#include "libxlog/replay/kept.h"
#include "libxlog/replay/window.h"
#include "tests/lib/logitem.h"
#include "tests/lib/memdev.h"

enum { MINI_GROUPS = 4, MINI_GROUP_BLOCKS = 1024 };

struct minireplay {
	struct reports	said;
	struct sink	sink;
	struct xlog	log;
	struct xlog_recover_options opts;
	struct xlog_recover_result res;
	struct replay	r;
};

/* Blocks of 2^@blocklog bytes, inodes of 512. */
UNUSED static struct minireplay *mini_new(bool v5, uint8_t blocklog)
{
	struct minireplay *m = calloc(1, sizeof(*m));
	struct xfs_geom *g = &m->r.geom;

	cr_assert_not_null(m);
	*g = (struct xfs_geom){
		.blocklog = blocklog, .sectlog = 9, .inodelog = 9,
		.inopblog = (uint8_t)(blocklog - 9), .agblklog = 10,
		.blocksize = 1u << blocklog, .sectsize = 512,
		.inodesize = 512, .inopblock = 1u << (blocklog - 9),
		.agcount = MINI_GROUPS, .agblocks = MINI_GROUP_BLOCKS,
		.dblocks = MINI_GROUPS * MINI_GROUP_BLOCKS,
		.v5 = v5, .bigtime = v5,
	};
	m->sink = reports_sink(&m->said);
	m->log.sink = m->sink;
	m->log.fs = memdev_zeros(g->dblocks << blocklog, &m->sink);
	m->log.geom = *g;
	m->opts.stop_lsn = XLOG_LSN_NONE;
	m->r.log = &m->log;
	m->r.opts = &m->opts;
	m->r.res = &m->res;
	m->r.cluster_bb = 16384 / BB_SIZE;
	m->r.max_bytes = 16 << 20;
	m->r.targets = targets_new(1 << 20);
	m->r.kept = kept_new();
	cr_assert(m->r.targets && m->r.kept);
	return m;
}

UNUSED static void mini_free(struct minireplay *m)
{
	window_free(m->r.window);
	targets_free(m->r.targets);
	kept_free(m->r.kept);
	owners_free(m->r.owners);
	dev_close(m->log.fs);
	free(m);
}

UNUSED static void mini_write(struct minireplay *m, uint64_t daddr,
			      const void *data, size_t len)
{
	cr_assert_eq(dev_write(m->log.fs, daddr * BB_SIZE, data, len), 0);
}

/* One walk of @item, the first or the second; its type decides who does it. */
UNUSED static int mini_item(struct minireplay *m, struct item *item,
			    xfs_lsn_t lsn, uint32_t seq, bool apply)
{
	const struct xlog_item raw = {
		.type = xfs_logitem_type(&item->v),
		.declared = (uint16_t)item->v.nregions,
		.nregions = (uint16_t)item->v.nregions,
	};
	struct replay_item it = {
		.item = &raw, .view = item->v, .lsn = lsn, .seq = seq,
	};
	const struct replay_type *type = replay_type_of(raw.type);

	cr_assert_not_null(type);
	it.view.geom = &m->r.geom;
	if (apply)
		return type->apply ? type->apply(&m->r, &it) : 0;
	return type->plan(&m->r, &it);
}

UNUSED static int mini_plan(struct minireplay *m, struct item *item,
			    xfs_lsn_t lsn, uint32_t seq)
{
	return mini_item(m, item, lsn, seq, false);
}

UNUSED static int mini_apply(struct minireplay *m, struct item *item,
			     xfs_lsn_t lsn, uint32_t seq)
{
	return mini_item(m, item, lsn, seq, true);
}

/* The plan is complete: read targets @first and on, @count of them. */
UNUSED static void mini_load_some(struct minireplay *m, size_t first,
				  size_t count)
{
	struct window *w = calloc(1, sizeof(*w));
	size_t used = 0;

	cr_assert_not_null(w);
	window_free(m->r.window);
	m->r.window = w;
	w->first = first;
	w->count = count;
	w->targets = calloc(count + 1, sizeof(*w->targets));
	for (size_t i = 0; i < count; i++) {
		w->targets[i].at = targets_at(m->r.targets, first + i);
		w->arena_bytes += w->targets[i].at.len_bb * BB_SIZE;
	}
	w->arena = malloc(w->arena_bytes + 1);
	cr_assert(w->targets && w->arena);
	for (size_t i = 0; i < count; i++) {
		struct target *t = &w->targets[i];
		size_t len = t->at.len_bb * BB_SIZE;

		t->data = w->arena + used;
		used += len;
		cr_assert_eq(dev_read(m->log.fs, t->at.daddr * BB_SIZE,
				      t->data, len), 0);
		target_start(&m->r, t);
	}
	m->r.counting = true;
}

UNUSED static void mini_load(struct minireplay *m)
{
	cr_assert_eq(targets_sort(m->r.targets), 0);
	mini_load_some(m, 0, targets_count(m->r.targets));
}

/* Every target is checked; the first error counts. */
UNUSED static int mini_finish(struct minireplay *m)
{
	int rc = 0;

	for (size_t i = 0; i < m->r.window->count && !rc; i++)
		rc = target_finish(&m->r, &m->r.window->targets[i]);
	return rc;
}

/* The only target, or the one that begins at @daddr. */
UNUSED static struct target *mini_target(struct minireplay *m, uint64_t daddr)
{
	struct window *w = m->r.window;

	for (size_t i = 0; i < w->count; i++)
		if (w->targets[i].at.daddr == daddr)
			return &w->targets[i];
	cr_assert_fail("no target at daddr %llu", (unsigned long long)daddr);
	return NULL;
}

#endif
