/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the jobs of a load do: transactions that change attributes of inodes,
 * one after the other, until it is enough.
 */
#include <stdlib.h>

#include "libxlog/meta/bench.h"

enum {
	PERMISSIONS = 0777,
	/* Of an inode whose core is logged: headers, format, core. */
	LOGGED_BYTES = 2 * 12 + 56 + 176,
	OWNERS = 65536,
};

/* The clock of what is written: it depends on the load only. */
static const int64_t first_second = 1700000000;

/* --- changes --- */

static uint64_t random_of(uint64_t seed, xfs_ino_t ino, uint64_t nth)
{
	uint64_t z = seed + ino * 0x9e3779b97f4a7c15u + nth * 0xd1342543de82ef95u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t time_of(const struct xfs_dinode *di, uint64_t nth,
			uint32_t nsec)
{
	const struct xfs_time t = {
		.sec = first_second + (int64_t)(nth % (1u << 24)), .nsec = nsec,
	};

	return xfs_time_value(&t, di->di_flags2 & XFS_DIFLAG2_BIGTIME);
}

void bench_change(const struct xlog_bench *b, struct xfs_dinode *di,
		  xfs_ino_t ino, uint64_t nth)
{
	uint64_t r = random_of(b->opts.seed, ino, nth);

	switch (r % 3) {
	case 0:
		di->di_atime = time_of(di, nth,
				       (uint32_t)(r >> 8) % 1000000000);
		di->di_mtime = time_of(di, nth,
				       (uint32_t)(r >> 32) % 1000000000);
		break;
	case 1:
		if (b->chown) {
			di->di_uid = (uint32_t)(r >> 8) % OWNERS;
			di->di_gid = (uint32_t)(r >> 32) % OWNERS;
			break;
		}
		/* quotas would count the inode for another: its mode then */
		/* fall through */
	default:
		di->di_mode = (uint16_t)((di->di_mode &
					  ~(unsigned int)PERMISSIONS) |
					 (r >> 8 & PERMISSIONS));
	}
	di->di_ctime = time_of(di, nth, 0);
	di->di_changecount++;
}

/* --- transactions --- */

enum xfs_tr bench_tr(enum xlog_bench_load load)
{
	/* of a chain, and among the largest */
	return load == XLOG_BENCH_BIGTX ? XFS_TR_ITRUNCATE : XFS_TR_ICHANGE;
}

int bench_group(const struct xlog_bench *b, size_t *group)
{
	uint32_t most = b->resv.tr[XFS_TR_ITRUNCATE].logres_bytes /
			LOGGED_BYTES;

	*group = 1;
	if (b->opts.load != XLOG_BENCH_BIGTX)
		return 0;
	if (b->opts.set > most)
		return report(&b->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "a transaction has room for %u inodes", most);
	*group = b->opts.set ? (size_t)b->opts.set : most;
	return 0;
}

/* The commit, or what ends the transaction otherwise, unlocks them. */
static int transaction(struct bench_job *job, uint64_t nth, uint64_t *seq)
	UNCHECKED_LOCKING
{
	struct bench_load *l = job->load;
	size_t groups = (job->nset + job->group - 1) / job->group;
	size_t at = (size_t)(nth % groups) * job->group, count = 0;
	struct trans *t;
	int rc = trans_alloc(&l->m->fs, l->tr, &t);

	if (rc)
		return rc;
	for (; count < job->group && at < job->nset; count++, at++) {
		struct bench_inode *bi = bench_inode_at(l->b, job, l->stride,
							at);

		inode_join(t, bi->ip);
		bench_change(l->b, &bi->ip->di, bi->ino, bi->changes++);
		inode_log(t, bi->ip, XFS_ILOG_CORE);
	}
	rc = trans_commit(t, seq);
	if (!rc)
		atomic_fetch_add_explicit(&job->changes, count,
					  memory_order_relaxed);
	return rc;
}

/* --- the model --- */

static int note_begin(struct bench_job *job)
{
	struct bench_span *more;

	if (!(job->load->opts->flags & XLOG_BENCH_MODEL))
		return 0;
	if (job->nspans == job->spans_room) {
		job->spans_room = 2 * job->spans_room + 1024;
		more = reallocarray(job->span, (size_t)job->spans_room,
				    sizeof(*more));
		if (!more)
			return report(&job->load->b->sink, -ENOMEM, "memory",
				      XLOG_LSN_NONE, "out of memory");
		job->span = more;
	}
	job->span[job->nspans++] = (struct bench_span){
		.begin = atomic_fetch_add(&job->load->clock, 1),
		.end = UINT64_MAX,
	};
	return 0;
}

static void note_end(struct bench_job *job)
{
	if (job->nspans)
		job->span[job->nspans - 1].end =
			atomic_fetch_add(&job->load->clock, 1);
}

/* --- until it is enough --- */

static bool is_enough(struct bench_job *job, uint64_t now_ns)
{
	const struct xlog_bench_options *o = job->load->opts;

	return atomic_load_explicit(&job->load->stop, memory_order_relaxed) ||
	       (o->runtime_ms &&
		now_ns - job->load->start_ns >= o->runtime_ms * 1000000);
}

static uint64_t all_tx(const struct bench_load *l)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < l->opts->jobs; i++)
		n += atomic_load_explicit(&l->b->job[i].tx,
					  memory_order_relaxed);
	return n;
}

/* Is it time for power to fail? */
static bool is_crash_due(struct bench_load *l)
{
	const struct xlog_bench_options *o = l->opts;
	uint64_t sum[LOG_STATS];

	switch (o->crash_unit) {
	case XLOG_BENCH_OPS:
		return all_tx(l) >= o->crash_after;
	case XLOG_BENCH_ICLOGS:
		log_stats_read(l->m->fs.log, sum);
		return sum[LOG_STAT_RECORDS] >= o->crash_after;
	case XLOG_BENCH_BYTES:
		log_stats_read(l->m->fs.log, sum);
		return sum[LOG_STAT_WRITTEN_BYTES] >= o->crash_after;
	case XLOG_BENCH_MS:
		return log_stat_clock() - l->start_ns >=
		       o->crash_after * 1000000;
	default:
		return false;
	}
}

/* What is counted in writes of the log fails in one. */
static bool fails_in_a_write(struct bench_load *l)
{
	enum xlog_bench_unit unit = l->opts->crash_unit;

	if (unit != XLOG_BENCH_ICLOGS && unit != XLOG_BENCH_BYTES)
		return false;
	bench_power_will_fail(l);
	return true;
}

/* One transaction, durable if that is its turn. */
static int one(struct bench_job *job, uint64_t nth)
{
	struct bench_load *l = job->load;
	uint64_t seq;
	int rc = note_begin(job);

	if (!rc)
		rc = transaction(job, nth, &seq);
	if (rc)
		return rc;
	note_end(job);
	atomic_fetch_add_explicit(&job->tx, 1, memory_order_relaxed);
	if (!l->force_every || (nth + 1) % l->force_every)
		return 0;
	rc = log_force_seq(l->m->fs.log, seq, true);
	if (rc)
		return rc;
	job->forced = nth + 1;
	atomic_fetch_add_explicit(&job->forces, 1, memory_order_relaxed);
	return 0;
}

void *bench_job_run(void *arg)
{
	struct bench_job *job = arg;
	struct bench_load *l = job->load;
	uint64_t before = log_stat_clock(), now = before;

	for (uint64_t n = 0; n < job->limit && !is_enough(job, now); n++) {
		before = log_stat_clock();
		job->rc = one(job, n);
		if (job->rc)
			break;
		now = log_stat_clock();
		hist_add(&job->hist, now - before);
		/* one job, and a log without threads */
		if (l->opts->jobs == 1)
			(void)log_step(l->m->fs.log);
		if (is_crash_due(l) && !fails_in_a_write(l)) {
			bench_power_fails(l);
			break;
		}
	}
	if (bench_power_failed(l, job->rc))
		bench_power_fails(l);
	xmutex_lock(&l->lock);
	if (!--l->running)
		xcond_wake_all(&l->finished);
	xmutex_unlock(&l->lock);
	return NULL;
}
