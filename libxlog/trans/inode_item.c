/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes and their log items; see inode_item.h.
 */
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inodelog.h"
#include "libxfsfmt/logitem.h"
#include "libxlog/trans/inode_item.h"

enum {
	FORKS = XFS_ILOG_DDATA | XFS_ILOG_DEXT | XFS_ILOG_ADATA |
		XFS_ILOG_AEXT,
	DATA_FORK = XFS_ILOG_DDATA | XFS_ILOG_DEXT,
	ATTR_FORK = XFS_ILOG_ADATA | XFS_ILOG_AEXT,
};

static struct inode *inode_of(struct log_item *item)
{
	return container_of(item, struct inode, item);
}

#define TRACE_INODE(event, ip)						\
	TRACE(event, (ip)->ino, atomic_load(&(ip)->pins))

static uint64_t item_id(const struct log_item *item)
{
	return container_of(item, const struct inode, item)->ino;
}

/* --- forks, as they are on disk --- */

struct fork {
	const uint8_t	*data;
	uint32_t	bytes;		/* of it that mean something */
};

static struct fork data_fork(const struct inode *ip,
			     const struct xfs_dinode *di)
{
	struct fork f = { .data = ip->raw + xfs_dinode_core_bytes(di) };

	if (di->di_format == XFS_DINODE_FMT_LOCAL)
		f.bytes = (uint32_t)di->di_size;
	else if (di->di_format == XFS_DINODE_FMT_EXTENTS)
		f.bytes = (uint32_t)(xfs_dinode_nextents(di) *
				     xfs_bmbt_rec_size);
	return f;
}

static struct fork attr_fork(const struct inode *ip,
			     const struct xfs_dinode *di)
{
	struct fork f = {
		.data = ip->raw + xfs_dinode_core_bytes(di) +
			(size_t)di->di_forkoff * 8
	};

	if (!di->di_forkoff)
		return f;
	if (di->di_aformat == XFS_DINODE_FMT_LOCAL)
		f.bytes = get_be16(f.data);	/* the size of all of them */
	else if (di->di_aformat == XFS_DINODE_FMT_EXTENTS)
		f.bytes = (uint32_t)(xfs_dinode_anextents(di) *
				     xfs_bmbt_rec_size);
	return f;
}

/* Regions are whole words; what fills the last one is in the inode, too. */
static uint32_t region_bytes(struct fork f)
{
	return (f.bytes + 3) & ~(uint32_t)3;
}

/* Those of @fields of whose fork there is anything. */
static unsigned int present(const struct inode *ip,
			    const struct xfs_dinode *di)
{
	unsigned int fields = ip->fields | XFS_ILOG_CORE;

	if (!data_fork(ip, di).bytes)
		fields &= ~(unsigned int)DATA_FORK;
	if (!attr_fork(ip, di).bytes)
		fields &= ~(unsigned int)ATTR_FORK;
	return fields;
}

/* --- log item --- */

static void item_size(struct log_item *item, uint32_t *nregions,
		      uint32_t *bytes)
{
	const struct inode *ip = inode_of(item);

	/* the forks are never more than the inode */
	*nregions = ip->fields & FORKS ? 4 : 2;
	*bytes = xfs_inode_log_format_size + XFS_LOG_DINODE_V3_BYTES +
		 (ip->fields & FORKS ? ip->fs->geom.inodesize : 0);
}

static void put_fork(struct log_formatter *f, struct fork fork)
{
	uint32_t bytes = region_bytes(fork);

	memcpy(log_region(f, bytes), fork.data, bytes);
}

static void item_format(struct log_item *item, struct log_formatter *f)
{
	const struct inode *ip = inode_of(item);
	struct xfs_inode_log_format ilf = {
		.ilf_type = XFS_LI_INODE,
		.ilf_size = 2,
		.ilf_ino = ip->ino,
		.ilf_blkno = ip->daddr,
		.ilf_len = ip->fs->cluster_bb,
		.ilf_boffset = ip->offset_bytes,
	};
	struct xfs_dinode di;
	uint8_t *at;

	xfs_dinode_decode(&di, ip->raw, ip->fs->geom.inodesize, XFS_BE);
	ilf.ilf_fields = present(ip, &di);
	if (ilf.ilf_fields & DATA_FORK) {
		ilf.ilf_dsize = (uint16_t)region_bytes(data_fork(ip, &di));
		ilf.ilf_size++;
	}
	if (ilf.ilf_fields & ATTR_FORK) {
		ilf.ilf_asize = (uint16_t)region_bytes(attr_fork(ip, &di));
		ilf.ilf_size++;
	}
	at = log_region(f, xfs_inode_log_format_size);
	memset(at, 0, xfs_inode_log_format_size);
	xfs_inode_log_format_encode(at, &ilf, 0, XFS_HOST_ORDER);
	at = log_region(f, XFS_LOG_DINODE_V3_BYTES);
	xfs_dinode_to_log(at, ip->raw, &di, XFS_HOST_ORDER);
	if (ilf.ilf_fields & DATA_FORK)
		put_fork(f, data_fork(ip, &di));
	if (ilf.ilf_fields & ATTR_FORK)
		put_fork(f, attr_fork(ip, &di));
}

static void item_pin(struct log_item *item)
{
	TRACE_INODE(xfs_inode_pin, inode_of(item));
	atomic_fetch_add(&inode_of(item)->pins, 1);
}

static void item_unpin(struct log_item *item, bool abort)
{
	/* of a dead log nothing is written back, pinned or not */
	(void)abort;
	TRACE_INODE(xfs_inode_unpin, inode_of(item));
	atomic_fetch_sub(&inode_of(item)->pins, 1);
}

static void unlock(struct log_item *item) UNCHECKED_LOCKING
{
	xmutex_unlock(&inode_of(item)->lock);
}

static void item_committing(struct log_item *item, uint64_t seq)
{
	(void)seq;
	unlock(item);
}

static void item_release(struct log_item *item, bool abort)
{
	(void)abort;
	unlock(item);
}

static enum log_push item_push(struct log_item *item, struct list *queue)
	UNCHECKED_LOCKING
{
	struct inode *ip = inode_of(item);

	if (atomic_load(&ip->pins)) {
		TRACE_INODE(xfs_inode_push_pinned, ip);
		return LOG_PUSH_PINNED;
	}
	if (!xmutex_trylock(&ip->lock))
		return LOG_PUSH_LOCKED;
	/* whoever had the lock may have committed */
	if (atomic_load(&ip->pins)) {
		xmutex_unlock(&ip->lock);
		return LOG_PUSH_PINNED;
	}
	list_insert_last(&item->queue_link, queue);
	return LOG_PUSH_QUEUED;
}

/* --- write-back --- */

static int item_flush(struct log_item *item, xfs_lsn_t lsn)
{
	struct inode *ip = inode_of(item);
	uint32_t bytes = ip->fs->geom.inodesize;
	int rc = buf_get(ip->fs->cache, ip->daddr, ip->fs->cluster_bb, NULL,
			 BUF_READ, &ip->cluster);

	if (rc) {
		ip->cluster = NULL;
		return rc;
	}
	put_be64(ip->raw + XFS_DINODE_LSN_OFF, lsn);
	put_le32(ip->raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(ip->raw, bytes, XFS_DINODE_CRC_OFF));
	memcpy(ip->cluster->data + ip->offset_bytes, ip->raw, bytes);
	buf_mark_dirty(ip->cluster);
	buf_unlock(ip->cluster);
	return 0;
}

static bool item_is_written(const struct log_item *item)
{
	const struct buf *cluster = container_of(item, const struct inode,
						 item)->cluster;

	return cluster && !buf_is_dirty(cluster);
}

static void item_flushed(struct log_item *item, bool ok)
{
	struct inode *ip = inode_of(item);

	if (ip->cluster)
		buf_put(ip->cluster);
	ip->cluster = NULL;
	if (ok)
		ip->fields = 0;
	unlock(item);
}

static const struct trans_item_ops inode_item_ops = {
	.log = {
		.name = "inode",
		.id = item_id,
		.size = item_size,
		.format = item_format,
		.pin = item_pin,
		.unpin = item_unpin,
		.committing = item_committing,
		.push = item_push,
		.release = item_release,
	},
	.flush = item_flush,
	.is_written = item_is_written,
	.flushed = item_flushed,
};

/* --- inodes --- */

static int bad_inode(struct trans_fs *fs, xfs_ino_t ino, const char *why)
{
	return report(&fs->sink, -EUCLEAN, "inode", XLOG_LSN_NONE,
		      "inode %llu: %s", (unsigned long long)ino, why);
}

/* Clusters are counted from the start of a chunk, which is aligned. */
static void place(struct inode *ip)
{
	const struct xfs_geom *g = &ip->fs->geom;
	uint32_t blocks = ip->fs->cluster_bb * BB_SIZE >> g->blocklog;
	xfs_agblock_t agbno = xfs_ino_agbno(g, ip->ino);
	uint32_t behind = agbno % ip->fs->inode_align % blocks;

	ip->daddr = xfs_agb_to_daddr(g, xfs_ino_agno(g, ip->ino),
				     agbno - behind);
	ip->offset_bytes = (behind << g->blocklog) +
			   (xfs_ino_slot(g, ip->ino) << g->inodelog);
}

/* What says how much of a fork is in use must not say more than there is. */
static const char *check_forks(const struct inode *ip)
{
	size_t bytes = ip->fs->geom.inodesize;
	struct xfs_dinode di;

	xfs_dinode_decode(&di, ip->raw, bytes, XFS_BE);
	if (data_fork(ip, &di).bytes > xfs_dinode_dfork_bytes(&di, bytes))
		return "a data fork longer than its room";
	if (attr_fork(ip, &di).bytes > xfs_dinode_afork_bytes(&di, bytes))
		return "an attribute fork longer than its room";
	return NULL;
}

static int read_inode(struct inode *ip)
{
	struct buf *buf;
	const char *why;
	int rc = buf_get(ip->fs->cache, ip->daddr, ip->fs->cluster_bb, NULL,
			 BUF_READ, &buf);

	if (rc)
		return rc;
	memcpy(ip->raw, buf->data + ip->offset_bytes, ip->fs->geom.inodesize);
	buf_release(buf);
	why = xfs_dinode_verify(ip->raw, &ip->fs->geom, ip->ino);
	if (!why && !get_be16(ip->raw + 2))
		why = "is not in use";
	if (!why)
		why = check_forks(ip);
	return why ? bad_inode(ip->fs, ip->ino, why) : 0;
}

int inode_get(struct trans_fs *fs, xfs_ino_t ino, struct inode **out)
{
	struct inode *ip;
	int rc;

	if (!fs->geom.v5 || !xfs_geom_ino_ok(&fs->geom, ino))
		return bad_inode(fs, ino, "no such number in this filesystem");
	ip = calloc(1, sizeof(*ip));
	if (ip)
		ip->raw = malloc(fs->geom.inodesize);
	if (!ip || !ip->raw) {
		free(ip);
		return report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	}
	ip->fs = fs;
	ip->ino = ino;
	log_item_init(&ip->item, &inode_item_ops.log, XFS_LI_INODE);
	place(ip);
	rc = xmutex_init(&ip->lock);
	if (rc)
		goto free_inode;
	rc = read_inode(ip);
	if (rc)
		goto fini_lock;
	*out = ip;
	return 0;
fini_lock:
	xmutex_fini(&ip->lock);
free_inode:
	free(ip->raw);
	free(ip);
	return rc;
}

void inode_free(struct inode *ip)
{
	if (!ip)
		return;
	log_item_fini(&ip->item);
	xmutex_fini(&ip->lock);
	free(ip->raw);
	free(ip);
}

void inode_join(struct trans *t, struct inode *ip)
{
	xmutex_lock(&ip->lock);
	trans_join(t, &ip->item);
}

void inode_log(struct trans *t, struct inode *ip, unsigned int fields)
{
	assert(!(fields & ~(unsigned int)(XFS_ILOG_CORE | FORKS)));
	ip->fields |= fields | XFS_ILOG_CORE;
	trans_dirty(t, &ip->item);
}
