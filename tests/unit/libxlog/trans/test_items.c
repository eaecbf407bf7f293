/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What inodes and buffers make of themselves in the log: as the decoders of
 * log items read it, and no more than they said.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inodelog.h"
#include "libxfsfmt/logitem.h"
#include "libxlog/trans/buf_item.h"
#include "tests/lib/mounted.h"
#include "tests/lib/testfs.h"

enum { MAX_REGIONS = 300 };

static struct mounted *f;
static struct log_vec *vec;
static struct xfs_log_region regions[MAX_REGIONS];
static struct xfs_logitem_view view;

static void begin(void)
{
	f = mounted_new("linux618/chmod-only");
}

static void end(void)
{
	free(vec);
	vec = NULL;
	mounted_free(f);
}

TestSuite(inode_item, .init = begin, .fini = end);
TestSuite(buf_item, .init = begin, .fini = end);

/* Format @item, and look at the regions. */
static void format(struct log_item *item)
{
	uint32_t nregions = 0, bytes = 0, n = 0;

	item->ops->size(item, &nregions, &bytes);
	free(vec);
	vec = calloc(1, sizeof(*vec) + bytes + nregions * OP_BYTES);
	cr_assert_not_null(vec);
	vec->room_bytes = bytes + nregions * OP_BYTES;
	item->ops->format(item, &(struct log_formatter){
		.vec = vec, .tid = 7,
	});
	cr_expect_leq(vec->nregions, nregions);
	for (uint32_t off = 0; off < vec->used_bytes; ) {
		uint32_t len = get_be32(vec->data + off + 4);

		cr_assert_lt(n, MAX_REGIONS);
		cr_expect_eq(get_be32(vec->data + off), 7);
		regions[n++] = (struct xfs_log_region){
			vec->data + off + OP_BYTES, len
		};
		off += OP_BYTES + len;
	}
	cr_assert_eq(n, vec->nregions);
	view = (struct xfs_logitem_view){
		.regions = regions, .nregions = n, .order = XFS_HOST_ORDER,
		.geom = &f->m->fs.geom,
	};
	cr_expect_eq(xfs_logitem_type(&view), item->type);
}

/* --- inodes --- */

/* An inode whose data fork is @format and not empty. */
static struct inode *inode_with(uint8_t form)
{
	for (unsigned int i = 0; i < f->ninodes; i++)
		if (f->inodes[i]->di.di_format == form &&
		    f->inodes[i]->di.di_size)
			return f->inodes[i];
	cr_assert_fail("no such inode");
	return NULL;
}

static struct xfs_logitem_inode logged(struct inode *ip, unsigned int fields)
{
	struct xfs_logitem_inode in;

	ip->fields = fields;
	format(&ip->item);
	cr_assert_null(xfs_logitem_inode(&view, &in));
	cr_expect_eq(in.ilf.ilf_ino, ip->ino);
	cr_expect_eq(in.ilf.ilf_blkno, ip->daddr);
	cr_expect_eq(in.ilf.ilf_len, f->m->fs.cluster_bb);
	cr_expect_eq(in.ilf.ilf_boffset, ip->offset_bytes);
	ip->fields = 0;
	return in;
}

Test(inode_item, of_a_core_is_put_back_by_replay)
{
	struct inode *ip = f->inodes[7];
	struct xfs_logitem_inode in = logged(ip, XFS_ILOG_CORE);
	uint8_t disk[XFS_DINODE_MAX_BYTES];
	struct xfs_dinode di;

	cr_expect_eq(in.ilf.ilf_fields, (uint32_t)XFS_ILOG_CORE);
	cr_expect_null(in.dfork);
	cr_expect_null(in.afork);
	memcpy(disk, ip->raw, f->m->fs.geom.inodesize);
	memset(disk + 2, 0x5a, 1);
	memset(disk + 32, 0x5a, 60);
	xfs_dinode_decode(&di, in.core->data, in.core->len_bytes,
			  XFS_HOST_ORDER);
	xfs_log_dinode_to_disk(disk, in.core->data, in.core->len_bytes, &di,
			       XFS_HOST_ORDER);
	cr_expect_eq(memcmp(disk, ip->raw, f->m->fs.geom.inodesize), 0);
}

Test(inode_item, of_a_fork_in_the_inode_has_its_bytes)
{
	struct inode *ip = inode_with(XFS_DINODE_FMT_LOCAL);
	struct xfs_logitem_inode in = logged(ip, XFS_ILOG_DDATA);
	uint32_t size = (uint32_t)ip->di.di_size;

	cr_expect_eq(in.ilf.ilf_fields,
		     (uint32_t)(XFS_ILOG_CORE | XFS_ILOG_DDATA));
	cr_assert_not_null(in.dfork);
	cr_expect_eq(in.dfork->len_bytes, (size + 3) & ~3u);
	cr_expect_eq(memcmp(in.dfork->data, ip->raw +
			    XFS_DINODE_V3_CORE_BYTES, size), 0);
}

Test(inode_item, of_extents_has_the_records)
{
	struct inode *ip = inode_with(XFS_DINODE_FMT_EXTENTS);
	struct xfs_logitem_inode in = logged(ip, XFS_ILOG_DEXT);

	cr_assert_not_null(in.dfork);
	cr_expect_eq(in.dfork->len_bytes,
		     16 * inode_nextents(ip, XFS_DATA_FORK));
	cr_expect_eq(memcmp(in.dfork->data, ip->raw +
			    XFS_DINODE_V3_CORE_BYTES, in.dfork->len_bytes), 0);
}

Test(inode_item, logs_no_fork_of_which_there_is_nothing)
{
	struct inode *ip = f->inodes[7];
	struct xfs_logitem_inode in;

	ip->di.di_forkoff = 0;
	in = logged(ip, XFS_ILOG_ADATA);
	cr_expect_eq(in.ilf.ilf_fields, (uint32_t)XFS_ILOG_CORE);
	cr_expect_eq(in.ilf.ilf_size, 2);
}

/* Every commit has again what was not written back since. */
Test(inode_item, is_relogged_until_it_is_written_back)
{
	struct inode *ip = inode_with(XFS_DINODE_FMT_EXTENTS);
	struct log *log = f->m->fs.log;
	uint8_t raw[XFS_DINODE_MIN_BYTES];

	for (unsigned int fields = XFS_ILOG_DEXT; ;
	     fields = XFS_ILOG_CORE) {
		struct trans *t;

		cr_assert_eq(trans_alloc(&f->m->fs, XFS_TR_ITRUNCATE, &t), 0);
		inode_join(t, ip);
		inode_log(t, ip, fields);
		cr_assert_eq(trans_commit(t, NULL), 0);
		cr_expect_eq(ip->item.vec->nregions, 3);
		if (fields == XFS_ILOG_CORE)
			break;
		cr_assert_eq(log_force(log, true), 0);
	}
	cr_assert_eq(log_quiesce(log), 0);
	cr_expect_eq(ip->fields, 0);
	cr_assert_eq(dev_read(f->fs->log->fs, ip->daddr * BB_SIZE +
			      ip->offset_bytes, raw, sizeof(raw)), 0);
	cr_expect_eq(get_be64(raw + XFS_DINODE_LSN_OFF) >> 32, 1);
}

/* One more on the queue: it keeps the cluster of an inode locked meanwhile. */
struct holder {
	struct log_item	item;
	struct inode	*ip;
	struct buf	*buf;
};

static struct holder *holder_of(const struct log_item *item)
{
	return container_of((struct log_item *)(uintptr_t)item, struct holder,
			    item);
}

static int hold(struct log_item *item, xfs_lsn_t lsn)
{
	struct holder *h = holder_of(item);

	(void)lsn;
	return buf_get(f->m->fs.cache, h->ip->daddr, f->m->fs.cluster_bb,
		       &trans_inode_ops.buf, BUF_READ, &h->buf);
}

static bool is_held(const struct log_item *item)
{
	return !holder_of(item)->buf;
}

static void let_go(struct log_item *item, bool ok)
{
	(void)ok;
	buf_release(holder_of(item)->buf);
}

static const struct trans_item_ops holder_ops = {
	.flush = hold, .is_written = is_held, .flushed = let_go,
};

/* Write-back passes by a buffer that is locked: then nothing has been written. */
Test(inode_item, stays_in_the_ail_while_its_cluster_is_in_use)
{
	struct log *log = f->m->fs.log;
	struct holder h = { .ip = f->inodes[7] };
	struct list queue;
	struct trans *t;

	log_item_init(&h.item, &holder_ops.log, XFS_LI_BUF);
	cr_assert_eq(trans_alloc(&f->m->fs, XFS_TR_ICHANGE, &t), 0);
	inode_join(t, h.ip);
	inode_log(t, h.ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_commit_sync(t), 0);
	list_init(&queue);
	cr_assert_eq(h.ip->item.ops->push(&h.ip->item, &queue),
		     LOG_PUSH_QUEUED);
	list_insert_last(&h.item.queue_link, &queue);
	trans_write_back(&f->m->fs, &queue);
	cr_expect(atomic_load(&h.ip->item.flags) & LOG_ITEM_IN_AIL);
	cr_expect_neq(h.ip->fields, 0);
	cr_expect_not(log_is_shutdown(log));
	/* and the next time it is */
	cr_assert_eq(log_quiesce(log), 0);
	cr_expect_not(atomic_load(&h.ip->item.flags) & LOG_ITEM_IN_AIL);
	cr_expect_eq(h.ip->fields, 0);
}

/* The size of attributes in the inode is just bytes of the device. */
Test(inode_item, of_a_fork_longer_than_its_room_is_not_made)
{
	struct inode *ip = f->inodes[7], *again;
	xfs_ino_t ino = ip->ino;
	uint8_t raw[XFS_DINODE_MAX_BYTES];
	struct buf *buf;

	cr_assert_eq(buf_get(f->m->fs.cache, ip->daddr, f->m->fs.cluster_bb,
			     &trans_inode_ops.buf, BUF_READ, &buf), 0);
	memcpy(raw, buf->data + ip->offset_bytes, f->m->fs.geom.inodesize);
	raw[82] = 40;			/* di_forkoff: 320 bytes on */
	raw[83] = XFS_DINODE_FMT_LOCAL;
	put_be16(raw + XFS_DINODE_V3_CORE_BYTES + 320, 60000);
	put_le32(raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(raw, f->m->fs.geom.inodesize,
			       XFS_DINODE_CRC_OFF));
	memcpy(buf->data + ip->offset_bytes, raw, f->m->fs.geom.inodesize);
	buf_release(buf);
	inode_put(ip);
	cr_expect_eq(inode_iget(&f->m->fs, ino, 0, &again), -EUCLEAN);
	cr_expect(testfs_said(f->fs, "fork"));
}

/* --- buffers --- */

static struct trans *alloc(enum xfs_tr tr)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(&f->m->fs, tr, &t), 0);
	return t;
}

static struct buf *superblock(struct trans *t)
{
	struct buf *b;

	cr_assert_eq(trans_read_buf(&f->m->fs, t, 0, 1, &trans_sb_ops, &b), 0);
	return b;
}

static const uint32_t shapes[][5] = {	/* first, last byte; twice; runs */
	{ 0, 0, 0, 0, 1 },
	{ 0, 127, 128, 255, 1 },
	{ 0, 127, 256, 256, 2 },
	{ 127, 128, 511, 511, 2 },
	{ 0, 511, 0, 511, 1 },
};

Test(buf_item, has_the_runs_that_changed)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const uint32_t *s = shapes[i];
		struct xfs_buf_runs it;
		struct xfs_buf_run run;
		struct trans *t = alloc(XFS_TR_SB);
		struct buf *b = superblock(t);
		uint32_t n = 0;

		trans_log_buf(t, b, s[0], s[1] - s[0] + 1);
		trans_log_buf(t, b, s[2], s[3] - s[2] + 1);
		format(&buf_item_of(b)->item);
		cr_assert_null(xfs_buf_runs_init(&it, &view));
		cr_expect_eq(it.blf.blf_blkno, 0);
		cr_expect_eq(it.blf.blf_len, 1);
		cr_expect_eq(xfs_blf_content(it.blf.blf_flags), XFS_BLFT_SB);
		for (; xfs_buf_runs_next(&it, &run); n++)
			cr_expect_eq(memcmp(run.data, b->data +
					    run.off_bytes, run.len_bytes), 0);
		cr_expect_null(xfs_buf_runs_why(&it));
		cr_expect_eq(n, s[4], "shape %zu: %u runs", i, n);
		cr_assert_eq(trans_commit(t, NULL), 0);
		cr_assert_eq(log_quiesce(f->m->fs.log), 0);
	}
}

Test(buf_item, is_written_with_the_lsn_of_its_checkpoint)
{
	xfs_lsn_t lsn = log_head_lsn(f->m->fs.log);
	uint8_t raw[BB_SIZE];
	struct trans *t = alloc(XFS_TR_SB);
	struct buf *b = superblock(t);

	trans_log_buf(t, b, 0, 128);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_assert_eq(log_quiesce(f->m->fs.log), 0);
	cr_assert_eq(dev_read(f->fs->log->fs, 0, raw, sizeof(raw)), 0);
	cr_expect_eq(get_be64(raw + XFS_SB_LSN_OFF), lsn);
	cr_expect_null(xfs_sb_verify(&f->fs->log->sb, raw, sizeof(raw)));
	b = superblock(NULL);
	cr_expect_null(buf_item_of(b));
	trans_brelse(NULL, b);
}

/* What is in the log and not on disk is not written, nor forgotten. */
Test(buf_item, is_pinned_until_it_is_durable)
{
	struct trans *t = alloc(XFS_TR_SB);
	struct buf *b = superblock(t);

	trans_log_buf(t, b, 0, 128);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_expect(buf_is_pinned(b));
	ail_push_all(f->m->fs.log);
	cr_expect_not(ail_push_step(f->m->fs.log));
	cr_assert_eq(log_force(f->m->fs.log, true), 0);
	cr_expect_not(buf_is_pinned(b));
}
