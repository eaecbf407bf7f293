/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counters of the filesystem; see counters.h. Blocks that an open transaction
 * may take are promised to it: there are so many fewer for the others, though
 * not in the counter before it commits.
 */
#include <stdlib.h>

#include "libxlog/trans/counters.h"
#include "libxlog/trans/trans_buf.h"

enum {
	/* What the free lists and their btrees of a group may need at worst. */
	SET_ASIDE_BLOCKS = 8,
	/* Kept for what has to succeed: this share, at most so many. */
	RESERVE_SHARE = 20,
	RESERVE_MAX = 8192,
	/* In the superblock, one after the other. */
	SB_ICOUNT_OFF = 128,
};

static const unsigned int sb_off[TRANS_SB_FIELDS] = {
	[TRANS_SB_ICOUNT] = SB_ICOUNT_OFF,
	[TRANS_SB_IFREE] = SB_ICOUNT_OFF + 8,
	[TRANS_SB_FDBLOCKS] = SB_ICOUNT_OFF + 16,
	[TRANS_SB_FREXTENTS] = SB_ICOUNT_OFF + 24,
};

void counters_init(struct trans_fs *fs, const struct xfs_sb *sb)
{
	uint64_t share = sb->sb_dblocks / RESERVE_SHARE;

	atomic_init(&fs->counter[TRANS_SB_ICOUNT], (int64_t)sb->sb_icount);
	atomic_init(&fs->counter[TRANS_SB_IFREE], (int64_t)sb->sb_ifree);
	atomic_init(&fs->counter[TRANS_SB_FDBLOCKS], (int64_t)sb->sb_fdblocks);
	atomic_init(&fs->counter[TRANS_SB_FREXTENTS],
		    (int64_t)sb->sb_frextents);
	atomic_init(&fs->promised_blocks, 0);
	fs->reserve_blocks = share > RESERVE_MAX ? RESERVE_MAX :
						   (uint32_t)share;
}

int64_t counters_read(const struct trans_fs *fs, enum trans_sb_field field)
{
	return atomic_load_explicit(&fs->counter[field], memory_order_relaxed);
}

void trans_mod_sb(struct trans *t, enum trans_sb_field field, int64_t delta)
{
	uint32_t left = t->blocks - t->blocks_taken;

	t->delta[field] += delta;
	if (field == TRANS_SB_FDBLOCKS && delta < 0)
		t->blocks_taken += -delta < left ? (uint32_t)-delta : left;
}

/* --- blocks that are promised --- */

static int64_t unavailable(const struct trans_fs *fs, bool use_reserve)
{
	return (int64_t)fs->geom.agcount * SET_ASIDE_BLOCKS +
	       (use_reserve ? 0 : fs->reserve_blocks);
}

static bool promise(struct trans_fs *fs, uint32_t blocks, bool use_reserve)
{
	int64_t promised = atomic_load(&fs->promised_blocks);

	do {
		if (counters_read(fs, TRANS_SB_FDBLOCKS) - promised - blocks <
		    unavailable(fs, use_reserve))
			return false;
	} while (!atomic_compare_exchange_weak(&fs->promised_blocks, &promised,
					       promised + blocks));
	return true;
}

int trans_alloc_blocks(struct trans_fs *fs, enum xfs_tr tr, uint32_t blocks,
		       bool use_reserve, struct trans **out)
{
	return trans_alloc_more_blocks(fs, tr, 0, blocks, use_reserve, out);
}

int trans_alloc_more_blocks(struct trans_fs *fs, enum xfs_tr tr,
			    uint32_t more_bytes, uint32_t blocks,
			    bool use_reserve, struct trans **out)
{
	int rc;

	if (blocks && !promise(fs, blocks, use_reserve))
		return -ENOSPC;
	rc = trans_alloc_more(fs, tr, more_bytes, out);
	if (rc)
		atomic_fetch_sub(&fs->promised_blocks, blocks);
	else
		(*out)->blocks = blocks;
	return rc;
}

void counters_end(struct trans *t, uint32_t keep)
{
	assert(keep <= t->blocks);
	atomic_fetch_sub(&t->fs->promised_blocks, t->blocks - keep);
	t->blocks = keep;
	t->blocks_taken = 0;
	for (unsigned int i = 0; i < TRANS_SB_FIELDS; i++)
		t->delta[i] = 0;
}

/* --- at the commit --- */

/* With lazy counters the groups know; but not the realtime extents. */
static bool is_logged(const struct trans *t)
{
	const int64_t *d = t->delta;

	return (d[TRANS_SB_FREXTENTS] && !t->fs->geom.rgcount) ||
	       (!t->fs->geom.lazycount &&
		(d[TRANS_SB_ICOUNT] || d[TRANS_SB_IFREE] ||
		 d[TRANS_SB_FDBLOCKS]));
}

static int get_sb(struct trans *t, struct buf **out)
{
	return trans_read_buf(t->fs, t, 0, t->fs->geom.sectsize / BB_SIZE,
			      &trans_sb_ops, out);
}

/* The buffer is locked to the end of the commit: who is next sees them all. */
static int log_deltas(struct trans *t)
{
	struct buf *b;
	int rc = get_sb(t, &b);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < TRANS_SB_FIELDS; i++) {
		uint8_t *at = b->data + sb_off[i];

		if (t->delta[i] &&
		    (i == TRANS_SB_FREXTENTS || !t->fs->geom.lazycount))
			put_be64(at, get_be64(at) + (uint64_t)t->delta[i]);
	}
	trans_log_buf(t, b, SB_ICOUNT_OFF, 8 * TRANS_SB_FIELDS);
	return 0;
}

int counters_commit(struct trans *t)
{
	int rc = is_logged(t) ? log_deltas(t) : 0;

	if (rc)
		return rc;
	for (unsigned int i = 0; i < TRANS_SB_FIELDS; i++)
		if (t->delta[i])
			atomic_fetch_add(&t->fs->counter[i], t->delta[i]);
	return 0;
}

int trans_log_superblock(struct trans *t)
{
	const struct trans_fs *fs = t->fs;
	struct buf *b;
	int rc = get_sb(t, &b);

	if (rc)
		return rc;
	if (fs->geom.lazycount) {
		counters_to_sb(fs, b->data);
	}
	trans_log_buf(t, b, 0, XLOG_SB_CHUNKS * XFS_CHUNK_BYTES);
	return 0;
}

void counters_to_sb(const struct trans_fs *fs, uint8_t *raw)
{
	for (unsigned int i = 0; i < TRANS_SB_FIELDS; i++) {
		int64_t now = counters_read(fs, i);

		/* for a moment more may be free than there are */
		put_be64(raw + sb_off[i], now > 0 ? (uint64_t)now : 0);
	}
}
