/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log items of inodes; see inode_item.h. An inode is written back into the
 * cluster it lies in, which is then written with all that went into it. What
 * the cluster has of its own, the unlinked list, stays as it is there.
 */
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inodelog.h"
#include "libxfsfmt/logitem.h"
#include "libxlog/trans/inode_priv.h"
#include "libxlog/trans/trans_buf.h"

enum {
	FORKS = XFS_ILOG_DFORK | XFS_ILOG_AFORK,
	FLUSHITER_MAX = 0xffff,
};

#define TRACE_INODE(event, ip)						\
	TRACE(event, (ip)->ino, atomic_load(&(ip)->pins))

static struct inode *inode_of(struct log_item *item)
{
	return container_of(item, struct inode, item);
}

static uint64_t item_id(const struct log_item *item)
{
	return container_of(item, const struct inode, item)->ino;
}

/* --- what is logged --- */

/* The bit of the fork in the form that it has now. */
static unsigned int fork_bit(const struct inode *ip, int whichfork)
{
	bool attr = whichfork == XFS_ATTR_FORK;

	switch (inode_format(ip, whichfork)) {
	case XFS_DINODE_FMT_DEV:
		return XFS_ILOG_DEV;
	case XFS_DINODE_FMT_LOCAL:
		return attr ? XFS_ILOG_ADATA : XFS_ILOG_DDATA;
	case XFS_DINODE_FMT_EXTENTS:
		return attr ? XFS_ILOG_AEXT : XFS_ILOG_DEXT;
	case XFS_DINODE_FMT_BTREE:
	case XFS_DINODE_FMT_META_BTREE:
		return attr ? XFS_ILOG_ABROOT : XFS_ILOG_DBROOT;
	default:
		return 0;
	}
}

static bool is_btree(const struct inode *ip, int whichfork)
{
	return fork_bit(ip, whichfork) & (XFS_ILOG_DBROOT | XFS_ILOG_ABROOT);
}

static enum xfs_btree_kind root_kind(const struct inode *ip, int whichfork)
{
	return whichfork == XFS_DATA_FORK ? xfs_dinode_broot_kind(&ip->di) :
					    XFS_BTREE_BMAP;
}

/* A fork as the log has it. */
static uint32_t logged_bytes(const struct inode *ip, int whichfork)
{
	if (!is_btree(ip, whichfork))
		return inode_fork_used(ip, whichfork);
	return (uint32_t)xfs_broot_log_bytes(inode_fork(ip, whichfork, NULL),
					     root_kind(ip, whichfork),
					     ip->fs->geom.v5);
}

/* What of its forks goes into the log: fork_bit() of those that do. */
static unsigned int logged_forks(const struct inode *ip)
{
	unsigned int bits = 0;

	if (ip->fields & (XFS_ILOG_DFORK | XFS_ILOG_DEV) &&
	    logged_bytes(ip, XFS_DATA_FORK))
		bits |= fork_bit(ip, XFS_DATA_FORK);
	if (ip->fields & XFS_ILOG_AFORK && inode_has_fork(ip, XFS_ATTR_FORK) &&
	    logged_bytes(ip, XFS_ATTR_FORK))
		bits |= fork_bit(ip, XFS_ATTR_FORK);
	return bits;
}

static uint32_t core_bytes(const struct inode *ip)
{
	return ip->di.di_version >= 3 ? XFS_LOG_DINODE_V3_BYTES :
					XFS_LOG_DINODE_V2_BYTES;
}

static uint32_t round_up(uint32_t bytes)
{
	return (bytes + 3) & ~(uint32_t)3;
}

static void item_size(struct log_item *item, uint32_t *nregions,
		      uint32_t *bytes)
{
	const struct inode *ip = inode_of(item);
	unsigned int bits = logged_forks(ip);

	*nregions = 2;
	*bytes = xfs_inode_log_format_size + core_bytes(ip);
	if (bits & XFS_ILOG_DFORK) {
		++*nregions;
		*bytes += round_up(logged_bytes(ip, XFS_DATA_FORK));
	}
	if (bits & XFS_ILOG_AFORK) {
		++*nregions;
		*bytes += round_up(logged_bytes(ip, XFS_ATTR_FORK));
	}
}

/* Regions are whole words; what fills the last one is in the inode, too. */
static void put_fork(struct log_formatter *f, const struct inode *ip,
		     int whichfork)
{
	uint32_t bytes = logged_bytes(ip, whichfork), room;
	const uint8_t *fork = inode_fork(ip, whichfork, &room);
	uint8_t *at = log_region(f, round_up(bytes));

	if (is_btree(ip, whichfork)) {
		xfs_broot_to_log(at, fork, room, root_kind(ip, whichfork),
				 &ip->fs->geom, ip->ino);
		return;
	}
	memcpy(at, fork, round_up(bytes));
}

static void item_format(struct log_item *item, struct log_formatter *f)
{
	const struct inode *ip = inode_of(item);
	unsigned int bits = logged_forks(ip);
	struct xfs_inode_log_format ilf = {
		.ilf_type = XFS_LI_INODE,
		.ilf_size = 2,
		.ilf_fields = XFS_ILOG_CORE | bits,
		.ilf_ino = ip->ino,
		.ilf_blkno = ip->daddr,
		.ilf_len = ip->fs->cluster_bb,
		.ilf_boffset = ip->offset_bytes,
	};
	uint8_t *head = log_region(f, xfs_inode_log_format_size);

	xfs_dinode_to_log(log_region(f, core_bytes(ip)), &ip->di,
			  XFS_HOST_ORDER);
	if (bits & XFS_ILOG_DFORK) {
		ilf.ilf_dsize = (uint16_t)logged_bytes(ip, XFS_DATA_FORK);
		ilf.ilf_size++;
		put_fork(f, ip, XFS_DATA_FORK);
	}
	if (bits & XFS_ILOG_AFORK) {
		ilf.ilf_asize = (uint16_t)logged_bytes(ip, XFS_ATTR_FORK);
		ilf.ilf_size++;
		put_fork(f, ip, XFS_ATTR_FORK);
	}
	if (bits & XFS_ILOG_DEV)
		ilf.ilf_rdev = get_be32(inode_fork(ip, XFS_DATA_FORK, NULL));
	memset(head, 0, xfs_inode_log_format_size);
	xfs_inode_log_format_encode(head, &ilf,
				    bits & XFS_ILOG_DEV ? XFS_ILF_HAS_DEV : 0,
				    XFS_HOST_ORDER);
}

/* --- pins and locks --- */

static void item_pin(struct log_item *item)
{
	struct inode *ip = inode_of(item);

	TRACE_INODE(xfs_inode_pin, ip);
	inode_hold_ref(ip);
	atomic_fetch_add(&ip->pins, 1);
}

static void item_unpin(struct log_item *item, bool abort)
{
	struct inode *ip = inode_of(item);

	/* of a dead log nothing is written back, pinned or not */
	(void)abort;
	TRACE_INODE(xfs_inode_unpin, ip);
	atomic_fetch_sub(&ip->pins, 1);
	/* logged again after its chunk was freed: nobody else takes it out */
	if (atomic_load(&ip->buried))
		log_item_clean(ip->fs->log, item);
	inode_put(ip);
}

static void leave(struct log_item *item) UNCHECKED_LOCKING
{
	struct inode *ip = inode_of(item);
	bool held = ip->held;

	ip->held = false;
	if (!held)
		xmutex_unlock(&ip->lock);
}

static void item_committing(struct log_item *item, uint64_t seq)
{
	(void)seq;
	leave(item);
}

static void item_release(struct log_item *item, bool abort)
{
	(void)abort;
	leave(item);
}

/* What is stale leaves the AIL when it is durable that it is. */
static bool waits_for_log(const struct inode *ip)
{
	return atomic_load(&ip->pins) || atomic_load(&ip->stale);
}

static enum log_push item_push(struct log_item *item, struct list *queue)
	UNCHECKED_LOCKING
{
	struct inode *ip = inode_of(item);

	if (waits_for_log(ip)) {
		TRACE_INODE(xfs_inode_push_pinned, ip);
		return LOG_PUSH_PINNED;
	}
	if (!xmutex_trylock(&ip->lock))
		return LOG_PUSH_LOCKED;
	/* whoever had the lock may have committed */
	if (waits_for_log(ip)) {
		xmutex_unlock(&ip->lock);
		return LOG_PUSH_PINNED;
	}
	inode_hold_ref(ip);
	list_insert_last(&item->queue_link, queue);
	return LOG_PUSH_QUEUED;
}

/* --- write-back --- */

/* Before version 5, what is on disk is told from what is logged by this. */
static void count_flush(struct inode *ip)
{
	if (ip->di.di_version < 3 && ++ip->di.di_flushiter == FLUSHITER_MAX)
		ip->di.di_flushiter = 0;
}

/*
 * What was logged of a fork, and no more: as if the log had been replayed. What
 * lies behind it in the slot is of former times, and stays so.
 */
static void fork_to_disk(const struct inode *ip, uint8_t *slot, int whichfork)
{
	uint32_t room;
	const uint8_t *fork = inode_fork(ip, whichfork, &room);
	uint8_t *to = slot + (fork - ip->raw);
	uint8_t root[XFS_DINODE_MAX_BYTES + XFS_BTREE_LONG_CRC_BYTES];
	uint32_t bytes = logged_bytes(ip, whichfork);
	enum xfs_btree_kind kind;
	const char *why;

	if (!is_btree(ip, whichfork)) {
		memcpy(to, fork, bytes);
		return;
	}
	kind = root_kind(ip, whichfork);
	xfs_broot_to_log(root, fork, room, kind, &ip->fs->geom, ip->ino);
	why = xfs_broot_to_disk(to, room, root, bytes, kind, ip->fs->geom.v5);
	assert(!why);
}

static void to_disk(struct inode *ip, uint8_t *slot, xfs_lsn_t lsn)
{
	size_t bytes = ip->fs->geom.inodesize;
	unsigned int bits = logged_forks(ip);

	ip->di.di_next_unlinked = get_be32(slot + XFS_DINODE_UNLINKED_OFF);
	xfs_dinode_encode(slot, &ip->di, xfs_dinode_variant(&ip->di), XFS_BE);
	if (bits & (XFS_ILOG_DFORK | XFS_ILOG_DEV))
		fork_to_disk(ip, slot, XFS_DATA_FORK);
	if (bits & XFS_ILOG_AFORK)
		fork_to_disk(ip, slot, XFS_ATTR_FORK);
	if (ip->di.di_version < 3)
		return;
	put_be64(slot + XFS_DINODE_LSN_OFF, lsn);
	put_le32(slot + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(slot, bytes, XFS_DINODE_CRC_OFF));
}

/* Who frees the chunk has the cluster, and may wait for our lock. */
static int item_flush(struct log_item *item, xfs_lsn_t lsn)
{
	struct inode *ip = inode_of(item);
	int rc = buf_get(ip->fs->cache, ip->daddr, ip->fs->cluster_bb,
			 &trans_inode_ops.buf, BUF_READ | BUF_TRYLOCK,
			 &ip->cluster);

	if (rc) {
		ip->cluster = NULL;
		return rc;
	}
	count_flush(ip);
	to_disk(ip, ip->cluster->data + ip->offset_bytes, lsn);
	buf_mark_dirty(ip->cluster);
	buf_unlock(ip->cluster);
	return 0;
}

static bool item_is_written(const struct log_item *item)
{
	const struct inode *ip = container_of(item, const struct inode, item);

	return ip->cluster && !atomic_load(&ip->stale) &&
	       !buf_is_dirty(ip->cluster);
}

static void item_flushed(struct log_item *item, bool ok) UNCHECKED_LOCKING
{
	struct inode *ip = inode_of(item);

	if (ip->cluster)
		buf_put(ip->cluster);
	ip->cluster = NULL;
	if (ok)
		ip->fields = 0;
	xmutex_unlock(&ip->lock);
	if (ok)
		inode_cleaned(ip);
	inode_put(ip);
}

/* --- held over transactions --- */

static void *item_held(struct log_item *item)
{
	struct inode *ip = inode_of(item);

	return ip->held ? ip : NULL;
}

static void item_relog(struct trans *t, struct log_item *item)
{
	inode_log(t, inode_of(item), XFS_ILOG_CORE);
}

static int inode_rejoin(struct trans *t, void *object)
{
	inode_join_locked(t, object);
	inode_hold(t, object);
	return 0;
}

static void inode_keep(void *object)
{
	inode_hold_ref(object);
}

static void inode_relock(void *object) UNCHECKED_LOCKING
{
	inode_lock(object);
}

static void inode_leave(void *object) UNCHECKED_LOCKING
{
	inode_unlock(object);
	inode_put(object);
}

static const struct trans_item_ops inode_item_ops = {
	.log = {
		.name = "inode",
		.size = item_size,
		.format = item_format,
		.pin = item_pin,
		.unpin = item_unpin,
		.committing = item_committing,
		.push = item_push,
		.release = item_release,
		.id = item_id,
	},
	.flush = item_flush,
	.is_written = item_is_written,
	.flushed = item_flushed,
	.held = item_held,
	.relog = item_relog,
	.rejoin = inode_rejoin,
	.keep = inode_keep,
	.relock = inode_relock,
	.leave = inode_leave,
};

void inode_item_init(struct inode *ip)
{
	log_item_init(&ip->item, &inode_item_ops.log, XFS_LI_INODE);
}

/* --- in transactions --- */

void inode_join(struct trans *t, struct inode *ip)
{
	xmutex_lock(&ip->lock);
	trans_join(t, &ip->item);
}

void inode_join_locked(struct trans *t, struct inode *ip)
{
	trans_join(t, &ip->item);
}

void inode_hold(struct trans *t, struct inode *ip)
{
	(void)t;
	assert(!list_is_empty(&ip->item.trans_link));
	ip->held = true;
}

void inode_log(struct trans *t, struct inode *ip, unsigned int fields)
{
	assert(!(fields & ~(unsigned int)(XFS_ILOG_CORE | XFS_ILOG_DEV |
					  FORKS)));
	if (t->fs->count_changes && ip->di.di_version >= 3 &&
	    !(atomic_load(&ip->item.flags) & LOG_ITEM_DIRTY))
		ip->di.di_changecount++;
	ip->fields |= fields | XFS_ILOG_CORE;
	atomic_store_explicit(&ip->is_free, !ip->di.di_mode,
			      memory_order_relaxed);
	/* kept until that is written back */
	if (!atomic_exchange(&ip->logged, true))
		inode_hold_ref(ip);
	trans_dirty(t, &ip->item);
}
