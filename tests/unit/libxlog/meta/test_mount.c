/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Going on with a log that was replayed just now: where its tail is, and that
 * recovery can begin there again at any time.
 */
#include "libxfsfmt/crc32c.h"
#include "libxlog/log/log_priv.h"
#include "libxlog/trans/counters.h"
#include "tests/lib/mounted.h"
#include "tests/lib/testfs.h"

static struct mounted *f;
static uint8_t sector[BB_SIZE];

static void begin(void)
{
	f = mounted_new("linux618/chmod-only");
}

static void end(void)
{
	mounted_free(f);
}

TestSuite(mount_open_recovered, .init = begin, .fini = end);

static void change(struct inode *ip, uint32_t uid)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(&f->m->fs, XFS_TR_ICHANGE, &t), 0);
	inode_join(t, ip);
	ip->di.di_uid = uid;
	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_commit_sync(t), 0, "%s", f->fs->reports);
}

static uint64_t place(const struct inode *ip)
{
	return ip->daddr * BB_SIZE + ip->offset_bytes;
}

static uint32_t uid_at(uint64_t at)
{
	uint8_t raw[4];

	cr_assert_eq(dev_read(f->fs->log->fs, at + 8, raw, sizeof(raw)), 0);
	return get_be32(raw);
}

/*
 * Several checkpoints are in the log when power fails, and what they changed
 * is in its place: as replay would leave it.
 */
static struct mount_recovered replayed(void)
{
	struct mount_recovered r = { .sb = sector };
	struct xlog_bounds b;

	for (uint32_t i = 0; i < 5; i++)
		change(f->inodes[7 + i], 100 + i);
	mounted_stop(f);
	cr_assert_eq(xlog_find(f->fs->log, 0, &b), 0);
	cr_assert_eq(b.state, XLOG_DIRTY);
	cr_assert_lt(b.tail, b.head);
	r.head = b.head;
	r.tail = b.tail;
	r.prev_block = xlog_lsn_block(b.last_record);
	testfs_peek(f->fs, 0, sector, sizeof(sector));
	return r;
}

static int open_it(const struct mount_recovered *r)
{
	const struct mount_options opts = { .flags = LOG_NO_THREADS,
					    .seed = 1 };
	int rc = mount_open_recovered(f->fs->log, &opts, r, &f->m);

	return rc ? rc : mount_each_inode(f->m, mounted_add, f);
}

Test(mount_open_recovered, keeps_the_tail_until_the_first_transaction)
{
	struct mount_recovered r = replayed();
	struct log *log;

	cr_assert_eq(open_it(&r), 0, "%s", f->fs->reports);
	log = f->m->fs.log;
	cr_expect_eq(log_tail_lsn(log), r.tail);
	cr_expect_eq(log_head_lsn(log), r.head);
	cr_expect_eq(atomic_load(&log->reserve.used_bytes),
		     log_distance(log, r.tail, r.head));
	change(f->inodes[7], 1000);
	cr_expect_geq(log_tail_lsn(log), r.head);
}

/* Without replay: what was in the log before is not needed any more. */
Test(mount_open_recovered, goes_on_behind_the_last_record)
{
	struct mount_recovered r = replayed();
	uint64_t at;

	cr_assert_eq(open_it(&r), 0);
	at = place(f->inodes[12]);
	change(f->inodes[12], 4711);
	mounted_stop(f);
	mounted_recover(f);
	cr_expect_eq(uid_at(at), 4711u);
}

Test(mount_open_recovered, ends_with_a_clean_log)
{
	struct mount_recovered r = replayed();
	struct xlog_bounds b;

	cr_assert_eq(open_it(&r), 0);
	cr_assert_eq(mount_unmount(f->m), 0);
	cr_assert_eq(xlog_find(f->fs->log, 0, &b), 0);
	cr_expect_eq(b.state, XLOG_CLEAN);
	cr_expect_gt(b.head, r.head);
}

/* The counters are those of the superblock that was handed in. */
Test(mount_open_recovered, believes_the_superblock_as_replayed)
{
	struct mount_recovered r = replayed();
	uint64_t blocks = get_be64(sector + 144) - 5;

	put_be64(sector + 144, blocks);
	cr_assert_eq(open_it(&r), -EUCLEAN);
	cr_expect(testfs_said(f->fs, "sb.recovered"));
	f->m = NULL;
	put_le32(sector + XFS_SB_CRC_OFF,
		 xfs_crc_block(sector, sizeof(sector), XFS_SB_CRC_OFF));
	cr_assert_eq(open_it(&r), 0, "%s", f->fs->reports);
	cr_expect_eq(counters_read(&f->m->fs, TRANS_SB_FDBLOCKS),
		     (int64_t)blocks);
	cr_assert_eq(mount_unmount(f->m), 0);
	testfs_peek(f->fs, 0, sector, sizeof(sector));
	cr_expect_eq(get_be64(sector + 144), blocks);
}

/* --- what recovery found in the log, and has to be done with --- */

static void nothing(struct log_item *item, bool abort)
{
	(void)item;
	(void)abort;
}

static const struct log_item_ops found_ops = {
	.name = "found", .release = nothing,
};

Test(mount_open_recovered, holds_the_tail_at_what_was_found_there)
{
	struct mount_recovered r = replayed();
	struct log_item found[2];
	struct log *log;
	xfs_lsn_t first = r.tail + 2, second = r.head - 1;

	cr_assert_eq(open_it(&r), 0);
	log = f->m->fs.log;
	log_item_init(&found[0], &found_ops, 1);
	log_item_init(&found[1], &found_ops, 1);
	log_ail_insert(log, &found[0], first);
	log_ail_insert(log, &found[1], second);
	change(f->inodes[7], 1);
	cr_expect_eq(log_tail_lsn(log), first);
	log_item_clean(log, &found[0]);
	cr_expect_eq(log_tail_lsn(log), second);
	log_item_clean(log, &found[1]);
	cr_assert_eq(log_quiesce(log), 0);
	cr_expect_geq(log_tail_lsn(log), r.head);
	cr_expect_eq(atomic_load(&log->reserve.used_bytes),
		     log_distance(log, log_tail_lsn(log), log_head_lsn(log)));
	log_item_fini(&found[0]);
	log_item_fini(&found[1]);
}

Test(mount_open_recovered, refuses_an_end_before_its_beginning)
{
	struct mount_recovered r = replayed();

	r.tail = r.head + 1;
	cr_expect_eq(open_it(&r), -EINVAL);
	f->m = NULL;
}
