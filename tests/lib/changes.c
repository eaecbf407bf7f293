/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See changes.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "libxlog/meta/bench.h"
#include "libxlog/meta/meta.h"
#include "tests/lib/changes.h"
#include "tests/lib/stack.h"

enum {
	MODE_OFF = 2,			/* in an inode on disk */
	CHANGECOUNT_OFF = 104,
	FIRST_STAMP = 1000000,		/* above any change count of an image */
	MAX_IN_TXN = 8,
	MAX_LINKS = 6,
	NEW_BYTES = 256 << 20,
	NEW_LOG_BYTES = 14 << 20,
};

void changes_check(const struct changes *c, bool ok, const char *file, int line,
		   const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, c->said);
	exit(1);
}

#define CHECK(what) CHANGES_CHECK(c, what)

uint64_t changes_random(struct changes *c, uint64_t below)
{
	c->seed = c->seed * 6364136223846793005u + 1442695040888963407u;
	return (c->seed >> 33) % below;
}

static void take_report(void *ctx, const struct xlog_report *r)
{
	struct changes *c = ctx;

	if (r->severity == XLOG_ERROR)
		snprintf(c->said, sizeof(c->said), "%s: %s", r->code, r->text);
}

static void *need(struct changes *c, void *p)
{
	CHECK(p);
	return p;
}

/* --- devices --- */

/* Devices below report to it as long as they are open. */
static struct changes opening;

void changes_base(const char *path, struct dev **out)
{
	struct changes *c = &opening;
	const struct sink sink = { take_report, c };
	struct xlog_recover_result res;
	struct dev *image;

	CHECK(!dev_open_image(path, 0, 0, &sink, &image));
	CHECK(!dev_open_overlay(image, 0, NULL, out));
	CHECK(!stack_recover(*out, NULL, NULL, &sink, &res));
}

void changes_base_new(const struct changes_geometry *geometry,
		      struct dev **out)
{
	const struct xlog_bench_open what = {
		.log_bytes = NEW_LOG_BYTES,
		.log_sunit_bytes = geometry->log_sunit_bytes,
	};
	struct changes *c = &opening;
	const struct sink sink = { take_report, c };

	CHECK(!dev_open_overlay(NULL, NEW_BYTES, &sink, out));
	(*out)->sector_bytes = geometry->sector_bytes;
	CHECK(!bench_format(&what, *out, &sink));
}

struct changes *changes_new(struct dev *base, uint64_t seed)
{
	struct changes *c = calloc(1, sizeof(*c));
	struct dev *below;

	if (!c)
		abort();
	c->seed = seed;
	c->first_stamp = FIRST_STAMP;
	CHECK(!stack_overlay(base, &c->medium));
	CHECK(!stack_borrow(c->medium, &below));
	CHECK(!dev_open_fault(below, &c->fault));
	return c;
}

void changes_free(struct changes *c)
{
	for (size_t i = 0; i < c->ninodes; i++)
		free(c->inode[i].before);
	free(c->inode);
	free(c->txn);
	free(c->changed);
	dev_close(c->fault);
	dev_close(c->medium);
	free(c);
}

/* --- in use --- */

static int add_inode(void *ctx, xfs_ino_t ino)
{
	struct changes *c = ctx;
	uint32_t bytes = c->geom.inodesize;
	struct changes_inode *ci;

	if (c->ninodes == c->inodes_room) {
		c->inodes_room = 2 * c->inodes_room + 256;
		c->inode = need(c, reallocarray(c->inode, c->inodes_room,
						sizeof(*c->inode)));
	}
	ci = &c->inode[c->ninodes];
	*ci = (struct changes_inode){ .ino = ino };
	if (inode_iget(&c->m->fs, ino, 0, &ci->ip))
		return -EUCLEAN;
	ci->off_bytes = ci->ip->daddr * BB_SIZE + ci->ip->offset_bytes;
	ci->before = need(c, malloc(bytes));
	c->ninodes++;
	return dev_read(c->fault, ci->off_bytes, ci->before, bytes);
}

/* Of an empty filesystem: those of changes_base_new(). */
static void add_nameless(struct changes *c)
{
	uint32_t count;
	xfs_ino_t ino = bench_files(&c->reader->sb, &c->geom, &count);

	while (count--)
		CHECK(!add_inode(c, ino++));
}

void changes_mount(struct changes *c, unsigned int flags)
{
	static const uint32_t sizes[] = { 16, 32, 64, 128, 256 };
	const struct sink sink = { take_report, c };
	struct mount_options opts = {
		.flags = LOG_NO_THREADS | flags,
		.logbufs = 2 + (uint32_t)changes_random(c, 7),
		.logbsize_bytes = sizes[changes_random(c, 5)] << 10,
		.seed = 0x1000 + (uint32_t)changes_random(c, 1000),
	};

	for (size_t i = 0; i < c->ninodes; i++)
		free(c->inode[i].before);
	c->ninodes = 0;
	CHECK(!stack_open(c->fault, NULL, &sink, &c->reader));
	c->sunit_bytes = xlog_info(c->reader)->log_sunit_bytes;
	c->geom = c->reader->geom;
	fault_sectors(c->fault, c->geom.sectsize);
	if (opts.logbsize_bytes < c->sunit_bytes)
		opts.logbsize_bytes = c->sunit_bytes;
	CHECK(!mount_open(c->reader, &opts, &c->m));
	c->log = c->m->fs.log;
	CHECK(!mount_each_inode(c->m, add_inode, c));
	if (c->ninodes == FORMAT_INODES)
		add_nameless(c);
	CHECK(c->ninodes > MAX_IN_TXN);
	c->first_stamp += c->txns;
	c->txns = c->nchanged = 0;
	c->forced = c->forced_end = 0;
	c->in_flight = 0;
	c->facts = (struct crash_facts){ .direct = flags & LOG_DIRECT };
}

void changes_unmount(struct changes *c, bool in_order)
{
	if (in_order) {
		CHECK(!mount_unmount(c->m));
		c->forced = c->txns;
	}
	mount_close(c->m);
	c->m = NULL;
	xlog_close(c->reader);
}

/* --- transactions --- */

/* A new one of these inodes: its number. */
static uint64_t note(struct changes *c, const size_t *at, size_t count,
		     bool goes_on)
{
	if (c->txns == c->txns_room) {
		c->txns_room = 2 * c->txns_room + 1024;
		c->txn = need(c, reallocarray(c->txn, c->txns_room,
					      sizeof(*c->txn)));
	}
	if (c->nchanged + count > c->changed_room) {
		c->changed_room = 2 * c->changed_room + 4096;
		c->changed = need(c, reallocarray(c->changed, c->changed_room,
						  sizeof(*c->changed)));
	}
	memcpy(c->changed + c->nchanged, at, count * sizeof(*at));
	c->txn[c->txns] = (struct changes_txn){ c->nchanged, count, goes_on };
	c->nchanged += count;
	return ++c->txns;
}

/* What transaction @n makes of a mode and a change count. */
static uint16_t mode_of(uint16_t mode, uint64_t n)
{
	return (uint16_t)((mode & ~0777u) | (n & 0777));
}

static uint64_t count_of(const struct changes *c, uint64_t n)
{
	return c->first_stamp + n;
}

static void change(struct changes *c, struct trans *t, const size_t *at,
		   size_t count, bool goes_on)
{
	uint64_t n = note(c, at, count, goes_on);

	for (size_t i = 0; i < count; i++) {
		struct inode *ip = c->inode[at[i]].ip;

		inode_join(t, ip);
		ip->di.di_mode = mode_of(ip->di.di_mode, n);
		ip->di.di_changecount = count_of(c, n);
		inode_log(t, ip, XFS_ILOG_CORE);
	}
}

/* Ascending, as locks are taken. */
static size_t any_inodes(struct changes *c, size_t *at)
{
	size_t count = 1 + (size_t)changes_random(c, MAX_IN_TXN), n = 0;
	size_t next = (size_t)changes_random(c, c->ninodes);

	while (n < count && next < c->ninodes) {
		at[n++] = next;
		next += 1 + (size_t)changes_random(c, 5);
	}
	return n;
}

static void push(struct changes *c)
{
	(void)!cil_push(c->log, atomic_load(&c->log->cil.seq), false);
}

static void one_txn(struct changes *c)
{
	size_t at[MAX_IN_TXN], count = any_inodes(c, at);
	struct trans *t;

	if (trans_alloc(&c->m->fs, XFS_TR_ITRUNCATE, &t))
		return;
	change(c, t, at, count, false);
	(void)!trans_commit(t, NULL);
}

/* The same inodes, or others, in each transaction of it. */
static void chain(struct changes *c)
{
	size_t links = 2 + (size_t)changes_random(c, MAX_LINKS - 1);
	size_t at[MAX_IN_TXN], count = any_inodes(c, at);
	struct trans *t;

	if (trans_alloc(&c->m->fs, XFS_TR_ITRUNCATE, &t))
		return;
	while (--links) {
		change(c, t, at, count, true);
		if (trans_roll(&t)) {
			trans_cancel(t);
			return;
		}
		/* some of it, and not the rest */
		if (!changes_random(c, 3))
			push(c);
		if (!changes_random(c, 3))
			iclog_io_step(c->log);
		if (changes_random(c, 2))
			count = any_inodes(c, at);
	}
	change(c, t, at, count, false);
	(void)!trans_commit(t, NULL);
}

int changes_force(struct changes *c)
{
	uint64_t n = c->txns;
	int rc = log_force(c->log, true);

	if (rc)
		return rc;
	if (n > c->forced)
		c->forced_end = log_head_lsn(c->log);
	c->forced = n;
	return 0;
}

void changes_step(struct changes *c)
{
	struct log *log = c->log;

	if (log_is_shutdown(log))
		return;
	c->in_flight = crash_in_flight(log);
	switch (changes_random(c, 40)) {
	case 0:
		(void)!changes_force(c);
		break;
	case 1:
		(void)!log_force(log, false);
		cil_push_step(log);
		break;
	case 2:
	case 3:
		iclog_io_step(log);
		break;
	case 4:
		if (!changes_random(c, 20))
			ail_push_all(log);
		ail_push_step(log);
		break;
	case 5:
	case 6:
		push(c);
		break;
	case 7:
	case 8:
	case 9:
		chain(c);
		break;
	default:
		one_txn(c);
	}
}

void changes_settle(struct changes *c)
{
	while (log_step(c->log))
		;
}

/* --- power failure --- */

static void look(struct changes *c)
{
	const struct sink sink = { take_report, c };
	struct xlog_bounds b;
	struct xlog *reader;

	CHECK(!stack_open(c->fault, NULL, &sink, &reader));
	CHECK(!xlog_find(reader, 0, &b));
	CHECK(b.state != XLOG_CORRUPT && !b.refused[0]);
	crash_look(reader, &b, c->forced_end, &c->facts);
	xlog_close(reader);
}

void changes_crash(struct changes *c, enum fault_crash how)
{
	uint64_t seed = changes_random(c, 1u << 30);

	if (!log_is_shutdown(c->log))
		c->in_flight = crash_in_flight(c->log);
	c->facts.in_flight = c->in_flight > 1;
	log_shutdown(c->log, LOG_SHUTDOWN_NOFLUSH, NULL);
	changes_unmount(c, false);
	CHECK(!fault_crash(c->fault, how, seed));
	look(c);
}

void changes_recover(struct changes *c)
{
	const struct sink sink = { take_report, c };
	struct xlog_recover_result res;

	CHECK(!stack_recover(c->fault, NULL, NULL, &sink, &res));
	CHECK(!dev_flush(c->fault));
}

/* --- judging --- */

static void clear_stamps(uint8_t *raw)
{
	memset(raw + XFS_DINODE_LSN_OFF, 0, 8);
	memset(raw + XFS_DINODE_CRC_OFF, 0, 4);
}

static void read_inode(struct changes *c, struct dev *dev,
		       const struct changes_inode *ci, uint8_t *raw)
{
	CHECK(!dev_read(dev, ci->off_bytes, raw, c->geom.inodesize));
	CHECK(!xfs_dinode_verify(raw, &c->geom, ci->ino));
}

static void judge_inode(struct changes *c, struct dev *dev,
			const struct changes_inode *ci)
{
	uint8_t raw[XFS_DINODE_MAX_BYTES], want[XFS_DINODE_MAX_BYTES];
	uint32_t bytes = c->geom.inodesize;

	read_inode(c, dev, ci, raw);
	memcpy(want, ci->before, bytes);
	if (ci->want) {
		put_be16(want + MODE_OFF,
			 mode_of(get_be16(want + MODE_OFF), ci->want));
		put_be64(want + CHANGECOUNT_OFF, count_of(c, ci->want));
	}
	clear_stamps(raw);
	clear_stamps(want);
	if (!memcmp(raw, want, bytes))
		return;
	fprintf(stderr, "inode %llu is not as transaction %llu left it, and %llu is the last that is there: change %lld\n",
		(unsigned long long)ci->ino, (unsigned long long)ci->want,
		(unsigned long long)c->recovered,
		(long long)(get_be64(raw + CHANGECOUNT_OFF) - c->first_stamp));
	exit(1);
}

void changes_judge(struct changes *c, struct dev *dev)
{
	uint8_t raw[XFS_DINODE_MAX_BYTES];
	uint64_t newest = 0;

	for (size_t i = 0; i < c->ninodes; i++) {
		uint64_t stamp;

		read_inode(c, dev, &c->inode[i], raw);
		stamp = get_be64(raw + CHANGECOUNT_OFF);
		if (stamp > c->first_stamp + newest &&
		    stamp <= c->first_stamp + c->txns)
			newest = stamp - c->first_stamp;
		c->inode[i].want = 0;
	}
	if (newest < c->forced) {
		fprintf(stderr, "forced up to %llu, recovered %llu\n",
			(unsigned long long)c->forced,
			(unsigned long long)newest);
		exit(1);
	}
	for (uint64_t n = 0; n < newest; n++)
		for (size_t i = 0; i < c->txn[n].count; i++)
			c->inode[c->changed[c->txn[n].first + i]].want = n + 1;
	c->recovered = newest;
	c->cut_chain = newest && c->txn[newest - 1].goes_on;
	for (size_t i = 0; i < c->ninodes; i++)
		judge_inode(c, dev, &c->inode[i]);
}
