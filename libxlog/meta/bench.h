/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A load for the log engine, inside: bench_open.c has the devices, bench_run.c
 * the jobs and the end of a run, bench_tx.c their transactions, bench_result.c
 * what they come to, bench_verify.c what has to be there afterwards.
 *
 * Each job has inodes of its own, which it changes in a fixed order, and what a
 * change makes of an inode follows from the seed. So the number of the last
 * transaction of a job that is there says what all its inodes look like.
 */
#ifndef LIBXLOG_META_BENCH_H
#define LIBXLOG_META_BENCH_H

#include "libxfsfmt/time.h"
#include "libxlog/log/stats.h"
#include "libxlog/meta/mount.h"
#include "libxlog/obs/hist.h"
#include "libxlog/trans/inode_item.h"

struct bench_inode {
	struct inode	*ip;		/* NULL: the filesystem is closed */
	xfs_ino_t	ino;
	uint64_t	daddr;		/* of its cluster */
	uint32_t	offset_bytes;	/* in that */
	uint64_t	changes;	/* (inode lock) so far */
	uint8_t		*first;		/* as it was before; NULL: no model */
};

/* When a transaction was under way, by bench_load.clock. */
struct bench_span {
	uint64_t	begin, end;	/* UINT64_MAX: it did not end */
};

struct bench_job {
	/* constant while it runs */
	struct bench_load *load;
	pthread_t	thread;
	bool		started;
	unsigned int	index;
	size_t		nset;		/* inodes: index, index + jobs, ... */
	size_t		group;		/* of them, in a transaction */
	uint64_t	limit;		/* transactions */

	/* (the job) others read what is atomic */
	_Alignas(64) _Atomic uint64_t tx;
	_Atomic uint64_t changes, forces;
	uint64_t	forced;		/* transactions that are durable */
	struct bench_span *span;	/* of the model */
	uint64_t	nspans, spans_room;
	int		rc;
	struct hist	hist;
};

struct bench_load {
	struct xlog_bench *b;
	const struct xlog_bench_options *opts;
	struct mount	*m;
	unsigned int	stride;		/* jobs, or inodes if they are fewer */
	size_t		ninodes;	/* of which the load is */
	enum xfs_tr	tr;
	uint64_t	force_every;
	uint64_t	start_ns;
	_Atomic uint64_t clock;		/* of the model */
	_Atomic bool	stop;		/* enough */
	struct xmutex	lock;
	struct xcond	finished;	/* running is 0 */
	unsigned int	running;	/* (lock) */
};

struct xlog_bench {
	struct sink	caller, sink;	/* who opened it; what goes through us */
	_Atomic bool	muted;		/* power has failed: what fails does so
					   as expected */
	struct dev	*fs, *log;	/* owned; log NULL: internal */
	struct dev	*medium[2];	/* of them: the lowest, to see whether
					   it was written to */
	bool		scratch, in_memory;
	struct xlog	*reader;	/* for what the superblock says */
	struct xfs_trans_resv resv;
	uint32_t	peak_bytes[XFS_TR_COUNT]; /* as of trans_fs, of all runs */
	bool		has_run;
	bool		has_fault;	/* fs and log can lose power */
	_Atomic bool	failing;	/* power is about to fail */
	_Atomic bool	crashed;

	/* of the run; kept for the comparison */
	struct xlog_bench_options opts;
	struct bench_inode *inode;
	size_t		ninodes, inodes_room;
	struct bench_job *job;
	bool		chown;		/* quotas do not count owners */
};

/* --- bench_open.c --- */

/* A reader of what the devices of @b have, which outlive it. */
int bench_reader(struct xlog_bench *b, struct xlog **out) MUST_CHECK;

/* --- bench_mem.c --- */

/* An empty filesystem on the empty device @dev, with files. */
int bench_format(const struct xlog_bench_open *what, struct dev *dev,
		 const struct sink *sink) MUST_CHECK;

/* The first of these files, and how many there are. */
xfs_ino_t bench_files(const struct xfs_sb *sb, const struct xfs_geom *g,
		      uint32_t *count);

/* --- bench_tx.c --- */

/* The reservation of @load, and how many inodes go into a transaction. */
enum xfs_tr bench_tr(enum xlog_bench_load load);
int bench_group(const struct xlog_bench *b, size_t *group) MUST_CHECK;

/*
 * Change the inode @di for the @nth time, from 0: what comes of it depends on
 * nothing else but the seed and the inode's number.
 */
void bench_change(const struct xlog_bench *b, struct xfs_dinode *di,
		  xfs_ino_t ino, uint64_t nth);

/* The inode at @position of the job's. */
static inline struct bench_inode *bench_inode_at(struct xlog_bench *b,
						 const struct bench_job *job,
						 unsigned int stride,
						 size_t position)
{
	return &b->inode[job->index % stride + position * stride];
}

/* A thread: all transactions of the job @arg. */
void *bench_job_run(void *arg);

/* --- bench_result.c --- */

/* What there is so far; run_ns and end_ns stay. */
void bench_fill_result(struct bench_load *l, struct xlog_bench_result *res);

/* --- bench_run.c --- */

/* Power fails. */
void bench_power_fails(struct bench_load *l);

/*
 * It will, in the middle of what is written next, and the log dies of it; the
 * seed says when. Then, if that is what @rc, of a job, comes from:
 * bench_power_failed().
 */
void bench_power_will_fail(struct bench_load *l);
bool bench_power_failed(struct bench_load *l, int rc);

#endif
