/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log as bytes: a copy of it in a file, and back. A copy has no header of
 * its own, since it is to be read by everything that reads logs; what it is a
 * copy of is told by the records in it, or by a superblock that is kept with
 * it.
 */
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/batch.h"
#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/newfile.h"
#include "libxlog/read/read.h"

enum {
	HOLE_BYTES = 4096,	/* the smallest hole */
	REC_UUID_OFF = 304,
};

static int no_memory(struct xlog *log)
{
	return report(&log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

static uint64_t log_bytes(const struct xlog *log)
{
	return (uint64_t)log->nbb * BB_SIZE;
}

static int progress(struct xlog *log, xlog_progress_fn fn, void *ctx,
		    uint64_t done)
{
	if (!fn || !fn(ctx, done, log_bytes(log)))
		return 0;
	return report(&log->sink, -ECANCELED, "cancelled", XLOG_LSN_NONE,
		      "cancelled");
}

/*
 * Call @fn for each piece of the log's length, up to DEV_IO_BYTES, read from
 * @from into a buffer.
 */
struct walk {
	struct xlog	*log;
	struct dev	*from;
	xlog_progress_fn progress;	/* or NULL */
	void		*ctx;
	int (*fn)(void *arg, uint64_t off_bytes, const uint8_t *buf,
		  size_t len);
	void		*arg;
};

static int walk(const struct walk *w)
{
	uint64_t size = log_bytes(w->log), off = 0;
	uint8_t *buf = malloc(DEV_IO_BYTES);
	int rc = 0;

	if (!buf)
		return no_memory(w->log);
	while (off < size && !rc) {
		size_t n = size - off < DEV_IO_BYTES ? (size_t)(size - off) :
			   DEV_IO_BYTES;

		rc = dev_read(w->from, off, buf, n);
		if (!rc)
			rc = w->fn(w->arg, off, buf, n);
		off += n;
		if (!rc)
			rc = progress(w->log, w->progress, w->ctx, off);
	}
	free(buf);
	return rc;
}

/* --- saving --- */

/* All but what is zero, to a file that has nothing there yet. */
static int write_sparse(void *arg, uint64_t off_bytes, const uint8_t *buf,
			size_t len)
{
	struct newfile *nf = arg;
	size_t from = 0, at;
	int rc = 0;

	for (at = 0; at < len && !rc; ) {
		size_t n = len - at < HOLE_BYTES ? len - at : HOLE_BYTES;
		bool hole = dev_is_zero(buf + at, n);

		if (hole && at > from)
			rc = newfile_write(nf, off_bytes + from, buf + from,
					   at - from);
		at += n;
		if (hole)
			from = at;
	}
	if (!rc && at > from)
		rc = newfile_write(nf, off_bytes + from, buf + from,
				   at - from);
	return rc;
}

static int write_copy(struct xlog *log, const struct xlog_save *save,
		      struct newfile *nf)
{
	struct walk w = {
		.log = log, .from = log->dev, .progress = save->progress,
		.ctx = save->ctx, .fn = write_sparse, .arg = nf,
	};
	int rc = 0;

	if (log->fs->writable)
		rc = newfile_check_place(nf, log->fs->name);
	if (!rc && log->dev->writable)
		rc = newfile_check_place(nf, log->dev->name);
	if (!rc)
		rc = walk(&w);
	if (!rc)
		rc = newfile_resize(nf, log_bytes(log));
	if (!rc)
		rc = newfile_flush(nf);
	return rc;
}

static int write_beside(struct newfile *nf, const struct xlog_save *save)
{
	int rc = newfile_write(nf, 0, save->beside, save->beside_bytes);

	return rc ? rc : newfile_flush(nf);
}

int xlog_save_log(struct xlog *log, const struct xlog_save *save)
{
	struct newfile copy, beside;
	int rc;

	rc = newfile_create(&copy, save->path, &log->sink);
	if (rc)
		return rc;
	if (save->beside_path) {
		rc = newfile_create(&beside, save->beside_path, &log->sink);
		if (rc)
			goto close_copy;
		rc = write_beside(&beside, save);
	}
	if (!rc)
		rc = write_copy(log, save, &copy);
	if (!rc)
		rc = newfile_flush_name(&copy);
	if (!rc && save->beside_path)
		rc = newfile_flush_name(&beside);
	if (save->beside_path) {
		if (rc)
			newfile_remove(&beside);
		newfile_close(&beside);
	}
close_copy:
	if (rc)
		newfile_remove(&copy);
	newfile_close(&copy);
	return rc;
}

/* --- is it the log of this filesystem? --- */

static int other(struct xlog *log, const struct sink *sink, const char *what)
{
	const uint8_t *u = log->info.uuid;

	return report(sink, -EXDEV, "log.copy", XLOG_LSN_NONE,
		      "not a copy of this log (of filesystem %02x%02x%02x%02x-...): %s",
		      u[0], u[1], u[2], u[3], what);
}

/* The superblock kept with the copy against that of the filesystem. */
static int check_superblock(struct xlog *log, const struct sink *sink,
			    const struct xlog_restore *from)
{
	const struct xfs_sb *is = &log->sb;
	struct xfs_geom geom;
	struct xfs_sb sb;
	const char *why;

	xfs_sb_decode(&sb, from->superblock, from->superblock_bytes, XFS_BE);
	why = xfs_sb_verify(&sb, from->superblock, from->superblock_bytes);
	if (why)
		return report(sink, -EUCLEAN, "sb", XLOG_LSN_NONE,
			      "the superblock kept with it: %s", why);
	xfs_geom_init(&geom, &sb);
	if (memcmp(sb.sb_uuid, is->sb_uuid, sizeof(sb.sb_uuid)))
		return other(log, sink, "another UUID");
	if (sb.sb_blocksize != is->sb_blocksize ||
	    sb.sb_logblocks != is->sb_logblocks ||
	    sb.sb_logstart != is->sb_logstart ||
	    sb.sb_agblklog != is->sb_agblklog ||
	    sb.sb_logsectsize != is->sb_logsectsize ||
	    sb.sb_logsunit != is->sb_logsunit ||
	    geom.v5 != log->geom.v5 || geom.log_v2 != log->geom.log_v2)
		return other(log, sink, "another place, size or version");
	if (from->superblock_bytes < log->info.superblock_bytes ||
	    memcmp(from->superblock, log->sb_raw, log->info.superblock_bytes))
		notice(sink, XLOG_WARNING, "log.copy", XLOG_LSN_NONE,
		       "the superblock is not what it was when the copy was made: if the filesystem was in use since, its log is not this one any more");
	return 0;
}

struct uuids {
	struct xlog	*log;
	uint64_t	own, foreign;	/* record headers */
};

static int count_uuids(void *arg, uint64_t off_bytes, const uint8_t *buf,
		       size_t len)
{
	struct uuids *u = arg;

	(void)off_bytes;
	for (size_t at = 0; at + BB_SIZE <= len; at += BB_SIZE) {
		const uint8_t *uuid = buf + at + REC_UUID_OFF;

		/* data blocks begin with a cycle, which is never the magic */
		if (!xlog_is_rec_header(buf + at) || dev_is_zero(uuid, 16))
			continue;
		if (memcmp(uuid, u->log->info.uuid, 16))
			u->foreign++;
		else
			u->own++;
	}
	return 0;
}

static int check_copy(struct xlog *log, struct dev *copy,
		      const struct xlog_restore *from)
{
	struct uuids uuids = { .log = log };
	struct walk w = {
		.log = log, .from = copy, .progress = from->progress,
		.ctx = from->ctx, .fn = count_uuids, .arg = &uuids,
	};
	int rc;

	if (copy->size_bytes != log_bytes(log))
		return other(log, &copy->sink, "another size");
	rc = from->superblock ?
	     check_superblock(log, &copy->sink, from) : 0;
	if (!rc)
		rc = walk(&w);
	if (rc)
		return rc;
	if (uuids.foreign)
		return other(log, &copy->sink, "its records have another UUID");
	if (!uuids.own && !from->superblock)
		return other(log, &copy->sink, "no record in it says so");
	return 0;
}

/* --- restoring --- */

static int write_log(void *arg, uint64_t off_bytes, const uint8_t *buf,
		     size_t len)
{
	struct xlog *log = arg;

	return dev_write(log->dev, off_bytes, buf, len);
}

static int restore(struct xlog *log, struct dev *copy)
{
	struct walk w = {
		.log = log, .from = copy, .fn = write_log, .arg = log,
	};
	int rc;

	/* What can fail of saving all this does so before the first write. */
	rc = dev_prepare(log->dev, &(struct dev_io){
				 .len = (size_t)log_bytes(log) }, 1);
	if (rc)
		return rc;
	rc = walk(&w);
	if (!rc)
		rc = dev_flush(log->dev);
	if (rc)
		notice(&log->sink, XLOG_WARNING, XLOG_CODE_PARTLY,
		       XLOG_LSN_NONE,
		       "the log may be put back in part only: do it again");
	return rc;
}

int xlog_restore_log(struct xlog *log, const struct xlog_restore *from)
{
	struct named named = { .sink = log->sink, .name = from->path };
	struct sink sink = named_sink(&named);
	struct dev *copy;
	int rc;

	if (!log->info.superblock)
		return report(&log->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "no superblock: a log alone is not restored");
	rc = dev_open_image(from->path, 0, 0, &sink, &copy);
	if (rc)
		return rc;
	rc = check_copy(log, copy, from);
	if (!rc)
		rc = restore(log, copy);
	dev_close(copy);
	return rc;
}
