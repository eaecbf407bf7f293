/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxlog: a load for the log engine. A part of xlog.h, which says what holds
 * for all functions.
 *
 * A filesystem is opened, transactions change its inodes from many threads, and
 * it is unmounted in order, or power fails in the middle. What recovery then
 * makes of it can be compared with what was done.
 */
#ifndef LIBXLOG_XLOG_BENCH_H
#define LIBXLOG_XLOG_BENCH_H

#include "xlog.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* --- the filesystem --- */

struct xlog_bench;

struct xlog_bench_open {
	const char	*path;		/* NULL: made in memory, see below */
	const char	*logdev;	/* external log, or NULL */
	uint64_t	offset_bytes;
	/*
	 * XLOG_OPEN_WRITE: the devices are changed; else they are only read,
	 * and what is written stays in memory. XLOG_OPEN_LOCK_*.
	 */
	unsigned int	flags;
	/*
	 * In memory: a new filesystem of so many bytes, with a log of
	 * @log_bytes (0: as mkfs.xfs has it) and stripe unit @log_sunit_bytes
	 * (0: none). The inodes of its first chunk are files, which no
	 * directory names.
	 */
	uint64_t	memory_bytes, log_bytes;
	uint32_t	log_sunit_bytes;
	xlog_report_fn	report;		/* may be NULL */
	void		*report_ctx;
};

/*
 * Open the filesystem: of version 5, its log clean. On success *@out is the
 * caller's, to be closed with xlog_bench_close(). As xlog_open(); -EUCLEAN
 * also for a log that is dirty.
 */
int xlog_bench_open(const struct xlog_bench_open *what,
		    struct xlog_bench **out);
void xlog_bench_close(struct xlog_bench *b);

/* What its superblock says. Valid until xlog_bench_close(). */
const struct xlog_info *xlog_bench_info(const struct xlog_bench *b);

struct xlog_bench_reservation {
	const char	*name;		/* "tr_write", as in Linux */
	uint32_t	logres_bytes;	/* most that it logs */
	uint32_t	logcount;	/* times it is taken at once */
	bool		permanent;	/* may be rolled */
	uint32_t	unit_bytes;	/* with all that goes with it */
	/* most that a transaction took of that in runs so far; 0: none ran */
	uint32_t	used_bytes;
};

/*
 * The @index-th reservation of transactions, with log buffers of
 * @logbsize_bytes (0: 32 KiB). False: there are no more.
 */
bool xlog_bench_reservation(const struct xlog_bench *b, unsigned int index,
			    uint32_t logbsize_bytes,
			    struct xlog_bench_reservation *out);

/* --- a load --- */

enum xlog_bench_load {
	XLOG_BENCH_SETATTR,	/* mode, owner or times of each inode in turn */
	XLOG_BENCH_RELOG,	/* the same of a few inodes, over and over */
	XLOG_BENCH_BIGTX,	/* many inodes in each transaction */
	XLOG_BENCH_FSYNC,	/* as SETATTR, each made durable */
};

enum {
	XLOG_BENCH_DIRECT = 1,	/* nodelaylog */
	/* Remember what was done, for xlog_bench_verify(). */
	XLOG_BENCH_MODEL = 2,
};

/* What is done for records of the log that have to be durable. */
enum xlog_bench_sync {
	/* Devices here have no forced writes: the same as XLOG_BENCH_FLUSH. */
	XLOG_BENCH_FUA,
	XLOG_BENCH_FLUSH,	/* the device is flushed when they are written */
	XLOG_BENCH_DSYNC,	/* it is flushed behind every record */
	XLOG_BENCH_NOSYNC,	/* devices are never flushed */
};

/* What a load is ended by as if power failed. */
enum xlog_bench_unit {
	XLOG_BENCH_NEVER,
	XLOG_BENCH_OPS,		/* transactions */
	/* then in the middle of what is written next */
	XLOG_BENCH_ICLOGS,	/* records */
	XLOG_BENCH_BYTES,	/* of the log */
	XLOG_BENCH_MS,
};

/* What then has reached the devices of what was not flushed. */
enum xlog_bench_crash {
	XLOG_BENCH_CLEAN,	/* all of it */
	XLOG_BENCH_TORN,	/* the last writes in part */
	XLOG_BENCH_DROP,	/* nothing */
	XLOG_BENCH_REORDER,	/* some of the writes, in any order */
};

enum xlog_bench_cause {
	XLOG_BENCH_WAIT_GRANT,	/* for space in the log */
	XLOG_BENCH_WAIT_ICLOG,	/* for a log buffer; the log's threads, too */
	XLOG_BENCH_WAIT_CIL,	/* for a push of a CIL that is too large */
	XLOG_BENCH_WAIT_FORCE,	/* to be durable */
	XLOG_BENCH_WAIT_AIL,	/* for write-back, at the end */
	XLOG_BENCH_WAITS,
};

enum { XLOG_BENCH_BUCKETS = 976 };

/* What is timed. */
enum xlog_bench_timed {
	XLOG_BENCH_TX,		/* transactions; to be durable, if one was made so */
	XLOG_BENCH_FORCES,	/* forces of the log that were waited for */
	XLOG_BENCH_CHECKPOINTS,	/* until it is durable; not with DIRECT */
	XLOG_BENCH_RECORDS,	/* a record's write and flushes */
	XLOG_BENCH_TIMED,
};

/* How long something took, each time: see xlog_bench_times_ns(). */
struct xlog_bench_times {
	uint64_t	bucket[XLOG_BENCH_BUCKETS];
	uint64_t	max_ns;
};

struct xlog_bench_result {
	uint64_t	inodes;		/* that the load is about */
	uint64_t	tx;		/* transactions committed */
	uint64_t	changes;	/* of inodes, by them */
	uint64_t	forces;		/* that were waited for */
	uint64_t	run_ns;		/* from the first to the last */
	uint64_t	end_ns;		/* of the unmount */
	/* as the log counts, the unmount included */
	uint64_t	checkpoints;
	/* in them: log vectors, one for each item, and the regions of those */
	uint64_t	vectors, regions, checkpoint_bytes;
	uint64_t	most_vectors, most_bytes;	/* in one of them */
	uint64_t	records, written_bytes;
	uint64_t	formatted_bytes, relogged_bytes;
	struct {
		uint64_t sleeps, ns;
	} wait[XLOG_BENCH_WAITS];
	/* the lines of /proc/fs/xfs/stat, by their order there */
	uint64_t	log_line[5], trans_line[3], push_ail_line[10];
	struct xlog_bench_times times[XLOG_BENCH_TIMED];
	bool		crashed;
	bool		wrote;		/* to the device that was named */

	/* after xlog_bench_verify() */
	bool		verified;
	uint64_t	forced, recovered;	/* transactions */
	uint64_t	mismatches;
};

/* How often. */
uint64_t xlog_bench_times_count(const struct xlog_bench_times *times);

/* Of @percent (0 to 100) of these times, none was longer. */
uint64_t xlog_bench_times_ns(const struct xlog_bench_times *times,
			     double percent);

struct xlog_bench_options {
	enum xlog_bench_load load;
	unsigned int	flags;		/* XLOG_BENCH_* */
	unsigned int	jobs;		/* threads, 0: 1 */
	uint64_t	ops;		/* transactions of all, 0: no bound */
	uint64_t	runtime_ms;	/* 0: no bound */
	/*
	 * The same seed and one job: the same bytes in the log; the engine
	 * then has no threads of its own.
	 */
	uint64_t	seed;
	uint64_t	force_every;	/* transactions of a job; 0: never */
	/* RELOG: inodes; BIGTX: inodes in a transaction. 0: 16; all that fit */
	uint64_t	set;
	uint32_t	logbufs;	/* 0: 8 */
	uint32_t	logbsize_bytes;	/* 0: 32 KiB, or the stripe unit */
	enum xlog_bench_sync sync;
	/*
	 * So long the thread that writes metadata back rests when there is
	 * nothing that it can write; 0: 20. With one job there is none.
	 */
	uint32_t	ail_ms;
	enum xlog_bench_unit crash_unit;
	uint64_t	crash_after;
	enum xlog_bench_crash crash;
	/*
	 * Called several times a second, with what there is so far; nonzero
	 * ends the load, which then is unmounted. May be NULL.
	 */
	int		(*progress)(void *ctx,
				    const struct xlog_bench_result *sofar);
	void		*ctx;
};

/*
 * Run a load, once, or once more after xlog_bench_again(). @res is filled in as far as
 * things went. Returns 0; -ECANCELED; -EINVAL: what cannot be; -ESHUTDOWN: the
 * log died, for a reason that was reported; -EIO, -ENOMEM, others.
 */
int xlog_bench_run(struct xlog_bench *b, const struct xlog_bench_options *opts,
		   struct xlog_bench_result *res);

/*
 * After a crash: recover what it left, in memory, and compare with what was
 * done. All that was forced has to be there, nothing by half, and nothing
 * without what was committed before. Returns 0, with @res->mismatches, each of
 * which was reported as an error; or as xlog_recover().
 */
int xlog_bench_verify(struct xlog_bench *b, struct xlog_bench_result *res);

/*
 * After a run, and what was to be seen of it: recover the filesystem itself, if
 * power has failed, so that another load can run on it. As xlog_recover().
 */
int xlog_bench_again(struct xlog_bench *b);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
