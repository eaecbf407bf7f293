/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fuzz targets share: a receiver that reads every byte it is shown,
 * so that a walk that points outside its block is caught, and a log in memory.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdlib.h>

#include "libxfsfmt/walk.h"
#include "libxlog/read/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- a receiver that touches everything --- */

struct touch {
	uint64_t	sum;
	int		depth;
};

static inline void touch_bytes(struct touch *t, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		t->sum += p[i];
}

static inline void touch_enter(void *ctx, const char *name, long index)
{
	struct touch *t = ctx;

	t->depth++;
	t->sum += (uint64_t)index + (uint8_t)name[0];
}

static inline void touch_leave(void *ctx)
{
	struct touch *t = ctx;

	/* groups must nest */
	if (--t->depth < 0)
		abort();
}

static inline void touch_field(void *ctx, const struct xfs_field *f,
			       const void *base, enum xfs_order order)
{
	struct touch *t = ctx;

	if (f->type == XFS_TYPE_bytes) {
		touch_bytes(t, (const uint8_t *)base + f->off_bytes, f->count);
		return;
	}
	for (unsigned int i = 0; i < f->count; i++)
		t->sum += xfs_field_value(f, base, i, order);
}

static inline void touch_value(void *ctx, const char *name,
			       enum xfs_field_kind kind, uint64_t value)
{
	struct touch *t = ctx;

	(void)kind;
	t->sum += value + (uint8_t)name[0];
}

static inline void touch_string(void *ctx, const char *name,
				enum xfs_field_kind kind, const void *data,
				size_t len_bytes)
{
	(void)name;
	(void)kind;
	touch_bytes(ctx, data, len_bytes);
}

static const struct xfs_walk_ops touch_ops __attribute__((unused)) = {
	.enter = touch_enter,
	.leave = touch_leave,
	.field = touch_field,
	.value = touch_value,
	.bytes = touch_string,
};

/* Keeps what was summed up from being optimised away; checks the nesting. */
static inline int touched(const struct touch *t)
{
	static volatile uint64_t out;

	out = t->sum;
	if (t->depth)
		abort();
	return (int)(out & 0);
}

/* --- geometries --- */

/* One of a few that cover what walks depend on, by the bits of @pick. */
static inline const struct xfs_geom *fuzz_geom(unsigned int pick)
{
	static struct xfs_geom g;
	bool v5 = pick & 1;

	g = (struct xfs_geom){
		.blocklog = 12, .sectlog = 9, .inodelog = v5 ? 9 : 8,
		.agblklog = 13, .blocksize = 4096, .sectsize = 512,
		.dirblock_bytes = pick & 2 ? 8192 : 4096,
		.agcount = 4, .agblocks = 8192, .dblocks = 4 * 8192,
		.v5 = v5, .log_v2 = true, .ftype = v5 || pick & 4,
		.attr2 = true, .lazycount = true, .projid32 = true,
		.finobt = v5, .rmapbt = v5, .reflink = v5, .inobtcount = v5,
		.sparse = v5 && pick & 8, .bigtime = v5 && pick & 16,
		.nrext64 = v5 && pick & 16, .exchange = v5, .parent = v5,
		.metadir = v5 && pick & 32,
	};
	g.inopblog = (uint8_t)(g.blocklog - g.inodelog);
	g.inodesize = 1u << g.inodelog;
	g.inopblock = 1u << g.inopblog;
	return pick & 64 ? NULL : &g;
}

/* --- a log in memory --- */

/*
 * The @size bytes at @data as a log of whole blocks; *@dev is to be closed.
 * False if they are too few or memory is short.
 */
static inline bool fuzz_log(struct xlog *log, const uint8_t *data, size_t size,
			    uint32_t version)
{
	uint32_t nbb = (uint32_t)(size / BB_SIZE);

	memset(log, 0, sizeof(*log));
	if (nbb < 8)
		return false;
	if (dev_open_overlay(NULL, (uint64_t)nbb * BB_SIZE, &log->sink,
			     &log->dev))
		return false;
	if (dev_write(log->dev, 0, data, (size_t)nbb * BB_SIZE)) {
		dev_close(log->dev);
		return false;
	}
	log->fs = log->dev;
	log->nbb = log->info.log_size_bb = nbb;
	log->logv2 = version == 2;
	log->info.log_version = version;
	log->info.sb_version = 5;
	log->sb.sb_lsn = XFS_NULL_LSN;
	return true;
}

/* libFuzzer's own; there is none where stored inputs are only replayed. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size,
					      size_t max_size);
/* A target may have one, for inputs that others would spoil. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);

#endif
