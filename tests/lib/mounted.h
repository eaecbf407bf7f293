/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem in use, for tests of transactions: an image with a clean log,
 * in memory, its log without threads.
 */
#ifndef TESTS_LIB_MOUNTED_H
#define TESTS_LIB_MOUNTED_H

#include "libxlog/log/log_priv.h"
#include "libxlog/meta/mount.h"
#include "libxlog/trans/inode_item.h"
#include "tests/lib/testfs.h"

enum { MOUNTED_INODES = 1024 };

struct mounted {
	struct testfs	*fs;
	struct mount	*m;
	struct inode	*inodes[MOUNTED_INODES];
	unsigned int	ninodes;
};

static inline int mounted_add(void *ctx, xfs_ino_t ino)
{
	struct mounted *f = ctx;

	if (f->ninodes == MOUNTED_INODES)
		return 0;
	cr_assert_eq(inode_iget(&f->m->fs, ino, 0, &f->inodes[f->ninodes]), 0);
	f->ninodes++;
	return 0;
}

/* Replay its log; unlinked inodes, with which some images come, stay. */
static inline struct xlog_recover_result mounted_recover(struct mounted *f)
{
	const struct xlog_recover_options how = {
		.flags = XLOG_RECOVER_LEAVE_UNLINKED,
		.stop_lsn = XLOG_LSN_NONE,
	};
	struct xlog_recover_result res;

	cr_assert_eq(xlog_recover(f->fs->log, &how, &res), 0, "%s",
		     f->fs->reports);
	return res;
}

/* In use: its log is clean. */
static inline void mounted_again_with(struct mounted *f, unsigned int flags)
{
	const struct mount_options opts = { .flags = flags, .seed = 1 };

	cr_assert_eq(mount_open(f->fs->log, &opts, &f->m), 0, "%s",
		     f->fs->reports);
	cr_assert_eq(mount_each_inode(f->m, mounted_add, f), 0);
}

static inline void mounted_again(struct mounted *f)
{
	mounted_again_with(f, LOG_NO_THREADS);
}

static inline struct mounted *mounted_new_with(const char *image,
					       unsigned int flags)
{
	struct mounted *f = calloc(1, sizeof(*f));
	struct xlog_recover_result res;

	cr_assert_not_null(f);
	f->fs = testfs_open(image);
	res = mounted_recover(f);
	if (res.unlinked)
		testfs_erase_log(f->fs);
	testfs_reload(f->fs);
	mounted_again_with(f, flags);
	return f;
}

static inline struct mounted *mounted_new(const char *image)
{
	return mounted_new_with(image, LOG_NO_THREADS);
}

/* Power fails, or it was unmounted before. */
static inline void mounted_stop(struct mounted *f)
{
	mount_close(f->m);
	f->m = NULL;
	f->ninodes = 0;
}

static inline void mounted_free(struct mounted *f)
{
	mounted_stop(f);
	testfs_close(f->fs);
	free(f);
}

#endif
