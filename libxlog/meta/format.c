/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing an empty filesystem. Until the last write, which is the superblock,
 * nothing is there that anyone would take for a filesystem, neither the new
 * one nor what was there before.
 */
#include <stdlib.h>

#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/probe.h"
#include "libxlog/meta/format_priv.h"
#include "libxlog/replay/newlog.h"

enum {
	/* Headers of groups made in memory at a time, one group at least. */
	BATCH_BYTES = 4 * 1024 * 1024,
	/* Larger than any sector. */
	FIRST_BYTES_MAX = 65536,
	/* So much of a device libblkid searches for an external log. */
	LOG_SEARCH_BYTES = 256 * 1024,
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

/* --- what was there --- */

/*
 * The first sector of @dev becomes zero, and that is durable: who wrote zeros
 * there before may not have flushed them.
 */
static int erase_first(struct dev *dev)
{
	uint8_t raw[FIRST_BYTES_MAX];
	size_t len = dev->sector_bytes;
	int rc;

	if (len > sizeof(raw))
		len = sizeof(raw);
	rc = dev_read(dev, 0, raw, len);
	if (!rc && !dev_is_zero(raw, len)) {
		memset(raw, 0, len);
		rc = dev_write(dev, 0, raw, len);
	}
	return rc ? rc : dev_flush(dev);
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
 * All that @dev holds, but for its first sector, which is gone. A file keeps its
 * blocks, as with mkfs.xfs: to free them takes long.
 */
static int erase_rest(struct writer *w, struct dev *dev)
{
	int rc = w->t->discard && dev_is_block(dev) ? discard(w, dev) : 0;

	return rc ? rc : erase_ends(dev);
}

static int erase(struct writer *w)
{
	struct dev *data = w->t->data, *log = w->t->log;
	bool was_xfs, data_empty = dev_is_hole(data);
	bool log_empty = !log || dev_is_hole(log);
	struct xfs_sb old;
	int rc = read_old(data, &old, &was_xfs);

	if (!rc && !data_empty)
		rc = erase_first(data);
	if (!rc && !log_empty)
		rc = erase_first(log);
	if (!rc && !data_empty)
		rc = erase_rest(w, data);
	if (!rc && !log_empty)
		rc = erase_rest(w, log);
	if (!rc && was_xfs)
		rc = erase_copies(w, &old);
	return rc;
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

/*
 * What can fail of saving the old contents does so before the first write, as
 * far as it is much: the ends and the log.
 */
static int prepare(struct writer *w)
{
	const struct xfs_sb *sb = &w->p->sb;
	uint64_t size = w->t->data->size_bytes;
	uint64_t ends = size < FORMAT_ENDS_BYTES ? size : FORMAT_ENDS_BYTES;
	struct dev_io ios[] = {
		{ .len = (size_t)ends },
		{ .off_bytes = size - ends, .len = (size_t)ends },
	};
	struct dev_io log = {
		.off_bytes = xfs_fsb_to_daddr(&w->p->geom, sb->sb_logstart) *
			     BB_SIZE,
		.len = (size_t)sb->sb_logblocks << sb->sb_blocklog,
	};
	int rc = dev_prepare(w->t->data, ios, size > 2 * ends ? 2 : 1);

	return rc ? rc : dev_prepare(w->t->log ? w->t->log : w->t->data,
				     &log, 1);
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
	if (!rc)
		rc = write_superblock(&w);
	return rc ? rc : dev_flush(t->data);
}
