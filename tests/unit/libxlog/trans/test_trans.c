/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transactions on a real filesystem: what a commit, a roll, a cancel and an
 * unmount leave behind, as recovery sees it.
 */
#include "tests/lib/mounted.h"
#include "tests/lib/testfs.h"

enum { MODE_OFF = 2 };

static struct mounted *f;

static void begin(void)
{
	f = mounted_new("linux618/chmod-only");
}

static void end(void)
{
	mounted_free(f);
}

TestSuite(trans, .init = begin, .fini = end);

static struct trans *alloc(enum xfs_tr tr)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(&f->m->fs, tr, &t), 0, "%s", f->fs->reports);
	return t;
}

static void set_mode(struct trans *t, struct inode *ip, uint16_t mode)
{
	inode_join(t, ip);
	ip->di.di_mode = (uint16_t)((ip->di.di_mode & 0170000) | mode);
	inode_log(t, ip, XFS_ILOG_CORE);
}

static uint16_t mode_on_disk(xfs_daddr_t daddr, uint32_t off)
{
	uint8_t raw[2];

	cr_assert_eq(dev_read(f->fs->log->fs, daddr * BB_SIZE + off + MODE_OFF,
			      raw, sizeof(raw)), 0);
	return get_be16(raw) & 07777;
}

/* Power fails: what does recovery make of inode number @i? */
static uint16_t mode_after_crash(unsigned int i)
{
	struct xlog_recover_result res;
	xfs_daddr_t daddr = f->inodes[i]->daddr;
	uint32_t off = f->inodes[i]->offset_bytes;

	mounted_stop(f);
	cr_assert_eq(xlog_recover(f->fs->log, NULL, &res), 0, "%s",
		     f->fs->reports);
	return mode_on_disk(daddr, off);
}

Test(trans, committed_and_forced_is_recovered)
{
	struct trans *t = alloc(XFS_TR_ICHANGE);

	set_mode(t, f->inodes[5], 0123);
	cr_assert_eq(trans_commit_sync(t), 0);
	cr_expect_eq(mode_after_crash(5), 0123);
}

/* Also of one that goes on: in the log there are no two of one ID. */
Test(trans, has_an_id_of_its_own_after_each_roll)
{
	struct trans *t = alloc(XFS_TR_ITRUNCATE), *other;
	uint32_t tid[6];

	for (unsigned int i = 0; i < 6; i += 2) {
		tid[i] = ticket_tid(t->ticket);
		other = alloc(XFS_TR_ICHANGE);
		tid[i + 1] = ticket_tid(other->ticket);
		trans_cancel(other);
		set_mode(t, f->inodes[5], 0123);
		cr_assert_eq(trans_roll(&t), 0);
	}
	trans_cancel(t);
	for (unsigned int i = 0; i < 6; i++)
		for (unsigned int k = 0; k < i; k++)
			cr_expect_neq(tid[i], tid[k]);
}

Test(trans, not_forced_is_not_there)
{
	uint16_t before = f->inodes[5]->di.di_mode & 07777;
	struct trans *t = alloc(XFS_TR_ICHANGE);
	uint64_t seq;

	set_mode(t, f->inodes[5], before ^ 0777);
	cr_assert_eq(trans_commit(t, &seq), 0);
	cr_expect_neq(seq, 0);
	cr_expect_eq(mode_after_crash(5), before);
}

Test(trans, without_a_change_commits_nothing)
{
	uint64_t used = atomic_load(&f->m->fs.log->reserve.used_bytes);
	struct trans *t = alloc(XFS_TR_ICHANGE);
	uint64_t seq = 1;

	inode_join(t, f->inodes[5]);
	cr_assert_eq(trans_commit(t, &seq), 0);
	cr_expect_eq(seq, 0);
	cr_expect_eq(atomic_load(&f->m->fs.log->reserve.used_bytes), used);
	/* and the inode is not locked */
	cr_assert(xmutex_trylock(&f->inodes[5]->lock));
	xmutex_unlock(&f->inodes[5]->lock);
}

Test(trans, a_chain_keeps_what_it_committed)
{
	struct trans *t = alloc(XFS_TR_ITRUNCATE);

	for (uint16_t i = 0; i < 10; i++) {
		set_mode(t, f->inodes[5], (uint16_t)(0100 + i));
		cr_assert_eq(trans_roll(&t), 0);
	}
	trans_cancel(t);
	cr_expect_not(log_is_shutdown(f->m->fs.log));
	cr_assert_eq(log_force(f->m->fs.log, true), 0);
	cr_expect_eq(mode_after_crash(5), 0111);
}

Test(trans, that_is_none_of_a_chain_does_not_roll)
{
	struct trans *t = alloc(XFS_TR_ICHANGE);

	set_mode(t, f->inodes[5], 0123);
	cr_expect_eq(trans_roll(&t), -EINVAL);
	cr_expect(testfs_said(f->fs, "none of a chain"));
	/* nothing was done: it can still be committed */
	cr_assert_eq(trans_commit_sync(t), 0);
	cr_expect_eq(mode_after_crash(5), 0123);
}

Test(trans, cancelled_after_a_change_ends_the_log)
{
	struct trans *t = alloc(XFS_TR_ICHANGE), *next;

	set_mode(t, f->inodes[5], 0123);
	trans_cancel(t);
	cr_expect(log_is_shutdown(f->m->fs.log));
	cr_expect_eq(trans_alloc(&f->m->fs, XFS_TR_ICHANGE, &next),
		     -ESHUTDOWN);
}

Test(trans, cancelled_before_a_change_is_harmless)
{
	struct trans *t = alloc(XFS_TR_ICHANGE);

	inode_join(t, f->inodes[5]);
	trans_cancel(t);
	cr_expect_not(log_is_shutdown(f->m->fs.log));
	t = alloc(XFS_TR_ICHANGE);
	inode_join(t, f->inodes[5]);
	trans_cancel(t);
}

Test(trans, unmounted_has_everything_and_a_clean_log)
{
	struct trans *t = alloc(XFS_TR_ICHANGE);
	xfs_daddr_t daddr = f->inodes[5]->daddr;
	uint32_t off = f->inodes[5]->offset_bytes;
	struct xlog_bounds b;

	set_mode(t, f->inodes[5], 0123);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_assert_eq(mount_unmount(f->m), 0);
	mounted_stop(f);
	cr_assert_eq(xlog_find(f->fs->log, 0, &b), 0);
	cr_expect_eq(b.state, XLOG_CLEAN);
	cr_expect_eq(mode_on_disk(daddr, off), 0123);
}

/* Two checkpoints of the superblock: 5 operations each; then it is clean. */
Test(trans, unmounted_covers_the_log_as_linux_does)
{
	struct xlog *log = f->fs->log;
	uint32_t ops[64], n = 0;
	struct trans *t = alloc(XFS_TR_ICHANGE);
	struct xlog_record rec;
	struct xlog_cursor *cur;
	struct xlog_bounds b;
	xfs_lsn_t from = log_head_lsn(f->m->fs.log);

	set_mode(t, f->inodes[5], 0123);
	set_mode(t, f->inodes[6], 0123);
	cr_assert_eq(trans_commit(t, NULL), 0);
	cr_assert_eq(mount_unmount(f->m), 0);
	cr_assert_eq(xlog_find(log, 0, &b), 0);
	cr_assert_eq(xlog_cursor_open(log, XLOG_WALK_LOG,
				      xlog_lsn_block(from),
				      xlog_lsn_block(b.head), &cur), 0);
	while (n < 64 && xlog_cursor_next(cur, &rec) == 1)
		ops[n++] = rec.num_ops;
	xlog_cursor_close(cur);
	cr_assert_eq(n, 4);
	cr_expect_eq(ops[0], 7);	/* start, header, two of each, commit */
	cr_expect_eq(ops[1], 5);
	cr_expect_eq(ops[2], 5);
	cr_expect_eq(ops[3], 1);
}

Test(trans, of_a_dirty_log_are_refused)
{
	const struct mount_options opts = { .flags = LOG_NO_THREADS };
	struct trans *t = alloc(XFS_TR_ICHANGE);
	struct mount *m;

	set_mode(t, f->inodes[5], 0123);
	cr_assert_eq(trans_commit_sync(t), 0);
	mounted_stop(f);
	cr_expect_eq(mount_open(f->fs->log, &opts, &m), -EUCLEAN);
	cr_expect(testfs_said(f->fs, "recover it first"));
}

/* After two rounds of superblocks there is nothing else to replay. */
Test(trans, are_not_replayed_once_an_idle_log_is_covered)
{
	struct log *log = f->m->fs.log;
	struct xlog_recover_result res;
	struct trans *t = alloc(XFS_TR_ICHANGE);

	set_mode(t, f->inodes[5], 0123);
	set_mode(t, f->inodes[6], 0123);
	cr_assert_eq(trans_commit(t, NULL), 0);
	for (unsigned int i = 0; i < 8; i++) {
		log_worker_step(log);
		while (cil_push_step(log) || iclog_io_step(log) ||
		       ail_push_step(log))
			;
	}
	cr_expect_not(log_needs_cover(log));
	mounted_stop(f);
	cr_assert_eq(xlog_recover(f->fs->log, NULL, &res), 0, "%s",
		     f->fs->reports);
	cr_expect_eq(res.inodes, 0);
	cr_expect_leq(res.checkpoints, 2);
}
