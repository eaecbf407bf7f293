/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * leave_chain IMAGE POINT OPERATION INODE...: use the filesystem, whose log is
 * clean, for one operation, and stop behind intent number POINT of it: the log
 * has that, and not that it is done. Exit status 3: there is no such point; the
 * operation is done then, and the filesystem unmounted. Prints the points that
 * were passed. "OPERATION!": done items come in front of their intents.
 *
 *	truncate A	to no bytes
 *	move A		every other extent, to the end of the file
 *	share A B	all that A has is B's as well; B has nothing
 *	exchange A B	all that they have, and their sizes
 *	attr-set A	an attribute whose value has blocks of its own
 *	attr-replace A	its value by one that lies in a leaf
 *	attr-remove A	it is gone
 */
#include "libxlog/log/log_priv.h"
#include "libxlog/meta/attr.h"
#include "libxlog/meta/exchange.h"
#include "libxlog/meta/itruncate.h"
#include "libxlog/meta/mount.h"
#include "libxlog/meta/refcount.h"
#include "libxlog/trans/counters.h"
#include "tests/lib/must.h"

enum {
	BLOCKS = 64,
	MAX_EXTENTS = 256,
	FORKOFF = 24,		/* of an attribute fork, in 8 bytes */
	NO_SUCH_POINT = 3,
};

struct extents {
	struct xfs_bmbt_rec rec[MAX_EXTENTS];
	unsigned int	n;
	uint64_t	end;		/* block behind the last */
};

struct use {
	struct trans_fs	*fs;
	struct inode	*ip[2];
	unsigned int	n;
};

static int begin(struct use *u, enum xfs_tr tr, struct trans **t)
{
	int rc = trans_alloc_blocks(u->fs, tr, BLOCKS, true, t);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < u->n; i++) {
		inode_join(*t, u->ip[i]);
		inode_hold(*t, u->ip[i]);
	}
	return 0;
}

static int end(struct use *u, struct trans *t, int rc)
{
	if (rc)
		trans_cancel(t);
	else
		rc = trans_commit(t, NULL);
	for (unsigned int i = 0; i < u->n; i++)
		inode_unlock(u->ip[i]);
	return rc;
}

static int take(void *ctx, const struct xfs_bmbt_rec *rec)
{
	struct extents *all = ctx;

	must(all->n < MAX_EXTENTS);
	all->rec[all->n++] = *rec;
	all->end = rec->br_startoff + rec->br_blockcount;
	return 0;
}

static struct extents extents_of(struct inode *ip)
{
	struct extents all = { .n = 0 };

	inode_lock(ip);
	must(bmap_each(NULL, ip, XFS_DATA_FORK, take, &all) == 0);
	inode_unlock(ip);
	return all;
}

/* --- operations --- */

static int do_truncate(struct use *u)
{
	struct trans *t;
	int rc = begin(u, XFS_TR_ITRUNCATE, &t);

	if (rc)
		return rc;
	u->ip[0]->di.di_size = 0;
	inode_log(t, u->ip[0], XFS_ILOG_CORE);
	return end(u, t, itruncate_extents(&t, u->ip[0], XFS_DATA_FORK, 0, 0));
}

static int do_move(struct use *u)
{
	struct extents all = extents_of(u->ip[0]);
	struct inode *ip = u->ip[0];
	int rc = 0;

	for (unsigned int i = 0; i < all.n && !rc; i += 2) {
		struct xfs_bmbt_rec to = all.rec[i];
		struct trans *t;

		rc = begin(u, XFS_TR_ITRUNCATE, &t);
		if (rc)
			return rc;
		to.br_startoff = all.end + 10 * i;
		ip->di.di_size = (to.br_startoff + to.br_blockcount) <<
				 u->fs->geom.blocklog;
		inode_log(t, ip, XFS_ILOG_CORE);
		rc = bmap_unmap_later(t, ip, XFS_DATA_FORK, &all.rec[i]);
		if (!rc)
			rc = bmap_map_later(t, ip, XFS_DATA_FORK, &to);
		rc = end(u, t, rc);
	}
	return rc;
}

static int do_share(struct use *u)
{
	struct extents all = extents_of(u->ip[0]);
	int rc = 0;

	for (unsigned int i = 0; i < all.n && !rc; i++) {
		const struct xfs_bmbt_rec *rec = &all.rec[i];
		struct trans *t;

		rc = begin(u, XFS_TR_ITRUNCATE, &t);
		if (rc)
			return rc;
		for (unsigned int j = 0; j < 2; j++) {
			u->ip[j]->di.di_flags2 |= XFS_DIFLAG2_REFLINK;
			u->ip[j]->di.di_size = u->ip[0]->di.di_size;
			inode_log(t, u->ip[j], XFS_ILOG_CORE);
		}
		rc = refcount_increase_later(t, rec->br_startblock,
					     (uint32_t)rec->br_blockcount);
		if (!rc)
			rc = bmap_map_later(t, u->ip[1], XFS_DATA_FORK, rec);
		rc = end(u, t, rc);
	}
	return rc;
}

static int do_exchange(struct use *u)
{
	struct extents a = extents_of(u->ip[0]), b = extents_of(u->ip[1]);
	const struct exchange ex = {
		.ip = { u->ip[0], u->ip[1] },
		.blocks = a.end > b.end ? a.end : b.end,
		.size = { u->ip[1]->di.di_size, u->ip[0]->di.di_size },
		.flags = XFS_EXCHMAPS_SET_SIZES,
	};
	struct trans *t;
	int rc = begin(u, XFS_TR_WRITE, &t);

	return rc ? rc : end(u, t, exchange_later(t, &ex));
}

/* An attribute fork, in a transaction of its own. */
static int give_fork(struct use *u)
{
	struct inode *ip = u->ip[0];
	struct trans *t;
	int rc;

	if (ip->di.di_forkoff)
		return 0;
	rc = begin(u, XFS_TR_ADDAFORK, &t);
	if (rc)
		return rc;
	ip->di.di_forkoff = FORKOFF;
	ip->di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	inode_log(t, ip, XFS_ILOG_CORE);
	return end(u, t, 0);
}

static int change_attr(struct use *u, uint32_t value_bytes, bool remove)
{
	static uint8_t value[XFS_ATTR_MAX_VALUE_BYTES];
	const struct xfs_attr a = {
		.name = (const uint8_t *)"colour", .name_bytes = 6,
		.value = value, .value_bytes = value_bytes,
	};
	struct inode *ip = u->ip[0];
	struct trans *t;
	int rc = give_fork(u);

	for (uint32_t i = 0; i < value_bytes; i++)
		value[i] = (uint8_t)(i * 7 + value_bytes);
	if (!rc)
		rc = attr_trans_alloc(u->fs, remove ? NULL : &a, true, &t);
	if (rc)
		return rc;
	inode_join(t, ip);
	inode_hold(t, ip);
	return end(u, t, remove ? attr_remove_later(t, ip, &a) :
				  attr_set_later(t, ip, &a));
}

static int do_attr_set(struct use *u)
{
	return change_attr(u, 20000, false);
}

static int do_attr_replace(struct use *u)
{
	return change_attr(u, 1000, false);
}

static int do_attr_remove(struct use *u)
{
	return change_attr(u, 0, true);
}

static const struct {
	const char	*name;
	int (*fn)(struct use *u);
	unsigned int	inodes;
} operations[] = {
	{ "truncate", do_truncate, 1 },
	{ "move", do_move, 1 },
	{ "share", do_share, 2 },
	{ "exchange", do_exchange, 2 },
	{ "attr-set", do_attr_set, 1 },
	{ "attr-replace", do_attr_replace, 1 },
	{ "attr-remove", do_attr_remove, 1 },
};

/* --- all --- */

static void say(void *ctx, const struct xlog_report *r)
{
	(void)ctx;
	if (r->severity == XLOG_ERROR)
		fprintf(stderr, "%s: %s\n", r->code, r->text);
}

static int run(struct mount *m, uint64_t point, const char *operation,
	       char **inodes, int ninodes)
{
	struct use u = { .fs = &m->fs };
	size_t len = strcspn(operation, "!");
	int rc = -EINVAL;

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		if (strncmp(operations[i].name, operation, len) ||
		    operations[i].name[len])
			continue;
		must((unsigned int)ninodes == operations[i].inodes);
		for (u.n = 0; u.n < operations[i].inodes; u.n++)
			must(inode_iget(&m->fs, strtoull(inodes[u.n], NULL, 10),
					0, &u.ip[u.n]) == 0);
		m->fs.hooks.stop_at = point;
		if (operation[len])
			m->fs.hooks.flags = DEFER_BREAK_ORDER;
		rc = operations[i].fn(&u);
	}
	printf("%llu\n", (unsigned long long)m->fs.hooks.points);
	for (unsigned int i = 0; i < u.n; i++)
		inode_put(u.ip[i]);
	return rc;
}

int main(int argc, char **argv)
{
	const struct xlog_open_options opts = {
		.flags = XLOG_OPEN_WRITE, .report = say,
	};
	const struct mount_options how = { .flags = LOG_NO_THREADS,
					   .seed = 1 };
	struct xlog *log;
	struct mount *m;
	int rc;

	if (argc < 5) {
		fprintf(stderr, "usage: leave_chain IMAGE POINT OPERATION INODE...\n");
		return 2;
	}
	must(xlog_open(argv[1], &opts, &log) == 0);
	must(mount_open(log, &how, &m) == 0);
	rc = run(m, strtoull(argv[2], NULL, 10), argv[3], argv + 4, argc - 4);
	if (!rc)
		rc = mount_unmount(m) ? -EIO : NO_SUCH_POINT;
	else if (rc == -ESHUTDOWN)
		rc = 0;
	mount_close(m);
	xlog_close(log);
	return rc < 0 ? 1 : rc;
}
