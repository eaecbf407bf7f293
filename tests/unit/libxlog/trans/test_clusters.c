/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clusters of inodes as buffers: new ones, and those of which only the unlinked
 * list changes.
 */
#include "libxlog/trans/buf_item.h"
#include "tests/lib/kinds_model.h"
#include "tests/lib/mounted.h"
#include "tests/lib/testfs.h"

static const uint16_t whole = XFS_BLFT_DINO << XFS_BLF_TYPE_SHIFT;

static struct mounted *f;

static void begin(void)
{
	f = mounted_new("linux618/chmod-only");
}

static void begin_v4(void)
{
	f = mounted_new("other/v4-noflush");
}

static void end(void)
{
	mounted_free(f);
}

TestSuite(trans_inode_buf, .init = begin, .fini = end);
TestSuite(trans_inode_buf_v4, .init = begin_v4, .fini = end);

static struct trans_fs *fs(void)
{
	return &f->m->fs;
}

static struct trans *alloc(void)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(fs(), XFS_TR_ITRUNCATE, &t), 0);
	return t;
}

static void commit(struct trans *t)
{
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", f->fs->reports);
}

static void force(void)
{
	cr_assert_eq(log_force(fs()->log, true), 0);
}

static void quiesce(void)
{
	cr_assert_eq(log_quiesce(fs()->log), 0);
}

/* blf_flags of @b in the current checkpoint. */
static uint16_t logged_flags(const struct buf *b)
{
	struct xfs_buf_log_format blf;
	const uint8_t *data = buf_item_of(b)->item.vec->data;

	xfs_buf_log_format_decode(&blf, data + OP_BYTES,
				  get_be32(data + 4), XFS_HOST_ORDER);
	return blf.blf_flags;
}

static struct buf *make_cluster(struct trans *t, xfs_daddr_t daddr)
{
	const struct xfs_geom *g = &fs()->geom;
	uint32_t bytes = fs()->cluster_bb * BB_SIZE;
	xfs_ino_t ino = xfs_ino_make(g, xfs_daddr_agno(g, daddr),
				     xfs_daddr_agbno(g, daddr) << g->inopblog);
	struct buf *b;

	cr_assert_eq(trans_get_buf(t, daddr, fs()->cluster_bb,
				   &trans_inode_ops, &b), 0);
	for (uint32_t off = 0; off < bytes; off += g->inodesize)
		kinds_make_inode(b->data + off, g, ino++, 7);
	trans_inode_alloc_buf(t, b);
	if (g->v5)
		trans_ordered_buf(t, b);
	else
		trans_log_buf(t, b, 0, bytes);
	return b;
}

/* An inode of it comes into an unlinked list. */
static void unlink_one(xfs_daddr_t daddr)
{
	struct trans *t = alloc();
	struct buf *b;

	cr_assert_eq(trans_read_buf(fs(), t, daddr, fs()->cluster_bb,
				    &trans_inode_ops, &b), 0);
	put_be32(b->data + XFS_DINODE_UNLINKED_OFF, 128);
	kinds_sum_inode(b->data, &fs()->geom);
	trans_inode_buf(t, b);
	trans_log_buf(t, b, XFS_DINODE_UNLINKED_OFF, 8);
	commit(t);
}

/* As long as it is not written back, replay has to begin where it was made. */
Test(trans_inode_buf, of_new_inodes_stays_where_they_were_made)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0) & ~(xfs_daddr_t)127;
	struct trans *t = alloc();
	struct buf *b = make_cluster(t, daddr);
	xfs_lsn_t lsn;

	commit(t);
	force();
	lsn = buf_item_of(b)->item.lsn;
	unlink_one(daddr);
	cr_expect_eq(logged_flags(b), whole | XFS_BLF_INODE_BUF);
	force();
	cr_expect_eq(buf_item_of(b)->item.lsn, lsn);
	quiesce();
	/* once it is written back it is like any other */
	unlink_one(daddr);
	force();
	cr_assert_eq(trans_read_buf(fs(), NULL, daddr, fs()->cluster_bb,
				    &trans_inode_ops, &b), 0);
	cr_expect_gt(buf_item_of(b)->item.lsn, lsn);
	trans_brelse(NULL, b);
}

/* What is in one checkpoint with the making of them has to be replayed whole. */
Test(trans_inode_buf_v4, of_new_inodes_is_whole_where_they_were_made)
{
	xfs_daddr_t daddr = testfs_free(f->fs, 0) & ~(xfs_daddr_t)127;
	struct trans *t = alloc();
	struct buf *b = make_cluster(t, daddr);

	commit(t);
	cr_expect_eq(logged_flags(b), whole);
	unlink_one(daddr);
	cr_expect_eq(logged_flags(b), whole);
	force();
	unlink_one(daddr);
	cr_expect_eq(logged_flags(b), whole | XFS_BLF_INODE_BUF);
}
