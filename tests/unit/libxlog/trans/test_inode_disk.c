/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of an inode reaches the disk: the core, and of its forks what was
 * logged, as a replay of the log would have left it.
 */
#include "libxlog/trans/inode_item.h"
#include "tests/lib/newfs.h"

static void read_slot(struct newfs *n, const struct inode *ip, uint8_t *raw)
{
	cr_assert_eq(dev_read(n->data, ip->daddr * BB_SIZE + ip->offset_bytes,
			      raw, n->fs.geom.inodesize), 0);
}

static struct inode *get(struct newfs *n)
{
	struct inode *ip;

	cr_assert_eq(inode_iget(&n->fs, newfs_ino(n, 0, 1), 0, &ip), 0, "%s",
		     n->said.text);
	return ip;
}

/* A link to @target, logged, or (@target "") a file without extents. */
static void become(struct inode *ip, const char *target)
{
	size_t len = strlen(target);
	struct trans *t;

	cr_assert_eq(trans_alloc(ip->fs, XFS_TR_ITRUNCATE, &t), 0);
	inode_join(t, ip);
	ip->di.di_format = len ? XFS_DINODE_FMT_LOCAL :
				 XFS_DINODE_FMT_EXTENTS;
	ip->di.di_mode = len ? XFS_MODE_LNK : XFS_MODE_REG;
	ip->di.di_size = len;
	memcpy(inode_fork(ip, XFS_DATA_FORK, NULL), target, len);
	inode_log(t, ip, XFS_ILOG_CORE | XFS_ILOG_DDATA | XFS_ILOG_DEXT);
	cr_assert_eq(trans_commit(t, NULL), 0);
}

static void behind_a_fork(const struct newfs_options *o)
{
	struct newfs *n = newfs_new(o);
	uint8_t raw[XFS_DINODE_MAX_BYTES];
	struct inode *ip = get(n);
	size_t core = xfs_dinode_core_bytes(&ip->di);

	become(ip, "a long target");
	newfs_settle(n);
	read_slot(n, ip, raw);
	cr_assert_arr_eq(raw + core, "a long target", 14);
	become(ip, "short");
	newfs_settle(n);
	read_slot(n, ip, raw);
	cr_assert_arr_eq(raw + core, "short" "g target", 14);
	become(ip, "");
	newfs_settle(n);
	read_slot(n, ip, raw);
	cr_assert_arr_eq(raw + core, "short" "g target", 14);
	inode_put(ip);
	newfs_free(n);
}

Test(inode_disk, what_lies_behind_a_fork_stays)
{
	const struct newfs_options v4 = { .v4 = true }, v5 = { 0 };

	behind_a_fork(&v4);
	behind_a_fork(&v5);
}

Test(inode_disk, a_fork_that_was_not_logged_stays)
{
	const struct newfs_options o = { 0 };
	struct newfs *n = newfs_new(&o);
	uint8_t raw[XFS_DINODE_MAX_BYTES];
	struct inode *ip = get(n);
	size_t core = xfs_dinode_core_bytes(&ip->di);
	struct trans *t;

	become(ip, "somewhere");
	newfs_settle(n);
	cr_assert_eq(trans_alloc(&n->fs, XFS_TR_ITRUNCATE, &t), 0);
	inode_join(t, ip);
	memcpy(inode_fork(ip, XFS_DATA_FORK, NULL), "elsewhere", 9);
	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_commit(t, NULL), 0);
	newfs_settle(n);
	read_slot(n, ip, raw);
	cr_assert_arr_eq(raw + core, "somewhere", 9);
	inode_put(ip);
	newfs_free(n);
}

/* Log it @times in one transaction of a chain, and once in the next. */
static uint64_t count_after(struct newfs *n, unsigned int times)
{
	struct inode *ip = get(n);
	struct trans *t;
	uint64_t count;

	cr_assert_eq(trans_alloc(&n->fs, XFS_TR_ITRUNCATE, &t), 0);
	inode_join(t, ip);
	inode_hold(t, ip);
	for (unsigned int i = 0; i < times; i++)
		inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_roll_held(&t), 0);
	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_commit(t, NULL), 0);
	count = ip->di.di_changecount;
	inode_unlock(ip);
	inode_put(ip);
	return count;
}

Test(inode_disk, transactions_count_changes_where_they_are_to)
{
	const struct newfs_options o = { 0 };
	struct newfs *n = newfs_new(&o);

	cr_assert_eq(count_after(n, 3), 0);
	n->fs.count_changes = true;
	cr_assert_eq(count_after(n, 3), 2);
	cr_assert_eq(count_after(n, 1), 4);
	newfs_free(n);
}
