/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transactions on a real filesystem: modes and change counts of its inodes go
 * through the log engine until power fails. Recovery then finds the state after
 * one of them, no earlier than the last that was forced. Unmounted in order, a
 * filesystem has them all, and a clean log.
 *
 *	engine_changes_inodes [IMAGE OUT SEED]
 *
 * With arguments: leave what one power failure leaves of IMAGE in the file OUT,
 * for others to recover.
 *
 * CRASH_ALL=1	many more
 * XLOG_SEED	other points; the seed is printed
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxlog/dev/fault.h"
#include "libxlog/log/log_priv.h"
#include "libxlog/meta/mount.h"
#include "libxlog/trans/inode_item.h"
#include "tests/lib/stack.h"

enum {
	MAX_INODES = 20000,
	CRASHES = 12,
	CRASHES_ALL = 1000,
	MODE_OFF = 2,			/* in an inode on disk */
	CHANGECOUNT_OFF = 104,
};

struct story {
	struct dev	*base;		/* recovered, as every round begins */
	struct dev	*fault;
	struct xlog	*reader;
	struct mount	*m;
	struct inode	*inodes[MAX_INODES];	/* gone with the mount */
	uint64_t	place[MAX_INODES];	/* in bytes */
	xfs_ino_t	ino[MAX_INODES];
	unsigned int	ninodes;
	uint64_t	changed[MAX_INODES];	/* number of the transaction */
	uint64_t	(*history)[4];	/* inodes of each, + 1 */
	uint64_t	txns, forced, txns_room;
	uint64_t	seed;
	char		said[256];
};

#define CHECK(s, what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__,	\
				__LINE__, #what, (s)->said);		\
			exit(1);					\
		}							\
	} while (0)

static uint64_t rnd(struct story *s, uint64_t below)
{
	s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
	return (s->seed >> 33) % below;
}

static void take_report(void *ctx, const struct xlog_report *r)
{
	struct story *s = ctx;

	if (r->severity == XLOG_ERROR)
		snprintf(s->said, sizeof(s->said), "%s: %s", r->code, r->text);
}

/* --- a filesystem in use --- */

static int add_inode(void *ctx, xfs_ino_t ino)
{
	struct story *s = ctx;
	int rc;

	if (s->ninodes == MAX_INODES)
		return 0;
	rc = inode_iget(&s->m->fs, ino, 0, &s->inodes[s->ninodes]);
	if (rc)
		return rc;
	s->ino[s->ninodes] = ino;
	s->place[s->ninodes] = s->inodes[s->ninodes]->daddr * BB_SIZE +
			       s->inodes[s->ninodes]->offset_bytes;
	s->ninodes++;
	return 0;
}

static void begin(struct story *s, unsigned int flags)
{
	const struct sink sink = { take_report, s };
	static const uint32_t sizes[] = { 16, 32, 64, 256 };
	const struct mount_options opts = {
		.flags = LOG_NO_THREADS | flags,
		.logbufs = 2 + (uint32_t)rnd(s, 7),
		.logbsize_bytes = sizes[rnd(s, 4)] << 10,
		.seed = 0x1000 + (uint32_t)rnd(s, 1000),
	};
	struct dev *below;

	CHECK(s, !stack_overlay(s->base, &below));
	CHECK(s, !dev_open_fault(below, &s->fault));
	CHECK(s, !stack_open(s->fault, NULL, &sink, &s->reader));
	CHECK(s, !mount_open(s->reader, &opts, &s->m));
	s->ninodes = 0;
	CHECK(s, !mount_each_inode(s->m, add_inode, s));
	CHECK(s, s->ninodes > 8);
	s->txns = s->forced = 0;
}

static void end(struct story *s)
{
	mount_close(s->m);
	xlog_close(s->reader);
}

static uint64_t stamp_of(uint64_t txn)
{
	return 1000000 + txn;
}

/* Change one to four inodes, whose numbers ascend as locks are taken. */
static void change(struct story *s)
{
	unsigned int n = 1 + (unsigned int)rnd(s, 4), step;
	unsigned int at = (unsigned int)rnd(s, s->ninodes);
	struct trans *t;

	if (s->txns + 1 >= s->txns_room) {
		s->txns_room = 2 * s->txns_room + 1024;
		s->history = realloc(s->history, s->txns_room *
				     sizeof(*s->history));
		CHECK(s, s->history);
	}
	memset(s->history[s->txns], 0, sizeof(*s->history));
	if (trans_alloc(&s->m->fs, XFS_TR_ITRUNCATE, &t))
		return;
	for (unsigned int i = 0; i < n && at < s->ninodes; i++) {
		struct inode *ip = s->inodes[at];

		inode_join(t, ip);
		ip->di.di_mode = (uint16_t)((ip->di.di_mode & 0177000) |
					    (s->txns & 0777));
		ip->di.di_changecount = stamp_of(s->txns);
		inode_log(t, ip, XFS_ILOG_CORE);
		s->history[s->txns][i] = at + 1;
		step = 1 + (unsigned int)rnd(s, 5);
		at += step;
	}
	s->txns++;
	(void)!trans_commit(t, NULL);
}

static void one_step(struct story *s)
{
	struct log *log = s->m->fs.log;
	uint64_t n = s->txns;

	switch (rnd(s, 30)) {
	case 0:
		if (!log_force(log, true))
			s->forced = n;
		break;
	case 1:
		(void)!log_force(log, false);
		cil_push_step(log);
		break;
	case 2:
		iclog_io_step(log);
		break;
	case 3:
		ail_push_all(log);
		ail_push_step(log);
		break;
	default:
		change(s);
	}
}

/* --- what is there after recovery --- */

/* The newest transaction that inode @i shows, counted from 1; 0: none. */
static uint64_t shown(struct story *s, const uint8_t *raw)
{
	uint64_t count = get_be64(raw + CHANGECOUNT_OFF);

	return count >= stamp_of(0) && count < stamp_of(s->txns) ?
	       count - stamp_of(0) + 1 : 0;
}

static void judge(struct story *s, struct dev *dev)
{
	uint64_t newest = 0, *have = calloc(s->ninodes, sizeof(*have));
	const struct xfs_geom *g = &s->reader->geom;
	uint8_t raw[XFS_DINODE_MAX_BYTES];

	CHECK(s, have);
	for (unsigned int i = 0; i < s->ninodes; i++) {
		CHECK(s, !dev_read(dev, s->place[i], raw, g->inodesize));
		CHECK(s, !xfs_dinode_verify(raw, g, s->ino[i]));
		have[i] = shown(s, raw);
		if (have[i])
			CHECK(s, (get_be16(raw + MODE_OFF) & 0777) ==
			      ((have[i] - 1) & 0777));
		if (have[i] > newest)
			newest = have[i];
	}
	if (newest < s->forced) {
		fprintf(stderr, "forced up to %llu, recovered %llu\n",
			(unsigned long long)s->forced,
			(unsigned long long)newest);
		exit(1);
	}
	memset(s->changed, 0, sizeof(s->changed));
	for (uint64_t t = 0; t < newest; t++)
		for (unsigned int i = 0; i < 4; i++)
			if (s->history[t][i])
				s->changed[s->history[t][i] - 1] = t + 1;
	for (unsigned int i = 0; i < s->ninodes; i++)
		CHECK(s, have[i] == s->changed[i]);
	free(have);
}

static void crash(struct story *s, const char *out)
{
	static const enum fault_crash kinds[] = {
		FAULT_DROP, FAULT_KEEP, FAULT_REORDER, FAULT_TEAR,
	};
	const struct sink sink = { take_report, s };
	enum fault_crash how = kinds[rnd(s, 4)];
	uint64_t seed = rnd(s, 1u << 30);
	struct xlog_recover_result res;

	log_shutdown(s->m->fs.log, LOG_SHUTDOWN_NOFLUSH, NULL);
	CHECK(s, !fault_crash(s->fault, how, seed));
	if (out) {
		uint8_t *buf = malloc(DEV_IO_BYTES);
		int fd = open(out, O_CREAT | O_TRUNC | O_WRONLY, 0666);

		CHECK(s, buf && fd >= 0);
		for (uint64_t at = 0; at < s->fault->size_bytes;
		     at += DEV_IO_BYTES) {
			uint64_t left = s->fault->size_bytes - at;
			size_t len = left < DEV_IO_BYTES ? (size_t)left :
							   DEV_IO_BYTES;

			CHECK(s, !dev_read(s->fault, at, buf, len));
			CHECK(s, pwrite(fd, buf, len, (off_t)at) ==
			      (ssize_t)len);
		}
		CHECK(s, !close(fd));
		free(buf);
		return;
	}
	CHECK(s, !stack_recover(s->fault, NULL, NULL, &sink, &res));
	judge(s, s->fault);
}

static void round_of(struct story *s, const char *out)
{
	uint64_t steps = 50 + rnd(s, 3000);

	begin(s, rnd(s, 4) ? 0 : LOG_DIRECT);
	if (rnd(s, 2))
		fault_stop(s->fault, FAULT_WRITE, rnd(s, 100));
	while (steps-- && !log_is_shutdown(s->m->fs.log))
		one_step(s);
	crash(s, out);
	end(s);
	dev_close(s->fault);
}

static void in_order(struct story *s, unsigned int flags)
{
	struct xlog_bounds b;

	begin(s, flags);
	for (unsigned int i = 0; i < 500; i++)
		one_step(s);
	s->forced = s->txns;
	CHECK(s, !mount_unmount(s->m));
	CHECK(s, !xlog_find(s->reader, 0, &b));
	CHECK(s, b.state == XLOG_CLEAN && !b.refused[0]);
	judge(s, s->fault);
	end(s);
	dev_close(s->fault);
}

static void open_base(struct story *s, const char *path)
{
	const struct sink sink = { take_report, s };
	struct xlog_recover_result res;
	struct dev *image;

	CHECK(s, !dev_open_image(path, 0, 0, &sink, &image));
	CHECK(s, !dev_open_overlay(image, 0, NULL, &s->base));
	CHECK(s, !stack_recover(s->base, NULL, NULL, &sink, &res));
}

int main(int argc, char **argv)
{
	const char *images = getenv("IMAGES"), *seed = getenv("XLOG_SEED");
	const char *all = getenv("CRASH_ALL");
	unsigned int rounds = all && *all == '1' ? CRASHES_ALL : CRASHES;
	static struct story s;
	char path[4096];

	s.seed = seed ? strtoull(seed, NULL, 0) : 1;
	if (argc == 4) {
		s.seed = strtoull(argv[3], NULL, 0);
		open_base(&s, argv[1]);
		round_of(&s, argv[2]);
		printf("%llu transactions, %llu forced\n",
		       (unsigned long long)s.txns,
		       (unsigned long long)s.forced);
		return 0;
	}
	if (!images) {
		fprintf(stderr, "IMAGES: where they are\n");
		return 77;
	}
	printf("seed %llu: %u crashes\n", (unsigned long long)s.seed, rounds);
	snprintf(path, sizeof(path), "%s/linux618/chmod-only.img.zst", images);
	open_base(&s, path);
	in_order(&s, 0);
	in_order(&s, LOG_DIRECT);
	for (unsigned int n = 0; n < rounds; n++)
		round_of(&s, NULL);
	dev_close(s.base);
	free(s.history);
	return 0;
}
