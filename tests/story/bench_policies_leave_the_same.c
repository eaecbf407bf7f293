/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whichever the policy, a load leaves the same metadata. Each load of
 * xlog-bench runs twice on a filesystem of 10,000 inodes, with delaylog and
 * with nodelaylog, and is unmounted, or loses power after a force and is
 * recovered. Outside the log every byte of the two results is then the same,
 * but for
 *
 *	di_lsn and di_crc	of inodes that the load has changed
 *	sb_lsn and sb_crc	of the superblock, not of its copies
 *
 * which say where in the log something was when it was written back, and where
 * the log had it differs. The checksums are right in both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/meta/bench.h"

enum {
	DIRS = 99,			/* and the root, and files in each */
	FILES = 100,
	INODES = 1 + DIRS + DIRS * FILES,
	SB_CRC_OFF = 224,
	SB_LSN_OFF = 240,
	CHUNK = 128 * BB_SIZE,
};

static const char *what;		/* is being tried */

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__,	\
				__LINE__, what, #cond);			\
			exit(1);					\
		}							\
	} while (0)

static void take_report(void *ctx, const struct xlog_report *r)
{
	(void)ctx;
	if (r->severity == XLOG_ERROR)
		fprintf(stderr, "%s: %s\n", what, r->text);
}

static void make_image(const char *path)
{
	FILE *proto = fopen("proto", "w");
	char cmd[256];
	int status;

	CHECK(proto);
	fprintf(proto, "/nothing\n0 0\nd--755 0 0\n");
	for (int d = 0; d < DIRS; d++) {
		fprintf(proto, "dir%d d--755 0 0\n", d);
		for (int f = 0; f < FILES; f++)
			fprintf(proto, "file%d ---644 0 0 /dev/null\n", f);
		fprintf(proto, "$\n");
	}
	fprintf(proto, "$\n");
	CHECK(!fclose(proto));
	snprintf(cmd, sizeof(cmd),
		 "truncate -s 400m %s && mkfs.xfs -q -l size=64m -p proto %s",
		 path, path);
	status = system("command -v mkfs.xfs >found");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		puts("needs mkfs.xfs");
		exit(77);
	}
	CHECK(!system(cmd));
}

/* --- the comparison --- */

struct found {
	unsigned int	inodes, superblocks;	/* with another LSN */
};

static uint8_t *is_inode;		/* of the load, by sector */

/* Before the run is forgotten. */
static void note_inodes(const struct xlog_bench *b)
{
	free(is_inode);
	is_inode = calloc(1, b->fs->size_bytes / BB_SIZE);
	CHECK(is_inode && b->ninodes == INODES &&
	      b->reader->geom.inodesize == BB_SIZE);
	for (size_t i = 0; i < b->ninodes; i++)
		is_inode[b->inode[i].daddr +
			 b->inode[i].offset_bytes / BB_SIZE] = 1;
}

/* Without what depends on the place in the log. */
static void strip(uint8_t *p, size_t len, size_t crc_off, size_t lsn_off)
{
	CHECK(get_le32(p + crc_off) == xfs_crc_block(p, len, crc_off));
	memset(p + crc_off, 0, 4);
	memset(p + lsn_off, 0, 8);
}

static void compare_sector(const struct xlog_bench *b, uint64_t daddr,
			   uint8_t *one, uint8_t *other, struct found *f)
{
	uint64_t log = b->reader->info.log_daddr;

	if (daddr >= log && daddr < log + b->reader->info.log_size_bb)
		return;
	if (!memcmp(one, other, BB_SIZE))
		return;
	if (!daddr) {
		strip(one, BB_SIZE, SB_CRC_OFF, SB_LSN_OFF);
		strip(other, BB_SIZE, SB_CRC_OFF, SB_LSN_OFF);
		f->superblocks++;
	} else if (is_inode[daddr]) {
		strip(one, BB_SIZE, XFS_DINODE_CRC_OFF, XFS_DINODE_LSN_OFF);
		strip(other, BB_SIZE, XFS_DINODE_CRC_OFF, XFS_DINODE_LSN_OFF);
		f->inodes++;
	}
	if (!memcmp(one, other, BB_SIZE))
		return;
	fprintf(stderr, "%s: sector %llu differs\n", what,
		(unsigned long long)daddr);
	exit(1);
}

static struct found compare(struct xlog_bench *one, struct xlog_bench *other)
{
	static uint8_t a[CHUNK], b[CHUNK];
	uint64_t size = one->fs->size_bytes;
	struct found f = { .inodes = 0 };

	CHECK(other->fs->size_bytes == size && !(size % CHUNK));
	for (uint64_t at = 0; at < size; at += CHUNK) {
		CHECK(!dev_read(one->fs, at, a, CHUNK));
		CHECK(!dev_read(other->fs, at, b, CHUNK));
		if (!memcmp(a, b, CHUNK))
			continue;
		for (size_t off = 0; off < CHUNK; off += BB_SIZE)
			compare_sector(one, (at + off) / BB_SIZE, a + off,
				       b + off, &f);
	}
	return f;
}

/* --- loads --- */

static struct xlog_bench *load(const char *path,
			       const struct xlog_bench_options *opts,
			       unsigned int policy)
{
	const struct xlog_bench_open from = {
		.path = path, .report = take_report,
	};
	struct xlog_bench_options o = *opts;
	struct xlog_bench_result res;
	struct xlog_bench *b;

	o.flags |= policy;
	CHECK(!xlog_bench_open(&from, &b));
	CHECK(!xlog_bench_run(b, &o, &res));
	CHECK(res.tx == o.ops);
	CHECK(res.crashed == (o.crash_unit != XLOG_BENCH_NEVER));
	note_inodes(b);
	/* what power has left is recovered */
	CHECK(!xlog_bench_again(b));
	return b;
}

static unsigned int try(const char *path, const char *name,
			const struct xlog_bench_options *opts)
{
	struct xlog_bench *delayed, *direct;
	struct found f;

	what = name;
	delayed = load(path, opts, 0);
	direct = load(path, opts, XLOG_BENCH_DIRECT);
	f = compare(delayed, direct);
	printf("%s: the same, but for the LSN of %u inodes and %u superblocks\n",
	       name, f.inodes, f.superblocks);
	xlog_bench_close(direct);
	xlog_bench_close(delayed);
	return f.inodes;
}

int main(void)
{
	static const struct {
		const char *name;
		struct xlog_bench_options opts;
	} loads[] = {
		{ "setattr", { .load = XLOG_BENCH_SETATTR, .jobs = 1,
			       .ops = 2 * INODES, .force_every = 300 } },
		{ "setattr of 4 jobs", { .load = XLOG_BENCH_SETATTR,
			.jobs = 4, .ops = 2 * INODES, .force_every = 99 } },
		{ "relog", { .load = XLOG_BENCH_RELOG, .jobs = 1,
			     .ops = INODES, .force_every = 77 } },
		{ "bigtx", { .load = XLOG_BENCH_BIGTX, .jobs = 1, .ops = 50,
			     .set = 400 } },
		{ "fsync-probe", { .load = XLOG_BENCH_FSYNC, .jobs = 2,
				   .ops = 1000 } },
		/* the last one is forced, and nothing else is written */
		{ "setattr, and recovered", {
			.load = XLOG_BENCH_SETATTR, .jobs = 1,
			.ops = 9000, .force_every = 1500,
			.crash_unit = XLOG_BENCH_OPS, .crash_after = 9000,
			.crash = XLOG_BENCH_DROP } },
		{ "fsync-probe, and recovered", {
			.load = XLOG_BENCH_FSYNC, .jobs = 1, .ops = 700,
			.crash_unit = XLOG_BENCH_OPS, .crash_after = 700,
			.crash = XLOG_BENCH_REORDER } },
	};

	unsigned int looked_at = 0;

	what = "mkfs.xfs";
	make_image("fs");
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct xlog_bench_options o = loads[i].opts;

		o.seed = i + 1;
		looked_at += try("fs", loads[i].name, &o);
	}
	free(is_inode);
	CHECK(looked_at >= INODES);
	return 0;
}
