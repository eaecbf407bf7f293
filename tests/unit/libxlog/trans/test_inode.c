/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes in memory: one for each number, as long as it is needed; what of them
 * gets into their cluster; and what becomes of those whose chunk is freed.
 */
#include "libxfsfmt/crc32c.h"
#include "libxlog/trans/buf_item.h"
#include "tests/lib/mounted.h"
#include "tests/lib/testfs.h"

static struct mounted *f;

static void begin(void)
{
	f = mounted_new("linux618/chmod-only");
}

static void begin_v4(void)
{
	f = mounted_new("other/v4-noflush");
}

static void begin_log_v1(void)
{
	f = mounted_new("other/be612-v4-v1log-quota");
	cr_assert_not(f->m->fs.geom.log_v2);
}

static void end(void)
{
	mounted_free(f);
}

TestSuite(inode_cache, .init = begin, .fini = end);
TestSuite(inode_stale, .init = begin, .fini = end);
TestSuite(inode_flush, .init = begin, .fini = end);
TestSuite(inode_v4, .init = begin_v4, .fini = end);
TestSuite(log_v1, .init = begin_log_v1, .fini = end);

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

static struct inode *get(xfs_ino_t ino, unsigned int flags)
{
	struct inode *ip;

	cr_assert_eq(inode_iget(fs(), ino, flags, &ip), 0, "%s",
		     f->fs->reports);
	return ip;
}

static void change(struct inode *ip, uint32_t uid)
{
	struct trans *t = alloc();

	inode_join(t, ip);
	ip->di.di_uid = uid;
	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", f->fs->reports);
}

static void quiesce(void)
{
	cr_assert_eq(log_quiesce(fs()->log), 0, "%s", f->fs->reports);
}

static void force(void)
{
	cr_assert_eq(log_force(fs()->log, true), 0);
}

static bool is_in_ail(const struct inode *ip)
{
	return atomic_load(&ip->item.flags) & LOG_ITEM_IN_AIL;
}

static struct xfs_dinode on_disk(const struct inode *ip)
{
	uint8_t raw[XFS_DINODE_MAX_BYTES];
	struct xfs_dinode di;

	cr_assert_eq(dev_read(f->fs->log->fs, ip->daddr * BB_SIZE +
			      ip->offset_bytes, raw, fs()->geom.inodesize), 0);
	cr_expect_null(xfs_dinode_verify(raw, &fs()->geom, ip->ino));
	xfs_dinode_decode(&di, raw, fs()->geom.inodesize, XFS_BE);
	return di;
}

static struct buf *cluster(struct trans *t, const struct inode *ip)
{
	struct buf *b;

	cr_assert_eq(trans_read_buf(fs(), t, ip->daddr, fs()->cluster_bb,
				    &trans_inode_ops, &b), 0);
	return b;
}

/* --- the cache --- */

Test(inode_cache, has_one_for_each_number)
{
	struct inode *ip = f->inodes[7];

	cr_expect_eq(get(ip->ino, 0), ip);
	inode_put(ip);
}

Test(inode_cache, keeps_what_is_not_written_back)
{
	struct inode *ip = f->inodes[7];
	xfs_ino_t ino = ip->ino;

	change(ip, 4711);
	inode_put(ip);
	/* nobody has a reference, but the log */
	ip = get(ino, 0);
	cr_expect_eq(ip->di.di_uid, 4711u);
	inode_put(ip);
	quiesce();
	ip = get(ino, 0);
	cr_expect_eq(ip->di.di_uid, 4711u);
	cr_expect_eq(ip->fields, 0);
	cr_expect_eq(atomic_load(&ip->refs), 1);
	inode_put(ip);
}

Test(inode_cache, gives_free_inodes_to_who_wants_them)
{
	struct inode *ip = f->inodes[7];
	struct trans *t = alloc();
	struct inode *again;

	inode_join(t, ip);
	ip->di.di_mode = 0;
	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_expect_eq(inode_iget(fs(), ip->ino, 0, &again), -EUCLEAN);
	cr_expect(testfs_said(f->fs, "not in use"));
	cr_expect_eq(get(ip->ino, INODE_GET_FREE), ip);
	inode_put(ip);
}

Test(inode_cache, refuses_what_is_no_inode)
{
	struct inode *ip;

	cr_expect_eq(inode_iget(fs(), 0, 0, &ip), -EUCLEAN);
	cr_expect_eq(inode_iget(fs(), UINT64_MAX, INODE_GET_FREE, &ip),
		     -EUCLEAN);
}

Test(inode_cache, gives_held_back_locked)
{
	struct inode *ip = f->inodes[7];
	struct trans *t = alloc();

	inode_join(t, ip);
	inode_hold(t, ip);
	ip->di.di_uid = 4711;
	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_roll_held(&t), 0);
	cr_expect_not(xmutex_trylock(&ip->lock));
	cr_expect_eq(ip->item.trans_link.next, &t->items);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_expect_not(xmutex_trylock(&ip->lock));
	inode_unlock(ip);
}

/* --- write-back --- */

Test(inode_flush, leaves_the_unlinked_list_alone)
{
	struct inode *ip = f->inodes[7];
	struct trans *t;
	struct buf *b;

	change(ip, 4711);
	/* the list is changed while the inode waits to be written back */
	t = alloc();
	b = cluster(t, ip);
	put_be32(b->data + ip->offset_bytes + XFS_DINODE_UNLINKED_OFF, 128);
	trans_inode_buf(t, b);
	trans_log_buf(t, b, ip->offset_bytes + XFS_DINODE_UNLINKED_OFF, 4);
	cr_assert_eq(trans_commit(t, NULL), 0);
	quiesce();
	cr_expect_eq(on_disk(ip).di_next_unlinked, 128u);
	cr_expect_eq(on_disk(ip).di_uid, 4711u);
}

Test(inode_flush, waits_for_who_has_the_cluster)
{
	struct inode *ip = f->inodes[7];
	struct trans *t;
	struct list queue;

	change(ip, 4711);
	force();
	t = alloc();
	cluster(t, ip);
	list_init(&queue);
	cr_assert_eq(ip->item.ops->push(&ip->item, &queue), LOG_PUSH_QUEUED);
	trans_write_back(fs(), &queue);
	cr_expect(is_in_ail(ip));
	cr_expect_not(log_is_shutdown(fs()->log));
	cr_expect_eq(ip->item.failures, 0);
	cr_assert_eq(trans_commit(t, NULL), 0);
	quiesce();
	cr_expect_eq(on_disk(ip).di_uid, 4711u);
}

/* Who pushes the AIL is told that nothing came of it, and waits. */
Test(inode_flush, that_has_to_wait_is_no_progress)
{
	struct inode *ip = f->inodes[7];
	struct log *log = fs()->log;
	struct trans *t;

	change(ip, 4711);
	force();
	t = alloc();
	cluster(t, ip);
	ail_push_all(log);
	cr_expect_eq(ail_push_step(log), AIL_IDLE);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_expect_eq(ail_push_step(log), AIL_PUSHED);
	cr_expect_not(is_in_ail(ip));
}

/* --- before version 5 --- */

static struct xfs_dinode logged_core(struct inode *ip, size_t *len_bytes)
{
	const uint8_t *at = ip->item.vec->data;
	struct xfs_dinode di;

	at += OP_BYTES + get_be32(at + 4);
	*len_bytes = get_be32(at + 4);
	xfs_dinode_decode(&di, at + OP_BYTES, *len_bytes, XFS_HOST_ORDER);
	return di;
}

Test(inode_v4, is_logged_with_its_short_core)
{
	struct inode *ip = f->inodes[7];
	size_t bytes;

	cr_assert_not(fs()->geom.v5);
	change(ip, 4711);
	cr_expect_eq(logged_core(ip, &bytes).di_uid, 4711u);
	cr_expect_eq(bytes, (size_t)XFS_LOG_DINODE_V2_BYTES);
}

Test(inode_v4, counts_how_often_it_was_written)
{
	struct inode *ip = f->inodes[7];
	uint16_t before = ip->di.di_flushiter;
	size_t bytes;

	change(ip, 1);
	cr_expect_eq(logged_core(ip, &bytes).di_flushiter, before);
	quiesce();
	cr_expect_eq(on_disk(ip).di_flushiter, before + 1);
	change(ip, 2);
	cr_expect_eq(logged_core(ip, &bytes).di_flushiter, before + 1);
	ip->di.di_flushiter = 0xfffe;
	quiesce();
	cr_expect_eq(on_disk(ip).di_flushiter, 0);
	cr_expect_eq(on_disk(ip).di_uid, 2u);
}

/* Written back, and then changed again: both are there after a crash. */
static void is_recovered(void)
{
	uint8_t raw[XFS_DINODE_MIN_BYTES];
	struct xfs_dinode di;
	uint64_t at;

	change(f->inodes[7], 4711);
	quiesce();
	change(f->inodes[7], 4712);
	force();
	at = f->inodes[7]->daddr * BB_SIZE + f->inodes[7]->offset_bytes;
	mounted_stop(f);
	mounted_recover(f);
	cr_assert_eq(dev_read(f->fs->log->fs, at, raw, sizeof(raw)), 0);
	xfs_dinode_decode(&di, raw, sizeof(raw), XFS_BE);
	cr_expect_eq(di.di_uid, 4712u);
}

Test(inode_v4, is_recovered)
{
	is_recovered();
}

Test(log_v1, is_recovered)
{
	is_recovered();
}

static void is_unmounted(void)
{
	struct xlog_bounds b;

	change(f->inodes[7], 4711);
	cr_assert_eq(mount_unmount(f->m), 0, "%s", f->fs->reports);
	cr_assert_eq(xlog_find(f->fs->log, 0, &b), 0);
	cr_expect_eq(b.state, XLOG_CLEAN);
}

Test(inode_v4, has_its_log_unmounted)
{
	is_unmounted();
}

Test(log_v1, is_unmounted)
{
	is_unmounted();
}

/* Around its end, many times. */
Test(log_v1, wraps)
{
	xfs_lsn_t first = log_head_lsn(fs()->log);

	for (uint32_t n = 0; xfs_lsn_cycle(log_head_lsn(fs()->log)) <
			     xfs_lsn_cycle(first) + 2; n++) {
		for (unsigned int i = 7; i < 57 && i < f->ninodes; i++)
			change(f->inodes[i], n);
		force();
	}
	is_recovered();
}

/* Where chunks lie anywhere, their btree says where they begin. */
Test(inode_v4, of_an_unaligned_chunk_is_found)
{
	uint64_t daddr[MOUNTED_INODES];
	uint32_t off[MOUNTED_INODES];
	unsigned int n = f->ninodes;
	uint8_t sector[BB_SIZE];

	cr_assert_geq(n, 65);
	for (unsigned int i = 0; i < n; i++) {
		daddr[i] = f->inodes[i]->daddr;
		off[i] = f->inodes[i]->offset_bytes;
	}
	mounted_stop(f);
	testfs_peek(f->fs, 0, sector, sizeof(sector));
	put_be32(sector + 180, 0);		/* sb_inoalignmt */
	testfs_poke(f->fs, 0, sector, sizeof(sector));
	testfs_reload(f->fs);
	mounted_again(f);
	cr_assert_eq(fs()->inode_align, 0u);
	cr_assert_eq(f->ninodes, n);
	for (unsigned int i = 0; i < n; i++) {
		cr_expect_eq(f->inodes[i]->daddr, daddr[i]);
		cr_expect_eq(f->inodes[i]->offset_bytes, off[i]);
	}
}

/* --- chunks that are freed --- */

/* All inodes of the cluster of @ip are free now, and so is their chunk. */
static struct buf *free_chunk(struct inode *ip)
{
	struct trans *t = alloc();
	struct buf *b = cluster(t, ip);

	inode_join(t, ip);
	ip->di.di_mode = 0;
	trans_stale_inode_buf(t, b);
	inode_log(t, ip, XFS_ILOG_CORE);
	buf_hold(b);
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", f->fs->reports);
	return b;
}

static bool same_cluster(const struct inode *a, const struct inode *b)
{
	return a->daddr == b->daddr;
}

/* An inode, and another one in its cluster. */
static struct inode *with_neighbour(struct inode **other)
{
	for (unsigned int i = 16; i + 1 < f->ninodes; i++)
		if (same_cluster(f->inodes[i], f->inodes[i + 1])) {
			*other = f->inodes[i + 1];
			return f->inodes[i];
		}
	cr_assert_fail("no such inodes");
	return NULL;
}

Test(inode_stale, stays_in_the_ail_until_that_is_durable)
{
	struct inode *other, *ip = with_neighbour(&other), *again;
	xfs_lsn_t lsn = log_head_lsn(fs()->log);
	struct list queue;
	struct buf *b;

	change(other, 4711);
	force();
	b = free_chunk(ip);
	cr_expect(is_in_ail(other));
	cr_expect_eq(log_tail_lsn(fs()->log), lsn);
	list_init(&queue);
	cr_expect_eq(other->item.ops->push(&other->item, &queue),
		     LOG_PUSH_PINNED);
	cr_expect_eq(inode_iget(fs(), other->ino, INODE_GET_FREE, &again),
		     -EUCLEAN);
	force();
	cr_expect_not(is_in_ail(other));
	cr_expect_not(is_in_ail(ip));
	cr_expect_gt(log_tail_lsn(fs()->log), lsn);
	cr_expect_neq(on_disk(other).di_uid, 4711u);
	buf_put(b);
	quiesce();
}

/* It was flushed into the cluster before that was freed, and not written. */
Test(inode_stale, is_not_taken_for_written)
{
	struct inode *other, *ip = with_neighbour(&other);
	const struct trans_item_ops *ops = trans_item_ops_of(&other->item);
	struct list queue;
	struct buf *b;

	change(other, 4711);
	force();
	list_init(&queue);
	cr_assert_eq(ops->log.push(&other->item, &queue), LOG_PUSH_QUEUED);
	cr_assert_eq(ops->flush(&other->item, other->item.lsn), 0);
	b = free_chunk(ip);
	cr_expect_not(ops->is_written(&other->item));
	ops->flushed(&other->item, false);
	cr_expect(is_in_ail(other));
	force();
	cr_expect_not(is_in_ail(other));
	buf_put(b);
}

/* A chain goes on with the inode whose chunk it freed. */
Test(inode_stale, that_is_logged_again_does_not_stay)
{
	struct inode *other, *ip = with_neighbour(&other);
	struct trans *t = alloc();
	struct buf *b = cluster(t, ip);

	inode_join(t, ip);
	inode_hold(t, ip);
	ip->di.di_mode = 0;
	trans_stale_inode_buf(t, b);
	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_roll_held(&t), 0);
	force();
	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_commit(t, NULL), 0);
	inode_unlock(ip);
	quiesce();
	cr_expect_not(is_in_ail(ip));
	inode_put(ip);
}

/* New inodes in the same place: nothing of the old ones is in the way. */
Test(inode_stale, gives_its_number_to_another)
{
	struct inode *other, *ip = with_neighbour(&other), *fresh;
	xfs_ino_t ino = ip->ino;
	uint32_t off = ip->offset_bytes;
	struct trans *t;
	struct buf *b;
	uint8_t *was;

	b = cluster(NULL, ip);
	was = malloc(b->len_bb * BB_SIZE);
	cr_assert_not_null(was);
	memcpy(was, b->data, b->len_bb * BB_SIZE);
	trans_brelse(NULL, b);
	b = free_chunk(ip);
	inode_put(ip);
	inode_put(other);
	buf_put(b);

	t = alloc();
	cr_assert_eq(trans_get_buf(t, b->daddr, fs()->cluster_bb,
				   &trans_inode_ops, &b), 0);
	memcpy(b->data, was, b->len_bb * BB_SIZE);
	put_be32(b->data + off + 8, 815);		/* di_uid */
	put_le32(b->data + off + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(b->data + off, fs()->geom.inodesize,
			       XFS_DINODE_CRC_OFF));
	trans_ordered_buf(t, b);
	cr_assert_eq(trans_commit(t, NULL), 0);
	fresh = get(ino, 0);
	cr_expect_eq(fresh->di.di_uid, 815u);
	inode_put(fresh);
	free(was);
}
