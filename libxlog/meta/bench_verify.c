/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is there what has to be there? Recovery runs in memory over what the load
 * has left, and each inode has to look as it did after one of its changes.
 * Which one follows from its change counter. For each job there is then a last
 * transaction that is there: all before it are, too, and none behind it, it is
 * no older than what the job was told is durable, and what had ended before
 * it began is not missing anywhere.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libxlog/meta/bench.h"

enum { CHANGECOUNT_OFF = 104 };

struct verifier {
	struct xlog_bench *b;
	struct xlog_bench_result *res;
	struct dev	*fs;		/* recovered; borrowed */
	unsigned int	stride;
	uint64_t	*seen;		/* changes of each inode that are there */
	uint64_t	*last;		/* transactions of each job that are */
};

static void PRINTF_LIKE(2, 3) mismatch(struct verifier *v, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->res->mismatches++;
	(void)report(&v->b->sink, -EUCLEAN, "bench.mismatch", XLOG_LSN_NONE,
		     "%s", text);
}

/* --- inodes --- */

/* Stamped whenever it is written. */
static void clear_stamps(uint8_t *raw)
{
	memset(raw + XFS_DINODE_LSN_OFF, 0, 8);
	memset(raw + XFS_DINODE_CRC_OFF, 0, 4);
}

static void check_inode(struct verifier *v, size_t i, uint8_t *raw)
{
	const struct xfs_geom *g = &v->b->reader->geom;
	struct bench_inode *bi = &v->b->inode[i];
	const char *why = xfs_dinode_verify(raw, g, bi->ino);
	uint64_t count = get_be64(raw + CHANGECOUNT_OFF) -
			 get_be64(bi->first + CHANGECOUNT_OFF);
	struct xfs_dinode di;

	if (why) {
		mismatch(v, "inode %llu: %s", (unsigned long long)bi->ino,
			 why);
		return;
	}
	if (count > bi->changes) {
		mismatch(v, "inode %llu: change %llu of %llu",
			 (unsigned long long)bi->ino,
			 (unsigned long long)count,
			 (unsigned long long)bi->changes);
		return;
	}
	v->seen[i] = count;
	xfs_dinode_decode(&di, bi->first, g->inodesize, XFS_BE);
	for (uint64_t n = 0; n < count; n++)
		bench_change(v->b, &di, bi->ino, n);
	xfs_dinode_encode(bi->first, &di, xfs_dinode_variant(&di), XFS_BE);
	clear_stamps(raw);
	clear_stamps(bi->first);
	if (memcmp(raw, bi->first, g->inodesize))
		mismatch(v, "inode %llu: is not as change %llu left it",
			 (unsigned long long)bi->ino,
			 (unsigned long long)count);
}

static int check_inodes(struct verifier *v)
{
	uint8_t raw[XFS_DINODE_MAX_BYTES];
	int rc = 0;

	for (size_t i = 0; i < v->b->ninodes && !rc; i++) {
		const struct bench_inode *bi = &v->b->inode[i];

		rc = dev_read(v->fs, bi->daddr * BB_SIZE + bi->offset_bytes,
			      raw, v->b->reader->geom.inodesize);
		if (!rc)
			check_inode(v, i, raw);
	}
	return rc;
}

/* --- transactions --- */

static size_t groups_of(const struct bench_job *job)
{
	return (job->nset + job->group - 1) / job->group;
}

static uint64_t seen_at(const struct verifier *v, const struct bench_job *job,
			size_t position)
{
	return v->seen[job->index + position * v->stride];
}

/* Transactions of the job up to the last that any of its inodes shows. */
static uint64_t last_of(const struct verifier *v, const struct bench_job *job)
{
	uint64_t last = 0;

	for (size_t p = 0; p < job->nset; p++) {
		uint64_t n = seen_at(v, job, p);
		uint64_t tx = n ? (n - 1) * groups_of(job) + p / job->group + 1 :
				  0;

		if (tx > last)
			last = tx;
	}
	return last;
}

static void check_job(struct verifier *v, const struct bench_job *job)
{
	uint64_t last = v->last[job->index], groups = groups_of(job);

	for (size_t p = 0; p < job->nset; p++) {
		uint64_t n = last / groups + (last % groups > p / job->group);

		if (seen_at(v, job, p) != n)
			mismatch(v, "job %u: transaction %llu is there, and not all before it",
				 job->index, (unsigned long long)last);
	}
	if (last < job->forced)
		mismatch(v, "job %u: %llu transactions were durable, %llu are there",
			 job->index, (unsigned long long)job->forced,
			 (unsigned long long)last);
	v->res->forced += job->forced;
	v->res->recovered += last;
}

/* What ended before something began that is there has to be there. */
static void check_order(struct verifier *v)
{
	const struct bench_job *jobs = v->b->job;
	uint64_t newest = 0;

	for (unsigned int i = 0; i < v->b->opts.jobs; i++)
		if (v->last[i] && jobs[i].span[v->last[i] - 1].begin > newest)
			newest = jobs[i].span[v->last[i] - 1].begin;
	for (unsigned int i = 0; i < v->b->opts.jobs; i++)
		if (v->last[i] < jobs[i].nspans &&
		    jobs[i].span[v->last[i]].end < newest)
			mismatch(v, "job %u: transaction %llu is missing, later ones are there",
				 i, (unsigned long long)v->last[i] + 1);
}

static int compare(struct verifier *v)
{
	struct xlog_bench *b = v->b;
	int rc;

	v->seen = calloc(b->ninodes, sizeof(*v->seen));
	v->last = calloc(b->opts.jobs, sizeof(*v->last));
	rc = v->seen && v->last ? check_inodes(v) :
	     report(&b->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		    "out of memory");
	/* what damaged inodes show says nothing of the rest */
	if (!rc && !v->res->mismatches) {
		for (unsigned int i = 0; i < b->opts.jobs; i++) {
			v->last[i] = last_of(v, &b->job[i]);
			check_job(v, &b->job[i]);
		}
		check_order(v);
	}
	free(v->seen);
	free(v->last);
	return rc;
}

/* --- recovery --- */

static int overlay_of(struct dev *below, struct dev **out)
{
	struct dev *dev;
	int rc;

	*out = NULL;
	if (!below)
		return 0;
	rc = dev_open_borrowed(below, true, &dev);
	if (rc)
		return rc;
	rc = dev_open_overlay(dev, 0, NULL, out);
	if (rc)
		dev_close(dev);
	return rc;
}

int xlog_bench_verify(struct xlog_bench *b, struct xlog_bench_result *res)
{
	struct verifier v = { .b = b, .res = res };
	struct xlog_recover_result recovered;
	struct dev *fs, *log = NULL;
	struct xlog *reader;
	int rc;

	if (!b->job || !(b->opts.flags & XLOG_BENCH_MODEL))
		return report(&b->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "nothing has been remembered to compare with");
	v.stride = b->opts.jobs;
	rc = overlay_of(b->fs, &fs);
	if (rc)
		return rc;
	rc = overlay_of(b->log, &log);
	if (rc) {
		dev_close(fs);
		return rc;
	}
	rc = reader_open(fs, log, &b->sink, &reader);
	if (rc)
		return rc;
	rc = xlog_recover(reader, NULL, &recovered);
	v.fs = reader->fs;
	if (!rc)
		rc = compare(&v);
	res->verified = !rc;
	xlog_close(reader);
	return rc;
}
