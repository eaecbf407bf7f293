/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run: the filesystem is mounted, jobs change it, and it is unmounted, or
 * power fails. The thread that asked for it only watches.
 */
#include <stdlib.h>

#include "libxlog/dev/fault.h"
#include "libxlog/meta/bench.h"

enum {
	WATCH_MS = 100,
	HOT_INODES = 16,	/* RELOG */
	/* when power fails in the middle of something */
	WRITES_TO_COME = 16,
	FLUSHES_TO_COME = 4,
};

static int no_memory(const struct sink *sink)
{
	return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- inodes --- */

/* The filesystem's own files are not touched. */
static bool is_own_file(const struct xfs_sb *sb, xfs_ino_t ino)
{
	const xfs_ino_t own[] = {
		sb->sb_rbmino, sb->sb_rsumino, sb->sb_uquotino,
		sb->sb_gquotino, sb->sb_pquotino, sb->sb_metadirino,
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (ino == own[i])
			return true;
	return false;
}

static int room_for_inode(struct xlog_bench *b)
{
	size_t room = b->inodes_room ? 2 * b->inodes_room : 1024;
	struct bench_inode *more;

	if (b->ninodes < b->inodes_room)
		return 0;
	more = reallocarray(b->inode, room, sizeof(*more));
	if (!more)
		return no_memory(&b->sink);
	b->inode = more;
	b->inodes_room = room;
	return 0;
}

static int keep_first(struct bench_inode *bi)
{
	uint32_t bytes = bi->ip->fs->geom.inodesize;

	bi->first = malloc(bytes);
	if (!bi->first)
		return -ENOMEM;
	memcpy(bi->first, bi->ip->raw, bytes);
	return 0;
}

static int add_inode(void *ctx, xfs_ino_t ino)
{
	struct bench_load *l = ctx;
	struct xlog_bench *b = l->b;
	struct bench_inode *bi;
	int rc = 0;

	if (is_own_file(&b->reader->sb, ino))
		return 0;
	rc = room_for_inode(b);
	if (rc)
		return rc;
	bi = &b->inode[b->ninodes];
	*bi = (struct bench_inode){ .ino = ino };
	rc = inode_iget(&l->m->fs, ino, 0, &bi->ip);
	if (rc)
		return rc;
	if (bi->ip->di.di_flags2 & XFS_DIFLAG2_METADATA) {
		inode_put(bi->ip);
		return 0;
	}
	b->ninodes++;
	bi->daddr = bi->ip->daddr;
	bi->offset_bytes = bi->ip->offset_bytes;
	return b->opts.flags & XLOG_BENCH_MODEL && keep_first(bi) ?
	       no_memory(&b->sink) : 0;
}

static int find_inodes(struct bench_load *l)
{
	struct xlog_bench *b = l->b;
	int rc = mount_each_inode(l->m, add_inode, l);

	if (b->in_memory) {
		uint32_t count;
		xfs_ino_t ino = bench_files(&b->reader->sb, &l->m->fs.geom,
					    &count);

		while (count-- && !rc)
			rc = add_inode(l, ino++);
	}
	l->ninodes = b->ninodes;
	if (l->opts->load == XLOG_BENCH_RELOG) {
		size_t hot = l->opts->set ? (size_t)l->opts->set : HOT_INODES;

		l->ninodes = hot < b->ninodes ? hot : b->ninodes;
	}
	if (!rc && !l->ninodes)
		return report(&b->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "the filesystem has no inodes to change");
	return rc;
}

/* They went with the mount. */
static void forget_inodes(struct xlog_bench *b)
{
	for (size_t i = 0; i < b->ninodes; i++)
		b->inode[i].ip = NULL;
}

/* --- jobs --- */

static void plan_job(struct bench_load *l, unsigned int index, size_t group)
{
	const struct xlog_bench_options *o = l->opts;
	struct bench_job *job = &l->b->job[index];
	unsigned int mine = index % l->stride;

	job->load = l;
	job->index = index;
	job->nset = (l->ninodes - mine + l->stride - 1) / l->stride;
	job->group = group < job->nset ? group : job->nset;
	job->limit = o->ops ? o->ops / o->jobs + (index < o->ops % o->jobs) :
			      UINT64_MAX;
}

static int plan_jobs(struct bench_load *l)
{
	const struct xlog_bench_options *o = l->opts;
	struct xlog_bench *b = l->b;
	size_t group;
	int rc = bench_group(b, &group);

	if (rc)
		return rc;
	if (o->flags & XLOG_BENCH_MODEL && o->jobs > l->ninodes)
		return report(&b->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "%u jobs and %zu inodes: to verify, each job needs one of its own",
			      o->jobs, l->ninodes);
	l->stride = o->jobs < l->ninodes ? o->jobs : (unsigned int)l->ninodes;
	l->tr = bench_tr(o->load);
	l->force_every = o->load == XLOG_BENCH_FSYNC ? 1 : o->force_every;
	b->job = aligned_alloc(64, o->jobs * sizeof(*b->job));
	if (!b->job)
		return no_memory(&b->sink);
	memset(b->job, 0, o->jobs * sizeof(*b->job));
	for (unsigned int i = 0; i < o->jobs; i++)
		plan_job(l, i, group);
	return 0;
}

static int start_jobs(struct bench_load *l)
{
	int rc = 0;

	l->start_ns = log_stat_clock();
	l->running = l->opts->jobs;
	for (unsigned int i = 0; i < l->opts->jobs && !rc; i++) {
		struct bench_job *job = &l->b->job[i];

		rc = pthread_create(&job->thread, NULL, bench_job_run, job);
		job->started = !rc;
		if (!rc)
			continue;
		xmutex_lock(&l->lock);
		l->running -= l->opts->jobs - i;
		xmutex_unlock(&l->lock);
		atomic_store(&l->stop, true);
		rc = report(&l->b->sink, -rc, "threads", XLOG_LSN_NONE,
			    "only %u threads can be started", i);
	}
	return rc;
}

/* What they ended with: of a log that died, why it did comes first. */
static int join_jobs(struct bench_load *l)
{
	int rc = 0;

	for (unsigned int i = 0; i < l->opts->jobs; i++) {
		struct bench_job *job = &l->b->job[i];

		if (!job->started)
			continue;
		sync_ok(pthread_join(job->thread, NULL));
		if (!rc || rc == -ESHUTDOWN)
			rc = job->rc ? job->rc : rc;
	}
	return rc == -ESHUTDOWN && atomic_load(&l->b->crashed) ? 0 : rc;
}

/* --- power --- */

void bench_power_fails(struct bench_load *l)
{
	struct xlog_bench *b = l->b;

	if (atomic_exchange(&b->crashed, true))
		return;
	atomic_store(&b->muted, true);
	fault_stop(b->fs, FAULT_WRITE, 0);
	if (b->log)
		fault_stop(b->log, FAULT_WRITE, 0);
	log_shutdown(l->m->fs.log, LOG_SHUTDOWN_NOFLUSH, NULL);
}

void bench_power_will_fail(struct bench_load *l)
{
	struct xlog_bench *b = l->b;
	struct dev *dev = b->log ? b->log : b->fs;
	uint64_t random = b->opts.seed * 0x9e3779b97f4a7c15u >> 32;
	struct fault_counts now;

	if (atomic_exchange(&b->failing, true))
		return;
	fault_counts(dev, &now);
	/* behind a write, or in front of a flush of what was written */
	if (random & 1)
		fault_stop(dev, FAULT_WRITE,
			   now.writes + (random >> 1) % WRITES_TO_COME);
	else
		fault_stop(dev, FAULT_FLUSH,
			   now.flushes + 1 + (random >> 1) % FLUSHES_TO_COME);
}

bool bench_power_failed(struct bench_load *l, int rc)
{
	struct xlog_bench *b = l->b;
	struct fault_counts now;

	if (rc != -ESHUTDOWN || !atomic_load(&b->failing))
		return false;
	fault_counts(b->log ? b->log : b->fs, &now);
	if (now.off)
		return true;
	atomic_store(&b->failing, false);
	(void)report(&b->sink, rc, "log.shutdown", XLOG_LSN_NONE,
		     "the log died before power failed");
	return false;
}

/* Power comes back: what has reached the devices is there. */
static int power_is_back(struct xlog_bench *b)
{
	static const enum fault_crash kinds[] = {
		[XLOG_BENCH_CLEAN] = FAULT_KEEP,
		[XLOG_BENCH_TORN] = FAULT_TEAR,
		[XLOG_BENCH_DROP] = FAULT_DROP,
		[XLOG_BENCH_REORDER] = FAULT_REORDER,
	};
	int rc;

	atomic_store(&b->muted, false);
	rc = fault_crash(b->fs, kinds[b->opts.crash], b->opts.seed);
	if (!rc && b->log)
		rc = fault_crash(b->log, kinds[b->opts.crash],
				 b->opts.seed + 1);
	return rc;
}

/* The filesystem trusts in sectors of @sector_bytes, whatever the device has. */
static int add_fault(struct dev **dev, uint32_t sector_bytes)
{
	struct dev *fault;
	int rc;

	if (!*dev)
		return 0;
	rc = dev_open_fault(*dev, &fault);
	if (rc)
		return rc;
	fault_sectors(fault, sector_bytes);
	*dev = fault;
	return 0;
}

static int add_faults(struct xlog_bench *b)
{
	int rc;

	if (b->has_fault)
		return 0;
	rc = add_fault(&b->fs, b->reader->geom.sectsize);
	if (!rc)
		rc = add_fault(&b->log, b->reader->info.log_sector_bytes);
	b->has_fault = !rc;
	return rc;
}

/* --- a run --- */

static int watch(struct bench_load *l, struct xlog_bench_result *res)
{
	bool over = false, cancelled = false;

	while (!over) {
		xmutex_lock(&l->lock);
		if (l->running)
			xcond_wait_ms(&l->finished, &l->lock, WATCH_MS);
		over = !l->running;
		xmutex_unlock(&l->lock);
		if (over || !l->opts->progress)
			continue;
		res->run_ns = log_stat_clock() - l->start_ns;
		bench_fill_result(l, res);
		if (l->opts->progress(l->opts->ctx, res)) {
			cancelled = true;
			atomic_store(&l->stop, true);
		}
	}
	return cancelled ? -ECANCELED : 0;
}

static void all_is_forced(struct bench_load *l)
{
	for (unsigned int i = 0; i < l->opts->jobs; i++)
		l->b->job[i].forced = l->b->job[i].nspans;
}

/* Jobs are over. */
static int end_load(struct bench_load *l, struct xlog_bench_result *res)
{
	uint64_t began = log_stat_clock();
	int rc;

	res->run_ns = began - l->start_ns;
	if (l->opts->crash_unit != XLOG_BENCH_NEVER)
		bench_power_fails(l);
	if (atomic_load(&l->b->crashed)) {
		bench_fill_result(l, res);
		return 0;
	}
	rc = mount_unmount(l->m);
	res->end_ns = log_stat_clock() - began;
	if (!rc)
		all_is_forced(l);
	bench_fill_result(l, res);
	return rc;
}

static int run_mounted(struct bench_load *l, struct xlog_bench_result *res)
{
	int rc = find_inodes(l), cancelled = 0, ended;

	if (!rc)
		rc = plan_jobs(l);
	if (rc)
		return rc;
	rc = start_jobs(l);
	cancelled = watch(l, res);
	ended = join_jobs(l);
	if (!rc)
		rc = ended;
	/* what can be unmounted is */
	if (log_is_shutdown(l->m->fs.log) && !atomic_load(&l->b->crashed)) {
		res->run_ns = log_stat_clock() - l->start_ns;
		bench_fill_result(l, res);
		return rc ? rc : -ESHUTDOWN;
	}
	ended = end_load(l, res);
	if (!rc)
		rc = ended;
	return rc ? rc : cancelled;
}

static int mount_it(struct bench_load *l, struct xlog **reader)
{
	const struct xlog_bench_options *o = l->opts;
	const struct mount_options mo = {
		.flags = (o->flags & XLOG_BENCH_DIRECT ? LOG_DIRECT : 0) |
			 (o->jobs == 1 ? LOG_NO_THREADS : 0) |
			 (o->sync == XLOG_BENCH_DSYNC ? LOG_DSYNC : 0),
		.logbufs = o->logbufs, .logbsize_bytes = o->logbsize_bytes,
		.ail_ms = o->ail_ms,
		.seed = (uint32_t)(o->seed ^ o->seed >> 32) | 1,
	};
	bool flush = o->sync != XLOG_BENCH_NOSYNC;
	struct dev *fs, *log = NULL;
	int rc = dev_open_borrowed(l->b->fs, flush, &fs);

	if (!rc && l->b->log) {
		rc = dev_open_borrowed(l->b->log, flush, &log);
		if (rc)
			dev_close(fs);
	}
	if (!rc)
		rc = reader_open(fs, log, &l->b->sink, reader);
	if (rc)
		return rc;
	rc = mount_open(*reader, &mo, &l->m);
	if (rc)
		xlog_close(*reader);
	return rc;
}

static void keep_peaks(struct xlog_bench *b, struct trans_fs *fs)
{
	for (unsigned int i = 0; i < XFS_TR_COUNT; i++) {
		uint32_t peak = atomic_load(&fs->peak_bytes[i]);

		if (peak > b->peak_bytes[i])
			b->peak_bytes[i] = peak;
	}
}

static bool was_written(const struct xlog_bench *b)
{
	for (unsigned int i = 0; i < 2; i++)
		if (b->medium[i] && b->medium[i]->bytes_written)
			return true;
	return false;
}

static int run(struct bench_load *l, struct xlog_bench_result *res)
{
	struct xlog_bench *b = l->b;
	bool fails = l->opts->crash_unit != XLOG_BENCH_NEVER;
	struct xlog *reader;
	int rc = 0, back;

	if (!b->reader->geom.v5)
		return report(&b->sink, -EOPNOTSUPP, "sb.version",
			      XLOG_LSN_NONE,
			      "only filesystems of version 5 have a load");
	if (fails)
		rc = add_faults(b);
	if (!rc)
		rc = mount_it(l, &reader);
	if (rc)
		return rc;
	rc = run_mounted(l, res);
	keep_peaks(b, &l->m->fs);
	mount_close(l->m);
	forget_inodes(b);
	xlog_close(reader);
	if (atomic_load(&b->crashed)) {
		back = power_is_back(b);
		rc = rc ? rc : back;
	}
	res->crashed = atomic_load(&b->crashed);
	res->wrote = was_written(b);
	return rc;
}

int xlog_bench_run(struct xlog_bench *b, const struct xlog_bench_options *opts,
		   struct xlog_bench_result *res)
{
	struct bench_load l = { .b = b, .opts = &b->opts };
	int rc;

	memset(res, 0, sizeof(*res));
	if (b->has_run)
		return report(&b->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "a load runs once");
	b->has_run = true;
	b->opts = *opts;
	if (!b->opts.jobs)
		b->opts.jobs = 1;
	rc = xmutex_init(&l.lock);
	if (rc)
		return rc;
	rc = xcond_init(&l.finished);
	if (!rc) {
		rc = run(&l, res);
		xcond_fini(&l.finished);
	}
	xmutex_fini(&l.lock);
	return rc;
}
