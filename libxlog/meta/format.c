/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing an empty filesystem. Until the last write, which is the superblock,
 * nothing is there that anyone would take for a filesystem, neither the new
 * one nor what was there before. What can fail for want of space does so
 * before the first byte is lost.
 */
#include <stdlib.h>

#include "libxfsfmt/endian.h"
#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/hostfile.h"
#include "libxlog/dev/probe.h"
#include "libxlog/meta/format_priv.h"
#include "libxlog/replay/newlog.h"

enum {
	/* Headers of groups made in memory at a time, one group at least. */
	BATCH_BYTES = 4 * 1024 * 1024,
	/* Larger than any sector. */
	SECTOR_BYTES_MAX = 65536,
	/* So much of a device libblkid searches for an external log. */
	LOG_SEARCH_BYTES = 256 * 1024,
	/* The magic number of ext2, ext3 and ext4, and where it is. */
	EXT_MAGIC = 0xef53,
	EXT_MAGIC_OFF = 1024 + 56,
};

/* So much is given back between two looks whether to go on. */
#define DISCARD_BYTES	GIB(64)

struct writer {
	const struct format_plan *p;
	const struct format_values *v;
	const struct format_target *t;
};

static int no_memory(const struct writer *w)
{
	return report(&w->t->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

static int tell(struct writer *w, enum xlog_format_phase phase, uint64_t done,
		uint64_t total)
{
	const struct format_target *t = w->t;

	return t->progress && t->progress(t->progress_ctx, phase, done, total) ?
	       -ECANCELED : 0;
}

static void reach(struct writer *w, enum format_reached reached)
{
	if (w->t->reached)
		*w->t->reached = reached;
}

/* --- what was there --- */

/*
 * The sector of @dev with byte @at becomes zero, and that is durable: who wrote
 * zeros there before may not have flushed them.
 */
static int erase_sector(struct dev *dev, uint64_t at)
{
	uint8_t raw[SECTOR_BYTES_MAX];
	size_t len = dev->sector_bytes;
	int rc;

	if (len > sizeof(raw))
		len = sizeof(raw);
	at -= at % len;
	rc = dev_read(dev, at, raw, len);
	if (!rc && !dev_is_zero(raw, len)) {
		memset(raw, 0, len);
		rc = dev_write(dev, at, raw, len);
	}
	return rc ? rc : dev_flush(dev);
}

/*
 * By what is there the old filesystem is known, before the rest of it goes: one
 * sector, which cannot be torn. XFS begins with it; ext2 and its heirs do not.
 */
static int erase_magic(struct dev *dev)
{
	uint8_t magic[2] = { 0 };
	int rc = erase_sector(dev, 0);

	if (!rc && dev->size_bytes >= EXT_MAGIC_OFF + sizeof(magic))
		rc = dev_read(dev, EXT_MAGIC_OFF, magic, sizeof(magic));
	if (rc || get_le16(magic) != EXT_MAGIC)
		return rc;
	return erase_sector(dev, EXT_MAGIC_OFF);
}

/* Signatures at the ends. */
static int erase_ends(struct dev *dev)
{
	uint64_t size = dev->size_bytes;
	uint64_t len = size < FORMAT_ENDS_BYTES ? size : FORMAT_ENDS_BYTES;
	int rc = dev_zero(dev, 0, len);

	return rc ? rc : dev_zero(dev, size - len, len);
}

/* *@ok: there is a superblock, which is in @sb now. */
static int read_old(struct dev *dev, struct xfs_sb *sb, bool *ok)
{
	uint8_t raw[SECTOR_MAX];
	size_t len = dev->size_bytes < sizeof(raw) ? (size_t)dev->size_bytes :
						     sizeof(raw);
	int rc = dev_read(dev, 0, raw, len);

	*ok = false;
	if (rc)
		return rc;
	xfs_sb_decode(sb, raw, len, XFS_BE);
	*ok = !xfs_sb_verify(sb, raw, len);
	return 0;
}

/*
 * The copies of an old superblock, from which xfs_repair could make the old
 * filesystem again, or take it for the new one. What the old one says has
 * been verified, but the device may have shrunk since.
 */
static int erase_copies(struct writer *w, const struct xfs_sb *old)
{
	static const uint8_t zeros[SECTOR_MAX];
	struct dev *dev = w->t->data;
	int rc = 0;

	for (uint32_t agno = 1; agno < old->sb_agcount && !rc; agno++) {
		uint64_t off = (uint64_t)agno * old->sb_agblocks <<
			       old->sb_blocklog;

		if (off > dev->size_bytes - old->sb_sectsize)
			break;
		rc = dev_write(dev, off, zeros, old->sb_sectsize);
	}
	return rc;
}

/* Piece by piece: a large disk takes minutes, and someone may want to stop. */
static int discard(struct writer *w, struct dev *dev)
{
	uint64_t at = 0, len;
	int rc = 0;

	for (; at < dev->size_bytes && !rc; at += len) {
		len = dev->size_bytes - at;
		if (len > DISCARD_BYTES)
			len = DISCARD_BYTES;
		rc = dev_discard(dev, at, len);
		if (!rc)
			rc = tell(w, XLOG_FORMAT_DISCARDING, at + len,
				  dev->size_bytes);
	}
	return rc == -EOPNOTSUPP ? 0 : rc;
}

/*
 * All that @dev holds, but for its magic, which is gone. A file keeps its
 * blocks, as with mkfs.xfs: to free them takes long. The ends go before
 * discarding, so that nothing there tells of what is lost, and once more behind
 * it, since what was discarded may read as anything.
 */
static int erase_rest(struct writer *w, struct dev *dev)
{
	int rc = erase_ends(dev);

	if (rc || !w->t->discard || !dev_is_block(dev))
		return rc;
	rc = dev_flush(dev);
	if (!rc)
		rc = discard(w, dev);
	return rc ? rc : erase_ends(dev);
}

/* Durably: a write that follows may be the first to reach the disk. */
static int erase(struct writer *w)
{
	struct dev *data = w->t->data, *log = w->t->log;
	bool was_xfs, data_empty = dev_is_hole(data);
	bool log_empty = !log || dev_is_hole(log);
	struct xfs_sb old;
	int rc = read_old(data, &old, &was_xfs);

	if (rc)
		return rc;
	reach(w, FORMAT_ERASING);
	if (!data_empty)
		rc = erase_magic(data);
	if (!rc && !log_empty)
		rc = erase_magic(log);
	if (!rc && !data_empty)
		rc = erase_rest(w, data);
	if (!rc && !log_empty)
		rc = erase_rest(w, log);
	if (!rc && was_xfs)
		rc = erase_copies(w, &old);
	if (!rc && !data_empty)
		rc = dev_flush(data);
	return rc || log_empty ? rc : dev_flush(log);
}

/* --- what will be --- */

static int write_log(struct writer *w)
{
	const struct format_plan *p = w->p;
	const struct xfs_sb *sb = &p->sb;
	struct newlog n = {
		.dev = w->t->log ? w->t->log : w->t->data,
		.off_bytes = xfs_fsb_to_daddr(&p->geom, sb->sb_logstart) *
			     BB_SIZE,
		.form = newlog_form(true, sb->sb_logsunit, sb->sb_logsectsize,
				    sb->sb_logblocks << (sb->sb_blocklog -
							 BB_SHIFT),
				    w->v->uuid),
		.cycle = w->v->cycle ? w->v->cycle : 1,
		/* it begins where the device does */
		.erased = w->t->log,
	};

	n.hidden = !w->t->log && n.off_bytes >= LOG_SEARCH_BYTES;
	return newlog_write(&n);
}

static int write_inodes(struct writer *w)
{
	const struct format_plan *p = w->p;
	uint32_t inodes = ag_chunk_inodes(&p->geom);
	size_t len = (size_t)inodes << p->sb.sb_inodelog;
	uint64_t off = (uint64_t)xfs_ino_agbno(&p->geom, p->sb.sb_rootino) <<
		       p->sb.sb_blocklog;
	uint8_t *buf = malloc(len);
	int rc;

	if (!buf)
		return no_memory(w);
	for (uint32_t i = 0; i < inodes; i++)
		format_inode_encode(buf + ((size_t)i << p->sb.sb_inodelog), p,
				    w->v, i);
	rc = dev_write(w->t->data, off, buf, len);
	free(buf);
	return rc;
}

/*
 * What they overwrite is saved for all of them at once. Not dev_write_batch():
 * its threads take longer to start than a few headers take to copy.
 */
static int write_ios(struct dev *dev, const struct dev_io *ios, size_t count)
{
	int rc = dev_prepare(dev, ios, count);

	for (size_t i = 0; i < count && !rc; i++)
		rc = dev_write(dev, ios[i].off_bytes, ios[i].buf, ios[i].len);
	return rc;
}

/* @count groups from @agno on, made in @buf. */
static int write_groups(struct writer *w, xfs_agnumber_t agno, uint32_t count,
			uint8_t *buf, struct dev_io *ios)
{
	const struct format_plan *p = w->p;
	size_t len = (size_t)ag_prealloc_blocks(&p->geom) << p->sb.sb_blocklog;
	struct ag_layout l;

	for (uint32_t i = 0; i < count; i++, agno++) {
		/* the plan has seen to it that all of them have room */
		if (!ag_layout_init(&l, p, agno))
			return report(&w->t->sink, -EINVAL, "options",
				      XLOG_LSN_NONE,
				      "allocation group %u is too small", agno);
		ios[i] = (struct dev_io){
			.off_bytes = xfs_agb_to_daddr(&p->geom, agno, 0) *
				     BB_SIZE,
			.buf = buf + i * len, .len = len,
		};
		format_ag_encode(ios[i].buf, p, &l, w->v->uuid);
	}
	return write_ios(w->t->data, ios, count);
}

static int write_all_groups(struct writer *w)
{
	const struct format_plan *p = w->p;
	size_t len = (size_t)ag_prealloc_blocks(&p->geom) << p->sb.sb_blocklog;
	uint32_t all = p->sb.sb_agcount, agno = 0, count;
	uint32_t room = (uint32_t)(len < BATCH_BYTES ? BATCH_BYTES / len : 1);
	uint64_t group_bytes = (uint64_t)p->sb.sb_agblocks << p->sb.sb_blocklog;
	struct dev_io *ios;
	uint8_t *buf;
	int rc = 0;

	if (room > all)
		room = all;
	buf = malloc(room * len);
	ios = calloc(room, sizeof(*ios));
	if (!buf || !ios)
		rc = no_memory(w);
	for (; agno < all && !rc; agno += count) {
		count = all - agno < room ? all - agno : room;
		rc = write_groups(w, agno, count, buf, ios);
		if (!rc)
			rc = tell(w, XLOG_FORMAT_WRITING,
				  (agno + count) * group_bytes,
				  all * group_bytes);
	}
	free(buf);
	free(ios);
	return rc;
}

static int write_superblock(struct writer *w)
{
	struct xfs_sb sb = w->p->sb;
	uint8_t raw[SECTOR_MAX];

	memcpy(sb.sb_uuid, w->v->uuid, sizeof(sb.sb_uuid));
	format_sb_encode(raw, &sb);
	return dev_write(w->t->data, 0, raw, sb.sb_sectsize);
}

/* --- space --- */

static int reserve_ends(struct dev *dev)
{
	uint64_t size = dev->size_bytes;
	uint64_t len = size < FORMAT_ENDS_BYTES ? size : FORMAT_ENDS_BYTES;
	int rc = dev_reserve(dev, 0, len);

	return rc ? rc : dev_reserve(dev, size - len, len);
}

static int reserve_groups(struct writer *w)
{
	const struct format_plan *p = w->p;
	uint64_t len = (uint64_t)ag_prealloc_blocks(&p->geom) <<
		       p->sb.sb_blocklog;
	uint64_t chunk = (uint64_t)ag_chunk_inodes(&p->geom) <<
			 p->sb.sb_inodelog;
	uint64_t off = (uint64_t)xfs_ino_agbno(&p->geom, p->sb.sb_rootino) <<
		       p->sb.sb_blocklog;
	int rc = dev_reserve(w->t->data, off, chunk);

	for (uint32_t agno = 0; agno < p->sb.sb_agcount && !rc; agno++) {
		off = xfs_agb_to_daddr(&p->geom, agno, 0) * BB_SIZE;
		rc = dev_reserve(w->t->data, off, len);
	}
	return rc;
}

/* In files that have something to lose. */
static int reserve(struct writer *w, const struct dev_io *log)
{
	struct dev *data = w->t->data, *logdev = w->t->log;
	int rc = 0;

	if (!dev_is_hole(data)) {
		rc = reserve_ends(data);
		if (!rc)
			rc = reserve_groups(w);
		if (!rc && !logdev)
			rc = dev_reserve(data, log->off_bytes, log->len);
	}
	if (!rc && logdev && !dev_is_hole(logdev)) {
		rc = reserve_ends(logdev);
		if (!rc)
			rc = dev_reserve(logdev, log->off_bytes, log->len);
	}
	return rc;
}

/*
 * What can fail of saving the old contents does so before the first write, as
 * far as it is much: the ends and the log.
 */
static int save(struct writer *w, const struct dev_io *log)
{
	struct dev *data = w->t->data;
	uint64_t size = data->size_bytes;
	uint64_t ends = size < FORMAT_ENDS_BYTES ? size : FORMAT_ENDS_BYTES;
	struct dev_io ios[] = {
		{ .len = (size_t)ends },
		{ .off_bytes = size - ends, .len = (size_t)ends },
	};
	int rc = dev_prepare(data, ios, size > 2 * ends ? 2 : 1);

	return rc ? rc : dev_prepare(w->t->log ? w->t->log : data, log, 1);
}

static int prepare(struct writer *w)
{
	const struct xfs_sb *sb = &w->p->sb;
	const struct dev_io log = {
		.off_bytes = xfs_fsb_to_daddr(&w->p->geom, sb->sb_logstart) *
			     BB_SIZE,
		.len = (size_t)sb->sb_logblocks << sb->sb_blocklog,
	};
	int rc = reserve(w, &log);

	return rc ? rc : save(w, &log);
}

int format_write(const struct format_plan *p, const struct format_values *v,
		 const struct format_target *t)
{
	struct writer w = { .p = p, .v = v, .t = t };
	int rc = prepare(&w);

	if (!rc)
		rc = erase(&w);
	if (!rc)
		rc = write_log(&w);
	if (!rc)
		rc = write_all_groups(&w);
	if (!rc)
		rc = write_inodes(&w);
	if (!rc)
		rc = dev_flush(t->data);
	if (rc)
		return rc;
	reach(&w, FORMAT_LAST);
	rc = write_superblock(&w);
	return rc ? rc : dev_flush(t->data);
}
