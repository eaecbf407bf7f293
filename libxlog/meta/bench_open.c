/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filesystem of a load: on devices that are changed, above devices that
 * are not, or in memory.
 */
#include <stdlib.h>

#include "libxfsfmt/levels.h"
#include "libxfsfmt/logspace.h"
#include "libxlog/meta/bench.h"

enum { DEFAULT_LOGBSIZE = 32 << 10 };

static int no_memory(const struct sink *sink)
{
	return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

static void pass_on(void *ctx, const struct xlog_report *r)
{
	struct xlog_bench *b = ctx;

	if (!b->caller.report || atomic_load(&b->muted))
		return;
	/* as it was told to: bench_power_failed() looks whether that is so */
	if (atomic_load(&b->failing) && (!strcmp(r->code, "fault.stop") ||
					 !strcmp(r->code, "log.shutdown")))
		return;
	b->caller.report(b->caller.ctx, r);
}

/* @dev is what reads and writes go to; *@medium what is to be left alone. */
static int open_device(const char *path, uint64_t offset_bytes,
		       unsigned int flags, const struct sink *sink,
		       struct dev **medium, struct dev **out)
{
	unsigned int how = 0;
	int rc;

	if (flags & XLOG_OPEN_LOCK_WAIT)
		how |= DEV_LOCK_WAIT;
	if (flags & XLOG_OPEN_LOCK_NONE)
		how |= DEV_LOCK_NONE;
	if (flags & XLOG_OPEN_WRITE) {
		rc = dev_open_writable(path, offset_bytes, how, sink, out);
		if (!rc)
			*medium = *out;
		return rc;
	}
	rc = dev_open_image(path, offset_bytes, 0, sink, medium);
	if (rc)
		return rc;
	rc = dev_open_overlay(*medium, 0, NULL, out);
	if (rc)
		dev_close(*medium);
	return rc;
}

static int open_memory(struct xlog_bench *b, const struct xlog_bench_open *what)
{
	int rc = dev_open_overlay(NULL, what->memory_bytes, &b->sink, &b->fs);

	b->in_memory = true;
	return rc ? rc : bench_format(what, b->fs, &b->sink);
}

static int open_devices(struct xlog_bench *b,
			const struct xlog_bench_open *what)
{
	int rc;

	if (!what->path)
		return open_memory(b, what);
	b->scratch = what->flags & XLOG_OPEN_WRITE;
	rc = open_device(what->path, what->offset_bytes, what->flags, &b->sink,
			 &b->medium[0], &b->fs);
	if (!rc && what->logdev)
		rc = open_device(what->logdev, 0, what->flags, &b->sink,
				 &b->medium[1], &b->log);
	return rc;
}

int bench_reader(struct xlog_bench *b, struct xlog **out)
{
	struct dev *fs, *log = NULL;
	int rc = dev_open_borrowed(b->fs, true, &fs);

	if (!rc && b->log)
		rc = dev_open_borrowed(b->log, true, &log);
	if (rc) {
		dev_close(fs);
		return rc;
	}
	return reader_open(fs, log, &b->sink, out);
}

int xlog_bench_open(const struct xlog_bench_open *what,
		    struct xlog_bench **out)
{
	const struct sink caller = { what->report, what->report_ctx };
	struct xlog_bench *b = calloc(1, sizeof(*b));
	struct xfs_levels levels;
	int rc;

	if (!b)
		return no_memory(&caller);
	b->caller = caller;
	b->sink = (struct sink){ pass_on, b };
	rc = open_devices(b, what);
	if (!rc)
		rc = bench_reader(b, &b->reader);
	if (rc) {
		xlog_bench_close(b);
		return rc;
	}
	b->chown = !b->reader->sb.sb_qflags;
	xfs_levels_init(&levels, &b->reader->geom);
	xfs_trans_resv_init(&b->resv, &b->reader->sb, &levels);
	*out = b;
	return 0;
}

static void forget_run(struct xlog_bench *b)
{
	for (size_t i = 0; i < b->ninodes; i++)
		free(b->inode[i].first);
	b->ninodes = 0;
	for (unsigned int i = 0; b->job && i < b->opts.jobs; i++)
		free(b->job[i].span);
	free(b->job);
	b->job = NULL;
}

int xlog_bench_again(struct xlog_bench *b)
{
	struct xlog_recover_result res;
	struct xlog *reader;
	int rc;

	if (atomic_load(&b->crashed)) {
		rc = bench_reader(b, &reader);
		if (rc)
			return rc;
		rc = xlog_recover(reader, NULL, &res);
		xlog_close(reader);
		if (rc)
			return rc;
	}
	forget_run(b);
	atomic_store(&b->crashed, false);
	atomic_store(&b->failing, false);
	b->has_run = false;
	return 0;
}

void xlog_bench_close(struct xlog_bench *b)
{
	if (!b)
		return;
	forget_run(b);
	free(b->inode);
	xlog_close(b->reader);
	dev_close(b->fs);
	dev_close(b->log);
	free(b);
}

const struct xlog_info *xlog_bench_info(const struct xlog_bench *b)
{
	return &b->reader->info;
}

bool xlog_bench_reservation(const struct xlog_bench *b, unsigned int index,
			    uint32_t logbsize_bytes,
			    struct xlog_bench_reservation *out)
{
	const struct xlog_info *info = &b->reader->info;
	const struct xfs_trans_res *res;
	uint32_t records;

	if (index >= XFS_TR_COUNT)
		return false;
	res = &b->resv.tr[index];
	if (!logbsize_bytes)
		logbsize_bytes = info->log_sunit_bytes > DEFAULT_LOGBSIZE ?
				 info->log_sunit_bytes : DEFAULT_LOGBSIZE;
	*out = (struct xlog_bench_reservation){
		.name = xfs_tr_names[index],
		.logres_bytes = res->logres_bytes,
		.logcount = res->logcount ? res->logcount : 1,
		.permanent = res->permanent,
		.unit_bytes = xlog_unit_bytes(res->logres_bytes, logbsize_bytes,
					      xlog_roundoff_bytes(true,
						info->log_sunit_bytes,
						info->log_sector_bytes),
					      &records),
		.used_bytes = b->peak_bytes[index],
	};
	return true;
}
