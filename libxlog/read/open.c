/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a path to a log: the superblock says where the log lies and what it is
 * like. A log can also stand alone, as an external log device or a raw copy:
 * then a superblock is handed in, or the records themselves have to tell.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "libxlog/dev/undo.h"
#include "libxlog/read/read.h"

enum {
	SB_MAX_BYTES = 32768,		/* largest sector */
	PEEK_BB = 2048,			/* where a bare log must show a header */
	LOG_MIN_BB = 8,			/* less holds no record worth the name */
	LOG_MIN_BLOCKS = 512,		/* of the filesystem: XFS_MIN_LOG_BLOCKS */
};

static const uint64_t UNPACK_MAX_DEFAULT = (uint64_t)64 << 30;

static int no_memory(const struct sink *sink)
{
	return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE, "out of memory");
}

/* --- devices --- */

static uint64_t unpack_max(const struct xlog_open_options *opts)
{
	return opts->unpack_max_bytes ? opts->unpack_max_bytes :
	       UNPACK_MAX_DEFAULT;
}

static int check_options(const struct xlog_open_options *opts,
			 const struct sink *sink)
{
	const char *why = NULL;

	if (opts->flags & XLOG_OPEN_WRITE && opts->flags & XLOG_OPEN_OVERLAY)
		why = "either for writing or with an overlay, not both";
	else if (opts->flags & XLOG_OPEN_WRITE && opts->superblock)
		why = "a log alone is not opened for writing";
	else if (opts->undo && !(opts->flags & XLOG_OPEN_WRITE))
		why = "nothing is written that could be undone";
	return why ? report(sink, -EINVAL, "options", XLOG_LSN_NONE, "%s",
			    why) : 0;
}

/* The device at @path as @opts want it, with an overlay above if they do. */
static int open_device(const char *path, uint64_t offset_bytes,
		       const struct xlog_open_options *opts,
		       const struct sink *sink, struct dev **out)
{
	unsigned int how = 0;
	struct dev *dev;
	int rc;

	if (opts->flags & XLOG_OPEN_LOCK_WAIT)
		how |= DEV_LOCK_WAIT;
	if (opts->flags & XLOG_OPEN_LOCK_NONE)
		how |= DEV_LOCK_NONE;
	if (opts->flags & XLOG_OPEN_WRITE)
		return dev_open_writable(path, offset_bytes, how, sink, out);
	rc = dev_open_image(path, offset_bytes, unpack_max(opts), sink, &dev);
	if (!rc && opts->flags & XLOG_OPEN_OVERLAY) {
		rc = dev_open_overlay(dev, 0, NULL, out);
		if (rc)
			dev_close(dev);
	} else if (!rc) {
		*out = dev;
	}
	return rc;
}

/* --- the superblock --- */

/* Superblock @raw of @len bytes into the handle. */
static int take_superblock(struct xlog *log, const uint8_t *raw, size_t len)
{
	struct xlog_info *info = &log->info;
	const char *why;

	xfs_sb_decode(&log->sb, raw, len, XFS_BE);
	why = xfs_sb_verify(&log->sb, raw, len);
	if (why)
		return report(&log->sink, -EUCLEAN, "sb", XLOG_LSN_NONE,
			      "superblock: %s", why);
	if (log->sb.sb_logblocks < LOG_MIN_BLOCKS)
		return report(&log->sink, -EUCLEAN, "sb", XLOG_LSN_NONE,
			      "superblock: a log of %u blocks, the least is %u",
			      log->sb.sb_logblocks, LOG_MIN_BLOCKS);
	/* version 4 has no checksum that would have wanted the whole sector */
	if (len < log->sb.sb_sectsize)
		return report(&log->sink, -EUCLEAN, "sb", XLOG_LSN_NONE,
			      "superblock: cut short: %zu bytes of a sector of %u",
			      len, log->sb.sb_sectsize);
	xfs_geom_init(&log->geom, &log->sb);
	len = log->sb.sb_sectsize;
	log->sb_raw = malloc(len);
	if (!log->sb_raw)
		return no_memory(&log->sink);
	memcpy(log->sb_raw, raw, len);
	memcpy(info->uuid, log->sb.sb_uuid, sizeof(info->uuid));
	info->superblock = log->sb_raw;
	info->superblock_bytes = len;
	info->sb_version = log->geom.v5 ? 5 : 4;
	info->log_version = log->geom.log_v2 ? 2 : 1;
	info->block_bytes = log->sb.sb_blocksize;
	info->log_sector_bytes = log->sb.sb_logsectsize ?
				 log->sb.sb_logsectsize : BB_SIZE;
	info->log_sunit_bytes = log->sb.sb_logsunit;
	info->internal = log->sb.sb_logstart != 0;
	/* a log is at most 2 GiB; the superblock's verifier sees to that */
	info->log_size_bb = (uint32_t)((uint64_t)log->sb.sb_logblocks *
				       log->sb.sb_blocksize / BB_SIZE);
	if (info->internal)
		info->log_daddr = xfs_fsb_to_daddr(&log->geom,
						   log->sb.sb_logstart);
	return 0;
}

/* Read the superblock at the start of log->fs; -EMEDIUMTYPE: there is none. */
static int read_superblock(struct xlog *log)
{
	uint8_t *raw;
	size_t len = SB_MAX_BYTES;
	int rc;

	if (log->fs->size_bytes < len)
		len = (size_t)log->fs->size_bytes;
	if (len < BB_SIZE)
		return -EMEDIUMTYPE;
	raw = malloc(len);
	if (!raw)
		return no_memory(&log->sink);
	rc = dev_read(log->fs, 0, raw, len);
	if (!rc)
		rc = get_be32(raw) == XFS_SB_MAGIC ?
		     take_superblock(log, raw, len) : -EMEDIUMTYPE;
	free(raw);
	return rc;
}

/* --- the log --- */

/* Undo devices above the filesystem's and, unless it is NULL, *@logdev. */
static int add_undo(struct xlog *log, const struct xlog_open_options *opts,
		    struct dev **logdev)
{
	const struct xlog_info *info = &log->info;
	uint64_t len = (uint64_t)info->log_size_bb * BB_SIZE;
	struct dev_undo devs[] = {
		{ .dev = log->fs, .role = UNDO_ROLE_DATA },
		{ .dev = logdev ? *logdev : NULL, .role = UNDO_ROLE_LOG,
		  .log_len = len },
	};
	int rc;

	if (!opts->undo)
		return 0;
	if (info->internal) {
		devs[0].log_off_bytes = info->log_daddr * BB_SIZE;
		devs[0].log_len = len;
	}
	rc = dev_open_undo(opts->undo, devs, logdev ? 2 : 1, &log->sink);
	if (rc)
		return rc;
	log->fs = devs[0].dev;
	if (logdev)
		*logdev = devs[1].dev;
	return 0;
}

static int open_logdev(struct xlog *log, const char *path,
		       const struct xlog_open_options *opts, uint64_t len)
{
	struct sink sink = named_sink(&log->logdev_named);
	struct dev *dev;
	int rc;

	/* its lock would say so as well, but may not have been wanted */
	if (opts->flags & XLOG_OPEN_WRITE &&
	    dev_is_same_file(path, opts->logdev))
		return report(&log->sink, -EINVAL, "log.device", XLOG_LSN_NONE,
			      "%s: this is the filesystem, not its log",
			      opts->logdev);
	log->logdev_name = strdup(opts->logdev);
	if (!log->logdev_name)
		return no_memory(&log->sink);
	log->logdev_named = (struct named){ log->sink, log->logdev_name };
	rc = open_device(opts->logdev, 0, opts, &sink, &dev);
	if (rc)
		return rc;
	if (dev->size_bytes < len) {
		rc = report(&sink, -EUCLEAN, "log.device", XLOG_LSN_NONE,
			    "%llu bytes, but the log has %llu",
			    (unsigned long long)dev->size_bytes,
			    (unsigned long long)len);
	} else {
		rc = add_undo(log, opts, &dev);
	}
	log->logdev = dev;
	/* what lies behind the log is not ours to write */
	if (!rc && dev->size_bytes > len)
		rc = dev_open_window(dev, 0, len, &dev);
	if (rc) {
		dev_close(dev);
		return rc;
	}
	log->dev = dev;
	return 0;
}

/* The log on the device of the filesystem, or on one of its own. */
static int place_log(struct xlog *log, const char *path,
		     const struct xlog_open_options *opts)
{
	struct xlog_info *info = &log->info;
	uint64_t len = (uint64_t)info->log_size_bb * BB_SIZE;
	int rc;

	if (info->internal) {
		if (opts->logdev)
			return report(&log->sink, -EINVAL, "log.device",
				      XLOG_LSN_NONE,
				      "%s: the filesystem has an internal log",
				      opts->logdev);
		if (info->log_daddr * BB_SIZE + len > log->fs->size_bytes)
			return report(&log->sink, -EUCLEAN, "log.device",
				      XLOG_LSN_NONE,
				      "cut short: the log ends at byte %llu, the device at %llu",
				      (unsigned long long)(info->log_daddr *
							   BB_SIZE + len),
				      (unsigned long long)log->fs->size_bytes);
		rc = add_undo(log, opts, NULL);
		return rc ? rc :
		       dev_open_window(log->fs, info->log_daddr * BB_SIZE, len,
				       &log->dev);
	}
	if (!opts->logdev)
		return report(&log->sink, -EINVAL, "log.device", XLOG_LSN_NONE,
			      "the log is on a device of its own: name it with --logdev");
	return open_logdev(log, path, opts, len);
}

/*
 * A log without superblock: some block near its start must be a record header
 * that names its own place.
 */
static int guess_log(struct xlog *log)
{
	struct xlog_info *info = &log->info;
	uint64_t size_bb = log->dev->size_bytes / BB_SIZE;
	uint32_t peek = size_bb < PEEK_BB ? (uint32_t)size_bb : PEEK_BB;
	struct xlog_rec_head h;
	uint8_t *raw;
	int rc;

	if (size_bb < LOG_MIN_BB || size_bb > UINT32_MAX / 2)
		return -EMEDIUMTYPE;
	raw = malloc((size_t)peek * BB_SIZE);
	if (!raw)
		return no_memory(&log->sink);
	rc = dev_read(log->dev, 0, raw, (size_t)peek * BB_SIZE);
	if (rc)
		goto free_raw;
	rc = -EMEDIUMTYPE;
	for (uint32_t b = 0; b < peek; b++) {
		const uint8_t *p = raw + (size_t)b * BB_SIZE;

		xlog_rec_head_decode(&h, p);
		if (!xlog_is_rec_header(p) || !h.version || h.version & ~3u ||
		    h.fmt > XLOG_FMT_IRIX_BE || xfs_lsn_block(h.lsn) != b)
			continue;
		info->log_version = h.version & XLOG_VERSION_2 ? 2 : 1;
		info->log_sector_bytes = BB_SIZE;
		info->log_size_bb = (uint32_t)size_bb;
		memcpy(info->uuid, p + 304, sizeof(info->uuid));
		notice(&log->sink, XLOG_NOTICE, "log.guess", XLOG_LSN_NONE,
		       "no superblock: taken for a log of %llu blocks, version %u, by its own records",
		       (unsigned long long)size_bb, info->log_version);
		rc = 0;
		break;
	}
free_raw:
	free(raw);
	return rc;
}

static int open_alone(struct xlog *log, const struct xlog_open_options *opts)
{
	int rc;

	rc = take_superblock(log, opts->superblock, opts->superblock_bytes);
	if (rc)
		return rc;
	if (log->fs->size_bytes < (uint64_t)log->info.log_size_bb * BB_SIZE)
		return report(&log->sink, -EUCLEAN, "log.device", XLOG_LSN_NONE,
			      "%llu bytes, but the log has %llu",
			      (unsigned long long)log->fs->size_bytes,
			      (unsigned long long)log->info.log_size_bb *
			      BB_SIZE);
	log->dev = log->fs;
	return 0;
}

static int open_log(struct xlog *log, const char *path,
		    const struct xlog_open_options *opts)
{
	int rc;

	if (opts->superblock)
		return open_alone(log, opts);
	rc = read_superblock(log);
	if (!rc)
		return place_log(log, path, opts);
	if (rc != -EMEDIUMTYPE)
		return rc;
	log->dev = log->fs;
	rc = guess_log(log);
	if (!rc && opts->flags & XLOG_OPEN_WRITE)
		return report(&log->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "a log alone is not opened for writing");
	if (rc == -EMEDIUMTYPE)
		report(&log->sink, rc, "medium", XLOG_LSN_NONE,
		       "neither an XFS filesystem nor an XFS log");
	return rc;
}

int xlog_open(const char *path, const struct xlog_open_options *opts,
	      struct xlog **out)
{
	static const struct xlog_open_options defaults;
	struct xlog *log;
	struct sink sink;
	int rc;

	if (!opts)
		opts = &defaults;
	sink = (struct sink){ opts->report, opts->report_ctx };
	rc = check_options(opts, &sink);
	if (rc)
		return rc;
	log = calloc(1, sizeof(*log));
	if (!log)
		return no_memory(&sink);
	log->sink = sink;
	rc = open_device(path, opts->offset_bytes, opts, &log->sink, &log->fs);
	if (!rc)
		rc = open_log(log, path, opts);
	if (rc) {
		xlog_close(log);
		return rc;
	}
	log->nbb = log->info.log_size_bb;
	log->logv2 = log->info.log_version == 2;
	*out = log;
	return 0;
}

/* Is the log of @len bytes all there? */
static bool fits(const struct xlog *log, const struct dev *dev, uint64_t len)
{
	uint64_t end = log->info.log_daddr * BB_SIZE + len;

	if (end <= dev->size_bytes)
		return true;
	(void)report(&log->sink, -EUCLEAN, "log.device", XLOG_LSN_NONE,
		     "cut short: the log ends at byte %llu, the device at %llu",
		     (unsigned long long)end,
		     (unsigned long long)dev->size_bytes);
	return false;
}

/* Where the log is on them; *@logdev is taken, and then NULL, if it is there. */
static int place_devices(struct xlog *log, struct dev **logdev)
{
	const struct xlog_info *info = &log->info;
	uint64_t len = (uint64_t)info->log_size_bb * BB_SIZE;
	int rc;

	if (!info->internal != !!*logdev)
		return report(&log->sink, -EINVAL, "log.device", XLOG_LSN_NONE,
			      info->internal ?
			      "the filesystem has an internal log" :
			      "the log is on a device of its own: name it");
	if (!fits(log, info->internal ? log->fs : *logdev, len))
		return -EUCLEAN;
	if (info->internal)
		return dev_open_window(log->fs, info->log_daddr * BB_SIZE, len,
				       &log->dev);
	rc = dev_open_window(*logdev, 0, len, &log->dev);
	if (rc)
		return rc;
	log->logdev = *logdev;
	*logdev = NULL;
	return 0;
}

int reader_open(struct dev *fs, struct dev *logdev, const struct sink *sink,
		struct xlog **out)
{
	struct xlog *log = calloc(1, sizeof(*log));
	int rc;

	if (!log) {
		dev_close(fs);
		dev_close(logdev);
		return no_memory(sink);
	}
	log->sink = *sink;
	log->fs = fs;
	rc = read_superblock(log);
	if (rc == -EMEDIUMTYPE)
		report(&log->sink, rc, "medium", XLOG_LSN_NONE,
		       "not an XFS filesystem");
	if (!rc)
		rc = place_devices(log, &logdev);
	if (rc) {
		dev_close(logdev);
		xlog_close(log);
		return rc;
	}
	log->nbb = log->info.log_size_bb;
	log->logv2 = log->info.log_version == 2;
	*out = log;
	return 0;
}

void xlog_close(struct xlog *log)
{
	if (!log)
		return;
	/* a window, and a log alone, own or are what @fs is */
	dev_close(log->dev);
	if (!log->dev || (!log->info.internal && log->dev != log->fs))
		dev_close(log->fs);
	free(log->logdev_name);
	free(log->sb_raw);
	free(log);
}

const struct xlog_info *xlog_info(const struct xlog *log)
{
	return &log->info;
}

uint64_t xlog_bytes_read(const struct xlog *log)
{
	uint64_t n = atomic_load_explicit(&log->fs->bytes_read,
					  memory_order_relaxed);

	/* what is read through a window counts below it */
	if (!log->info.internal && log->dev != log->fs)
		n += atomic_load_explicit(&log->dev->bytes_read,
					  memory_order_relaxed);
	return n;
}
