/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See kinds.h: inodes with all of their forks; blocks that are made, changed
 * and freed, and become something else later; chunks of new inodes, these
 * inodes and their unlinked lists, and chunks that are freed with inodes that
 * are not yet written back.
 */
#include <string.h>

#include "libxlog/trans/icreate_item.h"
#include "libxlog/trans/trans_buf.h"
#include "tests/lib/kinds.h"

enum {
	CHUNK_INODES = 64,
	ALL_FORKS = XFS_ILOG_DFORK | XFS_ILOG_AFORK,
};

static struct trans_fs *fs(struct kinds *s)
{
	return &s->m->fs;
}

/* Only a log that died is a reason. */
static bool got(struct kinds *s, int rc)
{
	CHECK(s, !rc || log_is_shutdown(fs(s)->log));
	return !rc;
}

/* --- where --- */

static uint32_t chunk_blocks(const struct xfs_geom *g)
{
	return CHUNK_INODES / g->inopblock ? CHUNK_INODES / g->inopblock : 1;
}

uint32_t kinds_blocks(const struct xfs_geom *g)
{
	return chunk_blocks(g) * KINDS_CHUNKS + KINDS_BLOCKS;
}

/* Block @n of the pool; chunks come first, aligned as the pool is. */
static xfs_agblock_t pool_agbno(struct kinds *s, uint32_t n)
{
	return s->model->agbno + n;
}

static xfs_daddr_t pool_daddr(struct kinds *s, uint32_t n)
{
	return xfs_agb_to_daddr(&fs(s)->geom, s->model->agno,
				pool_agbno(s, n));
}

/* Plain blocks are those of the chunks, if they are free, and those behind. */
static uint32_t plain_place(struct kinds *s, unsigned int i)
{
	uint32_t blocks = chunk_blocks(&fs(s)->geom);

	if (i < KINDS_CHUNKS)
		return i * blocks;
	return KINDS_CHUNKS * blocks + i;
}

/* --- blocks --- */

static void change_block(struct kinds *s, struct trans *t, unsigned int i)
{
	const struct xfs_geom *g = &fs(s)->geom;
	const struct trans_buf_ops *ops = &trans_btree_ops[XFS_BTREE_BNO];
	xfs_daddr_t daddr = pool_daddr(s, plain_place(s, i));
	uint32_t off = g->blocksize / 2 + (uint32_t)kinds_random(s, g->blocksize / 4);
	uint32_t len = 1 + (uint32_t)kinds_random(s, g->blocksize / 4);
	struct buf *b;

	if (i < KINDS_CHUNKS && s->chunk[i] != NOTHING)
		return;
	if (s->block[i] == NOTHING) {
		if (!got(s, trans_get_buf(t, daddr, g->blocksize / BB_SIZE,
					  ops, &b)))
			return;
		kinds_make_block(b->data, g, s->model->agno, daddr);
		off = 0;
		len = g->blocksize;
		s->block[i] = BLOCK;
	} else {
		if (!got(s, trans_read_buf(fs(s), t, daddr,
					   g->blocksize / BB_SIZE, ops, &b)))
			return;
		memset(b->data + off, (int)kinds_random(s, 256), len);
	}
	trans_log_buf(t, b, off, len);
	model_set(s->model, s->txn, MODEL_BLOCK, daddr * BB_SIZE + off,
		  b->data + off, len);
}

static void free_block(struct kinds *s, struct trans *t, unsigned int i)
{
	uint32_t bb = fs(s)->geom.blocksize / BB_SIZE;
	xfs_daddr_t daddr = pool_daddr(s, plain_place(s, i));
	struct buf *b;

	if (s->block[i] != BLOCK)
		return;
	if (!got(s, trans_read_buf(fs(s), t, daddr, bb,
				   &trans_btree_ops[XFS_BTREE_BNO], &b)))
		return;
	trans_binval(t, b);
	s->block[i] = NOTHING;
	model_forget(s->model, s->txn, daddr * BB_SIZE, fs(s)->geom.blocksize);
}

/* --- chunks of inodes --- */

static uint32_t clusters(struct kinds *s)
{
	return chunk_blocks(&fs(s)->geom) * fs(s)->geom.blocksize /
	       (fs(s)->cluster_bb * BB_SIZE);
}

static struct buf *get_cluster(struct kinds *s, struct trans *t, unsigned int c,
			       uint32_t i, bool fresh)
{
	xfs_daddr_t daddr = pool_daddr(s, c * chunk_blocks(&fs(s)->geom)) +
			    (uint64_t)i * fs(s)->cluster_bb;
	struct buf *b;

	return got(s, fresh ? trans_get_buf(t, daddr, fs(s)->cluster_bb,
					    &trans_inode_ops, &b) :
			      trans_read_buf(fs(s), t, daddr,
					     fs(s)->cluster_bb,
					     &trans_inode_ops, &b)) ? b : NULL;
}

static void make_chunk(struct kinds *s, struct trans *t, unsigned int c)
{
	const struct xfs_geom *g = &fs(s)->geom;
	uint32_t blocks = chunk_blocks(g), gen = (uint32_t)kinds_random(s, 1u << 31);
	xfs_agblock_t agbno = pool_agbno(s, c * blocks);
	xfs_ino_t ino = xfs_ino_make(g, s->model->agno, agbno << g->inopblog);

	if (s->block[c] != NOTHING || s->chunk[c] != NOTHING ||
	    s->chunk_done[c] == s->txn)
		return;
	if (g->v5)
		CHECK(s, !trans_icreate(t, s->model->agno, agbno,
					CHUNK_INODES, g->inodesize, blocks,
					gen));
	for (uint32_t i = 0; i < clusters(s); i++) {
		struct buf *b = get_cluster(s, t, c, i, true);
		uint32_t bytes;

		if (!b)
			return;
		bytes = b->len_bb * BB_SIZE;
		for (uint32_t off = 0; off < bytes; off += g->inodesize)
			kinds_make_inode(b->data + off, g, ino++, gen);
		trans_inode_alloc_buf(t, b);
		if (g->v5)
			trans_ordered_buf(t, b);
		else
			trans_log_buf(t, b, 0, bytes);
		model_set(s->model, s->txn, MODEL_INODE, b->daddr * BB_SIZE,
			  b->data, bytes);
	}
	s->chunk[c] = INODES;
	s->chunk_done[c] = s->txn;
}

static xfs_ino_t some_ino(struct kinds *s, unsigned int c)
{
	const struct xfs_geom *g = &fs(s)->geom;
	xfs_agblock_t agbno = pool_agbno(s, c * chunk_blocks(g));

	return xfs_ino_make(g, s->model->agno, (agbno << g->inopblog) +
			    (uint32_t)kinds_random(s, CHUNK_INODES));
}

/* All of the inode as it will be in its place, but for the unlinked list. */
static void expect_inode(struct kinds *s, const struct inode *ip)
{
	uint32_t bytes = ip->fs->geom.inodesize;
	uint64_t at = ip->daddr * BB_SIZE + ip->offset_bytes;
	uint8_t raw[XFS_DINODE_MAX_BYTES];

	memcpy(raw, ip->raw, bytes);
	xfs_dinode_encode(raw, &ip->di, xfs_dinode_variant(&ip->di), XFS_BE);
	model_set(s->model, s->txn, MODEL_INODE, at, raw,
		  XFS_DINODE_UNLINKED_OFF);
	model_set(s->model, s->txn, MODEL_INODE,
		  at + XFS_DINODE_UNLINKED_OFF + 4,
		  raw + XFS_DINODE_UNLINKED_OFF + 4,
		  bytes - XFS_DINODE_UNLINKED_OFF - 4);
}

static void change_new_inode(struct kinds *s, struct trans *t, unsigned int c)
{
	struct inode *ip;

	if (s->chunk[c] != INODES)
		return;
	if (!got(s, inode_iget_in(t, some_ino(s, c), INODE_GET_FREE, &ip)))
		return;
	/* one that this transaction has already */
	if (!list_is_empty(&ip->item.trans_link)) {
		inode_put(ip);
		return;
	}
	inode_join(t, ip);
	ip->di.di_mode = kinds_random(s, 4) ? 0100644 : 0;
	ip->di.di_format = XFS_DINODE_FMT_EXTENTS;
	ip->di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	ip->di.di_uid = (uint32_t)kinds_random(s, 1u << 31);
	inode_log(t, ip, XFS_ILOG_CORE);
	expect_inode(s, ip);
	inode_put(ip);
}

static void change_unlinked(struct kinds *s, struct trans *t, unsigned int c)
{
	const struct xfs_geom *g = &fs(s)->geom;
	uint8_t next[4];
	uint32_t off;
	struct buf *b;

	/* new ones are ordered, and not logged */
	if (s->chunk[c] != INODES || s->chunk_done[c] == s->txn)
		return;
	b = get_cluster(s, t, c, (uint32_t)kinds_random(s, clusters(s)), false);
	if (!b)
		return;
	off = (uint32_t)kinds_random(s, b->len_bb * BB_SIZE >> g->inodelog)
	      << g->inodelog;
	/* any number that an inode of the group can have */
	put_be32(next, (s->model->agbno << g->inopblog) +
		 (uint32_t)kinds_random(s, CHUNK_INODES));
	memcpy(b->data + off + XFS_DINODE_UNLINKED_OFF, next, 4);
	kinds_sum_inode(b->data + off, g);
	trans_inode_buf(t, b);
	trans_log_buf(t, b, off + XFS_DINODE_UNLINKED_OFF, 8);
	model_set(s->model, s->txn, MODEL_INODE, b->daddr * BB_SIZE + off +
		  XFS_DINODE_UNLINKED_OFF, next, 4);
}

static void free_chunk(struct kinds *s, struct trans *t, unsigned int c)
{
	if (s->chunk[c] != INODES || s->chunk_done[c] == s->txn)
		return;
	for (uint32_t i = 0; i < clusters(s); i++) {
		struct buf *b = get_cluster(s, t, c, i, false);

		if (!b)
			return;
		trans_stale_inode_buf(t, b);
		model_forget(s->model, s->txn, b->daddr * BB_SIZE,
			     b->len_bb * BB_SIZE);
	}
	s->chunk[c] = NOTHING;
	s->chunk_done[c] = s->txn;
}

/* --- inodes of the filesystem --- */

static void change_inode(struct kinds *s, struct trans *t, struct inode *ip)
{
	if (!list_is_empty(&ip->item.trans_link))
		return;
	inode_join(t, ip);
	ip->di.di_gid = (uint32_t)kinds_random(s, 1u << 31);
	inode_log(t, ip, ALL_FORKS);
	expect_inode(s, ip);
}

/* In each transaction: how many there were. */
static void count(struct kinds *s, struct trans *t)
{
	struct inode *ip = s->inode[0];

	if (list_is_empty(&ip->item.trans_link))
		inode_join(t, ip);
	ip->di.di_gid = (uint32_t)s->txn;
	inode_log(t, ip, XFS_ILOG_CORE);
}

/* --- transactions --- */

static void one_change(struct kinds *s, struct trans *t)
{
	unsigned int i = (unsigned int)kinds_random(s, KINDS_BLOCKS);
	unsigned int c = (unsigned int)kinds_random(s, KINDS_CHUNKS);

	switch (kinds_random(s, 12)) {
	case 0: case 1: case 2:
		change_block(s, t, i);
		break;
	case 3:
		free_block(s, t, i);
		break;
	case 4:
		make_chunk(s, t, c);
		break;
	case 5: case 6:
		change_new_inode(s, t, c);
		break;
	case 7:
		change_unlinked(s, t, c);
		break;
	case 8:
		if (!kinds_random(s, 4))
			free_chunk(s, t, c);
		break;
	default:
		if (s->ninodes > 1)
			change_inode(s, t,
				     s->inode[1 + kinds_random(s, s->ninodes - 1)]);
	}
}

/* A chain of up to three, through which the counted inode is held. */
static void change(struct kinds *s)
{
	unsigned int steps = 1 + (unsigned int)kinds_random(s, 3);
	bool held = steps > 1;
	struct trans *t;
	int rc = 0;

	if (trans_alloc(fs(s), XFS_TR_ITRUNCATE, &t))
		return;
	while (steps--) {
		s->txn++;
		count(s, t);
		if (held)
			inode_hold(t, s->inode[0]);
		one_change(s, t);
		if (kinds_random(s, 2))
			one_change(s, t);
		if (steps)
			rc = trans_roll_held(&t);
		else
			rc = trans_commit(t, NULL);
		if (rc && steps)
			trans_cancel(t);
		if (rc)
			break;
	}
	if (held)
		inode_unlock(s->inode[0]);
}

void kinds_step(struct kinds *s)
{
	struct log *log = fs(s)->log;
	uint64_t n = s->txn;

	switch (kinds_random(s, 16)) {
	case 0:
		if (!log_force(log, true))
			s->forced = n;
		break;
	case 1:
		(void)!log_force(log, false);
		break;
	case 2:
		if (!kinds_random(s, 8) && !log_quiesce(log))
			s->forced = n;
		break;
	case 3: case 4: case 5:
		(void)log_step(log);
		break;
	default:
		change(s);
	}
}
