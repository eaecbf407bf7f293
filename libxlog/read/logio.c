/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Raw access to log blocks: reads that wrap, and a view for the search of
 * head and tail, which jumps about: it keeps a few chunks of 1 MiB, so that
 * scanning a window costs large reads and every block is read once.
 */
#include <stdlib.h>

#include "libxlog/read/read.h"

int xlog_read_raw(struct xlog *log, uint32_t block, uint32_t bb, void *buf)
{
	if (block > log->nbb || bb > log->nbb - block)
		return report(&log->sink, -EINVAL, "log.range", XLOG_LSN_NONE,
			      "read of %u blocks at %u: the log has %u", bb,
			      block, log->nbb);
	return dev_read(log->dev, (uint64_t)block * BB_SIZE, buf,
			(size_t)bb * BB_SIZE);
}

int log_read_wrapped(struct xlog *log, uint32_t block, uint32_t bb, void *buf)
{
	uint32_t first;
	int rc;

	if (block >= log->nbb || bb > log->nbb)
		return report(&log->sink, -EUCLEAN, "log.range", XLOG_LSN_NONE,
			      "%u blocks at %u do not lie in a log of %u", bb,
			      block, log->nbb);
	first = bb < log->nbb - block ? bb : log->nbb - block;
	rc = xlog_read_raw(log, block, first, buf);
	if (!rc && first < bb)
		rc = xlog_read_raw(log, 0, bb - first,
				   (uint8_t *)buf + (size_t)first * BB_SIZE);
	return rc;
}

void view_init(struct view *v, struct xlog *log, uint32_t max_chunks)
{
	memset(v, 0, sizeof(*v));
	v->log = log;
	v->chunks_left = max_chunks;
	for (int i = 0; i < VIEW_SLOTS; i++)
		v->first[i] = UINT32_MAX;
}

void view_fini(struct view *v)
{
	for (int i = 0; i < VIEW_SLOTS; i++)
		free(v->slot[i]);
}

static const uint8_t *view_cached(struct view *v, uint32_t block)
{
	uint32_t first = block - block % VIEW_CHUNK_BB;

	for (int i = 0; i < VIEW_SLOTS; i++) {
		if (v->first[i] != first)
			continue;
		v->used[i] = ++v->clock;
		return v->slot[i] + (size_t)(block - first) * BB_SIZE;
	}
	return NULL;
}

static int view_load(struct view *v, uint32_t block)
{
	uint32_t first = block - block % VIEW_CHUNK_BB;
	uint32_t bb = VIEW_CHUNK_BB;
	int victim = 0;
	int rc;

	if (!v->chunks_left)
		return -E2BIG;
	for (int i = 1; i < VIEW_SLOTS; i++)
		if (v->used[i] < v->used[victim])
			victim = i;
	if (!v->slot[victim])
		v->slot[victim] = malloc((size_t)VIEW_CHUNK_BB * BB_SIZE);
	if (!v->slot[victim])
		return report(&v->log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	v->first[victim] = UINT32_MAX;
	if (bb > v->log->nbb - first)
		bb = v->log->nbb - first;
	rc = xlog_read_raw(v->log, first, bb, v->slot[victim]);
	if (rc)
		return rc;
	v->first[victim] = first;
	v->chunks_left--;
	return 0;
}

int view_block(struct view *v, uint32_t block, const uint8_t **out)
{
	int rc;

	if (block >= v->log->nbb)
		return report(&v->log->sink, -EUCLEAN, "log.range",
			      XLOG_LSN_NONE,
			      "block %u does not lie in a log of %u blocks",
			      block, v->log->nbb);
	*out = view_cached(v, block);
	if (*out)
		return 0;
	rc = view_load(v, block);
	if (!rc)
		*out = view_cached(v, block);
	return rc;
}

int view_probe(struct view *v, uint32_t block, const uint8_t **out)
{
	int rc;

	if (block < v->log->nbb) {
		*out = view_cached(v, block);
		if (*out)
			return 0;
		rc = xlog_read_raw(v->log, block, 1, v->single);
		if (!rc)
			*out = v->single;
		return rc;
	}
	return view_block(v, block, out);	/* reports the range */
}
